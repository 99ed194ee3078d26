/* SPDX-License-Identifier: MIT */
/* What all commands write: complaints, text, JSON, numbers for people. */
#ifndef RL_TOOLS_OUT_H
#define RL_TOOLS_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** One line on stderr, "rill: " in front. */
void complain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/** Flush stdout.  Return: @status, or EXIT_FAILED when writing failed; a closed
 * pipe is the reader's wish and no failure. */
int out_finish(int status);

/** Nobody reads any more: time to stop quietly. */
bool out_closed(void);

/** A JSON string with its quotes. */
void out_json_str(const char *s);

/** "1.23 GiB" */
const char *out_bytes(uint64_t n, char *buf, size_t len);

/** A number within limits.  Return: false when @s is not one. */
bool parse_u64(const char *s, uint64_t min, uint64_t max, uint64_t *out);

/** Seconds with a fraction ("0.5") to ms. */
bool parse_seconds(const char *s, int *ms);

/** A size with k, m, g or t behind it (powers of 1024). */
bool parse_size(const char *s, uint64_t *out);

#endif
