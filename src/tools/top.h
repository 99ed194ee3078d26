/* SPDX-License-Identifier: MIT */
/*
 * rill top in three parts: the model (top_model.c), drawing as a pure function from it
 * to cells (top_draw.c, top_diagram.c, top_detail.c), keys and the loop (cmd_top.c).
 */
#ifndef RL_TOOLS_TOP_H
#define RL_TOOLS_TOP_H

#include "look/events.h"
#include "look/filter.h"
#include "rill/table.h"
#include "tools/grid.h"

#define TOP_W		80		/* least size */
#define TOP_H		24
#define TOP_SAMPLES	256
#define TOP_STEPS	64		/* changes of state of the opened connection */
#define TOP_SEGS	48
#define TOP_SEG_TEXT	160
#define TOP_TEXT	192

/* Columns: TOP_COL(id, title, width, right aligned, keep at that many columns of screen) */
enum top_col {
#define TOP_COL(id, title, width, right, from)	TOP_COL_##id,
#include "tools/top_cols.def"
#undef TOP_COL
	TOP_COLS
};

enum top_view { TOP_LIST, TOP_DIAGRAM, TOP_DETAIL, TOP_HELP };
enum top_ask { TOP_ASK_NO, TOP_ASK_FILTER, TOP_ASK_KILL, TOP_ASK_KEEPALIVE };

struct top_step {
	uint8_t		from, to;
	int64_t		at_ns;
};

/* The connection that is opened up, followed from then on. */
struct top_detail {
	struct rill_sock s;		/* as last seen; owners not kept */
	char		program[64], stack[64];
	bool		gone;
	double		rtt[TOP_SAMPLES], cwnd[TOP_SAMPLES], out[TOP_SAMPLES], in[TOP_SAMPLES];
	int		n;
	uint64_t	last_out, last_in;
	int64_t		last_ns;
	struct top_step	step[TOP_STEPS];
	int		nsteps;
	char		seg[TOP_SEGS][TOP_SEG_TEXT];
	int		nsegs;
	bool		has_segs;	/* its stack offers them */
};

struct top_model {
	struct rill_table table;
	const struct rill_sock **row;	/* those shown, in order */
	size_t		nrows, cap;
	unsigned	state[RILL_TCP_STATES];		/* counts, the filter aside */
	unsigned	udp, kernel, rill, stacks;
	bool		owners_hidden;
	double		opened_s, ended_s, changes_s;
	char		how[64];	/* how changes are seen */

	enum top_view	view, back;
	enum top_ask	ask;
	enum top_col	sort;
	bool		reverse, udp_too, listeners;
	size_t		pick, first;	/* chosen row, first on the screen */
	uint64_t	pick_id;	/* the choice stays with its connection */
	struct filter	filter;
	char		filter_text[TOP_TEXT], entry[TOP_TEXT], message[TOP_TEXT];
	bool		message_bad;
	char		clock[16];
	struct top_detail d;
};

/* ---- top_model.c ---- */

/** Choose and order the rows of m->table. */
void top_order(struct top_model *m);
/** Set the filter; "": none.  Return: false with the reason in m->message. */
bool top_set_filter(struct top_model *m, const char *text);
const struct rill_sock *top_picked(const struct top_model *m);
void top_move(struct top_model *m, long by);
/** What names a connection from one reading to the next. */
uint64_t top_name(const struct rill_sock *s);
void top_open_detail(struct top_model *m, const struct rill_sock *s, int64_t now_ns);
void top_follow(struct top_model *m, int64_t now_ns);
void top_detail_step(struct top_detail *d, const struct rl_event *e);
/** Text of a cell of the list. */
void top_cell(const struct rill_sock *s, enum top_col col, char *buf, size_t n);
const char *top_title(enum top_col col);

/* ---- drawing ---- */

void top_draw(const struct top_model *m, struct grid *g, int w, int h);
void top_draw_diagram(const struct top_model *m, struct grid *g, int y, int h);
void top_draw_detail(const struct top_model *m, struct grid *g, int y, int h);
/** Why it does not send more, in words. */
void top_limit(const struct rill_sock *s, char *buf, size_t n);
enum grid_style top_style(int state);
/** "1.2 ms", "3.4 s", "2 min" in 8 columns or less. */
const char *top_us(int64_t us, char *buf, size_t n);
const char *top_size(double v, char *buf, size_t n);

#endif
