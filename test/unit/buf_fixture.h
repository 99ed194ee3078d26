/* SPDX-License-Identifier: MIT */
/* Buffers of a stack without the stack, on malloc() with a cap that tests set. */
#ifndef BUF_FIXTURE_H
#define BUF_FIXTURE_H

#include <stdlib.h>

#include "base/slab.h"
#include "buf/bytesq.h"
#include "buf/pkt.h"

struct buf_fixture {
	struct rl_mem		mem;
	struct rl_bufs		bufs;
	struct rl_slab		chunks;
	struct rl_bytes_pool	bytes;
};

static void *fixture_alloc(void *ctx, size_t n)
{
	(void)ctx;
	return malloc(n);
}

static void fixture_free(void *ctx, void *p, size_t n)
{
	(void)ctx;
	(void)n;
	free(p);
}

static inline void buf_fixture_init(struct buf_fixture *f)
{
	*f = (struct buf_fixture){
		.mem = { .hooks = { fixture_alloc, fixture_free, NULL },
			 .max = UINT64_MAX },
	};
	rl_bufs_init(&f->bufs, &f->mem);
	rl_slab_init(&f->chunks, &f->mem, sizeof(struct rl_chunk), UINT32_MAX);
	f->bytes = (struct rl_bytes_pool){ &f->bufs, &f->chunks };
}

/* Packets and blocks still out: 0 when every reference was given back. */
static inline uint32_t buf_fixture_in_use(const struct buf_fixture *f)
{
	return f->bufs.pkts_in_use + f->bufs.blocks_in_use[0] +
	       f->bufs.blocks_in_use[1] + f->bufs.blocks_in_use[2] +
	       f->chunks.in_use;
}

/* Bytes of the allocator that are not back: 0 without a leak. */
static inline uint64_t buf_fixture_destroy(struct buf_fixture *f)
{
	rl_slab_destroy(&f->chunks);
	rl_bufs_destroy(&f->bufs);
	return f->mem.used;
}

/* A small generator for test data, the same on every machine. */
static inline uint32_t test_rand(uint64_t *s)
{
	*s = *s * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (uint32_t)(*s >> 33);
}

static inline void test_fill(uint64_t *s, uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)test_rand(s);
}

#endif
