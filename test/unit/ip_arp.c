/* SPDX-License-Identifier: MIT */
/* ip/arp.c: ARP received and answered. */
#include "net_fixture.h"

static void in(struct net *n, uint16_t op, struct rill_ip spa, struct rill_ip tpa,
	       const uint8_t *sha, const uint8_t *dst)
{
	struct arp_msg m = { .op = op, .spa = spa, .tpa = tpa };

	memcpy(m.sha, sha, 6);
	rl_eth_write(n->buf, dst, sha, ETH_ARP);
	rl_arp_write(&m, n->buf + 14);
	net_in_raw(n, n->buf, 60);
}

static const struct rl_neigh *entry(struct net *n, struct rill_ip ip)
{
	return rl_neigh_find(n->st, 1, &ip);
}

/* [RFC826-01] [RFC826-02] */
TEST(request_for_us)
{
	uint8_t mac[6] = { 2, 0, 0, 0, 0, 7 };
	struct arp_msg m;
	struct net n;

	net_init(&n, NET_ETHER);
	in(&n, ARP_REQUEST, peer4(7), peer4(2), mac, bcast_mac);
	REQUIRE("answer", net_out(&n));
	CHECK_MEM("unicast", n.out, mac, 6);
	CHECK_EQ("parse", rl_arp_parse(&m, n.out + 14, n.out_len - 14), 0);
	CHECK_EQ("reply", m.op, ARP_REPLY);
	CHECK("addresses", rl_ip_get4(&m.spa) == 0x0a000002 &&
			   rl_ip_get4(&m.tpa) == 0x0a000007);
	CHECK_MEM("sender", m.sha, net_mac, 6);
	CHECK_MEM("target", m.tha, mac, 6);
	CHECK_CTR(&n, neigh_replies_out, 1);
	REQUIRE("entry", entry(&n, peer4(7)));
	CHECK_EQ("heard, not proven", entry(&n, peer4(7))->state, RL_NEIGH_STALE);
	CHECK_NO_DROP(&n);
	net_fini(&n);
}

TEST(request_for_others)
{
	uint8_t mac[6] = { 2, 0, 0, 0, 0, 7 };
	struct net n;

	net_init(&n, NET_ETHER);
	in(&n, ARP_REQUEST, peer4(7), peer4(9), mac, bcast_mac);
	CHECK("no answer", !net_out(&n));
	CHECK("no entry", !entry(&n, peer4(7)));
	net_fini(&n);
}

/* [RFC5227-02] */
TEST(probe_is_answered)
{
	uint8_t mac[6] = { 2, 0, 0, 0, 0, 7 };
	struct net n;

	net_init(&n, NET_ETHER);
	in(&n, ARP_REQUEST, rl_ip4(0), peer4(2), mac, bcast_mac);
	REQUIRE("answer", net_out(&n) && net_is_arp(&n));
	CHECK("no entry for 0.0.0.0", !entry(&n, rl_ip4(0)));
	net_fini(&n);
}

TEST(known_entry_is_updated_by_anything)
{
	uint8_t mac[6] = { 2, 0, 0, 0, 0, 7 }, moved[6] = { 2, 0, 0, 0, 0, 8 };
	struct net n;

	net_init(&n, NET_ETHER);
	in(&n, ARP_REQUEST, peer4(7), peer4(2), mac, bcast_mac);
	in(&n, ARP_REQUEST, peer4(7), peer4(7), moved, bcast_mac);	/* announcement */
	CHECK_MEM("moved", entry(&n, peer4(7))->mac, moved, 6);
	CHECK_EQ("stale", entry(&n, peer4(7))->state, RL_NEIGH_STALE);
	net_fini(&n);
}

static const struct { const char *name; int at; uint8_t to; } bad_rows[] = {
	{ "hardware type", 1, 6 }, { "protocol type", 2, 0x86 },
	{ "hardware length", 4, 8 }, { "protocol length", 5, 16 },
	{ "sender is a group", 8, 1 }, { "sender multicast", 14, 224 },
	{ "sender loopback", 14, 127 }, { "sender broadcast", 17, 255 },
};

TEST(malformed)
{
	struct arp_msg m = { .op = ARP_REQUEST, .spa = peer4(7), .tpa = peer4(2),
			     .sha = { 2, 7 } };
	struct net n;

	net_init(&n, NET_ETHER);
	for (size_t i = 0; i < ARRAY_LEN(bad_rows); i++) {
		rl_eth_write(n.buf, bcast_mac, peer_mac, ETH_ARP);
		rl_arp_write(&m, n.buf + 14);
		n.buf[14 + bad_rows[i].at] = bad_rows[i].to;
		net_in_raw(&n, n.buf, 14 + ARP_LEN);
		net_check_drop(__FILE__, __LINE__, &n, RL_DROP_ARP_BAD, 1, bad_rows[i].name);
	}
	rl_arp_write(&m, n.buf + 14);
	net_in_raw(&n, n.buf, 14 + ARP_LEN - 1);
	CHECK_DROP(&n, RL_DROP_ARP_BAD);
	CHECK("no answers", !net_out(&n));
	net_fini(&n);
}

/* [RFC5227-01]: defended, at most once in 10 s */
TEST(conflict_is_defended)
{
	uint8_t mac[6] = { 2, 0, 0, 0, 0, 7 };
	struct net n;

	net_init(&n, NET_ETHER);
	in(&n, ARP_REPLY, peer4(2), peer4(9), mac, bcast_mac);
	CHECK_EQ("defended", net_drain(&n), 1);
	in(&n, ARP_REPLY, peer4(2), peer4(9), mac, bcast_mac);
	CHECK_EQ("not again", net_drain(&n), 0);
	net_advance(&n, 10 * RL_SEC);
	in(&n, ARP_REPLY, peer4(2), peer4(9), mac, bcast_mac);
	CHECK_EQ("again", net_drain(&n), 1);
	CHECK("never an entry", !entry(&n, peer4(2)));
	net_fini(&n);
}
