/* SPDX-License-Identifier: MIT */
/*
 * rill kill - end chosen connections with a reset [D3], the kernel's and those of
 * stacks.  What it will end is shown and asked for first; what can't be ended is
 * said, and the exit status tells.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "look/act.h"
#include "look/sock_json.h"
#include "tools/out.h"
#include "tools/victims.h"

enum { K_YES = 1 };

static const struct opt opts[] = {
	{ K_YES, 'y', "yes", NULL, "do not ask" },
	VICTIM_OPTS,
	{ V_UDP, 'u', "udp", NULL, "UDP sockets (with -t: both)" },
	{ 0, 0, NULL, NULL, NULL },
};

/* Return: whether a person says yes. */
static bool asked(const struct victims *v)
{
	char line[16];

	if (!isatty(STDIN_FILENO)) {
		complain("kill: %zu socket%s match; nobody to ask here, so nothing was done: "
			 "add --yes", v->n, v->n == 1 ? "" : "s");
		return false;
	}
	fflush(stdout);
	fprintf(stderr, "End %s %zu socket%s? [y/N] ", v->n == 1 ? "this" : "these", v->n,
		v->n == 1 ? "" : "s");
	if (fgets(line, sizeof(line), stdin) && (line[0] == 'y' || line[0] == 'Y'))
		return true;
	complain("kill: nothing was done");
	return false;
}

static void report(const struct victims *v, const struct rill_sock *s, int err, bool first)
{
	if (!v->ss.json)
		return;
	printf("%s\n{\"ended\":%s,\"why\":", first ? "" : ",",
	       err == 0 || err == -ENOENT ? "true" : "false");
	rl_json_str(stdout, rl_act_why(err, s));
	putchar(',');
	rl_sock_json(stdout, s);
	putchar('}');
}

/* One that is gone by itself is ended as well.  Return: exit status. */
static int end_all(struct victims *v)
{
	struct rl_act *a = victims_begin(v);
	size_t ended = 0;

	if (!a)
		return EXIT_FAILED;
	for (size_t i = 0; i < v->n; i++) {
		int r = rl_act_kill(a, &v->table.sock[i]);

		ended += r == 0 || r == -ENOENT;
		report(v, &v->table.sock[i], r, i == 0);
	}
	victims_end(v, a);
	if (ended == v->n)
		return EXIT_DONE;
	complain("kill: %zu of %zu could not be ended", v->n - ended, v->n);
	return EXIT_FAILED;
}

static int run(const struct cmd *cmd, int argc, char **argv)
{
	struct optwalk w = { .cmd = cmd, .argc = argc, .argv = argv, .at = 1 };
	static struct victims v = { .cmd = "kill" };
	bool yes = false;
	int id, status;

	while ((id = opt_next(&w)) != OPTW_END) {
		if (id == OPTW_BAD || id == OPTW_HELPED)
			return opt_status(id);
		if (id == K_YES)
			yes = true;
		else if (!victims_option(&v, id, w.arg))
			return EXIT_MISUSE;
	}
	/* listeners and unconnected sockets only where a state says so */
	status = victims_read(&v, FILTER_ALL & ~FILTER_CLOSED);
	if (status >= 0)
		return status;
	if (!v.ss.json)
		victims_show(&v);
	if (v.dry)
		status = EXIT_DONE;
	else
		status = yes || asked(&v) ? end_all(&v) : EXIT_FAILED;
	victims_free(&v);
	return out_finish(status);
}

const struct cmd cmd_kill = {
	.name = "kill",
	.args = "FILTER",
	.help = "end chosen connections with a reset",
	.about = "Ends the connections that FILTER (that of `rill ss`) matches: both sides are\n"
		 "told, the peer by RST, the program by ECONNABORTED.  They are shown first, and\n"
		 "asked for on a terminal; without one --yes is needed.  Listeners and\n"
		 "unconnected sockets are meant only where the filter names their state.\n"
		 "The kernel's are ended in every state that it permits (CAP_NET_ADMIN needed;\n"
		 "TIME-WAIT since Linux 6.6); a stack's half-open peers and TIME-WAIT end by\n"
		 "their timers only.  Exit status: 0 when all are gone, 1 when some are not.",
	.example = "  rill kill --yes dst 10.0.0.7 state close-wait",
	.opts = opts,
	.run = run,
};
