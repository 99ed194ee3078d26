/* SPDX-License-Identifier: MIT */
/*
 * Owner of all packets and payload blocks of a stack: bounded LIFO free lists
 * (the block given back last is still in the cache) on top of base/mem.
 *
 * Invariants: a packet owns one reference to blk and to each frag[].blk;
 * frag[] has no empty entry but the one that rl_pkt_new_rx() prepares;
 * flen is the sum of the fragments' lengths; data lies in blk or in inl[].
 * Called by every layer above and by the devices.
 */
#include <errno.h>

#include "buf/pkt.h"
#include "wire/cksum.h"

/* Idle memory above these goes back to the allocator. */
#define KEEP_PKTS	256
static const uint16_t keep_blocks[RL_BLK_N] = { 256, 64, 64 };

static const uint32_t block_cap[RL_BLK_N] = { 2048, 16384 + 256, 65536 + 256 };

uint32_t rl_block_cap(enum rl_block_class cls)
{
	return block_cap[cls];
}

static size_t block_bytes(unsigned cls)
{
	return sizeof(struct rl_block) + block_cap[cls];
}

void rl_bufs_init(struct rl_bufs *b, struct rl_mem *mem)
{
	*b = (struct rl_bufs){ .mem = mem };
}

static void release_idle(struct rl_bufs *b)
{
	while (b->free_pkts) {
		struct rill_pkt *p = b->free_pkts;

		b->free_pkts = p->next;
		rl_mem_free(b->mem, p, sizeof(*p));
	}
	b->free_npkts = 0;
	for (unsigned c = 0; c < RL_BLK_N; c++) {
		while (b->free_blocks[c]) {
			struct rl_block *blk = b->free_blocks[c];

			b->free_blocks[c] = blk->next;
			rl_mem_free(b->mem, blk, block_bytes(c));
		}
		b->free_nblocks[c] = 0;
	}
}

void rl_bufs_destroy(struct rl_bufs *b)
{
	release_idle(b);
}

/* At the cap, idle memory of another size may be what is missing. */
static void *alloc(struct rl_bufs *b, size_t n)
{
	void *p = rl_mem_alloc(b->mem, n);

	if (RL_LIKELY(p))
		return p;
	release_idle(b);
	return rl_mem_alloc(b->mem, n);
}

struct rl_block *rl_block_get(struct rl_bufs *b, size_t n)
{
	struct rl_block *blk;
	unsigned c = 0;

	while (c < RL_BLK_N && block_cap[c] < n)
		c++;
	if (c == RL_BLK_N)
		return NULL;
	blk = b->free_blocks[c];
	if (blk) {
		b->free_blocks[c] = blk->next;
		b->free_nblocks[c]--;
	} else {
		blk = alloc(b, block_bytes(c));
		if (!blk)
			return NULL;
		blk->cls = (uint16_t)c;
		blk->cap = block_cap[c];
	}
	blk->next = NULL;
	blk->refs = 1;
	blk->used = blk->cap;
	b->blocks_in_use[c]++;
	return blk;
}

void rl_block_put(struct rl_bufs *b, struct rl_block *blk)
{
	unsigned c = blk->cls;

	if (--blk->refs)
		return;
	b->blocks_in_use[c]--;
	if (b->free_nblocks[c] >= keep_blocks[c]) {
		rl_mem_free(b->mem, blk, block_bytes(c));
		return;
	}
	blk->next = b->free_blocks[c];
	b->free_blocks[c] = blk;
	b->free_nblocks[c]++;
}

/* Without a linear part yet; frag[] and inl[] are left as they are. */
static struct rill_pkt *pkt_get(struct rl_bufs *b)
{
	struct rill_pkt *p = b->free_pkts;

	if (p) {
		b->free_pkts = p->next;
		b->free_npkts--;
	} else {
		p = alloc(b, sizeof(*p));
		if (!p)
			return NULL;
	}
	memset(p, 0, offsetof(struct rill_pkt, frag));
	p->data = p->inl;
	b->pkts_in_use++;
	return p;
}

/* A linear part of @headroom and @room bytes, inside the descriptor if it fits. */
static struct rill_pkt *new_linear(struct rl_bufs *b, size_t headroom, size_t room)
{
	struct rill_pkt *p = pkt_get(b);

	if (!p)
		return NULL;
	if (headroom + room > RL_PKT_INLINE) {
		p->blk = rl_block_get(b, headroom + room);
		if (!p->blk) {
			rl_pkt_free(b, p);
			return NULL;
		}
		p->data = p->blk->data;
	}
	p->data += headroom;
	return p;
}

struct rill_pkt *rl_pkt_new(struct rl_bufs *b, size_t room)
{
	return new_linear(b, RL_PKT_HEADROOM, room);
}

void rl_pkt_free(struct rl_bufs *b, struct rill_pkt *p)
{
	for (unsigned i = 0; i < p->nfrags; i++)
		rl_block_put(b, p->frag[i].blk);
	if (p->blk)
		rl_block_put(b, p->blk);
	b->pkts_in_use--;
	if (b->free_npkts >= KEEP_PKTS) {
		rl_mem_free(b->mem, p, sizeof(*p));
		return;
	}
	p->next = b->free_pkts;
	b->free_pkts = p;
	b->free_npkts++;
}

/* ---- linear part ---- */

static uint8_t *linear_base(struct rill_pkt *p)
{
	return p->blk ? p->blk->data : p->inl;
}

/* Bytes that may be written behind data. */
static uint32_t linear_room(struct rill_pkt *p)
{
	uint32_t cap = p->blk ? p->blk->cap : RL_PKT_INLINE;

	return cap - (uint32_t)(p->data - linear_base(p));
}

static void frags_drop_front(struct rl_bufs *b, struct rill_pkt *p, uint32_t n)
{
	unsigned gone = 0;

	p->flen -= n;
	while (gone < p->nfrags && n >= p->frag[gone].len) {
		n -= p->frag[gone].len;
		rl_block_put(b, p->frag[gone++].blk);
	}
	p->nfrags = (uint8_t)(p->nfrags - gone);
	memmove(p->frag, p->frag + gone, p->nfrags * sizeof(p->frag[0]));
	if (n) {
		p->frag[0].off += n;
		p->frag[0].len -= n;
	}
}

void rl_pkt_drop_front(struct rl_bufs *b, struct rill_pkt *p, uint32_t n)
{
	uint32_t lin = RL_MIN(n, p->len);

	p->data += lin;
	p->len -= lin;
	p->csum_start -= (uint16_t)n;
	if (n > lin)
		frags_drop_front(b, p, n - lin);
}

void rl_pkt_trim(struct rl_bufs *b, struct rill_pkt *p, uint32_t n)
{
	uint32_t keep = n > p->len ? n - p->len : 0;
	unsigned i = 0;

	p->len = RL_MIN(p->len, n);
	if (keep >= p->flen)
		return;
	p->flen = keep;
	while (keep && keep >= p->frag[i].len)
		keep -= p->frag[i++].len;
	if (keep)
		p->frag[i++].len = keep;
	for (unsigned k = i; k < p->nfrags; k++)
		rl_block_put(b, p->frag[k].blk);
	p->nfrags = (uint8_t)i;
}

/* Move the linear part to a block of its own that takes @n bytes behind data. */
static int move_linear(struct rl_bufs *b, struct rill_pkt *p, uint32_t n)
{
	uint32_t at = (uint32_t)(p->data - linear_base(p));
	struct rl_block *blk = rl_block_get(b, (size_t)at + n);

	if (!blk)
		return -ENOBUFS;
	/* what lies in front too: l3_off counts from the block's start */
	memcpy(blk->data, linear_base(p), at + p->len);
	if (p->blk)
		rl_block_put(b, p->blk);
	p->blk = blk;
	p->data = blk->data + at;
	return 0;
}

int rl_pkt_pullup(struct rl_bufs *b, struct rill_pkt *p, uint32_t n)
{
	bool shared = p->blk && p->blk->refs > 1;
	uint32_t more;
	int r;

	if (RL_LIKELY(p->len >= n))
		return 0;
	if (rl_pkt_len(p) < n)
		return -EBADMSG;
	if (shared || linear_room(p) < n) {
		r = move_linear(b, p, n);
		if (r)
			return r;
	}
	more = n - p->len;
	rl_pkt_copy_out(p, p->len, p->data + p->len, more);
	frags_drop_front(b, p, more);
	p->len = n;
	if (p->blk)	/* nobody appends behind a part that is ours again */
		p->blk->used = p->blk->cap;
	return 0;
}

/* ---- pieces ---- */

static inline uint8_t *frag_at(const struct rl_frag *f)
{
	return f->blk->data + f->off;
}

void rl_pkt_copy_out(const struct rill_pkt *p, uint32_t off, void *to, uint32_t n)
{
	uint8_t *d = to;

	if (off < p->len) {
		uint32_t k = RL_MIN(n, p->len - off);

		memcpy(d, p->data + off, k);
		d += k;
		n -= k;
		off += k;
	}
	off -= p->len;
	for (unsigned i = 0; n && i < p->nfrags; i++) {
		const struct rl_frag *f = &p->frag[i];
		uint32_t k;

		if (off >= f->len) {
			off -= f->len;
			continue;
		}
		k = RL_MIN(n, f->len - off);
		memcpy(d, frag_at(f) + off, k);
		d += k;
		n -= k;
		off = 0;
	}
}

bool rl_pkt_add_frag(struct rill_pkt *p, struct rl_block *blk, uint32_t off,
		     uint32_t len)
{
	if (p->nfrags == RL_PKT_FRAGS)
		return false;
	p->frag[p->nfrags++] = (struct rl_frag){ blk, off, len };
	p->flen += len;
	return true;
}

struct rill_pkt *rl_pkt_copy(struct rl_bufs *b, const struct rill_pkt *p)
{
	const uint8_t *base = p->blk ? p->blk->data : p->inl;
	size_t at = (size_t)(p->data - base);
	struct rill_pkt *q = new_linear(b, at, rl_pkt_len(p));
	struct rl_block *blk;
	uint8_t *data;

	if (!q)
		return NULL;
	blk = q->blk;
	data = q->data;
	memcpy(q, p, offsetof(struct rill_pkt, frag));
	q->next = NULL;
	q->blk = blk;
	q->data = data;
	q->len = rl_pkt_len(p);
	q->flen = 0;
	q->nfrags = 0;
	memcpy(q->data - at, base, at);	/* l3_off points there */
	rl_pkt_copy_out(p, 0, q->data, q->len);
	return q;
}

int rl_pkt_iov(const struct rill_pkt *p, struct rill_iov *iov)
{
	int n = 0;

	if (p->len)
		iov[n++] = (struct rill_iov){ p->data, p->len };
	for (unsigned i = 0; i < p->nfrags; i++)
		iov[n++] = (struct rill_iov){ frag_at(&p->frag[i]), p->frag[i].len };
	return n;
}

/* ---- receiving ---- */

struct rill_pkt *rl_pkt_new_rx(struct rl_bufs *b, size_t max_frame)
{
	uint32_t head = block_cap[RL_BLK_2K] - RL_PKT_HEADROOM;
	struct rill_pkt *p = rl_pkt_new(b, head);
	struct rl_block *big;

	if (!p || max_frame <= head)
		return p;
	big = rl_block_get(b, max_frame - head);
	if (!big) {
		rl_pkt_free(b, p);
		return NULL;
	}
	p->frag[0] = (struct rl_frag){ .blk = big };
	p->nfrags = 1;
	return p;
}

int rl_pkt_rx_iov(struct rill_pkt *p, struct rill_iov iov[2])
{
	iov[0] = (struct rill_iov){ p->data, linear_room(p) };
	if (!p->nfrags)
		return 1;
	iov[1] = (struct rill_iov){ p->frag[0].blk->data, p->frag[0].blk->cap };
	return 2;
}

void rl_pkt_rx_done(struct rl_bufs *b, struct rill_pkt *p, uint32_t frame_len)
{
	p->len = RL_MIN(frame_len, linear_room(p));
	if (p->blk)
		p->blk->used = p->blk->cap - linear_room(p) + p->len;
	if (!p->nfrags)
		return;
	if (frame_len == p->len) {
		p->nfrags = 0;
		rl_block_put(b, p->frag[0].blk);
		return;
	}
	p->flen = p->frag[0].len = RL_MIN(frame_len - p->len, p->frag[0].blk->cap);
	p->frag[0].blk->used = p->flen;
}

/* ---- checksums ---- */

/* Sum of a piece whose first byte stands at @at of the whole. */
static uint64_t add_piece(uint64_t sum, const uint8_t *p, uint32_t n, uint32_t at)
{
	uint64_t part = rl_sum_at(rl_sum(p, n, 0), at);

	sum += part;
	return sum + (sum < part);
}

uint64_t rl_pkt_sum(const struct rill_pkt *p, uint32_t off, uint32_t n)
{
	uint64_t sum = 0;
	uint32_t at = 0;

	if (off < p->len) {
		at = RL_MIN(n, p->len - off);
		sum = rl_sum(p->data + off, at, 0);
	}
	off = off > p->len ? off - p->len : 0;	/* among the fragments */
	for (unsigned i = 0; at < n && i < p->nfrags; i++) {
		const struct rl_frag *f = &p->frag[i];
		uint32_t k;

		if (off >= f->len) {
			off -= f->len;
			continue;
		}
		k = RL_MIN(n - at, f->len - off);
		sum = add_piece(sum, frag_at(f) + off, k, at);
		at += k;
		off = 0;
	}
	return sum;
}

#define UDP_CSUM_OFF	6	/* the one checksum that must not be 0 [RFC768] */

void rl_pkt_finish_csum(struct rill_pkt *p)
{
	uint32_t at = (uint32_t)p->csum_start + p->csum_off;
	uint16_t sum;

	if (!(p->flags & RL_PKT_CSUM_PARTIAL) || at + 2 > p->len)
		return;
	sum = rl_sum_finish(rl_pkt_sum(p, p->csum_start, rl_pkt_len(p) - p->csum_start));
	if (!sum && p->csum_off == UDP_CSUM_OFF)
		sum = 0xffff;
	memcpy(p->data + at, &sum, sizeof(sum));
	p->flags &= (uint8_t)~RL_PKT_CSUM_PARTIAL;
}
