/* SPDX-License-Identifier: MIT */
/* Segments of one connection as a stack of Rill tells them while they pass. */
#ifndef RL_TOOLS_SEGS_H
#define RL_TOOLS_SEGS_H

#include <stdbool.h>
#include <stddef.h>

#include "rill/types.h"

struct segs;

#define SEG_TEXT	160

/** Ask the stacks of @pid, without waiting for an answer.  NULL: none can be asked. */
struct segs *segs_open(long pid);

/** Whose segments segs_next() gives, those that wait already too.  First of all calls. */
void segs_aim(struct segs *s, const struct rill_addr *local, const struct rill_addr *peer);
void segs_close(struct segs *s);

/** Readable when there is something; an epoll descriptor. */
int segs_fd(const struct segs *s);

/** The next segment as one line.  Return: false: none now. */
bool segs_next(struct segs *s, char text[SEG_TEXT]);

#endif
