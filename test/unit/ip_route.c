/* SPDX-License-Identifier: MIT */
/* ip/route.c: longest prefix, gateways, and which interface a flow takes. */
#include "net_fixture.h"

static struct rill_ip any4(void)
{
	return rl_ip4(0);
}

static int lookup(struct net *n, struct rill_ip dst, struct rl_flow *f)
{
	*f = (struct rl_flow){ .src = rl_ip4(0), .dst = dst, .proto = RL_PROTO_UDP };
	return rl_ip_route(n->st, f);
}

/* The neighbour that a flow goes to. */
static struct rill_ip via(struct net *n, const struct rl_flow *f)
{
	const struct rl_neigh *e;

	if (f->d.neigh == RL_SLAB_NONE)
		return rl_ip4(0);
	e = rl_slab_find(&n->st->ip->neighs, f->d.neigh, f->d.neigh_gen);
	return e ? e->ip : rl_ip4(0);
}

/* [RFC1122-27] */
TEST(longest_prefix)
{
	struct { const char *name; struct rill_ip dst, via; } rows[] = {
		{ "on link",		peer4(9),	   peer4(9) },
		{ "host route",		ip4(192, 168, 1, 1), peer4(4) },
		{ "/24",		ip4(192, 168, 1, 2), peer4(3) },
		{ "/16",		ip4(192, 168, 2, 2), peer4(2 + 3) },
		{ "default",		ip4(8, 8, 8, 8),   peer4(1) },
	};
	struct { struct rill_ip dst; unsigned plen; struct rill_ip gw; } routes[] = {
		{ any4(), 0, peer4(1) },
		{ ip4(192, 168, 0, 0), 16, peer4(5) },
		{ ip4(192, 168, 1, 1), 32, peer4(4) },
		{ ip4(192, 168, 1, 0), 24, peer4(3) },
	};
	struct rl_flow f;
	struct net n;

	net_init(&n, NET_ETHER);
	for (size_t i = 0; i < ARRAY_LEN(routes); i++)
		CHECK_EQ("add", rill_route_add(n.st, &routes[i].dst, routes[i].plen,
					       &routes[i].gw, 0), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rill_ip got;

		CHECK_EQ(rows[i].name, lookup(&n, rows[i].dst, &f), 0);
		got = via(&n, &f);
		CHECK_MEM(rows[i].name, got.b, rows[i].via.b, 16);
	}
	net_fini(&n);
}

TEST(families_are_apart)
{
	struct rill_ip any6 = { .q = { 0 } }, gw = peer6(1);
	struct rl_flow f;
	struct net n;

	net_init(&n, NET_ETHER);
	CHECK_EQ("add", rill_route_add(n.st, &any6, 0, &gw, 0), 0);
	CHECK_EQ("IPv6", lookup(&n, ip6(0x2001, 1), &f), 0);
	CHECK_EQ("not IPv4", lookup(&n, ip4(8, 8, 8, 8), &f), -ENETUNREACH);
	net_fini(&n);
}

TEST(errors)
{
	struct rill_ip gw = peer4(1), far = ip4(9, 9, 9, 9), net = ip4(172, 16, 0, 0);
	struct rill_ip gw6 = peer6(1), own = peer4(2), group = ip4(224, 0, 0, 0), a = any4();
	struct net n;

	net_init(&n, NET_ETHER);
	CHECK_EQ("prefix", rill_route_add(n.st, &net, 33, &gw, 0), -EINVAL);
	CHECK_EQ("group", rill_route_add(n.st, &group, 4, &gw, 0), -EINVAL);
	CHECK_EQ("family", rill_route_add(n.st, &net, 12, &gw6, 0), -EINVAL);
	CHECK_EQ("interface", rill_route_add(n.st, &net, 12, NULL, 9), -EINVAL);
	CHECK_EQ("neither", rill_route_add(n.st, &net, 12, NULL, 0), -EINVAL);
	CHECK_EQ("any as gateway", rill_route_add(n.st, &net, 12, &a, 0), -EINVAL);
	CHECK_EQ("far gateway", rill_route_add(n.st, &net, 12, &far, 0), -ENETUNREACH);
	CHECK_EQ("ourselves", rill_route_add(n.st, &net, 12, &own, 0), -ENETUNREACH);
	CHECK_EQ("ok", rill_route_add(n.st, &net, 12, &gw, 0), 0);
	CHECK_EQ("twice", rill_route_add(n.st, &net, 12, &gw, 0), -EEXIST);
	CHECK_EQ("on link", rill_route_add(n.st, &far, 32, NULL, 1), 0);
	net_fini(&n);
}

TEST(table_is_bounded)
{
	struct rill_ip gw = peer4(1);
	struct net n;
	int r = 0;

	net_init(&n, NET_ETHER);
	for (int i = 0; i < RL_MAX_ROUTES + 1 && !r; i++) {
		struct rill_ip dst = ip4(172, 16, i, 0);

		r = rill_route_add(n.st, &dst, 24, &gw, 0);
	}
	CHECK_EQ("full", r, -ENOSPC);
	net_fini(&n);
}

/* [RFC1122-28]: the second gateway serves while the first one is dead */
TEST(dead_gateway)
{
	struct rill_ip a = any4(), gw1 = peer4(11), gw2 = peer4(12), dst = ip4(8, 8, 8, 8);
	uint8_t mac[6] = { 2, 0, 0, 0, 0, 0x12 };
	struct rill_iov v = { "x", 1 };
	struct rill_addr to = { dst, 53, 0 };
	struct rl_flow f;
	struct net n;
	rill_id id;

	net_init(&n, NET_ETHER);
	CHECK_EQ("add", rill_route_add(n.st, &a, 0, &gw1, 0), 0);
	CHECK_EQ("add", rill_route_add(n.st, &a, 0, &gw2, 0), 0);
	CHECK_EQ("neigh", rill_neigh_add(n.st, 1, &gw2, mac), 0);
	lookup(&n, dst, &f);
	CHECK_MEM("the first one", via(&n, &f).b, gw1.b, 16);
	CHECK_EQ("open", rill_udp_open(n.st, 0, &id), 0);
	CHECK_EQ("send", rill_udp_send(n.st, id, &v, 1, &to, 0), 1);
	net_seconds(&n, 3);				/* it does not answer */
	net_drain(&n);
	CHECK("flows look again", f.d.gen != n.st->route_gen);
	CHECK_EQ("send", rill_udp_send(n.st, id, &v, 1, &to, 0), 1);
	REQUIRE("out", net_out(&n));
	CHECK_MEM("by the second one", n.out, mac, 6);
	net_seconds(&n, 31);				/* then the first is tried again */
	lookup(&n, dst, &f);
	CHECK_MEM("the first one", via(&n, &f).b, gw1.b, 16);
	net_fini(&n);
}

TEST(groups_and_broadcasts)
{
	struct rill_if_params second = { .name = "test1", .mtu = 1400,
					 .flags = RILL_IF_ETHER, .mac = { 2, 0, 0, 0, 1, 2 } };
	struct rill_ip addr = ip4(172, 16, 0, 2);
	struct rl_flow f;
	struct net n;

	net_init(&n, NET_ETHER);
	CHECK_EQ("if", rill_if_add(n.st, &second), 2);
	CHECK_EQ("addr", rill_if_addr_add(n.st, 2, &addr, 16), 0);
	lookup(&n, ip4(224, 1, 1, 1), &f);
	CHECK_EQ("first interface", f.d.ifindex, 1);
	CHECK_EQ("cast", f.d.cast, RL_PKT_IP_MCAST);
	f.src = addr;
	CHECK_EQ("by source", rl_ip_route(n.st, &f), 0);
	CHECK_EQ("second", f.d.ifindex, 2);
	f.bound_if = 1;
	CHECK_EQ("bound", rl_ip_route(n.st, &f), 0);
	CHECK_EQ("first", f.d.ifindex, 1);
	lookup(&n, ip4(172, 16, 255, 255), &f);
	CHECK_EQ("directed broadcast", f.d.ifindex, 2);
	CHECK_EQ("cast", f.d.cast, RL_PKT_IP_BCAST);
	CHECK_EQ("mtu", f.d.mtu, 1400);
	f.bound_if = 9;
	f.dst = ip4(224, 1, 1, 1);
	CHECK_EQ("no such interface", rl_ip_route(n.st, &f), -ENETUNREACH);
	CHECK_EQ("any", lookup(&n, any4(), &f), -ENETUNREACH);
	net_fini(&n);
}

TEST(limits_of_a_flow)
{
	struct rl_flow f;
	struct net n;

	net_init(&n, NET_OFFLOAD);
	f.d = (struct rl_dst){ .gen = 0 };
	CHECK_EQ("none yet", rl_ip_gso_max(n.st, &f), 0);
	CHECK_EQ("none yet", rl_ip_if_mtu(n.st, &f.d), 0);
	lookup(&n, peer4(9), &f);
	CHECK_EQ("gso", rl_ip_gso_max(n.st, &f), 65535);
	CHECK_EQ("mtu", rl_ip_if_mtu(n.st, &f.d), 1500);
	lookup(&n, peer4(2), &f);
	CHECK("local", f.d.local);
	CHECK_EQ("loopback's", rl_ip_if_mtu(n.st, &f.d), 65535);
	CHECK_EQ("loopback's", rl_ip_gso_max(n.st, &f), 65535);
	net_fini(&n);
}
