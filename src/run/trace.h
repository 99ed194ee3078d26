/* SPDX-License-Identifier: MIT */
/* What happens as text: state changes and segments in the order of time. */
#ifndef RL_RUN_TRACE_H
#define RL_RUN_TRACE_H

#include "base/types.h"
#include "rill/stack.h"

struct rl_trace;

#define RL_TRACE_EVENTS	4096		/* ring of the stack */

/** @path "-": to stderr.  Return: 0 or -errno with one line in @why. */
int rl_trace_open(const char *path, int64_t now_ns, struct rl_trace **out,
		  char *why, size_t n);
void rl_trace_close(struct rl_trace *t);

/** Write one event that the stack has traced. */
void rl_trace_put(struct rl_trace *t, const struct rill_trace *ev);

/** A frame passed: of type rl_pcap_tap, @ctx is the struct rl_trace. */
void rl_trace_frame(void *ctx, int64_t now_ns, bool out, const uint8_t *frame, size_t n);

#endif
