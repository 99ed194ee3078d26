/* SPDX-License-Identifier: MIT */
/*
 * One end of a measurement, on the sockets of net.h:
 *
 *	peer_X server TEST PORT			until the client has gone
 *	peer_X client TEST HOST PORT SECONDS	prints {"value": ...}
 *
 * stream: bytes a second from client to server; rstream: the other way; pingpong:
 * 64 bytes there and back on one connection; requests: the same on 128 at once;
 * conns: connect, 64 bytes, 64 bytes back, close, 16 at once.  idle: N connections
 * held (SECONDS is N), bytes each.  Both ends print the CPU seconds they took.
 */
#ifndef BENCH_PEER_H
#define BENCH_PEER_H

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <time.h>

#include "net.h"

enum { CHUNK = 256 << 10, MSG = 64, AT_ONCE = 128, CONNS_AT_ONCE = 16, STEP = 4096 };

static uint8_t buf[CHUNK];

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double cpu(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static int must(const char *what, long v)
{
	if (v < 0) {
		fprintf(stderr, "bench: %s %s: %s\n", NET_NAME, what, strerror((int)-v));
		exit(1);
	}
	return (int)v;
}

/* Every 4 KiB of the stream begin with their offset; the receiver checks that. */
static void mark(uint64_t base)
{
	for (size_t i = 0; i < CHUNK; i += STEP) {
		uint64_t at = base + i;

		memcpy(buf + i, &at, sizeof(at));
	}
}

/* @got bytes at stream offset @base lie in buf. */
static void check_marks(uint64_t base, size_t got)
{
	for (size_t i = (size_t)(-base & (STEP - 1)); i + 8 <= got; i += STEP) {
		uint64_t at;

		memcpy(&at, buf + i, sizeof(at));
		if (at != base + i) {
			fprintf(stderr, "bench: wrong bytes at %llu\n",
				(unsigned long long)(base + i));
			exit(1);
		}
	}
}

static void tune(int fd, bool small)
{
	int one = 1;

	if (small)
		must("TCP_NODELAY", CALL(setsockopt, fd, IPPROTO_TCP, TCP_NODELAY,
					 &one, sizeof(one)));
#ifndef BENCH_RILL
	/* The default may be BBR, which paces itself slower than a veth is. */
	CALL(setsockopt, fd, IPPROTO_TCP, TCP_CONGESTION, "cubic", 5);
#endif
}

static int dial(const char *host, int port, bool wait)
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int fd = must("socket", net_socket());
	long err;

	inet_pton(AF_INET, host, &sa.sin_addr);
	tune(fd, true);
	if (!wait)
		must("fcntl", CALL(fcntl, fd, F_SETFL, (long)O_NONBLOCK));
	err = CALL(connect, fd, (struct sockaddr *)&sa, sizeof(sa));
	if (err != -EINPROGRESS)
		must("connect", err);
	return fd;
}

static int listen_on(int port)
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int fd = must("socket", net_socket()), one = 1;

	must("SO_REUSEADDR", CALL(setsockopt, fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)));
	tune(fd, true);
	must("bind", CALL(bind, fd, (struct sockaddr *)&sa, sizeof(sa)));
	must("listen", CALL(listen, fd, 4096));
	return fd;
}

static bool send_all(int fd, size_t n)
{
	for (size_t done = 0; done < n;) {
		long v = CALL(write, fd, buf + done, n - done);

		if (v == -EPIPE || v == -ECONNRESET)
			return false;
		done += (size_t)must("write", v);
	}
	return true;
}

static bool recv_all(int fd, size_t n)
{
	for (size_t done = 0; done < n;) {
		long v = CALL(read, fd, buf + done, n - done);

		if (v == 0 || v == -ECONNRESET)
			return false;
		done += (size_t)must("read", v);
	}
	return true;
}

/* ---- streams ---- */

static void pour(int fd, double seconds)
{
	uint64_t sent = 0;
	double end = now() + seconds;

	while (now() < end) {
		mark(sent);
		if (!send_all(fd, CHUNK))
			return;
		sent += CHUNK;
	}
}

static uint64_t drink(int fd)
{
	uint64_t total = 0;
	long v;

	while ((v = CALL(read, fd, buf, CHUNK)) > 0) {
		check_marks(total, (size_t)v);
		total += (uint64_t)v;
	}
	must("read", v);
	return total;
}

/* The receiver measures: from the first call to the end of the stream. */
static double stream_client(const char *host, int port, double seconds, bool back)
{
	int fd = dial(host, port, true);
	double begin = now(), value;
	uint64_t total;

	if (!back) {
		pour(fd, seconds);
		must("shutdown", CALL(shutdown, fd, SHUT_WR));
		if (!recv_all(fd, 8))
			must("the receiver's count", -EPIPE);
		memcpy(&total, buf, 8);
	} else {
		memcpy(buf, &seconds, sizeof(seconds));
		send_all(fd, sizeof(seconds));
		total = drink(fd);
	}
	value = (double)total / (now() - begin);
	CALL(close, fd);
	return value;
}

static void stream_server(int lfd, bool back)
{
	int fd = must("accept", CALL(accept, lfd, NULL, NULL));
	uint64_t total;
	double seconds;

	if (back) {
		if (recv_all(fd, sizeof(seconds))) {
			memcpy(&seconds, buf, sizeof(seconds));
			pour(fd, seconds);
		}
	} else {
		total = drink(fd);
		memcpy(buf, &total, 8);
		send_all(fd, 8);
	}
	CALL(close, fd);
}

/* ---- small messages ---- */

static double pingpong(const char *host, int port, double seconds)
{
	int fd = dial(host, port, true);
	double begin = now();
	long rounds = 0;

	while (now() < begin + seconds) {
		if (!send_all(fd, MSG) || !recv_all(fd, MSG))
			must("pingpong", -EPIPE);
		rounds++;
	}
	CALL(close, fd);
	return (double)rounds / (now() - begin);
}

/* Blocking echo on one connection, as the client is blocking too. */
static void echo_one(int lfd)
{
	int fd = must("accept", CALL(accept, lfd, NULL, NULL));

	while (recv_all(fd, MSG) && send_all(fd, MSG))
		;
	CALL(close, fd);
}

static void watch(int ep, int fd, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.fd = fd };

	must("epoll_ctl", CALL(epoll_ctl, ep, EPOLL_CTL_ADD, fd, &ev));
}

static int accept_all(int ep, int lfd)
{
	int n = 0;
	long fd;

	while ((fd = CALL(accept4, lfd, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
		watch(ep, (int)fd, EPOLLIN);
		n++;
	}
	if (fd != -EAGAIN && fd != -ECONNABORTED)
		must("accept", fd);
	return n;
}

/* Echo on any number of connections, until all that came have gone. */
static void echo_many(int lfd)
{
	struct epoll_event evs[256];
	int ep = must("epoll", net_epoll()), open = 0, n;
	bool any = false;

	must("fcntl", CALL(fcntl, lfd, F_SETFL, (long)O_NONBLOCK));
	watch(ep, lfd, EPOLLIN);
	while (!any || open > 0) {
		n = must("epoll_wait", CALL(epoll_wait, ep, evs, 256, open ? -1 : 20000));
		if (n == 0)
			return;
		for (int i = 0; i < n; i++) {
			int fd = evs[i].data.fd;
			long v;

			if (fd == lfd) {
				open += accept_all(ep, lfd);
				any = any || open > 0;
				continue;
			}
			v = CALL(read, fd, buf, MSG);
			if (v > 0) {
				CALL(write, fd, buf, (size_t)v);
			} else if (v != -EAGAIN) {
				CALL(close, fd);
				open--;
			}
		}
	}
}

static double requests(const char *host, int port, double seconds)
{
	struct epoll_event evs[AT_ONCE];
	int ep = must("epoll", net_epoll()), n;
	double begin;
	long rounds = 0;

	for (int i = 0; i < AT_ONCE; i++) {
		int fd = dial(host, port, true);

		must("fcntl", CALL(fcntl, fd, F_SETFL, (long)O_NONBLOCK));
		watch(ep, fd, EPOLLIN);
		must("write", CALL(write, fd, buf, MSG));
	}
	begin = now();
	while (now() < begin + seconds) {
		n = must("epoll_wait", CALL(epoll_wait, ep, evs, AT_ONCE, 10000));
		if (n == 0)
			must("an answer within 10 s", -ETIMEDOUT);
		for (int i = 0; i < n; i++) {
			long v = CALL(read, evs[i].data.fd, buf, MSG);

			if (v == -EAGAIN)
				continue;
			if (must("read", v) != MSG)
				must("a whole answer", -EIO);
			must("write", CALL(write, evs[i].data.fd, buf, MSG));
			rounds++;
		}
	}
	return (double)rounds / (now() - begin);
}

/* ---- connections ---- */

static void conn_step(int ep, const char *host, int port, int fd, long *done)
{
	long v = CALL(read, fd, buf, MSG);

	if (v == -EAGAIN)
		return;
	if (must("read", v) != MSG)
		must("a whole answer", -EIO);
	CALL(close, fd);
	(*done)++;
	watch(ep, dial(host, port, false), EPOLLOUT);
}

static double conns(const char *host, int port, double seconds)
{
	struct epoll_event evs[CONNS_AT_ONCE];
	int ep = must("epoll", net_epoll()), n;
	double begin = now();
	long done = 0;

	for (int i = 0; i < CONNS_AT_ONCE; i++)
		watch(ep, dial(host, port, false), EPOLLOUT);
	while (now() < begin + seconds) {
		n = must("epoll_wait", CALL(epoll_wait, ep, evs, CONNS_AT_ONCE, 10000));
		if (n == 0)
			must("an answer within 10 s", -ETIMEDOUT);
		for (int i = 0; i < n; i++) {
			int fd = evs[i].data.fd;
			struct epoll_event in = { .events = EPOLLIN, .data.fd = fd };

			if (!(evs[i].events & EPOLLOUT)) {
				conn_step(ep, host, port, fd, &done);
				continue;
			}
			must("write", CALL(write, fd, buf, MSG));
			must("epoll_ctl", CALL(epoll_ctl, ep, EPOLL_CTL_MOD, fd, &in));
		}
	}
	return (double)done / (now() - begin);
}

static double idle(const char *host, int port, int n)
{
	int *fds = calloc((size_t)n, sizeof(*fds));
	double before, value;

	if (!fds)
		must("calloc", -ENOMEM);
	before = net_memory();
	for (int i = 0; i < n; i++)
		fds[i] = dial(host, port, true);
	value = before < 0 ? -1 : (net_memory() - before) / n;
	for (int i = 0; i < n; i++)
		CALL(close, fds[i]);
	free(fds);
	return value;
}

/* ---- main ---- */

static double client(const char *test, const char *host, int port, double seconds)
{
	if (!strcmp(test, "stream"))
		return stream_client(host, port, seconds, false);
	if (!strcmp(test, "rstream"))
		return stream_client(host, port, seconds, true);
	if (!strcmp(test, "pingpong"))
		return pingpong(host, port, seconds);
	if (!strcmp(test, "requests"))
		return requests(host, port, seconds);
	if (!strcmp(test, "conns"))
		return conns(host, port, seconds);
	if (!strcmp(test, "idle"))
		return idle(host, port, (int)seconds);
	fprintf(stderr, "bench: no such test: %s\n", test);
	exit(2);
}

static void server(const char *test, int port)
{
	int lfd = listen_on(port);

	printf("ready\n");
	fflush(stdout);
	if (!strcmp(test, "stream") || !strcmp(test, "rstream"))
		stream_server(lfd, *test == 'r');
	else if (!strcmp(test, "pingpong"))
		echo_one(lfd);
	else
		echo_many(lfd);
	CALL(close, lfd);
}

int main(int argc, char **argv)
{
	double value = 0, began;

	if (argc < 4 || (!strcmp(argv[1], "client") && argc < 6)) {
		fprintf(stderr, "usage: see the top of bench/peer.h\n");
		return 2;
	}
	net_begin();
	began = cpu();
	if (!strcmp(argv[1], "client"))
		value = client(argv[2], argv[3], atoi(argv[4]), atof(argv[5]));
	else
		server(argv[2], atoi(argv[3]));
	printf("{\"value\": %.1f, \"cpu\": %.4f}\n", value, cpu() - began);
	fflush(stdout);
	net_end();
	return 0;
}

#endif
