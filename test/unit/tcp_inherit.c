/* SPDX-License-Identifier: MIT */
/*
 * What a connection takes from its listener and from the two SYNs, and what is
 * left of a call that failed: nothing.
 */
#include <errno.h>

#include "tcp_fix.h"
#include "base/types.h"
#include "stack/sockopt_nums.h"

/* ---- options of a listener ---- */

#define SOCK(n)	RL_SOL_SOCKET, RL_SO_##n, #n
#define TCP(n)	RL_SOL_TCP, RL_TCP_##n, #n
#define IP(n)	RL_SOL_IP, RL_IP_##n, #n
#define IP6(n)	RL_SOL_IPV6, RL_IPV6_##n, #n

/* two values, of which one at least is not the default */
static const struct {
	int level, opt;
	const char *name;
	int set[2], get[2];
} inherited[] = {
	{ SOCK(REUSEADDR), { 1, 0 }, { 1, 0 } }, { SOCK(REUSEPORT), { 1, 0 }, { 1, 0 } },
	{ SOCK(KEEPALIVE), { 1, 0 }, { 1, 0 } }, { SOCK(OOBINLINE), { 1, 0 }, { 1, 0 } },
	{ SOCK(RCVBUF), { 9000, 20000 }, { 18000, 40000 } },
	{ SOCK(SNDBUF), { 9000, 20000 }, { 18000, 40000 } },
	{ SOCK(RCVLOWAT), { 1, 5 }, { 1, 5 } },
	{ TCP(NODELAY), { 1, 0 }, { 1, 0 } }, { TCP(CORK), { 1, 0 }, { 1, 0 } },
	{ TCP(KEEPIDLE), { 7, 8 }, { 7, 8 } }, { TCP(KEEPINTVL), { 7, 8 }, { 7, 8 } },
	{ TCP(KEEPCNT), { 7, 8 }, { 7, 8 } }, { TCP(SYNCNT), { 5, 8 }, { 5, 8 } },
	{ TCP(LINGER2), { 7, 8 }, { 7, 8 } }, { TCP(USER_TIMEOUT), { 700, 8 }, { 700, 8 } },
	{ TCP(WINDOW_CLAMP), { 7000, 8000 }, { 7000, 8000 } },
	{ TCP(NOTSENT_LOWAT), { 700, 8 }, { 700, 8 } },
	{ TCP(MAXSEG), { 700, 900 }, { 700, 900 } },
	{ IP(TOS), { 0x10, 0xb8 }, { 0x10, 0xb8 } }, { IP(TTL), { 9, 80 }, { 9, 80 } },
	{ IP(MINTTL), { 9, 10 }, { 9, 10 } },
	{ IP(MTU_DISCOVER), { RL_PMTUDISC_DONT, RL_PMTUDISC_WANT },
			    { RL_PMTUDISC_DONT, RL_PMTUDISC_WANT } },
	{ IP(MTU_DISCOVER), { RL_PMTUDISC_DO, RL_PMTUDISC_DONT },
			    { RL_PMTUDISC_DO, RL_PMTUDISC_DONT } },
	{ IP6(V6ONLY), { 1, 0 }, { 1, 0 } },
};

TEST(options_of_a_listener)
{
	for (size_t i = 0; i < ARRAY_LEN(inherited); i++) {
		for (int k = 0; k < 2; k++) {
			const char *row = rl_label("%s %d", inherited[i].name, k);
			int level = inherited[i].level, opt = inherited[i].opt;
			struct rill_addr a = { .port = FIX_PORT };
			struct fix f;

			fix_init(&f, true);
			rill_tcp_open(f.st, 0, &f.listener);
			f.fd = f.listener;
			CHECK_EQ(row, fix_setopt(&f, level, opt, inherited[i].set[k]), 0);
			rill_tcp_bind(f.st, f.listener, &a, 0);
			rill_tcp_listen(f.st, f.listener, 8);
			CHECK("knock", fix_knock(&f, 2000, true));
			f.fd = fix_accept(&f);
			CHECK_EQ(row, fix_getopt(&f, level, opt), inherited[i].get[k]);
			fix_done(&f);
		}
	}
}

/* Don't Fragment, type of service and TTL stand on every kind of segment. */
TEST(header_fields_of_all_segments)
{
	for (int df = 0; df < 2; df++) {
		int v = df ? RL_PMTUDISC_DO : RL_PMTUDISC_DONT, tos = 0xb8, ttl = 9;
		struct out_seg o;
		struct fix f;

		fix_init(&f, false);
		if (!df)
			fix_sysctl(&f, "net.ipv4.ip_no_pmtu_disc", "1");
		fix_listen(&f);
		f.fd = f.listener;
		fix_setopt(&f, RL_SOL_IP, RL_IP_MTU_DISCOVER, v);
		fix_setopt(&f, RL_SOL_IP, RL_IP_TOS, tos);
		fix_setopt(&f, RL_SOL_IP, RL_IP_TTL, ttl);
		fix_in(&f, "S", 0, 0, 0, 65535);
		o = fix_out(&f);
		CHECK("SYN+ACK", o.df == df && o.tos == tos && o.ttl == ttl);
		fix_in(&f, ".", 1, 0, 1, 65535);
		f.fd = fix_accept(&f);
		fix_send(&f, 10);
		o = fix_out(&f);
		CHECK("data", o.df == df && o.tos == tos && o.ttl == ttl);
		rill_tcp_shutdown(f.st, f.fd, RILL_SHUT_WR);
		fix_drain(&f);
		fix_in(&f, "F.", 1, 0, 12, 65535);
		fix_drain(&f);
		CHECK_EQ("TIME-WAIT", fix_state(&f), RILL_TIME_WAIT);
		fix_in(&f, "F.", 1, 0, 12, 65535);
		o = fix_out(&f);
		CHECK("of TIME-WAIT", o.there && o.df == df && o.tos == 0 && o.ttl == 64);
		fix_done(&f);
	}
}

/* ---- what the SYNs agreed on ---- */

TEST(first_numbers_of_a_child)
{
	static const uint8_t opts[] = { 2, 4, 1000 >> 8, 1000 & 255, 3, 3, 7, 1 };
	struct in_opts x = { .bytes = opts, .n = sizeof(opts) };
	struct rill_tcp_info i;
	struct out_seg o;
	struct fix f;

	fix_init(&f, false);
	fix_listen(&f);
	fix_in_opts(&f, "S", 0, 0, 0, 500, &x);
	o = fix_out(&f);
	CHECK_EQ("window of a SYN+ACK", o.win, 65535);
	CHECK_EQ("our shift", o.o.wscale, 10);
	fix_advance_ms(&f, 1000);
	fix_expect(&f, "again", "S.", 0, 0, 1);
	fix_advance_ms(&f, 100);
	fix_in(&f, "P.", 1, 20, 1, 700);
	f.fd = fix_accept(&f);
	i = fix_info(&f);
	CHECK_EQ("window", i.snd_wnd, 700 << 7);
	CHECK_EQ("no sample of a repeated SYN+ACK", i.rtt, 0);
	CHECK_EQ("so three seconds", i.rto, 3000000);
	CHECK_EQ("one repetition: still ten segments", i.snd_cwnd, 10);
	CHECK_EQ("segs_out", i.segs_out, 2);
	CHECK_EQ("segs_in", i.segs_in, 2);
	CHECK_EQ("advmss", i.advmss, 1460);
	CHECK_EQ("rcv_mss", i.rcv_mss, 20);
	fix_expect(&f, "ACK at once", ".", 1, 0, 21);
	fix_done(&f);
}

/* ---- calls ---- */

TEST(calls_on_nobody)
{
	struct rill_addr a = { .port = 5 };
	struct rill_iov iov = { &a, sizeof(a) };
	size_t n = sizeof(a);
	struct fix f;
	rill_id id;
	int v = 1;

	fix_init(&f, false);
	CHECK_EQ("open", rill_tcp_open(f.st, 0, &id), 0);
	CHECK_EQ("close", rill_tcp_close(f.st, id), 0);
	CHECK_EQ("close", rill_tcp_close(f.st, id), -EBADF);
	CHECK_EQ("bind", rill_tcp_bind(f.st, id, &a, 0), -EBADF);
	CHECK_EQ("listen", rill_tcp_listen(f.st, id, 1), -EBADF);
	CHECK_EQ("accept", rill_tcp_accept(f.st, id, 0, &id, NULL), -EBADF);
	CHECK_EQ("connect", rill_tcp_connect(f.st, id, &a, 0), -EBADF);
	CHECK_EQ("send", rill_tcp_send(f.st, id, &iov, 1, 0), -EBADF);
	CHECK_EQ("recv", rill_tcp_recv(f.st, id, &iov, 1, 0), -EBADF);
	CHECK_EQ("shutdown", rill_tcp_shutdown(f.st, id, RILL_SHUT_WR), -EBADF);
	CHECK_EQ("abort", rill_tcp_abort(f.st, id), -EBADF);
	CHECK_EQ("kill", rill_tcp_kill(f.st, id), -EBADF);
	CHECK_EQ("local", rill_tcp_local(f.st, id, &a), -EBADF);
	CHECK_EQ("peer", rill_tcp_peer(f.st, id, &a), -EBADF);
	CHECK_EQ("poll", rill_tcp_poll(f.st, id), -EBADF);
	CHECK_EQ("ioctl", rill_ioctl_int(f.st, id, RL_SIOCINQ, &v), -EBADF);
	CHECK_EQ("set", rill_stack_setsockopt(f.st, id, RL_SOL_TCP, RL_TCP_NODELAY, &v,
					      sizeof(v)), -EBADF);
	CHECK_EQ("get", rill_stack_getsockopt(f.st, id, RL_SOL_TCP, RL_TCP_NODELAY, &v, &n),
		 -EBADF);
	fix_done(&f);
}

/* What the peer sees of it, and the application. */
TEST(kill)
{
	static const struct { int state; const char *rst; } t[] = {
		{ RILL_ESTABLISHED, "R." }, { RILL_FIN_WAIT2, "R." }, { RILL_CLOSE_WAIT, "R." },
		{ RILL_SYN_SENT, NULL }, { RILL_LAST_ACK, NULL }, { RILL_LISTEN, NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		const char *name = rill_state_name((uint8_t)t[i].state);
		struct fix f;

		fix_init(&f, false);
		fix_reach(&f, t[i].state);
		if (t[i].state == RILL_LISTEN)
			f.fd = f.listener;
		fix_event(&f);
		CHECK_EQ(name, rill_tcp_kill(f.st, f.fd), 0);
		if (t[i].rst)
			fix_expect(&f, name, t[i].rst, f.snd_nxt, 0, f.rcv_nxt);
		fix_expect_none(&f, name);
		CHECK_EQ("event", fix_event(&f), RILL_IN | RILL_OUT | RILL_ERR | RILL_HUP |
						 RILL_RDHUP);
		CHECK_EQ("error", fix_getopt(&f, RL_SOL_SOCKET, RL_SO_ERROR), ECONNABORTED);
		CHECK_EQ("still there to close", rill_tcp_close(f.st, f.fd), 0);
		fix_done(&f);
	}
}

TEST(failed_calls_leave_nothing)
{
	struct rill_addr taken = { .ip = rl_ip4(0x0a000001), .port = FIX_PORT }, a = { .port = 9 };
	struct rill_addr nowhere = { .ip = rl_ip4(0xc0000201), .port = 80 };
	struct rill_addr mcast = { .ip = rl_ip4(0xe0000001), .port = 80 };
	struct fix f;

	fix_init(&f, false);
	fix_listen(&f);
	CHECK_EQ("open", rill_tcp_open(f.st, 0, &f.fd), 0);
	CHECK_EQ("bind", rill_tcp_bind(f.st, f.fd, &taken, 0), -EADDRINUSE);
	CHECK_EQ("local", rill_tcp_local(f.st, f.fd, &a), 0);
	CHECK("any", rl_ip_is_any(&a.ip) && a.port == 0);
	CHECK_EQ("connect", rill_tcp_connect(f.st, f.fd, &nowhere, 0), -ENETUNREACH);
	CHECK_EQ("connect", rill_tcp_connect(f.st, f.fd, &mcast, 0), -ENETUNREACH);
	CHECK_EQ("local", rill_tcp_local(f.st, f.fd, &a), 0);
	CHECK("any", rl_ip_is_any(&a.ip));
	CHECK_EQ("peer", rill_tcp_peer(f.st, f.fd, &a), -ENOTCONN);
	CHECK_EQ("poll as new", rill_tcp_poll(f.st, f.fd), RILL_OUT | RILL_HUP);
	fix_done(&f);

	fix_init(&f, true);
	CHECK_EQ("open", rill_tcp_open(f.st, 0, &f.fd), 0);
	CHECK_EQ("v6only", fix_setopt(&f, RL_SOL_IPV6, RL_IPV6_V6ONLY, 1), 0);
	taken.ip = rl_ip4(0x0a000002);
	CHECK_EQ("IPv4 peer", rill_tcp_connect(f.st, f.fd, &taken, 0), -ENETUNREACH);
	fix_done(&f);
	fix_init(&f, false);
	taken.ip = rl_ip4(0x0a000001);
	taken.port = 100;
	CHECK_EQ("open", rill_tcp_open(f.st, 0, &f.fd), 0);
	CHECK_EQ("bind", rill_tcp_bind(f.st, f.fd, &taken, 0), 0);
	nowhere.ip = (struct rill_ip){ .b = { 0xfd, [15] = 2 } };
	CHECK_EQ("the other family", rill_tcp_connect(f.st, f.fd, &nowhere, 0), -ENETUNREACH);
	CHECK_EQ("local", rill_tcp_local(f.st, f.fd, &a), 0);
	CHECK("as bound", rl_ip_eq(&a.ip, &taken.ip) && a.port == 100);
	fix_done(&f);
}

/* A listener that is shut down is closed, quietly, and can listen again. */
TEST(shutdown_of_a_listener)
{
	struct rill_addr a = { .port = FIX_PORT };
	struct fix f;

	fix_init(&f, false);
	fix_listen(&f);
	f.fd = f.listener;
	CHECK_EQ("write side", rill_tcp_shutdown(f.st, f.fd, RILL_SHUT_WR), 0);
	CHECK_EQ("which it has not", rill_tcp_poll(f.st, f.fd), 0);
	CHECK_EQ("read side", rill_tcp_shutdown(f.st, f.fd, RILL_SHUT_RD), 0);
	CHECK_EQ("no error", fix_getopt(&f, RL_SOL_SOCKET, RL_SO_ERROR), 0);
	CHECK_EQ("told", fix_event(&f), RILL_IN | RILL_OUT | RILL_HUP | RILL_RDHUP);
	CHECK_EQ("no SYN+ACK", fix_knock(&f, 2000, false), false);
	CHECK_EQ("again", rill_tcp_listen(f.st, f.fd, 3), 0);
	CHECK_EQ("SYN+ACK", fix_knock(&f, 2001, false), true);
	CHECK_EQ("still its port", rill_tcp_local(f.st, f.fd, &a), 0);
	CHECK_EQ("port", a.port, FIX_PORT);
	CHECK_EQ("aborted", rill_tcp_abort(f.st, f.fd), 0);
	fix_done(&f);
}

/* The rest of a vector waits behind a buffer that does not fit. */
TEST(vectors)
{
	static uint8_t zeros[20000];
	struct rill_iov iov[3] = { { zeros, 100 }, { zeros, 20000 }, { zeros, 100 } };
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	fix_setopt(&f, RL_SOL_SOCKET, RL_SO_SNDBUF, 5000);
	CHECK_EQ("cut in the second", rill_tcp_send(f.st, f.fd, iov, 3, 0), 10000);
	CHECK_EQ("full", rill_tcp_send(f.st, f.fd, iov, 3, 0), -EAGAIN);
	iov[0].len = iov[1].len = iov[2].len = 0;
	CHECK_EQ("nothing asked", rill_tcp_send(f.st, f.fd, iov, 3, 0), 0);
	fix_in(&f, "P.", 1, 1000, 1, 65535);
	iov[0].len = iov[1].len = 100;
	iov[1].base = zeros + 1000;
	CHECK_EQ("two buffers", rill_tcp_recv(f.st, f.fd, iov, 2, 0), 200);
	CHECK_EQ("first", zeros[99], 100);
	CHECK_EQ("second", zeros[1000], 101);
	CHECK_EQ("peek", rill_tcp_recv(f.st, f.fd, iov, 1, RILL_MSG_PEEK), 100);
	CHECK_EQ("from the front", zeros[0], 201);
	zeros[0] = 9;
	CHECK_EQ("discard", rill_tcp_recv(f.st, f.fd, iov, 1, RILL_MSG_TRUNC), 100);
	CHECK_EQ("not written", zeros[0], 9);
	CHECK_EQ("read", rill_tcp_recv(f.st, f.fd, iov, 1, 0), 100);
	CHECK_EQ("after both", zeros[0], (301) & 255);
	fix_done(&f);
}
