/* SPDX-License-Identifier: MIT */
/*
 * Probes to bytes and answers from bytes, for probe_sock.c.  Nothing that arrives
 * is believed: lengths are checked before they are used, and ports, identifiers
 * and marks have to be ours.
 */
#include "look/probe_wire.h"

#include <string.h>

#define ICMP_LEN	8
#define UDP_LEN		8
#define TCP_LEN		20
#define TCP_SYN_LEN	(TCP_LEN + 4)	/* and the MSS: middleboxes dislike a bare SYN */
#define MAGIC		0x724c		/* behind the number in a UDP payload */
#define SEQ_BASE	0x52490000u	/* TCP sequence number of probe 0 */

enum { ICMP4_ECHO_REPLY = 0, ICMP4_ECHO = 8, ICMP6_ECHO = 128, ICMP6_ECHO_REPLY = 129 };
enum { TCP_RST = 4, TCP_SYN = 2, TCP_ACK = 16 };

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static void put16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, (uint16_t)(v >> 16));
	put16(p + 2, (uint16_t)v);
}

/* ---- checksums [RFC1071] ---- */

static uint32_t sum(const uint8_t *p, size_t n, uint32_t s)
{
	for (size_t i = 0; i + 1 < n; i += 2)
		s += get16(p + i);
	if (n % 2)
		s += (uint32_t)p[n - 1] << 8;
	return s;
}

static uint16_t fold(uint32_t s)
{
	s = (s & 0xffff) + (s >> 16);
	return (uint16_t)(s + (s >> 16));
}

/* Addresses, protocol and length: the same sum for both families' layouts. */
static uint32_t pseudo(const struct probe_wire *w, uint8_t proto, size_t len)
{
	size_t skip = w->v6 ? 0 : 12;

	return sum(w->src.b + skip, 16 - skip, 0) + sum(w->dst.b + skip, 16 - skip, 0) +
	       proto + (uint32_t)len;
}

/* ---- out ---- */

static void fill(uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(i + 16);
}

static size_t build_icmp(const struct probe_wire *w, uint16_t seq, uint8_t *b)
{
	size_t n = ICMP_LEN + w->size;

	b[0] = w->v6 ? ICMP6_ECHO : ICMP4_ECHO;
	b[1] = 0;
	put16(b + 2, 0);
	put16(b + 4, w->id);
	put16(b + 6, seq);
	fill(b + ICMP_LEN, w->size);
	put16(b + ICMP_LEN, (uint16_t)~seq);
	if (w->raw && !w->v6)			/* ICMPv6's is the kernel's business always */
		put16(b + 2, (uint16_t)~fold(sum(b, n, 0)));
	return n;
}

static void udp_payload(const struct probe_wire *w, uint16_t seq, uint8_t *p)
{
	fill(p, w->size);
	put16(p, seq);
	put16(p + 2, MAGIC);
}

static size_t build_udp(const struct probe_wire *w, uint16_t seq, uint8_t *b)
{
	size_t n = UDP_LEN + w->size;
	uint16_t csum;

	if (!w->raw) {
		udp_payload(w, seq, b);
		return w->size;
	}
	put16(b, w->sport);
	put16(b + 2, w->dport);
	put16(b + 4, (uint16_t)n);
	put16(b + 6, 0);
	udp_payload(w, seq, b + UDP_LEN);
	csum = (uint16_t)~fold(sum(b, n, pseudo(w, 17, n)));
	put16(b + 6, csum ? csum : 0xffff);
	return n;
}

static size_t build_tcp(const struct probe_wire *w, uint16_t seq, uint8_t *b)
{
	memset(b, 0, TCP_SYN_LEN);
	put16(b, w->sport);
	put16(b + 2, w->dport);
	put32(b + 4, SEQ_BASE + seq);
	b[12] = TCP_SYN_LEN / 4 << 4;
	b[13] = TCP_SYN;
	put16(b + 14, 5840);
	b[20] = 2;
	b[21] = 4;
	put16(b + 22, 1220);
	put16(b + 16, (uint16_t)~fold(sum(b, TCP_SYN_LEN, pseudo(w, 6, TCP_SYN_LEN))));
	return TCP_SYN_LEN;
}

size_t probe_build(const struct probe_wire *w, uint16_t seq, uint8_t *buf)
{
	switch (w->kind) {
	case PROBE_ICMP:
		return build_icmp(w, seq, buf);
	case PROBE_UDP:
		return build_udp(w, seq, buf);
	case PROBE_TCP:
		return build_tcp(w, seq, buf);
	}
	return 0;
}

/* ---- replies ---- */

/* Raw IPv4 sockets give the IP header too.  Return: its length; 0: nonsense. */
static size_t ip4_len(const uint8_t *p, size_t n, struct probe_answer *a)
{
	size_t len = n ? (p[0] & 15) * 4u : 0;

	if (n < 20 || p[0] >> 4 != 4 || len < 20 || len > n)
		return 0;
	a->ttl = p[8];
	return len;
}

static bool reply_icmp(const struct probe_wire *w, const uint8_t *p, size_t n,
		       struct probe_answer *a)
{
	if (n < ICMP_LEN || p[0] != (w->v6 ? ICMP6_ECHO_REPLY : ICMP4_ECHO_REPLY))
		return false;
	if (w->raw && get16(p + 4) != w->id)
		return false;
	a->seq = get16(p + 6);
	a->has_seq = true;
	a->bytes = (uint32_t)n;
	return true;
}

/* Some service's own answer: it need not say to which of our probes. */
static bool reply_udp(const struct probe_wire *w, const uint8_t *p, size_t n,
		      struct probe_answer *a)
{
	if (w->raw) {
		if (n < UDP_LEN || get16(p) != w->dport || get16(p + 2) != w->sport)
			return false;
		p += UDP_LEN;
		n -= UDP_LEN;
	}
	a->has_seq = n >= PROBE_MIN_SIZE && get16(p + 2) == MAGIC;
	if (a->has_seq)
		a->seq = get16(p);
	a->bytes = (uint32_t)n;
	return true;
}

static bool reply_tcp(const struct probe_wire *w, const uint8_t *p, size_t n,
		      struct probe_answer *a)
{
	uint32_t seq;

	if (n < TCP_LEN || get16(p) != w->dport || get16(p + 2) != w->sport ||
	    !(p[13] & TCP_ACK) || !(p[13] & (TCP_SYN | TCP_RST)))
		return false;
	seq = get32(p + 8) - 1 - SEQ_BASE;
	if (seq > 0xffff)
		return false;
	a->seq = (uint16_t)seq;
	a->has_seq = true;
	a->tcp_closed = p[13] & TCP_RST;
	a->tcp_open = !a->tcp_closed;
	return true;
}

bool probe_read_reply(const struct probe_wire *w, const uint8_t *p, size_t n,
		      struct probe_answer *a)
{
	if (w->raw && !w->v6) {
		size_t skip = ip4_len(p, n, a);

		if (!skip)
			return false;
		p += skip;
		n -= skip;
	}
	a->what = PROBE_REACHED;
	switch (w->kind) {
	case PROBE_ICMP:
		return reply_icmp(w, p, n, a);
	case PROBE_UDP:
		return reply_udp(w, p, n, a);
	case PROBE_TCP:
		return reply_tcp(w, p, n, a);
	}
	return false;
}

/* ---- quotes ---- */

static bool quote_icmp(const struct probe_wire *w, const uint8_t *p, size_t n,
		       struct probe_answer *a)
{
	if (n < ICMP_LEN || p[0] != (w->v6 ? ICMP6_ECHO : ICMP4_ECHO))
		return false;
	if (w->raw && get16(p + 4) != w->id)
		return false;
	a->seq = get16(p + 6);
	a->has_seq = true;
	return true;
}

/* From the checksum alone: it is the complement of all else and the number. */
static uint16_t seq_of_csum(const struct probe_wire *w, uint16_t csum)
{
	uint32_t len = UDP_LEN + w->size;
	uint32_t s = pseudo(w, 17, len) + w->sport + w->dport + (uint16_t)len + MAGIC;

	for (uint32_t i = PROBE_MIN_SIZE; i < w->size; i++)	/* as fill() */
		s += (uint32_t)(uint8_t)(i + 16) << (i % 2 ? 0 : 8);
	/* ~csum = all + seq in one's complement; so seq = ~csum - all */
	return fold((uint32_t)(uint16_t)~csum + (uint16_t)~fold(s));
}

static bool quote_udp(const struct probe_wire *w, const uint8_t *p, size_t n,
		      struct probe_answer *a)
{
	uint16_t csum = 0;

	if (w->raw) {
		if (n < UDP_LEN || get16(p) != w->sport || get16(p + 2) != w->dport)
			return false;
		csum = get16(p + 6);
		p += UDP_LEN;
		n -= UDP_LEN;
	}
	a->has_seq = n >= PROBE_MIN_SIZE && get16(p + 2) == MAGIC;
	if (a->has_seq) {
		a->seq = get16(p);
	} else if (w->raw) {
		a->seq = seq_of_csum(w, csum);
		a->has_seq = true;
	}
	return true;
}

static bool quote_tcp(const struct probe_wire *w, const uint8_t *p, size_t n,
		      struct probe_answer *a)
{
	if (n < 8 || get16(p) != w->sport || get16(p + 2) != w->dport ||
	    get32(p + 4) - SEQ_BASE > 0xffff)
		return false;
	a->seq = (uint16_t)(get32(p + 4) - SEQ_BASE);
	a->has_seq = true;
	return true;
}

bool probe_read_quote(const struct probe_wire *w, const uint8_t *p, size_t n,
		      struct probe_answer *a)
{
	switch (w->kind) {
	case PROBE_ICMP:
		return quote_icmp(w, p, n, a);
	case PROBE_UDP:
		return quote_udp(w, p, n, a);
	case PROBE_TCP:
		return quote_tcp(w, p, n, a);
	}
	return false;
}
