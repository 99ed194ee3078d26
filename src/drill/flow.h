/* SPDX-License-Identifier: MIT */
/*
 * The socket under test: whose packets are compared, and how the numbers of the
 * script map to those on the wire (sections 4 and 6.7 of the language).
 */
#ifndef RL_DRILL_FLOW_H
#define RL_DRILL_FLOW_H

#include "base/types.h"
#include "drill/run.h"

enum drill_flow_state {
	DRILL_FLOW_NONE,		/* no socket yet */
	DRILL_FLOW_NEW, DRILL_FLOW_LISTENING,
	DRILL_FLOW_PASSIVE_RECEIVED, DRILL_FLOW_PASSIVE_SYNACK_SENT,
	DRILL_FLOW_PASSIVE_ACKED,
	DRILL_FLOW_CONNECTING, DRILL_FLOW_SYN_SENT, DRILL_FLOW_SYN_ACKED,
};

#define DRILL_TS_MAP	256

struct drill_flow {
	enum drill_flow_state state;
	int		proto;			/* IPPROTO_TCP, _UDP, _ICMP, 0 unknown */
	struct rill_addr local, remote;		/* live */
	bool		has_local, has_remote;
	uint32_t	script_local_isn, live_local_isn;
	uint32_t	script_remote_isn, live_remote_isn;
	/* script TS val -> live TS val of packets that the stack sent */
	struct { uint32_t script, live; } ts[DRILL_TS_MAP];
	unsigned	nts;
	bool		has_ts_base;
	uint32_t	script_ts_base, live_ts_base;
	/* flow label seen: section 5.2 */
	bool		has_label;
	uint32_t	script_label, live_label;
	/* the last inbound TCP packet, for the reset at the end */
	bool		injected_ack;
	uint32_t	in_seq_end, in_ack;	/* live */
	uint16_t	in_win;
	bool		live_seen;		/* of the last packet that left: */
	uint32_t	out_seq_end, out_ack;	/* live */
	uint64_t	rng;			/* for the ports of children */
	bool		learn_syn, learn_synack; /* the next one tells the live ISN */
	bool		in_ports;		/* an inbound packet named its ports */
};

int rl_drill_flow_open(struct drill_run *r);
void rl_drill_flow_close(struct drill_run *r);

/* What calls do to it.  @proto: of the socket. */
void rl_drill_flow_socket(struct drill_run *r, int proto);
void rl_drill_flow_bind(struct drill_run *r, const struct rill_addr *local);
void rl_drill_flow_listen(struct drill_run *r);
/** connect() or sendto() on a new socket, before the call is made. */
void rl_drill_flow_connect(struct drill_run *r, const struct rill_addr *remote);
void rl_drill_flow_disconnect(struct drill_run *r);	/* AF_UNSPEC */

/** The reset of section 12 at a regular end; no failure possible. */
void rl_drill_flow_reset(struct drill_run *r);

static inline bool rl_drill_same_end(const struct rill_addr *a, const struct rill_addr *b)
{
	return a->port == b->port && rl_ip_eq(&a->ip, &b->ip);
}

/* Script value to live value; @syn: the SYN flag of the same packet. */
uint32_t rl_drill_live_remote(const struct drill_flow *f, uint32_t v, bool syn);
uint32_t rl_drill_live_local(const struct drill_flow *f, uint32_t v, bool syn);
/* And back, for messages. */
uint32_t rl_drill_script_remote(const struct drill_flow *f, uint32_t v, bool syn);
uint32_t rl_drill_script_local(const struct drill_flow *f, uint32_t v, bool syn);

#endif
