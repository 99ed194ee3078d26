/* SPDX-License-Identifier: MIT */
/*
 * Step five of segment arrival, the sender's half [RFC9293:3.10.7.4]: what the
 * peer acknowledges, its window, and what follows from both.
 */
#include "tcp/conn.h"

/*
 * [RFC9293:lc-11] Only a newer segment changes the window, by sequence number
 * and then by acknowledgement, so that a reordered ACK does not.
 */
void rl_tcp_update_window(struct tcp_conn *c, const struct seg *s, bool force)
{
	uint32_t wnd = s->wnd;

	if (!force && !seq_lt(c->snd_wl1, s->seq) &&
	    !(seq_eq(c->snd_wl1, s->seq) && seq_le(c->snd_wl2, s->ack)))
		return;
	if (!(s->h.flags & TH_SYN))		/* [RFC7323-04] [RFC7323-05] */
		wnd <<= c->snd_wscale;
	/* unsigned, 32 bits [RFC9293:MUST-1] [RFC9293:REC-1] */
	c->snd_wnd = wnd;
	c->max_snd_wnd = RL_MAX(c->max_snd_wnd, wnd);
	c->snd_wl1 = s->seq;
	c->snd_wl2 = s->ack;
}

/* Take acknowledged bytes out of the queues; SYN and FIN are not in sendq. */
static void release(struct rill_stack *st, struct tcp_conn *c, seq_t ack,
		    struct tcp_ack_result *r)
{
	uint32_t n = (uint32_t)seq_diff(ack, c->snd_una), bytes = n;

	r->acked = n;
	if (seq_eq(c->snd_una, c->iss) && n > 0 && !c->bytes_acked)
		bytes--;			/* our SYN; ISS itself comes round again */
	if (c->fin_sent && seq_eq(ack, c->snd_nxt)) {
		r->fin_acked = true;
		bytes -= n > 0 && bytes > c->sendq.len;
	}
	bytes = RL_MIN(bytes, c->sendq.len);
	/* [RFC6675-03] [RFC2018-10] */
	rl_bytesq_drop_front(&st->bytes, &c->sendq, bytes);
	c->bytes_acked += bytes;
	c->snd_una = ack;
	c->more = 0;				/* MSG_MORE held for its own call only */
	/* marks stay near: half the number space on they would lie ahead again */
	c->snd_sml = seq_max(c->snd_sml, ack);
	if (c->cold && seq_ge(ack, c->cold->snd_up))
		c->cold->snd_urg = false;
}

static int64_t timestamp_sample(struct rill_stack *st, struct tcp_conn *c,
				const struct seg *s)
{
	uint32_t ms;

	if (!c->opt_ts || !s->o.has_ts || !s->o.ts_ecr)
		return -1;
	ms = rl_tcp_ts_now(st, c->ts_off) - s->o.ts_ecr;
	if (ms > INT32_MAX) {			/* from our future */
		RL_CTR(st, tcp_ts_ecr_rejected);
		return -1;
	}
	return RL_MAX(ms, 1) * RL_MS;
}

void rl_tcp_ack(struct rill_stack *st, struct tcp_conn *c, struct seg *s,
		struct tcp_ack_result *r)
{
	uint32_t old_wnd = c->snd_wnd, newly_sacked = 0;
	bool had = c->rtxq.head != NULL, opened;
	int64_t rtt_ns = -1;

	c->last_ack_ns = st->now_ns;
	c->probes = 0;
	if (s->o.nsack && c->opt_sack) {
		RL_CTR(st, tcp_sack_recv);
		newly_sacked = rl_rtxq_sack(st, c, &s->o, s->ack);
	}
	if (seq_gt(s->ack, c->snd_una)) {	/* [RFC1122-44] */
		rtt_ns = rl_rtxq_ack(st, c, s->ack);
		if (rtt_ns < 0 && had)	/* a repeated one: only by timestamps [RFC7323-17] */
			rtt_ns = timestamp_sample(st, c, s);
		release(st, c, s->ack, r);
		if (rtt_ns >= 0)
			rl_rtt_sample(st, c, rtt_ns);
		c->retries = 0;
		c->retx_start_ns = 0;
		c->soft_err = 0;
		rl_ip_confirm(st, &c->flow);
	}
	if (c->rtxq.head || r->acked)
		rl_recovery_on_ack(st, c, s, r->acked, newly_sacked, rtt_ns);
	rl_tcp_update_window(c, s, false);
	r->window_changed = c->snd_wnd != old_wnd;
	opened = !old_wnd && c->snd_wnd;
	if (!c->snd_wnd)			/* it lives, though it takes nothing */
		c->retx_start_ns = 0;
	if (opened)				/* what waited for that goes again soon */
		c->retries = 0;
	rl_timers_on_ack(st, c, r->acked > 0 || opened);
	if (r->acked || r->window_changed || newly_sacked || c->rtxq.lost != c->rtxq.retx ||
	    c->dupacks)
		rl_tcp_want_output(st, c);
}
