/* SPDX-License-Identifier: MIT */
/* Tests of look/seg.c [D5] [B4]: where IP begins on each link, and the segment in it. */
#include "rl_test.h"
#include "look/seg.h"

/* 10.0.0.1.1000 > 10.0.0.2.80: ACK, MSS option, three bytes. */
static const uint8_t ip4[] = {
	0x45, 0, 0, 47, 0, 1, 0x40, 0, 61, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2,
	0x03, 0xe8, 0, 80, 0, 0, 0, 5, 0, 0, 0, 9, 0x60, 0x10, 1, 0, 0, 0, 0, 0,
	2, 4, 5, 180, 'a', 'b', 'c',
};

static const struct link_row {
	const char *label;
	int link;
	size_t n;
	uint8_t head[40];
	uint32_t ifindex;
	bool copy;
} link_rows[] = {
	{ "Ethernet", LOOK_ETHER, 14, { [12] = 8 }, 0, false },
	{ "VLAN", LOOK_ETHER, 18, { [12] = 0x81, [15] = 5, [16] = 8 }, 0, false },
	{ "two tags", LOOK_ETHER, 22, { [12] = 0x88, 0xa8, 0, 5, 0x81, 0, 0, 6, 8 }, 0, false },
	{ "cooked", LOOK_SLL, 16, { 0, 0, 0, 1, [14] = 8 }, 0, false },
	{ "cooked, sent", LOOK_SLL, 16, { 0, 4, 0, 1, [14] = 8 }, 0, false },
	{ "cooked, loopback's first copy", LOOK_SLL, 16, { 0, 4, 3, 4, [14] = 8 }, 0, true },
	{ "cooked 2", LOOK_SLL2, 20, { 8, 0, 0, 0, 0, 0, 0, 7, 0, 1, 0 }, 7, false },
	{ "cooked 2, loopback's first copy", LOOK_SLL2, 20, { 8, 0, 0, 0, 0, 0, 0, 1, 3, 4, 4 }, 1,
	  true },
	{ "cooked 2 with a tag", LOOK_SLL2, 24,
	  { 0x81, 0, 0, 0, 0, 0, 0, 7, 0, 1, [20] = 0, 5, 8, 0 }, 7, false },
	{ "raw", LOOK_RAW, 0, { 0 }, 0, false },
	{ "raw in a file", LOOK_RAW_FILE, 0, { 0 }, 0, false },
	{ "IPv4", LOOK_IPV4, 0, { 0 }, 0, false },
	{ "loopback of BSD", LOOK_NULL, 4, { 2 }, 0, false },
	{ "loopback of OpenBSD", LOOK_LOOP, 4, { 0, 0, 0, 2 }, 0, false },
};

static void check_seg(const char *label, const struct look_seg *s)
{
	CHECK_UEQ(label, rl_ip_get4(&s->src), 0x0a000001);
	CHECK_UEQ(label, rl_ip_get4(&s->dst), 0x0a000002);
	CHECK_EQ(label, s->sport, 1000);
	CHECK_EQ(label, s->dport, 80);
	CHECK_UEQ(label, s->seq.v, 5);
	CHECK_UEQ(label, s->ack.v, 9);
	CHECK_EQ(label, s->flags, TH_ACK);
	CHECK_EQ(label, s->win, 256);
	CHECK_EQ(label, s->ttl, 61);
	CHECK_EQ(label, s->opt.mss, 1460);
	CHECK_EQ(label, s->len, 3);
}

TEST(seg_links)
{
	for (size_t i = 0; i < ARRAY_LEN(link_rows); i++) {
		const struct link_row *r = &link_rows[i];
		uint8_t f[128] = { 0 };
		size_t n = r->n + sizeof(ip4);
		struct look_seg s;

		memcpy(f, r->head, r->n);
		memcpy(f + r->n, ip4, sizeof(ip4));
		CHECK(r->label, look_link_known(r->link));
		/* padding behind the packet is no payload */
		if (CHECK_EQ(r->label, look_seg(&s, r->link, f, n + 5, n + 5), LOOK_TCP))
			check_seg(r->label, &s);
		CHECK_UEQ(r->label, s.ifindex, r->ifindex);
		CHECK_EQ(r->label, s.copy, r->copy);
		/* nothing beyond what is captured is read (with sanitizers) */
		for (size_t cut = 0; cut < r->n + 40; cut++)
			CHECK(rl_label("%s cut to %zu", r->label, cut),
			      look_seg(&s, r->link, f, cut, n) != LOOK_TCP);
		CHECK_EQ("the payload may be cut", look_seg(&s, r->link, f, n - 3, n), LOOK_TCP);
		CHECK_EQ("it has its length", s.len, 3);
	}
	CHECK("another link", !look_link_known(147));
}

TEST(seg_ip4)
{
	uint8_t f[256] = { 0 };
	struct look_seg s;

	memcpy(f, ip4, sizeof(ip4));
	f[2] = f[3] = 0;		/* a super-segment beyond 64 KiB */
	CHECK_EQ("no length", look_seg(&s, LOOK_RAW, f, sizeof(ip4), 100044), LOOK_TCP);
	CHECK_EQ("the frame's", s.len, 100000);
	f[3] = 47;
	f[6] = 0x20;
	CHECK_EQ("first fragment", look_seg(&s, LOOK_RAW, f, sizeof(ip4), 47), LOOK_FRAGMENT);
	f[6] = 0;
	f[9] = 17;
	CHECK_EQ("UDP", look_seg(&s, LOOK_RAW, f, sizeof(ip4), 47), LOOK_OTHER);
	f[9] = 6;
	f[32] = 0x40;
	CHECK_EQ("short TCP header", look_seg(&s, LOOK_RAW, f, sizeof(ip4), 47), LOOK_CUT);
	f[32] = 0xf0;
	CHECK_EQ("header beyond the packet", look_seg(&s, LOOK_RAW, f, sizeof(ip4), 47), LOOK_CUT);
	f[32] = 0x60;
	f[0] = 0x44;
	CHECK_EQ("short IP header", look_seg(&s, LOOK_RAW, f, sizeof(ip4), 47), LOOK_CUT);
}

/* fd00::1.1000 > fd00::2.80 behind @next headers. */
static size_t make6(uint8_t *f, uint8_t next, const uint8_t *ext, size_t n)
{
	memset(f, 0, 40);
	f[0] = 0x60;
	f[5] = (uint8_t)(n + 27);
	f[6] = next;
	f[7] = 60;
	f[8] = f[24] = 0xfd;
	f[23] = 1;
	f[39] = 2;
	memcpy(f + 40, ext, n);
	memcpy(f + 40 + n, ip4 + 20, 27);
	return 40 + n + 27;
}

TEST(seg_ip6)
{
	static const uint8_t hbh[16] = { 60, 0, [8] = 6 }, frag[8] = { 6 };
	static const uint8_t later[8] = { 6, 0, 0, 8 };
	uint8_t f[256];
	struct look_seg s;
	size_t n = make6(f, 6, hbh, 0);

	CHECK_EQ("plain", look_seg(&s, LOOK_RAW, f, n, n), LOOK_TCP);
	CHECK_EQ("port", s.sport, 1000);
	CHECK_EQ("payload", s.len, 3);
	CHECK_EQ("hop limit", s.ttl, 60);
	CHECK_EQ("address", s.src.b[15], 1);
	n = make6(f, 0, hbh, sizeof(hbh));
	CHECK_EQ("behind two headers", look_seg(&s, LOOK_RAW, f, n, n), LOOK_TCP);
	CHECK_EQ("payload", s.len, 3);
	n = make6(f, 44, frag, sizeof(frag));
	CHECK_EQ("an atomic fragment", look_seg(&s, LOOK_RAW, f, n, n), LOOK_TCP);
	n = make6(f, 44, later, sizeof(later));
	CHECK_EQ("a later fragment", look_seg(&s, LOOK_RAW, f, n, n), LOOK_FRAGMENT);
	n = make6(f, 6, hbh, 0);
	f[4] = f[5] = 0;
	CHECK_EQ("jumbo", look_seg(&s, LOOK_RAW, f, n, 200064), LOOK_TCP);
	CHECK_EQ("the frame's length", s.len, 200000);
}
