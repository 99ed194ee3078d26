// SPDX-License-Identifier: MIT
/*
 * rill_engine_fd(): one descriptor for a program that has its own event loop.
 *
 * It is an epoll of the device, the control socket, a timer for the stack's
 * deadline, and an eventfd that says "a call of yours found out something": a
 * call that read the device on its own may have made another socket ready, and
 * the loop would not look.  Only made when it is asked for.
 */
#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "run/engine_int.h"

static int watch(int ep, int fd)
{
	struct epoll_event ev = { .events = EPOLLIN };

	return fd < 0 ? 0 : epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev);
}

void rl_loop_close(struct rill_engine *e)
{
	if (e->loop_fd >= 0)
		close(e->loop_fd);
	if (e->timer_fd >= 0)
		close(e->timer_fd);
	if (e->event_fd >= 0)
		close(e->event_fd);
	e->loop_fd = e->timer_fd = e->event_fd = -1;
}

static int make(struct rill_engine *e)
{
	e->loop_fd = epoll_create1(EPOLL_CLOEXEC);
	e->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	e->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	e->timer_at_ns = RL_NEVER;
	if (e->loop_fd < 0 || e->timer_fd < 0 || e->event_fd < 0 ||
	    watch(e->loop_fd, e->timer_fd) || watch(e->loop_fd, e->event_fd) ||
	    watch(e->loop_fd, e->dev->fd) ||
	    (e->ctl && watch(e->loop_fd, rl_ctl_fd(e->ctl)))) {
		int err = errno;

		rl_loop_close(e);
		return -err;
	}
	return 0;
}

int rill_engine_fd(struct rill_engine *e)
{
	int r = 0;

	rl_engine_take(e);
	if (e->loop_fd < 0)
		r = make(e);
	if (r == 0) {
		rl_engine_pump(e, NULL);
		e->unseen = true;	/* whatever happened before: look once */
		rl_loop_settle(e);
		r = e->loop_fd;
	}
	rl_engine_give(e);
	return r;
}

/* An earlier deadline moves the timer; a later one lets it fire in vain. */
static void file_timer(struct rill_engine *e)
{
	int64_t at_ns = rl_engine_deadline(e);
	struct itimerspec its = { 0 };

	if (at_ns >= e->timer_at_ns)
		return;
	e->timer_at_ns = at_ns;
	at_ns = RL_MAX(at_ns, 1);	/* 0 would stop it */
	its.it_value.tv_sec = at_ns / RL_SEC;
	its.it_value.tv_nsec = at_ns % RL_SEC;
	timerfd_settime(e->timer_fd, TFD_TIMER_ABSTIME, &its, NULL);
}

void rl_loop_settle(struct rill_engine *e)
{
	uint64_t one = 1;

	file_timer(e);
	if ((e->unseen || e->rx_open) && write(e->event_fd, &one, sizeof(one)) < 0)
		return;		/* it is readable already */
	e->unseen = false;
}

void rl_loop_seen(struct rill_engine *e)
{
	uint64_t n;

	if (read(e->event_fd, &n, sizeof(n)) < 0)
		n = 0;
	if (read(e->timer_fd, &n, sizeof(n)) == sizeof(n))
		e->timer_at_ns = RL_NEVER;	/* it fired: file it again */
}
