/* SPDX-License-Identifier: MIT */
/*
 * Texts of /proc/net to counters.  A file may be of any kernel: columns are taken by
 * the names that stand in it wherever it has some, and a line that makes no sense is
 * counted and left out.  The texts are cut up in place.  Called by netstat.c.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "look/netstat.h"

#define BLANK	" \t\r"

/* The next line of *@at, ended by 0; NULL behind the last. */
static char *next_line(char **at)
{
	char *line = *at, *nl;

	if (!line || !*line)
		return NULL;
	nl = strchr(line, '\n');
	*at = nl ? nl + 1 : NULL;
	if (nl)
		*nl = '\0';
	return line;
}

/* Counters are unsigned, a few entries are not; both fit in 64 bits. */
static bool number(const char *s, int base, int64_t *v)
{
	char *end;

	if (!s || !*s)
		return false;
	errno = 0;
	if (*s == '-')
		*v = strtoll(s, &end, base);
	else
		*v = (int64_t)strtoull(s, &end, base);
	return !errno && end != s && !*end;
}

/* Too long a name is a line that makes no sense; no memory ends the reading. */
static int added(struct netstat *s, int r)
{
	if (r == -ENAMETOOLONG)
		s->skipped++;
	return r == -ENOMEM ? r : 0;
}

/* ---- "Tcp: A B C" and below it "Tcp: 1 2 3" ---- */

static int pair_of_lines(struct netstat *s, char *names, char *values)
{
	char *sn = NULL, *sv = NULL;
	const char *group = strtok_r(names, ":" BLANK, &sn);
	const char *same = strtok_r(values, ":" BLANK, &sv);
	const char *n, *v;
	int64_t x;
	int r;

	if (!group || !same || strcmp(group, same) != 0) {
		s->skipped++;
		return 0;
	}
	while ((n = strtok_r(NULL, BLANK, &sn)) && (v = strtok_r(NULL, BLANK, &sv))) {
		if (!number(v, 10, &x)) {
			s->skipped++;
			continue;
		}
		r = added(s, netstat_add(s, x, "%s.%s", group, n));
		if (r < 0)
			return r;
	}
	return 0;
}

int netstat_parse_pairs(struct netstat *s, char *text)
{
	char *names, *values;
	int r = 0;

	while (!r && (names = next_line(&text)) != NULL) {
		values = next_line(&text);
		if (values)
			r = pair_of_lines(s, names, values);
		else
			s->skipped++;
	}
	return r;
}

/* ---- "Ip6InReceives   1" ---- */

int netstat_parse_snmp6(struct netstat *s, char *text)
{
	char *line;
	int r = 0;

	while (!r && (line = next_line(&text)) != NULL) {
		char *save = NULL, *name = strtok_r(line, BLANK, &save);
		char *value = strtok_r(NULL, BLANK, &save);
		char *six = name ? strchr(name, '6') : NULL;
		int64_t x;

		if (!six || !six[1] || !number(value, 10, &x))
			s->skipped++;
		else
			r = added(s, netstat_add(s, x, "%.*s.%s", (int)(six + 1 - name), name,
						 six + 1));
	}
	return r;
}

/* ---- "TCP: inuse 1 orphan 0" ---- */

int netstat_parse_sockstat(struct netstat *s, char *text)
{
	char *line;
	int r = 0;

	while (!r && (line = next_line(&text)) != NULL) {
		char *save = NULL, *group = strtok_r(line, ":" BLANK, &save), *name, *value;
		int64_t x;

		if (!group)
			s->skipped++;
		while (!r && group && (name = strtok_r(NULL, BLANK, &save)) != NULL) {
			value = strtok_r(NULL, BLANK, &save);
			if (!number(value, 10, &x))
				s->skipped++;
			else
				r = added(s, netstat_add(s, x, "sockstat.%s.%s", group, name));
		}
	}
	return r;
}

/* ---- one line a CPU, columns in hex without names ---- */

static const struct {
	unsigned	column;
	const char	*name;
} softnet[] = {
	{ 0, "softnet.processed" }, { 1, "softnet.dropped" }, { 2, "softnet.time_squeeze" },
	{ 9, "softnet.received_rps" }, { 10, "softnet.flow_limit_count" },
	{ 11, "softnet.backlog_len" },
};

#define SOFTNET_COLUMNS	12

int netstat_parse_softnet(struct netstat *s, char *text)
{
	uint64_t sum[SOFTNET_COLUMNS] = { 0 };
	unsigned most = 0;
	char *line;
	int r = 0;

	while ((line = next_line(&text)) != NULL) {
		char *save = NULL, *word = strtok_r(line, BLANK, &save);
		unsigned i = 0;
		int64_t x;

		for (; word && i < SOFTNET_COLUMNS && number(word, 16, &x); i++) {
			sum[i] += (uint64_t)x;
			word = strtok_r(NULL, BLANK, &save);
		}
		if (i < 3)			/* since the first kernel that has it */
			s->skipped++;
		most = i > most ? i : most;
	}
	for (size_t i = 0; !r && i < sizeof(softnet) / sizeof(softnet[0]); i++)
		if (softnet[i].column < most)
			r = added(s, netstat_add(s, (int64_t)sum[softnet[i].column], "%s",
						 softnet[i].name));
	return r;
}

/* ---- interfaces ---- */

static const char *const dev_columns[] = {
	"rx_bytes", "rx_packets", "rx_errs", "rx_drop", "rx_fifo", "rx_frame", "rx_compressed",
	"rx_multicast", "tx_bytes", "tx_packets", "tx_errs", "tx_drop", "tx_fifo", "tx_colls",
	"tx_carrier", "tx_compressed",
};

#define DEV_COLUMNS	(sizeof(dev_columns) / sizeof(dev_columns[0]))

static int dev_line(struct netstat *s, char *line)
{
	char *save = NULL, *name, *colon = strrchr(line, ':');
	int64_t x;
	int r = 0;

	if (!colon) {
		s->skipped++;
		return 0;
	}
	*colon = '\0';
	name = line + strspn(line, BLANK);
	for (size_t i = 0; !r && i < DEV_COLUMNS; i++) {
		if (!number(strtok_r(i ? NULL : colon + 1, BLANK, &save), 10, &x)) {
			s->skipped++;
			break;
		}
		r = added(s, netstat_add(s, x, "dev.%s.%s", name, dev_columns[i]));
	}
	return r;
}

int netstat_parse_dev(struct netstat *s, char *text)
{
	char *line;
	int r = 0;

	while (!r && (line = next_line(&text)) != NULL)
		if (!strchr(line, '|'))		/* the two lines of headings */
			r = dev_line(s, line);
	return r;
}
