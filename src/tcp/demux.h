/* SPDX-License-Identifier: MIT */
/*
 * Four-tuple to node, and local port to who holds it.  Open addressing over
 * 8-byte slots {hash, reference}: growing moves slots, never touches nodes.
 */
#ifndef RL_TCP_DEMUX_H
#define RL_TCP_DEMUX_H

#include "base/hash.h"
#include "base/slab.h"

enum rl_node_kind { RL_NODE_CONN, RL_NODE_REQ, RL_NODE_TW };

/* First member of struct tcp_conn, tcp_req and tcp_tw. */
struct rl_tuple {
	struct rill_ip	laddr, raddr;
	uint16_t	lport, rport;		/* host order */
};

struct rl_demux_slot {
	uint32_t hash;
	uint32_t ref;		/* 0: empty; otherwise 1 + (kind << 29 | index) */
};

struct rl_demux {
	struct rl_mem		*mem;
	struct rl_demux_slot	*slot;
	uint32_t		n, size;	/* size is a power of two, or 0 */
};

/* Local port to its holders: a bucket list of endpoints. */
#define RL_PORT_BUCKETS	1024
struct rl_ports {
	uint32_t head[RL_PORT_BUCKETS];		/* slab index of a conn + 1 */
};

#endif
