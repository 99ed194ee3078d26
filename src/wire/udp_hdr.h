/* SPDX-License-Identifier: MIT */
/* The UDP header [RFC768]. */
#ifndef RL_WIRE_UDP_HDR_H
#define RL_WIRE_UDP_HDR_H

#include "base/types.h"

#define UDP_HDR_LEN	8
#define UDP_CSUM_OFF	6

struct udp_hdr {
	uint16_t	sport, dport;
	uint16_t	len;		/* header and data */
	bool		has_csum;	/* not 0 */
};

/** Decode from a payload of @n bytes; false: a length that can't be. */
static inline bool rl_udp_hdr_parse(struct udp_hdr *h, const uint8_t *p, size_t n)
{
	if (n < UDP_HDR_LEN)
		return false;
	h->sport = get16(p);
	h->dport = get16(p + 2);
	h->len = get16(p + 4);
	h->has_csum = get16(p + UDP_CSUM_OFF) != 0;
	return h->len >= UDP_HDR_LEN && h->len <= n;	/* [RFC768-01] */
}

/** Write the 8 bytes; the checksum field is left 0. */
static inline void rl_udp_hdr_write(const struct udp_hdr *h, uint8_t *p)
{
	put16(p, h->sport);
	put16(p + 2, h->dport);
	put16(p + 4, h->len);
	put16(p + UDP_CSUM_OFF, 0);
}

#endif
