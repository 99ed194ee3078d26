/* SPDX-License-Identifier: MIT */
/* ARP for IPv4 over Ethernet [RFC826]. */
#ifndef RL_WIRE_ARP_H
#define RL_WIRE_ARP_H

#include "wire/eth.h"

#define ARP_LEN		28

enum arp_op { ARP_REQUEST = 1, ARP_REPLY = 2 };

struct arp_msg {
	uint16_t	op;		/* enum arp_op, or another one */
	uint8_t		sha[ETH_ALEN], tha[ETH_ALEN];
	struct rill_ip	spa, tpa;	/* IPv4 */
};

/** Decode; -EBADMSG: too short, not Ethernet and IPv4, or of other lengths. */
int rl_arp_parse(struct arp_msg *m, const uint8_t *p, size_t n);

/** Write ARP_LEN bytes. */
void rl_arp_write(const struct arp_msg *m, uint8_t *p);

#endif
