// SPDX-License-Identifier: MIT
/*
 * The active end.  stream: sends.  pingpong: 64 bytes there and back, one
 * connection.  requests: the same on o->conns at once, by epoll.  conns: connect,
 * 64 bytes, 64 bytes back, close, o->conns at once.  Figures are taken after
 * o->warm seconds.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bench.h"

#define EVENTS		256

static void stream_client(const struct net *net, const struct opt *o)
{
	int fd = bench_dial(net, o, o->port, true);
	struct lap l;

	bench_lap_begin(&l);
	bench_pour(net, o, fd);
	bench_lap_end(&l);
	net->close(fd);
	bench_print(0, 0, &l);
}

/* What is counted from the end of the warm-up on. */
struct count {
	double		warm_at, end_at;
	long		done, at_warm;
	struct lap	lap;
};

static void count_begin(struct count *c, const struct opt *o)
{
	*c = (struct count){ .warm_at = bench_now() + o->warm };
	c->end_at = c->warm_at + o->seconds;
	bench_lap_begin(&c->lap);
}

/* Return: whether to go on. */
static bool count_on(struct count *c)
{
	double now = bench_now();

	if (now < c->warm_at)
		return true;
	if (c->warm_at > 0) {
		c->warm_at = 0;
		c->at_warm = c->done;
		bench_lap_begin(&c->lap);
	}
	return now < c->end_at;
}

static void count_print(struct count *c)
{
	bench_lap_end(&c->lap);
	bench_print((double)(c->done - c->at_warm) / c->lap.at, 0, &c->lap);
}

static void pingpong_client(const struct net *net, const struct opt *o)
{
	int fd = bench_dial(net, o, o->port, true);
	char msg[BENCH_MSG] = "ping";
	struct count c;

	count_begin(&c, o);
	while (count_on(&c)) {
		if (!bench_send_all(net, fd, msg, sizeof(msg)) ||
		    !bench_recv_all(net, fd, msg, sizeof(msg)))
			bench_must("pingpong", -EPIPE);
		c.done++;
	}
	count_print(&c);
	net->close(fd);
}

static void control(const struct net *net, int ep, int op, int fd, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.fd = fd };

	bench_must("epoll_ctl", net->epoll_ctl(ep, op, fd, &ev));
}

static int wait_for(const struct net *net, int ep, struct epoll_event *evs)
{
	int n = (int)bench_must("epoll_wait", net->epoll_wait(ep, evs, EVENTS, 10000));

	if (n == 0)
		bench_must("an answer within 10 s", -ETIMEDOUT);
	return n;
}

static void tell_quit(const struct net *net, const struct opt *o)
{
	int fd = bench_dial(net, o, o->port, true);
	char msg[BENCH_MSG] = { BENCH_QUIT };

	bench_send_all(net, fd, msg, sizeof(msg));
	bench_recv_all(net, fd, msg, sizeof(msg));
	net->close(fd);
}

/* Return: whether a whole answer came. */
static bool got_answer(const struct net *net, int fd)
{
	char msg[BENCH_MSG];
	ssize_t v = net->read(fd, msg, sizeof(msg));

	if (v == -EAGAIN)
		return false;
	if (bench_must("read", v) != BENCH_MSG)
		bench_must("a whole answer", -EIO);
	return true;
}

static void ask(const struct net *net, int fd)
{
	static const char msg[BENCH_MSG] = "ask";

	if (bench_must("write", net->write(fd, msg, sizeof(msg))) != BENCH_MSG)
		bench_must("a whole write", -EIO);
}

static void requests_client(const struct net *net, const struct opt *o)
{
	int ep = (int)bench_must("epoll", net->epoll()), n;
	struct epoll_event evs[EVENTS];
	struct count c;

	for (int i = 0; i < o->conns; i++) {
		int fd = bench_dial(net, o, o->port, true);

		bench_must("nonblock", net->nonblock(fd));
		control(net, ep, EPOLL_CTL_ADD, fd, EPOLLIN);
		ask(net, fd);
	}
	count_begin(&c, o);
	while (count_on(&c)) {
		n = wait_for(net, ep, evs);
		for (int i = 0; i < n; i++) {
			if (!got_answer(net, evs[i].data.fd))
				continue;
			ask(net, evs[i].data.fd);
			c.done++;
		}
	}
	count_print(&c);
	tell_quit(net, o);
}

/* ---- connections ---- */

/* Over several ports of the server's, because TIME_WAIT holds on to ours. */
static void one_more(const struct net *net, const struct opt *o, int ep)
{
	static int next;
	int fd = bench_dial(net, o, o->port + next++ % o->ports, false);

	control(net, ep, EPOLL_CTL_ADD, fd, EPOLLOUT);
}

/* Return: 1 when a connection ended. */
static int conn_step(const struct net *net, const struct opt *o, int ep,
		     const struct epoll_event *ev)
{
	int fd = ev->data.fd;

	if (ev->events & EPOLLOUT) {
		ask(net, fd);
		control(net, ep, EPOLL_CTL_MOD, fd, EPOLLIN);
		return 0;
	}
	if (!got_answer(net, fd))
		return 0;
	net->close(fd);
	one_more(net, o, ep);
	return 1;
}

static void conns_client(const struct net *net, const struct opt *o)
{
	int ep = (int)bench_must("epoll", net->epoll()), n;
	struct epoll_event evs[EVENTS];
	struct count c;

	for (int i = 0; i < o->conns; i++)
		one_more(net, o, ep);
	count_begin(&c, o);
	while (count_on(&c)) {
		n = wait_for(net, ep, evs);
		for (int i = 0; i < n; i++)
			c.done += conn_step(net, o, ep, &evs[i]);
	}
	count_print(&c);
	tell_quit(net, o);
}

void bench_client(const struct net *net, const struct opt *o)
{
	net->begin(o);
	if (!strcmp(o->test, "stream"))
		stream_client(net, o);
	else if (!strcmp(o->test, "pingpong"))
		pingpong_client(net, o);
	else if (!strcmp(o->test, "requests"))
		requests_client(net, o);
	else
		conns_client(net, o);
	net->end();
}
