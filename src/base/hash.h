/* SPDX-License-Identifier: MIT */
/* SipHash-2-4 (Aumasson, Bernstein 2012): keyed, for tables and for ISNs. */
#ifndef RL_BASE_HASH_H
#define RL_BASE_HASH_H

#include "base/types.h"

struct rl_key {
	uint64_t k0, k1;
};

/** Keyed hash of @n bytes at @p, any alignment. */
uint64_t rl_siphash(const struct rl_key *key, const void *p, size_t n);

/** The same with fewer rounds (SipHash-1-3): for hash tables only. */
uint64_t rl_siphash13(const struct rl_key *key, const void *p, size_t n);

#endif
