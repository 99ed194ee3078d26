/* SPDX-License-Identifier: MIT */
/* ip/pmtu.c: what is known of narrow paths, and for how long. [A8] */
#include "net_fixture.h"

static uint32_t mtu_to(struct net *n, struct rill_ip dst, bool *no_df)
{
	struct rl_flow f = { .src = rl_ip_is4(&dst) ? peer4(2) : peer6(2), .dst = dst };

	CHECK_EQ("route", rl_ip_route(n->st, &f), 0);
	if (no_df)
		*no_df = f.d.no_df;
	return f.d.mtu;
}

/* [RFC1191-04] [RFC8201-04] */
TEST(expiry)
{
	struct rill_ip dst = peer4(1), other = peer4(3);
	struct net n;
	uint32_t gen;

	net_init(&n, NET_ETHER);
	gen = n.st->route_gen;
	CHECK("lower", rl_pmtu_lower(n.st, &dst, 1400));
	CHECK("flows look again", n.st->route_gen != gen);
	CHECK_EQ("mtu", mtu_to(&n, dst, NULL), 1400);
	CHECK_EQ("others", mtu_to(&n, other, NULL), 1500);
	CHECK("not up", !rl_pmtu_lower(n.st, &dst, 1450));
	CHECK("not the same", !rl_pmtu_lower(n.st, &dst, 1400));
	net_advance(&n, 300 * RL_SEC);
	CHECK_EQ("still", mtu_to(&n, dst, NULL), 1400);
	CHECK("lower again", rl_pmtu_lower(n.st, &dst, 1000));
	net_advance(&n, 599 * RL_SEC);
	CHECK_EQ("from the last message on", mtu_to(&n, dst, NULL), 1000);
	gen = n.st->route_gen;
	net_advance(&n, RL_SEC);
	CHECK_EQ("forgotten", mtu_to(&n, dst, NULL), 1500);
	CHECK("flows look again", n.st->route_gen != gen);
	CHECK_EQ("no entry", n.st->ip->pmtus.in_use, 0);
	net_fini(&n);
}

TEST(tunables)
{
	struct rill_ip dst = peer4(1);
	bool no_df;
	struct net n;

	net_init(&n, NET_ETHER);
	rill_sysctl_set(n.st, "net.ipv4.route.min_pmtu", "600");
	rill_sysctl_set(n.st, "net.ipv4.route.mtu_expires", "10");
	CHECK("lower", rl_pmtu_lower(n.st, &dst, 600));
	CHECK_EQ("mtu", mtu_to(&n, dst, &no_df), 600);
	CHECK("as told", !no_df);
	CHECK("below", rl_pmtu_lower(n.st, &dst, 599));
	CHECK_EQ("floor", mtu_to(&n, dst, &no_df), 600);
	CHECK("but then without DF", no_df);
	net_advance(&n, 10 * RL_SEC);
	CHECK_EQ("forgotten", mtu_to(&n, dst, &no_df), 1500);
	CHECK("DF again", !no_df);
	net_fini(&n);
}

/* A path below min_pmtu: packets leave without DF, routers may cut them. */
TEST(df_below_the_floor)
{
	struct rill_ip dst = peer4(1);
	struct rill_addr to = { dst, 7, 0 };
	static uint8_t data[500];
	struct rill_iov v = { data, sizeof(data) };
	struct net n;
	rill_id id;

	net_init(&n, NET_ETHER);
	CHECK_EQ("open", rill_udp_open(n.st, 0, &id), 0);
	CHECK_EQ("send", rill_udp_send(n.st, id, &v, 1, &to, 0), 500);
	REQUIRE("out", net_out(&n));
	CHECK_EQ("DF", net_l3(&n)[6], 0x40);
	rl_pmtu_lower(n.st, &dst, 100);
	CHECK_EQ("send", rill_udp_send(n.st, id, &v, 1, &to, 0), 500);
	REQUIRE("out", net_out(&n));
	CHECK_EQ("no DF", net_l3(&n)[6], 0);
	net_fini(&n);
}

TEST(plateaus)
{
	static const struct { uint32_t len, mtu; } rows[] = {
		{ 65535, 32000 }, { 1500, 1492 }, { 1492, 1006 }, { 576, 508 }, { 100, 68 },
		{ 68, 68 }, { 20, 68 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		CHECK_EQ("plateau", rl_pmtu_plateau(rows[i].len), rows[i].mtu);
}

TEST(table_is_bounded)
{
	struct rill_ip dst;
	struct net n;

	net_init(&n, 0);
	for (int i = 0; i < RL_PMTU_MAX + 10; i++) {
		dst = ip4(10, 0, 0, 1);
		dst.b[14] = (uint8_t)(i >> 8);
		dst.b[15] = (uint8_t)i;
		(void)rl_pmtu_lower(n.st, &dst, 1000);
	}
	CHECK("bounded", n.st->ip->pmtus.in_use <= RL_PMTU_MAX);
	net_advance(&n, 600 * RL_SEC);
	CHECK_EQ("all expire", n.st->ip->pmtus.in_use, 0);
	net_fini(&n);
}
