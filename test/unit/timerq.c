/* SPDX-License-Identifier: MIT */
/* The timer heap against a plain list: same order for any operations. */
#include <stdlib.h>

#include "rl_test.h"
#include "base/rand.h"
#include "base/timerq.h"

#define N	200

static void *get(void *ctx, size_t n)
{
	(void)ctx;
	return malloc(n);
}

static void put(void *ctx, void *p, size_t n)
{
	(void)ctx;
	(void)n;
	free(p);
}

struct model {				/* what a list would hold */
	int64_t	 at_ns;
	uint64_t number;
};

static int first_due(const struct model *m, int64_t now_ns)
{
	int best = -1;

	for (int i = 0; i < N; i++) {
		if (m[i].at_ns > now_ns || m[i].at_ns == RL_NEVER)
			continue;
		if (best < 0 || m[i].at_ns < m[best].at_ns ||
		    (m[i].at_ns == m[best].at_ns && m[i].number < m[best].number))
			best = i;
	}
	return best;
}

static int64_t earliest(const struct model *m)
{
	int64_t at = RL_NEVER;

	for (int i = 0; i < N; i++)
		at = RL_MIN(at, m[i].at_ns);
	return at;
}

TEST(like_a_sorted_list)
{
	struct rl_mem mem = { .hooks = { get, put, NULL }, .max = UINT64_MAX };

	for (uint8_t seed = 1; seed <= 20; seed++) {
		const uint8_t key[32] = { seed };
		struct rl_timer t[N];
		struct model m[N];
		struct rl_timerq q;
		struct rl_rand rnd;
		uint64_t number = 0;
		int64_t now = 0;

		rl_rand_seed(&rnd, key);
		rl_timerq_init(&q, &mem);
		for (int i = 0; i < N; i++) {
			CHECK_EQ("reserve", rl_timerq_reserve(&q), 0);
			t[i] = (struct rl_timer){ .at_ns = RL_NEVER };
			m[i].at_ns = RL_NEVER;
		}
		for (int step = 0; step < 3000; step++) {
			int i = (int)rl_rand_below(&rnd, N), due;
			struct rl_timer *got;

			switch (rl_rand_below(&rnd, 4)) {
			case 0:			/* few different times: many are equal */
			case 1:
				m[i] = (struct model){ now + rl_rand_below(&rnd, 30), number++ };
				rl_timerq_set(&q, &t[i], m[i].at_ns);
				break;
			case 2:
				m[i].at_ns = RL_NEVER;
				rl_timerq_set(&q, &t[i], RL_NEVER);
				break;
			case 3:
				now += rl_rand_below(&rnd, 10);
				while ((due = first_due(m, now)) >= 0) {
					got = rl_timerq_pop(&q, now);
					if (got != &t[due]) {
						CHECK(rl_label("seed %u step %d", seed, step),
						      false);
						rl_timerq_destroy(&q);
						return;
					}
					CHECK("not armed", got->at_ns == RL_NEVER && !got->pos);
					m[due].at_ns = RL_NEVER;
				}
				CHECK("no other", !rl_timerq_pop(&q, now));
			}
			if (rl_timerq_next(&q) != earliest(m)) {
				CHECK_EQ("next", rl_timerq_next(&q), earliest(m));
				rl_timerq_destroy(&q);
				return;
			}
		}
		rl_timerq_destroy(&q);
	}
	CHECK_EQ("given back", mem.used, 0);
}
