/* SPDX-License-Identifier: MIT */
/*
 * An engine in virtual time: its owner says what time it is, and what happens when
 * a socket call has to wait.  Nothing else about it differs, so that sockets, stack
 * and devices run as they do on the real clock.  For packet scripts and simulation.
 */
#ifndef RL_RUN_VIRTUAL_H
#define RL_RUN_VIRTUAL_H

#include "run/engine.h"

struct rl_waiter;
struct rl_dev;

struct rl_virtual {
	int64_t now_ns;		/* may only grow */
	/*
	 * A call must wait until @w->ready or @until_ns; the engine is unlocked.
	 * Return: 1 ready, 0 the time has passed, -EINTR.
	 */
	int (*wait)(void *ctx, struct rl_waiter *w, int64_t until_ns);
	void *ctx;
};

/**
 * As rill_engine_open(), with @dev, which is taken over, and without a control
 * socket.  @v outlives the engine.
 */
int rl_engine_open_virtual(struct rl_virtual *v, const struct rill_engine_params *par,
			   struct rl_dev *dev, struct rill_engine **out,
			   char *why, size_t why_len);

/** Receive, run timers, send, as of the time that it is now. */
void rl_engine_round(struct rill_engine *e);

/** When the engine has something to do by itself; RL_NEVER. */
int64_t rl_engine_next_ns(struct rill_engine *e);

#endif
