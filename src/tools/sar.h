/* SPDX-License-Identifier: MIT */
/* The columns of `rill sar` and what stands in them. */
#ifndef RL_TOOLS_SAR_H
#define RL_TOOLS_SAR_H

#include <stdbool.h>
#include <stddef.h>

#include "look/netstat.h"

#define SAR_COLUMNS	64		/* more than sar.def has */

struct sar_col {
	const char *group, *heading, *counter;
};

/* Values in sar.def's order; @known is false for what the source has not. */
struct sar_row {
	double	value[SAR_COLUMNS];
	bool	known[SAR_COLUMNS];
	double	seconds;
};

/** Column @i from 0, or NULL. */
const struct sar_col *sar_col(unsigned i);
bool sar_is_group(const char *name, size_t n);

void sar_row(struct sar_row *row, const struct netstat *before, const struct netstat *now);

/** Rates over all the time, values as the mean of @n rows that were added to @sum. */
void sar_average(struct sar_row *avg, const struct netstat *first, const struct netstat *last,
		 const struct sar_row *sum, unsigned n);
void sar_add(struct sar_row *sum, const struct sar_row *row);

/** "active/s" is "active_per_s", "tcp-tw" is "tcp_tw". */
const char *sar_json_name(const char *heading, char *buf, size_t n);

#endif
