/* SPDX-License-Identifier: MIT */
/*
 * What the kernel's table or the stacks say of the connections of a scene.  A scene
 * counts as staged only when the states are there: the stager asks until they are.
 * It reads /proc/net/tcp and the control sockets by itself, not by way of the tools
 * that scenes are made to test.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "look/ctlc.h"
#include "look/say.h"
#include "tools/lab.h"

#define LOOK_MS		20		/* between two looks */
#define STILL		15		/* looks without growth */
#define LINE_MAX_NETSTAT 8192		/* TcpExt has more than 100 names */

struct row {
	unsigned	state, lport, pport, tries;
	uint64_t	recv_q, send_q;
};

static void add(const struct lab_match *m, struct lab_seen *seen, const struct row *r)
{
	if ((m->state && r->state != (unsigned)m->state) || (m->lport && r->lport != m->lport) ||
	    (m->pport && r->pport != m->pport))
		return;
	seen->n++;
	seen->recv_q += r->recv_q;
	seen->send_q += r->send_q;
	seen->tried += r->tries >= 3;
}

static void see_kernel(struct lab *l, const struct lab_match *m, struct lab_seen *seen)
{
	char line[512];
	FILE *f;

	lab_enter(l, m->where);
	f = fopen("/proc/net/tcp", "re");
	lab_enter(l, LAB_HOST);
	if (!f) {
		lab_fail(l, "cannot read /proc/net/tcp");
		return;
	}
	while (fgets(line, sizeof(line), f)) {
		struct row r;

		if (sscanf(line, "%*u: %*x:%x %*x:%x %x %" SCNx64 ":%" SCNx64 " %*x:%*x %x",
			   &r.lport, &r.pport, &r.state, &r.send_q, &r.recv_q,
			   &r.tries) == 6)
			add(m, seen, &r);
	}
	fclose(f);
}

struct walk {
	const struct lab_match *m;
	struct lab_seen *seen;
};

static void each(void *ctx, struct ctl_stack *st, json_t *c)
{
	struct walk *w = ctx;
	struct row r = {
		.state = (unsigned)ctlc_int(c, "state"),
		.lport = (unsigned)ctlc_int(c, "lport"),
		.pport = (unsigned)ctlc_int(c, "pport"),
		.tries = (unsigned)ctlc_int(c, "tries"),
		.recv_q = (uint64_t)ctlc_int(c, "recv_q"),
		.send_q = (uint64_t)ctlc_int(c, "send_q"),
	};

	(void)st;
	add(w->m, w->seen, &r);
}

static void ask_stacks(void (*ask)(struct ctl_stack *st, void *ctx), void *ctx)
{
	static struct ctl_stacks stacks;
	struct ctl_select all = { 0 };
	void (*say)(const char *) = rl_look_say;

	rl_look_say = NULL;		/* a stack that is late is asked again */
	ctlc_open(&stacks, &all);
	for (unsigned i = 0; i < stacks.n; i++)
		ask(&stacks.list[i], ctx);
	ctlc_close(&stacks);
	rl_look_say = say;
}

static void ask_conns(struct ctl_stack *st, void *ctx)
{
	ctlc_conns(st, ~0u, false, each, ctx);
}

static void see_rill(const struct lab_match *m, struct lab_seen *seen)
{
	struct walk w = { m, seen };

	ask_stacks(ask_conns, &w);
}

void lab_see(struct lab *l, const struct lab_match *m, struct lab_seen *seen)
{
	*seen = (struct lab_seen){ 0 };
	if (l->failed)
		return;
	if (l->rill && m->where == LAB_HOST)
		see_rill(m, seen);
	else
		see_kernel(l, m, seen);
}

static void too_late(struct lab *l, const struct lab_match *m, unsigned n, unsigned least)
{
	const struct lab_actor *a = &l->actor[l->nactors - 1];

	lab_fail(l, "%u connections in %s after %d s, not %u (%s: %u failed, the last with '%s'); "
		 "is the machine very busy?", n, rill_state_name(m->state), LAB_LIMIT_MS / 1000,
		 least, a->name, a->sh->failed, strerror(a->sh->err));
}

void lab_expect(struct lab *l, struct lab_match m, unsigned least, unsigned most)
{
	int64_t end = lab_now_ms() + LAB_LIMIT_MS;
	struct lab_seen s;

	for (lab_see(l, &m, &s); !l->failed; lab_see(l, &m, &s)) {
		if (s.n >= least && s.n <= (most ? most : least))
			break;
		if (lab_now_ms() > end)
			too_late(l, &m, s.n, least);
		lab_nap(LOOK_MS);
	}
	if (m.where == LAB_HOST) {
		lab_truth_str(l, "state", rill_state_name(m.state));
		lab_truth_int(l, "count", s.n);
	}
}

void lab_settle(struct lab *l, struct lab_match m, struct lab_seen *seen)
{
	int64_t end = lab_now_ms() + LAB_LIMIT_MS;
	struct lab_seen before = { 0 };
	int still = 0;

	for (lab_see(l, &m, seen); !l->failed && still < STILL; lab_see(l, &m, seen)) {
		still = seen->n && !memcmp(seen, &before, sizeof(before)) ? still + 1 : 0;
		before = *seen;
		if (lab_now_ms() > end)
			lab_fail(l, "queues did not come to rest within %d s",
				 LAB_LIMIT_MS / 1000);
		lab_nap(LOOK_MS);
	}
}

/* ---- what is no count of connections ---- */

static bool late(struct lab *l, int64_t end, const char *what)
{
	if (l->failed)
		return true;
	if (lab_now_ms() > end)
		lab_fail(l, "no %s after %d s; is the machine very busy?", what,
			 LAB_LIMIT_MS / 1000);
	lab_nap(LOOK_MS);
	return l->failed;
}

void lab_expect_queue(struct lab *l, struct lab_match m, uint64_t least)
{
	int64_t end = lab_now_ms() + LAB_LIMIT_MS;
	struct lab_seen s;

	do
		lab_see(l, &m, &s);
	while (s.recv_q < least && !late(l, end, "full queue"));
}

void lab_expect_tried(struct lab *l, struct lab_match m, unsigned least)
{
	int64_t end = lab_now_ms() + LAB_LIMIT_MS;
	struct lab_seen s;

	do
		lab_see(l, &m, &s);
	while (s.tried < least && !late(l, end, "retransmissions"));
}

/* A line of names, then one of numbers, both with the protocol in front. */
static int64_t column(const char *names, const char *numbers, const char *name)
{
	char n[LINE_MAX_NETSTAT], v[LINE_MAX_NETSTAT], *sn = NULL, *sv = NULL, *tn, *tv;

	snprintf(n, sizeof(n), "%s", names);
	snprintf(v, sizeof(v), "%s", numbers);
	tn = strtok_r(n, " \n", &sn);
	tv = strtok_r(v, " \n", &sv);
	for (; tn && tv; tn = strtok_r(NULL, " \n", &sn), tv = strtok_r(NULL, " \n", &sv))
		if (!strcmp(tn, name))
			return strtoll(tv, NULL, 10);
	return -1;
}

static int64_t kernel_counter(const char *path, const char *name)
{
	char names[LINE_MAX_NETSTAT], numbers[LINE_MAX_NETSTAT];
	FILE *f = fopen(path, "re");
	int64_t v = -1;

	while (f && v < 0 && fgets(names, sizeof(names), f) &&
	       fgets(numbers, sizeof(numbers), f))
		v = column(names, numbers, name);
	if (f)
		fclose(f);
	return v;
}

struct counter {
	const char *name;
	int64_t sum;
};

static void ask_counter(struct ctl_stack *st, void *ctx)
{
	json_t *reply = ctlc_ask(st, json_pack("{s:s}", "cmd", "stats")), *c;
	struct counter *want = ctx;
	size_t i;

	json_array_foreach(json_object_get(reply, "counters"), i, c)
		if (!strcmp(ctlc_str(c, "name"), want->name))
			want->sum += ctlc_int(c, "value");
	json_decref(reply);
}

static int64_t counter(const struct lab *l, const char *kernel, const char *rill)
{
	struct counter c = { rill, 0 };
	int64_t v;

	if (l->rill) {
		ask_stacks(ask_counter, &c);
		return c.sum;
	}
	v = kernel_counter("/proc/net/snmp", kernel);
	return v >= 0 ? v : kernel_counter("/proc/net/netstat", kernel);
}

void lab_expect_counter(struct lab *l, const char *kernel, const char *rill, int64_t least)
{
	int64_t end = lab_now_ms() + LAB_LIMIT_MS;

	while (!l->failed && counter(l, kernel, rill) < least)
		late(l, end, l->rill ? rill : kernel);
}
