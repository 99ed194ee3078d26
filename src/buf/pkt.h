/* SPDX-License-Identifier: MIT */
/*
 * Packets: a descriptor with a linear part (headers, small payloads) and
 * references to payload blocks.  One packet may be a super-segment of 64 KiB or
 * more with gso_size set and its transport checksum left partial; the device
 * cuts it where it can, buf/segment.c where it can't.
 *
 * Blocks are counted references: the send queue, packets under way and the
 * receive queue point into the same bytes, so payload is copied once between
 * the application and the device, in each direction.
 */
#ifndef RL_BUF_PKT_H
#define RL_BUF_PKT_H

#include "base/mem.h"

#define RL_PKT_FRAGS	20		/* payload references a packet holds */
#define RL_PKT_INLINE	192		/* linear bytes inside the descriptor */
#define RL_PKT_HEADROOM	80		/* Ethernet, IPv6, fragment header */

/* Sizes of payload blocks; the largest takes a super-segment and its headers. */
enum rl_block_class { RL_BLK_2K, RL_BLK_16K, RL_BLK_64K, RL_BLK_N };

struct rl_block {
	struct rl_block	*next;		/* while free */
	uint32_t	refs;
	uint16_t	cls;
	uint32_t	cap;		/* bytes at data */
	/*
	 * Bytes from here on belong to nobody: a queue whose last piece ends
	 * exactly here may append, and moves it (buf/bytesq.c).
	 */
	uint32_t	used;
	uint8_t		data[];
};

struct rl_frag {
	struct rl_block	*blk;
	uint32_t	off, len;
};

enum rl_pkt_flags {
	RL_PKT_CSUM_PARTIAL	= 1 << 0, /* csum_start/csum_off: sum not yet done */
	RL_PKT_CSUM_OK		= 1 << 1, /* received: checked, or never left memory */
	RL_PKT_LINK_BCAST	= 1 << 2, /* link-layer broadcast or multicast frame */
	RL_PKT_IP_BCAST		= 1 << 3, /* destination is an IPv4 broadcast address */
	RL_PKT_IP_MCAST		= 1 << 4,
	RL_PKT_REASSEMBLED	= 1 << 5, /* came as fragments */
	RL_PKT_LOOPED		= 1 << 6, /* sent by this stack to itself */
};

enum rl_gso { RL_GSO_NONE, RL_GSO_TCP4, RL_GSO_TCP6 };

struct rill_pkt {
	struct rill_pkt	*next;
	uint8_t		*data;		/* first linear byte */
	uint32_t	len;		/* linear bytes */
	uint32_t	flen;		/* bytes in frag[] */
	struct rl_block	*blk;		/* where data lies, NULL: in inl[] */
	uint16_t	ifindex;
	uint8_t		nfrags, flags;

	/* offload notes, offsets from data as it stands */
	uint32_t	gso_size;	/* payload of each cut segment; 0: one segment */
	uint16_t	csum_start, csum_off;
	uint8_t		gso;		/* enum rl_gso */

	/* filled on the way in by ip/in.c */
	uint8_t		proto, ttl, tos;
	uint16_t	l3_off;		/* IP header, from the start of the block */
	uint32_t	l3_len;		/* IP header with options and extensions */
	struct rill_ip	src, dst;

	struct rl_frag	frag[RL_PKT_FRAGS];
	uint8_t		inl[RL_PKT_INLINE];
};

struct rl_bufs {
	struct rl_mem	*mem;
	struct rill_pkt	*free_pkts;
	struct rl_block	*free_blocks[RL_BLK_N];
	uint32_t	free_npkts, free_nblocks[RL_BLK_N];
	uint32_t	pkts_in_use;
	uint32_t	blocks_in_use[RL_BLK_N];
};

void rl_bufs_init(struct rl_bufs *b, struct rl_mem *mem);
void rl_bufs_destroy(struct rl_bufs *b);

/**
 * A block of at least @n bytes with one reference, or NULL (also above the
 * largest class).  All of it counts as used, see struct rl_block.
 */
struct rl_block *rl_block_get(struct rl_bufs *b, size_t n);
void rl_block_put(struct rl_bufs *b, struct rl_block *blk);

static inline struct rl_block *rl_block_ref(struct rl_block *blk)
{
	blk->refs++;
	return blk;
}

/** Bytes a block of that class holds. */
uint32_t rl_block_cap(enum rl_block_class cls);

/**
 * An empty packet whose linear part may grow to @room bytes behind
 * RL_PKT_HEADROOM, or NULL.  data points behind the headroom.
 */
struct rill_pkt *rl_pkt_new(struct rl_bufs *b, size_t room);

/** A packet for a device to receive into: see rl_pkt_rx_iov(). */
struct rill_pkt *rl_pkt_new_rx(struct rl_bufs *b, size_t max_frame);
void rl_pkt_free(struct rl_bufs *b, struct rill_pkt *p);

static inline uint32_t rl_pkt_len(const struct rill_pkt *p)
{
	return p->len + p->flen;
}

/** Memory that @p pins: the descriptor and whole blocks. */
static inline uint32_t rl_pkt_cost(const struct rill_pkt *p)
{
	uint32_t n = sizeof(*p) + (p->blk ? p->blk->cap : 0);

	for (unsigned i = 0; i < p->nfrags; i++)
		n += p->frag[i].blk->cap;
	return n;
}

/** Grow to the front by @n bytes of headroom; the caller knows there is room. */
static inline uint8_t *rl_pkt_push(struct rill_pkt *p, uint32_t n)
{
	p->data -= n;
	p->len += n;
	p->csum_start += (uint16_t)n;
	return p->data;
}

/** Drop @n linear bytes at the front; @n <= len. */
static inline void rl_pkt_pull(struct rill_pkt *p, uint32_t n)
{
	p->data += n;
	p->len -= n;
	p->csum_start -= (uint16_t)n;
}

/** Drop @n bytes at the front wherever they lie; @n <= rl_pkt_len(). */
void rl_pkt_drop_front(struct rl_bufs *b, struct rill_pkt *p, uint32_t n);

/** Cut to the first @n bytes. */
void rl_pkt_trim(struct rl_bufs *b, struct rill_pkt *p, uint32_t n);

/** Make the first @n bytes linear.  Return: 0, -EBADMSG (shorter), -ENOBUFS. */
int rl_pkt_pullup(struct rl_bufs *b, struct rill_pkt *p, uint32_t n);

/** Copy @n bytes from offset @off to @to; the caller checked the length. */
void rl_pkt_copy_out(const struct rill_pkt *p, uint32_t off, void *to, uint32_t n);

/** Append a reference, which the packet takes over; false when frag[] is full. */
bool rl_pkt_add_frag(struct rill_pkt *p, struct rl_block *blk, uint32_t off,
		     uint32_t len);

/** A copy of the whole packet with one linear part, or NULL. */
struct rill_pkt *rl_pkt_copy(struct rl_bufs *b, const struct rill_pkt *p);

/** Pieces of @p in order into @iov; at most RL_PKT_FRAGS + 1.  Return: how many. */
int rl_pkt_iov(const struct rill_pkt *p, struct rill_iov *iov);

/*
 * Receiving: the first 2 KiB of a frame go to the linear part, what is longer
 * to a large block, in one readv(); a small frame leaves the large block free
 * for the next one.
 */
int rl_pkt_rx_iov(struct rill_pkt *p, struct rill_iov iov[2]);
void rl_pkt_rx_done(struct rl_bufs *b, struct rill_pkt *p, uint32_t frame_len);

/** Ones'-complement sum (not folded) of @n bytes from @off, see wire/cksum.h. */
uint64_t rl_pkt_sum(const struct rill_pkt *p, uint32_t off, uint32_t n);

/** Do the sum that a partial checksum left open, in software. */
void rl_pkt_finish_csum(struct rill_pkt *p);

#endif
