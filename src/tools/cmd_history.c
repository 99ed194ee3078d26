/* SPDX-License-Identifier: MIT */
/*
 * rill history - connections that ended: who opened them, who closed first and how,
 * what they did with their time.  From Rill's stacks, which always remember, and from
 * the file that `rill monitor` writes about the kernel's.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "look/ctlc.h"
#include "look/history.h"
#include "run/ctl.h"
#include "tools/cmd.h"
#include "tools/history.h"
#include "tools/out.h"

#define PIECE		500		/* records asked for at once */
#define KEPT_MAX	(1u << 20)
#define FOLLOW_MS	300

enum { H_JSON = 1, H_FOLLOW, H_LAST, H_END, H_VERBOSE, H_FILE, H_PID, H_STACK, H_ENDS };

static const struct opt opts[] = {
	{ H_JSON, 'j', "json", NULL, "JSON, one object a line" },
	{ H_FOLLOW, 'f', "follow", NULL, "go on with those that end from now on" },
	{ H_LAST, 'n', "last", "N", "only the last N; with --follow 0 for none of the past" },
	{ H_END, 'e', "end", "NAME", "only those that ended so, several by commas; see --ends" },
	{ H_VERBOSE, 'v', "verbose", NULL, "time in each state, segments, round-trip time" },
	{ H_FILE, 'r', "file", "FILE", "what `rill monitor` wrote, instead of asking anybody" },
	{ H_PID, 0, "pid", "PID", "the stacks of that process only" },
	{ H_STACK, 0, "stack", "NAME", "stacks of that name only" },
	{ H_ENDS, 0, "ends", NULL, "list the ways to end, and what they mean" },
	{ 0, 0, NULL, NULL, NULL },
};

/* A file that grows. */
struct tail {
	FILE		*f;
	ino_t		ino;
	char		path[512];
};

struct history {
	struct ctl_select sel;
	bool		json, follow, verbose;
	bool		limited;
	uint64_t	last;
	uint32_t	ends;		/* bits by enum rill_end; 0: all */
	const char	*file;
	struct filter	filter;

	struct hist_rec	*rec;
	size_t		n, cap, shown;
	struct ctl_stacks stacks;
	uint64_t	after[CTLC_STACKS_MAX];
	struct tail	tail;
};

/* ---- the command line ---- */

static int list_ends(void)
{
	for (int i = 1; i < RILL_END_N; i++)
		printf("%-14s %s\n", rill_end_name(i), rill_end_help(i));
	return out_finish(EXIT_DONE);
}

static bool add_end(struct history *h, const char *name, size_t n)
{
	for (int i = 0; i < RILL_END_N; i++) {
		const char *end = rill_end_name(i);

		if (strlen(end) == n && !memcmp(end, name, n)) {
			h->ends |= 1u << i;
			return true;
		}
	}
	complain("history: --end %.*s: no such end; `rill history --ends` lists them", (int)n,
		 name);
	return false;
}

static bool parse_ends(struct history *h, const char *list)
{
	while (*list) {
		size_t n = strcspn(list, ",");

		if (!add_end(h, list, n))
			return false;
		list += n;
		list += *list == ',';
	}
	return true;
}

static bool parse_number(const char *what, const char *s, uint64_t min, uint64_t max,
			 uint64_t *out)
{
	if (parse_u64(s, min, max, out))
		return true;
	complain("history: %s %s: give a number", what, s);
	return false;
}

/* Return: -1 to go on, or the exit status. */
static int set_option(struct history *h, int id, char *arg)
{
	uint64_t v = 0;

	switch (id) {
	case H_JSON:
		h->json = true;
		return -1;
	case H_FOLLOW:
		h->follow = true;
		return -1;
	case H_VERBOSE:
		h->verbose = true;
		return -1;
	case H_LAST:
		h->limited = true;
		return parse_number("--last", arg, 0, KEPT_MAX, &h->last) ? -1 : EXIT_MISUSE;
	case H_END:
		return parse_ends(h, arg) ? -1 : EXIT_MISUSE;
	case H_FILE:
		h->file = arg;
		return -1;
	case H_PID:
		if (!parse_number("--pid", arg, 1, INT32_MAX, &v))
			return EXIT_MISUSE;
		h->sel.pid = (long)v;
		return -1;
	case H_STACK:
		h->sel.name = arg;
		return -1;
	case H_ENDS:
		return list_ends();
	}
	return opt_status(id);
}

static int parse(const struct cmd *cmd, int argc, char **argv, struct history *h)
{
	struct optwalk w = { .cmd = cmd, .argc = argc, .argv = argv, .at = 1 };
	char why[256];
	int id, words = 0, status;

	while ((id = opt_next(&w)) != OPTW_END) {
		if (id == OPTW_OPERAND) {
			argv[words++] = w.arg;	/* behind what was read */
			continue;
		}
		status = set_option(h, id, w.arg);
		if (status >= 0)
			return status;
	}
	if (h->file && (h->sel.pid || h->sel.name)) {
		complain("history: --file reads no stack: leave --pid and --stack out");
		return EXIT_MISUSE;
	}
	if (filter_parse(&h->filter, words, argv, why, sizeof(why)) == 0)
		return -1;
	complain("history: %s", why);
	return EXIT_MISUSE;
}

/* ---- which records ---- */

static bool has_end(const struct history *h, const struct hist_rec *r)
{
	for (int i = 0; i < RILL_END_N; i++)
		if (h->ends >> i & 1 && !strcmp(r->end, rill_end_name(i)))
			return true;
	return !h->ends;
}

static bool has_state(const struct history *h, const struct hist_rec *r)
{
	for (int i = 1; i < RILL_TCP_STATES; i++)
		if (h->filter.states >> i & 1 && !strcmp(r->state, rill_state_name(i)))
			return true;
	return !h->filter.has_states;
}

static bool wanted(const struct history *h, const struct hist_rec *r)
{
	return has_end(h, r) && has_state(h, r) && filter_match(&h->filter, &r->at);
}

static bool keep(struct history *h, const json_t *o)
{
	struct hist_rec r;

	if (!hist_parse(o, &r) || !wanted(h, &r))
		return true;
	if (h->n == h->cap) {
		size_t cap = h->cap ? 2 * h->cap : 256;
		struct hist_rec *p = h->n < KEPT_MAX ? realloc(h->rec, cap * sizeof(*p)) : NULL;

		if (!p) {
			complain("history: more than %zu connections: narrow it by a filter", h->n);
			return false;
		}
		h->rec = p;
		h->cap = cap;
	}
	h->rec[h->n++] = r;
	return true;
}

/* ---- stacks ---- */

/* Return: how many it gave; -1 when it doesn't answer. */
static int ask_piece(struct history *h, unsigned i, bool *room)
{
	struct ctl_stack *st = &h->stacks.list[i];
	json_t *reply, *list, *o;
	size_t k;

	reply = ctlc_ask(st, json_pack("{s:s, s:I, s:i}", "cmd", "history", "after",
				       (json_int_t)h->after[i], "max", PIECE));
	if (!reply)
		return -1;
	list = json_object_get(reply, "history");
	json_array_foreach(list, k, o) {
		int64_t n = ctlc_int(o, "n");

		if (n > 0)
			h->after[i] = (uint64_t)n;
		*room = *room && keep(h, o);
	}
	json_decref(reply);
	return (int)k;
}

static bool read_stacks(struct history *h)
{
	bool ok = true, room = true;

	for (unsigned i = 0; i < h->stacks.n; i++) {
		uint64_t was;
		int n;

		do {				/* a stack that repeats itself is not asked on */
			was = h->after[i];
			n = was == UINT64_MAX ? 0 : ask_piece(h, i, &room);
		} while (n == PIECE && room && h->after[i] > was);
		if (n < 0) {			/* gone: its history with it */
			h->after[i] = UINT64_MAX;
			ok = false;
		}
	}
	return ok && room;
}

static bool any_stack(const struct history *h)
{
	for (unsigned i = 0; i < h->stacks.n; i++)
		if (h->after[i] != UINT64_MAX)
			return true;
	return false;
}

/* ---- the monitor's file ---- */

static bool reopen(struct tail *t)
{
	struct stat st;

	t->f = fopen(t->path, "re");
	if (t->f && fstat(fileno(t->f), &st) == 0)
		t->ino = st.st_ino;
	return t->f != NULL;
}

static bool tail_open(struct tail *t, const char *path)
{
	snprintf(t->path, sizeof(t->path), "%s", path);
	return reopen(t);
}

/* Where a monitor writes when it isn't told where. */
static bool tail_find(struct tail *t)
{
	char dir[256], path[512];
	int r;

	for (unsigned i = 0; (r = rl_ctl_dir(i, dir, sizeof(dir))) != -ENOENT; i++) {
		if (r < 0 || !rl_ctl_dir_ok(dir))
			continue;
		snprintf(path, sizeof(path), "%s/" HIST_FILE, dir);
		if (tail_open(t, path))
			return true;
	}
	return false;
}

/* Another file has its name now, or it was cut: from the beginning. */
static void tail_renew(struct tail *t)
{
	struct stat st;

	if (stat(t->path, &st) < 0 || (st.st_ino == t->ino && st.st_size >= ftello(t->f)))
		return;
	fclose(t->f);
	if (!reopen(t))
		complain("history: %s is gone: %s", t->path, strerror(errno));
}

/* A line that is not finished yet is read again later. */
static bool read_tail(struct history *h)
{
	char *line = NULL;
	size_t cap = 0;
	bool room = true;
	ssize_t n;

	if (!h->tail.f)
		return true;
	clearerr(h->tail.f);
	while (room && (n = getline(&line, &cap, h->tail.f)) > 0) {
		json_t *o;

		if (line[n - 1] != '\n') {
			fseeko(h->tail.f, -(off_t)n, SEEK_CUR);
			break;
		}
		o = json_loadb(line, (size_t)n, 0, NULL);
		room = keep(h, o);		/* NULL is no record */
		json_decref(o);
	}
	free(line);
	tail_renew(&h->tail);
	return room;
}

/* ---- output ---- */

static int by_time(const void *a, const void *b)
{
	const struct hist_rec *x = a, *y = b;

	if (x->ended_us != y->ended_us)
		return x->ended_us < y->ended_us ? -1 : 1;
	return x->n < y->n ? -1 : x->n > y->n;
}

static void put_json(const struct hist_rec *r)
{
	json_t *o = hist_json(r);
	char *text = NULL;

	if (o && json_object_set_new(o, "rill", json_integer(1)) == 0)
		text = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	if (text)
		puts(text);
	free(text);
}

static void put_records(struct history *h)
{
	size_t from = 0;

	if (h->n > 1)
		qsort(h->rec, h->n, sizeof(h->rec[0]), by_time);
	if (h->limited && h->n > h->last)
		from = h->n - (size_t)h->last;
	if (!h->json && !h->shown)
		hist_head(h->rec + from, h->n - from);
	for (size_t i = from; i < h->n && !out_closed(); i++) {
		if (h->json)
			put_json(&h->rec[i]);
		else
			hist_row(&h->rec[i], h->verbose);
	}
	h->shown++;
	h->limited = false;			/* it is about the past */
	h->n = 0;
	fflush(stdout);
}

static int follow(struct history *h)
{
	const struct timespec wait = { 0, FOLLOW_MS * 1000000L };

	while (!out_closed()) {
		bool ok;

		nanosleep(&wait, NULL);
		read_stacks(h);
		ok = read_tail(h);
		if (h->n)
			put_records(h);
		if (!ok)
			return EXIT_FAILED;
		if (!h->tail.f && !any_stack(h))
			return EXIT_FAILED;	/* which was said */
	}
	return EXIT_DONE;
}

static int open_sources(struct history *h)
{
	if (h->file) {
		if (tail_open(&h->tail, h->file))
			return EXIT_DONE;
		complain("history: cannot read %s: %s", h->file, strerror(errno));
		return EXIT_FAILED;
	}
	ctlc_open(&h->stacks, &h->sel);
	if ((h->sel.pid || h->sel.name || !tail_find(&h->tail)) && !h->stacks.n) {
		ctlc_complain_none(&h->stacks, &h->sel);
		return EXIT_FAILED;
	}
	return EXIT_DONE;
}

static int run(const struct cmd *cmd, int argc, char **argv)
{
	static struct history h;
	int status = parse(cmd, argc, argv, &h);

	if (status >= 0)
		return status;
	status = open_sources(&h);
	if (status == EXIT_DONE) {
		if (!read_stacks(&h))
			status = EXIT_FAILED;
		if (!read_tail(&h))
			status = EXIT_FAILED;
		put_records(&h);
		if (h.follow && status == EXIT_DONE)
			status = follow(&h);
	}
	if (h.tail.f)
		fclose(h.tail.f);
	ctlc_close(&h.stacks);
	free(h.rec);
	return out_finish(status);
}

const struct cmd cmd_history = {
	.name = "history",
	.args = "[FILTER]",
	.help = "connections that ended, who closed first, and how",
	.about = "Shows connections that ended, the oldest first: when, how long they lasted,\n"
		 "who opened and who closed first, how they ended (`rill history --ends` lists\n"
		 "the ways), the error that the program got, the state in which it happened,\n"
		 "bytes each way and segments sent again.  With -v the time in each state.\n\n"
		 "Rill's stacks remember the last net.rill.history_max of them (`rill sysctl`).\n"
		 "The kernel remembers none: `rill monitor --history FILE` writes down those that\n"
		 "end while it runs, and -r FILE reads them.  One at history.jsonl in the run\n"
		 "directory ($RILL_RUN_DIR, /run/rill) is read without being named.  FILTER is\n"
		 "that of `rill ss`; `state` is the one in which it ended.",
	.example = "  rill history -e rst-received,timeout dport = :443",
	.opts = opts,
	.run = run,
};
