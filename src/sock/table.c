// SPDX-License-Identifier: MIT
/*
 * The table of descriptors: one for the process, shared by all engines, since a
 * descriptor is an int without an engine beside it.
 *
 * Owns the structs (in pages that stay, so that a stale descriptor may be looked
 * at without a lock) and a bitmap of used numbers, four levels of 64-bit words
 * in which a set bit means "full below": the lowest free number, which POSIX
 * asks for, is found in four steps.  Called by socket.c and epoll.c.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/types.h"
#include "sock/sock.h"

#define INDEX_BITS	24
#define PAGE_BITS	12
#define NPAGES		(1u << (INDEX_BITS - PAGE_BITS))
#define PAGE_LEN	(1u << PAGE_BITS)
#define LEVELS		4

static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic(struct rl_sock *) pages[NPAGES];
static _Atomic uint32_t npages;		/* pages in use from 0 */

static uint64_t used0[1 << (INDEX_BITS - 6)];
static uint64_t used1[1 << (INDEX_BITS - 12)];
static uint64_t used2[1 << (INDEX_BITS - 18)];
static uint64_t used3[1];
static uint64_t *const used[LEVELS] = { used0, used1, used2, used3 };

static bool lowest_free(uint32_t *idx)
{
	uint32_t at = 0;

	if (used3[0] == UINT64_MAX)
		return false;
	for (int l = LEVELS - 1; l >= 0; l--)
		at = at << 6 | (uint32_t)__builtin_ctzll(~used[l][at]);
	*idx = at;
	return true;
}

static void mark_used(uint32_t idx)
{
	for (int l = 0; l < LEVELS; l++) {
		used[l][idx >> 6] |= UINT64_C(1) << (idx & 63);
		if (used[l][idx >> 6] != UINT64_MAX)
			return;
		idx >>= 6;
	}
}

static void mark_free(uint32_t idx)
{
	for (int l = 0; l < LEVELS; l++) {
		used[l][idx >> 6] &= ~(UINT64_C(1) << (idx & 63));
		idx >>= 6;
	}
}

/* A page is made when its first number is; lowest first keeps them dense. */
static struct rl_sock *slot(uint32_t idx)
{
	uint32_t n = idx >> PAGE_BITS;
	struct rl_sock *p = atomic_load_explicit(&pages[n], memory_order_relaxed);

	if (!p) {
		p = calloc(PAGE_LEN, sizeof(*p));
		if (!p)
			return NULL;
		for (uint32_t i = 0; i < PAGE_LEN; i++)
			p[i].idx = n << PAGE_BITS | i;
		atomic_store_explicit(&pages[n], p, memory_order_release);
		if (n >= atomic_load_explicit(&npages, memory_order_relaxed))
			atomic_store_explicit(&npages, n + 1, memory_order_release);
	}
	return p + (idx & (PAGE_LEN - 1));
}

static int take(struct rl_sock **out)
{
	uint32_t idx;

	if (!lowest_free(&idx))
		return -EMFILE;
	*out = slot(idx);
	if (!*out)
		return -ENOMEM;
	mark_used(idx);
	return (int)idx + RILL_FD_BASE;
}

int rl_table_alloc(struct rill_engine *e, enum rl_sock_kind kind, struct rl_sock **out)
{
	struct rl_sock *s;
	int fd;

	pthread_mutex_lock(&table_lock);
	fd = take(out);
	pthread_mutex_unlock(&table_lock);
	if (fd < 0)
		return fd;
	s = *out;
	s->id = 0;
	s->watches = NULL;
	s->items = NULL;
	s->rcvtimeo_ns = s->sndtimeo_ns = RL_NEVER;
	s->rcvlowat = 1;
	s->flags = 0;
	s->kind = (uint8_t)kind;
	atomic_store_explicit(&s->e, e, memory_order_release);
	return fd;
}

void rl_table_free(struct rl_sock *s)
{
	s->kind = RL_SOCK_FREE;
	s->id = 0;
	atomic_store_explicit(&s->e, NULL, memory_order_release);
	pthread_mutex_lock(&table_lock);
	mark_free(s->idx);
	pthread_mutex_unlock(&table_lock);
}

struct rl_sock *rl_table_at(int fd)
{
	uint32_t idx = (uint32_t)fd - RILL_FD_BASE;
	struct rl_sock *p;

	if (fd < RILL_FD_BASE || idx >> INDEX_BITS)
		return NULL;
	p = atomic_load_explicit(&pages[idx >> PAGE_BITS], memory_order_acquire);
	return p ? p + (idx & (PAGE_LEN - 1)) : NULL;
}

struct rl_sock *rl_table_next(const struct rill_engine *e, int *fd)
{
	uint32_t n = atomic_load_explicit(&npages, memory_order_acquire);

	while ((uint32_t)(*fd - RILL_FD_BASE) < n << PAGE_BITS) {
		struct rl_sock *s = rl_table_at((*fd)++);

		if (s && rl_sock_engine(s) == e)
			return s;
	}
	return NULL;
}

int rl_sock_enter(int fd, struct rl_sock **out, struct rill_stack **st)
{
	struct rl_sock *s = rl_table_at(fd);
	struct rill_engine *e;

	if (!s)
		return fd >= 0 && fd < RILL_FD_BASE ? -ENOTSOCK : -EBADF;
	e = atomic_load_explicit(&s->e, memory_order_acquire);
	if (!e)
		return -EBADF;
	*st = rl_host_enter(e);
	/* it may have been closed while we waited for the lock */
	if (rl_sock_engine(s) != e || s->flags & RL_SF_CLOSING) {
		rl_host_leave(e);
		return -EBADF;
	}
	*out = s;
	return 0;
}

int rl_sock_enter_io(int fd, struct rl_sock **s, struct rill_stack **st)
{
	int r = rl_sock_enter(fd, s, st);

	if (r == 0 && (*s)->kind == RL_SOCK_EPOLL) {
		rl_host_leave(rl_sock_engine(*s));
		return -ENOTSOCK;
	}
	return r;
}
