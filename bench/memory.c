// SPDX-License-Identifier: MIT
/*
 * Bytes per idle connection, per TIME_WAIT and per half-open peer.
 *
 * Rill: two engines on a pair device in one process, so that sockets and epoll
 * items are included.  Three figures per connection and end: what the stack's
 * pools took from the allocator, what malloc() gave to everybody, and by how much
 * the process grew.  Half-open peers come from SYNs with forged sources that are
 * handed to a stack without I/O.
 *
 * The kernel: connections over the loopback, by the growth of its slabs.
 */
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "bench_duo.h"
#include "rill/socket.h"

#define WARM_CONNS	100		/* of TIME_WAIT and half-open */
#define PATIENCE_S	5.0

static double malloced(void)
{
	struct mallinfo2 m = mallinfo2();

	return (double)m.uordblks + (double)m.hblkhd;
}

/* ---- sockets on a pair of engines, driven by this thread ---- */

struct duo_engines {
	struct rill_engine *e[2];
	int		lfd;
	const struct opt *o;
};

static void open_engines(struct duo_engines *d, const struct opt *o)
{
	static const char *const addrs[2][2] = {
		{ "10.9.200.1/24", NULL }, { "10.9.200.2/24", NULL },
	};
	static const char *const sysctls[] = {
		"net.ipv4.ip_local_port_range=1024 65535",
		"net.ipv4.tcp_max_tw_buckets=1000000", NULL,
	};
	struct rill_engine_params par = { .no_ctl = true, .sysctls = sysctls };
	struct rill_engine_params par2 = par;
	char why[256];

	par.addrs = addrs[0];
	par2.addrs = addrs[1];
	if (rill_engine_open_pair(&par, &par2, &d->e[0], &d->e[1], why, sizeof(why)) != 0) {
		fprintf(stderr, "rbench: %s\n", why);
		exit(1);
	}
	d->o = o;
	bench_rill_use(d->e[1]);
	d->lfd = bench_listen(&net_rill, o, o->port);
	bench_must("nonblock", net_rill.nonblock(d->lfd));
	bench_rill_use(d->e[0]);
}

static void run_both(struct duo_engines *d)
{
	rill_engine_run(d->e[0], 0);
	rill_engine_run(d->e[1], 0);
}

static int accept_one(struct duo_engines *d)
{
	double until = bench_now() + PATIENCE_S;
	int fd = -EAGAIN;

	while (fd == -EAGAIN && bench_now() < until) {
		run_both(d);
		fd = rill_accept4(d->lfd, NULL, NULL, SOCK_NONBLOCK);
	}
	return (int)bench_must("accept", fd);
}

static void pass_message(struct duo_engines *d, int from, int to)
{
	char msg[BENCH_MSG] = "hello";
	double until = bench_now() + PATIENCE_S;
	ssize_t v = -EAGAIN;

	bench_must("write", rill_write(from, msg, sizeof(msg)));
	while (v == -EAGAIN && bench_now() < until) {
		run_both(d);
		v = rill_read(to, msg, sizeof(msg));
	}
	bench_must("read", v);
}

/* A connection that has seen a message each way. */
static void connect_one(struct duo_engines *d, int fds[2])
{
	struct opt o = *d->o;

	o.host = "10.9.200.2";
	fds[0] = bench_dial(&net_rill, &o, o.port, false);
	fds[1] = accept_one(d);
	pass_message(d, fds[0], fds[1]);
	pass_message(d, fds[1], fds[0]);
}

static double pool_bytes(struct rill_engine *e)
{
	struct rill_stack *st = rill_engine_lock(e);
	double v = bench_stack_counter(st, "pool.memory");

	rill_engine_unlock(e);
	return v;
}

struct usage {
	double pool[2], malloced, rss;
};

static void measure(const struct duo_engines *d, struct usage *u)
{
	u->pool[0] = pool_bytes(d->e[0]);
	u->pool[1] = pool_bytes(d->e[1]);
	u->malloced = malloced();
	u->rss = bench_rss();
}

static void wait_ms(struct duo_engines *d, int ms)
{
	double until = bench_now() + ms / 1e3;

	while (bench_now() < until)
		run_both(d);
}

/* fds are ours to hold and not counted. */
static void idle(const struct opt *o)
{
	struct duo_engines d;
	struct usage a, b;
	int *fds = calloc((size_t)o->conns * 2, sizeof(*fds)), warm[2];

	if (!fds)
		bench_must("calloc", -ENOMEM);
	memset(fds, 1, (size_t)o->conns * 2 * sizeof(*fds));
	open_engines(&d, o);
	for (int i = 0; i < o->conns / 4; i++)
		connect_one(&d, warm);
	wait_ms(&d, 300);
	measure(&d, &a);
	for (int i = 0; i < o->conns; i++)
		connect_one(&d, fds + 2 * i);
	wait_ms(&d, 300);		/* delayed ACKs */
	measure(&d, &b);
	printf("\"idle_pool_active\": %.1f, \"idle_pool_passive\": %.1f, "
	       "\"idle_malloc\": %.1f, \"idle_rss\": %.1f, ",
	       (b.pool[0] - a.pool[0]) / o->conns, (b.pool[1] - a.pool[1]) / o->conns,
	       (b.malloced - a.malloced) / 2 / o->conns, (b.rss - a.rss) / 2 / o->conns);
	free(fds);
	rill_engine_close(d.e[0]);
	rill_engine_close(d.e[1]);
}

/* Our side closes first, so that TIME_WAIT is engine 0's. */
static void close_one(struct duo_engines *d, int fds[2])
{
	char c;
	double until = bench_now() + PATIENCE_S;
	ssize_t v = -EAGAIN;

	bench_must("close", rill_close(fds[0]));
	while (v == -EAGAIN && bench_now() < until) {
		run_both(d);
		v = rill_read(fds[1], &c, 1);
	}
	bench_must("end of the stream", v);
	bench_must("close", rill_close(fds[1]));
	run_both(d);
	run_both(d);
}

static void time_wait(const struct opt *o)
{
	struct duo_engines d;
	struct usage a, b;
	double n0, n1;
	int fds[2];

	open_engines(&d, o);
	for (int i = 0; i < WARM_CONNS; i++) {
		connect_one(&d, fds);
		close_one(&d, fds);
	}
	measure(&d, &a);
	n0 = bench_stack_counter(rill_engine_lock(d.e[0]), "pool.time_wait");
	rill_engine_unlock(d.e[0]);
	for (int i = 0; i < o->conns; i++) {
		connect_one(&d, fds);
		close_one(&d, fds);
	}
	measure(&d, &b);
	n1 = bench_stack_counter(rill_engine_lock(d.e[0]), "pool.time_wait");
	rill_engine_unlock(d.e[0]);
	printf("\"time_wait\": %.1f, \"time_wait_n\": %.0f, ",
	       n1 > n0 ? (b.pool[0] - a.pool[0]) / (n1 - n0) : -1, n1 - n0);
	rill_engine_close(d.e[0]);
	rill_engine_close(d.e[1]);
}

/* ---- half-open peers, without I/O ---- */

static void half_open(const struct opt *o)
{
	struct bench_duo d;
	double m0, n0, m1, n1;

	bench_duo_open(&d, 1);
	for (uint32_t i = 0; i < WARM_CONNS; i++)
		bench_duo_syn(&d, i);
	m0 = bench_stack_counter(d.st[1], "pool.memory");
	n0 = bench_stack_counter(d.st[1], "pool.half_open");
	for (uint32_t i = 0; i < (uint32_t)o->conns; i++)
		bench_duo_syn(&d, WARM_CONNS + i);
	m1 = bench_stack_counter(d.st[1], "pool.memory");
	n1 = bench_stack_counter(d.st[1], "pool.half_open");
	printf("\"half_open\": %.1f, \"half_open_n\": %.0f",
	       n1 > n0 ? (m1 - m0) / (n1 - n0) : -1, n1 - n0);
	bench_duo_close(&d);
}

void bench_memory(const struct opt *o)
{
	printf("{");
	idle(o);
	time_wait(o);
	half_open(o);
	printf("}\n");
}

/* ---- the kernel's ---- */

/* Bytes in all slabs; differences mean something on a quiet machine. */
static double slabs(void)
{
	char line[256];
	double kb = 0, v;
	FILE *f = fopen("/proc/meminfo", "r");

	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "Slab: %lf", &v) == 1)
			kb = v;
	fclose(f);
	return kb * 1024;
}

static void kernel_connect(const struct opt *o, int lfd, int fds[2])
{
	char msg[BENCH_MSG] = "hello";

	fds[0] = bench_dial(&net_kernel, o, o->port, true);
	fds[1] = (int)bench_must("accept", net_kernel.accept(lfd, 0));
	for (int i = 0; i < 2; i++) {
		bench_send_all(&net_kernel, fds[i], msg, sizeof(msg));
		bench_recv_all(&net_kernel, fds[!i], msg, sizeof(msg));
	}
}

void bench_kernel_memory(const struct opt *given)
{
	struct opt o = *given;
	int lfd, *fds = calloc((size_t)o.conns * 2, sizeof(*fds));
	double a, b, c;

	if (!fds)
		bench_must("calloc", -ENOMEM);
	o.host = "127.0.0.1";
	net_kernel.begin(&o);
	lfd = bench_listen(&net_kernel, &o, o.port);
	a = slabs();
	for (int i = 0; i < o.conns; i++)
		kernel_connect(&o, lfd, fds + 2 * i);
	b = slabs();
	for (int i = 0; i < o.conns * 2; i++)
		net_kernel.close(fds[i]);
	sleep(1);
	c = slabs();
	printf("{\"idle\": %.1f, \"after_close\": %.1f}\n", (b - a) / 2 / o.conns,
	       (c - a) / o.conns);
	free(fds);
}
