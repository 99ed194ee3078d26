/* SPDX-License-Identifier: MIT */
/* Between ctl.c (sockets and buffers) and the files that make replies. */
#ifndef RL_RUN_CTL_INT_H
#define RL_RUN_CTL_INT_H

#include <jansson.h>
#include <netinet/in.h>
#include <sys/un.h>

#include "base/types.h"
#include "run/ctl.h"

/* Text that grows; once memory ran out it stays bad and takes nothing more. */
struct ctl_buf {
	char	*p;
	size_t	 len, cap, off;		/* off: written to the peer already */
	bool	 bad;
};

void rl_ctl_put(struct ctl_buf *b, const char *s, size_t n);
void rl_ctl_puts(struct ctl_buf *b, const char *s);
void rl_ctl_putf(struct ctl_buf *b, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void rl_ctl_put_json(struct ctl_buf *b, const char *s);	/* quoted and escaped */

/* The frame of a reply: {"rill":1,"ok":true ... }, or what went wrong. */
void rl_ctl_begin(struct ctl_buf *b);
void rl_ctl_end(struct ctl_buf *b);
void rl_ctl_fail(struct ctl_buf *b, int err, const char *why);
void rl_ctl_put_str(struct ctl_buf *b, const char *key, const char *val);	/* ,"key":"val" */
const char *rl_ctl_addr(const struct rill_ip *ip, char buf[INET6_ADDRSTRLEN]);

/* The wall clock minus the stack's, to be added to its times. */
int64_t rl_ctl_wall_ns(void);

static inline const char *rl_ctl_bool(bool v)
{
	return v ? "true" : "false";
}

enum ctl_job { CTL_JOB_NONE, CTL_JOB_CONNS, CTL_JOB_SUMMARY, CTL_JOB_HISTORY };

/* What a walk over all endpoints counts for `rill ss -s`. */
struct ctl_summary {
	uint32_t	state[RILL_TCP_STATES];
	uint32_t	half_open, orphan;
	uint32_t	n[2][3];	/* TCP, UDP by IPv4, IPv6, both */
};

#define CTL_CLIENTS	16

struct ctl_client {
	int		fd;		/* -1: free */
	uint64_t	used;		/* turn in which it last moved: oldest is evicted */
	char		line[RL_CTL_LINE_MAX];
	size_t		line_len;
	bool		skipping;	/* rest of a line that was too long */
	bool		eof;
	struct ctl_buf	out;

	/* a reply that is made piece by piece */
	enum ctl_job	job;
	uint64_t	cursor, left;
	uint32_t	states;		/* wanted: bits by enum rill_tcp_state */
	bool		want_info, some;
	struct ctl_summary sum;

	/* events as they happen: ctl_watch.c */
	unsigned	watch;		/* enum rl_watch_bits */
	bool		armed;		/* epoll tells when it takes more */
	uint64_t	lost;		/* events that found no room, not yet told */
};

struct rl_ctl {
	int			ep, listener;
	pid_t			owner;		/* a forked child leaves the file alone */
	uint64_t		turn;
	struct sockaddr_un	sa;
	struct ctl_client	cl[CTL_CLIENTS];
};

/** Write to the client what it takes.  Return: false when it is gone. */
bool rl_ctl_write(struct ctl_client *cl);

/** Let epoll tell when it takes more (@out), or when it says something. */
bool rl_ctl_arm(struct rl_ctl *c, struct ctl_client *cl, bool out);

/** Start the reply to one request line (without its newline). */
void rl_ctl_request(struct ctl_client *cl, struct rill_engine *e);

/** Go on with a long reply: a bounded step. */
void rl_ctl_step(struct ctl_client *cl, struct rill_engine *e);

/* ctl_req.c: only counters whose names begin with @prefix. */
void rl_ctl_put_counters(struct ctl_buf *b, struct rill_engine *e, const char *prefix);

/* ctl_history.c */
void rl_ctl_on_history(struct ctl_client *cl, struct rill_engine *e, const json_t *req);
void rl_ctl_step_history(struct ctl_client *cl, struct rill_engine *e);

/* ctl_watch.c */
void rl_ctl_on_watch(struct ctl_client *cl, struct rill_engine *e, const json_t *req);
/** Clients came or went: let the engine know what is watched. */
void rl_ctl_watchers(struct rl_ctl *c, struct rill_engine *e);

/* ctl_conns.c */
void rl_ctl_on_conns(struct ctl_client *cl, struct rill_engine *e, const json_t *req);
void rl_ctl_on_summary(struct ctl_client *cl, struct rill_engine *e, const json_t *req);
void rl_ctl_on_close(struct ctl_client *cl, struct rill_engine *e, const json_t *req);
void rl_ctl_on_setopt(struct ctl_client *cl, struct rill_engine *e, const json_t *req);

#endif
