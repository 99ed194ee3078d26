/* SPDX-License-Identifier: MIT */
/*
 * Tokens of %{ ... }% blocks, as Python has them: newlines and ; end statements
 * except inside of parentheses, # comments, a backslash continues a line.
 */
#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/types.h"
#include "drill/code.h"

int rl_drill_code_error(struct code_lexer *l, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (!l->failed) {
		l->failed = true;
		n = snprintf(l->why, l->why_len, "line %d: ", l->at_line + 1);
		va_start(ap, fmt);
		if ((size_t)n < l->why_len)
			vsnprintf(l->why + n, l->why_len - (size_t)n, fmt, ap);
		va_end(ap);
	}
	l->tok = TOK_END;
	return -1;
}

static char at(const struct code_lexer *l, size_t i)
{
	return i < (size_t)(l->end - l->p) ? l->p[i] : '\0';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* Blanks, comments, continued lines; newlines where they end nothing. */
static void skip_space(struct code_lexer *l)
{
	for (;;) {
		char c = at(l, 0);

		if (l->p < l->end && c == '#') {
			while (l->p < l->end && *l->p != '\n')
				l->p++;
		} else if (c == ' ' || c == '\t' || c == '\r' || c == '\f') {
			l->p++;
		} else if (c == '\n' && l->parens) {
			l->p++;
			l->line++;
		} else if (c == '\\' && at(l, 1) == '\n') {
			l->p += 2;
			l->line++;
		} else {
			return;
		}
	}
}

/* ---- numbers ---- */

static size_t number_len(const struct code_lexer *l)
{
	size_t n = 0;

	while (is_word(at(l, n)) || at(l, n) == '.' ||
	       ((at(l, n) == '+' || at(l, n) == '-') && n && (at(l, n - 1) | 0x20) == 'e' &&
		at(l, 1) != 'x' && at(l, 1) != 'X'))
		n++;
	return n;
}

static int hex_digit(char c)
{
	return is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10;
}

/* Decimal, 0x, 0o, 0b, with _ between digits. */
static int whole(struct code_lexer *l, const char *s)
{
	const char *text = s;
	int base = 10;
	rl_wide v = 0;

	if (s[0] == '0' && s[1])
		base = (s[1] | 0x20) == 'x' ? 16 : (s[1] | 0x20) == 'o' ? 8
		     : (s[1] | 0x20) == 'b' ? 2 : 10;
	if (base != 10)
		s += 2;
	if (!*s || (base == 10 && s[0] == '0' && strspn(s, "0") != strlen(s)))
		return rl_drill_code_error(l, "Python has no number %s", text);
	for (; *s; s++) {
		if (*s == '_')
			continue;
		if (!is_word(*s) || hex_digit(*s) >= base || hex_digit(*s) < 0)
			return rl_drill_code_error(l, "a number ends in \"%s\"", s);
		v = v * base + hex_digit(*s);
		if (v >> DRILL_WIDE_BITS)
			return rl_drill_code_error(l, "number too large");
	}
	l->value.type = CODE_INT;
	l->value.i = v;
	return 0;
}

static int number(struct code_lexer *l)
{
	size_t n = number_len(l);
	char text[64], *end;

	if (n >= sizeof(text))
		return rl_drill_code_error(l, "number too long");
	memcpy(text, l->p, n);
	text[n] = 0;
	l->len = n;
	l->p += n;
	if ((text[0] == '0' && (text[1] | 0x20) == 'x') || !strpbrk(text, ".eE"))
		return whole(l, text);
	l->value.type = CODE_FLOAT;
	l->value.f = strtod(text, &end);
	if (*end || !isfinite(l->value.f))
		return rl_drill_code_error(l, "Python has no number %s", text);
	return 0;
}

/* ---- strings ---- */

static char escaped(char c)
{
	static const char from[] = "ntr\\'\"", to[] = "\n\t\r\\'\"";
	const char *at_c = strchr(from, c);

	return c && at_c ? to[at_c - from] : 0;
}

/* One literal, appended to @buf. */
static int literal(struct code_lexer *l, char *buf, size_t *n)
{
	char quote = *l->p++;

	while (l->p < l->end && *l->p != quote) {
		char c = *l->p++;

		if (c == '\n')
			return rl_drill_code_error(l, "a string lacks its end");
		if (c == '\\') {
			c = l->p < l->end ? escaped(*l->p) : 0;
			l->p += c != 0;
			if (!c)		/* Python keeps what it doesn't know */
				c = '\\';
		}
		if (*n + 1 >= DRILL_CODE_STR || !c)
			return rl_drill_code_error(l, "string too long");
		buf[(*n)++] = c;
	}
	if (l->p == l->end)
		return rl_drill_code_error(l, "a string lacks its end");
	l->p++;
	return 0;
}

/* Literals side by side are one string. */
static int string(struct code_lexer *l)
{
	char buf[DRILL_CODE_STR];
	const char *end;
	size_t n = 0;

	do {
		if (at(l, 1) == *l->p && at(l, 2) == *l->p)
			return rl_drill_code_error(l, "triple quotes are not understood");
		if (literal(l, buf, &n) < 0)
			return -1;
		end = l->p;
		skip_space(l);
	} while (at(l, 0) == '"' || at(l, 0) == '\'');
	l->len = (size_t)(end - l->from);
	l->value.type = CODE_STR;
	l->value.s = rl_drill_strndup(l->a, buf, n);
	l->value.len = n;
	return 0;
}

/* ---- names and operators ---- */

static const struct { char text[8]; enum code_op op; } words[] = {
	{ "or", OP_OR }, { "and", OP_AND }, { "not", OP_NOT }, { "if", OP_IF },
	{ "else", OP_ELSE }, { "in", OP_IN },
};

/* Longest first. */
static const struct { char text[4]; enum code_op op; } signs[] = {
	{ "**", OP_POW }, { "//", OP_FLOOR }, { "<<", OP_SHL }, { ">>", OP_SHR },
	{ "==", OP_EQ }, { "!=", OP_NE }, { "<=", OP_LE }, { ">=", OP_GE },
	{ "<", OP_LT }, { ">", OP_GT }, { "|", OP_BIT_OR }, { "^", OP_BIT_XOR },
	{ "&", OP_BIT_AND }, { "+", OP_ADD }, { "-", OP_SUB }, { "*", OP_MUL },
	{ "/", OP_DIV }, { "%", OP_MOD }, { "~", OP_INVERT }, { "(", OP_OPEN },
	{ ")", OP_CLOSE }, { ",", OP_COMMA }, { "=", OP_ASSIGN },
};

const char *rl_drill_code_op_text(enum code_op op)
{
	if (op == OP_NOT_IN)
		return "not in";
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (words[i].op == op)
			return words[i].text;
	for (size_t i = 0; i < ARRAY_LEN(signs); i++)
		if (signs[i].op == op)
			return signs[i].text;
	return "?";
}

static void name(struct code_lexer *l)
{
	static const struct { char text[8]; enum code_type type; int i; } values[] = {
		{ "True", CODE_BOOL, 1 }, { "False", CODE_BOOL, 0 }, { "None", CODE_NONE, 0 },
	};

	while (is_word(at(l, l->len)))
		l->len++;
	l->p += l->len;
	l->tok = TOK_NAME;
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strlen(words[i].text) == l->len && !memcmp(words[i].text, l->from, l->len)) {
			l->tok = TOK_OP;
			l->op = words[i].op;
		}
	for (size_t i = 0; i < ARRAY_LEN(values); i++)
		if (strlen(values[i].text) == l->len &&
		    !memcmp(values[i].text, l->from, l->len)) {
			l->tok = TOK_VALUE;
			l->value.type = values[i].type;
			l->value.i = values[i].i;
		}
}

static bool may_be_augmented(enum code_op op)
{
	return op >= OP_BIT_OR && op <= OP_POW;
}

static void sign(struct code_lexer *l)
{
	size_t i = 0;

	while (i < ARRAY_LEN(signs) &&
	       (strlen(signs[i].text) > (size_t)(l->end - l->p) ||
		memcmp(signs[i].text, l->p, strlen(signs[i].text))))
		i++;
	if (i == ARRAY_LEN(signs)) {
		rl_drill_code_error(l, isprint((unsigned char)*l->p) ? "\"%c\" is not understood"
				    : "byte %d is not understood", (unsigned char)*l->p);
		return;
	}
	l->tok = TOK_OP;
	l->op = signs[i].op;
	l->len = strlen(signs[i].text);
	if (may_be_augmented(l->op) && at(l, l->len) == '=') {
		l->tok = TOK_AUGMENTED;
		l->len++;
	}
	l->p += l->len;
	l->parens += l->op == OP_OPEN;
	l->parens -= l->op == OP_CLOSE && l->parens;
}

void rl_drill_code_next(struct code_lexer *l)
{
	char c;

	if (l->failed)
		return;
	l->behind = l->from ? l->from + l->len : l->p;
	skip_space(l);
	l->from = l->p;
	l->len = 0;
	l->at_line = l->line;
	l->op = OP_NONE;
	l->value = (struct code_value){ CODE_NONE, 0, 0, NULL, 0, NULL };
	c = at(l, 0);
	if (l->p == l->end) {
		l->tok = TOK_END;
	} else if (c == '\n' || c == ';') {
		l->tok = TOK_NEWLINE;
		l->line += c == '\n';
		l->p++;
		l->len = 1;
	} else if (is_digit(c) || (c == '.' && is_digit(at(l, 1)))) {
		l->tok = TOK_VALUE;
		number(l);
	} else if (c == '"' || c == '\'') {
		l->tok = TOK_VALUE;
		string(l);
	} else if (is_word(c)) {
		name(l);
	} else {
		sign(l);
	}
}
