/* SPDX-License-Identifier: MIT */
/*
 * Sending, where a decision only matters at one number: the byte before a limit,
 * the last of many, the one without room.
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

/* Many small writes leave whole and in order, the FIN behind the last byte. */
TEST(many_small_writes)
{
	uint32_t nxt, at;
	struct out_seg o;
	struct fix f;

	established(&f, false, false);
	fix_sysctl(&f, "net.ipv4.tcp_wmem", "4096 1000000 4000000");
	fix_setopt(&f, RL_SOL_SOCKET, RL_SO_SNDBUF, 1000000);
	fix_send(&f, 200000);
	nxt = at = fix_ack_all(&f, 1, 65535);
	CHECK("cwnd is large", fix_info(&f).snd_cwnd > 64);
	fix_setopt(&f, RL_SOL_TCP, RL_TCP_CORK, 1);
	for (int i = 0; i < 40; i++)
		CHECK_EQ("write", fix_send(&f, 1500), 1500);
	CHECK_EQ("shutdown", rill_tcp_shutdown(f.st, f.fd, RILL_SHUT_WR), 0);
	while ((o = fix_out(&f)).there) {
		CHECK_EQ("in order", o.seq, at);
		at += o.len;
		CHECK_EQ("FIN at the end", !!(o.flags & TH_FIN), at == nxt + 60000);
	}
	CHECK_EQ("all of it", at, nxt + 60000);
	fix_in(&f, ".", 1, 0, at + 1, 65535);
	CHECK_EQ("state", fix_state(&f), RILL_FIN_WAIT2);
	fix_done(&f);
}

/* [RFC9293:SHLD-7] The tail of a large write waits for a small one in flight. */
TEST(tail_behind_a_small_one)
{
	struct fix f;

	established(&f, false, false);
	rill_tcp_close(f.st, f.fd);
	fix_drain(&f);
	fix_peer(&f, 2000);
	fix_in(&f, "S", 0, 0, 0, 3000);
	fix_drain(&f);
	fix_in(&f, ".", 1, 0, 1, 3000);
	f.fd = fix_accept(&f);
	fix_send(&f, 10);
	CHECK_EQ("a small one", fix_out(&f).len, 10);
	fix_send(&f, 1572);			/* 536 * 2 + 500 */
	fix_expect(&f, "full", ".", 11, 536, 1);
	fix_expect(&f, "full", ".", 547, 536, 1);
	fix_expect_none(&f, "the tail waits");
	fix_in(&f, ".", 1, 0, 11, 3000);
	fix_expect(&f, "no longer", "P.", 1083, 500, 1);
	fix_done(&f);
}

/* A buffer that needs no scale offers one of 0. */
TEST(scale_of_a_small_buffer)
{
	static const struct { int rcvbuf, scale; } t[] = {
		{ 10000, 0 }, { 65535, 0 }, { 65536, 1 }, { 131070, 1 }, { 131072, 2 },
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct rill_addr peer = { .ip = rl_ip4(0x0a000002), .port = FIX_PEER_PORT };
		struct out_seg o;
		struct fix f;

		fix_init(&f, false);
		CHECK_EQ("open", rill_tcp_open(f.st, 7, &f.fd), 0);
		fix_setopt(&f, RL_SOL_SOCKET, RL_SO_RCVBUF, t[i].rcvbuf);
		CHECK_EQ("connect", rill_tcp_connect(f.st, f.fd, &peer, 0), -EINPROGRESS);
		o = fix_out(&f);
		CHECK("offered", o.o.has_wscale);
		CHECK_EQ(rl_label("%d", t[i].rcvbuf), o.o.wscale, t[i].scale);
		fix_done(&f);
	}
}

/* Data sent within 40 ms of what came shows that answers carry the ACKs. */
TEST(answers_carry_acks)
{
	for (int ms = 39; ms <= 40; ms++) {
		struct fix f;

		established(&f, false, false);
		fix_in(&f, "P.", 1, 10, 1, 65535);
		fix_drain(&f);
		fix_advance_ms(&f, ms);
		fix_send(&f, 10);
		fix_drain(&f);
		CHECK_EQ(rl_label("%d ms", ms), fix_getopt(&f, RL_SOL_TCP, RL_TCP_QUICKACK),
			 ms == 40);
		fix_done(&f);
	}
}

/* SACK blocks ride on a segment that they do not make longer than a full one. */
TEST(blocks_beside_payload)
{
	struct out_seg o;
	struct fix f;

	established(&f, true, false);
	fix_setopt(&f, RL_SOL_TCP, RL_TCP_NODELAY, 1);
	fix_in(&f, ".", 1001, 100, 1, 65535);
	fix_drain(&f);
	fix_send(&f, 964);			/* 4 + 4 * 8 bytes of options */
	o = fix_out(&f);
	CHECK("just so", o.len == 964 && o.o.nsack == 1);
	fix_send(&f, 965);
	o = fix_out(&f);
	CHECK("a byte too many", o.len == 965 && o.o.nsack == 0);
	fix_done(&f);
}

/* [RFC6093-04] The pointer reaches no further than its 16 bits. */
TEST(far_urgent_byte)
{
	struct out_seg o;
	struct fix f;

	established(&f, false, false);
	fix_setopt(&f, RL_SOL_SOCKET, RL_SO_SNDBUF, 200000);
	CHECK_EQ("send", fix_send_flags(&f, 66000, RILL_MSG_OOB), 66000);
	o = fix_out(&f);
	CHECK("first", (o.flags & TH_URG) && o.urg == 65535);
	o = fix_out(&f);
	CHECK("second", (o.flags & TH_URG) && o.urg == 65000);
	fix_done(&f);
}

/* An empty SACK block says nothing, not even how far the peer has got. */
TEST(empty_block)
{
	struct fix f;

	established(&f, true, false);
	fix_send(&f, 5000);
	fix_drain(&f);
	fix_sack(&f, 1, 1, (uint32_t[]){ 3001, 3001 });
	fix_sack(&f, 1, 1, (uint32_t[]){ 1001, 2001 });
	CHECK_EQ("no reordering", fix_info(&f).reord_seen, 0);
	CHECK_EQ("one", fix_info(&f).sacked, 1);
	fix_done(&f);
}
