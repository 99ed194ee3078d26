/* SPDX-License-Identifier: MIT */
/*
 * rill sysctl - the tunables of running stacks under Linux's names; without a
 * running stack the table of defaults.  Also lists the socket options.  The kernel's
 * own tunables (--kernel) are in sysctl_kernel.c.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "rill/config.h"
#include "rill/socket.h"
#include "tools/cmd.h"
#include "look/ctlc.h"
#include "tools/out.h"
#include "tools/sysctl.h"

enum { S_ALL = 1, S_WRITE, S_VERBOSE, S_JSON, S_OPTIONS, S_DEFAULTS, S_PID, S_STACK,
       S_KERNEL, S_CHANGED };

static const struct opt opts[] = {
	{ S_ALL, 'a', "all", NULL, "all tunables" },
	{ S_WRITE, 'w', "write", NULL, "what follows is NAME=VALUE (may be left out)" },
	{ S_VERBOSE, 'v', "verbose", NULL, "with default, range, unit and meaning" },
	{ S_JSON, 'j', "json", NULL, "JSON" },
	{ S_DEFAULTS, 0, "defaults", NULL, "defaults, whatever runs" },
	{ S_OPTIONS, 0, "options", NULL, "list the socket options instead" },
	{ S_KERNEL, 'k', "kernel", NULL, "the tunables of the host's kernel; all without NAME" },
	{ S_CHANGED, 'c', "changed", NULL, "with --kernel: only those that are not at their "
	  "default" },
	{ S_PID, 0, "pid", "PID", "the stacks of that process only" },
	{ S_STACK, 0, "stack", "NAME", "stacks of that name only" },
	{ 0, 0, NULL, NULL, NULL },
};

#define NAMES_MAX	64

struct sysctl {
	struct ctl_select sel;
	bool		all, write, verbose, json, options, defaults, kernel, changed;
	char		*words[NAMES_MAX];	/* NAME or NAME=VALUE */
	unsigned	nwords;
	struct ctl_stacks *stacks;
};

static int misuse(const char *what, const char *which)
{
	complain("sysctl: %s%s%s; see `rill sysctl --help`", what, *which ? " " : "", which);
	return EXIT_MISUSE;
}

/* Return: -1 to go on, or the exit status. */
static int take(struct sysctl *s, int id, char *arg)
{
	uint64_t v;

	switch (id) {
	case S_ALL:
		s->all = true;
		return -1;
	case S_WRITE:
		s->write = true;
		return -1;
	case S_VERBOSE:
		s->verbose = true;
		return -1;
	case S_JSON:
		s->json = true;
		return -1;
	case S_DEFAULTS:
		s->defaults = true;
		return -1;
	case S_OPTIONS:
		s->options = true;
		return -1;
	case S_KERNEL:
		s->kernel = true;
		return -1;
	case S_CHANGED:
		s->changed = true;
		return -1;
	case S_PID:
		if (!parse_u64(arg, 1, INT32_MAX, &v))
			return misuse("not a process number:", arg);
		s->sel.pid = (long)v;
		return -1;
	case S_STACK:
		s->sel.name = arg;
		return -1;
	case OPTW_OPERAND:
		if (s->nwords == NAMES_MAX)
			return misuse("too many names", "");
		s->words[s->nwords++] = arg;
		return -1;
	}
	return opt_status(id);
}

static int parse(const struct cmd *cmd, int argc, char **argv, struct sysctl *s)
{
	struct optwalk w = { .cmd = cmd, .argc = argc, .argv = argv, .at = 1 };
	int id, r;

	while ((id = opt_next(&w)) != OPTW_END) {
		r = take(s, id, w.arg);
		if (r >= 0)
			return r;
	}
	if (s->kernel && (s->options || s->defaults || s->sel.pid || s->sel.name))
		return misuse("--kernel is not for stacks: leave --options, --defaults, --pid and "
			      "--stack out", "");
	if (s->changed && !s->kernel)
		return misuse("-c goes with --kernel", "");
	if (!s->all && !s->options && !s->kernel && !s->nwords)
		return misuse("give a NAME, NAME=VALUE, or -a for all", "");
	for (unsigned i = 0; i < s->nwords; i++) {
		char *eq = strchr(s->words[i], '=');

		if (s->write && !eq)
			return misuse("-w needs NAME=VALUE, not", s->words[i]);
		if (eq && s->defaults)
			return misuse("defaults can't be changed:", s->words[i]);
		/* net/ipv4/tcp_sack is the same name, as in sysctl(8) */
		for (char *p = s->words[i]; *p && p != eq; p++)
			if (*p == '/')
				*p = '.';
	}
	return -1;
}

/* ---- one line each ---- */

static void put_desc(const char *unit, int64_t min, int64_t max, int64_t count,
		     const char *dflt, const char *help)
{
	printf("    %s (%s", help, unit);
	if (count)
		printf(", %" PRId64 " to %" PRId64, min, max);
	printf("; default %s)\n", *dflt ? dflt : "empty");
}

static void put_json(const char *name, const char *value, bool first)
{
	printf(first ? "\n{\"name\":" : ",\n{\"name\":");
	out_json_str(name);
	printf(",\"value\":");
	out_json_str(value);
	putchar('}');
}

/* ---- socket options ---- */

static int list_options(const struct sysctl *s)
{
	const struct rill_sockopt_desc *d;

	if (s->json)
		printf("{\"rill\":1,\"options\":[");
	for (unsigned i = 0; (d = rill_sockopt_desc(i)) != NULL; i++) {
		if (s->json)
			printf("%s{\"level\":\"%s\",\"name\":\"%s\",\"type\":\"%s\","
			       "\"get\":%s,\"set\":%s,\"help\":", i ? ",\n" : "\n",
			       d->level, d->name, d->type, d->gettable ? "true" : "false",
			       d->settable ? "true" : "false");
		else
			printf("%-12s %-22s %-8s %s%s  ", d->level, d->name, d->type,
			       d->gettable ? "r" : "-", d->settable ? "w" : "-");
		if (s->json) {
			out_json_str(d->help);
			putchar('}');
		} else {
			puts(d->help);
		}
	}
	if (s->json)
		printf("\n]}\n");
	return EXIT_DONE;
}

/* ---- without a stack ---- */

static void put_default(const struct sysctl *s, const struct rill_sysctl_desc *d, bool first)
{
	if (s->json) {
		put_json(d->name, d->dflt, first);
		return;
	}
	printf("%s = %s\n", d->name, d->dflt);
	if (s->verbose)
		put_desc(d->unit, d->min, d->max, d->count, d->dflt, d->help);
}

static const struct rill_sysctl_desc *find(const char *name)
{
	const struct rill_sysctl_desc *d;

	for (unsigned i = 0; (d = rill_sysctl_desc(i)) != NULL; i++)
		if (!strcmp(d->name, name))
			return d;
	return NULL;
}

/* Unknown, or known and not supported: refused with the reason. */
static bool check_name(char *word)
{
	size_t n = strcspn(word, "=");
	const char *why;
	char name[128];

	snprintf(name, sizeof(name), "%.*s", (int)n, word);
	if (find(name))
		return true;
	why = rill_sysctl_refusal(name);
	if (why)
		complain("sysctl: %s is not supported: %s", name, why);
	else
		complain("sysctl: %s is unknown; `rill sysctl -a` lists those there are",
			 name);
	return false;
}

static int show_defaults(const struct sysctl *s)
{
	const struct rill_sysctl_desc *d;

	if (!s->defaults)
		fprintf(stderr, "rill: no stack runs; these are the defaults\n");
	if (s->json)
		printf("{\"rill\":1,\"defaults\":[");
	for (unsigned i = 0; s->all && (d = rill_sysctl_desc(i)) != NULL; i++)
		put_default(s, d, i == 0);
	for (unsigned i = 0; !s->all && i < s->nwords; i++)
		put_default(s, find(s->words[i]), i == 0);
	if (s->json)
		printf("\n]}\n");
	return EXIT_DONE;
}

/* ---- of a running stack ---- */

static void put_live(const struct sysctl *s, const json_t *o, bool first)
{
	if (s->json) {
		put_json(ctlc_str(o, "name"), ctlc_str(o, "value"), first);
		return;
	}
	printf("%s = %s\n", ctlc_str(o, "name"), ctlc_str(o, "value"));
	if (s->verbose)
		put_desc(ctlc_str(o, "unit"), ctlc_int(o, "min"), ctlc_int(o, "max"),
			 ctlc_int(o, "count"), ctlc_str(o, "default"), ctlc_str(o, "help"));
}

static bool show_all(const struct sysctl *s, struct ctl_stack *st)
{
	json_t *reply = ctlc_ask(st, json_pack("{s:s, s:s}", "cmd", "sysctl", "op", "list"));
	const json_t *list = json_object_get(reply, "sysctls");

	for (size_t i = 0; i < json_array_size(list); i++)
		put_live(s, json_array_get(list, i), i == 0);
	json_decref(reply);
	return reply != NULL;
}

/* For -v the description comes from our own table: names are the same. */
static void add_desc(json_t *o)
{
	const struct rill_sysctl_desc *d = find(ctlc_str(o, "name"));

	if (!d)
		return;
	json_object_set_new(o, "unit", json_string(d->unit));
	json_object_set_new(o, "default", json_string(d->dflt));
	json_object_set_new(o, "help", json_string(d->help));
	json_object_set_new(o, "min", json_integer(d->min));
	json_object_set_new(o, "max", json_integer(d->max));
	json_object_set_new(o, "count", json_integer(d->count));
}

static bool one_word(const struct sysctl *s, struct ctl_stack *st, const char *word,
		     bool first)
{
	size_t n = strcspn(word, "=");
	char name[128];
	json_t *req, *reply;

	snprintf(name, sizeof(name), "%.*s", (int)n, word);
	req = json_pack("{s:s, s:s, s:s}", "cmd", "sysctl", "op", word[n] ? "set" : "get",
			"name", name);
	if (word[n])
		json_object_set_new(req, "value", json_string(word + n + 1));
	reply = ctlc_ask(st, req);
	if (!reply)
		return false;
	add_desc(reply);
	put_live(s, reply, first);
	json_decref(reply);
	return true;
}

static bool one_stack(const struct sysctl *s, struct ctl_stack *st, bool first)
{
	char label[96];
	bool ok = true;

	ctlc_label(st, label, sizeof(label));
	if (s->json) {
		printf("%s{\"pid\":%ld,\"stack\":", first ? "\n" : ",\n", st->pid);
		out_json_str(st->name);
		printf(",\"sysctls\":[");
	} else if (s->stacks->n > 1) {
		printf("%s== %s\n", first ? "" : "\n", label);
	}
	if (s->all)
		ok = show_all(s, st);
	for (unsigned i = 0; i < s->nwords; i++)
		ok = one_word(s, st, s->words[i], !s->all && i == 0) && ok;
	if (s->json)
		printf("\n]}");
	return ok;
}

static int live(const struct sysctl *s)
{
	int status = EXIT_DONE;

	if (s->json)
		printf("{\"rill\":1,\"stacks\":[");
	for (unsigned i = 0; i < s->stacks->n; i++)
		if (!one_stack(s, &s->stacks->list[i], i == 0))
			status = EXIT_FAILED;
	if (s->json)
		printf("\n]}\n");
	return status;
}

static bool sets_something(const struct sysctl *s)
{
	for (unsigned i = 0; i < s->nwords; i++)
		if (strchr(s->words[i], '='))
			return true;
	return false;
}

static int run(const struct cmd *cmd, int argc, char **argv)
{
	static struct ctl_stacks stacks;
	struct sysctl s = { .stacks = &stacks };
	int status = parse(cmd, argc, argv, &s);

	if (status >= 0)
		return status;
	if (s.options)
		return out_finish(list_options(&s));
	if (s.kernel)
		return out_finish(sysctl_kernel(&(struct sysctl_kernel) {
			.verbose = s.verbose, .json = s.json, .changed = s.changed,
			.words = s.words, .nwords = s.all ? 0 : s.nwords }));
	for (unsigned i = 0; i < s.nwords; i++)
		if (!check_name(s.words[i]))
			return EXIT_FAILED;
	if (!s.defaults)
		ctlc_open(&stacks, &s.sel);
	if (stacks.n) {
		status = live(&s);
		ctlc_close(&stacks);
	} else if (!s.defaults && (sets_something(&s) || s.sel.pid || s.sel.name)) {
		ctlc_complain_none(&stacks, &s.sel);
		status = EXIT_FAILED;
	} else {
		status = show_defaults(&s);
	}
	return out_finish(status);
}

const struct cmd cmd_sysctl = {
	.name = "sysctl",
	.args = "[NAME | NAME=VALUE]...",
	.help = "tunables of running stacks, or the defaults",
	.about = "Shows and sets tunables of all Rill stacks that run, under Linux's names, with\n"
		 "Linux's units.  Where none runs, the defaults are shown.  A name of Linux's\n"
		 "that is not supported is refused with the reason.  To set one from the start,\n"
		 "give --sysctl NAME=VALUE to the command that runs the stack.\n\n"
		 "With --kernel the tunables are those of the host's kernel, in this network\n"
		 "namespace: NAME may be a part of a name or a pattern with * and ?; those that\n"
		 "differ from the kernel's default are marked; -v says what each does, when to\n"
		 "touch it and when not.  NAME=VALUE sets one and needs root.",
	.example = "  rill sysctl -v net.ipv4.tcp_keepalive_time\n"
		   "  rill sysctl --kernel -v tcp_tw",
	.opts = opts,
	.run = run,
};
