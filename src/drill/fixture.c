/* SPDX-License-Identifier: MIT */
/*
 * `use NAME(...)`: the way into a state, so that a script begins where its
 * question begins.  A fixture is a script itself, put together from lines by the
 * parameters and parsed like any other; both sides' numbers are 1 behind it.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/types.h"
#include "drill/run.h"

/* What may stand in the parentheses. */
struct params {
	int64_t	mss, win, wscale, backlog;	/* wscale -1: none */
	bool	sack, ts, orphan, blocking;
	unsigned our_mss, our_wscale;	/* what our SYN says */
};

struct script {
	char	text[2048];
	size_t	len;
};

static void line(struct script *s, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void line(struct script *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	s->len += (size_t)vsnprintf(s->text + s->len, sizeof(s->text) - s->len, fmt, ap);
	va_end(ap);
	s->len += (size_t)snprintf(s->text + s->len, sizeof(s->text) - s->len, "\n");
}

/* ---- options of segments ---- */

struct opts { char s[128]; };

/* The peer's in its SYN; @ecr: what it echoes of ours. */
static struct opts syn_opts(const struct params *p, unsigned ecr)
{
	struct opts o;
	int n = snprintf(o.s, sizeof(o.s), "<mss %d", (int)p->mss);

	if (p->ts)
		n += snprintf(o.s + n, sizeof(o.s) - (size_t)n, ",sackOK,TS val 200 ecr %u",
			      ecr);
	else if (p->sack)
		n += snprintf(o.s + n, sizeof(o.s) - (size_t)n, ",nop,nop,sackOK");
	if (p->wscale >= 0)
		n += snprintf(o.s + n, sizeof(o.s) - (size_t)n, ",nop,wscale %d",
			      (int)p->wscale);
	snprintf(o.s + n, sizeof(o.s) - (size_t)n, ">");
	return o;
}

/* In our SYN; written out only where our TS val must be learned. */
static struct opts our_syn_opts(const struct params *p, unsigned ecr, bool wscale)
{
	struct opts o = { "<...>" };

	int n;

	if (!p->ts)
		return o;
	n = snprintf(o.s, sizeof(o.s), "<mss %u,sackOK,TS val 100 ecr %u", p->our_mss, ecr);
	if (wscale)
		n += snprintf(o.s + n, sizeof(o.s) - (size_t)n, ",nop,wscale %u",
			      p->our_wscale);
	snprintf(o.s + n, sizeof(o.s) - (size_t)n, ">");
	return o;
}

/* Behind a segment of the peer's or of ours, once timestamps are agreed upon. */
static struct opts their_ts(const struct params *p)
{
	struct opts o = { "" };

	if (p->ts)
		snprintf(o.s, sizeof(o.s), " <nop,nop,TS val 200 ecr 100>");
	return o;
}

static struct opts our_ts(const struct params *p)
{
	struct opts o = { "" };

	if (p->ts)
		snprintf(o.s, sizeof(o.s), " <nop,nop,TS val 100 ecr 200>");
	return o;
}

/* The shift with which the largest receive buffer can be announced. */
static unsigned our_wscale(const struct drill_run *r)
{
	struct rill_stack *st = rl_drill_world_stack(r->w);
	char text[64];
	unsigned ws = 0;
	unsigned long long max = 0, any = 0;

	if (rill_sysctl_get(st, "net.ipv4.tcp_rmem", text, sizeof(text)) >= 0)
		sscanf(text, "%*u %*u %llu", &max);
	if (rill_sysctl_get(st, "net.core.rmem_max", text, sizeof(text)) >= 0)
		sscanf(text, "%llu", &any);
	max = RL_MAX(max, any);
	while (ws < 14 && max >> ws >= 1u << 16)
		ws++;
	return ws;
}

/* ---- the ways into the states ---- */

static void make_closed(struct script *s, const struct params *p)
{
	(void)p;
	line(s, "+0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3");
	line(s, "+0 fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0");
}

static void make_listen(struct script *s, const struct params *p)
{
	make_closed(s, p);
	line(s, "+0 setsockopt(3, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0");
	line(s, "+0 bind(3, ..., ...) = 0");
	line(s, "+0 listen(3, %d) = 0", (int)p->backlog);
}

static void make_syn_received(struct script *s, const struct params *p)
{
	make_listen(s, p);
	line(s, "+0 < S 0:0(0) win %d %s", (int)p->win, syn_opts(p, 0).s);
	line(s, "+0 > S. 0:0(0) ack 1 %s", our_syn_opts(p, 200, p->wscale >= 0).s);
}

static void make_accepted(struct script *s, const struct params *p)
{
	make_syn_received(s, p);
	line(s, "+0 < . 1:1(0) ack 1 win %d%s", (int)p->win, their_ts(p).s);
	line(s, "+0 accept(3, ..., ...) = 4");
	if (!p->blocking)
		line(s, "+0 fcntl(4, F_SETFL, O_RDWR|O_NONBLOCK) = 0");
}

static void make_syn_sent(struct script *s, const struct params *p)
{
	make_closed(s, p);
	line(s, "+0 connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)");
	line(s, "+0 > S 0:0(0) %s", our_syn_opts(p, 0, true).s);
}

static void make_syn_received_active(struct script *s, const struct params *p)
{
	make_syn_sent(s, p);
	line(s, "+0 < S 0:0(0) win %d %s", (int)p->win, syn_opts(p, 0).s);
	line(s, "+0 > S. 0:0(0) ack 1 <...>");
}

static void make_established(struct script *s, const struct params *p)
{
	make_syn_sent(s, p);
	line(s, "+0 < S. 0:0(0) ack 1 win %d %s", (int)p->win, syn_opts(p, 100).s);
	line(s, "+0 > . 1:1(0) ack 1%s", our_ts(p).s);
	line(s, "+0 getsockopt(3, SOL_SOCKET, SO_ERROR, [0], [4]) = 0");
	if (p->blocking)
		line(s, "+0 fcntl(3, F_SETFL, O_RDWR) = 0");
}

static void our_fin(struct script *s, const struct params *p, unsigned ack)
{
	line(s, p->orphan ? "+0 close(3) = 0" : "+0 shutdown(3, SHUT_WR) = 0");
	line(s, "+0 > F. 1:1(0) ack %u%s", ack, our_ts(p).s);
}

static void make_fin_wait_1(struct script *s, const struct params *p)
{
	make_established(s, p);
	our_fin(s, p, 1);
}

static void make_fin_wait_2(struct script *s, const struct params *p)
{
	make_fin_wait_1(s, p);
	line(s, "+0 < . 1:1(0) ack 2 win %d%s", (int)p->win, their_ts(p).s);
}

static void make_closing(struct script *s, const struct params *p)
{
	make_fin_wait_1(s, p);
	line(s, "+0 < F. 1:1(0) ack 1 win %d%s", (int)p->win, their_ts(p).s);
	line(s, "+0 > . 2:2(0) ack 2%s", our_ts(p).s);
}

static void make_time_wait(struct script *s, const struct params *p)
{
	make_fin_wait_2(s, p);
	line(s, "+0 < F. 1:1(0) ack 2 win %d%s", (int)p->win, their_ts(p).s);
	line(s, "+0 > . 2:2(0) ack 2%s", our_ts(p).s);
}

/* A listener's connection, so that a new one may come in its place. */
static void make_accepted_time_wait(struct script *s, const struct params *p)
{
	make_accepted(s, p);
	line(s, "+0 close(4) = 0");
	line(s, "+0 > F. 1:1(0) ack 1%s", our_ts(p).s);
	line(s, "+0 < . 1:1(0) ack 2 win %d%s", (int)p->win, their_ts(p).s);
	line(s, "+0 < F. 1:1(0) ack 2 win %d%s", (int)p->win, their_ts(p).s);
	line(s, "+0 > . 2:2(0) ack 2%s", our_ts(p).s);
}

static void make_close_wait(struct script *s, const struct params *p)
{
	make_established(s, p);
	line(s, "+0 < F. 1:1(0) ack 1 win %d%s", (int)p->win, their_ts(p).s);
	line(s, "+0 > . 1:1(0) ack 2%s", our_ts(p).s);
}

static void make_last_ack(struct script *s, const struct params *p)
{
	make_close_wait(s, p);
	our_fin(s, p, 2);
}

static const struct fixture {
	const char *name, *help;
	void (*make)(struct script *s, const struct params *p);
} fixtures[] = {
	{ "closed", "a socket, 3, that nothing was done with", make_closed },
	{ "listen", "3 listens", make_listen },
	{ "syn_received", "3 listens and has a half-open peer", make_syn_received },
	{ "accepted", "passive open, 3 listens, 4 is the connection", make_accepted },
	{ "syn_sent", "3 connects, the SYN is out", make_syn_sent },
	{ "syn_received_active", "simultaneous open: both SYNs have crossed",
	  make_syn_received_active },
	{ "established", "active open, 3 is the connection", make_established },
	{ "fin_wait_1", "3 has sent its FIN", make_fin_wait_1 },
	{ "fin_wait_2", "and the peer has acknowledged it", make_fin_wait_2 },
	{ "closing", "both FINs have crossed", make_closing },
	{ "time_wait", "we closed first, the peer then", make_time_wait },
	{ "accepted_time_wait", "the same of a passive open; 3 still listens",
	  make_accepted_time_wait },
	{ "close_wait", "the peer has closed", make_close_wait },
	{ "last_ack", "and we have then", make_last_ack },
};

/* ---- parameters ---- */

static const struct param {
	const char *name, *help;
	size_t	offset;
	bool	flag;			/* without a value */
	int64_t	min, max;
} param_list[] = {
#define NUM(n, min, max, help)	{ #n, help, offsetof(struct params, n), false, min, max }
#define FLAG(n, member, help)	{ n, help, offsetof(struct params, member), true, 0, 1 }
	NUM(mss, 0, 65535, "of the peer's SYN (1000)"),
	NUM(win, 0, 65535, "window field of the peer's segments (65535)"),
	NUM(wscale, 0, 255, "the peer's window scale (none)"),
	NUM(backlog, 0, 65535, "of listen() (8)"),
	FLAG("sackOK", sack, "the peer permits SACK"),
	FLAG("TS", ts, "timestamps: 100 ours, 200 the peer's; implies sackOK"),
	FLAG("orphan", orphan, "our FIN comes from close() instead of shutdown()"),
	FLAG("blocking", blocking, "the connection's descriptor blocks"),
};

static int set_param(struct params *p, const struct drill_param *d, char *why, size_t n)
{
	for (size_t i = 0; i < ARRAY_LEN(param_list); i++) {
		const struct param *e = &param_list[i];
		void *at = (char *)p + e->offset;

		if (strcmp(e->name, d->name))
			continue;
		if (e->flag == d->has_value || (d->has_value &&
		    (d->value < e->min || d->value > e->max))) {
			if (e->flag)
				snprintf(why, n, "use: %s has no value", e->name);
			else
				snprintf(why, n, "use: %s is a number from %d to %d", e->name,
					 (int)e->min, (int)e->max);
			return -EINVAL;
		}
		if (e->flag)
			*(bool *)at = true;
		else
			*(int64_t *)at = d->value;
		return 0;
	}
	snprintf(why, n, "use: there is no parameter '%s'; `rill drill --fixtures` lists them",
		 d->name);
	return -EINVAL;
}

/* Whether a later one has the same name. */
static bool is_again(const struct drill_param *d, char *why, size_t n)
{
	for (const struct drill_param *l = d->next; l; l = l->next) {
		if (strcmp(l->name, d->name))
			continue;
		snprintf(why, n, "use: %s stands twice", d->name);
		return true;
	}
	return false;
}

static const struct fixture *find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(fixtures); i++)
		if (!strcmp(fixtures[i].name, name))
			return &fixtures[i];
	return NULL;
}

struct drill_event *rl_drill_fixture(const struct drill_run *r, struct drill_script *s,
				     const struct drill_event *use,
				     char *why, size_t why_len)
{
	struct params p = {
		.mss = 1000, .win = 65535, .wscale = -1, .backlog = 8,
		.our_mss = r->cfg.mtu - (r->cfg.ipver == DRILL_IPV6 ? 60 : 40),
		.our_wscale = our_wscale(r),
	};
	const struct fixture *f = find(use->word);
	struct drill_script part = { 0 };
	struct script text = { .len = 0 };
	int err;

	if (!f) {
		snprintf(why, why_len, "use: there is no fixture '%s'; `rill drill --fixtures` "
			 "lists them", use->word);
		return NULL;
	}
	for (const struct drill_param *d = use->params; d; d = d->next)
		if (set_param(&p, d, why, why_len) < 0 || is_again(d, why, why_len))
			return NULL;
	f->make(&text, &p);
	err = rl_drill_parse(&part, f->name, text.text, text.len, NULL, 0, why, why_len);
	rl_drill_arena_join(&s->arena, &part.arena);
	return err < 0 ? NULL : part.events;
}

void rl_drill_fixture_list(FILE *f)
{
	fprintf(f, "use NAME, or use NAME(PARAMETER VALUE, ...); both sides' numbers are 1 "
		"afterwards\n\n");
	for (size_t i = 0; i < ARRAY_LEN(fixtures); i++)
		fprintf(f, "  %-20s %s\n", fixtures[i].name, fixtures[i].help);
	fprintf(f, "\nParameters (default):\n");
	for (size_t i = 0; i < ARRAY_LEN(param_list); i++)
		fprintf(f, "  %-9s%-11s %s\n", param_list[i].name,
			param_list[i].flag ? "" : "N", param_list[i].help);
	rl_drill_reason_list(f);
}
