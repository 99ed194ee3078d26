/* SPDX-License-Identifier: MIT */
/*
 * The model of `rill top`: which connections are shown in which order, which one is
 * chosen, and what was seen of the one that is opened.  No terminal and no clock here.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rill/stack.h"
#include "tools/top.h"

static const char *const titles[] = {
#define TOP_COL(id, title, width, right, from)	[TOP_COL_##id] = title,
#include "tools/top_cols.def"
#undef TOP_COL
};

const char *top_title(enum top_col col)
{
	return col == TOP_COL_SOURCE ? "source" : titles[col];
}

/* FNV-1a over what stays the same */
static uint64_t mix(uint64_t h, const void *p, size_t n)
{
	const uint8_t *b = p;

	for (size_t i = 0; i < n; i++)
		h = (h ^ b[i]) * 0x100000001b3u;
	return h;
}

uint64_t top_name(const struct rill_sock *s)
{
	uint64_t h = mix(0xcbf29ce484222325u, &s->source, 1);

	h = mix(h, &s->proto, 1);
	h = mix(h, s->local.ip.b, 16);
	h = mix(h, s->peer.ip.b, 16);
	h = mix(h, &s->local.port, 2);
	h = mix(h, &s->peer.port, 2);
	h = mix(h, &s->pid, sizeof(s->pid));
	/* several listeners may share a port */
	return s->state == RILL_LISTEN ? mix(h, &s->inode, sizeof(s->inode)) : h;
}

/* ---- text ---- */

const char *top_us(int64_t us, char *buf, size_t n)
{
	if (us < 0)
		snprintf(buf, n, "-");
	else if (us < 1000)
		snprintf(buf, n, "%" PRId64 " us", us);
	else if (us < 1000000)
		snprintf(buf, n, "%.*f ms", us < 100000, (double)us / 1e3);
	else if (us < 100000000)
		snprintf(buf, n, "%.1f s", (double)us / 1e6);
	else if (us < INT64_C(7200000000))
		snprintf(buf, n, "%" PRId64 " min", us / 60000000);
	else
		snprintf(buf, n, "%" PRId64 " h", us / INT64_C(3600000000));
	return buf;
}

const char *top_size(double v, char *buf, size_t n)
{
	static const char units[] = " kMGTPE";
	int i = 0;

	while (v >= 9999.5 && i < 6) {
		v /= 1000;
		i++;
	}
	if (i)
		snprintf(buf, n, "%.*f%c", v < 99.95, v, units[i]);
	else
		snprintf(buf, n, "%.0f", v);
	return buf;
}

static void addr(const struct rill_addr *a, int family, bool listener, char *buf, size_t n)
{
	char ip[INET6_ADDRSTRLEN];
	static const uint8_t head[12] = { [10] = 0xff, [11] = 0xff };
	bool v4 = !memcmp(a->ip.b, head, 12);
	bool any = !memcmp(a->ip.b + (v4 ? 12 : 0), (uint8_t[16]){ 0 }, v4 ? 4 : 16);

	inet_ntop(v4 ? AF_INET : AF_INET6, a->ip.b + (v4 ? 12 : 0), ip, sizeof(ip));
	if (any && (listener || !a->port))
		snprintf(ip, sizeof(ip), "%s", family == 6 ? "::" : "*");
	if (!a->port)
		snprintf(buf, n, strchr(ip, ':') ? "[%s]:*" : "%s:*", ip);
	else
		snprintf(buf, n, strchr(ip, ':') ? "[%s]:%u" : "%s:%u", ip, a->port);
}

static void program(const struct rill_sock *s, char *buf, size_t n)
{
	if (s->source == RILL_SRC_RILL)
		snprintf(buf, n, "%s/%d", s->stack ? s->stack : "", s->pid);
	else if (s->nowners)
		snprintf(buf, n, s->nowners > 1 ? "%s/%d+%u" : "%s/%d", s->owners[0].comm,
			 s->owners[0].pid, s->nowners - 1);
	else
		snprintf(buf, n, "-");
}

static const char *state_text(const struct rill_sock *s)
{
	if (s->proto == 17)
		return s->state == RILL_ESTABLISHED ? "UDP" : "UDP-UNCONN";
	return s->state < RILL_TCP_STATES ? rill_state_ss(s->state) : "?";
}

static void bytes(bool known, uint64_t v, char *buf, size_t n)
{
	if (known)
		top_size((double)v, buf, n);
	else
		snprintf(buf, n, "-");
}

void top_cell(const struct rill_sock *s, enum top_col col, char *buf, size_t n)
{
	bool info = s->has_info && s->state != RILL_LISTEN;

	buf[0] = '\0';
	switch (col) {
	case TOP_COL_SOURCE:
		snprintf(buf, n, "%s", s->source == RILL_SRC_RILL ? "R" : "k");
		break;
	case TOP_COL_STATE:
		snprintf(buf, n, "%s", state_text(s));
		break;
	case TOP_COL_RECVQ:
		top_size(s->recv_q, buf, n);
		break;
	case TOP_COL_SENDQ:
		top_size(s->send_q, buf, n);
		break;
	case TOP_COL_LOCAL:
		addr(&s->local, s->family, true, buf, n);
		break;
	case TOP_COL_PEER:
		addr(&s->peer, s->family, false, buf, n);
		break;
	case TOP_COL_AGE:
		if (s->age_ms >= 0 && s->age_least)
			*buf++ = '>', n--;
		top_us(s->age_ms < 0 ? -1 : s->age_ms * 1000, buf, n);
		break;
	case TOP_COL_RTT:
		top_us(info && s->info.rtt ? (int64_t)s->info.rtt : -1, buf, n);
		break;
	case TOP_COL_CWND:
		snprintf(buf, n, info ? "%u" : "-", s->info.snd_cwnd);
		break;
	case TOP_COL_RETR:
		snprintf(buf, n, info ? "%u" : "-", s->info.total_retrans);
		break;
	case TOP_COL_SENT:
		bytes(info, s->info.bytes_acked, buf, n);
		break;
	case TOP_COL_RCVD:
		bytes(info, s->info.bytes_received, buf, n);
		break;
	case TOP_COL_PROGRAM:
		program(s, buf, n);
		break;
	case TOP_COLS:
		break;
	}
}

/* ---- order ---- */

static int cmp_u64(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int cmp_addr(const struct rill_addr *a, const struct rill_addr *b)
{
	int r = memcmp(a->ip.b, b->ip.b, 16);

	return r ? r : (int)a->port - b->port;
}

static int cmp_info(const struct rill_sock *a, const struct rill_sock *b, enum top_col col)
{
	const struct rill_tcp_info *x = &a->info, *y = &b->info;

	if (a->has_info != b->has_info)
		return a->has_info ? 1 : -1;
	if (col == TOP_COL_RTT)
		return cmp_u64(x->rtt, y->rtt);
	if (col == TOP_COL_CWND)
		return cmp_u64(x->snd_cwnd, y->snd_cwnd);
	if (col == TOP_COL_RETR)
		return cmp_u64(x->total_retrans, y->total_retrans);
	if (col == TOP_COL_SENT)
		return cmp_u64(x->bytes_acked, y->bytes_acked);
	return cmp_u64(x->bytes_received, y->bytes_received);
}

static int cmp_by(const struct rill_sock *a, const struct rill_sock *b, enum top_col col)
{
	char ta[TOP_TEXT], tb[TOP_TEXT];

	switch (col) {
	case TOP_COL_SOURCE:
		return (int)a->source - b->source;
	case TOP_COL_STATE:
		return (int)a->state - b->state;
	case TOP_COL_RECVQ:
		return cmp_u64(a->recv_q, b->recv_q);
	case TOP_COL_SENDQ:
		return cmp_u64(a->send_q, b->send_q);
	case TOP_COL_LOCAL:
		return cmp_addr(&a->local, &b->local);
	case TOP_COL_PEER:
		return cmp_addr(&a->peer, &b->peer);
	case TOP_COL_AGE:
		return a->age_ms < b->age_ms ? -1 : a->age_ms > b->age_ms;
	case TOP_COL_RTT:
	case TOP_COL_CWND:
	case TOP_COL_RETR:
	case TOP_COL_SENT:
	case TOP_COL_RCVD:
		return cmp_info(a, b, col);
	case TOP_COL_PROGRAM:
		program(a, ta, sizeof(ta));
		program(b, tb, sizeof(tb));
		return strcmp(ta, tb);
	case TOP_COLS:
		break;
	}
	return 0;
}

/* For every column but one: then by addresses, so that rows stand still. */
static int by_column(const void *pa, const void *pb, void *ctx)
{
	const struct rill_sock *a = *(const struct rill_sock *const *)pa;
	const struct rill_sock *b = *(const struct rill_sock *const *)pb;
	const struct top_model *m = ctx;
	int r = cmp_by(a, b, m->sort);

	if (m->reverse)
		r = -r;
	if (!r)
		r = cmp_addr(&a->local, &b->local);
	if (!r)
		r = cmp_addr(&a->peer, &b->peer);
	return r ? r : cmp_u64(a->cookie, b->cookie);
}

static bool shown(const struct top_model *m, const struct rill_sock *s)
{
	if (s->proto == 17 && !m->udp_too)
		return false;
	if (s->state == RILL_LISTEN && !m->listeners && !m->filter.has_states)
		return false;
	return filter_sock(&m->filter, s);
}

static void count(struct top_model *m, const struct rill_sock *s)
{
	if (s->proto == 17)
		m->udp++;
	else if (s->state < RILL_TCP_STATES)
		m->state[s->state]++;
	if (s->source == RILL_SRC_RILL)
		m->rill++;
	else
		m->kernel++;
}

static void keep_pick(struct top_model *m)
{
	for (size_t i = 0; i < m->nrows; i++)
		if (top_name(m->row[i]) == m->pick_id) {
			m->pick = i;
			return;
		}
	top_move(m, 0);
}

void top_order(struct top_model *m)
{
	const struct rill_table *t = &m->table;

	if (t->n > m->cap) {
		const struct rill_sock **p = realloc(m->row, t->n * sizeof(*p));

		if (!p)
			return;
		m->row = p;
		m->cap = t->n;
	}
	memset(m->state, 0, sizeof(m->state));
	m->udp = m->kernel = m->rill = 0;
	m->nrows = 0;
	for (size_t i = 0; i < t->n; i++) {
		count(m, &t->sock[i]);
		if (shown(m, &t->sock[i]))
			m->row[m->nrows++] = &t->sock[i];
	}
	if (m->nrows)
		qsort_r(m->row, m->nrows, sizeof(*m->row), by_column, m);
	keep_pick(m);
}

void top_move(struct top_model *m, long by)
{
	long at = (long)m->pick + by;

	if (!m->nrows) {
		m->pick = 0;
		return;
	}
	at = at < 0 ? 0 : at >= (long)m->nrows ? (long)m->nrows - 1 : at;
	m->pick = (size_t)at;
	m->pick_id = top_name(m->row[at]);
}

const struct rill_sock *top_picked(const struct top_model *m)
{
	return m->pick < m->nrows ? m->row[m->pick] : NULL;
}

bool top_set_filter(struct top_model *m, const char *text)
{
	char copy[TOP_TEXT], *words[64], *save = NULL, why[TOP_TEXT - 8];
	static struct filter f;
	int n = 0;

	snprintf(copy, sizeof(copy), "%s", text);
	for (char *w = strtok_r(copy, " ", &save); w && n < 64; w = strtok_r(NULL, " ", &save))
		words[n++] = w;
	if (filter_parse(&f, n, words, why, sizeof(why)) < 0) {
		snprintf(m->message, sizeof(m->message), "%s", why);
		m->message_bad = true;
		return false;
	}
	m->filter = f;
	snprintf(m->filter_text, sizeof(m->filter_text), "%s", text);
	m->first = 0;
	return true;
}

/* ---- the opened connection ---- */

static void step(struct top_detail *d, int from, int to, int64_t at_ns)
{
	if (d->nsteps && d->step[d->nsteps - 1].to == to)
		return;
	if (d->nsteps == TOP_STEPS) {
		memmove(d->step, d->step + 1, sizeof(d->step) - sizeof(d->step[0]));
		d->nsteps--;
	}
	d->step[d->nsteps++] = (struct top_step){ (uint8_t)from, (uint8_t)to, at_ns };
}

static void push(double v[TOP_SAMPLES], int n, double x)
{
	if (n == TOP_SAMPLES)
		memmove(v, v + 1, (TOP_SAMPLES - 1) * sizeof(*v));
	v[n == TOP_SAMPLES ? n - 1 : n] = x;
}

static void take_sample(struct top_detail *d, int64_t now_ns)
{
	const struct rill_tcp_info *ti = &d->s.info;
	double s = d->last_ns ? (double)(now_ns - d->last_ns) / 1e9 : 0;
	bool first = s <= 0 || ti->bytes_acked < d->last_out || ti->bytes_received < d->last_in;

	push(d->rtt, d->n, ti->rtt);
	push(d->cwnd, d->n, ti->snd_cwnd);
	push(d->out, d->n, first ? 0 : (double)(ti->bytes_acked - d->last_out) / s);
	push(d->in, d->n, first ? 0 : (double)(ti->bytes_received - d->last_in) / s);
	d->n += d->n < TOP_SAMPLES;
	d->last_out = ti->bytes_acked;
	d->last_in = ti->bytes_received;
	d->last_ns = now_ns;
}

static void update(struct top_detail *d, const struct rill_sock *s, int64_t now_ns)
{
	d->s = *s;
	program(s, d->program, sizeof(d->program));
	snprintf(d->stack, sizeof(d->stack), "%s", s->stack ? s->stack : "");
	d->s.stack = NULL;		/* these belong to the table */
	d->s.owners = NULL;
	d->s.nowners = 0;
	if (s->has_info)
		take_sample(d, now_ns);
}

void top_open_detail(struct top_model *m, const struct rill_sock *s, int64_t now_ns)
{
	struct top_detail *d = &m->d;

	memset(d, 0, sizeof(*d));
	step(d, 0, s->state, s->age_ms >= 0 && !s->age_least ?
	     now_ns - s->age_ms * 1000000 : now_ns);
	update(d, s, now_ns);
}

void top_follow(struct top_model *m, int64_t now_ns)
{
	struct top_detail *d = &m->d;
	uint64_t name = top_name(&d->s);

	for (size_t i = 0; i < m->table.n; i++) {
		const struct rill_sock *s = &m->table.sock[i];

		if (top_name(s) != name)
			continue;
		if (s->state != d->s.state)
			step(d, d->s.state, s->state, now_ns);
		update(d, s, now_ns);
		return;
	}
	if (!d->gone)
		step(d, d->s.state, RILL_CLOSE, now_ns);
	d->gone = true;
}

/* A change as it happened: nearer to the truth than the next reading. */
void top_detail_step(struct top_detail *d, const struct rl_event *e)
{
	if (e->kind != RL_EVENT_STATE || e->source != d->s.source || d->s.proto != 6 ||
	    memcmp(e->local.ip.b, d->s.local.ip.b, 16) || e->local.port != d->s.local.port ||
	    memcmp(e->peer.ip.b, d->s.peer.ip.b, 16) || e->peer.port != d->s.peer.port)
		return;
	step(d, e->from, e->to, e->time_ns);
}
