/* SPDX-License-Identifier: MIT */
/*
 * What is in flight: one record a sent range, in sequence order, from SND.UNA
 * to SND.NXT without gaps.  Invariants: sacked, lost and retx are the bytes of
 * the records with that flag; a record is never both SACKED and LOST; RETX only
 * with LOST.  So pipe = flight - sacked - lost + retx [RFC6675:4].
 */
#include "tcp/conn.h"

static seq_t end_of(const struct rtx *x)
{
	return seq_add(x->seq, x->len);
}

static void account(struct tcp_conn *c, const struct rtx *x, int sign)
{
	uint32_t n = sign > 0 ? x->len : 0u - x->len;

	if (x->flags & RTX_SACKED)
		c->rtxq.sacked += n;
	if (x->flags & RTX_LOST)
		c->rtxq.lost += n;
	if (x->flags & RTX_RETX)
		c->rtxq.retx += n;
}

static void insert_after(struct rtxq *q, struct rtx *at, struct rtx *x)
{
	x->prev = at;
	x->next = at ? at->next : q->head;
	if (x->next)
		x->next->prev = x;
	else
		q->tail = x;
	if (at)
		at->next = x;
	else
		q->head = x;
}

static void take_out(struct rill_stack *st, struct tcp_conn *c, struct rtx *x)
{
	account(c, x, -1);
	if (x->prev)
		x->prev->next = x->next;
	else
		c->rtxq.head = x->next;
	if (x->next)
		x->next->prev = x->prev;
	else
		c->rtxq.tail = x->prev;
	rl_slab_free(&st->rtx, x);
}

bool rl_rtxq_add(struct rill_stack *st, struct tcp_conn *c, seq_t seq, uint32_t len,
		 uint8_t flags)
{
	struct rtx *x = rl_slab_alloc(&st->rtx);

	if (!x)
		return false;
	x->seq = seq;
	x->len = len;
	x->flags = flags;
	x->una = c->snd_una;
	x->sent_ns = st->now_ns;
	if (!c->rtxq.head)
		c->rtxq.fack = c->snd_una;
	insert_after(&c->rtxq, c->rtxq.tail, x);
	return true;
}

void rl_rtxq_cut_tail(struct rill_stack *st, struct tcp_conn *c, uint32_t keep)
{
	struct rtx *x = c->rtxq.tail;

	x->flags &= (uint8_t)~RTX_FIN;
	x->len = keep;			/* new: neither sacked nor lost */
	if (!keep)
		take_out(st, c, x);
}

/* Cut @x in two at @at bytes; both keep its facts.  FIN stays at the end. */
static bool split(struct rill_stack *st, struct tcp_conn *c, struct rtx *x, uint32_t at)
{
	struct rtx *y = rl_slab_alloc(&st->rtx);

	if (!y)
		return false;
	y->seq = seq_add(x->seq, at);
	y->len = x->len - at;
	y->flags = x->flags & ~RTX_SYN;
	y->sent_ns = x->sent_ns;
	y->una = x->una;
	x->len = at;
	x->flags &= ~RTX_FIN;
	insert_after(&c->rtxq, x, y);
	return true;
}

/*
 * [RFC6298-06] Karn: no sample from a range that was sent twice.  Of the ranges
 * that the ACK covers the newest gives the sample: the ACK answers that one.
 */
int64_t rl_rtxq_ack(struct rill_stack *st, struct tcp_conn *c, seq_t ack)
{
	int64_t rtt_ns = -1;
	bool ambiguous = false;
	struct rtx *x;

	while ((x = c->rtxq.head) && seq_lt(x->seq, ack)) {
		if (x->flags & RTX_EVER_RETX) {
			ambiguous = true;
		} else if (!(x->flags & RTX_SACKED)) {
			rtt_ns = st->now_ns - x->sent_ns; /* [RFC6298-07] */
			c->rtxq.newest_ns = RL_MAX(c->rtxq.newest_ns, x->sent_ns);
			c->delivery_rate = (uint64_t)seq_diff(ack, x->una) *
					   (uint64_t)RL_SEC / (uint64_t)RL_MAX(rtt_ns, 1);
		}
		if (seq_gt(end_of(x), ack)) {
			uint32_t n = (uint32_t)seq_diff(ack, x->seq);

			account(c, x, -1);
			x->seq = ack;
			x->len -= n;
			account(c, x, 1);
			break;
		}
		take_out(st, c, x);
	}
	c->rtxq.fack = seq_max(c->rtxq.fack, ack);
	return ambiguous ? -1 : rtt_ns;
}

/* [RFC2018-07] */
static void mark_sacked(struct tcp_conn *c, struct rtx *x)
{
	if (!(x->flags & RTX_EVER_RETX))	/* which copy arrived is not known */
		c->rtxq.newest_ns = RL_MAX(c->rtxq.newest_ns, x->sent_ns);
	account(c, x, -1);
	x->flags = (uint8_t)((x->flags & ~(RTX_LOST | RTX_RETX)) | RTX_SACKED);
	account(c, x, 1);
}

static uint32_t sack_block(struct rill_stack *st, struct tcp_conn *c, seq_t lo, seq_t hi)
{
	uint32_t n = 0;

	for (struct rtx *x = c->rtxq.head; x && seq_lt(x->seq, hi); x = x->next) {
		if (seq_le(end_of(x), lo) || (x->flags & RTX_SACKED))
			continue;
		if (seq_lt(x->seq, lo)) {	/* the front part is not covered */
			split(st, c, x, (uint32_t)seq_diff(lo, x->seq));
			continue;
		}
		if (seq_gt(end_of(x), hi) &&
		    !split(st, c, x, (uint32_t)seq_diff(hi, x->seq)))
			break;
		n += x->len;
		if (seq_lt(x->seq, c->rtxq.fack) && !(x->flags & RTX_EVER_RETX))
			c->reord_seen += c->reord_seen < UINT16_MAX;	/* it was late */
		mark_sacked(c, x);
	}
	return n;
}

uint32_t rl_rtxq_sack(struct rill_stack *st, struct tcp_conn *c, const struct tcp_opts *o,
		      seq_t ack)
{
	seq_t top = seq_max(c->rtxq.fack, ack);
	uint32_t n = 0;

	for (int i = 0; i < o->nsack; i++) {
		seq_t lo = o->sack[i].lo, hi = o->sack[i].hi;

		/* [RFC2883-04]: known by the ACK it stands on, or by block 2 */
		if (i == 0 && (seq_le(hi, ack) ||
			       (o->nsack > 1 && seq_ge(lo, o->sack[1].lo) &&
				seq_le(hi, o->sack[1].hi)))) {
			c->dsack_dups++;
			RL_CTR(st, tcp_dsack_recv);
			continue;
		}
		if (seq_ge(lo, hi) || seq_lt(lo, c->snd_una) || seq_gt(hi, c->snd_nxt))
			continue;	/* not of this flight: forged or old */
		n += sack_block(st, c, lo, hi);
		top = seq_max(top, hi);
	}
	c->rtxq.fack = top;
	return n;
}

static void mark_lost(struct tcp_conn *c, struct rtx *x)
{
	account(c, x, -1);
	x->flags = (uint8_t)((x->flags | RTX_LOST) & ~RTX_RETX);
	account(c, x, 1);
}

bool rl_rtxq_mark_lost(struct tcp_conn *c, uint32_t dupthresh)
{
	uint32_t above = 0;
	bool again = false;

	/* [RFC6675-02] IsLost: more than DupThresh - 1 segments sacked above */
	for (struct rtx *x = c->rtxq.tail; x; x = x->prev) {
		if (x->flags & RTX_SACKED) {
			above += x->len;
		} else if (!(x->flags & RTX_LOST) && above > (dupthresh - 1) * c->mss &&
			   !(x->flags & RTX_EVER_RETX)) {
			mark_lost(c, x);
		} else if ((x->flags & RTX_RETX) &&
			   x->sent_ns + c->srtt_ns / 4 < c->rtxq.newest_ns) {
			mark_lost(c, x);	/* the repetition is lost too [RFC8985-08] */
			again = true;
		}
	}
	return again;
}

void rl_rtxq_lose_head(struct rill_stack *st, struct tcp_conn *c)
{
	struct rtx *x = c->rtxq.head;

	if (!x || (x->flags & (RTX_SACKED | RTX_LOST)))
		return;
	if (x->len > c->mss && !(x->flags & RTX_SYN))
		split(st, c, x, c->mss);
	mark_lost(c, x);
}

/* [RFC2018-08]: the leftmost is sent again even when it was sacked once. */
void rl_rtxq_lose_all(struct tcp_conn *c)
{
	for (struct rtx *x = c->rtxq.head; x; x = x->next) {
		if (x == c->rtxq.head && (x->flags & RTX_SACKED)) {
			account(c, x, -1);
			x->flags &= (uint8_t)~RTX_SACKED;
			account(c, x, 1);
		}
		if (!(x->flags & RTX_SACKED))	/* [RFC6675-14] */
			mark_lost(c, x);
	}
}

struct rtx *rl_rtxq_next_lost(struct rill_stack *st, struct tcp_conn *c, uint32_t max)
{
	struct rtx *x = c->rtxq.head;

	if (c->rtxq.lost == c->rtxq.retx)
		return NULL;
	while (x && (x->flags & (RTX_LOST | RTX_RETX)) != RTX_LOST) /* [RFC6675-05] */
		x = x->next;
	if (!x)
		return NULL;
	if (x->len - !!(x->flags & RTX_FIN) > max && !(x->flags & RTX_SYN) &&
	    !split(st, c, x, max))
		return NULL;
	return x;
}

void rl_rtxq_on_resent(struct rill_stack *st, struct tcp_conn *c, struct rtx *x)
{
	account(c, x, -1);
	x->flags |= RTX_EVER_RETX;
	if (x->flags & RTX_LOST)
		x->flags |= RTX_RETX;
	account(c, x, 1);
	x->sent_ns = st->now_ns;
	x->una = c->snd_una;
}

void rl_rtxq_clear(struct rill_stack *st, struct tcp_conn *c)
{
	while (c->rtxq.head)
		take_out(st, c, c->rtxq.head);
}
