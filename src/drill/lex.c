// SPDX-License-Identifier: MIT
/*
 * Text -> tokens, sections 1 and 15 (#ifdef) of the language.
 *
 * The longest match wins, so ".5" is a float and "3021b9d8" a word.  Keywords are
 * words here: what a word means is clear from its place everywhere, and the one
 * thing that their reservation decides is that a definition can't replace them.
 * Definitions act here, and so does --define in the script, for what follows it.
 */
#include "drill/lex.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct local_define {			/* by the script itself */
	struct local_define *next;
	const char	*name, *value;
	size_t		name_len, value_len;
};

struct lexer {
	const char	*s;
	size_t		len, at;
	int		line;
	bool		line_start;	/* nothing but blanks since the line's start */
	int		ifdef_line;	/* of the one that is open, or 0 */
	struct drill_tokens *out;
	struct drill_arena *arena;
	const struct drill_define *defines;
	struct local_define *local;
};

static const char *const keywords[] = {
	"sa_family", "sin_port", "sin_addr", "msg_name", "msg_iov", "msg_flags",
	"msg_control", "cmsg_data", "cmsg_level", "cmsg_type", "ee_errno",
	"ee_origin", "ee_type", "ee_code", "ee_info", "ee_data", "scm_sec",
	"scm_nsec", "fd", "u32", "u64", "ptr", "events", "revents", "onoff",
	"linger", "htons", "ipv4", "ipv6", "icmp", "udp", "GREv0", "gre", "raw",
	"sum", "off", "key", "seq", "none", "checksum", "sequence#", "present",
	"encap", "psp", "spi", "mpls", "label", "tc", "ttl", "inet_addr",
	"inet6_addr", "ack", "eol", "ecr", "mss", "mtu", "nop", "sack", "sackOK",
	"md5", "TS", "FO", "FOEXP", "ECN", "e0b", "e1b", "ceb", "tos",
	"flowlabel", "flags", "Flags", "val", "win", "urg", "wscale", "ect01",
	"ect0", "ect1", "noecn", "ce", "id",
};

#define KEYWORDS	(sizeof(keywords) / sizeof(keywords[0]))

/* ---- characters ---- */

static bool is_digit(int c)
{
	return c >= '0' && c <= '9';
}

static bool is_hex(int c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_word(int c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_blank(int c)
{
	return c == ' ' || c == '\t';
}

/* The character @ahead of the cursor, or -1 behind the end. */
static int look(const struct lexer *x, size_t ahead)
{
	return ahead < x->len - x->at ? (unsigned char)x->s[x->at + ahead] : -1;
}

static bool look_str(const struct lexer *x, const char *s)
{
	size_t n = strlen(s);

	return n <= x->len - x->at && memcmp(x->s + x->at, s, n) == 0;
}

/* The only way forward: it counts lines. */
static void skip(struct lexer *x, size_t n)
{
	for (; n && x->at < x->len; n--, x->at++) {
		if (x->s[x->at] == '\n') {
			x->line++;
			x->line_start = true;
		} else if (!is_blank(x->s[x->at])) {
			x->line_start = false;
		}
	}
}

static bool same(const char *a, size_t len, const char *b)
{
	return strlen(b) == len && memcmp(a, b, len) == 0;
}

__attribute__((format(printf, 3, 4)))
static int wrong(struct lexer *x, int line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(x->out->error, sizeof(x->out->error), fmt, ap);
	va_end(ap);
	x->out->error_line = line;
	return -EINVAL;
}

/* ---- definitions ---- */

/* What NAME stands for; NULL: nothing.  The command line's win. */
static const char *defined(const struct lexer *x, const char *name, size_t len,
			   size_t *value_len)
{
	for (const struct drill_define *d = x->defines; d && d->name; d++) {
		if (same(name, len, d->name)) {
			const char *value = d->value ? d->value : "";

			*value_len = strlen(value);
			return value;
		}
	}
	for (const struct local_define *d = x->local; d; d = d->next) {
		if (d->name_len == len && memcmp(d->name, name, len) == 0) {
			*value_len = d->value_len;
			return d->value;
		}
	}
	return NULL;
}

static int define(struct lexer *x, const struct drill_token *t)
{
	const char *eq = t->value ? memchr(t->value, '=', t->value_len) : NULL;
	struct local_define *d;

	if (!eq || eq == t->value)
		return wrong(x, t->line, "expected --define=NAME=VALUE");
	d = rl_drill_alloc(x->arena, sizeof(*d));
	d->name = t->value;
	d->name_len = (size_t)(eq - t->value);
	d->value = eq + 1;
	d->value_len = t->value_len - d->name_len - 1;
	d->next = x->local;
	x->local = d;
	return 0;
}

/* "0x1f", "31", "-1"; false when it is something else or doesn't fit. */
static bool number(const char *s, size_t len, int64_t *num)
{
	bool neg = len && s[0] == '-';
	size_t i = neg;
	uint64_t v = 0, base = 10;
	uint64_t max = neg ? (uint64_t)INT64_MAX + 1 : INT64_MAX;

	if (!neg && len > 2 && s[0] == '0' && s[1] == 'x') {
		i = 2;
		base = 16;
		max = UINT64_MAX;	/* for a struct's u64: as bits */
	}
	if (i == len)
		return false;
	for (; i < len; i++) {
		unsigned d = is_digit(s[i]) ? (unsigned)(s[i] - '0')
			: is_hex(s[i]) ? (unsigned)((s[i] | 0x20) - 'a' + 10) : 99;

		if (d >= base || v > (max - d) / base)
			return false;
		v = v * base + d;
	}
	*num = (int64_t)(neg ? 0 - v : v);
	return true;
}

/* A word that was defined becomes what its value looks like [1.4]. */
static void replace(const struct lexer *x, struct drill_token *t)
{
	size_t len;
	const char *v;

	for (size_t i = 0; i < KEYWORDS; i++)
		if (same(t->text, t->len, keywords[i]))
			return;
	v = defined(x, t->text, t->len, &len);
	if (!v || !len)			/* an empty value is for #ifdef alone */
		return;
	t->text = v;
	t->len = len;
	if (len >= 2 && v[0] == v[len - 1] && (v[0] == '"' || v[0] == '`')) {
		t->kind = v[0] == '"' ? DRILL_T_STRING : DRILL_T_COMMAND;
		t->text++;
		t->len -= 2;
	} else if (number(v, len, &t->num)) {
		t->kind = DRILL_T_INT;
		t->fits = true;
	}
}

/* ---- white space, comments, #ifdef ---- */

/* What becomes of a script are C strings, which a NUL would cut short unseen. */
static int refuse_nul(struct lexer *x)
{
	const char *nul = x->len ? memchr(x->s, '\0', x->len) : NULL;

	if (!nul)
		return 0;
	skip(x, (size_t)(nul - x->s));
	return wrong(x, x->line, "a NUL byte: this is not a text");
}

static void skip_line(struct lexer *x)
{
	while (x->at < x->len && x->s[x->at] != '\n')
		skip(x, 1);
}

/* "#ifdef" or "#endif", alone at the start of a line? */
static bool directive(const struct lexer *x, const char *word)
{
	return x->line_start && look_str(x, word) && !is_word(look(x, strlen(word)));
}

/* To the end of the line with #endif. */
static int skip_undefined(struct lexer *x)
{
	int line = x->line;

	skip_line(x);
	while (x->at < x->len) {
		if (directive(x, "#endif")) {
			skip_line(x);
			return 0;
		}
		if (directive(x, "#ifdef"))
			return wrong(x, x->line, "#ifdef inside of #ifdef");
		skip(x, 1);
	}
	return wrong(x, line, "#ifdef without #endif");
}

static int ifdef(struct lexer *x)
{
	size_t n = 0, len;

	if (x->ifdef_line)
		return wrong(x, x->line, "#ifdef inside of #ifdef");
	skip(x, strlen("#ifdef"));
	while (is_blank(look(x, 0)))
		skip(x, 1);
	while (is_word(look(x, n)))
		n++;
	if (!n)
		return wrong(x, x->line, "expected a name behind #ifdef");
	if (!defined(x, x->s + x->at, n, &len))
		return skip_undefined(x);
	x->ifdef_line = x->line;
	skip_line(x);
	return 0;
}

static int hash(struct lexer *x)
{
	if (directive(x, "#ifdef"))
		return ifdef(x);
	if (directive(x, "#endif")) {
		if (!x->ifdef_line)
			return wrong(x, x->line, "#endif without #ifdef");
		x->ifdef_line = 0;
	}
	skip_line(x);			/* Rill's own comment */
	return 0;
}

static int block_comment(struct lexer *x)
{
	int line = x->line;

	skip(x, 2);
	while (x->at < x->len && !look_str(x, "*/"))
		skip(x, 1);
	if (x->at == x->len)
		return wrong(x, line, "the comment has no end: expected */");
	skip(x, 2);
	return 0;
}

/* Everything before the next token. */
static int skip_space(struct lexer *x)
{
	int err = 0;

	while (!err && x->at < x->len) {
		int c = look(x, 0);

		if (is_blank(c) || c == '\n')
			skip(x, 1);
		else if (look_str(x, "//"))
			skip_line(x);
		else if (look_str(x, "/*"))
			err = block_comment(x);
		else if (c == '#')
			err = hash(x);
		else if (c == '\r')
			err = wrong(x, x->line, "a carriage return: lines end in a newline alone");
		else
			break;
	}
	return err;
}

/* ---- tokens ---- */

static struct drill_token *add(struct lexer *x, enum drill_token_kind kind)
{
	struct drill_tokens *o = x->out;
	struct drill_token *t;

	if (o->n == o->room) {
		o->room = o->room ? o->room * 2 : 256;
		o->tok = realloc(o->tok, o->room * sizeof(*o->tok));
		if (!o->tok) {
			fputs("rill: out of memory\n", stderr);
			exit(1);
		}
	}
	t = &o->tok[o->n++];
	*t = (struct drill_token){
		.kind = kind, .line = x->line,
		.text = x->s + x->at, .raw = x->s + x->at,
	};
	return t;
}

/* The next @n bytes are the token. */
static void add_plain(struct lexer *x, enum drill_token_kind kind, size_t n)
{
	struct drill_token *t = add(x, kind);

	t->len = t->raw_len = n;
	if (kind == DRILL_T_INT)
		t->fits = number(t->text, n, &t->num);
	if (kind == DRILL_T_WORD)
		replace(x, t);
	skip(x, n);
}

/* How long is the IPv4 or IPv6 address at the cursor?  0: there is none. */
static size_t address(const struct lexer *x, enum drill_token_kind *kind)
{
	char buf[INET6_ADDRSTRLEN];
	struct in6_addr a;
	size_t n = 0;

	while (n < sizeof(buf) - 1 &&
	       (is_hex(look(x, n)) || look(x, n) == ':' || look(x, n) == '.')) {
		buf[n] = x->s[x->at + n];
		n++;
	}
	/* "1:1461(1460)" and "0...0.3" end here: they are no addresses */
	for (; n > 1; n--) {
		buf[n] = '\0';
		if (inet_pton(AF_INET, buf, &a) == 1) {
			*kind = DRILL_T_IPV4;
			return n;
		}
		if (inet_pton(AF_INET6, buf, &a) == 1) {
			*kind = DRILL_T_IPV6;
			return n;
		}
		if (is_hex(buf[n - 1]))	/* only what follows an address goes */
			break;
	}
	return 0;
}

/* Length of a number at the cursor, 0: none. */
static size_t numeral(const struct lexer *x, enum drill_token_kind *kind)
{
	size_t n = look(x, 0) == '-', digits = 0;

	while (is_digit(look(x, n + digits)))
		digits++;
	if (look(x, n + digits) == '.' && is_digit(look(x, n + digits + 1))) {
		*kind = DRILL_T_FLOAT;
		for (n += digits + 1; is_digit(look(x, n)); n++)
			;
		return n;
	}
	*kind = DRILL_T_INT;
	if (n == 0 && digits == 1 && look_str(x, "0x") && is_hex(look(x, 2))) {
		for (n = 2; is_hex(look(x, n)); n++)
			;
		return n;
	}
	return digits ? n + digits : 0;
}

/* Number, word or address, whichever is longest; false: none of them. */
static bool number_or_word(struct lexer *x)
{
	enum drill_token_kind kind = DRILL_T_WORD, k;
	size_t n = numeral(x, &kind), m = 0;

	while (is_word(look(x, m)))
		m++;
	if (m > n) {
		n = m;
		kind = DRILL_T_WORD;
	}
	m = is_hex(look(x, 0)) || look(x, 0) == ':' ? address(x, &k) : 0;
	if (m > n) {
		n = m;
		kind = k;
	}
	/* the one keyword with a "#", which would begin a comment */
	if (kind == DRILL_T_WORD && n == 8 && look_str(x, "sequence#"))
		n++;
	if (n)
		add_plain(x, kind, n);
	return n != 0;
}

/* "..." or `...`; a backslash keeps the character after it. */
static int quoted(struct lexer *x, char quote)
{
	struct drill_token *t = add(x, quote == '"' ? DRILL_T_STRING : DRILL_T_COMMAND);

	skip(x, 1);
	t->text = x->s + x->at;
	while (x->at < x->len && look(x, 0) != quote)
		skip(x, look(x, 0) == '\\' ? 2 : 1);
	if (x->at == x->len)
		return wrong(x, t->line, "the %s has no end: expected %c",
			     quote == '"' ? "string" : "command", quote);
	t->len = (size_t)(x->s + x->at - t->text);
	skip(x, 1);
	t->raw_len = (size_t)(x->s + x->at - t->raw);
	return 0;
}

static int code(struct lexer *x)
{
	struct drill_token *t = add(x, DRILL_T_CODE);

	skip(x, 2);
	while (is_blank(look(x, 0)))
		skip(x, 1);
	t->text = x->s + x->at;
	while (x->at < x->len && !look_str(x, "}%"))
		skip(x, 1);
	if (x->at == x->len)
		return wrong(x, t->line, "the code has no end: expected }%%");
	t->len = (size_t)(x->s + x->at - t->text);
	while (t->len && is_blank(t->text[t->len - 1]))
		t->len--;
	skip(x, 2);
	t->raw_len = (size_t)(x->s + x->at - t->raw);
	return 0;
}

/* What follows "=": to the next white space outside of quotes, or to a comment. */
static int option_value(struct lexer *x, struct drill_token *t)
{
	char quote = '\0';

	t->value = x->s + x->at;
	for (; x->at < x->len; skip(x, 1)) {
		int c = look(x, 0);

		if (quote ? c == '\n' : c == '\n' || is_blank(c) || c == '\r' ||
		    look_str(x, "//") || look_str(x, "/*"))
			break;
		if (quote ? c == quote : c == '"' || c == '`')
			quote = quote ? '\0' : (char)c;
	}
	if (quote)
		return wrong(x, t->line, "the value of --%.*s has no end: expected %c",
			     (int)(t->len < 60 ? t->len : 60), t->text, quote);
	t->value_len = (size_t)(x->s + x->at - t->value);
	if (t->value_len >= 2 && t->value[0] == '"' &&
	    t->value[t->value_len - 1] == '"') {
		t->value++;
		t->value_len -= 2;
	}
	return 0;
}

static int option(struct lexer *x)
{
	struct drill_token *t = add(x, DRILL_T_OPTION);
	size_t blanks = 0;
	int err = 0;

	skip(x, 2);
	t->text = x->s + x->at;
	while (is_word(look(x, t->len)))
		t->len++;
	skip(x, t->len);
	while (is_blank(look(x, blanks)))
		blanks++;
	if (look(x, blanks) == '=') {
		for (skip(x, blanks + 1); is_blank(look(x, 0)); skip(x, 1))
			;
		err = option_value(x, t);
	}
	t->raw_len = (size_t)(x->s + x->at - t->raw);
	if (!err && same(t->text, t->len, "define"))
		err = define(x, t);
	return err;
}

static int token(struct lexer *x)
{
	if (look_str(x, "..."))
		add_plain(x, DRILL_T_ELLIPSIS, 3);
	else if (look_str(x, "--") && is_word(look(x, 2)))
		return option(x);
	else if (look_str(x, "%{"))
		return code(x);
	else if (look(x, 0) == '"' || look(x, 0) == '`')
		return quoted(x, (char)look(x, 0));
	else if (!number_or_word(x))
		add_plain(x, DRILL_T_CHAR, 1);
	return 0;
}

int rl_drill_lex(struct drill_tokens *t, struct drill_arena *a, const char *text,
		 size_t len, const struct drill_define *defines)
{
	struct lexer x = {
		.s = len ? text : "", .len = len, .line = 1, .line_start = true,
		.out = t, .arena = a, .defines = defines,
	};
	int err;

	memset(t, 0, sizeof(*t));
	err = refuse_nul(&x);
	while (!err && x.at < x.len) {
		size_t before = x.at, n = t->n;

		err = skip_space(&x);
		if (!err && x.at < x.len) {
			bool spaced = x.at != before;

			err = token(&x);
			t->tok[n].spaced = spaced;
		}
	}
	if (!err && x.ifdef_line)
		err = wrong(&x, x.ifdef_line, "#ifdef without #endif");
	add(&x, DRILL_T_END)->spaced = true;
	return err;
}

void rl_drill_lex_free(struct drill_tokens *t)
{
	free(t->tok);
	memset(t, 0, sizeof(*t));
}
