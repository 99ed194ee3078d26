/* SPDX-License-Identifier: MIT */
/*
 * rill top - the connections of this host and of Rill's stacks on a full screen: a
 * list, the state diagram with live numbers, one connection opened up.  This file owns
 * the loop, the keys and what is done to connections.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "look/act.h"
#include "look/say.h"
#include "rill/stack.h"
#include "tools/cmd.h"
#include "tools/out.h"
#include "tools/segs.h"
#include "tools/top.h"

#define REFRESH_MS	1000
#define MESSAGE_MS	4000

enum { T_INTERVAL = 1, T_KERNEL, T_RILL, T_PID, T_STACK };

static const struct opt opts[] = {
	{ T_INTERVAL, 'i', "interval", "SEC", "time between two readings: 1" },
	{ T_KERNEL, 'K', "kernel", NULL, "the kernel's sockets only" },
	{ T_RILL, 'R', "rill", NULL, "those of Rill's stacks only" },
	{ T_PID, 0, "pid", "PID", "the stacks of that process only" },
	{ T_STACK, 0, "stack", "NAME", "stacks of that name only" },
	{ 0, 0, NULL, NULL, NULL },
};

struct top {
	struct top_model m;
	struct grid	grid;
	struct rill_table_query q;
	struct rl_events *ev;
	struct segs	*segs;
	unsigned	changes, opened, ended;	/* since the last reading */
	int		refresh_ms;
	int64_t		read_ms, next_ms, message_ms;
	bool		quit;
};

static volatile sig_atomic_t stop;

static void on_signal(int sig)
{
	(void)sig;
	stop = 1;
}

static int64_t clock_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static int64_t now_ms(void)
{
	return clock_ns(CLOCK_MONOTONIC) / 1000000;
}

/* ---- options ---- */

static int misuse(const char *what, const char *which)
{
	complain("top: %s%s%s; see `rill top --help`", what, *which ? " " : "", which);
	return EXIT_MISUSE;
}

static int take(struct top *t, int id, const char *arg)
{
	uint64_t v;

	switch (id) {
	case T_INTERVAL:
		return parse_seconds(arg, &t->refresh_ms) && t->refresh_ms >= 100 ? -1 :
		       misuse("--interval needs seconds from 0.1, not", arg);
	case T_KERNEL:
		t->q.want |= RILL_WANT_KERNEL;
		return -1;
	case T_RILL:
		t->q.want |= RILL_WANT_RILL;
		return -1;
	case T_PID:
		if (!parse_u64(arg, 1, INT32_MAX, &v))
			return misuse("--pid needs a process number, not", arg);
		t->q.pid = (int)v;
		return -1;
	case T_STACK:
		t->q.stack = arg;
		return -1;
	}
	return opt_status(id);
}

/* Return: -1 to go on, or the exit status. */
static int parse(const struct cmd *cmd, int argc, char **argv, struct top *t)
{
	struct optwalk w = { .cmd = cmd, .argc = argc, .argv = argv, .at = 1 };
	char text[TOP_TEXT] = "";
	int id, r;

	while ((id = opt_next(&w)) != OPTW_END) {
		if (id == OPTW_OPERAND) {
			if (strlen(text) + strlen(w.arg) + 2 > sizeof(text))
				return misuse("the filter is too long", "");
			strcat(strcat(text, *text ? " " : ""), w.arg);
			continue;
		}
		r = take(t, id, w.arg);
		if (r >= 0)
			return r;
	}
	if (!top_set_filter(&t->m, text)) {
		complain("top: %s", t->m.message);
		return EXIT_MISUSE;
	}
	if (!(t->q.want & (RILL_WANT_KERNEL | RILL_WANT_RILL)))
		t->q.want |= t->q.pid || t->q.stack ? RILL_WANT_RILL :
						      RILL_WANT_KERNEL | RILL_WANT_RILL;
	t->q.want |= RILL_WANT_TCP | RILL_WANT_UDP | RILL_WANT_INFO | RILL_WANT_OWNERS;
	return -1;
}

/* ---- data ---- */

static void say(struct top *t, bool bad, const char *text)
{
	snprintf(t->m.message, sizeof(t->m.message), "%s", text);
	t->m.message_bad = bad;
	t->message_ms = now_ms();
}

static double rate(unsigned *n, double s)
{
	double r = s > 0 ? *n / s : 0;

	*n = 0;
	return r;
}

static void read_table(struct top *t)
{
	struct rill_table fresh = { 0 };
	time_t wall = time(NULL);
	double s = t->read_ms ? (double)(now_ms() - t->read_ms) / 1000 : 0;
	struct tm tm;

	if (rill_table_read(&t->q, &fresh) < 0) {
		say(t, true, "no memory for the table");
		return;
	}
	rill_table_free(&t->m.table);
	t->m.table = fresh;
	t->m.stacks = fresh.notes.nstacks;
	t->m.owners_hidden = fresh.notes.unowned > 0 && geteuid() != 0;
	t->m.changes_s = rate(&t->changes, s);
	t->m.opened_s = rate(&t->opened, s);
	t->m.ended_s = rate(&t->ended, s);
	t->read_ms = now_ms();
	localtime_r(&wall, &tm);
	strftime(t->m.clock, sizeof(t->m.clock), "%H:%M:%S", &tm);
	top_order(&t->m);
	if (t->m.view == TOP_DETAIL || t->m.back == TOP_DETAIL)
		top_follow(&t->m, clock_ns(CLOCK_REALTIME));
}

static void take_events(struct top *t)
{
	struct rl_event e;

	while (rl_events_next(t->ev, &e) == 1) {
		if (e.kind != RL_EVENT_STATE)
			continue;
		t->changes++;
		t->opened += e.to == RILL_ESTABLISHED;
		t->ended += (e.to == RILL_CLOSE || e.to == RILL_TIME_WAIT) &&
			    e.from != RILL_TIME_WAIT && e.from != RILL_LISTEN;
		if (t->m.view == TOP_DETAIL || t->m.back == TOP_DETAIL)
			top_detail_step(&t->m.d, &e);
	}
}

static void take_segments(struct top *t)
{
	struct top_detail *d = &t->m.d;
	char text[SEG_TEXT];

	for (int i = 0; i < 512 && t->segs && segs_next(t->segs, text); i++) {
		if (d->nsegs == TOP_SEGS) {
			memmove(d->seg, d->seg + 1, sizeof(d->seg) - sizeof(d->seg[0]));
			d->nsegs--;
		}
		snprintf(d->seg[d->nsegs++], TOP_SEG_TEXT, "%s", text);
	}
}

static void open_detail(struct top *t)
{
	const struct rill_sock *s = top_picked(&t->m);

	if (!s)
		return;
	top_open_detail(&t->m, s, clock_ns(CLOCK_REALTIME));
	segs_close(t->segs);
	t->segs = s->source == RILL_SRC_RILL && s->proto == 6 ?
		  segs_open(s->pid) : NULL;
	if (t->segs)
		segs_aim(t->segs, &s->local, &s->peer);
	t->m.d.has_segs = t->segs != NULL;
	t->m.view = TOP_DETAIL;
}

/* ---- acting ---- */

/* The opened connection by its name in the latest table: with its owners. */
static const struct rill_sock *target(const struct top *t)
{
	uint64_t name = top_name(&t->m.d.s);

	if (t->m.view != TOP_DETAIL)
		return top_picked(&t->m);
	for (size_t i = 0; i < t->m.table.n; i++)
		if (top_name(&t->m.table.sock[i]) == name)
			return &t->m.table.sock[i];
	return NULL;
}

static int do_it(struct top *t, const struct rill_sock *s, struct rl_act *a)
{
	struct rl_keepalive set = { 1, 60, 10, 6, -1 }, before, now;

	if (t->m.ask == TOP_ASK_KILL)
		return rl_act_kill(a, s);
	return rl_act_keepalive(a, s, &set, &before, &now);
}

static void act(struct top *t)
{
	const struct rill_sock *s = target(t);
	struct rl_act *a;
	char text[TOP_TEXT];
	int r;

	if (!s) {
		say(t, true, "it is gone already");
		return;
	}
	a = rl_act_open(NULL, -1);
	if (!a) {
		say(t, true, strerror(errno));
		return;
	}
	r = do_it(t, s, a);
	snprintf(text, sizeof(text), "%s", r < 0 ? rl_act_why(r, s) :
		 t->m.ask == TOP_ASK_KILL ? "reset" :
		 "keepalive is on: 60 s idle, then 6 probes 10 s apart");
	say(t, r < 0, text);
	rl_act_close(a);
	t->next_ms = 0;
}

/* ---- keys ---- */

static void type_filter(struct top *t, int key)
{
	size_t n = strlen(t->m.entry);

	if (key == TERM_ESC) {
		t->m.ask = TOP_ASK_NO;
	} else if (key == TERM_BACK) {
		if (n)
			t->m.entry[n - 1] = '\0';
	} else if (key == TERM_ENTER) {
		if (top_set_filter(&t->m, t->m.entry)) {
			t->m.ask = TOP_ASK_NO;
			t->m.message[0] = '\0';
			top_order(&t->m);
		} else {
			t->message_ms = now_ms();
		}
	} else if (key >= ' ' && key < 127 && n + 1 < sizeof(t->m.entry)) {
		t->m.entry[n] = (char)key;
		t->m.entry[n + 1] = '\0';
	}
}

static void answer(struct top *t, int key)
{
	if (key == TERM_RESIZE)
		return;
	if (key == 'y' || key == 'Y')
		act(t);
	t->m.ask = TOP_ASK_NO;
}

static void sort_by(struct top *t, int step)
{
	t->m.sort = (enum top_col)(((int)t->m.sort + step + TOP_COLS) % TOP_COLS);
	top_order(&t->m);
}

static void go_back(struct top *t)
{
	if (t->m.view == TOP_LIST && *t->m.filter_text)
		top_set_filter(&t->m, "");
	else if (t->m.view == TOP_HELP)
		t->m.view = t->m.back;
	else
		t->m.view = TOP_LIST;
	t->m.back = TOP_LIST;
	if (t->m.view != TOP_DETAIL) {
		segs_close(t->segs);
		t->segs = NULL;
	}
	top_order(&t->m);
}

static void list_key(struct top *t, int key)
{
	int page = t->grid.h > 8 ? t->grid.h - 8 : 1;

	switch (key) {
	case TERM_UP:
		top_move(&t->m, -1);
		break;
	case TERM_DOWN:
		top_move(&t->m, 1);
		break;
	case TERM_PGUP:
		top_move(&t->m, -page);
		break;
	case TERM_PGDN:
		top_move(&t->m, page);
		break;
	case TERM_HOME:
		top_move(&t->m, INT32_MIN);
		break;
	case TERM_END:
		top_move(&t->m, INT32_MAX);
		break;
	case TERM_ENTER:
		open_detail(t);
		break;
	case 's':
	case '>':
	case TERM_RIGHT:
		sort_by(t, 1);
		break;
	case 'S':
	case '<':
	case TERM_LEFT:
		sort_by(t, -1);
		break;
	case 'r':
		t->m.reverse = !t->m.reverse;
		top_order(&t->m);
		break;
	case 'l':
		t->m.listeners = !t->m.listeners;
		top_order(&t->m);
		break;
	case 'u':
		t->m.udp_too = !t->m.udp_too;
		top_order(&t->m);
		break;
	case '/':
		t->m.ask = TOP_ASK_FILTER;
		snprintf(t->m.entry, sizeof(t->m.entry), "%s", t->m.filter_text);
		break;
	}
}

static void ask(struct top *t, enum top_ask what)
{
	const struct rill_sock *s = target(t);

	if ((t->m.view == TOP_LIST || t->m.view == TOP_DETAIL) && s && s->proto == 6)
		t->m.ask = what;
}

static void take_key(struct top *t, int key)
{
	if (t->m.ask == TOP_ASK_FILTER) {
		type_filter(t, key);
		return;
	}
	if (t->m.ask != TOP_ASK_NO) {
		answer(t, key);
		return;
	}
	switch (key) {
	case 'q':
	case 3:
		t->quit = true;
		return;
	case TERM_ESC:
		go_back(t);
		return;
	case 'd':
		t->m.view = t->m.view == TOP_DIAGRAM ? TOP_LIST : TOP_DIAGRAM;
		return;
	case 'h':
	case '?':
	case TERM_F1:
		if (t->m.view != TOP_HELP)
			t->m.back = t->m.view;
		t->m.view = TOP_HELP;
		return;
	case 'k':
		ask(t, TOP_ASK_KILL);
		return;
	case 'a':
		ask(t, TOP_ASK_KEEPALIVE);
		return;
	}
	if (t->m.view == TOP_LIST)
		list_key(t, key);
}

/* ---- the loop ---- */

static void draw(struct top *t)
{
	int w, h;

	if (*t->m.message && now_ms() - t->message_ms > MESSAGE_MS)
		t->m.message[0] = '\0';
	term_size(&w, &h);
	top_draw(&t->m, &t->grid, w, h);
	term_show(&t->grid);
}

static void loop(struct top *t)
{
	while (!t->quit && !stop) {
		struct pollfd p[3] = {
			{ STDIN_FILENO, POLLIN, 0 }, { rl_events_fd(t->ev), POLLIN, 0 },
			{ t->segs ? segs_fd(t->segs) : -1, POLLIN, 0 },
		};
		int64_t left;
		int key;

		if (now_ms() >= t->next_ms) {
			read_table(t);
			t->next_ms = now_ms() + t->refresh_ms;
		}
		draw(t);
		left = t->next_ms - now_ms();
		poll(p, 3, left > 0 ? (int)left : 0);
		if (p[0].revents & (POLLHUP | POLLERR))
			return;			/* the terminal is gone */
		take_events(t);
		take_segments(t);
		while ((key = term_key()) != -1)
			take_key(t, key);
	}
}

static void quiet(const char *line)
{
	(void)line;		/* stacks that do not answer would write over the screen */
}

static int open_events(struct top *t)
{
	struct rl_events_query q = { .poll_ms = t->refresh_ms, .pid = t->q.pid,
				     .stack = t->q.stack };
	const struct rl_events_notes *n;
	int r;

	q.want = (t->q.want & RILL_WANT_KERNEL ? RL_EV_KERNEL : 0) |
		 (t->q.want & RILL_WANT_RILL ? RL_EV_RILL : 0);
	r = rl_events_open(&t->ev, &q);
	if (r < 0) {
		complain("top: %s", strerror(-r));
		return EXIT_FAILED;
	}
	n = rl_events_notes(t->ev);
	snprintf(t->m.how, sizeof(t->m.how), "%s", n->kernel == RL_HOW_POLL ?
		 "by comparing: short ones are missed" : "as they happen");
	return EXIT_DONE;
}

static int run(const struct cmd *cmd, int argc, char **argv)
{
	static struct top t = { .refresh_ms = REFRESH_MS, .q = RILL_TABLE_QUERY_INIT };
	struct sigaction sa = { .sa_handler = on_signal };
	void (*said)(const char *) = rl_look_say;
	int status;

	t.m.sort = TOP_COL_STATE;
	status = parse(cmd, argc, argv, &t);
	if (status >= 0)
		return status;
	if (term_open("top") < 0)
		return EXIT_FAILED;
	rl_look_say = quiet;
	status = open_events(&t);
	if (status == EXIT_DONE) {
		sigaction(SIGTERM, &sa, NULL);
		sigaction(SIGHUP, &sa, NULL);
		sigaction(SIGINT, &sa, NULL);
		loop(&t);
	}
	term_close();
	rl_look_say = said;
	segs_close(t.segs);
	rl_events_close(t.ev);
	rill_table_free(&t.m.table);
	free(t.m.row);
	return out_finish(status);
}

const struct cmd cmd_top = {
	.name = "top",
	.args = "[FILTER]",
	.help = "connections on a full screen, live",
	.about = "Shows the TCP connections of this host's kernel and of Rill's stacks on a\n"
		 "terminal of at least 80 by 24: a list that any column sorts, the state diagram\n"
		 "with live numbers on its states (d), and one connection opened up (enter) with\n"
		 "the states it went through, round-trip time, congestion window and rates over\n"
		 "time, what holds it back, and for a stack of Rill its last segments.  k resets\n"
		 "a connection and a switches its keepalive on, both after a question; h lists\n"
		 "all keys.  FILTER is that of `rill ss`.  Colours obey NO_COLOR.",
	.example = "  rill top state connected dport = :443",
	.opts = opts,
	.run = run,
};
