/* SPDX-License-Identifier: MIT */
/*
 * Fuzzing of look/seg.c and look/track.c, and of the way there: what libpcap takes
 * for a capture is read by it; any other input is a link type, then packets with a
 * length and a time each.  Any bytes give records whose sums are consistent, in a
 * table that never grows beyond its limit.
 */
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>

#include "look/track.h"

#define MUST(cond)	do { if (!(cond)) abort(); } while (0)
#define CONNS	4

struct sums {
	uint64_t told, frames, segments;
};

static void check_hole(const struct track_end *e, unsigned i)
{
	MUST(seq_lt(e->hole[i].lo, e->hole[i].hi));
	MUST(seq_le(e->hole[i].hi, e->nxt));
}

static void check_end(const struct track_end *e)
{
	const struct track_side *n = &e->n;

	MUST(e->state > 0 && e->state < 12);
	MUST(e->nholes <= TRACK_HOLES && e->nsent <= TRACK_SENT);
	for (unsigned i = 0; i < e->nholes; i++)
		check_hole(e, i);
	MUST(n->retrans_fast + n->retrans_timeout + n->retrans_probe + n->retrans_other ==
	     n->retrans_frames);
	MUST(n->retrans_frames + n->reordered <= n->frames && n->resets <= n->frames);
	MUST(n->retrans_bytes <= n->bytes_sent && n->segs >= n->frames);
	MUST(!n->rtt_samples || n->rtt_min_us <= n->rtt_max_us);
}

static void on_conn(void *ctx, const struct track_conn *c)
{
	struct sums *s = ctx;

	s->told++;
	s->frames += c->end[0].n.frames + c->end[1].n.frames + c->end[0].n.copies +
		     c->end[1].n.copies;
	MUST(c->over <= TRACK_OVER_EVICTED && c->reset <= TRACK_RESET_THIRD_PARTY);
	MUST((c->over == TRACK_OVER_RESET) == (c->reset != TRACK_RESET_NONE));
	MUST(c->closer >= -1 && c->closer <= 1);
	check_end(&c->end[0]);
	check_end(&c->end[1]);
}

static void on_seg(void *ctx, const struct track_conn *c, const struct look_seg *s, int from,
		   unsigned marks)
{
	(void)ctx;
	MUST(from == 0 || from == 1);
	MUST(marks < 1u << TRACK_BITS && track_mark_text(marks));
	MUST(c->end[from].port == s->sport);
	check_end(&c->end[0]);
	check_end(&c->end[1]);
}

static void packet(struct track *t, struct sums *n, int link, int64_t at_ns, const uint8_t *p,
		   size_t have, size_t wire)
{
	struct look_seg s;

	if (look_seg(&s, link, p, have, wire) != LOOK_TCP)
		return;
	MUST(s.ip >= p && s.ip + s.ip_len <= p + have);
	s.at_ns = at_ns;
	n->segments++;
	MUST(track_segment(t, &s) == 0);
	MUST(track_totals(t)->kept <= CONNS);
}

static bool by_pcap(struct track *t, struct sums *n, const uint8_t *data, size_t size)
{
	char why[PCAP_ERRBUF_SIZE];
	FILE *f = size ? fmemopen((void *)(uintptr_t)data, size, "r") : NULL;
	pcap_t *p = f ? pcap_fopen_offline_with_tstamp_precision(
			f, PCAP_TSTAMP_PRECISION_NANO, why) : NULL;
	struct pcap_pkthdr *h;
	const u_char *bytes;

	if (!p) {
		if (f)
			fclose(f);
		return false;
	}
	while (pcap_next_ex(p, &h, &bytes) == 1)
		packet(t, n, pcap_datalink(p), (int64_t)((uint64_t)h->ts.tv_sec * 1000000000u +
		       (uint64_t)h->ts.tv_usec), bytes, h->caplen, h->len);
	pcap_close(p);
	return true;
}

/* Link, then for each packet: length, wire length beyond it, time in ms. */
static void by_hand(struct track *t, struct sums *n, const uint8_t *data, size_t size)
{
	static const int links[] = { LOOK_RAW, LOOK_ETHER, LOOK_SLL, LOOK_SLL2, LOOK_NULL };
	int link = size ? links[data[0] % 5] : 0;
	int64_t now = 0;

	for (size_t at = 1; at + 3 <= size; ) {
		const uint8_t *h = data + at;
		size_t have = RL_MIN((size_t)h[0], size - at - 3);

		now += h[2] * RL_MS;
		packet(t, n, link, now, h + 3, have, have + h[1] * UINT64_C(64));
		track_tick(t, now);
		at += 3 + have;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sums n = { 0 };
	struct track_conf conf = { .max_conns = CONNS, .seed = { 1, 2 }, .ctx = &n,
				   .conn = on_conn, .seg = on_seg };
	struct track *t = track_new(&conf);
	const struct track_totals *sum;

	MUST(t);
	if (!by_pcap(t, &n, data, size))
		by_hand(t, &n, data, size);
	track_finish(t);
	sum = track_totals(t);
	MUST(sum->segments == n.segments && sum->conns == n.told && !sum->kept);
	MUST(n.frames + sum->late == n.segments);
	track_free(t);
	return 0;
}
