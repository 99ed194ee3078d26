/* SPDX-License-Identifier: MIT */
/*
 * rill export - metrics for Prometheus: over HTTP, into a file for node_exporter's
 * textfile collector, or once to stdout.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tools/cmd.h"
#include "tools/export.h"
#include "tools/out.h"

enum { E_LISTEN = 1, E_TEXTFILE, E_INTERVAL, E_ONCE, E_NO_NETSTAT };

static const struct opt opts[] = {
	{ E_LISTEN, 0, "listen", "ADDR:PORT", "serve /metrics there; default 127.0.0.1:9477" },
	{ E_TEXTFILE, 0, "textfile", "FILE", "write them into FILE instead, whole or not at all" },
	{ E_INTERVAL, 'i', "interval", "SEC", "with --textfile: again every so often" },
	{ E_ONCE, 0, "once", NULL, "write them to stdout instead" },
	{ E_NO_NETSTAT, 0, "no-netstat", NULL, "leave out node_netstat_*, node_sockstat_* and "
	  "node_network_*, which a node_exporter here has too" },
	{ 0, 0, NULL, NULL, NULL },
};

struct export {
	const char	*listen, *textfile;
	int		interval_ms;
	bool		once;
};

static int take(struct export *e, int id, const char *arg)
{
	switch (id) {
	case E_LISTEN:
		e->listen = arg;
		return -1;
	case E_TEXTFILE:
		e->textfile = arg;
		return -1;
	case E_INTERVAL:
		if (parse_seconds(arg, &e->interval_ms) && e->interval_ms)
			return -1;
		complain("export: --interval %s: give seconds above 0", arg);
		return EXIT_MISUSE;
	case E_ONCE:
		e->once = true;
		return -1;
	case E_NO_NETSTAT:
		export_no_netstat();
		return -1;
	case OPTW_OPERAND:
		complain("export: what is %s? see `rill export --help`", arg);
		return EXIT_MISUSE;
	}
	return opt_status(id);
}

static int parse(const struct cmd *cmd, int argc, char **argv, struct export *e)
{
	struct optwalk w = { .cmd = cmd, .argc = argc, .argv = argv, .at = 1 };
	int id, r;

	while ((id = opt_next(&w)) != OPTW_END) {
		r = take(e, id, w.arg);
		if (r >= 0)
			return r;
	}
	if ((e->listen != NULL) + (e->textfile != NULL) + e->once > 1) {
		complain("export: choose one of --listen, --textfile and --once");
		return EXIT_MISUSE;
	}
	if (e->interval_ms && !e->textfile) {
		complain("export: --interval goes with --textfile");
		return EXIT_MISUSE;
	}
	return -1;
}

/* By another name first: a collector never sees half a file. */
static bool write_file(const struct prom *t, const char *path)
{
	char tmp[4096];
	bool ok;
	FILE *f;

	if ((size_t)snprintf(tmp, sizeof(tmp), "%s.%ld", path, (long)getpid()) >= sizeof(tmp))
		errno = ENAMETOOLONG;
	f = strlen(tmp) < sizeof(tmp) - 1 ? fopen(tmp, "w") : NULL;
	ok = f && fwrite(t->p, 1, t->n, f) == t->n;
	if (f && fclose(f) != 0)
		ok = false;
	ok = ok && rename(tmp, path) == 0;
	if (!ok) {
		complain("export: cannot write %s: %s", path, strerror(errno));
		if (f)
			unlink(tmp);
	}
	return ok;
}

static int textfile(const struct export *e, struct prom *t)
{
	struct timespec ts = { e->interval_ms / 1000, e->interval_ms % 1000 * 1000000L };

	do {
		if (!export_text(t) || !write_file(t, e->textfile))
			return EXIT_FAILED;
	} while (e->interval_ms && nanosleep(&ts, NULL) == 0);
	return EXIT_DONE;
}

static int run(const struct cmd *cmd, int argc, char **argv)
{
	struct export e = { 0 };
	struct prom t = { 0 };
	int status = parse(cmd, argc, argv, &e);

	if (status >= 0)
		return status;
	if (e.textfile)
		status = textfile(&e, &t);
	else if (!e.once)
		status = export_serve(e.listen ? e.listen : "127.0.0.1:9477");
	else
		status = export_text(&t) ? EXIT_DONE : EXIT_FAILED;
	if (e.once && status == EXIT_DONE)
		fwrite(t.p, 1, t.n, stdout);		/* out_finish() sees whether it could */
	if (t.bad)
		complain("export: out of memory");
	prom_free(&t);
	return out_finish(status);
}

const struct cmd cmd_export = {
	.name = "export",
	.args = "",
	.help = "metrics for Prometheus, of the host and of running stacks",
	.about = "Serves metrics in Prometheus' text format under /metrics, writes them into a\n"
		 "file for node_exporter's textfile collector, or prints them once.  The kernel's\n"
		 "have the names of node_exporter: node_tcp_connection_states{state=...} with\n"
		 "every state, zeros too; node_netstat_*; node_sockstat_*; node_network_*.  What\n"
		 "it has no name for, and stacks of Rill, are rill_*, in base units, with the\n"
		 "labels stack and pid.  Next to node_exporter itself, give --no-netstat: then\n"
		 "no name is there twice.\n\n"
		 "A slow client is given 10 seconds for its request and 30 for the answer; it\n"
		 "holds nobody else up.",
	.example = "  rill export --once",
	.opts = opts,
	.run = run,
};
