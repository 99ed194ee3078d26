// SPDX-License-Identifier: MIT
/*
 * The passive end.  stream: receives, checks and counts.  pingpong: echoes on one
 * connection with blocking calls.  echo: on any number of connections by epoll,
 * until a message says that the client is done.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

#define EVENTS		256
#define MAX_PORTS	16

static void ready(void)
{
	puts("ready");
	fflush(stdout);
}

static void stream_server(const struct net *net, const struct opt *o)
{
	int lfd = bench_listen(net, o, o->port), fd;
	struct lap l;
	double bytes;

	ready();
	fd = (int)bench_must("accept", net->accept(lfd, 0));
	bytes = bench_drink(net, o, fd, &l);
	net->close(fd);
	bench_print(bytes * 8 / 1e9 / l.at, bytes, &l);
}

static void pingpong_server(const struct net *net, const struct opt *o)
{
	int lfd = bench_listen(net, o, o->port), fd;
	char msg[BENCH_MSG];
	struct lap l;

	ready();
	fd = (int)bench_must("accept", net->accept(lfd, 0));
	bench_lap_begin(&l);
	while (bench_recv_all(net, fd, msg, sizeof(msg)) &&
	       bench_send_all(net, fd, msg, sizeof(msg)))
		;
	bench_lap_end(&l);
	net->close(fd);
	bench_print(0, 0, &l);
}

/* ---- many connections ---- */

struct echo {
	const struct net *net;
	int	ep;
	int	lfd[MAX_PORTS], nlfd;
	bool	quit;
};

static void watch(const struct echo *e, int fd)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.fd = fd };

	bench_must("epoll_ctl", e->net->epoll_ctl(e->ep, EPOLL_CTL_ADD, fd, &ev));
}

static bool is_listener(const struct echo *e, int fd)
{
	for (int i = 0; i < e->nlfd; i++)
		if (e->lfd[i] == fd)
			return true;
	return false;
}

static void accept_all(const struct echo *e, int lfd)
{
	int fd;

	while ((fd = e->net->accept(lfd, SOCK_NONBLOCK)) >= 0)
		watch(e, fd);
	if (fd != -EAGAIN && fd != -ECONNABORTED)
		bench_must("accept", fd);
}

static void answer(struct echo *e, int fd)
{
	char msg[BENCH_MSG];
	ssize_t v = e->net->read(fd, msg, sizeof(msg));

	if (v == -EAGAIN)
		return;
	if (v > 0) {
		e->quit |= msg[0] == BENCH_QUIT;
		e->net->write(fd, msg, (size_t)v);
	} else {
		e->net->close(fd);
	}
}

static void echo_server(const struct net *net, const struct opt *o)
{
	struct echo e = { .net = net, .ep = (int)bench_must("epoll", net->epoll()) };
	struct epoll_event evs[EVENTS];
	struct lap l;
	int n;

	for (int i = 0; i < o->ports && i < MAX_PORTS; i++) {
		e.lfd[e.nlfd] = bench_listen(net, o, o->port + i);
		bench_must("nonblock", net->nonblock(e.lfd[e.nlfd]));
		watch(&e, e.lfd[e.nlfd++]);
	}
	ready();
	bench_lap_begin(&l);
	while (!e.quit) {
		n = (int)bench_must("epoll_wait", net->epoll_wait(e.ep, evs, EVENTS, 30000));
		if (n == 0)
			bench_must("a client within 30 s", -ETIMEDOUT);
		for (int i = 0; i < n; i++) {
			if (is_listener(&e, evs[i].data.fd))
				accept_all(&e, evs[i].data.fd);
			else
				answer(&e, evs[i].data.fd);
		}
	}
	bench_lap_end(&l);
	bench_print(0, 0, &l);
}

void bench_server(const struct net *net, const struct opt *o)
{
	net->begin(o);
	if (!strcmp(o->test, "stream"))
		stream_server(net, o);
	else if (!strcmp(o->test, "pingpong"))
		pingpong_server(net, o);
	else
		echo_server(net, o);
	net->end();
}
