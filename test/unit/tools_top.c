/* SPDX-License-Identifier: MIT */
/* Tests of what `rill top` draws: from a model to cells, without a terminal [D2]. */
#include "rl_test.h"

/* the commands are no library: their sources are compiled in */
#include "tools/grid.c"
#include "tools/top_detail.c"
#undef W
#include "tools/top_diagram.c"
#undef W
#include "tools/top_draw.c"
#include "tools/top_model.c"

static struct grid g;
static struct rill_sock socks[4];
static struct rill_owner owner = { 42, 7, "nginx" };

/* Rows of the screen that hold @text; the first in *@at. */
static unsigned rows_with(const char *text, int *at)
{
	char buf[GRID_W * 4];
	unsigned n = 0;

	for (int y = g.h - 1; y >= 0; y--)
		if (strstr(grid_row(&g, y, buf, sizeof(buf)), text)) {
			*at = y;
			n++;
		}
	return n;
}

static bool drawn(const char *text)
{
	int at;

	return rows_with(text, &at) > 0;
}

static struct rill_sock make(int state, uint8_t last, uint16_t port, uint32_t recv_q)
{
	struct rill_sock s = { .source = RILL_SRC_KERNEL, .proto = 6, .family = 4,
			       .age_ms = 1500, .recv_q = recv_q, .stack = "",
			       .owners = &owner, .nowners = 1 };

	s.state = (uint8_t)state;
	s.local.ip.b[10] = s.local.ip.b[11] = s.peer.ip.b[10] = s.peer.ip.b[11] = 0xff;
	s.local.ip.b[12] = s.peer.ip.b[12] = 10;
	s.local.ip.b[15] = 1;
	s.peer.ip.b[15] = last;
	s.local.port = 80;
	s.peer.port = port;
	return s;
}

static struct top_model *model(void)
{
	static struct top_model m;

	free(m.row);
	memset(&m, 0, sizeof(m));
	socks[0] = make(RILL_ESTABLISHED, 3, 1003, 5);
	socks[1] = make(RILL_CLOSE_WAIT, 2, 1002, 500);
	socks[2] = make(RILL_ESTABLISHED, 9, 1001, 50);
	socks[3] = make(RILL_LISTEN, 0, 0, 0);
	socks[0].has_info = true;
	socks[0].info.rtt = 1234;
	socks[0].info.snd_cwnd = 17;
	m.table.sock = socks;
	m.table.n = 4;
	m.sort = TOP_COL_STATE;
	snprintf(m.clock, sizeof(m.clock), "12:34:56");
	top_order(&m);
	return &m;
}

TEST(the_list)
{
	struct top_model *m = model();
	int a, b;

	top_draw(m, &g, 80, 24);
	CHECK("title and clock", rows_with("rill top", &a) == 1 && a == 0 && drawn("12:34:56"));
	CHECK("counts", drawn("ESTAB 2") && drawn("CLOSE-WAIT 1") && drawn("LISTEN 1"));
	CHECK("the program", drawn("nginx/42"));
	CHECK("listeners are hidden", !drawn("*:80"));
	CHECK("keys at the bottom", rows_with("q quit", &a) == 1 && a == 23);
	m->listeners = true;
	top_order(m);
	top_draw(m, &g, 80, 24);
	CHECK("until asked for", m->nrows == 4);
	rows_with("10.0.0.3:1003", &a);
	rows_with("10.0.0.2:1002", &b);
	CHECK("by state", a < b);
	CHECK("nothing is as wide as this here", !drawn("Retr"));
	top_draw(m, &g, 200, 60);
	CHECK("more columns when there is room", drawn("Retr") && drawn("1.2 ms") && drawn("17"));
}

static const struct {
	enum top_col col;
	bool reverse;
	uint16_t first, last;
} orders[] = {
	{ TOP_COL_RECVQ, false, 1003, 1002 }, { TOP_COL_RECVQ, true, 1002, 1003 },
	{ TOP_COL_PEER, false, 1002, 1001 }, { TOP_COL_PEER, true, 1001, 1002 },
	{ TOP_COL_RTT, true, 1003, 1001 }, { TOP_COL_STATE, true, 1002, 1001 },
};

TEST(any_column_sorts)
{
	struct top_model *m = model();

	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		m->sort = orders[i].col;
		m->reverse = orders[i].reverse;
		top_order(m);
		CHECK(top_title(orders[i].col), m->row[0]->peer.port == orders[i].first &&
		      m->row[2]->peer.port == orders[i].last);
	}
	for (int c = 0; c < TOP_COLS; c++) {	/* each gives an order, none trips */
		m->sort = (enum top_col)c;
		top_order(m);
		CHECK(top_title(m->sort), m->nrows == 3);
		top_draw(m, &g, 200, 60);
	}
}

TEST(the_choice_stays_with_its_connection)
{
	struct top_model *m = model();

	m->sort = TOP_COL_RECVQ;
	top_order(m);
	top_move(m, 2);
	CHECK("the third", top_picked(m)->peer.port == 1002);
	m->reverse = true;
	top_order(m);
	CHECK("still that one", m->pick == 0 && top_picked(m)->peer.port == 1002);
	top_move(m, -5);
	CHECK("not above the first", m->pick == 0);
	top_move(m, 1000);
	CHECK("nor below the last", m->pick == 2);
	m->table.n = 0;
	top_order(m);
	CHECK("nothing to choose", !top_picked(m));
	top_draw(m, &g, 80, 24);
	CHECK("and says so", drawn("no connections"));
}

TEST(a_filter)
{
	struct top_model *m = model();

	CHECK("right", top_set_filter(m, "state close-wait"));
	top_order(m);
	CHECK("one", m->nrows == 1 && m->row[0]->state == RILL_CLOSE_WAIT);
	CHECK("wrong", !top_set_filter(m, "frob") && strstr(m->message, "frob"));
	CHECK_STR("the old one holds", m->filter_text, "state close-wait");
	CHECK("none", top_set_filter(m, ""));
	top_order(m);
	CHECK("all", m->nrows == 3);
}

/* Each node has its number; the drawing fits the least screen. */
TEST(the_diagram)
{
	struct top_model *m = model();
	char text[32];

	for (int i = 1; i < RILL_TCP_STATES; i++)
		m->state[i] = (unsigned)(100 + i);
	m->view = TOP_DIAGRAM;
	top_draw(m, &g, 80, 24);
	for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++) {
		snprintf(text, sizeof(text), "[%-12s%6d]", nodes[i].name, 100 + nodes[i].state);
		CHECK(nodes[i].name, drawn(text));
	}
	CHECK("as many as there are states but CLOSED",
	      sizeof(nodes) / sizeof(nodes[0]) == RILL_TCP_STATES - 2);
	CHECK("its last line", drawn("2 MSL"));
}

TEST(one_opened_up)
{
	struct top_model *m = model();
	struct rl_event e = { .source = RILL_SRC_KERNEL, .from = RILL_ESTABLISHED,
			      .to = RILL_CLOSE_WAIT, .time_ns = 9000000000 };

	top_open_detail(m, &socks[0], 5000000000);
	m->view = TOP_DETAIL;
	e.local = socks[0].local;
	e.peer = socks[1].peer;
	top_detail_step(&m->d, &e);
	CHECK("another's change", m->d.nsteps == 1);
	e.peer = socks[0].peer;
	top_detail_step(&m->d, &e);
	CHECK("its own", m->d.nsteps == 2);
	top_follow(m, 10000000000);
	top_draw(m, &g, 80, 24);
	CHECK("states", drawn("ESTABLISHED 5.5 s") && drawn("CLOSE-WAIT"));
	CHECK("numbers", drawn("1.2 ms") && drawn("10.0.0.3:1003"));
	CHECK("why it stands", drawn("5 bytes wait for our program"));
	m->table.n = 0;
	top_follow(m, 11000000000);
	top_draw(m, &g, 80, 24);
	CHECK("gone", m->d.gone && drawn("gone"));
	for (int i = 0; i < 1000; i++) {	/* more than is kept */
		e.from = e.to;
		e.to = e.to == RILL_CLOSE ? RILL_LISTEN : RILL_CLOSE;
		top_detail_step(&m->d, &e);
	}
	top_draw(m, &g, 80, 24);
	CHECK("bounded", m->d.nsteps == TOP_STEPS);
}

static const struct {
	uint8_t source;
	uint32_t send_q, recv_q, snd_wnd, unacked, cwnd;
	const char *hold, *text;
} limits[] = {
	{ RILL_SRC_KERNEL, 10, 0, 0, 0, 10, "", "window is closed" },
	{ RILL_SRC_KERNEL, 0, 9, 5, 0, 10, "", "9 bytes wait" },
	{ RILL_SRC_KERNEL, 0, 0, 5, 0, 10, "", "nothing to send" },
	{ RILL_SRC_KERNEL, 10, 0, 5, 10, 10, "", "congestion window" },
	{ RILL_SRC_RILL, 10, 0, 5, 0, 10, "RWND", "RWND: the peer's window is used up" },
	{ RILL_SRC_RILL, 10, 0, 5, 0, 10, "NAGLE", "NAGLE: less than a segment" },
};

TEST(what_holds_it_back)
{
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		struct rill_sock s = make(RILL_ESTABLISHED, 2, 1, limits[i].recv_q);
		char buf[TOP_TEXT];

		s.source = limits[i].source;
		s.has_info = true;
		s.send_q = limits[i].send_q;
		s.info.snd_wnd = limits[i].snd_wnd;
		s.info.unacked = limits[i].unacked;
		s.info.snd_cwnd = limits[i].cwnd;
		snprintf(s.hold, sizeof(s.hold), "%s", limits[i].hold);
		top_limit(&s, buf, sizeof(buf));
		CHECK(limits[i].text, strstr(buf, limits[i].text));
	}
}

TEST(too_small)
{
	struct top_model *m = model();

	for (int w = 1; w < 90; w++)
		for (int h = 1; h < 30; h++)
			top_draw(m, &g, w, h);		/* none writes outside */
	top_draw(m, &g, 79, 24);
	CHECK("a clear line", drawn("79 by 24 is too small") && drawn("80 by 24"));
	top_draw(m, &g, 80, 24);
	CHECK("just large enough", !drawn("too small"));
}

/* Everything on every size: cells stay within the grid. */
TEST(all_views_on_all_sizes)
{
	struct top_model *m = model();

	top_open_detail(m, &socks[0], 0);
	for (int v = TOP_LIST; v <= TOP_HELP; v++)
		for (int a = TOP_ASK_NO; a <= TOP_ASK_KEEPALIVE; a++)
			for (int w = 80; w <= 400; w += 40) {
				m->view = (enum top_view)v;
				m->ask = (enum top_ask)a;
				top_draw(m, &g, w, 24 + w / 10);
				CHECK("bounds", g.w <= GRID_W && g.h <= GRID_H);
			}
}

TEST(cells)
{
	char buf[256];
	static const double v[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8 };

	grid_clear(&g, 12, 2);
	grid_text(&g, 10, 0, ST_NORMAL, "abc");
	grid_text(&g, -1, 1, ST_NORMAL, "xé→");
	CHECK_STR("cut at the right", grid_row(&g, 0, buf, sizeof(buf)), "          ab");
	CHECK_STR("and the left", grid_row(&g, 1, buf, sizeof(buf)), "é→");
	grid_text(&g, 0, 5, ST_NORMAL, "below");
	grid_text(&g, 0, 1, ST_NORMAL, "\x1b[\xff\xc3");
	CHECK_STR("what is no text", grid_row(&g, 1, buf, sizeof(buf)), "?[??");
	grid_spark(&g, 0, 0, 9, ST_NORMAL, v, 9);
	CHECK_STR("heights", grid_row(&g, 0, buf, sizeof(buf)), "▁▁▂▃▄▅▆▇█ ab");
}

TEST(times_and_sizes)
{
	char b[32];

	CHECK_STR("us", top_us(999, b, sizeof(b)), "999 us");
	CHECK_STR("ms", top_us(1500, b, sizeof(b)), "1.5 ms");
	CHECK_STR("long ms", top_us(150000, b, sizeof(b)), "150 ms");
	CHECK_STR("s", top_us(1500000, b, sizeof(b)), "1.5 s");
	CHECK_STR("min", top_us(600000000, b, sizeof(b)), "10 min");
	CHECK_STR("h", top_us(INT64_C(36000000000), b, sizeof(b)), "10 h");
	CHECK_STR("unknown", top_us(-1, b, sizeof(b)), "-");
	CHECK_STR("small", top_size(9999, b, sizeof(b)), "9999");
	CHECK_STR("k", top_size(10000, b, sizeof(b)), "10.0k");
	CHECK_STR("M", top_size(1.5e9, b, sizeof(b)), "1500M");
}
