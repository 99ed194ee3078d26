/* SPDX-License-Identifier: MIT */
/* The kernel's tunables: what they are (knobs.def), read, compared and set. */
#ifndef RL_LOOK_KNOBS_H
#define RL_LOOK_KNOBS_H

#include <stdbool.h>
#include <stddef.h>

#define KNOB_VALUE	1024

enum knob_type { KNOB_BOOL, KNOB_INT, KNOB_TEXT };

struct knob {
	const char	*name;		/* "net.ipv4.tcp_sack" */
	enum knob_type	type;
	const char	*unit;
	const char	*dflt;		/* several parted by '|'; "": by memory or build */
	const char	*help, *advice;
};

/** Number @i from 0, or NULL behind the last. */
const struct knob *knob_at(unsigned i);
const struct knob *knob_find(const char *name);

/**
 * The value now, blanks as single ones.  @root: "/proc/sys" when NULL.
 * Return: 0, -ENOENT: this kernel has it not, -EACCES, ...; -EINVAL: no name of net.
 */
int knob_read(const char *root, const char *name, char buf[KNOB_VALUE]);

/** Set it.  Errors are those of the kernel: -EACCES, -EPERM, -EINVAL, -ENOENT, ... */
int knob_write(const char *root, const char *name, const char *value);

/** Whether @value is none of the defaults; false where there is none to compare with. */
bool knob_changed(const struct knob *k, const char *value);

#endif
