/* SPDX-License-Identifier: MIT */
/*
 * The stack's only source of chance: a stream drawn from the 32-byte seed given
 * at creation, so that the same seed repeats the same run.
 */
#ifndef RL_BASE_RAND_H
#define RL_BASE_RAND_H

#include "base/hash.h"

struct rl_rand {
	struct rl_key	key;
	uint64_t	mix, count;
};

void rl_rand_seed(struct rl_rand *r, const uint8_t seed[32]);
uint64_t rl_rand64(struct rl_rand *r);

/** Uniform in [0, @n); @n > 0. */
uint32_t rl_rand_below(struct rl_rand *r, uint32_t n);

#endif
