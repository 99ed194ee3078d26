/* SPDX-License-Identifier: MIT */
/*
 * What happens in an engine, in the order of time, for those who look: the file of
 * --trace gets changes of state and discarded segments (its frames come from the
 * capture), readers of the control socket's "watch" get lines of JSON.
 *
 * A received packet is looked at before the stack has it and told afterwards, with
 * what became of it: the state it led to, the reason why it was discarded.  While
 * somebody looks, packets enter the stack one at a time.  What an engine sends to
 * itself does not pass the device and is seen by its changes of state only.
 *
 * Called by engine.c with the lock held, and only when e->spied; nothing else in an
 * engine depends on it.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "run/ctl_int.h"
#include "run/engine_int.h"
#include "wire/eth.h"
#include "wire/tcp_hdr.h"

#define KEPT		160		/* of a frame: all headers that are looked at */
#define SHOWN		128		/* of it in "frame" */

struct rl_spy {
	unsigned	bits;		/* enum rl_watch_bits */
	int64_t		wall_ns;	/* wall clock minus the stack's */
	uint64_t	drop[RL_DROP_N];	/* counters, as told so far */
	struct ctl_buf	line;
	uint32_t	len, kept;	/* of the frame at hand */
	uint8_t		frame[KEPT];
};

/* What a frame with TCP holds. */
struct seen {
	struct rill_addr src, dst;
	struct tcp_hdr	h;
	struct tcp_opts	o;
	uint32_t	len;		/* payload */
};

/* ---- who looks ---- */

void rl_spy_free(struct rill_engine *e)
{
	if (!e->spy)
		return;
	free(e->spy->line.p);
	free(e->spy);
	e->spy = NULL;
	e->spied = e->trace != NULL;
}

int rl_engine_watch(struct rill_engine *e, unsigned bits)
{
	if (!bits && e->spy) {
		rl_spy_free(e);
		if (!e->trace)
			rill_stack_trace_events(e->st, 0);
	}
	if (bits && !e->spy) {
		struct rl_spy *s = calloc(1, sizeof(*s));

		if (!s || (!e->trace && rill_stack_trace_events(e->st, RL_TRACE_EVENTS) < 0)) {
			free(s);
			return -ENOMEM;
		}
		memcpy(s->drop, e->st->obs.drop, sizeof(s->drop));
		s->wall_ns = rl_ctl_wall_ns();
		e->spy = s;
		e->spied = true;
	}
	if (bits)
		e->spy->bits = bits;
	return 0;
}

/* ---- lines ---- */

static void begin(struct rl_spy *s, const char *event, int64_t at_ns)
{
	s->line.len = 0;
	rl_ctl_putf(&s->line, "{\"event\":\"%s\",\"at_us\":%" PRId64, event,
		    (at_ns + s->wall_ns) / RL_US);
}

static void put_ends(struct ctl_buf *b, const struct rill_addr *local,
		     const struct rill_addr *peer)
{
	char la[INET6_ADDRSTRLEN], pa[INET6_ADDRSTRLEN];

	rl_ctl_putf(b, ",\"local\":\"%s\",\"lport\":%u,\"peer\":\"%s\",\"pport\":%u",
		    rl_ctl_addr(&local->ip, la), local->port,
		    rl_ctl_addr(&peer->ip, pa), peer->port);
}

static void put_id(struct ctl_buf *b, rill_id id)
{
	rl_ctl_putf(b, ",\"id\":\"%" PRIx64 "\"", id);
}

static void emit(struct rill_engine *e, unsigned kinds)
{
	struct ctl_buf *b = &e->spy->line;

	rl_ctl_puts(b, "}\n");
	if (!b->bad)
		rl_ctl_emit(e->ctl, kinds, b->p, b->len);
}

/* ---- changes of state ---- */

static void tell_state(struct rill_engine *e, const struct rill_trace *ev)
{
	struct rl_spy *s = e->spy;

	begin(s, "state", ev->at_ns);
	put_id(&s->line, ev->id);
	put_ends(&s->line, &ev->local, &ev->peer);
	rl_ctl_putf(&s->line, ",\"from\":\"%s\",\"to\":\"%s\"", rill_state_name(ev->a),
		    rill_state_name(ev->b));
	emit(e, RL_WATCH_STATES);
}

static void events(struct rill_engine *e)
{
	struct rill_trace ev;
	uint64_t lost;

	while (rill_stack_trace(e->st, &ev)) {
		if (e->trace)
			rl_trace_put(e->trace, &ev);
		if (e->spy && (e->spy->bits & RL_WATCH_STATES) && ev.kind == RILL_TR_STATE)
			tell_state(e, &ev);
	}
	lost = rill_stack_trace_lost(e->st);
	if (lost && e->spy)
		rl_ctl_lost(e->ctl, lost);
}

/* ---- frames ---- */

static void keep(struct rl_spy *s, const struct rill_pkt *p)
{
	s->len = rl_pkt_len(p);
	s->kept = RL_MIN(s->len, KEPT);
	rl_pkt_copy_out(p, 0, s->frame, s->kept);
}

static uint32_t link_len(const struct rill_engine *e)
{
	return e->dev->par.flags & RILL_IF_ETHER ? ETH_HDR_LEN : 0;
}

/* Where IPv4 has TCP, unless it is a later fragment.  0: it has none. */
static uint32_t ipv4(const uint8_t *ip, uint32_t n, struct seen *v)
{
	uint32_t hdr, total;

	if (n < 20 || (ip[0] & 15) < 5 || ip[9] != 6 || (get16(ip + 6) & 0x1fff))
		return 0;
	hdr = (ip[0] & 15) * 4u;
	total = get16(ip + 2);
	v->src.ip = rl_ip4(get32(ip + 12));
	v->dst.ip = rl_ip4(get32(ip + 16));
	v->len = total >= hdr && total ? total - hdr : UINT32_MAX;
	return hdr;
}

static uint32_t ipv6(const uint8_t *ip, uint32_t n, struct seen *v)
{
	if (n < 40 || ip[6] != 6)
		return 0;
	memcpy(v->src.ip.b, ip + 8, 16);
	memcpy(v->dst.ip.b, ip + 24, 16);
	v->len = get16(ip + 4) ? get16(ip + 4) : UINT32_MAX;
	return 40;
}

/* The TCP header in the frame at hand. */
static bool look(const struct rill_engine *e, struct seen *v)
{
	const struct rl_spy *s = e->spy;
	uint32_t off = link_len(e), hdr = 0;

	memset(v, 0, sizeof(*v));
	if (s->kept > off && s->frame[off] >> 4 == 4)
		hdr = ipv4(s->frame + off, s->kept - off, v);
	else if (s->kept > off && s->frame[off] >> 4 == 6)
		hdr = ipv6(s->frame + off, s->kept - off, v);
	if (off && get16(s->frame + 12) != ETH_IPV4 && get16(s->frame + 12) != ETH_IPV6)
		return false;
	off += hdr;
	if (!hdr || off >= s->kept || rl_tcp_hdr_parse(&v->h, s->frame + off, s->kept - off) < 0)
		return false;
	rl_tcp_opts_parse(&v->o, s->frame + off + TCP_HDR_LEN, v->h.hdr_len - TCP_HDR_LEN);
	/* super-segments say no length, short frames are padded */
	v->len = RL_MIN(v->len, s->len - off);
	v->len -= RL_MIN(v->len, v->h.hdr_len);
	v->src.port = v->h.sport;
	v->dst.port = v->h.dport;
	return true;
}

static void put_frame(struct rl_spy *s)
{
	static const char hex[] = "0123456789abcdef";
	uint32_t n = RL_MIN(s->kept, SHOWN);
	char text[2 * SHOWN];

	for (uint32_t i = 0; i < n; i++) {
		text[2 * i] = hex[s->frame[i] >> 4];
		text[2 * i + 1] = hex[s->frame[i] & 15];
	}
	rl_ctl_putf(&s->line, ",\"frame_len\":%u,\"frame\":\"", s->len);
	rl_ctl_put(&s->line, text, 2 * n);
	rl_ctl_puts(&s->line, "\"");
}

static void put_flags(struct ctl_buf *b, uint8_t flags)
{
	static const char names[] = "FSRP.UEW";		/* bit by bit, as tcpdump has them */
	char text[9];
	int n = 0;

	for (int i = 0; i < 8; i++)
		if (flags >> i & 1)
			text[n++] = names[i];
	text[n] = '\0';
	rl_ctl_put_str(b, "flags", n ? text : "none");
}

static void put_opts(struct ctl_buf *b, const struct tcp_opts *o)
{
	rl_ctl_puts(b, ",\"opts\":{\"sack_ok\":");
	rl_ctl_puts(b, rl_ctl_bool(o->sack_ok));
	if (o->mss)
		rl_ctl_putf(b, ",\"mss\":%u", o->mss);
	if (o->has_wscale)
		rl_ctl_putf(b, ",\"wscale\":%u", o->wscale);
	if (o->has_ts)
		rl_ctl_putf(b, ",\"ts\":[%u,%u]", o->ts_val, o->ts_ecr);
	for (int i = 0; i < o->nsack; i++)
		rl_ctl_putf(b, "%s[%u,%u]%s", i ? "," : ",\"sack\":[", o->sack[i].lo.v,
			    o->sack[i].hi.v, i == o->nsack - 1 ? "]" : "");
	rl_ctl_puts(b, "}");
}

/* Where the connection stands once the segment was dealt with. */
static void put_conn(struct rill_engine *e, const struct rill_addr *local,
		     const struct rill_addr *peer)
{
	struct ctl_buf *b = &e->spy->line;
	struct rill_conn c;

	if (rill_stack_find(e->st, local, peer, &c) < 0) {
		rl_ctl_put_str(b, "state", rill_state_name(RILL_CLOSE));
		return;
	}
	put_id(b, c.id);
	rl_ctl_put_str(b, "state", rill_state_name(c.state));
	if (c.has_info)
		rl_ctl_putf(b, ",\"cwnd\":%u,\"ssthresh\":%u,\"unacked\":%u,\"rtt_us\":%u",
			    c.info.snd_cwnd, c.info.snd_ssthresh, c.info.unacked, c.info.rtt);
}

static void put_segment(struct rill_engine *e, const struct seen *v, bool out)
{
	const struct rill_addr *local = out ? &v->src : &v->dst;
	const struct rill_addr *peer = out ? &v->dst : &v->src;
	struct ctl_buf *b = &e->spy->line;

	put_ends(b, local, peer);
	put_flags(b, v->h.flags);
	rl_ctl_putf(b, ",\"seq\":%u,\"ack\":%u,\"len\":%u,\"win\":%u,\"urg\":%u",
		    v->h.seq.v, v->h.ack.v, v->len, v->h.win, v->h.urg);
	put_opts(b, &v->o);
	put_conn(e, local, peer);
}

/* The frame at hand; @why NULL: it was not discarded. */
static void tell_frame(struct rill_engine *e, bool out, const char *why)
{
	struct rl_spy *s = e->spy;
	struct seen v;
	bool tcp = look(e, &v);
	unsigned kinds = tcp ? RL_WATCH_SEGMENTS : RL_WATCH_FRAMES;

	kinds |= why ? RL_WATCH_DROPS : 0u;
	if (!(s->bits & kinds))
		return;
	begin(s, tcp ? "segment" : "frame", e->st->now_ns);
	rl_ctl_put_str(&s->line, "dir", out ? "out" : "in");
	if (tcp)
		put_segment(e, &v, out);
	if (why)
		rl_ctl_put_str(&s->line, "drop", why);
	put_frame(s);
	emit(e, kinds);
}

/* The reason counted since the last look; NULL: none.  One at a time. */
static const char *next_drop(struct rill_engine *e, uint64_t *n)
{
	struct rl_spy *s = e->spy;

	for (int i = 1; i < RL_DROP_N; i++) {
		*n = e->st->obs.drop[i] - s->drop[i];
		s->drop[i] += *n;
		if (*n)
			return rill_drop_name(i);
	}
	return NULL;
}

/* Those that belong to no frame at hand: on the way out, by a timer. */
static void other_drops(struct rill_engine *e)
{
	const char *why;
	uint64_t n;

	for (int i = 0; i < RL_DROP_N && (why = next_drop(e, &n)) != NULL; i++) {
		if (!(e->spy->bits & RL_WATCH_DROPS))
			continue;
		begin(e->spy, "drop", e->st->now_ns);
		rl_ctl_put_str(&e->spy->line, "drop", why);
		rl_ctl_putf(&e->spy->line, ",\"n\":%" PRIu64, n);
		emit(e, RL_WATCH_DROPS);
	}
}

/* ---- the engine's calls ---- */

void rl_spy_before(struct rill_engine *e, const struct rill_pkt *p)
{
	events(e);
	if (!e->spy)
		return;
	other_drops(e);
	keep(e->spy, p);
}

void rl_spy_after(struct rill_engine *e)
{
	const char *why;
	uint64_t n;

	if (e->spy) {
		why = next_drop(e, &n);
		tell_frame(e, false, why);
	}
	events(e);
}

void rl_spy_out(struct rill_engine *e, struct rill_pkt **pkts, int n)
{
	events(e);
	for (int i = 0; e->spy && i < n; i++) {
		keep(e->spy, pkts[i]);
		tell_frame(e, true, NULL);
	}
}

void rl_spy_run(struct rill_engine *e)
{
	events(e);
	if (!e->spy)
		return;
	other_drops(e);
	rl_ctl_flush(e->ctl);
}
