/* SPDX-License-Identifier: MIT */
/*
 * Rows in the order in which they came, found by an open-addressed hash of their
 * keys.  A second table of (row, address, port) counts how many different peers a
 * row has.  Keyed by a constant: the worst a peer can do with chosen addresses is
 * to make one look of a command slow, and probing is bounded by the table.
 */
#include "look/tally.h"

#include <stdlib.h>
#include <string.h>

/* Who was counted in a row already. */
struct seen {
	struct rill_ip	ip;
	uint32_t	row;
	uint32_t	port;		/* 1 << 16: the address alone */
};

struct table {
	uint32_t	*place;		/* number + 1; 0: empty */
	size_t		 size;		/* a power of two */
	void		*item;
	size_t		 n, cap, width;
};

struct rl_tally {
	struct table	rows, seen;
};

static uint64_t hash(const void *what, size_t n)
{
	const uint8_t *b = what;
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = 0; i < n; i++)
		h = (h ^ b[i]) * 0x100000001b3u;
	return h ^ h >> 29;
}

static void *item(const struct table *t, size_t i)
{
	return (char *)t->item + i * t->width;
}

static size_t find(const struct table *t, const void *key, size_t len)
{
	size_t at = hash(key, len) & (t->size - 1);

	while (t->place[at] && memcmp(item(t, t->place[at] - 1), key, len))
		at = (at + 1) & (t->size - 1);
	return at;
}

static bool grow(struct table *t, size_t len)
{
	size_t size = t->size ? 2 * t->size : 64, cap = size / 2;
	uint32_t *place = calloc(size, sizeof(*place));
	void *more = realloc(t->item, cap * t->width);

	if (more)
		t->item = more;
	if (!place || !more) {
		free(place);
		return false;
	}
	free(t->place);
	t->place = place;
	t->size = size;
	t->cap = cap;
	for (size_t i = 0; i < t->n; i++)
		t->place[find(t, item(t, i), len)] = (uint32_t)i + 1;
	return true;
}

/* Return: the item that begins with @key, zeroed behind it when *@fresh; or NULL. */
static void *get(struct table *t, const void *key, size_t len, bool *fresh)
{
	size_t at;

	*fresh = false;
	if (t->n == t->cap && !grow(t, len))
		return NULL;
	at = find(t, key, len);
	if (!t->place[at]) {
		*fresh = true;
		memset(item(t, t->n), 0, t->width);
		memcpy(item(t, t->n), key, len);
		t->place[at] = (uint32_t)++t->n;
	}
	return item(t, t->place[at] - 1);
}

struct rl_tally *rl_tally_new(void)
{
	struct rl_tally *t = calloc(1, sizeof(*t));

	if (t) {
		t->rows.width = sizeof(struct rl_tally_row);
		t->seen.width = sizeof(struct seen);
	}
	return t;
}

void rl_tally_free(struct rl_tally *t)
{
	if (!t)
		return;
	free(t->rows.place);
	free(t->rows.item);
	free(t->seen.place);
	free(t->seen.item);
	free(t);
}

static void count_peer(struct rl_tally *t, struct rl_tally_row *r, const struct rill_sock *s)
{
	struct seen k;
	bool fresh;

	memset(&k, 0, sizeof(k));
	k.ip = s->peer.ip;
	k.row = (uint32_t)(r - (struct rl_tally_row *)t->rows.item);
	k.port = 1 << 16;
	if (get(&t->seen, &k, sizeof(k), &fresh))
		r->peers += fresh;
	k.port = s->peer.port;
	if (get(&t->seen, &k, sizeof(k), &fresh))
		r->ends += fresh;
}

/* The lowest are kept. */
static void count_fd(struct rl_tally_row *r, const struct rill_sock *s)
{
	int fd = s->nowners ? s->owners[0].fd : -1;
	unsigned top = 0;

	if (fd < 0)
		return;
	if (r->nfd < RL_TALLY_FDS) {
		r->fd[r->nfd++] = fd;
		return;
	}
	for (unsigned i = 1; i < r->nfd; i++)
		if (r->fd[i] > r->fd[top])
			top = i;
	if (fd < r->fd[top])
		r->fd[top] = fd;
}

struct rl_tally_row *rl_tally_add(struct rl_tally *t, const struct rl_facts *f,
				  const struct rl_key *key, const struct rill_sock *s)
{
	const struct rl_past *past = rl_facts_past(f, s);
	struct rl_tally_row *r;
	bool fresh;

	r = get(&t->rows, key, sizeof(*key), &fresh);
	if (!r)
		return NULL;
	if (fresh) {
		r->first = s;
		r->age_ms = -1;
	}
	r->n++;
	r->tried += s->tries > 0;
	r->tries += s->tries;
	r->unread += rl_facts_unread(s);
	r->unsent += s->send_q;
	r->fresh += f->watched_ms && s->cookie && (!past || past->state != s->state);
	if (s->age_ms > r->age_ms) {
		r->age_ms = s->age_ms;
		r->age_least = s->age_least;
	}
	count_fd(r, s);
	count_peer(t, r, s);
	return r;
}

struct rl_tally_row *rl_tally_find(const struct rl_tally *t, const struct rl_key *key)
{
	size_t at;

	if (!t->rows.n)
		return NULL;
	at = find(&t->rows, key, sizeof(*key));
	return t->rows.place[at] ? item(&t->rows, t->rows.place[at] - 1) : NULL;
}

size_t rl_tally_count(const struct rl_tally *t)
{
	return t->rows.n;
}

struct rl_tally_row *rl_tally_row(const struct rl_tally *t, size_t i)
{
	return item(&t->rows, i);
}

struct rl_tally_row *rl_tally_largest(const struct rl_tally *t)
{
	struct rl_tally_row *best = NULL;

	for (size_t i = 0; i < t->rows.n; i++) {
		struct rl_tally_row *r = rl_tally_row(t, i);

		if (!best || r->n > best->n)
			best = r;
	}
	return best;
}
