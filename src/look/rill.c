/* SPDX-License-Identifier: MIT */
/*
 * The sockets of the stacks that run, asked over their control sockets, as the
 * same records that the kernel's sockets make.  A stack's program owns all of its
 * sockets.  What an older stack does not say stays 0.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "look/ctlc.h"
#include "look/filter.h"
#include "look/source.h"

struct ask {
	struct rl_walk		*w;
	struct rill_owner	 owner;
};

static void put_addr(const json_t *c, const char *ip, const char *port, struct rill_addr *a)
{
	memset(a, 0, sizeof(*a));
	filter_parse_ip(ctlc_str(c, ip), a->ip.b);
	a->port = (uint16_t)ctlc_int(c, port);
}

static void put_info(struct rill_tcp_info *ti, const json_t *info)
{
#define INFO(type, name, unit, help)	ti->name = (type)ctlc_int(info, #name);
#include "rill/tcpinfo.def"
#undef INFO
}

static void put_numbers(struct rill_sock *s, const json_t *c)
{
	s->proto = (uint8_t)ctlc_int(c, "proto");
	s->family = (uint8_t)ctlc_int(c, "family");
	s->state = (uint8_t)ctlc_int(c, "state");
	s->half_open = ctlc_true(c, "half_open");
	s->orphan = ctlc_true(c, "orphan");
	s->v6only = ctlc_true(c, "v6only");
	s->shutdown = (uint8_t)ctlc_int(c, "shutdown");
	s->recv_q = (uint32_t)ctlc_int(c, "recv_q");
	s->send_q = (uint32_t)ctlc_int(c, "send_q");
	s->timer = (uint8_t)ctlc_int(c, "timer");
	s->timer_ms = ctlc_int(c, "timer_us") / 1000;
	s->tries = (uint32_t)ctlc_int(c, "tries");
	s->age_ms = ctlc_int(c, "age_us") / 1000;
	s->cookie = strtoull(ctlc_str(c, "id"), NULL, 16);
	s->ifindex = (uint32_t)ctlc_int(c, "ifindex");
	s->tos = (uint32_t)ctlc_int(c, "tos");
	snprintf(s->hold, sizeof(s->hold), "%s", ctlc_str(c, "hold"));
}

/* A member that is missing is not known: an older stack, or another kind of socket. */
static int64_t known(const json_t *c, const char *key)
{
	const json_t *v = json_object_get(c, key);

	if (json_is_boolean(v))
		return json_is_true(v);
	return json_is_integer(v) ? json_integer_value(v) : -1;
}

static void put_facts(struct rill_sock *s, const json_t *c)
{
	s->keepalive = known(c, "keepalive");
	s->keepidle_s = known(c, "keepidle_s");
	s->keepintvl_s = known(c, "keepintvl_s");
	s->keepcnt = known(c, "keepcnt");
	s->user_timeout_ms = known(c, "user_timeout_ms");
	s->eof = known(c, "eof");
	s->eof_read = known(c, "eof_read");
	s->syn_q = known(c, "syn_q");
	s->syn_q_max = known(c, "syn_q_max");
	s->accept_overflows = known(c, "accept_overflows");
	s->syn_drops = known(c, "syn_drops");
}

static void one(void *ctx, struct ctl_stack *st, json_t *c)
{
	struct ask *a = ctx;
	const json_t *info = json_object_get(c, "info");
	struct rill_sock s;

	if (a->w->stopped)
		return;
	memset(&s, 0, sizeof(s));
	s.source = RILL_SRC_RILL;
	s.stack = st->name;
	s.pid = (int)st->pid;
	s.uid = ctlc_int(st->hello, "uid");
	put_numbers(&s, c);
	if (!s.state || s.state >= RILL_TCP_STATES)
		return;			/* states are bits and indices from here on */
	put_facts(&s, c);
	put_addr(c, "local", "lport", &s.local);
	put_addr(c, "peer", "pport", &s.peer);
	if (a->w->q->want & RILL_WANT_MEM) {
		s.has_mem = true;
		s.rmem_alloc = s.state == RILL_LISTEN ? 0 : s.recv_q;
		s.wmem_queued = s.state == RILL_LISTEN ? 0 : s.send_q;
		s.rcvbuf = (uint32_t)ctlc_int(c, "rcvbuf");
		s.sndbuf = (uint32_t)ctlc_int(c, "sndbuf");
	}
	if (info) {
		s.has_info = true;
		put_info(&s.info, info);
		snprintf(s.cc, sizeof(s.cc), "%s", ctlc_str(c, "cc"));
	}
	if (a->w->q->want & RILL_WANT_OWNERS && !s.orphan && !s.half_open &&
	    s.state != RILL_TIME_WAIT) {
		s.owners = &a->owner;
		s.nowners = 1;
	}
	rl_walk_tell(a->w, &s);
}

static void program_of(struct ctl_stack *st, struct rill_owner *o)
{
	char path[40];
	FILE *f;

	*o = (struct rill_owner){ .pid = (int)st->pid, .fd = -1 };
	snprintf(path, sizeof(path), "/proc/%ld/comm", st->pid);
	f = fopen(path, "re");
	if (f && fgets(o->comm, sizeof(o->comm), f))
		o->comm[strcspn(o->comm, "\n")] = '\0';
	if (f)
		fclose(f);
}

void rl_source_rill(struct rl_walk *w)
{
	const struct rill_table_query *q = w->q;
	struct ctl_select sel = { .pid = q->pid, .name = q->stack };
	struct ctl_stacks *stacks = malloc(sizeof(*stacks));
	struct ask a = { .w = w };

	if (!stacks)
		return;
	ctlc_open(stacks, &sel);
	w->notes->nstacks = stacks->n;
	w->notes->silent = stacks->silent;
	for (unsigned i = 0; i < stacks->n && !w->stopped; i++) {
		program_of(&stacks->list[i], &a.owner);
		if (!ctlc_conns(&stacks->list[i], q->states ? q->states : ~0u,
				q->want & RILL_WANT_INFO, one, &a))
			w->notes->silent++;
	}
	ctlc_close(stacks);
	free(stacks);
}
