/* SPDX-License-Identifier: MIT */
/* wire/eth, arp, ipv4, ipv6, icmp, udp_hdr: bytes to checked values and back. */
#include <errno.h>

#include "rl_test.h"
#include "wire/arp.h"
#include "wire/cksum.h"
#include "wire/icmp.h"
#include "wire/ipv4.h"
#include "wire/ipv6.h"
#include "wire/udp_hdr.h"

TEST(ethernet)
{
	static const uint8_t a[6] = { 1, 2, 3, 4, 5, 6 }, b[6] = { 2, 7, 8, 9, 10, 11 };
	struct eth_hdr h;
	uint8_t p[14];

	rl_eth_write(p, a, b, ETH_IPV6);
	CHECK_EQ("parse", rl_eth_parse(&h, p, 14), 0);
	CHECK_MEM("dst", h.dst, a, 6);
	CHECK_MEM("src", h.src, b, 6);
	CHECK_EQ("type", h.type, ETH_IPV6);
	CHECK("group", rl_eth_is_group(a) && !rl_eth_is_group(b));
	CHECK_EQ("short", rl_eth_parse(&h, p, 13), -EBADMSG);
}

TEST(arp_there_and_back)
{
	struct arp_msg m = { .op = ARP_REPLY, .sha = { 1, 2, 3, 4, 5, 6 },
			     .tha = { 7, 8, 9, 10, 11, 12 }, .spa = rl_ip4(0x01020304),
			     .tpa = rl_ip4(0x05060708) }, got;
	uint8_t p[ARP_LEN];

	rl_arp_write(&m, p);
	CHECK_EQ("parse", rl_arp_parse(&got, p, sizeof(p)), 0);
	CHECK_EQ("op", got.op, ARP_REPLY);
	CHECK("addresses", rl_ip_eq(&got.spa, &m.spa) && rl_ip_eq(&got.tpa, &m.tpa));
	CHECK_MEM("sha", got.sha, m.sha, 6);
	CHECK_MEM("tha", got.tha, m.tha, 6);
	CHECK_EQ("short", rl_arp_parse(&got, p, ARP_LEN - 1), -EBADMSG);
}

/* The example of RFC 791's header with a checksum worked out by hand. */
TEST(ipv4_checksum)
{
	uint8_t p[20] = { 0x45, 0, 0, 0x73, 0, 0, 0x40, 0, 0x40, 0x11, 0, 0,
			  0xc0, 0xa8, 0, 1, 0xc0, 0xa8, 0, 0xc7 };

	rl_ipv4_cksum_set(p, 20);
	CHECK_EQ("value", get16(p + 10), 0xb861);
	CHECK("ok", rl_ipv4_cksum_ok(p, 20));
	p[1] ^= 1;
	CHECK("not ok", !rl_ipv4_cksum_ok(p, 20));
}

TEST(ipv4_there_and_back)
{
	struct ipv4_hdr h = { .tos = 0xb8, .ttl = 3, .proto = 17, .total_len = 1234,
			      .id = 0xabcd, .df = true, .mf = true, .frag_off = 8 * 0x1abc,
			      .src = rl_ip4(0x01020304), .dst = rl_ip4(0x05060708) }, got;
	uint8_t p[20];

	rl_ipv4_write(&h, p);
	CHECK_EQ("parse", rl_ipv4_parse(&got, p, 20), 0);
	CHECK_EQ("hdr_len", got.hdr_len, 20);
	CHECK("fields", got.tos == h.tos && got.ttl == 3 && got.proto == 17 &&
	      got.total_len == 1234 && got.id == 0xabcd);
	CHECK("fragment", got.df && got.mf && got.frag_off == 8 * 0x1abc);
	CHECK("addresses", rl_ip_eq(&got.src, &h.src) && rl_ip_eq(&got.dst, &h.dst));
	CHECK_EQ("short", rl_ipv4_parse(&got, p, 19), -EBADMSG);
	CHECK_EQ("none", rl_ipv4_parse(&got, p, 0), -EBADMSG);
	p[0] = 0x65;
	CHECK_EQ("version", rl_ipv4_parse(&got, p, 20), -EPROTONOSUPPORT);
	p[0] = 0x44;
	CHECK_EQ("header length", rl_ipv4_parse(&got, p, 20), -EBADMSG);
}

static const struct {
	const char *name;
	uint8_t p[12], n;
	enum ipv4_opt_verdict v;
	size_t at;
} opt_rows[] = {
	{ "none",	{ 0 }, 0, IPV4_OPT_OK, 0 },
	{ "padding",	{ 1, 1, 1, 0 }, 4, IPV4_OPT_OK, 2 },
	{ "behind the end nothing counts", { 0, 7, 0, 0 }, 4, IPV4_OPT_OK, 0 },
	{ "record route, timestamp", { 7, 4, 4, 0, 68, 4, 5, 0 }, 8, IPV4_OPT_OK, 4 },
	{ "length 0",	{ 1, 7, 0, 0 }, 4, IPV4_OPT_BAD, 1 },
	{ "length 1",	{ 7, 1, 0, 0 }, 4, IPV4_OPT_BAD, 0 },
	{ "too long",	{ 7, 5, 4, 0 }, 4, IPV4_OPT_BAD, 0 },
	{ "no length",	{ 1, 1, 1, 7 }, 4, IPV4_OPT_BAD, 3 },
	{ "loose",	{ 1, 131, 3, 4 }, 4, IPV4_OPT_SRCROUTE, 1 },
	{ "strict",	{ 137, 3, 4, 0 }, 4, IPV4_OPT_SRCROUTE, 0 },
};

/* [RFC791-06] */
TEST(ipv4_options)
{
	for (size_t i = 0; i < ARRAY_LEN(opt_rows); i++) {
		size_t at = 0;

		CHECK_EQ(opt_rows[i].name, rl_ipv4_opts_check(opt_rows[i].p, opt_rows[i].n, &at),
			 opt_rows[i].v);
		CHECK_EQ(opt_rows[i].name, at, opt_rows[i].at);
	}
}

TEST(ipv6_there_and_back)
{
	struct ipv6_hdr h = { .tclass = 0xa5, .next = 6, .hop_limit = 7, .payload_len = 99,
			      .flow_label = 0xfedcb, .src = { .b = { 0xfd, [15] = 1 } },
			      .dst = { .b = { 0xfe, 0x80, [15] = 2 } } }, got;
	struct ipv6_frag f = { 17, true, 0xfff8, 0x12345678 }, gf;
	uint8_t p[40];

	rl_ipv6_write(&h, p);
	CHECK_EQ("parse", rl_ipv6_parse(&got, p, 40), 0);
	CHECK("fields", got.tclass == 0xa5 && got.next == 6 && got.hop_limit == 7 &&
	      got.payload_len == 99 && got.flow_label == 0xfedcb);
	CHECK("addresses", rl_ip_eq(&got.src, &h.src) && rl_ip_eq(&got.dst, &h.dst));
	CHECK_EQ("short", rl_ipv6_parse(&got, p, 39), -EBADMSG);
	p[0] = 0x45;
	CHECK_EQ("version", rl_ipv6_parse(&got, p, 40), -EPROTONOSUPPORT);
	rl_ipv6_frag_write(&f, p);
	rl_ipv6_frag_parse(&gf, p);
	CHECK("fragment", gf.next == 17 && gf.more && gf.off == 0xfff8 && gf.id == 0x12345678);
	CHECK_EQ("extension of 24 bytes", rl_ipv6_ext_len((const uint8_t[]){ 6, 2 }), 24);
}

TEST(icmp_there_and_back)
{
	struct icmp_hdr h = { 3, 4, 0x000005dc }, got;
	uint8_t p[8];

	rl_icmp_write(&h, p);
	CHECK_EQ("parse", rl_icmp_parse(&got, p, 8), 0);
	CHECK("fields", got.type == 3 && got.code == 4 && got.rest == 0x5dc);
	CHECK_EQ("no checksum yet", get16(p + 2), 0);
	CHECK_EQ("short", rl_icmp_parse(&got, p, 7), -EBADMSG);
}

/* [RFC4861-04] */
TEST(nd_options)
{
	struct nd_msg m = { .type = ICMP6_NS, .has_mac = true, .mac = { 2, 1, 1, 1, 1, 1 },
			    .target = { .b = { 0xfd, [15] = 9 } } }, got;
	uint8_t p[64] = { 0 };

	CHECK_EQ("length", rl_nd_write(&m, p), 32);
	CHECK_EQ("parse", rl_nd_parse(&got, p, 32), 0);
	CHECK("target", rl_ip_eq(&got.target, &m.target) && got.has_mac);
	CHECK_MEM("mac", got.mac, m.mac, 6);
	p[24] = 77;			/* unknown: skipped */
	CHECK_EQ("unknown", rl_nd_parse(&got, p, 32), 0);
	CHECK("no mac", !got.has_mac);
	memcpy(p + 32, "\x01\x01\x02\x03\x03\x03\x03\x03", 8);
	CHECK_EQ("behind it", rl_nd_parse(&got, p, 40), 0);
	CHECK("mac", got.has_mac && got.mac[0] == 2 && got.mac[1] == 3);
	p[25] = 0;
	CHECK_EQ("length 0", rl_nd_parse(&got, p, 40), -EBADMSG);
	p[25] = 3;
	CHECK_EQ("too long", rl_nd_parse(&got, p, 40), -EBADMSG);
	p[25] = 1;
	CHECK_EQ("half an option", rl_nd_parse(&got, p, 33), -EBADMSG);
	CHECK_EQ("short", rl_nd_parse(&got, p, 23), -EBADMSG);
	p[1] = 1;
	CHECK_EQ("code", rl_nd_parse(&got, p, 32), -EBADMSG);
}

TEST(group_reports)
{
	struct igmp_msg m = { IGMP_QUERY, 100, rl_ip4(0xe1020304) }, got;
	struct mld_msg q = { ICMP6_MLD_QUERY, 1000, { .b = { 0xff, 5, [15] = 7 } } }, gq;
	uint8_t p[24];

	rl_igmp_write(&m, p);
	CHECK_EQ("parse", rl_igmp_parse(&got, p, 8), 0);
	CHECK("fields", got.type == IGMP_QUERY && got.max_resp == 100 &&
	      rl_ip_eq(&got.group, &m.group));
	CHECK_EQ("short", rl_igmp_parse(&got, p, 7), -EBADMSG);
	p[1] ^= 1;
	CHECK_EQ("damaged", rl_igmp_parse(&got, p, 8), -EILSEQ);
	rl_mld_write(&q, p);
	CHECK_EQ("parse", rl_mld_parse(&gq, p, 24), 0);
	CHECK("fields", gq.type == ICMP6_MLD_QUERY && gq.max_resp_ms == 1000 &&
	      rl_ip_eq(&gq.group, &q.group));
	CHECK_EQ("short", rl_mld_parse(&gq, p, 23), -EBADMSG);
}

/* [RFC768-01] */
TEST(udp_header)
{
	struct udp_hdr h = { 1, 2, 12, false }, got;
	uint8_t p[16];

	rl_udp_hdr_write(&h, p);
	CHECK("parse", rl_udp_hdr_parse(&got, p, 12));
	CHECK("fields", got.sport == 1 && got.dport == 2 && got.len == 12 && !got.has_csum);
	CHECK("more than said", rl_udp_hdr_parse(&got, p, 16));
	CHECK("less than said", !rl_udp_hdr_parse(&got, p, 11));
	CHECK("no header", !rl_udp_hdr_parse(&got, p, 7));
	put16(p + 4, 7);
	CHECK("length below the header", !rl_udp_hdr_parse(&got, p, 16));
}

TEST(group_macs)
{
	struct rill_ip g = rl_ip4(0xefff0102), b = rl_ip4(0xffffffff);
	struct rill_ip g6 = { .b = { 0xff, 2, [12] = 0xff, 1, 2, 3 } };
	uint8_t mac[6];

	rl_eth_group_mac(mac, &g);
	CHECK_MEM("23 bits", mac, "\x01\x00\x5e\x7f\x01\x02", 6);
	rl_eth_group_mac(mac, &g6);
	CHECK_MEM("32 bits", mac, "\x33\x33\xff\x01\x02\x03", 6);
	rl_eth_group_mac(mac, &b);
	CHECK_MEM("broadcast", mac, "\xff\xff\xff\xff\xff\xff", 6);
}
