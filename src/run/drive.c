// SPDX-License-Identifier: MIT
/*
 * Waiting.  Of all threads that wait in calls of one engine, one is its driver:
 * it pumps, first spinning and then asleep in ppoll() on the devices.  The others
 * sleep on a futex each until the pump finds their socket ready.  A driver that
 * leaves makes one of them the next.  A program with one thread is always its
 * own driver and pays no system call for any of this.
 *
 * rill_engine_start()'s thread drives only when nobody else does: waiting calls
 * take the role from it, and it comes back on its own a millisecond after the
 * last one, unless it was told to sleep for longer (parked).
 *
 * Spinning pays when the answer comes within the time that a sleep and a wake-up
 * cost, and the peer runs on another core.  It is given up after SPIN_VAIN times in
 * a row in vain, and tried again after 64 sleeps, then 128, up to 4096.
 */
#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "run/engine_int.h"

#define AGAIN		(-4096)		/* inside: look who drives now */
#define SPIN_VAIN	8
#define RETRY_FIRST	64		/* sleeps until spinning is tried again */
#define RETRY_LAST	4096
#define KERNEL_EVERY_NS	(50 * RL_US)	/* look at the kernel's descriptors */
#define THREAD_REST_NS	RL_MS
#define NO_FD_NS	RL_MS		/* sleep with a device that has no fd */
#define STEP_BACK	2000		/* pauses while others take the lock */

void rl_engine_wake(struct rill_engine *e)
{
	uint64_t one = 1;

	if (e->wake_sent)
		return;
	e->wake_sent = write(e->wake_fd, &one, sizeof(one)) == sizeof(one);
}

static void wake_seen(struct rill_engine *e)
{
	uint64_t n;

	if (read(e->wake_fd, &n, sizeof(n)) == sizeof(n))
		e->wake_sent = false;
}

/* Make @w look again, wherever it sleeps. */
static void kick(struct rill_engine *e, struct rl_waiter *w)
{
	uint64_t one = 1;

	if (w->dozing)
		rl_engine_wake(e);
	if (!w->aside || atomic_exchange(&w->word, 1))
		return;
	if (w->wake_fd < 0)
		syscall(SYS_futex, &w->word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	else if (write(w->wake_fd, &one, sizeof(one)) < 0)
		return;		/* full already: it will wake */
}

void rl_host_signal(struct rill_engine *e, struct rl_waiter *w)
{
	if (w->ready)
		return;
	w->ready = true;
	kick(e, w);
}

/* ---- the driver ---- */

static void spin_hit(struct rill_engine *e)
{
	e->spin_ns = e->spin_max_ns;
	e->vain = 0;
	e->retry = 0;
}

static void spin_in_vain(struct rill_engine *e)
{
	if (++e->vain < SPIN_VAIN)
		return;
	e->spin_ns = 0;
	e->dozes = 0;
	e->retry = e->retry ? RL_MIN(e->retry * 2, RETRY_LAST) : RETRY_FIRST;
}

static void count_doze(struct rill_engine *e)
{
	if (e->spin_ns || ++e->dozes < e->retry)
		return;
	e->spin_ns = e->spin_max_ns;
	e->vain = SPIN_VAIN / 2;
}

/* Between two pumps: let others have the lock. */
static void step_back(struct rill_engine *e)
{
	if (!atomic_load_explicit(&e->contenders, memory_order_relaxed)) {
		rl_relax();
		return;
	}
	rl_engine_settle(e);
	rl_engine_give(e);
	for (int i = 0; i < STEP_BACK && atomic_load(&e->contenders); i++)
		rl_relax();
	if (atomic_load(&e->contenders))
		sched_yield();
	rl_engine_take(e);
}

static unsigned add_fd(struct pollfd *p, unsigned n, int fd)
{
	p[n] = (struct pollfd){ .fd = fd, .events = POLLIN };
	return n + 1;
}

static bool kernel_said(const struct rl_waiter *w)
{
	for (unsigned i = 0; i < w->nkfds; i++)
		if (w->kfds[i].revents)
			return true;
	return false;
}

static int64_t doze_until(const struct rill_engine *e, int64_t until_ns)
{
	int64_t at_ns = RL_MIN(rl_engine_deadline(e), until_ns);

	if (e->dev->fd < 0)
		at_ns = RL_MIN(at_ns, rl_clock_ns() + NO_FD_NS);
	return at_ns;
}

static void doze_begin(struct rill_engine *e, struct rl_waiter *w, int64_t at_ns)
{
	rl_engine_settle(e);
	e->sleep_until_ns = at_ns;
	w->dozing = true;
	rl_engine_give(e);
}

static void doze_end(struct rill_engine *e, struct rl_waiter *w)
{
	rl_engine_take(e);
	w->dozing = false;
	if (e->driver == w)
		e->sleep_until_ns = RL_AWAKE;
}

/*
 * Sleep on the devices.  Return: 0; 1: a descriptor of the caller's is ready;
 * -EINTR.
 */
static int doze(struct rill_engine *e, struct rl_waiter *w, int64_t until_ns)
{
	int64_t at_ns = doze_until(e, until_ns);
	struct pollfd own[RL_HOST_FDS], *p = w->nkfds ? w->kfds : own;
	unsigned n = w->nkfds, wake = n;
	struct timespec ts;
	int r, err;

	n = add_fd(p, n, e->wake_fd);
	if (!e->dev_gone && e->dev->fd >= 0)
		n = add_fd(p, n, e->dev->fd);
	if (e->ctl)
		n = add_fd(p, n, rl_ctl_fd(e->ctl));
	doze_begin(e, w, at_ns);
	r = ppoll(p, n, rl_clock_left(at_ns, rl_clock_ns(), &ts), NULL);
	err = errno;
	doze_end(e, w);
	if (r < 0)
		return err == EINTR && !w->thread ? -EINTR : 0;
	if (p[wake].revents)
		wake_seen(e);
	else if (!w->thread)
		count_doze(e);
	if (e->ctl && p[n - 1].revents)
		e->ctl_at_ns = 0;	/* the next pump serves it */
	return kernel_said(w);
}

/* The kernel's descriptors, while the stack keeps the driver busy. */
static bool kernel_ready(struct rl_waiter *w, int64_t now_ns, int64_t *looked_ns)
{
	if (!w->nkfds || now_ns - *looked_ns < KERNEL_EVERY_NS)
		return false;
	*looked_ns = now_ns;
	return poll(w->kfds, w->nkfds, 0) > 0;
}

static int drive(struct rill_engine *e, struct rl_waiter *w, int64_t until_ns)
{
	int64_t idle_ns = 0, looked_ns = rl_clock_ns();
	bool did, spun = false;
	int r;

	e->driver = w;
	while (e->driver == w) {
		did = rl_engine_pump(e, w);
		if (w->ready || (w->any && did)) {
			if (spun)
				spin_hit(e);
			return 1;
		}
		if (e->now_ns >= until_ns)
			return 0;
		if (kernel_ready(w, e->now_ns, &looked_ns))
			return 1;
		if (did || !idle_ns)
			idle_ns = e->now_ns;
		if (did || (!w->thread && e->now_ns - idle_ns < e->spin_ns)) {
			spun |= !did;
			step_back(e);
			continue;
		}
		if (spun)
			spin_in_vain(e);
		spun = false;
		r = doze(e, w, until_ns);
		if (r || w->ready)
			return r ? r : 1;
		idle_ns = 0;
	}
	return AGAIN;
}

/* ---- the others ---- */

static bool may_drive(struct rill_engine *e, struct rl_waiter *w)
{
	if (!e->driver)
		return !w->thread || rl_clock_ns() - e->driven_ns >= THREAD_REST_NS;
	if (e->driver == w)
		return true;
	if (!e->driver->thread || w->thread)
		return false;
	/* take the role from the engine's thread, and tell it */
	kick(e, e->driver);
	e->sleep_until_ns = RL_AWAKE;
	return true;
}

/* The engine's thread must be called when the driver sleeps, else it looks. */
static int64_t rest_until(struct rill_engine *e, const struct rl_waiter *w,
			  int64_t until_ns)
{
	if (!w->thread)
		return until_ns;
	e->parked = e->driver && e->driver->dozing;
	return e->parked ? RL_NEVER : rl_clock_ns() + THREAD_REST_NS;
}

/* Return: 0, or -1 with errno. */
static int sleep_aside(struct rl_waiter *w, int64_t until_ns)
{
	struct timespec left, *ts = rl_clock_left(until_ns, rl_clock_ns(), &left);
	int r;

	if (!w->nkfds)
		return (int)syscall(SYS_futex, &w->word, FUTEX_WAIT_PRIVATE, 0, ts,
				    NULL, 0);
	add_fd(w->kfds, w->nkfds, w->wake_fd);
	r = ppoll(w->kfds, w->nkfds + 1, ts, NULL);
	return r < 0 ? r : 0;
}

static int stand_by(struct rill_engine *e, struct rl_waiter *w, int64_t until_ns)
{
	int64_t at_ns = rest_until(e, w, until_ns);
	int r, err;

	if (w->nkfds && w->wake_fd < 0) {
		w->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
		if (w->wake_fd < 0)
			return -errno;
	}
	atomic_store(&w->word, 0);
	w->aside = true;
	rl_engine_settle(e);
	rl_engine_give(e);
	r = sleep_aside(w, at_ns);
	err = errno;
	rl_engine_take(e);
	w->aside = false;
	if (w->ready || kernel_said(w))
		return 1;
	if (r < 0 && err == EINTR && !w->thread)
		return -EINTR;
	return rl_clock_ns() >= until_ns ? 0 : AGAIN;
}

/* The role is free: somebody who sleeps must take it. */
static void hand_over(struct rill_engine *e)
{
	struct rl_waiter *w, *thread = NULL;
	struct list *l;

	e->driver = NULL;
	e->driven_ns = e->now_ns;
	for (l = e->waiters.next; l != &e->waiters; l = l->next) {
		w = list_entry(l, struct rl_waiter, link);
		if (w->aside && !w->ready && !w->thread) {
			kick(e, w);
			return;
		}
		if (w->aside && w->thread)
			thread = w;
	}
	if (thread && e->parked)
		kick(e, thread);
}

/* In virtual time the owner decides how a call waits. */
static int wait_virtual(struct rill_engine *e, struct rl_waiter *w, int64_t until_ns)
{
	int r;

	rl_host_leave(e);
	r = w->ready ? 1 : e->virt->wait(e->virt->ctx, w, until_ns);
	rl_host_enter(e);
	return r;
}

int rl_host_wait(struct rill_engine *e, struct rl_waiter *w, int64_t until_ns)
{
	int r;

	if (e->virt)
		return wait_virtual(e, w, until_ns);
	list_add_tail(&e->waiters, &w->link);
	do {
		if (w->ready)
			r = 1;
		else if (may_drive(e, w))
			r = drive(e, w, until_ns);
		else
			r = stand_by(e, w, until_ns);
	} while (r == AGAIN);
	list_del(&w->link);
	if (e->driver == w)
		hand_over(e);
	if (w->wake_fd >= 0)
		close(w->wake_fd);
	w->wake_fd = -1;
	return r;
}

/* ---- the engine's own thread ---- */

static void *thread_main(void *arg)
{
	struct rill_engine *e = arg;

	rl_engine_take(e);
	while (!e->stop) {
		rl_waiter_init(&e->thread_w);
		e->thread_w.thread = true;
		rl_host_wait(e, &e->thread_w, RL_NEVER);
	}
	rl_host_leave(e);
	return NULL;
}

int rill_engine_start(struct rill_engine *e)
{
	sigset_t all, old;
	int r;

	if (e->has_thread)
		return -EALREADY;
	e->stop = false;
	rl_waiter_init(&e->thread_w);
	/* signals are the program's */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	r = pthread_create(&e->thread, NULL, thread_main, e);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	e->has_thread = r == 0;
	return -r;
}

void rill_engine_stop(struct rill_engine *e)
{
	if (!e->has_thread)
		return;
	rl_engine_take(e);
	e->stop = true;
	rl_host_signal(e, &e->thread_w);
	rl_engine_give(e);
	pthread_join(e->thread, NULL);
	e->has_thread = false;
}

void rill_engine_spin_us(struct rill_engine *e, unsigned us)
{
	rl_engine_take(e);
	e->spin_ns = e->spin_max_ns = us * RL_US;
	rl_engine_give(e);
}
