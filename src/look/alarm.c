/* SPDX-License-Identifier: MIT */
/*
 * Alarms.  A rule is raised when its condition has held for as long as it says, and
 * cleared when the value has been back beyond a second limit for equally long: a
 * value that trembles around the limit gives one alarm and not a hundred.
 *
 * Called by `rill monitor`.
 */
#include "look/alarm.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "look/thresholds.h"
#include "rill/stack.h"

#define WORDS_MAX	7

static const char *const names[RL_METRICS] = {
#define METRIC_STATE(state, name, help)	[RL_METRIC_##state] = name,
#define METRIC(id, name, unit, help)	[RL_METRIC_##id] = name,
#include "look/metrics.def"
#undef METRIC_STATE
#undef METRIC
};

const char *rl_metric_name(int metric)
{
	return metric >= 0 && metric < RL_METRICS ? names[metric] : "";
}

int rl_metric_of_state(int state)
{
	static const int of[RILL_TCP_STATES] = {
#define METRIC_STATE(state, name, help)	[RILL_##state] = RL_METRIC_##state + 1,
#define METRIC(id, name, unit, help)
#include "look/metrics.def"
#undef METRIC_STATE
#undef METRIC
	};

	return state > 0 && state < RILL_TCP_STATES ? of[state] - 1 : -1;
}

static int fail(char *why, size_t n, const char *what, const char *which)
{
	snprintf(why, n, "%s%s%s", what, *which ? " " : "", which);
	return -1;
}

static bool same_name(const char *a, const char *b)
{
	for (; *a && *b; a++, b++)
		if (tolower((unsigned char)*a) != (*b == '_' ? '-' : tolower((unsigned char)*b)))
			return false;
	return *a == *b;
}

static bool number(const char *s, double *out, const char **end)
{
	char *e;

	if (!isdigit((unsigned char)*s))
		return false;
	*out = strtod(s, &e);
	*end = e;
	return *out >= 0 && *out <= 1e15;
}

/* "10s", "500ms", "5m", "1h"; seconds without a unit */
static bool duration(const char *s, int64_t *ms)
{
	static const struct { const char *unit; double ms; } units[] = {
		{ "", 1000 }, { "s", 1000 }, { "sec", 1000 }, { "ms", 1 }, { "m", 60000 },
		{ "min", 60000 }, { "h", 3600000 },
	};
	const char *end;
	double v;

	if (!number(s, &v, &end) || v > 1e9)
		return false;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (!strcasecmp(end, units[i].unit)) {
			*ms = (int64_t)(v * units[i].ms);
			return true;
		}
	return false;
}

/* Words, and the operator apart from what it touches.  Return: how many, -1: too many. */
static int split(char *text, char *word[WORDS_MAX], char op[3])
{
	char *p = strpbrk(text, "<>"), *save = NULL;
	size_t len = p && p[1] == '=' ? 2 : 1;
	int n = 0;

	op[0] = '\0';
	if (p) {
		memcpy(op, p, len);
		op[len] = '\0';
		memset(p, ' ', len);
	}
	for (char *w = strtok_r(text, " \t", &save); w; w = strtok_r(NULL, " \t", &save)) {
		if (n == WORDS_MAX)
			return -1;
		word[n++] = w;
	}
	return n;
}

static bool above(const struct rl_alarm *a)
{
	return a->op == RL_ALARM_GT || a->op == RL_ALARM_GE;
}

/* The list's thresholds that are numbers of connections, as our metrics are. */
static bool named_limit(const struct rl_alarm *a, const struct thresholds *t, const char *word,
			double *out)
{
	int i = thresholds_find(names[a->metric]);

	if (i < 0 || strcmp(t->t[i].unit, "connections") != 0)
		return false;
	*out = strcasecmp(word, "crit") ? t->t[i].warn : t->t[i].crit;
	return !strcasecmp(word, "warn") || !strcasecmp(word, "crit");
}

static int take_limit(struct rl_alarm *a, const struct thresholds *t, const char *word, char *why,
		      size_t len)
{
	const char *end;

	if (named_limit(a, t, word, &a->limit) || (number(word, &a->limit, &end) && !*end))
		return 0;
	if (!strcasecmp(word, "warn") || !strcasecmp(word, "crit"))
		return fail(why, len, "there is no threshold for", names[a->metric]);
	return fail(why, len, "the limit is not a number, warn or crit:", word);
}

static int take_tail(struct rl_alarm *a, char **word, int n, char *why, size_t len)
{
	const char *end;

	for (int i = 2; i < n; i += 2) {
		const char *arg = i + 1 < n ? word[i + 1] : "";

		if (!strcasecmp(word[i], "for")) {
			if (!duration(arg, &a->for_ms))
				return fail(why, len, "for how long (10s, 5m)? not", arg);
		} else if (!strcasecmp(word[i], "clear")) {
			if (!number(arg, &a->clear, &end) || *end)
				return fail(why, len, "clear at which value? not", arg);
		} else {
			return fail(why, len, "what is", word[i]);
		}
	}
	if (above(a) ? a->clear > a->limit : a->clear < a->limit)
		return fail(why, len, "the value to clear at is beyond the limit", "");
	return 0;
}

int rl_alarm_parse(struct rl_alarm *a, const char *text, const struct thresholds *t, char *why,
		   size_t len)
{
	static const char *const ops[] = { ">", ">=", "<", "<=" };
	char copy[256], warn[] = "warn", *word[WORDS_MAX], op[3];
	int n;

	memset(a, 0, sizeof(*a));
	a->since_ms = -1;
	if (strlen(text) >= sizeof(copy))
		return fail(why, len, "the rule is too long", "");
	strcpy(copy, text);
	n = split(copy, word, op);
	if (n == 1 && !*op) {
		word[n++] = warn;
		strcpy(op, ">=");
	}
	if (n < 2 || !*op)
		return fail(why, len, "a rule is METRIC > NUMBER [for TIME] [clear NUMBER], not",
			    text);
	for (a->metric = 0; a->metric < RL_METRICS; a->metric++)
		if (same_name(names[a->metric], word[0]))
			break;
	if (a->metric == RL_METRICS)
		return fail(why, len, "no such metric:", word[0]);
	for (int i = 0; i < 4; i++)
		if (!strcmp(op, ops[i]))
			a->op = (enum rl_alarm_op)i;
	if (take_limit(a, t, word[1], why, len) < 0)
		return -1;
	a->clear = a->limit * (above(a) ? 0.9 : 1.1);
	return take_tail(a, word, n, why, len);
}

static bool holds(const struct rl_alarm *a, double v)
{
	switch (a->op) {
	case RL_ALARM_GT:
		return v > a->limit;
	case RL_ALARM_GE:
		return v >= a->limit;
	case RL_ALARM_LT:
		return v < a->limit;
	case RL_ALARM_LE:
		return v <= a->limit;
	}
	return false;
}

static bool is_back(const struct rl_alarm *a, double v)
{
	return !holds(a, v) && (above(a) ? v <= a->clear : v >= a->clear);
}

enum rl_alarm_step rl_alarm_step(struct rl_alarm *a, double value, int64_t now_ms)
{
	if (!(a->raised ? is_back(a, value) : holds(a, value))) {
		a->since_ms = -1;
		return RL_ALARM_SAME;
	}
	if (a->since_ms < 0)
		a->since_ms = now_ms;
	if (now_ms - a->since_ms < a->for_ms)
		return RL_ALARM_SAME;
	a->since_ms = -1;
	a->raised = !a->raised;
	return a->raised ? RL_ALARM_RAISED : RL_ALARM_CLEARED;
}
