/* SPDX-License-Identifier: MIT */
/* Between filter.c, which knows the grammar, and filter_value.c, which knows values. */
#ifndef RL_LOOK_FILTER_INT_H
#define RL_LOOK_FILTER_INT_H

#include "look/filter.h"

#define FILTER_WORD	128

/** The value @word of a predicate of @n->kind.  A name's addresses go to @addrs.
 * Return: false when it is none. */
bool filter_value(const char *word, struct filter_node *n, struct filter_addrs *addrs);

/** Ports that the kernel chooses by itself: @n->port to @n->number. */
void filter_autobound(struct filter_node *n);

#endif
