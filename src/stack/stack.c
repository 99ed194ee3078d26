/* SPDX-License-Identifier: MIT */
/* A stack: composed of its layers, taken down, and looked at from outside. */
#include <errno.h>

#include "stack/id.h"
#include "tcp/conn.h"
#include "udp/udp.h"

static void derive_keys(struct rill_stack *st)
{
	struct rl_key *keys[] = { &st->hash_key, &st->isn_key, &st->port_key };

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		keys[i]->k0 = rl_rand64(&st->rand);
		keys[i]->k1 = rl_rand64(&st->rand);
	}
}

static int init_layers(struct rill_stack *st, const struct rill_stack_params *par)
{
	if (rl_obs_trace(&st->obs, &st->mem, par->trace_events) < 0)
		return -ENOMEM;
	if (rl_tcp_init(st) < 0 || rl_udp_init(st) < 0 || rl_ip_init(st) < 0)
		return -ENOMEM;
	return 0;
}

int rill_stack_create(const struct rill_stack_params *par, struct rill_stack **out)
{
	struct rl_mem mem = { .hooks = par->mem,
			      .max = par->mem_max ? par->mem_max : UINT64_MAX };
	struct rill_stack *st;

	if (!par->mem.alloc || !par->mem.free)
		return -EINVAL;
	st = rl_mem_alloc(&mem, sizeof(*st));
	if (!st)
		return -ENOMEM;
	st->mem = mem;
	st->now_ns = par->now_ns;
	st->route_gen = 1;
	rl_config_init(&st->cfg);
	rl_rand_seed(&st->rand, par->seed);
	derive_keys(st);
	rl_bufs_init(&st->bufs, &st->mem);
	rl_slab_init(&st->chunks, &st->mem, sizeof(struct rl_chunk), UINT32_MAX >> 1);
	st->bytes = (struct rl_bytes_pool){ &st->bufs, &st->chunks };
	rl_timerq_init(&st->timers, &st->mem);
	list_init(&st->events);
	if (init_layers(st, par) < 0) {
		rill_stack_destroy(st);
		return -ENOMEM;
	}
	*out = st;
	return 0;
}

void rill_stack_destroy(struct rill_stack *st)
{
	struct rl_mem mem;

	rl_udp_destroy(st);
	rl_ip_destroy(st);
	rl_tcp_destroy(st);		/* last: the others still move timers */
	rl_obs_destroy(&st->obs, &st->mem);
	rl_slab_destroy(&st->chunks);
	rl_bufs_destroy(&st->bufs);
	rl_timerq_destroy(&st->timers);
	mem = st->mem;
	rl_mem_free(&mem, st, sizeof(*st));
}

int rill_if_add(struct rill_stack *st, const struct rill_if_params *par)
{
	return rl_netif_add(st, par);
}

int rill_if_addr_add(struct rill_stack *st, int ifindex, const struct rill_ip *ip,
		     unsigned prefix_len)
{
	return ifindex < 1 ? -ENODEV
			   : rl_netif_addr_add(st, (unsigned)ifindex, ip, prefix_len);
}

int rill_route_add(struct rill_stack *st, const struct rill_ip *dst, unsigned prefix_len,
		   const struct rill_ip *gateway, int ifindex)
{
	return ifindex < 0 ? -EINVAL
			   : rl_route_add(st, dst, prefix_len, gateway, (unsigned)ifindex);
}

int rill_neigh_add(struct rill_stack *st, int ifindex, const struct rill_ip *ip,
		   const uint8_t mac[6])
{
	return ifindex < 1 ? -ENODEV
			   : rl_neigh_add_static(st, (unsigned)ifindex, ip, mac);
}

int rill_stack_setsockopt(struct rill_stack *st, rill_id id, int level, int name,
		    const void *val, size_t len)
{
	if (rl_id_kind(id) == RL_ID_UDP)
		return rl_udp_setsockopt(st, id, level, name, val, len);
	return rl_tcp_setsockopt(st, id, level, name, val, len);
}

int rill_stack_getsockopt(struct rill_stack *st, rill_id id, int level, int name, void *val,
		    size_t *len)
{
	if (rl_id_kind(id) == RL_ID_UDP)
		return rl_udp_getsockopt(st, id, level, name, val, len);
	return rl_tcp_getsockopt(st, id, level, name, val, len);
}

int rill_ioctl_int(struct rill_stack *st, rill_id id, unsigned long req, int *val)
{
	if (rl_id_kind(id) == RL_ID_UDP)
		return rl_udp_ioctl(st, id, req, val);
	return rl_tcp_ioctl(st, id, req, val);
}

#define UDP_CURSOR	(UINT64_C(1) << 63)	/* TCP's part is done */

int rill_stack_conns(struct rill_stack *st, uint64_t *cursor, struct rill_conn *conns,
		     int max)
{
	int n = 0;

	if (!(*cursor & UDP_CURSOR)) {
		n = rl_tcp_conns(st, cursor, conns, max);
		if (n == max)
			return n;
		*cursor = UDP_CURSOR;
	}
	uint64_t at = *cursor & ~UDP_CURSOR;

	n += rl_udp_conns(st, &at, conns + n, max - n);
	*cursor = at | UDP_CURSOR;
	return n;
}

void rill_stack_state_counts(struct rill_stack *st, uint32_t n[RILL_TCP_STATES])
{
	memcpy(n, st->state_n, sizeof(st->state_n));
	n[RILL_SYN_RECV] += st->reqs.in_use;
	n[RILL_TIME_WAIT] = st->tws.in_use;
}

int rill_stack_trace_events(struct rill_stack *st, uint32_t events)
{
	return rl_obs_trace(&st->obs, &st->mem, events);
}

uint64_t rill_stack_trace_lost(struct rill_stack *st)
{
	uint64_t n = st->obs.ring_lost;

	st->obs.ring_lost = 0;
	return n;
}

int rill_stack_trace(struct rill_stack *st, struct rill_trace *out)
{
	struct rl_obs *o = &st->obs;

	if (!o->ring || o->ring_tail == o->ring_head)
		return 0;
	*out = o->ring[o->ring_tail++ & (o->ring_size - 1)];
	return 1;
}

/* ---- counters, in the order: counters, drops, holds, pools ---- */

static const struct rill_named_u64 ctr_desc[CTR_N] = {
#define CTR(mod, name, unit, help, src)	{ #mod "." #name, unit, help, 0 },
#include "obs/counters.def"
#undef CTR
};

static const struct rill_named_u64 drop_desc[RL_DROP_N] = {
	{ "drop.NONE", "", "not dropped", 0 },
#define DROP(name, help, src)	{ "drop." #name, "packets", help, 0 },
#include "obs/drops.def"
#undef DROP
};

static const struct rill_named_u64 hold_desc[RL_HOLD_N] = {
#define HOLD(name, help, src)	{ "hold." #name, "times", help, 0 },
#include "obs/holds.def"
#undef HOLD
};

static int pool_value(const struct rill_stack *st, unsigned i, struct rill_named_u64 *out)
{
	const struct rill_named_u64 pools[] = {
		{ "pool.memory", "bytes", "memory taken from the allocator", st->mem.used },
		{ "pool.memory_peak", "bytes", "most that was ever taken", st->mem.peak },
		{ "pool.conns", "connections", "control blocks", st->conns.in_use },
		{ "pool.half_open", "peers", "half-open peers", st->reqs.in_use },
		{ "pool.time_wait", "connections", "in TIME-WAIT", st->tws.in_use },
		{ "pool.orphans", "connections", "closed by the application", st->orphans },
		{ "pool.rtx", "ranges", "sent, not yet acknowledged", st->rtx.in_use },
		{ "pool.ooo", "ranges", "received out of order", st->oooq.in_use },
		{ "pool.chunks", "chunks", "pieces of queues", st->chunks.in_use },
		{ "pool.packets", "packets", "packets in use", st->bufs.pkts_in_use },
		{ "pool.blocks_2k", "blocks", "payload blocks in use",
		  st->bufs.blocks_in_use[RL_BLK_2K] },
		{ "pool.blocks_16k", "blocks", "payload blocks in use",
		  st->bufs.blocks_in_use[RL_BLK_16K] },
		{ "pool.blocks_64k", "blocks", "payload blocks in use",
		  st->bufs.blocks_in_use[RL_BLK_64K] },
		{ "pool.timers", "timers", "armed deadlines", st->timers.n },
	};

	if (i >= ARRAY_LEN(pools))
		return 0;
	*out = pools[i];
	return 1;
}

int rill_stack_counter(const struct rill_stack *st, unsigned i, struct rill_named_u64 *out)
{
	if (i < CTR_N) {
		*out = ctr_desc[i];
		out->value = st->obs.ctr[i];
		return 1;
	}
	i -= CTR_N;
	if (i < RL_DROP_N - 1) {
		*out = drop_desc[i + 1];
		out->value = st->obs.drop[i + 1];
		return 1;
	}
	i -= RL_DROP_N - 1;
	if (i < RL_HOLD_N) {
		*out = hold_desc[i];
		out->value = st->obs.hold[i];
		return 1;
	}
	return pool_value(st, i - RL_HOLD_N, out);
}

int rill_sysctl_set(struct rill_stack *st, const char *name, const char *value)
{
	return rl_config_set(&st->cfg, name, value);
}

int rill_sysctl_get(struct rill_stack *st, const char *name, char *buf, size_t n)
{
	return rl_config_get(&st->cfg, name, buf, n);
}
