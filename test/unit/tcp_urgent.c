/* SPDX-License-Identifier: MIT */
/* Urgent data [RFC9293:3.8.5] [RFC6093]. */
#include <errno.h>

#include "tcp_fix.h"
#include "base/types.h"
#include "stack/sockopt_nums.h"

static void in_urg(struct fix *f, uint32_t seq, uint32_t len, uint16_t urg)
{
	struct in_opts x = { .urg = urg };

	fix_in_opts(f, "PU.", seq, len, 1, 65535, &x);
	fix_drain(f);
}

static int64_t recv_oob(struct fix *f, uint8_t *b, unsigned flags)
{
	struct rill_iov iov = { b, 1 };

	return rill_tcp_recv(f->st, f->fd, &iov, 1, RILL_MSG_OOB | flags);
}

static int ioctl_of(struct fix *f, unsigned long req)
{
	int v = -1;

	CHECK_EQ("ioctl", rill_ioctl_int(f->st, f->fd, req, &v), 0);
	return v;
}

/*
 * [RFC6093-02] [RFC6093-04]
 * [RFC9293:MUST-30] [RFC9293:MUST-62] the field counts to the byte behind the last urgent one
 */
TEST(sending)
{
	struct out_seg o;
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	fix_send(&f, 100);
	fix_drain(&f);
	CHECK_EQ("write", fix_send_flags(&f, 5, RILL_MSG_OOB), 5);
	CHECK_EQ("nodelay", fix_setopt(&f, RL_SOL_TCP, RL_TCP_NODELAY, 1), 0);
	o = fix_out(&f);
	CHECK_EQ("URG", o.flags & TH_URG, TH_URG);
	CHECK_EQ("pointer", o.seq + o.urg, 106);
	fix_send(&f, 10);
	o = fix_out(&f);
	CHECK("no URG behind it", o.there && !(o.flags & TH_URG));
	fix_in(&f, ".", 1, 0, 116, 65535);
	fix_send(&f, 10);
	CHECK("nor later", !(fix_out(&f).flags & TH_URG));
	fix_done(&f);
}

/* Announced although the window is closed, and in each segment before it [RFC9293:MUST-31]. */
TEST(sending_over_many_segments)
{
	struct out_seg o;
	int n = 0;
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	fix_send_flags(&f, 9000, RILL_MSG_OOB);
	while ((o = fix_out(&f)).there) {
		CHECK("URG", o.flags & TH_URG);
		CHECK_EQ("pointer", o.seq + o.urg, 9001);
		n++;
	}
	CHECK_EQ("nine", n, 9);
	fix_done(&f);
}

/* [RFC9293:MUST-32] [RFC9293:MUST-33] The mark: told, read up to, asked for. */
TEST(receiving)
{
	uint8_t buf[100], b = 0;
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	fix_event(&f);
	CHECK_EQ("none yet", recv_oob(&f, &b, 0), -EINVAL);
	in_urg(&f, 1, 10, 10);			/* bytes 1..10, the last is urgent */
	CHECK("told", fix_event(&f) & RILL_PRI);
	CHECK("poll", rill_tcp_poll(f.st, f.fd) & RILL_PRI);
	CHECK_EQ("bytes before it", ioctl_of(&f, RL_SIOCINQ), 9);
	CHECK_EQ("not at the mark", ioctl_of(&f, RL_SIOCATMARK), 0);
	CHECK_EQ("peek", recv_oob(&f, &b, RILL_MSG_PEEK), 1);
	CHECK_EQ("out of band", recv_oob(&f, &b, 0), 1);
	CHECK_EQ("the byte", b, 10);
	CHECK_EQ("once", recv_oob(&f, &b, 0), -EINVAL);
	CHECK("no longer pending", !(rill_tcp_poll(f.st, f.fd) & RILL_PRI));
	in_urg(&f, 11, 5, 0);
	CHECK_EQ("a read stops at the mark", fix_recv(&f, buf, 100), 9);
	CHECK_EQ("at the mark", ioctl_of(&f, RL_SIOCATMARK), 1);
	CHECK_EQ("goes on behind it", fix_recv(&f, buf, 100), 5);
	CHECK_EQ("without the urgent byte", buf[0], 11);
	CHECK_EQ("past the mark", ioctl_of(&f, RL_SIOCATMARK), 0);
	fix_done(&f);
}

/* The mark lies where it lay when the FIN comes behind it. */
TEST(mark_and_fin)
{
	uint8_t buf[100];
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	in_urg(&f, 1, 10, 10);
	fix_in(&f, "F.", 11, 0, 1, 65535);
	CHECK_EQ("bytes before it", ioctl_of(&f, RL_SIOCINQ), 9);
	CHECK_EQ("read", fix_recv(&f, buf, 100), 9);
	CHECK_EQ("at the mark", ioctl_of(&f, RL_SIOCATMARK), 1);
	fix_done(&f);
}

/* Nobody asked for the byte: it is not in the stream either. */
TEST(receiving_unasked)
{
	uint8_t buf[100], b = 0;
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	in_urg(&f, 1, 10, 4);
	CHECK_EQ("to the mark", fix_recv(&f, buf, 100), 3);
	CHECK_EQ("behind it", fix_recv(&f, buf, 100), 6);
	CHECK_EQ("byte 5", buf[0], 5);
	CHECK_EQ("can still be had", recv_oob(&f, &b, 0), 1);
	CHECK_EQ("byte 4", b, 4);
	fix_done(&f);
}

/* [RFC6093-03] SO_OOBINLINE */
TEST(receiving_inline)
{
	uint8_t buf[100], b;
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	CHECK_EQ("set", fix_setopt(&f, RL_SOL_SOCKET, RL_SO_OOBINLINE, 1), 0);
	CHECK_EQ("get", fix_getopt(&f, RL_SOL_SOCKET, RL_SO_OOBINLINE), 1);
	in_urg(&f, 1, 10, 4);
	CHECK_EQ("no other way", recv_oob(&f, &b, 0), -EINVAL);
	CHECK_EQ("to the mark", fix_recv(&f, buf, 100), 3);
	CHECK_EQ("at the mark", ioctl_of(&f, RL_SIOCATMARK), 1);
	CHECK_EQ("it and the rest", fix_recv(&f, buf, 100), 7);
	CHECK_EQ("the byte", buf[0], 4);
	CHECK("no longer", !(rill_tcp_poll(f.st, f.fd) & RILL_PRI));
	fix_done(&f);
}

/* [RFC9293:MUST-32] Announced before the data is there. */
TEST(announced_early)
{
	uint8_t buf[100], b;
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	fix_event(&f);
	in_urg(&f, 1, 10, 1000);
	CHECK("told", fix_event(&f) & RILL_PRI);
	CHECK_EQ("not here yet", recv_oob(&f, &b, 0), -EAGAIN);
	CHECK_EQ("ordinary bytes", fix_recv(&f, buf, 100), 10);
	in_urg(&f, 11, 90, 1500);		/* the pointer moves on [RFC9293:lc-19] */
	CHECK("told again", fix_event(&f) & RILL_PRI);
	in_urg(&f, 101, 10, 5);			/* it can't move back */
	CHECK("not told", !(fix_event(&f) & RILL_PRI));
	fix_done(&f);
}

/* [RFC9293:MUST-31] 100 kB of urgent data, in line */
TEST(long_urgent_data)
{
	static uint8_t buf[2000];
	uint32_t at = 1, got = 0;
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	CHECK_EQ("set", fix_setopt(&f, RL_SOL_SOCKET, RL_SO_OOBINLINE, 1), 0);
	while (at < 100000) {
		int64_t n;

		in_urg(&f, at, 1000, (uint16_t)RL_MIN(100001 - at, 65535u));
		at += 1000;
		while ((n = fix_recv(&f, buf, sizeof(buf))) > 0) {
			for (int64_t i = 0; i < n; i++)
				if (buf[i] != (uint8_t)(1 + got + (uint32_t)i))
					CHECK_EQ("byte", buf[i], (uint8_t)(1 + got + (uint32_t)i));
			got += (uint32_t)n;
		}
	}
	CHECK_EQ("all", got, 100000);
	fix_done(&f);
}

/* [RFC9293:lc-19] Pointers that mean nothing do no harm. */
TEST(strange_pointers)
{
	static const uint16_t urgs[] = { 0, 1, 65535 };
	uint8_t buf[200];

	for (size_t i = 0; i < ARRAY_LEN(urgs); i++) {
		uint32_t got = 0;
		int64_t n;
		struct fix f;

		fix_init(&f, false);
		fix_establish(&f, false, false);
		in_urg(&f, 1, 50, 0);
		in_urg(&f, 1, 50, urgs[i]);	/* an old segment */
		in_urg(&f, 101, 50, urgs[i]);	/* an early one */
		in_urg(&f, 51, 50, 0);
		for (int k = 0; k < 10; k++)
			while ((n = fix_recv(&f, buf, 200)) > 0)
				got += (uint32_t)n;
		CHECK_EQ(rl_label("pointer %u", urgs[i]), got, urgs[i] == 1 ? 149 : 150);
		CHECK_EQ("alive", fix_state(&f), RILL_ESTABLISHED);
		fix_done(&f);
	}
}
