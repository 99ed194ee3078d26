/* SPDX-License-Identifier: MIT */
/*
 * The world of a script: an engine in virtual time on a device that is two
 * queues.  Time moves from deadline to deadline, so hours pass in microseconds;
 * nothing here or below reads a clock.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dev/dev.h"
#include "drill/world.h"
#include "run/virtual.h"

#define FRAME_MAX	65535u
#define MEM_MAX		(1ull << 30)	/* of one script's stack */

struct drill_world {
	struct rl_dev	d;		/* first: the device is the world */
	struct rl_virtual v;
	struct rill_engine *e;
	struct rill_pkt	*in;		/* on its way into the stack, or NULL */
	struct drill_live *out, **out_tail;
	int64_t (*deadline)(void *ctx);
	void (*progress)(void *ctx);
	void *ctx;
};

static struct drill_world *to_world(struct rl_dev *d)
{
	return container_of(d, struct drill_world, d);
}

/* ---- the device ---- */

static int world_rx(struct rl_dev *d, struct rill_stack *st, struct rill_pkt **pkts, int n)
{
	struct drill_world *w = to_world(d);

	(void)st;
	if (!w->in || n < 1)
		return 0;
	pkts[0] = w->in;
	w->in = NULL;
	d->rx_frames++;
	return 1;
}

static void keep(struct drill_world *w, const struct rill_pkt *p)
{
	size_t len = rill_pkt_bytes(p, NULL, 0);
	struct drill_live *l = malloc(sizeof(*l) + len);

	if (!l) {			/* a packet less would be another verdict */
		fputs("rill: out of memory\n", stderr);
		exit(1);
	}
	*l = (struct drill_live){ .at_ns = w->v.now_ns, .len = (uint32_t)len };
	rill_pkt_bytes(p, l->bytes, len);
	*w->out_tail = l;
	w->out_tail = &l->next;
	w->d.tx_frames++;
}

static int world_tx(struct rl_dev *d, struct rill_stack *st, struct rill_pkt **pkts, int n)
{
	for (int i = 0; i < n; i++) {
		keep(to_world(d), pkts[i]);
		rl_pkt_free(&st->bufs, pkts[i]);
	}
	return 0;
}

static void world_dev_close(struct rl_dev *d)
{
	(void)d;		/* goes with the world */
}

static const struct rl_dev_ops world_ops = {
	.name = "drill", .rx = world_rx, .tx = world_tx, .close = world_dev_close,
};

/* ---- time ---- */

struct rill_engine *rl_drill_world_engine(struct drill_world *w)
{
	return w->e;
}

struct rill_stack *rl_drill_world_stack(struct drill_world *w)
{
	return rl_engine_stack(w->e);
}

int64_t rl_drill_world_now(const struct drill_world *w)
{
	return w->v.now_ns;
}

static void progressed(struct drill_world *w)
{
	if (w->progress)
		w->progress(w->ctx);
}

bool rl_drill_world_step(struct drill_world *w, int64_t limit_ns)
{
	int64_t at_ns = rl_engine_next_ns(w->e);

	if (w->deadline)
		at_ns = RL_MIN(at_ns, w->deadline(w->ctx));
	if (at_ns > limit_ns || at_ns == RL_NEVER)
		return false;
	w->v.now_ns = RL_MAX(w->v.now_ns, at_ns);
	rl_engine_round(w->e);
	progressed(w);
	return true;
}

void rl_drill_world_until(struct drill_world *w, int64_t at_ns)
{
	for (unsigned i = 0; i < DRILL_STEPS_MAX && w->v.now_ns < at_ns; i++)
		if (!rl_drill_world_step(w, at_ns - 1))
			break;
	if (at_ns > w->v.now_ns) {
		w->v.now_ns = at_ns;
		progressed(w);
	}
}

/* ---- packets ---- */

int rl_drill_world_input(struct drill_world *w, const void *ip, size_t len,
			 unsigned gso_size)
{
	struct rill_stack *st = rl_engine_stack(w->e);
	struct rill_iov iov[2] = { { 0 } };
	struct rill_pkt *p;
	size_t k;

	if (!len || len > FRAME_MAX)
		return -EMSGSIZE;
	p = rl_pkt_new_rx(&st->bufs, len);
	if (!p)
		return -ENOBUFS;
	rl_pkt_rx_iov(p, iov);
	k = RL_MIN(len, iov[0].len);
	memcpy(iov[0].base, ip, k);
	if (len > k)
		memcpy(iov[1].base, (const uint8_t *)ip + k, len - k);
	rl_pkt_rx_done(&st->bufs, p, (uint32_t)len);
	if (gso_size) {
		p->gso_size = gso_size;
		p->gso = *(const uint8_t *)ip >> 4 == 4 ? RL_GSO_TCP4 : RL_GSO_TCP6;
	}
	w->in = p;
	rl_engine_round(w->e);
	progressed(w);
	return 0;
}

struct drill_live *rl_drill_world_take(struct drill_world *w)
{
	struct drill_live *l = w->out;

	if (!l)
		return NULL;
	w->out = l->next;
	if (!w->out)
		w->out_tail = &w->out;
	l->next = NULL;
	return l;
}

/* ---- life ---- */

static int add_addrs(struct drill_world *w, const struct drill_world_params *par,
		     char *why, size_t why_len)
{
	static const struct rill_ip any6;
	struct rill_stack *st = rill_engine_lock(w->e);
	int r = 0;

	for (int i = 0; i < 2 && r == 0; i++) {
		struct rill_ip any = i ? any6 : rl_ip4(0);

		if (rl_ip_is_any(&par->local[i]))
			continue;
		r = rill_if_addr_add(st, 1, &par->local[i], par->prefix[i]);
		if (r == 0)
			r = rill_route_add(st, &any, 0, NULL, 1);
	}
	rill_engine_unlock(w->e);
	if (r < 0)
		snprintf(why, why_len, "local address: %s", strerror(-r));
	return r;
}

static void init_device(struct drill_world *w, const struct drill_world_params *par)
{
	w->d.ops = &world_ops;
	w->d.fd = -1;
	w->d.par = (struct rill_if_params){ .name = "drill", .mtu = par->mtu };
}

/*
 * Clocks are somewhere: from 17 minutes to 12 days after they began, or, one time
 * in four, three seconds before 32 bits of milliseconds are full.
 */
static int64_t first_ns(uint64_t seed)
{
	uint64_t h = seed * 0x9e3779b97f4a7c15u;

	if (h >> 62 == 3)
		return (((int64_t)1 << 32) - 3000) * RL_MS;
	return 1000 * RL_SEC + (int64_t)(h >> 44) * RL_SEC;
}

int rl_drill_world_open(const struct drill_world_params *par, struct drill_world **out,
			char *why, size_t why_len)
{
	struct rill_engine_params ep = {
		.seed = par->seed, .has_seed = true, .mem_max = MEM_MAX, .pcap = par->pcap,
		.name = "drill",
	};
	struct drill_world *w = calloc(1, sizeof(*w));
	int r;

	if (!w) {
		snprintf(why, why_len, "no memory");
		return -ENOMEM;
	}
	w->out_tail = &w->out;
	w->deadline = par->deadline;
	w->progress = par->progress;
	w->ctx = par->ctx;
	w->v = (struct rl_virtual){ .now_ns = first_ns(par->seed), .wait = par->wait,
				    .ctx = par->ctx };
	init_device(w, par);
	r = rl_engine_open_virtual(&w->v, &ep, &w->d, &w->e, why, why_len);
	if (r < 0) {
		free(w);
		return r;
	}
	r = add_addrs(w, par, why, why_len);
	if (r < 0) {
		rl_drill_world_close(w);
		return r;
	}
	*out = w;
	return 0;
}

void rl_drill_world_close(struct drill_world *w)
{
	struct drill_live *l;

	if (!w)
		return;
	w->progress = NULL;
	w->deadline = NULL;
	rill_engine_close(w->e);
	while ((l = rl_drill_world_take(w)))
		free(l);
	free(w);
}
