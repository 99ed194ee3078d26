/* SPDX-License-Identifier: MIT */
/*
 * From the tracepoint's records to state changes.  A half-open peer gets its socket
 * when its handshake is over: the kernel makes it in SYN-RECEIVED, tells that before
 * the addresses are in it, and goes on to ESTABLISHED at once.  The first of these
 * is therefore kept back until the second brings the addresses.
 *
 * Called by events.c and by tests.
 */
#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>

#include "look/events_int.h"

#define PROBES	16

static struct rl_newborn *slot_of(struct rl_trace_state *t, uint64_t obj, bool make)
{
	uint64_t h = (obj >> 4) * 0x9e3779b97f4a7c15u >> 40;
	struct rl_newborn *empty = NULL;

	for (unsigned i = 0; i < PROBES; i++) {
		struct rl_newborn *s = &t->newborn[(h + i) % TRACE_SLOTS];

		if (s->obj == obj)
			return s;
		if (!s->obj && !empty)
			empty = s;
	}
	if (!make)
		return NULL;
	return empty ? empty : &t->newborn[h % TRACE_SLOTS];	/* full: one is forgotten */
}

static void set_addr(struct rill_addr *a, bool v6, const uint8_t v4[4], const uint8_t ip6[16],
		     uint16_t port)
{
	memset(a, 0, sizeof(*a));
	if (v6) {
		memcpy(a->ip.b, ip6, 16);
	} else {
		a->ip.b[10] = a->ip.b[11] = 0xff;
		memcpy(a->ip.b + 12, v4, 4);
	}
	a->port = ntohs(port);
}

static bool mapped(const struct rill_addr *a)
{
	static const uint8_t head[12] = { [10] = 0xff, [11] = 0xff };

	return !memcmp(a->ip.b, head, 12);
}

/* A change that a program's call makes; the others come with segments and timers. */
static bool by_call(int from, int to)
{
	return to == RILL_SYN_SENT || to == RILL_LISTEN || from == RILL_LISTEN ||
	       (to == RILL_FIN_WAIT1 && from == RILL_ESTABLISHED) ||
	       (to == RILL_LAST_ACK && from == RILL_CLOSE_WAIT);
}

/* The same for all changes of a socket, and no address of the kernel's any more. */
static uint64_t identity(uint64_t obj)
{
	obj = (obj ^ obj >> 29) * 0xbf58476d1ce4e5b9u;
	return obj ^ obj >> 32;
}

static void report(const struct trace_rec *r, uint64_t ns, int from, int to, struct rl_event *e)
{
	bool v6 = r->family == AF_INET6;

	memset(e, 0, sizeof(*e));
	e->source = RILL_SRC_KERNEL;
	e->time_ns = (int64_t)ns;
	e->from = (uint8_t)from;
	e->to = (uint8_t)to;
	e->ifindex = r->ifindex;
	e->netns = r->netns;
	e->id = identity(r->obj);
	set_addr(&e->local, v6, r->laddr4, r->laddr6, r->lport);
	set_addr(&e->peer, v6, r->paddr4, r->paddr6, r->pport);
	e->family = v6 && !mapped(&e->local) && !mapped(&e->peer) ? 6 : 4;
	if (by_call(from, to)) {
		e->pid = (int)r->pid;
		memcpy(e->comm, r->comm, sizeof(e->comm));
		e->comm[sizeof(e->comm) - 1] = '\0';
	}
}

unsigned rl_trace_take(struct rl_trace_state *t, const struct trace_rec *r,
		       struct rl_event out[2])
{
	struct rl_newborn *s;
	unsigned n = 0;

	if (!r->obj || r->from == r->to || r->from >= RILL_TCP_STATES ||
	    r->to >= RILL_TCP_STATES)
		return 0;
	if (r->from == RILL_LISTEN && r->to == RILL_SYN_RECV) {
		s = slot_of(t, r->obj, true);
		*s = (struct rl_newborn){ r->obj, r->ns };
		return 0;
	}
	s = slot_of(t, r->obj, false);
	if (s && r->from == RILL_SYN_RECV) {
		report(r, s->ns, RILL_LISTEN, RILL_SYN_RECV, &out[n]);
		out[n].pid = 0;
		out[n++].comm[0] = '\0';
	}
	if (s)
		s->obj = 0;
	report(r, r->ns, r->from, r->to, &out[n++]);
	return n;
}
