/* SPDX-License-Identifier: MIT */
/* The tunables, as a list: names, ranges, defaults and help. */
#ifndef RILL_CONFIG_H
#define RILL_CONFIG_H

#include "rill/types.h"

struct rill_sysctl_desc {
	const char	*name;		/* Linux's */
	int		count;		/* numbers in the value */
	int32_t		min, max;
	const char	*dflt, *unit, *help;
};

/** Tunable number @i from 0, or NULL behind the last. */
RILL_API const struct rill_sysctl_desc *rill_sysctl_desc(unsigned i);

/** Why a name of Linux's is not supported, or NULL when it is not known here. */
RILL_API const char *rill_sysctl_refusal(const char *name);

#endif
