/* SPDX-License-Identifier: MIT */
/*
 * The seam between TCP and congestion control.  A controller sees numbers, never
 * segments; it writes cwnd, ssthresh (bytes) and its own member of cc_state.
 */
#ifndef RL_TCP_CC_H
#define RL_TCP_CC_H

#include "base/types.h"

struct tcp_conn;

struct cc_ack {
	uint32_t acked;			/* bytes newly delivered */
	uint32_t in_flight;		/* before this ACK */
	int64_t	rtt_ns;			/* -1: no sample */
	int64_t	now_ns;
	bool	cwnd_limited;		/* cwnd was what held us back */
};

union cc_state {
	struct { uint32_t acked; } reno;
	uint64_t room[4];		/* the largest controller fits in here */
};

struct cc_ops {
	const char *name;
	void	 (*init)(struct tcp_conn *c);
	void	 (*on_ack)(struct tcp_conn *c, const struct cc_ack *a);
	/* new ssthresh; once a loss episode [RFC5681:3.1] */
	uint32_t (*ssthresh)(struct tcp_conn *c, uint32_t in_flight);
};

extern const struct cc_ops rl_cc_reno;

/** Controller number @i from 0, or NULL. */
const struct cc_ops *rl_cc_at(unsigned i);
/** By name, or NULL. */
const struct cc_ops *rl_cc_find(const char *name);

#endif
