/* SPDX-License-Identifier: MIT */
/*
 * rill dns - names to addresses and back, every resolver asked by itself: who answers
 * what, how fast, and whether they agree.  Asking is dns_ask.c.
 */
#include <ares.h>
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/cmd.h"
#include "tools/dns.h"
#include "tools/out.h"
#include "tools/stackopts.h"

enum { D_TYPE = 1, D_PORT, D_TIMEOUT, D_TRIES, D_TCP, D_SHORT, D_JSON };

static const struct opt opts[] = {
	{ D_TYPE, 't', "type", "LIST", "A, AAAA, PTR, CNAME, MX, TXT, NS, SRV, SOA; default "
	  "A,AAAA, for an address PTR" },
	{ D_PORT, 'p', "port", "PORT", "port of @SERVER; default 53" },
	{ D_TIMEOUT, 'w', "timeout", "SEC", "wait so long for the first answer; default 2" },
	{ D_TRIES, 'r', "tries", "N", "ask so often, waiting longer each time; default 2" },
	{ D_TCP, 0, "tcp", NULL, "ask over TCP" },
	{ D_SHORT, 's', "short", NULL, "only the data, as dig +short" },
	{ D_JSON, 'j', "json", NULL, "JSON" },
	{ 0, 0, NULL, NULL, NULL },
};

struct dns {
	const struct cmd *cmd;
	struct stack_args stack;
	bool		with_stack, json, brief;
	const char	*asked;		/* as it was given */
	uint64_t	port;
	struct dns_job	job;
};

/* ---- arguments ---- */

static int misuse(const char *what, const char *which)
{
	complain("dns: %s%s%s; see `rill dns --help`", what, *which ? " " : "", which);
	return EXIT_MISUSE;
}

static bool add_type(struct dns *d, unsigned type)
{
	for (unsigned i = 0; i < d->job.ntypes; i++)
		if (d->job.type[i] == type)
			return true;
	if (!type || d->job.ntypes == DNS_TYPES)
		return false;
	d->job.type[d->job.ntypes++] = type;
	return true;
}

/* "A,MX" */
static int take_types(struct dns *d, const char *list)
{
	char word[16];

	for (const char *p = list; ; p++) {
		size_t n = strcspn(p, ",");

		snprintf(word, sizeof(word), "%.*s", (int)n, p);
		if (n >= sizeof(word) || !add_type(d, dns_type_number(word)))
			return misuse("unknown type in", list);
		p += n;
		if (!*p)
			return -1;
	}
}

/* "@10.0.0.1", "@10.0.0.1:5353", "@fd77::1", "@[fd77::1]:5353" */
static int take_server(struct dns *d, const char *arg)
{
	struct dns_server *s = &d->job.server[d->job.nservers];
	const char *a = arg + 1, *end, *port = NULL;
	uint8_t ip[16];
	uint64_t v = 0;

	if (d->job.nservers == DNS_SERVERS)
		return misuse("8 servers at most, not", arg);
	if (*a == '[') {
		end = strchr(++a, ']');
		port = end && end[1] == ':' ? end + 2 : NULL;
	} else {
		end = strchr(a, ':');
		if (end && strchr(end + 1, ':'))
			end = NULL;		/* IPv6 without brackets */
		port = end ? end + 1 : NULL;
	}
	snprintf(s->addr, sizeof(s->addr), "%.*s", (int)(end ? end - a : 60), a);
	if ((inet_pton(AF_INET, s->addr, ip) != 1 && inet_pton(AF_INET6, s->addr, ip) != 1) ||
	    (port && !parse_u64(port, 1, 65535, &v)))
		return misuse("a server is an address, or address:port, not", arg);
	s->port = (unsigned)v;
	d->job.nservers++;
	return -1;
}

static int take_word(struct dns *d, const char *arg)
{
	if (*arg == '@')
		return take_server(d, arg);
	if (!d->asked) {
		d->asked = arg;
		return -1;
	}
	return dns_type_number(arg) ? take_types(d, arg) : misuse("not understood:", arg);
}

static int take(struct dns *d, int id, const char *arg)
{
	uint64_t v;

	switch (id) {
	case D_TYPE:
		return take_types(d, arg);
	case D_PORT:
		return parse_u64(arg, 1, 65535, &d->port) ? -1 : misuse("no port:", arg);
	case D_TIMEOUT:
		return parse_seconds(arg, &d->job.timeout_ms) && d->job.timeout_ms > 0 ? -1 :
		       misuse("-w needs seconds above 0, not", arg);
	case D_TRIES:
		if (!parse_u64(arg, 1, 10, &v))
			return misuse("-r needs 1 to 10, not", arg);
		d->job.tries = (int)v;
		return -1;
	case D_TCP:
		d->job.tcp = true;
		return -1;
	case D_SHORT:
		d->brief = true;
		return -1;
	case D_JSON:
		d->json = true;
		return -1;
	case OPTW_OPERAND:
		return take_word(d, arg);
	}
	return opt_status(id);
}

static int check(struct dns *d)
{
	bool address;

	if (!d->asked || !*d->asked)
		return misuse("give a name or an address", "");
	address = dns_reverse(d->asked, d->job.name, sizeof(d->job.name));
	if (!address && strlen(d->asked) > 255)
		return misuse("longer than a name can be:", d->asked);
	if (!address)
		snprintf(d->job.name, sizeof(d->job.name), "%s", d->asked);
	if (!d->job.ntypes && address)
		add_type(d, DNS_PTR);
	else if (!d->job.ntypes)
		take_types(d, "A,AAAA");
	for (unsigned i = 0; i < d->job.nservers; i++)
		if (!d->job.server[i].port)
			d->job.server[i].port = (unsigned)d->port;
	return -1;
}

static int parse(const struct cmd *cmd, int argc, char **argv, struct dns *d)
{
	struct optwalk w = { .cmd = cmd, .argc = argc, .argv = argv, .at = 1 };
	int id, r;

	while ((id = opt_next(&w)) != OPTW_END) {
		r = stack_arg(&d->stack, cmd, id, w.arg);
		if (r < 0)
			return EXIT_MISUSE;
		d->with_stack = d->with_stack || r > 0;
		r = r > 0 ? -1 : take(d, id, w.arg);
		if (r >= 0)
			return r;
	}
	return check(d);
}

/* ---- the answer ---- */

static const char *type_text(unsigned type, char buf[16])
{
	const char *name = dns_type_name(type);

	if (name)
		return name;
	snprintf(buf, 16, "TYPE%u", type);
	return buf;
}

static const char *status_text(const struct dns_query *q, char *buf, size_t n)
{
	const char *name = dns_rcode_name(q->answer.rcode);

	if (!q->answered)
		return dns_why(q);
	if (q->answer.rcode == 0 && !q->answer.n)
		return "NODATA";
	if (name)
		return name;
	snprintf(buf, n, "RCODE%u", q->answer.rcode);
	return buf;
}

/* What the code means, for those that do not know it by heart. */
static const char *meaning(const struct dns_query *q)
{
	if (!q->answered)
		return "";
	if (q->answer.rcode == 0)
		return q->answer.n ? "" : ": the name exists, without this type";
	if (q->answer.rcode == 2)
		return ": the resolver failed to find out";
	if (q->answer.rcode == 3)
		return ": no such name";
	return q->answer.rcode == 5 ? ": the resolver does not serve us" : "";
}

static void put_text(const struct dns_query *q)
{
	char status[32], type[16];

	printf("%s:%u  %s  %s%s  %.1f ms%s\n", q->server->addr, q->server->port,
	       type_text(q->type, type), status_text(q, status, sizeof(status)), meaning(q),
	       (double)q->took_ns / 1e6, q->answer.truncated ? "  truncated" : "");
	for (unsigned i = 0; q->answered && i < q->answer.n; i++)
		printf("    %-30s %7" PRIu32 " %-5s %s%s\n", q->answer.rr[i].name,
		       q->answer.rr[i].ttl_s, type_text(q->answer.rr[i].type, type),
		       q->answer.rr[i].data, q->answer.rr[i].cut ? " (cut)" : "");
	if (q->answered && q->answer.more)
		printf("    and %u more\n", q->answer.more);
}

static void put_json(const struct dns_query *q, bool first)
{
	char status[32], type[16];

	printf("%s{\"server\":\"%s\",\"port\":%u,\"type\":\"%s\",\"answered\":%s,\"status\":",
	       first ? "\n" : ",\n", q->server->addr, q->server->port, type_text(q->type, type),
	       q->answered ? "true" : "false");
	out_json_str(status_text(q, status, sizeof(status)));
	printf(",\"time_ms\":%.3f,\"truncated\":%s,\"answers\":[", (double)q->took_ns / 1e6,
	       q->answer.truncated ? "true" : "false");
	for (unsigned i = 0; q->answered && i < q->answer.n; i++) {
		const struct dns_rr *rr = &q->answer.rr[i];

		printf("%s{\"name\":", i ? "," : "");
		out_json_str(rr->name);
		printf(",\"type\":\"%s\",\"ttl_s\":%" PRIu32 ",\"data\":",
		       type_text(rr->type, type), rr->ttl_s);
		out_json_str(rr->data);
		putchar('}');
	}
	printf("]}");
}

/* The first that says something else than the first that answered, or NULL. */
static const struct dns_query *dissenter(const struct dns *d, unsigned t,
					 const struct dns_query **first)
{
	*first = NULL;
	for (unsigned s = 0; s < d->job.nservers; s++) {
		const struct dns_query *q = &d->job.query[s * d->job.ntypes + t];

		if (!q->answered)
			continue;
		if (!*first)
			*first = q;
		else if (!dns_agree(&(*first)->answer, &q->answer))
			return q;
	}
	return NULL;
}

static void put_disagreements(const struct dns *d)
{
	const struct dns_query *first, *other;
	bool some = false;
	char type[16];

	if (d->json)
		printf("\n],\"disagree\":[");
	for (unsigned t = 0; t < d->job.ntypes; t++) {
		other = dissenter(d, t, &first);
		if (!other)
			continue;
		if (d->json)
			printf("%s\"%s\"", some ? "," : "", type_text(d->job.type[t], type));
		else if (!d->brief)
			printf("The resolvers disagree about %s: %s:%u and %s:%u say different "
			       "things\n", type_text(d->job.type[t], type), first->server->addr,
			       first->server->port, other->server->addr, other->server->port);
		some = true;
	}
	if (d->json)
		printf("]}\n");
}

static void put_brief(const struct dns_query *q)
{
	for (unsigned i = 0; q->answered && i < q->answer.n; i++)
		puts(q->answer.rr[i].data);
}

/* Return: whether anyone knew anything. */
static bool put_all(const struct dns *d)
{
	unsigned n = d->job.nservers * d->job.ntypes;
	bool some = false;

	if (d->json) {
		printf("{\"rill\":1,\"name\":");
		out_json_str(d->job.name);
		printf(",\"queries\":[");
	}
	for (unsigned i = 0; i < n; i++) {
		const struct dns_query *q = &d->job.query[i];

		if (d->json)
			put_json(q, i == 0);
		else if (d->brief)
			put_brief(q);
		else
			put_text(q);
		some = some || (q->answered && q->answer.n);
	}
	put_disagreements(d);
	return some;
}

static int ask(struct dns *d)
{
	int status = EXIT_FAILED;

	if (!d->job.nservers && dns_configured(&d->job) < 1) {
		complain("dns: no resolver is configured; name one: @ADDRESS");
		return EXIT_FAILED;
	}
	d->job.query = calloc(d->job.nservers * d->job.ntypes, sizeof(*d->job.query));
	if (!d->job.query) {
		complain("dns: out of memory");
		return EXIT_FAILED;
	}
	if (dns_ask(&d->job))
		status = put_all(d) ? EXIT_DONE : EXIT_FAILED;
	free(d->job.query);
	return status;
}

static int run(const struct cmd *cmd, int argc, char **argv)
{
	static struct dns d = { .port = 53, .job = { .timeout_ms = 2000, .tries = 2 } };
	int status;

	d.cmd = cmd;
	stack_args_init(&d.stack);
	status = parse(cmd, argc, argv, &d);
	if (status >= 0)
		return status;
	if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS) {
		complain("dns: c-ares cannot be used here");
		return EXIT_FAILED;
	}
	if (d.with_stack)
		status = stack_open(&d.stack, cmd, &d.job.engine);
	else
		status = EXIT_DONE;
	if (status == EXIT_DONE) {
		status = ask(&d);
		if (d.job.engine)
			stack_close(&d.stack, d.job.engine, 0);
	}
	ares_library_cleanup();
	return out_finish(status);
}

const struct cmd cmd_dns = {
	.name = "dns",
	.args = "NAME|ADDRESS [TYPE]... [@SERVER]...",
	.help = "ask every resolver for a name, and see whether they agree",
	.about = "Asks each resolver of /etc/resolv.conf, or each @SERVER, by itself for NAME,\n"
		 "and shows what it says, how long it took and for how long the answer holds\n"
		 "(TTL, seconds).  An ADDRESS is looked up in reverse.  The system's own way to a\n"
		 "name asks the second resolver only when the first is silent: here a broken one\n"
		 "shows.  NXDOMAIN: no such name; NODATA: the name exists without this type;\n"
		 "SERVFAIL: the resolver failed; REFUSED: it does not serve us.  Exit status 1\n"
		 "when nobody had an answer.\n\n"
		 "With --dev and --addr the questions go through a stack of Rill.",
	.example = "  rill dns localhost @127.0.0.1",
	.opts = opts,
	.runs_stack = true,
	.run = run,
};
