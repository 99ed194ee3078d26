/* SPDX-License-Identifier: MIT */
/* The TCP header and options [RFC9293:3.1], bytes to checked values and back. */
#ifndef RL_WIRE_TCP_HDR_H
#define RL_WIRE_TCP_HDR_H

#include "base/seq.h"

#define TCP_HDR_LEN	20
#define TCP_MAX_OPT	40

enum tcp_flag {
	TH_FIN = 0x01, TH_SYN = 0x02, TH_RST = 0x04, TH_PSH = 0x08,
	TH_ACK = 0x10, TH_URG = 0x20, TH_ECE = 0x40, TH_CWR = 0x80,
};

enum tcp_opt_kind {
	OPT_EOL = 0, OPT_NOP = 1, OPT_MSS = 2, OPT_WSCALE = 3, OPT_SACK_OK = 4,
	OPT_SACK = 5, OPT_TS = 8,
};

struct tcp_hdr {
	uint16_t	sport, dport;
	seq_t		seq, ack;
	uint8_t		hdr_len;	/* bytes with options, 20 to 60 */
	uint8_t		flags;		/* enum tcp_flag */
	uint16_t	win, urg;
};

struct tcp_sack {
	seq_t lo, hi;			/* [lo, hi) */
};

struct tcp_opts {
	uint16_t	mss;		/* 0: absent */
	bool		has_wscale, sack_ok, has_ts;
	uint8_t		wscale, nsack;
	uint32_t	ts_val, ts_ecr;
	struct tcp_sack	sack[4];
};

/** Decode; -EBADMSG when @n bytes are too few or the data offset is impossible. */
int rl_tcp_hdr_parse(struct tcp_hdr *h, const uint8_t *p, size_t n);

/** Write the 20 fixed bytes; the checksum field is left 0. */
void rl_tcp_hdr_write(const struct tcp_hdr *h, uint8_t *p);

/**
 * Decode the options of one segment into @o, which is overwritten.
 * Return: 0, or -EBADMSG when a length is below 2 or runs past the header
 * [RFC9293:MUST-7]; @o then holds what preceded the bad option.
 */
int rl_tcp_opts_parse(struct tcp_opts *o, const uint8_t *p, size_t len);

/**
 * Encode @o, padded by NOP to a multiple of 4; in a SYN in Linux's order
 * (MSS, SACK permitted with timestamps, window scale).  @p holds TCP_MAX_OPT.
 * SACK blocks are written as far as they fit.  Return: bytes.
 */
size_t rl_tcp_opts_write(const struct tcp_opts *o, uint8_t *p);

#endif
