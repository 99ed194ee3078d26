/* SPDX-License-Identifier: MIT */
/*
 * The time-sequence graph of one connection, as SVG: each data segment a bar from its
 * first to its last number, repetitions in the colour of their cause, below them the
 * ACKs as a staircase, above them the end of the window, SACK blocks as thin bars.
 *
 * Points are collected for both directions while packets pass, at most POINTS_MAX; the
 * direction that carried more is drawn.  Bars that touch in one column of the picture
 * become one, so that the file stays small for any connection.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rill/stack.h"
#include "tools/out.h"
#include "tools/track.h"

#define POINTS_MAX	(2u << 20)
#define TIPS_MAX	2000
#define WIDTH		1200
#define HEIGHT		680
#define LEFT		84
#define RIGHT		26
#define TOP		112
#define BOTTOM		54

enum point_kind {
#define LAYER(name, style, legend) PT_##name,
#include "tools/track_layers.def"
#undef LAYER
	PT_KINDS
};

static const struct {
	const char *style, *legend;
} layers[] = {
#define LAYER(name, style, legend) { style, legend },
#include "tools/track_layers.def"
#undef LAYER
};

struct point {
	int64_t		at_ns;
	int64_t		lo, hi;		/* numbers from 0 at the SYN */
	uint8_t		kind;		/* enum point_kind */
	uint8_t		dir;		/* end whose data it is about */
};

struct track_graph {
	const char	*which;
	bool		found, ended;
	uint64_t	id;
	struct track_conn conn;		/* the last word */
	struct point	*pt;
	size_t		n, cap;
	uint64_t	left_out;
	seq_t		ref_seq[2];	/* of a direction's last number, and */
	int64_t		ref[2];		/* the same without wrapping */
	bool		has_ref[2];
};

struct track_graph *graph_new(const char *which)
{
	struct track_graph *g = calloc(1, sizeof(*g));

	if (g)
		g->which = which;
	return g;
}

void graph_free(struct track_graph *g)
{
	if (!g)
		return;
	free(g->pt);
	free(g);
}

/* ---- collecting ---- */

static bool wanted(struct track_graph *g, const struct track_conn *c)
{
	char num[24], a[64], b[64];

	if (g->found)
		return c->id == g->id && !g->ended;
	snprintf(num, sizeof(num), "%" PRIu64, c->id);
	if (strcmp(g->which, num) && strcmp(g->which, track_addr(&c->end[0], a, sizeof(a))) &&
	    strcmp(g->which, track_addr(&c->end[1], b, sizeof(b))))
		return false;
	g->found = true;
	g->id = c->id;
	return true;
}

static int64_t unwrap(struct track_graph *g, const struct track_conn *c, int dir, seq_t seq)
{
	const struct track_end *e = &c->end[dir];

	if (!g->has_ref[dir]) {
		g->ref_seq[dir] = e->has_isn ? e->isn : e->base;
		g->has_ref[dir] = true;
	}
	return g->ref[dir] + seq_diff(seq, g->ref_seq[dir]);
}

static void move_ref(struct track_graph *g, int dir, seq_t seq, int64_t at)
{
	g->ref_seq[dir] = seq;
	g->ref[dir] = at;
}

static void add(struct track_graph *g, enum point_kind kind, int dir, int64_t at_ns, int64_t lo,
		int64_t hi)
{
	if (g->n == g->cap) {
		size_t cap = g->cap ? 2 * g->cap : 4096;
		struct point *more = cap <= POINTS_MAX ? realloc(g->pt, cap * sizeof(*more)) : NULL;

		if (!more) {
			g->left_out++;
			return;
		}
		g->pt = more;
		g->cap = cap;
	}
	g->pt[g->n++] = (struct point){ at_ns, lo, hi, (uint8_t)kind, (uint8_t)dir };
}

static enum point_kind data_kind(unsigned marks)
{
	if (marks & TRACK_FAST)
		return PT_FAST;
	if (marks & TRACK_TIMEOUT)
		return PT_TIMEOUT;
	if (marks & TRACK_RETX)
		return PT_AGAIN;
	return marks & TRACK_REORDERED ? PT_REORDERED : PT_DATA;
}

static void add_ack(struct track_graph *g, const struct track_conn *c, const struct look_seg *s,
		    int from)
{
	int64_t ack = unwrap(g, c, !from, s->ack);

	move_ref(g, !from, s->ack, ack);
	add(g, PT_ACK, !from, s->at_ns, ack, ack);
	add(g, PT_WINDOW, !from, s->at_ns, ack + (int64_t)c->end[from].wnd, ack);
	for (unsigned i = 0; i < s->opt.nsack; i++)
		add(g, PT_SACK, !from, s->at_ns, unwrap(g, c, !from, s->opt.sack[i].lo),
		    unwrap(g, c, !from, s->opt.sack[i].hi));
}

void graph_segment(struct track_graph *g, const struct track_conn *c, const struct look_seg *s,
		   int from, unsigned marks)
{
	int64_t lo;

	if (!wanted(g, c))
		return;
	lo = unwrap(g, c, from, s->seq);
	if (s->flags & TH_RST)
		add(g, PT_RST, from, s->at_ns, lo, lo);
	else if (s->flags & (TH_SYN | TH_FIN))
		add(g, PT_FLAG, from, s->at_ns, lo, lo + look_seg_space(s));
	if (s->len && !(s->flags & TH_RST))
		add(g, data_kind(marks), from, s->at_ns, lo, lo + s->len);
	if ((s->flags & TH_ACK) && !(s->flags & TH_RST) && !(marks & TRACK_IGNORED))
		add_ack(g, c, s, from);
}

void graph_conn(struct track_graph *g, const struct track_conn *c)
{
	if (!wanted(g, c))
		return;
	g->conn = *c;
	g->ended = true;
}

/* ---- the picture ---- */

struct picture {
	FILE		*f;
	const struct track_graph *g;
	int		dir;
	int64_t		first, t0, t1;	/* times of the connection's begin, of the picture */
	int64_t		y1;		/* y from 0 */
	unsigned	tips;
};

static double px(const struct picture *p, int64_t at_ns)
{
	return LEFT + (double)(at_ns - p->t0) * (WIDTH - LEFT - RIGHT) / (double)(p->t1 - p->t0);
}

static double py(const struct picture *p, int64_t y)
{
	double v = (double)y * (HEIGHT - TOP - BOTTOM) / (double)p->y1;

	v = RL_MAX(RL_MIN(v, 4.0 * HEIGHT), -4.0 * HEIGHT);	/* a window may be far above */
	return HEIGHT - BOTTOM - v;
}

static bool is_data(const struct point *pt)
{
	return pt->kind == PT_DATA || (pt->kind >= PT_FAST && pt->kind <= PT_REORDERED);
}

/* From a little before the first data to a little after the last ACK that told news. */
static void set_time(struct picture *p)
{
	const struct track_graph *g = p->g;
	int64_t from = g->conn.last_ns, to = g->conn.first_ns, ack = 1, top = 0, span;

	p->first = g->conn.first_ns;
	for (size_t i = 0; i < g->n; i++) {
		const struct point *pt = &g->pt[i];
		bool news = is_data(pt) ||
			    (pt->kind == PT_ACK && pt->hi > ack && pt->hi <= top);

		if (pt->dir != p->dir || !news)
			continue;
		if (is_data(pt))
			top = RL_MAX(top, pt->hi);
		else
			ack = pt->hi;
		from = RL_MIN(from, pt->at_ns);
		to = RL_MAX(to, pt->at_ns);
	}
	if (to <= from) {		/* no data: all of it */
		from = g->conn.first_ns;
		to = RL_MAX(g->conn.last_ns, from + 1000);
	}
	span = to - from;
	p->t0 = from - p->first < span / 2 ? p->first : from - span / 30 - 1;
	p->t1 = g->conn.last_ns - to < span / 2 ? g->conn.last_ns : to;
	p->t1 += (p->t1 - p->t0) / 30 + 1;
}

static void set_scale(struct picture *p)
{
	const struct track_graph *g = p->g;
	int64_t sum[2] = { 0, 0 };

	for (int i = 0; i < 2; i++)
		sum[i] = (int64_t)g->conn.end[i].n.bytes_sent;
	p->dir = sum[1] > sum[0];
	p->y1 = 1;
	for (size_t i = 0; i < g->n; i++)
		if (g->pt[i].dir == p->dir && g->pt[i].kind != PT_WINDOW &&
		    g->pt[i].kind != PT_SACK)
			p->y1 = RL_MAX(p->y1, g->pt[i].hi);
	p->y1 += p->y1 / 16 + 1;
	set_time(p);
}

/* The step of a scale with about @n steps: 1, 2 or 5 times a power of ten. */
static double step_of(double span, int n)
{
	static const double nice[] = { 1, 2, 5, 10 };
	double raw = span / n, ten = 1;

	for (int i = 0; i < 24 && ten * 10 <= raw; i++)
		ten *= 10;
	for (size_t i = 0; i < ARRAY_LEN(nice); i++)
		if (nice[i] * ten >= raw)
			return nice[i] * ten;
	return 10 * ten;
}

static void scale_number(char *buf, size_t n, double v, double step, const char *const *units)
{
	int i = 0;

	while (step >= 1000 && units[i + 1]) {
		v /= 1000;
		step /= 1000;
		i++;
	}
	if (v >= 1000 && units[i + 1] && step >= 100) {
		v /= 1000;
		i++;
	}
	if (v > 0)
		snprintf(buf, n, "%.4g %s", v, units[i]);
	else
		snprintf(buf, n, "0");
}

static void put_axes(const struct picture *p)
{
	char text[40];
	static const char *const ns[] = { "ns", "\302\265s", "ms", "s", NULL };
	static const char *const bytes[] = { "B", "kB", "MB", "GB", NULL };
	double tstep = step_of((double)(p->t1 - p->t0), 10), ystep = step_of((double)p->y1, 8);
	double t = tstep * (double)((p->t0 - p->first + (int64_t)tstep - 1) / (int64_t)tstep);

	for (; t <= (double)(p->t1 - p->first); t += tstep) {
		double x = px(p, p->first + (int64_t)t);

		scale_number(text, sizeof(text), t, tstep, ns);
		fprintf(p->f, "<path class=\"grid\" d=\"M%.1f %dV%d\"/>"
			"<text class=\"tick\" x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s"
			"</text>\n", x, TOP, HEIGHT - BOTTOM, x, HEIGHT - BOTTOM + 18, text);
	}
	for (double y = 0; y <= (double)p->y1; y += ystep) {
		double at = py(p, (int64_t)y);

		scale_number(text, sizeof(text), y, ystep, bytes);
		fprintf(p->f, "<path class=\"grid\" d=\"M%d %.1fH%d\"/>"
			"<text class=\"tick\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n",
			LEFT, at, WIDTH - RIGHT, LEFT - 8, at + 4, text);
	}
	fprintf(p->f, "<text class=\"tick\" x=\"%d\" y=\"%d\" text-anchor=\"middle\">"
		"time since the first segment</text>\n"
		"<text class=\"tick\" transform=\"translate(18 %d) rotate(-90)\" "
		"text-anchor=\"middle\">sequence number from 0</text>\n",
		(LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, (TOP + HEIGHT - BOTTOM) / 2);
}

/* A bar that waits for another that touches it. */
struct bar {
	double x, top, bottom;
	bool any;
};

static void put_bar(FILE *f, const struct bar *b)
{
	if (b->any)			/* at least a dot */
		fprintf(f, "M%.1f %.1fV%.1f", b->x, RL_MAX(b->bottom, b->top + 1.2), b->top);
}

static void put_bars(const struct picture *p, enum point_kind kind)
{
	const struct track_graph *g = p->g;
	struct bar b = { .any = false };

	fprintf(p->f, "<path class=\"k%d\" d=\"", (int)kind);
	for (size_t i = 0; i < g->n; i++) {
		const struct point *pt = &g->pt[i];
		double x, top, bottom;

		if (pt->kind != kind || pt->dir != p->dir)
			continue;
		x = px(p, pt->at_ns);
		top = py(p, pt->hi);
		bottom = py(p, pt->lo);
		if (b.any && x - b.x < 0.4 && top <= b.bottom + 0.4 && bottom >= b.top - 0.4) {
			b.top = RL_MIN(b.top, top);
			b.bottom = RL_MAX(b.bottom, bottom);
			continue;
		}
		put_bar(p->f, &b);
		b = (struct bar){ x, top, bottom, true };
	}
	put_bar(p->f, &b);
	fputs("\"/>\n", p->f);
}

static void put_stairs(const struct picture *p, enum point_kind kind)
{
	const struct track_graph *g = p->g;
	double x = -1, y = -1, done_y = -1;

	fprintf(p->f, "<path class=\"k%d\" d=\"", (int)kind);
	for (size_t i = 0; i < g->n; i++) {
		const struct point *pt = &g->pt[i];
		double nx = px(p, pt->at_ns), ny = py(p, pt->lo);

		if (pt->kind != kind || pt->dir != p->dir)
			continue;
		if (x < 0)
			fprintf(p->f, "M%.1f %.1f", nx, ny);
		else if (nx - x < 0.4)
			nx = x;			/* the same column: its last value counts */
		else if (y > done_y + 0.05 || y < done_y - 0.05)
			fprintf(p->f, "H%.1fV%.1f", x, y);
		if (x < 0 || nx > x)
			done_y = x < 0 ? ny : y;
		x = nx;
		y = ny;
	}
	if (x >= 0)
		fprintf(p->f, "H%.1fV%.1f", x, y);
	fputs("\"/>\n", p->f);
}

/* What stands out gets a ring, and words when the pointer rests on it. */
static void put_rings(struct picture *p, enum point_kind kind)
{
	const struct track_graph *g = p->g;

	for (size_t i = 0; i < g->n && p->tips < TIPS_MAX; i++) {
		const struct point *pt = &g->pt[i];

		if (pt->kind != kind || pt->dir != p->dir)
			continue;
		fprintf(p->f, "<circle class=\"r%d\" cx=\"%.1f\" cy=\"%.1f\" r=\"3.4\"><title>%s: "
			"%" PRId64 " to %" PRId64 " at %.6f s</title></circle>\n", (int)kind,
			px(p, pt->at_ns), (py(p, pt->lo) + py(p, pt->hi)) / 2,
			layers[kind].legend, pt->lo, pt->hi, (double)(pt->at_ns - p->first) / 1e9);
		p->tips++;
	}
}

/* SYN, FIN and RST of both ends, by name along the top. */
static void put_flags(const struct picture *p)
{
	const struct track_graph *g = p->g;
	double last[2] = { -100, -100 };

	for (size_t i = 0; i < g->n; i++) {
		const struct point *pt = &g->pt[i];
		int own = pt->dir == p->dir;
		double x = px(p, pt->at_ns);
		bool right = x > WIDTH - RIGHT - 60;
		const char *name = pt->kind == PT_RST ? "RST" : pt->lo == 0 ? "SYN" : "FIN";

		if ((pt->kind != PT_RST && pt->kind != PT_FLAG) || x - last[own] < 26)
			continue;
		last[own] = x;
		fprintf(p->f, "<path class=\"flag\" d=\"M%.1f %dV%d\"/>"
			"<text class=\"flag\" x=\"%.1f\" y=\"%d\"%s>%s %s</text>\n",
			x, TOP, HEIGHT - BOTTOM, right ? x - 3 : x + 3,
			own ? TOP + 12 : TOP + 25, right ? " text-anchor=\"end\"" : "", name,
			own ? "" : "\342\206\220");
	}
}

static void put_style(FILE *f)
{
	fputs("<style>\n"
	      "svg{background:#fff;font-family:Inter,\"DejaVu Sans\",Helvetica,Arial,sans-serif}\n"
	      ".title{font-size:19px;font-weight:600;fill:#1b1f24}"
	      ".sub{font-size:13px;fill:#57606a}"
	      ".tick,.legend{font-size:12px;fill:#57606a}"
	      ".grid{stroke:#e7eaee;stroke-width:1;fill:none}"
	      ".frame{stroke:#afb8c1;stroke-width:1;fill:none}"
	      "path.flag{stroke:#8c959f;stroke-width:1;stroke-dasharray:2 3;fill:none}"
	      "text.flag{font-size:11px;fill:#57606a}\n", f);
	for (int i = 0; i < PT_KINDS; i++)
		fprintf(f, ".k%d{fill:none;%s}", i, layers[i].style);
	fputs("\n.r3{stroke:#cf222e}.r4{stroke:#8b1a8b}.r5{stroke:#bc4c00}.r6{stroke:#9a6700}"
	      "circle{fill:none;stroke-width:1.4;pointer-events:all}\n"
	      "@media (prefers-color-scheme:dark){svg{background:#0d1117}.title{fill:#e6edf3}"
	      ".sub,.tick,.legend,text.flag{fill:#9198a1}.grid{stroke:#21262d}"
	      ".frame{stroke:#444c56}}\n</style>\n", f);
}

/* Only what the picture has. */
static void put_legend(const struct picture *p)
{
	const struct track_graph *g = p->g;
	unsigned count[PT_KINDS] = { 0 };
	int x = LEFT;

	for (size_t i = 0; i < g->n; i++)
		count[g->pt[i].kind] += g->pt[i].dir == p->dir;
	for (int i = 0; i < PT_KINDS; i++) {
		char text[80];

		if (!count[i] || !*layers[i].legend)
			continue;
		if (i >= PT_FAST && i <= PT_REORDERED)
			snprintf(text, sizeof(text), "%s (%u)", layers[i].legend, count[i]);
		else
			snprintf(text, sizeof(text), "%s", layers[i].legend);
		fprintf(p->f, "<path class=\"k%d\" style=\"stroke-width:3;stroke-opacity:1\" "
			"d=\"M%d 86h18\"/><text class=\"legend\" x=\"%d\" y=\"90\">%s</text>\n", i,
			x, x + 24, text);
		x += 24 + 7 * (int)strlen(text) + 22;
	}
}

static void put_title(const struct picture *p)
{
	const struct track_conn *c = &p->g->conn;
	const struct track_end *a = &c->end[p->dir], *b = &c->end[!p->dir];
	char left[64], right[64], size[24], span[24], open[24];
	int64_t us = (c->last_ns - c->first_ns) / 1000;

	fprintf(p->f, "<text class=\"title\" x=\"%d\" y=\"34\">%s \342\206\222 %s</text>\n", LEFT,
		track_addr(a, left, sizeof(left)), track_addr(b, right, sizeof(right)));
	fprintf(p->f, "<text class=\"sub\" x=\"%d\" y=\"58\">Connection %" PRIu64 ": %s in %s "
		"(%.3g Mbit/s), handshake %s, %" PRIu64 " of %" PRIu64 " data segments sent again",
		LEFT, c->id, out_bytes(a->n.bytes, size, sizeof(size)),
		track_span(us, span, sizeof(span)),
		us ? (double)a->n.bytes * 8 / (double)us : 0.0,
		track_span(c->open_ns < 0 || c->syn_ns < 0 ? -1 : (c->open_ns - c->syn_ns) / 1000,
			   open, sizeof(open)), a->n.retrans_segs, a->n.data_segs);
	if (p->g->left_out)
		fprintf(p->f, "; the last %" PRIu64 " points are left out", p->g->left_out);
	fputs("</text>\n", p->f);
}

static void put_picture(struct picture *p)
{
	fprintf(p->f, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" "
		"width=\"%d\" height=\"%d\">\n", WIDTH, HEIGHT, WIDTH, HEIGHT);
	put_style(p->f);
	put_title(p);
	put_legend(p);
	put_axes(p);
	fprintf(p->f, "<clipPath id=\"c\"><rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/>"
		"</clipPath>\n<g clip-path=\"url(#c)\">\n", LEFT, TOP, WIDTH - LEFT - RIGHT,
		HEIGHT - TOP - BOTTOM);
	put_flags(p);
	put_stairs(p, PT_WINDOW);
	put_bars(p, PT_SACK);
	put_stairs(p, PT_ACK);
	put_bars(p, PT_DATA);
	for (int i = PT_FAST; i <= PT_REORDERED; i++)
		put_bars(p, (enum point_kind)i);
	for (int i = PT_FAST; i <= PT_REORDERED; i++)
		put_rings(p, (enum point_kind)i);
	fprintf(p->f, "</g>\n<rect class=\"frame\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/>\n"
		"</svg>\n", LEFT, TOP, WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM);
}

bool graph_write(struct track_graph *g, const char *file)
{
	struct picture p = { .g = g };
	bool ok;

	if (!g->ended) {
		complain("track: --graph %s: no such connection passed; see the table for their "
			 "numbers", g->which);
		return false;
	}
	p.f = fopen(file, "we");
	if (!p.f) {
		complain("track: %s: %s", file, strerror(errno));
		return false;
	}
	set_scale(&p);
	put_picture(&p);
	ok = !ferror(p.f);
	ok = fclose(p.f) == 0 && ok;
	if (!ok)
		complain("track: %s: %s", file, strerror(errno));
	return ok;
}
