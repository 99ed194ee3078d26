/* SPDX-License-Identifier: MIT */
/* dev/pair.c: frames from end to end, full cables, sleeping readers, two threads. */
#include <poll.h>
#include <pthread.h>

#include "dev_fixture.h"
#include "rl_test.h"

struct ends {
	struct rl_dev		*d[2];
	struct rill_stack	*st[2];
};

static bool open_ends(struct ends *e, bool offload)
{
	e->st[0] = test_stack();
	e->st[1] = test_stack();
	return CHECK_EQ("open", rl_dev_pair_open(1500, offload, &e->d[0], &e->d[1]), 0);
}

static void close_ends(struct ends *e)
{
	for (int i = 0; i < 2; i++) {
		rl_dev_close(e->d[i]);
		CHECK_EQ("all given back", test_stack_free(e->st[i]), 0);
	}
}

static void send_one(struct ends *e, int from, struct rill_pkt *p)
{
	CHECK_EQ("tx", e->d[from]->ops->tx(e->d[from], e->st[from], &p, 1), 0);
}

static int receive(struct ends *e, int at, struct rill_pkt **pkts, int n)
{
	return e->d[at]->ops->rx(e->d[at], e->st[at], pkts, n);
}

static bool readable(struct ends *e, int at)
{
	struct pollfd p = { .fd = e->d[at]->fd, .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

TEST(pair_both_ways_all_sizes)
{
	static const uint32_t sizes[] = { 0, 1, 1460, 1914, 1915, 9000, 65000 };
	struct rill_pkt *got[4];
	struct ends e;

	if (!open_ends(&e, true))
		return;
	CHECK("addresses differ", memcmp(e.d[0]->par.mac, e.d[1]->par.mac, 6));
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
		for (int from = 0; from < 2; from++) {
			send_one(&e, from, test_segment(e.st[from], 5, sizes[i], 1448));
			if (!CHECK_EQ("one", receive(&e, !from, got, 4), 1))
				continue;
			CHECK_EQ("notes", got[0]->gso_size, 1448);
			CHECK_EQ("kind", got[0]->gso, RL_GSO_TCP4);
			CHECK("need not be checked", got[0]->flags & RL_PKT_CSUM_OK);
			CHECK("whole", test_pkt_ok(got[0]));
			rl_pkt_free(&e.st[!from]->bufs, got[0]);
		}
	close_ends(&e);
}

TEST(pair_without_offload_cuts)
{
	struct rill_pkt *got[64];
	struct ends e;
	int n;

	if (!open_ends(&e, false))
		return;
	send_one(&e, 0, test_segment(e.st[0], 5, 14600, 1460));
	n = receive(&e, 1, got, 64);
	CHECK_EQ("segments", n, 10);
	for (int i = 0; i < n; i++) {
		CHECK_EQ("no notes", got[i]->flags | got[i]->gso, 0);
		CHECK("whole", test_pkt_ok(got[i]));
		rl_pkt_free(&e.st[1]->bufs, got[i]);
	}
	close_ends(&e);
}

/* A reader that does not come: bounded, counted, and fine afterwards. */
TEST(pair_full_cable)
{
	struct rill_pkt *got[1024];
	struct ends e;
	int n;

	if (!open_ends(&e, true))
		return;
	for (int i = 0; i < 1000; i++)
		send_one(&e, 0, test_segment(e.st[0], (uint32_t)i, 100, 0));
	CHECK_EQ("the rest is counted", e.d[0]->tx_frames + e.d[0]->tx_drops, 1000);
	n = receive(&e, 1, got, 1024);
	CHECK_EQ("what fitted", n, e.d[0]->tx_frames);
	CHECK("some", n >= 64);
	for (int i = 0; i < n; i++) {
		CHECK_EQ("the first ones, in order", test_seq(got[i]), i);
		rl_pkt_free(&e.st[1]->bufs, got[i]);
	}
	send_one(&e, 0, test_segment(e.st[0], 9, 100, 0));
	CHECK_EQ("again", receive(&e, 1, got, 4), 1);
	rl_pkt_free(&e.st[1]->bufs, got[0]);
	close_ends(&e);
}

/* Frames left in the cable when its ends go. */
TEST(pair_closed_full)
{
	struct ends e;

	if (!open_ends(&e, true))
		return;
	for (int i = 0; i < 20; i++)
		send_one(&e, i & 1, test_segment(e.st[i & 1], 1, 3000, 0));
	close_ends(&e);
}

TEST(pair_wakes_only_sleepers)
{
	struct rill_pkt *got[4];
	struct ends e;

	if (!open_ends(&e, true))
		return;
	send_one(&e, 0, test_segment(e.st[0], 1, 10, 0));
	CHECK("nobody sleeps", !readable(&e, 1));
	CHECK_EQ("one", receive(&e, 1, got, 4), 1);
	rl_pkt_free(&e.st[1]->bufs, got[0]);
	for (int round = 0; round < 3; round++) {
		CHECK_EQ("none: goes to sleep", receive(&e, 1, got, 4), 0);
		CHECK("sleeps", !readable(&e, 1));
		send_one(&e, 0, test_segment(e.st[0], 1, 10, 0));
		send_one(&e, 0, test_segment(e.st[0], 2, 10, 0));
		CHECK("woken", readable(&e, 1));
		CHECK_EQ("both", receive(&e, 1, got, 4), 2);
		rl_pkt_free(&e.st[1]->bufs, got[0]);
		rl_pkt_free(&e.st[1]->bufs, got[1]);
		CHECK_EQ("none", receive(&e, 1, got, 4), 0);
		CHECK("sleeps again", !readable(&e, 1));
	}
	close_ends(&e);
}

#define BOUNCES	20000

/* Each frame comes back with its number; a lost wake-up ends in a timeout. */
static bool next_frame(struct ends *e, int at, uint32_t want)
{
	struct pollfd p = { .fd = e->d[at]->fd, .events = POLLIN };
	struct rill_pkt *got;
	bool ok;

	while (receive(e, at, &got, 1) == 0)
		if (poll(&p, 1, 20000) != 1)
			return false;
	ok = test_seq(got) == want;
	rl_pkt_free(&e->st[at]->bufs, got);
	return ok;
}

static void *echo(void *arg)
{
	struct ends *e = arg;

	for (uint32_t i = 0; i < BOUNCES; i++) {
		struct rill_pkt *p;

		if (!next_frame(e, 1, i))
			return (void *)"frame lost";
		p = test_segment(e->st[1], i, i % 3000, 0);
		e->d[1]->ops->tx(e->d[1], e->st[1], &p, 1);
	}
	return NULL;
}

TEST(pair_two_threads)
{
	struct ends e;
	pthread_t t;
	void *failed = NULL;
	bool ok = true;

	if (!open_ends(&e, true))
		return;
	CHECK_EQ("thread", pthread_create(&t, NULL, echo, &e), 0);
	for (uint32_t i = 0; ok && i < BOUNCES; i++) {
		send_one(&e, 0, test_segment(e.st[0], i, i % 4000, 0));
		ok = next_frame(&e, 0, i);
	}
	CHECK("all came back", ok);
	pthread_join(t, &failed);
	CHECK_STR("the other end", failed, NULL);
	close_ends(&e);
}
