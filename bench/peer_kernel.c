/* SPDX-License-Identifier: MIT */
/* The kernel's TCP as one end of a measurement. */
#include "peer.h"
