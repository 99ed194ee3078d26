/* SPDX-License-Identifier: MIT */
/* ip/nd.c: neighbour discovery messages, valid and not. */
#include "net_fixture.h"

static struct nd_msg ns_for_us(void)
{
	struct nd_msg m = { .type = ICMP6_NS, .target = peer6(2), .has_mac = true,
			    .mac = { 2, 0, 0, 0, 0, 9 } };

	return m;
}

/* [RFC4861-07] */
TEST(solicitation_is_answered)
{
	struct rill_ip src = peer6(9), us = peer6(2), sn = rl_nd_solicited_node(&us);
	struct nd_msg m = ns_for_us(), a;
	struct net n;

	net_init(&n, NET_ETHER);
	net_in_nd(&n, &src, &sn, &m);
	REQUIRE("answer", net_out(&n));
	CHECK_MEM("to the asker", n.out, m.mac, 6);
	CHECK_EQ("parse", rl_nd_parse(&a, net_l4(&n), net_l3_len(&n) - 40), 0);
	CHECK_EQ("type", a.type, ICMP6_NA);
	CHECK_EQ("flags", a.flags, ND_SOLICITED | ND_OVERRIDE);
	CHECK("target", rl_ip_eq(&a.target, &us) && a.has_mac);
	CHECK_MEM("mac", a.mac, net_mac, 6);
	CHECK_MEM("source is the target", net_l3(&n) + 8, us.b, 16);
	CHECK_EQ("hop limit", net_l3(&n)[7], 255);
	CHECK("sum", net_sums_ok(&n));
	CHECK_CTR(&n, neigh_replies_out, 1);
	REQUIRE("asker is known", rl_neigh_find(n.st, 1, &src));
	CHECK_EQ("stale", rl_neigh_find(n.st, 1, &src)->state, RL_NEIGH_STALE);
	CHECK_NO_DROP(&n);
	net_fini(&n);
}

/* Somebody checks the address for himself: all must hear that it is taken. */
TEST(probe_from_nobody)
{
	struct rill_ip none = { .q = { 0 } }, us = peer6(2), sn = rl_nd_solicited_node(&us);
	struct rill_ip all = ip6(0xff02, 1);
	struct nd_msg m = ns_for_us();
	struct net n;

	m.has_mac = false;
	net_init(&n, NET_ETHER);
	net_in_nd(&n, &none, &sn, &m);
	REQUIRE("answer", net_out(&n));
	CHECK_MEM("to all nodes", net_l3(&n) + 24, all.b, 16);
	CHECK_EQ("not solicited", net_l4(&n)[4], ND_OVERRIDE);
	net_fini(&n);
}

/* Without a link-layer address the asker is asked first. */
TEST(asker_without_address)
{
	struct rill_ip src = peer6(9), us = peer6(2), sn = rl_nd_solicited_node(&us);
	struct nd_msg m = ns_for_us();
	struct net n;

	m.has_mac = false;
	net_init(&n, NET_ETHER);
	net_in_nd(&n, &src, &sn, &m);
	REQUIRE("question", net_out(&n));
	CHECK_EQ("type", net_icmp_type(&n), ICMP6_NS << 8);
	net_fini(&n);
}

TEST(not_for_us)
{
	struct rill_ip src = peer6(9), us = peer6(2), sn = rl_nd_solicited_node(&us);
	struct nd_msg m = ns_for_us();
	struct nd_msg na = { .type = ICMP6_NA, .target = peer6(33), .has_mac = true,
			     .mac = { 2, 1 }, .flags = ND_OVERRIDE };
	struct rill_ip all = ip6(0xff02, 1);
	struct net n;

	m.target.b[5] = 7;			/* same last 24 bits */
	net_init(&n, NET_ETHER);
	net_in_nd(&n, &src, &sn, &m);
	CHECK_DROP(&n, RL_DROP_ICMP_NO_MATCH);
	net_in_nd(&n, &src, &all, &na);		/* no entry: nothing to update */
	CHECK_DROP(&n, RL_DROP_ICMP_NO_MATCH);
	CHECK("no entry", !rl_neigh_find(n.st, 1, &na.target));
	CHECK_EQ("no answers", net_drain(&n), 0);
	net_fini(&n);
}

enum { SRC_NONE = 1, DST_UNICAST = 2, DST_ALL = 4 };

/* [RFC4861-02] [RFC4861-03] [RFC4861-04] */
static const struct {
	const char *name;
	uint8_t type, hop_limit, code, flags;
	uint8_t opt[8];			/* option as it stands; length 0xff: none */
	uint8_t target0;		/* first byte of the target */
	unsigned how;
} bad[] = {
	{ "NS: hop limit 254",	ICMP6_NS, 254, 0, 0, { 1, 1, 2 }, 0xfd, 0 },
	{ "NS: code",		ICMP6_NS, 255, 1, 0, { 1, 1, 2 }, 0xfd, 0 },
	{ "NS: target group",	ICMP6_NS, 255, 0, 0, { 1, 1, 2 }, 0xff, 0 },
	{ "NS: option length 0", ICMP6_NS, 255, 0, 0, { 9, 0, 2 }, 0xfd, 0 },
	{ "NS: option too long", ICMP6_NS, 255, 0, 0, { 9, 2, 2 }, 0xfd, 0 },
	{ "NS: group MAC",	ICMP6_NS, 255, 0, 0, { 1, 1, 3 }, 0xfd, 0 },
	{ "NS: from nobody with an address", ICMP6_NS, 255, 0, 0, { 1, 1, 2 }, 0xfd, SRC_NONE },
	{ "NS: from nobody to one", ICMP6_NS, 255, 0, 0, { 9, 1, 2 }, 0xfd,
	  SRC_NONE | DST_UNICAST },
	{ "NA: hop limit 64",	ICMP6_NA, 64, 0, 0, { 2, 1, 2 }, 0xfd, 0 },
	{ "NA: target group",	ICMP6_NA, 255, 0, 0, { 2, 1, 2 }, 0xff, 0 },
	{ "NA: solicited, to all", ICMP6_NA, 255, 0, ND_SOLICITED, { 2, 1, 2 }, 0xfd, DST_ALL },
};

TEST(validation)
{
	struct rill_ip us = peer6(2), sn = rl_nd_solicited_node(&us), all = ip6(0xff02, 1);
	struct net n;

	net_init(&n, NET_ETHER);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct ipv6_hdr h = { .src = peer6(9), .next = RL_PROTO_ICMP6,
				      .hop_limit = bad[i].hop_limit, .dst = sn };
		uint8_t b[32] = { bad[i].type, bad[i].code, 0, 0, bad[i].flags };
		uint8_t mac[6];

		if (bad[i].how & SRC_NONE)
			h.src = ip6(0, 0);
		if (bad[i].how & DST_UNICAST)
			h.dst = us;
		if (bad[i].how & DST_ALL)
			h.dst = all;
		memcpy(b + 8, us.b, 16);
		b[8] = bad[i].target0;
		memcpy(b + 24, bad[i].opt, 8);
		net_icmp_sum(&h.src, &h.dst, b, sizeof(b));
		memcpy(mac, net_mac, 6);
		if (rl_ip_is_mcast(&h.dst))
			rl_eth_group_mac(mac, &h.dst);
		net_in_mac(&n, net_put6(&n, &h, b, sizeof(b)), mac);
		net_check_drop(__FILE__, __LINE__, &n, RL_DROP_ND_BAD, 1, bad[i].name);
	}
	CHECK_EQ("no answers", net_drain(&n), 0);
	net_fini(&n);
}

TEST(too_short_and_no_link)
{
	struct rill_ip src = peer6(9), dst = peer6(2);
	uint8_t b[16] = { ICMP6_NS };
	struct nd_msg m = ns_for_us();
	struct net n;

	net_init(&n, NET_ETHER);
	net_icmp_sum(&src, &dst, b, sizeof(b));
	struct ipv6_hdr h = { .src = src, .dst = dst, .next = RL_PROTO_ICMP6, .hop_limit = 255 };

	net_in(&n, net_put6(&n, &h, b, sizeof(b)));
	CHECK_DROP(&n, RL_DROP_ND_BAD);
	net_fini(&n);
	net_init(&n, 0);		/* there are no neighbours on a bare-IP interface */
	net_in_nd(&n, &src, &dst, &m);
	CHECK_DROP(&n, RL_DROP_ND_BAD);
	net_fini(&n);
}

/* [RFC4861-12]; advertisements and redirects are not for a configured stack */
TEST(routers_messages)
{
	struct rill_ip src = ip6(0xfe80, 1), dst = peer6(2);
	uint8_t b[48] = { 0 };
	struct net n;

	net_init(&n, NET_ETHER);
	for (int type = ICMP6_RS; type <= ICMP6_REDIRECT; type++) {
		if (type == ICMP6_NS || type == ICMP6_NA)
			continue;
		b[0] = (uint8_t)type;
		net_in_icmp(&n, &src, &dst, b, sizeof(b));
		CHECK_UEQ("redirects", CTR(&n, icmp_in_redirects), type == ICMP6_REDIRECT);
		CHECK_DROP(&n, RL_DROP_ICMP_TYPE);
	}
	CHECK_EQ("no answers", net_drain(&n), 0);
	net_fini(&n);
}

/* [RFC4861-05] */
TEST(groups_are_joined)
{
	struct rill_ip us = peer6(2), sn = rl_nd_solicited_node(&us), all = ip6(0xff02, 1);
	struct net n;

	net_init(&n, NET_ETHER);
	CHECK("solicited-node", rl_netif_has_group(&n.st->netif[0], &sn));
	CHECK("all nodes", rl_netif_has_group(&n.st->netif[0], &all));
	net_fini(&n);
}
