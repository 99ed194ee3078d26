/* SPDX-License-Identifier: MIT */
/*
 * Counting ephemeral ports.  Sockets are kept until all are known, because only then is
 * it clear which ports listeners and bound sockets have: a connection on such a port
 * came in and uses up nothing.  Then they are sorted by destination and counted in one
 * pass.  Called by `rill ports`, `rill check` and the doctor.
 */
#include "look/ports.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "look/knobs.h"

struct ports_sock {
	struct rill_ip	local;
	struct rill_addr peer;
	uint16_t	lport;
	uint8_t		proto, state;
	bool		is_bound;	/* without a peer */
	int		pid;
	char		comm[16];
	const char	*stack;
};

static bool has(const uint64_t *bits, unsigned port)
{
	return bits[port / 64 % 1024] >> (port % 64) & 1;
}

static void set(uint64_t *bits, unsigned port)
{
	bits[port / 64 % 1024] |= 1ull << (port % 64);
}

/* ---- the range ---- */

/* "8080,9000-9010" */
static int parse_reserved(struct ports *p, const char *s)
{
	while (*s && *s != '\n') {
		char *end;
		unsigned long a = strtoul(s, &end, 10), b = a;

		if (end == s || a > 65535)
			return -EINVAL;
		if (*end == '-') {
			s = end + 1;
			b = strtoul(s, &end, 10);
			if (end == s || b > 65535 || b < a)
				return -EINVAL;
		}
		for (unsigned long port = a; port <= b; port++)
			set(p->no, (unsigned)port);
		if (*end && *end != ',' && *end != '\n')
			return -EINVAL;
		s = *end == ',' ? end + 1 : end;
	}
	return 0;
}

int ports_init(struct ports *p, const char *range, const char *reserved)
{
	int r;

	memset(p, 0, sizeof(*p));
	if (sscanf(range, "%u %u", &p->lo, &p->hi) != 2 || !p->lo || p->lo > p->hi ||
	    p->hi > 65535)
		return -EINVAL;
	p->size = p->hi - p->lo + 1;
	r = parse_reserved(p, reserved);
	for (unsigned port = p->lo; port <= p->hi; port++)
		p->reserved += has(p->no, port);
	return r;
}

int ports_init_kernel(struct ports *p)
{
	char range[KNOB_VALUE], reserved[KNOB_VALUE];
	int r = knob_read(NULL, "net.ipv4.ip_local_port_range", range);

	if (r < 0)
		return r;
	if (knob_read(NULL, "net.ipv4.ip_local_reserved_ports", reserved) < 0)
		reserved[0] = '\0';	/* before 2.6.35 */
	return ports_init(p, range, reserved);
}

/* ---- collecting ---- */

static const char *keep_stack(struct ports *p, const char *name)
{
	unsigned i = 0;

	if (!*name)
		return "";
	while (i < p->nstacks && strcmp(p->stacks[i], name) != 0)
		i++;
	if (i == p->nstacks) {
		if (p->nstacks == 16)
			return "";
		snprintf(p->stacks[p->nstacks++], sizeof(p->stacks[0]), "%s", name);
	}
	return p->stacks[i];
}

static void add_owner(struct ports *p, struct ports_sock *to, const struct rill_sock *s)
{
	if (s->nowners) {
		to->pid = s->owners[0].pid;
		memcpy(to->comm, s->owners[0].comm, sizeof(to->comm));
		to->comm[sizeof(to->comm) - 1] = '\0';
	} else if (s->source == RILL_SRC_RILL && s->state != RILL_TIME_WAIT && !s->orphan) {
		to->pid = s->pid;
	}
	to->stack = keep_stack(p, s->stack ? s->stack : "");
}

int ports_add(struct ports *p, const struct rill_sock *s)
{
	struct ports_sock *to;
	bool peerless = !s->peer.port;

	if (s->local.port < p->lo || s->local.port > p->hi || s->half_open)
		return 0;
	if (p->nsock == p->cap) {
		size_t cap = p->cap ? p->cap * 2 : 256;

		to = realloc(p->sock, cap * sizeof(*to));
		if (!to)
			return -ENOMEM;
		p->sock = to;
		p->cap = cap;
	}
	to = &p->sock[p->nsock++];
	memset(to, 0, sizeof(*to));
	to->lport = s->local.port;
	to->proto = s->proto;
	to->state = s->state;
	add_owner(p, to, s);
	if (s->proto == IPPROTO_TCP && peerless) {
		to->is_bound = true;
		set(p->is_bound, to->lport);
	} else if (s->proto == IPPROTO_TCP) {
		to->local = s->local.ip;
		to->peer = s->peer;
	}
	return 0;
}

/* ---- counting ---- */

static int by_dest(const struct ports_sock *x, const struct ports_sock *y)
{
	int r = x->proto - y->proto;

	if (!r)
		r = memcmp(x->local.b, y->local.b, 16);
	if (!r)
		r = memcmp(x->peer.ip.b, y->peer.ip.b, 16);
	if (!r)
		r = x->peer.port - y->peer.port;
	return r;
}

static int by_dest_and_port(const void *a, const void *b)
{
	const struct ports_sock *x = a, *y = b;
	int r = by_dest(x, y);

	return r ? r : x->lport - y->lport;
}

static int most_used(const void *a, const void *b)
{
	const struct ports_dest *x = a, *y = b;

	if (x->used != y->used)
		return x->used > y->used ? -1 : 1;
	if (x->proto != y->proto)
		return x->proto - y->proto;
	return memcmp(&x->peer, &y->peer, sizeof(x->peer));
}

static void count_holder(struct ports_dest *d, const struct ports_sock *s)
{
	unsigned i = 0;

	while (i < d->nholders && (d->holder[i].pid != s->pid || d->holder[i].stack != s->stack))
		i++;
	if (i == PORTS_HOLDERS) {
		d->others++;
		return;
	}
	if (i == d->nholders) {
		d->nholders++;
		d->holder[i].pid = s->pid;
		d->holder[i].stack = s->stack;
		memcpy(d->holder[i].comm, s->comm, sizeof(s->comm));
	}
	d->holder[i].n++;
}

static int most_held(const void *a, const void *b)
{
	const struct ports_holder *x = a, *y = b;

	return x->n == y->n ? x->pid - y->pid : x->n > y->n ? -1 : 1;
}

/* Whether the socket's port counts: a connection on a bound one came in. */
static bool counts(const struct ports *p, const struct ports_sock *s)
{
	return !s->is_bound && !(s->proto == IPPROTO_TCP && has(p->is_bound, s->lport));
}

unsigned ports_usable(const struct ports *p)
{
	return p->size - p->reserved - p->bound;
}

/* One destination's sockets: from @i on.  Return: the next one's first. */
static size_t count_dest(struct ports *p, size_t i)
{
	struct ports_dest *d = &p->dest[p->ndest];
	const struct ports_sock *first = &p->sock[i];
	unsigned taken = 0, last_port = 0;

	memset(d, 0, sizeof(*d));
	d->proto = first->proto;
	d->local = first->local;
	d->peer = first->peer;
	for (; i < p->nsock && by_dest(first, &p->sock[i]) == 0; i++) {
		const struct ports_sock *s = &p->sock[i];

		if (!counts(p, s))
			continue;
		if (s->state < RILL_TCP_STATES)
			d->state[s->state]++;
		count_holder(d, s);
		if (s->lport == last_port)
			continue;
		last_port = s->lport;
		d->used++;
		taken += !has(p->no, s->lport);	/* a reserved one is gone already */
	}
	d->free = (d->proto == IPPROTO_UDP ? p->size - p->reserved : ports_usable(p)) - taken;
	qsort(d->holder, d->nholders, sizeof(d->holder[0]), most_held);
	p->ndest += d->used > 0;
	return i;
}

int ports_done(struct ports *p)
{
	struct timespec ts;
	size_t groups = 0;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	p->at_ns = ts.tv_sec * 1000000000LL + ts.tv_nsec;
	for (unsigned port = p->lo; port <= p->hi; port++)
		p->bound += has(p->is_bound, port) && !has(p->no, port);
	if (p->nsock)
		qsort(p->sock, p->nsock, sizeof(*p->sock), by_dest_and_port);
	for (size_t i = 0; i < p->nsock; i++)
		groups += !i || by_dest(&p->sock[i - 1], &p->sock[i]) != 0;
	p->dest = calloc(groups + 1, sizeof(*p->dest));
	if (!p->dest)
		return -ENOMEM;
	for (size_t i = 0; i < p->nsock; )
		i = count_dest(p, i);
	qsort(p->dest, p->ndest, sizeof(*p->dest), most_used);
	return 0;
}

void ports_free(struct ports *p)
{
	free(p->sock);
	free(p->dest);
	memset(p, 0, sizeof(*p));
}

const struct ports_dest *ports_find(const struct ports *p, const struct ports_dest *like)
{
	for (size_t i = 0; i < p->ndest; i++) {
		const struct ports_dest *d = &p->dest[i];

		if (d->proto == like->proto && d->peer.port == like->peer.port &&
		    !memcmp(d->peer.ip.b, like->peer.ip.b, 16) &&
		    !memcmp(d->local.b, like->local.b, 16))
			return d;
	}
	return NULL;
}

unsigned ports_least_free(const struct ports *p)
{
	unsigned least = ports_usable(p);

	for (size_t i = 0; i < p->ndest; i++)
		least = p->dest[i].free < least ? p->dest[i].free : least;
	return least;
}

double ports_runs_out(const struct ports_dest *before, const struct ports_dest *now,
		      double seconds)
{
	double grown = (double)now->used - (before ? before->used : 0);

	if (!now->free)
		return 0;
	return grown > 0 && seconds > 0 ? now->free / (grown / seconds) : -1;
}
