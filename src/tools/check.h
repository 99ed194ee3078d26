/* SPDX-License-Identifier: MIT */
/* The values that `rill check` compares with thresholds. */
#ifndef RL_TOOLS_CHECK_H
#define RL_TOOLS_CHECK_H

#include "look/thresholds.h"
#include "tools/source.h"

struct check_values {
	double	value[THR_COUNT];	/* by enum threshold_id */
	bool	known[THR_COUNT];
	double	seconds;		/* that rates were taken over */
};

/**
 * Find the values of those in @want; rates over @interval_ms.  What the source has not
 * stays unknown.  Return: whether the source could be read at all.
 */
bool check_read(struct source *src, const struct cmd *cmd, const bool want[THR_COUNT],
		int interval_ms, struct check_values *v);

/** Which threshold is for a state, in any spelling ("ESTAB", "SYN_RCVD"); -1: none. */
int check_state(const char *name);

#endif
