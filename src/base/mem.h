/* SPDX-License-Identifier: MIT */
/*
 * All memory of a stack comes through here: the caller's allocator with a hard
 * cap.  Running out is an ordinary path; every caller handles NULL.
 */
#ifndef RL_BASE_MEM_H
#define RL_BASE_MEM_H

#include "base/types.h"
#include "rill/stack.h"

struct rl_mem {
	struct rill_allocator	hooks;
	uint64_t		used, peak, max;	/* bytes */
};

/** Zeroed memory of @n bytes, or NULL. */
void *rl_mem_alloc(struct rl_mem *m, size_t n);
void rl_mem_free(struct rl_mem *m, void *p, size_t n);

/**
 * Grow or move an array; @p may be NULL with @old 0.  On failure @p is intact
 * and NULL is returned.  The new part is zeroed.
 */
void *rl_mem_resize(struct rl_mem *m, void *p, size_t old, size_t n);

#endif
