/* SPDX-License-Identifier: MIT */
/*
 * Internet checksum [RFC1071].  Sums are kept in 64 bits in the machine's byte
 * order; fold at the end.
 */
#ifndef RL_WIRE_CKSUM_H
#define RL_WIRE_CKSUM_H

#include "base/types.h"

/** Unfolded sum of @n bytes at @p, any alignment, starting from @sum. */
uint64_t rl_sum(const void *p, size_t n, uint64_t sum);

/** Join a part of the sum that began at byte @off of the whole. */
uint64_t rl_sum_at(uint64_t part, size_t off);

/** 16-bit checksum of an unfolded sum, ready to be stored by memcpy. */
uint16_t rl_sum_fold(uint64_t sum);		/* not inverted */
static inline uint16_t rl_sum_finish(uint64_t sum)
{
	return (uint16_t)~rl_sum_fold(sum);
}

/** Sum of the pseudo-header [RFC9293:3.1] [RFC8200:8.1]. */
uint64_t rl_sum_pseudo(const struct rill_ip *src, const struct rill_ip *dst,
		       uint8_t proto, uint32_t len);

/** Replace 16 bits under a checksum [RFC1624:3]; all in network order bytes. */
void rl_cksum_update16(uint8_t *cksum, uint16_t old_host, uint16_t new_host);

#endif
