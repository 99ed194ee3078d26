/* SPDX-License-Identifier: MIT */
/* What the files of udp/ share: the endpoint and the table of ports. */
#ifndef RL_UDP_UDP_INT_H
#define RL_UDP_UDP_INT_H

#include "udp/udp.h"

#define RL_UDP_BUCKETS		1024
#define RL_UDP_MAX_GROUPS	20	/* memberships of one endpoint, as Linux */

struct rl_udp_member {
	struct rill_ip	group;
	uint16_t	ifindex;
};

struct rl_udp {
	struct rl_obj		obj;
	struct rl_endpoint	ep;

	/* as bound: the any-address :: is both families unless v4only, v6only */
	struct rill_ip		bound;
	struct rill_ip		local, peer;	/* local: source while connected */
	uint16_t		lport, rport;	/* host order; 0: none */
	uint16_t		bound_if;	/* receive and send there only */
	uint16_t		mcast_if;
	uint32_t		port_next;	/* 1 + index */

	unsigned		connected : 1, v4only : 1, v6only : 1, auto_port : 1,
				auto_addr : 1,	/* bound by sending: family may widen */
				reuseaddr : 1, reuseport : 1, broadcast : 1,
				icmp : 1,	/* a ping socket: ping.c */
				recverr4 : 1, recverr6 : 1,	/* keep errors: udp_err.c */
				shut_rd : 1, shut_wr : 1, want_out : 1,
				mcast_loop4 : 1, mcast_loop6 : 1;
	uint8_t			ttl, hops;	/* 0: the stack's default */
	uint8_t			mcast_ttl, mcast_hops;
	uint8_t			tos, tclass, min_ttl;
	uint8_t			pmtud4, pmtud6;	/* enum rl_pmtudisc */
	int			err, soft_err;	/* positive errno, 0: none */

	struct rl_flow		flow;		/* of the last datagram sent */

	struct rill_pkt		*rcv_head, **rcv_tail;
	struct rill_pkt		*err_head, **err_tail;	/* udp_err.c */
	uint32_t		rcv_cost;	/* memory that waits, errors too */
	uint32_t		rcv_bytes, rcvbuf, sndbuf;
	uint32_t		snd_cost;	/* since the device queue was empty */

	struct rill_ip		mcast_addr;	/* as given to IP_MULTICAST_IF */
	struct rl_udp_member	*member;
	uint32_t		nmembers;
};

struct rl_udp_state {
	struct rl_slab	eps;
	uint32_t	bucket[RL_UDP_BUCKETS];
	uint32_t	waiting;	/* endpoints with want_out */
};

static inline struct rl_udp *rl_udp_at(const struct rill_stack *st, uint32_t idx)
{
	return rl_slab_at(&st->udp->eps, idx);
}

static inline uint32_t *rl_udp_bucket(const struct rill_stack *st, uint16_t port)
{
	return &st->udp->bucket[port % RL_UDP_BUCKETS];
}

/** Does what @u is bound to include address @ip? */
bool rl_udp_covers(const struct rl_udp *u, const struct rill_ip *ip);

/** Bind to the any-address and a free port if it has none yet. */
int rl_udp_autobind(struct rill_stack *st, struct rl_udp *u, const struct rill_ip *dst);

/** The pending error, negative, which is cleared; 0: none. */
int rl_udp_take_error(struct rl_udp *u);

/** What is true now, in enum rill_event_bits. */
int rl_udp_ready(const struct rill_stack *st, const struct rl_udp *u);

/** Memory of @u's datagrams that the device queue may still hold. */
uint32_t rl_udp_unsent(const struct rill_stack *st, const struct rl_udp *u);

/** Is that below SO_SNDBUF? */
bool rl_udp_may_send(const struct rill_stack *st, const struct rl_udp *u);

void rl_udp_input(struct rill_stack *st, struct rill_pkt *p);
bool rl_udp_icmp(struct rill_stack *st, const struct rl_icmp_err *e);
void rl_udp_drop_queue(struct rill_stack *st, struct rl_udp *u);

/** Queue a datagram, payload first, source port in csum_off; @p is taken over. */
void rl_udp_deliver(struct rill_stack *st, struct rl_udp *u, struct rill_pkt *p);

/* udp_err.c */
void rl_udp_note_error(struct rill_stack *st, struct rl_udp *u, const struct rl_icmp_err *e);
void rl_udp_drop_errors(struct rill_stack *st, struct rl_udp *u);

/* ping.c: fills st->ping_proto; an echo request, -EINVAL: it is none. */
void rl_ping_init(struct rill_stack *st);
int rl_ping_build(struct rill_stack *st, const struct rl_udp *u, const struct rill_iov *iov,
		  int n, uint32_t len, struct rill_pkt **out);

void rl_udp_leave_all(struct rill_stack *st, struct rl_udp *u);

#endif
