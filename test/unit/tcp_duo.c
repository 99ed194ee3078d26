/* SPDX-License-Identifier: MIT */
/* Two stacks on a virtual wire: whole transfers, with and without losses. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "tcp_fix.h"
#include "base/rand.h"

struct transfer {
	struct duo	d;
	rill_id		lst, cli, srv;
	size_t		total, sent, got;
	bool		bad, closed, eof;
	struct rl_rand	rnd;
	unsigned	loss_ppm;
};

static bool lossy(struct duo *d, int from, const uint8_t *pkt, size_t len, uint64_t n)
{
	struct transfer *t = d->ctx;

	(void)from;
	(void)pkt;
	(void)len;
	(void)n;
	return rl_rand_below(&t->rnd, 1000000) < t->loss_ppm;
}

static uint8_t pattern(size_t i)
{
	return (uint8_t)(i * 31 + (i >> 8) * 7 + (i >> 16));
}

static void push(struct transfer *t)
{
	static uint8_t buf[20000];

	while (t->sent < t->total) {
		size_t n = RL_MIN(sizeof(buf), t->total - t->sent);
		struct rill_iov iov = { buf, n };
		int64_t r;

		for (size_t i = 0; i < n; i++)
			buf[i] = pattern(t->sent + i);
		r = rill_tcp_send(t->d.st[0], t->cli, &iov, 1, 0);
		if (r <= 0)
			return;
		t->sent += (size_t)r;
	}
	if (!t->closed) {
		rill_tcp_shutdown(t->d.st[0], t->cli, RILL_SHUT_WR);
		t->closed = true;
	}
}

static void pull(struct transfer *t)
{
	static uint8_t buf[30000];
	struct rill_iov iov = { buf, sizeof(buf) };
	int64_t r;

	if (!t->srv && rill_tcp_accept(t->d.st[1], t->lst, 0, &t->srv, NULL) < 0)
		return;
	while ((r = rill_tcp_recv(t->d.st[1], t->srv, &iov, 1, 0)) > 0) {
		for (int64_t i = 0; i < r; i++)
			t->bad |= buf[i] != pattern(t->got + (size_t)i);
		t->got += (size_t)r;
	}
	t->eof = r == 0;
}

static bool run(struct transfer *t, bool v6, unsigned mtu, uint64_t seed)
{
	struct rill_addr a = duo_addr(1, v6, 80), any = { .port = 80 };
	uint8_t key[32] = { 0 };

	memcpy(key, &seed, sizeof(seed));
	rl_rand_seed(&t->rnd, key);
	duo_init(&t->d, mtu, v6, seed);
	t->d.ctx = t;
	t->d.drop = lossy;
	CHECK_EQ("open", rill_tcp_open(t->d.st[1], 0, &t->lst), 0);
	CHECK_EQ("bind", rill_tcp_bind(t->d.st[1], t->lst, &any, 0), 0);
	CHECK_EQ("listen", rill_tcp_listen(t->d.st[1], t->lst, 8), 0);
	CHECK_EQ("open", rill_tcp_open(t->d.st[0], 0, &t->cli), 0);
	CHECK_EQ("connect", rill_tcp_connect(t->d.st[0], t->cli, &a, 0), -EINPROGRESS);
	for (int i = 0; i < 400000 && !t->eof; i++) {
		duo_run(&t->d, t->d.now_ns + RL_MS / 2);
		push(t);
		pull(t);
	}
	CHECK("every byte as it was", !t->bad);
	CHECK_EQ("all of it", t->got, t->total);
	CHECK("end of stream", t->eof);
	return t->eof;
}

/* [A3] [A25] */
TEST(transfer_clean)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct transfer t = { .total = 3000000 };

		run(&t, v6, 1500, 1);
		duo_done(&t.d);
	}
}

/* [A3] [A23] whatever the network does */
TEST(transfer_lossy)
{
	static const unsigned loss[] = { 1000, 20000, 100000 };

	for (size_t i = 0; i < ARRAY_LEN(loss); i++)
		for (uint64_t seed = 1; seed <= 5; seed++) {
			struct transfer t = { .total = 300000, .loss_ppm = loss[i] };

			run(&t, seed & 1, 1500, seed);
			duo_done(&t.d);
		}
}

/* Same seed, same run, to the byte and the nanosecond. */
TEST(transfer_repeats)
{
	uint64_t digest[3];

	for (int i = 0; i < 3; i++) {
		struct transfer t = { .total = 200000, .loss_ppm = 20000 };

		run(&t, false, 1500, i < 2 ? 5 : 6);
		digest[i] = t.d.digest;
		duo_done(&t.d);
	}
	CHECK("same seed", digest[0] == digest[1]);
	CHECK("another seed", digest[0] != digest[2]);
}
