/* SPDX-License-Identifier: MIT */
/*
 * Counting what there is, and what an alarm does: a line on stdout, the same line in
 * a file, a command.  Commands run beside the monitor, which never waits for them.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "rill/stack.h"
#include "tools/monitor.h"
#include "tools/out.h"

#define LAST_WAIT_MS	5000

static bool count_one(void *ctx, const struct rill_sock *s)
{
	double *v = ctx;
	int metric = rl_metric_of_state(s->state);

	if (metric < 0)
		return true;
	v[metric]++;
	v[RL_METRIC_CONNECTIONS] += s->state != RILL_LISTEN;
	v[RL_METRIC_ORPHANS] += s->orphan;
	return true;
}

static double rate(uint64_t now, uint64_t *last, double seconds)
{
	uint64_t n = now - *last;

	*last = now;
	return seconds > 0 ? (double)n / seconds : 0;
}

bool mon_measure(struct monitor *m, double v[RL_METRICS], int64_t now_ms)
{
	struct rill_table_query q = RILL_TABLE_QUERY_INIT;
	struct rill_table_notes notes = { 0 };
	double s = (double)(now_ms - m->last_ms) / 1000;

	for (int i = 0; i < RL_METRICS; i++)
		v[i] = 0;
	q.want = RILL_WANT_TCP;
	if (m->q.want & RL_EV_KERNEL)
		q.want |= RILL_WANT_KERNEL;
	if (m->q.want & RL_EV_RILL)
		q.want |= RILL_WANT_RILL;
	q.pid = m->q.pid;
	q.stack = m->q.stack;
	if (rill_table_walk(&q, count_one, v, &notes) < 0 || notes.kernel_error)
		return false;
	v[RL_METRIC_CHANGES] = rate(m->changes, &m->last_changes, s);
	v[RL_METRIC_OPENED] = rate(m->opened, &m->last_opened, s);
	v[RL_METRIC_ENDED] = rate(m->ended, &m->last_ended, s);
	v[RL_METRIC_LOST] = (double)rl_events_lost(m->ev);
	m->last_ms = now_ms;
	return true;
}

static void set_env(const char *name, double v)
{
	char text[40];

	snprintf(text, sizeof(text), "%.10g", v);
	setenv(name, text, 1);
}

static void child(const struct monitor *m, const struct rl_alarm *a, const char *rule,
		  double value)
{
	setenv("RILL_ALARM", rule, 1);
	setenv("RILL_ALARM_STATE", a->raised ? "raised" : "cleared", 1);
	setenv("RILL_ALARM_METRIC", rl_metric_name(a->metric), 1);
	set_env("RILL_ALARM_VALUE", value);
	set_env("RILL_ALARM_LIMIT", a->limit);
	signal(SIGPIPE, SIG_DFL);
	dup2(STDERR_FILENO, STDOUT_FILENO);	/* stdout is for lines of JSON */
	execl("/bin/sh", "sh", "-c", m->exec, (char *)NULL);
	_exit(127);
}

static void run_command(struct monitor *m, const struct rl_alarm *a, const char *rule,
			double value)
{
	pid_t *slot = NULL;

	for (int i = 0; i < MON_JOBS && !slot; i++)
		if (!m->job[i])
			slot = &m->job[i];
	if (!slot) {
		complain("monitor: %d commands of alarms still run: not one more", MON_JOBS);
		return;
	}
	fflush(NULL);
	*slot = fork();
	if (*slot == 0)
		child(m, a, rule, value);
	if (*slot < 0) {
		*slot = 0;
		complain("monitor: cannot start %s: %s", m->exec, strerror(errno));
	}
}

static void act(struct monitor *m, const struct rl_alarm *a, const char *rule, double value)
{
	mon_alarm(stdout, a, rule, value);
	putchar('\n');
	if (m->alarm_out) {
		mon_alarm(m->alarm_out, a, rule, value);
		fputc('\n', m->alarm_out);
		if (fflush(m->alarm_out) != 0)
			complain("monitor: writing %s: %s", m->alarm_file, strerror(errno));
	}
	if (m->exec)
		run_command(m, a, rule, value);
}

void mon_check_alarms(struct monitor *m, const double v[RL_METRICS], int64_t now_ms)
{
	for (unsigned i = 0; i < m->nalarms; i++) {
		struct rl_alarm *a = &m->alarm[i];

		if (rl_alarm_step(a, v[a->metric], now_ms) != RL_ALARM_SAME)
			act(m, a, m->rule[i], v[a->metric]);
	}
}

static unsigned reap_once(struct monitor *m)
{
	unsigned left = 0;

	for (int i = 0; i < MON_JOBS; i++) {
		int st;

		if (m->job[i] && waitpid(m->job[i], &st, WNOHANG) == m->job[i]) {
			if (WIFEXITED(st) && WEXITSTATUS(st) != 0)
				complain("monitor: %s ended with %d", m->exec,
					 WEXITSTATUS(st));
			m->job[i] = 0;
		}
		left += m->job[i] != 0;
	}
	return left;
}

void mon_reap(struct monitor *m, bool wait)
{
	unsigned left = reap_once(m);

	for (int i = 0; wait && left && i < LAST_WAIT_MS / 10; i++) {
		usleep(10000);
		left = reap_once(m);
	}
}
