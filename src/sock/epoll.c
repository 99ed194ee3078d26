// SPDX-License-Identifier: MIT
/*
 * rill_epoll: readiness of many descriptors at the cost of the ready ones.
 *
 * An event of a watched socket puts its item on the epoll's ready list.  Waiting
 * takes items off that list and asks each what is true now: what is not true any
 * more is forgotten; a level-triggered item that was reported goes back to the
 * tail and is asked again next time; an edge-triggered one comes back by its
 * next event; a one-shot one is deaf until EPOLL_CTL_MOD.  This is epoll(7)'s
 * own algorithm, so its corner cases are the same: an edge-triggered item reports
 * everything true at that moment, and MOD looks afresh.
 *
 * Everything is under the engine's lock.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/types.h"
#include "sock/sock.h"

#define MODE_BITS	((uint32_t)(EPOLLET | EPOLLONESHOT | EPOLLWAKEUP | EPOLLEXCLUSIVE))

struct rl_epoll {
	struct list	ready;		/* items to be asked */
	struct list	items;		/* all of them */
	struct rl_sock	*self;
};

struct rl_epitem {
	struct list		ready_link, link;
	struct rl_epitem	*next;		/* of the same socket */
	struct rl_epoll		*ep;
	struct rl_sock		*s;
	uint32_t		events;		/* interest; no bits: deaf */
	epoll_data_t		data;
};

static uint32_t interest(const struct rl_epitem *it)
{
	return it->events & ~MODE_BITS;
}

static void make_ready(struct rl_epitem *it)
{
	if (!list_empty(&it->ready_link))
		return;
	list_add_tail(&it->ep->ready, &it->ready_link);
	if (it->ep->self->watches)
		rl_sock_ready(it->ep->self, RILL_IN);
}

/* epoll has the normal-data bits too; the stack's events do not. */
static uint32_t spread(uint32_t bits)
{
	if (bits & RILL_IN)
		bits |= EPOLLRDNORM;
	if (bits & RILL_OUT)
		bits |= EPOLLWRNORM;
	return bits;
}

void rl_epoll_event(struct rl_epitem *it, uint32_t bits)
{
	for (bits = spread(bits); it; it = it->next)
		if (interest(it) & bits)
			make_ready(it);
}

static uint32_t true_now(struct rill_stack *st, const struct rl_epitem *it)
{
	return interest(it) ? spread(rl_sock_poll(st, it->s)) & interest(it) : 0;
}

bool rl_epoll_ready(struct rill_stack *st, struct rl_epoll *ep)
{
	while (!list_empty(&ep->ready)) {
		struct rl_epitem *it = list_first(&ep->ready, struct rl_epitem, ready_link);

		if (true_now(st, it))
			return true;
		list_del(&it->ready_link);
	}
	return false;
}

static void item_free(struct rl_epitem *it)
{
	struct rl_epitem **p;

	for (p = &it->s->items; *p; p = &(*p)->next) {
		if (*p == it) {
			*p = it->next;
			break;
		}
	}
	list_del(&it->ready_link);
	list_del(&it->link);
	free(it);
}

void rl_epoll_forget(struct rl_sock *s)
{
	while (s->items)
		item_free(s->items);
}

void rl_epoll_free(struct rl_epoll *ep)
{
	while (!list_empty(&ep->items))
		item_free(list_first(&ep->items, struct rl_epitem, link));
	free(ep);
}

int rill_epoll_create(struct rill_engine *e)
{
	struct rl_epoll *ep;
	struct rl_sock *s;
	int fd;

	if (!e)
		return -EINVAL;
	ep = calloc(1, sizeof(*ep));
	if (!ep)
		return -ENOMEM;
	list_init(&ep->ready);
	list_init(&ep->items);
	rl_host_enter(e);
	fd = rl_table_alloc(e, RL_SOCK_EPOLL, &s);
	if (fd >= 0) {
		s->ep = ep;
		ep->self = s;
	}
	rl_host_leave(e);
	if (fd < 0)
		free(ep);
	return fd;
}

static struct rl_epitem *find(const struct rl_epoll *ep, const struct rl_sock *s)
{
	struct rl_epitem *it = s->items;

	while (it && it->ep != ep)
		it = it->next;
	return it;
}

static int item_new(struct rl_epoll *ep, struct rl_sock *s, struct rl_epitem **out)
{
	struct rl_epitem *it = calloc(1, sizeof(*it));

	if (!it)
		return -ENOMEM;
	it->ep = ep;
	it->s = s;
	it->next = s->items;
	s->items = it;
	list_init(&it->ready_link);
	list_add_tail(&ep->items, &it->link);
	*out = it;
	return 0;
}

/* ADD and MOD: the new interest, and what is true of it already. */
static void arm(struct rill_stack *st, struct rl_epitem *it, const struct epoll_event *ev)
{
	it->events = ev->events | EPOLLERR | EPOLLHUP;
	it->data = ev->data;
	if (true_now(st, it))
		make_ready(it);
}

static int ctl(struct rill_stack *st, struct rl_epoll *ep, int op, struct rl_sock *s,
	       const struct epoll_event *ev)
{
	struct rl_epitem *it = find(ep, s);
	int r = 0;

	if (op != EPOLL_CTL_ADD && !it)
		return -ENOENT;
	if (op == EPOLL_CTL_ADD && it)
		return -EEXIST;
	if (op == EPOLL_CTL_DEL) {
		item_free(it);
		return 0;
	}
	if (op == EPOLL_CTL_ADD)
		r = item_new(ep, s, &it);
	if (r == 0)
		arm(st, it, ev);
	return r;
}

static int check_ctl(int op, int fd, const struct epoll_event *ev)
{
	if (op != EPOLL_CTL_ADD && op != EPOLL_CTL_MOD && op != EPOLL_CTL_DEL)
		return -EINVAL;
	if (op != EPOLL_CTL_DEL && !ev)
		return -EFAULT;
	if (op != EPOLL_CTL_DEL && ev->events & EPOLLEXCLUSIVE)
		return -EINVAL;
	if (fd >= 0 && fd < RILL_FD_BASE)
		return -EPERM;
	return 0;
}

int rill_epoll_ctl(int epfd, int op, int fd, struct epoll_event *ev)
{
	struct rl_sock *es, *s = rl_table_at(fd);
	struct rill_stack *st;
	struct rill_engine *e;
	int r = check_ctl(op, fd, ev);

	if (r < 0)
		return r;
	r = rl_sock_enter(epfd, &es, &st);
	if (r < 0)
		return r == -ENOTSOCK ? -EINVAL : r;
	e = rl_sock_engine(es);
	if (!s || !rl_sock_engine(s) || s->flags & RL_SF_CLOSING)
		r = -EBADF;
	else if (es->kind != RL_SOCK_EPOLL || s->kind == RL_SOCK_EPOLL ||
		 rl_sock_engine(s) != e)
		r = -EINVAL;
	else
		r = ctl(st, es->ep, op, s, ev);
	rl_host_leave(e);
	return r;
}

/* One item of the ready list.  Return: whether it was reported in @ev. */
static bool report(struct rill_stack *st, struct rl_epitem *it, struct epoll_event *ev)
{
	uint32_t bits = true_now(st, it);

	if (!bits)
		return false;
	ev->events = bits;
	ev->data = it->data;
	if (it->events & EPOLLONESHOT)
		it->events &= MODE_BITS;
	else if (!(it->events & EPOLLET))
		list_add_tail(&it->ep->ready, &it->ready_link);
	return true;
}

/* Each item on the list now is asked once; those put back wait for next time. */
static int collect(struct rill_stack *st, struct rl_epoll *ep, struct epoll_event *evs,
		   int max)
{
	struct list *end = ep->ready.prev, *l;
	int n = 0;

	if (list_empty(&ep->ready))
		return 0;
	do {
		struct rl_epitem *it = list_first(&ep->ready, struct rl_epitem, ready_link);

		l = &it->ready_link;
		list_del(l);
		n += report(st, it, &evs[n]);
	} while (l != end && n < max);
	return n;
}

static int wait_ready(struct rill_stack *st, struct rl_sock *s, struct epoll_event *evs,
		      int max, int64_t until_ns)
{
	int n, r;

	rl_host_poke(rl_sock_engine(s));
	for (;;) {
		n = collect(st, s->ep, evs, max);
		if (n || until_ns == 0)
			return n;
		r = rl_sock_wait(s, RILL_IN, until_ns);
		if (r == -EAGAIN)	/* time is up, but look once more */
			return collect(st, s->ep, evs, max);
		if (r < 0)
			return r;
	}
}

int rill_epoll_wait(int epfd, struct epoll_event *evs, int max, int timeout_ms)
{
	int64_t until_ns = timeout_ms < 0 ? RL_NEVER : 0;
	struct rill_stack *st;
	struct rill_engine *e;
	struct rl_sock *s;
	int r;

	if (max <= 0)
		return -EINVAL;
	if (!evs)
		return -EFAULT;
	r = rl_sock_enter(epfd, &s, &st);
	if (r < 0)
		return r == -ENOTSOCK ? -EINVAL : r;
	e = rl_sock_engine(s);
	if (timeout_ms > 0)
		until_ns = rl_until(e, timeout_ms * RL_MS);
	r = s->kind == RL_SOCK_EPOLL ? wait_ready(st, s, evs, max, until_ns) : -EINVAL;
	rl_host_leave(e);
	return r;
}
