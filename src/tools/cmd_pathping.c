/* SPDX-License-Identifier: MIT */
/*
 * rill pathping - the path first, then many probes to each hop for a time, and the
 * hop that is at fault by name (look/probe_verdict.c).
 */
#include <inttypes.h>
#include <stdio.h>

#include "tools/out.h"
#include "tools/probe.h"

static const struct opt opts[] = {
	{ P_COUNT, 'c', "count", "N", "probes of each hop; default 100" },
	{ P_INTERVAL, 'i', "interval", "SEC", "time for one round of all hops; default 0.25" },
	{ P_WAIT, 'W', "wait", "SEC", "time to wait for an answer; default 3" },
	{ P_UDP, 'u', "udp", NULL, "UDP instead of ICMP echo requests" },
	{ P_TCP, 'T', "tcp", NULL, "TCP SYNs instead; port 80 unless -p" },
	{ P_PORT, 'p', "port", "PORT", "destination port; UDP: 33434, TCP: 80" },
	{ P_MAX, 'm', "max-hops", "N", "look no further; default 30, at most 64" },
	{ P_FIRST, 'f', "first", "N", "begin with that hop" },
	{ P_SIZE, 's', "size", "BYTES", "payload; default 56" },
	{ P_SOURCE, 'I', "source", "ADDR", "send from that address" },
	{ P_NUMERIC, 'n', "numeric", NULL, "no names of routers" },
	{ P_JSON, 'j', "json", NULL, "JSON" },
	{ P_V4, '4', "ipv4", NULL, "IPv4 only" },
	{ P_V6, '6', "ipv6", NULL, "IPv6 only" },
	{ 0, 0, NULL, NULL, NULL },
};

static void put_path(const struct probing *p)
{
	char name[400];

	printf("path to %s (%s): %s\n", p->host, p->dst_text, p->ps->way);
	for (unsigned t = p->run->plan.first; t <= p->run->end; t++) {
		const struct probe_hop *h = &p->run->hop[t];

		if (h->naddrs)
			probing_name(p, &h->addr[0], name, sizeof(name));
		printf("%2u  %s\n", t, h->naddrs ? name : "*");
	}
}

static void put_line(const struct probing *p, unsigned ttl)
{
	const struct probe_hop *h = &p->run->hop[ttl];
	const struct probe_stat *s = &h->stat;
	char name[400] = "*", avg[24], min[24], max[24], jit[24];

	if (h->naddrs)
		probing_name(p, &h->addr[0], name, sizeof(name));
	printf("%3u %6" PRIu64 " %6" PRIu64 " %6.1f%%", ttl, s->sent, s->lost,
	       (double)probe_loss_ppm(s) / 10000);
	if (s->recv)
		printf(" %9s %9s %9s %9s", probing_ms(s->min_ns, min),
		       probing_ms(probe_stat_avg_ns(s), avg), probing_ms(s->max_ns, max),
		       probing_ms(probe_stat_jitter_ns(s), jit));
	else
		printf(" %9s %9s %9s %9s", "-", "-", "-", "-");
	printf("  %s\n", name);
}

static void put_table(struct probing *p)
{
	printf("\nHop   Sent   Lost    Loss       Min       Avg       Max    Jitter  (ms)\n");
	for (unsigned t = p->run->plan.first; t <= p->run->end; t++)
		put_line(p, t);
	putchar('\n');
	probing_put_verdict(p);
}

static int look(struct probing *p)
{
	unsigned last = probing_discover(p);
	struct probe_plan plan = probing_rounds(p, last);

	if (!p->json) {
		put_path(p);
		printf("%" PRIu64 " probes of each hop, about %" PRId64 " s ...\n", plan.rounds,
		       (int64_t)plan.rounds * plan.interval_ns / 1000000000 + 1);
		fflush(stdout);
	}
	probing_run(p, &plan);
	probe_run_stop(p->run, false);
	if (p->json)
		probing_put_json(probing_path_json(p, true));
	else
		put_table(p);
	return p->run->hop[p->run->end].reached ? EXIT_DONE : EXIT_FAILED;
}

static int run(const struct cmd *cmd, int argc, char **argv)
{
	static struct probing p;
	int status;

	probing_init(&p, cmd);
	p.plan.rounds = 100;
	p.plan.interval_ns = 250000000;
	status = probing_parse(&p, argc, argv);
	if (status >= 0)
		return status;
	status = probing_open(&p);
	if (status == EXIT_DONE)
		status = look(&p);
	probing_close(&p);
	return out_finish(status);
}

const struct cmd cmd_pathping = {
	.name = "pathping",
	.args = "HOST",
	.help = "loss and delay of each hop, and which one is at fault",
	.about = "Finds the path, then sends many probes to each hop of it in turn, and says at\n"
		 "which hop loss begins.  Loss at a hop that does not go on behind it is no loss:\n"
		 "that router only limits how many answers it gives.  A hop that never answers\n"
		 "is treated likewise.  Where answers do not allow to tell two hops apart, both\n"
		 "are named.  An answer that is lost on its way back looks like a lost probe.\n"
		 "Probes are one flow, as `rill traceroute --help` explains; TCP probes of an\n"
		 "ordinary user are one for each hop.\n"
		 "\n"
		 "Exit status: 0 when the host was reached, 1 when not.",
	.example = "  rill pathping -n -c 20 127.0.0.1",
	.opts = opts,
	.runs_stack = true,
	.run = run,
};
