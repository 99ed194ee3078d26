/* SPDX-License-Identifier: MIT */
/* Keepalive [A19] [RFC9293:3.8.4]. */
#include <errno.h>

#include "tcp_fix.h"
#include "base/types.h"
#include "stack/sockopt_nums.h"

static void on(struct fix *f, int idle, int intvl, int cnt)
{
	CHECK_EQ("on", fix_setopt(f, RL_SOL_SOCKET, RL_SO_KEEPALIVE, 1), 0);
	CHECK_EQ("idle", fix_setopt(f, RL_SOL_TCP, RL_TCP_KEEPIDLE, idle), 0);
	CHECK_EQ("intvl", fix_setopt(f, RL_SOL_TCP, RL_TCP_KEEPINTVL, intvl), 0);
	CHECK_EQ("cnt", fix_setopt(f, RL_SOL_TCP, RL_TCP_KEEPCNT, cnt), 0);
}

/* [RFC9293:MUST-25] */
TEST(off_by_default)
{
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	fix_advance_ms(&f, 10 * 3600 * 1000);
	fix_expect_none(&f, "silence");
	CHECK_EQ("open", fix_state(&f), RILL_ESTABLISHED);
	fix_done(&f);
}

/*
 * [RFC2525-09] [RFC2525-11]
 * [RFC9293:MUST-28] [RFC9293:SHLD-12] [RFC9293:MUST-29] 7200 s, 75 s, 9 probes
 */
TEST(defaults)
{
	uint8_t buf[4];
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	CHECK_EQ("on", fix_setopt(&f, RL_SOL_SOCKET, RL_SO_KEEPALIVE, 1), 0);
	fix_advance_ms(&f, 7200 * 1000 - 1);
	fix_expect_none(&f, "two hours");
	for (int i = 0; i < 9; i++) {
		fix_advance_ms(&f, i ? 75000 - 2 : 0);
		fix_expect_none(&f, "not before");
		fix_advance_ms(&f, 2);
		fix_expect(&f, rl_label("probe %d: SND.NXT-1, no data", i), ".", 0, 0, 1);
	}
	CHECK_EQ("counted", fix_counter(&f, "tcp.keepalives"), 9);
	CHECK_EQ("not dead yet", fix_state(&f), RILL_ESTABLISHED);
	fix_event(&f);
	fix_advance_ms(&f, 75001);
	CHECK_EQ("dead", fix_state(&f), RILL_CLOSE);
	CHECK("readable", fix_event(&f) & RILL_IN);
	CHECK_EQ("told", fix_recv(&f, buf, 4), -ETIMEDOUT);
	fix_drain(&f);
	fix_done(&f);
}

/* [RFC9293:MUST-27] the stack's numbers and the connection's */
TEST(settings)
{
	for (int own = 0; own < 2; own++) {
		struct fix f;

		fix_init(&f, false);
		fix_sysctl(&f, "net.ipv4.tcp_keepalive_time", own ? "1000" : "10");
		fix_sysctl(&f, "net.ipv4.tcp_keepalive_intvl", own ? "1000" : "3");
		fix_sysctl(&f, "net.ipv4.tcp_keepalive_probes", own ? "100" : "2");
		fix_establish(&f, false, false);
		if (own)
			on(&f, 10, 3, 2);
		else
			CHECK_EQ("on", fix_setopt(&f, RL_SOL_SOCKET, RL_SO_KEEPALIVE, 1), 0);
		fix_advance_ms(&f, 10 * 1000 - 1);
		fix_expect_none(&f, "idle time");
		fix_advance_ms(&f, 2);
		fix_expect(&f, "first", ".", 0, 0, 1);
		fix_advance_ms(&f, 3000);
		fix_expect(&f, "second", ".", 0, 0, 1);
		fix_advance_ms(&f, 3000);
		CHECK_EQ("given up", fix_state(&f), RILL_CLOSE);
		fix_drain(&f);
		fix_done(&f);
	}
}

/* [RFC9293:MUST-26] What the peer sends counts; the timer starts again. */
TEST(peer_is_alive)
{
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	on(&f, 10, 3, 2);
	for (int i = 0; i < 5; i++) {		/* data */
		fix_advance_ms(&f, 9000);
		fix_in(&f, "P.", 1 + (uint32_t)i, 1, 1, 65535);
		fix_drain(&f);
	}
	CHECK_EQ("no probe", fix_counter(&f, "tcp.keepalives"), 0);
	for (int i = 0; i < 5; i++) {		/* answers to probes */
		fix_advance_ms(&f, 10001);
		fix_expect(&f, "probe", ".", 0, 0, 6);
		fix_in(&f, ".", 6, 0, 1, 65535);
	}
	CHECK_EQ("one for each idle time", fix_counter(&f, "tcp.keepalives"), 5);
	fix_advance_ms(&f, 10001 + 3000);
	CHECK_EQ("two lost ones", fix_drain(&f), 2);
	fix_in(&f, ".", 6, 0, 1, 65535);
	fix_advance_ms(&f, 9000);
	CHECK_EQ("answered in time", fix_state(&f), RILL_ESTABLISHED);
	fix_done(&f);
}

/* [RFC9293:MUST-26] With data in flight the retransmission timer asks. */
TEST(not_while_data_is_outstanding)
{
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	on(&f, 1, 1, 2);
	fix_send(&f, 100);
	fix_drain(&f);
	for (int i = 0; i < 100; i++) {
		fix_advance_ms(&f, 100);
		fix_drain(&f);
	}
	CHECK_EQ("none", fix_counter(&f, "tcp.keepalives"), 0);
	CHECK_EQ("R2 decides, not the probes", fix_state(&f), RILL_ESTABLISHED);
	fix_done(&f);
}

/* [A19] The peer rebooted: it knows nothing of us. */
TEST(peer_rebooted)
{
	uint8_t buf[4];
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	on(&f, 10, 3, 2);
	fix_advance_ms(&f, 10001);
	fix_expect(&f, "probe", ".", 0, 0, 1);
	fix_in(&f, "R", 1, 0, 0, 0);
	CHECK_EQ("told", fix_recv(&f, buf, 4), -ECONNRESET);
	fix_done(&f);
}

/* [RFC9293:MAY-5] [RFC9293:MUST-24] on and off, in each state that may idle */
TEST(on_and_off)
{
	static const int states[] = { RILL_ESTABLISHED, RILL_CLOSE_WAIT, RILL_FIN_WAIT2 };

	for (size_t i = 0; i < ARRAY_LEN(states); i++) {
		struct fix f;

		fix_init(&f, false);
		fix_reach(&f, states[i]);
		on(&f, 10, 3, 2);
		fix_advance_ms(&f, 10001);
		fix_expect(&f, rill_state_name(states[i]), ".", f.snd_nxt - 1, 0, f.rcv_nxt);
		CHECK_EQ("off", fix_setopt(&f, RL_SOL_SOCKET, RL_SO_KEEPALIVE, 0), 0);
		fix_advance_ms(&f, 100000);
		fix_expect_none(&f, "off");
		CHECK_EQ("alive", fix_state(&f), states[i]);
		CHECK_EQ("on", fix_setopt(&f, RL_SOL_SOCKET, RL_SO_KEEPALIVE, 1), 0);
		fix_advance_ms(&f, 1);
		fix_expect(&f, "idle long enough already", ".", f.snd_nxt - 1, 0, f.rcv_nxt);
		fix_done(&f);
	}
}

/* Set before there is a connection: on a listener, and before connect(). */
TEST(inherited)
{
	struct fix f;

	fix_init(&f, false);
	fix_listen(&f);
	f.fd = f.listener;
	on(&f, 10, 3, 2);
	fix_establish(&f, false, false);
	CHECK_EQ("idle", fix_getopt(&f, RL_SOL_TCP, RL_TCP_KEEPIDLE), 10);
	CHECK_EQ("intvl", fix_getopt(&f, RL_SOL_TCP, RL_TCP_KEEPINTVL), 3);
	CHECK_EQ("cnt", fix_getopt(&f, RL_SOL_TCP, RL_TCP_KEEPCNT), 2);
	fix_advance_ms(&f, 10001);
	fix_expect(&f, "probe", ".", 0, 0, 1);
	fix_done(&f);

	struct rill_addr peer = { .ip = rl_ip4(0x0a000002), .port = FIX_PEER_PORT };

	fix_init(&f, false);
	CHECK_EQ("open", rill_tcp_open(f.st, 7, &f.fd), 0);
	on(&f, 10, 3, 2);
	CHECK_EQ("connect", rill_tcp_connect(f.st, f.fd, &peer, 0), -EINPROGRESS);
	f.lport = fix_out(&f).sport;
	fix_in(&f, "S.", 0, 0, 1, 65535);
	fix_expect(&f, "ACK", ".", 1, 0, 1);
	fix_advance_ms(&f, 10001);
	fix_expect(&f, "probe", ".", 0, 0, 1);
	fix_done(&f);
}

/* TCP_USER_TIMEOUT ends it instead of the number of probes, as on Linux. */
TEST(user_timeout)
{
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	on(&f, 10, 3, 100);
	CHECK_EQ("set", fix_setopt(&f, RL_SOL_TCP, RL_TCP_USER_TIMEOUT, 15000), 0);
	fix_advance_ms(&f, 14900);
	CHECK_EQ("not yet", fix_state(&f), RILL_ESTABLISHED);
	fix_advance_ms(&f, 3200);
	CHECK_EQ("given up", fix_state(&f), RILL_CLOSE);
	fix_drain(&f);
	fix_done(&f);
}

/* [RFC9293:MAY-6] Probes of the peer, empty or with a garbage byte, are answered. */
TEST(probes_are_answered)
{
	uint8_t buf[4];

	for (uint32_t len = 0; len < 2; len++) {
		struct fix f;

		fix_init(&f, false);
		fix_establish(&f, false, false);
		fix_in(&f, "P.", 1, 1, 1, 65535);
		fix_drain(&f);
		CHECK_EQ("read", fix_recv(&f, buf, 4), 1);
		fix_advance_ms(&f, 1000);
		fix_in(&f, ".", 1, len, 1, 65535);
		fix_expect(&f, "answered", ".", 1, 0, 2);
		CHECK_EQ("nothing delivered", fix_recv(&f, buf, 4), -EAGAIN);
		fix_done(&f);
	}
}
