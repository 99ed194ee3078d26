/* SPDX-License-Identifier: MIT */
/*
 * Wrapper that records what passes: a pcapng file (draft-ietf-opsawg-pcapng),
 * and a callback for a printer.  A super-segment is one record, as Linux's own
 * captures have it.  Checksums that hardware would finish are finished in the
 * record, not in the packet.
 *
 * Records gather in a buffer; it is written when full, at close, and FLUSH_NS
 * after the first one came in, so that a reader sees it soon.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "dev/dev_int.h"
#include "wire/cksum.h"

#define BUF_SIZE	(256u << 10)
#define RECORD_MAX	(RL_FRAME_MAX + 64u)
#define FLUSH_NS	(20 * RL_MS)

enum block_type {
	PCAPNG_IDB = 1, PCAPNG_EPB = 6, PCAPNG_SHB = 0x0a0d0d0a,
};

enum option {
	OPT_END = 0, OPT_EPB_FLAGS = 2, OPT_IF_NAME = 2, OPT_USERAPPL = 4,
	OPT_IF_TSRESOL = 9,
};

enum direction { INBOUND = 1, OUTBOUND = 2 };	/* in epb_flags */

struct pcap {
	struct rl_dev	d;
	int		file;		/* -1: no file, or it failed */
	char		*path;
	int64_t		wall_ns;	/* wall clock minus the stack's clock */
	int64_t		flush_at_ns;	/* RL_NEVER: nothing is buffered */
	rl_pcap_tap	*tap;
	void		*ctx;
	uint32_t	used;
	uint8_t		*buf;		/* BUF_SIZE */
};

static struct pcap *to_pcap(struct rl_dev *d)
{
	return container_of(d, struct pcap, d);
}

/* ---- the file ---- */

static void flush(struct pcap *c)
{
	uint32_t at = 0;

	while (c->file >= 0 && at < c->used) {
		ssize_t r = write(c->file, c->buf + at, c->used - at);

		if (r > 0) {
			at += (uint32_t)r;
		} else if (errno != EINTR) {
			fprintf(stderr, "rill: %s: %s; the capture ends here\n",
				c->path, strerror(errno));
			close(c->file);
			c->file = -1;
		}
	}
	c->used = 0;
	c->flush_at_ns = RL_NEVER;
}

/* pcapng is in the writer's byte order, blocks are in words of 32 bits. */
static void put_word(struct pcap *c, uint32_t v)
{
	memcpy(c->buf + c->used, &v, sizeof(v));
	c->used += (uint32_t)sizeof(v);
}

static void put_bytes(struct pcap *c, const void *p, uint32_t n)
{
	memcpy(c->buf + c->used, p, n);
	c->used += n;
	while (c->used & 3)
		c->buf[c->used++] = 0;
}

static void put_option(struct pcap *c, enum option code, const void *p, uint32_t n)
{
	uint16_t head[2] = { (uint16_t)code, (uint16_t)n };

	put_bytes(c, head, sizeof(head));
	put_bytes(c, p, n);
}

/* Return: where the block begins, for end_block(). */
static uint32_t begin_block(struct pcap *c, enum block_type type)
{
	uint32_t at = c->used;

	put_word(c, type);
	put_word(c, 0);
	return at;
}

static void end_block(struct pcap *c, uint32_t at)
{
	uint32_t len = c->used + 4 - at;

	memcpy(c->buf + at + 4, &len, sizeof(len));
	put_word(c, len);
}

static void write_head(struct pcap *c)
{
	static const uint16_t version[2] = { 1, 0 };
	static const uint8_t nanoseconds = 9;
	const char *name = c->d.par.name;
	uint32_t at = begin_block(c, PCAPNG_SHB);

	put_word(c, 0x1a2b3c4d);		/* says our byte order */
	put_bytes(c, version, sizeof(version));
	put_word(c, UINT32_MAX);		/* section's length is not told */
	put_word(c, UINT32_MAX);
	put_option(c, OPT_USERAPPL, "rill", 4);
	put_word(c, OPT_END);
	end_block(c, at);

	at = begin_block(c, PCAPNG_IDB);
	put_word(c, rl_dev_link_len(&c->d) ? 1 : 101);	/* ETHERNET or RAW */
	put_word(c, RL_FRAME_MAX);
	put_option(c, OPT_IF_NAME, name, (uint32_t)strlen(name));
	put_option(c, OPT_IF_TSRESOL, &nanoseconds, 1);
	put_word(c, OPT_END);
	end_block(c, at);
}

/* Return: the frame's copy in the buffer. */
static uint8_t *begin_record(struct pcap *c, int64_t now_ns, uint32_t len, uint32_t *block)
{
	uint64_t ts = (uint64_t)(now_ns + c->wall_ns);
	uint8_t *frame;

	if (c->used + RECORD_MAX > BUF_SIZE)
		flush(c);
	if (c->file >= 0 && c->flush_at_ns == RL_NEVER)
		c->flush_at_ns = now_ns + FLUSH_NS;
	*block = begin_block(c, PCAPNG_EPB);
	put_word(c, 0);				/* interface */
	put_word(c, (uint32_t)(ts >> 32));
	put_word(c, (uint32_t)ts);
	put_word(c, len);			/* captured, original */
	put_word(c, len);
	frame = c->buf + c->used;
	c->used += len;
	while (c->used & 3)
		c->buf[c->used++] = 0;
	return frame;
}

static void end_record(struct pcap *c, enum direction dir, uint32_t block)
{
	uint32_t flags = dir;

	put_option(c, OPT_EPB_FLAGS, &flags, sizeof(flags));
	put_word(c, OPT_END);
	end_block(c, block);
}

/* ---- one packet ---- */

/*
 * Finish the transport checksum of the copy at @f.  The sum of the
 * pseudo-header that stands in the field is taken as it is but for a
 * super-segment, where senders disagree on which length it covers.
 */
static void finish_copy(const struct pcap *c, const struct rill_pkt *p, uint8_t *f,
			uint32_t len)
{
	const uint8_t *ip = f + rl_dev_link_len(&c->d);
	uint8_t *field = f + p->csum_start + p->csum_off;
	struct rill_ip src, dst;
	uint64_t sum = 0;
	uint16_t fin;

	if (p->gso != RL_GSO_NONE) {
		bool v4 = p->gso == RL_GSO_TCP4;

		src = v4 ? rl_ip4(get32(ip + 12)) : (struct rill_ip){ 0 };
		dst = v4 ? rl_ip4(get32(ip + 16)) : (struct rill_ip){ 0 };
		if (!v4) {
			memcpy(src.b, ip + 8, 16);
			memcpy(dst.b, ip + 24, 16);
		}
		sum = rl_sum_pseudo(&src, &dst, 6, len - p->csum_start);
		memset(field, 0, 2);
	}
	fin = rl_sum_finish(rl_sum(f + p->csum_start, len - p->csum_start, sum));
	if (!fin && p->csum_off == 6)		/* UDP */
		fin = 0xffff;
	memcpy(field, &fin, sizeof(fin));
}

/* With offsets that make sense, so that a record never fails for them. */
static bool has_open_sum(const struct pcap *c, const struct rill_pkt *p, uint32_t len)
{
	uint32_t hdrs = rl_dev_link_len(&c->d) + (p->gso == RL_GSO_TCP6 ? 40 : 20);

	return (p->flags & RL_PKT_CSUM_PARTIAL) && p->csum_start >= hdrs &&
	       (uint32_t)p->csum_start + p->csum_off + 2 <= len;
}

static void record(struct pcap *c, int64_t now_ns, enum direction dir,
		   const struct rill_pkt *p)
{
	uint32_t len = rl_pkt_len(p), block;
	uint8_t *frame;

	if (len > RL_FRAME_MAX || (c->file < 0 && !c->tap))
		return;
	frame = begin_record(c, now_ns, len, &block);
	rl_pkt_copy_out(p, 0, frame, len);
	if (has_open_sum(c, p, len))
		finish_copy(c, p, frame, len);
	if (c->tap)
		c->tap(c->ctx, now_ns, dir == OUTBOUND, frame, len);
	end_record(c, dir, block);
}

static void flush_due(struct pcap *c, int64_t now_ns)
{
	if (now_ns >= c->flush_at_ns)
		flush(c);
}

static int pcap_rx(struct rl_dev *d, struct rill_stack *st, struct rill_pkt **pkts, int n)
{
	struct pcap *c = to_pcap(d);
	int got = d->inner->ops->rx(d->inner, st, pkts, n);

	for (int i = 0; i < got; i++)
		record(c, st->now_ns, INBOUND, pkts[i]);
	d->rx_frames += (uint64_t)RL_MAX(got, 0);
	flush_due(c, st->now_ns);
	return got;
}

static int pcap_tx(struct rl_dev *d, struct rill_stack *st, struct rill_pkt **pkts, int n)
{
	struct pcap *c = to_pcap(d);

	for (int i = 0; i < n; i++)
		record(c, st->now_ns, OUTBOUND, pkts[i]);
	d->tx_frames += (uint64_t)n;
	flush_due(c, st->now_ns);
	return d->inner->ops->tx(d->inner, st, pkts, n);
}

static int64_t pcap_deadline(struct rl_dev *d)
{
	struct rl_dev *in = d->inner;
	int64_t at = in->ops->deadline ? in->ops->deadline(in) : RL_NEVER;

	return RL_MIN(at, to_pcap(d)->flush_at_ns);
}

static void pcap_close(struct rl_dev *d)
{
	struct pcap *c = to_pcap(d);

	flush(c);
	if (c->file >= 0)
		close(c->file);
	free(c->path);
	free(c->buf);
	free(c);
}

static const struct rl_dev_ops pcap_ops = {
	.name = "pcap", .rx = pcap_rx, .tx = pcap_tx, .deadline = pcap_deadline,
	.close = pcap_close,
};

/* ---- opening ---- */

static int64_t clock_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return t.tv_sec * RL_SEC + t.tv_nsec;
}

static int open_file(const char *path)
{
	int fd;

	if (!path)
		return -1;
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	return fd < 0 ? -errno : fd;
}

int rl_dev_pcap_open(struct rl_dev *inner, const char *path, rl_pcap_tap *tap, void *ctx,
		     struct rl_dev **out, char *why, size_t n)
{
	struct pcap *c = calloc(1, sizeof(*c));
	uint8_t *buf = malloc(BUF_SIZE);
	char *name = strdup(path ? path : "");
	int file = c && buf && name ? open_file(path) : -ENOMEM;

	if (file < -1 || (path && file < 0)) {
		free(c);
		free(buf);
		free(name);
		return rl_dev_fail(why, n, -file, "cannot write the capture %s: %s",
				   path ? path : "", strerror(-file));
	}
	*c = (struct pcap){
		.d = { .ops = &pcap_ops, .inner = inner, .fd = inner->fd, .par = inner->par },
		.file = file, .path = name, .tap = tap, .ctx = ctx, .buf = buf,
		.wall_ns = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_MONOTONIC),
		.flush_at_ns = RL_NEVER,
	};
	write_head(c);
	flush(c);
	*out = &c->d;
	return 0;
}

void rl_dev_pcap_virtual(struct rl_dev *d)
{
	container_of(d, struct pcap, d)->wall_ns = 0;
}
