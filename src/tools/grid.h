/* SPDX-License-Identifier: MIT */
/* A screen as an array of cells: drawn by functions that know no terminal. */
#ifndef RL_TOOLS_GRID_H
#define RL_TOOLS_GRID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GRID_W	320
#define GRID_H	120

enum grid_style {
	ST_NORMAL, ST_DIM, ST_BOLD, ST_BAR, ST_GOOD, ST_WARN, ST_BAD, ST_INFO, ST_PICK, ST_KEY,
	ST_STYLES
};

struct grid_cell {
	uint32_t	ch;		/* Unicode */
	uint8_t		style;
};

struct grid {
	int		w, h;
	struct grid_cell c[GRID_H][GRID_W];
};

/** Blank, of that size (cut to what fits). */
void grid_clear(struct grid *g, int w, int h);

/** UTF-8 text from (@x, @y), cut at the edge.  Return: the column behind it. */
int grid_text(struct grid *g, int x, int y, enum grid_style st, const char *text);
int grid_put(struct grid *g, int x, int y, enum grid_style st, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/** @n columns of one style, the text there kept. */
void grid_paint(struct grid *g, int x, int y, int n, enum grid_style st);

/** The values as blocks of eight heights, the last @w of them; all in [0, max]. */
void grid_spark(struct grid *g, int x, int y, int w, enum grid_style st, const double *v, int n);

/** A line of keys, "q quit  h help": the keys stand out. */
void grid_keys(struct grid *g, int y, const char *keys);

/** Row @y as UTF-8 without blanks at its end.  Return: @buf. */
const char *grid_row(const struct grid *g, int y, char *buf, size_t n);

/* ---- grid_term.c: a terminal that shows grids ---- */

/** Return: 0, or -1 after a complaint of @cmd. */
int term_open(const char *cmd);
void term_close(void);
void term_size(int *w, int *h);
void term_show(const struct grid *g);

/** A key, KEY_* of term_key, or -1: none now. */
int term_key(void);
enum { TERM_UP = 0x10000, TERM_DOWN, TERM_LEFT, TERM_RIGHT, TERM_PGUP, TERM_PGDN, TERM_HOME,
       TERM_END, TERM_ENTER, TERM_ESC, TERM_BACK, TERM_RESIZE, TERM_F1 };

#endif
