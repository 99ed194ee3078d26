/* SPDX-License-Identifier: MIT */
/*
 * Frames for the fuzzer, made and judged without the code under test: its own
 * checksum, its own headers.
 */
#ifndef RL_FUZZ_WIRE_H
#define RL_FUZZ_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { FRAME_MAX = 66000, ETH = 14 };

static const uint8_t rill_mac[6] = { 2, 0, 0, 0, 0, 2 };
static const uint8_t peer_mac[6] = { 2, 0, 0, 0, 0, 1 };
static const uint8_t rill_ip4[4] = { 10, 0, 0, 2 }, peer_ip4[4] = { 10, 0, 0, 1 };
static const uint8_t rill_ip6[16] = { 0xfd, [15] = 2 }, peer_ip6[16] = { 0xfd, [15] = 1 };

static inline void w16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void w32(uint8_t *p, uint32_t v)
{
	w16(p, v >> 16);
	w16(p + 2, v & 0xffff);
}

static inline uint16_t r16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t r32(const uint8_t *p)
{
	return (uint32_t)r16(p) << 16 | r16(p + 2);
}

static inline uint32_t sum16(const uint8_t *p, size_t n, uint32_t sum)
{
	for (size_t i = 0; i + 1 < n; i += 2) {
		sum += r16(p + i);
		sum = (sum & 0xffff) + (sum >> 16);
	}
	if (n & 1)
		sum += (uint32_t)p[n - 1] << 8;
	return (sum & 0xffff) + (sum >> 16);
}

static inline uint16_t sum_done(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~((sum & 0xffff) + (sum >> 16));
}

/** Sum of the pseudo-header of the IP packet at @ip. */
static inline uint32_t pseudo(const uint8_t *ip, unsigned proto, size_t len)
{
	bool v6 = ip[0] >> 4 == 6;
	uint32_t sum = sum16(v6 ? ip + 8 : ip + 12, v6 ? 32 : 8, 0);

	return sum + proto + (uint32_t)(len >> 16) + (uint32_t)(len & 0xffff);
}

/**
 * Ethernet and IP headers from the peer to Rill for @len bytes that stand behind
 * them already.  @frag: the IPv4 fragment field; IPv6 gets a fragment header's
 * worth only by raw frames.  Return: where the payload belongs.
 */
static inline size_t put_headers(uint8_t *f, bool v6, unsigned proto, size_t len,
				 unsigned frag, unsigned ttl)
{
	uint8_t *ip = f + ETH;

	memcpy(f, rill_mac, 6);
	memcpy(f + 6, peer_mac, 6);
	w16(f + 12, v6 ? 0x86dd : 0x0800);
	if (v6) {
		w32(ip, 0x60000000);
		w16(ip + 4, (unsigned)len);
		ip[6] = (uint8_t)proto;
		ip[7] = (uint8_t)ttl;
		memcpy(ip + 8, peer_ip6, 16);
		memcpy(ip + 24, rill_ip6, 16);
		return ETH + 40;
	}
	ip[0] = 0x45;
	ip[1] = 0;
	w16(ip + 2, (unsigned)len + 20);
	w16(ip + 4, 0x1234);
	w16(ip + 6, frag);
	ip[8] = (uint8_t)ttl;
	ip[9] = (uint8_t)proto;
	w16(ip + 10, 0);
	memcpy(ip + 12, peer_ip4, 4);
	memcpy(ip + 16, rill_ip4, 4);
	w16(ip + 10, sum_done(sum16(ip, 20, 0)));
	return ETH + 20;
}

static inline size_t header_len(bool v6)
{
	return ETH + (v6 ? 40 : 20);
}

/** Fill the checksum field at @at of the payload, of a packet made above. */
static inline void put_checksum(uint8_t *f, bool v6, unsigned proto, size_t at, size_t len)
{
	uint8_t *pay = f + header_len(v6);
	bool bare = proto == 1;			/* ICMPv4 has no pseudo-header */

	w16(pay + at, 0);
	w16(pay + at, sum_done(sum16(pay, len, bare ? 0 : pseudo(f + ETH, proto, len))));
}

#endif
