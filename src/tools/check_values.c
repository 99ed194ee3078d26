/* SPDX-License-Identifier: MIT */
/*
 * Where the numbers of `rill check` come from: counts of states by the table of
 * connections, rates by two readings of counters, shares of limits by the tunables.
 * Only what is asked for is read; a walk over 100,000 sockets is not free.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "look/knobs.h"
#include "look/ports.h"
#include "tools/check.h"
#include "tools/out.h"

/* States that have a threshold, and how people write them without - and _. */
static const struct {
	int		state, id;
	const char	*spelling;
} states[] = {
	{ RILL_ESTABLISHED, THR_ESTABLISHED, "established" },
	{ RILL_ESTABLISHED, THR_ESTABLISHED, "estab" },
	{ RILL_SYN_SENT, THR_SYN_SENT, "synsent" },
	{ RILL_SYN_RECV, THR_SYN_RECV, "synrecv" },
	{ RILL_SYN_RECV, THR_SYN_RECV, "synrcvd" },
	{ RILL_SYN_RECV, THR_SYN_RECV, "synreceived" },
	{ RILL_FIN_WAIT1, THR_FIN_WAIT1, "finwait1" },
	{ RILL_FIN_WAIT2, THR_FIN_WAIT2, "finwait2" },
	{ RILL_TIME_WAIT, THR_TIME_WAIT, "timewait" },
	{ RILL_CLOSE_WAIT, THR_CLOSE_WAIT, "closewait" },
	{ RILL_LAST_ACK, THR_LAST_ACK, "lastack" },
	{ RILL_CLOSING, THR_CLOSING, "closing" },
};

#define NSTATES	(sizeof(states) / sizeof(states[0]))

int check_state(const char *name)
{
	char plain[24];
	size_t n = 0;

	for (; *name && n + 1 < sizeof(plain); name++)
		if (*name != '-' && *name != '_')
			plain[n++] = (char)tolower((unsigned char)*name);
	plain[n] = '\0';
	for (size_t i = 0; !*name && i < NSTATES; i++)
		if (!strcmp(states[i].spelling, plain))
			return states[i].id;
	return -1;
}

static void know(struct check_values *v, enum threshold_id id, double value)
{
	v->value[id] = value;
	v->known[id] = true;
}

/* ---- the table ---- */

struct counts {
	unsigned	state[16];
	double		fullest;	/* accept queue, % */
};

static bool count(void *ctx, const struct rill_sock *s)
{
	struct counts *c = ctx;
	double full;

	c->state[s->state % 16]++;
	if (s->state == RILL_LISTEN && s->send_q) {
		full = 100.0 * s->recv_q / s->send_q;
		c->fullest = full > c->fullest ? full : c->fullest;
	}
	return true;
}

static bool wants_table(const bool want[THR_COUNT])
{
	bool any = want[THR_ACCEPT_QUEUE];

	for (size_t i = 0; i < NSTATES; i++)
		any = any || want[states[i].id];
	return any;
}

static bool read_table(const struct source *src, const struct cmd *cmd, struct check_values *v)
{
	struct rill_table_query q = RILL_TABLE_QUERY_INIT;
	struct rill_table_notes notes;
	struct counts c = { 0 };
	int r;

	q.want = RILL_WANT_TCP | (src->stacks ? RILL_WANT_RILL : RILL_WANT_KERNEL);
	if (src->stacks) {
		q.pid = (int)src->stacks->list[0].pid;
		q.stack = src->stacks->list[0].name;
	}
	r = rill_table_walk(&q, count, &c, &notes);
	if (!r && !src->stacks)
		r = notes.kernel_error;
	if (!r && src->stacks && !notes.nstacks)
		return false;		/* it was complained of */
	if (r < 0) {
		complain("%s: cannot read the connections: %s", cmd->name, strerror(-r));
		return false;
	}
	for (size_t i = 0; i < NSTATES; i++)
		know(v, states[i].id, c.state[states[i].state]);
	know(v, THR_ACCEPT_QUEUE, c.fullest);
	return true;
}

/* ---- counters ---- */

static const struct {
	enum threshold_id id;
	const char	*counter;
} rates[] = {
	{ THR_LISTEN_OVERFLOWS, "TcpExt.ListenOverflows" },
	{ THR_LISTEN_DROPS, "TcpExt.ListenDrops" },
	{ THR_ATTEMPT_FAILS, "Tcp.AttemptFails" },
	{ THR_ABORT_MEMORY, "TcpExt.TCPAbortOnMemory" },
};

#define NRATES	(sizeof(rates) / sizeof(rates[0]))

static bool wants_rates(const bool want[THR_COUNT])
{
	bool any = want[THR_RETRANS] || want[THR_DEV_DROPS];

	for (size_t i = 0; i < NRATES; i++)
		any = any || want[rates[i].id];
	return any;
}

static void use_rates(const struct netstat_delta *d, struct check_values *v)
{
	double sent = (double)netstat_growth(d, "Tcp.OutSegs");
	double again = (double)netstat_growth(d, "Tcp.RetransSegs"), drops = 0;
	int64_t x;

	for (size_t i = 0; i < NRATES; i++)
		if (netstat_get(d->now, rates[i].counter, &x))
			know(v, rates[i].id, netstat_rate(d, rates[i].counter));
	/* OutSegs is without those sent again */
	know(v, THR_RETRANS, sent + again > 0 ? 100 * again / (sent + again) : 0);
	drops += (double)netstat_growth_sum(d, "dev.", ".rx_drop");
	drops += (double)netstat_growth_sum(d, "dev.", ".tx_drop");
	drops += (double)netstat_growth(d, "softnet.dropped");
	know(v, THR_DEV_DROPS, drops / d->seconds);
	v->seconds = d->seconds;
}

static void wait_ms(int ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000L };

	while (nanosleep(&ts, &ts) < 0)
		;			/* interrupted: the rest */
}

/* ---- shares of limits ---- */

static bool number_of(const struct source *src, const char *name, double *v)
{
	char value[KNOB_VALUE] = "", *end;
	const char *last;

	if (src->stacks) {
		json_t *r = ctlc_ask(&src->stacks->list[0], json_pack("{s:s, s:s, s:s}", "cmd",
				     "sysctl", "op", "get", "name", name));

		snprintf(value, sizeof(value), "%s", ctlc_str(r, "value"));
		json_decref(r);
	} else if (knob_read(NULL, name, value) < 0) {
		return false;
	}
	last = strrchr(value, ' ');	/* tcp_mem: the hard limit is the last of three */
	*v = strtod(last ? last + 1 : value, &end);
	return *value && !*end;
}

static void share(const struct source *src, struct check_values *v, enum threshold_id id,
		  double used, const char *limit)
{
	double max;

	if (number_of(src, limit, &max) && max > 0)
		know(v, id, 100 * used / max);
}

static void use_limits(const struct source *src, const struct netstat *now,
		       const bool want[THR_COUNT], struct check_values *v)
{
	double n;

	if (want[THR_ORPHANS])
		share(src, v, THR_ORPHANS, (double)netstat_value(now, "sockstat.TCP.orphan"),
		      "net.ipv4.tcp_max_orphans");
	if (want[THR_TW_BUCKETS])
		share(src, v, THR_TW_BUCKETS, (double)netstat_value(now, "sockstat.TCP.tw"),
		      "net.ipv4.tcp_max_tw_buckets");
	if (src->stacks)
		return;			/* the rest is the kernel's alone */
	if (want[THR_TCP_MEM])
		share(src, v, THR_TCP_MEM, (double)netstat_value(now, "sockstat.TCP.mem"),
		      "net.ipv4.tcp_mem");
	if (want[THR_CONNTRACK] && number_of(src, "net.netfilter.nf_conntrack_count", &n))
		share(src, v, THR_CONNTRACK, n, "net.netfilter.nf_conntrack_max");
}

static void use_ports(const struct source *src, struct check_values *v)
{
	static struct ports p;
	struct rill_table_notes notes;

	if (ports_read(&p, src->stacks ? &src->stacks->list[0] : NULL, false, &notes) < 0)
		return;
	if (p.size > p.reserved)
		know(v, THR_PORTS_FREE, 100.0 * ports_least_free(&p) / (p.size - p.reserved));
	ports_free(&p);
}

bool check_read(struct source *src, const struct cmd *cmd, const bool want[THR_COUNT],
		int interval_ms, struct check_values *v)
{
	struct netstat before = { 0 }, now = { 0 };
	struct netstat_delta d;
	bool ok = true;

	if (wants_rates(want)) {
		ok = source_read(src, cmd, &before);
		if (ok)
			wait_ms(interval_ms);
	}
	ok = ok && source_read(src, cmd, &now);
	if (ok && wants_rates(want)) {
		d = netstat_between(&before, &now);
		use_rates(&d, v);
	}
	if (ok)
		use_limits(src, &now, want, v);
	if (ok && want[THR_PORTS_FREE])
		use_ports(src, v);
	if (ok && wants_table(want))
		ok = read_table(src, cmd, v);
	netstat_free(&before);
	netstat_free(&now);
	return ok;
}
