// SPDX-License-Identifier: MIT
/*
 * rill_poll(): descriptors of Rill and of the kernel in one array.
 *
 * Look at all; when nothing is there, put a watch on each socket and wait, then
 * look again.  The kernel's ones go along as descriptors that the driver of the
 * stack sleeps on too.  Costs are linear in the array, as poll's are.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/types.h"
#include "sock/sock.h"

#define SMALL	16		/* descriptors that need no malloc() */

/* One call under way. */
struct polling {
	struct pollfd		*fds;
	nfds_t			 n;
	struct rill_engine	*e;
	struct rill_stack	*st;
	struct rl_waiter	 w;
	struct rl_watch		*watch;		/* one a socket of ours */
	struct pollfd		*kfds;		/* the kernel's, in order */
	unsigned		 nwatch, nk;
};

static bool ours(const struct pollfd *p)
{
	return p->fd >= RILL_FD_BASE;
}

/* The engine of all our descriptors; -EINVAL when there are several. */
static int find_engine(struct polling *p)
{
	for (nfds_t i = 0; i < p->n; i++) {
		struct rl_sock *s = ours(&p->fds[i]) ? rl_table_at(p->fds[i].fd) : NULL;
		struct rill_engine *e;

		if (!s)
			continue;
		e = atomic_load_explicit(&s->e, memory_order_acquire);
		if (e && p->e && e != p->e)
			return -EINVAL;
		if (e)
			p->e = e;
	}
	return 0;
}

static struct rl_sock *sock_of(const struct polling *p, const struct pollfd *f)
{
	struct rl_sock *s = rl_table_at(f->fd);

	if (!s || rl_sock_engine(s) != p->e || s->flags & RL_SF_CLOSING)
		return NULL;
	return s;
}

/* poll(2) has RDNORM beside IN and WRNORM beside OUT. */
static short spread(uint32_t bits)
{
	if (bits & RILL_IN)
		bits |= POLLRDNORM;
	if (bits & RILL_OUT)
		bits |= POLLWRNORM;
	return (short)bits;
}

static uint32_t wanted(short events)
{
	uint32_t bits = (uint16_t)events;

	if (events & POLLRDNORM)
		bits |= RILL_IN;
	if (events & POLLWRNORM)
		bits |= RILL_OUT;
	return bits | RILL_ERR | RILL_HUP;
}

static int look(struct polling *p)
{
	int ready = 0;

	for (nfds_t i = 0; i < p->n; i++) {
		struct pollfd *f = &p->fds[i];
		struct rl_sock *s;

		if (!ours(f))
			continue;
		s = p->e ? sock_of(p, f) : NULL;
		f->revents = POLLNVAL;
		if (s)
			f->revents = (short)(spread(rl_sock_poll(p->st, s)) &
					     (f->events | POLLERR | POLLHUP));
		ready += f->revents != 0;
	}
	return ready;
}

/* What the kernel says of its own; results go to the caller's array. */
static int look_kernel(struct polling *p)
{
	unsigned k = 0;
	int r = 0;

	if (p->nk)
		r = poll(p->kfds, p->nk, 0);
	if (r < 0)
		return -errno;
	for (nfds_t i = 0; i < p->n; i++)
		if (!ours(&p->fds[i]))
			p->fds[i].revents = p->kfds[k++].revents;
	return r;
}

static int look_all(struct polling *p)
{
	int r = look_kernel(p);

	return r < 0 ? r : r + look(p);
}

static void watch_all(struct polling *p)
{
	for (nfds_t i = 0; i < p->n; i++) {
		struct rl_sock *s = ours(&p->fds[i]) ? sock_of(p, &p->fds[i]) : NULL;

		if (s)
			rl_watch_add(&p->watch[p->nwatch++], s, &p->w,
				     wanted(p->fds[i].events));
	}
	p->w.kfds = p->kfds;
	p->w.nkfds = p->nk;
}

static int wait_all(struct polling *p, int64_t until_ns)
{
	int r = look_all(p), woken;

	if (r == 0 && rl_host_poke(p->e))
		r = look_all(p);
	if (r != 0 || until_ns == 0)
		return r;
	watch_all(p);
	do {
		p->w.ready = false;
		woken = rl_host_wait(p->e, &p->w, until_ns);
		r = woken < 0 ? woken : look_all(p);
	} while (r == 0 && woken > 0);
	for (unsigned i = 0; i < p->nwatch; i++)
		rl_watch_del(&p->watch[i]);
	return r;
}

/* No descriptor of ours that lives: the kernel can do it alone. */
static int kernel_only(struct polling *p, int timeout_ms)
{
	int bad = look(p), r;

	r = poll(p->kfds, p->nk, bad ? 0 : timeout_ms);
	if (r < 0)
		return -errno;
	for (nfds_t i = 0, k = 0; i < p->n; i++)
		if (!ours(&p->fds[i]))
			p->fds[i].revents = p->kfds[k++].revents;
	return r + bad;
}

static int run(struct polling *p, int timeout_ms)
{
	int64_t until_ns = timeout_ms < 0 ? RL_NEVER : 0;
	int r = find_engine(p);

	if (r < 0)
		return r;
	for (nfds_t i = 0; i < p->n; i++)
		if (!ours(&p->fds[i]))
			p->kfds[p->nk++] = p->fds[i];
	if (!p->e)
		return kernel_only(p, timeout_ms);
	if (timeout_ms > 0)
		until_ns = rl_until(p->e, timeout_ms * RL_MS);
	p->st = rl_host_enter(p->e);
	r = wait_all(p, until_ns);
	rl_host_leave(p->e);
	return r;
}

int rill_poll(struct pollfd *fds, nfds_t n, int timeout_ms)
{
	struct polling p = { .fds = fds, .n = n };
	struct rl_watch watch[SMALL];
	struct pollfd kfds[SMALL + RL_HOST_FDS];
	int r = -ENOMEM;

	if (n && !fds)
		return -EFAULT;
	if (n > (nfds_t)1 << 26)
		return -EINVAL;
	rl_waiter_init(&p.w);
	p.watch = n <= SMALL ? watch : calloc(n, sizeof(*p.watch));
	p.kfds = n <= SMALL ? kfds : calloc(n + RL_HOST_FDS, sizeof(*p.kfds));
	if (p.watch && p.kfds)
		r = run(&p, timeout_ms);
	if (n > SMALL) {
		free(p.watch);
		free(p.kfds);
	}
	return r;
}
