/* SPDX-License-Identifier: MIT */
/*
 * Which hop is at fault.  A router that answers few of the probes that end in it
 * need not lose any traffic: answering is a favour that most routers ration.  What
 * it passes on is seen in the hops behind it.  So the true loss up to a hop is at
 * most the least loss of that hop and all behind it, and loss begins where that
 * bound first comes near to the loss of the last hop.
 */
#include "look/probe.h"

#include <stdio.h>
#include <string.h>

#define MARGIN_PPM	50000		/* differences below are chance */

static bool answers(const struct probe_run *r, unsigned ttl)
{
	return r->hop[ttl].stat.recv > 0;
}

/* The last TTL that answered; 0: none did. */
static unsigned last_answering(const struct probe_run *r)
{
	unsigned last = 0;

	for (unsigned t = r->plan.first; t <= r->end; t++)
		if (answers(r, t))
			last = t;
	return last;
}

/* The least loss of hop @t and those behind it up to @last that answer. */
static uint32_t passed(const struct probe_run *r, unsigned t, unsigned last)
{
	uint32_t least = 1000000;

	for (; t <= last; t++) {
		uint32_t loss = probe_loss_ppm(&r->hop[t].stat);

		if (answers(r, t) && loss < least)
			least = loss;
	}
	return least;
}

static bool is_limited(const struct probe_run *r, unsigned t, unsigned last)
{
	return t < last && answers(r, t) && r->hop[t].stat.lost >= 2 &&
	       probe_loss_ppm(&r->hop[t].stat) > passed(r, t + 1, last) + MARGIN_PPM;
}

static void note_answers(const struct probe_run *r, struct probe_verdict *v, unsigned last)
{
	for (unsigned t = r->plan.first; t < last; t++) {
		if (is_limited(r, t, last))
			v->limited |= UINT64_C(1) << (t - 1);
		if (!answers(r, t) && r->hop[t].stat.lost)
			v->mute |= UINT64_C(1) << (t - 1);
	}
}

/* The first hop whose bound is at least half of what is lost in the end. */
static void find_begin(const struct probe_run *r, struct probe_verdict *v, unsigned last)
{
	unsigned t = r->plan.first;

	v->loss_ppm = probe_loss_ppm(&r->hop[last].stat);
	for (; t < last; t++) {
		if (answers(r, t) && passed(r, t, last) >= v->loss_ppm / 2)
			break;
		if (answers(r, t))
			v->after = t;
	}
	v->hop = v->until = t;
	/* its own answers are rationed too: it, or what lies up to the next good one */
	while (v->until < last && (v->limited >> (v->until - 1) & 1 || !answers(r, v->until)))
		v->until++;
	/* silent ones in front of it may be it as well */
	if (v->after + 1 >= r->plan.first && v->after + 1 < v->hop)
		v->hop = v->after ? v->after + 1 : r->plan.first;
	v->begin_ppm = passed(r, v->until, last);
	if (v->begin_ppm + MARGIN_PPM > v->loss_ppm)
		v->begin_ppm = v->loss_ppm;
}

/* A path that was not reached because routers send it back and forth. */
static bool find_circle(const struct probe_run *r, struct probe_verdict *v, unsigned last)
{
	for (unsigned t = r->plan.first; t + 2 <= last; t++) {
		for (unsigned u = t + 2; u <= last && answers(r, t); u++) {
			if (!answers(r, u) || memcmp(&r->hop[t].addr[0], &r->hop[u].addr[0],
						     sizeof(struct rill_ip)))
				continue;
			v->hop = t;
			v->until = u;
			return true;
		}
	}
	return false;
}

void probe_judge(const struct probe_run *r, struct probe_verdict *v)
{
	unsigned last = last_answering(r);

	*v = (struct probe_verdict){ .finding = PROBE_NOTHING };
	if (!last)
		return;
	note_answers(r, v, last);
	v->hop = v->until = last;
	if (!r->hop[last].reached && find_circle(r, v, last)) {
		v->finding = PROBE_CIRCLE;
		return;
	}
	if (!r->hop[last].reached) {
		v->finding = r->hop[last].refusal.what == PROBE_REFUSED ? PROBE_SAYS_NO
									 : PROBE_ENDS;
		return;
	}
	if (!r->hop[last].stat.lost) {
		v->finding = PROBE_CLEAN;
		return;
	}
	v->finding = PROBE_LOSS;
	find_begin(r, v, last);
}

/* ---- in words ---- */

/* "hop 3 (10.0.3.1)" */
static const char *hop_name(const struct probe_run *r, unsigned t, char buf[96])
{
	char ip[PROBE_IP_TEXT];
	const struct probe_hop *h = &r->hop[t];

	snprintf(buf, 96, "hop %u (%s%s)", t, h->naddrs ? probe_ip(&h->addr[0], ip) : "silent",
		 h->naddrs > 1 ? " and others" : "");
	return buf;
}

/* Tenths where they matter. */
static const char *percent(uint32_t ppm, char buf[16])
{
	uint32_t tenths = (ppm + 500) / 1000;

	if (tenths % 10)
		snprintf(buf, 16, "%u.%u %%", tenths / 10, tenths % 10);
	else
		snprintf(buf, 16, "%u %%", tenths / 10);
	return buf;
}

static void loss_text(const struct probe_run *r, const struct probe_verdict *v,
		      char buf[PROBE_TEXT])
{
	char a[96], b[96], p[16], q[16];
	int n;

	percent(v->begin_ppm, p);
	if (v->hop == v->until)
		n = snprintf(buf, PROBE_TEXT, "loss begins at %s: %s", hop_name(r, v->hop, a), p);
	else
		n = snprintf(buf, PROBE_TEXT, "loss begins between %s and %s: %s",
			     hop_name(r, v->hop, a), hop_name(r, v->until, b), p);
	if (v->begin_ppm != v->loss_ppm && n < PROBE_TEXT)
		snprintf(buf + n, PROBE_TEXT - (size_t)n, ", %s in the end",
			 percent(v->loss_ppm, q));
}

void probe_verdict_text(const struct probe_run *r, const struct probe_verdict *v,
			char buf[PROBE_TEXT])
{
	const struct probe_answer *no = &r->hop[v->hop].refusal;
	char a[96];

	switch (v->finding) {
	case PROBE_CLEAN:
		snprintf(buf, PROBE_TEXT, "no loss up to %s", hop_name(r, v->hop, a));
		break;
	case PROBE_LOSS:
		loss_text(r, v, buf);
		break;
	case PROBE_CIRCLE:
		snprintf(buf, PROBE_TEXT, "the path goes in a circle: %s comes again as hop %u; "
			 "the routes of these routers contradict each other",
			 hop_name(r, v->hop, a), v->until);
		break;
	case PROBE_ENDS:
		snprintf(buf, PROBE_TEXT, "%s is the last that answers: what lies behind it is "
			 "down, or drops these probes", hop_name(r, v->hop, a));
		break;
	case PROBE_SAYS_NO:
		snprintf(buf, PROBE_TEXT, "%s refuses: %s", hop_name(r, v->hop, a),
			 probe_refusal(no));
		break;
	case PROBE_NOTHING:
		snprintf(buf, PROBE_TEXT, "nobody answers, not even the first hop: is there a "
			 "route, and does a filter here drop the probes or the answers?");
		break;
	}
}

bool probe_note_text(const struct probe_run *r, const struct probe_verdict *v, unsigned ttl,
		     char buf[PROBE_TEXT])
{
	char a[96], p[16];

	if (v->limited >> (ttl - 1) & 1) {
		percent(1000000 - probe_loss_ppm(&r->hop[ttl].stat), p);
		snprintf(buf, PROBE_TEXT, "%s answers only %s, but passes more on: it limits its "
			 "own answers, that is no loss", hop_name(r, ttl, a), p);
		return true;
	}
	if (v->mute >> (ttl - 1) & 1) {
		snprintf(buf, PROBE_TEXT, "hop %u never answers, but passes packets on: that is "
			 "no loss", ttl);
		return true;
	}
	return false;
}
