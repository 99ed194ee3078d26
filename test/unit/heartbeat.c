/* SPDX-License-Identifier: MIT */
/*
 * Heartbeats [A20], both sides, in virtual time: a late beat, a peer that died and was
 * noticed, one that died and was back before anybody noticed.
 */
#include <errno.h>

#include "rill/heartbeat.h"
#include "rl_test.h"

#define MS	INT64_C(1000000)
#define DELAY	(20 * MS)		/* of the wire */
#define QUEUE	16

static const struct rill_hb_params par = { 100 * MS, 250 * MS, 1000 * MS };

/* A wire that delays, and cuts when it is told to. */
struct wire {
	struct { int64_t at_ns; uint8_t msg[RILL_HB_LEN]; } q[QUEUE];
	unsigned n;
};

/* A client of a server with a roster; connection numbers are the server's. */
struct world {
	int64_t	now_ns;
	struct rill_hb client;
	bool	client_dead;		/* its host has no power */
	struct rill_hb_msg me;
	uint64_t conn;			/* of the client's now */
	struct wire up, down;
	struct rill_hb_roster roster;
	struct rill_hb_peer peers[2];
	unsigned said[RILL_HB_STALE + 1], client_said[RILL_HB_STALE + 1];
	uint64_t closed[8];
	unsigned nclosed;
	unsigned beats;			/* that reached the server */
};

static void send(struct wire *w, int64_t now_ns, const struct rill_hb_msg *m)
{
	if (w->n == QUEUE)
		return;
	w->q[w->n].at_ns = now_ns + DELAY;
	rill_hb_put(m, w->q[w->n++].msg);
}

static bool take(struct wire *w, int64_t now_ns, struct rill_hb_msg *m)
{
	if (!w->n || w->q[0].at_ns > now_ns)
		return false;
	CHECK_EQ("a message", rill_hb_get(m, w->q[0].msg), 0);
	memmove(&w->q[0], &w->q[1], --w->n * sizeof(w->q[0]));
	return true;
}

static void say_hello(struct world *w, uint64_t conn)
{
	w->conn = conn;
	w->me.session++;
	w->me.hello = true;
	rill_hb_init(&w->client, &par, w->now_ns);
	send(&w->up, w->now_ns, &w->me);
	w->me.hello = false;
}

static void init(struct world *w)
{
	memset(w, 0, sizeof(*w));
	w->now_ns = 5000 * MS;
	w->me.name = 42;
	w->me.session = 1000;
	w->roster = (struct rill_hb_roster){ w->peers, 2, par };
	say_hello(w, 1);
}

static void close_conn(struct world *w, uint64_t conn)
{
	rill_hb_leave(&w->roster, conn);
	if (w->nclosed < 8)
		w->closed[w->nclosed++] = conn;
}

static void server(struct world *w)
{
	struct rill_hb_msg m;

	while (take(&w->up, w->now_ns, &m)) {
		uint64_t old = 0;
		int r = m.hello ? rill_hb_join(&w->roster, m.name, m.session, w->conn,
					       w->now_ns, &old)
				: (int)rill_hb_peer_heard(&w->roster, m.name, m.session,
							  w->now_ns);

		w->said[r]++;
		w->beats += !m.hello;
		if (r == RILL_HB_REPLACED)
			close_conn(w, old);
	}
	for (unsigned i = 0; i < w->roster.n; i++) {
		struct rill_hb_peer *p = &w->peers[i];
		enum rill_hb_say s;

		while (p->there && (s = rill_hb_next(&p->hb, w->now_ns)) != RILL_HB_NOTHING) {
			w->said[s]++;
			if (s == RILL_HB_BEAT)
				send(&w->down, w->now_ns, &w->me);
			if (s == RILL_HB_DEAD)
				close_conn(w, p->user);
		}
	}
}

static void client(struct world *w)
{
	struct rill_hb_msg m;
	enum rill_hb_say s;

	if (w->client_dead)
		return;
	while (take(&w->down, w->now_ns, &m))
		w->client_said[rill_hb_heard(&w->client, w->now_ns)]++;
	while ((s = rill_hb_next(&w->client, w->now_ns)) != RILL_HB_NOTHING) {
		w->client_said[s]++;
		if (s == RILL_HB_BEAT) {
			w->me.n++;
			send(&w->up, w->now_ns, &w->me);
		}
		if (s == RILL_HB_DEAD)
			break;
	}
}

static void run(struct world *w, int64_t ms)
{
	for (int64_t i = 0; i < ms; i++) {
		w->now_ns += MS;
		server(w);
		client(w);
	}
}

TEST(alive)
{
	struct world w;

	init(&w);
	run(&w, 5000);
	CHECK_EQ("joined", w.said[RILL_HB_NEW], 1);
	CHECK("a beat each 100 ms", w.beats >= 48 && w.beats <= 50);
	CHECK("from the server as well", w.said[RILL_HB_BEAT] >= 48);
	CHECK_EQ("never late", w.said[RILL_HB_LATE] + w.client_said[RILL_HB_LATE], 0);
	CHECK_EQ("nothing closed", w.nclosed, 0);
}

/* Case one: a beat comes late, nobody dies of it. */
TEST(late_beat)
{
	struct world w;

	init(&w);
	run(&w, 1000);
	for (unsigned i = 0; i < w.up.n; i++)	/* the network holds them back */
		w.up.q[i].at_ns += 400 * MS;
	w.client.sent_ns = w.now_ns + 300 * MS;
	run(&w, 1500);
	CHECK_EQ("told once", w.said[RILL_HB_LATE], 1);
	CHECK_EQ("and that it is back", w.said[RILL_HB_BACK], 1);
	CHECK_EQ("not dead", w.said[RILL_HB_DEAD], 0);
	CHECK_EQ("nothing closed", w.nclosed, 0);
	CHECK("it is there", rill_hb_of(&w.roster, 1));
}

/* Case two: the peer died, which is noticed; it may come back afterwards. */
TEST(dead_and_noticed)
{
	struct world w;
	int64_t died_ns;

	init(&w);
	run(&w, 1000);
	w.client_dead = true;
	died_ns = w.now_ns;
	while (!w.said[RILL_HB_DEAD] && w.now_ns < died_ns + 3000 * MS)
		run(&w, 1);
	CHECK_EQ("late first", w.said[RILL_HB_LATE], 1);
	CHECK("not before its time", w.now_ns - died_ns >= 900 * MS);
	CHECK("within the limit after the last beat", w.now_ns - died_ns <= 1000 * MS + DELAY);
	CHECK_EQ("its connection was closed", w.nclosed, 1);
	CHECK_EQ("that one", w.closed[0], 1);
	run(&w, 2000);
	CHECK_EQ("told once", w.said[RILL_HB_DEAD], 1);
	CHECK_EQ("nothing to wait for", rill_hb_roster_deadline(&w.roster), INT64_MAX);
	w.client_dead = false;
	say_hello(&w, 2);
	run(&w, 1000);
	CHECK_EQ("new again", w.said[RILL_HB_NEW], 2);
	CHECK_EQ("no second death", w.said[RILL_HB_DEAD], 1);
}

/* Case three: it died and connected again before that was noticed. */
TEST(dead_and_back_before_noticed)
{
	struct rill_hb_msg old;
	struct world w;

	init(&w);
	run(&w, 1000);
	old = w.me;
	w.client_dead = true;
	run(&w, 500);				/* late, not dead */
	w.client_dead = false;
	say_hello(&w, 2);
	run(&w, 100);
	CHECK_EQ("replaced", w.said[RILL_HB_REPLACED], 1);
	CHECK_EQ("the old connection was closed", w.nclosed, 1);
	CHECK_EQ("that one", w.closed[0], 1);
	CHECK("the new one is there", rill_hb_of(&w.roster, 2));
	CHECK("the old one is not", !rill_hb_of(&w.roster, 1));
	/* what the old connection still held */
	send(&w.up, w.now_ns, &old);
	run(&w, DELAY / MS + 1);
	CHECK_EQ("does not count", w.said[RILL_HB_STALE], 1);
	old.hello = true;
	send(&w.up, w.now_ns, &old);
	run(&w, DELAY / MS + 1);
	CHECK_EQ("nor does its hello", w.said[RILL_HB_STALE], 2);
	run(&w, 3000);
	CHECK_EQ("nobody died", w.said[RILL_HB_DEAD], 0);
	/* the close of the old connection is seen late */
	rill_hb_leave(&w.roster, 1);
	CHECK("the new one stays", rill_hb_of(&w.roster, 2));
}

/* A beat of the old session must not keep a new one alive. */
TEST(old_beats_do_not_help)
{
	struct rill_hb_msg old;
	struct world w;

	init(&w);
	run(&w, 500);
	old = w.me;
	say_hello(&w, 2);
	run(&w, 100);
	w.client_dead = true;
	for (int i = 0; i < 30; i++) {
		send(&w.up, w.now_ns, &old);
		run(&w, 50);
	}
	CHECK_EQ("dead all the same", w.said[RILL_HB_DEAD], 1);
}

TEST(the_client_notices_too)
{
	struct world w;

	init(&w);
	run(&w, 1000);
	w.roster.n = 0;				/* the server is gone */
	run(&w, 2000);
	CHECK_EQ("late", w.client_said[RILL_HB_LATE], 1);
	CHECK("dead", w.client_said[RILL_HB_DEAD] > 0);
	CHECK_EQ("for good", rill_hb_heard(&w.client, w.now_ns), RILL_HB_DEAD);
	CHECK_EQ("no deadline", rill_hb_deadline(&w.client), INT64_MAX);
}

/* Asked at its deadlines alone, it says the same as asked each millisecond. */
TEST(deadlines)
{
	int64_t now_ns = 0, last_ns = -1;
	unsigned said[RILL_HB_STALE + 1] = { 0 };
	enum rill_hb_say s = RILL_HB_NOTHING;
	struct rill_hb hb;

	CHECK_EQ("init", rill_hb_init(&hb, &par, 0), 0);
	while (s != RILL_HB_DEAD && now_ns < 5000 * MS) {
		now_ns = rill_hb_deadline(&hb);
		CHECK("moves on", now_ns > last_ns);
		last_ns = now_ns;
		while ((s = rill_hb_next(&hb, now_ns)) != RILL_HB_NOTHING) {
			said[s]++;
			if (s == RILL_HB_DEAD)
				break;
		}
		CHECK("something was due", s == RILL_HB_DEAD || said[RILL_HB_BEAT]);
	}
	CHECK_EQ("beats", said[RILL_HB_BEAT], 9);
	CHECK_EQ("late", said[RILL_HB_LATE], 1);
	CHECK_EQ("dead at its time", now_ns, 1000 * MS);
}

/* One who slept is not to blame the other: what waits is heard first. */
TEST(a_program_that_slept)
{
	struct rill_hb hb;

	rill_hb_init(&hb, &par, 0);
	CHECK_EQ("bytes waited", rill_hb_heard(&hb, 9000 * MS), RILL_HB_NOTHING);
	CHECK_EQ("one beat for all that were missed", rill_hb_next(&hb, 9000 * MS), RILL_HB_BEAT);
	CHECK_EQ("and no more", rill_hb_next(&hb, 9000 * MS), RILL_HB_NOTHING);
	rill_hb_sent(&hb, 9050 * MS);		/* other data */
	CHECK_EQ("which is as good", rill_hb_next(&hb, 9149 * MS), RILL_HB_NOTHING);
	CHECK_EQ("for its time", rill_hb_next(&hb, 9150 * MS), RILL_HB_BEAT);
}

/* The other way in: bytes of a stream, and one question about all. */
TEST(bytes_and_roster)
{
	struct rill_hb_peer peers[3] = { { .there = false } }, *who;
	struct rill_hb_roster r = { peers, 3, par };
	struct rill_hb_msg m = { .hello = true, .name = 9, .session = 5 };
	uint8_t buf[RILL_HB_LEN];
	uint64_t old = 0;

	rill_hb_put(&m, buf);
	CHECK_EQ("too short", rill_hb_bytes(&r, 1, buf, RILL_HB_LEN - 1, 0, &old), -EBADMSG);
	CHECK_EQ("hello", rill_hb_bytes(&r, 1, buf, sizeof(buf), 0, &old), RILL_HB_NEW);
	CHECK_EQ("anything", rill_hb_bytes(&r, 1, "x", 1, 50 * MS, &old), RILL_HB_NOTHING);
	m.hello = false;
	rill_hb_put(&m, buf);
	CHECK_EQ("a beat is no hello", rill_hb_bytes(&r, 2, buf, sizeof(buf), 0, &old), -EBADMSG);
	m = (struct rill_hb_msg){ .hello = true, .name = 9, .session = 6 };
	rill_hb_put(&m, buf);
	CHECK_EQ("again", rill_hb_bytes(&r, 2, buf, sizeof(buf), 60 * MS, &old), RILL_HB_REPLACED);
	CHECK_EQ("the old one", old, 1);
	m.name = 8;
	rill_hb_put(&m, buf);
	CHECK_EQ("another", rill_hb_bytes(&r, 3, buf, sizeof(buf), 900 * MS, &old), RILL_HB_NEW);
	CHECK_EQ("late", rill_hb_roster_next(&r, 1000 * MS, &who), RILL_HB_LATE);
	CHECK_EQ("who", who->user, 2);
	CHECK_EQ("beat", rill_hb_roster_next(&r, 1000 * MS, &who), RILL_HB_BEAT);
	CHECK_EQ("to it", who->user, 2);
	CHECK_EQ("beat", rill_hb_roster_next(&r, 1000 * MS, &who), RILL_HB_BEAT);
	CHECK_EQ("to the other", who->user, 3);
	CHECK_EQ("that is all", rill_hb_roster_next(&r, 1000 * MS, &who), RILL_HB_NOTHING);
	CHECK_EQ("dead", rill_hb_roster_next(&r, 1060 * MS, &who), RILL_HB_DEAD);
	CHECK_EQ("who", who->user, 2);
	rill_hb_leave(&r, 2);
	CHECK_EQ("the other lives", rill_hb_roster_next(&r, 1060 * MS, &who), RILL_HB_NOTHING);
	CHECK_STR("word", rill_hb_word(RILL_HB_REPLACED), "replaced");
	CHECK_STR("no word", rill_hb_word(99), "?");
}

TEST(what_is_refused)
{
	static const struct rill_hb_params wrong[] = {
		{ 0, 2, 3 }, { 2, 2, 3 }, { 1, 3, 3 }, { 1, -1, 3 },
	};
	struct rill_hb_roster r;
	struct rill_hb_peer peers[1] = { { .there = false } };
	uint8_t bytes[RILL_HB_LEN] = "GET / HTTP/1.0";
	struct rill_hb_msg m;
	struct rill_hb hb;
	uint64_t old;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		CHECK_EQ("parameters", rill_hb_init(&hb, &wrong[i], 0), -EINVAL);
		r = (struct rill_hb_roster){ peers, 1, wrong[i] };
		CHECK_EQ("of a roster", rill_hb_join(&r, 1, 1, 1, 0, &old), -EINVAL);
	}
	r = (struct rill_hb_roster){ peers, 1, par };
	CHECK_EQ("the first", rill_hb_join(&r, 1, 1, 1, 0, &old), RILL_HB_NEW);
	CHECK_EQ("again", rill_hb_join(&r, 1, 1, 1, 0, &old), RILL_HB_NOTHING);
	CHECK_EQ("no room", rill_hb_join(&r, 2, 1, 2, 0, &old), -ENOSPC);
	CHECK_EQ("nobody of that name", rill_hb_peer_heard(&r, 2, 1, 0), RILL_HB_STALE);
	CHECK_EQ("other bytes", rill_hb_get(&m, bytes), -EBADMSG);
}
