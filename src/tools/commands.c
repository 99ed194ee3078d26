/* SPDX-License-Identifier: MIT */
/* The table of subcommands (commands.def), for all that walk over it. */
#include <string.h>

#include "tools/cmd.h"

#define GROUP(title)
static const struct cmd *const commands[] = {
#define CMD(name)	&cmd_##name,
#include "tools/commands.def"
#undef CMD
};
#undef GROUP

#define NCOMMANDS	(sizeof(commands) / sizeof(commands[0]))

/* Titles and commands in one row: a title belongs to the command behind it. */
static const struct {
	const char		*title;
	const struct cmd	*cmd;
} rows[] = {
#define GROUP(title)	{ title, NULL },
#define CMD(name)	{ NULL, &cmd_##name },
#include "tools/commands.def"
#undef CMD
#undef GROUP
};

const struct cmd *cmd_at(unsigned i)
{
	return i < NCOMMANDS ? commands[i] : NULL;
}

const char *cmd_group(unsigned i)
{
	for (size_t r = 1; r < sizeof(rows) / sizeof(rows[0]); r++)
		if (rows[r].cmd == cmd_at(i))
			return rows[r - 1].title;
	return NULL;
}

const struct cmd *cmd_find(const char *name)
{
	for (size_t i = 0; i < NCOMMANDS; i++)
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	return NULL;
}
