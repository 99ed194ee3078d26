/* SPDX-License-Identifier: MIT */
/* Whose counters a command reads: the kernel's, of one of its namespaces, or a stack's. */
#ifndef RL_TOOLS_SOURCE_H
#define RL_TOOLS_SOURCE_H

#include "look/ctlc.h"
#include "look/netstat.h"
#include "tools/cmd.h"

/* Numbers of the options, above a command's own. */
enum { SRC_STACK = 900, SRC_PID, SRC_NETNS };

#define SOURCE_OPTS								\
	{ SRC_STACK, 0, "stack", "NAME", "the Rill stack of that name, not the kernel" },	\
	{ SRC_PID, 0, "pid", "PID", "the Rill stack of that process, not the kernel" },	\
	{ SRC_NETNS, 0, "netns", "PID", "the kernel, in that process's network namespace" }

struct source {
	struct ctl_select sel;
	long		netns_pid;	/* 0: ours */
	char		net[48];	/* "/proc/PID/net", or "" */
	bool		entered;	/* all of the process is there */
	struct ctl_stacks *stacks;	/* NULL: the kernel */
};

/** Take option @id.  Return: 1 taken, 0 not one of ours, -1 after a complaint. */
int source_arg(struct source *s, const struct cmd *cmd, int id, const char *arg);

/**
 * Go into the namespace of --netns with all of the process, for those that read more
 * than counters: needs root.  Before source_open().  Return: an exit status.
 */
int source_enter(struct source *s, const struct cmd *cmd);

/** Connect to the stack that was asked for: there must be one.  Return: an exit status. */
int source_open(struct source *s, const struct cmd *cmd);

/** Read it.  Return: whether it could be read; a complaint was made when not. */
bool source_read(struct source *s, const struct cmd *cmd, struct netstat *to);

/** "kernel", "kernel of PID", "NAME[PID]" */
const char *source_label(const struct source *s, char *buf, size_t n);
void source_close(struct source *s);

#endif
