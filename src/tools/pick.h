/* SPDX-License-Identifier: MIT */
/* What commands that choose sockets share: filters, namespaces, what was not seen. */
#ifndef RL_TOOLS_PICK_H
#define RL_TOOLS_PICK_H

#include <stdbool.h>

#include "look/filter.h"
#include "rill/table.h"

/** The words of a filter, names of hosts included.  Return: false after a complaint. */
bool pick_parse(const char *cmd, struct filter *f, int argc, char **argv);

/** Go on in the network namespace @name (ip-netns(8)).  Return: false after a complaint. */
bool pick_enter(const char *cmd, const char *name);

/** Say what could not be seen.  Return: exit status: failed when a source that was
 * asked for could not be read. */
int pick_notes(const char *cmd, const struct rill_table_query *q,
	       const struct rill_table_notes *notes, unsigned unowned);

#endif
