/* SPDX-License-Identifier: MIT */
/*
 * Flow control in both directions [A22]: the window and its scale, closed windows
 * and probes, silly windows, timestamps, Nagle, delayed ACKs, buffer tuning.
 */
#include <errno.h>

#include "tcp_fix.h"
#include "base/types.h"
#include "stack/sockopt_nums.h"

#define OPT_MSS1000	2, 4, 1000 >> 8, 1000 & 255
#define OPT_WS(n)	1, 3, 3, n

/* Acknowledge all that was sent, until the stack is silent.  Return: its SND.NXT. */
static uint32_t ack_all(struct fix *f, uint32_t seq, uint16_t win)
{
	uint32_t nxt = 0, seen = 1;

	for (int i = 0; i < 1000 && seen != nxt; i++) {
		struct out_seg o;

		seen = nxt;
		while ((o = fix_out(f)).there)
			nxt = RL_MAX(nxt, o.seq + o.len);
		if (nxt != seen)
			fix_in(f, ".", seq, 0, nxt, win);
	}
	return nxt;
}

/* Take all segments; the highest number sent, or 0. */
static uint32_t sent_up_to(struct fix *f)
{
	uint32_t nxt = 0;
	struct out_seg o;

	while ((o = fix_out(f)).there)
		nxt = RL_MAX(nxt, o.seq + o.len);
	return nxt;
}

/* ---- scaling ---- */

/* [RFC7323-01] [RFC7323-02] [RFC7323-04] [RFC7323-06] both sides, each with and without */
TEST(scale_needs_both_sides)
{
	static const uint8_t with[] = { OPT_MSS1000, OPT_WS(3) };

	for (int row = 0; row < 4; row++) {
		bool theirs = row & 1, ours = row & 2;
		struct in_opts x = { .bytes = with, .n = theirs ? 8 : 4 };
		struct out_seg o;
		struct fix f;

		fix_init(&f, row & 1);
		fix_sysctl(&f, "net.ipv4.tcp_window_scaling", ours ? "1" : "0");
		fix_listen(&f);
		fix_in_opts(&f, "S", 0, 0, 0, 65535, &x);
		o = fix_out(&f);
		CHECK_EQ("SYN+ACK has the option", o.o.has_wscale, theirs && ours);
		CHECK_EQ("its window is not scaled", o.win, 65535);
		fix_in(&f, ".", 1, 0, 1, 1000);
		CHECK_EQ("accept", rill_tcp_accept(f.st, f.listener, 7, &f.fd, NULL), 0);
		fix_in(&f, "P.", 1, 10, 1, 1000);
		o = fix_out(&f);
		if (theirs && ours)
			CHECK("our window", o.win << 9 <= 65536 && o.o.wscale == 0 && o.win);
		else
			CHECK("our window", o.win > 60000);
		CHECK_EQ("their window", fix_info(&f).snd_wnd, theirs && ours ? 8000 : 1000);
		fix_done(&f);
	}
}

/* [RFC7323-07] [RFC7323-05] [RFC9293:REC-1] shifts up to 14, more count as 14 */
TEST(scale_values)
{
	static const uint8_t shifts[][2] = { { 0, 0 }, { 1, 1 }, { 7, 7 }, { 14, 14 },
					     { 15, 14 }, { 255, 14 } };

	for (size_t i = 0; i < ARRAY_LEN(shifts); i++) {
		const uint8_t opts[] = { OPT_MSS1000, OPT_WS(shifts[i][0]) };
		struct fix f;

		fix_init(&f, false);
		fix_establish_opts(&f, opts, sizeof(opts));
		fix_in(&f, ".", 1, 0, 1, 65535);
		CHECK_UEQ(rl_label("shift %u", shifts[i][0]), fix_info(&f).snd_wnd,
			  65535u << shifts[i][1]);
		CHECK_EQ("shown", fix_info(&f).wscales & 15, shifts[i][1]);
		fix_done(&f);
	}
}

/* [RFC7323-03] Outside a SYN the option means nothing. */
TEST(scale_outside_of_syn)
{
	static const uint8_t opts[] = { OPT_WS(7) };
	struct in_opts x = { .bytes = opts, .n = sizeof(opts) };
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	fix_in_opts(&f, ".", 1, 0, 1, 1000, &x);
	CHECK_EQ("window", fix_info(&f).snd_wnd, 1000);
	fix_done(&f);
}

/* [RFC9293:lc-12] [RFC7323-04] The SYN+ACK's window holds at once, and unscaled. */
TEST(first_flight_obeys_the_syn_acks_window)
{
	static const uint8_t opts[] = { OPT_MSS1000, OPT_WS(7) };
	struct in_opts x = { .bytes = opts, .n = sizeof(opts) };
	struct fix f;

	fix_init(&f, false);
	fix_reach(&f, RILL_SYN_SENT);
	fix_in_opts(&f, "S.", 0, 0, 1, 2500, &x);
	CHECK_EQ("write", fix_send(&f, 10000), 10000);
	CHECK_EQ("two segments; half a one would be silly", sent_up_to(&f), 1 + 2000);
	fix_done(&f);
}

/* [RFC9293:MUST-1] 65535 is a large window, no negative number. */
TEST(window_is_unsigned)
{
	uint32_t una = 1, nxt, most = 0;
	struct fix f;

	fix_init(&f, false);
	fix_sysctl(&f, "net.ipv4.tcp_wmem", "4096 1000000 4000000");
	fix_establish(&f, false, false);
	CHECK_EQ("write", fix_send(&f, 600000), 600000);
	for (int i = 0; i < 30; i++) {
		nxt = sent_up_to(&f);
		most = RL_MAX(most, nxt ? nxt - una : 0);
		if (nxt)
			fix_in(&f, ".", 1, 0, una = nxt, 65535);
	}
	CHECK("more than 32767 in flight", most > 60000);
	CHECK("not more than the window", most <= 65535);
	fix_done(&f);
}

/* ---- the peer's window ---- */

/* [RFC9293:lc-11] An old segment does not change the window. */
TEST(window_of_old_segments)
{
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	CHECK_EQ("write", fix_send(&f, 3000), 3000);
	fix_drain(&f);
	fix_in(&f, ".", 1, 0, 2001, 30000);
	CHECK_EQ("newer ACK", fix_info(&f).snd_wnd, 30000);
	fix_in(&f, ".", 1, 0, 1001, 5);
	CHECK_EQ("older ACK", fix_info(&f).snd_wnd, 30000);
	fix_in(&f, ".", 1, 0, 2001, 20000);
	CHECK_EQ("same ACK, same SEQ", fix_info(&f).snd_wnd, 20000);
	fix_in(&f, ".", 101, 10, 2001, 21000);	/* early, so newer */
	CHECK_EQ("newer SEQ", fix_info(&f).snd_wnd, 21000);
	fix_in(&f, ".", 1, 0, 3001, 7);
	CHECK_EQ("older SEQ, whatever its ACK", fix_info(&f).snd_wnd, 21000);
	fix_in(&f, ".", 101, 0, 3001, 22000);
	CHECK_EQ("same SEQ, newer ACK", fix_info(&f).snd_wnd, 22000);
	fix_done(&f);
}

/* [RFC9293:MUST-34] [RFC9293:SHLD-15] [RFC9293:SHLD-16] [RFC7323-10] The window shrinks. */
TEST(shrunk_window)
{
	struct out_seg o;
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	CHECK_EQ("write", fix_send(&f, 16000), 16000);
	CHECK_EQ("initial window", sent_up_to(&f), 10001);
	fix_in(&f, ".", 1, 0, 1001, 2000);	/* was up to 65536, now to 3001 */
	fix_expect_none(&f, "nothing new");
	fix_advance_ms(&f, 201);
	fix_expect(&f, "what is inside is sent again", ".", 1001, 1000, 1);
	fix_in(&f, ".", 1, 0, 10001, 2000);	/* it had all arrived */
	o = fix_out(&f);
	CHECK_EQ("new data within the new window", o.seq, 10001);
	CHECK_EQ("then no more", o.seq + o.len + sent_up_to(&f) <= 2 * 12001u, true);
	CHECK_EQ("alive", fix_state(&f), RILL_ESTABLISHED);
	fix_done(&f);
}

/* [RFC9293:SHLD-17] [RFC9293:MUST-37] What lies beyond the edge never times out. */
TEST(shrunk_to_zero_over_data_in_flight)
{
	struct out_seg o;
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	CHECK_EQ("write", fix_send(&f, 1000), 1000);
	fix_drain(&f);
	fix_in(&f, ".", 1, 0, 1, 0);
	for (int i = 0; i < 60; i++) {		/* an hour or so */
		fix_advance_ms(&f, 121000);
		o = fix_out(&f);
		if (!CHECK(rl_label("asks again, %d", i), o.there))
			break;
		fix_drain(&f);
		fix_in(&f, ".", 1, 0, 1, 0);
	}
	CHECK_EQ("alive", fix_state(&f), RILL_ESTABLISHED);
	fix_in(&f, ".", 1, 0, 1, 65535);
	fix_advance_ms(&f, 121000);
	fix_expect(&f, "data", "P.", 1, 1000, 1);
	fix_in(&f, ".", 1, 0, 1001, 65535);
	fix_done(&f);
}

/* [RFC9293:MUST-35] [RFC9293:MUST-36] [RFC9293:SHLD-29] [RFC9293:SHLD-30] */
TEST(closed_window_is_probed)
{
	int64_t wait_ms = 200, at_ms = 0;
	struct rill_conn row;
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	CHECK_EQ("write", fix_send(&f, 1000), 1000);
	fix_drain(&f);
	fix_in(&f, ".", 1, 0, 1001, 0);
	CHECK_EQ("write", fix_send(&f, 500), 500);
	fix_expect_none(&f, "closed");
	CHECK("listed", fix_conn(&f, &row));
	CHECK_EQ("persist timer", row.timer, RILL_TMR_PERSIST);
	for (int i = 0; i < 14; i++) {		/* answered, so it goes on */
		fix_advance_ms(&f, wait_ms - 1);
		fix_expect_none(&f, rl_label("probe %d not before %lld ms", i,
					     (long long)wait_ms));
		fix_advance_ms(&f, 2);
		fix_expect(&f, rl_label("probe %d", i), ".", 1000, 0, 1);
		fix_advance_ms(&f, -1);
		at_ms += wait_ms;
		fix_in(&f, ".", 1, 0, 1001, 0);
		wait_ms = RL_MIN(wait_ms * 2, 120000);
	}
	CHECK("for hours if need be", at_ms > 600000);
	CHECK_EQ("counted", fix_counter(&f, "tcp.win_probes"), 14);
	fix_in(&f, ".", 1, 0, 1001, 5000);
	fix_expect(&f, "open again", "P.", 1001, 500, 1);
	fix_in(&f, ".", 1, 0, 1501, 5000);
	fix_advance_ms(&f, 300000);
	fix_expect_none(&f, "no probe of an open window");
	fix_done(&f);
}

/* [RFC9293:MUST-20] Probes that nobody answers end at R2. */
TEST(unanswered_probes_give_up)
{
	uint8_t buf[4];
	struct fix f;

	fix_init(&f, false);
	fix_sysctl(&f, "net.ipv4.tcp_retries2", "4");
	fix_establish(&f, false, false);
	fix_in(&f, ".", 1, 0, 1, 0);
	CHECK_EQ("write", fix_send(&f, 10), 10);
	fix_expect_none(&f, "closed");
	fix_advance_ms(&f, 200 + 400 + 800 + 1600 + 3200 - 10);
	CHECK_EQ("waits", fix_state(&f), RILL_ESTABLISHED);
	CHECK_EQ("four probes", fix_drain(&f), 4);
	fix_advance_ms(&f, 20);
	CHECK_EQ("given up", fix_state(&f), RILL_CLOSE);
	CHECK_EQ("told", fix_recv(&f, buf, 4), -ETIMEDOUT);
	CHECK_EQ("counted", fix_counter(&f, "tcp.abort_on_timeout"), 1);
	fix_done(&f);
}

/* A user timeout counts from the first unanswered probe, not from the first one. */
TEST(user_timeout_of_probes)
{
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	CHECK_EQ("set", fix_setopt(&f, RL_SOL_TCP, RL_TCP_USER_TIMEOUT, 10000), 0);
	fix_in(&f, ".", 1, 0, 1, 0);
	CHECK_EQ("write", fix_send(&f, 10), 10);
	for (int i = 0; i < 300; i++) {		/* a minute of answered probes */
		fix_advance_ms(&f, 200);
		if (fix_drain(&f))
			fix_in(&f, ".", 1, 0, 1, 0);
	}
	CHECK_EQ("alive", fix_state(&f), RILL_ESTABLISHED);
	fix_advance_ms(&f, 9000);		/* at least one probe is lost */
	CHECK_EQ("one lost probe is no death", fix_state(&f), RILL_ESTABLISHED);
	fix_advance_ms(&f, 30000);
	CHECK_EQ("silence is", fix_state(&f), RILL_CLOSE);
	fix_drain(&f);
	fix_done(&f);
}

/* ---- silly windows ---- */

/* [RFC9293:MUST-38] The peer opens its window by a few bytes at a time. */
TEST(sender_avoids_silly_windows)
{
	struct out_seg o;
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);	/* largest window 65535 */
	CHECK_EQ("write", fix_send(&f, 3000), 3000);
	fix_drain(&f);
	fix_in(&f, ".", 1, 0, 3001, 0);
	CHECK_EQ("write", fix_send(&f, 5000), 5000);
	for (uint16_t w = 10; w < 900; w += 90) {
		fix_in(&f, ".", 1, 0, 3001, w);
		fix_expect_none(&f, rl_label("window of %u", w));
	}
	CHECK("held for that", fix_counter(&f, "hold.SWS") > 0);
	fix_in(&f, ".", 1, 0, 3001, 1000);
	fix_expect(&f, "a full segment", ".", 3001, 1000, 1);
	fix_in(&f, ".", 1, 0, 4001, 300);
	fix_expect_none(&f, "silly again");
	fix_advance_ms(&f, 201);		/* the override timer */
	o = fix_out(&f);
	CHECK("a piece at last", o.there && o.seq == 4001 && o.len == 300);
	fix_in(&f, ".", 1, 0, 4301, 65535);
	CHECK_EQ("the rest", ack_all(&f, 1, 65535), 8001);
	fix_done(&f);
}

/* Half of the largest window ever offered is worth a segment. */
TEST(small_windows_of_small_peers)
{
	struct fix f;

	fix_init(&f, false);
	fix_listen(&f);
	fix_in_opts(&f, "S", 0, 0, 0, 400, &(struct in_opts){
		    .bytes = (const uint8_t[]){ OPT_MSS1000 }, .n = 4 });
	fix_drain(&f);
	fix_in(&f, ".", 1, 0, 1, 400);
	CHECK_EQ("accept", rill_tcp_accept(f.st, f.listener, 7, &f.fd, NULL), 0);
	CHECK_EQ("write", fix_send(&f, 2000), 2000);
	fix_expect(&f, "all of it", ".", 1, 400, 1);
	fix_in(&f, ".", 1, 0, 401, 200);
	fix_expect(&f, "half of it", ".", 401, 200, 1);
	fix_in(&f, ".", 1, 0, 601, 199);
	fix_expect_none(&f, "less than half");
	fix_done(&f);
}

/* Data until our window is closed; where that is. */
static uint32_t fill_window(struct fix *f)
{
	uint32_t at = 1, edge = 1 + fix_info(f).rcv_wnd;
	struct out_seg o;

	while (at < edge) {
		uint32_t n = RL_MIN(1000u, edge - at);

		fix_in(f, ".", at, n, 1, 65535);
		at += n;
		while ((o = fix_out(f)).there)
			edge = RL_MAX(edge, o.ack + o.win);
	}
	fix_advance_ms(f, 50);
	while ((o = fix_out(f)).there)
		;
	return at;
}

/* [RFC9293:MUST-39] The application reads byte by byte. */
TEST(receiver_avoids_silly_windows)
{
	static const struct { int rcvbuf; uint32_t step; } rows[] = {
		{ 20000, 1460 },		/* an MSS */
		{ 2000, 1000 },			/* half of the buffer */
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint32_t at, read = 0;
		struct out_seg o;
		uint8_t b;
		struct fix f;

		fix_init(&f, false);
		fix_listen(&f);
		f.fd = f.listener;
		CHECK_EQ("set", fix_setopt(&f, RL_SOL_SOCKET, RL_SO_RCVBUF, rows[i].rcvbuf), 0);
		fix_establish(&f, false, false);
		at = fill_window(&f);
		CHECK_EQ("window", at - 1, rows[i].rcvbuf);
		CHECK_EQ("closed", fix_info(&f).rcv_wnd, 0);
		do {
			CHECK_EQ("read", fix_recv(&f, &b, 1), 1);
			read++;
			o = fix_out(&f);
		} while (!o.there && read < 10000);
		CHECK_EQ("opens when", read, rows[i].step);
		CHECK_EQ("by", o.win, rows[i].step);
		CHECK_EQ("counted", fix_counter(&f, "tcp.from_zero_window"), 1);
		fix_done(&f);
	}
}

/* A peer that probes in between learns the same: no slow creep. */
TEST(probes_do_not_open_silly_windows)
{
	uint8_t b[100];
	uint32_t at;
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	at = fill_window(&f);
	CHECK_EQ("read", fix_recv(&f, b, 100), 100);
	fix_in(&f, ".", at, 1, 1, 65535);
	CHECK_EQ("window 0", fix_out(&f).win, 0);
	fix_done(&f);
}

/* ---- our window ---- */

struct edge_test {
	uint32_t edge, accepted;
	int	 shift;
};

static void watch_edge(struct fix *f, struct edge_test *t)
{
	struct out_seg o;

	while ((o = fix_out(f)).there) {
		uint32_t edge = o.ack + ((uint32_t)o.win << t->shift);

		/* up to a unit is lost by rounding [RFC7323-08] */
		CHECK("right edge does not move left [RFC9293:SHLD-14]",
		      (int32_t)(edge - t->edge) > -(1 << t->shift));
		if ((int32_t)(edge - t->edge) > 0)
			t->edge = edge;
		t->accepted = o.ack;
	}
}

/*
 * [RFC9293:SHLD-14] [RFC7323-09] The promise is kept and the buffer's limit as well,
 * for any sizes of segments and reads; a peer of tiny segments gets no more than
 * another.
 */
TEST(window_is_promise_and_limit)
{
	static const struct { uint32_t seg, read; } rows[] = {
		{ 1, 0 }, { 2, 0 }, { 3, 0 }, { 7, 1 }, { 100, 0 }, { 127, 0 }, { 129, 0 },
		{ 500, 499 }, { 1000, 0 }, { 1000, 900 }, { 1448, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		static const uint8_t opts[] = { OPT_MSS1000, OPT_WS(0) };
		struct edge_test t = { .edge = 1 };
		uint32_t at = 1, unread = 0;
		uint8_t buf[1000];
		struct fix f;

		fix_init(&f, false);
		fix_sysctl(&f, "net.ipv4.tcp_rmem", "4096 16384 33554432");
		fix_sysctl(&f, "net.ipv4.tcp_moderate_rcvbuf", "0");
		fix_establish_opts(&f, opts, sizeof(opts));
		t.shift = fix_info(&f).wscales >> 4;
		CHECK("scaled", t.shift >= 7);
		for (int k = 0; k < 12000 / (int)RL_MIN(rows[i].seg, 4u) + 2000; k++) {
			fix_in(&f, ".", at, rows[i].seg, 1, 65535);
			watch_edge(&f, &t);
			if ((int32_t)(t.accepted - at) > 0) {
				unread += t.accepted - at;
				at = t.accepted;
			}
			if (rows[i].read && unread) {
				int64_t n = fix_recv(&f, buf, rows[i].read);

				unread -= n > 0 ? (uint32_t)n : 0;
			}
			watch_edge(&f, &t);
		}
		CHECK(rl_label("segments of %u, reads of %u: %u unread", rows[i].seg,
			       rows[i].read, unread), unread <= 8192 + (1u << t.shift));
		fix_done(&f);
	}
}

/* The window opens again as the application reads; the peer is told at once. */
TEST(window_update_after_read)
{
	static uint8_t buf[70000];
	struct out_seg o;
	uint32_t at;
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	at = fill_window(&f);
	CHECK("read", fix_recv(&f, buf, sizeof(buf)) == at - 1);
	o = fix_out(&f);
	CHECK("update", o.there && o.flags == TH_ACK && o.ack == at);
	CHECK("whole buffer", o.win > 60000);
	CHECK_EQ("counted", fix_counter(&f, "tcp.to_zero_window"), 1);
	CHECK_EQ("counted", fix_counter(&f, "tcp.from_zero_window"), 1);
	fix_done(&f);
}

/* What arrives a round trip of 10 ms, all of it read at once; the buffer then. */
static uint32_t tuned(struct fix *f, int rounds)
{
	static const uint8_t opts[] = { OPT_MSS1000, OPT_WS(0) };
	static uint8_t buf[4000000];
	uint32_t at = 1;
	int64_t n;

	f->now_ns += 0;
	fix_listen(f);
	fix_in_opts(f, "S", 0, 0, 0, 65535, &(struct in_opts){ .bytes = opts,
							       .n = sizeof(opts) });
	fix_drain(f);
	fix_advance_ms(f, 10);
	fix_in(f, ".", 1, 0, 1, 65535);
	CHECK_EQ("accept", rill_tcp_accept(f->st, f->listener, 7, &f->fd, NULL), 0);
	for (int r = 0; r < rounds; r++) {
		uint32_t wnd = fix_info(f).rcv_wnd;

		for (uint32_t k = 0; k < wnd; k += 1000) {
			uint32_t len = RL_MIN(1000u, wnd - k);

			fix_in(f, ".", at, len, 1, 65535);
			at += len;
		}
		fix_advance_ms(f, 11);
		while ((n = fix_recv(f, buf, sizeof(buf))) > 0)
			;
		fix_drain(f);
	}
	return (uint32_t)fix_getopt(f, RL_SOL_SOCKET, RL_SO_RCVBUF);
}

TEST(receive_buffer_tuning)
{
	struct fix f;
	uint32_t n;

	fix_init(&f, false);
	n = tuned(&f, 6);
	CHECK("grows", n > 4 * 131072);
	fix_done(&f);

	fix_init(&f, false);
	fix_sysctl(&f, "net.ipv4.tcp_moderate_rcvbuf", "0");
	CHECK_EQ("switched off", tuned(&f, 6), 131072);
	fix_done(&f);

	fix_init(&f, false);
	fix_sysctl(&f, "net.ipv4.tcp_rmem", "4096 65536 200000");
	CHECK_EQ("limited", tuned(&f, 6), 200000);
	fix_done(&f);
}

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
		CHECK_EQ("payload", o.len, theirs && ours ? 988 : 1000);	/* [RFC9293:MUST-16] */
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

/* ---- Nagle and its friends ---- */

/* [RFC9293:SHLD-7] [RFC9293:MUST-17] */
TEST(nagle)
{
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	fix_send(&f, 10);
	fix_expect(&f, "nothing outstanding", "P.", 1, 10, 1);
	fix_send(&f, 20);
	fix_expect_none(&f, "second small one waits");
	CHECK("for that", fix_counter(&f, "hold.NAGLE") > 0);
	fix_send(&f, 30);
	fix_expect_none(&f, "third too");
	fix_in(&f, ".", 1, 0, 11, 65535);
	fix_expect(&f, "both in one", "P.", 11, 50, 1);
	fix_send(&f, 20);
	fix_send(&f, 1500);
	fix_expect(&f, "a full segment leaves", ".", 61, 1000, 1);
	fix_expect_none(&f, "its rest waits");
	fix_in(&f, ".", 1, 0, 1061, 65535);
	fix_expect(&f, "until the ACK", "P.", 1061, 520, 1);
	fix_send(&f, 5);
	fix_expect_none(&f, "waits");
	CHECK_EQ("nodelay", fix_setopt(&f, RL_SOL_TCP, RL_TCP_NODELAY, 1), 0);
	fix_expect(&f, "goes at once", "P.", 1581, 5, 1);
	fix_send(&f, 5);
	fix_expect(&f, "and the next", "P.", 1586, 5, 1);
	fix_done(&f);
}

/* Nagle as Minshall has it: a small tail of a large write does not wait for an ACK. */
TEST(nagle_tail_of_a_large_write)
{
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	fix_send(&f, 2500);
	fix_expect(&f, "full", ".", 1, 1000, 1);
	fix_expect(&f, "full", ".", 1001, 1000, 1);
	fix_expect(&f, "tail", "P.", 2001, 500, 1);
	fix_send(&f, 2500);
	fix_expect(&f, "full", ".", 2501, 1000, 1);
	fix_expect(&f, "full", ".", 3501, 1000, 1);
	fix_expect_none(&f, "a second tail waits");
	fix_done(&f);
}

/* [RFC9293:MUST-60] TCP_CORK and MSG_MORE hold a partial segment, for 200 ms at most. */
TEST(cork)
{
	for (int more = 0; more < 2; more++) {
		unsigned flags = more ? RILL_MSG_MORE : 0;
		struct fix f;

		fix_init(&f, false);
		fix_establish(&f, false, false);
		if (!more)
			CHECK_EQ("cork", fix_setopt(&f, RL_SOL_TCP, RL_TCP_CORK, 1), 0);
		fix_send_flags(&f, 400, flags);
		fix_expect_none(&f, "held");
		CHECK("for that", fix_counter(&f, "hold.CORK") > 0);
		fix_send_flags(&f, 700, flags);
		fix_expect(&f, "a full segment leaves", ".", 1, 1000, 1);
		fix_expect_none(&f, "its rest is held");
		fix_in(&f, ".", 1, 0, 1001, 65535);
		fix_expect_none(&f, "also when all is acknowledged");
		fix_advance_ms(&f, 201);
		fix_expect(&f, "200 ms", "P.", 1001, 100, 1);
		fix_in(&f, ".", 1, 0, 1101, 65535);
		fix_send_flags(&f, 50, flags);
		fix_expect_none(&f, "held");
		if (more)
			fix_send(&f, 10);
		else
			CHECK_EQ("pull", fix_setopt(&f, RL_SOL_TCP, RL_TCP_CORK, 0), 0);
		fix_expect(&f, "out", "P.", 1101, more ? 60 : 50, 1);
		CHECK_EQ("no window was probed", fix_counter(&f, "tcp.win_probes"), 0);
		fix_done(&f);
	}
}

/* The 200 ms do not grow with the round-trip time, and the piece may get lost. */
TEST(cork_on_a_slow_path)
{
	struct fix f;

	fix_init(&f, false);
	fix_listen(&f);
	fix_in(&f, "S", 0, 0, 0, 65535);
	fix_drain(&f);
	fix_advance_ms(&f, 800);
	fix_in(&f, ".", 1, 0, 1, 65535);
	CHECK_EQ("accept", rill_tcp_accept(f.st, f.listener, 7, &f.fd, NULL), 0);
	CHECK_EQ("cork", fix_setopt(&f, RL_SOL_TCP, RL_TCP_CORK, 1), 0);
	fix_send(&f, 100);
	fix_expect_none(&f, "held");
	fix_advance_ms(&f, 201);
	fix_expect(&f, "200 ms", "P.", 1, 100, 1);
	fix_advance_ms(&f, 2500);		/* 800 + 4 * 400 */
	fix_expect(&f, "lost, sent again", "P.", 1, 100, 1);
	fix_done(&f);
}

/* [RFC9293:MUST-61] [RFC9293:SHLD-27] [RFC9293:SHLD-28] PSH and full segments */
TEST(push_and_full_segments)
{
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	fix_in(&f, ".", 1, 0, 1, 0);
	for (int i = 0; i < 40; i++)
		fix_send(&f, 50);
	fix_expect_none(&f, "window closed");
	fix_in(&f, ".", 1, 0, 1, 65535);
	fix_expect(&f, "small writes in full segments", ".", 1, 1000, 1);
	fix_expect(&f, "PSH on the last", "P.", 1001, 1000, 1);
	fix_done(&f);
}

/* ---- acknowledging ---- */

/* [RFC9293:SHLD-18] [RFC9293:MUST-40] [RFC9293:SHLD-19] [RFC5681-24] */
TEST(delayed_ack)
{
	struct out_seg o;
	struct fix f;
	uint8_t buf[3000];

	fix_init(&f, false);
	fix_establish(&f, false, false);
	fix_in(&f, ".", 1, 1000, 1, 65535);
	fix_expect(&f, "at first at once", ".", 1, 0, 1001);
	CHECK_EQ("set", fix_setopt(&f, RL_SOL_TCP, RL_TCP_QUICKACK, 0), 0);
	fix_in(&f, "P.", 1001, 1000, 1, 65535);
	fix_expect_none(&f, "one segment waits");
	fix_advance_ms(&f, 39);
	fix_expect_none(&f, "40 ms");
	fix_advance_ms(&f, 2);
	fix_expect(&f, "not longer", ".", 1, 0, 2001);
	CHECK_EQ("counted", fix_counter(&f, "tcp.delayed_acks"), 1);
	fix_in(&f, "P.", 2001, 1000, 1, 65535);
	fix_expect_none(&f, "first of two");
	fix_in(&f, "P.", 3001, 1000, 1, 65535);
	fix_expect(&f, "every second one", ".", 1, 0, 4001);
	fix_in(&f, "P.", 4001, 1000, 1, 65535);
	fix_send(&f, 10);
	fix_expect(&f, "data carries it", "P.", 1, 10, 5001);
	fix_advance_ms(&f, 100);
	fix_expect_none(&f, "so no timer");
	fix_in(&f, "P.", 5001, 10, 11, 65535);
	CHECK_EQ("quickack", fix_setopt(&f, RL_SOL_TCP, RL_TCP_QUICKACK, 1), 0);
	fix_expect(&f, "what waited goes", ".", 11, 0, 5011);
	fix_in(&f, "P.", 5011, 10, 11, 65535);
	fix_expect(&f, "and the next at once", ".", 11, 0, 5021);
	CHECK("read", fix_recv(&f, buf, sizeof(buf)) > 0);
	o = fix_out(&f);
	CHECK("nothing more", !o.there);
	fix_done(&f);
}

/* [RFC9293:MUST-58] [RFC9293:MUST-59] A burst in one poll gets one ACK, a filled hole too. */
TEST(acks_aggregate)
{
	struct out_seg o;
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	for (uint32_t i = 0; i < 10; i++)
		fix_in(&f, ".", 1 + 1000 * i, 1000, 1, 65535);
	fix_expect(&f, "one for all", ".", 1, 0, 10001);
	fix_expect_none(&f, "only one");
	for (uint32_t i = 1; i < 5; i++)
		fix_in(&f, ".", 10001 + 1000 * i, 1000, 1, 65535);
	CHECK_EQ("each early one is told at once [RFC9293:MAY-13]", fix_drain(&f), 4);
	fix_in(&f, ".", 10001, 1000, 1, 65535);
	o = fix_out(&f);
	CHECK_EQ("hole filled [RFC9293:SHLD-31]", o.ack, 15001);
	fix_expect_none(&f, "one ACK");
	CHECK_EQ("counted", fix_counter(&f, "tcp.ofo_queue"), 4);
	CHECK_EQ("counted", fix_counter(&f, "tcp.in_bytes"), 15000);
	fix_done(&f);
}

/* [RFC9293:lc-7] [RFC9293:MUST-65] Every segment has ACK, and no MSS option after SYN. */
TEST(every_segment_has_ack)
{
	struct out_seg o;
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, true, true);
	fix_send(&f, 5000);
	fix_in(&f, "P.", 1, 10, 1, 65535);
	fix_in(&f, "P.", 100, 10, 1, 65535);
	rill_tcp_shutdown(f.st, f.fd, RILL_SHUT_WR);
	for (int i = 0; i < 10; i++) {
		while ((o = fix_out(&f)).there) {
			CHECK("ACK", o.flags & TH_ACK);
			CHECK_EQ("MSS", o.o.mss, 0);
			CHECK("not SYN", !(o.flags & TH_SYN));
		}
		fix_advance_ms(&f, 1000);
	}
	fix_done(&f);
}

/* ---- send buffer ---- */

/* tcp_wmem: what a write may queue, by default and as it grows with cwnd */
TEST(send_buffer)
{
	struct fix f;

	fix_init(&f, false);
	fix_sysctl(&f, "net.ipv4.tcp_wmem", "4096 20000 30000");
	fix_establish(&f, false, false);
	CHECK_EQ("at most the third number", fix_send(&f, 1000000), 30000);
	CHECK_EQ("full", fix_send(&f, 1), -EAGAIN);
	CHECK("not writable", !(rill_tcp_poll(f.st, f.fd) & RILL_OUT));
	CHECK_EQ("all of it", ack_all(&f, 1, 65535), 30001);
	CHECK("writable", rill_tcp_poll(f.st, f.fd) & RILL_OUT);
	fix_done(&f);
}

/* ---- what is counted ---- */

static uint64_t held(struct fix *f, const char *why)
{
	return fix_counter(f, rl_label("hold.%s", why));
}

/* Each reason not to send is named. */
TEST(hold_reasons)
{
	static struct rill_pkt *kept[5000];
	struct fix f;
	int n = 0;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	fix_send(&f, 10);
	fix_drain(&f);
	CHECK_EQ("NO_DATA", held(&f, "NO_DATA"), 1);
	fix_in(&f, ".", 1, 0, 11, 0);
	fix_send(&f, 10);
	fix_drain(&f);
	CHECK("RWND", held(&f, "RWND") > 0);
	fix_in(&f, ".", 1, 0, 11, 65535);
	fix_drain(&f);
	CHECK_EQ("nodelay", fix_setopt(&f, RL_SOL_TCP, RL_TCP_NODELAY, 1), 0);
	f.alloc_dead = true;		/* and packets that the device keeps */
	while (n < (int)ARRAY_LEN(kept) && !held(&f, "MEMORY") && fix_send(&f, 1) == 1)
		n += rill_stack_output(f.st, 0, &kept[n], 1);
	CHECK_EQ("MEMORY", held(&f, "MEMORY"), 1);
	while (n)
		rill_pkt_put(f.st, kept[--n]);
	f.alloc_dead = false;
	rill_tcp_shutdown(f.st, f.fd, RILL_SHUT_WR);
	ack_all(&f, 1, 65535);
	CHECK("NONE: FIN went out", held(&f, "NONE") > 0);
	fix_done(&f);
}

/* tcp.out_segs, tcp.out_bytes, tcp.in_segs and TCP_INFO against what went over the wire */
TEST(totals)
{
	uint64_t segs = 0, bytes = 0, data = 0, in;
	struct rill_tcp_info i;
	struct out_seg o;
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);	/* SYN+ACK out; two in */
	fix_send(&f, 7500);
	for (int round = 0; round < 3; round++) {
		while ((o = fix_out(&f)).there) {
			segs++;
			bytes += o.len;
			data += o.len > 0;
		}
		fix_advance_ms(&f, 1000);	/* some of it again */
	}
	in = fix_counter(&f, "tcp.in_segs");
	fix_in(&f, "P.", 1, 300, 7501, 65535);
	while ((o = fix_out(&f)).there)
		segs++;
	CHECK_EQ("in", fix_counter(&f, "tcp.in_segs"), in + 1);
	CHECK_EQ("out", fix_counter(&f, "tcp.out_segs") + fix_counter(&f, "tcp.retrans_segs"),
		 segs + 1);
	CHECK("some sent again", fix_counter(&f, "tcp.retrans_segs") > 0);
	CHECK_EQ("bytes out", fix_counter(&f, "tcp.out_bytes"), bytes);
	i = fix_info(&f);
	CHECK_EQ("bytes_sent", i.bytes_sent, bytes);
	CHECK_EQ("bytes_retrans", i.bytes_retrans, bytes - 7500);
	CHECK_EQ("bytes_acked", i.bytes_acked, 7500);
	CHECK_EQ("bytes_received", i.bytes_received, 300);
	CHECK_EQ("data_segs_out", i.data_segs_out, data);
	CHECK_EQ("data_segs_in", i.data_segs_in, 1);
	CHECK_EQ("segs_out, with the SYN+ACK", i.segs_out, segs + 1);
	fix_done(&f);
}
