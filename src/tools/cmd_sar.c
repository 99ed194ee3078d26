/* SPDX-License-Identifier: MIT */
/*
 * rill sar - sockets and rates over time, in sysstat's columns: of the host's kernel,
 * of a namespace, or of a stack.  A line an interval, an average at the end, also when
 * the end is ^C.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "tools/cmd.h"
#include "tools/out.h"
#include "tools/sar.h"
#include "tools/source.h"

enum { S_GROUPS = 1, S_JSON };

static const struct opt opts[] = {
	{ S_GROUPS, 'n', "network", "LIST", "of SOCK, SOCK6, TCP, ETCP, UDP, IP, EIP, SOFT, or "
	  "ALL; default TCP,ETCP,SOCK" },
	{ S_JSON, 'j', "json", NULL, "a line of JSON an interval" },
	SOURCE_OPTS,
	{ 0, 0, NULL, NULL, NULL },
};

#define HEADER_EVERY	20		/* rows, when one group is shown */

struct sar {
	const struct cmd *cmd;
	struct source	src;
	const char	*groups;	/* "TCP,ETCP" */
	bool		json;
	int		interval_ms;	/* 0: not given */
	uint64_t	count;		/* 0: until ^C */
};

static volatile sig_atomic_t stopped;

static void on_signal(int sig)
{
	(void)sig;
	stopped = 1;
}

/* ---- arguments ---- */

static int check_groups(const char *list)
{
	for (const char *p = list; ; p++) {
		size_t n = strcspn(p, ",");

		if (!sar_is_group(p, n) && !(n == 3 && !strncmp(p, "ALL", 3))) {
			complain("sar: -n %s: the groups are SOCK, SOCK6, TCP, ETCP, UDP, IP, EIP, "
				 "SOFT, ALL", list);
			return EXIT_MISUSE;
		}
		p += n;
		if (!*p)
			return -1;
	}
}

/* INTERVAL, then COUNT */
static int take_word(struct sar *s, const char *arg)
{
	if (!s->interval_ms) {
		if (parse_seconds(arg, &s->interval_ms) && s->interval_ms)
			return -1;
		complain("sar: INTERVAL %s: give seconds above 0", arg);
	} else if (!s->count) {
		if (parse_u64(arg, 1, UINT32_MAX, &s->count))
			return -1;
		complain("sar: COUNT %s: give a number from 1", arg);
	} else {
		complain("sar: what is %s? INTERVAL and COUNT are given", arg);
	}
	return EXIT_MISUSE;
}

static int take(struct sar *s, int id, const char *arg)
{
	int r = source_arg(&s->src, s->cmd, id, arg);

	if (r)
		return r < 0 ? EXIT_MISUSE : -1;
	switch (id) {
	case S_GROUPS:
		s->groups = arg;
		return check_groups(arg);
	case S_JSON:
		s->json = true;
		return -1;
	case OPTW_OPERAND:
		return take_word(s, arg);
	}
	return opt_status(id);
}

static int parse(const struct cmd *cmd, int argc, char **argv, struct sar *s)
{
	struct optwalk w = { .cmd = cmd, .argc = argc, .argv = argv, .at = 1 };
	int id, r;

	while ((id = opt_next(&w)) != OPTW_END) {
		r = take(s, id, w.arg);
		if (r >= 0)
			return r;
	}
	if (!s->interval_ms)
		s->interval_ms = 1000;
	return -1;
}

/* ---- printing ---- */

static bool wanted(const struct sar *s, const char *group)
{
	size_t n = strlen(group);

	for (const char *p = s->groups; ; p++) {
		size_t k = strcspn(p, ",");

		if ((k == n && !strncmp(p, group, n)) || (k == 3 && !strncmp(p, "ALL", 3)))
			return true;
		p += k;
		if (!*p)
			return false;
	}
}

/* Whether column @i is the first of a group that is shown. */
static bool opens_group(const struct sar *s, unsigned i)
{
	const struct sar_col *c = sar_col(i);

	return wanted(s, c->group) && (!i || strcmp(sar_col(i - 1)->group, c->group) != 0);
}

static unsigned groups_shown(const struct sar *s)
{
	unsigned n = 0;

	for (unsigned i = 0; sar_col(i); i++)
		n += opens_group(s, i);
	return n;
}

static void put_cell(const struct sar_col *c, double v, bool known, bool average)
{
	if (!known)
		printf(" %9s", "-");
	else if (strchr(c->heading, '/') || average)
		printf(" %9.2f", v);
	else
		printf(" %9.0f", v);
}

static void put_group(unsigned i, const char *label, const struct sar_row *row, bool header,
		      bool average)
{
	const char *group = sar_col(i)->group;
	unsigned end = i;

	while (sar_col(end) && !strcmp(sar_col(end)->group, group))
		end++;
	if (header) {
		printf("\n%-12s", average ? "Average:" : label);
		for (unsigned k = i; k < end; k++)
			printf(" %9s", sar_col(k)->heading);
	}
	printf("%s%-12s", header ? "\n" : "", label);
	for (unsigned k = i; k < end; k++)
		put_cell(sar_col(k), row->value[k], row->known[k], average);
	putchar('\n');
}

static void put_text(const struct sar *s, const struct sar_row *row, uint64_t nth, bool average)
{
	bool header = groups_shown(s) > 1 || (!average && nth % HEADER_EVERY == 0);
	time_t now = time(NULL);
	char label[16] = "Average:";
	struct tm tm;

	if (!average && localtime_r(&now, &tm))
		strftime(label, sizeof(label), "%H:%M:%S", &tm);
	for (unsigned i = 0; sar_col(i); i++)
		if (opens_group(s, i))
			put_group(i, label, row, header, average);
}

static void put_lower(const char *s)
{
	for (; *s; s++)
		putchar(*s >= 'A' && *s <= 'Z' ? *s - 'A' + 'a' : *s);
}

static void put_json(const struct sar *s, const struct sar_row *row, bool average)
{
	char text[96], at[32] = "";
	time_t now = time(NULL);
	struct tm tm;

	if (gmtime_r(&now, &tm))
		strftime(at, sizeof(at), "%Y-%m-%dT%H:%M:%SZ", &tm);
	printf("{\"rill\":1,\"source\":");
	out_json_str(source_label(&s->src, text, sizeof(text)));
	printf(",\"at\":\"%s\",\"seconds\":%.6f,\"average\":%s", at, row->seconds,
	       average ? "true" : "false");
	for (unsigned i = 0; sar_col(i); i++) {
		const struct sar_col *c = sar_col(i);

		if (!wanted(s, c->group))
			continue;
		if (opens_group(s, i)) {
			printf(",\"");
			put_lower(c->group);
			printf("\":{");
		} else {
			putchar(',');
		}
		printf("\"%s\":", sar_json_name(c->heading, text, sizeof(text)));
		if (row->known[i])
			printf("%.10g", row->value[i]);
		else
			printf("null");
		if (!sar_col(i + 1) || strcmp(sar_col(i + 1)->group, c->group) != 0)
			putchar('}');
	}
	printf("}\n");
}

static void put(const struct sar *s, const struct sar_row *row, uint64_t nth, bool average)
{
	if (s->json)
		put_json(s, row, average);
	else
		put_text(s, row, nth, average);
	fflush(stdout);
}

/* sysstat's first line. */
static void put_title(const struct sar *s)
{
	char text[96], date[32] = "";
	time_t now = time(NULL);
	struct utsname u;
	struct tm tm;

	if (s->json || uname(&u) < 0)
		return;
	if (localtime_r(&now, &tm))
		strftime(date, sizeof(date), "%Y-%m-%d", &tm);
	if (s->src.stacks)
		printf("Rill (%s)\t%s\n", source_label(&s->src, text, sizeof(text)), date);
	else
		printf("%s %s (%s)\t%s\t_%s_\t(%ld CPU)\n", u.sysname, u.release, u.nodename, date,
		       u.machine, sysconf(_SC_NPROCESSORS_ONLN));
	fflush(stdout);
}

/* ---- the loop ---- */

/* Until *@at and one interval: the time that reading takes does not add up. */
static void wait_next(struct timespec *at, int ms)
{
	at->tv_sec += ms / 1000;
	at->tv_nsec += ms % 1000 * 1000000L;
	if (at->tv_nsec >= 1000000000L) {
		at->tv_sec++;
		at->tv_nsec -= 1000000000L;
	}
	while (!stopped && clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, at, NULL) == EINTR)
		;
}

static void swap(struct netstat *a, struct netstat *b)
{
	struct netstat t = *a;

	*a = *b;
	*b = t;
}

static int sample(struct sar *s, struct netstat *first)
{
	struct netstat before = { 0 }, now = { 0 };
	struct sar_row row, sum = { 0 };
	const struct netstat *last = first;
	struct timespec at;
	int status = EXIT_DONE;
	uint64_t n = 0;

	clock_gettime(CLOCK_MONOTONIC, &at);
	for (; !stopped && (!s->count || n < s->count) && !out_closed(); n++) {
		wait_next(&at, s->interval_ms);
		if (stopped)
			break;
		if (!source_read(&s->src, s->cmd, &now)) {
			status = EXIT_FAILED;
			break;
		}
		sar_row(&row, last, &now);
		sar_add(&sum, &row);
		put(s, &row, n, false);
		swap(&before, &now);
		last = &before;
	}
	if (n) {
		sar_average(&row, first, last, &sum, (unsigned)n);
		put(s, &row, n, true);
	}
	netstat_free(&before);
	netstat_free(&now);
	return status;
}

static int run(const struct cmd *cmd, int argc, char **argv)
{
	struct sar s = { .cmd = cmd, .groups = "TCP,ETCP,SOCK" };
	struct sigaction sa = { .sa_handler = on_signal };
	struct netstat first = { 0 };
	int status = parse(cmd, argc, argv, &s);

	if (status >= 0)
		return status;
	status = source_open(&s.src, cmd);
	if (status != EXIT_DONE)
		return status;
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	put_title(&s);
	if (source_read(&s.src, cmd, &first))
		status = sample(&s, &first);
	else
		status = EXIT_FAILED;
	netstat_free(&first);
	source_close(&s.src);
	return out_finish(status);
}

const struct cmd cmd_sar = {
	.name = "sar",
	.args = "[INTERVAL [COUNT]]",
	.help = "sockets and rates over time, as sar -n shows them",
	.about = "Shows the counters of the host's kernel, or of a running stack, every INTERVAL\n"
		 "seconds (1), COUNT times or until ^C, and the average at the end: rates a\n"
		 "second over the whole time, numbers of sockets as their mean.  Columns have\n"
		 "sysstat's names:\n"
		 "  SOCK  sockets in all, of TCP, UDP, raw; IP fragments; TIME_WAIT\n"
		 "  TCP   active and passive opens, segments in and out\n"
		 "  ETCP  failed attempts, resets, retransmissions, bad segments, RST sent\n"
		 "  UDP   datagrams in and out, to no port, not delivered\n"
		 "  IP    packets in, forwarded, delivered, out; fragments.  EIP: their errors\n"
		 "  SOFT  packets from devices, dropped for a full queue (netdev_max_backlog),\n"
		 "        rounds cut short\n"
		 "\"-\" stands where the source has no such counter.",
	.example = "  rill sar -n TCP,ETCP 1 5",
	.opts = opts,
	.run = run,
};
