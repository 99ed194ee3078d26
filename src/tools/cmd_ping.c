/* SPDX-License-Identifier: MIT */
/*
 * rill ping - is a host there, how far, how steadily: ICMP echo, or TCP connections
 * to a port.  One hop and one query of look/probe_run.c.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tools/out.h"
#include "tools/probe.h"

static const struct opt opts[] = {
	{ P_COUNT, 'c', "count", "N", "stop after N probes; default: until ^C" },
	{ P_INTERVAL, 'i', "interval", "SEC", "time between two; default 1" },
	{ P_WAIT, 'W', "wait", "SEC", "time to wait for an answer; default 3" },
	{ P_SIZE, 's', "size", "BYTES", "payload; default 56" },
	{ P_TTL, 't', "ttl", "N", "TTL or hop limit of the probes" },
	{ P_TCPPORT, 0, "tcp", "PORT", "open TCP connections to that port instead" },
	{ P_SOURCE, 'I', "source", "ADDR", "send from that address" },
	{ P_QUIET, 'q', "quiet", NULL, "the summary only" },
	{ P_NUMERIC, 'n', "numeric", NULL, "addresses only; that is the default" },
	{ P_JSON, 'j', "json", NULL, "JSON lines, the summary last" },
	{ P_V4, '4', "ipv4", NULL, "IPv4 only" },
	{ P_V6, '6', "ipv6", NULL, "IPv6 only" },
	{ 0, 0, NULL, NULL, NULL },
};

static const char *seq_name(const struct probing *p)
{
	return p->kind == PROBE_TCP ? "tcp_seq" : "icmp_seq";
}

/* The distance that the summary names: of the latest answer that shows a TTL. */
static int last_ttl = -1;

/* ---- each answer ---- */

static void put_reply(const struct probing *p, enum probe_taken taken,
		      const struct probe_slot *s, const struct probe_answer *a, int64_t rtt_ns)
{
	char ip[PROBE_IP_TEXT], ms[24];

	probe_ip(&a->from, ip);
	probing_ms(rtt_ns, ms);
	if (p->kind == PROBE_TCP)
		printf("%s port %u: tcp_seq=%" PRIu64 " %s time=%s ms", ip, p->port, s->number,
		       a->tcp_closed ? "closed" : "open", ms);
	else
		printf("%u bytes from %s: icmp_seq=%" PRIu64 " ttl=%d time=%s ms", a->bytes, ip,
		       s->number, a->ttl, ms);
	puts(taken == PROBE_DUP ? " (DUP!)" : taken == PROBE_LATE ? " (late)" : "");
}

static const char *error_words(const struct probe_answer *a)
{
	return a->what == PROBE_TRANSIT ? "Time to live exceeded" : probe_refusal(a);
}

static void put_error(const struct probing *p, const struct probe_slot *s,
		      const struct probe_answer *a)
{
	char ip[PROBE_IP_TEXT];

	printf("From %s %s=%" PRIu64 " %s\n", probe_ip(&a->from, ip), seq_name(p), s->number,
	       error_words(a));
}

static const char *event_name(enum probe_taken taken)
{
	switch (taken) {
	case PROBE_FIRST:
	case PROBE_STRAY:
		return "reply";
	case PROBE_LATE:
		return "late";
	case PROBE_DUP:
		return "duplicate";
	case PROBE_ERROR:
		return "error";
	}
	return "";
}

static void json_answer(const struct probing *p, enum probe_taken taken,
			const struct probe_slot *s, const struct probe_answer *a, int64_t rtt_ns)
{
	char ip[PROBE_IP_TEXT];
	json_t *o = json_pack("{s:i,s:s,s:I,s:s}", "rill", 1, "event", event_name(taken),
			      "seq", (json_int_t)s->number, "from", probe_ip(&a->from, ip));

	json_object_set_new(o, "rtt_ms", probing_json_ms(rtt_ns));
	if (taken == PROBE_ERROR)
		json_object_set_new(o, "error", json_string(error_words(a)));
	else if (p->kind == PROBE_TCP)
		json_object_set_new(o, "port_state",
				    json_string(a->tcp_closed ? "closed" : "open"));
	else
		json_object_set_new(o, "bytes", json_integer(a->bytes));
	if (a->ttl >= 0)
		json_object_set_new(o, "ttl", json_integer(a->ttl));
	probing_put_json(o);
}

static void answered(struct probing *p, enum probe_taken taken, const struct probe_slot *s,
		     const struct probe_answer *a, int64_t rtt_ns)
{
	if (taken != PROBE_ERROR && a->ttl >= 0)
		last_ttl = a->ttl;
	if (p->quiet)
		return;
	if (p->json)
		json_answer(p, taken, s, a, rtt_ns);
	else if (taken == PROBE_ERROR)
		put_error(p, s, a);
	else
		put_reply(p, taken, s, a, rtt_ns);
	fflush(stdout);
}

static void lost(struct probing *p, const struct probe_slot *s)
{
	if (p->quiet)
		return;
	if (p->json)
		probing_put_json(json_pack("{s:i,s:s,s:I}", "rill", 1, "event", "lost", "seq",
					   (json_int_t)s->number));
	else
		printf("%s=%" PRIu64 " no answer%s\n", seq_name(p), s->number,
		       p->kind == PROBE_TCP ? ": filtered, or lost" : "");
	fflush(stdout);
}

/* ---- the summary ---- */

static void put_summary(const struct probing *p)
{
	const struct probe_stat *s = &p->run->hop[1].stat;
	char min[24], avg[24], max[24], mdev[24], jit[24];
	unsigned start, routers;

	printf("\n--- %s ping statistics ---\n%" PRIu64 " packets transmitted, %" PRIu64
	       " received, ", p->host, s->sent, s->recv);
	if (s->errors)
		printf("+%" PRIu64 " errors, ", s->errors);
	if (s->dup)
		printf("+%" PRIu64 " duplicates, ", s->dup);
	printf("%.6g%% packet loss, time %" PRId64 "ms\n",
	       s->sent ? 100.0 * (double)s->lost / (double)s->sent : 0.0,
	       (probe_now_ns() - p->begun_ns) / 1000000);
	if (!s->recv)
		return;
	printf("rtt min/avg/max/mdev = %s/%s/%s/%s ms, jitter %s ms\n",
	       probing_ms(s->min_ns, min), probing_ms(probe_stat_avg_ns(s), avg),
	       probing_ms(s->max_ns, max), probing_ms(probe_stat_mdev_ns(s), mdev),
	       probing_ms(probe_stat_jitter_ns(s), jit));
	if (last_ttl < 0)
		return;
	routers = probe_routers((unsigned)last_ttl, &start);
	printf("hops: %u router%s passed by the answers (ttl %d, begun with %u)\n", routers,
	       routers == 1 ? "" : "s", last_ttl, start);
}

static void json_summary(const struct probing *p)
{
	const struct probe_stat *s = &p->run->hop[1].stat;
	unsigned start, routers = probe_routers((unsigned)last_ttl, &start);
	json_t *o = json_pack("{s:i,s:s,s:s,s:s,s:s,s:I,s:I,s:I,s:I,s:I}", "rill", 1, "event",
			      "summary", "host", p->host, "address", p->dst_text, "method",
			      p->ps->way, "sent", (json_int_t)s->sent, "received",
			      (json_int_t)s->recv, "lost", (json_int_t)s->lost, "errors",
			      (json_int_t)s->errors, "duplicates", (json_int_t)s->dup);

	json_object_set_new(o, "loss_percent", json_real((double)probe_loss_ppm(s) / 10000));
	if (s->recv) {
		json_object_set_new(o, "rtt_min_ms", probing_json_ms(s->min_ns));
		json_object_set_new(o, "rtt_avg_ms", probing_json_ms(probe_stat_avg_ns(s)));
		json_object_set_new(o, "rtt_max_ms", probing_json_ms(s->max_ns));
		json_object_set_new(o, "rtt_mdev_ms", probing_json_ms(probe_stat_mdev_ns(s)));
		json_object_set_new(o, "jitter_ms", probing_json_ms(probe_stat_jitter_ns(s)));
	}
	if (s->recv && last_ttl >= 0) {
		json_object_set_new(o, "routers", json_integer(routers));
		json_object_set_new(o, "ttl_begun", json_integer(start));
	}
	probing_put_json(o);
}

static void put_head(const struct probing *p)
{
	unsigned headers = p->ps->wire.v6 ? 48 : 28;

	if (p->json)
		return;
	if (p->kind == PROBE_TCP)
		printf("PING %s (%s) port %u: %s\n", p->host, p->dst_text, p->port, p->ps->way);
	else
		printf("PING %s (%s) %u(%u) bytes of data: %s\n", p->host, p->dst_text, p->size,
		       p->size + headers, p->ps->way);
	fflush(stdout);
}

static int run(const struct cmd *cmd, int argc, char **argv)
{
	static struct probing p;
	uint64_t received = 0;
	int status;

	probing_init(&p, cmd);
	p.plan = (struct probe_plan){ .first = 1, .last = 1, .queries = 1, .window = 1,
				      .echo = true, .interval_ns = 1000000000,
				      .wait_ns = 3000000000 };
	status = probing_parse(&p, argc, argv);
	if (status >= 0)
		return status;
	p.answered = answered;
	p.lost = lost;
	status = probing_open(&p);
	if (status == EXIT_DONE) {
		put_head(&p);
		probing_run(&p, &p.plan);
		probe_run_stop(p.run, !probing_stopped());
		if (p.json)
			json_summary(&p);
		else
			put_summary(&p);
		received = p.run->hop[1].stat.recv;
		status = received ? EXIT_DONE : EXIT_FAILED;
	}
	probing_close(&p);
	return out_finish(status);
}

const struct cmd cmd_ping = {
	.name = "ping",
	.args = "HOST",
	.help = "is a host there, how far, how steadily",
	.about = "Sends ICMP echo requests, or with --tcp opens connections to a port, and shows\n"
		 "each answer with its delay, then loss, delay, its deviation (mdev) and jitter\n"
		 "(RFC 3550), and how many routers the answers passed: a sender begins with a\n"
		 "TTL of 64, 128 or 255, so the nearest of them above tells.\n"
		 "\n"
		 "Without root, ICMP needs net.ipv4.ping_group_range to include a group of\n"
		 "yours; --tcp needs nothing: open (it answered SYN+ACK), closed (RST), or no\n"
		 "answer, which is what filters and lost packets look like.  With the options\n"
		 "of the stack, Rill's own stack sends, otherwise the kernel.  A probe is the\n"
		 "same flow each time, so that routers with several paths take one of them.\n"
		 "\n"
		 "Exit status: 0 when there was an answer, 1 when there was none.",
	.example = "  rill ping -c 3 127.0.0.1\n  rill ping -c 3 --tcp 443 example.org",
	.opts = opts,
	.runs_stack = true,
	.run = run,
};
