/* SPDX-License-Identifier: MIT */
/*
 * Datagrams in [RFC768] [RFC1122:4.1.3], the receive queues, and what ICMP tells.
 *
 * A unicast datagram goes to the endpoint that fits best (connected, then bound
 * to the address, then to any); one to a group or a broadcast address to all
 * that fit.  A queue is bounded by the memory it holds, not by its bytes, so
 * small datagrams can't pin large blocks.
 *
 * A queued packet has its payload at data and its source port in csum_off.
 */
#include <errno.h>

#include "stack/sockopt_nums.h"
#include "udp/udp_int.h"
#include "wire/cksum.h"
#include "wire/udp_hdr.h"

#define SMALL	(RL_PKT_INLINE - RL_PKT_HEADROOM)	/* copied out of its block */

/* ---- checks ---- */

static void bad(struct rill_stack *st, struct rill_pkt *p, enum rl_drop why)
{
	RL_CTR(st, udp_in_errors);
	if (why == RL_DROP_UDP_CSUM)
		RL_CTR(st, udp_in_csum_errors);
	rl_drop_pkt(st, p, why);
}

/* [RFC1122-40] [RFC8200-13]: 0 means none, and IPv6 has no none [RFC6936-01] */
static bool cksum_ok(const struct rill_pkt *p, const struct udp_hdr *h)
{
	uint64_t sum;

	if (!h->has_csum)
		return rl_ip_is4(&p->dst);		/* [RFC768-02] */
	if (p->flags & RL_PKT_CSUM_OK)
		return true;
	sum = rl_sum_fold(rl_sum_pseudo(&p->src, &p->dst, RL_PROTO_UDP, h->len));
	sum += rl_sum_fold(rl_pkt_sum(p, 0, h->len));
	return rl_sum_finish(sum) == 0;
}

/* ---- who gets it ---- */

/* 0: not for @u; the higher the better. */
static int score(const struct rl_udp *u, const struct rill_pkt *p, const struct udp_hdr *h)
{
	int n = 1;

	if (u->icmp || u->lport != h->dport || (u->bound_if && u->bound_if != p->ifindex))
		return 0;
	if (u->connected) {
		if (u->rport != h->sport || !rl_ip_eq(&u->peer, &p->src))
			return 0;
		n += 4;
	}
	if (u->connected && !(p->flags & (RL_PKT_IP_BCAST | RL_PKT_IP_MCAST))) {
		if (!rl_ip_eq(&u->local, &p->dst))
			return 0;
	} else if (!rl_udp_covers(u, &p->dst)) {
		return 0;
	}
	n += rl_ip_is_any(&u->bound) ? 0 : 2;
	return n + (u->bound_if != 0);
}

/* Members of a SO_REUSEPORT group share by the peer's address [k-th of n: 1/k]. */
static bool takes_over(struct rill_stack *st, const struct rill_pkt *p,
		       const struct udp_hdr *h, uint32_t k)
{
	uint64_t key[3] = { p->src.q[0], p->src.q[1], (uint64_t)h->sport << 32 | k };

	return rl_siphash13(&st->hash_key, key, sizeof(key)) % k == 0;
}

static struct rl_udp *best_match(struct rill_stack *st, const struct rill_pkt *p,
				 const struct udp_hdr *h)
{
	struct rl_udp *best = NULL;
	uint32_t equals = 0;
	int top = 0;

	for (uint32_t i = *rl_udp_bucket(st, h->dport); i;
	     i = rl_udp_at(st, i - 1)->port_next) {
		struct rl_udp *u = rl_udp_at(st, i - 1);
		int n = score(u, p, h);

		if (n > top) {
			top = n;
			best = u;
			equals = 1;
		} else if (n && n == top && u->reuseport && best->reuseport) {
			if (takes_over(st, p, h, ++equals))
				best = u;
		}
	}
	return best;
}

/* A few bytes need no block: a copy in the descriptor, or @p as it is. */
static struct rill_pkt *compact(struct rill_stack *st, struct rill_pkt *p)
{
	uint32_t n = rl_pkt_len(p);
	struct rill_pkt *q;

	if (n > SMALL || (!p->blk && !p->nfrags))
		return p;
	q = rl_pkt_new(&st->bufs, n);
	if (!q)
		return p;
	rl_pkt_copy_out(p, 0, q->data, n);
	q->len = n;
	q->ifindex = p->ifindex;
	q->ttl = p->ttl;
	q->tos = p->tos;
	q->src = p->src;
	q->dst = p->dst;
	q->csum_off = p->csum_off;
	rl_pkt_free(&st->bufs, p);
	return q;
}

/* @p: payload first, source port noted; taken over. */
static void enqueue(struct rill_stack *st, struct rl_udp *u, struct rill_pkt *p)
{
	uint32_t cost;

	if (p->ttl < u->min_ttl) {
		RL_CTR(st, udp_in_errors);
		rl_drop_pkt(st, p, RL_DROP_MIN_TTL);
		return;
	}
	p = compact(st, p);
	cost = rl_pkt_cost(p);
	if (u->rcv_cost + cost > u->rcvbuf && u->rcv_cost) {
		RL_CTR(st, udp_rcvbuf_errors);
		RL_CTR(st, udp_in_errors);
		rl_drop_pkt(st, p, RL_DROP_UDP_RCVBUF);
		return;
	}
	p->next = NULL;
	*u->rcv_tail = p;
	u->rcv_tail = &p->next;
	u->rcv_cost += cost;
	u->rcv_bytes += rl_pkt_len(p);
	if (!u->icmp)
		RL_CTR(st, udp_in_datagrams);
	rl_event(st, &u->ep, RILL_IN);
}

void rl_udp_deliver(struct rill_stack *st, struct rl_udp *u, struct rill_pkt *p)
{
	if (u->shut_rd)
		rl_drop_pkt(st, p, RL_DROP_UDP_RCVBUF);	/* a buffer of none */
	else
		enqueue(st, u, p);
}

/* All that fit get a copy, the last one @p itself. */
static bool deliver_all(struct rill_stack *st, struct rill_pkt *p, const struct udp_hdr *h)
{
	struct rl_udp *last = NULL;

	for (uint32_t i = *rl_udp_bucket(st, h->dport); i;
	     i = rl_udp_at(st, i - 1)->port_next) {
		struct rl_udp *u = rl_udp_at(st, i - 1);
		struct rill_pkt *q;

		if (!score(u, p, h))
			continue;
		if (last) {
			q = rl_pkt_copy(&st->bufs, p);
			if (q)
				rl_udp_deliver(st, last, q);
			else
				rl_drop(st, RL_DROP_NO_MEMORY);
		}
		last = u;
	}
	if (last)
		rl_udp_deliver(st, last, p);
	return last != NULL;
}

static void take_header(struct rill_stack *st, struct rill_pkt *p, const struct udp_hdr *h)
{
	rl_pkt_trim(&st->bufs, p, h->len);	/* what follows is not ours [RFC768-01] */
	rl_pkt_pull(p, UDP_HDR_LEN);
	p->csum_off = h->sport;
}

/* [RFC1122-38]; the header is needed for the quote, so it is still there */
static void no_port(struct rill_stack *st, struct rill_pkt *p)
{
	RL_CTR(st, udp_no_ports);
	rl_icmp_reply(st, p, RL_REPLY_PORT_UNREACH, 0, 0);
	rl_drop_pkt(st, p, RL_DROP_UDP_NO_PORT);
}

void rl_udp_input(struct rill_stack *st, struct rill_pkt *p)
{
	struct udp_hdr h;
	struct rl_udp *u;

	if (!rl_udp_hdr_parse(&h, p->data, rl_pkt_len(p))) {
		bad(st, p, RL_DROP_UDP_SHORT);
		return;
	}
	if (!cksum_ok(p, &h)) {
		bad(st, p, RL_DROP_UDP_CSUM);
		return;
	}
	if (p->flags & (RL_PKT_IP_BCAST | RL_PKT_IP_MCAST)) {
		take_header(st, p, &h);
		if (!deliver_all(st, p, &h)) {
			RL_CTR(st, udp_no_ports);
			rl_drop_pkt(st, p, RL_DROP_UDP_NO_PORT);
		}
		return;
	}
	u = best_match(st, p, &h);
	if (!u) {
		no_port(st, p);
		return;
	}
	take_header(st, p, &h);
	rl_udp_deliver(st, u, p);
}

/* ---- the user's side ---- */

static struct rill_pkt *unqueue(struct rl_udp *u)
{
	struct rill_pkt *p = u->rcv_head;

	u->rcv_head = p->next;
	if (!u->rcv_head)
		u->rcv_tail = &u->rcv_head;
	u->rcv_cost -= rl_pkt_cost(p);
	u->rcv_bytes -= rl_pkt_len(p);
	return p;
}

void rl_udp_drop_queue(struct rill_stack *st, struct rl_udp *u)
{
	while (u->rcv_head)
		rl_pkt_free(&st->bufs, unqueue(u));
}

static uint32_t copy_to(const struct rill_pkt *p, const struct rill_iov *iov, int n)
{
	uint32_t off = 0, len = rl_pkt_len(p);

	for (int i = 0; i < n && off < len; i++) {
		uint32_t k = (uint32_t)RL_MIN(iov[i].len, (size_t)(len - off));

		rl_pkt_copy_out(p, off, iov[i].base, k);
		off += k;
	}
	return off;
}

/* [RFC1122-37] [RFC1122-41] */
static void fill_meta(const struct rl_udp *u, const struct rill_pkt *p, uint32_t copied,
		      struct rill_udp_meta *m)
{
	*m = (struct rill_udp_meta){
		.from = { p->src, p->csum_off, p->ifindex },
		.to = { p->dst, u->lport, p->ifindex },
		.ttl = p->ttl, .tos = p->tos, .len = rl_pkt_len(p),
		.truncated = copied < rl_pkt_len(p),
	};
}

int64_t rill_udp_recv(struct rill_stack *st, rill_id id, const struct rill_iov *iov, int n,
		      struct rill_udp_meta *meta, unsigned flags)
{
	struct rl_udp *u = rl_udp_find(st, id);
	struct rill_pkt *p;
	uint32_t copied;

	if (meta)
		*meta = (struct rill_udp_meta){ .len = 0 };
	if (!u)
		return -EBADF;
	if (u->err)
		return rl_udp_take_error(u);
	p = u->rcv_head;
	if (!p)
		return u->shut_rd ? 0 : -EAGAIN;
	copied = copy_to(p, iov, n);
	if (meta)
		fill_meta(u, p, copied, meta);
	if (!(flags & RILL_MSG_PEEK))
		rl_pkt_free(&st->bufs, unqueue(u));
	return copied;
}

/* ---- ICMP ---- */

static bool fits_quote(const struct rl_udp *u, const struct rl_icmp_err *e, uint16_t sport,
		       uint16_t dport)
{
	if (u->icmp || u->lport != sport)
		return false;
	if (!u->connected)
		return rl_udp_covers(u, &e->src);
	return u->rport == dport && rl_ip_eq(&u->peer, &e->dst) &&
	       rl_ip_eq(&u->local, &e->src);
}

bool rl_udp_icmp(struct rill_stack *st, const struct rl_icmp_err *e)
{
	uint16_t sport = get16(e->quote), dport = get16(e->quote + 2);
	bool known = false;

	for (uint32_t i = *rl_udp_bucket(st, sport); i; i = rl_udp_at(st, i - 1)->port_next) {
		struct rl_udp *u = rl_udp_at(st, i - 1);

		if (!fits_quote(u, e, sport, dport))
			continue;
		known = true;
		rl_udp_note_error(st, u, e);
	}
	return known;
}
