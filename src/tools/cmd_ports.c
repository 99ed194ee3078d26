/* SPDX-License-Identifier: MIT */
/*
 * rill ports - ephemeral ports: used, free, by whom, and when they will run out.  The
 * counting is look/ports.h; this file reads it once or twice and prints.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "look/ports.h"
#include "tools/cmd.h"
#include "tools/out.h"
#include "tools/source.h"

enum { P_JSON = 1, P_ALL, P_WATCH };

static const struct opt opts[] = {
	{ P_JSON, 'j', "json", NULL, "JSON" },
	{ P_ALL, 'a', "all", NULL, "every destination; default: the 20 with the fewest free" },
	{ P_WATCH, 'w', "watch", "SEC", "read twice, so far apart, and say when they run out" },
	SOURCE_OPTS,
	{ 0, 0, NULL, NULL, NULL },
};

#define SHOWN_MAX	20

struct show {
	const struct cmd *cmd;
	struct source	src;
	bool		json, all;
	int		watch_ms;
};

static int take(struct show *s, int id, const char *arg)
{
	int r = source_arg(&s->src, s->cmd, id, arg);

	if (r)
		return r < 0 ? EXIT_MISUSE : -1;
	switch (id) {
	case P_JSON:
		s->json = true;
		return -1;
	case P_ALL:
		s->all = true;
		return -1;
	case P_WATCH:
		if (parse_seconds(arg, &s->watch_ms) && s->watch_ms)
			return -1;
		complain("ports: --watch %s: give seconds above 0", arg);
		return EXIT_MISUSE;
	case OPTW_OPERAND:
		complain("ports: what is %s? see `rill ports --help`", arg);
		return EXIT_MISUSE;
	}
	return opt_status(id);
}

static int parse(const struct cmd *cmd, int argc, char **argv, struct show *s)
{
	struct optwalk w = { .cmd = cmd, .argc = argc, .argv = argv, .at = 1 };
	int id, r;

	while ((id = opt_next(&w)) != OPTW_END) {
		r = take(s, id, w.arg);
		if (r >= 0)
			return r;
	}
	return -1;
}

static bool read_ports(struct show *s, struct ports *p, struct rill_table_notes *notes)
{
	struct ctl_stack *st = s->src.stacks ? &s->src.stacks->list[0] : NULL;
	int r = ports_read(p, st, true, notes);

	if (r < 0 && r != -EIO)
		complain("ports: cannot count: %s", strerror(-r));
	return r >= 0;
}

/* ---- printing ---- */

static const char *ip_text(const struct rill_ip *ip, char buf[64])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	char t[INET6_ADDRSTRLEN];

	if (!memcmp(ip->b, mapped, 12))
		inet_ntop(AF_INET, ip->b + 12, buf, 64);
	else
		snprintf(buf, 64, "[%s]", inet_ntop(AF_INET6, ip->b, t, sizeof(t)));
	return buf;
}

static const char *dest_text(const struct ports_dest *d, char *buf, size_t n)
{
	char ip[64];

	if (d->proto == IPPROTO_UDP)
		snprintf(buf, n, "udp, any");
	else
		snprintf(buf, n, "%s:%u", ip_text(&d->peer.ip, ip), d->peer.port);
	return buf;
}

static void put_states(const struct ports_dest *d)
{
	bool some = false;

	for (int i = 1; d->proto == IPPROTO_TCP && i < RILL_TCP_STATES; i++) {
		if (!d->state[i])
			continue;
		printf("%s%s %u", some ? ", " : "    ", rill_state_ss(i), d->state[i]);
		some = true;
	}
	if (some)
		putchar('\n');
}

static void put_holders(const struct ports_dest *d)
{
	for (unsigned i = 0; i < d->nholders; i++) {
		const struct ports_holder *h = &d->holder[i];

		printf("    %u held by ", h->n);
		if (!h->pid)
			printf("no program (closed, or not to be seen without root)\n");
		else if (*h->stack)
			printf("stack %s[%d]\n", h->stack, h->pid);
		else
			printf("%s[%d]\n", h->comm, h->pid);
	}
	if (d->others)
		printf("    %u held by others\n", d->others);
}

static void put_runs_out(const struct ports_dest *was, const struct ports_dest *d, double sec)
{
	double left = ports_runs_out(was, d, sec);

	if (left < 0)
		printf("    at the present rate they do not run out\n");
	else if (left > 0)
		printf("    %+.1f a second: none is left in %.0f s\n",
		       ((double)d->used - (was ? was->used : 0)) / sec, left);
	else
		printf("    none is left: connect() fails by EADDRNOTAVAIL\n");
}

static void put_text(const struct show *s, const struct ports *p, const struct ports *before)
{
	size_t shown = s->all || p->ndest < SHOWN_MAX ? p->ndest : SHOWN_MAX;
	double sec = before ? (double)(p->at_ns - before->at_ns) / 1e9 : 0;
	char label[96], to[96], from[64];

	printf("%s: ports %u to %u, %u in all; %u reserved, %u bound: %u for each destination\n",
	       source_label(&s->src, label, sizeof(label)), p->lo, p->hi, p->size, p->reserved,
	       p->bound, ports_usable(p));
	if (p->ndest)
		printf("\n%-28s %-20s %8s %8s\n", "Destination", "From", "Used", "Free");
	for (size_t i = 0; i < shown; i++) {
		const struct ports_dest *d = &p->dest[i];

		printf("%-28s %-20s %8u %8u\n", dest_text(d, to, sizeof(to)),
		       d->proto == IPPROTO_UDP ? "any" : ip_text(&d->local, from), d->used,
		       d->free);
		put_states(d);
		put_holders(d);
		if (before)
			put_runs_out(ports_find(before, d), d, sec);
	}
	if (shown < p->ndest)
		printf("\n%zu more destinations: -a shows them\n", p->ndest - shown);
}

static void put_json_holders(const struct ports_dest *d)
{
	printf(",\"holders\":[");
	for (unsigned i = 0; i < d->nholders; i++) {
		printf("%s{\"pid\":%d,\"program\":", i ? "," : "", d->holder[i].pid);
		out_json_str(d->holder[i].comm);
		printf(",\"stack\":");
		out_json_str(d->holder[i].stack);
		printf(",\"connections\":%u}", d->holder[i].n);
	}
	printf("],\"held_by_others\":%u", d->others);
}

static void put_json_dest(const struct ports_dest *d, const struct ports *before, double sec)
{
	char text[64];
	double left;

	printf("{\"proto\":\"%s\"", d->proto == IPPROTO_UDP ? "udp" : "tcp");
	if (d->proto == IPPROTO_TCP) {
		printf(",\"local\":");
		out_json_str(ip_text(&d->local, text));
		printf(",\"peer\":");
		out_json_str(ip_text(&d->peer.ip, text));
		printf(",\"port\":%u,\"states\":{", d->peer.port);
		for (int i = 1, some = 0; i < RILL_TCP_STATES; i++)
			if (d->state[i])
				printf("%s\"%s\":%u", some++ ? "," : "", rill_state_name(i),
				       d->state[i]);
		putchar('}');
	}
	printf(",\"used\":%u,\"free\":%u", d->used, d->free);
	if (before) {
		const struct ports_dest *was = ports_find(before, d);

		left = ports_runs_out(was, d, sec);
		printf(",\"growth_per_s\":%.3f,\"runs_out_s\":",
		       ((double)d->used - (was ? was->used : 0)) / sec);
		if (left < 0)
			printf("null");
		else
			printf("%.1f", left);
	}
	put_json_holders(d);
	putchar('}');
}

static void put_json(const struct show *s, const struct ports *p, const struct ports *before)
{
	size_t shown = s->all || p->ndest < SHOWN_MAX ? p->ndest : SHOWN_MAX;
	double sec = before ? (double)(p->at_ns - before->at_ns) / 1e9 : 0;
	char label[96];

	printf("{\"rill\":1,\"source\":");
	out_json_str(source_label(&s->src, label, sizeof(label)));
	printf(",\"range\":[%u,%u],\"size\":%u,\"reserved\":%u,\"bound\":%u,\"usable\":%u,"
	       "\"interval_s\":%.3f,\"destinations\":%zu,\"ports\":[", p->lo, p->hi, p->size,
	       p->reserved, p->bound, ports_usable(p), sec, p->ndest);
	for (size_t i = 0; i < shown; i++) {
		printf(i ? ",\n" : "\n");
		put_json_dest(&p->dest[i], before, sec);
	}
	printf("\n]}\n");
}

static void wait_ms(int ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000L };

	while (nanosleep(&ts, &ts) < 0)
		;			/* interrupted: the rest */
}

static int show(struct show *s)
{
	static struct ports before, now;
	struct rill_table_notes notes;

	if (s->watch_ms) {
		if (!read_ports(s, &before, &notes))
			return EXIT_FAILED;
		wait_ms(s->watch_ms);
	}
	if (!read_ports(s, &now, &notes)) {
		ports_free(&before);
		return EXIT_FAILED;
	}
	if (s->json)
		put_json(s, &now, s->watch_ms ? &before : NULL);
	else
		put_text(s, &now, s->watch_ms ? &before : NULL);
	if (notes.unowned)
		fprintf(stderr, "rill: the programs of %u sockets are hidden from this user\n",
			notes.unowned);
	ports_free(&before);
	ports_free(&now);
	return EXIT_DONE;
}

static int run(const struct cmd *cmd, int argc, char **argv)
{
	struct show s = { .cmd = cmd };
	int status = parse(cmd, argc, argv, &s);

	if (status >= 0)
		return status;
	status = source_enter(&s.src, cmd);
	if (status == EXIT_DONE)
		status = source_open(&s.src, cmd);
	if (status == EXIT_DONE)
		status = show(&s);
	source_close(&s.src);
	return out_finish(status);
}

const struct cmd cmd_ports = {
	.name = "ports",
	.args = "",
	.help = "ephemeral ports left for each destination, and who has the others",
	.about = "Counts, for the host's kernel or a running stack, the ports that connect() can\n"
		 "still choose for each destination: those of ip_local_port_range without those\n"
		 "reserved (ip_local_reserved_ports), those that sockets are bound to, and those\n"
		 "that connections from the same address to the same destination have, TIME_WAIT\n"
		 "included.  When none is left, connect() fails by \"Cannot assign requested\n"
		 "address\".  --watch reads twice and says when that will be.  UDP has one pool\n"
		 "for all destinations.",
	.example = "  rill ports --watch 2",
	.opts = opts,
	.run = run,
};
