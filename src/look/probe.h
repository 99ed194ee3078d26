/* SPDX-License-Identifier: MIT */
/*
 * Asking the network: the engine behind ping, traceroute, pathping and mtr.
 * What is sent when, which answer belongs to which probe, and what the answers
 * say, is decided here from times alone.  The sockets are probe_sock.h.
 */
#ifndef RL_LOOK_PROBE_H
#define RL_LOOK_PROBE_H

#include "rill/types.h"

#define PROBE_TTL_MAX	64		/* hops that are looked at */
#define PROBE_QUERIES	10		/* probes of one hop and round */
#define PROBE_RING	16384		/* probes that are remembered; a power of 2 */
#define PROBE_ADDRS	8		/* addresses of one hop */
#define PROBE_NEVER	INT64_MAX
#define PROBE_IP_TEXT	64
#define PROBE_TEXT	256		/* of a verdict */

enum probe_kind { PROBE_ICMP, PROBE_UDP, PROBE_TCP };

/* ---- delays (probe_stat.c) ---- */

struct probe_stat {
	uint64_t	sent, recv, lost, dup;	/* lost: waited for in vain */
	uint64_t	errors;			/* lost and why */
	int64_t		last_ns, min_ns, max_ns, sum_ns;
	double		sum2;			/* of squares */
	uint64_t	jitter16;		/* 16 times the jitter (RFC 3550, A.8) */
};

void probe_stat_add(struct probe_stat *s, int64_t rtt_ns);
int64_t probe_stat_avg_ns(const struct probe_stat *s);

/** Standard deviation, what ping calls mdev. */
int64_t probe_stat_mdev_ns(const struct probe_stat *s);

/** Smoothed difference of one delay to the next. */
int64_t probe_stat_jitter_ns(const struct probe_stat *s);

/** Lost among those whose fate is known, in millionths; 0 when none is. */
uint32_t probe_loss_ppm(const struct probe_stat *s);

/**
 * How many routers an answer passed that arrives with @ttl: its sender began with
 * the nearest of 64, 128, 255 above.  *@start (may be NULL): which.
 */
unsigned probe_routers(unsigned ttl, unsigned *start);

/* ---- answers ---- */

enum probe_what {
	PROBE_SILENT,		/* none */
	PROBE_REACHED,		/* the destination answered */
	PROBE_TRANSIT,		/* a router: TTL exceeded */
	PROBE_REFUSED,		/* somebody: unreachable, too big, ... */
};

struct probe_answer {
	int64_t		at_ns;
	struct rill_ip	from;
	uint16_t	seq;
	bool		has_seq;	/* some quotes are too short to tell */
	bool		v6;		/* of which family @type and @code are */
	bool		tcp_open, tcp_closed;	/* SYN+ACK, RST */
	bool		local;		/* our own host could not send it on */
	uint8_t		what;		/* enum probe_what */
	uint8_t		type, code;	/* ICMP, unless it is an echo reply or TCP's */
	int		ttl;		/* of the answer; -1: not known */
	uint32_t	bytes;		/* of an echo reply, header and all */
	uint32_t	mtu;		/* of "too big" */
};

/** "!H" and its like for a refusal, as traceroute writes them; "" otherwise. */
const char *probe_mark(const struct probe_answer *a, char buf[16]);

/** A refusal in words. */
const char *probe_refusal(const struct probe_answer *a);

/** An address as text; a mapped one as IPv4. */
const char *probe_ip(const struct rill_ip *ip, char buf[PROBE_IP_TEXT]);

/* ---- schedule and matching (probe_run.c) ---- */

/*
 * Two ways to go: @interval_ns 0 sends each of @queries probes to the TTLs from
 * @first to @last, up to @window under way at a time; with an interval there are
 * @rounds (0: no end) of one probe for each TTL, spread evenly over the interval.
 */
struct probe_plan {
	unsigned	first, last;	/* TTLs, 1 to PROBE_TTL_MAX */
	unsigned	queries;	/* 1 to PROBE_QUERIES */
	unsigned	window;
	bool		lanes;		/* one under way per query number: each is a flow */
	bool		echo;		/* only the destination's answers count: ping */
	uint64_t	rounds;
	int64_t		interval_ns;
	int64_t		wait_ns;	/* for an answer */
};

struct probe_hop {
	struct probe_stat stat;
	struct rill_ip	addr[PROBE_ADDRS];	/* the latest first-seen ones */
	unsigned	naddrs;
	bool		reached;
	unsigned	settled;	/* probes whose fate is known */
	struct probe_answer	ans[PROBE_QUERIES];	/* of the last round */
	int64_t		rtt_ns[PROBE_QUERIES];
	struct probe_answer	refusal;	/* the last one, if any */
};

enum probe_slot_state { PROBE_FREE, PROBE_WAITING, PROBE_ANSWERED, PROBE_LOST };

struct probe_slot {
	int64_t		sent_ns;
	uint64_t	number;		/* from 1 */
	uint8_t		state, ttl, query;
};

struct probe_run {
	struct probe_plan plan;
	unsigned	end;		/* last TTL worth asking */
	uint64_t	next_number, oldest;	/* of probes */
	unsigned	waiting;
	unsigned	lane_waiting[PROBE_QUERIES];
	unsigned	next_ttl[PROBE_QUERIES];
	uint64_t	round;
	int64_t		next_ns;	/* with an interval: when the next is due */
	uint64_t	guessed;	/* answers that did not say to which probe */
	uint64_t	strays;		/* answers to none of ours */
	struct probe_hop hop[PROBE_TTL_MAX + 1];	/* by TTL */
	struct probe_slot ring[PROBE_RING];
};

struct probe_shot {
	uint16_t	seq;
	uint64_t	number;
	unsigned	ttl, query;
};

void probe_run_start(struct probe_run *r, const struct probe_plan *plan, int64_t now_ns);

/** Is a probe due?  It counts as sent at @now_ns. */
bool probe_run_next(struct probe_run *r, int64_t now_ns, struct probe_shot *s);

/** When probe_run_next() or probe_run_expire() has something to do; PROBE_NEVER. */
int64_t probe_run_due(const struct probe_run *r);

/** Give one up that waited long enough, the oldest.  Return: is there one? */
bool probe_run_expire(struct probe_run *r, int64_t now_ns, struct probe_slot *s);

/** Does probe @seq still wait? */
bool probe_run_waits(const struct probe_run *r, uint16_t seq);

enum probe_taken {
	PROBE_STRAY,		/* to none of ours */
	PROBE_FIRST,		/* a probe's answer */
	PROBE_LATE,		/* the same, after it was given up */
	PROBE_DUP,		/* a second one */
	PROBE_ERROR,		/* with @echo: an error, so the probe is lost */
};

/** Account an answer; *@s becomes the probe it belongs to, *@rtt_ns its delay. */
enum probe_taken probe_run_answer(struct probe_run *r, const struct probe_answer *a,
				  struct probe_slot *s, int64_t *rtt_ns);

/** Nothing is to be sent any more and nothing waited for. */
bool probe_run_over(const struct probe_run *r);

/** Send nothing more; what is under way counts as lost when @lose. */
void probe_run_stop(struct probe_run *r, bool lose);

/** Is all known of that TTL that will be?  For plans without interval. */
bool probe_hop_done(const struct probe_run *r, unsigned ttl);

/* ---- what it means (probe_verdict.c) ---- */

enum probe_finding {
	PROBE_CLEAN,		/* the destination answers everything */
	PROBE_LOSS,		/* loss that begins at a hop and goes on behind it */
	PROBE_CIRCLE,		/* a router comes twice, others between */
	PROBE_ENDS,		/* nothing behind a hop answers */
	PROBE_SAYS_NO,		/* a hop refuses */
	PROBE_NOTHING,		/* nobody answers at all */
};

struct probe_verdict {
	enum probe_finding finding;
	unsigned	hop, until;	/* LOSS: it begins at one of these, often the same;
					   CIRCLE: one and the same router */
	unsigned	after;		/* the last hop that is all right; 0: none */
	uint32_t	begin_ppm, loss_ppm;	/* there, and in the end */
	uint64_t	limited;	/* bit TTL: answers less than passes through it */
	uint64_t	mute;		/* bit TTL: never answers, though packets pass */
};

void probe_judge(const struct probe_run *r, struct probe_verdict *v);

/** One line that names the hop; no newline. */
void probe_verdict_text(const struct probe_run *r, const struct probe_verdict *v,
			char buf[PROBE_TEXT]);

/** One line about hop @ttl if it is in @v->limited or @v->mute.  Return: is it? */
bool probe_note_text(const struct probe_run *r, const struct probe_verdict *v, unsigned ttl,
		     char buf[PROBE_TEXT]);

#endif
