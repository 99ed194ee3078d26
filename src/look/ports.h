/* SPDX-License-Identifier: MIT */
/*
 * Ephemeral ports: how many connect() still finds for a destination.  A port of
 * ip_local_port_range is free for (source address, destination) when it is not
 * reserved, no socket is bound to it, and no connection between the two has it -
 * those in TIME_WAIT included.  UDP has one pool for all destinations.
 */
#ifndef RL_LOOK_PORTS_H
#define RL_LOOK_PORTS_H

#include "rill/table.h"

#define PORTS_HOLDERS	6

/* Programs with the most connections there; pid 0: no program has them any more. */
struct ports_holder {
	int		pid;
	char		comm[16];
	const char	*stack;		/* Rill: name of the stack, else "" */
	unsigned	n;
};

struct ports_dest {
	uint8_t		proto;		/* IPPROTO_TCP; IPPROTO_UDP: peer is all zeros */
	struct rill_ip	local;		/* source address */
	struct rill_addr peer;
	unsigned	state[RILL_TCP_STATES];
	unsigned	used;		/* ports of the range that connections there have */
	unsigned	free;		/* what is left of the range for it */
	struct ports_holder holder[PORTS_HOLDERS];
	unsigned	nholders, others;	/* programs beyond the list */
};

struct ports_sock;

struct ports {
	unsigned	lo, hi;
	unsigned	size;		/* hi - lo + 1 */
	unsigned	reserved;	/* ip_local_reserved_ports within */
	unsigned	bound;		/* ports within that TCP sockets are bound to */
	struct ports_dest *dest;	/* the most used first */
	size_t		ndest;
	int64_t		at_ns;		/* monotonic, of ports_done() */
	/* private */
	uint64_t	no[1024], is_bound[1024];	/* a bit a port */
	struct ports_sock *sock;
	size_t		nsock, cap;
	char		stacks[16][64];		/* names that holders point to */
	unsigned	nstacks;
};

/**
 * Begin: @range "32768 60999", @reserved "8080,9000-9010" as the kernel writes them.
 * Return: 0, or -EINVAL.
 */
int ports_init(struct ports *p, const char *range, const char *reserved);

/** The same with the kernel's own, of this network namespace.  -errno. */
int ports_init_kernel(struct ports *p);

/** Every TCP and UDP socket of one kernel or stack.  -ENOMEM. */
int ports_add(struct ports *p, const struct rill_sock *s);

struct ctl_stack;

/**
 * All of it at once: the kernel's of this network namespace (@st NULL), or a stack's.
 * @owners: with the programs that hold them, which costs a walk over /proc; the
 * counts do without.  Errors as above; -EIO when a stack does not answer (complained of).
 */
int ports_read(struct ports *p, struct ctl_stack *st, bool owners,
	       struct rill_table_notes *notes);

/** Count.  -ENOMEM. */
int ports_done(struct ports *p);
void ports_free(struct ports *p);

/** The same destination in another reading, or NULL. */
const struct ports_dest *ports_find(const struct ports *p, const struct ports_dest *like);

/** Least free of all destinations, and how many there would be without any connection. */
unsigned ports_least_free(const struct ports *p);
unsigned ports_usable(const struct ports *p);

/** Seconds until none is free, from two readings; -1: not at this rate. */
double ports_runs_out(const struct ports_dest *before, const struct ports_dest *now,
		      double seconds);

#endif
