/* SPDX-License-Identifier: MIT */
/*
 * UDP endpoints [RFC768]: their life, local ports, association with a peer.
 * Receiving is udp_in.c, sending udp_out.c, options udp_opt.c.
 *
 * An endpoint with a port stands in the chain of that port's bucket, the latest
 * first.  Ephemeral ports are drawn at random from ip_local_port_range
 * [RFC6056:3.3.1]; ip_local_reserved_ports are left out.
 */
#include <errno.h>

#include "stack/id.h"
#include "stack/sockopt_nums.h"
#include "udp/udp_int.h"

/* ---- life ---- */

int rl_udp_init(struct rill_stack *st)
{
	st->udp = rl_mem_alloc(&st->mem, sizeof(*st->udp));
	if (!st->udp)
		return -ENOMEM;
	rl_slab_init(&st->udp->eps, &st->mem, sizeof(struct rl_udp), RL_ID_IDX_MAX);
	st->udp_proto = (struct rl_proto){ .input = rl_udp_input, .icmp = rl_udp_icmp };
	rl_ping_init(st);
	return 0;
}

static void unhash(struct rill_stack *st, struct rl_udp *u)
{
	uint32_t *at = rl_udp_bucket(st, u->lport);

	if (!u->lport)
		return;
	while (*at != u->obj.idx + 1)
		at = &rl_udp_at(st, *at - 1)->port_next;
	*at = u->port_next;
	u->lport = 0;
}

static void free_endpoint(struct rill_stack *st, struct rl_udp *u)
{
	rl_udp_leave_all(st, u);
	rl_udp_drop_queue(st, u);
	rl_udp_drop_errors(st, u);
	unhash(st, u);
	if (u->ep.event_bits)
		list_del(&u->ep.event_link);
	st->udp->waiting -= u->want_out;
	rl_slab_free(&st->udp->eps, u);
}

void rl_udp_destroy(struct rill_stack *st)
{
	if (!st->udp)
		return;
	for (uint32_t i = 0; i < rl_slab_end(&st->udp->eps); i++) {
		struct rl_udp *u = rl_slab_live(&st->udp->eps, i);

		if (u) {
			u->nmembers = 0;	/* nobody is told any more */
			free_endpoint(st, u);
		}
	}
	rl_slab_destroy(&st->udp->eps);
	rl_mem_free(&st->mem, st->udp, sizeof(*st->udp));
	st->udp = NULL;
}

struct rl_udp *rl_udp_find(struct rill_stack *st, rill_id id)
{
	if (rl_id_kind(id) != RL_ID_UDP)
		return NULL;
	return rl_slab_find(&st->udp->eps, rl_id_idx(id), rl_id_gen(id));
}

rill_id rl_udp_endpoint_id(const struct rl_endpoint *ep)
{
	const struct rl_udp *u = (const void *)((const char *)ep - offsetof(struct rl_udp, ep));

	return rl_id_make(RL_ID_UDP, &u->obj);
}

int rill_udp_open(struct rill_stack *st, uint64_t user, rill_id *out)
{
	struct rl_udp *u;

	if (st->udp->eps.in_use == st->udp->eps.limit)
		return -ENFILE;
	u = rl_slab_alloc(&st->udp->eps);
	if (!u)
		return -ENOMEM;
	list_init(&u->ep.event_link);
	u->ep.user = user;
	u->ep.proto = RL_PROTO_UDP;
	u->rcv_tail = &u->rcv_head;
	u->err_tail = &u->err_head;
	u->rcvbuf = (uint32_t)RL_CFG(st, rmem_default);
	u->sndbuf = (uint32_t)RL_CFG(st, wmem_default);
	u->mcast_ttl = u->mcast_hops = 1;
	u->mcast_loop4 = u->mcast_loop6 = 1;
	u->pmtud4 = u->pmtud6 = RL_PMTUDISC_WANT;
	*out = rl_id_make(RL_ID_UDP, &u->obj);
	return 0;
}

int rill_udp_close(struct rill_stack *st, rill_id id)
{
	struct rl_udp *u = rl_udp_find(st, id);

	if (!u)
		return -EBADF;
	free_endpoint(st, u);
	return 0;
}

/* ---- ports ---- */

bool rl_udp_covers(const struct rl_udp *u, const struct rill_ip *ip)
{
	if (!rl_ip_is_any(&u->bound))
		return rl_ip_eq(&u->bound, ip);
	return rl_ip_is4(ip) ? !u->v6only : !u->v4only;
}

static bool overlap(const struct rl_udp *a, const struct rl_udp *b)
{
	if (a->bound_if && b->bound_if && a->bound_if != b->bound_if)
		return false;
	if (rl_ip_is_any(&a->bound) && rl_ip_is_any(&b->bound))
		return !(a->v4only && b->v6only) && !(a->v6only && b->v4only);
	return rl_ip_is_any(&b->bound) ? rl_udp_covers(b, &a->bound)
				       : rl_udp_covers(a, &b->bound);
}

/* Linux's rule: sharing takes the same consent of both. */
static bool port_taken(const struct rill_stack *st, const struct rl_udp *u, uint16_t port)
{
	for (uint32_t i = *rl_udp_bucket(st, port); i; i = rl_udp_at(st, i - 1)->port_next) {
		const struct rl_udp *o = rl_udp_at(st, i - 1);

		if (o == u || o->lport != port || o->icmp != u->icmp || !overlap(o, u))
			continue;
		if (!(o->reuseaddr && u->reuseaddr) && !(o->reuseport && u->reuseport))
			return true;
	}
	return false;
}

static bool reserved(const struct rill_stack *st, uint32_t port)
{
	return st->cfg.reserved_ports[port / 64] >> (port % 64) & 1;
}

/* An ephemeral port; 0: none is free.  Sharing is only by asking for a port. */
static uint16_t pick_port(struct rill_stack *st, struct rl_udp *u)
{
	uint32_t lo = (uint32_t)st->cfg.ip_local_port_range[0];
	uint32_t hi = (uint32_t)st->cfg.ip_local_port_range[1];
	uint32_t n = hi >= lo ? hi - lo + 1 : 1, start = rl_rand_below(&st->rand, n);
	bool reuseaddr = u->reuseaddr, reuseport = u->reuseport;
	uint16_t found = 0;

	u->reuseaddr = u->reuseport = 0;
	for (uint32_t i = 0; i < n && !found; i++) {	/* [RFC6056-01] */
		uint32_t port = lo + (start + i) % n;

		if (!reserved(st, port) && !port_taken(st, u, (uint16_t)port))
			found = (uint16_t)port;
	}
	u->reuseaddr = reuseaddr;
	u->reuseport = reuseport;
	return found;
}

static void hash(struct rill_stack *st, struct rl_udp *u, uint16_t port)
{
	uint32_t *head = rl_udp_bucket(st, port);

	u->lport = port;
	u->port_next = *head;
	*head = u->obj.idx + 1;
}

/* @u has its address; @port 0: any. */
static int take_port(struct rill_stack *st, struct rl_udp *u, uint16_t port)
{
	u->auto_port = port == 0;
	if (!port) {
		port = pick_port(st, u);
		if (!port)
			return -EADDRINUSE;
	} else if (port_taken(st, u, port)) {
		return -EADDRINUSE;
	}
	hash(st, u, port);
	return 0;
}

int rl_udp_autobind(struct rill_stack *st, struct rl_udp *u, const struct rill_ip *dst)
{
	if (u->lport) {
		/* bound by sending to IPv4, now used for IPv6 */
		if (u->auto_addr && u->v4only && !rl_ip_is4(dst))
			u->v4only = 0;
		return 0;
	}
	u->auto_addr = 1;
	u->v4only = rl_ip_is4(dst);	/* as a ping socket's is already */
	u->bound = (struct rill_ip){ .q = { 0 } };
	return take_port(st, u, 0);
}

/* ---- bind ---- */

static bool can_bind(const struct rill_stack *st, const struct rill_ip *ip)
{
	return rl_ip_is_any(ip) || rl_ip_is_mcast(ip) || rl_ip_is_broadcast(st, ip) ||
	       rl_ip_is_ours(st, ip);
}

int rill_udp_bind(struct rill_stack *st, rill_id id, const struct rill_addr *local,
		  unsigned flags)
{
	struct rl_udp *u = rl_udp_find(st, id);
	int r;

	if (!u)
		return -EBADF;
	if (u->lport)
		return -EINVAL;
	if (!can_bind(st, &local->ip))
		return -EADDRNOTAVAIL;		/* [RFC1122-33] */
	if (u->icmp && !rl_udp_covers(u, &local->ip))
		return -EAFNOSUPPORT;
	u->v6only = u->icmp ? u->v6only : !!(flags & RILL_BIND_V6ONLY);
	u->v4only = (flags & RILL_BIND_V4) || rl_ip_is4(&local->ip);
	u->bound = rl_ip_is_any(&local->ip) ? (struct rill_ip){ .q = { 0 } } : local->ip;
	if (local->ifindex && rl_ip_is_linklocal(&local->ip))
		u->bound_if = local->ifindex;
	r = take_port(st, u, local->port);
	if (r) {
		u->bound = (struct rill_ip){ .q = { 0 } };
		return r;
	}
	u->auto_addr = 0;
	return 0;
}

/* ---- connect ---- */

/* The association's own address: as bound, or chosen for the peer. */
static int choose_local(struct rill_stack *st, struct rl_udp *u, const struct rill_ip *peer,
			uint16_t ifindex, struct rill_ip *local)
{
	if (rl_ip_is_any(&u->bound) || rl_ip_is_mcast(&u->bound) ||
	    rl_ip_is_broadcast(st, &u->bound))
		return rl_ip_select_source(st, peer, ifindex, local);
	if (rl_ip_is4(&u->bound) != rl_ip_is4(peer))
		return -ENETUNREACH;
	*local = u->bound;
	return 0;
}

static void dissolve(struct rill_stack *st, struct rl_udp *u)
{
	u->connected = 0;
	u->rport = 0;
	u->flow.d.gen = 0;
	u->err = u->soft_err = 0;
	if (u->auto_addr)		/* nobody asked for this port by bind() */
		unhash(st, u);
}

/* Linux's custom: the any-address as a peer is this host. */
static struct rill_ip real_peer(const struct rill_ip *ip)
{
	static const struct rill_ip lo6 = { .b = { [15] = 1 } };

	if (!rl_ip_is_any(ip))
		return *ip;
	return rl_ip_is4(ip) ? rl_ip4(0x7f000001) : lo6;
}

static bool family_ok(const struct rl_udp *u, const struct rill_ip *ip, unsigned flags)
{
	if (rl_ip_is4(ip))
		return !u->v6only && !(flags & RILL_BIND_V6ONLY);
	return !(flags & RILL_BIND_V4) && (!u->v4only || u->auto_addr || !u->lport);
}

int rill_udp_connect(struct rill_stack *st, rill_id id, const struct rill_addr *peer,
		     unsigned flags)
{
	struct rl_udp *u = rl_udp_find(st, id);
	struct rill_ip local, dst;
	uint16_t ifindex;
	int r;

	if (!u)
		return -EBADF;
	if (!peer) {
		dissolve(st, u);
		return 0;
	}
	dst = real_peer(&peer->ip);
	if (!peer->port && !u->icmp)
		return -EINVAL;
	if (!family_ok(u, &dst, flags))
		return -ENETUNREACH;
	if (rl_ip_is_broadcast(st, &dst) && !u->broadcast)
		return -EACCES;
	ifindex = peer->ifindex ? peer->ifindex : u->bound_if;
	r = choose_local(st, u, &dst, ifindex, &local);
	if (!r)
		r = rl_udp_autobind(st, u, &dst);
	if (r)
		return r == -EADDRINUSE ? -EAGAIN : r;
	u->peer = dst;
	u->rport = peer->port;
	u->local = local;
	u->connected = 1;
	u->err = u->soft_err = 0;
	u->flow = (struct rl_flow){ .bound_if = ifindex };
	return 0;
}

int rill_udp_shutdown(struct rill_stack *st, rill_id id, enum rill_shut how)
{
	struct rl_udp *u = rl_udp_find(st, id);

	if (!u)
		return -EBADF;
	if (!u->connected)
		return -ENOTCONN;
	if (how != RILL_SHUT_WR)
		u->shut_rd = 1;
	if (how != RILL_SHUT_RD)
		u->shut_wr = 1;
	rl_event(st, &u->ep, RILL_IN | RILL_OUT | (u->shut_rd ? RILL_RDHUP : 0u));
	return 0;
}

/* ---- looking ---- */

int rl_udp_take_error(struct rl_udp *u)
{
	int err = u->err;

	u->err = 0;
	return -err;
}

int rl_udp_ready(const struct rill_stack *st, const struct rl_udp *u)
{
	int bits = 0;

	if (u->rcv_head || u->shut_rd)
		bits |= RILL_IN;
	if (u->shut_rd)
		bits |= RILL_RDHUP;
	if (u->shut_rd && u->shut_wr)
		bits |= RILL_HUP;
	if (u->err || u->err_head)
		bits |= RILL_ERR;
	if (rl_udp_may_send(st, u))
		bits |= RILL_OUT;
	return bits;
}

int rill_udp_poll(struct rill_stack *st, rill_id id)
{
	struct rl_udp *u = rl_udp_find(st, id);

	return u ? rl_udp_ready(st, u) : -EBADF;
}

static struct rill_addr local_name(const struct rl_udp *u)
{
	struct rill_addr a = { .ip = u->connected ? u->local : u->bound, .port = u->lport,
			       .ifindex = u->bound_if };

	if (u->v4only && rl_ip_is_any(&a.ip))
		a.ip = rl_ip4(0);
	return a;
}

static struct rill_addr peer_name(const struct rl_udp *u)
{
	struct rill_addr a = { .port = 0 };

	if (u->connected)
		a = (struct rill_addr){ u->peer, u->rport, u->bound_if };
	else if (u->v4only)
		a.ip = rl_ip4(0);
	return a;
}

int rill_udp_local(struct rill_stack *st, rill_id id, struct rill_addr *a)
{
	struct rl_udp *u = rl_udp_find(st, id);

	if (!u)
		return -EBADF;
	*a = local_name(u);
	return 0;
}

int rill_udp_peer(struct rill_stack *st, rill_id id, struct rill_addr *a)
{
	struct rl_udp *u = rl_udp_find(st, id);

	if (!u)
		return -EBADF;
	if (!u->connected)
		return -ENOTCONN;
	*a = peer_name(u);
	return 0;
}

static uint8_t family_of(const struct rl_udp *u)
{
	if (u->connected)
		return rl_ip_is4(&u->peer) ? 4 : 6;
	if (!rl_ip_is_any(&u->bound))
		return rl_ip_is4(&u->bound) ? 4 : 6;
	return u->v4only ? 4 : u->v6only ? 6 : 0;
}

static void describe(const struct rill_stack *st, const struct rl_udp *u,
		     struct rill_conn *c)
{
	*c = (struct rill_conn){
		.id = rl_id_make(RL_ID_UDP, &u->obj), .user = u->ep.user,
		.proto = RL_PROTO_UDP, .family = family_of(u),
		.state = u->connected ? RILL_ESTABLISHED : RILL_CLOSE,
		.local = local_name(u), .peer = peer_name(u),
		.recv_q = u->rcv_bytes, .send_q = rl_udp_unsent(st, u),
		.rcvbuf = u->rcvbuf, .sndbuf = u->sndbuf, .v6only = u->v6only,
		.shutdown = (uint8_t)(u->shut_rd | u->shut_wr << 1), .tos = u->tos,
	};
}

int rl_udp_conns(struct rill_stack *st, uint64_t *cursor, struct rill_conn *conns, int max)
{
	const struct rl_slab *s = &st->udp->eps;
	int n = 0;

	while (n < max && *cursor < rl_slab_end(s)) {
		const struct rl_udp *u = rl_slab_live(s, (uint32_t)*cursor);

		if (u && !u->icmp)
			describe(st, u, &conns[n++]);
		++*cursor;
	}
	return n;
}
