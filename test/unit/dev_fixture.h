/* SPDX-License-Identifier: MIT */
/*
 * For tests of devices: as much of a stack as a device uses (time and buffers),
 * TCP frames made by hand, and a device whose ends are two lists.
 */
#ifndef DEV_FIXTURE_H
#define DEV_FIXTURE_H

#include <stdlib.h>

#include "buf_fixture.h"
#include "dev/dev.h"
#include "wire/cksum.h"

#define TEST_HDRS	(14 + 20 + 20)	/* Ethernet, IPv4, TCP */

static inline struct rill_stack *test_stack(void)
{
	struct rill_stack *st = calloc(1, sizeof(*st));

	st->mem.hooks = (struct rill_allocator){ fixture_alloc, fixture_free, NULL };
	st->mem.max = UINT64_MAX;
	rl_bufs_init(&st->bufs, &st->mem);
	return st;
}

/* Return: packets, blocks and bytes that were not given back. */
static inline uint64_t test_stack_free(struct rill_stack *st)
{
	uint64_t left = st->bufs.pkts_in_use;

	for (int i = 0; i < RL_BLK_N; i++)
		left += st->bufs.blocks_in_use[i];
	rl_bufs_destroy(&st->bufs);
	left += st->mem.used;
	free(st);
	return left;
}

/* Headers of a TCP segment of @n bytes of payload; @seq is its number, too. */
static inline void test_headers(uint8_t *p, uint32_t seq, uint32_t n)
{
	struct rill_ip src = rl_ip4(0x0a4d0001), dst = rl_ip4(0x0a4d0002);
	uint8_t *ip = p + 14, *th = ip + 20;
	uint16_t sum;

	memset(p, 0, TEST_HDRS);
	p[0] = p[6] = 2;
	p[11] = 1;
	put16(p + 12, 0x0800);
	ip[0] = 0x45;
	put16(ip + 2, (uint16_t)(40 + n));
	ip[8] = 64;
	ip[9] = 6;
	put32(ip + 12, 0x0a4d0001);
	put32(ip + 16, 0x0a4d0002);
	sum = rl_sum_finish(rl_sum(ip, 20, 0));
	memcpy(ip + 10, &sum, 2);
	put16(th, 1000);
	put16(th + 2, 2000);
	put32(th + 4, seq);
	th[12] = 5 << 4;
	th[13] = TH_ACK;
	put16(th + 14, 500);
	sum = rl_sum_fold(rl_sum_pseudo(&src, &dst, 6, 20 + n));
	memcpy(th + 16, &sum, 2);
}

/* That segment, checksum open, cut by @mss when there is one. */
static inline struct rill_pkt *test_segment(struct rill_stack *st, uint32_t seq,
					    uint32_t n, uint32_t mss)
{
	struct rill_pkt *p = rl_pkt_new(&st->bufs, TEST_HDRS);
	struct rl_block *blk;

	test_headers(p->data, seq, n);
	p->len = TEST_HDRS;
	if (n) {
		blk = rl_block_get(&st->bufs, n);
		for (uint32_t i = 0; i < n; i++)
			blk->data[i] = (uint8_t)(seq + i);
		rl_pkt_add_frag(p, blk, 0, n);
	}
	p->flags = RL_PKT_CSUM_PARTIAL;
	p->csum_start = 34;
	p->csum_off = 16;
	p->gso_size = mss;
	p->gso = mss ? RL_GSO_TCP4 : RL_GSO_NONE;
	return p;
}

static inline uint32_t test_seq(const struct rill_pkt *p)
{
	uint8_t b[4];

	rl_pkt_copy_out(p, 14 + 20 + 4, b, 4);
	return get32(b);
}

/* Whether IP and TCP checksums of a finished frame hold, and payload is as made. */
static inline bool test_frame_ok(const uint8_t *f, uint32_t len)
{
	struct rill_ip src = rl_ip4(0x0a4d0001), dst = rl_ip4(0x0a4d0002);
	uint64_t pseudo = rl_sum_pseudo(&src, &dst, 6, len - 34);

	if (len < TEST_HDRS || get16(f + 16) != len - 14 ||
	    rl_sum_finish(rl_sum(f + 14, 20, 0)) ||
	    rl_sum_finish(rl_sum(f + 34, len - 34, pseudo)))
		return false;
	for (uint32_t i = TEST_HDRS; i < len; i++)
		if (f[i] != (uint8_t)(get32(f + 38) + i - TEST_HDRS))
			return false;
	return true;
}

static inline bool test_pkt_ok(struct rill_pkt *p)
{
	static uint8_t f[70000];

	rl_pkt_finish_csum(p);
	rl_pkt_copy_out(p, 0, f, rl_pkt_len(p));
	return test_frame_ok(f, rl_pkt_len(p));
}

/* A device that keeps what is sent, and receives what a test puts in. */
struct list_dev {
	struct rl_dev	d;
	struct rill_pkt	*in[4096], *out[65536];
	int		nin, nout, at;
	bool		closed;
};

static inline int list_rx(struct rl_dev *d, struct rill_stack *st,
			  struct rill_pkt **pkts, int n)
{
	struct list_dev *l = container_of(d, struct list_dev, d);
	int got = 0;

	(void)st;
	while (got < n && l->at < l->nin)
		pkts[got++] = l->in[l->at++];
	return got;
}

static inline int list_tx(struct rl_dev *d, struct rill_stack *st,
			  struct rill_pkt **pkts, int n)
{
	struct list_dev *l = container_of(d, struct list_dev, d);

	(void)st;
	for (int i = 0; i < n; i++)
		l->out[l->nout++] = pkts[i];
	return 0;
}

static inline void list_close(struct rl_dev *d)
{
	container_of(d, struct list_dev, d)->closed = true;
}

static const struct rl_dev_ops list_ops = {
	.name = "list", .rx = list_rx, .tx = list_tx, .close = list_close,
};

static inline struct list_dev *list_dev(void)
{
	struct list_dev *l = calloc(1, sizeof(*l));

	l->d = (struct rl_dev){ .ops = &list_ops, .fd = -1 };
	memcpy(l->d.par.name, "list", 5);
	l->d.par.mtu = 1500;
	l->d.par.flags = RILL_IF_ETHER | RILL_IF_TX_CSUM | RILL_IF_TSO4 | RILL_IF_TSO6;
	return l;
}

static inline void list_free(struct list_dev *l, struct rill_stack *st)
{
	for (int i = 0; i < l->nout; i++)
		rl_pkt_free(&st->bufs, l->out[i]);
	free(l);
}

#endif
