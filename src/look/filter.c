/* SPDX-License-Identifier: MIT */
/*
 * The filter language of ss(8):
 *
 *   FILTER := { state NAME | exclude NAME } [ EXPRESSION ]
 *   EXPRESSION := predicates joined by or, and, not, ( ); none means and
 *   predicate := {src|dst} [=|!=] HOST[/BITS][:PORT] | {sport|dport} [OP] [:]PORT |
 *                dev [=|!=] NAME | fwmark [=|!=] MARK[/MASK] | cgroup [=|!=] PATH |
 *                autobound
 *
 * Words become tokens, tokens become a postfix list by precedence climbing over
 * an explicit stack (no recursion, so no depth to fear), and matching runs over
 * that list (filter_match.c); what stands behind a predicate's word is filter_value.c's.
 * Fuzzed by fuzz/filter.c.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "look/filter_int.h"

#define WORD_MAX	FILTER_WORD

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
	case FLT_DEV:
	case FLT_MARK:
	case FLT_CGROUP:
	case FLT_AUTO:
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

/* The words of predicates; those that take an order compare ports. */
static const struct word {
	const char	*name;
	enum filter_kind kind;
	bool		 local;
} words[] = {
	{ "src", FLT_HOST, true }, { "dst", FLT_HOST, false },
	{ "sport", FLT_PORT, true }, { "dport", FLT_PORT, false },
	{ "dev", FLT_DEV, false }, { "fwmark", FLT_MARK, false },
	{ "cgroup", FLT_CGROUP, false }, { "autobound", FLT_AUTO, true },
};

static const struct word *find_word(const char *name)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcasecmp(name, words[i].name))
			return &words[i];
	return NULL;
}

/* A name may have several addresses: any of them will do, or none of them. */
static int emit_hosts(struct parser *p, struct filter_node *n, const struct filter_addrs *a)
{
	struct filter_node join = { .kind = n->cmp == FLT_EQ ? FLT_OR : FLT_AND };

	for (unsigned i = 0; i < a->n; i++) {
		memcpy(n->addr, a->ip[i], 16);
		n->v6 = a->v6[i];
		n->prefix = 128;
		n->has_addr = true;
		if (emit(p, n) < 0 || (i && emit(p, &join) < 0))
			return -1;
	}
	return a->n ? 0 : emit(p, n);
}

static int predicate(struct parser *p)
{
	const struct word *w = find_word(p->word);
	struct filter_node n = { .cmp = FLT_EQ };
	struct filter_addrs addrs = { .n = 0 };

	if (!w && (!strcasecmp(p->word, "state") || !strcasecmp(p->word, "exclude")))
		return fail(p, "states stand in front of the expression:", p->word);
	if (!w)
		return fail(p, "unknown word (state, exclude, src, dst, sport, dport, dev, fwmark, "
			    "cgroup, autobound, and, or, not):", p->word);
	n.kind = w->kind;
	n.local = w->local;
	if (next(p) < 0)
		return -1;
	if (n.kind == FLT_AUTO) {
		filter_autobound(&n);
		return emit(p, &n);
	}
	if (p->token == TK_CMP) {
		n.cmp = p->cmp;
		if (n.kind != FLT_PORT && n.cmp != FLT_EQ && n.cmp != FLT_NE)
			return fail(p, "compared with = or != only:", w->name);
		if (next(p) < 0)
			return -1;
	}
	if (p->token != TK_WORD)
		return fail(p, "something is missing behind", w->name);
	if (!filter_value(p->word, &n, &addrs)) {
		static const char *const form[] = {
			[FLT_PORT] = "not a port:", [FLT_DEV] = "no such device:",
			[FLT_MARK] = "not a mark (1, 0x10/0xff):",
			[FLT_CGROUP] = "no such cgroup (a path below the root of cgroup2):",
			[FLT_HOST] = "not an address (10.0.0.1, 10.0.0.0/8, [fd77::1], fd77::/64, "
				     "each with :PORT), or not a port:",
		};

		return fail(p, form[n.kind], p->word);
	}
	return emit_hosts(p, &n, &addrs) < 0 ? -1 : next(p);
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
