/* SPDX-License-Identifier: MIT */
/* The IPv6 header [RFC8200:3] and what its extension headers have in common. */
#ifndef RL_WIRE_IPV6_H
#define RL_WIRE_IPV6_H

#include "base/types.h"

#define IPV6_HDR_LEN	40
#define IPV6_FRAG_LEN	8
#define IPV6_MIN_MTU	1280

struct ipv6_hdr {
	uint8_t		tclass, next, hop_limit;
	uint32_t	flow_label;	/* 20 bits */
	uint16_t	payload_len;	/* 0: super-segment above 64 KiB */
	struct rill_ip	src, dst;
};

/** Decode; -EBADMSG: too short; -EPROTONOSUPPORT: another version. */
int rl_ipv6_parse(struct ipv6_hdr *h, const uint8_t *p, size_t n);
void rl_ipv6_write(const struct ipv6_hdr *h, uint8_t *p);

/** Length in bytes of the extension header at @p, of which 2 bytes are there. */
static inline uint32_t rl_ipv6_ext_len(const uint8_t *p)
{
	return (p[1] + 1u) * 8u;
}

struct ipv6_frag {
	uint8_t		next;
	bool		more;
	uint16_t	off;		/* bytes */
	uint32_t	id;
};

/** @p: IPV6_FRAG_LEN bytes. */
void rl_ipv6_frag_parse(struct ipv6_frag *f, const uint8_t *p);
void rl_ipv6_frag_write(const struct ipv6_frag *f, uint8_t *p);

/* What to do about the options of one header [RFC8200:4.2]. */
enum ipv6_opt_verdict {
	IPV6_OPT_OK,
	IPV6_OPT_MALFORMED,
	IPV6_OPT_DROP,			/* 01 */
	IPV6_OPT_REPORT,		/* 10: and parameter problem 2 */
	IPV6_OPT_REPORT_UNICAST,	/* 11: the same unless multicast */
};

/**
 * Look through the hop-by-hop or destination options header at @p of @n bytes.
 * @at gets the offset of the offending option in the header.
 */
enum ipv6_opt_verdict rl_ipv6_opts_check(const uint8_t *p, uint32_t n, uint32_t *at);

#endif
