/* SPDX-License-Identifier: MIT */
/*
 * Repair of losses: fast retransmit and NewReno [RFC6582], with the scoreboard
 * of RFC 6675 where SACK is on.  RACK, TLP and PRR will take this room over.
 *
 * Two episodes exclude each other: in_recovery (duplicate ACKs) and in_loss (a
 * timeout).  Both last until SND.UNA passes recover, the SND.NXT at their start.
 */
#include "tcp/conn.h"

static void enter(struct rill_stack *st, struct tcp_conn *c)
{
	uint32_t flight = (uint32_t)seq_diff(c->snd_nxt, c->snd_una);

	/* beyond cwnd went what limited transmit added: not counted [RFC5681-17] */
	c->ssthresh = c->cc->ssthresh(c, RL_MIN(flight, c->cwnd));
	c->recover = c->snd_nxt;
	c->in_recovery = 1;
	c->retx_forced = 1;
	c->cwnd = c->ssthresh;
	if (!c->opt_sack)			/* [RFC5681-18] */
		c->cwnd += RL_CFG(st, tcp_reordering) * c->mss;
	RL_CTR(st, tcp_reno_recovery);
}

static void leave(struct rill_stack *st, struct tcp_conn *c)
{
	uint32_t flight = (uint32_t)seq_diff(c->snd_nxt, c->snd_una);

	/* no burst at the end [RFC6582-03] [RFC5681-22] [RFC6675-12] [RFC2525-08] */
	if (c->in_recovery)
		c->cwnd = RL_MIN(c->ssthresh, RL_MAX(flight, c->mss) + c->mss);
	if (c->in_loss)
		c->loss_ms += (uint32_t)((st->now_ns - c->loss_ns) / RL_MS);
	c->in_recovery = c->in_loss = 0;
	c->dupacks = 0;
}

/* [RFC5681-15]: data outstanding, nothing else in the segment. */
static bool is_dupack(const struct tcp_conn *c, const struct seg *s, uint32_t acked,
		      uint32_t newly_sacked)
{
	if (acked || !c->rtxq.head)
		return false;
	if (c->opt_sack)			/* [RFC6675-01] [RFC3042-03] */
		return newly_sacked > 0;
	return s->len == 0 && !(s->flags & (TH_SYN | TH_FIN)) &&
	       (uint32_t)s->wnd << c->snd_wscale == c->snd_wnd &&
	       seq_eq(s->ack, c->snd_una);
}

static void on_dupack(struct rill_stack *st, struct tcp_conn *c)
{
	uint32_t thresh = (uint32_t)RL_CFG(st, tcp_reordering), flight;

	if (c->dupacks < UINT16_MAX)
		c->dupacks++;
	if (c->in_loss)
		return;
	if (c->in_recovery) {
		flight = (uint32_t)seq_diff(c->snd_nxt, c->snd_una);
		/* a segment left the network [RFC5681-19], bounded [RFC5681-20] */
		if (!c->opt_sack && c->cwnd < flight + c->mss)
			c->cwnd += c->mss;
		return;
	}
	if (c->dupacks < thresh && !(c->opt_sack && c->rtxq.lost)) /* [RFC5681-14] */
		return;				/* limited transmit: output.c */
	/* not twice for one window [RFC6582-01] [RFC6675-09] */
	if (seq_lt(c->snd_una, c->recover))
		return;
	rl_rtxq_lose_head(st, c);
	enter(st, c);
}

/* [RFC5681-28] A repetition was lost: the network is fuller than we thought. */
static void lost_again(struct tcp_conn *c)
{
	c->ssthresh = c->cc->ssthresh(c, rl_pipe(c));
	c->cwnd = RL_MIN(c->cwnd, c->ssthresh);
}

/* [RFC6582-02] The next hole is lost too; deflate by what was acknowledged. */
static void on_partial_ack(struct rill_stack *st, struct tcp_conn *c, uint32_t acked)
{
	if (c->opt_sack)
		return;				/* the scoreboard knows */
	rl_rtxq_lose_head(st, c);
	c->retx_forced = 1;
	c->cwnd -= RL_MIN(acked, c->cwnd - c->mss);
	if (acked >= c->mss)
		c->cwnd += c->mss;
}

/*
 * Whether the window was in use, so that it may grow [RFC7661-01].  In slow start
 * it doubles in a round trip: half of it in flight within one is enough, as on Linux.
 */
static bool cwnd_tried(const struct tcp_conn *c, uint32_t acked)
{
	return rl_pipe(c) + acked + c->mss > c->cwnd || c->hold == RL_HOLD_CWND ||
	       (c->cwnd < c->ssthresh && c->cwnd < 2 * c->max_flight);
}

void rl_recovery_on_ack(struct rill_stack *st, struct tcp_conn *c, const struct seg *s,
			uint32_t acked, uint32_t newly_sacked, int64_t rtt_ns)
{
	struct cc_ack a = {
		.acked = acked, .rtt_ns = rtt_ns, .now_ns = st->now_ns,
		.in_flight = rl_pipe(c) + acked,
		.cwnd_limited = cwnd_tried(c, acked),
	};

	uint32_t lost = c->rtxq.lost;
	bool slow_start;

	if (c->opt_sack && (newly_sacked || acked) &&
	    rl_rtxq_mark_lost(c, (uint32_t)RL_CFG(st, tcp_reordering)))
		lost_again(c);
	if (is_dupack(c, s, acked, newly_sacked)) {
		on_dupack(st, c);
		return;
	}
	if (!acked)
		return;
	if ((c->in_recovery || c->in_loss) && seq_ge(c->snd_una, c->recover)) {
		slow_start = c->in_loss;
		leave(st, c);
		if (slow_start)			/* [RFC5681:3.1] from the one segment on */
			c->cwnd += RL_MIN(acked, c->mss);
		return;
	}
	if (c->in_recovery) {
		on_partial_ack(st, c, acked);
		return;
	}
	c->dupacks = 0;				/* [RFC6675-10] */
	if (!c->in_loss && c->rtxq.lost > lost && seq_ge(c->snd_una, c->recover)) {
		enter(st, c);			/* the duplicates before it got lost */
		return;
	}
	if (!c->in_loss)			/* never 2^31 behind: it is compared */
		c->recover = seq_max(c->recover, c->snd_una);
	c->cc->on_ack(c, &a);			/* slow start goes on in in_loss */
}

/* [RFC5681-10] [RFC5681-11] [RFC6582-05] */
void rl_recovery_on_rto(struct rill_stack *st, struct tcp_conn *c)
{
	if (!c->in_loss || seq_ge(c->snd_una, c->recover))
		c->ssthresh = c->cc->ssthresh(c, (uint32_t)seq_diff(c->snd_nxt, c->snd_una));
	if (!c->in_loss) {
		c->loss_ns = st->now_ns;
		c->total_loss++;
	}
	c->cwnd = c->mss;		/* [RFC2525-02] [RFC2525-14] */
	c->recover = c->snd_nxt;	/* [RFC6675-13] */
	c->in_recovery = 0;
	c->in_loss = 1;
	c->dupacks = 0;
	c->retx_forced = 1;
	rl_rtxq_lose_all(c);
	RL_CTR(st, tcp_timeouts);
}
