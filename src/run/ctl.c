/* SPDX-License-Identifier: MIT */
/*
 * The control socket of an engine: a unix socket DIR/PID.N.sock over which the
 * `rill` command asks a running stack.  This file owns the sockets, one epoll
 * descriptor over all of them and the clients' buffers; ctl_req.c makes the
 * replies.
 *
 * Protocol: a request is one line of JSON, a reply is one JSON document that
 * ends with a newline and begins with "rill", the schema's number.
 *
 * Invariants: nothing here blocks or works for long.  Reads and writes don't
 * wait; a long reply is made in bounded steps, and only while less than
 * OUT_HIGH bytes of it wait for its reader; there are at most CTL_CLIENTS
 * readers, and a new one evicts the one that moved least recently.  Events for
 * those who watch (ctl_watch.c) wait in the same buffers, up to a limit.
 *
 * Called by run/engine.c with the engine's lock held.
 */
#include "run/ctl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "run/ctl_int.h"

#define OUT_HIGH	(64 * 1024)
#define NAMES_MAX	1024		/* stacks of one process */
#define EVENTS		8
#define BACKLOG		128

/* A socket nobody listens on any more belongs to a process that died. */
static bool is_stale(const struct sockaddr_un *sa)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	bool stale;

	if (fd < 0)
		return false;
	stale = connect(fd, (const struct sockaddr *)sa, sizeof(*sa)) < 0 &&
		errno == ECONNREFUSED;
	close(fd);
	return stale;
}

static int bind_name(struct rl_ctl *c, const char *dir, unsigned n)
{
	int len = snprintf(c->sa.sun_path, sizeof(c->sa.sun_path), "%s/%ld.%u.sock",
			   dir, (long)getpid(), n);

	if (len < 0 || (size_t)len >= sizeof(c->sa.sun_path))
		return -ENAMETOOLONG;
	if (bind(c->listener, (struct sockaddr *)&c->sa, sizeof(c->sa)) == 0)
		return 0;
	if (errno == EADDRINUSE && is_stale(&c->sa) && unlink(c->sa.sun_path) == 0 &&
	    bind(c->listener, (struct sockaddr *)&c->sa, sizeof(c->sa)) == 0)
		return 0;
	return -errno;
}

static int bind_in(struct rl_ctl *c, const char *dir)
{
	int r = -EADDRINUSE;

	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return -errno;
	if (!rl_ctl_dir_ok(dir))
		return -EACCES;
	for (unsigned n = 0; n < NAMES_MAX && r == -EADDRINUSE; n++)
		r = bind_name(c, dir, n);
	return r;
}

static int bind_somewhere(struct rl_ctl *c)
{
	char dir[128];
	int r = -EACCES;

	c->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->listener < 0)
		return -errno;
	c->sa.sun_family = AF_UNIX;
	for (unsigned i = 0; r < 0; i++) {
		int d = rl_ctl_dir(i, dir, sizeof(dir));

		if (d == -ENOENT)
			return r;
		r = d < 0 ? d : bind_in(c, dir);
	}
	if (listen(c->listener, BACKLOG) < 0) {
		r = -errno;
		unlink(c->sa.sun_path);
	}
	return r;
}

static int look_at(struct rl_ctl *c, int op, int fd, uint32_t events, uint64_t tag)
{
	struct epoll_event ev = { .events = events, .data.u64 = tag };

	return epoll_ctl(c->ep, op, fd, &ev) < 0 ? -errno : 0;
}

int rl_ctl_open(struct rill_engine *e, const char *name, struct rl_ctl **out)
{
	struct rl_ctl *c = calloc(1, sizeof(*c));
	int r;

	(void)e;
	(void)name;		/* asked of the engine when a reader wants it */
	if (!c)
		return -ENOMEM;
	for (int i = 0; i < CTL_CLIENTS; i++)
		c->cl[i].fd = -1;
	c->owner = getpid();
	c->listener = -1;
	c->ep = epoll_create1(EPOLL_CLOEXEC);
	r = c->ep < 0 ? -errno : bind_somewhere(c);
	if (r == 0) {
		r = look_at(c, EPOLL_CTL_ADD, c->listener, EPOLLIN, CTL_CLIENTS);
		if (r < 0)
			unlink(c->sa.sun_path);
	}
	if (r < 0) {
		if (c->listener >= 0)
			close(c->listener);
		if (c->ep >= 0)
			close(c->ep);
		free(c);
		return r;
	}
	*out = c;
	return 0;
}

int rl_ctl_fd(struct rl_ctl *c)
{
	return c->ep;
}

static void drop_client(struct ctl_client *cl)
{
	if (cl->fd < 0)
		return;
	close(cl->fd);		/* leaves the epoll set by itself */
	free(cl->out.p);
	memset(cl, 0, sizeof(*cl));
	cl->fd = -1;
}

void rl_ctl_close(struct rl_ctl *c)
{
	if (!c)
		return;
	for (int i = 0; i < CTL_CLIENTS; i++)
		drop_client(&c->cl[i]);
	close(c->listener);
	if (c->owner == getpid())
		unlink(c->sa.sun_path);
	close(c->ep);
	free(c);
}

/* Who watches is quiet for long because nothing happens: the others go first. */
static bool goes_before(const struct ctl_client *a, const struct ctl_client *b)
{
	if (!a->watch != !b->watch)
		return !a->watch;
	return a->used < b->used;
}

static struct ctl_client *free_slot(struct rl_ctl *c)
{
	struct ctl_client *oldest = &c->cl[0];

	for (int i = 0; i < CTL_CLIENTS; i++) {
		if (c->cl[i].fd < 0)
			return &c->cl[i];
		if (goes_before(&c->cl[i], oldest))
			oldest = &c->cl[i];
	}
	drop_client(oldest);
	return oldest;
}

static void on_listener(struct rl_ctl *c)
{
	for (int i = 0; i < CTL_CLIENTS; i++) {
		int fd = accept4(c->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		struct ctl_client *cl;

		if (fd < 0)
			return;
		cl = free_slot(c);
		cl->fd = fd;
		cl->used = ++c->turn;
		if (look_at(c, EPOLL_CTL_ADD, fd, EPOLLIN, (uint64_t)(cl - c->cl)) < 0)
			drop_client(cl);
	}
}

/* Requests wait in the socket while a reply is under way. */
static bool is_busy(const struct ctl_client *cl)
{
	return cl->job != CTL_JOB_NONE || cl->out.off < cl->out.len;
}

/* Answer the first line that is complete.  Return: false if there is none. */
static bool take_line(struct ctl_client *cl, struct rill_engine *e)
{
	char *nl = memchr(cl->line, '\n', cl->line_len);
	size_t n;

	if (!nl && cl->line_len == sizeof(cl->line)) {
		bool first = !cl->skipping;	/* the line goes on: answer it once */

		cl->skipping = true;
		cl->line_len = 0;
		if (!first)
			return true;
		rl_ctl_putf(&cl->out, "{\"rill\":%d,\"ok\":false,\"errno\":%d,"
			    "\"error\":\"request longer than %d bytes\"}\n",
			    RL_CTL_SCHEMA, EMSGSIZE, RL_CTL_LINE_MAX);
		return true;
	}
	if (!nl)
		return false;
	n = (size_t)(nl - cl->line);
	if (!cl->skipping) {
		*nl = '\0';
		rl_ctl_request(cl, e);
	}
	cl->skipping = false;
	cl->line_len -= n + 1;
	memmove(cl->line, nl + 1, cl->line_len);
	return true;
}

static void read_more(struct ctl_client *cl)
{
	ssize_t n = recv(cl->fd, cl->line + cl->line_len,
			 sizeof(cl->line) - cl->line_len, 0);

	if (n > 0)
		cl->line_len += (size_t)n;
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		cl->eof = true;
}

bool rl_ctl_write(struct ctl_client *cl)
{
	struct ctl_buf *b = &cl->out;
	ssize_t n;

	if (b->bad)
		return false;
	if (b->off == b->len)
		return true;
	n = send(cl->fd, b->p + b->off, b->len - b->off, MSG_NOSIGNAL);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	b->off += (size_t)n;
	if (b->off == b->len)
		b->off = b->len = 0;
	return true;
}

bool rl_ctl_arm(struct rl_ctl *c, struct ctl_client *cl, bool out)
{
	cl->armed = out;
	return look_at(c, EPOLL_CTL_MOD, cl->fd, out ? EPOLLOUT : EPOLLIN,
		       (uint64_t)(cl - c->cl)) == 0;
}

static void run_client(struct rl_ctl *c, struct ctl_client *cl, struct rill_engine *e)
{
	bool alive = true;

	cl->used = ++c->turn;
	if (!is_busy(cl)) {
		read_more(cl);
		alive = take_line(cl, e) || !cl->eof;
	}
	if (cl->job != CTL_JOB_NONE && cl->out.len - cl->out.off < OUT_HIGH)
		rl_ctl_step(cl, e);
	alive = rl_ctl_write(cl) && alive;
	/* further requests that came with the first */
	if (alive && !is_busy(cl))
		alive = take_line(cl, e) || !cl->eof;
	if (alive)
		alive = rl_ctl_arm(c, cl, is_busy(cl));
	if (!alive)
		drop_client(cl);
}

void rl_ctl_run(struct rl_ctl *c, struct rill_engine *e)
{
	struct epoll_event ev[EVENTS];
	int n = epoll_wait(c->ep, ev, EVENTS, 0);

	for (int i = 0; i < n; i++) {
		uint64_t tag = ev[i].data.u64;

		if (tag == CTL_CLIENTS)
			on_listener(c);
		else if (c->cl[tag].fd >= 0)
			run_client(c, &c->cl[tag], e);
	}
	if (n > 0) {
		rl_ctl_watchers(c, e);
		rl_ctl_flush(c);
	}
}
