/* SPDX-License-Identifier: MIT */
/*
 * Passive opening: the two queues of a listener [A9], the handshake, closing a
 * listener.
 */
#include <errno.h>

#include "tcp_fix.h"
#include "base/types.h"
#include "stack/sockopt_nums.h"

/* ---- queues ---- */

/* [A9] The handshake completes without accept(), in order of completion. */
TEST(accept_queue)
{
	struct rill_addr from;
	rill_id id;
	struct fix f;

	fix_init(&f, false);
	fix_listen(&f);
	CHECK_EQ("none", rill_tcp_accept(f.st, f.listener, 7, &id, &from), -EAGAIN);
	CHECK("not readable", !(rill_tcp_poll(f.st, f.listener) & RILL_IN));
	for (uint16_t i = 0; i < 3; i++)
		CHECK("open", fix_knock(&f, 2000 + i, true));
	CHECK("readable", rill_tcp_poll(f.st, f.listener) & RILL_IN);
	for (uint16_t i = 0; i < 3; i++) {
		CHECK_EQ("accept", rill_tcp_accept(f.st, f.listener, 7, &id, &from), 0);
		CHECK_EQ("first come first served", from.port, 2000 + i);
	}
	CHECK_EQ("empty", rill_tcp_accept(f.st, f.listener, 7, &id, &from), -EAGAIN);
	CHECK_EQ("counted", fix_counter(&f, "tcp.passive_opens"), 3);
	CHECK_EQ("no listener", rill_tcp_accept(f.st, id, 7, &id, &from), -EINVAL);
	fix_done(&f);
}

/* [A9] somaxconn, backlog: one more than it is let in, as on Linux */
TEST(backlog)
{
	static const struct { int backlog; const char *somaxconn; int want; } rows[] = {
		{ 0, "4096", 1 }, { 3, "4096", 4 }, { 100, "2", 3 }, { -1, "5", 6 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int n = 0;
		struct fix f;

		fix_init(&f, false);
		fix_sysctl(&f, "net.core.somaxconn", rows[i].somaxconn);
		fix_listen(&f);
		CHECK_EQ("listen", rill_tcp_listen(f.st, f.listener, rows[i].backlog), 0);
		for (uint16_t p = 0; p < 20; p++)
			n += fix_knock(&f, 2000 + p, true);
		CHECK_EQ(rl_label("backlog %d, somaxconn %s", rows[i].backlog,
				  rows[i].somaxconn), n, rows[i].want);
		CHECK_EQ("counted", fix_counter(&f, "tcp.listen_overflows"), 20 - rows[i].want);
		CHECK_EQ("counted", fix_counter(&f, "tcp.listen_drops"), 20 - rows[i].want);
		fix_done(&f);
	}
}

/* [RFC4987-04] [A9] tcp_max_syn_backlog and the backlog bound half-open peers */
TEST(syn_queue)
{
	static const struct { int backlog; const char *max; int want; } rows[] = {
		{ 8, "3", 3 }, { 5, "2048", 5 }, { 0, "2048", 1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int n = 0;
		struct fix f;

		fix_init(&f, false);
		fix_sysctl(&f, "net.ipv4.tcp_max_syn_backlog", rows[i].max);
		fix_listen(&f);
		CHECK_EQ("listen", rill_tcp_listen(f.st, f.listener, rows[i].backlog), 0);
		for (uint16_t p = 0; p < 10; p++)
			n += fix_knock(&f, 2000 + p, false);
		CHECK_EQ(rl_label("row %zu", i), n, rows[i].want);
		CHECK_EQ("counted", fix_counter(&f, "tcp.req_q_full_drop"), 10 - rows[i].want);
		CHECK_EQ("pool", fix_counter(&f, "pool.half_open"), rows[i].want);
		/* a place that a RST frees is used again */
		f.rport = 2000;
		fix_in(&f, "R", 1, 0, 0, 0);
		CHECK_EQ("counted", fix_counter(&f, "tcp.embryonic_rsts"), 1);
		CHECK("again", fix_knock(&f, 3000, false));
		fix_done(&f);
	}
}

/* [A9] The last ACK finds the accept queue full: tcp_abort_on_overflow */
TEST(accept_queue_overflow)
{
	for (int abort = 0; abort < 2; abort++) {
		struct out_seg o;
		struct fix f;

		fix_init(&f, false);
		fix_sysctl(&f, "net.ipv4.tcp_abort_on_overflow", abort ? "1" : "0");
		fix_listen(&f);
		fix_knock(&f, 2000, true);
		fix_knock(&f, 2001, false);		/* half open while there is room */
		CHECK_EQ("listen", rill_tcp_listen(f.st, f.listener, 0), 0);
		fix_in(&f, ".", 1, 0, 1, 65535);
		o = fix_out(&f);
		CHECK_EQ("RST", o.flags, abort ? TH_RST : 0);
		CHECK_EQ("half open", fix_state(&f), abort ? RILL_CLOSE : RILL_SYN_RECV);
		CHECK_EQ("counted", fix_counter(&f, "tcp.listen_overflows"), 1);
		if (!abort) {
			CHECK("accept", fix_accept(&f));
			fix_advance_ms(&f, 1001);
			fix_expect(&f, "SYN+ACK again", "S.", 0, 0, 1);
			fix_in(&f, ".", 1, 0, 1, 65535);
			CHECK_EQ("now", fix_state(&f), RILL_ESTABLISHED);
		}
		fix_done(&f);
	}
}

/* [RFC4987-04] [A21] SYN+ACK again after 1, 2, 4 s ...; tcp_synack_retries */
TEST(synack_retransmission)
{
	static const struct { const char *retries; int n; } rows[] = {
		{ NULL, 5 }, { "0", 0 }, { "2", 2 }, { "9", 9 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t wait_ms = 1000;
		struct fix f;

		fix_init(&f, i & 1);
		if (rows[i].retries)
			fix_sysctl(&f, "net.ipv4.tcp_synack_retries", rows[i].retries);
		fix_listen(&f);
		fix_knock(&f, 2000, false);
		for (int k = 0; k < rows[i].n; k++) {
			fix_advance_ms(&f, wait_ms - 1);
			fix_expect_none(&f, "not before");
			fix_advance_ms(&f, 1);
			fix_expect(&f, rl_label("%d", k), "S.", 0, 0, 1);
			wait_ms = RL_MIN(2 * wait_ms, 120000);
		}
		fix_advance_ms(&f, wait_ms - 1);
		CHECK_EQ("still half open", fix_state(&f), RILL_SYN_RECV);
		fix_advance_ms(&f, 1);
		CHECK_EQ("given up", fix_state(&f), RILL_CLOSE);
		fix_expect_none(&f, "silently");
		CHECK_EQ("counted", fix_counter(&f, "tcp.syn_retrans"), rows[i].n);
		CHECK_EQ("counted", fix_counter(&f, "tcp.attempt_fails"), 1);
		fix_done(&f);
	}
}

/*
 * [RFC6298-09] A SYN+ACK that answers a repeated SYN is a repetition too: the next
 * one waits for it, [RFC6298-06] its ACK is no sample, and the limit still holds.
 */
TEST(synack_for_a_repeated_syn)
{
	struct rill_conn row;
	struct fix f;

	fix_init(&f, false);
	fix_listen(&f);
	fix_knock(&f, 2000, false);
	fix_advance_ms(&f, 900);
	fix_in(&f, "S", 0, 0, 0, 65535);
	fix_expect(&f, "for the SYN", "S.", 0, 0, 1);
	fix_advance_ms(&f, 1999);
	fix_expect_none(&f, "not before");
	fix_advance_ms(&f, 1);
	fix_expect(&f, "by time", "S.", 0, 0, 1);
	for (int k = 0; k < 4; k++) {
		fix_in(&f, "S", 0, 0, 0, 65535);
		fix_expect(&f, rl_label("%d", k), "S.", 0, 0, 1);
	}
	fix_advance_ms(&f, 31999);
	CHECK_EQ("still half open", fix_state(&f), RILL_SYN_RECV);
	fix_advance_ms(&f, 1);
	CHECK_EQ("given up", fix_state(&f), RILL_CLOSE);
	fix_done(&f);

	fix_init(&f, false);
	fix_listen(&f);
	fix_knock(&f, 2000, false);
	fix_advance_ms(&f, 900);
	fix_in(&f, "S", 0, 0, 0, 65535);
	fix_drain(&f);
	fix_advance_ms(&f, 50);
	fix_in(&f, ".", 1, 0, 1, 65535);
	CHECK("one row", fix_conn(&f, &row));
	CHECK_EQ("no sample", row.info.rtt, 0);
	fix_done(&f);
}

/* Many half-open peers of different age each keep their own time. */
TEST(synack_times_are_kept_apart)
{
	int seen[5] = { 0 };
	struct fix f;

	fix_init(&f, false);
	fix_listen(&f);
	for (uint16_t i = 0; i < 5; i++) {
		fix_knock(&f, 2000 + i, false);
		fix_advance_ms(&f, 300);
		for (struct out_seg o = fix_out(&f); o.there; o = fix_out(&f))
			seen[o.dport - 2000]++;
	}
	for (int t = 1500; t < 64300; t += 100) {
		fix_advance_ms(&f, 100);
		for (struct out_seg o = fix_out(&f); o.there; o = fix_out(&f))
			seen[o.dport - 2000]++;
	}
	for (int i = 0; i < 5; i++)
		CHECK_EQ("five each", seen[i], 5);
	CHECK_EQ("all gone", fix_counter(&f, "pool.half_open"), 0);
	fix_done(&f);
}

/* ---- the handshake's data and numbers ---- */

/* [RFC9293:lc-13] [A5] Data of the SYN is left to retransmission; the third segment's is taken. */
TEST(data_in_the_handshake)
{
	uint8_t buf[100];
	struct fix f;

	fix_init(&f, false);
	fix_listen(&f);
	fix_in(&f, "S", 0, 10, 0, 65535);
	fix_expect(&f, "not acknowledged", "S.", 0, 0, 1);
	fix_in(&f, "P.", 1, 10, 1, 65535);
	CHECK_EQ("accept", rill_tcp_accept(f.st, f.listener, 7, &f.fd, NULL), 0);
	CHECK_EQ("once", fix_recv(&f, buf, 100), 10);
	fix_expect(&f, "acknowledged", ".", 1, 0, 11);
	fix_done(&f);

	fix_init(&f, false);
	fix_reach(&f, RILL_SYN_SENT);
	fix_in(&f, "S.", 0, 20, 1, 65535);	/* in the SYN+ACK */
	fix_expect(&f, "both", ".", 1, 0, 21);
	CHECK_EQ("read", fix_recv(&f, buf, 100), 20);
	fix_done(&f);
}

/* [A6] An old duplicate SYN makes no connection; the peer resets what we answer. */
TEST(old_duplicate_syn)
{
	rill_id id;
	struct fix f;

	fix_init(&f, false);
	fix_listen(&f);
	fix_in(&f, "S", 90, 0, 0, 65535);
	fix_expect(&f, "answered in good faith", "S.", 0, 0, 91);
	fix_in(&f, "R", 91, 0, 0, 0);
	CHECK_EQ("back to LISTEN", fix_state(&f), RILL_CLOSE);
	fix_peer(&f, FIX_PEER_PORT);
	fix_in(&f, "S", 100, 0, 0, 65535);
	fix_expect(&f, "the new one", "S.", 0, 0, 101);
	fix_in(&f, ".", 101, 0, 1, 65535);
	CHECK_EQ("open", rill_tcp_accept(f.st, f.listener, 7, &id, NULL), 0);
	fix_done(&f);
}

static uint32_t iss_of(struct fix *f, uint16_t port)
{
	fix_knock(f, port, false);
	fix_in(f, "R", 1, 0, 0, 0);
	return f->iss;
}

/* [A7] [RFC9293:MUST-8] [RFC9293:MUST-9] [RFC9293:SHLD-1] clock plus keyed hash */
TEST(initial_sequence_numbers)
{
	uint32_t a, b, near = 0;
	struct fix f;

	fix_init(&f, false);
	fix_listen(&f);
	a = iss_of(&f, 2000);
	fix_advance_ms(&f, 10000);
	b = iss_of(&f, 2000);
	CHECK_EQ("250,000 a second", b - a, 2500000);
	for (uint16_t p = 2001; p < 2065; p++)
		near += iss_of(&f, p) - b < 1 << 24;
	CHECK("other ports: unrelated", near < 4);
	fix_done(&f);
}

/* ---- closing a listener ---- */

TEST(listener_closes)
{
	for (int how = 0; how < 2; how++) {
		struct out_seg o;
		int rsts = 0;
		struct fix f;

		fix_init(&f, false);
		fix_listen(&f);
		fix_knock(&f, 2000, true);
		fix_knock(&f, 2001, true);
		fix_knock(&f, 2002, false);
		CHECK_EQ("close", how ? rill_tcp_shutdown(f.st, f.listener, RILL_SHUT_RD)
				      : rill_tcp_close(f.st, f.listener), 0);
		while ((o = fix_out(&f)).there)
			rsts += !!(o.flags & TH_RST);
		CHECK_EQ("those that nobody accepted are reset", rsts, 2);
		CHECK_EQ("half-open ones forgotten", fix_counter(&f, "pool.half_open"), 0);
		CHECK_EQ("freed", fix_counter(&f, "pool.conns"), how);
		fix_knock(&f, 2003, false);
		CHECK("nobody listens", !f.got_iss);
		fix_done(&f);
	}
}

/* A peer that hangs up or resets before accept(). */
TEST(gone_before_accept)
{
	uint8_t buf[10];
	struct fix f;

	fix_init(&f, false);
	fix_listen(&f);
	fix_knock(&f, 2000, true);
	fix_in(&f, "P.", 1, 5, 1, 65535);
	fix_in(&f, "F.", 6, 0, 1, 65535);
	fix_knock(&f, 2001, true);
	fix_in(&f, "R", 1, 0, 0, 0);
	f.fd = fix_accept(&f);
	CHECK_EQ("data", fix_recv(&f, buf, 10), 5);
	CHECK_EQ("end", fix_recv(&f, buf, 10), 0);
	f.fd = fix_accept(&f);
	CHECK("accepted all the same, as on Linux", f.fd);
	CHECK_EQ("reset", fix_recv(&f, buf, 10), -ECONNRESET);
	fix_done(&f);
}

/* What waits in an accept queue has no owner yet: no call reaches it by its id. */
TEST(unaccepted_is_out_of_reach)
{
	struct rill_conn row;
	struct fix f;

	fix_init(&f, false);
	fix_listen(&f);
	fix_knock(&f, 2000, true);
	CHECK("listed", fix_conn(&f, &row));
	CHECK_EQ("abort", rill_tcp_abort(f.st, row.id), -EBADF);
	CHECK_EQ("close", rill_tcp_close(f.st, row.id), -EBADF);
	CHECK("accept", fix_accept(&f) == row.id);
	CHECK_EQ("close", rill_tcp_close(f.st, row.id), 0);
	fix_drain(&f);
	fix_done(&f);
}
