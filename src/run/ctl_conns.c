/* SPDX-License-Identifier: MIT */
/*
 * Requests about endpoints: "conns", "summary", "close", "setopt".  Walks over all
 * endpoints are made in steps of a bounded number of endpoints, so that the stack
 * goes on in between.  Called by ctl_req.c, and by ctl.c for the steps.
 */
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "run/ctl_int.h"
#include "run/engine.h"
#include "stack/sockopt_nums.h"

#define BATCH		32		/* endpoints asked for at once */
#define STEP_CONNS	(4 * BATCH)	/* printed in one step */
#define STEP_COUNTED	(32 * BATCH)	/* counted in one step */

static void put_info(struct ctl_buf *b, const struct rill_tcp_info *ti)
{
	char sep = '{';

	rl_ctl_puts(b, ",\"info\":");
#define INFO(type, name, unit, help)						\
	rl_ctl_putf(b, "%c\"" #name "\":%" PRId64, sep, (int64_t)ti->name);	\
	sep = ',';
#include "rill/tcpinfo.def"
#undef INFO
	rl_ctl_puts(b, "}");
}

static void put_cc(struct ctl_buf *b, struct rill_stack *st, rill_id id)
{
	char name[16 + 1];
	size_t n = sizeof(name) - 1;

	if (rill_stack_getsockopt(st, id, RL_SOL_TCP, RL_TCP_CONGESTION, name, &n) < 0)
		return;
	name[RL_MIN(n, sizeof(name) - 1)] = '\0';
	rl_ctl_put_str(b, "cc", name);
}

static void put_keepalive(struct ctl_buf *b, const struct rill_conn *c)
{
	rl_ctl_putf(b, ",\"keepalive\":%s,\"keepidle_s\":%d,\"keepintvl_s\":%d,"
		    "\"keepcnt\":%d,\"user_timeout_ms\":%u", rl_ctl_bool(c->keepalive),
		    c->keepidle_s, c->keepintvl_s, c->keepcnt, c->user_timeout_ms);
}

/* What a connection or socket is doing, beside the columns of ss. */
static void put_more(struct ctl_buf *b, const struct rill_conn *c)
{
	rl_ctl_putf(b, ",\"uid\":%lu,\"tos\":%u,\"shutdown\":%u,\"v6only\":%s",
		    (unsigned long)geteuid(), c->tos, c->shutdown, rl_ctl_bool(c->v6only));
	if (c->state == RILL_LISTEN) {
		rl_ctl_putf(b, ",\"syn_q\":%u,\"syn_q_max\":%u,\"accept_overflows\":%u,"
			    "\"syn_drops\":%u", c->syn_q, c->syn_q_max,
			    c->accept_overflows, c->syn_drops);
	} else if (c->has_info) {
		rl_ctl_put_str(b, "hold", rill_hold_name(c->hold));
		rl_ctl_putf(b, ",\"eof\":%s,\"eof_read\":%s,\"unread\":%u",
			    rl_ctl_bool(c->eof), rl_ctl_bool(c->eof_read), c->recv_q);
	}
	if (c->has_info)
		put_keepalive(b, c);
}

static void put_conn(struct ctl_client *cl, struct rill_stack *st, const struct rill_conn *c)
{
	char la[INET6_ADDRSTRLEN], pa[INET6_ADDRSTRLEN];
	struct ctl_buf *b = &cl->out;

	rl_ctl_putf(b, "%s\n{\"id\":\"%" PRIx64 "\",\"user\":\"%" PRIx64 "\",\"proto\":%u,"
		    "\"family\":%u,\"state\":%u", cl->some ? "," : "", c->id, c->user,
		    c->proto, c->family, c->state);
	rl_ctl_putf(b, ",\"half_open\":%s,\"orphan\":%s,\"local\":\"%s\",\"lport\":%u,"
		    "\"peer\":\"%s\",\"pport\":%u,\"ifindex\":%u",
		    rl_ctl_bool(c->half_open), rl_ctl_bool(c->orphan),
		    rl_ctl_addr(&c->local.ip, la), c->local.port,
		    rl_ctl_addr(&c->peer.ip, pa), c->peer.port, c->local.ifindex);
	rl_ctl_putf(b, ",\"recv_q\":%u,\"send_q\":%u,\"timer\":%u,\"timer_us\":%" PRId64
		    ",\"tries\":%u,\"age_us\":%" PRId64 ",\"rcvbuf\":%u,\"sndbuf\":%u",
		    c->recv_q, c->send_q, c->timer, c->timer_ns / 1000, c->timer_tries,
		    c->state_age_ns / 1000, c->rcvbuf, c->sndbuf);
	put_more(b, c);
	if (cl->want_info && c->has_info) {
		put_cc(b, st, c->id);
		put_info(b, &c->info);
	}
	rl_ctl_puts(b, "}");
	cl->some = true;
}

static void count(struct ctl_summary *s, const struct rill_conn *c)
{
	unsigned fam = c->family == 4 ? 0 : c->family == 6 ? 1 : 2;

	s->n[c->proto == IPPROTO_UDP][fam]++;
	s->half_open += c->half_open;
	s->orphan += c->orphan;
	if (c->proto == IPPROTO_TCP && c->state < RILL_TCP_STATES)
		s->state[c->state]++;
}

static void put_summary(struct ctl_buf *b, const struct ctl_summary *s)
{
	static const char *const proto[2] = { "tcp", "udp" };

	rl_ctl_begin(b);
	rl_ctl_puts(b, ",\"states\":{");
	for (int i = 1; i < RILL_TCP_STATES; i++)
		rl_ctl_putf(b, "%s\"%s\":%u", i > 1 ? "," : "", rill_state_name(i),
			    s->state[i]);
	rl_ctl_putf(b, "},\"half_open\":%u,\"orphans\":%u", s->half_open, s->orphan);
	for (int i = 0; i < 2; i++)
		rl_ctl_putf(b, ",\"%s\":{\"ipv4\":%u,\"ipv6\":%u,\"both\":%u}", proto[i],
			    s->n[i][0], s->n[i][1], s->n[i][2]);
}

static void finish_walk(struct ctl_client *cl, struct rill_engine *e)
{
	if (cl->job == CTL_JOB_CONNS) {
		rl_ctl_puts(&cl->out, "\n]");
	} else {
		put_summary(&cl->out, &cl->sum);
		rl_ctl_put_counters(&cl->out, e, "pool.");
	}
	rl_ctl_end(&cl->out);
	cl->job = CTL_JOB_NONE;
}

static void step_walk(struct ctl_client *cl, struct rill_engine *e)
{
	int left = cl->job == CTL_JOB_CONNS ? STEP_CONNS : STEP_COUNTED;
	struct rill_stack *st = rl_engine_stack(e);
	struct rill_conn batch[BATCH];

	for (; left > 0; left -= BATCH) {
		int n = rill_stack_conns(st, &cl->cursor, batch, BATCH);

		if (n <= 0) {
			finish_walk(cl, e);
			return;
		}
		for (int i = 0; i < n; i++) {
			if (cl->job == CTL_JOB_SUMMARY)
				count(&cl->sum, &batch[i]);
			else if (cl->states >> batch[i].state & 1)
				put_conn(cl, st, &batch[i]);
		}
	}
}

void rl_ctl_step(struct ctl_client *cl, struct rill_engine *e)
{
	switch (cl->job) {
	case CTL_JOB_NONE:
		break;
	case CTL_JOB_CONNS:
	case CTL_JOB_SUMMARY:
		step_walk(cl, e);
		break;
	case CTL_JOB_HISTORY:
		rl_ctl_step_history(cl, e);
		break;
	}
}

static void start_walk(struct ctl_client *cl, enum ctl_job job, const json_t *req)
{
	const json_t *states = json_object_get(req, "states");

	cl->job = job;
	cl->cursor = 0;
	cl->some = false;
	cl->want_info = json_is_true(json_object_get(req, "info"));
	cl->states = json_is_integer(states) ? (uint32_t)json_integer_value(states) : ~0u;
	memset(&cl->sum, 0, sizeof(cl->sum));
	if (job == CTL_JOB_CONNS) {
		rl_ctl_begin(&cl->out);
		rl_ctl_puts(&cl->out, ",\"conns\":[");
	}
}

void rl_ctl_on_conns(struct ctl_client *cl, struct rill_engine *e, const json_t *req)
{
	(void)e;
	start_walk(cl, CTL_JOB_CONNS, req);
}

void rl_ctl_on_summary(struct ctl_client *cl, struct rill_engine *e, const json_t *req)
{
	(void)e;
	start_walk(cl, CTL_JOB_SUMMARY, req);
}

/* ---- one connection ---- */

static bool parse_id(const json_t *req, rill_id *id)
{
	const char *text = json_string_value(json_object_get(req, "id"));
	char *stop;

	if (!text || !*text)
		return false;
	*id = strtoull(text, &stop, 16);
	return !*stop;
}

/* The reply to a change: @r as the core returned it. */
static void changed(struct ctl_client *cl, int r)
{
	if (r < 0) {
		rl_ctl_fail(&cl->out, -r, r == -EBADF ? "no such connection (any more)"
						      : strerror(-r));
		return;
	}
	rl_ctl_begin(&cl->out);
	rl_ctl_end(&cl->out);
}

void rl_ctl_on_close(struct ctl_client *cl, struct rill_engine *e, const json_t *req)
{
	rill_id id;

	if (!parse_id(req, &id))
		rl_ctl_fail(&cl->out, EINVAL, "close needs an \"id\", as conns gives it");
	else
		changed(cl, rill_tcp_kill(rl_engine_stack(e), id));
}

/* Options that are safe to change behind a program's back: how patient it is. */
static bool may_set(int64_t level, int64_t name)
{
	static const struct { int level, name; } list[] = {
		{ RL_SOL_SOCKET, RL_SO_KEEPALIVE }, { RL_SOL_TCP, RL_TCP_KEEPIDLE },
		{ RL_SOL_TCP, RL_TCP_KEEPINTVL }, { RL_SOL_TCP, RL_TCP_KEEPCNT },
		{ RL_SOL_TCP, RL_TCP_USER_TIMEOUT },
	};

	for (size_t i = 0; i < ARRAY_LEN(list); i++)
		if (list[i].level == level && list[i].name == name)
			return true;
	return false;
}

void rl_ctl_on_setopt(struct ctl_client *cl, struct rill_engine *e, const json_t *req)
{
	const json_t *level = json_object_get(req, "level");
	const json_t *name = json_object_get(req, "name");
	const json_t *value = json_object_get(req, "value");
	int64_t v = json_integer_value(value);
	int32_t val = (int32_t)v;
	rill_id id;

	if (!parse_id(req, &id) || !json_is_integer(level) || !json_is_integer(name) ||
	    !json_is_integer(value) || v != val) {
		rl_ctl_fail(&cl->out, EINVAL, "setopt needs \"id\", as conns gives it, and the "
			    "numbers \"level\", \"name\" and \"value\"");
	} else if (!may_set(json_integer_value(level), json_integer_value(name))) {
		rl_ctl_fail(&cl->out, EPERM, "only SO_KEEPALIVE, TCP_KEEPIDLE, TCP_KEEPINTVL, "
			    "TCP_KEEPCNT and TCP_USER_TIMEOUT may be set from outside");
	} else {
		changed(cl, rill_stack_setsockopt(rl_engine_stack(e), id,
						  (int)json_integer_value(level),
						  (int)json_integer_value(name), &val,
						  sizeof(val)));
	}
}
