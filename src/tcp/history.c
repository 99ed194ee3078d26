/* SPDX-License-Identifier: MIT */
/*
 * Connections that ended: a ring of net.rill.history_max records, number n in slot
 * n % cap.  Its pages are made as they are first needed and stay; another size moves
 * the newest records.  No memory: the record is lost and counted, nothing else.
 *
 * A record is written once, when its connection becomes CLOSED or enters TIME-WAIT;
 * in the latter case the end of TIME-WAIT is booked afterwards, if it is still there.
 * Called where connections end: conn.c, timewait.c.
 */
#include <errno.h>

#include "tcp/conn.h"

#define PAGE		32u		/* records in a page */

/* ---- time in each state ---- */

/* A state is entered once in a life, and some exclude each other: they share. */
static int slot_of(uint8_t state)
{
	static const uint8_t slots[RILL_TCP_STATES] = {
		[RILL_SYN_SENT] = 1, [RILL_SYN_RECV] = 2,
		[RILL_FIN_WAIT1] = 3, [RILL_CLOSE_WAIT] = 3,
		[RILL_FIN_WAIT2] = 4, [RILL_CLOSING] = 4, [RILL_LAST_ACK] = 4,
	};

	return slots[state] - 1;
}

/* Microseconds for half an hour, milliseconds for three weeks; then it stands. */
#define IN_MS		(UINT32_C(1) << 31)

static uint32_t pack(int64_t ns)
{
	if (ns / RL_US < IN_MS)
		return (uint32_t)(ns / RL_US);
	return IN_MS | (uint32_t)RL_MIN(ns / RL_MS, (int64_t)IN_MS - 1);
}

static uint64_t unpack_us(uint32_t v)
{
	return v & IN_MS ? (uint64_t)(v & ~IN_MS) * 1000 : v;
}

void rl_history_book(const struct rill_stack *st, struct tcp_conn *c, uint8_t from, uint8_t to)
{
	int slot = slot_of(from);

	if (slot >= 0)
		c->spent[slot] = pack(st->now_ns - c->state_ns);
	if (to == RILL_SYN_RECV)		/* with a control block: both opened */
		c->sim_open = 1;
	if (to == RILL_CLOSING)
		c->crossed = 1;
}

void rl_history_begin(struct tcp_conn *c, int64_t at_ns)
{
	c->opened_ns = at_ns;
	c->sim_open = c->crossed = 0;
	memset(c->spent, 0, sizeof(c->spent));
}

/* ---- the ring ---- */

static struct rill_history *at(const struct rl_history *h, uint64_t n)
{
	uint32_t slot = (uint32_t)(n % h->cap);

	return &h->pages[slot / PAGE][slot % PAGE];
}

static uint32_t pages_of(uint32_t cap)
{
	return (cap + PAGE - 1) / PAGE;
}

static void release(struct rl_mem *mem, struct rl_history *h)
{
	for (uint32_t i = 0; i < pages_of(h->cap); i++)
		rl_mem_free(mem, h->pages[i], PAGE * sizeof(**h->pages));
	rl_mem_free(mem, h->pages, pages_of(h->cap) * sizeof(*h->pages));
}

void rl_history_destroy(struct rill_stack *st)
{
	release(&st->mem, &st->history);
}

/* The record of number @n, to be filled.  NULL: no memory. */
static struct rill_history *make(struct rl_mem *mem, struct rl_history *h, uint64_t n)
{
	struct rill_history **page = &h->pages[n % h->cap / PAGE];

	if (!*page)
		*page = rl_mem_alloc(mem, PAGE * sizeof(**page));
	return *page ? at(h, n) : NULL;
}

/* Another number of records, the newest of which go along.  Unchanged on failure. */
static void resize(struct rill_stack *st, uint32_t cap)
{
	struct rl_history *h = &st->history, new = { .cap = cap, .n = h->n };
	uint64_t first = RL_MAX(h->first, h->n >= cap ? h->n - cap + 1 : 1);

	new.first = h->n ? first : 1;
	if (cap)
		new.pages = rl_mem_alloc(&st->mem, pages_of(cap) * sizeof(*new.pages));
	if (cap && !new.pages)
		return;
	for (uint64_t n = new.first; cap && n <= h->n; n++) {
		struct rill_history *r = make(&st->mem, &new, n);

		if (!r) {
			release(&st->mem, &new);
			return;
		}
		*r = *at(h, n);
	}
	release(&st->mem, h);
	*h = new;
}

static struct rill_history *next(struct rill_stack *st)
{
	uint32_t want = (uint32_t)RL_CFG(st, history_max);
	struct rl_history *h = &st->history;
	struct rill_history *r;

	if (want != h->cap)
		resize(st, want);
	if (!h->cap) {
		if (want)
			RL_CTR(st, tcp_history_lost);
		return NULL;
	}
	r = make(&st->mem, h, h->n + 1);
	if (!r) {
		RL_CTR(st, tcp_history_lost);
		return NULL;
	}
	h->n++;
	if (h->n - h->first >= h->cap)
		h->first = h->n - h->cap + 1;
	return r;
}

/* ---- records ---- */

static enum rill_side closer_of(enum rill_end end)
{
#define NOBODY	RILL_SIDE_NOBODY
#define LOCAL	RILL_SIDE_LOCAL
#define PEER	RILL_SIDE_PEER
	static const uint8_t closers[RILL_END_N] = {
#define END(id, name, closer, help)	[RILL_END_##id] = closer,
#include "rill/ends.def"
#undef END
	};
#undef NOBODY
#undef LOCAL
#undef PEER

	return closers[end];
}

/* Whose FIN came first shows in the states it went through. */
static enum rill_side closed_first(const struct tcp_conn *c, uint8_t from, enum rill_end end)
{
	if (from == RILL_CLOSE_WAIT || from == RILL_LAST_ACK)
		return RILL_SIDE_PEER;
	if (from == RILL_CLOSING)
		return RILL_SIDE_BOTH;
	if (c->fin_queued)
		return RILL_SIDE_LOCAL;
	return closer_of(end);
}

static void times(const struct rill_stack *st, const struct tcp_conn *c, uint8_t from,
		  struct rill_history *r)
{
	uint64_t rest = (uint64_t)((st->now_ns - c->opened_ns) / RL_US);
	/* which of those that share a slot it was, the way it closed tells */
	const uint8_t visited[] = {
		RILL_SYN_SENT, RILL_SYN_RECV,
		r->closed_first == RILL_SIDE_PEER ? RILL_CLOSE_WAIT : RILL_FIN_WAIT1,
		r->closed_first == RILL_SIDE_PEER ? RILL_LAST_ACK :
		r->closed_first == RILL_SIDE_BOTH ? RILL_CLOSING : RILL_FIN_WAIT2,
	};

	for (size_t i = 0; i < ARRAY_LEN(visited); i++) {
		uint64_t us = unpack_us(c->spent[i]);

		if (c->state == visited[i])	/* the last one is not booked yet */
			us = (uint64_t)((st->now_ns - c->state_ns) / RL_US);
		r->in_us[visited[i]] = us;
		rest -= RL_MIN(us, rest);
	}
	r->in_us[RILL_ESTABLISHED] = from == RILL_SYN_SENT || from == RILL_SYN_RECV ? 0 : rest;
	r->opened_us = c->opened_ns / RL_US;
	r->ended_us = st->now_ns / RL_US;
}

uint64_t rl_history_add(struct rill_stack *st, const struct tcp_conn *c, enum rill_end end,
			int err)
{
	struct rill_history *r = next(st);
	uint8_t from = c->state;

	if (!r)
		return 0;
	if (from == RILL_TIME_WAIT)
		from = c->crossed ? RILL_CLOSING : RILL_FIN_WAIT2;
	*r = (struct rill_history){
		.n = st->history.n, .id = rl_tcp_id(c), .user = c->ep.user,
		.local = { c->flow.src, c->lport, c->flow.bound_if },
		.peer = { c->flow.dst, c->rport, c->flow.bound_if },
		.opened = c->sim_open ? RILL_SIDE_BOTH :
			  c->active ? RILL_SIDE_LOCAL : RILL_SIDE_PEER,
		.closed_first = (uint8_t)closed_first(c, from, end),
		.end = (uint8_t)end, .state = from,
		.err = err ? err : c->err,
		.bytes_acked = c->bytes_acked, .bytes_received = c->bytes_received,
		.bytes_retrans = c->bytes_retrans, .retrans = c->total_retrans,
		.segs_out = c->segs_out, .segs_in = c->segs_in,
		.unsent = c->sendq.len, .unread = c->rcvq.len,
		.min_rtt_us = c->min_rtt_us == UINT32_MAX ? 0 : c->min_rtt_us,
	};
	times(st, c, from, r);
	return r->n;
}

void rl_history_time_wait(struct rill_stack *st, const struct tcp_tw *w, bool over)
{
	const struct rl_history *h = &st->history;
	uint64_t n = h->n - (uint32_t)((uint32_t)h->n - w->history);
	struct rill_history *r;

	if (!w->history || n < h->first || n > h->n)
		return;
	r = at(h, n);
	r->time_wait = !over;
	if (over)
		r->in_us[RILL_TIME_WAIT] = (uint64_t)(st->now_ns / RL_US - r->ended_us);
}

int rill_stack_history(const struct rill_stack *st, uint64_t *after, struct rill_history *out,
		       int max)
{
	const struct rl_history *h = &st->history;
	int n = 0;

	if (*after + 1 < h->first)
		*after = h->first - 1;
	while (n < max && *after < h->n)
		out[n++] = *at(h, ++*after);
	return n;
}
