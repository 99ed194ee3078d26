/* SPDX-License-Identifier: MIT */
/*
 * What scenes are made of: actors, commands that configure, words of the truth.  The
 * first failure is said in one line and remembered; everything behind it does nothing,
 * so a scene is written as a straight list.  Runs in the stager, which has one thread
 * and lives in the host's network namespace but for moments.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tools/lab.h"
#include "tools/out.h"

#define WORDS_MAX	40

int64_t lab_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void lab_nap(int ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000L };

	nanosleep(&ts, NULL);
}

void lab_fail(struct lab *l, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	if (l->failed)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	complain("lab: %s: %s", l->scene->name, text);
	l->failed = true;
}

void lab_enter(struct lab *l, enum lab_side where)
{
	if (setns(where == LAB_PEER ? l->peer_ns : l->host_ns, CLONE_NEWNET) < 0)
		lab_fail(l, "network namespace: %s", strerror(errno));
}

/* ---- actors ---- */

static void silence(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	dup2(fd, 0);
	dup2(fd, 1);
}

static void act(struct lab *l, const struct lab_spec *spec, struct lab_shared *sh)
	__attribute__((noreturn));

static void act(struct lab *l, const struct lab_spec *spec, struct lab_shared *sh)
{
	char why[140] = "";

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, spec->name);
	for (int s = 1; s < 32; s++)
		signal(s, s == SIGPIPE ? SIG_IGN : SIG_DFL);
	silence();
	lab_enter(l, spec->where);
	close_range(3, ~0u, 0);
	if (l->rill && spec->where == LAB_HOST && !spec->run &&
	    !lab_sock_open(l, spec, why, sizeof(why)))
		lab_actor_quit(sh, "no stack: %s", why);
	if (!spec->run)
		lab_actor_run(spec, sh);
	sh->ready = 1;
	spec->run();
	_exit(0);
}

static void check_alive(struct lab *l)
{
	for (unsigned i = 0; i < l->nactors; i++) {
		struct lab_actor *a = &l->actor[i];

		if (a->pid && waitpid(a->pid, NULL, WNOHANG) == a->pid)
			lab_fail(l, "%s[%d] ended: %s", a->name, (int)a->pid,
				 *a->sh->why ? a->sh->why : "nobody knows why");
	}
}

void lab_await(struct lab *l, _Atomic unsigned *number, unsigned least, const char *what)
{
	int64_t end = lab_now_ms() + LAB_LIMIT_MS;

	while (!l->failed && *number < least) {
		check_alive(l);
		if (lab_now_ms() > end)
			lab_fail(l, "%s: %u of %u after %d s; is the machine very busy?", what,
				 *number, least, LAB_LIMIT_MS / 1000);
		lab_nap(10);
	}
}

struct lab_actor *lab_start(struct lab *l, const struct lab_spec *spec)
{
	struct lab_actor *a = &l->actor[l->nactors];
	struct lab_shared *sh = mmap(NULL, sizeof(*sh), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (sh == MAP_FAILED || l->nactors == LAB_ACTORS - 1)
		lab_fail(l, "no room for %s", spec->name);
	*a = (struct lab_actor){ .name = spec->name, .where = spec->where, .sh = sh };
	if (l->failed)
		return a;
	l->nactors++;
	sh->does = spec->does;
	a->pid = fork();
	if (a->pid == 0)
		act(l, spec, sh);
	if (a->pid < 0)
		lab_fail(l, "fork: %s", strerror(errno));
	lab_await(l, &sh->ready, 1, spec->name);
	return a;
}

void lab_do(struct lab *l, struct lab_actor *a, unsigned does)
{
	if (!l->failed)
		a->sh->does = does;
}

void lab_kill(struct lab *l, struct lab_actor *a)
{
	if (l->failed)
		return;
	kill(a->pid, SIGKILL);
	waitpid(a->pid, NULL, 0);
	a->pid = 0;
}

/* ---- configuring ---- */

static void run_words(struct lab *l, enum lab_side where, char **words)
	__attribute__((noreturn));

static void run_words(struct lab *l, enum lab_side where, char **words)
{
	lab_enter(l, where);
	silence();
	execvp(words[0], words);
	complain("lab: %s: %s; is it installed?", words[0], strerror(errno));
	_exit(127);
}

void lab_exec(struct lab *l, enum lab_side where, const char *fmt, ...)
{
	char text[400], shown[400], *words[WORDS_MAX + 1], *save = NULL;
	int n = 0, status = 0;
	va_list ap;
	pid_t pid;

	if (l->failed)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	memcpy(shown, text, sizeof(shown));
	for (char *w = strtok_r(text, " ", &save); w && n < WORDS_MAX;
	     w = strtok_r(NULL, " ", &save))
		words[n++] = w;
	words[n] = NULL;
	pid = fork();
	if (pid == 0)
		run_words(l, where, words);
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || status != 0)
		lab_fail(l, "`%s` failed", shown);
}

static void set_on_rill(struct lab *l, const char *name, const char *value)
{
	if (l->nsysctls == LAB_SYSCTLS)
		lab_fail(l, "too many tunables");
	else
		snprintf(l->sysctl[l->nsysctls++], sizeof(l->sysctl[0]), "%s=%s", name, value);
}

void lab_sysctl(struct lab *l, enum lab_side where, const char *name, const char *value)
{
	char path[128] = "/proc/sys/";
	size_t at = strlen(path);
	int fd;

	if (l->rill && where == LAB_HOST)
		set_on_rill(l, name, value);
	if (l->failed || (l->rill && where == LAB_HOST))
		return;
	for (; *name && at < sizeof(path) - 1; name++)
		path[at++] = *name == '.' ? '/' : *name;
	path[at] = '\0';
	lab_enter(l, where);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		lab_fail(l, "cannot write %s to %s: %s", value, path, strerror(errno));
	if (fd >= 0)
		close(fd);
	lab_enter(l, LAB_HOST);
}

/* ---- the truth ---- */

void lab_truth_int(struct lab *l, const char *key, int64_t v)
{
	json_object_set_new(l->truth, key, json_integer(v));
}

void lab_truth_str(struct lab *l, const char *key, const char *v)
{
	json_object_set_new(l->truth, key, json_string(v));
}

void lab_truth_actor(struct lab *l, const struct lab_actor *a)
{
	lab_truth_int(l, "pid", a->pid);
	lab_truth_str(l, "program", a->name);
}
