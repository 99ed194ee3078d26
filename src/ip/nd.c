/* SPDX-License-Identifier: MIT */
/*
 * Neighbour discovery [RFC4861:7.2] and duplicate address detection [RFC4862:5.4].
 *
 * A Rill stack is configured by its owner: routers' advertisements and redirects
 * are not listened to [RFC4861-12], and no router is solicited.  So a neighbour's router flag
 * means nothing here either.  Called by icmp_in.c, neigh.c and addr.c.
 */
#include "ip/ip_int.h"
#include "wire/cksum.h"

#define ND_MAX_LEN	1500	/* of a message that is looked at */

static const struct rill_ip all_nodes = { .b = { 0xff, 2, [15] = 1 } };

struct rill_ip rl_nd_solicited_node(const struct rill_ip *ip)
{
	struct rill_ip sn = { .b = { 0xff, 2, [11] = 1, [12] = 0xff } };

	memcpy(sn.b + 13, ip->b + 13, 3);
	return sn;
}

static void send(struct rill_stack *st, struct rl_netif *nif, const struct nd_msg *m,
		 struct rl_send_on *to)
{
	struct rill_pkt *p = rl_pkt_new(&st->bufs, ND_HDR_LEN + ND_OPT_LLADDR);
	uint16_t sum;

	if (!p) {
		rl_drop(st, RL_DROP_NO_MEMORY);
		return;
	}
	p->len = (uint32_t)rl_nd_write(m, p->data);
	sum = rl_sum_finish(rl_sum(p->data, p->len,
				   rl_sum_pseudo(&to->src, &to->dst, RL_PROTO_ICMP6, p->len)));
	memcpy(p->data + 2, &sum, sizeof(sum));
	to->proto = RL_PROTO_ICMP6;
	to->ttl = 255;
	RL_CTR(st, icmp_out_msgs);
	rl_ip_send_on(st, nif, p, to);
}

void rl_nd_solicit(struct rill_stack *st, struct rl_netif *nif, const struct rill_ip *src,
		   const struct rill_ip *target, const uint8_t *mac)
{
	struct nd_msg m = { .type = ICMP6_NS, .target = *target, .has_mac = src != NULL };
	struct rl_send_on to = { .mac = mac };

	to.dst = mac ? *target : rl_nd_solicited_node(target);
	if (src)
		to.src = *src;
	memcpy(m.mac, nif->mac, ETH_ALEN);
	send(st, nif, &m, &to);
	RL_CTR(st, neigh_solicits_out);
}

/* [RFC4861-07]; the asker's own address option spares a lookup. */
static void advertise(struct rill_stack *st, struct rl_netif *nif, const struct nd_msg *q,
		      const struct rill_ip *to_ip)
{
	struct nd_msg m = { .type = ICMP6_NA, .target = q->target, .has_mac = true,
			    .flags = ND_OVERRIDE };
	struct rl_send_on to = { .src = q->target, .dst = all_nodes };

	memcpy(m.mac, nif->mac, ETH_ALEN);
	if (!rl_ip_is_any(to_ip)) {
		m.flags |= ND_SOLICITED;
		to.dst = *to_ip;
		to.mac = q->has_mac ? q->mac : NULL;
	}
	send(st, nif, &m, &to);
	RL_CTR(st, neigh_replies_out);
}

/* [RFC4861-02] */
static bool valid_ns(const struct nd_msg *m, const struct rill_pkt *p)
{
	struct rill_ip sn;

	if (rl_ip_is_mcast(&m->target) || (m->has_mac && rl_eth_is_group(m->mac)))
		return false;
	if (!rl_ip_is_any(&p->src))
		return true;
	sn = rl_nd_solicited_node(&m->target);
	return rl_ip_eq(&p->dst, &sn) && !m->has_mac;
}

/* [RFC4861-03] */
static bool valid_na(const struct nd_msg *m, const struct rill_pkt *p)
{
	if (rl_ip_is_mcast(&m->target) || (m->has_mac && rl_eth_is_group(m->mac)))
		return false;
	return !(m->flags & ND_SOLICITED) || !rl_ip_is_mcast(&p->dst);
}

/* Return: false when the target is not ours. */
static bool got_ns(struct rill_stack *st, struct rl_netif *nif, const struct nd_msg *m,
		   const struct rill_ip *from)
{
	struct rl_if_addr *a = rl_addr_find(nif, &m->target);
	struct rl_neigh_news news = { .mac = m->mac, .override = true, .create = true };

	if (!a || a->duplicate)
		return false;
	if (a->tentative) {		/* never answered [RFC4862-02] */
		if (rl_ip_is_any(from))
			rl_addr_conflict(st, nif, &m->target);
		return true;
	}
	if (m->has_mac)
		rl_neigh_learn(st, nif, from, &news);
	advertise(st, nif, m, from);
	return true;
}

static bool got_na(struct rill_stack *st, struct rl_netif *nif, const struct nd_msg *m)
{
	struct rl_neigh_news news = {
		.mac = m->has_mac ? m->mac : NULL,
		.solicited = m->flags & ND_SOLICITED,
		.override = m->flags & ND_OVERRIDE,
	};

	if (rl_addr_find(nif, &m->target)) {
		rl_addr_conflict(st, nif, &m->target);	/* [RFC4862-03] */
		return true;
	}
	if (!rl_neigh_find(st, nif->ifindex, &m->target))
		return false;			/* not asked for [RFC4861-08] */
	rl_neigh_learn(st, nif, &m->target, &news);
	return true;
}

void rl_nd_input(struct rill_stack *st, struct rl_netif *nif, struct rill_pkt *p)
{
	uint32_t len = rl_pkt_len(p);
	struct nd_msg m;
	bool ns, known;

	/* a router would have lowered it: the sender is on this link */
	if (p->ttl != 255 || !(nif->flags & RILL_IF_ETHER) || len > ND_MAX_LEN ||
	    rl_pkt_pullup(&st->bufs, p, len) || rl_nd_parse(&m, p->data, p->len)) {
		rl_drop_pkt(st, p, RL_DROP_ND_BAD);
		return;
	}
	ns = m.type == ICMP6_NS;
	if (!(ns ? valid_ns(&m, p) : valid_na(&m, p))) {
		rl_drop_pkt(st, p, RL_DROP_ND_BAD);
		return;
	}
	known = ns ? got_ns(st, nif, &m, &p->src) : got_na(st, nif, &m);
	if (known)
		rl_pkt_free(&st->bufs, p);
	else
		rl_drop_pkt(st, p, RL_DROP_ICMP_NO_MATCH);
}
