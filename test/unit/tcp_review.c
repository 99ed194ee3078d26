/* SPDX-License-Identifier: MIT */
/*
 * Corners found by reading the code: what waits must go on, marks must not come
 * round again, a small number must not become a large one.
 */
#include <errno.h>
#include <stdlib.h>

#include "tcp_fix.h"
#include "stack/sockopt_nums.h"
#include "tcp/conn.h"

static struct tcp_conn *conn_of(struct fix *f)
{
	return rl_tcp_find(f->st, f->fd);
}

/* ---- what waits goes on ---- */

/*
 * A piece held back for company or for a larger window leaves by its timer, also
 * when an ACK that changes nothing comes in between [RFC9293:MUST-38].
 */
TEST(held_piece_survives_an_empty_ack)
{
	static const struct { const char *name; bool cork; uint16_t win; } t[] = {
		{ "cork", true, 65535 },
		{ "MSG_MORE", false, 65535 },
		{ "silly window", false, 100 },
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct fix f;

		fix_init(&f, false);
		fix_establish(&f, false, false);
		if (t[i].cork)
			fix_setopt(&f, RL_SOL_TCP, RL_TCP_CORK, 1);
		fix_in(&f, ".", 1, 0, 1, t[i].win);
		fix_send_flags(&f, 300, t[i].win < 300 ? 0 : RILL_MSG_MORE);
		fix_expect_none(&f, rl_label("%s holds", t[i].name));
		fix_advance_ms(&f, 100);
		fix_in(&f, ".", 1, 0, 1, t[i].win);
		fix_expect_none(&f, rl_label("%s still holds", t[i].name));
		fix_advance_ms(&f, 101);
		CHECK_EQ(rl_label("%s: not longer", t[i].name), fix_out(&f).len,
			 RL_MIN(300, t[i].win));
		fix_done(&f);
	}
}

/* No memory for an ACK, or for a FIN: it is sent when there is some, unasked. */
TEST(segment_without_memory_is_sent_later)
{
	for (int fin = 0; fin < 2; fin++) {
		struct rill_pkt *p, *held = NULL;
		struct fix f;

		fix_init(&f, false);
		fix_establish(&f, false, false);
		if (fin)
			rill_tcp_shutdown(f.st, f.fd, RILL_SHUT_WR);
		else
			fix_in(&f, "P.", 1, 100, 1, 65535);
		f.alloc_dead = true;
		while ((p = rl_pkt_new(&f.st->bufs, 60)) != NULL) {
			p->next = held;
			held = p;
		}
		fix_expect_none(&f, "no memory");
		f.alloc_dead = false;
		while ((p = held) != NULL) {
			held = p->next;
			rl_pkt_free(&f.st->bufs, p);
		}
		if (fin)		/* changes nothing */
			fix_in(&f, ".", 1, 0, 1, 65535);
		fix_advance_ms(&f, 300);
		if (fin)
			fix_expect(&f, "FIN", "F.", 1, 0, 1);
		else
			fix_expect(&f, "ACK", ".", 1, 0, 101);
		fix_done(&f);
	}
}

/* A window below one unit of its scale can't be told: it must not stay closed for ever. */
TEST(small_buffer_with_a_large_scale)
{
	static const uint8_t opts[] = { 2, 4, 1000 >> 8, 1000 & 255, 3, 3, 14, 1 };
	struct out_seg o;
	uint8_t buf[3000];
	struct fix f;

	fix_init(&f, false);
	fix_sysctl(&f, "net.ipv4.tcp_rmem", "4096 131072 1073741824");
	fix_establish_opts(&f, opts, sizeof(opts));
	fix_setopt(&f, RL_SOL_SOCKET, RL_SO_RCVBUF, 2304);
	for (uint32_t at = 1; at < 65536; at += 1000) {	/* use up what was promised */
		fix_in(&f, "P.", at, 1000, 1, 65535);
		fix_drain(&f);
		fix_recv(&f, buf, sizeof(buf));
		f.rcv_nxt = at + 1000;
	}
	fix_drain(&f);
	fix_in(&f, "P.", f.rcv_nxt - 1, 1, 1, 65535);	/* a probe */
	o = fix_out(&f);
	CHECK("there is an answer", o.there);
	CHECK("the window is open", o.win > 0);
	fix_done(&f);
}

/* SO_RCVLOWAT above what the window lets in: reading must still become possible. */
TEST(low_water_mark_above_the_window)
{
	uint32_t right = 65536;
	struct out_seg o;
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	fix_setopt(&f, RL_SOL_SOCKET, RL_SO_RCVLOWAT, 1 << 30);
	CHECK_EQ("clamp", fix_setopt(&f, RL_SOL_TCP, RL_TCP_WINDOW_CLAMP, 20000), 0);
	for (uint32_t at = 1; at + 1000 <= right; at += 1000) {
		CHECK("not yet", !(rill_tcp_poll(f.st, f.fd) & RILL_IN) || right - at < 64000);
		fix_in(&f, "P.", at, 1000, 1, 65535);
		fix_advance_ms(&f, 50);
		while ((o = fix_out(&f)).there)
			right = o.ack + o.win;
	}
	CHECK("the window is too small for a segment: readable",
	      rill_tcp_poll(f.st, f.fd) & RILL_IN);
	fix_done(&f);
}

/* What a stack sends to itself needs no call from outside to get there. */
TEST(loopback_needs_no_help)
{
	struct rill_addr a = { .ip = rl_ip4(0x7f000001), .port = FIX_PORT };
	static uint8_t buf[100000];
	struct rill_iov iov = { buf, sizeof(buf) };
	rill_id lst, cli, srv;
	struct rill_pkt *p;
	struct fix f;
	int64_t n, got;

	fix_init(&f, false);
	rill_tcp_open(f.st, 0, &lst);
	CHECK_EQ("bind", rill_tcp_bind(f.st, lst, &a, 0), 0);
	CHECK_EQ("listen", rill_tcp_listen(f.st, lst, 8), 0);
	rill_tcp_open(f.st, 0, &cli);
	CHECK_EQ("connect", rill_tcp_connect(f.st, cli, &a, 0), -EINPROGRESS);
	CHECK_EQ("nothing for a device", rill_stack_output(f.st, 0, &p, 1), 0);
	REQUIRE("accept", rill_tcp_accept(f.st, lst, 0, &srv, NULL) == 0);
	n = rill_tcp_send(f.st, cli, &iov, 1, 0);
	CHECK("sent", n > 60000);
	CHECK_EQ("nothing for a device", rill_stack_output(f.st, 0, &p, 1), 0);
	got = rill_tcp_recv(f.st, srv, &iov, 1, 0);
	CHECK("there", got > 60000);
	CHECK_EQ("the window opens", rill_stack_output(f.st, 0, &p, 1), 0);
	CHECK_EQ("the rest", rill_tcp_recv(f.st, srv, &iov, 1, 0), n - got);
	CHECK_EQ("shut", rill_tcp_shutdown(f.st, cli, RILL_SHUT_WR), 0);
	CHECK_EQ("nothing for a device", rill_stack_output(f.st, 0, &p, 1), 0);
	CHECK_EQ("end", rill_tcp_recv(f.st, srv, &iov, 1, 0), 0);
	fix_done(&f);
}

/* ---- marks that come round again ---- */

/* After 4 GiB SND.UNA may be ISS again; no byte is a SYN then. */
TEST(initial_number_comes_round)
{
	struct fix f;
	int v = 0;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	fix_send(&f, 1000);
	fix_drain(&f);
	fix_in(&f, ".", 1, 0, 1001, 65535);
	conn_of(&f)->iss = conn_of(&f)->snd_una;	/* as if 2^32 - 1000 bytes later */
	conn_of(&f)->bytes_acked = UINT32_MAX;
	fix_send(&f, 1000);
	fix_drain(&f);
	fix_in(&f, ".", 1, 0, 2001, 65535);
	CHECK_EQ("ioctl", rill_ioctl_int(f.st, f.fd, RL_SIOCOUTQ, &v), 0);
	CHECK_EQ("all of it left the queue", v, 0);
	fix_done(&f);
}

/* An urgent byte that nobody took does not mark another byte 4 GiB later. */
TEST(old_urgent_mark_comes_round)
{
	struct in_opts x = { .urg = 10 };
	struct tcp_conn *c;
	uint8_t buf[100];
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	fix_in_opts(&f, "PU.", 1, 10, 1, 65535, &x);
	CHECK_EQ("before it", fix_recv(&f, buf, 100), 9);
	CHECK_EQ("behind it", fix_recv(&f, buf, 100), -EAGAIN);
	c = conn_of(&f);
	c->cold->urg_seq = seq_add(c->rcv_nxt, 5);	/* as if 2^32 - 6 bytes later */
	fix_in(&f, "P.", 11, 10, 1, 65535);
	CHECK_EQ("no mark there", fix_recv(&f, buf, 100), 10);
	fix_done(&f);
}

/* A read that finds nothing at the mark does not forget the mark. */
TEST(read_at_an_urgent_mark_without_the_byte)
{
	struct in_opts x = { .urg = 11 };
	uint8_t buf[100], b = 0;
	struct rill_iov iov = { &b, 1 };
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	fix_in_opts(&f, "PU.", 1, 10, 1, 65535, &x);	/* byte 11 is urgent */
	CHECK_EQ("before it", fix_recv(&f, buf, 100), 10);
	CHECK_EQ("not here yet", fix_recv(&f, buf, 100), -EAGAIN);
	CHECK_EQ("not here yet", rill_tcp_recv(f.st, f.fd, &iov, 1, RILL_MSG_OOB), -EAGAIN);
	CHECK("still told", rill_tcp_poll(f.st, f.fd) & RILL_PRI);
	fix_in(&f, "P.", 11, 10, 1, 65535);
	CHECK_EQ("not in the stream", fix_recv(&f, buf, 100), 9);
	CHECK_EQ("the next byte", buf[0], 12);
	CHECK_EQ("apart", rill_tcp_recv(f.st, f.fd, &iov, 1, RILL_MSG_OOB), 1);
	CHECK_EQ("the byte", b, 11);
	fix_done(&f);
}

/* What SACK has seen does not stay behind the ACKs, or it would lie ahead again. */
TEST(highest_sacked_keeps_up)
{
	struct tcp_conn *c;
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, true, false);
	fix_send(&f, 5000);
	fix_drain(&f);
	fix_in(&f, ".", 1, 0, 3001, 65535);
	c = conn_of(&f);
	CHECK("in flight", c->rtxq.head != NULL);
	CHECK("not below SND.UNA", seq_ge(c->rtxq.fack, c->snd_una));
	fix_done(&f);
}

/* The urgent pointer counts from the segment's number, though its front is here already. */
TEST(urgent_pointer_of_an_overlapping_segment)
{
	struct in_opts x = { .urg = 20 };
	uint8_t buf[100], b = 0;
	struct rill_iov iov = { &b, 1 };
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	fix_in(&f, "P.", 1, 10, 1, 65535);
	fix_in_opts(&f, "PU.", 1, 30, 1, 65535, &x);
	CHECK_EQ("up to the mark", fix_recv(&f, buf, 100), 19);
	CHECK_EQ("the byte", rill_tcp_recv(f.st, f.fd, &iov, 1, RILL_MSG_OOB), 1);
	CHECK_EQ("the byte", b, 20);
	fix_done(&f);
}

/* ---- small numbers that become large ones ---- */

/* [RFC6582-02] The segment grew while a loss was repaired: cwnd may be less than one. */
TEST(partial_ack_after_the_segment_grew)
{
	static const uint32_t acks[] = { 101, 801, 901 };

	for (size_t i = 0; i < ARRAY_LEN(acks); i++) {
		struct fix f;

		fix_init(&f, false);
		fix_establish(&f, false, false);
		fix_setopt(&f, RL_SOL_TCP, RL_TCP_MAXSEG, 100);
		fix_send(&f, 1000);
		CHECK_EQ("ten small ones", fix_drain(&f), 10);
		for (int k = 0; k < 3; k++)
			fix_in(&f, ".", 1, 0, 1, 65535);
		CHECK_EQ("repaired", fix_out(&f).seq, 1);
		fix_setopt(&f, RL_SOL_TCP, RL_TCP_MAXSEG, 0);
		fix_in(&f, ".", 1, 0, acks[i], 65535);
		CHECK(rl_label("ACK of %u: not large", acks[i]), conn_of(&f)->cwnd < 10000);
		CHECK(rl_label("ACK of %u: not small", acks[i]), conn_of(&f)->cwnd >= 1000);
		fix_done(&f);
	}
}

/* The shortest link that IPv4 knows carries a connection, with and without options. */
TEST(shortest_link)
{
	for (int opts = 0; opts < 2; opts++) {
		uint32_t at = 1;
		struct out_seg o;
		struct fix f;

		fix_init_mtu(&f, false, 68);
		fix_establish(&f, opts, opts);
		fix_send(&f, 100);
		while ((o = fix_out(&f)).there) {
			CHECK_EQ("in order", o.seq, at);
			at += o.len;
		}
		CHECK_EQ(opts ? "all, timestamps" : "all", at, 101);
		fix_done(&f);
	}
}

/* Another route took over, and its link is shorter. */
TEST(route_to_a_shorter_link)
{
	struct rill_if_params ifp = { .name = "t1", .mtu = 600, .flags = RILL_IF_NO_DAD };
	struct rill_ip ip = rl_ip4(0x0a000101), peer = rl_ip4(0x0a000002);
	uint32_t at = 1;
	struct out_seg o;
	struct fix f;
	int second;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	second = rill_if_add(f.st, &ifp);
	CHECK_EQ("address", rill_if_addr_add(f.st, second, &ip, 24), 0);
	CHECK_EQ("route", rill_route_add(f.st, &peer, 32, NULL, second), 0);
	fix_drain(&f);
	fix_send(&f, 2240);
	while ((o = fix_out(&f)).there) {
		CHECK_EQ("in order", o.seq, at);
		CHECK_EQ("size", o.len, 560);
		at += o.len;
	}
	CHECK_EQ("all", at, 2241);
	fix_done(&f);
}

/* [RFC7323-05] A window that stands in a SYN is not scaled, whatever comes with it. */
TEST(window_in_a_syn_is_not_scaled)
{
	static const uint8_t opts[] = { 2, 4, 1000 >> 8, 1000 & 255, 3, 3, 7, 1 };
	struct rill_addr peer = { .ip = rl_ip4(0x0a000002), .port = FIX_PEER_PORT };
	struct in_opts x = { .bytes = opts, .n = sizeof(opts) };
	struct out_seg o;

	for (int crossing = 0; crossing < 2; crossing++) {
		struct fix f;

		fix_init(&f, false);
		CHECK_EQ("open", rill_tcp_open(f.st, 7, &f.fd), 0);
		CHECK_EQ("connect", rill_tcp_connect(f.st, f.fd, &peer, 0), -EINPROGRESS);
		o = fix_out(&f);
		f.lport = o.sport;
		if (crossing) {
			fix_in_opts(&f, "S", 0, 0, 0, 5000, &x);
			fix_in_opts(&f, "S.", 0, 0, 1, 5000, &x);
		} else {
			fix_in_opts(&f, "S.", 0, 10, 1, 5000, &x);
		}
		CHECK_EQ("established", fix_state(&f), RILL_ESTABLISHED);
		CHECK_EQ(crossing ? "crossing SYN+ACK" : "SYN+ACK with text",
			 fix_info(&f).snd_wnd, 5000);
		fix_done(&f);
	}
}

/* ---- ends ---- */

/* An ACK that was due when the connection died is not sent any more. */
TEST(dead_connection_is_silent)
{
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	fix_in(&f, "P.", 1, 100, 1, 65535);	/* wants an ACK */
	fix_in(&f, "R", 101, 0, 0, 0);
	CHECK_EQ("reset", fix_state(&f), RILL_CLOSE);
	fix_setopt(&f, RL_SOL_TCP, RL_TCP_NODELAY, 1);
	fix_setopt(&f, RL_SOL_TCP, RL_TCP_QUICKACK, 1);
	fix_expect_none(&f, "silent");
	fix_done(&f);
}

/* Both directions closed is news for somebody who waits for nothing else. */
TEST(hang_up_is_told)
{
	static const struct { const char *name; bool peer_first; } t[] = {
		{ "their FIN first", true }, { "our FIN first", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct fix f;

		fix_init(&f, false);
		fix_establish(&f, false, false);
		if (t[i].peer_first)
			fix_in(&f, "F.", 1, 0, 1, 65535);
		else
			rill_tcp_shutdown(f.st, f.fd, RILL_SHUT_WR);
		fix_drain(&f);
		fix_event(&f);
		CHECK("not yet", !(rill_tcp_poll(f.st, f.fd) & RILL_HUP));
		if (t[i].peer_first)
			rill_tcp_shutdown(f.st, f.fd, RILL_SHUT_WR);
		else
			fix_in(&f, "F.", 1, 0, 1, 65535);
		CHECK("it is true", rill_tcp_poll(f.st, f.fd) & RILL_HUP);
		CHECK(t[i].name, fix_event(&f) & RILL_HUP);
		fix_done(&f);
	}
}

/* An attempt that failed leaves no address behind: the next may go elsewhere. */
TEST(second_attempt_from_another_address)
{
	struct rill_addr peer = { .ip = rl_ip4(0x0a000002), .port = FIX_PEER_PORT };
	struct rill_addr six = { .port = FIX_PORT }, me;
	struct fix f;

	fix_init(&f, false);
	six.ip.b[15] = 1;			/* ::1 */
	fix_reach(&f, RILL_SYN_SENT);
	fix_in(&f, "R.", 0, 0, 1, 0);
	CHECK_EQ("refused", rill_tcp_connect(f.st, f.fd, &peer, 0), -ECONNREFUSED);
	CHECK_EQ("another family", rill_tcp_connect(f.st, f.fd, &six, 0), -EINPROGRESS);
	CHECK_EQ("local", rill_tcp_local(f.st, f.fd, &me), 0);
	CHECK("its own address", rl_ip_eq(&me.ip, &six.ip));
	fix_done(&f);
}

/* [RFC6429-02] A peer that keeps its window closed does not keep an orphan for ever. */
TEST(orphan_before_a_closed_window)
{
	struct out_seg o;
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	fix_in(&f, ".", 1, 0, 1, 0);
	fix_send(&f, 100);
	fix_drain(&f);
	rill_tcp_close(f.st, f.fd);
	for (int i = 0; i < 3000 && fix_state(&f) != RILL_CLOSE; i++) {
		fix_advance_ms(&f, 1000);
		while ((o = fix_out(&f)).there && !(o.flags & TH_RST))
			fix_in(&f, ".", 1, 0, 1, 0);
		CHECK("not soon", i >= 120 || fix_state(&f) == RILL_FIN_WAIT1);
	}
	CHECK_EQ("given up", fix_state(&f), RILL_CLOSE);
	fix_done(&f);
}
