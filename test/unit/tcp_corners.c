/* SPDX-License-Identifier: MIT */
/*
 * Decisions that only matter at one number: the byte before a limit, the second
 * time, the other one of two.
 */
#include <errno.h>

#include "tcp_fix.h"
#include "base/types.h"
#include "stack/sockopt_nums.h"
#include "tcp/conn.h"

static struct tcp_conn *conn_of(struct fix *f)
{
	return rl_tcp_find(f->st, f->fd);
}

static void established(struct fix *f, bool sack, bool ts)
{
	fix_init(f, false);
	fix_establish(f, sack, ts);
}

/* ---- timestamps ---- */

/* [RFC7323-19] The last one is believed for 24 days from when it came. */
TEST(paws_counts_from_the_last_timestamp)
{
	static const int64_t days_ms = 24 * 24 * 3600 * 1000ll;

	for (int active = 0; active < 2; active++) {
		struct in_opts old = { .ts_set = true, .ts_val = 5, .ts_ecr = 1 };
		struct fix f;

		fix_init(&f, false);
		if (active)
			fix_connect(&f, false, true);
		else
			fix_establish(&f, false, true);
		fix_advance_ms(&f, days_ms - 500000);
		fix_in_opts(&f, "P.", 1, 10, 1, 65535, &old);
		CHECK_EQ("500 s before", fix_counter(&f, "drop.PAWS"), 1);
		fix_advance_ms(&f, 499999);
		fix_in_opts(&f, "P.", 1, 10, 1, 65535, &old);
		CHECK_EQ("1 ms before", fix_counter(&f, "drop.PAWS"), 2);
		fix_advance_ms(&f, 1);
		fix_in_opts(&f, "P.", 1, 10, 1, 65535, &old);
		CHECK_EQ("24 days", fix_counter(&f, "drop.PAWS"), 2);
		CHECK_EQ("taken", conn_of(&f)->rcvq.len, 10);
		fix_done(&f);
	}
}

/* [RFC7323-18] [RFC7323-21] what is echoed, to a half-open peer, to nobody */
TEST(echoes)
{
	struct tcp_opts t = { .mss = 1000, .has_ts = true, .ts_val = 1000 };
	struct in_opts x = { 0 };
	struct out_seg o;
	uint8_t buf[40];
	struct fix f;

	fix_init(&f, false);
	x.n = rl_tcp_opts_write(&t, buf);
	x.bytes = buf;
	fix_in_opts(&f, ".", 1, 0, 1, 65535, &x);
	o = fix_out(&f);
	CHECK("RST", o.there && o.flags == TH_RST && o.o.has_ts);
	CHECK_EQ("echo", o.o.ts_ecr, 1000);
	CHECK_EQ("no clock of its own", o.o.ts_val, 0);
	fix_in(&f, ".", 1, 0, 1, 65535);
	CHECK("RST without", !fix_out(&f).o.has_ts);
	fix_listen(&f);
	f.got_iss = false;
	fix_in_opts(&f, "S", 0, 0, 0, 65535, &x);
	CHECK_EQ("SYN+ACK", fix_out(&f).o.ts_ecr, 1000);
	t = (struct tcp_opts){ .has_ts = true, .ts_val = 999, .ts_ecr = f.ts_ecr };
	x.n = rl_tcp_opts_write(&t, buf);
	fix_in_opts(&f, ".", 1, 0, 1, 65535, &x);
	o = fix_out(&f);
	CHECK("PAWS: challenge", o.there && o.flags == TH_ACK && o.seq == 1 && o.ack == 1);
	CHECK_EQ("with its timestamp", o.o.ts_ecr, 1000);
	CHECK_EQ("window of the SYN+ACK", o.win, 65535);
	CHECK_EQ("counted", fix_counter(&f, "tcp.paws_estab"), 1);
	CHECK_EQ("counted", fix_counter(&f, "drop.PAWS"), 1);
	fix_in(&f, ".", 1, 0, 1, 65535);	/* an ACK without one */
	f.fd = fix_accept(&f);
	fix_send(&f, 10);
	CHECK_EQ("still the SYN's", fix_out(&f).o.ts_ecr, 1000);
	t.ts_val = 1005;
	x.n = rl_tcp_opts_write(&t, buf);
	fix_in_opts(&f, ".", 1, 0, 11, 65535, &x);
	fix_send(&f, 10);
	CHECK_EQ("the last one", fix_out(&f).o.ts_ecr, 1005);
	fix_done(&f);
}

/* ---- urgent data ---- */

/* What follows the urgent byte is not urgent. */
TEST(behind_the_urgent_byte)
{
	struct out_seg o;
	struct fix f;

	established(&f, false, false);
	fix_setopt(&f, RL_SOL_TCP, RL_TCP_NODELAY, 1);
	fix_send(&f, 3);
	o = fix_out(&f);
	CHECK("none yet", o.there && !(o.flags & TH_URG) && o.urg == 0);
	fix_in(&f, ".", 1, 0, 4, 65535);
	fix_send_flags(&f, 5, RILL_MSG_OOB);
	o = fix_out(&f);
	CHECK("urgent", (o.flags & TH_URG) && o.urg == 5);
	fix_send(&f, 5);
	o = fix_out(&f);
	CHECK("not urgent", o.there && !(o.flags & TH_URG) && o.urg == 0);
	fix_in(&f, ".", 1, 0, 8, 65535);
	fix_advance_ms(&f, 250);
	o = fix_out(&f);
	CHECK("its last byte again", o.seq == 8 && (o.flags & TH_URG) && o.urg == 1);
	fix_in(&f, ".", 1, 0, 14, 65535);
	CHECK("the mark is forgotten", !conn_of(&f)->cold->snd_urg);
	fix_send(&f, 5);
	o = fix_out(&f);
	CHECK("over", o.there && !(o.flags & TH_URG) && o.urg == 0);
	fix_done(&f);
}

/* The urgent byte counts as read, for the window and for its tuning. */
TEST(urgent_byte_is_read)
{
	struct in_opts x = { .urg = 10 };
	uint8_t buf[100];
	struct fix f;

	established(&f, false, false);
	fix_in_opts(&f, "PU.", 1, 30, 1, 65535, &x);
	CHECK_EQ("before it", fix_recv(&f, buf, 100), 9);
	CHECK_EQ("most in a round trip", fix_info(&f).rcv_space, 9);
	CHECK_EQ("behind it", fix_recv(&f, buf, 100), 20);
	CHECK_EQ("not yet", fix_info(&f).rcv_space, 9);
	fix_advance_ms(&f, 1);
	fix_in(&f, "P.", 31, 1, 1, 65535);
	CHECK_EQ("one more", fix_recv(&f, buf, 100), 1);
	CHECK_EQ("20, the urgent one, one more", fix_info(&f).rcv_space, 22);
	fix_done(&f);
}

/* ---- receiving ---- */

/* [RFC9293:SHLD-18] Sixteen ACKs at once, then they are delayed; after a pause again. */
TEST(quick_acks)
{
	uint32_t at = 1;
	struct fix f;

	established(&f, false, false);
	for (int pause = 0; pause < 2; pause++) {
		for (int i = 0; i < 16; i++, at += 10) {
			fix_in(&f, "P.", at, 10, 1, 65535);
			CHECK_EQ(rl_label("%d", i), fix_drain(&f), 1);
		}
		fix_in(&f, "P.", at, 10, 1, 65535);
		CHECK_EQ("seventeenth", fix_drain(&f), 0);
		fix_advance_ms(&f, 40);
		CHECK_EQ("delayed", fix_drain(&f), 1);
		at += 10;
		fix_advance_ms(&f, 160);
		fix_in(&f, "P.", at, 10, 1, 65535);
		CHECK_EQ("no pause yet", fix_drain(&f), 0);
		at += 10;
		fix_advance_ms(&f, 40);
		fix_drain(&f);
		fix_advance_ms(&f, 161);	/* more than an RTO in all */
	}
	fix_done(&f);
}

/* [RFC2883-04] Text that is partly here already: just that part is reported. */
TEST(partial_duplicates)
{
	struct out_seg o;
	struct fix f;

	established(&f, true, false);
	fix_in(&f, ".", 1, 1000, 1, 65535);
	fix_drain(&f);
	fix_in(&f, ".", 501, 1000, 1, 65535);
	o = fix_out(&f);
	CHECK("below RCV.NXT", o.o.nsack == 1 && o.o.sack[0].lo.v - f.irs == 501 &&
			       o.o.sack[0].hi.v - f.irs == 1001);
	fix_in(&f, ".", 2001, 1000, 1, 65535);
	fix_drain(&f);
	fix_in(&f, ".", 1701, 500, 1, 65535);
	o = fix_out(&f);
	CHECK("joined in front", o.o.nsack == 2 && o.o.sack[0].lo.v - f.irs == 2001 &&
				 o.o.sack[0].hi.v - f.irs == 2201);
	CHECK("the range", o.o.sack[1].lo.v - f.irs == 1701 && o.o.sack[1].hi.v - f.irs == 3001);
	fix_in(&f, ".", 2801, 500, 1, 65535);
	o = fix_out(&f);
	CHECK("joined behind", o.o.nsack == 2 && o.o.sack[0].lo.v - f.irs == 2801 &&
			       o.o.sack[0].hi.v - f.irs == 3001);
	CHECK("the range", o.o.sack[1].lo.v - f.irs == 1701 && o.o.sack[1].hi.v - f.irs == 3301);
	fix_in(&f, ".", 1601, 2000, 1, 65535);
	o = fix_out(&f);
	CHECK("over all of it", o.o.nsack == 2 && o.o.sack[0].lo.v - f.irs == 1701 &&
				o.o.sack[0].hi.v - f.irs == 3301);
	CHECK("the range", o.o.sack[1].lo.v - f.irs == 1601 && o.o.sack[1].hi.v - f.irs == 3601);
	fix_done(&f);
}

/* ---- sending ---- */

/* A full window is full: not even a single byte more. */
TEST(not_a_byte_beyond_cwnd)
{
	struct fix f;

	established(&f, false, false);
	fix_setopt(&f, RL_SOL_TCP, RL_TCP_NODELAY, 1);
	fix_send(&f, 10001);
	CHECK_EQ("ten", fix_drain(&f), 10);
	fix_in(&f, ".", 1, 0, 1, 65534);
	CHECK_EQ("the byte waits", fix_drain(&f), 0);
	fix_in(&f, ".", 1, 0, 2, 65534);
	fix_expect(&f, "room for it", "P.", 10001, 1, 1);
	fix_done(&f);
}

/* The peer's window likewise. */
TEST(not_a_byte_beyond_the_window)
{
	struct fix f;

	established(&f, false, false);
	fix_setopt(&f, RL_SOL_TCP, RL_TCP_NODELAY, 1);
	fix_in(&f, ".", 1, 0, 1, 3000);
	fix_send(&f, 3001);
	CHECK_EQ("three", fix_drain(&f), 3);
	fix_in(&f, ".", 1, 0, 1, 3001);
	fix_expect(&f, "room for it", "P.", 3001, 1, 1);
	fix_done(&f);
}

/* Half a segment of room in cwnd is none while others are in flight [RFC9293:SHLD-28]. */
TEST(half_a_segment_of_room)
{
	struct fix f;

	established(&f, false, false);
	fix_setopt(&f, RL_SOL_TCP, RL_TCP_NODELAY, 1);
	fix_sysctl(&f, "net.ipv4.tcp_wmem", "4096 100000 4000000");
	fix_send(&f, 14000);
	CHECK_EQ("ten", fix_drain(&f), 10);
	fix_in(&f, ".", 1, 0, 301, 65535);
	CHECK_EQ("600 bytes of room", fix_drain(&f), 0);
	CHECK("held by cwnd", conn_of(&f)->hold == RL_HOLD_CWND);
	fix_in(&f, ".", 1, 0, 501, 65535);
	fix_expect(&f, "1000", ".", 10001, 1000, 1);
	fix_expect_none(&f, "one");
	fix_done(&f);
}

/* TCP_CONGESTION begins the controller anew: what counted towards a segment is gone. */
TEST(controller_set_anew)
{
	struct fix f;
	uint32_t cwnd;

	established(&f, false, false);
	fix_sysctl(&f, "net.ipv4.tcp_wmem", "4096 4000000 4000000");
	fix_send(&f, 100000);
	fix_drain(&f);
	fix_advance_ms(&f, 250);		/* ssthresh 5000 */
	fix_drain(&f);
	fix_in(&f, ".", 1, 0, 10001, 65535);
	for (uint32_t una = 11001; conn_of(&f)->cwnd < 5000; una += 1000) {
		fix_drain(&f);
		fix_in(&f, ".", 1, 0, una, 65535);
	}
	fix_drain(&f);
	fix_in(&f, ".", 1, 0, conn_of(&f)->snd_una.v - f.iss + 2000, 65535);
	fix_drain(&f);
	CHECK_EQ("set", rill_stack_setsockopt(f.st, f.fd, RL_SOL_TCP, RL_TCP_CONGESTION, "reno", 4),
		 0);
	cwnd = conn_of(&f)->cwnd;
	fix_in(&f, ".", 1, 0, conn_of(&f)->snd_una.v - f.iss + cwnd - 1, 65535);
	CHECK_EQ("a byte less than a window", conn_of(&f)->cwnd, cwnd);
	fix_drain(&f);
	fix_in(&f, ".", 1, 0, conn_of(&f)->snd_una.v - f.iss + 1, 65535);
	CHECK_EQ("a window", conn_of(&f)->cwnd, cwnd + 1000);
	fix_done(&f);
}

/* recover keeps up with SND.UNA, or half the numbers on it would lie ahead. */
TEST(recover_keeps_up)
{
	struct fix f;

	established(&f, false, false);
	for (uint32_t una = 1; una < 20000; una += 1000) {
		fix_send(&f, 1000);
		fix_drain(&f);
		fix_in(&f, ".", 1, 0, una + 1000, 65535);
		CHECK("here", seq_eq(conn_of(&f)->recover, conn_of(&f)->snd_una));
	}
	fix_done(&f);
}

/* A D-SACK within a forged block is one all the same: it marks nothing. */
TEST(duplicate_within_a_forged_block)
{
	struct fix f;

	established(&f, true, false);
	fix_send(&f, 5000);
	fix_drain(&f);
	fix_sack(&f, 1, 2, (uint32_t[]){ 1001, 2001, 1001, 99999 });
	CHECK_EQ("not sacked", fix_info(&f).sacked, 0);
	CHECK_EQ("D-SACK", fix_info(&f).dsack_dups, 1);
	fix_sack(&f, 1, 2, (uint32_t[]){ 1001, 2001, 1002, 3001 });
	CHECK_EQ("not within", fix_info(&f).dsack_dups, 1);
	CHECK_EQ("both", conn_of(&f)->rtxq.sacked, 2000);
	fix_sack(&f, 1001, 1, (uint32_t[]){ 501, 1001 });
	CHECK_EQ("below the ACK", fix_info(&f).dsack_dups, 2);
	fix_sack(&f, 1001, 1, (uint32_t[]){ 501, 1002 });
	CHECK_EQ("not below", fix_info(&f).dsack_dups, 2);
	fix_done(&f);
}

/* [RFC8985-08] A repetition that arrived may have been the first copy: it proves nothing. */
TEST(ambiguous_copy)
{
	struct fix f;

	established(&f, true, false);
	fix_send(&f, 10000);
	fix_drain(&f);
	fix_sack(&f, 1, 1, (uint32_t[]){ 1001, 4001 });
	fix_expect(&f, "first hole", ".", 1, 1000, 1);
	fix_advance_ms(&f, 10);
	fix_sack(&f, 1, 2, (uint32_t[]){ 5001, 9001, 1001, 4001 });
	fix_expect(&f, "second hole, later", ".", 4001, 1000, 1);
	fix_sack(&f, 1, 1, (uint32_t[]){ 1001, 9001 });
	fix_expect_none(&f, "the first is not lost again");
	fix_done(&f);
}

/* ---- long silence ---- */

/* The count of tries stops at 255: the wait stays the longest one. */
TEST(tries_beyond_a_byte)
{
	for (int in_flight = 0; in_flight < 2; in_flight++) {
		struct fix f;

		established(&f, false, false);
		fix_sysctl(&f, "net.ipv4.tcp_rto_max_ms", "1000");
		if (!in_flight)
			fix_in(&f, ".", 1, 0, 1, 0);
		fix_send(&f, 100);
		fix_drain(&f);
		if (in_flight)
			fix_in(&f, ".", 1, 0, 1, 0);
		for (int i = 0; i < 270; i++) {
			fix_advance_ms(&f, 1000);
			fix_drain(&f);
			fix_in(&f, ".", 1, 0, 1, 0);
		}
		CHECK_EQ("alive", fix_state(&f), RILL_ESTABLISHED);
		CHECK_EQ("backoff", fix_info(&f).backoff, 255);
		CHECK_EQ("wait", fix_info(&f).rto, 1000000);
		fix_done(&f);
	}
}

/* ---- tables ---- */

/* Half-open peers of another listener stay. */
TEST(two_listeners)
{
	struct rill_addr a = { .port = 81 };
	struct fix f;
	rill_id other;

	fix_init(&f, false);
	fix_listen(&f);
	CHECK_EQ("open", rill_tcp_open(f.st, 0, &other), 0);
	CHECK_EQ("bind", rill_tcp_bind(f.st, other, &a, 0), 0);
	CHECK_EQ("listen", rill_tcp_listen(f.st, other, 1), 0);
	fix_knock(&f, 2000, false);
	f.lport = 81;
	fix_knock(&f, 2001, false);
	CHECK_EQ("two", fix_counter(&f, "pool.half_open"), 2);
	CHECK_EQ("close", rill_tcp_close(f.st, f.listener), 0);
	CHECK_EQ("one", fix_counter(&f, "pool.half_open"), 1);
	fix_in(&f, ".", 1, 0, 1, 65535);
	CHECK_EQ("completes", fix_state(&f), RILL_ESTABLISHED);
	fix_done(&f);
}

TEST(far_syn)
{
	struct in_opts far = { .ttl = 49 };
	struct fix f;
	int ttl = 50;

	fix_init(&f, false);
	fix_listen(&f);
	CHECK_EQ("set", rill_stack_setsockopt(f.st, f.listener, RL_SOL_IP, RL_IP_MINTTL, &ttl,
					      sizeof(ttl)), 0);
	fix_in_opts(&f, "S", 0, 0, 0, 65535, &far);
	fix_expect_none(&f, "silently");
	CHECK_EQ("reason", fix_counter(&f, "drop.MIN_TTL"), 1);
	far.ttl = 50;
	fix_in_opts(&f, "S", 0, 0, 0, 65535, &far);
	fix_expect(&f, "near enough", "S.", 0, 0, 1);
	fix_done(&f);
}

/* [RFC9293:MUST-54] An ICMP error must quote what is in flight, also to a half-open peer. */
TEST(icmp_to_the_small_ones)
{
	struct fix f;

	fix_init(&f, false);
	fix_reach(&f, FIX_SYN_RECV_PASSIVE);
	fix_icmp(&f, 3, 1, 0, 0);
	CHECK_EQ("its SYN+ACK", fix_counter(&f, "drop.ICMP_NO_MATCH"), 0);
	fix_icmp(&f, 3, 1, 1, 0);
	CHECK_EQ("another number", fix_counter(&f, "drop.ICMP_NO_MATCH"), 1);
	CHECK_EQ("still there", fix_state(&f), RILL_SYN_RECV);
	fix_done(&f);
	fix_init(&f, false);
	fix_reach(&f, RILL_TIME_WAIT);
	fix_icmp(&f, 3, 1, 1, 0);
	CHECK_EQ("TIME-WAIT", fix_counter(&f, "drop.ICMP_NO_MATCH"), 1);
	fix_done(&f);
	established(&f, false, false);
	fix_send(&f, 1000);
	fix_drain(&f);
	fix_icmp(&f, 3, 4, 1, 600);
	CHECK_EQ("too big is no error", fix_getopt(&f, RL_SOL_SOCKET, RL_SO_ERROR), 0);
	fix_icmp(&f, 3, 1, 1000, 0);
	CHECK_EQ("last byte in flight", fix_getopt(&f, RL_SOL_SOCKET, RL_SO_ERROR), EHOSTUNREACH);
	CHECK_EQ("told once", fix_getopt(&f, RL_SOL_SOCKET, RL_SO_ERROR), 0);
	fix_icmp(&f, 3, 1, 1001, 0);
	CHECK_EQ("behind it", fix_getopt(&f, RL_SOL_SOCKET, RL_SO_ERROR), 0);
	fix_done(&f);
}

/* No room in TIME-WAIT: CLOSED at once, and its numbers are free. */
TEST(time_wait_overflow)
{
	struct fix f;

	fix_init(&f, false);
	fix_sysctl(&f, "net.ipv4.tcp_max_tw_buckets", "0");
	fix_reach(&f, RILL_FIN_WAIT2);
	fix_in(&f, "F.", 1, 0, 2, 65535);
	fix_expect(&f, "ACK", ".", 2, 0, 2);
	CHECK_EQ("state", fix_info(&f).state, RILL_CLOSE);
	fix_in(&f, "F.", 1, 0, 2, 65535);
	CHECK("forgotten", fix_out(&f).flags & TH_RST);
	fix_done(&f);
}

/* ---- calls ---- */

TEST(error_is_told_once)
{
	struct rill_iov iov = { &iov, 1 };
	struct fix f;

	established(&f, false, false);
	fix_in(&f, "R", 1, 0, 0, 0);
	CHECK_EQ("reset", fix_send(&f, 1), -ECONNRESET);
	CHECK_EQ("then", fix_send(&f, 1), -EPIPE);
	CHECK_EQ("no more", fix_getopt(&f, RL_SOL_SOCKET, RL_SO_ERROR), 0);
	CHECK_EQ("end", rill_tcp_recv(f.st, f.fd, &iov, 1, 0), 0);
	fix_done(&f);
	established(&f, false, false);
	fix_in(&f, "R", 1, 0, 0, 0);
	CHECK_EQ("reset", rill_tcp_recv(f.st, f.fd, &iov, 1, 0), -ECONNRESET);
	CHECK_EQ("then the end", rill_tcp_recv(f.st, f.fd, &iov, 1, 0), 0);
	CHECK_EQ("and", fix_send(&f, 1), -EPIPE);
	fix_done(&f);
}

/* listen() without bind(): some free port, of the family that was said before. */
TEST(listen_unbound)
{
	struct rill_addr nowhere = { .ip = rl_ip4(0xc0000201), .port = 80 }, a;
	struct rill_conn c;
	uint64_t cursor = 0;
	struct fix f;

	for (int v4 = 0; v4 < 2; v4++) {
		cursor = 0;
		fix_init(&f, true);
		fix_sysctl(&f, "net.ipv4.ip_local_port_range", "5000 5001");
		CHECK_EQ("open", rill_tcp_open(f.st, 0, &f.fd), 0);
		if (v4)
			CHECK("no way there", rill_tcp_connect(f.st, f.fd, &nowhere, RILL_BIND_V4) < 0);
		CHECK_EQ("listen", rill_tcp_listen(f.st, f.fd, 1), 0);
		CHECK_EQ("local", rill_tcp_local(f.st, f.fd, &a), 0);
		CHECK("ephemeral", a.port == 5000 || a.port == 5001);
		CHECK_EQ("any", rl_ip_is_any(&a.ip), true);
		CHECK_EQ("row", rill_stack_conns(f.st, &cursor, &c, 1), 1);
		CHECK_EQ("family", c.family, v4 ? 4 : 0);
		fix_done(&f);
	}
}

/* A connect that fails late has no address and no port either. */
TEST(connect_without_a_port_left)
{
	struct rill_addr peer = { .ip = rl_ip4(0x0a000002), .port = 80 }, a;
	struct fix f;

	fix_init(&f, false);
	fix_sysctl(&f, "net.ipv4.ip_local_port_range", "5000 5000");
	for (int i = 0; i < 2; i++) {
		CHECK_EQ("open", rill_tcp_open(f.st, 0, &f.fd), 0);
		CHECK_EQ("connect", rill_tcp_connect(f.st, f.fd, &peer, 0),
			 i ? -EADDRNOTAVAIL : -EINPROGRESS);
	}
	CHECK_EQ("local", rill_tcp_local(f.st, f.fd, &a), 0);
	CHECK("any", rl_ip_is_any(&a.ip) && !a.port);
	CHECK_EQ("as new", rill_tcp_poll(f.st, f.fd), RILL_OUT | RILL_HUP);
	fix_done(&f);
}

TEST(families_of_connect)
{
	struct rill_addr peer4 = { .ip = rl_ip4(0x0a000002), .port = 80 };
	struct rill_ip ip4 = rl_ip4(0x0a000001);
	struct fix f;

	fix_init(&f, true);
	CHECK_EQ("address", rill_if_addr_add(f.st, f.ifindex, &ip4, 24), 0);
	CHECK_EQ("open", rill_tcp_open(f.st, 0, &f.fd), 0);
	CHECK_EQ("only IPv6", fix_setopt(&f, RL_SOL_IPV6, RL_IPV6_V6ONLY, 1), 0);
	CHECK_EQ("connect", rill_tcp_connect(f.st, f.fd, &peer4, 0), -ENETUNREACH);
	CHECK_EQ("both", fix_setopt(&f, RL_SOL_IPV6, RL_IPV6_V6ONLY, 0), 0);
	CHECK_EQ("connect", rill_tcp_connect(f.st, f.fd, &peer4, 0), -EINPROGRESS);
	CHECK_EQ("no threshold yet", fix_info(&f).snd_ssthresh, 0x7fffffff);
	fix_done(&f);
}

TEST(bound_and_connected_does_not_listen)
{
	struct rill_addr peer = { .ip = rl_ip4(0x0a000002), .port = 80 }, a = { .port = 5000 };
	struct fix f;

	fix_init(&f, false);
	CHECK_EQ("open", rill_tcp_open(f.st, 0, &f.fd), 0);
	CHECK_EQ("bind", rill_tcp_bind(f.st, f.fd, &a, 0), 0);
	CHECK_EQ("connect", rill_tcp_connect(f.st, f.fd, &peer, 0), -EINPROGRESS);
	CHECK_EQ("listen", rill_tcp_listen(f.st, f.fd, 1), -EINVAL);
	CHECK_EQ("state", fix_info(&f).state, RILL_SYN_SENT);
	fix_done(&f);
}

/* IP_MTU follows the route as it is now. */
TEST(mtu_of_a_new_route)
{
	struct rill_if_params ifp = { .name = "t1", .mtu = 600, .flags = RILL_IF_NO_DAD };
	struct rill_ip ip = rl_ip4(0x0a000101), peer = rl_ip4(0x0a000002);
	struct fix f;
	int second;

	established(&f, false, false);
	CHECK_EQ("before", fix_getopt(&f, RL_SOL_IP, RL_IP_MTU), 1500);
	second = rill_if_add(f.st, &ifp);
	CHECK_EQ("address", rill_if_addr_add(f.st, second, &ip, 24), 0);
	CHECK_EQ("route", rill_route_add(f.st, &peer, 32, NULL, second), 0);
	CHECK_EQ("after", fix_getopt(&f, RL_SOL_IP, RL_IP_MTU), 600);
	fix_done(&f);
}

/* An aggregated packet counts as the segments it was made of. */
TEST(segments_of_aggregates)
{
	static uint8_t zeros[30000];
	struct rill_iov iov = { zeros, sizeof(zeros) };
	struct rill_addr a = { .ip = rl_ip4(0x7f000001), .port = 90 };
	struct rill_tcp_info i, o;
	struct fix f;
	rill_id srv;

	fix_init(&f, false);
	CHECK_EQ("open", rill_tcp_open(f.st, 0, &f.listener), 0);
	CHECK_EQ("bind", rill_tcp_bind(f.st, f.listener, &a, 0), 0);
	CHECK_EQ("listen", rill_tcp_listen(f.st, f.listener, 1), 0);
	CHECK_EQ("open", rill_tcp_open(f.st, 0, &f.fd), 0);
	fix_setopt(&f, RL_SOL_TCP, RL_TCP_MAXSEG, 1000);
	CHECK_EQ("connect", rill_tcp_connect(f.st, f.fd, &a, 0), -EINPROGRESS);
	fix_drain(&f);
	srv = fix_accept(&f);
	CHECK("sent", rill_tcp_send(f.st, f.fd, &iov, 1, 0) > 9500);
	fix_drain(&f);
	o = fix_info(&f);
	f.fd = srv;
	i = fix_info(&f);
	CHECK("some", o.data_segs_out > 9);
	CHECK_EQ("data_segs", i.data_segs_in, o.data_segs_out);
	CHECK_EQ("segs", i.segs_in, o.segs_out);
	CHECK("size", i.rcv_mss > 900 && i.rcv_mss <= 1000);
	fix_done(&f);
}

/* ---- and more of them ---- */

/* A delayed ACK that rode on data is over: the next one waits its whole time. */
TEST(delayed_ack_begins_anew)
{
	struct fix f;

	established(&f, false, false);
	fix_setopt(&f, RL_SOL_TCP, RL_TCP_QUICKACK, 0);
	fix_in(&f, "P.", 1, 10, 1, 65535);
	fix_advance_ms(&f, 20);
	fix_send(&f, 10);
	CHECK_EQ("rides on data", fix_drain(&f), 1);
	fix_in(&f, "P.", 11, 10, 11, 65535);
	fix_advance_ms(&f, 39);
	CHECK_EQ("39 ms", fix_drain(&f), 0);
	fix_advance_ms(&f, 1);
	CHECK_EQ("40 ms", fix_drain(&f), 1);
	fix_done(&f);
}

/* Which range was touched last comes first, also when a duplicate touched it [RFC2018-04]. */
TEST(order_of_sack_blocks)
{
	struct out_seg o;
	struct fix f;

	established(&f, true, false);
	fix_sysctl(&f, "net.ipv4.tcp_dsack", "0");
	fix_in(&f, ".", 1001, 1000, 1, 65535);
	fix_in(&f, ".", 3001, 1000, 1, 65535);
	fix_in(&f, ".", 5001, 1000, 1, 65535);
	fix_drain(&f);
	fix_in(&f, ".", 1201, 100, 1, 65535);
	o = fix_out(&f);
	CHECK("first again", o.o.nsack == 3 && o.o.sack[0].lo.v - f.irs == 1001 &&
			     o.o.sack[1].lo.v - f.irs == 5001 && o.o.sack[2].lo.v - f.irs == 3001);
	fix_sysctl(&f, "net.ipv4.tcp_dsack", "1");
	fix_in(&f, ".", 3201, 100, 1, 65535);
	o = fix_out(&f);
	CHECK("what was doubled", o.o.nsack == 4 && o.o.sack[0].lo.v - f.irs == 3201 &&
				  o.o.sack[0].hi.v - f.irs == 3301);
	CHECK("where", o.o.sack[1].lo.v - f.irs == 3001 && o.o.sack[1].hi.v - f.irs == 4001);
	CHECK("the others", o.o.sack[2].lo.v - f.irs == 1001 && o.o.sack[3].lo.v - f.irs == 5001);
	fix_done(&f);
}

/* A range that got no memory leaves nothing behind, wherever it would have been. */
TEST(ranges_without_memory)
{
	for (uint64_t n = 1; n < 20; n++) {
		struct fix f;

		established(&f, true, false);
		f.may_fail = true;
		fix_in(&f, ".", 1001, 1000, 1, 65535);
		fix_in(&f, ".", 5001, 1000, 1, 65535);
		f.alloc_fail_at = f.alloc_n + n;
		for (uint32_t at = 10001; at < 50000; at += 60)
			fix_in(&f, ".", at, 10, 1, 65535);
		fix_drain(&f);
		CHECK_EQ("alive", fix_state(&f), RILL_ESTABLISHED);
		fix_done(&f);
	}
}

/* Memory that runs out within a vector cuts it there: nothing behind it is taken. */
TEST(vector_without_memory)
{
	static uint8_t a[60000], b[100];

	memset(a, 'a', sizeof(a));
	memset(b, 'b', sizeof(b));
	for (uint64_t n = 1; n < 8; n++) {
		struct rill_iov iov[2] = { { a, sizeof(a) }, { b, sizeof(b) } };
		uint8_t last;
		struct fix f;
		int64_t got;

		established(&f, false, false);
		fix_setopt(&f, RL_SOL_SOCKET, RL_SO_SNDBUF, 200000);
		f.alloc_fail_at = f.alloc_n + n;
		got = rill_tcp_send(f.st, f.fd, iov, 2, 0);
		if (got > 0) {
			CHECK_EQ("queued", conn_of(&f)->sendq.len, got);
			rl_bytesq_peek(&conn_of(&f)->sendq, (uint32_t)got - 1, &last, 1);
			CHECK_EQ("last byte", last, got > 60000 ? 'b' : 'a');
		}
		CHECK("some or none", got > 0 || got == -ENOBUFS);
		fix_done(&f);
	}
}

/* [RFC7323-01] A scale that was offered and not answered counts for neither side. */
TEST(offered_scale_not_answered)
{
	struct rill_tcp_info i;
	struct fix f;

	fix_init(&f, false);
	fix_connect(&f, false, false);
	i = fix_info(&f);
	CHECK_EQ("scales", i.wscales, 0);
	CHECK_EQ("SYN and ACK", i.segs_out, 2);
	CHECK_EQ("SYN+ACK", i.segs_in, 1);
	fix_in(&f, "P.", 1, 10, 1, 65535);
	CHECK_EQ("whole window", fix_out(&f).win, 65525);
	fix_done(&f);
}

/* Small numbers in segments round up. */
TEST(a_fin_is_a_segment)
{
	struct rill_tcp_info i;
	struct fix f;

	established(&f, false, false);
	rill_tcp_shutdown(f.st, f.fd, RILL_SHUT_WR);
	fix_drain(&f);
	CHECK_EQ("unacked", fix_info(&f).unacked, 1);
	fix_advance_ms(&f, 250);
	fix_drain(&f);
	i = fix_info(&f);
	CHECK("lost and sent again", i.lost == 1 && i.retrans == 1);
	fix_done(&f);
	established(&f, true, false);
	fix_send(&f, 3000);
	fix_drain(&f);
	fix_sack(&f, 1, 1, (uint32_t[]){ 1001, 1002 });
	CHECK_EQ("a byte", fix_info(&f).sacked, 1);
	fix_sack(&f, 1, 1, (uint32_t[]){ 1001, 2002 });
	CHECK_EQ("a segment and a byte", fix_info(&f).sacked, 2);
	fix_done(&f);
}

/* Duplicate ACKs are counted up to the largest number and no further. */
TEST(many_duplicates)
{
	struct fix f;

	established(&f, false, false);
	fix_send(&f, 10000);
	fix_drain(&f);
	fix_advance_ms(&f, 250);
	fix_drain(&f);
	for (int i = 0; i < 65540; i++)
		fix_in(&f, ".", 1, 0, 1, 65535);
	CHECK_EQ("duplicates", conn_of(&f)->dupacks, UINT16_MAX);
	fix_done(&f);
}

/* [RFC6582-02] The next hole is sent at once though cwnd has no room for it. */
TEST(partial_ack_without_room)
{
	struct fix f;

	established(&f, false, false);
	fix_send(&f, 10000);
	fix_drain(&f);
	for (int i = 0; i < 3; i++)
		fix_in(&f, ".", 1, 0, 1, 65535);
	fix_expect(&f, "first", ".", 1, 1000, 1);
	fix_in(&f, ".", 1, 0, 1001, 65535);
	fix_expect(&f, "second", ".", 1001, 1000, 1);
	fix_expect_none(&f, "no more");
	fix_done(&f);
}

/* A minimum set later bounds what was measured before. */
TEST(minimum_set_later)
{
	struct fix f;

	established(&f, false, false);
	CHECK_EQ("200 ms", fix_info(&f).rto, 200000);
	fix_sysctl(&f, "net.ipv4.tcp_rto_min_us", "500000");
	CHECK_EQ("500 ms", fix_info(&f).rto, 500000);
	fix_done(&f);
}

/* A child of a listener that is bound to an interface is bound to it too. */
TEST(children_of_a_bound_listener)
{
	struct rill_addr a = { .port = FIX_PORT };
	struct fix f;

	for (int bound = 0; bound < 2; bound++) {
		fix_init(&f, false);
		CHECK_EQ("open", rill_tcp_open(f.st, 0, &f.fd), 0);
		if (bound)
			fix_setopt(&f, RL_SOL_SOCKET, RL_SO_BINDTOIFINDEX, f.ifindex);
		rill_tcp_bind(f.st, f.fd, &a, 0);
		rill_tcp_listen(f.st, f.fd, 1);
		f.listener = f.fd;
		fix_knock(&f, 2000, true);
		f.fd = fix_accept(&f);
		CHECK_EQ("bound", fix_getopt(&f, RL_SOL_SOCKET, RL_SO_BINDTOIFINDEX),
			 bound ? f.ifindex : 0);
		fix_done(&f);
	}
}

/* Don't Fragment as the listener has it, from the SYN+ACK on. */
TEST(fragmentable_children)
{
	struct fix f;

	fix_init(&f, false);
	fix_listen(&f);
	f.fd = f.listener;
	fix_setopt(&f, RL_SOL_IP, RL_IP_MTU_DISCOVER, RL_PMTUDISC_DONT);
	fix_in(&f, "S", 0, 0, 0, 65535);
	CHECK("SYN+ACK", !fix_out(&f).df);
	fix_in(&f, ".", 1, 0, 1, 65535);
	f.fd = fix_accept(&f);
	fix_send(&f, 10);
	CHECK("data", !fix_out(&f).df);
	fix_done(&f);
}

/* Bytes before the urgent mark count for SIOCINQ, as on Linux; at the mark none. */
TEST(queue_at_the_mark)
{
	struct in_opts x = { .urg = 10 };
	uint8_t buf[20];
	struct fix f;
	int v = -1;

	established(&f, false, false);
	fix_in_opts(&f, "U.", 1, 30, 1, 65535, &x);
	rill_ioctl_int(f.st, f.fd, RL_SIOCINQ, &v);
	CHECK_EQ("before it", v, 9);
	fix_recv(&f, buf, 8);
	rill_ioctl_int(f.st, f.fd, RL_SIOCINQ, &v);
	CHECK_EQ("just before it", v, 1);
	fix_recv(&f, buf, 1);
	rill_ioctl_int(f.st, f.fd, RL_SIOCINQ, &v);
	CHECK_EQ("at it", v, 0);
	fix_recv(&f, buf, 1);
	rill_ioctl_int(f.st, f.fd, RL_SIOCINQ, &v);
	CHECK_EQ("behind it", v, 19);
	fix_done(&f);
}

/* TIME-WAIT says its window in the units that were agreed on. */
TEST(scaled_window_of_time_wait)
{
	static const uint8_t opts[] = { 2, 4, 1000 >> 8, 1000 & 255, 3, 3, 7, 1 };
	struct out_seg o;
	struct fix f;

	fix_init(&f, false);
	fix_establish_opts(&f, opts, sizeof(opts));
	fix_in(&f, "P.", 1, 10, 1, 1000);
	fix_recv(&f, &o, 10);
	rill_tcp_close(f.st, f.fd);
	fix_drain(&f);
	fix_in(&f, "F.", 11, 0, 2, 1000);
	fix_drain(&f);
	CHECK_EQ("TIME-WAIT", fix_state(&f), RILL_TIME_WAIT);
	fix_in(&f, "F.", 11, 0, 2, 1000);
	o = fix_out(&f);
	CHECK("a little less than 64 KiB", o.win >= 62 && o.win <= 64);
	fix_done(&f);
}

/* An address chosen by an attempt before stays until another attempt chooses anew. */
TEST(refused_then_no_peer)
{
	struct rill_addr peer = { .ip = rl_ip4(0x0a000002), .port = FIX_PEER_PORT }, a;
	struct rill_addr mcast = { .ip = rl_ip4(0xe0000001), .port = 80 };
	struct rill_ip ip6 = { .b = { 0xfd, [15] = 1 } }, peer6 = { .b = { 0xfd, [15] = 2 } };
	struct fix f;

	fix_init(&f, false);
	CHECK_EQ("IPv6", rill_if_addr_add(f.st, f.ifindex, &ip6, 64), 0);
	fix_reach(&f, RILL_SYN_SENT);
	fix_in(&f, "R.", 0, 0, 1, 0);
	CHECK_EQ("refused", rill_tcp_connect(f.st, f.fd, &peer, 0), -ECONNREFUSED);
	CHECK_EQ("no peer", rill_tcp_connect(f.st, f.fd, &mcast, 0), -ENETUNREACH);
	CHECK_EQ("local", rill_tcp_local(f.st, f.fd, &a), 0);
	CHECK("as it was", rl_ip_eq(&a.ip, &(struct rill_ip){ .b = { [10] = 255, 255, 10, 0, 0, 1 } }));
	CHECK_EQ("open", rill_tcp_open(f.st, 0, &f.fd), 0);
	a.port = 5000;
	CHECK_EQ("bind", rill_tcp_bind(f.st, f.fd, &a, 0), 0);
	peer.ip = peer6;
	CHECK_EQ("the other family", rill_tcp_connect(f.st, f.fd, &peer, 0), -ENETUNREACH);
	peer.ip = rl_ip4(0x0a000002);
	CHECK_EQ("its own", rill_tcp_connect(f.st, f.fd, &peer, 0), -EINPROGRESS);
	fix_done(&f);
}

/* A vector with more room than there is to read. */
TEST(vector_beyond_the_queue)
{
	static uint8_t a[100], b[1000];
	struct rill_iov iov[2] = { { a, sizeof(a) }, { b, sizeof(b) } };
	struct fix f;

	established(&f, false, false);
	fix_in(&f, "P.", 1, 300, 1, 65535);
	CHECK_EQ("all there is", rill_tcp_recv(f.st, f.fd, iov, 2, 0), 300);
	CHECK_EQ("last byte", b[199], 300 & 255);
	CHECK_EQ("nothing behind it", b[200], 0);
	fix_done(&f);
}

/* A SYN that gets no memory is dropped for that reason, not silently. */
TEST(syn_without_memory)
{
	int failed = 0;

	for (uint64_t n = 1; n < 8; n++) {
		struct fix f;
		bool answered;

		fix_init(&f, false);
		fix_listen(&f);
		f.may_fail = true;
		f.alloc_fail_at = f.alloc_n + n;
		fix_in(&f, "S", 0, 0, 0, 65535);
		answered = fix_out(&f).there;
		failed += !answered;
		if (!answered && fix_counter(&f, "tcp.in_segs"))
			CHECK_EQ(rl_label("reason %d", (int)n), fix_counter(&f, "drop.NO_MEMORY"), 1);
		fix_done(&f);
	}
	CHECK("some failed", failed > 0);
}

/* The peer's keepalive is answered in TIME-WAIT and does not prolong it; a FIN does. */
TEST(keepalive_in_time_wait)
{
	for (int fin = 0; fin < 2; fin++) {
		struct fix f;

		fix_init(&f, false);
		fix_reach(&f, RILL_TIME_WAIT);
		fix_advance_ms(&f, 30000);
		fix_in(&f, fin ? "F." : ".", f.rcv_nxt - 1, 0, f.snd_nxt, 65535);
		CHECK_EQ("answered", fix_drain(&f), 1);
		fix_advance_ms(&f, 29999);
		CHECK_EQ("59.999 s", fix_state(&f), RILL_TIME_WAIT);
		fix_advance_ms(&f, 1);
		CHECK_EQ("60 s", fix_state(&f), fin ? RILL_TIME_WAIT : RILL_CLOSE);
		fix_done(&f);
	}
}

/* An interface chosen before stays when the peer's address names none. */
TEST(interface_of_connect)
{
	for (int how = 0; how < 3; how++) {
		struct rill_addr peer = { .ip = rl_ip4(0x0a000002), .port = 80 };
		struct fix f;

		fix_init(&f, false);
		CHECK_EQ("open", rill_tcp_open(f.st, 0, &f.fd), 0);
		if (how == 1)
			fix_setopt(&f, RL_SOL_SOCKET, RL_SO_BINDTOIFINDEX, f.ifindex);
		if (how == 2)
			peer.ifindex = (uint16_t)f.ifindex;
		CHECK_EQ("connect", rill_tcp_connect(f.st, f.fd, &peer, 0), -EINPROGRESS);
		CHECK_EQ(rl_label("bound %d", how),
			 fix_getopt(&f, RL_SOL_SOCKET, RL_SO_BINDTOIFINDEX), how ? f.ifindex : 0);
		fix_done(&f);
	}
}
