/* SPDX-License-Identifier: MIT */
/*
 * ICMP [RFC792] and ICMPv6 [RFC4443] received.
 *
 * An error is believed only as far as its quote goes: the quoted packet must be
 * from us, and the transport must recognise it (rl_proto.icmp), before anything
 * changes [RFC5927:4.1].  Hard and soft are told apart here, as RFC 9293 3.9.2.2
 * has them; where it is silent, as Linux has them.
 *
 * Deliberately not listened to: redirects and router advertisements (a stack is
 * configured by its owner), source quench [RFC9293:MUST-55] [RFC5927-04]
 * [RFC6633-02], timestamp and information requests [RFC1122-25].
 */
#include <errno.h>

#include "ip/ip_int.h"
#include "wire/cksum.h"

#define QUOTE_MAX	1280	/* bytes of a message that are looked at */

static void bad(struct rill_stack *st, struct rill_pkt *p, enum rl_drop why)
{
	RL_CTR(st, icmp_in_errors);
	rl_drop_pkt(st, p, why);
}

/* ---- what an error means ---- */

struct meaning {
	uint8_t	kind;		/* enum rl_icmp_kind */
	int	err;
};

/* Destination unreachable by code; hard ones by MUST-56, SHLD-26 and Linux. */
static const struct meaning unreach4[] = {
	{ RL_ICMP_SOFT, ENETUNREACH },	{ RL_ICMP_SOFT, EHOSTUNREACH },
	{ RL_ICMP_HARD, ENOPROTOOPT },	{ RL_ICMP_HARD, ECONNREFUSED },
	{ RL_ICMP_TOO_BIG, EMSGSIZE },	{ RL_ICMP_SOFT, EOPNOTSUPP },
	{ RL_ICMP_HARD, ENETUNREACH },	{ RL_ICMP_HARD, EHOSTUNREACH },
	{ RL_ICMP_HARD, EHOSTUNREACH },	{ RL_ICMP_HARD, ENETUNREACH },
	{ RL_ICMP_HARD, EHOSTUNREACH },	{ RL_ICMP_SOFT, ENETUNREACH },
	{ RL_ICMP_SOFT, EHOSTUNREACH },	{ RL_ICMP_HARD, EHOSTUNREACH },
	{ RL_ICMP_HARD, EHOSTUNREACH },	{ RL_ICMP_HARD, EHOSTUNREACH },
};

static const struct meaning unreach6[] = {
	{ RL_ICMP_SOFT, ENETUNREACH },	{ RL_ICMP_HARD, EACCES },
	{ RL_ICMP_SOFT, EHOSTUNREACH },	{ RL_ICMP_SOFT, EHOSTUNREACH },
	{ RL_ICMP_HARD, ECONNREFUSED },	{ RL_ICMP_HARD, EACCES },
	{ RL_ICMP_HARD, EACCES },
};

static struct meaning by_code(const struct meaning *t, size_t n, uint8_t code)
{
	return code < n ? t[code] : (struct meaning){ RL_ICMP_SOFT, EHOSTUNREACH };
}

/* [RFC9293:MUST-56] [RFC1122-17] [RFC1122-21] [RFC1122-22] */
static struct meaning meaning4(uint8_t type, uint8_t code)
{
	if (type == ICMP4_UNREACH)
		return by_code(unreach4, ARRAY_LEN(unreach4), code);
	if (type == ICMP4_PARAM)
		return (struct meaning){ RL_ICMP_SOFT, EPROTO };
	return (struct meaning){ RL_ICMP_SOFT, EHOSTUNREACH };
}

/* Unknown errors go up as soft ones [RFC4443-01]. */
static struct meaning meaning6(uint8_t type, uint8_t code)
{
	if (type == ICMP6_UNREACH)
		return by_code(unreach6, ARRAY_LEN(unreach6), code);
	if (type == ICMP6_TOO_BIG)
		return (struct meaning){ RL_ICMP_TOO_BIG, EMSGSIZE };
	if (type == ICMP6_TIME_EXCEEDED)
		return (struct meaning){ RL_ICMP_SOFT, EHOSTUNREACH };
	return (struct meaning){ RL_ICMP_SOFT, EPROTO };
}

/* ---- the quoted packet ---- */

/* What of the quote e does not hold. */
struct quoted {
	uint32_t	total;		/* its length as it was sent, headers and all */
	bool		first;		/* the transport header is there */
};

static uint32_t quoted4(struct rl_icmp_err *e, struct quoted *q, const uint8_t *p, uint32_t n)
{
	struct ipv4_hdr h;

	if (rl_ipv4_parse(&h, p, n))
		return 0;
	e->src = h.src;
	e->dst = h.dst;
	e->proto = h.proto;
	q->total = h.total_len;
	q->first = h.frag_off == 0;
	return h.hdr_len;
}

/* We send no extension headers but the fragment header. */
static uint32_t quoted6(struct rl_icmp_err *e, struct quoted *q, const uint8_t *p, uint32_t n)
{
	uint32_t hdr_len = IPV6_HDR_LEN;
	struct ipv6_frag f;
	struct ipv6_hdr h;

	if (rl_ipv6_parse(&h, p, n))
		return 0;
	e->src = h.src;
	e->dst = h.dst;
	e->proto = h.next;
	q->total = h.payload_len + hdr_len;
	q->first = true;
	if (h.next == RL_PROTO_FRAGMENT && n >= hdr_len + IPV6_FRAG_LEN) {
		rl_ipv6_frag_parse(&f, p + hdr_len);
		hdr_len += IPV6_FRAG_LEN;
		e->proto = f.next;
		q->first = f.off == 0;
	}
	return hdr_len;
}

static bool tell_transport(struct rill_stack *st, const struct rl_icmp_err *e)
{
	const struct rl_proto *proto = NULL;

	if (e->proto == RL_PROTO_TCP)
		proto = &st->tcp_proto;
	else if (e->proto == RL_PROTO_UDP)
		proto = &st->udp_proto;
	else if (e->proto == (rl_ip_is4(&e->dst) ? RL_PROTO_ICMP : RL_PROTO_ICMP6))
		proto = &st->ping_proto;
	return proto && proto->icmp && proto->icmp(st, e);
}

static void too_big(struct rill_stack *st, const struct rl_icmp_err *e, uint32_t total)
{
	uint32_t mtu = e->mtu;

	if (rl_ip_is4(&e->dst) && RL_CFG(st, ip_no_pmtu_disc))
		return;
	if (!mtu && rl_ip_is4(&e->dst))
		mtu = rl_pmtu_plateau(total);		/* [RFC1191-01] */
	rl_pmtu_lower(st, &e->dst, mtu);
}

/* @e has type, code, kind, err, mtu; @p: ICMP header first, linear. */
static enum rl_drop error_in(struct rill_stack *st, const struct rill_pkt *p,
			     struct rl_icmp_err *e)
{
	const uint8_t *inner = p->data + ICMP_HDR_LEN;
	uint32_t n = p->len - ICMP_HDR_LEN, hdr_len;
	struct quoted q;

	hdr_len = rl_ip_is4(&p->dst) ? quoted4(e, &q, inner, n) : quoted6(e, &q, inner, n);
	if (!hdr_len || n < hdr_len + 8)
		return RL_DROP_ICMP_SHORT;
	e->from = p->src;
	e->quote = inner + hdr_len;
	e->quote_len = n - hdr_len; /* [RFC4884-01] */
	if (!q.first || !rl_ip_is_ours(st, &e->src) || !tell_transport(st, e))
		return RL_DROP_ICMP_NO_MATCH;		/* [RFC8201-02] */
	if (e->kind == RL_ICMP_TOO_BIG)
		too_big(st, e, q.total);
	return RL_DROP_NONE;
}

static void error_input(struct rill_stack *st, struct rill_pkt *p, struct rl_icmp_err *e)
{
	enum rl_drop why = error_in(st, p, e);

	if (why == RL_DROP_ICMP_SHORT)
		bad(st, p, why);
	else if (why)
		rl_drop_pkt(st, p, why);
	else
		rl_pkt_free(&st->bufs, p);
}

static void count_error(struct rill_stack *st, uint8_t kind, bool unreach, bool time)
{
	if (kind == RL_ICMP_TOO_BIG)
		RL_CTR(st, icmp_in_too_bigs);
	if (unreach)
		RL_CTR(st, icmp_in_dest_unreachs);
	else if (time)
		RL_CTR(st, icmp_in_time_excds);
	else if (kind != RL_ICMP_TOO_BIG)
		RL_CTR(st, icmp_in_parm_probs);
}

/* ---- both families ---- */

/* Whole and intact; the header ends up in @h. */
static enum rl_drop check(struct rill_stack *st, struct rill_pkt *p, struct icmp_hdr *h)
{
	uint32_t len = rl_pkt_len(p);
	uint64_t sum = 0;

	if (rl_pkt_pullup(&st->bufs, p, RL_MIN(len, (uint32_t)QUOTE_MAX)))
		return RL_DROP_NO_MEMORY;
	if (rl_icmp_parse(h, p->data, p->len))
		return RL_DROP_ICMP_SHORT;
	if (p->flags & RL_PKT_CSUM_OK)
		return RL_DROP_NONE;
	if (!rl_ip_is4(&p->dst))
		sum = rl_sum_pseudo(&p->src, &p->dst, RL_PROTO_ICMP6, len);
	sum = rl_sum_fold(sum);
	sum += rl_sum_fold(rl_pkt_sum(p, 0, len));
	return rl_sum_finish(sum) ? RL_DROP_ICMP_CSUM : RL_DROP_NONE; /* [RFC792-01] */
}

static void echo(struct rill_stack *st, struct rill_pkt *p, bool ignore)
{
	RL_CTR(st, icmp_in_echos);
	if (ignore)
		rl_drop_pkt(st, p, RL_DROP_ICMP_ECHO_OFF);
	else
		rl_icmp_echo_reply(st, p);
}

static void echo_answer(struct rill_stack *st, struct rill_pkt *p)
{
	RL_CTR(st, icmp_in_echo_reps);
	if (st->ping_proto.input && p->len >= ICMP_HDR_LEN)
		st->ping_proto.input(st, p);
	else
		rl_drop_pkt(st, p, RL_DROP_ICMP_NO_MATCH);
}

/* ---- ICMP ---- */

static void error4(struct rill_stack *st, struct rill_pkt *p, const struct icmp_hdr *h)
{
	struct meaning m = meaning4(h->type, h->code);
	struct rl_icmp_err e = { .type = h->type, .code = h->code, .kind = m.kind,
				 .err = m.err };

	if (m.kind == RL_ICMP_TOO_BIG)
		e.mtu = h->rest & 0xffff;
	count_error(st, m.kind, h->type == ICMP4_UNREACH, h->type == ICMP4_TIME_EXCEEDED);
	error_input(st, p, &e);
}

static bool ignore_echo4(const struct rill_stack *st, const struct rill_pkt *p)
{
	if (RL_CFG(st, icmp_echo_ignore_all))
		return true;
	return (p->flags & (RL_PKT_IP_BCAST | RL_PKT_IP_MCAST)) &&	/* [RFC1122-24] */
	       RL_CFG(st, icmp_echo_ignore_broadcasts);
}

void rl_icmp4_input(struct rill_stack *st, struct rl_netif *nif, struct rill_pkt *p)
{
	struct icmp_hdr h;
	enum rl_drop why = check(st, p, &h);

	(void)nif;
	RL_CTR(st, icmp_in_msgs);
	if (why) {
		bad(st, p, why);
		return;
	}
	switch (h.type) {
	case ICMP4_ECHO:
		echo(st, p, ignore_echo4(st, p));
		return;
	case ICMP4_ECHO_REPLY:
		echo_answer(st, p);
		return;
	case ICMP4_UNREACH:
	case ICMP4_TIME_EXCEEDED:
	case ICMP4_PARAM:
		error4(st, p, &h);
		return;
	case ICMP4_REDIRECT:
		RL_CTR(st, icmp_in_redirects);
		break;
	}
	rl_drop_pkt(st, p, RL_DROP_ICMP_TYPE);		/* [RFC1122-13] [RFC6918-01] */
}

/* ---- ICMPv6 ---- */

static void error6(struct rill_stack *st, struct rill_pkt *p, const struct icmp_hdr *h)
{
	struct meaning m = meaning6(h->type, h->code);
	struct rl_icmp_err e = { .type = h->type, .code = h->code, .kind = m.kind,
				 .err = m.err };

	if (m.kind == RL_ICMP_TOO_BIG)
		e.mtu = h->rest;
	count_error(st, m.kind, h->type == ICMP6_UNREACH, h->type == ICMP6_TIME_EXCEEDED);
	error_input(st, p, &e);
}

static void info6(struct rill_stack *st, struct rl_netif *nif, struct rill_pkt *p,
		  uint8_t type)
{
	switch (type) {
	case ICMP6_ECHO:
		echo(st, p, RL_CFG(st, icmp6_echo_ignore_all));
		return;
	case ICMP6_ECHO_REPLY:
		echo_answer(st, p);
		return;
	case ICMP6_NS:
	case ICMP6_NA:
		rl_nd_input(st, nif, p);
		return;
	case ICMP6_MLD_QUERY:
	case ICMP6_MLD_REPORT:
	case ICMP6_MLD_DONE:
		rl_mld_input(st, nif, p);
		return;
	case ICMP6_REDIRECT:
		RL_CTR(st, icmp_in_redirects);
		break;
	}
	rl_drop_pkt(st, p, RL_DROP_ICMP_TYPE);		/* [RFC4443-01] */
}

void rl_icmp6_input(struct rill_stack *st, struct rl_netif *nif, struct rill_pkt *p)
{
	struct icmp_hdr h;
	enum rl_drop why = check(st, p, &h);

	RL_CTR(st, icmp_in_msgs);
	if (why)
		bad(st, p, why);
	else if (h.type < ICMP6_FIRST_INFO)
		error6(st, p, &h);
	else
		info6(st, nif, p, h.type);
}
