/* SPDX-License-Identifier: MIT */
/*
 * Local ports: who holds one, whether another may, which one is free
 * [RFC6056:3.3], and which listener a SYN is for.  A chain a bucket; accepted
 * connections are not in it, they are found through the four-tuple table.
 */
#include <errno.h>

#include "tcp/conn.h"

static uint32_t *bucket(struct rill_stack *st, uint16_t port)
{
	return &st->ports.head[port % RL_PORT_BUCKETS];
}

void rl_ports_add(struct rill_stack *st, struct tcp_conn *c)
{
	uint32_t *head = bucket(st, c->lport);

	c->port_next = *head;
	*head = c->obj.idx + 1;
	c->ported = 1;
}

void rl_ports_del(struct rill_stack *st, struct tcp_conn *c)
{
	uint32_t *p = bucket(st, c->lport);

	while (*p && *p != c->obj.idx + 1)
		p = &rl_conn_at(st, *p - 1)->port_next;
	if (*p)
		*p = c->port_next;
	c->ported = 0;
}

/* Does what @c is bound to include address @ip? */
static bool covers(const struct tcp_conn *c, const struct rill_ip *ip)
{
	if (!rl_ip_is_any(&c->flow.src))
		return rl_ip_eq(&c->flow.src, ip);
	if (rl_ip_is4(ip))
		return !c->v6only;
	return !c->v4only;
}

struct tcp_conn *rl_listener_find(struct rill_stack *st, const struct rill_ip *laddr,
				  uint16_t lport, const struct rill_ip *raddr,
				  uint16_t rport, uint16_t ifindex)
{
	struct { struct rill_ip a; uint16_t p; } peer = { *raddr, rport };
	struct tcp_conn *best = NULL;
	int best_score = 0;
	uint32_t equals = 0;

	for (uint32_t i = *bucket(st, lport); i; i = rl_conn_at(st, i - 1)->port_next) {
		struct tcp_conn *c = rl_conn_at(st, i - 1);
		int score;

		if (c->state != RILL_LISTEN || c->lport != lport || !covers(c, laddr))
			continue;
		if (c->flow.bound_if && c->flow.bound_if != ifindex)
			continue;
		score = 1 + 2 * !rl_ip_is_any(&c->flow.src) + (c->flow.bound_if != 0);
		if (score < best_score)
			continue;
		equals = score > best_score ? 1 : equals + 1;
		/* SO_REUSEPORT: the k-th of equals with chance 1/k, by the peer */
		if (score > best_score ||
		    (rl_siphash13(&st->hash_key, &peer, 18) + i) % equals == 0)
			best = c;
		best_score = score;
	}
	return best;
}

static bool same_family_any(const struct tcp_conn *a, bool v4only, bool v6only)
{
	return !((a->v4only && v6only) || (a->v6only && v4only));
}

static bool overlap(const struct tcp_conn *other, const struct tcp_conn *c,
		    const struct rill_ip *ip)
{
	bool any = rl_ip_is_any(ip), other_any = rl_ip_is_any(&other->flow.src);

	if (other->flow.bound_if && c->flow.bound_if &&
	    other->flow.bound_if != c->flow.bound_if)
		return false;
	if (any && other_any)
		return same_family_any(other, c->v4only, c->v6only);
	if (any)
		return rl_ip_is4(&other->flow.src) ? !c->v6only : !c->v4only;
	return covers(other, ip);
}

/* Connections of this port that were accepted, or TIME-WAIT: they block a plain bind. */
static bool in_use_by_tuple(struct rill_stack *st, uint16_t port, const struct rill_ip *ip)
{
	bool any = rl_ip_is_any(ip);

	for (uint32_t i = 0; i < rl_slab_end(&st->tws); i++) {
		const struct tcp_tw *w = rl_slab_live(&st->tws, i);

		if (w && w->lport == port && (any || rl_ip_eq(&w->laddr, ip)))
			return true;
	}
	for (uint32_t i = 0; i < rl_slab_end(&st->conns); i++) {
		const struct tcp_conn *c = rl_slab_live(&st->conns, i);

		if (c && c->hashed && !c->ported && c->lport == port &&
		    (any || rl_ip_eq(&c->flow.src, ip)))
			return true;
	}
	return false;
}

/*
 * Linux's rule: two may share when both have SO_REUSEPORT, or both have
 * SO_REUSEADDR and none listens [RFC9293:MUST-41] [RFC9293:MUST-42].
 */
int rl_ports_check(struct rill_stack *st, const struct tcp_conn *c,
		   const struct rill_ip *ip, uint16_t port, bool listening)
{
	for (uint32_t i = *bucket(st, port); i; i = rl_conn_at(st, i - 1)->port_next) {
		const struct tcp_conn *o = rl_conn_at(st, i - 1);

		if (o == c || o->lport != port || !overlap(o, c, ip))
			continue;
		if (o->reuseport && c->reuseport)
			continue;
		if (o->reuseaddr && c->reuseaddr && o->state != RILL_LISTEN)
			continue;
		if (listening && o->state != RILL_LISTEN)
			continue;	/* bound earlier under the same rule */
		return -EADDRINUSE;
	}
	if (!listening && !c->reuseaddr && in_use_by_tuple(st, port, ip))
		return -EADDRINUSE;
	return 0;
}

static bool reserved(const struct rill_stack *st, uint16_t port)
{
	return st->cfg.reserved_ports[port / 64] >> (port % 64) & 1;
}

static bool free_for_bind(struct rill_stack *st, const struct tcp_conn *c, uint16_t port)
{
	for (uint32_t i = *bucket(st, port); i; i = rl_conn_at(st, i - 1)->port_next)
		if (rl_conn_at(st, i - 1)->lport == port &&
		    overlap(rl_conn_at(st, i - 1), c, &c->flow.src))
			return false;
	return c->reuseaddr || !in_use_by_tuple(st, port, &c->flow.src);
}

/* A port is free for a connect when its four-tuple is, and nobody owns it by bind. */
static bool free_for_connect(struct rill_stack *st, const struct tcp_conn *c, uint16_t port)
{
	struct rl_found f;

	for (uint32_t i = *bucket(st, port); i; i = rl_conn_at(st, i - 1)->port_next) {
		const struct tcp_conn *o = rl_conn_at(st, i - 1);

		if (o->lport == port && o->bound_port)
			return false;
	}
	return !rl_demux_find(st, &c->flow.src, port, &c->flow.dst, c->rport, &f);
}

/*
 * [RFC6056:3.3.3] The start depends by a keyed hash on the two addresses and the
 * remote port, plus chance: not to be guessed, and all ports of the range are
 * tried before giving up.
 * [RFC6056-02] [RFC6056-03]
 */
int rl_ports_choose(struct rill_stack *st, struct tcp_conn *c, uint16_t *port)
{
	uint32_t lo = (uint32_t)st->cfg.ip_local_port_range[0];
	uint32_t n = (uint32_t)st->cfg.ip_local_port_range[1] - lo + 1;
	struct { struct rill_ip a, b; uint16_t p; } in = { c->flow.src, c->flow.dst,
							   c->rport };
	bool connecting = c->rport != 0;
	uint32_t at = (uint32_t)rl_siphash(&st->port_key, &in, 34) % n;

	at += rl_rand_below(&st->rand, n);
	for (uint32_t i = 0; i < n; i++) {
		uint16_t p = (uint16_t)(lo + (at + i) % n);

		if (reserved(st, p))
			continue;
		if (connecting ? free_for_connect(st, c, p) : free_for_bind(st, c, p)) {
			*port = p;
			return 0;
		}
	}
	return connecting ? -EADDRNOTAVAIL : -EADDRINUSE;
}
