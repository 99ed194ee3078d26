/* SPDX-License-Identifier: MIT */
/*
 * Two fixtures for TCP in virtual time.
 *
 * struct fix: one stack at 10.0.0.1 (fd00::1) on a bare-IP interface; the test
 * is the peer, 10.0.0.2 (fd00::2), and writes segments by hand.  Sequence numbers
 * are relative, as in a packet script: 0 is the SYN of each side.
 *
 * struct duo: two stacks joined by a wire with a delay and a hook that may drop.
 */
#ifndef RL_TCP_FIX_H
#define RL_TCP_FIX_H

#include "rl_test.h"
#include "rill/stack.h"
#include "wire/tcp_hdr.h"

#define FIX_PORT	80		/* of the stack under test */
#define FIX_PEER_PORT	1234

struct out_seg {			/* a segment the stack sent */
	bool	 there;
	uint8_t	 flags;
	uint32_t seq, ack;		/* relative */
	uint16_t win, urg;
	uint32_t len, gso_size;
	uint16_t sport, dport;
	struct tcp_opts o;
	uint8_t	 data[64];		/* first payload bytes */
	uint8_t	 tos, ttl;
	bool	 df;			/* IPv4 */
	bool	 csum_ok;
};

struct fix {
	struct rill_stack *st;
	int64_t	 now_ns;
	bool	 v6;
	int	 ifindex;
	uint16_t lport, rport;
	uint32_t iss, irs;		/* of the stack, of the peer: absolute */
	bool	 got_iss, peer_ts;
	uint32_t ts_val, ts_ecr;	/* the peer's clock; last TSval of the stack */
	rill_id	 listener, fd;		/* fd: the accepted or connected endpoint */
	uint64_t alloc_n, alloc_fail_at; /* the N-th allocation fails; 0: none */
	bool	 alloc_dead;		/* all of them fail */
	uint64_t live_bytes;		/* allocated, not freed */
	uint16_t mtu;
	bool	 may_fail;		/* memory runs out: calls are not checked */
	/* where fix_reach() left the numbers, relative */
	uint32_t rcv_nxt, snd_una, snd_nxt;
};

/* What an injected segment has beside its numbers; zero: nothing. */
struct in_opts {
	const uint8_t *bytes;		/* options as they stand in the header */
	size_t	 n;
	bool	 no_ts, bad_csum;
	uint16_t urg;
	uint8_t	 ttl, tos;
	bool	 ts_set;		/* use ts_val instead of the clock */
	uint32_t ts_val;
	uint32_t ts_ecr;		/* not 0: instead of the last TSval seen */
	bool	 data_off_set;
	uint8_t	 data_off;		/* in 32-bit words, as it stands in the header */
	uint32_t cut;			/* bytes missing at the end of the TCP header */
	const struct rill_ip *src, *dst; /* other addresses */
};

void fix_init(struct fix *f, bool v6);
void fix_init_mtu(struct fix *f, bool v6, unsigned mtu);
/** The clock stands at @now_ns; the others begin at 1000 s. */
void fix_init_at(struct fix *f, bool v6, unsigned mtu, int64_t now_ns);
/** Fails when memory or endpoints are left behind. */
void fix_done(struct fix *f);
void fix_sysctl(struct fix *f, const char *name, const char *value);

/** Make the time pass in steps, so that every timer fires at its time. */
void fix_advance_ms(struct fix *f, int64_t ms);

/** A segment from the peer; flags as "S", "S.", ".", "P.", "F.", "R", "R.", ... */
void fix_in(struct fix *f, const char *flags, uint32_t seq, uint32_t len, uint32_t ack,
	    uint16_t win);
void fix_in_opts(struct fix *f, const char *flags, uint32_t seq, uint32_t len,
		 uint32_t ack, uint16_t win, const struct in_opts *x);

/**
 * An ICMP error from the peer (or a router: the same to us) that quotes a
 * segment of this connection with number @seq.
 */
void fix_icmp(struct fix *f, uint8_t type, uint8_t code, uint32_t seq, uint32_t mtu);

/** The next segment the stack sends; there == false: nothing. */
struct out_seg fix_out(struct fix *f);
/** Next segment must be that; len UINT32_MAX: any. */
void fix_expect(struct fix *f, const char *label, const char *flags, uint32_t seq,
		uint32_t len, uint32_t ack);
void fix_expect_none(struct fix *f, const char *label);

/** Take what it sends away.  Return: segments. */
int fix_drain(struct fix *f);

/** listen(), backlog 8. */
void fix_listen(struct fix *f);
/** Passive open from SYN to accept(); mss 1000, wscale 0, SACK and timestamps as told. */
void fix_establish(struct fix *f, bool sack, bool ts);
/** The same with options of the SYN given. */
void fix_establish_opts(struct fix *f, const uint8_t *opts, size_t n);
/** Active open to the peer; its SYN+ACK has mss 1000 and, if told, timestamps. */
void fix_connect(struct fix *f, bool sack, bool ts);

/** From here on the peer has another port. */
void fix_peer(struct fix *f, uint16_t port);
/** Its handshake, as far as told.  Return: whether a SYN+ACK came. */
bool fix_knock(struct fix *f, uint16_t port, bool complete);
/** The next connection of the listener, or 0. */
rill_id fix_accept(struct fix *f);

/** Acknowledge all that was sent, until the stack is silent.  Return: its SND.NXT. */
uint32_t fix_ack_all(struct fix *f, uint32_t seq, uint16_t win);
/** An ACK with @n SACK blocks, the edges of each in pairs. */
void fix_sack(struct fix *f, uint32_t ack, int n, const uint32_t *lo_hi);

/** State of fd, or of what carries its four-tuple now (TIME-WAIT); RILL_CLOSE if gone. */
int fix_state(struct fix *f);
bool fix_conn(struct fix *f, struct rill_conn *out);

/*
 * Into @state by segments and calls: mss 1000, no options, the application holds
 * fd throughout (TIME-WAIT: with the data of fd still there).
 */
#define FIX_SYN_RECV_PASSIVE	100	/* RILL_SYN_RECV is the one of a simultaneous open */
void fix_reach(struct fix *f, int state);

/** State changes since the last call as "FROM>TO FROM>TO". */
const char *fix_arrows(struct fix *f);
/** What the application is told next, RILL_IN and so on; 0: nothing. */
uint32_t fix_event(struct fix *f);
int64_t fix_send(struct fix *f, size_t n);
/** As fix_send() with zero bytes of given flags. */
int64_t fix_send_flags(struct fix *f, size_t n, unsigned flags);
int64_t fix_recv(struct fix *f, void *buf, size_t n);
uint64_t fix_counter(struct fix *f, const char *name);
int fix_setopt(struct fix *f, int level, int name, int value);
int fix_getopt(struct fix *f, int level, int name);
struct rill_tcp_info fix_info(struct fix *f);

struct duo {
	struct rill_stack *st[2];
	int64_t	 now_ns, delay_ns;
	int	 ifindex;
	struct duo_pkt *wire[2];	/* towards st[i] */
	/* return true to drop; @n-th packet (from 0) of @from */
	bool	 (*drop)(struct duo *d, int from, const uint8_t *pkt, size_t len, uint64_t n);
	void	*ctx;
	uint64_t sent[2];
	uint64_t digest;		/* over all packets and their times */
};

void duo_init(struct duo *d, unsigned mtu, bool v6, uint64_t seed);
void duo_done(struct duo *d);
/** Run until nothing happens before @until_ns. */
void duo_run(struct duo *d, int64_t until_ns);
/** Another packet of @from on the wire, for a hook; it arrives in @after_ns. */
void duo_inject(struct duo *d, int from, const uint8_t *pkt, size_t len, int64_t after_ns);
struct rill_addr duo_addr(int i, bool v6, uint16_t port);

#endif
