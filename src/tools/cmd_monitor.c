/* SPDX-License-Identifier: MIT */
/*
 * rill monitor - what happens to the connections of this host as lines of JSON: every
 * change of state, counters over time, alarms, the histories of those that ended.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "look/ctlc.h"
#include "run/ctl.h"
#include "tools/cmd.h"
#include "tools/monitor.h"
#include "tools/out.h"

#define POLL_MS		100
#define SAMPLE_MS	1000		/* alarms without --interval */
#define BATCH		4096		/* events between two looks at the clock */

enum {
	M_KERNEL = 1, M_RILL, M_POLL, M_POLLMS, M_NETNS, M_INTERVAL, M_DURATION, M_QUIET,
	M_ALARM, M_EXEC, M_AFILE, M_LIMITS, M_HISTORY, M_KEEP, M_PID, M_STACK,
};

static const struct opt opts[] = {
	{ M_KERNEL, 'K', "kernel", NULL, "the kernel's connections only" },
	{ M_RILL, 'R', "rill", NULL, "those of Rill's stacks only" },
	{ M_INTERVAL, 'i', "interval", "SEC", "counters in that interval" },
	{ M_DURATION, 'd', "duration", "SEC", "end after that time" },
	{ M_QUIET, 'q', "quiet", NULL, "no line for each change of state" },
	{ M_ALARM, 'a', "alarm", "RULE", "METRIC > N [for TIME] [clear N]; again for more" },
	{ M_EXEC, 'x', "exec", "CMD", "run by sh when an alarm is raised or cleared" },
	{ M_AFILE, 0, "alarm-file", "FILE", "append the alarms' lines to it" },
	{ M_LIMITS, 0, "thresholds", "FILE", "what warn and crit mean in rules; as of "
	  "`rill check`" },
	{ M_HISTORY, 'H', "history", "FILE", "append a record of each of the kernel's "
	  "connections that ended" },
	{ M_KEEP, 0, "keep-history", NULL, "the same into the file where `rill history` looks" },
	{ M_NETNS, 0, "all-netns", NULL, "the kernel's of all network namespaces" },
	{ M_POLL, 0, "poll", NULL, "compare tables, even where the tracepoint is allowed" },
	{ M_POLLMS, 0, "poll-ms", "MS", "time between two looks at the table: 100" },
	{ M_PID, 0, "pid", "PID", "the stacks of that process only" },
	{ M_STACK, 0, "stack", "NAME", "stacks of that name only" },
	{ 0, 0, NULL, NULL, NULL },
};

static volatile sig_atomic_t stop;

static void on_signal(int sig)
{
	(void)sig;
	stop = 1;
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* ---- options ---- */

static int misuse(const char *what, const char *which)
{
	complain("monitor: %s%s%s; see `rill monitor --help`", what, *which ? " " : "", which);
	return EXIT_MISUSE;
}

static int take_alarm(struct monitor *m, const char *text)
{
	if (m->nalarms == MON_ALARMS)
		return misuse("no more than 32 alarms", "");
	m->rule[m->nalarms++] = text;
	return -1;
}

/* Rules are read when all options are known: their limits may be in a file. */
static int read_rules(struct monitor *m)
{
	bool must;
	const char *path = thresholds_path(m->limits_file, &must);
	char why[200];
	int r;

	thresholds_init(&m->limits);
	r = thresholds_load(&m->limits, path, why, sizeof(why));
	if (r < 0 && (r != -ENOENT || must)) {
		complain("monitor: %s: %s", path, r == -EINVAL ? why : strerror(-r));
		return EXIT_MISUSE;
	}
	for (unsigned i = 0; i < m->nalarms; i++)
		if (rl_alarm_parse(&m->alarm[i], m->rule[i], &m->limits, why, sizeof(why)) < 0) {
			complain("monitor: --alarm: %s", why);
			return EXIT_MISUSE;
		}
	return -1;
}

static int take_number(struct monitor *m, int id, const char *arg)
{
	uint64_t v;

	if (id == M_PID && parse_u64(arg, 1, INT32_MAX, &v)) {
		m->q.pid = (int)v;
		return -1;
	}
	if (id == M_POLLMS && parse_u64(arg, 10, 3600000, &v)) {
		m->q.poll_ms = (int)v;
		return -1;
	}
	return id == M_PID ? misuse("--pid needs a process number, not", arg) :
			     misuse("--poll-ms needs 10 to 3600000, not", arg);
}

static int take_seconds(int *ms, const char *arg, const char *what)
{
	return parse_seconds(arg, ms) && *ms > 0 ? -1 : misuse(what, arg);
}

/* Return: -1 to go on, or the exit status. */
static int take(struct monitor *m, int id, const char *arg)
{
	switch (id) {
	case M_KERNEL:
		m->q.want |= RL_EV_KERNEL;
		return -1;
	case M_RILL:
		m->q.want |= RL_EV_RILL;
		return -1;
	case M_POLL:
		m->q.want |= RL_EV_POLL;
		return -1;
	case M_NETNS:
		m->q.want |= RL_EV_ALL_NETNS;
		return -1;
	case M_INTERVAL:
		return take_seconds(&m->interval_ms, arg, "--interval needs seconds, not");
	case M_DURATION:
		return take_seconds(&m->duration_ms, arg, "--duration needs seconds, not");
	case M_QUIET:
		m->quiet = true;
		return -1;
	case M_ALARM:
		return take_alarm(m, arg);
	case M_EXEC:
		m->exec = arg;
		return -1;
	case M_AFILE:
		m->alarm_file = arg;
		return -1;
	case M_LIMITS:
		m->limits_file = arg;
		return -1;
	case M_HISTORY:
		m->history_file = arg;
		return -1;
	case M_KEEP:
		m->keep_history = true;
		return -1;
	case M_PID:
	case M_POLLMS:
		return take_number(m, id, arg);
	case M_STACK:
		m->q.stack = arg;
		return -1;
	}
	return opt_status(id);
}

static int check(struct monitor *m)
{
	if (!(m->q.want & (RL_EV_KERNEL | RL_EV_RILL)))
		m->q.want |= m->q.pid || m->q.stack ? RL_EV_RILL : RL_EV_KERNEL | RL_EV_RILL;
	if (!m->q.poll_ms)
		m->q.poll_ms = POLL_MS;
	if ((m->exec || m->alarm_file) && !m->nalarms)
		return misuse("--exec and --alarm-file go with --alarm", "");
	if (m->history_file && m->keep_history)
		return misuse("--history and --keep-history: one of them", "");
	if ((m->history_file || m->keep_history) && !(m->q.want & RL_EV_KERNEL))
		return misuse("--history is about the kernel's; stacks keep their own", "");
	if (m->q.want & RL_EV_ALL_NETNS && m->q.want & RL_EV_POLL)
		return misuse("--all-netns needs the tracepoint, so not --poll", "");
	return read_rules(m);
}

static int parse(const struct cmd *cmd, int argc, char **argv, struct monitor *m)
{
	struct optwalk w = { .cmd = cmd, .argc = argc, .argv = argv, .at = 1 };
	char *words[FILTER_NODES * 2], why[256];
	int id, r, n = 0;

	while ((id = opt_next(&w)) != OPTW_END) {
		if (id == OPTW_OPERAND) {
			if (n == FILTER_NODES * 2)
				return misuse("the filter has too many words", "");
			words[n++] = w.arg;
			continue;
		}
		r = take(m, id, w.arg);
		if (r >= 0)
			return r;
	}
	if (filter_parse(&m->filter, n, words, why, sizeof(why)) < 0) {
		complain("monitor: %s", why);
		return EXIT_MISUSE;
	}
	return check(m);
}

/* The first directory of the control sockets that is ours. */
static bool find_history(struct monitor *m)
{
	char dir[256];

	for (unsigned i = 0; ; i++) {
		int r = rl_ctl_dir(i, dir, sizeof(dir));

		if (r == -ENOENT)
			break;
		if (r < 0 || (mkdir(dir, 0700) < 0 && errno != EEXIST) || !rl_ctl_dir_ok(dir))
			continue;
		snprintf(m->history_path, sizeof(m->history_path), "%s/" HIST_FILE, dir);
		m->history_file = m->history_path;
		return true;
	}
	complain("monitor: no directory for the history; say where with --history FILE");
	return false;
}

static bool open_file(const char *name, FILE **out)
{
	if (!name)
		return true;
	*out = fopen(name, "ae");
	if (!*out)
		complain("monitor: cannot write %s: %s", name, strerror(errno));
	return *out != NULL;
}

/* ---- events ---- */

static bool wanted(const struct monitor *m, const struct rl_event *e)
{
	struct filter_subject s = { .lport = e->local.port, .pport = e->peer.port };

	if (e->kind != RL_EVENT_STATE)
		return true;
	if (m->filter.has_states && !(m->filter.states & (1u << e->from | 1u << e->to)))
		return false;
	memcpy(s.local, e->local.ip.b, 16);
	memcpy(s.peer, e->peer.ip.b, 16);
	return filter_match(&m->filter, &s);
}

static void write_history(struct monitor *m, const struct rl_event *e)
{
	struct hist_rec rec;
	json_t *o;

	if (!m->lives || !rl_lives_take(m->lives, e, &rec))
		return;
	o = hist_json(&rec);
	if (o && json_dumpf(o, m->history_out, JSON_COMPACT) == 0)
		fputc('\n', m->history_out);
	json_decref(o);
}

static void count(struct monitor *m, const struct rl_event *e)
{
	if (e->kind != RL_EVENT_STATE)
		return;
	m->changes++;
	m->opened += e->to == RILL_ESTABLISHED;
	m->ended += (e->to == RILL_CLOSE || e->to == RILL_TIME_WAIT) &&
		    e->from != RILL_TIME_WAIT && e->from != RILL_LISTEN;
}

static void take_events(struct monitor *m)
{
	struct rl_event e;
	int r = 0;

	for (int i = 0; i < BATCH && (r = rl_events_next(m->ev, &e)) == 1; i++) {
		if (!wanted(m, &e))
			continue;
		count(m, &e);
		write_history(m, &e);
		mon_event(m, &e);
	}
	if (r < 0) {
		complain("monitor: %s", strerror(-r));
		m->failed = true;
	}
	fflush(stdout);
	if (m->history_out && fflush(m->history_out) != 0) {
		complain("monitor: writing %s: %s", m->history_file, strerror(errno));
		m->failed = true;
	}
}

static void sample(struct monitor *m, int64_t now)
{
	double v[RL_METRICS];

	if (!mon_measure(m, v, now))
		return;
	if (m->interval_ms)
		mon_counters(v);
	mon_check_alarms(m, v, now);
	fflush(stdout);
}

static void loop(struct monitor *m)
{
	int every = m->interval_ms ? m->interval_ms : m->nalarms ? SAMPLE_MS : 0;
	int64_t begun = now_ms(), next = begun + every;
	uint64_t lost = 0;

	m->last_ms = begun;
	while (!stop && !m->failed && !out_closed()) {
		struct pollfd p = { rl_events_fd(m->ev), POLLIN, 0 };
		int64_t now = now_ms(), left = 1000;

		if (m->duration_ms && now >= begun + m->duration_ms)
			break;
		if (every && next - now < left)
			left = next - now;
		if (m->duration_ms && begun + m->duration_ms - now < left)
			left = begun + m->duration_ms - now;
		poll(&p, 1, left > 0 ? (int)left : 0);
		take_events(m);
		if (rl_events_lost(m->ev) != lost) {
			mon_lost(rl_events_lost(m->ev) - lost);
			lost = rl_events_lost(m->ev);
		}
		if (every && now_ms() >= next) {
			sample(m, now_ms());
			next = now_ms() + every;
		}
		mon_reap(m, false);
	}
}

static int start(struct monitor *m)
{
	struct sigaction sa = { .sa_handler = on_signal };	/* no SA_RESTART */
	int r;

	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	if (m->keep_history && !find_history(m))
		return EXIT_FAILED;
	if (!open_file(m->alarm_file, &m->alarm_out) ||
	    !open_file(m->history_file, &m->history_out))
		return EXIT_FAILED;
	m->lives = m->history_file ? rl_lives_new() : NULL;
	r = rl_events_open(&m->ev, &m->q);
	if (r < 0) {
		complain("monitor: %s", strerror(-r));
		return EXIT_FAILED;
	}
	if (m->q.want & RL_EV_ALL_NETNS && rl_events_notes(m->ev)->kernel != RL_HOW_TRACEPOINT) {
		complain("monitor: --all-netns needs the tracepoint: %s",
			 rl_events_notes(m->ev)->why);
		return EXIT_FAILED;
	}
	return -1;
}

static int run(const struct cmd *cmd, int argc, char **argv)
{
	static struct monitor m;
	int status = parse(cmd, argc, argv, &m);

	if (status >= 0)
		return status;
	status = start(&m);
	if (status < 0) {
		mon_start(&m);
		fflush(stdout);
		loop(&m);
		mon_end(&m);
		mon_reap(&m, true);
		status = m.failed ? EXIT_FAILED : EXIT_DONE;
	}
	if (m.lives && rl_lives_missed(m.lives))
		complain("monitor: %llu connections have no history: too many at once",
			 (unsigned long long)rl_lives_missed(m.lives));
	rl_events_close(m.ev);
	rl_lives_free(m.lives);
	if (m.alarm_out)
		fclose(m.alarm_out);
	if (m.history_out)
		fclose(m.history_out);
	return out_finish(status);
}

const struct cmd cmd_monitor = {
	.name = "monitor",
	.args = "[FILTER]",
	.help = "every change of state, counters over time, alarms",
	.about = "Writes what happens to the TCP connections of this host and of Rill's stacks,\n"
		 "one JSON object a line.  The first says how it is seen: \"tracepoint\", the\n"
		 "kernel tells of every change (root, or CAP_BPF and CAP_PERFMON); or \"poll\",\n"
		 "two looks at the table are compared, and what came and went in between is not\n"
		 "seen.  A change with \"missed\" hides others; one with \"polled\" was noticed\n"
		 "later than it happened, as the ends of TIME-WAIT always are.  Changes that were\n"
		 "lost are counted and told.  FILTER is that of `rill ss`; a state in it means\n"
		 "changes from or to it.\n\n"
		 "RULE: METRIC > NUMBER [for TIME] [clear NUMBER], also >= < <=.  METRIC is a\n"
		 "state (close-wait, syn-recv, ...), connections, orphans, lost, or changes,\n"
		 "opened, ended, these three a second.  An alarm is raised when the condition has\n"
		 "held for TIME (10s, 5m), and cleared when the value has been back at \"clear\"\n"
		 "(a tenth from the limit) for as long.  NUMBER may be warn or crit, those of\n"
		 "`rill check`; a state alone means >= warn.  CMD finds RILL_ALARM (the rule),\n"
		 "RILL_ALARM_STATE (raised, cleared), RILL_ALARM_METRIC, RILL_ALARM_VALUE and\n"
		 "RILL_ALARM_LIMIT in its environment.",
	.example = "  rill monitor -i 10 --alarm 'close-wait > 100 for 10s' \\\n"
		   "      --exec 'logger \"$RILL_ALARM $RILL_ALARM_STATE\"'",
	.opts = opts,
	.run = run,
};
