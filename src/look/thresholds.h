/* SPDX-License-Identifier: MIT */
/* The one list of thresholds (thresholds.def) and files that override it. */
#ifndef RL_LOOK_THRESHOLDS_H
#define RL_LOOK_THRESHOLDS_H

#include <stdbool.h>
#include <stddef.h>

#define THRESHOLDS_FILE	"/etc/rill/thresholds"

enum threshold_id {
#define THRESHOLD(id, name, warn, crit, unit, help)	THR_##id,
#include "look/thresholds.def"
#undef THRESHOLD
	THR_COUNT
};

struct threshold {
	const char	*name;
	double		warn, crit;	/* warn > crit: few are bad */
	const char	*unit, *help;
};

struct thresholds {
	struct threshold t[THR_COUNT];	/* by enum threshold_id */
};

/**
 * The file to read: the one @given on the command line, $RILL_THRESHOLDS,
 * THRESHOLDS_FILE.  *@must tells whether it has to be there, which the last need not.
 */
const char *thresholds_path(const char *given, bool *must);

/** The defaults of the list. */
void thresholds_init(struct thresholds *t);

/**
 * Override from @path: "name warn crit" a line, # begins a comment.  A file with a
 * mistake changes nothing.  Return: 0; -errno when it can't be read; -EINVAL with one
 * line in @why.
 */
int thresholds_load(struct thresholds *t, const char *path, char *why, size_t n);

/** The same for a text, which is cut up. */
int thresholds_parse(struct thresholds *t, char *text, char *why, size_t n);

/** By name; '_' and '-', upper and lower case are the same ("CLOSE_WAIT").  -1: none. */
int thresholds_find(const char *name);

/** 0 OK, 1 WARNING, 2 CRITICAL: at or beyond the limit. */
int threshold_level(const struct threshold *t, double value);

#endif
