/* SPDX-License-Identifier: MIT */
/*
 * The socket under test: sections 4, 6.7 and 6.8 of the language.  Scripts name
 * neither addresses nor ports and count from 0; which packets are meant, and what
 * the numbers are on the wire, follows from what was seen so far:
 *
 *	socket()		NEW
 *	listen()		LISTENING	"<"  PASSIVE_RECEIVED, a child
 *	"> S."			PASSIVE_SYNACK_SENT	"< ." PASSIVE_ACKED
 *	connect()		CONNECTING	"> S"  SYN_SENT  "< S."  SYN_ACKED
 *
 * A child's port is fresh, a connecting socket's is learned from its SYN.
 */
#include <netinet/in.h>
#include <stdlib.h>

#include "drill/packet.h"

#define FIRST_PORT	1024u
#define PORTS		(65536u - FIRST_PORT)
#define PORT_STRIDE	24989u		/* coprime to PORTS: none comes twice */

/* ---- life ---- */

int rl_drill_flow_open(struct drill_run *r)
{
	r->flow = calloc(1, sizeof(*r->flow));
	if (!r->flow)
		return -1;
	r->flow->rng = rl_drill_mixed(r->cfg.seed) % PORTS;
	return 0;
}

void rl_drill_flow_close(struct drill_run *r)
{
	free(r->flow);
	r->flow = NULL;
}

static uint16_t fresh_port(struct drill_flow *f)
{
	f->rng = (f->rng + PORT_STRIDE) % PORTS;
	return (uint16_t)(FIRST_PORT + f->rng);
}

/* What one connection taught; the next one begins anew. */
static void forget_numbers(struct drill_flow *f)
{
	f->script_local_isn = f->live_local_isn = 0;
	f->script_remote_isn = f->live_remote_isn = 0;
	f->nts = 0;
	f->has_ts_base = f->has_label = false;
	f->injected_ack = f->live_seen = false;
	f->learn_syn = f->learn_synack = false;
}

void rl_drill_flow_socket(struct drill_run *r, int proto)
{
	struct drill_flow *f = r->flow;

	f->state = DRILL_FLOW_NEW;
	f->proto = proto;
	f->has_local = f->has_remote = f->in_ports = false;
	f->local = f->remote = (struct rill_addr){ .port = 0 };
}

void rl_drill_flow_bind(struct drill_run *r, const struct rill_addr *local)
{
	r->flow->local = *local;
	r->flow->has_local = true;
}

/* Once more on a listener it changes the backlog and not whom the packets are about. */
void rl_drill_flow_listen(struct drill_run *r)
{
	struct drill_flow *f = r->flow;

	if (f->state == DRILL_FLOW_PASSIVE_RECEIVED ||
	    f->state == DRILL_FLOW_PASSIVE_SYNACK_SENT ||
	    f->state == DRILL_FLOW_PASSIVE_ACKED)
		return;
	f->state = DRILL_FLOW_LISTENING;
	f->has_remote = false;
}

void rl_drill_flow_connect(struct drill_run *r, const struct rill_addr *remote)
{
	struct drill_flow *f = r->flow;

	if (f->state == DRILL_FLOW_SYN_SENT)
		f->learn_syn = true;	/* refused, and tried again */
	if (f->state != DRILL_FLOW_NEW && f->state != DRILL_FLOW_LISTENING)
		return;
	forget_numbers(f);
	f->state = DRILL_FLOW_CONNECTING;
	f->remote = *remote;
	f->has_remote = true;
}

void rl_drill_flow_disconnect(struct drill_run *r)
{
	r->flow->state = DRILL_FLOW_NEW;
	r->flow->has_remote = false;
}

/* ---- numbers (6.7) ---- */

uint32_t rl_drill_live_remote(const struct drill_flow *f, uint32_t v, bool syn)
{
	return syn ? v : v + f->live_remote_isn;
}

uint32_t rl_drill_live_local(const struct drill_flow *f, uint32_t v, bool syn)
{
	return v + f->live_local_isn - (syn ? f->script_local_isn : 0);
}

uint32_t rl_drill_script_remote(const struct drill_flow *f, uint32_t v, bool syn)
{
	return syn ? v : v - f->live_remote_isn;
}

uint32_t rl_drill_script_local(const struct drill_flow *f, uint32_t v, bool syn)
{
	return v - f->live_local_isn + (syn ? f->script_local_isn : 0);
}

/* ---- timestamps (6.8) ---- */

static const struct drill_opt *find_ts(const struct drill_tcp *t)
{
	const struct drill_opt *o = t->opts;

	if (t->opts_kind != DRILL_OPTS_LIST)
		return NULL;
	while (o && o->kind != DRILL_OPT_TS)
		o = o->next;
	return o;
}

static void remember_ts(struct drill_flow *f, uint32_t script, uint32_t live)
{
	unsigned i = 0;

	while (i < f->nts && i < DRILL_TS_MAP && f->ts[i].script != script)
		i++;
	if (i == f->nts || i == DRILL_TS_MAP)
		i = f->nts++ % DRILL_TS_MAP;	/* full: the oldest goes */
	f->ts[i].script = script;
	f->ts[i].live = live;
}

void rl_drill_flow_learn_ts(struct drill_flow *f, const struct drill_packet *p,
			    const struct drill_seen *s)
{
	const struct drill_opt *script = find_ts(&p->tcp), *live = find_ts(&s->p.tcp);

	if (p->proto != DRILL_TCP || !script || !live || script->any_val)
		return;
	remember_ts(f, script->value, live->value);
	if (f->has_ts_base)
		return;
	f->has_ts_base = true;
	f->script_ts_base = script->value;
	f->live_ts_base = live->value;
}

bool rl_drill_flow_ecr(const struct drill_run *r, uint32_t script, uint32_t *live)
{
	const struct drill_flow *f = r->flow;

	for (unsigned i = 0; i < f->nts && i < DRILL_TS_MAP; i++) {
		if (f->ts[i].script == script) {
			*live = f->ts[i].live;
			return true;
		}
	}
	if (!r->cfg.ts_ecr_scaled || !f->has_ts_base)
		return false;
	*live = script - f->script_ts_base + f->live_ts_base;
	return true;
}

/* ---- the two ends ---- */

struct rill_addr rl_drill_flow_local(const struct drill_run *r)
{
	struct rill_addr a = r->flow->local;

	if (!r->flow->has_local || rl_ip_is_any(&a.ip))
		a.ip = r->cfg.local_ip;
	return a;
}

struct rill_addr rl_drill_flow_remote(const struct drill_run *r)
{
	struct rill_addr a = r->flow->remote;

	if (!r->flow->has_remote)
		a.ip = r->cfg.remote_ip;
	return a;
}

static bool explicit_ports(const struct drill_packet *p, uint16_t *sport, uint16_t *dport)
{
	const struct drill_tcp *t = &p->tcp;
	const struct drill_udp *u = &p->udp;
	bool tcp = p->proto == DRILL_TCP;

	*sport = tcp ? t->sport : u->sport;
	*dport = tcp ? t->dport : u->dport;
	return p->proto != DRILL_ICMP && (tcp ? t->has_ports : u->has_ports);
}

static int proto_of(const struct drill_packet *p)
{
	switch (p->proto) {
	case DRILL_TCP:
		return IPPROTO_TCP;
	case DRILL_UDP:
		return IPPROTO_UDP;
	case DRILL_ICMP:
		return IPPROTO_ICMP;
	}
	return 0;
}

static bool is_icmp(int proto)
{
	return proto == IPPROTO_ICMP || proto == IPPROTO_ICMPV6;
}

/* ---- inbound lines (4.2) ---- */

/*
 * The packet gets a peer: a listener's child, or where nothing listens.  A UDP
 * socket's peer is the one that it would send to.
 */
static void adopt(struct drill_run *r, const struct drill_packet *p)
{
	struct drill_flow *f = r->flow;
	bool ports, none = f->state == DRILL_FLOW_NONE;
	uint16_t sport, dport;

	ports = explicit_ports(p, &sport, &dport);
	forget_numbers(f);
	f->proto = proto_of(p);
	f->local = rl_drill_flow_local(r);
	f->local.port = ports ? dport : none ? r->cfg.bind_port : f->local.port;
	f->remote.ip = r->cfg.remote_ip;
	f->remote.port = ports ? sport : p->proto == DRILL_UDP ? r->cfg.connect_port :
			 fresh_port(f);
	f->has_local = f->has_remote = true;
	if (f->state != DRILL_FLOW_NEW)
		f->state = DRILL_FLOW_PASSIVE_RECEIVED;
	if (p->proto == DRILL_TCP)
		f->script_remote_isn = f->live_remote_isn = p->tcp.seq;
}

/* Without ports of its own it goes to the socket, with them where they say. */
static bool hits(const struct drill_flow *f, const struct drill_packet *p)
{
	uint16_t sport, dport;

	if (explicit_ports(p, &sport, &dport))
		return !f->has_local || f->local.port == dport;
	return f->has_local;
}

static bool wants_peer(const struct drill_flow *f, const struct drill_packet *p)
{
	if (f->state == DRILL_FLOW_NONE)
		return true;
	if (f->proto != proto_of(p) || f->has_remote)
		return false;
	return (f->state == DRILL_FLOW_LISTENING || f->state == DRILL_FLOW_NEW) &&
	       hits(f, p);
}

static void inbound_tcp(struct drill_flow *f, const struct drill_tcp *t)
{
	if (f->state == DRILL_FLOW_PASSIVE_SYNACK_SENT && (t->flags & DRILL_ACK)) {
		f->state = DRILL_FLOW_PASSIVE_ACKED;
	} else if (f->state == DRILL_FLOW_SYN_SENT && (t->flags & DRILL_SYN) &&
		   (t->flags & DRILL_ACK)) {
		f->script_remote_isn = f->live_remote_isn = t->seq;
		f->state = DRILL_FLOW_SYN_ACKED;
	}
}

/* An error message quotes a packet: there must have been one. */
static int inbound_icmp(struct drill_run *r, const struct drill_icmp *i)
{
	bool query = rl_ip_is4(&r->cfg.local_ip) ? i->type == 8 || i->type == 0 ||
		     i->type >= 13 : i->type >= 128;

	if (i->echoed == DRILL_ECHO_RAW || query ||
	    (r->flow->has_local && r->flow->has_remote))
		return 0;
	return rl_drill_fail(r, "there is no connection whose packet this could quote");
}

int rl_drill_flow_inbound(struct drill_run *r, const struct drill_packet *p)
{
	struct drill_flow *f = r->flow;
	uint16_t sport, dport;
	bool ports = explicit_ports(p, &sport, &dport);

	if (p->proto == DRILL_ICMP)
		return inbound_icmp(r, &p->icmp);
	if (wants_peer(f, p))
		adopt(r, p);
	else if (!ports && (f->proto != proto_of(p) || !f->has_local || !f->has_remote))
		return rl_drill_fail(r, "there is no %s socket that this packet could "
				     "belong to", p->proto == DRILL_TCP ? "TCP" : "UDP");
	f->in_ports |= ports;
	if (p->proto == DRILL_TCP && !p->bad_sum)
		inbound_tcp(f, &p->tcp);
	return 0;
}

void rl_drill_flow_injected(struct drill_flow *f, const struct drill_packet *p,
			    const struct drill_wire *w)
{
	const struct drill_tcp *t = &p->tcp;

	if (p->proto != DRILL_TCP || p->bad_sum || w->src.port != f->remote.port)
		return;
	f->in_seq_end = w->seq + t->len + (t->flags & DRILL_SYN ? 1 : 0) +
			(t->flags & DRILL_FIN ? 1 : 0);
	if (!(t->flags & DRILL_ACK))
		return;
	f->injected_ack = true;
	f->in_ack = w->ack;
	f->in_win = t->win;
}

/* ---- outbound lines (4.2, 4.3) ---- */

static void expect_tcp(struct drill_flow *f, const struct drill_tcp *t)
{
	bool syn = t->flags & DRILL_SYN, ack = t->flags & DRILL_ACK;

	if (!syn)
		return;
	if (!ack && f->state == DRILL_FLOW_CONNECTING) {
		f->state = DRILL_FLOW_SYN_SENT;
		f->learn_syn = true;
	} else if (ack && f->state == DRILL_FLOW_PASSIVE_RECEIVED) {
		f->state = DRILL_FLOW_PASSIVE_SYNACK_SENT;
		f->script_local_isn = t->seq;
		f->learn_synack = true;
	}
}

int rl_drill_flow_expect(struct drill_run *r, const struct drill_packet *p)
{
	struct drill_flow *f = r->flow;
	uint16_t sport, dport;
	bool known;

	if (p->proto == DRILL_ICMP)
		return 0;
	if (p->proto == DRILL_TCP && f->proto == IPPROTO_TCP)
		expect_tcp(f, &p->tcp);
	known = f->has_remote && (f->has_local || f->state == DRILL_FLOW_SYN_SENT ||
		(p->proto == DRILL_UDP && f->state == DRILL_FLOW_CONNECTING));
	if (explicit_ports(p, &sport, &dport) || (known && f->proto == proto_of(p)))
		return 0;
	return rl_drill_fail(r, "there is no %s socket that could send this packet",
			     p->proto == DRILL_TCP ? "TCP" : "UDP");
}

/* A packet of the socket that connects: its own port is not known before. */
static bool from_connecting(const struct drill_flow *f, const struct drill_seen *s)
{
	unsigned flags = s->p.tcp.flags & (DRILL_SYN | DRILL_ACK);

	if (!f->has_remote || f->proto != proto_of(&s->p) ||
	    !rl_drill_same_end(&s->dst, &f->remote))
		return false;
	if (f->proto == IPPROTO_UDP)
		return f->state == DRILL_FLOW_CONNECTING;
	return flags == DRILL_SYN && (f->state == DRILL_FLOW_CONNECTING ||
				      f->state == DRILL_FLOW_SYN_SENT);
}

static bool same_tuple(const struct drill_run *r, const struct drill_seen *s)
{
	const struct drill_flow *f = r->flow;
	struct rill_addr local = rl_drill_flow_local(r);

	if (!f->has_local || !f->has_remote || f->proto != proto_of(&s->p))
		return false;
	if (r->cfg.anyip)
		local.ip = s->src.ip;
	return rl_drill_same_end(&s->src, &local) && rl_drill_same_end(&s->dst, &f->remote);
}

/* The answer to a packet whose ports the script chose. */
static bool same_ports(const struct drill_run *r, const struct drill_packet *p,
		       const struct drill_seen *s)
{
	uint16_t sport, dport;

	return explicit_ports(p, &sport, &dport) && p->proto == s->p.proto &&
	       s->src.port == sport && s->dst.port == dport &&
	       rl_ip_eq(&s->dst.ip, &r->cfg.remote_ip);
}

/* Where the script chooses the ports, those that it names are meant. */
static bool names_ports(const struct drill_flow *f, const struct drill_packet *p)
{
	uint16_t sport, dport;

	return f->in_ports && explicit_ports(p, &sport, &dport);
}

static bool same_hosts(const struct drill_run *r, const struct drill_seen *s)
{
	struct rill_addr local = rl_drill_flow_local(r), remote = rl_drill_flow_remote(r);

	return rl_ip_eq(&s->dst.ip, &remote.ip) &&
	       (r->cfg.anyip || rl_ip_eq(&s->src.ip, &local.ip));
}

/* @p: the line that waits, or NULL: what says that it was quiet wants no ICMP either. */
static bool counts(const struct drill_run *r, const struct drill_packet *p,
		   const struct drill_seen *s)
{
	if (!s->known)
		return s->layer[s->nlayers - 1].fragment && same_hosts(r, s);
	if (s->p.proto == DRILL_ICMP)
		return (is_icmp(r->flow->proto) || !p || p->proto == DRILL_ICMP) &&
		       same_hosts(r, s);
	if (p && names_ports(r->flow, p))
		return same_ports(r, p, s);
	return same_tuple(r, s) || from_connecting(r->flow, s) || (p && same_ports(r, p, s));
}

static void learn_connecting(struct drill_flow *f, const struct drill_packet *p,
			     const struct drill_seen *s)
{
	bool moved = !f->has_local || f->local.port != s->src.port;

	if (!f->learn_syn && !moved && f->proto == IPPROTO_TCP)
		return;
	f->local = s->src;
	f->has_local = true;
	f->learn_syn = false;
	f->live_local_isn = s->live_seq;
	f->script_local_isn = p->proto == DRILL_TCP ? p->tcp.seq : 0;
}

/* A child's first SYN-ACK; where another packet was awaited, for the message. */
static bool shows_isn(const struct drill_flow *f, const struct drill_tcp *t)
{
	return (f->learn_synack || f->state == DRILL_FLOW_PASSIVE_RECEIVED) &&
	       (t->flags & DRILL_SYN) && (t->flags & DRILL_ACK);
}

bool rl_drill_flow_takes(struct drill_run *r, const struct drill_packet *p,
			 const struct drill_seen *s)
{
	struct drill_flow *f = r->flow;
	const struct drill_tcp *t = &s->p.tcp;

	if (!counts(r, p, s))
		return false;
	if (from_connecting(f, s))
		learn_connecting(f, p, s);
	if (!s->known || s->p.proto != DRILL_TCP)
		return true;
	if (shows_isn(f, t)) {
		f->live_local_isn = s->live_seq;
		f->learn_synack = false;
	}
	f->live_seen = true;
	f->out_seq_end = s->live_seq + t->len + (t->flags & DRILL_SYN ? 1 : 0) +
			 (t->flags & DRILL_FIN ? 1 : 0);
	f->out_ack = s->live_ack;
	return true;
}

bool rl_drill_is_ours(struct drill_run *r, const struct drill_live *l)
{
	struct drill_seen s;
	char why[80];

	if (rl_drill_seen_parse(&s, l->bytes, l->len, why, sizeof(why)))
		return true;		/* nothing malformed may leave */
	return counts(r, NULL, &s);
}

void rl_drill_flow_unmap(const struct drill_run *r, struct drill_seen *s)
{
	struct drill_flow f = *r->flow;

	if (s->p.proto == DRILL_TCP &&
	    (shows_isn(&f, &s->p.tcp) || (f.state == DRILL_FLOW_CONNECTING &&
					  from_connecting(&f, s))))
		f.live_local_isn = s->live_seq;
	rl_drill_seen_map(s, &f);
}

/* ---- the end (12) ---- */

void rl_drill_flow_reset(struct drill_run *r)
{
	const struct drill_flow *f = r->flow;
	struct drill_packet p = { .in = true, .proto = DRILL_TCP,
				  .tcp.flags = DRILL_RST | DRILL_ACK };
	struct drill_wire w = {
		.src = rl_drill_flow_remote(r), .dst = rl_drill_flow_local(r),
		.seq = f->injected_ack ? f->in_seq_end : f->out_ack,
		.ack = f->injected_ack ? f->in_ack : f->out_seq_end,
	};
	uint8_t buf[80];
	size_t n;

	if (f->proto != IPPROTO_TCP || !f->has_local || !f->has_remote ||
	    !(f->injected_ack || f->live_seen))
		return;
	p.tcp.win = f->injected_ack ? f->in_win : 0;
	n = rl_drill_build(&p, &w, buf, sizeof(buf));
	rl_drill_world_input(r->w, buf, n, 0);
}
