/* SPDX-License-Identifier: MIT */
/*
 * Reno: slow start and congestion avoidance [RFC5681:3.1].  Fast recovery lies
 * in recovery.c, because every controller shares it.
 */
#include "tcp/conn.h"

static void reno_init(struct tcp_conn *c)
{
	c->ccs.reno.acked = 0;
}

/*
 * Slow start counts bytes [RFC3465-01], all of them as Linux does: behind receive
 * offload an ACK covers many segments, and a limit L would stall.  Congestion
 * avoidance adds a segment for each window acknowledged [RFC5681-09] [RFC9293:MUST-19].
 * [RFC5681-02]
 */
static void reno_on_ack(struct tcp_conn *c, const struct cc_ack *a)
{
	uint32_t acked = a->acked;

	if (!a->cwnd_limited)		/* it was not tried, so not proven [RFC7661-01] */
		return;
	if (c->cwnd < c->ssthresh) {
		uint32_t room = c->ssthresh - c->cwnd, use = RL_MIN(acked, room);

		c->cwnd += use;
		acked -= use;
		if (!acked)
			return;
	}
	c->ccs.reno.acked += acked;
	if (c->ccs.reno.acked >= c->cwnd) {
		c->ccs.reno.acked -= c->cwnd;
		c->cwnd += c->mss; /* [RFC2525-06] */
	}
}

static uint32_t reno_ssthresh(struct tcp_conn *c, uint32_t in_flight)
{
	c->ccs.reno.acked = 0;
	return RL_MAX(in_flight / 2, 2 * c->mss);	/* [RFC5681-10] */
}

const struct cc_ops rl_cc_reno = {
	.name = "reno",
	.init = reno_init,
	.on_ack = reno_on_ack,
	.ssthresh = reno_ssthresh,
};

static const struct cc_ops *const all[] = { &rl_cc_reno };

const struct cc_ops *rl_cc_at(unsigned i)
{
	return i < ARRAY_LEN(all) ? all[i] : NULL;
}

const struct cc_ops *rl_cc_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (rl_streq(all[i]->name, name))
			return all[i];
	return NULL;
}
