/* SPDX-License-Identifier: MIT */
/*
 * Timers beside each other: each at its time, to the millisecond, whatever else is
 * armed, and what ends when nobody answers.
 */
#include <errno.h>

#include "tcp_fix.h"
#include "base/types.h"
#include "stack/sockopt_nums.h"

/* @quiet_ms pass without a segment, then within a millisecond comes one. */
static void silence(struct fix *f, const char *label, int quiet_ms)
{
	fix_advance_ms(f, quiet_ms - 1);
	fix_expect_none(f, label);
	fix_advance_ms(f, 2);
	CHECK(label, fix_out(f).there);
	fix_drain(f);
	fix_advance_ms(f, -1);
}

static void established(struct fix *f)
{
	fix_init(f, false);
	fix_establish(f, false, false);
}

static void keepalive(struct fix *f, int idle, int intvl, int cnt)
{
	fix_setopt(f, RL_SOL_TCP, RL_TCP_KEEPIDLE, idle);
	fix_setopt(f, RL_SOL_TCP, RL_TCP_KEEPINTVL, intvl);
	fix_setopt(f, RL_SOL_TCP, RL_TCP_KEEPCNT, cnt);
	fix_setopt(f, RL_SOL_SOCKET, RL_SO_KEEPALIVE, 1);
}

/* ---- several at a time ---- */

TEST(probes_of_a_window_beside_keepalive)
{
	struct fix f;

	established(&f);
	keepalive(&f, 1, 1, 5);
	fix_in(&f, ".", 1, 0, 1, 0);
	fix_send(&f, 100);
	fix_drain(&f);
	silence(&f, "200 ms", 200);
	silence(&f, "400 ms", 400);
	silence(&f, "800 ms, keepalive is silent with data queued", 800);
	CHECK_EQ("none", fix_counter(&f, "tcp.keepalives"), 0);
	fix_done(&f);
}

TEST(retransmission_beside_keepalive)
{
	struct fix f;

	established(&f);
	keepalive(&f, 1, 1, 5);
	fix_send(&f, 100);
	fix_drain(&f);
	silence(&f, "200 ms", 200);
	silence(&f, "400 ms", 400);
	silence(&f, "800 ms", 800);
	fix_in(&f, ".", 1, 0, 101, 65535);
	silence(&f, "keepalive again", 1000);
	CHECK_EQ("one", fix_counter(&f, "tcp.keepalives"), 1);
	fix_done(&f);
}

TEST(delayed_ack_beside_keepalive)
{
	struct fix f;

	established(&f);
	keepalive(&f, 1, 1, 5);
	fix_advance_ms(&f, 990);
	fix_setopt(&f, RL_SOL_TCP, RL_TCP_QUICKACK, 0);
	fix_in(&f, "P.", 1, 10, 1, 65535);
	silence(&f, "40 ms", 40);
	CHECK_EQ("counted", fix_counter(&f, "tcp.delayed_acks"), 1);
	silence(&f, "idle since then", 960);
	CHECK_EQ("keepalive", fix_counter(&f, "tcp.keepalives"), 1);
	fix_done(&f);
}

TEST(delayed_ack_beside_retransmission)
{
	struct fix f;

	established(&f);
	fix_send(&f, 100);
	fix_drain(&f);
	fix_setopt(&f, RL_SOL_TCP, RL_TCP_QUICKACK, 0);
	fix_in(&f, "P.", 1, 10, 1, 65535);
	silence(&f, "40 ms", 40);
	silence(&f, "200 ms", 160);
	CHECK_EQ("timeout", fix_counter(&f, "tcp.timeouts"), 1);
	fix_done(&f);
}

TEST(corked_piece_beside_keepalive)
{
	struct fix f;

	established(&f);
	keepalive(&f, 1, 1, 5);
	fix_setopt(&f, RL_SOL_TCP, RL_TCP_CORK, 1);
	fix_advance_ms(&f, 700);
	fix_send(&f, 10);
	fix_drain(&f);
	silence(&f, "the cork's limit", 200);
	silence(&f, "retransmission", 200);
	CHECK_EQ("timeout", fix_counter(&f, "tcp.timeouts"), 1);
	CHECK_EQ("no keepalive", fix_counter(&f, "tcp.keepalives"), 0);
	fix_done(&f);
}

TEST(fin_wait2_beside_keepalive)
{
	struct fix f;

	established(&f);
	keepalive(&f, 1, 100, 5);
	rill_tcp_close(f.st, f.fd);
	fix_drain(&f);
	fix_in(&f, ".", 1, 0, 2, 65535);
	silence(&f, "keepalive", 1000);
	fix_advance_ms(&f, 58998);
	CHECK_EQ("59.999 s", fix_state(&f), RILL_FIN_WAIT2);
	fix_advance_ms(&f, 2);
	CHECK_EQ("60 s", fix_state(&f), RILL_CLOSE);
	fix_expect_none(&f, "quietly");
	fix_done(&f);
}

TEST(fin_wait2_of_ones_own)
{
	struct fix f;

	established(&f);
	fix_setopt(&f, RL_SOL_TCP, RL_TCP_LINGER2, 3);
	rill_tcp_shutdown(f.st, f.fd, RILL_SHUT_WR);
	fix_drain(&f);
	fix_in(&f, ".", 1, 0, 2, 65535);
	fix_advance_ms(&f, 100000);
	CHECK_EQ("as long as it is held", fix_state(&f), RILL_FIN_WAIT2);
	rill_tcp_close(f.st, f.fd);
	fix_advance_ms(&f, 2999);
	CHECK_EQ("2.999 s", fix_state(&f), RILL_FIN_WAIT2);
	fix_advance_ms(&f, 1);
	CHECK_EQ("3 s", fix_state(&f), RILL_CLOSE);
	fix_done(&f);
}

/* ---- a window that opens a little ---- */

/* [RFC9293:MUST-38] From a closed window to a silly one: the override timer takes over. */
TEST(silly_window_after_a_closed_one)
{
	struct fix f;

	established(&f);
	fix_in(&f, ".", 1, 0, 1, 0);
	fix_send(&f, 1000);
	fix_drain(&f);
	silence(&f, "probe", 200);
	fix_advance_ms(&f, 50);
	fix_in(&f, ".", 1, 0, 1, 10);
	fix_expect_none(&f, "ten bytes are silly");
	fix_advance_ms(&f, 199);
	fix_expect_none(&f, "199 ms");
	fix_advance_ms(&f, 2);
	fix_expect(&f, "200 ms", ".", 1, 10, 1);
	fix_done(&f);
}

/* [RFC9293:SHLD-29] [RFC9293:SHLD-30] Each episode begins anew. */
TEST(probes_begin_anew)
{
	struct fix f;

	established(&f);
	for (int round = 0; round < 2; round++) {
		uint32_t una = 1 + 100u * (uint32_t)round;

		fix_advance_ms(&f, 1);		/* silence() took a step back */
		fix_in(&f, ".", 1, 0, una, 0);
		fix_send(&f, 100);
		fix_drain(&f);
		silence(&f, "first", 200);
		silence(&f, "second", 400);
		silence(&f, "third", 800);
		fix_in(&f, ".", 1, 0, una, 65535);
		fix_expect(&f, "sent", "P.", una, 100, 1);
		fix_in(&f, ".", 1, 0, una + 100, 65535);
	}
	fix_done(&f);
}

/* ---- nobody answers ---- */

static void alive(struct fix *f, const char *label, bool want)
{
	fix_drain(f);
	CHECK_EQ(label, fix_state(f) == RILL_ESTABLISHED, want);
}

/* [RFC9293:MUST-21] The user's limit replaces the number of tries and is kept to the ms. */
TEST(user_timeout_of_data)
{
	struct fix f;

	established(&f);
	fix_sysctl(&f, "net.ipv4.tcp_retries2", "2");
	fix_setopt(&f, RL_SOL_TCP, RL_TCP_USER_TIMEOUT, 5000);
	fix_send(&f, 100);
	fix_drain(&f);
	fix_advance_ms(&f, 4999);
	alive(&f, "4.999 s", true);
	fix_advance_ms(&f, 1);
	alive(&f, "5 s", false);
	CHECK_EQ("error", fix_getopt(&f, RL_SOL_SOCKET, RL_SO_ERROR), ETIMEDOUT);
	fix_done(&f);
	established(&f);
	fix_sysctl(&f, "net.ipv4.tcp_retries2", "2");
	fix_send(&f, 100);
	fix_drain(&f);
	for (int i = 0; i < 3; i++) {
		alive(&f, "two tries", true);
		fix_advance_ms(&f, (200 << i) + 1);
		fix_drain(&f);
	}
	alive(&f, "after them", false);
	fix_done(&f);
}

/* [RFC9293:SHLD-17] A window closed over data in flight: silence ends it, answers do not. */
TEST(shrunk_window)
{
	for (int answers = 0; answers < 2; answers++) {
		struct fix f;

		established(&f);
		fix_sysctl(&f, "net.ipv4.tcp_retries2", "3");
		fix_send(&f, 100);
		fix_drain(&f);
		fix_in(&f, ".", 1, 0, 1, 0);
		for (int i = 0; i < 4; i++) {
			alive(&f, rl_label("try %d", i), true);
			fix_advance_ms(&f, (200 << i) + 1);
			fix_drain(&f);
			if (answers)
				fix_in(&f, ".", 1, 0, 1, 0);
		}
		alive(&f, "in the end", answers);
		fix_done(&f);
	}
}

/* The peer's own keepalive is a sign of life, though its number is old. */
TEST(sign_of_life)
{
	struct fix f;

	established(&f);
	keepalive(&f, 1, 1, 3);
	silence(&f, "first", 1000);
	silence(&f, "second", 1000);
	fix_advance_ms(&f, 500);
	fix_in(&f, ".", 0, 0, 1, 65535);
	fix_drain(&f);
	silence(&f, "first", 1000);
	silence(&f, "second", 1000);
	silence(&f, "third", 1000);
	alive(&f, "three probes", true);
	silence(&f, "RST", 1000);
	alive(&f, "no answer", false);
	fix_done(&f);
}

/* The longest backoff is tcp_rto_max_ms, here too. */
TEST(longest_wait_of_probes)
{
	struct fix f;

	established(&f);
	fix_sysctl(&f, "net.ipv4.tcp_rto_max_ms", "1000");
	fix_in(&f, ".", 1, 0, 1, 0);
	fix_send(&f, 100);
	fix_drain(&f);
	silence(&f, "200", 200);
	silence(&f, "400", 400);
	silence(&f, "800", 800);
	silence(&f, "1000", 1000);
	silence(&f, "1000", 1000);
	fix_done(&f);
}

/* ---- TIME-WAIT ---- */

static void to_time_wait(struct fix *f, uint16_t port)
{
	fix_peer(f, port);
	fix_in(f, "S", 0, 0, 0, 65535);
	fix_drain(f);
	fix_in(f, ".", 1, 0, 1, 65535);
	f->fd = fix_accept(f);
	rill_tcp_close(f->st, f->fd);
	fix_drain(f);
	fix_in(f, "F.", 1, 0, 2, 65535);
	fix_drain(f);
	CHECK_EQ("TIME-WAIT", fix_state(f), RILL_TIME_WAIT);
}

static int left(struct fix *f, uint16_t port)
{
	f->rport = port;
	return fix_state(f) == RILL_TIME_WAIT;
}

TEST(time_waits_in_order)
{
	struct out_seg o;
	uint32_t iss[3];
	struct fix f;

	fix_init(&f, false);
	fix_listen(&f);
	for (uint16_t i = 0; i < 3; i++) {
		to_time_wait(&f, (uint16_t)(2000 + i));
		iss[i] = f.iss;
		fix_advance_ms(&f, 10000);
	}
	f.iss = iss[1];
	f.rport = 2001;
	fix_in(&f, "F.", 1, 0, 2, 65535);	/* the one in the middle begins again */
	o = fix_out(&f);
	CHECK("answered", o.there && o.seq == 2 && o.ack == 2);
	CHECK_EQ("its window, less the FIN", o.win, 65534);
	fix_advance_ms(&f, 29999);
	CHECK("all three", left(&f, 2000) && left(&f, 2001) && left(&f, 2002));
	fix_advance_ms(&f, 1);
	CHECK("first", !left(&f, 2000) && left(&f, 2001) && left(&f, 2002));
	fix_advance_ms(&f, 19999);
	CHECK("not yet", left(&f, 2001) && left(&f, 2002));
	fix_advance_ms(&f, 1);
	CHECK("third", left(&f, 2001) && !left(&f, 2002));
	fix_advance_ms(&f, 9999);
	CHECK("not yet", left(&f, 2001));
	fix_advance_ms(&f, 1);
	CHECK("second, begun anew", !left(&f, 2001));
	fix_done(&f);
}

/* ---- half-open peers ---- */

/* Taken out of the middle by their ACK, the others keep their times. */
TEST(half_open_in_order)
{
	struct fix f;

	fix_init(&f, false);
	fix_listen(&f);
	for (uint16_t i = 0; i < 5; i++) {
		fix_knock(&f, (uint16_t)(2000 + i), i == 2);
		fix_advance_ms(&f, 100);
	}
	CHECK_EQ("four", fix_counter(&f, "pool.half_open"), 4);
	fix_advance_ms(&f, 499);
	fix_expect_none(&f, "999 ms");
	for (uint16_t i = 0; i < 5; i++) {
		struct out_seg o;

		fix_advance_ms(&f, i ? 100 : 1);
		o = fix_out(&f);
		CHECK_EQ(rl_label("peer %u", i), o.there, i != 2);
		CHECK("it", !o.there || o.dport == 2000 + i);
		fix_expect_none(&f, "one");
	}
	fix_done(&f);
}
