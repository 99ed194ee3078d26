/* SPDX-License-Identifier: MIT */
/*
 * Receiving, where a decision only matters at one number: the byte before a limit,
 * the second time, the other one of two.
 */
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

/* [RFC9293:SHLD-2] What comes with a RST counts for nothing, also before a closed window. */
TEST(reset_with_fin_before_a_closed_window)
{
	struct rill_addr a = { .port = FIX_PORT };
	struct fix f;

	fix_init(&f, false);
	CHECK_EQ("open", rill_tcp_open(f.st, 0, &f.fd), 0);
	fix_setopt(&f, RL_SOL_SOCKET, RL_SO_RCVBUF, 2000);
	rill_tcp_bind(f.st, f.fd, &a, 0);
	rill_tcp_listen(f.st, f.fd, 1);
	f.listener = f.fd;
	fix_knock(&f, 2000, true);
	f.fd = fix_accept(&f);
	fix_in(&f, "P.", 1, 2000, 1, 65535);
	CHECK_EQ("closed", fix_out(&f).win, 0);
	fix_in(&f, "FR", 2001, 0, 0, 0);
	CHECK_EQ("reset", fix_state(&f), RILL_CLOSE);
	fix_done(&f);
}

/* A SYN's timestamp counts from the handshake when its ACK carries none. */
TEST(paws_counts_from_the_handshake)
{
	struct tcp_opts t = { .mss = 1000, .has_ts = true, .ts_val = 1000 };
	struct in_opts x = { 0 }, old = { 0 };
	uint8_t buf[40], b2[40];
	struct fix f;

	fix_init(&f, false);
	fix_listen(&f);
	x.n = rl_tcp_opts_write(&t, buf);
	x.bytes = buf;
	fix_in_opts(&f, "S", 0, 0, 0, 65535, &x);
	fix_drain(&f);
	fix_in(&f, ".", 1, 0, 1, 65535);
	f.fd = fix_accept(&f);
	t = (struct tcp_opts){ .has_ts = true, .ts_val = 5, .ts_ecr = 1 };
	old.n = rl_tcp_opts_write(&t, b2);
	old.bytes = b2;
	fix_advance_ms(&f, 24 * 24 * 3600 * 1000ll - 500000);
	fix_in_opts(&f, "P.", 1, 10, 1, 65535, &old);
	CHECK_EQ("500 s before", fix_counter(&f, "drop.PAWS"), 1);
	fix_advance_ms(&f, 500000);
	fix_in_opts(&f, "P.", 1, 10, 1, 65535, &old);
	CHECK_EQ("24 days", fix_counter(&f, "drop.PAWS"), 1);
	fix_done(&f);
}

/* Each timestamp that is taken counts anew, not only the first. */
TEST(paws_counts_from_later_ones)
{
	struct in_opts old = { .ts_set = true, .ts_val = 5, .ts_ecr = 1 };
	struct fix f;

	established(&f, false, true);
	fix_advance_ms(&f, 600000);
	fix_in(&f, "P.", 1, 10, 1, 65535);
	fix_drain(&f);
	fix_advance_ms(&f, 24 * 24 * 3600 * 1000ll - 500000);
	fix_in_opts(&f, "P.", 11, 10, 1, 65535, &old);
	CHECK_EQ("500 s before", fix_counter(&f, "drop.PAWS"), 1);
	fix_done(&f);
}

/* TCP_QUICKACK: what waits leaves at once, and sixteen more do. */
TEST(quickack_option)
{
	uint32_t at = 11;
	struct fix f;

	established(&f, false, false);
	fix_setopt(&f, RL_SOL_TCP, RL_TCP_QUICKACK, 0);
	fix_in(&f, "P.", 1, 10, 1, 65535);
	CHECK_EQ("waits", fix_drain(&f), 0);
	fix_setopt(&f, RL_SOL_TCP, RL_TCP_QUICKACK, 1);
	CHECK_EQ("leaves", fix_drain(&f), 1);
	for (int i = 0; i < 17; i++, at += 10) {
		fix_in(&f, "P.", at, 10, 1, 65535);
		CHECK_EQ(rl_label("%d", i), fix_drain(&f), i < 16);
	}
	fix_setopt(&f, RL_SOL_TCP, RL_TCP_QUICKACK, 1);
	CHECK_EQ("leaves", fix_drain(&f), 1);
	fix_in(&f, "P.", at, 10, 1, 65535);
	CHECK_EQ("at once again", fix_drain(&f), 1);
	fix_done(&f);
}

/* An ACK that got no packet is tried again by the timer of delayed ones. */
TEST(ack_without_memory)
{
	static struct rill_pkt *kept[100000];
	size_t n = 0;
	struct fix f;

	established(&f, false, false);
	fix_in(&f, "P.", 1, 10, 1, 65535);
	f.alloc_dead = true;
	while (n < ARRAY_LEN(kept) && (kept[n] = rl_pkt_new(&f.st->bufs, 100)))
		n++;
	fix_expect_none(&f, "no packet");
	while (n)
		rl_pkt_free(&f.st->bufs, kept[--n]);
	f.alloc_dead = false;
	fix_advance_ms(&f, 39);
	fix_expect_none(&f, "39 ms");
	fix_advance_ms(&f, 1);
	fix_expect(&f, "40 ms", ".", 1, 0, 11);
	fix_done(&f);
}

/* With SO_OOBINLINE a new mark takes nothing out of the stream at the old one. */
TEST(second_mark_inline)
{
	struct fix f;

	established(&f, false, false);
	fix_setopt(&f, RL_SOL_SOCKET, RL_SO_OOBINLINE, 1);
	fix_in_opts(&f, "U.", 1, 10, 1, 65535, &(struct in_opts){ .urg = 1 });
	fix_in_opts(&f, "U.", 11, 10, 1, 65535, &(struct in_opts){ .urg = 5 });
	CHECK_EQ("all bytes", conn_of(&f)->rcvq.len, 20);
	fix_done(&f);
}

/* [RFC2018-05] No more blocks than fit beside the other options. */
TEST(more_ranges_than_blocks)
{
	for (int ts = 0; ts < 2; ts++) {
		struct out_seg o = { 0 };
		struct fix f;

		established(&f, true, ts);
		for (uint32_t i = 0; i < 6; i++) {
			fix_in(&f, ".", 1001 + 2000 * i, 1000, 1, 65535);
			o = fix_out(&f);
		}
		CHECK_EQ("blocks", o.o.nsack, ts ? 3 : 4);
		CHECK_EQ("the last one first", o.o.sack[0].lo.v - f.irs, 11001);
		fix_done(&f);
	}
}

/* A segment over two ranges: the first part that was there already is reported. */
TEST(duplicates_of_two_ranges)
{
	struct out_seg o;
	struct fix f;

	established(&f, true, false);
	fix_in(&f, ".", 2001, 100, 1, 65535);
	fix_in(&f, ".", 3001, 100, 1, 65535);
	fix_drain(&f);
	fix_in(&f, ".", 1901, 1300, 1, 65535);
	o = fix_out(&f);
	CHECK("first", o.o.nsack == 2 && o.o.sack[0].lo.v - f.irs == 2001 &&
		       o.o.sack[0].hi.v - f.irs == 2101);
	CHECK("one range", o.o.sack[1].lo.v - f.irs == 1901 && o.o.sack[1].hi.v - f.irs == 3201);
	fix_done(&f);
}
