/* SPDX-License-Identifier: MIT */
/* Between cmd_monitor.c (options, the loop), monitor_out.c (lines), monitor_alarm.c. */
#ifndef RL_TOOLS_MONITOR_H
#define RL_TOOLS_MONITOR_H

#include <stdio.h>

#include "look/alarm.h"
#include "look/events.h"
#include "look/filter.h"
#include "look/lives.h"
#include "look/thresholds.h"

#define MON_ALARMS	32
#define MON_JOBS	32		/* commands that run at once */

struct monitor {
	struct rl_events_query q;
	struct filter	filter;
	bool		quiet;		/* no line for each change */
	int		interval_ms;	/* 0: no counters */
	int		duration_ms;	/* 0: until interrupted */

	struct thresholds limits;
	const char	*limits_file;	/* NULL: THRESHOLDS_FILE, if there is one */
	struct rl_alarm	alarm[MON_ALARMS];
	const char	*rule[MON_ALARMS];
	unsigned	nalarms;
	const char	*exec, *alarm_file, *history_file;
	bool		keep_history;	/* where `rill history` looks */
	char		history_path[320];
	FILE		*alarm_out, *history_out;
	pid_t		job[MON_JOBS];	/* 0: free */

	struct rl_events *ev;
	struct rl_lives	*lives;
	uint64_t	changes, opened, ended;		/* since the start */
	uint64_t	last_changes, last_opened, last_ended;
	int64_t		last_ms;	/* of the counters */
	bool		failed;
};

/* ---- monitor_out.c ---- */

void mon_start(const struct monitor *m);
void mon_event(const struct monitor *m, const struct rl_event *e);
void mon_counters(const double v[RL_METRICS]);
void mon_lost(uint64_t n);
void mon_end(const struct monitor *m);

/** The line of an alarm, without its newline. */
void mon_alarm(FILE *out, const struct rl_alarm *a, const char *rule, double value);

/* ---- monitor_alarm.c ---- */

/** What there is now.  Return: false: the table could not be read. */
bool mon_measure(struct monitor *m, double v[RL_METRICS], int64_t now_ms);
void mon_check_alarms(struct monitor *m, const double v[RL_METRICS], int64_t now_ms);
/** Commands that have ended; @wait: wait for all, 5 s at most. */
void mon_reap(struct monitor *m, bool wait);

#endif
