/* SPDX-License-Identifier: MIT */
/* Frames as one line of text in tcpdump's notation, and the builder for it. */
#ifndef RL_WIRE_FMT_H
#define RL_WIRE_FMT_H

#include "base/types.h"

/* Text that grows in the caller's buffer, cut at its end, always terminated. */
struct rl_text {
	char	*buf;
	size_t	size, len;
};

void rl_text_init(struct rl_text *t, char *buf, size_t size);
void rl_text_str(struct rl_text *t, const char *s);
void rl_text_dec(struct rl_text *t, uint32_t v);
void rl_text_hex(struct rl_text *t, const uint8_t *p, size_t n);	/* no 0x */
void rl_text_mac(struct rl_text *t, const uint8_t *mac);
void rl_text_ip4(struct rl_text *t, const uint8_t *ip);
void rl_text_ip6(struct rl_text *t, const uint8_t *ip);		/* RFC 5952 */

#define RL_FMT_MAX	512	/* a buffer that takes every line */

/**
 * rl_fmt_frame() - describe one frame as tcpdump -n -S does
 * @ether:	an Ethernet header stands in front; otherwise IP is first
 *
 * Any bytes may be given; what is missing shows as [|tcp] and the like.
 * Return: length of the text, without its end.
 */
size_t rl_fmt_frame(char *buf, size_t size, const uint8_t *frame, size_t n, bool ether);

/* How to write it; all 0: IP is first, absolute numbers. */
struct rl_fmt_how {
	bool		ether;		/* an Ethernet header stands in front */
	bool		quiet;		/* protocol and length only, as tcpdump -q */
	uint16_t	ethertype;	/* without that header: IP, ARP; 0: IP of either version */
	uint32_t	seq0, ack0;	/* numbers of a TCP segment and of its ACKs count from */
	const char	*(*port)(uint16_t port, bool tcp);	/* its name; NULL: none */
};

/** rl_fmt_frame_how() - the same, otherwise: see struct rl_fmt_how */
size_t rl_fmt_frame_how(char *buf, size_t size, const uint8_t *frame, size_t n,
			const struct rl_fmt_how *how);

/* Between fmt.c and fmt_icmp.c: bytes that are there, and how many should be. */
struct rl_view {
	const uint8_t	*p;
	size_t		n;		/* captured */
	size_t		len;		/* by the headers; n <= len */
};

void rl_fmt_icmp4(struct rl_text *t, struct rl_view v);
void rl_fmt_icmp6(struct rl_text *t, struct rl_view v);
void rl_fmt_igmp(struct rl_text *t, struct rl_view v);
const char *rl_fmt_proto(uint8_t proto);	/* or NULL */

#endif
