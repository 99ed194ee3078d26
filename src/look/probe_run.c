/* SPDX-License-Identifier: MIT */
/*
 * Which probe is sent when, and whose answer this is.  No clock and no socket:
 * the caller says what time it is, so that tests are exact.
 *
 * Probes are numbered; the lower 16 bits go over the wire.  A ring holds the
 * latest of them, the waiting ones among them in the order they were sent, so
 * that `oldest` only ever moves forward.  A probe that waits has a lane (its query
 * number) and counts in waiting; once its fate is known it never waits again, but
 * an answer that comes after all still turns loss into a delay.
 *
 * `end` falls when the destination, or a refusal, answers at a lower TTL: what lies
 * behind is not asked, and what was asked already does not count.
 */
#include "look/probe.h"

#include <string.h>

static struct probe_slot *slot(struct probe_run *r, uint64_t number)
{
	return &r->ring[number % PROBE_RING];
}

void probe_run_start(struct probe_run *r, const struct probe_plan *plan, int64_t now_ns)
{
	memset(r, 0, sizeof(*r));
	r->plan = *plan;
	r->end = plan->last;
	r->next_ns = now_ns;
	r->next_number = r->oldest = 1;
	for (unsigned q = 0; q < plan->queries; q++)
		r->next_ttl[q] = plan->first;
}

/* ---- the fate of probes ---- */

static void settle(struct probe_run *r, struct probe_slot *s, enum probe_slot_state state)
{
	s->state = (uint8_t)state;
	r->waiting--;
	r->lane_waiting[s->query]--;
	r->hop[s->ttl].settled++;
}

static void lose(struct probe_run *r, struct probe_slot *s)
{
	settle(r, s, PROBE_LOST);
	r->hop[s->ttl].stat.lost++;
}

/* Probes behind the end were one too many: they are forgotten, not lost. */
static void shorten(struct probe_run *r, unsigned ttl)
{
	if (ttl >= r->end)
		return;
	r->end = ttl;
	for (uint64_t i = r->oldest; i < r->next_number; i++) {
		struct probe_slot *s = slot(r, i);

		if (s->state == PROBE_WAITING && s->ttl > ttl) {
			settle(r, s, PROBE_FREE);
			r->hop[s->ttl].stat.sent--;
		}
	}
}

static void skip_settled(struct probe_run *r)
{
	while (r->oldest < r->next_number && slot(r, r->oldest)->state != PROBE_WAITING)
		r->oldest++;
}

bool probe_run_expire(struct probe_run *r, int64_t now_ns, struct probe_slot *out)
{
	struct probe_slot *s;

	skip_settled(r);
	s = slot(r, r->oldest);
	if (r->oldest == r->next_number || s->sent_ns + r->plan.wait_ns > now_ns)
		return false;
	lose(r, s);
	*out = *s;
	return true;
}

/* ---- sending ---- */

static bool all_sent(const struct probe_run *r)
{
	if (r->plan.interval_ns)
		return r->plan.rounds && r->round >= r->plan.rounds;
	for (unsigned q = 0; q < r->plan.queries; q++)
		if (r->next_ttl[q] <= r->end)
			return false;
	return true;
}

/* Of the query numbers that may go, the one that is nearest; -1: none. */
static int pick_query(const struct probe_run *r)
{
	int best = -1;

	if (r->waiting >= r->plan.window)
		return -1;
	for (unsigned q = 0; q < r->plan.queries; q++) {
		if (r->next_ttl[q] > r->end || (r->plan.lanes && r->lane_waiting[q]))
			continue;
		if (best < 0 || r->next_ttl[q] < r->next_ttl[best])
			best = (int)q;
	}
	return best;
}

static void send_one(struct probe_run *r, unsigned ttl, unsigned query, int64_t now_ns,
		     struct probe_shot *shot)
{
	struct probe_slot *s = slot(r, r->next_number);

	if (s->state == PROBE_WAITING)		/* the ring is full of them */
		lose(r, s);
	skip_settled(r);
	*s = (struct probe_slot){ .sent_ns = now_ns, .number = r->next_number,
				  .state = PROBE_WAITING, .ttl = (uint8_t)ttl,
				  .query = (uint8_t)query };
	*shot = (struct probe_shot){ (uint16_t)r->next_number, r->next_number, ttl, query };
	r->next_number++;
	r->waiting++;
	r->lane_waiting[query]++;
	r->hop[ttl].stat.sent++;
	r->hop[ttl].ans[query] = (struct probe_answer){ .what = PROBE_SILENT };
}

/* With an interval: the TTLs of a round take turns, evenly spread. */
static bool next_in_round(struct probe_run *r, int64_t now_ns, struct probe_shot *shot)
{
	unsigned n = r->end - r->plan.first + 1, ttl = r->next_ttl[0];

	if (all_sent(r) || now_ns < r->next_ns)
		return false;
	send_one(r, ttl, 0, now_ns, shot);
	r->next_ns += r->plan.interval_ns / n;
	if (r->next_ns + r->plan.interval_ns < now_ns)
		r->next_ns = now_ns;		/* we slept: no burst to catch up */
	if (ttl < r->end) {
		r->next_ttl[0]++;
	} else {
		r->next_ttl[0] = r->plan.first;
		r->round++;
	}
	return true;
}

bool probe_run_next(struct probe_run *r, int64_t now_ns, struct probe_shot *shot)
{
	int q;

	if (r->plan.interval_ns) {
		if (r->next_ttl[0] > r->end) {	/* the path became shorter */
			r->next_ttl[0] = r->plan.first;
			r->round++;
		}
		return next_in_round(r, now_ns, shot);
	}
	q = pick_query(r);
	if (q < 0)
		return false;
	send_one(r, r->next_ttl[q]++, (unsigned)q, now_ns, shot);
	return true;
}

int64_t probe_run_due(const struct probe_run *r)
{
	int64_t due = PROBE_NEVER;

	for (uint64_t i = r->oldest; i < r->next_number; i++) {
		const struct probe_slot *s = &r->ring[i % PROBE_RING];

		if (s->state == PROBE_WAITING) {
			due = s->sent_ns + r->plan.wait_ns;
			break;
		}
	}
	if (r->plan.interval_ns && !all_sent(r) && r->next_ns < due)
		due = r->next_ns;
	if (!r->plan.interval_ns && pick_query(r) >= 0)
		due = 0;
	return due;
}

bool probe_run_over(const struct probe_run *r)
{
	return !r->waiting && all_sent(r);
}

void probe_run_stop(struct probe_run *r, bool lose_them)
{
	for (uint64_t i = r->oldest; i < r->next_number; i++) {
		struct probe_slot *s = slot(r, i);

		if (s->state != PROBE_WAITING)
			continue;
		if (lose_them) {
			lose(r, s);
		} else {
			settle(r, s, PROBE_FREE);
			r->hop[s->ttl].stat.sent--;
		}
	}
	r->plan.rounds = r->round = 1;
	for (unsigned q = 0; q < r->plan.queries; q++)
		r->next_ttl[q] = r->end + 1;
}

bool probe_hop_done(const struct probe_run *r, unsigned ttl)
{
	const struct probe_hop *h = &r->hop[ttl];

	return h->stat.sent >= r->plan.queries && h->settled >= r->plan.queries;
}

/* ---- answers ---- */

/* The latest probe with these 16 bits; NULL: none that is remembered. */
static const struct probe_slot *by_seq(const struct probe_run *r, uint16_t seq)
{
	uint64_t back = (uint16_t)((uint16_t)r->next_number - seq);

	if (!back || back >= r->next_number || back > PROBE_RING)
		return NULL;
	return &r->ring[(r->next_number - back) % PROBE_RING];
}

bool probe_run_waits(const struct probe_run *r, uint16_t seq)
{
	const struct probe_slot *s = by_seq(r, seq);

	return s && s->state == PROBE_WAITING;
}

/* An answer that does not say is taken for the oldest probe's. */
static struct probe_slot *whose(struct probe_run *r, const struct probe_answer *a)
{
	const struct probe_slot *s;

	if (a->has_seq) {
		s = by_seq(r, a->seq);
		return s ? slot(r, s->number) : NULL;
	}
	skip_settled(r);
	if (r->oldest == r->next_number)
		return NULL;
	r->guessed++;
	return slot(r, r->oldest);
}

static void note_addr(struct probe_hop *h, const struct rill_ip *ip)
{
	for (unsigned i = 0; i < h->naddrs; i++)
		if (!memcmp(h->addr[i].b, ip->b, sizeof(ip->b)))
			return;
	if (h->naddrs < PROBE_ADDRS)
		h->addr[h->naddrs++] = *ip;
}

static void account(struct probe_run *r, const struct probe_slot *s,
		    const struct probe_answer *a, int64_t rtt_ns)
{
	struct probe_hop *h = &r->hop[s->ttl];

	probe_stat_add(&h->stat, rtt_ns);
	note_addr(h, &a->from);
	h->ans[s->query] = *a;
	h->rtt_ns[s->query] = rtt_ns;
	if (a->what == PROBE_REFUSED)
		h->refusal = *a;
	if (a->what == PROBE_REACHED)
		h->reached = true;
	if (a->what == PROBE_REACHED || (a->what == PROBE_REFUSED && !r->plan.interval_ns))
		shorten(r, s->ttl);
}

/* What a refusal tells of a probe that nobody has to wait for now. */
static enum probe_taken take_error(struct probe_run *r, struct probe_slot *s,
				   const struct probe_answer *a)
{
	struct probe_hop *h = &r->hop[s->ttl];

	if (s->state == PROBE_WAITING)
		lose(r, s);
	h->stat.errors++;
	h->refusal = *a;
	return PROBE_ERROR;
}

enum probe_taken probe_run_answer(struct probe_run *r, const struct probe_answer *a,
				  struct probe_slot *out, int64_t *rtt_ns)
{
	struct probe_slot *s = whose(r, a);
	enum probe_taken taken = PROBE_FIRST;

	if (!s || s->state == PROBE_FREE) {
		r->strays++;
		return PROBE_STRAY;
	}
	*rtt_ns = a->at_ns > s->sent_ns ? a->at_ns - s->sent_ns : 0;
	*out = *s;
	if (s->state == PROBE_ANSWERED) {
		r->hop[s->ttl].stat.dup++;
		return PROBE_DUP;
	}
	if (r->plan.echo && a->what != PROBE_REACHED)
		return take_error(r, s, a);
	if (s->state == PROBE_WAITING) {
		settle(r, s, PROBE_ANSWERED);
	} else {
		taken = PROBE_LATE;
		s->state = PROBE_ANSWERED;
		r->hop[s->ttl].stat.lost--;
	}
	account(r, s, a, *rtt_ns);
	return taken;
}
