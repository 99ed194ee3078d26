// SPDX-License-Identifier: MIT
/* The kernel's sockets as a struct net. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench.h"

static long result(long v)
{
	return v < 0 ? -errno : v;
}

static bool spin;

static void k_begin(const struct opt *o)
{
	struct rlimit lim;

	spin = o->spin;
	if (getrlimit(RLIMIT_NOFILE, &lim) == 0) {
		lim.rlim_cur = lim.rlim_max;
		setrlimit(RLIMIT_NOFILE, &lim);
	}
}

static void k_end(void)
{
}

/* The default may be BBR, which paces itself slower than a veth is. */
static int k_socket(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "cubic", 5))
		perror("rbench: cubic");
	return fd;
}

static int k_bind(int fd, const struct sockaddr *sa, socklen_t len)
{
	return (int)result(bind(fd, sa, len));
}

static int k_listen(int fd, int backlog)
{
	return (int)result(listen(fd, backlog));
}

static int k_accept(int fd, int flags)
{
	return (int)result(accept4(fd, NULL, NULL, flags));
}

static int k_connect(int fd, const struct sockaddr *sa, socklen_t len)
{
	return (int)result(connect(fd, sa, len));
}

static ssize_t k_read(int fd, void *buf, size_t n)
{
	ssize_t r;

	if (!spin)
		return result(read(fd, buf, n));
	do
		r = recv(fd, buf, n, MSG_DONTWAIT);
	while (r < 0 && errno == EAGAIN);
	return result(r);
}

static ssize_t k_write(int fd, const void *buf, size_t n)
{
	return result(write(fd, buf, n));
}

static int k_shutdown(int fd, int how)
{
	return (int)result(shutdown(fd, how));
}

static int k_close(int fd)
{
	return (int)result(close(fd));
}

static int k_setsockopt(int fd, int level, int name, const void *val, socklen_t len)
{
	return (int)result(setsockopt(fd, level, name, val, len));
}

static int k_nonblock(int fd)
{
	return (int)result(fcntl(fd, F_SETFL, O_NONBLOCK));
}

static int k_epoll(void)
{
	return (int)result(epoll_create1(0));
}

static int k_epoll_ctl(int ep, int op, int fd, struct epoll_event *ev)
{
	return (int)result(epoll_ctl(ep, op, fd, ev));
}

static int k_epoll_wait(int ep, struct epoll_event *evs, int max, int timeout_ms)
{
	int n;

	if (!spin)
		return (int)result(epoll_wait(ep, evs, max, timeout_ms));
	do
		n = (int)result(epoll_wait(ep, evs, max, 0));
	while (n == 0);
	return n;
}

const struct net net_kernel = {
	.name = "kernel", .begin = k_begin, .end = k_end, .socket = k_socket,
	.bind = k_bind, .listen = k_listen, .accept = k_accept, .connect = k_connect,
	.read = k_read, .write = k_write, .shutdown = k_shutdown, .close = k_close,
	.setsockopt = k_setsockopt, .nonblock = k_nonblock, .epoll = k_epoll,
	.epoll_ctl = k_epoll_ctl, .epoll_wait = k_epoll_wait,
};
