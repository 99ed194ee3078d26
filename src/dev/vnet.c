/* SPDX-License-Identifier: MIT */
/*
 * The virtio-net header (OASIS virtio 1.1, 5.1.6), by which TAP and AF_PACKET
 * pass checksum and segmentation notes.  Called by dev/tap.c and dev/packet.c.
 */
#include <linux/virtio_net.h>

#include "dev/dev_int.h"
#include "wire/tcp_hdr.h"

_Static_assert(sizeof(struct rl_vnet_hdr) == sizeof(struct virtio_net_hdr),
	       "one layout");

void rl_vnet_from_pkt(const struct rill_pkt *p, struct rl_vnet_hdr *h)
{
	const uint8_t *th = p->data + p->csum_start;

	*h = (struct rl_vnet_hdr){ 0 };
	if (!(p->flags & RL_PKT_CSUM_PARTIAL))
		return;
	h->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	h->csum_start = p->csum_start;
	h->csum_offset = p->csum_off;
	if (!p->gso_size)
		return;
	h->gso_type = p->gso == RL_GSO_TCP4 ? VIRTIO_NET_HDR_GSO_TCPV4 :
					      VIRTIO_NET_HDR_GSO_TCPV6;
	if (th[13] & TH_CWR)	/* only the first piece keeps it */
		h->gso_type |= VIRTIO_NET_HDR_GSO_ECN;
	h->gso_size = (uint16_t)p->gso_size;
	h->hdr_len = (uint16_t)(p->csum_start + (th[12] >> 4) * 4);
}

static bool csum_notes(const struct rl_vnet_hdr *h, struct rill_pkt *p)
{
	if (h->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) {
		if ((uint32_t)h->csum_start + h->csum_offset + 2 > p->len)
			return false;
		p->csum_start = h->csum_start;
		p->csum_off = h->csum_offset;
		p->flags |= RL_PKT_CSUM_PARTIAL | RL_PKT_CSUM_OK;
	} else if (h->flags & VIRTIO_NET_HDR_F_DATA_VALID) {
		p->flags |= RL_PKT_CSUM_OK;
	}
	return true;
}

bool rl_vnet_to_pkt(const struct rl_vnet_hdr *h, struct rill_pkt *p)
{
	if (!csum_notes(h, p))
		return false;
	switch (h->gso_type & ~VIRTIO_NET_HDR_GSO_ECN) {
	case VIRTIO_NET_HDR_GSO_NONE:
		return true;
	case VIRTIO_NET_HDR_GSO_TCPV4:
		p->gso = RL_GSO_TCP4;
		break;
	case VIRTIO_NET_HDR_GSO_TCPV6:
		p->gso = RL_GSO_TCP6;
		break;
	default:		/* was not asked for by TUNSETOFFLOAD */
		return false;
	}
	p->gso_size = h->gso_size;
	return h->gso_size != 0;
}
