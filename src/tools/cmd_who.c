/* SPDX-License-Identifier: MIT */
/*
 * rill who - which program and descriptor holds a port [B2], as lsof -i has it, for
 * the kernel's sockets and those of stacks.  What no program holds is shown as well:
 * that is what keeps a port busy after its program is gone.
 */
#include <ctype.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "look/sock_json.h"
#include "tools/cmd.h"
#include "tools/out.h"
#include "tools/pick.h"
#include "tools/ss_fmt.h"

enum { W_JSON = 1, W_NUMERIC, W_TCP, W_UDP, W_V4, W_V6, W_LISTEN, W_KERNEL, W_RILL, W_NETNS,
       W_NOHEAD };

static const struct opt opts[] = {
	{ W_TCP, 't', "tcp", NULL, "TCP only" },
	{ W_UDP, 'u', "udp", NULL, "UDP only" },
	{ W_LISTEN, 'l', "listening", NULL, "listeners and unconnected sockets only" },
	{ W_NUMERIC, 'n', "numeric", NULL, "ports and users as numbers" },
	{ W_V4, '4', "ipv4", NULL, "IPv4 only" },
	{ W_V6, '6', "ipv6", NULL, "IPv6 only" },
	{ W_KERNEL, 0, "kernel", NULL, "the kernel's sockets only" },
	{ W_RILL, 0, "rill", NULL, "those of stacks only" },
	{ W_NETNS, 'N', "net", "NAME", "the kernel's sockets of this network namespace" },
	{ W_NOHEAD, 'H', "no-header", NULL, "no header line" },
	{ W_JSON, 'j', "json", NULL, "JSON, with everything" },
	{ 0, 0, NULL, NULL, NULL },
};

#define ASKED_MAX	64

/* One argument: each that it can be is tried. */
struct asked {
	const char	*text;
	bool		 is_host, is_number;
	struct filter	 host;
	uint16_t	 port;		/* 0: it is none */
	int		 pid;
	bool		 by_pid;	/* no port matched: the number is a process */
	size_t		 found;
};

struct who {
	struct asked	*asked;
	unsigned	 n;
	struct rill_table_query q;
	struct rill_table table;
	bool		 json, numeric, no_header, tcp, udp, kernel, rill;
	size_t		 shown;
	unsigned	 unowned;
};

/* ---- what was asked ---- */

static uint16_t service_port(const char *s)
{
	const struct servent *se = getservbyname(s, "tcp");

	if (!se)
		se = getservbyname(s, "udp");
	return se ? ntohs((uint16_t)se->s_port) : 0;
}

static bool is_address(const char *s)
{
	return *s != ':' && (strchr(s, ':') || strchr(s, '/') ||
			     (isdigit((unsigned char)*s) && strchr(s, '.')));
}

/* Return: false after a complaint. */
static bool parse_asked(struct asked *a, char *text)
{
	char src[] = "src", dst[] = "dst", or[] = "or";
	char *words[] = { src, text, or, dst, text };
	const char *s = *text == ':' ? text + 1 : text;
	uint64_t v;

	a->text = text;
	if (is_address(text)) {
		a->is_host = true;
		return pick_parse("who", &a->host, 5, words);
	}
	if (parse_u64(s, 1, INT32_MAX, &v)) {
		a->is_number = true;
		a->port = v <= UINT16_MAX ? (uint16_t)v : 0;
		a->pid = s == text ? (int)v : 0;
		return true;
	}
	if (isdigit((unsigned char)*s) || (s != text && !service_port(s))) {
		complain("who: %s: give a port, an address, a process number or the name of a "
			 "program, service or stack", text);
		return false;
	}
	a->port = service_port(s);
	return true;
}

static bool by_owner(const struct asked *a, const struct rill_sock *s)
{
	if (s->source == RILL_SRC_RILL && !a->is_number && !strcmp(s->stack, a->text))
		return true;
	for (unsigned i = 0; i < s->nowners; i++)
		if (a->is_number ? s->owners[i].pid == a->pid
				 : !strcmp(s->owners[i].comm, a->text))
			return true;
	return false;
}

static bool matches(const struct asked *a, const struct rill_sock *s)
{
	if (a->is_host)
		return filter_sock(&a->host, s);
	if (a->by_pid)
		return by_owner(a, s);
	if (a->port && (s->local.port == a->port || s->peer.port == a->port))
		return true;
	return !a->is_number && by_owner(a, s);
}

/* Count what each argument finds; a number that is no port here is a process. */
static void try_all(struct who *w)
{
	for (unsigned k = 0; k < w->n; k++) {
		struct asked *a = &w->asked[k];

		for (size_t i = 0; i < w->table.n; i++)
			a->found += matches(a, &w->table.sock[i]);
		if (a->found || !a->pid)
			continue;
		a->by_pid = true;
		for (size_t i = 0; i < w->table.n; i++)
			a->found += matches(a, &w->table.sock[i]);
	}
}

static bool is_asked(const struct who *w, const struct rill_sock *s)
{
	for (unsigned k = 0; k < w->n; k++)
		if (matches(&w->asked[k], s))
			return true;
	return !w->n;
}

/* ---- showing ---- */

static void user_of(const struct who *w, int pid, char *buf, size_t n)
{
	const struct passwd *pw;
	char path[32];
	struct stat sb;

	snprintf(path, sizeof(path), "/proc/%d", pid);
	if (stat(path, &sb) < 0) {
		snprintf(buf, n, "-");
		return;
	}
	pw = w->numeric ? NULL : getpwuid(sb.st_uid);
	if (pw)
		snprintf(buf, n, "%s", pw->pw_name);
	else
		snprintf(buf, n, "%u", sb.st_uid);
}

/* "10.0.0.1:22->10.0.0.2:40000 (ESTAB)", "*:22 (LISTEN)" */
static void put_name(const struct who *w, struct ss_text *t, const struct rill_sock *s)
{
	bool udp = s->proto == IPPROTO_UDP;
	bool any = !(s->local.ip.q[0] | (s->family == 4 ? 0 : s->local.ip.q[1])) &&
		   (s->family != 4 || !(s->local.ip.b[12] | s->local.ip.b[13] |
					s->local.ip.b[14] | s->local.ip.b[15]));

	if (any)
		ss_puts(t, "*");
	else
		ss_addr(t, s, true, false);
	ss_puts(t, ":");
	ss_port(t, s->local.port, udp, w->numeric);
	if (s->peer.port) {
		ss_puts(t, "->");
		ss_addr(t, s, false, false);
		ss_puts(t, ":");
		ss_port(t, s->peer.port, udp, w->numeric);
	}
	if (!udp)
		ss_put(t, " (%s)", ss_state(s));
	if (s->source == RILL_SRC_RILL)
		ss_put(t, " stack %s", s->stack);
}

/* Why nobody is named. */
static const char *nobody(const struct rill_sock *s)
{
	if (s->half_open)
		return "half-open: no program has it yet";
	if (s->state == RILL_TIME_WAIT || s->orphan)
		return "no program has it any more";
	if (!s->inode)
		return "waits to be accepted";
	return "its program is hidden from us";
}

static void row(const struct who *w, const struct rill_sock *s, const struct rill_owner *o)
{
	char user[40] = "-", fd[16] = "-", pid[16] = "-", name[256] = "";
	struct ss_text t = { name, sizeof(name), 0 };

	put_name(w, &t, s);
	if (o) {
		user_of(w, o->pid, user, sizeof(user));
		snprintf(pid, sizeof(pid), "%d", o->pid);
		if (o->fd >= 0)
			snprintf(fd, sizeof(fd), "%d", o->fd);
	} else {
		ss_put(&t, " %s", nobody(s));
	}
	printf("%-15s %7s %-10s %4s %-4s %-4s %s\n", o ? o->comm : "-", pid, user, fd,
	       s->family == 4 ? "IPv4" : "IPv6", s->proto == IPPROTO_UDP ? "UDP" : "TCP", name);
}

static void show(struct who *w, const struct rill_sock *s)
{
	if (s->source == RILL_SRC_KERNEL && s->inode && !s->nowners)
		w->unowned++;
	if (w->json) {
		printf("%s\n{", w->shown++ ? "," : "");
		rl_sock_json(stdout, s);
		putchar('}');
		return;
	}
	for (unsigned i = 0; i < s->nowners; i++)
		row(w, s, &s->owners[i]);
	if (!s->nowners)
		row(w, s, NULL);
}

static int list(struct who *w)
{
	int r = rill_table_read(&w->q, &w->table), status;

	if (r < 0) {
		complain("who: %s", strerror(-r));
		return EXIT_FAILED;
	}
	try_all(w);
	if (w->json)
		printf("{\"rill\":1,\"conns\":[");
	else if (!w->no_header)
		printf("%-15s %7s %-10s %4s %-4s %-4s %s\n", "COMMAND", "PID", "USER", "FD",
		       "TYPE", "NODE", "NAME");
	for (size_t i = 0; i < w->table.n && !out_closed(); i++)
		if (is_asked(w, &w->table.sock[i]))
			show(w, &w->table.sock[i]);
	if (w->json)
		puts("\n]}");
	status = pick_notes("who", &w->q, &w->table.notes, w->unowned);
	for (unsigned k = 0; k < w->n; k++) {
		if (w->asked[k].found)
			continue;
		complain("who: nothing found for %s", w->asked[k].text);
		status = EXIT_FAILED;
	}
	rill_table_free(&w->table);
	return status;
}

/* ---- options ---- */

static void set_option(struct who *w, int id)
{
	switch (id) {
	case W_JSON:
		w->json = true;
		break;
	case W_NUMERIC:
		w->numeric = true;
		break;
	case W_NOHEAD:
		w->no_header = true;
		break;
	case W_TCP:
		w->tcp = true;
		break;
	case W_UDP:
		w->udp = true;
		break;
	case W_V4:
		w->q.want |= RILL_WANT_V4;
		break;
	case W_V6:
		w->q.want |= RILL_WANT_V6;
		break;
	case W_LISTEN:
		w->q.states = FILTER_CLOSED;
		break;
	case W_KERNEL:
		w->kernel = true;
		break;
	case W_RILL:
		w->rill = true;
		break;
	}
}

static bool add(struct who *w, char *arg)
{
	struct asked *p;

	if (w->n == ASKED_MAX) {
		complain("who: more than %d arguments", ASKED_MAX);
		return false;
	}
	p = realloc(w->asked, (w->n + 1) * sizeof(*p));
	if (!p) {
		complain("who: not enough memory");
		return false;
	}
	w->asked = p;
	memset(&p[w->n], 0, sizeof(*p));
	return parse_asked(&p[w->n++], arg);
}

static int run(const struct cmd *cmd, int argc, char **argv)
{
	struct optwalk o = { .cmd = cmd, .argc = argc, .argv = argv, .at = 1 };
	struct who w = { .q = RILL_TABLE_QUERY_INIT };
	int id, status;

	while ((id = opt_next(&o)) != OPTW_END) {
		if (id == OPTW_BAD || id == OPTW_HELPED)
			return opt_status(id);
		if (id == W_NETNS && !pick_enter("who", o.arg))
			return EXIT_FAILED;
		if (id == OPTW_OPERAND && !add(&w, o.arg))
			return EXIT_MISUSE;
		set_option(&w, id);
	}
	w.q.want |= RILL_WANT_OWNERS | RILL_WANT_INFO |
		    (w.kernel || !w.rill ? RILL_WANT_KERNEL : 0) |
		    (w.rill || !w.kernel ? RILL_WANT_RILL : 0) |
		    (w.tcp || !w.udp ? RILL_WANT_TCP : 0) | (w.udp || !w.tcp ? RILL_WANT_UDP : 0);
	status = list(&w);
	free(w.asked);
	return out_finish(status);
}

const struct cmd cmd_who = {
	.name = "who",
	.args = "[PORT|ADDR[/BITS][:PORT]|PID|NAME]...",
	.help = "which program and descriptor holds a port",
	.about = "Lists the programs that hold TCP and UDP sockets, of the kernel and of Rill\n"
		 "stacks, as `lsof -i` does: by port (of either side), address, process, or the\n"
		 "name of a program, service or stack.  A number is a port; where no socket has\n"
		 "that port, a process.  Sockets that no program holds any more (TIME-WAIT) are\n"
		 "shown with the reason.  Programs of other users are hidden unless you are root,\n"
		 "which is said.  Exit status 1 when something was not found.",
	.example = "  rill who 22 nginx 10.0.0.0/8",
	.opts = opts,
	.run = run,
};
