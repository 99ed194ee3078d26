/* SPDX-License-Identifier: MIT */
/*
 * Tests of look/track_seq.c [D5]: what was sent again and why, overtaken data, ACKs,
 * windows, round-trip times, super-segments.
 */
#include "track_fixture.h"

#define MSS	1012		/* of the fixture, which has no timestamps at first */

static void flight(struct fix *f, uint32_t from, uint32_t to)
{
	for (uint32_t at = from; at < to; at++)
		seg(f, 0, A, "A", 1 + at * MSS, 1, MSS);
}

TEST(track_fast)
{
	const struct track_side *a, *b;
	struct fix f;

	fix_open(&f, 10);
	handshake(&f);
	flight(&f, 0, 5);
	for (uint32_t i = 2; i <= 4; i++)
		CHECK_UEQ("duplicate", sack(&f, i == 2 ? 10 : 0, B, 1, 1, 1 + MSS, 1 + i * MSS),
			  TRACK_DUP_ACK);
	CHECK_UEQ("again", seg(&f, 1, A, "A", 1, 1, MSS), TRACK_RETX | TRACK_FAST);
	seg(&f, 10, B, "A", 1, 1 + 5 * MSS, 0);
	fix_end(&f);
	a = &f.last.end[A].n;
	b = &f.last.end[B].n;
	CHECK_EQ("fast", a->retrans_fast, 1);
	CHECK_EQ("in all", a->retrans_frames, 1);
	CHECK_EQ("bytes again", a->retrans_bytes, MSS);
	CHECK_EQ("bytes of the stream", a->bytes, 5 * MSS);
	CHECK_EQ("bytes sent", a->bytes_sent, 6 * MSS);
	CHECK_EQ("duplicate ACKs", b->dup_acks, 3);
	CHECK_EQ("needless", a->retrans_late + b->dsacks, 0);
	fix_close(&f);
}

TEST(track_timeout)
{
	struct fix f;

	fix_open(&f, 10);
	handshake(&f);
	flight(&f, 0, 3);
	CHECK_UEQ("first", seg(&f, 200, A, "A", 1, 1, MSS), TRACK_RETX | TRACK_TIMEOUT);
	seg(&f, 10, B, "A", 1, 1 + MSS, 0);
	CHECK_UEQ("the rest of the flight", seg(&f, 0, A, "A", 1 + MSS, 1, MSS),
		  TRACK_RETX | TRACK_TIMEOUT);
	seg(&f, 10, B, "A", 1, 1 + 3 * MSS, 0);
	CHECK_UEQ("needless", seg(&f, 1, A, "A", 1 + 2 * MSS, 1, MSS) & (TRACK_RETX | TRACK_LATE),
		  TRACK_RETX | TRACK_LATE);
	fix_end(&f);
	CHECK_EQ("timeouts", f.last.end[A].n.retrans_timeout, 2);
	CHECK_EQ("late", f.last.end[A].n.retrans_late, 1);
	fix_close(&f);
}

TEST(track_tail_probe)
{
	struct fix f;

	fix_open(&f, 10);
	handshake(&f);
	flight(&f, 0, 3);
	CHECK_UEQ("the tail", seg(&f, 40, A, "A", 1 + 2 * MSS, 1, MSS),
		  TRACK_RETX | TRACK_TAIL_PROBE);
	CHECK_UEQ("reported", sack(&f, 10, B, 1, 1 + 3 * MSS, 1 + 2 * MSS, 1 + 3 * MSS),
		  TRACK_DSACK);
	fix_end(&f);
	CHECK_EQ("probes", f.last.end[A].n.retrans_probe, 1);
	CHECK_EQ("D-SACK", f.last.end[B].n.dsacks, 1);
	fix_close(&f);
}

TEST(track_syn_and_fin_again)
{
	struct fix f;

	fix_open(&f, 10);
	seg(&f, 0, A, "S", 0, 0, 0);
	CHECK_UEQ("SYN", seg(&f, 1000, A, "S", 0, 0, 0), TRACK_RETX | TRACK_TIMEOUT);
	seg(&f, 10, B, "SA", 0, 1, 0);
	seg(&f, 2, A, "A", 1, 1, 0);
	seg(&f, 2, A, "FA", 1, 1, 0);
	CHECK_UEQ("FIN", seg(&f, 300, A, "FA", 1, 1, 0), TRACK_RETX | TRACK_TIMEOUT);
	fix_end(&f);
	CHECK_EQ("two", f.last.end[A].n.retrans_segs, 2);
	CHECK_EQ("no bytes", f.last.end[A].n.retrans_bytes, 0);
	CHECK_EQ("handshake from the first", f.last.open_ns - f.last.syn_ns, 1012 * RL_MS);
	fix_close(&f);
}

TEST(track_overtaken)
{
	struct fix f;

	fix_open(&f, 10);
	handshake(&f);
	seg(&f, 0, A, "A", 1, 1, MSS);
	CHECK_UEQ("a gap", seg(&f, 0, A, "A", 1 + 2 * MSS, 1, MSS), TRACK_GAP);
	CHECK_UEQ("soon filled", seg(&f, 1, A, "A", 1 + MSS, 1, MSS), TRACK_REORDERED);
	CHECK_UEQ("another gap", seg(&f, 0, A, "A", 1 + 4 * MSS, 1, MSS), TRACK_GAP);
	CHECK_UEQ("filled late: lost before it came here", seg(&f, 100, A, "A", 1 + 3 * MSS, 1, MSS),
		  TRACK_RETX);
	fix_end(&f);
	CHECK_EQ("overtaken", f.last.end[A].n.reordered, 1);
	CHECK_EQ("gaps", f.last.end[A].n.gaps, 2);
	CHECK_EQ("again", f.last.end[A].n.retrans_frames, 1);
	CHECK_EQ("bytes once", f.last.end[A].n.bytes, 5 * MSS);
	fix_close(&f);
}

/* Timestamps are surer than the time. */
TEST(track_overtaken_timestamps)
{
	struct fix f;

	fix_open(&f, 10);
	f.ts[A] = 100;
	f.ts[B] = 900;
	handshake(&f);
	f.ts[A] = 105;
	seg(&f, 0, A, "A", 1 + 1000, 1, 1000);
	f.ts[A] = 104;
	CHECK_UEQ("sent before", seg(&f, 500, A, "A", 1, 1, 1000), TRACK_REORDERED);
	f.ts[A] = 110;
	seg(&f, 0, A, "A", 1 + 3000, 1, 1000);
	f.ts[A] = 111;
	CHECK_UEQ("sent later", seg(&f, 0, A, "A", 1 + 2000, 1, 1000) & TRACK_RETX, TRACK_RETX);
	fix_close(&f);
}

TEST(track_unseen)
{
	struct fix f;

	fix_open(&f, 10);
	handshake(&f);
	seg(&f, 0, A, "A", 1, 1, 100);
	CHECK_UEQ("more than passed", seg(&f, 5, B, "A", 1, 301, 0), TRACK_UNSEEN);
	seg(&f, 0, A, "A", 401, 1, 100);
	seg(&f, 5, B, "A", 1, 501, 0);
	fix_end(&f);
	CHECK_EQ("beyond, and in a hole", f.last.end[B].n.unseen, 300);
	CHECK_EQ("bytes that passed", f.last.end[A].n.bytes, 200);
	fix_close(&f);
}

TEST(track_zero_window)
{
	struct look_seg s;
	struct fix f;

	fix_open(&f, 10);
	handshake(&f);
	seg(&f, 0, A, "A", 1, 1, 100);
	s = fix_make(&f, B, TH_ACK, 1, 101, 0);
	s.win = 0;
	fix_put(&f, &s);
	CHECK_UEQ("closed", f.marks, TRACK_ZERO_WINDOW);
	CHECK_UEQ("asks", seg(&f, 200, A, "A", 100, 1, 0), TRACK_WINDOW_PROBE);
	CHECK_UEQ("with a byte", seg(&f, 200, A, "A", 101, 1, 1), TRACK_WINDOW_PROBE);
	CHECK_UEQ("and again", seg(&f, 200, A, "A", 101, 1, 1), TRACK_WINDOW_PROBE);
	CHECK_UEQ("open, with the byte", seg(&f, 100, B, "A", 1, 102, 0), TRACK_WINDOW_OPEN);
	CHECK_UEQ("goes on", seg(&f, 0, A, "A", 102, 1, 10), 0);
	fix_end(&f);
	CHECK_EQ("times", f.last.end[B].n.zero_windows, 1);
	CHECK_EQ("how long", f.last.end[B].n.zero_window_us, 700000);
	CHECK_EQ("probes", f.last.end[A].n.window_probes, 3);
	CHECK_EQ("nothing again", f.last.end[A].n.retrans_frames, 0);
	CHECK_EQ("bytes", f.last.end[A].n.bytes, 111);
	CHECK_EQ("nothing unseen", f.last.end[B].n.unseen, 0);
	fix_close(&f);
}

TEST(track_keepalive)
{
	struct fix f;

	fix_open(&f, 10);
	handshake(&f);
	seg(&f, 0, A, "A", 1, 1, 100);
	seg(&f, 5, B, "A", 1, 101, 0);
	CHECK_UEQ("without data", seg(&f, 7000, A, "A", 100, 1, 0), TRACK_KEEPALIVE);
	CHECK_UEQ("its answer is no duplicate", seg(&f, 5, B, "A", 1, 101, 0), 0);
	CHECK_UEQ("with a byte", seg(&f, 7000, A, "A", 100, 1, 1), TRACK_KEEPALIVE);
	fix_end(&f);
	CHECK_EQ("counted", f.last.end[A].n.keepalives, 2);
	CHECK_EQ("nothing again", f.last.end[A].n.retrans_frames, 0);
	fix_close(&f);
}

/* Karn: an ACK of what was sent twice measures nothing, unless timestamps tell. */
TEST(track_rtt)
{
	struct fix f;

	fix_open(&f, 10);
	f.ts[A] = 1;
	f.ts[B] = 1;
	handshake(&f);
	seg(&f, 0, A, "A", 1, 1, 100);
	f.ts[A] = 300;
	seg(&f, 300, A, "A", 1, 1, 100);
	seg(&f, 10, B, "A", 1, 101, 0);		/* echoes the second */
	f.ts[A] = 400;
	seg(&f, 0, A, "A", 101, 1, 100);
	seg(&f, 30, B, "A", 1, 201, 0);
	fix_end(&f);
	CHECK_EQ("samples: SYN and the third", f.last.end[A].n.rtt_samples, 2);
	CHECK_EQ("least", f.last.end[A].n.rtt_min_us, 10000);
	CHECK_EQ("most", f.last.end[A].n.rtt_max_us, 30000);
	CHECK_EQ("mean", f.last.end[A].n.rtt_avg_us, 20000);
	fix_close(&f);
}

/* A super-segment is one frame and many segments; a part of it comes again. */
TEST(track_super_segment)
{
	const struct track_side *a;
	struct fix f;

	fix_open(&f, 10);
	handshake(&f);
	seg(&f, 0, A, "A", 1, 1, 10 * MSS + 1);
	CHECK_UEQ("the middle again, and more than there was",
		  seg(&f, 1, A, "A", 1 + 9 * MSS, 1, 3 * MSS) & TRACK_RETX, TRACK_RETX);
	fix_end(&f);
	a = &f.last.end[A].n;
	CHECK_EQ("frames", a->frames, 4);
	CHECK_EQ("segments", a->segs, 2 + 11 + 3);
	CHECK_EQ("again in segments", a->retrans_segs, 2);
	CHECK_EQ("again in bytes", a->retrans_bytes, MSS + 1);
	CHECK_EQ("bytes of the stream", a->bytes, 12 * MSS);
	fix_close(&f);
}

TEST(track_nonsense)
{
	struct fix f;

	fix_open(&f, 10);
	handshake(&f);
	seg(&f, 0, A, "A", 0x70000000, 1, 100);
	CHECK_UEQ("an ACK of another world", seg(&f, 0, B, "A", 1, 0x60000000, 0), TRACK_IGNORED);
	CHECK_UEQ("does not matter", seg(&f, 0, A, "A", 1, 1, 100), 0);
	fix_end(&f);
	CHECK_EQ("bytes", f.last.end[A].n.bytes, 100);
	fix_close(&f);
}
