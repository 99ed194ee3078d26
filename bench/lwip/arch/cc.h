/* SPDX-License-Identifier: MIT */
/* What lwIP asks of the platform. */
#ifndef BENCH_LWIP_CC_H
#define BENCH_LWIP_CC_H

#include <stdio.h>
#include <stdlib.h>

#define LWIP_TIMEVAL_PRIVATE	0
#include <sys/time.h>

#define LWIP_PLATFORM_DIAG(x)	do { printf x; } while (0)
#define LWIP_PLATFORM_ASSERT(x)	do { fprintf(stderr, "lwIP: %s\n", x); abort(); } while (0)
#define LWIP_RAND()		((u32_t)random())

#endif
