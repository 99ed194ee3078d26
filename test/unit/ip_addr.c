/* SPDX-License-Identifier: MIT */
/* ip/addr.c: which addresses are ours, from which we send, and who has them already. */
#include "net_fixture.h"

/* [RFC1122-04] */
TEST(adding)
{
	static const struct { const char *name; int a, b, c, d; unsigned plen; int r; } rows[] = {
		{ "any",		0, 0, 0, 0,	   24, -EINVAL },
		{ "multicast",		224, 0, 0, 5,	   24, -EINVAL },
		{ "broadcast",		255, 255, 255, 255, 24, -EINVAL },
		{ "loopback",		127, 0, 0, 2,	   8,  -EINVAL },
		{ "prefix too long",	10, 1, 0, 1,	   33, -EINVAL },
		{ "there already",	10, 0, 0, 2,	   24, -EEXIST },
		{ "second one",		10, 0, 0, 3,	   24, 0 },
		{ "other net",		192, 168, 7, 1,	   30, 0 },
	};
	struct net n;

	net_init(&n, NET_ETHER);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rill_ip ip = ip4(rows[i].a, rows[i].b, rows[i].c, rows[i].d);

		CHECK_EQ(rows[i].name, rill_if_addr_add(n.st, 1, &ip, rows[i].plen),
			 rows[i].r);
		CHECK_EQ(rows[i].name, rl_ip_is_ours(n.st, &ip),
			 rows[i].r != -EINVAL || rows[i].a == 127);
	}
	struct rill_ip ip = ip4(10, 2, 0, 1);

	CHECK_EQ("no such interface", rill_if_addr_add(n.st, 7, &ip, 24), -ENODEV);
	net_fini(&n);
}

TEST(too_many)
{
	struct net n;
	int r = 0, k;

	net_init(&n, NET_ETHER);
	for (k = 0; k < 2 * RL_IF_ADDRS && !r; k++) {
		struct rill_ip ip = ip4(10, 1, 0, k + 1);

		r = rill_if_addr_add(n.st, 1, &ip, 24);
	}
	CHECK_EQ("full", r, -ENOSPC);
	net_fini(&n);
}

TEST(ipv6_needs_1280)
{
	struct rill_ip ip = peer6(9);
	struct net n;

	net_init_mtu(&n, NET_ETHER | NET_V4_ONLY, 1279);
	CHECK_EQ("refused", rill_if_addr_add(n.st, 1, &ip, 64), -EINVAL);
	net_fini(&n);
}

TEST(broadcast_forms)
{
	struct rill_ip p2p = ip4(192, 168, 0, 1), b;
	struct net n;

	net_init(&n, 0);
	CHECK_EQ("add", rill_if_addr_add(n.st, 1, &p2p, 31), 0);
	b = ip4(255, 255, 255, 255);
	CHECK("limited", rl_ip_is_broadcast(n.st, &b));
	b = peer4(255);
	CHECK("directed", rl_ip_is_broadcast(n.st, &b));
	b = peer4(254);
	CHECK("a host", !rl_ip_is_broadcast(n.st, &b));
	CHECK("a /31 has none", !rl_ip_is_broadcast(n.st, &p2p));
	b = ip4(127, 3, 4, 5);
	CHECK("all of 127/8 is ours", rl_ip_is_ours(n.st, &b));
	net_fini(&n);
}

/* [RFC6724-01] [RFC1122-33] */
TEST(source_selection)
{
	struct rill_ip a2 = ip4(192, 168, 5, 1), g6 = ip6(0x2001, 1), ula = ip6(0xfd00, 2);
	struct rill_ip none = ip6(0, 0), gw = peer4(1), gw6 = peer6(1), src;
	struct { const char *name; struct rill_ip dst, want; int r; } rows[] = {
		{ "own address",	peer4(2),	  peer4(2), 0 },
		{ "same subnet",	peer4(9),	  peer4(2), 0 },
		{ "other subnet",	ip4(192, 168, 5, 9), ip4(192, 168, 5, 1), 0 },
		{ "by the gateway",	ip4(8, 8, 8, 8),  peer4(2), 0 },
		{ "loopback",		ip4(127, 0, 0, 1), ip4(127, 0, 0, 1), 0 },
		{ "same label (ULA)",	ip6(0xfd77, 9),	  ula, 0 },
		{ "global",		ip6(0x2001, 9),	  g6, 0 },
		{ "link-local",		ip6(0xfe80, 9),	  ip6(0xfe80, 0), 0 },
		{ "link-local group",	ip6(0xff02, 9),	  ip6(0xfe80, 0), 0 },
	};
	struct net n;

	net_init(&n, NET_ETHER);
	CHECK_EQ("a", rill_if_addr_add(n.st, 1, &a2, 24), 0);
	CHECK_EQ("b", rill_if_addr_add(n.st, 1, &g6, 64), 0);
	CHECK_EQ("r", rill_route_add(n.st, &(struct rill_ip){ .q = { 0 } }, 0, &gw6, 0), 0);
	struct rill_ip any4 = rl_ip4(0);

	CHECK_EQ("r", rill_route_add(n.st, &any4, 0, &gw, 0), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CHECK_EQ(rows[i].name, rl_ip_select_source(n.st, &rows[i].dst, 0, &src),
			 rows[i].r);
		if (rl_ip_is_linklocal(&rows[i].want))
			CHECK(rows[i].name, rl_ip_is_linklocal(&src));
		else
			CHECK_MEM(rows[i].name, src.b, rows[i].want.b, 16);
	}
	CHECK_EQ("no route to ::", rl_ip_select_source(n.st, &none, 0, &src), -ENETUNREACH);
	net_fini(&n);
}

TEST(no_source)
{
	struct rill_ip dst = peer6(9), src, gw;
	struct net n;

	net_init(&n, NET_V4_ONLY);
	gw = peer6(1);
	CHECK_EQ("no route", rl_ip_select_source(n.st, &dst, 0, &src), -ENETUNREACH);
	CHECK_CTR(&n, ip_out_no_routes, 1);
	CHECK_EQ("on link", rill_route_add(n.st, &gw, 64, NULL, 1), 0);
	CHECK_EQ("no address", rl_ip_select_source(n.st, &dst, 0, &src), -EADDRNOTAVAIL);
	net_fini(&n);
}

static int solicits_for(struct net *n, const struct rill_ip *target)
{
	int k = 0;

	while (net_out(n))
		if (net_icmp_type(n) == ICMP6_NS << 8 && !memcmp(net_l4(n) + 8, target->b, 16))
			k++;
	return k;
}

/* [RFC4862-01] */
TEST(dad_then_use)
{
	struct rill_ip ip = peer6(2);
	struct net n;
	bool seen = false;

	net_init(&n, NET_ETHER | NET_DAD | NET_NO_ADDR);
	CHECK_EQ("add", rill_if_addr_add(n.st, 1, &ip, 64), 0);
	CHECK("not ours yet", !rl_ip_is_ours(n.st, &ip));
	while (net_out(&n)) {
		uint8_t *h = net_l3(&n);

		if (net_icmp_type(&n) != ICMP6_NS << 8 || memcmp(net_l4(&n) + 8, ip.b, 16))
			continue;
		seen = true;
		CHECK_EQ("hop limit", h[7], 255);
		CHECK("from nobody", get32(h + 8) == 0 && get32(h + 20) == 0);
		CHECK_EQ("no address option", net_l3_len(&n), 40 + ND_HDR_LEN);
		CHECK("sum", net_sums_ok(&n));
	}
	CHECK("asked", seen);
	net_advance(&n, RL_SEC - 1);
	CHECK("still waiting", !rl_ip_is_ours(n.st, &ip));
	net_advance(&n, 1);
	CHECK("ours", rl_ip_is_ours(n.st, &ip));
	CHECK_EQ("asked once", solicits_for(&n, &ip), 0);
	net_fini(&n);
}

TEST(dad_transmits)
{
	struct rill_ip ip = peer6(2);
	struct net n;
	int k = 0;

	net_init(&n, NET_ETHER | NET_DAD | NET_NO_ADDR);
	CHECK_EQ("sysctl", rill_sysctl_set(n.st, "net.ipv6.conf.all.dad_transmits", "3"), 0);
	CHECK_EQ("add", rill_if_addr_add(n.st, 1, &ip, 64), 0);
	for (int i = 0; i < 3; i++) {
		k += solicits_for(&n, &ip);
		CHECK("not yet", !rl_ip_is_ours(n.st, &ip));
		net_advance(&n, RL_SEC);
	}
	CHECK_EQ("three questions", k, 3);
	CHECK("ours", rl_ip_is_ours(n.st, &ip));
	net_fini(&n);
	net_init(&n, NET_ETHER | NET_DAD | NET_NO_ADDR);
	CHECK_EQ("sysctl", rill_sysctl_set(n.st, "net.ipv6.conf.all.dad_transmits", "0"), 0);
	CHECK_EQ("add", rill_if_addr_add(n.st, 1, &ip, 64), 0);
	CHECK("at once", rl_ip_is_ours(n.st, &ip));
	net_fini(&n);
}

/* [RFC4862-02] [RFC4862-03] */
TEST(dad_finds_a_duplicate)
{
	struct rill_ip ip = peer6(2), all = ip6(0xff02, 1), none = { .q = { 0 } };
	struct rill_ip sn = rl_nd_solicited_node(&ip), other = peer6(7);
	struct nd_msg na = { .type = ICMP6_NA, .flags = ND_OVERRIDE, .has_mac = true,
			     .target = ip, .mac = { 2, 9 } };
	struct nd_msg ns = { .type = ICMP6_NS, .target = ip };
	struct net n;

	net_init(&n, NET_ETHER | NET_DAD | NET_NO_ADDR);
	CHECK_EQ("add", rill_if_addr_add(n.st, 1, &ip, 64), 0);
	net_drain(&n);
	ns.has_mac = true;
	net_in_nd(&n, &other, &sn, &ns);	/* a question: no answer, no conflict */
	CHECK_EQ("no answer", net_drain(&n), 0);
	net_in_nd(&n, &other, &all, &na);
	net_advance(&n, 5 * RL_SEC);
	CHECK("not ours", !rl_ip_is_ours(n.st, &ip));
	net_fini(&n);

	net_init(&n, NET_ETHER | NET_DAD | NET_NO_ADDR);
	CHECK_EQ("add", rill_if_addr_add(n.st, 1, &ip, 64), 0);
	ns.has_mac = false;
	net_in_nd(&n, &none, &sn, &ns);		/* somebody asks for it just now */
	net_advance(&n, 5 * RL_SEC);
	CHECK("not ours", !rl_ip_is_ours(n.st, &ip));
	net_fini(&n);
}

/* [RFC5227-01], without the probes: two announcements, 2 s apart */
TEST(ipv4_is_announced_twice)
{
	struct rill_ip ip = peer4(2);
	struct arp_msg m;
	struct net n;
	int k = 0;

	net_init(&n, NET_ETHER | NET_NO_ADDR | NET_DAD);
	CHECK_EQ("add", rill_if_addr_add(n.st, 1, &ip, 24), 0);
	for (int i = 0; i < 5; i++) {
		while (net_out(&n)) {
			if (!net_is_arp(&n))
				continue;
			k++;
			CHECK_EQ("parse", rl_arp_parse(&m, n.out + 14, 28), 0);
			CHECK("from and for us", rl_ip_eq(&m.spa, &ip) &&
			      rl_ip_eq(&m.tpa, &ip) && m.op == ARP_REQUEST);
			CHECK_MEM("to all", n.out, bcast_mac, 6);
		}
		CHECK_EQ("announcements", k, i < 2 ? 1 : 2);
		net_advance(&n, RL_SEC);
	}
	net_fini(&n);
}
