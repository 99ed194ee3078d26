/* SPDX-License-Identifier: MIT */
/* Rill as one end of a measurement. */
#define BENCH_RILL
#include "peer.h"
