/* SPDX-License-Identifier: MIT */
/* Between cmd_nc.c (options, making connections) and nc_pump.c (moving data). */
#ifndef RL_TOOLS_NC_H
#define RL_TOOLS_NC_H

#include <stdbool.h>

#include "rill/socket.h"
#include "tools/stackopts.h"

struct nc {
	struct stack_args stack;
	const char	*host, *port, *from, *from_port;
	bool		listen, udp, keep, verbose, no_stdin, scan, crlf, keep_open;
	int		family;
	int		idle_ms;	/* -w; -1: none */
	int		quit_ms;	/* -q after end of stdin; -1: never */

	bool		assist, kernel, hex;	/* -i and what goes with it */
	struct segs	*segs;		/* of -i: the stack's segments */

	struct rill_engine *e;
	bool		stdin_over;	/* end of standard input was seen */
};

/**
 * Move data between @fd and stdin, stdout until the rules of nc end it.  @fd is
 * left open.  Return: exit status.
 */
int nc_pump(struct nc *n, int fd);

/** -i: ask our own stack for its segments, before there are any.  NULL: none to be had. */
struct segs *nc_assist_segs(struct nc *n);

/** -i instead of nc_pump(). */
int nc_assist_rill(struct nc *n, int fd);

/** nc -u -l -k: print what anybody sends, until interrupted. */
int nc_print_datagrams(struct nc *n, int fd);

/** Set up stdout so that a slow reader never stops the stack. */
void nc_open_stdout(void);

#endif
