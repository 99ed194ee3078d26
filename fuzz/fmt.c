/* SPDX-License-Identifier: MIT */
/* Any bytes to the packet printer, with and without a link header. */
#include <stdint.h>
#include <stdlib.h>

#include "wire/fmt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char text[RL_FMT_MAX], small[40];

	if (rl_fmt_frame(text, sizeof(text), data, n, true) != strlen(text) ||
	    rl_fmt_frame(text, sizeof(text), data, n, false) != strlen(text) ||
	    rl_fmt_frame(small, sizeof(small), data, n, true) != strlen(small))
		abort();
	return 0;
}
