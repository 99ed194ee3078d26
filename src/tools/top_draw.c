/* SPDX-License-Identifier: MIT */
/* The screens of `rill top` but the diagram and the opened connection: list, help,
 * title, key bar, questions.  From the model to cells; nothing else is looked at. */
#include <stdio.h>
#include <string.h>

#include "rill/stack.h"
#include "tools/top.h"

static const struct {
	int	width, from;
	bool	right;
} cols[] = {
#define TOP_COL(id, title, width, right, from)	{ width, from, right },
#include "tools/top_cols.def"
#undef TOP_COL
};

static const int state_order[] = {
	RILL_LISTEN, RILL_SYN_SENT, RILL_SYN_RECV, RILL_ESTABLISHED, RILL_FIN_WAIT1,
	RILL_FIN_WAIT2, RILL_CLOSING, RILL_TIME_WAIT, RILL_CLOSE_WAIT, RILL_LAST_ACK,
};
#define NSTATES	((int)(sizeof(state_order) / sizeof(state_order[0])))

static void draw_title(const struct top_model *m, struct grid *g)
{
	char right[TOP_TEXT];
	int x;

	grid_paint(g, 0, 0, g->w, ST_BAR);
	x = grid_put(g, 1, 0, ST_KEY, "rill top");
	x = grid_put(g, x + 2, 0, ST_BAR, "kernel %u", m->kernel);
	grid_put(g, x + 2, 0, ST_BAR, "Rill %u in %u stack%s", m->rill, m->stacks,
		 m->stacks == 1 ? "" : "s");
	snprintf(right, sizeof(right), "%s%.60s%s%s", *m->filter_text ? "filter: " : "",
		 m->filter_text, *m->filter_text ? "  " : "", m->clock);
	grid_text(g, g->w - 1 - (int)strlen(right), 0, ST_BAR, right);
}

/* Two lines of five states, or one when they fit. */
static int draw_states(const struct top_model *m, struct grid *g, int y)
{
	int per = g->w >= 160 ? NSTATES : NSTATES / 2, w = (g->w - 2) / per;

	for (int i = 0; i < NSTATES; i++) {
		int s = state_order[i], x = 1 + i % per * w, row = y + i / per;
		enum grid_style st = m->state[s] ? top_style(s) : ST_DIM;

		x = grid_put(g, x, row, ST_DIM, "%s ", rill_state_ss(s));
		grid_put(g, x, row, m->state[s] && st == ST_DIM ? ST_BOLD : st, "%u", m->state[s]);
	}
	return y + (NSTATES + per - 1) / per;
}

static void draw_rates(const struct top_model *m, struct grid *g, int y)
{
	grid_put(g, 1, y, ST_DIM, "a second: opened %.1f  ended %.1f  changes %.1f   (%s)%s",
		 m->opened_s, m->ended_s, m->changes_s, m->how,
		 m->owners_hidden ? "  some programs are hidden from you" : "");
}

/* Widths of the columns that fit; 0: not shown. */
static void widths(int w, int out[TOP_COLS])
{
	int used = 0, addr;

	for (int i = 0; i < TOP_COLS; i++) {
		out[i] = w >= cols[i].from ? cols[i].width : 0;
		used += out[i] ? out[i] + 1 : 0;
	}
	addr = (w - used) / 2;
	if (addr > 0) {
		addr = addr > 24 ? 24 : addr;
		out[TOP_COL_LOCAL] += addr;
		out[TOP_COL_PEER] += addr;
		used += 2 * addr;
	}
	if (w > used)
		out[TOP_COL_PROGRAM] += w - used;
}

static void draw_field(struct grid *g, int x, int y, int w, bool right, enum grid_style st,
		       const char *text)
{
	char cut[TOP_TEXT];
	int len = (int)strlen(text);

	snprintf(cut, sizeof(cut), "%.*s", w, text);
	if (len > w && w > 1)
		cut[w - 1] = '~';
	grid_put(g, x, y, st, right ? "%*s" : "%-*s", w, cut);
}

static void draw_head(const struct top_model *m, struct grid *g, int y, const int width[TOP_COLS])
{
	int x = 0;

	grid_paint(g, 0, y, g->w, ST_BAR);
	for (int i = 0; i < TOP_COLS; i++) {
		const char *title = i == TOP_COL_SOURCE ? "" : top_title((enum top_col)i);
		bool by = (int)m->sort == i;

		if (!width[i])
			continue;
		draw_field(g, x, y, width[i], cols[i].right, by ? ST_KEY : ST_BAR, title);
		if (by)
			grid_text(g, x + (cols[i].right ? width[i] :
					  (int)strlen(title) < width[i] ? (int)strlen(title) :
					  width[i] - 1), y, ST_KEY, m->reverse ? "▾" : "▴");
		x += width[i] + 1;
	}
}

static void draw_row(const struct top_model *m, struct grid *g, int y, size_t at,
		     const int width[TOP_COLS])
{
	const struct rill_sock *s = m->row[at];
	bool pick = at == m->pick;
	char text[TOP_TEXT];
	int x = 0;

	for (int i = 0; i < TOP_COLS; i++) {
		enum grid_style st = i == TOP_COL_STATE && s->proto == 6 ? top_style(s->state) :
				     i == TOP_COL_SOURCE ? ST_DIM : ST_NORMAL;

		if (!width[i])
			continue;
		if ((i == TOP_COL_RECVQ || i == TOP_COL_SENDQ) && s->state != RILL_LISTEN &&
		    (i == TOP_COL_RECVQ ? s->recv_q : s->send_q))
			st = ST_BOLD;
		top_cell(s, (enum top_col)i, text, sizeof(text));
		draw_field(g, x, y, width[i], cols[i].right, pick ? ST_PICK : st, text);
		x += width[i] + 1;
	}
	if (pick)
		grid_paint(g, 0, y, g->w, ST_PICK);
}

/* The screen follows the choice. */
static size_t first_row(const struct top_model *m, int h)
{
	size_t first = m->first, rows = (size_t)h;

	if (m->pick < first)
		first = m->pick;
	if (m->pick >= first + rows)
		first = m->pick - rows + 1;
	if (first + rows > m->nrows)
		first = m->nrows > rows ? m->nrows - rows : 0;
	return first;
}

static void draw_list(const struct top_model *m, struct grid *g, int y, int h)
{
	int width[TOP_COLS];
	size_t first;

	widths(g->w, width);
	y = draw_states(m, g, y);
	draw_rates(m, g, y++);
	draw_head(m, g, y++, width);
	h -= y - 1;
	first = first_row(m, h);
	for (int i = 0; i < h && first + (size_t)i < m->nrows; i++)
		draw_row(m, g, y + i, first + (size_t)i, width);
	if (!m->nrows)
		grid_text(g, 2, y + 1, ST_DIM, *m->filter_text ?
			  "no connection matches the filter; / changes it" :
			  "no connections; l shows listening sockets, u UDP");
}

static void draw_help(struct grid *g, int y)
{
	static const char *const text[] = {
		"up down pgup pgdn   choose a connection",
		"enter               open it up: states, RTT, window, limits, segments",
		"d                   the state diagram with live numbers, and back",
		"s S or < >          sort by the next or previous column",
		"r                   the other way round",
		"/                   filter, as of `rill ss`: state close-wait dport = :80",
		"l u                 listening sockets, UDP sockets: show or hide",
		"k                   reset the chosen connection (asks first)",
		"a                   keepalive on, 60 s idle, 10 s, 6 probes (asks first)",
		"esc                 back; empties the filter in the list",
		"q                   quit",
		"",
		"k in the first column is the kernel's, R one of Rill's stacks.",
		"Send-Q: bytes that the peer has not acknowledged.  Recv-Q: bytes that",
		"our program has not read.  Of a listener: the accept queue and its limit.",
	};

	grid_text(g, 2, y++, ST_BOLD, "Keys");
	for (size_t i = 0; i < sizeof(text) / sizeof(text[0]); i++)
		grid_text(g, 2, y + 1 + (int)i, ST_NORMAL, text[i]);
}

static void draw_question(const struct top_model *m, struct grid *g, int y)
{
	const struct rill_sock *s = m->view == TOP_DETAIL ? &m->d.s : top_picked(m);
	char local[TOP_TEXT] = "", peer[TOP_TEXT] = "";

	grid_paint(g, 0, y, g->w, ST_PICK);
	if (m->ask == TOP_ASK_FILTER) {
		grid_put(g, 1, y, ST_PICK, "filter: %s_", m->entry);
		return;
	}
	if (s) {
		top_cell(s, TOP_COL_LOCAL, local, sizeof(local));
		top_cell(s, TOP_COL_PEER, peer, sizeof(peer));
	}
	grid_put(g, 1, y, ST_PICK, "%s %s - %s?  y yes, any other key no",
		 m->ask == TOP_ASK_KILL ? "reset" : "keepalive for", local, peer);
}

static void draw_bottom(const struct top_model *m, struct grid *g)
{
	static const char *const keys[] = {
		[TOP_LIST] = ("enter open  d diagram  s sort  / filter  l listen  k kill  "
			      "h help  q quit"),
		[TOP_DIAGRAM] = "d list  h help  q quit",
		[TOP_DETAIL] = "esc back  k kill  a keepalive  d diagram  h help  q quit",
		[TOP_HELP] = "esc back  q quit",
	};
	int y = g->h - 1;

	if (m->ask != TOP_ASK_NO)
		draw_question(m, g, y);
	else
		grid_keys(g, y, keys[m->view]);
	if (*m->message)
		grid_put(g, 1, y - 1, m->message_bad ? ST_BAD : ST_GOOD, "%-*s", g->w - 2,
			 m->message);
}

void top_draw(const struct top_model *m, struct grid *g, int w, int h)
{
	grid_clear(g, w, h);
	if (w < TOP_W || h < TOP_H) {
		grid_put(g, 0, 0, ST_BOLD, "%d by %d is too small:", w, h);
		grid_put(g, 0, 1, ST_BOLD, "rill top needs %d by %d", TOP_W, TOP_H);
		grid_text(g, 0, 2, ST_NORMAL, "q quits");
		return;
	}
	draw_title(m, g);
	switch (m->view) {
	case TOP_LIST:
		draw_list(m, g, 1, g->h - 2);
		break;
	case TOP_DIAGRAM:
		top_draw_diagram(m, g, 2, g->h - 4);
		draw_rates(m, g, g->h - 2);
		break;
	case TOP_DETAIL:
		top_draw_detail(m, g, 1, g->h - 2);
		break;
	case TOP_HELP:
		draw_help(g, 2);
		break;
	}
	draw_bottom(m, g);
}
