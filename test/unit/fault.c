/* SPDX-License-Identifier: MIT */
/* dev/fault.c: each fault by itself, the same for the same seed. */
#include <errno.h>

#include "dev/fault.h"
#include "dev_fixture.h"
#include "rl_test.h"

#define N	20000

struct bench {
	struct rill_stack *st;
	struct list_dev	*inner;
	struct rl_dev	*dev;
};

static bool open_bench(struct bench *b, const char *spec, uint64_t seed)
{
	char why[200] = "";

	b->st = test_stack();
	b->inner = list_dev();
	return CHECK_EQ(spec, rl_dev_fault_open(&b->inner->d, spec, seed, &b->dev, why,
						sizeof(why)), 0);
}

static void close_bench(struct bench *b)
{
	rl_dev_close(b->dev);
	CHECK("inner one closed", b->inner->closed);
	list_free(b->inner, b->st);
	CHECK_EQ("all given back", test_stack_free(b->st), 0);
}

/* Send @n segments, one every @gap_ns; then let all of it out. */
static void send_n(struct bench *b, int n, uint32_t payload, int64_t gap_ns)
{
	struct rill_pkt *none[64];

	for (int i = 0; i < n; i++) {
		struct rill_pkt *p = test_segment(b->st, (uint32_t)i, payload, 0);

		b->st->now_ns += gap_ns;
		b->dev->ops->tx(b->dev, b->st, &p, 1);
	}
	for (int i = 0; i < 10000 && b->dev->ops->deadline(b->dev) != RL_NEVER; i++) {
		b->st->now_ns = RL_MAX(b->st->now_ns, b->dev->ops->deadline(b->dev));
		CHECK_EQ("nothing comes in", b->dev->ops->rx(b->dev, b->st, none, 64), 0);
	}
}

TEST(fault_loss_rate)
{
	struct bench b;

	if (!open_bench(&b, "loss=2%", 1))
		return;
	send_n(&b, N, 0, RL_US);
	CHECK("about 2%", b.dev->tx_drops > N * 15 / 1000 && b.dev->tx_drops < N * 25 / 1000);
	CHECK_EQ("the others came", b.inner->nout, N - (int)b.dev->tx_drops);
	for (int i = 1; i < b.inner->nout; i++)
		if (!CHECK("in order", test_seq(b.inner->out[i]) > test_seq(b.inner->out[i - 1])))
			break;
	close_bench(&b);
}

TEST(fault_loss_in_bursts)
{
	struct bench b;
	unsigned bursts = 0, lost = 0;
	uint32_t next = 0;

	if (!open_bench(&b, "loss=5%,burst=4", 2))
		return;
	send_n(&b, N, 0, RL_US);
	for (int i = 0; i < b.inner->nout; i++) {
		uint32_t seq = test_seq(b.inner->out[i]);

		bursts += seq != next;
		lost += seq - next;
		next = seq + 1;
	}
	CHECK("about 5%", lost > N * 40 / 1000 && lost < N * 60 / 1000);
	CHECK("about 4 in a row", lost > bursts * 35 / 10 && lost < bursts * 45 / 10);
	close_bench(&b);
}

TEST(fault_duplicates)
{
	struct bench b;

	if (!open_bench(&b, "dup=1%", 3))
		return;
	send_n(&b, N, 100, RL_US);
	CHECK("about 1% more", b.inner->nout > N + N * 7 / 1000 &&
	      b.inner->nout < N + N * 13 / 1000);
	for (int i = 0; i < b.inner->nout; i += 97)
		CHECK("whole", test_pkt_ok(b.inner->out[i]));
	close_bench(&b);
}

TEST(fault_reorders)
{
	static uint8_t seen[N];
	struct bench b;
	int late = 0, far = 0;
	uint32_t max = 0;

	if (!open_bench(&b, "reorder=2%", 4))
		return;
	send_n(&b, N, 0, RL_US);
	CHECK_EQ("none is missing", b.inner->nout, N);
	for (int i = 0; i < b.inner->nout; i++) {
		uint32_t seq = test_seq(b.inner->out[i]);

		CHECK("once", !seen[seq]++);
		late += seq < max;
		far = RL_MAX(far, (int)(max - RL_MIN(seq, max)));
		max = RL_MAX(seq, max);
	}
	CHECK("about 2%", late > N * 14 / 1000 && late < N * 26 / 1000);
	CHECK("behind a few", far >= 2 && far <= 12);
	close_bench(&b);
}

/* The last of all has nobody to pass it: it comes by time. */
TEST(fault_reorder_does_not_keep_the_last)
{
	struct bench b;

	if (!open_bench(&b, "reorder=100%", 5))
		return;
	send_n(&b, 3, 0, RL_US);
	CHECK_EQ("all out", b.inner->nout, 3);
	CHECK("soon", b.st->now_ns < RL_SEC);
	close_bench(&b);
}

TEST(fault_delay_and_jitter)
{
	struct bench b;
	struct rill_pkt *p, *none[4];

	if (!open_bench(&b, "delay=10ms", 6))
		return;
	p = test_segment(b.st, 1, 0, 0);
	b.dev->ops->tx(b.dev, b.st, &p, 1);
	CHECK_EQ("later", b.inner->nout, 0);
	CHECK_EQ("in 10 ms", b.dev->ops->deadline(b.dev), 10 * RL_MS);
	b.st->now_ns = 10 * RL_MS - 1;
	b.dev->ops->rx(b.dev, b.st, none, 4);
	CHECK_EQ("not yet", b.inner->nout, 0);
	b.st->now_ns = 10 * RL_MS;
	b.dev->ops->rx(b.dev, b.st, none, 4);
	CHECK_EQ("now", b.inner->nout, 1);
	close_bench(&b);

	if (!open_bench(&b, "delay=10ms,jitter=5ms", 7))
		return;
	send_n(&b, 1000, 0, RL_MS);
	CHECK_EQ("all", b.inner->nout, 1000);
	for (int i = 0; i < b.inner->nout; i++)
		CHECK_EQ("order is kept", test_seq(b.inner->out[i]), i);
	close_bench(&b);
}

TEST(fault_rate_and_queue)
{
	struct bench b;

	/* 1000 bytes each, so 1 ms each at 8 Mbit/s */
	if (!open_bench(&b, "rate=8mbit,queue=10", 8))
		return;
	send_n(&b, 5, 1000 - TEST_HDRS, 0);
	CHECK_EQ("five", b.inner->nout, 5);
	CHECK_EQ("in 5 ms", b.st->now_ns, 5 * RL_MS);
	send_n(&b, 100, 1000 - TEST_HDRS, 0);
	CHECK_EQ("ten wait, ninety do not fit", b.dev->tx_drops, 90);
	CHECK_EQ("15 in all", b.inner->nout, 15);
	CHECK_EQ("at 15 ms", b.st->now_ns, 15 * RL_MS);
	close_bench(&b);
}

/* One wrong bit in IP, in a copy; every checksum sees it. */
TEST(fault_corrupts)
{
	struct bench b;
	int bad = 0;

	if (!open_bench(&b, "corrupt=10%", 9))
		return;
	send_n(&b, 5000, 200, RL_US);
	CHECK_EQ("all", b.inner->nout, 5000);
	for (int i = 0; i < b.inner->nout; i++) {
		struct rill_pkt *p = b.inner->out[i];
		bool open = p->flags & RL_PKT_CSUM_PARTIAL;
		bool ok = test_pkt_ok(p);

		CHECK_EQ("checksum is final exactly when it is wrong", ok, open);
		bad += !ok;
	}
	CHECK("about 10%", bad > 400 && bad < 600);
	close_bench(&b);
}

/* A super-segment is cut, so that each wire segment has a fate of its own. */
TEST(fault_cuts_super_segments)
{
	struct rill_pkt *got[64];
	struct bench b;
	int n, total = 0, round;

	if (!open_bench(&b, "in:loss=10%", 10))
		return;
	got[0] = test_segment(b.st, 0, 60000, 1000);
	b.dev->ops->tx(b.dev, b.st, got, 1);
	CHECK_EQ("cut on the way out", b.inner->nout, 60);
	for (int i = 0; i < b.inner->nout; i++)
		CHECK("whole", test_pkt_ok(b.inner->out[i]));
	b.inner->nin = 20;
	for (int i = 0; i < b.inner->nin; i++)
		b.inner->in[i] = test_segment(b.st, 0, 60000, 1000);
	for (round = 0; round < 100; round++) {
		n = b.dev->ops->rx(b.dev, b.st, got, 64);
		if (!n && b.dev->ops->deadline(b.dev) == RL_NEVER)
			break;
		for (int i = 0; i < n; i++) {
			CHECK("whole", test_pkt_ok(got[i]));
			rl_pkt_free(&b.st->bufs, got[i]);
		}
		total += n;
	}
	CHECK("a part of them is lost", total < 1140 && total > 1020);
	CHECK_EQ("and counted", b.dev->rx_drops, 1200 - total);
	close_bench(&b);
}

static uint64_t digest(const char *spec, uint64_t seed)
{
	uint64_t h = 14695981039346656037u;
	struct bench b;

	if (!open_bench(&b, spec, seed))
		return 0;
	send_n(&b, 3000, 50, 10 * RL_US);
	for (int i = 0; i < b.inner->nout; i++) {
		uint8_t byte[TEST_HDRS + 50];

		rl_pkt_copy_out(b.inner->out[i], 0, byte, sizeof(byte));
		for (size_t k = 0; k < sizeof(byte); k++)
			h = (h ^ byte[k]) * 1099511628211u;
	}
	h ^= (uint64_t)b.st->now_ns;
	close_bench(&b);
	return h;
}

TEST(fault_same_seed_same_faults)
{
	const char *all = "loss=2%,burst=2,dup=1%,reorder=2%,delay=10ms,jitter=2ms,"
			  "rate=100mbit,queue=50,corrupt=1%";

	CHECK_UEQ("again", digest(all, 11), digest(all, 11));
	CHECK("another seed", digest(all, 11) != digest(all, 12));
}

static const struct {
	const char *spec;
	const char *named;	/* what the error line must name; NULL: none */
} specs[] = {
	{ "loss=2%,burst=3,dup=1%,reorder=2%,delay=10ms,jitter=2ms,rate=10mbit,"
	  "queue=100,corrupt=0.1%", NULL },
	{ "in:loss=2%;out:delay=5us", NULL },
	{ "",				"nothing" },
	{ "loss",			"'loss'" },
	{ "loss=2",			"'loss=2'" },
	{ "loss=-2%",			"'loss=-2%'" },
	{ "loss=101%",			"0% to 100%" },
	{ "loss=2%,",			"''" },
	{ "lost=2%",			"'lost=2%'" },
	{ "delay=10",			"'delay=10'" },
	{ "delay=10days",		"'delay=10days'" },
	{ "rate=fast",			"'rate=fast'" },
	{ "rate=1mbit,queue=0",		"'queue=0'" },
	{ "up:loss=2%",			"'up:loss=2%'" },
	{ "burst=3",			"burst needs loss" },
	{ "loss=1%,burst=0",		"'burst=0'" },
	{ "delay=1ms,jitter=2ms",	"jitter" },
	{ "queue=10",			"queue needs rate" },
};

TEST(fault_specs)
{
	for (size_t i = 0; i < ARRAY_LEN(specs); i++) {
		struct rl_fault_par par[RL_FAULT_DIRS];
		char why[256] = "";
		int r = rl_fault_parse(specs[i].spec, par, why, sizeof(why));

		CHECK_EQ(rl_label("\"%s\"", specs[i].spec), r, specs[i].named ? -EINVAL : 0);
		if (specs[i].named && !strstr(why, specs[i].named))
			CHECK_STR("names the bad part", why, specs[i].named);
		CHECK("one line", !strchr(why, '\n'));
	}
}

TEST(fault_spec_values)
{
	struct rl_fault_par par[RL_FAULT_DIRS];
	char why[256];

	CHECK_EQ("parse", rl_fault_parse("in:loss=0.25%,burst=2.5;out:delay=1.5ms,"
					 "rate=2gbit,queue=7", par, why, sizeof(why)), 0);
	CHECK_EQ("loss", par[RL_FAULT_IN].loss_ppm, 2500);
	CHECK_EQ("burst", par[RL_FAULT_IN].burst_milli, 2500);
	CHECK_EQ("no loss out", par[RL_FAULT_OUT].loss_ppm, 0);
	CHECK_EQ("delay", par[RL_FAULT_OUT].delay_ns, 1500 * RL_US);
	CHECK_UEQ("rate", par[RL_FAULT_OUT].rate_bps, 2000000000);
	CHECK_EQ("queue", par[RL_FAULT_OUT].queue, 7);
}
