/* SPDX-License-Identifier: MIT */
/* Segments made up and a tracker that takes them; what it said last. */
#ifndef RL_TEST_TRACK_FIXTURE_H
#define RL_TEST_TRACK_FIXTURE_H

#include "rl_test.h"
#include "look/track.h"
#include "rill/stack.h"

enum { A, B };			/* 10.0.0.1:40000 opens to 10.0.0.2:80 */

#define ISN_A	0xfffffff0u	/* wraps soon */
#define ISN_B	5000u

struct fix {
	struct track	*t;
	int64_t		now_ns;
	bool		v6;
	uint8_t		ttl[2];
	uint32_t	ts[2];		/* 0: no timestamps */
	unsigned	marks;		/* of the last segment */
	int		from;
	uint8_t		state[2];	/* after it */
	unsigned	told;
	struct track_conn last;		/* the last that was told */
};

static void fix_conn(void *ctx, const struct track_conn *c)
{
	struct fix *f = ctx;

	f->told++;
	f->last = *c;
}

static void fix_seg(void *ctx, const struct track_conn *c, const struct look_seg *s, int from,
		    unsigned marks)
{
	struct fix *f = ctx;

	(void)s;
	f->marks = marks;
	f->from = from;
	f->state[0] = c->end[0].state;
	f->state[1] = c->end[1].state;
}

static void fix_open(struct fix *f, unsigned max)
{
	struct track_conf conf = { .max_conns = max, .ctx = f, .conn = fix_conn,
				   .seg = fix_seg };

	*f = (struct fix){ .ttl = { 64, 57 }, .now_ns = RL_SEC };
	f->t = track_new(&conf);
}

/* @seq and @ack count from the ISNs. */
static struct look_seg fix_make(struct fix *f, int from, uint8_t flags, uint32_t seq,
				uint32_t ack, uint32_t len)
{
	struct look_seg s = {
		.at_ns = f->now_ns, .src = rl_ip4(0x0a000001), .dst = rl_ip4(0x0a000002),
		.sport = 40000, .dport = 80, .win = 500, .flags = flags, .len = len,
		.ttl = f->ttl[from],
	};
	uint32_t isn[2] = { ISN_A, ISN_B };

	if (from == B) {
		s.src = rl_ip4(0x0a000002);
		s.dst = rl_ip4(0x0a000001);
		s.sport = 80;
		s.dport = 40000;
	}
	s.seq = seq_make(isn[from] + seq);
	s.ack = seq_make(flags & TH_ACK ? isn[!from] + ack : 0);
	if (flags & TH_SYN) {
		s.opt.mss = 1012;
		s.opt.has_wscale = s.opt.sack_ok = true;
		s.opt.wscale = 7;
	}
	if (f->ts[from]) {
		s.opt.has_ts = true;
		s.opt.ts_val = f->ts[from];
		s.opt.ts_ecr = f->ts[!from];
	}
	return s;
}

static void fix_put(struct fix *f, const struct look_seg *s)
{
	f->marks = 0;
	CHECK_EQ("taken", track_segment(f->t, s), 0);
}

/* After @ms; flags as "S", "SA", "A", "FA", "R", "RA". */
static unsigned seg(struct fix *f, int ms, int from, const char *flags, uint32_t seq,
		    uint32_t ack, uint32_t len)
{
	uint8_t bits = 0;
	struct look_seg s;

	for (const char *p = flags; *p; p++)
		bits |= *p == 'S' ? TH_SYN : *p == 'F' ? TH_FIN : *p == 'R' ? TH_RST : TH_ACK;
	f->now_ns += ms * RL_MS;
	s = fix_make(f, from, bits, seq, ack, len);
	fix_put(f, &s);
	return f->marks;
}

static inline unsigned sack(struct fix *f, int ms, int from, uint32_t seq, uint32_t ack, uint32_t lo,
		     uint32_t hi)
{
	uint32_t isn = from == A ? ISN_B : ISN_A;
	struct look_seg s;

	f->now_ns += ms * RL_MS;
	s = fix_make(f, from, TH_ACK, seq, ack, 0);
	s.opt.nsack = 1;
	s.opt.sack[0] = (struct tcp_sack){ seq_make(isn + lo), seq_make(isn + hi) };
	fix_put(f, &s);
	return f->marks;
}

/* SYN at 0, SYN+ACK 10 ms later, ACK after 2 ms more. */
static void handshake(struct fix *f)
{
	seg(f, 0, A, "S", 0, 0, 0);
	seg(f, 10, B, "SA", 0, 1, 0);
	seg(f, 2, A, "A", 1, 1, 0);
}

static inline void states(struct fix *f, const char *label, int a, int b)
{
	CHECK_EQ(label, f->state[0], a);
	CHECK_EQ(label, f->state[1], b);
}

/* Return: the record; the capture is over. */
static inline const struct track_conn *fix_end(struct fix *f)
{
	track_finish(f->t);
	return &f->last;
}

static void fix_close(struct fix *f)
{
	track_free(f->t);
}

#endif
