/* SPDX-License-Identifier: MIT */
/* What rill_stack_conns() says of an endpoint beside TCP_INFO [D1] [C5] [C13] [C3]. */
#include <errno.h>

#include "tcp_fix.h"
#include "stack/sockopt_nums.h"

static struct rill_conn conn_of(struct fix *f)
{
	struct rill_conn c = { 0 };

	CHECK("there", fix_conn(f, &c));
	return c;
}

/* [C5] a program that knows of the end and does not close is told from one that sleeps */
TEST(end_of_file_known)
{
	struct rill_conn c;
	uint8_t buf[8];
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	fix_in(&f, "PF.", 1, 5, 1, 65535);
	c = conn_of(&f);
	CHECK_EQ("state", c.state, RILL_CLOSE_WAIT);
	CHECK("the end came", c.eof);
	CHECK("nobody looked", !c.eof_read);
	CHECK_EQ("unread", c.recv_q, 5);
	CHECK_EQ("text", fix_recv(&f, buf, 8), 5);
	CHECK("text is not the end", !conn_of(&f).eof_read);
	CHECK_EQ("end", fix_recv(&f, buf, 8), 0);
	c = conn_of(&f);
	CHECK("known", c.eof_read);
	CHECK_EQ("no side shut", c.shutdown, 0);
	CHECK_EQ("shutdown", rill_tcp_shutdown(f.st, f.fd, RILL_SHUT_WR), 0);
	CHECK_EQ("sending shut", conn_of(&f).shutdown, 2);
	CHECK_EQ("shutdown", rill_tcp_shutdown(f.st, f.fd, RILL_SHUT_RD), 0);
	CHECK_EQ("both shut", conn_of(&f).shutdown, 3);
	fix_drain(&f);
	fix_done(&f);
}

/* [C13] how patient it is */
TEST(patience)
{
	struct rill_conn c;
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	c = conn_of(&f);
	CHECK("off", !c.keepalive);
	CHECK_EQ("idle, the stack's", c.keepidle_s, 7200);
	CHECK_EQ("interval, the stack's", c.keepintvl_s, 75);
	CHECK_EQ("count, the stack's", c.keepcnt, 9);
	CHECK_EQ("no user timeout", c.user_timeout_ms, 0);
	fix_setopt(&f, RL_SOL_SOCKET, RL_SO_KEEPALIVE, 1);
	fix_setopt(&f, RL_SOL_TCP, RL_TCP_KEEPIDLE, 60);
	fix_setopt(&f, RL_SOL_TCP, RL_TCP_KEEPINTVL, 7);
	fix_setopt(&f, RL_SOL_TCP, RL_TCP_KEEPCNT, 3);
	fix_setopt(&f, RL_SOL_TCP, RL_TCP_USER_TIMEOUT, 9000);
	fix_setopt(&f, RL_SOL_IP, RL_IP_TOS, 0x20);
	c = conn_of(&f);
	CHECK("on", c.keepalive);
	CHECK_EQ("idle", c.keepidle_s, 60);
	CHECK_EQ("interval", c.keepintvl_s, 7);
	CHECK_EQ("count", c.keepcnt, 3);
	CHECK_EQ("user timeout", c.user_timeout_ms, 9000);
	CHECK_EQ("tos", c.tos, 0x20);
	fix_drain(&f);
	fix_done(&f);
}

static struct rill_conn listener_of(struct fix *f)
{
	struct rill_conn c[16];
	uint64_t cursor = 0;
	int n = rill_stack_conns(f->st, &cursor, c, 16);

	for (int i = 0; i < n; i++)
		if (c[i].state == RILL_LISTEN)
			return c[i];
	CHECK("a listener", false);
	return c[0];
}

/* [C3] a flood fills the SYN queue, a program that does not accept the other one */
TEST(queues_of_a_listener)
{
	struct rill_conn l;
	struct fix f;

	fix_init(&f, false);
	fix_listen(&f);
	CHECK_EQ("backlog", rill_tcp_listen(f.st, f.listener, 2), 0);
	for (uint16_t port = 1; port <= 4; port++)
		fix_knock(&f, port, false);
	l = listener_of(&f);
	CHECK_EQ("half-open", l.syn_q, 2);
	CHECK_EQ("limit", l.syn_q_max, 2);
	CHECK_EQ("refused", l.syn_drops, 2);
	CHECK_EQ("not for the other queue", l.accept_overflows, 0);
	fix_done(&f);

	fix_init(&f, false);
	fix_listen(&f);
	CHECK_EQ("backlog", rill_tcp_listen(f.st, f.listener, 1), 0);
	for (uint16_t port = 1; port <= 4; port++)
		fix_knock(&f, port, true);
	l = listener_of(&f);
	CHECK_EQ("nobody half-open", l.syn_q, 0);
	CHECK_EQ("accept queue", l.recv_q, 2);
	CHECK_EQ("its limit", l.send_q, 1);
	CHECK_EQ("overflows", l.accept_overflows, 2);
	CHECK_EQ("each was a SYN", l.syn_drops, 2);
	fix_done(&f);
}

/* ---- one by its four-tuple ---- */

static int find(struct fix *f, uint16_t pport, struct rill_conn *c)
{
	const struct rill_addr local = { { .b = { [10] = 0xff, 0xff, 10, 0, 0, 1 } }, f->lport, 0 };
	const struct rill_addr peer = { { .b = { [10] = 0xff, 0xff, 10, 0, 0, 2 } }, pport, 0 };

	return rill_stack_find(f->st, &local, &peer, c);
}

TEST(found_by_its_names)
{
	struct rill_conn c;
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	CHECK_EQ("a connection", find(&f, FIX_PEER_PORT, &c), 0);
	CHECK_EQ("that one", c.id, f.fd);
	CHECK("with details", c.has_info && c.state == RILL_ESTABLISHED);
	CHECK_EQ("another port", find(&f, FIX_PEER_PORT + 1, &c), -ENOENT);
	fix_knock(&f, 4444, false);
	CHECK_EQ("a half-open peer", find(&f, 4444, &c), 0);
	CHECK("as such", c.half_open && c.state == RILL_SYN_RECV);
	fix_done(&f);
	fix_init(&f, false);
	fix_reach(&f, RILL_TIME_WAIT);
	CHECK_EQ("in TIME-WAIT", find(&f, FIX_PEER_PORT, &c), 0);
	CHECK_EQ("as such", c.state, RILL_TIME_WAIT);
	fix_advance_ms(&f, 61000);
	CHECK_EQ("and then no more", find(&f, FIX_PEER_PORT, &c), -ENOENT);
	fix_done(&f);
}

/* ---- the trace, begun and ended while the stack runs ---- */

static unsigned traced(struct fix *f)
{
	struct rill_trace ev;
	unsigned n = 0;

	while (rill_stack_trace(f->st, &ev))
		n++;
	return n;
}

TEST(trace_on_and_off)
{
	struct fix f;

	fix_init(&f, false);
	CHECK_EQ("off", rill_stack_trace_events(f.st, 0), 0);
	fix_establish(&f, false, false);
	CHECK_EQ("nothing", traced(&f), 0);
	CHECK_EQ("on", rill_stack_trace_events(f.st, 3), 0);	/* four: a power of two */
	fix_in(&f, "F.", 1, 0, 1, 65535);
	CHECK_EQ("one", traced(&f), 1);
	for (uint16_t port = 1; port <= 6; port++)
		fix_knock(&f, port, false);
	CHECK_EQ("the last four", traced(&f), 4);
	CHECK_EQ("two are gone", rill_stack_trace_lost(f.st), 2);
	CHECK_EQ("told once", rill_stack_trace_lost(f.st), 0);
	fix_knock(&f, 7, false);
	CHECK_EQ("a new one is empty", rill_stack_trace_events(f.st, 8), 0);
	CHECK_EQ("indeed", traced(&f), 0);
	f.alloc_dead = true;
	CHECK_EQ("no memory", rill_stack_trace_events(f.st, 1 << 20), -ENOMEM);
	f.alloc_dead = false;
	fix_knock(&f, 8, false);
	CHECK_EQ("and no trace then", traced(&f), 0);
	fix_drain(&f);
	fix_done(&f);
}
