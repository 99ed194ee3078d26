/* SPDX-License-Identifier: MIT */
/* What the devices share: error lines, specs, virtio-net headers, interfaces. */
#ifndef RL_DEV_DEV_INT_H
#define RL_DEV_DEV_INT_H

#include "dev/dev.h"

#define RL_ETH_HDR	14
#define RL_FRAME_MAX	(65535 + RL_ETH_HDR + 4)	/* super-segment, VLAN tag */
#define RL_DEV_IOV	(RL_PKT_FRAGS + 2)		/* virtio header and pieces */

/** Bytes of link header in front of the IP header. */
static inline uint32_t rl_dev_link_len(const struct rl_dev *d)
{
	return d->par.flags & RILL_IF_ETHER ? RL_ETH_HDR : 0;
}

/** Write one line to @why.  Return: -@err. */
int rl_dev_fail(char *why, size_t n, int err, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/**
 * Make @p fit what the device offers: cut it, do its checksum.  Return: a list
 * that replaces @p, or NULL without memory (then it is counted in tx_drops).
 */
struct rill_pkt *rl_dev_fit(struct rl_dev *d, struct rill_stack *st, struct rill_pkt *p);

/* "KIND:NAME[,nooffload]" */
struct rl_dev_spec {
	char name[16];
	bool offload;
};

int rl_dev_spec_parse(const char *spec, const char *kind, struct rl_dev_spec *out,
		      char *why, size_t n);

/* virtio-net header, as TAP and AF_PACKET have it: 10 bytes, host order. */
struct rl_vnet_hdr {
	uint8_t		flags, gso_type;
	uint16_t	hdr_len, gso_size, csum_start, csum_offset;
};

/** Notes of a packet to send; its headers are linear. */
void rl_vnet_from_pkt(const struct rill_pkt *p, struct rl_vnet_hdr *h);

/** Notes of a received packet; false: they contradict the frame. */
bool rl_vnet_to_pkt(const struct rl_vnet_hdr *h, struct rill_pkt *p);

/* A kernel interface, by ioctl; each returns 0 or -errno. */
struct rl_netdev {
	uint32_t	mtu;
	uint8_t		mac[6];
	bool		up, ether;
};

int rl_netdev_get(const char *name, struct rl_netdev *out);
int rl_netdev_set_mtu(const char *name, unsigned mtu);
int rl_netdev_up(const char *name);

#endif
