/* SPDX-License-Identifier: MIT */
/* ip/out.c: headers, sizes, fragments, the loopback and the flow cache. [A25] */
#include "net_fixture.h"

/* A UDP packet of @len bytes of data, checksum partial. */
static struct rill_pkt *packet(struct net *n, const struct rl_flow *f, uint32_t len)
{
	struct rill_pkt *p = rl_pkt_new(&n->st->bufs, UDP_HDR_LEN + len);
	struct udp_hdr h = { 1000, 2000, (uint16_t)(UDP_HDR_LEN + len), false };
	uint16_t sum = rl_sum_fold(rl_sum_pseudo(&f->src, &f->dst, RL_PROTO_UDP, h.len));

	rl_udp_hdr_write(&h, p->data);
	memcpy(p->data + 6, &sum, 2);
	for (uint32_t i = 0; i < len; i++)
		p->data[8 + i] = (uint8_t)(i * 7);
	p->len = 8 + len;
	p->flags = RL_PKT_CSUM_PARTIAL;
	p->csum_off = 6;
	return p;
}

static struct rl_flow flow(bool v6, int last)
{
	return (struct rl_flow){ .src = v6 ? peer6(2) : peer4(2),
				 .dst = v6 ? peer6(last) : peer4(last),
				 .proto = RL_PROTO_UDP };
}

static int send(struct net *n, struct rl_flow *f, uint32_t len)
{
	return rl_ip_output(n->st, packet(n, f, len), f);
}

/* [RFC6864-01] */
TEST(ipv4_header)
{
	struct rl_flow f = flow(false, 1);
	struct ipv4_hdr h;
	struct net n;

	net_init(&n, NET_ETHER);
	f.tos = 0x28;
	f.df = true;
	CHECK_EQ("sent", send(&n, &f, 10), 0);
	REQUIRE("out", net_out(&n));
	CHECK_MEM("to the peer", n.out, peer_mac, 6);
	CHECK_MEM("from us", n.out + 6, net_mac, 6);
	CHECK_EQ("type", get16(n.out + 12), ETH_IPV4);
	CHECK_EQ("parse", rl_ipv4_parse(&h, net_l3(&n), net_l3_len(&n)), 0);
	CHECK_EQ("length", h.total_len, 38);
	CHECK_EQ("TOS", h.tos, 0x28);
	CHECK_EQ("TTL", h.ttl, 64);			/* [RFC1122-09] */
	CHECK_EQ("DF", h.df, true);
	CHECK_EQ("atomic: id 0", h.id, 0);		/* [RFC6864-03] */
	CHECK("sums", net_sums_ok(&n));
	CHECK_CTR(&n, ip_out_requests, 1);
	CHECK_CTR(&n, ip_out_octets, 38);
	CHECK_CTR(&n, link_out_frames, 1);
	net_fini(&n);
}

TEST(ipv6_header)
{
	struct rl_flow f = flow(true, 1);
	struct ipv6_hdr h;
	struct net n;

	net_init(&n, NET_ETHER);
	f.tos = 0xb8;
	f.flow_label = 0xabcde;
	f.ttl = 9;
	CHECK_EQ("sent", send(&n, &f, 11), 0);
	REQUIRE("out", net_out(&n));
	CHECK_EQ("type", get16(n.out + 12), ETH_IPV6);
	CHECK_EQ("parse", rl_ipv6_parse(&h, net_l3(&n), net_l3_len(&n)), 0);
	CHECK_EQ("length", h.payload_len, 19);
	CHECK_EQ("class", h.tclass, 0xb8);
	CHECK_EQ("label", h.flow_label, 0xabcde);
	CHECK_EQ("hops", h.hop_limit, 9);
	CHECK("sums", net_sums_ok(&n));
	net_fini(&n);
}

TEST(tunables)
{
	struct rl_flow f = flow(false, 1), f6 = flow(true, 1);
	struct net n;

	net_init(&n, 0);
	rill_sysctl_set(n.st, "net.ipv4.ip_default_ttl", "33");
	rill_sysctl_set(n.st, "net.ipv6.conf.all.hop_limit", "34");
	rill_sysctl_set(n.st, "net.ipv4.ip_no_pmtu_disc", "1");
	f.df = true;
	send(&n, &f, 1);
	REQUIRE("out", net_out(&n));
	CHECK_EQ("ttl", net_l3(&n)[8], 33);
	CHECK_EQ("no DF", get16(net_l3(&n) + 6), 0);
	send(&n, &f6, 1);
	REQUIRE("out", net_out(&n));
	CHECK_EQ("hops", net_l3(&n)[7], 34);
	net_fini(&n);
}

/* [RFC791-04] [RFC6864-02]: packets that may be fragmented don't repeat an id soon */
TEST(identifications)
{
	struct rl_flow f = flow(false, 1);
	uint8_t seen[65536 / 8] = { 0 };
	struct net n;
	int twice = 0;

	net_init(&n, 0);
	for (int i = 0; i < 60000; i++) {
		unsigned id;

		send(&n, &f, 1);
		net_out(&n);
		id = get16(net_l3(&n) + 4);
		twice += seen[id / 8] >> (id % 8) & 1;
		seen[id / 8] |= (uint8_t)(1 << (id % 8));
	}
	CHECK_EQ("repeated", twice, 0);
	net_fini(&n);
}

/* Fragments out, fed back into another stack, arrive as one datagram. */
static void fragments(bool v6, uint32_t mtu, uint32_t len)
{
	struct rl_flow f = flow(v6, 1);
	uint32_t hdr = v6 ? 48 : 20, end = 0;
	static uint8_t whole[NET_MAX];
	struct net n;
	int k = 0;

	net_init_mtu(&n, v6 ? NET_ETHER : NET_ETHER | NET_V4_ONLY, mtu);
	if (!v6)
		net_mark(&n);
	CHECK_EQ("sent", send(&n, &f, len), 0);
	while (net_out(&n)) {
		uint8_t *ip = net_l3(&n);
		uint32_t bytes = net_l3_len(&n) - hdr, off, more;

		CHECK("fits", net_l3_len(&n) <= mtu);
		off = v6 ? get16(ip + 42) & 0xfff8u : (get16(ip + 6) & 0x1fffu) * 8;
		more = v6 ? get16(ip + 42) & 1u : get16(ip + 6) >> 13 & 1u;
		CHECK_EQ("in order, no overlap [RFC5722-01]", off, end);
		CHECK("multiple of 8 [RFC791-02]", !more || bytes % 8 == 0);
		CHECK("no DF", v6 || !(ip[6] & 0x40));
		memcpy(whole + off, ip + hdr, bytes);
		end = off + bytes;
		CHECK_EQ("more", more, end < len + 8);
		k++;
	}
	CHECK_EQ("all there", end, len + 8);
	CHECK_CTR(&n, ip_frag_creates, (unsigned)k);
	CHECK_CTR(&n, ip_frag_oks, 1);
	CHECK_EQ("checksum was finished", rl_sum_finish(rl_sum(whole, end,
		 rl_sum_pseudo(&f.src, &f.dst, RL_PROTO_UDP, end))), 0);
	for (uint32_t i = 0; i < len; i++)
		if (whole[8 + i] != (uint8_t)(i * 7))
			CHECK_EQ("byte", i, -1);
	net_fini(&n);
}

TEST(fragments_ipv4)
{
	fragments(false, 1500, 1473);
	fragments(false, 1500, 65507);
	fragments(false, 576, 3000);
	fragments(false, 68, 500);
}

TEST(fragments_ipv6)
{
	fragments(true, 1280, 1233);
	fragments(true, 1500, 65527);
}

/* [RFC791-05] */
TEST(too_big)
{
	struct rl_flow f = flow(false, 1), f6 = flow(true, 1);
	struct net n;

	net_init(&n, NET_ETHER);
	f.df = f6.df = true;
	CHECK_EQ("fits", send(&n, &f, 1472), 0);
	CHECK_EQ("DF", send(&n, &f, 1473), -EMSGSIZE);
	CHECK_CTR(&n, ip_frag_fails, 1);
	CHECK_DROP(&n, RL_DROP_TOO_BIG);
	CHECK_EQ("fits", send(&n, &f6, 1452), 0);
	CHECK_EQ("IPv6", send(&n, &f6, 1453), -EMSGSIZE);
	CHECK_DROP(&n, RL_DROP_TOO_BIG);
	f.df = false;
	CHECK_EQ("longer than IP", send(&n, &f, 65508), -EMSGSIZE);
	CHECK_DROP(&n, RL_DROP_TOO_BIG);
	net_fini(&n);
}

TEST(no_route)
{
	struct rl_flow f = flow(false, 1);
	struct net n;

	net_init(&n, NET_ETHER);
	f.dst = ip4(8, 8, 8, 8);
	CHECK_EQ("unreachable", send(&n, &f, 1), -ENETUNREACH);
	CHECK_CTR(&n, ip_out_no_routes, 1);
	CHECK_DROP(&n, RL_DROP_NO_ROUTE);
	f = flow(false, 1);
	f.src = ip4(127, 0, 0, 1);			/* [RFC1122-06] */
	CHECK_EQ("loopback stays inside", send(&n, &f, 1), -ENETUNREACH);
	CHECK_DROP(&n, RL_DROP_NO_ROUTE);
	net_fini(&n);
}

TEST(group_addresses)
{
	static const uint8_t mac4[6] = { 1, 0, 0x5e, 1, 2, 3 };
	static const uint8_t mac6[6] = { 0x33, 0x33, 0, 0, 0, 0x77 };
	struct rl_flow f = flow(false, 1), f6 = flow(true, 1);
	struct net n;

	net_init(&n, NET_ETHER);
	f.dst = ip4(239, 129, 2, 3);
	CHECK_EQ("sent", send(&n, &f, 1), 0);
	REQUIRE("out", net_out(&n));
	CHECK_MEM("23 bits", n.out, mac4, 6);
	f6.dst = ip6(0xff0e, 0x77);
	CHECK_EQ("sent", send(&n, &f6, 1), 0);
	REQUIRE("out", net_out(&n));
	CHECK_MEM("32 bits", n.out, mac6, 6);
	CHECK_CTR(&n, ip_out_mcast_pkts, 2);
	f.dst = peer4(255);
	f.d.gen = 0;
	CHECK_EQ("sent", send(&n, &f, 1), 0);
	REQUIRE("out", net_out(&n));
	CHECK_MEM("broadcast", n.out, bcast_mac, 6);
	CHECK_CTR(&n, ip_out_bcast_pkts, 1);
	net_fini(&n);
}

/* To ourselves: nothing leaves, the sum stays partial, and it arrives. */
TEST(loopback)
{
	struct rl_flow f = flow(false, 2);
	struct net n;

	net_init(&n, NET_ETHER);
	CHECK_EQ("sent", send(&n, &f, 3000), 0);	/* beyond the device's MTU */
	CHECK("local", f.d.local);
	CHECK_EQ("queued", n.st->ip->loop_head != NULL, true);
	rl_ip_run_loopback(n.st);
	CHECK_CTR(&n, link_in_frames, 2);
	CHECK_EQ("no port: the ICMP error came back too", CTR(&n, icmp_in_dest_unreachs), 1);
	CHECK_UEQ("udp", n.st->obs.drop[RL_DROP_UDP_NO_PORT], 1);
	CHECK_UEQ("nobody asked", n.st->obs.drop[RL_DROP_ICMP_NO_MATCH], 1);
	CHECK("nothing left", !net_out(&n));
	net_fini(&n);
}

TEST(checksum_offload)
{
	struct rl_flow f = flow(false, 1);
	struct net n;

	net_init(&n, NET_ETHER | NET_OFFLOAD);
	send(&n, &f, 10);
	REQUIRE("out", net_out(&n));
	CHECK("left to the device", n.out_flags & RL_PKT_CSUM_PARTIAL);
	net_fini(&n);
	net_init(&n, NET_ETHER);
	send(&n, &f, 10);
	REQUIRE("out", net_out(&n));
	CHECK("done here", !(n.out_flags & RL_PKT_CSUM_PARTIAL) && net_sums_ok(&n));
	net_fini(&n);
}

/* A TCP super-segment: whole where the device cuts, in pieces where not. */
static struct rill_pkt *super_segment(struct net *n, uint32_t len, uint32_t mss)
{
	struct rill_pkt *p = rl_pkt_new(&n->st->bufs, 20 + len);

	memset(p->data, 0, 20 + len);
	p->data[12] = 5 << 4;
	p->data[13] = 0x10;
	p->len = 20 + len;
	p->gso_size = mss;
	p->gso = RL_GSO_TCP4;
	p->flags = RL_PKT_CSUM_PARTIAL;
	p->csum_off = 16;
	return p;
}

TEST(super_segments)
{
	struct rl_flow f = flow(false, 1);
	struct net n;

	f.proto = RL_PROTO_TCP;
	f.df = true;
	net_init(&n, NET_ETHER | NET_OFFLOAD);
	CHECK_EQ("sent", rl_ip_output(n.st, super_segment(&n, 30000, 1460), &f), 0);
	CHECK_EQ("whole", net_out(&n) ? (int)n.out_gso : -1, 1460);
	CHECK_EQ("full length", get16(net_l3(&n) + 2), 30040);
	CHECK_EQ("only one", net_drain(&n), 0);
	CHECK_EQ("pieces too big", rl_ip_output(n.st, super_segment(&n, 30000, 1461), &f),
		 -EMSGSIZE);
	CHECK("limit", rl_ip_gso_max(n.st, &f) == 65535);
	net_fini(&n);

	f.d.gen = 0;
	net_init(&n, NET_ETHER);
	CHECK_EQ("sent", rl_ip_output(n.st, super_segment(&n, 3000, 1460), &f), 0);
	CHECK_EQ("no offload", rl_ip_gso_max(n.st, &f), 0);
	CHECK_EQ("pieces", net_drain(&n), 3);
	net_fini(&n);
}

TEST(flow_cache)
{
	struct rl_flow f = flow(false, 1);
	struct rill_ip more = peer4(77);
	uint32_t gen;
	struct net n;

	net_init(&n, NET_ETHER);
	send(&n, &f, 1);
	gen = f.d.gen;
	CHECK_EQ("current", gen, n.st->route_gen);
	CHECK_EQ("interface", f.d.ifindex, 1);
	CHECK_EQ("mtu", f.d.mtu, 1500);
	CHECK_EQ("add", rill_if_addr_add(n.st, 1, &more, 24), 0);
	CHECK("stale", f.d.gen != n.st->route_gen);
	send(&n, &f, 1);
	CHECK_EQ("refreshed", f.d.gen, n.st->route_gen);
	/* the neighbour entry is gone: found or made again, not used blindly */
	net_drain(&n);
	rl_neigh_flush(n.st);
	CHECK_EQ("sent", send(&n, &f, 1), 0);
	REQUIRE("asks", net_out(&n));
	CHECK("ARP", net_is_arp(&n));
	net_fini(&n);
}

TEST(no_memory)
{
	struct rl_flow f = flow(false, 1);
	struct rill_pkt *p;
	struct net n;

	net_init(&n, NET_ETHER);
	send(&n, &f, 10);
	net_drain(&n);
	p = packet(&n, &f, 4000);
	n.fail_at = 1;
	rl_bufs_destroy(&n.st->bufs);			/* idle packets go back */
	CHECK_EQ("lost, not fatal", rl_ip_output(n.st, p, &f), 0);
	CHECK_DROP(&n, RL_DROP_NO_MEMORY);
	n.fail_at = 0;
	net_fini(&n);
}
