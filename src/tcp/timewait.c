/* SPDX-License-Identifier: MIT */
/*
 * TIME-WAIT [RFC9293:3.6.1] [RFC9293:3.10.7.4] [RFC1337-01] [RFC6191-01]: a
 * small struct holds the four-tuple, answers a repeated FIN, and lets a new
 * connection in when it can't be mistaken for the old one.  2 MSL is the same
 * for all, so a FIFO is their timer.
 */
#include "stack/id.h"
#include "tcp/conn.h"

static struct tcp_tw *tw_at(struct rill_stack *st, uint32_t idx)
{
	return rl_slab_at(&st->tws, idx);
}

static void trace(struct rill_stack *st, const struct tcp_tw *w, uint8_t from, uint8_t to)
{
	rl_tcp_trace_state(st, from, to, rl_id_make(RL_ID_TW, &w->obj), &w->laddr,
			   w->lport, &w->raddr, w->rport);
}

static void fifo_del(struct rill_stack *st, struct tcp_tw *w)
{
	struct rl_fifo *f = &st->tw_fifo;

	if (w->prev != RL_SLAB_NONE)
		tw_at(st, w->prev)->next = w->next;
	else
		f->head = w->next;
	if (w->next != RL_SLAB_NONE)
		tw_at(st, w->next)->prev = w->prev;
	else
		f->tail = w->prev;
	f->n--;
}

static void rearm(struct rill_stack *st)
{
	int64_t at_ns = RL_NEVER;

	if (st->tw_fifo.head != RL_SLAB_NONE) {
		const struct tcp_tw *w = tw_at(st, st->tw_fifo.head);

		at_ns = st->now_ns + (int32_t)(w->due_ms - rl_ms(st->now_ns)) * RL_MS;
	}
	if (at_ns != st->tw_timer.at_ns)
		rl_timerq_set(&st->timers, &st->tw_timer, at_ns);
}

/* [RFC9293:MUST-13] */
static void fifo_add(struct rill_stack *st, struct tcp_tw *w)
{
	struct rl_fifo *f = &st->tw_fifo;

	w->due_ms = rl_ms(st->now_ns) + (uint32_t)RL_CFG(st, tcp_time_wait_ms);
	w->next = RL_SLAB_NONE;
	w->prev = f->tail;
	if (f->tail != RL_SLAB_NONE)
		tw_at(st, f->tail)->next = w->obj.idx;
	else
		f->head = w->obj.idx;
	f->tail = w->obj.idx;
	if (f->n++ == 0)
		rearm(st);
}

void rl_timewait_free(struct rill_stack *st, struct tcp_tw *w)
{
	trace(st, w, RILL_TIME_WAIT, RILL_CLOSE);
	rl_history_time_wait(st, w, true);
	fifo_del(st, w);
	rl_demux_del(st, RL_NODE_TW, w->obj.idx);
	rl_slab_free(&st->tws, w);
}

void rl_timewait_timer(struct rill_stack *st)
{
	while (st->tw_fifo.head != RL_SLAB_NONE) {
		struct tcp_tw *w = tw_at(st, st->tw_fifo.head);

		if ((int32_t)(w->due_ms - rl_ms(st->now_ns)) > 0)
			break;
		RL_CTR(st, tcp_tw);
		rl_timewait_free(st, w);
	}
	rearm(st);
}

static void fill(struct rill_stack *st, struct tcp_tw *w, const struct tcp_conn *c)
{
	w->laddr = c->flow.src;
	w->raddr = c->flow.dst;
	w->lport = c->lport;
	w->rport = c->rport;
	w->snd_nxt = c->snd_nxt;
	w->rcv_nxt = c->rcv_nxt;
	w->rcv_wnd = rl_tcp_rcv_wnd(c);
	w->rcv_wscale = c->rcv_wscale;
	w->has_ts = c->opt_ts;
	w->ts_recent = c->ts_recent;
	w->ts_off = c->ts_off;
	w->ifindex = c->flow.bound_if;
	w->last_ack_ms = rl_ms(st->now_ns) - (uint32_t)RL_CFG(st, tcp_invalid_ratelimit);
}

/* @c is in TIME-WAIT; what the application has not read stays with it. */
void rl_timewait_enter(struct rill_stack *st, struct tcp_conn *c)
{
	uint64_t record = rl_history_add(st, c, RILL_END_FIN, 0);
	struct tcp_tw *w = NULL;

	if (st->tws.in_use < (uint32_t)RL_CFG(st, tcp_max_tw_buckets))
		w = rl_slab_alloc(&st->tws);
	if (!w) {
		RL_CTR(st, tcp_tw_overflow);
		rl_tcp_set_state(st, c, RILL_CLOSE);
	} else {
		fill(st, w, c);
		w->history = (uint32_t)record;
		rl_history_time_wait(st, w, false);
		rl_demux_del(st, RL_NODE_CONN, c->obj.idx);
		c->hashed = 0;
		rl_demux_add(st, RL_NODE_TW, w->obj.idx);	/* the slot just freed */
		fifo_add(st, w);
	}
	rl_tcp_gone(st, c, RILL_END_FIN, 0);
}

/* [RFC6191-01]..[RFC6191-05] [RFC9293:MAY-2] [RFC9293:SHLD-4] */
static bool new_connection(const struct tcp_tw *w, const struct seg *s)
{
	int32_t newer = (int32_t)(s->o.ts_val - w->ts_recent);

	if (w->has_ts && s->o.has_ts)
		/* [RFC6191-02] */
		return newer > 0 || (newer == 0 && seq_gt(s->seq, w->rcv_nxt));
	if (!w->has_ts && s->o.has_ts) /* [RFC6191-04] */
		return true;
	return seq_gt(s->seq, w->rcv_nxt); /* [RFC6191-03] */
}

static enum rl_drop syn(struct rill_stack *st, struct tcp_tw *w, struct seg *s)
{
	seq_t min_iss = seq_add(w->snd_nxt, 65537);	/* beyond what the old one could send */
	struct tcp_conn *l = rl_listener_find(st, &s->p->dst, s->h.dport, &s->p->src,
					      s->h.sport, s->p->ifindex);

	/* silently [RFC6191-06]; with a FIN no listener takes it either */
	if (!l || (s->flags & TH_FIN) || !new_connection(w, s))
		return RL_DROP_TW_OLD;
	if (!rl_tcp_ttl_ok(l, s->p))
		return RL_DROP_MIN_TTL;
	RL_CTR(st, tcp_tw_recycled);
	rl_timewait_free(st, w);
	return rl_req_new(st, l, s, &min_iss);
}

static void answer(struct rill_stack *st, struct tcp_tw *w)
{
	uint32_t now_ms = rl_ms(st->now_ns);

	if (now_ms - w->last_ack_ms < (uint32_t)RL_CFG(st, tcp_invalid_ratelimit)) {
		RL_CTR(st, tcp_ack_skipped);
		return;
	}
	w->last_ack_ms = now_ms;
	rl_tcp_send_tw_ack(st, w);
}

/* The peer's FIN again: its number is used up, so it fails the sequence test. */
static bool repeated_fin(const struct tcp_tw *w, const struct seg *s)
{
	return (s->flags & TH_FIN) &&
	       seq_eq(seq_add(s->seq, s->len + 1), w->rcv_nxt);
}

enum rl_drop rl_tcp_arrives_timewait(struct rill_stack *st, struct tcp_tw *w, struct seg *s)
{
	if (s->flags & TH_RST) {		/* [RFC1337-01] */
		if (!RL_CFG(st, tcp_rfc1337) && seq_eq(s->seq, w->rcv_nxt)) {
			rl_timewait_free(st, w);
			return RL_DROP_RST;
		}
		return RL_DROP_TW_RST;
	}
	if ((s->flags & TH_SYN) && !(s->flags & TH_ACK))
		return syn(st, w, s);
	if (!(s->flags & TH_ACK))
		return RL_DROP_NO_ACK;
	if (repeated_fin(w, s)) {		/* our ACK was lost: again, 2 MSL anew */
		fifo_del(st, w);
		fifo_add(st, w);
		rl_tcp_send_tw_ack(st, w);
		return RL_DROP_TW_OLD;
	}
	/* an old duplicate is answered, an ACK is not [RFC1337-02] */
	if (seg_len(s) || !seq_eq(s->seq, w->rcv_nxt) || seq_gt(s->ack, w->snd_nxt))
		answer(st, w);
	return RL_DROP_TW_OLD;
}
