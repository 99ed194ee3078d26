// SPDX-License-Identifier: MIT
/*
 * System calls, section 9 of the language: the line's frame and the expressions of
 * its arguments, without knowing any call, structure or constant.
 *
 * In every list an expression may have a name, "fd=3", and the name a number,
 * "msg_iov(1)=[...]".  Without "=" a name with parentheses is a call: htons(80).
 */
#include "drill/parse.h"

#include <string.h>

static struct drill_expr *parse_item(struct drill_parser *p);

static struct drill_expr *new_expr(struct drill_parser *p, enum drill_expr_kind kind)
{
	struct drill_expr *e = rl_drill_alloc(&p->s->arena, sizeof(*e));

	e->kind = kind;
	return e;
}

/* ---- strings ---- */

static int hex_digit(const struct drill_token *t, size_t i)
{
	static const char digits[] = "0123456789abcdef";
	const char *d;

	if (i >= t->len || !t->text[i])
		return -1;
	d = strchr(digits, t->text[i] >= 'A' && t->text[i] <= 'F' ? t->text[i] | 0x20 : t->text[i]);
	return d ? (int)(d - digits) : -1;
}

/* The escape at t->text[*i], behind the backslash; *i moves past it. */
static char escape(struct drill_parser *p, const struct drill_token *t, size_t *i)
{
	static const char from[] = "nrtfv\\\"", to[] = "\n\r\t\f\v\\\"";
	char c = *i < t->len ? t->text[*i] : '\0';
	const char *at = c ? strchr(from, c) : NULL;
	int high, low;

	++*i;
	if (at)
		return to[at - from];
	high = hex_digit(t, *i);
	low = hex_digit(t, *i + 1);
	if (c != 'x' || high < 0 || low < 0) {
		rl_drill_tok_wrong(p, t->line, "expected one of \\n \\r \\t \\f \\v \\\\ "
				   "\\\" \\xHH in a string");
		return 0;
	}
	*i += 2;
	return (char)(high << 4 | low);
}

/* Strings that stand side by side are one. */
static struct drill_expr *parse_string(struct drill_parser *p)
{
	struct drill_expr *e = new_expr(p, DRILL_E_STRING);
	size_t room = 0;
	char *s;

	for (size_t i = 0; rl_drill_tok_peek(p, i)->kind == DRILL_T_STRING; i++)
		room += rl_drill_tok_peek(p, i)->len;
	e->text = s = rl_drill_alloc(&p->s->arena, room + 1);
	while (rl_drill_tok_peek(p, 0)->kind == DRILL_T_STRING) {
		const struct drill_token *t = rl_drill_tok_take(p);

		for (size_t i = 0; i < t->len;) {
			char c = t->text[i++];

			s[e->len++] = c == '\\' ? escape(p, t, &i) : c;
		}
	}
	return e;
}

/* ---- expressions ---- */

/* Items up to @close, which is taken; one more of the @n is counted for each. */
static struct drill_expr *parse_list(struct drill_parser *p, char close, unsigned *n)
{
	struct drill_expr *head = NULL, **end = &head;

	if (rl_drill_tok_char(p, close))
		return NULL;
	do {
		*end = parse_item(p);
		end = &(*end)->next;
		++*n;
	} while (rl_drill_tok_char(p, ','));
	if (!rl_drill_tok_char(p, close))
		rl_drill_tok_expected(p, close == ')' ? "',' or ')'" : close == ']'
				      ? "',' or ']'" : "',' or '}'");
	return head;
}

static struct drill_expr *parse_bracket(struct drill_parser *p)
{
	bool square = *rl_drill_tok_take(p)->text == '[';
	struct drill_expr *e = new_expr(p, square ? DRILL_E_LIST : DRILL_E_STRUCT);
	const struct drill_token *t = rl_drill_tok_peek(p, 0);
	unsigned n = 0;

	/* {flags [...] ...} and {(label 1, ...)}: GRE's and MPLS's tunnel options */
	if (!square && (rl_drill_tok_is_char(t, '(') || rl_drill_tok_is(t, "flags") ||
			rl_drill_tok_is(t, "Flags")) &&
	    !rl_drill_tok_is_char(rl_drill_tok_peek(p, 1), '='))
		rl_drill_tok_unsupported(p, "GRE and MPLS values of tunnel options");
	e->list = parse_list(p, square ? ']' : '}', &n);
	return e;
}

static struct drill_expr *parse_number(struct drill_parser *p)
{
	const struct drill_token *t = rl_drill_tok_peek(p, 0);
	struct drill_expr *e = new_expr(p, DRILL_E_INT);

	if (!t->fits)
		rl_drill_tok_expected(p, "a number of at most 64 bits");
	e->num = t->num;
	rl_drill_tok_take(p);
	return e;
}

/* NAME, or NAME(arguments) */
static struct drill_expr *parse_symbol(struct drill_parser *p)
{
	struct drill_expr *e = new_expr(p, DRILL_E_SYMBOL);
	unsigned n = 0;

	e->text = rl_drill_tok_dup(p, rl_drill_tok_take(p));
	if (rl_drill_tok_char(p, '(')) {
		e->kind = DRILL_E_CALL;
		e->list = parse_list(p, ')', &n);
	}
	return e;
}

static struct drill_expr *parse_operand(struct drill_parser *p)
{
	const struct drill_token *t = rl_drill_tok_peek(p, 0);

	if (t->kind == DRILL_T_INT)
		return parse_number(p);
	if (t->kind == DRILL_T_WORD)
		return parse_symbol(p);
	if (t->kind == DRILL_T_STRING)
		return parse_string(p);
	if (rl_drill_tok_is_char(t, '[') || rl_drill_tok_is_char(t, '{'))
		return parse_bracket(p);
	if (t->kind == DRILL_T_ELLIPSIS)
		rl_drill_tok_take(p);
	else
		rl_drill_tok_expected(p, "a value: a number, a name, \"a string\", ..., [a, b] "
				      "or {a, b}");
	return new_expr(p, DRILL_E_ELLIPSIS);
}

/* @first | b | c */
static struct drill_expr *parse_or(struct drill_parser *p, struct drill_expr *first)
{
	struct drill_expr *e, **end = &first->next;

	if (!rl_drill_tok_is_char(rl_drill_tok_peek(p, 0), '|'))
		return first;
	e = new_expr(p, DRILL_E_OR);
	e->list = first;
	while (rl_drill_tok_char(p, '|')) {
		*end = parse_operand(p);
		end = &(*end)->next;
	}
	return e;
}

/* "NAME =" or "NAME(count) =" was read as @name: now the value. */
static struct drill_expr *parse_named(struct drill_parser *p, const struct drill_expr *name)
{
	struct drill_expr *e;

	if ((name->kind != DRILL_E_SYMBOL && name->kind != DRILL_E_CALL) ||
	    (name->kind == DRILL_E_CALL && (!name->list || name->list->next))) {
		rl_drill_tok_expected(p, "',' or the list's end");
		return new_expr(p, DRILL_E_ELLIPSIS);
	}
	rl_drill_tok_take(p);
	e = parse_or(p, parse_operand(p));
	e->name = name->text;
	e->count = name->list;
	return e;
}

static struct drill_expr *parse_item(struct drill_parser *p)
{
	struct drill_expr *e;

	if (++p->depth > DRILL_DEPTH)
		rl_drill_tok_wrong(p, rl_drill_tok_peek(p, 0)->line,
				   "more than %d brackets inside of each other", DRILL_DEPTH);
	e = parse_operand(p);
	if (rl_drill_tok_is_char(rl_drill_tok_peek(p, 0), '='))
		e = parse_named(p, e);
	else
		e = parse_or(p, e);
	p->depth--;
	return e;
}

/* ---- the call ---- */

static bool is_errno(const struct drill_token *t)
{
	if (t->kind != DRILL_T_WORD || t->len < 3 || t->text[0] != 'E')
		return false;
	for (size_t i = 1; i < t->len; i++)
		if (!(t->text[i] >= 'A' && t->text[i] <= 'Z') &&
		    !(t->text[i] >= '0' && t->text[i] <= '9'))
			return false;
	return true;
}

/* Words in parentheses behind the result say the same to people. */
static void skip_note(struct drill_parser *p)
{
	int line = rl_drill_tok_peek(p, 0)->line;
	unsigned open = 0;

	do {
		const struct drill_token *t = rl_drill_tok_take(p);

		if (t->kind == DRILL_T_END) {
			rl_drill_tok_wrong(p, line, "the words in parentheses have no end: "
					   "expected ')'");
			return;
		}
		open += rl_drill_tok_is_char(t, '(');
		open -= rl_drill_tok_is_char(t, ')');
	} while (open);
}

static void parse_result(struct drill_parser *p, struct drill_call *c)
{
	const struct drill_token *t = rl_drill_tok_peek(p, 0);

	if (t->kind == DRILL_T_INT && t->fits) {
		c->result = t->num;
		rl_drill_tok_take(p);
	} else if (is_errno(t)) {
		c->result = -1;
	} else {
		rl_drill_tok_expected(p, "the result, a number or an errno such as ECONNRESET");
	}
	if (is_errno(rl_drill_tok_peek(p, 0)))
		c->err_name = rl_drill_tok_dup(p, rl_drill_tok_take(p));
	while (rl_drill_tok_is_char(rl_drill_tok_peek(p, 0), '('))
		skip_note(p);
}

struct drill_call *rl_drill_parse_call(struct drill_parser *p, const struct drill_time *t)
{
	struct drill_call *c = rl_drill_alloc(&p->s->arena, sizeof(*c));
	int line = rl_drill_tok_peek(p, 0)->line;

	if (rl_drill_tok_peek(p, 0)->kind == DRILL_T_ELLIPSIS) {
		rl_drill_tok_take(p);
		c->blocks = true;
		c->end_us = rl_drill_parse_seconds(p);
		if (c->end_us < t->us)
			rl_drill_tok_wrong(p, line, "the call ends before it begins");
	}
	if (rl_drill_tok_peek(p, 0)->kind != DRILL_T_WORD ||
	    !rl_drill_tok_is_char(rl_drill_tok_peek(p, 1), '(')) {
		rl_drill_tok_expected(p, "a system call such as read(3, ..., 1000) = 1000");
		return c;
	}
	c->name = rl_drill_tok_dup(p, rl_drill_tok_take(p));
	rl_drill_tok_take(p);
	c->args = parse_list(p, ')', &c->nargs);
	rl_drill_tok_need(p, '=', "and the result behind a system call");
	parse_result(p, c);
	return c;
}
