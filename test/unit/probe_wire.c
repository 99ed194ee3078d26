/* SPDX-License-Identifier: MIT */
/*
 * Tests of look/probe_wire.c: probes that differ from each other in nothing that
 * routers choose paths by, and answers that find their probe [B5] [B6].
 */
#include "rl_test.h"
#include "look/probe_wire.h"

static uint8_t one[PROBE_BYTES], two[PROBE_BYTES];

static struct probe_wire wire(enum probe_kind kind, bool v6, bool raw)
{
	struct probe_wire w = { .kind = kind, .v6 = v6, .raw = raw, .id = 0x1234,
				.sport = 40000, .dport = kind == PROBE_UDP ? 33434 : 80,
				.size = 32 };

	if (v6) {
		w.src = (struct rill_ip){ .b = { 0xfd, [15] = 1 } };
		w.dst = (struct rill_ip){ .b = { 0xfd, [15] = 2 } };
	} else {
		w.src = (struct rill_ip){ .b = { [10] = 0xff, [11] = 0xff, 10, 0, 0, 1 } };
		w.dst = (struct rill_ip){ .b = { [10] = 0xff, [11] = 0xff, 10, 0, 0, 2 } };
	}
	return w;
}

static uint16_t at(const uint8_t *p, size_t i)
{
	return (uint16_t)(p[i] << 8 | p[i + 1]);
}

/* One's complement sum of everything, as a receiver has it. */
static uint16_t sum(const uint8_t *p, size_t n, uint32_t s)
{
	for (size_t i = 0; i + 1 < n; i += 2)
		s += at(p, i);
	if (n % 2)
		s += (uint32_t)p[n - 1] << 8;
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return (uint16_t)s;
}

static uint32_t pseudo(const struct probe_wire *w, uint8_t proto, size_t n)
{
	uint32_t s = proto + (uint32_t)n;

	for (size_t i = w->v6 ? 0 : 12; i < 16; i += 2)
		s += (uint32_t)at(w->src.b, i) + at(w->dst.b, i);
	return s;
}

TEST(icmp_probes_share_their_first_bytes)
{
	struct probe_wire w = wire(PROBE_ICMP, false, true);
	size_t n = probe_build(&w, 1, one);

	CHECK_UEQ("length", n, 40);
	CHECK_UEQ("type", one[0], 8);
	CHECK_UEQ("checksum is right", sum(one, n, 0), 0xffff);
	for (unsigned seq = 2; seq < 65536; seq += 997) {
		probe_build(&w, (uint16_t)seq, two);
		CHECK_MEM(rl_label("type, code, checksum, id of %u", seq), two, one, 6);
		CHECK_UEQ(rl_label("number %u", seq), at(two, 6), seq);
	}
}

TEST(udp_probes_differ_in_the_checksum_alone)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct probe_wire w = wire(PROBE_UDP, v6, true);
		size_t n = probe_build(&w, 1, one);

		CHECK_UEQ("length", n, 40);
		CHECK_UEQ("checksum is right", sum(one, n, pseudo(&w, 17, n)), 0xffff);
		probe_build(&w, 2, two);
		CHECK_MEM("ports and length", two, one, 6);
		CHECK("checksum names the probe", memcmp(one + 6, two + 6, 2) != 0);
	}
}

TEST(tcp_probes_differ_in_the_sequence_number)
{
	struct probe_wire w = wire(PROBE_TCP, false, true);
	size_t n = probe_build(&w, 1, one);

	CHECK_UEQ("checksum is right", sum(one, n, pseudo(&w, 6, n)), 0xffff);
	CHECK_UEQ("SYN", one[13], 2);
	probe_build(&w, 2, two);
	CHECK_MEM("ports", two, one, 4);
	CHECK("sequence", memcmp(one + 4, two + 4, 4) != 0);
}

/* A router quotes all of a probe, or the eight bytes that it must. */
TEST(quotes_name_their_probe)
{
	static const enum probe_kind kinds[] = { PROBE_ICMP, PROBE_UDP, PROBE_TCP };

	for (int i = 0; i < 6; i++) {
		struct probe_wire w = wire(kinds[i % 3], i >= 3, true);

		for (unsigned seq = 1; seq < 65535; seq += 1234) {
			struct probe_answer a = { 0 };
			size_t n = probe_build(&w, (uint16_t)seq, one);

			CHECK("whole", probe_read_quote(&w, one, n, &a));
			CHECK("named", a.has_seq);
			CHECK_UEQ("number", a.seq, seq);
			a = (struct probe_answer){ 0 };
			CHECK("8 bytes", probe_read_quote(&w, one, 8, &a));
			CHECK("named", a.has_seq);
			CHECK_UEQ(rl_label("number, kind %d", i), a.seq, seq);
			CHECK("7 bytes are none", !probe_read_quote(&w, one, 7, &a));
		}
	}
}

TEST(quotes_by_sizes)
{
	struct probe_answer a = { 0 };

	for (uint32_t size = PROBE_MIN_SIZE; size < 1500; size += 7) {
		struct probe_wire w = wire(PROBE_UDP, false, true);

		w.size = size;
		probe_build(&w, 4711, one);
		CHECK("8 bytes", probe_read_quote(&w, one, 8, &a));
		CHECK_UEQ(rl_label("payload of %u", size), a.seq, 4711);
	}
}

/* Without a right only the data is ours to read. */
TEST(quotes_of_a_plain_udp_socket)
{
	struct probe_wire w = wire(PROBE_UDP, false, false);
	struct probe_answer a = { 0 };
	size_t n = probe_build(&w, 77, one);

	CHECK_UEQ("data alone", n, 32);
	CHECK("read", probe_read_quote(&w, one, n, &a));
	CHECK("named", a.has_seq);
	CHECK_UEQ("number", a.seq, 77);
	a = (struct probe_answer){ 0 };
	CHECK("nothing quoted", probe_read_quote(&w, one, 0, &a));
	CHECK("not named", !a.has_seq);
}

TEST(foreign_quotes)
{
	struct probe_wire w = wire(PROBE_UDP, false, true), o = w;
	struct probe_answer a;
	size_t n;

	o.sport++;
	n = probe_build(&o, 5, one);
	CHECK("another source port", !probe_read_quote(&w, one, n, &a));
	w = o = wire(PROBE_ICMP, false, true);
	o.id++;
	n = probe_build(&o, 5, one);
	CHECK("another identifier", !probe_read_quote(&w, one, n, &a));
	w = o = wire(PROBE_TCP, false, true);
	probe_build(&o, 5, one);
	one[4] ^= 0x80;
	CHECK("another sequence space", !probe_read_quote(&w, one, 24, &a));
}

static size_t with_ip(const uint8_t *l4, size_t n, uint8_t ttl)
{
	memset(two, 0, 20);
	two[0] = 0x45;
	two[8] = ttl;
	memcpy(two + 20, l4, n);
	return n + 20;
}

TEST(echo_replies)
{
	struct probe_wire w = wire(PROBE_ICMP, false, true);
	struct probe_answer a = { .ttl = -1 };
	size_t n = probe_build(&w, 9, one);

	CHECK("our own request is no reply", !probe_read_reply(&w, two, with_ip(one, n, 64), &a));
	one[0] = 0;
	CHECK("reply", probe_read_reply(&w, two, with_ip(one, n, 61), &a));
	CHECK_UEQ("number", a.seq, 9);
	CHECK_EQ("ttl", a.ttl, 61);
	CHECK_UEQ("bytes", a.bytes, 40);
	CHECK("cut in the header", !probe_read_reply(&w, two, 27, &a));
	two[0] = 0x4f;
	CHECK("header longer than all", !probe_read_reply(&w, two, 40, &a));
	one[5]++;
	CHECK("somebody else's", !probe_read_reply(&w, two, with_ip(one, n, 61), &a));
	w.raw = false;
	CHECK("a ping socket gets its own alone", probe_read_reply(&w, one, n, &a));
}

TEST(tcp_replies)
{
	struct probe_wire w = wire(PROBE_TCP, true, true);
	struct probe_answer a = { 0 };
	uint8_t p[20] = { 0, 80, 40000 >> 8, 40000 & 255 };

	probe_build(&w, 300, one);
	memcpy(p + 8, one + 4, 4);
	p[11]++;				/* acknowledges the SYN */
	p[13] = 0x12;
	CHECK("SYN+ACK", probe_read_reply(&w, p, 20, &a));
	CHECK_UEQ("number", a.seq, 300);
	CHECK("open", a.tcp_open && !a.tcp_closed);
	p[13] = 0x14;
	CHECK("RST+ACK", probe_read_reply(&w, p, 20, &a));
	CHECK("closed", a.tcp_closed && !a.tcp_open);
	p[13] = 0x10;
	CHECK("an ACK alone is another connection's", !probe_read_reply(&w, p, 20, &a));
	p[13] = 0x12;
	p[8] ^= 1;
	CHECK("acknowledges something else", !probe_read_reply(&w, p, 20, &a));
}
