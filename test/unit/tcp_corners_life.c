/* SPDX-License-Identifier: MIT */
/*
 * Tables, calls and the small relatives of a connection, where a decision only
 * matters for the other one of two, the second time, or once memory has run out.
 */
#include <errno.h>

#include "tcp_fix.h"
#include "base/types.h"
#include "stack/sockopt_nums.h"
#include "tcp/conn.h"

static void established(struct fix *f, bool sack, bool ts)
{
	fix_init(f, false);
	fix_establish(f, sack, ts);
}

/* Half-open peers of another listener stay. */
TEST(two_listeners)
{
	struct rill_addr a = { .port = 81 };
	struct fix f;
	rill_id other;

	fix_init(&f, false);
	fix_listen(&f);
	CHECK_EQ("open", rill_tcp_open(f.st, 0, &other), 0);
	CHECK_EQ("bind", rill_tcp_bind(f.st, other, &a, 0), 0);
	CHECK_EQ("listen", rill_tcp_listen(f.st, other, 1), 0);
	fix_knock(&f, 2000, false);
	f.lport = 81;
	fix_knock(&f, 2001, false);
	CHECK_EQ("two", fix_counter(&f, "pool.half_open"), 2);
	CHECK_EQ("close", rill_tcp_close(f.st, f.listener), 0);
	CHECK_EQ("one", fix_counter(&f, "pool.half_open"), 1);
	fix_in(&f, ".", 1, 0, 1, 65535);
	CHECK_EQ("completes", fix_state(&f), RILL_ESTABLISHED);
	fix_done(&f);
}

TEST(far_syn)
{
	struct in_opts far = { .ttl = 49 };
	struct fix f;
	int ttl = 50;

	fix_init(&f, false);
	fix_listen(&f);
	CHECK_EQ("set", rill_stack_setsockopt(f.st, f.listener, RL_SOL_IP, RL_IP_MINTTL, &ttl,
					      sizeof(ttl)), 0);
	fix_in_opts(&f, "S", 0, 0, 0, 65535, &far);
	fix_expect_none(&f, "silently");
	CHECK_EQ("reason", fix_counter(&f, "drop.MIN_TTL"), 1);
	far.ttl = 50;
	fix_in_opts(&f, "S", 0, 0, 0, 65535, &far);
	fix_expect(&f, "near enough", "S.", 0, 0, 1);
	fix_done(&f);
}

/* [RFC9293:MUST-54] An ICMP error must quote what is in flight, also to a half-open peer. */
TEST(icmp_to_the_small_ones)
{
	struct fix f;

	fix_init(&f, false);
	fix_reach(&f, FIX_SYN_RECV_PASSIVE);
	fix_icmp(&f, 3, 1, 0, 0);
	CHECK_EQ("its SYN+ACK", fix_counter(&f, "drop.ICMP_NO_MATCH"), 0);
	fix_icmp(&f, 3, 1, 1, 0);
	CHECK_EQ("another number", fix_counter(&f, "drop.ICMP_NO_MATCH"), 1);
	CHECK_EQ("still there", fix_state(&f), RILL_SYN_RECV);
	fix_done(&f);
	fix_init(&f, false);
	fix_reach(&f, RILL_TIME_WAIT);
	fix_icmp(&f, 3, 1, 1, 0);
	CHECK_EQ("TIME-WAIT", fix_counter(&f, "drop.ICMP_NO_MATCH"), 1);
	fix_done(&f);
	established(&f, false, false);
	fix_send(&f, 1000);
	fix_drain(&f);
	fix_icmp(&f, 3, 4, 1, 600);
	CHECK_EQ("too big is no error", fix_getopt(&f, RL_SOL_SOCKET, RL_SO_ERROR), 0);
	fix_icmp(&f, 3, 1, 1000, 0);
	CHECK_EQ("last byte in flight", fix_getopt(&f, RL_SOL_SOCKET, RL_SO_ERROR), EHOSTUNREACH);
	CHECK_EQ("told once", fix_getopt(&f, RL_SOL_SOCKET, RL_SO_ERROR), 0);
	fix_icmp(&f, 3, 1, 1001, 0);
	CHECK_EQ("behind it", fix_getopt(&f, RL_SOL_SOCKET, RL_SO_ERROR), 0);
	fix_done(&f);
}

/* No room in TIME-WAIT: CLOSED at once, and its numbers are free. */
TEST(time_wait_overflow)
{
	struct fix f;

	fix_init(&f, false);
	fix_sysctl(&f, "net.ipv4.tcp_max_tw_buckets", "0");
	fix_reach(&f, RILL_FIN_WAIT2);
	fix_in(&f, "F.", 1, 0, 2, 65535);
	fix_expect(&f, "ACK", ".", 2, 0, 2);
	CHECK_EQ("state", fix_info(&f).state, RILL_CLOSE);
	fix_in(&f, "F.", 1, 0, 2, 65535);
	CHECK("forgotten", fix_out(&f).flags & TH_RST);
	fix_done(&f);
}

TEST(error_is_told_once)
{
	struct rill_iov iov = { &iov, 1 };
	struct fix f;

	established(&f, false, false);
	fix_in(&f, "R", 1, 0, 0, 0);
	CHECK_EQ("reset", fix_send(&f, 1), -ECONNRESET);
	CHECK_EQ("then", fix_send(&f, 1), -EPIPE);
	CHECK_EQ("no more", fix_getopt(&f, RL_SOL_SOCKET, RL_SO_ERROR), 0);
	CHECK_EQ("end", rill_tcp_recv(f.st, f.fd, &iov, 1, 0), 0);
	fix_done(&f);
	established(&f, false, false);
	fix_in(&f, "R", 1, 0, 0, 0);
	CHECK_EQ("reset", rill_tcp_recv(f.st, f.fd, &iov, 1, 0), -ECONNRESET);
	CHECK_EQ("then the end", rill_tcp_recv(f.st, f.fd, &iov, 1, 0), 0);
	CHECK_EQ("and", fix_send(&f, 1), -EPIPE);
	fix_done(&f);
}

/* listen() without bind(): some free port, of the family that was said before. */
TEST(listen_unbound)
{
	struct rill_addr nowhere = { .ip = rl_ip4(0xc0000201), .port = 80 }, a;
	struct rill_conn c;
	uint64_t cursor = 0;
	struct fix f;

	for (int v4 = 0; v4 < 2; v4++) {
		cursor = 0;
		fix_init(&f, true);
		fix_sysctl(&f, "net.ipv4.ip_local_port_range", "5000 5001");
		CHECK_EQ("open", rill_tcp_open(f.st, 0, &f.fd), 0);
		if (v4)
			CHECK("no way there", rill_tcp_connect(f.st, f.fd, &nowhere,
							       RILL_BIND_V4) < 0);
		CHECK_EQ("listen", rill_tcp_listen(f.st, f.fd, 1), 0);
		CHECK_EQ("local", rill_tcp_local(f.st, f.fd, &a), 0);
		CHECK("ephemeral", a.port == 5000 || a.port == 5001);
		CHECK_EQ("any", rl_ip_is_any(&a.ip), true);
		CHECK_EQ("row", rill_stack_conns(f.st, &cursor, &c, 1), 1);
		CHECK_EQ("family", c.family, v4 ? 4 : 0);
		fix_done(&f);
	}
}

/* A connect that fails late has no address and no port either. */
TEST(connect_without_a_port_left)
{
	struct rill_addr peer = { .ip = rl_ip4(0x0a000002), .port = 80 }, a;
	struct fix f;

	fix_init(&f, false);
	fix_sysctl(&f, "net.ipv4.ip_local_port_range", "5000 5000");
	for (int i = 0; i < 2; i++) {
		CHECK_EQ("open", rill_tcp_open(f.st, 0, &f.fd), 0);
		CHECK_EQ("connect", rill_tcp_connect(f.st, f.fd, &peer, 0),
			 i ? -EADDRNOTAVAIL : -EINPROGRESS);
	}
	CHECK_EQ("local", rill_tcp_local(f.st, f.fd, &a), 0);
	CHECK("any", rl_ip_is_any(&a.ip) && !a.port);
	CHECK_EQ("as new", rill_tcp_poll(f.st, f.fd), RILL_OUT | RILL_HUP);
	fix_done(&f);
}

TEST(families_of_connect)
{
	struct rill_addr peer4 = { .ip = rl_ip4(0x0a000002), .port = 80 };
	struct rill_ip ip4 = rl_ip4(0x0a000001);
	struct fix f;

	fix_init(&f, true);
	CHECK_EQ("address", rill_if_addr_add(f.st, f.ifindex, &ip4, 24), 0);
	CHECK_EQ("open", rill_tcp_open(f.st, 0, &f.fd), 0);
	CHECK_EQ("only IPv6", fix_setopt(&f, RL_SOL_IPV6, RL_IPV6_V6ONLY, 1), 0);
	CHECK_EQ("connect", rill_tcp_connect(f.st, f.fd, &peer4, 0), -ENETUNREACH);
	CHECK_EQ("both", fix_setopt(&f, RL_SOL_IPV6, RL_IPV6_V6ONLY, 0), 0);
	CHECK_EQ("connect", rill_tcp_connect(f.st, f.fd, &peer4, 0), -EINPROGRESS);
	CHECK_EQ("no threshold yet", fix_info(&f).snd_ssthresh, 0x7fffffff);
	fix_done(&f);
}

TEST(bound_and_connected_does_not_listen)
{
	struct rill_addr peer = { .ip = rl_ip4(0x0a000002), .port = 80 }, a = { .port = 5000 };
	struct fix f;

	fix_init(&f, false);
	CHECK_EQ("open", rill_tcp_open(f.st, 0, &f.fd), 0);
	CHECK_EQ("bind", rill_tcp_bind(f.st, f.fd, &a, 0), 0);
	CHECK_EQ("connect", rill_tcp_connect(f.st, f.fd, &peer, 0), -EINPROGRESS);
	CHECK_EQ("listen", rill_tcp_listen(f.st, f.fd, 1), -EINVAL);
	CHECK_EQ("state", fix_info(&f).state, RILL_SYN_SENT);
	fix_done(&f);
}

/* IP_MTU follows the route as it is now. */
TEST(mtu_of_a_new_route)
{
	struct rill_if_params ifp = { .name = "t1", .mtu = 600, .flags = RILL_IF_NO_DAD };
	struct rill_ip ip = rl_ip4(0x0a000101), peer = rl_ip4(0x0a000002);
	struct fix f;
	int second;

	established(&f, false, false);
	CHECK_EQ("before", fix_getopt(&f, RL_SOL_IP, RL_IP_MTU), 1500);
	second = rill_if_add(f.st, &ifp);
	CHECK_EQ("address", rill_if_addr_add(f.st, second, &ip, 24), 0);
	CHECK_EQ("route", rill_route_add(f.st, &peer, 32, NULL, second), 0);
	CHECK_EQ("after", fix_getopt(&f, RL_SOL_IP, RL_IP_MTU), 600);
	fix_done(&f);
}

/* A child of a listener that is bound to an interface is bound to it too. */
TEST(children_of_a_bound_listener)
{
	struct rill_addr a = { .port = FIX_PORT };
	struct fix f;

	for (int bound = 0; bound < 2; bound++) {
		fix_init(&f, false);
		CHECK_EQ("open", rill_tcp_open(f.st, 0, &f.fd), 0);
		if (bound)
			fix_setopt(&f, RL_SOL_SOCKET, RL_SO_BINDTOIFINDEX, f.ifindex);
		rill_tcp_bind(f.st, f.fd, &a, 0);
		rill_tcp_listen(f.st, f.fd, 1);
		f.listener = f.fd;
		fix_knock(&f, 2000, true);
		f.fd = fix_accept(&f);
		CHECK_EQ("bound", fix_getopt(&f, RL_SOL_SOCKET, RL_SO_BINDTOIFINDEX),
			 bound ? f.ifindex : 0);
		fix_done(&f);
	}
}

/* Don't Fragment as the listener has it, from the SYN+ACK on. */
TEST(fragmentable_children)
{
	struct fix f;

	fix_init(&f, false);
	fix_listen(&f);
	f.fd = f.listener;
	fix_setopt(&f, RL_SOL_IP, RL_IP_MTU_DISCOVER, RL_PMTUDISC_DONT);
	fix_in(&f, "S", 0, 0, 0, 65535);
	CHECK("SYN+ACK", !fix_out(&f).df);
	fix_in(&f, ".", 1, 0, 1, 65535);
	f.fd = fix_accept(&f);
	fix_send(&f, 10);
	CHECK("data", !fix_out(&f).df);
	fix_done(&f);
}

/* TIME-WAIT says its window in the units that were agreed on. */
TEST(scaled_window_of_time_wait)
{
	static const uint8_t opts[] = { 2, 4, 1000 >> 8, 1000 & 255, 3, 3, 7, 1 };
	struct out_seg o;
	struct fix f;

	fix_init(&f, false);
	fix_establish_opts(&f, opts, sizeof(opts));
	fix_in(&f, "P.", 1, 10, 1, 1000);
	fix_recv(&f, &o, 10);
	rill_tcp_close(f.st, f.fd);
	fix_drain(&f);
	fix_in(&f, "F.", 11, 0, 2, 1000);
	fix_drain(&f);
	CHECK_EQ("TIME-WAIT", fix_state(&f), RILL_TIME_WAIT);
	fix_in(&f, "F.", 11, 0, 2, 1000);
	o = fix_out(&f);
	CHECK("a little less than 64 KiB", o.win >= 62 && o.win <= 64);
	fix_done(&f);
}

/* An address chosen by an attempt before stays until another attempt chooses anew. */
TEST(refused_then_no_peer)
{
	struct rill_addr peer = { .ip = rl_ip4(0x0a000002), .port = FIX_PEER_PORT }, a;
	struct rill_addr mcast = { .ip = rl_ip4(0xe0000001), .port = 80 };
	struct rill_ip ip6 = { .b = { 0xfd, [15] = 1 } }, peer6 = { .b = { 0xfd, [15] = 2 } };
	struct fix f;

	fix_init(&f, false);
	CHECK_EQ("IPv6", rill_if_addr_add(f.st, f.ifindex, &ip6, 64), 0);
	fix_reach(&f, RILL_SYN_SENT);
	fix_in(&f, "R.", 0, 0, 1, 0);
	CHECK_EQ("refused", rill_tcp_connect(f.st, f.fd, &peer, 0), -ECONNREFUSED);
	CHECK_EQ("no peer", rill_tcp_connect(f.st, f.fd, &mcast, 0), -ENETUNREACH);
	CHECK_EQ("local", rill_tcp_local(f.st, f.fd, &a), 0);
	peer.ip = rl_ip4(0x0a000001);
	CHECK("as it was", rl_ip_eq(&a.ip, &peer.ip));
	CHECK_EQ("open", rill_tcp_open(f.st, 0, &f.fd), 0);
	a.port = 5000;
	CHECK_EQ("bind", rill_tcp_bind(f.st, f.fd, &a, 0), 0);
	peer.ip = peer6;
	CHECK_EQ("the other family", rill_tcp_connect(f.st, f.fd, &peer, 0), -ENETUNREACH);
	peer.ip = rl_ip4(0x0a000002);
	CHECK_EQ("its own", rill_tcp_connect(f.st, f.fd, &peer, 0), -EINPROGRESS);
	fix_done(&f);
}

/* A SYN that gets no memory is dropped for that reason, not silently. */
TEST(syn_without_memory)
{
	int failed = 0;

	for (uint64_t n = 1; n < 8; n++) {
		struct fix f;
		bool answered;

		fix_init(&f, false);
		fix_listen(&f);
		f.may_fail = true;
		f.alloc_fail_at = f.alloc_n + n;
		fix_in(&f, "S", 0, 0, 0, 65535);
		answered = fix_out(&f).there;
		failed += !answered;
		if (!answered && fix_counter(&f, "tcp.in_segs"))
			CHECK_EQ(rl_label("reason %d", (int)n), fix_counter(&f, "drop.NO_MEMORY"),
				 1);
		fix_done(&f);
	}
	CHECK("some failed", failed > 0);
}

/* The peer's keepalive is answered in TIME-WAIT and does not prolong it; a FIN does. */
TEST(keepalive_in_time_wait)
{
	for (int fin = 0; fin < 2; fin++) {
		struct fix f;

		fix_init(&f, false);
		fix_reach(&f, RILL_TIME_WAIT);
		fix_advance_ms(&f, 30000);
		fix_in(&f, fin ? "F." : ".", f.rcv_nxt - 1, 0, f.snd_nxt, 65535);
		CHECK_EQ("answered", fix_drain(&f), 1);
		fix_advance_ms(&f, 29999);
		CHECK_EQ("59.999 s", fix_state(&f), RILL_TIME_WAIT);
		fix_advance_ms(&f, 1);
		CHECK_EQ("60 s", fix_state(&f), fin ? RILL_TIME_WAIT : RILL_CLOSE);
		fix_done(&f);
	}
}

/* An interface chosen before stays when the peer's address names none. */
TEST(interface_of_connect)
{
	for (int how = 0; how < 3; how++) {
		struct rill_addr peer = { .ip = rl_ip4(0x0a000002), .port = 80 };
		struct fix f;

		fix_init(&f, false);
		CHECK_EQ("open", rill_tcp_open(f.st, 0, &f.fd), 0);
		if (how == 1)
			fix_setopt(&f, RL_SOL_SOCKET, RL_SO_BINDTOIFINDEX, f.ifindex);
		if (how == 2)
			peer.ifindex = (uint16_t)f.ifindex;
		CHECK_EQ("connect", rill_tcp_connect(f.st, f.fd, &peer, 0), -EINPROGRESS);
		CHECK_EQ(rl_label("bound %d", how),
			 fix_getopt(&f, RL_SOL_SOCKET, RL_SO_BINDTOIFINDEX), how ? f.ifindex : 0);
		fix_done(&f);
	}
}

/* The first challenge is never too soon, also when the clock has just begun. */
TEST(clock_has_just_begun)
{
	struct fix f;

	fix_init_at(&f, false, 1500, RL_MS);
	fix_reach(&f, FIX_SYN_RECV_PASSIVE);
	fix_in(&f, "R", 5, 0, 0, 0);
	CHECK_EQ("half-open peer", fix_drain(&f), 1);
	fix_in(&f, "R", 5, 0, 0, 0);
	CHECK_EQ("once", fix_drain(&f), 0);
	fix_done(&f);
	fix_init_at(&f, false, 1500, RL_MS);
	fix_reach(&f, RILL_ESTABLISHED);
	fix_in(&f, "R", 5, 0, 0, 0);
	CHECK_EQ("connection", fix_drain(&f), 1);
	fix_in(&f, "R", 5, 0, 0, 0);
	CHECK_EQ("once", fix_drain(&f), 0);
	fix_done(&f);
	fix_init_at(&f, false, 1500, RL_MS);
	fix_reach(&f, RILL_TIME_WAIT);
	fix_in(&f, ".", f.rcv_nxt, 10, f.snd_nxt, 0);
	CHECK_EQ("TIME-WAIT", fix_drain(&f), 1);
	fix_in(&f, ".", f.rcv_nxt, 10, f.snd_nxt, 0);
	CHECK_EQ("once", fix_drain(&f), 0);
	fix_done(&f);
}

/* Bound to another interface the connection goes another way from then on. */
TEST(bound_while_connected)
{
	struct rill_if_params ifp = { .name = "t1", .mtu = 600, .flags = RILL_IF_NO_DAD };
	struct rill_ip ip = rl_ip4(0x0a0000c8);
	struct fix f;
	int second;

	for (int by_name = 0; by_name < 2; by_name++) {
		fix_init(&f, false);
		second = rill_if_add(f.st, &ifp);
		CHECK_EQ("address", rill_if_addr_add(f.st, second, &ip, 24), 0);
		fix_establish(&f, false, false);
		CHECK_EQ("before", fix_getopt(&f, RL_SOL_IP, RL_IP_MTU), 1500);
		if (by_name)
			CHECK_EQ("set", rill_stack_setsockopt(f.st, f.fd, RL_SOL_SOCKET,
							      RL_SO_BINDTODEVICE, "t1", 2), 0);
		else
			CHECK_EQ("set", fix_setopt(&f, RL_SOL_SOCKET, RL_SO_BINDTOIFINDEX, second),
				 0);
		CHECK_EQ("after", fix_getopt(&f, RL_SOL_IP, RL_IP_MTU), 600);
		fix_done(&f);
	}
}

/* The name of the controller is padded with zeros to what was asked for. */
TEST(name_of_the_controller)
{
	static const char want[16] = "reno";
	char got[20];
	size_t n = sizeof(got);
	struct fix f;

	fix_init(&f, false);
	CHECK_EQ("open", rill_tcp_open(f.st, 7, &f.fd), 0);
	memset(got, 'x', sizeof(got));
	CHECK_EQ("get", rill_stack_getsockopt(f.st, f.fd, RL_SOL_TCP, RL_TCP_CONGESTION, got, &n),
		 0);
	CHECK_EQ("length", n, 16);
	CHECK_MEM("name", got, want, 16);
	CHECK_EQ("nothing behind it", got[16], 'x');
	fix_done(&f);
}

/* A child that gets a control block but not its cold part is not left half made. */
TEST(child_without_a_cold_part)
{
	rill_id plain, kept = 0;
	struct fix f;
	int v = 5;

	fix_init(&f, false);
	CHECK_EQ("open", rill_tcp_open(f.st, 0, &plain), 0);	/* the pools' pages end apart */
	fix_listen(&f);
	CHECK_EQ("cold", rill_stack_setsockopt(f.st, f.listener, RL_SOL_TCP, RL_TCP_KEEPIDLE, &v,
					       sizeof(v)), 0);
	f.may_fail = true;
	for (uint16_t port = 2000; f.st->colds.in_use < (1u << f.st->colds.shift) + 8; port++) {
		CHECK("knock", fix_knock(&f, port, false));
		f.alloc_dead = true;
		fix_in(&f, ".", 1, 0, 1, 65535);
		f.alloc_dead = false;
		fix_in(&f, ".", 1, 0, 1, 65535);
		f.fd = fix_accept(&f);
		REQUIRE("accepted in the end", f.fd != 0 && f.fd != kept);
		CHECK_EQ("taken over", fix_getopt(&f, RL_SOL_TCP, RL_TCP_KEEPIDLE), 5);
		kept = f.fd;
	}
	CHECK("some had to wait", fix_counter(&f, "drop.NO_MEMORY") > 0);
	fix_done(&f);
}

/* Timers reserved for connections are given back with them. */
TEST(reserved_timers)
{
	struct fix f;
	uint32_t before;
	rill_id id;

	established(&f, false, false);
	before = f.st->timers.reserved;
	for (int i = 0; i < 10; i++) {
		CHECK_EQ("open", rill_tcp_open(f.st, 0, &id), 0);
		CHECK_EQ("one more", f.st->timers.reserved, before + 1);
		CHECK_EQ("close", rill_tcp_close(f.st, id), 0);
	}
	CHECK_EQ("as before", f.st->timers.reserved, before);
	fix_done(&f);
}

/* Who has closed is told nothing any more, not even what waited to be told. */
TEST(no_events_after_close)
{
	struct fix f;

	established(&f, false, false);
	fix_event(&f);
	fix_in(&f, "F.", 1, 0, 1, 65535);
	CHECK_EQ("close", rill_tcp_close(f.st, f.fd), 0);
	CHECK_EQ("nothing", fix_event(&f), 0);
	fix_done(&f);
}

/* Only what is dropped is traced as dropped. */
TEST(good_segments_are_no_drops)
{
	struct rill_trace t;
	struct fix f;
	int drops = 0;

	established(&f, false, false);
	fix_in(&f, "P.", 1, 10, 1, 65535);
	fix_drain(&f);
	while (rill_stack_trace(f.st, &t))
		drops += t.kind == RILL_TR_DROP;
	CHECK_EQ("none", drops, 0);
	fix_in(&f, "P.", 1, 10, 1, 65535);
	fix_drain(&f);
	while (rill_stack_trace(f.st, &t))
		drops += t.kind == RILL_TR_DROP;
	CHECK_EQ("one", drops, 1);
	fix_done(&f);
}

/* What was connected once is not connected again, as on Linux after a reset. */
TEST(connected_once)
{
	struct rill_addr peer = { .ip = rl_ip4(0x0a000002), .port = 99 };
	struct fix f;

	established(&f, false, false);
	fix_in(&f, "R", 1, 0, 0, 0);
	CHECK_EQ("reset", fix_getopt(&f, RL_SOL_SOCKET, RL_SO_ERROR), ECONNRESET);
	CHECK_EQ("again", rill_tcp_connect(f.st, f.fd, &peer, 0), -EISCONN);
	fix_expect_none(&f, "no SYN");
	fix_done(&f);
}

/* A listener that tries to connect is one no longer, also when there is no way. */
TEST(listener_that_connects)
{
	struct rill_addr peer = { .ip = rl_ip4(0xc0000201), .port = 99 };
	struct fix f;

	fix_init(&f, false);
	fix_listen(&f);
	CHECK_EQ("no way", rill_tcp_connect(f.st, f.listener, &peer, 0), -ENETUNREACH);
	CHECK_EQ("no SYN+ACK", fix_knock(&f, 2000, false), false);
	CHECK_EQ("once more", rill_tcp_listen(f.st, f.listener, 1), 0);
	CHECK_EQ("SYN+ACK", fix_knock(&f, 2001, false), true);
	fix_done(&f);
}

TEST(unbound_from_a_device)
{
	struct fix f;

	fix_init(&f, false);
	CHECK_EQ("open", rill_tcp_open(f.st, 0, &f.fd), 0);
	CHECK_EQ("set", rill_stack_setsockopt(f.st, f.fd, RL_SOL_SOCKET, RL_SO_BINDTODEVICE,
					      "t0", 3), 0);
	CHECK_EQ("bound", fix_getopt(&f, RL_SOL_SOCKET, RL_SO_BINDTOIFINDEX), f.ifindex);
	CHECK_EQ("set", rill_stack_setsockopt(f.st, f.fd, RL_SOL_SOCKET, RL_SO_BINDTODEVICE,
					      "", 1), 0);
	CHECK_EQ("unbound", fix_getopt(&f, RL_SOL_SOCKET, RL_SO_BINDTOIFINDEX), 0);
	fix_done(&f);
}
