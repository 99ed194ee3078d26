/* SPDX-License-Identifier: MIT */
/*
 * The sockets calls of the side that is measured: Rill's with BENCH_RILL, otherwise
 * the kernel's.  All return -errno; the rest of the program is the same for both.
 */
#ifndef BENCH_NET_H
#define BENCH_NET_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#ifdef BENCH_RILL
#include "rill/socket.h"

static struct rill_engine *engine;

#define CALL(name, ...)	rill_##name(__VA_ARGS__)
#define NET_NAME	"rill"

static inline int net_socket(void)
{
	return rill_socket(engine, AF_INET, SOCK_STREAM, 0);
}

static inline int net_epoll(void)
{
	return rill_epoll_create(engine);
}

/* $BENCH_DEV and $BENCH_ADDR describe the stack. */
static inline void net_begin(void)
{
	const char *const addrs[] = { getenv("BENCH_ADDR"), NULL };
	const char *const sysctls[] = { "net.rill.tcp_time_wait_ms=1000", NULL };
	const struct rill_engine_params par = {
		.dev = getenv("BENCH_DEV"), .addrs = addrs, .name = "bench",
		.sysctls = sysctls, .no_ctl = true, .no_dad = true,
	};
	char why[256];

	if (rill_engine_open(&par, &engine, why, sizeof(why)) != 0) {
		fprintf(stderr, "bench: %s\n", why);
		exit(1);
	}
}

static inline void net_end(void)
{
	rill_engine_drain(engine, 2000);
	rill_engine_close(engine);
}

/** Bytes that the stack's pools have in use. */
static inline double net_memory(void)
{
	struct rill_named_u64 c;
	double bytes = -1;
	struct rill_stack *st = rill_engine_lock(engine);

	for (unsigned i = 0; rill_stack_counter(st, i, &c); i++)
		if (!strcmp(c.name, "pool.bytes"))
			bytes = (double)c.value;
	rill_engine_unlock(engine);
	return bytes;
}
#else
static inline long net_result(long v)
{
	return v < 0 ? -errno : v;
}

#define CALL(name, ...)	net_result(name(__VA_ARGS__))
#define NET_NAME	"kernel"

static inline int net_socket(void)
{
	return (int)net_result(socket(AF_INET, SOCK_STREAM, 0));
}

static inline int net_epoll(void)
{
	return (int)net_result(epoll_create1(0));
}

static inline void net_begin(void) { }
static inline void net_end(void) { }

/* Only root may read it; the whole machine's, so only differences mean something. */
static inline double net_memory(void)
{
	static const char *const slabs[] = {
		"TCP ", "sock_inode_cache ", "dentry ", "filp ", "request_sock_TCP ",
		"tw_sock_TCP ", "eventpoll_epi ", "skbuff_head_cache ",
	};
	double bytes = -1, n, size;
	char line[512], name[64];
	FILE *f = fopen("/proc/slabinfo", "r");

	if (!f)
		return bytes;
	while (fgets(line, sizeof(line), f)) {
		for (size_t i = 0; i < sizeof(slabs) / sizeof(slabs[0]); i++) {
			if (strncmp(line, slabs[i], strlen(slabs[i])))
				continue;
			if (sscanf(line, "%63s %lf %*f %lf", name, &n, &size) == 3)
				bytes = (bytes < 0 ? 0 : bytes) + n * size;
		}
	}
	fclose(f);
	return bytes;
}
#endif

#endif
