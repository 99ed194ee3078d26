/* SPDX-License-Identifier: MIT */
/*
 * Ethernet headers: bytes to values.  VLAN tags are no part of this: a tagged
 * frame has an unknown type.  Called by ip/in.c and ip/out.c.
 */
#include <errno.h>

#include "wire/eth.h"

int rl_eth_parse(struct eth_hdr *h, const uint8_t *p, size_t n)
{
	if (n < ETH_HDR_LEN)
		return -EBADMSG;
	memcpy(h->dst, p, ETH_ALEN);
	memcpy(h->src, p + 6, ETH_ALEN);
	h->type = get16(p + 12);
	return 0;
}

void rl_eth_group_mac(uint8_t mac[ETH_ALEN], const struct rill_ip *ip)
{
	if (!rl_ip_is4(ip)) {				/* (RFC 2464 7) */
		mac[0] = mac[1] = 0x33;
		memcpy(mac + 2, ip->b + 12, 4);
	} else if (rl_ip_is_mcast(ip)) {		/* 23 bits of it (RFC 1112 6.4) */
		put32(mac, 0x01005e00);
		mac[3] = ip->b[13] & 0x7f;
		memcpy(mac + 4, ip->b + 14, 2);
	} else {
		memset(mac, 0xff, ETH_ALEN);
	}
}
