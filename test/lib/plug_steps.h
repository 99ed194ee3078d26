/* SPDX-License-Identifier: MIT */
/* Steps that the tests of the plug-in share, with their checks. */
#ifndef PLUG_STEPS_H
#define PLUG_STEPS_H

#include <errno.h>

#include "plug_tool.h"
#include "rl_test.h"

#define FIN	0x01
#define SYN	0x02
#define RST	0x04
#define PSH	0x08
#define ACK	0x10
#define ISN	1000u			/* of the peer */

/* A script begins. */
#define BEGIN(t, flags)							\
	struct tool t;							\
	REQUIRE("the plug-in loads", tool_begin(&t, flags))

/* The call fails, with this errno. */
#define FAILS(label, call, want)					\
	do {								\
		errno = 0;						\
		CHECK_EQ(label, (call), -1);				\
		CHECK_EQ(label, errno, want);				\
	} while (0)

/** Set and clear O_NONBLOCK. */
void step_nonblock(struct tool *t, int fd);
void step_block(struct tool *t, int fd);

/** socket, bind, listen; non-blocking. */
int step_listener(struct tool *t, int domain);

/** A SYN with an MSS of 1000 enters. */
void step_in_syn(struct tool *t);
/** An ACK, with or without data, enters. */
void step_in_data(struct tool *t, uint32_t seq, uint32_t ack, size_t len);

/** A SYN-ACK leaves; its sequence number. */
uint32_t step_synack(struct tool *t, struct seg *s);
/** This leaves next. */
bool step_seg(struct tool *t, const char *label, struct seg *s, uint8_t flags,
	      uint32_t seq, uint32_t ack, size_t len);
/** Nothing more leaves: success and length 0. */
void step_silent(struct tool *t, const char *label);

/** Handshake of a passive open; the stack's ISN in @iss. */
int step_accepted(struct tool *t, int lfd, uint32_t *iss);

/** What is written to stderr between these two. */
void step_listen_to_stderr(void);
const char *step_heard_from_stderr(void);

#endif
