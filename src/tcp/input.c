/* SPDX-License-Identifier: MIT */
/*
 * A segment arrives: checked, parsed, given to the one of the four functions of
 * [RFC9293:3.10.7] that its state has.  Also ICMP errors [RFC9293:3.9.2.2].
 */
#include <errno.h>

#include "tcp/conn.h"
#include "wire/cksum.h"

/* [RFC9293:MUST-3] Also what the device says it checked is only believed when it says so. */
static bool checksum_ok(const struct rill_pkt *p)
{
	uint32_t len = rl_pkt_len(p);
	uint64_t sum;

	if (p->flags & RL_PKT_CSUM_OK)
		return true;
	sum = rl_sum_pseudo(&p->src, &p->dst, RL_PROTO_TCP, len);
	sum += rl_sum_fold(rl_pkt_sum(p, 0, len));
	return rl_sum_finish(sum) == 0;
}

static enum rl_drop parse(struct rill_stack *st, struct rill_pkt *p, struct seg *s)
{
	/* [RFC9293:MUST-57] [RFC9293:MUST-63] [RFC1122-35] */
	if ((p->flags & (RL_PKT_LINK_BCAST | RL_PKT_IP_BCAST | RL_PKT_IP_MCAST)) ||
	    rl_ip_is_mcast(&p->src) || rl_ip_is_broadcast(st, &p->src))
		return RL_DROP_TCP_NOT_UNICAST;
	if (rl_pkt_len(p) < TCP_HDR_LEN || rl_tcp_hdr_parse(&s->h, p->data, p->len) < 0)
		return RL_DROP_TCP_SHORT;
	if (!checksum_ok(p)) {
		RL_CTR(st, tcp_in_csum_errors);
		return RL_DROP_TCP_CSUM;
	}
	/* [RFC9293:MUST-5] */
	if (rl_tcp_opts_parse(&s->o, p->data + TCP_HDR_LEN, s->h.hdr_len - TCP_HDR_LEN) < 0)
		return RL_DROP_TCP_OPTIONS;
	s->p = p;
	s->seq = s->h.seq;
	s->ack = s->h.ack;
	s->off = s->h.hdr_len;
	s->len = rl_pkt_len(p) - s->h.hdr_len;
	s->wnd = s->h.win;
	s->flags = s->h.flags;
	return RL_DROP_NONE;
}

static enum rl_drop to_conn(struct rill_stack *st, struct tcp_conn *c, struct seg *s)
{
	if (!rl_tcp_ttl_ok(c, s->p))
		return RL_DROP_MIN_TTL;
	c->segs_in += s->p->gso_size ? (s->len + s->p->gso_size - 1) / s->p->gso_size : 1;
	if (c->state == RILL_SYN_SENT)
		return rl_tcp_arrives_synsent(st, c, s);
	return rl_tcp_arrives_other(st, c, s);
}

static enum rl_drop to_req(struct rill_stack *st, struct tcp_req *r, struct seg *s)
{
	if (!rl_tcp_ttl_ok(rl_conn_at(st, r->parent), s->p))
		return RL_DROP_MIN_TTL;
	return rl_tcp_arrives_req(st, r, s);
}

static enum rl_drop dispatch(struct rill_stack *st, struct seg *s)
{
	const struct rill_pkt *p = s->p;
	struct tcp_conn *l;
	struct rl_found f;

	if (rl_demux_find(st, &p->dst, s->h.dport, &p->src, s->h.sport, &f)) {
		switch (f.kind) {
		case RL_NODE_CONN:
			return to_conn(st, f.conn, s);
		case RL_NODE_REQ:
			return to_req(st, f.req, s);
		case RL_NODE_TW:
			return rl_tcp_arrives_timewait(st, f.tw, s);
		}
	}
	l = rl_listener_find(st, &p->dst, s->h.dport, &p->src, s->h.sport, p->ifindex);
	if (!l)
		return rl_tcp_arrives_closed(st, s);
	if (!rl_tcp_ttl_ok(l, p))
		return RL_DROP_MIN_TTL;
	return rl_tcp_arrives_listen(st, l, s);
}

void rl_tcp_input(struct rill_stack *st, struct rill_pkt *p)
{
	struct seg s = { 0 };
	enum rl_drop why = parse(st, p, &s);

	RL_CTR(st, tcp_in_segs);
	if (why != RL_DROP_NONE)
		RL_CTR(st, tcp_in_errs);
	else
		why = dispatch(st, &s);
	if (why != RL_DROP_NONE) {
		struct rill_trace *t = rl_trace_slot(&st->obs);

		rl_drop(st, why);
		if (t)
			*t = (struct rill_trace){
				.at_ns = st->now_ns, .kind = RILL_TR_DROP,
				.a = (uint8_t)why,
				.local = { .ip = p->dst, .port = s.h.dport },
				.peer = { .ip = p->src, .port = s.h.sport },
			};
	}
	rl_pkt_free(&st->bufs, p);
}

/* [RFC9293:3.10.7.1] CLOSED: everything but a RST is answered by one [RFC9293:lc-2]. */
enum rl_drop rl_tcp_arrives_closed(struct rill_stack *st, struct seg *s)
{
	if (s->flags & TH_RST)
		return RL_DROP_RST_NO_CONN;
	rl_tcp_reply_rst(st, s);
	return RL_DROP_TCP_NO_CONN;
}

/* [RFC9293:lc-9] The four cases of length and window. */
bool rl_seq_acceptable(const struct seg *s, seq_t rcv_nxt, uint32_t wnd)
{
	uint32_t len = seg_len(s);

	if (!len && !wnd)
		return seq_eq(s->seq, rcv_nxt);
	if (!len)
		return seq_in(s->seq, rcv_nxt, wnd);
	if (!wnd)
		return false;
	return seq_in(s->seq, rcv_nxt, wnd) ||
	       seq_in(seq_add(s->seq, len - 1), rcv_nxt, wnd) ||
	       /* longer than the window on both sides */
	       (seq_lt(s->seq, rcv_nxt) &&
		seq_ge(seq_add(s->seq, len), seq_add(rcv_nxt, wnd)));
}

/* ---- ICMP ---- */

/*
 * [RFC9293:SHLD-26] before the handshake is done a hard error ends it; after it RFC 5927 5.2.
 * [RFC5927-02] [RFC1122-18]
 */
static void icmp_to_conn(struct rill_stack *st, struct tcp_conn *c,
			 const struct rl_icmp_err *e)
{
	bool opening = c->state == RILL_SYN_SENT ||
		       (c->state == RILL_SYN_RECV && c->active);
	/* our own neighbour discovery failed: that is no ICMP message to doubt */
	bool local = rl_ip_is_any(&e->from);

	if (opening && (e->kind == RL_ICMP_HARD || local)) {
		rl_tcp_gone(st, c, RILL_END_UNREACHABLE, e->err);
		return;
	}
	/* [RFC9293:MUST-56] [RFC9293:MUST-47] [RFC9293:SHLD-25] remembered, shown, not obeyed */
	c->soft_err = (int16_t)e->err;
}

bool rl_tcp_icmp(struct rill_stack *st, const struct rl_icmp_err *e)
{
	struct rl_found f;
	seq_t seq;

	if (e->quote_len < 8 ||
	    !rl_demux_find(st, &e->src, get16(e->quote), &e->dst, get16(e->quote + 2), &f))
		return false;
	seq = seq_make(get32(e->quote + 4));
	if (f.kind == RL_NODE_REQ)		/* the SYN+ACK is what is in flight */
		return seq_eq(seq, f.req->iss);
	if (f.kind == RL_NODE_TW)
		return false;
	/* [RFC5927-01] [RFC9293:MUST-54] */
	if (!rl_ip_is_any(&e->from) &&
	    !seq_in(seq, f.conn->snd_una, (uint32_t)seq_diff(f.conn->snd_nxt, f.conn->snd_una))) {
		RL_CTR(st, tcp_out_of_window_icmps);
		return false;
	}
	if (e->kind != RL_ICMP_TOO_BIG)
		icmp_to_conn(st, f.conn, e);
	return true;
}

/*
 * [RFC1191-05] [RFC8201-05] cut anew and send again at once, without blame on congestion.
 * [RFC4443-07]
 */
static void pmtu_to_conn(struct rill_stack *st, struct tcp_conn *c)
{
	uint32_t old = c->mss;

	c->flow.d.gen = 0;
	rl_tcp_set_mss(st, c);
	if (c->mss >= old)			/* also: one message of a burst [RFC1191-06] */
		return;
	RL_CTR(st, tcp_pmtu_lowered);
	if (!c->rtxq.head || rl_tcp_syn_in_flight(c))
		return;
	rl_rtxq_lose_all(c);
	c->retx_forced = 1;
	rl_tcp_want_output(st, c);
}

void rl_tcp_pmtu(struct rill_stack *st, const struct rill_ip *dst)
{
	for (uint32_t i = 0; i < rl_slab_end(&st->conns); i++) {
		struct tcp_conn *c = rl_slab_live(&st->conns, i);

		if (c && c->hashed && rl_ip_eq(&c->flow.dst, dst))
			pmtu_to_conn(st, c);
	}
}
