/* SPDX-License-Identifier: MIT */
/*
 * Matching of filter.c's postfix list against one socket.  The list is well-formed
 * (the parser's invariant, which fuzz/filter.c checks), so a bounded stack does.
 */
#include "look/filter.h"

#include <string.h>

#include "rill/table.h"

static bool prefix_eq(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	unsigned bytes = bits / 8, rest = bits % 8;

	if (memcmp(a, b, bytes) != 0)
		return false;
	return !rest || ((a[bytes] ^ b[bytes]) >> (8 - rest)) == 0;
}

static bool compare(enum filter_cmp cmp, int a, int b)
{
	switch (cmp) {
	case FLT_EQ:
		return a == b;
	case FLT_NE:
		return a != b;
	case FLT_LT:
		return a < b;
	case FLT_LE:
		return a <= b;
	case FLT_GT:
		return a > b;
	case FLT_GE:
		return a >= b;
	}
	return false;
}

static bool match_node(const struct filter_node *n, const struct filter_subject *s)
{
	const uint8_t *addr = n->local ? s->local : s->peer;
	uint16_t port = n->local ? s->lport : s->pport;
	bool same;

	switch (n->kind) {
	case FLT_PORT:
		return compare(n->cmp, port, n->port);
	case FLT_AUTO:
		return port >= n->port && port <= n->number;
	case FLT_DEV:
		return (s->ifindex == n->number) == (n->cmp == FLT_EQ);
	case FLT_MARK:
		return ((s->mark & n->mask) == n->number) == (n->cmp == FLT_EQ);
	case FLT_CGROUP:
		return (s->cgroup == n->cgroup) == (n->cmp == FLT_EQ);
	case FLT_HOST:
	case FLT_OPEN:
	case FLT_NOT:
	case FLT_AND:
	case FLT_OR:
		break;
	}
	if (n->only && s->family && n->only != s->family)
		return n->cmp == FLT_NE;
	if (n->has_addr && n->v6 && s->family == 4)	/* ::/0 is none of IPv4's */
		return n->cmp == FLT_NE;
	same = (!n->has_addr || prefix_eq(addr, n->addr, n->prefix)) &&
	       (!n->has_port || port == n->port);
	return same == (n->cmp == FLT_EQ);
}

bool filter_match(const struct filter *f, const struct filter_subject *s)
{
	bool stack[FILTER_NODES + 1] = { true };	/* nothing asked: all */
	unsigned n = 0;

	for (unsigned i = 0; i < f->n; i++) {
		switch (f->node[i].kind) {
		case FLT_NOT:
			stack[n - 1] = !stack[n - 1];
			break;
		case FLT_AND:
			n--;
			stack[n - 1] = stack[n - 1] && stack[n];
			break;
		case FLT_OR:
			n--;
			stack[n - 1] = stack[n - 1] || stack[n];
			break;
		case FLT_OPEN:
		case FLT_PORT:
		case FLT_HOST:
		case FLT_DEV:
		case FLT_MARK:
		case FLT_CGROUP:
		case FLT_AUTO:
			stack[n++] = match_node(&f->node[i], s);
			break;
		}
	}
	return stack[0];
}

bool filter_sock(const struct filter *f, const struct rill_sock *s)
{
	struct filter_subject sub = {
		.lport = s->local.port, .pport = s->peer.port,
		.family = s->family == 4 ? 4 : 6,
		.ifindex = s->ifindex, .mark = s->mark, .cgroup = s->cgroup,
	};

	if (f->has_states && !(f->states >> s->state & 1))
		return false;
	memcpy(sub.local, s->local.ip.b, 16);
	memcpy(sub.peer, s->peer.ip.b, 16);
	return filter_match(f, &sub);
}
