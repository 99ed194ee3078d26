/* SPDX-License-Identifier: MIT */
/*
 * Tests of look/probe_stat.c and probe_run.c: delays, distance, schedule, matching,
 * in a time that the test makes up [B5] [B6] [B7] [B8].
 */
#include "rl_test.h"
#include "look/probe.h"

#define MS	INT64_C(1000000)

/* ---- statistics ---- */

TEST(stat_of_known_delays)
{
	static const int64_t rtt[] = { 10 * MS, 20 * MS, 30 * MS, 20 * MS };
	struct probe_stat s = { 0 };

	CHECK_EQ("no average of nothing", probe_stat_avg_ns(&s), 0);
	CHECK_EQ("no deviation of nothing", probe_stat_mdev_ns(&s), 0);
	CHECK_EQ("no loss of nothing", probe_loss_ppm(&s), 0);
	for (int i = 0; i < 4; i++)
		probe_stat_add(&s, rtt[i]);
	CHECK_UEQ("received", s.recv, 4);
	CHECK_EQ("least", s.min_ns, 10 * MS);
	CHECK_EQ("most", s.max_ns, 30 * MS);
	CHECK_EQ("average", probe_stat_avg_ns(&s), 20 * MS);
	CHECK_EQ("mdev is the square root of 50", probe_stat_mdev_ns(&s), 7071068);
}

/* RFC 3550: J += (|D| - J) / 16; three differences of 16 ms. */
TEST(stat_jitter)
{
	struct probe_stat s = { 0 };

	probe_stat_add(&s, 100 * MS);
	CHECK_EQ("one delay has no jitter", probe_stat_jitter_ns(&s), 0);
	probe_stat_add(&s, 116 * MS);
	CHECK_EQ("16 ms once", probe_stat_jitter_ns(&s), 1 * MS);
	probe_stat_add(&s, 100 * MS);
	CHECK_EQ("and back", probe_stat_jitter_ns(&s), 1937500);
	for (int i = 0; i < 200; i++)
		probe_stat_add(&s, 100 * MS);
	CHECK("it fades", probe_stat_jitter_ns(&s) < 1000);
}

TEST(loss_in_millionths)
{
	struct probe_stat s = { .sent = 12, .recv = 8, .lost = 4 };

	CHECK_UEQ("a third", probe_loss_ppm(&s), 333333);
	s = (struct probe_stat){ .sent = 5, .recv = 2, .lost = 0 };
	CHECK_UEQ("those under way are not lost", probe_loss_ppm(&s), 0);
}

static const struct {
	unsigned ttl, start, routers;
} ttl_rows[] = {
	{ 64, 64, 0 }, { 59, 64, 5 }, { 1, 64, 63 }, { 0, 64, 64 }, { 65, 128, 63 },
	{ 128, 128, 0 }, { 117, 128, 11 }, { 129, 255, 126 }, { 255, 255, 0 },
	{ 244, 255, 11 },
};

TEST(distance_by_ttl)
{
	for (size_t i = 0; i < sizeof(ttl_rows) / sizeof(ttl_rows[0]); i++) {
		unsigned start = 0;

		CHECK_UEQ(rl_label("ttl %u", ttl_rows[i].ttl),
			  probe_routers(ttl_rows[i].ttl, &start), ttl_rows[i].routers);
		CHECK_UEQ(rl_label("begun, ttl %u", ttl_rows[i].ttl), start, ttl_rows[i].start);
	}
}

/* ---- marks ---- */

static const struct {
	struct probe_answer a;
	const char *mark;
} mark_rows[] = {
	{ { .what = PROBE_REFUSED, .type = 3, .code = 0 }, "!N" },
	{ { .what = PROBE_REFUSED, .type = 3, .code = 1 }, "!H" },
	{ { .what = PROBE_REFUSED, .type = 3, .code = 2 }, "!P" },
	{ { .what = PROBE_REFUSED, .type = 3, .code = 4, .mtu = 1400 }, "!F-1400" },
	{ { .what = PROBE_REFUSED, .type = 3, .code = 10 }, "!X" },
	{ { .what = PROBE_REFUSED, .type = 3, .code = 13 }, "!X" },
	{ { .what = PROBE_REFUSED, .type = 3, .code = 99 }, "!<99>" },
	{ { .what = PROBE_REFUSED, .type = 12, .code = 1 }, "!<12-1>" },
	{ { .what = PROBE_REFUSED, .v6 = true, .type = 1, .code = 0 }, "!N" },
	{ { .what = PROBE_REFUSED, .v6 = true, .type = 1, .code = 1 }, "!X" },
	{ { .what = PROBE_REFUSED, .v6 = true, .type = 1, .code = 3 }, "!H" },
	{ { .what = PROBE_REFUSED, .v6 = true, .type = 2, .mtu = 1280 }, "!F-1280" },
	{ { .what = PROBE_TRANSIT, .type = 11 }, "" },
	{ { .what = PROBE_REACHED, .type = 3, .code = 3 }, "" },
};

TEST(marks)
{
	char buf[16];

	for (size_t i = 0; i < sizeof(mark_rows) / sizeof(mark_rows[0]); i++)
		CHECK_STR(rl_label("row %zu", i), probe_mark(&mark_rows[i].a, buf),
			  mark_rows[i].mark);
}

/* ---- schedule ---- */

static struct probe_run run;

static struct probe_answer reply(uint16_t seq, int64_t at_ns, enum probe_what what)
{
	return (struct probe_answer){ .at_ns = at_ns, .seq = seq, .has_seq = true,
				      .what = (uint8_t)what, .ttl = 60,
				      .from = { .b = { [10] = 0xff, [11] = 0xff, 10, 0, 0, 1 } } };
}

TEST(ping_once_a_second)
{
	struct probe_plan plan = { .first = 1, .last = 1, .queries = 1, .rounds = 3,
				   .echo = true, .interval_ns = 1000 * MS, .wait_ns = 500 * MS };
	struct probe_slot slot;
	struct probe_shot s;
	struct probe_answer a;
	int64_t rtt;

	probe_run_start(&run, &plan, 0);
	CHECK("the first at once", probe_run_next(&run, 0, &s));
	CHECK_UEQ("number 1", s.seq, 1);
	CHECK("no second", !probe_run_next(&run, 0, &s));
	CHECK_EQ("then the wait's end is due", probe_run_due(&run), 500 * MS);
	a = reply(1, 30 * MS, PROBE_REACHED);
	CHECK_EQ("its answer", probe_run_answer(&run, &a, &slot, &rtt), PROBE_FIRST);
	CHECK_EQ("delay", rtt, 30 * MS);
	CHECK_EQ("again", probe_run_answer(&run, &a, &slot, &rtt), PROBE_DUP);
	CHECK_EQ("the next probe is due", probe_run_due(&run), 1000 * MS);
	CHECK("not before", !probe_run_next(&run, 999 * MS, &s));
	CHECK("then", probe_run_next(&run, 1000 * MS, &s));
	CHECK("no answer yet", !probe_run_expire(&run, 1499 * MS, &slot));
	CHECK("given up", probe_run_expire(&run, 1500 * MS, &slot));
	CHECK_UEQ("which", slot.number, 2);
	CHECK("only that", !probe_run_expire(&run, 1500 * MS, &slot));
	CHECK_UEQ("lost", run.hop[1].stat.lost, 1);
	a = reply(2, 1800 * MS, PROBE_REACHED);
	CHECK_EQ("after all", probe_run_answer(&run, &a, &slot, &rtt), PROBE_LATE);
	CHECK_EQ("late, with its delay", rtt, 800 * MS);
	CHECK_UEQ("not lost", run.hop[1].stat.lost, 0);
	CHECK("third", probe_run_next(&run, 2000 * MS, &s));
	CHECK("not over", !probe_run_over(&run));
	a = reply(3, 2001 * MS, PROBE_TRANSIT);
	CHECK_EQ("an error is no answer to ping", probe_run_answer(&run, &a, &slot, &rtt),
		 PROBE_ERROR);
	CHECK("over", probe_run_over(&run));
	CHECK_UEQ("sent", run.hop[1].stat.sent, 3);
	CHECK_UEQ("received", run.hop[1].stat.recv, 2);
	CHECK_UEQ("lost by the error", run.hop[1].stat.lost, 1);
	CHECK_UEQ("errors", run.hop[1].stat.errors, 1);
	CHECK_EQ("nothing is due", probe_run_due(&run), PROBE_NEVER);
}

TEST(strays_are_nobodys)
{
	struct probe_plan plan = { .first = 1, .last = 1, .queries = 1, .interval_ns = MS,
				   .wait_ns = MS };
	struct probe_answer a = reply(7, 1, PROBE_REACHED);
	struct probe_slot slot;
	struct probe_shot s;
	int64_t rtt;

	probe_run_start(&run, &plan, 0);
	CHECK_EQ("before anything was sent", probe_run_answer(&run, &a, &slot, &rtt),
		 PROBE_STRAY);
	probe_run_next(&run, 0, &s);
	CHECK_EQ("number 7", probe_run_answer(&run, &a, &slot, &rtt), PROBE_STRAY);
	a = reply(0, 1, PROBE_REACHED);
	CHECK_EQ("number 0", probe_run_answer(&run, &a, &slot, &rtt), PROBE_STRAY);
	CHECK_UEQ("counted", run.strays, 3);
}

/* More than 65536 probes: 16 bits still find the right one. */
TEST(numbers_wrap)
{
	struct probe_plan plan = { .first = 1, .last = 1, .queries = 1, .interval_ns = MS,
				   .wait_ns = 10 * MS };
	struct probe_slot slot = { 0 };
	struct probe_shot s = { 0 };
	struct probe_answer a;
	int64_t rtt, now = 0;

	probe_run_start(&run, &plan, 0);
	for (int i = 0; i < 70000; i++, now += MS) {
		while (probe_run_expire(&run, now, &slot))
			;
		probe_run_next(&run, now, &s);
	}
	CHECK_UEQ("the last one's number", s.number, 70000);
	a = reply(s.seq, now, PROBE_REACHED);
	CHECK_EQ("is found", probe_run_answer(&run, &a, &slot, &rtt), PROBE_FIRST);
	CHECK_UEQ("by its 16 bits", slot.number, 70000);
	a = reply((uint16_t)(70000 - PROBE_RING), now, PROBE_REACHED);
	CHECK_EQ("too old to be remembered", probe_run_answer(&run, &a, &slot, &rtt),
		 PROBE_STRAY);
}

/* ---- traces ---- */

static void answer_all(int64_t now, unsigned from, unsigned to, unsigned end, unsigned per_ttl)
{
	struct probe_slot slot;
	int64_t rtt;

	for (unsigned i = from; i <= to; i++) {
		unsigned ttl = (i - 1) / per_ttl + 1;
		struct probe_answer a = reply((uint16_t)i, now, ttl >= end ? PROBE_REACHED :
					      PROBE_TRANSIT);

		probe_run_answer(&run, &a, &slot, &rtt);
	}
}

TEST(trace_stops_at_the_destination)
{
	struct probe_plan plan = { .first = 1, .last = 30, .queries = 3, .window = 16,
				   .wait_ns = 1000 * MS };
	struct probe_shot s;
	unsigned n = 0;

	probe_run_start(&run, &plan, 0);
	while (probe_run_next(&run, 0, &s))
		CHECK_UEQ("in order of TTL", s.ttl, n++ / 3 + 1);
	CHECK_UEQ("a window of them", n, 16);
	answer_all(5 * MS, 1, 16, 4, 3);
	CHECK_UEQ("the end is known", run.end, 4);
	CHECK("no more probes", !probe_run_next(&run, 5 * MS, &s));
	CHECK("over", probe_run_over(&run));
	CHECK("hop 4 is complete", probe_hop_done(&run, 4));
	CHECK_UEQ("hop 4 has all its answers", run.hop[4].stat.recv, 3);
}

/* What was asked behind the destination is not waited for. */
TEST(trace_forgets_what_lies_behind)
{
	struct probe_plan plan = { .first = 1, .last = 30, .queries = 1, .window = 8,
				   .wait_ns = 1000 * MS };
	struct probe_shot s;

	probe_run_start(&run, &plan, 0);
	while (probe_run_next(&run, 0, &s))
		;
	answer_all(MS, 1, 3, 3, 1);
	CHECK_UEQ("five are forgotten", run.waiting, 0);
	CHECK_UEQ("and not sent", run.hop[4].stat.sent, 0);
	CHECK("over", probe_run_over(&run));
}

TEST(trace_over_a_silent_hop)
{
	struct probe_plan plan = { .first = 1, .last = 5, .queries = 1, .window = 2,
				   .wait_ns = 1000 * MS };
	struct probe_slot slot;
	struct probe_shot s;
	struct probe_answer a;
	int64_t rtt;

	probe_run_start(&run, &plan, 0);
	while (probe_run_next(&run, 0, &s))
		;
	a = reply(2, MS, PROBE_TRANSIT);
	probe_run_answer(&run, &a, &slot, &rtt);
	CHECK("hop 2 is complete", probe_hop_done(&run, 2));
	CHECK("hop 1 is not", !probe_hop_done(&run, 1));
	CHECK_EQ("room for one more, now", probe_run_due(&run), 0);
	CHECK("it goes", probe_run_next(&run, MS, &s));
	CHECK_UEQ("to hop 3", s.ttl, 3);
	CHECK("hop 1 is given up", probe_run_expire(&run, 1000 * MS, &slot));
	CHECK("and complete", probe_hop_done(&run, 1));
	CHECK("hop 4", probe_run_next(&run, 1000 * MS, &s));
	CHECK_UEQ("hop 4", s.ttl, 4);
}

/* Connections of one source port can't run at the same time. */
TEST(trace_in_lanes)
{
	struct probe_plan plan = { .first = 1, .last = 5, .queries = 2, .window = 16,
				   .lanes = true, .wait_ns = 1000 * MS };
	struct probe_slot slot;
	struct probe_shot s;
	struct probe_answer a;
	unsigned n = 0;
	int64_t rtt;

	probe_run_start(&run, &plan, 0);
	while (probe_run_next(&run, 0, &s))
		CHECK_UEQ("each lane its first", s.query, n++);
	CHECK_UEQ("one a lane", n, 2);
	a = reply(2, MS, PROBE_TRANSIT);
	probe_run_answer(&run, &a, &slot, &rtt);
	CHECK("lane 1 goes on", probe_run_next(&run, MS, &s));
	CHECK_UEQ("in lane 1", s.query, 1);
	CHECK_UEQ("to hop 2", s.ttl, 2);
	CHECK("lane 0 waits", !probe_run_next(&run, MS, &s));
}

/* A quote that is too short to name its probe is the oldest one's. */
TEST(trace_guesses)
{
	struct probe_plan plan = { .first = 1, .last = 5, .queries = 1, .window = 3,
				   .wait_ns = 1000 * MS };
	struct probe_answer a = reply(0, MS, PROBE_TRANSIT);
	struct probe_slot slot;
	struct probe_shot s;
	int64_t rtt;

	a.has_seq = false;
	probe_run_start(&run, &plan, 0);
	while (probe_run_next(&run, 0, &s))
		;
	CHECK_EQ("taken", probe_run_answer(&run, &a, &slot, &rtt), PROBE_FIRST);
	CHECK_UEQ("for the oldest", slot.ttl, 1);
	CHECK_EQ("taken", probe_run_answer(&run, &a, &slot, &rtt), PROBE_FIRST);
	CHECK_UEQ("for the next", slot.ttl, 2);
	CHECK_UEQ("and that is known", run.guessed, 2);
}

/* ---- rounds ---- */

TEST(rounds_spread_over_the_interval)
{
	struct probe_plan plan = { .first = 1, .last = 4, .queries = 1, .rounds = 2,
				   .interval_ns = 1000 * MS, .wait_ns = 300 * MS };
	struct probe_slot slot;
	struct probe_shot s;
	int64_t now = 0;

	probe_run_start(&run, &plan, 0);
	for (unsigned i = 0; i < 8; i++, now += 250 * MS) {
		CHECK("due", probe_run_next(&run, now, &s));
		CHECK_UEQ("one hop after the other", s.ttl, i % 4 + 1);
		CHECK("not two", !probe_run_next(&run, now, &s));
		CHECK_EQ("what comes next", run.next_ns, now + 250 * MS);
	}
	CHECK("two rounds", !probe_run_next(&run, now, &s));
	while (probe_run_expire(&run, now + 300 * MS, &slot))
		;
	CHECK("over", probe_run_over(&run));
	CHECK_UEQ("hop 3", run.hop[3].stat.lost, 2);
}

TEST(rounds_make_no_burst_after_a_sleep)
{
	struct probe_plan plan = { .first = 1, .last = 1, .queries = 1,
				   .interval_ns = 10 * MS, .wait_ns = MS };
	struct probe_shot s;
	unsigned n = 0;

	probe_run_start(&run, &plan, 0);
	probe_run_next(&run, 0, &s);
	while (probe_run_next(&run, 60000 * MS, &s))
		n++;
	CHECK("a minute later", n <= 2);
}

/* The destination answers nearer than it did: the rest of the round is left out. */
TEST(rounds_on_a_path_that_shortens)
{
	struct probe_plan plan = { .first = 1, .last = 6, .queries = 1, .rounds = 2,
				   .interval_ns = 600 * MS, .wait_ns = 100 * MS };
	struct probe_slot slot;
	struct probe_shot s;
	struct probe_answer a;
	int64_t rtt;

	probe_run_start(&run, &plan, 0);
	for (unsigned i = 0; i < 5; i++)
		probe_run_next(&run, i * 100 * MS, &s);
	a = reply(4, 410 * MS, PROBE_REACHED);
	probe_run_answer(&run, &a, &slot, &rtt);
	CHECK_UEQ("end", run.end, 4);
	CHECK("the next round", probe_run_next(&run, 500 * MS, &s));
	CHECK_UEQ("begins anew", s.ttl, 1);
	CHECK_UEQ("the second", run.round, 1);
}

TEST(stopping)
{
	struct probe_plan plan = { .first = 1, .last = 2, .queries = 1, .interval_ns = 10 * MS,
				   .wait_ns = 1000 * MS };
	struct probe_shot s;

	probe_run_start(&run, &plan, 0);
	probe_run_next(&run, 0, &s);
	probe_run_stop(&run, false);
	CHECK_UEQ("what was under way is not counted", run.hop[1].stat.sent, 0);
	CHECK("over", probe_run_over(&run));
	probe_run_start(&run, &plan, 0);
	probe_run_next(&run, 0, &s);
	probe_run_stop(&run, true);
	CHECK_UEQ("or it is lost", run.hop[1].stat.lost, 1);
	CHECK("over", probe_run_over(&run));
}
