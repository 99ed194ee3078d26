/* SPDX-License-Identifier: MIT */
/* TCP's header and options as bytes [A1] [RFC9293:3.1]. */
#include <errno.h>
#include <stdlib.h>

#include "rl_test.h"
#include "base/rand.h"
#include "base/types.h"
#include "wire/tcp_hdr.h"

static const struct {
	const char *name;
	size_t	 n;
	uint8_t	 bytes[40];
	int	 err;
	struct tcp_opts want;
} rows[] = {
	{ "none", 0, { 0 }, 0, { 0 } },
	{ "MSS [RFC9293:MUST-4]", 4, { 2, 4, 5, 0xb4 }, 0, { .mss = 1460 } },
	{ "NOPs before", 6, { 1, 1, 2, 4, 5, 0xb4 }, 0, { .mss = 1460 } },
	{ "odd offset [RFC9293:MUST-64]", 8, { 1, 2, 4, 5, 0xb4, 1, 1, 1 }, 0, { .mss = 1460 } },
	{ "EOL ends", 8, { 2, 4, 5, 0xb4, 0, 3, 3, 7 }, 0, { .mss = 1460 } },
	{ "unknown kinds [RFC9293:MUST-6]", 12, { 99, 4, 1, 2, 253, 2, 2, 4, 5, 0xb4, 254, 2 }, 0,
	  { .mss = 1460 } },
	{ "the last MSS counts", 8, { 2, 4, 1, 0, 2, 4, 2, 0 }, 0, { .mss = 512 } },
	{ "MSS of a wrong length", 4, { 2, 3, 5, 1 }, 0, { 0 } },
	{ "window scale", 3, { 3, 3, 9 }, 0, { .has_wscale = true, .wscale = 9 } },
	{ "14 at most [RFC7323-07]", 3, { 3, 3, 15 }, 0, { .has_wscale = true, .wscale = 14 } },
	{ "SACK permitted", 2, { 4, 2 }, 0, { .sack_ok = true } },
	{ "timestamps", 10, { 8, 10, 0, 0, 0, 5, 0, 0, 1, 0 }, 0,
	  { .has_ts = true, .ts_val = 5, .ts_ecr = 256 } },
	{ "timestamps of a wrong length", 9, { 8, 9, 0, 0, 0, 5, 0, 0, 1 }, 0, { 0 } },
	{ "one block", 10, { 5, 10, 0, 0, 0, 1, 0, 0, 0, 9 }, 0,
	  { .nsack = 1, .sack = { { { 1 }, { 9 } } } } },
	{ "a block and a half", 14, { 5, 14, 0, 0, 0, 1, 0, 0, 0, 9, 0, 0, 0, 0 }, 0, { 0 } },
	{ "no block", 2, { 5, 2 }, 0, { 0 } },
	{ "length 0 [RFC9293:MUST-7]", 4, { 2, 0, 0, 0 }, -EBADMSG, { 0 } },
	{ "length 1", 4, { 2, 1, 0, 0 }, -EBADMSG, { 0 } },
	{ "beyond the header", 4, { 8, 10, 0, 0 }, -EBADMSG, { 0 } },
	{ "kind without length", 5, { 2, 4, 1, 0, 3 }, -EBADMSG, { .mss = 256 } },
	{ "unknown beyond", 3, { 99, 4, 0 }, -EBADMSG, { 0 } },
};

static bool same(const struct tcp_opts *a, const struct tcp_opts *b)
{
	bool eq = a->mss == b->mss && a->has_wscale == b->has_wscale &&
		  a->wscale == b->wscale && a->sack_ok == b->sack_ok &&
		  a->has_ts == b->has_ts && a->ts_val == b->ts_val &&
		  a->ts_ecr == b->ts_ecr && a->nsack == b->nsack;

	for (int i = 0; eq && i < a->nsack; i++)
		eq = a->sack[i].lo.v == b->sack[i].lo.v && a->sack[i].hi.v == b->sack[i].hi.v;
	return eq;
}

/* [RFC5482-07] [RFC6994-01] */
TEST(parser)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct tcp_opts o;

		CHECK_EQ(rows[i].name, rl_tcp_opts_parse(&o, rows[i].bytes, rows[i].n),
			 rows[i].err);
		CHECK(rows[i].name, same(&o, &rows[i].want));
	}
}

/* [RFC9293:MUST-68] [RFC9293:MUST-69] what is written is read back; multiples of four */
TEST(round_trip)
{
	static const uint8_t key[32] = { 3 };
	struct rl_rand rnd;

	rl_rand_seed(&rnd, key);
	for (int i = 0; i < 20000; i++) {
		uint32_t bits = (uint32_t)rl_rand64(&rnd);
		struct tcp_opts o = { 0 }, back;
		uint8_t buf[TCP_MAX_OPT + 4];
		size_t n;

		memset(buf, 0xee, sizeof(buf));
		if (bits & 1)
			o.mss = (uint16_t)(1 + rl_rand_below(&rnd, 65535));
		o.sack_ok = bits & 2;
		o.has_ts = bits & 4;
		if (o.has_ts) {
			o.ts_val = (uint32_t)rl_rand64(&rnd);
			o.ts_ecr = (uint32_t)rl_rand64(&rnd);
		}
		o.has_wscale = bits & 8;
		o.wscale = o.has_wscale ? (uint8_t)rl_rand_below(&rnd, 15) : 0;
		if (!o.mss && !o.has_wscale && !o.sack_ok)	/* not in a SYN */
			o.nsack = (uint8_t)rl_rand_below(&rnd, o.has_ts ? 4 : 5);
		for (int k = 0; k < o.nsack; k++)
			o.sack[k] = (struct tcp_sack){ seq_make((uint32_t)rl_rand64(&rnd)),
						       seq_make((uint32_t)rl_rand64(&rnd)) };
		n = rl_tcp_opts_write(&o, buf);
		if (n % 4 || n > TCP_MAX_OPT || buf[n] != 0xee) {
			CHECK_EQ("bytes", n, 0);
			return;
		}
		if (rl_tcp_opts_parse(&back, buf, n) < 0 || !same(&o, &back)) {
			CHECK(rl_label("round %d", i), false);
			return;
		}
	}
	CHECK("all the same", true);
}

/* Whatever the bytes: no read beyond them (the sanitizer looks), no endless loop. */
TEST(garbage)
{
	static const uint8_t key[32] = { 4 };
	struct rl_rand rnd;
	int bad = 0;

	rl_rand_seed(&rnd, key);
	for (int i = 0; i < 50000; i++) {
		size_t n = rl_rand_below(&rnd, 41);
		uint8_t *exact = malloc(n);	/* so that one byte more is noticed */
		struct tcp_opts o;

		for (size_t k = 0; k < n; k++)
			exact[k] = (uint8_t)rl_rand_below(&rnd, rl_rand_below(&rnd, 2) ? 12 : 256);
		bad += rl_tcp_opts_parse(&o, exact, n) < 0;
		free(exact);
		if (o.nsack > 4 || o.wscale > 14)
			CHECK("bounds", false);
	}
	CHECK("some were refused, some not", bad > 1000 && bad < 49000);
}

/* [RFC9293:lc-1] */
TEST(header)
{
	uint8_t b[20] = { 0x12, 0x34, 0, 80, 1, 2, 3, 4, 5, 6, 7, 8, 0x5f, 0xff, 0xab, 0xcd,
			  0, 0, 0, 9 }, out[20];
	struct tcp_hdr h;

	CHECK_EQ("parse", rl_tcp_hdr_parse(&h, b, 20), 0);
	CHECK_EQ("source", h.sport, 0x1234);
	CHECK_EQ("destination", h.dport, 80);
	CHECK_UEQ("seq", h.seq.v, 0x01020304);
	CHECK_UEQ("ack", h.ack.v, 0x05060708);
	CHECK_EQ("flags, all eight", h.flags, 0xff);
	CHECK_EQ("window", h.win, 0xabcd);
	CHECK_EQ("urgent", h.urg, 9);
	CHECK_EQ("length", h.hdr_len, 20);
	rl_tcp_hdr_write(&h, out);
	b[12] = 0x50;				/* reserved bits are sent as zero */
	CHECK_MEM("written", out, b, 20);
	CHECK_EQ("19 bytes", rl_tcp_hdr_parse(&h, b, 19), -EBADMSG);
	for (int off = 0; off < 16; off++) {
		uint8_t full[60] = { 0 };

		full[12] = (uint8_t)(off << 4);
		CHECK_EQ(rl_label("offset %d", off), rl_tcp_hdr_parse(&h, full, 60),
			 off < 5 ? -EBADMSG : 0);
		CHECK_EQ(rl_label("offset %d of 40", off), rl_tcp_hdr_parse(&h, full, 40),
			 off < 5 || off > 10 ? -EBADMSG : 0);
	}
}
