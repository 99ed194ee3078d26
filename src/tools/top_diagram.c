/* SPDX-License-Identifier: MIT */
/*
 * TCP's state diagram, RFC 9293 figure 5, with the number of connections on each
 * node.  The drawing is text; the nodes lie on top of it.  It takes 78 columns and
 * 18 lines.
 */
#include <stdio.h>

#include "rill/stack.h"
#include "tools/top.h"

#define W	78
#define NODE	20

static const char *const lines[] = {
	"                               ┌─ CLOSED ─┐",
	"                 listen        │          │        connect, SYN out",
	"         ┌─────────────────────┘          └─────────────────────┐",
	"         ▼                   send, SYN out                      ▼",
	"                    ──────────────────────────────────▶",
	"         │ SYN in              SYN in                           │",
	"         ▼          ┌───────────────────────────────────────────┤",
	"                    ◀                                           │ SYN+ACK in",
	"         │ ACK in                                               │",
	"         └─────────────────▶                    ◀───────────────┘",
	"             close, FIN out │                  │ FIN in",
	"         ┌──────────────────┘                  └────────────────┐",
	"         ▼              FIN in                                  ▼",
	"                    ──────────────┐",
	"         │ ACK in                 ▼                             │ close",
	"         ▼                                                      ▼",
	"         │ FIN in                 │ ACK in                      │ ACK in",
	"         └─────────────────▶                    ─2 MSL─▶CLOSED◀─┘",
};

static const struct {
	int		state;
	const char	*name;
	int		x, y;
} nodes[] = {
	{ RILL_LISTEN, "LISTEN", 0, 4 },
	{ RILL_SYN_SENT, "SYN-SENT", 55, 4 },
	{ RILL_SYN_RECV, "SYN-RECEIVED", 0, 7 },
	{ RILL_ESTABLISHED, "ESTABLISHED", 28, 9 },
	{ RILL_FIN_WAIT1, "FIN-WAIT-1", 0, 13 },
	{ RILL_CLOSE_WAIT, "CLOSE-WAIT", 55, 13 },
	{ RILL_FIN_WAIT2, "FIN-WAIT-2", 0, 15 },
	{ RILL_CLOSING, "CLOSING", 28, 15 },
	{ RILL_LAST_ACK, "LAST-ACK", 55, 15 },
	{ RILL_TIME_WAIT, "TIME-WAIT", 28, 17 },
};

/* Those that pile up when something is wrong stand out. */
enum grid_style top_style(int state)
{
	switch (state) {
	case RILL_ESTABLISHED:
		return ST_GOOD;
	case RILL_LISTEN:
		return ST_INFO;
	case RILL_CLOSE_WAIT:
	case RILL_LAST_ACK:
	case RILL_CLOSING:
	case RILL_FIN_WAIT1:
		return ST_BAD;
	case RILL_SYN_SENT:
	case RILL_SYN_RECV:
	case RILL_FIN_WAIT2:
		return ST_WARN;
	}
	return ST_DIM;
}

static void draw_node(const struct top_model *m, struct grid *g, int x, int y, int i)
{
	unsigned n = m->state[nodes[i].state];
	enum grid_style st = n ? top_style(nodes[i].state) : ST_DIM;
	char text[40];

	if (n && st == ST_DIM)
		st = ST_NORMAL;
	snprintf(text, sizeof(text), "[%-12s%6u]", nodes[i].name, n);
	grid_text(g, x + nodes[i].x, y + nodes[i].y, st, text);
	if (n)
		grid_paint(g, x + nodes[i].x + 13, y + nodes[i].y, 6, ST_BOLD);
}

void top_draw_diagram(const struct top_model *m, struct grid *g, int y, int h)
{
	int n = (int)(sizeof(lines) / sizeof(lines[0])), x = (g->w - W) / 2;

	if (h > n)
		y += (h - n) / 2;
	for (int i = 0; i < n; i++)
		grid_text(g, x, y + i, ST_DIM, lines[i]);
	for (int i = 0; i < (int)(sizeof(nodes) / sizeof(nodes[0])); i++)
		draw_node(m, g, x, y, i);
}
