/* SPDX-License-Identifier: MIT */
/*
 * The stack as the core sees it: everything mutable lives here, so two stacks
 * in one process share nothing.
 */
#ifndef RL_STACK_INT_H
#define RL_STACK_INT_H

#include "base/hash.h"
#include "base/list.h"
#include "base/rand.h"
#include "base/slab.h"
#include "base/timerq.h"
#include "buf/bytesq.h"
#include "buf/pkt.h"
#include "ip/ip.h"
#include "obs/obs.h"
#include "stack/config.h"
#include "tcp/demux.h"
#include "wire/tcp_hdr.h"

struct rl_ip_state;			/* ip/ip_int.h */
struct rl_udp_state;			/* udp/udp.c */

/* What owns an armed timer: stack/poll.c dispatches on it. */
enum rl_timer_owner { RL_TIMER_CONN, RL_TIMER_REQ, RL_TIMER_TW, RL_TIMER_IP };

/* Base of every endpoint: what the event queue needs. */
struct rl_endpoint {
	struct list	event_link;	/* on st->events while bits are pending */
	uint64_t	user;
	uint32_t	event_bits;
	uint8_t		proto;		/* RL_PROTO_TCP or RL_PROTO_UDP */
};

/* TIME-WAIT entries and SYN-queue entries in order of their deadline. */
struct rl_fifo {
	uint32_t	head, tail;	/* slab indices, RL_SLAB_NONE: empty */
	uint32_t	n;
};

#define RL_REQ_FIFOS	8		/* SYN-queue retry numbers with a FIFO each */

/* Connections that ended: tcp/history.c. */
struct rl_history {
	struct rill_history	**pages;
	uint32_t		cap;		/* records; 0: none yet */
	uint64_t		n, first;	/* numbers of the newest, of the oldest */
};

struct rill_stack {
	int64_t			now_ns;
	struct rl_mem		mem;
	struct rl_config	cfg;
	struct rl_obs		obs;
	struct rl_rand		rand;
	struct rl_key		hash_key;	/* tables */
	struct rl_key		isn_key;	/* ISN, timestamp offset [RFC6528:3] */
	struct rl_key		port_key;	/* ephemeral ports [RFC6056:3.3.4] */

	struct rl_bufs		bufs;
	struct rl_slab		chunks;		/* struct rl_chunk */
	struct rl_bytes_pool	bytes;
	struct rl_timerq	timers;
	struct list		events;		/* struct rl_endpoint */

	/* ip/ */
	struct rl_netif		netif[RL_MAX_IFS];
	uint32_t		route_gen;	/* never 0; up on every change */
	struct rl_ip_state	*ip;
	struct rl_timer		ip_timer;
	struct rl_proto		tcp_proto, udp_proto, ping_proto;

	/* tcp/ */
	struct rl_slab		conns, reqs, tws, rtx, oooq, colds, listeners;
	struct rl_demux		demux;		/* four-tuples */
	struct rl_ports		ports;		/* local ports: bound, listening */
	struct list		tcp_dirty;	/* connections that may send */
	struct rl_fifo		tw_fifo, req_fifo[RL_REQ_FIFOS];
	struct rl_timer		tw_timer, req_timer;
	uint32_t		orphans;
	uint32_t		state_n[RILL_TCP_STATES];	/* connections in each */
	uint32_t		challenge_n;	/* this second, see tcp/output.c */
	int64_t			challenge_from_ns;
	struct rl_history	history;

	/* udp/ */
	struct rl_udp_state	*udp;
};

static inline void rl_drop(struct rill_stack *st, enum rl_drop why)
{
	st->obs.drop[why]++;
}

/** Note @bits for rill_stack_event(). */
static inline void rl_event(struct rill_stack *st, struct rl_endpoint *ep, uint32_t bits)
{
	if (!ep->event_bits)
		list_add_tail(&st->events, &ep->event_link);
	ep->event_bits |= bits;
}

/** Count a drop and free the packet. */
static inline void rl_drop_pkt(struct rill_stack *st, struct rill_pkt *p, enum rl_drop why)
{
	rl_drop(st, why);
	rl_pkt_free(&st->bufs, p);
}

#endif
