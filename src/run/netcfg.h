/* SPDX-License-Identifier: MIT */
/* Addresses as text, and the kernel's end of a TAP. */
#ifndef RL_RUN_NETCFG_H
#define RL_RUN_NETCFG_H

#include "base/types.h"

/** "10.77.0.2" or "fd77::2". Return: 0 or -EINVAL. */
int rl_netcfg_ip(const char *text, struct rill_ip *ip);

/** "10.77.0.2/24": the length is of the family's 32 or 128 bits. -EINVAL. */
int rl_netcfg_prefix(const char *text, struct rill_ip *ip, unsigned *prefix_len);

/**
 * Give the kernel's interface @ifname an address, usable at once (no duplicate
 * address detection).  Having it already is no error.  Return: 0 or -errno.
 */
int rl_netcfg_addr_add(const char *ifname, const struct rill_ip *ip, unsigned prefix_len);

#endif
