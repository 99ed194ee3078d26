/* SPDX-License-Identifier: MIT */
/*
 * The metrics of `rill export` in Prometheus' text format.  The kernel's have the names
 * that node_exporter gives them, so that dashboards and alarms go on working; those of
 * stacks begin with rill_ and say which stack.  All samples of a name stand together
 * behind one HELP and TYPE.  Called by cmd_export.c and export_http.c.
 */
#include <ctype.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "look/ctlc.h"
#include "look/netstat.h"
#include "look/ports.h"
#include "tools/export.h"

#define TEXT_MAX	(64u << 20)

void prom_put(struct prom *t, const char *fmt, ...)
{
	va_list ap;
	int need;

	va_start(ap, fmt);
	need = t->bad ? -1 : vsnprintf(t->p ? t->p + t->n : NULL, t->cap - t->n, fmt, ap);
	va_end(ap);
	if (need < 0)
		return;
	if (t->n + (size_t)need >= t->cap) {
		size_t cap = (t->n + (size_t)need) * 2 + 4096;
		char *p = cap <= TEXT_MAX ? realloc(t->p, cap) : NULL;

		if (!p) {
			t->bad = true;
			return;
		}
		t->p = p;
		t->cap = cap;
		va_start(ap, fmt);
		vsnprintf(t->p + t->n, t->cap - t->n, fmt, ap);
		va_end(ap);
	}
	t->n += (size_t)need;
}

void prom_free(struct prom *t)
{
	free(t->p);
	memset(t, 0, sizeof(*t));
}

/* The help of a stack is what another process says: a line it must stay. */
static void family(struct prom *t, const char *name, const char *type, const char *help)
{
	prom_put(t, "# HELP %s ", name);
	for (; *help; help++)
		prom_put(t, "%c", *help == '\\' || (unsigned char)*help < 0x20 ? ' ' : *help);
	prom_put(t, ".\n# TYPE %s %s\n", name, type);
}

/* A name may hold letters, digits and _. */
static const char *plain(const char *s, char *buf, size_t n)
{
	size_t k = 0;

	for (; *s && k + 1 < n; s++)
		buf[k++] = isalnum((unsigned char)*s) ? *s : '_';
	buf[k] = '\0';
	return buf;
}

/* A label's value: backslash, quote and newline are escaped. */
static const char *quoted(const char *s, char *buf, size_t n)
{
	size_t k = 0;

	for (; *s && k + 3 < n; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '"' || c == '\\')
			buf[k++] = '\\';
		buf[k++] = c < 0x20 || c >= 0x7f ? '?' : (char)c;
	}
	buf[k] = '\0';
	return buf;
}

/* ---- states ---- */

/* As node_exporter writes them, in Linux's order from 1. */
static const char *const states[RILL_TCP_STATES] = {
	"", "established", "syn_sent", "syn_recv", "fin_wait1", "fin_wait2", "time_wait",
	"close", "close_wait", "last_ack", "listen", "closing",
};

struct counts {
	unsigned	state[RILL_TCP_STATES], half_open;
	uint64_t	rx, tx;
};

static bool count(void *ctx, const struct rill_sock *s)
{
	struct counts *c = ctx;

	if (s->state < RILL_TCP_STATES)
		c->state[s->state]++;
	c->half_open += s->half_open;
	if (s->state != RILL_LISTEN) {
		c->rx += s->recv_q;
		c->tx += s->send_q;
	}
	return true;
}

static bool kernel_states(struct prom *t)
{
	struct rill_table_query q = RILL_TABLE_QUERY_INIT;
	struct rill_table_notes notes;
	struct counts c = { 0 };

	q.want = RILL_WANT_KERNEL | RILL_WANT_TCP;
	if (rill_table_walk(&q, count, &c, &notes) < 0 || notes.kernel_error)
		return false;
	family(t, "node_tcp_connection_states", "gauge", "Number of connection states");
	for (int i = 1; i < RILL_TCP_STATES; i++)
		prom_put(t, "node_tcp_connection_states{state=\"%s\"} %u\n", states[i], c.state[i]);
	prom_put(t, "node_tcp_connection_states{state=\"rx_queued_bytes\"} %llu\n"
		 "node_tcp_connection_states{state=\"tx_queued_bytes\"} %llu\n",
		 (unsigned long long)c.rx, (unsigned long long)c.tx);
	family(t, "rill_kernel_half_open", "gauge", "Peers of the kernel's listeners whose "
	       "handshake is not finished");
	prom_put(t, "rill_kernel_half_open %u\n", c.half_open);
	return true;
}

/* ---- counters of the kernel ---- */

static const char *const groups[] = {
	"Ip.", "Icmp.", "Tcp.", "Udp.", "UdpLite.", "TcpExt.", "IpExt.", "Ip6.", "Icmp6.",
	"Udp6.", "UdpLite6.",
};

static bool is_netstat(const char *name)
{
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		if (!strncmp(name, groups[i], strlen(groups[i])))
			return true;
	return false;
}

static void put_netstat(struct prom *t, const struct netstat_entry *e)
{
	char name[NETSTAT_NAME], metric[NETSTAT_NAME + 16], help[NETSTAT_NAME + 16];

	snprintf(metric, sizeof(metric), "node_netstat_%s", plain(e->name, name, sizeof(name)));
	snprintf(help, sizeof(help), "Statistic %s", e->name);
	family(t, metric, "untyped", help);
	prom_put(t, "%s %lld\n", metric, (long long)e->value);
}

static void put_sockstat(struct prom *t, const struct netstat_entry *e)
{
	const char *what = e->name + strlen("sockstat.");
	char name[NETSTAT_NAME], metric[NETSTAT_NAME + 32], help[NETSTAT_NAME + 32];

	snprintf(metric, sizeof(metric), "node_sockstat_%s", plain(what, name, sizeof(name)));
	snprintf(help, sizeof(help), "Number of sockets: %s", what);
	family(t, metric, "gauge", help);
	prom_put(t, "%s %lld\n", metric, (long long)e->value);
	if (strlen(what) > 4 && !strcmp(what + strlen(what) - 4, ".mem")) {
		snprintf(metric, sizeof(metric), "node_sockstat_%s_bytes", name);
		snprintf(help, sizeof(help), "The same in bytes: %s", what);
		family(t, metric, "gauge", help);
		prom_put(t, "%s %lld\n", metric, (long long)e->value * sysconf(_SC_PAGESIZE));
	}
}

static const struct {
	const char *column, *metric, *help;
} devices[] = {
	{ ".rx_bytes", "node_network_receive_bytes_total", "Bytes received" },
	{ ".rx_packets", "node_network_receive_packets_total", "Packets received" },
	{ ".rx_errs", "node_network_receive_errs_total", "Errors in receiving" },
	{ ".rx_drop", "node_network_receive_drop_total", "Packets dropped in receiving" },
	{ ".tx_bytes", "node_network_transmit_bytes_total", "Bytes sent" },
	{ ".tx_packets", "node_network_transmit_packets_total", "Packets sent" },
	{ ".tx_errs", "node_network_transmit_errs_total", "Errors in sending" },
	{ ".tx_drop", "node_network_transmit_drop_total", "Packets dropped in sending" },
};

static void put_devices(struct prom *t, const struct netstat *s)
{
	for (size_t k = 0; k < sizeof(devices) / sizeof(devices[0]); k++) {
		size_t tail = strlen(devices[k].column);

		family(t, devices[k].metric, "counter", devices[k].help);
		for (unsigned i = 0; i < s->n; i++) {
			char dev[NETSTAT_NAME], label[2 * NETSTAT_NAME];
			size_t n = strlen(s->e[i].name);

			if (strncmp(s->e[i].name, "dev.", 4) != 0 || n < 4 + tail ||
			    strcmp(s->e[i].name + n - tail, devices[k].column) != 0)
				continue;
			snprintf(dev, sizeof(dev), "%.*s", (int)(n - tail - 4), s->e[i].name + 4);
			prom_put(t, "%s{device=\"%s\"} %llu\n", devices[k].metric,
				 quoted(dev, label, sizeof(label)),
				 (unsigned long long)s->e[i].value);
		}
	}
}

static void put_softnet(struct prom *t, const struct netstat *s)
{
	family(t, "rill_kernel_softnet_dropped_total", "counter",
	       "Packets dropped because a CPU's input queue was full (netdev_max_backlog)");
	prom_put(t, "rill_kernel_softnet_dropped_total %lld\n",
		 (long long)netstat_value(s, "softnet.dropped"));
	family(t, "rill_kernel_softnet_squeezed_total", "counter",
	       "Rounds that ended with packets left (netdev_budget)");
	prom_put(t, "rill_kernel_softnet_squeezed_total %lld\n",
		 (long long)netstat_value(s, "softnet.time_squeeze"));
}

static bool no_netstat;		/* set once, from the command line */

void export_no_netstat(void)
{
	no_netstat = true;
}

static bool kernel_counters(struct prom *t)
{
	struct netstat s = { 0 };
	bool ok = netstat_read_kernel(&s, NULL) == 0;

	for (unsigned i = 0; ok && !no_netstat && i < s.n; i++) {
		if (is_netstat(s.e[i].name))
			put_netstat(t, &s.e[i]);
		else if (!strncmp(s.e[i].name, "sockstat.", 9))
			put_sockstat(t, &s.e[i]);
	}
	if (ok && !no_netstat)
		put_devices(t, &s);
	if (ok)
		put_softnet(t, &s);
	netstat_free(&s);
	return ok;
}

static bool kernel_ports(struct prom *t)
{
	static struct ports p;
	struct rill_table_notes notes;

	if (ports_read(&p, NULL, false, &notes) < 0)
		return false;
	family(t, "rill_kernel_ephemeral_ports", "gauge",
	       "Ports that connect() may choose from for a new destination");
	prom_put(t, "rill_kernel_ephemeral_ports %u\n", ports_usable(&p));
	family(t, "rill_kernel_ephemeral_ports_free", "gauge",
	       "Ports left for the destination that has the fewest");
	prom_put(t, "rill_kernel_ephemeral_ports_free %u\n", ports_least_free(&p));
	ports_free(&p);
	return true;
}

/* ---- stacks ---- */

struct seen {
	struct ctl_stacks stacks;
	json_t		*stats[CTLC_STACKS_MAX], *sum[CTLC_STACKS_MAX];
	char		labels[CTLC_STACKS_MAX][192];
};

/* Counters have the same order in all stacks of one version: that place first. */
static const json_t *counter_of(const struct seen *s, unsigned stack, const char *name, size_t hint)
{
	const json_t *list = json_object_get(s->stats[stack], "counters");
	const json_t *c = json_array_get(list, hint);

	if (c && !strcmp(ctlc_str(c, "name"), name))
		return c;
	for (size_t i = 0; i < json_array_size(list); i++) {
		c = json_array_get(list, i);
		if (!strcmp(ctlc_str(c, "name"), name))
			return c;
	}
	return NULL;
}

/*
 * "tcp.in_segs" is rill_tcp_in_segs_total, "pool.memory" rill_pool_memory_bytes.  Drop
 * and hold reasons are labels of one name each.
 */
static void put_counter(struct prom *t, const struct seen *s, const json_t *c, size_t hint)
{
	const char *name = ctlc_str(c, "name");
	bool gauge = !strncmp(name, "pool.", 5);
	char base[96], metric[128];

	snprintf(metric, sizeof(metric), "rill_%s%s", plain(name, base, sizeof(base)),
		 !gauge ? "_total" : !strcmp(ctlc_str(c, "unit"), "bytes") ? "_bytes" : "");
	family(t, metric, gauge ? "gauge" : "counter", ctlc_str(c, "help"));
	for (unsigned i = 0; i < s->stacks.n; i++) {
		const json_t *v = counter_of(s, i, name, hint);

		if (v)
			prom_put(t, "%s{%s} %lld\n", metric, s->labels[i],
				 (long long)ctlc_int(v, "value"));
	}
}

static bool is_reason(const char *name)
{
	return !strncmp(name, "drop.", 5) || !strncmp(name, "hold.", 5);
}

static bool known_before(const struct seen *s, unsigned stack, const char *name, size_t hint)
{
	for (unsigned i = 0; i < stack; i++)
		if (counter_of(s, i, name, hint))
			return true;
	return false;
}

static void put_counters(struct prom *t, const struct seen *s)
{
	for (unsigned i = 0; i < s->stacks.n; i++) {
		const json_t *list = json_object_get(s->stats[i], "counters");

		for (size_t k = 0; k < json_array_size(list); k++) {
			const json_t *c = json_array_get(list, k);
			const char *name = ctlc_str(c, "name");

			if (!is_reason(name) && !known_before(s, i, name, k))
				put_counter(t, s, c, k);
		}
	}
}

static void put_reasons(struct prom *t, const struct seen *s, const char *prefix,
			const char *metric, const char *help)
{
	char reason[96];

	family(t, metric, "counter", help);
	for (unsigned i = 0; i < s->stacks.n; i++) {
		const json_t *list = json_object_get(s->stats[i], "counters");

		for (size_t k = 0; k < json_array_size(list); k++) {
			const json_t *c = json_array_get(list, k);
			const char *name = ctlc_str(c, "name");

			if (!strncmp(name, prefix, 5))
				prom_put(t, "%s{%s,reason=\"%s\"} %lld\n", metric, s->labels[i],
					 quoted(name + 5, reason, sizeof(reason)),
					 (long long)ctlc_int(c, "value"));
		}
	}
}

static void put_stack_states(struct prom *t, const struct seen *s)
{
	family(t, "rill_tcp_connections", "gauge", "Connections of a stack in each state");
	for (unsigned i = 0; i < s->stacks.n; i++)
		for (int k = 1; k < RILL_TCP_STATES; k++)
			prom_put(t, "rill_tcp_connections{%s,state=\"%s\"} %lld\n", s->labels[i],
				 states[k], (long long)ctlc_int(json_object_get(s->sum[i],
				 "states"), rill_state_name(k)));
	family(t, "rill_tcp_half_open", "gauge", "Peers whose handshake is not finished");
	for (unsigned i = 0; i < s->stacks.n; i++)
		prom_put(t, "rill_tcp_half_open{%s} %lld\n", s->labels[i],
			 (long long)ctlc_int(s->sum[i], "half_open"));
}

/* Keep those that answer both; their number is @s->stacks.n. */
static void ask_stacks(struct seen *s)
{
	struct ctl_stacks *all = &s->stacks;
	struct ctl_select any = { 0 };
	char name[160];
	unsigned n = 0;

	ctlc_open(all, &any);
	for (unsigned i = 0; i < all->n; i++) {
		struct ctl_stack *st = &all->list[i];
		json_t *stats = ctlc_ask(st, json_pack("{s:s}", "cmd", "stats"));
		json_t *sum = stats ? ctlc_ask(st, json_pack("{s:s}", "cmd", "summary")) : NULL;

		if (!sum) {
			json_decref(stats);
			all->silent++;
			continue;
		}
		s->stats[n] = stats;
		s->sum[n] = sum;
		snprintf(s->labels[n++], sizeof(s->labels[0]), "stack=\"%s\",pid=\"%ld\"",
			 quoted(st->name, name, sizeof(name)), st->pid);
	}
	ctlc_close(all);
	all->n = n;
}

static void stacks(struct prom *t)
{
	static struct seen s;

	ask_stacks(&s);
	family(t, "rill_stacks", "gauge", "Stacks of Rill that run and answer");
	prom_put(t, "rill_stacks %u\n", s.stacks.n);
	family(t, "rill_stacks_silent", "gauge", "Stacks of Rill that do not answer");
	prom_put(t, "rill_stacks_silent %u\n", s.stacks.silent);
	if (s.stacks.n) {
		put_stack_states(t, &s);
		put_counters(t, &s);
		put_reasons(t, &s, "drop.", "rill_drops_total", "Packets discarded, by reason");
		put_reasons(t, &s, "hold.", "rill_holds_total",
			    "Times that data was not sent, by reason");
	}
	for (unsigned i = 0; i < s.stacks.n; i++) {
		json_decref(s.stats[i]);
		json_decref(s.sum[i]);
	}
	s.stacks.n = 0;
}

bool export_text(struct prom *t)
{
	bool ok[3];

	t->n = 0;
	t->bad = false;
	ok[0] = kernel_states(t);
	ok[1] = kernel_counters(t);
	ok[2] = kernel_ports(t);
	stacks(t);
	family(t, "rill_export_source_up", "gauge", "Whether a source could be read");
	prom_put(t, "rill_export_source_up{source=\"connections\"} %d\n"
		 "rill_export_source_up{source=\"counters\"} %d\n"
		 "rill_export_source_up{source=\"ports\"} %d\n", ok[0], ok[1], ok[2]);
	return !t->bad;
}
