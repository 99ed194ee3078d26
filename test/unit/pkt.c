/* SPDX-License-Identifier: MIT */
/* buf/pkt.c: packets in pieces must read like the flat frame. */
#include <errno.h>

#include "buf_fixture.h"
#include "rl_test.h"
#include "wire/cksum.h"

#define FRAME_MAX	70000

/* A packet of @n bytes in random pieces; the same bytes in @flat. */
static struct rill_pkt *in_pieces(struct buf_fixture *f, uint64_t *rnd, uint8_t *flat,
				  uint32_t n, uint32_t linear)
{
	struct rill_pkt *p = rl_pkt_new(&f->bufs, linear);
	uint32_t at = linear;

	test_fill(rnd, flat, n);
	memcpy(p->data, flat, linear);
	p->len = linear;
	while (at < n && p->nfrags < RL_PKT_FRAGS) {
		uint32_t want = 1 + test_rand(rnd) % 9000, k = RL_MIN(n - at, want);
		uint32_t off = test_rand(rnd) % 9;
		struct rl_block *blk;

		if (p->nfrags == RL_PKT_FRAGS - 1)
			k = n - at;
		blk = rl_block_get(&f->bufs, off + k);
		memcpy(blk->data + off, flat + at, k);
		rl_pkt_add_frag(p, blk, off, k);
		at += k;
	}
	return p;
}

static bool same(const struct rill_pkt *p, const uint8_t *flat, uint32_t n)
{
	static uint8_t got[FRAME_MAX];
	struct rill_iov iov[RL_PKT_FRAGS + 1];
	uint32_t at = 0;
	int pieces = rl_pkt_iov(p, iov);

	if (!CHECK_EQ("length", rl_pkt_len(p), n))
		return false;
	rl_pkt_copy_out(p, 0, got, n);
	for (int i = 0; i < pieces; i++) {
		CHECK("piece", !memcmp(iov[i].base, flat + at, iov[i].len));
		at += (uint32_t)iov[i].len;
	}
	CHECK_EQ("pieces together", at, n);
	return CHECK_MEM("bytes", got, flat, n);
}

TEST(pkt_operations_against_flat)
{
	static uint8_t flat[FRAME_MAX];
	struct buf_fixture f;
	uint64_t rnd = 1;
	bool ok = true;

	buf_fixture_init(&f);
	for (int i = 0; ok && i < 2000; i++) {
		uint32_t n = 1 + test_rand(&rnd) % 60000, front = 0, arg, len, op;
		uint32_t linear = test_rand(&rnd) % (n < 1900 ? n : 1900);
		struct rill_pkt *p = in_pieces(&f, &rnd, flat, n, linear), *q;

		len = n;
		arg = test_rand(&rnd) % (n + 1);
		switch (op = test_rand(&rnd) % 4) {
		case 0:
			rl_pkt_drop_front(&f.bufs, p, arg);
			front = arg;
			len = n - arg;
			break;
		case 1:
			rl_pkt_trim(&f.bufs, p, arg);
			len = arg;
			break;
		case 2:
			CHECK_EQ("pullup", rl_pkt_pullup(&f.bufs, p, arg), 0);
			CHECK("linear", p->len >= arg);
			CHECK_EQ("too far", rl_pkt_pullup(&f.bufs, p, n + 1), -EBADMSG);
			break;
		case 3:
			q = rl_pkt_copy(&f.bufs, p);
			rl_pkt_free(&f.bufs, p);
			p = q;
			CHECK_EQ("one part", p->nfrags, 0);
			break;
		}
		ok = CHECK(rl_label("step %d: operation %u by %u", i, op, arg),
			   same(p, flat + front, len));
		rl_pkt_free(&f.bufs, p);
	}
	CHECK_EQ("all given back", buf_fixture_in_use(&f), 0);
	CHECK_EQ("no leak", buf_fixture_destroy(&f), 0);
}

TEST(pkt_sum_over_pieces)
{
	static uint8_t flat[FRAME_MAX];
	struct buf_fixture f;
	uint64_t rnd = 2;

	buf_fixture_init(&f);
	for (int i = 0; i < 500; i++) {
		uint32_t n = 40 + test_rand(&rnd) % 60000;
		uint32_t off = test_rand(&rnd) % n, k = test_rand(&rnd) % (n - off + 1);
		struct rill_pkt *p = in_pieces(&f, &rnd, flat, n, 40);
		uint64_t sum;

		CHECK_EQ(rl_label("%u bytes from %u of %u", k, off, n),
			 rl_sum_fold(rl_pkt_sum(p, off, k)),
			 rl_sum_fold(rl_sum(flat + off, k, 0)));
		p->csum_start = 20;
		p->csum_off = 6;
		p->flags = RL_PKT_CSUM_PARTIAL;
		rl_pkt_finish_csum(p);
		CHECK_EQ("finished", p->flags, 0);
		/* with what stood in the field before, which was part of the sum */
		sum = rl_sum_fold(rl_pkt_sum(p, 20, n - 20));
		sum += rl_sum_fold(rl_sum(flat + 26, 2, 0));
		CHECK_EQ("verifies", rl_sum_finish(sum), 0);
		rl_pkt_free(&f.bufs, p);
	}
	CHECK_EQ("no leak", buf_fixture_destroy(&f), 0);
}

/* [RFC768]: a sum of zero is sent as ones. */
TEST(pkt_udp_sum_is_never_zero)
{
	struct buf_fixture f;
	struct rill_pkt *p;

	buf_fixture_init(&f);
	p = rl_pkt_new(&f.bufs, 8);
	p->len = 8;
	memset(p->data, 0, 8);
	p->data[0] = p->data[1] = 0xff;
	p->csum_off = 6;
	p->flags = RL_PKT_CSUM_PARTIAL;
	rl_pkt_finish_csum(p);
	CHECK_EQ("ones", get16(p->data + 6), 0xffff);
	rl_pkt_free(&f.bufs, p);
	CHECK_EQ("no leak", buf_fixture_destroy(&f), 0);
}

TEST(pkt_receive_sizes)
{
	static const uint32_t sizes[] = { 0, 1, 60, 1514, 1968, 1969, 9014, 65549 };
	struct buf_fixture f;

	buf_fixture_init(&f);
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct rill_pkt *p = rl_pkt_new_rx(&f.bufs, 65553);
		struct rill_iov iov[2];

		CHECK_EQ("two parts", rl_pkt_rx_iov(p, iov), 2);
		CHECK("room", iov[0].len + iov[1].len >= 65553);
		rl_pkt_rx_done(&f.bufs, p, sizes[i]);
		CHECK_EQ("length", rl_pkt_len(p), sizes[i]);
		CHECK_EQ("large block only for large frames",
			 f.bufs.blocks_in_use[RL_BLK_64K], sizes[i] > 1968);
		rl_pkt_free(&f.bufs, p);
	}
	CHECK_EQ("all given back", buf_fixture_in_use(&f), 0);
	CHECK_EQ("no leak", buf_fixture_destroy(&f), 0);
}

/* The header in front of data survives a move of the linear part. */
TEST(pkt_pullup_keeps_what_was_pulled)
{
	static uint8_t flat[FRAME_MAX];
	struct buf_fixture f;
	uint64_t rnd = 3;
	struct rill_pkt *p;
	uint8_t *base;

	buf_fixture_init(&f);
	p = in_pieces(&f, &rnd, flat, 3000, 60);
	base = p->inl;
	p->l3_off = (uint16_t)(p->data - base);
	rl_pkt_pull(p, 20);
	CHECK_EQ("pullup", rl_pkt_pullup(&f.bufs, p, 2000), 0);
	CHECK("moved", p->blk);
	CHECK_MEM("header", p->blk->data + p->l3_off, flat, 20);
	CHECK_MEM("bytes", p->data, flat + 20, 2000);
	rl_pkt_free(&f.bufs, p);
	CHECK_EQ("no leak", buf_fixture_destroy(&f), 0);
}

TEST(pkt_idle_memory_is_bounded)
{
	enum { N = 1000 };
	static struct rill_pkt *p[N];
	struct buf_fixture f;

	buf_fixture_init(&f);
	for (int i = 0; i < N; i++)
		p[i] = rl_pkt_new_rx(&f.bufs, 65536);
	for (int i = 0; i < N; i++)
		rl_pkt_free(&f.bufs, p[i]);
	CHECK_EQ("all given back", buf_fixture_in_use(&f), 0);
	CHECK("little is kept", f.mem.used < 6 << 20);
	CHECK_EQ("packets kept", f.bufs.free_npkts, 256);
	CHECK_EQ("no leak", buf_fixture_destroy(&f), 0);
}

/* At the cap, idle blocks of one size make room for another. */
TEST(pkt_idle_memory_serves_other_sizes)
{
	struct buf_fixture f;
	struct rl_block *b[100];
	int n = 0;

	buf_fixture_init(&f);
	f.mem.max = 300000;
	while (n < 100 && (b[n] = rl_block_get(&f.bufs, 2000)))
		n++;
	CHECK_EQ("small blocks", n, 100);
	while (n)
		rl_block_put(&f.bufs, b[--n]);
	b[0] = rl_block_get(&f.bufs, 65536);
	b[1] = rl_block_get(&f.bufs, 65536);
	CHECK("large blocks", b[0] && b[1]);
	CHECK("none above the largest", !rl_block_get(&f.bufs, 66000));
	if (b[0] && b[1]) {
		rl_block_put(&f.bufs, b[0]);
		rl_block_put(&f.bufs, b[1]);
	}
	CHECK_EQ("no leak", buf_fixture_destroy(&f), 0);
}

/* The N-th allocation fails, for N = 1.. until none does. */
TEST(pkt_without_memory)
{
	int n;

	for (n = 0; n < 50; n++) {
		struct buf_fixture f;
		struct rill_pkt *p, *q = NULL;

		buf_fixture_init(&f);
		f.mem.max = 1500 * (uint64_t)n * (uint64_t)n;
		p = rl_pkt_new_rx(&f.bufs, 65536);
		if (p) {
			rl_pkt_rx_done(&f.bufs, p, 30000);
			q = rl_pkt_copy(&f.bufs, p);
			if (!q)
				CHECK("pullup", rl_pkt_pullup(&f.bufs, p, 3000) <= 0);
			rl_pkt_free(&f.bufs, p);
		}
		if (q)
			rl_pkt_free(&f.bufs, q);
		CHECK_EQ("no leak", buf_fixture_destroy(&f), 0);
		if (q)
			break;
	}
	CHECK("it failed before, and not at last", n > 2 && n < 50);
}
