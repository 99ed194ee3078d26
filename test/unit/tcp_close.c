/* SPDX-License-Identifier: MIT */
/*
 * Ends of connections [A11] [A12] [A18]: half-close, reset on close, orphans and
 * their limits, FIN-WAIT-2, TIME-WAIT.
 */
#include <errno.h>

#include "tcp_fix.h"
#include "base/types.h"
#include "stack/sockopt_nums.h"

/* ---- half-close ---- */

/* [RFC9293:MUST-12] [RFC9293:MAY-1] We stop sending and go on reading. */
TEST(half_close_ours)
{
	uint8_t buf[100];
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	fix_send(&f, 100);
	CHECK_EQ("shutdown", rill_tcp_shutdown(f.st, f.fd, RILL_SHUT_WR), 0);
	fix_expect(&f, "data and FIN", "FP.", 1, 100, 1);
	CHECK_EQ("no more", fix_send(&f, 1), -EPIPE);
	fix_in(&f, ".", 1, 0, 102, 65535);
	CHECK_EQ("FIN-WAIT-2", fix_state(&f), RILL_FIN_WAIT2);
	fix_advance_ms(&f, 3600 * 1000);	/* with an application: for ever */
	CHECK_EQ("still", fix_state(&f), RILL_FIN_WAIT2);
	fix_in(&f, "P.", 1, 50, 102, 65535);
	CHECK_EQ("reading works", fix_recv(&f, buf, 100), 50);
	fix_in(&f, "F.", 51, 0, 102, 65535);
	CHECK_EQ("end", fix_recv(&f, buf, 100), 0);
	CHECK_EQ("TIME-WAIT", fix_state(&f), RILL_TIME_WAIT);
	fix_done(&f);
}

/* [RFC2525-15] The peer stops sending; what we write still arrives. */
TEST(half_close_theirs)
{
	uint8_t buf[100];
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	fix_in(&f, "FP.", 1, 50, 1, 65535);
	fix_expect(&f, "ACK of data and FIN", ".", 1, 0, 52);
	CHECK_EQ("CLOSE-WAIT", fix_state(&f), RILL_CLOSE_WAIT);
	CHECK("told", fix_event(&f) & RILL_RDHUP);
	CHECK_EQ("data", fix_recv(&f, buf, 100), 50);
	CHECK_EQ("end", fix_recv(&f, buf, 100), 0);
	CHECK_EQ("end again", fix_recv(&f, buf, 100), 0);
	CHECK_EQ("write", fix_send(&f, 100), 100);
	fix_expect(&f, "data", "P.", 1, 100, 52);
	fix_in(&f, ".", 52, 0, 101, 65535);
	CHECK_EQ("close", rill_tcp_close(f.st, f.fd), 0);
	fix_expect(&f, "FIN", "F.", 101, 0, 52);
	CHECK_EQ("LAST-ACK", fix_state(&f), RILL_LAST_ACK);
	fix_in(&f, ".", 52, 0, 102, 65535);
	CHECK_EQ("closed", fix_state(&f), RILL_CLOSE);
	CHECK_EQ("freed", fix_counter(&f, "pool.conns"), 1);
	fix_done(&f);
}

/* shutdown(RD): end of stream for the reader, nothing on the wire */
TEST(shutdown_read)
{
	uint8_t buf[100];
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	CHECK_EQ("shutdown", rill_tcp_shutdown(f.st, f.fd, RILL_SHUT_RD), 0);
	fix_expect_none(&f, "nothing is sent");
	CHECK_EQ("end", fix_recv(&f, buf, 100), 0);
	CHECK_EQ("sending works", fix_send(&f, 10), 10);
	fix_expect(&f, "data", "P.", 1, 10, 1);
	CHECK_EQ("both now", rill_tcp_shutdown(f.st, f.fd, RILL_SHUT_RDWR), 0);
	fix_expect(&f, "FIN", "F.", 11, 0, 1);
	CHECK_EQ("nothing to shut", rill_tcp_shutdown(f.st, f.listener, RILL_SHUT_WR), 0);
	fix_done(&f);
}

/* [RFC9293:lc-17] FIN goes behind all data, and is repeated until it is acknowledged. */
TEST(close_delivers_first)
{
	uint32_t una = 1, nxt = 1;
	bool fin = false;
	struct out_seg o;
	struct fix f;

	fix_init(&f, false);
	fix_sysctl(&f, "net.ipv4.tcp_wmem", "4096 1000000 4000000");
	fix_establish(&f, false, false);
	fix_send(&f, 100000);
	CHECK_EQ("close", rill_tcp_close(f.st, f.fd), 0);
	CHECK_EQ("gone for the application", fix_send(&f, 1), -EBADF);
	for (int i = 0; i < 100 && !fin; i++) {
		while ((o = fix_out(&f)).there) {
			CHECK("FIN is last", !fin);
			CHECK_EQ("in order", o.seq, nxt);
			nxt = o.seq + o.len;
			fin = o.flags & TH_FIN;
		}
		fix_in(&f, ".", 1, 0, una = nxt, 65535);
	}
	CHECK_EQ("all", una, 100001);
	CHECK_EQ("FIN-WAIT-1", fix_state(&f), RILL_FIN_WAIT1);
	fix_advance_ms(&f, 201);
	o = fix_out(&f);
	CHECK("FIN again", o.flags & TH_FIN && o.seq + o.len == 100001);
	fix_in(&f, ".", 1, 0, 100002, 65535);
	CHECK_EQ("FIN-WAIT-2", fix_state(&f), RILL_FIN_WAIT2);
	fix_done(&f);
}

/* ---- reset ---- */

/* [RFC9293:SHLD-3] [RFC2525-17] Bytes that nobody read. */
TEST(close_with_unread_data)
{
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	fix_in(&f, "P.", 1, 10, 1, 65535);
	fix_drain(&f);
	CHECK_EQ("close", rill_tcp_close(f.st, f.fd), 0);
	fix_expect(&f, "RST, no FIN", "R.", 1, 0, 11);
	CHECK_EQ("closed", fix_state(&f), RILL_CLOSE);
	CHECK_EQ("counted", fix_counter(&f, "tcp.abort_on_close"), 1);
	CHECK_EQ("counted", fix_counter(&f, "tcp.out_rsts"), 1);
	CHECK_EQ("counted", fix_counter(&f, "tcp.estab_resets"), 1);
	fix_done(&f);
}

static void set_linger(struct fix *f, int on, int seconds)
{
	int l[2] = { on, seconds };

	CHECK_EQ("linger", rill_stack_setsockopt(f->st, f->fd, RL_SOL_SOCKET, RL_SO_LINGER, l,
						 sizeof(l)), 0);
}

/* SO_LINGER with time 0 */
TEST(linger_zero)
{
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	set_linger(&f, 1, 0);
	fix_send(&f, 100);
	fix_drain(&f);
	fix_send(&f, 5000);
	CHECK_EQ("close", rill_tcp_close(f.st, f.fd), 0);
	fix_expect(&f, "RST", "R.", 101, 0, 1);
	fix_expect_none(&f, "what was queued is thrown away");
	CHECK_EQ("closed", fix_state(&f), RILL_CLOSE);
	fix_done(&f);

	fix_init(&f, false);
	fix_establish(&f, false, false);
	set_linger(&f, 1, 0);
	set_linger(&f, 0, 0);
	CHECK_EQ("close", rill_tcp_close(f.st, f.fd), 0);
	fix_expect(&f, "switched off: FIN", "F.", 1, 0, 1);
	fix_done(&f);
}

/* [RFC9293:3.10.5] ABORT: who gets a RST */
TEST(abort_in_each_state)
{
	static const struct { int state; bool rst; } rows[] = {
		{ RILL_CLOSE, false }, { RILL_LISTEN, false }, { RILL_SYN_SENT, false },
		{ RILL_SYN_RECV, true }, { RILL_ESTABLISHED, true }, { RILL_FIN_WAIT1, true },
		{ RILL_FIN_WAIT2, true }, { RILL_CLOSE_WAIT, true }, { RILL_CLOSING, false },
		{ RILL_LAST_ACK, false }, { RILL_TIME_WAIT, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *name = rill_state_name(rows[i].state);
		struct out_seg o;
		struct fix f;

		fix_init(&f, false);
		fix_reach(&f, rows[i].state);
		CHECK_EQ(name, rill_tcp_abort(f.st, rows[i].state == RILL_LISTEN
						    ? f.listener : f.fd), 0);
		o = fix_out(&f);
		CHECK_EQ(rl_label("%s: RST", name), o.there, rows[i].rst);
		if (o.there) {
			CHECK("RST", o.flags & TH_RST);
			CHECK_EQ("SND.NXT", o.seq, f.snd_nxt);
		}
		CHECK_EQ("id is gone", rill_tcp_abort(f.st, f.fd ? f.fd : f.listener), -EBADF);
		/* TIME-WAIT guards the four-tuple, whatever the application does */
		CHECK_EQ(name, fix_state(&f), rows[i].state == RILL_TIME_WAIT
					      ? RILL_TIME_WAIT : RILL_CLOSE);
		fix_done(&f);
	}
}

/* What the application learns of a reset, by the state it came in. */
TEST(reset_is_told)
{
	static const struct { int state; int64_t recv, send; } rows[] = {
		{ RILL_SYN_SENT, -ECONNREFUSED, -EPIPE }, { RILL_SYN_RECV, -ECONNREFUSED, -EPIPE },
		{ RILL_ESTABLISHED, -ECONNRESET, -EPIPE }, { RILL_FIN_WAIT1, -ECONNRESET, -EPIPE },
		{ RILL_FIN_WAIT2, -ECONNRESET, -EPIPE }, { RILL_CLOSE_WAIT, 0, -EPIPE },
		{ RILL_LAST_ACK, 0, -ECONNRESET },	/* the stream had ended; nobody was told */
		{ RILL_CLOSING, 0, -ECONNRESET },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *name = rill_state_name(rows[i].state);
		uint8_t buf[4];
		struct fix f;

		fix_init(&f, false);
		fix_reach(&f, rows[i].state);
		fix_event(&f);
		fix_in(&f, "R.", f.rcv_nxt, 0, f.snd_nxt, 0);
		CHECK(rl_label("%s: event", name), fix_event(&f) & RILL_ERR);
		CHECK(rl_label("%s: poll", name), rill_tcp_poll(f.st, f.fd) & RILL_HUP);
		CHECK_EQ(rl_label("%s: recv", name), fix_recv(&f, buf, 4), rows[i].recv);
		CHECK_EQ(rl_label("%s: recv again", name), fix_recv(&f, buf, 4), 0);
		CHECK_EQ(rl_label("%s: send", name), fix_send(&f, 1), rows[i].send);
		fix_done(&f);
	}
}

/* ---- orphans ---- */

/* tcp_max_orphans */
TEST(orphan_limit)
{
	rill_id ids[3];
	struct fix f;

	fix_init(&f, false);
	fix_sysctl(&f, "net.ipv4.tcp_max_orphans", "2");
	for (int i = 0; i < 3; i++) {
		f.rport++;
		f.got_iss = false;
		fix_establish(&f, false, false);
		ids[i] = f.fd;
	}
	for (int i = 0; i < 3; i++)
		CHECK_EQ("close", rill_tcp_close(f.st, ids[i]), 0);
	CHECK_EQ("two stay", fix_counter(&f, "pool.orphans"), 2);
	CHECK_EQ("counted", fix_counter(&f, "tcp.abort_on_memory"), 1);
	CHECK_EQ("one RST", fix_counter(&f, "tcp.out_rsts"), 1);
	fix_drain(&f);
	fix_done(&f);
}

/* One that its program has closed, and whose FIN nobody acknowledges, can be ended [D3]. */
TEST(orphan_killed)
{
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	CHECK_EQ("close", rill_tcp_close(f.st, f.fd), 0);
	fix_drain(&f);
	CHECK_EQ("it waits", fix_state(&f), RILL_FIN_WAIT1);
	CHECK_EQ("kill", rill_tcp_kill(f.st, f.fd), 0);
	fix_expect(&f, "RST", "R.", 2, 0, 1);
	CHECK_EQ("no orphan", fix_counter(&f, "pool.orphans"), 0);
	CHECK_EQ("once only", rill_tcp_kill(f.st, f.fd), -EBADF);
	fix_done(&f);
}

/* tcp_fin_timeout, TCP_LINGER2: an orphan in FIN-WAIT-2 does not wait for ever. */
TEST(fin_wait2_limit)
{
	static const struct {
		const char *name, *knob;
		int	 linger2;
		bool	 late;		/* closed when FIN-WAIT-2 was there already */
		int64_t	 s;
	} rows[] = {
		{ "default", NULL, 0, false, 60 }, { "tcp_fin_timeout", "7", 0, false, 7 },
		{ "TCP_LINGER2", NULL, 3, false, 3 }, { "closed later", NULL, 0, true, 60 },
		{ "TCP_LINGER2 none", NULL, -1, false, 0 },
		{ "TCP_LINGER2 none, closed later", NULL, -1, true, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct fix f;

		fix_init(&f, false);
		if (rows[i].knob)
			fix_sysctl(&f, "net.ipv4.tcp_fin_timeout", rows[i].knob);
		fix_establish(&f, false, false);
		if (rows[i].linger2)
			CHECK_EQ("set", fix_setopt(&f, RL_SOL_TCP, RL_TCP_LINGER2,
						   rows[i].linger2), 0);
		CHECK_EQ("shutdown", rill_tcp_shutdown(f.st, f.fd, RILL_SHUT_WR), 0);
		fix_drain(&f);
		if (!rows[i].late)
			CHECK_EQ("close", rill_tcp_close(f.st, f.fd), 0);
		fix_in(&f, ".", 1, 0, 2, 65535);
		if (rows[i].late)
			CHECK_EQ("close", rill_tcp_close(f.st, f.fd), 0);
		if (rows[i].s) {
			CHECK_EQ(rows[i].name, fix_state(&f), RILL_FIN_WAIT2);
			fix_advance_ms(&f, rows[i].s * 1000 - 1);
			CHECK_EQ(rows[i].name, fix_state(&f), RILL_FIN_WAIT2);
			fix_advance_ms(&f, 2);
			fix_expect_none(&f, "silently");
		} else {
			fix_expect(&f, "RST", "R.", 2, 0, 1);
			CHECK_EQ("counted", fix_counter(&f, "tcp.abort_on_linger"), 1);
		}
		CHECK_EQ(rows[i].name, fix_state(&f), RILL_CLOSE);
		CHECK_EQ("freed", fix_counter(&f, "pool.orphans"), 0);
		fix_done(&f);
	}
}

/* ---- TIME-WAIT ---- */

/* [RFC9293:MUST-13] [A12] a repeated FIN: our ACK was lost; 2 MSL begin anew */
TEST(time_wait_repeated_fin)
{
	struct fix f;

	fix_init(&f, false);
	fix_reach(&f, RILL_TIME_WAIT);
	fix_advance_ms(&f, 50000);
	fix_in(&f, "F.", 1, 0, 2, 65535);
	fix_expect(&f, "acknowledged again", ".", 2, 0, 2);
	fix_advance_ms(&f, 59999);
	CHECK_EQ("anew", fix_state(&f), RILL_TIME_WAIT);
	fix_advance_ms(&f, 2);
	CHECK_EQ("over", fix_state(&f), RILL_CLOSE);
	CHECK_EQ("counted", fix_counter(&f, "tcp.tw"), 1);
	fix_done(&f);
}

/* net.rill.tcp_time_wait_ms */
TEST(time_wait_length)
{
	struct fix f;

	fix_init(&f, false);
	fix_sysctl(&f, "net.rill.tcp_time_wait_ms", "1500");
	fix_reach(&f, RILL_TIME_WAIT);
	fix_advance_ms(&f, 1499);
	CHECK_EQ("not over", fix_state(&f), RILL_TIME_WAIT);
	fix_advance_ms(&f, 2);
	CHECK_EQ("over", fix_state(&f), RILL_CLOSE);
	fix_done(&f);
}

/* [A12] Old segments don't get in, and are answered at most twice a second. */
TEST(time_wait_old_segments)
{
	int answers = 0;
	struct fix f;

	fix_init(&f, false);
	fix_reach(&f, RILL_TIME_WAIT);
	for (int i = 0; i < 10; i++) {
		fix_in(&f, "P.", 1, 100, 2, 65535);
		answers += fix_drain(&f);
	}
	CHECK_EQ("one answer", answers, 1);
	CHECK_EQ("counted", fix_counter(&f, "tcp.ack_skipped"), 9);
	CHECK_EQ("dropped", fix_counter(&f, "drop.TW_OLD"), 10);
	fix_advance_ms(&f, 59000);
	CHECK_EQ("not prolonged", fix_state(&f), RILL_TIME_WAIT);
	fix_advance_ms(&f, 1001);
	CHECK_EQ("over", fix_state(&f), RILL_CLOSE);
	fix_done(&f);
}

/* [RFC1337-01] tcp_rfc1337 */
TEST(time_wait_reset)
{
	for (int on = 0; on < 2; on++) {
		struct fix f;

		fix_init(&f, false);
		fix_sysctl(&f, "net.ipv4.tcp_rfc1337", on ? "1" : "0");
		fix_reach(&f, RILL_TIME_WAIT);
		fix_in(&f, "R", 3, 0, 0, 0);
		CHECK_EQ("in window: never", fix_state(&f), RILL_TIME_WAIT);
		fix_in(&f, "R", 2, 0, 0, 0);
		CHECK_EQ("exact", fix_state(&f), on ? RILL_TIME_WAIT : RILL_CLOSE);
		CHECK_EQ("reason", fix_counter(&f, "drop.TW_RST"), on + 1);
		fix_expect_none(&f, "silently");
		fix_done(&f);
	}
}

/*
 * [RFC9293:SHLD-4] [RFC9293:MAY-2] [RFC6191-02] [RFC6191-03] [RFC6191-04] [RFC6191-05]
 * [RFC6191-01]..[RFC6191-06]: old and new connection with or without timestamps
 */
TEST(time_wait_new_syn)
{
	enum { OLDER, EQUAL, NEWER, NO };
	static const struct { bool had_ts; int ts; int32_t seq; bool accept; } rows[] = {
		{ true, NEWER, 1, true }, { true, NEWER, 0, true }, { true, NEWER, -5, true },
		{ true, EQUAL, 1, true }, { true, EQUAL, -5, false }, { true, OLDER, 1, false },
		{ true, OLDER, -5, false }, { true, NO, 1, true }, { true, NO, 0, false },
		{ true, NO, -5, false },
		{ false, NEWER, 1, true }, { false, NEWER, -5, true }, { false, OLDER, 1, true },
		{ false, NO, 1, true }, { false, NO, 0, false }, { false, NO, -5, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t ts[] = { 8, 10, 0, 0, 0, 0, 0, 0, 0, 0 };
		struct in_opts x = { .bytes = ts, .n = rows[i].ts == NO ? 0 : sizeof(ts) };
		struct out_seg o;
		struct fix f;

		x.no_ts = rows[i].ts == NO;
		fix_init(&f, false);
		fix_establish(&f, false, rows[i].had_ts);
		CHECK_EQ("close", rill_tcp_close(f.st, f.fd), 0);
		fix_drain(&f);
		fix_in(&f, "F.", 1, 0, 2, 65535);
		fix_drain(&f);
		CHECK_EQ("TIME-WAIT", fix_state(&f), RILL_TIME_WAIT);
		put32(ts + 2, f.ts_val + (uint32_t)rows[i].ts - EQUAL);
		fix_in_opts(&f, "S", 2 + (uint32_t)rows[i].seq, 0, 0, 65535, &x);
		o = fix_out(&f);
		CHECK_EQ(rl_label("row %zu", i), o.there, rows[i].accept);
		CHECK_EQ(rl_label("row %zu", i), fix_state(&f),
			 rows[i].accept ? RILL_SYN_RECV : RILL_TIME_WAIT);
		if (o.there) {
			CHECK_EQ("SYN+ACK", o.flags, TH_SYN | TH_ACK);
			CHECK("ISS beyond the old numbers", (int32_t)(o.seq - 2) > 65535);
			CHECK_EQ("counted", fix_counter(&f, "tcp.tw_recycled"), 1);
		}
		fix_done(&f);
	}
}

/* Without a listener a SYN stays outside. */
TEST(time_wait_new_syn_nobody_listens)
{
	struct fix f;

	fix_init(&f, false);
	fix_reach(&f, RILL_TIME_WAIT);
	CHECK_EQ("close", rill_tcp_close(f.st, f.listener), 0);
	fix_in(&f, "S", 100, 0, 0, 65535);
	fix_expect_none(&f, "no answer");
	CHECK_EQ("still", fix_state(&f), RILL_TIME_WAIT);
	fix_done(&f);
}

/* tcp_max_tw_buckets */
TEST(time_wait_limit)
{
	struct fix f;

	fix_init(&f, false);
	fix_sysctl(&f, "net.ipv4.tcp_max_tw_buckets", "2");
	for (int i = 0; i < 4; i++) {
		f.rport++;
		f.got_iss = false;
		fix_establish(&f, false, false);
		CHECK_EQ("close", rill_tcp_close(f.st, f.fd), 0);
		fix_drain(&f);
		fix_in(&f, "F.", 1, 0, 2, 65535);
		fix_expect(&f, "the last ACK is sent all the same", ".", 2, 0, 2);
	}
	CHECK_EQ("two", fix_counter(&f, "pool.time_wait"), 2);
	CHECK_EQ("counted", fix_counter(&f, "tcp.tw_overflow"), 2);
	CHECK_EQ("freed", fix_counter(&f, "pool.conns"), 1);
	fix_done(&f);
}

/* [A12] A peer stuck in LAST-ACK, whose four-tuple we want again. */
TEST(peer_stuck_in_last_ack)
{
	struct rill_addr peer = { .ip = rl_ip4(0x0a000002), .port = FIX_PEER_PORT };
	struct rill_addr local = { .port = 5000 };
	struct out_seg o;
	struct fix f;

	fix_init(&f, false);
	CHECK_EQ("open", rill_tcp_open(f.st, 7, &f.fd), 0);
	CHECK_EQ("bind", rill_tcp_bind(f.st, f.fd, &local, 0), 0);
	CHECK_EQ("connect", rill_tcp_connect(f.st, f.fd, &peer, 0), -EINPROGRESS);
	o = fix_out(&f);
	f.lport = o.sport;
	/* it answers our SYN from the old connection */
	fix_in(&f, ".", 7777, 0, 1 - 5000u, 65535);
	o = fix_out(&f);
	CHECK("we reset it: <SEQ=SEG.ACK><RST>", o.flags == TH_RST && o.seq == 1 - 5000u);
	CHECK_EQ("and wait", fix_state(&f), RILL_SYN_SENT);
	fix_advance_ms(&f, 1001);
	fix_expect(&f, "SYN again", "S", 0, 0, 0);
	fix_in(&f, "S.", 0, 0, 1, 65535);
	CHECK_EQ("open", fix_state(&f), RILL_ESTABLISHED);
	fix_drain(&f);
	fix_done(&f);

	/* the other way: its last FIN comes when our TIME-WAIT is over */
	fix_init(&f, false);
	fix_reach(&f, RILL_TIME_WAIT);
	rill_tcp_close(f.st, f.fd);
	rill_tcp_close(f.st, f.listener);
	fix_advance_ms(&f, 60001);
	fix_in(&f, "F.", 1, 0, 2, 65535);
	fix_expect(&f, "RST frees it", "R", 2, 0, 0);
	fix_done(&f);
}

/* What arrived before the FIN can be read in TIME-WAIT and after it. */
TEST(unread_data_survives_time_wait)
{
	uint8_t buf[100];
	struct fix f;

	fix_init(&f, false);
	fix_reach(&f, RILL_FIN_WAIT2);
	fix_in(&f, "FP.", 1, 30, 2, 65535);
	CHECK_EQ("TIME-WAIT", fix_state(&f), RILL_TIME_WAIT);
	CHECK_EQ("some", fix_recv(&f, buf, 10), 10);
	fix_advance_ms(&f, 60001);
	CHECK_EQ("rest", fix_recv(&f, buf, 100), 20);
	CHECK_EQ("end", fix_recv(&f, buf, 100), 0);
	CHECK_EQ("no RST", rill_tcp_close(f.st, f.fd), 0);
	fix_drain(&f);
	CHECK_EQ("none", fix_counter(&f, "tcp.out_rsts"), 0);
	fix_done(&f);
}
