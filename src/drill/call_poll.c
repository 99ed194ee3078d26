// SPDX-License-Identifier: MIT
/*
 * poll() and epoll.  Of poll() every revents is compared exactly; of epoll_wait()
 * the first event, its events and the member of its data that the script names.
 * Called through call.c's table.
 */
#include <errno.h>
#include <limits.h>
#include <sys/epoll.h>

#include "base/types.h"
#include "drill/call.h"
#include "sock/host.h"

#define EVENTS_MAX	1024
#define NO_FD		INT_MAX		/* is none, while poll() passes over -1 */

/* ---- poll ---- */

struct polled {
	struct pollfd	*fds;
	int64_t		*want;		/* revents of each */
	int64_t		*script;	/* the script's descriptor */
	unsigned	n;
};

static int poll_one(struct drill_inv *in, const struct drill_expr *e, struct polled *p)
{
	int64_t fd = -1, events = 0, revents = 0;
	int live;

	if (!rl_drill_field(e, "fd"))
		return rl_drill_call_fail(in, "poll(): an element is {fd=F, events=E, "
					  "revents=R}");
	if (rl_drill_only_fields(in, e, "fd events revents") ||
	    rl_drill_num_field(in, e, "fd", &fd) ||
	    rl_drill_num_field(in, e, "events", &events) ||
	    rl_drill_num_field(in, e, "revents", &revents))
		return -1;
	live = rl_drill_live_fd(in->r, fd);
	if (live < 0 && fd >= 0)
		live = NO_FD;
	p->fds[p->n] = (struct pollfd){ .fd = live, .events = (short)events };
	p->want[p->n] = revents;
	p->script[p->n++] = fd;
	return 0;
}

static int poll_list(struct drill_inv *in, const struct drill_expr *e, struct polled *p)
{
	const struct drill_expr *i;
	size_t n = 1;

	if (e->kind != DRILL_E_LIST)
		return rl_drill_call_fail(in, "poll(): a list of {fd=F, events=E, "
					  "revents=R} is needed");
	for (i = e->list; i; i = i->next)
		n++;
	p->fds = rl_drill_alloc(&in->mem, n * sizeof(*p->fds));
	p->want = rl_drill_alloc(&in->mem, n * sizeof(*p->want));
	p->script = rl_drill_alloc(&in->mem, n * sizeof(*p->script));
	for (i = e->list; i; i = i->next)
		if (poll_one(in, i, p))
			return -1;
	return 0;
}

static int check_revents(struct drill_inv *in, const struct polled *p)
{
	for (unsigned i = 0; i < p->n; i++)
		if ((unsigned short)p->fds[i].revents != (uint64_t)p->want[i])
			return rl_drill_call_differs(in, "poll() gave revents 0x%x for "
						     "descriptor %lld, expected 0x%llx",
						     (unsigned)(unsigned short)p->fds[i].revents,
						     (long long)p->script[i],
						     (unsigned long long)p->want[i]);
	return 0;
}

/* Without a descriptor there is no engine, and poll() would wait in real time. */
static int wait_only(struct drill_inv *in, int timeout_ms)
{
	int64_t now_ns = rl_drill_world_now(in->r->w);
	struct rl_waiter w;
	int r;

	rl_waiter_init(&w);
	r = rl_drill_fiber_wait(in->r, &w, timeout_ms < 0 ? RL_NEVER :
				now_ns + timeout_ms * RL_MS);
	return RL_MIN(r, 0);
}

static int poll_all(struct drill_inv *in, const struct polled *p, int timeout_ms)
{
	for (unsigned i = 0; i < p->n; i++)
		if (p->fds[i].fd >= 0)
			return rill_poll(p->fds, p->n, timeout_ms);
	return wait_only(in, timeout_ms);
}

int rl_drill_do_poll(struct drill_inv *in)
{
	struct polled p = { 0 };
	int n, timeout_ms;

	if (poll_list(in, in->args[0], &p) || rl_drill_arg_int(in, 1, &n) ||
	    rl_drill_arg_int(in, 2, &timeout_ms))
		return -1;
	if (n < 0 || (unsigned)n != p.n)
		return rl_drill_call_fail(in, "poll(): %u elements where %d are announced",
					  p.n, n);
	if (rl_drill_returned(in, poll_all(in, &p, timeout_ms)))
		return -1;
	return in->ret < 0 ? 0 : check_revents(in, &p);
}

/* ---- epoll ---- */

int rl_drill_do_epoll_create(struct drill_inv *in)
{
	struct drill_fd *made;
	int size, live;

	if (rl_drill_arg_int(in, 0, &size))
		return -1;
	live = size > 0 ? rill_epoll_create(rl_drill_world_engine(in->r->w)) : -EINVAL;
	return rl_drill_returned_fd(in, live, AF_UNSPEC, 0, &made);
}

/* The data of an event: one of four views of it; of "fd" the live one. */
static int event_data(struct drill_inv *in, const struct drill_expr *e, epoll_data_t *d)
{
	int64_t v = 0;

	d->u64 = 0;
	if (rl_drill_field(e, "fd")) {
		if (rl_drill_num_field(in, e, "fd", &v))
			return -1;
		d->fd = rl_drill_live_fd(in->r, v);
		return 0;
	}
	if (rl_drill_num_field(in, e, "u32", &v) ||
	    rl_drill_num_field(in, e, "u64", &v) ||
	    rl_drill_num_field(in, e, "ptr", &v))
		return -1;
	if (rl_drill_field(e, "u32"))
		d->u32 = (uint32_t)v;
	else
		d->u64 = (uint64_t)v;
	return 0;
}

static int event_arg(struct drill_inv *in, unsigned i, struct epoll_event *ev)
{
	const struct drill_expr *e = in->args[i];
	epoll_data_t data;
	int64_t events = 0;

	*ev = (struct epoll_event){ 0 };
	if (e->kind != DRILL_E_STRUCT)
		return rl_drill_call_fail(in, "%s(): an event is {events=E, fd=F}",
					  in->c->name);
	if (rl_drill_only_fields(in, e, "events fd u32 u64 ptr") ||
	    rl_drill_num_field(in, e, "events", &events) || event_data(in, e, &data))
		return -1;
	ev->events = (uint32_t)events;
	ev->data = data;
	return 0;
}

static bool has_event(const struct drill_inv *in, unsigned i)
{
	return !rl_drill_is_null(in->args[i]) && !rl_drill_is_ellipsis(in->args[i]);
}

int rl_drill_do_epoll_ctl(struct drill_inv *in)
{
	bool given = has_event(in, 3);
	struct epoll_event ev;
	struct drill_fd *e, *f;
	int epfd, live, op;

	if (rl_drill_arg_fd(in, 0, &e, &epfd) || rl_drill_arg_int(in, 1, &op) ||
	    rl_drill_arg_fd(in, 2, &f, &live) || (given && event_arg(in, 3, &ev)))
		return -1;
	return rl_drill_returned(in, rill_epoll_ctl(epfd, op, live, given ? &ev : NULL));
}

/* 32 bits of the data where the script says fd or u32, else all 64. */
static bool same_data(const struct drill_expr *e, epoll_data_t a, epoll_data_t b)
{
	if (rl_drill_field(e, "fd"))
		return a.fd == b.fd;
	if (rl_drill_field(e, "u32"))
		return a.u32 == b.u32;
	if (rl_drill_field(e, "u64") || rl_drill_field(e, "ptr"))
		return a.u64 == b.u64;
	return true;
}

static int check_event(struct drill_inv *in, const struct epoll_event *want,
		       const struct epoll_event *got)
{
	if (got->events != want->events)
		return rl_drill_call_differs(in, "epoll_wait() gave events 0x%x, expected 0x%x",
					     got->events, want->events);
	if (!same_data(in->args[1], got->data, want->data))
		return rl_drill_call_differs(in, "epoll_wait() gave the data of another "
					     "descriptor");
	return 0;
}

int rl_drill_do_epoll_wait(struct drill_inv *in)
{
	bool given = has_event(in, 1);
	struct epoll_event want, *evs;
	int epfd, max, timeout_ms;
	struct drill_fd *e;

	if (rl_drill_arg_fd(in, 0, &e, &epfd) || (given && event_arg(in, 1, &want)) ||
	    rl_drill_arg_int(in, 2, &max) || rl_drill_arg_int(in, 3, &timeout_ms))
		return -1;
	if (max > EVENTS_MAX)
		return rl_drill_call_fail(in, "epoll_wait(): at most %d events", EVENTS_MAX);
	evs = rl_drill_alloc(&in->mem, (size_t)RL_MAX(max, 1) * sizeof(*evs));
	if (rl_drill_returned(in, rill_epoll_wait(epfd, evs, max, timeout_ms)))
		return -1;
	return in->ret > 0 && given ? check_event(in, &want, &evs[0]) : 0;
}
