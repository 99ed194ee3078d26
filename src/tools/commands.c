/* SPDX-License-Identifier: MIT */
/* The table of subcommands (commands.def), for all that walk over it. */
#include <string.h>

#include "tools/cmd.h"

static const struct cmd *const commands[] = {
#define CMD(name)	&cmd_##name,
#include "tools/commands.def"
#undef CMD
};

#define NCOMMANDS	(sizeof(commands) / sizeof(commands[0]))

const struct cmd *cmd_at(unsigned i)
{
	return i < NCOMMANDS ? commands[i] : NULL;
}

const struct cmd *cmd_find(const char *name)
{
	for (size_t i = 0; i < NCOMMANDS; i++)
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	return NULL;
}
