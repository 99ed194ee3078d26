/* SPDX-License-Identifier: MIT */
/*
 * A segment arrives [RFC9293:3.10.7]: 42 kinds of segment in each of the twelve
 * situations a connection can be in (SYN-RECEIVED counts twice), with what must
 * come of it: the next state, the answer, the drop reason.  Then what that grid
 * can't reach, so that every drop reason of TCP is caused here by name.
 */
#include <errno.h>
#include <stdio.h>

#include "tcp_fix.h"
#include "stack/sockopt_nums.h"
#include "tcp/conn.h"

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
		a = '+';			/* never two answers */
	snprintf(cell, sizeof(cell), "%s %c %s", state_then(&f, state), a, why);
	if (!*why)
		cell[strlen(cell) - 1] = 0;
	fix_done(&f);
	return cell;
}

/* [A18] [A17] [RFC9293:lc-2] [RFC9293:lc-3] [RFC9293:lc-4] [RFC9293:U-6] [RFC9293:U-8] */
TEST(grid_of_states_and_segments)
{
	for (int s = 0; s < SITUATIONS; s++)
		for (int e = 0; e < EVENTS; e++)
			CHECK_STR(rl_label("%s, %s", short_names[situations[s] % 100]
						     ? short_names[situations[s] % 100]
						     : "SR passive", segments[e].name),
				  try_cell(situations[s], (enum event)e, e & 1), grid[s][e]);
}

/* ---- sequence numbers ---- */

/* The four cases in 64 bits, where nothing wraps. */
static bool acceptable(int64_t seq, int64_t len, int64_t nxt, int64_t wnd)
{
	if (!len)
		return wnd ? seq >= nxt && seq < nxt + wnd : seq == nxt;
	return wnd && seq < nxt + wnd && seq + len > nxt;
}

/* [RFC9293:lc-9] [RFC9293:lc-6] both edges, lengths about them, numbers about the wraps */
TEST(acceptability)
{
	static const int64_t nxts[] = { 1000000, (1ll << 31) - 3, 1ll << 31, (1ll << 32) - 3,
					1ll << 32, (1ll << 32) + 2 };
	static const int64_t wnds[] = { 0, 1, 5, 65535, 1 << 30 };
	static const int64_t lens[] = { 0, 1, 2, 5, 6, 7, 65535, 70000 };
	int bad = 0, n = 0;

	for (size_t a = 0; a < ARRAY_LEN(nxts); a++)
		for (size_t b = 0; b < ARRAY_LEN(wnds); b++)
			for (size_t c = 0; c < ARRAY_LEN(lens); c++)
				for (int d = -8; d <= 8; d++)
					for (int edge = 0; edge < 4; edge++) {
						int64_t seq = nxts[a] + d +
							      (edge & 1 ? wnds[b] : 0) -
							      (edge & 2 ? lens[c] : 0);
						struct seg s = {
							.seq = seq_make((uint32_t)seq),
							.len = (uint32_t)lens[c],
						};

						n++;
						bad += rl_seq_acceptable(&s,
							seq_make((uint32_t)nxts[a]),
							(uint32_t)wnds[b]) !=
						       acceptable(seq, lens[c], nxts[a],
								  wnds[b]);
					}
	CHECK_EQ("cases that differ", bad, 0);
	CHECK("many", n > 10000);
}

/* [RFC9293:lc-10] What lies outside the window is cut off, on both sides. */
TEST(text_is_trimmed)
{
	uint8_t buf[70000];
	struct out_seg o;
	struct fix f;
	uint32_t wnd;

	fix_init(&f, false);
	fix_establish(&f, true, false);
	fix_in(&f, "P.", 1, 10, 1, 65535);
	o = fix_out(&f);
	fix_in(&f, "P.", 6, 10, 1, 65535);	/* five old ones, five new ones */
	o = fix_out(&f);
	CHECK_EQ("acknowledged", o.ack, 16);
	CHECK_EQ("read", fix_recv(&f, buf, 100), 15);
	for (int i = 0; i < 15; i++)
		CHECK_EQ("byte", buf[i], (uint8_t)(1 + i));
	fix_in(&f, "P.", 16, 1, 1, 65535);
	o = fix_out(&f);
	CHECK_EQ("read", fix_recv(&f, buf, 100), 1);
	wnd = o.win;			/* no scaling here */
	for (uint32_t at = 0; at < wnd - 10; at += 1000)
		fix_in(&f, ".", 17 + at, RL_MIN(1000u, wnd - 10 - at), 1, 65535);
	fix_drain(&f);
	fix_in(&f, "FP.", 17 + wnd - 10, 20, 1, 65535);
	while ((o = fix_out(&f)).there)
		CHECK_EQ("to the edge, not beyond, no FIN", o.ack, 17 + wnd);
	CHECK_EQ("still open", fix_state(&f), RILL_ESTABLISHED);
	CHECK_EQ("all", fix_recv(&f, buf, sizeof(buf)), wnd);
	for (uint32_t i = 0; i < wnd; i++)
		if (buf[i] != (uint8_t)(17 + i)) {
			CHECK_EQ(rl_label("byte %u", i), buf[i], (uint8_t)(17 + i));
			break;
		}
	fix_done(&f);
}

/* [RFC9293:SHLD-2] */
TEST(reset_with_text)
{
	uint8_t buf[10];
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	fix_in(&f, "R.", 1, 20, 1, 0);
	CHECK_EQ("reset", fix_state(&f), RILL_CLOSE);
	CHECK_EQ("told", fix_recv(&f, buf, sizeof(buf)), -ECONNRESET);
	fix_done(&f);
}

/* [A18] The peer's host crashed and came back; its new SYN meets our old connection. */
TEST(half_open_peer_is_reset)
{
	uint8_t buf[10];
	struct out_seg o;
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	fix_in(&f, "S", 5000000, 0, 0, 65535);
	o = fix_out(&f);
	CHECK_EQ("challenge ACK", o.flags, TH_ACK);
	CHECK_EQ("where we are", o.ack, 1);
	fix_in(&f, "R", o.ack, 0, 0, 0);	/* it knows of no such connection */
	CHECK_EQ("gone", fix_state(&f), RILL_CLOSE);
	CHECK_EQ("told", fix_recv(&f, buf, sizeof(buf)), -ECONNRESET);
	CHECK_EQ("counted", fix_counter(&f, "tcp.syn_challenge"), 1);
	fix_done(&f);
}

/* [RFC5961-05] One challenge ACK in tcp_invalid_ratelimit, and a limit for the stack. */
TEST(challenge_acks_are_limited)
{
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	for (int i = 0; i < 10; i++)
		fix_in(&f, "S", 1, 0, 0, 65535);
	CHECK_EQ("one answer", fix_drain(&f), 1);
	CHECK_EQ("counted", fix_counter(&f, "tcp.challenge_ack"), 1);
	CHECK_EQ("the others too", fix_counter(&f, "tcp.ack_skipped"), 9);
	fix_advance_ms(&f, 500);
	fix_in(&f, "R", 2, 0, 0, 65535);
	CHECK_EQ("later again", fix_drain(&f), 1);
	fix_sysctl(&f, "net.ipv4.tcp_invalid_ratelimit", "0");
	fix_sysctl(&f, "net.ipv4.tcp_challenge_ack_limit", "3");
	fix_advance_ms(&f, 1000);
	for (int i = 0; i < 10; i++)
		fix_in(&f, "R", 2, 0, 0, 65535);
	CHECK_EQ("three a second", fix_drain(&f), 3);
	fix_done(&f);
}

/* ---- reasons that the grid does not reach ---- */

static uint64_t dropped(struct fix *f, const char *reason)
{
	return fix_counter(f, rl_label("drop.%s", reason));
}

/* [RFC9293:MUST-7] [RFC9293:MUST-3] [A1] */
TEST(malformed_segments)
{
	static const uint8_t bad_opts[][4] = {
		{ 2, 0 }, { 2, 1 }, { 8, 10, 0, 0 }, { 99, 5, 0, 0 }, { 1, 1, 1, 2 },
	};
	struct in_opts x = { .data_off_set = true };
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	x.data_off = 4;
	fix_in_opts(&f, "R", 1, 0, 0, 0, &x);
	x.data_off = 6;				/* beyond the segment */
	fix_in_opts(&f, "R", 1, 0, 0, 0, &x);
	x.data_off = 5;
	x.cut = 1;
	fix_in_opts(&f, "R", 1, 0, 0, 0, &x);
	CHECK_EQ("short", dropped(&f, "TCP_SHORT"), 3);
	for (size_t i = 0; i < ARRAY_LEN(bad_opts); i++) {
		struct in_opts o = { .bytes = bad_opts[i], .n = 4 };

		fix_in_opts(&f, "R", 1, 0, 0, 0, &o);
	}
	CHECK_EQ("options", dropped(&f, "TCP_OPTIONS"), ARRAY_LEN(bad_opts));
	fix_in_opts(&f, "R", 1, 0, 0, 0, &(struct in_opts){ .bad_csum = true });
	CHECK_EQ("checksum", dropped(&f, "TCP_CSUM"), 1);
	CHECK_EQ("counted", fix_counter(&f, "tcp.in_csum_errors"), 1);
	CHECK_EQ("counted", fix_counter(&f, "tcp.in_errs"), 4 + ARRAY_LEN(bad_opts));
	CHECK_EQ("no effect", fix_state(&f), RILL_ESTABLISHED);
	fix_expect_none(&f, "no answer");
	fix_done(&f);
}

/* [RFC9293:MUST-57] [RFC9293:MUST-63] */
TEST(not_unicast)
{
	const struct { const char *name; struct rill_ip src, dst; bool v6; } rows[] = {
		{ "limited broadcast", rl_ip4(0x0a000002), rl_ip4(0xffffffff), false },
		{ "subnet broadcast", rl_ip4(0x0a000002), rl_ip4(0x0a0000ff), false },
		{ "all hosts", rl_ip4(0x0a000002), rl_ip4(0xe0000001), false },
		{ "from subnet broadcast", rl_ip4(0x0a0000ff), rl_ip4(0x0a000001), false },
		{ "from multicast", rl_ip4(0xe0000001), rl_ip4(0x0a000001), false },
		{ "from ourselves", rl_ip4(0x0a000001), rl_ip4(0x0a000001), false },
		{ "from 0.0.0.0", rl_ip4(0), rl_ip4(0x0a000001), false },
		{ "from 127.0.0.1", rl_ip4(0x7f000001), rl_ip4(0x0a000001), false },
		{ "all nodes", { .b = { 0xfd, [15] = 2 } },
		  { .b = { 0xff, 2, [15] = 1 } }, true },
		{ "from ff02::1", { .b = { 0xff, 2, [15] = 1 } },
		  { .b = { 0xfd, [15] = 1 } }, true },
		{ "from ::1", { .b = { [15] = 1 } }, { .b = { 0xfd, [15] = 1 } }, true },
	};
	uint64_t by_tcp = 0;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct in_opts x = { .src = &rows[i].src, .dst = &rows[i].dst };
		struct fix f;

		fix_init(&f, rows[i].v6);
		fix_listen(&f);
		fix_in_opts(&f, "S", 0, 0, 0, 65535, &x);
		CHECK_EQ(rows[i].name, fix_drain(&f), 0);
		CHECK_EQ(rows[i].name, fix_counter(&f, "pool.half_open"), 0);
		x.src = x.dst = NULL;
		by_tcp += dropped(&f, "TCP_NOT_UNICAST");
		fix_done(&f);
	}
	CHECK("some by TCP itself", by_tcp >= 3);
}

static void close_window(struct fix *f)
{
	struct out_seg o = { .win = 65535 };
	uint32_t at = 1;

	while (o.win) {
		fix_in(f, ".", at, RL_MIN(1000u, (uint32_t)o.win), 1, 65535);
		at += RL_MIN(1000u, (uint32_t)o.win);
		fix_advance_ms(f, 50);
		for (struct out_seg n = fix_out(f); n.there; n = fix_out(f))
			o = n;
	}
	f->rcv_nxt = at;
}

/* [RFC9293:MUST-66] [RFC9293:lc-8] [RFC9293:MAY-8] with our window closed */
TEST(zero_window)
{
	static const struct {
		const char *name, *flags;
		int32_t off;
		uint32_t len;
		uint16_t urg;
		int state;
		const char *drop;
		char answer;
	} rows[] = {
		{ "probe of one byte", ".", 0, 1, 0, RILL_ESTABLISHED, "ZERO_WINDOW", 'A' },
		{ "more text", "P.", 0, 500, 0, RILL_ESTABLISHED, "ZERO_WINDOW", 'A' },
		{ "text beyond", "P.", 1, 1, 0, RILL_ESTABLISHED, "ZERO_WINDOW", 'A' },
		{ "empty probe", ".", -1, 0, 0, RILL_ESTABLISHED, "SEQ_OLD", 'A' },
		{ "RST exact", "R", 0, 0, 0, RILL_CLOSE, "RST", '-' },
		{ "RST one off", "R", 1, 0, 0, RILL_ESTABLISHED, "RST_OUTSIDE", '-' },
		{ "URG with a byte", "U.", 0, 1, 1, RILL_ESTABLISHED, "ZERO_WINDOW", 'A' },
		{ "FIN", "F.", 0, 0, 0, RILL_ESTABLISHED, "SEQ_BEYOND", 'A' },
		{ "ACK of unsent", ".", 0, 0, 0, RILL_ESTABLISHED, NULL, '-' },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct in_opts x = { .urg = rows[i].urg };
		struct out_seg o;
		struct fix f;

		fix_init(&f, false);
		fix_establish(&f, false, false);
		close_window(&f);
		CHECK_EQ("closed", fix_counter(&f, "tcp.to_zero_window"), 1);
		fix_event(&f);
		fix_in_opts(&f, rows[i].flags, f.rcv_nxt + (uint32_t)rows[i].off, rows[i].len,
			    1, 65535, &x);
		o = fix_out(&f);
		CHECK_EQ(rows[i].name, o.there, rows[i].answer == 'A');
		if (o.there) {
			CHECK_EQ(rows[i].name, o.ack, f.rcv_nxt);
			CHECK_EQ(rows[i].name, o.win, 0);
		}
		CHECK_EQ(rows[i].name, fix_state(&f), rows[i].state);
		if (rows[i].drop)
			CHECK_EQ(rows[i].drop, dropped(&f, rows[i].drop), 1);
		if (rows[i].urg)
			CHECK("signalled", fix_event(&f) & RILL_PRI);
		fix_done(&f);
	}
}

/* [RFC7323-19] [RFC7323-20] */
TEST(paws)
{
	struct in_opts old = { .ts_set = true };
	uint8_t buf[10];
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, true);
	old.ts_val = f.ts_val - 1;
	fix_in_opts(&f, "P.", 1, 10, 1, 65535, &old);
	fix_expect(&f, "ACK", ".", 1, 0, 1);
	CHECK_EQ("not delivered", fix_recv(&f, buf, 10), -EAGAIN);
	CHECK_EQ("dropped", dropped(&f, "PAWS"), 1);
	CHECK_EQ("counted", fix_counter(&f, "tcp.paws_estab"), 1);
	old.ts_val = f.ts_val;
	fix_in_opts(&f, "P.", 1, 10, 1, 65535, &old);
	CHECK_EQ("equal is not older", fix_recv(&f, buf, 10), 10);
	old.ts_val = f.ts_val - 100;
	fix_in_opts(&f, "R", 11, 0, 0, 0, &old);
	CHECK_EQ("a RST is exempt", fix_state(&f), RILL_CLOSE);
	fix_done(&f);
}

/* [RFC7323-22] After 24 days the last timestamp says nothing. */
TEST(paws_forgets)
{
	struct in_opts old = { .ts_set = true };
	uint8_t buf[10];
	struct fix f;

	for (int days = 23; days <= 25; days += 2) {
		fix_init(&f, false);
		fix_establish(&f, false, true);
		old.ts_val = f.ts_val - 5;
		fix_advance_ms(&f, days * 24ll * 3600 * 1000);
		fix_in_opts(&f, "P.", 1, 10, 1, 65535, &old);
		CHECK_EQ(rl_label("%d days", days), fix_recv(&f, buf, 10),
			 days < 24 ? -EAGAIN : 10);
		fix_done(&f);
	}
}

/* PAWS before the connection is there: half-open, and in SYN-SENT. */
TEST(paws_while_opening)
{
	static const uint8_t ts9[] = { 8, 10, 0, 0, 0, 9, 0, 0, 0, 0 };
	static const uint8_t ts8[] = { 8, 10, 0, 0, 0, 8, 0, 0, 0, 0 };
	uint8_t future[] = { 8, 10, 0, 0, 0, 9, 0, 0, 0, 0 };
	struct in_opts x = { .bytes = ts9, .n = sizeof(ts9) };
	struct fix f;

	fix_init(&f, false);
	fix_listen(&f);
	fix_in_opts(&f, "S", 0, 0, 0, 65535, &x);
	fix_expect(&f, "SYN+ACK", "S.", 0, 0, 1);
	x.bytes = ts8;
	fix_in_opts(&f, ".", 1, 0, 1, 65535, &x);
	CHECK_EQ("still half open", fix_state(&f), RILL_SYN_RECV);
	CHECK_EQ("PAWS", dropped(&f, "PAWS"), 1);
	fix_drain(&f);
	fix_done(&f);

	fix_init(&f, false);
	fix_reach(&f, RILL_SYN_SENT);
	put32(future + 6, f.ts_ecr + 1000);	/* echoes a time to come */
	x.bytes = future;
	fix_in_opts(&f, "S.", 0, 0, 1, 65535, &x);
	fix_expect(&f, "reset", "R", 1, 0, 0);
	CHECK_EQ("waits on", fix_state(&f), RILL_SYN_SENT);
	CHECK_EQ("counted", fix_counter(&f, "tcp.paws_active"), 1);
	fix_done(&f);
}

/* [RFC9293:SHLD-3] [A18] Data for an application that is gone. */
TEST(data_after_close)
{
	static const int states[] = { RILL_FIN_WAIT1, RILL_FIN_WAIT2 };

	for (size_t i = 0; i < ARRAY_LEN(states); i++) {
		struct fix f;

		fix_init(&f, false);
		fix_establish(&f, false, false);
		CHECK_EQ("close", rill_tcp_close(f.st, f.fd), 0);
		fix_expect(&f, "FIN", "F.", 1, 0, 1);
		if (states[i] == RILL_FIN_WAIT2)
			fix_in(&f, ".", 1, 0, 2, 65535);
		CHECK_EQ("state", fix_state(&f), states[i]);
		fix_in(&f, "P.", 1, 100, (uint32_t)i + 1, 65535);
		fix_expect(&f, "reset", "R", (uint32_t)i + 1, 0, 0);
		CHECK_EQ("gone", fix_state(&f), RILL_CLOSE);
		CHECK_EQ("AFTER_CLOSE", dropped(&f, "AFTER_CLOSE"), 1);
		CHECK_EQ("counted", fix_counter(&f, "tcp.abort_on_data"), 1);
		CHECK_EQ("freed", fix_counter(&f, "pool.conns"), 1);	/* the listener */
		fix_done(&f);
	}
}

/* A toy or an attack: more gaps than anybody needs. */
TEST(reassembly_queue_full)
{
	struct fix f;

	fix_init(&f, false);
	fix_establish(&f, false, false);
	for (uint32_t i = 0; i < 1100; i++) {
		fix_in(&f, ".", 3 + 2 * i, 1, 1, 65535);
		fix_drain(&f);
	}
	CHECK("RCVQ_FULL", dropped(&f, "RCVQ_FULL") > 0);
	CHECK_EQ("bounded", fix_counter(&f, "pool.ooo") + dropped(&f, "RCVQ_FULL"), 1100);
	CHECK_EQ("alive", fix_state(&f), RILL_ESTABLISHED);
	fix_done(&f);
}

/* [A9] */
TEST(queues_full)
{
	struct fix f;

	fix_init(&f, false);
	fix_sysctl(&f, "net.ipv4.tcp_max_syn_backlog", "2");
	fix_listen(&f);
	for (int i = 0; i < 3; i++) {
		f.rport++;
		fix_in(&f, "S", 0, 0, 0, 65535);
	}
	CHECK_EQ("two answered", fix_drain(&f), 2);
	CHECK_EQ("SYN_QUEUE_FULL", dropped(&f, "SYN_QUEUE_FULL"), 1);
	CHECK_EQ("backlog 0", rill_tcp_listen(f.st, f.listener, 0), 0);
	fix_in(&f, "R", 1, 0, 0, 0);
	f.rport--;
	f.got_iss = false;
	fix_done(&f);

	fix_init(&f, false);
	fix_listen(&f);
	CHECK_EQ("backlog 0", rill_tcp_listen(f.st, f.listener, 0), 0);
	for (int i = 0; i < 2; i++) {
		f.rport++;
		f.got_iss = false;
		fix_in(&f, "S", 0, 0, 0, 65535);
		fix_drain(&f);
		if (f.got_iss)
			fix_in(&f, ".", 1, 0, 1, 65535);
	}
	CHECK_EQ("ACCEPT_QUEUE_FULL", dropped(&f, "ACCEPT_QUEUE_FULL"), 1);
	fix_done(&f);
}

/* IP_MINTTL: what came from farther away is not for this connection. */
TEST(min_ttl)
{
	struct in_opts far = { .ttl = 254 };
	uint8_t buf[10];
	struct fix f;

	for (int v6 = 0; v6 < 2; v6++) {
		fix_init(&f, v6);
		fix_establish(&f, false, false);
		CHECK_EQ("set", v6 ? fix_setopt(&f, RL_SOL_IPV6, RL_IPV6_MINHOPCOUNT, 255)
				   : fix_setopt(&f, RL_SOL_IP, RL_IP_MINTTL, 255), 0);
		fix_in_opts(&f, "P.", 1, 5, 1, 65535, &far);
		CHECK_EQ("MIN_TTL", dropped(&f, "MIN_TTL"), 1);
		CHECK_EQ("nothing", fix_recv(&f, buf, 10), -EAGAIN);
		far.ttl = 255;
		fix_in_opts(&f, "P.", 1, 5, 1, 65535, &far);
		CHECK_EQ("near", fix_recv(&f, buf, 10), 5);
		far.ttl = 254;
		fix_done(&f);
	}
}
