/* SPDX-License-Identifier: MIT */
/* Sequence numbers compare modulo 2^32 [A2] [RFC9293:3.4]. */
#include "rl_test.h"

#include "base/seq.h"
#include "base/types.h"

static const struct {
	uint32_t a, b;
	int32_t	 diff;
} pairs[] = {
	{ 0, 0, 0 },
	{ 1, 0, 1 },
	{ 0, 0xffffffff, 1 },
	{ 0x7fffffff, 0, INT32_MAX },
	{ 0x80000000, 0, INT32_MIN },
	{ 5, 0xfffffffb, 10 },
	{ 0x12345678, 0x12345679, -1 },
};

TEST(seq_compares_over_the_wrap)
{
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		seq_t a = seq_make(pairs[i].a), b = seq_make(pairs[i].b);
		const char *row = rl_label("%x - %x", a.v, b.v);

		CHECK_EQ(row, seq_diff(a, b), pairs[i].diff);
		CHECK_EQ(row, seq_lt(a, b), pairs[i].diff < 0);
		CHECK_EQ(row, seq_le(a, b), pairs[i].diff <= 0);
		CHECK_EQ(row, seq_gt(a, b), pairs[i].diff > 0);
		CHECK_EQ(row, seq_ge(a, b), pairs[i].diff >= 0);
		CHECK_EQ(row, seq_eq(a, b), pairs[i].diff == 0);
	}
}

TEST(seq_adds_over_the_wrap)
{
	seq_t top = seq_make(0xffffffff);

	CHECK_UEQ("add", seq_add(top, 2).v, 1);
	CHECK_UEQ("sub", seq_sub(seq_make(1), 2).v, 0xffffffff);
	CHECK_UEQ("max", seq_max(top, seq_make(3)).v, 3);
	CHECK_UEQ("min", seq_min(top, seq_make(3)).v, 0xffffffff);
}

TEST(seq_in_window)
{
	seq_t lo = seq_make(0xfffffffe);

	CHECK("first byte", seq_in(lo, lo, 4));
	CHECK("last byte", seq_in(seq_make(1), lo, 4));
	CHECK("one beyond", !seq_in(seq_make(2), lo, 4));
	CHECK("one before", !seq_in(seq_make(0xfffffffd), lo, 4));
	CHECK("nothing lies in an empty window", !seq_in(lo, lo, 0));
}
