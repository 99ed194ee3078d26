/* SPDX-License-Identifier: MIT */
/* Making facts: reading sockets, counters, settings, programs, devices. */
#ifndef RL_LOOK_FACTS_READ_H
#define RL_LOOK_FACTS_READ_H

#include "look/ctlc.h"
#include "look/facts.h"
#include "look/filter.h"
#include "look/netstat.h"

#define RL_VIEWS	(CTLC_STACKS_MAX + 1)

/* Which sockets: all that NULL and false leave. */
struct rl_scope {
	bool		no_kernel, no_rill;
	struct ctl_select sel;
	const struct filter *filter;	/* NULL: all */
};

/* Everything as it was at one time: one view a source, the kernel's first. */
struct rl_seen {
	struct rill_table table;
	struct rill_table_notes notes;
	struct rl_facts	view[RL_VIEWS];
	struct netstat	net[RL_VIEWS];
	unsigned	nviews;
	struct rl_program *program;
	struct rl_neighbour *neigh;
	struct rl_device *device;
	size_t		 nprogram, nneigh, ndevice;
	struct rl_past	*past[RL_VIEWS];
	struct rl_probe	*probe;
	unsigned	 unprobed;	/* not asked: no right to */
	int64_t		 at_ms;
};

/**
 * Read once.  With @before, what has changed since is in the facts.
 * Return: 0 or -ENOMEM.
 */
int rl_see(struct rl_seen *s, const struct rl_scope *scope, const struct rl_seen *before);
void rl_seen_free(struct rl_seen *s);

/** facts_net.c: neighbours and devices of this network namespace. */
void rl_see_neighbours(struct rl_seen *s);
void rl_see_devices(struct rl_seen *s, const struct rl_seen *before);

/**
 * facts_probe.c: switch keepalive on for a moment on idle connections that have none,
 * see who answers, put it back as it was.  Takes 2 s at most.
 */
void rl_ask_peers(struct rl_seen *s, const struct rl_scope *scope);

int64_t rl_now_ms(void);
void rl_nap_ms(int64_t ms);

#endif
