/* SPDX-License-Identifier: MIT */
/*
 * The timers of a connection [RFC9293:3.10.8]: callers report what happened,
 * which deadline follows is decided here.
 *
 * TMR_N deadlines but one timer, kept at the earliest.  A deadline that moves
 * later leaves the timer alone: it fires early, finds nothing due and files
 * itself again, which is cheaper than a move for every ACK.
 */
#include <errno.h>

#include "tcp/conn.h"

/* Linux's; below the 500 ms of [RFC9293:MUST-40] [RFC5681-24] */
#define DELACK_NS	(40 * RL_MS)
#define OVERRIDE_NS	(200 * RL_MS)	/* of 0.1 to 1 s [RFC9293:MUST-38] */
#define ORPHAN_RETRIES	8

static void arm(struct rill_stack *st, struct tcp_conn *c, enum tcp_timer t, int64_t at_ns)
{
	c->timer_ns[t] = at_ns;
	if (at_ns < c->timer.at_ns)
		rl_timerq_set(&st->timers, &c->timer, at_ns);
}

static void refile(struct rill_stack *st, struct tcp_conn *c)
{
	int64_t next_ns = RL_NEVER;

	for (int t = 0; t < TMR_N; t++)
		next_ns = RL_MIN(next_ns, c->timer_ns[t]);
	rl_timerq_set(&st->timers, &c->timer, next_ns);
}

void rl_timers_stop(struct rill_stack *st, struct tcp_conn *c)
{
	for (int t = 0; t < TMR_N; t++)
		c->timer_ns[t] = RL_NEVER;
	if (c->timer.pos)
		rl_timerq_set(&st->timers, &c->timer, RL_NEVER);
}

void rl_timers_on_data_sent(struct rill_stack *st, struct tcp_conn *c)
{
	if (c->persist || c->timer_ns[TMR_RTX] == RL_NEVER) {	/* [RFC6298-10] */
		c->persist = 0;
		arm(st, c, TMR_RTX, st->now_ns + rl_rto(st, c));
	}
}

/* [RFC6298-11] [RFC6298-12] [RFC6928-04] */
void rl_timers_on_ack(struct rill_stack *st, struct tcp_conn *c, bool progress)
{
	if (c->rtxq.head) {
		if (progress || c->persist)
			arm(st, c, TMR_RTX, st->now_ns + rl_rto(st, c));
		c->persist = 0;
		return;
	}
	if (!progress)
		return;				/* probing, holding or waiting for memory goes on */
	c->persist = 0;
	c->timer_ns[TMR_RTX] = RL_NEVER;
}

/* [RFC9293:SHLD-29] [RFC9293:SHLD-30]: the retransmission timer's slot and backoff. */
void rl_timers_on_closed_window(struct rill_stack *st, struct tcp_conn *c)
{
	if (c->persist || c->rtxq.head)
		return;
	c->persist = 1;
	c->retries = 0;
	arm(st, c, TMR_RTX, st->now_ns + rl_rto(st, c));
}

/* The override timer of silly windows, and Linux's limit of a cork. */
void rl_timers_on_held(struct rill_stack *st, struct tcp_conn *c)
{
	if (c->persist || c->rtxq.head)
		return;
	c->persist = 1;
	c->retries = 0;
	arm(st, c, TMR_RTX, st->now_ns + OVERRIDE_NS);
}

void rl_timers_on_delack(struct rill_stack *st, struct tcp_conn *c)
{
	if (c->timer_ns[TMR_DELACK] == RL_NEVER)
		arm(st, c, TMR_DELACK, st->now_ns + DELACK_NS);
}

void rl_timers_on_ack_sent(struct tcp_conn *c)
{
	c->timer_ns[TMR_DELACK] = RL_NEVER;
}

int32_t rl_tcp_keepidle(const struct rill_stack *st, const struct tcp_conn *c)
{
	/* [RFC9293:MUST-27] */
	return c->cold && c->cold->keepidle_s ? c->cold->keepidle_s
					      : RL_CFG(st, tcp_keepalive_time);
}

int32_t rl_tcp_keepintvl(const struct rill_stack *st, const struct tcp_conn *c)
{
	return c->cold && c->cold->keepintvl_s ? c->cold->keepintvl_s
					       : RL_CFG(st, tcp_keepalive_intvl);
}

int32_t rl_tcp_keepcnt(const struct rill_stack *st, const struct tcp_conn *c)
{
	return c->cold && c->cold->keepcnt ? c->cold->keepcnt
					   : RL_CFG(st, tcp_keepalive_probes);
}

/* The idle time counts from the last segment received [RFC9293:MUST-26]. */
void rl_timers_on_keepalive_changed(struct rill_stack *st, struct tcp_conn *c)
{
	bool open = c->state == RILL_ESTABLISHED || c->state == RILL_CLOSE_WAIT ||
		    c->state == RILL_FIN_WAIT1 || c->state == RILL_FIN_WAIT2;

	c->timer_ns[TMR_KEEP] = RL_NEVER;
	if (!c->keepalive || !open)		/* [RFC9293:MUST-24] */
		return;
	arm(st, c, TMR_KEEP, RL_MAX(c->last_rcv_ns + rl_tcp_keepidle(st, c) * RL_SEC,
				    st->now_ns));
}

void rl_timers_on_established(struct rill_stack *st, struct tcp_conn *c)
{
	if (c->keepalive)
		rl_timers_on_keepalive_changed(st, c);
}

bool rl_timers_on_finwait2(struct rill_stack *st, struct tcp_conn *c)
{
	int32_t s = c->cold ? c->cold->linger2_s : 0;

	if (!c->orphan)				/* the application may still read */
		return true;
	if (s < 0) {
		RL_CTR(st, tcp_abort_on_linger);
		rl_tcp_send_rst(st, c);
		return false;
	}
	arm(st, c, TMR_FINWAIT2,
	    st->now_ns + (s ? s : RL_CFG(st, tcp_fin_timeout)) * RL_SEC);
	return true;
}

static bool give_up(struct rill_stack *st, struct tcp_conn *c, enum rill_end end)
{
	/* a soft error heard on the way says more than "timed out" [RFC5461-01] */
	int err = c->soft_err ? c->soft_err : ETIMEDOUT;

	c->soft_err = 0;
	RL_CTR(st, tcp_abort_on_timeout);
	if (c->state != RILL_SYN_SENT)
		rl_tcp_send_rst(st, c);
	rl_tcp_gone(st, c, end, err);
	return false;
}

static bool user_time_over(const struct rill_stack *st, const struct tcp_conn *c)
{
	uint32_t user_ms = c->cold ? c->cold->user_timeout_ms : 0;

	return user_ms && c->retx_start_ns &&
	       st->now_ns - c->retx_start_ns >= user_ms * RL_MS;
}

/* R2: how often [RFC9293:MUST-20] or, with a user timeout, how long [RFC9293:MUST-21]. */
static bool out_of_patience(struct rill_stack *st, const struct tcp_conn *c, int32_t tries)
{
	int32_t limit = RL_CFG(st, tcp_retries2);

	if (user_time_over(st, c))
		return true;
	if (rl_tcp_syn_in_flight(c)) {
		/* [RFC9293:MUST-22] */
		limit = c->cold && c->cold->syncnt ? c->cold->syncnt
						   : RL_CFG(st, tcp_syn_retries);
	} else if (c->orphan) {
		limit = RL_CFG(st, tcp_orphan_retries);
		limit = limit ? limit : ORPHAN_RETRIES;
	} else if (c->cold && c->cold->user_timeout_ms) {
		return false;			/* the user's limit replaces R2 */
	}
	return tries >= limit;
}

static bool no_answer(struct rill_stack *st, struct tcp_conn *c)
{
	return give_up(st, c, user_time_over(st, c) ? RILL_END_USER_TIMEOUT
						    : RILL_END_TIMEOUT);
}

/* A user timeout ends the wait at its time, not at the backoff after it. */
static int64_t next_try_ns(struct rill_stack *st, const struct tcp_conn *c)
{
	int64_t at_ns = st->now_ns + rl_rto(st, c); /* [RFC6298-09] */
	uint32_t user_ms = c->cold ? c->cold->user_timeout_ms : 0;

	if (user_ms && c->retx_start_ns)
		at_ns = RL_MIN(at_ns, c->retx_start_ns + user_ms * RL_MS);
	return RL_MAX(at_ns, st->now_ns + RL_MS);
}

/*
 * What out_of_patience() counts before a closed window: questions without an
 * answer, since one that is answered may be asked for ever [RFC9293:MUST-37].
 * An orphan has nobody who could end that: at the longest backoff all count, as
 * on Linux [RFC6429].
 */
static int32_t tries_closed(const struct rill_stack *st, const struct tcp_conn *c)
{
	/* [RFC6429-02] */
	if (c->orphan && rl_rto(st, c) >= RL_CFG(st, tcp_rto_max_ms) * RL_MS)
		return c->retries;
	return c->probes; /* [RFC6429-01] */
}

/* The next copy waits a whole RTO from this one [RFC6298-09]. */
void rl_timers_on_sent_again(struct rill_stack *st, struct tcp_conn *c)
{
	arm(st, c, TMR_RTX, next_try_ns(st, c));
}

/* A closed window is probed while probes are answered [RFC9293:MUST-36]. */
static bool on_persist(struct rill_stack *st, struct tcp_conn *c)
{
	int32_t tries;

	if (rl_tcp_send_held(st, c))
		return true;
	if (!c->retx_start_ns)
		c->retx_start_ns = st->now_ns;
	tries = tries_closed(st, c);
	if (tries && out_of_patience(st, c, tries))
		return no_answer(st, c);
	if (c->retries < UINT8_MAX)
		c->retries++;
	if (c->probes < UINT8_MAX)
		c->probes++;
	RL_CTR(st, tcp_win_probes);
	rl_tcp_send_probe(st, c);
	arm(st, c, TMR_RTX, next_try_ns(st, c));
	return true;
}

/* The peer closed its window over what is in flight. */
static bool beyond_window(const struct tcp_conn *c)
{
	return !c->snd_wnd && !rl_tcp_syn_in_flight(c);
}

/* [RFC9293:lc-15] [RFC6298-13]..[RFC6298-15] */
static bool on_rtx(struct rill_stack *st, struct tcp_conn *c)
{
	if (c->persist)
		return on_persist(st, c);
	if (!c->rtxq.head) {			/* memory had run out */
		rl_tcp_want_output(st, c);
		return true;
	}
	if (!c->retx_start_ns)
		c->retx_start_ns = c->rtxq.head->sent_ns;
	/* [RFC9293:SHLD-17] beyond a shrunk window only silence counts */
	if (out_of_patience(st, c, beyond_window(c) ? tries_closed(st, c) : c->retries))
		return no_answer(st, c);
	if (beyond_window(c) && c->probes < UINT8_MAX) /* [RFC9293:MAY-7] */
		c->probes++;
	if (c->retries < UINT8_MAX)
		c->retries++;
	c->total_rto++;
	if (c->retries == RL_CFG(st, tcp_retries1))	/* R1 [RFC9293:SHLD-10] */
		rl_ip_suspect(st, &c->flow);
	if (rl_tcp_syn_in_flight(c)) {
		c->hs_retx = c->hs_retx < 3 ? c->hs_retx + 1u : 3u;
		RL_CTR(st, tcp_syn_retrans);
		rl_tcp_send_syn(st, c);
	} else {
		rl_recovery_on_rto(st, c);
		rl_tcp_want_output(st, c);
	}
	arm(st, c, TMR_RTX, next_try_ns(st, c));
	return true;
}

static bool on_delack(struct rill_stack *st, struct tcp_conn *c)
{
	if (c->ack_delayed) {
		RL_CTR(st, tcp_delayed_acks);
		c->ack_now = 1;
		rl_tcp_want_output(st, c);
	}
	return true;
}

/* [RFC9293:MUST-26] [RFC9293:MUST-29] [RFC9293:SHLD-12] */
static bool on_keep(struct rill_stack *st, struct tcp_conn *c)
{
	int64_t idle_at = c->last_rcv_ns + rl_tcp_keepidle(st, c) * RL_SEC;
	uint32_t user_ms = c->cold ? c->cold->user_timeout_ms : 0;

	if (c->rtxq.head || c->sendq.len) {	/* data in flight asks by itself */
		arm(st, c, TMR_KEEP, st->now_ns + rl_tcp_keepidle(st, c) * RL_SEC);
		return true;
	}
	if (st->now_ns < idle_at) {
		c->probes = 0;
		arm(st, c, TMR_KEEP, idle_at);
		return true;
	}
	if (user_ms ? c->probes && st->now_ns - c->last_rcv_ns >= user_ms * RL_MS
		    : c->probes >= rl_tcp_keepcnt(st, c))
		return give_up(st, c, user_ms ? RILL_END_USER_TIMEOUT : RILL_END_KEEPALIVE);
	c->probes++;
	RL_CTR(st, tcp_keepalives);
	rl_tcp_send_probe(st, c);
	arm(st, c, TMR_KEEP, st->now_ns + rl_tcp_keepintvl(st, c) * RL_SEC);
	return true;
}

static bool on_finwait2(struct rill_stack *st, struct tcp_conn *c)
{
	rl_tcp_gone(st, c, RILL_END_FIN_WAIT_2, 0);
	return false;
}

/* A handler returns false once @c may be gone. */
static bool (*const expired[TMR_N])(struct rill_stack *, struct tcp_conn *) = {
	[TMR_RTX]  = on_rtx,  [TMR_DELACK]   = on_delack,
	[TMR_KEEP] = on_keep, [TMR_FINWAIT2] = on_finwait2,
};

void rl_timers_run(struct rill_stack *st, struct tcp_conn *c)
{
	for (int t = 0; t < TMR_N; t++) {
		if (c->timer_ns[t] > st->now_ns)
			continue;
		c->timer_ns[t] = RL_NEVER;	/* before: the handler may arm it */
		if (!expired[t](st, c))
			return;
	}
	refile(st, c);
}
