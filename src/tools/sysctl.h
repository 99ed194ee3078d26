/* SPDX-License-Identifier: MIT */
/* The two halves of `rill sysctl`: cmd_sysctl.c is for stacks, sysctl_kernel.c not. */
#ifndef RL_TOOLS_SYSCTL_H
#define RL_TOOLS_SYSCTL_H

#include <stdbool.h>

struct sysctl_kernel {
	bool	verbose, json, changed;	/* changed: only those */
	char	**words;		/* NAME, PATTERN, NAME=VALUE; none: all */
	unsigned nwords;
};

/** Return: the exit status. */
int sysctl_kernel(const struct sysctl_kernel *s);

#endif
