/* SPDX-License-Identifier: MIT */
/* SHA-256 [FIPS 180-4], for `rill get --sha256`. */
#ifndef RL_TOOLS_SHA256_H
#define RL_TOOLS_SHA256_H

#include <stddef.h>
#include <stdint.h>

struct sha256 {
	uint32_t	h[8];
	uint64_t	total;		/* bytes */
	uint8_t		block[64];	/* total % 64 of it are filled */
};

void sha256_init(struct sha256 *s);
void sha256_add(struct sha256 *s, const void *data, size_t n);
/** 64 hexadecimal digits and the end. */
void sha256_hex(struct sha256 *s, char out[65]);

#endif
