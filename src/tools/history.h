/* SPDX-License-Identifier: MIT */
/* The table of `rill history`. */
#ifndef RL_TOOLS_HISTORY_H
#define RL_TOOLS_HISTORY_H

#include "look/history.h"

/** The heading, wide enough for @n records. */
void hist_head(const struct hist_rec *r, size_t n);

/** One record; @verbose: with a second line about its time. */
void hist_row(const struct hist_rec *r, bool verbose);

/** "120us", "1.5ms", "12.3s", "2m05s", "3h07m", "2d04h"; "-" when it is below 0. */
const char *hist_span(int64_t us, char *buf, size_t n);

#endif
