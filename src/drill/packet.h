/* SPDX-License-Identifier: MIT */
/*
 * Packets between the script's form and bytes, as the packet files share it.
 *
 * packet_bytes.c	script packet -> bytes
 * packet_seen.c	bytes -> struct drill_seen
 * packet_in.c		"<": build and inject
 * packet_out.c		">": take, merge, report		packet_cmp.c compare
 * packet_text.c	both notations
 */
#ifndef RL_DRILL_PACKET_H
#define RL_DRILL_PACKET_H

#include "drill/flow.h"
#include "wire/fmt.h"
#include "wire/tcp_hdr.h"

#define DRILL_PACKET_MAX	65535u	/* bytes from the outermost IP header */
#define DRILL_TEXT_MAX		600

/* Numbers that only scripts need. */
#define DRILL_PROTO_MPLS	137	/* MPLS in IP [RFC4023] */
#define DRILL_ETH_MPLS		0x8847
#define DRILL_FOEXP_MAGIC	0xf989
enum drill_opt_number {			/* kinds of TCP options */
	DRILL_KIND_MD5 = 19, DRILL_KIND_FO = 34, DRILL_KIND_ECN0 = 172,
	DRILL_KIND_ECN1 = 174, DRILL_KIND_EXP = 254,
};

/* ---- to bytes ---- */

/* What a packet has on the wire beyond, or instead of, the script's values. */
struct drill_wire {
	struct rill_addr src, dst;
	uint32_t	seq, ack;
	uint8_t		opts[TCP_MAX_OPT];
	size_t		nopts;
	/* what an ICMP error quotes: from the stack to its peer */
	struct rill_addr quoted_src, quoted_dst;
	uint32_t	quoted_seq;
};

/** One option, 0 bytes if it would not fit into @size. */
size_t rl_drill_opt_write(const struct drill_opt *o, uint8_t *out, size_t size);

/** Whole packet with checksums.  Return: bytes; 0: more than @size. */
size_t rl_drill_build(const struct drill_packet *p, const struct drill_wire *w,
		      uint8_t *buf, size_t size);

/* ---- from bytes ---- */

struct drill_layer {			/* an IP, GRE or MPLS header */
	enum drill_encap_kind kind;
	bool		cksum_bad, fragment;
	uint16_t	next;		/* protocol, next header, or EtherType */
	size_t		hdr, total;	/* bytes; total with all that is inside */
};

struct drill_seen {
	struct drill_packet p;		/* script values after rl_drill_seen_map() */
	struct drill_layer layer[DRILL_LAYERS + 1];	/* the last is p.ip's */
	unsigned	nlayers;
	bool		known;		/* TCP, UDP or ICMP */
	struct rill_addr src, dst;	/* innermost, live */
	uint32_t	live_seq, live_ack;
	uint8_t		reserved;	/* TCP's three bits */
	size_t		l4_hdr, data_len;
	bool		data_zero, opts_bad;
	bool		sum_bad;	/* of TCP, UDP or ICMP */
	struct drill_opt opts[TCP_MAX_OPT];
	unsigned	nopts;
	int64_t		at_us;		/* script time */
	unsigned	pieces;		/* that were merged */
};

/** Live values.  0, or -1 with @why. */
int rl_drill_seen_parse(struct drill_seen *s, const uint8_t *bytes, size_t n,
			char *why, size_t why_len);
/** Outbound packet: its numbers become the script's. */
void rl_drill_seen_map(struct drill_seen *s, const struct drill_flow *f);
void rl_drill_seen_copy(struct drill_seen *to, const struct drill_seen *from);

/* ---- the socket under test ---- */

/** An inbound line: whose packet it is, what it teaches.  0 or -1 (failed). */
int rl_drill_flow_inbound(struct drill_run *r, const struct drill_packet *p);
/** It was injected with these numbers. */
void rl_drill_flow_injected(struct drill_flow *f, const struct drill_packet *p,
			    const struct drill_wire *w);
/** An outbound line, before its packet is awaited.  0 or -1 (failed). */
int rl_drill_flow_expect(struct drill_run *r, const struct drill_packet *p);
/** Whether @s, which left, counts for this line; learns from it. */
bool rl_drill_flow_takes(struct drill_run *r, const struct drill_packet *p,
			 const struct drill_seen *s);
/** A packet that no line took, with the script's numbers; learns nothing. */
void rl_drill_flow_unmap(const struct drill_run *r, struct drill_seen *s);
/** Remember the timestamp of a packet that counts. */
void rl_drill_flow_learn_ts(struct drill_flow *f, const struct drill_packet *p,
			    const struct drill_seen *s);
/** Live TS ecr for the script's.  False: no packet had this TS val. */
bool rl_drill_flow_ecr(const struct drill_run *r, uint32_t script, uint32_t *live);
/** The stack's end and the peer's, as far as they are known. */
struct rill_addr rl_drill_flow_local(const struct drill_run *r);
struct rill_addr rl_drill_flow_remote(const struct drill_run *r);

/* ---- comparison ---- */

enum drill_field {			/* in the order of both notations */
	DRILL_F_HEADERS, DRILL_F_IP, DRILL_F_FLAGS, DRILL_F_SEQ, DRILL_F_ACK,
	DRILL_F_WIN, DRILL_F_URG, DRILL_F_OPTS, DRILL_F_LEN,
};

struct drill_diff {
	char		what[200];	/* the first difference; "" when equal */
	uint32_t	fields;		/* 1 << enum drill_field: all that differ */
	uint64_t	opts;		/* which options, if not the whole list */
	bool		v6;
};

/**
 * @part: @s is the beginning of what is expected; lengths and what the pieces of
 * a super-segment need not have in common are not looked at.
 */
void rl_drill_compare(struct drill_run *r, const struct drill_packet *p,
		      const struct drill_seen *s, bool part, struct drill_diff *d);

/* ---- text ---- */

/** As in a script, without the time: "< S 0:0(0) win 1000 <mss 1460>". */
void rl_drill_text_script(char *buf, size_t size, const struct drill_packet *p, bool v6);
void rl_drill_text_opt(struct rl_text *t, const struct drill_opt *o);

/**
 * As tcpdump, with the script's numbers; what @d names is shown in any case, and
 * @marks (of @size bytes too) gets ^^^ under it.  @ref tells which fields of the
 * IP header are of interest.
 */
void rl_drill_text_tcpdump(char *buf, char *marks, size_t size,
			   const struct drill_packet *p, const struct drill_packet *ref,
			   const struct drill_diff *d);

/** What the two bits of a ToS byte say. */
enum drill_ecn rl_drill_ecn_of(uint8_t tos);

/** Note one packet at script time @us. */
void rl_drill_note(struct drill_run *r, int64_t us, const struct drill_packet *p);

#endif
