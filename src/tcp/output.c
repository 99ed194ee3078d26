/* SPDX-License-Identifier: MIT */
/*
 * May we send, what, and why not [RFC9293:3.8.6] [RFC5681:3.1].  A list of
 * questions, each with a named refusal in c->hold; then build.c.
 *
 * Nothing is sent while a segment or a call is processed: connections are put on
 * st->tcp_dirty and served by rl_tcp_flush(), once a batch, so that ACKs
 * aggregate and ride on data [RFC9293:MUST-58] [RFC9293:MUST-59].
 */
#include "tcp/conn.h"

#define SUPER_HDR	128u		/* room for all headers in gso_max */

void rl_tcp_want_output(struct rill_stack *st, struct tcp_conn *c)
{
	if (c->dirty)
		return;
	c->dirty = 1;
	list_add_tail(&st->tcp_dirty, &c->dirty_link);
}

void rl_tcp_flush(struct rill_stack *st)
{
	while (!list_empty(&st->tcp_dirty)) {	/* ends: output never marks */
		struct tcp_conn *c = list_first(&st->tcp_dirty, struct tcp_conn, dirty_link);

		list_del(&c->dirty_link);
		c->dirty = 0;
		rl_tcp_output(st, c);
	}
}

static bool may_send_data(const struct tcp_conn *c)
{
	return c->state == RILL_ESTABLISHED || c->state == RILL_CLOSE_WAIT ||
	       c->state == RILL_FIN_WAIT1 || c->state == RILL_CLOSING ||
	       c->state == RILL_LAST_ACK;
}

/* Payload limit of one packet: whole segments within the device's super-segment. */
static uint32_t super_limit(struct rill_stack *st, const struct tcp_conn *c)
{
	uint32_t max = rl_ip_gso_max(st, &c->flow);

	if (c->cold && c->cold->snd_urg)	/* each has its own pointer */
		return c->mss;

	max = max ? max : 65536;		/* no offload: ip/ cuts */
	max = max > SUPER_HDR ? max - SUPER_HDR : 0;
	return RL_MAX(max - max % c->mss, c->mss);
}

static void restart_after_idle(struct rill_stack *st, struct tcp_conn *c)
{
	uint32_t cwnd = c->cwnd;

	if (c->rtxq.head || !RL_CFG(st, tcp_slow_start_after_idle) || !c->last_snd_ns)
		return;
	if (st->now_ns - c->last_snd_ns > rl_rto(st, c)) {	/* [RFC5681-23] */
		rl_tcp_init_cwnd(st, c);
		c->cwnd = RL_MIN(c->cwnd, cwnd);
	}
}

static uint32_t cwnd_room(const struct tcp_conn *c)
{
	uint32_t pipe = rl_pipe(c), cwnd = c->cwnd;

	/*
	 * limited transmit [RFC5681-16] [RFC3042-01] [RFC3042-02]; with SACK the pipe
	 * has room already [RFC6675-04]
	 */
	if (!c->opt_sack && !c->in_recovery && !c->in_loss)
		cwnd += RL_MIN(c->dupacks, 2) * c->mss;
	return cwnd > pipe ? cwnd - pipe : 0;
}

/*
 * Lost ranges go first, the oldest first [RFC9293:SHLD-16] [RFC7323-10]; one is
 * forced when an episode begins.
 */
static bool retransmit(struct rill_stack *st, struct tcp_conn *c, uint32_t limit)
{
	uint32_t room = cwnd_room(c), max;
	struct rtx *x;
	int64_t n;
	bool fin;

	if (c->retx_forced)
		room = RL_MAX(room, c->mss);
	max = RL_MIN(room, limit);
	max = RL_MAX(max - max % c->mss, c->mss);
	x = rl_rtxq_next_lost(st, c, max);
	if (!x)
		return false;
	if (room < RL_MIN(x->len, c->mss)) {
		c->hold = RL_HOLD_CWND;
		return false;
	}
	fin = x->flags & RTX_FIN;
	n = rl_tcp_send_data(st, c, x->seq, x->len - fin, fin, true);
	if (n < 0) {
		c->hold = RL_HOLD_MEMORY;
		return false;
	}
	if (!c->in_loss)			/* segments, as retrans_segs */
		RL_CTR_ADD(st, tcp_fast_retrans,
			   (uint64_t)RL_MAX((n + c->mss - 1) / c->mss, 1));
	c->retx_forced = 0;
	rl_rtxq_on_resent(st, c, x);
	rl_timers_on_data_sent(st, c);
	if (x == c->rtxq.head && !c->in_loss)	/* else the timer has seen to it */
		rl_timers_on_sent_again(st, c);
	return true;
}

/* Is a last piece below a full segment worth sending now? */
static enum rl_hold small_segment(const struct tcp_conn *c, uint32_t len, uint32_t avail)
{
	bool last = len == avail;

	if (last && c->fin_queued)
		return RL_HOLD_NONE;
	if (last && (c->cork || c->more) && !c->uncork)
		return RL_HOLD_CORK;		/* until the timer [RFC9293:MUST-60] */
	if (last && (c->nodelay || !c->rtxq.head))
		return RL_HOLD_NONE;		/* [RFC9293:MUST-17] */
	/* Nagle as Minshall has it: no second small one [RFC9293:SHLD-7] */
	if (last && !seq_gt(c->snd_sml, c->snd_una))
		return RL_HOLD_NONE;
	if (last)
		return RL_HOLD_NAGLE;
	/* [RFC9293:MUST-38] half of the largest window ever offered will do */
	if (len >= c->max_snd_wnd / 2)
		return RL_HOLD_NONE;
	return RL_HOLD_SWS;
}

/* How much new data may leave now; c->hold tells what stopped it there. */
static uint32_t allowed(struct tcp_conn *c, uint32_t limit)
{
	uint32_t sent = (uint32_t)seq_diff(c->snd_nxt, c->snd_una);
	uint32_t avail = c->sendq.len > sent ? c->sendq.len - sent : 0;
	/* [RFC9293:MUST-34] [RFC9293:SHLD-15] */
	uint32_t wnd = c->snd_wnd > sent ? c->snd_wnd - sent : 0;
	/* [RFC5681-01] */
	uint32_t room = cwnd_room(c), len = RL_MIN(RL_MIN(avail, limit), RL_MIN(wnd, room));
	uint32_t tail;

	c->hold = RL_HOLD_NONE;
	if (!avail) {
		c->hold = RL_HOLD_NO_DATA;
		return 0;
	}
	if (len < avail && len < c->mss)
		c->hold = wnd <= room ? RL_HOLD_RWND : RL_HOLD_CWND;
	if (!len)
		return 0;
	tail = len % c->mss;
	if (!tail)
		return len;
	if (len > c->mss && len < avail)
		return len - tail;		/* whole segments [RFC9293:SHLD-28] */
	if (room < wnd && len < avail)		/* cwnd cuts: wait for a full one */
		return rl_pipe(c) ? len - tail : len;
	c->hold = (uint8_t)small_segment(c, tail == len ? len : tail,
					 tail == len ? avail : avail - (len - tail));
	return c->hold == RL_HOLD_NONE ? len : len - tail;
}

/* The record first: what was sent unrecorded could never be acknowledged. */
static int64_t send_recorded(struct rill_stack *st, struct tcp_conn *c, uint32_t len, bool fin)
{
	int64_t n;

	if (!rl_rtxq_add(st, c, c->snd_nxt, len + fin, fin ? RTX_FIN : 0))
		return -1;
	n = rl_tcp_send_data(st, c, c->snd_nxt, len, fin, false);
	if (n < len)
		rl_rtxq_cut_tail(st, c, n < 0 ? 0 : (uint32_t)n);
	return n || !len ? n : -1;
}

/* How far the congestion window was tried [RFC7661-01]. */
static void note_flight(struct tcp_conn *c)
{
	uint32_t pipe = rl_pipe(c);

	if (pipe <= c->max_flight && seq_lt(c->snd_una, c->flight_end))
		return;
	c->max_flight = pipe;
	c->flight_end = c->snd_nxt;
}

/* Send @len new bytes.  False: that was the last, or it did not work. */
static bool transmit(struct rill_stack *st, struct tcp_conn *c, uint32_t len)
{
	uint32_t sent = (uint32_t)seq_diff(c->snd_nxt, c->snd_una);
	/* [RFC9293:lc-17] */
	bool fin = c->fin_queued && !c->fin_sent && sent + len == c->sendq.len;
	int64_t n;

	if (!len && !fin)
		return false;
	n = send_recorded(st, c, len, fin);
	fin = fin && n == len;
	if (n < 0) {
		c->hold = RL_HOLD_MEMORY;
		rl_timers_on_data_sent(st, c);	/* the timer tries again */
		return false;
	}
	c->snd_nxt = seq_add(c->snd_nxt, (uint32_t)n + fin);
	c->fin_sent |= fin;
	if (n && n % c->mss)
		c->snd_sml = c->snd_nxt;
	if (n && c->data_segs_in && st->now_ns - c->last_data_ns < 40 * RL_MS)
		c->pingpong = 1;		/* answers carry our ACKs */
	note_flight(c);
	rl_timers_on_data_sent(st, c);
	return !fin;
}

bool rl_tcp_send_held(struct rill_stack *st, struct tcp_conn *c)
{
	uint32_t n = RL_MIN(c->sendq.len, c->snd_wnd);

	if (!n || c->rtxq.head)
		return false;
	transmit(st, c, RL_MIN(n, c->mss));
	return true;
}

void rl_tcp_output(struct rill_stack *st, struct tcp_conn *c)
{
	uint32_t limit;

	if (may_send_data(c) && !rl_tcp_syn_in_flight(c) &&
	    !(c->fin_sent && !c->rtxq.lost)) {
		if (c->flow.d.gen != st->route_gen)	/* another way, another MTU */
			rl_tcp_set_mss(st, c);
		limit = super_limit(st, c);
		restart_after_idle(st, c);
		while (retransmit(st, c, limit))
			;			/* bounded by cwnd */
		/* [RFC5681-21] [RFC6675-06] [RFC6675-11] */
		while (!c->fin_sent && transmit(st, c, allowed(c, limit)))
			;			/* bounded by sendq and windows */
		st->obs.hold[c->hold]++;
		if (c->hold == RL_HOLD_RWND) /* [RFC9293:MUST-35] */
			rl_timers_on_closed_window(st, c);
		if (c->hold == RL_HOLD_SWS || c->hold == RL_HOLD_CORK)
			rl_timers_on_held(st, c);
		rl_tcp_chrono(st, c);
	}
	if (c->ack_now)
		rl_tcp_send_ack(st, c);
}

/*
 * [RFC5961:7] [RFC5961-05]: a limit for each connection, since a common one leaks.
 * [RFC5961-06]
 */
void rl_tcp_challenge(struct rill_stack *st, struct tcp_conn *c)
{
	if (st->now_ns - st->challenge_from_ns >= RL_SEC) {
		st->challenge_from_ns = st->now_ns;
		st->challenge_n = 0;
	}
	if (st->now_ns - c->last_challenge_ns < RL_CFG(st, tcp_invalid_ratelimit) * RL_MS ||
	    st->challenge_n >= (uint32_t)RL_CFG(st, tcp_challenge_ack_limit)) {
		RL_CTR(st, tcp_ack_skipped);
		return;
	}
	c->last_challenge_ns = st->now_ns;
	st->challenge_n++;
	RL_CTR(st, tcp_challenge_ack);
	rl_tcp_send_ack(st, c);
}

/*
 * [RFC6928-01] ten segments; one after losses in the handshake [RFC6928-02]
 * [RFC5681-03] [RFC5681-05] [RFC2525-01].
 */
void rl_tcp_init_cwnd(struct rill_stack *st, struct tcp_conn *c)
{
	(void)st;
	c->cwnd = RL_MIN(10 * c->mss, RL_MAX(2 * c->mss, 14600u));
	if (c->hs_retx > 1)
		c->cwnd = c->mss;
}

/*
 * [RFC9293:MUST-16] What fits the path, without options, but not above the peer's MSS,
 * whose lower limit is for peers that ask for dust: a short link stays short.
 */
void rl_tcp_set_mss(struct rill_stack *st, struct tcp_conn *c)
{
	uint32_t hdr = rl_tcp_is4(c) ? 40 : 60;
	uint32_t mss = RL_MAX(c->mss_peer, (uint32_t)RL_CFG(st, tcp_min_snd_mss));

	if (c->flow.d.gen != st->route_gen)
		rl_ip_route(st, &c->flow);
	if (c->flow.d.mtu > hdr)
		mss = RL_MIN(mss, c->flow.d.mtu - hdr); /* [RFC1122-31] */
	if (c->cold && c->cold->maxseg)
		mss = RL_MIN(mss, c->cold->maxseg);
	if (c->opt_ts)
		mss -= 12;			/* [RFC2525-18] */
	c->mss = mss;
	c->cwnd = RL_MAX(c->cwnd, mss);		/* a segment that grew still fits */
}

/*
 * [RFC9293:MUST-67] [RFC6691-01] From the interface, not from the path; options not subtracted.
 * [RFC1191-07] [RFC8200-14]
 */
uint16_t rl_tcp_adv_mss(struct rill_stack *st, struct rl_flow *f, uint32_t user_mss)
{
	uint32_t hdr = rl_ip_is4(&f->dst) ? 40 : 60, mss;

	if (f->d.gen != st->route_gen && rl_ip_route(st, f) < 0)
		return rl_ip_is4(&f->dst) ? 536 : 1220;
	mss = rl_ip_if_mtu(st, &f->d) - hdr;
	if (user_mss)
		mss = RL_MIN(mss, user_mss);
	return (uint16_t)RL_MIN(RL_MAX(mss, (uint32_t)RL_CFG(st, min_adv_mss)), 65495u);
}

/*
 * Enough to offer the largest buffer that tuning may reach; Linux's formula, since
 * half of a buffer is payload and its shift is known to peers and to scripts.
 */
uint8_t rl_tcp_pick_wscale(const struct rill_stack *st, const struct tcp_conn *c)
{
	uint32_t space = c->rcvbuf_set ? c->rcvbuf / 2
				       : RL_MAX((uint32_t)st->cfg.tcp_rmem[2],
						(uint32_t)RL_CFG(st, rmem_max));
	uint8_t shift = 0;

	if (!RL_CFG(st, tcp_window_scaling))
		return 0;
	while (shift < 14 && space >> shift >= 1u << 16)
		shift++;
	return shift;
}

/*
 * [RFC9293:MUST-8] [RFC9293:MUST-9] [RFC9293:SHLD-1] [RFC6528-01]: 4 us clock plus a
 * keyed hash.
 */
seq_t rl_tcp_isn(const struct rill_stack *st, const struct rill_ip *laddr, uint16_t lport,
		 const struct rill_ip *raddr, uint16_t rport)
{
	struct { struct rill_ip l, r; uint16_t lp, rp; } in = { *laddr, *raddr, lport, rport };

	return seq_make((uint32_t)(st->now_ns / 4000) +
			(uint32_t)rl_siphash(&st->isn_key, &in, 36));
}

/* [RFC7323-25] One offset a pair of hosts, so that TIME-WAIT can compare. */
uint32_t rl_tcp_ts_offset(const struct rill_stack *st, const struct rill_ip *laddr,
			  const struct rill_ip *raddr)
{
	struct { struct rill_ip l, r; } in = { *laddr, *raddr };

	if (RL_CFG(st, tcp_timestamps) != 1)
		return 0;
	return (uint32_t)rl_siphash(&st->isn_key, &in, 32);
}
