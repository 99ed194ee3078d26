/* SPDX-License-Identifier: MIT */
/*
 * Multicast groups of an interface and the reports that tell switches and
 * routers of them: IGMPv2 (RFC 2236) and MLDv1 (RFC 2710), which every querier
 * still understands.
 *
 * A new group is reported twice; a query is answered after a random delay
 * unless another member was faster.  Groups that exist on every link anyway
 * are never reported.  Bare-IP interfaces have no switch to tell.
 */
#include <errno.h>

#include "ip/ip_int.h"
#include "wire/cksum.h"

#define UNSOLICITED		2
#define UNSOLICITED_MS		10000	/* at most, until the second one */
#define QUERY_MAX_LEN		1500
#define HBH_LEN			8

static const struct rill_ip all_routers6 = { .b = { 0xff, 2, [15] = 2 } };

/* Groups that everybody is in, and those that don't leave the node. */
static bool reported(const struct rl_netif *nif, const struct rill_ip *ip)
{
	if (!(nif->flags & RILL_IF_ETHER))
		return false;
	if (rl_ip_is4(ip))
		return rl_ip_get4(ip) != 0xe0000001;
	if ((ip->b[1] & 0xf) < 2)
		return false;
	return !(ip->b[1] == 2 && ip->q[1] == all_routers6.q[1]) &&
	       !(ip->b[1] == 2 && get32(ip->b + 8) == 0 && get32(ip->b + 12) == 1);
}

/* ---- messages ---- */

static void send_igmp(struct rill_stack *st, struct rl_netif *nif, uint8_t type,
		      const struct rill_ip *group)
{
	const struct rl_if_addr *a = rl_addr_on_if(nif, group);
	struct igmp_msg m = { .type = type, .group = *group };
	struct rl_send_on to = {
		.src = a ? a->ip : rl_ip4(0),
		.dst = type == IGMP_LEAVE ? rl_ip4(0xe0000002) : *group,
		.proto = RL_PROTO_IGMP, .ttl = 1, .tos = 0xc0, .router_alert = true,
	};
	struct rill_pkt *p = rl_pkt_new(&st->bufs, IGMP_LEN);

	if (!p) {
		rl_drop(st, RL_DROP_NO_MEMORY);
		return;
	}
	rl_igmp_write(&m, p->data);
	p->len = IGMP_LEN;
	rl_ip_send_on(st, nif, p, &to);
}

/* Hop-by-hop options with router alert, padded (RFC 2710 3). */
static void write_hbh(uint8_t *p)
{
	static const uint8_t hbh[HBH_LEN] = { RL_PROTO_ICMP6, 0, 5, 2, 0, 0, 1, 0 };

	memcpy(p, hbh, HBH_LEN);
}

static void send_mld(struct rill_stack *st, struct rl_netif *nif, uint8_t type,
		     const struct rill_ip *group)
{
	static const struct rill_ip ll = { .b = { 0xfe, 0x80 } };
	const struct rl_if_addr *a = rl_addr_on_if(nif, &ll);
	struct mld_msg m = { .type = type, .group = *group };
	struct rl_send_on to = {
		.dst = type == ICMP6_MLD_DONE ? all_routers6 : *group,
		.proto = RL_PROTO_HOPOPT, .ttl = 1,
	};
	struct rill_pkt *p = rl_pkt_new(&st->bufs, HBH_LEN + MLD_LEN);
	uint16_t sum;

	if (!p) {
		rl_drop(st, RL_DROP_NO_MEMORY);
		return;
	}
	if (a && rl_ip_is_linklocal(&a->ip))	/* otherwise unspecified (RFC 3590) */
		to.src = a->ip;
	write_hbh(p->data);
	rl_mld_write(&m, p->data + HBH_LEN);
	p->len = HBH_LEN + MLD_LEN;
	sum = rl_sum_finish(rl_sum(p->data + HBH_LEN, MLD_LEN,
				   rl_sum_pseudo(&to.src, &to.dst, RL_PROTO_ICMP6, MLD_LEN)));
	memcpy(p->data + HBH_LEN + 2, &sum, sizeof(sum));
	RL_CTR(st, icmp_out_msgs);
	rl_ip_send_on(st, nif, p, &to);
}

static void report(struct rill_stack *st, struct rl_netif *nif, const struct rill_ip *ip)
{
	if (rl_ip_is4(ip))
		send_igmp(st, nif, IGMP_V2_REPORT, ip);
	else
		send_mld(st, nif, ICMP6_MLD_REPORT, ip);
}

static void say_leave(struct rill_stack *st, struct rl_netif *nif, const struct rill_ip *ip)
{
	if (rl_ip_is4(ip))
		send_igmp(st, nif, IGMP_LEAVE, ip);
	else
		send_mld(st, nif, ICMP6_MLD_DONE, ip);
}

/* ---- membership ---- */

static struct rl_group *find(struct rl_netif *nif, const struct rill_ip *ip)
{
	for (unsigned i = 0; i < nif->ngroups; i++)
		if (rl_ip_eq(&nif->group[i].ip, ip))
			return &nif->group[i];
	return NULL;
}

int rl_group_join(struct rill_stack *st, struct rl_netif *nif, const struct rill_ip *ip)
{
	struct rl_group *g = find(nif, ip);

	if (g) {
		if (g->users == UINT16_MAX)
			return -ENOSPC;
		g->users++;
		return 0;
	}
	if (nif->ngroups == RL_MAX_GROUPS)
		return -ENOSPC;
	g = &nif->group[nif->ngroups++];
	*g = (struct rl_group){ .ip = *ip, .users = 1, .report_at_ns = RL_NEVER };
	if (reported(nif, ip)) {
		g->reports_left = UNSOLICITED;
		g->report_at_ns = st->now_ns;
		rl_netif_arm(st, nif, rl_group_timer(st, nif));
	}
	return 0;
}

int rl_group_leave(struct rill_stack *st, struct rl_netif *nif, const struct rill_ip *ip)
{
	struct rl_group *g = find(nif, ip);

	if (!g)
		return -EADDRNOTAVAIL;
	if (--g->users)
		return 0;
	if (reported(nif, ip))
		say_leave(st, nif, ip);
	*g = nif->group[--nif->ngroups];
	return 0;
}

int64_t rl_group_timer(struct rill_stack *st, struct rl_netif *nif)
{
	int64_t next_ns = RL_NEVER;

	for (unsigned i = 0; i < nif->ngroups; i++) {
		struct rl_group *g = &nif->group[i];

		if (g->report_at_ns <= st->now_ns) {
			report(st, nif, &g->ip);
			g->report_at_ns = RL_NEVER;
			if (g->reports_left && --g->reports_left)
				g->report_at_ns = st->now_ns + RL_MS *
					rl_rand_below(&st->rand, UNSOLICITED_MS);
		}
		next_ns = RL_MIN(next_ns, g->report_at_ns);
	}
	return next_ns;
}

static int check(struct rill_stack *st, unsigned ifindex, const struct rill_ip *group,
		 struct rl_netif **nif)
{
	*nif = rl_netif_get(st, ifindex);
	if (!*nif)
		return -ENODEV;
	return rl_ip_is_mcast(group) ? 0 : -EADDRNOTAVAIL;
}

int rl_ip_join(struct rill_stack *st, unsigned ifindex, const struct rill_ip *group)
{
	struct rl_netif *nif;
	int r = check(st, ifindex, group, &nif);

	return r ? r : rl_group_join(st, nif, group);
}

int rl_ip_leave(struct rill_stack *st, unsigned ifindex, const struct rill_ip *group)
{
	struct rl_netif *nif;
	int r = check(st, ifindex, group, &nif);

	return r ? r : rl_group_leave(st, nif, group);
}

/* ---- queries and others' reports ---- */

/* An any-address asks for all groups of its family. */
static void got_query(struct rill_stack *st, struct rl_netif *nif,
		      const struct rill_ip *group, uint32_t max_ms)
{
	for (unsigned i = 0; i < nif->ngroups; i++) {
		struct rl_group *g = &nif->group[i];
		int64_t at_ns;

		if (rl_ip_is4(&g->ip) != rl_ip_is4(group) || !reported(nif, &g->ip))
			continue;
		if (!rl_ip_is_any(group) && !rl_ip_eq(group, &g->ip))
			continue;
		at_ns = st->now_ns + RL_MS * rl_rand_below(&st->rand, max_ms + 1);
		g->report_at_ns = RL_MIN(g->report_at_ns, at_ns);
		rl_netif_arm(st, nif, g->report_at_ns);
	}
}

/* Another member was faster: one report for a link is enough. */
static void got_report(struct rl_netif *nif, const struct rill_ip *group)
{
	struct rl_group *g = find(nif, group);

	if (!g)
		return;
	g->reports_left = 0;
	g->report_at_ns = RL_NEVER;
}

void rl_igmp_input(struct rill_stack *st, struct rl_netif *nif, struct rill_pkt *p)
{
	uint32_t len = rl_pkt_len(p);
	struct igmp_msg m;
	int r = -EBADMSG;

	if (len <= QUERY_MAX_LEN && !rl_pkt_pullup(&st->bufs, p, len))
		r = rl_igmp_parse(&m, p->data, p->len);
	if (r) {
		rl_drop_pkt(st, p, r == -EILSEQ ? RL_DROP_ICMP_CSUM : RL_DROP_ICMP_SHORT);
		return;
	}
	if (m.type == IGMP_QUERY) {
		got_query(st, nif, &m.group, m.max_resp ? m.max_resp * 100u : 10000u);
	} else if (m.type == IGMP_V1_REPORT || m.type == IGMP_V2_REPORT) {
		got_report(nif, &m.group);
	} else {
		rl_drop_pkt(st, p, RL_DROP_ICMP_TYPE);
		return;
	}
	rl_pkt_free(&st->bufs, p);
}

void rl_mld_input(struct rill_stack *st, struct rl_netif *nif, struct rill_pkt *p)
{
	struct mld_msg m;

	if (rl_pkt_pullup(&st->bufs, p, RL_MIN(rl_pkt_len(p), (uint32_t)MLD_LEN)) ||
	    rl_mld_parse(&m, p->data, p->len)) {
		rl_drop_pkt(st, p, RL_DROP_ICMP_SHORT);
		return;
	}
	if (m.type == ICMP6_MLD_QUERY && rl_ip_is_linklocal(&p->src)) {
		got_query(st, nif, &m.group, m.max_resp_ms);
	} else if (m.type == ICMP6_MLD_REPORT) {
		got_report(nif, &m.group);
	} else {
		rl_drop_pkt(st, p, RL_DROP_ICMP_TYPE);
		return;
	}
	rl_pkt_free(&st->bufs, p);
}
