/* SPDX-License-Identifier: MIT */
/* Between cmd_ss.c (what to show) and ss_print.c (how it looks). */
#ifndef RL_TOOLS_SS_H
#define RL_TOOLS_SS_H

#include "look/ctlc.h"
#include "look/filter.h"

struct ss_row {
	const char	*netid, *state;
	uint32_t	 recv_q, send_q;
	char		 laddr[56], paddr[56], lport[24], pport[24];
	char		*extra;
};

struct ss {
	struct ctl_select sel;
	struct filter	filter;
	bool		tcp, udp, all, listening, numeric, timers, info, details, memory;
	bool		summary, json, no_header, oneline, v4, v6, kill, one_state;
	struct ss_row	*rows;
	size_t		nrows, cap, shown;
	json_t		*victims;
};

void ss_print(const struct ss *s);
int ss_summary(const struct ss *s, struct ctl_stacks *stacks);

#endif
