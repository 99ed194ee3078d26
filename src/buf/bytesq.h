/* SPDX-License-Identifier: MIT */
/*
 * A queue of bytes made of references to blocks: the send queue, the receive
 * queue and each out-of-order range are one of these.
 */
#ifndef RL_BUF_BYTESQ_H
#define RL_BUF_BYTESQ_H

#include "buf/pkt.h"
#include "base/slab.h"

struct rl_chunk {
	struct rl_obj	obj;
	struct rl_chunk	*next;
	struct rl_block	*blk;
	uint32_t	off, len;
};

struct rl_bytesq {
	struct rl_chunk	*head, *tail;
	uint32_t	len;		/* bytes */
	/* where a sequential reader left off: chunk and its offset in the queue */
	uint32_t	cursor_at;
	struct rl_chunk	*cursor;
};

struct rl_bytes_pool {
	struct rl_bufs	*bufs;
	struct rl_slab	*chunks;
};

/** Copy up to @n bytes in at the tail.  Return: bytes taken, short without memory. */
uint32_t rl_bytesq_write(struct rl_bytes_pool *bp, struct rl_bytesq *q,
			 const void *from, uint32_t n);

/**
 * Append a reference to @len bytes of @blk; the queue takes its own reference.
 * Small pieces are copied behind the tail instead, so that they do not pin a
 * block each.  Return: 0 or -ENOMEM.
 */
int rl_bytesq_add(struct rl_bytes_pool *bp, struct rl_bytesq *q,
		  struct rl_block *blk, uint32_t off, uint32_t len);

/** Append payload of @p: @n bytes from @off.  Return: 0 or -ENOMEM (none added). */
int rl_bytesq_add_pkt(struct rl_bytes_pool *bp, struct rl_bytesq *q,
		      const struct rill_pkt *p, uint32_t off, uint32_t n);

/** Copy out @n bytes from @off without removing them; the caller checked len. */
void rl_bytesq_peek(const struct rl_bytesq *q, uint32_t off, void *to, uint32_t n);

void rl_bytesq_drop_front(struct rl_bytes_pool *bp, struct rl_bytesq *q, uint32_t n);
void rl_bytesq_drop_tail(struct rl_bytes_pool *bp, struct rl_bytesq *q, uint32_t n);
void rl_bytesq_clear(struct rl_bytes_pool *bp, struct rl_bytesq *q);

/** Move all of @from behind @to. */
void rl_bytesq_splice(struct rl_bytesq *to, struct rl_bytesq *from);

/**
 * Add references to bytes [@off, @off + @n) of @q to @p's fragments.
 * Return: bytes added, less than @n when the fragments ran out.
 */
uint32_t rl_bytesq_to_pkt(struct rl_bytesq *q, uint32_t off, uint32_t n,
			  struct rill_pkt *p);

#endif
