/* SPDX-License-Identifier: MIT */
/*
 * The four-tuple table against a plain list: connections added and removed at
 * random, each still found, none found that is gone.
 */
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
