/* SPDX-License-Identifier: MIT */
/*
 * Between what a person types or reads and bytes: text with escapes, hexadecimal.
 * Used by `rill nc -i`.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "tools/nc_assist.h"

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "48 65 6c", "48656c", "0x48,0x65": pairs, apart from each other or not. */
int assist_from_hex(const char *s, unsigned char *out, size_t cap)
{
	size_t n = 0;

	while (*s) {
		if (isspace((unsigned char)*s) || *s == ',' || *s == ':') {
			s++;
		} else if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
			s += 2;
		} else {
			int hi = digit(s[0]), lo = hi < 0 ? -1 : digit(s[1]);

			if (lo < 0 || n == cap)
				return -1;
			out[n++] = (unsigned char)(hi << 4 | lo);
			s += 2;
		}
	}
	return (int)n;
}

/* \n \r \t \0 \\ \xHH; any other backslash stands for itself. */
int assist_from_text(const char *s, unsigned char *out, size_t cap)
{
	static const char names[] = "nrt0\\", bytes[] = "\n\r\t\0\\";
	size_t n = 0;

	while (*s) {
		const char *p = s[0] == '\\' && s[1] ? strchr(names, s[1]) : NULL;

		if (n == cap)
			return -1;
		if (p) {
			out[n++] = (unsigned char)bytes[p - names];
			s += 2;
		} else if (s[0] == '\\' && s[1] == 'x' && digit(s[2]) >= 0 && digit(s[3]) >= 0) {
			out[n++] = (unsigned char)(digit(s[2]) << 4 | digit(s[3]));
			s += 4;
		} else {
			out[n++] = (unsigned char)*s++;
		}
	}
	return (int)n;
}

/* As much as fits a row; what no terminal should see is escaped or a dot. */
static size_t text_row(const unsigned char *p, size_t n, char *row, size_t cap)
{
	size_t i = 0, len = 0;

	for (; i < n && len + 5 < cap; i++) {
		if (p[i] == '\n' || p[i] == '\r' || p[i] == '\t')
			len += (size_t)snprintf(row + len, cap - len, "\\%c",
						p[i] == '\n' ? 'n' : p[i] == '\r' ? 'r' : 't');
		else if (p[i] < 0x20 || p[i] >= 0x7f)
			len += (size_t)snprintf(row + len, cap - len, "\\x%02x", p[i]);
		else
			row[len++] = (char)p[i];
		if (p[i] == '\n') {
			i++;
			break;
		}
	}
	row[len] = '\0';
	return i;
}

static size_t hex_row(const unsigned char *p, size_t n, size_t width, char *row, size_t cap)
{
	size_t len = 0;

	n = n < width ? n : width;
	for (size_t i = 0; i < width && len + 4 < cap; i++)
		len += (size_t)(i < n ? snprintf(row + len, cap - len, "%02x ", p[i]) :
					snprintf(row + len, cap - len, "   "));
	if (len + n + 3 > cap)
		return n;
	row[len++] = '|';
	for (size_t i = 0; i < n; i++)
		row[len++] = p[i] >= 0x20 && p[i] < 0x7f ? (char)p[i] : '.';
	row[len++] = '|';
	row[len] = '\0';
	return n;
}

size_t assist_row(const unsigned char *p, size_t n, bool hex, char *row, size_t cap)
{
	size_t width = cap >= 68 ? 16 : 8;

	row[0] = '\0';
	return hex ? hex_row(p, n, width, row, cap) : text_row(p, n, row, cap);
}
