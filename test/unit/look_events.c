/* SPDX-License-Identifier: MIT */
/* Tests of what `rill monitor` is made of: records of the tracepoint, two looks
 * compared, lives put together, alarms [D2]. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "look/alarm.h"
#include "look/events_int.h"
#include "look/lives.h"
#include "look/thresholds.h"
#include "rill/stack.h"
#include "rl_test.h"

/* ---- the tracepoint's records ---- */

static struct trace_rec rec(uint64_t obj, int from, int to, uint64_t ns)
{
	struct trace_rec r = {
		.ns = ns, .obj = obj, .family = AF_INET, .lport = htons(80),
		.pport = htons(4000), .from = (uint8_t)from, .to = (uint8_t)to, .pid = 7,
		.laddr4 = { 10, 0, 0, 1 }, .paddr4 = { 10, 0, 0, 2 }, .comm = "prog",
	};

	return r;
}

TEST(a_newborn_socket_waits_for_its_addresses)
{
	static struct rl_trace_state t;
	struct trace_rec born = rec(0x1000, RILL_LISTEN, RILL_SYN_RECV, 5);
	struct trace_rec then = rec(0x1000, RILL_SYN_RECV, RILL_ESTABLISHED, 9);
	struct rl_event e[2];

	memset(born.paddr4, 0, 4);
	born.pport = 0;
	CHECK("nothing yet", rl_trace_take(&t, &born, e) == 0);
	REQUIRE("two at once", rl_trace_take(&t, &then, e) == 2);
	CHECK("the first in its own time", e[0].from == RILL_LISTEN &&
	      e[0].to == RILL_SYN_RECV && e[0].time_ns == 5 && e[1].time_ns == 9);
	CHECK("with the second's addresses", e[0].peer.port == 4000 && e[0].local.port == 80 &&
	      e[0].peer.ip.b[15] == 2);
	CHECK("one identity", e[0].id == e[1].id && e[0].id);
	CHECK("not again", rl_trace_take(&t, &then, e) == 1);
}

TEST(records_that_are_no_change)
{
	static struct rl_trace_state t;
	struct rl_event e[2];
	struct trace_rec r = rec(0x1000, RILL_CLOSE, RILL_CLOSE, 1);

	CHECK("to itself", rl_trace_take(&t, &r, e) == 0);
	r = rec(0x1000, RILL_CLOSE, 200, 1);
	CHECK("to no state", rl_trace_take(&t, &r, e) == 0);
	r = rec(0x1000, 200, RILL_CLOSE, 1);
	CHECK("from no state", rl_trace_take(&t, &r, e) == 0);
	for (uint64_t i = 1; i < 3 * TRACE_SLOTS; i++) {	/* more than it holds */
		r = rec(i << 4, RILL_LISTEN, RILL_SYN_RECV, i);
		CHECK("kept", rl_trace_take(&t, &r, e) == 0);
	}
	r = rec((3 * TRACE_SLOTS - 1) << 4, RILL_SYN_RECV, RILL_ESTABLISHED, 1);
	CHECK("the last is known", rl_trace_take(&t, &r, e) == 2);
}

TEST(whose_call_it_was)
{
	static struct rl_trace_state t;
	struct rl_event e[2];
	struct trace_rec r = rec(0x20, RILL_CLOSE, RILL_SYN_SENT, 1);

	CHECK("connect()", rl_trace_take(&t, &r, e) == 1 && e[0].pid == 7 &&
	      !strcmp(e[0].comm, "prog"));
	r = rec(0x20, RILL_SYN_SENT, RILL_ESTABLISHED, 1);
	CHECK("a segment did it", rl_trace_take(&t, &r, e) == 1 && !e[0].pid && !*e[0].comm);
}

TEST(a_mapped_address_is_ipv4)
{
	static struct rl_trace_state t;
	struct rl_event e[2];
	struct trace_rec r = rec(0x20, RILL_CLOSE, RILL_SYN_SENT, 1);

	r.family = AF_INET6;
	inet_pton(AF_INET6, "::ffff:10.0.0.1", r.laddr6);
	inet_pton(AF_INET6, "::ffff:10.0.0.2", r.paddr6);
	CHECK("4", rl_trace_take(&t, &r, e) == 1 && e[0].family == 4);
	inet_pton(AF_INET6, "fd77::1", r.laddr6);
	inet_pton(AF_INET6, "fd77::2", r.paddr6);
	CHECK("6", rl_trace_take(&t, &r, e) == 1 && e[0].family == 6);
}

/* ---- two looks ---- */

static struct rill_sock sock(int state, uint16_t pport)
{
	struct rill_sock s = { .source = RILL_SRC_KERNEL, .proto = 6, .family = 4 };

	s.state = (uint8_t)state;
	s.local.port = 80;
	s.peer.port = pport;
	s.stack = "";
	return s;
}

struct got {
	struct rl_event	e[8];
	unsigned	n;
};

static void on_event(void *ctx, const struct rl_event *e)
{
	struct got *g = ctx;

	if (g->n < 8)
		g->e[g->n] = *e;
	g->n++;
}

static void add(struct poll_look *l, int state, uint16_t pport)
{
	struct rill_sock s = sock(state, pport);

	rl_look_add(l, &s);
}

static const struct {
	const char *name;
	int before, after;		/* 0: not there */
	int from, to;			/* 0: no event */
	bool missed;
} look_rows[] = {
	{ "the same", RILL_ESTABLISHED, RILL_ESTABLISHED, 0, 0, false },
	{ "one arrow", RILL_ESTABLISHED, RILL_CLOSE_WAIT, RILL_ESTABLISHED, RILL_CLOSE_WAIT, false },
	{ "two arrows", RILL_ESTABLISHED, RILL_FIN_WAIT2, RILL_ESTABLISHED, RILL_FIN_WAIT2, true },
	{ "new", 0, RILL_SYN_SENT, RILL_CLOSE, RILL_SYN_SENT, false },
	{ "new and further", 0, RILL_ESTABLISHED, RILL_CLOSE, RILL_ESTABLISHED, true },
	{ "new half-open", 0, RILL_SYN_RECV, RILL_LISTEN, RILL_SYN_RECV, false },
	{ "gone", RILL_LAST_ACK, 0, RILL_LAST_ACK, RILL_CLOSE, false },
	{ "closed sockets are no connections", 0, RILL_CLOSE, 0, 0, false },
};

TEST(looks_compared)
{
	for (size_t i = 0; i < sizeof(look_rows) / sizeof(look_rows[0]); i++) {
		struct poll_look a = { .whole = true }, b = { .whole = true };
		struct got g = { .n = 0 };

		for (int k = 0; k < 2; k++) {		/* neighbours that stay */
			add(&a, RILL_ESTABLISHED, (uint16_t)(3999 + 2 * k));
			add(&b, RILL_ESTABLISHED, (uint16_t)(4001 - 2 * k));
		}
		if (look_rows[i].before)
			add(&a, look_rows[i].before, 4000);
		if (look_rows[i].after)
			add(&b, look_rows[i].after, 4000);
		rl_look_sort(&a);
		rl_look_sort(&b);
		rl_look_diff(&a, &b, 1, on_event, &g);
		CHECK(look_rows[i].name, g.n == (look_rows[i].to != 0));
		if (look_rows[i].to)
			CHECK(look_rows[i].name, g.e[0].from == look_rows[i].from &&
			      g.e[0].to == look_rows[i].to && g.e[0].polled &&
			      g.e[0].missed == look_rows[i].missed);
		free(a.e);
		free(b.e);
	}
}

TEST(an_end_that_is_told_elsewhere)
{
	struct poll_look a = { .whole = true }, b = { .whole = true };
	struct rl_event e = { .source = RILL_SRC_KERNEL };
	struct got g = { .n = 0 };

	add(&a, RILL_SYN_RECV, 1);
	add(&a, RILL_SYN_RECV, 2);
	add(&b, RILL_SYN_RECV, 3);
	rl_look_sort(&a);
	rl_look_sort(&b);
	e.local.port = 80;
	e.peer.port = 1;
	REQUIRE("found", rl_look_find(&a, &e));
	rl_look_find(&a, &e)->taken = true;
	rl_look_diff(&a, &b, 1, on_event, &g);
	CHECK("the other's end and the new one", g.n == 2 && g.e[0].peer.port == 2 &&
	      g.e[0].to == RILL_CLOSE && g.e[1].peer.port == 3);
	e.peer.port = 9;
	CHECK("not found", !rl_look_find(&a, &e));
	free(a.e);
	free(b.e);
}

/* ---- lives ---- */

static struct rl_event change(uint64_t id, int from, int to, int64_t us)
{
	struct rl_event e = { .source = RILL_SRC_KERNEL, .id = id, .from = (uint8_t)from,
			      .to = (uint8_t)to, .time_ns = us * 1000 };

	return e;
}

TEST(a_life_is_put_together)
{
	static const struct { int from, to; int64_t us; } steps[] = {
		{ RILL_CLOSE, RILL_SYN_SENT, 100 }, { RILL_SYN_SENT, RILL_ESTABLISHED, 150 },
		{ RILL_ESTABLISHED, RILL_FIN_WAIT1, 1150 },
		{ RILL_FIN_WAIT1, RILL_FIN_WAIT2, 1200 },
	};
	struct rl_lives *l = rl_lives_new();
	struct hist_rec r;
	struct rl_event e;

	REQUIRE("memory", l);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		e = change(5, steps[i].from, steps[i].to, steps[i].us);
		CHECK("goes on", !rl_lives_take(l, &e, &r));
	}
	e = change(5, RILL_FIN_WAIT2, RILL_TIME_WAIT, 1300);
	REQUIRE("ends", rl_lives_take(l, &e, &r));
	CHECK("times", r.opened_us == 100 && r.ended_us == 1300 &&
	      r.in_us[RILL_ESTABLISHED] == 1000 && r.in_us[RILL_FIN_WAIT2] == 100 &&
	      r.in_us[RILL_CLOSE_WAIT] == -1);
	CHECK_STR("opened", r.opened, "local");
	CHECK_STR("closed first", r.closed_first, "local");
	CHECK_STR("end", r.end, "fin");
	e = change(5, RILL_TIME_WAIT, RILL_CLOSE, 9999);
	CHECK("the end of TIME-WAIT is no second", !rl_lives_take(l, &e, &r));
	e = change(6, RILL_ESTABLISHED, RILL_CLOSE, 10);
	REQUIRE("first seen at its end", rl_lives_take(l, &e, &r));
	CHECK("what is not known is not made up", r.opened_us == -1 &&
	      r.in_us[RILL_ESTABLISHED] == -1);
	CHECK_STR("how it ended", r.end, "unknown");
	rl_lives_free(l);
}

/* Not evenly spread, so that many meet in the table. */
static uint64_t uneven(uint64_t k)
{
	return k << 40 | (k * k * 2246822519u & 0xffffffff);
}

/* Many at once, ended in another order than they began: each finds its own. */
TEST(many_lives)
{
	struct rl_lives *l = rl_lives_new();
	struct hist_rec r;
	unsigned right = 0;

	REQUIRE("memory", l);
	for (uint64_t i = 1; i <= 5000; i++) {
		struct rl_event e = change(uneven(i), RILL_CLOSE, RILL_SYN_SENT, (int64_t)i);

		rl_lives_take(l, &e, &r);
	}
	for (uint64_t i = 1; i <= 5000; i++) {
		uint64_t k = 1 + i * 2357 % 5000;
		struct rl_event e = change(uneven(k), RILL_SYN_SENT, RILL_CLOSE, 10000);

		right += rl_lives_take(l, &e, &r) && r.opened_us == (int64_t)k;
	}
	CHECK("all", right == 5000 && !rl_lives_missed(l));
	rl_lives_free(l);
}

/* ---- alarms ---- */

static const struct {
	const char *text, *why;
	double limit, clear;
	int64_t for_ms;
} rules[] = {
	{ "close-wait > 100 for 10s", NULL, 100, 90, 10000 },
	{ "close_wait>100", NULL, 100, 90, 0 },
	{ "CLOSE-WAIT >= 100 clear 50 for 2m", NULL, 100, 50, 120000 },
	{ "listen<1", NULL, 1, 1.1, 0 },
	{ "changes > 1000 for 500ms", NULL, 1000, 900, 500 },
	{ "", "a rule is", 0, 0, 0 },
	{ "close-wait", NULL, 50, 45, 0 },	/* thresholds.def */
	{ "close-wait > crit for 1s", NULL, 500, 450, 1000 },
	{ "established >= warn", NULL, 600, 540, 0 },
	{ "close-wait >", "a rule is", 0, 0, 0 },
	{ "changes > warn", "no threshold for changes", 0, 0, 0 },
	{ "orphans > crit", "no threshold for orphans", 0, 0, 0 },	/* those are in % */
	{ "frob > 1", "no such metric: frob", 0, 0, 0 },
	{ "listen > x", "not a number", 0, 0, 0 },
	{ "listen > -1", "not a number", 0, 0, 0 },
	{ "listen > nan", "not a number", 0, 0, 0 },
	{ "listen > 1 for", "for how long", 0, 0, 0 },
	{ "listen > 1 for ever", "for how long", 0, 0, 0 },
	{ "listen > 1 clear 2", "beyond", 0, 0, 0 },
	{ "listen < 1 clear 0", "beyond", 0, 0, 0 },
	{ "listen > 1 frob 2", "what is frob", 0, 0, 0 },
};

TEST(rules_are_read)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		struct thresholds t;
		struct rl_alarm a;
		char why[160] = "";
		int r;

		thresholds_init(&t);
		r = rl_alarm_parse(&a, rules[i].text, &t, why, sizeof(why));

		if (rules[i].why) {
			CHECK(rules[i].text, r < 0 && strstr(why, rules[i].why));
			continue;
		}
		CHECK(rules[i].text, r == 0 && a.limit == rules[i].limit &&
		      a.clear > rules[i].clear - 1e-9 && a.clear < rules[i].clear + 1e-9 &&
		      a.for_ms == rules[i].for_ms);
	}
}

static const struct {
	int64_t ms;
	double v;
	enum rl_alarm_step want;
} course[] = {
	{ 0, 50, RL_ALARM_SAME }, { 1000, 101, RL_ALARM_SAME }, { 5000, 150, RL_ALARM_SAME },
	{ 6000, 100, RL_ALARM_SAME },		/* back: the patience begins anew */
	{ 7000, 101, RL_ALARM_SAME }, { 16999, 101, RL_ALARM_SAME },
	{ 17000, 101, RL_ALARM_RAISED }, { 18000, 200, RL_ALARM_SAME },
	{ 30000, 95, RL_ALARM_SAME },		/* between the limits: it stays */
	{ 60000, 101, RL_ALARM_SAME }, { 61000, 95, RL_ALARM_SAME },
	{ 62000, 90, RL_ALARM_SAME }, { 71000, 91, RL_ALARM_SAME },
	{ 72000, 80, RL_ALARM_SAME }, { 82000, 80, RL_ALARM_CLEARED },
	{ 83000, 80, RL_ALARM_SAME }, { 84000, 500, RL_ALARM_SAME },
	{ 94000, 500, RL_ALARM_RAISED },
};

TEST(an_alarm_is_patient_both_ways)
{
	struct thresholds t;
	struct rl_alarm a;
	char why[160], label[40];

	thresholds_init(&t);
	REQUIRE("rule", rl_alarm_parse(&a, "close-wait > 100 for 10s", &t, why,
				       sizeof(why)) == 0);
	for (size_t i = 0; i < sizeof(course) / sizeof(course[0]); i++) {
		snprintf(label, sizeof(label), "at %d ms", (int)course[i].ms);
		CHECK(label, rl_alarm_step(&a, course[i].v, course[i].ms) == course[i].want);
	}
}

TEST(every_state_has_a_metric)
{
	for (int s = 1; s < RILL_TCP_STATES; s++)
		CHECK(rill_state_name(s), (rl_metric_of_state(s) >= 0) == (s != RILL_CLOSE));
	CHECK("none", rl_metric_of_state(0) < 0 && rl_metric_of_state(99) < 0);
}
