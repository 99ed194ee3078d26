// SPDX-License-Identifier: MIT
/*
 * The parser's cursor over the tokens, and its messages: what was expected, what
 * was found, and where.
 */
#include "drill/parse.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SHOWN	40			/* characters of a token in a message */

const struct drill_token *rl_drill_tok_peek(const struct drill_parser *p, size_t ahead)
{
	size_t last = p->tokens.n - 1;

	return &p->tokens.tok[p->at < last && ahead < last - p->at ? p->at + ahead : last];
}

const struct drill_token *rl_drill_tok_take(struct drill_parser *p)
{
	const struct drill_token *t = rl_drill_tok_peek(p, 0);

	if (p->at < p->tokens.n - 1)
		p->at++;
	return t;
}

bool rl_drill_tok_is(const struct drill_token *t, const char *word)
{
	return t->kind == DRILL_T_WORD && strlen(word) == t->len &&
		memcmp(t->text, word, t->len) == 0;
}

bool rl_drill_tok_is_char(const struct drill_token *t, char c)
{
	return t->kind == DRILL_T_CHAR && *t->text == c;
}

bool rl_drill_tok_word(struct drill_parser *p, const char *word)
{
	bool is = rl_drill_tok_is(rl_drill_tok_peek(p, 0), word);

	if (is)
		rl_drill_tok_take(p);
	return is;
}

bool rl_drill_tok_char(struct drill_parser *p, char c)
{
	bool is = rl_drill_tok_is_char(rl_drill_tok_peek(p, 0), c);

	if (is)
		rl_drill_tok_take(p);
	return is;
}

void rl_drill_tok_need(struct drill_parser *p, char c, const char *where)
{
	char what[80];

	if (rl_drill_tok_char(p, c))
		return;
	snprintf(what, sizeof(what), "'%c' %s", c, where);
	rl_drill_tok_expected(p, what);
}

char *rl_drill_tok_dup(struct drill_parser *p, const struct drill_token *t)
{
	return rl_drill_strndup(&p->s->arena, t->text, t->len);
}

/* ---- errors ---- */

/* A token as a message shows it: cut, in quotes, without control characters. */
static void show(const struct drill_token *t, char *buf, size_t room)
{
	size_t n = 0;

	if (t->kind == DRILL_T_END) {
		snprintf(buf, room, "the end of the script");
		return;
	}
	buf[n++] = '\'';
	for (size_t i = 0; i < t->raw_len && n + 8 < room; i++) {
		unsigned char c = (unsigned char)t->raw[i];

		if (i == SHOWN) {
			n += (size_t)snprintf(buf + n, room - n, "...");
			break;
		}
		if (c == '\n' || c == '\t')
			c = ' ';
		if (c >= ' ' && c < 0x7f)
			buf[n++] = (char)c;
		else
			n += (size_t)snprintf(buf + n, room - n, "\\x%02x", c);
	}
	snprintf(buf + n, room - n, "'");
}

/* The first message counts. */
__attribute__((format(printf, 4, 0)))
static void fail(struct drill_parser *p, const char *prefix, int line, const char *fmt,
		 va_list ap)
{
	int n;

	if (p->failed)
		return;
	p->failed = true;
	p->at = p->tokens.n - 1;
	if (!p->why_len)
		return;
	n = snprintf(p->why, p->why_len, "%s%s:%d: ", prefix, p->file, line);
	if (n >= 0 && (size_t)n < p->why_len)
		vsnprintf(p->why + n, p->why_len - (size_t)n, fmt, ap);
}

void rl_drill_tok_wrong(struct drill_parser *p, int line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fail(p, "", line, fmt, ap);
	va_end(ap);
}

void rl_drill_tok_expected(struct drill_parser *p, const char *what)
{
	const struct drill_token *t = rl_drill_tok_peek(p, 0);
	char found[SHOWN * 4 + 16];

	show(t, found, sizeof(found));
	rl_drill_tok_wrong(p, t->line, "expected %s, found %s", what, found);
}

void rl_drill_tok_unsupported(struct drill_parser *p, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fail(p, "unsupported: ", rl_drill_tok_peek(p, 0)->line, fmt, ap);
	va_end(ap);
}

/* ---- values ---- */

uint32_t rl_drill_tok_number(struct drill_parser *p, const char *what, uint32_t max)
{
	const struct drill_token *t = rl_drill_tok_peek(p, 0);
	char text[96];

	if (t->kind != DRILL_T_INT) {
		snprintf(text, sizeof(text), "%s, a number", what);
		rl_drill_tok_expected(p, text);
		return 0;
	}
	if (!t->fits || t->num < 0 || t->num > max) {
		snprintf(text, sizeof(text), "%s, 0 to %u", what, max);
		rl_drill_tok_expected(p, text);
		return 0;
	}
	rl_drill_tok_take(p);
	return (uint32_t)t->num;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The digits of a token that is a hex string; "0x" may lead. */
static const char *hex_text(const struct drill_token *t, size_t *len)
{
	bool prefix = t->len > 2 && t->text[0] == '0' && t->text[1] == 'x';

	*len = prefix ? t->len - 2 : t->len;
	return prefix ? t->text + 2 : t->text;
}

bool rl_drill_tok_is_hex(const struct drill_token *t)
{
	size_t len;
	const char *s = hex_text(t, &len);

	if ((t->kind != DRILL_T_INT && t->kind != DRILL_T_WORD) || !len)
		return false;
	for (size_t i = 0; i < len; i++)
		if (hex_digit(s[i]) < 0)
			return false;
	return true;
}

unsigned rl_drill_tok_hex(struct drill_parser *p, const char *what, uint8_t *out,
			  unsigned max)
{
	const struct drill_token *t = rl_drill_tok_peek(p, 0);
	size_t len;
	const char *s = hex_text(t, &len);
	char text[96];

	if (!rl_drill_tok_is_hex(t) || len % 2 || len / 2 > max) {
		snprintf(text, sizeof(text), "%s: pairs of hex digits, at most %u", what, max);
		rl_drill_tok_expected(p, text);
		return 0;
	}
	for (size_t i = 0; i < len / 2; i++)
		out[i] = (uint8_t)(hex_digit(s[2 * i]) << 4 | hex_digit(s[2 * i + 1]));
	rl_drill_tok_take(p);
	return (unsigned)(len / 2);
}
