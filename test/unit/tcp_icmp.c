/* SPDX-License-Identifier: MIT */
/* ICMP errors about connections, and path MTU [RFC9293:3.9.2.2] [A8]. */
#include <errno.h>

#include "tcp_fix.h"
#include "base/types.h"
#include "stack/sockopt_nums.h"

/* ---- ICMP ---- */

/*
 * [RFC1122-18]
 * [RFC9293:MUST-54] [RFC9293:MUST-56] [RFC9293:SHLD-25] [RFC9293:SHLD-26] [RFC5927-02]
 */
TEST(icmp_errors)
{
	static const struct {
		bool	 v6;
		uint8_t	 type, code;
		int	 err;
		bool	 hard;
	} rows[] = {
		{ false, 3, 0, ENETUNREACH, false }, { false, 3, 1, EHOSTUNREACH, false },
		{ false, 3, 2, ENOPROTOOPT, true }, { false, 3, 3, ECONNREFUSED, true },
		{ false, 3, 5, EOPNOTSUPP, false }, { false, 11, 0, EHOSTUNREACH, false },
		{ false, 12, 0, EPROTO, false },
		{ true, 1, 0, ENETUNREACH, false }, { true, 1, 3, EHOSTUNREACH, false },
		{ true, 1, 4, ECONNREFUSED, true }, { true, 3, 0, EHOSTUNREACH, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *row = rl_label("v%d type %u code %u", rows[i].v6 ? 6 : 4,
					   rows[i].type, rows[i].code);
		struct fix f;

		fix_init(&f, rows[i].v6);	/* connecting */
		fix_reach(&f, RILL_SYN_SENT);
		fix_icmp(&f, rows[i].type, rows[i].code, 5, 0);
		CHECK_EQ("quotes something else", fix_getopt(&f, RL_SOL_SOCKET, RL_SO_ERROR), 0);
		CHECK_EQ("counted", fix_counter(&f, "tcp.out_of_window_icmps"), 1);
		fix_icmp(&f, rows[i].type, rows[i].code, 0, 0);
		CHECK_EQ(row, fix_state(&f), rows[i].hard ? RILL_CLOSE : RILL_SYN_SENT);
		if (!rows[i].hard)		/* it is what the timeout reports [RFC5461-01] */
			for (int k = 0; k < 300; k++) {
				fix_advance_ms(&f, 1000);
				fix_drain(&f);
			}
		CHECK_EQ(row, fix_getopt(&f, RL_SOL_SOCKET, RL_SO_ERROR), rows[i].err);
		CHECK_EQ("told once", fix_getopt(&f, RL_SOL_SOCKET, RL_SO_ERROR), 0);
		fix_done(&f);

		fix_init(&f, rows[i].v6);	/* open: none of them ends it */
		fix_establish(&f, false, false);
		fix_send(&f, 100);
		fix_drain(&f);
		fix_icmp(&f, rows[i].type, rows[i].code, 1, 0);
		CHECK_EQ(row, fix_state(&f), RILL_ESTABLISHED);
		CHECK_EQ("soft error [RFC9293:MUST-47]",
			 fix_getopt(&f, RL_SOL_SOCKET, RL_SO_ERROR), rows[i].err);
		fix_icmp(&f, rows[i].type, rows[i].code, 200, 0);
		CHECK_EQ("not in flight [RFC5927-01]",
			 fix_getopt(&f, RL_SOL_SOCKET, RL_SO_ERROR), 0);
		fix_in(&f, ".", 1, 0, 101, 65535);
		fix_done(&f);
	}
}

/* [RFC6633-02] [RFC9293:MUST-55] [RFC5927-04] */
TEST(source_quench)
{
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	fix_send(&f, 10000);
	fix_drain(&f);
	fix_icmp(&f, 4, 0, 1, 0);
	CHECK_EQ("no error", fix_getopt(&f, RL_SOL_SOCKET, RL_SO_ERROR), 0);
	CHECK_EQ("no change", fix_info(&f).snd_cwnd, 10);
	fix_done(&f);
}

/* [RFC1191-05] [RFC8201-05] [RFC1191-06] [A8] cut anew, sent again at once, not blamed */
TEST(path_mtu_lowered)
{
	for (int v6 = 0; v6 < 2; v6++) {
		static const uint8_t opts[] = { 2, 4, 1400 >> 8, 1400 & 255 };
		uint32_t hdr = v6 ? 60 : 40, mtu = 1300, mss = mtu - hdr;
		struct out_seg o;
		struct fix f;
		uint32_t at = 1;

		fix_init(&f, v6);
		fix_establish_opts(&f, opts, sizeof(opts));
		fix_send(&f, 4200);
		CHECK_EQ("three", fix_drain(&f), 3);
		fix_icmp(&f, v6 ? 2 : 3, v6 ? 0 : 4, 9000, mtu);
		fix_expect_none(&f, "about nothing in flight: not believed");
		fix_icmp(&f, v6 ? 2 : 3, v6 ? 0 : 4, 1, mtu);
		while ((o = fix_out(&f)).there) {
			CHECK_EQ("from the start", o.seq, at);
			CHECK("fits", o.len <= mss);
			at = o.seq + o.len;
		}
		CHECK_EQ("all of it", at, 4201);
		CHECK_EQ("MSS", fix_info(&f).snd_mss, mss);
		CHECK_EQ("path MTU", fix_info(&f).pmtu, mtu);
		CHECK_EQ("not congestion", fix_counter(&f, "tcp.timeouts"), 0);
		CHECK_EQ("nor that", fix_counter(&f, "tcp.reno_recovery"), 0);
		CHECK_EQ("counted", fix_counter(&f, "tcp.pmtu_lowered"), 1);
		fix_icmp(&f, v6 ? 2 : 3, v6 ? 0 : 4, 1, mtu);
		fix_expect_none(&f, "the second of a burst [RFC1191-06]");
		fix_in(&f, ".", 1, 0, 4201, 65535);
		fix_done(&f);
	}
}
