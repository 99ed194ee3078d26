/* SPDX-License-Identifier: MIT */
/*
 * Reassembly of both families [RFC791:3.2] [RFC8200:4.5].
 *
 * Each datagram under way is a struct rl_reasm: its fragments in order, no two
 * overlapping.  An overlap condemns the datagram [RFC5722-02] [RFC791-07]
 * [RFC3128-01]: the entry stays, empty, and swallows what still comes.  An exact
 * duplicate is just ignored.  Memory is charged as it is held, not by payload; at
 * the cap the oldest datagram gives way.
 *
 * A fragment in the list has data at its payload, csum_start holds its offset
 * in the datagram, and for the first one csum_off that of the byte that names
 * the fragment header (IPv6).  Called by in.c.
 */
#include "ip/ip_int.h"
#include "wire/tcp_hdr.h"
#include "wire/udp_hdr.h"

#define MAX_EXT_HEADERS	16

static uint32_t frag_off(const struct rill_pkt *p)
{
	return p->csum_start;
}

static uint32_t frag_end(const struct rill_pkt *p)
{
	return p->csum_start + rl_pkt_len(p);
}

/* ---- table ---- */

static uint32_t *bucket(struct rill_stack *st, const struct rill_ip *src,
			const struct rill_ip *dst, uint32_t id, uint8_t proto)
{
	uint64_t key[5] = { src->q[0], src->q[1], dst->q[0], dst->q[1],
			    (uint64_t)proto << 32 | id };

	return &st->ip->reasm_bucket[rl_siphash13(&st->hash_key, key, sizeof(key)) %
				     RL_REASM_BUCKETS];
}

static struct rl_reasm *find(struct rill_stack *st, const struct rl_frag_info *fi)
{
	uint32_t at = *bucket(st, &fi->src, &fi->dst, fi->id, fi->proto);

	while (at) {
		struct rl_reasm *r = rl_slab_at(&st->ip->reasms, at - 1);

		if (r->id == fi->id && r->proto == fi->proto &&
		    rl_ip_eq(&r->src, &fi->src) && rl_ip_eq(&r->dst, &fi->dst))
			return r;
		at = r->hash_next;
	}
	return NULL;
}

static void drop_fragments(struct rill_stack *st, struct rl_reasm *r)
{
	struct rill_pkt *p = r->head;

	while (p) {
		struct rill_pkt *next = p->next;

		rl_pkt_free(&st->bufs, p);
		p = next;
	}
	r->head = r->last = NULL;
	st->ip->reasm_cost -= r->cost;
	r->cost = 0;
}

static void free_entry(struct rill_stack *st, struct rl_reasm *r)
{
	uint32_t *at = bucket(st, &r->src, &r->dst, r->id, r->proto);

	while (*at != r->obj.idx + 1) {
		struct rl_reasm *prev = rl_slab_at(&st->ip->reasms, *at - 1);

		at = &prev->hash_next;
	}
	*at = r->hash_next;
	drop_fragments(st, r);
	list_del(&r->age);
	rl_ip_arm(st, &r->timer, RL_NEVER);
	rl_timerq_release(&st->ip->timers);
	rl_slab_free(&st->ip->reasms, r);
}

static struct rl_reasm *new_entry(struct rill_stack *st, const struct rl_frag_info *fi)
{
	struct rl_ip_state *ip = st->ip;
	struct rl_reasm *r;
	uint32_t *at;

	if (rl_timerq_reserve(&ip->timers))
		return NULL;
	r = rl_slab_alloc(&ip->reasms);
	if (!r) {
		rl_timerq_release(&ip->timers);
		return NULL;
	}
	r->src = fi->src;
	r->dst = fi->dst;
	r->id = fi->id;
	r->proto = fi->proto;
	at = bucket(st, &r->src, &r->dst, r->id, r->proto);
	r->hash_next = *at;
	*at = r->obj.idx + 1;
	list_add_tail(&ip->reasm_age, &r->age);
	r->timer = (struct rl_timer){ RL_NEVER, 0, RL_IPT_REASM };
	rl_ip_arm(st, &r->timer, st->now_ns + RL_CFG(st, ipfrag_time) * RL_SEC);
	return r;
}

void rl_frag_flush(struct rill_stack *st)
{
	while (!list_empty(&st->ip->reasm_age))
		free_entry(st, list_first(&st->ip->reasm_age, struct rl_reasm, age));
}

/* ---- giving up ---- */

static void evict_oldest(struct rill_stack *st)
{
	struct rl_reasm *r = list_first(&st->ip->reasm_age, struct rl_reasm, age);

	if (!r->dead) {
		RL_CTR(st, ip_reasm_fails);
		rl_drop(st, RL_DROP_FRAG_LIMIT);
	}
	free_entry(st, r);
}

/* False when @cost can't be had even with nothing else there. */
static bool make_room(struct rill_stack *st, uint32_t cost)
{
	struct rl_ip_state *ip = st->ip;
	uint64_t cap = (uint32_t)RL_CFG(st, ipfrag_high_thresh);

	while (!list_empty(&ip->reasm_age) &&
	       (ip->reasm_cost + cost > cap || ip->reasms.in_use == RL_REASM_MAX))
		evict_oldest(st);
	return cost <= cap;
}

/* All fragments, also those still to come, silently [RFC8200-08]. */
static void condemn(struct rill_stack *st, struct rl_reasm *r, struct rill_pkt *p)
{
	drop_fragments(st, r);
	r->dead = true;
	RL_CTR(st, ip_reasm_fails);
	rl_drop_pkt(st, p, RL_DROP_FRAG_OVERLAP);
}

void rl_frag_timer(struct rill_stack *st, struct rl_reasm *r)
{
	if (!r->dead) {
		RL_CTR(st, ip_reasm_timeout);
		RL_CTR(st, ip_reasm_fails);
		rl_drop(st, RL_DROP_FRAG_TIMEOUT);
		if (r->head && frag_off(r->head) == 0)	/* [RFC1122-30] [RFC8200-09] */
			rl_icmp_reply(st, r->head, RL_REPLY_FRAG_TIMEOUT, 0, 0);
	}
	free_entry(st, r);
}

/* ---- checks of one fragment ---- */

static uint32_t min_header(uint8_t proto)
{
	switch (proto) {
	case RL_PROTO_TCP:
		return TCP_HDR_LEN;
	case RL_PROTO_UDP:
		return UDP_HDR_LEN;
	case RL_PROTO_ICMP:
	case RL_PROTO_ICMP6:
		return ICMP_HDR_LEN;
	}
	return 0;
}

/* Payload of @p from @off begins with the whole header chain [RFC8200-07] [RFC7112-01]. */
static bool chain_complete(const struct rill_pkt *p, uint32_t off, uint8_t next)
{
	uint32_t len = rl_pkt_len(p);
	uint8_t b[2];

	for (int n = 0; n < MAX_EXT_HEADERS; n++) {
		if (next != RL_PROTO_HOPOPT && next != RL_PROTO_DSTOPT &&
		    next != RL_PROTO_ROUTING)
			return len - off >= min_header(next);
		if (len - off < 8)
			return false;
		rl_pkt_copy_out(p, off, b, 2);
		if (rl_ipv6_ext_len(b) > len - off)
			return false;
		next = b[0];
		off += rl_ipv6_ext_len(b);
	}
	return false;
}

/* A filter that looks at the first fragment only must not be fooled [RFC1858-01]. */
static bool tiny(const struct rill_pkt *p, const struct rl_frag_info *fi, uint32_t at)
{
	if (rl_ip_is4(&fi->src)) {
		if (fi->off == 8 && fi->proto == RL_PROTO_TCP)
			return true;
		return fi->off == 0 && rl_pkt_len(p) - at < min_header(fi->proto);
	}
	return fi->off == 0 && !chain_complete(p, at, fi->next);
}

static void problem(struct rill_stack *st, struct rill_pkt *p, uint32_t l3_len,
		    uint32_t pointer, uint8_t code)
{
	if (rl_ip_is4(&p->src))
		return;
	rl_pkt_set_l3(p);
	p->l3_len = l3_len;
	rl_icmp_reply(st, p, RL_REPLY_PARAM, pointer, code);
}

static enum rl_drop check(struct rill_stack *st, struct rill_pkt *p,
			  const struct rl_frag_info *fi, uint32_t at)
{
	uint32_t n = rl_pkt_len(p) - at;

	if (fi->more && n % 8) {			/* [RFC8200-06] [RFC791-02] */
		problem(st, p, at, 4, ICMP6_PARAM_HEADER);
		return RL_DROP_FRAG_BAD;
	}
	if (n == 0)
		return RL_DROP_FRAG_BAD;
	/* the IPv6 header does not count in its payload length */
	/* [RFC1122-29] [RFC791-03] [RFC8200-12] */
	if (fi->off + n + fi->hdr_len > (rl_ip_is4(&fi->src) ? 65535u : 65575u)) {
		problem(st, p, at, fi->hdr_len + 2, ICMP6_PARAM_HEADER);
		return RL_DROP_FRAG_BAD;
	}
	if (tiny(p, fi, at)) {
		problem(st, p, at, 0, ICMP6_PARAM_CHAIN);
		return RL_DROP_FRAG_TINY;
	}
	return RL_DROP_NONE;
}

/* ---- the list ---- */

enum fit { FITS, DUPLICATE, OVERLAPS };

/* Where @p belongs: behind *@prev, or in front when that is NULL. */
static enum fit place(const struct rl_reasm *r, const struct rill_pkt *p,
		      struct rill_pkt **prev)
{
	struct rill_pkt *f;

	*prev = NULL;
	if (r->last && frag_off(p) >= frag_end(r->last)) {	/* in order: the usual case */
		*prev = r->last;
		return FITS;
	}
	for (f = r->head; f && frag_off(f) < frag_off(p); f = f->next)
		*prev = f;
	if (f && frag_off(f) == frag_off(p) && frag_end(f) == frag_end(p))
		return DUPLICATE;
	if (*prev && frag_end(*prev) > frag_off(p))
		return OVERLAPS;
	return f && frag_end(p) > frag_off(f) ? OVERLAPS : FITS;
}

/* The end is where the last fragment says, and nobody may be beyond it. */
static bool end_agrees(struct rl_reasm *r, const struct rill_pkt *p, bool more)
{
	uint32_t end = frag_end(p);

	if (more)
		return !r->has_last || end <= r->end;
	if (r->has_last && end != r->end)
		return false;
	if (r->last && frag_end(r->last) > end)
		return false;
	r->has_last = true;
	r->end = end;
	return true;
}

static void insert(struct rill_stack *st, struct rl_reasm *r, struct rill_pkt *p,
		   struct rill_pkt *prev)
{
	uint32_t cost = rl_pkt_cost(p);

	p->next = prev ? prev->next : r->head;
	if (prev)
		prev->next = p;
	else
		r->head = p;
	if (!p->next)
		r->last = p;
	r->have += rl_pkt_len(p);
	r->n++;
	r->cost += cost;
	st->ip->reasm_cost += cost;
}

/* ---- putting together ---- */

/* Any CE marks the whole; beside Not-ECT it can't be [RFC3168-17]. */
static bool merge_ecn(struct rill_pkt *q, uint8_t seen)
{
	if (!(seen & 1 << 3))
		return true;
	if (seen & 1 << 0)
		return false;
	q->tos |= 3;
	q->data[1] |= rl_ip_is4(&q->src) ? 0x03 : 0x30;
	return true;
}

/* The headers of the first fragment, as if there had been no fragments. */
static void copy_headers(struct rill_pkt *q, const struct rill_pkt *first, uint32_t end)
{
	uint32_t hdr = first->l3_len;

	if (rl_ip_is4(&first->src)) {
		memcpy(q->data, rl_pkt_l3(first), hdr);
		put16(q->data + 2, (uint16_t)(hdr + end));
		put16(q->data + 6, 0);
	} else {
		hdr -= IPV6_FRAG_LEN;
		memcpy(q->data, rl_pkt_l3(first), hdr);
		q->data[first->csum_off] = rl_pkt_l3(first)[hdr];
		put16(q->data + 4, (uint16_t)(hdr - IPV6_HDR_LEN + end));
	}
	q->len = hdr;
}

static void copy_notes(struct rill_pkt *q, const struct rill_pkt *first)
{
	q->ifindex = first->ifindex;
	q->flags = RL_PKT_REASSEMBLED |
		   (first->flags & (RL_PKT_LINK_BCAST | RL_PKT_IP_BCAST |
				    RL_PKT_IP_MCAST | RL_PKT_LOOPED));
	q->proto = first->proto;
	q->ttl = first->ttl;
	q->tos = first->tos;
	q->src = first->src;
	q->dst = first->dst;
}

static struct rill_pkt *put_together(struct rill_stack *st, struct rl_reasm *r)
{
	struct rill_pkt *q = rl_pkt_new(&st->bufs, r->head->l3_len + r->end);

	if (!q)
		return NULL;
	copy_headers(q, r->head, r->end);
	copy_notes(q, r->head);
	for (struct rill_pkt *p = r->head; p; p = p->next) {
		rl_pkt_copy_out(p, 0, q->data + q->len, rl_pkt_len(p));
		q->len += rl_pkt_len(p);
	}
	if (!merge_ecn(q, r->ecn)) {
		rl_drop_pkt(st, q, RL_DROP_FRAG_BAD);
		return NULL;
	}
	if (rl_ip_is4(&q->src))
		rl_ipv4_cksum_set(q->data, (q->data[0] & 15u) * 4);
	return q;
}

static struct rill_pkt *finish(struct rill_stack *st, struct rl_reasm *r)
{
	struct rill_pkt *q = put_together(st, r);

	if (q)
		RL_CTR(st, ip_reasm_oks);
	else
		RL_CTR(st, ip_reasm_fails);
	free_entry(st, r);
	return q;
}

/* ---- entry ---- */

static struct rill_pkt *add(struct rill_stack *st, struct rl_reasm *r, struct rill_pkt *p,
			    const struct rl_frag_info *fi)
{
	struct rill_pkt *prev;
	enum fit fit = place(r, p, &prev);

	if (fit == DUPLICATE) {
		rl_drop_pkt(st, p, RL_DROP_FRAG_DUP);
		return NULL;
	}
	if (fit == OVERLAPS || !end_agrees(r, p, fi->more) || r->n == RL_REASM_FRAGS) {
		condemn(st, r, p);
		return NULL;
	}
	r->ecn |= (uint8_t)(1 << (fi->tos & 3));
	insert(st, r, p, prev);
	return r->has_last && r->have == r->end ? finish(st, r) : NULL;
}

static void refuse(struct rill_stack *st, struct rill_pkt *p, enum rl_drop why)
{
	RL_CTR(st, ip_reasm_fails);
	rl_drop_pkt(st, p, why);
}

struct rill_pkt *rl_frag_input(struct rill_stack *st, struct rill_pkt *p,
			       const struct rl_frag_info *fi)
{
	uint32_t at = fi->hdr_len + (rl_ip_is4(&fi->src) ? 0 : IPV6_FRAG_LEN);
	struct rl_reasm *r;
	enum rl_drop why;

	RL_CTR(st, ip_reasm_reqds);
	p->proto = rl_ip_is4(&fi->src) ? fi->proto : fi->next;
	why = check(st, p, fi, at);
	if (!why && !make_room(st, rl_pkt_cost(p)))
		why = RL_DROP_FRAG_LIMIT;
	if (why) {
		refuse(st, p, why);
		return NULL;
	}
	r = find(st, fi);
	if (!r)
		r = new_entry(st, fi);
	if (!r || r->dead) {
		refuse(st, p, r ? RL_DROP_FRAG_OVERLAP : RL_DROP_NO_MEMORY);
		return NULL;
	}
	rl_pkt_set_l3(p);
	p->l3_len = at;
	rl_pkt_pull(p, at);
	p->csum_start = (uint16_t)fi->off;
	p->csum_off = (uint16_t)fi->next_at;
	return add(st, r, p, fi);
}
