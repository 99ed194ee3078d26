/* SPDX-License-Identifier: MIT */
/* ip/icmp_out.c: echo replies, errors, what is never answered, how often. [A25] */
#include "net_fixture.h"

static void echo(struct net *n, struct rill_ip src, struct rill_ip dst, size_t len)
{
	static uint8_t b[66000];

	for (size_t i = 0; i < len; i++)
		b[i] = (uint8_t)(i * 3 + 1);
	b[0] = rl_ip_is4(&dst) ? ICMP4_ECHO : ICMP6_ECHO;
	b[1] = 0;
	net_in_icmp(n, &src, &dst, b, len);
}

static void closed_port(struct net *n, struct rill_ip src, struct rill_ip dst)
{
	static uint8_t data[1400];

	net_in_udp(n, &src, &dst, 1000, 9, data, sizeof(data));
}

/* [RFC1122-23] [RFC4443-09] */
TEST(echo_reply)
{
	static const size_t lens[] = { 8, 9, 64, 1480 };
	struct net n;

	net_init(&n, NET_ETHER);
	for (size_t i = 0; i < 2 * ARRAY_LEN(lens); i++) {
		bool v6 = i & 1;
		size_t len = RL_MIN(lens[i / 2], v6 ? (size_t)1460 : 1480);
		struct rill_ip from = v6 ? peer6(1) : peer4(1), to = v6 ? peer6(2) : peer4(2);

		echo(&n, from, to, len);
		REQUIRE("reply", net_out(&n));
		CHECK_EQ("type", net_icmp_type(&n), v6 ? 129 << 8 : 0);
		CHECK_EQ("length", net_l3_len(&n), len + (v6 ? 40 : 20));
		CHECK("sums", net_sums_ok(&n));
		for (size_t k = 4; k < len; k++)
			if (net_l4(&n)[k] != (uint8_t)(k * 3 + 1))
				CHECK_EQ("data", k, -1);
		CHECK_MEM("from where it was asked", net_l3(&n) + (v6 ? 8 : 12),
			  to.b + (v6 ? 0 : 12), v6 ? 16 : 4);
	}
	CHECK_CTR(&n, icmp_in_echos, 8);
	CHECK_CTR(&n, icmp_out_echo_reps, 8);
	CHECK_CTR(&n, icmp_out_msgs, 8);
	net_fini(&n);
}

/* The reply to zeros is all zeros: its checksum is 0xffff, not the other zero [RFC1624:3]. */
TEST(echo_of_zeros)
{
	uint8_t b[64] = { ICMP4_ECHO };
	struct rill_ip from = peer4(1), to = peer4(2);
	struct net n;

	net_init(&n, NET_ETHER);
	net_in_icmp(&n, &from, &to, b, sizeof(b));
	REQUIRE("reply", net_out(&n));
	CHECK_EQ("checksum", get16(net_l4(&n) + 2), 0xffff);
	net_fini(&n);
}

/* [RFC1122-32] [RFC4443-05]: also of a second address */
TEST(echo_to_a_second_address)
{
	struct rill_ip more = ip4(172, 16, 0, 1);
	struct net n;

	net_init(&n, NET_ETHER);
	CHECK_EQ("add", rill_if_addr_add(n.st, 1, &more, 24), 0);
	net_drain(&n);
	echo(&n, peer4(1), more, 20);
	REQUIRE("reply", net_out(&n));
	CHECK_MEM("source", net_l3(&n) + 12, more.b + 12, 4);
	net_fini(&n);
}

TEST(echo_tunables)
{
	struct net n;

	net_init(&n, NET_ETHER);
	echo(&n, peer4(1), peer4(255), 20);		/* [RFC1122-24] */
	CHECK_DROP(&n, RL_DROP_ICMP_ECHO_OFF);
	rill_sysctl_set(n.st, "net.ipv4.icmp_echo_ignore_broadcasts", "0");
	echo(&n, peer4(1), peer4(255), 20);
	REQUIRE("answered", net_out(&n));
	CHECK_EQ("from a unicast address", net_l3(&n)[15], 2);
	CHECK("sums", net_sums_ok(&n));
	echo(&n, peer6(1), ip6(0xff02, 1), 20);
	REQUIRE("answered", net_out(&n));
	CHECK_EQ("from a unicast address", net_l3(&n)[23], 2);
	CHECK("sums", net_sums_ok(&n));
	rill_sysctl_set(n.st, "net.ipv4.icmp_echo_ignore_all", "1");
	echo(&n, peer4(1), peer4(2), 20);
	CHECK_DROP(&n, RL_DROP_ICMP_ECHO_OFF);
	rill_sysctl_set(n.st, "net.ipv6.icmp.echo_ignore_all", "1");
	echo(&n, peer6(1), peer6(2), 20);
	CHECK_DROP(&n, RL_DROP_ICMP_ECHO_OFF);
	CHECK_EQ("silence", net_drain(&n), 0);
	net_fini(&n);
}

/* A reply larger than the MTU leaves in fragments. */
TEST(large_echo)
{
	struct ipv4_hdr h = { .src = peer4(1), .dst = peer4(2), .proto = RL_PROTO_ICMP,
			      .id = 4 };
	static uint8_t b[4000] = { ICMP4_ECHO };
	struct net n;

	net_init(&n, NET_ETHER);
	net_icmp_sum(&h.src, &h.dst, b, sizeof(b));
	for (uint32_t off = 0; off < sizeof(b); off += 1000) {
		h.frag_off = (uint16_t)off;
		h.mf = off + 1000 < sizeof(b);
		net_in(&n, net_put4(&n, &h, b + off, 1000));
	}
	CHECK_EQ("three fragments", net_drain(&n), 3);
	CHECK_CTR(&n, icmp_out_echo_reps, 1);
	net_fini(&n);
}

/* [RFC1122-14] [RFC1122-38] [RFC4443-02] [RFC4443-06] [RFC792-02] */
TEST(port_unreachable)
{
	struct net n;

	net_init(&n, NET_ETHER);
	closed_port(&n, peer4(1), peer4(2));
	CHECK_DROP(&n, RL_DROP_UDP_NO_PORT);
	REQUIRE("error", net_out(&n));
	CHECK_EQ("type", net_icmp_type(&n), 3 << 8 | 3);
	CHECK_EQ("at most 576 bytes", net_l3_len(&n), 576);
	CHECK_EQ("unused is 0", get32(net_l4(&n) + 4), 0);
	CHECK_MEM("quotes it unchanged", net_l4(&n) + 8, net_ip(&n), 548);
	CHECK("sums", net_sums_ok(&n));
	CHECK_EQ("unreachables", n.st->obs.ctr[CTR_icmp_out_dest_unreachs], 1);
	closed_port(&n, peer6(1), peer6(2));
	REQUIRE("error", net_out(&n));
	CHECK_EQ("type", net_icmp_type(&n), 1 << 8 | 4);
	CHECK_EQ("at most 1280 bytes", net_l3_len(&n), 1280);
	CHECK_MEM("quotes it unchanged", net_l4(&n) + 8, net_ip(&n), 1232);
	CHECK("sums", net_sums_ok(&n));
	net_fini(&n);
}

/* [RFC1122-15] [RFC4443-03] */
TEST(never_answered)
{
	struct ipv4_hdr h = { .src = peer4(1), .dst = peer4(2), .proto = 253 };
	struct rill_ip src = peer6(1), dst = peer6(2);
	uint8_t b[64] = { 3, 0 };
	struct net n;

	net_init(&n, NET_ETHER);
	closed_port(&n, peer4(1), peer4(255));
	closed_port(&n, peer4(1), ip4(224, 0, 0, 1));
	closed_port(&n, peer6(1), ip6(0xff02, 1));
	CHECK_EQ("broadcast and multicast", net_drain(&n), 0);
	h.frag_off = 800;				/* a later fragment, bad options */
	net_put4(&n, &h, b, 40);
	net_ip(&n)[0] = 0x46;
	memcpy(net_ip(&n) + 20, "\x07\0\0\0", 4);
	rl_ipv4_cksum_set(net_ip(&n), 24);
	net_mark(&n);
	net_in(&n, 60);
	CHECK_DROP(&n, RL_DROP_IP_OPTIONS);
	CHECK_EQ("later fragment", net_drain(&n), 0);
	/* an ICMP error behind bad options */
	h.frag_off = 0;
	h.proto = RL_PROTO_ICMP;
	net_put4(&n, &h, b, 44);
	net_ip(&n)[0] = 0x46;
	memcpy(net_ip(&n) + 20, "\x07\0\0\0", 4);
	memset(net_ip(&n) + 24, 0, 8);
	net_ip(&n)[24] = ICMP4_UNREACH;
	rl_ipv4_cksum_set(net_ip(&n), 24);
	net_in(&n, 64);
	CHECK_DROP(&n, RL_DROP_IP_OPTIONS);
	CHECK_EQ("ICMP error", net_drain(&n), 0);
	b[0] = 1;
	net_in_icmp(&n, &src, &dst, b, 64);
	CHECK_EQ("ICMPv6 error", net_drain(&n), 0);
	net_fini(&n);
}

/* [RFC4443-04] */
TEST(limit_of_a_host)
{
	struct net n;

	net_init(&n, NET_ETHER);
	for (int i = 0; i < 3; i++)
		closed_port(&n, peer4(1), peer4(2));
	CHECK_EQ("one in icmp_ratelimit", net_drain(&n), 1);
	CHECK_CTR(&n, icmp_out_rate_host, 2);
	closed_port(&n, peer6(1), peer6(2));
	CHECK_EQ("another host", net_drain(&n), 1);
	net_advance(&n, RL_SEC);
	closed_port(&n, peer4(1), peer4(2));
	CHECK_EQ("later", net_drain(&n), 1);
	rill_sysctl_set(n.st, "net.ipv4.icmp_ratelimit", "0");
	for (int i = 0; i < 3; i++)
		closed_port(&n, peer4(1), peer4(2));
	CHECK_EQ("no limit", net_drain(&n), 3);
	net_fini(&n);
}

static int storm(struct net *n, int k)
{
	int out = 0;

	for (int i = 0; i < k; i++) {
		closed_port(n, peer4(1), peer4(2));
		out += net_drain(n);
	}
	return out;
}

TEST(limit_of_all)
{
	struct net n;
	int out;

	net_init(&n, NET_ETHER);
	rill_sysctl_set(n.st, "net.ipv4.icmp_ratelimit", "0");
	rill_sysctl_set(n.st, "net.ipv4.icmp_msgs_burst", "50");
	out = storm(&n, 300);
	CHECK("about a burst of 50", out >= 25 && out <= 100);
	CHECK_CTR(&n, icmp_out_rate_global, (unsigned)(300 - out));
	rill_sysctl_set(n.st, "net.ipv4.icmp_msgs_per_sec", "10");
	net_advance(&n, RL_SEC);
	out = storm(&n, 100);
	CHECK("about 10 a second", out >= 5 && out <= 25);
	rill_sysctl_set(n.st, "net.ipv4.icmp_msgs_per_sec", "0");
	CHECK_EQ("no limit", storm(&n, 100), 100);
	net_fini(&n);
}

/* The loopback is no victim: programs here must learn of closed ports. */
TEST(no_limit_on_the_loopback)
{
	struct rill_addr to = { ip4(127, 0, 0, 1), 9, 0 };
	struct rill_iov v = { "x", 1 };
	struct net n;
	rill_id id;

	net_init(&n, NET_ETHER);
	CHECK_EQ("open", rill_udp_open(n.st, 0, &id), 0);
	CHECK_EQ("connect", rill_udp_connect(n.st, id, &to, 0), 0);
	for (int i = 0; i < 5; i++) {
		CHECK_EQ("sent", rill_udp_send(n.st, id, &v, 1, NULL, 0), 1);
		CHECK_EQ("refused", rill_udp_recv(n.st, id, &v, 1, NULL, 0), -ECONNREFUSED);
	}
	CHECK_CTR(&n, icmp_out_rate_host, 0);
	net_fini(&n);
}

TEST(out_parm_probs)
{
	struct rill_ip src = peer4(1), dst = peer4(2), src6 = peer6(1), dst6 = peer6(2);
	uint8_t b[16] = { 0 };
	struct net n;

	net_init(&n, NET_ETHER);
	net_in(&n, net_put(&n, &src6, &dst6, 253, b, 16));
	CHECK_CTR(&n, icmp_out_parm_probs, 1);
	net_in(&n, net_put(&n, &src, &dst, 253, b, 16));
	CHECK_CTR(&n, icmp_out_dest_unreachs, 1);
	net_fini(&n);
}
