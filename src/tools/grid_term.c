/* SPDX-License-Identifier: MIT */
/*
 * Grids on a terminal, by ncurses.  The only place that knows it; colours are left
 * out where NO_COLOR says so or the terminal has none, and attributes do the work.
 */
#include <curses.h>
#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/grid.h"
#include "tools/out.h"

#define ESC_MS	25

static bool colours, utf8;
static SCREEN *screen;

static const struct {
	short	fg, bg;
	attr_t	attr, mono;
} looks[ST_STYLES] = {
	[ST_NORMAL] = { -1, -1, A_NORMAL, A_NORMAL },
	[ST_DIM]    = { -1, -1, A_DIM, A_NORMAL },
	[ST_BOLD]   = { -1, -1, A_BOLD, A_BOLD },
	[ST_BAR]    = { COLOR_BLACK, COLOR_CYAN, A_NORMAL, A_REVERSE },
	[ST_GOOD]   = { COLOR_GREEN, -1, A_NORMAL, A_NORMAL },
	[ST_WARN]   = { COLOR_YELLOW, -1, A_BOLD, A_BOLD },
	[ST_BAD]    = { COLOR_RED, -1, A_BOLD, A_BOLD | A_UNDERLINE },
	[ST_INFO]   = { COLOR_CYAN, -1, A_NORMAL, A_NORMAL },
	[ST_PICK]   = { COLOR_BLACK, COLOR_WHITE, A_NORMAL, A_REVERSE },
	[ST_KEY]    = { COLOR_WHITE, COLOR_CYAN, A_BOLD, A_REVERSE | A_BOLD },
};

int term_open(const char *cmd)
{
	const char *no = getenv("NO_COLOR");

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
		complain("%s: needs a terminal; `rill ss` and `rill monitor` write to a pipe", cmd);
		return -1;
	}
	setlocale(LC_CTYPE, "");
	utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
	if (!utf8 && setlocale(LC_CTYPE, "C.UTF-8")) {
		const char *term = getenv("LANG");

		/* "C" says nothing about the terminal; nearly all of them are UTF-8 */
		utf8 = !term || !*term || !strcmp(term, "C") || !strcmp(term, "POSIX");
	}
	screen = newterm(NULL, stdout, stdin);
	if (!screen) {
		complain("%s: the terminal %s is not known here; set TERM", cmd,
			 getenv("TERM") ? getenv("TERM") : "(none)");
		return -1;
	}
	set_escdelay(ESC_MS);
	raw();			/* ^C is a key: curses would exit with 1 by itself */
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	curs_set(0);
	colours = has_colors() && !(no && *no);
	if (colours) {
		start_color();
		use_default_colors();
		for (short i = 0; i < ST_STYLES; i++)
			init_pair((short)(i + 1), looks[i].fg, looks[i].bg);
	}
	return 0;
}

void term_close(void)
{
	if (!screen)
		return;
	endwin();
	delscreen(screen);
	screen = NULL;
}

void term_size(int *w, int *h)
{
	getmaxyx(stdscr, *h, *w);
}

/* Where the terminal takes ASCII only: what comes nearest. */
static uint32_t plain(uint32_t ch)
{
	if (ch < 0x80)
		return ch;
	if (ch >= 0x2581 && ch <= 0x2588)
		return (uint32_t)"_.-=+*#@"[ch - 0x2581];
	switch (ch) {
	case 0x2502:
		return '|';
	case 0x2500:
		return '-';
	case 0x25b6:
	case 0x25b8:
		return '>';
	case 0x25c0:
		return '<';
	case 0x25bc:
	case 0x25be:
		return 'v';
	case 0x25b2:
	case 0x25b4:
		return '^';
	}
	return ch >= 0x2500 && ch < 0x2580 ? '+' : '?';
}

static void put_cell(int y, int x, const struct grid_cell *c)
{
	wchar_t text[2] = { (wchar_t)(utf8 ? c->ch : plain(c->ch)), 0 };
	attr_t attr = colours ? looks[c->style].attr : looks[c->style].mono;
	cchar_t cell;

	setcchar(&cell, text, attr, colours ? (short)(c->style + 1) : 0, NULL);
	mvadd_wch(y, x, &cell);
}

void term_show(const struct grid *g)
{
	int w, h;

	term_size(&w, &h);
	erase();
	for (int y = 0; y < g->h && y < h; y++)
		for (int x = 0; x < g->w && x < w; x++)
			put_cell(y, x, &g->c[y][x]);
	refresh();
}

int term_key(void)
{
	static const struct { int curses, ours; } map[] = {
		{ KEY_UP, TERM_UP }, { KEY_DOWN, TERM_DOWN }, { KEY_LEFT, TERM_LEFT },
		{ KEY_RIGHT, TERM_RIGHT }, { KEY_PPAGE, TERM_PGUP }, { KEY_NPAGE, TERM_PGDN },
		{ KEY_HOME, TERM_HOME }, { KEY_END, TERM_END }, { KEY_ENTER, TERM_ENTER },
		{ '\r', TERM_ENTER }, { '\n', TERM_ENTER }, { 27, TERM_ESC },
		{ KEY_BACKSPACE, TERM_BACK }, { 127, TERM_BACK }, { 8, TERM_BACK },
		{ KEY_RESIZE, TERM_RESIZE }, { KEY_F(1), TERM_F1 },
	};
	int c = getch();

	if (c == ERR)
		return -1;
	for (size_t i = 0; i < sizeof(map) / sizeof(map[0]); i++)
		if (map[i].curses == c)
			return map[i].ours;
	return c < 256 ? c : -1;
}
