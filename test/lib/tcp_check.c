/* SPDX-License-Identifier: MIT */
/* The invariants of a stack's TCP: see tcp_check.h.  Reads, never writes. */
#include "rl_test.h"
#include "tcp/conn.h"
#include "tcp_check.h"

/* Count a check only when it fails: there are thousands of good ones. */
#define HOLDS(what, cond)							\
	do {									\
		if (!(cond))							\
			return rl_check(__FILE__, __LINE__, (what), false, #cond); \
	} while (0)

/* What the objects of a stack add up to. */
struct sums {
	uint32_t state[RILL_TCP_STATES];
	uint32_t orphans, hashed, dirty, rtx, ooo, colds, listeners;
};

static bool synchronized(const struct tcp_conn *c)
{
	return c->state != RILL_SYN_SENT && c->state != RILL_SYN_RECV &&
	       !rl_tcp_syn_in_flight(c);
}

static bool has_ended(const struct tcp_conn *c)
{
	return c->state == RILL_CLOSE || c->state == RILL_TIME_WAIT;
}

/* ---- one connection ---- */

static bool check_flight(const struct tcp_conn *c, struct sums *sum)
{
	uint32_t sacked = 0, lost = 0, retx = 0;
	const struct rtx *x, *prev = NULL;
	seq_t at = c->snd_una;

	for (x = c->rtxq.head; x; prev = x, x = x->next) {
		HOLDS("records touch", seq_eq(x->seq, at) && x->len > 0);
		HOLDS("records point back", x->prev == prev);
		HOLDS("sacked or lost", (x->flags & (RTX_SACKED | RTX_LOST)) !=
					(RTX_SACKED | RTX_LOST));
		HOLDS("repeated: lost", !(x->flags & RTX_RETX) || (x->flags & RTX_LOST));
		HOLDS("repeated: ever", !(x->flags & RTX_RETX) || (x->flags & RTX_EVER_RETX));
		HOLDS("FIN is last", !(x->flags & RTX_FIN) || !x->next);
		HOLDS("SYN is alone", !(x->flags & RTX_SYN) || (x->len == 1 && !x->next));
		at = seq_add(at, x->len);
		sacked += x->flags & RTX_SACKED ? x->len : 0;
		lost += x->flags & RTX_LOST ? x->len : 0;
		retx += x->flags & RTX_RETX ? x->len : 0;
		sum->rtx++;
	}
	HOLDS("last record", c->rtxq.tail == prev);
	HOLDS("sums", sacked == c->rtxq.sacked && lost == c->rtxq.lost && retx == c->rtxq.retx);
	HOLDS("all in flight is recorded", has_ended(c) || c->state == RILL_LISTEN ||
					   seq_eq(at, c->snd_nxt));
	HOLDS("sacked below SND.NXT", !c->rtxq.head || seq_le(c->rtxq.fack, c->snd_nxt));
	return true;
}

static bool check_queue(const struct rl_bytesq *q)
{
	uint32_t n = 0;

	for (const struct rl_chunk *k = q->head; k; k = k->next) {
		HOLDS("no empty chunk", k->len > 0);
		HOLDS("last chunk", k->next || q->tail == k);
		n += k->len;
	}
	HOLDS("bytes queued", n == q->len);
	return true;
}

static bool check_received(const struct tcp_conn *c, struct sums *sum)
{
	uint32_t n = 0;

	if (!check_queue(&c->rcvq) || !check_queue(&c->sendq))
		return false;
	for (const struct ooo *o = c->ooo; o; o = o->next) {
		HOLDS("range is not empty", o->q.len > 0);
		HOLDS("range is ahead", seq_gt(o->seq, c->rcv_nxt));
		HOLDS("gap between ranges", !o->next || seq_gt(o->next->seq,
							       seq_add(o->seq, o->q.len)));
		HOLDS("stamps are past", o->stamp <= c->ooo_stamp && o->stamp > 0);
		if (!check_queue(&o->q))
			return false;
		n++;
	}
	HOLDS("ranges counted", n == c->n_ooo);
	sum->ooo += n;
	HOLDS("nothing behind a FIN", !c->fin_rcvd || !n);
	if (synchronized(c) && !has_ended(c) && c->state != RILL_LISTEN)
		HOLDS("bytes received", (uint32_t)c->bytes_received ==
			(uint32_t)seq_diff(c->rcv_nxt, c->irs) - 1 - c->fin_rcvd);
	return true;
}

static bool check_numbers(const struct tcp_conn *c)
{
	uint32_t flight = (uint32_t)seq_diff(c->snd_nxt, c->snd_una);
	uint32_t fin = c->fin_sent && flight;

	HOLDS("SND.UNA before SND.NXT", seq_le(c->snd_una, c->snd_nxt));
	HOLDS("FIN sent after it was queued", !c->fin_sent || c->fin_queued);
	HOLDS("FIN received after it was known", !c->fin_rcvd || c->fin_known);
	HOLDS("the window is not below zero", seq_diff(c->rcv_adv, c->rcv_nxt) >= -1);
	if (!synchronized(c) || has_ended(c) || c->state == RILL_LISTEN)
		return true;
	HOLDS("payload in flight is queued", flight - fin <= c->sendq.len);
	HOLDS("FIN is behind everything", !c->fin_sent || flight - fin == c->sendq.len);
	HOLDS("bytes acknowledged", (uint32_t)c->bytes_acked ==
		(uint32_t)seq_diff(c->snd_una, c->iss) - 1 - (c->fin_sent && !flight));
	HOLDS("cwnd", c->cwnd >= c->mss && c->mss > 0);
	HOLDS("largest window", c->max_snd_wnd >= c->snd_wnd);
	HOLDS("last ACK", seq_le(c->last_ack_sent, c->rcv_nxt));
	HOLDS("one episode", !(c->in_recovery && c->in_loss));
	HOLDS("episode ahead", !(c->in_recovery || c->in_loss) || seq_gt(c->recover, c->snd_una));
	HOLDS("small segment was sent", seq_ge(c->snd_nxt, c->snd_sml));
	HOLDS("all states of a FIN", c->fin_queued == (c->state == RILL_FIN_WAIT1 ||
		c->state == RILL_FIN_WAIT2 || c->state == RILL_CLOSING ||
		c->state == RILL_LAST_ACK));
	HOLDS("FIN-WAIT-2 is acknowledged", c->state != RILL_FIN_WAIT2 || (c->fin_sent && !flight));
	HOLDS("all states of the peer's FIN", c->fin_rcvd == (c->state == RILL_CLOSE_WAIT ||
		c->state == RILL_CLOSING || c->state == RILL_LAST_ACK));
	return true;
}

/* Whatever waits has a timer or is about to be served. */
static bool check_timers(const struct tcp_conn *c)
{
	int64_t first = RL_NEVER;

	for (int t = 0; t < TMR_N; t++)
		first = RL_MIN(first, c->timer_ns[t]);
	HOLDS("the timer is the earliest", c->timer.at_ns <= first);
	HOLDS("filed when armed", (c->timer.at_ns != RL_NEVER) == (c->timer.pos != 0));
	HOLDS("data in flight has a timer", !c->rtxq.head || c->timer_ns[TMR_RTX] != RL_NEVER);
	HOLDS("no probes with data in flight", !c->rtxq.head || !c->persist);
	HOLDS("a late ACK has a timer", !c->ack_delayed || c->ack_now ||
					c->timer_ns[TMR_DELACK] != RL_NEVER);
	HOLDS("an ACK at once is under way", !c->ack_now || c->dirty);
	if (synchronized(c) && !has_ended(c) && c->state != RILL_LISTEN && !c->dirty)
		HOLDS("what waits has a timer", !c->sendq.len ||
						c->timer_ns[TMR_RTX] != RL_NEVER);
	HOLDS("keepalive was asked for", c->timer_ns[TMR_KEEP] == RL_NEVER || c->keepalive);
	HOLDS("FIN-WAIT-2 ends", !(c->orphan && c->state == RILL_FIN_WAIT2) ||
				 c->timer_ns[TMR_FINWAIT2] != RL_NEVER);
	return true;
}

/* A dead one holds nothing but what the application may still read. */
static bool check_ended(const struct tcp_conn *c)
{
	HOLDS("no timer", c->timer.at_ns == RL_NEVER);
	HOLDS("not in the table", !c->hashed);
	HOLDS("nothing to send", !c->rtxq.head && !c->sendq.len);
	HOLDS("nothing out of order", !c->ooo);
	HOLDS("no ACK", !c->ack_now && !c->ack_delayed);
	HOLDS("no port of its own", !c->ported || c->bound_port);
	HOLDS("nobody's: freed", !c->orphan);
	return true;
}

static bool is_found(struct rill_stack *st, enum rl_node_kind kind, const void *o,
		     const struct rill_ip *l, uint16_t lport, const struct rill_ip *r,
		     uint16_t rport)
{
	struct rl_found f;

	/* the members of the union are pointers to the same kind of thing: o */
	return rl_demux_find(st, l, lport, r, rport, &f) && f.kind == kind &&
	       (const void *)f.conn == o;
}

static bool check_port(struct rill_stack *st, const struct tcp_conn *c)
{
	uint32_t n = 0;

	/* its bucket: all of it is there by right, itself once or not at all */
	for (uint32_t i = st->ports.head[c->lport % RL_PORT_BUCKETS]; i;
	     i = rl_conn_at(st, i - 1)->port_next) {
		HOLDS("lives", rl_slab_live(&st->conns, i - 1));
		HOLDS("knows that it is there", rl_conn_at(st, i - 1)->ported);
		n += rl_conn_at(st, i - 1) == c;
	}
	HOLDS("in the table of ports", n == c->ported);
	return true;
}

static bool check_conn(struct rill_stack *st, const struct tcp_conn *c, struct sums *sum)
{
	sum->state[c->state]++;
	sum->orphans += c->orphan;
	sum->hashed += c->hashed;
	sum->dirty += c->dirty;
	sum->colds += c->cold != NULL;
	sum->listeners += c->lst != NULL;
	HOLDS("its own cold part", !c->cold ||
	      rl_slab_live(&st->colds, c->cold->obj.idx) == c->cold);
	HOLDS("queues of a listener", (c->lst != NULL) == (c->state == RILL_LISTEN));
	HOLDS("dirty is on the list", c->dirty == !list_empty(&c->dirty_link));
	HOLDS("events are on the list", !c->ep.event_bits == list_empty(&c->ep.event_link));
	if (c->hashed)
		HOLDS("can be found", is_found(st, RL_NODE_CONN, c, &c->flow.src, c->lport,
					       &c->flow.dst, c->rport));
	if (!check_port(st, c))
		return false;
	HOLDS("alive: in the table", has_ended(c) || c->state == RILL_LISTEN || c->hashed);
	if (has_ended(c) && !check_ended(c))
		return false;
	return check_flight(c, sum) && check_received(c, sum) && check_numbers(c) &&
	       check_timers(c);
}

/* ---- queues of the small relatives ---- */

static bool check_reqs(struct rill_stack *st)
{
	uint32_t n = 0;

	for (uint32_t k = 0; k < RL_REQ_FIFOS; k++) {
		const struct rl_fifo *f = &st->req_fifo[k];
		uint32_t prev = RL_SLAB_NONE, i, here = 0, due_ms = 0;

		for (i = f->head; i != RL_SLAB_NONE; here++) {
			const struct tcp_req *r = rl_slab_live(&st->reqs, i);

			HOLDS("half-open peer lives", r);
			HOLDS("in its queue", RL_MIN(r->retries, RL_REQ_FIFOS - 1) == k);
			HOLDS("half-open peers point back", r->prev == prev);
			HOLDS("in order", !here || (int32_t)(r->due_ms - due_ms) >= 0);
			HOLDS("has a timer", st->req_timer.at_ns / RL_MS <= st->now_ns / RL_MS +
				RL_MAX((int32_t)(r->due_ms - rl_ms(st->now_ns)), 0));
			HOLDS("half-open peer is found", is_found(st, RL_NODE_REQ, r, &r->laddr,
				r->lport, &r->raddr, r->rport));
			HOLDS("its listener listens", rl_conn_at(st, r->parent)->lst);
			due_ms = r->due_ms;
			prev = i;
			i = r->next;
		}
		HOLDS("last half-open peer", f->tail == prev);
		HOLDS("half-open peers of a queue", f->n == here);
		n += here;
	}
	HOLDS("half-open peers counted", n == st->reqs.in_use);
	return true;
}

static bool check_tws(struct rill_stack *st)
{
	const struct rl_fifo *f = &st->tw_fifo;
	uint32_t prev = RL_SLAB_NONE, i = f->head, n = 0;

	for (; i != RL_SLAB_NONE; n++) {
		const struct tcp_tw *w = rl_slab_live(&st->tws, i);

		HOLDS("TIME-WAIT lives", w);
		HOLDS("TIME-WAIT points back", w->prev == prev);
		HOLDS("TIME-WAIT is found", is_found(st, RL_NODE_TW, w, &w->laddr, w->lport,
						     &w->raddr, w->rport));
		HOLDS("TIME-WAIT has a timer", st->tw_timer.at_ns / RL_MS <=
			st->now_ns / RL_MS + RL_MAX((int32_t)(w->due_ms - rl_ms(st->now_ns)), 0));
		prev = i;
		i = w->next;
	}
	HOLDS("last TIME-WAIT", f->tail == prev);
	HOLDS("TIME-WAIT counted", f->n == n && n == st->tws.in_use);
	return true;
}

static bool check_listener(struct rill_stack *st, const struct tcp_conn *l)
{
	uint32_t n = 0, last = 0;

	for (uint32_t i = l->lst->accept_head; i; n++) {
		const struct tcp_conn *c = rl_slab_live(&st->conns, i - 1);

		HOLDS("waits for accept()", c && c->embryo);
		last = i;
		i = c->accept_next;
	}
	HOLDS("accept queue", n == l->lst->n_accept && last == l->lst->accept_tail);
	n = 0;
	for (uint32_t i = 0; i < rl_slab_end(&st->reqs); i++) {
		const struct tcp_req *r = rl_slab_live(&st->reqs, i);

		n += r && r->parent == l->obj.idx;
	}
	HOLDS("SYN queue", n == l->lst->n_req);
	return true;
}

static bool check_sums(struct rill_stack *st, const struct sums *sum)
{
	uint32_t dirty = 0;

	for (int s = 0; s < RILL_TCP_STATES; s++)
		HOLDS("connections of a state", s == RILL_TIME_WAIT ||
						sum->state[s] == st->state_n[s]);
	HOLDS("TIME-WAIT has its own count", st->state_n[RILL_TIME_WAIT] == 0);
	HOLDS("orphans", sum->orphans == st->orphans);
	HOLDS("records", sum->rtx == st->rtx.in_use);
	HOLDS("ranges", sum->ooo == st->oooq.in_use);
	HOLDS("cold parts", sum->colds == st->colds.in_use);
	HOLDS("listeners", sum->listeners == st->listeners.in_use);
	HOLDS("four-tuples", st->demux.n == sum->hashed + st->reqs.in_use + st->tws.in_use);
	for (const struct list *l = st->tcp_dirty.next; l != &st->tcp_dirty; l = l->next)
		dirty++;
	HOLDS("dirty ones", dirty == sum->dirty);
	return true;
}

bool tcp_check(struct rill_stack *st)
{
	struct sums sum = { 0 };

	for (uint32_t i = 0; i < rl_slab_end(&st->conns); i++) {
		const struct tcp_conn *c = rl_slab_live(&st->conns, i);

		if (c && !check_conn(st, c, &sum))
			return false;
		if (c && c->lst && !check_listener(st, c))
			return false;
	}
	return check_sums(st, &sum) && check_reqs(st) && check_tws(st);
}
