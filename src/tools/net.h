/* SPDX-License-Identifier: MIT */
/* Names and connections, for the commands that are clients. */
#ifndef RL_TOOLS_NET_H
#define RL_TOOLS_NET_H

#include <netdb.h>

#include "rill/socket.h"

#define NET_TEXT	80		/* "[fd77::1%3]:65535" */

/**
 * Addresses of @host (NULL: the any-address) and @port: numbers, or names by the
 * host's own resolver, which does not go through the stack.
 * Return: NULL after a complaint, or a list for freeaddrinfo().
 */
struct addrinfo *net_resolve(const char *cmd, const char *host, const char *port,
			     int family, int socktype);

/**
 * Connect to the first of @ai that answers, each within @timeout_ms (-1: as long
 * as TCP tries), from @from (NULL: any).  The descriptor does not block.
 * Return: descriptor; *@used is where to; or -errno of the last one.
 */
int net_connect(struct rill_engine *e, const struct addrinfo *ai,
		const struct addrinfo *from, int timeout_ms, const struct addrinfo **used);

/** Wait for @events of one descriptor.  Return: revents, 0 for time out, -errno. */
int net_wait(int fd, short events, int timeout_ms);

/** "10.0.0.1:80", "[fd77::1]:80"; a mapped address as IPv4. */
const char *net_text(const struct sockaddr *sa, char buf[NET_TEXT]);

#endif
