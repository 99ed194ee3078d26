/* SPDX-License-Identifier: MIT */
/* Names of addresses, asked of the host's resolver by a thread: nobody waits. */
#ifndef RL_TOOLS_NAMES_H
#define RL_TOOLS_NAMES_H

#include <stdbool.h>

#include "rill/types.h"

/**
 * The name of @ip; NULL while it is being asked for, "" when it has none.  The
 * first call starts the search.
 */
const char *names_get(const struct rill_ip *ip);

#endif
