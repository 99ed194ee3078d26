/* SPDX-License-Identifier: MIT */
/* Timestamps [RFC7323:3] [RFC7323:4]: who sends them, what is echoed, the clock. */
#include <errno.h>

#include "tcp_fix.h"
#include "base/types.h"
#include "stack/sockopt_nums.h"

#define OPT_MSS1000	2, 4, 1000 >> 8, 1000 & 255

/* ---- timestamps ---- */

/* [RFC7323-11] [RFC7323-12] [RFC7323-14] [RFC7323-15] */
TEST(timestamps_negotiation)
{
	static const uint8_t ts[] = { OPT_MSS1000, 8, 10, 0, 0, 0, 9, 1, 2, 3, 4 };

	for (int row = 0; row < 4; row++) {
		bool theirs = row & 1, ours = row & 2;
		struct in_opts x = { .bytes = ts, .n = theirs ? 14 : 4 };
		struct out_seg o;
		struct fix f;

		fix_init(&f, false);
		fix_sysctl(&f, "net.ipv4.tcp_timestamps", ours ? "1" : "0");
		fix_listen(&f);
		fix_in_opts(&f, "S", 0, 0, 0, 65535, &x);
		o = fix_out(&f);
		CHECK_EQ("in SYN+ACK", o.o.has_ts, theirs && ours);
		if (o.o.has_ts)
			CHECK_EQ("echo", o.o.ts_ecr, 9);
		f.peer_ts = theirs && ours;
		fix_in(&f, ".", 1, 0, 1, 65535);
		CHECK_EQ("accept", rill_tcp_accept(f.st, f.listener, 7, &f.fd, NULL), 0);
		fix_send(&f, 2000);
		o = fix_out(&f);
		CHECK_EQ("in data", o.o.has_ts, theirs && ours);
		CHECK_EQ("payload [RFC9293:MUST-16]", o.len, theirs && ours ? 988 : 1000);
		fix_drain(&f);
		/* one that was not negotiated is ignored */
		fix_in_opts(&f, "P.", 1, 5, 2001, 65535, &(struct in_opts){
			    .bytes = (const uint8_t[]){ 8, 10, 0, 0, 0, 1, 0, 0, 0, 0 },
			    .n = theirs && ours ? 0 : 10 });
		fix_advance_ms(&f, 50);
		o = fix_out(&f);
		CHECK("ACK", o.there && o.ack == 6 && o.o.has_ts == (theirs && ours));
		rill_tcp_close(f.st, f.listener);
		rill_tcp_shutdown(f.st, f.fd, RILL_SHUT_WR);
		o = fix_out(&f);
		CHECK("FIN", o.flags & TH_FIN && o.o.has_ts == (theirs && ours));
		fix_done(&f);
	}
}

static void in_ts(struct fix *f, uint32_t seq, uint32_t len, uint32_t ts)
{
	struct in_opts x = { .ts_set = true, .ts_val = ts };

	fix_in_opts(f, ".", seq, len, 1, 65535, &x);
}

/* [RFC7323-18] What is echoed: of the segment that the next ACK answers. */
TEST(timestamps_echo)
{
	uint32_t base;
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, true, true);
	base = f.ts_val;
	in_ts(&f, 1, 100, base + 10);
	CHECK_EQ("in order", fix_out(&f).o.ts_ecr, base + 10);
	in_ts(&f, 201, 100, base + 20);		/* a hole before it */
	CHECK_EQ("out of order: the last in order", fix_out(&f).o.ts_ecr, base + 10);
	in_ts(&f, 101, 100, base + 15);		/* fills it */
	CHECK_EQ("the one that filled it", fix_out(&f).o.ts_ecr, base + 15);
	CHECK_EQ("set", fix_setopt(&f, RL_SOL_TCP, RL_TCP_QUICKACK, 0), 0);
	in_ts(&f, 301, 10, base + 30);
	in_ts(&f, 311, 10, base + 40);
	fix_advance_ms(&f, 41);
	CHECK_EQ("delayed: the earliest", fix_out(&f).o.ts_ecr, base + 30);
	fix_done(&f);
}

/* [RFC7323-16] [RFC7323-25] [RFC7323-23] The clock: milliseconds; its offset. */
TEST(timestamps_clock)
{
	static const uint8_t ts[] = { OPT_MSS1000, 8, 10, 0, 0, 0, 9, 0, 0, 0, 0 };
	struct in_opts x = { .bytes = ts, .n = sizeof(ts) };
	uint32_t first[3], second;

	for (int mode = 1; mode < 3; mode++) {
		struct fix f;

		fix_init(&f, false);
		fix_sysctl(&f, "net.ipv4.tcp_timestamps", mode == 1 ? "1" : "2");
		fix_listen(&f);
		fix_in_opts(&f, "S", 0, 0, 0, 65535, &x);
		first[mode] = fix_out(&f).o.ts_val;
		fix_advance_ms(&f, 1000);
		second = fix_out(&f).o.ts_val;
		CHECK_EQ("a second", second - first[mode], 1000);
		fix_done(&f);
	}
	CHECK_EQ("no offset", first[2], 1000 * 1000);
	CHECK("offset", first[1] != first[2]);
}

/* An echo of a time to come gives no sample. */
TEST(timestamps_from_the_future)
{
	struct in_opts x = { 0 };
	struct fix f;
	uint32_t rtt;

	fix_init(&f, false);
	fix_establish(&f, true, true);
	fix_send(&f, 900);
	fix_drain(&f);
	fix_advance_ms(&f, 250);		/* sent twice: Karn, so by timestamps only */
	fix_drain(&f);
	rtt = fix_info(&f).rtt;
	x.ts_ecr = f.ts_ecr + 5000;
	fix_in_opts(&f, ".", 1, 0, 901, 65535, &x);
	CHECK_EQ("no sample", fix_info(&f).rtt, rtt);
	CHECK_EQ("counted", fix_counter(&f, "tcp.ts_ecr_rejected"), 1);
	fix_done(&f);
}
