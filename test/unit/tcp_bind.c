/* SPDX-License-Identifier: MIT */
/*
 * Who stands in whose way on a port: addresses, families and interfaces, with a
 * port that was asked for and with the only one that is left.
 */
#include <errno.h>

#include "tcp_fix.h"
#include "base/types.h"
#include "stack/sockopt_nums.h"

enum where { ANY, V4, V6, ONE4, OTHER4, ONE6 };

struct end {
	enum where at;
	bool v6only, on_if;		/* on_if: the second interface */
};

static struct rill_addr addr_of(enum where w, uint16_t port)
{
	struct rill_addr a = { .port = port };

	if (w == ONE4)
		a.ip = rl_ip4(0x0a000001);
	if (w == OTHER4)
		a.ip = rl_ip4(0x0a000009);
	if (w == ONE6)
		a.ip = (struct rill_ip){ .b = { 0xfd, [15] = 1 } };
	return a;
}

/* A stack with two IPv4 addresses, an IPv6 one and another interface; one ephemeral port. */
static int setup(struct fix *f)
{
	struct rill_if_params ifp = { .name = "t1", .mtu = 1500, .flags = RILL_IF_NO_DAD };
	struct rill_ip ip = rl_ip4(0x0a000009), ip6 = { .b = { 0xfd, [15] = 1 } };

	fix_init(f, false);
	CHECK_EQ("second address", rill_if_addr_add(f->st, f->ifindex, &ip, 24), 0);
	CHECK_EQ("IPv6", rill_if_addr_add(f->st, f->ifindex, &ip6, 64), 0);
	fix_sysctl(f, "net.ipv4.ip_local_port_range", "5000 5000");
	return rill_if_add(f->st, &ifp);
}

static int bind_to(struct fix *f, const struct end *e, uint16_t port, int other_if)
{
	struct rill_addr a = addr_of(e->at, port);
	unsigned flags = e->at == V4 ? RILL_BIND_V4 : e->v6only ? RILL_BIND_V6ONLY : 0;

	CHECK_EQ("open", rill_tcp_open(f->st, 0, &f->fd), 0);
	if (e->on_if)
		fix_setopt(f, RL_SOL_SOCKET, RL_SO_BINDTOIFINDEX, other_if);
	return rill_tcp_bind(f->st, f->fd, &a, flags);
}

/* [RFC9293:MUST-42] */
static const struct { struct end a, b; bool clash; } pairs[] = {
	{ { ANY, 0, 0 }, { ANY, 0, 0 }, true },	   { { V4, 0, 0 }, { V4, 0, 0 }, true },
	{ { ANY, 0, 0 }, { V4, 0, 0 }, true },	   { { ANY, 0, 0 }, { V6, 1, 0 }, true },
	{ { V4, 0, 0 }, { V6, 1, 0 }, false },	   { { V6, 1, 0 }, { V4, 0, 0 }, false },
	{ { V6, 1, 0 }, { V6, 1, 0 }, true },
	{ { ONE4, 0, 0 }, { ANY, 0, 0 }, true },   { { ONE4, 0, 0 }, { V4, 0, 0 }, true },
	{ { ONE4, 0, 0 }, { V6, 1, 0 }, false },   { { ANY, 0, 0 }, { ONE4, 0, 0 }, true },
	{ { V4, 0, 0 }, { ONE4, 0, 0 }, true },	   { { V6, 1, 0 }, { ONE4, 0, 0 }, false },
	{ { ONE6, 0, 0 }, { ANY, 0, 0 }, true },   { { ONE6, 0, 0 }, { V4, 0, 0 }, false },
	{ { ONE6, 0, 0 }, { V6, 1, 0 }, true },	   { { ANY, 0, 0 }, { ONE6, 0, 0 }, true },
	{ { V4, 0, 0 }, { ONE6, 0, 0 }, false },   { { V6, 1, 0 }, { ONE6, 0, 0 }, true },
	{ { ONE4, 0, 0 }, { ONE4, 0, 0 }, true },  { { ONE4, 0, 0 }, { OTHER4, 0, 0 }, false },
	{ { ONE4, 0, 0 }, { ONE6, 0, 0 }, false },
	{ { ANY, 0, 1 }, { ANY, 0, 0 }, true },	   { { ANY, 0, 0 }, { ANY, 0, 1 }, true },
	{ { ANY, 0, 1 }, { ANY, 0, 1 }, true },	   { { ONE4, 0, 1 }, { ONE4, 0, 0 }, true },
};

TEST(pairs_of_binds)
{
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		for (uint16_t port = 0; port <= 5000; port += 5000) {
			const char *row = rl_label("pair %zu port %u", i, port);
			int want = pairs[i].clash ? -EADDRINUSE : 0, other;
			struct rill_addr a;
			struct fix f;

			other = setup(&f);
			CHECK_EQ(row, bind_to(&f, &pairs[i].a, 5000, other), 0);
			CHECK_EQ(row, bind_to(&f, &pairs[i].b, port, other), want);
			CHECK_EQ("local", rill_tcp_local(f.st, f.fd, &a), 0);
			CHECK_EQ(row, a.port, want ? 0 : 5000);
			CHECK_EQ("another port is free", bind_to(&f, &pairs[i].b, 5001, other), 0);
			fix_done(&f);
		}
	}
}

TEST(two_interfaces)
{
	static const struct end any = { ANY, 0, 0 }, there = { ANY, 0, 1 };
	struct fix f;
	int other;

	for (uint16_t port = 0; port <= 5000; port += 5000) {
		other = setup(&f);
		CHECK_EQ("open", rill_tcp_open(f.st, 0, &f.fd), 0);
		fix_setopt(&f, RL_SOL_SOCKET, RL_SO_BINDTOIFINDEX, f.ifindex);
		CHECK_EQ("first", rill_tcp_bind(f.st, f.fd, &(struct rill_addr){ .port = 5000 }, 0),
			 0);
		CHECK_EQ("the other one", bind_to(&f, &there, port, other), 0);
		CHECK_EQ("both", bind_to(&f, &any, port, other), -EADDRINUSE);
		fix_done(&f);
	}
}

/* ---- the only port that is left ---- */

static int connect_to(struct fix *f, uint16_t port)
{
	struct rill_addr peer = { .ip = rl_ip4(0x0a000002), .port = port };

	CHECK_EQ("open", rill_tcp_open(f->st, 0, &f->fd), 0);
	return rill_tcp_connect(f->st, f->fd, &peer, 0);
}

TEST(one_port_for_all)
{
	static const struct end one = { ONE4, 0, 0 };
	struct fix f;
	int other = setup(&f);

	CHECK_EQ("connect", connect_to(&f, 80), -EINPROGRESS);
	CHECK_EQ("to another port", connect_to(&f, 81), -EINPROGRESS);
	CHECK_EQ("twice", connect_to(&f, 80), -EADDRNOTAVAIL);
	fix_sysctl(&f, "net.ipv4.ip_local_port_range", "5000 5001");
	CHECK_EQ("a second port", connect_to(&f, 80), -EINPROGRESS);
	CHECK_EQ("thrice", connect_to(&f, 80), -EADDRNOTAVAIL);
	fix_sysctl(&f, "net.ipv4.ip_local_port_range", "5002 5002");
	CHECK_EQ("bound", bind_to(&f, &one, 5002, other), 0);
	CHECK_EQ("is its owner's", connect_to(&f, 90), -EADDRNOTAVAIL);
	fix_done(&f);
}

/* All ports of the range are tried, wherever the search begins, but the reserved ones. */
TEST(all_ports_of_a_range)
{
	for (int round = 0; round < 20; round++) {
		bool seen[8] = { false };
		struct rill_addr a;
		struct fix f;

		setup(&f);
		fix_sysctl(&f, "net.ipv4.ip_local_port_range", "5000 5007");
		fix_sysctl(&f, "net.ipv4.ip_local_reserved_ports", "5003,5006");
		for (int i = 0; i < 6; i++) {
			CHECK_EQ("connect", connect_to(&f, (uint16_t)(80 + round)), -EINPROGRESS);
			CHECK_EQ("local", rill_tcp_local(f.st, f.fd, &a), 0);
			REQUIRE("of the range", a.port >= 5000 && a.port <= 5007);
			CHECK("new", !seen[a.port - 5000]);
			seen[a.port - 5000] = true;
		}
		CHECK("reserved", !seen[3] && !seen[6]);
		CHECK_EQ("no more", connect_to(&f, (uint16_t)(80 + round)), -EADDRNOTAVAIL);
		fix_done(&f);
	}
}

/* [RFC9293:MUST-41] Connections and TIME-WAIT hold a port against a plain bind. */
TEST(held_by_connections)
{
	static const struct { const char *name; enum where at; bool reuse; int want; } t[] = {
		{ "any", ANY, false, -EADDRINUSE }, { "the same", ONE4, false, -EADDRINUSE },
		{ "another", OTHER4, false, 0 }, { "reuse", ONE4, true, 0 },
		{ "reuse any", ANY, true, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(t) * 2; i++) {
		const char *name = rl_label("%s%s", t[i / 2].name, i % 2 ? " TIME-WAIT" : "");
		struct rill_addr a = addr_of(t[i / 2].at, i % 4 < 2 ? 5000 : 0);
		struct fix f;

		setup(&f);
		f.lport = 5000;
		CHECK_EQ("open", rill_tcp_open(f.st, 0, &f.listener), 0);
		CHECK_EQ("bind", rill_tcp_bind(f.st, f.listener,
					       &(struct rill_addr){ .port = 5000 }, 0), 0);
		CHECK_EQ("listen", rill_tcp_listen(f.st, f.listener, 1), 0);
		fix_knock(&f, 2000, true);
		f.fd = fix_accept(&f);
		rill_tcp_close(f.st, f.listener);
		if (i % 2) {
			rill_tcp_close(f.st, f.fd);
			fix_drain(&f);
			fix_in(&f, "F.", 1, 0, 2, 65535);
			CHECK_EQ("TIME-WAIT", fix_state(&f), RILL_TIME_WAIT);
		}
		CHECK_EQ("open", rill_tcp_open(f.st, 0, &f.fd), 0);
		fix_setopt(&f, RL_SOL_SOCKET, RL_SO_REUSEADDR, t[i / 2].reuse);
		CHECK_EQ(name, rill_tcp_bind(f.st, f.fd, &a, 0), t[i / 2].want);
		fix_done(&f);
	}
}

/* ---- the best listener ---- */

TEST(choice_of_listener)
{
	static const struct end by[] = { { ANY, 0, 0 }, { ANY, 0, 1 }, { ONE4, 0, 0 },
		 { ONE4, 0, 1 } };
	rill_id l[4];
	struct fix f;

	/* all four on one port, bound to the interface the SYN comes by */
	for (unsigned mask = 1; mask < 16; mask++) {
		unsigned best = 3;

		setup(&f);
		for (unsigned i = 0; i < 4; i++) {
			struct rill_addr a = addr_of(by[i].at, FIX_PORT);

			if (!(mask >> i & 1))
				continue;
			CHECK_EQ("open", rill_tcp_open(f.st, 0, &f.fd), 0);
			fix_setopt(&f, RL_SOL_SOCKET, RL_SO_REUSEPORT, 1);
			if (by[i].on_if)
				fix_setopt(&f, RL_SOL_SOCKET, RL_SO_BINDTOIFINDEX, f.ifindex);
			CHECK_EQ("bind", rill_tcp_bind(f.st, f.fd, &a, 0), 0);
			CHECK_EQ("listen", rill_tcp_listen(f.st, f.fd, 1), 0);
			l[i] = f.fd;
		}
		while (!(mask >> best & 1))
			best--;
		CHECK("SYN+ACK", fix_knock(&f, 2000, true));
		f.listener = l[best];
		CHECK(rl_label("listeners %x", mask), fix_accept(&f) != 0);
		fix_done(&f);
	}
}

/* The one in the way may stand anywhere among those of a port. */
TEST(several_on_one_port)
{
	static const struct end one = { ONE4, 0, 0 }, two = { OTHER4, 0, 0 }, six = { ONE6, 0, 0 };

	for (uint16_t port = 0; port <= 5000; port += 5000) {
		struct fix f;
		int other = setup(&f);

		CHECK_EQ("first", bind_to(&f, &one, 5000, other), 0);
		CHECK_EQ("second", bind_to(&f, &two, 5000, other), 0);
		CHECK_EQ("as the first", bind_to(&f, &one, port, other), -EADDRINUSE);
		CHECK_EQ("third", bind_to(&f, &six, port, other), 0);
		CHECK_EQ("as the first", bind_to(&f, &one, port, other), -EADDRINUSE);
		CHECK_EQ("as the second", bind_to(&f, &two, port, other), -EADDRINUSE);
		fix_done(&f);
	}
}

/* Sharing agreed on and taken back: one may listen, and only one, in whatever order. */
TEST(one_of_many_listens)
{
	for (int who = 0; who < 3; who++) {
		struct rill_addr a = { .port = 5000 };
		struct fix f;
		rill_id id[3];

		fix_init(&f, false);
		for (int i = 0; i < 3; i++) {
			CHECK_EQ("open", rill_tcp_open(f.st, 0, &id[i]), 0);
			f.fd = id[i];
			fix_setopt(&f, RL_SOL_SOCKET, RL_SO_REUSEPORT, 1);
			CHECK_EQ("bind", rill_tcp_bind(f.st, id[i], &a, 0), 0);
		}
		for (int i = 0; i < 3; i++) {
			f.fd = id[i];
			fix_setopt(&f, RL_SOL_SOCKET, RL_SO_REUSEPORT, 0);
		}
		for (int i = 0; i < 3; i++) {
			int k = (who + i) % 3;

			CHECK_EQ(rl_label("%d of %d", i, who), rill_tcp_listen(f.st, id[k], 1),
				 i ? -EADDRINUSE : 0);
		}
		fix_done(&f);
	}
}
