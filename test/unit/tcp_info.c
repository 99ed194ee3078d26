/* SPDX-License-Identifier: MIT */
/*
 * What people see of a connection: TCP_INFO and the rows of `rill ss`.  Each step
 * says which fields of TCP_INFO changed and to what; all others did not.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "tcp_fix.h"
#include "base/types.h"
#include "stack/sockopt_nums.h"

struct shown {
	struct fix f;
	struct rill_tcp_info was;
	char	 text[1500];
};

static void note(struct shown *x, const char *name, uint64_t was, uint64_t is)
{
	size_t n = strlen(x->text);

	if (was != is)
		snprintf(x->text + n, sizeof(x->text) - n, "%s%s=%" PRIu64, n ? " " : "", name, is);
}

/* What changed since the last call (at first: what is not zero). */
static const char *shown(struct shown *x)
{
	struct rill_tcp_info is;

	fix_drain(&x->f);
	is = fix_info(&x->f);
	x->text[0] = 0;
#define INFO(type, name, unit, help)	note(x, #name, x->was.name, is.name);
#include "rill/tcpinfo.def"
#undef INFO
	x->was = is;
	return x->text;
}

static const uint8_t scaled[] = { 2, 4, 1000 >> 8, 1000 & 255, 3, 3, 3, 1 };
static const uint8_t sacking[] = { 2, 4, 1000 >> 8, 1000 & 255, 4, 2, 1, 1 };

/* Established by a peer whose answers take @rtt_ms. */
static struct fix *start(struct shown *x, const uint8_t *opts, size_t n, int rtt_ms)
{
	struct in_opts in = { .bytes = opts, .n = n };

	memset(x, 0, sizeof(*x));
	fix_init(&x->f, false);
	fix_listen(&x->f);
	fix_in_opts(&x->f, "S", 0, 0, 0, 65535, &in);
	fix_drain(&x->f);
	fix_advance_ms(&x->f, rtt_ms);
	fix_in(&x->f, ".", 1, 0, 1, 2000);
	x->f.fd = fix_accept(&x->f);
	fix_setopt(&x->f, RL_SOL_TCP, RL_TCP_NODELAY, 1);
	shown(x);
	return &x->f;
}

TEST(from_the_beginning)
{
	struct shown x;
	struct fix *f = &x.f;

	start(&x, scaled, sizeof(scaled), 100);
	CHECK_STR("established", x.text,
		  "state=1 options=4 wscales=163 rto=300000 ato=40000 snd_mss=1000 rcv_mss=536 "
		  "pmtu=1500 rcv_ssthresh=65536 rtt=100000 rttvar=50000 snd_ssthresh=2147483647 "
		  "snd_cwnd=10 advmss=1460 reordering=3 rcv_rtt=100000 "
		  "pacing_rate=18446744073709551615 max_pacing_rate=18446744073709551615 "
		  "segs_out=1 segs_in=2 min_rtt=100000 snd_wnd=16000 rcv_wnd=65535");
	fix_send(f, 2500);
	fix_drain(f);
	CHECK_STR("three segments", shown(&x),
		  "unacked=3 segs_out=4 data_segs_out=3 bytes_sent=2500 rcv_wnd=65536");
	fix_advance_ms(f, 20);
	CHECK_STR("20 ms", shown(&x),
		  "last_data_sent=20 last_ack_recv=20 busy_time=20000");
	fix_in(f, ".", 1, 0, 2501, 2000);
	CHECK_STR("acknowledged", shown(&x),
		  "rto=320000 unacked=0 last_ack_recv=0 rtt=90000 rttvar=57500 "
		  "rcv_rtt=90000 bytes_acked=2500 segs_in=3 min_rtt=20000 delivery_rate=125000 "
		  "delivered=2");
	fix_advance_ms(f, 30);
	fix_in(f, ".", 1, 700, 2501, 2001);
	CHECK_STR("text", shown(&x),
		  "rcv_mss=700 last_data_sent=50 bytes_received=700 segs_out=5 segs_in=4 "
		  "data_segs_in=1 snd_wnd=16008 rcv_wnd=64836");
	fix_in(f, ".", 1401, 300, 2501, 2001);
	fix_drain(f);
	CHECK_STR("out of order", shown(&x),
		  "segs_out=6 segs_in=5 data_segs_in=2 rcv_ooopack=1");
	fix_done(f);
}

TEST(limits)
{
	struct shown x;
	struct fix *f = start(&x, scaled, sizeof(scaled), 100);

	fix_in(f, ".", 1, 0, 1, 250);		/* 2000 bytes */
	CHECK_STR("small window", shown(&x), "segs_in=3 snd_wnd=2000");
	fix_send(f, 5000);
	fix_drain(f);
	CHECK_STR("filled", shown(&x),
		  "unacked=2 segs_out=3 notsent_bytes=3000 data_segs_out=2 bytes_sent=2000 "
		  "rcv_wnd=65536");
	fix_advance_ms(f, 10);
	fix_in(f, ".", 1, 0, 2001, 0);
	fix_drain(f);
	fix_advance_ms(f, 40);
	CHECK_STR("closed", shown(&x),
		  "rto=328750 unacked=0 last_data_sent=50 last_ack_recv=40 "
		  "rtt=88750 rttvar=60000 rcv_rtt=88750 bytes_acked=2000 segs_in=4 min_rtt=10000 "
		  "delivery_rate=200000 busy_time=50000 rwnd_limited=50000 delivered=2 snd_wnd=0");
	fix_advance_ms(f, 290);
	fix_drain(f);
	CHECK_STR("probed", shown(&x),
		  "probes=1 backoff=1 rto=657500 last_data_sent=340 "
		  "last_ack_recv=330 segs_out=4 busy_time=340000 rwnd_limited=340000");
	fix_in(f, ".", 1, 0, 2001, 250);
	fix_drain(f);
	CHECK_STR("opened", shown(&x),
		  "probes=0 backoff=0 rto=328750 unacked=2 last_data_sent=0 "
		  "last_ack_recv=0 segs_out=6 segs_in=5 notsent_bytes=1000 data_segs_out=4 "
		  "bytes_sent=4000 snd_wnd=2000");
	fix_done(f);
}

/* A window of 1000 bytes each 100 ms, while the application would write more. */
TEST(send_buffer_limits)
{
	struct shown x;
	struct fix *f = start(&x, scaled, sizeof(scaled), 100);

	fix_setopt(f, RL_SOL_SOCKET, RL_SO_SNDBUF, 2304);
	CHECK_EQ("cut", fix_send(f, 10000), 4608);
	fix_drain(f);
	CHECK_STR("sent", shown(&x),
		 "unacked=5 segs_out=6 data_segs_out=5 bytes_sent=4608 rcv_wnd=65536");
	fix_advance_ms(f, 70);
	fix_in(f, ".", 1, 0, 4609, 2000);
	fix_drain(f);
	CHECK_STR("limited", shown(&x),
		  "rto=296250 unacked=0 last_data_sent=70 rtt=96250 rttvar=45000 rcv_rtt=96250 "
		  "bytes_acked=4608 segs_in=3 min_rtt=70000 delivery_rate=65828 busy_time=70000 "
		  "sndbuf_limited=70000 delivered=4");
	fix_done(f);
}

TEST(loss_by_duplicates)
{
	struct shown x;
	struct fix *f = start(&x, sacking, sizeof(sacking), 100);

	fix_in(f, ".", 1, 0, 1, 65535);
	fix_send(f, 9500);
	fix_drain(f);
	fix_advance_ms(f, 100);
	shown(&x);
	fix_sack(f, 1, 1, (uint32_t[]){ 1001, 2001 });
	CHECK_STR("one SACK", shown(&x),
		  "ca_state=1 sacked=1 last_ack_recv=0 segs_in=4");
	fix_sack(f, 1, 1, (uint32_t[]){ 1001, 3501 });
	CHECK_STR("two and a half", shown(&x),
		  "ca_state=3 sacked=3 lost=1 retrans=1 last_data_sent=0 snd_ssthresh=4 snd_cwnd=4 "
		  "total_retrans=1 segs_out=12 segs_in=5 data_segs_out=11 "
		  "bytes_sent=10500 bytes_retrans=1000");
	fix_sack(f, 1, 1, (uint32_t[]){ 1001, 4001 });
	fix_drain(f);
	CHECK_STR("three", shown(&x), "segs_in=6");
	fix_sack(f, 1, 2, (uint32_t[]){ 1001, 2001, 1001, 4001 });
	CHECK_STR("D-SACK", shown(&x), "segs_in=7 dsack_dups=1");
	fix_advance_ms(f, 100);
	fix_in(f, ".", 1, 0, 9501, 65535);
	CHECK_STR("all", shown(&x),
		  "ca_state=0 unacked=0 sacked=0 lost=0 retrans=0 last_data_sent=100 snd_cwnd=2 "
		  "bytes_acked=9500 segs_in=8 delivery_rate=47500 "
		  "busy_time=200000 delivered=9");
	fix_done(f);
}

/* The hole was only late: it is filled by a SACK without having been sent again. */
TEST(reordering_seen)
{
	struct shown x;
	struct fix *f = start(&x, sacking, sizeof(sacking), 100);

	fix_in(f, ".", 1, 0, 1, 65535);
	fix_send(f, 5000);
	fix_drain(f);
	fix_sack(f, 1, 1, (uint32_t[]){ 2001, 3001 });
	shown(&x);
	fix_sack(f, 1, 1, (uint32_t[]){ 1001, 3001 });
	CHECK_STR("late", shown(&x), "sacked=2 segs_in=5 reord_seen=1");
	fix_done(f);
}

TEST(loss_by_timeout)
{
	struct shown x;
	struct fix *f = start(&x, scaled, sizeof(scaled), 100);

	fix_send(f, 5500);
	fix_drain(f);
	shown(&x);
	fix_advance_ms(f, 300);
	fix_drain(f);
	CHECK_STR("timeout", shown(&x),
		  "ca_state=4 retransmits=1 backoff=1 rto=600000 lost=6 retrans=1 "
		  "last_ack_recv=300 snd_ssthresh=2 snd_cwnd=1 total_retrans=1 "
		  "segs_out=8 data_segs_out=7 busy_time=300000 bytes_sent=6500 bytes_retrans=1000 "
		  "total_rto=1 total_rto_recoveries=1");
	fix_advance_ms(f, 600);
	fix_drain(f);
	CHECK_STR("another", shown(&x),
		  "retransmits=2 backoff=2 rto=1200000 last_ack_recv=900 "
		  "total_retrans=2 segs_out=9 data_segs_out=8 busy_time=900000 bytes_sent=7500 "
		  "bytes_retrans=2000 total_rto=2");
	fix_advance_ms(f, 50);
	fix_in(f, ".", 1, 0, 5501, 2000);
	CHECK_STR("over", shown(&x),
		  "ca_state=0 retransmits=0 backoff=0 rto=300000 unacked=0 lost=0 retrans=0 "
		  "last_data_sent=50 last_ack_recv=0 snd_cwnd=2 bytes_acked=5500 segs_in=3 "
		  "delivery_rate=5789 busy_time=950000 delivered=5 total_rto_time=650");
	fix_done(f);
}

TEST(listener_info)
{
	struct shown x;

	memset(&x, 0, sizeof(x));
	fix_init(&x.f, false);
	fix_listen(&x.f);
	fix_knock(&x.f, 2000, true);
	fix_knock(&x.f, 2001, true);
	fix_knock(&x.f, 2002, false);
	x.f.fd = x.f.listener;
	CHECK_STR("two wait", shown(&x), "state=10 unacked=2 sacked=8");
	fix_done(&x.f);
}

/* ---- rows of `rill ss` ---- */

static struct rill_conn row(struct fix *f)
{
	struct rill_conn c = { 0 };

	CHECK("listed", fix_conn(f, &c));
	return c;
}

TEST(rows_of_connections)
{
	struct fix f;
	struct rill_conn c;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	fix_setopt(&f, RL_SOL_SOCKET, RL_SO_RCVBUF, 10000);
	fix_setopt(&f, RL_SOL_SOCKET, RL_SO_SNDBUF, 30000);
	fix_advance_ms(&f, 1000);
	c = row(&f);
	CHECK_EQ("id", c.id, f.fd);
	CHECK_EQ("user", c.user, 7);
	CHECK_EQ("family", c.family, 4);
	CHECK_EQ("state", c.state, RILL_ESTABLISHED);
	CHECK("whole", !c.half_open && !c.orphan && c.has_info);
	CHECK_EQ("age", c.state_age_ns, RL_SEC);
	CHECK_EQ("rcvbuf", c.rcvbuf, 20000);
	CHECK_EQ("sndbuf", c.sndbuf, 60000);
	CHECK_EQ("info", c.info.state, RILL_ESTABLISHED);
	CHECK_EQ("no timer", c.timer, RILL_TMR_NONE);
	fix_in(&f, "P.", 1, 300, 1, 65535);
	fix_send(&f, 500);
	fix_drain(&f);
	fix_advance_ms(&f, 50);
	c = row(&f);
	CHECK_EQ("recv_q", c.recv_q, 300);
	CHECK_EQ("send_q", c.send_q, 500);
	CHECK_EQ("retransmission", c.timer, RILL_TMR_RTX);
	CHECK_EQ("when", c.timer_ns / RL_MS, 150);
	CHECK_EQ("tries", c.timer_tries, 0);
	fix_advance_ms(&f, 151);
	fix_drain(&f);
	c = row(&f);
	CHECK_EQ("tries", c.timer_tries, 1);
	CHECK_EQ("when", c.timer_ns / RL_MS, 399);
	fix_done(&f);
}

TEST(rows_of_timers)
{
	uint8_t buf[500];
	struct fix f;
	struct rill_conn c;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	fix_setopt(&f, RL_SOL_TCP, RL_TCP_KEEPIDLE, 10);
	fix_setopt(&f, RL_SOL_SOCKET, RL_SO_KEEPALIVE, 1);
	c = row(&f);
	CHECK_EQ("keepalive", c.timer, RILL_TMR_KEEP);
	CHECK_EQ("when", c.timer_ns, 10 * RL_SEC);
	fix_advance_ms(&f, 10000);
	fix_drain(&f);
	c = row(&f);
	CHECK_EQ("tries", c.timer_tries, 1);
	CHECK_EQ("when", c.timer_ns, 75 * RL_SEC);
	fix_setopt(&f, RL_SOL_SOCKET, RL_SO_KEEPALIVE, 0);
	fix_setopt(&f, RL_SOL_TCP, RL_TCP_QUICKACK, 0);
	fix_in(&f, "P.", 1, 300, 1, 65535);
	fix_in(&f, "P.", 301, 10, 1, 65535);
	fix_recv(&f, buf, sizeof(buf));
	fix_drain(&f);
	fix_setopt(&f, RL_SOL_TCP, RL_TCP_QUICKACK, 0);
	fix_in(&f, "P.", 311, 10, 1, 0);
	c = row(&f);
	CHECK_EQ("delayed ACK", c.timer, RILL_TMR_DELACK);
	CHECK_EQ("when", c.timer_ns, 40 * RL_MS);
	fix_advance_ms(&f, 50);
	fix_drain(&f);
	fix_send(&f, 10);
	fix_drain(&f);
	fix_advance_ms(&f, 250);
	fix_drain(&f);
	c = row(&f);
	CHECK_EQ("window probe", c.timer, RILL_TMR_PERSIST);
	CHECK_EQ("tries", c.timer_tries, 1);
	CHECK_EQ("when", c.timer_ns / RL_MS, 350);
	fix_in(&f, ".", 321, 0, 1, 1000);
	fix_drain(&f);
	CHECK_EQ("close", rill_tcp_shutdown(f.st, f.fd, RILL_SHUT_WR), 0);
	fix_recv(&f, buf, sizeof(buf));
	fix_drain(&f);
	CHECK_EQ("close", rill_tcp_close(f.st, f.fd), 0);
	fix_in(&f, ".", 321, 0, 12, 1000);
	c = row(&f);
	CHECK("orphan", c.orphan);
	CHECK_EQ("FIN-WAIT-2", c.timer, RILL_TMR_TIMEWAIT);
	CHECK_EQ("when", c.timer_ns, 60 * RL_SEC);
	fix_advance_ms(&f, 10000);
	fix_in(&f, "F.", 321, 0, 12, 1000);
	fix_advance_ms(&f, 3000);
	c = row(&f);
	CHECK_EQ("TIME-WAIT", c.state, RILL_TIME_WAIT);
	CHECK_EQ("timer", c.timer, RILL_TMR_TIMEWAIT);
	CHECK_EQ("when", c.timer_ns, 57 * RL_SEC);
	CHECK_EQ("age", c.state_age_ns, 3 * RL_SEC);
	CHECK_EQ("family", c.family, 4);
	CHECK_EQ("port", c.local.port, FIX_PORT);
	CHECK("id", c.id != f.fd && c.id);
	fix_done(&f);
}

TEST(rows_of_peers)
{
	static const struct { const char *name; bool v6; unsigned flags; int family; } binds[] = {
		{ "both", true, 0, 0 }, { "v6only", true, RILL_BIND_V6ONLY, 6 },
		{ "v4", true, RILL_BIND_V4, 4 },
	};
	struct rill_addr any = { .port = 81 };
	struct rill_conn c[8];
	uint64_t cursor;
	struct fix f;

	for (size_t i = 0; i < ARRAY_LEN(binds); i++) {
		cursor = 0;
		fix_init(&f, true);
		CHECK_EQ("open", rill_tcp_open(f.st, 5, &f.fd), 0);
		CHECK_EQ("bind", rill_tcp_bind(f.st, f.fd, &any, binds[i].flags), 0);
		CHECK_EQ("listen", rill_tcp_listen(f.st, f.fd, 3), 0);
		REQUIRE("one row", rill_stack_conns(f.st, &cursor, c, 8) == 1);
		CHECK_EQ(binds[i].name, c[0].family, binds[i].family);
		CHECK_EQ("send_q is the backlog", c[0].send_q, 3);
		CHECK_EQ("no more", rill_stack_conns(f.st, &cursor, c, 8), 0);
		fix_done(&f);
	}
	fix_init(&f, true);
	fix_listen(&f);
	fix_knock(&f, 2000, true);
	fix_knock(&f, 2001, false);
	fix_advance_ms(&f, 250);
	c[0] = row(&f);
	CHECK("half open", c[0].half_open && !c[0].has_info && c[0].id);
	CHECK_EQ("family", c[0].family, 6);
	CHECK_EQ("state", c[0].state, RILL_SYN_RECV);
	CHECK_EQ("timer", c[0].timer, RILL_TMR_RTX);
	CHECK_EQ("when", c[0].timer_ns, 750 * RL_MS);
	CHECK_EQ("age", c[0].state_age_ns, 250 * RL_MS);
	fix_advance_ms(&f, 750);
	c[0] = row(&f);
	CHECK_EQ("tries", c[0].timer_tries, 1);
	CHECK_EQ("age counts from the SYN", c[0].state_age_ns, RL_SEC);
	CHECK_EQ("when", c[0].timer_ns, 2 * RL_SEC);
	f.rport = 2000;
	CHECK_EQ("accepted connections show their family", row(&f).family, 6);
	fix_done(&f);
	fix_init(&f, false);
	fix_reach(&f, FIX_SYN_RECV_PASSIVE);
	CHECK_EQ("family", row(&f).family, 4);
	fix_done(&f);
	fix_init(&f, true);
	fix_reach(&f, RILL_SYN_SENT);
	CHECK_EQ("the SYN counts", row(&f).send_q, 1);
	fix_done(&f);
}

/* One row at a time comes to the same as all at once. */
TEST(rows_one_by_one)
{
	struct rill_conn all[32], one;
	uint64_t cursor = 0;
	int n, i = 0;
	struct fix f;

	fix_init(&f, false);
	fix_listen(&f);
	for (uint16_t p = 2000; p < 2012; p++)
		fix_knock(&f, p, p % 3 != 0);
	while ((f.fd = fix_accept(&f)) && i++ < 3) {
		struct rill_addr peer;

		rill_tcp_peer(f.st, f.fd, &peer);
		rill_tcp_shutdown(f.st, f.fd, RILL_SHUT_WR);
		f.rport = peer.port;
		f.got_iss = false;
		rill_tcp_abort(f.st, f.fd);
	}
	fix_drain(&f);
	n = rill_stack_conns(f.st, &cursor, all, 32);
	CHECK_EQ("rows", n, 10);
	cursor = i = 0;
	while (rill_stack_conns(f.st, &cursor, &one, 1) == 1 && i < n) {
		CHECK_EQ(rl_label("row %d", i), one.id, all[i].id);
		i++;
	}
	CHECK_EQ("as many", i, n);
	fix_done(&f);
}
