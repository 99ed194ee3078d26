/* SPDX-License-Identifier: MIT */
/* The table of subcommands and their options: help, man page, completion. */
#ifndef RL_TOOLS_CMD_H
#define RL_TOOLS_CMD_H

#include <stdbool.h>
#include <stddef.h>

enum exit_status { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_MISUSE = 2 };

/*
 * One option.  Its number is what opt_next() returns; 0 ends a list.  @arg is
 * NULL for an option without argument; with "[=" in front it may be left out (long
 * form only), and @w->arg is NULL then.  @help is NULL for one that is known only
 * to be refused with a reason.
 */
struct opt {
	int		id;
	char		letter;		/* 0: only the long form */
	const char	*name;		/* NULL: only the letter */
	const char	*arg, *help;
};

struct cmd {
	const char		*name;
	const char		*args;		/* behind the options */
	const char		*help;		/* one line */
	const char		*about;		/* a paragraph or two, for --help and man */
	const char		*example;	/* works as it stands */
	const struct opt	*opts;
	bool			runs_stack;	/* takes stackopts.c's options as well */
	int			(*run)(const struct cmd *cmd, int argc, char **argv);
};

#define GROUP(title)
#define CMD(name)	extern const struct cmd cmd_##name;
#include "tools/commands.def"
#undef CMD
#undef GROUP

/** Command number @i from 0, or NULL behind the last; by name, or NULL. */
const struct cmd *cmd_at(unsigned i);

/** The title of the group that begins with command number @i, or NULL. */
const char *cmd_group(unsigned i);
const struct cmd *cmd_find(const char *name);

/** Table number @i from 0 of the options that @cmd takes, or NULL behind the last. */
const struct opt *cmd_opts(const struct cmd *cmd, int i);

/* Numbers of the options that all commands share are above these. */
enum { OPT_STACK = 1000, OPT_HELP = 2000 };

/* State of a walk over a command's arguments. */
struct optwalk {
	const struct cmd *cmd;
	int		argc;
	char		**argv;
	int		at;		/* next argument; those before are done */
	const char	*cluster;	/* rest of "-abc" */
	char		*arg;		/* of the option returned last */
	bool		opts_over;	/* "--" was seen */
};

enum { OPTW_END = -1, OPTW_BAD = -2, OPTW_HELPED = -3, OPTW_OPERAND = -4 };

/**
 * The next option's number; OPTW_OPERAND with @w->arg; OPTW_END; OPTW_BAD after
 * one line on stderr; OPTW_HELPED after --help was answered.
 */
int opt_next(struct optwalk *w);

/** Exit status for OPTW_BAD and OPTW_HELPED. */
int opt_status(int r);

void cmd_help(const struct cmd *cmd);

#endif
