/* SPDX-License-Identifier: MIT */
/* Looking at connections: TCP_INFO and the rows of `rill ss`. */
#include <errno.h>

#include "stack/id.h"
#include "tcp/conn.h"

#define NO_PACING	UINT64_MAX

uint32_t rl_tcp_sndbuf(const struct rill_stack *st, const struct tcp_conn *c)
{
	uint64_t want = 2ull * c->cwnd + 65536;	/* a window in flight and one behind it */

	if (c->sndbuf_set || c->state == RILL_CLOSE)
		return c->sndbuf;
	want = RL_MAX(want, (uint64_t)c->sndbuf);
	return (uint32_t)RL_MIN(want, (uint64_t)RL_MAX(st->cfg.tcp_wmem[2], st->cfg.tcp_wmem[1]));
}

static enum tcp_chrono chrono_of(const struct tcp_conn *c)
{
	if (!c->sendq.len)
		return CHRONO_IDLE;
	if (c->hold == RL_HOLD_RWND || c->hold == RL_HOLD_SWS)
		return CHRONO_RWND;		/* closed, or open by too little */
	if (c->snd_blocked && c->hold == RL_HOLD_NO_DATA)
		return CHRONO_SNDBUF;		/* it would write more, and we would send it */
	return CHRONO_BUSY;
}

void rl_tcp_chrono(struct rill_stack *st, struct tcp_conn *c)
{
	c->chrono_us[c->chrono] += (uint32_t)((st->now_ns - c->chrono_ns) / RL_US);
	c->chrono_ns = st->now_ns;
	c->chrono = (uint8_t)chrono_of(c);
}

static uint32_t ms_since(const struct rill_stack *st, int64_t at_ns)
{
	return at_ns ? (uint32_t)((st->now_ns - at_ns) / RL_MS) : 0;
}

static void info_timing(struct rill_stack *st, const struct tcp_conn *c,
			struct rill_tcp_info *i)
{
	i->rto = (uint32_t)(rl_rto(st, c) / RL_US);
	i->ato = 40000;
	i->rtt = (uint32_t)(c->srtt_ns / RL_US);
	i->rttvar = (uint32_t)(c->rttvar_ns / RL_US);
	i->min_rtt = c->min_rtt_us;
	i->rcv_rtt = i->rtt;
	i->last_data_sent = ms_since(st, c->last_snd_ns);
	i->last_data_recv = ms_since(st, c->last_data_ns);
	i->last_ack_recv = ms_since(st, c->last_ack_ns);
}

/* Time in that condition, the one that lasts included. */
static uint64_t chrono_us(const struct rill_stack *st, const struct tcp_conn *c,
			  enum tcp_chrono k)
{
	uint64_t us = c->chrono_us[k];

	if (c->chrono == k)
		us += (uint64_t)((st->now_ns - c->chrono_ns) / RL_US);
	return us;
}

static void info_sender(const struct rill_stack *st, const struct tcp_conn *c,
			struct rill_tcp_info *i)
{
	uint32_t mss = c->mss ? c->mss : 1;
	uint32_t flight = (uint32_t)seq_diff(c->snd_nxt, c->snd_una);

	i->ca_state = c->in_loss ? 4 : c->in_recovery ? 3 : c->dupacks ? 1 : 0;
	i->unacked = (flight + mss - 1) / mss;
	i->sacked = (c->rtxq.sacked + mss - 1) / mss;
	i->lost = (c->rtxq.lost + mss - 1) / mss;
	i->retrans = (c->rtxq.retx + mss - 1) / mss;
	i->snd_cwnd = c->cwnd / mss;
	i->snd_ssthresh = c->ssthresh == UINT32_MAX ? 0x7fffffff : c->ssthresh / mss;
	i->snd_wnd = c->snd_wnd;
	i->notsent_bytes = c->sendq.len > flight ? c->sendq.len - flight : 0;
	i->bytes_acked = c->bytes_acked;
	i->bytes_sent = c->bytes_sent;
	i->bytes_retrans = c->bytes_retrans;
	i->total_retrans = c->total_retrans;
	i->data_segs_out = c->data_segs_out;
	i->segs_out = c->segs_out;
	i->delivered = (uint32_t)(c->bytes_acked / mss);
	i->dsack_dups = c->dsack_dups;
	i->total_rto = c->total_rto;
	i->total_rto_recoveries = c->total_loss;
	i->total_rto_time = c->loss_ms;
	i->reord_seen = c->reord_seen;
	i->delivery_rate = c->delivery_rate;
	i->rwnd_limited = chrono_us(st, c, CHRONO_RWND);
	i->sndbuf_limited = chrono_us(st, c, CHRONO_SNDBUF);
	i->busy_time = chrono_us(st, c, CHRONO_BUSY) + i->rwnd_limited + i->sndbuf_limited;
	i->pacing_rate = i->max_pacing_rate = NO_PACING;
}

void rl_tcp_info(struct rill_stack *st, const struct tcp_conn *c, struct rill_tcp_info *i)
{
	memset(i, 0, sizeof(*i));
	i->state = c->state;
	if (c->state == RILL_LISTEN) {		/* as Linux reports its queues */
		i->unacked = c->lst->n_accept;
		i->sacked = c->lst->backlog;
		return;
	}
	i->retransmits = c->persist ? 0 : c->retries;
	i->backoff = c->retries;
	i->probes = c->probes;
	i->options = (uint8_t)(c->opt_ts | c->opt_sack << 1 | c->opt_ws << 2);
	i->wscales = (uint8_t)(c->snd_wscale | c->rcv_wscale << 4);
	i->snd_mss = c->mss;
	i->rcv_mss = c->rcv_mss;
	i->advmss = c->mss_adv;
	i->pmtu = c->flow.d.mtu;
	i->rcv_ssthresh = c->rcvbuf / 2;
	i->rcv_space = c->tune_space;
	i->rcv_wnd = rl_tcp_rcv_wnd(c);
	i->rcv_ooopack = c->rcv_ooopack;
	i->reordering = (uint32_t)RL_CFG(st, tcp_reordering);
	i->bytes_received = c->bytes_received;
	i->segs_in = c->segs_in;
	i->data_segs_in = c->data_segs_in;
	info_timing(st, c, i);
	info_sender(st, c, i);
}

static void timer_of(const struct rill_stack *st, const struct tcp_conn *c,
		     struct rill_conn *out)
{
	static const uint8_t kinds[TMR_N] = {
		[TMR_RTX] = RILL_TMR_RTX, [TMR_DELACK] = RILL_TMR_DELACK,
		[TMR_KEEP] = RILL_TMR_KEEP, [TMR_FINWAIT2] = RILL_TMR_TIMEWAIT,
	};
	static const uint8_t order[] = { TMR_RTX, TMR_KEEP, TMR_FINWAIT2, TMR_DELACK };

	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		int t = order[i];

		if (c->timer_ns[t] == RL_NEVER)
			continue;
		out->timer = t == TMR_RTX && c->persist ? RILL_TMR_PERSIST : kinds[t];
		out->timer_ns = c->timer_ns[t] - st->now_ns;
		out->timer_tries = t == TMR_KEEP || c->persist ? c->probes : c->retries;
		return;
	}
}

static uint8_t family(const struct tcp_conn *c)
{
	if (rl_ip_is_any(&c->flow.src) && !rl_ip_is4(&c->flow.src))
		return c->v4only ? 4 : c->v6only ? 6 : 0;
	return rl_ip_is4(&c->flow.src) ? 4 : 6;
}

static void fill_options(const struct rill_stack *st, const struct tcp_conn *c,
			 struct rill_conn *o)
{
	o->v6only = c->v6only;
	o->shutdown = (uint8_t)(c->rd_shut | c->fin_queued << 1);
	o->eof = c->fin_rcvd;
	o->eof_read = c->eof_read;
	o->tos = c->flow.tos;
	o->keepalive = c->keepalive;
	o->keepidle_s = rl_tcp_keepidle(st, c);
	o->keepintvl_s = rl_tcp_keepintvl(st, c);
	o->keepcnt = rl_tcp_keepcnt(st, c);
	o->user_timeout_ms = c->cold ? c->cold->user_timeout_ms : 0;
}

static void fill_listener(const struct rill_stack *st, const struct tcp_conn *c,
			  struct rill_conn *o)
{
	o->syn_q = c->lst->n_req;
	o->syn_q_max = rl_listener_syn_max(st, c);
	o->accept_overflows = c->lst->overflows;
	o->syn_drops = c->lst->syn_drops;
}

static void fill_conn(struct rill_stack *st, const struct tcp_conn *c, struct rill_conn *o)
{
	uint32_t syn = c->state == RILL_SYN_SENT || c->state == RILL_SYN_RECV;

	o->id = rl_tcp_id(c);
	o->user = c->ep.user;
	o->family = family(c);
	o->state = c->state;
	o->orphan = c->orphan;
	o->local = (struct rill_addr){ c->flow.src, c->lport, c->flow.bound_if };
	o->peer = (struct rill_addr){ c->flow.dst, c->rport, c->flow.bound_if };
	o->recv_q = c->lst ? c->lst->n_accept : c->rcvq.len;
	o->send_q = c->lst ? c->lst->backlog : c->sendq.len + syn;
	o->rcvbuf = c->rcvbuf;
	o->sndbuf = rl_tcp_sndbuf(st, c);
	o->state_age_ns = st->now_ns - c->state_ns;
	o->hold = c->hold;
	o->has_info = true;
	timer_of(st, c, o);
	fill_options(st, c, o);
	if (c->lst)
		fill_listener(st, c, o);
	rl_tcp_info(st, c, &o->info);
}

static void fill_req(struct rill_stack *st, const struct tcp_req *r, struct rill_conn *o)
{
	o->id = rl_id_make(RL_ID_REQ, &r->obj);
	o->family = rl_ip_is4(&r->laddr) ? 4 : 6;
	o->state = RILL_SYN_RECV;
	o->half_open = true;
	o->local = (struct rill_addr){ r->laddr, r->lport, r->ifindex };
	o->peer = (struct rill_addr){ r->raddr, r->rport, r->ifindex };
	o->timer = RILL_TMR_RTX;
	o->timer_ns = (int32_t)(r->due_ms - rl_ms(st->now_ns)) * RL_MS;
	o->timer_tries = r->retries;
	o->state_age_ns = (rl_ms(st->now_ns) - r->born_ms) * RL_MS;
}

static void fill_tw(struct rill_stack *st, const struct tcp_tw *w, struct rill_conn *o)
{
	int64_t left_ns = (int32_t)(w->due_ms - rl_ms(st->now_ns)) * RL_MS;

	o->id = rl_id_make(RL_ID_TW, &w->obj);
	o->family = rl_ip_is4(&w->laddr) ? 4 : 6;
	o->state = RILL_TIME_WAIT;
	o->local = (struct rill_addr){ w->laddr, w->lport, w->ifindex };
	o->peer = (struct rill_addr){ w->raddr, w->rport, w->ifindex };
	o->timer = RILL_TMR_TIMEWAIT;
	o->timer_ns = left_ns;
	o->state_age_ns = RL_CFG(st, tcp_time_wait_ms) * RL_MS - left_ns;
}

int rill_stack_find(struct rill_stack *st, const struct rill_addr *local,
		    const struct rill_addr *peer, struct rill_conn *out)
{
	struct rl_found f;

	if (!rl_demux_find(st, &local->ip, local->port, &peer->ip, peer->port, &f))
		return -ENOENT;
	memset(out, 0, sizeof(*out));
	out->proto = RL_PROTO_TCP;
	switch (f.kind) {
	case RL_NODE_CONN:
		fill_conn(st, f.conn, out);
		break;
	case RL_NODE_REQ:
		fill_req(st, f.req, out);
		break;
	case RL_NODE_TW:
		fill_tw(st, f.tw, out);
		break;
	}
	return 0;
}

/* In TIME-WAIT, where tcp_tw stands for it. */
static bool is_shell(const struct tcp_conn *c)
{
	return c->state == RILL_TIME_WAIT;
}

/* The three kinds one behind the other: *cursor is kind << 32 | index. */
int rl_tcp_conns(struct rill_stack *st, uint64_t *cursor, struct rill_conn *out, int max)
{
	const struct rl_slab *slabs[] = { &st->conns, &st->reqs, &st->tws };
	uint32_t kind = (uint32_t)(*cursor >> 32), i = (uint32_t)*cursor;
	int n = 0;

	for (; kind < ARRAY_LEN(slabs); kind++, i = 0) {
		for (; i < rl_slab_end(slabs[kind]) && n < max; i++) {
			const void *o = rl_slab_live(slabs[kind], i);

			if (!o || (kind == 0 && is_shell(o)))
				continue;
			memset(&out[n], 0, sizeof(out[n]));
			out[n].proto = RL_PROTO_TCP;
			if (kind == 0)
				fill_conn(st, o, &out[n]);
			else if (kind == 1)
				fill_req(st, o, &out[n]);
			else
				fill_tw(st, o, &out[n]);
			n++;
		}
		if (n == max)
			break;
	}
	*cursor = (uint64_t)kind << 32 | i;
	return n;
}
