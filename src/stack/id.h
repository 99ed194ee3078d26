/* SPDX-License-Identifier: MIT */
/*
 * How a rill_id is made: bits 63..32 the generation of the slab object, 31..28
 * the kind, 27..0 the index.  A generation is odd, so an id is never 0.
 */
#ifndef RL_STACK_ID_H
#define RL_STACK_ID_H

#include "base/slab.h"

enum rl_id_kind {
	RL_ID_TCP = 1, RL_ID_UDP = 2, RL_ID_REQ = 3, RL_ID_TW = 4,
};

#define RL_ID_IDX_MAX	((1u << 28) - 1)

/** The name of a live slab object; @obj is its first member. */
static inline rill_id rl_id_make(enum rl_id_kind kind, const struct rl_obj *obj)
{
	return (rill_id)obj->gen << 32 | (uint32_t)kind << 28 |
	       (obj->idx & RL_ID_IDX_MAX);
}

/** One of enum rl_id_kind, or a number that is none. */
static inline unsigned rl_id_kind(rill_id id)
{
	return (unsigned)(id >> 28) & 0xf;
}

static inline uint32_t rl_id_idx(rill_id id)
{
	return (uint32_t)id & RL_ID_IDX_MAX;
}

static inline uint32_t rl_id_gen(rill_id id)
{
	return (uint32_t)(id >> 32);
}

#endif
