/* SPDX-License-Identifier: MIT */
/*
 * Following the TCP connections that pass: segments with their times go in, one
 * record a connection comes out.  No I/O, no clock; memory is bounded by the number
 * of connections that are kept.
 *
 * States are drawn as RFC 9293 draws them: after a segment passed, its sender's as
 * of sending and its receiver's as if it arrived.
 */
#ifndef RL_LOOK_TRACK_H
#define RL_LOOK_TRACK_H

#include "base/list.h"
#include "look/seg.h"

#define TRACK_HOLES	8
#define TRACK_SENT	32

enum track_mark_bit {
#define MARK(name, text) TRACK_BIT_##name,
#include "look/track_marks.def"
#undef MARK
	TRACK_BITS
};
enum track_mark {
#define MARK(name, text) TRACK_##name = 1 << TRACK_BIT_##name,
#include "look/track_marks.def"
#undef MARK
};
enum track_over {
#define OVER(name, word, help) TRACK_OVER_##name,
#include "look/track_ends.def"
#undef OVER
};
enum track_reset {
#define RESET(name, word, help) TRACK_RESET_##name,
#include "look/track_ends.def"
#undef RESET
};

struct track_side {
#define SIDE(type, name, unit, help) type name;
#include "look/track_side.def"
#undef SIDE
};

/* Data that was skipped: [lo, hi) did not pass yet. */
struct track_hole {
	seq_t		lo, hi;
	int64_t		at_ns;
	uint32_t	ts;		/* timestamp of what skipped it */
};

/* A segment in flight whose ACK tells a round-trip time. */
struct track_sent {
	seq_t		end;
	uint32_t	ts;
	int64_t		at_ns;
	bool		again;		/* sent more than once */
};

struct track_end {
	struct rill_ip	ip;
	uint16_t	port;
	uint8_t		state;		/* enum rill_tcp_state */
	struct track_side n;

	/* its SYN */
	bool		has_isn, scales, ts_ok, sack_ok;
	uint8_t		wscale;
	uint16_t	mss;		/* 0: not seen */
	seq_t		isn;

	/* what it sent */
	bool		any, acked_any;	/* nxt, acked are known */
	seq_t		base;		/* number of its first byte, or the first seen */
	seq_t		nxt, acked;	/* highest end; the peer's highest ACK */
	seq_t		sacked;		/* highest end the peer selectively acknowledged */
	bool		has_sacked, has_probe;
	seq_t		probe;		/* end of a one-byte window probe beyond nxt */
	int64_t		sent_ns;	/* last data */
	unsigned	dups;		/* duplicate ACKs in a row that it got */
	unsigned	unanswered;	/* repeated or probed since the peer's last segment */
	bool		in_timeout;	/* until acked reaches timeout_hi */
	seq_t		timeout_hi;
	struct track_hole hole[TRACK_HOLES];
	unsigned	nholes;
	struct track_sent sent[TRACK_SENT];	/* oldest first */
	unsigned	nsent;
	uint64_t	rtt_sum_us;

	/* its FIN */
	bool		has_fin, fin_done, fin_acked;	/* seen; in order; acknowledged */
	seq_t		fin;		/* the number behind it */

	/* its ACKs, windows, packets */
	uint64_t	wnd;		/* in bytes */
	uint16_t	raw_win;
	bool		has_wnd;
	int64_t		zero_ns;	/* window closed since; -1: open */
	int64_t		ack_ns;		/* its last ACK */
	int64_t		data_ns;	/* its last data; -1: none */
	uint8_t		ttl;
	unsigned	same_ttl;	/* segments in a row with it */
	uint32_t	ifindex;	/* where they are seen; 0: not told */
};

struct track_conn {
	uint64_t	id;		/* from 0, as Wireshark's tcp.stream */
	int64_t		first_ns, last_ns;
	struct track_end end[2];	/* 0 opened, when that is known */
	bool		has_opener, mutual;	/* mutual: both did */
	int64_t		syn_ns, synack_ns, open_ns;	/* -1: not seen */
	int64_t		over_ns;	/* -1: not over */
	enum track_over	over;
	int		closer;		/* end that closed first; -1: none yet */
	bool		closed_by_rst;
	int64_t		close_ns;
	enum track_reset reset;
	int		reset_by;
	uint8_t		reset_ttl;	/* of the RST */

	/* the tracker's */
	struct list	lru;
	struct track_conn *next;	/* of the bucket */
	uint32_t	bucket;
	bool		reported;
};

struct track_conf {
	unsigned	max_conns;
	uint64_t	seed[2];	/* of the table's hash */
	void		*ctx;
	/* A connection is over, or forgotten: the last word on it. */
	void		(*conn)(void *ctx, const struct track_conn *c);
	/* Each segment, after it was looked at; @from 0 or 1; NULL: not wanted. */
	void		(*seg)(void *ctx, const struct track_conn *c, const struct look_seg *s,
			       int from, unsigned marks);
};

struct track_totals {
	uint64_t	segments, conns, evicted, late;	/* late: after the last word */
	unsigned	kept, kept_max;
};

struct track;

/** Return: NULL without memory. */
struct track *track_new(const struct track_conf *conf);

/** Times may go back a little.  Return: 0, -ENOMEM. */
int track_segment(struct track *t, const struct look_seg *seg);

/** Without segments time passes too: connections that are over are told. */
void track_tick(struct track *t, int64_t now_ns);

/** The capture ends: all others are told as they stand. */
void track_finish(struct track *t);
void track_free(struct track *t);
const struct track_totals *track_totals(const struct track *t);

const char *track_over_name(enum track_over o);
const char *track_reset_name(enum track_reset r);
const char *track_reset_help(enum track_reset r);
/** The most telling mark as text; "" for 0. */
const char *track_mark_text(unsigned marks);
/** The lone word of one bit, lower case: "retx". */
const char *track_mark_name(enum track_mark_bit bit);

/** Segments on the wire that @len bytes of this end make. */
uint32_t track_segs(const struct track_conn *c, int from, uint32_t len);

#endif
