/* SPDX-License-Identifier: MIT */
/*
 * Values of %{ ... }% blocks as text: str(), repr(), and the % operator of
 * strings.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/types.h"
#include "drill/code.h"

#define WIDTH_MAX	200

struct text {
	char	*buf;
	size_t	size, len;
};

static void put(struct text *t, const char *s, size_t n)
{
	if (t->len + 1 < t->size) {
		n = RL_MIN(n, t->size - 1 - t->len);
		memcpy(t->buf + t->len, s, n);
		t->len += n;
	}
	t->buf[t->len] = 0;
}

/* Digits of an integer, without sign. */
static const char *digits(rl_wide v, unsigned base, bool upper, char buf[132])
{
	const char *set = upper ? "0123456789ABCDEF" : "0123456789abcdef";
	char *p = buf + 131;

	*p = 0;
	do {
		*--p = set[v % base];
		v /= base;
	} while (v);
	return p;
}

/* The shortest text that reads back as the same number, as Python's repr(). */
static void put_real(struct text *t, double f)
{
	double m = f < 0 ? -f : f;
	bool plain = m == 0 || (m >= 1e-4 && m < 1e16);
	char buf[64];

	for (int digits_behind = plain; digits_behind <= 22; digits_behind++) {
		snprintf(buf, sizeof(buf), plain ? "%.*f" : "%.*e", digits_behind, f);
		if (strtod(buf, NULL) == f)
			break;
	}
	put(t, buf, strlen(buf));
}

static void put_quoted(struct text *t, const char *s, size_t n)
{
	put(t, "'", 1);
	for (size_t i = 0; i < n; i++) {
		char hex[8];

		if (s[i] == '\'' || s[i] == '\\') {
			put(t, "\\", 1);
			put(t, &s[i], 1);
		} else if ((unsigned char)s[i] < ' ' || s[i] == 127) {
			snprintf(hex, sizeof(hex), "\\x%02x", (unsigned char)s[i]);
			put(t, hex, 4);
		} else {
			put(t, &s[i], 1);
		}
	}
	put(t, "'", 1);
}

static void put_scalar(struct text *t, const struct code_value *v, bool quotes)
{
	char buf[132];
	const char *s = "None";

	switch (v->type) {
	case CODE_BOOL:
		s = v->i ? "True" : "False";
		break;
	case CODE_INT:
		if (v->i < 0)
			put(t, "-", 1);
		s = digits(v->i < 0 ? -v->i : v->i, 10, false, buf);
		break;
	case CODE_FLOAT:
		put_real(t, v->f);
		return;
	case CODE_STR:
		if (quotes)
			put_quoted(t, v->s, v->len);
		else
			put(t, v->s, v->len);
		return;
	case CODE_TUPLE:
		s = "(...)";
		break;
	case CODE_NONE:
		break;
	}
	put(t, s, strlen(s));
}

size_t rl_drill_code_str(const struct code_value *v, bool quotes, char *buf, size_t size)
{
	struct text t = { buf, size, 0 };

	buf[0] = 0;
	if (v->type != CODE_TUPLE) {
		put_scalar(&t, v, quotes);
		return t.len;
	}
	put(&t, "(", 1);
	for (size_t i = 0; i < v->len; i++) {
		if (i)
			put(&t, ", ", 2);
		put_scalar(&t, &v->items[i], true);
	}
	put(&t, v->len == 1 ? ",)" : ")", v->len == 1 ? 2 : 1);
	return t.len;
}

/* ---- the % operator ---- */

struct spec {
	bool	minus, plus, blank, zero, alt;
	int	width, precision;	/* precision -1: none */
	char	conv;
};

static int small_number(const char **p)
{
	int n = 0;

	for (; **p >= '0' && **p <= '9'; ++*p)
		n = RL_MIN(n * 10 + (**p - '0'), WIDTH_MAX + 1);
	return n;
}

/* @p stands behind the %. */
static int parse_spec(struct code_env *e, const char **p, struct spec *s)
{
	*s = (struct spec){ .precision = -1 };
	for (;; ++*p) {
		if (**p == '-')
			s->minus = true;
		else if (**p == '+')
			s->plus = true;
		else if (**p == ' ')
			s->blank = true;
		else if (**p == '0')
			s->zero = true;
		else if (**p == '#')
			s->alt = true;
		else
			break;
	}
	s->width = small_number(p);
	if (**p == '.') {
		++*p;
		s->precision = small_number(p);
	}
	while (**p == 'l' || **p == 'h')	/* without meaning, as in Python */
		++*p;
	s->conv = **p;
	if (s->width > WIDTH_MAX || s->precision > WIDTH_MAX)
		return rl_drill_code_fail(e, "a width of %d at most", WIDTH_MAX);
	if (!s->conv || !strchr("diuxXorsfFeEgG%", s->conv))
		return rl_drill_code_fail(e, "%%%c is not understood", s->conv ? s->conv : ' ');
	++*p;
	return 0;
}

/* @sign and @s, filled up to the width. */
static void put_padded(struct text *t, const struct spec *s, const char *sign,
		       const char *digits_of, bool zero)
{
	size_t n = strlen(sign) + strlen(digits_of), width = (size_t)s->width;
	size_t fill = width > n ? width - n : 0;

	for (size_t i = 0; !s->minus && !zero && i < fill; i++)
		put(t, " ", 1);
	put(t, sign, strlen(sign));
	for (size_t i = 0; !s->minus && zero && i < fill; i++)
		put(t, "0", 1);
	put(t, digits_of, strlen(digits_of));
	for (size_t i = 0; s->minus && i < fill; i++)
		put(t, " ", 1);
}

static const char *sign_of(const struct spec *s, bool negative)
{
	return negative ? "-" : s->plus ? "+" : s->blank ? " " : "";
}

static void put_int(struct text *t, const struct spec *s, rl_wide v)
{
	unsigned base = s->conv == 'x' || s->conv == 'X' ? 16 : s->conv == 'o' ? 8 : 10;
	char buf[132], all[132 + WIDTH_MAX], sign[4];
	const char *d = digits(v < 0 ? -v : v, base, s->conv == 'X', buf);
	int n = 0;

	for (int k = s->precision - (int)strlen(d); k > 0; k--)
		all[n++] = '0';
	strcpy(all + n, d);
	snprintf(sign, sizeof(sign), "%s%s", sign_of(s, v < 0),
		 !s->alt || base == 10 ? "" : base == 8 ? "0o" : s->conv == 'x' ? "0x" : "0X");
	put_padded(t, s, sign, all, s->zero);
}

static void put_float(struct text *t, const struct spec *s, double f)
{
	char buf[400 + WIDTH_MAX];
	int precision = s->precision < 0 ? 6 : s->precision;
	double m = f < 0 ? -f : f;

	if (s->conv == 'e' || s->conv == 'E')
		snprintf(buf, sizeof(buf), s->conv == 'e' ? "%.*e" : "%.*E", precision, m);
	else if (s->conv == 'g' || s->conv == 'G')
		snprintf(buf, sizeof(buf), s->conv == 'g' ? "%.*g" : "%.*G", precision, m);
	else
		snprintf(buf, sizeof(buf), "%.*f", precision, m);
	put_padded(t, s, sign_of(s, f < 0), buf, s->zero);
}

static void put_text(struct text *t, const struct spec *s, const struct code_value *v)
{
	char buf[DRILL_CODE_STR];
	size_t n = rl_drill_code_str(v, s->conv == 'r', buf, sizeof(buf));

	if (s->precision >= 0 && (size_t)s->precision < n)
		buf[s->precision] = 0;
	put_padded(t, s, "", buf, false);
}

static int put_arg(struct code_env *e, struct text *t, const struct spec *s,
		   const struct code_value *v)
{
	bool whole = v->type == CODE_INT || v->type == CODE_BOOL;

	if (s->conv == 's' || s->conv == 'r')
		put_text(t, s, v);
	else if (!whole && v->type != CODE_FLOAT)
		return rl_drill_code_fail(e, "%%%c of a %s", s->conv,
					  rl_drill_code_type_text(v->type));
	else if (strchr("fFeEgG", s->conv))
		put_float(t, s, whole ? (double)v->i : v->f);
	else if (whole)
		put_int(t, s, v->i);
	else if (strchr("diu", s->conv) && v->f > -1e18 && v->f < 1e18)
		put_int(t, s, (rl_wide)v->f);
	else
		return rl_drill_code_fail(e, "%%%c of a float", s->conv);
	return 0;
}

int rl_drill_code_format(struct code_env *e, const struct code_value *format,
			 const struct code_value *args, struct code_value *v)
{
	bool many = args->type == CODE_TUPLE;
	const struct code_value *items = many ? args->items : args;
	size_t n = many ? args->len : 1, used = 0;
	char buf[DRILL_CODE_STR];
	struct text t = { buf, sizeof(buf), 0 };
	const char *p = format->s;
	struct spec s;

	buf[0] = 0;
	while (*p) {
		if (*p != '%') {
			put(&t, p++, 1);
			continue;
		}
		p++;
		if (parse_spec(e, &p, &s) < 0)
			return -1;
		if (s.conv == '%')
			put(&t, "%", 1);
		else if (used == n)
			return rl_drill_code_fail(e, "not enough values for the text");
		else if (put_arg(e, &t, &s, &items[used++]) < 0)
			return -1;
	}
	if (used < n)
		return rl_drill_code_fail(e, "the text doesn't take all values");
	*v = (struct code_value){ .type = CODE_STR, .len = t.len };
	v->s = rl_drill_strndup(e->a, buf, t.len);
	return 0;
}
