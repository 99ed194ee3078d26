/* SPDX-License-Identifier: MIT */
/* The texts of `rill ss` for one connection. */
#ifndef RL_TOOLS_SS_FMT_H
#define RL_TOOLS_SS_FMT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Text of limited length, cut off when full. */
struct ss_text {
	char	*p;
	size_t	 n, len;
};

void ss_put(struct ss_text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

void ss_timer(struct ss_text *t, const json_t *conn);	/* "timer:(...)" or nothing */
void ss_details(struct ss_text *t, const json_t *conn, const json_t *hello);
void ss_memory(struct ss_text *t, const json_t *conn);
void ss_info(struct ss_text *t, const json_t *conn, bool numeric);

/** "119min", "59sec", "1.020ms" (1.02 s, as ss writes it) */
const char *ss_time(uint64_t ms, char *buf, size_t n);
const char *ss_timer_name(int kind);

/** The address column; @what: "local" or "peer". */
void ss_addr(const json_t *conn, const char *what, char *buf, size_t n);
void ss_port(unsigned port, bool udp, bool numeric, char *buf, size_t n);

#endif
