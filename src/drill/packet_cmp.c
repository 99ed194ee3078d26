/* SPDX-License-Identifier: MIT */
/*
 * Is this the packet that the line describes?  Section 7 of the language, in its
 * order: the first difference is what the message says, all of them are marked.
 *
 * The expected packet is built like an inbound one and taken apart like the live
 * one, so that lengths and header sizes need no knowledge here.
 */
#include <stdarg.h>
#include <stdlib.h>

#include "drill/packet.h"

struct cmp {
	struct drill_run *r;
	const struct drill_packet *p;	/* with its wildcards */
	const struct drill_seen *want, *got;
	struct drill_diff *d;
	bool		part;
};

__attribute__((format(printf, 3, 4)))
static void differ(struct cmp *c, enum drill_field f, const char *fmt, ...)
{
	va_list ap;

	c->d->fields |= 1u << f;
	if (c->d->what[0])
		return;
	va_start(ap, fmt);
	vsnprintf(c->d->what, sizeof(c->d->what), fmt, ap);
	va_end(ap);
}

static void number(struct cmp *c, enum drill_field f, const char *name,
		   uint32_t want, uint32_t got)
{
	if (want != got)
		differ(c, f, "%s: expected %u, got %u", name, want, got);
}

/* ---- IP and encapsulation ---- */

static const char *layer_name(enum drill_encap_kind kind)
{
	static const char *const names[] = {
		[DRILL_ENCAP_IPV4] = "IPv4", [DRILL_ENCAP_IPV6] = "IPv6",
		[DRILL_ENCAP_GRE] = "GRE", [DRILL_ENCAP_MPLS] = "MPLS",
	};

	return names[kind];
}

static bool same_layers(struct cmp *c)
{
	const struct drill_seen *w = c->want, *g = c->got;

	for (unsigned i = 0; i < g->nlayers; i++) {
		if (g->layer[i].cksum_bad)
			differ(c, DRILL_F_HEADERS, "wrong IPv4 header checksum");
		if (g->layer[i].fragment)
			differ(c, DRILL_F_HEADERS, "it is a fragment");
	}
	if (w->nlayers != g->nlayers)
		differ(c, DRILL_F_HEADERS, "header layers: expected %u, got %u",
		       w->nlayers, g->nlayers);
	for (unsigned i = 0; i < w->nlayers && i < g->nlayers; i++)
		if (w->layer[i].kind != g->layer[i].kind)
			differ(c, DRILL_F_HEADERS, "header %u: expected %s, got %s", i + 1,
			       layer_name(w->layer[i].kind), layer_name(g->layer[i].kind));
	if (g->known && w->p.proto != g->p.proto)
		differ(c, DRILL_F_FLAGS, "protocol: expected %u, got %u",
		       w->layer[w->nlayers - 1].next, g->layer[g->nlayers - 1].next);
	return !c->d->fields;
}

static void ecn(struct cmp *c, enum drill_field f, enum drill_ecn want, uint8_t tos)
{
	static const char *const words[] = {
		[DRILL_NOECN] = "noecn", [DRILL_ECT0] = "ect0", [DRILL_ECT1] = "ect1",
		[DRILL_CE] = "ce", [DRILL_ECT01] = "ect0 or ect1",
	};
	enum drill_ecn got = rl_drill_ecn_of(tos);

	if (want == DRILL_ECN_UNSET || want == got ||
	    (want == DRILL_ECT01 && (got == DRILL_ECT0 || got == DRILL_ECT1)))
		return;
	differ(c, f, "ECN bits: expected %s, got %s", words[want], words[got]);
}

/* Labels have names in a script: the same name is the same label (5.2). */
static void flow_label(struct cmp *c, enum drill_field f, uint32_t name, uint32_t live)
{
	struct drill_flow *fl = c->r->flow;

	if (!live)
		differ(c, f, "flow label: expected one, got 0");
	else if (fl->has_label && fl->script_label == name && fl->live_label != live)
		differ(c, f, "flow label: expected that of before, 0x%x, got 0x%x",
		       fl->live_label, live);
	else if (fl->has_label && fl->script_label != name && fl->live_label == live)
		differ(c, f, "flow label: expected another than 0x%x", live);
	if (c->part)
		return;
	fl->has_label = true;
	fl->script_label = name;
	fl->live_label = live;
}

static void ip_info(struct cmp *c, enum drill_field f, const struct drill_ipinfo *want,
		    const struct drill_ipinfo *got, bool v6)
{
	if (want->has_tos && want->tos != got->tos)
		differ(c, f, "%s: expected 0x%02x, got 0x%02x", v6 ? "traffic class" : "ToS",
		       want->tos, got->tos);
	if (!want->has_tos)
		ecn(c, f, want->ecn, got->tos);
	if (want->has_flow && v6)
		flow_label(c, f, want->flow, got->flow);
	if (want->has_ttl)
		number(c, f, v6 ? "hop limit" : "TTL", want->ttl, got->ttl);
}

static void ip_length(struct cmp *c, enum drill_field f, unsigned i)
{
	number(c, f, "IP header length", (uint32_t)c->want->layer[i].hdr,
	       (uint32_t)c->got->layer[i].hdr);
}

/* Protocols need no look: the kinds of the headers are the same. */
static void gre(struct cmp *c, const struct drill_encap *want, const struct drill_encap *got,
		const struct drill_layer *wl, const struct drill_layer *gl)
{
	number(c, DRILL_F_HEADERS, "GRE header length", (uint32_t)wl->hdr, (uint32_t)gl->hdr);
	number(c, DRILL_F_HEADERS, "GRE flags", want->gre_flags, got->gre_flags);
	number(c, DRILL_F_HEADERS, "GRE checksum", want->gre_sum, got->gre_sum);
	number(c, DRILL_F_HEADERS, "GRE offset", want->gre_off, got->gre_off);
	number(c, DRILL_F_HEADERS, "GRE key", want->gre_key, got->gre_key);
	number(c, DRILL_F_HEADERS, "GRE sequence number", want->gre_seq, got->gre_seq);
}

static void mpls(struct cmp *c, const struct drill_encap *want, const struct drill_encap *got)
{
	number(c, DRILL_F_HEADERS, "MPLS labels", want->nlabels, got->nlabels);
	for (unsigned i = 0; i < want->nlabels && i < got->nlabels; i++) {
		const struct drill_mpls *w = &want->labels[i], *g = &got->labels[i];

		number(c, DRILL_F_HEADERS, "MPLS label", w->label, g->label);
		number(c, DRILL_F_HEADERS, "MPLS traffic class", w->tc, g->tc);
		number(c, DRILL_F_HEADERS, "MPLS bottom of stack", w->bottom, g->bottom);
		number(c, DRILL_F_HEADERS, "MPLS TTL", w->ttl, g->ttl);
	}
}

static void encap(struct cmp *c, unsigned i)
{
	const struct drill_encap *want = &c->want->p.encap[i], *got = &c->got->p.encap[i];
	const struct drill_layer *wl = &c->want->layer[i], *gl = &c->got->layer[i];

	switch (want->kind) {
	case DRILL_ENCAP_IPV4:
	case DRILL_ENCAP_IPV6:
		ip_length(c, DRILL_F_HEADERS, i);
		ip_info(c, DRILL_F_HEADERS, &c->p->encap[i].ip, &got->ip,
			want->kind == DRILL_ENCAP_IPV6);
		break;
	case DRILL_ENCAP_GRE:
		gre(c, want, got, wl, gl);
		break;
	case DRILL_ENCAP_MPLS:
		mpls(c, want, got);
		break;
	}
}

static void layers(struct cmp *c)
{
	unsigned last = c->want->nlayers - 1;

	for (unsigned i = 0; i < last; i++)
		encap(c, i);
	ip_length(c, DRILL_F_IP, last);
	ip_info(c, DRILL_F_IP, &c->p->ip, &c->got->p.ip,
		c->want->layer[last].kind == DRILL_ENCAP_IPV6);
}

/* ---- TCP ---- */

/* Bits that are set on one side only, as letters. */
static void flags(struct cmp *c)
{
	static const struct {
		uint16_t bit;
		const char *name;
	} names[] = {
		{ DRILL_FIN, "FIN" }, { DRILL_SYN, "SYN" }, { DRILL_RST, "RST" },
		{ DRILL_PSH, "PSH" }, { DRILL_ACK, "ACK" }, { DRILL_URG, "URG" },
		{ DRILL_ECE, "ECE" }, { DRILL_CWR, "CWR" }, { DRILL_AE, "AE" },
	};
	unsigned want = c->want->p.tcp.flags, got = c->got->p.tcp.flags;
	unsigned skip = c->part ? DRILL_FIN | DRILL_PSH | DRILL_CWR : 0;

	if (c->p->tcp.has_ace) {
		unsigned n = (got & DRILL_ECE ? 1u : 0u) | (got & DRILL_CWR ? 2u : 0u) |
			     (got & DRILL_AE ? 4u : 0u);

		number(c, DRILL_F_FLAGS, "ACE", c->p->tcp.ace, n);
	}
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if ((want ^ got) & ~skip & names[i].bit)
			differ(c, DRILL_F_FLAGS, "%s flag: expected %s, got %s", names[i].name,
			       want & names[i].bit ? "set" : "clear",
			       got & names[i].bit ? "set" : "clear");
	if (c->got->reserved)
		differ(c, DRILL_F_FLAGS, "reserved bits: expected 0, got %u", c->got->reserved);
}

static void numbers(struct cmp *c)
{
	const struct drill_tcp *p = &c->p->tcp, *got = &c->got->p.tcp;

	if (p->seq_kind == DRILL_SEQ)
		number(c, DRILL_F_SEQ, "sequence number", p->seq, got->seq);
	if (p->seq_kind == DRILL_SEQ_ABSOLUTE)
		number(c, DRILL_F_SEQ, "absolute sequence number", p->seq, c->got->live_seq);
	number(c, DRILL_F_ACK, "acknowledgment number", p->ack, got->ack);
	if (p->has_win)
		number(c, DRILL_F_WIN, "window", p->win, got->win);
	number(c, DRILL_F_URG, "urgent pointer", p->urg, got->urg);
}

static const struct drill_opt *scripted_ts(const struct drill_tcp *t)
{
	const struct drill_opt *o = t->opts;

	while (o && o->kind != DRILL_OPT_TS)
		o = o->next;
	return o;
}

/*
 * TS val within the tolerance; ecr is the peer's val as written, and compared where
 * it is said absolutely or the script is in our dialect (6.8: else never).
 */
static bool same_ts(struct cmp *c, const struct drill_opt *want, const struct drill_opt *got)
{
	const struct drill_opt *script = scripted_ts(&c->p->tcp);
	int64_t tick = c->r->cfg.ts_tick_us, off = (int32_t)(want->value - got->value);
	int64_t tol = rl_drill_tolerance_us(c->r, c->got->at_us);

	if (script && (script->abs_ecr || (c->r->cfg.exact && !script->any_ecr)) &&
	    script->ecr != got->ecr)
		return false;
	if (!tick || (script && script->any_val))
		return true;
	return (off < 0 ? -off : off) * tick <= tol;
}

static bool same_opt(struct cmp *c, const struct drill_opt *want, const struct drill_opt *got)
{
	uint8_t a[TCP_MAX_OPT + 2], b[TCP_MAX_OPT + 2];
	size_t n;

	if (want->kind == DRILL_OPT_TS && got->kind == DRILL_OPT_TS)
		return same_ts(c, want, got);
	n = rl_drill_opt_write(want, a, sizeof(a));
	return n == rl_drill_opt_write(got, b, sizeof(b)) && !memcmp(a, b, n);
}

static void option(struct cmp *c, unsigned i)
{
	const struct drill_opt *want = &c->want->opts[i], *got = &c->got->opts[i];
	char a[120], b[120];
	struct rl_text t;

	if (same_opt(c, want, got))
		return;
	c->d->opts |= UINT64_C(1) << i;
	rl_text_init(&t, a, sizeof(a));
	rl_drill_text_opt(&t, want);
	rl_text_init(&t, b, sizeof(b));
	rl_drill_text_opt(&t, got);
	differ(c, DRILL_F_OPTS, "option %u: expected %s, got %s", i + 1, a, b);
}

static void no_unknown_options(struct cmp *c)
{
	for (unsigned i = 0; i < c->got->nopts; i++)
		if (c->got->opts[i].kind == DRILL_OPT_RAW) {
			c->d->opts |= UINT64_C(1) << i;
			differ(c, DRILL_F_OPTS, "option %u: unknown kind %u", i + 1,
			       c->got->opts[i].data[0]);
		}
}

static void data_offset(struct cmp *c)
{
	size_t want = c->want->l4_hdr, got = c->got->l4_hdr;

	if (want != got && c->p->tcp.opts_kind != DRILL_OPTS_ANY)
		differ(c, DRILL_F_OPTS, "data offset: expected %zu bytes, got %zu", want, got);
}

static void options(struct cmp *c)
{
	if (c->got->opts_bad)
		differ(c, DRILL_F_OPTS, "malformed options");
	if (c->p->tcp.opts_kind == DRILL_OPTS_ANY) {
		no_unknown_options(c);
		return;
	}
	for (unsigned i = 0; i < c->want->nopts && i < c->got->nopts; i++)
		option(c, i);
	if (c->want->nopts != c->got->nopts)
		c->d->opts = 0;		/* the list as a whole */
}

static void tcp(struct cmp *c)
{
	if (!c->part)
		number(c, DRILL_F_LEN, "payload length", c->p->tcp.len,
		       (uint32_t)c->got->data_len);
	data_offset(c);
	flags(c);
	numbers(c);
	options(c);
}

/* ---- UDP, ICMP, payload ---- */

static void icmp(struct cmp *c)
{
	const struct drill_icmp *want = &c->p->icmp, *got = &c->got->p.icmp;

	number(c, DRILL_F_FLAGS, "ICMP type", want->type, got->type);
	number(c, DRILL_F_FLAGS, "ICMP code", want->code, got->code);
	if (want->echoed == DRILL_ECHO_RAW)
		number(c, DRILL_F_LEN, "ICMP payload length", want->len, got->len);
}

/* Bytes behind the end of what the inner headers say. */
static void total_length(struct cmp *c)
{
	const struct drill_seen *w = c->want, *g = c->got;
	size_t want = w->layer[0].total + g->l4_hdr - w->l4_hdr;

	if (!c->d->fields && !c->part && g->pieces == 1 && c->p->proto != DRILL_ICMP)
		number(c, DRILL_F_LEN, "IP total length", (uint32_t)want,
		       (uint32_t)g->layer[0].total);
}

/* The language leaves it alone; but here no device is left to fill it in. */
static void checksum(struct cmp *c)
{
	if (!c->d->fields && c->got->sum_bad)
		differ(c, DRILL_F_HEADERS, "wrong checksum behind the IP header");
}

static void compare(struct cmp *c)
{
	if (!same_layers(c))
		return;
	layers(c);
	if (!c->got->known)
		return;
	switch (c->p->proto) {
	case DRILL_TCP:
		tcp(c);
		break;
	case DRILL_UDP:
		number(c, DRILL_F_LEN, "UDP payload length", c->p->udp.len,
		       (uint32_t)c->got->data_len);
		break;
	case DRILL_ICMP:
		icmp(c);
		break;
	}
	if (!c->got->data_zero)
		differ(c, DRILL_F_LEN, "payload: expected zeros, got others");
	total_length(c);
	checksum(c);
}

/* The options as written; their bytes are compared one by one later. */
static void put_options(const struct drill_tcp *t, struct drill_wire *w)
{
	if (t->opts_kind != DRILL_OPTS_LIST)
		return;
	for (const struct drill_opt *o = t->opts; o; o = o->next)
		w->nopts += rl_drill_opt_write(o, w->opts + w->nopts,
					       sizeof(w->opts) - w->nopts);
}

void rl_drill_compare(struct drill_run *r, const struct drill_packet *p,
		      const struct drill_seen *s, bool part, struct drill_diff *d)
{
	struct drill_wire w = { .src = s->src, .dst = s->dst, .seq = p->tcp.seq,
				.ack = p->tcp.ack };
	uint8_t *buf = malloc(DRILL_PACKET_MAX);
	struct drill_seen *want = malloc(sizeof(*want));
	struct cmp c = { r, p, want, s, d, part };
	size_t n = 0;

	*d = (struct drill_diff){ .v6 = !rl_ip_is4(&s->src.ip) };
	put_options(&p->tcp, &w);
	if (buf && want)
		n = rl_drill_build(p, &w, buf, DRILL_PACKET_MAX);
	if (!n || rl_drill_seen_parse(want, buf, n, d->what, sizeof(d->what)))
		differ(&c, DRILL_F_HEADERS, "no packet can be as this line says");
	else
		compare(&c);
	free(want);
	free(buf);
}
