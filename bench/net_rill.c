// SPDX-License-Identifier: MIT
/* Rill's sockets as a struct net. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"
#include "rill/socket.h"

#define LEAVE_S		0.05		/* for the last FINs and their ACKs */
#define SPIN_US		1000000

/* Of this thread: pair.c has two. */
static _Thread_local struct rill_engine *engine;

void bench_rill_use(struct rill_engine *e)
{
	engine = e;
}

static void r_begin(const struct opt *o)
{
	const char *const addrs[] = { o->addr, NULL };
	const char *const peers[] = { o->peer_addr, NULL };
	const struct rill_engine_params par = {
		.dev = o->dev, .addrs = addrs, .peer_addrs = peers, .name = "rbench",
		.sysctls = o->sysctls, .no_ctl = true, .no_dad = true,
	};
	char why[256];

	if (rill_engine_open(&par, &engine, why, sizeof(why)) != 0) {
		fprintf(stderr, "rbench: %s\n", why);
		exit(1);
	}
	if (o->spin)
		rill_engine_spin_us(engine, SPIN_US);
}

static void r_end(void)
{
	double until = bench_now() + LEAVE_S;

	while (bench_now() < until)
		rill_engine_run(engine, 10);
	if (getenv("RBENCH_COUNTERS")) {
		struct rill_stack *st = rill_engine_lock(engine);
		struct rill_named_u64 c;

		for (unsigned i = 0; rill_stack_counter(st, i, &c); i++)
			if (c.value)
				fprintf(stderr, "%s %llu\n", c.name,
					(unsigned long long)c.value);
		rill_engine_unlock(engine);
	}
	rill_engine_close(engine);
}

static int r_socket(void)
{
	return rill_socket(engine, AF_INET, SOCK_STREAM, 0);
}

static int r_accept(int fd, int flags)
{
	return rill_accept4(fd, NULL, NULL, flags);
}

static int r_nonblock(int fd)
{
	return rill_fcntl(fd, F_SETFL, O_NONBLOCK);
}

static int r_epoll(void)
{
	return rill_epoll_create(engine);
}

const struct net net_rill = {
	.name = "rill", .begin = r_begin, .end = r_end, .socket = r_socket,
	.bind = rill_bind, .listen = rill_listen, .accept = r_accept,
	.connect = rill_connect, .read = rill_read, .write = rill_write,
	.shutdown = rill_shutdown, .close = rill_close, .setsockopt = rill_setsockopt,
	.nonblock = r_nonblock, .epoll = r_epoll, .epoll_ctl = rill_epoll_ctl,
	.epoll_wait = rill_epoll_wait,
};
