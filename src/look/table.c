/* SPDX-License-Identifier: MIT */
/*
 * The table of connections (rill/table.h): which sources are asked in which order,
 * the owners joined to their sockets, what could not be seen noted.  A kept table
 * has one block of records and one list of blocks for what they point to.
 */
#include "rill/table.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "look/source.h"

void rl_sock_unknown(struct rill_sock *s)
{
	s->age_ms = s->uid = -1;
	s->keepalive = s->keepidle_s = s->keepintvl_s = s->keepcnt = s->user_timeout_ms = -1;
	s->eof = s->eof_read = -1;
	s->syn_q = s->syn_q_max = s->accept_overflows = s->syn_drops = -1;
}

bool rl_sock_orphan(const struct rill_sock *s)
{
	return !s->inode && s->proto == IPPROTO_TCP && !s->half_open &&
	       s->state != RILL_ESTABLISHED && s->state != RILL_CLOSE_WAIT;
}

bool rl_walk_wants(const struct rl_walk *w, const struct rill_sock *s)
{
	unsigned want = w->q->want;

	if (w->q->states && !(w->q->states >> s->state & 1))
		return false;
	if (!(want & (s->proto == IPPROTO_UDP ? RILL_WANT_UDP : RILL_WANT_TCP)))
		return false;
	if (s->family && (want & (RILL_WANT_V4 | RILL_WANT_V6)) &&
	    !(want & (s->family == 4 ? RILL_WANT_V4 : RILL_WANT_V6)))
		return false;
	return true;
}

/*
 * What follows for a socket of the kernel.  With SO_KEEPALIVE an idle connection
 * has that timer running, and only another timer can hide it.
 */
static void kernel_knows(struct rill_sock *s)
{
	if (s->proto != IPPROTO_TCP)
		return;
	if (s->state == RILL_ESTABLISHED || s->state == RILL_CLOSE_WAIT)
		s->keepalive = s->timer == RILL_TMR_KEEP ? 1 :
			       s->timer == RILL_TMR_NONE ? 0 : -1;
	s->eof = 1u << s->state & (1u << RILL_CLOSE_WAIT | 1u << RILL_LAST_ACK |
				   1u << RILL_CLOSING | 1u << RILL_TIME_WAIT);
	s->eof = s->eof != 0;
}

bool rl_walk_tell(struct rl_walk *w, struct rill_sock *s)
{
	if (w->stopped || !rl_walk_wants(w, s))
		return !w->stopped;
	if (s->source == RILL_SRC_KERNEL) {
		kernel_knows(s);
		w->notes->nkernel++;
		s->netns = w->netns;
		if (w->owners && s->inode) {
			s->owners = rl_owners_of(w->owners, s->inode, &s->nowners);
			w->notes->unowned += !s->nowners;
		}
	} else {
		w->notes->nrill++;
	}
	w->stopped = !w->each(w->ctx, s);
	return !w->stopped;
}

static uint64_t netns_inode(int fd)
{
	struct stat sb;

	if ((fd < 0 ? stat("/proc/self/ns/net", &sb) : fstat(fd, &sb)) < 0)
		return 0;
	return sb.st_ino;
}

/* By sock_diag where the kernel lets us, by /proc/net where it doesn't. */
static void kernel(struct rl_walk *w, uint8_t proto)
{
	unsigned before = w->notes->nkernel;
	int r = rl_source_kernel(w, proto), p;

	if (r == 0 || w->notes->nkernel != before || w->stopped)
		return;
	p = rl_source_proc(w, proto);
	if (p == 0)
		w->notes->from_proc = true;
	else if (!w->notes->kernel_error)
		w->notes->kernel_error = r;
}

int rill_table_walk(const struct rill_table_query *q,
		    bool (*each)(void *ctx, const struct rill_sock *s), void *ctx,
		    struct rill_table_notes *notes)
{
	struct rl_walk w = { .q = q, .each = each, .ctx = ctx, .notes = notes };
	struct rl_owners *owners = NULL;

	memset(notes, 0, sizeof(*notes));
	if (!(q->want & (RILL_WANT_KERNEL | RILL_WANT_RILL)) ||
	    !(q->want & (RILL_WANT_TCP | RILL_WANT_UDP)))
		return -EINVAL;
	if (q->want & RILL_WANT_KERNEL) {
		if (q->want & RILL_WANT_OWNERS) {
			owners = rl_owners_read();
			if (!owners)
				return -ENOMEM;
		}
		w.owners = owners;
		w.netns = netns_inode(q->netns_fd);
		if (q->want & RILL_WANT_UDP)
			kernel(&w, IPPROTO_UDP);
		if (q->want & RILL_WANT_TCP && !w.stopped)
			kernel(&w, IPPROTO_TCP);
		rl_owners_free(owners);
	}
	if (q->want & RILL_WANT_RILL && !w.stopped)
		rl_source_rill(&w);
	return 0;
}

/* ---- kept ---- */

#define BLOCK	(64 * 1024)

struct rill_table_mem {
	struct rill_table_mem	*next;
	size_t			 used, size;
	_Alignas(16) char	 room[];
};

struct keeping {
	struct rill_table	*t;
	size_t			 cap;
	bool			 failed;
};

static void *keep(struct rill_table *t, const void *what, size_t n)
{
	struct rill_table_mem *m = t->mem;
	size_t at = m ? (m->used + 15) & ~(size_t)15 : 0;

	if (!m || at + n > m->size) {
		size_t size = n > BLOCK ? n : BLOCK;

		m = malloc(sizeof(*m) + size);
		if (!m)
			return NULL;
		m->next = t->mem;
		m->size = size;
		t->mem = m;
		at = 0;
	}
	m->used = at + n;
	return memcpy(m->room + at, what, n);
}

/* Stacks come one after the other: the name before is likely the same. */
static const char *keep_name(struct keeping *k, const char *name)
{
	const struct rill_sock *before = k->t->n ? &k->t->sock[k->t->n - 1] : NULL;

	if (!*name)
		return "";
	if (before && !strcmp(before->stack, name))
		return before->stack;
	return keep(k->t, name, strlen(name) + 1);
}

static bool keep_one(void *ctx, const struct rill_sock *s)
{
	struct keeping *k = ctx;
	struct rill_table *t = k->t;
	struct rill_sock *to;

	k->failed = true;
	if (t->n == k->cap) {
		size_t cap = k->cap ? 2 * k->cap : 256;

		to = realloc(t->sock, cap * sizeof(*to));
		if (!to)
			return false;
		t->sock = to;
		k->cap = cap;
	}
	to = &t->sock[t->n];
	*to = *s;
	to->stack = keep_name(k, s->stack);
	if (s->nowners)
		to->owners = keep(t, s->owners, s->nowners * sizeof(*s->owners));
	if (!to->stack || (s->nowners && !to->owners))
		return false;
	t->n++;
	k->failed = false;
	return true;
}

int rill_table_read(const struct rill_table_query *q, struct rill_table *t)
{
	struct keeping k = { .t = t };
	int r;

	memset(t, 0, sizeof(*t));
	r = rill_table_walk(q, keep_one, &k, &t->notes);
	if (r == 0 && k.failed)
		r = -ENOMEM;
	if (r < 0)
		rill_table_free(t);
	return r;
}

void rill_table_free(struct rill_table *t)
{
	while (t->mem) {
		struct rill_table_mem *next = t->mem->next;

		free(t->mem);
		t->mem = next;
	}
	free(t->sock);
	t->sock = NULL;
	t->n = 0;
}
