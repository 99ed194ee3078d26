/* SPDX-License-Identifier: MIT */
/*
 * A reading of counters: kept as an array in the order of the files, looked up by
 * name.  A reading has some six hundred entries and is asked for some dozens, so the
 * look-up is a walk.  Called by sar, export, check and the doctor; the texts are taken
 * apart in netstat_parse.c, a stack's reply in netstat_rill.c.
 */
#include "look/netstat.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ENTRIES_MAX	65536
#define FILE_MAX	(8u << 20)	/* interfaces by the thousand have 1 MB */

/* What goes up and down; all of sockstat.* too. */
static const char *const gauges[] = {
	"Tcp.CurrEstab", "Tcp.RtoAlgorithm", "Tcp.RtoMin", "Tcp.RtoMax", "Tcp.MaxConn",
	"Ip.Forwarding", "Ip.DefaultTTL", "MPTcpExt.MPCurrEstab", "softnet.backlog_len",
};

static bool is_gauge(const char *name)
{
	if (!strncmp(name, "sockstat.", 9) || !strncmp(name, "rill.pool.", 10))
		return true;
	for (size_t i = 0; i < sizeof(gauges) / sizeof(gauges[0]); i++)
		if (!strcmp(name, gauges[i]))
			return true;
	return false;
}

static int make_room(struct netstat *s)
{
	unsigned cap = s->cap ? s->cap * 2 : 1024;
	struct netstat_entry *e;

	if (s->n < s->cap)
		return 0;
	if (cap > ENTRIES_MAX)
		return -ENOMEM;
	e = realloc(s->e, cap * sizeof(*e));
	if (!e)
		return -ENOMEM;
	s->e = e;
	s->cap = cap;
	return 0;
}

int netstat_add(struct netstat *s, int64_t value, const char *fmt, ...)
{
	struct netstat_entry *e;
	va_list ap;
	int r = make_room(s);

	if (r < 0)
		return r;
	e = &s->e[s->n];
	va_start(ap, fmt);
	r = vsnprintf(e->name, sizeof(e->name), fmt, ap);
	va_end(ap);
	if (r < 0 || (size_t)r >= sizeof(e->name))
		return -ENAMETOOLONG;
	e->value = value;
	e->gauge = is_gauge(e->name);
	s->n++;
	return 0;
}

void netstat_free(struct netstat *s)
{
	free(s->e);
	memset(s, 0, sizeof(*s));
}

/* ---- reading ---- */

/* All of a file, ended by 0.  Return: -errno; the caller frees *@text. */
static int slurp(const char *path, char **text)
{
	size_t cap = 16384, n = 0;
	char *buf = malloc(cap), *more;
	int fd = open(path, O_RDONLY | O_CLOEXEC), r = 0;

	if (fd < 0 || !buf)
		r = fd < 0 ? -errno : -ENOMEM;
	while (!r) {
		ssize_t got = read(fd, buf + n, cap - n - 1);

		if (got < 0 && errno != EINTR)
			r = -errno;
		if (got == 0)
			break;
		n += got > 0 ? (size_t)got : 0;
		if (r || n + 1 < cap)
			continue;
		more = cap < FILE_MAX ? realloc(buf, cap * 2) : NULL;
		if (!more) {
			r = -ENOMEM;
			break;
		}
		buf = more;
		cap *= 2;
	}
	if (fd >= 0)
		close(fd);
	if (r) {
		free(buf);
		return r;
	}
	buf[n] = '\0';
	*text = buf;
	return 0;
}

static const struct {
	const char *name;
	int (*parse)(struct netstat *s, char *text);
} files[] = {
	{ "snmp", netstat_parse_pairs }, { "netstat", netstat_parse_pairs },
	{ "snmp6", netstat_parse_snmp6 }, { "sockstat", netstat_parse_sockstat },
	{ "sockstat6", netstat_parse_sockstat }, { "softnet_stat", netstat_parse_softnet },
	{ "dev", netstat_parse_dev },
};

static void begin(struct netstat *s)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	s->at_ns = ts.tv_sec * 1000000000LL + ts.tv_nsec;
	s->n = s->unread = s->skipped = 0;
}

int netstat_read_kernel(struct netstat *s, const char *net)
{
	int first = 0, r = 0;

	begin(s);
	for (size_t i = 0; r != -ENOMEM && i < sizeof(files) / sizeof(files[0]); i++) {
		char path[256], *text = NULL;

		snprintf(path, sizeof(path), "%s/%s", net ? net : "/proc/net", files[i].name);
		r = slurp(path, &text);
		if (!r)
			r = files[i].parse(s, text);
		else
			s->unread++;		/* no IPv6: no snmp6 */
		free(text);
		if (i == 0)
			first = r;
	}
	return r == -ENOMEM ? r : first;
}

/* ---- looking up ---- */

static const struct netstat_entry *find(const struct netstat *s, const char *name)
{
	for (unsigned i = 0; i < s->n; i++)
		if (!strcmp(s->e[i].name, name))
			return &s->e[i];
	return NULL;
}

bool netstat_get(const struct netstat *s, const char *name, int64_t *value)
{
	const struct netstat_entry *e = find(s, name);

	*value = e ? e->value : 0;
	return e != NULL;
}

int64_t netstat_value(const struct netstat *s, const char *name)
{
	int64_t v;

	netstat_get(s, name, &v);
	return v;
}

static bool fits(const char *name, const char *prefix, const char *suffix)
{
	size_t n = strlen(name), p = strlen(prefix), x = strlen(suffix);

	return n >= p + x && !strncmp(name, prefix, p) && !strcmp(name + n - x, suffix);
}

int64_t netstat_sum(const struct netstat *s, const char *prefix, const char *suffix)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < s->n; i++)
		if (fits(s->e[i].name, prefix, suffix))
			sum += (uint64_t)s->e[i].value;
	return (int64_t)sum;
}

/* ---- differences ---- */

struct netstat_delta netstat_between(const struct netstat *before, const struct netstat *now)
{
	struct netstat_delta d = { before, now, (double)(now->at_ns - before->at_ns) / 1e9 };

	if (d.seconds < 1e-6)
		d.seconds = 1e-6;
	return d;
}

static int64_t grown(const struct netstat_entry *was, const struct netstat_entry *is)
{
	uint64_t diff = (uint64_t)is->value - (uint64_t)(was ? was->value : 0);

	if (!is->gauge && was && is->value < was->value)
		return is->value;
	return (int64_t)diff;
}

int64_t netstat_growth(const struct netstat_delta *d, const char *name)
{
	const struct netstat_entry *is = find(d->now, name);

	return is ? grown(find(d->before, name), is) : 0;
}

int64_t netstat_growth_sum(const struct netstat_delta *d, const char *prefix,
			   const char *suffix)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < d->now->n; i++) {
		const struct netstat_entry *is = &d->now->e[i];
		const struct netstat_entry *was;

		if (!fits(is->name, prefix, suffix))
			continue;
		was = find(d->before, is->name);
		if (was)			/* a device that came in between: not its past */
			sum += (uint64_t)grown(was, is);
	}
	return (int64_t)sum;
}

double netstat_rate(const struct netstat_delta *d, const char *name)
{
	return (double)netstat_growth(d, name) / d->seconds;
}
