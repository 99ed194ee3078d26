/* SPDX-License-Identifier: MIT */
/*
 * The life of a control block [RFC9293:3.3]: birth, the only writer of its
 * state, death.  Invariant: a connection is freed when the application has
 * given it up (orphan) and it is CLOSED; whichever comes last frees it.
 */
#include <errno.h>

#include "stack/id.h"
#include "tcp/conn.h"

#define BIT(s)	(1u << (s))

/*
 * RFC 9293 figure 5 as a bit matrix, a row for each state one can leave.  Added
 * to the drawn arrows are the ends by reset, timeout and abort, which the figure
 * leaves out and its text has [RFC9293:3.10.5] [RFC9293:3.10.7.4].
 */
static const uint16_t arrows[RILL_TCP_STATES] = {
	[RILL_CLOSE]	   = BIT(RILL_LISTEN) | BIT(RILL_SYN_SENT),
	[RILL_LISTEN]	   = BIT(RILL_SYN_RECV) | BIT(RILL_SYN_SENT) | BIT(RILL_CLOSE),
	[RILL_SYN_SENT]	   = BIT(RILL_SYN_RECV) | BIT(RILL_ESTABLISHED) |
			     BIT(RILL_CLOSE),
	[RILL_SYN_RECV]	   = BIT(RILL_ESTABLISHED) | BIT(RILL_FIN_WAIT1) |
			     BIT(RILL_LISTEN) | BIT(RILL_CLOSE),
	[RILL_ESTABLISHED] = BIT(RILL_FIN_WAIT1) | BIT(RILL_CLOSE_WAIT) |
			     BIT(RILL_CLOSE),
	[RILL_FIN_WAIT1]   = BIT(RILL_FIN_WAIT2) | BIT(RILL_CLOSING) |
			     BIT(RILL_TIME_WAIT) | BIT(RILL_CLOSE),
	[RILL_FIN_WAIT2]   = BIT(RILL_TIME_WAIT) | BIT(RILL_CLOSE),
	[RILL_CLOSE_WAIT]  = BIT(RILL_LAST_ACK) | BIT(RILL_CLOSE),
	[RILL_CLOSING]	   = BIT(RILL_TIME_WAIT) | BIT(RILL_CLOSE),
	[RILL_LAST_ACK]	   = BIT(RILL_CLOSE),
	[RILL_TIME_WAIT]   = BIT(RILL_CLOSE),
};

bool rl_tcp_legal(uint8_t from, uint8_t to)
{
	return from < RILL_TCP_STATES && to < RILL_TCP_STATES &&
	       (arrows[from] & BIT(to));
}

void rl_tcp_trace_state(struct rill_stack *st, uint8_t from, uint8_t to, rill_id id,
			const struct rill_ip *laddr, uint16_t lport,
			const struct rill_ip *raddr, uint16_t rport)
{
	struct rill_trace *t = rl_trace_slot(&st->obs);

	if (!t)
		return;
	*t = (struct rill_trace){
		.at_ns = st->now_ns, .kind = RILL_TR_STATE, .a = from, .b = to,
		.id = id, .local = { .ip = *laddr, .port = lport },
		.peer = { .ip = *raddr, .port = rport },
	};
}

bool rl_tcp_set_state(struct rill_stack *st, struct tcp_conn *c, uint8_t to)
{
	uint8_t from = c->state;

	if (!rl_tcp_legal(from, to))
		return false;
	if (from != RILL_TIME_WAIT)	/* that is counted by its own struct */
		st->state_n[from]--;
	if (to != RILL_TIME_WAIT)
		st->state_n[to]++;
	rl_history_book(st, c, from, to);
	c->state = to;
	c->state_ns = st->now_ns;
	rl_tcp_trace_state(st, from, to, rl_tcp_id(c), &c->flow.src, c->lport,
			   &c->flow.dst, c->rport);
	if (to == RILL_SYN_SENT)
		RL_CTR(st, tcp_active_opens);
	if (to == RILL_CLOSE && (from == RILL_SYN_SENT || from == RILL_SYN_RECV))
		RL_CTR(st, tcp_attempt_fails);
	if (to == RILL_CLOSE && (from == RILL_ESTABLISHED || from == RILL_CLOSE_WAIT))
		RL_CTR(st, tcp_estab_resets);
	return true;
}

rill_id rl_tcp_id(const struct tcp_conn *c)
{
	return rl_id_make(RL_ID_TCP, &c->obj);
}

struct tcp_conn *rl_tcp_find_any(struct rill_stack *st, rill_id id)
{
	struct tcp_conn *c;

	if (rl_id_kind(id) != RL_ID_TCP)
		return NULL;
	c = rl_slab_find(&st->conns, rl_id_idx(id), rl_id_gen(id));
	/* one that waits for accept() is nobody's yet: its queue counts on it */
	return c && !c->embryo ? c : NULL;
}

struct tcp_conn *rl_tcp_find(struct rill_stack *st, rill_id id)
{
	struct tcp_conn *c = rl_tcp_find_any(st, id);

	return c && !c->orphan ? c : NULL;
}

static void set_defaults(struct rill_stack *st, struct tcp_conn *c, uint64_t user)
{
	list_init(&c->dirty_link);
	list_init(&c->ep.event_link);
	c->ep.user = user;
	c->ep.proto = RL_PROTO_TCP;
	c->flow.proto = RL_PROTO_TCP;
	c->flow.df = !RL_CFG(st, ip_no_pmtu_disc); /* [RFC7323-24] [RFC1191-08] */
	c->pmtudisc = c->flow.df;
	c->rcvbuf = (uint32_t)st->cfg.tcp_rmem[1];
	c->sndbuf = (uint32_t)st->cfg.tcp_wmem[1];
	c->cc = st->cfg.tcp_cc;
	c->timer.kind = RL_TIMER_CONN;
	c->timer.at_ns = RL_NEVER;
	for (int t = 0; t < TMR_N; t++)
		c->timer_ns[t] = RL_NEVER;
	c->state = RILL_CLOSE;
	c->state_ns = st->now_ns;
	c->last_challenge_ns = INT64_MIN / 2;
	st->state_n[RILL_CLOSE]++;
}

struct tcp_conn *rl_tcp_new(struct rill_stack *st, uint64_t user)
{
	struct tcp_conn *c;

	if (rl_timerq_reserve(&st->timers) < 0)
		return NULL;
	c = rl_slab_alloc(&st->conns);
	if (!c) {
		rl_timerq_release(&st->timers);
		return NULL;
	}
	set_defaults(st, c, user);
	return c;
}

struct tcp_conn *rl_tcp_new_child(struct rill_stack *st)
{
	struct tcp_conn *c = rl_tcp_new(st, 0);

	if (!c)
		return NULL;
	st->state_n[RILL_CLOSE]--;		/* its tcp_req made the transition */
	st->state_n[RILL_SYN_RECV]++;
	c->state = RILL_SYN_RECV;
	return c;
}

struct tcp_cold *rl_tcp_cold(struct rill_stack *st, struct tcp_conn *c)
{
	if (!c->cold) {
		c->cold = rl_slab_alloc(&st->colds);
		if (c->cold)
			c->cold->linger_s = -1;
	}
	return c->cold;
}

static void drop_queues(struct rill_stack *st, struct tcp_conn *c)
{
	rl_bytesq_clear(&st->bytes, &c->sendq);
	rl_rtxq_clear(st, c);
	rl_tcp_ooo_clear(st, c);
}

static void unhook(struct rill_stack *st, struct tcp_conn *c)
{
	if (c->hashed)
		rl_demux_del(st, RL_NODE_CONN, c->obj.idx);
	c->hashed = 0;
	if (c->ported && !c->bound_port)
		rl_ports_del(st, c);
	if (c->dirty)
		list_del(&c->dirty_link);
	c->dirty = 0;
}

void rl_tcp_gone(struct rill_stack *st, struct tcp_conn *c, enum rill_end end, int err)
{
	if (c->state != RILL_CLOSE && c->state != RILL_TIME_WAIT) {
		if (c->state != RILL_LISTEN)
			rl_history_add(st, c, end, err);
		rl_tcp_set_state(st, c, RILL_CLOSE);
	}
	rl_timers_stop(st, c);
	drop_queues(st, c);
	unhook(st, c);
	c->ack_now = c->ack_delayed = 0;
	if (err && !c->err)
		c->err = (int16_t)err;
	if (c->orphan) {
		rl_tcp_free(st, c);
		return;
	}
	rl_event(st, &c->ep, RILL_IN | RILL_OUT | RILL_HUP | RILL_RDHUP |
			     (err ? RILL_ERR : 0));
}

void rl_tcp_free(struct rill_stack *st, struct tcp_conn *c)
{
	if (c->orphan)
		st->orphans--;
	if (c->state != RILL_TIME_WAIT)	/* such a shell is not counted */
		st->state_n[c->state]--;
	rl_timers_stop(st, c);
	drop_queues(st, c);
	rl_bytesq_clear(&st->bytes, &c->rcvq);
	c->bound_port = 0;
	unhook(st, c);
	if (c->ep.event_bits)
		list_del(&c->ep.event_link);
	if (c->cold)
		rl_slab_free(&st->colds, c->cold);
	rl_slab_free(&st->conns, c);
	rl_timerq_release(&st->timers);
}

/* Memory and orphans are bounded: the one too many is reset, as on Linux. */
void rl_tcp_make_orphan(struct rill_stack *st, struct tcp_conn *c)
{
	c->orphan = 1;
	st->orphans++;
	if (c->ep.event_bits) {
		list_del(&c->ep.event_link);
		c->ep.event_bits = 0;
	}
	rl_bytesq_clear(&st->bytes, &c->rcvq);
	if (c->state == RILL_CLOSE || c->state == RILL_TIME_WAIT) {
		rl_tcp_free(st, c);
		return;
	}
	if (st->orphans > (uint32_t)RL_CFG(st, tcp_max_orphans)) {
		RL_CTR(st, tcp_abort_on_memory);
		rl_tcp_send_rst(st, c);
		rl_tcp_gone(st, c, RILL_END_ORPHANS, 0);
		return;
	}
	if (c->state == RILL_FIN_WAIT2 && !rl_timers_on_finwait2(st, c))
		rl_tcp_gone(st, c, RILL_END_FIN_WAIT_2, 0);
}
