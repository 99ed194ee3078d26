/* SPDX-License-Identifier: MIT */
/* Captured frames of any link: where IP begins, and the TCP segment in it. */
#ifndef RL_LOOK_SEG_H
#define RL_LOOK_SEG_H

#include "wire/tcp_hdr.h"

/* Numbers of libpcap's pcap_datalink() on Linux; see LINKTYPE_ of pcapng too. */
enum look_link {
	LOOK_NULL = 0, LOOK_ETHER = 1, LOOK_RAW = 12, LOOK_RAW_FILE = 101, LOOK_LOOP = 108,
	LOOK_SLL = 113, LOOK_IPV4 = 228, LOOK_IPV6 = 229, LOOK_SLL2 = 276,
};

enum look_pkttype {		/* of the cooked links, Linux's numbers */
	LOOK_IN = 0, LOOK_BROADCAST, LOOK_MULTICAST, LOOK_OTHERHOST, LOOK_OUT,
};

/* What stands below IP. */
struct look_frame {
	uint16_t	ethertype;	/* 0: not known */
	uint32_t	ip_at;		/* where its bytes begin, behind VLAN tags */
	uint32_t	ifindex;	/* LOOK_SLL2; 0: not told */
	uint8_t		pkttype;
	bool		cooked;		/* pkttype is told */
	bool		loopback_out;	/* the other copy of what loopback also receives */
};

struct look_seg {
	int64_t		at_ns;
	struct rill_ip	src, dst;
	uint16_t	sport, dport;
	seq_t		seq, ack;
	uint32_t	len;		/* payload by the headers */
	uint16_t	win;		/* as it stands */
	uint8_t		flags, ttl;
	uint32_t	ifindex;
	bool		copy;		/* what loopback also receives: seen twice */
	const uint8_t	*ip;		/* header, inside of the frame */
	uint32_t	ip_len;		/* captured from there on */
	struct tcp_opts	opt;
};

enum look_kind { LOOK_TCP, LOOK_OTHER, LOOK_FRAGMENT, LOOK_CUT };

bool look_link_known(int link);

/** Return: false when the link's header is not there or says nothing of use. */
bool look_frame(struct look_frame *f, int link, const uint8_t *p, size_t n);

/**
 * look_seg() - the TCP segment in a frame
 * @n:		bytes captured
 * @wire_n:	bytes there were
 *
 * A super-segment whose IP header has no length (0) is as long as @wire_n says.
 * LOOK_FRAGMENT: a part of a datagram, not read; LOOK_CUT: too little is captured.
 */
enum look_kind look_seg(struct look_seg *s, int link, const uint8_t *p, size_t n,
			size_t wire_n);

/* Bytes of the sequence space: payload, SYN, FIN. */
static inline uint32_t look_seg_space(const struct look_seg *s)
{
	return s->len + ((s->flags & TH_SYN) != 0) + ((s->flags & TH_FIN) != 0);
}

#endif
