/* SPDX-License-Identifier: MIT */
/*
 * Two devices that are the ends of one cable, in one process; each may belong
 * to a stack with a thread of its own.
 *
 * Per direction there is a ring of frames with one writer (the sending end) and
 * one reader.  Frames are copied into buffers of the ring's own, because packet
 * memory belongs to one stack.  The reader hands emptied buffers back through
 * the same ring slots (`done` follows `tail`), and the writer keeps them on a
 * stack: the buffer used last is used next, so that a lightly filled cable
 * touches two or three buffers and stays in the cache.
 *
 * Sleep: an rx() that finds nothing sets `asleep`, empties the eventfd and looks
 * once more; a tx() that clears the flag writes the eventfd.  While frames flow
 * nobody makes a call.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "dev/dev_int.h"

#define SLOTS		256u		/* frames in flight, a power of two */
#define MAX_LARGE	96u		/* of them above SMALL bytes */
#define SMALL		2048u
#define LARGE		(RL_FRAME_MAX + 1u)

struct frame {
	struct frame	*next;		/* while free */
	uint32_t	len, cap;
	uint32_t	gso_size;
	uint16_t	csum_start, csum_off;
	uint8_t		gso, flags;
	uint8_t		bytes[];
};

/* One direction.  head and done lie apart from tail: each has one writer. */
struct cable {
	_Alignas(RL_CACHELINE) _Atomic uint32_t head;	/* frames written */
	uint32_t	reclaimed;	/* writer's: buffers taken back below this */
	struct frame	*free_small, *free_large;	/* writer's */
	uint32_t	nsmall, nlarge;	/* writer's: how many exist */
	_Alignas(RL_CACHELINE) _Atomic uint32_t tail;	/* frames read */
	_Alignas(RL_CACHELINE) _Atomic bool asleep;
	int		efd;		/* wakes the reader */
	_Alignas(RL_CACHELINE) struct frame *slot[SLOTS];
};

struct shared {
	struct cable	cable[2];	/* [i]: read by end i */
	_Atomic int	users;
};

struct pair_end {
	struct rl_dev	d;
	struct shared	*sh;
	struct cable	*in, *out;
	bool		armed;		/* asleep was set at least once */
	int64_t		wakeups;	/* writes to the eventfd that were announced
					 * by the flag and not yet read; below 0:
					 * read before the flag was looked at */
};

static struct pair_end *to_end(struct rl_dev *d)
{
	return container_of(d, struct pair_end, d);
}

/* ---- writing ---- */

static void push_free(struct cable *c, struct frame *f)
{
	struct frame **list = f->cap == SMALL ? &c->free_small : &c->free_large;

	f->next = *list;
	*list = f;
}

/* Take back what the reader has emptied. */
static void reclaim(struct cable *c)
{
	uint32_t tail = atomic_load_explicit(&c->tail, memory_order_acquire);

	while (c->reclaimed != tail)
		push_free(c, c->slot[c->reclaimed++ % SLOTS]);
}

static struct frame *new_frame(uint32_t cap, uint32_t *count, uint32_t max)
{
	struct frame *f;

	if (*count == max)
		return NULL;
	f = malloc(sizeof(*f) + cap);
	if (!f)
		return NULL;
	f->cap = cap;
	++*count;
	return f;
}

/* A free buffer for @len bytes, or NULL: the cable is full. */
static struct frame *get_frame(struct cable *c, uint32_t len)
{
	struct frame **list = len <= SMALL ? &c->free_small : &c->free_large;
	struct frame *f = *list;

	if (!f)
		return len <= SMALL ? new_frame(SMALL, &c->nsmall, SLOTS) :
				      new_frame(LARGE, &c->nlarge, MAX_LARGE);
	*list = f->next;
	return f;
}

static bool write_frame(struct cable *c, const struct rill_pkt *p)
{
	uint32_t head = atomic_load_explicit(&c->head, memory_order_relaxed);
	uint32_t len = rl_pkt_len(p);
	struct frame *f;

	reclaim(c);
	if (len > LARGE || head - c->reclaimed == SLOTS)
		return false;
	f = get_frame(c, len);
	if (!f)
		return false;
	f->len = len;
	f->gso_size = p->gso_size;
	f->gso = p->gso;
	f->csum_start = p->csum_start;
	f->csum_off = p->csum_off;
	f->flags = p->flags & RL_PKT_CSUM_PARTIAL;
	rl_pkt_copy_out(p, 0, f->bytes, len);
	c->slot[head % SLOTS] = f;
	atomic_store_explicit(&c->head, head + 1, memory_order_release);
	return true;
}

static void wake(struct cable *c)
{
	uint64_t one = 1;

	/* before: the frames; the reader sets asleep before it looks again */
	atomic_thread_fence(memory_order_seq_cst);
	if (!atomic_load_explicit(&c->asleep, memory_order_relaxed) ||
	    !atomic_exchange(&c->asleep, false))
		return;
	while (write(c->efd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

static int pair_tx(struct rl_dev *d, struct rill_stack *st, struct rill_pkt **pkts, int n)
{
	struct pair_end *e = to_end(d);

	for (int i = 0; i < n; i++) {
		struct rill_pkt *p = rl_dev_fit(d, st, pkts[i]);

		while (p) {
			struct rill_pkt *next = p->next;

			if (write_frame(e->out, p))
				d->tx_frames++;
			else
				d->tx_drops++;
			rl_pkt_free(&st->bufs, p);
			p = next;
		}
	}
	wake(e->out);
	return 0;
}

/* ---- reading ---- */

static struct rill_pkt *to_pkt(struct rill_stack *st, const struct frame *f)
{
	struct rill_pkt *p = rl_pkt_new_rx(&st->bufs, f->len);
	struct rill_iov iov[2] = { { 0 } };
	uint32_t k;

	if (!p)
		return NULL;
	rl_pkt_rx_iov(p, iov);
	k = RL_MIN(f->len, (uint32_t)iov[0].len);
	memcpy(iov[0].base, f->bytes, k);
	if (f->len > k)
		memcpy(iov[1].base, f->bytes + k, f->len - k);
	rl_pkt_rx_done(&st->bufs, p, f->len);
	p->gso_size = f->gso_size;
	p->gso = f->gso;
	p->csum_start = f->csum_start;
	p->csum_off = f->csum_off;
	p->flags = f->flags;
	if (f->flags & RL_PKT_CSUM_PARTIAL)
		p->flags |= RL_PKT_CSUM_OK;	/* never left memory */
	return p;
}

static int read_frames(struct pair_end *e, struct rill_stack *st,
		       struct rill_pkt **pkts, int n)
{
	struct cable *c = e->in;
	uint32_t tail = atomic_load_explicit(&c->tail, memory_order_relaxed);
	uint32_t head = atomic_load(&c->head);	/* ordered behind asleep, see wake() */
	int got = 0;

	while (tail != head && got < n) {
		struct rill_pkt *p = to_pkt(st, c->slot[tail % SLOTS]);

		atomic_store_explicit(&c->tail, ++tail, memory_order_release);
		if (p) {
			pkts[got++] = p;
			continue;
		}
		e->d.rx_drops++;
		rl_drop(st, RL_DROP_NO_MEMORY);
	}
	e->d.rx_frames += (uint64_t)got;
	return got;
}

/* Make the eventfd unreadable again, once the writer has written it. */
static void settle_wakeups(struct pair_end *e)
{
	uint64_t count;

	/* EAGAIN: the writer is between its flag and its write; next time */
	if (e->wakeups > 0 && read(e->in->efd, &count, sizeof(count)) > 0)
		e->wakeups -= (int64_t)count;
}

/*
 * The order matters: first the eventfd is emptied, then the cable is looked at.
 * A wake-up that is swallowed then belongs to a frame that the look finds.
 */
static int pair_rx(struct rl_dev *d, struct rill_stack *st, struct rill_pkt **pkts, int n)
{
	struct pair_end *e = to_end(d);
	int got = read_frames(e, st, pkts, n);

	while (!got) {
		if (!atomic_exchange(&e->in->asleep, true)) {
			e->wakeups += e->armed;	/* the writer cleared it */
			e->armed = true;
		}
		settle_wakeups(e);
		got = read_frames(e, st, pkts, n);
		if (atomic_load(&e->in->asleep))
			break;
	}
	return got;
}

/* ---- life ---- */

static void free_cable(struct cable *c)
{
	uint32_t head = atomic_load(&c->head);
	struct frame *f;

	while (c->reclaimed != head)
		push_free(c, c->slot[c->reclaimed++ % SLOTS]);
	while ((f = c->free_small)) {
		c->free_small = f->next;
		free(f);
	}
	while ((f = c->free_large)) {
		c->free_large = f->next;
		free(f);
	}
	if (c->efd >= 0)
		close(c->efd);
}

static void put_shared(struct shared *sh)
{
	if (atomic_fetch_sub(&sh->users, 1) > 1)
		return;
	free_cable(&sh->cable[0]);
	free_cable(&sh->cable[1]);
	free(sh);
}

static void pair_close(struct rl_dev *d)
{
	struct pair_end *e = to_end(d);

	put_shared(e->sh);
	free(e);
}

static const struct rl_dev_ops pair_ops = {
	.name = "pair", .rx = pair_rx, .tx = pair_tx, .close = pair_close,
};

static struct pair_end *new_end(struct shared *sh, int side, unsigned mtu, bool offload)
{
	struct pair_end *e = calloc(1, sizeof(*e));
	struct rill_if_params *par;

	if (!e)
		return NULL;
	e->sh = sh;
	e->in = &sh->cable[side];
	e->out = &sh->cable[!side];
	e->d.ops = &pair_ops;
	e->d.fd = e->in->efd;
	par = &e->d.par;
	memcpy(par->name, side ? "pair1" : "pair0", sizeof("pair0"));
	memcpy(par->mac, (uint8_t[6]){ 2, 'r', 'i', 'l', 'l', (uint8_t)(side + 1) }, 6);
	par->mtu = mtu ? mtu : 1500;
	par->flags = RILL_IF_ETHER;
	if (offload) {
		par->flags |= RILL_IF_TX_CSUM | RILL_IF_TSO4 | RILL_IF_TSO6;
		par->gso_max = 65535;
	}
	atomic_fetch_add(&sh->users, 1);
	return e;
}

int rl_dev_pair_open(unsigned mtu, bool offload, struct rl_dev **a, struct rl_dev **b)
{
	struct shared *sh = aligned_alloc(RL_CACHELINE, sizeof(*sh));
	struct pair_end *ea, *eb;

	if (!sh)
		return -ENOMEM;
	memset(sh, 0, sizeof(*sh));
	atomic_init(&sh->users, 1);	/* this function */
	for (int i = 0; i < 2; i++)
		sh->cable[i].efd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	ea = new_end(sh, 0, mtu, offload);
	eb = new_end(sh, 1, mtu, offload);
	if (ea && eb && sh->cable[0].efd >= 0 && sh->cable[1].efd >= 0) {
		put_shared(sh);
		*a = &ea->d;
		*b = &eb->d;
		return 0;
	}
	if (ea)
		pair_close(&ea->d);
	if (eb)
		pair_close(&eb->d);
	put_shared(sh);
	return -ENOMEM;
}
