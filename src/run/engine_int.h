/* SPDX-License-Identifier: MIT */
/* The engine as engine.c, drive.c, open.c and loop.c see it. */
#ifndef RL_RUN_ENGINE_INT_H
#define RL_RUN_ENGINE_INT_H

#include <pthread.h>

#include "dev/dev.h"
#include "run/clock.h"
#include "run/ctl.h"
#include "run/engine.h"
#include "run/trace.h"
#include "run/virtual.h"
#include "sock/host.h"

#define RL_BATCH	64		/* packets handed over at once */
#define RL_AWAKE	INT64_MIN	/* sleep_until_ns: nobody sleeps */

struct rill_engine {
	pthread_mutex_t		lock;		/* who holds it owns the stack */
	_Atomic int		contenders;	/* threads that want it */
	struct rill_stack	*st;
	struct rl_dev		*dev;		/* with its wrappers */
	int			ifindex;
	bool			dev_gone;
	struct rl_ctl		*ctl;
	struct rl_trace		*trace;
	struct rl_spy		*spy;		/* for those who watch by the control socket */
	bool			spied;		/* trace or spy: somebody looks */
	char			name[32];
	struct rl_virtual	*virt;		/* whose time counts; NULL: the real clock */

	/* who drives: drive.c */
	struct list		waiters;	/* struct rl_waiter */
	struct rl_waiter	*driver;
	int64_t			sleep_until_ns;	/* of the driver */
	int			wake_fd;	/* eventfd that ends its sleep */
	bool			wake_sent;
	int64_t			spin_ns, spin_max_ns;
	unsigned		vain, dozes, retry;	/* see drive.c */
	int64_t			driven_ns;	/* a waiting call drove it until then */

	/* the pump: engine.c */
	int64_t			now_ns, pumped_ns, ctl_at_ns;
	int			rx_want;	/* packets to ask the device for */
	bool			rx_open;	/* it was not found empty */
	size_t			sent;		/* bytes queued since the last pump */

	/* rill_engine_fd(): loop.c */
	int			loop_fd;	/* epoll, or -1: never asked for */
	int			timer_fd, event_fd;
	int64_t			timer_at_ns;
	bool			unseen;		/* events passed on outside _run() */

	/* rill_engine_start() */
	pthread_t		thread;
	struct rl_waiter	thread_w;
	bool			has_thread, stop;
	bool			parked;		/* it sleeps until it is called */
};

/** One round of a waiting loop. */
static inline void rl_relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#endif
}

/** What time it is for this engine. */
static inline int64_t rl_engine_clock(const struct rill_engine *e)
{
	return RL_UNLIKELY(e->virt) ? e->virt->now_ns : rl_clock_ns();
}

void rl_engine_take(struct rill_engine *e);	/* the lock, and nothing else */
void rl_engine_give(struct rill_engine *e);

/**
 * Receive, run timers, send, pass events on; ends early once @w (may be NULL)
 * is ready.  Return: whether anything happened.
 */
bool rl_engine_pump(struct rill_engine *e, const struct rl_waiter *w);

/** When the stack or a device wrapper has something to do by itself. */
int64_t rl_engine_deadline(const struct rill_engine *e);

/** After work of any kind, before the lock is released or slept on. */
void rl_engine_settle(struct rill_engine *e);

/** End the driver's sleep. */
void rl_engine_wake(struct rill_engine *e);

/* spy.c: what happens, for the trace and for watchers.  Only when e->spied. */
void rl_spy_before(struct rill_engine *e, const struct rill_pkt *p);	/* received */
void rl_spy_after(struct rill_engine *e);		/* the stack has had it */
void rl_spy_out(struct rill_engine *e, struct rill_pkt **pkts, int n);	/* to be sent */
void rl_spy_run(struct rill_engine *e);			/* whatever else happened */
void rl_spy_free(struct rill_engine *e);

/** loop.c: let the program's own loop know. */
void rl_loop_settle(struct rill_engine *e);
void rl_loop_seen(struct rill_engine *e);	/* the loop called */
void rl_loop_close(struct rill_engine *e);

#endif
