/* SPDX-License-Identifier: MIT */
/* udp/udp_out.c: datagrams sent: errors, headers, options, back-pressure. [A24] */
#include "net_fixture.h"
#include "stack/sockopt_nums.h"

static uint8_t big[66000];

static rill_id udp(struct net *n)
{
	rill_id id = 0;

	CHECK_EQ("open", rill_udp_open(n->st, 0, &id), 0);
	return id;
}

static int64_t send_len(struct net *n, rill_id id, struct rill_ip ip, uint16_t port, size_t len)
{
	struct rill_addr to = { ip, port, 0 };
	struct rill_iov v = { big, len };

	return rill_udp_send(n->st, id, &v, 1, &to, 0);
}

static void set(struct net *n, rill_id id, int level, int name, int32_t v)
{
	CHECK_EQ("option", rl_udp_setsockopt(n->st, id, level, name, &v, sizeof(v)), 0);
}

TEST(errors)
{
	struct rill_iov v = { big, 1 };
	struct net n;
	rill_id id, v4;

	net_init(&n, NET_ETHER);
	id = udp(&n);
	CHECK_EQ("no endpoint", send_len(&n, 5, peer4(1), 7, 1), -EBADF);
	CHECK_EQ("no destination", rill_udp_send(n.st, id, &v, 1, NULL, 0), -EDESTADDRREQ);
	CHECK_EQ("port 0", send_len(&n, id, peer4(1), 0, 1), -EINVAL);
	CHECK_EQ("no route", send_len(&n, id, ip4(8, 8, 8, 8), 7, 1), -ENETUNREACH);
	CHECK_EQ("broadcast", send_len(&n, id, peer4(255), 7, 1), -EACCES);
	CHECK_EQ("broadcast", send_len(&n, id, ip4(255, 255, 255, 255), 7, 1), -EACCES);
	CHECK_EQ("too long", send_len(&n, id, peer4(1), 7, 65508), -EMSGSIZE);
	CHECK_EQ("too long", send_len(&n, id, peer6(1), 7, 65528), -EMSGSIZE);
	CHECK_EQ("out of band", rill_udp_send(n.st, id, &v, 1, &(struct rill_addr){
		 .port = 7 }, RILL_MSG_OOB), -EOPNOTSUPP);
	CHECK_EQ("more", rill_udp_send(n.st, id, &v, 1, &(struct rill_addr){
		 .port = 7 }, RILL_MSG_MORE), -EOPNOTSUPP);
	v4 = udp(&n);
	CHECK_EQ("bind", rill_udp_bind(n.st, v4, &(struct rill_addr){ .port = 0 },
				       RILL_BIND_V4), 0);
	CHECK_EQ("family", send_len(&n, v4, peer6(1), 7, 1), -ENETUNREACH);
	CHECK_CTR(&n, udp_out_datagrams, 0);
	net_fini(&n);
}

TEST(largest)
{
	struct net n;
	rill_id id;

	net_init(&n, NET_ETHER);
	id = udp(&n);
	CHECK_EQ("IPv4", send_len(&n, id, peer4(1), 7, 65507), 65507);
	CHECK_EQ("fragments", net_drain(&n), 45);
	CHECK_EQ("IPv6", send_len(&n, id, peer6(1), 7, 65527), 65527);
	CHECK_EQ("fragments", net_drain(&n), 46);
	CHECK_CTR(&n, udp_out_datagrams, 2);
	net_fini(&n);
}

TEST(headers)
{
	struct rill_addr from = { peer4(2), 5000, 0 };
	struct udp_hdr h = { 0, 0, 0, false };
	struct net n;
	rill_id id;

	net_init(&n, NET_ETHER);
	id = udp(&n);
	CHECK_EQ("bind", rill_udp_bind(n.st, id, &from, 0), 0);
	for (size_t len = 0; len < 40; len++) {
		CHECK_EQ("send", send_len(&n, id, peer4(1), 7, len), len);
		REQUIRE("out", net_out(&n));
		REQUIRE("parse", rl_udp_hdr_parse(&h, net_l4(&n), net_l3_len(&n) - 20));
		CHECK("ports", h.sport == 5000 && h.dport == 7);
		CHECK_EQ("length", h.len, len + 8);
		CHECK("sums", net_sums_ok(&n));
	}
	net_fini(&n);
}

/* [RFC768-02]: a sum of 0 leaves as 0xffff */
TEST(checksum_zero)
{
	struct rill_addr from = { peer4(2), 5000, 0 };
	struct net n;
	rill_id id;
	int seen = 0;

	net_init(&n, 0);
	id = udp(&n);
	rill_udp_bind(n.st, id, &from, 0);
	for (uint32_t v = 0; v < 65536 && !seen; v++) {
		put16(big, (uint16_t)v);
		send_len(&n, id, peer4(1), 7, 2);
		net_out(&n);
		CHECK("never none", get16(net_l4(&n) + 6) != 0);
		seen = get16(net_l4(&n) + 6) == 0xffff;
	}
	CHECK("0xffff", seen);
	net_fini(&n);
}

/* [RFC1122-07] [RFC1122-09] */
TEST(hops_and_classes)
{
	struct rill_ip g = ip4(239, 1, 1, 1), g6 = ip6(0xff05, 1);
	struct net n;
	rill_id id;

	net_init(&n, NET_ETHER);
	id = udp(&n);
	set(&n, id, RL_SOL_IP, RL_IP_TTL, 7);
	set(&n, id, RL_SOL_IP, RL_IP_TOS, 0x10);
	set(&n, id, RL_SOL_IPV6, RL_IPV6_UNICAST_HOPS, 8);
	set(&n, id, RL_SOL_IPV6, RL_IPV6_TCLASS, 0x20);
	send_len(&n, id, peer4(1), 7, 1);
	REQUIRE("out", net_out(&n));
	CHECK_EQ("ttl", net_l3(&n)[8], 7);
	CHECK_EQ("tos", net_l3(&n)[1], 0x10);
	send_len(&n, id, peer6(1), 7, 1);
	REQUIRE("out", net_out(&n));
	CHECK_EQ("hops", net_l3(&n)[7], 8);
	CHECK_EQ("class", get16(net_l3(&n)) >> 4 & 0xff, 0x20);
	send_len(&n, id, g, 7, 1);
	REQUIRE("out", net_out(&n));
	CHECK_EQ("multicast: 1", net_l3(&n)[8], 1);
	send_len(&n, id, g6, 7, 1);
	REQUIRE("out", net_out(&n));
	CHECK_EQ("multicast: 1", net_l3(&n)[7], 1);
	set(&n, id, RL_SOL_IP, RL_IP_MULTICAST_TTL, 9);
	set(&n, id, RL_SOL_IPV6, RL_IPV6_MULTICAST_HOPS, 10);
	send_len(&n, id, g, 7, 1);
	REQUIRE("out", net_out(&n));
	CHECK_EQ("multicast", net_l3(&n)[8], 9);
	send_len(&n, id, g6, 7, 1);
	REQUIRE("out", net_out(&n));
	CHECK_EQ("multicast", net_l3(&n)[7], 10);
	net_fini(&n);
}

TEST(broadcast)
{
	struct net n;
	rill_id id, hear;

	net_init(&n, NET_ETHER);
	id = udp(&n);
	hear = udp(&n);
	rill_udp_bind(n.st, hear, &(struct rill_addr){ .port = 67 }, 0);
	set(&n, id, RL_SOL_SOCKET, RL_SO_BROADCAST, 1);
	CHECK_EQ("limited", send_len(&n, id, ip4(255, 255, 255, 255), 67, 3), 3);
	REQUIRE("out", net_out(&n));
	CHECK_MEM("to all", n.out, bcast_mac, 6);
	CHECK_EQ("directed", send_len(&n, id, peer4(255), 67, 3), 3);
	REQUIRE("out", net_out(&n));
	CHECK_EQ("source", net_l3(&n)[15], 2);
	CHECK_EQ("and to us", rill_udp_poll(n.st, hear) & RILL_IN, RILL_IN);
	net_fini(&n);
}

static int heard(struct net *n, rill_id id)
{
	uint8_t b[10];
	struct rill_iov v = { b, sizeof(b) };
	int k = 0;

	while (rill_udp_recv(n->st, id, &v, 1, NULL, 0) >= 0)
		k++;
	return k;
}

TEST(multicast_loop)
{
	struct rill_ip g = ip4(239, 1, 1, 1), g6 = ip6(0xff05, 1);
	struct net n;
	rill_id id, hear;

	net_init(&n, NET_ETHER);
	id = udp(&n);
	hear = udp(&n);
	rill_udp_bind(n.st, hear, &(struct rill_addr){ .port = 7 }, 0);
	send_len(&n, id, g, 7, 1);
	CHECK_EQ("not a member", heard(&n, hear), 0);
	rl_ip_join(n.st, 1, &g);
	rl_ip_join(n.st, 1, &g6);
	send_len(&n, id, g, 7, 1);
	send_len(&n, id, g6, 7, 1);
	CHECK_EQ("member", heard(&n, hear), 2);
	set(&n, id, RL_SOL_IP, RL_IP_MULTICAST_LOOP, 0);
	send_len(&n, id, g, 7, 1);
	CHECK_EQ("off", heard(&n, hear), 0);
	send_len(&n, id, g6, 7, 1);
	CHECK_EQ("still on", heard(&n, hear), 1);
	set(&n, id, RL_SOL_IPV6, RL_IPV6_MULTICAST_LOOP, 0);
	send_len(&n, id, g6, 7, 1);
	CHECK_EQ("off", heard(&n, hear), 0);
	net_fini(&n);
}

TEST(multicast_interface)
{
	struct rill_if_params second = { .name = "test1", .mtu = 1400 };
	struct rill_ip addr = ip4(172, 16, 0, 2), g = ip4(239, 1, 1, 1), g6 = ip6(0xff05, 1);
	uint8_t mreqn[12] = { 0 };
	int32_t two = 2;
	struct net n;
	rill_id id;

	net_init(&n, 0);
	CHECK_EQ("if", rill_if_add(n.st, &second), 2);
	CHECK_EQ("addr", rill_if_addr_add(n.st, 2, &addr, 16), 0);
	id = udp(&n);
	send_len(&n, id, g, 7, 1);
	CHECK_EQ("first", net_drain(&n), 1);
	CHECK_EQ("by address", rl_udp_setsockopt(n.st, id, RL_SOL_IP, RL_IP_MULTICAST_IF,
						 addr.b + 12, 4), 0);
	send_len(&n, id, g, 7, 1);
	CHECK_EQ("not the first", net_drain(&n), 0);
	n.ifindex = 2;
	REQUIRE("second", net_out(&n));
	CHECK_MEM("its source", net_l3(&n) + 12, addr.b + 12, 4);
	memcpy(mreqn + 8, &two, 4);
	CHECK_EQ("by number", rl_udp_setsockopt(n.st, id, RL_SOL_IP, RL_IP_MULTICAST_IF,
						mreqn, 12), 0);
	CHECK_EQ("back", rl_udp_setsockopt(n.st, id, RL_SOL_IP, RL_IP_MULTICAST_IF,
					   "\0\0\0\0", 4), 0);
	set(&n, id, RL_SOL_IPV6, RL_IPV6_MULTICAST_IF, 1);
	n.ifindex = 1;
	send_len(&n, id, g6, 7, 1);
	CHECK_EQ("first", net_drain(&n), 1);
	net_fini(&n);
}

/* What IP_MTU_DISCOVER makes of a datagram that fits, and of one that does not. */
static const struct {
	const char *name;
	int v4, v6;		/* value of the option, -1: not set */
	int64_t fits, fits_not;
	int frames_not;
	bool df;
} pmtud_rows[] = {
	{ "want", RL_PMTUDISC_WANT, RL_PMTUDISC_WANT, 1000, 2000, 2, true },
	{ "dont", RL_PMTUDISC_DONT, RL_PMTUDISC_DONT, 1000, 2000, 2, false },
	{ "do",	  RL_PMTUDISC_DO,   RL_PMTUDISC_DO,   1000, -EMSGSIZE, 0, true },
	{ "probe", RL_PMTUDISC_PROBE, RL_PMTUDISC_PROBE, 1000, -EMSGSIZE, 0, true },
};

TEST(mtu_discover)
{
	for (size_t i = 0; i < ARRAY_LEN(pmtud_rows); i++) {
		struct net n;
		rill_id id;

		net_init(&n, NET_ETHER);
		id = udp(&n);
		set(&n, id, RL_SOL_IP, RL_IP_MTU_DISCOVER, pmtud_rows[i].v4);
		set(&n, id, RL_SOL_IPV6, RL_IPV6_MTU_DISCOVER, pmtud_rows[i].v6);
		CHECK_EQ(pmtud_rows[i].name, send_len(&n, id, peer4(1), 7, 1000), 1000);
		REQUIRE("out", net_out(&n));
		CHECK_EQ(pmtud_rows[i].name, net_l3(&n)[6] >> 6 & 1, pmtud_rows[i].df);
		CHECK_EQ(pmtud_rows[i].name, send_len(&n, id, peer4(1), 7, 2000),
			 pmtud_rows[i].fits_not);
		CHECK_EQ(pmtud_rows[i].name, net_drain(&n), pmtud_rows[i].frames_not);
		CHECK_EQ(pmtud_rows[i].name, send_len(&n, id, peer6(1), 7, 2000),
			 pmtud_rows[i].fits_not);
		CHECK_EQ(pmtud_rows[i].name, net_drain(&n), pmtud_rows[i].frames_not);
		net_fini(&n);
	}
}

TEST(probe_ignores_the_path_mtu)
{
	struct rill_ip dst = peer4(1);
	struct net n;
	rill_id id;

	net_init(&n, NET_ETHER);
	id = udp(&n);
	rl_pmtu_lower(n.st, &dst, 1000);
	CHECK_EQ("want", send_len(&n, id, dst, 7, 1400), 1400);
	CHECK_EQ("fragments", net_drain(&n), 2);
	set(&n, id, RL_SOL_IP, RL_IP_MTU_DISCOVER, RL_PMTUDISC_DO);
	CHECK_EQ("do", send_len(&n, id, dst, 7, 1400), -EMSGSIZE);
	set(&n, id, RL_SOL_IP, RL_IP_MTU_DISCOVER, RL_PMTUDISC_PROBE);
	CHECK_EQ("probe", send_len(&n, id, dst, 7, 1400), 1400);
	CHECK_EQ("whole", net_drain(&n), 1);
	set(&n, id, RL_SOL_IP, RL_IP_MTU_DISCOVER, RL_PMTUDISC_WANT);
	CHECK_EQ("want again", send_len(&n, id, dst, 7, 1400), 1400);
	CHECK_EQ("fragments", net_drain(&n), 2);
	net_fini(&n);
}

/* SO_SNDBUF bounds what waits in the device queue; an event says go on. */
TEST(back_pressure)
{
	struct rill_event ev;
	struct net n;
	rill_id id;
	int k = 0;
	int64_t r;

	net_init(&n, NET_ETHER);
	id = udp(&n);
	set(&n, id, RL_SOL_SOCKET, RL_SO_SNDBUF, 10000);
	while ((r = send_len(&n, id, peer4(1), 7, 1000)) == 1000 && k < 1000)
		k++;
	CHECK_EQ("full", r, -EAGAIN);
	CHECK("about 20000 bytes", k > 5 && k < 21);
	CHECK_EQ("not writable", rill_udp_poll(n.st, id), 0);
	CHECK_EQ("no event yet", rill_stack_event(n.st, &ev), 0);
	CHECK_EQ("all go out", net_drain(&n), k);
	rl_udp_output_done(n.st);
	CHECK_EQ("event", rill_stack_event(n.st, &ev), 1);
	CHECK_EQ("writable", ev.bits, RILL_OUT);
	CHECK_EQ("goes on", send_len(&n, id, peer4(1), 7, 1000), 1000);
	net_fini(&n);
}

/* One after another to ourselves: nothing piles up. */
TEST(loopback_is_synchronous)
{
	struct net n;
	rill_id id, hear;

	net_init(&n, NET_ETHER);
	id = udp(&n);
	hear = udp(&n);
	rill_udp_bind(n.st, hear, &(struct rill_addr){ .port = 7 }, 0);
	for (int i = 0; i < 100; i++) {
		CHECK_EQ("send", send_len(&n, id, peer4(2), 7, 10), 10);
		CHECK_EQ("there", heard(&n, hear), 1);
		CHECK_EQ("send", send_len(&n, id, ip6(0, 1), 7, 10), 10);
		CHECK_EQ("there", heard(&n, hear), 1);
	}
	CHECK_EQ("large", send_len(&n, id, ip6(0, 1), 7, 65527), 65527);
	CHECK_EQ("there", heard(&n, hear), 1);
	net_fini(&n);
}

TEST(family_widens)
{
	struct net n;
	rill_id id;

	net_init(&n, NET_ETHER);
	id = udp(&n);
	CHECK_EQ("v4 first", send_len(&n, id, peer4(1), 7, 1), 1);
	CHECK_EQ("then v6", send_len(&n, id, peer6(1), 7, 1), 1);
	CHECK_EQ("both left", net_drain(&n), 2);
	net_fini(&n);
}

TEST(no_memory)
{
	struct net n;
	rill_id id;

	net_init(&n, NET_ETHER);
	id = udp(&n);
	CHECK_EQ("send", send_len(&n, id, peer4(1), 7, 10), 10);
	net_drain(&n);
	n.fail_at = 1;
	rl_bufs_destroy(&n.st->bufs);
	CHECK_EQ("none", send_len(&n, id, peer4(1), 7, 10), -ENOBUFS);
	n.fail_at = 0;
	net_fini(&n);
}
