/* SPDX-License-Identifier: MIT */
/*
 * rill check - one look at the host or a stack for a monitoring system: a status line
 * with performance data and an exit status, as Nagios and its relatives read them.
 * Everything that keeps it from an answer is UNKNOWN, a wrong command line too.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/check.h"
#include "tools/cmd.h"
#include "tools/out.h"

enum { C_STATE = 1, C_WARN, C_CRIT, C_INTERVAL, C_FILE, C_LIST, C_JSON };
enum { LEVEL_OK, LEVEL_WARNING, LEVEL_CRITICAL, LEVEL_UNKNOWN };

static const struct opt opts[] = {
	{ C_STATE, 's', "state", "STATE", "the number of connections in that state" },
	{ C_WARN, 'w', "warning", "N", "WARNING from there; with one check" },
	{ C_CRIT, 'c', "critical", "N", "CRITICAL from there; with one check" },
	{ C_INTERVAL, 'i', "interval", "SEC", "time over which rates are taken; default 1" },
	{ C_FILE, 0, "thresholds", "FILE", "thresholds from that file, not from "
	  THRESHOLDS_FILE },
	{ C_LIST, 'l', "list", NULL, "list the checks and their thresholds" },
	{ C_JSON, 'j', "json", NULL, "JSON" },
	SOURCE_OPTS,
	{ 0, 0, NULL, NULL, NULL },
};

struct check {
	const struct cmd *cmd;
	struct source	src;
	struct thresholds thr;
	bool		want[THR_COUNT], named;
	int		nwant, one;	/* @one: the last that was named */
	bool		list, json, has_warn, has_crit;
	double		warn, crit;
	int		interval_ms;
	const char	*file;
};

static const char *const level_names[] = { "OK", "WARNING", "CRITICAL", "UNKNOWN" };

static int unknown(const struct check *c, const char *why)
{
	if (c->json)
		printf("{\"rill\":1,\"status\":\"UNKNOWN\",\"checks\":[]}\n");
	else
		printf("RILL UNKNOWN - %s\n", why);
	return LEVEL_UNKNOWN;
}

/* ---- arguments ---- */

static bool add(struct check *c, int id, const char *arg)
{
	if (id < 0) {
		complain("check: nothing is named %s; see `rill check --list`", arg);
		return false;
	}
	c->nwant += !c->want[id];
	c->want[id] = true;
	c->named = true;
	c->one = id;
	return true;
}

static bool number(const char *opt, const char *arg, double *v, bool *has)
{
	char *end;

	*v = strtod(arg, &end);
	*has = end != arg && !*end && *v >= 0 && *v < 1e15;
	if (!*has)
		complain("check: %s %s: give a number", opt, arg);
	return *has;
}

static bool take(struct check *c, int id, const char *arg)
{
	int r = source_arg(&c->src, c->cmd, id, arg);

	if (r)
		return r > 0;
	switch (id) {
	case C_STATE:
		return add(c, check_state(arg), arg);
	case C_WARN:
		return number("-w", arg, &c->warn, &c->has_warn);
	case C_CRIT:
		return number("-c", arg, &c->crit, &c->has_crit);
	case C_INTERVAL:
		if (parse_seconds(arg, &c->interval_ms) && c->interval_ms)
			return true;
		complain("check: --interval %s: give seconds above 0", arg);
		return false;
	case C_FILE:
		c->file = arg;
		return true;
	case C_LIST:
		c->list = true;
		return true;
	case C_JSON:
		c->json = true;
		return true;
	case OPTW_OPERAND:
		return add(c, thresholds_find(arg), arg);
	}
	return false;			/* complained of */
}

static bool load(struct check *c)
{
	bool must;
	const char *path = thresholds_path(c->file, &must);
	char why[200] = "";
	int r = thresholds_load(&c->thr, path, why, sizeof(why));

	if (r == 0 || (r == -ENOENT && !must))
		return true;
	complain("check: %s: %s", path, *why ? why : strerror(-r));
	return false;
}

/* -w and -c onto the one check that was named. */
static bool apply(struct check *c)
{
	struct threshold *t = &c->thr.t[c->one];
	bool few = t->warn > t->crit;

	if (!c->has_warn && !c->has_crit)
		return true;
	if (c->nwant != 1) {
		complain("check: -w and -c go with one check; several have a file: --thresholds");
		return false;
	}
	if (c->has_warn)
		t->warn = c->warn;
	if (c->has_crit)
		t->crit = c->crit;
	if (t->warn == t->crit || few == (t->warn > t->crit))
		return true;
	complain("check: %s: WARNING at %g and CRITICAL at %g: give both, -w %s -c", t->name,
		 t->warn, t->crit, few ? "above" : "below");
	return false;
}

static int parse(const struct cmd *cmd, int argc, char **argv, struct check *c)
{
	struct optwalk w = { .cmd = cmd, .argc = argc, .argv = argv, .at = 1 };
	int id;

	while ((id = opt_next(&w)) != OPTW_END) {
		if (id == OPTW_HELPED)
			return opt_status(id);
		if (!take(c, id, w.arg))
			return unknown(c, "the command line is wrong");
	}
	thresholds_init(&c->thr);
	if (!load(c) || !apply(c))
		return unknown(c, "the thresholds are wrong");
	for (int i = 0; !c->named && i < THR_COUNT; i++)
		c->want[i] = true;
	return -1;
}

/* ---- the answer ---- */

static void list(const struct check *c)
{
	if (c->json)
		printf("{\"rill\":1,\"thresholds\":[");
	for (int i = 0; i < THR_COUNT; i++) {
		const struct threshold *t = &c->thr.t[i];

		if (c->json)
			printf("%s{\"name\":\"%s\",\"warn\":%g,\"crit\":%g,\"unit\":\"%s\","
			       "\"help\":\"%s\"}", i ? ",\n" : "\n", t->name, t->warn,
			       t->crit, t->unit, t->help);
		else
			printf("%-17s %8g %8g  %-12s %s\n", t->name, t->warn, t->crit, t->unit,
			       t->help);
	}
	if (c->json)
		printf("\n]}\n");
}

static int level(const struct check *c, const struct check_values *v, int i)
{
	if (v->known[i])
		return threshold_level(&c->thr.t[i], v->value[i]);
	return c->named ? LEVEL_UNKNOWN : LEVEL_OK;
}

/* CRITICAL is worse than UNKNOWN, and that than WARNING. */
static int worst(const struct check *c, const struct check_values *v)
{
	static const int rank[] = { 0, 1, 3, 2 };
	int w = LEVEL_OK;

	for (int i = 0; i < THR_COUNT; i++)
		if (c->want[i] && rank[level(c, v, i)] > rank[w])
			w = level(c, v, i);
	return w;
}

static const char *num(double v, char buf[32])
{
	snprintf(buf, 32, "%.2f", v);
	buf[strcspn(buf, ".") + (strstr(buf, ".00") ? 0 : 3)] = '\0';
	return buf;
}

static void put_one(const struct check *c, const struct check_values *v, int i)
{
	const struct threshold *t = &c->thr.t[i];
	const char *unit = *t->unit == '%' || *t->unit == '/' ? t->unit : "";
	int l = level(c, v, i);
	char a[32], b[32];

	if (!v->known[i])
		printf("%s is not known here", t->name);
	else if (l)
		printf("%s %s%s (%s %s %s)", t->name, num(v->value[i], a), unit,
		       l == LEVEL_CRITICAL ? "critical" : "warning",
		       t->warn > t->crit ? "down from" : "from",
		       num(l == LEVEL_CRITICAL ? t->crit : t->warn, b));
	else
		printf("%s %s%s", t->name, num(v->value[i], a), unit);
}

/* What is wrong; when nothing is: the values asked for, or how many there were. */
static void put_line(const struct check *c, const struct check_values *v, int status)
{
	unsigned n = 0, good = 0;
	char label[96];

	printf("RILL %s - ", level_names[status]);
	if (c->src.stacks || c->src.netns_pid)
		printf("%s: ", source_label(&c->src, label, sizeof(label)));
	for (int i = 0; i < THR_COUNT; i++) {
		if (!c->want[i])
			continue;
		good += v->known[i];
		if (level(c, v, i) == LEVEL_OK && (status != LEVEL_OK || !c->named))
			continue;
		printf("%s", n++ ? ", " : "");
		put_one(c, v, i);
	}
	if (!n)
		printf("%u values within their limits", good);
}

/* label=value[UOM];warn;crit;min[;max]; "20:" is an alarm below 20 */
static void put_perf(const struct check *c, const struct check_values *v)
{
	char a[32], w[32], k[32];

	printf(" |");
	for (int i = 0; i < THR_COUNT; i++) {
		const struct threshold *t = &c->thr.t[i];
		const char *few = t->warn > t->crit ? ":" : "";

		if (c->want[i] && v->known[i])
			printf(" %s=%s%s;%s%s;%s%s;0%s", t->name, num(v->value[i], a),
			       *t->unit == '%' ? "%" : "", num(t->warn, w), few, num(t->crit, k),
			       few, *t->unit == '%' ? ";100" : "");
	}
	putchar('\n');
}

static void put_json(const struct check *c, const struct check_values *v, int status)
{
	char label[96];
	bool some = false;

	printf("{\"rill\":1,\"status\":\"%s\",\"source\":", level_names[status]);
	out_json_str(source_label(&c->src, label, sizeof(label)));
	printf(",\"interval_s\":%.3f,\"checks\":[", v->seconds);
	for (int i = 0; i < THR_COUNT; i++) {
		const struct threshold *t = &c->thr.t[i];

		if (!c->want[i] || (!v->known[i] && !c->named))
			continue;
		printf("%s{\"name\":\"%s\",\"status\":\"%s\",\"value\":", some ? ",\n" : "\n",
		       t->name, level_names[level(c, v, i)]);
		if (v->known[i])
			printf("%.10g", v->value[i]);
		else
			printf("null");
		printf(",\"unit\":\"%s\",\"warn\":%g,\"crit\":%g}", t->unit, t->warn, t->crit);
		some = true;
	}
	printf("\n]}\n");
}

static int answer(struct check *c)
{
	static struct check_values v;
	int status;

	if (!check_read(&c->src, c->cmd, c->want, c->interval_ms, &v))
		return unknown(c, "it could not be read");
	status = worst(c, &v);
	if (c->json) {
		put_json(c, &v, status);
		return status;
	}
	put_line(c, &v, status);
	put_perf(c, &v);
	return status;
}

static int run(const struct cmd *cmd, int argc, char **argv)
{
	static struct check c = { .interval_ms = 1000 };
	int status;

	c.cmd = cmd;
	status = parse(cmd, argc, argv, &c);
	if (status >= 0)
		return status;
	if (c.list) {
		list(&c);
		return out_finish(EXIT_DONE);
	}
	if (source_enter(&c.src, cmd) != EXIT_DONE || source_open(&c.src, cmd) != EXIT_DONE)
		status = unknown(&c, "what is to be checked is not there");
	else
		status = answer(&c);
	source_close(&c.src);
	return out_finish(status);
}

const struct cmd cmd_check = {
	.name = "check",
	.args = "[CHECK]...",
	.help = "states, rates and limits against thresholds, for a monitoring system",
	.about = "Looks once at the host's kernel, or a running stack, and says by its exit\n"
		 "status whether all is well: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN, with one\n"
		 "status line and performance data.  Without CHECK and --state everything is\n"
		 "looked at that --list names.  A value at its limit counts as beyond it.\n\n"
		 "Thresholds come from -w and -c, the file of --thresholds, /etc/rill/thresholds\n"
		 "(\"NAME WARN CRIT\" a line, # begins a comment), or the list.",
	.example = "  rill check --state close-wait -w 100 -c 500",
	.opts = opts,
	.run = run,
};
