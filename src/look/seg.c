/* SPDX-License-Identifier: MIT */
/*
 * From a captured frame to a TCP segment: Ethernet with VLAN tags, Linux's cooked
 * links, loopback, raw IP; IPv4 and IPv6 with extension headers.
 *
 * Nothing is believed: every read is bounded by what was captured; lengths from
 * headers say only how much payload there was.  Called by `rill dump` and `rill
 * track`; fuzz/track.c feeds it any bytes.
 */
#include "look/seg.h"

#define VLAN_TAGS	4
#define MAX_EXT		8
#define ARPHRD_LO	772

enum ethertype {
	ET_IP4 = 0x0800, ET_VLAN = 0x8100, ET_IP6 = 0x86dd, ET_QINQ = 0x88a8, ET_QINQ_OLD = 0x9100,
};
enum proto { P_HBH = 0, P_TCP = 6, P_ROUTE = 43, P_FRAG = 44, P_AH = 51, P_DSTOPT = 60 };

bool look_link_known(int link)
{
	switch (link) {
	case LOOK_NULL:
	case LOOK_ETHER:
	case LOOK_RAW:
	case LOOK_RAW_FILE:
	case LOOK_LOOP:
	case LOOK_SLL:
	case LOOK_IPV4:
	case LOOK_IPV6:
	case LOOK_SLL2:
		return true;
	}
	return false;
}

static uint16_t type_of_ip(const uint8_t *p, size_t n)
{
	if (!n)
		return 0;
	return p[0] >> 4 == 4 ? ET_IP4 : p[0] >> 4 == 6 ? ET_IP6 : 0;
}

static bool ether(struct look_frame *f, const uint8_t *p, size_t n, uint32_t at)
{
	if (n < at)
		return false;
	f->ethertype = get16(p + at - 2);
	f->ip_at = at;
	return true;
}

static bool sll(struct look_frame *f, const uint8_t *p, size_t n)
{
	if (n < 16)
		return false;
	f->cooked = true;
	f->pkttype = (uint8_t)RL_MIN(get16(p), 255);
	f->loopback_out = f->pkttype == LOOK_OUT && get16(p + 2) == ARPHRD_LO;
	return ether(f, p, n, 16);
}

static bool sll2(struct look_frame *f, const uint8_t *p, size_t n)
{
	if (n < 20)
		return false;
	f->cooked = true;
	f->ethertype = get16(p);
	f->ip_at = 20;
	f->ifindex = get32(p + 4);
	f->pkttype = p[10];
	f->loopback_out = f->pkttype == LOOK_OUT && get16(p + 8) == ARPHRD_LO;
	return true;
}

/* The family's number is the capturing machine's: the version of IP says it better. */
static bool loopback(struct look_frame *f, const uint8_t *p, size_t n)
{
	if (n < 4)
		return false;
	f->ip_at = 4;
	f->ethertype = type_of_ip(p + 4, n - 4);
	return true;
}

static bool link_header(struct look_frame *f, int link, const uint8_t *p, size_t n)
{
	switch (link) {
	case LOOK_ETHER:
		return ether(f, p, n, 14);
	case LOOK_SLL:
		return sll(f, p, n);
	case LOOK_SLL2:
		return sll2(f, p, n);
	case LOOK_NULL:
	case LOOK_LOOP:
		return loopback(f, p, n);
	case LOOK_RAW:
	case LOOK_RAW_FILE:
	case LOOK_IPV4:
	case LOOK_IPV6:
		f->ethertype = type_of_ip(p, n);
		return true;
	}
	return false;
}

static bool is_vlan(uint16_t type)
{
	return type == ET_VLAN || type == ET_QINQ || type == ET_QINQ_OLD;
}

bool look_frame(struct look_frame *f, int link, const uint8_t *p, size_t n)
{
	*f = (struct look_frame){ 0 };
	if (!link_header(f, link, p, n))
		return false;
	for (int i = 0; i < VLAN_TAGS && is_vlan(f->ethertype); i++) {
		if (n - f->ip_at < 4)
			return false;
		f->ethertype = get16(p + f->ip_at + 2);
		f->ip_at += 4;
	}
	return true;
}

/* ---- IP and TCP ---- */

/* Bytes that are there, and how many there were by the headers; n <= len. */
struct view {
	const uint8_t	*p;
	size_t		n, len;
};

static bool advance(struct view *v, size_t by)
{
	if (by > v->n)
		return false;
	v->p += by;
	v->n -= by;
	v->len -= by;
	return true;
}

static void set_len(struct view *v, size_t len)
{
	v->len = len;
	v->n = RL_MIN(v->n, len);
}

static enum look_kind ip4(struct look_seg *s, struct view *v)
{
	const uint8_t *h = v->p;
	size_t hdr, total;

	if (v->n < 20)
		return LOOK_CUT;
	hdr = (h[0] & 15u) * 4;
	total = get16(h + 2) ? get16(h + 2) : v->len;
	if (hdr < 20 || total < hdr || hdr > v->n)
		return h[9] == P_TCP ? LOOK_CUT : LOOK_OTHER;
	s->src = rl_ip4(get32(h + 12));
	s->dst = rl_ip4(get32(h + 16));
	s->ttl = h[8];
	if (h[9] != P_TCP)
		return LOOK_OTHER;
	if (get16(h + 6) & 0x3fff)
		return LOOK_FRAGMENT;
	set_len(v, total);
	return advance(v, hdr) ? LOOK_TCP : LOOK_CUT;
}

/* Over the headers between IPv6 and TCP. */
static enum look_kind ip6_ext(struct view *v, uint8_t next)
{
	for (int i = 0; i < MAX_EXT; i++) {
		const uint8_t *h = v->p;
		size_t len;

		if (next == P_TCP)
			return LOOK_TCP;
		if (next != P_HBH && next != P_ROUTE && next != P_FRAG && next != P_AH &&
		    next != P_DSTOPT)
			return LOOK_OTHER;
		if (v->n < 8)
			return LOOK_CUT;
		if (next == P_FRAG && (get16(h + 2) & 0xfff9))
			return h[0] == P_TCP ? LOOK_FRAGMENT : LOOK_OTHER;
		len = next == P_FRAG ? 8 : next == P_AH ? (h[1] + 2u) * 4 : (h[1] + 1u) * 8;
		next = h[0];
		if (!advance(v, len))
			return LOOK_CUT;
	}
	return LOOK_OTHER;
}

static enum look_kind ip6(struct look_seg *s, struct view *v)
{
	const uint8_t *h = v->p;
	uint8_t next;

	if (v->n < 40)
		return LOOK_CUT;
	memcpy(s->src.b, h + 8, 16);
	memcpy(s->dst.b, h + 24, 16);
	s->ttl = h[7];
	next = h[6];
	if (get16(h + 4))		/* 0: a jumbogram */
		set_len(v, get16(h + 4) + 40u);
	if (!advance(v, 40))
		return LOOK_CUT;
	return ip6_ext(v, next);
}

static enum look_kind tcp(struct look_seg *s, const struct view *v)
{
	const uint8_t *h = v->p;
	size_t hdr;

	if (v->n < TCP_HDR_LEN)
		return LOOK_CUT;
	hdr = (h[12] >> 4) * 4u;
	if (hdr < TCP_HDR_LEN || hdr > v->len)
		return LOOK_CUT;
	s->sport = get16(h);
	s->dport = get16(h + 2);
	s->seq = seq_make(get32(h + 4));
	s->ack = seq_make(get32(h + 8));
	s->flags = h[13];
	s->win = get16(h + 14);
	s->len = (uint32_t)(v->len - hdr);
	/* what precedes a malformed option, or the end of the capture, counts */
	rl_tcp_opts_parse(&s->opt, h + TCP_HDR_LEN, RL_MIN(hdr, v->n) - TCP_HDR_LEN);
	return LOOK_TCP;
}

enum look_kind look_seg(struct look_seg *s, int link, const uint8_t *p, size_t n, size_t wire_n)
{
	struct look_frame f;
	enum look_kind kind;
	struct view v;

	*s = (struct look_seg){ 0 };
	if (!look_frame(&f, link, p, n))
		return LOOK_CUT;
	v = (struct view){ p + f.ip_at, n - f.ip_at, RL_MAX(n, wire_n) - f.ip_at };
	s->ifindex = f.ifindex;
	s->copy = f.loopback_out;
	s->ip = v.p;
	s->ip_len = (uint32_t)v.n;
	if (f.ethertype == ET_IP4)
		kind = ip4(s, &v);
	else if (f.ethertype == ET_IP6)
		kind = ip6(s, &v);
	else
		return LOOK_OTHER;
	return kind == LOOK_TCP ? tcp(s, &v) : kind;
}
