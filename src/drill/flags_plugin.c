// SPDX-License-Identifier: MIT
/*
 * The text of the tool's --so_flags: items separated by commas.
 *
 *	local=ADDR/LEN	address of the stack; once for IPv4, once for IPv6
 *	mtu=N		of its interface (1500)
 *	mss=N		the tool's --mss: what comes in is one packet in the script, but
 *			arrives as a super-segment of pieces of N bytes
 *	seed=N		of all random numbers (1)
 *	patience=S	virtual seconds after which a packet that does not leave is
 *			given up (10800)
 *	pcap=FILE	write all packets there
 *	sysctl:NAME=V	a tunable, Linux's name; commas are no part of values
 *
 * Without `local` the stack has 192.168.0.1/16 and, if the MTU allows IPv6,
 * fd3d:fa7b:d17d::1/48.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/types.h"
#include "drill/plugin.h"

#define IPV6_MTU_MIN	1280		/* RFC 8200 section 5 */
#define PATIENCE_S	10800		/* beyond a keepalive's two hours */

static int complain(char *why, size_t n, const char *item, const char *what)
{
	snprintf(why, n, "--so_flags: %s: %s", item, what);
	return -EINVAL;
}

static bool number(const char *s, uint64_t min, uint64_t max, uint64_t *out)
{
	char *end;

	if (*s < '0' || *s > '9')
		return false;
	errno = 0;
	*out = strtoull(s, &end, 0);
	return !*end && !errno && *out >= min && *out <= max;
}

/* Cuts the text at its slash. */
static bool address(char *s, struct rill_ip *ip, unsigned *prefix)
{
	char *slash = strchr(s, '/');
	struct in_addr a4;
	uint64_t len;
	bool v4;

	if (slash)
		*slash = 0;
	v4 = inet_pton(AF_INET, s, &a4) == 1;
	if (v4)
		*ip = rl_ip4(ntohl(a4.s_addr));
	else if (inet_pton(AF_INET6, s, ip->b) != 1)
		return false;
	len = v4 ? 32 : 128;
	if (slash && !number(slash + 1, 1, len, &len))
		return false;
	*prefix = (unsigned)len;
	return true;
}

static int set_local(struct drill_plug_flags *f, char *value, char *why, size_t n)
{
	struct rill_ip ip;
	unsigned prefix;
	int i;

	if (!address(value, &ip, &prefix))
		return complain(why, n, "local", "give ADDRESS/LENGTH");
	i = !rl_ip_is4(&ip);
	if (f->par.prefix[i])
		return complain(why, n, "local", "one address a family");
	f->par.local[i] = ip;
	f->par.prefix[i] = prefix;
	return 0;
}

static int set_sysctl(struct drill_plug_flags *f, const char *name, const char *value,
		      char *why, size_t n)
{
	if (f->nsysctls == DRILL_PLUG_SYSCTLS)
		return complain(why, n, name, "too many tunables");
	f->sysctl[f->nsysctls].name = name;
	f->sysctl[f->nsysctls++].value = value;
	return 0;
}

static int set_number(struct drill_plug_flags *f, const char *key, const char *value,
		      char *why, size_t n)
{
	uint64_t v;

	if (!strcmp(key, "mtu")) {
		if (!number(value, 68, 65535, &v))
			return complain(why, n, key, "68 to 65535");
		f->par.mtu = (unsigned)v;
	} else if (!strcmp(key, "mss")) {
		if (!number(value, 0, 65535, &v))
			return complain(why, n, key, "0 to 65535");
		f->mss = (unsigned)v;
	} else if (!strcmp(key, "seed")) {
		if (!number(value, 0, UINT64_MAX, &f->par.seed))
			return complain(why, n, key, "not a number");
	} else if (!strcmp(key, "patience")) {
		if (!number(value, 0, 1000000000, &v))
			return complain(why, n, key, "0 to 1000000000 seconds");
		f->patience_ns = (int64_t)v * RL_SEC;
	} else {
		return complain(why, n, key, "unknown");
	}
	return 0;
}

static int set(struct drill_plug_flags *f, char *item, char *why, size_t n)
{
	char *value = strchr(item, '=');

	if (!value)
		return complain(why, n, item, "give NAME=VALUE");
	*value++ = 0;
	if (!strncmp(item, "sysctl:", 7))
		return set_sysctl(f, item + 7, value, why, n);
	if (!strcmp(item, "local"))
		return set_local(f, value, why, n);
	if (!strcmp(item, "pcap")) {
		f->par.pcap = value;
		return 0;
	}
	return set_number(f, item, value, why, n);
}

static void default_addrs(struct drill_plug_flags *f)
{
	if (f->par.prefix[0] || f->par.prefix[1])
		return;
	f->par.local[0] = rl_ip4(0xc0a80001);
	f->par.prefix[0] = 16;
	if (f->par.mtu < IPV6_MTU_MIN)
		return;
	inet_pton(AF_INET6, "fd3d:fa7b:d17d::1", f->par.local[1].b);
	f->par.prefix[1] = 48;
}

int rl_drill_plug_flags(const char *text, struct drill_plug_flags *f, char *why,
			size_t why_len)
{
	char *save = NULL, *item;
	int r = 0;

	*f = (struct drill_plug_flags){
		.par = { .mtu = 1500, .seed = 1, .local[0] = rl_ip4(0) },
		.patience_ns = PATIENCE_S * RL_SEC,
		.text = strdup(text ? text : ""),
	};
	if (!f->text)
		return complain(why, why_len, "text", "no memory");
	for (item = strtok_r(f->text, ",", &save); item && r == 0;
	     item = strtok_r(NULL, ",", &save))
		r = set(f, item, why, why_len);
	default_addrs(f);
	return r;
}

int rl_drill_plug_apply(const struct drill_plug_flags *f, struct rill_stack *st, char *why,
			size_t why_len)
{
	for (unsigned i = 0; i < f->nsysctls; i++) {
		int r = rill_sysctl_set(st, f->sysctl[i].name, f->sysctl[i].value);
		const char *refusal = rill_sysctl_refusal(f->sysctl[i].name);

		if (r < 0) {
			complain(why, why_len, f->sysctl[i].name,
				 r == -EOPNOTSUPP && refusal ? refusal : strerror(-r));
			return r;
		}
	}
	return 0;
}
