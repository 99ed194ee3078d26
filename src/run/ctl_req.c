/* SPDX-License-Identifier: MIT */
/*
 * Requests to a running stack and the replies to them, as JSON:
 *
 *   {"cmd":"hello"}				who are you
 *   {"cmd":"conns","states":BITS,"info":BOOL}	endpoints, one a line
 *   {"cmd":"summary"}				counts of endpoints, pools
 *   {"cmd":"stats"}				all counters
 *   {"cmd":"sysctl","op":"list"}		all tunables
 *   {"cmd":"sysctl","op":"get","name":N}
 *   {"cmd":"sysctl","op":"set","name":N,"value":V}
 *   {"cmd":"close","id":ID}			reset a connection
 *
 * Short replies are made at once.  Walks over all endpoints are made in steps
 * of a bounded number of endpoints, so that the stack goes on in between.
 * Called by ctl.c only.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "run/ctl_int.h"
#include "run/engine.h"
#include "dev/dev.h"
#include "stack/stack_int.h"

/* Linux's number; <netinet/tcp.h> collides with wire/tcp_hdr.h */
#define OPT_TCP_CONGESTION	13

#define BATCH		32		/* endpoints asked for at once */
#define STEP_CONNS	(4 * BATCH)	/* printed in one step */
#define STEP_COUNTED	(32 * BATCH)	/* counted in one step */
#define BUF_MAX		(1 << 22)	/* of one reply; far above the longest short one */

/* ---- text ---- */

static bool make_room(struct ctl_buf *b, size_t n)
{
	size_t cap = b->cap ? b->cap : 4096;
	char *p;

	if (b->bad)
		return false;
	while (cap < b->len + n && cap < BUF_MAX)
		cap *= 2;
	if (cap == b->cap && b->len + n <= cap)
		return true;
	p = b->len + n <= cap ? realloc(b->p, cap) : NULL;
	if (!p) {
		b->bad = true;
		return false;
	}
	b->p = p;
	b->cap = cap;
	return true;
}

void rl_ctl_put(struct ctl_buf *b, const char *s, size_t n)
{
	if (!make_room(b, n))
		return;
	memcpy(b->p + b->len, s, n);
	b->len += n;
}

void rl_ctl_puts(struct ctl_buf *b, const char *s)
{
	rl_ctl_put(b, s, strlen(s));
}

void rl_ctl_putf(struct ctl_buf *b, const char *fmt, ...)
{
	char tmp[512];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(tmp, sizeof(tmp), fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(tmp))
		b->bad = true;		/* every caller's text is short */
	else
		rl_ctl_put(b, tmp, (size_t)n);
}

void rl_ctl_put_json(struct ctl_buf *b, const char *s)
{
	rl_ctl_put(b, "\"", 1);
	for (; *s; s++) {
		unsigned char ch = (unsigned char)*s;

		if (ch == '"' || ch == '\\')
			rl_ctl_putf(b, "\\%c", ch);
		else if (ch < 0x20 || ch >= 0x7f)
			rl_ctl_putf(b, "\\u%04x", ch);
		else
			rl_ctl_put(b, s, 1);
	}
	rl_ctl_put(b, "\"", 1);
}

static void put_str(struct ctl_buf *b, const char *key, const char *val)
{
	rl_ctl_putf(b, ",\"%s\":", key);
	rl_ctl_put_json(b, val);
}

static void begin(struct ctl_buf *b)
{
	rl_ctl_putf(b, "{\"rill\":%d,\"ok\":true", RL_CTL_SCHEMA);
}

static void end(struct ctl_buf *b)
{
	rl_ctl_puts(b, "}\n");
}

static void fail(struct ctl_buf *b, int err, const char *why)
{
	rl_ctl_putf(b, "{\"rill\":%d,\"ok\":false,\"errno\":%d", RL_CTL_SCHEMA, err);
	put_str(b, "error", why);
	end(b);
}

static const char *addr_text(const struct rill_ip *ip, char buf[INET6_ADDRSTRLEN])
{
	bool v4 = rl_ip_is4(ip);

	inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? ip->b + 12 : ip->b, buf, INET6_ADDRSTRLEN);
	return buf;
}

/* ---- hello ---- */

static void put_netif(struct ctl_buf *b, const struct rl_netif *nif, bool *some)
{
	char text[INET6_ADDRSTRLEN];

	for (unsigned i = 0; i < nif->naddrs; i++) {
		const struct rl_if_addr *a = &nif->addr[i];

		rl_ctl_putf(b, "%s{\"if\":", *some ? "," : "");
		rl_ctl_put_json(b, nif->name);
		put_str(b, "addr", addr_text(&a->ip, text));
		rl_ctl_putf(b, ",\"prefix_len\":%u,\"mtu\":%u,\"tentative\":%s,"
			    "\"duplicate\":%s}", a->prefix_len, nif->mtu,
			    a->tentative ? "true" : "false",
			    a->duplicate ? "true" : "false");
		*some = true;
	}
}

static void on_hello(struct ctl_client *cl, struct rill_engine *e)
{
	const struct rill_stack *st = rl_engine_stack(e);
	struct ctl_buf *b = &cl->out;
	bool some = false;

	begin(b);
	rl_ctl_putf(b, ",\"pid\":%ld,\"uid\":%lu", (long)getpid(), (unsigned long)geteuid());
	put_str(b, "name", rl_engine_name(e));
	put_str(b, "version", RILL_VERSION);
	rl_ctl_puts(b, ",\"addrs\":[");
	for (unsigned i = 0; i < RL_MAX_IFS; i++)
		if (st->netif[i].ifindex && !st->netif[i].loopback)
			put_netif(b, &st->netif[i], &some);
	rl_ctl_puts(b, "]");
	end(b);
}

/* ---- counters ---- */

static void put_counter(struct ctl_buf *b, const struct rill_named_u64 *c, bool first)
{
	rl_ctl_puts(b, first ? "{\"name\":" : ",{\"name\":");
	rl_ctl_put_json(b, c->name);
	put_str(b, "unit", c->unit);
	put_str(b, "help", c->help);
	rl_ctl_putf(b, ",\"value\":%" PRIu64 "}", c->value);
}

static void put_dev_counters(struct ctl_buf *b, const struct rl_dev *d, bool first)
{
	const struct rill_named_u64 list[] = {
		{ "dev.rx_frames", "frames", "taken from the device", d->rx_frames },
		{ "dev.tx_frames", "frames", "given to the device", d->tx_frames },
		{ "dev.rx_drops", "frames", "lost between device and stack", d->rx_drops },
		{ "dev.tx_drops", "frames", "that the device did not take", d->tx_drops },
	};

	for (size_t i = 0; i < ARRAY_LEN(list); i++)
		put_counter(b, &list[i], first && i == 0);
}

/* Only counters whose names begin with @prefix. */
static void put_counters(struct ctl_buf *b, struct rill_engine *e, const char *prefix)
{
	struct rill_stack *st = rl_engine_stack(e);
	struct rill_named_u64 c;
	bool first = true;

	rl_ctl_puts(b, ",\"counters\":[");
	for (unsigned i = 0; rill_stack_counter(st, i, &c); i++) {
		if (strncmp(c.name, prefix, strlen(prefix)) != 0)
			continue;
		put_counter(b, &c, first);
		first = false;
	}
	if (!*prefix && rl_engine_dev(e))
		put_dev_counters(b, rl_engine_dev(e), first);
	rl_ctl_puts(b, "]");
}

static void on_stats(struct ctl_client *cl, struct rill_engine *e)
{
	begin(&cl->out);
	put_counters(&cl->out, e, "");
	end(&cl->out);
}

/* ---- endpoints ---- */

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

	if (rill_stack_getsockopt(st, id, IPPROTO_TCP, OPT_TCP_CONGESTION, name, &n) < 0)
		return;
	name[RL_MIN(n, sizeof(name) - 1)] = '\0';
	put_str(b, "cc", name);
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
		    c->half_open ? "true" : "false", c->orphan ? "true" : "false",
		    addr_text(&c->local.ip, la), c->local.port,
		    addr_text(&c->peer.ip, pa), c->peer.port, c->local.ifindex);
	rl_ctl_putf(b, ",\"recv_q\":%u,\"send_q\":%u,\"timer\":%u,\"timer_us\":%" PRId64
		    ",\"tries\":%u,\"age_us\":%" PRId64 ",\"rcvbuf\":%u,\"sndbuf\":%u",
		    c->recv_q, c->send_q, c->timer, c->timer_ns / 1000, c->timer_tries,
		    c->state_age_ns / 1000, c->rcvbuf, c->sndbuf);
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

	begin(b);
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
		put_counters(&cl->out, e, "pool.");
	}
	end(&cl->out);
	cl->job = CTL_JOB_NONE;
}

void rl_ctl_step(struct ctl_client *cl, struct rill_engine *e)
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
		begin(&cl->out);
		rl_ctl_puts(&cl->out, ",\"conns\":[");
	}
}

static void on_conns(struct ctl_client *cl, const json_t *req)
{
	start_walk(cl, CTL_JOB_CONNS, req);
}

static void on_summary(struct ctl_client *cl, const json_t *req)
{
	start_walk(cl, CTL_JOB_SUMMARY, req);
}

static void on_close(struct ctl_client *cl, struct rill_engine *e, const json_t *req)
{
	const char *text = json_string_value(json_object_get(req, "id"));
	char *stop;
	rill_id id;
	int r;

	if (!text || !*text) {
		fail(&cl->out, EINVAL, "close needs an \"id\"");
		return;
	}
	id = strtoull(text, &stop, 16);
	r = *stop ? -EINVAL : rill_tcp_kill(rl_engine_stack(e), id);
	if (r < 0) {
		fail(&cl->out, -r, r == -EBADF ? "no such connection (any more)"
					       : strerror(-r));
		return;
	}
	begin(&cl->out);
	end(&cl->out);
}

/* ---- tunables ---- */

static void put_sysctl(struct ctl_buf *b, struct rill_stack *st,
		       const struct rill_sysctl_desc *d, bool first)
{
	char value[1024];

	if (rill_sysctl_get(st, d->name, value, sizeof(value)) < 0)
		return;
	rl_ctl_puts(b, first ? "\n{\"name\":" : ",\n{\"name\":");
	rl_ctl_put_json(b, d->name);
	put_str(b, "value", value);
	put_str(b, "default", d->dflt);
	put_str(b, "unit", d->unit);
	put_str(b, "help", d->help);
	rl_ctl_putf(b, ",\"min\":%" PRId32 ",\"max\":%" PRId32 ",\"count\":%d}",
		    d->min, d->max, d->count);
}

static void sysctl_list(struct ctl_client *cl, struct rill_stack *st)
{
	const struct rill_sysctl_desc *d;

	begin(&cl->out);
	rl_ctl_puts(&cl->out, ",\"sysctls\":[");
	for (unsigned i = 0; (d = rill_sysctl_desc(i)) != NULL; i++)
		put_sysctl(&cl->out, st, d, i == 0);
	rl_ctl_puts(&cl->out, "]");
	end(&cl->out);
}

static const char *sysctl_why(const char *name, int err)
{
	const char *why = rill_sysctl_refusal(name);

	if (why && (err == ENOENT || err == EOPNOTSUPP))
		return why;
	switch (err) {
	case ENOENT:
		return "unknown name; `rill sysctl -a` lists those there are";
	case ERANGE:
		return "value out of range; `rill sysctl -a -v` shows the range";
	case EINVAL:
		return "not a value of the right form";
	case EROFS:
		return "can't be changed while the stack runs";
	}
	return strerror(err);
}

static void on_sysctl(struct ctl_client *cl, struct rill_engine *e, const json_t *req)
{
	const char *op = json_string_value(json_object_get(req, "op"));
	const char *name = json_string_value(json_object_get(req, "name"));
	const char *value = json_string_value(json_object_get(req, "value"));
	struct rill_stack *st = rl_engine_stack(e);
	char now[2048];
	int r = 0;

	if (op && !strcmp(op, "list")) {
		sysctl_list(cl, st);
		return;
	}
	if (!op || !name || (strcmp(op, "get") && (strcmp(op, "set") || !value))) {
		fail(&cl->out, EINVAL, "sysctl needs \"op\": list, get with \"name\", "
		     "or set with \"name\" and \"value\"");
		return;
	}
	if (!strcmp(op, "set"))
		r = rill_sysctl_set(st, name, value);
	if (r >= 0)
		r = rill_sysctl_get(st, name, now, sizeof(now));
	if (r < 0) {
		fail(&cl->out, -r, sysctl_why(name, -r));
		return;
	}
	begin(&cl->out);
	put_str(&cl->out, "name", name);
	put_str(&cl->out, "value", now);
	end(&cl->out);
}

/* ---- dispatch ---- */

static void dispatch(struct ctl_client *cl, struct rill_engine *e, const json_t *req)
{
	const char *cmd = json_string_value(json_object_get(req, "cmd"));

	if (!cmd)
		fail(&cl->out, EINVAL, "the request has no \"cmd\"");
	else if (!strcmp(cmd, "hello"))
		on_hello(cl, e);
	else if (!strcmp(cmd, "conns"))
		on_conns(cl, req);
	else if (!strcmp(cmd, "summary"))
		on_summary(cl, req);
	else if (!strcmp(cmd, "stats"))
		on_stats(cl, e);
	else if (!strcmp(cmd, "sysctl"))
		on_sysctl(cl, e, req);
	else if (!strcmp(cmd, "close"))
		on_close(cl, e, req);
	else
		fail(&cl->out, EINVAL, "unknown \"cmd\": hello, conns, summary, stats, "
		     "sysctl, close");
}

void rl_ctl_request(struct ctl_client *cl, struct rill_engine *e)
{
	json_error_t err;
	json_t *req = json_loads(cl->line, 0, &err);

	if (json_is_object(req))
		dispatch(cl, e, req);
	else
		fail(&cl->out, EINVAL, "the request is not one line with a JSON object");
	json_decref(req);
}
