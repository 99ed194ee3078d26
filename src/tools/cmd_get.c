/* SPDX-License-Identifier: MIT */
/*
 * rill get - an HTTP client on Rill: fetches a URL, or uploads a file to it,
 * and says how fast that was.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/get.h"
#include "tools/net.h"
#include "tools/out.h"

#define DRAIN_MS	5000

enum { G_OUTPUT = 1, G_RANGE, G_UPLOAD, G_VERBOSE, G_QUIET, G_SHA, G_TIMEOUT };

static const struct opt opts[] = {
	{ G_OUTPUT, 'o', "output", "FILE|-", "write there; default: standard output" },
	{ G_RANGE, 'r', "range", "A-B", "these bytes only; A- and -LAST too" },
	{ G_UPLOAD, 'T', "upload", "FILE|-", "PUT that file instead" },
	{ G_SHA, 0, "sha256", NULL, "print the hash of the file, as sha256sum does" },
	{ G_TIMEOUT, 'm', "timeout", "SEC", "give up when nothing moves for that long" },
	{ G_VERBOSE, 'v', "verbose", NULL, "show request and response heads" },
	{ G_QUIET, 'q', "quiet", NULL, "no progress, no summary" },
	{ 0, 0, NULL, NULL, NULL },
};

static int misuse(const char *what, const char *which)
{
	complain("get: %s %s; see `rill get --help`", what, which);
	return EXIT_MISUSE;
}

/* "A-B", "A-", "-N" */
static bool is_range(const char *s)
{
	size_t a = strspn(s, "0123456789"), b;

	if (s[a] != '-')
		return false;
	b = strspn(s + a + 1, "0123456789");
	return !s[a + 1 + b] && a + b > 0 && a + b < 40;
}

/* Return: -1 to go on, or the exit status. */
static int take(struct get *g, int id, char *arg, bool *has_url)
{
	const char *why;

	switch (id) {
	case G_OUTPUT:
		g->output = strcmp(arg, "-") ? arg : NULL;
		return -1;
	case G_RANGE:
		g->range = arg;
		return is_range(arg) ? -1 : misuse("give --range A-B, A- or -LAST, not", arg);
	case G_UPLOAD:
		g->upload = arg;
		return -1;
	case G_SHA:
		g->want_sha = true;
		return -1;
	case G_TIMEOUT:
		return parse_seconds(arg, &g->timeout_ms) && g->timeout_ms > 0 ? -1 :
		       misuse("give --timeout in seconds above 0, not", arg);
	case G_VERBOSE:
		g->verbose = true;
		return -1;
	case G_QUIET:
		g->quiet = true;
		return -1;
	case OPTW_OPERAND:
		if (*has_url)
			return misuse("one URL only, not also", arg);
		*has_url = true;
		why = http_parse_url(arg, &g->url);
		if (!why)
			return -1;
		complain("get: %s: %s", arg, why);
		return EXIT_MISUSE;
	}
	return opt_status(id);
}

static int parse(const struct cmd *cmd, int argc, char **argv, struct get *g)
{
	struct optwalk w = { .cmd = cmd, .argc = argc, .argv = argv, .at = 1 };
	bool has_url = false;
	int id, r;

	while ((id = opt_next(&w)) != OPTW_END) {
		r = stack_arg(&g->stack, cmd, id, w.arg);
		if (r < 0)
			return EXIT_MISUSE;
		if (r > 0)
			continue;
		r = take(g, id, w.arg, &has_url);
		if (r >= 0)
			return r;
	}
	if (!has_url)
		return misuse("which URL?", "give http://HOST/PATH");
	if (g->upload && g->range)
		return misuse("--range does not go with", "--upload");
	return -1;
}

static bool open_upload(struct get *g)
{
	struct stat st;

	g->in = -1;
	if (!g->upload)
		return true;
	g->in = strcmp(g->upload, "-") ? open(g->upload, O_RDONLY | O_CLOEXEC) : dup(0);
	if (g->in < 0 || fstat(g->in, &st) < 0) {
		complain("get: cannot read %s: %s", g->upload, strerror(errno));
		return false;
	}
	if (S_ISDIR(st.st_mode)) {
		complain("get: %s is a directory: give a file", g->upload);
		return false;
	}
	g->in_size = S_ISREG(st.st_mode) ? (uint64_t)st.st_size : UINT64_MAX;
	return true;
}

static void report(struct get *g)
{
	double s = (double)(get_now_ns() - g->start_ns) / 1e9;
	uint64_t n = g->upload ? g->sent : g->received;
	FILE *to = g->output || g->upload ? stdout : stderr;
	char text[32], hex[65];

	if (isatty(2) && !g->quiet && g->shown_ns)
		fputs("\r\033[K", stderr);
	if (!g->quiet)
		fprintf(stderr, "rill: %d %s: %s %s in %.3f s, %.2f Gbit/s\n", g->status,
			http_reason(g->status), out_bytes(n, text, sizeof(text)),
			g->upload ? "sent" : "received", s, 8e-9 * (double)n / s);
	if (g->want_sha && (g->upload || g->status < 400)) {
		sha256_hex(&g->sha, hex);
		fprintf(to, "%s  %s\n", hex, g->upload ? g->upload :
			g->output ? g->output : "-");
	}
}

static int exchange(struct get *g, struct rill_engine *e, const struct addrinfo *ai)
{
	const struct addrinfo *used = NULL;
	char text[NET_TEXT];
	int status;

	g->start_ns = get_now_ns();
	sha256_init(&g->sha);
	g->fd = net_connect(e, ai, NULL, g->timeout_ms, &used);
	if (g->fd < 0) {
		complain("get: cannot connect to %s: %s", net_text(used->ai_addr, text),
			 strerror(-g->fd));
		return EXIT_FAILED;
	}
	if (g->verbose)
		fprintf(stderr, "* connected to %s\n", net_text(used->ai_addr, text));
	status = get_exchange(g);
	rill_close(g->fd);
	if (g->out >= 0 && g->output && close(g->out) < 0 && status == EXIT_DONE) {
		complain("get: %s: %s", g->output, strerror(errno));
		status = EXIT_FAILED;
	}
	if (status == EXIT_DONE)
		report(g);
	if (status == EXIT_DONE && g->status >= 400)
		status = EXIT_FAILED;
	return status;
}

static int with_stack(struct get *g, const struct cmd *cmd)
{
	struct addrinfo *ai;
	struct rill_engine *e;
	int status;

	ai = net_resolve("get", g->url.host, g->url.port, AF_UNSPEC, SOCK_STREAM);
	if (!ai)
		return EXIT_FAILED;
	status = stack_open(&g->stack, cmd, &e);
	if (status == EXIT_DONE) {
		status = exchange(g, e, ai);
		stack_close(&g->stack, e, DRAIN_MS);
	}
	freeaddrinfo(ai);
	return status;
}

static int run(const struct cmd *cmd, int argc, char **argv)
{
	struct get *g = calloc(1, sizeof(*g));
	int status = EXIT_FAILED;

	if (g)
		g->buf = malloc(GET_BUF);
	if (!g || !g->buf) {
		complain("get: out of memory");
		free(g);
		return EXIT_FAILED;
	}
	stack_args_init(&g->stack);
	g->timeout_ms = g->out = g->in = -1;
	status = parse(cmd, argc, argv, g);
	if (status < 0) {
		status = EXIT_FAILED;
		if (open_upload(g))
			status = with_stack(g, cmd);
	}
	if (g->in >= 0)
		close(g->in);
	free(g->buf);
	free(g);
	return out_finish(status);
}

const struct cmd cmd_get = {
	.name = "get",
	.args = "URL",
	.help = "HTTP client: fetch or upload",
	.about = "Fetches URL (http:// only) over a stack of its own, or uploads a file to it.\n"
		 "A host name is asked of the host's resolver; a numeric address, IPv6 in\n"
		 "brackets, needs none.  Redirects are shown and not followed.  The exit status\n"
		 "is 1 when the server answers 400 or above.",
	.example = "  rill get --dev tap:rill0 --addr 10.77.0.2/24 --peer-addr 10.77.0.1/24 \\\n"
		   "      -o page.html http://10.77.0.1/",
	.opts = opts,
	.runs_stack = true,
	.run = run,
};
