/* SPDX-License-Identifier: MIT */
/*
 * Fuzzing of look/history.c: any line is either no record or one that survives the
 * way to JSON and back unchanged.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "look/history.h"

#define MUST(cond)	do { if (!(cond)) abort(); } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct hist_rec a, b, c;
	json_t *o = json_loadb((const char *)data, size, 0, NULL), *again;

	if (hist_parse(o, &a)) {
		again = hist_json(&a);
		MUST(again && hist_parse(again, &b));
		json_decref(again);
		again = hist_json(&b);		/* bytes that are no text became '?' */
		MUST(again && hist_parse(again, &c));
		MUST(memcmp(&b, &c, sizeof(b)) == 0);
		json_decref(again);
	}
	json_decref(o);
	return 0;
}
