/* SPDX-License-Identifier: MIT */
/*
 * Segments as a ladder between two ends, the state of each end beside it, as RFC 9293
 * draws its figures.  As text: a line a segment as it passes; when the connection
 * changes a heading stands above.  As a picture (SVG): the first connection that
 * passed, at most ROWS_MAX segments.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "tools/dump.h"
#include "tools/out.h"
#include "tools/track.h"

#define ARROW		62		/* columns from end to end */
#define ROWS_MAX	2000

struct ladder_row {
	int64_t		at_ns;
	uint8_t		from, state[2];
	unsigned	marks;
	bool		rst;
	char		label[96];
};

static seq_t first_seq(const struct track_end *e)
{
	return e->has_isn ? e->isn : e->base;
}

static size_t add(char *buf, size_t n, size_t len, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

static size_t add(char *buf, size_t n, size_t len, const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = vsnprintf(buf + len, n - len, fmt, ap);
	va_end(ap);
	return r < 0 ? len : RL_MIN(len + (size_t)r, n - 1);
}

/* "SYN ACK seq=0 ack=1 win=64240", the numbers from each end's first. */
static void make_label(const struct track_conn *c, const struct look_seg *s, int from, char *buf,
		       size_t n)
{
	const struct track_end *a = &c->end[from], *b = &c->end[!from];
	uint32_t seq = s->seq.v - first_seq(a).v, ack = s->ack.v - first_seq(b).v;
	size_t len = 0;
	static const struct {
		uint8_t bit;
		const char *name;
	} flags[] = { { TH_SYN, "SYN" }, { TH_FIN, "FIN" }, { TH_RST, "RST" }, { TH_URG, "URG" } };

	for (size_t i = 0; i < ARRAY_LEN(flags); i++)
		if (s->flags & flags[i].bit)
			len = add(buf, n, len, "%s ", flags[i].name);
	if ((s->flags & TH_ACK) && !s->len)
		len = add(buf, n, len, "ACK ");
	if (s->len)
		len = add(buf, n, len, "%" PRIu32 " bytes seq=%" PRIu32, s->len, seq);
	else
		len = add(buf, n, len, "seq=%" PRIu32, seq);
	if (s->flags & TH_ACK)
		len = add(buf, n, len, " ack=%" PRIu32, ack);
	len = add(buf, n, len, " win=%" PRIu64, (uint64_t)s->win <<
		  (a->scales && b->scales && !(s->flags & TH_SYN) ? a->wscale : 0));
	if (s->opt.mss)
		len = add(buf, n, len, " mss=%u", s->opt.mss);
	for (unsigned i = 0; i < s->opt.nsack; i++)
		len = add(buf, n, len, " sack=%" PRIu32 "-%" PRIu32,
			  s->opt.sack[i].lo.v - first_seq(b).v,
			  s->opt.sack[i].hi.v - first_seq(b).v);
}

/* ---- text ---- */

static void put_heading(struct ladder *l, const struct track_conn *c)
{
	char left[64], right[64];

	fprintf(l->out, "%s#%" PRIu64 "%*s%-*s%s\n", l->any ? "\n" : "", c->id,
		c->id < 10 ? 12 : 11, "", ARROW + 10, track_addr(&c->end[0], left, sizeof(left)),
		track_addr(&c->end[1], right, sizeof(right)));
}

/* The label in the middle of a line that ends in an arrow's head. */
static void put_arrow(struct ladder *l, const char *label, bool right, bool lost)
{
	const char *line = l->ascii ? "-" : "\342\224\200";
	const char *head = lost ? (l->ascii ? "X" : "\342\234\225") :
			   right ? (l->ascii ? ">" : "\342\226\266") : l->ascii ? "<" :
			   "\342\227\200";
	int text = (int)strlen(label), fill = RL_MAX(ARROW - text - 2 - 1, 4);

	if (!right)
		fputs(head, l->out);
	for (int i = 0; i < fill / 2; i++)
		fputs(line, l->out);
	fprintf(l->out, " %s ", label);
	for (int i = fill / 2; i < fill; i++)
		fputs(line, l->out);
	if (right)
		fputs(head, l->out);
}

static void put_line(struct ladder *l, const struct track_conn *c, const struct look_seg *s,
		     int from, unsigned marks, const char *label, const char *note)
{
	const char *remark = track_mark_text(marks);

	if (!l->any || l->conn != c->id)
		put_heading(l, c);
	l->any = true;
	l->conn = c->id;
	fprintf(l->out, "%12.6f %12s ", (double)(s->at_ns - c->first_ns) / 1e9,
		track_state(c->end[0].state));
	put_arrow(l, label, from == 0, note && strstr(note, " dropped: "));
	fprintf(l->out, " %s%s%s%s%s\n", track_state(c->end[1].state), *remark ? "  " : "",
		remark, note && *note ? "  " : "", note ? note : "");
}

void ladder_segment(struct ladder *l, const struct track_conn *c, const struct look_seg *s,
		    int from, unsigned marks, const char *note)
{
	char label[96];

	make_label(c, s, from, label, sizeof(label));
	if (l->text)
		put_line(l, c, s, from, marks, label, note);
	if (!l->row || c->id != 0)
		return;
	l->first = *c;
	if (l->n == ROWS_MAX) {
		l->left_out++;
		return;
	}
	l->row[l->n] = (struct ladder_row){
		.at_ns = s->at_ns, .from = (uint8_t)from, .marks = marks,
		.state = { c->end[0].state, c->end[1].state }, .rst = s->flags & TH_RST,
	};
	memcpy(l->row[l->n++].label, label, sizeof(label));
}

/* ---- the picture ---- */

#define WIDTH	1200
#define LEFT_X	300
#define RIGHT_X	780
#define STEP	30
#define HEAD	92
#define SLANT	9

bool ladder_want_svg(struct ladder *l)
{
	l->row = calloc(ROWS_MAX, sizeof(*l->row));
	return l->row != NULL;
}

static void put_style(FILE *f)
{
	fputs("<style>\n"
	      "svg{background:#fff;font-family:Inter,\"DejaVu Sans\",Helvetica,Arial,sans-serif}"
	      "text{font-size:12px;fill:#1b1f24}.end{font-size:16px;font-weight:600}"
	      ".time,.note{fill:#57606a}.life{stroke:#afb8c1;stroke-width:2}"
	      ".a{stroke:#0969da}.b{stroke:#1a7f37}.bad{stroke:#cf222e}line{stroke-width:1.6}"
	      ".ha{fill:#0969da}.hb{fill:#1a7f37}.hbad{fill:#cf222e}"
	      "text.bad{fill:#cf222e;stroke:none}"
	      ".box{fill:#ddf4ff;stroke:#54aeff}.boxend{fill:#f6f8fa;stroke:#8c959f}"
	      ".boxopen{fill:#dafbe1;stroke:#4ac26b}.boxclose{fill:#fff8c5;stroke:#d4a72c}\n"
	      "</style>\n", f);
}

static const char *box_class(uint8_t state)
{
	const char *name = track_state(state);

	if (!strncmp(name, "ESTAB", 5))
		return "boxopen";
	if (!strncmp(name, "SYN", 3))
		return "box";
	if (!strcmp(name, "CLOSED") || !strcmp(name, "LISTEN"))
		return "boxend";
	return "boxclose";
}

/* The state of end @i, where it changed. */
static void put_state(FILE *f, int i, int y, uint8_t state)
{
	int x = i ? RIGHT_X + 12 : LEFT_X - 12 - 106;

	fprintf(f, "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"106\" height=\"20\" rx=\"4\"/>"
		"<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">%s</text>\n", box_class(state), x,
		y - 10, x + 53, y + 4, track_state(state));
}

static void put_row(FILE *f, const struct ladder_row *r, int64_t t0, int y)
{
	bool bad = r->rst || (r->marks & (TRACK_RETX | TRACK_GAP | TRACK_IGNORED |
					  TRACK_ZERO_WINDOW));
	const char *kind = bad ? "bad" : r->from ? "b" : "a";
	int x1 = r->from ? RIGHT_X : LEFT_X, x2 = r->from ? LEFT_X : RIGHT_X;
	int tip = r->from ? 9 : -9;

	fprintf(f, "<text class=\"time\" x=\"20\" y=\"%d\">%.6f</text>\n", y + 4,
		(double)(r->at_ns - t0) / 1e9);
	fprintf(f, "<line class=\"%s\" x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\"/>"
		"<path class=\"h%s\" d=\"M%d %dl%d -4v8z\"/>\n", kind, x1, y - SLANT / 2,
		x2 + tip, y + SLANT / 2, kind, x2, y + SLANT / 2, tip);
	fprintf(f, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">%s</text>\n",
		(LEFT_X + RIGHT_X) / 2, y - 5, r->label);
	if (*track_mark_text(r->marks))
		fprintf(f, "<text class=\"%s\" x=\"%d\" y=\"%d\">%s</text>\n", bad ? "bad" : "note",
			RIGHT_X + 128, y + 4, track_mark_text(r->marks));
}

static void put_picture(const struct ladder *l, FILE *f)
{
	int height = HEAD + (int)l->n * STEP + 40;
	uint8_t last[2] = { 255, 255 };
	char addr[64];

	fprintf(f, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" "
		"height=\"%d\">\n", WIDTH, height, WIDTH, height);
	put_style(f);
	for (int i = 0; i < 2; i++) {
		int x = i ? RIGHT_X : LEFT_X;

		fprintf(f, "<text class=\"end\" x=\"%d\" y=\"36\" text-anchor=\"middle\">%s</text>"
			"<text class=\"note\" x=\"%d\" y=\"54\" text-anchor=\"middle\">%s</text>"
			"<line class=\"life\" x1=\"%d\" y1=\"66\" x2=\"%d\" y2=\"%d\"/>\n", x,
			track_addr(&l->first.end[i], addr, sizeof(addr)), x,
			!l->first.has_opener ? "" : i ? "accepts" : "opens", x, x, height - 24);
	}
	for (unsigned k = 0; k < l->n; k++) {
		const struct ladder_row *r = &l->row[k];
		int y = HEAD + (int)k * STEP + STEP / 2;

		put_row(f, r, l->first.first_ns, y);
		for (int i = 0; i < 2; i++)
			if (r->state[i] != last[i])
				put_state(f, i, y + (i == r->from ? -SLANT / 2 : SLANT / 2),
					  last[i] = r->state[i]);
	}
	if (l->left_out)
		fprintf(f, "<text class=\"note\" x=\"%d\" y=\"%d\" text-anchor=\"middle\">and %u "
			"segments more</text>\n", (LEFT_X + RIGHT_X) / 2, height - 12, l->left_out);
	fputs("</svg>\n", f);
}

bool ladder_svg(struct ladder *l, const char *file)
{
	FILE *f;
	bool ok;

	if (!l->n) {
		complain("dump: --svg %s: no TCP segment passed, nothing is drawn", file);
		return false;
	}
	f = fopen(file, "we");
	if (!f) {
		complain("dump: --svg %s: %s", file, strerror(errno));
		return false;
	}
	put_picture(l, f);
	ok = !ferror(f);
	ok = fclose(f) == 0 && ok;
	if (!ok)
		complain("dump: --svg %s: %s", file, strerror(errno));
	return ok;
}
