// SPDX-License-Identifier: MIT
/*
 * Packets, section 5 of the language: direction, encapsulation, what is said of the
 * IP header, UDP.  TCP and ICMP have files of their own.
 */
#include "drill/parse.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

uint32_t rl_drill_parse_len(struct drill_parser *p)
{
	uint32_t len;

	rl_drill_tok_need(p, '(', "before the length");
	len = rl_drill_tok_number(p, "the length", 65535);
	rl_drill_tok_need(p, ')', "behind the length");
	return len;
}

void rl_drill_parse_range(struct drill_parser *p, uint32_t *seq, uint32_t *len)
{
	int line = rl_drill_tok_peek(p, 0)->line;
	uint32_t end;

	*seq = rl_drill_tok_number(p, "the sequence number", UINT32_MAX);
	rl_drill_tok_need(p, ':', "behind the sequence number, as in 1:1001(1000)");
	end = rl_drill_tok_number(p, "the end of the sequence numbers", UINT32_MAX);
	*len = rl_drill_parse_len(p);
	if (end != *seq + *len)
		rl_drill_tok_wrong(p, line, "the sequence numbers %u:%u(%u) don't add up: "
				   "%u and %u are %u", *seq, end, *len, *seq, *len, *seq + *len);
}

/* ---- what is said of an IP header ---- */

static const struct {
	const char	*word;
	enum drill_ecn	ecn;
} ecn_words[] = {
	{ "noecn", DRILL_NOECN }, { "ect0", DRILL_ECT0 }, { "ect1", DRILL_ECT1 },
	{ "ce", DRILL_CE }, { "ect01", DRILL_ECT01 },
};

#define ECN_WORDS	(sizeof(ecn_words) / sizeof(ecn_words[0]))

struct ipinfo_parse {
	struct drill_ipinfo ip;
	bool	in, ipv6;
	bool	has_dscp;
};

static void need_once(struct drill_parser *p, const struct drill_token *t, bool twice)
{
	if (twice)
		rl_drill_tok_wrong(p, t->line, "'%.*s' says again what was said before",
				   (int)(t->len < 40 ? t->len : 40), t->text);
}

static bool parse_ecn(struct drill_parser *p, struct ipinfo_parse *x)
{
	const struct drill_token *t = rl_drill_tok_peek(p, 0);

	for (size_t i = 0; i < ECN_WORDS; i++) {
		if (!rl_drill_tok_word(p, ecn_words[i].word))
			continue;
		need_once(p, t, x->ip.ecn || (x->ip.has_tos && !x->has_dscp));
		if (x->in && ecn_words[i].ecn == DRILL_ECT01)
			rl_drill_tok_wrong(p, t->line, "an inbound packet needs ect0 or ect1, "
					   "not ect01");
		x->ip.ecn = ecn_words[i].ecn;
		return true;
	}
	return false;
}

static void parse_ttl(struct drill_parser *p, struct ipinfo_parse *x, const struct drill_token *t)
{
	need_once(p, t, x->ip.has_ttl);
	x->ip.has_ttl = true;
	x->ip.ttl = (uint8_t)rl_drill_tok_number(p, "the TTL", 255);
}

static void parse_flow(struct drill_parser *p, struct ipinfo_parse *x, const struct drill_token *t)
{
	need_once(p, t, x->ip.has_flow);
	if (!x->ipv6)
		rl_drill_tok_wrong(p, t->line, "only IPv6 has a flow label; --ip_version=ipv6?");
	x->ip.has_flow = true;
	x->ip.flow = rl_drill_tok_number(p, "the flow label", 0xfffff);
}

static void parse_tos(struct drill_parser *p, struct ipinfo_parse *x, const struct drill_token *t)
{
	need_once(p, t, x->ip.has_tos || x->ip.ecn);
	x->ip.has_tos = true;
	x->ip.tos = (uint8_t)rl_drill_tok_number(p, "the type of service", 255);
}

static void parse_item(struct drill_parser *p, struct ipinfo_parse *x)
{
	const struct drill_token *t = rl_drill_tok_peek(p, 0);

	if (parse_ecn(p, x))
		return;
	if (rl_drill_tok_word(p, "ttl") || rl_drill_tok_word(p, "hlim")) {
		parse_ttl(p, x, t);
	} else if (rl_drill_tok_word(p, "tos") || rl_drill_tok_word(p, "class")) {
		parse_tos(p, x, t);
	} else if (rl_drill_tok_word(p, "flowlabel")) {
		parse_flow(p, x, t);
	} else if (rl_drill_tok_word(p, "dscp")) {
		need_once(p, t, x->ip.has_tos);
		x->ip.has_tos = x->has_dscp = true;
		x->ip.tos = (uint8_t)(rl_drill_tok_number(p, "the DSCP", 63) << 2);
	} else {
		rl_drill_tok_expected(p, "what is said of the IP header: noecn, ect0, ect1, "
				      "ect01, ce, tos, flowlabel, ttl, hlim, class or dscp");
	}
}

/* A DSCP makes a whole byte with the ECN word, or with Not-ECT. */
static void join_dscp(struct drill_parser *p, struct ipinfo_parse *x)
{
	static const uint8_t bits[] = {
		[DRILL_ECN_UNSET] = 0, [DRILL_NOECN] = 0, [DRILL_ECT0] = 2,
		[DRILL_ECT1] = 1, [DRILL_CE] = 3, [DRILL_ECT01] = 0,
	};

	if (!x->has_dscp)
		return;
	if (x->ip.ecn == DRILL_ECT01)
		rl_drill_tok_unsupported(p, "dscp together with ect01");
	x->ip.tos |= bits[x->ip.ecn];
	x->ip.ecn = DRILL_ECN_UNSET;
}

static struct drill_ipinfo parse_ipinfo(struct drill_parser *p, bool in, bool ipv6)
{
	struct ipinfo_parse x = { .in = in, .ipv6 = ipv6 };
	bool square = rl_drill_tok_char(p, '[');

	if (!square && !rl_drill_tok_char(p, '('))
		return x.ip;
	do {
		parse_item(p, &x);
	} while (rl_drill_tok_char(p, ','));
	rl_drill_tok_need(p, square ? ']' : ')', "behind what is said of the IP header");
	join_dscp(p, &x);
	return x.ip;
}

/* ---- encapsulation ---- */

static struct rill_ip parse_address(struct drill_parser *p, bool ipv6)
{
	const struct drill_token *t = rl_drill_tok_peek(p, 0);
	struct rill_ip ip = { .b = { [10] = 0xff, [11] = 0xff } };
	char text[INET6_ADDRSTRLEN];

	if (t->kind != (ipv6 ? DRILL_T_IPV6 : DRILL_T_IPV4) || t->len >= sizeof(text)) {
		rl_drill_tok_expected(p, ipv6 ? "an IPv6 address" : "an IPv4 address");
		return ip;
	}
	memcpy(text, t->text, t->len);
	text[t->len] = '\0';
	inet_pton(ipv6 ? AF_INET6 : AF_INET, text, ip.b + (ipv6 ? 0 : 12));
	rl_drill_tok_take(p);
	return ip;
}

static void parse_outer_ip(struct drill_parser *p, struct drill_encap *e, bool in, bool ipv6)
{
	e->kind = ipv6 ? DRILL_ENCAP_IPV6 : DRILL_ENCAP_IPV4;
	e->ip = parse_ipinfo(p, in, ipv6);
	e->src = parse_address(p, ipv6);
	rl_drill_tok_need(p, '>', "between the addresses");
	e->dst = parse_address(p, ipv6);
}

static void parse_gre_flag(struct drill_parser *p, struct drill_encap *e)
{
	static const struct {
		const char	*word;
		uint16_t	bit;
	} flags[] = { { "checksum", 0x8000 }, { "key", 0x2000 }, { "sequence#", 0x1000 } };

	if (rl_drill_tok_word(p, "none"))
		return;
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if (!rl_drill_tok_word(p, flags[i].word))
			continue;
		e->gre_flags |= flags[i].bit;
		if (!rl_drill_tok_word(p, "present"))
			rl_drill_tok_expected(p, "'present'");
		return;
	}
	rl_drill_tok_expected(p, "a GRE flag: none, checksum present, key present or "
			      "sequence# present");
}

static void parse_gre_flags(struct drill_parser *p, struct drill_encap *e)
{
	if (!rl_drill_tok_char(p, '[')) {
		e->gre_flags = (uint16_t)rl_drill_tok_number(p, "the GRE flags", 0xffff);
		return;
	}
	do {
		parse_gre_flag(p, e);
	} while (rl_drill_tok_char(p, ','));
	rl_drill_tok_need(p, ']', "behind the GRE flags");
}

/* "sum 0x1234", with a comma before it or not */
static uint32_t parse_gre_field(struct drill_parser *p, const char *word, uint32_t max)
{
	char what[48];

	rl_drill_tok_char(p, ',');
	snprintf(what, sizeof(what), "the GRE field '%s'", word);
	if (!rl_drill_tok_word(p, word)) {
		rl_drill_tok_expected(p, what);
		return 0;
	}
	if (strcmp(word, "key") == 0)
		rl_drill_tok_char(p, '=');
	return rl_drill_tok_number(p, what, max);
}

static void parse_gre(struct drill_parser *p, struct drill_encap *e)
{
	e->kind = DRILL_ENCAP_GRE;
	if (rl_drill_tok_is_char(rl_drill_tok_peek(p, 0), ':'))
		return;
	rl_drill_tok_char(p, ',');
	if (!rl_drill_tok_word(p, "flags") && !rl_drill_tok_word(p, "Flags"))
		rl_drill_tok_expected(p, "'flags' or ':' behind gre");
	parse_gre_flags(p, e);
	e->has_gre_fields = true;
	e->gre_sum = (uint16_t)parse_gre_field(p, "sum", 0xffff);
	e->gre_off = (uint16_t)parse_gre_field(p, "off", 0xffff);
	e->gre_key = parse_gre_field(p, "key", UINT32_MAX);
	e->gre_seq = parse_gre_field(p, "seq", UINT32_MAX);
}

static uint32_t parse_label_field(struct drill_parser *p, const char *word, uint32_t max)
{
	if (!rl_drill_tok_word(p, word)) {
		rl_drill_tok_expected(p, "an MPLS label such as (label 16, tc 0, [S], ttl 64)");
		return 0;
	}
	return rl_drill_tok_number(p, word, max);
}

static void parse_label(struct drill_parser *p, struct drill_mpls *m)
{
	m->label = parse_label_field(p, "label", 0xfffff);
	rl_drill_tok_need(p, ',', "behind the label");
	m->tc = (uint8_t)parse_label_field(p, "tc", 7);
	rl_drill_tok_need(p, ',', "behind the traffic class");
	if (rl_drill_tok_char(p, '[')) {
		if (!rl_drill_tok_word(p, "S"))
			rl_drill_tok_expected(p, "'S', the bottom of the stack");
		m->bottom = true;
		rl_drill_tok_need(p, ']', "behind S");
		rl_drill_tok_need(p, ',', "behind [S]");
	}
	m->ttl = (uint8_t)parse_label_field(p, "ttl", 255);
	rl_drill_tok_need(p, ')', "behind the label");
}

static void parse_mpls(struct drill_parser *p, struct drill_encap *e)
{
	e->kind = DRILL_ENCAP_MPLS;
	while (rl_drill_tok_char(p, '(')) {
		if (e->nlabels == DRILL_LABELS) {
			rl_drill_tok_wrong(p, rl_drill_tok_peek(p, 0)->line,
					   "more than %d MPLS labels", DRILL_LABELS);
			return;
		}
		parse_label(p, &e->labels[e->nlabels++]);
	}
}

/* One outer header, up to its ":"; false: the next thing is something else. */
static bool parse_encap(struct drill_parser *p, struct drill_encap *e, bool in)
{
	if (rl_drill_tok_word(p, "ipv4"))
		parse_outer_ip(p, e, in, false);
	else if (rl_drill_tok_word(p, "ipv6"))
		parse_outer_ip(p, e, in, true);
	else if (rl_drill_tok_word(p, "gre") || rl_drill_tok_word(p, "GREv0"))
		parse_gre(p, e);
	else if (rl_drill_tok_word(p, "mpls"))
		parse_mpls(p, e);
	else
		return false;
	rl_drill_tok_need(p, ':', "behind the outer header");
	return true;
}

/* The packet's own IP header and what it carries count among the layers. */
static void parse_encaps(struct drill_parser *p, struct drill_packet *k)
{
	struct drill_encap e = { .nlabels = 0 };

	while (parse_encap(p, &e, k->in)) {
		if (k->nencap + 2 == DRILL_LAYERS) {
			rl_drill_tok_wrong(p, rl_drill_tok_peek(p, 0)->line,
					   "more than %d layers of headers", DRILL_LAYERS);
			return;
		}
		k->encap[k->nencap++] = e;
		memset(&e, 0, sizeof(e));
	}
}

/* ---- the packet ---- */

static void parse_udp(struct drill_parser *p, struct drill_packet *k)
{
	k->proto = DRILL_UDP;
	if (rl_drill_tok_peek(p, 0)->kind == DRILL_T_INT) {
		k->udp.has_ports = true;
		k->udp.sport = (uint16_t)rl_drill_tok_number(p, "the source port", 65535);
		rl_drill_tok_need(p, '>', "between the ports");
		k->udp.dport = (uint16_t)rl_drill_tok_number(p, "the destination port", 65535);
	}
	k->udp.len = (uint16_t)rl_drill_parse_len(p);
}

static void parse_body(struct drill_parser *p, struct drill_packet *k)
{
	if (rl_drill_tok_is(rl_drill_tok_peek(p, 0), "sctp"))
		rl_drill_tok_unsupported(p, "SCTP");
	else if (rl_drill_tok_is(rl_drill_tok_peek(p, 0), "encap"))
		rl_drill_tok_unsupported(p, "PSP encapsulation");
	else if (rl_drill_tok_word(p, "udp"))
		parse_udp(p, k);
	else if (rl_drill_tok_word(p, "icmp"))
		rl_drill_parse_icmp(p, k);
	else
		rl_drill_parse_tcp(p, k);
	if (rl_drill_tok_is_char(rl_drill_tok_peek(p, 0), '/') &&
	    rl_drill_tok_is(rl_drill_tok_peek(p, 1), "udp"))
		rl_drill_tok_unsupported(p, "UDP encapsulation");
}

/* Rill's own: the checksum of what the IP header carries is wrong. */
static void parse_badsum(struct drill_parser *p, struct drill_packet *k)
{
	int line = rl_drill_tok_peek(p, 0)->line;

	k->bad_sum = rl_drill_tok_word(p, "badsum");
	if (k->bad_sum && !k->in)
		rl_drill_tok_wrong(p, line, "only an inbound packet can be badsum");
}

struct drill_packet *rl_drill_parse_packet(struct drill_parser *p)
{
	struct drill_packet *k = rl_drill_alloc(&p->s->arena, sizeof(*k));

	k->in = rl_drill_tok_is_char(rl_drill_tok_take(p), '<');
	parse_encaps(p, k);
	if (!rl_drill_parse_echoed_first(p, k)) {
		k->ip = parse_ipinfo(p, k->in, p->ipv6);
		rl_drill_parse_echoed_first(p, k);
	}
	parse_body(p, k);
	parse_badsum(p, k);
	return k;
}
