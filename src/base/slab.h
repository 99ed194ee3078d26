/* SPDX-License-Identifier: MIT */
/*
 * Pool of equal objects, named by index and generation.  An object's first
 * member is struct rl_obj.  Pages are kept, so that indices stay valid.
 */
#ifndef RL_BASE_SLAB_H
#define RL_BASE_SLAB_H

#include "base/mem.h"

struct rl_obj {
	uint32_t gen;		/* odd while the object lives */
	uint32_t idx;		/* its index; while free, the next free one */
};

struct rl_slab {
	struct rl_mem	*mem;
	void		**pages;
	uint32_t	obj_size, shift;	/* 1 << shift objects a page */
	uint32_t	npages, cap_pages;
	uint32_t	free_idx;		/* RL_SLAB_NONE: none free */
	uint32_t	in_use, peak, limit;
};

#define RL_SLAB_NONE	UINT32_MAX

void rl_slab_init(struct rl_slab *s, struct rl_mem *mem, uint32_t obj_size,
		  uint32_t limit);
void rl_slab_destroy(struct rl_slab *s);

/** A zeroed object (but for its rl_obj), or NULL at the limit. */
void *rl_slab_alloc(struct rl_slab *s);
void rl_slab_free(struct rl_slab *s, void *obj);

static inline void *rl_slab_at(const struct rl_slab *s, uint32_t idx)
{
	return (uint8_t *)s->pages[idx >> s->shift] +
	       (size_t)(idx & ((1u << s->shift) - 1)) * s->obj_size;
}

/** The live object at @idx, or NULL: for walks over all of them. */
static inline void *rl_slab_live(const struct rl_slab *s, uint32_t idx)
{
	struct rl_obj *o;

	if (idx >> s->shift >= s->npages)
		return NULL;
	o = rl_slab_at(s, idx);
	return o->gen & 1 ? o : NULL;
}

static inline uint32_t rl_slab_end(const struct rl_slab *s)
{
	return s->npages << s->shift;
}

/** The object of that name, or NULL when it is gone. */
static inline void *rl_slab_find(const struct rl_slab *s, uint32_t idx, uint32_t gen)
{
	struct rl_obj *o = rl_slab_live(s, idx);

	return o && o->gen == gen ? o : NULL;
}

#endif
