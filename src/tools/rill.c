/* SPDX-License-Identifier: MIT */
/*
 * rill - the command.  It finds the subcommand in the table of commands.c and
 * runs it; help, man pages and completion come from the same table.
 * Exit: 0 done, 1 failed, 2 misuse.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "look/say.h"
#include "run/ctl.h"
#include "tools/cmd.h"
#include "tools/out.h"

static int usage(void)
{
	puts("usage: rill COMMAND [OPTIONS] [ARGUMENTS]\n"
	     "\nShows, explains and ends connections, the host's and those of its own TCP/IP\n"
	     "stack, which runs in user space.");
	for (unsigned i = 0; cmd_at(i); i++) {
		if (cmd_group(i))
			printf("\n%s\n", cmd_group(i));
		printf("  %-10s %s\n", cmd_at(i)->name, cmd_at(i)->help);
	}
	puts("\n`rill COMMAND --help` shows the options and an example;"
	     " `rill --version` the version.");
	return out_finish(EXIT_DONE);
}

/* `rill help [COMMAND]` */
static int help(int argc, char **argv)
{
	const struct cmd *cmd = argc > 2 ? cmd_find(argv[2]) : NULL;

	if (argc <= 2)
		return usage();
	if (!cmd) {
		complain("unknown command %s; see `rill --help`", argv[2]);
		return EXIT_MISUSE;
	}
	cmd_help(cmd);
	return out_finish(EXIT_DONE);
}

static void say(const char *line)
{
	complain("%s", line);
}

int main(int argc, char **argv)
{
	const struct cmd *cmd;

	rl_look_say = say;
	signal(SIGPIPE, SIG_IGN);	/* out.h: a closed pipe shows as EPIPE */
	if (argc < 2) {
		complain("which command? see `rill --help`");
		return EXIT_MISUSE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
		return usage();
	if (!strcmp(argv[1], "help"))
		return help(argc, argv);
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		puts("rill " RILL_VERSION);
		return out_finish(EXIT_DONE);
	}
	cmd = cmd_find(argv[1]);
	if (!cmd) {
		complain("unknown %s %s; see `rill --help`",
			 argv[1][0] == '-' ? "option" : "command", argv[1]);
		return EXIT_MISUSE;
	}
	return cmd->run(cmd, argc - 1, argv + 1);
}
