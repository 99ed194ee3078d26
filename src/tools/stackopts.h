/* SPDX-License-Identifier: MIT */
/* Options of all commands that run a stack, and the stack they ask for. */
#ifndef RL_TOOLS_STACKOPTS_H
#define RL_TOOLS_STACKOPTS_H

#include "rill/engine.h"
#include "tools/cmd.h"

#define STACK_LIST_MAX	32

extern const struct opt stack_opts[];

struct stack_args {
	struct rill_engine_params par;
	const char	*addrs[STACK_LIST_MAX + 1], *peers[STACK_LIST_MAX + 1];
	const char	*gateways[STACK_LIST_MAX + 1], *sysctls[STACK_LIST_MAX + 1];
	unsigned	naddrs, npeers, ngateways, nsysctls;
	bool		has_spin, wait_close;
	unsigned	spin_us;
};

void stack_args_init(struct stack_args *a);

/**
 * Take option @id with @arg.  Return: 1 taken, 0 not one of ours, -1 after a
 * complaint.
 */
int stack_arg(struct stack_args *a, const struct cmd *cmd, int id, const char *arg);

/** Open the engine, complaints said.  Return: EXIT_DONE or the exit status. */
int stack_open(struct stack_args *a, const struct cmd *cmd, struct rill_engine **e);

/**
 * All sockets are closed: wait until the peers have confirmed that, at most
 * @timeout_ms (a line when some did not), a moment for their own ends, with
 * --wait-close for TIME_WAIT too; then rill_engine_close().
 */
void stack_close(const struct stack_args *a, struct rill_engine *e, int timeout_ms);

/** Address of the stack for "http://HERE/": the first of the family, or NULL. */
const char *stack_host(const struct stack_args *a, unsigned i, char *buf, size_t n);

#endif
