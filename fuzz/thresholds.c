/* SPDX-License-Identifier: MIT */
/* Fuzzing of look/thresholds.c: a text is taken whole, or refused with a line. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "look/thresholds.h"

#define MUST(cond)	do { if (!(cond)) abort(); } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct thresholds t, before;
	char why[200] = "", *text = malloc(size + 1);

	MUST(text);
	memcpy(text, data, size);
	text[size] = '\0';
	thresholds_init(&before);
	t = before;
	if (thresholds_parse(&t, text, why, sizeof(why)) < 0) {
		MUST(*why && !strchr(why, '\n'));
		MUST(!memcmp(&t, &before, sizeof(t)));
	}
	for (int i = 0; i < THR_COUNT; i++) {	/* few are bad stays few are bad */
		MUST(t.t[i].warn == t.t[i].crit ||
		     (t.t[i].warn > t.t[i].crit) == (before.t[i].warn > before.t[i].crit));
		MUST(threshold_level(&t.t[i], t.t[i].crit) == 2);
	}
	free(text);
	return 0;
}
