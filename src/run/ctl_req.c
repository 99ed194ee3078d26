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
 *   {"cmd":"setopt","id":ID,"level":N,"name":N,"value":N}
 *						keepalive and user timeout of a connection
 *   {"cmd":"watch","states":BOOL,"segments":BOOL,"drops":BOOL,"frames":BOOL}
 *						events as they happen: ctl_watch.c
 *   {"cmd":"history","after":N,"max":N}	connections that ended
 *
 * Those about endpoints are in ctl_conns.c.  Short replies are made at once.
 * Called by ctl.c only.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "run/ctl_int.h"
#include "run/engine.h"
#include "dev/dev.h"
#include "stack/stack_int.h"

/* ---- hello ---- */

static void put_netif(struct ctl_buf *b, const struct rl_netif *nif, bool *some)
{
	char text[INET6_ADDRSTRLEN];

	for (unsigned i = 0; i < nif->naddrs; i++) {
		const struct rl_if_addr *a = &nif->addr[i];

		rl_ctl_putf(b, "%s{\"if\":", *some ? "," : "");
		rl_ctl_put_json(b, nif->name);
		rl_ctl_put_str(b, "addr", rl_ctl_addr(&a->ip, text));
		rl_ctl_putf(b, ",\"prefix_len\":%u,\"mtu\":%u,\"tentative\":%s,"
			    "\"duplicate\":%s}", a->prefix_len, nif->mtu,
			    rl_ctl_bool(a->tentative),
			    rl_ctl_bool(a->duplicate));
		*some = true;
	}
}

static void on_hello(struct ctl_client *cl, struct rill_engine *e, const json_t *req)
{
	const struct rill_stack *st = rl_engine_stack(e);
	struct ctl_buf *b = &cl->out;
	bool some = false;

	(void)req;
	rl_ctl_begin(b);
	rl_ctl_putf(b, ",\"pid\":%ld,\"uid\":%lu", (long)getpid(), (unsigned long)geteuid());
	rl_ctl_put_str(b, "name", rl_engine_name(e));
	rl_ctl_put_str(b, "version", RILL_VERSION);
	rl_ctl_puts(b, ",\"addrs\":[");
	for (unsigned i = 0; i < RL_MAX_IFS; i++)
		if (st->netif[i].ifindex && !st->netif[i].loopback)
			put_netif(b, &st->netif[i], &some);
	rl_ctl_puts(b, "]");
	rl_ctl_end(b);
}

/* ---- counters ---- */

static void put_counter(struct ctl_buf *b, const struct rill_named_u64 *c, bool first)
{
	rl_ctl_puts(b, first ? "{\"name\":" : ",{\"name\":");
	rl_ctl_put_json(b, c->name);
	rl_ctl_put_str(b, "unit", c->unit);
	rl_ctl_put_str(b, "help", c->help);
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
void rl_ctl_put_counters(struct ctl_buf *b, struct rill_engine *e, const char *prefix)
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

static void on_stats(struct ctl_client *cl, struct rill_engine *e, const json_t *req)
{
	(void)req;
	rl_ctl_begin(&cl->out);
	rl_ctl_put_counters(&cl->out, e, "");
	rl_ctl_end(&cl->out);
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
	rl_ctl_put_str(b, "value", value);
	rl_ctl_put_str(b, "default", d->dflt);
	rl_ctl_put_str(b, "unit", d->unit);
	rl_ctl_put_str(b, "help", d->help);
	rl_ctl_putf(b, ",\"min\":%" PRId32 ",\"max\":%" PRId32 ",\"count\":%d}",
		    d->min, d->max, d->count);
}

static void sysctl_list(struct ctl_client *cl, struct rill_stack *st)
{
	const struct rill_sysctl_desc *d;

	rl_ctl_begin(&cl->out);
	rl_ctl_puts(&cl->out, ",\"sysctls\":[");
	for (unsigned i = 0; (d = rill_sysctl_desc(i)) != NULL; i++)
		put_sysctl(&cl->out, st, d, i == 0);
	rl_ctl_puts(&cl->out, "]");
	rl_ctl_end(&cl->out);
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
		return "not a value of the right form; `rill sysctl -v NAME` shows it";
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
		rl_ctl_fail(&cl->out, EINVAL, "sysctl needs \"op\": list, get with \"name\", "
		     "or set with \"name\" and \"value\"");
		return;
	}
	if (!strcmp(op, "set"))
		r = rill_sysctl_set(st, name, value);
	if (r >= 0)
		r = rill_sysctl_get(st, name, now, sizeof(now));
	if (r < 0) {
		rl_ctl_fail(&cl->out, -r, sysctl_why(name, -r));
		return;
	}
	rl_ctl_begin(&cl->out);
	rl_ctl_put_str(&cl->out, "name", name);
	rl_ctl_put_str(&cl->out, "value", now);
	rl_ctl_end(&cl->out);
}

/* ---- dispatch ---- */

static const struct {
	const char *cmd;
	void (*on)(struct ctl_client *cl, struct rill_engine *e, const json_t *req);
} requests[] = {
	{ "hello", on_hello }, { "conns", rl_ctl_on_conns },
	{ "summary", rl_ctl_on_summary }, { "stats", on_stats },
	{ "sysctl", on_sysctl }, { "close", rl_ctl_on_close },
	{ "setopt", rl_ctl_on_setopt }, { "watch", rl_ctl_on_watch },
	{ "history", rl_ctl_on_history },
};

static void unknown(struct ctl_buf *b)
{
	char why[256] = "unknown \"cmd\"; there are";

	for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
		strcat(why, i ? ", " : " ");
		strcat(why, requests[i].cmd);
	}
	rl_ctl_fail(b, EINVAL, why);
}

static void dispatch(struct ctl_client *cl, struct rill_engine *e, const json_t *req)
{
	const char *cmd = json_string_value(json_object_get(req, "cmd"));

	if (!cmd) {
		rl_ctl_fail(&cl->out, EINVAL, "the request has no \"cmd\"");
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
		if (!strcmp(cmd, requests[i].cmd)) {
			requests[i].on(cl, e, req);
			return;
		}
	}
	unknown(&cl->out);
}

void rl_ctl_request(struct ctl_client *cl, struct rill_engine *e)
{
	json_error_t err;
	json_t *req = json_loads(cl->line, 0, &err);

	if (json_is_object(req))
		dispatch(cl, e, req);
	else
		rl_ctl_fail(&cl->out, EINVAL, "the request is not one line with a JSON object");
	json_decref(req);
}
