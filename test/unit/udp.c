/* SPDX-License-Identifier: MIT */
/* udp/udp.c: endpoints, ports, associations. [A24] */
#include "net_fixture.h"
#include "stack/id.h"
#include "stack/sockopt_nums.h"

static rill_id udp(struct net *n)
{
	rill_id id = 0;

	CHECK_EQ("open", rill_udp_open(n->st, 77, &id), 0);
	return id;
}

static int bind_to(struct net *n, rill_id id, struct rill_ip ip, uint16_t port, unsigned flags)
{
	struct rill_addr a = { ip, port, 0 };

	return rill_udp_bind(n->st, id, &a, flags);
}

static struct rill_addr local(struct net *n, rill_id id)
{
	struct rill_addr a = { .port = 0 };

	CHECK_EQ("local", rill_udp_local(n->st, id, &a), 0);
	return a;
}

static void on(struct net *n, rill_id id, int name)
{
	int32_t one = 1;

	CHECK_EQ("option", rl_udp_setsockopt(n->st, id, RL_SOL_SOCKET, name, &one, 4), 0);
}

static struct rill_ip any6(void)
{
	return (struct rill_ip){ .q = { 0 } };
}

TEST(ids)
{
	struct net n;
	rill_id a, b;

	net_init(&n, 0);
	a = udp(&n);
	CHECK_EQ("kind", rl_id_kind(a), RL_ID_UDP);
	CHECK("found", rl_udp_find(n.st, a) != NULL);
	CHECK_EQ("close", rill_udp_close(n.st, a), 0);
	CHECK("gone", !rl_udp_find(n.st, a));
	CHECK_EQ("twice", rill_udp_close(n.st, a), -EBADF);
	b = udp(&n);
	CHECK_EQ("same place", rl_id_idx(a), rl_id_idx(b));
	CHECK("another name", a != b && !rl_udp_find(n.st, a));
	CHECK_EQ("no endpoint", rill_udp_poll(n.st, a), -EBADF);
	CHECK_EQ("no endpoint", rill_udp_shutdown(n.st, a, RILL_SHUT_RD), -EBADF);
	net_fini(&n);
}

TEST(bind_errors)
{
	struct net n;
	rill_id a, b;

	net_init(&n, 0);
	a = udp(&n);
	b = udp(&n);
	CHECK_EQ("not ours", bind_to(&n, a, peer4(9), 53, 0), -EADDRNOTAVAIL);
	CHECK_EQ("ok", bind_to(&n, a, peer4(2), 53, 0), 0);
	CHECK_EQ("twice", bind_to(&n, a, peer4(2), 54, 0), -EINVAL);
	CHECK_EQ("taken", bind_to(&n, b, peer4(2), 53, 0), -EADDRINUSE);
	CHECK_EQ("taken by one of all", bind_to(&n, b, any6(), 53, 0), -EADDRINUSE);
	CHECK_EQ("another address", bind_to(&n, b, peer6(2), 53, 0), 0);
	CHECK_EQ("gone", rill_udp_bind(n.st, 1, &(struct rill_addr){ .port = 1 }, 0), -EBADF);
	net_fini(&n);
}

/* Which pairs may share a port. */
TEST(sharing)
{
	static const struct {
		const char *name;
		int a, b;		/* 0: ::, 4: 0.0.0.0, 6: :: V6ONLY, 1: 10.0.0.2 */
		int opt_a, opt_b;
		int r;
	} rows[] = {
		{ "any, any",		0, 0, 0, 0, -EADDRINUSE },
		{ "v4, v6 only",	4, 6, 0, 0, 0 },
		{ "v4, any",		4, 0, 0, 0, -EADDRINUSE },
		{ "v6 only, any",	6, 0, 0, 0, -EADDRINUSE },
		{ "one, v6 only",	1, 6, 0, 0, 0 },
		{ "one, v4",		1, 4, 0, 0, -EADDRINUSE },
		{ "both REUSEADDR",	0, 0, RL_SO_REUSEADDR, RL_SO_REUSEADDR, 0 },
		{ "first REUSEADDR",	0, 0, RL_SO_REUSEADDR, 0, -EADDRINUSE },
		{ "second REUSEADDR",	0, 0, 0, RL_SO_REUSEADDR, -EADDRINUSE },
		{ "both REUSEPORT",	0, 0, RL_SO_REUSEPORT, RL_SO_REUSEPORT, 0 },
		{ "one of each",	0, 0, RL_SO_REUSEPORT, RL_SO_REUSEADDR, -EADDRINUSE },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct net n;
		int r[2];

		net_init(&n, 0);
		for (int k = 0; k < 2; k++) {
			int how = k ? rows[i].b : rows[i].a;
			int opt = k ? rows[i].opt_b : rows[i].opt_a;
			rill_id id = udp(&n);

			if (opt)
				on(&n, id, opt);
			r[k] = bind_to(&n, id, how == 1 ? peer4(2) : how == 4 ? rl_ip4(0) : any6(),
				       100, how == 6 ? RILL_BIND_V6ONLY : 0);
		}
		CHECK_EQ(rows[i].name, r[0], 0);
		CHECK_EQ(rows[i].name, r[1], rows[i].r);
		net_fini(&n);
	}
}

/* [RFC6056-01] [RFC6056-02] */
TEST(ephemeral_ports)
{
	struct net n;
	int in_order = 0;
	uint16_t last = 0;
	rill_id id[10];

	net_init(&n, 0);
	for (int i = 0; i < 64; i++) {
		rill_id one = udp(&n);
		uint16_t port;

		CHECK_EQ("bind", bind_to(&n, one, any6(), 0, 0), 0);
		port = local(&n, one).port;
		CHECK("in the range", port >= 32768 && port <= 60999);
		in_order += port == last + 1;
		last = port;
	}
	CHECK("not one after another", in_order < 3);
	rill_sysctl_set(n.st, "net.ipv4.ip_local_port_range", "1000 1009");
	rill_sysctl_set(n.st, "net.ipv4.ip_local_reserved_ports", "1003,1007");
	for (int i = 0; i < 8; i++) {
		id[i] = udp(&n);
		CHECK_EQ("bind", bind_to(&n, id[i], any6(), 0, 0), 0);
		CHECK("not reserved", local(&n, id[i]).port != 1003 &&
				      local(&n, id[i]).port != 1007);
	}
	id[8] = udp(&n);
	CHECK_EQ("none left", bind_to(&n, id[8], any6(), 0, 0), -EADDRINUSE);
	CHECK_EQ("reserved ones on demand", bind_to(&n, id[8], any6(), 1003, 0), 0);
	CHECK_EQ("close", rill_udp_close(n.st, id[0]), 0);
	id[9] = udp(&n);
	CHECK_EQ("one is back", bind_to(&n, id[9], any6(), 0, 0), 0);
	net_fini(&n);
}

TEST(connecting)
{
	struct rill_addr to = { peer4(1), 7, 0 }, got;
	struct net n;
	rill_id id;

	net_init(&n, NET_ETHER);
	id = udp(&n);
	CHECK_EQ("no peer", rill_udp_peer(n.st, id, &got), -ENOTCONN);
	CHECK_EQ("shutdown", rill_udp_shutdown(n.st, id, RILL_SHUT_RD), -ENOTCONN);
	to.port = 0;
	CHECK_EQ("port 0", rill_udp_connect(n.st, id, &to, 0), -EINVAL);
	to.port = 7;
	CHECK_EQ("connect", rill_udp_connect(n.st, id, &to, 0), 0);
	CHECK_EQ("peer", rill_udp_peer(n.st, id, &got), 0);
	CHECK_EQ("port", got.port, 7);
	got = local(&n, id);
	CHECK("source is chosen", rl_ip_get4(&got.ip) == 0x0a000002 && got.port);
	to.port = 8;
	CHECK_EQ("again", rill_udp_connect(n.st, id, &to, 0), 0);
	CHECK_EQ("dissolve", rill_udp_connect(n.st, id, NULL, 0), 0);
	CHECK_EQ("no peer", rill_udp_peer(n.st, id, &got), -ENOTCONN);
	CHECK_EQ("port is given back", local(&n, id).port, 0);
	to.ip = ip4(8, 8, 8, 8);
	CHECK_EQ("no route", rill_udp_connect(n.st, id, &to, 0), -ENETUNREACH);
	to.ip = peer4(255);
	CHECK_EQ("broadcast", rill_udp_connect(n.st, id, &to, 0), -EACCES);
	on(&n, id, RL_SO_BROADCAST);
	CHECK_EQ("allowed", rill_udp_connect(n.st, id, &to, 0), 0);
	to.ip = rl_ip4(0);
	CHECK_EQ("any is this host", rill_udp_connect(n.st, id, &to, 0), 0);
	rill_udp_peer(n.st, id, &got);
	CHECK_EQ("loopback", rl_ip_get4(&got.ip), 0x7f000001);
	net_fini(&n);
}

TEST(families)
{
	struct rill_addr v4 = { peer4(1), 7, 0 }, v6 = { peer6(1), 7, 0 };
	struct net n;
	rill_id a, b, c;

	net_init(&n, NET_ETHER);
	a = udp(&n);
	b = udp(&n);
	c = udp(&n);
	CHECK_EQ("v4 socket", bind_to(&n, a, any6(), 0, RILL_BIND_V4), 0);
	CHECK_EQ("to v6", rill_udp_connect(n.st, a, &v6, RILL_BIND_V4), -ENETUNREACH);
	CHECK_EQ("to v4", rill_udp_connect(n.st, a, &v4, RILL_BIND_V4), 0);
	CHECK_EQ("v6 only", bind_to(&n, b, any6(), 0, RILL_BIND_V6ONLY), 0);
	CHECK_EQ("to v4", rill_udp_connect(n.st, b, &v4, RILL_BIND_V6ONLY), -ENETUNREACH);
	CHECK_EQ("to v6", rill_udp_connect(n.st, b, &v6, RILL_BIND_V6ONLY), 0);
	CHECK_EQ("both", rill_udp_connect(n.st, c, &v4, 0), 0);
	CHECK_EQ("both", rill_udp_connect(n.st, c, &v6, 0), 0);
	net_fini(&n);
}

TEST(shutting_down)
{
	struct rill_addr to = { peer4(1), 7, 0 };
	struct rill_iov v = { "x", 1 };
	struct rill_event ev;
	struct net n;
	rill_id id;

	net_init(&n, NET_ETHER);
	id = udp(&n);
	rill_udp_connect(n.st, id, &to, 0);
	CHECK_EQ("writable", rill_udp_poll(n.st, id), RILL_OUT);
	CHECK_EQ("wr", rill_udp_shutdown(n.st, id, RILL_SHUT_WR), 0);
	CHECK_EQ("send", rill_udp_send(n.st, id, &v, 1, NULL, 0), -EPIPE);
	CHECK_EQ("nothing to read", rill_udp_recv(n.st, id, &v, 1, NULL, 0), -EAGAIN);
	CHECK_EQ("rd", rill_udp_shutdown(n.st, id, RILL_SHUT_RD), 0);
	CHECK_EQ("end", rill_udp_recv(n.st, id, &v, 1, NULL, 0), 0);
	CHECK_EQ("bits", rill_udp_poll(n.st, id), RILL_IN | RILL_OUT | RILL_RDHUP | RILL_HUP);
	CHECK_EQ("event", rill_stack_event(n.st, &ev), 1);
	CHECK_UEQ("id", ev.id, id);
	CHECK_UEQ("user", ev.user, 77);
	net_fini(&n);
}

TEST(walking)
{
	struct rill_addr to = { peer4(1), 7, 0 };
	struct rill_ip us = peer4(2);
	struct rill_conn c[3];
	uint64_t cursor = 0;
	struct net n;
	rill_id id[5];
	int k, seen = 0;

	net_init(&n, NET_ETHER);
	for (int i = 0; i < 5; i++)
		id[i] = udp(&n);
	CHECK_EQ("close", rill_udp_close(n.st, id[1]), 0);
	bind_to(&n, id[0], any6(), 500, 0);
	rill_udp_connect(n.st, id[2], &to, 0);
	net_in_udp(&n, &to.ip, &us,
		   7, 500, "abc", 3);
	while ((k = rl_udp_conns(n.st, &cursor, c, 3)) > 0) {
		for (int i = 0; i < k; i++, seen++) {
			bool conn = c[i].id == id[2], first = c[i].id == id[0];

			CHECK_EQ("proto", c[i].proto, RL_PROTO_UDP);
			CHECK_EQ("state", c[i].state, conn ? RILL_ESTABLISHED : RILL_CLOSE);
			CHECK_EQ("peer", c[i].peer.port, conn ? 7 : 0);
			CHECK_EQ("family", c[i].family, conn ? 4 : 0);
			CHECK_EQ("recv_q", c[i].recv_q, first ? 3 : 0);
			CHECK_EQ("local", first ? c[i].local.port : 500, 500);
		}
	}
	CHECK_EQ("all", seen, 4);
	net_fini(&n);
}

TEST(without_memory)
{
	struct net n;
	rill_id id;

	net_init(&n, 0);
	n.fail_at = 1;
	CHECK_EQ("open", rill_udp_open(n.st, 0, &id), -ENOMEM);
	n.fail_at = 0;
	net_fini(&n);
}
