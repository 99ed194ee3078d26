/* SPDX-License-Identifier: MIT */
/* Tests of run/ctl_text.c: the buffers of the control socket. */
#include <stdlib.h>
#include <string.h>

#include "rl_test.h"
#include "run/ctl_int.h"

/*
 * A reader that is never done: of 100,000 lines some always wait.  What it has read
 * must not count against the limit, and what it reads must be what was written.
 */
TEST(ctl_text_steady_reader)
{
	struct ctl_buf b = { .p = NULL };
	unsigned told = 0, wrong = 0;
	char want[128];

	for (unsigned i = 0; i < 100000 && !b.bad; i++) {
		rl_ctl_putf(&b, "{\"n\":%0100u}\n", i);
		if (i < 1000)
			continue;
		snprintf(want, sizeof(want), "{\"n\":%0100u}\n", told++);
		wrong += memcmp(b.p + b.off, want, strlen(want)) != 0;
		b.off += strlen(want);
	}
	CHECK("it is not given up", !b.bad);
	CHECK_EQ("lines are as they were", wrong, 0u);
	CHECK_EQ("all are told", told, 99000u);
	CHECK("and the buffer is small", b.cap <= 1 << 20);
	free(b.p);
}
