// SPDX-License-Identifier: MIT
/*
 * librill-packetdrill.so: Rill as the stack under test of the original
 * packetdrill (doc/PLUGIN.md).  The only exported symbol fills the tool's table of
 * calls; this file is that table.  A call finds Rill's descriptor, does as
 * rill/socket.h says, and turns -errno into -1 and errno.
 *
 * Most calls come on the tool's main thread, one that blocks on a second one.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/types.h"
#include "drill/plugin.h"

/* The tool's: one pointer each, in this order. */
struct drill_plug_table {
	void *ctx;
	void (*free)(void *);
	int (*socket)(void *, int, int, int);
	int (*bind)(void *, int, const struct sockaddr *, socklen_t);
	int (*listen)(void *, int, int);
	int (*accept)(void *, int, struct sockaddr *, socklen_t *);
	int (*connect)(void *, int, const struct sockaddr *, socklen_t);
	ssize_t (*read)(void *, int, void *, size_t);
	ssize_t (*readv)(void *, int, const struct iovec *, int);
	ssize_t (*recv)(void *, int, void *, size_t, int);
	ssize_t (*recvfrom)(void *, int, void *, size_t, int, struct sockaddr *,
			    socklen_t *);
	ssize_t (*recvmsg)(void *, int, struct msghdr *, int);
	ssize_t (*write)(void *, int, const void *, size_t);
	ssize_t (*writev)(void *, int, const struct iovec *, int);
	ssize_t (*send)(void *, int, const void *, size_t, int);
	ssize_t (*sendto)(void *, int, const void *, size_t, int,
			  const struct sockaddr *, socklen_t);
	ssize_t (*sendmsg)(void *, int, const struct msghdr *, int);
	int (*fcntl)(void *, int, int, ...);
	int (*ioctl)(void *, int, unsigned long, ...);
	int (*close)(void *, int);
	int (*shutdown)(void *, int, int);
	int (*getsockopt)(void *, int, int, int, void *, socklen_t *);
	int (*setsockopt)(void *, int, int, int, const void *, socklen_t);
	int (*poll)(void *, struct pollfd *, nfds_t, int);
	int (*netdev_send)(void *, const void *, size_t);
	int (*netdev_receive)(void *, void *, size_t *, long long *);
	int (*usleep)(void *, useconds_t);
	int (*gettimeofday)(void *, struct timeval *, struct timezone *);
	int (*epoll_create)(void *, int);
	int (*epoll_ctl)(void *, int, int, int, struct epoll_event *);
	int (*epoll_wait)(void *, int, struct epoll_event *, int, int);
	int (*pipe)(void *, int[2]);
	int (*splice)(void *, int, loff_t *, int, loff_t *, size_t, unsigned);
};
_Static_assert(sizeof(struct drill_plug_table) == 33 * sizeof(void *), "33 slots");

RILL_API void packetdrill_interface_init(const char *flags, struct drill_plug_table *t);

/* One call with a descriptor: @call uses @fd as Rill's. */
#define WITH_FD(type, call)						\
	do {								\
		rl_drill_plug_enter(plug);				\
		fd = rl_drill_plug_live(plug, fd);			\
		return (type)rl_drill_plug_leave(plug, (call));		\
	} while (0)

/* ---- life of a descriptor ---- */

static int plug_socket(void *plug, int domain, int type, int protocol)
{
	struct drill_plug *p = plug;
	int r = -ENETDOWN;

	rl_drill_plug_enter(p);
	if (p->w)
		r = rl_drill_plug_show(p, rill_socket(rl_drill_world_engine(p->w), domain,
						      type, protocol));
	return (int)rl_drill_plug_leave(p, r);
}

static int plug_bind(void *plug, int fd, const struct sockaddr *sa, socklen_t len)
{
	WITH_FD(int, rill_bind(fd, sa, len));
}

static int plug_listen(void *plug, int fd, int backlog)
{
	WITH_FD(int, rill_listen(fd, backlog));
}

static int plug_accept(void *plug, int fd, struct sockaddr *sa, socklen_t *len)
{
	WITH_FD(int, rl_drill_plug_show(plug, rill_accept(fd, sa, len)));
}

static int plug_connect(void *plug, int fd, const struct sockaddr *sa, socklen_t len)
{
	WITH_FD(int, rill_connect(fd, sa, len));
}

static int plug_shutdown(void *plug, int fd, int how)
{
	WITH_FD(int, rill_shutdown(fd, how));
}

/* Others that wait for @fd find it gone, and so may the kernel's number be. */
static int plug_close(void *plug, int fd)
{
	struct drill_plug *p = plug;
	int live, r = 0;

	rl_drill_plug_enter(p);
	live = rl_drill_plug_hide(p, fd);
	if (live)
		r = rill_close(live);
	if (close(fd) < 0)
		r = -errno;
	return (int)rl_drill_plug_leave(p, r);
}

/* ---- data ---- */

static ssize_t plug_read(void *plug, int fd, void *buf, size_t n)
{
	if (rl_drill_plug_kernels(plug, fd))
		return read(fd, buf, n);
	WITH_FD(ssize_t, rill_read(fd, buf, n));
}

static ssize_t plug_readv(void *plug, int fd, const struct iovec *iov, int n)
{
	if (rl_drill_plug_kernels(plug, fd))
		return readv(fd, iov, n);
	WITH_FD(ssize_t, rill_readv(fd, iov, n));
}

static ssize_t plug_recv(void *plug, int fd, void *buf, size_t n, int flags)
{
	WITH_FD(ssize_t, rill_recv(fd, buf, n, flags));
}

static ssize_t plug_recvfrom(void *plug, int fd, void *buf, size_t n, int flags,
			     struct sockaddr *sa, socklen_t *len)
{
	WITH_FD(ssize_t, rill_recvfrom(fd, buf, n, flags, sa, len));
}

static ssize_t plug_recvmsg(void *plug, int fd, struct msghdr *m, int flags)
{
	WITH_FD(ssize_t, rill_recvmsg(fd, m, flags));
}

static ssize_t plug_write(void *plug, int fd, const void *buf, size_t n)
{
	if (rl_drill_plug_kernels(plug, fd))
		return write(fd, buf, n);
	WITH_FD(ssize_t, rill_write(fd, buf, n));
}

static ssize_t plug_writev(void *plug, int fd, const struct iovec *iov, int n)
{
	if (rl_drill_plug_kernels(plug, fd))
		return writev(fd, iov, n);
	WITH_FD(ssize_t, rill_writev(fd, iov, n));
}

static ssize_t plug_send(void *plug, int fd, const void *buf, size_t n, int flags)
{
	WITH_FD(ssize_t, rill_send(fd, buf, n, flags));
}

static ssize_t plug_sendto(void *plug, int fd, const void *buf, size_t n, int flags,
			   const struct sockaddr *sa, socklen_t len)
{
	WITH_FD(ssize_t, rill_sendto(fd, buf, n, flags, sa, len));
}

static ssize_t plug_sendmsg(void *plug, int fd, const struct msghdr *m, int flags)
{
	WITH_FD(ssize_t, rill_sendmsg(fd, m, flags));
}

/* ---- options ---- */

static int plug_fcntl(void *plug, int fd, int cmd, ...)
{
	int arg = 0;

	if (cmd != F_GETFL && cmd != F_GETFD) {
		va_list ap;

		va_start(ap, cmd);
		arg = va_arg(ap, int);
		va_end(ap);
	}
	if (rl_drill_plug_kernels(plug, fd))
		return fcntl(fd, cmd, arg);
	WITH_FD(int, rill_fcntl(fd, cmd, arg));
}

/*
 * The number comes sign-extended from 32 bits.  Those that Rill knows have an
 * argument; with another one it is not looked at.
 */
static int plug_ioctl(void *plug, int fd, unsigned long request, ...)
{
	int *arg;
	va_list ap;

	va_start(ap, request);
	arg = va_arg(ap, int *);
	va_end(ap);
	WITH_FD(int, rill_ioctl(fd, (uint32_t)request, arg));
}

static int plug_getsockopt(void *plug, int fd, int level, int name, void *val,
			   socklen_t *len)
{
	WITH_FD(int, rill_getsockopt(fd, level, name, val, len));
}

static int plug_setsockopt(void *plug, int fd, int level, int name, const void *val,
			   socklen_t len)
{
	WITH_FD(int, rill_setsockopt(fd, level, name, val, len));
}

/* ---- readiness ---- */

static int poll_live(struct drill_plug *p, struct pollfd *fds, nfds_t n, int timeout_ms)
{
	struct pollfd *live = calloc(n + 1, sizeof(*live));
	bool ours = false;
	int r;

	if (!live)
		return -ENOMEM;
	for (nfds_t i = 0; i < n; i++) {
		int fd = rl_drill_plug_live(p, fds[i].fd);

		/* -1 is passed over; a number that is closed gives POLLNVAL */
		live[i] = (struct pollfd){ fd < 0 ? fds[i].fd : fd, fds[i].events, 0 };
		ours |= fd >= RILL_FD_BASE;
	}
	r = ours ? rill_poll(live, n, timeout_ms) :
		   rl_drill_plug_poll_kernel(p, live, n, timeout_ms);
	for (nfds_t i = 0; i < n && r >= 0; i++)
		fds[i].revents = live[i].revents;
	free(live);
	return r;
}

static int plug_poll(void *plug, struct pollfd *fds, nfds_t n, int timeout_ms)
{
	int r = -EINVAL;

	if (n && !fds)
		r = -EFAULT;
	rl_drill_plug_enter(plug);
	if (n <= DRILL_PLUG_FDS && (fds || !n))
		r = poll_live(plug, fds, n, timeout_ms);
	return (int)rl_drill_plug_leave(plug, r);
}

static int plug_epoll_create(void *plug, int size)
{
	struct drill_plug *p = plug;
	int r = size > 0 ? -ENETDOWN : -EINVAL;

	rl_drill_plug_enter(p);
	if (p->w && size > 0)
		r = rl_drill_plug_show(p, rill_epoll_create(rl_drill_world_engine(p->w)));
	return (int)rl_drill_plug_leave(p, r);
}

/* The event's data is the tool's and goes through untouched. */
static int plug_epoll_ctl(void *plug, int epfd, int op, int fd, struct epoll_event *ev)
{
	rl_drill_plug_enter(plug);
	epfd = rl_drill_plug_live(plug, epfd);
	fd = rl_drill_plug_live(plug, fd);
	return (int)rl_drill_plug_leave(plug, rill_epoll_ctl(epfd, op, fd, ev));
}

static int plug_epoll_wait(void *plug, int fd, struct epoll_event *evs, int max,
			   int timeout_ms)
{
	WITH_FD(int, rill_epoll_wait(fd, evs, max, timeout_ms));
}

/* ---- code blocks ---- */

static struct drill_plug *running;	/* whose descriptors the tool may ask for */

/*
 * Code blocks ask the kernel's getsockopt(), with three structs that must come and
 * have Linux's size: what it has and Rill has not is zero.
 */
static int code_option(int fd, int level, int name, void *val, socklen_t *len)
{
	socklen_t room = *len, got = *len;
	uint32_t mem[9] = { 0 };	/* SK_MEMINFO_*: queues and limits */
	socklen_t one = sizeof(int);
	int r;

	memset(val, 0, room);
	if (level == IPPROTO_TCP && name == TCP_INFO)
		return rill_getsockopt(fd, level, name, val, &got);
	if (level == IPPROTO_TCP && name == TCP_CC_INFO) {
		*len = 0;	/* Rill's congestion control has nothing to add */
		return 0;
	}
	if (level != SOL_SOCKET || name != SO_MEMINFO)
		return rill_getsockopt(fd, level, name, val, len);
	r = rill_ioctl(fd, SIOCINQ, &mem[0]);
	if (r == 0)
		r = rill_ioctl(fd, SIOCOUTQ, &mem[2]);
	mem[5] = mem[2];
	if (rill_getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &mem[1], &one) < 0 ||
	    rill_getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &mem[3], &one) < 0)
		return r < 0 ? r : -EINVAL;
	*len = RL_MIN(room, (socklen_t)sizeof(mem));
	memcpy(val, mem, *len);
	return 0;		/* a listener has no queues */
}

/* Return: 1 it was one of ours, with the call's result in @res; 0: it is not. */
static int hook(int fd, int level, int name, void *val, socklen_t *len, int *res)
{
	struct drill_plug *p = running;

	if (!p || rl_drill_plug_kernels(p, fd))
		return 0;
	rl_drill_plug_enter(p);
	*res = val && len ? code_option(rl_drill_plug_live(p, fd), level, name, val, len) :
			    -EFAULT;
	*res = (int)rl_drill_plug_leave(p, *res);
	return 1;
}

/* preload-plugin.c, when it is there. */
static void offer_hook(void)
{
	int (**at)(int, int, int, void *, socklen_t *, int *);

	*(void **)&at = dlsym(RTLD_DEFAULT, "rill_packetdrill_getsockopt");
	if (at)
		*at = hook;
}

/* ---- beginning and end ---- */

static void plug_free(void *plug)
{
	struct drill_plug *p = plug;

	running = NULL;
	if (!rl_drill_plug_drain(p))
		return;		/* a call hangs in it: better a leak than a crash */
	rl_drill_world_close(p->w);
	pthread_cond_destroy(&p->cond);
	pthread_mutex_destroy(&p->lock);
	free(p->flags.text);
	free(p);
}

static int start(struct drill_plug *p, const char *flags, char *why, size_t n)
{
	struct drill_world *w;
	int r = rl_drill_plug_flags(flags, &p->flags, why, n);

	if (r < 0)
		return r;
	p->flags.par.wait = rl_drill_plug_wait;
	p->flags.par.deadline = rl_drill_plug_deadline;
	p->flags.par.ctx = p;
	r = rl_drill_world_open(&p->flags.par, &w, why, n);
	if (r < 0)
		return r;
	r = rl_drill_plug_apply(&p->flags, rl_drill_world_stack(w), why, n);
	if (r < 0)
		rl_drill_world_close(w);
	else
		p->w = w;
	return r;
}

static const struct drill_plug_table calls = {
	.free = plug_free, .socket = plug_socket, .bind = plug_bind, .listen = plug_listen,
	.accept = plug_accept, .connect = plug_connect, .read = plug_read,
	.readv = plug_readv, .recv = plug_recv, .recvfrom = plug_recvfrom,
	.recvmsg = plug_recvmsg, .write = plug_write, .writev = plug_writev,
	.send = plug_send, .sendto = plug_sendto, .sendmsg = plug_sendmsg,
	.fcntl = plug_fcntl, .ioctl = plug_ioctl, .close = plug_close,
	.shutdown = plug_shutdown, .getsockopt = plug_getsockopt,
	.setsockopt = plug_setsockopt, .poll = plug_poll,
	.netdev_send = rl_drill_plug_netdev_send,
	.netdev_receive = rl_drill_plug_netdev_receive,
	.usleep = rl_drill_plug_usleep, .gettimeofday = rl_drill_plug_gettimeofday,
	.epoll_create = plug_epoll_create, .epoll_ctl = plug_epoll_ctl,
	.epoll_wait = plug_epoll_wait, .pipe = rl_drill_plug_pipe,
	.splice = rl_drill_plug_splice,
};

/*
 * There is no way to refuse: with wrong flags the table's calls fail.  The tool
 * calls this once a script, on its main thread.
 */
void packetdrill_interface_init(const char *flags, struct drill_plug_table *t)
{
	struct drill_plug *p = calloc(1, sizeof(*p));
	char why[200] = "no memory";

	if (!p) {
		fprintf(stderr, "librill-packetdrill: %s\n", why);
		abort();	/* the tool would call into nothing */
	}
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->cond, NULL);
	p->main = pthread_self();
	if (start(p, flags, why, sizeof(why)) < 0)
		fprintf(stderr, "librill-packetdrill: %s\n", why);
	*t = calls;
	t->ctx = p;
	running = p;
	offer_hook();
}
