/* SPDX-License-Identifier: MIT */
/*
 * Fuzzing of look/netstat_parse.c: the first byte chooses the parser; any text gives
 * whole names that are found again, and nothing is read behind its end.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "look/netstat.h"

#define MUST(cond)	do { if (!(cond)) abort(); } while (0)

static int (*const parsers[])(struct netstat *s, char *text) = {
	netstat_parse_pairs, netstat_parse_snmp6, netstat_parse_sockstat,
	netstat_parse_softnet, netstat_parse_dev,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct netstat s = { 0 };
	struct netstat_delta d;
	char *text;
	int64_t v;

	if (!size)
		return 0;
	text = malloc(size);
	MUST(text);
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	MUST(parsers[data[0] % 5](&s, text) == 0);
	for (unsigned i = 0; i < s.n && i < 64; i++) {
		MUST(memchr(s.e[i].name, '\0', NETSTAT_NAME));
		MUST(netstat_get(&s, s.e[i].name, &v));
	}
	d = netstat_between(&s, &s);
	for (unsigned i = 0; i < s.n && i < 64; i++)
		MUST(netstat_growth(&d, s.e[i].name) == 0);
	netstat_sum(&s, "dev.", ".rx_drop");
	netstat_free(&s);
	free(text);
	return 0;
}
