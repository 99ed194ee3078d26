/* SPDX-License-Identifier: MIT */
/*
 * Tunables by name: the list of config.def, two that are no numbers, and why
 * some of Linux's are not here.
 */
#include <errno.h>

#include "rill/config.h"
#include "stack/config.h"
#include "tcp/cc.h"

struct desc {
	struct rill_sysctl_desc pub;
	size_t offset;
};

static const struct desc descs[] = {
#define CFG(name, field, count, min, max, dflt, unit, help) \
	{ { name, count, min, max, dflt, unit, help }, offsetof(struct rl_config, field) },
#include "stack/config.def"
#undef CFG
};

static const struct rill_sysctl_desc special[] = {
	{ "net.ipv4.ip_local_reserved_ports", 0, 0, 65535, "", "ports",
	  "ports and ranges never chosen by themselves, as 8080,9000-9010" },
	{ "net.ipv4.tcp_available_congestion_control", 0, 0, 0, "reno", "names",
	  "congestion controllers there are (read only)" },
	{ "net.ipv4.tcp_congestion_control", 0, 0, 0, "reno", "name",
	  "congestion controller of new connections (Linux: cubic)" },
};
enum { RESERVED_PORTS, AVAILABLE_CC, CONGESTION };

const struct rill_sysctl_desc *rill_sysctl_desc(unsigned i)
{
	if (i < ARRAY_LEN(descs))
		return &descs[i].pub;
	i -= ARRAY_LEN(descs);
	return i < ARRAY_LEN(special) ? &special[i] : NULL;
}

const char *rill_sysctl_refusal(const char *name)
{
	static const struct { const char *name, *why; } refused[] = {
		{ "net.ipv4.tcp_tw_recycle",
		  "it drops peers behind the same NAT; Linux removed it in 4.12" },
		{ "net.ipv4.tcp_tw_reuse",
		  "not built yet; a wider ip_local_port_range helps now" },
		{ "net.ipv4.tcp_syncookies", "not built yet; raise tcp_max_syn_backlog" },
		{ "net.ipv4.tcp_fastopen", "not built yet" },
		{ "net.ipv4.tcp_ecn", "not built yet" },
		{ "net.ipv4.tcp_recovery", "not built yet: recovery is NewReno with SACK" },
		{ "net.ipv4.tcp_early_retrans", "not built yet: no tail loss probe" },
		{ "net.ipv4.tcp_frto", "not built yet" },
		{ "net.ipv4.tcp_mtu_probing", "not built yet: path MTU discovery by ICMP" },
		{ "net.ipv4.tcp_syn_linear_timeouts", "timeouts double from the first" },
		{ "net.ipv4.tcp_shrink_window", "a window never shrinks (RFC 9293, SHLD-14)" },
		{ "net.ipv4.tcp_workaround_signed_windows",
		  "windows are unsigned (RFC 9293, MUST-1)" },
		{ "net.ipv4.tcp_stdurg", "RFC 9293 settled the urgent pointer" },
		{ "net.ipv4.tcp_mem", "memory has one limit, given when the stack starts" },
		{ "net.ipv4.udp_mem", "memory has one limit, given when the stack starts" },
		{ "net.ipv4.ip_forward", "Rill is a host, not a router (RFC 1122, 3.1)" },
		{ "net.ipv4.tcp_fack", "obsolete, without effect on Linux too" },
		{ "net.ipv4.tcp_low_latency", "obsolete, without effect on Linux too" },
		{ "net.ipv4.tcp_adv_win_scale", "obsolete, without effect on Linux too" },
	};

	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		if (rl_streq(refused[i].name, name))
			return refused[i].why;
	return NULL;
}

static const struct desc *find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(descs); i++)
		if (rl_streq(descs[i].pub.name, name))
			return &descs[i];
	return NULL;
}

static const char *skip_blanks(const char *s)
{
	while (*s == ' ' || *s == '\t' || *s == '\n')
		s++;
	return s;
}

/* A decimal number; NULL when there is none or it is absurd. */
static const char *number(const char *s, int64_t *v)
{
	bool minus = *s == '-';
	const char *p = s + minus;

	*v = 0;
	if (*p < '0' || *p > '9')
		return NULL;
	for (; *p >= '0' && *p <= '9'; p++) {
		*v = *v * 10 + (*p - '0');
		if (*v > INT64_C(1) << 40)
			return NULL;
	}
	if (minus)
		*v = -*v;
	return p;
}

static int parse_list(const struct rill_sysctl_desc *d, const char *s, int32_t *out)
{
	for (int i = 0; i < d->count; i++) {
		int64_t v;

		s = number(skip_blanks(s), &v);
		if (!s)
			return -EINVAL;
		if (v < d->min || v > d->max)
			return -ERANGE;
		out[i] = (int32_t)v;
	}
	return *skip_blanks(s) ? -EINVAL : 0;
}

static int parse_ports(uint64_t bits[1024], const char *s)
{
	uint64_t new_bits[1024] = { 0 };

	s = skip_blanks(s);
	while (*s) {
		int64_t a, b;

		s = number(s, &a);
		if (!s)
			return -EINVAL;
		b = a;
		if (*s == '-' && !(s = number(s + 1, &b)))
			return -EINVAL;
		if (a < 0 || b > 65535 || a > b)
			return -ERANGE;
		for (int64_t p = a; p <= b; p++)
			new_bits[p / 64] |= UINT64_C(1) << (p % 64);
		s = skip_blanks(s);
		if (*s == ',')
			s = skip_blanks(s + 1);
		else if (*s)
			return -EINVAL;
	}
	memcpy(bits, new_bits, sizeof(new_bits));
	return 0;
}

static int set_special(struct rl_config *c, const char *name, const char *value)
{
	const struct cc_ops *cc;

	if (rl_streq(name, special[RESERVED_PORTS].name))
		return parse_ports(c->reserved_ports, value);
	if (rl_streq(name, special[AVAILABLE_CC].name))
		return -EROFS;
	if (!rl_streq(name, special[CONGESTION].name))
		return rill_sysctl_refusal(name) ? -EOPNOTSUPP : -ENOENT;
	cc = rl_cc_find(value);
	if (!cc)
		return -EINVAL;
	c->tcp_cc = cc;
	return 0;
}

int rl_config_set(struct rl_config *c, const char *name, const char *value)
{
	const struct desc *d = find(name);
	int32_t v[3];
	int err;

	if (!d)
		return set_special(c, name, value);
	err = parse_list(&d->pub, value, v);
	if (err < 0)
		return err;
	for (int i = 1; i < d->pub.count; i++)	/* lists rise */
		if (v[i] < v[i - 1])
			return -EINVAL;
	memcpy((char *)c + d->offset, v, (size_t)d->pub.count * sizeof(v[0]));
	return 0;
}

/* ---- to text, without stdio ---- */

struct text { char *p; size_t n, len; };

static void put_char(struct text *t, char ch)
{
	if (t->len + 1 < t->n)
		t->p[t->len] = ch;
	t->len++;
}

static void put_str(struct text *t, const char *s)
{
	while (*s)
		put_char(t, *s++);
}

static void put_num(struct text *t, int32_t v)
{
	char digits[12];
	int n = 0;
	int64_t u = v;

	if (u < 0) {
		put_char(t, '-');
		u = -u;
	}
	do
		digits[n++] = (char)('0' + u % 10);
	while (u /= 10);
	while (n)
		put_char(t, digits[--n]);
}

static void put_ports(struct text *t, const uint64_t *bits)
{
	for (int p = 0, first = 1; p < 65536; p++) {
		int end = p;

		if (!(bits[p / 64] >> (p % 64) & 1))
			continue;
		while (end < 65535 && (bits[(end + 1) / 64] >> ((end + 1) % 64) & 1))
			end++;
		if (!first)
			put_char(t, ',');
		first = 0;
		put_num(t, p);
		if (end > p) {
			put_char(t, '-');
			put_num(t, end);
		}
		p = end;
	}
}

static int get_special(const struct rl_config *c, const char *name, struct text *t)
{
	if (rl_streq(name, special[RESERVED_PORTS].name)) {
		put_ports(t, c->reserved_ports);
	} else if (rl_streq(name, special[CONGESTION].name)) {
		put_str(t, c->tcp_cc->name);
	} else if (rl_streq(name, special[AVAILABLE_CC].name)) {
		for (unsigned i = 0; rl_cc_at(i); i++) {
			if (i)
				put_char(t, ' ');
			put_str(t, rl_cc_at(i)->name);
		}
	} else {
		return rill_sysctl_refusal(name) ? -EOPNOTSUPP : -ENOENT;
	}
	return 0;
}

int rl_config_get(const struct rl_config *c, const char *name, char *buf, size_t n)
{
	struct text t = { buf, n, 0 };
	const struct desc *d = find(name);
	int err = 0;

	if (!n)
		return -EINVAL;
	if (!d) {
		err = get_special(c, name, &t);
	} else {
		int32_t v[3];

		memcpy(v, (const char *)c + d->offset,
		       (size_t)d->pub.count * sizeof(v[0]));
		for (int i = 0; i < d->pub.count; i++) {
			if (i)
				put_char(&t, ' ');
			put_num(&t, v[i]);
		}
	}
	buf[RL_MIN(t.len, n - 1)] = 0;
	return err;
}

void rl_config_init(struct rl_config *c)
{
	for (size_t i = 0; i < ARRAY_LEN(descs); i++) {
		int32_t v[3] = { 0 };

		parse_list(&descs[i].pub, descs[i].pub.dflt, v);
		memcpy((char *)c + descs[i].offset, v,
		       (size_t)descs[i].pub.count * sizeof(v[0]));
	}
	c->tcp_cc = &rl_cc_reno;
}
