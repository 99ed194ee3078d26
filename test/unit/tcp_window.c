/* SPDX-License-Identifier: MIT */
/*
 * Flow control in both directions [A22]: the window and its scale, closed windows
 * and probes, silly windows, buffer tuning.
 */
#include <errno.h>

#include "tcp_fix.h"
#include "base/types.h"
#include "stack/sockopt_nums.h"

#define OPT_MSS1000	2, 4, 1000 >> 8, 1000 & 255
#define OPT_WS(n)	1, 3, 3, n

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

/*
 * [RFC1122-43]
 * [RFC9293:lc-12] [RFC7323-04] The SYN+ACK's window holds at once, and unscaled.
 */
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

/* [RFC5681-01] [RFC9293:MUST-1] 65535 is a large window, no negative number. */
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

/* [RFC1122-44] [RFC9293:lc-11] An old segment does not change the window. */
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

/* [RFC6429-01] [RFC9293:MUST-35] [RFC9293:MUST-36] [RFC9293:SHLD-29] [RFC9293:SHLD-30] */
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
	CHECK_EQ("the rest", fix_ack_all(&f, 1, 65535), 8001);
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
