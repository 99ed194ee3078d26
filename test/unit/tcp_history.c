/* SPDX-License-Identifier: MIT */
/*
 * Connections that ended: each way of ending by its name, who opened and who closed
 * first, time in each state; the ring that keeps them [D2] [C9] [A21].
 */
#include <errno.h>

#include "tcp_fix.h"
#include "base/types.h"
#include "stack/sockopt_nums.h"

/* The newest record; n 0: there is none. */
static struct rill_history last(struct fix *f)
{
	struct rill_history r[8] = { 0 };
	uint64_t after = 0;
	int n, got = 0;

	while ((n = rill_stack_history(f->st, &after, r, 8)) > 0)
		got = n;
	if (!got)
		return (struct rill_history){ 0 };
	return r[got - 1];
}

/* How it is brought to its end, from where fix_reach() put it. */
enum way {
	BY_RST, BY_CLOSE, BY_ABORT, BY_LINGER, BY_UNREAD, BY_KILL, BY_SHUTDOWN, BY_DATA,
	BY_FIN_ACK, BY_SILENCE, BY_SILENCE_OF_SYN, BY_USER_TIMEOUT, BY_KEEPALIVE,
	BY_KEEPALIVE_USER, BY_ORPHAN_WAIT, BY_LINGER2, BY_ORPHANS, BY_ICMP, BY_LISTENER,
};

static void linger0(struct fix *f)
{
	const int32_t l[2] = { 1, 0 };

	CHECK_EQ("linger", rill_stack_setsockopt(f->st, f->fd, RL_SOL_SOCKET, RL_SO_LINGER, l,
						 sizeof(l)), 0);
}

static void keepalive(struct fix *f)
{
	fix_setopt(f, RL_SOL_TCP, RL_TCP_KEEPIDLE, 10);
	fix_setopt(f, RL_SOL_TCP, RL_TCP_KEEPINTVL, 2);
	fix_setopt(f, RL_SOL_TCP, RL_TCP_KEEPCNT, 2);
	fix_setopt(f, RL_SOL_SOCKET, RL_SO_KEEPALIVE, 1);
}

static void silence(struct fix *f, int64_t seconds)
{
	for (int64_t s = 0; s < seconds; s += 10) {
		fix_advance_ms(f, 10000);
		fix_drain(f);
	}
}

static void end_it(struct fix *f, enum way way)
{
	switch (way) {
	case BY_RST:
		fix_in(f, "R.", f->rcv_nxt, 0, f->snd_nxt, 0);
		break;
	case BY_LINGER:
		linger0(f);
		rill_tcp_close(f->st, f->fd);
		break;
	case BY_UNREAD:
		fix_in(f, "P.", f->rcv_nxt, 7, f->snd_nxt, 65535);
		rill_tcp_close(f->st, f->fd);
		break;
	case BY_CLOSE:
		rill_tcp_close(f->st, f->fd);
		break;
	case BY_ABORT:
		rill_tcp_abort(f->st, f->fd);
		break;
	case BY_KILL:
		CHECK_EQ("killed", rill_tcp_kill(f->st, f->fd), 0);
		break;
	case BY_SHUTDOWN:
		rill_tcp_shutdown(f->st, f->fd, RILL_SHUT_RDWR);
		break;
	case BY_DATA:
		rill_tcp_close(f->st, f->fd);
		fix_in(f, "P.", f->rcv_nxt, 5, f->snd_nxt, 65535);
		break;
	case BY_FIN_ACK:			/* of ours */
		fix_in(f, ".", f->rcv_nxt, 0, f->snd_nxt, 65535);
		break;
	case BY_SILENCE:
		if (fix_state(f) == RILL_ESTABLISHED)	/* otherwise our FIN waits */
			fix_send(f, 10);
		silence(f, 3000);
		break;
	case BY_SILENCE_OF_SYN:
		silence(f, 600);
		break;
	case BY_USER_TIMEOUT:
		fix_setopt(f, RL_SOL_TCP, RL_TCP_USER_TIMEOUT, 5000);
		fix_send(f, 10);
		fix_drain(f);
		silence(f, 20);
		break;
	case BY_KEEPALIVE:
		keepalive(f);
		silence(f, 20);
		break;
	case BY_KEEPALIVE_USER:
		keepalive(f);
		fix_setopt(f, RL_SOL_TCP, RL_TCP_USER_TIMEOUT, 11000);
		silence(f, 20);
		break;
	case BY_ORPHAN_WAIT:
		rill_tcp_close(f->st, f->fd);
		silence(f, 70);
		break;
	case BY_LINGER2:
		fix_setopt(f, RL_SOL_TCP, RL_TCP_LINGER2, -1);
		rill_tcp_close(f->st, f->fd);
		break;
	case BY_ORPHANS:
		fix_sysctl(f, "net.ipv4.tcp_max_orphans", "0");
		rill_tcp_close(f->st, f->fd);
		break;
	case BY_ICMP:
		fix_icmp(f, 3, 3, 0, 0);
		break;
	case BY_LISTENER:
		fix_knock(f, 4321, true);
		rill_tcp_close(f->st, f->listener);
		break;
	}
	fix_drain(f);
}

static const struct {
	const char *label;
	int	 from;
	enum way by;
	enum rill_end end;
	enum rill_side opened, closed;
	int	 err;
} ends[] = {
#define L	RILL_SIDE_LOCAL
#define P	RILL_SIDE_PEER
#define B	RILL_SIDE_BOTH
#define N	RILL_SIDE_NOBODY
	{ "reset by the peer", RILL_ESTABLISHED, BY_RST, RILL_END_RST_RECEIVED, P, P, ECONNRESET },
	{ "reset after our FIN", RILL_FIN_WAIT2, BY_RST, RILL_END_RST_RECEIVED, P, L, ECONNRESET },
	{ "reset after its FIN", RILL_CLOSE_WAIT, BY_RST, RILL_END_RST_RECEIVED, P, P, EPIPE },
	{ "reset after both", RILL_CLOSING, BY_RST, RILL_END_RST_RECEIVED, P, B, ECONNRESET },
	{ "refused", RILL_SYN_SENT, BY_RST, RILL_END_REFUSED, L, P, ECONNREFUSED },
	{ "refused, crossing", RILL_SYN_RECV, BY_RST, RILL_END_REFUSED, B, P, ECONNREFUSED },
	{ "linger 0", RILL_ESTABLISHED, BY_LINGER, RILL_END_RST_SENT, P, L, 0 },
	{ "linger 0, after its FIN", RILL_CLOSE_WAIT, BY_LINGER, RILL_END_RST_SENT, P, P, 0 },
	{ "abort", RILL_ESTABLISHED, BY_ABORT, RILL_END_RST_SENT, P, L, 0 },
	{ "closed with data unread", RILL_ESTABLISHED, BY_UNREAD, RILL_END_UNREAD, P, L, 0 },
	{ "data after close", RILL_FIN_WAIT2, BY_DATA, RILL_END_LATE_DATA, P, L, 0 },
	{ "killed", RILL_ESTABLISHED, BY_KILL, RILL_END_KILLED, P, L, ECONNABORTED },
	{ "attempt closed", RILL_SYN_SENT, BY_CLOSE, RILL_END_GIVEN_UP, L, L, 0 },
	{ "attempt aborted", RILL_SYN_SENT, BY_ABORT, RILL_END_GIVEN_UP, L, L, 0 },
	{ "attempt shut down", RILL_SYN_SENT, BY_SHUTDOWN, RILL_END_GIVEN_UP, L, L, ECONNRESET },
	{ "never accepted", RILL_LISTEN, BY_LISTENER, RILL_END_NOT_ACCEPTED, P, L, 0 },
	{ "peer gone", RILL_ESTABLISHED, BY_SILENCE, RILL_END_TIMEOUT, P, N, ETIMEDOUT },
	{ "no answer to a SYN", RILL_SYN_SENT, BY_SILENCE_OF_SYN, RILL_END_TIMEOUT, L, N,
	  ETIMEDOUT },
	{ "no answer to our FIN", RILL_FIN_WAIT1, BY_SILENCE, RILL_END_TIMEOUT, P, L,
	  ETIMEDOUT },
	{ "user timeout", RILL_ESTABLISHED, BY_USER_TIMEOUT, RILL_END_USER_TIMEOUT, P, N,
	  ETIMEDOUT },
	{ "keepalive", RILL_ESTABLISHED, BY_KEEPALIVE, RILL_END_KEEPALIVE, P, N, ETIMEDOUT },
	{ "keepalive and user timeout", RILL_ESTABLISHED, BY_KEEPALIVE_USER,
	  RILL_END_USER_TIMEOUT, P, N, ETIMEDOUT },
	{ "the peer does not close", RILL_FIN_WAIT2, BY_ORPHAN_WAIT, RILL_END_FIN_WAIT_2, P, L, 0 },
	{ "and is not waited for", RILL_FIN_WAIT2, BY_LINGER2, RILL_END_FIN_WAIT_2, P, L, 0 },
	{ "too many orphans", RILL_ESTABLISHED, BY_ORPHANS, RILL_END_ORPHANS, P, L, 0 },
	{ "port unreachable", RILL_SYN_SENT, BY_ICMP, RILL_END_UNREACHABLE, L, N, ECONNREFUSED },
	{ "both FINs acknowledged", RILL_LAST_ACK, BY_FIN_ACK, RILL_END_FIN, P, P, 0 },
	{ "crossing FINs", RILL_CLOSING, BY_FIN_ACK, RILL_END_FIN, P, B, 0 },
	{ "our FIN first", RILL_TIME_WAIT, BY_SILENCE_OF_SYN, RILL_END_FIN, P, L, 0 },
};

TEST(every_way_to_end)
{
	bool seen[RILL_END_N] = { [RILL_END_UNKNOWN] = true, [RILL_END_NO_MEMORY] = true };

	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		struct rill_history r;
		struct fix f;

		fix_init(&f, false);
		fix_reach(&f, ends[i].from);
		end_it(&f, ends[i].by);
		r = last(&f);
		CHECK_EQ(rl_label("%s: one record", ends[i].label), r.n, 1);
		CHECK_STR(ends[i].label, rill_end_name(r.end), rill_end_name(ends[i].end));
		CHECK_STR(rl_label("%s: opened", ends[i].label), rill_side_name(r.opened),
			  rill_side_name(ends[i].opened));
		CHECK_STR(rl_label("%s: closed", ends[i].label), rill_side_name(r.closed_first),
			  rill_side_name(ends[i].closed));
		CHECK_EQ(rl_label("%s: errno", ends[i].label), r.err, ends[i].err);
		if (ends[i].from != RILL_LISTEN && ends[i].from != RILL_TIME_WAIT)
			CHECK_STR(rl_label("%s: from", ends[i].label), rill_state_name(r.state),
				  rill_state_name(ends[i].by == BY_UNREAD ? RILL_ESTABLISHED :
						  ends[i].by == BY_ORPHANS ? RILL_FIN_WAIT1 :
						  ends[i].from));
		seen[ends[i].end] = true;
		fix_done(&f);
	}
	for (int e = 0; e < RILL_END_N; e++)
		CHECK(rl_label("%s has a row", rill_end_name(e)), seen[e]);
}

/* What it was for, and how much. */
TEST(what_a_record_says)
{
	struct rill_history r;
	uint8_t buf[100];
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	fix_send(&f, 300);
	fix_drain(&f);
	fix_in(&f, "P.", 1, 40, 1, 65535);
	CHECK_EQ("read", fix_recv(&f, buf, 30), 30);
	fix_advance_ms(&f, 500);		/* sent again */
	fix_drain(&f);
	fix_in(&f, ".", 41, 0, 101, 65535);
	fix_drain(&f);
	rill_tcp_kill(f.st, f.fd);
	r = last(&f);
	CHECK_EQ("id", r.id, f.fd);
	CHECK_EQ("port", r.local.port, FIX_PORT);
	CHECK_EQ("peer's port", r.peer.port, FIX_PEER_PORT);
	CHECK_EQ("acknowledged", r.bytes_acked, 100);
	CHECK_EQ("received", r.bytes_received, 40);
	CHECK_EQ("not read", r.unread, 10);
	CHECK_EQ("never acknowledged", r.unsent, 200);
	CHECK("sent again", r.retrans >= 1 && r.bytes_retrans >= 100);
	CHECK("segments", r.segs_in >= 4 && r.segs_out >= 3);
	fix_drain(&f);
	fix_done(&f);
}

/* [C9] the states it went through take all its time, and each its own */
TEST(time_in_states)
{
	struct rill_history r;
	struct fix f;

	fix_init(&f, false);
	fix_listen(&f);
	fix_in(&f, "S", 0, 0, 0, 65535);
	fix_expect(&f, "SYN+ACK", "S.", 0, 0, 1);
	fix_advance_ms(&f, 1000);
	fix_expect(&f, "again", "S.", 0, 0, 1);
	fix_advance_ms(&f, 200);
	fix_in(&f, ".", 1, 0, 1, 65535);
	f.fd = fix_accept(&f);
	fix_advance_ms(&f, 5000);
	CHECK_EQ("our FIN first", rill_tcp_shutdown(f.st, f.fd, RILL_SHUT_WR), 0);
	fix_drain(&f);
	fix_advance_ms(&f, 30);
	fix_in(&f, ".", 1, 0, 2, 65535);
	fix_advance_ms(&f, 400);
	fix_in(&f, "F.", 1, 0, 2, 65535);
	fix_drain(&f);
	r = last(&f);
	CHECK_STR("end", rill_end_name(r.end), "fin");
	CHECK("in TIME-WAIT", r.time_wait);
	CHECK_STR("from", rill_state_name(r.state), "FIN-WAIT-2");
	CHECK_EQ("SYN-RECEIVED, from the SYN", r.in_us[RILL_SYN_RECV], 1200000);
	CHECK_EQ("ESTABLISHED", r.in_us[RILL_ESTABLISHED], 5000000);
	CHECK_EQ("FIN-WAIT-1", r.in_us[RILL_FIN_WAIT1], 30000);
	CHECK_EQ("FIN-WAIT-2", r.in_us[RILL_FIN_WAIT2], 400000);
	CHECK_EQ("no other", r.in_us[RILL_CLOSE_WAIT] + r.in_us[RILL_LAST_ACK] +
		 r.in_us[RILL_CLOSING] + r.in_us[RILL_SYN_SENT], 0);
	CHECK_EQ("all of it", r.ended_us - r.opened_us, 1200000 + 5000000 + 30000 + 400000);
	CHECK_EQ("not yet over", r.in_us[RILL_TIME_WAIT], 0);
	fix_advance_ms(&f, 60001);
	r = last(&f);
	CHECK("over", !r.time_wait);
	CHECK_EQ("TIME-WAIT", r.in_us[RILL_TIME_WAIT] / 1000, 60000);
	fix_done(&f);

	/* the other side's way */
	fix_init(&f, false);
	fix_connect(&f, false, false);
	fix_advance_ms(&f, 10);
	fix_in(&f, "F.", 1, 0, 1, 65535);
	fix_advance_ms(&f, 70);
	rill_tcp_shutdown(f.st, f.fd, RILL_SHUT_WR);
	fix_drain(&f);
	fix_advance_ms(&f, 20);
	fix_in(&f, ".", 2, 0, 2, 65535);
	r = last(&f);
	CHECK_EQ("ESTABLISHED", r.in_us[RILL_ESTABLISHED], 10000);
	CHECK_EQ("CLOSE-WAIT", r.in_us[RILL_CLOSE_WAIT], 70000);
	CHECK_EQ("LAST-ACK", r.in_us[RILL_LAST_ACK], 20000);
	CHECK("no TIME-WAIT", !r.time_wait && !r.in_us[RILL_TIME_WAIT]);
	fix_drain(&f);
	fix_done(&f);
}

/* Weeks do not overflow what the control block keeps. */
TEST(long_states)
{
	const int64_t days = 20;
	struct rill_history r;
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	fix_in(&f, "F.", 1, 0, 1, 65535);
	fix_drain(&f);
	fix_advance_ms(&f, days * 86400 * 1000);
	rill_tcp_kill(f.st, f.fd);
	r = last(&f);
	CHECK_EQ("CLOSE-WAIT, the last one", r.in_us[RILL_CLOSE_WAIT], days * 86400 * 1000000);
	fix_drain(&f);
	fix_done(&f);

	fix_init(&f, false);
	fix_establish(&f, false, false);
	fix_in(&f, "F.", 1, 0, 1, 65535);
	fix_drain(&f);
	fix_advance_ms(&f, days * 86400 * 1000);
	rill_tcp_shutdown(f.st, f.fd, RILL_SHUT_WR);
	fix_drain(&f);
	fix_in(&f, ".", 2, 0, 2, 65535);
	r = last(&f);
	CHECK_EQ("CLOSE-WAIT, packed", r.in_us[RILL_CLOSE_WAIT], days * 86400 * 1000000);
	CHECK_EQ("and nothing left over", r.in_us[RILL_ESTABLISHED], 0);
	fix_done(&f);
}

/* ---- the ring ---- */

/* A peer of its own that comes and is reset. */
static void one_life(struct fix *f, uint16_t port)
{
	rill_id id;

	fix_knock(f, port, true);
	id = fix_accept(f);
	rill_tcp_abort(f->st, id);
	fix_drain(f);
}

static void expect_ports(struct fix *f, const char *label, uint16_t first, uint16_t last_port)
{
	struct rill_history r[3];
	uint64_t after = 0;
	uint16_t port = first;
	int n;

	while ((n = rill_stack_history(f->st, &after, r, 3)) > 0)
		for (int i = 0; i < n; i++)
			CHECK_EQ(rl_label("%s: port", label), r[i].peer.port, port++);
	CHECK_EQ(rl_label("%s: the last one", label), port, last_port + 1);
}

TEST(the_ring_keeps_the_newest)
{
	struct rill_history r[2];
	uint64_t after;
	struct fix f;

	fix_init(&f, false);
	fix_listen(&f);
	fix_sysctl(&f, "net.rill.history_max", "50");
	after = 0;
	CHECK_EQ("nothing yet", rill_stack_history(f.st, &after, r, 2), 0);
	for (uint16_t port = 1; port <= 120; port++)
		one_life(&f, port);
	expect_ports(&f, "50", 71, 120);
	fix_sysctl(&f, "net.rill.history_max", "100");	/* the next one makes room */
	one_life(&f, 121);
	expect_ports(&f, "more room", 71, 121);
	for (uint16_t port = 122; port <= 200; port++)
		one_life(&f, port);
	expect_ports(&f, "100", 101, 200);
	fix_sysctl(&f, "net.rill.history_max", "7");
	one_life(&f, 201);
	expect_ports(&f, "less", 195, 201);
	after = 200;
	CHECK_EQ("behind a number", rill_stack_history(f.st, &after, r, 2), 1);
	CHECK_EQ("its number", r[0].n, 201);
	CHECK_EQ("seen", after, 201);
	fix_sysctl(&f, "net.rill.history_max", "0");
	one_life(&f, 202);
	after = 0;
	CHECK_EQ("none at all", rill_stack_history(f.st, &after, r, 2), 0);
	fix_sysctl(&f, "net.rill.history_max", "1");
	one_life(&f, 203);
	expect_ports(&f, "again", 203, 203);
	CHECK_EQ("nothing lost", fix_counter(&f, "tcp.history_lost"), 0);
	fix_done(&f);
}

/* TIME-WAIT of a connection whose record is gone, or whose ring was moved. */
TEST(time_wait_outlives_its_record)
{
	struct rill_history r;
	struct fix f;

	for (int keep = 0; keep < 2; keep++) {
		fix_init(&f, false);
		fix_reach(&f, RILL_TIME_WAIT);
		CHECK("in TIME-WAIT", last(&f).time_wait);
		fix_sysctl(&f, "net.rill.history_max", keep ? "2000" : "1");
		one_life(&f, 7);
		fix_advance_ms(&f, 61000);
		r = last(&f);
		CHECK_EQ("the other one", r.peer.port, 7);
		CHECK("is as it was", !r.time_wait && !r.in_us[RILL_TIME_WAIT]);
		if (keep) {
			uint64_t after = 0;

			CHECK_EQ("moved", rill_stack_history(f.st, &after, &r, 1), 1);
			CHECK("booked", !r.time_wait && r.in_us[RILL_TIME_WAIT]);
		}
		fix_drain(&f);
		fix_done(&f);
	}
}

TEST(no_memory_for_a_record)
{
	struct rill_history r;
	struct fix f;

	fix_init(&f, false);
	fix_reach(&f, RILL_ESTABLISHED);
	f.alloc_dead = true;
	CHECK_EQ("killed", rill_tcp_kill(f.st, f.fd), 0);
	r = last(&f);
	CHECK_EQ("no record", r.n, 0);
	CHECK_EQ("counted", fix_counter(&f, "tcp.history_lost"), 1);
	f.alloc_dead = false;
	one_life(&f, 9);
	CHECK_EQ("the next one", last(&f).n, 1);
	fix_drain(&f);
	fix_done(&f);
}

TEST(no_memory_for_an_attempt)
{
	bool seen = false;

	for (uint64_t n = 1; n < 40 && !seen; n++) {
		const struct rill_addr peer = { { .b = { [10] = 0xff, 0xff, 10, 0, 0, 2 } }, 80, 0 };
		struct fix f;

		fix_init(&f, false);
		if (rill_tcp_open(f.st, 0, &f.fd) == 0) {
			f.alloc_fail_at = f.alloc_n + n;
			if (rill_tcp_connect(f.st, f.fd, &peer, 0) == -ENOBUFS && last(&f).n) {
				seen = true;
				CHECK_STR("end", rill_end_name(last(&f).end), "no-memory");
				CHECK_EQ("closed", last(&f).closed_first, RILL_SIDE_NOBODY);
			}
		}
		f.alloc_fail_at = 0;
		fix_drain(&f);
		fix_done(&f);
	}
	CHECK("an allocation whose failure ends the attempt", seen);
}

/* An attempt that fails and is made again is two lives of one endpoint. */
TEST(second_attempt)
{
	struct rill_history r;
	struct fix f;
	struct rill_addr peer;

	fix_init(&f, false);
	fix_reach(&f, RILL_SYN_SENT);
	fix_advance_ms(&f, 100);
	CHECK_EQ("peer", fix_state(&f), RILL_SYN_SENT);
	fix_in(&f, "R.", 0, 0, 1, 0);
	r = last(&f);
	CHECK_EQ("first", r.n, 1);
	CHECK_EQ("its time", r.in_us[RILL_SYN_SENT], 100000);
	peer = r.peer;
	CHECK_EQ("told", rill_tcp_connect(f.st, f.fd, &peer, 0), -ECONNREFUSED);
	CHECK_EQ("again", rill_tcp_connect(f.st, f.fd, &peer, 0), -EINPROGRESS);
	fix_drain(&f);
	fix_advance_ms(&f, 40);
	rill_tcp_close(f.st, f.fd);
	r = last(&f);
	CHECK_EQ("second", r.n, 2);
	CHECK_STR("given up", rill_end_name(r.end), "given-up");
	CHECK_EQ("its own time", r.in_us[RILL_SYN_SENT], 40000);
	fix_done(&f);
}

/* One that its program has closed still stands in the table, and can be ended there. */
TEST(kill_what_its_program_has_closed)
{
	struct rill_history r;
	struct fix f;

	fix_init(&f, false);
	fix_reach(&f, RILL_ESTABLISHED);
	rill_tcp_close(f.st, f.fd);
	CHECK_EQ("killed", rill_tcp_kill(f.st, f.fd), 0);
	r = last(&f);
	CHECK_EQ("as such", r.end, RILL_END_KILLED);
	CHECK_EQ("once only", rill_tcp_kill(f.st, f.fd), -EBADF);
	fix_drain(&f);
	fix_done(&f);
}
