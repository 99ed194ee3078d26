/* SPDX-License-Identifier: MIT */
/*
 * The sockets of probes: ping sockets, UDP, TCP connections, or raw ones, of the
 * kernel or of a Rill stack.  Both answer the same calls; errors from the way come
 * by IP_RECVERR, so an ordinary user can trace a path as well.
 */
#ifndef RL_LOOK_PROBE_SOCK_H
#define RL_LOOK_PROBE_SOCK_H

#include <poll.h>
#include <sys/socket.h>

#include "look/probe_wire.h"

struct rill_engine;

/* BSD calls that return -errno. */
struct probe_calls {
	int (*socket)(void *ctx, int domain, int type, int protocol);
	int (*bind)(int fd, const struct sockaddr *sa, socklen_t len);
	int (*connect)(int fd, const struct sockaddr *sa, socklen_t len);
	ssize_t (*send)(int fd, const void *buf, size_t n, int flags);
	ssize_t (*recvmsg)(int fd, struct msghdr *m, int flags);
	int (*getsockopt)(int fd, int level, int name, void *val, socklen_t *len);
	int (*setsockopt)(int fd, int level, int name, const void *val, socklen_t len);
	int (*getsockname)(int fd, struct sockaddr *sa, socklen_t *len);
	int (*close)(int fd);
	int (*poll)(struct pollfd *p, nfds_t n, int timeout_ms);
};

extern const struct probe_calls probe_kernel_calls, probe_rill_calls;

#define PROBE_CONNS	256		/* TCP connections under way */

#define PROBE_LANES	(PROBE_TTL_MAX + 1)

struct probe_conn {
	int		fd;		/* -1: free */
	uint16_t	seq;
	uint8_t		lane;
};

struct probe_conf {
	enum probe_kind	kind;
	struct rill_engine *engine;	/* NULL: the kernel */
	struct sockaddr_storage dst;
	const struct sockaddr_storage *src;	/* NULL: any */
	socklen_t	dst_len, src_len;
	uint16_t	port;		/* UDP, TCP */
	uint32_t	size;		/* payload */
	bool		lanes;		/* TCP: keep a source port for each lane */
	bool		connect_only;	/* TCP: never raw */
};

struct probe_sock {
	const struct probe_calls *call;
	struct probe_conf conf;
	struct probe_wire wire;
	int		fd;		/* -1: TCP by connect() */
	int		holder;		/* of a raw flow's source port; -1: none */
	int		ttl;		/* as set last; 0: the default */
	struct probe_conn conn[PROBE_CONNS];
	uint16_t	lane_port[PROBE_LANES];
	const char	*way;		/* how it probes, in words */
	uint8_t		buf[PROBE_BYTES + 256];
};

/** @why gets one line that says what to do.  Return: 0 or -errno. */
int probe_open(struct probe_sock *ps, const struct probe_conf *conf, char *why, size_t n);
void probe_close(struct probe_sock *ps);

/**
 * Send probe @seq with @ttl (0: the default), in lane @lane below PROBE_LANES.
 * Return: 0; -errno: our own host can't (no route, not permitted).
 */
int probe_send(struct probe_sock *ps, uint16_t seq, unsigned ttl, unsigned lane);

/**
 * Wait for answers, and for @also (may be NULL), at most @timeout_ms.
 * Return: as poll().
 */
int probe_wait(struct probe_sock *ps, struct pollfd *also, int timeout_ms);

/** The next answer that is there.  Return: false: none. */
bool probe_receive(struct probe_sock *ps, struct probe_answer *a);

/** Close the connections of probes that nobody waits for any more. */
void probe_tidy(struct probe_sock *ps, const struct probe_run *r);

int64_t probe_now_ns(void);

#endif
