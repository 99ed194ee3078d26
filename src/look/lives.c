/* SPDX-License-Identifier: MIT */
/*
 * The lives of the kernel's connections, put together from their state changes: when
 * each began, how long it was in each state, who closed first.  A connection ends when
 * it goes to TIME-WAIT or CLOSED.  What happened before the first change that was seen
 * is not known and is not made up.
 *
 * Open addressing by the identity of a connection; the table doubles up to MAX.
 * Called by `rill monitor`.
 */
#include "look/lives.h"

#include <stdlib.h>
#include <string.h>

#define FIRST	1024			/* powers of two */
#define MAX	(1u << 18)

struct life {
	uint64_t	id;		/* 0: free */
	int64_t		opened_us, changed_us;	/* -1: not known */
	int64_t		in_us[RILL_TCP_STATES];
	uint8_t		opened, closed_first;	/* enum rill_side */
	int		pid;
	char		comm[16];
};

struct rl_lives {
	struct life	*t;
	size_t		n, cap;
	uint64_t	missed;
};

struct rl_lives *rl_lives_new(void)
{
	struct rl_lives *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->cap = FIRST;
	l->t = calloc(l->cap, sizeof(*l->t));
	if (!l->t) {
		free(l);
		return NULL;
	}
	return l;
}

void rl_lives_free(struct rl_lives *l)
{
	if (!l)
		return;
	free(l->t);
	free(l);
}

uint64_t rl_lives_missed(const struct rl_lives *l)
{
	return l->missed;
}

static size_t place(const struct rl_lives *l, uint64_t id)
{
	size_t i = (size_t)(id * 0x9e3779b97f4a7c15u >> 32) & (l->cap - 1);

	while (l->t[i].id && l->t[i].id != id)	/* never full */
		i = (i + 1) & (l->cap - 1);
	return i;
}

static bool grow(struct rl_lives *l)
{
	struct rl_lives big = { .cap = 2 * l->cap, .n = l->n };

	if (big.cap > MAX)
		return false;
	big.t = calloc(big.cap, sizeof(*big.t));
	if (!big.t)
		return false;
	for (size_t i = 0; i < l->cap; i++)
		if (l->t[i].id)
			big.t[place(&big, l->t[i].id)] = l->t[i];
	free(l->t);
	l->t = big.t;
	l->cap = big.cap;
	return true;
}

/* Those behind move up, so that no search ends too early. */
static void remove_at(struct rl_lives *l, size_t i)
{
	size_t next = (i + 1) & (l->cap - 1);

	memset(&l->t[i], 0, sizeof(l->t[i]));
	l->n--;
	while (l->t[next].id) {
		struct life moved = l->t[next];

		memset(&l->t[next], 0, sizeof(moved));
		l->t[place(l, moved.id)] = moved;
		next = (next + 1) & (l->cap - 1);
	}
}

static struct life *life_of(struct rl_lives *l, const struct rl_event *e)
{
	size_t i = place(l, e->id);

	if (l->t[i].id)
		return &l->t[i];
	if (4 * l->n >= 3 * l->cap) {
		if (!grow(l)) {
			l->missed++;
			return NULL;
		}
		i = place(l, e->id);
	}
	l->n++;
	l->t[i].id = e->id;
	l->t[i].opened_us = l->t[i].changed_us = -1;
	for (int s = 0; s < RILL_TCP_STATES; s++)
		l->t[i].in_us[s] = -1;
	return &l->t[i];
}

static uint8_t joined(uint8_t side, enum rill_side more)
{
	return side == RILL_SIDE_NOBODY || side == more ? (uint8_t)more : RILL_SIDE_BOTH;
}

static void note(struct life *f, const struct rl_event *e)
{
	int64_t us = e->time_ns / 1000;

	if (f->changed_us >= 0)
		f->in_us[e->from] = us - f->changed_us +
				    (f->in_us[e->from] > 0 ? f->in_us[e->from] : 0);
	f->changed_us = us;
	if (e->to == RILL_SYN_SENT || e->from == RILL_LISTEN)
		f->opened_us = us;
	if (e->to == RILL_SYN_SENT || e->from == RILL_SYN_SENT)
		f->opened = joined(f->opened, RILL_SIDE_LOCAL);
	if (e->to == RILL_SYN_RECV || e->from == RILL_SYN_RECV)
		f->opened = joined(f->opened, RILL_SIDE_PEER);
	if (e->to == RILL_CLOSING)
		f->closed_first = RILL_SIDE_BOTH;
	else if (!f->closed_first && e->to == RILL_FIN_WAIT1)
		f->closed_first = RILL_SIDE_LOCAL;
	else if (!f->closed_first && e->to == RILL_CLOSE_WAIT)
		f->closed_first = RILL_SIDE_PEER;
	if (e->pid && !f->pid) {
		f->pid = e->pid;
		memcpy(f->comm, e->comm, sizeof(f->comm));
	}
}

/* FINs both ways, or nothing that states alone could tell. */
static int end_of(const struct rl_event *e)
{
	return e->to == RILL_TIME_WAIT || e->from == RILL_LAST_ACK ? RILL_END_FIN :
								     RILL_END_UNKNOWN;
}

static void tell(const struct life *f, const struct rl_event *e, struct hist_rec *r)
{
	hist_init(r);
	r->kernel = true;
	r->id = e->id;
	r->pid = f->pid;
	memcpy(r->comm, f->comm, sizeof(f->comm));
	memcpy(r->at.local, e->local.ip.b, 16);
	memcpy(r->at.peer, e->peer.ip.b, 16);
	r->at.lport = e->local.port;
	r->at.pport = e->peer.port;
	r->opened_us = f->opened_us;
	r->ended_us = e->time_ns / 1000;
	r->time_wait = e->to == RILL_TIME_WAIT;
	if (f->opened)
		strcpy(r->opened, rill_side_name(f->opened));
	strcpy(r->closed_first, rill_side_name(f->closed_first));
	strcpy(r->end, rill_end_name(end_of(e)));
	strcpy(r->state, rill_state_name(e->from));
	memcpy(r->in_us, f->in_us, sizeof(r->in_us));
}

bool rl_lives_take(struct rl_lives *l, const struct rl_event *e, struct hist_rec *out)
{
	struct life *f;

	if (e->kind != RL_EVENT_STATE || e->source != RILL_SRC_KERNEL || !e->id ||
	    e->to == RILL_LISTEN || e->from == RILL_TIME_WAIT ||
	    (e->from == RILL_LISTEN && e->to != RILL_SYN_RECV))
		return false;
	f = life_of(l, e);
	if (!f)
		return false;
	note(f, e);
	if (e->to != RILL_CLOSE && e->to != RILL_TIME_WAIT)
		return false;
	tell(f, e, out);
	remove_at(l, (size_t)(f - l->t));
	return true;
}
