/* SPDX-License-Identifier: MIT */
/*
 * What the doctor's rules judge by, read from the host and from running stacks.
 * What can't be read stays "not known" (-1): a rule does without it.  Called by
 * cmd_doctor.c, twice where growth matters.
 */
#include "look/facts_read.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
	const char	*name;
	int		 place;
} sysctls[] = {
#define FACT_CTR(id, linux_name)
#define FACT_SYSCTL(id, name, place)	{ name, place },
#include "look/facts.def"
#undef FACT_CTR
#undef FACT_SYSCTL
};

static const char *const counters[] = {
#define FACT_CTR(id, linux_name)	linux_name,
#define FACT_SYSCTL(id, name, place)
#include "look/facts.def"
#undef FACT_CTR
#undef FACT_SYSCTL
};

int64_t rl_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void rl_nap_ms(int64_t ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000L };

	while (nanosleep(&ts, &ts) < 0 && errno == EINTR)
		;			/* interrupted: the rest */
}

/* ---- settings ---- */

/* Number @place of a list with blanks between; -1: there is none. */
static int64_t number_at(const char *text, int place)
{
	char *end;
	int64_t v = -1;

	for (int i = 0; i <= place; i++, text = end) {
		v = strtoll(text, &end, 10);
		if (end == text)
			return -1;
	}
	return v;
}

static int64_t kernel_sysctl(const char *name, int place)
{
	char path[128], line[256] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/sys/%s", name);
	for (char *p = path + 10; *p; p++)
		if (*p == '.')
			*p = '/';
	f = fopen(path, "re");
	if (!f)
		return -1;
	if (!fgets(line, sizeof(line), f))
		*line = '\0';
	fclose(f);
	return number_at(line, place);
}

static void stack_sysctls(struct rl_facts *f, struct ctl_stack *st)
{
	json_t *reply = ctlc_ask(st, json_pack("{s:s,s:s}", "cmd", "sysctl", "op", "list"));
	const json_t *list = json_object_get(reply, "sysctls");

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *c = json_array_get(list, i);

		for (size_t k = 0; k < FS_N; k++)
			if (!strcmp(sysctls[k].name, ctlc_str(c, "name")))
				f->sysctl[k] = number_at(ctlc_str(c, "value"), sysctls[k].place);
	}
	json_decref(reply);
}

/* ---- views ---- */

static struct rl_facts *new_view(struct rl_seen *s, enum rill_source source)
{
	struct rl_facts *f = &s->view[s->nviews++];

	f->source = source;
	f->stack = "";
	for (size_t i = 0; i < FC_N; i++)
		f->ctr[i] = f->grown[i] = -1;
	for (size_t i = 0; i < FS_N; i++)
		f->sysctl[i] = -1;
	return f;
}

static void take_counters(struct rl_facts *f, const struct netstat *now,
			  const struct netstat *before)
{
	struct netstat_delta d = { 0 };

	if (before && before->n)
		d = netstat_between(before, now);
	for (size_t i = 0; i < FC_N; i++) {
		int64_t v;

		if (!netstat_get(now, counters[i], &v))
			continue;
		f->ctr[i] = v;
		f->grown[i] = d.now ? netstat_growth(&d, counters[i]) : 0;
	}
}

/* Sockets of one source lie together, in the order in which sources were asked. */
static void take_sockets(struct rl_seen *s, struct rl_facts *f)
{
	size_t i = 0;

	while (i < s->table.n && (s->table.sock[i].source != f->source ||
				  s->table.sock[i].pid != f->pid ||
				  strcmp(s->table.sock[i].stack, f->stack)))
		i++;
	f->sock = s->table.sock + i;
	while (i + f->n < s->table.n && f->sock[f->n].source == f->source &&
	       f->sock[f->n].pid == f->pid && !strcmp(f->sock[f->n].stack, f->stack))
		f->n++;
}

/* The view of the same source as @f, in an earlier reading. */
static int same_view(const struct rl_seen *before, const struct rl_facts *f)
{
	for (unsigned i = 0; before && i < before->nviews; i++)
		if (before->view[i].source == f->source && before->view[i].pid == f->pid &&
		    !strcmp(before->view[i].stack, f->stack))
			return (int)i;
	return -1;
}

static void complete_view(struct rl_seen *s, struct rl_facts *f, const struct rl_seen *before)
{
	int was = same_view(before, f);
	struct netstat *net = &s->net[f - s->view];
	size_t npast = 64;

	take_counters(f, net, was >= 0 ? &before->net[was] : NULL);
	take_sockets(s, f);
	f->program = s->program;
	f->nprogram = s->nprogram;
	if (f->source == RILL_SRC_KERNEL) {
		f->neigh = s->neigh;
		f->nneigh = s->nneigh;
		f->device = s->device;
		f->ndevice = s->ndevice;
	}
	if (was < 0)
		return;
	f->watched_ms = (int)(s->at_ms - before->at_ms) + 1;
	while (npast < 2 * before->view[was].n)
		npast *= 2;
	s->past[f - s->view] = calloc(npast, sizeof(struct rl_past));
	if (!s->past[f - s->view])
		return;
	for (size_t i = 0; i < before->view[was].n; i++)
		rl_facts_remember(s->past[f - s->view], npast, &before->view[was].sock[i]);
	f->past = s->past[f - s->view];
	f->npast = npast;
}

/* ---- programs ---- */

static int by_pid(const void *a, const void *b)
{
	const struct rl_program *x = a, *y = b;

	return x->pid < y->pid ? -1 : x->pid > y->pid;
}

static int64_t count_fds(int pid)
{
	char path[64];
	int64_t n = -2;			/* . and .. */
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	d = opendir(path);
	if (!d)
		return -1;
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static int64_t fd_limit(int pid)
{
	char path[64], line[160];
	int64_t v = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/limits", pid);
	f = fopen(path, "re");
	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, "Max open files", 14))
			v = number_at(line + 14, 0);
	fclose(f);
	return v;
}

/*
 * Whether anybody could have put its file there: /tmp itself, not what root has made
 * below it.  A file of memory alone lies nowhere.  Seen through the program's own root.
 */
static bool is_foreign(const struct rl_program *p)
{
	const char *end = strrchr(p->exe, '/');
	char dir[64 + sizeof(p->exe)];
	struct stat sb;

	if (!strncmp(p->exe, "/memfd:", 7))
		return true;
	if (!end)
		return false;
	snprintf(dir, sizeof(dir), "/proc/%d/root%.*s", p->pid,
		 end == p->exe ? 1 : (int)(end - p->exe), p->exe);
	return stat(dir, &sb) == 0 && sb.st_mode & S_IWOTH;
}

static void describe(struct rl_program *p)
{
	static const char gone[] = " (deleted)";
	char path[64];
	ssize_t n;
	FILE *f;

	p->nfd = count_fds(p->pid);
	p->fd_limit = fd_limit(p->pid);
	snprintf(path, sizeof(path), "/proc/%d/exe", p->pid);
	n = readlink(path, p->exe, sizeof(p->exe) - 1);
	p->exe[n > 0 ? n : 0] = '\0';
	if (n > (ssize_t)sizeof(gone) && !strcmp(p->exe + n - sizeof(gone) + 1, gone)) {
		p->deleted = true;
		p->exe[n - (ssize_t)sizeof(gone) + 1] = '\0';
	}
	p->foreign = is_foreign(p);
	if (*p->comm)
		return;
	snprintf(path, sizeof(path), "/proc/%d/comm", p->pid);
	f = fopen(path, "re");
	if (f && fscanf(f, "%15[^\n]", p->comm) != 1)
		*p->comm = '\0';
	if (f)
		fclose(f);
}

/* Sorted, each once, then described; the first owner of a socket speaks for it. */
static int see_programs(struct rl_seen *s)
{
	size_t n = 0;
	int last = 0;

	s->program = calloc(s->table.n + 1, sizeof(*s->program));
	if (!s->program)
		return -ENOMEM;
	for (size_t i = 0; i < s->table.n; i++) {
		const struct rill_sock *k = &s->table.sock[i];
		int pid = k->source == RILL_SRC_RILL ? k->pid : k->nowners ? k->owners[0].pid : 0;

		if (!pid || pid == last)
			continue;
		last = pid;
		s->program[n].pid = pid;
		if (k->nowners)
			memcpy(s->program[n].comm, k->owners[0].comm, sizeof(k->owners[0].comm));
		n++;
	}
	qsort(s->program, n, sizeof(*s->program), by_pid);
	for (size_t i = 0; i < n; i++)
		if (!s->nprogram || s->program[s->nprogram - 1].pid != s->program[i].pid)
			s->program[s->nprogram++] = s->program[i];
	for (size_t i = 0; i < s->nprogram; i++)
		describe(&s->program[i]);
	return 0;
}

/* ---- all of it ---- */

static void filter_out(struct rill_table *t, const struct filter *flt)
{
	size_t n = 0;

	/* listeners stay: they say what the others belong to */
	for (size_t i = 0; i < t->n; i++)
		if (t->sock[i].state == RILL_LISTEN || filter_sock(flt, &t->sock[i]))
			t->sock[n++] = t->sock[i];
	t->n = n;
}

static void see_stacks(struct rl_seen *s, const struct rl_scope *scope)
{
	static struct ctl_stacks stacks;

	ctlc_open(&stacks, &scope->sel);
	for (unsigned i = 0; i < stacks.n && s->nviews < RL_VIEWS; i++) {
		struct rl_facts *f = new_view(s, RILL_SRC_RILL);
		char *name = strdup(stacks.list[i].name);

		f->pid = (int)stacks.list[i].pid;
		f->stack = name ? name : "";
		stack_sysctls(f, &stacks.list[i]);
		netstat_read_stack(&s->net[s->nviews - 1], &stacks.list[i]);
	}
	ctlc_close(&stacks);
}

static void see_kernel(struct rl_seen *s)
{
	struct rl_facts *f = new_view(s, RILL_SRC_KERNEL);

	for (size_t i = 0; i < FS_N; i++)
		f->sysctl[i] = kernel_sysctl(sysctls[i].name, sysctls[i].place);
	netstat_read_kernel(&s->net[0], NULL);
}

int rl_see(struct rl_seen *s, const struct rl_scope *scope, const struct rl_seen *before)
{
	struct rill_table_query q = RILL_TABLE_QUERY_INIT;
	int r;

	memset(s, 0, sizeof(*s));
	s->at_ms = rl_now_ms();
	q.want = RILL_WANT_TCP | RILL_WANT_INFO | RILL_WANT_MEM | RILL_WANT_OWNERS;
	q.want |= scope->no_kernel ? 0 : RILL_WANT_KERNEL;
	q.want |= scope->no_rill ? 0 : RILL_WANT_RILL;
	q.pid = (int)scope->sel.pid;
	q.stack = scope->sel.name;
	if (!scope->no_kernel)
		see_kernel(s);
	if (!scope->no_rill)
		see_stacks(s, scope);
	r = rill_table_read(&q, &s->table);
	if (r < 0)
		return r;
	s->notes = s->table.notes;
	if (scope->filter)
		filter_out(&s->table, scope->filter);
	r = see_programs(s);
	rl_see_neighbours(s);
	rl_see_devices(s, before);
	for (unsigned i = 0; i < s->nviews; i++)
		complete_view(s, &s->view[i], before);
	return r;
}

void rl_seen_free(struct rl_seen *s)
{
	for (unsigned i = 0; i < s->nviews; i++) {
		if (s->view[i].source == RILL_SRC_RILL && *s->view[i].stack)
			free((void *)(uintptr_t)s->view[i].stack);
		netstat_free(&s->net[i]);
		free(s->past[i]);
	}
	rill_table_free(&s->table);
	free(s->program);
	free(s->neigh);
	free(s->device);
	free(s->probe);
	memset(s, 0, sizeof(*s));
}
