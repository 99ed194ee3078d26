/* SPDX-License-Identifier: MIT */
/* The words of ss(8) for one socket: addresses, timers, details, memory, TCP_INFO. */
#ifndef RL_TOOLS_SS_FMT_H
#define RL_TOOLS_SS_FMT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rill/table.h"

/* Text that is appended to; what doesn't fit is cut. */
struct ss_text {
	char	*p;
	size_t	n, len;
};

void ss_put(struct ss_text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void ss_puts(struct ss_text *t, const char *s);

/** The address in brackets where ss has them, "*" for both families, "%if" behind
 * the local one; @resolve: as a name where there is one. */
void ss_addr(struct ss_text *t, const struct rill_sock *s, bool local, bool resolve);
void ss_port(struct ss_text *t, uint16_t port, bool udp, bool numeric);

const char *ss_state(const struct rill_sock *s);
const char *ss_timer_name(int kind);
/** "119min", "1.020ms" */
const char *ss_time(uint64_t ms, char *buf, size_t n);

/* Each with a blank in front, nothing when there is nothing to say. */
void ss_timer(struct ss_text *t, const struct rill_sock *s);
void ss_users(struct ss_text *t, const struct rill_sock *s, bool owners);
void ss_details(struct ss_text *t, const struct rill_sock *s);
void ss_memory(struct ss_text *t, const struct rill_sock *s);

/* @options: with those of the SYN. */
void ss_info(struct ss_text *t, const struct rill_sock *s, bool numeric, bool options);

#endif
