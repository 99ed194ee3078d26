/* SPDX-License-Identifier: MIT */
/*
 * The sequence test [RFC9293:3.4], and the drop reasons that the grid of tcp_arrives.c
 * does not reach: both together cause every reason of TCP by name.
 */
#include <errno.h>

#include "tcp_fix.h"
#include "base/types.h"
#include "stack/sockopt_nums.h"
#include "tcp/conn.h"

/* ---- sequence numbers ---- */

/* The four cases in 64 bits, where nothing wraps. */
static bool acceptable(int64_t seq, int64_t len, int64_t nxt, int64_t wnd)
{
	if (!len)
		return wnd ? seq >= nxt && seq < nxt + wnd : seq == nxt;
	return wnd && seq < nxt + wnd && seq + len > nxt;
}

/* [RFC9293:lc-9] [RFC9293:lc-6] both edges, lengths about them, numbers about the wraps */
TEST(acceptability)
{
	static const int64_t nxts[] = { 1000000, (1ll << 31) - 3, 1ll << 31, (1ll << 32) - 3,
					1ll << 32, (1ll << 32) + 2 };
	static const int64_t wnds[] = { 0, 1, 5, 65535, 1 << 30 };
	static const int64_t lens[] = { 0, 1, 2, 5, 6, 7, 65535, 70000 };
	int bad = 0, n = 0;

	for (size_t a = 0; a < ARRAY_LEN(nxts); a++)
		for (size_t b = 0; b < ARRAY_LEN(wnds); b++)
			for (size_t c = 0; c < ARRAY_LEN(lens); c++)
				for (int d = -8; d <= 8; d++)
					for (int edge = 0; edge < 4; edge++) {
						int64_t seq = nxts[a] + d +
							      (edge & 1 ? wnds[b] : 0) -
							      (edge & 2 ? lens[c] : 0);
						struct seg s = {
							.seq = seq_make((uint32_t)seq),
							.len = (uint32_t)lens[c],
						};

						n++;
						bad += rl_seq_acceptable(&s,
							seq_make((uint32_t)nxts[a]),
							(uint32_t)wnds[b]) !=
						       acceptable(seq, lens[c], nxts[a],
								  wnds[b]);
					}
	CHECK_EQ("cases that differ", bad, 0);
	CHECK("many", n > 10000);
}

/* [RFC9293:lc-10] What lies outside the window is cut off, on both sides. */
TEST(text_is_trimmed)
{
	uint8_t buf[70000];
	struct out_seg o;
	struct fix f;
	uint32_t wnd;

	fix_init(&f, false);
	fix_establish(&f, true, false);
	fix_in(&f, "P.", 1, 10, 1, 65535);
	o = fix_out(&f);
	fix_in(&f, "P.", 6, 10, 1, 65535);	/* five old ones, five new ones */
	o = fix_out(&f);
	CHECK_EQ("acknowledged", o.ack, 16);
	CHECK_EQ("read", fix_recv(&f, buf, 100), 15);
	for (int i = 0; i < 15; i++)
		CHECK_EQ("byte", buf[i], (uint8_t)(1 + i));
	fix_in(&f, "P.", 16, 1, 1, 65535);
	o = fix_out(&f);
	CHECK_EQ("read", fix_recv(&f, buf, 100), 1);
	wnd = o.win;			/* no scaling here */
	for (uint32_t at = 0; at < wnd - 10; at += 1000)
		fix_in(&f, ".", 17 + at, RL_MIN(1000u, wnd - 10 - at), 1, 65535);
	fix_drain(&f);
	fix_in(&f, "FP.", 17 + wnd - 10, 20, 1, 65535);
	while ((o = fix_out(&f)).there)
		CHECK_EQ("to the edge, not beyond, no FIN", o.ack, 17 + wnd);
	CHECK_EQ("still open", fix_state(&f), RILL_ESTABLISHED);
	CHECK_EQ("all", fix_recv(&f, buf, sizeof(buf)), wnd);
	for (uint32_t i = 0; i < wnd; i++)
		if (buf[i] != (uint8_t)(17 + i)) {
			CHECK_EQ(rl_label("byte %u", i), buf[i], (uint8_t)(17 + i));
			break;
		}
	fix_done(&f);
}

/* [RFC9293:SHLD-2] */
TEST(reset_with_text)
{
	uint8_t buf[10];
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	fix_in(&f, "R.", 1, 20, 1, 0);
	CHECK_EQ("reset", fix_state(&f), RILL_CLOSE);
	CHECK_EQ("told", fix_recv(&f, buf, sizeof(buf)), -ECONNRESET);
	fix_done(&f);
}

/*
 * [RFC5961-03]
 * [A18] The peer's host crashed and came back; its new SYN meets our old connection.
 */
TEST(half_open_peer_is_reset)
{
	uint8_t buf[10];
	struct out_seg o;
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	fix_in(&f, "S", 5000000, 0, 0, 65535);
	o = fix_out(&f);
	CHECK_EQ("challenge ACK", o.flags, TH_ACK);
	CHECK_EQ("where we are", o.ack, 1);
	fix_in(&f, "R", o.ack, 0, 0, 0);	/* it knows of no such connection */
	CHECK_EQ("gone", fix_state(&f), RILL_CLOSE);
	CHECK_EQ("told", fix_recv(&f, buf, sizeof(buf)), -ECONNRESET);
	CHECK_EQ("counted", fix_counter(&f, "tcp.syn_challenge"), 1);
	fix_done(&f);
}

/*
 * [RFC5961-06]
 * [RFC5961-05] One challenge ACK in tcp_invalid_ratelimit, and a limit for the stack.
 */
TEST(challenge_acks_are_limited)
{
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	for (int i = 0; i < 10; i++)
		fix_in(&f, "S", 1, 0, 0, 65535);
	CHECK_EQ("one answer", fix_drain(&f), 1);
	CHECK_EQ("counted", fix_counter(&f, "tcp.challenge_ack"), 1);
	CHECK_EQ("the others too", fix_counter(&f, "tcp.ack_skipped"), 9);
	fix_advance_ms(&f, 500);
	fix_in(&f, "R", 2, 0, 0, 65535);
	CHECK_EQ("later again", fix_drain(&f), 1);
	fix_sysctl(&f, "net.ipv4.tcp_invalid_ratelimit", "0");
	fix_sysctl(&f, "net.ipv4.tcp_challenge_ack_limit", "3");
	fix_advance_ms(&f, 1000);
	for (int i = 0; i < 10; i++)
		fix_in(&f, "R", 2, 0, 0, 65535);
	CHECK_EQ("three a second", fix_drain(&f), 3);
	fix_done(&f);
}

/* ---- reasons that the grid does not reach ---- */

static uint64_t dropped(struct fix *f, const char *reason)
{
	return fix_counter(f, rl_label("drop.%s", reason));
}

/* [RFC9293:MUST-7] [RFC9293:MUST-3] [A1] */
TEST(malformed_segments)
{
	static const uint8_t bad_opts[][4] = {
		{ 2, 0 }, { 2, 1 }, { 8, 10, 0, 0 }, { 99, 5, 0, 0 }, { 1, 1, 1, 2 },
	};
	struct in_opts x = { .data_off_set = true };
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	x.data_off = 4;
	fix_in_opts(&f, "R", 1, 0, 0, 0, &x);
	x.data_off = 6;				/* beyond the segment */
	fix_in_opts(&f, "R", 1, 0, 0, 0, &x);
	x.data_off = 5;
	x.cut = 1;
	fix_in_opts(&f, "R", 1, 0, 0, 0, &x);
	CHECK_EQ("short", dropped(&f, "TCP_SHORT"), 3);
	for (size_t i = 0; i < ARRAY_LEN(bad_opts); i++) {
		struct in_opts o = { .bytes = bad_opts[i], .n = 4 };

		fix_in_opts(&f, "R", 1, 0, 0, 0, &o);
	}
	CHECK_EQ("options", dropped(&f, "TCP_OPTIONS"), ARRAY_LEN(bad_opts));
	fix_in_opts(&f, "R", 1, 0, 0, 0, &(struct in_opts){ .bad_csum = true });
	CHECK_EQ("checksum", dropped(&f, "TCP_CSUM"), 1);
	CHECK_EQ("counted", fix_counter(&f, "tcp.in_csum_errors"), 1);
	CHECK_EQ("counted", fix_counter(&f, "tcp.in_errs"), 4 + ARRAY_LEN(bad_opts));
	CHECK_EQ("no effect", fix_state(&f), RILL_ESTABLISHED);
	fix_expect_none(&f, "no answer");
	fix_done(&f);
}

/* [RFC9293:MUST-57] [RFC9293:MUST-63] */
TEST(not_unicast)
{
	const struct { const char *name; struct rill_ip src, dst; bool v6; } rows[] = {
		{ "limited broadcast", rl_ip4(0x0a000002), rl_ip4(0xffffffff), false },
		{ "subnet broadcast", rl_ip4(0x0a000002), rl_ip4(0x0a0000ff), false },
		{ "all hosts", rl_ip4(0x0a000002), rl_ip4(0xe0000001), false },
		{ "from subnet broadcast", rl_ip4(0x0a0000ff), rl_ip4(0x0a000001), false },
		{ "from multicast", rl_ip4(0xe0000001), rl_ip4(0x0a000001), false },
		{ "from ourselves", rl_ip4(0x0a000001), rl_ip4(0x0a000001), false },
		{ "from 0.0.0.0", rl_ip4(0), rl_ip4(0x0a000001), false },
		{ "from 127.0.0.1", rl_ip4(0x7f000001), rl_ip4(0x0a000001), false },
		{ "all nodes", { .b = { 0xfd, [15] = 2 } },
		  { .b = { 0xff, 2, [15] = 1 } }, true },
		{ "from ff02::1", { .b = { 0xff, 2, [15] = 1 } },
		  { .b = { 0xfd, [15] = 1 } }, true },
		{ "from ::1", { .b = { [15] = 1 } }, { .b = { 0xfd, [15] = 1 } }, true },
	};
	uint64_t by_tcp = 0;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct in_opts x = { .src = &rows[i].src, .dst = &rows[i].dst };
		struct fix f;

		fix_init(&f, rows[i].v6);
		fix_listen(&f);
		fix_in_opts(&f, "S", 0, 0, 0, 65535, &x);
		CHECK_EQ(rows[i].name, fix_drain(&f), 0);
		CHECK_EQ(rows[i].name, fix_counter(&f, "pool.half_open"), 0);
		x.src = x.dst = NULL;
		by_tcp += dropped(&f, "TCP_NOT_UNICAST");
		fix_done(&f);
	}
	CHECK("some by TCP itself", by_tcp >= 3);
}

static void close_window(struct fix *f)
{
	struct out_seg o = { .win = 65535 };
	uint32_t at = 1;

	while (o.win) {
		fix_in(f, ".", at, RL_MIN(1000u, (uint32_t)o.win), 1, 65535);
		at += RL_MIN(1000u, (uint32_t)o.win);
		fix_advance_ms(f, 50);
		for (struct out_seg n = fix_out(f); n.there; n = fix_out(f))
			o = n;
	}
	f->rcv_nxt = at;
}

/* [RFC2525-12] [RFC9293:MUST-66] [RFC9293:lc-8] [RFC9293:MAY-8] with our window closed */
TEST(zero_window)
{
	static const struct {
		const char *name, *flags;
		int32_t off;
		uint32_t len;
		uint16_t urg;
		int state;
		const char *drop;
		char answer;
	} rows[] = {
		{ "probe of one byte", ".", 0, 1, 0, RILL_ESTABLISHED, "ZERO_WINDOW", 'A' },
		{ "more text", "P.", 0, 500, 0, RILL_ESTABLISHED, "ZERO_WINDOW", 'A' },
		{ "text beyond", "P.", 1, 1, 0, RILL_ESTABLISHED, "ZERO_WINDOW", 'A' },
		{ "empty probe", ".", -1, 0, 0, RILL_ESTABLISHED, "SEQ_OLD", 'A' },
		{ "RST exact", "R", 0, 0, 0, RILL_CLOSE, "RST", '-' },
		{ "RST one off", "R", 1, 0, 0, RILL_ESTABLISHED, "RST_OUTSIDE", '-' },
		{ "URG with a byte", "U.", 0, 1, 1, RILL_ESTABLISHED, "ZERO_WINDOW", 'A' },
		{ "FIN", "F.", 0, 0, 0, RILL_ESTABLISHED, "SEQ_BEYOND", 'A' },
		{ "ACK of unsent", ".", 0, 0, 0, RILL_ESTABLISHED, NULL, '-' },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct in_opts x = { .urg = rows[i].urg };
		struct out_seg o;
		struct fix f;

		fix_init(&f, false);
		fix_establish(&f, false, false);
		close_window(&f);
		CHECK_EQ("closed", fix_counter(&f, "tcp.to_zero_window"), 1);
		fix_event(&f);
		fix_in_opts(&f, rows[i].flags, f.rcv_nxt + (uint32_t)rows[i].off, rows[i].len,
			    1, 65535, &x);
		o = fix_out(&f);
		CHECK_EQ(rows[i].name, o.there, rows[i].answer == 'A');
		if (o.there) {
			CHECK_EQ(rows[i].name, o.ack, f.rcv_nxt);
			CHECK_EQ(rows[i].name, o.win, 0);
		}
		CHECK_EQ(rows[i].name, fix_state(&f), rows[i].state);
		if (rows[i].drop)
			CHECK_EQ(rows[i].drop, dropped(&f, rows[i].drop), 1);
		if (rows[i].urg)
			CHECK("signalled", fix_event(&f) & RILL_PRI);
		fix_done(&f);
	}
}

/* [RFC7323-19] [RFC7323-20] */
TEST(paws)
{
	struct in_opts old = { .ts_set = true };
	uint8_t buf[10];
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, true);
	old.ts_val = f.ts_val - 1;
	fix_in_opts(&f, "P.", 1, 10, 1, 65535, &old);
	fix_expect(&f, "ACK", ".", 1, 0, 1);
	CHECK_EQ("not delivered", fix_recv(&f, buf, 10), -EAGAIN);
	CHECK_EQ("dropped", dropped(&f, "PAWS"), 1);
	CHECK_EQ("counted", fix_counter(&f, "tcp.paws_estab"), 1);
	old.ts_val = f.ts_val;
	fix_in_opts(&f, "P.", 1, 10, 1, 65535, &old);
	CHECK_EQ("equal is not older", fix_recv(&f, buf, 10), 10);
	old.ts_val = f.ts_val - 100;
	fix_in_opts(&f, "R", 11, 0, 0, 0, &old);
	CHECK_EQ("a RST is exempt", fix_state(&f), RILL_CLOSE);
	fix_done(&f);
}

/* [RFC7323-22] After 24 days the last timestamp says nothing. */
TEST(paws_forgets)
{
	struct in_opts old = { .ts_set = true };
	uint8_t buf[10];
	struct fix f;

	for (int days = 23; days <= 25; days += 2) {
		fix_init(&f, false);
		fix_establish(&f, false, true);
		old.ts_val = f.ts_val - 5;
		fix_advance_ms(&f, days * 24ll * 3600 * 1000);
		fix_in_opts(&f, "P.", 1, 10, 1, 65535, &old);
		CHECK_EQ(rl_label("%d days", days), fix_recv(&f, buf, 10),
			 days < 24 ? -EAGAIN : 10);
		fix_done(&f);
	}
}

/* PAWS before the connection is there: half-open, and in SYN-SENT. */
TEST(paws_while_opening)
{
	static const uint8_t ts9[] = { 8, 10, 0, 0, 0, 9, 0, 0, 0, 0 };
	static const uint8_t ts8[] = { 8, 10, 0, 0, 0, 8, 0, 0, 0, 0 };
	uint8_t future[] = { 8, 10, 0, 0, 0, 9, 0, 0, 0, 0 };
	struct in_opts x = { .bytes = ts9, .n = sizeof(ts9) };
	struct fix f;

	fix_init(&f, false);
	fix_listen(&f);
	fix_in_opts(&f, "S", 0, 0, 0, 65535, &x);
	fix_expect(&f, "SYN+ACK", "S.", 0, 0, 1);
	x.bytes = ts8;
	fix_in_opts(&f, ".", 1, 0, 1, 65535, &x);
	CHECK_EQ("still half open", fix_state(&f), RILL_SYN_RECV);
	CHECK_EQ("PAWS", dropped(&f, "PAWS"), 1);
	fix_drain(&f);
	fix_done(&f);

	fix_init(&f, false);
	fix_reach(&f, RILL_SYN_SENT);
	put32(future + 6, f.ts_ecr + 1000);	/* echoes a time to come */
	x.bytes = future;
	fix_in_opts(&f, "S.", 0, 0, 1, 65535, &x);
	fix_expect(&f, "reset", "R", 1, 0, 0);
	CHECK_EQ("waits on", fix_state(&f), RILL_SYN_SENT);
	CHECK_EQ("counted", fix_counter(&f, "tcp.paws_active"), 1);
	fix_done(&f);
}

/* [RFC2525-16] [RFC9293:MAY-1] [RFC9293:SHLD-3] [A18] Data for an application that is gone. */
TEST(data_after_close)
{
	static const int states[] = { RILL_FIN_WAIT1, RILL_FIN_WAIT2 };

	for (size_t i = 0; i < ARRAY_LEN(states); i++) {
		struct fix f;

		fix_init(&f, false);
		fix_establish(&f, false, false);
		CHECK_EQ("close", rill_tcp_close(f.st, f.fd), 0);
		fix_expect(&f, "FIN", "F.", 1, 0, 1);
		if (states[i] == RILL_FIN_WAIT2)
			fix_in(&f, ".", 1, 0, 2, 65535);
		CHECK_EQ("state", fix_state(&f), states[i]);
		fix_in(&f, "P.", 1, 100, (uint32_t)i + 1, 65535);
		fix_expect(&f, "reset", "R", (uint32_t)i + 1, 0, 0);
		CHECK_EQ("gone", fix_state(&f), RILL_CLOSE);
		CHECK_EQ("AFTER_CLOSE", dropped(&f, "AFTER_CLOSE"), 1);
		CHECK_EQ("counted", fix_counter(&f, "tcp.abort_on_data"), 1);
		CHECK_EQ("freed", fix_counter(&f, "pool.conns"), 1);	/* the listener */
		fix_done(&f);
	}
}

/* A toy or an attack: more gaps than anybody needs. */
TEST(reassembly_queue_full)
{
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	for (uint32_t i = 0; i < 1100; i++) {
		fix_in(&f, ".", 3 + 2 * i, 1, 1, 65535);
		fix_drain(&f);
	}
	CHECK("RCVQ_FULL", dropped(&f, "RCVQ_FULL") > 0);
	CHECK_EQ("bounded", fix_counter(&f, "pool.ooo") + dropped(&f, "RCVQ_FULL"), 1100);
	CHECK_EQ("alive", fix_state(&f), RILL_ESTABLISHED);
	fix_done(&f);
}

/* [A9] */
TEST(queues_full)
{
	struct fix f;

	fix_init(&f, false);
	fix_sysctl(&f, "net.ipv4.tcp_max_syn_backlog", "2");
	fix_listen(&f);
	for (int i = 0; i < 3; i++) {
		f.rport++;
		fix_in(&f, "S", 0, 0, 0, 65535);
	}
	CHECK_EQ("two answered", fix_drain(&f), 2);
	CHECK_EQ("SYN_QUEUE_FULL", dropped(&f, "SYN_QUEUE_FULL"), 1);
	CHECK_EQ("backlog 0", rill_tcp_listen(f.st, f.listener, 0), 0);
	fix_in(&f, "R", 1, 0, 0, 0);
	f.rport--;
	f.got_iss = false;
	fix_done(&f);

	fix_init(&f, false);
	fix_listen(&f);
	CHECK_EQ("backlog 0", rill_tcp_listen(f.st, f.listener, 0), 0);
	for (int i = 0; i < 2; i++) {
		f.rport++;
		f.got_iss = false;
		fix_in(&f, "S", 0, 0, 0, 65535);
		fix_drain(&f);
		if (f.got_iss)
			fix_in(&f, ".", 1, 0, 1, 65535);
	}
	CHECK_EQ("ACCEPT_QUEUE_FULL", dropped(&f, "ACCEPT_QUEUE_FULL"), 1);
	fix_done(&f);
}

/* IP_MINTTL: what came from farther away is not for this connection. */
TEST(min_ttl)
{
	struct in_opts far = { .ttl = 254 };
	uint8_t buf[10];
	struct fix f;

	for (int v6 = 0; v6 < 2; v6++) {
		fix_init(&f, v6);
		fix_establish(&f, false, false);
		CHECK_EQ("set", v6 ? fix_setopt(&f, RL_SOL_IPV6, RL_IPV6_MINHOPCOUNT, 255)
				   : fix_setopt(&f, RL_SOL_IP, RL_IP_MINTTL, 255), 0);
		fix_in_opts(&f, "P.", 1, 5, 1, 65535, &far);
		CHECK_EQ("MIN_TTL", dropped(&f, "MIN_TTL"), 1);
		CHECK_EQ("nothing", fix_recv(&f, buf, 10), -EAGAIN);
		far.ttl = 255;
		fix_in_opts(&f, "P.", 1, 5, 1, 65535, &far);
		CHECK_EQ("near", fix_recv(&f, buf, 10), 5);
		far.ttl = 254;
		fix_done(&f);
	}
}
