/* SPDX-License-Identifier: MIT */
/*
 * Counter mode over SipHash-2-4: output i is the keyed hash of (mix, i), which
 * nobody can continue without the key [RFC6528:3] [RFC6056:3.3].
 */
#include "base/rand.h"

void rl_rand_seed(struct rl_rand *r, const uint8_t seed[32])
{
	memcpy(&r->key.k0, seed, 8);
	memcpy(&r->key.k1, seed + 8, 8);
	r->mix = 0;
	r->count = 0;
	r->mix = rl_siphash(&r->key, seed + 16, 16);
}

uint64_t rl_rand64(struct rl_rand *r)
{
	uint64_t in[2] = { r->mix, r->count++ };

	return rl_siphash(&r->key, in, sizeof(in));
}

uint32_t rl_rand_below(struct rl_rand *r, uint32_t n)
{
	return (uint32_t)(((rl_rand64(r) & 0xffffffff) * n) >> 32);
}
