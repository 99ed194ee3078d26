/* SPDX-License-Identifier: MIT */
/* TCP's part of a stack: its pools and tables, made and taken down. */
#include "tcp/conn.h"

#define MAX_CONNS	(1u << 28)	/* what an id can name */

int rl_tcp_init(struct rill_stack *st)
{
	rl_slab_init(&st->conns, &st->mem, sizeof(struct tcp_conn), MAX_CONNS);
	rl_slab_init(&st->reqs, &st->mem, sizeof(struct tcp_req), MAX_CONNS);
	rl_slab_init(&st->tws, &st->mem, sizeof(struct tcp_tw), MAX_CONNS);
	rl_slab_init(&st->rtx, &st->mem, sizeof(struct rtx), MAX_CONNS);
	rl_slab_init(&st->oooq, &st->mem, sizeof(struct ooo), MAX_CONNS);
	rl_slab_init(&st->colds, &st->mem, sizeof(struct tcp_cold), MAX_CONNS);
	rl_slab_init(&st->listeners, &st->mem, sizeof(struct tcp_listener), MAX_CONNS);
	rl_demux_init(&st->demux, &st->mem);
	list_init(&st->tcp_dirty);
	st->tw_fifo = (struct rl_fifo){ RL_SLAB_NONE, RL_SLAB_NONE, 0 };
	for (int i = 0; i < RL_REQ_FIFOS; i++)
		st->req_fifo[i] = st->tw_fifo;
	st->tw_timer = (struct rl_timer){ .at_ns = RL_NEVER, .kind = RL_TIMER_TW };
	st->req_timer = (struct rl_timer){ .at_ns = RL_NEVER, .kind = RL_TIMER_REQ };
	st->tcp_proto = (struct rl_proto){ rl_tcp_input, rl_tcp_icmp, rl_tcp_pmtu };
	if (rl_timerq_reserve(&st->timers) < 0)
		return -1;
	return rl_timerq_reserve(&st->timers);
}

void rl_tcp_destroy(struct rill_stack *st)
{
	for (uint32_t i = 0; i < rl_slab_end(&st->conns); i++) {
		struct tcp_conn *c = rl_slab_live(&st->conns, i);

		if (!c)
			continue;
		rl_rtxq_clear(st, c);
		rl_tcp_ooo_clear(st, c);
		rl_bytesq_clear(&st->bytes, &c->sendq);
		rl_bytesq_clear(&st->bytes, &c->rcvq);
	}
	rl_history_destroy(st);
	rl_demux_destroy(&st->demux);
	rl_slab_destroy(&st->conns);
	rl_slab_destroy(&st->reqs);
	rl_slab_destroy(&st->tws);
	rl_slab_destroy(&st->rtx);
	rl_slab_destroy(&st->oooq);
	rl_slab_destroy(&st->colds);
	rl_slab_destroy(&st->listeners);
}
