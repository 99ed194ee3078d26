/* SPDX-License-Identifier: MIT */
/*
 * Statements of %{ ... }% blocks: assert, assignment, expression.  Binary operators
 * are climbed by precedence; only parentheses and unary operators descend, and
 * these are counted.
 */
#include <string.h>

#include "base/types.h"
#include "drill/code.h"

struct parser {
	struct code_lexer l;
	unsigned	depth;
};

static struct code_node *expression(struct parser *p);

/* ---- nodes ---- */

static bool is_op(const struct parser *p, enum code_op op)
{
	return p->l.tok == TOK_OP && p->l.op == op;
}

static bool is_name(const struct parser *p, const char *s)
{
	return p->l.tok == TOK_NAME && strlen(s) == p->l.len &&
	       !memcmp(s, p->l.from, p->l.len);
}

static bool take_op(struct parser *p, enum code_op op)
{
	if (!is_op(p, op))
		return false;
	rl_drill_code_next(&p->l);
	return true;
}

static struct code_node *new_node(struct parser *p, enum code_kind kind, const char *from)
{
	struct code_node *n = rl_drill_alloc(p->l.a, sizeof(*n));

	n->kind = kind;
	n->text = from;
	n->depth = 1;
	return n;
}

/* Append an operand; NULL, or a tree that is too deep, is a failure. */
static struct code_node *add_arg(struct parser *p, struct code_node *n, struct code_node *arg)
{
	struct code_node **at = &n->args;
	unsigned count = 0;

	if (!arg)
		return NULL;
	for (; *at; at = &(*at)->next)
		count++;
	*at = arg;
	n->depth = RL_MAX(n->depth, arg->depth + 1);
	n->len = (size_t)(p->l.behind - n->text);
	if (RL_MAX(n->depth, count) <= DRILL_TREE_DEPTH)
		return n;
	rl_drill_code_error(&p->l, "expression too long");
	return NULL;
}

static struct code_node *fail(struct parser *p, const char *what)
{
	if (p->l.tok == TOK_END || p->l.tok == TOK_NEWLINE)
		rl_drill_code_error(&p->l, "%s is missing at the end", what);
	else
		rl_drill_code_error(&p->l, "\"%.*s\" where %s should be",
				    (int)RL_MIN(p->l.len, (size_t)40), p->l.from, what);
	return NULL;
}

/* ---- atoms ---- */

/* Arguments, or the items of a tuple, up to the closing parenthesis. */
static struct code_node *items(struct parser *p, struct code_node *n)
{
	while (!is_op(p, OP_CLOSE)) {
		if (!add_arg(p, n, expression(p)))
			return NULL;
		if (!take_op(p, OP_COMMA))
			break;
	}
	if (!take_op(p, OP_CLOSE))
		return fail(p, ")");
	n->len = (size_t)(p->l.behind - n->text);
	return n;
}

/* (EXPR), or a tuple when there is a comma, or (). */
static struct code_node *parenthesis(struct parser *p)
{
	const char *from = p->l.from;
	struct code_node *n, *first;

	rl_drill_code_next(&p->l);
	n = new_node(p, NODE_TUPLE, from);
	if (is_op(p, OP_CLOSE))
		return items(p, n);
	first = expression(p);
	if (!first)
		return NULL;
	if (take_op(p, OP_COMMA))
		return add_arg(p, n, first) ? items(p, n) : NULL;
	if (!take_op(p, OP_CLOSE))
		return fail(p, ")");
	first->text = from;			/* as written, with its parentheses */
	first->len = (size_t)(p->l.behind - from);
	return first;
}

static struct code_node *named(struct parser *p)
{
	struct code_node *n = new_node(p, NODE_NAME, p->l.from);

	n->name = rl_drill_strndup(p->l.a, p->l.from, p->l.len);
	n->len = p->l.len;
	rl_drill_code_next(&p->l);
	if (!is_op(p, OP_OPEN))
		return n;
	rl_drill_code_next(&p->l);
	n->kind = NODE_CALL;
	return items(p, n);
}

static struct code_node *atom(struct parser *p)
{
	struct code_node *n;

	if (is_op(p, OP_OPEN))
		return parenthesis(p);
	if (p->l.tok == TOK_NAME)
		return named(p);
	if (p->l.tok != TOK_VALUE)
		return fail(p, "a value");
	n = new_node(p, NODE_VALUE, p->l.from);
	n->len = p->l.len;
	n->value = p->l.value;
	rl_drill_code_next(&p->l);
	return n;
}

/* ---- operators ---- */

static struct code_node *binary(struct parser *p, int min);

/* Higher binds closer; 0: no binary operator. */
static int precedence(enum code_op op)
{
	if (op >= OP_BIT_OR && op <= OP_BIT_AND)
		return 1 + (int)(op - OP_BIT_OR);
	if (op == OP_SHL || op == OP_SHR)
		return 4;
	if (op == OP_ADD || op == OP_SUB)
		return 5;
	if (op >= OP_MUL && op <= OP_MOD)
		return 6;
	return op == OP_POW ? 8 : 0;
}

#define UNARY	7			/* between * and ** */

static bool enter(struct parser *p)
{
	if (++p->depth <= DRILL_CODE_DEPTH)
		return true;
	rl_drill_code_error(&p->l, "nested too deeply");
	return false;
}

static struct code_node *unary(struct parser *p)
{
	struct code_node *n;

	if (!is_op(p, OP_SUB) && !is_op(p, OP_ADD) && !is_op(p, OP_INVERT))
		return atom(p);
	n = new_node(p, NODE_UNARY, p->l.from);
	n->op = p->l.op;
	rl_drill_code_next(&p->l);
	if (!enter(p))
		return NULL;
	n = add_arg(p, n, binary(p, UNARY));
	p->depth--;
	return n;
}

static struct code_node *join(struct parser *p, enum code_op op, struct code_node *left,
			      struct code_node *right)
{
	struct code_node *n = new_node(p, NODE_BINARY, left->text);

	n->op = op;
	if (!add_arg(p, n, left))
		return NULL;
	return add_arg(p, n, right);
}

/* ** takes the right one first, and a sign on its right. */
static struct code_node *power(struct parser *p, struct code_node *left)
{
	struct code_node *right;

	if (!enter(p))
		return NULL;
	right = binary(p, UNARY);
	p->depth--;
	return join(p, OP_POW, left, right);
}

static struct code_node *binary(struct parser *p, int min)
{
	struct code_node *left = unary(p);

	while (left && p->l.tok == TOK_OP && precedence(p->l.op) >= min &&
	       precedence(p->l.op)) {
		enum code_op op = p->l.op;

		rl_drill_code_next(&p->l);
		left = op == OP_POW ? power(p, left)
		     : join(p, op, left, binary(p, precedence(op) + 1));
	}
	return left;
}

static enum code_op comparison_op(struct parser *p)
{
	if (p->l.tok != TOK_OP)
		return OP_NONE;
	return p->l.op >= OP_EQ && p->l.op <= OP_IN ? p->l.op : OP_NONE;
}

/* "not" after an operand can only be "not in". */
static enum code_op take_comparison(struct parser *p)
{
	enum code_op op = comparison_op(p);

	if (op != OP_NONE) {
		rl_drill_code_next(&p->l);
		return op;
	}
	if (!take_op(p, OP_NOT))
		return OP_NONE;
	if (take_op(p, OP_IN))
		return OP_NOT_IN;
	fail(p, "in");
	return OP_NONE;
}

static struct code_node *comparison(struct parser *p)
{
	struct code_node *first = binary(p, 1), *n = NULL, *arg;
	enum code_op op;

	while (first && (op = take_comparison(p)) != OP_NONE) {
		if (!n) {
			n = new_node(p, NODE_COMPARE, first->text);
			add_arg(p, n, first);
		}
		arg = binary(p, 1);
		if (!add_arg(p, n, arg))
			return NULL;
		arg->cmp = op;
	}
	return p->l.failed ? NULL : n ? n : first;
}

static struct code_node *negation(struct parser *p)
{
	struct code_node *n;

	if (!is_op(p, OP_NOT))
		return comparison(p);
	n = new_node(p, NODE_UNARY, p->l.from);
	n->op = OP_NOT;
	rl_drill_code_next(&p->l);
	if (!enter(p))
		return NULL;
	n = add_arg(p, n, negation(p));
	p->depth--;
	return n;
}

static struct code_node *logic(struct parser *p, enum code_op op)
{
	struct code_node *first = op == OP_OR ? logic(p, OP_AND) : negation(p), *n = NULL;

	while (first && is_op(p, op)) {
		rl_drill_code_next(&p->l);
		if (!n) {
			n = new_node(p, NODE_LOGIC, first->text);
			n->op = op;
			add_arg(p, n, first);
		}
		if (!add_arg(p, n, op == OP_OR ? logic(p, OP_AND) : negation(p)))
			return NULL;
	}
	return n ? n : first;
}

/* A if C else B */
static struct code_node *choice(struct parser *p, struct code_node *value)
{
	struct code_node *n = new_node(p, NODE_IF, value->text);

	if (!add_arg(p, n, value) || !add_arg(p, n, logic(p, OP_OR)))
		return NULL;
	if (!take_op(p, OP_ELSE))
		return fail(p, "else");
	return add_arg(p, n, expression(p));
}

static struct code_node *expression(struct parser *p)
{
	struct code_node *n;

	if (!enter(p))
		return NULL;
	n = logic(p, OP_OR);
	if (n && take_op(p, OP_IF))
		n = choice(p, n);
	p->depth--;
	return p->l.failed ? NULL : n;
}

/* ---- statements ---- */

/* In Python a tuple is true whatever is in it. */
static int assertion(struct parser *p, struct code_stmt *s)
{
	s->kind = STMT_ASSERT;
	rl_drill_code_next(&p->l);
	s->expr = expression(p);
	if (!s->expr)
		return -1;
	if (s->expr->kind == NODE_TUPLE)
		return rl_drill_code_error(&p->l, "assert (A, B) always holds: write "
					   "assert A, B");
	if (!take_op(p, OP_COMMA))
		return 0;
	s->message = expression(p);
	return s->message ? 0 : -1;
}

/* Statements of Python that are not understood: better named than "syntax error". */
static int check_word(struct parser *p)
{
	static const char *const words[] = {
		"def", "import", "from", "for", "while", "class", "try", "with", "return",
		"lambda", "del", "global", "raise", "exec", "pass", "break", "is", "yield",
	};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (is_name(p, words[i]))
			return rl_drill_code_error(&p->l, "%s is not understood: only assert, "
						   "NAME = EXPR, print() and expressions",
						   words[i]);
	if (is_op(p, OP_IF))
		return rl_drill_code_error(&p->l, "if is not understood as a statement");
	return 0;
}

static int assignment(struct parser *p, struct code_stmt *s)
{
	if (s->expr->kind != NODE_NAME)
		return rl_drill_code_error(&p->l, "only a name can be assigned to");
	s->kind = STMT_ASSIGN;
	s->name = s->expr->name;
	s->op = p->l.tok == TOK_AUGMENTED ? p->l.op : OP_NONE;
	rl_drill_code_next(&p->l);
	s->expr = expression(p);
	return s->expr ? 0 : -1;
}

static int statement(struct parser *p, struct code_stmt *s)
{
	s->line = p->l.at_line;
	if (check_word(p) < 0)
		return -1;
	if (is_name(p, "assert"))
		return assertion(p, s);
	s->kind = STMT_EXPR;
	s->expr = expression(p);
	if (!s->expr)
		return -1;
	if (p->l.tok == TOK_AUGMENTED || is_op(p, OP_ASSIGN))
		return assignment(p, s);
	return 0;
}

int rl_drill_code_parse(struct drill_arena *a, const char *text, size_t len,
			struct code_stmt **out, char *why, size_t why_len)
{
	struct parser p = {
		.l = { .a = a, .p = text, .end = text + len, .why = why, .why_len = why_len },
	};

	*out = NULL;
	rl_drill_code_next(&p.l);
	while (!p.l.failed && p.l.tok != TOK_END) {
		if (p.l.tok == TOK_NEWLINE) {
			rl_drill_code_next(&p.l);
			continue;
		}
		*out = rl_drill_alloc(a, sizeof(**out));
		if (statement(&p, *out) == 0 && p.l.tok != TOK_NEWLINE && p.l.tok != TOK_END)
			fail(&p, "the end of the statement");
		out = &(*out)->next;
	}
	return p.l.failed ? -1 : 0;
}
