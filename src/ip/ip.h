/* SPDX-License-Identifier: MIT */
/*
 * What the network layer offers to the transports above it, and what it asks of
 * them.  ip/ never includes tcp/ or udp/: it calls the table of struct rl_proto
 * that stack/ fills.
 */
#ifndef RL_IP_IP_H
#define RL_IP_IP_H

#include "base/list.h"
#include "base/timerq.h"
#include "buf/pkt.h"

struct rill_stack;

#define RL_MAX_IFS	16
#define RL_IF_ADDRS	16	/* addresses an interface */
#define RL_MAX_ROUTES	64
#define RL_MAX_GROUPS	32	/* multicast groups an interface */

enum rl_ipproto {
	RL_PROTO_HOPOPT = 0, RL_PROTO_ICMP = 1, RL_PROTO_TCP = 6, RL_PROTO_UDP = 17,
	RL_PROTO_ROUTING = 43, RL_PROTO_FRAGMENT = 44, RL_PROTO_ICMP6 = 58,
	RL_PROTO_NONE = 59, RL_PROTO_DSTOPT = 60,
};

struct rl_if_addr {
	struct rill_ip	ip;
	uint8_t		prefix_len;	/* of the family's 32 or 128 bits */
	uint8_t		tentative;	/* duplicate address detection still runs */
	uint8_t		duplicate;	/* somebody else has it: not used */
	uint8_t		dad_left;	/* probes to send */
	int64_t		dad_at_ns;
};

struct rl_group {			/* a multicast group that is joined */
	struct rill_ip	ip;
	uint16_t	users;
	uint8_t		reports_left;	/* unsolicited MLD/IGMP reports to send */
	int64_t		report_at_ns;
};

struct rl_netif {
	char		name[16];
	uint16_t	ifindex;	/* 0: slot unused */
	uint32_t	flags;		/* enum rill_if_flags */
	bool		loopback;
	uint32_t	mtu, gso_max;
	uint8_t		mac[6];
	struct rl_if_addr addr[RL_IF_ADDRS];
	uint8_t		naddrs, ngroups;
	struct rl_group	group[RL_MAX_GROUPS];
	/* packets ready for the device */
	struct rill_pkt	*txq_head, **txq_tail;
	uint32_t	txq_len;
};

/*
 * Where packets to a destination go.  Callers keep one per flow; it is good
 * while gen equals the stack's route generation, and refreshed by
 * rl_ip_output() otherwise.
 */
struct rl_dst {
	uint32_t	gen;		/* 0: empty */
	uint16_t	ifindex;
	bool		local : 1;	/* to ourselves */
	bool		no_df : 1;	/* path below min_pmtu: leave without DF */
	uint8_t		cast;		/* RL_PKT_IP_BCAST or _MCAST, or 0 */
	uint32_t	neigh, neigh_gen; /* neighbour entry; RL_SLAB_NONE: none needed */
	uint32_t	mtu;		/* path MTU: IP header and all */
};

/* Everything below the transport header that a transport decides. */
struct rl_flow {
	struct rill_ip	src, dst;	/* both of one family */
	struct rl_dst	d;
	uint16_t	bound_if;	/* interface to use, 0: by the route */
	uint8_t		proto;
	uint8_t		ttl;		/* 0: the stack's default */
	uint8_t		tos;		/* DSCP and ECN */
	bool		df : 1;		/* IPv4: don't fragment, path MTU discovery */
	bool		mcast_loop : 1;	/* multicast: a copy for our own group members */
	uint32_t	flow_label;	/* IPv6 [RFC6437:3] */
};

/*
 * rl_ip_output() - send a transport packet
 * @p:	transport header first (p->data), with RL_PKT_HEADROOM in front; taken over
 * @f:	refreshed when its route is stale
 *
 * Adds the IP and link headers, fragments where that is allowed and needed,
 * resolves the neighbour (or queues behind that), loops back what is for us.
 * With p->gso_size set only the cut segments must fit the MTU.
 *
 * Return: 0 (also when it waits or was dropped further down, counted), or
 * -ENETUNREACH, -EHOSTUNREACH (neighbour failed lately), -EMSGSIZE (above the
 * path MTU with DF, or above 65535).
 */
int rl_ip_output(struct rill_stack *st, struct rill_pkt *p, struct rl_flow *f);

/**
 * Fill @f->d from @f->dst, @f->bound_if and, unless it is the any-address,
 * @f->src.  Return: 0, -ENETUNREACH.
 */
int rl_ip_route(struct rill_stack *st, struct rl_flow *f);

/**
 * Choose a source address for @dst [RFC6724:5] [RFC1122:3.3.4.3].
 * Return: 0; -ENETUNREACH: no route; -EADDRNOTAVAIL: no address of that family.
 */
int rl_ip_select_source(struct rill_stack *st, const struct rill_ip *dst,
			uint16_t ifindex, struct rill_ip *src);

/** True for an own, usable (not tentative) unicast address, loopback included. */
bool rl_ip_is_ours(const struct rill_stack *st, const struct rill_ip *ip);

/** 255.255.255.255 or the broadcast address of one of our prefixes. */
bool rl_ip_is_broadcast(const struct rill_stack *st, const struct rill_ip *ip);

/** MTU of the interface that @d leaves by, not of the path [RFC1191:3.1]. */
uint32_t rl_ip_if_mtu(const struct rill_stack *st, const struct rl_dst *d);

/** Largest super-segment (headers included) for @d; 0: no segmentation offload. */
uint32_t rl_ip_gso_max(const struct rill_stack *st, const struct rl_flow *f);

/** The peer answered: its neighbour entry is reachable [RFC4861:7.3.1]. */
void rl_ip_confirm(struct rill_stack *st, struct rl_flow *f);

/** Retransmissions don't get through: ask the neighbour again (R1). */
void rl_ip_suspect(struct rill_stack *st, struct rl_flow *f);

struct rl_netif *rl_netif_get(struct rill_stack *st, unsigned ifindex);

/** -EADDRNOTAVAIL, -ENODEV, -ENOSPC; leaving one not joined: -EADDRNOTAVAIL. */
int rl_ip_join(struct rill_stack *st, unsigned ifindex, const struct rill_ip *group);
int rl_ip_leave(struct rill_stack *st, unsigned ifindex, const struct rill_ip *group);

/* An ICMP error about a packet of ours, of either family. */
struct rl_icmp_err {
	struct rill_ip	src, dst;	/* of the quoted packet: src is ours */
	uint8_t		proto;
	uint8_t		kind;		/* enum rl_icmp_kind */
	uint8_t		type, code;	/* as on the wire */
	int		err;		/* errno value, positive, as Linux maps it */
	uint32_t	mtu;		/* TOO_BIG: next-hop MTU, 0 when not told */
	const uint8_t	*quote;		/* transport header as far as quoted */
	uint32_t	quote_len;	/* >= 8 */
	struct rill_ip	from;		/* who reports; any-address: our own neighbour discovery */
};

enum rl_icmp_kind { RL_ICMP_SOFT, RL_ICMP_HARD, RL_ICMP_TOO_BIG };

struct rl_proto {
	/* @p: transport header first, addresses and ttl, tos filled; taken over */
	void (*input)(struct rill_stack *st, struct rill_pkt *p);
	/*
	 * True when @e concerns something in flight; only then ip/ believes a
	 * TOO_BIG and lowers the path MTU [RFC8201:4] [RFC5927:4.1].
	 */
	bool (*icmp)(struct rill_stack *st, const struct rl_icmp_err *e);
	/* the path MTU to @dst changed */
	void (*pmtu)(struct rill_stack *st, const struct rill_ip *dst);
};

/** A frame from a device or from the loopback queue; takes @p over. */
void rl_ip_input(struct rill_stack *st, struct rl_netif *nif, struct rill_pkt *p);

/**
 * Answer @p (transport header first, as given to rl_proto.input) by an ICMP
 * error; kept short of answering what must not be answered [RFC1122:3.2.2]
 * [RFC4443:2.4], and rate limited.  Does not free @p.
 */
enum rl_icmp_reply { RL_REPLY_PORT_UNREACH, RL_REPLY_PROTO_UNREACH,
		     RL_REPLY_FRAG_TIMEOUT, RL_REPLY_PARAM };
void rl_icmp_reply(struct rill_stack *st, struct rill_pkt *p,
		   enum rl_icmp_reply what, uint32_t pointer, uint8_t code);

/* For stack/: life cycle, and the two timers of this layer. */
int rl_ip_init(struct rill_stack *st);		/* with the loopback interface */
void rl_ip_destroy(struct rill_stack *st);
void rl_ip_timer(struct rill_stack *st);	/* neighbours, reassembly, DAD, ... */
int rl_netif_add(struct rill_stack *st, const struct rill_if_params *par);
int rl_netif_addr_add(struct rill_stack *st, unsigned ifindex,
		      const struct rill_ip *ip, unsigned prefix_len);
int rl_route_add(struct rill_stack *st, const struct rill_ip *dst, unsigned prefix_len,
		 const struct rill_ip *gateway, unsigned ifindex);
int rl_neigh_add_static(struct rill_stack *st, unsigned ifindex,
			const struct rill_ip *ip, const uint8_t mac[6]);
/** Run what was looped back until nothing is left (bounded).  False: there was nothing. */
bool rl_ip_run_loopback(struct rill_stack *st);
/** What is there now is run by the next rill_stack_advance(). */
void rl_ip_loopback_later(struct rill_stack *st);

#endif
