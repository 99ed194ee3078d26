/* SPDX-License-Identifier: MIT */
/*
 * The reader's side of the control socket.  What a stack says is data from
 * another process: it may be missing, malformed or late, and none of that may
 * do more than give one line on stderr.
 */
#include "look/ctlc.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "run/ctl.h"
#include "look/say.h"

#define ANSWER_S	5		/* a stack that nobody drives can't answer */

int64_t ctlc_int(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

const char *ctlc_str(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

bool ctlc_true(const json_t *o, const char *key)
{
	return json_is_true(json_object_get(o, key));
}

const char *ctlc_label(const struct ctl_stack *st, char *buf, size_t n)
{
	snprintf(buf, n, "%s[%ld]", st->name, st->pid);
	return buf;
}

/* A stack that is just starting does not listen yet either: its process lives. */
static bool is_dead(long pid)
{
	return kill((pid_t)pid, 0) < 0 && errno == ESRCH;
}

static int connect_to(const char *path, long pid)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	struct timeval limit = { .tv_sec = ANSWER_S };
	int fd;

	if ((size_t)snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", path) >=
	    sizeof(sa.sun_path))
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0)
		return fd;
	if (errno == ECONNREFUSED && is_dead(pid))
		unlink(path);
	close(fd);
	return -1;
}

static void close_one(struct ctl_stack *st)
{
	if (st->f)
		fclose(st->f);			/* with the descriptor */
	json_decref(st->hello);
	memset(st, 0, sizeof(*st));
}

static bool send_request(struct ctl_stack *st, json_t *req)
{
	char *text = json_dumps(req, JSON_COMPACT);
	size_t n, off = 0;
	bool ok;

	json_decref(req);
	if (!text)
		return false;
	n = strlen(text);
	text[n++] = '\n';			/* in place of the end */
	while (off < n) {
		ssize_t w = send(st->fd, text + off, n - off, MSG_NOSIGNAL);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			break;
		off += (size_t)w;
	}
	ok = off == n;
	free(text);
	return ok;
}

static void complain_silent(const struct ctl_stack *st)
{
	if (st->hello)
		rl_look_sayf("stack %s[%ld] does not answer: its program is busy, stopped or gone",
			 st->name, st->pid);
	else
		rl_look_sayf("the stack of process %ld does not answer: it is busy, stopped or "
			     "gone", st->pid);
}

/* A reply that isn't one, or says no.  Return: NULL then, with a complaint. */
static json_t *checked(const struct ctl_stack *st, json_t *reply)
{
	if (!reply) {
		complain_silent(st);
		return NULL;
	}
	if (ctlc_int(reply, "rill") != RL_CTL_SCHEMA) {
		rl_look_sayf("stack %s[%ld] is of another version of Rill: use its own `rill`",
			 st->name, st->pid);
	} else if (!ctlc_true(reply, "ok")) {
		rl_look_sayf("stack %s[%ld]: %s", st->name, st->pid, ctlc_str(reply, "error"));
	} else {
		return reply;
	}
	json_decref(reply);
	return NULL;
}

json_t *ctlc_ask(struct ctl_stack *st, json_t *req)
{
	json_t *reply = NULL;

	if (send_request(st, req))
		reply = json_loadf(st->f, JSON_DISABLE_EOF_CHECK, NULL);
	return checked(st, reply);
}

json_t *ctlc_ask_errno(struct ctl_stack *st, json_t *req, int *err)
{
	json_t *reply = NULL;

	if (send_request(st, req))
		reply = json_loadf(st->f, JSON_DISABLE_EOF_CHECK, NULL);
	if (!reply || ctlc_true(reply, "ok"))
		return reply;
	*err = (int)ctlc_int(reply, "errno");
	if (*err <= 0)
		*err = EIO;
	json_decref(reply);
	return NULL;
}

/* Elements stand on lines of their own, with a comma behind all but the last. */
static json_t *parse_element(char *line, size_t n)
{
	while (n && (line[n - 1] == '\n' || line[n - 1] == ','))
		n--;
	return json_loadb(line, n, 0, NULL);
}

bool ctlc_conns(struct ctl_stack *st, uint32_t states, bool info,
		void (*each)(void *ctx, struct ctl_stack *st, json_t *conn), void *ctx)
{
	bool begun = false, whole = false;
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;

	if (!send_request(st, json_pack("{s:s, s:I, s:b}", "cmd", "conns", "states",
					(json_int_t)states, "info", (int)info)))
		goto out;
	while (!whole && (n = getline(&line, &cap, st->f)) > 0) {
		json_t *conn;

		if (line[0] == '\n')		/* end of the reply before */
			continue;
		if (line[0] == ']') {
			whole = true;
			continue;
		}
		if (!begun) {
			begun = n > 2 && line[n - 2] == '[';
			if (begun)
				continue;
			json_decref(checked(st, parse_element(line, (size_t)n)));
			free(line);
			return false;
		}
		conn = parse_element(line, (size_t)n);
		if (!conn)
			break;
		each(ctx, st, conn);
		json_decref(conn);
	}
out:
	free(line);
	if (!whole)
		complain_silent(st);
	return whole;
}

/* Say hello.  Return: whether it is one that is wanted. */
static bool greet(struct ctl_stacks *s, struct ctl_stack *st, const struct ctl_select *sel)
{
	st->hello = ctlc_ask(st, json_pack("{s:s}", "cmd", "hello"));
	if (!st->hello) {
		s->silent++;
		return false;
	}
	st->pid = (long)ctlc_int(st->hello, "pid");
	snprintf(st->name, sizeof(st->name), "%s", ctlc_str(st->hello, "name"));
	return !sel->name || !strcmp(sel->name, st->name);
}

static void open_one(struct ctl_stacks *s, const struct ctl_select *sel, const char *dir,
		     const char *file)
{
	struct ctl_stack *st = &s->list[s->n];
	char path[512], *dot;
	long pid = strtol(file, &dot, 10);
	size_t n = strlen(file);

	if (pid <= 0 || *dot != '.' || n < 5 || strcmp(file + n - 5, ".sock") != 0)
		return;
	if ((sel->pid && sel->pid != pid) || s->n == CTLC_STACKS_MAX)
		return;
	snprintf(path, sizeof(path), "%s/%s", dir, file);
	memset(st, 0, sizeof(*st));
	st->pid = pid;
	snprintf(st->name, sizeof(st->name), "?");
	st->fd = connect_to(path, pid);
	if (st->fd < 0)
		return;
	st->f = fdopen(st->fd, "r");
	if (!st->f)
		close(st->fd);
	else if (greet(s, st, sel))
		s->n++;
	else
		close_one(st);
}

static int by_pid(const void *a, const void *b)
{
	const struct ctl_stack *x = a, *y = b;

	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return strcmp(x->name, y->name);
}

void ctlc_open(struct ctl_stacks *s, const struct ctl_select *sel)
{
	char dir[256];

	s->n = s->silent = 0;
	for (unsigned i = 0; ; i++) {
		int r = rl_ctl_dir(i, dir, sizeof(dir));
		struct dirent *de;
		DIR *d;

		if (r == -ENOENT)
			break;
		if (r < 0 || !rl_ctl_dir_ok(dir) || (d = opendir(dir)) == NULL)
			continue;
		while ((de = readdir(d)) != NULL)
			open_one(s, sel, dir, de->d_name);
		closedir(d);
	}
	qsort(s->list, s->n, sizeof(s->list[0]), by_pid);
}

void ctlc_close(struct ctl_stacks *s)
{
	for (unsigned i = 0; i < s->n; i++)
		close_one(&s->list[i]);
	s->n = 0;
}

void ctlc_complain_none(const struct ctl_stacks *s, const struct ctl_select *sel)
{
	const char *whose = geteuid() == 0 ? "" : " of this user";

	if (s->silent)
		return;
	if (sel->pid)
		rl_look_sayf("no stack%s runs in process %ld; `rill ss -a` shows those that run",
			 whose, sel->pid);
	else if (sel->name)
		rl_look_sayf("no stack%s named %s runs; `rill ss -a` shows those that run",
			 whose, sel->name);
	else
		rl_look_sayf("no Rill stack%s runs here; start one, for example `rill serve`",
			 whose);
}

bool ctlc_hidden(void)
{
	const char *own = getenv("RILL_RUN_DIR");
	struct stat st;

	if (geteuid() == 0)
		return false;
	if (stat(own && *own ? own : "/run/rill", &st) < 0)
		return errno == EACCES;
	return st.st_uid != geteuid();
}
