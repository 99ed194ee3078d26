/* SPDX-License-Identifier: MIT */
/* Opening connections: passive, active, simultaneous; what refuses them. */
#include <errno.h>

#include "tcp_fix.h"

/* [RFC9293:MAY-3] [A5] [A4] [RFC9293:MUST-14] [RFC9293:SHLD-5] [RFC9293:3.10.7.2] */
TEST(passive_open)
{
	struct fix f;

	for (int v6 = 0; v6 < 2; v6++) {
		struct out_seg o;
		uint8_t opts[] = { 2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 9, 0, 0, 0, 0, 1, 3, 3, 7 };
		struct in_opts x = { .bytes = opts, .n = sizeof(opts) };

		fix_init(&f, v6);
		fix_listen(&f);
		fix_in_opts(&f, "S", 0, 0, 0, 65535, &x);
		o = fix_out(&f);
		CHECK_EQ("flags", o.flags, TH_SYN | TH_ACK);
		CHECK_EQ("ack", o.ack, 1);
		CHECK_EQ("mss", o.o.mss, v6 ? 1440 : 1460);
		CHECK("sack", o.o.sack_ok);
		CHECK("ts", o.o.has_ts && o.o.ts_ecr == 9);
		CHECK("wscale", o.o.has_wscale);
		CHECK_EQ("half open", fix_state(&f), RILL_SYN_RECV);
		f.peer_ts = true;
		fix_in(&f, ".", 1, 0, 1, 65535);
		CHECK_EQ("open", fix_state(&f), RILL_ESTABLISHED);
		fix_expect_none(&f, "the handshake's last ACK is not answered");
		fix_done(&f);
	}
}

/* [RFC9293:3.10.7.3] */
TEST(active_open)
{
	struct fix f;

	for (int v6 = 0; v6 < 2; v6++) {
		fix_init(&f, v6);
		fix_connect(&f, true, true);
		CHECK_EQ("counted", fix_counter(&f, "tcp.active_opens"), 1);
		fix_done(&f);
	}
}

/* [A3] Data both ways, in order, acknowledged. */
TEST(data_both_ways)
{
	struct fix f;
	uint8_t buf[100];

	fix_init(&f, false);
	fix_establish(&f, true, true);
	fix_in(&f, "P.", 1, 100, 1, 65535);
	fix_expect(&f, "quick ACK", ".", 1, 0, 101);
	CHECK_EQ("read", fix_recv(&f, buf, sizeof(buf)), 100);
	for (int i = 0; i < 100; i++)
		CHECK_EQ("byte", buf[i], (uint8_t)(1 + i));
	CHECK_EQ("write", fix_send(&f, 50), 50);
	fix_expect(&f, "data", "P.", 1, 50, 101);
	fix_in(&f, ".", 101, 0, 51, 65535);
	fix_expect_none(&f, "nothing more");
	fix_done(&f);
}

/* [A11] Close from our side to the end of TIME-WAIT. */
TEST(active_close)
{
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, true, true);
	CHECK_EQ("close", rill_tcp_close(f.st, f.fd), 0);
	CHECK_EQ("state", fix_state(&f), RILL_FIN_WAIT1);
	fix_expect(&f, "FIN", "F.", 1, 0, 1);
	fix_in(&f, ".", 1, 0, 2, 65535);
	CHECK_EQ("state", fix_state(&f), RILL_FIN_WAIT2);
	fix_in(&f, "F.", 1, 0, 2, 65535);
	CHECK_EQ("state", fix_state(&f), RILL_TIME_WAIT);
	fix_expect(&f, "ACK of FIN", ".", 2, 0, 2);
	fix_advance_ms(&f, 59999);
	CHECK_EQ("2 MSL not over", fix_state(&f), RILL_TIME_WAIT);
	fix_advance_ms(&f, 2);
	CHECK_EQ("2 MSL over", fix_state(&f), RILL_CLOSE);
	fix_done(&f);
}
