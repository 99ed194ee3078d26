/* SPDX-License-Identifier: MIT */
/*
 * Options of a script and of the command line, as text, into struct
 * drill_config: section 2.1 of the language.  options.def is the list: what is in
 * it without effect says why, what Rill can't do is refused with the reason, and a
 * name that is not in it is a mistake.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/types.h"
#include "drill/command.h"
#include "drill/run.h"

enum kind {
	BOOL,			/* without value, or 1/0, true/false */
	U16, UNSIGNED, I64,	/* within min and max */
	VERSION, LOCAL, REMOTE, GATEWAY, NETMASK, PERCENT, NON_FATAL, SCRIPTS,
	PYTHON,			/* a command whose name begins with python */
	WORD,			/* one of several, none of which changes anything */
	CHECKED,		/* a number that changes nothing here */
	NO_EFFECT,		/* any value */
	REFUSED,
};

struct option {
	const char	*name;
	enum kind	kind;
	size_t		at;		/* of the field */
	int64_t		min, max;
	const char	*value;		/* its form, for messages; WORD: all of them */
	const char	*refusal;
};

#define FIELD(f)	offsetof(struct drill_config, f)
static const struct option options[] = {
#define OPTION(name, kind, at, min, max, value, refusal, help) \
	{ #name, kind, at, min, max, value, refusal },
#include "drill/options.def"
#undef OPTION
	/* the parser has done it; on the command line they are -D and -v */
	{ "define", NO_EFFECT, 0, 0, 0, "NAME=VALUE", NULL },
	{ "verbose", BOOL, FIELD(verbose), 0, 0, NULL, NULL },
};

void rl_drill_config_init(struct drill_config *c)
{
	*c = (struct drill_config){
		.ipver = DRILL_IPV4,
		.bind_port = 8080, .connect_port = 8080,
		.mtu = 1500,
		.tolerance_us = 4000, .tolerance_percent = 12.5,
	};
}

/* ---- values ---- */

struct say {
	const struct option *o;
	const char	*value;
	char		*why;
	size_t		len;
};

static int bad(const struct say *s, const char *want)
{
	snprintf(s->why, s->len, "--%s=%s: %s", s->o->name, s->value, want);
	return -EINVAL;
}

static int whole(const struct say *s, int64_t *v)
{
	char want[80], *end;

	errno = 0;
	*v = strtoll(s->value, &end, 0);
	if (end != s->value && !*end && !errno && *v >= s->o->min && *v <= s->o->max)
		return 0;
	snprintf(want, sizeof(want), "give a whole number from %lld to %lld",
		 (long long)s->o->min, (long long)s->o->max);
	return bad(s, want);
}

static int set_bool(bool *b, const struct say *s)
{
	if (!strcmp(s->value, "1") || !strcmp(s->value, "true"))
		*b = true;
	else if (!strcmp(s->value, "0") || !strcmp(s->value, "false"))
		*b = false;
	else
		return bad(s, "give no value, or 1 or 0");
	return 0;
}

static int parse_ip(const char *s, struct rill_ip *ip)
{
	*ip = (struct rill_ip){ .b = { [10] = 0xff, [11] = 0xff } };
	if (inet_pton(AF_INET, s, ip->b + 12) == 1)
		return ip->b[12] && ip->b[12] < 224 ? 0 : -EINVAL;
	if (inet_pton(AF_INET6, s, ip->b) != 1 || rl_ip_is_any(ip) || ip->b[0] == 0xff)
		return -EINVAL;
	return 0;
}

/* @prefix stays when there is no "/LEN". */
static int set_addr(const struct say *s, struct rill_ip *ip, unsigned *prefix)
{
	char text[INET6_ADDRSTRLEN], *end;
	size_t n = strcspn(s->value, "/");
	struct rill_ip a;
	unsigned long len;

	if (n >= sizeof(text))
		return bad(s, "no address");
	memcpy(text, s->value, n);
	text[n] = 0;
	if (parse_ip(text, &a) < 0)
		return bad(s, "no address that a host can have");
	if (s->value[n]) {
		len = strtoul(s->value + n + 1, &end, 10);
		if (end == s->value + n + 1 || *end || len < 1 || len > (rl_ip_is4(&a) ? 32 : 128))
			return bad(s, "no such prefix length");
		*prefix = (unsigned)len;
	}
	*ip = a;
	return 0;
}

/* "255.255.0.0" or "16". */
static int set_netmask(const struct say *s, unsigned *prefix)
{
	struct in_addr in;
	unsigned long len;
	uint32_t m;
	char *end;

	if (inet_pton(AF_INET, s->value, &in) == 1) {
		m = ntohl(in.s_addr);
		if (!m || (~m & (~m + 1)))
			return bad(s, "a mask is ones and then zeros");
		*prefix = (unsigned)__builtin_popcount(m);
		return 0;
	}
	len = strtoul(s->value, &end, 10);
	if (end == s->value || *end || len < 1 || len > 128)
		return bad(s, "give a mask or the length of a prefix");
	*prefix = (unsigned)len;
	return 0;
}

static int set_version(enum drill_ipver *v, const struct say *s)
{
	static const struct { const char *name; enum drill_ipver v; } all[] = {
		{ "ipv4", DRILL_IPV4 }, { "ipv6", DRILL_IPV6 },
		{ "ipv4-mapped-ipv6", DRILL_MAPPED }, { "ipv4_mapped_ipv6", DRILL_MAPPED },
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (!strcmp(all[i].name, s->value)) {
			*v = all[i].v;
			return 0;
		}
	return bad(s, "give ipv4, ipv6 or ipv4-mapped-ipv6");
}

static int set_percent(double *p, const struct say *s)
{
	char *end;
	double v = strtod(s->value, &end);

	if (end == s->value || *end || !isfinite(v) || v < 0 || v > 100)
		return bad(s, "give a number from 0 to 100");
	*p = v;
	return 0;
}

static int set_non_fatal(struct drill_config *c, const struct say *s)
{
	const char *p = s->value;

	for (;;) {
		size_t n = strcspn(p, ",");

		if (n == 6 && !strncmp(p, "packet", n))
			c->non_fatal_packet = true;
		else if (n == 7 && !strncmp(p, "syscall", n))
			c->non_fatal_syscall = true;
		else
			return bad(s, "give packet, syscall or packet,syscall");
		if (!p[n])
			return 0;
		p += n + 1;
	}
}

static bool is_among(const char *words, const char *w)
{
	size_t n = strlen(w);

	for (const char *p = words; n && (p = strstr(p, w)); p++)
		if ((p == words || p[-1] == '|') && (!p[n] || p[n] == '|'))
			return true;
	return false;
}

static int refuse(const struct say *s, const char *why)
{
	snprintf(s->why, s->len, "--%s=%s is not supported: %s", s->o->name, s->value, why);
	return -EOPNOTSUPP;
}

static int set_python(const struct say *s)
{
	const char *slash = strrchr(s->value, '/');

	if (!strncmp(slash ? slash + 1 : s->value, "python", 6))
		return 0;
	return refuse(s, "code is evaluated by Rill itself, as Python");
}

/* ---- one option ---- */

static int set_number(struct drill_config *c, const struct say *s)
{
	char *field = (char *)c + s->o->at;
	int64_t v;
	int r = whole(s, &v);

	if (r < 0)
		return r;
	if (s->o->kind == U16)
		*(uint16_t *)(void *)field = (uint16_t)v;
	else if (s->o->kind == UNSIGNED)
		*(unsigned *)(void *)field = (unsigned)v;
	else if (s->o->kind == I64)
		*(int64_t *)(void *)field = v;
	return 0;
}

static int set(struct drill_config *c, const struct say *s)
{
	struct rill_ip ip;
	unsigned len;
	bool b = false;
	int r;

	switch (s->o->kind) {
	case U16:
	case UNSIGNED:
	case I64:
	case CHECKED:	return set_number(c, s);
	case VERSION:	return set_version(&c->ipver, s);
	case LOCAL:	return set_addr(s, &c->local_ip, &c->local_prefix);
	case REMOTE:	return set_addr(s, &c->remote_ip, &len);
	case GATEWAY:	return set_addr(s, &ip, &len);
	case NETMASK:	return set_netmask(s, &c->local_prefix);
	case PERCENT:	return set_percent(&c->tolerance_percent, s);
	case NON_FATAL:	return set_non_fatal(c, s);
	case PYTHON:	return set_python(s);
	case SCRIPTS:
		c->init_scripts = s->value;
		return 0;
	case WORD:
		return is_among(s->o->value, s->value) ? 0 : refuse(s, s->o->refusal);
	case BOOL:
		r = set_bool(&b, s);
		if (r == 0 && s->o->at)
			*((bool *)(void *)((char *)c + s->o->at)) = b;
		return r;
	case NO_EFFECT:	return 0;
	case REFUSED:	break;
	}
	return refuse(s, s->o->refusal);
}

static bool is_flag(const struct option *o)
{
	return o->kind == BOOL || o->kind == REFUSED;
}

int rl_drill_config_set(struct drill_config *c, const char *name, const char *value,
			char *why, size_t why_len)
{
	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		struct say s = { &options[i], value, why, why_len };

		if (strcmp(options[i].name, name))
			continue;
		if (!value && !is_flag(&options[i])) {
			snprintf(why, why_len, "--%s needs a value: --%s=%s", name, name,
				 options[i].value);
			return -EINVAL;
		}
		if (!value)
			s.value = "1";
		return set(c, &s);
	}
	snprintf(why, why_len, "there is no option --%s", name);
	return -EINVAL;
}

/* ---- the end ---- */

uint64_t rl_drill_mixed(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

/* The network is fixed; the host part comes from the seed, 0 giving the first. */
static void default_local(struct drill_config *c)
{
	uint64_t x = rl_drill_mixed(c->seed);

	if (c->ipver != DRILL_IPV6) {
		c->local_ip = (struct rill_ip){ .b = { [10] = 0xff, 0xff, 192, 168, 0, 1 } };
		if (c->seed) {
			c->local_ip.b[14] = (uint8_t)x;
			c->local_ip.b[15] = (uint8_t)(1 + (x >> 8) % 254);
		}
		return;
	}
	c->local_ip = (struct rill_ip){ .b = { 0xfd, 0x3d, 0xfa, 0x7b, 0xd1, 0x7d, [15] = 1 } };
	if (!c->seed)
		return;
	for (int i = 0; i < 8; i++)
		c->local_ip.b[6 + i] = (uint8_t)(x >> (8 * i));
	c->local_ip.b[15] = (uint8_t)(1 + rl_drill_mixed(x) % 254);
}

static int check_addr(const struct drill_config *c, const char *name,
		      const struct rill_ip *ip, char *why, size_t why_len)
{
	if (rl_ip_is4(ip) == (c->ipver != DRILL_IPV6))
		return 0;
	snprintf(why, why_len, "--%s is an IPv%d address, but --ip_version is %s", name,
		 rl_ip_is4(ip) ? 4 : 6, c->ipver == DRILL_IPV6 ? "ipv6" : "ipv4");
	return -EINVAL;
}

static int check(const struct drill_config *c, char *why, size_t why_len)
{
	bool six = c->ipver == DRILL_IPV6;

	if (check_addr(c, "local_ip", &c->local_ip, why, why_len) < 0 ||
	    check_addr(c, "remote_ip", &c->remote_ip, why, why_len) < 0)
		return -EINVAL;
	if (rl_ip_eq(&c->local_ip, &c->remote_ip)) {
		snprintf(why, why_len, "--local_ip and --remote_ip are the same");
		return -EINVAL;
	}
	if (six && c->mtu < 1280) {
		snprintf(why, why_len, "--mtu=%u: IPv6 needs 1280 or more", c->mtu);
		return -EINVAL;
	}
	if (!six && c->local_prefix > 32) {
		snprintf(why, why_len, "--netmask_ip=%u: IPv4 has 32 bits", c->local_prefix);
		return -EINVAL;
	}
	return 0;
}

static int run_scripts(const struct drill_config *c, char *why, size_t why_len)
{
	char file[256];
	const char *p = c->init_scripts;

	if (p && !c->allow_shell) {
		snprintf(why, why_len, "--init_scripts=%s runs host commands: --allow-shell "
			 "allows it", p);
		return -EOPNOTSUPP;
	}
	while (p && *p && !c->dry_run) {
		size_t n = strcspn(p, ",");
		int status;

		snprintf(file, sizeof(file), "%.*s", (int)RL_MIN(n, sizeof(file)), p);
		status = rl_drill_shell(file);
		if (n >= sizeof(file) || status) {
			snprintf(why, why_len, "--init_scripts: `%s` ended with status %d",
				 file, status);
			return -EINVAL;
		}
		p += n + (p[n] == ',');
	}
	return 0;
}

int rl_drill_config_finish(struct drill_config *c, char *why, size_t why_len)
{
	bool six = c->ipver == DRILL_IPV6;

	if (rl_ip_is_any(&c->local_ip))
		default_local(c);
	if (rl_ip_is_any(&c->remote_ip) && six)
		c->remote_ip = (struct rill_ip){ .b = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 } };
	else if (rl_ip_is_any(&c->remote_ip))
		c->remote_ip = (struct rill_ip){ .b = { [10] = 0xff, 0xff, 192, 0, 2, 1 } };
	if (!c->local_prefix)
		c->local_prefix = six ? 48 : 16;
	if (check(c, why, why_len) < 0)
		return -EINVAL;
	return run_scripts(c, why, why_len);
}
