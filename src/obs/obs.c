/* SPDX-License-Identifier: MIT */
/* The lists of obs/ as names, and the trace ring. */
#include <errno.h>

#include "obs/obs.h"
#include "rill/stack.h"

int rl_obs_trace(struct rl_obs *o, struct rl_mem *mem, uint32_t events)
{
	uint32_t n = 1;

	rl_mem_free(mem, o->ring, o->ring_size * sizeof(*o->ring));
	o->ring = NULL;
	o->ring_head = o->ring_tail = o->ring_size = 0;
	o->ring_lost = 0;
	if (!events)
		return 0;
	while (n < events && n < 1u << 24)
		n *= 2;
	o->ring = rl_mem_alloc(mem, n * sizeof(*o->ring));
	if (!o->ring)
		return -ENOMEM;
	o->ring_size = n;
	return 0;
}

void rl_obs_destroy(struct rl_obs *o, struct rl_mem *mem)
{
	rl_obs_trace(o, mem, 0);
}

struct rill_trace *rl_trace_slot(struct rl_obs *o)
{
	if (!o->ring)
		return NULL;
	if (o->ring_head - o->ring_tail == o->ring_size) {
		o->ring_tail++;
		o->ring_lost++;
	}
	return &o->ring[o->ring_head++ & (o->ring_size - 1)];
}

const char *rill_drop_name(int reason)
{
	static const char *const names[RL_DROP_N] = {
		[RL_DROP_NONE] = "NONE",
#define DROP(name, help, src)	[RL_DROP_##name] = #name,
#include "obs/drops.def"
#undef DROP
	};

	return reason >= 0 && reason < RL_DROP_N ? names[reason] : "?";
}

const char *rill_hold_name(int reason)
{
	static const char *const names[RL_HOLD_N] = {
#define HOLD(name, help, src)	[RL_HOLD_##name] = #name,
#include "obs/holds.def"
#undef HOLD
	};

	return reason >= 0 && reason < RL_HOLD_N ? names[reason] : "?";
}

const char *rill_end_name(int end)
{
	static const char *const names[RILL_END_N] = {
#define END(id, name, closer, help)	[RILL_END_##id] = name,
#include "rill/ends.def"
#undef END
	};

	return end >= 0 && end < RILL_END_N ? names[end] : "?";
}

const char *rill_end_help(int end)
{
	static const char *const helps[RILL_END_N] = {
#define END(id, name, closer, help)	[RILL_END_##id] = help,
#include "rill/ends.def"
#undef END
	};

	return end >= 0 && end < RILL_END_N ? helps[end] : "?";
}

const char *rill_side_name(int side)
{
	static const char *const names[] = { "nobody", "local", "peer", "both" };

	return side >= 0 && side < (int)ARRAY_LEN(names) ? names[side] : "?";
}

const char *rill_state_name(int state)
{
	static const char *const names[RILL_TCP_STATES] = {
		"?", "ESTABLISHED", "SYN-SENT", "SYN-RECEIVED", "FIN-WAIT-1", "FIN-WAIT-2",
		"TIME-WAIT", "CLOSED", "CLOSE-WAIT", "LAST-ACK", "LISTEN", "CLOSING",
	};

	return state >= 0 && state < RILL_TCP_STATES ? names[state] : "?";
}

const char *rill_state_ss(int state)
{
	static const char *const names[RILL_TCP_STATES] = {
		"?", "ESTAB", "SYN-SENT", "SYN-RECV", "FIN-WAIT-1", "FIN-WAIT-2",
		"TIME-WAIT", "UNCONN", "CLOSE-WAIT", "LAST-ACK", "LISTEN", "CLOSING",
	};

	return state >= 0 && state < RILL_TCP_STATES ? names[state] : "?";
}
