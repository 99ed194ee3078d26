/* SPDX-License-Identifier: MIT */
/* From two readings of counters to a row of `rill sar`; cmd_sar.c prints it. */
#include "tools/sar.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static const struct sar_col cols[] = {
#define COL(group, heading, counter)	{ #group, heading, counter },
#include "tools/sar.def"
#undef COL
};

#define NCOLS	(sizeof(cols) / sizeof(cols[0]))

_Static_assert(NCOLS <= SAR_COLUMNS, "SAR_COLUMNS is too small");

const struct sar_col *sar_col(unsigned i)
{
	return i < NCOLS ? &cols[i] : NULL;
}

bool sar_is_group(const char *name, size_t n)
{
	for (size_t i = 0; i < NCOLS; i++)
		if (strlen(cols[i].group) == n && !strncmp(cols[i].group, name, n))
			return true;
	return false;
}

static bool is_rate(const struct sar_col *c)
{
	return strchr(c->heading, '/') != NULL;
}

void sar_row(struct sar_row *row, const struct netstat *before, const struct netstat *now)
{
	struct netstat_delta d = netstat_between(before, now);
	int64_t v;

	row->seconds = d.seconds;
	for (size_t i = 0; i < NCOLS; i++) {
		row->known[i] = netstat_get(now, cols[i].counter, &v);
		row->value[i] = is_rate(&cols[i]) ? netstat_rate(&d, cols[i].counter)
						  : (double)v;
	}
}

void sar_add(struct sar_row *sum, const struct sar_row *row)
{
	for (size_t i = 0; i < NCOLS; i++)
		sum->value[i] += row->value[i];
}

void sar_average(struct sar_row *avg, const struct netstat *first, const struct netstat *last,
		 const struct sar_row *sum, unsigned n)
{
	sar_row(avg, first, last);
	for (size_t i = 0; i < NCOLS; i++)
		if (!is_rate(&cols[i]))
			avg->value[i] = n ? sum->value[i] / n : 0;
}

const char *sar_json_name(const char *heading, char *buf, size_t n)
{
	size_t k = 0;

	for (const char *p = heading; *p && *p != '/' && k + 1 < n; p++)
		buf[k++] = isalnum((unsigned char)*p) ? *p : '_';
	buf[k] = '\0';
	if (strchr(heading, '/'))
		snprintf(buf + k, n - k, "_per_s");
	return buf;
}
