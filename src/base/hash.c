/* SPDX-License-Identifier: MIT */
/*
 * SipHash: four words of state, c rounds a word of input, d rounds at the end.
 * Tables use 1-3, whose output is never seen from outside; ISNs, timestamps
 * offsets and port selection use 2-4 [RFC6528:3].
 */
#include "base/hash.h"

static inline uint64_t rotl(uint64_t x, int n)
{
	return x << n | x >> (64 - n);
}

static inline uint64_t load_le64(const uint8_t *p)
{
	uint64_t v = 0;

	for (int i = 7; i >= 0; i--)
		v = v << 8 | p[i];
	return v;
}

static inline void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotl(v[1], 13) ^ v[0];
	v[0] = rotl(v[0], 32);
	v[2] += v[3];
	v[3] = rotl(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotl(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotl(v[1], 17) ^ v[2];
	v[2] = rotl(v[2], 32);
}

static inline uint64_t sip(const struct rl_key *key, const uint8_t *p, size_t n,
			   int c, int d)
{
	uint64_t v[4] = {
		key->k0 ^ 0x736f6d6570736575, key->k1 ^ 0x646f72616e646f6d,
		key->k0 ^ 0x6c7967656e657261, key->k1 ^ 0x7465646279746573,
	};
	uint64_t last = (uint64_t)n << 56;
	size_t i = 0;

	for (; i + 8 <= n; i += 8) {
		uint64_t m = load_le64(p + i);

		v[3] ^= m;
		for (int r = 0; r < c; r++)
			sip_round(v);
		v[0] ^= m;
	}
	for (int shift = 0; i < n; i++, shift += 8)
		last |= (uint64_t)p[i] << shift;
	v[3] ^= last;
	for (int r = 0; r < c; r++)
		sip_round(v);
	v[0] ^= last;
	v[2] ^= 0xff;
	for (int r = 0; r < d; r++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

uint64_t rl_siphash(const struct rl_key *key, const void *p, size_t n)
{
	return sip(key, p, n, 2, 4);
}

uint64_t rl_siphash13(const struct rl_key *key, const void *p, size_t n)
{
	return sip(key, p, n, 1, 3);
}
