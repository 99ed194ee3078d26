/* SPDX-License-Identifier: MIT */
/* One hook for complaints: a library does not write to its user's stderr. */
#include "look/say.h"

#include <stdarg.h>
#include <stdio.h>

void (*rl_look_say)(const char *line);

void rl_look_sayf(const char *fmt, ...)
{
	char line[1024];
	va_list ap;

	if (!rl_look_say)
		return;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	rl_look_say(line);
}
