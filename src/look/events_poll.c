/* SPDX-License-Identifier: MIT */
/*
 * State changes by comparison: two looks at the table, sorted by what names a
 * connection, walked side by side.  What came and went between two looks was never
 * seen; a change that figure 5 has no arrow for is marked, for it hides others.
 *
 * Called by events.c and by tests.
 */
#include <stdlib.h>
#include <string.h>

#include "look/events_int.h"

#define BIT(state)	(1u << RILL_##state)

/* From each state, where figure 5 allows to go; CLOSE by a reset or a close. */
bool rl_events_arrow(int from, int to)
{
	static const uint32_t next[RILL_TCP_STATES] = {
		[RILL_CLOSE] = BIT(LISTEN) | BIT(SYN_SENT),
		[RILL_LISTEN] = BIT(SYN_RECV) | BIT(SYN_SENT),
		[RILL_SYN_SENT] = BIT(SYN_RECV) | BIT(ESTABLISHED),
		[RILL_SYN_RECV] = BIT(ESTABLISHED) | BIT(FIN_WAIT1) | BIT(CLOSE_WAIT) |
				  BIT(LISTEN),
		[RILL_ESTABLISHED] = BIT(FIN_WAIT1) | BIT(CLOSE_WAIT),
		[RILL_FIN_WAIT1] = BIT(FIN_WAIT2) | BIT(CLOSING) | BIT(TIME_WAIT),
		[RILL_FIN_WAIT2] = BIT(TIME_WAIT),
		[RILL_CLOSE_WAIT] = BIT(LAST_ACK),
		[RILL_CLOSING] = BIT(TIME_WAIT),
	};

	if (from <= 0 || from >= RILL_TCP_STATES || to <= 0 || to >= RILL_TCP_STATES)
		return false;
	return to == RILL_CLOSE ? from != RILL_CLOSE : next[from] >> to & 1;
}

static int order(const struct poll_entry *a, const struct poll_entry *b)
{
	int r = a->source != b->source ? a->source - b->source :
		a->pid != b->pid ? (a->pid < b->pid ? -1 : 1) :
		memcmp(&a->local, &b->local, sizeof(a->local));

	if (!r)
		r = memcmp(&a->peer, &b->peer, sizeof(a->peer));
	if (!r)
		r = a->ifindex != b->ifindex ? (a->ifindex < b->ifindex ? -1 : 1) : 0;
	return r ? r : strcmp(a->stack, b->stack);
}

static int by_name(const void *a, const void *b)
{
	return order(a, b);
}

void rl_look_add(struct poll_look *l, const struct rill_sock *s)
{
	struct poll_entry *e;

	if (s->state == RILL_CLOSE || s->state >= RILL_TCP_STATES)
		return;
	if (l->n == l->cap) {
		size_t cap = l->cap ? 2 * l->cap : 256;

		e = realloc(l->e, cap * sizeof(*e));
		if (!e) {
			l->whole = false;
			return;
		}
		l->e = e;
		l->cap = cap;
	}
	e = &l->e[l->n++];
	memset(e, 0, sizeof(*e));		/* padding too: compared by memcmp */
	e->source = s->source;
	e->family = s->family ? s->family : 6;
	e->state = s->state;
	e->half_open = s->half_open;
	e->ifindex = s->ifindex;
	e->pid = s->pid;
	e->local.ip = s->local.ip;
	e->local.port = s->local.port;
	e->peer.ip = s->peer.ip;
	e->peer.port = s->peer.port;
	e->id = s->cookie;
	e->netns = s->netns;
	if (s->stack)
		strncpy(e->stack, s->stack, sizeof(e->stack) - 1);
}

void rl_look_sort(struct poll_look *l)
{
	if (l->n)
		qsort(l->e, l->n, sizeof(*l->e), by_name);
}

struct poll_entry *rl_look_find(struct poll_look *l, const struct rl_event *e)
{
	struct poll_entry want = { .source = RILL_SRC_KERNEL };

	want.local.ip = e->local.ip;
	want.local.port = e->local.port;
	want.peer.ip = e->peer.ip;
	want.peer.port = e->peer.port;
	want.ifindex = e->ifindex;
	return l->n ? bsearch(&want, l->e, l->n, sizeof(*l->e), by_name) : NULL;
}

static struct rl_event change(const struct poll_entry *p, int from, int to, int64_t now_ns)
{
	struct rl_event e = {
		.time_ns = now_ns, .source = p->source, .family = p->family,
		.from = (uint8_t)from, .to = (uint8_t)to, .polled = true,
		.missed = !rl_events_arrow(from, to), .half_open = p->half_open,
		.ifindex = p->ifindex, .local = p->local, .peer = p->peer, .id = p->id,
		.netns = p->netns, .pid = p->pid,
	};

	memcpy(e.stack, p->stack, sizeof(e.stack));
	return e;
}

/* Before it was seen it was CLOSED, or a listener's: one step, if that is an arrow. */
static int before(const struct poll_entry *e)
{
	return e->state == RILL_SYN_RECV ? RILL_LISTEN : RILL_CLOSE;
}

void rl_look_diff(const struct poll_look *a, const struct poll_look *b, int64_t now_ns,
		  event_each *each, void *ctx)
{
	size_t i = 0, k = 0;

	while (i < a->n || k < b->n) {
		int r = i == a->n ? 1 : k == b->n ? -1 : order(&a->e[i], &b->e[k]);
		struct rl_event e;

		if ((r == 0 && a->e[i].state == b->e[k].state) ||
		    (r < 0 && a->e[i].taken)) {
			k -= r < 0;
			i++;
			k++;
			continue;
		}
		if (r < 0)
			e = change(&a->e[i], a->e[i].state, RILL_CLOSE, now_ns);
		else if (r > 0)
			e = change(&b->e[k], before(&b->e[k]), b->e[k].state, now_ns);
		else
			e = change(&b->e[k], a->e[i].state, b->e[k].state, now_ns);
		i += r <= 0;
		k += r >= 0;
		each(ctx, &e);
	}
}
