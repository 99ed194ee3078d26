/* SPDX-License-Identifier: MIT */
/*
 * One direction of a tracked connection: what its sender repeats and why, what was
 * overtaken or lost before it came here, what the other end acknowledges, how long
 * that takes, and the windows.
 *
 * Known of a stream: the highest number that passed (nxt), the highest that was
 * acknowledged, and up to TRACK_HOLES pieces below nxt that did not pass.  What lies
 * below nxt and in no hole passed before: that it comes again is certain.  What fills
 * a hole is a repetition if the data was lost before it came here, otherwise it was
 * overtaken; timestamps decide, without them the time since.
 */
#include "look/track_int.h"

#include "rill/stack.h"

#define RTO_MIN_NS	(180 * RL_MS)	/* Linux's 200 ms, less what clocks differ */
#define OVERTAKEN_NS	(3 * RL_MS)	/* without a round-trip time to compare with */
#define DUP_THRESH	3
#define NONSENSE	(1u << 30)	/* further away than any window */

uint32_t track_segs(const struct track_conn *c, int from, uint32_t len)
{
	const struct track_end *a = &c->end[from], *b = &c->end[!from];
	uint32_t mss = b->mss;

	if (!len || !mss)
		return len != 0;
	if (a->ts_ok && b->ts_ok && mss > 12)
		mss -= 12;		/* the option does not count options (RFC 6691) */
	return (len + mss - 1) / mss;
}

/* ---- holes ---- */

static void remove_hole(struct track_end *a, unsigned i)
{
	a->nholes--;
	memmove(&a->hole[i], &a->hole[i + 1], (a->nholes - i) * sizeof(a->hole[0]));
}

/* When there are too many the oldest is taken for seen. */
static void add_hole(struct track_end *a, seq_t lo, seq_t hi, int64_t at_ns, uint32_t ts)
{
	if (a->nholes == TRACK_HOLES)
		remove_hole(a, 0);
	a->hole[a->nholes++] = (struct track_hole){ lo, hi, at_ns, ts };
}

/* nxt goes on; holes that fell behind by more than any window can be are given up. */
static void set_nxt(struct track_end *a, seq_t nxt)
{
	a->nxt = nxt;
	for (unsigned i = a->nholes; i-- > 0; )
		if ((uint32_t)seq_diff(nxt, a->hole[i].lo) > NONSENSE)
			remove_hole(a, i);
}

/* Return: bytes of [lo, hi) that are in holes. */
static uint32_t in_holes(const struct track_end *a, seq_t lo, seq_t hi)
{
	uint32_t sum = 0;

	for (unsigned i = 0; i < a->nholes; i++) {
		seq_t l = seq_max(lo, a->hole[i].lo), h = seq_min(hi, a->hole[i].hi);

		if (seq_lt(l, h))
			sum += (uint32_t)seq_diff(h, l);
	}
	return sum;
}

/* [lo, hi) passed, or will not matter any more.  Holes shrink, vanish or split. */
static void fill(struct track_end *a, seq_t lo, seq_t hi)
{
	for (unsigned i = a->nholes; i-- > 0; ) {
		struct track_hole h = a->hole[i];

		if (seq_le(hi, h.lo) || seq_ge(lo, h.hi))
			continue;
		remove_hole(a, i);
		if (seq_lt(h.lo, lo))
			add_hole(a, h.lo, lo, h.at_ns, h.ts);
		if (seq_lt(hi, h.hi))
			add_hole(a, hi, h.hi, h.at_ns, h.ts);
	}
}

static const struct track_hole *hole_at(const struct track_end *a, seq_t lo, seq_t hi)
{
	for (unsigned i = 0; i < a->nholes; i++)
		if (seq_lt(lo, a->hole[i].hi) && seq_gt(hi, a->hole[i].lo))
			return &a->hole[i];
	return NULL;
}

/* ---- round-trip times ---- */

static void remember(struct track_end *a, const struct look_seg *s, seq_t end)
{
	if (a->nsent == TRACK_SENT)
		return;			/* fewer samples, each still right */
	a->sent[a->nsent++] = (struct track_sent){ end, s->opt.ts_val, s->at_ns, false };
}

static void sent_again(struct track_end *a, seq_t lo, seq_t hi)
{
	for (unsigned i = 0; i < a->nsent; i++)
		if (seq_gt(a->sent[i].end, lo) && seq_le(a->sent[i].end, hi))
			a->sent[i].again = true;
}

static void sample(struct track_end *a, int64_t ns)
{
	uint64_t us = (uint64_t)RL_MAX(ns, 0) / 1000;

	a->n.rtt_samples++;
	a->rtt_sum_us += us;
	a->n.rtt_avg_us = a->rtt_sum_us / a->n.rtt_samples;
	a->n.rtt_min_us = RL_MIN(a->n.rtt_min_us, us);
	a->n.rtt_max_us = RL_MAX(a->n.rtt_max_us, us);
}

/*
 * Only an ACK of just this segment measures it.  One that was sent again does not
 * say which of both came (Karn), unless the echoed timestamp is that of the first.
 */
static void measure(struct track_end *a, const struct look_seg *s)
{
	unsigned done = 0;

	while (done < a->nsent && seq_le(a->sent[done].end, s->ack))
		done++;
	for (unsigned i = 0; i < done; i++) {
		const struct track_sent *p = &a->sent[i];

		if (seq_eq(p->end, s->ack) &&
		    (!p->again || (s->opt.has_ts && p->ts == s->opt.ts_ecr)))
			sample(a, s->at_ns - p->at_ns);
	}
	a->nsent -= done;
	memmove(a->sent, a->sent + done, a->nsent * sizeof(a->sent[0]));
}

/* ---- what the sender sends ---- */

/* Nothing was sent and nothing acknowledged for so long that a timer must have run. */
static bool was_quiet(const struct track_end *a, const struct track_end *b,
		      const struct look_seg *s)
{
	int64_t since = RL_MAX(a->sent_ns, b->ack_ns), limit = RTO_MIN_NS;

	if (b->n.rtt_samples)		/* a far sender reacts late to what passes here */
		limit += (int64_t)b->n.rtt_min_us * 1000;
	return s->at_ns - since >= limit;
}

static unsigned why_again(struct track_end *a, const struct track_end *b,
			  const struct look_seg *s, seq_t end)
{
	bool evidence = a->dups >= DUP_THRESH || (a->has_sacked && seq_gt(a->sacked, s->seq));

	if (was_quiet(a, b, s)) {
		a->in_timeout = true;
		a->timeout_hi = a->nxt;
		a->n.retrans_timeout++;
		return TRACK_TIMEOUT;
	}
	if (evidence) {
		a->n.retrans_fast++;
		return TRACK_FAST;
	}
	if (a->in_timeout && seq_lt(s->seq, a->timeout_hi)) {
		a->n.retrans_timeout++;
		return TRACK_TIMEOUT;
	}
	if (seq_ge(end, a->nxt)) {
		a->n.retrans_probe++;
		return TRACK_TAIL_PROBE;
	}
	a->n.retrans_other++;
	return 0;
}

static unsigned again(struct track_conn *c, int from, const struct look_seg *s, seq_t end,
		      uint32_t bytes)
{
	struct track_end *a = &c->end[from], *b = &c->end[!from];
	unsigned marks = TRACK_RETX;

	a->n.retrans_frames++;
	a->n.retrans_segs += RL_MAX(track_segs(c, from, bytes), 1);
	a->n.retrans_bytes += bytes;
	a->unanswered++;
	sent_again(a, s->seq, end);
	if (a->acked_any && seq_le(end, a->acked)) {
		a->n.retrans_late++;
		marks |= TRACK_LATE;
	}
	return marks | why_again(a, b, s, end);
}

/* Data that did not pass yet, below the highest that did. */
static bool overtaken(const struct track_conn *c, const struct track_hole *h,
		      const struct look_seg *s)
{
	int64_t limit = OVERTAKEN_NS;

	if (s->opt.has_ts && s->opt.ts_val != h->ts)
		return (int32_t)(s->opt.ts_val - h->ts) < 0;
	if (c->syn_ns >= 0 && c->open_ns > c->syn_ns)
		limit = c->open_ns - c->syn_ns;
	return s->at_ns - h->at_ns < limit;
}

/* A segment that ends beyond nxt; @fresh of its payload are new. */
static unsigned goes_on(struct track_end *a, const struct look_seg *s, seq_t end, uint32_t fresh)
{
	unsigned marks = 0;

	if (seq_gt(s->seq, a->nxt)) {
		add_hole(a, a->nxt, s->seq, s->at_ns, s->opt.ts_val);
		a->n.gaps++;
		marks = TRACK_GAP;
	}
	set_nxt(a, end);
	a->n.bytes += fresh;
	a->has_probe = false;
	remember(a, s, end);
	return marks;
}

static unsigned below(struct track_conn *c, int from, const struct look_seg *s, seq_t end)
{
	struct track_end *a = &c->end[from];
	seq_t lo = seq_add(s->seq, (s->flags & TH_SYN) != 0), hi = seq_add(lo, s->len);
	seq_t top = seq_min(hi, a->nxt);
	uint32_t old = seq_gt(top, lo) ? (uint32_t)seq_diff(top, lo) : 0;
	uint32_t missing = in_holes(a, lo, top), fresh = s->len - old;
	const struct track_hole *h = hole_at(a, s->seq, seq_min(end, a->nxt));
	unsigned marks = 0;

	old = RL_MIN(old, s->len);
	fresh = s->len - old;
	missing = RL_MIN(missing, old);
	if (h && missing == old) {
		if (overtaken(c, h, s)) {
			a->n.reordered++;
			marks = TRACK_REORDERED;
		} else {
			marks = again(c, from, s, end, old);
		}
	} else {
		marks = again(c, from, s, end, old - missing);
	}
	a->n.bytes += missing;
	fill(a, s->seq, seq_min(end, a->nxt));
	if (seq_gt(end, a->nxt))
		goes_on(a, s, end, fresh);
	return marks;
}

/*
 * Probes: one byte or none from below what is expected, when nothing is under way
 * (keepalive), or asking a closed window.
 */
static unsigned probe(struct track_end *a, const struct track_end *b, const struct look_seg *s)
{
	bool closed = b->zero_ns >= 0;

	if (s->len > 1 || (s->flags & (TH_SYN | TH_FIN | TH_RST)) || !a->any || !a->acked_any)
		return 0;
	if (closed && s->len && seq_eq(s->seq, a->nxt)) {
		a->has_probe = true;
		a->probe = seq_add(s->seq, 1);
	} else if (!seq_eq(s->seq, seq_sub(a->acked, 1)) ||
		   (s->len && !seq_eq(a->acked, a->nxt))) {
		return 0;
	}
	a->unanswered++;
	if (closed)
		a->n.window_probes++;
	else
		a->n.keepalives++;
	return closed ? TRACK_WINDOW_PROBE : TRACK_KEEPALIVE;
}

static void learn_syn(struct track_end *a, const struct look_seg *s)
{
	if (a->has_isn)
		return;
	a->has_isn = true;
	a->isn = s->seq;
	a->mss = s->opt.mss;
	a->scales = s->opt.has_wscale;
	a->wscale = s->opt.wscale;
	a->ts_ok = s->opt.has_ts;
	a->sack_ok = s->opt.sack_ok;
}

static unsigned first(struct track_end *a, const struct look_seg *s, seq_t end)
{
	a->any = true;
	a->base = a->has_isn ? seq_add(a->isn, 1) : s->seq;
	a->nxt = end;
	a->n.bytes += s->len;
	if (!seq_eq(end, s->seq))
		remember(a, s, end);
	return 0;
}

unsigned rl_track_sent(struct track_conn *c, int from, const struct look_seg *s)
{
	struct track_end *a = &c->end[from], *b = &c->end[!from];
	uint32_t space = look_seg_space(s);
	seq_t end = seq_add(s->seq, space);
	unsigned marks;

	if (s->flags & TH_RST)
		return 0;
	if (s->flags & TH_SYN)
		learn_syn(a, s);
	marks = probe(a, b, s);
	if (marks)
		return marks;
	if (!a->any)
		marks = first(a, s, end);
	else if (!space || (uint32_t)seq_diff(s->seq, a->nxt) + NONSENSE > 2 * NONSENSE)
		return 0;
	else if (seq_ge(s->seq, a->nxt))
		marks = goes_on(a, s, end, s->len);
	else
		marks = below(c, from, s, end);
	if (space)
		a->sent_ns = s->at_ns;
	if (s->len)
		a->data_ns = s->at_ns;
	return marks;
}

/* ---- what the receiver says ---- */

/* [RFC2883:4] the first block lies below the ACK or inside of the second. */
static bool is_dsack(const struct look_seg *s)
{
	const struct tcp_sack *b = s->opt.sack;

	if (!s->opt.nsack)
		return false;
	if (seq_le(b[0].hi, s->ack))
		return true;
	return s->opt.nsack > 1 && seq_ge(b[0].lo, b[1].lo) && seq_le(b[0].hi, b[1].hi);
}

static unsigned sacks(struct track_end *a, struct track_end *b, const struct look_seg *s)
{
	bool dup = is_dsack(s);

	for (unsigned i = dup; i < s->opt.nsack; i++) {
		seq_t hi = s->opt.sack[i].hi;

		if (seq_le(hi, s->ack) || seq_gt(hi, a->nxt))
			continue;
		if (!a->has_sacked || seq_gt(hi, a->sacked))
			a->sacked = hi;
		a->has_sacked = true;
	}
	b->n.dsacks += dup;
	return dup ? TRACK_DSACK : 0;
}

/* The ACK @s of @b goes further than those before. */
static unsigned new_ack(struct track_end *a, struct track_end *b, const struct look_seg *s)
{
	unsigned marks = 0;

	if (a->has_probe && seq_ge(s->ack, a->probe)) {	/* the probe's byte was taken */
		set_nxt(a, seq_max(a->nxt, a->probe));
		a->n.bytes++;
		a->has_probe = false;
	}
	if (seq_gt(s->ack, a->nxt)) {
		b->n.unseen += (uint32_t)seq_diff(s->ack, a->nxt);
		set_nxt(a, s->ack);
		marks = TRACK_UNSEEN;
	}
	if (a->acked_any) {
		b->n.unseen += in_holes(a, a->acked, s->ack);
		fill(a, a->acked, s->ack);
	}
	measure(a, s);
	a->acked = s->ack;
	a->dups = 0;
	if (a->has_sacked && seq_le(a->sacked, s->ack))
		a->has_sacked = false;
	if (a->in_timeout && seq_ge(s->ack, a->timeout_hi))
		a->in_timeout = false;
	return marks;
}

/* [RFC5681:2] or with SACK, which may come with another window. */
static bool is_dup_ack(const struct track_end *a, const struct track_end *b,
		       const struct look_seg *s, bool dsack)
{
	return !s->len && !(s->flags & (TH_SYN | TH_FIN)) && seq_eq(s->ack, a->acked) &&
	       seq_lt(a->acked, a->nxt) &&
	       (s->opt.nsack > dsack || (b->has_wnd && s->win == b->raw_win));
}

unsigned rl_track_acks(struct track_conn *c, int from, const struct look_seg *s)
{
	struct track_end *a = &c->end[!from], *b = &c->end[from];
	unsigned marks;

	if (!(s->flags & TH_ACK) || (s->flags & TH_RST))
		return 0;
	if (!a->any) {
		a->any = true;
		a->base = a->nxt = s->ack;
	}
	if ((uint32_t)seq_diff(s->ack, a->nxt) + NONSENSE > 2 * NONSENSE)
		return TRACK_IGNORED;
	if (c->end[!from].state == RILL_SYN_SENT && a->has_isn && !seq_gt(s->ack, a->isn))
		return TRACK_IGNORED;	/* it remembers an older connection */
	marks = sacks(a, b, s);
	if (!a->acked_any || seq_gt(s->ack, a->acked)) {
		marks |= new_ack(a, b, s);
		a->acked_any = true;
	} else if (is_dup_ack(a, b, s, marks & TRACK_DSACK)) {
		a->dups++;
		b->n.dup_acks++;
		marks |= TRACK_DUP_ACK;
	}
	b->ack_ns = s->at_ns;
	return marks;
}

/* Scaling counts when both SYNs had it, and never in a SYN [RFC7323:2.2]. */
static uint64_t scaled(const struct track_end *a, const struct track_end *b,
		       const struct look_seg *s)
{
	if ((s->flags & TH_SYN) || !a->scales || !b->scales)
		return s->win;
	return (uint64_t)s->win << a->wscale;
}

unsigned rl_track_window(struct track_conn *c, int from, const struct look_seg *s)
{
	struct track_end *a = &c->end[from];
	unsigned marks = 0;

	if (s->flags & TH_RST)
		return 0;
	a->wnd = scaled(a, &c->end[!from], s);
	a->raw_win = s->win;
	a->has_wnd = true;
	if (!s->win && a->zero_ns < 0 && !(s->flags & (TH_SYN | TH_FIN))) {
		a->zero_ns = s->at_ns;
		a->n.zero_windows++;
		marks = TRACK_ZERO_WINDOW;
	} else if (s->win && a->zero_ns >= 0) {
		a->n.zero_window_us += (uint64_t)RL_MAX(s->at_ns - a->zero_ns, 0) / 1000;
		a->zero_ns = -1;
		marks = TRACK_WINDOW_OPEN;
	}
	return marks;
}
