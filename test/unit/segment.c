/* SPDX-License-Identifier: MIT */
/* buf/segment.c: cut super-segments, joined again, are what they were. */
#include "buf_fixture.h"
#include "buf/segment.h"
#include "rl_test.h"
#include "wire/cksum.h"
#include "wire/tcp_hdr.h"

#define SEQ	0xfffff000u	/* wraps under way */
#define ID	0xfff0

struct form {
	const char	*name;
	bool		v4;
	uint32_t	link_len, opt_len, payload, mss;
	uint32_t	linear;		/* bytes of payload behind the header */
	bool		open_sum;
};

static const struct form forms[] = {
	{ "IPv4",			true,  14, 12, 64000, 1448, 0, true },
	{ "IPv6",			false, 14, 12, 64000, 1428, 0, true },
	{ "IPv4 without link header",	true,  0,  0,  5000,  1460, 0, true },
	{ "small segments",		true,  14, 12, 9000,  48,   0, true },
	{ "an exact multiple",		true,  14, 12, 14480, 1448, 0, true },
	{ "payload in the descriptor",	true,  14, 0,  50,    8,    50, true },
	{ "payload in the first block",	false, 14, 12, 30000, 1428, 1500, true },
	{ "nothing to cut",		true,  14, 12, 1448,  1448, 0, true },
	{ "checksum not open",		true,  14, 12, 20000, 1448, 0, false },
};

static uint32_t write_ip(const struct form *w, uint8_t *ip, uint32_t len)
{
	uint16_t sum;

	memset(ip, 0, 40);
	if (!w->v4) {
		ip[0] = 0x60;
		put16(ip + 4, (uint16_t)(len - 40));
		ip[6] = 6;
		ip[7] = 64;
		ip[8] = ip[24] = 0xfd;
		ip[39] = 9;
		return 40;
	}
	ip[0] = 0x45;
	put16(ip + 2, (uint16_t)len);
	put16(ip + 4, ID);
	put16(ip + 6, 0x4000);
	ip[8] = 64;
	ip[9] = 6;
	put32(ip + 12, 0x0a000001);
	put32(ip + 16, 0x0a000002);
	sum = rl_sum_finish(rl_sum(ip, 20, 0));
	memcpy(ip + 10, &sum, 2);
	return 20;
}

static void addresses(const struct form *w, const uint8_t *ip, struct rill_ip *src,
		      struct rill_ip *dst)
{
	*src = rl_ip4(0x0a000001);
	*dst = rl_ip4(0x0a000002);
	if (!w->v4) {
		memcpy(src->b, ip + 8, 16);
		memcpy(dst->b, ip + 24, 16);
	}
}

/* As senders leave it in the checksum field. */
static void write_pseudo(const struct form *w, uint8_t *th, uint32_t len)
{
	struct rill_ip src, dst;
	uint16_t sum;

	addresses(w, th - (w->v4 ? 20 : 40), &src, &dst);
	sum = rl_sum_fold(rl_sum_pseudo(&src, &dst, 6, len));
	memcpy(th + 16, &sum, 2);
}

static struct rill_pkt *super(struct buf_fixture *f, const struct form *w,
			      const uint8_t *payload)
{
	uint32_t ip_len = w->v4 ? 20 : 40, hdr = w->link_len + ip_len + 20 + w->opt_len;
	struct rill_pkt *p = rl_pkt_new(&f->bufs, hdr + w->linear);
	uint8_t *th = p->data + w->link_len + ip_len;
	uint32_t at = w->linear;

	memset(p->data, 0xee, w->link_len);
	write_ip(w, p->data + w->link_len, hdr - w->link_len + w->payload);
	memset(th, 1, 20 + w->opt_len);
	put32(th + 4, SEQ);
	put32(th + 8, 77);
	th[12] = (uint8_t)((20 + w->opt_len) << 2);
	th[13] = TH_ACK | TH_PSH | TH_FIN | TH_CWR | TH_ECE;
	write_pseudo(w, th, 20 + w->opt_len + w->payload);
	memcpy(p->data + hdr, payload, w->linear);
	p->len = hdr + w->linear;
	while (at < w->payload) {
		uint32_t k = RL_MIN(w->payload - at, 7001u);
		struct rl_block *blk = rl_block_get(&f->bufs, k);

		memcpy(blk->data, payload + at, k);
		rl_pkt_add_frag(p, blk, 0, k);
		at += k;
	}
	p->gso = w->v4 ? RL_GSO_TCP4 : RL_GSO_TCP6;
	p->gso_size = w->mss;
	p->csum_start = (uint16_t)(w->link_len + ip_len);
	p->csum_off = 16;
	p->flags = w->open_sum ? RL_PKT_CSUM_PARTIAL : 0;
	return p;
}

/* The transport checksum from nothing, over the flat segment. */
static bool sum_is_right(const struct form *w, const uint8_t *ip, uint32_t len)
{
	uint32_t hdr = w->v4 ? 20 : 40;
	struct rill_ip src, dst;

	addresses(w, ip, &src, &dst);
	return rl_sum_finish(rl_sum(ip + hdr, len - hdr,
				    rl_sum_pseudo(&src, &dst, 6, len - hdr))) == 0;
}

/* Piece number @i, whose payload should be [@off, ...) of @payload.  Return: bytes. */
static uint32_t check_piece(const struct form *w, struct rill_pkt *q, uint32_t i,
			    uint32_t off, const uint8_t *payload)
{
	static uint8_t flat[70000];
	uint32_t ip_len = w->v4 ? 20 : 40, hdr = ip_len + 20 + w->opt_len;
	const uint8_t *ip = flat + w->link_len, *th = ip + ip_len;
	uint32_t len = rl_pkt_len(q) - w->link_len, n = len - hdr;
	bool last = off + n == w->payload;

	CHECK("sum is open", q->flags & RL_PKT_CSUM_PARTIAL);
	CHECK_EQ("no super-segment", q->gso_size, 0);
	rl_pkt_finish_csum(q);
	rl_pkt_copy_out(q, 0, flat, rl_pkt_len(q));
	CHECK("size", n == w->mss || (last && n && n < w->mss));
	CHECK_EQ("seq", get32(th + 4), SEQ + off);
	CHECK_EQ("ack", get32(th + 8), 77);
	CHECK_EQ("flags", th[13], TH_ACK | TH_ECE | (last ? TH_PSH | TH_FIN : 0) |
		 (i ? 0 : TH_CWR));
	CHECK("TCP checksum", sum_is_right(w, ip, len));
	CHECK_MEM("payload", ip + hdr, payload + off, n);
	if (w->v4) {
		CHECK_EQ("total length", get16(ip + 2), len);
		CHECK_EQ("identification", get16(ip + 4), (uint16_t)(ID + i));
		CHECK_EQ("header checksum", rl_sum_finish(rl_sum(ip, 20, 0)), 0);
	} else {
		CHECK_EQ("payload length", get16(ip + 4), len - 40);
	}
	return n;
}

TEST(segment_forms)
{
	static uint8_t payload[65536];
	uint64_t rnd = 5;

	test_fill(&rnd, payload, sizeof(payload));
	for (size_t k = 0; k < ARRAY_LEN(forms); k++) {
		const struct form *w = &forms[k];
		uint32_t off = 0, i = 0;
		struct buf_fixture f;
		struct rill_pkt *q, *orig;

		buf_fixture_init(&f);
		orig = super(&f, w, payload);
		q = rl_segment(&f.bufs, orig, w->link_len);
		if (w->payload <= w->mss)
			CHECK(w->name, q == orig && !q->next);
		while (q) {
			struct rill_pkt *next = q->next;

			off += check_piece(w, q, i++, off, payload);
			rl_pkt_free(&f.bufs, q);
			q = next;
		}
		CHECK_EQ(w->name, off, w->payload);
		CHECK_EQ(w->name, i, (w->payload + w->mss - 1) / w->mss);
		CHECK_EQ("all given back", buf_fixture_in_use(&f), 0);
		CHECK_EQ("no leak", buf_fixture_destroy(&f), 0);
	}
}

TEST(segment_without_memory)
{
	static uint8_t payload[65536];
	const struct form *w = &forms[0];
	struct buf_fixture f;
	struct rill_pkt *p;

	buf_fixture_init(&f);
	p = super(&f, w, payload);
	f.mem.max = f.mem.used + 5000;
	CHECK("fails", !rl_segment(&f.bufs, p, w->link_len));
	CHECK_EQ("all given back", buf_fixture_in_use(&f), 0);
	CHECK_EQ("no leak", buf_fixture_destroy(&f), 0);
}

/* Headers that make no sense are left alone. */
TEST(segment_refuses_nonsense)
{
	static uint8_t payload[65536];
	struct buf_fixture f;
	struct rill_pkt *p;

	buf_fixture_init(&f);
	p = super(&f, &forms[0], payload);
	p->data[14 + 20 + 12] = 0xf0;		/* header longer than what is linear */
	p->len = 14 + 20 + 20;
	CHECK("not cut", rl_segment(&f.bufs, p, 14) == p);
	CHECK_EQ("no super-segment", p->gso_size, 0);
	rl_pkt_free(&f.bufs, p);
	CHECK_EQ("no leak", buf_fixture_destroy(&f), 0);
}
