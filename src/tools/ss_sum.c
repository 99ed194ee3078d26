/* SPDX-License-Identifier: MIT */
/*
 * Counts instead of sockets: `rill ss -s`, the kernel's from /proc/net as ss(8) has
 * them and those of each stack from its control socket; `rill ss --counts`, counted
 * over the sockets that the filter leaves.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "look/ctlc.h"
#include "tools/cmd.h"
#include "tools/out.h"
#include "tools/ss.h"

/* ---- the kernel's summary ---- */

struct summary {
	long	used, estab, orphan, tw, alloc;
	long	raw[2], udp[2], tcp[2], frag[2];	/* IPv4, IPv6 */
};

/* The number behind @key in @line, which is "PROTO: key N key N". */
static long value(const char *line, const char *key)
{
	char want[32];
	const char *p;

	snprintf(want, sizeof(want), " %s ", key);
	p = strstr(line, want);
	return p ? strtol(p + strlen(want), NULL, 10) : 0;
}

static void one_line(struct summary *k, const char *line, int v6)
{
	static const struct { const char *name[2]; size_t at; } protos[] = {
		{ { "RAW:", "RAW6:" }, offsetof(struct summary, raw) },
		{ { "UDP:", "UDP6:" }, offsetof(struct summary, udp) },
		{ { "TCP:", "TCP6:" }, offsetof(struct summary, tcp) },
		{ { "FRAG:", "FRAG6:" }, offsetof(struct summary, frag) },
	};

	if (!strncmp(line, "sockets:", 8))
		k->used = value(line, "used");
	for (size_t i = 0; i < sizeof(protos) / sizeof(protos[0]); i++) {
		const char *name = protos[i].name[v6];
		long *n = (long *)(void *)((char *)k + protos[i].at);

		if (!strncmp(line, name, strlen(name)))
			n[v6] = value(line, "inuse");
	}
	if (strncmp(line, "TCP:", 4) != 0)
		return;
	k->orphan = value(line, "orphan");
	k->tw = value(line, "tw");
	k->alloc = value(line, "alloc");
}

static bool read_sockstat(struct summary *k, const char *path, int v6)
{
	FILE *f = fopen(path, "re");
	char line[256];

	while (f && fgets(line, sizeof(line), f))
		one_line(k, line, v6);
	if (f)
		fclose(f);
	return f != NULL;
}

/* The second of the two lines that begin with "Tcp:" has the values of the first. */
static long established(void)
{
	char head[1024] = "", line[1024], *h, *v, *hs, *vs;
	FILE *f = fopen("/proc/net/snmp", "re");
	long n = 0;

	while (f && fgets(line, sizeof(line), f)) {
		if (strncmp(line, "Tcp:", 4) != 0)
			continue;
		if (!*head) {
			snprintf(head, sizeof(head), "%s", line);
			continue;
		}
		h = strtok_r(head, " \n", &hs);
		v = strtok_r(line, " \n", &vs);
		while (h && v && strcmp(h, "CurrEstab")) {
			h = strtok_r(NULL, " \n", &hs);
			v = strtok_r(NULL, " \n", &vs);
		}
		n = h && v ? strtol(v, NULL, 10) : 0;
		break;
	}
	if (f)
		fclose(f);
	return n;
}

static void put_transport(const char *name, int64_t v4, int64_t v6)
{
	printf("%s\t  %-9" PRId64 " %-9" PRId64 " %-9" PRId64 "\n", name, v4 + v6, v4, v6);
}

static int kernel_summary(const struct ss *s)
{
	struct summary k = { 0 };
	long total, closed;

	if (!read_sockstat(&k, "/proc/net/sockstat", 0)) {
		complain("ss: cannot read /proc/net/sockstat: is /proc mounted?");
		return EXIT_FAILED;
	}
	read_sockstat(&k, "/proc/net/sockstat6", 1);
	k.estab = established();
	total = k.alloc + k.tw;
	closed = total - k.tcp[0] - k.tcp[1];
	if (s->json) {
		printf(",\"kernel\":{\"sockets\":%ld,\"tcp\":{\"total\":%ld,\"estab\":%ld,"
		       "\"closed\":%ld,\"orphaned\":%ld,\"time_wait\":%ld,\"ipv4\":%ld,"
		       "\"ipv6\":%ld},\"udp\":{\"ipv4\":%ld,\"ipv6\":%ld},\"raw\":{\"ipv4\":%ld,"
		       "\"ipv6\":%ld},\"frag\":{\"ipv4\":%ld,\"ipv6\":%ld}}", k.used, total,
		       k.estab, closed, k.orphan, k.tw, k.tcp[0], k.tcp[1], k.udp[0], k.udp[1],
		       k.raw[0], k.raw[1], k.frag[0], k.frag[1]);
		return EXIT_DONE;
	}
	printf("Total: %ld\nTCP:   %ld (estab %ld, closed %ld, orphaned %ld, timewait %ld)\n",
	       k.used, total, k.estab, closed, k.orphan, k.tw);
	puts("\nTransport Total     IP        IPv6");
	put_transport("RAW", k.raw[0], k.raw[1]);
	put_transport("UDP", k.udp[0], k.udp[1]);
	put_transport("TCP", k.tcp[0], k.tcp[1]);
	put_transport("INET", k.raw[0] + k.udp[0] + k.tcp[0], k.raw[1] + k.udp[1] + k.tcp[1]);
	put_transport("FRAG", k.frag[0], k.frag[1]);
	putchar('\n');
	return EXIT_DONE;
}

/* ---- a stack's ---- */

static int64_t family(const json_t *o, const char *proto, const char *fam)
{
	return ctlc_int(json_object_get(o, proto), fam);
}

/* Sockets of both families count as IPv6, as the kernel's do. */
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

static int one_stack(const struct ss *s, struct ctl_stack *st, bool label, bool first)
{
	json_t *o = ctlc_ask(st, json_pack("{s:s}", "cmd", "summary"));
	char text[96];

	if (!o)
		return EXIT_FAILED;
	if (s->json) {
		json_summary(st, o, first);
	} else {
		if (label)
			printf("%s== %s\n", first ? "" : "\n",
			       ctlc_label(st, text, sizeof(text)));
		put_summary(o);
	}
	json_decref(o);
	return EXIT_DONE;
}

static int stack_summaries(const struct ss *s)
{
	struct ctl_select sel = { .pid = s->q.pid, .name = s->q.stack };
	static struct ctl_stacks stacks;
	int status;

	ctlc_open(&stacks, &sel);
	status = stacks.silent ? EXIT_FAILED : EXIT_DONE;
	if (!stacks.n && !s->kernel) {
		ctlc_complain_none(&stacks, &sel);
		status = EXIT_FAILED;
	}
	if (s->json)
		printf(",\"stacks\":[");
	for (unsigned i = 0; i < stacks.n; i++)
		if (one_stack(s, &stacks.list[i], s->kernel || stacks.n > 1, i == 0))
			status = EXIT_FAILED;
	if (s->json)
		printf("\n]");
	ctlc_close(&stacks);
	return status;
}

int ss_summary(const struct ss *s)
{
	int status = EXIT_DONE;

	if (s->json)
		printf("{\"rill\":1");
	if (s->kernel)
		status = kernel_summary(s);
	if (s->rill && stack_summaries(s) != EXIT_DONE)
		status = EXIT_FAILED;
	if (s->json)
		puts("}");
	return status;
}

/* ---- counts ---- */

void ss_count(struct ss *s, const struct rill_sock *k)
{
	if (k->state < RILL_TCP_STATES)
		s->count[k->source == RILL_SRC_RILL][k->proto == 17][k->state]++;
}

static unsigned long of(const struct ss *s, int source, int state)
{
	return s->count[source][0][state] + s->count[source][1][state];
}

static void json_counts(const struct ss *s, const char *name, int source)
{
	printf(",\"%s\":{", name);
	for (int i = 1; i < RILL_TCP_STATES; i++)
		printf("%s\"%s\":%lu", i > 1 ? "," : "", rill_state_ss(i), of(s, source, i));
	putchar('}');
}

void ss_print_counts(const struct ss *s)
{
	if (s->json) {
		printf("{\"rill\":1");
		if (s->kernel)
			json_counts(s, "kernel", 0);
		if (s->rill)
			json_counts(s, "stacks", 1);
		puts("}");
		return;
	}
	if (!s->no_header)
		printf("State     %s%s\n", s->kernel ? "    Kernel" : "",
		       s->rill ? "      Rill" : "");
	for (int i = 1; i < RILL_TCP_STATES; i++) {
		printf("%-10s", rill_state_ss(i));
		if (s->kernel)
			printf("%10lu", of(s, 0, i));
		if (s->rill)
			printf("%10lu", of(s, 1, i));
		putchar('\n');
	}
}
