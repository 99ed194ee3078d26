/* SPDX-License-Identifier: MIT */
/*
 * BSD sockets on a Rill engine.  Calls have the arguments of their POSIX
 * namesakes and Linux's semantics, but return -errno instead of setting errno.
 *
 * A Rill descriptor is an int of RILL_FD_BASE or more, so it never collides with
 * one of the kernel's.  rill_poll() takes both kinds in one array.
 *
 * Threads: any thread may call anything; a stack's engine is entered by one at a
 * time.  A blocking call drives the stack itself while it waits, so that a
 * program with one thread needs no other (see rill/engine.h for programs that
 * have their own event loop).
 *
 * Where it differs from Linux:
 * - No signal is raised: a send that fails by -EPIPE comes without SIGPIPE, with
 *   or without MSG_NOSIGNAL.
 * - A call that waits in one thread returns -EBADF when another thread closes
 *   its descriptor.
 * - A signal that interrupts a waiting call gives -EINTR, also with SA_RESTART.
 * - Descriptors are of the process: they are not inherited by exec, and a forked
 *   child must not use them.
 */
#ifndef RILL_SOCKET_H
#define RILL_SOCKET_H

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "rill/engine.h"

#ifdef __cplusplus
extern "C" {
#endif

#define RILL_FD_BASE	(1 << 24)

/**
 * AF_INET or AF_INET6; SOCK_STREAM or SOCK_DGRAM, with SOCK_NONBLOCK (and
 * SOCK_CLOEXEC, which means nothing here); protocol 0, IPPROTO_TCP, IPPROTO_UDP, or
 * for ping sockets (SOCK_DGRAM) the family's IPPROTO_ICMP, IPPROTO_ICMPV6.
 * Errors: -EAFNOSUPPORT, -EPROTONOSUPPORT, -EINVAL, -EMFILE, -ENFILE, -ENOMEM.
 */
RILL_API int rill_socket(struct rill_engine *e, int domain, int type, int protocol);
RILL_API int rill_bind(int fd, const struct sockaddr *sa, socklen_t len);
RILL_API int rill_listen(int fd, int backlog);
RILL_API int rill_accept(int fd, struct sockaddr *sa, socklen_t *len);
/** @flags: SOCK_NONBLOCK, SOCK_CLOEXEC. */
RILL_API int rill_accept4(int fd, struct sockaddr *sa, socklen_t *len, int flags);
RILL_API int rill_connect(int fd, const struct sockaddr *sa, socklen_t len);

RILL_API ssize_t rill_read(int fd, void *buf, size_t n);
RILL_API ssize_t rill_write(int fd, const void *buf, size_t n);
RILL_API ssize_t rill_readv(int fd, const struct iovec *iov, int n);
RILL_API ssize_t rill_writev(int fd, const struct iovec *iov, int n);
RILL_API ssize_t rill_recv(int fd, void *buf, size_t n, int flags);
RILL_API ssize_t rill_send(int fd, const void *buf, size_t n, int flags);
RILL_API ssize_t rill_recvfrom(int fd, void *buf, size_t n, int flags,
			       struct sockaddr *sa, socklen_t *len);
RILL_API ssize_t rill_sendto(int fd, const void *buf, size_t n, int flags,
			     const struct sockaddr *sa, socklen_t len);
/** MSG_ERRQUEUE: the oldest error, see IP_RECVERR in ip(7); datagram sockets. */
RILL_API ssize_t rill_recvmsg(int fd, struct msghdr *msg, int flags);
/** Ancillary data of a datagram is refused by -EINVAL, of a stream ignored. */
RILL_API ssize_t rill_sendmsg(int fd, const struct msghdr *msg, int flags);

RILL_API int rill_shutdown(int fd, int how);
RILL_API int rill_close(int fd);

RILL_API int rill_getsockname(int fd, struct sockaddr *sa, socklen_t *len);
RILL_API int rill_getpeername(int fd, struct sockaddr *sa, socklen_t *len);
RILL_API int rill_getsockopt(int fd, int level, int name, void *val, socklen_t *len);
RILL_API int rill_setsockopt(int fd, int level, int name, const void *val, socklen_t len);

struct rill_sockopt_desc {
	const char	*level, *name;		/* as in Linux's headers */
	const char	*type;			/* BOOL, INT, LINGER, TIMEVAL, STRING, ... */
	int		 level_num, num;
	bool		 gettable, settable;
	const char	*help;
};

/** Socket option number @i from 0 of those that are supported, or NULL. */
RILL_API const struct rill_sockopt_desc *rill_sockopt_desc(unsigned i);

/** F_GETFL and F_SETFL (O_NONBLOCK). */
RILL_API int rill_fcntl(int fd, int cmd, long arg);
/** FIONBIO, FIONREAD (SIOCINQ), SIOCOUTQ, SIOCOUTQNSD, SIOCATMARK. */
RILL_API int rill_ioctl(int fd, unsigned long req, void *arg);

/** As poll(2), for Rill's descriptors (of one engine) and the kernel's together. */
RILL_API int rill_poll(struct pollfd *fds, nfds_t n, int timeout_ms);

/**
 * As epoll(7): level- and edge-triggered, EPOLLONESHOT; Rill's descriptors of the
 * same engine only.  Besides epoll's errors: -EPERM for a descriptor of the
 * kernel's (use rill_poll(), or an own loop with rill_engine_fd()); -EINVAL for
 * an epoll inside an epoll and for EPOLLEXCLUSIVE.
 */
RILL_API int rill_epoll_create(struct rill_engine *e);
RILL_API int rill_epoll_ctl(int epfd, int op, int fd, struct epoll_event *ev);
RILL_API int rill_epoll_wait(int epfd, struct epoll_event *evs, int max, int timeout_ms);

/** The endpoint behind a TCP or UDP descriptor, for rill/stack.h; 0: none. */
RILL_API rill_id rill_socket_id(int fd);

#ifdef __cplusplus
}
#endif
#endif
