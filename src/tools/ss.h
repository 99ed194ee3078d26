/* SPDX-License-Identifier: MIT */
/* Between cmd_ss.c (what is asked), ss_rows.c (how it looks) and ss_sum.c (-s, --counts). */
#ifndef RL_TOOLS_SS_H
#define RL_TOOLS_SS_H

#include "look/filter.h"
#include "rill/table.h"

/* One line, its words in the shared text one after the other. */
struct ss_row {
	const char	*netid, *state;
	uint32_t	 recv_q, send_q;
	size_t		 at;
	uint16_t	 laddr, lport, paddr, pport, more;	/* lengths */
};

struct ss_rows {
	struct ss_row	*row;
	size_t		 n, cap;
	char		*text;
	size_t		 len, room;
};

struct ss {
	struct filter	filter;
	struct rill_table_query q;
	bool		tcp, udp, all, listening, numeric, resolve, timers, info, details, memory;
	bool		procs, summary, json, no_header, oneline, v4, v6, kill, events, counts;
	bool		kernel, rill, one_state;
	int		watch_ms;		/* 0: once */
	const char	*netns, *log;
	struct ss_rows	rows;
	size_t		shown;			/* in JSON */
	unsigned	unowned;
	unsigned long	count[2][2][RILL_TCP_STATES];	/* source, UDP, state */
};

/** Return: false without memory. */
bool ss_add_row(struct ss *s, const struct rill_sock *k);
void ss_print(struct ss *s);
void ss_free_rows(struct ss_rows *r);

void ss_count(struct ss *s, const struct rill_sock *k);
void ss_print_counts(const struct ss *s);
/** Return: exit status. */
int ss_summary(const struct ss *s);

/** -E: until nobody reads any more, or a signal.  Return: exit status. */
int ss_events(struct ss *s);

#endif
