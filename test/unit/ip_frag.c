/* SPDX-License-Identifier: MIT */
/* ip/frag.c: datagrams put together, and the attacks on that. [A25] */
#include "net_fixture.h"

#define TOTAL	2408			/* UDP header and data */

static uint8_t whole[66000];

/* Make @whole a UDP datagram from the peer to port 7 of ours. */
static void make(bool v6, uint32_t total)
{
	struct rill_ip src = v6 ? peer6(1) : peer4(1), dst = v6 ? peer6(2) : peer4(2);
	static uint8_t data[66000];

	for (uint32_t i = 0; i < total; i++)
		data[i] = (uint8_t)(i * 13 + (i >> 8));
	net_udp(whole, &src, &dst, 1000, 7, data, total - 8);
}

struct piece {
	uint32_t	off, len;
	bool		more;
	uint32_t	id;
	uint8_t		tos;
};

static void in(struct net *n, bool v6, const struct piece *c)
{
	struct ipv4_hdr h = { .src = peer4(1), .dst = peer4(2), .proto = RL_PROTO_UDP,
			      .id = (uint16_t)c->id, .mf = c->more, .tos = c->tos,
			      .frag_off = (uint16_t)c->off };
	struct ipv6_hdr h6 = { .src = peer6(1), .dst = peer6(2), .next = RL_PROTO_FRAGMENT,
			       .tclass = c->tos };
	struct ipv6_frag f = { RL_PROTO_UDP, c->more, (uint16_t)c->off, c->id };
	static uint8_t b[66000];

	if (!v6) {
		net_in(n, net_put4(n, &h, whole + c->off, c->len));
		return;
	}
	rl_ipv6_frag_write(&f, b);
	memcpy(b + 8, whole + c->off, c->len);
	net_in(n, net_put6(n, &h6, b, 8 + c->len));
}

static rill_id listen7(struct net *n)
{
	struct rill_addr a = { .port = 7 };
	rill_id id = 0;

	CHECK_EQ("open", rill_udp_open(n->st, 0, &id), 0);
	CHECK_EQ("bind", rill_udp_bind(n->st, id, &a, 0), 0);
	return id;
}

/* One datagram as made is there, and no other. */
static void check_arrived(struct net *n, rill_id id, uint32_t total, const char *name)
{
	static uint8_t got[66000];
	struct rill_iov v = { got, sizeof(got) };

	CHECK_EQ(name, rill_udp_recv(n->st, id, &v, 1, NULL, 0), total - 8);
	CHECK_MEM(name, got, whole + 8, total - 8);
	CHECK_EQ(name, rill_udp_recv(n->st, id, &v, 1, NULL, 0), -EAGAIN);
}

/* [RFC791-02]: any order */
static void orders(bool v6)
{
	static const struct piece parts[3] = {
		{ 0, 800, true, 5, 0 }, { 800, 800, true, 5, 0 }, { 1600, 808, false, 5, 0 },
	};
	static const uint8_t order[6][3] = {
		{ 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 }, { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 },
	};
	struct net n;
	rill_id id;

	make(v6, TOTAL);
	net_init(&n, NET_ETHER);
	id = listen7(&n);
	for (size_t i = 0; i < 6; i++) {
		net_mark(&n);
		for (int k = 0; k < 3; k++)
			in(&n, v6, &parts[order[i][k]]);
		CHECK_CTR(&n, ip_reasm_reqds, 3);
		CHECK_CTR(&n, ip_reasm_oks, 1);
		CHECK_NO_DROP(&n);
		check_arrived(&n, id, TOTAL, rl_label("order %zu", i));
	}
	CHECK_EQ("nothing charged", n.st->ip->reasm_cost, 0);
	CHECK_EQ("no entries", n.st->ip->reasms.in_use, 0);
	net_fini(&n);
}

TEST(any_order_ipv4)
{
	orders(false);
}

TEST(any_order_ipv6)
{
	orders(true);
}

/* [RFC1122-29] [RFC791-03] [RFC8200-12]: up to 65535 bytes */
static void largest(bool v6)
{
	uint32_t total = v6 ? 65535 : 65515, step = 1400;
	struct net n;
	rill_id id;

	make(v6, total);
	net_init(&n, NET_ETHER);
	id = listen7(&n);
	for (uint32_t off = 0; off < total; off += step) {
		struct piece c = { off, RL_MIN(step, total - off), off + step < total, 9, 0 };

		in(&n, v6, &c);
	}
	check_arrived(&n, id, total, "largest");
	net_fini(&n);
}

TEST(largest_datagrams)
{
	largest(false);
	largest(true);
}

/* [RFC8200-10] Two datagrams, their fragments mixed, one atomic in between [RFC6946-01]. */
TEST(interleaved)
{
	static const struct piece a[2] = { { 0, 800, true, 5, 0 }, { 800, 1608, false, 5, 0 } };
	static const struct piece b[2] = { { 0, 1600, true, 6, 0 }, { 1600, 808, false, 6, 0 } };
	struct piece atomic = { 0, TOTAL, false, 5, 0 };
	struct net n;
	rill_id id;

	make(true, TOTAL);
	net_init_mtu(&n, NET_ETHER, 9000);
	id = listen7(&n);
	in(&n, true, &a[0]);
	in(&n, true, &b[1]);
	in(&n, true, &atomic);
	check_arrived(&n, id, TOTAL, "atomic");
	in(&n, true, &b[0]);
	check_arrived(&n, id, TOTAL, "b");
	in(&n, true, &a[1]);
	check_arrived(&n, id, TOTAL, "a");
	net_fini(&n);
}

/* [RFC5722-02] [RFC8200-08] [RFC791-07] */
static void overlaps(bool v6)
{
	static const struct { const char *name; struct piece p[3]; } rows[] = {
		{ "front",  { { 0, 800, true, 1, 0 }, { 792, 808, true, 1, 0 },
			      { 1600, 808, false, 1, 0 } } },
		{ "back",   { { 800, 800, true, 2, 0 }, { 0, 808, true, 2, 0 },
			      { 1600, 808, false, 2, 0 } } },
		{ "inside", { { 0, 800, true, 3, 0 }, { 80, 80, true, 3, 0 },
			      { 800, 1608, false, 3, 0 } } },
		{ "around", { { 80, 80, true, 4, 0 }, { 0, 800, true, 4, 0 },
			      { 800, 1608, false, 4, 0 } } },
		{ "beyond the end", { { 80, 800, false, 5, 0 }, { 880, 80, true, 5, 0 },
			      { 960, 80, false, 5, 0 } } },
		{ "two ends", { { 800, 800, false, 6, 0 }, { 800, 808, false, 6, 0 },
			      { 0, 800, true, 6, 0 } } },
		{ "an end before what is there", { { 1600, 800, true, 7, 0 },
			      { 800, 80, false, 7, 0 }, { 0, 800, true, 7, 0 } } },
	};
	struct net n;
	rill_id id;
	struct rill_iov v = { whole, 0 };

	make(v6, TOTAL);
	net_init(&n, NET_ETHER);
	id = listen7(&n);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		in(&n, v6, &rows[i].p[0]);
		in(&n, v6, &rows[i].p[1]);
		CHECK_CTR(&n, ip_reasm_fails, 1);
		net_check_drop(__FILE__, __LINE__, &n, RL_DROP_FRAG_OVERLAP, 1, rows[i].name);
		in(&n, v6, &rows[i].p[2]);	/* what still comes is lost too */
		net_check_drop(__FILE__, __LINE__, &n, RL_DROP_FRAG_OVERLAP, 1, rows[i].name);
	}
	CHECK_EQ("nothing arrived", rill_udp_recv(n.st, id, &v, 1, NULL, 0), -EAGAIN);
	CHECK_EQ("nothing held", n.st->ip->reasm_cost, 0);
	net_advance(&n, 60 * RL_SEC);
	CHECK_EQ("forgotten", n.st->ip->reasms.in_use, 0);
	CHECK_EQ("silently", net_drain(&n), 0);
	net_fini(&n);
}

/* [RFC3128-01] */
TEST(overlaps_ipv4)
{
	overlaps(false);
}

TEST(overlaps_ipv6)
{
	overlaps(true);
}

TEST(duplicates)
{
	static const struct piece parts[2] = {
		{ 0, 800, true, 5, 0 }, { 800, 1608, false, 5, 0 },
	};
	struct net n;
	rill_id id;

	make(false, TOTAL);
	net_init_mtu(&n, NET_ETHER, 9000);
	id = listen7(&n);
	in(&n, false, &parts[0]);
	in(&n, false, &parts[0]);
	CHECK_DROP(&n, RL_DROP_FRAG_DUP);
	in(&n, false, &parts[1]);
	check_arrived(&n, id, TOTAL, "with a duplicate");
	net_fini(&n);
}

/* [RFC8200-06] */
TEST(impossible_fragments)
{
	static const struct piece odd = { 0, 801, true, 5, 0 }, empty = { 8, 0, false, 6, 0 };
	static const struct piece beyond = { 65528, 16, false, 7, 0 };
	struct net n;

	make(true, TOTAL);
	net_init(&n, NET_ETHER);
	in(&n, false, &odd);
	CHECK_CTR(&n, ip_reasm_fails, 1);
	CHECK_DROP(&n, RL_DROP_FRAG_BAD);
	CHECK("IPv4 is silent", !net_out(&n));
	in(&n, true, &odd);
	CHECK_DROP(&n, RL_DROP_FRAG_BAD);
	REQUIRE("parameter problem", net_out(&n));
	CHECK_EQ("code 0", net_icmp_type(&n), 4 << 8);
	CHECK_EQ("payload length", get32(net_l4(&n) + 4), 4);
	in(&n, true, &empty);
	CHECK_DROP(&n, RL_DROP_FRAG_BAD);
	net_advance(&n, 2 * RL_SEC);
	in(&n, true, &beyond);
	CHECK_DROP(&n, RL_DROP_FRAG_BAD);
	REQUIRE("parameter problem", net_out(&n));
	CHECK_EQ("fragment offset", get32(net_l4(&n) + 4), 42);
	in(&n, false, &beyond);
	CHECK_DROP(&n, RL_DROP_FRAG_BAD);
	net_fini(&n);
}

static void tcp_piece(struct net *n, uint16_t off, size_t len, bool more)
{
	struct ipv4_hdr h = { .src = peer4(1), .dst = peer4(2), .proto = RL_PROTO_TCP,
			      .id = 77, .mf = more, .frag_off = off };

	net_in(n, net_put4(n, &h, whole, len));
}

/* [RFC1858-01] [RFC7112-01] RFC 1858, and [RFC8200-07] for the chain of headers */
TEST(tiny_fragments)
{
	struct ipv6_hdr h6 = { .src = peer6(1), .dst = peer6(2), .next = RL_PROTO_FRAGMENT };
	struct ipv6_frag f = { RL_PROTO_DSTOPT, true, 0, 9 };
	uint8_t b[40] = { 0 };
	struct net n;

	net_init(&n, NET_ETHER);
	tcp_piece(&n, 0, 16, true);
	CHECK_DROP(&n, RL_DROP_FRAG_TINY);
	tcp_piece(&n, 8, 64, true);
	CHECK_DROP(&n, RL_DROP_FRAG_TINY);
	tcp_piece(&n, 0, 24, true);
	CHECK_NO_DROP(&n);
	rl_ipv6_frag_write(&f, b);
	b[8] = RL_PROTO_TCP;
	b[9] = 1;				/* 16 bytes of options, then 8 of TCP */
	net_in(&n, net_put6(&n, &h6, b, 8 + 24));
	CHECK_DROP(&n, RL_DROP_FRAG_TINY);
	REQUIRE("parameter problem", net_out(&n));
	CHECK_EQ("code 3", net_icmp_type(&n), 4 << 8 | 3);
	net_fini(&n);
}

/* [RFC1122-30] [RFC8200-09] */
static void timeout(bool v6)
{
	static const struct piece first = { 0, 800, true, 5, 0 }, second = { 800, 800, true, 6, 0 };
	struct net n;

	make(v6, TOTAL);
	net_init(&n, NET_ETHER);
	in(&n, v6, &first);
	net_advance(&n, 59 * RL_SEC);
	CHECK("still waiting", !net_out(&n));
	net_advance(&n, RL_SEC);
	CHECK_CTR(&n, ip_reasm_timeout, 1);
	CHECK_CTR(&n, ip_reasm_fails, 1);
	CHECK_CTR(&n, icmp_out_time_excds, 1);
	CHECK_DROP(&n, RL_DROP_FRAG_TIMEOUT);
	REQUIRE("time exceeded", net_out(&n));
	CHECK_EQ("code 1", net_icmp_type(&n), v6 ? 3 << 8 | 1 : 11 << 8 | 1);
	CHECK("sums", net_sums_ok(&n));
	CHECK_MEM("quotes the first", net_l4(&n) + 8 + (v6 ? 48 : 20), whole, 8);
	in(&n, v6, &second);
	net_advance(&n, 60 * RL_SEC);
	CHECK_DROP(&n, RL_DROP_FRAG_TIMEOUT);
	CHECK("nothing without the first one", !net_out(&n));
	net_fini(&n);
}

TEST(timeouts)
{
	timeout(false);
	timeout(true);
}

TEST(memory_is_bounded)
{
	struct piece c = { 0, 1400, true, 0, 0 };
	struct net n;

	make(false, TOTAL);
	net_init(&n, NET_ETHER);
	rill_sysctl_set(n.st, "net.ipv4.ipfrag_high_thresh", "30000");
	for (int i = 0; i < 100; i++) {
		c.id = (uint32_t)i;
		in(&n, false, &c);
		CHECK("below the cap", n.st->ip->reasm_cost <= 30000);
	}
	CHECK("the oldest gave way", n.st->obs.drop[RL_DROP_FRAG_LIMIT] > 80);
	net_mark(&n);
	rill_sysctl_set(n.st, "net.ipv4.ipfrag_high_thresh", "0");
	rl_frag_flush(n.st);
	in(&n, false, &c);
	CHECK_DROP(&n, RL_DROP_FRAG_LIMIT);
	CHECK_EQ("refused", n.st->ip->reasms.in_use, 0);
	rill_sysctl_set(n.st, "net.ipv4.ipfrag_high_thresh", "1000000");
	rill_sysctl_set(n.st, "net.ipv4.ipfrag_time", "2");
	in(&n, false, &c);
	net_mark(&n);
	net_advance(&n, 2 * RL_SEC);
	CHECK_DROP(&n, RL_DROP_FRAG_TIMEOUT);
	net_fini(&n);
}

/* A datagram in 8-byte pieces is given up, whatever the order. */
TEST(fragments_are_bounded)
{
	struct piece c = { 0, 8, true, 3, 0 };
	struct net n;

	make(false, 65000);
	net_init(&n, NET_ETHER);
	rill_sysctl_set(n.st, "net.ipv4.ipfrag_high_thresh", "1000000000");
	for (uint32_t i = 0; i < RL_REASM_FRAGS + 1; i++) {
		c.off = 16 * i;
		in(&n, false, &c);
	}
	CHECK_DROP(&n, RL_DROP_FRAG_OVERLAP);
	CHECK_EQ("nothing held", n.st->ip->reasm_cost, 0);
	net_fini(&n);
}

/* [RFC3168-17] RFC 3168 5.3: congestion marks survive, and don't mix with Not-ECT */
TEST(ecn)
{
	struct piece a = { 0, 800, true, 5, 2 }, b = { 800, 1608, false, 5, 3 };
	struct rill_udp_meta m;
	uint8_t got[TOTAL];
	struct rill_iov v = { got, sizeof(got) };
	struct net n;
	rill_id id;

	make(false, TOTAL);
	net_init_mtu(&n, NET_ETHER, 9000);
	id = listen7(&n);
	in(&n, false, &a);
	in(&n, false, &b);
	CHECK_EQ("arrived", rill_udp_recv(n.st, id, &v, 1, &m, 0), TOTAL - 8);
	CHECK_EQ("CE", m.tos & 3, 3);
	a.tos = 0;
	a.id = b.id = 6;
	in(&n, false, &a);
	in(&n, false, &b);
	CHECK_DROP(&n, RL_DROP_FRAG_BAD);
	net_fini(&n);
}

/* With options in front, and a reply that quotes the first fragment's header. */
TEST(ipv6_headers_before_and_after)
{
	struct ipv6_hdr h6 = { .src = peer6(1), .dst = peer6(2), .next = RL_PROTO_DSTOPT };
	uint8_t b[1000] = { RL_PROTO_FRAGMENT, 0, 1, 4 };
	struct ipv6_frag f = { RL_PROTO_DSTOPT, true, 0, 9 };
	struct net n;

	make(true, 48);
	net_init(&n, NET_ETHER);
	rl_ipv6_frag_write(&f, b + 8);
	b[16] = RL_PROTO_UDP;			/* second options, in the first fragment */
	b[18] = 1;
	b[19] = 4;
	memcpy(b + 24, whole, 24);
	net_in(&n, net_put6(&n, &h6, b, 48));
	f.more = false;
	f.off = 32;
	rl_ipv6_frag_write(&f, b + 8);
	memcpy(b + 16, whole + 24, 24);
	net_in(&n, net_put6(&n, &h6, b, 40));
	CHECK_CTR(&n, ip_reasm_oks, 1);
	CHECK_DROP(&n, RL_DROP_UDP_NO_PORT);
	REQUIRE("port unreachable", net_out(&n));
	CHECK_EQ("quoted: the fragment header is gone", net_l4(&n)[8 + 40], RL_PROTO_DSTOPT);
	CHECK_EQ("length", get16(net_l4(&n) + 8 + 4), 8 + 8 + 48);
	net_fini(&n);
}

TEST(fragment_inside_of_a_fragment)
{
	struct ipv6_hdr h6 = { .src = peer6(1), .dst = peer6(2), .next = RL_PROTO_FRAGMENT };
	struct ipv6_frag outer = { RL_PROTO_DSTOPT, true, 0, 9 };
	struct ipv6_frag inner = { RL_PROTO_UDP, true, 0, 10 };
	uint8_t b[64] = { 0 };
	struct net n;

	make(true, 48);
	net_init(&n, NET_ETHER);
	rl_ipv6_frag_write(&outer, b);
	memcpy(b + 8, "\x2c\0\1\4\0\0\0\0", 8);
	memcpy(b + 16, whole, 8);
	net_in(&n, net_put6(&n, &h6, b, 24));
	net_mark(&n);
	outer.more = false;
	outer.off = 16;
	rl_ipv6_frag_write(&outer, b);
	rl_ipv6_frag_write(&inner, b + 8);
	net_in(&n, net_put6(&n, &h6, b, 24));
	net_drain(&n);
	CHECK_EQ("not twice", n.st->ip->reasms.in_use, 0);
	net_fini(&n);
}

TEST(no_memory)
{
	static const struct piece parts[2] = {
		{ 0, 800, true, 5, 0 }, { 800, 1608, false, 5, 0 },
	};
	struct rill_pkt *p;
	struct net n;

	make(false, TOTAL);
	net_init_mtu(&n, NET_ETHER, 9000);
	for (uint64_t k = 1; k < 40; k++) {	/* each allocation fails once */
		n.allocs = 0;
		n.fail_at = 0;
		rl_bufs_destroy(&n.st->bufs);
		n.fail_at = k;
		n.allocs = 0;
		for (int i = 0; i < 2; i++) {
			struct ipv4_hdr h = { .src = peer4(1), .dst = peer4(2), .mf = !i,
					      .proto = RL_PROTO_UDP, .id = 5,
					      .frag_off = (uint16_t)parts[i].off };
			size_t len = net_put4(&n, &h, whole + parts[i].off, parts[i].len);

			rl_eth_write(n.buf, net_mac, peer_mac, ETH_IPV4);
			(void)!rill_stack_input(n.st, n.now_ns, 1, n.buf, 14 + len);
		}
		n.fail_at = 0;
		rl_frag_flush(n.st);
		while (rill_stack_output(n.st, 0, &p, 1) == 1)
			rill_pkt_put(n.st, p);
	}
	net_fini(&n);
}
