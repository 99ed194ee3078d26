/* SPDX-License-Identifier: MIT */
/* Ethernet II framing [RFC1122:2.3.3] and its multicast addresses (RFC 1112) (RFC 2464 7). */
#ifndef RL_WIRE_ETH_H
#define RL_WIRE_ETH_H

#include "base/types.h"

#define ETH_HDR_LEN	14
#define ETH_ALEN	6

enum eth_type {
	ETH_IPV4 = 0x0800, ETH_ARP = 0x0806, ETH_IPV6 = 0x86dd,
};

struct eth_hdr {
	uint8_t		dst[ETH_ALEN], src[ETH_ALEN];
	uint16_t	type;		/* enum eth_type, or another one */
};

/** Decode; -EBADMSG when @n bytes are too few. */
int rl_eth_parse(struct eth_hdr *h, const uint8_t *p, size_t n);

static inline void rl_eth_write(uint8_t *p, const uint8_t dst[ETH_ALEN],
				const uint8_t src[ETH_ALEN], uint16_t type)
{
	memcpy(p, dst, ETH_ALEN);
	memcpy(p + 6, src, ETH_ALEN);
	put16(p + 12, type);
}

/** Broadcast and multicast addresses have the lowest bit of the first byte set. */
static inline bool rl_eth_is_group(const uint8_t mac[ETH_ALEN])
{
	return mac[0] & 1;
}

/** Where packets to the multicast or IPv4 broadcast address @ip are sent. */
void rl_eth_group_mac(uint8_t mac[ETH_ALEN], const struct rill_ip *ip);

#endif
