/* SPDX-License-Identifier: MIT */
/*
 * ICMP [RFC792], ICMPv6 [RFC4443], neighbour discovery [RFC4861:4], and the
 * group reports IGMPv2 (RFC 2236) and MLDv1 (RFC 2710).
 */
#ifndef RL_WIRE_ICMP_H
#define RL_WIRE_ICMP_H

#include "wire/eth.h"

#define ICMP_HDR_LEN	8

enum icmp4_type {
	ICMP4_ECHO_REPLY = 0, ICMP4_UNREACH = 3, ICMP4_SOURCE_QUENCH = 4,
	ICMP4_REDIRECT = 5, ICMP4_ECHO = 8, ICMP4_TIME_EXCEEDED = 11,
	ICMP4_PARAM = 12,
};

enum icmp4_unreach_code {
	ICMP4_UNREACH_NET, ICMP4_UNREACH_HOST, ICMP4_UNREACH_PROTO,
	ICMP4_UNREACH_PORT, ICMP4_UNREACH_FRAG,
};

enum icmp6_type {
	ICMP6_UNREACH = 1, ICMP6_TOO_BIG = 2, ICMP6_TIME_EXCEEDED = 3,
	ICMP6_PARAM = 4, ICMP6_FIRST_INFO = 128,
	ICMP6_ECHO = 128, ICMP6_ECHO_REPLY = 129,
	ICMP6_MLD_QUERY = 130, ICMP6_MLD_REPORT = 131, ICMP6_MLD_DONE = 132,
	ICMP6_RS = 133, ICMP6_RA = 134, ICMP6_NS = 135, ICMP6_NA = 136,
	ICMP6_REDIRECT = 137,
};

enum icmp6_unreach_code {
	ICMP6_UNREACH_NOROUTE = 0, ICMP6_UNREACH_ADDR = 3, ICMP6_UNREACH_PORT = 4,
};

enum icmp6_param_code {
	ICMP6_PARAM_HEADER, ICMP6_PARAM_NEXT, ICMP6_PARAM_OPTION, ICMP6_PARAM_CHAIN,
};

struct icmp_hdr {
	uint8_t		type, code;
	uint32_t	rest;		/* bytes 4 to 7 */
};

/** Decode the first 8 bytes; -EBADMSG: too short. */
int rl_icmp_parse(struct icmp_hdr *h, const uint8_t *p, size_t n);

/** Write the 8 bytes; the checksum is left 0. */
void rl_icmp_write(const struct icmp_hdr *h, uint8_t *p);

/* Neighbour solicitation and advertisement. */
#define ND_HDR_LEN	24
#define ND_OPT_LLADDR	8		/* bytes of a link-layer address option */

enum nd_flags { ND_ROUTER = 0x80, ND_SOLICITED = 0x40, ND_OVERRIDE = 0x20 };

struct nd_msg {
	uint8_t		type;		/* ICMP6_NS or ICMP6_NA */
	uint8_t		flags;		/* enum nd_flags; NA only */
	bool		has_mac;	/* source or target link-layer address */
	uint8_t		mac[ETH_ALEN];
	struct rill_ip	target;
};

/**
 * Decode a whole message of @n bytes.  -EBADMSG: too short, code not 0, an
 * option of length 0 [RFC4861-04] or one that runs past the end.
 */
int rl_nd_parse(struct nd_msg *m, const uint8_t *p, size_t n);

/** Write it, checksum 0; @p holds ND_HDR_LEN + ND_OPT_LLADDR.  Return: bytes. */
size_t rl_nd_write(const struct nd_msg *m, uint8_t *p);

#define IGMP_LEN	8

enum igmp_type {
	IGMP_QUERY = 0x11, IGMP_V1_REPORT = 0x12, IGMP_V2_REPORT = 0x16,
	IGMP_LEAVE = 0x17,
};

struct igmp_msg {
	uint8_t		type;
	uint8_t		max_resp;	/* tenths of a second; 0 from version 1 */
	struct rill_ip	group;
};

/** -EBADMSG: too short; -EILSEQ: a wrong checksum over the @n bytes. */
int rl_igmp_parse(struct igmp_msg *m, const uint8_t *p, size_t n);
void rl_igmp_write(const struct igmp_msg *m, uint8_t *p);

#define MLD_LEN		24

struct mld_msg {
	uint8_t		type;
	uint16_t	max_resp_ms;
	struct rill_ip	group;
};

/** The checksum is ICMPv6's and checked before.  -EBADMSG: too short. */
int rl_mld_parse(struct mld_msg *m, const uint8_t *p, size_t n);
void rl_mld_write(const struct mld_msg *m, uint8_t *p);

#endif
