/* SPDX-License-Identifier: MIT */
/*
 * Pages of about 64 KiB, a free list threaded through the objects.  The
 * generation is odd while an object lives, so a stale name never matches.
 */
#include "base/slab.h"

#define PAGE_BYTES	65536u

void rl_slab_init(struct rl_slab *s, struct rl_mem *mem, uint32_t obj_size,
		  uint32_t limit)
{
	*s = (struct rl_slab){ .mem = mem, .obj_size = obj_size, .limit = limit,
			       .free_idx = RL_SLAB_NONE };
	while ((2u << s->shift) * obj_size <= PAGE_BYTES)
		s->shift++;
}

void rl_slab_destroy(struct rl_slab *s)
{
	for (uint32_t i = 0; i < s->npages; i++)
		rl_mem_free(s->mem, s->pages[i], (size_t)s->obj_size << s->shift);
	rl_mem_free(s->mem, s->pages, s->cap_pages * sizeof(*s->pages));
	s->npages = s->cap_pages = 0;
	s->pages = NULL;
}

static bool grow_directory(struct rl_slab *s)
{
	uint32_t cap = s->cap_pages ? s->cap_pages * 2 : 8;
	void *p;

	p = rl_mem_resize(s->mem, s->pages, s->cap_pages * sizeof(*s->pages),
			  cap * sizeof(*s->pages));
	if (!p)
		return false;
	s->pages = p;
	s->cap_pages = cap;
	return true;
}

static bool add_page(struct rl_slab *s)
{
	uint32_t base = s->npages << s->shift, n = 1u << s->shift;
	void *page;

	if (s->npages == s->cap_pages && !grow_directory(s))
		return false;
	page = rl_mem_alloc(s->mem, (size_t)s->obj_size << s->shift);
	if (!page)
		return false;
	s->pages[s->npages++] = page;
	for (uint32_t i = n; i-- > 0;) {	/* lowest index on top */
		struct rl_obj *o = rl_slab_at(s, base + i);

		o->idx = s->free_idx;
		s->free_idx = base + i;
	}
	return true;
}

void *rl_slab_alloc(struct rl_slab *s)
{
	struct rl_obj *o;
	uint32_t idx;

	if (s->in_use >= s->limit)
		return NULL;
	if (s->free_idx == RL_SLAB_NONE && !add_page(s))
		return NULL;
	idx = s->free_idx;
	o = rl_slab_at(s, idx);
	s->free_idx = o->idx;
	memset(o + 1, 0, s->obj_size - sizeof(*o));
	o->idx = idx;
	o->gen++;
	s->in_use++;
	s->peak = RL_MAX(s->peak, s->in_use);
	return o;
}

void rl_slab_free(struct rl_slab *s, void *obj)
{
	struct rl_obj *o = obj;
	uint32_t idx = o->idx;

	o->gen++;
	o->idx = s->free_idx;
	s->free_idx = idx;
	s->in_use--;
}
