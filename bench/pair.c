// SPDX-License-Identifier: MIT
/*
 * Two stacks in one process, joined by the pair device, each with a thread on its
 * own core: the counterpart of the kernel's loopback.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "rill/engine.h"

#define ADDR_CLIENT	"10.9.200.1"
#define ADDR_SERVER	"10.9.200.2"

static void open_pair(const struct opt *o, struct rill_engine *e[2])
{
	static const char *const addrs[2][2] = {
		{ ADDR_CLIENT "/24", NULL }, { ADDR_SERVER "/24", NULL },
	};
	struct rill_engine_params par[2] = {
		{ .addrs = addrs[0], .sysctls = o->sysctls, .no_ctl = true, .name = "a",
		  .dev = o->dev },
		{ .addrs = addrs[1], .sysctls = o->sysctls, .no_ctl = true, .name = "b" },
	};
	char why[256];

	if (rill_engine_open_pair(&par[0], &par[1], &e[0], &e[1], why, sizeof(why)) != 0) {
		fprintf(stderr, "rbench: %s\n", why);
		exit(1);
	}
	for (int i = 0; o->spin && i < 2; i++)
		rill_engine_spin_us(e[i], 1000000);
}

struct side {
	const struct opt	*o;
	struct rill_engine	*e;
	pthread_barrier_t	*listening;
};

static void *serve(void *arg)
{
	const struct side *s = arg;
	const struct net *net = &net_rill;
	struct lap l;
	double bytes;
	int lfd, fd;

	bench_rill_use(s->e);
	bench_pin(s->o->cpu < 0 ? -1 : s->o->cpu + 1);
	lfd = bench_listen(net, s->o, s->o->port);
	pthread_barrier_wait(s->listening);
	fd = (int)bench_must("accept", net->accept(lfd, 0));
	bytes = bench_drink(net, s->o, fd, &l);
	net->close(fd);
	bench_print(bytes * 8 / 1e9 / l.at, bytes, &l);
	return NULL;
}

void bench_pair(const struct opt *given)
{
	struct opt o = *given;
	struct rill_engine *e[2];
	pthread_barrier_t listening;
	pthread_t thread;
	struct side s;
	int fd;

	o.host = ADDR_SERVER;
	open_pair(&o, e);
	pthread_barrier_init(&listening, NULL, 2);
	s = (struct side){ &o, e[1], &listening };
	bench_must("thread", -pthread_create(&thread, NULL, serve, &s));
	bench_pin(o.cpu);
	pthread_barrier_wait(&listening);
	bench_rill_use(e[0]);
	fd = bench_dial(&net_rill, &o, o.port, true);
	bench_pour(&net_rill, &o, fd);
	net_rill.close(fd);
	pthread_join(thread, NULL);
	rill_engine_close(e[0]);
	rill_engine_close(e[1]);
}
