/* SPDX-License-Identifier: MIT */
/* `rill nc -i`: nc_assist.c is the loop, nc_view.c draws, nc_text.c translates. */
#ifndef RL_TOOLS_NC_ASSIST_H
#define RL_TOOLS_NC_ASSIST_H

#include "rill/info.h"
#include "tools/grid.h"
#include "tools/nc.h"
#include "tools/net.h"
#include "tools/segs.h"

#define ASSIST_ROWS	512
#define ASSIST_TEXT	128
#define ASSIST_LINE	1024
#define ASSIST_W	80
#define ASSIST_H	24

enum assist_kind { AS_SENT, AS_RECEIVED, AS_STATE, AS_NOTE, AS_BAD };

struct assist_row {
	enum assist_kind kind;
	char		text[ASSIST_TEXT];
};

struct assist {
	struct nc	*n;
	int		fd;
	bool		kernel, tty, hex, over, eof, fin_sent;
	char		local[NET_TEXT], peer[NET_TEXT];
	struct rill_tcp_info info;
	bool		has_info;
	int		state;		/* as told last */
	uint64_t	sent, received;

	struct assist_row row[ASSIST_ROWS];
	unsigned	nrows;
	char		seg[ASSIST_ROWS][SEG_TEXT];
	unsigned	nsegs;
	char		line[ASSIST_LINE];
	size_t		len;
	struct segs	*segs;
};

/** Bytes of what was typed.  Return: how many, -1: it is none, or does not fit. */
int assist_from_hex(const char *s, unsigned char *out, size_t cap);
int assist_from_text(const char *s, unsigned char *out, size_t cap);

/** One row for a person.  Return: bytes of @p that are in it, above 0 when @n is. */
size_t assist_row(const unsigned char *p, size_t n, bool hex, char *row, size_t cap);

void assist_draw(const struct assist *a, struct grid *g, int w, int h);
/** "rtt 1.2 ms cwnd 10 ..." */
void assist_info_text(const struct assist *a, char *buf, size_t n);

/** `rill nc -i --kernel`: make the connection with the host's sockets and go on. */
int nc_assist_kernel(struct nc *n, const struct addrinfo *ai);

#endif
