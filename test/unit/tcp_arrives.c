/* SPDX-License-Identifier: MIT */
/*
 * A segment arrives [RFC9293:3.10.7]: 42 kinds of segment in each of the twelve
 * situations a connection can be in (SYN-RECEIVED counts twice), with what must
 * come of it: the next state, the answer, the drop reason.  What the grid can't
 * reach is in tcp_drops.c.
 */
#include <errno.h>
#include <stdio.h>

#include "tcp_fix.h"

/* ---- the segments ---- */

enum event {
	SYN_NXT, SYN_IN, SYN_ABOVE, SYN_AGAIN, SYN_BELOW, SYNACK, SYNACK_BAD, SYNACK_OLD,
	ACK, ACK_DUP, ACK_OLD, ACK_ANCIENT, ACK_UNSENT, ACK_ABOVE, ACK_BELOW,
	FIN, FIN_ACKING, FIN_OOO, FIN_AGAIN, FIN_NOACK,
	RST_NXT, RST_IN, RST_BELOW, RST_ABOVE, RSTACK, RSTACK_UNSENT, RSTACK_IN, RSTACK_FAR,
	DATA, DATA_OOO, DATA_OLD, DATA_PART, DATA_ABOVE, DATA_NOACK, DATA_URG, URG_ONLY,
	NO_FLAGS, SYN_FIN, SYN_RST, BAD_CSUM, KEEP0, KEEP1, EVENTS
};

enum from { NXT, IRS };			/* what a number is relative to */
enum ack { NO, UNA, SND, ISS };

static const struct segment {
	const char *name, *flags;
	enum from from;
	int32_t	seq;
	uint32_t len;
	enum ack ack;
	int32_t	ack_off;
	uint16_t urg;
} segments[EVENTS] = {
	[SYN_NXT] = { "SYN at RCV.NXT", "S", NXT, 0, 0, NO, 0, 0 },
	[SYN_IN] = { "SYN in window", "S", NXT, 1000, 0, NO, 0, 0 },
	[SYN_ABOVE] = { "SYN above window", "S", NXT, 200000, 0, NO, 0, 0 },
	[SYN_AGAIN] = { "SYN retransmitted", "S", IRS, 0, 0, NO, 0, 0 },
	[SYN_BELOW] = { "SYN below window", "S", NXT, -5000, 0, NO, 0, 0 },
	[SYNACK] = { "SYN+ACK valid or retransmitted", "S.", IRS, 0, 0, SND, 0, 0 },
	[SYNACK_BAD] = { "SYN+ACK, bad ACK", "S.", IRS, 0, 0, SND, 1000, 0 },
	[SYNACK_OLD] = { "SYN+ACK, ACK = ISS", "S.", IRS, 0, 0, ISS, 0, 0 },
	[ACK] = { "ACK acceptable", ".", NXT, 0, 0, SND, 0, 0 },
	[ACK_DUP] = { "ACK duplicate", ".", NXT, 0, 0, UNA, 0, 0 },
	[ACK_OLD] = { "ACK old", ".", NXT, 0, 0, UNA, -1, 0 },
	[ACK_ANCIENT] = { "ACK very old", ".", NXT, 0, 0, UNA, -300000, 0 },
	[ACK_UNSENT] = { "ACK of unsent data", ".", NXT, 0, 0, SND, 1000, 0 },
	[ACK_ABOVE] = { "ACK, SEQ above window", ".", NXT, 200000, 0, SND, 0, 0 },
	[ACK_BELOW] = { "ACK, SEQ below window", ".", NXT, -5000, 0, SND, 0, 0 },
	[FIN] = { "FIN in order", "F.", NXT, 0, 0, UNA, 0, 0 },
	[FIN_ACKING] = { "FIN in order, acks ours", "F.", NXT, 0, 0, SND, 0, 0 },
	[FIN_OOO] = { "FIN out of order", "F.", NXT, 100, 0, UNA, 0, 0 },
	[FIN_AGAIN] = { "FIN retransmitted", "F.", NXT, -1, 0, UNA, 0, 0 },
	[FIN_NOACK] = { "FIN without ACK", "F", NXT, 0, 0, NO, 0, 0 },
	[RST_NXT] = { "RST exact", "R", NXT, 0, 0, NO, 0, 0 },
	[RST_IN] = { "RST in window", "R", NXT, 100, 0, NO, 0, 0 },
	[RST_BELOW] = { "RST just below window", "R", NXT, -1, 0, NO, 0, 0 },
	[RST_ABOVE] = { "RST above window", "R", NXT, 200000, 0, NO, 0, 0 },
	[RSTACK] = { "RST+ACK exact", "R.", NXT, 0, 0, SND, 0, 0 },
	[RSTACK_UNSENT] = { "RST+ACK exact, ACK of unsent", "R.", NXT, 0, 0, SND, 1000, 0 },
	[RSTACK_IN] = { "RST+ACK in window", "R.", NXT, 100, 0, SND, 0, 0 },
	[RSTACK_FAR] = { "RST+ACK, SEQ anywhere", "R.", NXT, -100000, 0, SND, 0, 0 },
	[DATA] = { "data in order", "P.", NXT, 0, 100, SND, 0, 0 },
	[DATA_OOO] = { "data out of order", "P.", NXT, 100, 100, SND, 0, 0 },
	[DATA_OLD] = { "data old duplicate", "P.", NXT, -100, 100, SND, 0, 0 },
	[DATA_PART] = { "data straddling RCV.NXT", "P.", NXT, -50, 100, SND, 0, 0 },
	[DATA_ABOVE] = { "data above window", "P.", NXT, 200000, 100, SND, 0, 0 },
	[DATA_NOACK] = { "data without ACK", "P", NXT, 0, 100, NO, 0, 0 },
	[DATA_URG] = { "data with URG", "PU.", NXT, 0, 100, SND, 0, 100 },
	[URG_ONLY] = { "URG, no data", "U.", NXT, 0, 0, UNA, 0, 1 },
	[NO_FLAGS] = { "no flags", "", NXT, 0, 0, NO, 0, 0 },
	[SYN_FIN] = { "SYN+FIN", "SF", NXT, 0, 0, NO, 0, 0 },	/* [A17] */
	[SYN_RST] = { "SYN+RST", "SR", NXT, 0, 0, NO, 0, 0 },
	[BAD_CSUM] = { "RST exact, bad checksum", "R", NXT, 0, 0, NO, 0, 0 },
	[KEEP0] = { "keepalive probe, no data", ".", NXT, -1, 0, SND, 0, 0 },
	[KEEP1] = { "keepalive probe, one byte", ".", NXT, -1, 1, SND, 0, 0 },
};

/* ---- the grid ---- */

enum { IN_CLOSED, IN_LISTEN, IN_SYN_SENT, IN_SYN_RECV_PASSIVE, IN_SYN_RECV_ACTIVE,
       IN_ESTABLISHED, IN_FIN_WAIT1, IN_FIN_WAIT2, IN_CLOSE_WAIT, IN_CLOSING, IN_LAST_ACK,
       IN_TIME_WAIT, SITUATIONS };

static const int situations[SITUATIONS] = {
	RILL_CLOSE, RILL_LISTEN, RILL_SYN_SENT, FIX_SYN_RECV_PASSIVE, RILL_SYN_RECV,
	RILL_ESTABLISHED, RILL_FIN_WAIT1, RILL_FIN_WAIT2, RILL_CLOSE_WAIT, RILL_CLOSING,
	RILL_LAST_ACK, RILL_TIME_WAIT,
};

/*
 * "STATE ANSWER DROP".  State: = unchanged, or as below.  Answer: - none,
 * A <SEQ=SND.NXT><ACK=RCV.NXT><ACK>, a the same with RCV.NXT moved on,
 * R <SEQ=SEG.ACK><RST>, Z <SEQ=0><ACK=SEG.SEQ+SEG.LEN><RST,ACK>, S SYN+ACK.
 *
 * The rules beyond RFC 9293: RFC 5961 (challenge ACKs), RFC 1337 (no RST in
 * TIME-WAIT), RFC 6191 (SYN in TIME-WAIT).  Decided otherwise than its text:
 * SYN+FIN to a listener is dropped, as by Linux; a repeated SYN of a half-open
 * peer gets the SYN+ACK again; the crossing SYN+ACK of a simultaneous open
 * completes it, as figure 7 has it; what lies beyond the peer's FIN is answered
 * by an ACK instead of silence.
 */
static const char *const grid[SITUATIONS][EVENTS] = {
	[IN_CLOSED] = {
		[SYN_NXT] = "= Z TCP_NO_CONN", [SYN_IN] = "= Z TCP_NO_CONN",
		[SYN_ABOVE] = "= Z TCP_NO_CONN", [SYN_AGAIN] = "= Z TCP_NO_CONN",
		[SYN_BELOW] = "= Z TCP_NO_CONN", [SYNACK] = "= R TCP_NO_CONN",
		[SYNACK_BAD] = "= R TCP_NO_CONN", [SYNACK_OLD] = "= R TCP_NO_CONN",
		[ACK] = "= R TCP_NO_CONN", [ACK_DUP] = "= R TCP_NO_CONN",
		[ACK_OLD] = "= R TCP_NO_CONN", [ACK_ANCIENT] = "= R TCP_NO_CONN",
		[ACK_UNSENT] = "= R TCP_NO_CONN", [ACK_ABOVE] = "= R TCP_NO_CONN",
		[ACK_BELOW] = "= R TCP_NO_CONN", [FIN] = "= R TCP_NO_CONN",
		[FIN_ACKING] = "= R TCP_NO_CONN", [FIN_OOO] = "= R TCP_NO_CONN",
		[FIN_AGAIN] = "= R TCP_NO_CONN", [FIN_NOACK] = "= Z TCP_NO_CONN",
		[RST_NXT] = "= - RST_NO_CONN", [RST_IN] = "= - RST_NO_CONN",
		[RST_BELOW] = "= - RST_NO_CONN", [RST_ABOVE] = "= - RST_NO_CONN",
		[RSTACK] = "= - RST_NO_CONN", [RSTACK_UNSENT] = "= - RST_NO_CONN",
		[RSTACK_IN] = "= - RST_NO_CONN", [RSTACK_FAR] = "= - RST_NO_CONN",
		[DATA] = "= R TCP_NO_CONN", [DATA_OOO] = "= R TCP_NO_CONN",
		[DATA_OLD] = "= R TCP_NO_CONN", [DATA_PART] = "= R TCP_NO_CONN",
		[DATA_ABOVE] = "= R TCP_NO_CONN", [DATA_NOACK] = "= Z TCP_NO_CONN",
		[DATA_URG] = "= R TCP_NO_CONN", [URG_ONLY] = "= R TCP_NO_CONN",
		[NO_FLAGS] = "= Z TCP_NO_CONN", [SYN_FIN] = "= Z TCP_NO_CONN",
		[SYN_RST] = "= - RST_NO_CONN", [BAD_CSUM] = "= - TCP_CSUM",
		[KEEP0] = "= R TCP_NO_CONN", [KEEP1] = "= R TCP_NO_CONN",
	},
	[IN_LISTEN] = {
		[SYN_NXT] = "SR S", [SYN_IN] = "SR S", [SYN_ABOVE] = "SR S",
		[SYN_AGAIN] = "SR S", [SYN_BELOW] = "SR S", [SYNACK] = "= R LISTEN_ACK",
		[SYNACK_BAD] = "= R LISTEN_ACK", [SYNACK_OLD] = "= R LISTEN_ACK",
		[ACK] = "= R LISTEN_ACK", [ACK_DUP] = "= R LISTEN_ACK",
		[ACK_OLD] = "= R LISTEN_ACK", [ACK_ANCIENT] = "= R LISTEN_ACK",
		[ACK_UNSENT] = "= R LISTEN_ACK", [ACK_ABOVE] = "= R LISTEN_ACK",
		[ACK_BELOW] = "= R LISTEN_ACK", [FIN] = "= R LISTEN_ACK",
		[FIN_ACKING] = "= R LISTEN_ACK", [FIN_OOO] = "= R LISTEN_ACK",
		[FIN_AGAIN] = "= R LISTEN_ACK", [FIN_NOACK] = "= - LISTEN_NO_SYN",
		[RST_NXT] = "= - LISTEN_RST", [RST_IN] = "= - LISTEN_RST",
		[RST_BELOW] = "= - LISTEN_RST", [RST_ABOVE] = "= - LISTEN_RST",
		[RSTACK] = "= - LISTEN_RST", [RSTACK_UNSENT] = "= - LISTEN_RST",
		[RSTACK_IN] = "= - LISTEN_RST", [RSTACK_FAR] = "= - LISTEN_RST",
		[DATA] = "= R LISTEN_ACK", [DATA_OOO] = "= R LISTEN_ACK",
		[DATA_OLD] = "= R LISTEN_ACK", [DATA_PART] = "= R LISTEN_ACK",
		[DATA_ABOVE] = "= R LISTEN_ACK", [DATA_NOACK] = "= - LISTEN_NO_SYN",
		[DATA_URG] = "= R LISTEN_ACK", [URG_ONLY] = "= R LISTEN_ACK",
		[NO_FLAGS] = "= - LISTEN_NO_SYN", [SYN_FIN] = "= - LISTEN_SYN_FIN",
		[SYN_RST] = "= - LISTEN_RST", [BAD_CSUM] = "= - TCP_CSUM",
		[KEEP0] = "= R LISTEN_ACK", [KEEP1] = "= R LISTEN_ACK",
	},
	[IN_SYN_SENT] = {
		[SYN_NXT] = "SR S", [SYN_IN] = "SR S", [SYN_ABOVE] = "SR S",
		[SYN_AGAIN] = "SR S", [SYN_BELOW] = "SR S", [SYNACK] = "ES a",
		[SYNACK_BAD] = "= R SYN_SENT_BAD_ACK", [SYNACK_OLD] = "= R SYN_SENT_BAD_ACK",
		[ACK] = "= - SYN_SENT_NO_SYN", [ACK_DUP] = "= R SYN_SENT_BAD_ACK",
		[ACK_OLD] = "= R SYN_SENT_BAD_ACK", [ACK_ANCIENT] = "= R SYN_SENT_BAD_ACK",
		[ACK_UNSENT] = "= R SYN_SENT_BAD_ACK", [ACK_ABOVE] = "= - SYN_SENT_NO_SYN",
		[ACK_BELOW] = "= - SYN_SENT_NO_SYN", [FIN] = "= - SYN_SENT_NO_SYN",
		[FIN_ACKING] = "= - SYN_SENT_NO_SYN", [FIN_OOO] = "= - SYN_SENT_NO_SYN",
		[FIN_AGAIN] = "= - SYN_SENT_NO_SYN", [FIN_NOACK] = "= - SYN_SENT_NO_SYN",
		[RST_NXT] = "= - SYN_SENT_RST", [RST_IN] = "= - SYN_SENT_RST",
		[RST_BELOW] = "= - SYN_SENT_RST", [RST_ABOVE] = "= - SYN_SENT_RST",
		[RSTACK] = "CL - RST", [RSTACK_UNSENT] = "= - SYN_SENT_BAD_ACK",
		[RSTACK_IN] = "CL - RST", [RSTACK_FAR] = "CL - RST",
		[DATA] = "= - SYN_SENT_NO_SYN", [DATA_OOO] = "= - SYN_SENT_NO_SYN",
		[DATA_OLD] = "= - SYN_SENT_NO_SYN", [DATA_PART] = "= - SYN_SENT_NO_SYN",
		[DATA_ABOVE] = "= - SYN_SENT_NO_SYN", [DATA_NOACK] = "= - SYN_SENT_NO_SYN",
		[DATA_URG] = "= - SYN_SENT_NO_SYN", [URG_ONLY] = "= - SYN_SENT_NO_SYN",
		[NO_FLAGS] = "= - SYN_SENT_NO_SYN", [SYN_FIN] = "SR S",
		[SYN_RST] = "= - SYN_SENT_RST", [BAD_CSUM] = "= - TCP_CSUM",
		[KEEP0] = "= - SYN_SENT_NO_SYN", [KEEP1] = "= - SYN_SENT_NO_SYN",
	},
	[IN_SYN_RECV_PASSIVE] = {
		[SYN_NXT] = "LI - CHALLENGED", [SYN_IN] = "LI - CHALLENGED",
		[SYN_ABOVE] = "= A SEQ_BEYOND", [SYN_AGAIN] = "= S SEQ_OLD",
		[SYN_BELOW] = "= A SEQ_OLD", [SYNACK] = "= A SEQ_OLD",
		[SYNACK_BAD] = "= A SEQ_OLD", [SYNACK_OLD] = "= A SEQ_OLD", [ACK] = "ES -",
		[ACK_DUP] = "= R REQ_BAD_ACK", [ACK_OLD] = "= R REQ_BAD_ACK",
		[ACK_ANCIENT] = "= R REQ_BAD_ACK", [ACK_UNSENT] = "= R REQ_BAD_ACK",
		[ACK_ABOVE] = "= A SEQ_BEYOND", [ACK_BELOW] = "= A SEQ_OLD", [FIN] = "CW a",
		[FIN_ACKING] = "CW a", [FIN_OOO] = "ES A", [FIN_AGAIN] = "= A SEQ_OLD",
		[FIN_NOACK] = "= - NO_ACK", [RST_NXT] = "LI - RST",
		[RST_IN] = "= A CHALLENGED", [RST_BELOW] = "= - RST_OUTSIDE",
		[RST_ABOVE] = "= - RST_OUTSIDE", [RSTACK] = "LI - RST",
		[RSTACK_UNSENT] = "LI - RST", [RSTACK_IN] = "= A CHALLENGED",
		[RSTACK_FAR] = "= - RST_OUTSIDE", [DATA] = "ES a", [DATA_OOO] = "ES A",
		[DATA_OLD] = "= A SEQ_OLD", [DATA_PART] = "ES a",
		[DATA_ABOVE] = "= A SEQ_BEYOND", [DATA_NOACK] = "= - NO_ACK",
		[DATA_URG] = "ES a", [URG_ONLY] = "ES -", [NO_FLAGS] = "= - NO_ACK",
		[SYN_FIN] = "LI - CHALLENGED", [SYN_RST] = "LI - RST",
		[BAD_CSUM] = "= - TCP_CSUM", [KEEP0] = "= A SEQ_OLD", [KEEP1] = "= A SEQ_OLD",
	},
	[IN_SYN_RECV_ACTIVE] = {
		[SYN_NXT] = "= A CHALLENGED", [SYN_IN] = "= A CHALLENGED",
		[SYN_ABOVE] = "= A CHALLENGED", [SYN_AGAIN] = "= A CHALLENGED",
		[SYN_BELOW] = "= A CHALLENGED", [SYNACK] = "ES A",
		[SYNACK_BAD] = "= A CHALLENGED", [SYNACK_OLD] = "= A CHALLENGED",
		[ACK] = "ES -", [ACK_DUP] = "= R REQ_BAD_ACK", [ACK_OLD] = "= R REQ_BAD_ACK",
		[ACK_ANCIENT] = "= R REQ_BAD_ACK", [ACK_UNSENT] = "= R REQ_BAD_ACK",
		[ACK_ABOVE] = "= A SEQ_BEYOND", [ACK_BELOW] = "= A SEQ_OLD", [FIN] = "CW a",
		[FIN_ACKING] = "CW a", [FIN_OOO] = "ES A", [FIN_AGAIN] = "= A SEQ_OLD",
		[FIN_NOACK] = "= - NO_ACK", [RST_NXT] = "CL - RST",
		[RST_IN] = "= A CHALLENGED", [RST_BELOW] = "= - RST_OUTSIDE",
		[RST_ABOVE] = "= - RST_OUTSIDE", [RSTACK] = "CL - RST",
		[RSTACK_UNSENT] = "CL - RST", [RSTACK_IN] = "= A CHALLENGED",
		[RSTACK_FAR] = "= - RST_OUTSIDE", [DATA] = "ES a", [DATA_OOO] = "ES A",
		[DATA_OLD] = "= A SEQ_OLD", [DATA_PART] = "ES a",
		[DATA_ABOVE] = "= A SEQ_BEYOND", [DATA_NOACK] = "= - NO_ACK",
		[DATA_URG] = "ES a", [URG_ONLY] = "ES -", [NO_FLAGS] = "= - NO_ACK",
		[SYN_FIN] = "= A CHALLENGED", [SYN_RST] = "CL - RST",
		[BAD_CSUM] = "= - TCP_CSUM", [KEEP0] = "= A SEQ_OLD", [KEEP1] = "= A SEQ_OLD",
	},
	[IN_ESTABLISHED] = {
		[SYN_NXT] = "= A CHALLENGED", [SYN_IN] = "= A CHALLENGED",
		[SYN_ABOVE] = "= A CHALLENGED", [SYN_AGAIN] = "= A CHALLENGED",
		[SYN_BELOW] = "= A CHALLENGED", [SYNACK] = "= A CHALLENGED",
		[SYNACK_BAD] = "= A CHALLENGED", [SYNACK_OLD] = "= A CHALLENGED",
		[ACK] = "= -", [ACK_DUP] = "= -", [ACK_OLD] = "= -",
		[ACK_ANCIENT] = "= A ACK_OLD", [ACK_UNSENT] = "= A ACK_UNSENT",
		[ACK_ABOVE] = "= A SEQ_BEYOND", [ACK_BELOW] = "= A SEQ_OLD", [FIN] = "CW a",
		[FIN_ACKING] = "CW a", [FIN_OOO] = "= A", [FIN_AGAIN] = "= A SEQ_OLD",
		[FIN_NOACK] = "= - NO_ACK", [RST_NXT] = "CL - RST",
		[RST_IN] = "= A CHALLENGED", [RST_BELOW] = "= - RST_OUTSIDE",
		[RST_ABOVE] = "= - RST_OUTSIDE", [RSTACK] = "CL - RST",
		[RSTACK_UNSENT] = "CL - RST", [RSTACK_IN] = "= A CHALLENGED",
		[RSTACK_FAR] = "= - RST_OUTSIDE", [DATA] = "= a", [DATA_OOO] = "= A",
		[DATA_OLD] = "= A SEQ_OLD", [DATA_PART] = "= a",
		[DATA_ABOVE] = "= A SEQ_BEYOND", [DATA_NOACK] = "= - NO_ACK",
		[DATA_URG] = "= a", [URG_ONLY] = "= -", [NO_FLAGS] = "= - NO_ACK",
		[SYN_FIN] = "= A CHALLENGED", [SYN_RST] = "CL - RST",
		[BAD_CSUM] = "= - TCP_CSUM", [KEEP0] = "= A SEQ_OLD", [KEEP1] = "= A SEQ_OLD",
	},
	[IN_FIN_WAIT1] = {
		[SYN_NXT] = "= A CHALLENGED", [SYN_IN] = "= A CHALLENGED",
		[SYN_ABOVE] = "= A CHALLENGED", [SYN_AGAIN] = "= A CHALLENGED",
		[SYN_BELOW] = "= A CHALLENGED", [SYNACK] = "= A CHALLENGED",
		[SYNACK_BAD] = "= A CHALLENGED", [SYNACK_OLD] = "= A CHALLENGED",
		[ACK] = "F2 -", [ACK_DUP] = "= -", [ACK_OLD] = "= -",
		[ACK_ANCIENT] = "= A ACK_OLD", [ACK_UNSENT] = "= A ACK_UNSENT",
		[ACK_ABOVE] = "= A SEQ_BEYOND", [ACK_BELOW] = "= A SEQ_OLD", [FIN] = "CG a",
		[FIN_ACKING] = "TW a", [FIN_OOO] = "= A", [FIN_AGAIN] = "= A SEQ_OLD",
		[FIN_NOACK] = "= - NO_ACK", [RST_NXT] = "CL - RST",
		[RST_IN] = "= A CHALLENGED", [RST_BELOW] = "= - RST_OUTSIDE",
		[RST_ABOVE] = "= - RST_OUTSIDE", [RSTACK] = "CL - RST",
		[RSTACK_UNSENT] = "CL - RST", [RSTACK_IN] = "= A CHALLENGED",
		[RSTACK_FAR] = "= - RST_OUTSIDE", [DATA] = "F2 a", [DATA_OOO] = "F2 A",
		[DATA_OLD] = "= A SEQ_OLD", [DATA_PART] = "F2 a",
		[DATA_ABOVE] = "= A SEQ_BEYOND", [DATA_NOACK] = "= - NO_ACK",
		[DATA_URG] = "F2 a", [URG_ONLY] = "= -", [NO_FLAGS] = "= - NO_ACK",
		[SYN_FIN] = "= A CHALLENGED", [SYN_RST] = "CL - RST",
		[BAD_CSUM] = "= - TCP_CSUM", [KEEP0] = "= A SEQ_OLD", [KEEP1] = "= A SEQ_OLD",
	},
	[IN_FIN_WAIT2] = {
		[SYN_NXT] = "= A CHALLENGED", [SYN_IN] = "= A CHALLENGED",
		[SYN_ABOVE] = "= A CHALLENGED", [SYN_AGAIN] = "= A CHALLENGED",
		[SYN_BELOW] = "= A CHALLENGED", [SYNACK] = "= A CHALLENGED",
		[SYNACK_BAD] = "= A CHALLENGED", [SYNACK_OLD] = "= A CHALLENGED",
		[ACK] = "= -", [ACK_DUP] = "= -", [ACK_OLD] = "= -",
		[ACK_ANCIENT] = "= A ACK_OLD", [ACK_UNSENT] = "= A ACK_UNSENT",
		[ACK_ABOVE] = "= A SEQ_BEYOND", [ACK_BELOW] = "= A SEQ_OLD", [FIN] = "TW a",
		[FIN_ACKING] = "TW a", [FIN_OOO] = "= A", [FIN_AGAIN] = "= A SEQ_OLD",
		[FIN_NOACK] = "= - NO_ACK", [RST_NXT] = "CL - RST",
		[RST_IN] = "= A CHALLENGED", [RST_BELOW] = "= - RST_OUTSIDE",
		[RST_ABOVE] = "= - RST_OUTSIDE", [RSTACK] = "CL - RST",
		[RSTACK_UNSENT] = "CL - RST", [RSTACK_IN] = "= A CHALLENGED",
		[RSTACK_FAR] = "= - RST_OUTSIDE", [DATA] = "= a", [DATA_OOO] = "= A",
		[DATA_OLD] = "= A SEQ_OLD", [DATA_PART] = "= a",
		[DATA_ABOVE] = "= A SEQ_BEYOND", [DATA_NOACK] = "= - NO_ACK",
		[DATA_URG] = "= a", [URG_ONLY] = "= -", [NO_FLAGS] = "= - NO_ACK",
		[SYN_FIN] = "= A CHALLENGED", [SYN_RST] = "CL - RST",
		[BAD_CSUM] = "= - TCP_CSUM", [KEEP0] = "= A SEQ_OLD", [KEEP1] = "= A SEQ_OLD",
	},
	[IN_CLOSE_WAIT] = {
		[SYN_NXT] = "= A CHALLENGED", [SYN_IN] = "= A CHALLENGED",
		[SYN_ABOVE] = "= A CHALLENGED", [SYN_AGAIN] = "= A CHALLENGED",
		[SYN_BELOW] = "= A CHALLENGED", [SYNACK] = "= A CHALLENGED",
		[SYNACK_BAD] = "= A CHALLENGED", [SYNACK_OLD] = "= A CHALLENGED",
		[ACK] = "= -", [ACK_DUP] = "= -", [ACK_OLD] = "= -",
		[ACK_ANCIENT] = "= A ACK_OLD", [ACK_UNSENT] = "= A ACK_UNSENT",
		[ACK_ABOVE] = "= A SEQ_BEYOND", [ACK_BELOW] = "= A SEQ_OLD", [FIN] = "= A",
		[FIN_ACKING] = "= A", [FIN_OOO] = "= A", [FIN_AGAIN] = "= A SEQ_OLD",
		[FIN_NOACK] = "= - NO_ACK", [RST_NXT] = "CL - RST",
		[RST_IN] = "= A CHALLENGED", [RST_BELOW] = "= - RST_OUTSIDE",
		[RST_ABOVE] = "= - RST_OUTSIDE", [RSTACK] = "CL - RST",
		[RSTACK_UNSENT] = "CL - RST", [RSTACK_IN] = "= A CHALLENGED",
		[RSTACK_FAR] = "= - RST_OUTSIDE", [DATA] = "= A AFTER_FIN",
		[DATA_OOO] = "= A AFTER_FIN", [DATA_OLD] = "= A SEQ_OLD",
		[DATA_PART] = "= A AFTER_FIN", [DATA_ABOVE] = "= A SEQ_BEYOND",
		[DATA_NOACK] = "= - NO_ACK", [DATA_URG] = "= A AFTER_FIN", [URG_ONLY] = "= -",
		[NO_FLAGS] = "= - NO_ACK", [SYN_FIN] = "= A CHALLENGED",
		[SYN_RST] = "CL - RST", [BAD_CSUM] = "= - TCP_CSUM", [KEEP0] = "= A SEQ_OLD",
		[KEEP1] = "= A SEQ_OLD",
	},
	[IN_CLOSING] = {
		[SYN_NXT] = "= A CHALLENGED", [SYN_IN] = "= A CHALLENGED",
		[SYN_ABOVE] = "= A CHALLENGED", [SYN_AGAIN] = "= A CHALLENGED",
		[SYN_BELOW] = "= A CHALLENGED", [SYNACK] = "= A CHALLENGED",
		[SYNACK_BAD] = "= A CHALLENGED", [SYNACK_OLD] = "= A CHALLENGED",
		[ACK] = "TW -", [ACK_DUP] = "= -", [ACK_OLD] = "= -",
		[ACK_ANCIENT] = "= A ACK_OLD", [ACK_UNSENT] = "= A ACK_UNSENT",
		[ACK_ABOVE] = "= A SEQ_BEYOND", [ACK_BELOW] = "= A SEQ_OLD", [FIN] = "= A",
		[FIN_ACKING] = "TW -", [FIN_OOO] = "= A", [FIN_AGAIN] = "= A SEQ_OLD",
		[FIN_NOACK] = "= - NO_ACK", [RST_NXT] = "CL - RST",
		[RST_IN] = "= A CHALLENGED", [RST_BELOW] = "= - RST_OUTSIDE",
		[RST_ABOVE] = "= - RST_OUTSIDE", [RSTACK] = "CL - RST",
		[RSTACK_UNSENT] = "CL - RST", [RSTACK_IN] = "= A CHALLENGED",
		[RSTACK_FAR] = "= - RST_OUTSIDE", [DATA] = "TW -", [DATA_OOO] = "TW -",
		[DATA_OLD] = "= A SEQ_OLD", [DATA_PART] = "TW -",
		[DATA_ABOVE] = "= A SEQ_BEYOND", [DATA_NOACK] = "= - NO_ACK",
		[DATA_URG] = "TW -", [URG_ONLY] = "= -", [NO_FLAGS] = "= - NO_ACK",
		[SYN_FIN] = "= A CHALLENGED", [SYN_RST] = "CL - RST",
		[BAD_CSUM] = "= - TCP_CSUM", [KEEP0] = "= A SEQ_OLD", [KEEP1] = "= A SEQ_OLD",
	},
	[IN_LAST_ACK] = {
		[SYN_NXT] = "= A CHALLENGED", [SYN_IN] = "= A CHALLENGED",
		[SYN_ABOVE] = "= A CHALLENGED", [SYN_AGAIN] = "= A CHALLENGED",
		[SYN_BELOW] = "= A CHALLENGED", [SYNACK] = "= A CHALLENGED",
		[SYNACK_BAD] = "= A CHALLENGED", [SYNACK_OLD] = "= A CHALLENGED",
		[ACK] = "CL -", [ACK_DUP] = "= -", [ACK_OLD] = "= -",
		[ACK_ANCIENT] = "= A ACK_OLD", [ACK_UNSENT] = "= A ACK_UNSENT",
		[ACK_ABOVE] = "= A SEQ_BEYOND", [ACK_BELOW] = "= A SEQ_OLD", [FIN] = "= A",
		[FIN_ACKING] = "CL -", [FIN_OOO] = "= A", [FIN_AGAIN] = "= A SEQ_OLD",
		[FIN_NOACK] = "= - NO_ACK", [RST_NXT] = "CL - RST",
		[RST_IN] = "= A CHALLENGED", [RST_BELOW] = "= - RST_OUTSIDE",
		[RST_ABOVE] = "= - RST_OUTSIDE", [RSTACK] = "CL - RST",
		[RSTACK_UNSENT] = "CL - RST", [RSTACK_IN] = "= A CHALLENGED",
		[RSTACK_FAR] = "= - RST_OUTSIDE", [DATA] = "CL -", [DATA_OOO] = "CL -",
		[DATA_OLD] = "= A SEQ_OLD", [DATA_PART] = "CL -",
		[DATA_ABOVE] = "= A SEQ_BEYOND", [DATA_NOACK] = "= - NO_ACK",
		[DATA_URG] = "CL -", [URG_ONLY] = "= -", [NO_FLAGS] = "= - NO_ACK",
		[SYN_FIN] = "= A CHALLENGED", [SYN_RST] = "CL - RST",
		[BAD_CSUM] = "= - TCP_CSUM", [KEEP0] = "= A SEQ_OLD", [KEEP1] = "= A SEQ_OLD",
	},
	[IN_TIME_WAIT] = {
		[SYN_NXT] = "= - TW_OLD", [SYN_IN] = "SR S", [SYN_ABOVE] = "SR S",
		[SYN_AGAIN] = "= - TW_OLD", [SYN_BELOW] = "= - TW_OLD",
		[SYNACK] = "= A TW_OLD", [SYNACK_BAD] = "= A TW_OLD",
		[SYNACK_OLD] = "= A TW_OLD", [ACK] = "= - TW_OLD", [ACK_DUP] = "= - TW_OLD",
		[ACK_OLD] = "= - TW_OLD", [ACK_ANCIENT] = "= - TW_OLD",
		[ACK_UNSENT] = "= A TW_OLD", [ACK_ABOVE] = "= A TW_OLD",
		[ACK_BELOW] = "= A TW_OLD", [FIN] = "= A TW_OLD", [FIN_ACKING] = "= A TW_OLD",
		[FIN_OOO] = "= A TW_OLD", [FIN_AGAIN] = "= A TW_OLD",
		[FIN_NOACK] = "= - NO_ACK", [RST_NXT] = "= - TW_RST", [RST_IN] = "= - TW_RST",
		[RST_BELOW] = "= - TW_RST", [RST_ABOVE] = "= - TW_RST",
		[RSTACK] = "= - TW_RST", [RSTACK_UNSENT] = "= - TW_RST",
		[RSTACK_IN] = "= - TW_RST", [RSTACK_FAR] = "= - TW_RST", [DATA] = "= A TW_OLD",
		[DATA_OOO] = "= A TW_OLD", [DATA_OLD] = "= A TW_OLD",
		[DATA_PART] = "= A TW_OLD", [DATA_ABOVE] = "= A TW_OLD",
		[DATA_NOACK] = "= - NO_ACK", [DATA_URG] = "= A TW_OLD",
		[URG_ONLY] = "= - TW_OLD", [NO_FLAGS] = "= - NO_ACK", [SYN_FIN] = "= - TW_OLD",
		[SYN_RST] = "= - TW_RST", [BAD_CSUM] = "= - TCP_CSUM", [KEEP0] = "= A TW_OLD",
		[KEEP1] = "= A TW_OLD",
	},
};

static const char *const short_names[RILL_TCP_STATES] = {
	[RILL_ESTABLISHED] = "ES", [RILL_SYN_SENT] = "SS", [RILL_SYN_RECV] = "SR",
	[RILL_FIN_WAIT1] = "F1", [RILL_FIN_WAIT2] = "F2", [RILL_TIME_WAIT] = "TW",
	[RILL_CLOSE] = "CL", [RILL_CLOSE_WAIT] = "CW", [RILL_LAST_ACK] = "LA",
	[RILL_LISTEN] = "LI", [RILL_CLOSING] = "CG",
};

static uint64_t drops(struct fix *f, uint64_t *v, const char **last)
{
	struct rill_named_u64 c;
	uint64_t sum = 0;
	size_t n = 0;

	for (unsigned i = 0; rill_stack_counter(f->st, i, &c); i++) {
		if (strncmp(c.name, "drop.", 5))
			continue;
		if (last && c.value != v[n])
			*last = c.name + 5;
		sum += c.value;
		v[n++] = c.value;
	}
	return sum;
}

static char answer(const struct fix *f, const struct out_seg *o, uint32_t seq, uint32_t seg_len,
		   uint32_t ack)
{
	if (!o->there)
		return '-';
	if (o->flags == TH_ACK && o->seq == f->snd_nxt)
		return o->ack == f->rcv_nxt ? 'A' : o->ack - f->rcv_nxt < 65536 ? 'a' : '?';
	if (o->flags == TH_RST && o->seq == ack)
		return 'R';
	if (o->flags == (TH_RST | TH_ACK) && o->seq + f->iss == 0 && o->ack == seq + seg_len)
		return 'Z';
	if (o->flags == (TH_SYN | TH_ACK))
		return 'S';
	return '?';
}

static const char *state_then(struct fix *f, int was)
{
	int state = fix_state(f), s = was == FIX_SYN_RECV_PASSIVE ? RILL_SYN_RECV : was;

	if (state == RILL_CLOSE && (was == RILL_LISTEN || was == FIX_SYN_RECV_PASSIVE))
		state = RILL_LISTEN;	/* it is still there */
	return state == s ? "=" : short_names[state];
}

static uint32_t ack_of(const struct fix *f, const struct segment *s, int state)
{
	bool opening = state == RILL_SYN_SENT || state == RILL_SYN_RECV ||
		       state == FIX_SYN_RECV_PASSIVE;

	switch (s->ack) {
	case NO:
	case ISS:
		return 0;
	case UNA:		/* a FIN or URG then acknowledges our SYN */
		if (opening && (s->flags[0] == 'F' || s->flags[0] == 'U'))
			return f->snd_nxt;
		return f->snd_una + (uint32_t)s->ack_off;
	case SND:
		return f->snd_nxt + (uint32_t)s->ack_off;
	}
	return 0;
}

/* What one segment does, written as a cell of the grid. */
static const char *try_cell(int state, enum event e, bool v6)
{
	const struct segment *s = &segments[e];
	struct in_opts x = { .urg = s->urg, .bad_csum = e == BAD_CSUM };
	static char cell[80];
	const char *why = "";
	uint32_t seq, ack, len;
	uint64_t v[128];
	struct out_seg o;
	struct fix f;
	char a;

	fix_init(&f, v6);
	fix_reach(&f, state);
	drops(&f, v, NULL);
	seq = (s->from == IRS ? 0 : f.rcv_nxt) + (uint32_t)s->seq;
	ack = ack_of(&f, s, state);
	len = s->len + (strchr(s->flags, 'S') != NULL) + (strchr(s->flags, 'F') != NULL);
	fix_in_opts(&f, s->flags, seq, s->len, ack, 65535, &x);
	drops(&f, v, &why);
	o = fix_out(&f);
	a = answer(&f, &o, seq, len, ack);
	if (fix_out(&f).there)
		a = '+';			/* never two answers [RFC5681-26] */
	snprintf(cell, sizeof(cell), "%s %c %s", state_then(&f, state), a, why);
	if (!*why)
		cell[strlen(cell) - 1] = 0;
	fix_done(&f);
	return cell;
}

/*
 * [RFC9293:U-2] [RFC9293:U-4] [RFC9293:U-5] [RFC9293:U-7] [RFC9293:U-9] [RFC9293:U-10]
 * [RFC9293:lc-14] [RFC9293:MAY-12] [RFC5961-01] [RFC5961-02] [RFC5961-04] [RFC1337-02]
 * [A18] [A17] [RFC9293:lc-2] [RFC9293:lc-3] [RFC9293:lc-4] [RFC9293:U-6] [RFC9293:U-8]
 */
TEST(grid_of_states_and_segments)
{
	for (int s = 0; s < SITUATIONS; s++)
		for (int e = 0; e < EVENTS; e++)
			CHECK_STR(rl_label("%s, %s", short_names[situations[s] % 100]
						     ? short_names[situations[s] % 100]
						     : "SR passive", segments[e].name),
				  try_cell(situations[s], (enum event)e, e & 1), grid[s][e]);
}
