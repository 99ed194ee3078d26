/* SPDX-License-Identifier: MIT */
/*
 * Sequence numbers: modulo 2^32 [RFC9293:3.4].  A struct, so that '<' does not
 * compile and every comparison says which one it is.
 */
#ifndef RL_BASE_SEQ_H
#define RL_BASE_SEQ_H

#include "base/types.h"

typedef struct {
	uint32_t v;
} seq_t;

static inline seq_t seq_make(uint32_t v)
{
	return (seq_t){ v };
}

static inline seq_t seq_add(seq_t s, uint32_t n)
{
	return (seq_t){ s.v + n };
}

static inline seq_t seq_sub(seq_t s, uint32_t n)
{
	return (seq_t){ s.v - n };
}

/** Signed distance a - b. */
static inline int32_t seq_diff(seq_t a, seq_t b)
{
	return (int32_t)(a.v - b.v);
}

/* All modulo 2^32 [RFC9293:lc-6]. */
static inline bool seq_eq(seq_t a, seq_t b)	{ return a.v == b.v; }
static inline bool seq_lt(seq_t a, seq_t b)	{ return seq_diff(a, b) < 0; }
static inline bool seq_le(seq_t a, seq_t b)	{ return seq_diff(a, b) <= 0; }
static inline bool seq_gt(seq_t a, seq_t b)	{ return seq_diff(a, b) > 0; }
static inline bool seq_ge(seq_t a, seq_t b)	{ return seq_diff(a, b) >= 0; }

static inline seq_t seq_max(seq_t a, seq_t b)
{
	return seq_gt(a, b) ? a : b;
}

static inline seq_t seq_min(seq_t a, seq_t b)
{
	return seq_lt(a, b) ? a : b;
}

/** True when @s lies in [@lo, @lo + @len); false for an empty window. */
static inline bool seq_in(seq_t s, seq_t lo, uint32_t len)
{
	return s.v - lo.v < len;
}

#endif
