/* SPDX-License-Identifier: MIT */
/* The socket calls of the kernel and of Rill under one roof, for probe_sock.c. */
#include <errno.h>
#include <unistd.h>

#include "look/probe_sock.h"
#include "rill/socket.h"

static int kernel_socket(void *ctx, int domain, int type, int protocol)
{
	int fd = socket(domain, type | SOCK_CLOEXEC, protocol);

	(void)ctx;
	return fd < 0 ? -errno : fd;
}

static int kernel_bind(int fd, const struct sockaddr *sa, socklen_t len)
{
	return bind(fd, sa, len) < 0 ? -errno : 0;
}

static int kernel_connect(int fd, const struct sockaddr *sa, socklen_t len)
{
	return connect(fd, sa, len) < 0 ? -errno : 0;
}

static ssize_t kernel_send(int fd, const void *buf, size_t n, int flags)
{
	ssize_t r = send(fd, buf, n, flags);

	return r < 0 ? -errno : r;
}

static ssize_t kernel_recvmsg(int fd, struct msghdr *m, int flags)
{
	ssize_t r = recvmsg(fd, m, flags);

	return r < 0 ? -errno : r;
}

static int kernel_getsockopt(int fd, int level, int name, void *val, socklen_t *len)
{
	return getsockopt(fd, level, name, val, len) < 0 ? -errno : 0;
}

static int kernel_setsockopt(int fd, int level, int name, const void *val, socklen_t len)
{
	return setsockopt(fd, level, name, val, len) < 0 ? -errno : 0;
}

static int kernel_getsockname(int fd, struct sockaddr *sa, socklen_t *len)
{
	return getsockname(fd, sa, len) < 0 ? -errno : 0;
}

static int kernel_poll(struct pollfd *p, nfds_t n, int timeout_ms)
{
	int r = poll(p, n, timeout_ms);

	return r < 0 ? -errno : r;
}

const struct probe_calls probe_kernel_calls = {
	.socket = kernel_socket, .bind = kernel_bind, .connect = kernel_connect,
	.send = kernel_send, .recvmsg = kernel_recvmsg, .getsockopt = kernel_getsockopt,
	.setsockopt = kernel_setsockopt, .getsockname = kernel_getsockname,
	.close = close, .poll = kernel_poll,
};

static int stack_socket(void *ctx, int domain, int type, int protocol)
{
	return rill_socket(ctx, domain, type, protocol);
}

const struct probe_calls probe_rill_calls = {
	.socket = stack_socket, .bind = rill_bind, .connect = rill_connect,
	.send = rill_send, .recvmsg = rill_recvmsg, .getsockopt = rill_getsockopt,
	.setsockopt = rill_setsockopt, .getsockname = rill_getsockname,
	.close = rill_close, .poll = rill_poll,
};
