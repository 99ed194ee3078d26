/* SPDX-License-Identifier: MIT */
/*
 * Types and small helpers that every layer uses.  Freestanding: nothing here
 * needs more than the compiler and mem*().
 */
#ifndef RL_BASE_TYPES_H
#define RL_BASE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "rill/types.h"

#define ARRAY_LEN(a)	(sizeof(a) / sizeof((a)[0]))
#define container_of(p, type, member) \
	((type *)(void *)((char *)(p) - offsetof(type, member)))
#define RL_MIN(a, b)	((a) < (b) ? (a) : (b))
#define RL_MAX(a, b)	((a) > (b) ? (a) : (b))
#define RL_LIKELY(x)	__builtin_expect(!!(x), 1)
#define RL_UNLIKELY(x)	__builtin_expect(!!(x), 0)

#define RL_CACHELINE	64

#ifndef static_assert
#define static_assert	_Static_assert
#endif

/* Time: int64_t nanoseconds of a clock that never goes back. */
#define RL_NEVER	INT64_MAX
#define RL_US		INT64_C(1000)
#define RL_MS		INT64_C(1000000)
#define RL_SEC		INT64_C(1000000000)

/** Equal strings; the core has no more of a C library than mem*(). */
static inline bool rl_streq(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

/* Bytes on the wire, any alignment, to and from host order. */
static inline uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	       (uint32_t)p[2] << 8 | p[3];
}

static inline void put16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void put32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

/*
 * Addresses: one 16-byte type for both families, IPv4 as ::ffff:a.b.c.d
 * (RFC 4291 2.5.5.2), so that no code above the wire has two versions.
 */
static inline struct rill_ip rl_ip4(uint32_t host_order)
{
	struct rill_ip ip = { .b = { [10] = 0xff, [11] = 0xff } };

	put32(ip.b + 12, host_order);
	return ip;
}

static inline bool rl_ip_is4(const struct rill_ip *ip)
{
	return ip->q[0] == 0 && get32(ip->b + 8) == 0xffff;
}

static inline uint32_t rl_ip_get4(const struct rill_ip *ip)
{
	return get32(ip->b + 12);
}

static inline bool rl_ip_eq(const struct rill_ip *a, const struct rill_ip *b)
{
	return a->q[0] == b->q[0] && a->q[1] == b->q[1];
}

/** True for :: and for 0.0.0.0 in its mapped form. */
static inline bool rl_ip_is_any(const struct rill_ip *ip)
{
	if (ip->q[0] != 0)
		return false;
	return ip->q[1] == 0 || (rl_ip_is4(ip) && rl_ip_get4(ip) == 0);
}

static inline bool rl_ip_is_mcast(const struct rill_ip *ip)
{
	if (rl_ip_is4(ip))
		return ip->b[12] >> 4 == 0xe;
	return ip->b[0] == 0xff;
}

static inline bool rl_ip_is_loopback(const struct rill_ip *ip)
{
	static const uint8_t v6[16] = { [15] = 1 };

	if (rl_ip_is4(ip))
		return ip->b[12] == 127;
	return !memcmp(ip->b, v6, 16);
}

/** fe80::/10; IPv4 link-local addresses need no scope and do not count. */
static inline bool rl_ip_is_linklocal(const struct rill_ip *ip)
{
	return ip->b[0] == 0xfe && (ip->b[1] & 0xc0) == 0x80;
}

#endif
