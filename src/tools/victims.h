/* SPDX-License-Identifier: MIT */
/* The sockets that `rill kill` and `rill keepalive` mean, and their common options. */
#ifndef RL_TOOLS_VICTIMS_H
#define RL_TOOLS_VICTIMS_H

#include "tools/cmd.h"
#include "tools/ss.h"

enum {
	V_TCP = 900, V_UDP, V_V4, V_V6, V_KERNEL, V_RILL, V_NETNS, V_PID, V_STACK, V_DRY, V_LOG,
	V_JSON,
};

/* For the option tables of both. */
#define VICTIM_OPTS								\
	{ V_TCP, 't', "tcp", NULL, "TCP only" },				\
	{ V_V4, '4', "ipv4", NULL, "IPv4 only" },				\
	{ V_V6, '6', "ipv6", NULL, "IPv6 only" },				\
	{ V_KERNEL, 0, "kernel", NULL, "the kernel's sockets only" },		\
	{ V_RILL, 0, "rill", NULL, "those of stacks only" },			\
	{ V_NETNS, 'N', "net", "NAME", "the kernel's of this network namespace" }, \
	{ V_PID, 0, "pid", "PID", "the stacks of that process only" },		\
	{ V_STACK, 0, "stack", "NAME", "stacks of that name only" },		\
	{ V_DRY, 0, "dry-run", NULL, "show what is meant, do nothing" },	\
	{ V_LOG, 0, "log", "FILE", "append one line for each, with the time" },	\
	{ V_JSON, 'j', "json", NULL, "JSON" }

struct rl_act;

struct victims {
	const char	*cmd;
	struct ss	 ss;			/* filter, query and how they are shown */
	bool		 dry;
	const char	*log;
	char		*words[FILTER_NODES * 2];
	int		 nwords;
	struct rill_table table;
	size_t		 n;			/* in @table, those that are meant first */
};

/** An option of VICTIM_OPTS or an operand.  Return: false after a complaint. */
bool victims_option(struct victims *v, int id, char *arg);

/**
 * All options are there: read the sockets of the filter.  @states: those that are
 * meant when the filter names none.  Return: -1 to go on, or the exit status after a
 * complaint; then victims_free() is not needed.
 */
int victims_read(struct victims *v, uint32_t states);
void victims_show(struct victims *v);

/**
 * Around the actions: the log is open, and what is done is told as text, or as the
 * elements of an array.  Return: NULL after a complaint.
 */
struct rl_act *victims_begin(struct victims *v);
void victims_end(struct victims *v, struct rl_act *a);
void victims_free(struct victims *v);

#endif
