/* SPDX-License-Identifier: MIT */
/*
 * Loss and its repair [A23]: retransmission timeouts, fast retransmit with and
 * without SACK, the congestion window, what gives up when, ICMP errors, path MTU,
 * reassembly in any order; whole transfers over a bad wire.
 */
#include <errno.h>
#include <stdio.h>

#include "tcp_fix.h"
#include "base/rand.h"
#include "base/types.h"
#include "stack/sockopt_nums.h"

static void open_with_rtt(struct fix *f, int rtt_ms, bool sack)
{
	static const uint8_t opts[] = { 2, 4, 1000 >> 8, 1000 & 255, 4, 2 };

	fix_listen(f);
	fix_in_opts(f, "S", 0, 0, 0, 65535,
		    &(struct in_opts){ .bytes = opts, .n = sack ? 6 : 4 });
	fix_drain(f);
	fix_advance_ms(f, rtt_ms);
	fix_in(f, ".", 1, 0, 1, 65535);
	CHECK_EQ("accept", rill_tcp_accept(f->st, f->listener, 7, &f->fd, NULL), 0);
}

/* ---- the timeout ---- */

/* [RFC6298-02] [RFC6298-03] [RFC6298-04] [RFC6298-07] [RFC6298-08] against a reference */
TEST(rto_values)
{
	static const int series[] = { 100, 100, 100, 300, 50, 50, 700, 20, 20, 20, 20, 20, 20,
				      20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20 };
	int64_t srtt = 500 * RL_MS, var = 250 * RL_MS;
	uint32_t una = 1;
	struct fix f;

	fix_init(&f, false);
	open_with_rtt(&f, 500, false);
	CHECK_EQ("first: R + 4 * R/2", fix_info(&f).rto, 1500000);
	for (size_t i = 0; i < ARRAY_LEN(series); i++) {
		int64_t r = series[i] * RL_MS, dev = srtt > r ? srtt - r : r - srtt;

		fix_send(&f, 100);
		fix_drain(&f);
		fix_advance_ms(&f, series[i]);
		fix_in(&f, ".", 1, 0, una += 100, 65535);
		var += (dev - var) / 4;
		srtt += (r - srtt) / 8;
		CHECK_EQ(rl_label("srtt %zu", i), fix_info(&f).rtt, srtt / RL_US);
		CHECK_EQ(rl_label("rttvar %zu", i), fix_info(&f).rttvar, var / RL_US);
		CHECK_EQ(rl_label("rto %zu", i), fix_info(&f).rto,
			 (srtt + RL_MAX(4 * var, 200 * RL_MS)) / RL_US);
	}
	CHECK("min_rtt", fix_info(&f).min_rtt >= 20000 && fix_info(&f).min_rtt < 21000);
	fix_done(&f);
}

/* [RFC6298-09] [RFC6298-13] [RFC6298-14] [RFC6298-15] [RFC6298-05] [RFC9293:lc-15] */
TEST(rto_backoff)
{
	int64_t wait_ms = 200;
	struct fix f;

	fix_init(&f, false);
	fix_sysctl(&f, "net.ipv4.tcp_rto_max_ms", "10000");
	fix_establish(&f, false, false);
	fix_send(&f, 2500);
	CHECK_EQ("sent", fix_drain(&f), 3);
	for (int i = 0; i < 12; i++) {
		fix_advance_ms(&f, wait_ms - 1);
		fix_expect_none(&f, rl_label("%d not before %lld ms", i, (long long)wait_ms));
		fix_advance_ms(&f, 2);
		fix_expect(&f, rl_label("%d", i), ".", 1, 1000, 1);
		fix_expect_none(&f, "only the first");
		fix_advance_ms(&f, -1);
		wait_ms = RL_MIN(wait_ms * 2, 10000);
	}
	CHECK_EQ("counted", fix_counter(&f, "tcp.timeouts"), 12);
	CHECK_EQ("counted", fix_counter(&f, "tcp.retrans_segs"), 12);
	CHECK_EQ("shown", fix_info(&f).backoff, 12);
	CHECK_EQ("cwnd [RFC5681-11]", fix_info(&f).snd_cwnd, 1);
	fix_done(&f);
}

/* tcp_rto_min_us */
TEST(rto_minimum)
{
	struct fix f;

	fix_init(&f, false);
	fix_sysctl(&f, "net.ipv4.tcp_rto_min_us", "50000");
	fix_establish(&f, false, false);
	fix_send(&f, 100);
	fix_drain(&f);
	fix_advance_ms(&f, 49);
	fix_expect_none(&f, "50 ms");
	fix_advance_ms(&f, 2);
	fix_expect(&f, "now", "P.", 1, 100, 1);
	fix_done(&f);
}

/* [RFC6298-10] [RFC6298-11] [RFC6298-12] */
TEST(rto_restarts_on_progress)
{
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	fix_send(&f, 2000);
	fix_drain(&f);
	fix_advance_ms(&f, 150);
	fix_in(&f, ".", 1, 0, 1001, 65535);	/* RTT 150: RTO at least 350 */
	fix_advance_ms(&f, 199);
	fix_expect_none(&f, "restarted");
	fix_advance_ms(&f, 500);
	fix_expect(&f, "second one", "P.", 1001, 1000, 1);
	fix_in(&f, ".", 1, 0, 2001, 65535);
	fix_advance_ms(&f, 300000);
	fix_expect_none(&f, "all acknowledged: no timer");
	fix_done(&f);
}

/* [RFC6298-06] Karn; with timestamps the sample is unambiguous [RFC7323-17]. */
TEST(karn)
{
	for (int ts = 0; ts < 2; ts++) {
		struct fix f;
		uint32_t rtt;

		fix_init(&f, false);
		fix_establish(&f, false, ts);
		rtt = fix_info(&f).rtt;
		fix_send(&f, 100);
		fix_drain(&f);
		fix_advance_ms(&f, 250);
		fix_drain(&f);
		fix_advance_ms(&f, 100);
		fix_in(&f, ".", 1, 0, 101, 65535);
		if (ts)
			CHECK("a sample", fix_info(&f).rtt > rtt);
		else
			CHECK_EQ("no sample", fix_info(&f).rtt, rtt);
		fix_done(&f);
	}
}

/* [RFC6298-01] [RFC6298-16] [RFC6928-02] The SYN was lost: slow and careful afterwards. */
TEST(after_lost_syns)
{
	struct fix f;

	fix_init(&f, false);
	fix_reach(&f, RILL_SYN_SENT);
	fix_advance_ms(&f, 999);
	fix_expect_none(&f, "one second");
	fix_advance_ms(&f, 2);
	fix_expect(&f, "SYN again", "S", 0, 0, 0);
	fix_advance_ms(&f, 2000);
	fix_expect(&f, "and again", "S", 0, 0, 0);
	fix_in(&f, "S.", 0, 0, 1, 65535);
	fix_expect(&f, "ACK", ".", 1, 0, 1);
	CHECK_EQ("3 s", fix_info(&f).rto, 3000000);
	CHECK_EQ("one segment", fix_info(&f).snd_cwnd, 1);
	CHECK_EQ("counted", fix_counter(&f, "tcp.syn_retrans"), 2);
	fix_done(&f);
}

/* ---- the congestion window ---- */

/* [RFC6928-01] [RFC5681-04] ten segments, and the handshake's ACK does not add to them */
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

/* [RFC5681-05] [RFC5681-09] [RFC9293:MUST-19] doubled a round trip, later one segment */
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

/* [RFC5681-15] [RFC5681-16] [RFC5681-17] [RFC3042-01] [RFC3042-02] without SACK */
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
	CHECK_EQ("ssthresh: half of the flight", fix_info(&f).snd_ssthresh, 6);
	CHECK_EQ("counted", fix_counter(&f, "tcp.fast_retrans"), 1);
	CHECK_EQ("counted", fix_counter(&f, "tcp.reno_recovery"), 1);
	fix_in(&f, ".", 1, 0, 12001, 65535);	/* all of it [RFC5681-22] */
	CHECK_EQ("over", fix_info(&f).ca_state, 0);
	CHECK("deflated", fix_info(&f).snd_cwnd <= 6);
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

static void sack(struct fix *f, uint32_t ack, int n, const uint32_t *lo_hi)
{
	struct tcp_opts o = { .nsack = (uint8_t)n };
	struct in_opts x = { 0 };
	uint8_t buf[40];

	for (int i = 0; i < n; i++)
		o.sack[i] = (struct tcp_sack){ seq_make(f->iss + lo_hi[2 * i]),
					       seq_make(f->iss + lo_hi[2 * i + 1]) };
	x.n = rl_tcp_opts_write(&o, buf);
	x.bytes = buf;
	fix_in_opts(f, ".", 1, 0, ack, 65535, &x);
}

/* [RFC6675-01] [RFC6675-02] [RFC2018-07] Only the holes are sent again. */
TEST(sack_recovery)
{
	struct out_seg o;
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, true, false);
	fix_send(&f, 10000);
	fix_drain(&f);
	sack(&f, 1, 1, (uint32_t[]){ 1001, 2001 });
	sack(&f, 1, 2, (uint32_t[]){ 3001, 4001, 1001, 2001 });
	fix_expect_none(&f, "no data for limited transmit");
	sack(&f, 1, 2, (uint32_t[]){ 3001, 6001, 1001, 2001 });
	o = fix_out(&f);
	CHECK("first hole", o.seq == 1 && o.len == 1000);
	fix_expect_none(&f, "half of the flight is enough");
	sack(&f, 1, 2, (uint32_t[]){ 3001, 7001, 1001, 2001 });
	o = fix_out(&f);
	CHECK("second hole, when there is room", o.seq == 2001 && o.len == 1000);
	fix_expect_none(&f, "nothing that arrived");
	CHECK_EQ("shown", fix_info(&f).sacked, 5);
	sack(&f, 3001, 1, (uint32_t[]){ 3001, 7001 });
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
	sack(&f, 1001, 1, (uint32_t[]){ 2001, 7001 });
	fix_expect(&f, "the hole", ".", 1001, 1000, 1);
	CHECK_EQ("recovery", fix_info(&f).ca_state, 3);
	CHECK("slower", fix_info(&f).snd_cwnd < 10);
	fix_done(&f);
}

/* [RFC2883-04] [RFC6675-13] Forged, old and duplicate blocks. */
TEST(strange_sack_blocks)
{
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, true, false);
	fix_send(&f, 10000);
	fix_drain(&f);
	fix_in(&f, ".", 1, 0, 2001, 65535);
	sack(&f, 2001, 1, (uint32_t[]){ 1, 1001 });		/* D-SACK: below the ACK */
	CHECK_EQ("D-SACK", fix_counter(&f, "tcp.dsack_recv"), 1);
	CHECK_EQ("shown", fix_info(&f).dsack_dups, 1);
	sack(&f, 2001, 2, (uint32_t[]){ 5001, 6001, 4001, 7001 });	/* within block two */
	CHECK_EQ("D-SACK", fix_counter(&f, "tcp.dsack_recv"), 2);
	CHECK_EQ("block two counts", fix_info(&f).sacked, 3);
	sack(&f, 2001, 1, (uint32_t[]){ 20001, 30001 });	/* never sent */
	sack(&f, 2001, 1, (uint32_t[]){ 9001, 8001 });		/* upside down */
	sack(&f, 2001, 1, (uint32_t[]){ 9001, 12001 });		/* half of it never sent */
	CHECK_EQ("none of these counts", fix_info(&f).sacked, 3);
	CHECK_EQ("alive", fix_state(&f), RILL_ESTABLISHED);
	fix_done(&f);
}

/* [RFC2018-08] After a timeout the first is sent again, though it was sacked once. */
TEST(timeout_forgets_reneged_sacks)
{
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, true, false);
	fix_send(&f, 5000);
	fix_drain(&f);
	sack(&f, 1, 1, (uint32_t[]){ 1001, 2001 });
	fix_in(&f, ".", 1, 0, 1001, 65535);	/* stands below what was sacked: thrown away */
	fix_drain(&f);
	fix_advance_ms(&f, 1000);
	fix_expect(&f, "again", ".", 1001, 1000, 1);
	fix_done(&f);
}

/* [RFC6582-05] [RFC5681-11] After a timeout all is sent again, by slow start, once. */
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

/* ---- giving up ---- */

/* [RFC9293:MUST-20] [RFC9293:SHLD-11] [A21] R2, its default and its settings */
TEST(giving_up)
{
	static const struct {
		const char *name, *knob, *value;
		bool	 user, close;
		int64_t	 from_s, to_s;
	} rows[] = {
		{ "default", NULL, NULL, false, false, 900, 940 },
		{ "tcp_retries2", "net.ipv4.tcp_retries2", "3", false, false, 2, 4 },
		{ "user timeout", NULL, NULL, true, false, 4, 6 },
		{ "orphan", NULL, NULL, false, true, 50, 110 },
		{ "tcp_orphan_retries", "net.ipv4.tcp_orphan_retries", "2", false, true, 1, 2 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t buf[4];
		struct fix f;

		fix_init(&f, false);
		if (rows[i].knob)
			fix_sysctl(&f, rows[i].knob, rows[i].value);
		fix_establish(&f, false, false);
		if (rows[i].user)
			CHECK_EQ("set", fix_setopt(&f, RL_SOL_TCP, RL_TCP_USER_TIMEOUT, 5000), 0);
		fix_send(&f, 100);
		fix_drain(&f);
		if (rows[i].close)
			CHECK_EQ("close", rill_tcp_close(f.st, f.fd), 0);
		for (int64_t t = 0; t < rows[i].from_s * 10; t++) {
			fix_advance_ms(&f, 100);
			fix_drain(&f);
		}
		CHECK(rl_label("%s: not yet", rows[i].name), fix_state(&f) != RILL_CLOSE);
		fix_advance_ms(&f, (rows[i].to_s - rows[i].from_s) * 1000);
		CHECK_EQ(rows[i].name, fix_state(&f), RILL_CLOSE);
		if (!rows[i].close)
			CHECK_EQ("told [RFC9293:MUST-21]", fix_recv(&f, buf, 4), -ETIMEDOUT);
		CHECK_EQ("counted", fix_counter(&f, "tcp.abort_on_timeout"), 1);
		fix_drain(&f);
		fix_done(&f);
	}
}

/* [RFC9293:MUST-22] [RFC9293:MUST-23] [A21] SYN: three minutes at least */
TEST(connect_gives_up)
{
	static const struct { const char *name, *knob; int syncnt; int64_t from_s, to_s; int n; }
	rows[] = {
		{ "default", NULL, 0, 240, 250, 7 },
		{ "tcp_syn_retries", "2", 0, 6, 8, 2 },
		{ "TCP_SYNCNT", NULL, 1, 2, 4, 1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rill_addr peer = { .ip = rl_ip4(0x0a000002), .port = FIX_PEER_PORT };
		int n = 0;
		struct fix f;

		fix_init(&f, false);
		if (rows[i].knob)
			fix_sysctl(&f, "net.ipv4.tcp_syn_retries", rows[i].knob);
		CHECK_EQ("open", rill_tcp_open(f.st, 7, &f.fd), 0);
		if (rows[i].syncnt)
			CHECK_EQ("set", fix_setopt(&f, RL_SOL_TCP, RL_TCP_SYNCNT,
						   rows[i].syncnt), 0);
		/* twice: the second attempt has all its time again */
		for (int again = 0; again < 2; again++) {
			CHECK_EQ("connect", rill_tcp_connect(f.st, f.fd, &peer, 0),
				 -EINPROGRESS);
			CHECK_EQ("SYN", fix_out(&f).flags, TH_SYN);
			n = 0;
			for (int64_t t = 0; t < rows[i].from_s; t++) {
				fix_advance_ms(&f, 1000);
				n += fix_drain(&f);
			}
			CHECK(rl_label("%s: not yet", rows[i].name),
			      !(rill_tcp_poll(f.st, f.fd) & RILL_ERR));
			fix_advance_ms(&f, (rows[i].to_s - rows[i].from_s) * 1000);
			CHECK_EQ("SYNs", n, rows[i].n);
			CHECK("told", rill_tcp_poll(f.st, f.fd) & RILL_ERR);
			CHECK_EQ("ETIMEDOUT", fix_getopt(&f, RL_SOL_SOCKET, RL_SO_ERROR),
				 ETIMEDOUT);
			fix_drain(&f);
		}
		CHECK_EQ("counted", fix_counter(&f, "tcp.attempt_fails"), 2);
		fix_done(&f);
	}
}

/* [RFC9293:SHLD-9] [RFC9293:SHLD-10] tcp_retries1: the neighbour is asked again */
TEST(r1_suspects_the_neighbour)
{
	uint32_t i = 0;
	struct fix f;

	fix_init(&f, false);
	fix_sysctl(&f, "net.ipv4.tcp_retries1", "5");
	fix_establish(&f, false, false);
	fix_send(&f, 100);
	fix_drain(&f);
	while (fix_info(&f).retransmits < 6 && i++ < 1000) {
		fix_advance_ms(&f, 100);
		fix_drain(&f);
	}
	CHECK_EQ("alive after R1", fix_state(&f), RILL_ESTABLISHED);
	fix_done(&f);
}

/* ---- ICMP ---- */

/* [RFC9293:MUST-54] [RFC9293:MUST-56] [RFC9293:SHLD-25] [RFC9293:SHLD-26] [RFC5927-02] */
TEST(icmp_errors)
{
	static const struct {
		bool	 v6;
		uint8_t	 type, code;
		int	 err;
		bool	 hard;
	} rows[] = {
		{ false, 3, 0, ENETUNREACH, false }, { false, 3, 1, EHOSTUNREACH, false },
		{ false, 3, 2, ENOPROTOOPT, true }, { false, 3, 3, ECONNREFUSED, true },
		{ false, 3, 5, EOPNOTSUPP, false }, { false, 11, 0, EHOSTUNREACH, false },
		{ false, 12, 0, EPROTO, false },
		{ true, 1, 0, ENETUNREACH, false }, { true, 1, 3, EHOSTUNREACH, false },
		{ true, 1, 4, ECONNREFUSED, true }, { true, 3, 0, EHOSTUNREACH, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *row = rl_label("v%d type %u code %u", rows[i].v6 ? 6 : 4,
					   rows[i].type, rows[i].code);
		struct fix f;

		fix_init(&f, rows[i].v6);	/* connecting */
		fix_reach(&f, RILL_SYN_SENT);
		fix_icmp(&f, rows[i].type, rows[i].code, 5, 0);
		CHECK_EQ("quotes something else", fix_getopt(&f, RL_SOL_SOCKET, RL_SO_ERROR), 0);
		CHECK_EQ("counted", fix_counter(&f, "tcp.out_of_window_icmps"), 1);
		fix_icmp(&f, rows[i].type, rows[i].code, 0, 0);
		CHECK_EQ(row, fix_state(&f), rows[i].hard ? RILL_CLOSE : RILL_SYN_SENT);
		if (!rows[i].hard)		/* it is what the timeout reports [RFC5461-01] */
			for (int k = 0; k < 300; k++) {
				fix_advance_ms(&f, 1000);
				fix_drain(&f);
			}
		CHECK_EQ(row, fix_getopt(&f, RL_SOL_SOCKET, RL_SO_ERROR), rows[i].err);
		CHECK_EQ("told once", fix_getopt(&f, RL_SOL_SOCKET, RL_SO_ERROR), 0);
		fix_done(&f);

		fix_init(&f, rows[i].v6);	/* open: none of them ends it */
		fix_establish(&f, false, false);
		fix_send(&f, 100);
		fix_drain(&f);
		fix_icmp(&f, rows[i].type, rows[i].code, 1, 0);
		CHECK_EQ(row, fix_state(&f), RILL_ESTABLISHED);
		CHECK_EQ("soft error [RFC9293:MUST-47]",
			 fix_getopt(&f, RL_SOL_SOCKET, RL_SO_ERROR), rows[i].err);
		fix_icmp(&f, rows[i].type, rows[i].code, 200, 0);
		CHECK_EQ("not in flight [RFC5927-01]",
			 fix_getopt(&f, RL_SOL_SOCKET, RL_SO_ERROR), 0);
		fix_in(&f, ".", 1, 0, 101, 65535);
		fix_done(&f);
	}
}

/* [RFC9293:MUST-55] [RFC5927-04] */
TEST(source_quench)
{
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	fix_send(&f, 10000);
	fix_drain(&f);
	fix_icmp(&f, 4, 0, 1, 0);
	CHECK_EQ("no error", fix_getopt(&f, RL_SOL_SOCKET, RL_SO_ERROR), 0);
	CHECK_EQ("no change", fix_info(&f).snd_cwnd, 10);
	fix_done(&f);
}

/* [RFC1191-05] [RFC8201-05] [RFC1191-06] [A8] cut anew, sent again at once, not blamed */
TEST(path_mtu_lowered)
{
	for (int v6 = 0; v6 < 2; v6++) {
		static const uint8_t opts[] = { 2, 4, 1400 >> 8, 1400 & 255 };
		uint32_t hdr = v6 ? 60 : 40, mtu = 1300, mss = mtu - hdr;
		struct out_seg o;
		struct fix f;
		uint32_t at = 1;

		fix_init(&f, v6);
		fix_establish_opts(&f, opts, sizeof(opts));
		fix_send(&f, 4200);
		CHECK_EQ("three", fix_drain(&f), 3);
		fix_icmp(&f, v6 ? 2 : 3, v6 ? 0 : 4, 9000, mtu);
		fix_expect_none(&f, "about nothing in flight: not believed");
		fix_icmp(&f, v6 ? 2 : 3, v6 ? 0 : 4, 1, mtu);
		while ((o = fix_out(&f)).there) {
			CHECK_EQ("from the start", o.seq, at);
			CHECK("fits", o.len <= mss);
			at = o.seq + o.len;
		}
		CHECK_EQ("all of it", at, 4201);
		CHECK_EQ("MSS", fix_info(&f).snd_mss, mss);
		CHECK_EQ("path MTU", fix_info(&f).pmtu, mtu);
		CHECK_EQ("not congestion", fix_counter(&f, "tcp.timeouts"), 0);
		CHECK_EQ("nor that", fix_counter(&f, "tcp.reno_recovery"), 0);
		CHECK_EQ("counted", fix_counter(&f, "tcp.pmtu_lowered"), 1);
		fix_icmp(&f, v6 ? 2 : 3, v6 ? 0 : 4, 1, mtu);
		fix_expect_none(&f, "the second of a burst [RFC1191-06]");
		fix_in(&f, ".", 1, 0, 4201, 65535);
		fix_done(&f);
	}
}

/* ---- reassembly ---- */

/* [RFC9293:SHLD-31] [A3] five segments in each of their 120 orders, bytes and SACK right */
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

/* [RFC2883-01] [RFC2883-02] [RFC2018-05] [RFC2018-06] */
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
		sack(&f, 1, 1, (uint32_t[]){ 1001, 2001 });
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

/* ---- two stacks on a bad wire ---- */

struct wire {
	struct rl_rand	rnd;
	unsigned	loss_ppm, dup_ppm, reorder_ppm;
};

static bool bad_wire(struct duo *d, int from, const uint8_t *pkt, size_t len, uint64_t nth)
{
	struct wire *w = d->ctx;

	(void)nth;
	if (rl_rand_below(&w->rnd, 1000000) < w->dup_ppm)
		duo_inject(d, from, pkt, len, d->delay_ns / 2);
	if (rl_rand_below(&w->rnd, 1000000) < w->reorder_ppm) {
		duo_inject(d, from, pkt, len,
			   d->delay_ns + rl_rand_below(&w->rnd, 5) * RL_MS);
		return true;
	}
	return rl_rand_below(&w->rnd, 1000000) < w->loss_ppm;
}

static uint8_t pattern(int side, size_t i)
{
	return (uint8_t)(i * 31 + (i >> 8) * 7 + (i >> 16) + (size_t)side * 101);
}

struct both {				/* a connection with data both ways */
	rill_id	 id[2];
	size_t	 total, sent[2], got[2];
	bool	 bad, eof[2];
};

static void work(struct duo *d, struct both *b, int side)
{
	static uint8_t buf[20000];
	struct rill_iov iov = { buf, sizeof(buf) };
	int64_t r;

	while (b->sent[side] < b->total) {
		iov.len = RL_MIN(sizeof(buf), b->total - b->sent[side]);
		for (size_t i = 0; i < iov.len; i++)
			buf[i] = pattern(side, b->sent[side] + i);
		r = rill_tcp_send(d->st[side], b->id[side], &iov, 1, 0);
		if (r <= 0)
			break;
		b->sent[side] += (size_t)r;
		if (b->sent[side] == b->total)
			rill_tcp_shutdown(d->st[side], b->id[side], RILL_SHUT_WR);
	}
	iov.len = sizeof(buf);
	while ((r = rill_tcp_recv(d->st[side], b->id[side], &iov, 1, 0)) > 0) {
		for (int64_t i = 0; i < r; i++)
			b->bad |= buf[i] != pattern(!side, b->got[side] + (size_t)i);
		b->got[side] += (size_t)r;
	}
	b->eof[side] |= r == 0;
}

static uint64_t transfer(struct wire *w, size_t total, bool v6, uint64_t seed)
{
	struct rill_addr a = duo_addr(1, v6, 80), any = { .port = 80 };
	struct both b = { .total = total };
	uint8_t key[32] = { 0 };
	uint64_t digest;
	struct duo d;
	rill_id lst;

	memcpy(key, &seed, sizeof(seed));
	rl_rand_seed(&w->rnd, key);
	duo_init(&d, 1500, v6, seed);
	d.ctx = w;
	d.drop = bad_wire;
	CHECK_EQ("open", rill_tcp_open(d.st[1], 0, &lst), 0);
	CHECK_EQ("bind", rill_tcp_bind(d.st[1], lst, &any, 0), 0);
	CHECK_EQ("listen", rill_tcp_listen(d.st[1], lst, 8), 0);
	CHECK_EQ("open", rill_tcp_open(d.st[0], 0, &b.id[0]), 0);
	CHECK_EQ("connect", rill_tcp_connect(d.st[0], b.id[0], &a, 0), -EINPROGRESS);
	for (int i = 0; i < 400000 && !(b.eof[0] && b.eof[1]); i++) {
		duo_run(&d, d.now_ns + RL_MS);
		if (!b.id[1] && rill_tcp_accept(d.st[1], lst, 0, &b.id[1], NULL) < 0)
			b.id[1] = 0;
		work(&d, &b, 0);
		if (b.id[1])
			work(&d, &b, 1);
	}
	CHECK("bytes as they were", !b.bad);
	for (int i = 0; i < 2; i++) {
		CHECK_EQ(rl_label("side %d, seed %llu: all", i, (unsigned long long)seed),
			 b.got[i], total);
		CHECK("end", b.eof[i]);
	}
	/* [RFC9293:lc-17] and everything goes away */
	for (int i = 0; i < 2; i++)
		rill_tcp_close(d.st[i], b.id[i]);
	rill_tcp_close(d.st[1], lst);
	duo_run(&d, d.now_ns + 2000 * RL_SEC);
	digest = d.digest;
	for (int i = 0; i < 2; i++) {
		uint32_t n[RILL_TCP_STATES];

		rill_stack_state_counts(d.st[i], n);
		for (int s = 0; s < RILL_TCP_STATES; s++)
			CHECK_EQ(rl_label("none left in %s", rill_state_name(s)), n[s], 0);
	}
	duo_done(&d);
	return digest;
}

/* [A3] [A23] [RFC9293:lc-17] */
TEST(transfers_over_a_bad_wire)
{
	static const struct { const char *name; unsigned loss, dup, reorder; } rows[] = {
		{ "loss", 30000, 0, 0 }, { "much loss", 150000, 0, 0 },
		{ "duplicates", 0, 300000, 0 }, { "reordering", 0, 0, 300000 },
		{ "all", 20000, 10000, 20000 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		for (uint64_t seed = 1; seed <= 4; seed++) {
			struct wire w = { .loss_ppm = rows[i].loss, .dup_ppm = rows[i].dup,
					  .reorder_ppm = rows[i].reorder };

			transfer(&w, 100000, seed & 1, seed);
		}
}

/* Same seed: same packets at the same nanosecond. */
TEST(transfers_repeat)
{
	uint64_t digest[3];

	for (int i = 0; i < 3; i++) {
		struct wire w = { .loss_ppm = 20000, .dup_ppm = 10000, .reorder_ppm = 20000 };

		digest[i] = transfer(&w, 100000, false, i < 2 ? 11 : 12);
	}
	CHECK("same seed", digest[0] == digest[1]);
	CHECK("another seed", digest[0] != digest[2]);
}
