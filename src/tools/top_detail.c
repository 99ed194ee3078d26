/* SPDX-License-Identifier: MIT */
/*
 * One connection opened up: the states it went through, round-trip time, congestion
 * window and rates over time, what holds it back, its last segments.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "rill/stack.h"
#include "tools/top.h"

static void duration(const struct top_detail *d, int i, int64_t now_ns, char *buf, size_t n)
{
	int64_t end = i + 1 < d->nsteps ? d->step[i + 1].at_ns : now_ns;

	top_us((end - d->step[i].at_ns) / 1000, buf, n);
}

/* The last states that fit, with how long each lasted. */
static void draw_steps(const struct top_detail *d, struct grid *g, int y)
{
	int first = d->nsteps, room = g->w - 14, x = 12;
	char t[32];

	while (first > 0) {
		int len = (int)strlen(rill_state_name(d->step[first - 1].to)) + 12;

		if (len > room)
			break;
		room -= len;
		first--;
	}
	for (int i = first; i < d->nsteps; i++) {
		int state = d->step[i].to;

		if (i > first || first > 0)
			x = grid_text(g, x, y, ST_DIM, " ▸ ");
		x = grid_text(g, x, y, top_style(state), rill_state_name(state));
		if (state == RILL_CLOSE)
			continue;
		duration(d, i, d->last_ns, t, sizeof(t));
		x = grid_put(g, x, y, ST_NORMAL, " %s", t);
	}
}

static void range(const double *v, int n, double *min, double *max)
{
	*min = *max = n ? v[0] : 0;
	for (int i = 1; i < n; i++) {
		*min = v[i] < *min ? v[i] : *min;
		*max = v[i] > *max ? v[i] : *max;
	}
}

static void draw_line(struct grid *g, int y, const char *label, const double *v, int n, bool us)
{
	char now[32] = "-", a[32], b[32];
	double min, max;
	int w = g->w - 46 > TOP_SAMPLES ? TOP_SAMPLES : g->w - 46;

	range(v, n, &min, &max);
	grid_text(g, 1, y, ST_DIM, label);
	if (us) {
		top_us(n ? (int64_t)v[n - 1] : -1, now, sizeof(now));
		top_us((int64_t)min, a, sizeof(a));
		top_us((int64_t)max, b, sizeof(b));
	} else {
		top_size(n ? v[n - 1] : 0, now, sizeof(now));
		top_size(min, a, sizeof(a));
		top_size(max, b, sizeof(b));
	}
	grid_put(g, 12, y, ST_BOLD, "%-9s", now);
	grid_spark(g, 22, y, w, ST_INFO, v, n);
	grid_put(g, g->w - 22, y, ST_DIM, "%s to %s", a, b);
}

static const char *hold_help(const char *hold)
{
	static const struct { const char *name, *help; } list[] = {
#define HOLD(name, help, source)	{ #name, help },
#include "obs/holds.def"
#undef HOLD
	};

	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++)
		if (!strcmp(list[i].name, hold))
			return list[i].help;
	return "";
}

void top_limit(const struct rill_sock *s, char *buf, size_t n)
{
	const struct rill_tcp_info *i = &s->info;

	if (!s->has_info || s->state == RILL_LISTEN)
		snprintf(buf, n, "not known in this state");
	else if (s->source == RILL_SRC_RILL && *s->hold)
		snprintf(buf, n, "%s: %s", s->hold, hold_help(s->hold));
	else if (s->send_q && !i->snd_wnd)
		snprintf(buf, n, "the peer's window is closed: it does not read");
	else if (s->recv_q)
		snprintf(buf, n, "%u bytes wait for our program, which does not read them",
			 s->recv_q);
	else if (i->ca_state >= 3)
		snprintf(buf, n, "losses: it is in recovery");
	else if (!s->send_q)
		snprintf(buf, n, "nothing to send: our program is the limit");
	else if (i->unacked >= i->snd_cwnd)
		snprintf(buf, n, "the congestion window is used up: the path is the limit");
	else
		snprintf(buf, n, "data is on its way");
}

static void draw_shares(const struct top_detail *d, struct grid *g, int y)
{
	const struct rill_tcp_info *i = &d->s.info;
	double busy = (double)i->busy_time;
	char t[32];

	if (!i->busy_time) {
		grid_text(g, 12, y, ST_DIM, "never busy sending");
		return;
	}
	grid_put(g, 12, y, ST_NORMAL, "busy %s: %.0f%% held by the peer's window, "
		 "%.0f%% by the send buffer", top_us((int64_t)i->busy_time, t, sizeof(t)),
		 100 * (double)i->rwnd_limited / busy, 100 * (double)i->sndbuf_limited / busy);
}

static int draw_numbers(const struct top_detail *d, struct grid *g, int y)
{
	const struct rill_tcp_info *i = &d->s.info;
	char a[32], b[32], c[32];

	grid_text(g, 1, y, ST_DIM, "sent");
	grid_put(g, 12, y, ST_NORMAL, "%s bytes, %u segments, %u of them again; queued %s",
		 top_size((double)i->bytes_acked, a, sizeof(a)), i->segs_out, i->total_retrans,
		 top_size(d->s.send_q, b, sizeof(b)));
	grid_text(g, 1, y + 1, ST_DIM, "received");
	grid_put(g, 12, y + 1, ST_NORMAL, "%s bytes, %u segments; unread %s",
		 top_size((double)i->bytes_received, a, sizeof(a)), i->segs_in,
		 top_size(d->s.recv_q, b, sizeof(b)));
	grid_text(g, 1, y + 2, ST_DIM, "windows");
	grid_put(g, 12, y + 2, ST_NORMAL, "peer's %s, ours %s, mss %u, in flight %u, rto %s",
		 top_size(i->snd_wnd, a, sizeof(a)), top_size(i->rcv_wnd, b, sizeof(b)),
		 i->snd_mss, i->unacked, top_us(i->rto, c, sizeof(c)));
	return y + 3;
}

static void draw_segments(const struct top_detail *d, struct grid *g, int y, int h)
{
	int n = d->nsegs < h - 1 ? d->nsegs : h - 1;

	grid_text(g, 1, y, ST_BOLD, "Last segments");
	if (!d->has_segs)
		grid_text(g, 16, y, ST_DIM, d->s.source == RILL_SRC_RILL ?
			  "its stack does not tell them" :
			  "the kernel does not tell them: tcpdump does");
	else if (!d->nsegs)
		grid_text(g, 16, y, ST_DIM, "none since it was opened here");
	for (int i = 0; i < n; i++) {
		const char *s = d->seg[d->nsegs - n + i];

		grid_text(g, 1, y + 1 + i, strstr(s, " in ") ? ST_GOOD : ST_NORMAL, s);
	}
}

void top_draw_detail(const struct top_model *m, struct grid *g, int y, int h)
{
	const struct top_detail *d = &m->d;
	char local[TOP_TEXT], peer[TOP_TEXT], limit[TOP_TEXT];
	int end = y + h;

	top_cell(&d->s, TOP_COL_LOCAL, local, sizeof(local));
	top_cell(&d->s, TOP_COL_PEER, peer, sizeof(peer));
	grid_put(g, 1, y, ST_BOLD, "%s %s  %s", local, "▸", peer);
	y++;
	grid_put(g, 1, y++, ST_NORMAL, "%s, %s, %s%s%s", d->s.source == RILL_SRC_RILL ?
		 "Rill" : "kernel", d->program, *d->s.cc ? d->s.cc : "TCP",
		 d->s.orphan ? ", orphan" : "", d->gone ? ", gone" : "");
	y++;
	grid_text(g, 1, y, ST_DIM, "states");
	draw_steps(d, g, y++);
	y++;
	draw_line(g, y++, "rtt", d->rtt, d->n, true);
	draw_line(g, y++, "cwnd", d->cwnd, d->n, false);
	draw_line(g, y++, "out B/s", d->out, d->n, false);
	draw_line(g, y++, "in B/s", d->in, d->n, false);
	y++;
	top_limit(&d->s, limit, sizeof(limit));
	grid_text(g, 1, y, ST_DIM, "limit");
	grid_text(g, 12, y++, ST_BOLD, limit);
	draw_shares(d, g, y++);
	y = draw_numbers(d, g, y);
	y++;
	draw_segments(d, g, y, end - y);
}
