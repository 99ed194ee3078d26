/* SPDX-License-Identifier: MIT */
/*
 * Running out of memory is an ordinary path: lives of connections are run again
 * with the N-th allocation failing, for N = 1, 2, ... until one runs clean.  No
 * crash, no leak; what failed is told by an error or mended by a retransmission.
 */
#include <errno.h>

#include "tcp_fix.h"
#include "base/types.h"
#include "stack/sockopt_nums.h"
#include "tcp/conn.h"

static int64_t try_send(struct fix *f, size_t n)
{
	return f->fd ? fix_send(f, n) : -1;
}

/* The peer: acknowledge what comes, whatever it is. */
static uint32_t serve(struct fix *f, uint32_t seq)
{
	struct out_seg o;

	for (int i = 0; i < 60; i++) {
		bool any = false;

		while ((o = fix_out(f)).there) {
			uint32_t end = o.seq + o.len + !!(o.flags & TH_FIN);

			if ((int32_t)(end - f->snd_nxt) > 0 && (int32_t)(o.seq - f->snd_nxt) <= 0)
				f->snd_nxt = end;
			any = true;
		}
		if (!any)
			break;
		fix_in(f, ".", seq, 0, f->snd_nxt, 65535);
	}
	return f->snd_nxt;
}

/* Passive open, data both ways out of order, loss, urgent data, close to the end. */
static bool passive_life(struct fix *f)
{
	struct rill_addr a = { .port = FIX_PORT };
	uint8_t buf[3000];
	bool whole = true;
	uint32_t nxt;
	int64_t n;

	f->fd = 0;
	f->snd_nxt = 1;
	if (rill_tcp_open(f->st, 0, &f->listener) < 0)
		return false;
	if (rill_tcp_bind(f->st, f->listener, &a, 0) < 0 ||
	    rill_tcp_listen(f->st, f->listener, 8) < 0) {
		rill_tcp_close(f->st, f->listener);
		return false;
	}
	for (int i = 0; i < 3 && !f->fd; i++) {	/* the peer tries again */
		f->got_iss = false;
		fix_in(f, "S", 0, 0, 0, 65535);
		fix_advance_ms(f, 1001);
		fix_drain(f);
		if (f->got_iss)
			fix_in(f, ".", 1, 0, 1, 65535);
		if (rill_tcp_accept(f->st, f->listener, 7, &f->fd, NULL) < 0)
			f->fd = 0;
	}
	whole &= f->fd != 0;
	if (f->fd)
		fix_setopt(f, RL_SOL_TCP, RL_TCP_KEEPIDLE, 100);
	for (int round = 0; round < 2; round++) {	/* all again: what got lost */
		fix_in(f, ".", 101, 100, 1, 65535);
		fix_in(f, "U.", 301, 100, 1, 65535);
		fix_in(f, ".", 201, 100, 1, 65535);
		fix_in(f, ".", 1, 100, 1, 65535);
		fix_drain(f);
	}
	n = f->fd ? fix_recv(f, buf, sizeof(buf)) : 0;
	whole &= n == 400;
	for (int64_t i = 0; i < n; i++)
		CHECK_EQ("byte", buf[i], (uint8_t)(1 + i));
	whole &= try_send(f, 5000) == 5000;
	fix_drain(f);				/* all of it lost */
	for (int i = 0; i < 20; i++) {
		fix_advance_ms(f, 300);
		nxt = serve(f, 401);
	}
	whole &= nxt == 5001;
	if (f->fd)
		rill_tcp_close(f->st, f->fd);
	rill_tcp_close(f->st, f->listener);
	nxt = serve(f, 401);
	fix_in(f, "F.", 401, 0, nxt, 65535);
	fix_drain(f);
	return whole;
}

/* Active open, a write, the peer closes first. */
static bool active_life(struct fix *f)
{
	struct rill_addr a = { .ip = f->v6 ? (struct rill_ip){ .b = { 0xfd, [15] = 2 } }
					   : rl_ip4(0x0a000002), .port = FIX_PEER_PORT };
	bool whole = true;
	struct out_seg o;
	uint32_t nxt;
	int err;

	f->fd = f->listener = 0;
	f->snd_nxt = 1;
	if (rill_tcp_open(f->st, 0, &f->fd) < 0)
		return false;
	for (int i = 0; i < 2; i++) {
		err = rill_tcp_connect(f->st, f->fd, &a, 0);
		if (err == -EINPROGRESS)
			break;
		CHECK_EQ("connect", err, -ENOBUFS);
		whole = false;
	}
	f->got_iss = false;
	f->lport = 0;
	for (int i = 0; i < 4; i++) {
		while ((o = fix_out(f)).there)
			f->lport = o.sport;
		if (f->lport)
			break;
		fix_advance_ms(f, 1001);
	}
	whole &= f->lport != 0;
	fix_in(f, "S.", 0, 0, 1, 65535);
	whole &= try_send(f, 100) == 100;
	for (int i = 0; i < 10; i++) {
		nxt = serve(f, 1);
		fix_advance_ms(f, 300);
	}
	whole &= nxt == 101;
	fix_in(f, "F.", 1, 0, nxt, 65535);
	fix_drain(f);
	rill_tcp_close(f->st, f->fd);
	serve(f, 2);
	return whole;
}

static void until_clean(bool (*life)(struct fix *f), bool v6)
{
	uint64_t n;
	int broken = 0;
	bool done = false;

	for (n = 1; n < 500 && !done; n++) {
		uint32_t states[RILL_TCP_STATES];
		struct fix f;
		bool whole;

		fix_init(&f, v6);
		f.may_fail = true;
		f.alloc_fail_at = f.alloc_n + n;
		whole = life(&f);
		done = f.alloc_n < f.alloc_fail_at;
		broken += !whole;
		CHECK(rl_label("allocation %d: a clean run is whole", (int)n), whole || !done);
		for (int i = 0; i < 30; i++) {		/* timers end what is left */
			fix_advance_ms(&f, 100 * 1000);
			fix_drain(&f);
		}
		rill_stack_state_counts(f.st, states);
		for (int s = 0; s < RILL_TCP_STATES; s++)
			CHECK_EQ(rl_label("allocation %d: none left in %s", (int)n,
					  rill_state_name(s)), states[s], 0);
		CHECK_EQ("conns", fix_counter(&f, "pool.conns"), 0);
		CHECK_EQ("ranges", fix_counter(&f, "pool.rtx"), 0);
		CHECK_EQ("reassembly", fix_counter(&f, "pool.ooo"), 0);
		CHECK_EQ("chunks", fix_counter(&f, "pool.chunks"), 0);
		CHECK_EQ("packets", fix_counter(&f, "pool.packets"), 0);
		fix_done(&f);
	}
	CHECK("it comes to an end", done);
	CHECK(rl_label("%d allocations, %d told", (int)n - 2, broken), n > 5);
}

TEST(passive)
{
	until_clean(passive_life, false);
}

TEST(passive_v6)
{
	until_clean(passive_life, true);
}

TEST(active)
{
	until_clean(active_life, false);
}

/* No packet when there was something to send: the timer tries again, by itself. */
TEST(no_packet)
{
	static struct rill_pkt *kept[100000];
	size_t n = 0;
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	CHECK_EQ("write", fix_send(&f, 100), 100);
	fix_expect(&f, "with memory", "P.", 1, 100, 1);
	fix_in(&f, ".", 1, 0, 101, 65535);
	CHECK_EQ("write", fix_send(&f, 500), 500);
	CHECK_EQ("shutdown", rill_tcp_shutdown(f.st, f.fd, RILL_SHUT_WR), 0);
	f.alloc_dead = true;
	while (n < ARRAY_LEN(kept) && (kept[n] = rl_pkt_new(&f.st->bufs, 100)))
		n++;
	fix_expect_none(&f, "no packet");
	CHECK_EQ("held for that", fix_counter(&f, "hold.MEMORY"), 1);
	CHECK_EQ("reason", fix_counter(&f, "drop.NO_MEMORY"), 1);
	CHECK_EQ("nothing counts as sent", fix_info(&f).unacked, 0);
	while (n)
		rl_pkt_free(&f.st->bufs, kept[--n]);
	fix_expect_none(&f, "nobody asked again");
	fix_advance_ms(&f, 201);
	fix_expect(&f, "the timer did", "FP.", 101, 500, 1);
	fix_expect_none(&f, "once");
	f.alloc_dead = false;
	fix_in(&f, ".", 1, 0, 602, 65535);
	CHECK_EQ("known as sent", fix_state(&f), RILL_FIN_WAIT2);
	fix_done(&f);
}

/* No memory at all for a while: it goes on where it stopped. */
TEST(drought)
{
	uint32_t nxt = 1, una = 1;
	struct out_seg o;
	struct fix f;

	fix_init(&f, false);
	fix_sysctl(&f, "net.ipv4.tcp_wmem", "4096 3000000 4000000");
	fix_establish(&f, false, false);
	f.may_fail = true;
	f.alloc_dead = true;
	for (int i = 0; i < 2000 && fix_send(&f, 10000) > 0; i++)
		;				/* until there is none for the queue */
	CHECK("told", fix_send(&f, 10000) == -ENOBUFS || fix_send(&f, 10000) == -EAGAIN);
	for (int i = 0; i < 50; i++) {
		fix_advance_ms(&f, 100);
		fix_drain(&f);
		fix_in(&f, "P.", 1, 100, 1, 65535);
	}
	f.alloc_dead = false;
	CHECK("alive", fix_state(&f) == RILL_ESTABLISHED);
	if (fix_send(&f, 1000) < 0)
		CHECK("sendable again", false);
	for (int i = 0; i < 3000; i++) {
		bool any = false;

		while ((o = fix_out(&f)).there) {
			any = true;
			if ((int32_t)(o.seq - nxt) <= 0 &&
			    (int32_t)(o.seq + o.len - nxt) > 0)
				nxt = o.seq + o.len;
		}
		if (any)
			fix_in(&f, ".", 1, 0, una = nxt, 65535);
		else
			fix_advance_ms(&f, 500);
	}
	CHECK("something was sent", una > 1);
	CHECK_EQ("all of it", fix_info(&f).notsent_bytes + fix_info(&f).unacked, 0);
	fix_done(&f);
}
