/* SPDX-License-Identifier: MIT */
/*
 * rill traceroute - the routers on the way to a host, each with a few delays.  A
 * hop is printed when it and all in front of it are complete and named.
 */
#include <stdio.h>
#include <string.h>

#include "tools/out.h"
#include "tools/probe.h"

#define NAME_NS	INT64_C(5000000000)	/* no longer for the name of a hop */

static const struct opt opts[] = {
	{ P_ICMP, 'I', "icmp", NULL, "ICMP echo requests instead of UDP" },
	{ P_TCP, 'T', "tcp", NULL, "TCP SYNs instead of UDP; port 80 unless -p" },
	{ P_UDP, 'U', "udp", NULL, "UDP; that is the default" },
	{ P_PORT, 'p', "port", "PORT", "destination port; UDP: 33434, TCP: 80" },
	{ P_MAX, 'm', "max-hops", "N", "look no further; default 30, at most 64" },
	{ P_FIRST, 'f', "first", "N", "begin with that hop" },
	{ P_QUERIES, 'q', "queries", "N", "probes per hop, 1 to 10; default 3" },
	{ P_SIM, 'N', "sim-queries", "N", "probes under way at a time; default 16" },
	{ P_WAIT, 'w', "wait", "SEC", "time to wait for an answer; default 3" },
	{ P_SOURCE, 's', "source", "ADDR", "send from that address" },
	{ P_NUMERIC, 'n', "numeric", NULL, "no names of routers" },
	{ P_JSON, 'j', "json", NULL, "JSON" },
	{ P_V4, '4', "ipv4", NULL, "IPv4 only" },
	{ P_V6, '6', "ipv6", NULL, "IPv6 only" },
	{ 0, 0, NULL, NULL, NULL },
};

static unsigned next_hop;		/* to be printed */
static int64_t named_by_ns;		/* then it is printed without name; 0: not yet asked */

static bool names_known(const struct probing *p, const struct probe_hop *h)
{
	char buf[400];
	bool known = true;

	for (unsigned i = 0; i < h->naddrs; i++)
		known &= probing_name(p, &h->addr[i], buf, sizeof(buf));
	return known;
}

static void put_answer(const struct probing *p, const struct probe_hop *h, unsigned q,
		       const struct rill_ip **shown)
{
	const struct probe_answer *a = &h->ans[q];
	char buf[400], ms[24], mark[16];

	if (a->what == PROBE_SILENT) {
		fputs(" *", stdout);
		return;
	}
	if (!*shown || memcmp(*shown, &a->from, sizeof(a->from))) {
		probing_name(p, &a->from, buf, sizeof(buf));
		printf(" %s", buf);
		*shown = &a->from;
	}
	printf("  %s ms", probing_ms(h->rtt_ns[q], ms));
	if (*probe_mark(a, mark))
		printf(" %s", mark);
}

static void put_hop(const struct probing *p, unsigned ttl)
{
	const struct probe_hop *h = &p->run->hop[ttl];
	const struct rill_ip *shown = NULL;

	printf("%2u ", ttl);
	for (unsigned q = 0; q < p->run->plan.queries; q++)
		put_answer(p, h, q, &shown);
	if (h->ans[0].tcp_open || h->ans[0].tcp_closed)
		printf("  %s", h->ans[0].tcp_open ? "open" : "closed");
	putchar('\n');
	fflush(stdout);
}

/* What is complete by now; the time that names may take is bounded. */
static bool put_ready(struct probing *p)
{
	while (next_hop <= p->run->end && probe_hop_done(p->run, next_hop)) {
		const struct probe_hop *h = &p->run->hop[next_hop];

		if (!named_by_ns)
			named_by_ns = probe_now_ns() + NAME_NS;
		if (!names_known(p, h) && probe_now_ns() < named_by_ns)
			break;
		put_hop(p, next_hop++);
		named_by_ns = 0;
	}
	return true;
}

static void put_rest(struct probing *p)
{
	while (!probing_stopped() && next_hop <= p->run->end) {
		put_ready(p);
		if (next_hop <= p->run->end)
			probe_wait(p->ps, NULL, 20);
	}
}

/* Names that take their time may do so after the last answer. */
static void trace(struct probing *p)
{
	struct probe_plan plan = p->plan;

	plan.lanes = p->ps->fd < 0;
	next_hop = plan.first;
	p->tick = p->json ? NULL : put_ready;
	p->tick_ms = p->numeric ? 0 : 50;
	if (!p->json)
		printf("traceroute to %s (%s), %u hops max: %s\n", p->host, p->dst_text, plan.last,
		       p->ps->way);
	fflush(stdout);
	probing_run(p, &plan);
	if (p->json)
		probing_put_json(probing_path_json(p, true));
	else
		put_rest(p);
}

static int run(const struct cmd *cmd, int argc, char **argv)
{
	static struct probing p;
	int status;

	probing_init(&p, cmd);
	p.kind = PROBE_UDP;
	p.size = 32;
	status = probing_parse(&p, argc, argv);
	if (status >= 0)
		return status;
	status = probing_open(&p);
	if (status == EXIT_DONE) {
		trace(&p);
		status = p.run->hop[p.run->end].reached ? EXIT_DONE : EXIT_FAILED;
	}
	probing_close(&p);
	return out_finish(status);
}

const struct cmd cmd_traceroute = {
	.name = "traceroute",
	.args = "HOST",
	.help = "the routers on the way to a host",
	.about = "Sends probes with TTL 1, 2, 3, ...: the router where it runs out answers, and\n"
		 "so does the destination in the end.  Several probes are under way at a time.\n"
		 "A * is a probe without answer; !H !N !P !X !F-MTU are unreachable host,\n"
		 "network, protocol, prohibited by a filter, and too big, as traceroute writes.\n"
		 "\n"
		 "All probes are one flow: routers that choose between several paths do so by\n"
		 "addresses, protocol, ports and sometimes the first bytes behind the IP header,\n"
		 "and none of these changes.  A UDP probe is told from the next by its checksum\n"
		 "(nobody's choice depends on it), an ICMP one by its sequence number, whose\n"
		 "complement in the data keeps the checksum as it is, a TCP one by its sequence\n"
		 "number.\n"
		 "\n"
		 "Without root, UDP and TCP work all the same: errors are read from the error\n"
		 "queue of ordinary sockets.  UDP probes are then told by their data, and where a\n"
		 "router quotes no data the oldest open probe is taken for the one meant; TCP\n"
		 "probes are connections, one after the other for each of the -q queries, each of\n"
		 "which is a flow with a port of its own.  Exit status: 0 when the host was\n"
		 "reached, 1 when not.",
	.example = "  rill traceroute -n 127.0.0.1\n  rill traceroute --tcp -p 443 example.org",
	.opts = opts,
	.runs_stack = true,
	.run = run,
};
