/* SPDX-License-Identifier: MIT */
/*
 * The calls of an application [RFC9293:3.10.1]..[RFC9293:3.10.6], documented in
 * rill/stack.h.  They change state and queues; segments leave by rl_tcp_flush().
 */
#include <errno.h>

#include "stack/id.h"
#include "tcp/conn.h"

int rill_tcp_open(struct rill_stack *st, uint64_t user, rill_id *out)
{
	struct tcp_conn *c = rl_tcp_new(st, user);

	if (!c)
		return st->conns.in_use >= st->conns.limit ? -ENFILE : -ENOMEM;
	*out = rl_tcp_id(c);
	return 0;
}

static void family_flags(struct tcp_conn *c, unsigned flags)
{
	c->v4only = !!(flags & RILL_BIND_V4);
	if (flags & RILL_BIND_V6ONLY)
		c->v6only = 1;
}

static bool bindable(struct rill_stack *st, const struct rill_ip *ip)
{
	return rl_ip_is_any(ip) || rl_ip_is_ours(st, ip);
}

/* [RFC9293:MUST-43] */
int rill_tcp_bind(struct rill_stack *st, rill_id id, const struct rill_addr *local,
		  unsigned flags)
{
	struct tcp_conn *c = rl_tcp_find(st, id);
	struct rill_ip old;
	uint16_t port = local->port;
	int err;

	if (!c)
		return -EBADF;
	if (c->bound_port || c->state != RILL_CLOSE || c->hashed)
		return -EINVAL;
	if (!bindable(st, &local->ip))
		return -EADDRNOTAVAIL;
	family_flags(c, flags);
	old = c->flow.src;
	c->flow.src = local->ip;
	if (local->ifindex)
		c->flow.bound_if = local->ifindex;
	err = port ? rl_ports_check(st, c, &local->ip, port, false)
		   : rl_ports_choose(st, c, &port);
	if (err < 0) {
		c->flow.src = old;
		return err;
	}
	c->lport = port;
	c->bound_port = 1;
	c->bound_ip = !rl_ip_is_any(&local->ip);
	rl_ports_add(st, c);
	return 0;
}

int rill_tcp_listen(struct rill_stack *st, rill_id id, int backlog)
{
	struct tcp_conn *c = rl_tcp_find(st, id);
	struct rill_addr any = { .port = 0 };
	int err;

	if (!c)
		return -EBADF;
	if (c->state != RILL_CLOSE && c->state != RILL_LISTEN)
		return -EINVAL;
	if (!c->bound_port) {			/* as Linux: some free port */
		any.ip = c->v4only ? rl_ip4(0) : any.ip;
		err = rill_tcp_bind(st, id, &any, c->v4only ? RILL_BIND_V4 : 0);
		if (err < 0)
			return err;
	}
	if (c->state == RILL_CLOSE) {
		err = rl_ports_check(st, c, &c->flow.src, c->lport, true);
		if (err < 0)
			return err;
	}
	return rl_listener_start(st, c, backlog);
}

int rill_tcp_accept(struct rill_stack *st, rill_id id, uint64_t user, rill_id *child,
		    struct rill_addr *peer)
{
	struct tcp_conn *l = rl_tcp_find(st, id), *c;

	if (!l)
		return -EBADF;
	if (l->state != RILL_LISTEN)
		return -EINVAL;
	c = rl_listener_take(st, l);
	if (!c)
		return -EAGAIN;
	if (c->ep.event_bits) {			/* it asks by poll first */
		list_del(&c->ep.event_link);
		c->ep.event_bits = 0;
	}
	c->ep.user = user;
	*child = rl_tcp_id(c);
	if (peer)
		*peer = (struct rill_addr){ .ip = c->flow.dst, .port = c->rport,
					    .ifindex = c->flow.bound_if };
	return 0;
}

/* [RFC9293:MUST-46] Broadcast and multicast are no peers; the any-address is this host. */
static int check_peer(struct rill_stack *st, struct tcp_conn *c, const struct rill_addr *peer)
{
	if (!peer->port)
		return -EADDRNOTAVAIL;
	if (rl_ip_is_mcast(&peer->ip))
		return -ENETUNREACH;
	if (rl_ip_is_broadcast(st, &peer->ip))
		return -EACCES;
	if (!rl_ip_is_any(&c->flow.src) && rl_ip_is4(&c->flow.src) != rl_ip_is4(&peer->ip))
		return -ENETUNREACH;
	if (c->v6only && rl_ip_is4(&peer->ip))
		return -ENETUNREACH;
	return 0;
}

static void any_is_loopback(struct rill_ip *ip)
{
	if (!rl_ip_is_any(ip))
		return;
	if (rl_ip_is4(ip))
		*ip = rl_ip4(0x7f000001);
	else
		ip->b[15] = 1;
}

/* Address and port of our side [RFC9293:MUST-44], kept for all its life [RFC9293:MUST-45]. */
static int choose_local(struct rill_stack *st, struct tcp_conn *c)
{
	struct rl_found f;
	int err;

	if (rl_ip_is_any(&c->flow.src)) {
		err = rl_ip_select_source(st, &c->flow.dst, c->flow.bound_if, &c->flow.src);
		if (err < 0)
			return err;
	}
	err = rl_ip_route(st, &c->flow);
	if (err < 0)
		return err;
	if (!c->bound_port)
		return rl_ports_choose(st, c, &c->lport);
	return rl_demux_find(st, &c->flow.src, c->lport, &c->flow.dst, c->rport, &f)
		       ? -EADDRNOTAVAIL : 0;
}

static int start_handshake(struct rill_stack *st, struct tcp_conn *c)
{
	if (rl_demux_add(st, RL_NODE_CONN, c->obj.idx) < 0)
		return -ENOBUFS;
	c->hashed = 1;
	c->active = 1;
	c->ts_off = rl_tcp_ts_offset(st, &c->flow.src, &c->flow.dst);
	c->iss = rl_tcp_isn(st, &c->flow.src, c->lport, &c->flow.dst, c->rport);
	c->snd_una = c->snd_sml = c->recover = c->iss;
	c->snd_nxt = seq_add(c->iss, 1);
	c->mss_adv = rl_tcp_adv_mss(st, &c->flow, c->cold ? c->cold->maxseg : 0);
	c->rcv_wscale = rl_tcp_pick_wscale(st, c);
	c->ssthresh = UINT32_MAX; /* [RFC5681-07] */
	c->mss = 536;
	c->cwnd = c->mss;
	c->last_rcv_ns = st->now_ns;
	c->chrono_ns = st->now_ns;
	c->hs_retx = 0;				/* of an attempt before */
	c->retries = 0;
	c->retx_start_ns = 0;
	c->soft_err = 0;
	rl_rtt_init(st, c);
	rl_history_begin(c, st->now_ns);
	rl_tcp_set_state(st, c, RILL_SYN_SENT);
	rl_tcp_send_syn(st, c);
	if (!rl_rtxq_add(st, c, c->iss, 1, RTX_SYN)) {
		rl_tcp_gone(st, c, RILL_END_NO_MEMORY, 0);
		return -ENOBUFS;
	}
	rl_timers_on_data_sent(st, c);
	return -EINPROGRESS;
}

static int connectable(const struct tcp_conn *c)
{
	if (c->state == RILL_SYN_SENT || c->state == RILL_SYN_RECV)
		return -EALREADY;
	if (c->state != RILL_CLOSE && c->state != RILL_LISTEN)
		return -EISCONN;
	return 0;
}

int rill_tcp_connect(struct rill_stack *st, rill_id id, const struct rill_addr *peer,
		     unsigned flags)
{
	struct tcp_conn *c = rl_tcp_find(st, id);
	struct rill_ip old_src;
	int err;

	if (!c)
		return -EBADF;
	err = connectable(c);
	if (err < 0)
		return err;
	if (c->err) {				/* of the attempt before, told once */
		err = -c->err;
		c->err = 0;
		return err;
	}
	if (c->hashed || c->state == RILL_TIME_WAIT || c->last_ack_ns)
		return -EISCONN;		/* was connected once */
	family_flags(c, flags);
	old_src = c->flow.src;
	if (!c->bound_ip)			/* chosen by an attempt before */
		c->flow.src = (struct rill_ip){ 0 };
	err = check_peer(st, c, peer);
	if (err < 0) {
		c->flow.src = old_src;
		return err;
	}
	if (c->state == RILL_LISTEN)		/* [RFC9293:3.10.1] */
		rl_listener_stop(st, c);
	c->flow.dst = peer->ip;
	any_is_loopback(&c->flow.dst);
	if (peer->ifindex)
		c->flow.bound_if = peer->ifindex;
	c->rport = peer->port;
	err = choose_local(st, c);
	if (err == 0)
		err = start_handshake(st, c);
	if (err < 0 && err != -EINPROGRESS) {
		c->flow.src = old_src;
		c->rport = 0;
		if (c->state == RILL_LISTEN)
			rl_tcp_set_state(st, c, RILL_CLOSE);
	}
	return err;
}

/* The pending error, told once [RFC9293:MUST-12]. */
static int take_error(struct tcp_conn *c)
{
	int err = c->err;

	c->err = 0;
	return -err;
}

static int sendable(struct tcp_conn *c)
{
	if (c->err)
		return take_error(c);
	if (c->fin_queued)
		return -EPIPE;
	switch (c->state) {
	case RILL_SYN_SENT:
	case RILL_SYN_RECV:
		return -EAGAIN;
	case RILL_ESTABLISHED:
	case RILL_CLOSE_WAIT:
		return 0;
	case RILL_CLOSE:
		return c->rport ? -EPIPE : -ENOTCONN;
	case RILL_LISTEN:
		return -ENOTCONN;
	}
	return -EPIPE;
}

static void mark_urgent(struct rill_stack *st, struct tcp_conn *c)
{
	struct tcp_cold *cold = rl_tcp_cold(st, c);

	if (!cold)
		return;
	cold->snd_urg = true;			/* [RFC9293:MUST-30] [RFC6093-02] */
	cold->snd_up = seq_add(c->snd_una, c->sendq.len);
}

int64_t rill_tcp_send(struct rill_stack *st, rill_id id, const struct rill_iov *iov, int n,
		      unsigned flags)
{
	struct tcp_conn *c = rl_tcp_find(st, id);
	uint32_t limit, took, total = 0;
	int err;

	if (!c)
		return -EBADF;
	err = sendable(c);
	if (err < 0)
		return err;
	limit = rl_tcp_sndbuf(st, c);
	for (int i = 0; i < n; i++) {
		uint32_t room = c->sendq.len < limit ? limit - c->sendq.len : 0;
		uint32_t want = (uint32_t)RL_MIN(iov[i].len, (size_t)room);

		took = rl_bytesq_write(&st->bytes, &c->sendq, iov[i].base, want);
		total += took;
		if (took < iov[i].len) {
			if (took < want && !total)
				return -ENOBUFS;
			break;
		}
	}
	c->snd_blocked = c->sendq.len >= limit;
	c->more = !!(flags & RILL_MSG_MORE);
	c->uncork = 0;
	if (total && (flags & RILL_MSG_OOB))
		mark_urgent(st, c);
	if (total) {
		rl_tcp_want_output(st, c);
		return total;
	}
	for (int i = 0; i < n; i++)
		if (iov[i].len)
			return -EAGAIN;
	return 0;
}

/*
 * Before there is a connection, as Linux: a listener stops when its receiving side
 * is shut, and has no other; an attempt is given up [RFC9293:3.10.4].
 */
static int shut_early(struct rill_stack *st, struct tcp_conn *c, enum rill_shut how)
{
	if (c->state == RILL_SYN_SENT) {
		rl_tcp_gone(st, c, RILL_END_GIVEN_UP, ECONNRESET);
	} else if (how != RILL_SHUT_WR) {
		rl_listener_stop(st, c);
		rl_tcp_gone(st, c, RILL_END_UNKNOWN, 0);	/* a listener has no history */
	}
	return 0;
}

int rill_tcp_shutdown(struct rill_stack *st, rill_id id, enum rill_shut how)
{
	struct tcp_conn *c = rl_tcp_find(st, id);

	if (!c)
		return -EBADF;
	if (c->state == RILL_CLOSE)
		return -ENOTCONN;
	if (c->state == RILL_LISTEN || c->state == RILL_SYN_SENT)
		return shut_early(st, c, how);
	if (how != RILL_SHUT_WR && !c->rd_shut) {
		c->rd_shut = 1;
		rl_event(st, &c->ep, RILL_IN | RILL_RDHUP | (c->fin_queued ? RILL_HUP : 0));
	}
	if (how != RILL_SHUT_RD)
		rl_tcp_half_close(st, c);
	return 0;
}

/* [RFC9293:3.10.4] FIN behind what is queued; the state changes at once. */
void rl_tcp_half_close(struct rill_stack *st, struct tcp_conn *c)
{
	if (c->fin_queued)
		return;
	switch (c->state) {
	case RILL_SYN_RECV:			/* FIN waits for the ACK of our SYN */
	case RILL_ESTABLISHED:
		c->fin_queued = 1;
		rl_tcp_set_state(st, c, RILL_FIN_WAIT1);
		break;
	case RILL_CLOSE_WAIT:
		c->fin_queued = 1;
		rl_tcp_set_state(st, c, RILL_LAST_ACK);
		break;
	}
	if (c->fin_queued) {
		rl_tcp_want_output(st, c);
		rl_event(st, &c->ep, RILL_OUT | (c->fin_rcvd || c->rd_shut ? RILL_HUP : 0));
	}
}

static bool abortive(const struct tcp_conn *c)
{
	return c->cold && c->cold->linger_s == 0;
}

static int end(struct rill_stack *st, struct tcp_conn *c, enum rill_end end)
{
	if (c->state == RILL_SYN_SENT)
		end = RILL_END_GIVEN_UP;
	rl_tcp_send_rst(st, c);
	rl_tcp_gone(st, c, end, 0);
	rl_tcp_make_orphan(st, c);		/* CLOSED: freed at once */
	return 0;
}

int rill_tcp_close(struct rill_stack *st, rill_id id)
{
	struct tcp_conn *c = rl_tcp_find(st, id);

	if (!c)
		return -EBADF;
	if (c->state == RILL_LISTEN)
		rl_listener_stop(st, c);
	if (c->state == RILL_LISTEN || c->state == RILL_SYN_SENT || c->state == RILL_CLOSE)
		return end(st, c, RILL_END_GIVEN_UP);
	if (c->rcvq.len && c->state != RILL_TIME_WAIT) {	/* [RFC9293:SHLD-3] [RFC2525-17] */
		RL_CTR(st, tcp_abort_on_close);
		return end(st, c, RILL_END_UNREAD);
	}
	if (abortive(c))
		return end(st, c, RILL_END_RST_SENT);
	if (c->state != RILL_TIME_WAIT)
		rl_tcp_half_close(st, c);
	rl_tcp_make_orphan(st, c);		/* nobody reads any more [RFC9293:MAY-1] */
	return 0;
}

int rill_tcp_abort(struct rill_stack *st, rill_id id)
{
	struct tcp_conn *c = rl_tcp_find(st, id);

	if (!c)
		return -EBADF;
	if (c->state == RILL_LISTEN)
		rl_listener_stop(st, c);
	return end(st, c, RILL_END_RST_SENT);
}

int rill_tcp_kill(struct rill_stack *st, rill_id id)
{
	struct tcp_conn *c = rl_tcp_find_any(st, id);

	if (!c)
		return -EBADF;
	if (c->state == RILL_LISTEN)
		rl_listener_stop(st, c);
	rl_tcp_send_rst(st, c);
	rl_tcp_gone(st, c, RILL_END_KILLED, ECONNABORTED);
	return 0;
}

int rill_tcp_local(struct rill_stack *st, rill_id id, struct rill_addr *a)
{
	struct tcp_conn *c = rl_tcp_find(st, id);

	if (!c)
		return -EBADF;
	*a = (struct rill_addr){ .ip = c->flow.src, .port = c->lport,
				 .ifindex = c->flow.bound_if };
	return 0;
}

int rill_tcp_peer(struct rill_stack *st, rill_id id, struct rill_addr *a)
{
	struct tcp_conn *c = rl_tcp_find(st, id);

	if (!c)
		return -EBADF;
	if (c->state == RILL_CLOSE || c->state == RILL_LISTEN || c->state == RILL_SYN_SENT)
		return -ENOTCONN;
	*a = (struct rill_addr){ .ip = c->flow.dst, .port = c->rport,
				 .ifindex = c->flow.bound_if };
	return 0;
}
