/* SPDX-License-Identifier: MIT */
/*
 * ">" lines: the next packet of the socket under test must be the one that the
 * line describes, and have left at its time (sections 3, 4.3 and 7).
 *
 * Packets of others are passed over in silence.  A line may stand for several
 * packets that continue each other: a stack need not send super-segments (7.5).
 */
#include <stdarg.h>
#include <stdlib.h>

#include "drill/packet.h"

#define MESSAGE_MAX	3800		/* struct drill_result has a bit more */

/* ---- the message ---- */

struct message {
	char	text[MESSAGE_MAX];
	size_t	len;
};

__attribute__((format(printf, 2, 3)))
static void say(struct message *m, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(m->text + m->len, sizeof(m->text) - m->len, fmt, ap);
	va_end(ap);
	if (n > 0)
		m->len = RL_MIN(m->len + (size_t)n, sizeof(m->text) - 1);
}

static void say_history(struct message *m, const struct drill_run *r)
{
	unsigned n = RL_MIN(r->nhistory, DRILL_HISTORY);

	if (n)
		say(m, "\nthe last packets:");
	for (unsigned i = r->nhistory - n; i < r->nhistory; i++)
		say(m, "\n  %s", r->history[i % DRILL_HISTORY]);
}

/* After a packet's failure: with --non_fatal=packet it is only told. */
static int forgive(struct drill_run *r, bool failed_before)
{
	if (!r->cfg.non_fatal_packet || failed_before || r->skipped)
		return -1;
	fprintf(r->cfg.trace ? r->cfg.trace : stderr, "warning: %s\n", r->res->why);
	r->res->why[0] = '\0';
	r->failed = false;
	return 0;
}

static int mismatch(struct drill_run *r, const struct drill_packet *p,
		    const struct drill_seen *s, const struct drill_diff *d)
{
	char want[DRILL_TEXT_MAX], got[DRILL_TEXT_MAX];
	char want_marks[DRILL_TEXT_MAX], got_marks[DRILL_TEXT_MAX];
	struct message m = { .len = 0 };
	bool before = r->failed;		/* a call that waited, meanwhile */

	rl_drill_text_tcpdump(want, want_marks, sizeof(want), p, p, d);
	rl_drill_text_tcpdump(got, got_marks, sizeof(got), &s->p, p, d);
	say(&m, "packet: %s", d->what);
	if (s->pieces > 1)
		say(&m, " (%u packets taken as one)", s->pieces);
	say(&m, "\n  expected: %s", want);
	say(&m, "\n  actual:   %s", got);
	say(&m, "\n            %s", got_marks[0] ? got_marks : want_marks);
	say_history(&m, r);
	rl_drill_fail(r, "%s", m.text);
	return forgive(r, before);
}

static int nothing_came(struct drill_run *r, const struct drill_packet *p,
			const struct drill_seen *had, unsigned others)
{
	struct message m = { .len = 0 };
	char text[DRILL_TEXT_MAX];

	rl_drill_text_script(text, sizeof(text), p, !rl_ip_is4(&r->cfg.local_ip));
	if (had)
		say(&m, "packet: only %zu of %u bytes came until %.6f (waited for: %s)",
		    had->data_len, p->tcp.len, (double)rl_drill_now_us(r) / 1e6, text);
	else
		say(&m, "no packet came until %.6f (waited for: %s)",
		    (double)rl_drill_now_us(r) / 1e6, text);
	if (others)
		say(&m, "; %u of other connections did", others);
	say_history(&m, r);
	return rl_drill_fail(r, "%s", m.text);
}

/* ---- taking packets ---- */

static void note(struct drill_run *r, const struct drill_seen *s)
{
	rl_drill_note(r, s->at_us, &s->p);
}

static int malformed(struct drill_run *r, const char *why)
{
	struct message m = { .len = 0 };

	say(&m, "%s", why);
	say_history(&m, r);
	return rl_drill_fail(r, "%s", m.text);
}

/* Learn from it, then see it with the script's eyes. */
static void understand(struct drill_run *r, const struct drill_packet *p,
		       struct drill_seen *s)
{
	rl_drill_flow_learn_ts(r->flow, p, s);
	rl_drill_seen_map(s, r->flow);
	note(r, s);
}

/*
 * The next packet that counts for this line.  Return: 1; 0: none came; -1 after
 * a failure.
 */
static int take(struct drill_run *r, const struct drill_packet *p, struct drill_seen *s,
		unsigned *others)
{
	struct drill_live *l;
	int64_t at_us = 0;
	char why[120];
	int ret = 0;

	while (!ret && (l = rl_drill_next_live(r))) {
		at_us = (l->at_ns - r->t0_ns) / 1000;
		if (rl_drill_seen_parse(s, l->bytes, l->len, why, sizeof(why)))
			ret = malformed(r, why);
		else if (rl_drill_flow_takes(r, p, s))
			ret = 1;
		else if (r->cfg.exact)	/* a line that names ports loses no other */
			ret = rl_drill_unexpected(r, l);
		*others += !ret;
		free(l);
	}
	s->at_us = at_us;
	if (ret > 0)
		understand(r, p, s);
	return ret;
}

/* ---- aggregation (7.5) ---- */

/* What is wrong with @next as the piece behind @s; NULL: nothing. */
static const char *misfit(const struct drill_seen *s, const struct drill_seen *next)
{
	const struct drill_tcp *a = &s->p.tcp, *b = &next->p.tcp;
	uint16_t free_flags = DRILL_FIN | DRILL_PSH | DRILL_CWR;

	if (next->p.proto != DRILL_TCP || !next->known)
		return "protocol";
	if (s->p.ip.tos != next->p.ip.tos)
		return "ToS";
	if (s->p.ip.ttl != next->p.ip.ttl)
		return "TTL";
	if (s->p.ip.flow != next->p.ip.flow)
		return "flow label";
	if ((a->flags ^ b->flags) & ~free_flags)
		return "flags";
	if (a->seq + a->len != b->seq)
		return "sequence number";
	if (a->ack != b->ack)
		return "acknowledgment number";
	if (a->win != b->win)
		return "window";
	if (a->urg != b->urg)
		return "urgent pointer";
	if (s->l4_hdr != next->l4_hdr)
		return "header length";
	if (!next->data_len)
		return "no data";
	return NULL;
}

/* @next becomes what @s was, and more. */
static void join(struct drill_seen *s, struct drill_seen *next)
{
	struct drill_tcp *t = &next->p.tcp;

	t->flags = (uint16_t)((t->flags & ~DRILL_CWR) | (s->p.tcp.flags & DRILL_CWR));
	t->seq = s->p.tcp.seq;
	t->len += s->p.tcp.len;
	next->live_seq = s->live_seq;
	next->data_len += s->data_len;
	next->data_zero &= s->data_zero;
	next->opts_bad |= s->opts_bad;
	next->sum_bad |= s->sum_bad;
	next->pieces += s->pieces;
	rl_drill_seen_copy(s, next);
}

static bool may_go_on(const struct drill_run *r, const struct drill_packet *p,
		      const struct drill_seen *s)
{
	return p->proto == DRILL_TCP && s->known && s->p.proto == DRILL_TCP &&
	       !r->cfg.strict_segments && s->data_len > 0 && s->data_len < p->tcp.len;
}

/* @s is the beginning, @next is what came instead of the rest. */
static int misfits(struct drill_run *r, const struct drill_packet *p,
		   const struct drill_seen *s, const struct drill_seen *next,
		   const char *what)
{
	struct drill_diff d = { .fields = 1u << DRILL_F_LEN, .v6 = !rl_ip_is4(&s->src.ip) };

	snprintf(d.what, sizeof(d.what), "%zu of %u bytes came, and the packet behind them "
		 "does not continue them: %s", s->data_len, p->tcp.len, what);
	return mismatch(r, p, next, &d);
}

/* Return: 1: @s is whole, 0: a difference was told of and forgiven, -1. */
static int gather(struct drill_run *r, const struct drill_packet *p, struct drill_seen *s)
{
	struct drill_seen *next = malloc(sizeof(*next));
	size_t first = s->data_len, last = first;
	unsigned others = 0;
	int ret = 1;

	if (!next)
		return rl_drill_fail(r, "out of memory");
	while (ret == 1 && may_go_on(r, p, s)) {
		const char *what;
		struct drill_diff d;

		rl_drill_compare(r, p, s, true, &d);
		if (d.fields) {
			ret = mismatch(r, p, s, &d);
			break;
		}
		ret = take(r, p, next, &others);
		if (ret == 0)
			ret = nothing_came(r, p, s, others);
		if (ret < 0)
			break;
		what = last == first ? misfit(s, next) : "only the last may differ in size";
		last = next->data_len;
		if (what)
			ret = misfits(r, p, s, next, what);
		else
			join(s, next);
	}
	free(next);
	return ret;
}

/* ---- the event ---- */

/* The message is there; what led to it is added. */
static int bad_time(struct drill_run *r, bool failed_before)
{
	size_t n = strlen(r->res->why);
	struct message m = { .len = 0 };

	say_history(&m, r);
	snprintf(r->res->why + n, sizeof(r->res->why) - n, "%s", m.text);
	return forgive(r, failed_before);
}

static int check(struct drill_run *r, const struct drill_packet *p, struct drill_seen *s)
{
	struct drill_diff d;
	unsigned others = 0;
	int ret = take(r, p, s, &others);
	bool before;

	if (ret == 0)
		return nothing_came(r, p, NULL, others);
	if (ret > 0)
		ret = gather(r, p, s);
	if (ret <= 0)
		return ret;
	rl_drill_compare(r, p, s, false, &d);
	if (d.fields && mismatch(r, p, s, &d) < 0)
		return -1;
	before = r->failed;
	if (rl_drill_check_time(r, s->at_us, "packet") == 0)
		return 0;
	return bad_time(r, before);
}

int rl_drill_packet_out(struct drill_run *r, const struct drill_packet *p)
{
	struct drill_seen *s = malloc(sizeof(*s));
	int err;

	if (!s)
		return rl_drill_fail(r, "out of memory");
	err = rl_drill_flow_expect(r, p);
	if (!err)
		err = check(r, p, s);
	free(s);
	return err;
}

void rl_drill_live_text(const struct drill_run *r, const struct drill_live *l, char *buf,
			size_t n)
{
	struct drill_seen *s = malloc(sizeof(*s));
	char why[120] = "";

	if (s && !rl_drill_seen_parse(s, l->bytes, l->len, why, sizeof(why))) {
		rl_drill_flow_unmap(r, s);
		rl_drill_text_script(buf, n, &s->p, !rl_ip_is4(&s->src.ip));
	} else {
		snprintf(buf, n, "%s", why);
	}
	free(s);
}
