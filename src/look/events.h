/* SPDX-License-Identifier: MIT */
/*
 * State changes of the host's TCP connections as they happen: the kernel's by its
 * tracepoint where that is allowed and by repeated looks at the table where it is
 * not; those of Rill's stacks by the request "watch".
 */
#ifndef RL_LOOK_EVENTS_H
#define RL_LOOK_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "rill/table.h"

enum rl_event_kind {
	RL_EVENT_STATE,
	RL_EVENT_STACK_NEW,		/* a stack runs: pid and stack are filled */
	RL_EVENT_STACK_END,		/* it has ended, or stopped answering */
};

struct rl_event {
	enum rl_event_kind kind;
	int64_t		time_ns;	/* since 1970 */
	uint8_t		source;		/* enum rill_source */
	uint8_t		family;		/* 4 or 6 */
	uint8_t		from, to;	/* enum rill_tcp_state */
	bool		polled;		/* noticed afterwards by comparing two looks */
	bool		missed;		/* polled: there were states in between */
	bool		half_open;	/* a listener's peer that no program has yet */
	uint32_t	ifindex;
	struct rill_addr local, peer;
	uint64_t	id;		/* the same for all changes of a connection; 0: not known */
	uint64_t	netns;		/* kernel: inode of the namespace; 0: not known */
	int		pid;		/* kernel: whose call did it, 0: no call; Rill: stack's */
	char		comm[16];
	char		stack[64];	/* Rill: the stack's name */
};

enum rl_events_want {
	RL_EV_KERNEL	= 1 << 0,
	RL_EV_RILL	= 1 << 1,
	RL_EV_POLL	= 1 << 2,	/* do not use the tracepoint */
	RL_EV_ALL_NETNS	= 1 << 3,	/* tracepoint only */
};

struct rl_events_query {
	unsigned	want;
	int		poll_ms;	/* between two looks; 0: 100 */
	int		pid;		/* stacks of this process only; 0: all */
	const char	*stack;		/* stacks of this name only; NULL: all */
};

enum rl_events_how { RL_HOW_NOT, RL_HOW_TRACEPOINT, RL_HOW_POLL };

/* How it is read, and what that can't see. */
struct rl_events_notes {
	enum rl_events_how kernel;
	bool		time_wait;	/* ends of TIME-WAIT, and half-open peers, are seen */
	char		why[128];	/* why there is no tracepoint */
	unsigned	stacks;		/* now */
};

struct rl_events;

/** Return: 0, -ENOMEM or -errno of the descriptor; that something can't be seen is
 * no error, see rl_events_notes(). */
int rl_events_open(struct rl_events **out, const struct rl_events_query *q);
void rl_events_close(struct rl_events *ev);

/** Readable when rl_events_next() may have something. */
int rl_events_fd(const struct rl_events *ev);

/** Return: 1 and the next event, 0: none now, -errno. */
int rl_events_next(struct rl_events *ev, struct rl_event *out);

/** State changes that the kernel could not hand over, so far. */
uint64_t rl_events_lost(const struct rl_events *ev);
const struct rl_events_notes *rl_events_notes(const struct rl_events *ev);

/** Whether figure 5 has this arrow (with CLOSE as the end of every one). */
bool rl_events_arrow(int from, int to);

#endif
