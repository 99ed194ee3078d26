/* SPDX-License-Identifier: MIT */
/*
 * Sysctls of a script, for the stack of its run.  Linux's names are Rill's own.
 * One that Rill hasn't is fine when the value asks for what Rill does anyway;
 * otherwise the script is skipped with the reason.  FreeBSD's names are mapped
 * where they mean the same (tunable_bsd.c).
 */
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/types.h"
#include "drill/tunable.h"

#define VALUE_MAX	256

/*
 * What Rill hasn't got as a tunable: the value that names its behaviour ("*": any,
 * because nothing a script can see depends on it), and what to say of others.
 */
static const struct fixed {
	const char *name, *values, *why;
} fixed[] = {
	/* not built; the values switch it off */
	{ "net.ipv4.tcp_ecn", "0", "ECN is not built yet" },
	{ "net.ipv4.tcp_ecn_fallback", "*", "" },
	{ "net.ipv4.tcp_ecn_option", "*", "" },
	{ "net.ipv4.tcp_ecn_option_beacon", "*", "" },
	{ "net.ipv4.tcp_fastopen", "0", "Fast Open is not built yet" },
	{ "net.ipv4.tcp_fastopen_key", "*", "" },
	{ "net.ipv4.tcp_fastopen_blackhole_timeout_sec", "*", "" },
	{ "net.ipv4.tcp_syncookies", "0", "SYN cookies are not built yet" },
	{ "net.ipv4.tcp_recovery", "0", "RACK is not built yet" },
	{ "net.ipv4.tcp_early_retrans", "0", "tail loss probes are not built yet" },
	{ "net.ipv4.tcp_frto", "0", "F-RTO is not built yet" },
	{ "net.ipv4.tcp_mtu_probing", "0", "path MTU probing is not built yet" },
	{ "net.ipv4.tcp_base_mss", "*", "" },
	{ "net.ipv4.tcp_mtu_probe_floor", "*", "" },
	{ "net.ipv4.tcp_probe_interval", "*", "" },
	{ "net.ipv4.tcp_probe_threshold", "*", "" },
	{ "net.ipv4.tcp_tw_reuse", "0", "not built yet" },
	{ "net.ipv4.tcp_tw_reuse_delay", "*", "" },
	{ "net.ipv4.tcp_tw_recycle", "0", "Linux removed it" },
	{ "net.ipv4.tcp_thin_linear_timeouts", "0", "timeouts double" },
	{ "net.ipv4.tcp_thin_dupack", "0", "tcp_reordering decides" },
	{ "net.ipv4.tcp_syn_linear_timeouts", "0", "timeouts double from the first" },
	{ "net.ipv4.tcp_autocorking", "0", "small segments are not held back" },
	{ "net.ipv4.tcp_comp_sack_nr", "0", "each segment out of order is answered" },
	{ "net.ipv4.tcp_comp_sack_delay_ns", "0", "each segment out of order is answered" },
	{ "net.ipv4.tcp_comp_sack_slack_ns", "*", "" },
	{ "net.ipv4.tcp_plb_enabled", "0", "not built" },
	{ "net.ipv4.tcp_pacing_ca_ratio", "*", "" },
	{ "net.ipv4.tcp_pacing_ss_ratio", "*", "" },
	{ "net.ipv4.tcp_reflect_tos", "0", "not built yet" },
	{ "net.ipv4.tcp_max_reordering", "1|2|3", "tcp_reordering never adapts" },
	{ "net.ipv4.tcp_no_metrics_save", "1", "no metrics are kept" },
	{ "net.ipv4.tcp_no_ssthresh_metrics_save", "1", "no metrics are kept" },
	{ "net.ipv4.tcp_notsent_lowat", "-1|4294967295",
	  "only the socket option TCP_NOTSENT_LOWAT" },
	{ "net.ipv4.ip_nonlocal_bind", "0", "addresses must be ours" },
	/* one way, and it is the RFC's */
	{ "net.ipv4.tcp_shrink_window", "0", "a window never shrinks (RFC 9293, SHLD-14)" },
	{ "net.ipv4.tcp_workaround_signed_windows", "0", "windows are unsigned" },
	{ "net.ipv4.tcp_stdurg", "0", "RFC 9293 settled the urgent pointer" },
	{ "net.ipv4.tcp_app_win", "31", "no share of the window is set aside" },
	{ "net.ipv4.ip_forward", "0", "Rill is a host" },
	{ "net.ipv4.conf.*.forwarding", "0", "Rill is a host" },
	{ "net.ipv4.conf.*.rp_filter", "0", "sources are not checked by route" },
	{ "net.ipv4.conf.*.accept_local", "0", "own addresses are no source" },
	{ "net.ipv6.conf.*.forwarding", "0", "Rill is a host" },
	{ "net.ipv6.conf.*.disable_ipv6", "0", "IPv6 is always there" },
	{ "net.ipv6.conf.*.accept_dad", "*", "" },
	{ "net.ipv6.auto_flowlabels", "0", "flow labels are 0" },
	/* nothing of it shows on the wire or in a call here */
	{ "net.ipv4.tcp_fack", "*", "" },
	{ "net.ipv4.tcp_low_latency", "*", "" },
	{ "net.ipv4.tcp_adv_win_scale", "*", "" },
	{ "net.ipv4.tcp_min_tso_segs", "*", "" },
	{ "net.ipv4.tcp_tso_rtt_log", "*", "" },
	{ "net.ipv4.tcp_tso_win_divisor", "*", "" },
	{ "net.ipv4.tcp_limit_output_bytes", "*", "" },
	{ "net.ipv4.tcp_backlog_ack_defer", "*", "" },
	{ "net.ipv4.tcp_early_demux", "*", "" },
	{ "net.ipv4.udp_early_demux", "*", "" },
	{ "net.ipv4.ip_early_demux", "*", "" },
	{ "net.ipv4.ip_unprivileged_port_start", "*", "" },
	{ "net.ipv4.ping_group_range", "*", "" },
	{ "net.core.optmem_max", "*", "" },
	{ "net.core.default_qdisc", "pfifo|pfifo_fast|noqueue", "packets leave at once" },
	{ "net.mptcp.enabled", "*", "" },
};

static const struct fixed *find_fixed(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(fixed); i++)
		if (!fnmatch(fixed[i].name, name, 0))
			return &fixed[i];
	return NULL;
}

static bool is_among(const char *values, const char *v)
{
	size_t n = strlen(v);

	if (!strcmp(values, "*"))
		return true;
	for (const char *p = values; p; p = strchr(p, '|') ? strchr(p, '|') + 1 : NULL)
		if (!strncmp(p, v, n) && (!p[n] || p[n] == '|'))
			return n != 0;
	return false;
}

/* One blank between the numbers, and hexadecimal ones as decimal, as /proc takes them. */
static int normal(const char *value, char out[VALUE_MAX])
{
	size_t len = 0;
	const char *p = value;

	while (*(p += strspn(p, " \t\n"))) {
		size_t n = strcspn(p, " \t\n");
		char *end;
		long long v = strtoll(p, &end, 16);
		bool hex = p[0] == '0' && (p[1] | 0x20) == 'x' && end == p + n;
		int k;

		if (len + n + 24 > VALUE_MAX)
			return -1;
		if (len)
			out[len++] = ' ';
		k = hex ? snprintf(out + len, 24, "%lld", v)
			: snprintf(out + len, n + 1, "%.*s", (int)n, p);
		len += (size_t)k;
		p += n;
	}
	out[len] = 0;
	return 0;
}

static const struct rill_sysctl_desc *describe(const char *name)
{
	const struct rill_sysctl_desc *d;

	for (unsigned i = 0; (d = rill_sysctl_desc(i)); i++)
		if (!strcmp(d->name, name))
			return d;
	return NULL;
}

static int not_supported(struct drill_run *r, const struct drill_wish *w, const char *why)
{
	if (w->lenient)
		return 0;
	return rl_drill_skip(r, "%s=%s is not supported: %s", w->name, w->value, why);
}

/* Rill has the tunable and refuses the value. */
static int refused_value(struct drill_run *r, const struct drill_wish *w, const char *name,
			 int err)
{
	const struct rill_sysctl_desc *d = describe(name);
	char why[80];

	if (err == -ERANGE && d) {
		snprintf(why, sizeof(why), "%s takes %ld to %ld", name, (long)d->min,
			 (long)d->max);
		return not_supported(r, w, why);
	}
	if (!strcmp(name, "net.ipv4.tcp_congestion_control"))
		return not_supported(r, w, "Rill has reno");
	if (w->lenient)
		return 0;
	return rl_drill_fail(r, "%s=%s: %s", w->name, w->value,
			     err == -EROFS ? "read only" : "no value of it");
}

/* ---- what a script needs can also be seen in its packets ---- */

static bool any_packet(const struct drill_run *r, bool (*is)(const struct drill_packet *))
{
	for (const struct drill_event *e = r->script ? r->script->events : NULL; e; e = e->next)
		if (e->kind == DRILL_PACKET && e->packet->proto == DRILL_TCP && is(e->packet))
			return true;
	return false;
}

static bool is_ecn(const struct drill_packet *k)
{
	return (k->tcp.flags & (DRILL_ECE | DRILL_CWR | DRILL_AE)) || k->tcp.has_ace ||
	       (k->ip.ecn && k->ip.ecn != DRILL_NOECN);
}

static bool is_fast_open(const struct drill_packet *k)
{
	for (const struct drill_opt *o = k->tcp.opts; o; o = o->next)
		if (o->kind == DRILL_OPT_FO || o->kind == DRILL_OPT_FOEXP)
			return true;
	return false;
}

/* Speak ECN when asked to: the default on Linux and FreeBSD, which many scripts restate. */
static bool is_idle_ecn(const struct drill_run *r, const char *name, const char *value)
{
	return !strcmp(name, "net.ipv4.tcp_ecn") && !strcmp(value, "2") &&
	       !any_packet(r, is_ecn);
}

int rl_drill_tunable_linux(struct drill_run *r, const struct drill_wish *w,
			   const char *name, const char *value)
{
	const struct fixed *f = find_fixed(name);
	char v[VALUE_MAX];
	int err;

	if (normal(value, v) < 0)
		return rl_drill_fail(r, "%s: value too long", w->name);
	err = rill_sysctl_set(rl_drill_world_stack(r->w), name, v);
	if (err == 0)
		return 0;
	if (err != -ENOENT && err != -EOPNOTSUPP)
		return refused_value(r, w, name, err);
	if (f && (is_among(f->values, v) || is_idle_ecn(r, name, v)))
		return 0;
	if (f)
		return not_supported(r, w, f->why);
	if (rill_sysctl_refusal(name))
		return not_supported(r, w, rill_sysctl_refusal(name));
	return not_supported(r, w, "Rill doesn't know it");
}

static bool is_bsd(const char *name)
{
	static const char *const roots[] = { "net.inet.", "net.inet6.", "kern.", "net.isr." };

	for (size_t i = 0; i < ARRAY_LEN(roots); i++)
		if (!strncmp(name, roots[i], strlen(roots[i])))
			return true;
	return false;
}

int rl_drill_tunable_set(struct drill_run *r, const char *name, const char *value)
{
	struct drill_wish w = { .name = name, .value = value };

	if (is_bsd(name))
		return rl_drill_tunable_bsd(r, &w);
	return rl_drill_tunable_linux(r, &w, name, value);
}

int rl_drill_tunable_read(struct drill_run *r, const char *name)
{
	if (describe(name) || find_fixed(name) || rill_sysctl_refusal(name) ||
	    rl_drill_tunable_bsd_knows(name))
		return 0;
	return rl_drill_skip(r, "reading %s is not supported: Rill doesn't know it", name);
}

/*
 * Section 14 of the language.  What Rill hasn't got (yet) is passed over: a script
 * that depends on it fails at the packet, one that doesn't should not be skipped.
 * Fast Open, which they switch on for every listener, shows in the script's options.
 */
int rl_drill_tunable_defaults(struct drill_run *r)
{
	static const struct { const char *name, *value; } defaults[] = {
		{ "net.ipv4.tcp_rmem", "4096 540000 15728640" },
		{ "net.ipv4.tcp_wmem", "4096 262144 4194304" },
		{ "net.ipv4.tcp_timestamps", "1" },
		{ "net.ipv4.tcp_syn_retries", "5" },
		{ "net.ipv4.tcp_synack_retries", "5" },
		{ "net.ipv4.tcp_sack", "1" },
		{ "net.ipv4.tcp_dsack", "1" },
		{ "net.ipv4.tcp_reordering", "3" },
		{ "net.ipv4.tcp_congestion_control", "cubic" },
		{ "net.ipv4.tcp_slow_start_after_idle", "0" },
		{ "net.ipv4.tcp_early_retrans", "4" },
		{ "net.ipv4.tcp_recovery", "1" },
		{ "net.ipv4.tcp_frto", "2" },
		{ "net.ipv4.tcp_ecn", "0" },
		{ "net.ipv4.tcp_ecn_option", "2" },
		{ "net.ipv4.tcp_notsent_lowat", "4294967295" },
		{ "net.ipv4.tcp_fastopen", "0x70403" },
		{ "net.ipv4.tcp_fastopen_key", "a1a1a1a1-b2b2b2b2-c3c3c3c3-d4d4d4d4" },
		{ "net.ipv4.tcp_syncookies", "1" },
	};

	for (size_t i = 0; i < ARRAY_LEN(defaults); i++) {
		struct drill_wish w = { defaults[i].name, defaults[i].value, true };

		if (rl_drill_tunable_linux(r, &w, w.name, w.value) < 0)
			return -1;
	}
	if (any_packet(r, is_fast_open))
		return rl_drill_skip(r, "Fast Open is not built yet");
	return 0;
}
