/* SPDX-License-Identifier: MIT */
/*
 * Who gets a segment [RFC9293:3.3]: the four-tuple table, and the table of
 * local ports with their listeners.  The first is open addressing with linear
 * probing and backward-shift deletion; growing moves 8-byte slots only.
 */
#include <errno.h>

#include "tcp/conn.h"

#define KIND_SHIFT	29
#define IDX_MASK	((1u << KIND_SHIFT) - 1)
#define MIN_SLOTS	256u

struct tuple {
	struct rill_ip	laddr, raddr;
	uint16_t	lport, rport;
};

void rl_demux_init(struct rl_demux *d, struct rl_mem *mem)
{
	*d = (struct rl_demux){ .mem = mem };
}

void rl_demux_destroy(struct rl_demux *d)
{
	rl_mem_free(d->mem, d->slot, d->size * sizeof(*d->slot));
	d->slot = NULL;
	d->n = d->size = 0;
}

static uint32_t hash_tuple(const struct rill_stack *st, const struct tuple *t)
{
	return (uint32_t)rl_siphash13(&st->hash_key, t, 36);
}

static void tuple_of(const struct rill_stack *st, enum rl_node_kind kind, uint32_t idx,
		     struct tuple *t)
{
	const struct tcp_conn *c;
	const struct tcp_req *r;
	const struct tcp_tw *w;

	switch (kind) {
	case RL_NODE_CONN:
		c = rl_slab_at(&st->conns, idx);
		*t = (struct tuple){ c->flow.src, c->flow.dst, c->lport, c->rport };
		return;
	case RL_NODE_REQ:
		r = rl_slab_at(&st->reqs, idx);
		*t = (struct tuple){ r->laddr, r->raddr, r->lport, r->rport };
		return;
	case RL_NODE_TW:
		w = rl_slab_at(&st->tws, idx);
		*t = (struct tuple){ w->laddr, w->raddr, w->lport, w->rport };
		return;
	}
}

static void put_slot(struct rl_demux *d, struct rl_demux_slot s)
{
	uint32_t i = s.hash & (d->size - 1);

	while (d->slot[i].ref)		/* bounded: never full */
		i = (i + 1) & (d->size - 1);
	d->slot[i] = s;
}

static int grow(struct rl_demux *d)
{
	uint32_t old_size = d->size;
	struct rl_demux_slot *old = d->slot, *p;

	d->size = old_size ? old_size * 2 : MIN_SLOTS;
	p = rl_mem_alloc(d->mem, d->size * sizeof(*p));
	if (!p) {
		d->size = old_size;
		return -ENOMEM;
	}
	d->slot = p;
	for (uint32_t i = 0; i < old_size; i++)
		if (old[i].ref)
			put_slot(d, old[i]);
	rl_mem_free(d->mem, old, old_size * sizeof(*old));
	return 0;
}

int rl_demux_add(struct rill_stack *st, enum rl_node_kind kind, uint32_t idx)
{
	struct rl_demux *d = &st->demux;
	struct tuple t;

	if ((d->n + 1) * 4ull > d->size * 3ull && grow(d) < 0)
		return -ENOMEM;
	tuple_of(st, kind, idx, &t);
	put_slot(d, (struct rl_demux_slot){ hash_tuple(st, &t),
					    1 + ((uint32_t)kind << KIND_SHIFT | idx) });
	d->n++;
	return 0;
}

/* Close the hole at @i, so that no probe stops too early. */
static void shift_back(struct rl_demux *d, uint32_t i)
{
	uint32_t mask = d->size - 1, j = i;

	for (;;) {
		j = (j + 1) & mask;
		if (!d->slot[j].ref)
			break;
		if (((j - d->slot[j].hash) & mask) < ((j - i) & mask))
			continue;	/* it would move before its home */
		d->slot[i] = d->slot[j];
		i = j;
	}
	d->slot[i] = (struct rl_demux_slot){ 0, 0 };
}

void rl_demux_del(struct rill_stack *st, enum rl_node_kind kind, uint32_t idx)
{
	struct rl_demux *d = &st->demux;
	uint32_t ref = 1 + ((uint32_t)kind << KIND_SHIFT | idx), i;
	struct tuple t;

	tuple_of(st, kind, idx, &t);
	i = hash_tuple(st, &t) & (d->size - 1);
	while (d->slot[i].ref && d->slot[i].ref != ref)
		i = (i + 1) & (d->size - 1);
	if (!d->slot[i].ref)
		return;
	shift_back(d, i);
	d->n--;
}

static bool tuple_eq(const struct tuple *a, const struct tuple *b)
{
	return a->lport == b->lport && a->rport == b->rport &&
	       rl_ip_eq(&a->raddr, &b->raddr) && rl_ip_eq(&a->laddr, &b->laddr);
}

bool rl_demux_find(struct rill_stack *st, const struct rill_ip *laddr, uint16_t lport,
		   const struct rill_ip *raddr, uint16_t rport, struct rl_found *f)
{
	const struct rl_demux *d = &st->demux;
	struct tuple want = { *laddr, *raddr, lport, rport }, t;
	uint32_t hash, idx;

	if (!d->size)
		return false;
	hash = hash_tuple(st, &want);
	for (uint32_t i = hash & (d->size - 1); d->slot[i].ref;
	     i = (i + 1) & (d->size - 1)) {
		if (d->slot[i].hash != hash)
			continue;
		f->kind = (enum rl_node_kind)((d->slot[i].ref - 1) >> KIND_SHIFT);
		idx = (d->slot[i].ref - 1) & IDX_MASK;
		tuple_of(st, f->kind, idx, &t);
		if (!tuple_eq(&t, &want))
			continue;
		switch (f->kind) {
		case RL_NODE_CONN:
			f->conn = rl_slab_at(&st->conns, idx);
			break;
		case RL_NODE_REQ:
			f->req = rl_slab_at(&st->reqs, idx);
			break;
		case RL_NODE_TW:
			f->tw = rl_slab_at(&st->tws, idx);
			break;
		}
		return true;
	}
	return false;
}
