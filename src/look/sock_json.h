/* SPDX-License-Identifier: MIT */
/* A record of the table as JSON, for all commands that have -j. */
#ifndef RL_LOOK_SOCK_JSON_H
#define RL_LOOK_SOCK_JSON_H

#include <stdio.h>

#include "rill/table.h"

/**
 * The members of an object, without its braces, so that a caller can add its own:
 * everything of sock.def, addresses, names beside numbers, TCP_INFO, owners.
 */
void rl_sock_json(FILE *out, const struct rill_sock *s);

/** A string with its quotes. */
void rl_json_str(FILE *out, const char *s);

#endif
