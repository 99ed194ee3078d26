/* SPDX-License-Identifier: MIT */
/*
 * The table of tracked connections: look-up, new ones, the last word on each,
 * eviction when it is full.
 *
 * A connection is on one of three lists, oldest first: those that live, by their last
 * segment; those that are over; those that were told, too.  What is over is told
 * LINGER_NS later, so that late repetitions count, and kept KEEP_NS longer, so that
 * they do not look like new connections.  When the table is full the oldest that was
 * told goes, else the oldest that is over, else the oldest that lives, which is
 * counted.  Called by `rill track` and `rill dump`.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/hash.h"
#include "look/track_int.h"

#include "rill/stack.h"

#define LINGER_NS	(1 * RL_SEC)
#define KEEP_NS		(60 * RL_SEC)

struct track {
	struct track_conf conf;
	struct track_totals totals;
	struct list	live, over, told;
	unsigned	mask;
	int64_t		now_ns;
	struct track_conn *bucket[];
};

static const char *const over_words[] = {
#define OVER(name, word, help) word,
#include "look/track_ends.def"
#undef OVER
};

static const struct {
	const char *word, *help;
} reset_words[] = {
#define RESET(name, word, help) { word, help },
#include "look/track_ends.def"
#undef RESET
};

static const char *const mark_texts[] = {
#define MARK(name, text) text,
#include "look/track_marks.def"
#undef MARK
};

static const char *const mark_names[] = {
#define MARK(name, text) #name,
#include "look/track_marks.def"
#undef MARK
};

const char *track_over_name(enum track_over o)
{
	return over_words[o];
}

const char *track_reset_name(enum track_reset r)
{
	return reset_words[r].word;
}

const char *track_reset_help(enum track_reset r)
{
	return reset_words[r].help;
}

const char *track_mark_name(enum track_mark_bit bit)
{
	return mark_names[bit];
}

const char *track_mark_text(unsigned marks)
{
	/* why it was sent again says more than that it was */
	if (marks & (TRACK_FAST | TRACK_TIMEOUT | TRACK_TAIL_PROBE))
		marks &= ~(unsigned)TRACK_RETX;
	for (unsigned i = 0; i < TRACK_BITS; i++)
		if (marks & 1u << i)
			return mark_texts[i];
	return "";
}

/* ---- the table ---- */

/* Both directions of a connection hash alike: the lower end first. */
static uint32_t bucket_of(const struct track *t, const struct look_seg *s)
{
	struct {
		struct rill_ip a, b;
		uint16_t ap, bp;
	} key = { s->src, s->dst, s->sport, s->dport };
	struct rl_key secret = { t->conf.seed[0], t->conf.seed[1] };
	int order = memcmp(&s->src, &s->dst, sizeof(s->src));

	if (order > 0 || (!order && s->sport > s->dport)) {
		key.a = s->dst;
		key.b = s->src;
		key.ap = s->dport;
		key.bp = s->sport;
	}
	return (uint32_t)rl_siphash13(&secret, &key, 36) & t->mask;
}

static bool is_end(const struct track_end *e, const struct rill_ip *ip, uint16_t port)
{
	return e->port == port && rl_ip_eq(&e->ip, ip);
}

/* Return: the end that sent @s, or -1: another connection's. */
static int sender(const struct track_conn *c, const struct look_seg *s)
{
	for (int i = 0; i < 2; i++)
		if (is_end(&c->end[i], &s->src, s->sport) &&
		    is_end(&c->end[!i], &s->dst, s->dport))
			return i;
	return -1;
}

static void forget(struct track *t, struct track_conn *c)
{
	struct track_conn **at = &t->bucket[c->bucket];

	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	list_del(&c->lru);
	t->totals.kept--;
	free(c);
}

static void tell(struct track *t, struct track_conn *c)
{
	if (c->reported)
		return;
	c->reported = true;
	for (int i = 0; i < 2; i++) {		/* windows that are still closed */
		struct track_end *e = &c->end[i];
		int64_t ns = e->zero_ns < 0 ? 0 : RL_MAX(c->last_ns - e->zero_ns, 0);

		e->n.zero_window_us += (uint64_t)ns / 1000;
		e->zero_ns = -1;
	}
	list_del(&c->lru);
	list_add_tail(&t->told, &c->lru);
	if (t->conf.conn)
		t->conf.conn(t->conf.ctx, c);
}

static void evict(struct track *t)
{
	struct track_conn *c;

	if (!list_empty(&t->told)) {
		c = list_first(&t->told, struct track_conn, lru);
	} else if (!list_empty(&t->over)) {
		c = list_first(&t->over, struct track_conn, lru);
	} else {
		c = list_first(&t->live, struct track_conn, lru);
		c->over = TRACK_OVER_EVICTED;
		t->totals.evicted++;
	}
	tell(t, c);
	forget(t, c);
}

static void init_end(struct track_end *e, const struct rill_ip *ip, uint16_t port, uint8_t state)
{
	e->ip = *ip;
	e->port = port;
	e->state = state;
	e->zero_ns = e->data_ns = e->ack_ns = -1;
	e->n.rtt_min_us = UINT64_MAX;
}

/* The first segment tells who opens: the sender of a SYN, the receiver of a SYN+ACK. */
static struct track_conn *new_conn(struct track *t, const struct look_seg *s, uint32_t bucket)
{
	bool syn = s->flags & TH_SYN, answer = syn && (s->flags & TH_ACK);
	struct track_conn *c;

	if (t->totals.kept >= t->conf.max_conns)
		evict(t);
	c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	c->id = t->totals.conns++;
	c->first_ns = c->last_ns = s->at_ns;
	c->has_opener = syn;
	c->syn_ns = c->synack_ns = c->open_ns = c->over_ns = c->close_ns = -1;
	c->closer = c->reset_by = -1;
	init_end(&c->end[answer], &s->src, s->sport,
		 syn ? answer ? RILL_LISTEN : RILL_CLOSE : RILL_ESTABLISHED);
	init_end(&c->end[!answer], &s->dst, s->dport,
		 syn ? answer ? RILL_SYN_SENT : RILL_LISTEN : RILL_ESTABLISHED);
	c->bucket = bucket;
	c->next = t->bucket[bucket];
	t->bucket[bucket] = c;
	list_add_tail(&t->live, &c->lru);
	t->totals.kept++;
	t->totals.kept_max = RL_MAX(t->totals.kept_max, t->totals.kept);
	return c;
}

/*
 * A SYN with another number than the one seen begins anew; so does one after the
 * end.  An end whose SYN was not seen may be opening from both sides.
 */
static bool begins_anew(const struct track_conn *c, int from, const struct look_seg *s)
{
	const struct track_end *a = &c->end[from];

	if (!(s->flags & TH_SYN) || (s->flags & TH_ACK))
		return false;
	if (a->has_isn)
		return !seq_eq(a->isn, s->seq);
	return a->any || rl_track_over(c);
}

static struct track_conn *find(struct track *t, const struct look_seg *s, uint32_t bucket,
			       int *from)
{
	for (struct track_conn *c = t->bucket[bucket]; c; c = c->next) {
		*from = sender(c, s);
		if (*from < 0)
			continue;
		if (!begins_anew(c, *from, s))
			return c;
		if (!rl_track_over(c))
			c->over = TRACK_OVER_REPLACED;
		tell(t, c);
		forget(t, c);
		return NULL;
	}
	return NULL;
}

/* ---- one segment ---- */

static void count(struct track_conn *c, int from, const struct look_seg *s)
{
	struct track_end *a = &c->end[from];
	uint32_t segs = track_segs(c, from, s->len);

	a->n.frames++;
	a->n.segs += RL_MAX(segs, 1);
	if (s->len) {
		a->n.data_segs += segs;
		a->n.bytes_sent += s->len;
	}
	if (s->flags & TH_RST) {
		a->n.resets++;
	} else {
		a->same_ttl = a->ttl == s->ttl ? a->same_ttl + 1 : 1;
		a->ttl = s->ttl;
	}
}

/* The same packet on its way through several interfaces counts once. */
static bool is_copy(struct track_end *a, const struct look_seg *s)
{
	if (!a->n.frames)
		a->ifindex = s->ifindex;
	return a->ifindex != s->ifindex;
}

static void keep_order(struct track *t, struct track_conn *c, bool was_over)
{
	if (was_over)
		return;			/* by the time it ended */
	list_del(&c->lru);
	list_add_tail(rl_track_over(c) ? &t->over : &t->live, &c->lru);
}

static void segment(struct track *t, struct track_conn *c, int from, const struct look_seg *s)
{
	bool was_over = rl_track_over(c);
	unsigned marks;

	t->totals.late += c->reported;
	if (is_copy(&c->end[from], s)) {
		c->end[from].n.copies++;
		return;
	}
	c->last_ns = RL_MAX(c->last_ns, s->at_ns);
	count(c, from, s);
	marks = rl_track_sent(c, from, s);
	marks |= rl_track_acks(c, from, s);
	marks |= rl_track_window(c, from, s);
	rl_track_state(c, from, s, &marks);
	c->end[!from].unanswered = 0;
	if (!c->reported && t->conf.seg)
		t->conf.seg(t->conf.ctx, c, s, from, marks);
	keep_order(t, c, was_over);
}

/* A broken capture has any time: none that is taken for "not yet" or overflows. */
static int64_t sane(int64_t at_ns)
{
	return at_ns < 0 ? 0 : RL_MIN(at_ns, INT64_MAX / 4);
}

int track_segment(struct track *t, const struct look_seg *seg)
{
	struct look_seg in = *seg, *s = &in;
	uint32_t bucket = bucket_of(t, s);
	struct track_conn *c;
	int from = 0;

	s->at_ns = sane(seg->at_ns);
	t->totals.segments++;
	track_tick(t, s->at_ns);
	c = find(t, s, bucket, &from);
	if (!c) {
		c = new_conn(t, s, bucket);
		if (!c)
			return -ENOMEM;
		from = sender(c, s);
	}
	segment(t, c, from, s);
	return 0;
}

void track_tick(struct track *t, int64_t now_ns)
{
	t->now_ns = RL_MAX(t->now_ns, now_ns);
	while (!list_empty(&t->over)) {
		struct track_conn *c = list_first(&t->over, struct track_conn, lru);

		if (t->now_ns - c->over_ns < LINGER_NS)
			break;
		tell(t, c);		/* takes it off this list */
	}
	while (!list_empty(&t->told)) {
		struct track_conn *c = list_first(&t->told, struct track_conn, lru);

		if (t->now_ns - c->over_ns < LINGER_NS + KEEP_NS)
			break;
		forget(t, c);
	}
}

void track_finish(struct track *t)
{
	struct list *lists[] = { &t->over, &t->live, &t->told };

	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		while (!list_empty(lists[i])) {
			struct track_conn *c = list_first(lists[i], struct track_conn, lru);

			tell(t, c);
			forget(t, c);
		}
}

/* ---- the tracker ---- */

struct track *track_new(const struct track_conf *conf)
{
	unsigned buckets = 64;
	struct track *t;

	while (buckets < conf->max_conns && buckets < 1u << 24)
		buckets *= 2;
	t = calloc(1, sizeof(*t) + buckets * sizeof(struct track_conn *));
	if (!t)
		return NULL;
	t->conf = *conf;
	t->conf.max_conns = RL_MAX(conf->max_conns, 1);
	t->mask = buckets - 1;
	t->now_ns = INT64_MIN / 2;
	list_init(&t->live);
	list_init(&t->over);
	list_init(&t->told);
	return t;
}

void track_free(struct track *t)
{
	if (!t)
		return;
	t->conf.conn = NULL;
	track_finish(t);
	free(t);
}

const struct track_totals *track_totals(const struct track *t)
{
	return &t->totals;
}
