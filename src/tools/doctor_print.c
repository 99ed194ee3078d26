/* SPDX-License-Identifier: MIT */
/* How `rill doctor` looks: text for people, JSON for programs. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "look/ctlc.h"
#include "look/lang.h"
#include "tools/doctor.h"
#include "tools/out.h"

/* ---- what could not be seen ---- */

struct unseen {
	char	line[8][RL_TEXT];
	unsigned n;
};

__attribute__((format(printf, 2, 3)))
static void unseen(struct unseen *u, const char *fmt, ...)
{
	va_list ap;

	if (u->n == 8)
		return;
	va_start(ap, fmt);
	vsnprintf(u->line[u->n++], RL_TEXT, fmt, ap);
	va_end(ap);
}

static void gather_unseen(const struct doctor *d, struct unseen *u)
{
	const struct rill_table_notes *n = &d->now.notes;

	if (n->kernel_error)
		unseen(u, _("the kernel's sockets could not be read: %s"),
		       strerror(-n->kernel_error));
	if (n->from_proc)
		unseen(u, _("sock_diag was not to be had, /proc/net was read: no TCP_INFO, no "
			    "accept "
			    "queues' limits"));
	if (n->unowned)
		unseen(u, _("programs of %u sockets are not known: they belong to other users, run "
			    "it as root"), n->unowned);
	if (n->silent)
		unseen(u, _("%u Rill stacks did not answer"), n->silent);
	if (!d->scope.no_rill && ctlc_hidden())
		unseen(u, "%s", _("Rill stacks of root, if any run: run it as root"));
	if (d->now.unprobed)
		unseen(u, _("%u idle connections could not be asked by a probe"), d->now.unprobed);
	if (d->found.wants_probe && d->no_probe)
		unseen(u, _("idle peers were not asked (--no-probe): whether they are still there "
			    "is "
			    "not known"));
	if (d->found.lost)
		unseen(u, _("%u more findings are left out"), d->found.lost);
	if (d->lost)
		unseen(u, _("%u more lines are left out"), d->lost);
}

static int watched(const struct doctor *d)
{
	return d->now.nviews ? d->now.view[0].watched_ms : 0;
}

/* ---- text ---- */

static bool colour(void)
{
	const char *no = getenv("NO_COLOR");

	return isatty(STDOUT_FILENO) && !(no && *no);
}

static const char *severity_text(enum rl_severity s)
{
	switch (s) {
	case RL_INFO:
		return _("INFO");
	case RL_WARNING:
		return _("WARNING");
	case RL_CRITICAL:
		return _("CRITICAL");
	}
	return "";
}

static void put_advice(const struct rl_advice *a, unsigned i)
{
	printf("  %u. %s\n", i, a->text);
	if (*a->command)
		printf("       %s%s\n", a->code ? "" : "$ ", a->command);
	if (*a->danger)
		printf("       %s%s\n", _("Danger: "), a->danger);
}

static void put_finding(const struct rl_finding *f, bool first)
{
	const char *on = colour() ? f->severity == RL_CRITICAL ? "\033[1;31m" : "\033[1;33m" : "";

	printf("%s%s%s%s %s  [%s %s, %s %.2f]\n", first ? "" : "\n", on,
	       severity_text(f->severity), *on ? "\033[0m" : "", f->summary,
	       rl_cause_row(f->cause), rl_cause_name(f->cause),
	       rl_confidence_word(f->confidence), f->confidence);
	if (*f->stack)
		printf("  %s %s[%d]\n", _("on the Rill stack"), f->stack, f->pid);
	printf("  %s\n", _("Evidence:"));
	for (unsigned i = 0; i < f->nevidence; i++)
		printf("   - %s\n", f->evidence[i]);
	printf("  %s\n", _("What to do:"));
	for (unsigned i = 0; i < f->nadvice; i++)
		put_advice(&f->advice[i], i + 1);
}

static void put_checked(const struct doctor *d)
{
	size_t n = 0;

	for (unsigned i = 0; i < d->now.nviews; i++)
		n += d->now.view[i].n;
	printf(_("TCP sockets checked: %zu, Rill stacks: %u"), n,
	       d->now.notes.nstacks);
	if (watched(d))
		printf(_(", watched for %.1f s"), (double)watched(d) / 1000);
	putchar('\n');
	if (d->topic)
		return;
	for (unsigned i = 0; i < d->nrows; i++)
		printf("%s%s", i ? " " : "  ", d->rows[i]);
	printf(": %s\n", _("listeners, SYN_SENT, SYN_RCVD, ESTABLISHED, CLOSE_WAIT, FIN_WAIT_1, "
			   "FIN_WAIT_2, LAST_ACK, TIME_WAIT and ports, CLOSING, failed "
			   "connections, standing still, keepalive"));
}

static void put_text(const struct doctor *d, const struct unseen *u)
{
	for (unsigned i = 0; i < d->found.n; i++)
		put_finding(&d->found.list[i], i == 0);
	if (!d->found.n && !d->ndetails)
		printf("%s %s\n", _("OK"), _("nothing found"));
	for (unsigned i = 0; i < d->ndetails; i++)
		printf("%s%s\n", i == 0 && d->found.n ? "\n" : "", d->detail[i]);
	if (d->found.n || d->ndetails)
		putchar('\n');
	put_checked(d);
	for (unsigned i = 0; i < u->n; i++)
		printf("%s%s\n", _("Not seen: "), u->line[i]);
}

/* ---- JSON ---- */

static void member(const char *key, const char *value)
{
	printf(",\"%s\":", key);
	out_json_str(value);
}

static void json_advice(const struct rl_advice *a, bool first)
{
	printf("%s{\"text\":", first ? "" : ",");
	out_json_str(a->text);
	member("kind", !*a->command ? "" : a->code ? "code" : "shell");
	member("command", a->command);
	member("danger", a->danger);
	putchar('}');
}

static void json_finding(const struct rl_finding *f, bool first)
{
	printf("%s\n{\"row\":", first ? "" : ",");
	out_json_str(rl_cause_row(f->cause));
	member("cause", rl_cause_name(f->cause));
	member("title", rl_cause_title(f->cause));
	member("severity", rl_severity_name(f->severity));
	printf(",\"confidence\":%.2f", f->confidence);
	member("confidence_word", rl_confidence_word(f->confidence));
	member("source", f->source == RILL_SRC_RILL ? "rill" : "kernel");
	member("stack", f->stack);
	printf(",\"count\":%u,\"pid\":%d", f->count, f->pid);
	member("program", f->program);
	printf(",\"port\":%u", f->port);
	member("peer", f->peer);
	member("summary", f->summary);
	printf(",\"evidence\":[");
	for (unsigned i = 0; i < f->nevidence; i++) {
		printf(i ? "," : "");
		out_json_str(f->evidence[i]);
	}
	printf("],\"advice\":[");
	for (unsigned i = 0; i < f->nadvice; i++)
		json_advice(&f->advice[i], i == 0);
	printf("]}");
}

static void put_json(const struct doctor *d, const struct unseen *u)
{
	printf("{\"rill\":1,\"topic\":");
	out_json_str(d->topic ? d->topic->name : "");
	printf(",\"findings\":[");
	for (unsigned i = 0; i < d->found.n; i++)
		json_finding(&d->found.list[i], i == 0);
	printf("],\"details\":[");
	for (unsigned i = 0; i < d->ndetails; i++) {
		printf(i ? ",\n" : "");
		out_json_str(d->detail[i]);
	}
	printf("],\"checked\":[");
	for (unsigned i = 0; i < d->nrows; i++)
		printf("%s\"%s\"", i ? "," : "", d->rows[i]);
	printf("],\"unseen\":[");
	for (unsigned i = 0; i < u->n; i++) {
		printf(i ? "," : "");
		out_json_str(u->line[i]);
	}
	printf("],\"sockets\":%zu,\"watched_ms\":%d}\n", d->now.table.n, watched(d));
}

void doctor_print(const struct doctor *d)
{
	static struct unseen u;

	gather_unseen(d, &u);
	if (d->json)
		put_json(d, &u);
	else
		put_text(d, &u);
}

void doctor_print_list(void)
{
	const struct doctor_topic *t;

	for (unsigned i = 0; (t = doctor_topic_at(i)) != NULL; i++)
		printf("%-12s %-9s %s\n", t->name, t->rows, rl_tr(t->help));
}
