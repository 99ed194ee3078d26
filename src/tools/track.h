/* SPDX-License-Identifier: MIT */
/* Between the files of `rill track`. */
#ifndef RL_TOOLS_TRACK_H
#define RL_TOOLS_TRACK_H

#include <stdbool.h>
#include <stdio.h>

#include "look/track.h"

struct track_print {
	bool		json, details;
	unsigned	shown;		/* connections, for the heading */
};

/* track_print.c: one connection as text or as a line of JSON. */
void track_put(struct track_print *p, const struct track_conn *c);
const char *track_state(uint8_t state);
const char *track_addr(const struct track_end *e, char *buf, size_t n);	/* "[::1]:80" */
const char *track_span(int64_t us, char *buf, size_t n);		/* "1.25 ms", "-" below 0 */

/* track_graph.c: the time-sequence graph of one connection. */
struct track_graph;

/** @which: number of the connection, or ADDR:PORT of one of its ends.  NULL: no memory. */
struct track_graph *graph_new(const char *which);
void graph_segment(struct track_graph *g, const struct track_conn *c, const struct look_seg *s,
		   int from, unsigned marks);
/** The connection's last word: what it was. */
void graph_conn(struct track_graph *g, const struct track_conn *c);
/** Return: false when the connection did not pass or the file cannot be written; said. */
bool graph_write(struct track_graph *g, const char *file);
void graph_free(struct track_graph *g);

#endif
