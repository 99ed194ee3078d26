/* SPDX-License-Identifier: MIT */
/*
 * A stack with sockets in virtual time: what a packet script, and the plug-in of
 * the original tool, run against.  The interface carries bare IP packets; what
 * leaves is kept in a queue with the time at which it left.
 */
#ifndef RL_DRILL_WORLD_H
#define RL_DRILL_WORLD_H

#include "rill/socket.h"
#include "rill/stack.h"

struct rl_waiter;

#define DRILL_STEPS_MAX	10000000u	/* deadlines in one wait: a runaway timer ends */

/* A packet that left the stack: IP header first. */
struct drill_live {
	struct drill_live *next;
	int64_t		at_ns;
	uint32_t	len;
	uint8_t		bytes[];
};

struct drill_world_params {
	struct rill_ip	local[2];	/* IPv4 and IPv6; the any-address: none */
	unsigned	prefix[2];
	unsigned	mtu;
	uint64_t	seed;
	const char	*pcap;		/* pcapng of all packets, or NULL */
	/*
	 * A socket call must wait until @w->ready or virtual time @until_ns; the
	 * stack is unlocked meanwhile.  Return: 1, 0 (time passed) or -EINTR.
	 */
	int (*wait)(void *ctx, struct rl_waiter *w, int64_t until_ns);
	/* When a waiter's time passes, or INT64_MAX: time stops there too.  May be NULL. */
	int64_t (*deadline)(void *ctx);
	/* Time or packets went in: a waiter may be ready.  May be NULL. */
	void (*progress)(void *ctx);
	void *ctx;
};

struct drill_world;

/** 0 or -errno with a line in @why. */
int rl_drill_world_open(const struct drill_world_params *par, struct drill_world **out,
			char *why, size_t why_len);
void rl_drill_world_close(struct drill_world *w);

struct rill_engine *rl_drill_world_engine(struct drill_world *w);
struct rill_stack *rl_drill_world_stack(struct drill_world *w);

/** Virtual time in ns; where it begins depends on the seed. */
int64_t rl_drill_world_now(const struct drill_world *w);

/**
 * Let time pass to @at_ns.  What is due before @at_ns happens; what is due at
 * that very moment happens after an input or call of that moment.
 */
void rl_drill_world_until(struct drill_world *w, int64_t at_ns);

/** Let time pass to the next deadline, if it is not after @limit_ns. */
bool rl_drill_world_step(struct drill_world *w, int64_t limit_ns);

/**
 * A packet enters now; @gso_size: it is a super-segment of pieces of this size,
 * 0: it is one packet.  Return: 0 or -errno.
 */
int rl_drill_world_input(struct drill_world *w, const void *ip, size_t len,
			 unsigned gso_size);

/** The oldest packet that left, or NULL; given back by free(). */
struct drill_live *rl_drill_world_take(struct drill_world *w);

#endif
