/* SPDX-License-Identifier: MIT */
/* What dev/fault.c is told to do, by direction; see rl_dev_fault_open(). */
#ifndef RL_DEV_FAULT_H
#define RL_DEV_FAULT_H

#include "base/types.h"

struct rl_fault_par {
	uint32_t	loss_ppm, dup_ppm, reorder_ppm, corrupt_ppm;
	uint32_t	burst_milli;	/* mean length of a burst of losses; 0: no bursts */
	int64_t		delay_ns, jitter_ns;
	uint64_t	rate_bps;	/* bits a second, 0: no limit */
	uint32_t	queue;		/* packets that wait for the rate */
};

enum { RL_FAULT_IN, RL_FAULT_OUT, RL_FAULT_DIRS };

/**
 * Parse "loss=2%,dup=1%;in:delay=10ms".  Return: 0, or -EINVAL with one line in
 * @why that names the part which is wrong.
 */
int rl_fault_parse(const char *spec, struct rl_fault_par par[RL_FAULT_DIRS],
		   char *why, size_t n);

#endif
