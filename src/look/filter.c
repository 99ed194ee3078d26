/* SPDX-License-Identifier: MIT */
/*
 * The filter language of ss(8):
 *
 *   FILTER := { state NAME | exclude NAME } [ EXPRESSION ]
 *   EXPRESSION := predicates joined by or, and, not, ( ); none means and
 *   predicate := {src|dst} [=|!=] HOST[/BITS][:PORT] | {sport|dport} [OP] [:]PORT
 *
 * Words become tokens, tokens become a postfix list by precedence climbing over
 * an explicit stack (no recursion, so no depth to fear), and matching runs over
 * that list.  Fuzzed by fuzz/filter.c.
 */
#include "look/filter.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define WORD_MAX	128

/* ---- tokens ---- */

enum token { TK_END, TK_WORD, TK_OPEN, TK_CLOSE, TK_AND, TK_OR, TK_NOT, TK_CMP };

struct parser {
	struct filter	*f;
	int		argc;
	char		**argv;
	const char	*at;		/* within argv[-1] */
	enum token	token;
	enum filter_cmp	cmp;
	char		word[WORD_MAX];
	struct filter_node stack[FILTER_NODES];	/* operators */
	unsigned	depth;
	char		*why;
	size_t		why_len;
};

static int fail(struct parser *p, const char *what, const char *which)
{
	snprintf(p->why, p->why_len, "filter: %s%s%s", what, *which ? " " : "", which);
	return -1;
}

static bool is_punct(char ch)
{
	return strchr("()!=<>&|", ch) != NULL;	/* the end as well */
}

struct spelling {
	const char	*text;
	enum token	token;
	enum filter_cmp	cmp;
};

static bool is_spelled(struct parser *p, const struct spelling *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (strcasecmp(p->word, list[i].text) != 0)
			continue;
		p->token = list[i].token;
		p->cmp = list[i].cmp;
		return true;
	}
	return false;
}

static int punctuation(struct parser *p)
{
	static const struct spelling list[] = {
		{ "(", TK_OPEN, 0 }, { ")", TK_CLOSE, 0 }, { "!", TK_NOT, 0 },
		{ "&", TK_AND, 0 }, { "&&", TK_AND, 0 }, { "|", TK_OR, 0 },
		{ "||", TK_OR, 0 }, { "=", TK_CMP, FLT_EQ }, { "==", TK_CMP, FLT_EQ },
		{ "!=", TK_CMP, FLT_NE }, { "<", TK_CMP, FLT_LT }, { "<=", TK_CMP, FLT_LE },
		{ ">", TK_CMP, FLT_GT }, { ">=", TK_CMP, FLT_GE },
	};
	size_t n = 1;

	if (strchr("=<>&|!", p->at[0]) &&
	    (p->at[1] == '=' || (p->at[1] == p->at[0] && strchr("&|", p->at[0]))))
		n = 2;
	memcpy(p->word, p->at, n);
	p->word[n] = '\0';
	p->at += n;
	if (!is_spelled(p, list, sizeof(list) / sizeof(list[0])))
		return fail(p, "what is", p->word);
	return 0;
}

static int plain_word(struct parser *p)
{
	static const struct spelling list[] = {
		{ "and", TK_AND, 0 }, { "or", TK_OR, 0 }, { "not", TK_NOT, 0 },
		{ "eq", TK_CMP, FLT_EQ }, { "ne", TK_CMP, FLT_NE }, { "neq", TK_CMP, FLT_NE },
		{ "lt", TK_CMP, FLT_LT }, { "le", TK_CMP, FLT_LE }, { "leq", TK_CMP, FLT_LE },
		{ "gt", TK_CMP, FLT_GT }, { "ge", TK_CMP, FLT_GE }, { "geq", TK_CMP, FLT_GE },
	};
	size_t n = 0;

	while (!is_punct(p->at[n]) && !isspace((unsigned char)p->at[n]))
		n++;
	if (n >= sizeof(p->word))
		return fail(p, "a word is too long", "");
	memcpy(p->word, p->at, n);
	p->word[n] = '\0';
	p->at += n;
	if (!is_spelled(p, list, sizeof(list) / sizeof(list[0])))
		p->token = TK_WORD;
	return 0;
}

static int next(struct parser *p)
{
	while (p->at && isspace((unsigned char)*p->at))
		p->at++;
	while (!p->at || !*p->at) {
		if (!p->argc) {
			p->token = TK_END;
			p->word[0] = '\0';
			return 0;
		}
		p->argc--;
		p->at = *p->argv++;
		while (isspace((unsigned char)*p->at))
			p->at++;
	}
	return is_punct(*p->at) ? punctuation(p) : plain_word(p);
}

/* ---- states ---- */

static bool state_bits(const char *s, uint32_t *bits)
{
	static const struct {
		const char	*name;
		uint32_t	bits;
	} list[] = {
		{ "established", 1u << 1 }, { "estab", 1u << 1 },
		{ "syn-sent", 1u << 2 }, { "syn-recv", 1u << 3 },
		{ "fin-wait-1", 1u << 4 }, { "fin-wait-2", 1u << 5 },
		{ "time-wait", 1u << 6 }, { "closed", 1u << 7 }, { "unconnected", 1u << 7 },
		{ "close-wait", 1u << 8 }, { "last-ack", 1u << 9 },
		{ "listening", 1u << 10 }, { "listen", 1u << 10 }, { "closing", 1u << 11 },
		{ "all", FILTER_ALL }, { "connected", FILTER_ALL & ~FILTER_CLOSED },
		{ "synchronized", FILTER_ALL & ~FILTER_CLOSED & ~(1u << 2) },
		{ "bucket", FILTER_BUCKET }, { "big", FILTER_ALL & ~FILTER_BUCKET },
	};

	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++)
		if (!strcasecmp(s, list[i].name)) {
			*bits = list[i].bits;
			return true;
		}
	return false;
}

/* At "state" or "exclude". */
static int parse_state(struct parser *p)
{
	bool exclude = !strcasecmp(p->word, "exclude");
	struct filter *f = p->f;
	uint32_t bits;

	if (next(p) < 0)
		return -1;
	if (p->token != TK_WORD)
		return fail(p, exclude ? "exclude needs the name of a state"
				       : "state needs the name of a state", "");
	if (!state_bits(p->word, &bits))
		return fail(p, "no such state (established, syn-sent, ..., all, connected, "
			    "synchronized, bucket, big):", p->word);
	if (exclude)
		f->states = (f->has_states ? f->states : FILTER_ALL) & ~bits;
	else
		f->states = (f->has_states ? f->states : 0) | bits;
	f->has_states = true;
	return next(p);
}

/* ---- hosts and ports ---- */

static bool parse_port(const char *s, uint16_t *port)
{
	const struct servent *se;
	char *end;
	long v;

	if (isdigit((unsigned char)*s)) {
		v = strtol(s, &end, 10);
		*port = (uint16_t)v;
		return !*end && v <= 65535;
	}
	se = getservbyname(s, "tcp");
	if (!se)
		se = getservbyname(s, "udp");
	if (se)
		*port = ntohs((uint16_t)se->s_port);
	return se != NULL;
}

static void map4(uint8_t out[16], const uint8_t v4[4])
{
	memset(out, 0, 10);
	out[10] = out[11] = 0xff;
	memcpy(out + 12, v4, 4);
}

bool filter_parse_ip(const char *s, uint8_t out[16])
{
	uint8_t v4[4];

	if (inet_pton(AF_INET6, s, out) == 1)
		return true;
	if (inet_pton(AF_INET, s, v4) != 1)
		return false;
	map4(out, v4);
	return true;
}

/* "193.233.7" in front of a prefix length: missing bytes are 0, as in ss. */
static bool parse_short4(const char *s, uint8_t out[16])
{
	uint8_t v4[4] = { 0 };
	char *end;

	for (int i = 0; i < 4; i++) {
		unsigned long v;

		if (!isdigit((unsigned char)*s))
			return false;
		v = strtoul(s, &end, 10);
		if (v > 255)
			return false;
		v4[i] = (uint8_t)v;
		if (!*end) {
			map4(out, v4);
			return true;
		}
		if (*end != '.')
			return false;
		s = end + 1;
	}
	return false;
}

/* ADDR or ADDR/BITS; brackets are gone. */
static bool parse_prefix(char *s, struct filter_node *n)
{
	char *slash = strchr(s, '/'), *end;
	bool v4 = !strchr(s, ':');
	unsigned max = v4 ? 32 : 128;
	unsigned long bits = max;

	if (slash) {
		*slash++ = '\0';
		if (!isdigit((unsigned char)*slash))
			return false;
		bits = strtoul(slash, &end, 10);
		if (*end || bits > max)
			return false;
	}
	if (!filter_parse_ip(s, n->addr) && !(slash && parse_short4(s, n->addr)))
		return false;
	n->prefix = (unsigned)bits + (v4 ? 96 : 0);
	n->has_addr = true;
	return true;
}

/* Cut ":PORT" off the end, and brackets off the address.  Return: the port. */
static char *split_host(char *s, char **addr)
{
	char *close = strchr(s, ']'), *colon;

	*addr = s;
	if (*s == '[' && close) {		/* [V6], [V6]/64, either with :PORT */
		colon = strchr(close, ':');
		*addr = s + 1;
		memmove(close, close + 1, strlen(close));
		if (!colon)
			return NULL;
		colon--;
		*colon = '\0';
		return colon + 1;
	}
	colon = strchr(s, ':');
	if (!colon || strchr(colon + 1, ':'))	/* none, or IPv6 without brackets */
		return NULL;
	*colon = '\0';
	return colon + 1;
}

static int parse_host(struct parser *p, struct filter_node *n)
{
	char text[WORD_MAX], *s = text, *addr, *port;

	memcpy(text, p->word, sizeof(text));
	if (!strncmp(s, "inet:", 5) || !strncmp(s, "inet6:", 6))
		s = strchr(s, ':') + 1;
	port = split_host(s, &addr);
	if (*addr && strcmp(addr, "*") && !parse_prefix(addr, n))
		return fail(p, "not an address (10.0.0.1, 10.0.0.0/8, [fd77::1], "
			    "fd77::/64):", p->word);
	if (port && strcmp(port, "*")) {
		if (!parse_port(port, &n->port))
			return fail(p, "not a port:", p->word);
		n->has_port = true;
	}
	return 0;
}

static int parse_service(struct parser *p, struct filter_node *n)
{
	const char *s = p->word;

	if (*s == ':')
		s++;
	if (!parse_port(s, &n->port))
		return fail(p, "not a port:", p->word);
	n->has_port = true;
	return 0;
}

/* ---- expressions ---- */

static int emit(struct parser *p, const struct filter_node *n)
{
	if (p->f->n == FILTER_NODES)
		return fail(p, "longer than 128 terms", "");
	p->f->node[p->f->n++] = *n;
	return 0;
}

static int push_op(struct parser *p, enum filter_kind kind)
{
	if (p->depth == FILTER_NODES)
		return fail(p, "nested deeper than 128", "");
	p->stack[p->depth++] = (struct filter_node){ .kind = kind };
	return 0;
}

static int binding(enum filter_kind kind)
{
	switch (kind) {
	case FLT_NOT:
		return 3;
	case FLT_AND:
		return 2;
	case FLT_OR:
		return 1;
	case FLT_OPEN:
	case FLT_PORT:
	case FLT_HOST:
		break;
	}
	return 0;
}

/* Operators that bind at least as tightly as @min are complete. */
static int reduce(struct parser *p, int min)
{
	while (p->depth && binding(p->stack[p->depth - 1].kind) >= min)
		if (emit(p, &p->stack[--p->depth]) < 0)
			return -1;
	return 0;
}

static int binary(struct parser *p, enum filter_kind kind)
{
	return reduce(p, binding(kind)) < 0 ? -1 : push_op(p, kind);
}

static int close_paren(struct parser *p)
{
	if (reduce(p, 1) < 0)
		return -1;
	if (!p->depth)
		return fail(p, "there is no ( for this )", "");
	p->depth--;
	return 0;
}

static int predicate(struct parser *p)
{
	static const char *const names[] = { "src", "dst", "sport", "dport" };
	struct filter_node n = { .kind = FLT_HOST, .cmp = FLT_EQ };
	unsigned which = 0;

	while (which < 4 && strcasecmp(p->word, names[which]))
		which++;
	if (which == 4)
		return fail(p, "unknown word (state, exclude, src, dst, sport, dport, and, or, "
			    "not):", p->word);
	n.local = which % 2 == 0;
	n.kind = which < 2 ? FLT_HOST : FLT_PORT;
	if (next(p) < 0)
		return -1;
	if (p->token == TK_CMP) {
		n.cmp = p->cmp;
		if (n.kind == FLT_HOST && n.cmp != FLT_EQ && n.cmp != FLT_NE)
			return fail(p, "an address is compared with = or != only", "");
		if (next(p) < 0)
			return -1;
	}
	if (p->token != TK_WORD)
		return fail(p, n.kind == FLT_HOST ? "an address is missing behind"
						  : "a port is missing behind", names[which]);
	if ((n.kind == FLT_HOST ? parse_host(p, &n) : parse_service(p, &n)) < 0)
		return -1;
	return emit(p, &n) < 0 ? -1 : next(p);
}

/*
 * One step where a term is wanted: "not", "(" or a predicate.  *@want turns
 * false when the term is there.
 */
static int term(struct parser *p, bool *want)
{
	if (p->token == TK_NOT || p->token == TK_OPEN) {
		if (push_op(p, p->token == TK_NOT ? FLT_NOT : FLT_OPEN) < 0)
			return -1;
		return next(p);
	}
	if (p->token == TK_END)
		return fail(p, "the expression breaks off", "");
	if (p->token != TK_WORD)
		return fail(p, "misplaced", p->word);
	*want = false;
	return predicate(p);
}

/* One step behind a term: an operator, ")", or a term without operator: and. */
static int behind_term(struct parser *p, bool *want)
{
	if (p->token == TK_CLOSE) {
		if (close_paren(p) < 0)
			return -1;
		return next(p);
	}
	*want = true;
	if (p->token == TK_OR || p->token == TK_AND) {
		if (binary(p, p->token == TK_OR ? FLT_OR : FLT_AND) < 0)
			return -1;
		return next(p);
	}
	return binary(p, FLT_AND);
}

static int expression(struct parser *p)
{
	bool want = true;

	while (want || p->token != TK_END)	/* each step takes or pushes something */
		if ((want ? term(p, &want) : behind_term(p, &want)) < 0)
			return -1;
	if (reduce(p, 1) < 0)
		return -1;
	return p->depth ? fail(p, "a ) is missing", "") : 0;
}

int filter_parse(struct filter *f, int argc, char **argv, char *why, size_t n)
{
	struct parser p = { .f = f, .argc = argc, .argv = argv, .why = why, .why_len = n };

	f->n = 0;
	f->states = 0;
	f->has_states = false;
	if (next(&p) < 0)
		return -1;
	while (p.token == TK_WORD &&
	       (!strcasecmp(p.word, "state") || !strcasecmp(p.word, "exclude")))
		if (parse_state(&p) < 0)
			return -1;
	return p.token == TK_END ? 0 : expression(&p);
}

/* ---- matching ---- */

static bool prefix_eq(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	unsigned bytes = bits / 8, rest = bits % 8;

	if (memcmp(a, b, bytes) != 0)
		return false;
	return !rest || ((a[bytes] ^ b[bytes]) >> (8 - rest)) == 0;
}

static bool compare(enum filter_cmp cmp, int a, int b)
{
	switch (cmp) {
	case FLT_EQ:
		return a == b;
	case FLT_NE:
		return a != b;
	case FLT_LT:
		return a < b;
	case FLT_LE:
		return a <= b;
	case FLT_GT:
		return a > b;
	case FLT_GE:
		return a >= b;
	}
	return false;
}

static bool match_node(const struct filter_node *n, const struct filter_subject *s)
{
	const uint8_t *addr = n->local ? s->local : s->peer;
	uint16_t port = n->local ? s->lport : s->pport;
	bool same;

	if (n->kind == FLT_PORT)
		return compare(n->cmp, port, n->port);
	same = (!n->has_addr || prefix_eq(addr, n->addr, n->prefix)) &&
	       (!n->has_port || port == n->port);
	return same == (n->cmp == FLT_EQ);
}

bool filter_match(const struct filter *f, const struct filter_subject *s)
{
	bool stack[FILTER_NODES + 1] = { true };	/* nothing asked: all */
	unsigned n = 0;

	for (unsigned i = 0; i < f->n; i++) {
		switch (f->node[i].kind) {
		case FLT_NOT:
			stack[n - 1] = !stack[n - 1];
			break;
		case FLT_AND:
			n--;
			stack[n - 1] = stack[n - 1] && stack[n];
			break;
		case FLT_OR:
			n--;
			stack[n - 1] = stack[n - 1] || stack[n];
			break;
		case FLT_OPEN:
		case FLT_PORT:
		case FLT_HOST:
			stack[n++] = match_node(&f->node[i], s);
			break;
		}
	}
	return stack[0];
}
