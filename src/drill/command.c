/* SPDX-License-Identifier: MIT */
/*
 * Back-quoted commands: section 10 of the language.  Those that set the stack up
 * are translated, the others are refused, or handed to the host's shell where
 * that was allowed.  A command takes no virtual time, but for `sleep`.
 *
 * A text that needs a real shell (a loop, a pipe, a variable set) goes there as a
 * whole, so a sysctl inside of it would be the host's.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/types.h"
#include "drill/command.h"

#define SLEEP_MAX_S	1e6
#define SHOWN		80		/* of a command, in messages */

enum { DONE, NOT_OURS };		/* and -1: failed or skipped */

/* ---- the host's shell ---- */

static void in_child(const char *text, pid_t parent)
{
	char pid[16];

	snprintf(pid, sizeof(pid), "%ld", (long)parent);
	setenv("PACKETDRILL_PID", pid, 1);
	dup2(STDERR_FILENO, STDOUT_FILENO);	/* ours may be JSON */
	execl("/bin/sh", "sh", "-c", text, (char *)NULL);
	_exit(127);
}

int rl_drill_shell(const char *text)
{
	pid_t parent = getpid(), pid;
	int status;

	fflush(NULL);
	pid = fork();
	if (pid < 0)
		return -1;
	if (!pid)
		in_child(text, parent);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* ---- translated commands ---- */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* "/proc/sys/net/ipv4/x", "net/ipv4/x" -> "net.ipv4.x", in place; dots stay. */
static char *dotted(char *name)
{
	static const char proc[] = "/proc/sys/";

	if (!strncmp(name, proc, sizeof(proc) - 1))
		name += sizeof(proc) - 1;
	if (!strpbrk(name, "./") || name[strcspn(name, "./")] == '.')
		return name;			/* a dot first: net.ipv4.conf.a/b */
	for (char *p = name; *p; p++)
		if (*p == '/')
			*p = '.';
		else if (*p == '.')
			*p = '/';
	return name;
}

static int set(struct drill_run *r, char *name, const char *value)
{
	return rl_drill_tunable_set(r, dotted(name), value) < 0 ? -1 : DONE;
}

static int set_or_read(struct drill_run *r, char **w, unsigned *i)
{
	char *eq = strchr(w[*i], '=');

	if (eq) {
		*eq = 0;
		return set(r, w[*i], eq + 1);
	}
	if (w[*i + 1] && !strcmp(w[*i + 1], "=") && w[*i + 2]) {
		*i += 2;			/* NAME = VALUE */
		return set(r, w[*i - 2], w[*i]);
	}
	return rl_drill_tunable_read(r, dotted(w[*i])) < 0 ? -1 : DONE;
}

/* Options that change no meaning here; -p and --system read files: not ours. */
static bool is_sysctl_option(const char *s)
{
	return (s[0] == '-' && s[1] && strspn(s + 1, "qwenNbi") == strlen(s + 1)) ||
	       !strcmp(s, "--quiet") || !strcmp(s, "--write") || !strcmp(s, "--ignore") ||
	       !strcmp(s, "--values");
}

static int do_sysctl(struct drill_run *r, struct drill_words *w)
{
	unsigned names = 0;

	for (unsigned i = 1; i < w->n; i++) {
		if (w->word[i][0] == '-') {
			if (!is_sysctl_option(w->word[i]))
				return NOT_OURS;
			continue;
		}
		if (set_or_read(r, w->word, &i) < 0)
			return -1;
		names++;
	}
	return names ? DONE : NOT_OURS;
}

/* set_sysctls.py /proc/sys/net/ipv4/tcp_sack=0 ... */
static int do_set_sysctls(struct drill_run *r, struct drill_words *w)
{
	for (unsigned i = 1; i < w->n; i++) {
		char *eq = strchr(w->word[i], '=');

		if (!eq)
			return NOT_OURS;
		*eq = 0;
		if (set(r, w->word[i], eq + 1) < 0)
			return -1;
	}
	return w->n > 1 ? DONE : NOT_OURS;
}

/* echo V > /proc/sys/...; elsewhere its text is nobody's. */
static int do_echo(struct drill_run *r, struct drill_words *w)
{
	char name[256], value[512] = "";
	size_t len = 0;
	unsigned i = 1;

	if (!w->out)
		return DONE;
	if (strncmp(w->out, "/proc/sys/", 10) || strlen(w->out) >= sizeof(name))
		return NOT_OURS;
	while (i < w->n && (!strcmp(w->word[i], "-n") || !strcmp(w->word[i], "-e")))
		i++;
	for (; i < w->n && len < sizeof(value); i++)
		len += (size_t)snprintf(value + len, sizeof(value) - len, "%s%s",
					len ? " " : "", w->word[i]);
	if (len >= sizeof(value))
		return NOT_OURS;
	strcpy(name, w->out);
	return set(r, name, value);
}

/* "0.5", "100ms" is none of sleep(1)'s: s, m, h, d. */
static bool duration(const char *s, double unit, double *seconds)
{
	char *end;
	double v = strtod(s, &end);

	if (end == s || !isfinite(v) || v < 0)
		return false;
	if (*end && !end[1])
		switch (*end) {
		case 'd':
			unit *= 24;		/* fall through */
		case 'h':
			unit *= 60;		/* fall through */
		case 'm':
			unit *= 60;		/* fall through */
		case 's':
			end++;
		}
	*seconds = v * unit;
	return !*end && *seconds <= SLEEP_MAX_S;
}

static int wait_for(struct drill_run *r, struct drill_words *w, double unit)
{
	double seconds;

	if (w->n != 2 || !duration(w->word[1], unit, &seconds))
		return NOT_OURS;
	rl_drill_world_until(r->w, rl_drill_world_now(r->w) + (int64_t)llround(seconds * 1e9));
	return DONE;
}

static int do_sleep(struct drill_run *r, struct drill_words *w)
{
	return wait_for(r, w, 1);
}

static int do_usleep(struct drill_run *r, struct drill_words *w)
{
	return wait_for(r, w, 1e-6);
}

/* No metrics are kept from one connection to the next. */
static int do_ip(struct drill_run *r, struct drill_words *w)
{
	(void)r;
	return w->n > 2 && !strcmp(w->word[1], "tcp_metrics") &&
	       !strncmp(w->word[2], "flush", 5) ? DONE : NOT_OURS;
}

static bool is_offload(const char *s)
{
	static const char *const names[] = { "tso", "gso", "gro", "lro", "sg", "rx", "tx" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (!strcmp(names[i], s))
			return true;
	return false;
}

/*
 * Devices have no offloads here, and the language joins or cuts what the wire shows:
 * ethtool -K tun0 tso off gso off.
 */
static int do_ethtool(struct drill_run *r, struct drill_words *w)
{
	(void)r;
	if (w->n < 5 || !(w->n & 1) || strcmp(w->word[1], "-K"))
		return NOT_OURS;
	for (unsigned i = 3; i < w->n; i += 2)
		if (!is_offload(w->word[i]) ||
		    (strcmp(w->word[i + 1], "off") && strcmp(w->word[i + 1], "on")))
			return NOT_OURS;
	return DONE;
}

static int do_defaults(struct drill_run *r, struct drill_words *w)
{
	(void)w;
	return rl_drill_tunable_defaults(r);
}

/* Loading a kernel module: what Rill has is there, what it hasn't is refused in use. */
static int do_nothing(struct drill_run *r, struct drill_words *w)
{
	(void)r;
	(void)w;
	return DONE;
}

static const struct known {
	const char *name;
	int (*run)(struct drill_run *r, struct drill_words *w);
} known[] = {
	{ "sysctl", do_sysctl },	{ "set_sysctls.py", do_set_sysctls },
	{ "echo", do_echo },		{ "defaults.sh", do_defaults },
	{ "sleep", do_sleep },		{ "usleep", do_usleep },
	{ "ip", do_ip },		{ "ethtool", do_ethtool },
	{ "true", do_nothing },
	{ ":", do_nothing },		{ "kldload", do_nothing },
	{ "kldunload", do_nothing },
};

/* Each run has a stack of its own, so there is nothing to restore. */
static bool is_restore(const char *name)
{
	return !strncmp(name, "sysctl_restore_", 15);
}

static void drop_first(struct drill_words *w)
{
	memmove(w->word, w->word + 1, w->n * sizeof(w->word[0]));
	w->n--;
}

static int translate(struct drill_run *r, struct drill_words *w)
{
	const char *name;

	if (!strcmp(w->word[0], "sudo") && w->n > 1)
		drop_first(w);
	name = base_name(w->word[0]);
	if (is_restore(name) && w->n == 1)
		return DONE;
	if (w->expands || (w->out && strcmp(name, "echo")))
		return NOT_OURS;
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (!strcmp(known[i].name, name))
			return known[i].run(r, w);
	return NOT_OURS;
}

/* ---- the whole text ---- */

/* The first line or so. */
static const char *shown(const char *text, size_t len, char buf[SHOWN + 4])
{
	size_t n = 0;

	while (len && strchr(" \t\n", *text)) {
		text++;
		len--;
	}
	while (n < len && n < SHOWN && text[n] != '\n') {
		buf[n] = text[n];
		n++;
	}
	strcpy(buf + n, n < len ? "..." : "");
	return buf;
}

static int refuse(struct drill_run *r, const char *text, size_t len)
{
	char buf[SHOWN + 4];

	return rl_drill_fail(r, "refused to run `%s`: only sysctl and the like are "
			     "understood; --allow-shell runs it", shown(text, len, buf));
}

/* Return: the exit status; -1 failed or skipped. */
static int host(struct drill_run *r, const char *text, size_t len)
{
	char buf[SHOWN + 4], *copy;
	int status;

	if (!r->cfg.allow_shell)
		return refuse(r, text, len);
	copy = strndup(text, len);
	status = copy ? rl_drill_shell(copy) : -1;
	free(copy);
	if (status < 0)
		return rl_drill_fail(r, "can't run `%s`: %s", shown(text, len, buf),
				     strerror(errno));
	return status;
}

static int one(struct drill_run *r, struct drill_words *w)
{
	int err = translate(r, w);

	return err == NOT_OURS ? host(r, w->text, w->len) : err;
}

/* Whether it is simple commands throughout. */
static bool is_plain(const char *text)
{
	struct drill_words w;
	int more;

	do
		more = rl_drill_words(&text, &w);
	while (more > 0);
	return !more;
}

static int run_all(struct drill_run *r, const char *text)
{
	enum drill_after when = DRILL_ALWAYS;
	struct drill_words w;
	int status = 0;

	if (!is_plain(text))
		return host(r, text, strlen(text));
	while (rl_drill_words(&text, &w) > 0) {
		if (when == DRILL_ALWAYS || (when == DRILL_IF_OK) == !status)
			status = one(r, &w);
		if (status < 0)
			return -1;
		when = w.next;
	}
	return status;
}

int rl_drill_command(struct drill_run *r, const char *text)
{
	char buf[SHOWN + 4];
	int status = run_all(r, text);

	if (status > 0)
		return rl_drill_fail(r, "`%s` ended with exit status %d",
				     shown(text, strlen(text), buf), status);
	return status;
}
