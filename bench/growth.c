// SPDX-License-Identifier: MIT
/*
 * What one more connection costs, both ends together, when so many exist already;
 * two stacks without I/O, in CPU time.  Each point is the median of several batches.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"
#include "bench_duo.h"

#define PER_PORT	50000		/* connections to a port of the server's */
#define BATCHES		41
#define BATCH		500
#define MSGS		2		/* messages on a connection that has come */

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *v, size_t n)
{
	qsort(v, n, sizeof(*v), by_size);
	return v[n / 2];
}

static void message(struct bench_duo *d, rill_id active, rill_id passive)
{
	char buf[BENCH_MSG] = "hello";
	struct rill_iov iov = { buf, sizeof(buf) };

	bench_must("send", rill_tcp_send(d->st[0], active, &iov, 1, 0));
	bench_duo_settle(d);
	bench_must("recv", rill_tcp_recv(d->st[1], passive, &iov, 1, 0));
}

static double add(struct bench_duo *d, long *have, long n)
{
	double begin = bench_cpu_now();
	rill_id active, passive;

	for (long i = 0; i < n; i++, ++*have) {
		bench_duo_connect(d, (int)(*have / PER_PORT), &active, &passive);
		for (int m = 0; m < MSGS; m++)
			message(d, active, passive);
	}
	return (bench_cpu_now() - begin) / (double)n * 1e9;
}

static double point(struct bench_duo *d, long *have)
{
	double v[BATCHES];

	for (int i = 0; i < BATCHES; i++)
		v[i] = add(d, have, BATCH);
	return median(v, BATCHES);
}

void bench_growth(const struct opt *o)
{
	long have = 0, max = o->conns;
	struct bench_duo d;
	double first = 0, bytes0, ns = 0;

	bench_duo_open(&d, (int)(max / PER_PORT) + 2);
	printf("{\"points\": [");
	for (long at = 1000; at <= max; at *= 10) {
		add(&d, &have, at - have);
		bytes0 = bench_stack_counter(d.st[1], "pool.memory") / (double)have;
		ns = point(&d, &have);
		first = first ? first : ns;
		printf("%s{\"connections\": %ld, \"ns\": %.0f, \"pool_bytes\": %.0f}",
		       at > 1000 ? ", " : "", at, ns, bytes0);
		fflush(stdout);
	}
	printf("], \"ratio\": %.3f, \"rss_per_end\": %.1f}\n", ns / first,
	       bench_rss() / 2 / (double)have);
	bench_duo_close(&d);
}
