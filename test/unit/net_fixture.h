/* SPDX-License-Identifier: MIT */
/*
 * A stack with one interface, frames in and out by hand, time by hand.
 *
 *	struct net n;
 *	net_init(&n, NET_ETHER);		10.0.0.2/24 and fd00::2/64
 *	net_udp4(&n, peer4(1), 1000, 2000, "hi", 2);
 *	REQUIRE("answer", net_out(&n));		n.out[], n.out_len
 *	net_fini(&n);				checks that nothing leaked
 *
 * The peer is 10.0.0.1, fd00::1 and 02:00:00:00:00:01, a static neighbour unless
 * NET_NO_PEER.
 */
#ifndef NET_FIXTURE_H
#define NET_FIXTURE_H

#include <errno.h>
#include <stdlib.h>

#include "ip/ip_int.h"
#include "rl_test.h"
#include "stack/stack_int.h"
#include "udp/udp.h"
#include "wire/arp.h"
#include "wire/cksum.h"
#include "wire/udp_hdr.h"

enum net_flags {
	NET_ETHER	= 1 << 0,
	NET_NO_PEER	= 1 << 1,	/* the peer's address is not known yet */
	NET_DAD		= 1 << 2,
	NET_NO_ADDR	= 1 << 3,
	NET_OFFLOAD	= 1 << 4,
	NET_V4_ONLY	= 1 << 5,
};

#define NET_MAX	70000

struct net {
	struct rill_stack	*st;
	int64_t			now_ns;
	int			ifindex;
	bool			ether;
	uint64_t		allocs, fail_at;	/* the N-th allocation fails */
	size_t			live;			/* bytes allocated */
	uint8_t			buf[NET_MAX], out[NET_MAX];
	uint32_t		out_len;
	uint32_t		out_gso;
	uint8_t			out_flags;
	uint64_t		drops0[RL_DROP_N], ctr0[CTR_N];
};

static const uint8_t net_mac[6] = { 2, 0, 0, 0, 0, 2 };
static const uint8_t peer_mac[6] = { 2, 0, 0, 0, 0, 1 };
static const uint8_t bcast_mac[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

static inline struct rill_ip ip4(int a, int b, int c, int d)
{
	return rl_ip4((uint32_t)a << 24 | (uint32_t)b << 16 | (uint32_t)c << 8 | (uint32_t)d);
}

static inline struct rill_ip peer4(int last)
{
	return ip4(10, 0, 0, last);
}

/* fd00::last */
static inline struct rill_ip peer6(int last)
{
	struct rill_ip ip = { .b = { 0xfd, [15] = (uint8_t)last } };

	return ip;
}

/* prefix::last, prefix of two bytes */
static inline struct rill_ip ip6(int prefix, int last)
{
	struct rill_ip ip = { .b = { (uint8_t)(prefix >> 8), (uint8_t)prefix,
				     [15] = (uint8_t)last } };

	return ip;
}

static void *net_alloc(void *ctx, size_t size)
{
	struct net *n = ctx;

	n->allocs++;
	if (n->fail_at && n->allocs >= n->fail_at)
		return NULL;
	n->live += size;
	return malloc(size);
}

static void net_free(void *ctx, void *p, size_t size)
{
	struct net *n = ctx;

	n->live -= size;
	free(p);
}

/* ---- counting ---- */

static inline void net_mark(struct net *n)
{
	memcpy(n->drops0, n->st->obs.drop, sizeof(n->drops0));
	memcpy(n->ctr0, n->st->obs.ctr, sizeof(n->ctr0));
}

/* Exactly @times drops since the mark, all of them of that reason. */
static inline bool net_check_drop(const char *file, int line, struct net *n,
				  enum rl_drop why, uint64_t times, const char *name)
{
	bool ok = true;

	for (unsigned i = 1; i < RL_DROP_N; i++) {
		uint64_t got = n->st->obs.drop[i] - n->drops0[i];

		if (got != (i == why ? times : 0))
			ok = rl_check_ueq(file, line,
					  rl_label("%s: drop reason %u", name, i), got,
					  i == why ? times : 0);
	}
	rl_check(file, line, name, ok, "dropped for this reason only");
	net_mark(n);
	return ok;
}

#define CHECK_DROP(n, reason) \
	net_check_drop(__FILE__, __LINE__, (n), (reason), 1, #reason)
#define CHECK_NO_DROP(n) \
	net_check_drop(__FILE__, __LINE__, (n), RL_DROP_NONE, 0, "no drop")
/* Growth of a counter since the mark. */
#define CTR(n, name)	((n)->st->obs.ctr[CTR_##name] - (n)->ctr0[CTR_##name])
#define CHECK_CTR(n, name, by)	CHECK_UEQ(#name, CTR(n, name), by)

/* ---- frames out ---- */

/* The next frame, into out[]; false: none. */
static inline bool net_out(struct net *n)
{
	struct rill_pkt *p;

	n->out_len = 0;
	if (rill_stack_output(n->st, n->ifindex, &p, 1) != 1)
		return false;
	n->out_len = (uint32_t)rill_pkt_bytes(p, n->out, sizeof(n->out));
	n->out_gso = p->gso_size;
	n->out_flags = p->flags;
	rill_pkt_put(n->st, p);
	return true;
}

static inline int net_drain(struct net *n)
{
	int k = 0;

	while (net_out(n))
		k++;
	return k;
}

/* Behind the link header. */
static inline uint8_t *net_l3(struct net *n)
{
	return n->out + (n->ether ? ETH_HDR_LEN : 0);
}

static inline uint32_t net_l3_len(const struct net *n)
{
	return n->out_len - (n->ether ? ETH_HDR_LEN : 0);
}

/* Transport header of the last frame out. */
static inline uint8_t *net_l4(struct net *n)
{
	uint8_t *ip = net_l3(n);

	return ip + (ip[0] >> 4 == 4 ? (ip[0] & 15) * 4 : 40);
}

static inline void net_advance(struct net *n, int64_t ns)
{
	n->now_ns += ns;
	rill_stack_advance(n->st, n->now_ns);
}

/* The same in steps of a second, as an engine would: at each deadline. */
static inline void net_seconds(struct net *n, int seconds)
{
	for (int i = 0; i < seconds; i++)
		net_advance(n, RL_SEC);
}

/* ---- life ---- */

static inline void net_add_peer(struct net *n)
{
	struct rill_ip a = peer4(1), b = peer6(1);

	CHECK_EQ("neigh", rill_neigh_add(n->st, n->ifindex, &a, peer_mac), 0);
	CHECK_EQ("neigh", rill_neigh_add(n->st, n->ifindex, &b, peer_mac), 0);
}

static inline void net_add_addrs(struct net *n, unsigned flags)
{
	struct rill_ip a = peer4(2), b = peer6(2);

	CHECK_EQ("addr", rill_if_addr_add(n->st, n->ifindex, &a, 24), 0);
	if (!(flags & NET_V4_ONLY))
		CHECK_EQ("addr", rill_if_addr_add(n->st, n->ifindex, &b, 64), 0);
}

static inline void net_init_mtu(struct net *n, unsigned flags, uint32_t mtu)
{
	struct rill_stack_params par = { .mem = { net_alloc, net_free, n },
					 .seed = { 1, 2, 3 }, .now_ns = 1000 };
	struct rill_if_params ifp = { .name = "test0", .mtu = mtu };

	memset(n, 0, offsetof(struct net, buf));
	n->now_ns = par.now_ns;
	n->ether = flags & NET_ETHER;
	memcpy(ifp.mac, net_mac, 6);
	if (n->ether)
		ifp.flags |= RILL_IF_ETHER;
	if (!(flags & NET_DAD))
		ifp.flags |= RILL_IF_NO_DAD;
	if (flags & NET_OFFLOAD)
		ifp.flags |= RILL_IF_TX_CSUM | RILL_IF_TSO4 | RILL_IF_TSO6;
	CHECK_EQ("create", rill_stack_create(&par, &n->st), 0);
	n->ifindex = rill_if_add(n->st, &ifp);
	CHECK_EQ("if", n->ifindex, 1);
	if (!(flags & NET_NO_ADDR))
		net_add_addrs(n, flags);
	if (n->ether && !(flags & NET_NO_PEER))
		net_add_peer(n);
	net_drain(n);
	if (!(flags & NET_DAD))
		net_advance(n, 60 * RL_SEC);	/* announcements and reports are out */
	net_drain(n);
	net_mark(n);
}

static inline void net_init(struct net *n, unsigned flags)
{
	net_init_mtu(n, flags, 1500);
}

static inline void net_close_all(struct net *n)
{
	struct rill_conn c;
	uint64_t cursor = 0;

	while (rl_udp_conns(n->st, &cursor, &c, 1) == 1)
		rill_udp_close(n->st, c.id);
}

static inline void net_fini(struct net *n)
{
	struct rl_bufs *b = &n->st->bufs;

	net_close_all(n);
	n->ifindex = 0;				/* of all interfaces */
	net_drain(n);
	rl_neigh_flush(n->st);
	rl_frag_flush(n->st);
	CHECK_EQ("packets given back", b->pkts_in_use, 0);
	CHECK_EQ("blocks given back", b->blocks_in_use[0] + b->blocks_in_use[1] +
				      b->blocks_in_use[2], 0);
	rill_stack_destroy(n->st);
	CHECK_EQ("memory given back", n->live, 0);
}

/* ---- frames in ---- */

static inline void net_in_raw(struct net *n, const void *p, size_t len)
{
	CHECK_EQ("input", rill_stack_input(n->st, n->now_ns, n->ifindex, p, len), 0);
}

/* Input of @len bytes at n->buf + 14: with a link header where there is one. */
static inline void net_in_mac(struct net *n, size_t len, const uint8_t *dst)
{
	uint16_t type = n->buf[ETH_HDR_LEN] >> 4 == 4 ? ETH_IPV4 : ETH_IPV6;

	rl_eth_write(n->buf, dst, peer_mac, type);
	if (n->ether)
		net_in_raw(n, n->buf, ETH_HDR_LEN + len);
	else
		net_in_raw(n, n->buf + ETH_HDR_LEN, len);
}

static inline void net_in(struct net *n, size_t len)
{
	net_in_mac(n, len, net_mac);
}

/* Where IP packets are put together. */
static inline uint8_t *net_ip(struct net *n)
{
	return n->buf + ETH_HDR_LEN;
}

/* An IP packet in n->buf; @h may be changed and rewritten before net_in(). */
static inline size_t net_put4(struct net *n, const struct ipv4_hdr *h, const void *pay,
			      size_t len)
{
	struct ipv4_hdr c = *h;

	if (!c.ttl)
		c.ttl = 64;
	if (!c.total_len)
		c.total_len = (uint16_t)(IPV4_HDR_LEN + len);
	memmove(net_ip(n) + IPV4_HDR_LEN, pay, len);
	rl_ipv4_write(&c, net_ip(n));
	return IPV4_HDR_LEN + len;
}

static inline size_t net_put6(struct net *n, const struct ipv6_hdr *h, const void *pay,
			      size_t len)
{
	struct ipv6_hdr c = *h;

	if (!c.hop_limit)
		c.hop_limit = 64;
	if (!c.payload_len)
		c.payload_len = (uint16_t)len;
	memmove(net_ip(n) + IPV6_HDR_LEN, pay, len);
	rl_ipv6_write(&c, net_ip(n));
	return IPV6_HDR_LEN + len;
}

/* An IP packet of either family from the peer's address @src. */
static inline size_t net_put(struct net *n, const struct rill_ip *src,
			     const struct rill_ip *dst, uint8_t proto, const void *pay,
			     size_t len)
{
	if (rl_ip_is4(dst)) {
		struct ipv4_hdr h = { .src = *src, .dst = *dst, .proto = proto };

		return net_put4(n, &h, pay, len);
	}
	struct ipv6_hdr h6 = { .src = *src, .dst = *dst, .next = proto };

	return net_put6(n, &h6, pay, len);
}

/* A UDP header and data at @to, checksum right.  Return: bytes. */
static inline size_t net_udp(uint8_t *to, const struct rill_ip *src,
			     const struct rill_ip *dst, uint16_t sport, uint16_t dport,
			     const void *data, size_t len)
{
	struct udp_hdr h = { .sport = sport, .dport = dport,
			     .len = (uint16_t)(UDP_HDR_LEN + len) };
	uint16_t sum;

	rl_udp_hdr_write(&h, to);
	if (len)
		memmove(to + UDP_HDR_LEN, data, len);
	sum = rl_sum_finish(rl_sum(to, UDP_HDR_LEN + len,
				   rl_sum_pseudo(src, dst, RL_PROTO_UDP, h.len)));
	if (!sum)
		sum = 0xffff;
	memcpy(to + UDP_CSUM_OFF, &sum, 2);
	return UDP_HDR_LEN + len;
}

static inline void net_in_udp(struct net *n, const struct rill_ip *src,
			      const struct rill_ip *dst, uint16_t sport, uint16_t dport,
			      const void *data, size_t len)
{
	static uint8_t b[NET_MAX];
	size_t k = net_udp(b, src, dst, sport, dport, data, len);
	const uint8_t *mac = net_mac;
	uint8_t group[6];

	if (rl_ip_is_mcast(dst) || rl_ip_is_broadcast(n->st, dst)) {
		rl_eth_group_mac(group, dst);
		mac = group;
	}
	net_in_mac(n, net_put(n, src, dst, RL_PROTO_UDP, b, k), mac);
}

/* An ICMP message of either family, checksum made right in @msg. */
static inline void net_icmp_sum(const struct rill_ip *src, const struct rill_ip *dst,
				uint8_t *msg, size_t len)
{
	uint64_t sum = 0;
	uint16_t s;

	put16(msg + 2, 0);
	if (!rl_ip_is4(dst))
		sum = rl_sum_pseudo(src, dst, RL_PROTO_ICMP6, (uint32_t)len);
	s = rl_sum_finish(rl_sum(msg, len, sum));
	memcpy(msg + 2, &s, 2);
}

static inline void net_in_icmp(struct net *n, const struct rill_ip *src,
			       const struct rill_ip *dst, uint8_t *msg, size_t len)
{
	const uint8_t *mac = net_mac;
	uint8_t group[6];

	net_icmp_sum(src, dst, msg, len);
	if (rl_ip_is_mcast(dst) || rl_ip_is_broadcast(n->st, dst)) {
		rl_eth_group_mac(group, dst);
		mac = group;
	}
	net_in_mac(n, net_put(n, src, dst, rl_ip_is4(dst) ? RL_PROTO_ICMP : RL_PROTO_ICMP6,
			      msg, len), mac);
}

/* A neighbour discovery message, hop limit 255. */
static inline void net_in_nd(struct net *n, const struct rill_ip *src,
			     const struct rill_ip *dst, const struct nd_msg *m)
{
	uint8_t b[ND_HDR_LEN + ND_OPT_LLADDR];
	size_t len = rl_nd_write(m, b);
	struct ipv6_hdr h = { .src = *src, .dst = *dst, .next = RL_PROTO_ICMP6,
			      .hop_limit = 255 };
	uint8_t mac[6];

	net_icmp_sum(src, dst, b, len);
	memcpy(mac, net_mac, 6);
	if (rl_ip_is_mcast(dst))
		rl_eth_group_mac(mac, dst);
	net_in_mac(n, net_put6(n, &h, b, len), mac);
}

/* ---- what came out ---- */

/* Checksums of the last frame out: IPv4 header, and ICMP or UDP where whole. */
static inline bool net_sums_ok(struct net *n)
{
	uint8_t *ip = net_l3(n), *l4 = net_l4(n);
	bool v4 = ip[0] >> 4 == 4;
	uint8_t proto = v4 ? ip[9] : ip[6];
	uint32_t len = (uint32_t)(ip + net_l3_len(n) - l4);
	uint64_t sum = 0;
	struct rill_ip src, dst;

	if (v4) {
		if (!rl_ipv4_cksum_ok(ip, (ip[0] & 15u) * 4))
			return false;
		src = rl_ip4(get32(ip + 12));
		dst = rl_ip4(get32(ip + 16));
		if (get16(ip + 6) & 0x3fff)
			return true;
	} else {
		memcpy(src.b, ip + 8, 16);
		memcpy(dst.b, ip + 24, 16);
	}
	if (proto == RL_PROTO_UDP || proto == RL_PROTO_ICMP6)
		sum = rl_sum_pseudo(&src, &dst, proto, len);
	else if (proto != RL_PROTO_ICMP)
		return true;
	return rl_sum_finish(rl_sum(l4, len, sum)) == 0;
}

/* Type and code of an ICMP message out, or -1. */
static inline int net_icmp_type(struct net *n)
{
	uint8_t *ip = net_l3(n);
	uint8_t proto = ip[0] >> 4 == 4 ? ip[9] : ip[6];

	if (proto != RL_PROTO_ICMP && proto != RL_PROTO_ICMP6)
		return -1;
	return net_l4(n)[0] << 8 | net_l4(n)[1];
}

static inline bool net_is_arp(const struct net *n)
{
	return n->ether && n->out_len >= ETH_HDR_LEN + ARP_LEN &&
	       get16(n->out + 12) == ETH_ARP;
}

#endif
