/* SPDX-License-Identifier: MIT */
/*
 * What is known of paths that are narrower than their first link
 * [RFC1191] [RFC8201].  An entry lives mtu_expires seconds after the last message,
 * then the first link's MTU is tried again [RFC1191-04] [RFC8201-04].
 *
 * Entries only ever lower an estimate.  A change renews st->route_gen, so that
 * every flow looks again, and is told to the transports.
 */
#include "ip/ip_int.h"

static uint32_t *bucket(struct rill_stack *st, const struct rill_ip *dst)
{
	return &st->ip->pmtu_bucket[rl_siphash13(&st->hash_key, dst->b, sizeof(dst->b)) %
				    RL_PMTU_BUCKETS];
}

static struct rl_pmtu *find(struct rill_stack *st, const struct rill_ip *dst)
{
	uint32_t at = *bucket(st, dst);

	while (at) {
		struct rl_pmtu *m = rl_slab_at(&st->ip->pmtus, at - 1);

		if (rl_ip_eq(&m->dst, dst))
			return m;
		at = m->hash_next;
	}
	return NULL;
}

static void free_entry(struct rill_stack *st, struct rl_pmtu *m)
{
	uint32_t *at = bucket(st, &m->dst);

	while (*at != m->obj.idx + 1) {
		struct rl_pmtu *prev = rl_slab_at(&st->ip->pmtus, *at - 1);

		at = &prev->hash_next;
	}
	*at = m->hash_next;
	rl_ip_arm(st, &m->timer, RL_NEVER);
	rl_timerq_release(&st->ip->timers);
	rl_slab_free(&st->ip->pmtus, m);
}

static struct rl_pmtu *new_entry(struct rill_stack *st, const struct rill_ip *dst)
{
	struct rl_ip_state *ip = st->ip;
	struct rl_pmtu *m;
	uint32_t *at;

	if (rl_timerq_reserve(&ip->timers))
		return NULL;
	m = rl_slab_alloc(&ip->pmtus);	/* full: the path stays unknown */
	if (!m) {
		rl_timerq_release(&ip->timers);
		return NULL;
	}
	m->timer = (struct rl_timer){ RL_NEVER, 0, RL_IPT_PMTU };
	m->dst = *dst;
	at = bucket(st, dst);
	m->hash_next = *at;
	*at = m->obj.idx + 1;
	return m;
}

uint32_t rl_pmtu_get(struct rill_stack *st, const struct rill_ip *dst, uint32_t mtu,
		     bool *no_df)
{
	const struct rl_pmtu *m = st->ip->pmtus.in_use ? find(st, dst) : NULL;

	*no_df = m && m->no_df;
	return m ? RL_MIN(m->mtu, mtu) : mtu;
}

static void changed(struct rill_stack *st, const struct rill_ip *dst)
{
	rl_routes_changed(st);
	if (st->tcp_proto.pmtu)
		st->tcp_proto.pmtu(st, dst);
	if (st->udp_proto.pmtu)
		st->udp_proto.pmtu(st, dst);
}

/* Of the first link towards @dst. */
static uint32_t link_mtu(struct rill_stack *st, const struct rill_ip *dst)
{
	const struct rl_route *r = rl_route_lookup(st, dst, 0);

	return r ? st->netif[r->ifindex - 1].mtu : 0;
}

bool rl_pmtu_lower(struct rill_stack *st, const struct rill_ip *dst, uint32_t mtu)
{
	uint32_t min = rl_ip_is4(dst) ? (uint32_t)RL_CFG(st, min_pmtu) : IPV6_MIN_MTU;
	bool below = mtu < min, no_df;
	struct rl_pmtu *m;

	if (below && !rl_ip_is4(dst))
		return false;				/* [RFC8201-01] */
	mtu = RL_MAX(mtu, min);				/* [RFC1191-02] */
	/* never upwards [RFC1191-03] [RFC8201-03] */
	if (mtu >= rl_pmtu_get(st, dst, link_mtu(st, dst), &no_df) && below <= no_df)
		return false;
	m = find(st, dst);
	if (!m)
		m = new_entry(st, dst);
	if (!m)
		return false;
	m->mtu = m->mtu ? RL_MIN(m->mtu, mtu) : mtu;
	m->no_df |= below;
	rl_ip_arm(st, &m->timer, st->now_ns + RL_CFG(st, mtu_expires) * RL_SEC);
	changed(st, dst);
	return true;
}

void rl_pmtu_timer(struct rill_stack *st, struct rl_pmtu *m)
{
	struct rill_ip dst = m->dst;

	free_entry(st, m);
	changed(st, &dst);
}

uint32_t rl_pmtu_plateau(uint32_t len)
{
	static const uint16_t plateau[] = { 32000, 17914, 8166, 4352, 2002, 1492,
					    1006, 508, 296, 68 };

	for (size_t i = 0; i < ARRAY_LEN(plateau); i++)
		if (plateau[i] < len)
			return plateau[i];
	return 68;
}
