/* SPDX-License-Identifier: MIT */
/* Two stacks without I/O, joined by copying packets; virtual time. */
#ifndef BENCH_DUO_H
#define BENCH_DUO_H

#include "rill/stack.h"

#define DUO_CLIENTS	16		/* addresses of the client's */

struct bench_duo {
	struct rill_stack *st[2];	/* client, server */
	int		ifindex[2];
	rill_id		*listener;
	int		nlisteners;
	int64_t		now_ns;
};

/** With @ports listeners on the server, port DUO_PORT and up. */
#define DUO_PORT	2000
void bench_duo_open(struct bench_duo *d, int ports);
void bench_duo_close(struct bench_duo *d);

/** Carry packets until both are silent. */
void bench_duo_settle(struct bench_duo *d);

/** A SYN from forged source number @n to the first listener. */
void bench_duo_syn(struct bench_duo *d, uint32_t n);

/** A connection to listener @port; accepted. */
void bench_duo_connect(struct bench_duo *d, int port, rill_id *active, rill_id *passive);

double bench_stack_counter(const struct rill_stack *st, const char *name);

#endif
