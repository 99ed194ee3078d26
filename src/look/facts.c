/* SPDX-License-Identifier: MIT */
/* Look-ups in what was seen.  No I/O: that is facts_read.c. */
#include "look/facts.h"

#include <string.h>

const struct rl_program *rl_facts_program(const struct rl_facts *f, int pid)
{
	size_t lo = 0, hi = f->nprogram;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (f->program[mid].pid == pid)
			return &f->program[mid];
		if (f->program[mid].pid < pid)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

enum rl_neigh rl_facts_neigh(const struct rl_facts *f, const struct rill_ip *ip)
{
	for (size_t i = 0; i < f->nneigh; i++)
		if (!memcmp(&f->neigh[i].ip, ip, sizeof(*ip)))
			return f->neigh[i].state;
	return RL_NEIGH_UNKNOWN;
}

static size_t place(uint64_t cookie, size_t npast)
{
	return (size_t)(cookie * 0x9e3779b97f4a7c15u >> 20) & (npast - 1);
}

/* Half-open peers of some kernels have no cookie: they are not remembered. */
void rl_facts_remember(struct rl_past *past, size_t npast, const struct rill_sock *s)
{
	size_t at = place(s->cookie, npast);

	if (!s->cookie)
		return;
	for (size_t i = 0; i < npast && past[at].cookie; i++)
		at = (at + 1) & (npast - 1);
	if (past[at].cookie)
		return;
	past[at] = (struct rl_past){
		.cookie = s->cookie, .bytes = rl_facts_bytes(s),
		.acked = s->info.bytes_acked,
		.taken = s->info.bytes_received - rl_facts_unread(s),
		.retrans = s->info.total_retrans, .sent = s->info.data_segs_out,
		.recv_q = s->recv_q, .send_q = s->send_q, .state = s->state,
	};
}

const struct rl_past *rl_facts_past(const struct rl_facts *f, const struct rill_sock *s)
{
	size_t at;

	if (!f->npast || !s->cookie)
		return NULL;
	at = place(s->cookie, f->npast);
	for (size_t i = 0; i < f->npast && f->past[at].cookie; i++) {
		if (f->past[at].cookie == s->cookie)
			return &f->past[at];
		at = (at + 1) & (f->npast - 1);
	}
	return NULL;
}

uint32_t rl_facts_unread(const struct rill_sock *s)
{
	bool fin = s->state == RILL_CLOSE_WAIT || s->state == RILL_LAST_ACK ||
		   s->state == RILL_CLOSING;

	return s->recv_q - (s->source == RILL_SRC_KERNEL && fin && s->recv_q);
}

uint64_t rl_facts_bytes(const struct rill_sock *s)
{
	return s->has_info ? s->info.bytes_received + s->info.bytes_acked : 0;
}
