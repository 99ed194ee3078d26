/* SPDX-License-Identifier: MIT */
/*
 * Packets out [RFC1122:3.3.1] [RFC791:3.2] [RFC8200:3]: IP header, size against the path
 * MTU, fragmentation at the source, link header, device queue.
 *
 * rl_ip_output() is the way of every segment.  While the flow's route is current
 * and its neighbour known it looks nothing up: two headers are written and the
 * packet is appended to a queue.
 *
 * Atomic datagrams (DF set, or IPv6) carry identification 0, the others one from
 * a counter per hash of source, destination and protocol [RFC6864-01].
 */
#include <errno.h>

#include "ip/ip_int.h"

/* ---- link ---- */

static inline uint16_t ether_type(const struct rill_pkt *p)
{
	return p->data[0] >> 4 == 4 ? ETH_IPV4 : ETH_IPV6;
}

void rl_ip_xmit(struct rill_stack *st, struct rl_netif *nif, struct rill_pkt *p,
		const uint8_t *mac)
{
	uint16_t type = ether_type(p);

	rl_eth_write(rl_pkt_push(p, ETH_HDR_LEN), mac, nif->mac, type);
	rl_netif_tx(st, nif, p, ETH_HDR_LEN);
}

static void xmit_group(struct rill_stack *st, struct rl_netif *nif, struct rill_pkt *p,
		       const struct rill_ip *dst)
{
	uint8_t mac[ETH_ALEN];

	if (!(nif->flags & RILL_IF_ETHER)) {
		rl_netif_tx(st, nif, p, 0);
		return;
	}
	rl_eth_group_mac(mac, dst);
	rl_ip_xmit(st, nif, p, mac);
}

/* What neigh.c needs to know should the neighbour not answer. */
static int to_neigh(struct rill_stack *st, struct rl_neigh *n, struct rill_pkt *p,
		    const struct rl_flow *f)
{
	p->src = f->src;
	p->dst = f->dst;
	p->proto = f->proto;
	p->l3_len = p->data[0] >> 4 == 4 ? (p->data[0] & 15u) * 4 : IPV6_HDR_LEN;
	return rl_neigh_output(st, n, p);
}

/* ---- ways out ---- */

static void loop_back(struct rill_stack *st, struct rill_pkt *p, uint16_t ifindex)
{
	struct rl_ip_state *ip = st->ip;

	/* it never left memory: nothing to verify */
	p->flags |= RL_PKT_CSUM_OK | RL_PKT_LOOPED;
	p->ifindex = ifindex;
	p->next = NULL;
	*ip->loop_tail = p;
	ip->loop_tail = &p->next;
}

/* Members of the group and listeners on this host hear it too. */
static void loop_copy(struct rill_stack *st, const struct rl_netif *nif,
		      const struct rill_pkt *p, const struct rl_flow *f)
{
	struct rill_pkt *q;

	if (f->d.cast == RL_PKT_IP_MCAST &&
	    !(f->mcast_loop && rl_netif_has_group(nif, &f->dst)))
		return;
	q = rl_pkt_copy(&st->bufs, p);
	if (q)
		loop_back(st, q, nif->ifindex);
	else
		rl_drop(st, RL_DROP_NO_MEMORY);
}

static int send_group(struct rill_stack *st, struct rl_netif *nif, struct rill_pkt *p,
		      const struct rl_flow *f)
{
	if (f->d.cast == RL_PKT_IP_MCAST)
		RL_CTR(st, ip_out_mcast_pkts);
	else
		RL_CTR(st, ip_out_bcast_pkts);
	loop_copy(st, nif, p, f);
	xmit_group(st, nif, p, &f->dst);
	return 0;
}

/* The neighbour entry was given up for another one, or never fitted in. */
static int send_lost_neigh(struct rill_stack *st, struct rill_pkt *p, struct rl_flow *f)
{
	struct rl_neigh *n = NULL;

	if (!rl_ip_route(st, f) && f->d.neigh != RL_SLAB_NONE)
		n = rl_slab_find(&st->ip->neighs, f->d.neigh, f->d.neigh_gen);
	if (n)
		return to_neigh(st, n, p, f);
	rl_drop_pkt(st, p, RL_DROP_NEIGH_LIMIT);
	return 0;
}

/* @p: IP header first, no larger than the link takes. */
static int send(struct rill_stack *st, struct rill_pkt *p, struct rl_flow *f)
{
	struct rl_netif *nif = &st->netif[f->d.ifindex - 1];
	struct rl_neigh *n;

	RL_CTR_ADD(st, ip_out_octets, rl_pkt_len(p));
	if (f->d.local) {
		loop_back(st, p, RL_LO_IFINDEX);
		return 0;
	}
	if (f->d.cast)
		return send_group(st, nif, p, f);
	if (!(nif->flags & RILL_IF_ETHER)) {
		rl_netif_tx(st, nif, p, 0);
		return 0;
	}
	n = f->d.neigh == RL_SLAB_NONE ? NULL :
	    rl_slab_find(&st->ip->neighs, f->d.neigh, f->d.neigh_gen);
	if (RL_UNLIKELY(!n))
		return send_lost_neigh(st, p, f);
	if (RL_LIKELY(n->state == RL_NEIGH_REACHABLE)) {
		n->used_ns = st->now_ns;
		rl_ip_xmit(st, nif, p, n->mac);
		return 0;
	}
	return to_neigh(st, n, p, f);
}

/* ---- headers ---- */

/* [RFC791-04] */
uint16_t rl_ip_next_id(struct rill_stack *st, const struct rl_flow *f)
{
	uint32_t key[3] = { rl_ip_get4(&f->src), rl_ip_get4(&f->dst), f->proto };

	/* [RFC6864-02] */
	return st->ip->id4[rl_siphash13(&st->hash_key, key, sizeof(key)) % RL_ID_BUCKETS]++;
}

static inline bool leaves_with_df(const struct rill_stack *st, const struct rl_flow *f)
{
	return f->df && !f->d.no_df && !RL_CFG(st, ip_no_pmtu_disc);
}

static void push_ip4(struct rill_stack *st, struct rill_pkt *p, const struct rl_flow *f,
		     bool df)
{
	uint32_t len = rl_pkt_len(p) + IPV4_HDR_LEN;
	struct ipv4_hdr h = {
		.tos = f->tos, .proto = f->proto, .df = df,
		.ttl = f->ttl ? f->ttl : (uint8_t)RL_CFG(st, ip_default_ttl),
		.total_len = len > IPV4_MAX_LEN ? 0 : (uint16_t)len,
		.id = df ? 0 : rl_ip_next_id(st, f), /* [RFC6864-03] */
		.src = f->src, .dst = f->dst,
	};

	rl_ipv4_write(&h, rl_pkt_push(p, IPV4_HDR_LEN));
}

static void push_ip6(struct rill_stack *st, struct rill_pkt *p, const struct rl_flow *f,
		     uint8_t next)
{
	uint32_t len = rl_pkt_len(p);
	struct ipv6_hdr h = {
		.tclass = f->tos, .next = next, .flow_label = f->flow_label,
		.hop_limit = f->ttl ? f->ttl : (uint8_t)RL_CFG(st, hop_limit),
		.payload_len = len > UINT16_MAX ? 0 : (uint16_t)len,
		.src = f->src, .dst = f->dst,
	};

	rl_ipv6_write(&h, rl_pkt_push(p, IPV6_HDR_LEN));
}

/* ---- fragmentation ---- */

struct cut {				/* one datagram that leaves in pieces */
	uint32_t	total;		/* bytes of its payload */
	uint32_t	step;		/* of each piece but the last */
	uint32_t	id;
};

static void push_frag4(struct rill_stack *st, struct rill_pkt *q, const struct rl_flow *f,
		       const struct cut *c, uint32_t off)
{
	struct ipv4_hdr h = {
		.tos = f->tos, .proto = f->proto,
		.ttl = f->ttl ? f->ttl : (uint8_t)RL_CFG(st, ip_default_ttl),
		.total_len = (uint16_t)(rl_pkt_len(q) + IPV4_HDR_LEN),
		.id = (uint16_t)c->id, .frag_off = (uint16_t)off,
		.mf = off + rl_pkt_len(q) < c->total,
		.src = f->src, .dst = f->dst,
	};

	rl_ipv4_write(&h, rl_pkt_push(q, IPV4_HDR_LEN));
}

static void push_frag6(struct rill_stack *st, struct rill_pkt *q, const struct rl_flow *f,
		       const struct cut *c, uint32_t off)
{
	struct ipv6_frag h = {
		.next = f->proto, .off = (uint16_t)off, .id = c->id,
		.more = off + rl_pkt_len(q) < c->total,
	};

	rl_ipv6_frag_write(&h, rl_pkt_push(q, IPV6_FRAG_LEN));
	push_ip6(st, q, f, RL_PROTO_FRAGMENT);
}

static struct rill_pkt *piece(struct rill_stack *st, const struct rill_pkt *p,
			      uint32_t off, uint32_t n)
{
	struct rill_pkt *q = rl_pkt_new(&st->bufs, n);

	if (!q)
		return NULL;
	rl_pkt_copy_out(p, off, q->data, n);
	q->len = n;
	return q;
}

/* Pieces don't overlap and all but the last are multiples of 8 [RFC5722-01]. */
static int fragment(struct rill_stack *st, struct rill_pkt *p, struct rl_flow *f, bool v4)
{
	uint32_t hdr = v4 ? IPV4_HDR_LEN : IPV6_HDR_LEN + IPV6_FRAG_LEN, n;
	struct cut c = { .total = rl_pkt_len(p), .step = (f->d.mtu - hdr) & ~7u };
	struct rill_pkt *q;
	int r = 0;

	c.id = v4 ? rl_ip_next_id(st, f) : (uint32_t)rl_rand64(&st->rand);
	rl_pkt_finish_csum(p);
	for (uint32_t off = 0; off < c.total && !r; off += n) {
		n = RL_MIN(c.step, c.total - off);
		q = piece(st, p, off, n);
		if (!q) {
			rl_drop_pkt(st, p, RL_DROP_NO_MEMORY);
			return 0;
		}
		if (v4)
			push_frag4(st, q, f, &c, off);
		else
			push_frag6(st, q, f, &c, off);
		RL_CTR(st, ip_frag_creates);
		r = send(st, q, f);
	}
	RL_CTR(st, ip_frag_oks);
	rl_pkt_free(&st->bufs, p);
	return r;
}

/* ---- entry ---- */

static int too_big(struct rill_stack *st, struct rill_pkt *p)
{
	RL_CTR(st, ip_frag_fails);
	rl_drop_pkt(st, p, RL_DROP_TOO_BIG);
	return -EMSGSIZE;
}

/* IP payload of the largest packet that @p becomes on the link. */
static inline uint32_t wire_payload(const struct rill_pkt *p)
{
	if (!p->gso_size)
		return rl_pkt_len(p);
	return (p->data[12] >> 4) * 4u + p->gso_size;	/* TCP header, one piece */
}

static int output4(struct rill_stack *st, struct rill_pkt *p, struct rl_flow *f)
{
	bool df = leaves_with_df(st, f);

	if (RL_UNLIKELY(wire_payload(p) + IPV4_HDR_LEN > f->d.mtu)) {
		if (df || p->gso_size || rl_pkt_len(p) + IPV4_HDR_LEN > IPV4_MAX_LEN)
			return too_big(st, p);		/* [RFC791-05] */
		return fragment(st, p, f, true);
	}
	push_ip4(st, p, f, df);
	return send(st, p, f);
}

static int output6(struct rill_stack *st, struct rill_pkt *p, struct rl_flow *f)
{
	if (RL_UNLIKELY(wire_payload(p) + IPV6_HDR_LEN > f->d.mtu)) {
		if (f->df || p->gso_size || rl_pkt_len(p) > UINT16_MAX)
			return too_big(st, p);
		return fragment(st, p, f, false);
	}
	push_ip6(st, p, f, f->proto);
	return send(st, p, f);
}

int rl_ip_output(struct rill_stack *st, struct rill_pkt *p, struct rl_flow *f)
{
	if (RL_UNLIKELY(f->d.gen != st->route_gen)) {
		int r = rl_ip_route(st, f);

		/* a loopback address never leaves the host [RFC1122-06] */
		if (!r && !f->d.local && rl_ip_is_loopback(&f->src)) {
			f->d.gen = 0;
			r = -ENETUNREACH;
		}
		if (r) {
			RL_CTR(st, ip_out_no_routes);
			rl_drop_pkt(st, p, RL_DROP_NO_ROUTE);
			return r;
		}
	}
	RL_CTR(st, ip_out_requests);
	return rl_ip_is4(&f->dst) ? output4(st, p, f) : output6(st, p, f);
}

/* ---- packets of this layer ---- */

/* Router alert, for the reports that routers must look at. */
static void push_router_alert(struct rill_pkt *p)
{
	static const uint8_t alert[4] = { 0x94, 4, 0, 0 };
	uint32_t total;
	uint8_t *h;

	h = rl_pkt_push(p, sizeof(alert));
	memmove(h, h + sizeof(alert), IPV4_HDR_LEN);
	memcpy(h + IPV4_HDR_LEN, alert, sizeof(alert));
	h[0] = 0x46;
	total = rl_pkt_len(p);
	put16(h + 2, (uint16_t)total);
	rl_ipv4_cksum_set(h, IPV4_HDR_LEN + sizeof(alert));
}

void rl_ip_send_on(struct rill_stack *st, struct rl_netif *nif, struct rill_pkt *p,
		   const struct rl_send_on *s)
{
	struct rl_flow f = { .src = s->src, .dst = s->dst, .proto = s->proto,
			     .ttl = s->ttl, .tos = s->tos };
	struct rl_neigh *n;

	if (rl_ip_is4(&s->dst)) {
		push_ip4(st, p, &f, true);
		if (s->router_alert)
			push_router_alert(p);
	} else {
		push_ip6(st, p, &f, s->proto);
	}
	RL_CTR(st, ip_out_requests);
	RL_CTR_ADD(st, ip_out_octets, rl_pkt_len(p));
	if (s->mac) {
		rl_ip_xmit(st, nif, p, s->mac);
	} else if (rl_ip_is_mcast(&s->dst)) {
		RL_CTR(st, ip_out_mcast_pkts);
		xmit_group(st, nif, p, &s->dst);
	} else {
		n = rl_neigh_get(st, nif->ifindex, &s->dst);
		if (n)
			(void)to_neigh(st, n, p, &f);
		else
			rl_drop_pkt(st, p, RL_DROP_NEIGH_LIMIT);
	}
}
