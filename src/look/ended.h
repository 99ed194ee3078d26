/* SPDX-License-Identifier: MIT */
/* The kernel's sockets as they end, whole, by the groups of NETLINK_SOCK_DIAG. */
#ifndef RL_LOOK_ENDED_H
#define RL_LOOK_ENDED_H

#include "rill/table.h"

struct rl_ended;

/** @want: RILL_WANT_TCP, _UDP, _V4, _V6.  Needs CAP_NET_ADMIN.  NULL with errno. */
struct rl_ended *rl_ended_open(unsigned want);
void rl_ended_close(struct rl_ended *e);

/** Readable when a socket ended. */
int rl_ended_fd(const struct rl_ended *e);

/** Read what is there; @each as in rill_table_walk(), the age is not known.
 * Return: 0; 1: the kernel could not hand over all; -errno. */
int rl_ended_read(struct rl_ended *e, bool (*each)(void *ctx, const struct rill_sock *s),
		  void *ctx);

#endif
