/* SPDX-License-Identifier: MIT */
/* The tunables as a struct; the list is config.def. */
#ifndef RL_STACK_CONFIG_H
#define RL_STACK_CONFIG_H

#include "base/types.h"

struct rl_config {
#define CFG(name, field, count, min, max, dflt, unit, help)	int32_t field[count];
#include "stack/config.def"
#undef CFG
	/* net.ipv4.tcp_congestion_control: set through cc.h's list */
	const struct cc_ops *tcp_cc;
	/* net.ipv4.ip_local_reserved_ports: a bit a port */
	uint64_t reserved_ports[65536 / 64];
};

/** The value of a tunable with one number. */
#define RL_CFG(st, field)	((st)->cfg.field[0])

void rl_config_init(struct rl_config *c);
int rl_config_set(struct rl_config *c, const char *name, const char *value);
int rl_config_get(const struct rl_config *c, const char *name, char *buf, size_t n);

#endif
