/* SPDX-License-Identifier: MIT */
/* Doubly linked ring with a head; a node that is on no list points to itself. */
#ifndef RL_BASE_LIST_H
#define RL_BASE_LIST_H

#include "base/types.h"

struct list {
	struct list *next, *prev;
};

static inline void list_init(struct list *l)
{
	l->next = l->prev = l;
}

static inline bool list_empty(const struct list *l)
{
	return l->next == l;
}

static inline void list_add_tail(struct list *head, struct list *n)
{
	n->prev = head->prev;
	n->next = head;
	head->prev->next = n;
	head->prev = n;
}

static inline void list_del(struct list *n)
{
	n->prev->next = n->next;
	n->next->prev = n->prev;
	list_init(n);
}

#define list_entry(p, type, member)	container_of(p, type, member)
#define list_first(h, type, member)	container_of((h)->next, type, member)

#endif
