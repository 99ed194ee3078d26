/* SPDX-License-Identifier: MIT */
/*
 * rill nc - a connection by hand: netcat's client and server side, TCP and UDP,
 * on Rill.  This file makes the connections; nc_pump.c moves the data.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "tools/nc.h"
#include "tools/nc_assist.h"
#include "tools/net.h"
#include "tools/out.h"

#define DRAIN_MS	5000

enum {
	N_LISTEN = 1, N_UDP, N_KEEP, N_WAIT, N_SHUT, N_QUIT, N_VERBOSE, N_NODNS, N_V4,
	N_V6, N_PORT, N_FROM, N_NOSTDIN, N_SCAN, N_CRLF, N_KEEPOPEN,
	N_ASSIST, N_HEX, N_KERNEL,
};

static const struct opt opts[] = {
	{ N_LISTEN, 'l', "listen", NULL, "wait for a connection" },
	{ N_UDP, 'u', "udp", NULL, "UDP" },
	{ N_KEEP, 'k', "keep", NULL, "with -l: one connection after another" },
	{ N_WAIT, 'w', "wait", "SEC", "give up connecting, or end when nothing moves, after "
	  "that time" },
	{ N_SHUT, 'N', NULL, NULL, "send FIN at the end of stdin: done without it too" },
	{ N_QUIT, 'q', "quit", "SEC", "quit that long after the end of stdin; -1: never" },
	{ N_KEEPOPEN, 0, "keep-open", NULL, "send no FIN at the end of stdin" },
	{ N_PORT, 'p', "port", "PORT", "local port" },
	{ N_FROM, 's', "source", "ADDR", "local address" },
	{ N_NOSTDIN, 'd', "no-stdin", NULL, "do not read stdin" },
	{ N_SCAN, 'z', "zero", NULL, "connect and report, no data" },
	{ N_CRLF, 'C', "crlf", NULL, "send CR LF for each LF" },
	{ N_NODNS, 'n', "numeric", NULL, "accepted for nc's sake; numbers never ask DNS" },
	{ N_V4, '4', "ipv4", NULL, "IPv4 only" },
	{ N_V6, '6', "ipv6", NULL, "IPv6 only" },
	{ N_ASSIST, 'i', "interactive", NULL, "by hand, with the state and the segments beside "
	  "it" },
	{ N_HEX, 0, "hex", NULL, "with -i: begin in hexadecimal" },
	{ N_KERNEL, 0, "kernel", NULL, "with -i: a socket of the host's kernel, no stack" },
	{ N_VERBOSE, 'v', "verbose", NULL, "say what happens" },
	{ 0, 0, NULL, NULL, NULL },
};

static int misuse(const char *what, const char *which)
{
	complain("nc: %s%s%s; see `rill nc --help`", what, *which ? " " : "", which);
	return EXIT_MISUSE;
}

static int take_word(struct nc *n, const char *arg)
{
	if (!n->host)
		n->host = arg;
	else if (!n->port)
		n->port = arg;
	else
		return misuse("not understood:", arg);
	return -1;
}

static void take_assist(struct nc *n, int id)
{
	n->assist |= id == N_ASSIST;
	n->hex |= id == N_HEX;
	n->kernel |= id == N_KERNEL;
}

/* Return: -1 to go on, or the exit status. */
static int take(struct nc *n, int id, const char *arg)
{
	switch (id) {
	case N_LISTEN:
		n->listen = true;
		return -1;
	case N_UDP:
		n->udp = true;
		return -1;
	case N_KEEP:
		n->keep = true;
		return -1;
	case N_WAIT:
		return parse_seconds(arg, &n->idle_ms) && n->idle_ms > 0 ? -1 :
		       misuse("-w needs seconds above 0, not", arg);
	case N_SHUT:
	case N_NODNS:
		return -1;
	case N_QUIT:
		if (arg[0] == '-') {
			n->quit_ms = -1;
			return -1;
		}
		return parse_seconds(arg, &n->quit_ms) ? -1 :
		       misuse("-q needs seconds, not", arg);
	case N_KEEPOPEN:
		n->keep_open = true;
		return -1;
	case N_PORT:
		n->from_port = arg;
		return -1;
	case N_FROM:
		n->from = arg;
		return -1;
	case N_NOSTDIN:
		n->no_stdin = true;
		return -1;
	case N_SCAN:
		n->scan = true;
		return -1;
	case N_CRLF:
		n->crlf = true;
		return -1;
	case N_V4:
		n->family = AF_INET;
		return -1;
	case N_V6:
		n->family = AF_INET6;
		return -1;
	case N_ASSIST:
	case N_HEX:
	case N_KERNEL:
		take_assist(n, id);
		return -1;
	case N_VERBOSE:
		n->verbose = true;
		return -1;
	case OPTW_OPERAND:
		return take_word(n, arg);
	}
	return opt_status(id);
}

static bool port_ok(const char *s)
{
	uint64_t v;

	return parse_u64(s, 1, 65535, &v);
}

/* "nc -l PORT", "nc -l ADDR PORT", "nc -l -p PORT", "nc HOST PORT" */
static int check(struct nc *n)
{
	if (n->listen) {
		if (!n->port) {
			n->port = n->from_port ? n->from_port : n->host;
			n->host = n->from_port ? n->host : NULL;
		}
		if (n->from && !n->host)
			n->host = n->from;
		if (!n->port)
			return misuse("give the port to listen on", "");
	} else if (!n->host || !n->port) {
		return misuse("give HOST and PORT", "");
	}
	if (!port_ok(n->port))
		return misuse("a port is a number from 1 to 65535, not", n->port);
	if (n->from_port && !port_ok(n->from_port))
		return misuse("a port is a number from 1 to 65535, not", n->from_port);
	if (n->keep && !n->listen)
		return misuse("-k goes with -l only", "");
	if ((n->hex || n->kernel) && !n->assist)
		return misuse("--hex and --kernel go with -i; for the kernel there is nc(1)", "");
	if (n->assist && (n->udp || n->scan || n->keep))
		return misuse("-i is for one TCP connection: no -u, -z, -k", "");
	if (n->kernel && (n->from || (n->from_port && !n->listen)))
		return misuse("-p and -s are not for --kernel", "");
	if (n->scan && n->listen)
		return misuse("-z does not go with -l", "");
	return -1;
}

static int parse(const struct cmd *cmd, int argc, char **argv, struct nc *n)
{
	struct optwalk w = { .cmd = cmd, .argc = argc, .argv = argv, .at = 1 };
	int id, r;

	while ((id = opt_next(&w)) != OPTW_END) {
		r = stack_arg(&n->stack, cmd, id, w.arg);
		if (r < 0)
			return EXIT_MISUSE;
		if (r > 0)
			continue;
		r = take(n, id, w.arg);
		if (r >= 0)
			return r;
	}
	return check(n);
}

static int fail(const char *what, const char *where, int err)
{
	complain("nc: %s %s: %s", what, where, strerror(err));
	return EXIT_FAILED;
}

static void say(const struct nc *n, const char *what, const struct sockaddr *sa)
{
	char text[NET_TEXT];

	if (n->verbose)
		fprintf(stderr, "%s %s\n", what, net_text(sa, text));
}

static int join(struct nc *n, int fd)
{
	return n->assist ? nc_assist_rill(n, fd) : nc_pump(n, fd);
}

/* ---- client ---- */

static int client(struct nc *n, const struct addrinfo *ai)
{
	struct addrinfo *from = NULL;
	const struct addrinfo *used = NULL;
	char text[NET_TEXT];
	int fd, status;

	if (n->from || n->from_port) {
		from = net_resolve("nc", n->from, n->from_port ? n->from_port : "0",
				   n->family, ai->ai_socktype);
		if (!from)
			return EXIT_FAILED;
	}
	fd = net_connect(n->e, ai, from, n->idle_ms, &used);
	if (from)
		freeaddrinfo(from);
	if (fd < 0)
		return fail("cannot connect to", net_text(used->ai_addr, text), -fd);
	say(n, n->udp ? "sending to" : "connected to", used->ai_addr);
	status = n->scan ? EXIT_DONE : join(n, fd);
	rill_close(fd);
	return status;
}

/* ---- server ---- */

static int open_listener(struct nc *n, const struct addrinfo *ai)
{
	int fd = rill_socket(n->e, ai->ai_family, ai->ai_socktype | SOCK_NONBLOCK, 0);
	int one = 1, r;

	if (fd < 0)
		return fd;
	rill_setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	r = rill_bind(fd, ai->ai_addr, ai->ai_addrlen);
	if (r >= 0 && !n->udp)
		r = rill_listen(fd, n->keep ? 128 : 1);
	if (r >= 0)
		return fd;
	rill_close(fd);
	return r;
}

/* Return: 0, or -errno; *@fd a connection. */
static int accept_one(struct nc *n, int listener, int *fd)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	int r;

	for (;;) {
		r = net_wait(listener, POLLIN, n->idle_ms);
		if (r == -EINTR)
			continue;
		if (r <= 0)
			return r ? r : -ETIMEDOUT;
		*fd = rill_accept4(listener, (struct sockaddr *)&ss, &len, SOCK_NONBLOCK);
		if (*fd >= 0) {
			say(n, "connection from", (struct sockaddr *)&ss);
			return 0;
		}
		if (*fd != -EAGAIN && *fd != -ECONNABORTED)
			return *fd;
	}
}

static int serve_tcp(struct nc *n, int listener)
{
	int fd, r, status;

	do {
		r = accept_one(n, listener, &fd);
		if (r < 0)
			return fail("waiting for", "a connection", -r);
		status = join(n, fd);
		rill_close(fd);
	} while (n->keep);
	return status;
}

/* The first datagram decides whom we talk to. */
static int serve_udp(struct nc *n, int fd)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	ssize_t r;
	char c;

	if (n->keep)
		return nc_print_datagrams(n, fd);
	do {
		int w = net_wait(fd, POLLIN, n->idle_ms);

		if (w <= 0 && w != -EINTR)
			return fail("waiting for", "a datagram", w ? -w : ETIMEDOUT);
		r = rill_recvfrom(fd, &c, 1, MSG_PEEK | MSG_DONTWAIT,
				  (struct sockaddr *)&ss, &len);
	} while (r == -EAGAIN || r == -EINTR);
	if (r >= 0)
		r = rill_connect(fd, (struct sockaddr *)&ss, len);
	if (r < 0)
		return fail("answering", "a datagram", (int)-r);
	say(n, "datagram from", (struct sockaddr *)&ss);
	return nc_pump(n, fd);
}

static int server(struct nc *n, const struct addrinfo *ai)
{
	char text[NET_TEXT];
	int fd, status;

	/* without an address: IPv6's any-address is for both families */
	if (!n->host && n->family == AF_UNSPEC)
		for (const struct addrinfo *a = ai; a; a = a->ai_next)
			if (a->ai_family == AF_INET6)
				ai = a;
	fd = open_listener(n, ai);
	if (fd < 0)
		return fail("cannot listen on", net_text(ai->ai_addr, text), -fd);
	say(n, "listening on", ai->ai_addr);
	status = n->udp ? serve_udp(n, fd) : serve_tcp(n, fd);
	rill_close(fd);
	return status;
}

static int run(const struct cmd *cmd, int argc, char **argv)
{
	static struct nc n = { .family = AF_UNSPEC, .idle_ms = -1, .quit_ms = -1 };
	struct addrinfo *ai;
	int status;

	stack_args_init(&n.stack);
	status = parse(cmd, argc, argv, &n);
	if (status >= 0)
		return status;
	ai = net_resolve("nc", n.host, n.port, n.family, n.udp ? SOCK_DGRAM : SOCK_STREAM);
	if (!ai)
		return EXIT_FAILED;
	if (n.kernel) {
		status = nc_assist_kernel(&n, ai);
		freeaddrinfo(ai);
		return out_finish(status);
	}
	if (!n.assist)
		nc_open_stdout();
	status = stack_open(&n.stack, cmd, &n.e);
	if (status == EXIT_DONE) {
		n.segs = n.assist ? nc_assist_segs(&n) : NULL;
		status = n.listen ? server(&n, ai) : client(&n, ai);
		stack_close(&n.stack, n.e, DRAIN_MS);
	}
	freeaddrinfo(ai);
	return out_finish(status);
}

const struct cmd cmd_nc = {
	.name = "nc",
	.args = "[HOST] PORT",
	.help = "a TCP or UDP connection by hand",
	.about = "Connects to HOST and PORT, or with -l waits for a connection to PORT, and\n"
		 "joins it to stdin and stdout.  The end of stdin sends FIN and the other\n"
		 "direction stays open until the peer ends it.  A host name is asked of the\n"
		 "host's resolver.\n\n"
		 "-i is for debugging by hand: on a terminal a split screen with what was sent\n"
		 "and received, the state as it changes and the segments that pass; without one,\n"
		 "lines (> sent, < received, * state, # segment, - note, ! trouble).  A line that\n"
		 "is typed is sent as text with \\n \\r \\t \\0 \\xHH, or after /hex as pairs of\n"
		 "digits; /text /fin /state /quit are the other commands.  With --kernel the\n"
		 "state comes from the host's TCP_INFO, and there are no segments.",
	.example = "  rill nc --dev tap:rill0 --addr 10.77.0.2/24 \\\n"
		   "      --peer-addr 10.77.0.1/24 -l 7777\n"
		   "  (and in another terminal: nc 10.77.0.2 7777)",
	.opts = opts,
	.runs_stack = true,
	.run = run,
};
