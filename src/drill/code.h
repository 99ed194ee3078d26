/* SPDX-License-Identifier: MIT */
/*
 * The evaluator of %{ ... }% blocks: the part of Python that assertions need.
 *
 * code_lex.c	text -> tokens		code_parse.c	tokens -> statements
 * code_value.c	values: arithmetic, comparison	code_text.c	values as text, "%d" % x
 * code_eval.c	statements in order; why an assertion failed
 * code_names.c	constants and what TCP_INFO gives	code.c	the blocks of a run
 *
 * Depth is bounded twice: of what the parser descends into, and of the tree, which
 * is what the evaluator descends into.
 */
#ifndef RL_DRILL_CODE_H
#define RL_DRILL_CODE_H

#include <stdio.h>

#include "drill/ast.h"

/* Python's integers have no end; these have one that all of TCP_INFO is far from. */
__extension__ typedef __int128 rl_wide;
#define DRILL_WIDE_BITS	100

#define DRILL_CODE_DEPTH	64	/* parentheses, unary operators */
#define DRILL_TREE_DEPTH	400	/* 1 + 1 + 1 + ... */
#define DRILL_CODE_STR		4096	/* bytes of a string */
#define DRILL_CODE_WHY		1024

/* ---- values ---- */

enum code_type { CODE_NONE, CODE_BOOL, CODE_INT, CODE_FLOAT, CODE_STR, CODE_TUPLE };

struct code_value {
	enum code_type	type;
	rl_wide		i;		/* BOOL too */
	double		f;
	const char	*s;		/* STR, ended by NUL */
	size_t		len;		/* STR: bytes; TUPLE: items */
	const struct code_value *items;
};

/* ---- tokens ---- */

enum code_op {
	OP_NONE,
	OP_OR, OP_AND, OP_NOT, OP_IF, OP_ELSE,
	OP_EQ, OP_NE, OP_LT, OP_LE, OP_GT, OP_GE, OP_IN, OP_NOT_IN,
	OP_BIT_OR, OP_BIT_XOR, OP_BIT_AND, OP_SHL, OP_SHR,
	OP_ADD, OP_SUB, OP_MUL, OP_DIV, OP_FLOOR, OP_MOD, OP_POW,
	OP_INVERT, OP_OPEN, OP_CLOSE, OP_COMMA, OP_ASSIGN,
};

enum code_token { TOK_END, TOK_NEWLINE, TOK_NAME, TOK_VALUE, TOK_OP, TOK_AUGMENTED };

struct code_lexer {
	struct drill_arena *a;
	const char	*p, *end;
	int		line;		/* from 0 */
	int		parens;		/* inside of them a newline is a blank */
	/* the current token */
	enum code_token	tok;
	enum code_op	op;		/* OP; AUGMENTED: of += and the like */
	const char	*from;
	size_t		len;
	int		at_line;
	struct code_value value;
	const char	*behind;	/* end of the token before */
	char		*why;		/* "line N: ..." */
	size_t		why_len;
	bool		failed;
};

/** Go to the next token.  After a failure it is TOK_END. */
void rl_drill_code_next(struct code_lexer *l);
/** The first failure counts.  Return: -1. */
int rl_drill_code_error(struct code_lexer *l, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* ---- statements ---- */

enum code_kind {
	NODE_VALUE, NODE_NAME, NODE_TUPLE, NODE_CALL,
	NODE_UNARY,			/* op: NOT, SUB, ADD, INVERT */
	NODE_BINARY,
	NODE_LOGIC,			/* op: AND, OR; args: two or more */
	NODE_COMPARE,			/* args: two or more */
	NODE_IF,			/* args: value, condition, other value */
};

struct code_node {
	struct code_node *next;		/* of the list it is in */
	enum code_kind	kind;
	enum code_op	op;
	enum code_op	cmp;		/* of COMPARE: how to the operand before */
	struct code_node *args;
	struct code_value value;
	const char	*name;		/* NAME, CALL */
	const char	*text;		/* as written */
	size_t		len;
	unsigned	depth;
};

enum code_stmt_kind { STMT_ASSERT, STMT_ASSIGN, STMT_EXPR };

struct code_stmt {
	struct code_stmt *next;
	enum code_stmt_kind kind;
	int		line;		/* from 0, in the block */
	const char	*name;		/* ASSIGN */
	enum code_op	op;		/* ASSIGN: NONE, or of += */
	struct code_node *expr;
	struct code_node *message;	/* ASSERT, or NULL */
};

/** @why gets "line N: ..." (N from 1).  @text must live as long as the result. */
int rl_drill_code_parse(struct drill_arena *a, const char *text, size_t len,
			struct code_stmt **out, char *why, size_t why_len);

/* ---- running them ---- */

struct code_var {
	struct code_var *next;
	const char	*name;
	struct code_value value;
};

struct code_env {
	struct drill_arena *a;
	struct code_var	*vars;		/* what the code assigned */
	/**
	 * A name that is no variable.  Return: 1; 0: unknown; -1: known, but this
	 * stack hasn't got it: rl_drill_code_fail() or _lacks() was called.
	 */
	int (*lookup)(struct code_env *e, const char *name, struct code_value *v);
	void		*ctx;		/* of lookup */
	FILE		*out;		/* of print() */
	int		line;		/* of the statement, from 0 */
	bool		failed, lacks;	/* lacks: for want of something in Rill */
	char		why[DRILL_CODE_WHY];
};

int rl_drill_code_fail(struct code_env *e, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
int rl_drill_code_lacks(struct code_env *e, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/** In order, until one fails.  0, or -1 with why and line. */
int rl_drill_code_exec(struct code_env *e, const struct code_stmt *list);

/** A constant expression: 0 or -1. */
int rl_drill_code_int(const char *text, int64_t *v);

/* ---- values ---- */

struct code_value rl_drill_code_bool(bool b);
struct code_value rl_drill_code_wide(rl_wide i);
/** Python's truth. */
bool rl_drill_code_true(const struct code_value *v);
/** All of these: 0, or -1 after rl_drill_code_fail(). */
int rl_drill_code_unary(struct code_env *e, enum code_op op, const struct code_value *a,
			struct code_value *v);
int rl_drill_code_binary(struct code_env *e, enum code_op op, const struct code_value *a,
			 const struct code_value *b, struct code_value *v);
int rl_drill_code_compare(struct code_env *e, enum code_op op, const struct code_value *a,
			  const struct code_value *b, bool *holds);
int rl_drill_code_call(struct code_env *e, const char *name, const struct code_value *args,
		       size_t n, struct code_value *v);
/** "text %d" % value. */
int rl_drill_code_format(struct code_env *e, const struct code_value *format,
			 const struct code_value *args, struct code_value *v);

const char *rl_drill_code_op_text(enum code_op op);
const char *rl_drill_code_type_text(enum code_type t);
/** As str() and, with quotes around strings, as repr().  Cut at @size. */
size_t rl_drill_code_str(const struct code_value *v, bool quotes, char *buf, size_t size);

/* ---- names ---- */

#define DRILL_MEMINFO	9

struct code_snapshot {			/* what a block saw at its time */
	struct rill_tcp_info *info;
	bool		has_mem;
	uint32_t	mem[DRILL_MEMINFO];
};

/** The lookup for a struct code_snapshot as ctx. */
int rl_drill_code_lookup(struct code_env *e, const char *name, struct code_value *v);

/** Whether each block sets this name anew. */
bool rl_drill_code_is_measured(const char *name);

#endif
