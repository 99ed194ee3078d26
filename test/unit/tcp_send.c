/* SPDX-License-Identifier: MIT */
/*
 * When small pieces are sent and when ACKs are [A22]: Nagle, cork, PSH, delayed ACKs,
 * the send buffer; what is counted of it.
 */
#include <errno.h>

#include "tcp_fix.h"
#include "base/types.h"
#include "stack/sockopt_nums.h"

/* ---- Nagle and its friends ---- */

/* [RFC9293:SHLD-7] [RFC9293:MUST-17] */
TEST(nagle)
{
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	fix_send(&f, 10);
	fix_expect(&f, "nothing outstanding", "P.", 1, 10, 1);
	fix_send(&f, 20);
	fix_expect_none(&f, "second small one waits");
	CHECK("for that", fix_counter(&f, "hold.NAGLE") > 0);
	fix_send(&f, 30);
	fix_expect_none(&f, "third too");
	fix_in(&f, ".", 1, 0, 11, 65535);
	fix_expect(&f, "both in one", "P.", 11, 50, 1);
	fix_send(&f, 20);
	fix_send(&f, 1500);
	fix_expect(&f, "a full segment leaves", ".", 61, 1000, 1);
	fix_expect_none(&f, "its rest waits");
	fix_in(&f, ".", 1, 0, 1061, 65535);
	fix_expect(&f, "until the ACK", "P.", 1061, 520, 1);
	fix_send(&f, 5);
	fix_expect_none(&f, "waits");
	CHECK_EQ("nodelay", fix_setopt(&f, RL_SOL_TCP, RL_TCP_NODELAY, 1), 0);
	fix_expect(&f, "goes at once", "P.", 1581, 5, 1);
	fix_send(&f, 5);
	fix_expect(&f, "and the next", "P.", 1586, 5, 1);
	fix_done(&f);
}

/* Nagle as Minshall has it: a small tail of a large write does not wait for an ACK. */
TEST(nagle_tail_of_a_large_write)
{
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	fix_send(&f, 2500);
	fix_expect(&f, "full", ".", 1, 1000, 1);
	fix_expect(&f, "full", ".", 1001, 1000, 1);
	fix_expect(&f, "tail", "P.", 2001, 500, 1);
	fix_send(&f, 2500);
	fix_expect(&f, "full", ".", 2501, 1000, 1);
	fix_expect(&f, "full", ".", 3501, 1000, 1);
	fix_expect_none(&f, "a second tail waits");
	fix_done(&f);
}

/* [RFC9293:MUST-60] TCP_CORK and MSG_MORE hold a partial segment, for 200 ms at most. */
TEST(cork)
{
	for (int more = 0; more < 2; more++) {
		unsigned flags = more ? RILL_MSG_MORE : 0;
		struct fix f;

		fix_init(&f, false);
		fix_establish(&f, false, false);
		if (!more)
			CHECK_EQ("cork", fix_setopt(&f, RL_SOL_TCP, RL_TCP_CORK, 1), 0);
		fix_send_flags(&f, 400, flags);
		fix_expect_none(&f, "held");
		CHECK("for that", fix_counter(&f, "hold.CORK") > 0);
		fix_send_flags(&f, 700, flags);
		fix_expect(&f, "a full segment leaves", ".", 1, 1000, 1);
		fix_expect_none(&f, "its rest is held");
		fix_in(&f, ".", 1, 0, 1001, 65535);
		if (!more) {
			fix_expect_none(&f, "also when all is acknowledged");
			fix_advance_ms(&f, 201);
		}
		fix_expect(&f, more ? "held for its call only" : "200 ms", "P.", 1001, 100, 1);
		fix_in(&f, ".", 1, 0, 1101, 65535);
		fix_send_flags(&f, 50, flags);
		fix_expect_none(&f, "held");
		if (more)
			fix_send(&f, 10);
		else
			CHECK_EQ("pull", fix_setopt(&f, RL_SOL_TCP, RL_TCP_CORK, 0), 0);
		fix_expect(&f, "out", "P.", 1101, more ? 60 : 50, 1);
		CHECK_EQ("no window was probed", fix_counter(&f, "tcp.win_probes"), 0);
		fix_done(&f);
	}
}

/* The 200 ms do not grow with the round-trip time, and the piece may get lost. */
TEST(cork_on_a_slow_path)
{
	struct fix f;

	fix_init(&f, false);
	fix_listen(&f);
	fix_in(&f, "S", 0, 0, 0, 65535);
	fix_drain(&f);
	fix_advance_ms(&f, 800);
	fix_in(&f, ".", 1, 0, 1, 65535);
	CHECK_EQ("accept", rill_tcp_accept(f.st, f.listener, 7, &f.fd, NULL), 0);
	CHECK_EQ("cork", fix_setopt(&f, RL_SOL_TCP, RL_TCP_CORK, 1), 0);
	fix_send(&f, 100);
	fix_expect_none(&f, "held");
	fix_advance_ms(&f, 201);
	fix_expect(&f, "200 ms", "P.", 1, 100, 1);
	fix_advance_ms(&f, 2500);		/* 800 + 4 * 400 */
	fix_expect(&f, "lost, sent again", "P.", 1, 100, 1);
	fix_done(&f);
}

/*
 * [RFC9293:MAY-16]
 * [RFC9293:MUST-61] [RFC9293:SHLD-27] [RFC9293:SHLD-28] PSH and full segments
 */
TEST(push_and_full_segments)
{
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	fix_in(&f, ".", 1, 0, 1, 0);
	for (int i = 0; i < 40; i++)
		fix_send(&f, 50);
	fix_expect_none(&f, "window closed");
	fix_in(&f, ".", 1, 0, 1, 65535);
	fix_expect(&f, "small writes in full segments", ".", 1, 1000, 1);
	fix_expect(&f, "PSH on the last", "P.", 1001, 1000, 1);
	fix_done(&f);
}

/* ---- acknowledging ---- */

/*
 * [RFC5681-25] [RFC2525-13]
 * [RFC9293:SHLD-18] [RFC9293:MUST-40] [RFC9293:SHLD-19] [RFC5681-24]
 */
TEST(delayed_ack)
{
	struct out_seg o;
	struct fix f;
	uint8_t buf[3000];

	fix_init(&f, false);
	fix_establish(&f, false, false);
	fix_in(&f, ".", 1, 1000, 1, 65535);
	fix_expect(&f, "at first at once", ".", 1, 0, 1001);
	CHECK_EQ("set", fix_setopt(&f, RL_SOL_TCP, RL_TCP_QUICKACK, 0), 0);
	fix_in(&f, "P.", 1001, 1000, 1, 65535);
	fix_expect_none(&f, "one segment waits");
	fix_advance_ms(&f, 39);
	fix_expect_none(&f, "40 ms");
	fix_advance_ms(&f, 2);
	fix_expect(&f, "not longer", ".", 1, 0, 2001);
	CHECK_EQ("counted", fix_counter(&f, "tcp.delayed_acks"), 1);
	fix_in(&f, "P.", 2001, 1000, 1, 65535);
	fix_expect_none(&f, "first of two");
	fix_in(&f, "P.", 3001, 1000, 1, 65535);
	fix_expect(&f, "every second one", ".", 1, 0, 4001);
	fix_in(&f, "P.", 4001, 1000, 1, 65535);
	fix_send(&f, 10);
	fix_expect(&f, "data carries it", "P.", 1, 10, 5001);
	fix_advance_ms(&f, 100);
	fix_expect_none(&f, "so no timer");
	fix_in(&f, "P.", 5001, 10, 11, 65535);
	CHECK_EQ("quickack", fix_setopt(&f, RL_SOL_TCP, RL_TCP_QUICKACK, 1), 0);
	fix_expect(&f, "what waited goes", ".", 11, 0, 5011);
	fix_in(&f, "P.", 5011, 10, 11, 65535);
	fix_expect(&f, "and the next at once", ".", 11, 0, 5021);
	CHECK("read", fix_recv(&f, buf, sizeof(buf)) > 0);
	o = fix_out(&f);
	CHECK("nothing more", !o.there);
	fix_done(&f);
}

/*
 * [RFC5681-12]
 * [RFC9293:MUST-58] [RFC9293:MUST-59] A burst in one poll gets one ACK, a filled hole too.
 */
TEST(acks_aggregate)
{
	struct out_seg o;
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	for (uint32_t i = 0; i < 10; i++)
		fix_in(&f, ".", 1 + 1000 * i, 1000, 1, 65535);
	fix_expect(&f, "one for all", ".", 1, 0, 10001);
	fix_expect_none(&f, "only one");
	for (uint32_t i = 1; i < 5; i++)
		fix_in(&f, ".", 10001 + 1000 * i, 1000, 1, 65535);
	CHECK_EQ("each early one is told at once [RFC9293:MAY-13]", fix_drain(&f), 4);
	fix_in(&f, ".", 10001, 1000, 1, 65535);
	o = fix_out(&f);
	CHECK_EQ("hole filled [RFC9293:SHLD-31]", o.ack, 15001);
	fix_expect_none(&f, "one ACK");
	CHECK_EQ("counted", fix_counter(&f, "tcp.ofo_queue"), 4);
	CHECK_EQ("counted", fix_counter(&f, "tcp.in_bytes"), 15000);
	CHECK_EQ("set", fix_setopt(&f, RL_SOL_TCP, RL_TCP_QUICKACK, 0), 0);
	fix_in(&f, ".", 15101, 100, 1, 65535);
	fix_drain(&f);
	fix_in(&f, ".", 15001, 100, 1, 65535);
	fix_expect(&f, "a filled hole is never delayed [RFC5681-13]", ".", 1, 0, 15201);
	fix_done(&f);
}

/* [RFC9293:lc-7] [RFC9293:MUST-65] Every segment has ACK, and no MSS option after SYN. */
TEST(every_segment_has_ack)
{
	struct out_seg o;
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, true, true);
	fix_send(&f, 5000);
	fix_in(&f, "P.", 1, 10, 1, 65535);
	fix_in(&f, "P.", 100, 10, 1, 65535);
	rill_tcp_shutdown(f.st, f.fd, RILL_SHUT_WR);
	for (int i = 0; i < 10; i++) {
		while ((o = fix_out(&f)).there) {
			CHECK("ACK", o.flags & TH_ACK);
			CHECK_EQ("MSS", o.o.mss, 0);
			CHECK("not SYN", !(o.flags & TH_SYN));
		}
		fix_advance_ms(&f, 1000);
	}
	fix_done(&f);
}

/* ---- send buffer ---- */

/* tcp_wmem: what a write may queue, by default and as it grows with cwnd */
TEST(send_buffer)
{
	struct fix f;

	fix_init(&f, false);
	fix_sysctl(&f, "net.ipv4.tcp_wmem", "4096 20000 30000");
	fix_establish(&f, false, false);
	CHECK_EQ("at most the third number", fix_send(&f, 1000000), 30000);
	CHECK_EQ("full", fix_send(&f, 1), -EAGAIN);
	CHECK("not writable", !(rill_tcp_poll(f.st, f.fd) & RILL_OUT));
	CHECK_EQ("all of it", fix_ack_all(&f, 1, 65535), 30001);
	CHECK("writable", rill_tcp_poll(f.st, f.fd) & RILL_OUT);
	fix_done(&f);
}

/* ---- what is counted ---- */

static uint64_t held(struct fix *f, const char *why)
{
	return fix_counter(f, rl_label("hold.%s", why));
}

/* Each reason not to send is named. */
TEST(hold_reasons)
{
	static struct rill_pkt *kept[5000];
	struct fix f;
	int n = 0;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	fix_send(&f, 10);
	fix_drain(&f);
	CHECK_EQ("NO_DATA", held(&f, "NO_DATA"), 1);
	fix_in(&f, ".", 1, 0, 11, 0);
	fix_send(&f, 10);
	fix_drain(&f);
	CHECK("RWND", held(&f, "RWND") > 0);
	fix_in(&f, ".", 1, 0, 11, 65535);
	fix_drain(&f);
	CHECK_EQ("nodelay", fix_setopt(&f, RL_SOL_TCP, RL_TCP_NODELAY, 1), 0);
	f.alloc_dead = true;		/* and packets that the device keeps */
	while (n < (int)ARRAY_LEN(kept) && !held(&f, "MEMORY") && fix_send(&f, 1) == 1)
		n += rill_stack_output(f.st, 0, &kept[n], 1);
	CHECK_EQ("MEMORY", held(&f, "MEMORY"), 1);
	while (n)
		rill_pkt_put(f.st, kept[--n]);
	f.alloc_dead = false;
	rill_tcp_shutdown(f.st, f.fd, RILL_SHUT_WR);
	fix_ack_all(&f, 1, 65535);
	CHECK("NONE: FIN went out", held(&f, "NONE") > 0);
	fix_done(&f);
}

/* tcp.out_segs, tcp.out_bytes, tcp.in_segs and TCP_INFO against what went over the wire */
TEST(totals)
{
	uint64_t segs = 0, bytes = 0, data = 0, in;
	struct rill_tcp_info i;
	struct out_seg o;
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);	/* SYN+ACK out; two in */
	fix_send(&f, 7500);
	for (int round = 0; round < 3; round++) {
		while ((o = fix_out(&f)).there) {
			segs++;
			bytes += o.len;
			data += o.len > 0;
		}
		fix_advance_ms(&f, 1000);	/* some of it again */
	}
	in = fix_counter(&f, "tcp.in_segs");
	fix_in(&f, "P.", 1, 300, 7501, 65535);
	while ((o = fix_out(&f)).there)
		segs++;
	CHECK_EQ("in", fix_counter(&f, "tcp.in_segs"), in + 1);
	CHECK_EQ("out", fix_counter(&f, "tcp.out_segs") + fix_counter(&f, "tcp.retrans_segs"),
		 segs + 1);
	CHECK("some sent again", fix_counter(&f, "tcp.retrans_segs") > 0);
	CHECK_EQ("bytes out", fix_counter(&f, "tcp.out_bytes"), bytes);
	i = fix_info(&f);
	CHECK_EQ("bytes_sent", i.bytes_sent, bytes);
	CHECK_EQ("bytes_retrans", i.bytes_retrans, bytes - 7500);
	CHECK_EQ("bytes_acked", i.bytes_acked, 7500);
	CHECK_EQ("bytes_received", i.bytes_received, 300);
	CHECK_EQ("data_segs_out", i.data_segs_out, data);
	CHECK_EQ("data_segs_in", i.data_segs_in, 1);
	CHECK_EQ("segs_out, with the SYN+ACK", i.segs_out, segs + 1);
	fix_done(&f);
}
