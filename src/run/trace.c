// SPDX-License-Identifier: MIT
/*
 * --trace: what happens, as text, one line an event:
 *
 *	   0.000123  <  IP 10.77.0.1.40000 > 10.77.0.2.80: Flags [S], ...
 *	   0.000123  =  10.77.0.2:80 10.77.0.1:40000 SYN-SENT -> ESTABLISHED
 *	   0.000123  x  10.77.0.2:80 10.77.0.1:40000 discarded: PAWS
 *
 * '<' is a frame received, '>' one sent, '=' a change of state, 'x' a segment
 * that was discarded.  Times are seconds since the engine was opened.  The engine
 * empties the stack's trace in front of each frame it sends and after each one it
 * received (spy.c), so that lines stand in the order of time.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "run/trace.h"
#include "wire/fmt.h"

struct rl_trace {
	FILE	*f;
	int64_t	 begin_ns;
	bool	 close;
};

int rl_trace_open(const char *path, int64_t now_ns, struct rl_trace **out,
		  char *why, size_t n)
{
	struct rl_trace *t = calloc(1, sizeof(*t));
	int err;

	if (!t) {
		snprintf(why, n, "no memory for the trace");
		return -ENOMEM;
	}
	t->begin_ns = now_ns;
	t->close = strcmp(path, "-") != 0;
	t->f = t->close ? fopen(path, "we") : stderr;
	if (!t->f) {
		err = errno;
		snprintf(why, n, "cannot write the trace %s: %s", path, strerror(err));
		free(t);
		return -err;
	}
	setvbuf(t->f, NULL, _IOLBF, BUFSIZ);
	*out = t;
	return 0;
}

void rl_trace_close(struct rl_trace *t)
{
	if (t->close)
		fclose(t->f);
	else
		fflush(t->f);
	free(t);
}

static void stamp(struct rl_trace *t, int64_t at_ns, char mark)
{
	int64_t us = (at_ns - t->begin_ns) / RL_US;

	fprintf(t->f, "%5lld.%06lld  %c  ", (long long)(us / 1000000),
		(long long)(us % 1000000), mark);
}

static void put_addr(struct rl_trace *t, const struct rill_addr *a)
{
	char text[INET6_ADDRSTRLEN];

	if (rl_ip_is4(&a->ip))
		fprintf(t->f, "%s:%u ", inet_ntop(AF_INET, a->ip.b + 12, text,
						  sizeof(text)), a->port);
	else
		fprintf(t->f, "[%s]:%u ", inet_ntop(AF_INET6, a->ip.b, text,
						    sizeof(text)), a->port);
}

void rl_trace_put(struct rl_trace *t, const struct rill_trace *ev)
{
	bool drop = ev->kind == RILL_TR_DROP;

	stamp(t, ev->at_ns, drop ? 'x' : '=');
	put_addr(t, &ev->local);
	put_addr(t, &ev->peer);
	if (drop)
		fprintf(t->f, "discarded: %s\n", rill_drop_name(ev->a));
	else
		fprintf(t->f, "%s -> %s\n", rill_state_name(ev->a),
			rill_state_name(ev->b));
}

void rl_trace_frame(void *ctx, int64_t now_ns, bool out, const uint8_t *frame, size_t n)
{
	struct rl_trace *t = ctx;
	char line[RL_FMT_MAX];

	rl_fmt_frame(line, sizeof(line), frame, n, true);
	stamp(t, now_ns, out ? '>' : '<');
	fprintf(t->f, "%s\n", line);
}
