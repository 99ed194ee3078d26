/* SPDX-License-Identifier: MIT */
/*
 * Packets in: the checks of the link, of IPv4 [RFC1122:3.2.1] and of IPv6 with
 * its chain of extension headers [RFC8200:4], then delivery to a protocol.
 *
 * While a packet is checked, p->data stays at the IP header and an offset walks
 * on; only delivery moves data to the transport header, so that everything in
 * front of it stays readable for ICMP errors (l3_off, l3_len).
 * A function that returns enum rl_drop has not freed the packet; one that takes
 * the packet over returns nothing.
 */
#include <errno.h>

#include "ip/ip_int.h"
#include "wire/tcp_hdr.h"
#include "wire/udp_hdr.h"

#define MAX_EXT_HEADERS	16	/* more is nonsense or an attack [RFC8504:5.3] */

/* ---- addresses ---- */

/*
 * A source that can't be a single host on the network [RFC1122-05]: class E,
 * "this network", a group, a broadcast, IPv4 in IPv6's clothes.
 */
static bool bad_source(const struct rill_stack *st, const struct rill_ip *src, bool v4)
{
	if (rl_ip_is_mcast(src))
		return true;
	if (!v4)
		return rl_ip_is4(src);
	if (rl_ip_is_any(src))
		return false;		/* decided by who may send from there */
	return src->b[12] == 0 || src->b[12] >= 240 || rl_ip_is_broadcast(st, src);
}

/* Protocols whose messages may come from the unspecified address. */
static bool may_be_unspecified(const struct rill_pkt *p)
{
	return p->proto == RL_PROTO_IGMP || p->proto == RL_PROTO_ICMP6;
}

/* What can't be a single host elsewhere sent nothing to us [RFC1122-42]. */
static enum rl_drop check_source(struct rill_stack *st, const struct rill_pkt *p, bool v4)
{
	if (bad_source(st, &p->src, v4))
		return RL_DROP_IP_SRC;
	if (p->flags & RL_PKT_LOOPED)
		return RL_DROP_NONE;
	if (rl_ip_is_loopback(&p->src) || rl_ip_is_loopback(&p->dst))
		return RL_DROP_IP_LOOPBACK;	/* [RFC1122-06] */
	return rl_ip_is_ours(st, &p->src) ? RL_DROP_IP_SRC : RL_DROP_NONE;
}

static enum rl_drop check_dest(struct rill_stack *st, const struct rl_netif *nif,
			       struct rill_pkt *p, bool v4)
{
	if (rl_ip_is_mcast(&p->dst)) {
		if (!rl_netif_has_group(nif, &p->dst))
			return RL_DROP_IP_NOT_OURS;
		p->flags |= RL_PKT_IP_MCAST;
		RL_CTR(st, ip_in_mcast_pkts);
		return RL_DROP_NONE;
	}
	if (v4 && (rl_ip_is_broadcast(st, &p->dst) || rl_ip_is_any(&p->dst))) {
		p->flags |= RL_PKT_IP_BCAST;
		RL_CTR(st, ip_in_bcast_pkts);
		return RL_DROP_NONE;
	}
	if (rl_ip_is4(&p->dst) != v4 || !rl_ip_is_ours(st, &p->dst))
		return RL_DROP_IP_NOT_OURS;	/* never forwarded [RFC1122-01] */
	if (p->flags & RL_PKT_LINK_BCAST)	/* [RFC1122-35] */
		return RL_DROP_IP_NOT_OURS;
	return RL_DROP_NONE;
}

static enum rl_drop check_addresses(struct rill_stack *st, const struct rl_netif *nif,
				    struct rill_pkt *p, bool v4)
{
	enum rl_drop why = check_source(st, p, v4);

	return why ? why : check_dest(st, nif, p, v4);
}

static void bad_address(struct rill_stack *st, struct rill_pkt *p, enum rl_drop why)
{
	RL_CTR(st, ip_in_addr_errors);
	rl_drop_pkt(st, p, why);
}

static void bad_header(struct rill_stack *st, struct rill_pkt *p, enum rl_drop why)
{
	RL_CTR(st, ip_in_hdr_errors);
	rl_drop_pkt(st, p, why);
}

static enum rl_drop short_or_memory(int r, enum rl_drop why)
{
	return r == -ENOBUFS ? RL_DROP_NO_MEMORY : why;
}

/* ---- delivery ---- */

/* Make the transport header linear, the whole of it where it is there. */
static int pull_transport(struct rill_stack *st, struct rill_pkt *p, uint32_t off)
{
	uint32_t have = rl_pkt_len(p) - off, want = UDP_HDR_LEN;
	int r;

	if (p->proto != RL_PROTO_TCP)
		return rl_pkt_pullup(&st->bufs, p, off + RL_MIN(have, want));
	want = RL_MIN(have, (uint32_t)TCP_HDR_LEN);
	r = rl_pkt_pullup(&st->bufs, p, off + want);
	if (r || want < TCP_HDR_LEN)
		return r;
	want = (p->data[off + 12] >> 4) * 4u;
	return rl_pkt_pullup(&st->bufs, p, off + RL_MIN(have, want));
}

static void no_such_protocol(struct rill_stack *st, struct rill_pkt *p, uint32_t pointer)
{
	RL_CTR(st, ip_in_unknown_protos);
	rl_icmp_reply(st, p, RL_REPLY_PROTO_UNREACH, pointer, 0);	/* [RFC1122-16] */
	rl_drop_pkt(st, p, RL_DROP_IP_PROTO);
}

static void to_proto(struct rill_stack *st, struct rl_netif *nif, struct rill_pkt *p,
		     uint32_t pointer)
{
	bool v4 = rl_ip_is4(&p->dst);

	if (p->proto == RL_PROTO_TCP && st->tcp_proto.input)
		st->tcp_proto.input(st, p);
	else if (p->proto == RL_PROTO_UDP && st->udp_proto.input)
		st->udp_proto.input(st, p);
	else if (p->proto == RL_PROTO_ICMP && v4)
		rl_icmp4_input(st, nif, p);
	else if (p->proto == RL_PROTO_ICMP6 && !v4)
		rl_icmp6_input(st, nif, p);
	else if (p->proto == RL_PROTO_IGMP && v4)
		rl_igmp_input(st, nif, p);
	else
		no_such_protocol(st, p, pointer);
}

/* @off: of the transport header; @pointer: of the byte that named it. */
static void deliver(struct rill_stack *st, struct rl_netif *nif, struct rill_pkt *p,
		    uint32_t off, uint32_t pointer)
{
	if (rl_ip_is_any(&p->src) && !may_be_unspecified(p)) {
		bad_address(st, p, RL_DROP_IP_SRC);
		return;
	}
	if (pull_transport(st, p, off)) {
		rl_drop_pkt(st, p, RL_DROP_NO_MEMORY);
		return;
	}
	rl_pkt_set_l3(p);
	p->l3_len = off;
	rl_pkt_pull(p, off);
	RL_CTR(st, ip_in_delivers);
	to_proto(st, nif, p, pointer);
}

/* ---- IPv4 ---- */

static enum rl_drop parse4(struct rill_stack *st, struct rill_pkt *p, struct ipv4_hdr *h)
{
	uint32_t len = rl_pkt_len(p), total;
	int r = rl_pkt_pullup(&st->bufs, p, RL_MIN(len, (uint32_t)IPV4_HDR_LEN));

	if (!r)
		r = rl_ipv4_parse(h, p->data, p->len);
	if (r == -EPROTONOSUPPORT)
		return RL_DROP_IP_VERSION;
	if (!r)
		r = rl_pkt_pullup(&st->bufs, p, h->hdr_len);
	if (r)
		return short_or_memory(r, RL_DROP_IP_SHORT);
	if (!(p->flags & RL_PKT_LOOPED) && !rl_ipv4_cksum_ok(p->data, h->hdr_len))
		return RL_DROP_IP_CSUM;			/* [RFC1122-03] */
	total = h->total_len;
	if (!total && p->gso_size)
		total = len;
	if (total < h->hdr_len || total > len)
		return RL_DROP_IP_SHORT;		/* [RFC791-01] */
	rl_pkt_trim(&st->bufs, p, total);		/* padding of the link */
	p->src = h->src;
	p->dst = h->dst;
	p->tos = h->tos;
	p->ttl = h->ttl;				/* 0 is no error [RFC1122-08] */
	p->proto = h->proto;
	return RL_DROP_NONE;
}

static enum rl_drop options4(struct rill_stack *st, struct rill_pkt *p, uint32_t hdr_len)
{
	size_t at = 0;

	switch (rl_ipv4_opts_check(p->data + IPV4_HDR_LEN, hdr_len - IPV4_HDR_LEN, &at)) {
	case IPV4_OPT_OK: /* [RFC9293:MUST-50] */
		return RL_DROP_NONE;
	case IPV4_OPT_SRCROUTE:		/* refused by decision, not by accident */
		return RL_DROP_IP_SRCROUTE;
	case IPV4_OPT_BAD:
		break;
	}
	rl_pkt_set_l3(p);
	p->l3_len = hdr_len;
	rl_icmp_reply(st, p, RL_REPLY_PARAM, IPV4_HDR_LEN + (uint32_t)at, 0);
	return RL_DROP_IP_OPTIONS;
}

static struct rill_pkt *reassemble4(struct rill_stack *st, struct rill_pkt *p,
				    const struct ipv4_hdr *h)
{
	struct rl_frag_info fi = {
		.off = h->frag_off, .more = h->mf, .id = h->id, .proto = h->proto,
		.tos = h->tos, .hdr_len = h->hdr_len, .src = h->src, .dst = h->dst,
	};

	return rl_frag_input(st, p, &fi);
}

static void input4(struct rill_stack *st, struct rl_netif *nif, struct rill_pkt *p)
{
	struct ipv4_hdr h;
	enum rl_drop why = parse4(st, p, &h);
	uint32_t hdr_len;

	if (why) {
		bad_header(st, p, why);
		return;
	}
	RL_CTR_ADD(st, ip_in_octets, rl_pkt_len(p));
	why = check_addresses(st, nif, p, true);
	if (why) {
		bad_address(st, p, why);
		return;
	}
	if (h.hdr_len > IPV4_HDR_LEN) {
		why = options4(st, p, h.hdr_len);
		if (why) {
			bad_header(st, p, why);
			return;
		}
	}
	hdr_len = h.hdr_len;
	if (h.mf || h.frag_off) {
		p = reassemble4(st, p, &h);
		if (!p)
			return;
		hdr_len = (p->data[0] & 15u) * 4;	/* of the first fragment */
	}
	deliver(st, nif, p, hdr_len, 9);	/* the protocol field */
}

/* ---- IPv6 ---- */

/* Where in the chain we are. */
struct walk {
	struct rill_stack	*st;
	struct rill_pkt		*p;	/* NULL: taken over by reassembly */
	uint32_t		off;	/* of the header that comes next */
	uint32_t		next_at;	/* offset of the byte that names it */
	uint8_t			next;
};

enum walk_step { WALK_ON, WALK_TRANSPORT, WALK_AGAIN, WALK_END };

static enum walk_step stop(struct walk *w, enum rl_drop why)
{
	bad_header(w->st, w->p, why);
	return WALK_END;
}

/* Make the extension header at w->off linear; its length, or 0: not there. */
static uint32_t ext_header(struct walk *w)
{
	struct rl_bufs *b = &w->st->bufs;
	uint32_t n;

	if (rl_pkt_pullup(b, w->p, w->off + 8))
		return 0;
	n = rl_ipv6_ext_len(w->p->data + w->off);
	return rl_pkt_pullup(b, w->p, w->off + n) ? 0 : n;
}

/*
 * Parameter problem about byte @pointer of the packet [RFC4443-08].  What follows
 * the header at w->off is looked at, lest an ICMP error be answered by another.
 */
static void problem(struct walk *w, uint8_t code, uint32_t pointer)
{
	uint32_t n = ext_header(w);

	if (n) {
		w->p->proto = w->p->data[w->off];
		(void)rl_pkt_pullup(&w->st->bufs, w->p, w->off + n + 1);
	}
	rl_pkt_set_l3(w->p);
	w->p->l3_len = w->off + n;
	rl_icmp_reply(w->st, w->p, RL_REPLY_PARAM, pointer, code);
}

static enum walk_step step_over(struct walk *w, uint32_t n)
{
	w->next = w->p->data[w->off];
	w->next_at = w->off;
	w->off += n;
	return WALK_ON;
}

static enum walk_step options6(struct walk *w)
{
	uint32_t n = ext_header(w), at = 0;

	if (!n)
		return stop(w, RL_DROP_IP6_HEADER);
	switch (rl_ipv6_opts_check(w->p->data + w->off, n, &at)) {
	case IPV6_OPT_OK:
		return step_over(w, n);
	case IPV6_OPT_MALFORMED:
		return stop(w, RL_DROP_IP6_HEADER);
	case IPV6_OPT_DROP:
		break;
	case IPV6_OPT_REPORT_UNICAST:
		if (rl_ip_is_mcast(&w->p->dst))
			break;
		problem(w, ICMP6_PARAM_OPTION, w->off + at);
		break;
	case IPV6_OPT_REPORT:				/* [RFC8200-03] */
		problem(w, ICMP6_PARAM_OPTION, w->off + at);
		break;
	}
	return stop(w, RL_DROP_IP6_OPTION);
}

/* Only directly behind the IPv6 header [RFC8200-01]. */
static enum walk_step hop_by_hop(struct walk *w)
{
	if (w->off == IPV6_HDR_LEN)
		return options6(w);
	problem(w, ICMP6_PARAM_NEXT, w->next_at);
	return stop(w, RL_DROP_IP6_HEADER);
}

/* No type is known here; one that is used up may be passed [RFC8200-05]. [RFC5095-01] */
static enum walk_step routing(struct walk *w)
{
	uint32_t n = ext_header(w);

	if (!n)
		return stop(w, RL_DROP_IP6_HEADER);
	if (w->p->data[w->off + 3] == 0)
		return step_over(w, n);
	problem(w, ICMP6_PARAM_HEADER, w->off + 2);
	return stop(w, RL_DROP_IP6_ROUTING);
}

static enum walk_step fragment(struct walk *w)
{
	struct rl_frag_info fi = { .hdr_len = w->off, .next_at = w->next_at,
				   .src = w->p->src, .dst = w->p->dst, .tos = w->p->tos };
	struct ipv6_frag f;

	if (rl_pkt_pullup(&w->st->bufs, w->p, w->off + IPV6_FRAG_LEN))
		return stop(w, RL_DROP_IP6_HEADER);
	rl_ipv6_frag_parse(&f, w->p->data + w->off);
	if (!f.off && !f.more)		/* atomic: whole as it is [RFC6946-01] [RFC8200-10] */
		return step_over(w, IPV6_FRAG_LEN);
	if (w->p->flags & RL_PKT_REASSEMBLED)	/* fragments inside of fragments */
		return stop(w, RL_DROP_IP6_HEADER);
	fi.off = f.off;
	fi.more = f.more;
	fi.id = f.id;
	fi.next = f.next;
	w->p = rl_frag_input(w->st, w->p, &fi);
	return w->p ? WALK_AGAIN : WALK_END;
}

static enum walk_step one_header(struct walk *w)
{
	switch (w->next) {
	case RL_PROTO_HOPOPT:
		return hop_by_hop(w);
	case RL_PROTO_DSTOPT:
		return options6(w);
	case RL_PROTO_ROUTING:
		return routing(w);
	case RL_PROTO_FRAGMENT:
		return fragment(w);
	case RL_PROTO_NONE:				/* [RFC8200-11] */
		rl_drop_pkt(w->st, w->p, RL_DROP_IP6_NONEXT);
		return WALK_END;
	}
	return WALK_TRANSPORT;
}

/* The chain, strictly in order [RFC8200-01], in any order [RFC8200-02]. */
static enum walk_step walk_chain(struct walk *w)
{
	w->off = IPV6_HDR_LEN;
	w->next_at = 6;
	w->next = w->p->data[6];
	for (int n = 0; n < MAX_EXT_HEADERS; n++) {
		enum walk_step s = one_header(w);

		if (s != WALK_ON)
			return s;
	}
	return stop(w, RL_DROP_IP6_HEADER);
}

static enum rl_drop parse6(struct rill_stack *st, struct rill_pkt *p)
{
	uint32_t len = rl_pkt_len(p), total;
	struct ipv6_hdr h;
	int r = rl_pkt_pullup(&st->bufs, p, RL_MIN(len, (uint32_t)IPV6_HDR_LEN));

	if (!r)
		r = rl_ipv6_parse(&h, p->data, p->len);
	if (r == -EPROTONOSUPPORT)
		return RL_DROP_IP_VERSION;
	if (r)
		return short_or_memory(r, RL_DROP_IP_SHORT);
	total = IPV6_HDR_LEN + (uint32_t)h.payload_len;
	if (!h.payload_len && p->gso_size)
		total = len;
	if (total > len)
		return RL_DROP_IP_SHORT;
	rl_pkt_trim(&st->bufs, p, total);
	p->src = h.src;
	p->dst = h.dst;
	p->tos = h.tclass;
	p->ttl = h.hop_limit;				/* [RFC8200-16] */
	return RL_DROP_NONE;
}

static void input6(struct rill_stack *st, struct rl_netif *nif, struct rill_pkt *p)
{
	struct walk w = { .st = st, .p = p };
	enum rl_drop why = parse6(st, p);
	enum walk_step s;

	if (why) {
		bad_header(st, p, why);
		return;
	}
	RL_CTR_ADD(st, ip_in_octets, rl_pkt_len(p));
	why = check_addresses(st, nif, p, false);
	if (why) {
		bad_address(st, p, why);
		return;
	}
	s = walk_chain(&w);
	if (s == WALK_AGAIN)		/* reassembled: from the start, once */
		s = walk_chain(&w);
	if (s != WALK_TRANSPORT)
		return;
	w.p->proto = w.next;
	deliver(st, nif, w.p, w.off, w.next_at);
}

/* ---- link ---- */

/* Return: the EtherType, or 0: dropped. */
static uint16_t strip_ethernet(struct rill_stack *st, struct rl_netif *nif,
			       struct rill_pkt *p)
{
	enum rl_drop why = RL_DROP_NONE;
	struct eth_hdr h;
	int r = rl_pkt_pullup(&st->bufs, p, ETH_HDR_LEN);

	if (r || rl_eth_parse(&h, p->data, p->len))
		why = short_or_memory(r, RL_DROP_ETH_SHORT);
	else if (rl_eth_is_group(h.dst))
		p->flags |= RL_PKT_LINK_BCAST;
	else if (memcmp(h.dst, nif->mac, ETH_ALEN))
		why = RL_DROP_ETH_NOT_OURS;
	if (!why && h.type != ETH_IPV4 && h.type != ETH_IPV6 && h.type != ETH_ARP)
		why = RL_DROP_ETH_TYPE;
	if (why) {
		rl_drop_pkt(st, p, why);
		return 0;
	}
	rl_pkt_pull(p, ETH_HDR_LEN);
	return h.type;
}

/* Without a link header the version is all there is. */
static uint16_t type_of_bare(struct rill_stack *st, struct rill_pkt *p)
{
	enum rl_drop why = RL_DROP_IP_SHORT;

	if (!rl_pkt_pullup(&st->bufs, p, 1)) {
		if (p->data[0] >> 4 == 4)
			return ETH_IPV4;
		if (p->data[0] >> 4 == 6)
			return ETH_IPV6;
		why = RL_DROP_IP_VERSION;
	}
	RL_CTR(st, ip_in_receives);
	bad_header(st, p, why);
	return 0;
}

void rl_ip_input(struct rill_stack *st, struct rl_netif *nif, struct rill_pkt *p)
{
	uint16_t type;

	p->ifindex = nif->ifindex;
	if (p->flags & RL_PKT_CSUM_PARTIAL)	/* the sender is on this machine */
		p->flags |= RL_PKT_CSUM_OK;
	if ((nif->flags & RILL_IF_ETHER) && !(p->flags & RL_PKT_LOOPED))
		type = strip_ethernet(st, nif, p);
	else
		type = type_of_bare(st, p);
	if (type == ETH_ARP) {
		rl_arp_input(st, nif, p);
	} else if (type) {
		RL_CTR(st, ip_in_receives);
		if (type == ETH_IPV4)
			input4(st, nif, p);
		else
			input6(st, nif, p);
	}
}
