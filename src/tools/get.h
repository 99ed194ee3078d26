/* SPDX-License-Identifier: MIT */
/* Between cmd_get.c (options, connection, report) and get_http.c (the exchange). */
#ifndef RL_TOOLS_GET_H
#define RL_TOOLS_GET_H

#include "tools/http.h"
#include "tools/sha256.h"
#include "tools/stackopts.h"

#define GET_BUF	(256 * 1024)

struct get {
	struct stack_args stack;
	struct http_url	url;
	const char	*output;	/* NULL: standard output */
	const char	*range, *upload;
	bool		verbose, quiet, want_sha;
	int		timeout_ms;	/* -1: none */

	int		fd;		/* Rill's */
	int		out, in;	/* output; upload, -1: none */
	uint64_t	in_size;	/* of the upload; UINT64_MAX: not known, chunks */
	char		*buf;		/* GET_BUF bytes */
	char		head[HTTP_HEAD_MAX];
	size_t		head_len;	/* bytes in it, those behind the head included */
	bool		eof;

	int		status;		/* HTTP's; 0: no response yet */
	uint64_t	received, sent;	/* body bytes */
	struct sha256	sha;
	int64_t		start_ns, shown_ns;
};

/** The whole exchange.  Return: an exit status, complaints said. */
int get_exchange(struct get *g);

int64_t get_now_ns(void);

#endif
