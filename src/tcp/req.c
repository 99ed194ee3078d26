/* SPDX-License-Identifier: MIT */
/*
 * Half-open peers: SYN-RECEIVED of a passive open [RFC9293:3.10.7.2]
 * [RFC4987-01].  A small struct without buffers or a timer of its own: all that
 * had the same number of retransmissions wait equally long, so a FIFO for each
 * number keeps them in order.
 */
#include "stack/id.h"
#include "tcp/conn.h"

static struct rl_fifo *fifo_of(struct rill_stack *st, const struct tcp_req *r)
{
	return &st->req_fifo[RL_MIN(r->retries, RL_REQ_FIFOS - 1)];
}

static void fifo_del(struct rill_stack *st, struct tcp_req *r)
{
	struct rl_fifo *f = fifo_of(st, r);

	if (r->prev != RL_SLAB_NONE)
		((struct tcp_req *)rl_slab_at(&st->reqs, r->prev))->next = r->next;
	else
		f->head = r->next;
	if (r->next != RL_SLAB_NONE)
		((struct tcp_req *)rl_slab_at(&st->reqs, r->next))->prev = r->prev;
	else
		f->tail = r->prev;
	f->n--;
}

static void rearm(struct rill_stack *st)
{
	int64_t at_ns = RL_NEVER;

	for (int k = 0; k < RL_REQ_FIFOS; k++) {
		const struct tcp_req *r;
		int64_t due_ns;

		if (st->req_fifo[k].head == RL_SLAB_NONE)
			continue;
		r = rl_slab_at(&st->reqs, st->req_fifo[k].head);
		due_ns = st->now_ns + (int32_t)(r->due_ms - rl_ms(st->now_ns)) * RL_MS;
		at_ns = RL_MIN(at_ns, due_ns);
	}
	if (at_ns != st->req_timer.at_ns)
		rl_timerq_set(&st->timers, &st->req_timer, at_ns);
}

/* One second, doubled each time [RFC6298-01] [RFC6298-14]. */
static void fifo_add(struct rill_stack *st, struct tcp_req *r)
{
	struct rl_fifo *f = fifo_of(st, r);
	uint32_t wait_ms = RL_MIN(1000u << RL_MIN(r->retries, 7),
				  (uint32_t)RL_CFG(st, tcp_rto_max_ms));

	r->due_ms = rl_ms(st->now_ns) + wait_ms;
	r->next = RL_SLAB_NONE;
	r->prev = f->tail;
	if (f->tail != RL_SLAB_NONE)
		((struct tcp_req *)rl_slab_at(&st->reqs, f->tail))->next = r->obj.idx;
	else
		f->head = r->obj.idx;
	f->tail = r->obj.idx;
	if (f->n++ == 0)
		rearm(st);
}

static void trace(struct rill_stack *st, const struct tcp_req *r, uint8_t from, uint8_t to)
{
	rl_tcp_trace_state(st, from, to, rl_id_make(RL_ID_REQ, &r->obj), &r->laddr,
			   r->lport, &r->raddr, r->rport);
}

/* The peer never became a connection. */
static void give_up(struct rill_stack *st, struct tcp_req *r)
{
	trace(st, r, RILL_SYN_RECV, RILL_LISTEN);	/* [RFC9293:MUST-11] */
	RL_CTR(st, tcp_attempt_fails);
	rl_req_free(st, r);
}

void rl_req_free(struct rill_stack *st, struct tcp_req *r)
{
	struct tcp_conn *l = rl_conn_at(st, r->parent);

	l->lst->n_req--;
	fifo_del(st, r);
	rl_demux_del(st, RL_NODE_REQ, r->obj.idx);
	rl_slab_free(&st->reqs, r);
}

/*
 * Because time is up or because the peer repeats its SYN: either way the wait begins
 * anew and is longer [RFC6298-09], and the ACK won't tell which copy it is for
 * [RFC6298-06].  The limit holds for both, or a peer could stay half-open for ever.
 */
static void send_again(struct rill_stack *st, struct tcp_req *r)
{
	if (r->retries < RL_MAX(RL_CFG(st, tcp_synack_retries), 1)) {
		fifo_del(st, r);
		r->retries++;
		fifo_add(st, r);
	}
	RL_CTR(st, tcp_syn_retrans);
	r->sent_ns = st->now_ns;
	rl_tcp_send_synack(st, r);
}

void rl_req_timer(struct rill_stack *st)
{
	for (int k = 0; k < RL_REQ_FIFOS; k++) {
		while (st->req_fifo[k].head != RL_SLAB_NONE) {
			struct tcp_req *r = rl_slab_at(&st->reqs, st->req_fifo[k].head);

			if ((int32_t)(r->due_ms - rl_ms(st->now_ns)) > 0)
				break;
			if (r->retries >= RL_CFG(st, tcp_synack_retries)) {
				give_up(st, r);
				continue;
			}
			send_again(st, r);
		}
	}
	rearm(st);
}

void rl_req_drop_all(struct rill_stack *st, struct tcp_conn *l)
{
	for (uint32_t i = 0; l->lst->n_req && i < rl_slab_end(&st->reqs); i++) {
		struct tcp_req *r = rl_slab_live(&st->reqs, i);

		if (r && r->parent == l->obj.idx)
			give_up(st, r);
	}
}

static void fill(struct rill_stack *st, struct tcp_req *r, const struct tcp_conn *l,
		 const struct seg *s)
{
	const struct rill_pkt *p = s->p;

	r->laddr = p->dst;
	r->raddr = p->src;
	r->lport = s->h.dport;
	r->rport = s->h.sport;
	/* a scoped or bound listener answers where the SYN came from */
	if (!(p->flags & RL_PKT_LOOPED) && (l->flow.bound_if || rl_ip_is_linklocal(&p->src)))
		r->ifindex = p->ifindex;
	r->parent = l->obj.idx;
	r->irs = s->seq;
	r->mss = s->o.mss ? s->o.mss : rl_ip_is4(&p->src) ? 536 : 1220;
	r->mss = RL_MAX(r->mss, (uint16_t)RL_CFG(st, tcp_min_snd_mss));
	r->win = rl_tcp_syn_window(l);
	r->has_ts = s->o.has_ts && RL_CFG(st, tcp_timestamps);	/* [RFC7323-11] */
	r->has_sack = s->o.sack_ok && RL_CFG(st, tcp_sack);
	r->has_ws = s->o.has_wscale && RL_CFG(st, tcp_window_scaling);
	r->wscale = r->has_ws ? s->o.wscale : 0;
	r->rcv_wscale = r->has_ws ? rl_tcp_pick_wscale(st, l) : 0;
	r->ts_recent = s->o.ts_val;
	r->ts_off = rl_tcp_ts_offset(st, &r->laddr, &r->raddr);
	r->iss = rl_tcp_isn(st, &r->laddr, r->lport, &r->raddr, r->rport);
	r->sent_ns = st->now_ns;
	r->born_ms = rl_ms(st->now_ns);
	r->last_ack_ms = rl_ms(st->now_ns) - (uint32_t)RL_CFG(st, tcp_invalid_ratelimit);
}

enum rl_drop rl_req_new(struct rill_stack *st, struct tcp_conn *l, const struct seg *s,
			const seq_t *min_iss)
{
	struct tcp_req *r;

	if (rl_listener_full(l)) {
		RL_CTR(st, tcp_listen_overflows);
		RL_CTR(st, tcp_listen_drops);
		l->lst->overflows++;
		l->lst->syn_drops++;
		return RL_DROP_ACCEPT_QUEUE_FULL;
	}
	if (l->lst->n_req >= rl_listener_syn_max(st, l)) {
		RL_CTR(st, tcp_req_q_full_drop);
		RL_CTR(st, tcp_listen_drops);
		l->lst->syn_drops++;
		return RL_DROP_SYN_QUEUE_FULL;
	}
	r = rl_slab_alloc(&st->reqs);
	if (!r)
		return RL_DROP_NO_MEMORY;
	fill(st, r, l, s);
	if (min_iss && seq_lt(r->iss, *min_iss))
		r->iss = *min_iss;
	if (rl_demux_add(st, RL_NODE_REQ, r->obj.idx) < 0) {
		rl_slab_free(&st->reqs, r);
		return RL_DROP_NO_MEMORY;
	}
	l->lst->n_req++;
	fifo_add(st, r);
	trace(st, r, RILL_LISTEN, RILL_SYN_RECV);
	rl_tcp_send_synack(st, r);
	return RL_DROP_NONE;
}

/* ACK of SND.NXT, for what does not fit; not more often than the limit allows. */
static void challenge(struct rill_stack *st, struct tcp_req *r)
{
	struct tcp_tw as = {
		.laddr = r->laddr, .raddr = r->raddr, .lport = r->lport, .rport = r->rport,
		.snd_nxt = seq_add(r->iss, 1), .rcv_nxt = seq_add(r->irs, 1),
		.rcv_wnd = r->win, .rcv_wscale = r->rcv_wscale, .has_ts = r->has_ts,
		.ts_recent = r->ts_recent, .ts_off = r->ts_off, .ifindex = r->ifindex,
	};
	uint32_t now_ms = rl_ms(st->now_ns);

	if (now_ms - r->last_ack_ms < (uint32_t)RL_CFG(st, tcp_invalid_ratelimit)) {
		RL_CTR(st, tcp_ack_skipped);
		return;
	}
	r->last_ack_ms = now_ms;
	RL_CTR(st, tcp_challenge_ack);
	rl_tcp_send_tw_ack(st, &as);
}

/* What the listener's options and both SYNs decided. */
static void inherit(struct rill_stack *st, struct tcp_conn *c, const struct tcp_conn *l,
		    const struct tcp_req *r)
{
	c->flow.src = r->laddr;
	c->flow.dst = r->raddr;
	c->flow.bound_if = r->ifindex;
	c->flow.tos = l->flow.tos;
	c->flow.ttl = l->flow.ttl;
	c->flow.df = l->flow.df;
	c->pmtudisc = l->pmtudisc;
	c->lport = r->lport;
	c->rport = r->rport;
	c->nodelay = l->nodelay;
	c->cork = l->cork;
	c->keepalive = l->keepalive;
	c->oobinline = l->oobinline;
	c->reuseaddr = l->reuseaddr;
	c->reuseport = l->reuseport;
	c->v6only = l->v6only;
	c->rcvbuf = l->rcvbuf;
	c->sndbuf = l->sndbuf;
	c->rcvbuf_set = l->rcvbuf_set;
	c->sndbuf_set = l->sndbuf_set;
	c->cc = l->cc;
	c->mss_peer = r->mss;
	c->opt_ts = r->has_ts;
	c->opt_sack = r->has_sack;
	c->opt_ws = r->has_ws;
	c->snd_wscale = r->wscale;
	c->rcv_wscale = r->rcv_wscale;
	c->ts_recent = r->ts_recent;
	c->ts_recent_ns = st->now_ns;
	c->ts_off = r->ts_off;
	c->hs_retx = RL_MIN(r->retries, 3);
	c->segs_in = 2;				/* SYN and the ACK at hand */
	c->segs_out = 1u + r->retries;
}

static void number(struct rill_stack *st, struct tcp_conn *c, const struct tcp_req *r)
{
	c->iss = r->iss;
	c->snd_una = r->iss;			/* our SYN is not acknowledged yet */
	c->snd_nxt = c->snd_sml = c->recover = seq_add(r->iss, 1);
	c->irs = r->irs;
	c->rcv_nxt = c->last_ack_sent = seq_add(r->irs, 1);
	c->rcv_adv = seq_add(c->rcv_nxt, r->win);
	c->ssthresh = UINT32_MAX;
	c->quickacks = 16;
	c->last_rcv_ns = c->chrono_ns = st->now_ns;
	rl_tcp_set_mss(st, c);
	c->mss_adv = rl_tcp_adv_mss(st, &c->flow, c->cold ? c->cold->maxseg : 0);
	c->rcv_mss = RL_MIN(c->mss, 536u);
	rl_rtt_init(st, c);
	if (!r->retries)			/* Karn [RFC6298-06] */
		rl_rtt_sample(st, c, st->now_ns - r->sent_ns);
	rl_rtt_after_handshake(st, c);
}

/* The half-open peer becomes a connection in the same slot of the table. */
static struct tcp_conn *promote(struct rill_stack *st, struct tcp_conn *l, struct tcp_req *r)
{
	struct tcp_conn *c = rl_tcp_new_child(st);

	if (!c)
		return NULL;
	if (l->cold) {
		struct rl_obj obj;

		if (!rl_tcp_cold(st, c)) {
			rl_tcp_free(st, c);
			return NULL;
		}
		obj = c->cold->obj;
		*c->cold = *l->cold;
		c->cold->obj = obj;
	}
	inherit(st, c, l, r);
	number(st, c, r);
	c->state_ns = r->retries ? st->now_ns - (rl_ms(st->now_ns) - r->born_ms) * RL_MS
				 : r->sent_ns;	/* more exactly */
	rl_history_begin(c, c->state_ns);
	rl_req_free(st, r);
	rl_demux_add(st, RL_NODE_CONN, c->obj.idx);	/* takes the place just freed */
	c->hashed = 1;
	return c;
}

/* Step five: the ACK of our SYN; the same segment goes on to step six. */
static enum rl_drop complete(struct rill_stack *st, struct tcp_req *r, struct seg *s)
{
	struct tcp_conn *l = rl_conn_at(st, r->parent), *c;

	if (rl_listener_full(l)) {
		RL_CTR(st, tcp_listen_overflows);
		RL_CTR(st, tcp_listen_drops);
		l->lst->overflows++;
		if (RL_CFG(st, tcp_abort_on_overflow)) {
			rl_tcp_reply_rst(st, s);
			give_up(st, r);
		}
		return RL_DROP_ACCEPT_QUEUE_FULL;
	}
	c = promote(st, l, r);
	if (!c)
		return RL_DROP_NO_MEMORY;
	rl_listener_queue(st, l, c);
	return rl_tcp_arrives_other(st, c, s);
}

static enum rl_drop outside(struct rill_stack *st, struct tcp_req *r, const struct seg *s)
{
	if (s->flags & TH_RST)
		return RL_DROP_RST_OUTSIDE;
	/* our SYN+ACK was lost: the peer repeats its SYN */
	if ((s->flags & TH_SYN) && !(s->flags & TH_ACK) && seq_eq(s->seq, r->irs)) {
		send_again(st, r);
		return RL_DROP_SEQ_OLD;
	}
	challenge(st, r);
	return seq_le(s->seq, r->irs) ? RL_DROP_SEQ_OLD : RL_DROP_SEQ_BEYOND;
}

/* [RFC9293:3.10.7.4] for SYN-RECEIVED after a passive open. */
enum rl_drop rl_tcp_arrives_req(struct rill_stack *st, struct tcp_req *r, struct seg *s)
{
	seq_t rcv_nxt = seq_add(r->irs, 1);

	if (r->has_ts && s->o.has_ts && !(s->flags & TH_RST) &&
	    (int32_t)(s->o.ts_val - r->ts_recent) < 0) {
		RL_CTR(st, tcp_paws_estab);
		challenge(st, r);
		return RL_DROP_PAWS;
	}
	if (!rl_seq_acceptable(s, rcv_nxt, r->win))
		return outside(st, r, s);
	if (s->flags & TH_RST) {
		if (!seq_eq(s->seq, rcv_nxt)) {
			challenge(st, r);
			return RL_DROP_CHALLENGED;
		}
		RL_CTR(st, tcp_embryonic_rsts);
		give_up(st, r);			/* back to LISTEN [RFC9293:MUST-11] */
		return RL_DROP_RST;
	}
	if (s->flags & TH_SYN) {		/* not synchronized yet: back to LISTEN */
		give_up(st, r);
		return RL_DROP_CHALLENGED;
	}
	if (!(s->flags & TH_ACK))
		return RL_DROP_NO_ACK;
	if (!seq_eq(s->ack, seq_add(r->iss, 1))) {
		rl_tcp_reply_rst(st, s);
		return RL_DROP_REQ_BAD_ACK;
	}
	if (s->o.has_ts && seq_le(s->seq, rcv_nxt))
		r->ts_recent = s->o.ts_val;
	return complete(st, r, s);
}
