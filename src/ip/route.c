/* SPDX-License-Identifier: MIT */
/*
 * Routes: longest prefix first in one small array, on-link prefixes among them.
 *
 * st->route_gen names the present state of routes, addresses and path MTUs; a
 * flow that remembers another one asks again.  Of several gateways to the same
 * prefix the first that is not known to be dead is taken [RFC1122-28]: a
 * neighbour that failed counts as dead until it is asked again.
 * Redirects are not believed (ip/icmp_in.c), so routes change by calls only.
 */
#include <errno.h>

#include "ip/ip_int.h"

void rl_routes_changed(struct rill_stack *st)
{
	if (++st->route_gen == 0)
		st->route_gen = 1;
}

static bool same_route(const struct rl_route *a, const struct rl_route *b)
{
	return a->v4 == b->v4 && a->prefix_len == b->prefix_len &&
	       a->ifindex == b->ifindex && a->has_gw == b->has_gw &&
	       rl_ip_eq(&a->gw, &b->gw) &&
	       rl_prefix_eq(&a->dst, &b->dst, rl_plen128(&a->dst, a->prefix_len));
}

/* Behind those of the same length, so that the first one added is preferred. */
static int insert(struct rill_stack *st, const struct rl_route *r)
{
	struct rl_ip_state *ip = st->ip;
	uint32_t at = 0;

	if (ip->nroutes == RL_MAX_ROUTES)
		return -ENOSPC;
	for (uint32_t i = 0; i < ip->nroutes; i++)
		if (same_route(&ip->route[i], r))
			return -EEXIST;
	while (at < ip->nroutes && ip->route[at].prefix_len >= r->prefix_len)
		at++;
	memmove(&ip->route[at + 1], &ip->route[at],
		(ip->nroutes - at) * sizeof(ip->route[0]));
	ip->route[at] = *r;
	ip->nroutes++;
	rl_routes_changed(st);
	return 0;
}

/* The interface on whose link @gw is; 0: none. */
static uint16_t gateway_link(struct rill_stack *st, const struct rill_ip *gw,
			     uint16_t ifindex)
{
	const struct rl_route *r = rl_route_lookup(st, gw, ifindex);

	return r && !r->has_gw ? r->ifindex : 0;
}

int rl_route_add(struct rill_stack *st, const struct rill_ip *dst, unsigned prefix_len,
		 const struct rill_ip *gateway, unsigned ifindex)
{
	struct rl_route r = { .dst = *dst, .prefix_len = (uint8_t)prefix_len,
			      .v4 = rl_ip_is4(dst), .ifindex = (uint16_t)ifindex };

	if (prefix_len > (r.v4 ? 32u : 128u) || rl_ip_is_mcast(dst))
		return -EINVAL;
	if (ifindex && !rl_netif_get(st, ifindex))
		return -EINVAL;
	if (!gateway)
		return ifindex ? insert(st, &r) : -EINVAL;
	if (rl_ip_is4(gateway) != r.v4 || rl_ip_is_any(gateway) || rl_ip_is_mcast(gateway))
		return -EINVAL;
	r.has_gw = true;
	r.gw = *gateway;
	r.ifindex = gateway_link(st, gateway, (uint16_t)ifindex);
	if (!r.ifindex || rl_ip_is_ours(st, gateway))
		return -ENETUNREACH;
	return insert(st, &r);
}

static bool dead(struct rill_stack *st, const struct rl_route *r)
{
	const struct rl_neigh *n;

	if (!r->has_gw)
		return false;
	n = rl_neigh_find(st, r->ifindex, &r->gw);
	return n && n->state == RL_NEIGH_FAILED;
}

const struct rl_route *rl_route_lookup(struct rill_stack *st, const struct rill_ip *dst,
				       uint16_t ifindex)
{
	const struct rl_ip_state *ip = st->ip;
	const struct rl_route *fallback = NULL;
	bool v4 = rl_ip_is4(dst);

	for (uint32_t i = 0; i < ip->nroutes; i++) {
		const struct rl_route *r = &ip->route[i];

		if (fallback && r->prefix_len < fallback->prefix_len)
			break;
		if (r->v4 != v4 || (ifindex && r->ifindex != ifindex) ||
		    !rl_prefix_eq(&r->dst, dst, rl_plen128(dst, r->prefix_len)))
			continue;
		if (!dead(st, r))
			return r;
		if (!fallback)
			fallback = r;
	}
	return fallback;
}

/* ---- flows ---- */

/* The interface for a group or broadcast address nobody routed. */
static uint16_t group_link(struct rill_stack *st, const struct rl_flow *f)
{
	const struct rl_ip_state *ip = st->ip;
	const struct rl_route *r;

	if (f->bound_if)
		return f->bound_if;
	for (uint32_t i = 0; i < ip->nown; i++)
		if (rl_ip_eq(&ip->own[i].ip, &f->src) &&
		    ip->own[i].ifindex != RL_LO_IFINDEX)
			return ip->own[i].ifindex;
	r = rl_route_lookup(st, &f->dst, 0);
	if (r)
		return r->ifindex;
	for (unsigned i = 1; i < RL_LO_IFINDEX; i++)
		if (rl_netif_get(st, i))
			return (uint16_t)i;
	return 0;
}

/* The interface whose broadcast address @dst is; 0: of none (255.255.255.255). */
static uint16_t broadcast_link(const struct rill_stack *st, const struct rill_ip *dst)
{
	const struct rl_ip_state *ip = st->ip;

	if (rl_ip_get4(dst) == UINT32_MAX)
		return 0;
	for (uint32_t i = 0; i < ip->nown; i++) {
		const struct rl_own *o = &ip->own[i];

		if (rl_ip_is4(&o->ip) && o->ifindex != RL_LO_IFINDEX &&
		    rl_prefix_eq(&o->ip, dst, rl_plen128(dst, o->prefix_len)))
			return o->ifindex;
	}
	return 0;
}

static int route_group(struct rill_stack *st, struct rl_flow *f, uint8_t cast)
{
	uint16_t ifindex = 0;
	struct rl_netif *nif;

	if (cast == RL_PKT_IP_BCAST)
		ifindex = broadcast_link(st, &f->dst);
	if (!ifindex)
		ifindex = group_link(st, f);
	nif = rl_netif_get(st, ifindex);
	if (!nif)
		return -ENETUNREACH;
	f->d = (struct rl_dst){ .gen = st->route_gen, .ifindex = ifindex, .cast = cast,
				.neigh = RL_SLAB_NONE, .mtu = nif->mtu };
	return 0;
}

static int route_unicast(struct rill_stack *st, struct rl_flow *f)
{
	const struct rl_route *r = rl_route_lookup(st, &f->dst, f->bound_if);
	struct rl_netif *nif = r ? rl_netif_get(st, r->ifindex) : NULL;
	struct rl_neigh *n;
	bool no_df;

	if (!nif)
		return -ENETUNREACH;
	f->d = (struct rl_dst){ .gen = st->route_gen, .ifindex = r->ifindex,
				.neigh = RL_SLAB_NONE };
	f->d.mtu = rl_pmtu_get(st, &f->dst, nif->mtu, &no_df);
	f->d.no_df = no_df;
	if (!(nif->flags & RILL_IF_ETHER))
		return 0;
	/* local or remote is decided by the mask [RFC1122-27] */
	n = rl_neigh_get(st, r->ifindex, r->has_gw ? &r->gw : &f->dst);
	if (n) {
		f->d.neigh = n->obj.idx;
		f->d.neigh_gen = n->obj.gen;
	}
	return 0;
}

int rl_ip_route(struct rill_stack *st, struct rl_flow *f)
{
	f->d.gen = 0;
	if (rl_ip_is_mcast(&f->dst))
		return route_group(st, f, RL_PKT_IP_MCAST);
	if (rl_ip_is_broadcast(st, &f->dst))
		return route_group(st, f, RL_PKT_IP_BCAST);
	if (rl_ip_is_any(&f->dst))
		return -ENETUNREACH;
	if (!rl_ip_is_ours(st, &f->dst))
		return route_unicast(st, f);
	f->d = (struct rl_dst){ .gen = st->route_gen, .ifindex = RL_LO_IFINDEX,
				.local = true, .neigh = RL_SLAB_NONE, .mtu = RL_LO_MTU };
	return 0;
}

uint32_t rl_ip_if_mtu(const struct rill_stack *st, const struct rl_dst *d)
{
	if (!d->ifindex || d->ifindex > RL_MAX_IFS)
		return 0;
	return st->netif[d->ifindex - 1].mtu;
}

uint32_t rl_ip_gso_max(const struct rill_stack *st, const struct rl_flow *f)
{
	bool v4 = rl_ip_is4(&f->dst);
	const struct rl_netif *nif;

	if (!f->d.ifindex || f->d.ifindex > RL_MAX_IFS)
		return 0;
	nif = &st->netif[f->d.ifindex - 1];
	if (!(nif->flags & (v4 ? RILL_IF_TSO4 : RILL_IF_TSO6)))
		return 0;
	/* lengths above 16 bits only where the device was made for them */
	if (nif->gso_max <= 65536)
		return RL_MIN(nif->gso_max, (uint32_t)IPV4_MAX_LEN);
	return v4 ? nif->gso_max : IPV4_MAX_LEN + IPV6_HDR_LEN;
}
