/* SPDX-License-Identifier: MIT */
/* Tests of look/probe_verdict.c: which hop is named for which losses [B7] [B8]. */
#include <stdio.h>
#include <stdlib.h>

#include "rl_test.h"
#include "look/probe.h"

/*
 * A path by the answers of each hop out of 100: "100 100 70 70" is loss at hop 3;
 * "x": no answer at all.  The last hop is the destination unless '!' stands behind.
 */
static struct probe_run run;

static void set_hop(unsigned t, unsigned got)
{
	struct probe_hop *h = &run.hop[t];

	h->stat = (struct probe_stat){ .sent = 100, .recv = got, .lost = 100 - got };
	if (got) {
		h->naddrs = 1;
		h->addr[0] = (struct rill_ip){ .b = { [10] = 0xff, [11] = 0xff, 10, 0,
						      (uint8_t)t, 1 } };
	}
}

static void path(const char *text)
{
	unsigned t = 0;
	char *end;

	memset(&run, 0, sizeof(run));
	run.plan = (struct probe_plan){ .first = 1, .interval_ns = 1, .queries = 1 };
	while (*text && *text != '!') {
		if (*text == 'x') {
			set_hop(++t, 0);
			text++;
		} else {
			set_hop(++t, (unsigned)strtoul(text, &end, 10));
			text = end;
		}
		text += *text == ' ';
	}
	run.plan.last = run.end = t;
	run.hop[t].reached = *text != '!' && run.hop[t].stat.recv;
}

static const struct {
	const char *path, *verdict;
	uint64_t limited, mute;
} rows[] = {
	{ "100 100 100", "no loss up to hop 3 (10.0.3.1)", 0, 0 },
	{ "100 100 70 70 70", "loss begins at hop 3 (10.0.3.1): 30 %", 0, 0 },
	{ "100 100 71 69 70", "loss begins at hop 3 (10.0.3.1): 30 %", 0, 0 },
	{ "70 70 70", "loss begins at hop 1 (10.0.1.1): 30 %", 0, 0 },
	{ "100 100 100 99", "loss begins at hop 4 (10.0.4.1): 1 %", 0, 0 },
	/* a router that rations its answers is not at fault ... */
	{ "100 40 100 100", "no loss up to hop 4 (10.0.4.1)", 1 << 1, 0 },
	{ "100 40 100 70 70", "loss begins at hop 4 (10.0.4.1): 30 %", 1 << 1, 0 },
	{ "50 40 30 100", "no loss up to hop 4 (10.0.4.1)", 7, 0 },
	/* ... but loss that begins at it or behind it can't be told apart */
	{ "100 100 20 70 70", "loss begins between hop 3 (10.0.3.1) and hop 4 (10.0.4.1): 30 %",
	  1 << 2, 0 },
	/* mute routers pass packets on */
	{ "100 x 100", "no loss up to hop 3 (10.0.3.1)", 0, 1 << 1 },
	{ "100 x 60 60", "loss begins between hop 2 (silent) and hop 3 (10.0.3.1): 40 %", 0,
	  1 << 1 },
	{ "x x 60", "loss begins between hop 1 (silent) and hop 3 (10.0.3.1): 40 %", 0, 3 },
	/* two places */
	{ "100 95 95 60 60", "loss begins at hop 4 (10.0.4.1): 40 %", 0, 0 },
	{ "100 75 75 60 60", "loss begins at hop 2 (10.0.2.1): 25 %, 40 % in the end", 0, 0 },
	{ "100 100 x x!", "hop 2 (10.0.2.1) is the last that answers: what lies behind it is down, "
	  "or drops these probes", 0, 0 },
	{ "x x x!", "nobody answers, not even the first hop: is there a route, and does a filter "
	  "here drop the probes or the answers?", 0, 0 },
};

TEST(verdicts)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct probe_verdict v;
		char text[PROBE_TEXT];

		path(rows[i].path);
		probe_judge(&run, &v);
		probe_verdict_text(&run, &v, text);
		CHECK_STR(rows[i].path, text, rows[i].verdict);
		CHECK_UEQ(rl_label("rationing in %s", rows[i].path), v.limited, rows[i].limited);
		CHECK_UEQ(rl_label("mute in %s", rows[i].path), v.mute, rows[i].mute);
	}
}

TEST(a_refusal_is_named)
{
	struct probe_verdict v;
	char text[PROBE_TEXT];

	path("100 100 100!");
	run.hop[3].refusal = (struct probe_answer){ .what = PROBE_REFUSED, .type = 3, .code = 13 };
	probe_judge(&run, &v);
	probe_verdict_text(&run, &v, text);
	CHECK_STR("text", text, "hop 3 (10.0.3.1) refuses: prohibited by a filter");
}

TEST(a_circle_is_seen)
{
	struct probe_verdict v;
	char text[PROBE_TEXT];

	path("100 100 100 100 100!");
	run.hop[4].addr[0] = run.hop[2].addr[0];
	run.hop[5].addr[0] = run.hop[3].addr[0];
	probe_judge(&run, &v);
	probe_verdict_text(&run, &v, text);
	CHECK_STR("text", text, "the path goes in a circle: hop 2 (10.0.2.1) comes again as hop 4; "
		  "the routes of these routers contradict each other");
	path("100 100 100!");
	run.hop[3].addr[0] = run.hop[2].addr[0];
	probe_judge(&run, &v);
	CHECK("twice in a row is none", v.finding == PROBE_ENDS);
}

TEST(notes)
{
	struct probe_verdict v;
	char text[PROBE_TEXT];

	path("100 40 x 100");
	probe_judge(&run, &v);
	CHECK("nothing about hop 1", !probe_note_text(&run, &v, 1, text));
	CHECK("about hop 2", probe_note_text(&run, &v, 2, text));
	CHECK_STR("rationing", text, "hop 2 (10.0.2.1) answers only 40 %, but passes more on: it "
		  "limits its own answers, that is no loss");
	CHECK("about hop 3", probe_note_text(&run, &v, 3, text));
	CHECK_STR("mute", text,
		  "hop 3 never answers, but passes packets on: that is no loss");
}

TEST(chance_is_no_ration)
{
	struct probe_verdict v;

	path("97 99 98 98");
	probe_judge(&run, &v);
	CHECK_UEQ("one percent more or less", v.limited, 0);
}
