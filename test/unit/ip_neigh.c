/* SPDX-License-Identifier: MIT */
/* ip/neigh.c: the states of a neighbour, its queue, the table's limit. */
#include "net_fixture.h"

static const uint8_t far_mac[6] = { 2, 0, 0, 0, 0, 9 };

static struct rill_ip host(bool v6)
{
	return v6 ? peer6(9) : peer4(9);
}

static struct rl_neigh *entry(struct net *n, bool v6)
{
	struct rill_ip ip = host(v6);

	return rl_neigh_find(n->st, 1, &ip);
}

static int state(struct net *n, bool v6)
{
	struct rl_neigh *e = entry(n, v6);

	return e ? e->state : -1;
}

/* A datagram to @ip.  Return: what rill_udp_send() says. */
static int64_t send_to(struct net *n, rill_id id, struct rill_ip ip)
{
	struct rill_addr to = { ip, 7, 0 };
	struct rill_iov v = { "hello", 5 };

	return rill_udp_send(n->st, id, &v, 1, &to, 0);
}

static rill_id open_udp(struct net *n)
{
	rill_id id = 0;

	CHECK_EQ("open", rill_udp_open(n->st, 0, &id), 0);
	return id;
}

/* Is the frame out a question for the host?  To all, or to @mac. */
static bool is_question(struct net *n, bool v6, bool unicast)
{
	struct arp_msg m;
	struct rill_ip ip = host(v6);

	if (rl_eth_is_group(n->out) == unicast)
		return false;
	if (v6)
		return net_icmp_type(n) == ICMP6_NS << 8 && net_sums_ok(n) &&
		       !memcmp(net_l4(n) + 8, ip.b, 16) && net_l3(n)[7] == 255;
	return net_is_arp(n) && !rl_arp_parse(&m, n->out + 14, 28) &&
	       m.op == ARP_REQUEST && rl_ip_eq(&m.tpa, &ip);
}

static void answer(struct net *n, bool v6, bool solicited)
{
	struct arp_msg m = { .op = ARP_REPLY, .spa = peer4(9), .tpa = peer4(2) };
	struct nd_msg na = { .type = ICMP6_NA, .has_mac = true, .target = peer6(9),
			     .flags = (uint8_t)(ND_OVERRIDE | (solicited ? ND_SOLICITED : 0)) };
	struct rill_ip src = peer6(9), dst = peer6(2);

	if (v6) {
		memcpy(na.mac, far_mac, 6);
		net_in_nd(n, &src, &dst, &na);
		return;
	}
	memcpy(m.sha, far_mac, 6);
	memcpy(m.tha, net_mac, 6);
	if (!solicited)
		m.tpa = m.spa;
	rl_eth_write(n->buf, net_mac, far_mac, ETH_ARP);
	rl_arp_write(&m, n->buf + 14);
	net_in_raw(n, n->buf, 60);
}

/* [RFC826-03] [RFC1122-49] [RFC4861-06] [RFC4861-09] */
static void life(bool v6)
{
	struct net n;
	rill_id id;

	net_init(&n, NET_ETHER);
	id = open_udp(&n);
	CHECK_EQ("sent", send_to(&n, id, host(v6)), 5);
	CHECK_EQ("incomplete", state(&n, v6), RL_NEIGH_INCOMPLETE);
	CHECK("asks all", net_out(&n) && is_question(&n, v6, false));
	CHECK_EQ("only that", net_drain(&n), 0);
	CHECK_EQ("second waits too", send_to(&n, id, host(v6)), 5);
	CHECK_EQ("no second question", net_drain(&n), 0);	/* [RFC1122-47] */
	answer(&n, v6, true);
	CHECK_EQ("reachable", state(&n, v6), RL_NEIGH_REACHABLE);
	CHECK("first waited", net_out(&n));
	CHECK_MEM("to it", n.out, far_mac, 6);
	CHECK_EQ("both waited", net_drain(&n), 1);
	net_advance(&n, 46 * RL_SEC);			/* at most 1.5 times 30 s */
	CHECK_EQ("stale", state(&n, v6), RL_NEIGH_STALE);
	CHECK_EQ("nothing asked", net_drain(&n), 0);
	CHECK_EQ("still used", send_to(&n, id, host(v6)), 5);
	CHECK_EQ("delay", state(&n, v6), RL_NEIGH_DELAY);
	CHECK_EQ("goes out at once", net_drain(&n), 1);
	net_advance(&n, 5 * RL_SEC);
	CHECK_EQ("probe", state(&n, v6), RL_NEIGH_PROBE);
	CHECK("asks it alone", net_out(&n) && is_question(&n, v6, true));
	answer(&n, v6, true);
	CHECK_EQ("reachable again", state(&n, v6), RL_NEIGH_REACHABLE);
	CHECK_NO_DROP(&n);
	net_fini(&n);
}

TEST(life_of_an_ipv4_neighbour)
{
	life(false);
}

TEST(life_of_an_ipv6_neighbour)
{
	life(true);
}

static void no_answer(bool v6)
{
	struct net n;
	rill_id id;
	int k = 0;

	net_init(&n, NET_ETHER);
	id = open_udp(&n);
	send_to(&n, id, host(v6));
	for (int i = 0; i < 3; i++) {
		while (net_out(&n))
			k += is_question(&n, v6, false);
		net_advance(&n, RL_SEC);
	}
	CHECK_EQ("questions, a second apart", k, 3);
	CHECK_CTR(&n, neigh_solicits_out, 3);
	CHECK_CTR(&n, neigh_failures, 1);
	CHECK_DROP(&n, RL_DROP_NEIGH_FAILED);
	CHECK_EQ("failed", state(&n, v6), RL_NEIGH_FAILED);
	CHECK_EQ("refused for a while", send_to(&n, id, host(v6)), -EHOSTUNREACH);
	CHECK_DROP(&n, RL_DROP_NEIGH_FAILED);
	net_advance(&n, RL_SEC);
	CHECK_EQ("asked again", send_to(&n, id, host(v6)), 5);
	CHECK_EQ("incomplete", state(&n, v6), RL_NEIGH_INCOMPLETE);
	net_seconds(&n, 40);
	CHECK_EQ("forgotten", state(&n, v6), -1);
	net_fini(&n);
}

TEST(no_answer_over_ipv4)
{
	no_answer(false);
}

TEST(no_answer_over_ipv6)
{
	no_answer(true);
}

/* The transport hears of it: a soft error on the socket. */
TEST(failure_reaches_the_socket)
{
	struct rill_addr to = { peer4(9), 7, 0 };
	struct rill_iov v = { "x", 1 };
	int32_t err = 0;
	size_t len = sizeof(err);
	struct net n;
	rill_id id;

	net_init(&n, NET_ETHER);
	id = open_udp(&n);
	CHECK_EQ("connect", rill_udp_connect(n.st, id, &to, RILL_BIND_V4), 0);
	CHECK_EQ("send", rill_udp_send(n.st, id, &v, 1, NULL, 0), 1);
	for (int i = 0; i < 3; i++)
		net_advance(&n, RL_SEC);
	CHECK_EQ("SO_ERROR", rl_udp_getsockopt(n.st, id, 1, 4, &err, &len), 0);
	CHECK_EQ("unreachable", err, EHOSTUNREACH);
	net_fini(&n);
}

TEST(probe_without_answer_fails)
{
	struct net n;
	rill_id id;
	int k = 0;

	net_init(&n, NET_ETHER);
	id = open_udp(&n);
	send_to(&n, id, peer4(9));
	answer(&n, false, true);
	net_advance(&n, 46 * RL_SEC);
	send_to(&n, id, peer4(9));
	net_drain(&n);
	net_advance(&n, 5 * RL_SEC);
	for (int i = 0; i < 3; i++) {
		while (net_out(&n))
			k += is_question(&n, false, true);
		net_advance(&n, RL_SEC);
	}
	CHECK_EQ("three probes", k, 3);
	CHECK_EQ("failed", state(&n, false), RL_NEIGH_FAILED);
	/* it may have moved: the next packet asks all at once [RFC1122-48] */
	CHECK_EQ("not refused", send_to(&n, id, peer4(9)), 5);
	CHECK_EQ("incomplete", state(&n, false), RL_NEIGH_INCOMPLETE);
	net_fini(&n);
}

TEST(queue_is_bounded)
{
	struct net n;
	rill_id id;

	net_init(&n, NET_ETHER);
	CHECK_EQ("sysctl", rill_sysctl_set(n.st, "net.ipv4.neigh.default.unres_qlen", "3"), 0);
	id = open_udp(&n);
	for (int i = 0; i < 4; i++)
		send_to(&n, id, peer4(9));
	CHECK_DROP(&n, RL_DROP_NEIGH_QUEUE);
	net_drain(&n);
	answer(&n, false, true);
	CHECK_EQ("the latest three", net_drain(&n), 3);
	net_fini(&n);
}

TEST(tunables_decide)
{
	struct net n;
	rill_id id;

	net_init(&n, NET_ETHER);
	rill_sysctl_set(n.st, "net.ipv4.neigh.default.mcast_solicit", "1");
	rill_sysctl_set(n.st, "net.ipv4.neigh.default.retrans_time_ms", "200");
	rill_sysctl_set(n.st, "net.ipv4.neigh.default.ucast_solicit", "1");
	rill_sysctl_set(n.st, "net.ipv4.neigh.default.base_reachable_time_ms", "100");
	rill_sysctl_set(n.st, "net.ipv4.neigh.default.delay_first_probe_time", "1");
	id = open_udp(&n);
	send_to(&n, id, peer4(9));
	net_advance(&n, 200 * RL_MS);
	CHECK_EQ("failed after one", state(&n, false), RL_NEIGH_FAILED);
	net_advance(&n, 200 * RL_MS);
	send_to(&n, id, peer4(9));
	answer(&n, false, true);
	net_advance(&n, 151 * RL_MS);
	CHECK_EQ("stale soon", state(&n, false), RL_NEIGH_STALE);
	send_to(&n, id, peer4(9));
	net_advance(&n, RL_SEC);
	CHECK_EQ("probe after 1 s", state(&n, false), RL_NEIGH_PROBE);
	net_advance(&n, 200 * RL_MS);
	CHECK_EQ("failed after one", state(&n, false), RL_NEIGH_FAILED);
	net_fini(&n);
}

TEST(table_is_bounded)
{
	struct net n;
	rill_id id;

	net_init(&n, NET_ETHER);
	rill_sysctl_set(n.st, "net.ipv4.neigh.default.gc_thresh3", "4");
	id = open_udp(&n);
	/* the two of the peer are static; those that wait are not given up */
	CHECK_EQ("3rd", send_to(&n, id, peer4(11)), 5);
	CHECK_EQ("4th", send_to(&n, id, peer4(12)), 5);
	CHECK_NO_DROP(&n);
	CHECK_EQ("5th is lost, silently", send_to(&n, id, peer4(13)), 5);
	CHECK_DROP(&n, RL_DROP_NEIGH_LIMIT);
	net_seconds(&n, 4);
	net_mark(&n);
	CHECK_EQ("failed ones give way", send_to(&n, id, peer4(13)), 5);
	CHECK_NO_DROP(&n);
	CHECK_EQ("still four", n.st->ip->neighs.in_use, 4);
	net_fini(&n);
}

/* [RFC4861-08]: what an advertisement does, by flags and state */
static const struct {
	const char *name;
	bool reachable;		/* before: reachable or stale */
	uint8_t flags;
	bool has_mac, other;	/* carries an address, another one */
	int state;
	bool changes;
} na_rows[] = {
	{ "S, same",		false, ND_SOLICITED,		true,  false,
	  RL_NEIGH_REACHABLE, false },
	{ "S, other, no O",	false, ND_SOLICITED,		true,  true,
	  RL_NEIGH_STALE, false },
	{ "S, other, no O, was reachable", true, ND_SOLICITED,	true,  true,
	  RL_NEIGH_STALE, false },
	{ "S, O, other",	false, ND_SOLICITED | ND_OVERRIDE, true, true,
	  RL_NEIGH_REACHABLE, true },
	{ "O, other",		true,  ND_OVERRIDE,		true,  true,
	  RL_NEIGH_STALE, true },
	{ "O, same",		true,  ND_OVERRIDE,		true,  false,
	  RL_NEIGH_REACHABLE, false },
	{ "nothing, same [RFC4861-10]", false, 0,		true,  false,
	  RL_NEIGH_STALE, false },
	{ "S, no address",	false, ND_SOLICITED,		false, false,
	  RL_NEIGH_REACHABLE, false },
};

TEST(advertisement_table)
{
	uint8_t other[6] = { 2, 0, 0, 0, 0, 0x77 };
	struct rill_ip src = peer6(9), dst = peer6(2), all = ip6(0xff02, 1);

	for (size_t i = 0; i < ARRAY_LEN(na_rows); i++) {
		struct nd_msg na = { .type = ICMP6_NA, .target = src,
				     .flags = na_rows[i].flags,
				     .has_mac = na_rows[i].has_mac };
		struct net n;
		rill_id id;

		net_init(&n, NET_ETHER);
		id = open_udp(&n);
		send_to(&n, id, src);
		answer(&n, true, true);
		if (!na_rows[i].reachable)
			net_advance(&n, 46 * RL_SEC);
		memcpy(na.mac, na_rows[i].other ? other : far_mac, 6);
		net_in_nd(&n, &src, na.flags & ND_SOLICITED ? &dst : &all, &na);
		CHECK_EQ(na_rows[i].name, state(&n, true), na_rows[i].state);
		CHECK_MEM(na_rows[i].name, entry(&n, true)->mac,
			  na_rows[i].changes ? other : far_mac, 6);
		net_fini(&n);
	}
}

/* An unsolicited advertisement completes, but does not prove. */
TEST(incomplete_and_unsolicited)
{
	struct net n;
	rill_id id;

	net_init(&n, NET_ETHER);
	id = open_udp(&n);
	send_to(&n, id, peer6(9));
	net_drain(&n);
	answer(&n, true, false);
	CHECK_EQ("sent", net_drain(&n), 1);
	CHECK_EQ("stale", state(&n, true), RL_NEIGH_STALE);
	net_fini(&n);
}

/* [RFC4861-10]: progress of a transport counts, and no question is asked */
TEST(confirm_and_suspect)
{
	struct rl_flow f = { .src = peer4(2), .dst = peer4(9), .proto = RL_PROTO_UDP };
	struct net n;
	rill_id id;

	net_init(&n, NET_ETHER);
	id = open_udp(&n);
	send_to(&n, id, peer4(9));
	answer(&n, false, true);
	net_drain(&n);
	CHECK_EQ("route", rl_ip_route(n.st, &f), 0);
	for (int i = 0; i < 20; i++) {
		net_advance(&n, 10 * RL_SEC);
		rl_ip_confirm(n.st, &f);
	}
	CHECK_EQ("kept", state(&n, false), RL_NEIGH_REACHABLE);
	CHECK_EQ("nothing asked", net_drain(&n), 0);
	net_advance(&n, 46 * RL_SEC);
	CHECK_EQ("stale", state(&n, false), RL_NEIGH_STALE);
	rl_ip_confirm(n.st, &f);
	CHECK_EQ("reachable", state(&n, false), RL_NEIGH_REACHABLE);
	rl_ip_suspect(n.st, &f);
	CHECK_EQ("probed at once", state(&n, false), RL_NEIGH_PROBE);
	CHECK("asks it", net_out(&n) && is_question(&n, false, true));
	CHECK_EQ("and routes anew", f.d.gen, 0);
	net_fini(&n);
}

TEST(static_entries)
{
	struct rill_ip ip = peer4(9), group = ip4(224, 0, 0, 9), own = peer4(2);
	uint8_t other[6] = { 2, 0, 0, 0, 0, 0x77 };
	struct net n, bare;

	net_init(&n, NET_ETHER);
	CHECK_EQ("no interface", rill_neigh_add(n.st, 5, &ip, far_mac), -ENODEV);
	CHECK_EQ("group", rill_neigh_add(n.st, 1, &group, far_mac), -EINVAL);
	CHECK_EQ("group MAC", rill_neigh_add(n.st, 1, &ip, bcast_mac), -EINVAL);
	CHECK_EQ("own", rill_neigh_add(n.st, 1, &own, far_mac), -EINVAL);
	CHECK_EQ("ok", rill_neigh_add(n.st, 1, &ip, other), 0);
	answer(&n, false, true);
	CHECK_EQ("nobody changes it", state(&n, false), RL_NEIGH_STATIC);
	CHECK_MEM("mac", entry(&n, false)->mac, other, 6);
	net_fini(&n);
	net_init(&bare, 0);
	CHECK_EQ("no link layer", rill_neigh_add(bare.st, 1, &ip, far_mac), -EINVAL);
	net_fini(&bare);
}
