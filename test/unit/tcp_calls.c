/* SPDX-License-Identifier: MIT */
/*
 * Calls at their edges: what an endpoint is at birth, what happens when memory has
 * run out, a second attempt after a first one, and which number a SYN has.
 */
#include <errno.h>

#include "tcp_fix.h"
#include "base/types.h"
#include "stack/sockopt_nums.h"
#include "tcp/conn.h"

#define SOCK(n)	RL_SOL_SOCKET, RL_SO_##n, #n
#define TCP(n)	RL_SOL_TCP, RL_TCP_##n, #n
#define IP(n)	RL_SOL_IP, RL_IP_##n, #n
#define IP6(n)	RL_SOL_IPV6, RL_IPV6_##n, #n

static struct tcp_conn *conn_of(struct fix *f)
{
	return rl_tcp_find(f->st, f->fd);
}

/* ---- options ---- */

/* Of an endpoint just opened, before and after it got a cold part. */
TEST(defaults)
{
	static const struct { int level, opt; const char *name; int want; } t[] = {
		{ SOCK(REUSEADDR), 0 }, { SOCK(REUSEPORT), 0 }, { SOCK(KEEPALIVE), 0 },
		{ SOCK(OOBINLINE), 0 }, { SOCK(RCVBUF), 131072 }, { SOCK(SNDBUF), 16384 },
		{ SOCK(BINDTOIFINDEX), 0 }, { SOCK(ERROR), 0 }, { SOCK(ACCEPTCONN), 0 },
		{ SOCK(BROADCAST), 0 }, { SOCK(SNDLOWAT), 1 }, { SOCK(RCVLOWAT), 1 },
		{ TCP(NODELAY), 0 }, { TCP(CORK), 0 }, { TCP(QUICKACK), 1 },
		{ TCP(KEEPIDLE), 7200 }, { TCP(KEEPINTVL), 75 }, { TCP(KEEPCNT), 9 },
		{ TCP(MAXSEG), 536 }, { TCP(SYNCNT), 7 }, { TCP(LINGER2), 60 },
		{ TCP(WINDOW_CLAMP), 0 }, { TCP(USER_TIMEOUT), 0 }, { TCP(NOTSENT_LOWAT), 0 },
		{ IP(TOS), 0 }, { IP(TTL), 64 }, { IP(MTU_DISCOVER), RL_PMTUDISC_WANT },
		{ IP(MTU), -ENOTCONN }, { IP(MINTTL), 0 }, { IP(OPTIONS), -ENOPROTOOPT },
		{ IP6(TCLASS), 0 }, { IP6(UNICAST_HOPS), 64 }, { IP6(MINHOPCOUNT), 0 },
		{ IP6(MTU_DISCOVER), RL_PMTUDISC_WANT }, { IP6(MTU), -ENOTCONN },
		{ IP6(V6ONLY), 0 }, { RL_SOL_TCP, 4711, "unknown", -ENOPROTOOPT },
		{ 4711, 1, "unknown level", -ENOPROTOOPT },
	};

	for (int cold = 0; cold < 2; cold++) {
		struct fix f;
		int l[2] = { 9, 9 };
		size_t n = sizeof(l);

		fix_init(&f, true);
		CHECK_EQ("open", rill_tcp_open(f.st, 0, &f.fd), 0);
		if (cold)
			fix_setopt(&f, RL_SOL_SOCKET, RL_SO_RCVLOWAT, 0);
		for (size_t i = 0; i < ARRAY_LEN(t); i++)
			CHECK_EQ(t[i].name, fix_getopt(&f, t[i].level, t[i].opt), t[i].want);
		CHECK_EQ("linger", rill_stack_getsockopt(f.st, f.fd, RL_SOL_SOCKET, RL_SO_LINGER,
							 l, &n), 0);
		CHECK("off", l[0] == 0 && l[1] == 0);
		fix_done(&f);
	}
}

TEST(ip_no_pmtu_disc)
{
	struct fix f;

	fix_init(&f, false);
	fix_sysctl(&f, "net.ipv4.ip_no_pmtu_disc", "1");
	CHECK_EQ("open", rill_tcp_open(f.st, 0, &f.fd), 0);
	CHECK_EQ("default", fix_getopt(&f, RL_SOL_IP, RL_IP_MTU_DISCOVER), RL_PMTUDISC_DONT);
	fix_done(&f);
}

/* The buffer grows with the window: two of them and room to write, up to tcp_wmem's third. */
TEST(send_buffer_grows)
{
	struct fix f;

	fix_init(&f, false);
	fix_sysctl(&f, "net.ipv4.tcp_wmem", "4096 90000 100000");
	fix_establish(&f, false, false);
	CHECK_EQ("not below the first", fix_getopt(&f, RL_SOL_SOCKET, RL_SO_SNDBUF), 90000);
	fix_done(&f);
	fix_init(&f, false);
	fix_sysctl(&f, "net.ipv4.tcp_wmem", "4096 16384 100000");
	fix_establish(&f, false, false);
	CHECK_EQ("two of ten segments", fix_getopt(&f, RL_SOL_SOCKET, RL_SO_SNDBUF), 65536 + 20000);
	fix_send(&f, 20000);
	fix_ack_all(&f, 1, 65535);
	CHECK_EQ("at the end", fix_getopt(&f, RL_SOL_SOCKET, RL_SO_SNDBUF), 100000);
	fix_done(&f);
}

/* ---- no memory ---- */

TEST(no_memory)
{
	int linger[2] = { 1, 5 }, v = 5;
	struct rill_addr a = { .port = 90 };
	uint8_t byte[5000] = { 0 };
	struct rill_iov iov = { byte, sizeof(byte) };
	struct fix f;
	rill_id id;

	fix_init(&f, false);
	f.alloc_dead = true;
	CHECK_EQ("open", rill_tcp_open(f.st, 0, &f.fd), -ENOMEM);
	f.alloc_dead = false;
	CHECK_EQ("open", rill_tcp_open(f.st, 0, &f.fd), 0);
	f.alloc_dead = true;
	CHECK_EQ("cold option", rill_stack_setsockopt(f.st, f.fd, RL_SOL_TCP, RL_TCP_KEEPIDLE, &v,
						      sizeof(v)), -ENOMEM);
	CHECK_EQ("linger", rill_stack_setsockopt(f.st, f.fd, RL_SOL_SOCKET, RL_SO_LINGER, linger,
						 sizeof(linger)), -ENOMEM);
	CHECK_EQ("bind", rill_tcp_bind(f.st, f.fd, &a, 0), 0);
	CHECK_EQ("listen", rill_tcp_listen(f.st, f.fd, 1), -ENOMEM);
	CHECK_EQ("still closed", rill_tcp_poll(f.st, f.fd), RILL_OUT | RILL_HUP);
	a.ip = rl_ip4(0x0a000002);
	CHECK_EQ("connect", rill_tcp_connect(f.st, f.fd, &a, 0), -ENOBUFS);
	f.alloc_dead = false;
	CHECK_EQ("listen", rill_tcp_listen(f.st, f.fd, 1), 0);
	fix_done(&f);

	fix_init(&f, false);
	fix_establish(&f, false, false);
	fix_setopt(&f, RL_SOL_SOCKET, RL_SO_SNDBUF, 4000000);
	f.alloc_dead = true;
	for (int i = 0; i < 200; i++)
		v = (int)rill_tcp_send(f.st, f.fd, &iov, 1, 0);
	CHECK_EQ("no room", v, -ENOBUFS);
	f.alloc_dead = false;
	CHECK_EQ("open", rill_tcp_open(f.st, 0, &id), 0);
	fix_done(&f);
}

/* ---- a SYN's numbers ---- */

/* [RFC9293:MUST-8] [RFC6528-01] of the four-tuple and the clock, not zero and not the same */
TEST(initial_numbers_of_connect)
{
	struct rill_addr peer = { .ip = rl_ip4(0x0a000002), .port = 80 };
	uint32_t iss[4], ts[2];
	struct out_seg o;
	struct fix f;

	fix_init(&f, false);
	for (int i = 0; i < 4; i++) {
		struct rill_addr a = { .port = (uint16_t)(5000 + (i & 1)) };

		if (i == 2)
			fix_advance_ms(&f, 4);
		CHECK_EQ("open", rill_tcp_open(f.st, 0, &f.fd), 0);
		CHECK_EQ("bind", rill_tcp_bind(f.st, f.fd, &a, 0), 0);
		CHECK_EQ("connect", rill_tcp_connect(f.st, f.fd, &peer, 0), -EINPROGRESS);
		f.got_iss = false;
		o = fix_out(&f);
		iss[i] = f.iss;
		ts[i / 2] = o.o.ts_val;
		CHECK("echoes nothing", o.o.has_ts && o.o.ts_ecr == 0);
		CHECK("all offered", o.o.sack_ok && o.o.has_wscale && o.o.wscale == 10);
		CHECK_EQ("mss", o.o.mss, 1460);
		CHECK_EQ("window", o.win, 65535);
		CHECK_EQ("close", rill_tcp_close(f.st, f.fd), 0);
	}
	CHECK("by port", iss[0] != iss[1] && iss[0] - iss[1] != 1 && iss[1] - iss[0] != 1);
	CHECK_EQ("4 us a number", iss[2] - iss[0], 1000);
	CHECK_EQ("4 us a number", iss[3] - iss[1], 1000);
	CHECK_EQ("timestamps in ms", ts[1] - ts[0], 4);
	CHECK("with an offset", ts[0] != (uint32_t)(1000 * RL_SEC / RL_MS));
	fix_sysctl(&f, "net.ipv4.tcp_timestamps", "2");
	fix_connect(&f, false, true);
	CHECK_EQ("without offset", f.ts_ecr, (uint32_t)(f.now_ns / RL_MS));
	fix_done(&f);
}

/* What the tunables take away is not offered, and not accepted from a peer that offers. */
TEST(nothing_offered)
{
	static const uint8_t all[] = { 2, 4, 1000 >> 8, 1000 & 255, 3, 3, 7, 4, 2,
				       8, 10, 0, 0, 0, 9, 0, 0, 0, 0 };
	struct in_opts x = { .bytes = all, .n = sizeof(all) };
	struct rill_addr peer = { .ip = rl_ip4(0x0a000002), .port = FIX_PEER_PORT };
	struct out_seg o;
	struct fix f;

	for (int simultaneous = 0; simultaneous < 2; simultaneous++) {
		fix_init(&f, false);
		fix_sysctl(&f, "net.ipv4.tcp_timestamps", "0");
		fix_sysctl(&f, "net.ipv4.tcp_sack", "0");
		fix_sysctl(&f, "net.ipv4.tcp_window_scaling", "0");
		CHECK_EQ("open", rill_tcp_open(f.st, 7, &f.fd), 0);
		CHECK_EQ("connect", rill_tcp_connect(f.st, f.fd, &peer, 0), -EINPROGRESS);
		o = fix_out(&f);
		CHECK("SYN", o.there && !o.o.has_ts && !o.o.sack_ok && !o.o.has_wscale);
		f.lport = o.sport;
		fix_in_opts(&f, simultaneous ? "S" : "S.", 0, 0, 1, 1000, &x);
		o = fix_out(&f);
		CHECK("answer", o.there && !o.o.has_ts && !o.o.sack_ok && !o.o.has_wscale);
		CHECK_EQ("options", fix_info(&f).options, 0);
		CHECK_EQ("scales", fix_info(&f).wscales, 0);
		CHECK_EQ("window", fix_info(&f).snd_wnd, 1000);
		fix_done(&f);
	}
}

/* [RFC9293:MUST-10] The SYN+ACK of a simultaneous open agrees to what both offered. */
TEST(options_of_a_simultaneous_open)
{
	static const uint8_t all[] = { 2, 4, 1000 >> 8, 1000 & 255, 3, 3, 7, 4, 2,
				       8, 10, 0, 0, 0, 9, 0, 0, 0, 0 };
	static const uint8_t none[] = { 2, 4, 1000 >> 8, 1000 & 255 };

	for (int with = 0; with < 2; with++) {
		struct in_opts x = { .bytes = with ? all : none, .n = with ? sizeof(all) : 4 };
		struct out_seg o;
		struct fix f;

		fix_init(&f, false);
		fix_reach(&f, RILL_SYN_SENT);
		fix_in_opts(&f, "S", 0, 0, 0, 1000, &x);
		o = fix_out(&f);
		CHECK("SYN+ACK", o.there && o.flags == (TH_SYN | TH_ACK) && o.seq == 0 &&
			 o.ack == 1);
		CHECK_EQ("timestamps", o.o.has_ts, with);
		CHECK_EQ("echo", o.o.ts_ecr, with ? 9u : 0u);
		CHECK_EQ("SACK", o.o.sack_ok, with);
		CHECK_EQ("scale", o.o.has_wscale, with);
		CHECK_EQ("window", o.win, 65535);
		fix_done(&f);
	}
}

/* A bad ACK of our SYN: RST, and neither its text nor its window counts. */
TEST(bad_ack_of_a_simultaneous_open)
{
	struct fix f;

	fix_init(&f, false);
	fix_reach(&f, RILL_SYN_RECV);
	fix_in(&f, "P.", 1, 10, 9, 777);
	fix_expect(&f, "RST", "R", 9, 0, 0);
	fix_in(&f, "P.", 1, 10, 0, 777);
	fix_expect(&f, "RST", "R", 0, 0, 0);
	CHECK_EQ("state", fix_state(&f), RILL_SYN_RECV);
	CHECK_EQ("no text", conn_of(&f)->rcvq.len, 0);
	CHECK("no window", conn_of(&f)->snd_wnd != 777);
	fix_in(&f, ".", 1, 0, 1, 777);
	CHECK_EQ("state", fix_state(&f), RILL_ESTABLISHED);
	CHECK_EQ("window", conn_of(&f)->snd_wnd, 777);
	fix_done(&f);
}

/* ---- another attempt ---- */

/* A port that was asked for is kept through a refusal, an ephemeral one is not. */
TEST(after_a_refusal)
{
	for (int bound = 0; bound < 2; bound++) {
		struct rill_addr peer = { .ip = rl_ip4(0x0a000002), .port = FIX_PEER_PORT };
		struct rill_addr a = { .port = 5000 };
		struct fix f;
		rill_id id;

		fix_init(&f, false);
		fix_sysctl(&f, "net.ipv4.ip_local_port_range", "5000 5000");
		CHECK_EQ("open", rill_tcp_open(f.st, 0, &f.fd), 0);
		if (bound)
			CHECK_EQ("bind", rill_tcp_bind(f.st, f.fd, &a, 0), 0);
		CHECK_EQ("connect", rill_tcp_connect(f.st, f.fd, &peer, 0), -EINPROGRESS);
		f.lport = 5000;
		fix_drain(&f);
		fix_in(&f, "R.", 0, 0, 1, 0);
		CHECK_EQ("open", rill_tcp_open(f.st, 0, &id), 0);
		CHECK_EQ("another", rill_tcp_bind(f.st, id, &a, 0), bound ? -EADDRINUSE : 0);
		CHECK_EQ("close", rill_tcp_close(f.st, id), 0);
		CHECK_EQ("first told", rill_tcp_connect(f.st, f.fd, &peer, 0), -ECONNREFUSED);
		CHECK_EQ("then again", rill_tcp_connect(f.st, f.fd, &peer, 0), -EINPROGRESS);
		CHECK_EQ("SYN", fix_out(&f).flags, TH_SYN);
		CHECK_EQ("listen", rill_tcp_listen(f.st, f.fd, 1), -EINVAL);
		fix_done(&f);
	}
}

/* The second attempt begins with the first timeout and forgets the first one's errors. */
TEST(second_attempt_begins_anew)
{
	struct rill_addr peer = { .ip = rl_ip4(0x0a000002), .port = FIX_PEER_PORT };
	struct fix f;

	fix_init(&f, false);
	fix_sysctl(&f, "net.ipv4.tcp_syn_retries", "2");
	fix_reach(&f, RILL_SYN_SENT);
	fix_icmp(&f, 3, 0, 0, 0);
	for (int i = 0; i < 100 && fix_state(&f) == RILL_SYN_SENT; i++) {
		fix_advance_ms(&f, 100);
		fix_drain(&f);
	}
	CHECK_EQ("given up", rill_tcp_connect(f.st, f.fd, &peer, 0), -ENETUNREACH);
	CHECK_EQ("again", rill_tcp_connect(f.st, f.fd, &peer, 0), -EINPROGRESS);
	f.got_iss = false;
	f.lport = fix_out(&f).sport;
	CHECK_EQ("no old news", fix_getopt(&f, RL_SOL_SOCKET, RL_SO_ERROR), 0);
	CHECK_EQ("no retries", fix_info(&f).retransmits, 0);
	CHECK_EQ("cwnd", fix_info(&f).snd_cwnd, 1);
	fix_advance_ms(&f, 999);
	fix_expect_none(&f, "999 ms");
	fix_advance_ms(&f, 1);
	fix_expect(&f, "1 s", "S", 0, 0, 0);
	fix_in(&f, "S.", 0, 0, 1, 65535);
	CHECK_EQ("three segments or more", fix_info(&f).snd_cwnd, 10);
	CHECK_EQ("busy since then", fix_info(&f).busy_time, 0);
	fix_done(&f);
}

TEST(to_oneself_by_any)
{
	struct rill_addr any6 = { .port = 99 }, a;
	struct fix f;

	fix_init(&f, true);
	CHECK_EQ("open", rill_tcp_open(f.st, 0, &f.fd), 0);
	CHECK_EQ("connect", rill_tcp_connect(f.st, f.fd, &any6, 0), -EINPROGRESS);
	fix_drain(&f);
	CHECK_EQ("refused by ourselves", fix_getopt(&f, RL_SOL_SOCKET, RL_SO_ERROR), ECONNREFUSED);
	CHECK_EQ("local", rill_tcp_local(f.st, f.fd, &a), 0);
	CHECK("::1", !rl_ip_is4(&a.ip) && a.ip.b[15] == 1 && a.ip.b[0] == 0);
	fix_done(&f);
}

/* An interface given with an address is one to be bound to. */
TEST(scopes)
{
	struct rill_addr a = { .port = 99 };
	struct fix f;

	fix_init(&f, true);
	a.ifindex = (uint16_t)f.ifindex;
	CHECK_EQ("open", rill_tcp_open(f.st, 0, &f.fd), 0);
	CHECK_EQ("bind", rill_tcp_bind(f.st, f.fd, &a, 0), 0);
	CHECK_EQ("bound", fix_getopt(&f, RL_SOL_SOCKET, RL_SO_BINDTOIFINDEX), f.ifindex);
	CHECK_EQ("unbound", fix_setopt(&f, RL_SOL_SOCKET, RL_SO_BINDTOIFINDEX, 0), 0);
	CHECK_EQ("unbound", fix_getopt(&f, RL_SOL_SOCKET, RL_SO_BINDTOIFINDEX), 0);
	CHECK_EQ("open", rill_tcp_open(f.st, 0, &f.fd), 0);
	CHECK_EQ("bind", rill_tcp_bind(f.st, f.fd, &(struct rill_addr){ .port = 98 }, 0), 0);
	CHECK_EQ("not bound", fix_getopt(&f, RL_SOL_SOCKET, RL_SO_BINDTOIFINDEX), 0);
	fix_done(&f);
}

/* Listener: kill forgets half-open peers and resets those who wait. */
TEST(kill_of_a_listener)
{
	struct fix f;

	fix_init(&f, false);
	fix_listen(&f);
	fix_knock(&f, 2000, false);
	fix_knock(&f, 2001, true);
	CHECK_EQ("kill", rill_tcp_kill(f.st, f.listener), 0);
	fix_expect(&f, "who waited", "R.", 1, 0, 1);
	fix_expect_none(&f, "nobody else");
	CHECK_EQ("half open", fix_counter(&f, "pool.half_open"), 0);
	CHECK_EQ("conns", fix_counter(&f, "pool.conns"), 1);
	fix_done(&f);
}
