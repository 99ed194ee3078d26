/* SPDX-License-Identifier: MIT */
/*
 * A script's packet as bytes: outer headers first, then the innermost IP header,
 * then TCP, UDP or ICMP (sections 5, 6.5, 8.3 and 13 of the language).  All
 * numbers that depend on the run come in struct drill_wire; the IP checksums and
 * those of the innermost protocol are right (but for badsum), GRE's is as written.
 */
#include <netinet/in.h>

#include "drill/packet.h"
#include "wire/cksum.h"
#include "wire/eth.h"
#include "wire/icmp.h"
#include "wire/ipv4.h"
#include "wire/ipv6.h"
#include "wire/udp_hdr.h"

/* ---- TCP options ---- */

static size_t put_counters(const struct drill_opt *o, uint8_t *out)
{
	for (unsigned i = 0; i < o->nctrs; i++) {
		out[3 * i] = (uint8_t)(o->ctr[i] >> 16);
		put16(out + 3 * i + 1, (uint16_t)o->ctr[i]);
	}
	return o->nctrs * 3;
}

static size_t put_sacks(const struct drill_opt *o, uint8_t *out)
{
	for (unsigned i = 0; i < o->nsacks; i++) {
		put32(out + 8 * i, o->sack[i].from);
		put32(out + 8 * i + 4, o->sack[i].to);
	}
	return o->nsacks * 8;
}

static size_t put_data(const struct drill_opt *o, uint8_t *out)
{
	memcpy(out, o->data, o->len);
	return o->len;
}

/* Kind into @kind, the rest without the length byte to @out.  Return: bytes. */
static size_t opt_body(const struct drill_opt *o, uint8_t *kind, uint8_t *out)
{
	switch (o->kind) {
	case DRILL_OPT_NOP:
		*kind = OPT_NOP;
		return 0;
	case DRILL_OPT_EOL:
		*kind = OPT_EOL;
		return 0;
	case DRILL_OPT_MSS:
		*kind = OPT_MSS;
		put16(out, (uint16_t)o->value);
		return 2;
	case DRILL_OPT_WSCALE:
		*kind = OPT_WSCALE;
		out[0] = (uint8_t)o->value;
		return 1;
	case DRILL_OPT_SACKOK:
		*kind = OPT_SACK_OK;
		return 0;
	case DRILL_OPT_SACK:
		*kind = OPT_SACK;
		return put_sacks(o, out);
	case DRILL_OPT_TS:
		*kind = OPT_TS;
		put32(out, o->value);
		put32(out + 4, o->ecr);
		return 8;
	case DRILL_OPT_MD5:
		*kind = DRILL_KIND_MD5;
		return put_data(o, out);
	case DRILL_OPT_FO:
		*kind = DRILL_KIND_FO;
		return put_data(o, out);
	case DRILL_OPT_FOEXP:
		*kind = DRILL_KIND_EXP;
		put16(out, DRILL_FOEXP_MAGIC);
		return 2 + put_data(o, out + 2);
	case DRILL_OPT_ECN0:
		*kind = DRILL_KIND_ECN0;
		return put_counters(o, out);
	case DRILL_OPT_ECN1:
		*kind = DRILL_KIND_ECN1;
		return put_counters(o, out);
	case DRILL_OPT_RAW:
		*kind = o->data[0];
		memcpy(out, o->data + 1, o->len ? o->len - 1 : 0);
		return o->len ? o->len - 1 : 0;
	case DRILL_OPT_BYTES:
		break;
	}
	return 0;
}

size_t rl_drill_opt_write(const struct drill_opt *o, uint8_t *out, size_t size)
{
	uint8_t kind = OPT_NOP, body[64];
	size_t n = opt_body(o, &kind, body);
	bool single = kind == OPT_NOP || kind == OPT_EOL;

	if (o->kind == DRILL_OPT_BYTES)
		return o->len <= size ? put_data(o, out) : 0;
	if (size < n + (single ? 1 : 2))
		return 0;
	*out++ = kind;
	if (!single)
		*out++ = (uint8_t)(n + 2);
	memcpy(out, body, n);
	return n + (single ? 1 : 2);
}

/* ---- TCP, UDP, ICMP ---- */

static void put_cksum(uint8_t *at, const struct drill_wire *w, uint8_t proto,
		      const uint8_t *p, size_t n)
{
	uint64_t sum = proto == IPPROTO_ICMP ? 0 :
		       rl_sum_pseudo(&w->src.ip, &w->dst.ip, proto, (uint32_t)n);
	uint16_t c = rl_sum_finish(rl_sum(p, n, sum));

	if (proto == IPPROTO_UDP && !c)
		c = 0xffff;		/* [RFC768] */
	memcpy(at, &c, 2);
}

static void put_tcp(const struct drill_tcp *t, const struct drill_wire *w,
		    uint8_t *out, size_t n)
{
	unsigned flags = t->flags;
	struct tcp_hdr h = {
		.sport = w->src.port, .dport = w->dst.port,
		.seq = seq_make(w->seq), .ack = seq_make(w->ack),
		.hdr_len = (uint8_t)(TCP_HDR_LEN + w->nopts),
		.win = t->win, .urg = t->urg,
	};

	if (t->has_ace)
		flags |= (t->ace & 1u ? DRILL_ECE : 0u) | (t->ace & 2u ? DRILL_CWR : 0u) |
			 (t->ace & 4u ? DRILL_AE : 0u);
	h.flags = (uint8_t)flags;
	rl_tcp_hdr_write(&h, out);
	if (flags & DRILL_AE)
		out[12] |= 1;
	memcpy(out + TCP_HDR_LEN, w->opts, w->nopts);
	memset(out + h.hdr_len, 0, t->len);
	put_cksum(out + 16, w, IPPROTO_TCP, out, n);
}

static void put_udp(const struct drill_wire *w, uint8_t *out, size_t n)
{
	struct udp_hdr h = {
		.sport = w->src.port, .dport = w->dst.port, .len = (uint16_t)n,
	};

	rl_udp_hdr_write(&h, out);
	memset(out + UDP_HDR_LEN, 0, n - UDP_HDR_LEN);
	put_cksum(out + UDP_CSUM_OFF, w, IPPROTO_UDP, out, n);
}

static size_t ip_hdr_len(bool v6)
{
	return v6 ? IPV6_HDR_LEN : IPV4_HDR_LEN;
}

struct ip_out {
	struct rill_ip	src, dst;
	uint8_t		tos, ttl, proto;
	uint32_t	flow;
};

static void put_ip(const struct ip_out *o, bool v6, uint8_t *out, size_t total)
{
	if (v6) {
		struct ipv6_hdr h = {
			.tclass = o->tos, .next = o->proto, .hop_limit = o->ttl,
			.flow_label = o->flow, .src = o->src, .dst = o->dst,
			.payload_len = (uint16_t)(total - IPV6_HDR_LEN),
		};
		rl_ipv6_write(&h, out);
	} else {
		struct ipv4_hdr h = {
			.hdr_len = IPV4_HDR_LEN, .tos = o->tos, .ttl = o->ttl,
			.proto = o->proto, .src = o->src, .dst = o->dst,
			.total_len = (uint16_t)total,
		};
		rl_ipv4_write(&h, out);
	}
}

/* The packet that an ICMP error is about: its IP header and 8 bytes. */
static void put_quote(const struct drill_icmp *i, const struct drill_wire *w,
		      bool v6, uint8_t *out)
{
	bool udp = i->echoed == DRILL_ECHO_UDP;
	size_t hdr = ip_hdr_len(v6);
	size_t l4 = i->len + (udp ? UDP_HDR_LEN : TCP_HDR_LEN);
	struct ip_out ip = {
		.src = w->quoted_src.ip, .dst = w->quoted_dst.ip, .ttl = 64,
		.proto = udp ? IPPROTO_UDP : IPPROTO_TCP,
	};

	put_ip(&ip, v6, out, hdr + l4);
	out += hdr;
	put16(out, w->quoted_src.port);
	put16(out + 2, w->quoted_dst.port);
	put32(out + 4, udp ? (uint32_t)(l4 << 16) : w->quoted_seq);
}

static size_t icmp_len(const struct drill_icmp *i, bool v6)
{
	if (i->echoed == DRILL_ECHO_RAW)
		return ICMP_HDR_LEN + i->len;
	return ICMP_HDR_LEN + ip_hdr_len(v6) + 8;
}

static void put_icmp(const struct drill_icmp *i, const struct drill_wire *w,
		     bool v6, uint8_t *out, size_t n)
{
	struct icmp_hdr h = { .type = i->type, .code = i->code };

	if (i->has_mtu)
		h.rest = i->mtu;
	else if (i->has_id)
		h.rest = (uint32_t)i->id << 16;
	rl_icmp_write(&h, out);
	memset(out + ICMP_HDR_LEN, 0, n - ICMP_HDR_LEN);
	if (i->echoed != DRILL_ECHO_RAW)
		put_quote(i, w, v6, out + ICMP_HDR_LEN);
	put_cksum(out + 2, w, v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP, out, n);
}

/* ---- layers ---- */

static size_t l4_len(const struct drill_packet *p, const struct drill_wire *w, bool v6)
{
	switch (p->proto) {
	case DRILL_TCP:
		return TCP_HDR_LEN + w->nopts + p->tcp.len;
	case DRILL_UDP:
		return UDP_HDR_LEN + (size_t)p->udp.len;
	case DRILL_ICMP:
		return icmp_len(&p->icmp, v6);
	}
	return 0;
}

static size_t encap_len(const struct drill_encap *e)
{
	switch (e->kind) {
	case DRILL_ENCAP_IPV4:
		return IPV4_HDR_LEN;
	case DRILL_ENCAP_IPV6:
		return IPV6_HDR_LEN;
	case DRILL_ENCAP_GRE:
		return 4u + (e->gre_flags & 0x8000 ? 4u : 0u) +
		       (e->gre_flags & 0x2000 ? 4u : 0u) +
		       (e->gre_flags & 0x1000 ? 4u : 0u);
	case DRILL_ENCAP_MPLS:
		return 4u * e->nlabels;
	}
	return 0;
}

static uint8_t ip_proto_of(enum drill_encap_kind inner)
{
	switch (inner) {
	case DRILL_ENCAP_IPV4:
		return IPPROTO_IPIP;
	case DRILL_ENCAP_IPV6:
		return IPPROTO_IPV6;
	case DRILL_ENCAP_GRE:
		return IPPROTO_GRE;
	case DRILL_ENCAP_MPLS:
		return DRILL_PROTO_MPLS;
	}
	return 0;
}

static uint16_t eth_type_of(enum drill_encap_kind inner)
{
	switch (inner) {
	case DRILL_ENCAP_IPV4:
		return ETH_IPV4;
	case DRILL_ENCAP_IPV6:
		return ETH_IPV6;
	case DRILL_ENCAP_MPLS:
		return DRILL_ETH_MPLS;
	case DRILL_ENCAP_GRE:
		break;			/* GRE in GRE has no type of its own */
	}
	return 0;
}

static uint8_t tos_of(const struct drill_ipinfo *i)
{
	static const uint8_t bits[] = {
		[DRILL_NOECN] = 0, [DRILL_ECT0] = 2, [DRILL_ECT1] = 1, [DRILL_CE] = 3,
		[DRILL_ECT01] = 2,
	};
	uint8_t tos = i->has_tos ? i->tos : 0;

	if (i->ecn != DRILL_ECN_UNSET)
		tos = (uint8_t)((tos & ~3) | bits[i->ecn]);
	return tos;
}

static struct ip_out ip_out(const struct drill_ipinfo *i, uint8_t proto)
{
	return (struct ip_out){
		.tos = tos_of(i), .proto = proto,
		.ttl = i->has_ttl ? i->ttl : 255,
		.flow = i->has_flow ? i->flow : 0,
	};
}

static void put_gre(const struct drill_encap *e, enum drill_encap_kind inner, uint8_t *out)
{
	put16(out, e->gre_flags);
	put16(out + 2, eth_type_of(inner));
	out += 4;
	if (e->gre_flags & 0x8000) {
		put16(out, e->gre_sum);
		put16(out + 2, e->gre_off);
		out += 4;
	}
	if (e->gre_flags & 0x2000) {
		put32(out, e->gre_key);
		out += 4;
	}
	if (e->gre_flags & 0x1000)
		put32(out, e->gre_seq);
}

static void put_labels(const struct drill_encap *e, uint8_t *out)
{
	for (unsigned i = 0; i < e->nlabels; i++) {
		const struct drill_mpls *l = &e->labels[i];

		put32(out + 4 * i, l->label << 12 | (l->tc & 7u) << 9 |
				   (l->bottom ? 0x100u : 0u) | l->ttl);
	}
}

static void put_encap(const struct drill_encap *e, enum drill_encap_kind inner,
		      uint8_t *out, size_t total)
{
	struct ip_out ip;

	switch (e->kind) {
	case DRILL_ENCAP_IPV4:
	case DRILL_ENCAP_IPV6:
		ip = ip_out(&e->ip, ip_proto_of(inner));
		ip.src = e->src;
		ip.dst = e->dst;
		put_ip(&ip, e->kind == DRILL_ENCAP_IPV6, out, total);
		break;
	case DRILL_ENCAP_GRE:
		put_gre(e, inner, out);
		break;
	case DRILL_ENCAP_MPLS:
		put_labels(e, out);
		break;
	}
}

static uint8_t l4_proto(const struct drill_packet *p, bool v6)
{
	if (p->proto == DRILL_TCP)
		return IPPROTO_TCP;
	if (p->proto == DRILL_UDP)
		return IPPROTO_UDP;
	return v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
}

/* One bit of the checksum off; never 0, which is none at all in UDP. */
static void spoil(uint8_t *sum)
{
	sum[0] ^= sum[0] == 1 && !sum[1] ? 2 : 1;
}

static void put_l4(const struct drill_packet *p, const struct drill_wire *w, bool v6,
		   uint8_t *out, size_t n)
{
	size_t sum = 0;

	switch (p->proto) {
	case DRILL_TCP:
		put_tcp(&p->tcp, w, out, n);
		sum = 16;
		break;
	case DRILL_UDP:
		put_udp(w, out, n);
		sum = UDP_CSUM_OFF;
		break;
	case DRILL_ICMP:
		put_icmp(&p->icmp, w, v6, out, n);
		sum = 2;
		break;
	}
	if (p->bad_sum)
		spoil(out + sum);
}

size_t rl_drill_build(const struct drill_packet *p, const struct drill_wire *w,
		      uint8_t *buf, size_t size)
{
	bool v6 = !rl_ip_is4(&w->src.ip);
	size_t l4 = l4_len(p, w, v6), total = ip_hdr_len(v6) + l4, left;
	struct ip_out ip = ip_out(&p->ip, l4_proto(p, v6));

	for (unsigned i = 0; i < p->nencap; i++)
		total += encap_len(&p->encap[i]);
	if (total > size)
		return 0;
	left = total;
	for (unsigned i = 0; i < p->nencap; i++) {
		put_encap(&p->encap[i], i + 1 < p->nencap ? p->encap[i + 1].kind :
			  v6 ? DRILL_ENCAP_IPV6 : DRILL_ENCAP_IPV4, buf, left);
		buf += encap_len(&p->encap[i]);
		left -= encap_len(&p->encap[i]);
	}
	ip.src = w->src.ip;
	ip.dst = w->dst.ip;
	put_ip(&ip, v6, buf, left);
	put_l4(p, w, v6, buf + ip_hdr_len(v6), l4);
	return total;
}
