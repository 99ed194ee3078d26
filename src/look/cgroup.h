/* SPDX-License-Identifier: MIT */
/* Cgroups by number, as sock_diag reports them, and by path. */
#ifndef RL_LOOK_CGROUP_H
#define RL_LOOK_CGROUP_H

#include <stddef.h>
#include <stdint.h>

/** "/system.slice" below the root of cgroup2.  Return: 0 when there is none. */
uint64_t rl_cgroup_id(const char *path);

/** The path of @id; "unreachable:HEX" as ss says it when it can't be found. */
const char *rl_cgroup_path(uint64_t id, char *buf, size_t n);

#endif
