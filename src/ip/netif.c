/* SPDX-License-Identifier: MIT */
/*
 * Interfaces: their life, their transmit queues, the loopback interface, and the
 * one timer of this layer.
 *
 * Invariant: txq holds frames that the device can send as they are: link header
 * in front, cut and summed unless the device offers to do that.  Called by
 * stack/ and by the rest of ip/.
 */
#include <errno.h>

#include "buf/segment.h"
#include "ip/ip_int.h"

#define LOOP_BATCH	4096	/* packets in one go, then time goes on */

struct rl_netif *rl_netif_get(struct rill_stack *st, unsigned ifindex)
{
	struct rl_netif *nif;

	if (ifindex == 0 || ifindex > RL_MAX_IFS)
		return NULL;
	nif = &st->netif[ifindex - 1];
	return nif->ifindex ? nif : NULL;
}

static void setup(struct rl_netif *nif, unsigned ifindex, const struct rill_if_params *par)
{
	*nif = (struct rl_netif){
		.ifindex = (uint16_t)ifindex,
		.flags = par->flags,
		.mtu = par->mtu,
		.gso_max = par->gso_max ? par->gso_max : 65536,
	};
	memcpy(nif->name, par->name, sizeof(nif->name));
	memcpy(nif->mac, par->mac, sizeof(nif->mac));
	nif->txq_tail = &nif->txq_head;
}

static bool valid(const struct rill_if_params *par)
{
	if (par->mtu < 68 || par->mtu > 65535)
		return false;
	if (!par->name[0] || !memchr(par->name, 0, sizeof(par->name)))
		return false;
	return !(par->flags & RILL_IF_ETHER) || !rl_eth_is_group(par->mac);
}

int rl_netif_add(struct rill_stack *st, const struct rill_if_params *par)
{
	unsigned i = 0;

	if (!valid(par))
		return -EINVAL;
	while (i < RL_LO_IFINDEX - 1 && st->netif[i].ifindex)
		i++;
	if (i == RL_LO_IFINDEX - 1)
		return -ENOSPC;
	setup(&st->netif[i], i + 1, par);
	rl_routes_changed(st);
	return (int)i + 1;
}

int rl_netif_addr_add(struct rill_stack *st, unsigned ifindex,
		      const struct rill_ip *ip, unsigned prefix_len)
{
	struct rl_netif *nif = rl_netif_get(st, ifindex);

	return nif ? rl_addr_add(st, nif, ip, prefix_len) : -ENODEV;
}

bool rl_netif_has_group(const struct rl_netif *nif, const struct rill_ip *group)
{
	for (unsigned i = 0; i < nif->ngroups; i++)
		if (rl_ip_eq(&nif->group[i].ip, group))
			return true;
	return false;
}

/* ---- transmit queue ---- */

static void append(struct rl_netif *nif, struct rill_pkt *p)
{
	if ((p->flags & RL_PKT_CSUM_PARTIAL) && !(nif->flags & RILL_IF_TX_CSUM))
		rl_pkt_finish_csum(p);
	p->ifindex = nif->ifindex;
	p->next = NULL;
	*nif->txq_tail = p;
	nif->txq_tail = &p->next;
	nif->txq_len++;
}

void rl_netif_tx(struct rill_stack *st, struct rl_netif *nif, struct rill_pkt *p,
		 uint32_t link_len)
{
	uint32_t tso = p->gso == RL_GSO_TCP6 ? RILL_IF_TSO6 : RILL_IF_TSO4;

	if (RL_UNLIKELY(p->gso_size && !(nif->flags & tso))) {
		p = rl_segment(&st->bufs, p, link_len);
		if (!p) {
			rl_drop(st, RL_DROP_NO_MEMORY);
			return;
		}
	} else {
		p->next = NULL;
	}
	while (p) {
		struct rill_pkt *next = p->next;

		append(nif, p);
		p = next;
	}
}

/* ---- loopback ---- */

void rl_ip_loopback_later(struct rill_stack *st)
{
	if (st->ip->loop_head)
		rl_ip_arm(st, &st->ip->loop_timer, st->now_ns);
}

bool rl_ip_run_loopback(struct rill_stack *st)
{
	struct rl_ip_state *ip = st->ip;
	bool any = ip->loop_head != NULL;

	for (int n = 0; ip->loop_head && n < LOOP_BATCH; n++) {
		struct rill_pkt *p = ip->loop_head;

		ip->loop_head = p->next;
		if (!ip->loop_head)
			ip->loop_tail = &ip->loop_head;
		p->next = NULL;
		RL_CTR(st, link_in_frames);
		rl_ip_input(st, &st->netif[p->ifindex - 1], p);
	}
	rl_ip_loopback_later(st);
	return any;
}

/* ---- the timer ---- */

void rl_ip_arm(struct rill_stack *st, struct rl_timer *t, int64_t at_ns)
{
	struct rl_timerq *q = &st->ip->timers;
	int64_t next_ns;

	rl_timerq_set(q, t, at_ns);
	next_ns = rl_timerq_next(q);
	if (next_ns != st->ip_timer.at_ns)
		rl_timerq_set(&st->timers, &st->ip_timer, next_ns);
}

void rl_netif_arm(struct rill_stack *st, struct rl_netif *nif, int64_t at_ns)
{
	struct rl_timer *t = &st->ip->if_timer[nif->ifindex - 1];

	if (at_ns < t->at_ns)
		rl_ip_arm(st, t, at_ns);
}

static void netif_timer(struct rill_stack *st, unsigned slot)
{
	struct rl_netif *nif = &st->netif[slot];

	rl_netif_arm(st, nif, rl_addr_timer(st, nif));
	rl_netif_arm(st, nif, rl_group_timer(st, nif));
}

static void fire(struct rill_stack *st, struct rl_timer *t)
{
	switch ((enum rl_ip_timer_kind)t->kind) {
	case RL_IPT_NEIGH:
		rl_neigh_timer(st, container_of(t, struct rl_neigh, timer));
		break;
	case RL_IPT_REASM:
		rl_frag_timer(st, container_of(t, struct rl_reasm, timer));
		break;
	case RL_IPT_PMTU:
		rl_pmtu_timer(st, container_of(t, struct rl_pmtu, timer));
		break;
	case RL_IPT_IF:
		netif_timer(st, (unsigned)(t - st->ip->if_timer));
		break;
	case RL_IPT_LOOP:
		rl_ip_run_loopback(st);
		break;
	}
}

void rl_ip_timer(struct rill_stack *st)
{
	struct rl_timerq *q = &st->ip->timers;
	uint32_t budget = q->n + 1;	/* those re-armed at once wait a round */
	struct rl_timer *t;

	while (budget-- && (t = rl_timerq_pop(q, st->now_ns)) != NULL)
		fire(st, t);
	rl_timerq_set(&st->timers, &st->ip_timer, rl_timerq_next(q));
}

/* ---- life cycle ---- */

static int reserve_timers(struct rill_stack *st)
{
	struct rl_ip_state *ip = st->ip;
	int r = 0;

	for (unsigned i = 0; i < RL_MAX_IFS && !r; i++) {
		ip->if_timer[i] = (struct rl_timer){ RL_NEVER, 0, RL_IPT_IF };
		r = rl_timerq_reserve(&ip->timers);
	}
	ip->loop_timer = (struct rl_timer){ RL_NEVER, 0, RL_IPT_LOOP };
	if (!r)
		r = rl_timerq_reserve(&ip->timers);
	return r;
}

static int add_loopback(struct rill_stack *st)
{
	static const struct rill_if_params par = {
		.name = "lo", .mtu = RL_LO_MTU, .gso_max = RL_LO_MTU,
		.flags = RILL_IF_TX_CSUM | RILL_IF_TSO4 | RILL_IF_TSO6,
	};
	static const struct rill_ip lo6 = { .b = { [15] = 1 } };
	struct rl_netif *nif = &st->netif[RL_LO_IFINDEX - 1];
	struct rill_ip lo4 = rl_ip4(0x7f000001);
	int r;

	setup(nif, RL_LO_IFINDEX, &par);
	nif->loopback = true;
	r = rl_addr_add(st, nif, &lo4, 8);
	return r ? r : rl_addr_add(st, nif, &lo6, 128);
}

static void init_tables(struct rill_stack *st)
{
	struct rl_ip_state *ip = st->ip;

	rl_timerq_init(&ip->timers, &st->mem);
	rl_slab_init(&ip->neighs, &st->mem, sizeof(struct rl_neigh), UINT16_MAX);
	rl_slab_init(&ip->reasms, &st->mem, sizeof(struct rl_reasm), RL_REASM_MAX);
	rl_slab_init(&ip->pmtus, &st->mem, sizeof(struct rl_pmtu), RL_PMTU_MAX);
	list_init(&ip->reasm_age);
	ip->loop_tail = &ip->loop_head;
	ip->icmp_refill_ns = st->now_ns;
	ip->arp_defended_ns = INT64_MIN / 2;
	for (unsigned i = 0; i < RL_ICMP_HOSTS; i++)
		ip->icmp_host[i].last_ns = INT64_MIN / 2;
	for (unsigned i = 0; i < RL_ID_BUCKETS; i++)
		ip->id4[i] = (uint16_t)rl_rand64(&st->rand);
}

int rl_ip_init(struct rill_stack *st)
{
	int r;

	st->ip = rl_mem_alloc(&st->mem, sizeof(*st->ip));
	if (!st->ip)
		return -ENOMEM;
	st->route_gen = 1;
	init_tables(st);
	st->ip->icmp_tokens = INT64_C(1000) * RL_CFG(st, icmp_msgs_burst);
	st->ip_timer = (struct rl_timer){ RL_NEVER, 0, RL_TIMER_IP };
	r = rl_timerq_reserve(&st->timers);
	if (!r)
		r = reserve_timers(st);
	if (!r)
		r = add_loopback(st);
	if (r)
		rl_ip_destroy(st);
	return r;
}

static void free_list(struct rill_stack *st, struct rill_pkt *p)
{
	while (p) {
		struct rill_pkt *next = p->next;

		rl_pkt_free(&st->bufs, p);
		p = next;
	}
}

void rl_ip_destroy(struct rill_stack *st)
{
	struct rl_ip_state *ip = st->ip;

	if (!ip)
		return;
	for (unsigned i = 0; i < RL_MAX_IFS; i++)
		free_list(st, st->netif[i].txq_head);
	free_list(st, ip->loop_head);
	rl_neigh_flush(st);
	rl_frag_flush(st);
	rl_slab_destroy(&ip->neighs);
	rl_slab_destroy(&ip->reasms);
	rl_slab_destroy(&ip->pmtus);
	rl_timerq_destroy(&ip->timers);
	rl_mem_free(&st->mem, ip, sizeof(*ip));
	st->ip = NULL;
}
