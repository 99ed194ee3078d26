/* SPDX-License-Identifier: MIT */
/* Between events.c and its parts: events_bpf.c, _trace.c, _after.c, _poll.c. */
#ifndef RL_LOOK_EVENTS_INT_H
#define RL_LOOK_EVENTS_INT_H

#include <stddef.h>

#include "look/events.h"

typedef void event_each(void *ctx, const struct rl_event *e);

/* ---- events_bpf.c: what the tracepoint says ---- */

/* One record of the ring; the BPF program writes it by offset. */
struct trace_rec {
	uint64_t	ns;		/* CLOCK_MONOTONIC */
	uint64_t	obj;		/* address in the kernel, an identity only */
	uint64_t	cookie;
	uint32_t	netns, pid, ifindex;
	uint16_t	family, lport;	/* ports in network order */
	uint16_t	pport;
	uint8_t		from, to;
	uint32_t	unused;
	uint8_t		laddr4[4], paddr4[4];
	uint8_t		laddr6[16], paddr6[16];
	char		comm[16];
};

struct rl_trace_src;
typedef void trace_each(void *ctx, const struct trace_rec *r);

/** @netns: of this one only; 0: all.  Return: 0, or -errno with one line in @why. */
int rl_trace_src_open(struct rl_trace_src **out, uint32_t netns, trace_each *each, void *ctx,
		      char *why, size_t n);
int rl_trace_src_fd(const struct rl_trace_src *t);
/** Take all that is in the ring: @each(ctx) as given at the opening.  Return: 0, -errno. */
int rl_trace_src_read(struct rl_trace_src *t);
uint64_t rl_trace_src_lost(const struct rl_trace_src *t);
void rl_trace_src_close(struct rl_trace_src *t);

/* ---- events_trace.c: from the tracepoint's records to state changes ---- */

#define TRACE_SLOTS	4096		/* power of two */

struct rl_newborn {			/* a socket made for a half-open peer */
	uint64_t	obj;		/* 0: free */
	uint64_t	ns;
};

struct rl_trace_state {
	struct rl_newborn newborn[TRACE_SLOTS];
};

/** State changes of one record, with CLOCK_MONOTONIC as time.  Return: 0, 1 or 2. */
unsigned rl_trace_take(struct rl_trace_state *t, const struct trace_rec *r,
		       struct rl_event out[2]);

/* ---- events_after.c: what is left of a connection when its socket is gone ---- */

struct rl_after;

/** NULL: sock_diag is not to be had, or no memory. */
struct rl_after *rl_after_open(void);
void rl_after_close(struct rl_after *a);

/**
 * A socket closed while TIME-WAIT may follow: turn @e into that change if it does.
 * Return: false when nothing changed (the rest of a socket waits for the FIN).
 */
bool rl_after_take(struct rl_after *a, struct rl_event *e, int64_t now_ns);

/** Look after those whose time has come; @now_ns: CLOCK_REALTIME. */
void rl_after_run(struct rl_after *a, int64_t now_ns,
		  event_each *each, void *ctx);

/** Ends of TIME-WAIT that will not be told, for want of memory. */
uint64_t rl_after_lost(const struct rl_after *a);

/* ---- events_rill.c: stacks that are asked to tell ---- */

struct rl_watchers;

/** @ep: epoll set that their descriptors join.  NULL: no memory. */
struct rl_watchers *rl_watchers_open(int ep, long pid, const char *name);
void rl_watchers_close(struct rl_watchers *ws);

/** Look for stacks that are new. */
void rl_watchers_scan(struct rl_watchers *ws, event_each *each, void *ctx);

/** Something is at @fd.  Return: false: it is none of theirs. */
bool rl_watchers_read(struct rl_watchers *ws, int fd, event_each *each, void *ctx);
unsigned rl_watchers_n(const struct rl_watchers *ws);
uint64_t rl_watchers_lost(const struct rl_watchers *ws);

/* ---- events_poll.c: two looks at the table compared ---- */

struct poll_entry {
	uint8_t		source, family, state;
	bool		half_open;
	bool		taken;		/* its end is told by somebody else */
	uint32_t	ifindex;
	int		pid;
	struct rill_addr local, peer;
	uint64_t	id, netns;
	char		stack[64];
};

struct poll_look {
	struct poll_entry *e;
	size_t		n, cap;
	bool		whole;		/* nothing failed while it was read */
};

void rl_look_add(struct poll_look *l, const struct rill_sock *s);
void rl_look_sort(struct poll_look *l);

/** The kernel's entry of that connection, of a sorted look; NULL: none. */
struct poll_entry *rl_look_find(struct poll_look *l, const struct rl_event *e);

/** What changed from @a to @b, both sorted; each difference is given to @each. */
void rl_look_diff(const struct poll_look *a, const struct poll_look *b, int64_t now_ns,
		  event_each *each, void *ctx);

#endif
