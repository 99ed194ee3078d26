/* SPDX-License-Identifier: MIT */
/*
 * The table of `rill ss`, with columns as wide as their widest cell, and its
 * summary (-s).
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "rill/stack.h"
#include "tools/cmd.h"
#include "tools/out.h"
#include "tools/ss.h"

struct widths {
	int	netid, state, recv_q, send_q, laddr, lport, paddr, pport;
};

static void widen(int *w, size_t n)
{
	if (n > (size_t)*w)
		*w = (int)n;
}

static int digits(uint32_t v)
{
	int n = 1;

	for (; v >= 10; v /= 10)
		n++;
	return n;
}

static void measure(struct widths *w, const struct ss_row *r)
{
	widen(&w->state, strlen(r->state));
	widen(&w->recv_q, (size_t)digits(r->recv_q));
	widen(&w->send_q, (size_t)digits(r->send_q));
	widen(&w->laddr, strlen(r->laddr));
	widen(&w->lport, strlen(r->lport));
	widen(&w->paddr, strlen(r->paddr));
	widen(&w->pport, strlen(r->pport));
}

/* Netid is shown unless one protocol was asked for; State unless one state was. */
static void put_left(const struct ss *s, const struct widths *w, const char *netid,
		     const char *state)
{
	if (s->tcp == s->udp)
		printf("%-*s ", w->netid, netid);
	if (!s->one_state)
		printf("%-*s ", w->state, state);
}

static void put_header(const struct ss *s, const struct widths *w)
{
	put_left(s, w, "Netid", "State");
	printf("%-*s %-*s %*s:%-*s %*s:%-*s Process\n", w->recv_q, "Recv-Q", w->send_q,
	       "Send-Q", w->laddr, "Local Address", w->lport, "Port", w->paddr,
	       "Peer Address", w->pport, "Port");
}

void ss_print(const struct ss *s)
{
	struct widths w = { 5, 5, 6, 6, 13, 4, 12, 4 };

	if (s->no_header)
		w = (struct widths){ 3, 1, 1, 1, 1, 1, 1, 1 };
	for (size_t i = 0; i < s->nrows; i++)
		measure(&w, &s->rows[i]);
	if (!s->no_header)
		put_header(s, &w);
	for (size_t i = 0; i < s->nrows && !out_closed(); i++) {
		const struct ss_row *r = &s->rows[i];

		put_left(s, &w, r->netid, r->state);
		printf("%-*u %-*u %*s:%-*s %*s:%-*s %s\n", w.recv_q, r->recv_q, w.send_q,
		       r->send_q, w.laddr, r->laddr, w.lport, r->lport, w.paddr, r->paddr,
		       w.pport, r->pport, r->extra ? r->extra : "");
	}
}

/* ---- summary ---- */

static int64_t family(const json_t *o, const char *proto, const char *fam)
{
	return ctlc_int(json_object_get(o, proto), fam);
}

/* Sockets of both families count as IPv6, as the kernel's do. */
static void put_transport(const char *name, int64_t v4, int64_t v6)
{
	printf("%s\t  %-9" PRId64 " %-9" PRId64 " %-9" PRId64 "\n", name, v4 + v6, v4, v6);
}

static void put_transports(const json_t *o)
{
	int64_t t4 = family(o, "tcp", "ipv4"), u4 = family(o, "udp", "ipv4");
	int64_t t6 = family(o, "tcp", "ipv6") + family(o, "tcp", "both");
	int64_t u6 = family(o, "udp", "ipv6") + family(o, "udp", "both");

	puts("\nTransport Total     IP        IPv6");
	put_transport("UDP", u4, u6);
	put_transport("TCP", t4, t6);
	put_transport("INET", u4 + t4, u6 + t6);
}

static void put_states(const json_t *states)
{
	printf("\nStates:");
	for (int i = 1; i < RILL_TCP_STATES; i++) {
		int64_t n = ctlc_int(states, rill_state_name(i));

		if (n)
			printf(" %s %" PRId64, rill_state_ss(i), n);
	}
	putchar('\n');
}

static void put_pools(const json_t *counters)
{
	puts("\nPool                        In use  Unit");
	for (size_t i = 0; i < json_array_size(counters); i++) {
		const json_t *c = json_array_get(counters, i);

		printf("%-20s %13" PRId64 "  %s: %s\n", ctlc_str(c, "name"),
		       ctlc_int(c, "value"), ctlc_str(c, "unit"), ctlc_str(c, "help"));
	}
}

static void put_summary(const json_t *o)
{
	const json_t *st = json_object_get(o, "states");
	int64_t tcp = 0, udp, tw = ctlc_int(st, rill_state_name(RILL_TIME_WAIT));

	for (int i = 1; i < RILL_TCP_STATES; i++)
		tcp += ctlc_int(st, rill_state_name(i));
	udp = family(o, "udp", "ipv4") + family(o, "udp", "ipv6") + family(o, "udp", "both");
	printf("Total: %" PRId64 "\n", tcp + udp);
	printf("TCP:   %" PRId64 " (estab %" PRId64 ", closed %" PRId64 ", orphaned %" PRId64
	       ", synrecv %" PRId64 ", timewait %" PRId64 ")\n", tcp,
	       ctlc_int(st, rill_state_name(RILL_ESTABLISHED)),
	       ctlc_int(st, rill_state_name(RILL_CLOSE)) + tw, ctlc_int(o, "orphans"),
	       ctlc_int(o, "half_open"), tw);
	put_transports(o);
	put_states(st);
	put_pools(json_object_get(o, "counters"));
}

static void json_summary(const struct ctl_stack *st, json_t *o, bool first)
{
	json_object_set_new(o, "pid", json_integer(st->pid));
	json_object_set_new(o, "stack", json_string(st->name));
	json_object_del(o, "ok");
	printf(first ? "\n" : ",\n");
	json_dumpf(o, stdout, JSON_COMPACT);
}

int ss_summary(const struct ss *s, struct ctl_stacks *stacks)
{
	int status = EXIT_DONE;
	char label[96];

	if (s->json)
		printf("{\"rill\":1,\"stacks\":[");
	for (unsigned i = 0; i < stacks->n; i++) {
		struct ctl_stack *st = &stacks->list[i];
		json_t *o = ctlc_ask(st, json_pack("{s:s}", "cmd", "summary"));

		if (!o) {
			status = EXIT_FAILED;
			continue;
		}
		if (s->json) {
			json_summary(st, o, i == 0);
		} else {
			if (stacks->n > 1)
				printf("%s== %s\n", i ? "\n" : "",
				       ctlc_label(st, label, sizeof(label)));
			put_summary(o);
		}
		json_decref(o);
	}
	if (s->json)
		printf("\n]}\n");
	return status;
}
