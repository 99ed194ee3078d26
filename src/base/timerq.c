/* SPDX-License-Identifier: MIT */
/*
 * A 4-ary heap: shallow, and four children share a cache line and a half.
 * Deadlines mostly move later, which owners do lazily (tcp/timers.c), so the
 * common operation is an insertion near the bottom.
 */
#include <errno.h>

#include "base/timerq.h"

void rl_timerq_init(struct rl_timerq *q, struct rl_mem *mem)
{
	*q = (struct rl_timerq){ .mem = mem };
}

void rl_timerq_destroy(struct rl_timerq *q)
{
	rl_mem_free(q->mem, q->heap, q->cap * sizeof(*q->heap));
	q->heap = NULL;
	q->n = q->cap = 0;
}

int rl_timerq_reserve(struct rl_timerq *q)
{
	if (q->reserved == q->cap) {
		uint32_t cap = q->cap ? q->cap + q->cap / 2 : 64;
		void *p = rl_mem_resize(q->mem, q->heap, q->cap * sizeof(*q->heap),
					cap * sizeof(*q->heap));

		if (!p)
			return -ENOMEM;
		q->heap = p;
		q->cap = cap;
	}
	q->reserved++;
	return 0;
}

void rl_timerq_release(struct rl_timerq *q)
{
	q->reserved--;
}

static bool before(const struct rl_timerq_slot *a, const struct rl_timerq_slot *b)
{
	if (a->at_ns != b->at_ns)
		return a->at_ns < b->at_ns;
	return a->number < b->number;
}

static void place(struct rl_timerq *q, uint32_t i, const struct rl_timerq_slot *s)
{
	q->heap[i] = *s;
	s->t->pos = i + 1;
}

static void sift_up(struct rl_timerq *q, uint32_t i, struct rl_timerq_slot s)
{
	while (i > 0) {
		uint32_t up = (i - 1) / 4;

		if (!before(&s, &q->heap[up]))
			break;
		place(q, i, &q->heap[up]);
		i = up;
	}
	place(q, i, &s);
}

static void sift_down(struct rl_timerq *q, uint32_t i, struct rl_timerq_slot s)
{
	for (;;) {
		uint32_t c = 4 * i + 1, end = RL_MIN(c + 4, q->n), best = c;

		if (c >= q->n)
			break;
		for (uint32_t k = c + 1; k < end; k++)
			if (before(&q->heap[k], &q->heap[best]))
				best = k;
		if (!before(&q->heap[best], &s))
			break;
		place(q, i, &q->heap[best]);
		i = best;
	}
	place(q, i, &s);
}

static void take_out(struct rl_timerq *q, uint32_t i)
{
	struct rl_timerq_slot last = q->heap[--q->n];

	q->heap[i].t->pos = 0;
	if (i == q->n)
		return;
	if (i > 0 && before(&last, &q->heap[(i - 1) / 4]))
		sift_up(q, i, last);
	else
		sift_down(q, i, last);
}

void rl_timerq_set(struct rl_timerq *q, struct rl_timer *t, int64_t at_ns)
{
	struct rl_timerq_slot s = { at_ns, q->next_number, t };

	if (t->pos)
		take_out(q, t->pos - 1);
	t->at_ns = at_ns;
	if (at_ns == RL_NEVER)
		return;
	q->next_number++;
	sift_up(q, q->n++, s);
}

struct rl_timer *rl_timerq_pop(struct rl_timerq *q, int64_t now_ns)
{
	struct rl_timer *t;

	if (!q->n || q->heap[0].at_ns > now_ns)
		return NULL;
	t = q->heap[0].t;
	take_out(q, 0);
	t->at_ns = RL_NEVER;
	return t;
}
