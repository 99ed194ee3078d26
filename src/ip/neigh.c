/* SPDX-License-Identifier: MIT */
/*
 * Neighbours on Ethernet links, one state machine for ARP and neighbour
 * discovery [RFC4861:7.3.2] [RFC826].  arp.c and nd.c speak the two protocols and
 * report here what they heard.
 *
 *	NEW -> INCOMPLETE -> REACHABLE -> STALE -> DELAY -> PROBE -> FAILED
 *
 * INCOMPLETE and PROBE ask, once in retrans_time_ms [RFC1122-47].  A packet to a
 * STALE neighbour goes out at once and starts DELAY; progress of TCP
 * (rl_ip_confirm) makes asking unnecessary.  FAILED stays for a while, so that
 * routes avoid a dead gateway, and refuses packets for one retrans_time_ms; the
 * next packet after that asks again.
 *
 * Invariants: packets wait (q_head) only in INCOMPLETE; a timer is armed in all
 * states but NEW, STALE and STATIC; each entry holds one slot of ip->timers.
 */
#include <errno.h>

#include "ip/ip_int.h"

#define FAILED_KEEP_NS		(30 * RL_SEC)
#define EVICT_LOOKS		32	/* candidates that are compared */

/* ---- table ---- */

static uint32_t *bucket(struct rill_stack *st, uint16_t ifindex, const struct rill_ip *ip)
{
	uint64_t key[3] = { ip->q[0], ip->q[1], ifindex };

	return &st->ip->neigh_bucket[rl_siphash13(&st->hash_key, key, sizeof(key)) %
				     RL_NEIGH_BUCKETS];
}

struct rl_neigh *rl_neigh_find(struct rill_stack *st, uint16_t ifindex,
			       const struct rill_ip *ip)
{
	uint32_t at = *bucket(st, ifindex, ip);

	while (at) {
		struct rl_neigh *n = rl_slab_at(&st->ip->neighs, at - 1);

		if (n->ifindex == ifindex && rl_ip_eq(&n->ip, ip))
			return n;
		at = n->hash_next;
	}
	return NULL;
}

static void unhash(struct rill_stack *st, const struct rl_neigh *n)
{
	uint32_t *at = bucket(st, n->ifindex, &n->ip);

	while (*at != n->obj.idx + 1) {
		struct rl_neigh *prev = rl_slab_at(&st->ip->neighs, *at - 1);

		at = &prev->hash_next;
	}
	*at = n->hash_next;
}

static void drop_queue(struct rill_stack *st, struct rl_neigh *n)
{
	struct rill_pkt *p = n->q_head;

	while (p) {
		struct rill_pkt *next = p->next;

		rl_drop_pkt(st, p, RL_DROP_NEIGH_FAILED);
		p = next;
	}
	n->q_head = NULL;
	n->q_tail = &n->q_head;
	n->q_len = 0;
}

static void free_entry(struct rill_stack *st, struct rl_neigh *n)
{
	unhash(st, n);
	drop_queue(st, n);
	rl_ip_arm(st, &n->timer, RL_NEVER);
	rl_timerq_release(&st->ip->timers);
	rl_slab_free(&st->ip->neighs, n);
}

static bool evictable(const struct rl_neigh *n)
{
	return n->state != RL_NEIGH_STATIC && n->state != RL_NEIGH_INCOMPLETE;
}

/* Give up the entry that was used longest ago, among some from the hand on. */
static bool evict(struct rill_stack *st)
{
	struct rl_slab *s = &st->ip->neighs;
	struct rl_neigh *oldest = NULL;
	uint32_t looked = 0, end = rl_slab_end(s);

	for (uint32_t i = 0; i < end && looked < EVICT_LOOKS; i++) {
		uint32_t idx = (st->ip->neigh_hand + i) % end;
		struct rl_neigh *n = rl_slab_live(s, idx);

		if (!n || !evictable(n))
			continue;
		looked++;
		if (!oldest || n->used_ns < oldest->used_ns)
			oldest = n;
	}
	if (!oldest)
		return false;
	st->ip->neigh_hand = oldest->obj.idx + 1;
	free_entry(st, oldest);
	return true;
}

static struct rl_neigh *new_entry(struct rill_stack *st, uint16_t ifindex,
				  const struct rill_ip *ip)
{
	struct rl_ip_state *s = st->ip;
	struct rl_neigh *n;
	uint32_t *at;

	while (s->neighs.in_use >= (uint32_t)RL_CFG(st, neigh_max))
		if (!evict(st))
			return NULL;
	if (rl_timerq_reserve(&s->timers))
		return NULL;
	n = rl_slab_alloc(&s->neighs);
	if (!n) {
		rl_timerq_release(&s->timers);
		return NULL;
	}
	n->timer = (struct rl_timer){ RL_NEVER, 0, RL_IPT_NEIGH };
	n->ip = *ip;
	n->ifindex = ifindex;
	n->q_tail = &n->q_head;
	n->used_ns = st->now_ns;
	at = bucket(st, ifindex, ip);
	n->hash_next = *at;
	*at = n->obj.idx + 1;
	return n;
}

struct rl_neigh *rl_neigh_get(struct rill_stack *st, uint16_t ifindex,
			      const struct rill_ip *ip)
{
	struct rl_neigh *n = rl_neigh_find(st, ifindex, ip);

	return n ? n : new_entry(st, ifindex, ip);
}

void rl_neigh_flush(struct rill_stack *st)
{
	struct rl_slab *s = &st->ip->neighs;

	for (uint32_t i = 0; i < rl_slab_end(s); i++) {
		struct rl_neigh *n = rl_slab_live(s, i);

		if (n)
			free_entry(st, n);
	}
}

/* ---- states ---- */

static void set_state(struct rill_stack *st, struct rl_neigh *n,
		      enum rl_neigh_state state, int64_t at_ns)
{
	n->state = (uint8_t)state;
	rl_ip_arm(st, &n->timer, at_ns);
}

static int64_t retrans_at(const struct rill_stack *st)
{
	return st->now_ns + RL_CFG(st, neigh_retrans_ms) * RL_MS;
}

/* Ask; the source is one of the link's, or that of the packet that waits. */
static void solicit(struct rill_stack *st, struct rl_neigh *n, const uint8_t *mac)
{
	struct rl_netif *nif = rl_netif_get(st, n->ifindex);
	const struct rl_if_addr *a = rl_addr_on_if(nif, &n->ip);
	struct rill_ip src;

	n->probes++;
	if (a)
		src = a->ip;
	else if (n->q_head)
		src = n->q_head->src;
	else
		return;
	if (rl_ip_is4(&n->ip))
		rl_arp_request(st, nif, &src, &n->ip, mac);
	else
		rl_nd_solicit(st, nif, &src, &n->ip, mac);
}

static void start_resolution(struct rill_stack *st, struct rl_neigh *n)
{
	n->probes = 0;
	set_state(st, n, RL_NEIGH_INCOMPLETE, retrans_at(st));
	solicit(st, n, NULL);
}

static void flush_queue(struct rill_stack *st, struct rl_neigh *n)
{
	struct rl_netif *nif = rl_netif_get(st, n->ifindex);
	struct rill_pkt *p = n->q_head;

	n->q_head = NULL;
	n->q_tail = &n->q_head;
	n->q_len = 0;
	while (p) {
		struct rill_pkt *next = p->next;

		rl_ip_xmit(st, nif, p, n->mac);
		p = next;
	}
}

/* Half to one and a half of the base time [RFC4861:6.3.2]. */
static void reachable(struct rill_stack *st, struct rl_neigh *n)
{
	int64_t base_ns = RL_CFG(st, neigh_reachable_ms) * RL_MS;

	n->confirmed_ns = st->now_ns;
	if (n->state == RL_NEIGH_REACHABLE)
		return;				/* its timer looks at confirmed_ns */
	n->reachable_ns = base_ns / 2 + base_ns / 1024 * rl_rand_below(&st->rand, 1024);
	set_state(st, n, RL_NEIGH_REACHABLE, st->now_ns + n->reachable_ns);
	flush_queue(st, n);
}

static void stale(struct rill_stack *st, struct rl_neigh *n)
{
	set_state(st, n, RL_NEIGH_STALE, RL_NEVER);
	flush_queue(st, n);
}

static bool is_gateway(const struct rill_stack *st, const struct rl_neigh *n)
{
	const struct rl_ip_state *ip = st->ip;

	for (uint32_t i = 0; i < ip->nroutes; i++)
		if (ip->route[i].has_gw && ip->route[i].ifindex == n->ifindex &&
		    rl_ip_eq(&ip->route[i].gw, &n->ip))
			return true;
	return false;
}

/* Tell the transport of @p that nobody is there, as if a router had said so. */
static void report_unreachable(struct rill_stack *st, struct rill_pkt *p)
{
	bool v4 = rl_ip_is4(&p->dst);
	struct rl_icmp_err e = {
		.src = p->src, .dst = p->dst, .proto = p->proto,
		.kind = RL_ICMP_SOFT, .err = EHOSTUNREACH,
		.type = v4 ? ICMP4_UNREACH : ICMP6_UNREACH,
		.code = v4 ? (uint8_t)ICMP4_UNREACH_HOST : (uint8_t)ICMP6_UNREACH_ADDR,
		.quote = p->data + p->l3_len, .quote_len = p->len - p->l3_len,
	};

	if (p->len < p->l3_len + 8)
		return;
	if (p->proto == RL_PROTO_TCP && st->tcp_proto.icmp)
		st->tcp_proto.icmp(st, &e);
	else if (p->proto == RL_PROTO_UDP && st->udp_proto.icmp)
		st->udp_proto.icmp(st, &e);
	else if (p->proto == (v4 ? RL_PROTO_ICMP : RL_PROTO_ICMP6) && st->ping_proto.icmp)
		st->ping_proto.icmp(st, &e);
}

/* After this @n may be gone: transports were called. */
static void fail(struct rill_stack *st, struct rl_neigh *n, int64_t refuse_from_ns)
{
	struct rill_pkt *p = n->q_head;

	n->q_head = NULL;
	n->q_tail = &n->q_head;
	n->q_len = 0;
	n->confirmed_ns = refuse_from_ns;
	set_state(st, n, RL_NEIGH_FAILED, st->now_ns + FAILED_KEEP_NS);
	RL_CTR(st, neigh_failures);
	if (is_gateway(st, n))
		rl_routes_changed(st);		/* another one may serve */
	while (p) {
		struct rill_pkt *next = p->next;

		report_unreachable(st, p);	/* [RFC4861-06] */
		rl_drop_pkt(st, p, RL_DROP_NEIGH_FAILED);
		p = next;
	}
}

static void probe(struct rill_stack *st, struct rl_neigh *n)
{
	set_state(st, n, RL_NEIGH_PROBE, retrans_at(st));
	solicit(st, n, n->mac);
}

void rl_neigh_timer(struct rill_stack *st, struct rl_neigh *n)
{
	switch ((enum rl_neigh_state)n->state) {
	case RL_NEIGH_INCOMPLETE:
		if (n->probes >= RL_CFG(st, neigh_mcast_solicit)) {
			fail(st, n, st->now_ns);
		} else {
			set_state(st, n, RL_NEIGH_INCOMPLETE, retrans_at(st));
			solicit(st, n, NULL);
		}
		break;
	case RL_NEIGH_REACHABLE:
		if (st->now_ns < n->confirmed_ns + n->reachable_ns)
			rl_ip_arm(st, &n->timer, n->confirmed_ns + n->reachable_ns);
		else
			stale(st, n);		/* [RFC1122-48] */
		break;
	case RL_NEIGH_DELAY:
		n->probes = 0;
		probe(st, n);
		break;
	case RL_NEIGH_PROBE:			/* [RFC4861-09] */
		if (n->probes >= RL_CFG(st, neigh_ucast_solicit))
			fail(st, n, INT64_MIN / 2);	/* may be asked by all at once */
		else
			probe(st, n);
		break;
	case RL_NEIGH_FAILED:
		if (is_gateway(st, n))
			rl_routes_changed(st);
		free_entry(st, n);
		break;
	case RL_NEIGH_NEW:
	case RL_NEIGH_STALE:
	case RL_NEIGH_STATIC:
		break;
	}
}

/* ---- sending ---- */

static void enqueue(struct rill_stack *st, struct rl_neigh *n, struct rill_pkt *p)
{
	while (n->q_len >= (uint32_t)RL_CFG(st, neigh_queue)) {	/* the oldest goes [RFC826-03] */
		struct rill_pkt *old = n->q_head;

		n->q_head = old->next;
		if (!n->q_head)
			n->q_tail = &n->q_head;
		n->q_len--;
		rl_drop_pkt(st, old, RL_DROP_NEIGH_QUEUE);
	}
	p->next = NULL;				/* [RFC1122-49] */
	*n->q_tail = p;
	n->q_tail = &p->next;
	n->q_len++;
}

static void wait_for_answer(struct rill_stack *st, struct rl_neigh *n, struct rill_pkt *p)
{
	enqueue(st, n, p);
	if (n->state != RL_NEIGH_INCOMPLETE)
		start_resolution(st, n);
}

int rl_neigh_output(struct rill_stack *st, struct rl_neigh *n, struct rill_pkt *p)
{
	n->used_ns = st->now_ns;
	switch ((enum rl_neigh_state)n->state) {
	case RL_NEIGH_FAILED:
		if (st->now_ns < n->confirmed_ns + RL_CFG(st, neigh_retrans_ms) * RL_MS) {
			rl_drop_pkt(st, p, RL_DROP_NEIGH_FAILED);
			return -EHOSTUNREACH;
		}
		wait_for_answer(st, n, p);
		return 0;
	case RL_NEIGH_NEW:
	case RL_NEIGH_INCOMPLETE:
		wait_for_answer(st, n, p);
		return 0;
	case RL_NEIGH_STALE:
		set_state(st, n, RL_NEIGH_DELAY,
			  st->now_ns + RL_CFG(st, neigh_delay_probe_s) * RL_SEC);
		break;
	case RL_NEIGH_REACHABLE:
	case RL_NEIGH_DELAY:
	case RL_NEIGH_PROBE:
	case RL_NEIGH_STATIC:
		break;
	}
	rl_ip_xmit(st, rl_netif_get(st, n->ifindex), p, n->mac);
	return 0;
}

/* ---- hearing ---- */

static void learn_known(struct rill_stack *st, struct rl_neigh *n,
			const struct rl_neigh_news *news)
{
	bool differs = news->mac && memcmp(n->mac, news->mac, ETH_ALEN);

	if (differs && !news->override) {		/* [RFC4861-08] */
		if (n->state == RL_NEIGH_REACHABLE)
			stale(st, n);
		return;
	}
	if (differs)
		memcpy(n->mac, news->mac, ETH_ALEN);
	if (news->solicited)
		reachable(st, n);
	else if (differs)		/* heard, not proven [RFC4861-10] */
		stale(st, n);
}

void rl_neigh_learn(struct rill_stack *st, struct rl_netif *nif, const struct rill_ip *ip,
		    const struct rl_neigh_news *news)
{
	struct rl_neigh *n = rl_neigh_find(st, nif->ifindex, ip);

	if (!n && news->create && news->mac)
		n = new_entry(st, nif->ifindex, ip);
	if (!n || n->state == RL_NEIGH_STATIC)
		return;
	if (n->state != RL_NEIGH_NEW && n->state != RL_NEIGH_INCOMPLETE &&
	    n->state != RL_NEIGH_FAILED) {
		learn_known(st, n, news);
		return;
	}
	if (!news->mac)
		return;
	memcpy(n->mac, news->mac, ETH_ALEN);
	if (n->state == RL_NEIGH_FAILED && is_gateway(st, n))
		rl_routes_changed(st);
	if (news->solicited && n->state == RL_NEIGH_INCOMPLETE)
		reachable(st, n);
	else
		stale(st, n);
}

static struct rl_neigh *of_flow(struct rill_stack *st, const struct rl_flow *f)
{
	if (f->d.gen == 0 || f->d.neigh == RL_SLAB_NONE)
		return NULL;
	return rl_slab_find(&st->ip->neighs, f->d.neigh, f->d.neigh_gen);
}

void rl_ip_confirm(struct rill_stack *st, struct rl_flow *f)
{
	struct rl_neigh *n = of_flow(st, f);

	if (!n)
		return;
	if (RL_LIKELY(n->state == RL_NEIGH_REACHABLE))
		n->confirmed_ns = st->now_ns;
	else if (n->state == RL_NEIGH_STALE || n->state == RL_NEIGH_DELAY ||
		 n->state == RL_NEIGH_PROBE)
		reachable(st, n);
}

void rl_ip_suspect(struct rill_stack *st, struct rl_flow *f)
{
	struct rl_neigh *n = of_flow(st, f);

	f->d.gen = 0;			/* and look for another route */
	if (!n)
		return;
	if (n->state == RL_NEIGH_REACHABLE || n->state == RL_NEIGH_STALE ||
	    n->state == RL_NEIGH_DELAY) {
		n->probes = 0;
		probe(st, n);
	}
}

int rl_neigh_add_static(struct rill_stack *st, unsigned ifindex,
			const struct rill_ip *ip, const uint8_t mac[6])
{
	struct rl_netif *nif = rl_netif_get(st, ifindex);
	struct rl_neigh *n;

	if (!nif)
		return -ENODEV;
	if (!(nif->flags & RILL_IF_ETHER) || rl_ip_is_any(ip) || rl_ip_is_mcast(ip) ||
	    rl_eth_is_group(mac) || rl_ip_is_ours(st, ip))
		return -EINVAL;
	n = rl_neigh_get(st, nif->ifindex, ip);
	if (!n)
		return -ENOMEM;
	memcpy(n->mac, mac, ETH_ALEN);
	set_state(st, n, RL_NEIGH_STATIC, RL_NEVER);
	flush_queue(st, n);
	return 0;
}
