/* SPDX-License-Identifier: MIT */
/*
 * Rill's descriptors.  A descriptor is an index into a table of small structs
 * that are never given back, so that a stale one can be looked at safely.
 */
#ifndef RL_SOCK_SOCK_H
#define RL_SOCK_SOCK_H

#include <stdatomic.h>

#include "rill/socket.h"
#include "sock/host.h"

enum rl_sock_kind { RL_SOCK_FREE, RL_SOCK_TCP, RL_SOCK_UDP, RL_SOCK_EPOLL };

enum rl_sock_flags {
	RL_SF_NONBLOCK	 = 1 << 0,
	RL_SF_V4	 = 1 << 1,	/* AF_INET, otherwise AF_INET6 */
	RL_SF_V6ONLY	 = 1 << 2,
	RL_SF_BOUND	 = 1 << 3,	/* has a local port */
	RL_SF_CONNECTING = 1 << 4,	/* connect() has yet to tell how it went */
	RL_SF_LINGER	 = 1 << 5,	/* SO_LINGER with a time */
	RL_SF_CLOSING	 = 1 << 6,	/* inside close(): nobody else's any more */
	RL_SF_SHUT_RD	 = 1 << 7,
	/* ancillary data that recvmsg() gives */
	RL_SF_PKTINFO	 = 1 << 8,
	RL_SF_RECVTTL	 = 1 << 9,
	RL_SF_RECVTOS	 = 1 << 10,
	RL_SF_PKTINFO6	 = 1 << 11,
	RL_SF_HOPLIMIT6	 = 1 << 12,
	RL_SF_TCLASS6	 = 1 << 13,
	RL_SF_PING	 = 1 << 14,	/* RL_SOCK_UDP that speaks ICMP echo */
};

struct rl_watch;
struct rl_epitem;
struct rl_epoll;

/* All but @e is under the engine's lock. */
struct rl_sock {
	_Atomic(struct rill_engine *) e;	/* NULL: free */
	union {
		rill_id		 id;		/* of the endpoint */
		struct rl_epoll	*ep;		/* RL_SOCK_EPOLL */
	};
	struct rl_watch	 *watches;		/* threads that wait for it */
	struct rl_epitem *items;		/* epolls that watch it */
	int64_t		 rcvtimeo_ns, sndtimeo_ns; /* RL_NEVER: none */
	uint32_t	 idx;			/* its descriptor less RILL_FD_BASE */
	uint32_t	 rcvlowat;
	uint16_t	 flags;			/* enum rl_sock_flags */
	uint8_t		 kind;			/* enum rl_sock_kind */
};
_Static_assert(sizeof(struct rl_sock) <= 64, "a descriptor costs a cache line");

/* ---- table.c ---- */

/** The lowest free descriptor, owned by @e, or -EMFILE, -ENOMEM. */
int rl_table_alloc(struct rill_engine *e, enum rl_sock_kind kind, struct rl_sock **out);
void rl_table_free(struct rl_sock *s);
static inline int rl_table_fd(const struct rl_sock *s)
{
	return (int)s->idx + RILL_FD_BASE;
}

/** The struct behind @fd, maybe a free one; NULL: @fd was never one of ours. */
struct rl_sock *rl_table_at(int fd);

/** Descriptors of @e, one after another: *@fd is RILL_FD_BASE at first. */
struct rl_sock *rl_table_next(const struct rill_engine *e, int *fd);

/**
 * rl_sock_enter() - find @fd and take its engine's lock
 * Return: 0; -EBADF; -ENOTSOCK for a descriptor of the kernel's.
 */
int rl_sock_enter(int fd, struct rl_sock **s, struct rill_stack **st);

/** The same, and no epoll: -ENOTSOCK. */
int rl_sock_enter_io(int fd, struct rl_sock **s, struct rill_stack **st);
static inline struct rill_engine *rl_sock_engine(struct rl_sock *s)
{
	return atomic_load_explicit(&s->e, memory_order_relaxed);
}

/* ---- wait.c ---- */

/* One thread's interest in one descriptor. */
struct rl_watch {
	struct rl_watch	 *next;
	struct rl_sock	 *s;
	struct rl_waiter *w;
	uint32_t	  bits;			/* enum rill_event_bits */
};

void rl_watch_add(struct rl_watch *wa, struct rl_sock *s, struct rl_waiter *w,
		  uint32_t bits);
void rl_watch_del(struct rl_watch *wa);

/** @bits may have become true of @s: tell threads and epolls. */
void rl_sock_ready(struct rl_sock *s, uint32_t bits);

/** An event of @e's stack, from rill_stack_event(). */
void rl_sock_event(struct rill_engine *e, const struct rill_event *ev);

/** What is true of @s now, in the bits of poll(2). */
uint32_t rl_sock_poll(struct rill_stack *st, struct rl_sock *s);

/** now + @timeo_ns, RL_NEVER for ever. */
int64_t rl_until(const struct rill_engine *e, int64_t timeo_ns);

/**
 * Wait until one of @bits may be true of @s.  Return: 0; -EAGAIN: @until_ns
 * passed; -EINTR; -EBADF: closed by another thread meanwhile.
 */
int rl_sock_wait(struct rl_sock *s, uint32_t bits, int64_t until_ns);

/**
 * What a call does after -EAGAIN: @*until_ns is 0 at first.  Return: 0: try
 * again; otherwise the call's result, -EAGAIN when it may not wait (longer).
 */
int rl_sock_again(struct rl_sock *s, bool nonblock, uint32_t bits, int64_t timeo_ns,
		  int64_t *until_ns);

/* ---- socket.c ---- */

/** Give a descriptor up; linger is the caller's.  The lock is held. */
int rl_sock_release(struct rill_stack *st, struct rl_sock *s);

/** Bind to the any-address and a free port if @s has none yet. */
int rl_sock_autobind(struct rill_stack *st, struct rl_sock *s);
unsigned rl_sock_bind_flags(const struct rl_sock *s);

/** Close all descriptors of an engine that ends; the lock is held. */
void rl_sock_close_all(struct rill_engine *e, struct rill_stack *st);

/* ---- addr.c ---- */

enum rl_addr_use { RL_ADDR_BIND, RL_ADDR_CONNECT, RL_ADDR_SEND };

/** sockaddr to address as Linux checks it: -EINVAL, -EAFNOSUPPORT, -EFAULT. */
int rl_addr_in(const struct rl_sock *s, enum rl_addr_use use,
	       const struct sockaddr *sa, socklen_t len, struct rill_addr *a);

/** Address to sockaddr, cut to *@len, which becomes the full length. */
int rl_addr_out(const struct rl_sock *s, const struct rill_addr *a,
		struct sockaddr *sa, socklen_t *len);

/* ---- epoll.c ---- */

void rl_epoll_event(struct rl_epitem *items, uint32_t bits);
bool rl_epoll_ready(struct rill_stack *st, struct rl_epoll *ep);
void rl_epoll_forget(struct rl_sock *s);	/* a watched one is closed */
void rl_epoll_free(struct rl_epoll *ep);

#endif
