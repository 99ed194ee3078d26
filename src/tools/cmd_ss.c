/* SPDX-License-Identifier: MIT */
/*
 * rill ss - the sockets of the host's kernel and of the stacks that run, as ss(8)
 * shows them.  Sockets come one by one; as text they are kept until the widths of
 * the columns are known (ss_rows.c), as JSON they go out at once.
 */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "look/act.h"
#include "look/filter.h"
#include "look/sock_json.h"
#include "tools/cmd.h"
#include "tools/out.h"
#include "tools/pick.h"
#include "tools/ss.h"

enum {
	S_TCP = 1, S_UDP, S_ALL, S_LISTEN, S_NUMERIC, S_RESOLVE, S_SUMMARY, S_TIMERS, S_INFO,
	S_DETAILS, S_MEMORY, S_NOHEAD, S_ONELINE, S_V4, S_V6, S_JSON, S_PROC, S_KILL, S_EVENTS,
	S_NETNS, S_KERNEL, S_RILL, S_COUNTS, S_WATCH, S_PID, S_STACK, S_LOG,
};

static const struct opt opts[] = {
	{ S_TCP, 't', "tcp", NULL, "TCP only" },
	{ S_UDP, 'u', "udp", NULL, "UDP only" },
	{ S_ALL, 'a', "all", NULL, "all states; default: those of open connections" },
	{ S_LISTEN, 'l', "listening", NULL, "listeners and unconnected sockets only" },
	{ S_NUMERIC, 'n', "numeric", NULL, "ports and rates as plain numbers" },
	{ S_RESOLVE, 'r', "resolve", NULL, "addresses as names, by the host's resolver" },
	{ S_TIMERS, 'o', "options", NULL, "running timers; with -i options of the SYN" },
	{ S_INFO, 'i', "info", NULL, "what TCP knows of the connection" },
	{ S_DETAILS, 'e', "extended", NULL, "user, inode, id, cgroup, open directions, timers" },
	{ S_MEMORY, 'm', "memory", NULL, "queues and buffers" },
	{ S_PROC, 'p', "processes", NULL, "programs and descriptors that hold it" },
	{ S_SUMMARY, 's', "summary", NULL, "counts, orphans, pools in use" },
	{ S_EVENTS, 'E', "events", NULL, "sockets as they end, until interrupted" },
	{ S_JSON, 'j', "json", NULL, "JSON, with everything" },
	{ S_NOHEAD, 'H', "no-header", NULL, "no header line" },
	{ S_ONELINE, 'O', "oneline", NULL, "one line a connection" },
	{ S_V4, '4', "ipv4", NULL, "IPv4 only" },
	{ S_V6, '6', "ipv6", NULL, "IPv6 only" },
	{ S_KILL, 'K', "kill", NULL, "reset those that the filter matches, and show them" },
	{ S_NETNS, 'N', "net", "NAME", "the kernel's sockets of this network namespace" },
	{ S_KERNEL, 0, "kernel", NULL, "the kernel's sockets only" },
	{ S_RILL, 0, "rill", NULL, "those of stacks only" },
	{ S_COUNTS, 0, "counts", NULL, "how many in each state, zeros too" },
	{ S_WATCH, 0, "watch", "[=SEC]", "again every SEC seconds, default 2" },
	{ S_PID, 0, "pid", "PID", "the stacks of that process only" },
	{ S_STACK, 0, "stack", "NAME", "stacks of that name only" },
	{ S_LOG, 0, "log", "FILE", "with -K: append one line for each that was ended" },
	{ 0, 0, NULL, NULL, NULL },
};

/* ---- options ---- */

static bool *flag(struct ss *s, int id)
{
	const struct { int id; bool *flag; } list[] = {
		{ S_TCP, &s->tcp }, { S_UDP, &s->udp }, { S_ALL, &s->all },
		{ S_LISTEN, &s->listening }, { S_NUMERIC, &s->numeric },
		{ S_RESOLVE, &s->resolve }, { S_SUMMARY, &s->summary },
		{ S_TIMERS, &s->timers }, { S_INFO, &s->info }, { S_DETAILS, &s->details },
		{ S_MEMORY, &s->memory }, { S_NOHEAD, &s->no_header },
		{ S_ONELINE, &s->oneline }, { S_V4, &s->v4 }, { S_V6, &s->v6 },
		{ S_JSON, &s->json }, { S_PROC, &s->procs }, { S_KILL, &s->kill },
		{ S_EVENTS, &s->events }, { S_KERNEL, &s->kernel }, { S_RILL, &s->rill },
		{ S_COUNTS, &s->counts },
	};

	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++)
		if (list[i].id == id)
			return list[i].flag;
	return NULL;
}

/* Return: false after a complaint. */
static bool set_value(struct ss *s, int id, char *arg)
{
	uint64_t v;

	switch (id) {
	case S_PID:
		if (!parse_u64(arg, 1, INT32_MAX, &v)) {
			complain("ss: --pid %s: give a process number", arg);
			return false;
		}
		s->q.pid = (int)v;
		break;
	case S_STACK:
		s->q.stack = arg;
		break;
	case S_NETNS:
		s->netns = arg;
		break;
	case S_LOG:
		s->log = arg;
		break;
	case S_WATCH:
		s->watch_ms = 2000;
		if (arg && (!parse_seconds(arg, &s->watch_ms) || !s->watch_ms)) {
			complain("ss: --watch=%s: give seconds, for example --watch=0.5", arg);
			return false;
		}
		break;
	default:
		*flag(s, id) = true;
	}
	return true;
}

/* What goes with what.  Return: false after a complaint. */
static bool consistent(const struct ss *s, int words)
{
	if (s->kill && !words) {
		complain("ss: --kill needs a filter that says which connections, "
			 "for example: dport = :80");
		return false;
	}
	if (s->log && !s->kill) {
		complain("ss: --log belongs to -K");
		return false;
	}
	if (s->watch_ms && (s->kill || s->events)) {
		complain("ss: --watch goes neither with -K nor with -E");
		return false;
	}
	if (s->netns && s->rill && !s->kernel) {
		complain("ss: -N belongs to the kernel's sockets: leave out --rill");
		return false;
	}
	return true;
}

/* Return: -1 to go on, or the exit status. */
static int parse(const struct cmd *cmd, int argc, char **argv, struct ss *s)
{
	struct optwalk w = { .cmd = cmd, .argc = argc, .argv = argv, .at = 1 };
	char *words[FILTER_NODES * 2];
	int id, n = 0;

	while ((id = opt_next(&w)) != OPTW_END) {
		if (id == OPTW_BAD || id == OPTW_HELPED)
			return opt_status(id);
		if (id != OPTW_OPERAND) {
			if (!set_value(s, id, w.arg))
				return EXIT_MISUSE;
		} else if (n == FILTER_NODES * 2) {
			complain("ss: the filter has too many words");
			return EXIT_MISUSE;
		} else {
			words[n++] = w.arg;
		}
	}
	if (!consistent(s, n))
		return EXIT_MISUSE;
	if (s->netns && !pick_enter(cmd->name, s->netns))	/* devices of filters are its */
		return EXIT_FAILED;
	return pick_parse(cmd->name, &s->filter, n, words) ? -1 : EXIT_MISUSE;
}

/* As ss: without -a and -l what is open, without a filter that says otherwise. */
static uint32_t states(const struct ss *s)
{
	if (s->filter.has_states)
		return s->filter.states;
	if (s->all || s->counts)
		return FILTER_ALL;
	if (s->listening)
		return FILTER_CLOSED;
	return FILTER_ALL & ~FILTER_CLOSED & ~FILTER_BUCKET;
}

static void plan(struct ss *s)
{
	bool tcp = s->tcp || !s->udp, udp = s->udp || !s->tcp;

	if (!s->kernel && !s->rill) {		/* a stack that is named: no kernel's */
		s->rill = true;
		s->kernel = !s->q.pid && !s->q.stack;
	}
	s->q.want = (s->kernel ? RILL_WANT_KERNEL : 0) | (s->rill ? RILL_WANT_RILL : 0) |
		    (tcp ? RILL_WANT_TCP : 0) | (udp ? RILL_WANT_UDP : 0) |
		    (s->info || s->json ? RILL_WANT_INFO : 0) |
		    (s->memory || s->json ? RILL_WANT_MEM : 0) |
		    (s->procs ? RILL_WANT_OWNERS : 0) |
		    (s->v4 ? RILL_WANT_V4 : 0) | (s->v6 ? RILL_WANT_V6 : 0);
	if (s->kill && s->log)			/* the log says whose they were */
		s->q.want |= RILL_WANT_OWNERS;
	s->q.states = states(s);
	/* one wanted state needs no column for it, as in ss */
	s->one_state = s->filter.has_states && s->filter.states &&
		       !(s->filter.states & (s->filter.states - 1));
}

/* ---- one listing ---- */

#define JSON_HEAD	"{\"rill\":1,\"conns\":["

static void json_sock(struct ss *s, const struct rill_sock *k)
{
	fputs(s->shown++ ? "," : JSON_HEAD, stdout);
	fputs(s->watch_ms ? "{" : "\n{", stdout);
	rl_sock_json(stdout, k);
	putchar('}');
}

static bool show(struct ss *s, const struct rill_sock *k)
{
	if (s->procs && k->source == RILL_SRC_KERNEL && k->inode && !k->nowners)
		s->unowned++;
	if (s->counts) {
		ss_count(s, k);
		return true;
	}
	if (!s->json)
		return ss_add_row(s, k);
	json_sock(s, k);
	return !out_closed();
}

static bool each(void *ctx, const struct rill_sock *k)
{
	struct ss *s = ctx;

	return !filter_sock(&s->filter, k) || show(s, k);
}

/* Ended first, then shown, as ss does: what could not be ended is not shown. */
static int kill_all(struct ss *s, struct rill_table_notes *notes)
{
	struct rl_act *a = rl_act_open(s->log, -1);
	struct rill_table t;
	bool all = true;
	int r;

	if (!a) {
		complain("ss: --log %s: %s", s->log, strerror(errno));
		return -errno;
	}
	r = rill_table_read(&s->q, &t);
	for (size_t i = 0; r == 0 && i < t.n; i++) {
		char name[RL_ACT_NAME];
		int err;

		if (!filter_sock(&s->filter, &t.sock[i]))
			continue;
		err = rl_act_kill(a, &t.sock[i]);
		if (err == 0) {
			show(s, &t.sock[i]);
			continue;
		}
		all = false;
		complain("ss: %s: %s", rl_act_name(&t.sock[i], name),
			 rl_act_why(err, &t.sock[i]));
	}
	if (r == 0)
		*notes = t.notes;
	rill_table_free(&t);
	rl_act_close(a);
	return r ? r : all ? 0 : -EIO;
}

static void finish_list(struct ss *s)
{
	if (s->counts)
		ss_print_counts(s);
	else if (s->json)
		printf("%s%s]}\n", s->shown ? "" : JSON_HEAD, s->watch_ms ? "" : "\n");
	else
		ss_print(s);
	s->shown = 0;
	memset(s->count, 0, sizeof(s->count));
}

static int list(struct ss *s)
{
	struct rill_table_notes notes = { 0 };
	int status, r;

	r = s->kill ? kill_all(s, &notes) : rill_table_walk(&s->q, each, s, &notes);
	if (s->kernel || notes.nstacks)		/* else there is nothing to head */
		finish_list(s);
	if (r == -ENOMEM)
		complain("ss: not enough memory for all sockets");
	status = pick_notes("ss", &s->q, &notes, s->unowned);
	s->unowned = 0;
	return r < 0 ? EXIT_FAILED : status;
}

/* ---- again and again ---- */

static volatile sig_atomic_t interrupted;

static void on_signal(int sig)
{
	(void)sig;
	interrupted = 1;
}

static int watch(struct ss *s)
{
	struct sigaction sa = { .sa_handler = on_signal };
	bool tty = isatty(STDOUT_FILENO), first = true;
	int status = EXIT_DONE;

	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	while (!interrupted && !out_closed()) {
		if (tty && !s->json)
			fputs("\033[H\033[2J", stdout);
		else if (!first && !s->json)
			putchar('\n');
		first = false;
		status = s->summary ? ss_summary(s) : list(s);
		fflush(stdout);
		if (!interrupted)
			usleep((useconds_t)s->watch_ms * 1000);
	}
	return status;
}

static int run(const struct cmd *cmd, int argc, char **argv)
{
	static struct ss s = { .q = RILL_TABLE_QUERY_INIT };
	int status = parse(cmd, argc, argv, &s);

	if (status >= 0)
		return status;
	plan(&s);
	if (s.events)
		status = ss_events(&s);
	else if (s.watch_ms)
		status = watch(&s);
	else
		status = s.summary ? ss_summary(&s) : list(&s);
	ss_free_rows(&s.rows);
	return out_finish(status);
}

const struct cmd cmd_ss = {
	.name = "ss",
	.args = "[FILTER]",
	.help = "sockets of the kernel and of stacks",
	.about = "Shows the TCP and UDP sockets of the host's kernel and of all Rill stacks that\n"
		 "run, in the form of ss(8) and with its options.  Without -a or -l only open\n"
		 "connections are shown.  The columns Recv-Q and Send-Q of a listener are its\n"
		 "accept queue and that queue's limit.  A stack's sockets have the stack's name\n"
		 "in the column Process, the kernel's with -p the programs that hold them; that\n"
		 "walks over all descriptors of the host and is the slow part.  What can't be\n"
		 "seen without being root is said on stderr.\n\n"
		 "FILTER: { state NAME | exclude NAME } [EXPRESSION]\n"
		 "  NAME: established syn-sent syn-recv fin-wait-1 fin-wait-2 time-wait closed\n"
		 "        close-wait last-ack listening closing, or a group: all connected\n"
		 "        synchronized bucket big\n"
		 "  EXPRESSION: src|dst [=|!=] ADDR[/BITS][:PORT], sport|dport [OP] :PORT,\n"
		 "        dev [=|!=] NAME, fwmark [=|!=] MARK[/MASK], cgroup [=|!=] PATH,\n"
		 "        autobound; OP: = != < > <= >= eq ne lt gt le ge;\n"
		 "        joined by and, or, not and parentheses",
	.example = "  rill ss -tano state established '( sport = :80 or dport = :80 )'",
	.opts = opts,
	.run = run,
};
