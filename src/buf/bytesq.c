/* SPDX-License-Identifier: MIT */
/*
 * Byte queues over shared blocks.
 *
 * A queue appends to the free end of its last block when its last piece ends
 * where the block's use ends (struct rl_block.used): whoever appends moves that
 * mark, so of two queues or packets that hold the same block only one can write
 * to any byte, and nobody writes below the mark.
 *
 * The cursor remembers a chunk and its offset in the queue, so that sending a
 * long queue piece by piece does not begin at the head each time.
 * Called by tcp/ (send, receive and out-of-order queues) and udp/.
 */
#include <errno.h>

#include "buf/bytesq.h"

static inline uint8_t *chunk_end(const struct rl_chunk *c)
{
	return c->blk->data + c->off + c->len;
}

/* Free bytes behind the tail that this queue may take. */
static uint32_t tail_room(const struct rl_bytesq *q)
{
	const struct rl_chunk *t = q->tail;

	if (!t || t->off + t->len != t->blk->used)
		return 0;
	return t->blk->cap - t->blk->used;
}

static void append_tail(struct rl_bytesq *q, const void *from, uint32_t n)
{
	struct rl_chunk *t = q->tail;

	memcpy(chunk_end(t), from, n);
	t->len += n;
	t->blk->used += n;
	q->len += n;
}

/* Link a chunk that takes over the caller's reference to @blk. */
static bool link_chunk(struct rl_bytes_pool *bp, struct rl_bytesq *q,
		       struct rl_block *blk, uint32_t off, uint32_t len)
{
	struct rl_chunk *c = rl_slab_alloc(bp->chunks);

	if (!c)
		return false;
	c->blk = blk;
	c->off = off;
	c->len = len;
	if (q->tail)
		q->tail->next = c;
	else
		q->head = c;
	q->tail = c;
	q->len += len;
	return true;
}

static void free_chunk(struct rl_bytes_pool *bp, struct rl_bytesq *q,
		       struct rl_chunk *c)
{
	if (q->cursor == c)
		q->cursor = NULL;
	rl_block_put(bp->bufs, c->blk);
	rl_slab_free(bp->chunks, c);
}

/*
 * Size of the next block: by what is to be written now, or by what waits
 * already, so that a stream of small writes ends in large blocks too and a
 * super-segment stays within RL_PKT_FRAGS pieces.
 */
static size_t block_size(uint32_t now, uint32_t queued)
{
	uint32_t n = RL_MAX(now, queued / 2);

	if (n >= 32768)
		return rl_block_cap(RL_BLK_64K);
	if (n >= 8192)
		return rl_block_cap(RL_BLK_16K);
	return rl_block_cap(RL_BLK_2K);
}

/* A new tail with @n bytes of @from in a block that has room for @size. */
static bool append_new(struct rl_bytes_pool *bp, struct rl_bytesq *q, size_t size,
		       const void *from, uint32_t n)
{
	struct rl_block *blk = rl_block_get(bp->bufs, size);

	if (!blk)
		return false;
	if (!link_chunk(bp, q, blk, 0, n)) {
		rl_block_put(bp->bufs, blk);
		return false;
	}
	memcpy(blk->data, from, n);
	blk->used = n;
	return true;
}

uint32_t rl_bytesq_write(struct rl_bytes_pool *bp, struct rl_bytesq *q,
			 const void *from, uint32_t n)
{
	const uint8_t *p = from;
	uint32_t done = RL_MIN(n, tail_room(q));

	if (done)
		append_tail(q, p, done);
	while (done < n) {
		size_t size = block_size(n - done, q->len);
		uint32_t k = (uint32_t)RL_MIN(size, n - done);

		if (!append_new(bp, q, size, p + done, k))
			break;
		done += k;
	}
	return done;
}

int rl_bytesq_add(struct rl_bytes_pool *bp, struct rl_bytesq *q,
		  struct rl_block *blk, uint32_t off, uint32_t len)
{
	struct rl_chunk *t = q->tail;

	if (!len)
		return 0;
	if (t && t->blk == blk && t->off + t->len == off) {
		t->len += len;
		q->len += len;
		return 0;
	}
	if (len < blk->cap / 4) {
		if (len <= tail_room(q)) {
			append_tail(q, blk->data + off, len);
			return 0;
		}
		/* rather a small block of its own than a large one pinned */
		if (blk->cls != RL_BLK_2K &&
		    append_new(bp, q, len, blk->data + off, len))
			return 0;
	}
	if (!link_chunk(bp, q, blk, off, len))
		return -ENOMEM;
	rl_block_ref(blk);
	return 0;
}

/* Bytes that lie inside a descriptor can only be copied. */
static bool add_linear(struct rl_bytes_pool *bp, struct rl_bytesq *q,
		       const struct rill_pkt *p, uint32_t off, uint32_t n)
{
	if (!p->blk)
		return rl_bytesq_write(bp, q, p->data + off, n) == n;
	return !rl_bytesq_add(bp, q, p->blk,
			      (uint32_t)(p->data - p->blk->data) + off, n);
}

/* The range [@off, @off + @n) of the packet's fragments. */
static bool add_frags(struct rl_bytes_pool *bp, struct rl_bytesq *q,
		      const struct rill_pkt *p, uint32_t off, uint32_t n)
{
	for (unsigned i = 0; n && i < p->nfrags; i++) {
		const struct rl_frag *f = &p->frag[i];
		uint32_t k;

		if (off >= f->len) {
			off -= f->len;
			continue;
		}
		k = RL_MIN(n, f->len - off);
		if (rl_bytesq_add(bp, q, f->blk, f->off + off, k))
			return false;
		n -= k;
		off = 0;
	}
	return true;
}

int rl_bytesq_add_pkt(struct rl_bytes_pool *bp, struct rl_bytesq *q,
		      const struct rill_pkt *p, uint32_t off, uint32_t n)
{
	uint32_t before = q->len, lin = 0;
	bool ok = true;

	if (off < p->len) {
		lin = RL_MIN(n, p->len - off);
		ok = add_linear(bp, q, p, off, lin);
	}
	if (ok && n > lin)
		ok = add_frags(bp, q, p, off + lin - p->len, n - lin);
	if (ok)
		return 0;
	rl_bytesq_drop_tail(bp, q, q->len - before);
	return -ENOMEM;
}

/* The chunk that holds byte @off < len, and the offset at which it begins. */
static struct rl_chunk *find(const struct rl_bytesq *q, uint32_t off, uint32_t *at)
{
	struct rl_chunk *c = q->head;

	*at = 0;
	if (q->cursor && off >= q->cursor_at) {
		c = q->cursor;
		*at = q->cursor_at;
	}
	while (off - *at >= c->len) {
		*at += c->len;
		c = c->next;
	}
	return c;
}

void rl_bytesq_peek(const struct rl_bytesq *q, uint32_t off, void *to, uint32_t n)
{
	uint8_t *d = to;
	uint32_t at;

	if (!n)
		return;
	for (struct rl_chunk *c = find(q, off, &at); n; c = c->next) {
		uint32_t skip = off - at, k = RL_MIN(n, c->len - skip);

		memcpy(d, c->blk->data + c->off + skip, k);
		d += k;
		n -= k;
		off += k;
		at += c->len;
	}
}

void rl_bytesq_drop_front(struct rl_bytes_pool *bp, struct rl_bytesq *q, uint32_t n)
{
	struct rl_chunk *c = q->head;

	q->len -= n;
	/* where the cursor's chunk begins now; 0 when it is or becomes the head */
	q->cursor_at = q->cursor_at > n ? q->cursor_at - n : 0;
	while (n && n >= c->len) {
		q->head = c->next;
		n -= c->len;
		free_chunk(bp, q, c);
		c = q->head;
	}
	if (!q->head)
		q->tail = NULL;
	if (n) {
		c->off += n;
		c->len -= n;
	}
}

void rl_bytesq_drop_tail(struct rl_bytes_pool *bp, struct rl_bytesq *q, uint32_t n)
{
	struct rl_chunk *c, *next;
	uint32_t keep = q->len - n, at;

	if (!n)
		return;
	if (!keep) {
		rl_bytesq_clear(bp, q);
		return;
	}
	c = find(q, keep - 1, &at);
	c->len = keep - at;
	next = c->next;
	c->next = NULL;
	q->tail = c;
	q->len = keep;
	while (next) {
		c = next;
		next = c->next;
		free_chunk(bp, q, c);
	}
}

void rl_bytesq_clear(struct rl_bytes_pool *bp, struct rl_bytesq *q)
{
	while (q->head) {
		struct rl_chunk *c = q->head;

		q->head = c->next;
		free_chunk(bp, q, c);
	}
	*q = (struct rl_bytesq){ 0 };
}

void rl_bytesq_splice(struct rl_bytesq *to, struct rl_bytesq *from)
{
	if (!from->head)
		return;
	if (to->tail)
		to->tail->next = from->head;
	else
		to->head = from->head;
	to->tail = from->tail;
	to->len += from->len;
	*from = (struct rl_bytesq){ 0 };
}

uint32_t rl_bytesq_to_pkt(struct rl_bytesq *q, uint32_t off, uint32_t n,
			  struct rill_pkt *p)
{
	uint32_t done = 0, at;
	struct rl_chunk *c;

	if (!n)
		return 0;
	c = find(q, off, &at);
	for (;;) {
		uint32_t skip = off + done - at, k = RL_MIN(n - done, c->len - skip);

		if (!rl_pkt_add_frag(p, c->blk, c->off + skip, k))
			break;
		rl_block_ref(c->blk);
		done += k;
		if (done == n)
			break;
		at += c->len;
		c = c->next;
	}
	/* forward only: a retransmission must not lead the sender back */
	if (!q->cursor || at > q->cursor_at) {
		q->cursor = c;
		q->cursor_at = at;
	}
	return done;
}
