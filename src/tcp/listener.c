/* SPDX-License-Identifier: MIT */
/*
 * A listener's two queues [Linux's listen(2)]: half-open peers (req.c) and
 * finished connections that wait for accept().  The handshake completes without
 * accept(); each queue has its limit.
 */
#include <errno.h>

#include "tcp/conn.h"

int rl_listener_start(struct rill_stack *st, struct tcp_conn *c, int backlog)
{
	uint32_t max = (uint32_t)RL_CFG(st, somaxconn);

	/* as Linux: a negative backlog is a very large one */
	if (c->lst) {
		c->lst->backlog = RL_MIN((uint32_t)backlog, max);
		return 0;
	}
	c->lst = rl_slab_alloc(&st->listeners);
	if (!c->lst)
		return -ENOMEM;
	c->lst->backlog = RL_MIN((uint32_t)backlog, max);
	rl_tcp_set_state(st, c, RILL_LISTEN);
	return 0;
}

bool rl_listener_full(const struct tcp_conn *l)
{
	return l->lst->n_accept > l->lst->backlog;	/* Linux's ">" */
}

uint32_t rl_listener_syn_max(const struct rill_stack *st, const struct tcp_conn *l)
{
	return RL_MIN(RL_MAX(l->lst->backlog, 1), (uint32_t)RL_CFG(st, tcp_max_syn_backlog));
}

void rl_listener_queue(struct rill_stack *st, struct tcp_conn *l, struct tcp_conn *child)
{
	struct tcp_listener *q = l->lst;

	child->embryo = 1;
	child->accept_next = 0;
	if (q->accept_tail)
		rl_conn_at(st, q->accept_tail - 1)->accept_next = child->obj.idx + 1;
	else
		q->accept_head = child->obj.idx + 1;
	q->accept_tail = child->obj.idx + 1;
	q->n_accept++;
	RL_CTR(st, tcp_passive_opens);
	rl_event(st, &l->ep, RILL_IN);
}

struct tcp_conn *rl_listener_take(struct rill_stack *st, struct tcp_conn *l)
{
	struct tcp_listener *q = l->lst;
	struct tcp_conn *c;

	if (!q->accept_head)
		return NULL;
	c = rl_conn_at(st, q->accept_head - 1);
	q->accept_head = c->accept_next;
	if (!q->accept_head)
		q->accept_tail = 0;
	q->n_accept--;
	c->embryo = 0;
	return c;
}

void rl_listener_stop(struct rill_stack *st, struct tcp_conn *c)
{
	struct tcp_conn *child;

	rl_req_drop_all(st, c);
	while ((child = rl_listener_take(st, c))) {
		uint32_t idx = child->obj.idx;

		rl_tcp_send_rst(st, child);
		rl_tcp_make_orphan(st, child);
		/* freed already when it was closed before */
		child = rl_slab_live(&st->conns, idx);
		if (child && child->orphan && child->state != RILL_CLOSE)
			rl_tcp_gone(st, child, RILL_END_NOT_ACCEPTED, 0);
	}
	rl_slab_free(&st->listeners, c->lst);
	c->lst = NULL;
}

/* [RFC9293:3.10.7.2] LISTEN: first RST, second ACK, third SYN, fourth the rest. */
enum rl_drop rl_tcp_arrives_listen(struct rill_stack *st, struct tcp_conn *l, struct seg *s)
{
	if (s->flags & TH_RST)
		return RL_DROP_LISTEN_RST;
	if (s->flags & TH_ACK) {
		rl_tcp_reply_rst(st, s);
		return RL_DROP_LISTEN_ACK;
	}
	if (!(s->flags & TH_SYN))
		return RL_DROP_LISTEN_NO_SYN;
	if (s->flags & TH_FIN)			/* never of an honest peer; as Linux */
		return RL_DROP_LISTEN_SYN_FIN;
	return rl_req_new(st, l, s, NULL);
}
