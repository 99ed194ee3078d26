/* SPDX-License-Identifier: MIT */
/* Round-trip time and retransmission timeout [RFC6298]. */
#include "tcp/conn.h"

#define RTO_INITIAL_NS	(1 * RL_SEC)		/* [RFC6298-01] [RFC2525-07] */
#define RTO_AFTER_SYN_NS (3 * RL_SEC)		/* [RFC6298-16] */
#define GRANULARITY_NS	RL_MS

static int64_t clamp_rto(const struct rill_stack *st, int64_t rto_ns)
{
	int64_t min_ns = RL_CFG(st, tcp_rto_min_us) * RL_US;
	int64_t max_ns = RL_CFG(st, tcp_rto_max_ms) * RL_MS;

	return RL_MIN(RL_MAX(rto_ns, min_ns), max_ns);
}

void rl_rtt_init(struct rill_stack *st, struct tcp_conn *c)
{
	c->srtt_ns = 0;
	c->rttvar_ns = 0;
	c->min_rtt_us = UINT32_MAX;
	c->rto_ns = RL_MIN(RTO_INITIAL_NS, RL_CFG(st, tcp_rto_max_ms) * RL_MS);
}

void rl_rtt_sample(struct rill_stack *st, struct tcp_conn *c, int64_t rtt_ns)
{
	int64_t dev;

	rtt_ns = RL_MAX(rtt_ns, 1);
	c->min_rtt_us = RL_MIN(c->min_rtt_us, (uint32_t)(rtt_ns / RL_US));
	if (!c->srtt_ns) {			/* [RFC6298-02] */
		c->srtt_ns = rtt_ns;
		c->rttvar_ns = rtt_ns / 2;
	} else {				/* [RFC6298-03]: the variation first */
		dev = c->srtt_ns > rtt_ns ? c->srtt_ns - rtt_ns : rtt_ns - c->srtt_ns;
		c->rttvar_ns += (dev - c->rttvar_ns) / 4;
		c->srtt_ns += (rtt_ns - c->srtt_ns) / 8;
		c->srtt_ns = RL_MAX(c->srtt_ns, 1);
	}
	/*
	 * The minimum is Linux's 200 ms instead of 1 s, and as there it bounds
	 * the variance term, so that RTO is never below RTT + 200 ms [RFC6298-08]
	 * [RFC9293:MUST-18].
	 */
	c->rto_ns = clamp_rto(st, c->srtt_ns +
			      RL_MAX(RL_MAX(4 * c->rttvar_ns, GRANULARITY_NS),
				     RL_CFG(st, tcp_rto_min_us) * RL_US));
}

int64_t rl_rto(const struct rill_stack *st, const struct tcp_conn *c)
{
	/* [RFC1122-45] [RFC2525-10] */
	uint8_t backoff = RL_MIN(c->retries, 20);	/* [RFC6298-14] */

	return clamp_rto(st, c->rto_ns << backoff);
}

/* The SYN had to be repeated: its first RTO was too short for this path. */
void rl_rtt_after_handshake(struct rill_stack *st, struct tcp_conn *c)
{
	if (c->hs_retx && !c->srtt_ns)
		c->rto_ns = clamp_rto(st, RTO_AFTER_SYN_NS);
}
