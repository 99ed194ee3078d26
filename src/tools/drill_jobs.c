/* SPDX-License-Identifier: MIT */
/*
 * The runs of `rill drill`: a script with one seed or with many, here or in
 * several processes.  Each process takes the next script from a counter that all
 * share and sends its outcome through a pipe; the parent reports in the order of
 * the scripts.  A process that dies costs the script that it was at, and another
 * takes its place.
 */
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/drill.h"
#include "tools/out.h"

/* ---- one script ---- */

/* The capture of a script: its path in one word. */
static const char *pcap_name(const struct drill *d, const char *path, char *buf, size_t len)
{
	const char *p = !strcmp(path, "-") ? "stdin" : path;
	int n;

	if (!d->pcap || !d->pcap_dir)
		return d->pcap;
	p += strspn(p, "./");
	n = snprintf(buf, len, "%s/", d->pcap);
	snprintf(buf + n, len - (size_t)n, "%s.pcapng", p);
	for (char *s = buf + n; *s; s++)
		if (*s == '/')
			*s = '-';
	return buf;
}

static void run_once(const struct drill *d, const char *path, uint64_t seed, FILE *talk,
		     struct drill_result *res)
{
	struct drill_config cfg = d->cfg;
	char pcap[4096];

	cfg.seed = seed;
	cfg.talk = talk;
	cfg.pcap = pcap_name(d, path, pcap, sizeof(pcap));
	memset(res, 0, sizeof(*res));
	if (!strcmp(path, "-"))
		rl_drill_run_text(drill_name(path), d->input, d->input_len, &cfg, d->set,
				  d->defines, res);
	else
		rl_drill_run_file(path, &cfg, d->set, d->defines, res);
}

/* What a run says is kept in @o, or goes to stdout as it happens. */
static void run_talking(const struct drill *d, const char *path, uint64_t seed, bool live,
			struct outcome *o, struct drill_result *res)
{
	size_t len = 0;
	FILE *talk;

	if (live) {
		run_once(d, path, seed, stdout, res);
		return;
	}
	free(o->trace);
	o->trace = NULL;
	talk = open_memstream(&o->trace, &len);
	run_once(d, path, seed, talk, res);
	if (talk)
		fclose(talk);
	if (o->trace && !len) {
		free(o->trace);
		o->trace = NULL;
	}
}

static void run_script(const struct drill *d, const char *path, struct outcome *o)
{
	bool live = !d->json && d->jobs == 1 && d->seeds == 1;
	static struct drill_result res;		/* 4 KiB and one at a time */

	memset(o, 0, sizeof(*o));
	for (uint64_t i = 0; i < d->seeds; i++) {
		o->seed = d->cfg.seed + i;
		run_talking(d, path, o->seed, live, o, &res);
		o->runs++;
		o->events += res.events;
		o->packets += res.packets;
		o->virtual_us += res.virtual_us;
		o->real_us += res.real_us;
		if (res.verdict != DRILL_PASSED)
			break;
	}
	o->verdict = res.verdict;
	if (res.why[0])
		o->why = strdup(res.why);
}

/* ---- in several processes ---- */

#define NO_SCRIPT	UINT32_MAX

struct shared {
	atomic_uint	next;			/* script that nobody took yet */
	atomic_uint	at[DRILL_JOBS_MAX];	/* what a worker is at, or NO_SCRIPT */
};

struct worker {
	pid_t		pid;
	int		fd;			/* -1: gone */
};

struct message {				/* both strings follow */
	unsigned	script;
	struct outcome	o;
	size_t		why_len, trace_len;
};

struct crew {
	const struct drill *d;
	struct tally	*tally;
	struct shared	*shared;
	struct outcome	*outcomes;
	bool		*known;
	unsigned	reported, nworkers;
	struct worker	workers[DRILL_JOBS_MAX];
};

static bool write_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

static bool read_all(int fd, void *data, size_t len)
{
	char *p = data;

	while (len) {
		ssize_t n = read(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

static bool send_outcome(int fd, unsigned script, const struct outcome *o)
{
	struct message m = {
		.script = script, .o = *o,
		.why_len = o->why ? strlen(o->why) + 1 : 0,
		.trace_len = o->trace ? strlen(o->trace) + 1 : 0,
	};

	return write_all(fd, &m, sizeof(m)) && write_all(fd, o->why, m.why_len) &&
	       write_all(fd, o->trace, m.trace_len);
}

static void work(struct crew *c, unsigned me, int fd)
{
	struct shared *s = c->shared;
	struct outcome o;
	unsigned i;

	while ((i = atomic_fetch_add(&s->next, 1)) < c->d->files.n) {
		atomic_store(&s->at[me], i);
		run_script(c->d, c->d->files.v[i], &o);
		if (!send_outcome(fd, i, &o))
			_exit(1);
		atomic_store(&s->at[me], NO_SCRIPT);
		free(o.why);
		free(o.trace);
	}
	_exit(0);
}

static bool hire(struct crew *c, unsigned me)
{
	struct worker *w = &c->workers[me];
	int ends[2];

	atomic_store(&c->shared->at[me], NO_SCRIPT);
	fflush(NULL);			/* nothing is left for the child to write again */
	if (pipe(ends) < 0 || (w->pid = fork()) < 0) {
		complain("drill: cannot start a process: %s", strerror(errno));
		return false;
	}
	if (!w->pid) {
		for (unsigned i = 0; i < c->nworkers; i++)
			if (c->workers[i].fd >= 0)
				close(c->workers[i].fd);
		close(ends[0]);
		work(c, me, ends[1]);
	}
	close(ends[1]);
	w->fd = ends[0];
	return true;
}

/* Report what is known, up to the first script that is still at work. */
static void report_known(struct crew *c)
{
	const struct names *files = &c->d->files;

	for (; c->reported < files->n && c->known[c->reported]; c->reported++)
		drill_report(c->d, files->v[c->reported], &c->outcomes[c->reported], c->tally);
}

static char *receive_text(int fd, size_t len, bool *ok)
{
	char *s = len ? malloc(len) : NULL;

	if (len && (!s || !read_all(fd, s, len)))
		*ok = false;
	else if (len)
		s[len - 1] = '\0';
	return s;
}

static bool receive(struct crew *c, int fd)
{
	struct message m;
	bool ok = true;

	if (!read_all(fd, &m, sizeof(m)) || m.script >= c->d->files.n)
		return false;
	m.o.why = receive_text(fd, m.why_len, &ok);
	m.o.trace = receive_text(fd, m.trace_len, &ok);
	if (!ok) {
		free(m.o.why);
		free(m.o.trace);
		return false;
	}
	c->outcomes[m.script] = m.o;
	c->known[m.script] = true;
	return true;
}

static void lost(struct crew *c, unsigned script, const char *how)
{
	struct outcome *o = &c->outcomes[script];

	memset(o, 0, sizeof(*o));
	o->verdict = DRILL_FAILED;
	o->seed = c->d->cfg.seed;
	o->runs = 1;
	if (asprintf(&o->why, "the process that ran it ended: %s", how) < 0)
		o->why = NULL;
	c->known[script] = true;
}

/* The end of a worker; one that died before its time is replaced. */
static void dismiss(struct crew *c, unsigned me)
{
	struct worker *w = &c->workers[me];
	unsigned script = atomic_load(&c->shared->at[me]);
	int status = 0;

	close(w->fd);
	w->fd = -1;
	while (waitpid(w->pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!status)
		return;
	if (script < c->d->files.n && !c->known[script])
		lost(c, script, WIFSIGNALED(status) ? strsignal(WTERMSIG(status))
						    : "exit in the midst of it");
	if (atomic_load(&c->shared->next) < c->d->files.n)
		hire(c, me);
}

static unsigned wait_for_workers(struct crew *c)
{
	struct pollfd fds[DRILL_JOBS_MAX];
	unsigned alive = 0;

	for (unsigned i = 0; i < c->nworkers; i++) {
		fds[i] = (struct pollfd){ .fd = c->workers[i].fd, .events = POLLIN };
		alive += fds[i].fd >= 0;
	}
	if (!alive || poll(fds, c->nworkers, -1) < 0)
		return alive;
	for (unsigned i = 0; i < c->nworkers; i++)
		if (fds[i].fd >= 0 && fds[i].revents && !receive(c, fds[i].fd))
			dismiss(c, i);
	return alive;
}

/* Nobody reads the report: no further scripts, and no further workers. */
static void give_up(struct crew *c)
{
	atomic_store(&c->shared->next, c->d->files.n);
	for (unsigned i = 0; i < c->nworkers; i++)
		if (c->workers[i].fd >= 0)
			dismiss(c, i);
}

static void run_crew(struct crew *c)
{
	for (unsigned i = 0; i < c->nworkers; i++)
		c->workers[i].fd = -1;
	for (unsigned i = 0; i < c->nworkers; i++)
		hire(c, i);
	while (wait_for_workers(c)) {
		report_known(c);
		if (out_closed()) {
			give_up(c);
			return;
		}
	}
	for (unsigned i = 0; i < c->d->files.n; i++)
		if (!c->known[i])
			lost(c, i, "before it began");
	report_known(c);
}

static void run_parallel(const struct drill *d, struct tally *t)
{
	struct crew c = { .d = d, .tally = t };

	c.nworkers = d->jobs < d->files.n ? d->jobs : d->files.n;
	c.shared = mmap(NULL, sizeof(*c.shared), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	c.outcomes = calloc(d->files.n, sizeof(*c.outcomes));
	c.known = calloc(d->files.n, sizeof(*c.known));
	if (c.shared == MAP_FAILED || !c.outcomes || !c.known) {
		complain("out of memory");
		exit(1);
	}
	run_crew(&c);
	for (unsigned i = c.reported; i < d->files.n; i++) {
		free(c.outcomes[i].why);
		free(c.outcomes[i].trace);
	}
	free(c.outcomes);
	free(c.known);
	munmap(c.shared, sizeof(*c.shared));
}

void drill_run_all(const struct drill *d, struct tally *t)
{
	struct outcome o;

	if (d->jobs > 1) {
		run_parallel(d, t);
		return;
	}
	for (unsigned i = 0; i < d->files.n && !out_closed(); i++) {
		run_script(d, d->files.v[i], &o);
		drill_report(d, d->files.v[i], &o, t);
	}
}
