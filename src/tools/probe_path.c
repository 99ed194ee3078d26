/* SPDX-License-Identifier: MIT */
/*
 * A path and what is known of its hops, for traceroute, pathping and mtr: finding
 * how long it is, and the same facts as JSON and as a verdict.
 */
#include <stdio.h>
#include <string.h>

#include "tools/probe.h"

#define MS	INT64_C(1000000)

/* ---- how long it is ---- */

static unsigned last_that_answers(const struct probe_run *r)
{
	unsigned last = 0;

	for (unsigned t = r->plan.first; t <= r->end; t++)
		if (r->hop[t].stat.recv)
			last = t;
	return last;
}

unsigned probing_discover(struct probing *p)
{
	struct probe_plan plan = p->plan;
	unsigned last;

	plan.interval_ns = 0;
	plan.rounds = 0;
	plan.queries = 3;
	plan.window = 16;
	plan.wait_ns = plan.wait_ns < 1000 * MS ? plan.wait_ns : 1000 * MS;
	plan.lanes = p->ps->fd < 0;
	probing_run(p, &plan);
	last = last_that_answers(p->run);
	return last ? last : plan.first;
}

struct probe_plan probing_rounds(const struct probing *p, unsigned last)
{
	struct probe_plan plan = p->plan;

	plan.last = last;
	plan.queries = 1;
	return plan;
}

/* ---- as JSON ---- */

static json_t *json_probe(const struct probe_hop *h, unsigned q)
{
	const struct probe_answer *a = &h->ans[q];
	char buf[PROBE_IP_TEXT], mark[16];
	json_t *o = json_object();

	if (a->what == PROBE_SILENT)
		return o;
	json_object_set_new(o, "address", json_string(probe_ip(&a->from, buf)));
	json_object_set_new(o, "rtt_ms", probing_json_ms(h->rtt_ns[q]));
	if (a->ttl >= 0)
		json_object_set_new(o, "ttl", json_integer(a->ttl));
	if (a->what == PROBE_REFUSED) {
		json_object_set_new(o, "mark", json_string(probe_mark(a, mark)));
		json_object_set_new(o, "error", json_string(probe_refusal(a)));
	}
	if (a->tcp_open || a->tcp_closed)
		json_object_set_new(o, "port_state",
				    json_string(a->tcp_open ? "open" : "closed"));
	return o;
}

static void json_stat(json_t *o, const struct probe_stat *s)
{
	json_object_set_new(o, "sent", json_integer((json_int_t)s->sent));
	json_object_set_new(o, "received", json_integer((json_int_t)s->recv));
	json_object_set_new(o, "lost", json_integer((json_int_t)s->lost));
	json_object_set_new(o, "loss_percent", json_real((double)probe_loss_ppm(s) / 10000));
	if (!s->recv)
		return;
	json_object_set_new(o, "rtt_last_ms", probing_json_ms(s->last_ns));
	json_object_set_new(o, "rtt_min_ms", probing_json_ms(s->min_ns));
	json_object_set_new(o, "rtt_avg_ms", probing_json_ms(probe_stat_avg_ns(s)));
	json_object_set_new(o, "rtt_max_ms", probing_json_ms(s->max_ns));
	json_object_set_new(o, "rtt_mdev_ms", probing_json_ms(probe_stat_mdev_ns(s)));
	json_object_set_new(o, "jitter_ms", probing_json_ms(probe_stat_jitter_ns(s)));
}

static void json_names(const struct probing *p, json_t *o, const struct probe_hop *h)
{
	json_t *addrs = json_array(), *names = json_array();
	char buf[400];

	for (unsigned i = 0; i < h->naddrs; i++) {
		json_array_append_new(addrs, json_string(probe_ip(&h->addr[i], buf)));
		probing_name(p, &h->addr[i], buf, sizeof(buf));
		if (strchr(buf, '('))
			json_array_append_new(names, json_string(strtok(buf, " ")));
	}
	json_object_set_new(o, "addresses", addrs);
	if (json_array_size(names))
		json_object_set_new(o, "names", names);
	else
		json_decref(names);
}

static json_t *json_hop(const struct probing *p, unsigned ttl)
{
	const struct probe_hop *h = &p->run->hop[ttl];
	json_t *o = json_pack("{s:i,s:b}", "hop", (int)ttl, "reached", h->reached);
	json_t *probes;

	json_names(p, o, h);
	if (p->run->plan.interval_ns) {
		json_stat(o, &h->stat);
		return o;
	}
	probes = json_array();
	for (unsigned q = 0; q < p->run->plan.queries; q++)
		json_array_append_new(probes, json_probe(h, q));
	json_object_set_new(o, "probes", probes);
	return o;
}

static const char *finding_name(enum probe_finding f)
{
	switch (f) {
	case PROBE_CLEAN:
		return "clean";
	case PROBE_LOSS:
		return "loss";
	case PROBE_CIRCLE:
		return "circle";
	case PROBE_ENDS:
		return "ends";
	case PROBE_SAYS_NO:
		return "refused";
	case PROBE_NOTHING:
		return "nothing";
	}
	return "";
}

static json_t *bits(uint64_t set)
{
	json_t *a = json_array();

	for (int t = 1; t <= PROBE_TTL_MAX; t++)
		if (set >> (t - 1) & 1)
			json_array_append_new(a, json_integer(t));
	return a;
}

static json_t *json_verdict(const struct probing *p)
{
	struct probe_verdict v;
	char text[PROBE_TEXT];
	json_t *o;

	probe_judge(p->run, &v);
	probe_verdict_text(p->run, &v, text);
	o = json_pack("{s:s,s:s}", "finding", finding_name(v.finding), "text", text);
	if (v.hop) {
		json_object_set_new(o, "hop", json_integer((json_int_t)v.hop));
		json_object_set_new(o, "hop_until", json_integer((json_int_t)v.until));
	}
	json_object_set_new(o, "loss_percent_there", json_real((double)v.begin_ppm / 10000));
	json_object_set_new(o, "loss_percent", json_real((double)v.loss_ppm / 10000));
	json_object_set_new(o, "own_limit", bits(v.limited));
	json_object_set_new(o, "mute", bits(v.mute));
	return o;
}

json_t *probing_path_json(struct probing *p, bool verdict)
{
	json_t *hops = json_array();
	json_t *o = json_pack("{s:i,s:s,s:s,s:s,s:b,s:o}", "rill", 1, "host", p->host, "address",
			      p->dst_text, "method", p->ps->way, "reached",
			      p->run->hop[p->run->end].reached, "hops", hops);

	for (unsigned t = p->run->plan.first; t <= p->run->end; t++)
		json_array_append_new(hops, json_hop(p, t));
	if (p->run->guessed)
		json_object_set_new(o, "guessed", json_integer((json_int_t)p->run->guessed));
	if (verdict)
		json_object_set_new(o, "verdict", json_verdict(p));
	return o;
}

void probing_put_verdict(struct probing *p)
{
	struct probe_verdict v;
	char text[PROBE_TEXT];

	probe_judge(p->run, &v);
	probe_verdict_text(p->run, &v, text);
	printf("%s\n", text);
	for (unsigned t = p->run->plan.first; t <= p->run->end; t++)
		if (probe_note_text(p->run, &v, t, text))
			printf("%s\n", text);
}
