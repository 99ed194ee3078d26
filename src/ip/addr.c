/* SPDX-License-Identifier: MIT */
/*
 * Our addresses: what we answer to, which one we send from, and whether somebody
 * else has them already.
 *
 * The addresses of the interfaces are the truth; ip->own and ip->bcast are flat
 * copies of the usable ones, rebuilt on every change, because every packet asks.
 * We are a weak end system [RFC1122:3.3.4.2]: an address of ours is ours on
 * every interface, as on Linux.
 *
 * IPv6 addresses on Ethernet are tentative until duplicate address detection
 * [RFC4862:5.4] is through.  IPv4 addresses are announced twice and defended
 * [RFC5227:2.3] but not probed first: that takes seconds at every start, and
 * Linux does not do it either.
 */
#include <errno.h>

#include "ip/ip_int.h"

#define ANNOUNCEMENTS		2		/* [RFC5227:1.1] */
#define ANNOUNCE_INTERVAL_NS	(2 * RL_SEC)

bool rl_prefix_eq(const struct rill_ip *a, const struct rill_ip *b, unsigned bits)
{
	unsigned bytes = bits / 8, rest = bits % 8;

	if (memcmp(a->b, b->b, bytes))
		return false;
	return !rest || (a->b[bytes] ^ b->b[bytes]) >> (8 - rest) == 0;
}

static bool usable(const struct rl_if_addr *a)
{
	return !a->tentative && !a->duplicate;
}

/* ---- the flat copies ---- */

/* {net, -1} and the old form {net, 0} [RFC1122-35]. */
static void note_broadcast(struct rl_ip_state *ip, const struct rl_if_addr *a)
{
	uint32_t host, mask;

	if (a->prefix_len == 0 || a->prefix_len > 30)
		return;
	host = rl_ip_get4(&a->ip);
	mask = UINT32_MAX << (32 - a->prefix_len);
	ip->bcast[ip->nbcast++] = rl_ip4(host | ~mask);
	ip->bcast[ip->nbcast++] = rl_ip4(host & mask);
}

static void note_own(struct rl_ip_state *ip, const struct rl_netif *nif,
		     const struct rl_if_addr *a)
{
	ip->own[ip->nown++] = (struct rl_own){ a->ip, nif->ifindex, a->prefix_len };
	if (rl_ip_is4(&a->ip) && !nif->loopback)
		note_broadcast(ip, a);
}

void rl_addr_rebuild(struct rill_stack *st)
{
	struct rl_ip_state *ip = st->ip;

	ip->nown = ip->nbcast = 0;
	for (unsigned i = 0; i < RL_MAX_IFS; i++) {
		struct rl_netif *nif = &st->netif[i];

		for (unsigned k = 0; nif->ifindex && k < nif->naddrs; k++)
			if (usable(&nif->addr[k]))
				note_own(ip, nif, &nif->addr[k]);
	}
	rl_routes_changed(st);
}

bool rl_ip_is_ours(const struct rill_stack *st, const struct rill_ip *ip)
{
	const struct rl_ip_state *s = st->ip;

	for (uint32_t i = 0; i < s->nown; i++)
		if (rl_ip_eq(&s->own[i].ip, ip))
			return true;
	return rl_ip_is_loopback(ip);	/* all of 127/8 */
}

bool rl_ip_is_broadcast(const struct rill_stack *st, const struct rill_ip *ip)
{
	const struct rl_ip_state *s = st->ip;

	if (!rl_ip_is4(ip))
		return false;
	if (rl_ip_get4(ip) == UINT32_MAX)
		return true;
	for (uint32_t i = 0; i < s->nbcast; i++)
		if (rl_ip_eq(&s->bcast[i], ip))
			return true;
	return false;
}

struct rl_if_addr *rl_addr_find(struct rl_netif *nif, const struct rill_ip *ip)
{
	for (unsigned i = 0; i < nif->naddrs; i++)
		if (rl_ip_eq(&nif->addr[i].ip, ip))
			return &nif->addr[i];
	return NULL;
}

/* ---- choosing a source [RFC6724-01] ---- */

enum scope { SCOPE_HOST = 1, SCOPE_LINK = 2, SCOPE_SITE = 5, SCOPE_GLOBAL = 14 };

static unsigned scope_of(const struct rill_ip *ip)
{
	if (rl_ip_is_loopback(ip))
		return SCOPE_HOST;
	if (rl_ip_is4(ip))	/* [RFC6724:3.2] */
		return ip->b[12] == 169 && ip->b[13] == 254 ? SCOPE_LINK : SCOPE_GLOBAL;
	if (rl_ip_is_mcast(ip))
		return ip->b[1] & 0xf;
	return rl_ip_is_linklocal(ip) ? SCOPE_LINK : SCOPE_GLOBAL;
}

/* The default policy table's labels that differ in practice [RFC6724:2.1]. */
static unsigned label_of(const struct rill_ip *ip)
{
	if (rl_ip_is4(ip))
		return 4;
	if ((ip->b[0] & 0xfe) == 0xfc)
		return 13;
	if (get16(ip->b) == 0x2002)
		return 2;
	return 1;
}

static unsigned common_bits(const struct rill_ip *a, const struct rill_ip *b)
{
	unsigned n = 0;

	while (n < 128 && rl_prefix_eq(a, b, n + 1))
		n++;
	return n;
}

/* True when @a beats @b, which came first, as the source towards @dst. */
static bool better_source(const struct rl_own *a, const struct rl_own *b,
			  const struct rill_ip *dst)
{
	unsigned sa = scope_of(&a->ip), sb = scope_of(&b->ip), sd = scope_of(dst);
	bool la = label_of(&a->ip) == label_of(dst);
	bool lb = label_of(&b->ip) == label_of(dst);

	if (sa != sb)				/* rule 2 */
		return sa < sb ? sa >= sd : sb < sd;
	if (la != lb)				/* rule 6 */
		return la;
	return RL_MIN(common_bits(&a->ip, dst), rl_plen128(&a->ip, a->prefix_len)) >
	       RL_MIN(common_bits(&b->ip, dst), rl_plen128(&b->ip, b->prefix_len));
}

/* Best of our addresses on @ifindex; 0: on any but the loopback interface. */
static const struct rl_own *best_on(const struct rill_stack *st, uint16_t ifindex,
				    const struct rill_ip *dst)
{
	const struct rl_ip_state *ip = st->ip;
	const struct rl_own *best = NULL;

	for (uint32_t i = 0; i < ip->nown; i++) {
		const struct rl_own *o = &ip->own[i];

		if (rl_ip_is4(&o->ip) != rl_ip_is4(dst))
			continue;
		if (ifindex ? o->ifindex != ifindex : o->ifindex == RL_LO_IFINDEX)
			continue;
		if (!best || better_source(o, best, dst))
			best = o;
	}
	return best;
}

int rl_ip_select_source(struct rill_stack *st, const struct rill_ip *dst,
			uint16_t ifindex, struct rill_ip *src)
{
	struct rl_flow f = { .dst = *dst, .bound_if = ifindex };
	const struct rl_own *o;
	int r;

	if (rl_ip_is_ours(st, dst)) {		/* rule 1 */
		*src = *dst;
		return 0;
	}
	f.src = rl_ip_is4(dst) ? rl_ip4(0) : (struct rill_ip){ .q = { 0 } };
	r = rl_ip_route(st, &f);
	if (r) {				/* as Linux: connect() that fails counts too */
		RL_CTR(st, ip_out_no_routes);
		return r;
	}
	o = best_on(st, f.d.ifindex, dst);	/* rule 5 */
	if (!o)
		o = best_on(st, 0, dst);
	if (!o)
		return -EADDRNOTAVAIL;
	*src = o->ip;
	return 0;
}

const struct rl_if_addr *rl_addr_on_if(const struct rl_netif *nif,
				       const struct rill_ip *near)
{
	const struct rl_if_addr *any = NULL;

	for (unsigned i = 0; i < nif->naddrs; i++) {
		const struct rl_if_addr *a = &nif->addr[i];

		if (!usable(a) || rl_ip_is4(&a->ip) != rl_ip_is4(near))
			continue;
		if (rl_prefix_eq(&a->ip, near, rl_plen128(&a->ip, a->prefix_len)))
			return a;
		if (!any)
			any = a;
	}
	return any;
}

/* ---- new addresses ---- */

static bool valid_new(const struct rl_netif *nif, const struct rill_ip *ip,
		      unsigned prefix_len)
{
	if (prefix_len > (rl_ip_is4(ip) ? 32u : 128u))
		return false;
	if (rl_ip_is_any(ip) || rl_ip_is_mcast(ip)) /* [RFC1122-04] */
		return false;
	if (rl_ip_is_loopback(ip) != nif->loopback)
		return false;
	if (rl_ip_is4(ip))
		return ip->b[12] != 0 && ip->b[12] < 240;
	return nif->mtu >= IPV6_MIN_MTU;
}

static bool exists(struct rill_stack *st, const struct rill_ip *ip)
{
	for (unsigned i = 0; i < RL_MAX_IFS; i++)
		if (st->netif[i].ifindex && rl_addr_find(&st->netif[i], ip))
			return true;
	return false;
}

/* The groups that an address brings along [RFC4861-05] [RFC1122-36]. */
static int join_groups(struct rill_stack *st, struct rl_netif *nif,
		       const struct rill_ip *ip)
{
	static const struct rill_ip all_nodes = { .b = { 0xff, 2, [15] = 1 } };
	struct rill_ip all_hosts = rl_ip4(0xe0000001), sn;
	int r;

	if (rl_ip_is4(ip))
		return rl_group_join(st, nif, &all_hosts);
	r = rl_group_join(st, nif, &all_nodes);
	if (r)
		return r;
	sn = rl_nd_solicited_node(ip);
	return rl_group_join(st, nif, &sn);
}

static void start_checks(struct rill_stack *st, struct rl_netif *nif,
			 struct rl_if_addr *a)
{
	a->dad_at_ns = RL_NEVER;
	if (!(nif->flags & RILL_IF_ETHER))
		return;
	if (rl_ip_is4(&a->ip)) {
		a->dad_left = ANNOUNCEMENTS;
		a->dad_at_ns = st->now_ns;
	} else if (!(nif->flags & RILL_IF_NO_DAD) && RL_CFG(st, dad_transmits)) {
		a->tentative = 1;			/* [RFC4862-01] */
		a->dad_left = (uint8_t)RL_CFG(st, dad_transmits);
		a->dad_at_ns = st->now_ns;
	}
}

static int add_one(struct rill_stack *st, struct rl_netif *nif,
		   const struct rill_ip *ip, unsigned prefix_len)
{
	struct rl_if_addr *a = &nif->addr[nif->naddrs];
	int r;

	if (nif->naddrs == RL_IF_ADDRS)
		return -ENOSPC;
	if (!nif->loopback) {
		r = join_groups(st, nif, ip);
		if (r)
			return r;
	}
	if (prefix_len < (rl_ip_is4(ip) ? 32u : 128u)) {
		r = rl_route_add(st, ip, prefix_len, NULL, nif->ifindex);
		if (r && r != -EEXIST)
			return r;
	}
	*a = (struct rl_if_addr){ .ip = *ip, .prefix_len = (uint8_t)prefix_len };
	nif->naddrs++;
	start_checks(st, nif, a);
	rl_addr_rebuild(st);
	rl_netif_arm(st, nif, rl_addr_timer(st, nif));
	return 0;
}

/* Every IPv6 interface has a link-local address (RFC 4291 2.8); EUI-64. */
static int add_link_local(struct rill_stack *st, struct rl_netif *nif)
{
	struct rill_ip ll = { .b = { 0xfe, 0x80 } };

	for (unsigned i = 0; i < nif->naddrs; i++)
		if (rl_ip_is_linklocal(&nif->addr[i].ip))
			return 0;
	memcpy(ll.b + 8, nif->mac, 3);
	ll.b[8] ^= 2;
	ll.b[11] = 0xff;
	ll.b[12] = 0xfe;
	memcpy(ll.b + 13, nif->mac + 3, 3);
	return exists(st, &ll) ? 0 : add_one(st, nif, &ll, 64);
}

int rl_addr_add(struct rill_stack *st, struct rl_netif *nif, const struct rill_ip *ip,
		unsigned prefix_len)
{
	int r;

	if (!valid_new(nif, ip, prefix_len))
		return -EINVAL;
	if (exists(st, ip))
		return -EEXIST;
	r = add_one(st, nif, ip, prefix_len);
	if (r || rl_ip_is4(ip) || !(nif->flags & RILL_IF_ETHER))
		return r;
	return add_link_local(st, nif);
}

/* ---- duplicate address detection and announcements ---- */

static void addr_due(struct rill_stack *st, struct rl_netif *nif, struct rl_if_addr *a)
{
	if (!a->dad_left) {			/* nobody objected [RFC4862:5.4] */
		a->dad_at_ns = RL_NEVER;
		a->tentative = 0;
		rl_addr_rebuild(st);
		return;
	}
	a->dad_left--;
	if (rl_ip_is4(&a->ip)) {
		rl_arp_announce(st, nif, &a->ip);
		a->dad_at_ns = a->dad_left ? st->now_ns + ANNOUNCE_INTERVAL_NS : RL_NEVER;
	} else {
		rl_nd_solicit(st, nif, NULL, &a->ip, NULL);
		a->dad_at_ns = st->now_ns + RL_CFG(st, neigh_retrans_ms) * RL_MS;
	}
}

int64_t rl_addr_timer(struct rill_stack *st, struct rl_netif *nif)
{
	int64_t next_ns = RL_NEVER;

	for (unsigned i = 0; i < nif->naddrs; i++) {
		struct rl_if_addr *a = &nif->addr[i];

		if (a->dad_at_ns <= st->now_ns)
			addr_due(st, nif, a);
		next_ns = RL_MIN(next_ns, a->dad_at_ns);
	}
	return next_ns;
}

void rl_addr_conflict(struct rill_stack *st, struct rl_netif *nif,
		      const struct rill_ip *ip)
{
	struct rl_if_addr *a = rl_addr_find(nif, ip);

	(void)st;
	if (!a || !a->tentative)
		return;
	a->tentative = 0;
	a->duplicate = 1;			/* never used [RFC4862-03] */
	a->dad_at_ns = RL_NEVER;
}
