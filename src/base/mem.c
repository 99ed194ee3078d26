/* SPDX-License-Identifier: MIT */
/* Accounting around the caller's allocator; called by pools, never per packet. */
#include "base/mem.h"

void *rl_mem_alloc(struct rl_mem *m, size_t n)
{
	void *p;

	if (n > m->max - m->used)
		return NULL;
	p = m->hooks.alloc(m->hooks.ctx, n);
	if (!p)
		return NULL;
	memset(p, 0, n);
	m->used += n;
	m->peak = RL_MAX(m->peak, m->used);
	return p;
}

void rl_mem_free(struct rl_mem *m, void *p, size_t n)
{
	if (!p)
		return;
	m->used -= n;
	m->hooks.free(m->hooks.ctx, p, n);
}

void *rl_mem_resize(struct rl_mem *m, void *p, size_t old, size_t n)
{
	void *q = rl_mem_alloc(m, n);

	if (!q)
		return NULL;
	if (p)
		memcpy(q, p, RL_MIN(old, n));
	rl_mem_free(m, p, old);
	return q;
}
