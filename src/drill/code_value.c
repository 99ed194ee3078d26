/* SPDX-License-Identifier: MIT */
/*
 * Values of %{ ... }% blocks: Python's arithmetic and comparisons on integers,
 * floats and strings.  Integers that pass DRILL_WIDE_BITS are an error, never a
 * wrong number.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/types.h"
#include "drill/code.h"

#define LIMIT	((rl_wide)1 << DRILL_WIDE_BITS)

struct code_value rl_drill_code_wide(rl_wide i)
{
	return (struct code_value){ .type = CODE_INT, .i = i };
}

struct code_value rl_drill_code_bool(bool b)
{
	return (struct code_value){ .type = CODE_BOOL, .i = b };
}

static struct code_value real(double f)
{
	return (struct code_value){ .type = CODE_FLOAT, .f = f };
}

static bool is_whole(const struct code_value *v)
{
	return v->type == CODE_INT || v->type == CODE_BOOL;
}

static bool is_number(const struct code_value *v)
{
	return is_whole(v) || v->type == CODE_FLOAT;
}

static double as_real(const struct code_value *v)
{
	return v->type == CODE_FLOAT ? v->f : (double)v->i;
}

bool rl_drill_code_true(const struct code_value *v)
{
	switch (v->type) {
	case CODE_NONE:	return false;
	case CODE_BOOL:
	case CODE_INT:	return v->i != 0;
	case CODE_FLOAT: return v->f != 0;
	case CODE_STR:
	case CODE_TUPLE: break;
	}
	return v->len != 0;
}

const char *rl_drill_code_type_text(enum code_type t)
{
	static const char *const names[] = {
		"None", "bool", "int", "float", "str", "tuple",
	};

	return names[t];
}

/* ---- integers ---- */

static rl_wide magnitude(rl_wide v)
{
	return v < 0 ? -v : v;
}

static int large(struct code_env *e)
{
	return rl_drill_code_fail(e, "the result is too large");
}

/* A failed check leaves *v alone. */
static int put(struct code_env *e, rl_wide i, struct code_value *v)
{
	if (magnitude(i) >= LIMIT)
		return large(e);
	*v = rl_drill_code_wide(i);
	return 0;
}

static int multiply(struct code_env *e, rl_wide a, rl_wide b, rl_wide *to)
{
	if (a && magnitude(b) >= LIMIT / magnitude(a))
		return large(e);
	*to = a * b;
	return 0;
}

/* Division rounds down, the remainder has the divisor's sign. */
static rl_wide floor_div(rl_wide a, rl_wide b)
{
	rl_wide q = a / b;

	return q - (a % b && (a < 0) != (b < 0));
}

static int shift_left(struct code_env *e, rl_wide a, rl_wide n, struct code_value *v)
{
	if (!a)
		return put(e, 0, v);
	if (n >= DRILL_WIDE_BITS || magnitude(a) >= LIMIT >> n)
		return large(e);
	return put(e, a * ((rl_wide)1 << n), v);
}

static int power(struct code_env *e, rl_wide a, rl_wide n, struct code_value *v)
{
	rl_wide p = 1;

	if (magnitude(a) <= 1) {
		p = a == -1 && !(n % 2) ? 1 : n ? a : 1;
		return put(e, p, v);
	}
	for (; n > 0; n--)			/* ends: it doubles at least */
		if (multiply(e, p, a, &p) < 0)
			return -1;
	return put(e, p, v);
}

static int shift_right(rl_wide a, rl_wide n, struct code_value *v)
{
	*v = rl_drill_code_wide(n >= 127 ? (a < 0 ? -1 : 0)
				: floor_div(a, (rl_wide)1 << RL_MIN(n, 120)));
	return 0;
}

/* What can't be done with whole numbers alone gives 1: as floats. */
static int whole_op(struct code_env *e, enum code_op op, rl_wide a, rl_wide b,
		    struct code_value *v)
{
	rl_wide i = 0;

	if ((op == OP_DIV || op == OP_FLOOR || op == OP_MOD) && !b)
		return rl_drill_code_fail(e, "division by zero");
	if ((op == OP_SHL || op == OP_SHR) && b < 0)
		return rl_drill_code_fail(e, "shift by a negative number");
	if (op == OP_DIV || (op == OP_POW && b < 0))
		return 1;
	if (op == OP_SHL)
		return shift_left(e, a, b, v);
	if (op == OP_SHR)
		return shift_right(a, b, v);
	if (op == OP_POW)
		return power(e, a, b, v);
	if (op == OP_MUL && multiply(e, a, b, &i) < 0)
		return -1;
	if (op == OP_ADD)
		i = a + b;
	else if (op == OP_SUB)
		i = a - b;
	else if (op == OP_FLOOR)
		i = floor_div(a, b);
	else if (op == OP_MOD)
		i = a - floor_div(a, b) * b;
	else if (op == OP_BIT_OR)
		i = a | b;
	else if (op == OP_BIT_AND)
		i = a & b;
	else if (op == OP_BIT_XOR)
		i = a ^ b;
	return put(e, i, v);
}

/* The same; True & True stays a bool. */
static int whole_bits(struct code_env *e, enum code_op op, const struct code_value *a,
		      const struct code_value *b, struct code_value *v)
{
	bool bools = a->type == CODE_BOOL && b->type == CODE_BOOL;
	int r = whole_op(e, op, a->i, b->i, v);

	if (r == 0 && bools && op >= OP_BIT_OR && op <= OP_BIT_AND)
		v->type = CODE_BOOL;
	return r;
}

/* ---- floats and strings ---- */

static int no_such(struct code_env *e, enum code_op op, const struct code_value *a,
		   const struct code_value *b)
{
	return rl_drill_code_fail(e, "%s %s %s is not possible",
				  rl_drill_code_type_text(a->type),
				  rl_drill_code_op_text(op), rl_drill_code_type_text(b->type));
}

static double modulo(double a, double b)
{
	double m = fmod(a, b);

	if (m == 0)
		return copysign(0, b);
	return (m < 0) != (b < 0) ? m + b : m;
}

/* 1: not with floats. */
static int real_op(struct code_env *e, enum code_op op, double a, double b,
		   struct code_value *v)
{
	if ((op == OP_DIV || op == OP_FLOOR || op == OP_MOD) && b == 0)
		return rl_drill_code_fail(e, "division by zero");
	if (op == OP_ADD)
		*v = real(a + b);
	else if (op == OP_SUB)
		*v = real(a - b);
	else if (op == OP_MUL)
		*v = real(a * b);
	else if (op == OP_DIV)
		*v = real(a / b);
	else if (op == OP_FLOOR)
		*v = real(floor(a / b));
	else if (op == OP_MOD)
		*v = real(modulo(a, b));
	else if (op == OP_POW)
		*v = real(pow(a, b));
	else
		return 1;
	if (!isfinite(v->f))
		return large(e);
	return 0;
}

static int concatenate(struct code_env *e, const struct code_value *a,
		       const struct code_value *b, struct code_value *v)
{
	size_t n = a->len + b->len;
	char *s;

	if (n >= DRILL_CODE_STR)
		return rl_drill_code_fail(e, "string too long");
	s = rl_drill_alloc(e->a, n + 1);
	memcpy(s, a->s, a->len);
	memcpy(s + a->len, b->s, b->len);
	*v = (struct code_value){ .type = CODE_STR, .s = s, .len = n };
	return 0;
}

int rl_drill_code_binary(struct code_env *e, enum code_op op, const struct code_value *a,
			 const struct code_value *b, struct code_value *v)
{
	int r = 1;

	if (a->type == CODE_STR && op == OP_MOD)
		return rl_drill_code_format(e, a, b, v);
	if (a->type == CODE_STR && b->type == CODE_STR && op == OP_ADD)
		return concatenate(e, a, b, v);
	if (is_whole(a) && is_whole(b))
		r = whole_bits(e, op, a, b, v);
	if (r == 1 && is_number(a) && is_number(b))
		r = real_op(e, op, as_real(a), as_real(b), v);
	if (r != 1)
		return r;
	return no_such(e, op, a, b);
}

int rl_drill_code_unary(struct code_env *e, enum code_op op, const struct code_value *a,
			struct code_value *v)
{
	if (op == OP_NOT) {
		*v = rl_drill_code_bool(!rl_drill_code_true(a));
		return 0;
	}
	if (a->type == CODE_FLOAT && op != OP_INVERT) {
		*v = real(op == OP_SUB ? -a->f : a->f);
		return 0;
	}
	if (!is_whole(a))
		return rl_drill_code_fail(e, "%s %s is not possible", rl_drill_code_op_text(op),
					  rl_drill_code_type_text(a->type));
	*v = rl_drill_code_wide(op == OP_SUB ? -a->i : op == OP_INVERT ? -a->i - 1 : a->i);
	return 0;
}

/* ---- comparison ---- */

/* -1, 0, 1; 2: not equal, and without an order (NaN can't arise). */
static int order(const struct code_value *a, const struct code_value *b)
{
	int c;

	if (is_whole(a) && is_whole(b))
		return (a->i > b->i) - (a->i < b->i);
	if (is_number(a) && is_number(b))
		return (as_real(a) > as_real(b)) - (as_real(a) < as_real(b));
	if (a->type != b->type || a->type == CODE_TUPLE)
		return 2;
	if (a->type == CODE_NONE)
		return 0;
	c = memcmp(a->s, b->s, RL_MIN(a->len, b->len));
	return c ? (c > 0) - (c < 0) : (a->len > b->len) - (a->len < b->len);
}

static int is_in(struct code_env *e, const struct code_value *a, const struct code_value *b,
		 bool *holds)
{
	*holds = false;
	if (a->type == CODE_STR && b->type == CODE_STR) {
		*holds = !a->len || memmem(b->s, b->len, a->s, a->len);
		return 0;
	}
	if (b->type != CODE_TUPLE)
		return no_such(e, OP_IN, a, b);
	for (size_t i = 0; i < b->len; i++)
		*holds |= order(a, &b->items[i]) == 0;
	return 0;
}

int rl_drill_code_compare(struct code_env *e, enum code_op op, const struct code_value *a,
			  const struct code_value *b, bool *holds)
{
	int c = order(a, b);

	if (op == OP_IN || op == OP_NOT_IN) {
		if (is_in(e, a, b, holds) < 0)
			return -1;
		*holds ^= op == OP_NOT_IN;
		return 0;
	}
	if (op == OP_EQ || op == OP_NE) {
		if (a->type == CODE_TUPLE && b->type == CODE_TUPLE)
			return rl_drill_code_fail(e, "tuples are not compared");
		*holds = (c == 0) == (op == OP_EQ);
		return 0;
	}
	if (c == 2 || a->type == CODE_NONE)
		return no_such(e, op, a, b);
	*holds = op == OP_LT ? c < 0 : op == OP_LE ? c <= 0 : op == OP_GT ? c > 0 : c >= 0;
	return 0;
}

/* ---- functions ---- */

static int extreme(struct code_env *e, const char *name, const struct code_value *args,
		   size_t n, struct code_value *v)
{
	bool less = false;

	*v = args[0];
	for (size_t i = 1; i < n; i++) {
		if (rl_drill_code_compare(e, OP_LT, &args[i], v, &less) < 0)
			return -1;
		if (less == !strcmp(name, "min") && order(&args[i], v))
			*v = args[i];
	}
	return 0;
}

/* A float as an integer; to even when it is half way, as Python's round(). */
static int to_whole(struct code_env *e, double f, struct code_value *v)
{
	if (!isfinite(f) || fabs(f) >= ldexp(1, DRILL_WIDE_BITS))
		return large(e);
	*v = rl_drill_code_wide((rl_wide)f);
	return 0;
}

static int bad_argument(struct code_env *e, const char *name, const struct code_value *a)
{
	return rl_drill_code_fail(e, "%s(%s) is not understood", name,
				  rl_drill_code_type_text(a->type));
}

static int of_number(struct code_env *e, const char *name, const struct code_value *a,
		     struct code_value *v)
{
	if (!is_number(a))
		return bad_argument(e, name, a);
	if (!strcmp(name, "float"))
		*v = real(as_real(a));
	else if (!strcmp(name, "abs"))
		*v = is_whole(a) ? rl_drill_code_wide(magnitude(a->i)) : real(fabs(a->f));
	else if (is_whole(a))
		*v = rl_drill_code_wide(a->i);
	else
		return to_whole(e, !strcmp(name, "round") ? nearbyint(a->f) : trunc(a->f), v);
	return 0;
}

static int to_str(struct code_env *e, const struct code_value *a, struct code_value *v)
{
	char buf[DRILL_CODE_STR];
	size_t n = rl_drill_code_str(a, false, buf, sizeof(buf));

	*v = (struct code_value){ .type = CODE_STR, .len = n };
	v->s = rl_drill_strndup(e->a, buf, n);
	return 0;
}

int rl_drill_code_call(struct code_env *e, const char *name, const struct code_value *args,
		       size_t n, struct code_value *v)
{
	static const char *const numeric[] = { "abs", "int", "float", "round" };

	if ((!strcmp(name, "min") || !strcmp(name, "max")) && n >= 2)
		return extreme(e, name, args, n, v);
	if (!strcmp(name, "str") && n == 1)
		return to_str(e, &args[0], v);
	if (!strcmp(name, "bool") && n == 1) {
		*v = rl_drill_code_bool(rl_drill_code_true(&args[0]));
		return 0;
	}
	if (!strcmp(name, "len") && n == 1) {
		if (args[0].type != CODE_STR && args[0].type != CODE_TUPLE)
			return bad_argument(e, name, &args[0]);
		*v = rl_drill_code_wide((rl_wide)args[0].len);
		return 0;
	}
	for (size_t i = 0; i < ARRAY_LEN(numeric); i++)
		if (!strcmp(name, numeric[i]) && n == 1)
			return of_number(e, name, &args[0], v);
	return rl_drill_code_fail(e, "%s() with %zu values is not understood", name, n);
}
