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

/* What a reader of "watch" wants to see as it happens. */
enum rl_watch_bits {
	RL_WATCH_STATES		= 1 << 0,	/* changes of state */
	RL_WATCH_SEGMENTS	= 1 << 1,	/* TCP segments that pass the device */
	RL_WATCH_DROPS		= 1 << 2,	/* packets discarded */
	RL_WATCH_FRAMES		= 1 << 3,	/* frames that carry no TCP */
};

/** One line for all readers who want one of @kinds: kept, or counted as lost. */
void rl_ctl_emit(struct rl_ctl *c, unsigned kinds, const char *line, size_t n);

/** @n events are gone before anybody saw them. */
void rl_ctl_lost(struct rl_ctl *c, uint64_t n);

/** Write what waits for readers, as far as they take it. */
void rl_ctl_flush(struct rl_ctl *c);

/**
 * Where the sockets PID.N.sock lie: candidate number @i from 0, the best first.
 * $RILL_RUN_DIR alone when it is set; else /run/rill (root), $XDG_RUNTIME_DIR/rill,
 * /tmp/rill-UID.  Return: 0; -ENOENT behind the last; -ENAMETOOLONG.
 */
int rl_ctl_dir(unsigned i, char *buf, size_t n);

/** A directory that is ours alone, so that nobody else can plant a socket in it. */
bool rl_ctl_dir_ok(const char *dir);

#endif
