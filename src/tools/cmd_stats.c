/* SPDX-License-Identifier: MIT */
/*
 * rill stats - the counters of running stacks: by module, drop reasons, hold
 * reasons, pools; since the start or over an interval.
 */
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tools/cmd.h"
#include "look/ctlc.h"
#include "tools/out.h"

enum { S_JSON = 1, S_DELTA, S_ZEROS, S_PID, S_STACK };

static const struct opt opts[] = {
	{ S_JSON, 'j', "json", NULL, "JSON" },
	{ S_DELTA, 'd', "delta", "SEC", "growth over that time; pools: as they are then" },
	{ S_ZEROS, 'z', "zeros", NULL, "those that are 0 as well" },
	{ S_PID, 0, "pid", "PID", "the stacks of that process only" },
	{ S_STACK, 0, "stack", "NAME", "stacks of that name only" },
	{ 0, 0, NULL, NULL, NULL },
};

struct stats {
	struct ctl_select sel;
	bool		json, zeros;
	int		delta_ms;
	const char	*pattern;	/* NULL: all */
};

/* Return: -1 to go on, or the exit status. */
static int parse(const struct cmd *cmd, int argc, char **argv, struct stats *s)
{
	struct optwalk w = { .cmd = cmd, .argc = argc, .argv = argv, .at = 1 };
	uint64_t v;
	int id;

	while ((id = opt_next(&w)) != OPTW_END) {
		switch (id) {
		case S_JSON:
			s->json = true;
			break;
		case S_ZEROS:
			s->zeros = true;
			break;
		case S_DELTA:
			if (!parse_seconds(w.arg, &s->delta_ms) || !s->delta_ms) {
				complain("stats: --delta %s: give seconds above 0", w.arg);
				return EXIT_MISUSE;
			}
			break;
		case S_PID:
			if (!parse_u64(w.arg, 1, INT32_MAX, &v)) {
				complain("stats: --pid %s: give a process number", w.arg);
				return EXIT_MISUSE;
			}
			s->sel.pid = (long)v;
			break;
		case S_STACK:
			s->sel.name = w.arg;
			break;
		case OPTW_OPERAND:
			if (s->pattern) {
				complain("stats: one pattern only, not %s too", w.arg);
				return EXIT_MISUSE;
			}
			s->pattern = w.arg;
			break;
		default:
			return opt_status(id);
		}
	}
	return -1;
}

/* A plain word matches anywhere in the name; *, ? and [ make it a pattern. */
static bool matches(const struct stats *s, const char *name)
{
	if (!s->pattern)
		return true;
	if (strpbrk(s->pattern, "*?["))
		return fnmatch(s->pattern, name, 0) == 0;
	return strstr(name, s->pattern) != NULL;
}

static bool is_gauge(const char *name)
{
	return !strncmp(name, "pool.", 5);
}

/* Counters keep their order from reply to reply. */
static int64_t value(const json_t *now, const json_t *before, size_t i)
{
	const json_t *c = json_array_get(now, i);

	if (!before || is_gauge(ctlc_str(c, "name")))
		return ctlc_int(c, "value");
	return ctlc_int(c, "value") - ctlc_int(json_array_get(before, i), "value");
}

static void put_text(const struct stats *s, const json_t *c, int64_t v)
{
	const char *name = ctlc_str(c, "name");

	printf("%-28s %14" PRId64, name, v);
	if (s->delta_ms && !is_gauge(name))
		printf(" %12.1f/s", (double)v * 1000 / s->delta_ms);
	printf("  %s: %s\n", ctlc_str(c, "unit"), ctlc_str(c, "help"));
}

static void put_json(const json_t *c, int64_t v, bool first)
{
	printf(first ? "\n{\"name\":" : ",\n{\"name\":");
	out_json_str(ctlc_str(c, "name"));
	printf(",\"value\":%" PRId64 ",\"unit\":", v);
	out_json_str(ctlc_str(c, "unit"));
	printf(",\"help\":");
	out_json_str(ctlc_str(c, "help"));
	putchar('}');
}

static unsigned put_all(const struct stats *s, const json_t *now, const json_t *before)
{
	unsigned shown = 0;

	for (size_t i = 0; i < json_array_size(now); i++) {
		const json_t *c = json_array_get(now, i);
		int64_t v = value(now, before, i);

		if (!matches(s, ctlc_str(c, "name")) || (!v && !s->zeros))
			continue;
		if (s->json)
			put_json(c, v, shown == 0);
		else
			put_text(s, c, v);
		shown++;
	}
	return shown;
}

static bool known(const struct stats *s, const json_t *counters)
{
	for (size_t i = 0; i < json_array_size(counters); i++)
		if (matches(s, ctlc_str(json_array_get(counters, i), "name")))
			return true;
	return false;
}

static json_t *ask(struct ctl_stack *st)
{
	return ctlc_ask(st, json_pack("{s:s}", "cmd", "stats"));
}

static void wait_ms(int ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000L };

	while (nanosleep(&ts, &ts) < 0)
		;			/* interrupted: the rest */
}

static bool show(const struct stats *s, struct ctl_stacks *stacks, unsigned i, json_t *before)
{
	struct ctl_stack *st = &stacks->list[i];
	json_t *reply = ask(st), *now = json_object_get(reply, "counters");
	char label[96];
	bool ok = reply && known(s, now);

	if (reply && !ok)
		complain("stats: no counter matches %s; `rill stats --zeros` lists them",
			 s->pattern);
	if (ok && s->json) {
		printf("%s{\"pid\":%ld,\"stack\":", i ? ",\n" : "\n", st->pid);
		out_json_str(st->name);
		printf(",\"interval_ms\":%d,\"counters\":[", s->delta_ms);
	} else if (ok && stacks->n > 1) {
		printf("%s== %s\n", i ? "\n" : "", ctlc_label(st, label, sizeof(label)));
	}
	if (ok)
		put_all(s, now, json_object_get(before, "counters"));
	if (ok && s->json)
		printf("\n]}");
	json_decref(reply);
	return ok;
}

static int run(const struct cmd *cmd, int argc, char **argv)
{
	static struct ctl_stacks stacks;
	static json_t *before[CTLC_STACKS_MAX];
	struct stats s = { 0 };
	int status = parse(cmd, argc, argv, &s);

	if (status >= 0)
		return status;
	ctlc_open(&stacks, &s.sel);
	if (!stacks.n) {
		ctlc_complain_none(&stacks, &s.sel);
		return EXIT_FAILED;
	}
	status = EXIT_DONE;
	if (s.delta_ms) {
		for (unsigned i = 0; i < stacks.n; i++)
			before[i] = ask(&stacks.list[i]);
		wait_ms(s.delta_ms);
	}
	if (s.json)
		printf("{\"rill\":1,\"stacks\":[");
	for (unsigned i = 0; i < stacks.n; i++) {
		if (!show(&s, &stacks, i, before[i]))
			status = EXIT_FAILED;
		json_decref(before[i]);
	}
	if (s.json)
		printf("\n]}\n");
	ctlc_close(&stacks);
	return out_finish(status);
}

const struct cmd cmd_stats = {
	.name = "stats",
	.args = "[PATTERN]",
	.help = "counters of running stacks",
	.about = "Shows the counters of all Rill stacks that run, with unit and meaning:\n"
		 "MODULE.NAME, drop.REASON (why packets were discarded), hold.REASON (why data\n"
		 "was not sent), pool.NAME (what is in use).  PATTERN is a part of the name or,\n"
		 "with * or ?, a pattern for all of it.",
	.example = "  rill stats 'drop.*'",
	.opts = opts,
	.run = run,
};
