/* SPDX-License-Identifier: MIT */
/* From state changes to the histories of the connections that had them. */
#ifndef RL_LOOK_LIVES_H
#define RL_LOOK_LIVES_H

#include "look/events.h"
#include "look/history.h"

struct rl_lives;

/** NULL: no memory. */
struct rl_lives *rl_lives_new(void);
void rl_lives_free(struct rl_lives *l);

/** Return: whether @e ended a connection; then @out tells of it. */
bool rl_lives_take(struct rl_lives *l, const struct rl_event *e, struct hist_rec *out);

/** Connections that began while too many were open to follow this one too. */
uint64_t rl_lives_missed(const struct rl_lives *l);

#endif
