/* SPDX-License-Identifier: MIT */
/*
 * What a segment, a call or a timer adds to TCP's counters and drop reasons: all
 * of it, named, and nothing beside it.  A counter that moves too often is as
 * wrong as one that does not move.
 */
#include <errno.h>
#include <stdio.h>

#include "tcp_fix.h"
#include "base/types.h"
#include "stack/sockopt_nums.h"

#define MAX_COUNTERS	512

struct counted {
	struct fix f;
	uint64_t was[MAX_COUNTERS];
	char	 moved[400];
};

/* What moved since the last call: "in_segs out_segs*2 drop.PAWS". */
static const char *moved(struct counted *x)
{
	struct rill_named_u64 v;
	size_t n = 0;

	x->moved[0] = 0;
	fix_drain(&x->f);
	for (unsigned i = 0; i < MAX_COUNTERS && rill_stack_counter(x->f.st, i, &v); i++) {
		uint64_t d = v.value - x->was[i];
		bool tcp = !strncmp(v.name, "tcp.", 4);

		x->was[i] = v.value;
		if (!d || (!tcp && strncmp(v.name, "drop.", 5)) || n >= sizeof(x->moved))
			continue;
		n += (size_t)snprintf(x->moved + n, sizeof(x->moved) - n, "%s%s",
				      n ? " " : "", v.name + (tcp ? 4 : 0));
		if (d > 1 && n < sizeof(x->moved))
			n += (size_t)snprintf(x->moved + n, sizeof(x->moved) - n, "*%llu",
					      (unsigned long long)d);
	}
	return x->moved;
}

/* Reach @state; what that took is not counted. */
static struct fix *start(struct counted *x, int state)
{
	memset(x, 0, sizeof(*x));
	fix_init(&x->f, false);
	fix_reach(&x->f, state);
	moved(x);
	return &x->f;
}

/* ---- opening ---- */

TEST(passive_open)
{
	struct counted x;
	struct fix *f = start(&x, RILL_LISTEN);

	fix_in(f, "S", 0, 0, 0, 65535);
	CHECK_STR("SYN", moved(&x), "in_segs out_segs");
	fix_advance_ms(f, 1000);
	CHECK_STR("SYN+ACK again", moved(&x), "retrans_segs syn_retrans");
	fix_in(f, "S", 0, 0, 0, 65535);
	CHECK_STR("SYN again", moved(&x), "in_segs retrans_segs syn_retrans drop.SEQ_OLD");
	fix_in(f, "R", 5, 0, 0, 0);
	CHECK_STR("RST not at RCV.NXT", moved(&x),
		  "in_segs out_segs challenge_ack drop.CHALLENGED");
	fix_in(f, "R", 5, 0, 0, 0);
	CHECK_STR("RST not at RCV.NXT, soon", moved(&x), "in_segs ack_skipped drop.CHALLENGED");
	fix_advance_ms(f, 500);
	fix_in(f, "R", 5, 0, 0, 0);
	CHECK_STR("RST not at RCV.NXT, later", moved(&x),
		  "in_segs out_segs challenge_ack drop.CHALLENGED");
	fix_in(f, ".", 1, 0, 7, 65535);
	CHECK_STR("wrong ACK", moved(&x), "in_segs out_segs out_rsts drop.REQ_BAD_ACK");
	fix_in(f, ".", 1, 0, 1, 65535);
	CHECK_STR("ACK", moved(&x), "passive_opens in_segs");
	fix_done(f);
	f = start(&x, FIX_SYN_RECV_PASSIVE);
	fix_in(f, "R", 1, 0, 0, 0);
	CHECK_STR("RST", moved(&x), "attempt_fails in_segs embryonic_rsts drop.RST");
	fix_done(f);
	f = start(&x, FIX_SYN_RECV_PASSIVE);
	fix_in(f, "S", 1, 0, 0, 0);
	CHECK_STR("SYN in the window", moved(&x), "attempt_fails in_segs drop.CHALLENGED");
	fix_done(f);
	f = start(&x, FIX_SYN_RECV_PASSIVE);
	fix_advance_ms(f, 200000);
	CHECK_STR("given up", moved(&x), "attempt_fails retrans_segs*5 syn_retrans*5");
	fix_done(f);
}

TEST(listener_is_full)
{
	struct counted x;
	struct fix *f = start(&x, RILL_LISTEN);

	CHECK_EQ("backlog 0", rill_tcp_listen(f->st, f->listener, 0), 0);
	fix_knock(f, 2000, true);
	CHECK_STR("first", moved(&x), "passive_opens in_segs*2 out_segs");
	fix_knock(f, 2001, false);
	CHECK_STR("second", moved(&x),
		 "in_segs listen_overflows listen_drops drop.ACCEPT_QUEUE_FULL");
	fix_done(f);
	f = start(&x, RILL_LISTEN);
	fix_knock(f, 2000, false);
	CHECK_EQ("backlog 0", rill_tcp_listen(f->st, f->listener, 0), 0);
	moved(&x);
	fix_knock(f, 2001, false);
	CHECK_STR("SYN queue", moved(&x),
		 "in_segs listen_drops req_q_full_drop drop.SYN_QUEUE_FULL");
	CHECK_EQ("backlog 2", rill_tcp_listen(f->st, f->listener, 2), 0);
	fix_knock(f, 2002, true);
	fix_knock(f, 2003, false);
	CHECK_EQ("backlog 0", rill_tcp_listen(f->st, f->listener, 0), 0);
	moved(&x);
	fix_in(f, ".", 1, 0, 1, 65535);
	CHECK_STR("last ACK", moved(&x),
		 "in_segs listen_overflows listen_drops drop.ACCEPT_QUEUE_FULL");
	fix_sysctl(f, "net.ipv4.tcp_abort_on_overflow", "1");
	fix_in(f, ".", 1, 0, 1, 65535);
	CHECK_STR("aborted", moved(&x), "attempt_fails in_segs out_segs out_rsts "
		  "listen_overflows listen_drops drop.ACCEPT_QUEUE_FULL");
	fix_done(f);
}

TEST(active_open)
{
	struct counted x;
	struct fix *f = start(&x, RILL_CLOSE);
	struct rill_addr peer = { .ip = rl_ip4(0x0a000002), .port = FIX_PEER_PORT };
	struct tcp_opts o = { .mss = 1000, .has_ts = true, .ts_ecr = 0x7fffffff };
	struct in_opts in = { 0 };
	uint8_t buf[40];

	rill_tcp_connect(f->st, f->fd, &peer, 0);
	CHECK_STR("SYN", moved(&x), "active_opens out_segs");
	fix_advance_ms(f, 1000);
	CHECK_STR("SYN again", moved(&x), "retrans_segs syn_retrans");
	fix_done(f);

	f = start(&x, RILL_SYN_SENT);
	o.ts_ecr = 0xf0000000 + (uint32_t)(f->now_ns / RL_MS) + f->ts_ecr;
	in.n = rl_tcp_opts_write(&o, buf);
	in.bytes = buf;
	fix_in_opts(f, "S.", 0, 0, 9, 65535, &in);
	CHECK_STR("wrong ACK", moved(&x), "in_segs out_segs out_rsts drop.SYN_SENT_BAD_ACK");
	fix_in(f, "R", 0, 0, 0, 0);
	CHECK_STR("RST without ACK", moved(&x), "in_segs drop.SYN_SENT_RST");
	fix_in(f, ".", 0, 0, 1, 0);
	CHECK_STR("only ACK", moved(&x), "in_segs drop.SYN_SENT_NO_SYN");
	fix_in(f, "S.", 0, 0, 1, 65535);
	CHECK_STR("SYN+ACK", moved(&x), "in_segs out_segs");
	fix_done(f);

	f = start(&x, RILL_SYN_SENT);
	fix_in(f, "R.", 0, 0, 1, 0);
	CHECK_STR("refused", moved(&x), "attempt_fails in_segs drop.RST");
	fix_done(f);
	f = start(&x, RILL_SYN_SENT);
	fix_in(f, "S", 0, 0, 0, 65535);
	CHECK_STR("simultaneous", moved(&x), "in_segs out_segs");
	fix_in(f, ".", 1, 0, 1, 65535);
	CHECK_STR("and open", moved(&x), "in_segs");
	fix_done(f);
	f = start(&x, RILL_SYN_RECV);
	fix_in(f, "R", 1, 0, 0, 0);
	CHECK_STR("and refused", moved(&x), "attempt_fails in_segs drop.RST");
	fix_done(f);
}

/* ---- established ---- */

TEST(data_in)
{
	struct counted x;
	struct fix *f = start(&x, RILL_ESTABLISHED);
	uint8_t buf[4000];

	fix_in(f, "P.", 1, 100, 1, 65535);
	CHECK_STR("in order", moved(&x), "in_segs out_segs in_bytes*100");
	fix_in(f, ".", 1101, 1000, 1, 65535);
	CHECK_STR("out of order", moved(&x), "in_segs out_segs ofo_queue");
	fix_in(f, ".", 1601, 1000, 1, 65535);
	CHECK_STR("overlaps", moved(&x), "in_segs out_segs ofo_queue ofo_merge");
	fix_in(f, ".", 1101, 100, 1, 65535);
	CHECK_STR("there already", moved(&x), "in_segs out_segs ofo_queue ofo_merge");
	fix_in(f, ".", 101, 1000, 1, 65535);
	CHECK_STR("gap filled", moved(&x), "in_segs out_segs in_bytes*2500");
	fix_in(f, ".", 101, 100, 1, 65535);
	CHECK_STR("duplicate", moved(&x), "in_segs out_segs drop.SEQ_OLD");
	fix_in(f, ".", 200000, 100, 1, 65535);
	CHECK_STR("beyond", moved(&x), "in_segs out_segs challenge_ack drop.SEQ_BEYOND");
	CHECK_EQ("read", fix_recv(f, buf, sizeof(buf)), 2600);
	CHECK_STR("no update yet", moved(&x), "");
	fix_done(f);
}

/* A range that in-order data runs over is merged; one that it only touches is not. */
TEST(ranges_overrun)
{
	struct counted x;
	struct fix *f = start(&x, RILL_ESTABLISHED);

	fix_in(f, ".", 101, 100, 1, 65535);
	fix_in(f, ".", 301, 100, 1, 65535);
	moved(&x);
	fix_in(f, ".", 1, 250, 1, 65535);
	CHECK_STR("one overrun", moved(&x), "in_segs out_segs in_bytes*250 ofo_merge");
	fix_in(f, ".", 251, 100, 1, 65535);
	CHECK_STR("half of one", moved(&x), "in_segs out_segs in_bytes*150");
	fix_done(f);
}

TEST(dsacks)
{
	struct counted x;
	struct fix *f = &x.f;

	memset(&x, 0, sizeof(x));
	fix_init(f, false);
	fix_establish(f, true, false);
	fix_in(f, ".", 1, 1000, 1, 65535);
	fix_in(f, ".", 2001, 1000, 1, 65535);
	moved(&x);
	fix_in(f, ".", 1, 1000, 1, 65535);
	CHECK_STR("old", moved(&x), "in_segs out_segs dsack_old_sent drop.SEQ_OLD");
	fix_in(f, ".", 2001, 1000, 1, 65535);
	CHECK_STR("ahead", moved(&x), "in_segs out_segs ofo_queue ofo_merge dsack_ofo_sent");
	fix_done(f);
}

TEST(sacks)
{
	struct counted x;
	struct fix *f = &x.f;

	memset(&x, 0, sizeof(x));
	fix_init(f, false);
	fix_establish(f, true, false);
	fix_send(f, 5000);
	moved(&x);
	fix_sack(f, 1, 1, (uint32_t[]){ 1001, 2001 });
	CHECK_STR("SACK", moved(&x), "in_segs sack_recv");
	fix_sack(f, 1, 2, (uint32_t[]){ 1001, 2001, 1001, 3001 });
	CHECK_STR("D-SACK", moved(&x), "in_segs dsack_recv sack_recv");
	fix_sack(f, 1, 1, (uint32_t[]){ 1001, 4001 });
	CHECK_STR("lost", moved(&x),
		  "in_segs retrans_segs out_bytes*1000 fast_retrans reno_recovery sack_recv");
	fix_done(f);
}

TEST(delayed_ack)
{
	struct counted x;
	struct fix *f = start(&x, RILL_ESTABLISHED);

	fix_setopt(f, RL_SOL_TCP, RL_TCP_QUICKACK, 0);
	fix_in(f, "P.", 1, 100, 1, 65535);
	CHECK_STR("later", moved(&x), "in_segs in_bytes*100");
	fix_advance_ms(f, 40);
	CHECK_STR("by the timer", moved(&x), "out_segs delayed_acks");
	fix_in(f, "P.", 101, 100, 1, 65535);
	fix_send(f, 10);
	CHECK_STR("rides on data", moved(&x), "in_segs out_segs in_bytes*100 out_bytes*10");
	fix_advance_ms(f, 60);
	CHECK_STR("so the timer finds nothing", moved(&x), "");
	fix_done(f);
}

TEST(zero_window)
{
	struct counted x;
	struct fix *f = start(&x, RILL_CLOSE);
	struct rill_addr a = { .port = FIX_PORT };
	uint8_t buf[4000];

	fix_setopt(f, RL_SOL_SOCKET, RL_SO_RCVBUF, 2000);
	rill_tcp_bind(f->st, f->fd, &a, 0);
	rill_tcp_listen(f->st, f->fd, 1);
	f->listener = f->fd;
	fix_knock(f, 1234, true);
	f->fd = fix_accept(f);
	moved(&x);
	fix_in(f, "P.", 1, 2000, 1, 65535);
	CHECK_STR("closes", moved(&x), "in_segs out_segs in_bytes*2000 to_zero_window");
	fix_in(f, "P.", 2001, 10, 1, 65535);
	CHECK_STR("closed", moved(&x), "in_segs out_segs drop.ZERO_WINDOW");
	fix_recv(f, buf, 2000);
	CHECK_STR("opens", moved(&x), "out_segs from_zero_window");
	fix_done(f);
}

TEST(invalid_segments)
{
	struct in_opts mangled = { .data_off_set = true, .data_off = 4 };
	struct in_opts bad = { .bad_csum = true };
	struct counted x;
	struct fix *f = start(&x, RILL_ESTABLISHED);

	fix_in_opts(f, ".", 1, 0, 1, 65535, &bad);
	CHECK_STR("checksum", moved(&x), "in_segs in_errs in_csum_errors drop.TCP_CSUM");
	fix_in_opts(f, ".", 1, 0, 1, 65535, &mangled);
	CHECK_STR("header", moved(&x), "in_segs in_errs drop.TCP_SHORT");
	fix_in(f, "S", 1, 0, 0, 65535);
	CHECK_STR("SYN", moved(&x), "in_segs out_segs challenge_ack syn_challenge drop.CHALLENGED");
	fix_in(f, "S", 1, 0, 0, 65535);
	CHECK_STR("SYN, soon", moved(&x), "in_segs syn_challenge ack_skipped drop.CHALLENGED");
	fix_advance_ms(f, 499);
	fix_in(f, "R", 2, 0, 0, 0);
	CHECK_STR("RST, just before", moved(&x), "in_segs ack_skipped drop.CHALLENGED");
	fix_advance_ms(f, 1);
	fix_in(f, "R", 2, 0, 0, 0);
	CHECK_STR("RST", moved(&x), "in_segs out_segs challenge_ack drop.CHALLENGED");
	fix_advance_ms(f, 500);
	fix_in(f, ".", 1, 0, 2, 65535);
	CHECK_STR("ACK of nothing sent", moved(&x),
		  "in_segs out_segs challenge_ack drop.ACK_UNSENT");
	fix_advance_ms(f, 500);
	fix_in(f, ".", 1, 0, 1u - 65536, 65535);
	CHECK_STR("ACK from long ago", moved(&x), "in_segs out_segs challenge_ack drop.ACK_OLD");
	fix_in(f, "", 1, 0, 0, 65535);
	CHECK_STR("no ACK", moved(&x), "in_segs drop.NO_ACK");
	fix_in(f, "R", 1, 0, 0, 0);
	CHECK_STR("RST", moved(&x), "estab_resets in_segs drop.RST");
	fix_in(f, ".", 1, 0, 1, 65535);
	CHECK_STR("only a listener", moved(&x), "in_segs out_segs out_rsts drop.LISTEN_ACK");
	f->lport++;
	fix_in(f, ".", 1, 0, 1, 65535);
	CHECK_STR("nobody", moved(&x), "in_segs out_segs out_rsts drop.TCP_NO_CONN");
	fix_in(f, "R", 1, 0, 0, 0);
	CHECK_STR("nobody, RST", moved(&x), "in_segs drop.RST_NO_CONN");
	fix_done(f);
}

TEST(timestamps)
{
	struct in_opts old = { .ts_set = true, .ts_val = 5, .ts_ecr = 1 };
	struct in_opts future = { 0 };
	struct counted x;
	struct fix *f = &x.f;

	memset(&x, 0, sizeof(x));
	fix_init(f, false);
	fix_establish(f, false, true);
	moved(&x);
	fix_in_opts(f, ".", 1, 100, 1, 65535, &old);
	CHECK_STR("PAWS", moved(&x), "in_segs out_segs paws_estab drop.PAWS");
	fix_in_opts(f, ".", 1, 0, 1, 65535, &old);
	CHECK_STR("PAWS, empty", moved(&x), "in_segs out_segs paws_estab challenge_ack drop.PAWS");
	fix_send(f, 10);
	fix_drain(f);
	fix_advance_ms(f, 250);
	CHECK_STR("again", moved(&x), "out_segs retrans_segs out_bytes*20 timeouts");
	future.ts_ecr = f->ts_ecr + 100000;
	fix_in_opts(f, ".", 1, 0, 11, 65535, &future);
	CHECK_STR("echo of a time to come", moved(&x), "in_segs ts_ecr_rejected");
	fix_done(f);
}

TEST(icmp)
{
	struct counted x;
	struct fix *f = start(&x, RILL_ESTABLISHED);

	fix_send(f, 1000);
	CHECK_STR("data", moved(&x), "out_segs out_bytes*1000");
	fix_icmp(f, 3, 1, 5000, 0);
	CHECK_STR("not in flight", moved(&x), "out_of_window_icmps drop.ICMP_NO_MATCH");
	fix_icmp(f, 3, 4, 1, 600);
	CHECK_STR("too big", moved(&x),
		 "retrans_segs*2 out_bytes*1000 fast_retrans*2 pmtu_lowered");
	fix_icmp(f, 3, 4, 1, 600);
	CHECK_STR("said twice", moved(&x), "");
	fix_done(f);
}

/* ---- losses ---- */

TEST(losses)
{
	struct counted x;
	struct fix *f = start(&x, RILL_ESTABLISHED);

	fix_send(f, 5000);
	CHECK_STR("five", moved(&x), "out_segs*5 out_bytes*5000");
	fix_in(f, ".", 1, 0, 1, 65535);
	fix_in(f, ".", 1, 0, 1, 65535);
	CHECK_STR("two duplicates", moved(&x), "in_segs*2");
	fix_in(f, ".", 1, 0, 1, 65535);
	CHECK_STR("three", moved(&x),
		  "in_segs retrans_segs out_bytes*1000 fast_retrans reno_recovery");
	fix_in(f, ".", 1, 0, 5001, 65535);
	CHECK_STR("all", moved(&x), "in_segs");
	fix_send(f, 2000);
	moved(&x);
	fix_advance_ms(f, 250);
	CHECK_STR("timeout", moved(&x), "retrans_segs out_bytes*1000 timeouts");
	fix_done(f);
}

TEST(probes)
{
	struct counted x;
	struct fix *f = start(&x, RILL_ESTABLISHED);

	fix_in(f, ".", 1, 0, 1, 0);
	moved(&x);
	fix_send(f, 10);
	CHECK_STR("held", moved(&x), "");
	fix_advance_ms(f, 250);
	CHECK_STR("window probe", moved(&x), "out_segs win_probes");
	fix_done(f);
	f = start(&x, RILL_ESTABLISHED);
	fix_setopt(f, RL_SOL_TCP, RL_TCP_KEEPIDLE, 1);
	fix_setopt(f, RL_SOL_TCP, RL_TCP_KEEPINTVL, 1);
	fix_setopt(f, RL_SOL_TCP, RL_TCP_KEEPCNT, 2);
	fix_setopt(f, RL_SOL_SOCKET, RL_SO_KEEPALIVE, 1);
	fix_advance_ms(f, 1000);
	CHECK_STR("keepalive", moved(&x), "out_segs keepalives");
	fix_advance_ms(f, 2000);
	CHECK_STR("given up", moved(&x),
		  "estab_resets out_segs*2 out_rsts keepalives abort_on_timeout");
	fix_done(f);
}

/* ---- closing ---- */

TEST(closing)
{
	struct counted x;
	struct fix *f = start(&x, RILL_ESTABLISHED);

	rill_tcp_close(f->st, f->fd);
	CHECK_STR("FIN", moved(&x), "out_segs");
	fix_in(f, "F.", 1, 0, 2, 65535);
	CHECK_STR("TIME-WAIT", moved(&x), "in_segs out_segs");
	fix_in(f, "F.", 1, 0, 2, 65535);
	CHECK_STR("FIN again", moved(&x), "in_segs out_segs drop.TW_OLD");
	fix_in(f, ".", 2, 10, 2, 65535);
	CHECK_STR("text", moved(&x), "in_segs out_segs drop.TW_OLD");
	fix_in(f, ".", 2, 10, 2, 65535);
	CHECK_STR("text, soon", moved(&x), "in_segs ack_skipped drop.TW_OLD");
	fix_in(f, ".", 2, 0, 2, 65535);
	CHECK_STR("ACK", moved(&x), "in_segs drop.TW_OLD");
	fix_in(f, "R", 2, 0, 0, 0);
	CHECK_STR("RST", moved(&x), "in_segs drop.TW_RST");
	fix_in(f, "", 2, 0, 0, 0);
	CHECK_STR("no ACK", moved(&x), "in_segs drop.NO_ACK");
	fix_in(f, "S", 1, 0, 0, 65535);
	CHECK_STR("old SYN", moved(&x), "in_segs drop.TW_OLD");
	fix_advance_ms(f, 60000);
	CHECK_STR("over", moved(&x), "tw");
	fix_done(f);
}

TEST(time_wait_ends_early)
{
	struct counted x;
	struct fix *f = start(&x, RILL_TIME_WAIT);

	f->got_iss = false;
	fix_in(f, "S", 100, 0, 0, 65535);
	CHECK_STR("new SYN", moved(&x), "in_segs out_segs tw_recycled");
	fix_done(f);
	f = start(&x, RILL_TIME_WAIT);
	fix_sysctl(f, "net.ipv4.tcp_rfc1337", "0");
	fix_in(f, "R", f->rcv_nxt + 1, 0, 0, 0);
	CHECK_STR("RST elsewhere", moved(&x), "in_segs drop.TW_RST");
	fix_in(f, "R", f->rcv_nxt, 0, 0, 0);
	CHECK_STR("RST", moved(&x), "in_segs drop.RST");
	fix_done(f);
	f = start(&x, RILL_FIN_WAIT2);
	fix_sysctl(f, "net.ipv4.tcp_max_tw_buckets", "0");
	fix_in(f, "F.", 1, 0, 2, 65535);
	CHECK_STR("no room", moved(&x), "in_segs out_segs tw_overflow");
	fix_done(f);
}

TEST(aborts)
{
	struct counted x;
	struct fix *f = start(&x, RILL_ESTABLISHED);

	fix_in(f, "P.", 1, 10, 1, 65535);
	moved(&x);
	rill_tcp_close(f->st, f->fd);
	CHECK_STR("unread data", moved(&x), "estab_resets out_segs out_rsts abort_on_close");
	fix_done(f);
	f = start(&x, RILL_ESTABLISHED);
	rill_tcp_close(f->st, f->fd);
	moved(&x);
	fix_in(f, "P.", 1, 10, 1, 65535);
	CHECK_STR("data after close", moved(&x),
		  "in_segs out_segs out_rsts abort_on_data drop.AFTER_CLOSE");
	fix_done(f);
	f = start(&x, RILL_ESTABLISHED);
	fix_setopt(f, RL_SOL_TCP, RL_TCP_LINGER2, -1);
	rill_tcp_close(f->st, f->fd);
	moved(&x);
	fix_in(f, ".", 1, 0, 2, 65535);
	CHECK_STR("LINGER2", moved(&x), "in_segs out_segs out_rsts abort_on_linger");
	fix_done(f);
	f = start(&x, RILL_ESTABLISHED);
	fix_sysctl(f, "net.ipv4.tcp_max_orphans", "0");
	rill_tcp_close(f->st, f->fd);
	CHECK_STR("too many orphans", moved(&x), "out_segs out_rsts abort_on_memory");
	fix_done(f);
	f = start(&x, RILL_CLOSE_WAIT);
	rill_tcp_abort(f->st, f->fd);
	CHECK_STR("aborted", moved(&x), "estab_resets out_segs out_rsts");
	fix_done(f);
	f = start(&x, RILL_LAST_ACK);
	rill_tcp_abort(f->st, f->fd);
	CHECK_STR("nothing to reset", moved(&x), "");
	fix_done(f);
}
