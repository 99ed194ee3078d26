/* SPDX-License-Identifier: MIT */
/*
 * The states of both ends of a tracked connection (RFC 9293, figures 5 to 14, as they
 * show on the wire), who opened, who closed first and how, and why it was reset.
 *
 * An end's state follows from what it sends; what it is sent counts as arrived, until
 * it shows by a repetition that it did not.  The order is the RFC's: RST, SYN, ACK, FIN.
 */
#include "look/track_int.h"

#include "rill/stack.h"

#define SURE_TTL	3	/* segments with the same TTL before another one is odd */
#define GAVE_UP		3	/* repetitions or probes without any answer */

bool rl_track_over(const struct track_conn *c)
{
	return c->over_ns >= 0;
}

static void close_by(struct track_conn *c, int end, bool rst, int64_t at_ns)
{
	if (c->closer >= 0)
		return;
	c->closer = end;
	c->closed_by_rst = rst;
	c->close_ns = at_ns;
}

static void end_conn(struct track_conn *c, enum track_over how)
{
	c->over = how;
	c->over_ns = c->last_ns;
}

/* ---- RST ---- */

static bool never_sent(const struct track_end *e)
{
	return e->n.frames == e->n.resets;
}

static bool odd_ttl(const struct track_end *a, const struct look_seg *s)
{
	return a->same_ttl >= SURE_TTL && a->ttl != s->ttl;
}

static enum track_reset why_aborted(const struct track_end *a, const struct track_end *b)
{
	if (a->unanswered >= GAVE_UP)
		return TRACK_RESET_GAVE_UP;
	if (b->data_ns >= 0 && b->data_ns >= a->data_ns)
		return TRACK_RESET_UNREAD;
	return TRACK_RESET_ABORT;
}

/*
 * A program's abort carries an ACK.  A stack that knows no such connection answers
 * with the number that the segment's ACK named and without one [RFC9293:3.10.7.1].
 */
static enum track_reset why_reset(const struct track_conn *c, int from, const struct look_seg *s)
{
	const struct track_end *a = &c->end[from], *b = &c->end[!from];

	if (odd_ttl(a, s))
		return TRACK_RESET_THIRD_PARTY;
	if (never_sent(a) && b->has_isn && !b->acked_any)
		return TRACK_RESET_REFUSED;
	if (a->has_isn && !a->has_fin && a->ack_ns < 0)
		return TRACK_RESET_NOT_WANTED;	/* the answer to its SYN is all it got */
	if (a->has_fin && b->data_ns > a->sent_ns)
		return TRACK_RESET_AFTER_CLOSE;
	if (!(s->flags & TH_ACK))
		return TRACK_RESET_HALF_OPEN;
	return why_aborted(a, b);
}

/*
 * The receiver takes a RST with just the number that it expects [RFC5961:3.2]; the
 * sender may have sent more than what was acknowledged.  What opens takes one that
 * acknowledges its SYN [RFC9293:3.10.7.3].
 */
static bool rst_counts(const struct track_conn *c, int from, const struct look_seg *s)
{
	const struct track_end *a = &c->end[from], *b = &c->end[!from];

	if (never_sent(a) && b->has_isn && !b->acked_any)
		return (s->flags & TH_ACK) && seq_eq(s->ack, b->nxt);
	if (a->state == RILL_SYN_SENT)
		return false;		/* its answer to an older connection's segment */
	if (!a->any)
		return true;		/* nothing to compare with */
	return seq_eq(s->seq, a->nxt) || (a->acked_any && seq_eq(s->seq, a->acked));
}

static void on_rst(struct track_conn *c, int from, const struct look_seg *s, unsigned *marks)
{
	if (!rst_counts(c, from, s)) {
		c->end[from].n.resets_ignored++;
		*marks |= TRACK_IGNORED;
		return;
	}
	c->reset = why_reset(c, from, s);
	c->reset_by = from;
	c->reset_ttl = s->ttl;
	close_by(c, from, true, s->at_ns);
	c->end[0].state = c->end[1].state = RILL_CLOSE;
	end_conn(c, TRACK_OVER_RESET);
}

/* ---- SYN ---- */

static void on_syn(struct track_conn *c, struct track_end *a, struct track_end *b,
		   const struct look_seg *s)
{
	if (s->flags & TH_ACK) {
		if (c->synack_ns < 0)
			c->synack_ns = s->at_ns;
		if (a->state == RILL_LISTEN || a->state == RILL_CLOSE)
			a->state = RILL_SYN_RECV;
		return;
	}
	if (c->syn_ns < 0)
		c->syn_ns = s->at_ns;
	if (b->state == RILL_SYN_SENT) {	/* both open [RFC9293:3.5, figure 7] */
		c->mutual = true;
		a->state = b->state = RILL_SYN_RECV;
	} else if (a->state == RILL_CLOSE || a->state == RILL_LISTEN) {
		a->state = RILL_SYN_SENT;
		b->state = RILL_SYN_RECV;
	}
}

/* ---- ACK ---- */

static void opened(struct track_conn *c, struct track_end *a, int64_t at_ns)
{
	a->state = RILL_ESTABLISHED;
	if (c->open_ns < 0 && c->end[0].state != RILL_SYN_RECV &&
	    c->end[1].state != RILL_SYN_RECV)
		c->open_ns = at_ns;
}

/* @b is told that its FIN arrived. */
static void fin_acked(struct track_end *b)
{
	b->fin_acked = true;
	if (b->state == RILL_FIN_WAIT1)
		b->state = RILL_FIN_WAIT2;
	else if (b->state == RILL_CLOSING)
		b->state = RILL_TIME_WAIT;
	else if (b->state == RILL_LAST_ACK)
		b->state = RILL_CLOSE;
}

static void on_ack(struct track_conn *c, struct track_end *a, struct track_end *b,
		   const struct look_seg *s)
{
	bool of_syn = b->has_isn && seq_gt(s->ack, b->isn);

	if (of_syn && (b->state == RILL_SYN_SENT || b->state == RILL_SYN_RECV)) {
		/* a SYN+ACK opens its receiver; its sender waits for the third segment */
		if (b->state == RILL_SYN_RECV || (s->flags & TH_SYN))
			opened(c, b, s->at_ns);
	}
	if (of_syn && a->state == RILL_SYN_SENT && !(s->flags & TH_SYN))
		opened(c, a, s->at_ns);
	if (b->has_fin && !b->fin_acked && seq_ge(s->ack, b->fin))
		fin_acked(b);
}

/* ---- FIN ---- */

static void fin_sent(struct track_end *a, const struct track_end *b)
{
	if (a->state == RILL_CLOSE_WAIT)	/* else both closed at once */
		a->state = b->fin_acked ? RILL_LAST_ACK : RILL_CLOSING;
	else if (a->state != RILL_LISTEN && a->state != RILL_CLOSE)
		a->state = RILL_FIN_WAIT1;
}

static void fin_came(struct track_end *b)
{
	if (b->state == RILL_ESTABLISHED || b->state == RILL_SYN_RECV)
		b->state = RILL_CLOSE_WAIT;
	else if (b->state == RILL_FIN_WAIT1)
		b->state = RILL_CLOSING;
	else if (b->state == RILL_FIN_WAIT2)
		b->state = RILL_TIME_WAIT;
}

static void on_fin(struct track_conn *c, int from, const struct look_seg *s)
{
	struct track_end *a = &c->end[from], *b = &c->end[!from];

	close_by(c, from, false, s->at_ns);
	if (!a->has_fin) {
		a->has_fin = true;
		a->fin = seq_add(s->seq, look_seg_space(s));
		fin_sent(a, b);
	}
	if (!a->fin_done && !a->nholes) {	/* it counts when all before it came */
		a->fin_done = true;
		fin_came(b);
	}
}

static bool both_closed(const struct track_conn *c)
{
	for (int i = 0; i < 2; i++)
		if (c->end[i].state != RILL_CLOSE && c->end[i].state != RILL_TIME_WAIT)
			return false;
	return c->end[0].has_fin && c->end[1].has_fin;
}

/* A hole before a FIN was filled. */
static void late_fin(struct track_end *a, struct track_end *b)
{
	if (a->has_fin && !a->fin_done && !a->nholes) {
		a->fin_done = true;
		fin_came(b);
	}
}

void rl_track_state(struct track_conn *c, int from, const struct look_seg *s, unsigned *marks)
{
	struct track_end *a = &c->end[from], *b = &c->end[!from];

	if (rl_track_over(c))
		return;
	if (s->flags & TH_RST) {
		on_rst(c, from, s, marks);
		return;
	}
	if (*marks & TRACK_IGNORED)
		return;
	if (s->flags & TH_SYN)
		on_syn(c, a, b, s);
	if (s->flags & TH_ACK)
		on_ack(c, a, b, s);
	if (s->flags & TH_FIN)
		on_fin(c, from, s);
	late_fin(a, b);
	if (both_closed(c))
		end_conn(c, TRACK_OVER_CLOSED);
}
