/* SPDX-License-Identifier: MIT */
/*
 * Loss and its repair [A23]: the congestion window, fast retransmit with and without
 * SACK, recovery after a timeout.
 */
#include <errno.h>

#include "tcp_fix.h"
#include "base/types.h"
#include "stack/sockopt_nums.h"

/* ---- the congestion window ---- */

/*
 * [RFC5681-01] [RFC5681-03]
 * [RFC6928-01] [RFC5681-04] ten segments, and the handshake's ACK does not add to them
 */
TEST(initial_window)
{
	struct fix f;

	fix_init(&f, false);
	fix_sysctl(&f, "net.ipv4.tcp_wmem", "4096 1000000 4000000");
	fix_establish(&f, false, false);
	fix_send(&f, 50000);
	CHECK_EQ("ten", fix_drain(&f), 10);
	CHECK("held by cwnd", fix_counter(&f, "hold.CWND") > 0);
	fix_done(&f);
}

/*
 * [RFC5681-02] [RFC2525-01] [RFC2525-06]
 * [RFC5681-09] [RFC9293:MUST-19] doubled a round trip, later one segment
 */
TEST(cwnd_growth)
{
	uint32_t nxt = 1, cwnd, una = 1, half;
	struct out_seg o;
	struct fix f;

	fix_init(&f, false);
	fix_sysctl(&f, "net.ipv4.tcp_wmem", "4096 4000000 4000000");
	fix_establish(&f, false, false);
	fix_send(&f, 1000000);
	for (int round = 0; round < 2; round++) {
		while ((o = fix_out(&f)).there)
			nxt = RL_MAX(nxt, o.seq + o.len);
		CHECK_EQ(rl_label("slow start, round %d", round), nxt - una, 10000u << round);
		while (una < nxt)
			fix_in(&f, ".", 1, 0, una += 2000, 65535);
	}
	while ((o = fix_out(&f)).there)
		nxt = RL_MAX(nxt, o.seq + o.len);
	fix_advance_ms(&f, 250);		/* a timeout: ssthresh is half the flight */
	fix_drain(&f);
	half = (nxt - una) / 2;
	CHECK_EQ("ssthresh [RFC5681-10]", fix_info(&f).snd_ssthresh, half / 1000);
	CHECK_EQ("cwnd", fix_info(&f).snd_cwnd, 1);
	while (fix_info(&f).snd_cwnd < half / 1000 && una < nxt) {
		fix_in(&f, ".", 1, 0, una += 1000, 65535);
		while ((o = fix_out(&f)).there)
			nxt = RL_MAX(nxt, o.seq + o.len);
	}
	for (int round = 0; round < 3; round++) {
		uint32_t end = nxt;

		cwnd = fix_info(&f).snd_cwnd;
		while (una < end) {
			fix_in(&f, ".", 1, 0, una += 1000, 65535);
			while ((o = fix_out(&f)).there)
				nxt = RL_MAX(nxt, o.seq + o.len);
		}
		CHECK(rl_label("avoidance: %u to %u", cwnd, fix_info(&f).snd_cwnd),
		      fix_info(&f).snd_cwnd >= cwnd && fix_info(&f).snd_cwnd <= cwnd + 2);
	}
	CHECK("it does grow", fix_info(&f).snd_cwnd > half / 1000);
	fix_done(&f);
}

/* [RFC5681-23] tcp_slow_start_after_idle */
TEST(idle_restart)
{
	for (int on = 0; on < 2; on++) {
		uint32_t una = 1;
		struct fix f;

		fix_init(&f, false);
		fix_sysctl(&f, "net.ipv4.tcp_slow_start_after_idle", on ? "1" : "0");
		fix_sysctl(&f, "net.ipv4.tcp_wmem", "4096 4000000 4000000");
		fix_establish(&f, false, false);
		fix_send(&f, 30000);
		for (int i = 0; i < 3; i++) {
			uint32_t nxt = una;
			struct out_seg o;

			while ((o = fix_out(&f)).there)
				nxt = o.seq + o.len;
			while (una < nxt)
				fix_in(&f, ".", 1, 0, una += 1000, 65535);
		}
		CHECK("grown", fix_info(&f).snd_cwnd > 20);
		fix_advance_ms(&f, 1000);
		fix_send(&f, 100000);
		if (on)
			CHECK_EQ("ten again", fix_drain(&f), 10);
		else
			CHECK("as it was", fix_drain(&f) > 20);
		fix_done(&f);
	}
}

/* [RFC7661-01] A window that the application does not use is not proven and does not grow. */
TEST(cwnd_of_a_slow_application)
{
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	for (uint32_t i = 0; i < 50; i++) {
		fix_send(&f, 1000);
		fix_drain(&f);
		fix_in(&f, ".", 1, 0, 1001 + 1000 * i, 65535);
	}
	CHECK_EQ("as at first", fix_info(&f).snd_cwnd, 10);
	fix_done(&f);
}

/* ---- fast retransmit ---- */

static void dupacks(struct fix *f, uint32_t ack, int n)
{
	for (int i = 0; i < n; i++)
		fix_in(f, ".", 1, 0, ack, 65535);
}

/*
 * [RFC5681-14] [RFC2525-08]
 * [RFC5681-15] [RFC5681-16] [RFC5681-17] [RFC3042-01] [RFC3042-02] without SACK
 */
TEST(fast_retransmit)
{
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	fix_sysctl(&f, "net.ipv4.tcp_wmem", "4096 4000000 4000000");
	fix_send(&f, 16384);
	CHECK_EQ("ten", fix_drain(&f), 10);
	dupacks(&f, 1, 1);
	fix_expect(&f, "limited transmit", ".", 10001, 1000, 1);
	dupacks(&f, 1, 1);
	fix_expect(&f, "limited transmit", ".", 11001, 1000, 1);
	fix_expect_none(&f, "two only");
	dupacks(&f, 1, 1);
	fix_expect(&f, "the lost one", ".", 1, 1000, 1);
	CHECK_EQ("recovery", fix_info(&f).ca_state, 3);
	CHECK_EQ("ssthresh: half of the flight", fix_info(&f).snd_ssthresh, 5);
	CHECK_EQ("counted", fix_counter(&f, "tcp.fast_retrans"), 1);
	CHECK_EQ("counted", fix_counter(&f, "tcp.reno_recovery"), 1);
	fix_in(&f, ".", 1, 0, 12001, 65535);	/* all of it [RFC5681-22] */
	CHECK_EQ("over", fix_info(&f).ca_state, 0);
	CHECK("deflated", fix_info(&f).snd_cwnd <= 5);
	CHECK_EQ("no timeout", fix_counter(&f, "tcp.timeouts"), 0);
	fix_done(&f);
}

/* What is no duplicate ACK [RFC5681-15]. */
TEST(not_a_dupack)
{
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	fix_send(&f, 5000);
	fix_drain(&f);
	for (uint16_t i = 0; i < 5; i++)
		fix_in(&f, ".", 1, 0, 1, (uint16_t)(60000 - i));	/* the window changes */
	for (uint32_t i = 0; i < 5; i++)
		fix_in(&f, "P.", 1 + 10 * i, 10, 1, 59996);		/* with data */
	fix_drain(&f);
	CHECK_EQ("nothing sent again", fix_counter(&f, "tcp.retrans_segs"), 0);
	fix_done(&f);
}

/* tcp_reordering */
TEST(dupack_threshold)
{
	struct fix f;

	fix_init(&f, false);
	fix_sysctl(&f, "net.ipv4.tcp_reordering", "6");
	fix_establish(&f, false, false);
	fix_send(&f, 10000);
	fix_drain(&f);
	dupacks(&f, 1, 5);
	fix_drain(&f);
	CHECK_EQ("five", fix_counter(&f, "tcp.retrans_segs"), 0);
	dupacks(&f, 1, 1);
	fix_drain(&f);
	CHECK_EQ("six", fix_counter(&f, "tcp.retrans_segs"), 1);
	fix_done(&f);
}

/* [RFC6582-01] [RFC6582-02] [RFC6582-03] NewReno: three holes in one window */
TEST(partial_acks)
{
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	fix_send(&f, 10000);
	fix_drain(&f);
	dupacks(&f, 1, 3);
	fix_expect(&f, "first hole", ".", 1, 1000, 1);
	dupacks(&f, 1, 4);
	fix_drain(&f);
	fix_in(&f, ".", 1, 0, 3001, 65535);
	fix_expect(&f, "second hole, at once", ".", 3001, 1000, 1);
	fix_drain(&f);
	fix_in(&f, ".", 1, 0, 6001, 65535);
	fix_expect(&f, "third hole", ".", 6001, 1000, 1);
	CHECK_EQ("still recovery", fix_info(&f).ca_state, 3);
	fix_in(&f, ".", 1, 0, 10001, 65535);
	CHECK_EQ("over", fix_info(&f).ca_state, 0);
	dupacks(&f, 10001, 3);
	fix_expect_none(&f, "nothing in flight: no duplicates");
	CHECK_EQ("one episode", fix_counter(&f, "tcp.reno_recovery"), 1);
	CHECK_EQ("no timeout", fix_counter(&f, "tcp.timeouts"), 0);
	fix_done(&f);
}

/*
 * [RFC6675-04] [RFC6675-05] [RFC6675-09]
 * [RFC6675-01] [RFC6675-02] [RFC2018-07] Only the holes are sent again.
 * [RFC6675-12]
 */
TEST(sack_recovery)
{
	struct out_seg o;
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, true, false);
	fix_send(&f, 10000);
	fix_drain(&f);
	fix_sack(&f, 1, 1, (uint32_t[]){ 1001, 2001 });
	fix_sack(&f, 1, 2, (uint32_t[]){ 3001, 4001, 1001, 2001 });
	fix_expect_none(&f, "no data for limited transmit");
	fix_sack(&f, 1, 2, (uint32_t[]){ 3001, 6001, 1001, 2001 });
	o = fix_out(&f);
	CHECK("first hole", o.seq == 1 && o.len == 1000);
	fix_expect_none(&f, "half of the flight is enough");
	fix_sack(&f, 1, 2, (uint32_t[]){ 3001, 7001, 1001, 2001 });
	o = fix_out(&f);
	CHECK("second hole, when there is room", o.seq == 2001 && o.len == 1000);
	fix_expect_none(&f, "nothing that arrived");
	CHECK_EQ("shown", fix_info(&f).sacked, 5);
	fix_sack(&f, 3001, 1, (uint32_t[]){ 3001, 7001 });
	fix_in(&f, ".", 1, 0, 10001, 65535);
	CHECK_EQ("over", fix_info(&f).ca_state, 0);
	CHECK_EQ("counted", fix_counter(&f, "tcp.sack_recv"), 5);
	CHECK_EQ("two sent again", fix_counter(&f, "tcp.retrans_segs"), 2);
	fix_done(&f);
}

/* The first news of a loss may come on an ACK that moves on: it counts as congestion. */
TEST(sack_on_an_advancing_ack)
{
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, true, false);
	fix_send(&f, 10000);
	fix_drain(&f);
	fix_sack(&f, 1001, 1, (uint32_t[]){ 2001, 7001 });
	fix_expect(&f, "the hole", ".", 1001, 1000, 1);
	CHECK_EQ("recovery", fix_info(&f).ca_state, 3);
	CHECK("slower", fix_info(&f).snd_cwnd < 10);
	fix_done(&f);
}

/* [RFC2883-04] Forged, old and duplicate blocks. */
TEST(strange_sack_blocks)
{
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, true, false);
	fix_send(&f, 10000);
	fix_drain(&f);
	fix_in(&f, ".", 1, 0, 2001, 65535);
	fix_sack(&f, 2001, 1, (uint32_t[]){ 1, 1001 });		/* D-SACK: below the ACK */
	CHECK_EQ("D-SACK", fix_counter(&f, "tcp.dsack_recv"), 1);
	CHECK_EQ("shown", fix_info(&f).dsack_dups, 1);
	fix_sack(&f, 2001, 2, (uint32_t[]){ 5001, 6001, 4001, 7001 });	/* within block two */
	CHECK_EQ("D-SACK", fix_counter(&f, "tcp.dsack_recv"), 2);
	CHECK_EQ("block two counts", fix_info(&f).sacked, 3);
	fix_sack(&f, 2001, 1, (uint32_t[]){ 20001, 30001 });	/* never sent */
	fix_sack(&f, 2001, 1, (uint32_t[]){ 9001, 8001 });		/* upside down */
	fix_sack(&f, 2001, 1, (uint32_t[]){ 9001, 12001 });		/* half of it never sent */
	CHECK_EQ("none of these counts", fix_info(&f).sacked, 3);
	CHECK_EQ("alive", fix_state(&f), RILL_ESTABLISHED);
	fix_done(&f);
}

/*
 * [RFC6675-03] [RFC2018-10] [RFC6675-14]
 * [RFC2018-08] After a timeout the first is sent again, though it was sacked once.
 */
TEST(timeout_forgets_reneged_sacks)
{
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, true, false);
	fix_send(&f, 5000);
	fix_drain(&f);
	fix_sack(&f, 1, 1, (uint32_t[]){ 1001, 2001 });
	fix_in(&f, ".", 1, 0, 1001, 65535);	/* stands below what was sacked: thrown away */
	fix_drain(&f);
	fix_advance_ms(&f, 1000);
	fix_expect(&f, "again", ".", 1001, 1000, 1);
	fix_done(&f);
}

/*
 * [RFC2525-02] [RFC2525-14]
 * [RFC6582-05] [RFC5681-11] After a timeout all is sent again, by slow start, once.
 */
TEST(recovery_after_timeout)
{
	uint32_t una = 1;
	struct out_seg o;
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	fix_send(&f, 8000);
	fix_drain(&f);
	fix_advance_ms(&f, 201);
	fix_expect(&f, "one", ".", 1, 1000, 1);
	fix_expect_none(&f, "one");
	CHECK_EQ("loss", fix_info(&f).ca_state, 4);
	for (int i = 0; i < 8; i++) {
		fix_in(&f, ".", 1, 0, una += 1000, 65535);
		while ((o = fix_out(&f)).there)
			CHECK("not what was acknowledged", o.seq >= una);
	}
	CHECK_EQ("eight", fix_counter(&f, "tcp.retrans_segs"), 8);
	CHECK_EQ("open", fix_info(&f).ca_state, 0);
	CHECK_EQ("total", fix_info(&f).total_retrans, 8);
	fix_done(&f);
}
