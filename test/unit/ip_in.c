/* SPDX-License-Identifier: MIT */
/* ip/in.c: what comes in, and why it may not. [A25] */
#include "net_fixture.h"

static const uint8_t pay[8] = { 0x30, 0x39, 0xd4, 0x31, 0, 8, 0, 0 };	/* UDP, no sum */

static struct ipv4_hdr good4(void)
{
	return (struct ipv4_hdr){ .src = peer4(1), .dst = peer4(2), .proto = RL_PROTO_UDP };
}

static struct ipv6_hdr good6(uint8_t next)
{
	return (struct ipv6_hdr){ .src = peer6(1), .dst = peer6(2), .next = next };
}

TEST(ethernet_frames)
{
	struct ipv4_hdr h = good4();
	uint8_t other[6] = { 2, 9, 9, 9, 9, 9 };
	struct net n;
	size_t len;

	net_init(&n, NET_ETHER);
	net_in_raw(&n, n.buf, 13);
	CHECK_DROP(&n, RL_DROP_ETH_SHORT);
	len = net_put4(&n, &h, pay, 8);
	net_in_mac(&n, len, other);
	CHECK_DROP(&n, RL_DROP_ETH_NOT_OURS);
	rl_eth_write(n.buf, net_mac, peer_mac, 0x88cc);
	net_in_raw(&n, n.buf, 60);
	CHECK_DROP(&n, RL_DROP_ETH_TYPE);
	len = net_put4(&n, &h, pay, 8);		/* padded to the least Ethernet frame */
	net_in(&n, len + 18);
	CHECK_DROP(&n, RL_DROP_UDP_NO_PORT);		/* [RFC791-01] */
	CHECK("port unreachable quotes no padding", net_out(&n));
	CHECK_EQ("length", net_l3_len(&n), 20 + 8 + 28);
	net_fini(&n);
}

TEST(bare_frames)
{
	static const uint8_t v5[20] = { 0x55 };
	struct net n;

	net_init(&n, 0);
	net_in_raw(&n, v5, 0);
	CHECK_DROP(&n, RL_DROP_IP_SHORT);
	net_in_raw(&n, v5, 20);			/* [RFC1122-02] */
	CHECK_CTR(&n, ip_in_hdr_errors, 1);
	CHECK_DROP(&n, RL_DROP_IP_VERSION);
	net_fini(&n);
}

/* Change one thing of a good IPv4 header. */
static const struct {
	const char *name;
	int at;			/* byte that is changed; the sum is made right again */
	uint8_t to;
	enum rl_drop why;
} rows4[] = {
	{ "version 6 in IPv4's EtherType",	0, 0x65, RL_DROP_IP_VERSION },
	{ "header length 4",			0, 0x44, RL_DROP_IP_SHORT },
	{ "header beyond the packet",		0, 0x4f, RL_DROP_IP_SHORT },
	{ "total length below the header",	3, 19,	 RL_DROP_IP_SHORT },
	{ "total length above the frame",	3, 200,	 RL_DROP_IP_SHORT },
	{ "total length 0",			3, 0,	 RL_DROP_IP_SHORT },
	{ "source multicast",			12, 224, RL_DROP_IP_SRC },
	{ "source class E",			12, 250, RL_DROP_IP_SRC },
	{ "source this network",		12, 0,	 RL_DROP_IP_SRC },
	{ "source loopback",			12, 127, RL_DROP_IP_LOOPBACK },
	{ "source our own",			15, 2,	 RL_DROP_IP_SRC },
	{ "source broadcast",			15, 255, RL_DROP_IP_SRC },
	{ "source old broadcast",		15, 0,	 RL_DROP_IP_SRC },
	{ "destination loopback",		16, 127, RL_DROP_IP_LOOPBACK },
	{ "destination of somebody else",	19, 9,	 RL_DROP_IP_NOT_OURS },
	{ "destination group not joined",	16, 230, RL_DROP_IP_NOT_OURS },
	{ "unknown protocol",			9, 253,	 RL_DROP_IP_PROTO },
};

/* [RFC1122-42] [RFC791-01] [RFC1122-01] [RFC1122-02] [RFC1122-04] [RFC1122-05] [RFC1122-06] */
TEST(ipv4_headers)
{
	struct ipv4_hdr h = good4();
	struct net n;

	net_init(&n, NET_ETHER);
	for (size_t i = 0; i < ARRAY_LEN(rows4); i++) {
		size_t len = net_put4(&n, &h, pay, 8);
		uint8_t *ip = net_ip(&n);

		ip[rows4[i].at] = rows4[i].to;
		if (rows4[i].why != RL_DROP_IP_VERSION)
			rl_ipv4_cksum_set(ip, 20);
		rl_eth_write(n.buf, net_mac, peer_mac, ETH_IPV4);
		net_in_raw(&n, n.buf, ETH_HDR_LEN + len);
		net_check_drop(__FILE__, __LINE__, &n, rows4[i].why, 1, rows4[i].name);
		net_drain(&n);
	}
	net_fini(&n);
}

/* [RFC1122-03] [RFC1122-08] */
TEST(ipv4_checksum_and_ttl)
{
	struct ipv4_hdr h = good4();
	struct net n;
	size_t len;

	net_init(&n, 0);
	len = net_put4(&n, &h, pay, 8);
	net_ip(&n)[10] ^= 1;
	net_in(&n, len);
	CHECK_CTR(&n, ip_in_receives, 1);
	CHECK_CTR(&n, ip_in_hdr_errors, 1);
	CHECK_DROP(&n, RL_DROP_IP_CSUM);
	len = net_put4(&n, &h, pay, 8);
	net_ip(&n)[8] = 0;			/* TTL 0 is for routers to discard */
	rl_ipv4_cksum_set(net_ip(&n), 20);
	net_in(&n, len);
	CHECK_CTR(&n, ip_in_delivers, 1);
	CHECK_UEQ("octets", CTR(&n, ip_in_octets), 28);
	CHECK_DROP(&n, RL_DROP_UDP_NO_PORT);
	net_fini(&n);
}

static void with_options(struct net *n, const uint8_t *opt, size_t len)
{
	uint8_t *ip = net_ip(n);
	struct ipv4_hdr h = good4();

	h.total_len = (uint16_t)(20 + len + 8);
	net_put4(n, &h, pay, 8);
	memcpy(ip + 20 + len, pay, 8);
	memcpy(ip + 20, opt, len);
	ip[0] = (uint8_t)(0x45 + len / 4);
	rl_ipv4_cksum_set(ip, 20 + len);
	net_in(n, 28 + len);
}

/* [RFC791-06] [RFC1122-10] [RFC1122-11] [RFC9293:MUST-50] */
TEST(ipv4_options)
{
	static const uint8_t unknown[] = { 1, 0x5e, 4, 0, 7, 1, 1, 0 };
	static const uint8_t router_alert[] = { 0x94, 4, 0, 0 };
	static const uint8_t past_end[] = { 1, 1, 7, 3 };
	static const uint8_t zero_len[] = { 7, 0, 0, 0 };
	static const uint8_t lsrr[] = { 131, 7, 4, 10, 0, 0, 1, 0 };
	static const uint8_t ssrr[] = { 137, 7, 4, 10, 0, 0, 1, 0 };
	struct net n;

	net_init(&n, NET_ETHER);
	with_options(&n, unknown, sizeof(unknown));
	CHECK_DROP(&n, RL_DROP_UDP_NO_PORT);
	CHECK("answered", net_out(&n));
	with_options(&n, router_alert, sizeof(router_alert));
	CHECK_DROP(&n, RL_DROP_UDP_NO_PORT);
	net_drain(&n);
	net_advance(&n, 2 * RL_SEC);
	with_options(&n, past_end, sizeof(past_end));
	CHECK_DROP(&n, RL_DROP_IP_OPTIONS);
	REQUIRE("parameter problem", net_out(&n));
	CHECK_EQ("type", net_icmp_type(&n), 12 << 8);
	CHECK_EQ("pointer", net_l4(&n)[4], 22);
	CHECK("sums", net_sums_ok(&n));
	with_options(&n, zero_len, sizeof(zero_len));
	CHECK_DROP(&n, RL_DROP_IP_OPTIONS);
	with_options(&n, lsrr, sizeof(lsrr));
	CHECK_DROP(&n, RL_DROP_IP_SRCROUTE);
	with_options(&n, ssrr, sizeof(ssrr));
	CHECK_DROP(&n, RL_DROP_IP_SRCROUTE);
	net_fini(&n);
}

/* [RFC1122-35]: all forms of broadcast, and a unicast packet in a broadcast frame */
TEST(ipv4_broadcast)
{
	struct ipv4_hdr h = good4();
	static const struct { const char *name; uint32_t dst; } forms[] = {
		{ "limited", 0xffffffff }, { "directed", 0x0a0000ff },
		{ "old directed", 0x0a000000 }, { "old limited", 0 },
	};
	struct net n;

	net_init(&n, NET_ETHER);
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		h.dst = rl_ip4(forms[i].dst);
		net_in_mac(&n, net_put4(&n, &h, pay, 8), bcast_mac);
		CHECK_CTR(&n, ip_in_bcast_pkts, 1);
		CHECK_DROP(&n, RL_DROP_UDP_NO_PORT);
		CHECK(forms[i].name, !net_out(&n));	/* never answered */
	}
	h.dst = peer4(2);
	net_in_mac(&n, net_put4(&n, &h, pay, 8), bcast_mac);
	CHECK_CTR(&n, ip_in_addr_errors, 1);
	CHECK_DROP(&n, RL_DROP_IP_NOT_OURS);
	net_fini(&n);
}

TEST(ipv4_multicast)
{
	struct ipv4_hdr h = good4();
	uint8_t mac[6];
	struct net n;

	net_init(&n, NET_ETHER);
	h.dst = ip4(224, 0, 0, 1);		/* [RFC1122-36] */
	rl_eth_group_mac(mac, &h.dst);
	net_in_mac(&n, net_put4(&n, &h, pay, 8), mac);
	CHECK_CTR(&n, ip_in_mcast_pkts, 1);
	CHECK_DROP(&n, RL_DROP_UDP_NO_PORT);
	CHECK("never answered", !net_out(&n));
	net_fini(&n);
}

TEST(ipv6_headers)
{
	struct ipv6_hdr h = good6(RL_PROTO_UDP);
	struct net n;
	size_t len;

	net_init(&n, 0);
	len = net_put6(&n, &h, pay, 8);
	net_in(&n, 39);
	CHECK_DROP(&n, RL_DROP_IP_SHORT);
	len = net_put6(&n, &h, pay, 8);
	put16(net_ip(&n) + 4, 9);		/* more than there is */
	net_in(&n, len);
	CHECK_DROP(&n, RL_DROP_IP_SHORT);
	h.src = ip6(0xff02, 5);
	net_in(&n, net_put6(&n, &h, pay, 8));
	CHECK_DROP(&n, RL_DROP_IP_SRC);
	h.src = peer4(1);			/* mapped addresses are ours inside only */
	net_in(&n, net_put6(&n, &h, pay, 8));
	CHECK_DROP(&n, RL_DROP_IP_SRC);
	h.src = ip6(0, 0);			/* only for neighbour discovery */
	net_in(&n, net_put6(&n, &h, pay, 8));
	CHECK_DROP(&n, RL_DROP_IP_SRC);
	h.src = ip6(0, 1);
	net_in(&n, net_put6(&n, &h, pay, 8));
	CHECK_DROP(&n, RL_DROP_IP_LOOPBACK);
	h.src = peer6(1);
	h.dst = peer4(2);
	net_in(&n, net_put6(&n, &h, pay, 8));
	CHECK_DROP(&n, RL_DROP_IP_NOT_OURS);
	h.dst = ip6(0xff02, 99);
	net_in(&n, net_put6(&n, &h, pay, 8));
	CHECK_DROP(&n, RL_DROP_IP_NOT_OURS);
	h.dst = ip6(0, 1);
	net_in(&n, net_put6(&n, &h, pay, 8));
	CHECK_DROP(&n, RL_DROP_IP_LOOPBACK);
	net_fini(&n);
}

/* [RFC8200-16] A hop limit of 0 is for routers to discard. */
TEST(ipv6_hop_limit_zero)
{
	struct ipv6_hdr h = good6(RL_PROTO_UDP);
	uint8_t b[9];
	struct net n;
	size_t len;

	net_init(&n, 0);
	net_udp(b, &h.src, &h.dst, 12345, 54321, "x", 1);
	len = net_put6(&n, &h, b, sizeof(b));
	net_ip(&n)[7] = 0;
	net_in(&n, len);
	CHECK_CTR(&n, ip_in_delivers, 1);
	CHECK_DROP(&n, RL_DROP_UDP_NO_PORT);
	net_fini(&n);
}

/* Extension headers in front of @pay, whose first one is named by @next. */
static void chain(struct net *n, uint8_t next, const uint8_t *ext, size_t len,
		  const struct rill_ip *dst)
{
	struct ipv6_hdr h = good6(next);
	uint8_t b[600];

	if (dst)
		h.dst = *dst;
	memcpy(b, ext, len);
	net_udp(b + len, &h.src, &h.dst, 12345, 54321, "x", 1);
	net_in(n, net_put6(n, &h, b, len + 9));
}

#define UDP	RL_PROTO_UDP

/* [RFC8200-01] [RFC8200-02] [RFC8200-03] [RFC8200-04] [RFC8200-05] [RFC8200-11] */
static const struct {
	const char *name;
	uint8_t first, len, ext[32];
	enum rl_drop why;
	int icmp;		/* type and code of the answer, -1: none */
	int pointer;
} rows6[] = {
	{ "hop-by-hop, Pad1 and PadN", 0, 8, { UDP, 0, 0, 1, 3, 0, 0, 0 },
	  RL_DROP_UDP_NO_PORT, 1 << 8 | 4, 0 },
	{ "destination options twice", 60, 16,
	  { 60, 0, 1, 4, 0, 0, 0, 0, UDP, 0, 1, 4, 0, 0, 0, 0 },
	  RL_DROP_UDP_NO_PORT, 1 << 8 | 4, 0 },
	{ "routing, used up, then options", 43, 16,
	  { 60, 0, 253, 0, 0, 0, 0, 0, UDP, 0, 1, 4, 0, 0, 0, 0 },
	  RL_DROP_UDP_NO_PORT, 1 << 8 | 4, 0 },
	{ "atomic fragment", 44, 8, { UDP, 0, 0, 0, 1, 2, 3, 4 },
	  RL_DROP_UDP_NO_PORT, 1 << 8 | 4, 0 },
	{ "hop-by-hop not first", 60, 16,
	  { 0, 0, 1, 4, 0, 0, 0, 0, UDP, 0, 1, 4, 0, 0, 0, 0 },
	  RL_DROP_IP6_HEADER, 4 << 8 | 1, 40 },
	{ "header past the end", 60, 8, { UDP, 9, 1, 4, 0, 0, 0, 0 },
	  RL_DROP_IP6_HEADER, -1, 0 },
	{ "option past the end", 60, 8, { UDP, 0, 1, 9, 0, 0, 0, 0 },
	  RL_DROP_IP6_HEADER, -1, 0 },
	{ "option to skip", 60, 8, { UDP, 0, 0x1e, 4, 0, 0, 0, 0 },
	  RL_DROP_UDP_NO_PORT, 1 << 8 | 4, 0 },
	{ "option to drop", 60, 8, { UDP, 0, 0x5e, 4, 0, 0, 0, 0 },
	  RL_DROP_IP6_OPTION, -1, 0 },
	{ "option to report", 60, 8, { UDP, 0, 0x9e, 4, 0, 0, 0, 0 },
	  RL_DROP_IP6_OPTION, 4 << 8 | 2, 42 },
	{ "option to report, unicast", 60, 8, { UDP, 0, 0xde, 4, 0, 0, 0, 0 },
	  RL_DROP_IP6_OPTION, 4 << 8 | 2, 42 },
	{ "routing type 0 with segments left", 43, 8, { UDP, 0, 0, 1, 0, 0, 0, 0 },
	  RL_DROP_IP6_ROUTING, 4 << 8, 42 },
	{ "no next header", 60, 8, { 59, 0, 1, 4, 0, 0, 0, 0 },
	  RL_DROP_IP6_NONEXT, -1, 0 },
	{ "unknown next header", 60, 8, { 253, 0, 1, 4, 0, 0, 0, 0 },
	  RL_DROP_IP_PROTO, 4 << 8 | 1, 40 },
};

/* [RFC5095-01] [RFC4443-08] */
TEST(ipv6_chain)
{
	struct net n;

	net_init(&n, NET_ETHER);
	for (size_t i = 0; i < ARRAY_LEN(rows6); i++) {
		const char *name = rows6[i].name;

		net_advance(&n, 2 * RL_SEC);
		chain(&n, rows6[i].first, rows6[i].ext, rows6[i].len, NULL);
		net_check_drop(__FILE__, __LINE__, &n, rows6[i].why, 1, name);
		CHECK(name, net_out(&n) == (rows6[i].icmp >= 0));
		if (!n.out_len)
			continue;
		CHECK_EQ(name, net_icmp_type(&n), rows6[i].icmp);
		CHECK_EQ(name, get32(net_l4(&n) + 4), rows6[i].pointer);
		CHECK(name, net_sums_ok(&n));
	}
	net_fini(&n);
}

/* [RFC8200-03]: what is reported although the destination is a group */
TEST(ipv6_options_to_a_group)
{
	static const uint8_t report[8] = { UDP, 0, 0x9e, 4 };
	static const uint8_t unicast_only[8] = { UDP, 0, 0xde, 4 };
	struct rill_ip all = ip6(0xff02, 1);
	struct net n;

	net_init(&n, 0);
	chain(&n, 60, report, 8, &all);
	CHECK_DROP(&n, RL_DROP_IP6_OPTION);
	CHECK("reported", net_out(&n));
	chain(&n, 60, unicast_only, 8, &all);
	CHECK_DROP(&n, RL_DROP_IP6_OPTION);
	CHECK("not reported", !net_out(&n));
	net_fini(&n);
}

/* [RFC4443-03]: an ICMP error is not answered, whatever stands in front of it */
TEST(ipv6_options_before_an_error)
{
	struct ipv6_hdr h = good6(RL_PROTO_DSTOPT);
	uint8_t b[64] = { RL_PROTO_ICMP6, 0, 0x9e, 4, [8] = ICMP6_UNREACH };
	struct net n;

	net_init(&n, 0);
	net_in(&n, net_put6(&n, &h, b, sizeof(b)));
	CHECK_DROP(&n, RL_DROP_IP6_OPTION);
	CHECK("not answered", !net_out(&n));
	b[8] = ICMP6_ECHO;
	net_in(&n, net_put6(&n, &h, b, sizeof(b)));
	CHECK_DROP(&n, RL_DROP_IP6_OPTION);
	CHECK("answered", net_out(&n));
	net_fini(&n);
}

TEST(ipv6_chain_is_bounded)
{
	uint8_t b[8 * 20];
	struct net n;

	for (size_t i = 0; i < sizeof(b); i += 8)
		memcpy(b + i, "\x3c\0\1\4\0\0\0", 8);
	net_init(&n, 0);
	chain(&n, 60, b, sizeof(b), NULL);
	CHECK_DROP(&n, RL_DROP_IP6_HEADER);
	net_fini(&n);
}

/* [RFC1122-16] */
TEST(ipv4_unknown_protocol)
{
	struct ipv4_hdr h = good4();
	struct net n;

	h.proto = 253;
	net_init(&n, 0);
	net_in(&n, net_put4(&n, &h, pay, 8));
	CHECK_CTR(&n, ip_in_unknown_protos, 1);
	CHECK_DROP(&n, RL_DROP_IP_PROTO);
	REQUIRE("protocol unreachable", net_out(&n));
	CHECK_EQ("type", net_icmp_type(&n), 3 << 8 | 2);
	net_fini(&n);
}

TEST(no_memory_for_a_long_header)
{
	struct net n;

	net_init(&n, 0);
	/* the pool gives nothing more: a frame can't even be taken */
	n.fail_at = 1;
	rl_bufs_destroy(&n.st->bufs);
	CHECK_EQ("refused", rill_stack_input(n.st, n.now_ns, n.ifindex, pay, 8), -ENOBUFS);
	n.fail_at = 0;
	CHECK_EQ("unknown interface", rill_stack_input(n.st, n.now_ns, 9, pay, 8), -ENODEV);
	net_fini(&n);
}
