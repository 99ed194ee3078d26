/* SPDX-License-Identifier: MIT */
/* Alarms: a rule about one metric, with patience and hysteresis. */
#ifndef RL_LOOK_ALARM_H
#define RL_LOOK_ALARM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum rl_metric {
#define METRIC_STATE(state, name, help)		RL_METRIC_##state,
#define METRIC(id, name, unit, help)		RL_METRIC_##id,
#include "look/metrics.def"
#undef METRIC_STATE
#undef METRIC
	RL_METRICS
};

const char *rl_metric_name(int metric);
/** The metric that counts a state; -1: there is none. */
int rl_metric_of_state(int state);

enum rl_alarm_op { RL_ALARM_GT, RL_ALARM_GE, RL_ALARM_LT, RL_ALARM_LE };

struct rl_alarm {
	int		metric;		/* enum rl_metric */
	enum rl_alarm_op op;
	double		limit;
	double		clear;		/* it ends when this is reached */
	int64_t		for_ms;		/* only when it stays so for that long, both ways */

	bool		raised;
	int64_t		since_ms;	/* the other way has been true from then; -1: is not */
};

enum rl_alarm_step { RL_ALARM_SAME, RL_ALARM_RAISED, RL_ALARM_CLEARED };

struct thresholds;

/**
 * "close-wait > 100 for 10s clear 80": without "for" at once; without "clear" a tenth
 * back from the limit.  The limit may be "warn" or "crit", that of @t for the metric,
 * and "close-wait" alone is "close-wait >= warn".  Return: 0, or -1 with one line in
 * @why.
 */
int rl_alarm_parse(struct rl_alarm *a, const char *text, const struct thresholds *t,
		   char *why, size_t n);

/** @now_ms: any clock that goes forward. */
enum rl_alarm_step rl_alarm_step(struct rl_alarm *a, double value, int64_t now_ms);

#endif
