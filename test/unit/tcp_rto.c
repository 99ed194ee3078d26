/* SPDX-License-Identifier: MIT */
/*
 * The retransmission timeout [RFC6298], and what ends when [A21].
 */
#include <errno.h>

#include "tcp_fix.h"
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

/*
 * [RFC9293:MUST-18]
 * [RFC6298-02] [RFC6298-03] [RFC6298-04] [RFC6298-07] [RFC6298-08] against a reference
 */
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

/*
 * [RFC9293:MUST-19]
 * [RFC6298-09] [RFC6298-13] [RFC6298-14] [RFC6298-15] [RFC6298-05] [RFC9293:lc-15]
 * [RFC2525-10]
 */
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

/* [RFC6928-04] [RFC6298-10] [RFC6298-11] [RFC6298-12] */
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

/* [RFC6298-09] The copy of a fast retransmission has an RTO of its own. */
TEST(rto_counts_from_fast_retransmission)
{
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	fix_send(&f, 5000);
	fix_drain(&f);
	fix_advance_ms(&f, 150);
	for (int i = 0; i < 3; i++)
		fix_in(&f, ".", 1, 0, 1, 65535);
	fix_expect(&f, "third duplicate", ".", 1, 1000, 1);
	fix_advance_ms(&f, 199);
	fix_expect_none(&f, "the RTO of the first copy");
	fix_advance_ms(&f, 2);
	fix_expect(&f, "of the second", ".", 1, 1000, 1);
	fix_done(&f);
}

/*
 * [RFC9293:MUST-18]
 * [RFC6298-06] Karn; with timestamps the sample is unambiguous [RFC7323-17].
 * [RFC1122-45]
 */
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

/*
 * [RFC5681-05] [RFC2525-07] [RFC1122-45]
 * [RFC6298-01] [RFC6298-16] [RFC6928-02] The SYN was lost: slow and careful afterwards.
 */
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

/* [RFC6298-06] The SYN+ACK was repeated: its ACK measures nothing. */
TEST(after_lost_synacks)
{
	struct fix f;

	fix_init(&f, false);
	fix_reach(&f, FIX_SYN_RECV_PASSIVE);
	fix_advance_ms(&f, 1100);
	fix_expect(&f, "SYN+ACK again", "S.", 0, 0, 1);
	fix_in(&f, ".", 1, 0, 1, 65535);
	CHECK_EQ("accept", rill_tcp_accept(f.st, f.listener, 7, &f.fd, NULL), 0);
	CHECK_EQ("no sample", fix_info(&f).rtt, 0);
	CHECK_EQ("3 s", fix_info(&f).rto, 3000000);
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

/* tcp_retries1: it goes on after R1 (tcp_requirements.c: the neighbour is asked) */
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
