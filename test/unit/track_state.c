/* SPDX-License-Identifier: MIT */
/*
 * Tests of look/track_state.c and track.c [D5]: states of both ends, who opened and
 * closed, causes of resets, the table's bounds.
 */
#include "track_fixture.h"

TEST(track_life)
{
	const struct track_conn *c;
	struct fix f;

	fix_open(&f, 10);
	seg(&f, 0, A, "S", 0, 0, 0);
	states(&f, "SYN", RILL_SYN_SENT, RILL_SYN_RECV);
	seg(&f, 10, B, "SA", 0, 1, 0);
	states(&f, "SYN+ACK", RILL_ESTABLISHED, RILL_SYN_RECV);
	seg(&f, 2, A, "A", 1, 1, 0);
	states(&f, "ACK", RILL_ESTABLISHED, RILL_ESTABLISHED);
	seg(&f, 0, A, "A", 1, 1, 100);
	seg(&f, 20, B, "A", 1, 101, 0);
	seg(&f, 0, A, "FA", 101, 1, 0);
	states(&f, "FIN", RILL_FIN_WAIT1, RILL_CLOSE_WAIT);
	seg(&f, 1, B, "A", 1, 102, 0);
	states(&f, "its ACK", RILL_FIN_WAIT2, RILL_CLOSE_WAIT);
	seg(&f, 1, B, "A", 1, 102, 200);
	seg(&f, 5, A, "A", 102, 201, 0);
	seg(&f, 1, B, "FA", 201, 102, 0);
	states(&f, "second FIN", RILL_TIME_WAIT, RILL_LAST_ACK);
	CHECK_EQ("not told yet", f.told, 0);
	seg(&f, 1, A, "A", 102, 202, 0);
	states(&f, "last ACK", RILL_TIME_WAIT, RILL_CLOSE);
	track_tick(f.t, f.now_ns + RL_SEC);
	CHECK_EQ("told a second later", f.told, 1);
	c = &f.last;
	CHECK_EQ("over", c->over, TRACK_OVER_CLOSED);
	CHECK_EQ("closed first", c->closer, A);
	CHECK("by FIN", !c->closed_by_rst);
	CHECK("opener", c->has_opener);
	CHECK_EQ("handshake", c->open_ns - c->syn_ns, 12 * RL_MS);
	CHECK_EQ("bytes >", c->end[A].n.bytes, 100);
	CHECK_EQ("bytes <", c->end[B].n.bytes, 200);
	CHECK_EQ("rtt beyond here", c->end[A].n.rtt_max_us, 20000);
	CHECK_EQ("nothing again", c->end[A].n.retrans_frames + c->end[B].n.retrans_frames, 0);
	seg(&f, 100, B, "FA", 201, 102, 0);
	track_finish(f.t);
	CHECK_EQ("told once, also after late segments", f.told, 1);
	CHECK_EQ("late", track_totals(f.t)->late, 1);
	fix_close(&f);
}

TEST(track_both_close)
{
	const struct track_conn *c;
	struct fix f;

	fix_open(&f, 10);
	handshake(&f);
	seg(&f, 1, B, "FA", 1, 1, 0);
	states(&f, "first FIN", RILL_CLOSE_WAIT, RILL_FIN_WAIT1);
	seg(&f, 1, A, "FA", 1, 1, 0);
	states(&f, "the other had not seen it", RILL_CLOSING, RILL_CLOSING);
	seg(&f, 1, A, "A", 2, 2, 0);
	states(&f, "one ACK", RILL_CLOSING, RILL_TIME_WAIT);
	seg(&f, 1, B, "A", 2, 2, 0);
	states(&f, "both", RILL_TIME_WAIT, RILL_TIME_WAIT);
	c = fix_end(&f);
	CHECK_EQ("closed first", c->closer, B);
	CHECK_EQ("over", c->over, TRACK_OVER_CLOSED);
	fix_close(&f);
}

TEST(track_both_open)
{
	const struct track_conn *c;
	struct fix f;

	fix_open(&f, 10);
	seg(&f, 0, A, "S", 0, 0, 0);
	seg(&f, 1, B, "S", 0, 0, 0);
	states(&f, "two SYNs", RILL_SYN_RECV, RILL_SYN_RECV);
	seg(&f, 1, A, "SA", 0, 1, 0);
	states(&f, "one acknowledged", RILL_SYN_RECV, RILL_ESTABLISHED);
	seg(&f, 1, B, "SA", 0, 1, 0);
	states(&f, "both", RILL_ESTABLISHED, RILL_ESTABLISHED);
	c = fix_end(&f);
	CHECK("mutual", c->mutual);
	CHECK_EQ("one connection", f.told, 1);
	CHECK_EQ("the SYNs are no repetitions", c->end[A].n.retrans_other +
		 c->end[B].n.retrans_other, 0);
	fix_close(&f);
}

TEST(track_fin_before_its_data)
{
	struct fix f;

	fix_open(&f, 10);
	handshake(&f);
	seg(&f, 1, A, "FA", 101, 1, 0);
	states(&f, "the data before it is missing", RILL_FIN_WAIT1, RILL_ESTABLISHED);
	seg(&f, 1, A, "A", 1, 1, 100);
	states(&f, "and comes", RILL_FIN_WAIT1, RILL_CLOSE_WAIT);
	fix_close(&f);
}

/* Each row ends in a RST; @why what is said of it. */
static const struct reset_row {
	const char *label;
	enum track_reset why;
	int by;
	struct {
		int from;
		const char *flags;
		uint32_t seq, ack, len;
	} seg[12];
} reset_rows[] = {
	{ "refused", TRACK_RESET_REFUSED, B, {
		{ A, "S", 0, 0, 0 }, { B, "RA", 0u - ISN_B, 1, 0 } } },
	{ "answer not wanted", TRACK_RESET_NOT_WANTED, A, {
		{ A, "S", 0, 0, 0 }, { B, "SA", 0, 1, 0 }, { A, "R", 1, 0, 0 } } },
	{ "aborted, nothing had come", TRACK_RESET_ABORT, A, {
		{ A, "S", 0, 0, 0 }, { B, "SA", 0, 1, 0 }, { A, "A", 1, 1, 0 },
		{ A, "A", 1, 1, 10 }, { A, "RA", 11, 1, 0 } } },
	{ "aborted, data had come", TRACK_RESET_UNREAD, B, {
		{ A, "S", 0, 0, 0 }, { B, "SA", 0, 1, 0 }, { A, "A", 1, 1, 0 },
		{ A, "A", 1, 1, 10 }, { B, "A", 1, 11, 0 }, { B, "RA", 1, 11, 0 } } },
	{ "half open", TRACK_RESET_HALF_OPEN, B, {
		{ A, "S", 0, 0, 0 }, { B, "SA", 0, 1, 0 }, { A, "A", 1, 1, 0 },
		{ A, "A", 1, 1, 10 }, { B, "R", 1, 0, 0 } } },
	{ "half open, its beginning did not pass", TRACK_RESET_HALF_OPEN, B, {
		{ A, "A", 1, 1, 10 }, { B, "R", 1, 0, 0 } } },
	{ "data after close", TRACK_RESET_AFTER_CLOSE, A, {
		{ A, "S", 0, 0, 0 }, { B, "SA", 0, 1, 0 }, { A, "A", 1, 1, 0 },
		{ A, "FA", 1, 1, 0 }, { B, "A", 1, 2, 0 }, { B, "A", 1, 2, 10 },
		{ A, "R", 2, 0, 0 } } },
	{ "gave up", TRACK_RESET_GAVE_UP, A, {
		{ A, "S", 0, 0, 0 }, { B, "SA", 0, 1, 0 }, { A, "A", 1, 1, 0 },
		{ A, "A", 0, 1, 0 }, { A, "A", 0, 1, 0 }, { A, "A", 0, 1, 0 },
		{ A, "RA", 1, 1, 0 } } },
};

TEST(track_resets)
{
	for (size_t i = 0; i < ARRAY_LEN(reset_rows); i++) {
		const struct reset_row *r = &reset_rows[i];
		const struct track_conn *c;
		struct fix f;

		fix_open(&f, 10);
		for (size_t k = 0; k < ARRAY_LEN(r->seg) && r->seg[k].flags; k++)
			seg(&f, 10, r->seg[k].from, r->seg[k].flags, r->seg[k].seq, r->seg[k].ack,
			    r->seg[k].len);
		states(&f, r->label, RILL_CLOSE, RILL_CLOSE);
		c = fix_end(&f);
		CHECK_STR(r->label, track_reset_name(c->reset), track_reset_name(r->why));
		CHECK_EQ(r->label, c->over, TRACK_OVER_RESET);
		CHECK_EQ(r->label, c->reset_by, r->by);
		CHECK_EQ(r->label, f.told, 1);
		fix_close(&f);
	}
}

TEST(track_third_party)
{
	const struct track_conn *c;
	struct fix f;

	fix_open(&f, 10);
	handshake(&f);
	for (uint32_t i = 0; i < 3; i++)
		seg(&f, 1, B, "A", 1 + 10 * i, 1, 10);
	f.ttl[B] = 61;
	seg(&f, 1, B, "RA", 31, 1, 0);
	c = fix_end(&f);
	CHECK_STR("why", track_reset_name(c->reset), "third_party");
	CHECK_EQ("TTL", c->reset_ttl, 61);
	CHECK_EQ("of the true one", c->end[B].ttl, 57);
	fix_close(&f);
}

TEST(track_rst_out_of_place)
{
	const struct track_conn *c;
	struct fix f;

	fix_open(&f, 10);
	handshake(&f);
	CHECK_UEQ("in the window, not the number", seg(&f, 1, B, "RA", 7, 1, 0), TRACK_IGNORED);
	states(&f, "nothing changed", RILL_ESTABLISHED, RILL_ESTABLISHED);
	c = fix_end(&f);
	CHECK_EQ("counted", c->end[B].n.resets_ignored, 1);
	CHECK_EQ("still open", c->over, TRACK_OVER_OPEN);
	fix_close(&f);
}

/* A rebooted peer opens again from the same port [A18]. */
TEST(track_replaced)
{
	struct look_seg s;
	struct fix f;

	fix_open(&f, 10);
	handshake(&f);
	f.now_ns += RL_SEC;
	s = fix_make(&f, A, TH_SYN, 777, 0, 0);
	fix_put(&f, &s);
	CHECK_EQ("the old one is told", f.told, 1);
	CHECK_EQ("why", f.last.over, TRACK_OVER_REPLACED);
	states(&f, "new", RILL_SYN_SENT, RILL_SYN_RECV);
	CHECK_UEQ("the old connection's ACK", seg(&f, 1, B, "A", 1, 1, 0), TRACK_IGNORED);
	CHECK_UEQ("is reset", seg(&f, 1, A, "R", 1, 0, 0), TRACK_IGNORED);
	states(&f, "and the opening goes on", RILL_SYN_SENT, RILL_SYN_RECV);
	fix_close(&f);
}

TEST(track_unknown_opener)
{
	const struct track_conn *c;
	struct fix f;

	fix_open(&f, 10);
	seg(&f, 1, B, "A", 100, 100, 50);
	seg(&f, 1, A, "A", 100, 150, 0);
	states(&f, "in the middle", RILL_ESTABLISHED, RILL_ESTABLISHED);
	c = fix_end(&f);
	CHECK("not known", !c->has_opener);
	CHECK_EQ("no handshake", c->open_ns, -1);
	CHECK_EQ("bytes", c->end[0].n.bytes, 50);
	fix_close(&f);
}

TEST(track_answer_first)
{
	const struct track_conn *c;
	struct fix f;

	fix_open(&f, 10);
	seg(&f, 1, B, "SA", 0, 1, 0);
	states(&f, "SYN+ACK", RILL_SYN_SENT, RILL_SYN_RECV);
	seg(&f, 1, A, "A", 1, 1, 0);
	states(&f, "ACK", RILL_ESTABLISHED, RILL_ESTABLISHED);
	c = fix_end(&f);
	CHECK("known", c->has_opener);
	CHECK_EQ("opener", c->end[0].port, 40000);
	fix_close(&f);
}

/* Many connections in little room: none is lost without a word. */
TEST(track_bounded)
{
	struct fix f;

	fix_open(&f, 8);
	for (uint16_t i = 0; i < 1000; i++) {
		struct look_seg s = fix_make(&f, A, TH_SYN, i, 0, 0);

		s.sport = (uint16_t)(1000 + i);
		fix_put(&f, &s);
	}
	CHECK_EQ("at most", track_totals(f.t)->kept_max, 8);
	CHECK_EQ("told", f.told, 992);
	CHECK_EQ("as evicted", track_totals(f.t)->evicted, 992);
	CHECK_EQ("the oldest went", f.last.end[0].port, 1991);
	CHECK_EQ("and say so", f.last.over, TRACK_OVER_EVICTED);
	track_finish(f.t);
	CHECK_EQ("all", f.told, 1000);
	CHECK_EQ("the rest is open", f.last.over, TRACK_OVER_OPEN);
	fix_close(&f);
}

/* What is over goes before what lives. */
TEST(track_over_goes_first)
{
	struct look_seg s;
	struct fix f;

	fix_open(&f, 2);
	s = fix_make(&f, A, TH_SYN, 0, 0, 0);
	s.sport = 1;
	fix_put(&f, &s);
	seg(&f, 1, A, "S", 0, 0, 0);
	seg(&f, 1, B, "RA", 0u - ISN_B, 1, 0);
	s.sport = 2;
	fix_put(&f, &s);
	CHECK_EQ("told", f.told, 1);
	CHECK_EQ("the one that was reset", f.last.over, TRACK_OVER_RESET);
	CHECK_EQ("nothing evicted", track_totals(f.t)->evicted, 0);
	fix_close(&f);
}

TEST(track_copies)
{
	const struct track_conn *c;
	struct look_seg s;
	struct fix f;

	fix_open(&f, 10);
	handshake(&f);
	s = fix_make(&f, A, TH_ACK, 1, 1, 100);
	fix_put(&f, &s);
	s.ifindex = 3;			/* the same on its way through a bridge */
	fix_put(&f, &s);
	c = fix_end(&f);
	CHECK_EQ("seen twice", c->end[A].n.copies, 1);
	CHECK_EQ("not sent again", c->end[A].n.retrans_frames, 0);
	CHECK_EQ("frames", c->end[A].n.frames, 3);
	fix_close(&f);
}

/* A capture may hold any time: what ended is over all the same. */
TEST(track_broken_clock)
{
	static const int64_t clocks[] = { -5 * RL_SEC, INT64_MIN, INT64_MAX - RL_SEC };

	for (size_t i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++) {
		struct look_seg s;
		struct fix f;

		fix_open(&f, 1);
		f.now_ns = clocks[i];
		seg(&f, 0, A, "S", 0, 0, 0);
		seg(&f, 0, B, "RA", 0, 1, 0);
		s = fix_make(&f, A, TH_SYN, 0, 0, 0);
		s.sport = 40001;
		fix_put(&f, &s);		/* the table is full: the first has to go */
		CHECK_EQ("told", f.told, 1);
		CHECK_EQ("reset, not evicted", f.last.over, TRACK_OVER_RESET);
		track_finish(f.t);
		fix_close(&f);
	}
}
