/* SPDX-License-Identifier: MIT */
/*
 * "<" lines: the script's packet with this run's addresses, ports and numbers
 * goes into the stack.  The event's time has come when this is called.
 */
#include <stdlib.h>

#include "drill/packet.h"

void rl_drill_note(struct drill_run *r, int64_t us, const struct drill_packet *p)
{
	char text[DRILL_TEXT_MAX], line[DRILL_TEXT_MAX + 24];

	rl_drill_text_script(text, sizeof(text), p, !rl_ip_is4(&r->cfg.local_ip));
	snprintf(line, sizeof(line), "%.6f %s", (double)us / 1e6, text);
	rl_drill_note_packet(r, line);
}

/* ---- the wire's numbers ---- */

static void map_sacks(const struct drill_flow *f, struct drill_opt *o, bool syn)
{
	for (unsigned i = 0; i < o->nsacks; i++) {
		o->sack[i].from = rl_drill_live_local(f, o->sack[i].from, syn);
		o->sack[i].to = rl_drill_live_local(f, o->sack[i].to, syn);
	}
}

static int map_ts(struct drill_run *r, const struct drill_tcp *t, struct drill_opt *o)
{
	if (!(t->flags & DRILL_ACK) || o->abs_ecr || o->any_ecr)
		return 0;
	if (rl_drill_flow_ecr(r, o->ecr, &o->ecr))
		return 0;
	return rl_drill_fail(r, "TS ecr %u: no packet that left had this TS val", o->ecr);
}

/* The parser has seen to it that they fit and fill up words. */
static int map_opts(struct drill_run *r, const struct drill_tcp *t, struct drill_wire *w)
{
	const struct drill_opt *list = t->opts_kind == DRILL_OPTS_LIST ? t->opts : NULL;

	for (; list; list = list->next) {
		struct drill_opt o = *list;

		map_sacks(r->flow, &o, t->flags & DRILL_SYN);
		if (o.kind == DRILL_OPT_TS && map_ts(r, t, &o))
			return -1;
		w->nopts += rl_drill_opt_write(&o, w->opts + w->nopts,
					       sizeof(w->opts) - w->nopts);
	}
	return 0;
}

static int map_tcp(struct drill_run *r, const struct drill_tcp *t, struct drill_wire *w)
{
	const struct drill_flow *f = r->flow;
	bool syn = t->flags & DRILL_SYN;

	w->seq = t->seq_kind == DRILL_SEQ_ABSOLUTE ? t->seq :
		 rl_drill_live_remote(f, t->seq, syn);
	w->ack = t->flags & DRILL_ACK ? rl_drill_live_local(f, t->ack, syn) : t->ack;
	if (t->has_ports) {
		w->src.port = t->sport;
		w->dst.port = t->dport;
	}
	return map_opts(r, t, w);
}

static int map(struct drill_run *r, const struct drill_packet *p, struct drill_wire *w)
{
	*w = (struct drill_wire){
		.src = rl_drill_flow_remote(r), .dst = rl_drill_flow_local(r),
	};
	switch (p->proto) {
	case DRILL_TCP:
		return map_tcp(r, &p->tcp, w);
	case DRILL_UDP:
		if (p->udp.has_ports) {
			w->src.port = p->udp.sport;
			w->dst.port = p->udp.dport;
		}
		return 0;
	case DRILL_ICMP:
		w->quoted_src = w->dst;
		w->quoted_dst = w->src;
		w->quoted_seq = rl_drill_live_local(r->flow, p->icmp.seq, false);
		return 0;
	}
	return 0;
}

/* ---- the event ---- */

static int inject(struct drill_run *r, const struct drill_packet *p,
		  const struct drill_wire *w, uint8_t *buf)
{
	size_t n = rl_drill_build(p, w, buf, DRILL_PACKET_MAX);
	bool super = r->cfg.mss && p->tcp.len > r->cfg.mss;
	int err;

	if (!n)
		return rl_drill_fail(r, "the packet would be longer than 65535 bytes");
	err = rl_drill_world_input(r->w, buf, n, super ? r->cfg.mss : 0);
	if (err < 0)
		return rl_drill_fail(r, "the stack did not take the packet: error %d", -err);
	return 0;
}

int rl_drill_packet_in(struct drill_run *r, const struct drill_packet *p)
{
	uint8_t *buf = malloc(DRILL_PACKET_MAX);
	struct drill_wire w;
	int err;

	if (!buf)
		return rl_drill_fail(r, "out of memory");
	err = rl_drill_flow_inbound(r, p);
	if (!err)
		err = map(r, p, &w);
	if (!err) {
		rl_drill_note(r, rl_drill_now_us(r), p);
		rl_drill_flow_injected(r->flow, p, &w);
		err = inject(r, p, &w, buf);
	}
	free(buf);
	return err;
}
