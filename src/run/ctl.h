/* SPDX-License-Identifier: MIT */
/* The control socket: how `rill` finds a running stack and asks it. */
#ifndef RL_RUN_CTL_H
#define RL_RUN_CTL_H

#include "rill/engine.h"

#ifndef RILL_VERSION
#define RILL_VERSION	"0.1.0"
#endif

#define RL_CTL_SCHEMA	1		/* "rill" in every reply */
#define RL_CTL_LINE_MAX	4096		/* longest request */

struct rl_ctl;

/** Make the socket of @e, shown under @name.  Return: 0 or -errno. */
int rl_ctl_open(struct rill_engine *e, const char *name, struct rl_ctl **out);

/** Readable when rl_ctl_run() has something to do. */
int rl_ctl_fd(struct rl_ctl *c);

/**
 * Serve whoever asks, without ever blocking.  The caller holds the engine's
 * lock; the stack is rl_engine_stack() of run/engine.h.
 */
void rl_ctl_run(struct rl_ctl *c, struct rill_engine *e);
void rl_ctl_close(struct rl_ctl *c);

/**
 * Where the sockets PID.N.sock lie: candidate number @i from 0, the best first.
 * $RILL_RUN_DIR alone when it is set; else /run/rill (root), $XDG_RUNTIME_DIR/rill,
 * /tmp/rill-UID.  Return: 0; -ENOENT behind the last; -ENAMETOOLONG.
 */
int rl_ctl_dir(unsigned i, char *buf, size_t n);

/** A directory that is ours alone, so that nobody else can plant a socket in it. */
bool rl_ctl_dir_ok(const char *dir);

#endif
