/* SPDX-License-Identifier: MIT */
/*
 * A segment arrives in a state from SYN-RECEIVED (opened actively) to LAST-ACK
 * [RFC9293:3.10.7.4]: eight checks in the RFC's order, a function each.
 *
 * Steps read and update the connection; what must leave it is noted in fx and
 * done once, by finish(), so that there is one place that answers.
 */
#include <errno.h>

#include "tcp/conn.h"

enum verdict { DONE, NEXT };

struct arrival {
	struct rill_stack	*st;
	struct tcp_conn		*c;
	struct seg		*s;	/* step 1 trims it to the window */
	enum rl_drop		 why;	/* set by the step that ends processing */
	int			 err;	/* with gone: errno for the application */
	enum rill_end		 end;	/* with gone: how it ends */
	bool			 ts;	/* its timestamp is to be echoed, if its ACK holds */
	struct { bool ack, challenge, rst, gone; } fx;
};

static enum verdict drop(struct arrival *a, enum rl_drop why)
{
	a->why = why;
	return DONE;
}

/*
 * [RFC7323-19] [RFC7323-22] A timestamp that went back, unless the last one is
 * too old to tell.  RST is exempt [RFC7323-20].
 */
static bool paws_refuses(const struct arrival *a)
{
	const struct tcp_conn *c = a->c;

	if (!c->opt_ts || !a->s->o.has_ts || (a->s->flags & TH_RST)) /* [RFC7323-15] */
		return false;
	if ((int32_t)(a->s->o.ts_val - c->ts_recent) >= 0)
		return false;
	return a->st->now_ns - c->ts_recent_ns < 24 * 24 * 3600 * RL_SEC;
}

/* [RFC7323-18]: of the segment that the next ACK will answer */
static bool has_new_timestamp(const struct arrival *a)
{
	const struct tcp_conn *c = a->c;

	return c->opt_ts && a->s->o.has_ts && seq_le(a->s->seq, c->last_ack_sent) &&
	       !(a->s->flags & TH_RST);
}

/*
 * Only once the ACK is known to be good: a blind segment somewhere in the window
 * could otherwise raise TS.Recent, and PAWS would refuse the peer's own.
 */
static void keep_timestamp(struct arrival *a)
{
	if (!a->ts)
		return;
	a->c->ts_recent = a->s->o.ts_val;
	a->c->ts_recent_ns = a->st->now_ns;
}

/* Cut off what is outside the window [RFC9293:lc-10]. */
static void trim(struct arrival *a)
{
	struct tcp_conn *c = a->c;
	struct seg *s = a->s;
	seq_t right = seq_add(c->rcv_nxt, rl_tcp_rcv_wnd(c));
	int32_t n = seq_diff(c->rcv_nxt, s->seq);

	if (n > 0) {
		rl_tcp_note_dup(a->st, c, s->seq, c->rcv_nxt);
		if (s->flags & TH_SYN) {	/* step 4 judges it by its flag */
			s->seq = seq_add(s->seq, 1);
			n--;
		}
		n = (int32_t)RL_MIN((uint32_t)n, s->len);
		s->off += (uint32_t)n;
		s->len -= (uint32_t)n;
		s->seq = seq_add(s->seq, (uint32_t)n);
	}
	n = seq_diff(seq_add(s->seq, s->len), right);
	if (n > 0) {
		s->len -= RL_MIN((uint32_t)n, s->len);
		s->flags &= (uint8_t)~(TH_FIN | TH_PSH);
	}
}

static enum rl_drop outside(const struct arrival *a)
{
	const struct seg *s = a->s;

	if (!rl_tcp_rcv_wnd(a->c) && s->len && seq_ge(s->seq, a->c->rcv_nxt))
		return RL_DROP_ZERO_WINDOW;
	if (seq_lt(s->seq, a->c->rcv_nxt))
		return RL_DROP_SEQ_OLD;
	return RL_DROP_SEQ_BEYOND;
}

/* A duplicate means that our ACK was lost: answer at once; the rest by the limit. */
static enum verdict unacceptable(struct arrival *a)
{
	struct seg *s = a->s;
	enum rl_drop why = outside(a);

	if (s->flags & TH_RST)			/* [RFC9293:lc-9] */
		return drop(a, RL_DROP_RST_OUTSIDE);
	/*
	 * [RFC9293:lc-8] [RFC9293:MUST-66] [RFC9293:MAY-8] [RFC2525-12] a closed window
	 * still takes ACK and URG
	 */
	if (why == RL_DROP_ZERO_WINDOW && seq_eq(s->seq, a->c->rcv_nxt)) {
		s->len = 0;
		s->flags &= (uint8_t)~(TH_FIN | TH_PSH);
		a->fx.ack = true;
		rl_drop(a->st, why);
		return NEXT;
	}
	if (s->flags & TH_SYN)
		return NEXT;			/* step 4 answers it */
	if (why == RL_DROP_SEQ_OLD && seg_len(s)) {
		rl_tcp_note_dup(a->st, a->c, s->seq,
				seq_min(seq_add(s->seq, s->len), a->c->rcv_nxt));
		a->fx.ack = true;
	} else {
		a->fx.challenge = true;
	}
	return drop(a, why);
}

/*
 * The peer repeats the SYN+ACK of a simultaneous open: its sequence test fails,
 * yet figure 7 of the RFC needs its ACK (doc/adr/0004).
 */
static bool crossing_synack(const struct arrival *a)
{
	const struct tcp_conn *c = a->c;

	return rl_tcp_syn_in_flight(c) && seq_eq(a->s->seq, c->irs) &&
	       seq_eq(a->s->ack, c->snd_nxt) &&
	       (a->s->flags & (TH_SYN | TH_ACK | TH_RST)) == (TH_SYN | TH_ACK);
}

static enum verdict step1_sequence(struct arrival *a)
{
	struct seg *s = a->s;

	if (s->flags & TH_RST) {		/* its text counts for nothing [RFC9293:SHLD-2] */
		s->len = 0;
		s->flags &= (uint8_t)~(TH_FIN | TH_SYN);
	}
	if (crossing_synack(a)) {
		s->flags &= (uint8_t)~TH_SYN;
		s->seq = seq_add(s->seq, 1);
		a->fx.ack = true;
	}
	if (paws_refuses(a)) {
		RL_CTR(a->st, tcp_paws_estab);
		if (seg_len(s))
			a->fx.ack = true;
		else
			a->fx.challenge = true;
		return drop(a, RL_DROP_PAWS);
	}
	if (!rl_seq_acceptable(s, a->c->rcv_nxt, rl_tcp_rcv_wnd(a->c)))
		return unacceptable(a);
	a->ts = has_new_timestamp(a);
	trim(a);
	return NEXT;
}

/*
 * Second, the RST bit.  Only one exactly at RCV.NXT is believed; elsewhere in
 * the window it earns a challenge ACK, so that a blind attacker has to guess 32
 * bits instead of a window [RFC5961-01] [RFC9293:U-4] [RFC9293:U-5] [RFC9293:U-6].
 */
static enum verdict step2_reset(struct arrival *a)
{
	struct tcp_conn *c = a->c;

	if (!(a->s->flags & TH_RST))
		return NEXT;
	if (!seq_eq(a->s->seq, c->rcv_nxt)) { /* [RFC5961-03] */
		a->fx.challenge = true;
		return drop(a, RL_DROP_CHALLENGED);
	}
	/* the user learns that it was a reset [RFC9293:MUST-12] */
	a->fx.gone = true;
	a->end = RILL_END_RST_RECEIVED;
	a->err = ECONNRESET;
	if (c->state == RILL_SYN_RECV) {
		a->end = RILL_END_REFUSED;
		a->err = ECONNREFUSED;
	}
	if (c->state == RILL_CLOSE_WAIT)	/* as Linux: the stream had ended */
		a->err = EPIPE;
	return drop(a, RL_DROP_RST);
}

/*
 * Third, security and compartment: not supported.  Fourth, SYN: answered,
 * not processed [RFC9293:U-7] [RFC9293:U-8] [RFC5961-02].
 */
static enum verdict step4_syn(struct arrival *a)
{
	if (!(a->s->flags & TH_SYN))
		return NEXT;
	RL_CTR(a->st, tcp_syn_challenge);
	a->fx.challenge = true;
	return drop(a, RL_DROP_CHALLENGED);
}

/*
 * Simultaneous open: the ACK of our SYN [RFC9293:MUST-10].  In FIN-WAIT-1 when
 * the application closed before it came.
 */
static enum verdict ack_of_syn(struct arrival *a)
{
	struct tcp_conn *c = a->c;

	if (seq_le(a->s->ack, c->snd_una) || seq_gt(a->s->ack, c->snd_nxt)) {
		a->fx.rst = true;		/* [RFC9293:lc-14] */
		return drop(a, RL_DROP_REQ_BAD_ACK);
	}
	if (c->state == RILL_SYN_RECV)
		rl_tcp_set_state(a->st, c, RILL_ESTABLISHED);
	rl_tcp_update_window(c, a->s, true);
	rl_tcp_init_cwnd(a->st, c);
	c->cc->init(c);
	rl_timers_on_established(a->st, c);
	return NEXT;				/* step 5 tells, since the SYN counts */
}

/* What the ACK of our FIN does to the state [RFC9293:3.10.7.4]. */
static void fin_is_acked(struct arrival *a)
{
	struct tcp_conn *c = a->c;

	if (c->state == RILL_FIN_WAIT1) {
		rl_tcp_set_state(a->st, c, RILL_FIN_WAIT2);
		a->fx.gone = !rl_timers_on_finwait2(a->st, c);
		a->end = RILL_END_FIN_WAIT_2;
	} else if (c->state == RILL_CLOSING) {
		a->fx.gone = true;
		rl_tcp_set_state(a->st, c, RILL_TIME_WAIT);
	} else if (c->state == RILL_LAST_ACK) {
		a->fx.gone = true;
		a->end = RILL_END_FIN;
	}
}

static enum verdict step5_ack(struct arrival *a)
{
	struct tcp_conn *c = a->c;
	struct seg *s = a->s;
	struct tcp_ack_result r = { 0 };
	bool half_closed;

	if (!(s->flags & TH_ACK))
		return drop(a, RL_DROP_NO_ACK);
	if ((c->state == RILL_SYN_RECV || rl_tcp_syn_in_flight(c)) && ack_of_syn(a) == DONE)
		return DONE;
	/*
	 * From one window ago to what was sent [RFC5961-04] [RFC9293:MAY-12]
	 * [RFC9293:U-9]; the rest is answered [RFC9293:U-10].
	 */
	if (seq_lt(s->ack, seq_sub(c->snd_una, c->max_snd_wnd))) {
		a->fx.challenge = true;
		return drop(a, RL_DROP_ACK_OLD);
	}
	if (seq_gt(s->ack, c->snd_nxt)) {
		a->fx.challenge = true;
		return drop(a, RL_DROP_ACK_UNSENT);
	}
	keep_timestamp(a);
	half_closed = c->fin_sent;
	if (seq_ge(s->ack, c->snd_una))
		rl_tcp_ack(a->st, c, s, &r);
	if (r.acked)
		rl_event(a->st, &c->ep, RILL_OUT);
	if (half_closed && r.fin_acked)
		fin_is_acked(a);
	return a->fx.gone ? DONE : NEXT;
}

static bool receiving(const struct tcp_conn *c)
{
	return c->state == RILL_ESTABLISHED || c->state == RILL_FIN_WAIT1 ||
	       c->state == RILL_FIN_WAIT2;
}

static enum verdict step6_urg(struct arrival *a)
{
	if (receiving(a->c))
		rl_tcp_urgent(a->st, a->c, a->s);
	return NEXT;
}

static enum verdict step7_text(struct arrival *a)
{
	struct tcp_conn *c = a->c;
	enum rl_drop why;

	if (!a->s->len)
		return NEXT;
	if (!receiving(c)) {
		a->fx.ack = true;
		return drop(a, RL_DROP_AFTER_FIN);
	}
	/* [RFC9293:SHLD-3] nobody will ever read it: say so [RFC2525-16] */
	if (c->orphan) {
		RL_CTR(a->st, tcp_abort_on_data);
		rl_tcp_reply_rst(a->st, a->s);
		a->fx.gone = true;
		a->end = RILL_END_LATE_DATA;
		return drop(a, RL_DROP_AFTER_CLOSE);
	}
	why = rl_tcp_text(a->st, c, a->s);
	if (why != RL_DROP_NONE) {
		a->fx.ack = true;		/* tell where we are; it will come again */
		return drop(a, why);
	}
	return NEXT;
}

/* Our side's part of "FIN received" [RFC9293:3.10.7.4]. */
static void fin_received(struct arrival *a)
{
	struct tcp_conn *c = a->c;

	rl_tcp_ooo_clear(a->st, c);		/* there is nothing behind a FIN */
	c->rcv_nxt = seq_add(c->rcv_nxt, 1);
	c->fin_rcvd = 1;
	c->ack_now = 1;
	switch (c->state) {
	case RILL_ESTABLISHED:
		rl_tcp_set_state(a->st, c, RILL_CLOSE_WAIT);
		break;
	case RILL_FIN_WAIT1:			/* our FIN is not acknowledged yet */
		rl_tcp_set_state(a->st, c, RILL_CLOSING);
		break;
	case RILL_FIN_WAIT2:
		rl_tcp_set_state(a->st, c, RILL_TIME_WAIT);
		a->fx.gone = true;
		break;
	}
	rl_tcp_want_output(a->st, c);
	/* [RFC2525-15] */
	rl_event(a->st, &c->ep, RILL_IN | RILL_RDHUP | (c->fin_queued ? RILL_HUP : 0));
}

/* Eighth, FIN: it counts once all text before it is here. */
static enum verdict step8_fin(struct arrival *a)
{
	struct tcp_conn *c = a->c;
	struct seg *s = a->s;

	if (c->fin_rcvd) {
		if (s->flags & TH_FIN)
			a->fx.ack = true;
		return NEXT;
	}
	if (s->flags & TH_FIN) {
		c->fin_known = 1;
		c->rcv_fin = seq_add(s->seq, s->len);
		if (!s->len && !seq_eq(c->rcv_fin, c->rcv_nxt))
			a->fx.ack = true;	/* early text has had its ACK [RFC5681-26] */
	}
	if (c->fin_known && seq_eq(c->rcv_fin, c->rcv_nxt))
		fin_received(a);
	return NEXT;
}

/* One answer at most [RFC5681-26]. */
static enum rl_drop finish(struct arrival *a)
{
	struct rill_stack *st = a->st;
	struct tcp_conn *c = a->c;

	if (a->fx.rst)
		rl_tcp_reply_rst(st, a->s);
	if (a->fx.ack)
		rl_tcp_send_ack(st, c);
	if (a->fx.challenge)
		rl_tcp_challenge(st, c);
	if (!a->fx.gone) {
		c->last_rcv_ns = st->now_ns;
		return a->why;
	}
	if (c->state == RILL_TIME_WAIT) {
		if (c->ack_now)
			rl_tcp_send_ack(st, c);
		rl_timewait_enter(st, c);
		return a->why;
	}
	rl_tcp_gone(st, c, a->end, a->err);
	return a->why;
}

/* [RFC9293:3.10.7.4] Other states: the eight checks, in the RFC's order. */
enum rl_drop rl_tcp_arrives_other(struct rill_stack *st, struct tcp_conn *c, struct seg *s)
{
	struct arrival a = { .st = st, .c = c, .s = s };
	enum verdict v;

	v = step1_sequence(&a);			/* window, PAWS, trimming */
	if (v == NEXT) v = step2_reset(&a);
	if (v == NEXT) v = step4_syn(&a);	/* challenge ACK */
	if (v == NEXT) v = step5_ack(&a);	/* the sender's half: ack.c */
	if (v == NEXT) v = step6_urg(&a);
	if (v == NEXT) v = step7_text(&a);	/* the receiver's half: text.c */
	if (v == NEXT) v = step8_fin(&a);
	return finish(&a);
}
