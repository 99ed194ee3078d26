/* SPDX-License-Identifier: MIT */
/* Segments in any order, overlapping, twice; SACK and D-SACK blocks [RFC2018] [RFC2883]. */
#include <errno.h>

#include "tcp_fix.h"
#include "base/rand.h"
#include "base/types.h"
#include "stack/sockopt_nums.h"

/*
 * [RFC2018-03] [RFC2018-09] [RFC2525-05]
 * [RFC9293:SHLD-31] [A3] five segments in each of their 120 orders, bytes and SACK right
 */
TEST(reassembly_permutations)
{
	uint8_t buf[100];
	int order[5] = { 0, 1, 2, 3, 4 }, c[5] = { 0 }, i = 0, n = 0;

	for (;;) {
		unsigned have = 0;
		struct out_seg o;
		struct fix f;

		n++;
		fix_init(&f, false);
		fix_establish(&f, true, false);
		for (int k = 0; k < 5; k++) {
			uint32_t edge = 0, got;

			have |= 1u << order[k];
			fix_in(&f, ".", 1 + 10 * (uint32_t)order[k], 10, 1, 65535);
			o = fix_out(&f);
			while (have >> edge & 1)
				edge++;
			CHECK_EQ("ACK", o.ack, 1 + 10 * edge);
			got = 0;
			for (int b = 0; b < o.o.nsack; b++)
				for (uint32_t s = o.o.sack[b].lo.v - f.irs;
				     s < o.o.sack[b].hi.v - f.irs; s += 10)
					got |= 1u << (s - 1) / 10;
			CHECK_EQ("SACK: all above the ACK", got, have >> edge << edge);
			if (o.o.nsack)		/* [RFC2018-04] the newest first */
				CHECK("first block", (uint32_t)order[k] * 10 + 1 + f.irs -
				      o.o.sack[0].lo.v < o.o.sack[0].hi.v - o.o.sack[0].lo.v ||
				      (uint32_t)order[k] < edge);
		}
		CHECK_EQ("read", fix_recv(&f, buf, 100), 50);
		for (int b = 0; b < 50; b++)
			CHECK_EQ("byte", buf[b], (uint8_t)(1 + b));
		CHECK_EQ("nothing left", fix_counter(&f, "pool.ooo"), 0);
		fix_done(&f);

		while (i < 5 && c[i] >= i)	/* Heap's algorithm */
			c[i++] = 0;
		if (i >= 5)
			break;
		int a = i & 1 ? c[i] : 0, t = order[a];

		order[a] = order[i];
		order[i] = t;
		c[i]++;
		i = 0;
	}
	CHECK_EQ("all", n, 120);
}

/* Overlaps of any kind: each byte is delivered once and is the first that came. */
TEST(reassembly_overlaps)
{
	static uint8_t want[3000], buf[3000];
	static const uint8_t key[32] = { 7 };
	struct rl_rand rnd;
	struct fix f;

	rl_rand_seed(&rnd, key);
	for (int round = 0; round < 20; round++) {
		uint32_t got = 0;
		int64_t n;

		fix_init(&f, round & 1);
		fix_establish(&f, true, false);
		for (int k = 0; k < 3000 && got < 2000; k++) {
			uint32_t at = rl_rand_below(&rnd, 2100), len = 1 + rl_rand_below(&rnd, 150);

			at = at < 2000 ? at : 0;	/* the first byte more often */
			len = RL_MIN(len, 2000 - at);
			fix_in(&f, ".", 1 + at, len, 1, 65535);
			fix_drain(&f);
			while ((n = fix_recv(&f, buf + got, 500)) > 0)
				got += (uint32_t)n;
		}
		CHECK_EQ("all", got, 2000);
		for (uint32_t b = 0; b < 2000; b++)
			want[b] = (uint8_t)(1 + b);
		CHECK_MEM("bytes", buf, want, 2000);
		CHECK_EQ("nothing left", fix_counter(&f, "pool.ooo"), 0);
		CHECK("merged", fix_counter(&f, "tcp.ofo_merge") > 0);
		fix_done(&f);
	}
}

/* [RFC2883-03] [RFC2883-01] [RFC2883-02] [RFC2018-05] [RFC2018-06] */
TEST(dsack_sent)
{
	struct out_seg o;
	struct fix f;

	for (int on = 0; on < 2; on++) {
		fix_init(&f, false);
		fix_sysctl(&f, "net.ipv4.tcp_dsack", on ? "1" : "0");
		fix_establish(&f, true, false);
		fix_in(&f, ".", 1, 100, 1, 65535);
		fix_drain(&f);
		fix_in(&f, ".", 1, 100, 1, 65535);	/* again */
		o = fix_out(&f);
		CHECK_EQ("one block", o.o.nsack, on);
		if (on)
			CHECK("the duplicate", o.o.sack[0].lo.v - f.irs == 1 &&
					       o.o.sack[0].hi.v - f.irs == 101);
		fix_in(&f, ".", 201, 100, 1, 65535);
		o = fix_out(&f);
		CHECK_EQ("told once", o.o.nsack, 1);
		CHECK_EQ("the new one", o.o.sack[0].lo.v - f.irs, 201);
		fix_in(&f, ".", 201, 100, 1, 65535);	/* above RCV.NXT again */
		o = fix_out(&f);
		CHECK_EQ("duplicate and range", o.o.nsack, on + 1);
		CHECK_EQ("same", o.o.sack[0].lo.v, o.o.sack[on].lo.v);
		CHECK_EQ("counted", fix_counter(&f, "tcp.dsack_old_sent"), on);
		CHECK_EQ("counted", fix_counter(&f, "tcp.dsack_ofo_sent"), on);
		fix_done(&f);
	}
}

/* [RFC2018-01] [RFC2018-02] tcp_sack: no block without the option in both SYNs */
TEST(sack_needs_both_sides)
{
	for (int row = 0; row < 4; row++) {
		bool theirs = row & 1, ours = row & 2;
		struct fix f;

		fix_init(&f, false);
		fix_sysctl(&f, "net.ipv4.tcp_sack", ours ? "1" : "0");
		fix_establish(&f, theirs, false);
		fix_in(&f, ".", 101, 100, 1, 65535);
		CHECK_EQ("block", fix_out(&f).o.nsack, theirs && ours);
		fix_send(&f, 10000);
		fix_drain(&f);
		fix_sack(&f, 1, 1, (uint32_t[]){ 1001, 2001 });
		CHECK_EQ("heard", fix_info(&f).sacked, theirs && ours);
		fix_done(&f);
	}
}

/* The same for connections that we open. */
TEST(active_negotiation)
{
	for (int row = 0; row < 4; row++) {
		bool with_sack = row & 1, ts = row & 2;
		struct out_seg o;
		struct fix f;

		fix_init(&f, false);
		fix_connect(&f, with_sack, ts);
		fix_in(&f, ".", 101, 100, 1, 65535);
		o = fix_out(&f);
		CHECK_EQ("SACK", o.o.nsack, with_sack);
		CHECK_EQ("timestamps", o.o.has_ts, ts);
		CHECK_EQ("shown", fix_info(&f).options & 3, ts | with_sack << 1);
		fix_done(&f);
	}
}
