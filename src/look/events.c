/* SPDX-License-Identifier: MIT */
/*
 * State changes from wherever they come, as one queue: the ring of the kernel's
 * tracepoint, what two looks at the table differ in.  One epoll descriptor stands
 * for all of it.  With the tracepoint, looks find half-open peers only, and
 * events_after.c finds TIME-WAIT.
 *
 * Invariants: a look that failed in part is not compared, so that nothing seems to
 * have ended because it could not be read; the queue takes what one reading gave
 * and is empty before the next.
 *
 * Called by `rill monitor` and `rill ss -E`.
 */
#include "look/events.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "look/events_int.h"

#define POLL_MS		100
#define AFTER_MS	500		/* TIME-WAIT, half-open peers */
#define SCAN_NS		INT64_C(1000000000)	/* for new stacks */
#define SLOW_SCAN_NS	INT64_C(30000000000)
#define BACK_MAX	256
#define GATHER_US	20000		/* a burst is read at once: one waking, not one each */

struct rl_events {
	int		ep, timer;
	struct rl_events_query q;
	struct rl_events_notes notes;
	struct rl_trace_src *trace;
	struct rl_trace_state traced;
	struct rl_after	*after;
	uint32_t	netns;		/* ours */
	int64_t		boot_ns;	/* CLOCK_REALTIME at CLOCK_MONOTONIC's 0 */
	struct rl_watchers *rill;
	int64_t		scan_ns;	/* look for stacks then, CLOCK_MONOTONIC */
	struct poll_look now, before;
	bool		looked;		/* @before is a look */

	struct rl_event	*queue;
	size_t		n, at, cap;
	uint64_t	dropped;	/* no memory */
};

static int64_t clock_ns(clockid_t which)
{
	struct timespec ts;

	clock_gettime(which, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void put(void *ctx, const struct rl_event *e)
{
	struct rl_events *ev = ctx;

	if (ev->n == ev->cap) {
		size_t cap = ev->cap ? 2 * ev->cap : 256;
		struct rl_event *p = realloc(ev->queue, cap * sizeof(*p));

		if (!p) {
			ev->dropped++;
			return;
		}
		ev->queue = p;
		ev->cap = cap;
	}
	ev->queue[ev->n++] = *e;
}

/* ---- the tracepoint ---- */

/* connect() tells before it has chosen a port; what follows at once has it. */
static void fill_in_port(struct rl_events *ev, const struct rl_event *e)
{
	size_t back = ev->n < BACK_MAX ? ev->n : BACK_MAX;

	for (size_t i = ev->n; i > ev->n - back; i--) {
		struct rl_event *p = &ev->queue[i - 1];

		if (p->id == e->id && p->to == RILL_SYN_SENT) {
			p->local = e->local;
			return;
		}
	}
}

static void on_change(struct rl_events *ev, struct rl_event *e)
{
	bool ours = ev->after && e->netns == ev->netns;
	struct poll_entry *half;

	if (ours && e->to == RILL_SYN_RECV && e->from == RILL_LISTEN) {
		half = rl_look_find(&ev->before, e);
		if (half && !half->taken) {
			half->taken = true;	/* told already; its end is not the look's */
			return;
		}
	}
	if (e->from == RILL_SYN_SENT)
		fill_in_port(ev, e);
	if (ours && e->to == RILL_CLOSE &&
	    (e->from == RILL_FIN_WAIT1 || e->from == RILL_FIN_WAIT2 ||
	     e->from == RILL_CLOSING) &&
	    !rl_after_take(ev->after, e, e->time_ns))
		return;
	put(ev, e);
}

static void on_trace(void *ctx, const struct trace_rec *r)
{
	struct rl_events *ev = ctx;
	struct rl_event e[2];
	unsigned n = rl_trace_take(&ev->traced, r, e);

	for (unsigned i = 0; i < n; i++) {
		e[i].time_ns += ev->boot_ns;
		on_change(ev, &e[i]);
	}
}

/* ---- looking ---- */

static bool on_sock(void *ctx, const struct rill_sock *s)
{
	rl_look_add(ctx, s);
	return true;
}

static void look(struct rl_events *ev)
{
	struct rill_table_query q = RILL_TABLE_QUERY_INIT;
	struct rill_table_notes notes = { 0 };
	struct poll_look swap;

	q.want = RILL_WANT_TCP | RILL_WANT_KERNEL;
	if (ev->trace)
		q.states = 1u << RILL_SYN_RECV;
	ev->now.n = 0;
	ev->now.whole = true;
	if (rill_table_walk(&q, on_sock, &ev->now, &notes) < 0 || !ev->now.whole ||
	    notes.kernel_error)
		return;
	rl_look_sort(&ev->now);
	if (ev->looked)
		rl_look_diff(&ev->before, &ev->now, clock_ns(CLOCK_REALTIME), put, ev);
	ev->looked = true;
	swap = ev->before;
	ev->before = ev->now;
	ev->now = swap;
}

/* ---- opening ---- */

static int add_fd(struct rl_events *ev, int fd)
{
	struct epoll_event e = { .events = EPOLLIN, .data.fd = fd };

	return epoll_ctl(ev->ep, EPOLL_CTL_ADD, fd, &e) < 0 ? -errno : 0;
}

static uint32_t own_netns(void)
{
	struct stat st;

	return stat("/proc/self/ns/net", &st) < 0 ? 0 : (uint32_t)st.st_ino;
}

static void open_kernel(struct rl_events *ev)
{
	struct rl_events_notes *notes = &ev->notes;

	if (!(ev->q.want & RL_EV_KERNEL))
		return;
	ev->netns = own_netns();
	notes->kernel = RL_HOW_POLL;
	notes->time_wait = true;
	if (ev->q.want & RL_EV_POLL) {
		snprintf(notes->why, sizeof(notes->why), "asked for");
		return;
	}
	if (rl_trace_src_open(&ev->trace, ev->q.want & RL_EV_ALL_NETNS ? 0 : ev->netns, on_trace,
			      ev, notes->why, sizeof(notes->why)) < 0)
		return;
	notes->kernel = RL_HOW_TRACEPOINT;
	ev->after = rl_after_open();
	notes->time_wait = ev->after != NULL;
}

static int open_timer(struct rl_events *ev)
{
	int ms = ev->trace || ev->notes.kernel == RL_HOW_NOT ? AFTER_MS :
		 ev->q.poll_ms > 0 ? ev->q.poll_ms : POLL_MS;
	struct itimerspec it = {
		.it_interval = { ms / 1000, ms % 1000 * 1000000L },
		.it_value = { ms / 1000, ms % 1000 * 1000000L },
	};

	ev->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (ev->timer < 0 || timerfd_settime(ev->timer, 0, &it, NULL) < 0)
		return -errno;
	return add_fd(ev, ev->timer);
}

/* A stack that is stopped costs seconds to ask: then not again soon. */
static void scan(struct rl_events *ev)
{
	int64_t begun = clock_ns(CLOCK_MONOTONIC), now;

	rl_watchers_scan(ev->rill, put, ev);
	now = clock_ns(CLOCK_MONOTONIC);
	ev->scan_ns = now + (now - begun > SCAN_NS ? SLOW_SCAN_NS : SCAN_NS);
}

static int open_rill(struct rl_events *ev)
{
	if (!(ev->q.want & RL_EV_RILL))
		return 0;
	ev->rill = rl_watchers_open(ev->ep, ev->q.pid, ev->q.stack);
	if (!ev->rill)
		return -ENOMEM;
	scan(ev);
	return 0;
}

int rl_events_open(struct rl_events **out, const struct rl_events_query *q)
{
	struct rl_events *ev = calloc(1, sizeof(*ev));
	int r;

	if (!ev)
		return -ENOMEM;
	ev->q = *q;
	ev->timer = -1;
	ev->ep = epoll_create1(EPOLL_CLOEXEC);
	r = ev->ep < 0 ? -errno : 0;
	if (r == 0) {
		ev->boot_ns = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_MONOTONIC);
		open_kernel(ev);
		if (ev->notes.kernel != RL_HOW_NOT)
			look(ev);
		r = ev->trace ? add_fd(ev, rl_trace_src_fd(ev->trace)) : 0;
	}
	if (r == 0)
		r = open_timer(ev);
	if (r == 0)
		r = open_rill(ev);
	if (r < 0) {
		rl_events_close(ev);
		return r;
	}
	*out = ev;
	return 0;
}

void rl_events_close(struct rl_events *ev)
{
	if (!ev)
		return;
	rl_trace_src_close(ev->trace);
	rl_after_close(ev->after);
	rl_watchers_close(ev->rill);
	if (ev->timer >= 0)
		close(ev->timer);
	if (ev->ep >= 0)
		close(ev->ep);
	free(ev->now.e);
	free(ev->before.e);
	free(ev->queue);
	free(ev);
}

int rl_events_fd(const struct rl_events *ev)
{
	return ev->ep;
}

/* ---- reading ---- */

static void on_timer(struct rl_events *ev)
{
	uint64_t ticks;

	if (read(ev->timer, &ticks, sizeof(ticks)) < 0)
		return;
	if (ev->notes.kernel == RL_HOW_POLL || ev->after)
		look(ev);
	if (ev->after)
		rl_after_run(ev->after, clock_ns(CLOCK_REALTIME), put, ev);
	if (ev->rill && clock_ns(CLOCK_MONOTONIC) >= ev->scan_ns)
		scan(ev);
}

static int on_fd(struct rl_events *ev, int fd)
{
	if (fd == ev->timer) {
		on_timer(ev);
		return 0;
	}
	if (ev->rill && rl_watchers_read(ev->rill, fd, put, ev))
		return 0;
	if (!ev->trace)
		return 0;
	/* the ring wakes us for the first only: let some more come */
	usleep(GATHER_US);
	return rl_trace_src_read(ev->trace);
}

static int refill(struct rl_events *ev)
{
	struct epoll_event e[8];
	int n = epoll_wait(ev->ep, e, 8, 0), r = 0;

	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	ev->boot_ns = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_MONOTONIC);
	for (int i = 0; i < n && r >= 0; i++)
		r = on_fd(ev, e[i].data.fd);
	if (ev->rill)
		ev->notes.stacks = rl_watchers_n(ev->rill);
	return r;
}

int rl_events_next(struct rl_events *ev, struct rl_event *out)
{
	if (ev->at == ev->n) {
		int r;

		ev->at = ev->n = 0;
		r = refill(ev);
		if (r < 0)
			return r;
	}
	if (ev->at == ev->n)
		return 0;
	*out = ev->queue[ev->at++];
	return 1;
}

uint64_t rl_events_lost(const struct rl_events *ev)
{
	return ev->dropped + (ev->trace ? rl_trace_src_lost(ev->trace) : 0) +
	       (ev->after ? rl_after_lost(ev->after) : 0) +
	       (ev->rill ? rl_watchers_lost(ev->rill) : 0);
}

const struct rl_events_notes *rl_events_notes(const struct rl_events *ev)
{
	return &ev->notes;
}
