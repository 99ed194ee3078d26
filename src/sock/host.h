/* SPDX-License-Identifier: MIT */
/*
 * What sockets need from whoever drives the stack.  Declared here, because sock/
 * may not include run/; run/engine.c and run/drive.c implement it.
 *
 * Whoever holds the engine's lock owns the stack.
 */
#ifndef RL_SOCK_HOST_H
#define RL_SOCK_HOST_H

#include <poll.h>
#include <stdatomic.h>

#include "base/list.h"
#include "rill/engine.h"

/*
 * A thread that waits, on its own stack.  One of the waiters drives the stack,
 * the others sleep until rl_host_signal().
 */
struct rl_waiter {
	struct list	link;		/* on the engine's list of waiters */
	_Atomic int	word;		/* futex: 0 asleep, 1 look again */
	bool		ready;		/* what it waits for may have come */
	bool		aside;		/* asleep on @word, or on @wake_fd */
	bool		dozing;		/* drives, and sleeps on the devices */
	bool		any;		/* satisfied by any progress */
	bool		thread;		/* rill_engine_start()'s: drives last */
	int		wake_fd;	/* -1, or what wakes it aside with kfds */
	/* descriptors of the kernel to watch too, and room for RL_HOST_FDS more */
	struct pollfd	*kfds;
	unsigned	nkfds;
};

#define RL_HOST_FDS	3

void rl_waiter_init(struct rl_waiter *w);

/** Take the lock, and tell the stack the time. */
struct rill_stack *rl_host_enter(struct rill_engine *e);

/** Send what waits, pass events on, release the lock. */
void rl_host_leave(struct rill_engine *e);

/** Send what waits and pass events on; the lock is held and stays so. */
void rl_host_flush(struct rill_engine *e);

/**
 * Drive the stack, or let another thread do it, until @w is signalled.  The lock
 * is held, and released while sleeping.  Return: 1; 0 when @until_ns passed;
 * -EINTR when a signal interrupted it.
 */
int rl_host_wait(struct rill_engine *e, struct rl_waiter *w, int64_t until_ns);

/** Say to @w that it should look again; the lock is held. */
void rl_host_signal(struct rill_engine *e, struct rl_waiter *w);

/**
 * Receive once unless that happened during the last few microseconds: for calls
 * that do not wait, so that a program that only polls makes progress.
 * Return: whether anything happened.
 */
bool rl_host_poke(struct rill_engine *e);

/** @n bytes were queued: reads the devices now and then while a program sends. */
void rl_host_sent(struct rill_engine *e, size_t n);

/** The engine's clock in ns: CLOCK_MONOTONIC, or virtual time. */
int64_t rl_host_now(const struct rill_engine *e);

#endif
