/* SPDX-License-Identifier: MIT */
/*
 * The transmission control block and its small relatives: the half-open peer,
 * the listener's queues, TIME-WAIT.  A field moves only together with the
 * asserts at the end.
 */
#ifndef RL_TCP_CONN_H
#define RL_TCP_CONN_H

#include "stack/stack_int.h"
#include "tcp/cc.h"

/* One sent range: facts about it, no payload (that lies in sendq). */
enum rtx_flags {
	RTX_SACKED	= 1 << 0,	/* the peer holds it */
	RTX_LOST	= 1 << 1,	/* taken for lost */
	RTX_RETX	= 1 << 2,	/* sent again since it was marked lost */
	RTX_EVER_RETX	= 1 << 3,	/* sent more than once: no RTT sample */
	RTX_SYN		= 1 << 4,
	RTX_FIN		= 1 << 5,
};

struct rtx {
	struct rl_obj	obj;
	struct rtx	*next, *prev;
	int64_t		sent_ns;	/* last transmission */
	seq_t		seq;
	seq_t		una;		/* SND.UNA when it was sent: for the delivery rate */
	uint32_t	len;		/* sequence numbers, SYN and FIN included */
	uint8_t		flags;
};

struct rtxq {
	struct rtx	*head, *tail;
	int64_t		newest_ns;	/* sending time of the newest range delivered */
	seq_t		fack;		/* behind the highest byte ever sacked */
	uint32_t	sacked, lost, retx;	/* bytes: see rtxq.c */
};

/* An out-of-order range that waits for what is before it. */
struct ooo {
	struct rl_obj	obj;
	struct ooo	*next;		/* by sequence number */
	struct rl_bytesq q;
	seq_t		seq;
	uint32_t	stamp;		/* larger: touched later; orders SACK blocks */
};

enum tcp_timer {
	TMR_RTX,			/* retransmission, or window probe while persist */
	TMR_DELACK,
	TMR_KEEP,
	TMR_FINWAIT2,			/* orphans in FIN-WAIT-2 */
	TMR_N
};

/* What most connections never set: made on first use. */
struct tcp_cold {
	struct rl_obj	obj;
	int32_t		keepidle_s, keepintvl_s, keepcnt;	/* 0: the stack's */
	uint32_t	user_timeout_ms;
	int32_t		linger_s;		/* -1: off */
	int32_t		linger2_s;		/* 0: the stack's, < 0: none */
	int32_t		syncnt;
	uint32_t	maxseg, window_clamp, rcvlowat, notsent_lowat;
	uint8_t		minttl;
	/* urgent data [RFC9293:3.8.5] [RFC6093] */
	bool		urg_pending, urg_taken, urg_have, snd_urg;
	uint8_t		urg_byte;
	seq_t		urg_seq;		/* the urgent byte */
	seq_t		snd_up;			/* behind the last urgent byte sent */
};

struct tcp_listener {
	struct rl_obj	obj;
	uint32_t	backlog;
	uint32_t	n_accept, n_req;
	uint32_t	accept_head, accept_tail;	/* conn indices + 1 */
	uint32_t	overflows, syn_drops;	/* accept queue full; SYNs refused */
};

/* What the time since the last change was spent on, for TCP_INFO. */
enum tcp_chrono { CHRONO_IDLE, CHRONO_BUSY, CHRONO_RWND, CHRONO_SNDBUF, CHRONO_N };

/* A range that arrived twice and is to be reported once [RFC2883]. */
struct tcp_dsack {
	seq_t lo, hi;
};

struct tcp_conn {
	/* lookup and birth */
	struct rl_obj	obj;
	uint16_t	lport, rport;
	uint8_t		state;			/* rl_tcp_set_state() only */
	uint8_t		opt_ts : 1, opt_sack : 1, opt_ws : 1,	/* negotiated */
			hashed : 1,		/* in the demux */
			ported : 1,		/* in the port table */
			dirty : 1,		/* on st->tcp_dirty */
			embryo : 1,		/* in an accept queue */
			orphan : 1;		/* the application is gone */
	uint8_t		nodelay : 1, cork : 1, keepalive : 1, oobinline : 1,
			reuseaddr : 1, reuseport : 1,
			v6only : 1, v4only : 1;
	uint8_t		fin_queued : 1, fin_sent : 1, fin_known : 1, fin_rcvd : 1,
			rd_shut : 1, more : 1,	/* MSG_MORE on the last send */
			sndbuf_set : 1, rcvbuf_set : 1;
	uint8_t		bound_port : 1,		/* by bind(), kept after connect */
			bound_ip : 1,		/* the same: not only the any-address */
			pmtudisc : 2,		/* IP_MTU_DISCOVER as set */
			uncork : 1,		/* what is queued may leave, cork or not */
			eof_read : 1,		/* the application has seen the end */
			sim_open : 1, crossed : 1;	/* both opened, both closed at once */
	struct rl_flow	flow;			/* src is local, dst remote */
	struct list	dirty_link;
	struct rl_endpoint ep;
	uint32_t	port_next;		/* port table chain, index + 1 */
	uint32_t	accept_next;		/* accept queue, index + 1 */
	struct tcp_listener *lst;		/* its queues, in LISTEN */

	/* receive: text.c writes, output.c reads */
	seq_t		rcv_nxt, irs;
	seq_t		rcv_adv;		/* right edge last advertised */
	seq_t		rcv_fin;		/* where the peer's FIN is, if fin_known */
	seq_t		last_ack_sent;
	uint32_t	rcvbuf;			/* SO_RCVBUF's doubled number; window: half */
	uint32_t	rcv_mss;		/* largest payload of late */
	uint32_t	ack_bytes;		/* received since the last ACK */
	uint32_t	ts_recent;
	int64_t		ts_recent_ns;
	struct rl_bytesq rcvq;
	struct ooo	*ooo;
	struct tcp_dsack dsack;
	uint16_t	n_ooo;
	uint8_t		rcv_wscale, snd_wscale;
	uint8_t		quickacks;		/* ACKs still sent at once */
	uint8_t		pingpong : 1,		/* answers carry our ACKs */
			ack_now : 1, ack_delayed : 1, has_dsack : 1,
			zero_adv : 1,		/* closed window advertised */
			active : 1,		/* opened by connect() */
			in_recovery : 1, in_loss : 1;	/* fast recovery, RTO */
	uint32_t	ooo_stamp;

	/* send: ack.c and output.c */
	seq_t		snd_una, snd_nxt, iss;
	seq_t		snd_wl1, snd_wl2;
	seq_t		recover;		/* SND.NXT when recovery began */
	seq_t		snd_sml;		/* end of the last small segment (Nagle) */
	uint32_t	snd_wnd, max_snd_wnd;	/* bytes */
	uint32_t	cwnd, ssthresh;		/* bytes */
	uint32_t	max_flight;		/* the most in flight within a window of late, */
	seq_t		flight_end;		/* the one that ends here */
	uint32_t	mss;			/* payload of a full segment */
	uint32_t	sndbuf;
	uint16_t	mss_peer;		/* as the peer said, or the default */
	uint16_t	mss_adv;		/* as we said */
	uint16_t	dupacks;
	uint8_t		retries;		/* timeouts in a row */
	uint8_t		probes;			/* unanswered keepalive or window probes */
	struct rl_bytesq sendq;			/* from snd_una's byte on */
	struct rtxq	rtxq;
	int64_t		srtt_ns, rttvar_ns, rto_ns;
	uint32_t	min_rtt_us;
	uint8_t		hold;			/* enum rl_hold: why output stopped */
	uint8_t		persist : 1,		/* TMR_RTX probes a closed window */
			retx_forced : 1,	/* one retransmission whatever cwnd says */
			hs_retx : 2;		/* retransmissions of the handshake, to 3 */
	int16_t		err;			/* errno value for the application */
	int16_t		soft_err;

	/* slow: once a round trip or less */
	struct rl_timer	timer;
	int64_t		timer_ns[TMR_N];
	const struct cc_ops *cc;
	union cc_state	ccs;
	struct tcp_cold	*cold;
	uint32_t	ts_off;			/* of our timestamp clock, ms */
	int64_t		state_ns;		/* when the state began */
	int64_t		last_snd_ns, last_rcv_ns, last_ack_ns;
	int64_t		last_data_ns;		/* data was received, not only a segment */
	int64_t		last_challenge_ns;
	int64_t		retx_start_ns;		/* first timeout of this series */

	/* receive buffer tuning */
	int64_t		tune_ns;
	uint32_t	tune_copied, tune_space;

	/* totals, for TCP_INFO */
	uint64_t	bytes_acked, bytes_received, bytes_sent, bytes_retrans;
	uint32_t	segs_in, segs_out, data_segs_in, data_segs_out;
	uint64_t	delivery_rate;		/* bytes/s, last sample */
	uint32_t	total_retrans, dsack_dups, rcv_ooopack;
	uint32_t	chrono_us[CHRONO_N], loss_ms;
	int64_t		chrono_ns, loss_ns;	/* since when */
	uint16_t	total_rto, total_loss, reord_seen;
	uint8_t		chrono;			/* enum tcp_chrono */
	bool		snd_blocked;		/* the application waits for buffer */

	/* its life, for history.c: time in the states that it left, packed */
	int64_t		opened_ns;
	uint32_t	spent[4];
};
static_assert(sizeof(struct tcp_conn) <= 12 * RL_CACHELINE, "TCB budget");

/* SYN-RECEIVED of a passive open: no buffers, no timers of its own. */
struct tcp_req {
	struct rl_obj	obj;
	struct rill_ip	laddr, raddr;
	uint16_t	lport, rport;
	seq_t		irs, iss;
	uint32_t	born_ms;		/* when the SYN came, see rl_ms() */
	int64_t		sent_ns;		/* last SYN+ACK */
	uint32_t	due_ms;			/* when it is sent again, see rl_ms() */
	uint32_t	last_ack_ms;		/* rate limit of answers */
	uint32_t	ts_recent, ts_off;
	uint32_t	parent;			/* listening conn's index */
	uint32_t	next, prev;		/* FIFO of its retry number */
	uint16_t	mss, win;
	uint16_t	ifindex;
	uint8_t		wscale, rcv_wscale;
	uint8_t		retries;
	uint8_t		has_ts : 1, has_sack : 1, has_ws : 1;
};
static_assert(sizeof(struct tcp_req) <= 104, "half-open peers are many");

/* TIME-WAIT: what is needed to answer and to guard the four-tuple. */
struct tcp_tw {
	struct rl_obj	obj;
	struct rill_ip	laddr, raddr;
	uint16_t	lport, rport;
	seq_t		snd_nxt, rcv_nxt;
	uint32_t	rcv_wnd;
	uint32_t	ts_recent, ts_off;
	uint32_t	due_ms;
	uint32_t	next, prev;
	uint32_t	last_ack_ms;		/* rate limit of answers */
	uint32_t	history;		/* number of its record, low half; 0: none */
	uint16_t	ifindex;
	uint8_t		rcv_wscale, has_ts : 1;
};
static_assert(sizeof(struct tcp_tw) <= 96, "TIME-WAIT entries are many");

/* One segment under way through the arrival functions. */
struct seg {
	struct rill_pkt	*p;		/* payload: len bytes from off */
	struct tcp_hdr	h;
	struct tcp_opts	o;
	seq_t		seq, ack;
	uint32_t	off, len;	/* payload in p, without SYN and FIN */
	uint32_t	wnd;		/* as it stands in the header, not scaled */
	uint8_t		flags;
};

/** SEG.LEN: payload, SYN and FIN [RFC9293:3.4]. */
static inline uint32_t seg_len(const struct seg *s)
{
	return s->len + !!(s->flags & TH_SYN) + !!(s->flags & TH_FIN);
}

static inline struct tcp_conn *rl_conn_at(struct rill_stack *st, uint32_t idx)
{
	return rl_slab_at(&st->conns, idx);
}

/** Milliseconds since the clock's zero, for 32-bit deadlines. */
static inline uint32_t rl_ms(int64_t ns)
{
	return (uint32_t)(ns / RL_MS);
}

static inline bool rl_tcp_is4(const struct tcp_conn *c)
{
	return rl_ip_is4(&c->flow.dst);
}

/* ---- conn.c: life, and the only writer of state ---- */

/**
 * Move @c to @to.  Refused (false, nothing changes) unless RFC 9293 figure 5 has
 * that arrow; counted, traced and time-stamped otherwise.
 */
bool rl_tcp_set_state(struct rill_stack *st, struct tcp_conn *c, uint8_t to);

/** The arrows of figure 5, for tests and documents. */
bool rl_tcp_legal(uint8_t from, uint8_t to);

/** The same for half-open peers and TIME-WAIT, which have no tcp_conn. */
void rl_tcp_trace_state(struct rill_stack *st, uint8_t from, uint8_t to, rill_id id,
			const struct rill_ip *laddr, uint16_t lport,
			const struct rill_ip *raddr, uint16_t rport);

struct tcp_conn *rl_tcp_new(struct rill_stack *st, uint64_t user);
/** A connection in SYN-RECEIVED, whose peer was half-open until now. */
struct tcp_conn *rl_tcp_new_child(struct rill_stack *st);
struct tcp_conn *rl_tcp_find(struct rill_stack *st, rill_id id);
/** Also one that its program has closed and that is still under way. */
struct tcp_conn *rl_tcp_find_any(struct rill_stack *st, rill_id id);
rill_id rl_tcp_id(const struct tcp_conn *c);
struct tcp_cold *rl_tcp_cold(struct rill_stack *st, struct tcp_conn *c);

/** Number of the next byte the application would read. */
static inline seq_t rl_tcp_read_seq(const struct tcp_conn *c)
{
	return seq_sub(c->rcv_nxt, c->rcvq.len + (c->fin_rcvd ? 1u : 0u));
}

/** The application stands at the urgent mark [RFC9293:MUST-33]. */
static inline bool rl_tcp_at_mark(const struct tcp_conn *c)
{
	return c->cold && c->cold->urg_pending &&
	       seq_eq(c->cold->urg_seq, rl_tcp_read_seq(c));
}

/** The first byte of the queue is the urgent one and out of band: it is no text. */
static inline bool rl_tcp_urgent_first(const struct tcp_conn *c)
{
	return c->rcvq.len && !c->oobinline && rl_tcp_at_mark(c);
}

/** IP_MINTTL of @c, which may be a listener. */
static inline bool rl_tcp_ttl_ok(const struct tcp_conn *c, const struct rill_pkt *p)
{
	return !c->cold || p->ttl >= c->cold->minttl;
}

/** Our SYN or SYN+ACK waits for its ACK; FIN-WAIT-1 too can be such a state. */
static inline bool rl_tcp_syn_in_flight(const struct tcp_conn *c)
{
	return c->rtxq.head && (c->rtxq.head->flags & RTX_SYN);
}

/** End @c with @err (0: quietly): CLOSED, out of all tables, user told, remembered. */
void rl_tcp_gone(struct rill_stack *st, struct tcp_conn *c, enum rill_end end, int err);

/** Free what the application has given up and the network no longer needs. */
void rl_tcp_free(struct rill_stack *st, struct tcp_conn *c);

/** The application is gone: orphan limit, FIN-WAIT-2 limit. */
void rl_tcp_make_orphan(struct rill_stack *st, struct tcp_conn *c);

/* ---- history.c ---- */
/** @c leaves state @from for @to. */
void rl_history_book(const struct rill_stack *st, struct tcp_conn *c, uint8_t from, uint8_t to);
/** A life begins; it began at @at_ns. */
void rl_history_begin(struct tcp_conn *c, int64_t at_ns);
/** It ends from the state that @c is in still.  Return: number of the record, 0: none. */
uint64_t rl_history_add(struct rill_stack *st, const struct tcp_conn *c, enum rill_end end,
			int err);
/** TIME-WAIT of that record begins, or is over. */
void rl_history_time_wait(struct rill_stack *st, const struct tcp_tw *w, bool over);
void rl_history_destroy(struct rill_stack *st);

/* ---- demux.c ---- */
void rl_demux_init(struct rl_demux *d, struct rl_mem *mem);
void rl_demux_destroy(struct rl_demux *d);
int rl_demux_add(struct rill_stack *st, enum rl_node_kind kind, uint32_t idx);
void rl_demux_del(struct rill_stack *st, enum rl_node_kind kind, uint32_t idx);

struct rl_found {
	enum rl_node_kind kind;
	union {
		struct tcp_conn	*conn;
		struct tcp_req	*req;
		struct tcp_tw	*tw;
	};
};

/** Find who has that four-tuple. */
bool rl_demux_find(struct rill_stack *st, const struct rill_ip *laddr, uint16_t lport,
		   const struct rill_ip *raddr, uint16_t rport, struct rl_found *f);
/** A listener for a SYN to that address, or NULL. */
struct tcp_conn *rl_listener_find(struct rill_stack *st, const struct rill_ip *laddr,
				  uint16_t lport, const struct rill_ip *raddr,
				  uint16_t rport, uint16_t ifindex);
void rl_ports_add(struct rill_stack *st, struct tcp_conn *c);
void rl_ports_del(struct rill_stack *st, struct tcp_conn *c);
/** May @c have that local address and port?  0 or -EADDRINUSE. */
int rl_ports_check(struct rill_stack *st, const struct tcp_conn *c,
		   const struct rill_ip *ip, uint16_t port, bool listening);
/** Choose a port for bind(0), or for connect() when @c has a peer.  -EADDRNOTAVAIL. */
int rl_ports_choose(struct rill_stack *st, struct tcp_conn *c, uint16_t *port);

/* ---- input.c and arrives_*.c ---- */
void rl_tcp_input(struct rill_stack *st, struct rill_pkt *p);
bool rl_tcp_icmp(struct rill_stack *st, const struct rl_icmp_err *e);
void rl_tcp_pmtu(struct rill_stack *st, const struct rill_ip *dst);
enum rl_drop rl_tcp_arrives_closed(struct rill_stack *st, struct seg *s);
enum rl_drop rl_tcp_arrives_listen(struct rill_stack *st, struct tcp_conn *l, struct seg *s);
enum rl_drop rl_tcp_arrives_synsent(struct rill_stack *st, struct tcp_conn *c, struct seg *s);
enum rl_drop rl_tcp_arrives_other(struct rill_stack *st, struct tcp_conn *c, struct seg *s);
enum rl_drop rl_tcp_arrives_req(struct rill_stack *st, struct tcp_req *r, struct seg *s);
enum rl_drop rl_tcp_arrives_timewait(struct rill_stack *st, struct tcp_tw *w, struct seg *s);

/** The four acceptability cases, and what lies outside cut off [RFC9293:3.10.7.4]. */
bool rl_seq_acceptable(const struct seg *s, seq_t rcv_nxt, uint32_t wnd);

/* ---- ack.c: step five, the sender's half ---- */
struct tcp_ack_result {
	uint32_t acked;			/* bytes newly acknowledged, SYN and FIN too */
	bool fin_acked, window_changed;
};
void rl_tcp_ack(struct rill_stack *st, struct tcp_conn *c, struct seg *s,
		struct tcp_ack_result *r);
void rl_tcp_update_window(struct tcp_conn *c, const struct seg *s, bool force);

/* ---- text.c: steps six to eight, the receiver's half ---- */
/** Step 7; RL_DROP_NONE when taken (or when there was nothing). */
enum rl_drop rl_tcp_text(struct rill_stack *st, struct tcp_conn *c, struct seg *s);
void rl_tcp_urgent(struct rill_stack *st, struct tcp_conn *c, const struct seg *s);
/** RCV.WND as last promised: right edge minus RCV.NXT. */
uint32_t rl_tcp_rcv_wnd(const struct tcp_conn *c);
/** The first window, in a SYN of @c or of its listener. */
uint16_t rl_tcp_syn_window(const struct tcp_conn *c);
/** Window that could be offered now, silly-window rule applied. */
uint32_t rl_tcp_new_window(const struct rill_stack *st, const struct tcp_conn *c);
/** Fill SACK blocks, D-SACK first. */
void rl_tcp_sack_blocks(struct rill_stack *st, struct tcp_conn *c, struct tcp_opts *o,
			int max);
void rl_tcp_ooo_clear(struct rill_stack *st, struct tcp_conn *c);
/** The segment held bytes that were here already: tell by D-SACK [RFC2883]. */
void rl_tcp_note_dup(struct rill_stack *st, struct tcp_conn *c, seq_t lo, seq_t hi);
/** @n bytes went to the application: tune the buffer, tell the peer. */
void rl_tcp_text_read(struct rill_stack *st, struct tcp_conn *c, uint32_t n);

/* ---- rtxq.c: what is in flight ---- */
bool rl_rtxq_add(struct rill_stack *st, struct tcp_conn *c, seq_t seq, uint32_t len,
		 uint8_t flags);
/** Of the range added last only @keep bytes were sent, without FIN; 0: nothing. */
void rl_rtxq_cut_tail(struct rill_stack *st, struct tcp_conn *c, uint32_t keep);
/** Drop what @ack covers; RTT sample in ns or -1 [RFC6298:3]. */
int64_t rl_rtxq_ack(struct rill_stack *st, struct tcp_conn *c, seq_t ack);
/** Mark by SACK blocks; newly sacked bytes. */
uint32_t rl_rtxq_sack(struct rill_stack *st, struct tcp_conn *c, const struct tcp_opts *o,
		      seq_t ack);
/**
 * Mark lost what enough later data was sacked over [RFC6675:4], and again what
 * was sent again before something that has arrived since.  True for the latter.
 */
bool rl_rtxq_mark_lost(struct tcp_conn *c, uint32_t dupthresh);
void rl_rtxq_lose_head(struct rill_stack *st, struct tcp_conn *c);
void rl_rtxq_lose_all(struct tcp_conn *c);
/** First lost range not sent again, cut to @max bytes; NULL: none. */
struct rtx *rl_rtxq_next_lost(struct rill_stack *st, struct tcp_conn *c, uint32_t max);
void rl_rtxq_on_resent(struct rill_stack *st, struct tcp_conn *c, struct rtx *x);
void rl_rtxq_clear(struct rill_stack *st, struct tcp_conn *c);
/** Bytes believed to be in the network [RFC6675-04]. */
static inline uint32_t rl_pipe(const struct tcp_conn *c)
{
	return (uint32_t)seq_diff(c->snd_nxt, c->snd_una) - c->rtxq.sacked -
	       c->rtxq.lost + c->rtxq.retx;
}

/* ---- recovery.c ---- */
void rl_recovery_on_ack(struct rill_stack *st, struct tcp_conn *c, const struct seg *s,
			uint32_t acked, uint32_t newly_sacked, int64_t rtt_ns);
void rl_recovery_on_rto(struct rill_stack *st, struct tcp_conn *c);

/* ---- rtt.c ---- */
void rl_rtt_init(struct rill_stack *st, struct tcp_conn *c);
void rl_rtt_sample(struct rill_stack *st, struct tcp_conn *c, int64_t rtt_ns);
/** RTO with backoff. */
int64_t rl_rto(const struct rill_stack *st, const struct tcp_conn *c);
void rl_rtt_after_handshake(struct rill_stack *st, struct tcp_conn *c);

/* ---- build.c: segments; output.c: when ---- */
/**
 * Data from sendq, with FIN behind it when @fin.  Return: payload bytes sent,
 * fewer than @len when references ran out (then without FIN); -1: no memory.
 */
int64_t rl_tcp_send_data(struct rill_stack *st, struct tcp_conn *c, seq_t seq, uint32_t len,
			 bool fin, bool resend);
/** Mark for rl_tcp_flush(), which runs when the stack's output is taken. */
void rl_tcp_want_output(struct rill_stack *st, struct tcp_conn *c);
void rl_tcp_flush(struct rill_stack *st);
void rl_tcp_output(struct rill_stack *st, struct tcp_conn *c);
/** It waited long enough: send the small piece.  False: there is none. */
bool rl_tcp_send_held(struct rill_stack *st, struct tcp_conn *c);
/** An ACK at once, whatever else waits. */
void rl_tcp_send_ack(struct rill_stack *st, struct tcp_conn *c);
/** Challenge ACK, rate limited [RFC5961:7]. */
void rl_tcp_challenge(struct rill_stack *st, struct tcp_conn *c);
/** A window or keepalive probe: empty, with number SND.UNA-1. */
void rl_tcp_send_probe(struct rill_stack *st, struct tcp_conn *c);
void rl_tcp_send_syn(struct rill_stack *st, struct tcp_conn *c);
void rl_tcp_send_rst(struct rill_stack *st, struct tcp_conn *c);
void rl_tcp_send_synack(struct rill_stack *st, struct tcp_req *r);
void rl_tcp_send_tw_ack(struct rill_stack *st, struct tcp_tw *w);
/** RST in answer to @s, which belongs to no connection [RFC9293:3.5.2]. */
void rl_tcp_reply_rst(struct rill_stack *st, const struct seg *s);
void rl_tcp_init_cwnd(struct rill_stack *st, struct tcp_conn *c);
/** Payload of a segment for the path as it is now. */
void rl_tcp_set_mss(struct rill_stack *st, struct tcp_conn *c);
uint16_t rl_tcp_adv_mss(struct rill_stack *st, struct rl_flow *f, uint32_t user_mss);
uint8_t rl_tcp_pick_wscale(const struct rill_stack *st, const struct tcp_conn *c);
seq_t rl_tcp_isn(const struct rill_stack *st, const struct rill_ip *laddr, uint16_t lport,
		 const struct rill_ip *raddr, uint16_t rport);
uint32_t rl_tcp_ts_offset(const struct rill_stack *st, const struct rill_ip *laddr,
			  const struct rill_ip *raddr);
/* [RFC7323-16] [RFC7323-23] */
static inline uint32_t rl_tcp_ts_now(const struct rill_stack *st, uint32_t off)
{
	return rl_ms(st->now_ns) + off;
}

/* ---- timers.c ---- */
void rl_timers_on_data_sent(struct rill_stack *st, struct tcp_conn *c);
/** The oldest segment left again, not because time was up; the SYN also as SYN+ACK. */
void rl_timers_on_sent_again(struct rill_stack *st, struct tcp_conn *c);
void rl_timers_on_ack(struct rill_stack *st, struct tcp_conn *c, bool progress);
void rl_timers_on_delack(struct rill_stack *st, struct tcp_conn *c);
void rl_timers_on_ack_sent(struct tcp_conn *c);
void rl_timers_on_closed_window(struct rill_stack *st, struct tcp_conn *c);
/** A small piece waits for company or for a larger window. */
void rl_timers_on_held(struct rill_stack *st, struct tcp_conn *c);
void rl_timers_on_established(struct rill_stack *st, struct tcp_conn *c);
void rl_timers_on_keepalive_changed(struct rill_stack *st, struct tcp_conn *c);
/** False when TCP_LINGER2 allows no wait: the caller ends @c. */
bool rl_timers_on_finwait2(struct rill_stack *st, struct tcp_conn *c);
void rl_timers_stop(struct rill_stack *st, struct tcp_conn *c);
void rl_timers_run(struct rill_stack *st, struct tcp_conn *c);
int32_t rl_tcp_keepidle(const struct rill_stack *st, const struct tcp_conn *c);
int32_t rl_tcp_keepintvl(const struct rill_stack *st, const struct tcp_conn *c);
int32_t rl_tcp_keepcnt(const struct rill_stack *st, const struct tcp_conn *c);

/* ---- listener.c, req.c, timewait.c ---- */
int rl_listener_start(struct rill_stack *st, struct tcp_conn *c, int backlog);
void rl_listener_stop(struct rill_stack *st, struct tcp_conn *c);
bool rl_listener_full(const struct tcp_conn *l);
/** Half-open peers it may have. */
uint32_t rl_listener_syn_max(const struct rill_stack *st, const struct tcp_conn *l);
void rl_listener_queue(struct rill_stack *st, struct tcp_conn *l, struct tcp_conn *child);
struct tcp_conn *rl_listener_take(struct rill_stack *st, struct tcp_conn *l);
/** @min_iss: not below it, when an old connection of these ports was just here; or NULL. */
enum rl_drop rl_req_new(struct rill_stack *st, struct tcp_conn *l, const struct seg *s,
			const seq_t *min_iss);
void rl_req_free(struct rill_stack *st, struct tcp_req *r);
void rl_req_timer(struct rill_stack *st);
void rl_req_drop_all(struct rill_stack *st, struct tcp_conn *l);
void rl_timewait_enter(struct rill_stack *st, struct tcp_conn *c);
void rl_timewait_timer(struct rill_stack *st);
void rl_timewait_free(struct rill_stack *st, struct tcp_tw *w);

/* ---- user.c, recv.c ---- */
void rl_tcp_half_close(struct rill_stack *st, struct tcp_conn *c);

/* ---- info.c, sockopt.c ---- */
void rl_tcp_info(struct rill_stack *st, const struct tcp_conn *c, struct rill_tcp_info *i);
/** Book the time since the last call, see enum tcp_chrono. */
void rl_tcp_chrono(struct rill_stack *st, struct tcp_conn *c);
int rl_tcp_setsockopt(struct rill_stack *st, rill_id id, int level, int name,
		      const void *val, size_t len);
int rl_tcp_getsockopt(struct rill_stack *st, rill_id id, int level, int name, void *val,
		      size_t *len);
int rl_tcp_ioctl(struct rill_stack *st, rill_id id, unsigned long req, int *val);
int rl_tcp_conns(struct rill_stack *st, uint64_t *cursor, struct rill_conn *out, int max);
/** Bytes the send buffer may hold now. */
uint32_t rl_tcp_sndbuf(const struct rill_stack *st, const struct tcp_conn *c);
uint32_t rl_tcp_poll_bits(const struct rill_stack *st, const struct tcp_conn *c);

int rl_tcp_init(struct rill_stack *st);
void rl_tcp_destroy(struct rill_stack *st);

#endif
