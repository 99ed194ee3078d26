/* SPDX-License-Identifier: MIT */
/*
 * ICMP [RFC792] and ICMPv6 [RFC4443] sent: echo replies, and errors with the
 * rules about what must not be answered [RFC1122:3.2.2] [RFC4443:2.4] and the
 * limits on how often: a bucket for all and a least distance for each host.
 */
#include <errno.h>

#include "ip/ip_int.h"
#include "wire/cksum.h"

#define QUOTE_MAX4	(576 - IPV4_HDR_LEN - ICMP_HDR_LEN)	/* [RFC1122-14] */
#define QUOTE_MAX6	(IPV6_MIN_MTU - IPV6_HDR_LEN - ICMP_HDR_LEN) /* [RFC4443-02] */

/* The address that was asked answers; if that is a group, one of ours. */
static int answer_from(struct rill_stack *st, const struct rill_pkt *p, struct rl_flow *f)
{
	f->dst = p->src;
	if (rl_ip_is_linklocal(&p->src) && !(p->flags & RL_PKT_LOOPED))
		f->bound_if = p->ifindex;
	if (!(p->flags & (RL_PKT_IP_BCAST | RL_PKT_IP_MCAST))) {
		f->src = p->dst;	/* [RFC1122-23] [RFC1122-32] [RFC4443-05] [RFC4443-09] */
		return 0;
	}
	return rl_ip_select_source(st, &p->src, f->bound_if, &f->src);
}

/* ---- echo ---- */

/* Only the type changes, so the checksum is mended, not computed [RFC1624:3]. */
static void turn_echo(struct rill_pkt *p, uint8_t type, const struct rl_flow *f)
{
	uint16_t old = get16(p->data), sum;
	bool same_pair = rl_ip_eq(&f->src, &p->dst);
	uint64_t total = 0;

	p->data[0] = type;
	if (!(p->flags & RL_PKT_CSUM_PARTIAL) && same_pair) {
		rl_cksum_update16(p->data + 2, old, get16(p->data));
		if (get16(p->data + 2))
			return;
	}	/* 0 may stand for either zero: a message of zeros needs 0xffff */
	put16(p->data + 2, 0);
	if (!rl_ip_is4(&f->src))
		total = rl_sum_fold(rl_sum_pseudo(&f->src, &f->dst, RL_PROTO_ICMP6,
						  rl_pkt_len(p)));
	total += rl_sum_fold(rl_pkt_sum(p, 0, rl_pkt_len(p)));
	sum = rl_sum_finish(total);
	memcpy(p->data + 2, &sum, sizeof(sum));
}

static void forget_arrival(struct rill_pkt *p)
{
	p->flags = 0;
	p->gso_size = 0;
	p->gso = RL_GSO_NONE;
	p->csum_start = p->csum_off = 0;
}

void rl_icmp_echo_reply(struct rill_stack *st, struct rill_pkt *p)
{
	bool v4 = rl_ip_is4(&p->dst);
	struct rl_flow f = {
		.proto = v4 ? RL_PROTO_ICMP : RL_PROTO_ICMP6,
		.tos = p->tos & 0xfc,
	};

	if (answer_from(st, p, &f)) {
		rl_drop_pkt(st, p, RL_DROP_NO_ROUTE);
		return;
	}
	turn_echo(p, v4 ? ICMP4_ECHO_REPLY : ICMP6_ECHO_REPLY, &f);
	forget_arrival(p);
	RL_CTR(st, icmp_out_msgs);
	RL_CTR(st, icmp_out_echo_reps);
	(void)rl_ip_output(st, p, &f);
}

/* ---- what must not be answered ---- */

static bool is_icmp_error(const struct rill_pkt *p, bool v4)
{
	const uint8_t *type = rl_pkt_l3(p) + p->l3_len;

	if (type >= p->data + p->len)
		return false;
	if (v4)
		return p->proto == RL_PROTO_ICMP &&
		       (*type == ICMP4_UNREACH || *type == ICMP4_SOURCE_QUENCH ||
			*type == ICMP4_REDIRECT || *type == ICMP4_TIME_EXCEEDED ||
			*type == ICMP4_PARAM);
	return p->proto == RL_PROTO_ICMP6 &&
	       (*type < ICMP6_FIRST_INFO || *type == ICMP6_REDIRECT);
}

/* [RFC1122-15] [RFC4443-03] */
static bool may_answer(const struct rill_pkt *p, bool v4, uint8_t type, uint8_t code)
{
	uint16_t group = RL_PKT_LINK_BCAST | RL_PKT_IP_BCAST | RL_PKT_IP_MCAST;

	if (!v4 && type == ICMP6_PARAM && code == ICMP6_PARAM_OPTION)
		group = 0;
	if ((p->flags & group) || rl_ip_is_any(&p->src) || is_icmp_error(p, v4))
		return false;
	return !v4 || !(get16(rl_pkt_l3(p) + 6) & IPV4_OFF_MASK);
}

/* ---- limits [RFC4443-04] ---- */

static void refill(struct rill_stack *st, int64_t cap)
{
	struct rl_ip_state *ip = st->ip;
	int64_t since_ns = st->now_ns - ip->icmp_refill_ns, more;

	if (since_ns > 10 * RL_SEC) {
		ip->icmp_tokens = cap;
		ip->icmp_refill_ns = st->now_ns;
		return;
	}
	more = since_ns / RL_US * RL_CFG(st, icmp_msgs_per_sec) / 1000;
	if (!more)
		return;
	ip->icmp_tokens = RL_MIN(cap, ip->icmp_tokens + more);
	ip->icmp_refill_ns = st->now_ns;
}

/*
 * A message costs 0 to 2 tokens, one on average, so that nobody can count ours
 * from outside and learn what others made us send.
 */
static bool global_limit(struct rill_stack *st)
{
	int64_t cap = INT64_C(1000) * RL_MAX(RL_CFG(st, icmp_msgs_burst), 1);

	if (!RL_CFG(st, icmp_msgs_per_sec))
		return true;
	refill(st, cap);
	if (st->ip->icmp_tokens < 1000) {
		RL_CTR(st, icmp_out_rate_global);
		return false;
	}
	st->ip->icmp_tokens -= 1000 * (int64_t)rl_rand_below(&st->rand, 3);
	st->ip->icmp_tokens = RL_MAX(st->ip->icmp_tokens, 0);
	return true;
}

/* Hosts that share a slot make each other forgotten, never silenced. */
static bool host_limit(struct rill_stack *st, const struct rill_ip *dst)
{
	uint64_t key = rl_siphash13(&st->hash_key, dst->b, sizeof(dst->b));
	struct rl_icmp_host *h = &st->ip->icmp_host[key % RL_ICMP_HOSTS];

	if (h->key == key &&
	    st->now_ns < h->last_ns + RL_CFG(st, icmp_ratelimit) * RL_MS) {
		RL_CTR(st, icmp_out_rate_host);
		return false;
	}
	h->key = key;
	h->last_ns = st->now_ns;
	return true;
}

/* ---- errors ---- */

/* The packet from its IP header on, as much as @max. */
static uint32_t quote(const struct rill_pkt *p, uint8_t *to, uint32_t max)
{
	uint32_t front = (uint32_t)(p->data - rl_pkt_l3(p));
	uint32_t n = RL_MIN(front + rl_pkt_len(p), max);
	uint32_t k = RL_MIN(front, n);

	memcpy(to, rl_pkt_l3(p), k);
	rl_pkt_copy_out(p, 0, to + k, n - k);
	return n;
}

static void set_checksum(struct rill_pkt *q, const struct rl_flow *f)
{
	uint64_t sum = 0;
	uint16_t folded;

	if (f->proto == RL_PROTO_ICMP6)
		sum = rl_sum_pseudo(&f->src, &f->dst, RL_PROTO_ICMP6, q->len);
	folded = rl_sum_finish(rl_sum(q->data, q->len, sum));
	memcpy(q->data + 2, &folded, sizeof(folded));
}

static void count_error(struct rill_stack *st, uint8_t type, bool v4)
{
	RL_CTR(st, icmp_out_msgs);
	if (type == (v4 ? (uint8_t)ICMP4_UNREACH : (uint8_t)ICMP6_UNREACH))
		RL_CTR(st, icmp_out_dest_unreachs);
	else if (type == (v4 ? (uint8_t)ICMP4_TIME_EXCEEDED : (uint8_t)ICMP6_TIME_EXCEEDED))
		RL_CTR(st, icmp_out_time_excds);
	else
		RL_CTR(st, icmp_out_parm_probs);
}

static void error_about(struct rill_stack *st, const struct rill_pkt *p, uint8_t type,
			uint8_t code, uint32_t rest)
{
	bool v4 = rl_ip_is4(&p->src);
	struct rl_flow f = { .proto = v4 ? RL_PROTO_ICMP : RL_PROTO_ICMP6 };
	struct icmp_hdr h = { type, code, rest };
	uint32_t max = v4 ? QUOTE_MAX4 : QUOTE_MAX6;
	struct rill_pkt *q;

	if (!may_answer(p, v4, type, code))
		return;
	if (!(p->flags & RL_PKT_LOOPED) &&
	    (!global_limit(st) || !host_limit(st, &p->src)))
		return;
	if (answer_from(st, p, &f))
		return;
	q = rl_pkt_new(&st->bufs, ICMP_HDR_LEN + max);
	if (!q) {
		rl_drop(st, RL_DROP_NO_MEMORY);
		return;
	}
	rl_icmp_write(&h, q->data);
	q->len = ICMP_HDR_LEN + quote(p, q->data + ICMP_HDR_LEN, max);
	set_checksum(q, &f);
	count_error(st, type, v4);
	(void)rl_ip_output(st, q, &f);
}

void rl_icmp_reply(struct rill_stack *st, struct rill_pkt *p,
		   enum rl_icmp_reply what, uint32_t pointer, uint8_t code)
{
	bool v4 = rl_ip_is4(&p->src);

	rl_pkt_finish_csum(p);		/* the quote is what went over the wire */
	switch (what) {
	case RL_REPLY_PORT_UNREACH:			/* [RFC4443-06] */
		if (v4)
			error_about(st, p, ICMP4_UNREACH, ICMP4_UNREACH_PORT, 0);
		else
			error_about(st, p, ICMP6_UNREACH, ICMP6_UNREACH_PORT, 0);
		break;
	case RL_REPLY_PROTO_UNREACH:
		if (v4)
			error_about(st, p, ICMP4_UNREACH, ICMP4_UNREACH_PROTO, 0);
		else
			error_about(st, p, ICMP6_PARAM, ICMP6_PARAM_NEXT, pointer);
		break;
	case RL_REPLY_FRAG_TIMEOUT:
		error_about(st, p, v4 ? (uint8_t)ICMP4_TIME_EXCEEDED :
			    (uint8_t)ICMP6_TIME_EXCEEDED, 1, 0);
		break;
	case RL_REPLY_PARAM:
		if (v4)
			error_about(st, p, ICMP4_PARAM, 0, pointer << 24);
		else
			error_about(st, p, ICMP6_PARAM, code, pointer);
		break;
	}
}
