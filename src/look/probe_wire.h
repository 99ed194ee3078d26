/* SPDX-License-Identifier: MIT */
/* Probes as bytes, and the bytes of answers.  Hostile input: fuzz/probe.c. */
#ifndef RL_LOOK_PROBE_WIRE_H
#define RL_LOOK_PROBE_WIRE_H

#include "look/probe.h"

#define PROBE_BYTES	65536		/* no probe is longer */
#define PROBE_MIN_SIZE	4		/* payload that names the probe */

struct probe_wire {
	enum probe_kind	kind;
	bool		v6;
	bool		raw;		/* we write the transport header, not the kernel */
	uint16_t	id;		/* ICMP: identifier, when raw */
	uint16_t	sport, dport;	/* UDP, TCP: host order */
	struct rill_ip	src, dst;
	uint32_t	size;		/* payload, PROBE_MIN_SIZE or more */
};

/**
 * Write probe @seq to @buf (PROBE_BYTES).  Return: bytes.
 *
 * What routers choose a path by never changes from probe to probe: addresses,
 * ports, and the first four bytes behind the IP header.  ICMP: the payload begins
 * with the complement of the sequence number, so that the checksum stays.  UDP:
 * the payload begins with the number, so the checksum, which nobody hashes, names
 * the probe even where only 8 bytes are quoted.  TCP: the sequence number does.
 */
size_t probe_build(const struct probe_wire *w, uint16_t seq, uint8_t *buf);

/**
 * A packet that was received: is it an answer to one of our probes?  Fills @a but
 * for its time, address and TTL (which an IPv4 header in front of it gives).
 */
bool probe_read_reply(const struct probe_wire *w, const uint8_t *p, size_t n,
		      struct probe_answer *a);

/** A quote of a probe, from its transport header on (UDP not raw: behind it). */
bool probe_read_quote(const struct probe_wire *w, const uint8_t *p, size_t n,
		      struct probe_answer *a);

#endif
