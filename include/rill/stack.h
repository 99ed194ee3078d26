/* SPDX-License-Identifier: MIT */
/*
 * Rill's stack without I/O: time and packets go in, packets and events come
 * out.  One thread at a time may use a stack; two stacks share nothing.  Calls
 * run to completion and never call out: replies wait for rill_stack_output(),
 * readiness for rill_stack_event().
 *
 * Every int or ssize function returns a value >= 0 or a negative errno value.
 */
#ifndef RILL_STACK_H
#define RILL_STACK_H

#include "rill/types.h"
#include "rill/config.h"
#include "rill/info.h"

#ifdef __cplusplus
extern "C" {
#endif

struct rill_stack;
struct rill_pkt;

/** Where a stack's memory comes from; alloc returns NULL when there is none. */
struct rill_allocator {
	void *(*alloc)(void *ctx, size_t n);
	void (*free)(void *ctx, void *p, size_t n);
	void *ctx;
};

struct rill_stack_params {
	struct rill_allocator	mem;
	uint64_t		mem_max;	/* bytes; 0: no cap of its own */
	uint8_t			seed[32];	/* all randomness comes from here */
	int64_t			now_ns;		/* monotonic time at creation */
	uint32_t		trace_events;	/* size of the event trace; 0: none */
};

/** -ENOMEM; -EINVAL: no allocator. */
RILL_API RILL_MUST_USE int rill_stack_create(const struct rill_stack_params *par,
					     struct rill_stack **out);
RILL_API void rill_stack_destroy(struct rill_stack *st);

/* ---- time ---- */

/**
 * Tell the time (ns, monotonic; an earlier one than before counts as the same)
 * and run what is due: retransmissions, keepalives, TIME_WAIT, ARP, reassembly.
 */
RILL_API void rill_stack_advance(struct rill_stack *st, int64_t now_ns);

/** When rill_stack_advance() must next run; INT64_MAX for never. */
RILL_API int64_t rill_stack_deadline(const struct rill_stack *st);

/* ---- interfaces, addresses, routes ---- */

enum rill_if_flags {
	RILL_IF_ETHER	 = 1 << 0,	/* Ethernet frames; otherwise bare IP */
	RILL_IF_TX_CSUM	 = 1 << 1,	/* device completes partial checksums */
	RILL_IF_TSO4	 = 1 << 2,	/* device cuts TCP super-segments (IPv4) */
	RILL_IF_TSO6	 = 1 << 3,
	RILL_IF_NO_DAD	 = 1 << 4,	/* use IPv6 addresses without asking first */
};

struct rill_if_params {
	char		name[16];
	uint32_t	mtu;		/* 68 (IPv4 only) or 1280 to 65535 */
	uint32_t	flags;		/* enum rill_if_flags */
	uint32_t	gso_max;	/* largest super-segment with headers; 0: 65536 */
	uint8_t		mac[6];
};

/** Return: interface index (from 1); -EINVAL: MTU or name; -ENOSPC: too many. */
RILL_API int rill_if_add(struct rill_stack *st, const struct rill_if_params *par);

/**
 * Give an interface an address and the prefix it is on.  An IPv6 address is used
 * after duplicate address detection [RFC4862:5.4] unless RILL_IF_NO_DAD.
 * Errors: -ENODEV, -EINVAL (prefix length, multicast or any-address), -EEXIST,
 * -ENOSPC.
 */
RILL_API int rill_if_addr_add(struct rill_stack *st, int ifindex,
			      const struct rill_ip *ip, unsigned prefix_len);

/**
 * Route for @dst/@prefix_len through @gateway (NULL: on link) on @ifindex (0:
 * found by the gateway).  Errors: -ENETUNREACH (gateway is not on a link),
 * -EINVAL, -EEXIST, -ENOSPC.
 */
RILL_API int rill_route_add(struct rill_stack *st, const struct rill_ip *dst,
			    unsigned prefix_len, const struct rill_ip *gateway,
			    int ifindex);

/** Fix a neighbour's link-layer address. -ENODEV, -EINVAL, -ENOMEM. */
RILL_API int rill_neigh_add(struct rill_stack *st, int ifindex,
			    const struct rill_ip *ip, const uint8_t mac[6]);

/* ---- packets in and out ---- */

/**
 * rill_stack_input() - hand one received frame to the stack
 * @now_ns:	as for rill_stack_advance(), which is implied
 * @ifindex:	interface the frame arrived on
 * @frame:	link header first; copied
 *
 * A malformed frame is no error; its drop reason is counted.
 * Return: 0; -ENODEV: unknown @ifindex; -ENOBUFS: no memory; -EMSGSIZE: longer
 * than the largest block (66 KB).
 */
RILL_API int rill_stack_input(struct rill_stack *st, int64_t now_ns, int ifindex,
			      const void *frame, size_t len);

/**
 * The same for packets filled by a device: takes over @n packets.  ACKs for the
 * whole batch are aggregated [RFC9293:MUST-58].
 */
RILL_API int rill_stack_input_pkts(struct rill_stack *st, int64_t now_ns, int ifindex,
				   struct rill_pkt **pkts, int n);

/**
 * Take up to @n packets to be sent by @ifindex (0: any).  The caller owns them
 * and gives each back by rill_pkt_put().
 */
RILL_API int rill_stack_output(struct rill_stack *st, int ifindex,
			       struct rill_pkt **pkts, int n);
RILL_API void rill_pkt_put(struct rill_stack *st, struct rill_pkt *p);

/** Copy a packet's bytes, at most @n.  Return: its length. */
RILL_API size_t rill_pkt_bytes(const struct rill_pkt *p, void *to, size_t n);
RILL_API int rill_pkt_ifindex(const struct rill_pkt *p);

/* ---- events ---- */

enum rill_event_bits {		/* the values of poll(2) */
	RILL_IN		= 0x001,
	RILL_PRI	= 0x002,
	RILL_OUT	= 0x004,
	RILL_ERR	= 0x008,
	RILL_HUP	= 0x010,
	RILL_RDHUP	= 0x2000,
};

struct rill_event {
	rill_id		id;
	uint64_t	user;		/* as given when the endpoint was made */
	uint32_t	bits;		/* what may have become true since the last one */
};

/** Take the oldest event.  Return: 1, or 0 when there is none. */
RILL_API int rill_stack_event(struct rill_stack *st, struct rill_event *ev);

/* ---- TCP endpoints: RFC 9293 3.9.1 with the names of POSIX ---- */

/** A new endpoint in CLOSED. -ENOMEM, -ENFILE (the stack's limit is reached). */
RILL_API int rill_tcp_open(struct rill_stack *st, uint64_t user, rill_id *out);

enum rill_bind_flags {
	RILL_BIND_V6ONLY	= 1 << 0,	/* :: does not include IPv4 */
	RILL_BIND_V4		= 1 << 1,	/* AF_INET socket: the any-address is 0.0.0.0 */
};

/**
 * Fix the local address and port; port 0: one from ip_local_port_range.
 * Errors: -EADDRNOTAVAIL (not ours), -EADDRINUSE, -EINVAL (bound already),
 * -EBADF.
 */
RILL_API int rill_tcp_bind(struct rill_stack *st, rill_id id,
			   const struct rill_addr *local, unsigned flags);

/**
 * CLOSED to LISTEN, or another backlog.  @backlog is cut to somaxconn.
 * Errors: -EADDRINUSE, -EINVAL (connected), -ENOMEM.
 */
RILL_API int rill_tcp_listen(struct rill_stack *st, rill_id id, int backlog);

/**
 * The oldest finished connection of a listener.
 * Errors: -EAGAIN (none), -EINVAL (not listening).
 */
RILL_API int rill_tcp_accept(struct rill_stack *st, rill_id id, uint64_t user,
			     rill_id *child, struct rill_addr *peer);

/**
 * Active open.  Also from LISTEN [RFC9293:3.10.1].
 * Errors: -EINPROGRESS (the normal case), -EALREADY, -EISCONN, -ENETUNREACH,
 * -EADDRNOTAVAIL (no port or no address), -EADDRINUSE, -EACCES (broadcast),
 * -EINVAL, -ENOBUFS.
 */
RILL_API int rill_tcp_connect(struct rill_stack *st, rill_id id,
			      const struct rill_addr *peer, unsigned flags);

enum rill_msg_flags {		/* the values of send(2) and recv(2) on Linux */
	RILL_MSG_OOB		= 0x1,
	RILL_MSG_PEEK		= 0x2,
	RILL_MSG_TRUNC		= 0x20,
	RILL_MSG_DONTWAIT	= 0x40,
	RILL_MSG_WAITALL	= 0x100,
	RILL_MSG_NOSIGNAL	= 0x4000,
	RILL_MSG_MORE		= 0x8000,
};

/**
 * Queue bytes for sending.  Return: bytes taken, or -EAGAIN (buffer full, or
 * not connected yet), -EPIPE (sending side closed), -ENOTCONN, -ENOBUFS, or the
 * connection's pending error (-ECONNRESET, -ETIMEDOUT, ...).
 */
RILL_API int64_t rill_tcp_send(struct rill_stack *st, rill_id id,
			       const struct rill_iov *iov, int n, unsigned flags);

/**
 * Take received bytes.  Return: bytes; 0 at the end of the stream; -EAGAIN,
 * -ENOTCONN, -EINVAL (MSG_OOB without urgent data), or the pending error.
 */
RILL_API int64_t rill_tcp_recv(struct rill_stack *st, rill_id id,
			       const struct rill_iov *iov, int n, unsigned flags);

enum rill_shut { RILL_SHUT_RD, RILL_SHUT_WR, RILL_SHUT_RDWR };

/** Half-close. -ENOTCONN. */
RILL_API int rill_tcp_shutdown(struct rill_stack *st, rill_id id, enum rill_shut how);

/**
 * Give the endpoint up.  Queued data is still delivered, then FIN; RST instead
 * when received bytes were left unread [RFC9293:SHLD-3] or linger is 0.  The id
 * is invalid afterwards.
 */
RILL_API int rill_tcp_close(struct rill_stack *st, rill_id id);

/** RST to the peer, queues thrown away [RFC9293:3.10.5].  The id is invalid. */
RILL_API int rill_tcp_abort(struct rill_stack *st, rill_id id);

/**
 * The same from outside (`rill ss -K`): the endpoint stays with its owner, in
 * CLOSED, and reports ECONNABORTED; one that was closed already is gone.  -EBADF:
 * no such endpoint; half-open peers and TIME_WAIT are none.
 */
RILL_API int rill_tcp_kill(struct rill_stack *st, rill_id id);

/** What is true now, in bits of enum rill_event_bits. */
RILL_API int rill_tcp_poll(struct rill_stack *st, rill_id id);

/** Local and remote name. -ENOTCONN: no peer. */
RILL_API int rill_tcp_local(struct rill_stack *st, rill_id id, struct rill_addr *a);
RILL_API int rill_tcp_peer(struct rill_stack *st, rill_id id, struct rill_addr *a);

/* ---- UDP endpoints ---- */

RILL_API int rill_udp_open(struct rill_stack *st, uint64_t user, rill_id *out);
RILL_API int rill_udp_bind(struct rill_stack *st, rill_id id,
			   const struct rill_addr *local, unsigned flags);

/** @peer NULL: dissolve the association. */
RILL_API int rill_udp_connect(struct rill_stack *st, rill_id id,
			      const struct rill_addr *peer, unsigned flags);

/**
 * Send one datagram; @to NULL: to the connected peer.
 * Errors: -EDESTADDRREQ, -EMSGSIZE (above 65507, 65527 for IPv6), -EACCES
 * (broadcast without SO_BROADCAST), -ENETUNREACH, -EHOSTUNREACH, -ECONNREFUSED
 * (an earlier datagram was answered by port unreachable), -ENOBUFS, -EAGAIN.
 */
RILL_API int64_t rill_udp_send(struct rill_stack *st, rill_id id,
			       const struct rill_iov *iov, int n,
			       const struct rill_addr *to, unsigned flags);

struct rill_udp_meta {		/* about a received datagram */
	struct rill_addr	from, to;
	uint8_t			ttl, tos;
	bool			truncated;
	uint32_t		len;		/* true length */
};

/** Take one datagram.  Return: bytes copied, -EAGAIN, or the pending error. */
RILL_API int64_t rill_udp_recv(struct rill_stack *st, rill_id id,
			       const struct rill_iov *iov, int n,
			       struct rill_udp_meta *meta, unsigned flags);

/** An ICMP error that a datagram brought back, kept by IP_RECVERR, IPV6_RECVERR. */
struct rill_sock_err {
	struct rill_addr	to;		/* of the datagram; ping sockets: port 0 */
	struct rill_ip		from;		/* who reports; ourselves: no neighbour */
	int			err;		/* errno value, positive */
	uint8_t			type, code;	/* ICMP's, or ICMPv6's when @v6 */
	bool			v6, truncated;
	uint32_t		mtu;		/* of "too big" */
	uint32_t		len;		/* true length of the quote */
};

/**
 * Take the oldest one; the data is the datagram as far as it was quoted.
 * Return: bytes copied; -EAGAIN: there is none.
 */
RILL_API int64_t rill_udp_recverr(struct rill_stack *st, rill_id id,
				  const struct rill_iov *iov, int n,
				  struct rill_sock_err *err);

/**
 * A ping socket as Linux's: an endpoint for all rill_udp_...() calls whose port is
 * the echo identifier and whose datagrams are ICMP messages, header first.  Sent are
 * echo requests alone (-EINVAL for others), with identifier and checksum filled in;
 * received are the replies to that identifier.  @family: 4 or 6.
 * Errors: those of rill_udp_open(), -EAFNOSUPPORT.
 */
RILL_API int rill_ping_open(struct rill_stack *st, uint64_t user, int family, rill_id *out);

RILL_API int rill_udp_shutdown(struct rill_stack *st, rill_id id, enum rill_shut how);
RILL_API int rill_udp_close(struct rill_stack *st, rill_id id);
RILL_API int rill_udp_poll(struct rill_stack *st, rill_id id);
RILL_API int rill_udp_local(struct rill_stack *st, rill_id id, struct rill_addr *a);
RILL_API int rill_udp_peer(struct rill_stack *st, rill_id id, struct rill_addr *a);

/* ---- options, by Linux's level and name numbers ---- */

/**
 * setsockopt and getsockopt of an endpoint of either kind.  The list, with
 * ranges and help, is src/sock/sockopts.def (`rill sysctl --options`).
 * Errors: -ENOPROTOOPT (unknown, or not supported), -EINVAL (value or length),
 * -EBADF, -EDOM, -EISCONN, as Linux gives them.
 */
RILL_API int rill_stack_setsockopt(struct rill_stack *st, rill_id id, int level,
				   int name, const void *val, size_t len);
RILL_API int rill_stack_getsockopt(struct rill_stack *st, rill_id id, int level,
				   int name, void *val, size_t *len);

/** ioctl: SIOCINQ, SIOCOUTQ, SIOCOUTQNSD, SIOCATMARK.  -EINVAL: another one. */
RILL_API int rill_ioctl_int(struct rill_stack *st, rill_id id, unsigned long req, int *val);

/* ---- looking ---- */

/** One endpoint as `rill ss` shows it; units as in rill/info.h. */
struct rill_conn {
	rill_id			id;
	uint64_t		user;
	uint8_t			proto;		/* 6 or 17 */
	uint8_t			family;		/* 4, 6, or 0 for both */
	uint8_t			state;		/* enum rill_tcp_state */
	bool			half_open;	/* in a SYN queue */
	bool			orphan;		/* closed by the application */
	struct rill_addr	local, peer;
	uint32_t		recv_q, send_q;	/* as ss: queues, or accept queue and limit */
	uint8_t			timer;		/* enum rill_timer_kind */
	int64_t			timer_ns;	/* until it fires */
	uint32_t		timer_tries;
	int64_t			state_age_ns;	/* in this state since */
	uint8_t			hold;		/* why it sends nothing: rill_hold_name() */
	uint32_t		rcvbuf, sndbuf;
	bool			v6only;
	uint8_t			shutdown;	/* 1: receiving ended here, 2: sending ended here */
	bool			eof, eof_read;	/* the peer's FIN is here; the application knows */
	uint8_t			tos;
	bool			keepalive;	/* and its numbers, which count when it is on */
	int32_t			keepidle_s, keepintvl_s, keepcnt;
	uint32_t		user_timeout_ms;	/* 0: none */
	/* listeners: half-open peers and their limit, and how often a queue was full */
	uint32_t		syn_q, syn_q_max;
	uint32_t		accept_overflows, syn_drops;
	bool			has_info;
	struct rill_tcp_info	info;		/* full connections only */
};

enum rill_tcp_state {		/* Linux's numbers, as in tcpi_state */
	RILL_ESTABLISHED = 1, RILL_SYN_SENT, RILL_SYN_RECV, RILL_FIN_WAIT1,
	RILL_FIN_WAIT2, RILL_TIME_WAIT, RILL_CLOSE, RILL_CLOSE_WAIT, RILL_LAST_ACK,
	RILL_LISTEN, RILL_CLOSING, RILL_TCP_STATES
};

enum rill_timer_kind {
	RILL_TMR_NONE, RILL_TMR_RTX, RILL_TMR_KEEP, RILL_TMR_TIMEWAIT,
	RILL_TMR_PERSIST, RILL_TMR_DELACK
};

/**
 * Walk over all endpoints: *@cursor is 0 at first and goes on from call to call.
 * Return: how many of @max were filled; 0 at the end.
 */
RILL_API int rill_stack_conns(struct rill_stack *st, uint64_t *cursor,
			      struct rill_conn *conns, int max);

/**
 * The one with that four-tuple, in a SYN queue or TIME-WAIT too; ports and addresses
 * count, interfaces don't.  -ENOENT.
 */
RILL_API int rill_stack_find(struct rill_stack *st, const struct rill_addr *local,
			     const struct rill_addr *peer, struct rill_conn *out);

/** How many are in each state, half-open peers under RILL_SYN_RECV. */
RILL_API void rill_stack_state_counts(struct rill_stack *st,
				      uint32_t n[RILL_TCP_STATES]);

/* ---- connections that ended ---- */

/** How a connection ended. */
enum rill_end {
#define END(id, name, closer, help)	RILL_END_##id,
#include "rill/ends.def"
#undef END
	RILL_END_N
};

enum rill_side { RILL_SIDE_NOBODY, RILL_SIDE_LOCAL, RILL_SIDE_PEER, RILL_SIDE_BOTH };

/** One that ended; times are those of the stack's clock. */
struct rill_history {
	rill_id			id;		/* as it was */
	uint64_t		user;
	struct rill_addr	local, peer;
#define HIST(type, name, unit, help)	type name;
#define HIST_NAME(name, names, help)	uint8_t name;
#include "rill/history.def"
#undef HIST
#undef HIST_NAME
	uint64_t		in_us[RILL_TCP_STATES];	/* time in each state */
};

/**
 * Connections that ended, the oldest first; the stack keeps the last
 * net.rill.history_max of them.  Half-open peers of a listener that never became
 * connections are none.  One in TIME-WAIT is there already; its time in that state is
 * booked when it is over.  *@after is the number of the last record seen, 0 at first.
 * Return: how many of @max were filled, 0 when there is none behind *@after.
 */
RILL_API int rill_stack_history(const struct rill_stack *st, uint64_t *after,
				struct rill_history *out, int max);

struct rill_named_u64 {
	const char	*name, *unit, *help;
	uint64_t	value;
};

/**
 * Counters, drop reasons ("drop.NAME"), hold reasons ("hold.NAME") and pools
 * ("pool.NAME"), by number from 0.  Return: 1, or 0 behind the last.
 */
RILL_API int rill_stack_counter(const struct rill_stack *st, unsigned i,
				struct rill_named_u64 *out);

/**
 * Tunables by Linux's name.  -ENOENT: unknown; -EOPNOTSUPP: refused, the reason is
 * rill_sysctl_refusal(); -EINVAL: no such value; -ERANGE; -EROFS.
 */
RILL_API int rill_sysctl_set(struct rill_stack *st, const char *name, const char *value);
RILL_API int rill_sysctl_get(struct rill_stack *st, const char *name, char *buf, size_t n);

/** One event of the trace. */
struct rill_trace {
	int64_t			at_ns;
	uint8_t			kind;		/* enum rill_trace_kind */
	uint8_t			a, b;		/* states, drop or hold reason */
	rill_id			id;
	struct rill_addr	local, peer;
};

enum rill_trace_kind { RILL_TR_STATE, RILL_TR_DROP };

/** Trace from now on into a ring of @events, 0: no more.  Old ones are lost.  -ENOMEM. */
RILL_API int rill_stack_trace_events(struct rill_stack *st, uint32_t events);

/** How many were overwritten before they were taken, since the last call. */
RILL_API uint64_t rill_stack_trace_lost(struct rill_stack *st);

/** Take the oldest traced event.  Return: 1, or 0 when there is none. */
RILL_API int rill_stack_trace(struct rill_stack *st, struct rill_trace *out);

/** Names of lists: state as RFC 9293 writes it, as ss prints it; reasons. */
RILL_API const char *rill_state_name(int state);
RILL_API const char *rill_state_ss(int state);
RILL_API const char *rill_drop_name(int reason);
RILL_API const char *rill_hold_name(int reason);
RILL_API const char *rill_end_name(int end);
RILL_API const char *rill_end_help(int end);
RILL_API const char *rill_side_name(int side);

#ifdef __cplusplus
}
#endif
#endif
