/* SPDX-License-Identifier: MIT */
/*
 * The eleven states and the arrows between them [RFC9293:3.3.2]: each arrow of
 * figure 5 is crossed by segments and calls and observed from outside, each pair
 * that is no arrow is refused by the one function that sets the state.
 */
#include <errno.h>

#include "tcp_fix.h"
#include "tcp/conn.h"

/* ---- the matrix ---- */

struct arrow { uint8_t from, to; };

/* Figure 5, and the ends by reset, timeout and abort of its text. */
static const struct arrow figure5[] = {
	{ RILL_CLOSE, RILL_LISTEN }, { RILL_CLOSE, RILL_SYN_SENT },
	{ RILL_LISTEN, RILL_SYN_RECV }, { RILL_LISTEN, RILL_SYN_SENT },
	{ RILL_LISTEN, RILL_CLOSE },
	{ RILL_SYN_SENT, RILL_SYN_RECV }, { RILL_SYN_SENT, RILL_ESTABLISHED },
	{ RILL_SYN_SENT, RILL_CLOSE },
	{ RILL_SYN_RECV, RILL_ESTABLISHED }, { RILL_SYN_RECV, RILL_FIN_WAIT1 },
	{ RILL_SYN_RECV, RILL_LISTEN }, { RILL_SYN_RECV, RILL_CLOSE },
	{ RILL_ESTABLISHED, RILL_FIN_WAIT1 }, { RILL_ESTABLISHED, RILL_CLOSE_WAIT },
	{ RILL_ESTABLISHED, RILL_CLOSE },
	{ RILL_FIN_WAIT1, RILL_FIN_WAIT2 }, { RILL_FIN_WAIT1, RILL_CLOSING },
	{ RILL_FIN_WAIT1, RILL_TIME_WAIT }, { RILL_FIN_WAIT1, RILL_CLOSE },
	{ RILL_FIN_WAIT2, RILL_TIME_WAIT }, { RILL_FIN_WAIT2, RILL_CLOSE },
	{ RILL_CLOSE_WAIT, RILL_LAST_ACK }, { RILL_CLOSE_WAIT, RILL_CLOSE },
	{ RILL_CLOSING, RILL_TIME_WAIT }, { RILL_CLOSING, RILL_CLOSE },
	{ RILL_LAST_ACK, RILL_CLOSE },
	{ RILL_TIME_WAIT, RILL_CLOSE },
};

static bool drawn(unsigned from, unsigned to)
{
	for (size_t i = 0; i < ARRAY_LEN(figure5); i++)
		if (figure5[i].from == from && figure5[i].to == to)
			return true;
	return false;
}

/* [A27] */
TEST(matrix_is_figure_5)
{
	for (unsigned from = 0; from <= RILL_TCP_STATES; from++)
		for (unsigned to = 0; to <= RILL_TCP_STATES; to++)
			CHECK_EQ(rl_label("%s to %s", rill_state_name((int)from),
					  rill_state_name((int)to)),
				 rl_tcp_legal((uint8_t)from, (uint8_t)to), drawn(from, to));
}

static struct tcp_conn *conn_of(struct fix *f, int state)
{
	return rl_tcp_find(f->st, state == RILL_LISTEN ? f->listener : f->fd);
}

/* The writer refuses what the matrix refuses, in a connection that is there. [A27] */
TEST(illegal_transitions_are_refused)
{
	for (int from = RILL_ESTABLISHED; from < RILL_TCP_STATES; from++) {
		uint32_t before[RILL_TCP_STATES], after[RILL_TCP_STATES];
		struct tcp_conn *c;
		struct fix f;

		fix_init(&f, false);
		fix_reach(&f, from);
		c = conn_of(&f, from);
		REQUIRE("there", c != NULL);
		CHECK_EQ(rill_state_name(from), c->state, from);
		fix_arrows(&f);
		rill_stack_state_counts(f.st, before);
		for (unsigned to = 0; to <= RILL_TCP_STATES; to++) {
			if (drawn((unsigned)from, to))
				continue;
			CHECK(rl_label("%s to %s refused", rill_state_name(from),
				       rill_state_name((int)to)),
			      !rl_tcp_set_state(f.st, c, (uint8_t)to));
			CHECK_EQ("state unchanged", c->state, from);
		}
		rill_stack_state_counts(f.st, after);
		CHECK_MEM("counts unchanged", after, before, sizeof(before));
		CHECK_STR("nothing traced", fix_arrows(&f), "");
		fix_done(&f);
	}
}

/* ---- the arrows, one row each ---- */

static void do_listen(struct fix *f)
{
	fix_listen(f);
}

static void do_connect(struct fix *f)
{
	struct rill_addr peer = { .ip = rl_ip4(0x0a000002), .port = FIX_PEER_PORT };

	CHECK_EQ("connect", rill_tcp_connect(f->st, f->fd, &peer, 0), -EINPROGRESS);
}

static void do_connect_listener(struct fix *f)
{
	f->fd = f->listener;
	do_connect(f);
	f->got_iss = false;
	fix_expect(f, "SYN from the listening port", "S", 0, 0, 0);
}

static void do_close(struct fix *f)
{
	CHECK_EQ("close", rill_tcp_close(f->st, f->fd), 0);
}

static void do_close_listener(struct fix *f)
{
	CHECK_EQ("close", rill_tcp_close(f->st, f->listener), 0);
}

static void do_abort(struct fix *f)
{
	CHECK_EQ("abort", rill_tcp_abort(f->st, f->fd), 0);
}

static void do_shutdown(struct fix *f)
{
	CHECK_EQ("shutdown", rill_tcp_shutdown(f->st, f->fd, RILL_SHUT_WR), 0);
}

static void in_syn(struct fix *f)
{
	fix_in(f, "S", 0, 0, 0, 65535);
}

static void in_synack(struct fix *f)
{
	fix_in(f, "S.", 0, 0, f->snd_nxt, 65535);
}

static void in_ack(struct fix *f)
{
	fix_in(f, ".", f->rcv_nxt, 0, f->snd_nxt, 65535);
}

static void in_fin(struct fix *f)
{
	fix_in(f, "F.", f->rcv_nxt, 0, f->snd_una, 65535);
}

static void in_fin_acking(struct fix *f)
{
	fix_in(f, "F.", f->rcv_nxt, 0, f->snd_nxt, 65535);
}

static void in_rst(struct fix *f)
{
	fix_in(f, "R.", f->rcv_nxt, 0, f->snd_nxt, 0);
}

static void wait_2msl(struct fix *f)
{
	fix_advance_ms(f, 60001);
}

static void wait_long(struct fix *f)
{
	fix_advance_ms(f, 2000 * 1000);
	fix_drain(f);
}

static const struct {
	const char *name;
	int	 from;
	void	 (*what)(struct fix *f);
	const char *arrows;		/* as traced */
} crossings[] = {
	{ "passive OPEN", RILL_CLOSE, do_listen, "CLOSED>LISTEN" },
	{ "active OPEN", RILL_CLOSE, do_connect, "CLOSED>SYN-SENT" },
	{ "SYN to a listener", RILL_LISTEN, in_syn, "LISTEN>SYN-RECEIVED" },
	/* [A16] LISTEN to SYN-SENT */
	{ "OPEN of a listener", RILL_LISTEN, do_connect_listener, "LISTEN>SYN-SENT" },
	{ "CLOSE of a listener", RILL_LISTEN, do_close_listener, "LISTEN>CLOSED" },
	/* [A14] [A16] SYN-SENT to SYN-RECEIVED */
	{ "simultaneous open", RILL_SYN_SENT, in_syn, "SYN-SENT>SYN-RECEIVED" },
	{ "SYN+ACK", RILL_SYN_SENT, in_synack, "SYN-SENT>ESTABLISHED" },
	{ "CLOSE before the answer", RILL_SYN_SENT, do_close, "SYN-SENT>CLOSED" },
	{ "refused", RILL_SYN_SENT, in_rst, "SYN-SENT>CLOSED" },
	/* [A16] SYN-SENT to CLOSED on timeout */
	{ "no answer", RILL_SYN_SENT, wait_long, "SYN-SENT>CLOSED" },
	{ "last ACK, simultaneous", RILL_SYN_RECV, in_ack, "SYN-RECEIVED>ESTABLISHED" },
	{ "last ACK, passive", FIX_SYN_RECV_PASSIVE, in_ack, "SYN-RECEIVED>ESTABLISHED" },
	/* [A16] SYN-RECEIVED to FIN-WAIT-1 */
	{ "CLOSE in SYN-RECEIVED", RILL_SYN_RECV, do_shutdown, "SYN-RECEIVED>FIN-WAIT-1" },
	/* [A16] SYN-RECEIVED to LISTEN on RST [RFC9293:MUST-11] */
	{ "RST, passive", FIX_SYN_RECV_PASSIVE, in_rst, "SYN-RECEIVED>LISTEN" },
	{ "RST, active", RILL_SYN_RECV, in_rst, "SYN-RECEIVED>CLOSED" },
	{ "no last ACK, passive", FIX_SYN_RECV_PASSIVE, wait_long, "SYN-RECEIVED>LISTEN" },
	{ "no last ACK, active", RILL_SYN_RECV, wait_long, "SYN-RECEIVED>CLOSED" },
	{ "CLOSE", RILL_ESTABLISHED, do_shutdown, "ESTABLISHED>FIN-WAIT-1" },
	{ "FIN", RILL_ESTABLISHED, in_fin, "ESTABLISHED>CLOSE-WAIT" },
	{ "RST", RILL_ESTABLISHED, in_rst, "ESTABLISHED>CLOSED" },
	{ "ABORT", RILL_ESTABLISHED, do_abort, "ESTABLISHED>CLOSED" },
	{ "ACK of FIN", RILL_FIN_WAIT1, in_ack, "FIN-WAIT-1>FIN-WAIT-2" },
	/* [A15] */
	{ "simultaneous close", RILL_FIN_WAIT1, in_fin, "FIN-WAIT-1>CLOSING" },
	/* one segment, the RFC's steps five and eight */
	{ "FIN with the ACK of ours", RILL_FIN_WAIT1, in_fin_acking,
	  "FIN-WAIT-1>FIN-WAIT-2 FIN-WAIT-2>TIME-WAIT" },
	{ "RST in FIN-WAIT-1", RILL_FIN_WAIT1, in_rst, "FIN-WAIT-1>CLOSED" },
	{ "no ACK of FIN", RILL_FIN_WAIT1, wait_long, "FIN-WAIT-1>CLOSED" },
	{ "FIN in FIN-WAIT-2", RILL_FIN_WAIT2, in_fin, "FIN-WAIT-2>TIME-WAIT" },
	{ "RST in FIN-WAIT-2", RILL_FIN_WAIT2, in_rst, "FIN-WAIT-2>CLOSED" },
	{ "CLOSE in CLOSE-WAIT", RILL_CLOSE_WAIT, do_shutdown, "CLOSE-WAIT>LAST-ACK" },
	{ "RST in CLOSE-WAIT", RILL_CLOSE_WAIT, in_rst, "CLOSE-WAIT>CLOSED" },
	{ "ACK of FIN in CLOSING", RILL_CLOSING, in_ack, "CLOSING>TIME-WAIT" },
	{ "RST in CLOSING", RILL_CLOSING, in_rst, "CLOSING>CLOSED" },
	{ "ACK of FIN in LAST-ACK", RILL_LAST_ACK, in_ack, "LAST-ACK>CLOSED" },
	{ "RST in LAST-ACK", RILL_LAST_ACK, in_rst, "LAST-ACK>CLOSED" },
	{ "no ACK in LAST-ACK", RILL_LAST_ACK, wait_long, "LAST-ACK>CLOSED" },
	{ "2 MSL", RILL_TIME_WAIT, wait_2msl, "TIME-WAIT>CLOSED" },
};

/* [A14] [A15] [A16] [A27] */
TEST(every_arrow_is_crossed)
{
	for (size_t i = 0; i < ARRAY_LEN(crossings); i++) {
		struct fix f;

		fix_init(&f, false);
		fix_reach(&f, crossings[i].from);
		fix_arrows(&f);
		crossings[i].what(&f);
		fix_drain(&f);
		CHECK_STR(crossings[i].name, fix_arrows(&f), crossings[i].arrows);
		fix_done(&f);
	}
}

/* The table above leaves out no arrow; FIN-WAIT-1 to TIME-WAIT takes one segment. */
TEST(no_arrow_is_forgotten)
{
	for (size_t i = 0; i < ARRAY_LEN(figure5); i++) {
		const char *want = rl_label("%s>%s", rill_state_name(figure5[i].from),
					    rill_state_name(figure5[i].to));
		bool found = figure5[i].from == RILL_FIN_WAIT1 &&
			     figure5[i].to == RILL_TIME_WAIT;

		for (size_t k = 0; k < ARRAY_LEN(crossings); k++)
			found |= strstr(crossings[k].arrows, want) != NULL;
		CHECK(want, found);
	}
}

/* ---- whole lives, both ends ---- */

/* [A14] [RFC9293:MUST-10] Four segments, one connection, data flows both ways. */
TEST(simultaneous_open)
{
	struct rill_conn row;
	uint8_t buf[20];
	struct fix f;

	for (int v6 = 0; v6 < 2; v6++) {
		fix_init(&f, v6);
		fix_reach(&f, RILL_SYN_SENT);
		fix_in(&f, "S", 0, 0, 0, 65535);
		fix_expect(&f, "SYN+ACK, number of the SYN", "S.", 0, 0, 1);
		fix_in(&f, "S.", 0, 0, 1, 65535);	/* the peer's crosses ours */
		CHECK_EQ("open", fix_state(&f), RILL_ESTABLISHED);
		fix_drain(&f);
		CHECK("writable", fix_event(&f) & RILL_OUT);
		CHECK_EQ("write", fix_send(&f, 10), 10);
		fix_expect(&f, "data", "P.", 1, 10, 1);
		fix_in(&f, "P.", 1, 20, 11, 65535);
		CHECK_EQ("read", fix_recv(&f, buf, 20), 20);
		CHECK("one row", fix_conn(&f, &row));
		CHECK_EQ("active", fix_counter(&f, "tcp.active_opens"), 1);
		CHECK_EQ("not passive", fix_counter(&f, "tcp.passive_opens"), 0);
		fix_done(&f);
	}
}

/* [RFC6298-09] The SYN+ACK repeats our SYN: the next one waits for it. */
TEST(simultaneous_open_late)
{
	struct fix f;

	fix_init(&f, false);
	fix_reach(&f, RILL_SYN_SENT);
	fix_advance_ms(&f, 900);
	fix_in(&f, "S", 0, 0, 0, 65535);
	fix_expect(&f, "SYN+ACK", "S.", 0, 0, 1);
	fix_advance_ms(&f, 999);
	fix_expect_none(&f, "not before");
	fix_advance_ms(&f, 1);
	fix_expect(&f, "again", "S.", 0, 0, 1);
	fix_done(&f);
}

/* [A14] Two stacks that call each other at the same moment. */
TEST(simultaneous_open_of_two_stacks)
{
	struct rill_addr name[2];
	rill_id id[2];
	struct duo d;

	for (int v6 = 0; v6 < 2; v6++) {
		duo_init(&d, 1500, v6, 1);
		for (int i = 0; i < 2; i++) {
			name[i] = duo_addr(i, v6, (uint16_t)(4000 + i));
			CHECK_EQ("open", rill_tcp_open(d.st[i], 0, &id[i]), 0);
			CHECK_EQ("bind", rill_tcp_bind(d.st[i], id[i], &name[i], 0), 0);
		}
		for (int i = 0; i < 2; i++)
			CHECK_EQ("connect", rill_tcp_connect(d.st[i], id[i], &name[!i], 0),
				 -EINPROGRESS);
		duo_run(&d, d.now_ns + 100 * RL_MS);
		for (int i = 0; i < 2; i++) {
			uint32_t n[RILL_TCP_STATES];

			rill_stack_state_counts(d.st[i], n);
			CHECK_EQ("open", n[RILL_ESTABLISHED], 1);
			rill_tcp_shutdown(d.st[i], id[i], RILL_SHUT_WR);
		}
		/* [A15] and hang up at the same moment */
		duo_run(&d, d.now_ns + 100 * RL_MS);
		for (int i = 0; i < 2; i++) {
			uint32_t n[RILL_TCP_STATES];

			rill_stack_state_counts(d.st[i], n);
			CHECK_EQ("both wait", n[RILL_TIME_WAIT], 1);
			rill_tcp_close(d.st[i], id[i]);
		}
		duo_done(&d);
	}
}

/* [A16] CLOSE in SYN-RECEIVED: the handshake completes, then FIN goes out. */
TEST(close_in_syn_received)
{
	struct fix f;

	fix_init(&f, false);
	fix_reach(&f, RILL_SYN_RECV);
	CHECK_EQ("close", rill_tcp_close(f.st, f.fd), 0);
	CHECK_EQ("state", fix_state(&f), RILL_FIN_WAIT1);
	fix_drain(&f);
	fix_in(&f, ".", 1, 0, 1, 65535);
	fix_expect(&f, "FIN once the SYN is acknowledged", "F.", 1, 0, 1);
	fix_in(&f, ".", 1, 0, 2, 65535);
	CHECK_EQ("state", fix_state(&f), RILL_FIN_WAIT2);
	fix_in(&f, "F.", 1, 0, 2, 65535);
	fix_expect(&f, "ACK", ".", 2, 0, 2);
	CHECK_EQ("state", fix_state(&f), RILL_TIME_WAIT);
	fix_advance_ms(&f, 60001);
	fix_done(&f);
}

/* [A16] The same when the SYN+ACK was lost: what the peer misses is a SYN. */
TEST(close_in_syn_received_then_loss)
{
	struct fix f;
	struct out_seg o;

	fix_init(&f, false);
	fix_reach(&f, RILL_SYN_RECV);
	CHECK_EQ("close", rill_tcp_close(f.st, f.fd), 0);
	fix_drain(&f);
	fix_advance_ms(&f, 3100);
	o = fix_out(&f);
	CHECK("something is sent again", o.there);
	CHECK_EQ("with the SYN", o.flags & (TH_SYN | TH_ACK), TH_SYN | TH_ACK);
	CHECK_EQ("its number", o.seq, 0);
	fix_drain(&f);
	fix_in(&f, ".", 1, 0, 1, 65535);
	fix_expect(&f, "FIN", "F.", 1, 0, 1);
	fix_done(&f);
}

/* [A15] [RFC9293:3.6] */
TEST(simultaneous_close)
{
	struct fix f;

	fix_init(&f, false);
	fix_reach(&f, RILL_FIN_WAIT1);
	fix_in(&f, "F.", 1, 0, 1, 65535);
	CHECK_EQ("CLOSING", fix_state(&f), RILL_CLOSING);
	fix_expect(&f, "ACK of the peer's FIN", ".", 2, 0, 2);
	fix_advance_ms(&f, 250);
	fix_expect(&f, "our FIN again", "F.", 1, 0, 2);
	fix_in(&f, ".", 2, 0, 2, 65535);
	CHECK_EQ("TIME-WAIT", fix_state(&f), RILL_TIME_WAIT);
	fix_expect_none(&f, "that was an ACK");
	fix_advance_ms(&f, 60001);
	CHECK_EQ("over", fix_state(&f), RILL_CLOSE);
	fix_done(&f);
}

/* Counts per state follow each step; every pool is where it was at the end. */
TEST(state_counts)
{
	static const int states[] = {
		RILL_CLOSE, RILL_LISTEN, RILL_SYN_SENT, RILL_SYN_RECV, FIX_SYN_RECV_PASSIVE,
		RILL_ESTABLISHED, RILL_FIN_WAIT1, RILL_FIN_WAIT2, RILL_CLOSE_WAIT,
		RILL_CLOSING, RILL_LAST_ACK, RILL_TIME_WAIT,
	};

	for (size_t i = 0; i < ARRAY_LEN(states); i++) {
		int s = states[i] == FIX_SYN_RECV_PASSIVE ? RILL_SYN_RECV : states[i];
		uint32_t n[RILL_TCP_STATES];
		struct fix f;

		fix_init(&f, false);
		fix_reach(&f, states[i]);
		rill_stack_state_counts(f.st, n);
		CHECK_EQ(rill_state_name(s), n[s], 1);
		if (f.listener)
			rill_tcp_close(f.st, f.listener);
		if (f.fd)
			rill_tcp_abort(f.st, f.fd);
		fix_drain(&f);
		fix_advance_ms(&f, 60001);
		rill_stack_state_counts(f.st, n);
		for (int k = 0; k < RILL_TCP_STATES; k++)
			CHECK_EQ(rl_label("none left in %s", rill_state_name(k)), n[k], 0);
		CHECK_EQ("control blocks", fix_counter(&f, "pool.conns"), 0);
		CHECK_EQ("half open", fix_counter(&f, "pool.half_open"), 0);
		CHECK_EQ("TIME-WAIT", fix_counter(&f, "pool.time_wait"), 0);
		CHECK_EQ("orphans", fix_counter(&f, "pool.orphans"), 0);
		CHECK_EQ("ranges", fix_counter(&f, "pool.rtx"), 0);
		CHECK_EQ("timers", fix_counter(&f, "pool.timers"), 0);
		fix_done(&f);
	}
}
