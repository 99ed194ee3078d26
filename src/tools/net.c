/* SPDX-License-Identifier: MIT */
/*
 * Client side of `rill get` and `rill nc`: from a name to a connected Rill
 * descriptor, trying one address after another.
 */
#include "tools/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "tools/out.h"

struct addrinfo *net_resolve(const char *cmd, const char *host, const char *port,
			     int family, int socktype)
{
	struct addrinfo hints = { .ai_family = family, .ai_socktype = socktype,
				  .ai_flags = host ? 0 : AI_PASSIVE };
	struct addrinfo *ai = NULL;
	int r = getaddrinfo(host, port, &hints, &ai);

	if (r == 0)
		return ai;
	if (r == EAI_SERVICE)
		complain("%s: %s is not a port: give 1 to 65535", cmd, port);
	else
		complain("%s: cannot resolve %s: %s (asked of the host's resolver); "
			 "give a numeric address", cmd, host ? host : "any address",
			 gai_strerror(r));
	return NULL;
}

int net_wait(int fd, short events, int timeout_ms)
{
	struct pollfd p = { .fd = fd, .events = events };
	int r = rill_poll(&p, 1, timeout_ms);

	return r <= 0 ? r : p.revents;
}

/* Return: 0 or -errno. */
static int finish_connect(int fd, int timeout_ms)
{
	socklen_t len = sizeof(int);
	int err = 0, r;

	do
		r = net_wait(fd, POLLOUT, timeout_ms);
	while (r == -EINTR);
	if (r <= 0)
		return r < 0 ? r : -ETIMEDOUT;
	r = rill_getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len);
	return r < 0 ? r : -err;
}

static int bind_from(int fd, const struct addrinfo *from, int family)
{
	int one = 1;

	for (; from; from = from->ai_next) {
		if (from->ai_family != family)
			continue;
		rill_setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
		return rill_bind(fd, from->ai_addr, from->ai_addrlen);
	}
	return -EAFNOSUPPORT;
}

static int connect_one(struct rill_engine *e, const struct addrinfo *ai,
		       const struct addrinfo *from, int timeout_ms)
{
	int fd = rill_socket(e, ai->ai_family, ai->ai_socktype | SOCK_NONBLOCK, 0);
	int r = fd;

	if (fd < 0)
		return fd;
	if (from)
		r = bind_from(fd, from, ai->ai_family);
	if (r >= 0)
		r = rill_connect(fd, ai->ai_addr, ai->ai_addrlen);
	if (r == -EINPROGRESS)
		r = finish_connect(fd, timeout_ms);
	if (r >= 0)
		return fd;
	rill_close(fd);
	return r;
}

int net_connect(struct rill_engine *e, const struct addrinfo *ai,
		const struct addrinfo *from, int timeout_ms, const struct addrinfo **used)
{
	int r = -EADDRNOTAVAIL;

	for (; ai; ai = ai->ai_next) {
		*used = ai;
		r = connect_one(e, ai, from, timeout_ms);
		if (r >= 0)
			return r;
	}
	return r;
}

const char *net_text(const struct sockaddr *sa, char buf[NET_TEXT])
{
	const struct sockaddr_in6 *s6 = (const void *)sa;
	const struct sockaddr_in *s4 = (const void *)sa;
	char ip[INET6_ADDRSTRLEN];
	const void *v4 = NULL;

	if (sa->sa_family == AF_INET)
		v4 = &s4->sin_addr;
	else if (IN6_IS_ADDR_V4MAPPED(&s6->sin6_addr))
		v4 = &s6->sin6_addr.s6_addr[12];
	if (v4)
		snprintf(buf, NET_TEXT, "%s:%u", inet_ntop(AF_INET, v4, ip, sizeof(ip)),
			 ntohs(sa->sa_family == AF_INET ? s4->sin_port : s6->sin6_port));
	else
		snprintf(buf, NET_TEXT, "[%s]:%u",
			 inet_ntop(AF_INET6, &s6->sin6_addr, ip, sizeof(ip)),
			 ntohs(s6->sin6_port));
	return buf;
}
