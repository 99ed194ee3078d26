/* SPDX-License-Identifier: MIT */
/* Counters, drop and hold reasons, the trace: each list declared once, in a .def. */
#ifndef RL_OBS_OBS_H
#define RL_OBS_OBS_H

#include "base/mem.h"

enum rl_ctr {
#define CTR(mod, name, unit, help, src)	CTR_##mod##_##name,
#include "obs/counters.def"
#undef CTR
	CTR_N
};

enum rl_drop {
	RL_DROP_NONE,			/* not dropped */
#define DROP(name, help, src)	RL_DROP_##name,
#include "obs/drops.def"
#undef DROP
	RL_DROP_N
};

enum rl_hold {
#define HOLD(name, help, src)	RL_HOLD_##name,
#include "obs/holds.def"
#undef HOLD
	RL_HOLD_N
};

struct rl_obs {
	uint64_t		ctr[CTR_N];
	uint64_t		drop[RL_DROP_N];
	uint64_t		hold[RL_HOLD_N];
	struct rill_trace	*ring;		/* NULL: no trace */
	uint32_t		ring_size;	/* entries, a power of two */
	uint32_t		ring_head, ring_tail;
	uint64_t		ring_lost;	/* overwritten before they were taken */
};

#define RL_CTR(st, name)	((st)->obs.ctr[CTR_##name]++)
#define RL_CTR_ADD(st, name, n)	((st)->obs.ctr[CTR_##name] += (n))

/** A new, empty ring of @events; 0: none.  -ENOMEM: there is none then. */
int rl_obs_trace(struct rl_obs *o, struct rl_mem *mem, uint32_t events);
void rl_obs_destroy(struct rl_obs *o, struct rl_mem *mem);

/** A slot of the trace to fill, the oldest one lost when it is full; or NULL. */
struct rill_trace *rl_trace_slot(struct rl_obs *o);

#endif
