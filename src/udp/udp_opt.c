/* SPDX-License-Identifier: MIT */
/*
 * Socket options of UDP endpoints, by Linux's numbers, with Linux's errors.  The
 * list for people is src/sock/sockopts.def.  What an endpoint can't honour is
 * refused with ENOPROTOOPT, not stored.
 */
#include <errno.h>

#include "stack/sockopt_nums.h"
#include "udp/udp_int.h"

#define KEY(level, name)	((level) << 16 | (name))

/* ---- multicast groups ---- */

/* The interface of a membership: by number, by our address, by the route. */
static unsigned group_if(struct rill_stack *st, const struct rl_udp *u, unsigned ifindex,
			 const struct rill_ip *own, const struct rill_ip *group)
{
	struct rl_flow f = { .dst = *group, .bound_if = u->bound_if };

	if (ifindex)
		return ifindex;
	f.src = *own;
	return rl_ip_route(st, &f) ? 0 : f.d.ifindex;
}

static struct rl_udp_member *find_member(struct rl_udp *u, const struct rill_ip *group,
					 unsigned ifindex)
{
	for (uint32_t i = 0; i < u->nmembers; i++)
		if (rl_ip_eq(&u->member[i].group, group) &&
		    (!ifindex || u->member[i].ifindex == ifindex))
			return &u->member[i];
	return NULL;
}

static int join(struct rill_stack *st, struct rl_udp *u, const struct rill_ip *group,
		unsigned ifindex)
{
	int r;

	if (!rl_ip_is_mcast(group))
		return -EINVAL;
	if (!rl_netif_get(st, ifindex))
		return -ENODEV;
	if (find_member(u, group, ifindex))
		return -EADDRINUSE;
	if (!u->member)
		u->member = rl_mem_alloc(&st->mem, RL_UDP_MAX_GROUPS * sizeof(*u->member));
	if (!u->member || u->nmembers == RL_UDP_MAX_GROUPS)
		return -ENOBUFS;
	r = rl_ip_join(st, ifindex, group);
	if (r)
		return r == -ENOSPC ? -ENOBUFS : r;
	u->member[u->nmembers++] = (struct rl_udp_member){ *group, (uint16_t)ifindex };
	return 0;
}

static int leave(struct rill_stack *st, struct rl_udp *u, const struct rill_ip *group,
		 unsigned ifindex)
{
	struct rl_udp_member *m = find_member(u, group, ifindex);

	if (!m)
		return -EADDRNOTAVAIL;
	rl_ip_leave(st, m->ifindex, group);
	*m = u->member[--u->nmembers];
	return 0;
}

void rl_udp_leave_all(struct rill_stack *st, struct rl_udp *u)
{
	for (uint32_t i = 0; i < u->nmembers; i++)
		rl_ip_leave(st, u->member[i].ifindex, &u->member[i].group);
	u->nmembers = 0;
	rl_mem_free(&st->mem, u->member, RL_UDP_MAX_GROUPS * sizeof(*u->member));
	u->member = NULL;
}

/* struct ip_mreq (8 bytes: group, own address) or ip_mreqn (and ifindex). */
static int membership4(struct rill_stack *st, struct rl_udp *u, int name,
		       const uint8_t *val, size_t len)
{
	struct rill_ip group, own;
	int32_t ifindex = 0;

	if (len < 8)
		return -EINVAL;
	group = rl_ip4(get32(val));
	own = rl_ip4(get32(val + 4));
	if (len >= 12)
		memcpy(&ifindex, val + 8, sizeof(ifindex));
	if (ifindex < 0)
		return -ENODEV;
	if (name == RL_IP_DROP_MEMBERSHIP)
		return leave(st, u, &group, (unsigned)ifindex);
	if (!rl_ip_is_mcast(&group))
		return -EINVAL;
	return join(st, u, &group, group_if(st, u, (unsigned)ifindex, &own, &group));
}

/* struct ipv6_mreq: group, ifindex. */
static int membership6(struct rill_stack *st, struct rl_udp *u, int name,
		       const uint8_t *val, size_t len)
{
	struct rill_ip group, none = { .q = { 0 } };
	int32_t ifindex;

	if (len < 20)
		return -EINVAL;
	memcpy(group.b, val, 16);
	memcpy(&ifindex, val + 16, sizeof(ifindex));
	if (ifindex < 0)
		return -ENODEV;
	if (name == RL_IPV6_LEAVE_GROUP)
		return leave(st, u, &group, (unsigned)ifindex);
	if (!rl_ip_is_mcast(&group) || rl_ip_is4(&group))
		return -EINVAL;
	return join(st, u, &group, group_if(st, u, (unsigned)ifindex, &none, &group));
}

/* struct in_addr, ip_mreq or ip_mreqn; all zero: by the route again. */
static int set_mcast_if4(struct rill_stack *st, struct rl_udp *u, const uint8_t *val,
			 size_t len)
{
	struct rill_ip own;
	int32_t ifindex = 0;

	if (len < 4)
		return -EINVAL;
	own = rl_ip4(get32(len >= 8 ? val + 4 : val));
	if (len >= 12)
		memcpy(&ifindex, val + 8, sizeof(ifindex));
	for (unsigned i = 1; !ifindex && !rl_ip_is_any(&own) && i <= RL_MAX_IFS; i++) {
		const struct rl_netif *nif = rl_netif_get(st, i);

		for (unsigned k = 0; nif && k < nif->naddrs; k++)
			if (rl_ip_eq(&nif->addr[k].ip, &own))
				ifindex = (int32_t)i;
	}
	if (!ifindex && !rl_ip_is_any(&own))
		return -EADDRNOTAVAIL;
	if (ifindex < 0 || (ifindex && !rl_netif_get(st, (unsigned)ifindex)))
		return -EADDRNOTAVAIL;
	u->mcast_if = (uint16_t)ifindex;
	u->mcast_addr = own;
	return 0;
}

/* ---- setting ---- */

static int set_buffer(struct rill_stack *st, struct rl_udp *u, int32_t v, bool rcv)
{
	int64_t max = rcv ? RL_CFG(st, rmem_max) : RL_CFG(st, wmem_max);
	int64_t min = rcv ? 2304 : 4608;
	int64_t n = 2 * RL_MIN(RL_MAX((int64_t)v, 0), max);	/* doubled, as Linux */

	if (rcv)
		u->rcvbuf = (uint32_t)RL_MAX(n, min);
	else
		u->sndbuf = (uint32_t)RL_MAX(n, min);
	return 0;
}

static int set_device(struct rill_stack *st, struct rl_udp *u, int32_t ifindex)
{
	if (ifindex < 0)
		return -EINVAL;
	if (ifindex && !rl_netif_get(st, (unsigned)ifindex))
		return -ENODEV;
	u->bound_if = (uint16_t)ifindex;
	u->flow.d.gen = 0;
	return 0;
}

static int set_device_name(struct rill_stack *st, struct rl_udp *u, const char *name,
			   size_t len)
{
	size_t n = 0;

	while (n < len && name[n])
		n++;
	if (!n)
		return set_device(st, u, 0);
	for (unsigned i = 1; i <= RL_MAX_IFS; i++) {
		const struct rl_netif *nif = rl_netif_get(st, i);

		if (nif && n < sizeof(nif->name) && !memcmp(nif->name, name, n) &&
		    !nif->name[n])
			return set_device(st, u, (int32_t)i);
	}
	return -ENODEV;
}

static int set_byte(uint8_t *to, int32_t v, int32_t min, int32_t max, uint8_t dflt)
{
	if (v == -1) {				/* back to the default */
		*to = dflt;
		return 0;
	}
	if (v < min || v > max)
		return -EINVAL;
	*to = (uint8_t)v;
	return 0;
}

static int set_pmtud(struct rl_udp *u, uint8_t *to, int32_t v)
{
	if (v < RL_PMTUDISC_DONT || v > RL_PMTUDISC_PROBE)
		return -EINVAL;
	*to = (uint8_t)v;
	u->flow.d.gen = 0;			/* PROBE leaves another MTU there */
	return 0;
}

static int set_v6only(struct rl_udp *u, int32_t v)
{
	if (u->lport)
		return -EINVAL;
	u->v6only = !!v;
	return 0;
}

static int set_mcast_if6(struct rill_stack *st, struct rl_udp *u, int32_t v)
{
	if (v < 0 || (v && !rl_netif_get(st, (unsigned)v)))
		return -ENODEV;
	u->mcast_if = (uint16_t)v;
	return 0;
}

static int set_socket(struct rill_stack *st, struct rl_udp *u, int name, int32_t v)
{
	switch (name) {
	case RL_SO_REUSEADDR:
		u->reuseaddr = !!v;
		return 0;
	case RL_SO_REUSEPORT:
		u->reuseport = !!v;
		return 0;
	case RL_SO_BROADCAST:
		u->broadcast = !!v;
		return 0;
	case RL_SO_RCVBUF:
		return set_buffer(st, u, v, true);
	case RL_SO_SNDBUF:
		return set_buffer(st, u, v, false);
	case RL_SO_BINDTOIFINDEX:
		return set_device(st, u, v);
	}
	return -ENOPROTOOPT;
}

static int set_ip(struct rl_udp *u, int name, int32_t v)
{
	switch (name) {
	case RL_IP_TOS:				/* [RFC1122-07] */
		u->tos = (uint8_t)v;
		return 0;
	case RL_IP_TTL:				/* [RFC1122-09] */
		return set_byte(&u->ttl, v, 1, 255, 0);
	case RL_IP_MINTTL:
		return v == -1 ? -EINVAL : set_byte(&u->min_ttl, v, 0, 255, 0);
	case RL_IP_MTU_DISCOVER:
		return set_pmtud(u, &u->pmtud4, v);
	case RL_IP_RECVERR:
		u->recverr4 = !!v;
		return 0;
	case RL_IP_MULTICAST_TTL:		/* 0: stays on this host, not offered */
		return set_byte(&u->mcast_ttl, v, 1, 255, 1);
	case RL_IP_MULTICAST_LOOP:
		u->mcast_loop4 = !!v;
		return 0;
	}
	return -ENOPROTOOPT;
}

static int set_ipv6(struct rill_stack *st, struct rl_udp *u, int name, int32_t v)
{
	switch (name) {
	case RL_IPV6_TCLASS:
		return set_byte(&u->tclass, v, 0, 255, 0);
	case RL_IPV6_UNICAST_HOPS:
		return set_byte(&u->hops, v, 1, 255, 0);
	case RL_IPV6_MULTICAST_HOPS:
		return set_byte(&u->mcast_hops, v, 1, 255, 1);
	case RL_IPV6_MULTICAST_LOOP:
		u->mcast_loop6 = !!v;
		return 0;
	case RL_IPV6_MULTICAST_IF:
		return set_mcast_if6(st, u, v);
	case RL_IPV6_MTU_DISCOVER:
		return set_pmtud(u, &u->pmtud6, v);
	case RL_IPV6_RECVERR:
		u->recverr6 = !!v;
		return 0;
	case RL_IPV6_V6ONLY:
		return set_v6only(u, v);
	}
	return -ENOPROTOOPT;
}

/* Linux takes a single byte for the options of IPv4. */
static int get_int(int level, const uint8_t *val, size_t len, int32_t *v)
{
	if (len >= sizeof(*v))
		memcpy(v, val, sizeof(*v));
	else if (level == RL_SOL_IP && len >= 1)
		*v = val[0];
	else
		return -EINVAL;
	return 0;
}

int rl_udp_setsockopt(struct rill_stack *st, rill_id id, int level, int name,
		      const void *val, size_t len)
{
	struct rl_udp *u = rl_udp_find(st, id);
	int32_t v;
	int r;

	if (!u)
		return -EBADF;
	switch (KEY(level, name)) {
	case KEY(RL_SOL_IP, RL_IP_ADD_MEMBERSHIP):
	case KEY(RL_SOL_IP, RL_IP_DROP_MEMBERSHIP):
		return membership4(st, u, name, val, len);
	case KEY(RL_SOL_IPV6, RL_IPV6_JOIN_GROUP):
	case KEY(RL_SOL_IPV6, RL_IPV6_LEAVE_GROUP):
		return membership6(st, u, name, val, len);
	case KEY(RL_SOL_IP, RL_IP_MULTICAST_IF):
		return set_mcast_if4(st, u, val, len);
	case KEY(RL_SOL_SOCKET, RL_SO_BINDTODEVICE):
		return set_device_name(st, u, val, len);
	}
	r = get_int(level, val, len, &v);
	if (r)
		return r;
	if (level == RL_SOL_SOCKET)
		return set_socket(st, u, name, v);
	if (level == RL_SOL_IP)
		return set_ip(u, name, v);
	if (level == RL_SOL_IPV6)
		return set_ipv6(st, u, name, v);
	return -ENOPROTOOPT;
}

/* ---- getting ---- */

/* SO_ERROR: the pending error, or the last soft one, once. */
static int32_t take_so_error(struct rl_udp *u)
{
	int32_t v = u->err ? u->err : u->soft_err;

	if (!u->err)
		u->soft_err = 0;
	u->err = 0;
	return v;
}

static int get_socket(struct rl_udp *u, int name, int32_t *v)
{
	switch (name) {
	case RL_SO_REUSEADDR:
		*v = u->reuseaddr;
		return 0;
	case RL_SO_REUSEPORT:
		*v = u->reuseport;
		return 0;
	case RL_SO_BROADCAST:
		*v = u->broadcast;
		return 0;
	case RL_SO_RCVBUF:
		*v = (int32_t)u->rcvbuf;
		return 0;
	case RL_SO_SNDBUF:
		*v = (int32_t)u->sndbuf;
		return 0;
	case RL_SO_BINDTOIFINDEX:
		*v = u->bound_if;
		return 0;
	case RL_SO_ERROR:
		*v = take_so_error(u);
		return 0;
	case RL_SO_ACCEPTCONN:
		*v = 0;
		return 0;
	case RL_SO_TYPE:
		*v = RL_SOCK_DGRAM;
		return 0;
	case RL_SO_PROTOCOL:
		*v = !u->icmp ? RL_PROTO_UDP : u->v4only ? RL_PROTO_ICMP : RL_PROTO_ICMP6;
		return 0;
	case RL_SO_DOMAIN:
		*v = u->v4only ? RL_AF_INET : RL_AF_INET6;
		return 0;
	}
	return -ENOPROTOOPT;
}

static int get_mtu(struct rill_stack *st, struct rl_udp *u, bool v4, int32_t *v)
{
	struct rl_flow f = { .src = u->local, .dst = u->peer, .bound_if = u->bound_if };

	if (!u->connected || rl_ip_is4(&u->peer) != v4 || rl_ip_route(st, &f))
		return -ENOTCONN;
	*v = (int32_t)f.d.mtu;
	return 0;
}

static int get_ip(struct rill_stack *st, struct rl_udp *u, int name, int32_t *v)
{
	switch (name) {
	case RL_IP_TOS:
		*v = u->tos;
		return 0;
	case RL_IP_TTL:
		*v = u->ttl ? u->ttl : RL_CFG(st, ip_default_ttl);
		return 0;
	case RL_IP_MINTTL:
		*v = u->min_ttl;
		return 0;
	case RL_IP_MTU_DISCOVER:
		*v = u->pmtud4;
		return 0;
	case RL_IP_RECVERR:
		*v = u->recverr4;
		return 0;
	case RL_IP_MTU:
		return get_mtu(st, u, true, v);
	case RL_IP_MULTICAST_TTL:
		*v = u->mcast_ttl;
		return 0;
	case RL_IP_MULTICAST_LOOP:
		*v = u->mcast_loop4;
		return 0;
	}
	return -ENOPROTOOPT;
}

static int get_ipv6(struct rill_stack *st, struct rl_udp *u, int name, int32_t *v)
{
	switch (name) {
	case RL_IPV6_TCLASS:
		*v = u->tclass;
		return 0;
	case RL_IPV6_UNICAST_HOPS:
		*v = u->hops ? u->hops : RL_CFG(st, hop_limit);
		return 0;
	case RL_IPV6_MULTICAST_HOPS:
		*v = u->mcast_hops;
		return 0;
	case RL_IPV6_MULTICAST_LOOP:
		*v = u->mcast_loop6;
		return 0;
	case RL_IPV6_MULTICAST_IF:
		*v = u->mcast_if;
		return 0;
	case RL_IPV6_MTU_DISCOVER:
		*v = u->pmtud6;
		return 0;
	case RL_IPV6_RECVERR:
		*v = u->recverr6;
		return 0;
	case RL_IPV6_MTU:
		return get_mtu(st, u, false, v);
	case RL_IPV6_V6ONLY:
		*v = u->v6only;
		return 0;
	}
	return -ENOPROTOOPT;
}

static int put(void *val, size_t *len, const void *from, size_t n)
{
	*len = RL_MIN(*len, n);
	memcpy(val, from, *len);
	return 0;
}

static int get_device_name(struct rill_stack *st, const struct rl_udp *u, void *val,
			   size_t *len)
{
	const struct rl_netif *nif = rl_netif_get(st, u->bound_if);

	if (!nif) {
		*len = 0;
		return 0;
	}
	if (*len < sizeof(nif->name))
		return -EINVAL;
	return put(val, len, nif->name, sizeof(nif->name));
}

int rl_udp_getsockopt(struct rill_stack *st, rill_id id, int level, int name, void *val,
		      size_t *len)
{
	struct rl_udp *u = rl_udp_find(st, id);
	int r = -ENOPROTOOPT;
	int32_t v;

	if (!u)
		return -EBADF;
	if (level == RL_SOL_SOCKET && name == RL_SO_BINDTODEVICE)
		return get_device_name(st, u, val, len);
	if (level == RL_SOL_IP && name == RL_IP_MULTICAST_IF)
		return put(val, len, u->mcast_addr.b + 12, 4);
	if (level == RL_SOL_SOCKET)
		r = get_socket(u, name, &v);
	else if (level == RL_SOL_IP)
		r = get_ip(st, u, name, &v);
	else if (level == RL_SOL_IPV6)
		r = get_ipv6(st, u, name, &v);
	return r ? r : put(val, len, &v, sizeof(v));
}

int rl_udp_ioctl(struct rill_stack *st, rill_id id, unsigned long req, int *val)
{
	struct rl_udp *u = rl_udp_find(st, id);

	if (!u)
		return -EBADF;
	switch (req) {
	case RL_SIOCINQ:		/* of the next datagram, as Linux */
		*val = u->rcv_head ? (int)rl_pkt_len(u->rcv_head) : 0;
		return 0;
	case RL_SIOCOUTQ:
		*val = (int)rl_udp_unsent(st, u);
		return 0;
	}
	return -EINVAL;
}
