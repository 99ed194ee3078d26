/* SPDX-License-Identifier: MIT */
/* The IPv4 header and its options [RFC791:3.1]. */
#ifndef RL_WIRE_IPV4_H
#define RL_WIRE_IPV4_H

#include "base/types.h"

#define IPV4_HDR_LEN	20
#define IPV4_MAX_LEN	65535

enum ipv4_frag_bits { IPV4_DF = 0x4000, IPV4_MF = 0x2000, IPV4_OFF_MASK = 0x1fff };

struct ipv4_hdr {
	uint8_t		hdr_len;	/* bytes with options, 20 to 60 */
	uint8_t		tos, ttl, proto;
	uint16_t	total_len;	/* 0: super-segment above 64 KiB */
	uint16_t	id;
	bool		df, mf;
	uint16_t	frag_off;	/* bytes */
	struct rill_ip	src, dst;
};

/**
 * Decode the fixed part.  Return: 0; -EBADMSG: @n or the length fields are
 * impossible; -EPROTONOSUPPORT: another version.  The checksum is not looked
 * at, and a total length of 0 is let through.
 */
int rl_ipv4_parse(struct ipv4_hdr *h, const uint8_t *p, size_t n);

/** Write the 20 bytes of a header without options, checksum included. */
void rl_ipv4_write(const struct ipv4_hdr *h, uint8_t *p);

/** True when the checksum of a header of @hdr_len bytes is right. */
bool rl_ipv4_cksum_ok(const uint8_t *p, size_t hdr_len);

/** Write the checksum of a header of @hdr_len bytes. */
void rl_ipv4_cksum_set(uint8_t *p, size_t hdr_len);

enum ipv4_opt_verdict { IPV4_OPT_OK, IPV4_OPT_BAD, IPV4_OPT_SRCROUTE };

/**
 * Look through @n bytes of options; those that don't concern a host are
 * ignored [RFC1122-10].  @at gets the offset of the bad byte.
 */
enum ipv4_opt_verdict rl_ipv4_opts_check(const uint8_t *p, size_t n, size_t *at);

#endif
