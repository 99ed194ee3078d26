/* SPDX-License-Identifier: MIT */
/*
 * The words of a shell's line, for the commands that Rill translates: quotes,
 * backslashes, comments, ; && || between commands, > FILE, and $((arithmetic)).
 * What goes further needs a real shell, and so says the result; nothing is ever
 * guessed.  Variables are not replaced: a word with one is kept as written and
 * marked.
 */
#include <ctype.h>
#include <string.h>

#include "base/types.h"
#include "drill/code.h"
#include "drill/command.h"

#define ARITH_MAX	128

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static bool put(struct drill_words *w, char c)
{
	if (w->used + 1 >= sizeof(w->buf))
		return false;
	w->buf[w->used++] = c;
	return true;
}

/* $((EXPR)) as its value; @p stands behind "$((".  NULL: not one of ours. */
static const char *arithmetic(const char *p, struct drill_words *w)
{
	char text[ARITH_MAX], digits[32];
	const char *end = strstr(p, "))");
	int64_t v;

	if (!end || (size_t)(end - p) >= sizeof(text))
		return NULL;
	memcpy(text, p, (size_t)(end - p));
	text[end - p] = 0;
	if (rl_drill_code_int(text, &v) < 0)
		return NULL;
	snprintf(digits, sizeof(digits), "%lld", (long long)v);
	for (const char *d = digits; *d; d++)
		if (!put(w, *d))
			return NULL;
	return end + 2;
}

static const char *dollar(const char *p, struct drill_words *w)
{
	if (p[1] == '(' && p[2] == '(')
		return arithmetic(p + 3, w);
	if (p[1] == '(')
		return NULL;			/* a command in a command */
	w->expands = true;
	return put(w, '$') ? p + 1 : NULL;
}

static const char *single_quotes(const char *p, struct drill_words *w)
{
	for (p++; *p && *p != '\''; p++)
		if (!put(w, *p))
			return NULL;
	return *p ? p + 1 : NULL;
}

static const char *double_quotes(const char *p, struct drill_words *w)
{
	for (p++; p && *p && *p != '"';) {
		if (*p == '`')
			return NULL;
		if (*p == '$') {
			p = dollar(p, w);
			continue;
		}
		if (*p == '\\' && p[1] && strchr("\"\\$`\n", p[1])) {
			if (*++p == '\n') {
				p++;
				continue;
			}
		}
		if (!put(w, *p++))
			return NULL;
	}
	return p && *p ? p + 1 : NULL;
}

/* Everything up to what ends a word; NULL: too long, or not ours. */
static const char *word(const char *p, struct drill_words *w)
{
	while (p && *p && !is_blank(*p) && !strchr("\n;&|<>", *p)) {
		if (*p == '\'') {
			p = single_quotes(p, w);
		} else if (*p == '"') {
			p = double_quotes(p, w);
		} else if (*p == '$') {
			p = dollar(p, w);
		} else if (*p == '\\' && p[1] == '\n') {
			p += 2;
		} else if (strchr("`()", *p)) {
			return NULL;
		} else {
			w->expands |= strchr("*?[{~", *p) != NULL;
			if (*p == '\\' && p[1])
				p++;
			p = put(w, *p) ? p + 1 : NULL;
		}
	}
	return p && put(w, 0) ? p : NULL;
}

static const char *skip_space(const char *p)
{
	for (;;) {
		if (is_blank(*p))
			p++;
		else if (*p == '\\' && p[1] == '\n')
			p += 2;
		else
			break;
	}
	return *p == '#' ? p + strcspn(p, "\n") : p;
}

/* "2>&1", ">/dev/null", "> FILE": only standard output's file matters. */
static const char *redirection(const char *p, struct drill_words *w)
{
	bool both = *p == '&', out = both || *p == '1' || *p == '>';
	char *to = w->buf;

	p += *p != '>';
	p++;
	if (*p == '>')
		p++;
	if (*p == '&')
		return isdigit((unsigned char)p[1]) ? p + 2 : NULL;
	p = skip_space(p);
	to += w->used;
	p = word(p, w);
	if (p && out && *to && strcmp(to, "/dev/null"))
		w->out = to;
	return p && *to ? p : NULL;
}

static bool is_redirection(const char *p)
{
	return *p == '>' || ((*p == '1' || *p == '2' || *p == '&') && p[1] == '>');
}

/* What stands behind the command; NULL: not ours. */
static const char *separator(const char *p, struct drill_words *w)
{
	w->next = DRILL_ALWAYS;
	if (p[0] == '&' && p[1] == '&')
		w->next = DRILL_IF_OK;
	else if (p[0] == '|' && p[1] == '|')
		w->next = DRILL_IF_FAILED;
	else if (*p == ';' || *p == '\n')
		return p + 1;
	else
		return *p ? NULL : p;
	return p + 2;
}

/* Words that begin what is no simple command, and those that act on the shell. */
static bool is_special(const char *s)
{
	static const char *const words[] = {
		"if", "then", "else", "elif", "fi", "for", "do", "done", "while", "until",
		"case", "esac", "function", "{", "}", "!", "[[", "cd", "export", "set",
		"unset", "source", ".", "eval", "exec", "exit", "return", "trap", "umask",
	};
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"
			  "0123456789");

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (!strcmp(words[i], s))
			return true;
	return n && s[n] == '=';		/* X=1 */
}

static const char *one_word(const char *p, struct drill_words *w)
{
	if (w->n == DRILL_WORDS)
		return NULL;
	w->word[w->n] = w->buf + w->used;
	p = word(p, w);
	w->n += p != NULL;
	return p;
}

static const char *blank_lines(const char *p)
{
	const char *at;

	do {
		at = p;
		p = skip_space(p);
		p += *p == '\n' || *p == ';';
	} while (p != at);
	return p;
}

int rl_drill_words(const char **p, struct drill_words *w)
{
	const char *s = blank_lines(*p);

	w->text = s;
	w->n = 0;
	w->used = 0;
	w->out = NULL;
	w->expands = false;
	while (s && *s && !strchr("\n;", *s)) {
		if (is_redirection(s))
			s = redirection(s, w);
		else if (strchr("|&<", *s))
			break;
		else
			s = one_word(s, w);
		s = s ? skip_space(s) : NULL;
	}
	if (!s)
		return -1;
	w->len = (size_t)(s - w->text);
	w->word[w->n] = NULL;
	if (!w->n)
		return *s || w->out ? -1 : 0;
	if (is_special(w->word[0]))
		return -1;
	*p = separator(s, w);
	return *p ? 1 : -1;
}
