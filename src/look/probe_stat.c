/* SPDX-License-Identifier: MIT */
/*
 * What many delays come to, and what one answer says in itself: its distance by
 * TTL, its ICMP code in traceroute's marks and in words.  Pure functions; called
 * by probe_run.c and by the commands.
 */
#include "look/probe.h"

#include <arpa/inet.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- delays ---- */

void probe_stat_add(struct probe_stat *s, int64_t rtt_ns)
{
	int64_t diff = rtt_ns - s->last_ns;

	if (s->recv++) {
		/* the integer form of RFC 3550's J += (|D| - J) / 16, A.8 */
		s->jitter16 += (uint64_t)(diff < 0 ? -diff : diff) - ((s->jitter16 + 8) >> 4);
	}
	if (s->recv == 1 || rtt_ns < s->min_ns)
		s->min_ns = rtt_ns;
	if (rtt_ns > s->max_ns)
		s->max_ns = rtt_ns;
	s->last_ns = rtt_ns;
	s->sum_ns += rtt_ns;
	s->sum2 += (double)rtt_ns * (double)rtt_ns;
}

int64_t probe_stat_avg_ns(const struct probe_stat *s)
{
	return s->recv ? s->sum_ns / (int64_t)s->recv : 0;
}

int64_t probe_stat_mdev_ns(const struct probe_stat *s)
{
	double n = (double)s->recv, mean, var;

	if (!s->recv)
		return 0;
	mean = (double)s->sum_ns / n;
	var = s->sum2 / n - mean * mean;
	return var > 0 ? (int64_t)llround(sqrt(var)) : 0;
}

int64_t probe_stat_jitter_ns(const struct probe_stat *s)
{
	return (int64_t)(s->jitter16 >> 4);
}

uint32_t probe_loss_ppm(const struct probe_stat *s)
{
	uint64_t known = s->lost + s->recv;

	return known ? (uint32_t)(s->lost * 1000000 / known) : 0;
}

unsigned probe_routers(unsigned ttl, unsigned *start)
{
	unsigned from = ttl <= 64 ? 64 : ttl <= 128 ? 128 : 255;

	if (start)
		*start = from;
	return from > ttl ? from - ttl : 0;
}

/* ---- what an answer says ---- */

struct saying {
	const char	*mark, *words;
};

static const struct saying unreach4[] = {
	{ "!N", "network unreachable" },	{ "!H", "host unreachable" },
	{ "!P", "protocol unreachable" },	{ "!p", "port unreachable" },
	{ "!F", "too big and must not be cut" },	{ "!S", "source route failed" },
	{ "!N", "network unknown" },		{ "!H", "host unknown" },
	{ "!I", "source isolated" },		{ "!X", "network prohibited" },
	{ "!X", "host prohibited" },		{ "!N", "network unreachable for this service" },
	{ "!H", "host unreachable for this service" },
	{ "!X", "prohibited by a filter" },	{ "!V", "precedence violation" },
	{ "!C", "precedence cutoff" },
};

static const struct saying unreach6[] = {
	{ "!N", "no route" },			{ "!X", "prohibited by a filter" },
	{ "!S", "beyond the scope of the source" },	{ "!H", "address unreachable" },
	{ "!p", "port unreachable" },		{ "!X", "source address refused by policy" },
	{ "!X", "route rejected" },
};

enum { UNREACH4 = 3, UNREACH6 = 1, TOO_BIG6 = 2 };

static const struct saying *saying(const struct probe_answer *a)
{
	static const struct saying big = { "!F", "too big" };
	const struct saying *t = a->v6 ? unreach6 : unreach4;
	size_t n = a->v6 ? sizeof(unreach6) / sizeof(*t) : sizeof(unreach4) / sizeof(*t);

	if (a->v6 && a->type == TOO_BIG6)
		return &big;
	if (a->type != (a->v6 ? UNREACH6 : UNREACH4) || a->code >= n)
		return NULL;
	return &t[a->code];
}

const char *probe_mark(const struct probe_answer *a, char buf[16])
{
	const struct saying *s = saying(a);

	buf[0] = '\0';
	if (a->what != PROBE_REFUSED)
		return buf;
	if (s && !strcmp(s->mark, "!F") && a->mtu)
		snprintf(buf, 16, "!F-%u", a->mtu);
	else if (s)
		snprintf(buf, 16, "%s", s->mark);
	else if (a->type == (a->v6 ? UNREACH6 : UNREACH4))
		snprintf(buf, 16, "!<%u>", a->code);
	else
		snprintf(buf, 16, "!<%u-%u>", a->type, a->code);
	return buf;
}

const char *probe_refusal(const struct probe_answer *a)
{
	const struct saying *s = saying(a);

	return s ? s->words : "refused by an ICMP error";
}

const char *probe_ip(const struct rill_ip *ip, char buf[PROBE_IP_TEXT])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (!memcmp(ip->b, mapped, sizeof(mapped)))
		inet_ntop(AF_INET, ip->b + 12, buf, PROBE_IP_TEXT);
	else
		inet_ntop(AF_INET6, ip->b, buf, PROBE_IP_TEXT);
	return buf;
}
