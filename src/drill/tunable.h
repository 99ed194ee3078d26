/* SPDX-License-Identifier: MIT */
/* Sysctls by Linux's names (tunable.c) and FreeBSD's (tunable_bsd.c). */
#ifndef RL_DRILL_TUNABLE_H
#define RL_DRILL_TUNABLE_H

#include "drill/command.h"

/* What the script wrote, for messages. */
struct drill_wish {
	const char	*name, *value;
	bool		lenient;	/* not having it is no reason to skip */
};

/** Set @name, a name of Linux's, to @value, as part of @w.  0 or -1. */
int rl_drill_tunable_linux(struct drill_run *r, const struct drill_wish *w,
			   const char *name, const char *value);

/** @w's name is FreeBSD's.  0 or -1. */
int rl_drill_tunable_bsd(struct drill_run *r, const struct drill_wish *w);
bool rl_drill_tunable_bsd_knows(const char *name);

#endif
