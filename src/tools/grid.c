/* SPDX-License-Identifier: MIT */
/*
 * Drawing into cells.  Everything is cut at the grid's edges, so those who draw need
 * not measure.  No terminal here: tests read the cells.
 */
#include "tools/grid.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void grid_clear(struct grid *g, int w, int h)
{
	g->w = w < 1 ? 1 : w > GRID_W ? GRID_W : w;
	g->h = h < 1 ? 1 : h > GRID_H ? GRID_H : h;
	for (int y = 0; y < g->h; y++)
		for (int x = 0; x < g->w; x++)
			g->c[y][x] = (struct grid_cell){ ' ', ST_NORMAL };
}

/* One character of UTF-8; what is none becomes '?', as do control characters. */
static uint32_t take_char(const unsigned char **p)
{
	const unsigned char *s = *p;
	int n = *s < 0x80 ? 0 : *s >= 0xf0 ? 3 : *s >= 0xe0 ? 2 : *s >= 0xc0 ? 1 : -1;
	uint32_t ch = n <= 0 ? *s : *s & (0x3fu >> n);

	*p = s + 1;
	if (n < 0 || *s < 0x20 || *s == 0x7f)
		return '?';
	for (int i = 1; i <= n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return '?';
		ch = ch << 6 | (s[i] & 0x3f);
	}
	*p = s + n + 1;
	return ch;
}

int grid_text(struct grid *g, int x, int y, enum grid_style st, const char *text)
{
	const unsigned char *p = (const unsigned char *)text;

	if (y < 0 || y >= g->h)
		return x;
	for (; *p; x++) {
		uint32_t ch = take_char(&p);

		if (x >= 0 && x < g->w)
			g->c[y][x] = (struct grid_cell){ ch, (uint8_t)st };
	}
	return x;
}

int grid_put(struct grid *g, int x, int y, enum grid_style st, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return grid_text(g, x, y, st, text);
}

void grid_paint(struct grid *g, int x, int y, int n, enum grid_style st)
{
	for (int i = x; i < x + n; i++)
		if (i >= 0 && i < g->w && y >= 0 && y < g->h)
			g->c[y][i].style = (uint8_t)st;
}

void grid_spark(struct grid *g, int x, int y, int w, enum grid_style st, const double *v, int n)
{
	double max = 0;
	int from = n > w ? n - w : 0;

	for (int i = from; i < n; i++)
		max = v[i] > max ? v[i] : max;
	for (int i = from; i < n; i++) {
		int step = max > 0 ? (int)(v[i] / max * 7.999) : 0;
		int col = x + i - from;

		step = step < 0 ? 0 : step > 7 ? 7 : step;
		if (col >= 0 && col < g->w && y >= 0 && y < g->h)
			g->c[y][col] = (struct grid_cell){ 0x2581 + (uint32_t)step, (uint8_t)st };
	}
}

void grid_keys(struct grid *g, int y, const char *keys)
{
	bool key = true;
	int x = 0;

	grid_paint(g, 0, y, g->w, ST_BAR);
	for (const char *p = keys; *p && x < g->w; p++, x++) {
		char one[2] = { *p, '\0' };

		if (*p == ' ' && p[1] == ' ')
			key = true;
		else if (*p == ' ' && p > keys && p[-1] != ' ')
			key = false;
		grid_text(g, x, y, key && *p != ' ' ? ST_KEY : ST_BAR, one);
	}
}

static size_t put_char(char *buf, uint32_t ch)
{
	if (ch < 0x80) {
		buf[0] = (char)ch;
		return 1;
	}
	if (ch < 0x800) {
		buf[0] = (char)(0xc0 | ch >> 6);
		buf[1] = (char)(0x80 | (ch & 0x3f));
		return 2;
	}
	if (ch < 0x10000) {
		buf[0] = (char)(0xe0 | ch >> 12);
		buf[1] = (char)(0x80 | (ch >> 6 & 0x3f));
		buf[2] = (char)(0x80 | (ch & 0x3f));
		return 3;
	}
	buf[0] = (char)(0xf0 | (ch >> 18 & 7));
	buf[1] = (char)(0x80 | (ch >> 12 & 0x3f));
	buf[2] = (char)(0x80 | (ch >> 6 & 0x3f));
	buf[3] = (char)(0x80 | (ch & 0x3f));
	return 4;
}

const char *grid_row(const struct grid *g, int y, char *buf, size_t n)
{
	size_t len = 0, last = 0;

	for (int x = 0; y >= 0 && y < g->h && x < g->w && len + 5 < n; x++) {
		len += put_char(buf + len, g->c[y][x].ch);
		if (g->c[y][x].ch != ' ')
			last = len;
	}
	if (n)
		buf[last] = '\0';
	return buf;
}
