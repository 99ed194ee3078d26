/* SPDX-License-Identifier: MIT */
/* ip/mcast.c: groups, and the reports of IGMPv2 and MLDv1. [A24] */
#include "net_fixture.h"

static struct rill_ip group(bool v6)
{
	return v6 ? ip6(0xff05, 0x77) : ip4(239, 1, 2, 3);
}

/* Type of a report, leave or done for our group in the last frame out; 0: none. */
static int report(struct net *n, bool v6)
{
	struct rill_ip g = group(v6);
	uint8_t *ip = net_l3(n), *m;

	if (v6) {
		if (ip[0] >> 4 != 6 || ip[6] != 0 || get16(ip + 42) != 0x0502)
			return 0;
		m = ip + 48;
		return memcmp(m + 8, g.b, 16) ? 0 : m[0];
	}
	if (ip[0] != 0x46 || ip[9] != RL_PROTO_IGMP || ip[20] != 0x94)
		return 0;
	m = ip + 24;
	return memcmp(m + 4, g.b + 12, 4) ? 0 : m[0];
}

static int count(struct net *n, bool v6, int type)
{
	int k = 0;

	while (net_out(n))
		k += report(n, v6) == type;
	return k;
}

static void query(struct net *n, bool v6, uint8_t type, const struct rill_ip *g, int tenths)
{
	struct rill_ip all4 = ip4(224, 0, 0, 1), all6 = ip6(0xff02, 1);
	struct rill_ip src4 = rl_ip4(0), src6 = ip6(0xfe80, 1);
	struct mld_msg m6 = { .type = type, .max_resp_ms = (uint16_t)(tenths * 100), .group = *g };
	struct igmp_msg m4 = { .type = type, .max_resp = (uint8_t)tenths, .group = *g };
	uint8_t b[24], mac[6];

	if (v6) {
		rl_mld_write(&m6, b);
		net_in_icmp(n, &src6, &all6, b, MLD_LEN);
		return;
	}
	rl_igmp_write(&m4, b);
	rl_eth_group_mac(mac, &all4);
	net_in_mac(n, net_put(n, &src4, &all4, RL_PROTO_IGMP, b, IGMP_LEN), mac);
}

static void membership(bool v6)
{
	int rep = v6 ? ICMP6_MLD_REPORT : IGMP_V2_REPORT;
	int bye = v6 ? ICMP6_MLD_DONE : IGMP_LEAVE;
	struct rill_ip g = group(v6);
	struct net n;
	int k = 0;

	net_init(&n, NET_ETHER);
	CHECK_EQ("join", rl_ip_join(n.st, 1, &g), 0);
	CHECK("ours", rl_netif_has_group(&n.st->netif[0], &g));
	REQUIRE("report at once", net_out(&n));
	CHECK_EQ("type", report(&n, v6), rep);
	CHECK_EQ("TTL 1", net_l3(&n)[v6 ? 7 : 8], 1);
	CHECK_EQ("group's MAC", n.out[5], v6 ? 0x77 : 3);
	for (int i = 0; i < 11; i++) {
		net_advance(&n, RL_SEC);
		k += count(&n, v6, rep);
	}
	CHECK_EQ("and once again", k, 1);
	CHECK_EQ("second user", rl_ip_join(n.st, 1, &g), 0);
	CHECK_EQ("leave", rl_ip_leave(n.st, 1, &g), 0);
	CHECK_EQ("nothing said yet", count(&n, v6, bye), 0);
	CHECK_EQ("leave", rl_ip_leave(n.st, 1, &g), 0);
	CHECK_EQ("said", count(&n, v6, bye), 1);
	CHECK("gone", !rl_netif_has_group(&n.st->netif[0], &g));
	CHECK_EQ("not joined", rl_ip_leave(n.st, 1, &g), -EADDRNOTAVAIL);
	CHECK_NO_DROP(&n);
	net_fini(&n);
}

TEST(igmp_membership)
{
	membership(false);
}

TEST(mld_membership)
{
	membership(true);
}

static void queries(bool v6)
{
	int rep = v6 ? ICMP6_MLD_REPORT : IGMP_V2_REPORT;
	uint8_t q = v6 ? ICMP6_MLD_QUERY : IGMP_QUERY;
	struct rill_ip g = group(v6), any = v6 ? ip6(0, 0) : rl_ip4(0);
	struct rill_ip other = v6 ? ip6(0xff05, 0x88) : ip4(239, 9, 9, 9);
	struct net n;

	net_init(&n, NET_ETHER);
	rl_ip_join(n.st, 1, &g);
	net_seconds(&n, 11);
	net_drain(&n);
	query(&n, v6, q, &any, 20);
	net_seconds(&n, 2);
	CHECK_EQ("general query", count(&n, v6, rep), 1);
	query(&n, v6, q, &other, 20);
	net_seconds(&n, 3);
	CHECK_EQ("of another group", count(&n, v6, rep), 0);
	query(&n, v6, q, &g, 20);
	query(&n, v6, v6 ? ICMP6_MLD_REPORT : IGMP_V2_REPORT, &g, 0);
	net_seconds(&n, 3);
	CHECK_EQ("somebody else was faster", count(&n, v6, rep), 0);
	CHECK_NO_DROP(&n);
	net_fini(&n);
}

TEST(igmp_queries)
{
	queries(false);
}

TEST(mld_queries)
{
	queries(true);
}

TEST(bad_messages)
{
	struct rill_ip g = group(true), src = peer6(1), all = ip6(0xff02, 1);
	struct rill_ip g4 = group(false), s4 = peer4(1), all4 = ip4(224, 0, 0, 1);
	struct mld_msg m = { .type = ICMP6_MLD_QUERY, .group = g };
	struct igmp_msg m4 = { .type = 0x22, .group = g4 };
	uint8_t b[24], mac[6];
	struct net n;

	net_init(&n, NET_ETHER);
	rl_mld_write(&m, b);
	net_in_icmp(&n, &src, &all, b, MLD_LEN);	/* a querier is link-local */
	CHECK_DROP(&n, RL_DROP_ICMP_TYPE);
	net_in_icmp(&n, &src, &all, b, 12);
	CHECK_DROP(&n, RL_DROP_ICMP_SHORT);
	rl_eth_group_mac(mac, &all4);
	rl_igmp_write(&m4, b);				/* IGMPv3 reports are for routers */
	net_in_mac(&n, net_put(&n, &s4, &all4, RL_PROTO_IGMP, b, 8), mac);
	CHECK_DROP(&n, RL_DROP_ICMP_TYPE);
	b[2] ^= 1;
	net_in_mac(&n, net_put(&n, &s4, &all4, RL_PROTO_IGMP, b, 8), mac);
	CHECK_DROP(&n, RL_DROP_ICMP_CSUM);
	net_in_mac(&n, net_put(&n, &s4, &all4, RL_PROTO_IGMP, b, 7), mac);
	CHECK_DROP(&n, RL_DROP_ICMP_SHORT);
	net_fini(&n);
}

TEST(errors)
{
	struct rill_ip g = group(false), host = peer4(9);
	struct net n;
	int r = 0;

	net_init(&n, NET_ETHER);
	CHECK_EQ("no interface", rl_ip_join(n.st, 4, &g), -ENODEV);
	CHECK_EQ("no group", rl_ip_join(n.st, 1, &host), -EADDRNOTAVAIL);
	for (int i = 0; i < RL_MAX_GROUPS + 1 && !r; i++) {
		struct rill_ip one = ip4(239, 7, 7, i);

		r = rl_ip_join(n.st, 1, &one);
	}
	CHECK_EQ("full", r, -ENOSPC);
	net_fini(&n);
}

/* A bare-IP link has no switch that would have to know. */
TEST(no_reports_without_a_link_layer)
{
	struct rill_ip g = group(false);
	struct net n;

	net_init(&n, 0);
	CHECK_EQ("join", rl_ip_join(n.st, 1, &g), 0);
	net_advance(&n, 20 * RL_SEC);
	CHECK_EQ("silent", net_drain(&n), 0);
	net_fini(&n);
}
