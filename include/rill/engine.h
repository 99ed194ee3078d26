/* SPDX-License-Identifier: MIT */
/*
 * An engine joins a stack, its devices and the real clock.  It has one lock: who
 * holds it owns the stack.  Three ways to let it run:
 *
 * - do nothing: blocking socket calls and rill_poll()/rill_epoll_wait() drive it
 *   while they wait;
 * - an own event loop: watch rill_engine_fd() for reading, and call
 *   rill_engine_run(e, 0) when it is readable or rill_engine_timeout() passed;
 * - rill_engine_start(): a thread of its own drives it, so that timers run and
 *   packets are answered while the program computes.
 */
#ifndef RILL_ENGINE_H
#define RILL_ENGINE_H

#include "rill/stack.h"

#ifdef __cplusplus
extern "C" {
#endif

struct rill_engine;

/* Text form of what the command line gives; NULL or 0: the default. */
struct rill_engine_params {
	const char	*dev;		/* "tap:NAME", "packet:IF", with ",nooffload" */
	const char	*const *addrs;	/* "10.77.0.2/24", "fd77::2/64"; NULL-terminated */
	const char	*const *peer_addrs; /* TAP: addresses of the kernel's side */
	const char	*const *gateways;
	unsigned	 mtu;		/* 0: the device's */
	const char	*pcap;		/* write a pcapng here */
	const char	*fault;		/* see dev/dev.h */
	const char	*trace;		/* states and segments as text; "-": stderr */
	const char	*const *sysctls;	/* "NAME=VALUE" */
	uint64_t	 seed;		/* 0: from the system */
	bool		 has_seed;
	uint64_t	 mem_max;	/* 0: half of the machine's memory */
	const char	*name;		/* in `rill ss`; NULL: the program's */
	bool		 no_ctl;	/* no control socket */
	bool		 no_dad;	/* use IPv6 addresses at once */
};

/**
 * Make the stack, open and configure its device.  With IPv6 addresses this waits
 * for duplicate address detection (a second; not with @no_dad), so that they can
 * be used when it returns.  @why gets one line saying what to do after a failure.
 * Return: 0 or -errno.
 */
RILL_API RILL_MUST_USE int rill_engine_open(const struct rill_engine_params *par,
					    struct rill_engine **out,
					    char *why, size_t why_len);

/**
 * Two engines joined by a pair device, in one process, for tests and benchmarks.
 * @a's MTU holds for both; @a's device may be "nooffload"; no_dad is implied.
 */
RILL_API RILL_MUST_USE int rill_engine_open_pair(const struct rill_engine_params *a,
						 const struct rill_engine_params *b,
						 struct rill_engine **ea,
						 struct rill_engine **eb,
						 char *why, size_t why_len);

/**
 * Everything that is left is reset, all descriptors of @e are closed.  No other
 * thread may be in a call that uses @e.
 */
RILL_API void rill_engine_close(struct rill_engine *e);

/**
 * Drive until nothing is left to send and no TIME_WAIT remains.
 * Return: 0; -ETIMEDOUT; -EINTR.
 */
RILL_API int rill_engine_drain(struct rill_engine *e, int timeout_ms);

/**
 * Receive, run timers, send; wait up to @timeout_ms (-1: for ever) for work.
 * Return: 1 when there was any, 0, -EINTR.
 */
RILL_API int rill_engine_run(struct rill_engine *e, int timeout_ms);

/**
 * Readable when rill_engine_run() has something to do, or when another call made
 * sockets ready.  The descriptor is the engine's; do not close it.  -EMFILE.
 */
RILL_API int rill_engine_fd(struct rill_engine *e);

/** ms until rill_engine_run() must be called at the latest; -1: never. */
RILL_API int rill_engine_timeout(struct rill_engine *e);

/** A thread that drives the engine. -EALREADY, -EAGAIN. */
RILL_API int rill_engine_start(struct rill_engine *e);
RILL_API void rill_engine_stop(struct rill_engine *e);

/** How long a waiting call polls the devices before it sleeps; default 50 us. */
RILL_API void rill_engine_spin_us(struct rill_engine *e, unsigned us);

/** The stack, for the calls of rill/stack.h: between lock and unlock only. */
RILL_API struct rill_stack *rill_engine_lock(struct rill_engine *e);
RILL_API void rill_engine_unlock(struct rill_engine *e);

#ifdef __cplusplus
}
#endif
#endif
