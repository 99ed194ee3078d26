/* SPDX-License-Identifier: MIT */
/*
 * rill ss -E: sockets as they end, each as a row (or JSON line) as soon as it does.
 * The kernel tells them itself, whole, as ss(8) -E has them (look/ended.c).
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "look/ended.h"
#include "look/sock_json.h"
#include "tools/cmd.h"
#include "tools/out.h"
#include "tools/ss.h"

static volatile sig_atomic_t interrupted;

static void on_signal(int sig)
{
	(void)sig;
	interrupted = 1;
}

static bool each(void *ctx, const struct rill_sock *k)
{
	struct ss *s = ctx;

	if (!filter_sock(&s->filter, k))
		return true;
	if (s->json) {
		fputs("{\"rill\":1,\"event\":\"destroyed\",", stdout);
		rl_sock_json(stdout, k);
		puts("}");
	} else if (ss_add_row(s, k)) {
		ss_print(s);
		s->no_header = true;		/* once */
	}
	fflush(stdout);
	return !out_closed();
}

int ss_events(struct ss *s)
{
	struct sigaction sa = { .sa_handler = on_signal };
	struct rl_ended *e = s->kernel ? rl_ended_open(s->q.want) : NULL;
	struct pollfd p = { .events = POLLIN };
	int r = 0;

	if (!e) {
		complain("ss: -E: %s", s->kernel ? strerror(errno)
			 : "stacks tell state changes to `rill monitor`; -E is the kernel's");
		return EXIT_FAILED;
	}
	if (!s->filter.has_states)
		s->q.states = FILTER_ALL;
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	p.fd = rl_ended_fd(e);
	if (!s->json && !s->no_header) {
		ss_print(s);			/* the header, so that one sees it runs */
		s->no_header = true;
		fflush(stdout);
	}
	while (!interrupted && !out_closed() && r >= 0) {
		if (poll(&p, 1, -1) > 0)
			r = rl_ended_read(e, each, s);
		if (r > 0)
			complain("ss: -E: more sockets ended than could be read: some are missing");
	}
	rl_ended_close(e);
	return r < 0 ? EXIT_FAILED : EXIT_DONE;
}
