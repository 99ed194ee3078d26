/* SPDX-License-Identifier: MIT */
/*
 * The lines of `rill monitor`: JSON, one object a line, each with "type".  Written
 * with printf and not as a tree of objects: a busy host has thousands a second.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <time.h>

#include "rill/stack.h"
#include "tools/monitor.h"
#include "tools/out.h"

static int64_t wall_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static void begin(const char *type, int64_t at_us)
{
	printf("{\"rill\":1,\"type\":\"%s\",\"at_us\":%" PRId64, type, at_us);
}

static void end(void)
{
	printf("}\n");
}

void mon_start(const struct monitor *m)
{
	static const char *const how[] = { "no", "tracepoint", "poll" };
	const struct rl_events_notes *n = rl_events_notes(m->ev);
	struct stat st;

	begin("start", wall_us());
	printf(",\"kernel\":\"%s\"", how[n->kernel]);
	if (*n->why) {
		printf(",\"kernel_why\":");
		out_json_str(n->why);
	}
	if (n->kernel == RL_HOW_POLL)
		printf(",\"poll_ms\":%d", m->q.poll_ms);
	if (n->kernel != RL_HOW_NOT)
		printf(",\"time_wait\":%s", n->time_wait ? "true" : "false");
	if (stat("/proc/self/ns/net", &st) == 0)
		printf(",\"netns\":%" PRIu64, (uint64_t)st.st_ino);
	printf(",\"all_netns\":%s,\"stacks\":%u", m->q.want & RL_EV_ALL_NETNS ? "true" : "false",
	       n->stacks);
	end();
}

static const char *addr_text(const struct rill_addr *a, int family, char buf[INET6_ADDRSTRLEN])
{
	inet_ntop(family == 4 ? AF_INET : AF_INET6, a->ip.b + (family == 4 ? 12 : 0), buf,
		  INET6_ADDRSTRLEN);
	return buf;
}

static void stack_event(const struct rl_event *e)
{
	begin("stack", wall_us());
	printf(",\"what\":\"%s\",\"pid\":%d,\"stack\":",
	       e->kind == RL_EVENT_STACK_NEW ? "started" : "ended", e->pid);
	out_json_str(e->stack);
	end();
}

static void put_caller(const struct rl_event *e)
{
	if (e->source == RILL_SRC_RILL) {
		printf(",\"pid\":%d,\"stack\":", e->pid);
		out_json_str(e->stack);
	} else if (e->pid) {
		printf(",\"pid\":%d,\"comm\":", e->pid);
		out_json_str(e->comm);
	}
}

static void put_marks(const struct rl_event *e)
{
	if (e->half_open)
		printf(",\"half_open\":true");
	if (e->polled)
		printf(",\"polled\":true");
	if (e->missed)
		printf(",\"missed\":true");
}

void mon_event(const struct monitor *m, const struct rl_event *e)
{
	char la[INET6_ADDRSTRLEN], pa[INET6_ADDRSTRLEN];

	if (e->kind != RL_EVENT_STATE) {
		stack_event(e);
		return;
	}
	if (m->quiet)
		return;
	begin("state", e->time_ns / 1000);
	printf(",\"source\":\"%s\",\"from\":\"%s\",\"to\":\"%s\",\"family\":%u",
	       e->source == RILL_SRC_RILL ? "rill" : "kernel", rill_state_name(e->from),
	       rill_state_name(e->to), e->family);
	printf(",\"local\":\"%s\",\"lport\":%u,\"peer\":\"%s\",\"pport\":%u",
	       addr_text(&e->local, e->family, la), e->local.port,
	       addr_text(&e->peer, e->family, pa), e->peer.port);
	if (e->id)
		printf(",\"id\":\"%" PRIx64 "\"", e->id);
	if (e->netns)
		printf(",\"netns\":%" PRIu64, e->netns);
	put_caller(e);
	put_marks(e);
	end();
}

void mon_counters(const double v[RL_METRICS])
{
	begin("counters", wall_us());
	for (int i = 0; i < RL_METRICS; i++) {
		putchar(',');
		out_json_str(rl_metric_name(i));
		printf(":%.10g", v[i]);
	}
	end();
}

void mon_lost(uint64_t n)
{
	begin("lost", wall_us());
	printf(",\"n\":%" PRIu64, n);
	end();
}

void mon_end(const struct monitor *m)
{
	begin("end", wall_us());
	printf(",\"changes\":%" PRIu64 ",\"lost\":%" PRIu64, m->changes, rl_events_lost(m->ev));
	end();
}

void mon_alarm(FILE *out, const struct rl_alarm *a, const char *rule, double value)
{
	fprintf(out, "{\"rill\":1,\"type\":\"alarm\",\"at_us\":%" PRId64
		",\"what\":\"%s\",\"metric\":\"%s\",\"value\":%.10g,\"limit\":%.10g"
		",\"clear\":%.10g,\"rule\":\"", wall_us(), a->raised ? "raised" : "cleared",
		rl_metric_name(a->metric), value, a->limit, a->clear);
	for (const char *p = rule; *p; p++)	/* it was parsed: printable or blank */
		if (*p != '"' && *p != '\\' && (unsigned char)*p >= 0x20)
			fputc(*p, out);
	fputs("\"}", out);
}
