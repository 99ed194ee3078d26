/* SPDX-License-Identifier: MIT */
/* What ping, traceroute, pathping and mtr share: options, the loop, texts. */
#ifndef RL_TOOLS_PROBE_H
#define RL_TOOLS_PROBE_H

#include <jansson.h>

#include "look/probe_sock.h"
#include "tools/stackopts.h"

enum probe_opt {
	P_COUNT = 1, P_INTERVAL, P_WAIT, P_SIZE, P_TTL, P_QUIET, P_JSON, P_V4, P_V6, P_NUMERIC,
	P_ICMP, P_UDP, P_TCP, P_TCPPORT, P_PORT, P_MAX, P_FIRST, P_QUERIES, P_SOURCE, P_REPORT,
	P_SIM,
};

struct probing {
	const struct cmd *cmd;
	/* as asked for */
	const char	*host, *source;
	int		family;
	enum probe_kind	kind;
	uint32_t	size;
	uint16_t	port;
	unsigned	ttl;
	bool		json, quiet, numeric, report, has_rounds;
	struct probe_plan plan;
	struct stack_args stack;

	/* as it turned out */
	struct rill_engine *engine;
	char		dst_text[PROBE_IP_TEXT];
	struct sockaddr_storage src;
	struct probe_sock *ps;
	struct probe_run *run;
	bool		send_failed;
	int64_t		begun_ns;

	/* hooks of the command; NULL: nothing to do */
	void (*answered)(struct probing *p, enum probe_taken taken, const struct probe_slot *s,
			 const struct probe_answer *a, int64_t rtt_ns);
	void (*lost)(struct probing *p, const struct probe_slot *s);
	bool (*tick)(struct probing *p);	/* after each step; false: that's enough */
	struct pollfd	*also;			/* is watched as well */
	int		tick_ms;		/* longest time between two ticks; 0: any */
};

/** Defaults of all commands; then those of the command itself may be set. */
void probing_init(struct probing *p, const struct cmd *cmd);

/** Read the command line.  Return: -1 to go on, or the exit status. */
int probing_parse(struct probing *p, int argc, char **argv);

/** Find the address, open stack and sockets.  Return: EXIT_DONE or exit status. */
int probing_open(struct probing *p);
void probing_close(struct probing *p);

/** Run @plan to its end, until ^C, or until the reader of our output went away. */
void probing_run(struct probing *p, const struct probe_plan *plan);

/** ^C or SIGTERM came. */
bool probing_stopped(void);

/** Is the name of @ip known, or none to be had?  Then "name (ip)" or "ip". */
bool probing_name(const struct probing *p, const struct rill_ip *ip, char *buf, size_t n);

/** ms with three digits, as all of these commands print times. */
const char *probing_ms(int64_t ns, char buf[24]);

/** ms as a JSON number. */
json_t *probing_json_ms(int64_t ns);
void probing_put_json(json_t *o);

/* ---- probe_path.c: for traceroute, pathping and mtr ---- */

/** Find the path: a traceroute that prints nothing.  Return: the last TTL. */
unsigned probing_discover(struct probing *p);

/** What is known of the path as JSON, the verdict with it when @verdict. */
json_t *probing_path_json(struct probing *p, bool verdict);

/** Verdict and notes as text. */
void probing_put_verdict(struct probing *p);

/** The command's part of the plan for many rounds on a known path. */
struct probe_plan probing_rounds(const struct probing *p, unsigned last);

#endif
