/* SPDX-License-Identifier: MIT */
/* Pools: names with generations, limits, running out of memory. */
#include <stdlib.h>

#include "rl_test.h"
#include "base/slab.h"

struct counted { uint64_t n, fail_at; int64_t live; };

static void *get(void *ctx, size_t n)
{
	struct counted *c = ctx;

	if (++c->n == c->fail_at)
		return NULL;
	c->live += (int64_t)n;
	return malloc(n);
}

static void put(void *ctx, void *p, size_t n)
{
	struct counted *c = ctx;

	c->live -= (int64_t)n;
	free(p);
}

struct thing {
	struct rl_obj obj;
	uint8_t	 bytes[100];
};

static struct rl_mem memory(struct counted *c)
{
	return (struct rl_mem){ .hooks = { get, put, c }, .max = UINT64_MAX };
}

TEST(objects_come_zeroed_and_low_first)
{
	struct counted n = { 0 };
	struct rl_mem mem = memory(&n);
	struct rl_slab s;
	struct thing *t;

	rl_slab_init(&s, &mem, sizeof(struct thing), 10000);
	for (uint32_t i = 0; i < 3000; i++) {
		t = rl_slab_alloc(&s);
		REQUIRE("there", t != NULL);
		CHECK_EQ("index", t->obj.idx, i);
		for (size_t k = 0; k < sizeof(t->bytes); k++)
			if (t->bytes[k])
				CHECK_EQ("zero", t->bytes[k], 0);
		memset(t->bytes, 0xff, sizeof(t->bytes));
	}
	CHECK_EQ("in use", s.in_use, 3000);
	rl_slab_free(&s, rl_slab_at(&s, 1234));
	t = rl_slab_alloc(&s);
	CHECK_EQ("used again", t->obj.idx, 1234);
	CHECK_EQ("zeroed again", t->bytes[99], 0);
	rl_slab_destroy(&s);
	CHECK_EQ("given back", n.live, 0);
}

TEST(stale_names_find_nothing)
{
	struct counted n = { 0 };
	struct rl_mem mem = memory(&n);
	struct rl_slab s;
	struct thing *t;
	uint32_t idx, gen;

	rl_slab_init(&s, &mem, sizeof(struct thing), 10);
	t = rl_slab_alloc(&s);
	idx = t->obj.idx;
	gen = t->obj.gen;
	CHECK("found", rl_slab_find(&s, idx, gen) == t);
	CHECK("another generation", !rl_slab_find(&s, idx, gen + 2));
	CHECK("beyond", !rl_slab_find(&s, 1u << 30, gen));
	rl_slab_free(&s, t);
	CHECK("freed", !rl_slab_find(&s, idx, gen) && !rl_slab_live(&s, idx));
	t = rl_slab_alloc(&s);
	CHECK_EQ("same place", t->obj.idx, idx);
	CHECK("old name", !rl_slab_find(&s, idx, gen));
	CHECK("new name", rl_slab_find(&s, idx, t->obj.gen) == t);
	rl_slab_destroy(&s);
}

TEST(limit_and_peak)
{
	struct counted n = { 0 };
	struct rl_mem mem = memory(&n);
	void *o[5];
	struct rl_slab s;

	rl_slab_init(&s, &mem, sizeof(struct thing), 5);
	for (int i = 0; i < 5; i++)
		CHECK("there", (o[i] = rl_slab_alloc(&s)) != NULL);
	CHECK("no more", !rl_slab_alloc(&s));
	rl_slab_free(&s, o[2]);
	CHECK("one more", rl_slab_alloc(&s) == o[2]);
	CHECK_EQ("peak", s.peak, 5);
	rl_slab_destroy(&s);
}

TEST(memory_runs_out)
{
	for (uint64_t at = 1; at <= 4; at++) {
		struct counted n = { .fail_at = at };
		struct rl_mem mem = memory(&n);
		int got = 0, lost = 0;
		struct rl_slab s;

		rl_slab_init(&s, &mem, sizeof(struct thing), 100000);
		for (int i = 0; i < 1500; i++)
			if (rl_slab_alloc(&s))
				got++;
			else
				lost++;
		CHECK_EQ(rl_label("allocation %d", (int)at), lost, 1);
		CHECK_EQ("the others", s.in_use, got);
		rl_slab_destroy(&s);
		CHECK_EQ("given back", n.live, 0);
	}
}

TEST(cap_of_the_whole)
{
	struct counted n = { 0 };
	struct rl_mem mem = memory(&n);
	void *a, *b;

	mem.max = 1000;
	a = rl_mem_alloc(&mem, 600);
	CHECK("first", a != NULL);
	CHECK("too much", !rl_mem_alloc(&mem, 401));
	b = rl_mem_alloc(&mem, 400);
	CHECK("the rest", b != NULL);
	CHECK_EQ("used", mem.used, 1000);
	CHECK("no growth, and nothing lost", !rl_mem_resize(&mem, b, 400, 2000));
	CHECK_EQ("used", mem.used, 1000);
	rl_mem_free(&mem, a, 600);
	memset(b, 7, 400);
	b = rl_mem_resize(&mem, b, 400, 500);
	CHECK("grown", b && ((uint8_t *)b)[399] == 7 && ((uint8_t *)b)[400] == 0);
	CHECK_EQ("peak", mem.peak, 1000);
	rl_mem_free(&mem, b, 500);
	CHECK_EQ("given back", n.live, 0);
}
