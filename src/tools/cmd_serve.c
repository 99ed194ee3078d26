/* SPDX-License-Identifier: MIT */
/*
 * rill serve - an HTTP/1.1 server of a directory on Rill: options, the event
 * loop on rill_epoll, and leaving in good order.  One thread does it all.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tools/out.h"
#include "tools/serve.h"
#include "tools/stackopts.h"

#define EVENTS		256
#define TICK_MS		250		/* how late a signal may be noticed */
#define FINISH_MS	10000		/* for responses under way at the end */
#define DRAIN_MS	5000		/* for the peers' ACKs and FINs after that */

enum { S_PORT = 1, S_BACKLOG, S_READONLY, S_MAXUP, S_IDLE, S_ONCE, S_EXIT, S_VERBOSE };

static const struct opt opts[] = {
	{ S_PORT, 'p', "port", "PORT", "listen there; default 80" },
	{ S_BACKLOG, 0, "backlog", "N", "finished connections that may wait; default 4096" },
	{ S_READONLY, 'r', "read-only", NULL, "refuse PUT" },
	{ S_MAXUP, 0, "max-upload", "SIZE", "largest body of a PUT; default 64g" },
	{ S_IDLE, 0, "idle", "SEC", "close a connection idle that long; default 120" },
	{ S_ONCE, 0, "once", "N", "exit after N connections" },
	{ S_EXIT, 0, "exit-after", "SEC", "exit in good order after that time" },
	{ S_VERBOSE, 'v', "verbose", NULL, "print a line for each request" },
	{ 0, 0, NULL, NULL, NULL },
};

struct serve_args {
	struct stack_args stack;
	const char	*dir;
	uint64_t	port, backlog, max_upload, once;
	int		idle_ms, exit_ms;	/* exit_ms -1: never */
	bool		read_only, verbose;
};

static volatile sig_atomic_t got_signal;

static void on_signal(int sig)
{
	(void)sig;
	got_signal++;
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static bool wrong(const char *opt, const char *arg, const char *want)
{
	complain("serve: %s %s: %s; see `rill serve --help`", opt, arg, want);
	return false;
}

static bool take(struct serve_args *a, int id, const char *arg)
{
	switch (id) {
	case S_PORT:
		return parse_u64(arg, 1, 65535, &a->port) ||
		       wrong("--port", arg, "give 1 to 65535");
	case S_BACKLOG:
		return parse_u64(arg, 1, INT32_MAX, &a->backlog) ||
		       wrong("--backlog", arg, "give a number of connections");
	case S_READONLY:
		a->read_only = true;
		return true;
	case S_MAXUP:
		return parse_size(arg, &a->max_upload) ||
		       wrong("--max-upload", arg, "give bytes, or 10m, 2g");
	case S_IDLE:
		return parse_seconds(arg, &a->idle_ms) ||
		       wrong("--idle", arg, "give seconds");
	case S_ONCE:
		return parse_u64(arg, 1, UINT64_MAX, &a->once) ||
		       wrong("--once", arg, "give a number of connections");
	case S_EXIT:
		return parse_seconds(arg, &a->exit_ms) ||
		       wrong("--exit-after", arg, "give seconds");
	case S_VERBOSE:
		a->verbose = true;
		return true;
	case OPTW_OPERAND:
		if (a->dir)
			return wrong("", arg, "one directory only");
		a->dir = arg;
		return true;
	}
	return false;
}

/* Return: EXIT_DONE to go on; otherwise @status is set and the command ends. */
static bool parse(const struct cmd *cmd, int argc, char **argv, struct serve_args *a,
		  int *status)
{
	struct optwalk w = { .cmd = cmd, .argc = argc, .argv = argv, .at = 1 };
	int id;

	*status = EXIT_MISUSE;
	while ((id = opt_next(&w)) != OPTW_END) {
		int r;

		if (id == OPTW_BAD || id == OPTW_HELPED) {
			*status = opt_status(id);
			return false;
		}
		r = stack_arg(&a->stack, cmd, id, w.arg);
		if (r < 0 || (r == 0 && !take(a, id, w.arg)))
			return false;
	}
	if (!a->dir)
		complain("serve: which directory? see `rill serve --help`");
	return a->dir != NULL;
}

static int open_root(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 && errno == ENOTDIR)
		complain("serve: %s is not a directory: give the one to be served", dir);
	else if (fd < 0)
		complain("serve: cannot read directory %s: %s", dir, strerror(errno));
	return fd;
}

static int fail(const char *what, int err)
{
	if (err == EADDRINUSE)
		complain("serve: %s: %s: give another --port", what, strerror(err));
	else
		complain("serve: %s: %s", what, strerror(err));
	return EXIT_FAILED;
}

/* One listener for both families. */
static int start_listening(struct server *s, const struct serve_args *a)
{
	struct sockaddr_in6 sa = { .sin6_family = AF_INET6,
				   .sin6_port = htons((uint16_t)a->port) };
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = s };
	int one = 1, r;

	s->ep = rill_epoll_create(s->e);
	if (s->ep < 0)
		return fail("epoll", -s->ep);
	s->listener = rill_socket(s->e, AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (s->listener < 0)
		return fail("socket", -s->listener);
	rill_setsockopt(s->listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	r = rill_bind(s->listener, (struct sockaddr *)&sa, sizeof(sa));
	if (r < 0)
		return fail("bind", -r);
	r = rill_listen(s->listener, (int)a->backlog);
	if (r < 0)
		return fail("listen", -r);
	r = rill_epoll_ctl(s->ep, EPOLL_CTL_ADD, s->listener, &ev);
	return r < 0 ? fail("epoll", -r) : EXIT_DONE;
}

static void announce(const struct serve_args *a)
{
	char host[64];

	printf("serving %s at", a->dir);
	for (unsigned i = 0; stack_host(&a->stack, i, host, sizeof(host)); i++) {
		printf(" http://%s", host);
		if (a->port != 80)
			printf(":%u", (unsigned)a->port);
		putchar('/');
	}
	putchar('\n');
	fflush(stdout);
}

static void catch_signals(void)
{
	struct sigaction sa = { .sa_handler = on_signal };	/* no SA_RESTART */

	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	serve_guard_install();
}

/* Events until somebody says stop and the last response is out. */
static int loop(struct server *s, const struct serve_args *a)
{
	int64_t end = a->exit_ms < 0 ? INT64_MAX : now_ms() + a->exit_ms;
	struct epoll_event ev[EVENTS];

	while (s->listener >= 0 || s->nconns) {
		int n = rill_epoll_wait(s->ep, ev, EVENTS, TICK_MS);

		if (n < 0 && n != -EINTR)
			return fail("device", -n);
		s->now_ms = now_ms();
		for (int i = 0; i < n; i++) {
			if (ev[i].data.ptr == s)
				serve_accept(s);
			else
				serve_event(s, ev[i].data.ptr, ev[i].events);
		}
		serve_sweep(s);
		if (!s->stopping && (got_signal || s->now_ms >= end)) {
			s->once = 0;
			serve_stop(s);
			end = s->now_ms + FINISH_MS;
		} else if (s->stopping && (got_signal > 1 || s->now_ms >= end)) {
			break;
		}
	}
	return EXIT_DONE;
}

static void close_all(struct server *s)
{
	s->stopping = true;
	while (s->lru.next != &s->lru)
		serve_close(s, s->lru.next);
	if (s->listener >= 0)
		rill_close(s->listener);
	if (s->ep >= 0)
		rill_close(s->ep);
}

static int serve(struct server *s, const struct serve_args *a)
{
	int status = start_listening(s, a);

	if (status == EXIT_DONE) {
		announce(a);
		s->now_ms = now_ms();
		status = loop(s, a);
	}
	close_all(s);
	return status;
}

static int run(const struct cmd *cmd, int argc, char **argv)
{
	struct serve_args a = { .port = 80, .backlog = 4096, .idle_ms = 120000,
				.exit_ms = -1, .max_upload = (uint64_t)64 << 30 };
	struct server s = { .ep = -1, .listener = -1 };
	int status;

	stack_args_init(&a.stack);
	if (!parse(cmd, argc, argv, &a, &status))
		return status;
	s.root = open_root(a.dir);
	if (s.root < 0)
		return EXIT_FAILED;
	s.buf = malloc(SERVE_RECV);
	if (!s.buf)
		return fail("memory", ENOMEM);
	s.lru.prev = s.lru.next = &s.lru;
	s.read_only = a.read_only;
	s.verbose = a.verbose;
	s.max_upload = a.max_upload;
	s.idle_ms = a.idle_ms;
	s.once = a.once;
	catch_signals();
	status = stack_open(&a.stack, cmd, &s.e);
	if (status == EXIT_DONE) {
		status = serve(&s, &a);
		stack_close(&a.stack, s.e, got_signal > 1 ? 0 : DRAIN_MS);
	}
	free(s.buf);
	close(s.root);
	return out_finish(status);
}

const struct cmd cmd_serve = {
	.name = "serve",
	.args = "DIR",
	.help = "HTTP server of a directory",
	.about = "Serves the files below DIR over HTTP/1.1 on a stack of its own: GET, HEAD,\n"
		 "byte ranges, conditional requests, PUT, keep-alive and pipelining.  A\n"
		 "directory shows its index.html or a list; nothing outside of DIR can be\n"
		 "reached.  SIGTERM or SIGINT ends it after the responses under way; a second\n"
		 "one at once.",
	.example = "  rill serve --dev tap:rill0 --addr 10.77.0.2/24 --addr fd77::2/64 \\\n"
		   "      --peer-addr 10.77.0.1/24 --peer-addr fd77::1/64 --port 80 .",
	.opts = opts,
	.runs_stack = true,
	.run = run,
};
