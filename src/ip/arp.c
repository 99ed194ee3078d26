/* SPDX-License-Identifier: MIT */
/*
 * ARP [RFC826]: questions, answers, announcements.  What is heard goes to
 * neigh.c, in the order RFC 826 gives: an entry that is there is updated by any
 * message, a new one is made only when the message is for us.
 */
#include "ip/ip_int.h"
#include "wire/arp.h"

#define DEFEND_INTERVAL_NS	(10 * RL_SEC)	/* [RFC5227:2.4] */

static void send(struct rill_stack *st, struct rl_netif *nif, const struct arp_msg *m,
		 const uint8_t *mac)
{
	static const uint8_t all[ETH_ALEN] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	struct rill_pkt *p = rl_pkt_new(&st->bufs, ARP_LEN);

	if (!p) {
		rl_drop(st, RL_DROP_NO_MEMORY);
		return;
	}
	rl_arp_write(m, p->data);
	p->len = ARP_LEN;
	rl_eth_write(rl_pkt_push(p, ETH_HDR_LEN), mac ? mac : all, nif->mac, ETH_ARP);
	rl_netif_tx(st, nif, p, ETH_HDR_LEN);
}

void rl_arp_request(struct rill_stack *st, struct rl_netif *nif, const struct rill_ip *src,
		    const struct rill_ip *target, const uint8_t *mac)
{
	struct arp_msg m = { .op = ARP_REQUEST, .spa = *src, .tpa = *target };

	memcpy(m.sha, nif->mac, ETH_ALEN);
	send(st, nif, &m, mac);
	RL_CTR(st, neigh_solicits_out);
}

/* [RFC5227-01]: a request with our address on both sides */
void rl_arp_announce(struct rill_stack *st, struct rl_netif *nif, const struct rill_ip *ip)
{
	rl_arp_request(st, nif, ip, ip, NULL);
}

static void reply(struct rill_stack *st, struct rl_netif *nif, const struct arp_msg *q)
{
	struct arp_msg m = { .op = ARP_REPLY, .spa = q->tpa, .tpa = q->spa };

	memcpy(m.sha, nif->mac, ETH_ALEN);
	memcpy(m.tha, q->sha, ETH_ALEN);
	send(st, nif, &m, q->sha);		/* unicast [RFC826-02] */
	RL_CTR(st, neigh_replies_out);
}

/* Somebody else sends from our address: say so, not more than once in a while. */
static void defend(struct rill_stack *st, struct rl_netif *nif, const struct rill_ip *ip)
{
	if (st->now_ns < st->ip->arp_defended_ns + DEFEND_INTERVAL_NS)
		return;
	st->ip->arp_defended_ns = st->now_ns;
	rl_arp_announce(st, nif, ip);
}

static bool plausible(const struct rill_stack *st, const struct arp_msg *m)
{
	return !rl_eth_is_group(m->sha) && !rl_ip_is_mcast(&m->spa) &&
	       !rl_ip_is_loopback(&m->spa) && !rl_ip_is_broadcast(st, &m->spa);
}

static void act(struct rill_stack *st, struct rl_netif *nif, const struct arp_msg *m)
{
	bool for_us = rl_addr_find(nif, &m->tpa) != NULL;
	struct rl_neigh_news news = {
		.mac = m->sha, .override = true, .create = for_us,
		/* an announcement proves nothing; an answer to us does */
		.solicited = m->op == ARP_REPLY && for_us,
	};

	if (!rl_ip_is_any(&m->spa)) {			/* a probe has no sender */
		if (rl_addr_find(nif, &m->spa)) {
			defend(st, nif, &m->spa);
			return;
		}
		rl_neigh_learn(st, nif, &m->spa, &news);	/* [RFC826-01] */
	}
	if (for_us && m->op == ARP_REQUEST)		/* probes too [RFC5227-02] */
		reply(st, nif, m);
}

void rl_arp_input(struct rill_stack *st, struct rl_netif *nif, struct rill_pkt *p)
{
	struct arp_msg m;

	if (rl_pkt_pullup(&st->bufs, p, RL_MIN(rl_pkt_len(p), (uint32_t)ARP_LEN)) ||
	    rl_arp_parse(&m, p->data, p->len) || !plausible(st, &m)) {
		rl_drop_pkt(st, p, RL_DROP_ARP_BAD);
		return;
	}
	act(st, nif, &m);
	rl_pkt_free(&st->bufs, p);
}
