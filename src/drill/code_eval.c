/* SPDX-License-Identifier: MIT */
/*
 * Statements of %{ ... }% blocks in order.  An expression has no effects but
 * print()'s, so what failed is evaluated once more to show its parts.
 */
#include <stdarg.h>
#include <string.h>

#include "base/types.h"
#include "drill/code.h"

#define NAMES_SHOWN	6

static int eval(struct code_env *e, const struct code_node *n, struct code_value *v);

static void complain(struct code_env *e, const char *fmt, va_list ap)
{
	if (!e->failed)
		vsnprintf(e->why, sizeof(e->why), fmt, ap);
	e->failed = true;
}

int rl_drill_code_fail(struct code_env *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	complain(e, fmt, ap);
	va_end(ap);
	return -1;
}

int rl_drill_code_lacks(struct code_env *e, const char *fmt, ...)
{
	va_list ap;

	e->lacks |= !e->failed;
	va_start(ap, fmt);
	complain(e, fmt, ap);
	va_end(ap);
	return -1;
}

/* ---- names ---- */

static struct code_var *find(struct code_env *e, const char *name)
{
	for (struct code_var *v = e->vars; v; v = v->next)
		if (!strcmp(v->name, name))
			return v;
	return NULL;
}

static void assign(struct code_env *e, const char *name, const struct code_value *v)
{
	struct code_var *var = find(e, name);

	if (!var) {
		var = rl_drill_alloc(e->a, sizeof(*var));
		var->name = name;
		var->next = e->vars;
		e->vars = var;
	}
	var->value = *v;
}

static int named(struct code_env *e, const char *name, struct code_value *v)
{
	const struct code_var *var = find(e, name);
	int r;

	if (var) {
		*v = var->value;
		return 0;
	}
	r = e->lookup ? e->lookup(e, name, v) : 0;
	if (r == 0)
		return rl_drill_code_fail(e, "%s is not defined", name);
	return r < 0 ? -1 : 0;
}

/* ---- expressions ---- */

static int eval_list(struct code_env *e, const struct code_node *n,
		     struct code_value **items, size_t *count)
{
	size_t k = 0;

	for (const struct code_node *a = n->args; a; a = a->next)
		k++;
	*items = rl_drill_alloc(e->a, (k + 1) * sizeof(**items));
	*count = k;
	k = 0;
	for (const struct code_node *a = n->args; a; a = a->next)
		if (eval(e, a, &(*items)[k++]) < 0)
			return -1;
	return 0;
}

static int eval_tuple(struct code_env *e, const struct code_node *n, struct code_value *v)
{
	struct code_value *items;

	*v = (struct code_value){ .type = CODE_TUPLE };
	if (eval_list(e, n, &items, &v->len) < 0)
		return -1;
	v->items = items;
	return 0;
}

static void print(struct code_env *e, const struct code_value *items, size_t n)
{
	char buf[DRILL_CODE_STR];

	for (size_t i = 0; e->out && i < n; i++) {
		rl_drill_code_str(&items[i], false, buf, sizeof(buf));
		fprintf(e->out, "%s%s", i ? " " : "", buf);
	}
	if (e->out)
		fputc('\n', e->out);
}

static int eval_call(struct code_env *e, const struct code_node *n, struct code_value *v)
{
	struct code_value *items;
	size_t count;

	if (eval_list(e, n, &items, &count) < 0)
		return -1;
	if (strcmp(n->name, "print"))
		return rl_drill_code_call(e, n->name, items, count, v);
	print(e, items, count);
	*v = (struct code_value){ .type = CODE_NONE };
	return 0;
}

/* The value is that of the operand that decided. */
static int eval_logic(struct code_env *e, const struct code_node *n, struct code_value *v)
{
	for (const struct code_node *a = n->args; a; a = a->next) {
		if (eval(e, a, v) < 0)
			return -1;
		if (rl_drill_code_true(v) == (n->op == OP_OR))
			break;
	}
	return 0;
}

static int eval_compare(struct code_env *e, const struct code_node *n, struct code_value *v)
{
	struct code_value left, right;
	bool holds = true;

	if (eval(e, n->args, &left) < 0)
		return -1;
	for (const struct code_node *a = n->args->next; a && holds; a = a->next) {
		if (eval(e, a, &right) < 0 ||
		    rl_drill_code_compare(e, a->cmp, &left, &right, &holds) < 0)
			return -1;
		left = right;
	}
	*v = rl_drill_code_bool(holds);
	return 0;
}

static int eval_if(struct code_env *e, const struct code_node *n, struct code_value *v)
{
	const struct code_node *yes = n->args, *condition = yes->next;

	if (eval(e, condition, v) < 0)
		return -1;
	return eval(e, rl_drill_code_true(v) ? yes : condition->next, v);
}

static int eval_binary(struct code_env *e, const struct code_node *n, struct code_value *v)
{
	struct code_value a, b;

	if (eval(e, n->args, &a) < 0 || eval(e, n->args->next, &b) < 0)
		return -1;
	return rl_drill_code_binary(e, n->op, &a, &b, v);
}

static int eval(struct code_env *e, const struct code_node *n, struct code_value *v)
{
	struct code_value a;

	switch (n->kind) {
	case NODE_VALUE:
		*v = n->value;
		return 0;
	case NODE_NAME:	return named(e, n->name, v);
	case NODE_TUPLE: return eval_tuple(e, n, v);
	case NODE_CALL:	return eval_call(e, n, v);
	case NODE_BINARY: return eval_binary(e, n, v);
	case NODE_LOGIC: return eval_logic(e, n, v);
	case NODE_COMPARE: return eval_compare(e, n, v);
	case NODE_IF:	return eval_if(e, n, v);
	case NODE_UNARY: break;
	}
	if (eval(e, n->args, &a) < 0)
		return -1;
	return rl_drill_code_unary(e, n->op, &a, v);
}

/* ---- why an assertion failed ---- */

struct report {
	char	text[DRILL_CODE_WHY];
	size_t	len;
	const char *names[NAMES_SHOWN];
	unsigned nnames;
};

static void add(struct report *t, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void add(struct report *t, const char *fmt, ...)
{
	size_t room = sizeof(t->text) - t->len;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(t->text + t->len, room, fmt, ap);
	va_end(ap);
	t->len += n < 0 ? 0 : RL_MIN((size_t)n, room - 1);
}

static void add_value(struct report *t, struct code_env *e, const struct code_node *n)
{
	struct code_value v;
	char buf[200];

	if (eval(e, n, &v) == 0) {
		rl_drill_code_str(&v, true, buf, sizeof(buf));
		add(t, "%s", buf);
	}
}

/* Names inside of an operand whose value alone would say too little. */
static void note_names(struct report *t, const struct code_node *n)
{
	if (n->kind == NODE_NAME) {
		for (unsigned i = 0; i < t->nnames; i++)
			if (!strcmp(t->names[i], n->name))
				return;
		if (t->nnames < NAMES_SHOWN)
			t->names[t->nnames++] = n->name;
	}
	for (const struct code_node *a = n->args; a; a = a->next)
		note_names(t, a);
}

static void add_compare(struct report *t, struct code_env *e, const struct code_node *n)
{
	for (const struct code_node *a = n->args; a; a = a->next) {
		if (a != n->args)
			add(t, " %s ", rl_drill_code_op_text(a->cmp));
		add_value(t, e, a);
		if (a->kind != NODE_NAME)
			note_names(t, a);
	}
}

/* What made the node false; its own depth bounds the recursion. */
static void explain(struct report *t, struct code_env *e, const struct code_node *n)
{
	const struct code_node *a = n->args;
	struct code_value v;

	if (n->kind == NODE_COMPARE) {
		add_compare(t, e, n);
	} else if (n->kind == NODE_LOGIC && n->op == OP_AND) {
		while (a->next && eval(e, a, &v) == 0 && rl_drill_code_true(&v))
			a = a->next;
		add(t, "%.*s: ", (int)a->len, a->text);
		explain(t, e, a);
	} else if (n->kind == NODE_LOGIC) {
		for (; a; a = a->next) {
			explain(t, e, a);
			add(t, "%s", a->next ? " or " : "");
		}
	} else {
		add_value(t, e, n);
		note_names(t, n);
	}
}

static void add_names(struct report *t, struct code_env *e)
{
	struct code_node n = { .kind = NODE_NAME };

	for (unsigned i = 0; i < t->nnames; i++) {
		n.name = t->names[i];
		add(t, "%s%s = ", i ? ", " : " (", n.name);
		add_value(t, e, &n);
	}
	add(t, "%s", t->nnames ? ")" : "");
}

static int failed_assertion(struct code_env *e, const struct code_stmt *s)
{
	struct report t = { .len = 0 };
	FILE *out = e->out;
	struct code_value v;
	char buf[300];

	e->out = NULL;			/* nothing is printed a second time */
	explain(&t, e, s->expr);
	add_names(&t, e);
	e->out = out;
	if (s->message && eval(e, s->message, &v) == 0) {
		rl_drill_code_str(&v, false, buf, sizeof(buf));
		add(&t, ": %s", buf);
	}
	return rl_drill_code_fail(e, "assertion failed: %.*s: %s",
				  (int)RL_MIN(s->expr->len, (size_t)400), s->expr->text, t.text);
}

/* ---- statements ---- */

static int set(struct code_env *e, const struct code_stmt *s)
{
	struct code_value old, v;

	if (eval(e, s->expr, &v) < 0)
		return -1;
	if (s->op != OP_NONE && (named(e, s->name, &old) < 0 ||
				 rl_drill_code_binary(e, s->op, &old, &v, &v) < 0))
		return -1;
	assign(e, s->name, &v);
	return 0;
}

/* X == Y, or ... and X == Y: as a statement it was meant to be an assertion. */
static bool is_comparison(const struct code_node *n)
{
	while (n->kind == NODE_LOGIC)
		for (n = n->args; n->next;)
			n = n->next;
	return n->kind == NODE_COMPARE;
}

static int run(struct code_env *e, const struct code_stmt *s)
{
	struct code_value v;

	if (s->kind == STMT_ASSIGN)
		return set(e, s);
	if (eval(e, s->expr, &v) < 0)
		return -1;
	if (s->kind == STMT_ASSERT && !rl_drill_code_true(&v))
		return failed_assertion(e, s);
	if (s->kind == STMT_EXPR && is_comparison(s->expr))
		return rl_drill_code_fail(e, "a comparison alone decides nothing: assert %.*s?",
					  (int)RL_MIN(s->expr->len, (size_t)400),
					  s->expr->text);
	return 0;
}

int rl_drill_code_exec(struct code_env *e, const struct code_stmt *list)
{
	for (; list; list = list->next) {
		e->line = list->line;
		if (run(e, list) < 0)
			return -1;
	}
	return 0;
}

int rl_drill_code_int(const char *text, int64_t *v)
{
	struct drill_arena a = { NULL };
	struct code_env e = { .a = &a };
	struct code_value value;
	struct code_stmt *s;
	char why[80];
	int r = -1;

	if (rl_drill_code_parse(&a, text, strlen(text), &s, why, sizeof(why)) == 0 && s &&
	    s->kind == STMT_EXPR && !s->next && eval(&e, s->expr, &value) == 0 &&
	    value.type == CODE_INT && value.i >= INT64_MIN && value.i <= INT64_MAX) {
		*v = (int64_t)value.i;
		r = 0;
	}
	rl_drill_free_all(&a);
	return r;
}
