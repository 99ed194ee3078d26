/* SPDX-License-Identifier: MIT */
/* wire/cksum.c against the definition, 16 bits at a time. */
#include "rl_test.h"
#include "wire/cksum.h"

/* [RFC1071:1]: ones' complement sum of the bytes in pairs, padded by zero. */
static uint16_t naive(const uint8_t *p, size_t n, uint32_t sum)
{
	for (size_t i = 0; i < n; i++)
		sum += (uint32_t)p[i] << (i & 1 ? 0 : 8);
	while (sum >> 16)
		sum = (sum >> 16) + (sum & 0xffff);
	return (uint16_t)sum;
}

/* In network order, whatever the machine's is. */
static uint16_t in_host(uint16_t stored)
{
	uint8_t b[2];

	memcpy(b, &stored, 2);
	return get16(b);
}

static void fill(uint8_t *p, size_t n)
{
	uint32_t x = 12345;

	for (size_t i = 0; i < n; i++) {
		x = x * 1103515245 + 12345;
		p[i] = (uint8_t)(x >> 16);
	}
}

/* [RFC1071-01] */
TEST(cksum_alignments_and_lengths)
{
	static uint8_t buf[400];

	fill(buf, sizeof(buf));
	for (size_t at = 0; at < 16; at++)
		for (size_t n = 0; n <= 300; n++)
			if (!CHECK_EQ(rl_label("at %zu, %zu bytes", at, n),
				      in_host(rl_sum_fold(rl_sum(buf + at, n, 0))),
				      naive(buf + at, n, 0)))
				return;
}

TEST(cksum_carries)
{
	static uint8_t ones[65536];

	memset(ones, 0xff, sizeof(ones));
	for (size_t n = 1; n <= sizeof(ones); n = n * 2 + 1)
		CHECK_EQ(rl_label("%zu bytes of ones", n),
			 in_host(rl_sum_fold(rl_sum(ones, n, UINT64_MAX))),
			 naive(ones, n, 0xffff));
	CHECK_EQ("nothing", rl_sum_fold(rl_sum(ones, 0, 0)), 0);
	CHECK_EQ("finish of nothing", rl_sum_finish(0), 0xffff);
}

TEST(cksum_parts_join)
{
	static uint8_t buf[200];

	fill(buf, sizeof(buf));
	for (size_t cut = 0; cut <= sizeof(buf); cut++)
		for (size_t two = cut; two <= sizeof(buf); two += 7) {
			uint64_t mid = rl_sum(buf + cut, two - cut, 0);
			uint64_t end = rl_sum(buf + two, sizeof(buf) - two, 0);
			uint64_t sum = rl_sum_fold(rl_sum(buf, cut, 0));

			sum += rl_sum_fold(rl_sum_at(mid, cut));
			sum += rl_sum_fold(rl_sum_at(end, two));
			if (!CHECK_EQ(rl_label("cut at %zu and %zu", cut, two),
				      in_host(rl_sum_fold(sum)),
				      naive(buf, sizeof(buf), 0)))
				return;
		}
}

/* [RFC9293:MUST-2] [RFC9293:MUST-3]: the pseudo-header of both families. */
TEST(cksum_pseudo_header)
{
	struct rill_ip a = rl_ip4(0x0a4d0001), b = rl_ip4(0xc0a80102);
	uint8_t v4[12] = { 10, 77, 0, 1, 192, 168, 1, 2, 0, 6, 0x12, 0x34 };
	uint8_t v6[40] = { 0 };
	struct rill_ip c, d;

	CHECK_EQ("IPv4", in_host(rl_sum_fold(rl_sum_pseudo(&a, &b, 6, 0x1234))),
		 naive(v4, sizeof(v4), 0));
	fill(v6, 32);
	memcpy(c.b, v6, 16);
	memcpy(d.b, v6 + 16, 16);
	put32(v6 + 32, 0x12345);
	v6[39] = 17;
	CHECK_EQ("IPv6", in_host(rl_sum_fold(rl_sum_pseudo(&c, &d, 17, 0x12345))),
		 naive(v6, sizeof(v6), 0));
}

/* [RFC1624-01] [RFC1624:3] [RFC1624:4]: also where the older formula gave 0xffff. */
TEST(cksum_update)
{
	uint8_t buf[20];

	fill(buf, sizeof(buf));
	for (unsigned i = 0; i < 2000; i++) {
		uint16_t old = get16(buf + 4), new = (uint16_t)(i * 40503u);

		put16(buf + 10, 0);
		put16(buf + 10, (uint16_t)~naive(buf, sizeof(buf), 0));
		put16(buf + 4, new);
		rl_cksum_update16(buf + 10, old, new);
		if (!CHECK_EQ(rl_label("%#x to %#x", old, new),
			      naive(buf, sizeof(buf), 0), 0xffff))
			return;
	}
	put16(buf, 0xdd2f);
	rl_cksum_update16(buf, 0x5555, 0x3285);
	CHECK_EQ("the RFC's example", get16(buf), 0x0000);
}
