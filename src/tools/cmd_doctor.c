/* SPDX-License-Identifier: MIT */
/*
 * rill doctor - what is wrong with this host's connections, and what to do.  Looks
 * once; looks again after a second when a rule has to see growth; asks idle peers
 * when it has to know who is still there.  The rules are in look/rules_*.c.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "look/ctlc.h"
#include "look/lang.h"
#include "look/thresholds.h"
#include "tools/cmd.h"
#include "tools/doctor.h"
#include "tools/out.h"

enum {
	D_JSON = 1, D_LIST, D_WATCH, D_LANG, D_NO_PROBE, D_LIMIT, D_FILE, D_PID, D_STACK,
	D_KERNEL, D_RILL,
};

static const struct opt opts[] = {
	{ D_JSON, 'j', "json", NULL, "JSON" },
	{ D_LIST, 'l', "list", NULL, "list the topics" },
	{ D_WATCH, 'w', "watch", "SEC", "watch for so long; without it 1 s, and only when growth "
					"or rates matter" },
	{ D_KERNEL, 'k', "kernel", NULL, "the host's kernel only" },
	{ D_RILL, 'r', "rill", NULL, "running stacks only" },
	{ D_PID, 0, "pid", "PID", "the stacks of that process only" },
	{ D_STACK, 0, "stack", "NAME", "stacks of that name only" },
	{ D_LIMIT, 0, "limit", "NAME=WARN[,CRIT]", "from which number on it is a finding" },
	{ D_FILE, 0, "thresholds", "FILE", "numbers from there; default: " THRESHOLDS_FILE },
	{ D_NO_PROBE, 'n', "no-probe", NULL, "send no keepalive probes on idle connections" },
	{ D_LANG, 0, "lang", "NAME", "language: en, zh_CN; otherwise that of the locale" },
	{ 0, 0, NULL, NULL, NULL },
};

enum { EXIT_UNKNOWN = 3 };

#define WATCH_MS	1000

static int misuse(const char *what, const char *which)
{
	complain("doctor: %s %s; see `rill doctor --help`", what, which);
	return EXIT_UNKNOWN;
}

/* ---- the command line ---- */

static bool set_limit(struct rl_limits *l, const char *text)
{
	static const char *const names[] = {
#define LIMIT(id, name, warn, crit, unit, help)	name,
#include "look/limits.def"
#undef LIMIT
	};
	const char *eq = strchr(text, '=');
	char *end = NULL;

	for (size_t i = 0; eq && i < RL_LIM_N; i++) {
		if (strlen(names[i]) != (size_t)(eq - text) ||
		    strncmp(names[i], text, (size_t)(eq - text)) != 0)
			continue;
		l->warn[i] = strtoll(eq + 1, &end, 10);
		if (*end == ',' && end != eq + 1)
			l->crit[i] = strtoll(end + 1, &end, 10);
		return end != eq + 1 && *end == '\0' && l->warn[i] > 0;
	}
	return false;
}

/*
 * ESTABLISHED is judged as `rill check` does.  Of the other states the doctor speaks
 * earlier, since it knows which of them stay; a file that sets them is obeyed.
 */
static bool take_thresholds(struct rl_limits *l, const char *path, char *why, size_t n)
{
	static const char *const names[] = {
#define LIMIT(id, name, warn, crit, unit, help)	name,
#include "look/limits.def"
#undef LIMIT
	};
	struct thresholds usual, set;
	bool must;
	int r;

	thresholds_init(&usual);
	thresholds_init(&set);
	path = thresholds_path(path, &must);
	r = thresholds_load(&set, path, why, n);
	if (r == -EINVAL || (r < 0 && must))
		return false;
	for (size_t i = 0; i < RL_LIM_N; i++) {
		int id = thresholds_find(names[i]);

		if (id < 0 || (i != RL_LIM_ESTABLISHED && set.t[id].warn <= usual.t[id].warn &&
			       set.t[id].warn >= usual.t[id].warn &&
			       set.t[id].crit <= usual.t[id].crit &&
			       set.t[id].crit >= usual.t[id].crit))
			continue;
		l->warn[i] = (int64_t)set.t[id].warn;
		l->crit[i] = (int64_t)set.t[id].crit;
	}
	return true;
}

static int from_file(struct doctor *d, const char *path)
{
	char why[256] = "cannot be read";

	return take_thresholds(&d->limits, path, why, sizeof(why)) ? -1
		: misuse("--thresholds:", why);
}

static bool select_pid(struct doctor *d, const char *arg)
{
	uint64_t v;

	if (!parse_u64(arg, 1, INT32_MAX, &v))
		return false;
	d->scope.sel.pid = (long)v;
	d->scope.no_kernel = true;
	return true;
}

/* Return: -1 to go on, or the exit status. */
static int take(struct doctor *d, int id, char *arg)
{
	switch (id) {
	case D_JSON:
		d->json = true;
		return -1;
	case D_LIST:
		d->list = true;
		return -1;
	case D_WATCH:
		return parse_seconds(arg, &d->watch_ms) && d->watch_ms ? -1
			: misuse("--watch: give seconds above 0, not", arg);
	case D_KERNEL:
		d->scope.no_rill = true;
		return -1;
	case D_RILL:
		d->scope.no_kernel = true;
		return -1;
	case D_PID:
		return select_pid(d, arg) ? -1 : misuse("--pid: not a process number:", arg);
	case D_STACK:
		d->scope.sel.name = arg;
		d->scope.no_kernel = true;
		return -1;
	case D_LIMIT:
		return set_limit(&d->limits, arg) ? -1
			: misuse("--limit: give NAME=WARN,CRIT with a name of doctor limits, "
				 "not", arg);
	case D_FILE:
		return from_file(d, arg);
	case D_NO_PROBE:
		d->no_probe = true;
		return -1;
	case D_LANG:
		return rl_lang_set(arg) ? -1 : misuse("--lang: en or zh_CN, not", arg);
	}
	return id == OPTW_HELPED ? out_finish(EXIT_DONE) : EXIT_UNKNOWN;
}

static const struct doctor_topic *topic_named(const char *name)
{
	const struct doctor_topic *t;

	for (unsigned i = 0; (t = doctor_topic_at(i)) != NULL; i++)
		if (!strcmp(t->name, name))
			return t;
	return NULL;
}

static int parse(const struct cmd *cmd, int argc, char **argv, struct doctor *d)
{
	struct optwalk w = { .cmd = cmd, .argc = argc, .argv = argv, .at = 1 };
	char *words[FILTER_NODES], why[256];
	int id, r, n = 0;

	while ((id = opt_next(&w)) != OPTW_END) {
		if (id == OPTW_OPERAND && !n && !d->topic && (d->topic = topic_named(w.arg)))
			continue;
		if (id == OPTW_OPERAND) {
			if (n == FILTER_NODES)
				return misuse("too many words:", w.arg);
			words[n++] = w.arg;
			continue;
		}
		r = take(d, id, w.arg);
		if (r >= 0)
			return r;
	}
	if (n && !d->topic && strcmp(words[0], "state") && strcmp(words[0], "exclude") && n == 1)
		return misuse("no such topic (`rill doctor --list` shows them):", words[0]);
	if (n && filter_parse(&d->filter, n, words, why, sizeof(why)) < 0)
		return misuse("wrong", why);
	if (d->scope.no_kernel && d->scope.no_rill)
		return misuse("--kernel does not go with", "--rill, --pid and --stack");
	if (n)
		d->scope.filter = &d->filter;
	return -1;
}

/* ---- the diagnosis ---- */

static int judge(struct doctor *d)
{
	int r = 0;

	d->found.n = d->found.lost = 0;
	d->found.wants_watch = d->found.wants_probe = false;
	for (unsigned i = 0; r == 0 && i < d->now.nviews; i++)
		r = rl_diagnose(&d->now.view[i], &d->limits, d->topic ? d->topic->rows : NULL,
				&d->found);
	return r;
}

static int look_again(struct doctor *d)
{
	int64_t passed = rl_now_ms() - d->now.at_ms, watch = d->watch_ms ? d->watch_ms : WATCH_MS;

	d->first = d->now;
	if (passed < watch)
		rl_nap_ms(watch - passed);
	return rl_see(&d->now, &d->scope, &d->first);
}

static bool wants_watch(const struct doctor *d)
{
	return d->watch_ms || d->found.wants_watch ||
	       (d->topic && (d->topic->details == doctor_growth ||
			     d->topic->details == doctor_ports));
}

/* The details of one of several are headed by its name. */
static void tell(struct doctor *d, const struct rl_facts *f)
{
	unsigned n;

	if (d->now.nviews > 1 && f->source == RILL_SRC_KERNEL)
		doctor_say(d, "== %s", _("the kernel"));
	else if (d->now.nviews > 1)
		doctor_say(d, "== %s[%d]", f->stack, f->pid);
	n = d->ndetails;
	d->topic->details(d, f);
	if (d->now.nviews > 1 && n && d->ndetails == n && !d->lost)
		free(d->detail[--d->ndetails]);
}

static int diagnose(struct doctor *d)
{
	int r = rl_see(&d->now, &d->scope, NULL);

	if (r == 0)
		r = judge(d);
	if (r == 0 && wants_watch(d)) {
		r = look_again(d);
		if (r == 0)
			r = judge(d);
	}
	if (r == 0 && d->found.wants_probe && !d->no_probe) {
		rl_ask_peers(&d->now, &d->scope);
		r = judge(d);
	}
	rl_findings_sort(&d->found);
	for (unsigned i = 0; d->topic && d->topic->details && i < d->now.nviews; i++)
		tell(d, &d->now.view[i]);
	return r;
}

static void note_rows(struct doctor *d)
{
#define RULE(row, fn)						\
	if (!d->topic || rl_rows_have(d->topic->rows, row))	\
		d->rows[d->nrows++] = row;
#include "look/rules.def"
#undef RULE
}

static int status_of(const struct doctor *d)
{
	if (d->found.n && d->found.list[0].severity != RL_INFO)
		return (int)d->found.list[0].severity;
	if (!d->scope.no_kernel && d->now.notes.kernel_error)
		return EXIT_UNKNOWN;
	return !d->now.nviews ? EXIT_UNKNOWN : EXIT_DONE;
}

static int run(const struct cmd *cmd, int argc, char **argv)
{
	static struct doctor d;
	int status;

	rl_lang_from_env();
	rl_limits_default(&d.limits);
	status = from_file(&d, NULL);
	if (status < 0)
		status = parse(cmd, argc, argv, &d);
	if (status >= 0)
		return status;
	if (d.list) {
		doctor_print_list();
		return out_finish(EXIT_DONE);
	}
	note_rows(&d);
	if (!rl_findings_init(&d.found) || diagnose(&d) < 0) {
		complain("doctor: not enough memory");
		return EXIT_UNKNOWN;
	}
	if (!d.now.nviews && d.scope.no_kernel && !d.json)
		ctlc_complain_none(&(struct ctl_stacks){ .silent = d.now.notes.silent },
				   &d.scope.sel);
	else
		doctor_print(&d);
	status = status_of(&d);
	for (unsigned i = 0; i < d.ndetails; i++)
		free(d.detail[i]);
	rl_findings_free(&d.found);
	rl_seen_free(&d.now);
	rl_seen_free(&d.first);
	return out_finish(status);
}

const struct cmd cmd_doctor = {
	.name = "doctor",
	.args = "[TOPIC] [FILTER]",
	.help = "what is wrong with the connections of this host, and what to do",
	.about = "Looks at the sockets of the kernel and of running Rill stacks, at counters,\n"
		 "settings and programs, and says what is wrong: what was seen, the evidence that\n"
		 "tells the possible causes apart, how sure that is, and what to do, with the\n"
		 "command and its danger.  A healthy host gets \"nothing found\" and what was\n"
		 "checked.  Nothing is changed, with one exception: where many connections are\n"
		 "idle it may send keepalive probes on some of them, to know whose peer is still\n"
		 "there (--no-probe: it does not).\n"
		 "TOPIC asks one question (--list shows them), FILTER is that of `rill ss` and\n"
		 "limits it to some connections.\n"
		 "Status: 0 nothing, 1 warning, 2 critical, 3 could not look.",
	.example = "  rill doctor\n"
		   "  rill doctor close-wait\n"
		   "  rill doctor slow dst 10.0.0.7",
	.opts = opts,
	.run = run,
};
