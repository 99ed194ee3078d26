/* SPDX-License-Identifier: MIT */
/* Doing something to a socket of another program: end it, make it patient or impatient. */
#ifndef RL_LOOK_ACT_H
#define RL_LOOK_ACT_H

#include <stdio.h>

#include "rill/table.h"

struct rl_act;

/*
 * Keepalive and user timeout of one socket; -1 in a field: not known, or leave as
 * it is.
 */
struct rl_keepalive {
	int	on;			/* SO_KEEPALIVE */
	int	idle_s, interval_s, count;
	int	user_timeout_ms;	/* 0: as long as retransmissions last */
};

#define RL_KEEPALIVE_INIT	{ -1, -1, -1, -1, -1 }

/**
 * @log: a file that one line per action is appended to, NULL for none.  @netns_fd:
 * the namespace of the kernel's sockets, -1 for ours.
 * Return: NULL with errno of the log.
 */
struct rl_act *rl_act_open(const char *log, int netns_fd);
void rl_act_close(struct rl_act *a);

/** The same lines to @out as well (without the time); NULL: not. */
void rl_act_tell(struct rl_act *a, FILE *out);

/** What was done last, as its line says it. */
const char *rl_act_last(const struct rl_act *a);

/**
 * End @s with a reset, whatever its state: the kernel's by SOCK_DESTROY, which
 * needs CAP_NET_ADMIN, a stack's by its control socket.
 * Return: 0; -ENOENT: it is gone already; -EPERM; -EOPNOTSUPP: not in this state;
 * -EHOSTDOWN: its stack does not answer.
 */
int rl_act_kill(struct rl_act *a, const struct rill_sock *s);

/**
 * Change what @set says.  The kernel's are reached through the descriptor of the
 * program that holds them: @s needs its owners (RILL_WANT_OWNERS).
 * Return: as rl_act_kill(); -EBADF: no program's descriptor can be reached; then
 * nothing was changed.  @before and @now hold what was and is.
 */
int rl_act_keepalive(struct rl_act *a, const struct rill_sock *s,
		     const struct rl_keepalive *set, struct rl_keepalive *before,
		     struct rl_keepalive *now);

/** An error of these in words, with what to do. */
const char *rl_act_why(int err, const struct rill_sock *s);

/** "10.0.0.1:80 -> 10.0.0.2:4000", "[fd77::1]:80" */
#define RL_ACT_NAME	160
const char *rl_act_name(const struct rill_sock *s, char buf[RL_ACT_NAME]);

#endif
