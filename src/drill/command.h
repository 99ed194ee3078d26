/* SPDX-License-Identifier: MIT */
/*
 * Back-quoted commands: between command.c (which command), words.c (the words of
 * a shell's line) and tunable.c (sysctls).
 */
#ifndef RL_DRILL_COMMAND_H
#define RL_DRILL_COMMAND_H

#include "drill/run.h"

#define DRILL_WORDS	64
#define DRILL_WORDS_LEN	4096

enum drill_after { DRILL_ALWAYS, DRILL_IF_OK, DRILL_IF_FAILED };

/* One simple command: what a shell would hand to a program. */
struct drill_words {
	const char	*text;		/* as written, @len bytes, for the shell */
	size_t		len;
	unsigned	n;
	char		*word[DRILL_WORDS + 1];	/* ended by NULL, as argv */
	const char	*out;		/* file behind ">", or NULL */
	bool		expands;	/* has $NAME or a pattern, left as they stand */
	enum drill_after next;		/* when the following command runs */
	char		buf[DRILL_WORDS_LEN];
	size_t		used;
};

/**
 * The simple command at *@p, which moves behind it.
 * Return: 1; 0 at the end; -1: it needs a real shell (pipes, loops, ...).
 */
int rl_drill_words(const char **p, struct drill_words *w);

/** Run @text by /bin/sh with its output on stderr.  Return: exit status, or -1. */
int rl_drill_shell(const char *text);

/* Each 0, or -1 after rl_drill_fail() or rl_drill_skip(). */

/** Set a tunable by Linux's or FreeBSD's name, with dots. */
int rl_drill_tunable_set(struct drill_run *r, const char *name, const char *value);
/** It is only read: has it a meaning here? */
int rl_drill_tunable_read(struct drill_run *r, const char *name);
/** What the original suite sets before each script; of it what Rill has. */
int rl_drill_tunable_defaults(struct drill_run *r);

#endif
