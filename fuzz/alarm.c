/* SPDX-License-Identifier: MIT */
/*
 * Fuzzing of look/alarm.c: any text either is a rule, which then can be stepped with
 * any value, or gives one line that says why not.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "look/alarm.h"
#include "look/thresholds.h"

#define MUST(cond)	do { if (!(cond)) abort(); } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char why[128] = "", *text = malloc(size + 1);
	struct thresholds t;
	struct rl_alarm a;

	MUST(text);
	memcpy(text, data, size);
	text[size] = '\0';
	thresholds_init(&t);
	if (rl_alarm_parse(&a, text, &t, why, sizeof(why)) == 0) {
		MUST(a.metric >= 0 && a.metric < RL_METRICS);
		MUST(a.limit >= 0 && a.clear >= 0 && a.for_ms >= 0);
		for (int i = 0; i < 64; i++)
			rl_alarm_step(&a, i % 3 ? a.limit + 1 : 0, (int64_t)i * a.for_ms);
	} else {
		MUST(*why);
	}
	free(text);
	return 0;
}
