/* SPDX-License-Identifier: MIT */
/*
 * Loss and its repair, step by step: after each segment what was sent, the
 * congestion window over the slow-start threshold in bytes, what is believed to be
 * in the network, and the episode.
 */
#include <stdio.h>

#include "tcp_fix.h"
#include "base/types.h"
#include "stack/sockopt_nums.h"
#include "tcp/conn.h"

static struct tcp_conn *conn_of(struct fix *f)
{
	return rl_tcp_find(f->st, f->fd);
}

static const char *after(struct fix *f)
{
	static char buf[400];
	const struct tcp_conn *c;
	struct out_seg o;
	size_t n = 0;

	while ((o = fix_out(f)).there && n < sizeof(buf) - 100)
		n += (size_t)snprintf(buf + n, sizeof(buf) - n, "%u:%u%s ", o.seq, o.seq + o.len,
				      o.flags & TH_FIN ? "F" : "");
	c = conn_of(f);
	snprintf(buf + n, sizeof(buf) - n, "%u/%u pipe %u dup %u%s%s", c->cwnd,
		 c->ssthresh == UINT32_MAX ? 0 : c->ssthresh, rl_pipe(c), c->dupacks,
		 c->in_recovery ? " recovery" : "", c->in_loss ? " loss" : "");
	return buf;
}

static void ack(struct fix *f, uint32_t n)
{
	fix_in(f, ".", 1, 0, n, 65535);
}

/* @n bytes queued, as many sent as ten segments hold. */
static void start(struct fix *f, bool sack, size_t n)
{
	fix_init(f, false);
	fix_sysctl(f, "net.ipv4.tcp_wmem", "4096 4000000 4000000");
	fix_establish(f, sack, false);
	fix_send(f, n);
}

/* ---- the window ---- */

/* [RFC5681-02] [RFC5681-09]: bytes, not segments; a segment each window once above ssthresh */
TEST(growth)
{
	struct fix f;

	start(&f, false, 100000);
	CHECK_STR("ten", after(&f), "1:1001 1001:2001 2001:3001 3001:4001 4001:5001 5001:6001 "
		  "6001:7001 7001:8001 8001:9001 9001:10001 10000/0 pipe 10000 dup 0");
	ack(&f, 501);
	CHECK_STR("half a segment", after(&f), "10001:11001 10500/0 pipe 10500 dup 0");
	ack(&f, 1001);
	CHECK_STR("the other half", after(&f),
		  "11001:12001 11000/0 pipe 11000 dup 0");
	fix_advance_ms(&f, 250);
	CHECK_STR("timeout", after(&f), "1001:2001 1000/5500 pipe 1000 dup 0 loss");
	ack(&f, 12001);
	CHECK_STR("over: a segment more, not all that was acknowledged", after(&f),
		  "12001:13001 13001:14001 2000/5500 pipe 2000 dup 0");
	ack(&f, 14001);
	CHECK_STR("doubled", after(&f),
		  "14001:15001 15001:16001 16001:17001 17001:18001 4000/5500 pipe 4000 dup 0");
	ack(&f, 18001);
	CHECK_STR("1500 up to ssthresh, 2500 towards the next segment", after(&f),
		  "18001:19001 19001:20001 20001:21001 21001:22001 22001:23001 "
		  "5500/5500 pipe 5000 dup 0");
	ack(&f, 21000);
	CHECK_STR("5499", after(&f),
		 "23001:24001 24001:25001 25001:26001 5500/5500 pipe 5001 dup 0");
	ack(&f, 21001);
	CHECK_STR("5500: a window", after(&f), "26001:27001 6500/5500 pipe 6000 dup 0");
	ack(&f, 27001);
	after(&f);
	CHECK_EQ("6000 of 6500", conn_of(&f)->cwnd, 6500);
	ack(&f, 27502);
	after(&f);
	CHECK_EQ("counted on from where a window was full", conn_of(&f)->cwnd, 7500);
	fix_done(&f);
}

/* ---- without SACK ---- */

/* [RFC5681-18] [RFC5681-19] [RFC5681-20] [RFC6582-02] [RFC6582-03] */
TEST(new_reno)
{
	struct fix f;

	start(&f, false, 100000);
	after(&f);
	ack(&f, 1);
	CHECK_STR("one", after(&f), "10001:11001 10000/0 pipe 11000 dup 1");
	ack(&f, 1);
	CHECK_STR("two", after(&f), "11001:12001 10000/0 pipe 12000 dup 2");
	ack(&f, 1);
	CHECK_STR("three", after(&f), "1:1001 8000/5000 pipe 12000 dup 3 recovery");
	ack(&f, 1);
	CHECK_STR("inflated", after(&f), "9000/5000 pipe 12000 dup 4 recovery");
	ack(&f, 1);
	ack(&f, 1);
	CHECK_STR("twice more", after(&f), "11000/5000 pipe 12000 dup 6 recovery");
	ack(&f, 1);
	CHECK_STR("as much as is in flight", after(&f), "12000/5000 pipe 12000 dup 7 recovery");
	ack(&f, 3001);
	CHECK_STR("partial: deflated by 3000, inflated by one", after(&f),
		  "3001:4001 12001:13001 10000/5000 pipe 10000 dup 7 recovery");
	ack(&f, 3501);
	CHECK_STR("less than a segment is not added", after(&f),
		  "9500/5000 pipe 9500 dup 7 recovery");
	ack(&f, 12001);
	CHECK_STR("over", after(&f), "13001:14001 2000/5000 pipe 2000 dup 0");
	ack(&f, 12001);
	ack(&f, 12001);
	ack(&f, 12001);
	CHECK_STR("another episode", after(&f),
		  "12001:13001 14001:15001 15001:16001 16001:17001 "
		  "5000/2000 pipe 5000 dup 3 recovery");
	fix_done(&f);
}

/* [RFC5681-20] The inflation has a bound: a forger's duplicates gain nothing. */
TEST(inflation_is_bounded)
{
	struct fix f;

	start(&f, false, 10000);
	after(&f);
	for (int i = 0; i < 40; i++)
		ack(&f, 1);
	CHECK_STR("flight and a segment", after(&f),
		 "1:1001 11000/5000 pipe 10000 dup 40 recovery");
	fix_done(&f);
}

/* [RFC6582-01] Duplicates of what a timeout sends again are no news. */
TEST(once_for_a_window)
{
	struct fix f;

	start(&f, false, 10000);
	after(&f);
	fix_advance_ms(&f, 250);
	CHECK_STR("timeout", after(&f), "1:1001 1000/5000 pipe 1000 dup 0 loss");
	ack(&f, 1);
	ack(&f, 1);
	ack(&f, 1);
	ack(&f, 1);
	CHECK_STR("duplicates", after(&f), "1000/5000 pipe 1000 dup 4 loss");
	ack(&f, 1001);
	CHECK_STR("slow start", after(&f), "1001:2001 2001:3001 2000/5000 pipe 2000 dup 0 loss");
	ack(&f, 10001);
	CHECK_STR("over", after(&f), "3000/5000 pipe 0 dup 0");
	fix_send(&f, 3500);
	CHECK_STR("three more", after(&f),
		  "10001:11001 11001:12001 12001:13001 3000/5000 pipe 3000 dup 0");
	fix_done(&f);
}

/* The window never falls below a segment, whatever a partial ACK covers. */
TEST(large_partial_ack)
{
	struct fix f;

	start(&f, false, 10000);
	after(&f);
	for (int i = 0; i < 3; i++)
		ack(&f, 1);
	CHECK_STR("recovery", after(&f), "1:1001 8000/5000 pipe 10000 dup 3 recovery");
	ack(&f, 9001);
	CHECK_STR("nearly all", after(&f), "9001:10001 2000/5000 pipe 1000 dup 3 recovery");
	ack(&f, 10001);
	CHECK_STR("all", after(&f), "2000/5000 pipe 0 dup 0");
	fix_done(&f);
}

/* [RFC6582-05] [RFC5681-10] */
TEST(timeout_in_recovery)
{
	struct fix f;

	start(&f, false, 10000);
	after(&f);
	for (int i = 0; i < 3; i++)
		ack(&f, 1);
	CHECK_STR("recovery", after(&f), "1:1001 8000/5000 pipe 10000 dup 3 recovery");
	fix_advance_ms(&f, 250);
	CHECK_STR("timeout", after(&f), "1:1001 1000/5000 pipe 1000 dup 0 loss");
	fix_advance_ms(&f, 400);
	CHECK_STR("another: ssthresh stays", after(&f), "1:1001 1000/5000 pipe 1000 dup 0 loss");
	CHECK_EQ("one episode", conn_of(&f)->total_loss, 1);
	CHECK_EQ("two timeouts", conn_of(&f)->total_rto, 2);
	fix_done(&f);
}

/* [RFC5681-11] A FIN is repeated with the last data, and alone. */
TEST(timeout_of_a_fin)
{
	struct fix f;

	start(&f, false, 1500);
	rill_tcp_shutdown(f.st, f.fd, RILL_SHUT_WR);
	CHECK_STR("sent", after(&f), "1:1001 1001:1501F 10000/0 pipe 1501 dup 0");
	fix_advance_ms(&f, 250);
	CHECK_STR("first", after(&f), "1:1001 1000/2000 pipe 1000 dup 0 loss");
	ack(&f, 1001);
	CHECK_STR("second", after(&f), "1001:1501F 2000/2000 pipe 501 dup 0 loss");
	ack(&f, 1501);
	CHECK_STR("partly", after(&f), "2000/2000 pipe 1 dup 0 loss");
	fix_advance_ms(&f, 450);
	CHECK_STR("alone", after(&f), "1501:1501F 1000/2000 pipe 1 dup 0 loss");
	ack(&f, 1502);
	CHECK_STR("over", after(&f), "1001/2000 pipe 0 dup 0");
	CHECK_EQ("state", fix_state(&f), RILL_FIN_WAIT2);
	fix_done(&f);
}

/* A FIN behind a full segment is repeated with it: it takes no room. */
TEST(timeout_of_a_full_segment_with_fin)
{
	struct fix f;

	start(&f, false, 1000);
	rill_tcp_shutdown(f.st, f.fd, RILL_SHUT_WR);
	CHECK_STR("sent", after(&f), "1:1001F 10000/0 pipe 1001 dup 0");
	fix_advance_ms(&f, 250);
	CHECK_STR("again", after(&f), "1:1001F 1000/2000 pipe 1001 dup 0 loss");
	fix_done(&f);
}

/* ---- with SACK ---- */

TEST(scoreboard)
{
	struct fix f;

	start(&f, true, 100000);
	after(&f);
	fix_sack(&f, 1, 1, (uint32_t[]){ 1001, 2001 });
	CHECK_STR("one: a new one for what left", after(&f),
		 "10001:11001 10000/0 pipe 10000 dup 1");
	fix_sack(&f, 1, 1, (uint32_t[]){ 1001, 2001 });
	CHECK_STR("no news", after(&f), "10000/0 pipe 10000 dup 1");
	fix_sack(&f, 1, 1, (uint32_t[]){ 1501, 2501 });
	CHECK_STR("half a segment more", after(&f), "10000/0 pipe 9500 dup 2");
	fix_sack(&f, 1, 1, (uint32_t[]){ 1001, 3001 });
	CHECK_STR("2000 above: not yet lost, but three", after(&f),
		  "1:1001 5000/5000 pipe 9000 dup 3 recovery");
	fix_sack(&f, 1, 1, (uint32_t[]){ 4001, 9001 });
	CHECK_STR("a second hole", after(&f),
		  "3001:4001 11001:12001 5000/5000 pipe 5000 dup 4 recovery");
	fix_sack(&f, 1, 1, (uint32_t[]){ 10001, 12001 });
	CHECK_STR("more that left", after(&f),
		  "12001:13001 13001:14001 5000/5000 pipe 5000 dup 5 recovery");
	fix_sack(&f, 3001, 2, (uint32_t[]){ 10001, 12001, 4001, 9001 });
	CHECK_STR("partial", after(&f), "14001:15001 5000/5000 pipe 5000 dup 5 recovery");
	fix_sack(&f, 13001, 0, NULL);
	CHECK_STR("over", after(&f), "15001:16001 3000/5000 pipe 3000 dup 0");
	fix_done(&f);
}

/* [RFC6675-02] Just as much above as makes a segment lost, and a byte less. */
TEST(lost_by_bytes)
{
	struct fix f;

	start(&f, true, 10000);
	after(&f);
	fix_sack(&f, 1, 1, (uint32_t[]){ 5001, 7001 });
	CHECK_STR("two segments", after(&f), "10000/0 pipe 8000 dup 1");
	fix_sack(&f, 1, 1, (uint32_t[]){ 5001, 7002 });
	CHECK_STR("and a byte: the two oldest go, the others wait", after(&f),
		  "1:1001 1001:2001 5000/5000 pipe 4999 dup 2 recovery");
	fix_done(&f);
}

/* [RFC5681-28] [RFC8985-08] A repetition that is lost too is seen by what was sent later. */
TEST(lost_repetition)
{
	struct fix f;

	start(&f, true, 100000);
	after(&f);
	fix_sack(&f, 1, 1, (uint32_t[]){ 1001, 4001 });
	CHECK_STR("recovery", after(&f), "1:1001 5000/5000 pipe 7000 dup 1 recovery");
	fix_advance_ms(&f, 10);
	fix_sack(&f, 1, 1, (uint32_t[]){ 1001, 8001 });
	CHECK_STR("a new one", after(&f),
		 "10001:11001 11001:12001 5000/5000 pipe 5000 dup 2 recovery");
	fix_advance_ms(&f, 10);
	fix_sack(&f, 1, 1, (uint32_t[]){ 1001, 10001 });
	CHECK_STR("older ones say nothing", after(&f),
		  "12001:13001 13001:14001 5000/5000 pipe 5000 dup 3 recovery");
	fix_sack(&f, 1, 1, (uint32_t[]){ 1001, 11001 });
	CHECK_STR("sent later and here: lost again", after(&f),
		  "2000/2000 pipe 3000 dup 4 recovery");
	fix_sack(&f, 1, 1, (uint32_t[]){ 1001, 13001 });
	CHECK_STR("and sent again when there is room", after(&f),
		  "1:1001 2000/2000 pipe 2000 dup 5 recovery");
	fix_done(&f);
}

/* [RFC2018-08] After a timeout the oldest is sent whatever was sacked, the others not. */
TEST(timeout_with_sacks)
{
	struct fix f;

	start(&f, true, 5000);
	after(&f);
	fix_sack(&f, 1, 1, (uint32_t[]){ 3001, 4001 });
	fix_advance_ms(&f, 250);
	CHECK_STR("timeout", after(&f), "1:1001 1000/2500 pipe 1000 dup 0 loss");
	ack(&f, 1001);
	CHECK_STR("slow start", after(&f), "1001:2001 2001:3001 2000/2500 pipe 2000 dup 0 loss");
	ack(&f, 2001);
	CHECK_STR("over the sacked one", after(&f), "4001:5001 2500/2500 pipe 2000 dup 0 loss");
	fix_done(&f);
}

/* Loss is entered by an advancing ACK; then recover keeps it from being entered again. */
TEST(loss_on_an_advancing_ack)
{
	struct fix f;

	start(&f, true, 10000);
	after(&f);
	fix_sack(&f, 1001, 1, (uint32_t[]){ 3001, 6001 });
	CHECK_STR("lost", after(&f), "1001:2001 4500/4500 pipe 5000 dup 0 recovery");
	ack(&f, 2001);
	CHECK_STR("partial, half a segment of room", after(&f),
		  "4500/4500 pipe 4000 dup 0 recovery");
	ack(&f, 2002);
	ack(&f, 2502);
	CHECK_STR("a segment", after(&f), "2502:3001 4500/4500 pipe 4499 dup 0 recovery");
	ack(&f, 10001);
	CHECK_STR("over", after(&f), "2000/4500 pipe 0 dup 0");
	fix_done(&f);
}
