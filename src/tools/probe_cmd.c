/* SPDX-License-Identifier: MIT */
/*
 * The frame of ping, traceroute, pathping and mtr: their options, the address, the
 * sockets, and the loop that moves between look/probe_run.c, which knows what to do
 * when, and look/probe_sock.c, which does it.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/names.h"
#include "tools/net.h"
#include "tools/out.h"
#include "tools/probe.h"

#define UDP_PORT	33434		/* traceroute's, where nobody listens */
#define TCP_PORT	80
#define WINDOW_MAX	64
#define MS		INT64_C(1000000)

static volatile sig_atomic_t stopped;

static void on_signal(int sig)
{
	(void)sig;
	stopped = 1;
}

bool probing_stopped(void)
{
	return stopped;
}

/* ---- options ---- */

void probing_init(struct probing *p, const struct cmd *cmd)
{
	memset(p, 0, sizeof(*p));
	p->cmd = cmd;
	p->size = 56;
	p->plan = (struct probe_plan){ .first = 1, .last = 30, .queries = 3, .window = 16,
				       .wait_ns = 3000 * MS };
	stack_args_init(&p->stack);
}

static int bad(const struct probing *p, const char *opt, const char *arg, const char *want)
{
	complain("%s: %s %s: %s; see `rill %s --help`", p->cmd->name, opt, arg, want,
		 p->cmd->name);
	return EXIT_MISUSE;
}

static int take_time(struct probing *p, const char *opt, const char *arg, int min_ms,
		     int64_t *ns)
{
	int ms;

	if (!parse_seconds(arg, &ms) || ms < min_ms || ms > 86400 * 1000)
		return bad(p, opt, arg, min_ms > 1 ? "give seconds, 0.01 or more" :
			   "give seconds above 0");
	*ns = ms * MS;
	return -1;
}

static int take_number(struct probing *p, const char *opt, const char *arg, uint64_t min,
		       uint64_t max, uint64_t *v)
{
	char want[64];

	if (parse_u64(arg, min, max, v))
		return -1;
	snprintf(want, sizeof(want), "give a number from %" PRIu64 " to %" PRIu64, min, max);
	return bad(p, opt, arg, want);
}

static int take_unsigned(struct probing *p, const char *opt, const char *arg, uint64_t min,
			 uint64_t max, unsigned *to)
{
	uint64_t v = 0;
	int r = take_number(p, opt, arg, min, max, &v);

	if (r < 0)
		*to = (unsigned)v;
	return r;
}

static int take_port(struct probing *p, const char *opt, const char *arg)
{
	unsigned v = 0;
	int r = take_unsigned(p, opt, arg, 1, 65535, &v);

	p->port = (uint16_t)v;
	return r;
}

static int take_host(struct probing *p, const char *arg)
{
	if (p->host)
		return bad(p, "one host only, not also", arg, "give it once");
	p->host = arg;
	return -1;
}

static int take(struct probing *p, int id, const char *arg)
{
	int r;

	switch ((enum probe_opt)id) {
	case P_COUNT:
		p->has_rounds = true;
		return take_number(p, "-c", arg, 1, 1000000000, &p->plan.rounds);
	case P_INTERVAL:
		return take_time(p, "-i", arg, 10, &p->plan.interval_ns);
	case P_WAIT:
		return take_time(p, "-W", arg, 1, &p->plan.wait_ns);
	case P_SIZE:
		return take_unsigned(p, "-s", arg, PROBE_MIN_SIZE, 65000, &p->size);
	case P_TTL:
		return take_unsigned(p, "-t", arg, 1, 255, &p->ttl);
	case P_QUIET:
		p->quiet = true;
		return -1;
	case P_JSON:
		p->json = true;
		return -1;
	case P_V4:
		p->family = AF_INET;
		return -1;
	case P_V6:
		p->family = AF_INET6;
		return -1;
	case P_NUMERIC:
		p->numeric = true;
		return -1;
	case P_ICMP:
		p->kind = PROBE_ICMP;
		return -1;
	case P_UDP:
		p->kind = PROBE_UDP;
		return -1;
	case P_TCP:
		p->kind = PROBE_TCP;
		return -1;
	case P_TCPPORT:
		p->kind = PROBE_TCP;
		return take_port(p, "--tcp", arg);
	case P_PORT:
		return take_port(p, "-p", arg);
	case P_MAX:
		return take_unsigned(p, "-m", arg, 1, PROBE_TTL_MAX, &p->plan.last);
	case P_FIRST:
		return take_unsigned(p, "-f", arg, 1, PROBE_TTL_MAX, &p->plan.first);
	case P_QUERIES:
		return take_unsigned(p, "-q", arg, 1, PROBE_QUERIES, &p->plan.queries);
	case P_SIM:
		return take_unsigned(p, "-N", arg, 1, WINDOW_MAX, &p->plan.window);
	case P_SOURCE:
		p->source = arg;
		return -1;
	case P_REPORT:
		p->report = true;
		return -1;
	}
	r = stack_arg(&p->stack, p->cmd, id, arg);
	return r > 0 ? -1 : r < 0 ? EXIT_MISUSE : opt_status(id);
}

int probing_parse(struct probing *p, int argc, char **argv)
{
	struct optwalk w = { .cmd = p->cmd, .argc = argc, .argv = argv, .at = 1 };
	int id, r;

	while ((id = opt_next(&w)) != OPTW_END) {
		r = id == OPTW_OPERAND ? take_host(p, w.arg) : take(p, id, w.arg);
		if (r >= 0)
			return r;
	}
	if (!p->host) {
		complain("%s: which host? see `rill %s --help`", p->cmd->name, p->cmd->name);
		return EXIT_MISUSE;
	}
	if (p->plan.first > p->plan.last) {
		complain("%s: -f %u is behind -m %u: give a smaller first hop", p->cmd->name,
			 p->plan.first, p->plan.last);
		return EXIT_MISUSE;
	}
	if (!p->port)
		p->port = p->kind == PROBE_UDP ? UDP_PORT : TCP_PORT;
	return -1;
}

/* ---- opening ---- */

static int resolve(struct probing *p, struct probe_conf *conf)
{
	struct addrinfo *ai = net_resolve(p->cmd->name, p->host, NULL, p->family, SOCK_DGRAM);
	struct addrinfo *from = NULL;
	struct rill_ip ip;

	if (!ai)
		return EXIT_FAILED;
	memcpy(&conf->dst, ai->ai_addr, ai->ai_addrlen);
	conf->dst_len = ai->ai_addrlen;
	if (p->source) {
		from = net_resolve(p->cmd->name, p->source, NULL, ai->ai_family, SOCK_DGRAM);
		if (from) {
			memcpy(&p->src, from->ai_addr, from->ai_addrlen);
			conf->src = &p->src;
			conf->src_len = from->ai_addrlen;
			freeaddrinfo(from);
		}
	}
	freeaddrinfo(ai);
	if (conf->dst.ss_family == AF_INET6)
		memcpy(ip.b, &((struct sockaddr_in6 *)&conf->dst)->sin6_addr, 16);
	else
		ip = (struct rill_ip){ .b = { [10] = 0xff, [11] = 0xff } };
	if (conf->dst.ss_family == AF_INET)
		memcpy(ip.b + 12, &((struct sockaddr_in *)&conf->dst)->sin_addr, 4);
	probe_ip(&ip, p->dst_text);
	return p->source && !from ? EXIT_FAILED : EXIT_DONE;
}

static void catch_signals(void)
{
	struct sigaction sa = { .sa_handler = on_signal };	/* no SA_RESTART */

	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
}

/* A stack is run when one is described. */
static int open_stack(struct probing *p)
{
	if (!p->stack.par.dev && !p->stack.naddrs)
		return EXIT_DONE;
	return stack_open(&p->stack, p->cmd, &p->engine);
}

int probing_open(struct probing *p)
{
	struct probe_conf conf = { .kind = p->kind, .port = p->port, .size = p->size,
				   .lanes = !p->plan.echo, .connect_only = p->plan.echo };
	char why[384] = "";
	int r = resolve(p, &conf);

	if (r != EXIT_DONE)
		return r;
	r = open_stack(p);
	if (r != EXIT_DONE)
		return r;
	conf.engine = p->engine;
	p->ps = malloc(sizeof(*p->ps));
	p->run = calloc(1, sizeof(*p->run));
	if (!p->ps || !p->run) {
		complain("%s: not enough memory", p->cmd->name);
		return EXIT_FAILED;
	}
	if (probe_open(p->ps, &conf, why, sizeof(why)) < 0) {
		complain("%s: %s", p->cmd->name, why);
		free(p->ps);
		p->ps = NULL;
		return EXIT_FAILED;
	}
	catch_signals();
	return EXIT_DONE;
}

void probing_close(struct probing *p)
{
	if (p->ps)
		probe_close(p->ps);
	free(p->ps);
	free(p->run);
	if (p->engine)
		stack_close(&p->stack, p->engine, 1000);
}

/* ---- the loop ---- */

static void take_answers(struct probing *p)
{
	struct probe_answer a;
	struct probe_slot s;
	int64_t rtt_ns;

	while (probe_receive(p->ps, &a)) {
		enum probe_taken taken = probe_run_answer(p->run, &a, &s, &rtt_ns);

		if (taken != PROBE_STRAY && p->answered)
			p->answered(p, taken, &s, &a, rtt_ns);
	}
}

static void send_due(struct probing *p)
{
	struct probe_shot s;
	int64_t now_ns = probe_now_ns();

	while (!stopped && probe_run_next(p->run, now_ns, &s)) {
		/* in rounds each hop is a flow, in a trace each query */
		unsigned lane = p->run->plan.interval_ns ? s.ttl : s.query;
		int r = probe_send(p->ps, s.seq, p->plan.echo ? p->ttl : s.ttl, lane);

		if (r < 0 && !p->send_failed) {
			complain("%s: cannot send to %s: %s", p->cmd->name, p->dst_text,
				 strerror(-r));
			p->send_failed = true;
		}
		take_answers(p);	/* or they would look as late as the last probe */
		now_ns = probe_now_ns();
	}
}

static void give_up_old(struct probing *p)
{
	int64_t now_ns = probe_now_ns();
	struct probe_slot s;

	while (probe_run_expire(p->run, now_ns, &s))
		if (p->lost)
			p->lost(p, &s);
	probe_tidy(p->ps, p->run);
}

static int wait_ms(const struct probing *p)
{
	int64_t due = probe_run_due(p->run), ms;

	if (probe_run_over(p->run))		/* answers came while we sent */
		return 0;
	if (due == PROBE_NEVER)
		return p->tick_ms ? p->tick_ms : 1000;
	ms = (due - probe_now_ns() + MS - 1) / MS;
	if (ms < 0)
		ms = 0;
	if (p->tick_ms && ms > p->tick_ms)
		return p->tick_ms;
	return ms > 1000 ? 1000 : (int)ms;
}

void probing_run(struct probing *p, const struct probe_plan *plan)
{
	p->begun_ns = probe_now_ns();
	probe_run_start(p->run, plan, p->begun_ns);
	while (!stopped && !out_closed() && !probe_run_over(p->run)) {
		send_due(p);
		probe_wait(p->ps, p->also, wait_ms(p));
		take_answers(p);
		give_up_old(p);
		if (p->tick && !p->tick(p))
			break;
	}
}

/* ---- texts ---- */

bool probing_name(const struct probing *p, const struct rill_ip *ip, char *buf, size_t n)
{
	const char *name = p->numeric ? "" : names_get(ip);
	char text[PROBE_IP_TEXT];

	probe_ip(ip, text);
	if (name && *name)
		snprintf(buf, n, "%s (%s)", name, text);
	else
		snprintf(buf, n, "%s", text);
	return name != NULL;
}

const char *probing_ms(int64_t ns, char buf[24])
{
	int64_t us = (ns + 500) / 1000;

	snprintf(buf, 24, "%" PRId64 ".%03" PRId64, us / 1000, us % 1000);
	return buf;
}

json_t *probing_json_ms(int64_t ns)
{
	return json_real((double)((ns + 500) / 1000) / 1000);
}

void probing_put_json(json_t *o)
{
	json_dumpf(o, stdout, JSON_COMPACT | JSON_REAL_PRECISION(9));
	putchar('\n');
	json_decref(o);
}
