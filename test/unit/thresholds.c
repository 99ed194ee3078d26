/* SPDX-License-Identifier: MIT */
/* Tests of look/thresholds.c.  [C4] [D2] */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rl_test.h"
#include "look/thresholds.h"

TEST(thresholds_defaults)
{
	struct thresholds t;

	thresholds_init(&t);
	CHECK_EQ("warn at 600", t.t[THR_ESTABLISHED].warn, 600);
	CHECK_EQ("critical at 800", t.t[THR_ESTABLISHED].crit, 800);
	for (int i = 0; i < THR_COUNT; i++) {
		CHECK_EQ(t.t[i].name, thresholds_find(t.t[i].name), i);
		CHECK(t.t[i].name, t.t[i].warn != t.t[i].crit);
	}
	CHECK_EQ("spelling", thresholds_find("CLOSE_WAIT"), THR_CLOSE_WAIT);
	CHECK_EQ("part of one", thresholds_find("close"), -1);
	CHECK_EQ("more than one", thresholds_find("close-waits"), -1);
}

static const struct {
	int id;
	double value;
	int level;
} level_rows[] = {
	{ THR_ESTABLISHED, 599, 0 }, { THR_ESTABLISHED, 600, 1 }, { THR_ESTABLISHED, 799, 1 },
	{ THR_ESTABLISHED, 800, 2 }, { THR_PORTS_FREE, 21, 0 }, { THR_PORTS_FREE, 20, 1 },
	{ THR_PORTS_FREE, 5, 2 }, { THR_PORTS_FREE, 0, 2 }, { THR_LISTEN_OVERFLOWS, 0, 0 },
};

TEST(thresholds_levels)
{
	struct thresholds t;

	thresholds_init(&t);
	for (size_t i = 0; i < sizeof(level_rows) / sizeof(level_rows[0]); i++)
		CHECK_EQ(rl_label("row %zu", i),
			 threshold_level(&t.t[level_rows[i].id], level_rows[i].value),
			 level_rows[i].level);
}

static const struct {
	const char *text, *why;		/* why NULL: taken, with close-wait 7 9 */
} file_rows[] = {
	{ "close-wait 7 9", NULL },
	{ "# mine\n\n  CLOSE_WAIT\t7  9  # so few\n", NULL },
	{ "close-wait 1 2\nclose-wait 7 9\nports-free 50 10\n", NULL },
	{ "close-wait 7 9\nnothing 1 2\n", "line 2: no threshold is named nothing" },
	{ "close-wait 7\n", "line 1: close-wait needs two numbers, WARN and CRIT" },
	{ "close-wait 7 9 11\n", "line 1: close-wait needs two numbers, WARN and CRIT" },
	{ "close-wait -7 9\n", "line 1: close-wait needs two numbers, WARN and CRIT" },
	{ "close-wait 7 1e999\n", "line 1: close-wait needs two numbers, WARN and CRIT" },
	{ "close-wait 9 7\n", "line 1: close-wait: WARN must be below CRIT" },
	{ "ports-free 5 20\n", "line 1: ports-free: WARN must be above CRIT" },
};

TEST(thresholds_files)
{
	for (size_t i = 0; i < sizeof(file_rows) / sizeof(file_rows[0]); i++) {
		const char *want = file_rows[i].why;
		char *text = strdup(file_rows[i].text), why[200] = "";
		struct thresholds t;
		int r;

		thresholds_init(&t);
		r = thresholds_parse(&t, text, why, sizeof(why));
		CHECK_EQ(file_rows[i].text, r, want ? -EINVAL : 0);
		CHECK_STR(file_rows[i].text, why, want ? want : "");
		CHECK_EQ(file_rows[i].text, t.t[THR_CLOSE_WAIT].warn, want ? 50 : 7);
		CHECK_EQ(file_rows[i].text, t.t[THR_CLOSE_WAIT].crit, want ? 500 : 9);
		free(text);
	}
}

TEST(thresholds_load_a_file)
{
	struct thresholds t;
	char why[200] = "";

	thresholds_init(&t);
	CHECK_EQ("not there", thresholds_load(&t, "/nowhere/x", why, sizeof(why)), -ENOENT);
	CHECK_EQ("a directory", thresholds_load(&t, "/", why, sizeof(why)), -EISDIR);
	CHECK_EQ("without end", thresholds_load(&t, "/dev/zero", why, sizeof(why)), -EINVAL);
	CHECK_EQ("empty", thresholds_load(&t, "/dev/null", why, sizeof(why)), 0);
	CHECK_EQ("unchanged", t.t[THR_ESTABLISHED].warn, 600);
}

/* What is asked for comes first, and has to be there. */
TEST(thresholds_which_file)
{
	bool must;

	unsetenv("RILL_THRESHOLDS");
	CHECK_STR("the usual", thresholds_path(NULL, &must), THRESHOLDS_FILE);
	CHECK("need not be there", !must);
	setenv("RILL_THRESHOLDS", "/x", 1);
	CHECK_STR("environment", thresholds_path(NULL, &must), "/x");
	CHECK("has to be there", must);
	CHECK_STR("command line", thresholds_path("/y", &must), "/y");
	CHECK("that too", must);
	setenv("RILL_THRESHOLDS", "", 1);
	CHECK_STR("empty", thresholds_path(NULL, &must), THRESHOLDS_FILE);
	CHECK("as if not set", !must);
	unsetenv("RILL_THRESHOLDS");
}
