// SPDX-License-Identifier: MIT
/* Clocks, CPU time and the like, for all roles of rbench. */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

#define STEP		4096u		/* bytes of a stream between two marks */

double bench_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

double bench_cpu_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

double bench_cpu(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

/*
 * user, nice, system, idle, iowait, irq, softirq: all but idle and iowait.  Work
 * of the kernel's that is charged to no process is in here and only here.
 */
double bench_machine_cpu(void)
{
	double v[7] = { 0 };
	FILE *f = fopen("/proc/stat", "r");

	if (!f)
		return 0;
	if (fscanf(f, "cpu %lf %lf %lf %lf %lf %lf %lf", &v[0], &v[1], &v[2], &v[3],
		   &v[4], &v[5], &v[6]) != 7)
		memset(v, 0, sizeof(v));
	fclose(f);
	return (v[0] + v[1] + v[2] + v[5] + v[6]) / (double)sysconf(_SC_CLK_TCK);
}

double bench_rss(void)
{
	double pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	if (!f)
		return 0;
	if (fscanf(f, "%*f %lf", &pages) != 1)
		pages = 0;
	fclose(f);
	return pages * (double)sysconf(_SC_PAGESIZE);
}

void bench_pin(int cpu)
{
	cpu_set_t set;

	if (cpu < 0)
		return;
	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		perror("rbench: sched_setaffinity");
}

long bench_must(const char *what, long v)
{
	if (v < 0) {
		fprintf(stderr, "rbench: %s: %s\n", what, strerror((int)-v));
		exit(1);
	}
	return v;
}

void bench_lap_begin(struct lap *l)
{
	l->machine = bench_machine_cpu();
	l->cpu = bench_cpu();
	l->at = bench_now();
}

void bench_lap_end(struct lap *l)
{
	l->at = bench_now() - l->at;
	l->cpu = bench_cpu() - l->cpu;
	l->machine = bench_machine_cpu() - l->machine;
}

void bench_print(double value, double bytes, const struct lap *l)
{
	printf("{\"value\": %.6g, \"bytes\": %.0f, \"seconds\": %.6f, \"cpu\": %.6f, "
	       "\"machine\": %.2f}\n", value, bytes, l->at, l->cpu, l->machine);
	fflush(stdout);
}

void bench_mark(uint8_t *buf, size_t n, uint64_t base)
{
	for (size_t i = (size_t)(-base & (STEP - 1)); i + 8 <= n; i += STEP) {
		uint64_t at = base + i;

		memcpy(buf + i, &at, sizeof(at));
	}
}

/* Words that a read cut in two are not looked at. */
void bench_check_marks(const uint8_t *buf, size_t n, uint64_t base)
{
	for (size_t i = (size_t)(-base & (STEP - 1)); i + 8 <= n; i += STEP) {
		uint64_t at;

		memcpy(&at, buf + i, sizeof(at));
		if (at != base + i) {
			fprintf(stderr, "rbench: wrong bytes at %llu\n",
				(unsigned long long)(base + i));
			exit(1);
		}
	}
}
