/* SPDX-License-Identifier: MIT */
/*
 * The four-tuple table against a plain list: connections added and removed at
 * random, each still found, none found that is gone.
 */
#include <stdlib.h>

#include "tcp_fix.h"
#include "base/rand.h"
#include "tcp/conn.h"

#define N	600

struct entry {
	struct tcp_conn	*c;
	bool		 in;
};

/* Few addresses and ports, so that tuples differ in one part only. */
static bool taken(const struct entry *e, const struct tcp_conn *c)
{
	for (int i = 0; i < N; i++)
		if (e[i].in && e[i].c != c && e[i].c->lport == c->lport &&
		    e[i].c->rport == c->rport && rl_ip_eq(&e[i].c->flow.src, &c->flow.src) &&
		    rl_ip_eq(&e[i].c->flow.dst, &c->flow.dst))
			return true;
	return false;
}

static void choose(struct tcp_conn *c, struct rl_rand *rnd)
{
	c->flow.src = rl_ip4(0x0a000000 + rl_rand_below(rnd, 3));
	c->flow.dst = rl_ip4(0x0a000100 + rl_rand_below(rnd, 4));
	c->lport = (uint16_t)(1 + rl_rand_below(rnd, 8));
	c->rport = (uint16_t)(1 + rl_rand_below(rnd, 12));
	if (rl_rand_below(rnd, 2)) {		/* IPv6 with the same low bytes */
		memset(c->flow.src.b, 0, 12);
		memset(c->flow.dst.b, 0, 12);
	}
}

static struct tcp_conn *find(struct rill_stack *st, const struct tcp_conn *k)
{
	struct rl_found f;

	if (!rl_demux_find(st, &k->flow.src, k->lport, &k->flow.dst, k->rport, &f))
		return NULL;
	return f.kind == RL_NODE_CONN ? f.conn : NULL;
}

TEST(like_a_list)
{
	static struct entry e[N];
	const uint8_t key[32] = { 5 };
	struct rl_rand rnd;
	struct fix f;
	int in = 0, wrong = 0, stray = 0;

	rl_rand_seed(&rnd, key);
	fix_init(&f, false);
	for (int i = 0; i < N; i++) {
		e[i] = (struct entry){ rl_tcp_new(f.st, 0), false };
		REQUIRE("conn", e[i].c != NULL);
	}
	for (int step = 0; step < 20000; step++) {
		struct entry *x = &e[rl_rand_below(&rnd, N)];

		if (x->in) {
			rl_demux_del(f.st, RL_NODE_CONN, x->c->obj.idx);
			x->in = false;
			in--;
			stray += find(f.st, x->c) != NULL;
		} else {
			choose(x->c, &rnd);
			if (taken(e, x->c))
				continue;
			stray += find(f.st, x->c) != NULL;
			CHECK_EQ("add", rl_demux_add(f.st, RL_NODE_CONN, x->c->obj.idx), 0);
			x->in = true;
			in++;
		}
		if (step % 100)
			continue;
		for (int i = 0; i < N; i++)
			if (e[i].in)
				wrong += find(f.st, e[i].c) != e[i].c;
	}
	CHECK_EQ("found what was put in", wrong, 0);
	CHECK_EQ("nothing that is gone", stray, 0);
	CHECK_EQ("count", f.st->demux.n, in);
	CHECK("it grew", f.st->demux.size >= 512);
	for (int i = 0; i < N; i++) {
		if (e[i].in)
			rl_demux_del(f.st, RL_NODE_CONN, e[i].c->obj.idx);
		rl_tcp_free(f.st, e[i].c);
	}
	CHECK_EQ("empty", f.st->demux.n, 0);
	fix_done(&f);
}

/* ---- the same hash ---- */

#define TRIES	(1u << 18)		/* eight pairs of equal 32-bit hashes, about */

static int by_hash(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static uint32_t hash_of(struct fix *f, uint32_t peer)
{
	struct { struct rill_ip l, r; uint16_t lp, rp; } t = {
		rl_ip4(0x0a000001), rl_ip4(peer), 80, 1000 };

	return (uint32_t)rl_siphash13(&f->st->hash_key, &t, 36);
}

/* Tuples with equal hashes that differ in one address are told apart. */
TEST(equal_hashes)
{
	static uint64_t all[TRIES];
	int pairs = 0, wrong = 0;
	struct fix f;

	fix_init(&f, false);
	for (uint32_t i = 0; i < TRIES; i++)
		all[i] = (uint64_t)hash_of(&f, 0x0b000000 + i) << 32 | i;
	qsort(all, TRIES, sizeof(*all), by_hash);
	for (uint32_t i = 1; i < TRIES; i++) {
		struct tcp_conn *c[2];

		if (all[i] >> 32 != all[i - 1] >> 32)
			continue;
		pairs++;
		for (int k = 0; k < 2; k++) {
			c[k] = rl_tcp_new(f.st, 0);
			REQUIRE("conn", c[k]);
			c[k]->flow.src = rl_ip4(0x0a000001);
			c[k]->flow.dst = rl_ip4(0x0b000000 + (uint32_t)all[i - (uint32_t)k]);
			c[k]->lport = 80;
			c[k]->rport = 1000;
			wrong += find(f.st, c[k]) != NULL;
			CHECK_EQ("add", rl_demux_add(f.st, RL_NODE_CONN, c[k]->obj.idx), 0);
			wrong += find(f.st, c[k]) != c[k];
		}
		wrong += find(f.st, c[0]) != c[0];
		rl_demux_del(f.st, RL_NODE_CONN, c[0]->obj.idx);
		wrong += find(f.st, c[0]) != NULL || find(f.st, c[1]) != c[1];
		rl_demux_del(f.st, RL_NODE_CONN, c[1]->obj.idx);
		rl_tcp_free(f.st, c[0]);
		rl_tcp_free(f.st, c[1]);
	}
	CHECK("some", pairs > 0);
	CHECK_EQ("told apart", wrong, 0);
	fix_done(&f);
}
