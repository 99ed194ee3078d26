/* SPDX-License-Identifier: MIT */
/*
 * The original packetdrill's side of its plug-in interface, as far as tests of
 * librill-packetdrill.so need it.  The table is written down here a second time,
 * from the interface's description, so that both must agree.
 */
#ifndef PLUG_TOOL_H
#define PLUG_TOOL_H

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>

struct plug_table {
	void *self;
	void (*free)(void *self);
	int (*socket)(void *self, int domain, int type, int protocol);
	int (*bind)(void *self, int fd, const struct sockaddr *a, socklen_t n);
	int (*listen)(void *self, int fd, int backlog);
	int (*accept)(void *self, int fd, struct sockaddr *a, socklen_t *n);
	int (*connect)(void *self, int fd, const struct sockaddr *a, socklen_t n);
	ssize_t (*read)(void *self, int fd, void *buf, size_t n);
	ssize_t (*readv)(void *self, int fd, const struct iovec *v, int n);
	ssize_t (*recv)(void *self, int fd, void *buf, size_t n, int flags);
	ssize_t (*recvfrom)(void *self, int fd, void *buf, size_t n, int flags,
			    struct sockaddr *a, socklen_t *an);
	ssize_t (*recvmsg)(void *self, int fd, struct msghdr *m, int flags);
	ssize_t (*write)(void *self, int fd, const void *buf, size_t n);
	ssize_t (*writev)(void *self, int fd, const struct iovec *v, int n);
	ssize_t (*send)(void *self, int fd, const void *buf, size_t n, int flags);
	ssize_t (*sendto)(void *self, int fd, const void *buf, size_t n, int flags,
			  const struct sockaddr *a, socklen_t an);
	ssize_t (*sendmsg)(void *self, int fd, const struct msghdr *m, int flags);
	int (*fcntl)(void *self, int fd, int cmd, ...);
	int (*ioctl)(void *self, int fd, unsigned long request, ...);
	int (*close)(void *self, int fd);
	int (*shutdown)(void *self, int fd, int how);
	int (*getsockopt)(void *self, int fd, int level, int name, void *v, socklen_t *n);
	int (*setsockopt)(void *self, int fd, int level, int name, const void *v,
			  socklen_t n);
	int (*poll)(void *self, struct pollfd *fds, nfds_t n, int timeout_ms);
	int (*netdev_send)(void *self, const void *packet, size_t n);
	int (*netdev_receive)(void *self, void *packet, size_t *n, long long *at_us);
	int (*usleep)(void *self, useconds_t us);
	int (*gettimeofday)(void *self, struct timeval *tv, struct timezone *tz);
	int (*epoll_create)(void *self, int size);
	int (*epoll_ctl)(void *self, int ep, int op, int fd, struct epoll_event *ev);
	int (*epoll_wait)(void *self, int ep, struct epoll_event *ev, int n, int timeout_ms);
	int (*pipe)(void *self, int fds[2]);
	int (*splice)(void *self, int in, loff_t *in_at, int out, loff_t *out_at, size_t n,
		      unsigned flags);
};

#define TOOL_PORT	8080		/* bind_port and connect_port */

/* One script's run.  A call of the table: CALL(t, read, fd, buf, n). */
struct tool {
	void		*so;
	struct plug_table t;
	long long	start_us;	/* of the script */
	uint8_t		local[16], remote[16];
	bool		v6;		/* what the packets are */
	uint16_t	lport, rport;	/* of the socket under test */
};

#define CALL(tool, name, ...)	((tool)->t.name((tool)->t.self, __VA_ARGS__))

/** dlopen() as the tool does; NULL: not found.  RILL_PLUGIN names another file. */
void *tool_load(void);
/** librill-packetdrill-preload.so, as if LD_PRELOAD had named it. */
void *tool_load_preload(void);
/** A script begins: addresses are 192.168.0.1 and 192.0.2.1. */
bool tool_begin(struct tool *t, const char *flags);
void tool_end(struct tool *t);

long long tool_now(struct tool *t);		/* script time in us */
void tool_until(struct tool *t, long long us);	/* as the tool waits for an event */

/** The addresses that bind() and connect() are given; AF_INET or AF_INET6. */
socklen_t tool_addr(const struct tool *t, int domain, bool remote, struct sockaddr_storage *a);

/* A packet: what the tests compare. */
struct seg {
	long long	at_us;		/* script time; of packets that left */
	uint8_t		proto;		/* IPPROTO_TCP, _UDP */
	uint16_t	sport, dport;
	uint8_t		flags;		/* TCP's, FIN = 1 */
	uint32_t	seq, ack;
	uint16_t	win;
	size_t		len;		/* of the payload, all zero */
	uint8_t		opts[40];
	size_t		nopts;
};

/** Inject; ports of the socket under test where they are 0.  The result. */
int tool_in(struct tool *t, const struct seg *s);
/** The next packet that leaves; false: none will. */
bool tool_out(struct tool *t, struct seg *s);
/** Decode @n bytes; false: a wrong length or header checksum, bytes that are not 0. */
bool seg_parse(const uint8_t *b, size_t n, struct seg *s);

/* A call on a second thread. */
struct tool_call {
	struct tool	*t;
	ssize_t		(*fn)(struct tool_call *c);
	int		fd;
	void		*buf;
	size_t		n;
	int		timeout_ms;
	ssize_t		result;
	int		err;
	long long	end_us;		/* read at once when it returned */
	pthread_t	thread;
	_Atomic int	tid;
	_Atomic bool	done;
};

/** Start it and go on when it sleeps or is done: true: it sleeps. */
bool tool_block(struct tool *t, struct tool_call *c);
void tool_join(struct tool_call *c);

#endif
