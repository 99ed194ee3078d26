/* SPDX-License-Identifier: MIT */
/*
 * What the application is told and when, and what poll() says at the same time:
 * exactly these bits, so that nobody is woken for nothing or left asleep.
 */
#include <errno.h>

#include "tcp_fix.h"
#include "base/types.h"
#include "stack/sockopt_nums.h"

static const char *bits(uint32_t b)
{
	static const struct { uint32_t bit; const char *name; } names[] = {
		{ RILL_IN, "IN" }, { RILL_PRI, "PRI" }, { RILL_OUT, "OUT" }, { RILL_ERR, "ERR" },
		{ RILL_HUP, "HUP" }, { RILL_RDHUP, "RDHUP" },
	};
	static char buf[4][80];
	static unsigned turn;
	char *p = buf[turn++ % 4];

	p[0] = 0;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (!(b & names[i].bit))
			continue;
		if (p[0])
			strcat(p, " ");
		strcat(p, names[i].name);
	}
	return p;
}

static const char *told(struct fix *f)
{
	fix_drain(f);
	return bits(fix_event(f));
}

static const char *polled(struct fix *f)
{
	return bits((uint32_t)rill_tcp_poll(f->st, f->fd));
}

static void start(struct fix *f, int state)
{
	fix_init(f, false);
	fix_reach(f, state);
	if (state == RILL_LISTEN || state == FIX_SYN_RECV_PASSIVE)
		f->fd = f->listener;
	fix_event(f);
}

TEST(opening)
{
	struct fix f;

	start(&f, RILL_CLOSE);
	CHECK_STR("new", polled(&f), "OUT HUP");
	fix_done(&f);
	start(&f, RILL_SYN_SENT);
	CHECK_STR("SYN-SENT", polled(&f), "");
	fix_in(&f, "S.", 0, 0, 1, 65535);
	CHECK_STR("established", told(&f), "OUT");
	CHECK_STR("established", polled(&f), "OUT");
	fix_done(&f);
	start(&f, RILL_SYN_RECV);
	CHECK_STR("SYN-RECEIVED", polled(&f), "");
	fix_in(&f, ".", 1, 0, 1, 65535);
	CHECK_STR("simultaneous", told(&f), "OUT");
	fix_done(&f);
	start(&f, RILL_SYN_SENT);
	fix_in(&f, "R.", 0, 0, 1, 0);
	CHECK_STR("refused", told(&f), "IN OUT ERR HUP RDHUP");
	CHECK_STR("refused", polled(&f), "IN OUT ERR HUP RDHUP");
	CHECK_EQ("error", fix_getopt(&f, RL_SOL_SOCKET, RL_SO_ERROR), ECONNREFUSED);
	CHECK_STR("told once", polled(&f), "IN OUT HUP RDHUP");
	fix_done(&f);
}

TEST(listening)
{
	struct fix f;

	start(&f, RILL_LISTEN);
	CHECK_STR("nobody", polled(&f), "");
	fix_knock(&f, 2000, false);
	CHECK_STR("half open", told(&f), "");
	fix_in(&f, ".", 1, 0, 1, 65535);
	CHECK_STR("one", told(&f), "IN");
	CHECK_STR("one", polled(&f), "IN");
	fix_in(&f, "P.", 1, 10, 1, 65535);
	f.fd = fix_accept(&f);
	CHECK_STR("its data is found by poll", told(&f), "");
	CHECK_STR("its data", polled(&f), "IN OUT");
	fix_in(&f, "P.", 11, 10, 1, 65535);
	CHECK_STR("and more", told(&f), "IN");
	fix_done(&f);
}

TEST(reading)
{
	uint8_t buf[200];
	struct fix f;

	start(&f, RILL_ESTABLISHED);
	fix_in(&f, "P.", 1, 100, 1, 65535);
	CHECK_STR("data", told(&f), "IN");
	CHECK_STR("data", polled(&f), "IN OUT");
	fix_in(&f, "P.", 201, 100, 1, 65535);
	CHECK_STR("out of order", told(&f), "");
	fix_in(&f, "P.", 1, 100, 1, 65535);
	CHECK_STR("twice", told(&f), "");
	CHECK_EQ("lowat", fix_setopt(&f, RL_SOL_SOCKET, RL_SO_RCVLOWAT, 200), 0);
	CHECK_STR("lowat: poll again", told(&f), "IN");
	CHECK_STR("not enough", polled(&f), "OUT");
	fix_in(&f, "P.", 101, 99, 1, 65535);
	CHECK_STR("199", polled(&f), "OUT");
	fix_in(&f, "P.", 200, 1, 1, 65535);
	CHECK_STR("all 300", polled(&f), "IN OUT");
	fix_recv(&f, buf, 100);
	CHECK_STR("200", polled(&f), "IN OUT");
	fix_recv(&f, buf, 1);
	CHECK_STR("199", polled(&f), "OUT");
	fix_done(&f);
}

TEST(urgent)
{
	struct in_opts x = { .urg = 10 };
	struct rill_iov iov;
	uint8_t buf[20];
	struct fix f;

	iov = (struct rill_iov){ buf, 1 };
	start(&f, RILL_ESTABLISHED);
	fix_in_opts(&f, "U.", 1, 5, 1, 65535, &x);
	CHECK_STR("announced", told(&f), "IN PRI");
	CHECK_STR("announced", polled(&f), "IN PRI OUT");
	CHECK_EQ("not here", rill_tcp_recv(f.st, f.fd, &iov, 1, RILL_MSG_OOB), -EAGAIN);
	fix_in_opts(&f, "U.", 6, 5, 1, 65535, &(struct in_opts){ .urg = 5 });
	CHECK_STR("no new mark", told(&f), "IN");
	CHECK_EQ("peek", rill_tcp_recv(f.st, f.fd, &iov, 1, RILL_MSG_OOB | RILL_MSG_PEEK), 1);
	CHECK_EQ("the tenth byte", buf[0], 10);
	CHECK_STR("still", polled(&f), "IN PRI OUT");
	CHECK_EQ("take", rill_tcp_recv(f.st, f.fd, &iov, 1, RILL_MSG_OOB), 1);
	CHECK_STR("taken", polled(&f), "IN OUT");
	CHECK_EQ("once", rill_tcp_recv(f.st, f.fd, &iov, 1, RILL_MSG_OOB), -EINVAL);
	fix_done(&f);
}

TEST(writing)
{
	struct fix f;

	start(&f, RILL_ESTABLISHED);
	CHECK_EQ("buffer", fix_setopt(&f, RL_SOL_SOCKET, RL_SO_SNDBUF, 6000), 0);
	CHECK_STR("set: poll again", told(&f), "OUT");
	CHECK_EQ("8000 of 12000", fix_send(&f, 8000), 8000);
	CHECK_STR("a third is free", polled(&f), "OUT");
	CHECK_EQ("one more", fix_send(&f, 1), 1);
	CHECK_STR("less is free", polled(&f), "");
	CHECK_STR("nothing happened", told(&f), "");
	fix_in(&f, ".", 1, 0, 2, 65535);
	CHECK_STR("a byte acknowledged", told(&f), "OUT");
	CHECK_STR("a third again", polled(&f), "OUT");
	CHECK_EQ("full", fix_send(&f, 8000), 4000);
	CHECK_STR("full", polled(&f), "");
	fix_done(&f);
	start(&f, RILL_ESTABLISHED);
	CHECK_EQ("unsent", fix_setopt(&f, RL_SOL_TCP, RL_TCP_NOTSENT_LOWAT, 1000), 0);
	CHECK_STR("set: poll again", told(&f), "OUT");
	fix_in(&f, ".", 1, 0, 1, 2000);
	fix_send(&f, 2999);
	fix_drain(&f);
	CHECK_STR("999 wait", polled(&f), "OUT");
	fix_send(&f, 1);
	CHECK_STR("1000 wait", polled(&f), "");
	fix_done(&f);
}

TEST(peer_closes)
{
	struct fix f;

	start(&f, RILL_ESTABLISHED);
	fix_in(&f, "F.", 1, 0, 1, 65535);
	CHECK_STR("FIN", told(&f), "IN RDHUP");
	CHECK_STR("FIN", polled(&f), "IN OUT RDHUP");
	rill_tcp_shutdown(f.st, f.fd, RILL_SHUT_WR);
	CHECK_STR("ours", told(&f), "OUT HUP");
	CHECK_STR("both", polled(&f), "IN OUT HUP RDHUP");
	fix_in(&f, ".", 2, 0, 2, 65535);
	CHECK_STR("CLOSED", told(&f), "IN OUT HUP RDHUP");
	fix_done(&f);
	start(&f, RILL_FIN_WAIT2);
	CHECK_STR("FIN-WAIT-2", polled(&f), "OUT");
	fix_in(&f, "F.", 1, 0, 2, 65535);
	CHECK_STR("TIME-WAIT", told(&f), "IN OUT HUP RDHUP");
	CHECK_STR("TIME-WAIT", polled(&f), "IN OUT HUP RDHUP");
	fix_done(&f);
	start(&f, RILL_FIN_WAIT1);
	fix_in(&f, "F.", 1, 0, 1, 65535);
	CHECK_STR("CLOSING", told(&f), "IN HUP RDHUP");
	fix_done(&f);
}

TEST(shutdowns)
{
	struct fix f;

	start(&f, RILL_ESTABLISHED);
	rill_tcp_shutdown(f.st, f.fd, RILL_SHUT_RD);
	CHECK_STR("read", told(&f), "IN RDHUP");
	CHECK_STR("read", polled(&f), "IN OUT RDHUP");
	rill_tcp_shutdown(f.st, f.fd, RILL_SHUT_RD);
	CHECK_STR("once", told(&f), "");
	rill_tcp_shutdown(f.st, f.fd, RILL_SHUT_WR);
	CHECK_STR("write", told(&f), "OUT HUP");
	rill_tcp_shutdown(f.st, f.fd, RILL_SHUT_WR);
	CHECK_STR("once", told(&f), "");
	fix_done(&f);
	start(&f, RILL_ESTABLISHED);
	rill_tcp_shutdown(f.st, f.fd, RILL_SHUT_WR);
	CHECK_STR("write", told(&f), "OUT");
	rill_tcp_shutdown(f.st, f.fd, RILL_SHUT_RD);
	CHECK_STR("read", told(&f), "IN HUP RDHUP");
	CHECK_STR("both", polled(&f), "IN OUT HUP RDHUP");
	fix_done(&f);
	start(&f, RILL_ESTABLISHED);
	rill_tcp_shutdown(f.st, f.fd, RILL_SHUT_RDWR);
	CHECK_STR("both", told(&f), "IN OUT HUP RDHUP");
	fix_done(&f);
}

TEST(resets)
{
	static const struct { int state, err; } t[] = {
		{ RILL_SYN_RECV, ECONNREFUSED }, { RILL_ESTABLISHED, ECONNRESET },
		{ RILL_FIN_WAIT1, ECONNRESET }, { RILL_FIN_WAIT2, ECONNRESET },
		{ RILL_CLOSE_WAIT, EPIPE }, { RILL_CLOSING, ECONNRESET },
		{ RILL_LAST_ACK, ECONNRESET },
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		const char *name = rill_state_name((uint8_t)t[i].state);
		struct fix f;

		start(&f, t[i].state);
		fix_in(&f, "R", f.rcv_nxt, 0, 0, 0);
		CHECK_STR(name, told(&f), "IN OUT ERR HUP RDHUP");
		CHECK_STR(name, polled(&f), "IN OUT ERR HUP RDHUP");
		CHECK_EQ(name, fix_getopt(&f, RL_SOL_SOCKET, RL_SO_ERROR), t[i].err);
		fix_done(&f);
	}
}
