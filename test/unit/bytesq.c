/* SPDX-License-Identifier: MIT */
/* buf/bytesq.c against a flat array. */
#include <errno.h>

#include "buf_fixture.h"
#include "rl_test.h"

#define MODEL_MAX	300000
#define INFLIGHT	8

/* A queue, what it should hold, and packets that still refer to its bytes. */
struct model {
	struct buf_fixture	f;
	struct rl_bytesq	q;
	uint8_t			*bytes;
	uint32_t		len;
	uint64_t		rnd;
	struct rill_pkt		*pkt[INFLIGHT];
	uint8_t			*want[INFLIGHT];
};

static uint32_t below(struct model *m, uint32_t n)
{
	return test_rand(&m->rnd) % n;
}

static void model_write(struct model *m)
{
	uint32_t n = below(m, below(m, 4) ? 300 : 70000);

	n = RL_MIN(n, MODEL_MAX - m->len);
	test_fill(&m->rnd, m->bytes + m->len, n);
	CHECK_EQ("written", rl_bytesq_write(&m->f.bytes, &m->q, m->bytes + m->len, n), n);
	m->len += n;
}

/* A received frame: some bytes of it become part of the queue. */
static void model_add_pkt(struct model *m)
{
	uint32_t n = 1 + below(m, below(m, 2) ? 1600 : 65000), off = below(m, n);
	struct rill_pkt *p = rl_pkt_new_rx(&m->f.bufs, 65536);
	struct rill_iov iov[2];
	uint8_t *bytes = malloc(n);
	uint32_t keep = 1 + below(m, n - off), lin;

	keep = RL_MIN(keep, MODEL_MAX - m->len);
	test_fill(&m->rnd, bytes, n);
	CHECK_EQ("iov", rl_pkt_rx_iov(p, iov), 2);
	lin = RL_MIN(n, (uint32_t)iov[0].len);
	memcpy(iov[0].base, bytes, lin);
	memcpy(iov[1].base, bytes + lin, n - lin);
	rl_pkt_rx_done(&m->f.bufs, p, n);
	CHECK_EQ("frame", rl_pkt_len(p), n);
	if (keep) {
		CHECK_EQ("add", rl_bytesq_add_pkt(&m->f.bytes, &m->q, p, off, keep), 0);
		memcpy(m->bytes + m->len, bytes + off, keep);
		m->len += keep;
	}
	rl_pkt_free(&m->f.bufs, p);
	free(bytes);
}

static void model_drop_front(struct model *m)
{
	uint32_t n = below(m, m->len + 1);

	rl_bytesq_drop_front(&m->f.bytes, &m->q, n);
	memmove(m->bytes, m->bytes + n, m->len - n);
	m->len -= n;
}

static void model_drop_tail(struct model *m)
{
	uint32_t n = below(m, RL_MIN(m->len, 5000u) + 1);

	rl_bytesq_drop_tail(&m->f.bytes, &m->q, n);
	m->len -= n;
}

/* Send a part, and look at what was sent some time ago: it must not change. */
static void model_send(struct model *m)
{
	uint32_t slot = below(m, INFLIGHT), off, n;
	struct rill_pkt *p = m->pkt[slot];

	if (p) {
		uint32_t len = rl_pkt_len(p);
		uint8_t *got = malloc(len + 1);

		rl_pkt_copy_out(p, 0, got, len);
		CHECK_MEM("packet under way", got, m->want[slot], len);
		free(got);
		free(m->want[slot]);
		rl_pkt_free(&m->f.bufs, p);
		m->pkt[slot] = NULL;
	}
	if (!m->len)
		return;
	off = below(m, m->len);
	n = 1 + below(m, m->len - off);
	p = m->pkt[slot] = rl_pkt_new(&m->f.bufs, 20);
	n = rl_bytesq_to_pkt(&m->q, off, n, p);
	CHECK("some", n > 0);
	CHECK_EQ("bytes in packet", rl_pkt_len(p), n);
	m->want[slot] = malloc(n);
	memcpy(m->want[slot], m->bytes + off, n);
}

static void model_splice(struct model *m)
{
	struct rl_bytesq other = { 0 };
	uint32_t n = below(m, 3000);

	n = RL_MIN(n, MODEL_MAX - m->len);
	test_fill(&m->rnd, m->bytes + m->len, n);
	rl_bytesq_write(&m->f.bytes, &other, m->bytes + m->len, n);
	rl_bytesq_splice(&m->q, &other);
	CHECK_EQ("other is empty", other.len, 0);
	m->len += n;
}

static bool model_compare(struct model *m)
{
	uint32_t off = m->len ? below(m, m->len) : 0;
	uint8_t *got = malloc(m->len + 1);
	bool ok;

	rl_bytesq_peek(&m->q, off, got, m->len - off);
	ok = CHECK_EQ("length", m->q.len, m->len) &&
	     CHECK_MEM("bytes", got, m->bytes + off, m->len - off);
	free(got);
	return ok;
}

static void (*const model_steps[])(struct model *) = {
	model_write, model_write, model_write, model_add_pkt, model_add_pkt,
	model_drop_front, model_drop_tail, model_send, model_send, model_splice,
};

TEST(bytesq_against_array)
{
	struct model m = { .rnd = 7 };
	bool ok = true;

	buf_fixture_init(&m.f);
	m.bytes = malloc(MODEL_MAX);
	for (int i = 0; ok && i < 3000; i++) {
		model_steps[below(&m, ARRAY_LEN(model_steps))](&m);
		ok = model_compare(&m);
	}
	for (int i = 0; i < INFLIGHT; i++) {
		if (m.pkt[i])
			rl_pkt_free(&m.f.bufs, m.pkt[i]);
		free(m.want[i]);
	}
	rl_bytesq_clear(&m.f.bytes, &m.q);
	CHECK_EQ("all given back", buf_fixture_in_use(&m.f), 0);
	CHECK_EQ("no leak", buf_fixture_destroy(&m.f), 0);
	free(m.bytes);
}

TEST(bytesq_two_queues_one_block)
{
	struct buf_fixture f;
	struct rl_bytesq a = { 0 }, b = { 0 };
	uint8_t got[16];

	buf_fixture_init(&f);
	rl_bytesq_write(&f.bytes, &a, "abc", 3);
	/* b refers to the same block, up to its used end, and appends first */
	rl_bytesq_add(&f.bytes, &b, a.head->blk, 0, 3);
	rl_bytesq_write(&f.bytes, &b, "BBB", 3);
	rl_bytesq_write(&f.bytes, &a, "def", 3);
	rl_bytesq_peek(&a, 0, got, 6);
	CHECK_MEM("a", got, "abcdef", 6);
	rl_bytesq_peek(&b, 0, got, 6);
	CHECK_MEM("b", got, "abcBBB", 6);
	rl_bytesq_clear(&f.bytes, &a);
	rl_bytesq_clear(&f.bytes, &b);
	CHECK_EQ("no leak", buf_fixture_destroy(&f), 0);
}

TEST(bytesq_small_pieces_share_blocks)
{
	struct buf_fixture f;
	struct rl_bytesq q = { 0 };

	buf_fixture_init(&f);
	for (int i = 0; i < 1000; i++)
		rl_bytesq_write(&f.bytes, &q, "0123456789", 10);
	CHECK_EQ("bytes", q.len, 10000);
	CHECK("blocks", f.bufs.blocks_in_use[RL_BLK_2K] <= 5);
	rl_bytesq_clear(&f.bytes, &q);
	for (int i = 0; i < 1000; i++) {
		struct rill_pkt *p = rl_pkt_new_rx(&f.bufs, 65536);

		rl_pkt_rx_done(&f.bufs, p, 64);
		rl_bytesq_add_pkt(&f.bytes, &q, p, 54, 10);
		rl_pkt_free(&f.bufs, p);
	}
	CHECK_EQ("received", q.len, 10000);
	CHECK("received blocks", f.bufs.blocks_in_use[RL_BLK_2K] <= 6);
	CHECK_EQ("large blocks", f.bufs.blocks_in_use[RL_BLK_64K], 0);
	rl_bytesq_clear(&f.bytes, &q);
	CHECK_EQ("no leak", buf_fixture_destroy(&f), 0);
}

TEST(bytesq_large_writes_make_few_pieces)
{
	struct buf_fixture f;
	struct rl_bytesq q = { 0 };
	struct rill_pkt *p;
	static uint8_t big[262144];

	buf_fixture_init(&f);
	p = rl_pkt_new(&f.bufs, 40);
	CHECK_EQ("write", rl_bytesq_write(&f.bytes, &q, big, sizeof(big)), sizeof(big));
	CHECK("blocks", f.bufs.blocks_in_use[RL_BLK_64K] <= 4);
	CHECK_EQ("one packet", rl_bytesq_to_pkt(&q, 60000, 65000, p), 65000);
	CHECK_EQ("pieces", p->nfrags, 2);
	rl_pkt_free(&f.bufs, p);
	rl_bytesq_clear(&f.bytes, &q);
	/* small writes in a row end in large blocks as well */
	for (int i = 0; i < 200; i++)
		rl_bytesq_write(&f.bytes, &q, big, 1000);
	p = rl_pkt_new(&f.bufs, 40);
	CHECK_EQ("one packet of small writes", rl_bytesq_to_pkt(&q, 0, 65000, p), 65000);
	rl_pkt_free(&f.bufs, p);
	rl_bytesq_clear(&f.bytes, &q);
	CHECK_EQ("no leak", buf_fixture_destroy(&f), 0);
}

/* The N-th allocation fails, for N = 1.. until none does. */
TEST(bytesq_without_memory)
{
	static uint8_t big[100000];
	uint32_t got = 0;
	int n;

	for (n = 0; n < 100 && got < 2 * sizeof(big); n++) {
		struct buf_fixture f;
		struct rl_bytesq q = { 0 };
		struct rill_pkt *p;

		buf_fixture_init(&f);
		f.mem.max = 30000 * (uint64_t)n;
		got = rl_bytesq_write(&f.bytes, &q, big, sizeof(big));
		CHECK_EQ("length is what was taken", q.len, got);
		p = rl_pkt_new_rx(&f.bufs, 65536);
		if (p) {
			rl_pkt_rx_done(&f.bufs, p, 60000);
			if (!rl_bytesq_add_pkt(&f.bytes, &q, p, 0, 60000))
				got = q.len + 40000;
			else
				CHECK_EQ("none added", q.len, got);
			rl_pkt_free(&f.bufs, p);
		}
		rl_bytesq_clear(&f.bytes, &q);
		CHECK_EQ("no leak", buf_fixture_destroy(&f), 0);
	}
	CHECK("it failed before, and not at last", n > 2 && n < 100);
}
