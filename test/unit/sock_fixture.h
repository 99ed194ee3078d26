/* SPDX-License-Identifier: MIT */
/*
 * Two engines joined by a pair device, each driven by a thread of its own, so that
 * a test may call on either side in any order.  A serves, B is the client.
 */
#ifndef SOCK_FIXTURE_H
#define SOCK_FIXTURE_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/types.h"
#include "rill/socket.h"
#include "rl_test.h"

#define A4	"10.1.0.1"
#define B4	"10.1.0.2"
#define A6	"fd01::1"
#define B6	"fd01::2"
#define PATIENCE_MS	20000		/* no test waits that long unless it fails */

struct world {
	struct rill_engine *a, *b;
};

static const char *const a_addrs[] = { A4 "/24", A6 "/64", NULL };
static const char *const b_addrs[] = { B4 "/24", B6 "/64", NULL };
static const char *const quick[] = { "net.rill.tcp_time_wait_ms=50", NULL };

static inline bool world_open(struct world *w, bool threads)
{
	struct rill_engine_params pa = {
		.addrs = a_addrs, .sysctls = quick, .seed = 1, .no_ctl = true,
	};
	struct rill_engine_params pb = pa;
	char why[256] = "";
	int r;

	pb.addrs = b_addrs;
	pb.seed = 2;
	r = rill_engine_open_pair(&pa, &pb, &w->a, &w->b, why, sizeof(why));
	if (!CHECK_EQ(why, r, 0))
		return false;
	if (threads) {
		CHECK_EQ("thread of A", rill_engine_start(w->a), 0);
		CHECK_EQ("thread of B", rill_engine_start(w->b), 0);
	}
	return true;
}

static inline void world_close(struct world *w)
{
	rill_engine_close(w->a);
	rill_engine_close(w->b);
}

static inline struct sockaddr_in addr4(const char *ip, unsigned port)
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };

	inet_pton(AF_INET, ip, &sa.sin_addr);
	return sa;
}

static inline struct sockaddr_in6 addr6(const char *ip, unsigned port)
{
	struct sockaddr_in6 sa = {
		.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port),
	};

	inet_pton(AF_INET6, ip, &sa.sin6_addr);
	return sa;
}

#define SA(x)	((struct sockaddr *)&(x))

/* A dual-stack socket that listens on @port of A. */
static inline int serve(struct world *w, unsigned port, int type)
{
	int fd = rill_socket(w->a, AF_INET6, SOCK_STREAM | type, 0);
	struct sockaddr_in6 any = addr6("::", port);

	CHECK_EQ("bind", rill_bind(fd, SA(any), sizeof(any)), 0);
	CHECK_EQ("listen", rill_listen(fd, 16), 0);
	return fd;
}

static inline void set_timeo(int fd, int ms)
{
	struct timeval tv = { ms / 1000, ms % 1000 * 1000 };

	CHECK_EQ("SO_RCVTIMEO", rill_setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)), 0);
	CHECK_EQ("SO_SNDTIMEO", rill_setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)), 0);
}

struct link {
	int l, c, s;		/* listener, client, accepted */
};

/* A connection over IPv4; both ends give up waiting after PATIENCE_MS. */
static inline bool link_up(struct world *w, unsigned port, struct link *k)
{
	struct sockaddr_in to = addr4(A4, port);

	k->l = serve(w, port, 0);
	set_timeo(k->l, PATIENCE_MS);
	k->c = rill_socket(w->b, AF_INET, SOCK_STREAM, 0);
	set_timeo(k->c, PATIENCE_MS);
	k->s = -1;
	if (!CHECK_EQ("connect", rill_connect(k->c, SA(to), sizeof(to)), 0))
		return false;
	k->s = rill_accept(k->l, NULL, NULL);
	return CHECK("accept", k->s >= RILL_FD_BASE);
}

static inline void link_down(struct link *k)
{
	rill_close(k->c);
	rill_close(k->s);
	rill_close(k->l);
}

static inline void set_nonblock(int fd)
{
	CHECK_EQ("F_SETFL", rill_fcntl(fd, 4 /* F_SETFL */, 04000 /* O_NONBLOCK */), 0);
}

#endif
