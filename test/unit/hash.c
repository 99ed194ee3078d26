/* SPDX-License-Identifier: MIT */
/* SipHash against its authors' vectors; the random generator. */
#include "rl_test.h"

#include "base/hash.h"
#include "base/rand.h"
#include "base/types.h"

/* SipHash-2-4 of 00 01 02 ... under key 00 .. 0f, lengths 0 to 15 and 63. */
static const struct { size_t n; uint64_t want; } vectors[] = {
	{ 0, 0x726fdb47dd0e0e31 }, { 1, 0x74f839c593dc67fd }, { 2, 0x0d6c8009d9a94f5a },
	{ 3, 0x85676696d7fb7e2d }, { 4, 0xcf2794e0277187b7 }, { 5, 0x18765564cd99a68d },
	{ 6, 0xcbc9466e58fee3ce }, { 7, 0xab0200f58b01d137 }, { 8, 0x93f5f5799a932462 },
	{ 9, 0x9e0082df0ba9e4b0 }, { 10, 0x7a5dbbc594ddb9f3 }, { 11, 0xf4b32f46226bada7 },
	{ 12, 0x751e8fbc860ee5fb }, { 13, 0x14ea5627c0843d90 }, { 14, 0xf723ca908e7af2ee },
	{ 15, 0xa129ca6149be45e5 },
};

TEST(siphash_vectors)
{
	struct rl_key key = { 0x0706050403020100, 0x0f0e0d0c0b0a0908 };
	uint8_t in[64 + 1];

	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)(i - 1);
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++)	/* an odd address */
		CHECK_UEQ(rl_label("%zu bytes", vectors[i].n),
			  rl_siphash(&key, in + 1, vectors[i].n), vectors[i].want);
}

TEST(siphash_13_is_another_function)
{
	struct rl_key key = { 1, 2 }, other = { 1, 3 };

	CHECK("rounds", rl_siphash(&key, "abc", 3) != rl_siphash13(&key, "abc", 3));
	CHECK("key", rl_siphash13(&key, "abc", 3) != rl_siphash13(&other, "abc", 3));
	CHECK("length", rl_siphash13(&key, "abc\0", 3) != rl_siphash13(&key, "abc\0", 4));
}

TEST(random_numbers)
{
	uint8_t seed[32] = { 1 };
	uint32_t hits[7] = { 0 };
	struct rl_rand a, b;

	rl_rand_seed(&a, seed);
	rl_rand_seed(&b, seed);
	for (int i = 0; i < 100; i++)
		CHECK("same seed, same stream", rl_rand64(&a) == rl_rand64(&b));
	seed[31] = 1;				/* the last byte counts as well */
	rl_rand_seed(&b, seed);
	CHECK("another seed", rl_rand64(&a) != rl_rand64(&b));
	for (int i = 0; i < 70000; i++) {
		uint32_t n = rl_rand_below(&a, 7);

		if (n > 6) {
			CHECK_EQ("below", n, 6);
			return;
		}
		hits[n]++;
	}
	for (int i = 0; i < 7; i++)
		CHECK(rl_label("about 10000: %u", hits[i]), hits[i] > 9500 && hits[i] < 10500);
}
