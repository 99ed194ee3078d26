/* SPDX-License-Identifier: MIT */
/*
 * Segments: one function writes a header, the rest decide what goes into it.
 * Payload is referenced from the send queue, checksums are left partial for the
 * device or for ip/ to finish [RFC9293:MUST-2].
 */
#include "tcp/conn.h"
#include "wire/cksum.h"

struct piece {				/* what is to be sent */
	seq_t		seq, ack;
	uint32_t	off, len;	/* payload in sendq */
	uint16_t	win, urg;
	uint8_t		flags;
	struct tcp_opts	o;
};

static struct rill_pkt *make(struct rill_stack *st, const struct piece *x, uint16_t sport,
			     uint16_t dport, const struct rl_flow *f, uint32_t payload)
{
	struct rill_pkt *p = rl_pkt_new(&st->bufs, TCP_HDR_LEN + TCP_MAX_OPT);
	struct tcp_hdr h = {
		.sport = sport, .dport = dport, .seq = x->seq, .ack = x->ack,
		.flags = x->flags, .win = x->win, .urg = x->urg,
	};
	uint16_t sum;

	if (!p) {
		rl_drop(st, RL_DROP_NO_MEMORY);
		return NULL;
	}
	h.hdr_len = (uint8_t)(TCP_HDR_LEN +
			      rl_tcp_opts_write(&x->o, p->data + TCP_HDR_LEN));
	rl_tcp_hdr_write(&h, p->data);
	p->len = h.hdr_len;
	sum = rl_sum_fold(rl_sum_pseudo(&f->src, &f->dst, RL_PROTO_TCP, h.hdr_len + payload));
	memcpy(p->data + 16, &sum, 2);
	p->flags |= RL_PKT_CSUM_PARTIAL;
	p->csum_off = 16;
	return p;
}

static void add_timestamp(struct rill_stack *st, const struct tcp_conn *c, struct tcp_opts *o)
{
	o->has_ts = true;			/* [RFC7323-12] */
	o->ts_val = rl_tcp_ts_now(st, c->ts_off);
	o->ts_ecr = c->ts_recent;
}

/* Options of a synchronized connection's segment of @len bytes. */
static void fill_opts(struct rill_stack *st, struct tcp_conn *c, struct piece *x)
{
	int max = c->opt_ts ? 3 : 4;		/* [RFC2018-05] */

	if (c->opt_ts)
		add_timestamp(st, c, &x->o);
	if (!c->opt_sack || (!c->ooo && !c->has_dsack))
		return;
	/* beside payload only where the segment stays below the MSS */
	if (x->len && x->len + 4 + 8u * (uint32_t)max > c->mss)
		return;
	rl_tcp_sack_blocks(st, c, &x->o, max);	/* [RFC2018-03] */
}

/* The window field, and the promise it makes. */
static uint16_t offer_window(struct rill_stack *st, struct tcp_conn *c)
{
	uint32_t wnd = rl_tcp_new_window(st, c);

	if (!wnd && !c->zero_adv)
		RL_CTR(st, tcp_to_zero_window);
	if (wnd && c->zero_adv)
		RL_CTR(st, tcp_from_zero_window);
	c->zero_adv = !wnd;
	c->rcv_adv = seq_max(c->rcv_adv, seq_add(c->rcv_nxt, wnd)); /* [RFC7323-09] */
	return (uint16_t)(wnd >> c->rcv_wscale);	/* [RFC7323-06] */
}

static void note_ack_sent(struct tcp_conn *c)
{
	c->last_ack_sent = c->rcv_nxt;
	c->ack_now = c->ack_delayed = 0;
	c->ack_bytes = 0;
	rl_timers_on_ack_sent(c);
}

static uint16_t urgent_field(const struct tcp_conn *c, struct piece *x)
{
	int32_t n;

	if (!c->cold || !c->cold->snd_urg)
		return 0;
	n = seq_diff(c->cold->snd_up, x->seq);
	if (n <= 0)
		return 0;
	x->flags |= TH_URG;
	return (uint16_t)RL_MIN(n, 65535); /* [RFC9293:MUST-31] */
}

/*
 * Send @x of a synchronized connection.  Return: payload bytes sent, which may
 * be fewer than asked (cut to whole segments), or -1 without memory.
 */
static int64_t emit(struct rill_stack *st, struct tcp_conn *c, struct piece *x)
{
	struct rill_pkt *p;
	uint32_t took = 0;

	fill_opts(st, c, x);
	x->ack = c->rcv_nxt;
	x->win = offer_window(st, c);
	x->urg = urgent_field(c, x);
	p = make(st, x, c->lport, c->rport, &c->flow, x->len);
	if (!p)
		return -1;
	if (x->len)
		took = rl_bytesq_to_pkt(&c->sendq, x->off, x->len, p);
	if (took < x->len) {		/* out of references: whole segments, no FIN, no PSH */
		rl_pkt_free(&st->bufs, p);
		x->len = took > c->mss ? took - took % c->mss : took;
		x->flags &= (uint8_t)~(TH_FIN | TH_PSH);
		p = make(st, x, c->lport, c->rport, &c->flow, x->len);
		if (!p)
			return -1;
		rl_bytesq_to_pkt(&c->sendq, x->off, x->len, p);
	}
	if (x->len > c->mss) {
		p->gso_size = c->mss;
		p->gso = rl_tcp_is4(c) ? RL_GSO_TCP4 : RL_GSO_TCP6;
	}
	c->segs_out += x->len > c->mss ? (x->len + c->mss - 1) / c->mss : 1;
	c->last_snd_ns = x->len ? st->now_ns : c->last_snd_ns;
	note_ack_sent(c);
	rl_ip_output(st, p, &c->flow);
	return x->len;
}

int64_t rl_tcp_send_data(struct rill_stack *st, struct tcp_conn *c, seq_t seq, uint32_t len,
			 bool fin, bool resend)
{
	struct piece x = {
		.seq = seq, .len = len, .flags = TH_ACK,
		.off = (uint32_t)seq_diff(seq, c->snd_una),	/* [RFC2525-04] */
	};
	uint32_t segs;
	int64_t n;

	if (len && x.off + len == c->sendq.len)
		/* [RFC9293:MAY-16] */
		x.flags |= TH_PSH;		/* [RFC9293:MUST-61] [RFC9293:SHLD-27] */
	if (fin)
		x.flags |= TH_FIN;
	n = emit(st, c, &x);
	if (n < 0)
		return n;
	segs = (uint32_t)RL_MAX((n + c->mss - 1) / c->mss, 1);
	c->data_segs_out += n ? segs : 0;
	c->bytes_sent += (uint64_t)n;
	RL_CTR_ADD(st, tcp_out_bytes, (uint64_t)n);
	if (resend) {
		c->total_retrans += segs;
		c->bytes_retrans += (uint64_t)n;
		RL_CTR_ADD(st, tcp_retrans_segs, segs);
	} else {
		RL_CTR_ADD(st, tcp_out_segs, segs);
	}
	return n;
}

void rl_tcp_send_ack(struct rill_stack *st, struct tcp_conn *c)
{
	struct piece x = { .seq = c->snd_nxt, .flags = TH_ACK }; /* [RFC9293:lc-7] */

	RL_CTR(st, tcp_out_segs);
	if (emit(st, c, &x) >= 0)
		return;
	c->ack_now = 0;				/* no memory: soon again */
	c->ack_delayed = 1;
	rl_timers_on_delack(st, c);
}

/*
 * [RFC9293:3.8.4] [RFC9293:SHLD-12] An empty segment that the peer must answer, since its
 * number is used up; for a closed window the same question serves.
 */
void rl_tcp_send_probe(struct rill_stack *st, struct tcp_conn *c)
{
	struct piece x = { .seq = seq_sub(c->snd_una, 1), .flags = TH_ACK };

	RL_CTR(st, tcp_out_segs);
	emit(st, c, &x);
}

/* SYN of an active open, SYN+ACK in a simultaneous one. */
void rl_tcp_send_syn(struct rill_stack *st, struct tcp_conn *c)
{
	bool answer = c->state != RILL_SYN_SENT;
	struct piece x = { .seq = c->iss, .flags = TH_SYN };
	struct rill_pkt *p;

	/* in no other segment [RFC9293:MUST-65] */
	x.o.mss = c->mss_adv;	/* [RFC9293:MUST-14] [RFC9293:SHLD-5] [RFC9293:MAY-3] */
	x.o.sack_ok = answer ? c->opt_sack : RL_CFG(st, tcp_sack); /* [RFC2018-01] */
	x.o.has_wscale = answer ? c->opt_ws : RL_CFG(st, tcp_window_scaling); /* [RFC7323-02] */
	x.o.wscale = c->rcv_wscale;
	if (answer ? c->opt_ts : RL_CFG(st, tcp_timestamps) != 0) {
		add_timestamp(st, c, &x.o);
		x.o.ts_ecr = answer ? c->ts_recent : 0; /* [RFC7323-14] */
	}
	if (answer) {
		x.flags |= TH_ACK;
		x.ack = c->rcv_nxt;
	}
	x.win = rl_tcp_syn_window(c);
	p = make(st, &x, c->lport, c->rport, &c->flow, 0);
	c->segs_out++;
	if (c->hs_retx)
		RL_CTR(st, tcp_retrans_segs);
	else
		RL_CTR(st, tcp_out_segs);
	if (c->rtxq.head)
		rl_rtxq_on_resent(st, c, c->rtxq.head);
	if (p)
		rl_ip_output(st, p, &c->flow);
}

void rl_tcp_send_synack(struct rill_stack *st, struct tcp_req *r)
{
	struct rl_flow f = { .src = r->laddr, .dst = r->raddr, .proto = RL_PROTO_TCP,
			     .bound_if = r->ifindex };
	struct tcp_conn *l = rl_conn_at(st, r->parent);
	struct piece x = {
		.seq = r->iss, .ack = seq_add(r->irs, 1), .flags = TH_SYN | TH_ACK,
		.win = r->win,
		.o = { .sack_ok = r->has_sack, .has_wscale = r->has_ws,
		       .wscale = r->rcv_wscale, .has_ts = r->has_ts,
		       .ts_val = rl_tcp_ts_now(st, r->ts_off), .ts_ecr = r->ts_recent },
	};
	struct rill_pkt *p;

	f.tos = l->flow.tos;
	f.ttl = l->flow.ttl;
	f.df = l->flow.df;
	x.o.mss = rl_tcp_adv_mss(st, &f, l->cold ? l->cold->maxseg : 0);
	p = make(st, &x, r->lport, r->rport, &f, 0);
	if (r->retries)
		RL_CTR(st, tcp_retrans_segs);
	else
		RL_CTR(st, tcp_out_segs);
	if (p)
		rl_ip_output(st, p, &f);
}

void rl_tcp_send_tw_ack(struct rill_stack *st, struct tcp_tw *w)
{
	struct rl_flow f = { .src = w->laddr, .dst = w->raddr, .proto = RL_PROTO_TCP,
			     .df = !RL_CFG(st, ip_no_pmtu_disc), .bound_if = w->ifindex };
	struct piece x = {
		.seq = w->snd_nxt, .ack = w->rcv_nxt, .flags = TH_ACK,
		.win = (uint16_t)RL_MIN(w->rcv_wnd >> w->rcv_wscale, 65535u),
		.o = { .has_ts = w->has_ts, .ts_val = rl_tcp_ts_now(st, w->ts_off),
		       .ts_ecr = w->ts_recent },
	};
	struct rill_pkt *p = make(st, &x, w->lport, w->rport, &f, 0);

	RL_CTR(st, tcp_out_segs);
	if (p)
		rl_ip_output(st, p, &f);
}

void rl_tcp_send_rst(struct rill_stack *st, struct tcp_conn *c)
{
	struct piece x = { .seq = c->snd_nxt, .ack = c->rcv_nxt, .flags = TH_RST | TH_ACK };
	struct rill_pkt *p;

	switch ((enum rill_tcp_state)c->state) {
	case RILL_SYN_RECV:
	case RILL_ESTABLISHED:
	case RILL_FIN_WAIT1:
	case RILL_FIN_WAIT2:
	case RILL_CLOSE_WAIT:
		break;
	case RILL_CLOSE:
	case RILL_LISTEN:
	case RILL_SYN_SENT:
	case RILL_CLOSING:
	case RILL_LAST_ACK:
	case RILL_TIME_WAIT:
	case RILL_TCP_STATES:
		return;				/* nothing to reset at the peer [RFC9293:3.10.5] */
	}
	if (c->opt_ts)
		add_timestamp(st, c, &x.o);	/* [RFC7323:3.2] it should be there too */
	p = make(st, &x, c->lport, c->rport, &c->flow, 0);
	RL_CTR(st, tcp_out_rsts);
	RL_CTR(st, tcp_out_segs);
	if (p)
		rl_ip_output(st, p, &c->flow);
}

/*
 * [RFC9293:lc-3] The number the peer expects: what it acknowledges, or zero
 * with an ACK that covers the whole segment.  Never to a RST [RFC9293:lc-4].
 */
void rl_tcp_reply_rst(struct rill_stack *st, const struct seg *s)
{
	struct rl_flow f = { .src = s->p->dst, .dst = s->p->src, .proto = RL_PROTO_TCP,
			     .df = true, .bound_if = s->p->ifindex };
	struct piece x = { .flags = TH_RST };
	struct rill_pkt *p;

	if (s->flags & TH_RST)
		return;
	if (s->flags & TH_ACK) {
		x.seq = s->ack;
	} else {
		x.flags |= TH_ACK;
		x.ack = seq_add(s->seq, seg_len(s));
	}
	if (s->o.has_ts) {			/* [RFC7323-21] */
		x.o.has_ts = true;
		x.o.ts_ecr = s->o.ts_val;
	}
	if (s->p->flags & RL_PKT_LOOPED)
		f.bound_if = 0;
	p = make(st, &x, s->h.dport, s->h.sport, &f, 0);
	RL_CTR(st, tcp_out_rsts);
	RL_CTR(st, tcp_out_segs);
	if (p)
		rl_ip_output(st, p, &f);
}
