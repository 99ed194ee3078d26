/* SPDX-License-Identifier: MIT */
/*
 * Sockets for the laboratory's actors: the kernel's, or those of a Rill stack that
 * this process runs on lab0.  One form for both, Rill's: -errno.  All sockets are
 * non-blocking IPv4.  Called by lab_actor.c only.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "rill/socket.h"
#include "tools/lab.h"

static struct rill_engine *engine;	/* NULL: the kernel's sockets */

bool lab_sock_open(struct lab *l, const struct lab_spec *spec, char *why, size_t n)
{
	const char *addrs[] = { LAB_HOST_IP "/24", NULL };
	const char *sysctls[LAB_SYSCTLS + 1] = { NULL };
	const char *gateways[] = { spec->no_gateway ? NULL : LAB_PEER_IP, NULL };
	struct rill_engine_params par = {
		.dev = "packet:lab0", .addrs = addrs, .gateways = gateways,
		.name = spec->name, .sysctls = sysctls,
	};

	for (unsigned i = 0; i < l->nsysctls; i++)
		sysctls[i] = l->sysctl[i];
	return rill_engine_open(&par, &engine, why, n) == 0;
}

static long ret(long r)
{
	return r < 0 ? -errno : r;
}

static struct sockaddr_in sin_of(uint32_t ip, unsigned port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
				     .sin_addr.s_addr = htonl(ip) };
}

int lab_socket(bool udp)
{
	int type = (udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_NONBLOCK | SOCK_CLOEXEC;

	return engine ? rill_socket(engine, AF_INET, type, 0)
		      : (int)ret(socket(AF_INET, type, 0));
}

int lab_setopt(int fd, int level, int name, int value)
{
	return engine ? rill_setsockopt(fd, level, name, &value, sizeof(value))
		      : (int)ret(setsockopt(fd, level, name, &value, sizeof(value)));
}

int lab_bind(int fd, const char *ip, unsigned port)
{
	struct sockaddr_in sa = sin_of(0, port);

	if (ip && inet_pton(AF_INET, ip, &sa.sin_addr) != 1)
		return -EINVAL;
	return engine ? rill_bind(fd, (struct sockaddr *)&sa, sizeof(sa))
		      : (int)ret(bind(fd, (struct sockaddr *)&sa, sizeof(sa)));
}

int lab_listen(int fd, int backlog)
{
	return engine ? rill_listen(fd, backlog) : (int)ret(listen(fd, backlog));
}

int lab_connect(int fd, uint32_t ip, unsigned port)
{
	struct sockaddr_in sa = sin_of(ip, port);

	return engine ? rill_connect(fd, (struct sockaddr *)&sa, sizeof(sa))
		      : (int)ret(connect(fd, (struct sockaddr *)&sa, sizeof(sa)));
}

int lab_accept(int fd)
{
	return engine ? rill_accept4(fd, NULL, NULL, SOCK_NONBLOCK)
		      : (int)ret(accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC));
}

ssize_t lab_read(int fd, void *buf, size_t n)
{
	return engine ? rill_recv(fd, buf, n, 0) : ret(recv(fd, buf, n, 0));
}

ssize_t lab_write(int fd, const void *buf, size_t n)
{
	return engine ? rill_send(fd, buf, n, MSG_NOSIGNAL)
		      : ret(send(fd, buf, n, MSG_NOSIGNAL));
}

ssize_t lab_answer(int fd, void *buf, size_t n)
{
	struct sockaddr_in sa;
	socklen_t len = sizeof(sa);
	ssize_t r = engine ? rill_recvfrom(fd, buf, n, 0, (struct sockaddr *)&sa, &len)
			   : ret(recvfrom(fd, buf, n, 0, (struct sockaddr *)&sa, &len));

	if (r <= 0)
		return r;
	return engine ? rill_sendto(fd, buf, (size_t)r, 0, (struct sockaddr *)&sa, len)
		      : ret(sendto(fd, buf, (size_t)r, 0, (struct sockaddr *)&sa, len));
}

int lab_close(int fd)
{
	return engine ? rill_close(fd) : (int)ret(close(fd));
}

int lab_error(int fd)
{
	int err = 0;
	socklen_t len = sizeof(err);

	if (engine)
		rill_getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len);
	else
		getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len);
	return err;
}

int lab_poll(struct pollfd *p, unsigned n, int ms)
{
	if (engine && n == 0)		/* no descriptor says which stack to drive */
		return rill_engine_run(engine, ms) < 0 ? -EINTR : 0;
	return engine ? rill_poll(p, n, ms) : (int)ret(poll(p, n, ms));
}
