/* SPDX-License-Identifier: MIT */
/* The real clock: the only place where time comes from. */
#ifndef RL_RUN_CLOCK_H
#define RL_RUN_CLOCK_H

#include <time.h>

#include "base/types.h"

static inline int64_t rl_clock_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * RL_SEC + ts.tv_nsec;
}

/** Time until @at_ns as ppoll() and futex() take it; none for RL_NEVER. */
static inline struct timespec *rl_clock_left(int64_t at_ns, int64_t now_ns,
					     struct timespec *ts)
{
	int64_t left = at_ns > now_ns ? at_ns - now_ns : 0;

	if (at_ns == RL_NEVER)
		return NULL;
	ts->tv_sec = left / RL_SEC;
	ts->tv_nsec = left % RL_SEC;
	return ts;
}

#endif
