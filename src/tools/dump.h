/* SPDX-License-Identifier: MIT */
/* Between the files of `rill dump`. */
#ifndef RL_TOOLS_DUMP_H
#define RL_TOOLS_DUMP_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "look/seg.h"
#include "look/track.h"
#include "tools/capture.h"

/* What is known of a packet beside its bytes. */
struct packet_note {
	char		text[512];	/* "" nothing */
	uint8_t		dir;		/* 0 not known, 1 in, 2 out */
};

/* ---- dump_line.c: one line in tcpdump's notation ---- */

struct line_conf {
	bool		numeric, quiet, absolute;
	int		link;
};

/** Time, interface and packet as text.  Sequence numbers count from each connection's. */
void dump_line(const struct line_conf *conf, const struct packet *p, FILE *out);

/* ---- dump_who.c: which programs a packet belongs to ---- */

/** Fill @note->text for the segment: "from curl[12] to rill-serve[13] ESTAB cwnd:10". */
void who_note(const struct look_seg *s, struct packet_note *note);
void who_free(void);

/* ---- dump_stack.c: packets inside of a running stack ---- */

/**
 * Give each segment that passes the device of the stack called @name, with its
 * state, window and drop reason.  @link is told first.  Return: exit status.
 */
int dump_stack(const char *name, void (*link)(void *ctx, int link),
	       bool (*packet)(void *ctx, const struct packet *p,
			      const struct packet_note *note), void *ctx);

/* ---- pcapng.c: a capture file with comments ---- */

struct pcapng;

/** "-" is standard output.  NULL after a complaint. */
struct pcapng *pcapng_open(const char *cmd, const char *file, int link, uint32_t snaplen);
bool pcapng_put(struct pcapng *w, const struct packet *p, const struct packet_note *note);
void pcapng_flush(struct pcapng *w);
/** Return: false after a complaint. */
bool pcapng_close(struct pcapng *w);

/* ---- ladder.c: segments between two ends, with the states beside ---- */

struct ladder {
	bool		ascii, text;
	FILE		*out;		/* of the text */
	bool		any;
	uint64_t	conn;		/* of the last line */
	struct ladder_row *row;		/* for the picture; NULL: none wanted */
	unsigned	n, left_out;
	struct track_conn first;	/* of the picture */
};

bool ladder_want_svg(struct ladder *l);
void ladder_segment(struct ladder *l, const struct track_conn *c, const struct look_seg *s,
		    int from, unsigned marks, const char *note);
/** Return: false after a complaint. */
bool ladder_svg(struct ladder *l, const char *file);

#endif
