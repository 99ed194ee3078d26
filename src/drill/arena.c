// SPDX-License-Identifier: MIT
/*
 * Memory of a script: everything that the parser makes lies in a list of blocks
 * and goes at once.  A tool has nothing better to do without memory than to say so
 * and end, which spares the parser a check at every node.
 */
#include "drill/ast.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Under ASan each object is a block of its own: a byte too far is then seen. */
#ifndef __has_feature
#define __has_feature(x)	0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#define BLOCK_SIZE	((size_t)0)
#define ALIGN		((size_t)1)
#else
#define BLOCK_SIZE	((size_t)16 << 10)
#define ALIGN		((size_t)16)
#endif

struct drill_block {
	struct drill_block *next;
	size_t	used, size;
	_Alignas(16) unsigned char bytes[];
};

static struct drill_block *add_block(struct drill_arena *a, size_t n)
{
	size_t size = n > BLOCK_SIZE ? n : BLOCK_SIZE;
	struct drill_block *b = NULL;

	if (size < SIZE_MAX - sizeof(*b))
		b = calloc(1, sizeof(*b) + size);
	if (!b) {
		fputs("rill: out of memory\n", stderr);
		exit(1);
	}
	b->size = size;
	b->next = a->blocks;
	a->blocks = b;
	return b;
}

void *rl_drill_alloc(struct drill_arena *a, size_t n)
{
	struct drill_block *b = a->blocks;
	void *p;

	n = n < SIZE_MAX - ALIGN ? (n + ALIGN - 1) & ~(ALIGN - 1) : n;
	if (!b || b->size - b->used < n)
		b = add_block(a, n);
	p = b->bytes + b->used;
	b->used += n;
	return p;
}

char *rl_drill_strndup(struct drill_arena *a, const char *s, size_t n)
{
	char *p = rl_drill_alloc(a, n + 1);

	if (n)
		memcpy(p, s, n);
	return p;
}

void rl_drill_free_all(struct drill_arena *a)
{
	while (a->blocks) {
		struct drill_block *b = a->blocks;

		a->blocks = b->next;
		free(b);
	}
}

void rl_drill_arena_join(struct drill_arena *to, struct drill_arena *from)
{
	struct drill_block **tail = &to->blocks;

	while (*tail)
		tail = &(*tail)->next;
	*tail = from->blocks;
	from->blocks = NULL;
}

void rl_drill_script_free(struct drill_script *s)
{
	struct drill_arena a = s->arena;

	memset(s, 0, sizeof(*s));
	rl_drill_free_all(&a);
}
