/* SPDX-License-Identifier: MIT */
/*
 * The screen of `rill nc -i`: what was sent and received on the left or above, state
 * and segments beside or below, the line that is typed at the bottom.  From the model
 * to cells; no terminal here.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "rill/stack.h"
#include "tools/nc_assist.h"
#include "tools/top.h"

#define BESIDE_FROM	150		/* columns from which segments stand beside */

void assist_info_text(const struct assist *a, char *buf, size_t n)
{
	const struct rill_tcp_info *i = &a->info;
	char rtt[32], rto[32];

	if (!a->has_info) {
		snprintf(buf, n, "no state yet");
		return;
	}
	snprintf(buf, n, "rtt %s  rto %s  cwnd %u  in flight %u  peer's window %u  again %u",
		 top_us(i->rtt, rtt, sizeof(rtt)), top_us(i->rto, rto, sizeof(rto)),
		 i->snd_cwnd, i->unacked, i->snd_wnd, i->total_retrans);
}

static void draw_data(const struct assist *a, struct grid *g, int y, int w, int h)
{
	static const char marks[] = { [AS_SENT] = '>', [AS_RECEIVED] = '<', [AS_STATE] = '*',
				      [AS_NOTE] = '-', [AS_BAD] = '!' };
	static const enum grid_style st[] = {
		[AS_SENT] = ST_NORMAL, [AS_RECEIVED] = ST_GOOD, [AS_STATE] = ST_INFO,
		[AS_NOTE] = ST_DIM, [AS_BAD] = ST_BAD,
	};
	unsigned n = a->nrows < (unsigned)h ? a->nrows : (unsigned)h;

	for (unsigned i = 0; i < n; i++) {
		const struct assist_row *r = &a->row[a->nrows - n + i];

		grid_put(g, 1, y + (int)i, st[r->kind], "%c %.*s", marks[r->kind], w - 4, r->text);
	}
}

static void draw_segs(const struct assist *a, struct grid *g, int x, int y, int w, int h)
{
	unsigned n = a->nsegs < (unsigned)h - 1 ? a->nsegs : (unsigned)h - 1;

	grid_paint(g, x, y, w, ST_BAR);
	grid_text(g, x + 1, y, ST_KEY, a->kernel ? "TCP_INFO" : "Segments");
	if (a->kernel) {
		grid_put(g, x + 1, y + 1, ST_NORMAL, "sent %u segments, %" PRIu64
			 " bytes acknowledged", a->info.segs_out, a->info.bytes_acked);
		grid_put(g, x + 1, y + 2, ST_NORMAL, "received %u segments, %" PRIu64 " bytes",
			 a->info.segs_in, a->info.bytes_received);
		return;
	}
	for (unsigned i = 0; i < n; i++) {
		const char *s = a->seg[a->nsegs - n + i];

		grid_put(g, x + 1, y + 1 + (int)i, strstr(s, " in ") ? ST_GOOD : ST_NORMAL,
			 "%.*s", w - 2, s);
	}
}

static void draw_title(const struct assist *a, struct grid *g)
{
	char text[160];
	int x;

	grid_paint(g, 0, 0, g->w, ST_BAR);
	x = grid_put(g, 1, 0, ST_BAR, "%s ▸ %s  ", a->local, a->peer);
	x = grid_text(g, x, 0, ST_KEY, rill_state_name(a->state));
	grid_put(g, x + 2, 0, ST_BAR, "%s", a->kernel ? "kernel" : "Rill");
	assist_info_text(a, text, sizeof(text));
	grid_text(g, 1, 1, ST_DIM, text);
}

void assist_draw(const struct assist *a, struct grid *g, int w, int h)
{
	int body, segs, shown;

	grid_clear(g, w, h);
	if (w < ASSIST_W || h < ASSIST_H) {
		grid_put(g, 0, 0, ST_BOLD, "%d by %d is too small:", w, h);
		grid_put(g, 0, 1, ST_BOLD, "rill nc -i needs %d by %d", ASSIST_W, ASSIST_H);
		return;
	}
	draw_title(a, g);
	body = h - 4;
	if (w >= BESIDE_FROM) {
		draw_data(a, g, 2, w / 2, body);
		draw_segs(a, g, w / 2, 2, w - w / 2, body);
	} else {
		segs = a->kernel ? 3 : body / 2;
		draw_data(a, g, 2, w, body - segs);
		draw_segs(a, g, 0, 2 + body - segs, w, segs);
	}
	shown = (int)a->len < w - 8 ? 0 : (int)a->len - (w - 8);
	grid_put(g, 0, h - 2, ST_BOLD, "%s %s_", a->hex ? "hex>" : "txt>", a->line + shown);
	grid_keys(g, h - 1, "enter send  ^X hex or text  ^D FIN  ^C quit  /state show it");
}
