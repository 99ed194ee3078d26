/* SPDX-License-Identifier: MIT */
/*
 * Deadlines in exact order (time, then arming number): a 4-ary heap with the
 * key in the heap's own array.  See doc/adr/0003 for why this is no wheel.
 */
#ifndef RL_BASE_TIMERQ_H
#define RL_BASE_TIMERQ_H

#include "base/mem.h"

struct rl_timer {
	int64_t		at_ns;		/* RL_NEVER when not armed */
	uint32_t	pos;		/* 1 + index in the heap; 0: not in it */
	uint8_t		kind;		/* the owner's, see stack/poll.c */
};

struct rl_timerq_slot {
	int64_t		at_ns;
	uint64_t	number;		/* arming order */
	struct rl_timer	*t;
};

struct rl_timerq {
	struct rl_mem		*mem;
	struct rl_timerq_slot	*heap;
	uint32_t		n, cap, reserved;
	uint64_t		next_number;
};

void rl_timerq_init(struct rl_timerq *q, struct rl_mem *mem);
void rl_timerq_destroy(struct rl_timerq *q);

/**
 * Make room for one more timer, so that arming it never fails; undone by
 * rl_timerq_release().  Return: 0 or -ENOMEM.
 */
int rl_timerq_reserve(struct rl_timerq *q);
void rl_timerq_release(struct rl_timerq *q);

/** File @t at @at_ns, wherever it was; RL_NEVER takes it out. */
void rl_timerq_set(struct rl_timerq *q, struct rl_timer *t, int64_t at_ns);

/** Take out and return the earliest timer that is due at @now_ns, or NULL. */
struct rl_timer *rl_timerq_pop(struct rl_timerq *q, int64_t now_ns);

static inline int64_t rl_timerq_next(const struct rl_timerq *q)
{
	return q->n ? q->heap[0].at_ns : RL_NEVER;
}

#endif
