/* SPDX-License-Identifier: MIT */
/* What the rest of run/ may see of an engine; everything under its lock. */
#ifndef RL_RUN_ENGINE_H
#define RL_RUN_ENGINE_H

#include "rill/engine.h"

struct rl_dev;

struct rill_stack *rl_engine_stack(struct rill_engine *e);

/** The outermost device: its counters include what wrappers did. */
struct rl_dev *rl_engine_dev(struct rill_engine *e);

/**
 * What is to be seen by rl_ctl_emit(), enum rl_watch_bits; 0: nothing, which costs
 * nothing.  -ENOMEM.
 */
int rl_engine_watch(struct rill_engine *e, unsigned bits);

/** As shown in `rill ss`. */
const char *rl_engine_name(const struct rill_engine *e);

#endif
