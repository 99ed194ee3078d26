/* SPDX-License-Identifier: MIT */
/* Fuzzing of look/procnet.c: any line is a socket with values in range, or none. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "look/source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct rill_sock s;
	char line[512];

	if (!n)
		return 0;
	n = n < sizeof(line) ? n : sizeof(line) - 1;
	memcpy(line, data, n);
	line[n] = '\0';
	if (!rl_proc_line(line, data[0] & 1 ? 6 : 17, data[0] & 2 ? 4 : 6, &s))
		return 0;
	if (!s.state || s.state >= RILL_TCP_STATES || s.timer > RILL_TMR_PERSIST)
		abort();
	return 0;
}
