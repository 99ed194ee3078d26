/* SPDX-License-Identifier: MIT */
/*
 * Wrapper that does to packets what bad networks do: loss (alone or in bursts),
 * duplication, reordering, delay, jitter, a rate with a queue, corruption, in
 * each direction by its own parameters.
 *
 * A packet's way: super-segments are cut, so that each segment has a fate of its
 * own -> lost? -> wait for the rate, or full queue -> delay -> corrupted? ->
 * duplicated? -> held back behind later ones? -> a heap by time and number ->
 * out.  All chance comes from one seed, a stream per direction, and every packet
 * draws in the same order: same seed and same packets, same faults.
 *
 * A corrupted packet has one bit wrong behind its link header (a link's own
 * check sum would have caught the rest): one bit is what the Internet checksum
 * is sure to see, so whatever gets through is the stack's fault.
 */
#include <errno.h>
#include <stdlib.h>

#include "buf/segment.h"
#include "dev/dev_int.h"
#include "dev/fault.h"

#define HOLD_MAX	8		/* packets held back at one time */
#define HOLD_BEHIND	4		/* behind up to that many later ones */
#define HOLD_NS		(5 * RL_MS)	/* or for that long */
#define HEAP_MAX	(1u << 20)	/* packets under way */
#define QUEUE_DFLT	1000u
#define BATCH		32

struct entry {
	int64_t		at_ns;
	uint64_t	number;
	struct rill_pkt	*p;
};

struct held {
	struct entry	e;
	unsigned	behind;		/* later packets to let pass */
};

struct line {				/* one direction */
	struct rl_fault_par par;
	uint64_t	rnd[4];
	bool		losing;		/* inside a burst */
	int64_t		last_ns;	/* jitter alone keeps the order */
	uint64_t	drops;

	int64_t		free_ns;	/* when the rate lets the next one start */
	int64_t		*departs;	/* ring: departures of those that wait */
	uint32_t	dep_head, dep_n;

	struct held	held[HOLD_MAX];
	unsigned	nheld;
	struct entry	*heap;
	uint32_t	n, cap;
	uint64_t	number;
};

struct fault {
	struct rl_dev	d;
	struct rill_stack *st;		/* owner of what is under way */
	struct line	line[RL_FAULT_DIRS];
};

static struct fault *to_fault(struct rl_dev *d)
{
	return container_of(d, struct fault, d);
}

/* ---- chance: xoshiro256** (Blackman, Vigna 2018), seeded by splitmix64 ---- */

static uint64_t splitmix(uint64_t *s)
{
	uint64_t z = *s += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static uint64_t rotl(uint64_t v, int n)
{
	return v << n | v >> (64 - n);
}

static uint64_t draw(struct line *l)
{
	uint64_t *s = l->rnd, r = rotl(s[1] * 5, 7) * 9, t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotl(s[3], 45);
	return r;
}

/* Uniform in [0, @n). */
static uint64_t below(struct line *l, uint64_t n)
{
	return n ? draw(l) % n : 0;
}

static bool chance(struct line *l, uint32_t ppm)
{
	return below(l, 1000000) < ppm;
}

/* ---- the heap of packets under way ---- */

static bool before(const struct entry *a, const struct entry *b)
{
	return a->at_ns < b->at_ns || (a->at_ns == b->at_ns && a->number < b->number);
}

static bool reserve(struct line *l)
{
	uint32_t cap = l->cap ? l->cap * 2 : 256;
	struct entry *h;

	if (l->n < l->cap)
		return true;
	if (l->n >= HEAP_MAX)
		return false;
	h = realloc(l->heap, cap * sizeof(*h));
	if (!h)
		return false;
	l->heap = h;
	l->cap = cap;
	return true;
}

static void push(struct fault *f, struct line *l, struct entry e)
{
	uint32_t i;

	if (!reserve(l)) {
		l->drops++;
		rl_pkt_free(&f->st->bufs, e.p);
		return;
	}
	for (i = l->n++; i && before(&e, &l->heap[(i - 1) / 2]); i = (i - 1) / 2)
		l->heap[i] = l->heap[(i - 1) / 2];
	l->heap[i] = e;
}

static struct rill_pkt *pop(struct line *l)
{
	struct rill_pkt *p = l->heap[0].p;
	struct entry e = l->heap[--l->n];
	uint32_t i = 0, c;

	while ((c = 2 * i + 1) < l->n) {
		if (c + 1 < l->n && before(&l->heap[c + 1], &l->heap[c]))
			c++;
		if (!before(&l->heap[c], &e))
			break;
		l->heap[i] = l->heap[c];
		i = c;
	}
	l->heap[i] = e;
	return p;
}

/* ---- the faults ---- */

/*
 * Two states, lost and not, whose mean stay gives the mean length of a burst
 * and, together, the rate of loss (Gilbert 1960).
 */
static bool is_lost(struct line *l)
{
	const struct rl_fault_par *par = &l->par;
	uint64_t leave, enter;

	if (!par->burst_milli)
		return chance(l, par->loss_ppm);
	leave = UINT64_C(1000000000) / par->burst_milli;
	enter = par->loss_ppm < 1000000 ?
		leave * par->loss_ppm / (1000000 - par->loss_ppm) : 1000000;
	if (l->losing)
		l->losing = !chance(l, (uint32_t)leave);
	else
		l->losing = chance(l, (uint32_t)RL_MIN(enter, 1000000u));
	return l->losing;
}

/* When a packet of @len bytes leaves the bottleneck; false: its queue is full. */
static bool pass_rate(struct line *l, int64_t now, uint32_t len, int64_t *depart)
{
	uint32_t cap = l->par.queue;

	*depart = now;
	if (!l->par.rate_bps)
		return true;
	while (l->dep_n && l->departs[l->dep_head] <= now) {
		l->dep_head = (l->dep_head + 1) % cap;
		l->dep_n--;
	}
	if (l->dep_n == cap)
		return false;
	l->free_ns = RL_MAX(l->free_ns, now) +
		     (int64_t)((uint64_t)len * 8 * UINT64_C(1000000000) / l->par.rate_bps);
	*depart = l->free_ns;
	l->departs[(l->dep_head + l->dep_n++) % cap] = *depart;
	return true;
}

static int64_t delayed(struct line *l, int64_t at)
{
	int64_t j = l->par.jitter_ns;

	at += l->par.delay_ns;
	if (j)
		at += (int64_t)below(l, (uint64_t)(2 * j + 1)) - j;
	l->last_ns = RL_MAX(l->last_ns, at);
	return l->last_ns;
}

/* IP behind the link header, so that a checksum covers what is changed. */
static bool is_ip(const struct rl_dev *d, const struct rill_pkt *p)
{
	uint32_t at = rl_dev_link_len(d);
	uint16_t type;

	if (p->len < at + 20)
		return false;
	if (!at)
		return true;
	type = get16(p->data + 12);
	return type == 0x0800 || type == 0x86dd;
}

/* The bytes may lie in a send queue, so the wrong bit goes into a copy. */
static struct rill_pkt *corrupt(struct fault *f, struct line *l, struct rill_pkt *p)
{
	uint32_t at = rl_dev_link_len(&f->d);
	uint64_t bit = draw(l);
	struct rill_pkt *q;

	if (!is_ip(&f->d, p))
		return p;
	q = rl_pkt_copy(&f->st->bufs, p);
	rl_pkt_free(&f->st->bufs, p);
	if (!q) {
		l->drops++;
		return NULL;
	}
	rl_pkt_finish_csum(q);
	q->flags &= (uint8_t)~(RL_PKT_CSUM_PARTIAL | RL_PKT_CSUM_OK);
	bit %= (uint64_t)(q->len - at) * 8;
	q->data[at + bit / 8] ^= (uint8_t)(1u << bit % 8);
	return q;
}

/* Later packets pass one that is held back. */
static void let_pass(struct fault *f, struct line *l, int64_t at)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < l->nheld; i++) {
		struct held h = l->held[i];

		if (--h.behind) {
			l->held[kept++] = h;
			continue;
		}
		h.e.at_ns = RL_MAX(h.e.at_ns, at);
		h.e.number = l->number++;
		push(f, l, h.e);
	}
	l->nheld = kept;
}

static void release_late(struct fault *f, struct line *l, int64_t now)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < l->nheld; i++) {
		struct held h = l->held[i];

		if (h.e.at_ns + HOLD_NS > now) {
			l->held[kept++] = h;
			continue;
		}
		h.e.number = l->number++;
		push(f, l, h.e);
	}
	l->nheld = kept;
}

static void file(struct fault *f, struct line *l, struct rill_pkt *p, int64_t at)
{
	struct entry e = { at, l->number, p };

	if (chance(l, l->par.reorder_ppm) && l->nheld < HOLD_MAX) {
		unsigned behind = 1 + (unsigned)below(l, HOLD_BEHIND);

		l->held[l->nheld++] = (struct held){ e, behind };
		return;
	}
	l->number++;
	push(f, l, e);
	let_pass(f, l, at);
}

static void one_packet(struct fault *f, struct line *l, struct rill_pkt *p)
{
	int64_t at = f->st->now_ns;
	struct rill_pkt *twin = NULL;

	if (is_lost(l) || !pass_rate(l, at, rl_pkt_len(p), &at)) {
		l->drops++;
		rl_pkt_free(&f->st->bufs, p);
		return;
	}
	at = delayed(l, at);
	if (chance(l, l->par.corrupt_ppm))
		p = corrupt(f, l, p);
	if (!p)
		return;
	if (chance(l, l->par.dup_ppm))
		twin = rl_pkt_copy(&f->st->bufs, p);
	file(f, l, p, at);
	if (twin)
		file(f, l, twin, at);
}

/* ---- the device ---- */

static void take(struct fault *f, struct line *l, struct rill_pkt *p)
{
	p = rl_segment(&f->st->bufs, p, rl_dev_link_len(&f->d));
	if (!p)
		l->drops++;
	while (p) {
		struct rill_pkt *next = p->next;

		p->next = NULL;
		one_packet(f, l, p);
		p = next;
	}
}

static int due(struct fault *f, struct line *l, struct rill_pkt **pkts, int n)
{
	int64_t now = f->st->now_ns;
	int got = 0;

	release_late(f, l, now);
	while (got < n && l->n && l->heap[0].at_ns <= now)
		pkts[got++] = pop(l);
	return got;
}

static int send_due(struct fault *f)
{
	struct line *l = &f->line[RL_FAULT_OUT];
	struct rl_dev *in = f->d.inner;
	struct rill_pkt *pkts[BATCH];
	int n, r = 0, gone = 0;

	while ((n = due(f, l, pkts, BATCH)) > 0) {
		f->d.tx_frames += (uint64_t)n;
		r = in->ops->tx(in, f->st, pkts, n);
		gone = r ? r : gone;
	}
	f->d.tx_drops = l->drops;
	return gone;
}

static int fault_tx(struct rl_dev *d, struct rill_stack *st, struct rill_pkt **pkts, int n)
{
	struct fault *f = to_fault(d);

	f->st = st;
	for (int i = 0; i < n; i++)
		take(f, &f->line[RL_FAULT_OUT], pkts[i]);
	return send_due(f);
}

static int fault_rx(struct rl_dev *d, struct rill_stack *st, struct rill_pkt **pkts, int n)
{
	struct fault *f = to_fault(d);
	struct line *l = &f->line[RL_FAULT_IN];
	struct rill_pkt *fresh[BATCH];
	int got, r, gone;

	f->st = st;
	gone = send_due(f);
	r = d->inner->ops->rx(d->inner, st, fresh, RL_MIN(n, BATCH));
	for (int i = 0; i < r; i++)
		take(f, l, fresh[i]);
	got = due(f, l, pkts, n);
	d->rx_frames += (uint64_t)got;
	d->rx_drops = l->drops;
	if (got || (r >= 0 && !gone))
		return got;
	return r < 0 ? r : gone;
}

static int64_t fault_deadline(struct rl_dev *d)
{
	struct fault *f = to_fault(d);
	struct rl_dev *in = d->inner;
	int64_t at = in->ops->deadline ? in->ops->deadline(in) : RL_NEVER;

	for (int i = 0; i < RL_FAULT_DIRS; i++) {
		const struct line *l = &f->line[i];

		if (l->n)
			at = RL_MIN(at, l->heap[0].at_ns);
		for (unsigned k = 0; k < l->nheld; k++)
			at = RL_MIN(at, l->held[k].e.at_ns + HOLD_NS);
	}
	return at;
}

static void close_line(struct fault *f, struct line *l)
{
	for (uint32_t i = 0; i < l->n; i++)
		rl_pkt_free(&f->st->bufs, l->heap[i].p);
	for (unsigned i = 0; i < l->nheld; i++)
		rl_pkt_free(&f->st->bufs, l->held[i].e.p);
	free(l->heap);
	free(l->departs);
}

static void fault_close(struct rl_dev *d)
{
	struct fault *f = to_fault(d);

	for (int i = 0; i < RL_FAULT_DIRS; i++)
		close_line(f, &f->line[i]);
	free(f);
}

static const struct rl_dev_ops fault_ops = {
	.name = "fault", .rx = fault_rx, .tx = fault_tx, .deadline = fault_deadline,
	.close = fault_close,
};

static bool init_line(struct line *l, const struct rl_fault_par *par, uint64_t seed)
{
	l->par = *par;
	for (int i = 0; i < 4; i++)
		l->rnd[i] = splitmix(&seed);
	if (!par->rate_bps)
		return true;
	if (!l->par.queue)
		l->par.queue = QUEUE_DFLT;
	l->departs = calloc(l->par.queue, sizeof(*l->departs));
	return l->departs;
}

int rl_dev_fault_open(struct rl_dev *inner, const char *spec, uint64_t seed,
		      struct rl_dev **out, char *why, size_t n)
{
	struct rl_fault_par par[RL_FAULT_DIRS];
	struct fault *f;
	int r = rl_fault_parse(spec, par, why, n);

	if (r)
		return r;
	f = calloc(1, sizeof(*f));
	if (!f)
		return rl_dev_fail(why, n, ENOMEM, "fault: no memory");
	f->d = (struct rl_dev){ .ops = &fault_ops, .inner = inner, .fd = inner->fd,
				.par = inner->par };
	if (!init_line(&f->line[RL_FAULT_IN], &par[RL_FAULT_IN], splitmix(&seed)) ||
	    !init_line(&f->line[RL_FAULT_OUT], &par[RL_FAULT_OUT], splitmix(&seed))) {
		fault_close(&f->d);
		return rl_dev_fail(why, n, ENOMEM, "fault: no memory for a queue of this length");
	}
	*out = &f->d;
	return 0;
}
