/* SPDX-License-Identifier: MIT */
/*
 * Who may have which port, choosing one, and the errors in which opening ends [A21].
 */
#include <errno.h>

#include "tcp_fix.h"
#include "base/types.h"
#include "stack/sockopt_nums.h"

/* ---- ports ---- */

static rill_id bound(struct fix *f, uint32_t ip, uint16_t port, bool reuseaddr, bool reuseport,
		     int *err)
{
	struct rill_addr a = { .ip = ip ? rl_ip4(ip) : (struct rill_ip){ .q = { 0 } },
			       .port = port };
	rill_id id;

	CHECK_EQ("open", rill_tcp_open(f->st, 0, &id), 0);
	f->fd = id;
	fix_setopt(f, RL_SOL_SOCKET, RL_SO_REUSEADDR, reuseaddr);
	fix_setopt(f, RL_SOL_SOCKET, RL_SO_REUSEPORT, reuseport);
	*err = rill_tcp_bind(f->st, id, &a, 0);
	return id;
}

/* [RFC9293:MUST-41] Linux's rules for two on one port */
TEST(sharing_a_port)
{
	enum { NONE, ADDR, PORT };
	static const struct {
		const char *name;
		uint32_t ip1;
		int	 opt1;
		bool	 listens;
		uint32_t ip2;
		int	 opt2, bind, listen;
	} cases[] = {
		{ "plain", 0, NONE, false, 0, NONE, -EADDRINUSE, 0 },
		{ "one has REUSEADDR", 0, ADDR, false, 0, NONE, -EADDRINUSE, 0 },
		{ "both have", 0, ADDR, false, 0, ADDR, 0, 0 },
		{ "both have, one listens", 0, ADDR, true, 0, ADDR, -EADDRINUSE, 0 },
		{ "REUSEPORT, one listens", 0, PORT, true, 0, PORT, 0, 0 },
		{ "REUSEPORT of one", 0, PORT, true, 0, NONE, -EADDRINUSE, 0 },
		{ "any and an address", 0, NONE, false, 0x0a000001, NONE, -EADDRINUSE, 0 },
		{ "address and any", 0x0a000001, NONE, false, 0, NONE, -EADDRINUSE, 0 },
		{ "two addresses", 0x0a000001, NONE, true, 0x7f000001, NONE, 0, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		rill_id a, b;
		struct fix f;
		int err;

		fix_init(&f, false);
		a = bound(&f, cases[i].ip1, 80, cases[i].opt1 == ADDR, cases[i].opt1 == PORT, &err);
		CHECK_EQ("first", err, 0);
		if (cases[i].listens)
			CHECK_EQ("listen", rill_tcp_listen(f.st, a, 1), 0);
		b = bound(&f, cases[i].ip2, 80, cases[i].opt2 == ADDR, cases[i].opt2 == PORT, &err);
		CHECK_EQ(cases[i].name, err, cases[i].bind);
		if (!err)
			CHECK_EQ("listen", rill_tcp_listen(f.st, b, 1), cases[i].listen);
		rill_tcp_close(f.st, a);
		b = bound(&f, cases[i].ip2, 80, false, false, &err);
		fix_done(&f);
	}
}

/* Bind while connections of that port live or linger. */
TEST(bind_beside_connections)
{
	static const int states[] = { RILL_ESTABLISHED, RILL_TIME_WAIT };

	for (size_t i = 0; i < ARRAY_LEN(states); i++)
		for (int reuse = 0; reuse < 2; reuse++) {
			struct fix f;
			int err;

			fix_init(&f, false);
			fix_reach(&f, states[i]);
			CHECK_EQ("close", rill_tcp_close(f.st, f.listener), 0);
			bound(&f, 0, FIX_PORT, reuse, false, &err);
			CHECK_EQ(rl_label("%s, reuse %d", rill_state_name(states[i]), reuse),
				 err, reuse ? 0 : -EADDRINUSE);
			CHECK_EQ("nothing happened to it", fix_state(&f), states[i]);
			fix_done(&f);
		}
}

/* [RFC9293:MUST-42] LISTEN while another of that port is still opening */
TEST(listen_beside_opening)
{
	struct rill_addr to = { .ip = rl_ip4(0x0a000002), .port = FIX_PEER_PORT };
	rill_id a, b;
	struct fix f;
	int err;

	fix_init(&f, false);
	a = bound(&f, 0, 5000, true, false, &err);
	CHECK_EQ("bind", err, 0);
	CHECK_EQ("connect", rill_tcp_connect(f.st, a, &to, 0), -EINPROGRESS);
	b = bound(&f, 0, 5000, true, false, &err);
	CHECK_EQ("bind", err, 0);
	CHECK_EQ("listen", rill_tcp_listen(f.st, b, 1), 0);
	fix_drain(&f);
	fix_done(&f);
}

/* Sharing was agreed upon at bind(): taking the option back does not undo it. */
TEST(listen_after_agreed_sharing)
{
	rill_id b;
	struct fix f;
	int err;

	fix_init(&f, false);
	bound(&f, 0, 5000, true, false, &err);
	b = bound(&f, 0, 5000, true, false, &err);
	CHECK_EQ("bind", err, 0);
	CHECK_EQ("back", fix_setopt(&f, RL_SOL_SOCKET, RL_SO_REUSEADDR, 0), 0);
	CHECK_EQ("listen", rill_tcp_listen(f.st, b, 1), 0);
	fix_done(&f);
}

/* SO_REUSEPORT: peers are spread over the listeners, each always to the same. */
TEST(reuseport_spreads)
{
	rill_id l[4], child;
	int n[4] = { 0 }, all = 0;
	struct fix f;
	int err;

	fix_init(&f, false);
	for (int i = 0; i < 4; i++) {
		l[i] = bound(&f, 0, FIX_PORT, false, true, &err);
		CHECK_EQ("bind", err, 0);
		CHECK_EQ("listen", rill_tcp_listen(f.st, l[i], 100), 0);
	}
	for (uint16_t p = 0; p < 80; p++)
		fix_knock(&f, 2000 + p, true);
	for (int i = 0; i < 4; i++) {
		while (rill_tcp_accept(f.st, l[i], 0, &child, NULL) == 0)
			n[i]++;
		all += n[i];
		CHECK(rl_label("listener %d: %d", i, n[i]), n[i] >= 5);
	}
	CHECK_EQ("all", all, 80);
	fix_done(&f);
}

/* The most exact listener gets the SYN. */
TEST(most_exact_listener)
{
	rill_id any, exact, child;
	struct fix f;
	int err;

	fix_init(&f, false);
	any = bound(&f, 0, FIX_PORT, false, true, &err);
	exact = bound(&f, 0x0a000001, FIX_PORT, false, true, &err);
	CHECK_EQ("bind", err, 0);
	CHECK_EQ("listen", rill_tcp_listen(f.st, any, 1), 0);
	CHECK_EQ("listen", rill_tcp_listen(f.st, exact, 1), 0);
	fix_knock(&f, 2000, true);
	CHECK_EQ("not that", rill_tcp_accept(f.st, any, 0, &child, NULL), -EAGAIN);
	CHECK_EQ("that", rill_tcp_accept(f.st, exact, 0, &child, NULL), 0);
	fix_done(&f);
}

/* [RFC6056-02] [A21] ip_local_port_range, reserved ports; EADDRNOTAVAIL when none is left */
TEST(ephemeral_ports)
{
	struct rill_addr to = { .ip = rl_ip4(0x0a000002), .port = FIX_PEER_PORT };
	bool used[8] = { false };
	struct fix f;
	rill_id id;
	int err;

	fix_init(&f, false);
	fix_sysctl(&f, "net.ipv4.ip_local_port_range", "5000 5007");
	fix_sysctl(&f, "net.ipv4.ip_local_reserved_ports", "5002-5003");
	bound(&f, 0, 5005, false, false, &err);	/* owned by a bind */
	for (int i = 0; i < 5; i++) {
		struct out_seg o;

		CHECK_EQ("open", rill_tcp_open(f.st, 0, &id), 0);
		CHECK_EQ("connect", rill_tcp_connect(f.st, id, &to, 0), -EINPROGRESS);
		o = fix_out(&f);
		CHECK("in range, not twice", o.sport >= 5000 && o.sport <= 5007 &&
					     !used[o.sport - 5000]);
		used[o.sport & 7] = true;
	}
	CHECK("reserved ones never", !used[2] && !used[3] && !used[5]);
	CHECK_EQ("open", rill_tcp_open(f.st, 0, &id), 0);
	CHECK_EQ("used up", rill_tcp_connect(f.st, id, &to, 0), -EADDRNOTAVAIL);
	to.port++;				/* another four-tuple [A4] */
	CHECK_EQ("elsewhere", rill_tcp_connect(f.st, id, &to, 0), -EINPROGRESS);
	CHECK_EQ("bound by number", (bound(&f, 0, 5002, false, false, &err), err), 0);
	fix_drain(&f);
	fix_done(&f);

	fix_init(&f, false);
	fix_sysctl(&f, "net.ipv4.ip_local_port_range", "5000 5001");
	for (int i = 0; i < 2; i++)
		CHECK_EQ("bind to 0", (bound(&f, 0, 0, false, false, &err), err), 0);
	CHECK_EQ("used up", (bound(&f, 0, 0, false, false, &err), err), -EADDRINUSE);
	CHECK_EQ("upside down", rill_sysctl_set(f.st, "net.ipv4.ip_local_port_range",
						"6000 5000"), -EINVAL);
	fix_done(&f);
}

/* [RFC6056-03] A port in TIME-WAIT is not taken for the same peer. */
TEST(ephemeral_ports_in_time_wait)
{
	struct fix f;

	fix_init(&f, false);
	fix_sysctl(&f, "net.ipv4.ip_local_port_range", "5000 5000");
	fix_connect(&f, false, false);
	CHECK_EQ("close", rill_tcp_close(f.st, f.fd), 0);
	fix_drain(&f);
	fix_in(&f, "F.", 1, 0, 2, 65535);
	fix_drain(&f);
	CHECK_EQ("TIME-WAIT", fix_state(&f), RILL_TIME_WAIT);
	CHECK_EQ("open", rill_tcp_open(f.st, 7, &f.fd), 0);
	CHECK_EQ("held", rill_tcp_connect(f.st, f.fd, &(struct rill_addr){
			 .ip = rl_ip4(0x0a000002), .port = FIX_PEER_PORT }, 0), -EADDRNOTAVAIL);
	fix_advance_ms(&f, 60001);
	fix_connect(&f, false, false);
	fix_done(&f);
}

/* ---- errors ---- */

/* [A21] [RFC9293:MUST-43] [RFC9293:MUST-46] what bind() and connect() refuse at once */
TEST(refused_calls)
{
	static const struct { const char *name; bool v6; uint8_t ip[16]; uint16_t port; int err; }
	peers[] = {
		{ "port 0", false, { [10] = 255, 255, 10, 0, 0, 2 }, 0, -EADDRNOTAVAIL },
		{ "limited broadcast", false, { [10] = 255, 255, 255, 255, 255, 255 }, 1, -EACCES },
		{ "subnet broadcast", false, { [10] = 255, 255, 10, 0, 0, 255 }, 1, -EACCES },
		{ "multicast", false, { [10] = 255, 255, 224, 0, 0, 1 }, 1, -ENETUNREACH },
		{ "no route", false, { [10] = 255, 255, 192, 0, 2, 1 }, 1, -ENETUNREACH },
		{ "multicast", true, { 0xff, 2, [15] = 1 }, 1, -ENETUNREACH },
		{ "no route", true, { 0x20, 1, [15] = 1 }, 1, -ENETUNREACH },
	};
	struct fix f;
	rill_id id;
	int err;

	for (size_t i = 0; i < ARRAY_LEN(peers); i++) {
		struct rill_addr a = { .port = peers[i].port };

		memcpy(a.ip.b, peers[i].ip, 16);
		fix_init(&f, peers[i].v6);
		CHECK_EQ("open", rill_tcp_open(f.st, 0, &id), 0);
		CHECK_EQ(peers[i].name, rill_tcp_connect(f.st, id, &a, 0), peers[i].err);
		fix_expect_none(&f, "no SYN");
		CHECK_EQ("and usable", rill_tcp_bind(f.st, id, &(struct rill_addr){ .port = 5 }, 0),
			 0);
		fix_done(&f);
	}
	fix_init(&f, false);
	id = bound(&f, 0xc0000201, 80, false, false, &err);
	CHECK_EQ("not our address", err, -EADDRNOTAVAIL);
	id = bound(&f, 0x0a000001, 80, false, false, &err);
	CHECK_EQ("ours", err, 0);
	CHECK_EQ("twice", rill_tcp_bind(f.st, id, &(struct rill_addr){ .port = 81 }, 0), -EINVAL);
	CHECK_EQ("listen", rill_tcp_listen(f.st, id, 1), 0);
	CHECK_EQ("not connected", rill_tcp_peer(f.st, id, &(struct rill_addr){ .port = 0 }),
		 -ENOTCONN);
	f.fd = id;
	CHECK_EQ("recv of a listener", fix_recv(&f, &err, 1), -ENOTCONN);
	CHECK_EQ("send of a listener", fix_send(&f, 1), -ENOTCONN);
	CHECK_EQ("open", rill_tcp_open(f.st, 0, &f.fd), 0);
	CHECK_EQ("recv unconnected", fix_recv(&f, &err, 1), -ENOTCONN);
	CHECK_EQ("send unconnected", fix_send(&f, 1), -ENOTCONN);
	CHECK_EQ("shutdown unconnected", rill_tcp_shutdown(f.st, f.fd, RILL_SHUT_WR), -ENOTCONN);
	fix_done(&f);
}

/* [A21] EINPROGRESS, EALREADY, EISCONN, EINVAL, EAGAIN by state */
TEST(calls_by_state)
{
	static const struct { int state, connect, listen, bind; int64_t send, recv; } by[] = {
		{ RILL_SYN_SENT, -EALREADY, -EINVAL, -EINVAL, -EAGAIN, -EAGAIN },
		{ RILL_SYN_RECV, -EALREADY, -EINVAL, -EINVAL, -EAGAIN, -EAGAIN },
		{ RILL_ESTABLISHED, -EISCONN, -EINVAL, -EINVAL, 1, -EAGAIN },
		{ RILL_FIN_WAIT1, -EISCONN, -EINVAL, -EINVAL, -EPIPE, -EAGAIN },
		{ RILL_FIN_WAIT2, -EISCONN, -EINVAL, -EINVAL, -EPIPE, -EAGAIN },
		{ RILL_CLOSE_WAIT, -EISCONN, -EINVAL, -EINVAL, 1, 0 },
		{ RILL_CLOSING, -EISCONN, -EINVAL, -EINVAL, -EPIPE, 0 },
		{ RILL_LAST_ACK, -EISCONN, -EINVAL, -EINVAL, -EPIPE, 0 },
		{ RILL_TIME_WAIT, -EISCONN, -EINVAL, -EINVAL, -EPIPE, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(by); i++) {
		struct rill_addr to = { .ip = rl_ip4(0x0a000002), .port = 99 };
		const char *name = rill_state_name(by[i].state);
		uint8_t b;
		struct fix f;

		fix_init(&f, false);
		fix_reach(&f, by[i].state);
		CHECK_EQ(rl_label("%s: connect", name), rill_tcp_connect(f.st, f.fd, &to, 0),
			 by[i].connect);
		CHECK_EQ(rl_label("%s: listen", name), rill_tcp_listen(f.st, f.fd, 1),
			 by[i].listen);
		CHECK_EQ(rl_label("%s: bind", name), rill_tcp_bind(f.st, f.fd, &(struct rill_addr){
			 .port = 1 }, 0), by[i].bind);
		CHECK_EQ(rl_label("%s: send", name), fix_send(&f, 1), by[i].send);
		CHECK_EQ(rl_label("%s: recv", name), fix_recv(&f, &b, 1), by[i].recv);
		fix_done(&f);
	}
}

/* [A21] ECONNREFUSED by RST and by ICMP, EHOSTUNREACH; then the same endpoint again */
TEST(failed_connects)
{
	struct fix f;

	fix_init(&f, false);
	fix_reach(&f, RILL_SYN_SENT);
	fix_advance_ms(&f, 3100);
	CHECK_EQ("two more SYNs", fix_drain(&f), 2);
	fix_in(&f, "R.", 0, 0, 1, 0);
	CHECK("told", rill_tcp_poll(f.st, f.fd) & RILL_ERR);
	CHECK_EQ("refused", fix_getopt(&f, RL_SOL_SOCKET, RL_SO_ERROR), ECONNREFUSED);
	CHECK_EQ("again", rill_tcp_connect(f.st, f.fd, &(struct rill_addr){
		 .ip = rl_ip4(0x0a000002), .port = FIX_PEER_PORT }, 0), -EINPROGRESS);
	f.got_iss = false;
	f.lport = fix_out(&f).sport;
	fix_in(&f, "S.", 0, 0, 1, 65535);
	CHECK_EQ("open", fix_state(&f), RILL_ESTABLISHED);
	CHECK_EQ("no trace of the first attempt", fix_info(&f).snd_cwnd, 10);
	fix_drain(&f);
	fix_done(&f);

	fix_init(&f, false);
	fix_reach(&f, RILL_SYN_SENT);
	fix_icmp(&f, 3, 3, 0, 0);
	CHECK_EQ("port unreachable", fix_getopt(&f, RL_SOL_SOCKET, RL_SO_ERROR), ECONNREFUSED);
	fix_done(&f);
}

/* [RFC9293:MUST-44] [RFC9293:MUST-45] The source address follows the route and stays. */
TEST(source_address)
{
	const struct rill_ip second = rl_ip4(0x0a000009);
	struct rill_addr a;
	struct fix f;

	fix_init(&f, false);
	fix_reach(&f, RILL_SYN_SENT);
	CHECK_EQ("name", rill_tcp_local(f.st, f.fd, &a), 0);
	CHECK_EQ("address", rl_ip_get4(&a.ip), 0x0a000001);
	fix_in(&f, "S.", 0, 0, 1, 65535);
	fix_drain(&f);
	CHECK_EQ("another one", rill_if_addr_add(f.st, f.ifindex, &second, 24), 0);
	CHECK_EQ("name", rill_tcp_local(f.st, f.fd, &a), 0);
	CHECK_EQ("as before", rl_ip_get4(&a.ip), 0x0a000001);
	fix_send(&f, 10);
	fix_expect(&f, "data, checksum over the old address", "P.", 1, 10, 1);
	CHECK_EQ("peer", rill_tcp_peer(f.st, f.fd, &a), 0);
	CHECK_EQ("port", a.port, FIX_PEER_PORT);
	fix_done(&f);
}

/* 0.0.0.0 and :: mean this host, as on Linux. */
TEST(connect_to_any)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct rill_addr a = { .ip = v6 ? (struct rill_ip){ .q = { 0 } } : rl_ip4(0),
				       .port = FIX_PORT };
		rill_id id;
		struct fix f;

		fix_init(&f, v6);
		fix_listen(&f);
		CHECK_EQ("open", rill_tcp_open(f.st, 0, &id), 0);
		CHECK_EQ("connect", rill_tcp_connect(f.st, id, &a, 0), -EINPROGRESS);
		for (int i = 0; i < 5; i++)
			fix_drain(&f);
		CHECK("connected to ourselves", rill_tcp_poll(f.st, id) & RILL_OUT);
		CHECK("accepted", fix_accept(&f));
		fix_done(&f);
	}
}
