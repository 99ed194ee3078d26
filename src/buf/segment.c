/* SPDX-License-Identifier: MIT */
/*
 * Segmentation in software: what a network card does with a TCP super-segment,
 * for devices without that offload.  The payload stays where it is; each piece
 * is a fresh header in front of references.
 *
 * Each piece carries the sum of its pseudo-header in the checksum field and
 * RL_PKT_CSUM_PARTIAL, as every other packet with an open checksum does.
 * Called by the run loop and by dev/fault.c.
 */
#include "buf/segment.h"
#include "wire/cksum.h"
#include "wire/tcp_hdr.h"

#define TCP_CSUM_OFF	16

/* What the pieces have in common. */
struct cut {
	struct rl_bufs	*b;
	struct rill_pkt	*p;		/* the super-segment */
	uint32_t	l3, l4, pay;	/* offsets of IP, TCP, payload */
	uint32_t	total;		/* bytes of payload */
	bool		v4;
	bool		copy;		/* linear payload can't be referenced */
	struct rill_ip	src, dst;
};

static struct rill_ip ip6_at(const uint8_t *p)
{
	struct rill_ip ip;

	memcpy(ip.b, p, 16);
	return ip;
}

/* Find the headers; false when this is no TCP packet that can be cut. */
static bool locate(struct cut *c, uint32_t link_len)
{
	struct rill_pkt *p = c->p;
	const uint8_t *ip = p->data + link_len;
	uint32_t hdr;

	if (p->len < link_len + 20)
		return false;
	c->l3 = link_len;
	c->v4 = ip[0] >> 4 == 4;
	c->l4 = link_len + (c->v4 ? (ip[0] & 15u) * 4 : 40u);
	if (p->flags & RL_PKT_CSUM_PARTIAL)
		c->l4 = p->csum_start;	/* behind IPv6 extension headers too */
	if (p->len < c->l4 + TCP_HDR_LEN)
		return false;
	hdr = (p->data[c->l4 + 12] >> 4) * 4u;
	c->pay = c->l4 + hdr;
	if (hdr < TCP_HDR_LEN || p->len < c->pay)
		return false;
	if (c->v4) {
		c->src = rl_ip4(get32(ip + 12));
		c->dst = rl_ip4(get32(ip + 16));
	} else {
		c->src = ip6_at(ip + 8);
		c->dst = ip6_at(ip + 24);
	}
	c->total = rl_pkt_len(p) - c->pay;
	c->copy = !p->blk || p->nfrags == RL_PKT_FRAGS;
	return true;
}

static void fix_ip(const struct cut *c, struct rill_pkt *q, uint32_t index)
{
	uint8_t *ip = q->data + c->l3;
	uint32_t len = rl_pkt_len(q) - c->l3;
	uint16_t sum;

	if (!c->v4) {
		put16(ip + 4, (uint16_t)(len - 40));
		return;
	}
	put16(ip + 2, (uint16_t)len);
	put16(ip + 4, (uint16_t)(get16(ip + 4) + index));	/* [RFC6864:4.2] */
	put16(ip + 10, 0);
	sum = rl_sum_finish(rl_sum(ip, c->l4 - c->l3, 0));
	memcpy(ip + 10, &sum, sizeof(sum));
}

static void fix_tcp(const struct cut *c, struct rill_pkt *q, uint32_t off, bool last)
{
	uint8_t *th = q->data + c->l4;
	uint16_t sum;

	put32(th + 4, get32(th + 4) + off);
	if (!last)
		th[13] &= (uint8_t)~(TH_FIN | TH_PSH);
	if (off)		/* once a window [RFC3168:6.1.2] */
		th[13] &= (uint8_t)~TH_CWR;
	sum = rl_sum_fold(rl_sum_pseudo(&c->src, &c->dst, 6, rl_pkt_len(q) - c->l4));
	memcpy(th + TCP_CSUM_OFF, &sum, sizeof(sum));
}

/* [@off, @off + @n) of the payload; frag[] suffices, as the original's did. */
static void share_payload(const struct cut *c, struct rill_pkt *q, uint32_t off,
			  uint32_t n)
{
	const struct rill_pkt *p = c->p;
	uint32_t lin = p->len - c->pay;

	if (off < lin) {
		uint32_t k = RL_MIN(n, lin - off);
		const uint8_t *from = p->data + c->pay + off;

		if (c->copy) {
			memcpy(q->data + q->len, from, k);
			q->len += k;
		} else {
			rl_pkt_add_frag(q, rl_block_ref(p->blk),
					(uint32_t)(from - p->blk->data), k);
		}
		n -= k;
		off += k;
	}
	off -= lin;
	for (unsigned i = 0; n && i < p->nfrags; i++) {
		const struct rl_frag *f = &p->frag[i];
		uint32_t k;

		if (off >= f->len) {
			off -= f->len;
			continue;
		}
		k = RL_MIN(n, f->len - off);
		rl_pkt_add_frag(q, rl_block_ref(f->blk), f->off + off, k);
		n -= k;
		off = 0;
	}
}

static struct rill_pkt *one_piece(const struct cut *c, uint32_t off, uint32_t n,
				  uint32_t index)
{
	const struct rill_pkt *p = c->p;
	struct rill_pkt *q = rl_pkt_new(c->b, c->copy ? p->len : c->pay);

	if (!q)
		return NULL;
	memcpy(q->data, p->data, c->pay);
	q->len = c->pay;
	q->ifindex = p->ifindex;
	q->flags = (uint8_t)(p->flags | RL_PKT_CSUM_PARTIAL);
	q->csum_start = (uint16_t)c->l4;
	q->csum_off = TCP_CSUM_OFF;
	share_payload(c, q, off, n);
	fix_ip(c, q, index);
	fix_tcp(c, q, off, off + n == c->total);
	return q;
}

static void free_list(struct rl_bufs *b, struct rill_pkt *p)
{
	while (p) {
		struct rill_pkt *next = p->next;

		rl_pkt_free(b, p);
		p = next;
	}
}

struct rill_pkt *rl_segment(struct rl_bufs *b, struct rill_pkt *p, uint32_t link_len)
{
	struct cut c = { .b = b, .p = p };
	struct rill_pkt *head = NULL, **tail = &head;
	uint32_t mss = p->gso_size, index = 0, n;

	if (!mss || !locate(&c, link_len) || c.total <= mss) {
		p->gso_size = 0;
		p->gso = RL_GSO_NONE;
		return p;
	}
	for (uint32_t off = 0; off < c.total; off += n) {
		n = RL_MIN(mss, c.total - off);
		*tail = one_piece(&c, off, n, index++);
		if (!*tail) {
			free_list(b, head);
			head = NULL;
			break;
		}
		tail = &(*tail)->next;
	}
	rl_pkt_free(b, p);
	return head;
}
