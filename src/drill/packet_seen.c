/* SPDX-License-Identifier: MIT */
/*
 * Bytes of a packet taken apart into the form that scripts are written in, so
 * that what came can be compared with, and shown beside, what was expected.
 *
 * Nothing of the bytes is kept: rl_drill_seen_parse() copies what matters.  Its
 * values are those on the wire; rl_drill_seen_map() turns them into the script's.
 */
#include <netinet/in.h>
#include <stdio.h>

#include "drill/packet.h"
#include "wire/cksum.h"
#include "wire/eth.h"
#include "wire/icmp.h"
#include "wire/ipv4.h"
#include "wire/ipv6.h"
#include "wire/udp_hdr.h"

/* Where parsing stands. */
struct cursor {
	const uint8_t	*p;
	size_t		n;
	char		*why;
	size_t		why_len;
};

static int bad(struct cursor *c, const char *what)
{
	snprintf(c->why, c->why_len, "malformed packet: %s, %zu bytes left", what, c->n);
	return -1;
}

static void advance(struct cursor *c, size_t n)
{
	c->p += n;
	c->n -= n;
}

/* ---- TCP options ---- */

static void get_sacks(struct drill_opt *o, const uint8_t *p, size_t n)
{
	o->kind = DRILL_OPT_SACK;
	o->nsacks = (unsigned)(n / 8);
	for (unsigned i = 0; i < o->nsacks; i++) {
		o->sack[i].from = get32(p + 8 * i);
		o->sack[i].to = get32(p + 8 * i + 4);
	}
}

static void get_counters(struct drill_opt *o, const uint8_t *p, size_t n)
{
	o->nctrs = (unsigned)(n / 3);
	for (unsigned i = 0; i < o->nctrs; i++)
		o->ctr[i] = (uint32_t)p[3 * i] << 16 | get16(p + 3 * i + 1);
}

static void get_data(struct drill_opt *o, enum drill_opt_kind kind,
		     const uint8_t *p, size_t n)
{
	o->kind = kind;
	o->len = (unsigned)n;
	memcpy(o->data, p, n);
}

static void get_value(struct drill_opt *o, enum drill_opt_kind kind, uint32_t value)
{
	o->kind = kind;
	o->value = value;
}

/* Options of fixed size.  Return: whether it is one, of the right size. */
static bool get_fixed_opt(struct drill_opt *o, uint8_t kind, const uint8_t *p, size_t n)
{
	if (kind == OPT_MSS && n == 2) {
		get_value(o, DRILL_OPT_MSS, get16(p));
	} else if (kind == OPT_WSCALE && n == 1) {
		get_value(o, DRILL_OPT_WSCALE, p[0]);
	} else if (kind == OPT_SACK_OK && n == 0) {
		o->kind = DRILL_OPT_SACKOK;
	} else if (kind == OPT_TS && n == 8) {
		get_value(o, DRILL_OPT_TS, get32(p));
		o->ecr = get32(p + 4);
	} else {
		return false;
	}
	return true;
}

/* The @n bytes behind kind and length; what can't be as it is, is raw. */
static void get_opt(struct drill_opt *o, uint8_t kind, const uint8_t *p, size_t n)
{
	if (get_fixed_opt(o, kind, p, n))
		return;
	if (kind == OPT_SACK && n && n % 8 == 0 && n / 8 <= DRILL_SACKS) {
		get_sacks(o, p, n);
	} else if (kind == DRILL_KIND_MD5 && n <= 16) {
		get_data(o, DRILL_OPT_MD5, p, n);
	} else if (kind == DRILL_KIND_FO) {
		get_data(o, DRILL_OPT_FO, p, n);
	} else if (kind == DRILL_KIND_EXP && n >= 2 && get16(p) == DRILL_FOEXP_MAGIC) {
		get_data(o, DRILL_OPT_FOEXP, p + 2, n - 2);
	} else if ((kind == DRILL_KIND_ECN0 || kind == DRILL_KIND_ECN1) &&
		   n && n <= 9 && n % 3 == 0) {
		o->kind = kind == DRILL_KIND_ECN0 ? DRILL_OPT_ECN0 : DRILL_OPT_ECN1;
		get_counters(o, p, n);
	} else {
		o->kind = DRILL_OPT_RAW;
		o->len = (unsigned)n + 1;
		o->data[0] = kind;
		memcpy(o->data + 1, p, n);
	}
}

static struct drill_opt *add_opt(struct drill_seen *s)
{
	struct drill_opt *o = &s->opts[s->nopts];

	*o = (struct drill_opt){ 0 };
	if (s->nopts++)
		o[-1].next = o;
	s->p.tcp.opts_kind = DRILL_OPTS_LIST;
	s->p.tcp.opts = s->opts;
	return o;
}

/* Every option takes a byte at least, so that TCP_MAX_OPT slots are enough. */
static void get_opts(struct drill_seen *s, const uint8_t *p, size_t n)
{
	while (n) {
		struct drill_opt *o = add_opt(s);
		size_t len = 1;

		if (p[0] == OPT_EOL || p[0] == OPT_NOP) {
			o->kind = p[0] == OPT_EOL ? DRILL_OPT_EOL : DRILL_OPT_NOP;
		} else if (n < 2 || p[1] < 2 || p[1] > n) {
			get_data(o, DRILL_OPT_RAW, p, n);
			s->opts_bad = true;
			return;
		} else {
			len = p[1];
			get_opt(o, p[0], p + 2, len - 2);
		}
		p += len;
		n -= len;
	}
}

/* ---- TCP, UDP, ICMP ---- */

static void get_payload(struct drill_seen *s, const uint8_t *p, size_t n)
{
	s->data_len = n;
	s->data_zero = !n || (!p[0] && !memcmp(p, p + 1, n - 1));
}

static int get_tcp(struct drill_seen *s, struct cursor *c)
{
	struct drill_tcp *t = &s->p.tcp;
	struct tcp_hdr h;

	if (rl_tcp_hdr_parse(&h, c->p, c->n))
		return bad(c, "TCP header");
	s->p.proto = DRILL_TCP;
	s->known = true;
	s->src.port = h.sport;
	s->dst.port = h.dport;
	s->live_seq = h.seq.v;
	s->live_ack = h.ack.v;
	s->reserved = (c->p[12] >> 1) & 7;
	t->flags = (uint16_t)(h.flags | (c->p[12] & 1 ? DRILL_AE : 0));
	t->seq = h.seq.v;
	t->ack = h.ack.v;
	t->has_ack = h.flags & TH_ACK;
	t->has_win = true;
	t->win = h.win;
	t->urg = h.urg;
	get_opts(s, c->p + TCP_HDR_LEN, h.hdr_len - TCP_HDR_LEN);
	s->l4_hdr = h.hdr_len;
	get_payload(s, c->p + h.hdr_len, c->n - h.hdr_len);
	t->len = (uint32_t)s->data_len;
	return 0;
}

static int get_udp(struct drill_seen *s, struct cursor *c)
{
	struct udp_hdr h;

	if (!rl_udp_hdr_parse(&h, c->p, c->n))
		return bad(c, "UDP header");
	s->p.proto = DRILL_UDP;
	s->known = true;
	s->src.port = h.sport;
	s->dst.port = h.dport;
	s->l4_hdr = UDP_HDR_LEN;
	get_payload(s, c->p + UDP_HDR_LEN, h.len - UDP_HDR_LEN);
	s->p.udp.len = (uint16_t)s->data_len;
	return 0;
}

static int get_icmp(struct drill_seen *s, struct cursor *c)
{
	struct icmp_hdr h;

	if (rl_icmp_parse(&h, c->p, c->n))
		return bad(c, "ICMP header");
	s->p.proto = DRILL_ICMP;
	s->known = true;
	s->p.icmp.type = h.type;
	s->p.icmp.code = h.code;
	s->p.icmp.echoed = DRILL_ECHO_RAW;
	s->p.icmp.len = (uint32_t)(c->n - ICMP_HDR_LEN);
	s->l4_hdr = ICMP_HDR_LEN;
	s->data_len = c->n - ICMP_HDR_LEN;
	s->data_zero = true;		/* not compared */
	return 0;
}

/* @c stands at the header that @proto's checksum covers with all behind it. */
static bool sum_bad(const struct drill_seen *s, const struct cursor *c, uint16_t proto)
{
	uint64_t sum = proto == IPPROTO_ICMP ? 0 :
		       rl_sum_pseudo(&s->src.ip, &s->dst.ip, (uint8_t)proto, (uint32_t)c->n);

	if (proto == IPPROTO_UDP && rl_ip_is4(&s->src.ip) && c->n >= UDP_HDR_LEN &&
	    !get16(c->p + UDP_CSUM_OFF))
		return false;		/* none [RFC768] */
	return rl_sum_finish(rl_sum(c->p, c->n, sum)) != 0;
}

static int get_l4(struct drill_seen *s, struct cursor *c, uint16_t proto)
{
	const struct drill_layer *ip = &s->layer[s->nlayers - 1];

	if (ip->fragment)
		return 0;		/* compare rejects it */
	s->sum_bad = sum_bad(s, c, proto);
	if (proto == IPPROTO_TCP)
		return get_tcp(s, c);
	if (proto == IPPROTO_UDP)
		return get_udp(s, c);
	if (proto == (ip->kind == DRILL_ENCAP_IPV6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP))
		return get_icmp(s, c);
	return 0;
}

/* ---- layers ---- */

enum drill_ecn rl_drill_ecn_of(uint8_t tos)
{
	static const enum drill_ecn of[] = {
		DRILL_NOECN, DRILL_ECT1, DRILL_ECT0, DRILL_CE,
	};

	return of[tos & 3];
}

/* Marked packets are shown as such; "noecn" is not worth a word. */
static struct drill_ipinfo ip_info(uint8_t tos, uint8_t ttl, uint32_t flow)
{
	return (struct drill_ipinfo){
		.tos = tos, .ttl = ttl, .flow = flow,
		.ecn = tos & 3 ? rl_drill_ecn_of(tos) : DRILL_ECN_UNSET,
	};
}

static int get_ipv4(struct cursor *c, struct drill_layer *l, struct drill_encap *e)
{
	struct ipv4_hdr h;

	if (rl_ipv4_parse(&h, c->p, c->n) || h.total_len > c->n ||
	    h.total_len < h.hdr_len)
		return bad(c, "IPv4 header");
	*l = (struct drill_layer){
		.kind = DRILL_ENCAP_IPV4, .next = h.proto, .hdr = h.hdr_len,
		.total = h.total_len, .fragment = h.mf || h.frag_off,
		.cksum_bad = !rl_ipv4_cksum_ok(c->p, h.hdr_len),
	};
	*e = (struct drill_encap){
		.kind = l->kind, .ip = ip_info(h.tos, h.ttl, 0), .src = h.src, .dst = h.dst,
	};
	c->n = h.total_len;
	return 0;
}

static int get_ipv6(struct cursor *c, struct drill_layer *l, struct drill_encap *e)
{
	struct ipv6_hdr h;

	if (rl_ipv6_parse(&h, c->p, c->n) || h.payload_len + 40u > c->n)
		return bad(c, "IPv6 header");
	*l = (struct drill_layer){
		.kind = DRILL_ENCAP_IPV6, .next = h.next, .hdr = IPV6_HDR_LEN,
		.total = h.payload_len + 40u, .fragment = h.next == IPPROTO_FRAGMENT,
	};
	*e = (struct drill_encap){
		.kind = l->kind, .ip = ip_info(h.tclass, h.hop_limit, h.flow_label),
		.src = h.src, .dst = h.dst,
	};
	c->n = l->total;
	return 0;
}

static int get_gre(struct cursor *c, struct drill_layer *l, struct drill_encap *e)
{
	const uint8_t *p = c->p;
	size_t len;

	if (c->n < 4)
		return bad(c, "GRE header");
	*e = (struct drill_encap){ .kind = DRILL_ENCAP_GRE, .gre_flags = get16(p) };
	len = 4u + (p[0] & 0x80 ? 4u : 0u) + (p[0] & 0x20 ? 4u : 0u) +
	      (p[0] & 0x10 ? 4u : 0u);
	if (c->n < len)
		return bad(c, "GRE header");
	*l = (struct drill_layer){ .kind = DRILL_ENCAP_GRE, .next = get16(p + 2),
				   .hdr = len, .total = c->n };
	p += 4;
	if (e->gre_flags & 0x8000) {
		e->gre_sum = get16(p);
		e->gre_off = get16(p + 2);
		p += 4;
	}
	if (e->gre_flags & 0x2000) {
		e->gre_key = get32(p);
		p += 4;
	}
	if (e->gre_flags & 0x1000)
		e->gre_seq = get32(p);
	e->has_gre_fields = e->gre_flags != 0;
	return 0;
}

static int get_mpls(struct cursor *c, struct drill_layer *l, struct drill_encap *e)
{
	*e = (struct drill_encap){ .kind = DRILL_ENCAP_MPLS };
	*l = (struct drill_layer){ .kind = DRILL_ENCAP_MPLS, .total = c->n };
	for (unsigned i = 0; i < DRILL_LABELS && c->n >= l->hdr + 4; i++) {
		uint32_t v = get32(c->p + l->hdr);

		l->hdr += 4;
		e->labels[e->nlabels++] = (struct drill_mpls){
			.label = v >> 12, .tc = (v >> 9) & 7, .bottom = v >> 8 & 1,
			.ttl = (uint8_t)v,
		};
		if (v & 0x100)
			return 0;
	}
	return bad(c, "MPLS labels");
}

static int get_layer(struct cursor *c, enum drill_encap_kind kind,
		     struct drill_layer *l, struct drill_encap *e)
{
	switch (kind) {
	case DRILL_ENCAP_IPV4:
		return get_ipv4(c, l, e);
	case DRILL_ENCAP_IPV6:
		return get_ipv6(c, l, e);
	case DRILL_ENCAP_GRE:
		return get_gre(c, l, e);
	case DRILL_ENCAP_MPLS:
		return get_mpls(c, l, e);
	}
	return -1;
}

/* What is inside of the layer that was just read; false: TCP and the like. */
static bool inner_kind(const struct drill_layer *l, const struct cursor *c,
		       enum drill_encap_kind *kind)
{
	bool gre = l->kind == DRILL_ENCAP_GRE;

	if (l->kind == DRILL_ENCAP_MPLS)
		*kind = c->n && c->p[0] >> 4 == 6 ? DRILL_ENCAP_IPV6 : DRILL_ENCAP_IPV4;
	else if (l->next == (gre ? ETH_IPV4 : IPPROTO_IPIP))
		*kind = DRILL_ENCAP_IPV4;
	else if (l->next == (gre ? ETH_IPV6 : IPPROTO_IPV6))
		*kind = DRILL_ENCAP_IPV6;
	else if (l->next == (gre ? DRILL_ETH_MPLS : DRILL_PROTO_MPLS))
		*kind = DRILL_ENCAP_MPLS;
	else if (!gre && l->next == IPPROTO_GRE)
		*kind = DRILL_ENCAP_GRE;
	else
		return false;
	return true;
}

/* The innermost header moves from the list of encapsulations to the packet. */
static void take_innermost(struct drill_seen *s)
{
	const struct drill_encap *e = &s->p.encap[s->p.nencap];

	s->p.ip = e->ip;
	s->src.ip = e->src;
	s->dst.ip = e->dst;
}

int rl_drill_seen_parse(struct drill_seen *s, const uint8_t *bytes, size_t n,
			char *why, size_t why_len)
{
	struct cursor c = { bytes, n, why, why_len };
	enum drill_encap_kind kind = n && bytes[0] >> 4 == 6 ? DRILL_ENCAP_IPV6 :
				     DRILL_ENCAP_IPV4;

	*s = (struct drill_seen){ .pieces = 1, .data_zero = true };
	for (unsigned i = 0; i < DRILL_LAYERS; i++) {
		struct drill_layer *l = &s->layer[s->nlayers++];

		s->p.nencap = i;
		if (get_layer(&c, kind, l, &s->p.encap[i]))
			return -1;
		advance(&c, l->hdr);
		if (l->fragment || !inner_kind(l, &c, &kind)) {
			take_innermost(s);
			return get_l4(s, &c, l->next);
		}
	}
	return bad(&c, "too many headers");
}

/* ---- script values ---- */

static void map_opt(struct drill_opt *o, const struct drill_flow *f, bool syn)
{
	for (unsigned i = 0; i < o->nsacks; i++) {
		o->sack[i].from = rl_drill_script_remote(f, o->sack[i].from, syn);
		o->sack[i].to = rl_drill_script_remote(f, o->sack[i].to, syn);
	}
	if (o->kind == DRILL_OPT_TS && f->has_ts_base)
		o->value += f->script_ts_base - f->live_ts_base;
}

void rl_drill_seen_map(struct drill_seen *s, const struct drill_flow *f)
{
	struct drill_tcp *t = &s->p.tcp;
	bool syn = t->flags & DRILL_SYN;

	if (s->p.proto != DRILL_TCP)
		return;
	t->seq = rl_drill_script_local(f, t->seq, syn);
	if (t->flags & DRILL_ACK)
		t->ack = rl_drill_script_remote(f, t->ack, syn);
	for (unsigned i = 0; i < s->nopts; i++)
		map_opt(&s->opts[i], f, syn);
}

void rl_drill_seen_copy(struct drill_seen *to, const struct drill_seen *from)
{
	*to = *from;
	to->p.tcp.opts = to->nopts ? to->opts : NULL;
	for (unsigned i = 0; i < to->nopts; i++)
		to->opts[i].next = i + 1 < to->nopts ? &to->opts[i + 1] : NULL;
}
