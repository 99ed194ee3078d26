/* SPDX-License-Identifier: MIT */
/*
 * Script packet to bytes and back (packet_bytes.c, packet_seen.c, packet_text.c)
 * and the comparison of two (packet_cmp.c), without a stack: what Rill never
 * sends is compared too.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drill/packet.h"
#include "rl_test.h"
#include "wire/cksum.h"
#include "wire/ipv4.h"

static struct drill_wire ends(bool v6)
{
	struct drill_wire w = {
		.src = { .ip = rl_ip4(0xc0a80001), .port = 8080 },
		.dst = { .ip = rl_ip4(0xc0000201), .port = 40000 },
	};

	if (v6) {
		w.src.ip = (struct rill_ip){ .b = { 0xfd, 1, [15] = 1 } };
		w.dst.ip = (struct rill_ip){ .b = { 0x20, 1, [15] = 2 } };
	}
	w.quoted_src = w.dst;
	w.quoted_dst = w.src;
	return w;
}

/* The packet of a line of a script. */
static const struct drill_packet *line(struct drill_script *s, const char *text, bool v6)
{
	char full[600], why[200] = "";

	snprintf(full, sizeof(full), "0 %s\n", text);
	if (!CHECK(rl_label("%s: parses: %s", text, why),
		   !rl_drill_parse(s, "t.pkt", full, strlen(full), NULL, v6, why, sizeof(why))))
		return NULL;
	return s->events->packet;
}

static size_t build(const char *text, bool v6, uint8_t *buf)
{
	struct drill_wire w = ends(v6);
	struct drill_script s = { 0 };
	const struct drill_packet *p = line(&s, text, v6);
	size_t n = 0;

	if (p) {
		w.seq = p->tcp.seq;
		w.ack = p->tcp.ack;
		for (const struct drill_opt *o = p->tcp.opts; o; o = o->next)
			w.nopts += rl_drill_opt_write(o, w.opts + w.nopts,
						      sizeof(w.opts) - w.nopts);
		n = rl_drill_build(p, &w, buf, DRILL_PACKET_MAX);
	}
	rl_drill_script_free(&s);
	return n;
}

/* ---- there and back ---- */

TEST(packets_survive_bytes)
{
	static const struct {
		const char *text;
		bool v6;
	} rows[] = {
		{ "> S 0:0(0) win 32792 <mss 1460,sackOK,TS val 100 ecr 0,nop,wscale 7>", 0 },
		{ "> . 1:1001(1000) ack 1 win 100", 0 },
		{ "> FP. 1:1(0) ack 1 win 100", 0 },
		{ "> SEWA 0:0(0) win 100", 0 },
		{ "> - 0:0(0) win 100", 0 },
		{ "> U. 1:1(0) ack 1 win 100 urg 7", 1 },
		{ "> R. 4294967295:4294967295(0) ack 1 win 0", 0 },
		{ "> . 1:1(0) ack 1 win 9 <nop,nop,sack 1:2 4294967295:7 8:9>", 0 },
		{ "> S 0:0(0) win 9 <FO,nop,nop>", 0 },
		{ "> S 0:0(0) win 9 <FO 3021b9d889017eeb,nop,nop>", 0 },
		{ "> S 0:0(0) win 9 <FOEXP 0102030405060708>", 0 },
		{ "> S 0:0(0) win 9 <md5 00112233445566778899aabbccddeeff,nop,eol>", 0 },
		{ "> . 1:1(0) ack 1 win 9 <ECN e0b 1 ceb 16777215 e1b 3,nop>", 0 },
		{ "> . 1:1(0) ack 1 win 9 <ECN e1b 1 ceb 2,eol,eol,eol,eol>", 0 },
		{ "> . 1:1(0) ack 1 win 9 <99 0102,172 0102,174 01020304,nop,nop>", 0 },
		{ "> . 1:1(0) ack 1 win 9 <254 0102,254 010203,nop,nop,nop>", 0 },
		{ "> . 1:1(0) ack 1 win 9 <99,172,nop,eol,5 0102,nop,nop>", 0 },
		{ "> . 1:1(0) ack 1 win 9 <5 0102030405060708090a0b0c0d0e0f101112,2 01,nop>", 0 },
		{ "> [ect0] . 1:1(0) ack 1 win 9", 0 },
		{ "> [ect1] . 1:1(0) ack 1 win 9", 1 },
		{ "> [ce] udp (0)", 0 },
		{ "> udp (1000)", 1 },
		{ "> icmp unreachable port_unreachable [raw (28)]", 0 },
		{ "> icmp time_exceeded code_9 [raw (0)]", 0 },
		{ "> icmp packet_too_big [raw (48)]", 1 },
		{ "> icmp type_200 code_3 [raw (4)]", 1 },
		{ "> ipv4 1.2.3.4 > 5.6.7.8: . 1:1(0) ack 1 win 9", 0 },
		{ "> ipv6 2001:db8::1 > ::2: [ce] . 1:1(0) ack 1 win 9", 0 },
		{ "> ipv4 1.2.3.4 > 5.6.7.8: gre: udp (3)", 1 },
		{ "> ipv4 1.2.3.4 > 5.6.7.8: gre: mpls (label 1048575, tc 7, ttl 255) "
		  "(label 0, tc 0, [S], ttl 0): . 1:1(0) ack 1 win 9", 1 },
		{ "> ipv6 1::2 > 3::4: mpls (label 5, tc 1, [S], ttl 9): udp (3)", 0 },
		{ "> ipv4 1.2.3.4 > 5.6.7.8: gre flags 0xb000, sum 0x1234, off 0x0005, "
		  "key 0x00000102, seq 9: udp (3)", 0 },
	};
	static uint8_t buf[DRILL_PACKET_MAX];
	static struct drill_seen s;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t n = build(rows[i].text, rows[i].v6, buf);
		char text[DRILL_TEXT_MAX], why[120] = "";

		if (!CHECK(rl_label("%s: bytes", rows[i].text), n > 0))
			continue;
		CHECK_EQ(rl_label("%s: %s", rows[i].text, why),
			 rl_drill_seen_parse(&s, buf, n, why, sizeof(why)), 0);
		rl_drill_text_script(text, sizeof(text), &s.p, rows[i].v6);
		CHECK_STR("the same again", text, rows[i].text);
	}
}

TEST(too_long)
{
	static uint8_t buf[DRILL_PACKET_MAX];

	CHECK_EQ("65535 bytes", build("> udp (65507)", false, buf), 65535);
	CHECK_EQ("65536 bytes", build("> udp (65508)", false, buf), 0);
}

/* The sum over all that a checksum covers is 0. */
TEST(checksums)
{
	static const char *const lines[] = {
		"> . 1:12(11) ack 5 win 100 <nop,nop,TS val 1 ecr 2>", "> udp (11)",
		"> icmp echo_request id 5 [raw (11)]",
	};
	static const uint8_t protos[2][3] = { { 6, 17, 1 }, { 6, 17, 58 } };
	static uint8_t buf[DRILL_PACKET_MAX];

	for (int v6 = 0; v6 < 2; v6++) {
		for (int i = 0; i < 3; i++) {
			struct drill_wire w = ends(v6);
			size_t n = build(lines[i], v6, buf), hdr = v6 ? 40 : 20;
			uint64_t sum = protos[v6][i] == 1 ? 0 :
				       rl_sum_pseudo(&w.src.ip, &w.dst.ip, protos[v6][i],
						     (uint32_t)(n - hdr));

			CHECK_EQ(rl_label("v6=%d %s", v6, lines[i]),
				 rl_sum_finish(rl_sum(buf + hdr, n - hdr, sum)), 0);
			if (!v6)
				CHECK_EQ("IPv4 header", rl_sum_finish(rl_sum(buf, 20, 0)), 0);
		}
	}
}

TEST(a_wrong_checksum)
{
	static const struct {
		const char *bad, *good;
		size_t at;		/* behind the IP header */
	} rows[] = {
		{ "< . 1:1(0) ack 1 badsum", "< . 1:1(0) ack 1", 16 },
		{ "< udp (3) badsum", "< udp (3)", 6 },
		{ "< icmp echo_request [raw (3)] badsum", "< icmp echo_request [raw (3)]", 2 },
	};
	static uint8_t bad[DRILL_PACKET_MAX], good[DRILL_PACKET_MAX];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t n = build(rows[i].bad, false, bad), at = 20 + rows[i].at;

		CHECK_EQ("as long", build(rows[i].good, false, good), n);
		CHECK(rl_label("%s: another checksum", rows[i].bad), bad[at] != good[at]);
		bad[at] = good[at];
		CHECK_MEM("nothing else", bad, good, n);
	}
}

/* Section 13 and 8.3, byte for byte. */
TEST(quoted_packet)
{
	static const uint8_t want[] = {
		0x45, 0, 0, 56, 0, 0, 0, 0, 255, 1, 0x39, 0x1a,
		192, 168, 0, 1, 192, 0, 2, 1,
		3, 4, 0x3b, 0x4f, 0, 0, 5, 0xdc,
		0x45, 0, 0, 50, 0, 0, 0, 0, 64, 6, 0xf8, 0x1b,
		192, 0, 2, 1, 192, 168, 0, 1,
		0x9c, 0x40, 0x1f, 0x90, 0, 0, 0, 0,
	};
	static uint8_t buf[DRILL_PACKET_MAX];
	size_t n = build("> icmp unreachable frag_needed mtu 1500 [0:10(10)]", false, buf);

	CHECK_EQ("length", n, sizeof(want));
	CHECK_MEM("bytes", buf, want, sizeof(want));
}

/* ---- malformed bytes ---- */

TEST(malformed)
{
	static const struct {
		const char *name;
		int at, v;
		size_t cut;
		const char *why;
	} rows[] = {
		{ "nothing", 0, 0x45, 0, "IPv4 header" },
		{ "version", 0, 0x75, 44, "IPv4 header" },
		{ "cut", 0, 0x45, 43, "IPv4 header" },
		{ "TCP data offset", 32, 0xf0, 44, "TCP header" },
		{ "too small a data offset", 32, 0x40, 44, "TCP header" },
	};
	static uint8_t buf[DRILL_PACKET_MAX];
	static struct drill_seen s;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char why[120] = "";

		CHECK_EQ("length", build("> S 0:0(0) win 9 <mss 9>", false, buf), 44);
		buf[rows[i].at] = (uint8_t)rows[i].v;
		CHECK_EQ(rows[i].name, rl_drill_seen_parse(&s, buf, rows[i].cut, why,
							   sizeof(why)), -1);
		CHECK(rl_label("%s: %s", rows[i].name, why), strstr(why, rows[i].why));
	}
}

/* ---- comparison ---- */

struct pair {
	const char *want, *got;
	const char *what;		/* NULL: equal */
	int at, v;			/* then a byte of got is changed; at 0: none */
};

static void compare(const struct pair *c, bool v6, struct drill_run *r)
{
	static uint8_t buf[DRILL_PACKET_MAX];
	static struct drill_seen s;
	size_t n = build(c->got, v6, buf);
	struct drill_script script = { 0 };
	const struct drill_packet *p = line(&script, c->want, v6);
	struct drill_diff d;
	char why[120] = "";

	if (c->at)
		buf[c->at] = (uint8_t)c->v;
	if (CHECK(rl_label("%s: %s", c->got, why),
		  p && !rl_drill_seen_parse(&s, buf, n, why, sizeof(why)))) {
		rl_drill_compare(r, p, &s, false, &d);
		CHECK_STR(c->want, d.what, c->what ? c->what : "");
		CHECK_EQ("and so it is marked", d.fields != 0, c->what != NULL);
	}
	rl_drill_script_free(&script);
}

static void compare_all(const struct pair *rows, size_t n, bool v6, int64_t tick)
{
	struct drill_run r = { .cfg.seed = 1 };

	rl_drill_config_init(&r.cfg);
	r.cfg.ts_tick_us = tick;
	if (rl_drill_flow_open(&r))
		abort();
	for (size_t i = 0; i < n; i++)
		compare(&rows[i], v6, &r);
	rl_drill_flow_close(&r);
}

#define TCP	". 1:11(10) ack 1 win 9"
#define OUTER	"> ipv4 1.2.3.4 > 5.6.7.8: "
#define GRE(flags, sum, off, key, seq) \
	OUTER "gre flags " flags ", sum " sum ", off " off ", key " key ", seq " seq ": udp (3)"

TEST(headers)
{
	static const struct pair rows[] = {
		{ "> " TCP, "> " TCP, NULL, 0, 0 },
		{ "> " TCP, "> " TCP, "wrong IPv4 header checksum", 5, 9 },
		{ "> " TCP, "> " TCP, "wrong IPv4 header checksum", 6, 0x20 },
		{ "> " TCP, "> udp (10)", "protocol: expected 6, got 17", 0, 0 },
		{ "> udp (10)", "> icmp echo_reply [raw (10)]",
		  "protocol: expected 17, got 1", 0, 0 },
		{ "> " TCP, "> " TCP, "payload: expected zeros, got others", 42, 1 },
		{ "> " TCP, "> " TCP, "reserved bits: expected 0, got 4", 32, 0x58 },
		{ "> " TCP, "> " TCP, "wrong checksum behind the IP header", 36, 0 },
		{ "> . ...(10) ack 1 win 9", "> " TCP, "wrong checksum behind the IP header",
		  27, 77 },
		{ "> udp (10)", "> udp (10)", "wrong checksum behind the IP header", 26, 0 },
		{ "> icmp echo_reply [raw (9)]", "> icmp echo_reply [raw (9)]",
		  "wrong checksum behind the IP header", 22, 0 },
		{ "> udp (10)", "> udp (10)", "UDP payload length: expected 10, got 9", 25, 17 },
		{ "> udp (9)", "> udp (10)", "IP total length: expected 37, got 38", 25, 17 },
		{ "> icmp echo_reply [raw (9)]", "> icmp echo_reply [raw (10)]",
		  "ICMP payload length: expected 9, got 10", 0, 0 },
		{ "> icmp echo_reply [1:1(0)]", "> icmp echo_reply [raw (10)]", NULL, 0, 0 },
		{ "> [ect0] " TCP, "> [ect0] " TCP, NULL, 0, 0 },
		{ "> [noecn] " TCP, "> [ce] " TCP, "ECN bits: expected noecn, got ce", 0, 0 },
		{ "> " TCP, "> [ce] " TCP, NULL, 0, 0 },
		{ "> [ect01] " TCP, "> [ect0] " TCP, NULL, 0, 0 },
		{ "> [ect01] " TCP, "> [ect1] " TCP, NULL, 0, 0 },
		{ "> [ect01] " TCP, "> [ce] " TCP,
		  "ECN bits: expected ect0 or ect1, got ce", 0, 0 },
		{ "> [tos 0xb9] " TCP, "> [tos 0xb9] " TCP, NULL, 0, 0 },
		{ "> [tos 0xb9] " TCP, "> [tos 0xb8] " TCP, "ToS: expected 0xb9, got 0xb8", 0, 0 },
		{ "> [ttl 3] " TCP, "> [ttl 3] " TCP, NULL, 0, 0 },
		{ "> [ttl 3] " TCP, "> [ttl 4] " TCP, "TTL: expected 3, got 4", 0, 0 },
	};
	static const struct pair v6[] = {
		{ "> [tos 0x04] " TCP, "> [tos 0x08] " TCP,
		  "traffic class: expected 0x04, got 0x08", 0, 0 },
		{ "> [ttl 3] " TCP, "> [ttl 4] " TCP, "hop limit: expected 3, got 4", 0, 0 },
		{ "> " TCP, "> " TCP, "wrong checksum behind the IP header", 56, 0 },
		{ "> icmp echo_reply [raw (9)]", "> icmp echo_reply [raw (9)]",
		  "wrong checksum behind the IP header", 42, 0 },
		{ "> " TCP, "> " TCP, "it is a fragment", 6, 44 },
	};

	compare_all(rows, ARRAY_LEN(rows), false, 0);
	compare_all(v6, ARRAY_LEN(v6), true, 0);
}

/* Rill sends none on TCP segments. */
TEST(ip_options)
{
	static uint8_t buf[DRILL_PACKET_MAX];
	static struct drill_seen s;
	struct drill_run r = { .cfg.seed = 1 };
	struct drill_script script = { 0 };
	const struct drill_packet *p = line(&script, "> udp (10)", false);
	size_t n = build("> udp (10)", false, buf);
	struct drill_diff d;
	char why[120];

	memmove(buf + 24, buf + 20, n - 20);
	memset(buf + 20, 1, 4);
	buf[0] = 0x46;
	put16(buf + 2, (uint16_t)(n + 4));
	rl_ipv4_cksum_set(buf, 24);
	rl_drill_config_init(&r.cfg);
	REQUIRE("a flow", !rl_drill_flow_open(&r));
	CHECK_EQ("well-formed", rl_drill_seen_parse(&s, buf, n + 4, why, sizeof(why)), 0);
	rl_drill_compare(&r, p, &s, false, &d);
	CHECK_STR("but longer", d.what, "IP header length: expected 20, got 24");
	rl_drill_flow_close(&r);
	rl_drill_script_free(&script);
}

/* In IPv4 a datagram may do without; in IPv6 it may not. */
TEST(no_checksum)
{
	static uint8_t buf[DRILL_PACKET_MAX];
	static struct drill_seen s;
	char why[120];

	for (int v6 = 0; v6 < 2; v6++) {
		size_t n = build("> udp (10)", v6, buf);

		put16(buf + (v6 ? 46 : 26), 0);
		CHECK_EQ("well-formed", rl_drill_seen_parse(&s, buf, n, why, sizeof(why)), 0);
		CHECK_EQ(v6 ? "IPv6" : "IPv4", s.sum_bad, v6);
	}
}

/* One name, one label; another name, another label (5.2). */
TEST(flow_labels)
{
	static const struct pair rows[] = {
		{ "> [flowlabel 0x1] " TCP, "> " TCP, "flow label: expected one, got 0", 0, 0 },
	};
	static const struct pair more[] = {
		{ "> [flowlabel 0x1] " TCP, "> [flowlabel 0xabc] " TCP, NULL, 0, 0 },
		{ "> [flowlabel 0x1] " TCP, "> [flowlabel 0xabc] " TCP, NULL, 0, 0 },
		{ "> [flowlabel 0x2] " TCP, "> [flowlabel 0xabc] " TCP,
		  "flow label: expected another than 0xabc", 0, 0 },
		{ "> [flowlabel 0x2] " TCP, "> [flowlabel 0xabd] " TCP,
		  "flow label: expected that of before, 0xabc, got 0xabd", 0, 0 },
		{ "> [flowlabel 0x3] " TCP, "> [flowlabel 0xabe] " TCP, NULL, 0, 0 },
	};

	compare_all(rows, ARRAY_LEN(rows), true, 0);
	compare_all(more, ARRAY_LEN(more), true, 0);
}

TEST(encapsulations)
{
	static const struct pair rows[] = {
		{ OUTER TCP, OUTER TCP, NULL, 0, 0 },
		{ OUTER TCP, "> " TCP, "header layers: expected 2, got 1", 0, 0 },
		{ OUTER TCP, "> ipv6 1::2 > 3::4: " TCP,
		  "header 1: expected IPv4, got IPv6", 0, 0 },
		{ OUTER TCP, "> ipv4 9.9.9.9 > 5.6.7.8: " TCP, NULL, 0, 0 },
		{ "> ipv4 [ttl 3] 1.2.3.4 > 5.6.7.8: " TCP, OUTER TCP,
		  "TTL: expected 3, got 255", 0, 0 },
		{ GRE("0xb000", "1", "2", "3", "4"), GRE("0xb000", "1", "2", "3", "4"),
		  NULL, 0, 0 },
		{ GRE("0xb000", "1", "2", "3", "4"), GRE("0xb000", "9", "2", "3", "4"),
		  "GRE checksum: expected 1, got 9", 0, 0 },
		{ GRE("0xb000", "1", "2", "3", "4"), GRE("0xb000", "1", "9", "3", "4"),
		  "GRE offset: expected 2, got 9", 0, 0 },
		{ GRE("0xb000", "1", "2", "3", "4"), GRE("0xb000", "1", "2", "9", "4"),
		  "GRE key: expected 3, got 9", 0, 0 },
		{ GRE("0xb000", "1", "2", "3", "4"), GRE("0xb000", "1", "2", "3", "9"),
		  "GRE sequence number: expected 4, got 9", 0, 0 },
		{ GRE("0xb000", "1", "2", "3", "4"), GRE("0x3000", "1", "2", "3", "4"),
		  "GRE header length: expected 16, got 12", 0, 0 },
		{ GRE("0x2000", "0", "0", "3", "0"), GRE("0x2001", "0", "0", "3", "0"),
		  "GRE flags: expected 8192, got 8193", 0, 0 },
		{ GRE("0x2000", "0", "7", "3", "0"), GRE("0x2000", "1", "0", "3", "9"),
		  NULL, 0, 0 },
		{ OUTER "mpls (label 5, tc 1, [S], ttl 9): udp (3)",
		  OUTER "mpls (label 5, tc 1, [S], ttl 9): udp (3)", NULL, 0, 0 },
		{ OUTER "mpls (label 5, tc 1, [S], ttl 9): udp (3)",
		  OUTER "mpls (label 6, tc 1, [S], ttl 9): udp (3)",
		  "MPLS label: expected 5, got 6", 0, 0 },
		{ OUTER "mpls (label 5, tc 1, [S], ttl 9): udp (3)",
		  OUTER "mpls (label 5, tc 2, [S], ttl 9): udp (3)",
		  "MPLS traffic class: expected 1, got 2", 0, 0 },
		{ OUTER "mpls (label 5, tc 1, [S], ttl 9): udp (3)",
		  OUTER "mpls (label 5, tc 1, [S], ttl 8): udp (3)",
		  "MPLS TTL: expected 9, got 8", 0, 0 },
		{ OUTER "mpls (label 5, tc 1, [S], ttl 9): udp (3)",
		  OUTER "mpls (label 5, tc 1, ttl 9) (label 5, tc 1, [S], ttl 9): udp (3)",
		  "MPLS labels: expected 1, got 2", 0, 0 },
	};

	compare_all(rows, ARRAY_LEN(rows), false, 0);
}

TEST(tcp_fields)
{
	static const struct pair rows[] = {
		{ "> . 1:11(10) ack 1", "> " TCP, NULL, 0, 0 },
		{ "> . ...(10) ack 1", "> " TCP, NULL, 0, 0 },
		{ "> . 2:12(10) ack 1", "> " TCP, "sequence number: expected 2, got 1", 0, 0 },
		{ "> . 1:11(10) ack 2", "> " TCP,
		  "acknowledgment number: expected 2, got 1", 0, 0 },
		{ "> . 1:11(10) ack 1 win 8", "> " TCP, "window: expected 8, got 9", 0, 0 },
		{ "> . 1:11(10) ack 1 urg 1", "> " TCP, "urgent pointer: expected 1, got 0", 0, 0 },
		{ "> R 1:1(0) win 0", "> R 1:1(0) ack 5 win 0",
		  "acknowledgment number: expected 0, got 5", 0, 0 },
		{ "> F. 1:11(10) ack 1", "> " TCP, "FIN flag: expected set, got clear", 0, 0 },
		{ "> S. 1:11(10) ack 1", "> " TCP, "SYN flag: expected set, got clear", 0, 0 },
		{ "> R. 1:11(10) ack 1", "> " TCP, "RST flag: expected set, got clear", 0, 0 },
		{ "> P. 1:11(10) ack 1", "> " TCP, "PSH flag: expected set, got clear", 0, 0 },
		{ "> U. 1:11(10) ack 1", "> " TCP, "URG flag: expected set, got clear", 0, 0 },
		{ "> - 1:11(10) ack 1", "> " TCP, "ACK flag: expected clear, got set", 0, 0 },
		{ "> E. 1:11(10) ack 1", "> " TCP, "ECE flag: expected set, got clear", 0, 0 },
		{ "> W. 1:11(10) ack 1", "> " TCP, "CWR flag: expected set, got clear", 0, 0 },
		{ "> A. 1:11(10) ack 1", "> " TCP, "AE flag: expected set, got clear", 0, 0 },
		{ "> .5 1:11(10) ack 1", "> EA. 1:11(10) ack 1 win 9", NULL, 0, 0 },
		{ "> .5 1:11(10) ack 1", "> EW. 1:11(10) ack 1 win 9",
		  "ACE: expected 5, got 3", 0, 0 },
		{ "> EW. 1:11(10) ack 1", "> .3 1:11(10) ack 1 win 9", NULL, 0, 0 },
	};

	compare_all(rows, ARRAY_LEN(rows), false, 0);
}

#define WITH(opts)	"> . 1:1(0) ack 1 win 9 " opts

TEST(tcp_options)
{
	static const struct pair rows[] = {
		{ WITH("<nop,nop,sack 1:2>"), WITH("<nop,nop,sack 1:2>"), NULL, 0, 0 },
		{ WITH("<nop,nop,sack 1:2>"), WITH("<nop,nop,sack 1:3>"),
		  "option 3: expected sack 1:2, got sack 1:3", 0, 0 },
		{ WITH("<nop,nop,sackOK>"), WITH("<nop,sackOK,nop>"),
		  "option 2: expected nop, got sackOK", 0, 0 },
		{ WITH("<mss 5>"), WITH("<nop,nop,sackOK>"),
		  "option 1: expected mss 5, got nop", 0, 0 },
		{ WITH("<eol,eol,eol,eol>"), WITH("<nop,nop,nop,nop>"),
		  "option 1: expected eol, got nop", 0, 0 },
		{ WITH("<FO 0102,nop,nop,nop,nop>"), WITH("<FO 0103,nop,nop,nop,nop>"),
		  "option 1: expected FO 0102, got FO 0103", 0, 0 },
		{ WITH(""), WITH("<mss 5>"), "data offset: expected 20 bytes, got 24", 0, 0 },
		{ WITH("<...>"), WITH("<mss 5>"), NULL, 0, 0 },
		{ WITH("<...>"), WITH(""), NULL, 0, 0 },
		{ WITH("<...>"), WITH("<mss 5>"), "option 1: unknown kind 99", 40, 99 },
		{ WITH("<...>"), WITH("<mss 5>"), "malformed options", 41, 5 },
		{ WITH("<...>"), WITH("<mss 5>"), "malformed options", 41, 1 },
		{ WITH("<0204000a>"), WITH("<mss 10>"), NULL, 0, 0 },
		{ WITH("<0204000a>"), WITH("<mss 11>"),
		  "option 1: expected mss 10, got mss 11", 0, 0 },
		{ WITH("<TS val 100 ecr 5,nop,nop>"), WITH("<TS val 9 ecr 6,nop,nop>"),
		  NULL, 0, 0 },
		{ WITH("<TS val 100 ecr 5!,nop,nop>"), WITH("<TS val 9 ecr 6,nop,nop>"),
		  "option 1: expected TS val 100 ecr 5, got TS val 9 ecr 6", 0, 0 },
	};
	static const struct pair ticks[] = {	/* 1 ms each, 4 are tolerated */
		{ WITH("<TS val 100 ecr 5,nop,nop>"), WITH("<TS val 104 ecr 6,nop,nop>"),
		  NULL, 0, 0 },
		{ WITH("<TS val 100 ecr 5,nop,nop>"), WITH("<TS val 96 ecr 6,nop,nop>"),
		  NULL, 0, 0 },
		{ WITH("<TS val 100 ecr 5,nop,nop>"), WITH("<TS val 105 ecr 5,nop,nop>"),
		  "option 1: expected TS val 100 ecr 5, got TS val 105 ecr 5", 0, 0 },
		{ WITH("<TS val ... ecr 5,nop,nop>"), WITH("<TS val 105 ecr 5,nop,nop>"),
		  NULL, 0, 0 },
	};

	compare_all(rows, ARRAY_LEN(rows), false, 0);
	compare_all(ticks, ARRAY_LEN(ticks), false, 1000);
}

/* ---- the message ---- */

static void show(const char *want, const char *got, bool v6, char *text, size_t size)
{
	static uint8_t buf[DRILL_PACKET_MAX];
	static struct drill_seen s;
	char a[DRILL_TEXT_MAX], b[DRILL_TEXT_MAX], am[DRILL_TEXT_MAX], bm[DRILL_TEXT_MAX];
	struct drill_script script = { 0 };
	struct drill_run r = { .cfg.seed = 1 };
	size_t n = build(got, v6, buf);
	const struct drill_packet *p = line(&script, want, v6);
	struct drill_diff d;

	rl_drill_config_init(&r.cfg);
	if (rl_drill_flow_open(&r) || rl_drill_seen_parse(&s, buf, n, text, size))
		abort();
	rl_drill_compare(&r, p, &s, false, &d);
	rl_drill_text_tcpdump(a, am, sizeof(a), p, p, &d);
	rl_drill_text_tcpdump(b, bm, sizeof(b), &s.p, p, &d);
	snprintf(text, size, "%s|%s\n%s|%s", a, am, b, bm);
	rl_drill_flow_close(&r);
	rl_drill_script_free(&script);
}

TEST(side_by_side)
{
	static const struct {
		const char *want, *got, *text;
		bool v6;
	} rows[] = {
		{ "> . 1:1(0) ack 1", "> . 1:1(0) ack 1 win 9",
		  "Flags [.], ack 1, win ..., length 0|\n"
		  "Flags [.], ack 1, win 9, length 0|", 0 },
		{ "> . 2:2(0) ack 1 win 9", "> . 1:1(0) ack 1 win 9",
		  "Flags [.], seq 2, ack 1, win 9, length 0|           ^^^^^\n"
		  "Flags [.], seq 1, ack 1, win 9, length 0|           ^^^^^", 0 },
		{ "> . ...(7) ack 1 win 9 <...>", "> . 1:7(6) ack 1 win 9",
		  "Flags [.], seq ..., ack 1, win 9, options [...], length 7"
		  "|                                                 ^^^^^^^^\n"
		  "Flags [.], seq 1:7, ack 1, win 9, length 6"
		  "|                                  ^^^^^^^^", 0 },
		{ "> R 1:1(0) win 9", "> FSRPUEWA. 1:1(0) ack 5 win 9",
		  "Flags [R], seq 1, ack 0, win 9, length 0|^^^^^^^^^         ^^^^^\n"
		  "Flags [FSRP.UEWe], seq 1, ack 5, win 9, urg 0, length 0"
		  "|^^^^^^^^^^^^^^^^^         ^^^^^", 0 },
		{ "> .6 1:1(0) ack 1 win 9", "> . 1:1(0) ack 1 win 9",
		  "Flags [.We], ack 1, win 9, length 0|^^^^^^^^^^^\n"
		  "Flags [.], ack 1, win 9, length 0|^^^^^^^^^", 0 },
		{ "> - 1:1(0) win 9", "> - 1:1(0) win 8",
		  "Flags [none], win 9, length 0|              ^^^^^\n"
		  "Flags [none], win 8, length 0|              ^^^^^", 0 },
		{ "> . 1:1(0) ack 1 win 9 urg 4", "> . 1:1(0) ack 1 win 9",
		  "Flags [.], ack 1, win 9, urg 4, length 0|                         ^^^^^\n"
		  "Flags [.], ack 1, win 9, urg 0, length 0|                         ^^^^^", 0 },
		{ "> . 1:1(0) ack 1 win 9 <nop,nop,TS val ... ecr 4!>",
		  "> . 1:1(0) ack 1 win 9 <nop,nop,TS val 7 ecr 3>",
		  "Flags [.], ack 1, win 9, options [nop,nop,TS val ... ecr 4!], length 0"
		  "|                                          ^^^^^^^^^^^^^^^^^\n"
		  "Flags [.], ack 1, win 9, options [nop,nop,TS val 7 ecr 3], length 0"
		  "|                                          ^^^^^^^^^^^^^^", 0 },
		{ "> . 1:1(0) ack 1 win 9", "> . 1:1(0) ack 1 win 9 <mss 7>",
		  "Flags [.], ack 1, win 9, options [], length 0"
		  "|                         ^^^^^^^^^^\n"
		  "Flags [.], ack 1, win 9, options [mss 7], length 0"
		  "|                         ^^^^^^^^^^^^^^^", 0 },
		{ "> [ect0] . 1:1(0) ack 1 win 9", "> [ce] . 1:1(0) ack 1 win 9",
		  "(tos ...,ECT(0)) Flags [.], ack 1, win 9, length 0|^^^^^^^^^^^^^^^^\n"
		  "(tos 0x03,CE) Flags [.], ack 1, win 9, length 0|^^^^^^^^^^^^^", 0 },
		{ "> [tos 0x12] . 1:1(0) ack 1 win 9", "> . 1:1(0) ack 1 win 9",
		  "(tos 0x12,ECT(0)) Flags [.], ack 1, win 9, length 0|^^^^^^^^^^^^^^^^^\n"
		  "(tos 0x00) Flags [.], ack 1, win 9, length 0|^^^^^^^^^^", 0 },
		{ "> [ttl 7] udp (3)", "> [ttl 8] udp (3)",
		  "(ttl 7) UDP, length 3|^^^^^^^\n" "(ttl 8) UDP, length 3|^^^^^^^", 0 },
		{ "> [flowlabel 0x12] udp (3)", "> udp (3)",
		  "(flowlabel 0x000012) UDP, length 3|^^^^^^^^^^^^^^^^^^^^\n"
		  "(flowlabel 0x000000) UDP, length 3|^^^^^^^^^^^^^^^^^^^^", 1 },
		{ "> [ttl 7] udp (4)", "> [ttl 7] udp (3)",
		  "(hlim 7) UDP, length 4|              ^^^^^^^^\n"
		  "(hlim 7) UDP, length 3|              ^^^^^^^^", 1 },
		{ "> icmp unreachable frag_needed mtu 1400", "> icmp echo_reply [raw (8)]",
		  "ICMP unreachable frag_needed mtu 1400|^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^\n"
		  "ICMP echo_reply, length 16|^^^^^^^^^^^^^^^", 0 },
		{ "> icmp echo_reply id 5 [raw (7)]", "> icmp echo_reply [raw (8)]",
		  "ICMP6, echo_reply id 5, length 15|                        ^^^^^^^^^\n"
		  "ICMP6, echo_reply, length 16|                   ^^^^^^^^^", 1 },
		{ "> udp (3)", "> icmp type_200 code_7 [raw (8)]",
		  "UDP, length 3|^^^\n" "ICMP type_200 code_7, length 16|^^^^^^^^^^^^^^^^^^^^", 0 },
		{ "> ipv4 1.2.3.4 > 5.6.7.8: udp (3)", "> udp (3)",
		  "ipv4 1.2.3.4 > 5.6.7.8: IP UDP, length 3|^^^^^^^^^^^^^^^^^^^^^^^^^^\n"
		  "IP UDP, length 3|^^", 0 },
		{ "> ipv6 [ect0] 1::2 > 3::4: udp (4)", "> ipv6 [ect0] 1::2 > 3::4: udp (3)",
		  "ipv6 [ect0] 1::2 > 3::4: UDP, length 4"
		  "|                              ^^^^^^^^\n"
		  "ipv6 [ect0] 1::2 > 3::4: UDP, length 3"
		  "|                              ^^^^^^^^", 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char text[4 * DRILL_TEXT_MAX];

		show(rows[i].want, rows[i].got, rows[i].v6, text, sizeof(text));
		CHECK_STR(rows[i].want, text, rows[i].text);
	}
}

/* What a script may leave open is shown so when the line is quoted. */
TEST(as_a_script)
{
	static const char *const lines[] = {
		"> . ...(7) ack 1 <...>", "> [ect01] .5 1:2(1) ack 3",
		"> 1 > 2 R 1:1(0)", "> udp 1 > 2 (3)", "> . 1:2(1)! ack 4 urg 5",
		"> . 1:1(0) ack 1 <nop,nop,TS val ... ecr 3!>",
		"< icmp unreachable port_unreachable [1:6(5)]",
		"< icmp unreachable frag_needed mtu 1300 [udp (5)]",
		"< icmp echo_request id 4 [raw (9)]", "< icmp echo_request",
		"> [tos 0x10] . 1:1(0)", "> [ttl 3] . 1:1(0)", "> [ect1,ttl 3] . 1:1(0)",
		"> . 1:1(0) ack 1 <0204000a>",
	};

	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		struct drill_script script = { 0 };
		const struct drill_packet *p = line(&script, lines[i], false);
		char text[DRILL_TEXT_MAX];

		if (p) {
			rl_drill_text_script(text, sizeof(text), p, false);
			CHECK_STR(lines[i], text, lines[i]);
		}
		rl_drill_script_free(&script);
	}
}
