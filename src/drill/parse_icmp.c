// SPDX-License-Identifier: MIT
/*
 * ICMP packets, section 8 of the language: names into the numbers of the script's
 * IP version, and the piece of a packet that an error quotes.
 */
#include "drill/parse.h"

#include <stdio.h>
#include <string.h>

#define UNREACHABLE4	3
#define FRAG_NEEDED	4
#define TOO_BIG6	2

struct icmp_name {
	const char	*name;
	uint8_t		number;
};

struct icmp_code {
	uint8_t		type;
	const char	*name;
	uint8_t		number;
};

static const struct icmp_name types4[] = {
	{ "echo_reply", 0 }, { "unreachable", UNREACHABLE4 }, { "source_quench", 4 },
	{ "redirect", 5 }, { "echo_request", 8 }, { "time_exceeded", 11 },
	{ "parameter_problem", 12 }, { "timestamp_request", 13 },
	{ "timestamp_reply", 14 }, { "information_request", 15 },
	{ "information_reply", 16 }, { "address_mask_request", 17 },
	{ "address_mask_reply", 18 }, { NULL, 0 },
};

static const struct icmp_name types6[] = {
	{ "unreachable", 1 }, { "packet_too_big", TOO_BIG6 }, { "time_exceeded", 3 },
	{ "parameter_problem", 4 }, { "echo_request", 128 }, { "echo_reply", 129 },
	{ NULL, 0 },
};

static const struct icmp_code codes4[] = {
	{ 3, "net_unreachable", 0 }, { 3, "host_unreachable", 1 },
	{ 3, "protocol_unreachable", 2 }, { 3, "port_unreachable", 3 },
	{ 3, "frag_needed", FRAG_NEEDED }, { 3, "source_route_failed", 5 },
	{ 3, "net_unknown", 6 }, { 3, "host_unknown", 7 },
	{ 3, "source_host_isolated", 8 }, { 3, "net_prohibited", 9 },
	{ 3, "host_prohibited", 10 }, { 3, "net_unreachable_for_tos", 11 },
	{ 3, "host_unreachable_for_tos", 12 }, { 3, "packet_filtered", 13 },
	{ 3, "precedence_violation", 14 }, { 3, "precedence_cutoff", 15 },
	{ 11, "ttl_exceeded_in_transit", 0 }, { 11, "frag_reass_exceeded", 1 },
	{ 0, NULL, 0 },
};

static const struct icmp_code codes6[] = {
	{ 1, "no_route", 0 }, { 1, "admin_prohibited", 1 }, { 1, "not_neighbour", 2 },
	{ 1, "address_unreachable", 3 }, { 1, "port_unreachable", 4 },
	{ 3, "exceeded_hop_limit", 0 }, { 3, "exceeded_frag_time", 1 },
	{ 4, "header_field", 0 }, { 4, "unknown_next_header", 1 },
	{ 4, "unknown_option", 2 }, { 0, NULL, 0 },
};

/* "type_11": the number behind the prefix, or -1. */
static int numbered(const struct drill_token *t, const char *prefix)
{
	size_t n = strlen(prefix);
	int v = 0;

	if (t->len <= n || t->len > n + 3 || memcmp(t->text, prefix, n) != 0)
		return -1;
	for (; n < t->len; n++) {
		if (t->text[n] < '0' || t->text[n] > '9')
			return -1;
		v = v * 10 + (t->text[n] - '0');
	}
	return v <= 255 ? v : -1;
}

static uint8_t parse_type(struct drill_parser *p)
{
	const struct drill_token *t = rl_drill_tok_peek(p, 0);
	int v = t->kind == DRILL_T_WORD ? numbered(t, "type_") : -1;

	for (const struct icmp_name *n = p->ipv6 ? types6 : types4; n->name && v < 0; n++)
		if (rl_drill_tok_is(t, n->name))
			v = n->number;
	if (v < 0) {
		rl_drill_tok_expected(p, p->ipv6
			? "an ICMP type of IPv6 such as unreachable or type_1"
			: "an ICMP type of IPv4 such as unreachable or type_3");
		return 0;
	}
	rl_drill_tok_take(p);
	return (uint8_t)v;
}

/* Is the next thing a code?  It may be left out. */
static bool at_code(const struct drill_parser *p)
{
	const struct drill_token *t = rl_drill_tok_peek(p, 0);

	return t->kind == DRILL_T_WORD && !rl_drill_tok_is(t, "mtu") &&
		!rl_drill_tok_is(t, "id") && !rl_drill_tok_is(t, "badsum") &&
		!rl_drill_parse_at_own(p);
}

static uint8_t parse_code(struct drill_parser *p, uint8_t type)
{
	const struct drill_token *t = rl_drill_tok_peek(p, 0);
	int v = numbered(t, "code_");
	char what[96];

	for (const struct icmp_code *c = p->ipv6 ? codes6 : codes4; c->name && v < 0; c++)
		if (c->type == type && rl_drill_tok_is(t, c->name))
			v = c->number;
	if (v < 0) {
		snprintf(what, sizeof(what), "a code of %s type %u, such as code_0, or an "
			 "event's time", p->ipv6 ? "ICMPv6" : "ICMP", type);
		rl_drill_tok_expected(p, what);
		return 0;
	}
	rl_drill_tok_take(p);
	return (uint8_t)v;
}

static void parse_mtu(struct drill_parser *p, struct drill_icmp *icmp)
{
	bool v4 = !p->ipv6 && icmp->type == UNREACHABLE4 && icmp->code == FRAG_NEEDED;
	bool v6 = p->ipv6 && icmp->type == TOO_BIG6;

	if (!v4 && !v6)
		rl_drill_tok_wrong(p, rl_drill_tok_peek(p, 0)->line, p->ipv6
				   ? "only packet_too_big has an mtu"
				   : "only unreachable frag_needed has an mtu");
	icmp->has_mtu = true;
	icmp->mtu = rl_drill_tok_number(p, "the MTU", v4 ? 65535 : UINT32_MAX);
}

/* '[' S:E(L) ']', '[' udp (L) ']' or '[' raw (L) ']' */
static void parse_echoed(struct drill_parser *p, struct drill_icmp *icmp)
{
	rl_drill_tok_need(p, '[', "before the quoted packet");
	if (rl_drill_tok_word(p, "udp")) {
		icmp->echoed = DRILL_ECHO_UDP;
		icmp->len = rl_drill_parse_len(p);
	} else if (rl_drill_tok_word(p, "raw")) {
		icmp->echoed = DRILL_ECHO_RAW;
		icmp->len = rl_drill_parse_len(p);
	} else if (rl_drill_tok_is(rl_drill_tok_peek(p, 0), "sctp")) {
		rl_drill_tok_unsupported(p, "SCTP");
	} else {
		icmp->echoed = DRILL_ECHO_TCP;
		rl_drill_parse_range(p, &icmp->seq, &icmp->len);
	}
	rl_drill_tok_need(p, ']', "behind the quoted packet");
}

static bool at_echoed(const struct drill_parser *p)
{
	const struct drill_token *t = rl_drill_tok_peek(p, 1);

	return rl_drill_tok_is_char(rl_drill_tok_peek(p, 0), '[') &&
	       (t->kind == DRILL_T_INT || rl_drill_tok_is(t, "udp") ||
		rl_drill_tok_is(t, "raw") || rl_drill_tok_is(t, "sctp"));
}

bool rl_drill_parse_echoed_first(struct drill_parser *p, struct drill_packet *k)
{
	if (!at_echoed(p))
		return false;
	parse_echoed(p, &k->icmp);
	if (!rl_drill_tok_is(rl_drill_tok_peek(p, 0), "icmp"))
		rl_drill_tok_expected(p, "'icmp' behind the quoted packet");
	return true;
}

void rl_drill_parse_icmp(struct drill_parser *p, struct drill_packet *k)
{
	struct drill_icmp *icmp = &k->icmp;
	bool more = true;

	k->proto = DRILL_ICMP;
	icmp->type = parse_type(p);
	if (at_code(p))
		icmp->code = parse_code(p, icmp->type);
	while (more) {
		if (!icmp->has_mtu && rl_drill_tok_word(p, "mtu")) {
			parse_mtu(p, icmp);
		} else if (!icmp->has_id && rl_drill_tok_word(p, "id")) {
			icmp->has_id = true;
			icmp->id = (uint16_t)rl_drill_tok_number(p, "the identifier", 65535);
		} else {
			more = false;
		}
	}
	if (icmp->echoed == DRILL_ECHO_NONE && rl_drill_tok_is_char(rl_drill_tok_peek(p, 0), '['))
		parse_echoed(p, icmp);
}

const char *rl_drill_icmp_type(bool ipv6, uint8_t type)
{
	for (const struct icmp_name *n = ipv6 ? types6 : types4; n->name; n++)
		if (n->number == type)
			return n->name;
	return NULL;
}

const char *rl_drill_icmp_code(bool ipv6, uint8_t type, uint8_t code)
{
	for (const struct icmp_code *c = ipv6 ? codes6 : codes4; c->name; c++)
		if (c->type == type && c->number == code)
			return c->name;
	return NULL;
}
