/* SPDX-License-Identifier: MIT */
/*
 * Two stacks and a wire that loses, duplicates and reorders: every byte arrives once,
 * both ways, and everything goes away in the end [A3] [A23].
 */
#include <errno.h>

#include "tcp_fix.h"
#include "base/rand.h"
#include "base/types.h"

struct wire {
	struct rl_rand	rnd;
	unsigned	loss_ppm, dup_ppm, reorder_ppm;
};

static bool bad_wire(struct duo *d, int from, const uint8_t *pkt, size_t len, uint64_t nth)
{
	struct wire *w = d->ctx;

	(void)nth;
	if (rl_rand_below(&w->rnd, 1000000) < w->dup_ppm)
		duo_inject(d, from, pkt, len, d->delay_ns / 2);
	if (rl_rand_below(&w->rnd, 1000000) < w->reorder_ppm) {
		duo_inject(d, from, pkt, len,
			   d->delay_ns + rl_rand_below(&w->rnd, 5) * RL_MS);
		return true;
	}
	return rl_rand_below(&w->rnd, 1000000) < w->loss_ppm;
}

static uint8_t pattern(int side, size_t i)
{
	return (uint8_t)(i * 31 + (i >> 8) * 7 + (i >> 16) + (size_t)side * 101);
}

struct both {				/* a connection with data both ways */
	rill_id	 id[2];
	size_t	 total, sent[2], got[2];
	bool	 bad, eof[2];
};

static void work(struct duo *d, struct both *b, int side)
{
	static uint8_t buf[20000];
	struct rill_iov iov = { buf, sizeof(buf) };
	int64_t r;

	while (b->sent[side] < b->total) {
		iov.len = RL_MIN(sizeof(buf), b->total - b->sent[side]);
		for (size_t i = 0; i < iov.len; i++)
			buf[i] = pattern(side, b->sent[side] + i);
		r = rill_tcp_send(d->st[side], b->id[side], &iov, 1, 0);
		if (r <= 0)
			break;
		b->sent[side] += (size_t)r;
		if (b->sent[side] == b->total)
			rill_tcp_shutdown(d->st[side], b->id[side], RILL_SHUT_WR);
	}
	iov.len = sizeof(buf);
	while ((r = rill_tcp_recv(d->st[side], b->id[side], &iov, 1, 0)) > 0) {
		for (int64_t i = 0; i < r; i++)
			b->bad |= buf[i] != pattern(!side, b->got[side] + (size_t)i);
		b->got[side] += (size_t)r;
	}
	b->eof[side] |= r == 0;
}

static uint64_t transfer(struct wire *w, size_t total, bool v6, uint64_t seed)
{
	struct rill_addr a = duo_addr(1, v6, 80), any = { .port = 80 };
	struct both b = { .total = total };
	uint8_t key[32] = { 0 };
	uint64_t digest;
	struct duo d;
	rill_id lst;

	memcpy(key, &seed, sizeof(seed));
	rl_rand_seed(&w->rnd, key);
	duo_init(&d, 1500, v6, seed);
	d.ctx = w;
	d.drop = bad_wire;
	CHECK_EQ("open", rill_tcp_open(d.st[1], 0, &lst), 0);
	CHECK_EQ("bind", rill_tcp_bind(d.st[1], lst, &any, 0), 0);
	CHECK_EQ("listen", rill_tcp_listen(d.st[1], lst, 8), 0);
	CHECK_EQ("open", rill_tcp_open(d.st[0], 0, &b.id[0]), 0);
	CHECK_EQ("connect", rill_tcp_connect(d.st[0], b.id[0], &a, 0), -EINPROGRESS);
	for (int i = 0; i < 400000 && !(b.eof[0] && b.eof[1]); i++) {
		duo_run(&d, d.now_ns + RL_MS);
		if (!b.id[1] && rill_tcp_accept(d.st[1], lst, 0, &b.id[1], NULL) < 0)
			b.id[1] = 0;
		work(&d, &b, 0);
		if (b.id[1])
			work(&d, &b, 1);
	}
	CHECK("bytes as they were", !b.bad);
	for (int i = 0; i < 2; i++) {
		CHECK_EQ(rl_label("side %d, seed %llu: all", i, (unsigned long long)seed),
			 b.got[i], total);
		CHECK("end", b.eof[i]);
	}
	/* [RFC9293:lc-17] and everything goes away */
	for (int i = 0; i < 2; i++)
		rill_tcp_close(d.st[i], b.id[i]);
	rill_tcp_close(d.st[1], lst);
	duo_run(&d, d.now_ns + 2000 * RL_SEC);
	digest = d.digest;
	for (int i = 0; i < 2; i++) {
		uint32_t n[RILL_TCP_STATES];

		rill_stack_state_counts(d.st[i], n);
		for (int s = 0; s < RILL_TCP_STATES; s++)
			CHECK_EQ(rl_label("none left in %s", rill_state_name(s)), n[s], 0);
	}
	duo_done(&d);
	return digest;
}

/* [A3] [A23] [RFC9293:lc-17] */
TEST(transfers_over_a_bad_wire)
{
	static const struct { const char *name; unsigned loss, dup, reorder; } rows[] = {
		{ "loss", 30000, 0, 0 }, { "much loss", 150000, 0, 0 },
		{ "duplicates", 0, 300000, 0 }, { "reordering", 0, 0, 300000 },
		{ "all", 20000, 10000, 20000 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		for (uint64_t seed = 1; seed <= 4; seed++) {
			struct wire w = { .loss_ppm = rows[i].loss, .dup_ppm = rows[i].dup,
					  .reorder_ppm = rows[i].reorder };

			transfer(&w, 100000, seed & 1, seed);
		}
}

/* Same seed: same packets at the same nanosecond. */
TEST(transfers_repeat)
{
	uint64_t digest[3];

	for (int i = 0; i < 3; i++) {
		struct wire w = { .loss_ppm = 20000, .dup_ppm = 10000, .reorder_ppm = 20000 };

		digest[i] = transfer(&w, 100000, false, i < 2 ? 11 : 12);
	}
	CHECK("same seed", digest[0] == digest[1]);
	CHECK("another seed", digest[0] != digest[2]);
}
