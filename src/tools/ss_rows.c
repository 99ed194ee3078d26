/* SPDX-License-Identifier: MIT */
/*
 * The table of `rill ss`: rows are kept as text until the widths of the columns are
 * known, then written with ss(8)'s alignment and padding, so that both outputs can
 * be compared byte by byte.  One exception: where no port is wider than its head,
 * ss glues "Port" and "Process" together, which nobody can split again.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/out.h"
#include "tools/ss.h"
#include "tools/ss_fmt.h"

#define LINE	8192			/* longest row */
#define Q_WIDTH	6

/* ---- keeping ---- */

static struct ss_row *new_row(struct ss_rows *r)
{
	if (r->n == r->cap) {
		size_t cap = r->cap ? 2 * r->cap : 256;
		struct ss_row *p = realloc(r->row, cap * sizeof(*p));

		if (!p)
			return NULL;
		r->row = p;
		r->cap = cap;
	}
	return &r->row[r->n];
}

static bool keep_text(struct ss_rows *r, const char *text, size_t n)
{
	if (r->len + n > r->room) {
		size_t room = r->room ? 2 * r->room : 4 * LINE;
		char *p = realloc(r->text, room);	/* n is at most LINE */

		if (!p)
			return false;
		r->text = p;
		r->room = room;
	}
	memcpy(r->text + r->len, text, n);
	r->len += n;
	return true;
}

void ss_free_rows(struct ss_rows *r)
{
	free(r->row);
	free(r->text);
	*r = (struct ss_rows){ 0 };
}

/* What stands behind the addresses. */
static void put_more(const struct ss *s, struct ss_text *t, const struct rill_sock *k)
{
	bool udp = k->proto == IPPROTO_UDP;

	ss_users(t, k, s->procs);
	if ((s->timers || s->details) && !udp)
		ss_timer(t, k);
	if (s->details)
		ss_details(t, k);
	if (!s->memory && (!s->info || udp))
		return;
	if (!s->oneline)
		ss_puts(t, "\n\t");
	if (s->memory)
		ss_memory(t, k);
	if (s->info)
		ss_info(t, k, s->numeric, s->timers);
}

static uint16_t since(const struct ss_text *t, size_t *before)
{
	size_t n = t->len - *before;

	*before = t->len;
	return (uint16_t)n;
}

bool ss_add_row(struct ss *s, const struct rill_sock *k)
{
	struct ss_row *r = new_row(&s->rows);
	bool udp = k->proto == IPPROTO_UDP;
	char line[LINE];
	struct ss_text t = { line, sizeof(line), 0 };
	size_t at = 0;

	if (!r)
		return false;
	r->netid = udp ? "udp" : "tcp";
	r->state = ss_state(k);
	r->recv_q = k->recv_q;
	r->send_q = k->send_q;
	r->at = s->rows.len;
	ss_addr(&t, k, true, s->resolve);
	r->laddr = since(&t, &at);
	ss_port(&t, k->local.port, udp, s->numeric);
	r->lport = since(&t, &at);
	ss_addr(&t, k, false, s->resolve);
	r->paddr = since(&t, &at);
	ss_port(&t, k->peer.port, udp, s->numeric);
	r->pport = since(&t, &at);
	put_more(s, &t, k);
	r->more = since(&t, &at);
	if (!keep_text(&s->rows, line, t.len))
		return false;
	s->rows.n++;
	return true;
}

/* ---- printing ---- */

struct widths {
	size_t	netid, state, recv_q, send_q, laddr, lport, paddr, pport, more;
};

static size_t digits(uint32_t v)
{
	size_t n = 1;

	for (; v >= 10; v /= 10)
		n++;
	return n;
}

static void widen(size_t *w, size_t n)
{
	if (n > *w)
		*w = n;
}

static void measure(struct widths *w, const struct ss_row *r)
{
	widen(&w->netid, strlen(r->netid));
	widen(&w->state, strlen(r->state));
	widen(&w->recv_q, digits(r->recv_q));
	widen(&w->send_q, digits(r->send_q));
	widen(&w->laddr, r->laddr);
	widen(&w->lport, r->lport);
	widen(&w->paddr, r->paddr);
	widen(&w->pport, r->pport);
	widen(&w->more, r->more);
}

static void blanks(size_t n)
{
	static const char some[] = "                                                ";

	for (; n > sizeof(some) - 1; n -= sizeof(some) - 1)
		fwrite(some, 1, sizeof(some) - 1, stdout);
	fwrite(some, 1, n, stdout);
}

static void put_left(const char *text, size_t n, size_t width)
{
	fwrite(text, 1, n, stdout);
	blanks(n < width ? width - n : 0);
}

static void put_right(const char *text, size_t n, size_t width)
{
	blanks(n < width ? width - n : 0);
	fwrite(text, 1, n, stdout);
}

static void put_word(const char *text, size_t width)
{
	put_left(text, strlen(text), width);
	putchar(' ');
}

static void put_queue(uint32_t v, size_t width)
{
	char text[16], *p = text + sizeof(text);

	do
		*--p = (char)('0' + v % 10);
	while ((v /= 10) > 0);
	put_left(p, (size_t)(text + sizeof(text) - p), width);
	putchar(' ');
}

/* Netid is shown unless one protocol was asked for; State unless one state was. */
static void put_kind(const struct ss *s, const struct widths *w, const char *netid,
		     const char *state)
{
	if (s->tcp == s->udp)
		put_word(netid, w->netid);
	if (!s->one_state)
		put_word(state, w->state);
}

static void put_header(const struct ss *s, const struct widths *w)
{
	put_kind(s, w, "Netid", "State");
	put_word("Recv-Q", w->recv_q);
	put_word("Send-Q", w->send_q);
	put_right("Local Address", 13, w->laddr);
	putchar(':');
	put_word("Port", w->lport);
	put_right("Peer Address", 12, w->paddr);
	putchar(':');
	put_left("Port", 4, w->pport);
	if (w->pport == 4)
		putchar(' ');
	put_left("Process", 7, w->more - (w->pport == 4));
	putchar('\n');
}

static void put_row(const struct ss *s, const struct widths *w, const struct ss_row *r)
{
	const char *p = s->rows.text + r->at;

	put_kind(s, w, r->netid, r->state);
	put_queue(r->recv_q, w->recv_q);
	put_queue(r->send_q, w->send_q);
	put_right(p, r->laddr, w->laddr);
	putchar(':');
	p += r->laddr;
	put_left(p, r->lport, w->lport);
	putchar(' ');
	p += r->lport;
	put_right(p, r->paddr, w->paddr);
	putchar(':');
	p += r->paddr;
	put_left(p, r->pport, w->pport);
	put_left(p + r->pport, r->more, w->more);
	putchar('\n');
}

void ss_print(struct ss *s)
{
	struct widths w = { 5, 5, Q_WIDTH, Q_WIDTH, 13, 4, 12, 4, 7 };

	if (s->no_header)
		w = (struct widths){ .recv_q = Q_WIDTH, .send_q = Q_WIDTH };
	for (size_t i = 0; i < s->rows.n; i++)
		measure(&w, &s->rows.row[i]);
	if (!s->no_header)
		put_header(s, &w);
	for (size_t i = 0; i < s->rows.n && !out_closed(); i++)
		put_row(s, &w, &s->rows.row[i]);
	s->rows.n = s->rows.len = 0;
}
