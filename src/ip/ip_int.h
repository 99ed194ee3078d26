/* SPDX-License-Identifier: MIT */
/*
 * What the files of ip/ share among themselves.  The state behind st->ip is one
 * allocation; its tables grow from slabs under the limits of config.def.
 *
 * All deadlines of this layer sit in one queue of its own, ip->timers, of which
 * the stack's queue sees only the earliest (st->ip_timer).
 */
#ifndef RL_IP_IP_INT_H
#define RL_IP_IP_INT_H

#include "base/slab.h"
#include "stack/stack_int.h"
#include "wire/eth.h"
#include "wire/icmp.h"
#include "wire/ipv4.h"
#include "wire/ipv6.h"

#define RL_PROTO_IGMP	2
#define RL_LO_MTU	65535
#define RL_LO_IFINDEX	RL_MAX_IFS	/* devices are numbered from 1 */
#define RL_MAX_OWN	(RL_MAX_IFS * RL_IF_ADDRS)

/* What a timer in ip->timers belongs to. */
enum rl_ip_timer_kind {
	RL_IPT_NEIGH, RL_IPT_REASM, RL_IPT_IF, RL_IPT_PMTU, RL_IPT_LOOP,
};

/* ---- neighbours ---- */

enum rl_neigh_state {
	RL_NEIGH_NEW,			/* nothing asked yet */
	RL_NEIGH_INCOMPLETE, RL_NEIGH_REACHABLE, RL_NEIGH_STALE,
	RL_NEIGH_DELAY, RL_NEIGH_PROBE, RL_NEIGH_FAILED,
	RL_NEIGH_STATIC,
};

struct rl_neigh {
	struct rl_obj	obj;
	struct rl_timer	timer;		/* of the state */
	struct rill_ip	ip;
	uint16_t	ifindex;
	uint8_t		mac[ETH_ALEN];
	uint8_t		state;		/* enum rl_neigh_state */
	uint8_t		probes;		/* sent in this state */
	uint32_t	hash_next;	/* 1 + index */
	uint32_t	q_len;
	struct rill_pkt	*q_head, **q_tail;	/* IP header first */
	int64_t		used_ns, confirmed_ns;
	int64_t		reachable_ns;	/* randomised, of this entry */
};

#define RL_NEIGH_BUCKETS	1024

/* ---- reassembly ---- */

struct rl_reasm {
	struct rl_obj	obj;
	struct rl_timer	timer;
	struct rill_ip	src, dst;
	uint32_t	id;
	uint8_t		proto;		/* IPv4: part of the key; IPv6: 0 */
	uint8_t		ecn;		/* a bit for each codepoint seen */
	bool		dead;		/* overlap seen: swallows what comes */
	bool		has_last;
	uint32_t	end;		/* total length, once has_last */
	uint32_t	have;		/* bytes there */
	uint32_t	cost;		/* memory charged */
	uint32_t	n;		/* fragments */
	struct rill_pkt	*head, *last;	/* by offset */
	uint32_t	hash_next;	/* 1 + index */
	struct list	age;		/* oldest first */
};

#define RL_REASM_BUCKETS	64
#define RL_REASM_MAX		1024	/* datagrams under way */
#define RL_REASM_FRAGS		1500	/* fragments of one: 64 KiB at MTU 68 */

/* ---- path MTU ---- */

struct rl_pmtu {
	struct rl_obj	obj;
	struct rl_timer	timer;
	struct rill_ip	dst;
	uint32_t	mtu;
	bool		no_df;		/* the path is smaller still: let it fragment */
	uint32_t	hash_next;
};

#define RL_PMTU_BUCKETS		256
#define RL_PMTU_MAX		4096

/* ---- routes ---- */

struct rl_route {
	struct rill_ip	dst, gw;
	uint8_t		prefix_len;	/* of the family's 32 or 128 bits */
	bool		v4, has_gw;
	uint16_t	ifindex;
};

/* ---- ICMP rate limit ---- */

#define RL_ICMP_HOSTS		256

struct rl_icmp_host {
	uint64_t	key;
	int64_t		last_ns;
};

struct rl_own {				/* a usable unicast address of ours */
	struct rill_ip	ip;
	uint16_t	ifindex;
	uint8_t		prefix_len;
};

#define RL_ID_BUCKETS		256

struct rl_ip_state {
	struct rl_timerq	timers;

	struct rl_own		own[RL_MAX_OWN];
	struct rill_ip		bcast[2 * RL_MAX_OWN];	/* of IPv4 prefixes */
	uint32_t		nown, nbcast;

	struct rl_route		route[RL_MAX_ROUTES];	/* longest prefix first */
	uint32_t		nroutes;

	struct rl_slab		neighs;
	uint32_t		neigh_bucket[RL_NEIGH_BUCKETS];
	uint32_t		neigh_hand;		/* where eviction looks next */

	struct rl_slab		reasms;
	uint32_t		reasm_bucket[RL_REASM_BUCKETS];
	struct list		reasm_age;
	uint64_t		reasm_cost;

	struct rl_slab		pmtus;
	uint32_t		pmtu_bucket[RL_PMTU_BUCKETS];

	struct rl_timer		if_timer[RL_MAX_IFS];

	struct rill_pkt		*loop_head, **loop_tail;
	struct rl_timer		loop_timer;

	struct rl_icmp_host	icmp_host[RL_ICMP_HOSTS];
	int64_t			icmp_tokens;		/* in 1/1000 */
	int64_t			icmp_refill_ns;

	uint16_t		id4[RL_ID_BUCKETS];	/* next identification */
	int64_t			arp_defended_ns;
};

/** File @t at @at_ns (RL_NEVER: take it out) and keep st->ip_timer right. */
void rl_ip_arm(struct rill_stack *st, struct rl_timer *t, int64_t at_ns);

/* Prefix length counted in the 128 bits of struct rill_ip. */
static inline unsigned rl_plen128(const struct rill_ip *ip, unsigned prefix_len)
{
	return rl_ip_is4(ip) ? prefix_len + 96 : prefix_len;
}

/** True when the first @bits of @a and @b are the same. */
bool rl_prefix_eq(const struct rill_ip *a, const struct rill_ip *b, unsigned bits);

/* addr.c */
void rl_addr_rebuild(struct rill_stack *st);
int rl_addr_add(struct rill_stack *st, struct rl_netif *nif, const struct rill_ip *ip,
		unsigned prefix_len);
/** Somebody else uses @ip, or asks for it: a tentative one becomes a duplicate. */
void rl_addr_conflict(struct rill_stack *st, struct rl_netif *nif,
		      const struct rill_ip *ip);
struct rl_if_addr *rl_addr_find(struct rl_netif *nif, const struct rill_ip *ip);
int64_t rl_addr_timer(struct rill_stack *st, struct rl_netif *nif);
/** An address of @nif to ask from, or NULL. */
const struct rl_if_addr *rl_addr_on_if(const struct rl_netif *nif,
				       const struct rill_ip *near);

/* netif.c */
void rl_netif_tx(struct rill_stack *st, struct rl_netif *nif, struct rill_pkt *p,
		 uint32_t link_len);
bool rl_netif_has_group(const struct rl_netif *nif, const struct rill_ip *group);
/** Re-arm @nif's timer for its addresses' and groups' next deadline. */
void rl_netif_arm(struct rill_stack *st, struct rl_netif *nif, int64_t at_ns);

/* mcast.c */
int rl_group_join(struct rill_stack *st, struct rl_netif *nif, const struct rill_ip *ip);
int rl_group_leave(struct rill_stack *st, struct rl_netif *nif, const struct rill_ip *ip);
int64_t rl_group_timer(struct rill_stack *st, struct rl_netif *nif);
void rl_igmp_input(struct rill_stack *st, struct rl_netif *nif, struct rill_pkt *p);
void rl_mld_input(struct rill_stack *st, struct rl_netif *nif, struct rill_pkt *p);

/* route.c */
const struct rl_route *rl_route_lookup(struct rill_stack *st, const struct rill_ip *dst,
				       uint16_t ifindex);
void rl_routes_changed(struct rill_stack *st);

/* neigh.c */
struct rl_neigh *rl_neigh_find(struct rill_stack *st, uint16_t ifindex,
			       const struct rill_ip *ip);
/** Find or make; NULL: the table is full of entries in use. */
struct rl_neigh *rl_neigh_get(struct rill_stack *st, uint16_t ifindex,
			      const struct rill_ip *ip);
/** Send @p (IP header first) to @n or queue it.  Return: 0 or -EHOSTUNREACH. */
int rl_neigh_output(struct rill_stack *st, struct rl_neigh *n, struct rill_pkt *p);
void rl_neigh_timer(struct rill_stack *st, struct rl_neigh *n);
void rl_neigh_flush(struct rill_stack *st);

/* What a message said about a neighbour. */
struct rl_neigh_news {
	const uint8_t	*mac;		/* NULL: not told */
	bool		solicited;	/* an answer to our question */
	bool		override;
	bool		create;		/* make an entry when there is none */
};
void rl_neigh_learn(struct rill_stack *st, struct rl_netif *nif, const struct rill_ip *ip,
		    const struct rl_neigh_news *news);

/* arp.c, nd.c: @mac NULL: broadcast or multicast */
void rl_arp_input(struct rill_stack *st, struct rl_netif *nif, struct rill_pkt *p);
void rl_arp_request(struct rill_stack *st, struct rl_netif *nif, const struct rill_ip *src,
		    const struct rill_ip *target, const uint8_t *mac);
void rl_arp_announce(struct rill_stack *st, struct rl_netif *nif, const struct rill_ip *ip);
void rl_nd_input(struct rill_stack *st, struct rl_netif *nif, struct rill_pkt *p);
/** @src NULL: the unspecified address, for duplicate address detection. */
void rl_nd_solicit(struct rill_stack *st, struct rl_netif *nif, const struct rill_ip *src,
		   const struct rill_ip *target, const uint8_t *mac);
struct rill_ip rl_nd_solicited_node(const struct rill_ip *ip);

/* out.c */
struct rl_send_on {			/* a packet of this layer itself */
	struct rill_ip	src, dst;
	uint8_t		proto, ttl, tos;
	bool		router_alert;	/* IPv4 */
	const uint8_t	*mac;		/* NULL: mapped from a group address */
};
/** Send on @nif without routing or neighbour lookup; takes @p over. */
void rl_ip_send_on(struct rill_stack *st, struct rl_netif *nif, struct rill_pkt *p,
		   const struct rl_send_on *s);
uint16_t rl_ip_next_id(struct rill_stack *st, const struct rl_flow *f);
/** Link header for a resolved @mac, then the device queue. */
void rl_ip_xmit(struct rill_stack *st, struct rl_netif *nif, struct rill_pkt *p,
		const uint8_t *mac);

/* frag.c */
struct rl_frag_info {
	uint32_t	off;		/* bytes */
	bool		more;
	uint32_t	id;
	uint8_t		proto;		/* IPv4 */
	uint8_t		tos;
	uint32_t	hdr_len;	/* IPv4: header; IPv6: up to the fragment header */
	uint32_t	next_at;	/* IPv6: offset of the next-header byte before it */
	uint8_t		next;		/* IPv6: what follows the fragment header */
	struct rill_ip	src, dst;
};
/**
 * One fragment, IP header first; takes @p over.  Return: the whole datagram
 * (IP header first, headers made right), or NULL.
 */
struct rill_pkt *rl_frag_input(struct rill_stack *st, struct rill_pkt *p,
			       const struct rl_frag_info *fi);
void rl_frag_timer(struct rill_stack *st, struct rl_reasm *r);
void rl_frag_flush(struct rill_stack *st);

/* pmtu.c */
/** Path MTU to @dst, at most @mtu; @no_df: see struct rl_pmtu. */
uint32_t rl_pmtu_get(struct rill_stack *st, const struct rill_ip *dst, uint32_t mtu,
		     bool *no_df);
/** A believed message says @mtu.  True when the estimate went down. */
bool rl_pmtu_lower(struct rill_stack *st, const struct rill_ip *dst, uint32_t mtu);
void rl_pmtu_timer(struct rill_stack *st, struct rl_pmtu *m);
/** Next lower common MTU, for routers that don't tell [RFC1191:7.1]. */
uint32_t rl_pmtu_plateau(uint32_t len);

/* icmp_in.c: transport header first */
void rl_icmp4_input(struct rill_stack *st, struct rl_netif *nif, struct rill_pkt *p);
void rl_icmp6_input(struct rill_stack *st, struct rl_netif *nif, struct rill_pkt *p);

/* icmp_out.c */
/** Turn the echo request @p into its reply and send it; takes @p over. */
void rl_icmp_echo_reply(struct rill_stack *st, struct rill_pkt *p);
/** Where p->l3_off points. */
static inline const uint8_t *rl_pkt_l3(const struct rill_pkt *p)
{
	return (p->blk ? p->blk->data : p->inl) + p->l3_off;
}

static inline void rl_pkt_set_l3(struct rill_pkt *p)
{
	p->l3_off = (uint16_t)(p->data - (p->blk ? p->blk->data : p->inl));
}

#endif
