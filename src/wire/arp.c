/* SPDX-License-Identifier: MIT */
/* ARP messages [RFC826], both ways; ip/arp.c decides what they mean. */
#include <errno.h>

#include "wire/arp.h"

#define HW_ETHERNET	1

int rl_arp_parse(struct arp_msg *m, const uint8_t *p, size_t n)
{
	/* [RFC826-01] the five checks before any field is believed */
	if (n < ARP_LEN || get16(p) != HW_ETHERNET || get16(p + 2) != ETH_IPV4 ||
	    p[4] != ETH_ALEN || p[5] != 4)
		return -EBADMSG;
	m->op = get16(p + 6);
	memcpy(m->sha, p + 8, ETH_ALEN);
	m->spa = rl_ip4(get32(p + 14));
	memcpy(m->tha, p + 18, ETH_ALEN);
	m->tpa = rl_ip4(get32(p + 24));
	return 0;
}

void rl_arp_write(const struct arp_msg *m, uint8_t *p)
{
	put16(p, HW_ETHERNET);
	put16(p + 2, ETH_IPV4);
	p[4] = ETH_ALEN;
	p[5] = 4;
	put16(p + 6, m->op);
	memcpy(p + 8, m->sha, ETH_ALEN);
	memcpy(p + 14, m->spa.b + 12, 4);
	memcpy(p + 18, m->tha, ETH_ALEN);
	memcpy(p + 24, m->tpa.b + 12, 4);
}
