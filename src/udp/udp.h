/* SPDX-License-Identifier: MIT */
/* UDP for stack/: life cycle, options, looking.  The calls are in rill/stack.h. */
#ifndef RL_UDP_UDP_H
#define RL_UDP_UDP_H

#include "stack/stack_int.h"

struct rl_udp;

/** -ENOMEM.  Fills st->udp_proto. */
int rl_udp_init(struct rill_stack *st);
void rl_udp_destroy(struct rill_stack *st);

/** The endpoint of that name, or NULL. */
struct rl_udp *rl_udp_find(struct rill_stack *st, rill_id id);

/** The name of the endpoint that @ep is the base of. */
rill_id rl_udp_endpoint_id(const struct rl_endpoint *ep);

/** As rill_stack_setsockopt() and its siblings. */
int rl_udp_setsockopt(struct rill_stack *st, rill_id id, int level, int name,
		      const void *val, size_t len);
int rl_udp_getsockopt(struct rill_stack *st, rill_id id, int level, int name,
		      void *val, size_t *len);
int rl_udp_ioctl(struct rill_stack *st, rill_id id, unsigned long req, int *val);

/**
 * Walk over all endpoints; *@cursor is 0 at first.  Return: how many were
 * filled, 0 at the end.
 */
int rl_udp_conns(struct rill_stack *st, uint64_t *cursor, struct rill_conn *conns, int max);

/** Packets left the transmit queues: wake endpoints that were refused room. */
void rl_udp_output_done(struct rill_stack *st);

#endif
