/* SPDX-License-Identifier: MIT */
/*
 * Internet checksum [RFC1071-01], the sum that IPv4, ICMP, TCP and UDP share.
 *
 * The sum is the same in either byte order but for a swap [RFC1071:2], so words
 * are added as the machine loads them, 64 bits at a time with the carry brought
 * round, and folded once at the end.  Loads go through memcpy(): any alignment,
 * also on machines that trap.  Called by every codec and by buf/pkt.c.
 */
#include "wire/cksum.h"

static inline uint64_t load64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint64_t add_carry(uint64_t a, uint64_t b)
{
	a += b;
	return a + (a < b);
}

/* Up to 7 bytes, as if zeros followed. */
static uint64_t load_tail(const uint8_t *p, size_t n)
{
	uint64_t v = 0;

	memcpy(&v, p, n);
	return v;
}

/*
 * 64 bytes a round in four chains, because an addition waits for the carry of
 * the one before it.
 */
static const uint8_t *sum_blocks(const uint8_t *p, size_t rounds, uint64_t *sum)
{
	uint64_t a = *sum, b = 0, c = 0, d = 0;

	for (; rounds; rounds--, p += 64) {
		a = add_carry(a, load64(p));
		b = add_carry(b, load64(p + 8));
		c = add_carry(c, load64(p + 16));
		d = add_carry(d, load64(p + 24));
		a = add_carry(a, load64(p + 32));
		b = add_carry(b, load64(p + 40));
		c = add_carry(c, load64(p + 48));
		d = add_carry(d, load64(p + 56));
	}
	*sum = add_carry(add_carry(a, b), add_carry(c, d));
	return p;
}

uint64_t rl_sum(const void *from, size_t n, uint64_t sum)
{
	const uint8_t *p = from;

	if (n >= 64)
		p = sum_blocks(p, n / 64, &sum);
	for (n %= 64; n >= 8; n -= 8, p += 8)
		sum = add_carry(sum, load64(p));
	return n ? add_carry(sum, load_tail(p, n)) : sum;
}

uint16_t rl_sum_fold(uint64_t sum)
{
	sum = (sum >> 32) + (sum & 0xffffffff);
	sum = (sum >> 32) + (sum & 0xffffffff);
	sum = (sum >> 16) + (sum & 0xffff);
	sum = (sum >> 16) + (sum & 0xffff);
	return (uint16_t)sum;
}

/* A part that began at an odd byte has its two columns exchanged. */
uint64_t rl_sum_at(uint64_t part, size_t off)
{
	uint16_t s;

	if (!(off & 1))
		return part;
	s = rl_sum_fold(part);
	return (uint16_t)(s << 8 | s >> 8);
}

/* [RFC9293:3.1] [RFC8200:8.1]: 32 bits of length and protocol serve both. */
uint64_t rl_sum_pseudo(const struct rill_ip *src, const struct rill_ip *dst,
		       uint8_t proto, uint32_t len)
{
	size_t at = rl_ip_is4(src) ? 12 : 0;
	uint8_t tail[8] = { [7] = proto };
	uint64_t sum;

	put32(tail, len);
	sum = rl_sum(src->b + at, 16 - at, 0);
	sum = rl_sum(dst->b + at, 16 - at, sum);
	return rl_sum(tail, sizeof(tail), sum);
}

/* [RFC1624:3] eqn. 3: HC' = ~(~HC + ~m + m'). */
/* [RFC1624-01] */
void rl_cksum_update16(uint8_t *cksum, uint16_t old_host, uint16_t new_host)
{
	uint32_t sum = (uint16_t)~get16(cksum);

	sum += (uint16_t)~old_host;
	sum += new_host;
	sum = (sum >> 16) + (sum & 0xffff);
	sum = (sum >> 16) + (sum & 0xffff);
	put16(cksum, (uint16_t)~sum);
}
