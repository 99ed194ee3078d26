/* SPDX-License-Identifier: MIT */
/*
 * A segment arrives in SYN-SENT [RFC9293:3.10.7.3]: ACK, RST, SYN, in this order.
 * A SYN without ACK is a simultaneous open [RFC9293:MUST-10].
 */
#include <errno.h>

#include "tcp/conn.h"

/* What both SYNs offered holds [RFC7323-01] [RFC2018-02]. */
static void negotiate(struct rill_stack *st, struct tcp_conn *c, const struct seg *s)
{
	c->opt_ws = s->o.has_wscale && RL_CFG(st, tcp_window_scaling); /* [RFC7323-03] */
	c->opt_ts = s->o.has_ts && RL_CFG(st, tcp_timestamps);
	c->opt_sack = s->o.sack_ok && RL_CFG(st, tcp_sack);
	c->snd_wscale = c->opt_ws ? s->o.wscale : 0;
	if (!c->opt_ws)
		c->rcv_wscale = 0;
	if (c->opt_ts) {
		c->ts_recent = s->o.ts_val;	/* [RFC7323-26] */
		c->ts_recent_ns = st->now_ns;
	}
	/* [RFC9293:MUST-15] [RFC2525-03] */
	c->mss_peer = s->o.mss ? s->o.mss : rl_tcp_is4(c) ? 536 : 1220;
}

static void take_syn(struct rill_stack *st, struct tcp_conn *c, const struct seg *s)
{
	negotiate(st, c, s);
	c->irs = s->seq;
	c->rcv_nxt = seq_add(s->seq, 1);
	c->last_ack_sent = c->rcv_nxt;
	c->rcv_adv = seq_add(c->rcv_nxt, rl_tcp_syn_window(c));
	c->last_rcv_ns = st->now_ns;
	rl_tcp_set_mss(st, c);
	c->rcv_mss = RL_MIN(c->mss, 536u);
	c->quickacks = 16;
	rl_tcp_update_window(c, s, true);	/* [RFC1122-43] [RFC9293:lc-12], doc/adr/0004 */
}

static void establish(struct rill_stack *st, struct tcp_conn *c, struct seg *s)
{
	struct tcp_ack_result r = { 0 };

	take_syn(st, c, s);
	rl_rtt_after_handshake(st, c);
	rl_tcp_set_state(st, c, RILL_ESTABLISHED);
	rl_tcp_ack(st, c, s, &r);		/* our SYN; the first RTT sample */
	/* the handshake's ACK does not count [RFC5681-04] */
	rl_tcp_init_cwnd(st, c);
	c->cc->init(c);
	rl_timers_on_established(st, c);
	rl_event(st, &c->ep, RILL_OUT);
	c->ack_now = 1;
	rl_tcp_want_output(st, c);
}

/* Text or FIN that came with the SYN [RFC9293:lc-13]. */
static enum rl_drop rest_of_syn(struct rill_stack *st, struct tcp_conn *c, struct seg *s)
{
	s->seq = seq_add(s->seq, 1);
	s->flags &= (uint8_t)~TH_SYN;
	if (!seg_len(s) && !(s->flags & TH_URG))
		return RL_DROP_NONE;
	return rl_tcp_arrives_other(st, c, s);
}

enum rl_drop rl_tcp_arrives_synsent(struct rill_stack *st, struct tcp_conn *c, struct seg *s)
{
	/* first, the ACK bit: exactly our SYN, since nothing else was sent */
	if ((s->flags & TH_ACK) &&
	    (seq_le(s->ack, c->iss) || seq_gt(s->ack, c->snd_nxt))) {
		rl_tcp_reply_rst(st, s);	/* [RFC9293:lc-14]; none to a RST */
		return RL_DROP_SYN_SENT_BAD_ACK;
	}
	/* second, RST: only the ACK validates it [RFC9293:U-2] */
	if (s->flags & TH_RST) {
		if (!(s->flags & TH_ACK))
			return RL_DROP_SYN_SENT_RST;
		rl_tcp_gone(st, c, RILL_END_REFUSED, ECONNREFUSED);
		return RL_DROP_RST;
	}
	/* third, security: not supported.  fourth, SYN */
	if (!(s->flags & TH_SYN))
		return RL_DROP_SYN_SENT_NO_SYN;
	if (s->flags & TH_ACK) {
		if (s->o.has_ts && RL_CFG(st, tcp_timestamps) && s->o.ts_ecr &&
		    rl_tcp_ts_now(st, c->ts_off) - s->o.ts_ecr > INT32_MAX) {
			RL_CTR(st, tcp_paws_active);	/* echo of a time to come */
			rl_tcp_reply_rst(st, s);
			return RL_DROP_SYN_SENT_BAD_ACK;
		}
		establish(st, c, s);
		return rest_of_syn(st, c, s);
	}
	take_syn(st, c, s);
	rl_tcp_set_state(st, c, RILL_SYN_RECV);
	rl_tcp_send_syn(st, c);
	rl_timers_on_sent_again(st, c);
	return RL_DROP_NONE;
}
