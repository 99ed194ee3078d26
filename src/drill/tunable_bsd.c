/* SPDX-License-Identifier: MIT */
/*
 * FreeBSD's sysctls by what they mean on Linux, with their units.  Only what means
 * the same is here; another name is refused rather than approximated.
 */
#include <stdlib.h>
#include <string.h>

#include "base/types.h"
#include "drill/tunable.h"

enum how {
	SAME,
	MS_TO_S, MS_TO_US, TWICE,
	INVERT,
	ITEM0, ITEM1, ITEM2,		/* one number of a list */
	BUFFER1, BUFFER2,		/* the same, doubled: half is overhead on Linux */
	RFC1323, TS_OFFSET, MAXSOCKBUF,	/* functions below */
	CONTROLLER,
	FIXED,				/* as tunable.c's: @to are the values, @why */
};

static const struct bsd {
	const char	*name;
	enum how	how;
	const char	*to, *why;
} table[] = {
	{ "net.inet.tcp.keepidle", MS_TO_S, "net.ipv4.tcp_keepalive_time", NULL },
	{ "net.inet.tcp.keepintvl", MS_TO_S, "net.ipv4.tcp_keepalive_intvl", NULL },
	{ "net.inet.tcp.keepcnt", SAME, "net.ipv4.tcp_keepalive_probes", NULL },
	{ "net.inet.tcp.always_keepalive", FIXED, "0", "SO_KEEPALIVE asks for it" },
	{ "net.inet.tcp.msl", TWICE, "net.rill.tcp_time_wait_ms", NULL },
	{ "net.inet.tcp.finwait2_timeout", MS_TO_S, "net.ipv4.tcp_fin_timeout", NULL },
	{ "net.inet.tcp.fast_finwait2_recycle", FIXED, "0", "FIN-WAIT-2 has one timeout" },
	{ "net.inet.tcp.maxtcptw", SAME, "net.ipv4.tcp_max_tw_buckets", NULL },
	{ "net.inet.tcp.nolocaltimewait", FIXED, "0", "TIME-WAIT is for all peers" },
	{ "net.inet.tcp.rexmit_min", MS_TO_US, "net.ipv4.tcp_rto_min_us", NULL },
	{ "net.inet.tcp.rexmit_slop", FIXED, "0", "nothing is added to the timeout" },
	{ "net.inet.tcp.rexmit_initial", FIXED, "1000", "RFC 6298 says 1 s" },
	{ "net.inet.tcp.rexmit_drop_options", FIXED, "0", "options stay in repeated SYNs" },
	{ "net.inet.tcp.delacktime", FIXED, "40", "the delay of ACKs is 40 ms" },
	{ "net.inet.tcp.delayed_ack", FIXED, "1", "ACKs are delayed" },
	{ "net.inet.tcp.rfc1323", RFC1323, NULL, NULL },
	{ "net.inet.tcp.tolerate_missing_ts", FIXED, "1", "segments without it are taken" },
	{ "net.inet.tcp.ts_offset_per_conn", TS_OFFSET, NULL, NULL },
	{ "net.inet.tcp.sack.enable", SAME, "net.ipv4.tcp_sack", NULL },
	{ "net.inet.tcp.rfc3042", FIXED, "1", "limited transmit is always on" },
	{ "net.inet.tcp.rfc6675_pipe", FIXED, "1", "the pipe is RFC 6675's" },
	{ "net.inet.tcp.initcwnd_segments", FIXED, "10", "RFC 6928 says 10" },
	{ "net.inet.tcp.mssdflt", FIXED, "536", "RFC 9293 says 536" },
	{ "net.inet.tcp.v6mssdflt", FIXED, "1220", "RFC 9293 says 1220" },
	{ "net.inet.tcp.minmss", SAME, "net.ipv4.tcp_min_snd_mss", NULL },
	{ "net.inet.tcp.path_mtu_discovery", INVERT, "net.ipv4.ip_no_pmtu_disc", NULL },
	{ "net.inet.tcp.cc.algorithm", CONTROLLER, "net.ipv4.tcp_congestion_control", NULL },
	{ "net.inet.tcp.ecn.enable", SAME, "net.ipv4.tcp_ecn", NULL },
	{ "net.inet.tcp.syncookies", SAME, "net.ipv4.tcp_syncookies", NULL },
	{ "net.inet.tcp.syncookies_only", FIXED, "0", "SYN cookies are not built yet" },
	{ "net.inet.tcp.syncache.rexmtlimit", SAME, "net.ipv4.tcp_synack_retries", NULL },
	{ "net.inet.tcp.fastopen.server_enable", FIXED, "0", "Fast Open is not built yet" },
	{ "net.inet.tcp.fastopen.client_enable", FIXED, "0", "Fast Open is not built yet" },
	{ "net.inet.tcp.blackhole", FIXED, "0", "closed ports answer" },
	{ "net.inet.tcp.drop_synfin", FIXED, "1", "a listener drops SYN with FIN" },
	{ "net.inet.tcp.insecure_rst", FIXED, "0", "RFC 5961 is always on" },
	{ "net.inet.tcp.insecure_syn", FIXED, "0", "RFC 5961 is always on" },
	{ "net.inet.tcp.insecure_ack", FIXED, "0", "RFC 5961 is always on" },
	{ "net.inet.tcp.sendspace", ITEM1, "net.ipv4.tcp_wmem", NULL },
	{ "net.inet.tcp.recvspace", BUFFER1, "net.ipv4.tcp_rmem", NULL },
	{ "net.inet.tcp.recvbuf_max", BUFFER2, "net.ipv4.tcp_rmem", NULL },
	{ "net.inet.tcp.recvbuf_auto", SAME, "net.ipv4.tcp_moderate_rcvbuf", NULL },
	{ "net.inet.tcp.sendbuf_max", ITEM2, "net.ipv4.tcp_wmem", NULL },
	{ "net.inet.tcp.functions_default", FIXED, "freebsd", "there is one TCP" },
	{ "net.inet.tcp.pmtud_blackhole_detection", FIXED, "0", "not built yet" },
	{ "net.inet.tcp.tso", FIXED, "*", "" },
	{ "net.inet.tcp.log_debug", FIXED, "*", "" },
	{ "net.inet.tcp.log_in_vain", FIXED, "*", "" },
	{ "net.inet.tcp.hostcache.enable", FIXED, "0", "no metrics are kept" },
	{ "net.inet.tcp.hostcache.expire", FIXED, "*", "" },
	{ "net.inet.tcp.hostcache.prune", FIXED, "*", "" },
	{ "net.inet.tcp.hostcache.purge", FIXED, "*", "" },
	{ "net.inet.tcp.hostcache.purgenow", FIXED, "*", "" },
	{ "net.inet.ip.ttl", SAME, "net.ipv4.ip_default_ttl", NULL },
	{ "net.inet.ip.forwarding", FIXED, "0", "Rill is a host" },
	{ "net.inet.ip.portrange.first", ITEM0, "net.ipv4.ip_local_port_range", NULL },
	{ "net.inet.ip.portrange.last", ITEM1, "net.ipv4.ip_local_port_range", NULL },
	{ "net.inet.ip.portrange.randomized", FIXED, "1", "ports are random (RFC 6056)" },
	{ "net.inet.icmp.icmplim", SAME, "net.ipv4.icmp_msgs_per_sec", NULL },
	{ "net.inet.udp.recvspace", SAME, "net.core.rmem_default", NULL },
	{ "net.inet.udp.blackhole", FIXED, "0", "closed ports answer" },
	{ "net.inet.udp.log_in_vain", FIXED, "*", "" },
	{ "net.inet.udp.checksum", FIXED, "1", "UDP has checksums" },
	{ "net.inet6.ip6.hlim", SAME, "net.ipv6.conf.all.hop_limit", NULL },
	{ "net.inet6.ip6.forwarding", FIXED, "0", "Rill is a host" },
	{ "net.inet6.ip6.auto_flowlabel", FIXED, "0", "flow labels are 0" },
	{ "kern.ipc.somaxconn", SAME, "net.core.somaxconn", NULL },
	{ "kern.ipc.soacceptqueue", SAME, "net.core.somaxconn", NULL },
	{ "kern.ipc.maxsockbuf", MAXSOCKBUF, NULL, NULL },
	{ "kern.timecounter.alloweddeviation", FIXED, "*", "" },	/* time is exact */
};

struct mapping {
	struct drill_run *r;
	const struct drill_wish *w;
	const struct bsd *b;
	int64_t		v;		/* the value, where it is a number */
};

static int set(const struct mapping *m, const char *name, int64_t v)
{
	char text[32];

	snprintf(text, sizeof(text), "%lld", (long long)v);
	return rl_drill_tunable_linux(m->r, m->w, name, text);
}

static int refuse(const struct mapping *m, const char *why)
{
	return rl_drill_skip(m->r, "%s=%s is not supported: %s", m->w->name, m->w->value, why);
}

static int in_seconds(const struct mapping *m)
{
	if (m->v % 1000)
		return refuse(m, "Rill counts whole seconds here");
	return set(m, m->b->to, m->v / 1000);
}

/* One number of a list that must rise: its neighbours give way. */
static int set_item(const struct mapping *m, int item, int64_t v)
{
	struct rill_stack *st = rl_drill_world_stack(m->r->w);
	long long n[3] = { 0 };
	char text[96];
	int count;

	if (rill_sysctl_get(st, m->b->to, text, sizeof(text)) < 0)
		return refuse(m, "Rill doesn't know it");
	count = sscanf(text, "%lld %lld %lld", &n[0], &n[1], &n[2]);
	if (item >= count)
		return refuse(m, "Rill doesn't know it");
	n[item] = v;
	for (int i = item + 1; i < count; i++)
		n[i] = RL_MAX(n[i], n[i - 1]);
	for (int i = item; i-- > 0;)
		n[i] = RL_MIN(n[i], n[i + 1]);
	if (count == 2)
		snprintf(text, sizeof(text), "%lld %lld", n[0], n[1]);
	else
		snprintf(text, sizeof(text), "%lld %lld %lld", n[0], n[1], n[2]);
	return rl_drill_tunable_linux(m->r, m->w, m->b->to, text);
}

/* 0 neither, 1 both, 2 window scaling only, 3 timestamps only. */
static int rfc1323(const struct mapping *m)
{
	if (m->v < 0 || m->v > 3)
		return rl_drill_fail(m->r, "%s=%s: no value of it", m->w->name, m->w->value);
	if (set(m, "net.ipv4.tcp_window_scaling", m->v == 1 || m->v == 2) < 0)
		return -1;
	return set(m, "net.ipv4.tcp_timestamps", m->v == 1 || m->v == 3);
}

/* Whether timestamps have an offset a connection; it doesn't turn them on. */
static int ts_offset(const struct mapping *m)
{
	char now[32] = "";

	rill_sysctl_get(rl_drill_world_stack(m->r->w), "net.ipv4.tcp_timestamps", now,
			sizeof(now));
	return strcmp(now, "0") ? set(m, "net.ipv4.tcp_timestamps", m->v ? 1 : 2) : 0;
}

static int maxsockbuf(const struct mapping *m)
{
	if (set(m, "net.core.rmem_max", m->v) < 0)
		return -1;
	return set(m, "net.core.wmem_max", m->v);
}

static int controller(const struct mapping *m)
{
	const char *name = m->w->value;

	return rl_drill_tunable_linux(m->r, m->w, m->b->to,
				      !strcmp(name, "newreno") ? "reno" : name);
}

static int check_fixed(const struct mapping *m)
{
	if (!strcmp(m->b->to, "*") || !strcmp(m->b->to, m->w->value))
		return 0;
	return refuse(m, m->b->why);
}

static int apply(const struct mapping *m)
{
	switch (m->b->how) {
	case SAME:	return set(m, m->b->to, m->v);
	case MS_TO_S:	return in_seconds(m);
	case MS_TO_US:	return set(m, m->b->to, m->v * 1000);
	case TWICE:	return set(m, m->b->to, m->v * 2);
	case INVERT:	return set(m, m->b->to, !m->v);
	case ITEM0:	return set_item(m, 0, m->v);
	case ITEM1:	return set_item(m, 1, m->v);
	case ITEM2:	return set_item(m, 2, m->v);
	case BUFFER1:	return set_item(m, 1, m->v * 2);
	case BUFFER2:	return set_item(m, 2, m->v * 2);
	case RFC1323:	return rfc1323(m);
	case TS_OFFSET:	return ts_offset(m);
	case MAXSOCKBUF: return maxsockbuf(m);
	case CONTROLLER: return controller(m);
	case FIXED:	break;
	}
	return check_fixed(m);
}

static const struct bsd *find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (!strcmp(table[i].name, name))
			return &table[i];
	return NULL;
}

bool rl_drill_tunable_bsd_knows(const char *name)
{
	return find(name) != NULL;
}

int rl_drill_tunable_bsd(struct drill_run *r, const struct drill_wish *w)
{
	struct mapping m = { .r = r, .w = w, .b = find(w->name) };
	char *end;

	if (!m.b)
		return refuse(&m, "it has no counterpart that means the same");
	m.v = strtoll(w->value, &end, 0);
	if (m.b->how != FIXED && m.b->how != CONTROLLER &&
	    (end == w->value || *end || m.v < INT32_MIN || m.v > INT32_MAX))
		return rl_drill_fail(r, "%s=%s: not a number", w->name, w->value);
	return apply(&m);
}
