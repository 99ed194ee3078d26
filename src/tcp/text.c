/* SPDX-License-Identifier: MIT */
/*
 * Steps six and seven of segment arrival, the receiver's half [RFC9293:3.10.7.4]:
 * urgent pointer, text in order and out of order, when to acknowledge, and the
 * window.
 *
 * Invariants: rcvq holds the bytes below RCV.NXT that nobody read; ooo is a list
 * of ranges above RCV.NXT, sorted, with a gap before each; the right edge
 * RCV.NXT + RCV.WND never moves left [RFC9293:SHLD-14].
 */
#include "tcp/conn.h"

#define MAX_OOO		1024		/* ranges; more is an attack or a toy */
#define MAX_QUICKACKS	16

static seq_t ooo_end(const struct ooo *o)
{
	return seq_add(o->seq, o->q.len);
}

uint32_t rl_tcp_rcv_wnd(const struct tcp_conn *c)
{
	int32_t n = seq_diff(c->rcv_adv, c->rcv_nxt);

	return n > 0 ? (uint32_t)n : 0;
}

/*
 * As on Linux half of the buffer is for overhead.  A buffer made smaller than a
 * unit of the scale still offers one: less can't be said, and would be nothing.
 */
static uint32_t capacity(const struct tcp_conn *c)
{
	uint32_t cap = c->rcvbuf / 2;

	if (c->cold && c->cold->window_clamp)
		cap = RL_MIN(cap, c->cold->window_clamp);
	cap = RL_MAX(cap, 1u << c->rcv_wscale);
	return RL_MIN(cap, 65535u << c->rcv_wscale);
}

/* [RFC7323-04] A SYN's window is not scaled. */
uint16_t rl_tcp_syn_window(const struct tcp_conn *c)
{
	return (uint16_t)RL_MIN(capacity(c), 65535u);
}

/*
 * [RFC9293:MUST-39] The edge moves by min(buffer / 2, MSS) at least or not at
 * all.  The field counts units of the scale: rounding up keeps the edge the peer
 * saw, but not beyond the buffer, or tiny segments would push the edge on and on;
 * then the peer sees up to a unit less than RCV.ADV still promises [RFC7323-08].
 */
uint32_t rl_tcp_new_window(const struct rill_stack *st, const struct tcp_conn *c)
{
	uint32_t cap = capacity(c), now = rl_tcp_rcv_wnd(c);
	uint32_t space = cap > c->rcvq.len ? cap - c->rcvq.len : 0;
	uint32_t unit = 1u << c->rcv_wscale;

	(void)st;
	if (space < now + RL_MIN(cap / 2, (uint32_t)c->mss_adv)) {
		uint32_t up = (now + unit - 1) & ~(unit - 1);

		return up <= space ? RL_MIN(up, 65535u << c->rcv_wscale) : now & ~(unit - 1);
	}
	return space & ~(unit - 1);
}

void rl_tcp_note_dup(struct rill_stack *st, struct tcp_conn *c, seq_t lo, seq_t hi)
{
	if (!c->opt_sack || !RL_CFG(st, tcp_dsack) || seq_ge(lo, hi))
		return;
	c->dsack = (struct tcp_dsack){ lo, hi };
	c->has_dsack = 1;
	if (seq_le(hi, c->rcv_nxt))
		RL_CTR(st, tcp_dsack_old_sent);
	else
		RL_CTR(st, tcp_dsack_ofo_sent);
}

/*
 * [RFC2883-01] the duplicate first, [RFC2018-04] then the range just touched,
 * [RFC2018-06] then the others by the time they were touched [RFC2883-03].
 */
void rl_tcp_sack_blocks(struct rill_stack *st, struct tcp_conn *c, struct tcp_opts *o,
			int max)
{
	uint32_t below = UINT32_MAX;

	(void)st;
	if (c->has_dsack && max > 0) {
		o->sack[o->nsack++] = (struct tcp_sack){ c->dsack.lo, c->dsack.hi };
		c->has_dsack = 0;		/* told once [RFC2883-02] */
	}
	while (o->nsack < max) {
		const struct ooo *best = NULL;

		for (const struct ooo *x = c->ooo; x; x = x->next)
			if (x->stamp < below && (!best || x->stamp > best->stamp))
				best = x; /* [RFC2018-09] */
		if (!best)
			break;
		below = best->stamp;
		o->sack[o->nsack++] = (struct tcp_sack){ best->seq, ooo_end(best) };
	}
}

static void free_ooo(struct rill_stack *st, struct tcp_conn *c, struct ooo *x)
{
	rl_bytesq_clear(&st->bytes, &x->q);
	rl_slab_free(&st->oooq, x);
	c->n_ooo--;
}

void rl_tcp_ooo_clear(struct rill_stack *st, struct tcp_conn *c)
{
	while (c->ooo) {
		struct ooo *x = c->ooo;

		c->ooo = x->next;
		free_ooo(st, c, x);
	}
}

/* Ranges that RCV.NXT reached go to the receive queue. */
static void merge(struct rill_stack *st, struct tcp_conn *c)
{
	struct ooo *x;

	while ((x = c->ooo) && seq_le(x->seq, c->rcv_nxt)) {
		uint32_t have = (uint32_t)seq_diff(c->rcv_nxt, x->seq);

		if (have >= x->q.len) {
			have = x->q.len;
			RL_CTR(st, tcp_ofo_merge);
		}
		if (!c->has_dsack)		/* [RFC2883-01]: came twice, the first of them */
			rl_tcp_note_dup(st, c, x->seq, seq_add(x->seq, have));
		rl_bytesq_drop_front(&st->bytes, &x->q, have);
		c->rcv_nxt = seq_add(c->rcv_nxt, x->q.len);
		c->bytes_received += x->q.len;
		RL_CTR_ADD(st, tcp_in_bytes, x->q.len);
		rl_bytesq_splice(&c->rcvq, &x->q);
		c->ooo = x->next;
		free_ooo(st, c, x);
	}
}

/* Put [@lo, @hi), which no range covers, between @prev and the next one. */
static bool insert_gap(struct rill_stack *st, struct tcp_conn *c, struct ooo **prev,
		       const struct seg *s, seq_t lo, seq_t hi)
{
	struct ooo *x = *prev, *next;
	uint32_t off = s->off + (uint32_t)seq_diff(lo, s->seq);
	uint32_t n = (uint32_t)seq_diff(hi, lo);

	if (!x || !seq_eq(ooo_end(x), lo)) {
		struct ooo **link = x ? &x->next : &c->ooo;

		if (c->n_ooo >= MAX_OOO || !(x = rl_slab_alloc(&st->oooq)))
			return false;
		x->seq = lo;
		x->next = *link;
		*link = x;
		c->n_ooo++;
	}
	if (rl_bytesq_add_pkt(&st->bytes, &x->q, s->p, off, n) < 0)
		return false;		/* an empty range is dropped by tidy() */
	x->stamp = ++c->ooo_stamp;
	next = x->next;
	if (next && seq_eq(next->seq, hi)) {
		rl_bytesq_splice(&x->q, &next->q);
		x->next = next->next;
		free_ooo(st, c, next);
	}
	*prev = x;
	return true;
}

/* A range that got no memory for its bytes is taken out again. */
static void tidy(struct rill_stack *st, struct tcp_conn *c)
{
	for (struct ooo **p = &c->ooo; *p;) {
		struct ooo *x = *p;

		if (x->q.len) {
			p = &x->next;
			continue;
		}
		*p = x->next;
		free_ooo(st, c, x);
	}
}

/* [RFC9293:SHLD-31] Keep what came early; only what is new of it [RFC2525-05]. */
static bool out_of_order(struct rill_stack *st, struct tcp_conn *c, const struct seg *s)
{
	seq_t cur = s->seq, hi = seq_add(s->seq, s->len);
	struct ooo *prev = NULL;
	bool ok = true, dup = false;

	for (struct ooo *x = c->ooo; x && seq_le(ooo_end(x), cur); x = x->next)
		prev = x;
	while (ok && seq_lt(cur, hi)) {
		struct ooo *next = prev ? prev->next : c->ooo;
		seq_t stop;

		if (next && seq_le(next->seq, cur)) {	/* there already */
			stop = seq_min(ooo_end(next), hi);
			if (!dup)
				rl_tcp_note_dup(st, c, cur, stop);
			dup = true;
			next->stamp = ++c->ooo_stamp;
			cur = ooo_end(next);
			prev = next;
			continue;
		}
		stop = next ? seq_min(next->seq, hi) : hi;
		ok = insert_gap(st, c, &prev, s, cur, stop);
		if (ok && seq_lt(stop, hi) && !dup) {	/* joined to what is there */
			rl_tcp_note_dup(st, c, stop, seq_min(ooo_end(prev), hi));
			dup = true;
		}
		cur = ok ? ooo_end(prev) : stop;
	}
	tidy(st, c);
	c->rcv_ooopack++;
	RL_CTR(st, tcp_ofo_queue);
	if (dup)
		RL_CTR(st, tcp_ofo_merge);
	return ok;
}

/* [RFC9293:SHLD-18] [RFC9293:SHLD-19] Acknowledge every second full segment, or later. */
static void schedule_ack(struct rill_stack *st, struct tcp_conn *c, uint32_t n)
{
	c->ack_bytes += n;
	if (c->ack_bytes >= 2 * c->rcv_mss) { /* [RFC5681-25] [RFC2525-13] */
		c->ack_now = 1;
	} else if (c->quickacks && !c->pingpong) {
		c->ack_now = 1;
		c->quickacks--;
	} else {
		c->ack_delayed = 1;
		rl_timers_on_delack(st, c);
	}
	if (c->ack_now)
		rl_tcp_want_output(st, c);
}

/* Silence of more than an RTO: the peer may be in slow start again. */
static void note_arrival(struct rill_stack *st, struct tcp_conn *c, const struct seg *s)
{
	uint32_t mss = s->p->gso_size ? s->p->gso_size : s->len;

	if (st->now_ns - c->last_data_ns > c->rto_ns)
		c->quickacks = MAX_QUICKACKS;
	c->last_data_ns = st->now_ns;
	if (mss > c->rcv_mss || !c->data_segs_in)
		c->rcv_mss = RL_MIN(mss, (uint32_t)c->mss_adv);
	c->data_segs_in += s->p->gso_size ? (s->len + mss - 1) / mss : 1;
}

static enum rl_drop in_order(struct rill_stack *st, struct tcp_conn *c, const struct seg *s)
{
	bool hole = c->ooo != NULL;

	if (rl_bytesq_add_pkt(&st->bytes, &c->rcvq, s->p, s->off, s->len) < 0)
		return RL_DROP_RCVQ_FULL;
	c->rcv_nxt = seq_add(c->rcv_nxt, s->len);
	c->bytes_received += s->len;
	RL_CTR_ADD(st, tcp_in_bytes, s->len);
	merge(st, c);
	if (hole)				/* [RFC5681-13] */
		c->ack_now = 1;
	schedule_ack(st, c, s->len);
	rl_event(st, &c->ep, RILL_IN);
	return RL_DROP_NONE;
}

enum rl_drop rl_tcp_text(struct rill_stack *st, struct tcp_conn *c, struct seg *s)
{
	if (!s->len)
		return RL_DROP_NONE;
	note_arrival(st, c, s);
	if (seq_eq(s->seq, c->rcv_nxt))
		return in_order(st, c, s);
	if (!out_of_order(st, c, s))
		return RL_DROP_RCVQ_FULL;
	rl_tcp_send_ack(st, c);			/* [RFC5681-12] [RFC9293:MAY-13] */
	return RL_DROP_NONE;
}

/*
 * Step six.  The pointer names the byte behind the urgent data [RFC6093-04]
 * [RFC9293:MUST-62]; it only moves forward [RFC9293:lc-19], and the application is told
 * each time it does [RFC9293:MUST-32].
 */
void rl_tcp_urgent(struct rill_stack *st, struct tcp_conn *c, const struct seg *s)
{
	/* from the number in the header: step 1 may have cut off what is here already */
	seq_t at = seq_add(s->h.seq, s->h.urg - 1u);
	struct tcp_cold *cold;

	if (!(s->flags & TH_URG) || !s->h.urg || seq_lt(at, c->rcv_nxt))
		return;
	cold = rl_tcp_cold(st, c);
	if (!cold || (cold->urg_pending && seq_le(at, cold->urg_seq)))
		return;
	/* the byte at the mark where the reader stands was out of band: it is not text now */
	if (rl_tcp_urgent_first(c))
		rl_bytesq_drop_front(&st->bytes, &c->rcvq, 1);
	cold->urg_pending = true;
	cold->urg_have = cold->urg_taken = false;
	cold->urg_seq = at;
	rl_event(st, &c->ep, RILL_PRI | RILL_IN);
}

/*
 * Receive buffer tuning: when the application took more in a round trip than
 * ever before, the window is twice that, so that it never limits the peer.
 */
static void tune(struct rill_stack *st, struct tcp_conn *c, uint32_t n)
{
	uint64_t want;

	c->tune_copied += n;
	if (!c->srtt_ns || st->now_ns - c->tune_ns < c->srtt_ns)
		return;
	if (c->tune_copied > c->tune_space) {
		c->tune_space = c->tune_copied;
		want = 2 * (2ull * c->tune_copied + 16ull * c->mss_adv);
		if (RL_CFG(st, tcp_moderate_rcvbuf) && !c->rcvbuf_set && want > c->rcvbuf)
			c->rcvbuf = (uint32_t)RL_MIN(want, (uint64_t)st->cfg.tcp_rmem[2]);
	}
	c->tune_copied = 0;
	c->tune_ns = st->now_ns;
}

void rl_tcp_text_read(struct rill_stack *st, struct tcp_conn *c, uint32_t n)
{
	uint32_t now = rl_tcp_rcv_wnd(c), next;

	tune(st, c, n);
	if (c->fin_rcvd || c->state == RILL_CLOSE || c->state == RILL_TIME_WAIT)
		return;
	next = rl_tcp_new_window(st, c);
	if (next >= 2 * now && next > now) {
		c->ack_now = 1;
		rl_tcp_want_output(st, c);
	} else if (c->ack_delayed && c->ack_bytes > c->rcv_mss) {
		c->ack_now = 1;
		rl_tcp_want_output(st, c);
	}
}
