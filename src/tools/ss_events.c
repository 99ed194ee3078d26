/* SPDX-License-Identifier: MIT */
/*
 * rill ss -E: sockets as they end, each as a row (or JSON line) as soon as it does.
 * The kernel tells them itself, whole, as ss(8) -E has them (look/ended.c); stacks
 * tell state changes (look/events.h), of which those to CLOSED are an end.
 */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "look/ended.h"
#include "look/events.h"
#include "look/sock_json.h"
#include "tools/cmd.h"
#include "tools/out.h"
#include "tools/ss.h"

#define BATCH	256		/* events between two looks at signals */
#define WAKE_MS	1000		/* one that came just before poll() is seen then */

static volatile sig_atomic_t interrupted;

struct ends {
	struct ss		*s;
	struct rl_ended		*kernel;	/* NULL: not asked for */
	struct rl_events	*rill;
};

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

/* A stack's: the state is that before the end, since CLOSED says nothing. */
static void rill_end(struct ss *s, const struct rl_event *e)
{
	struct rill_sock k;

	if (e->kind != RL_EVENT_STATE || e->to != RILL_CLOSE ||
	    ((s->v4 || s->v6) && !(e->family == 4 ? s->v4 : s->v6)))
		return;
	memset(&k, 0, sizeof(k));
	k.source = RILL_SRC_RILL;
	k.proto = IPPROTO_TCP;
	k.family = e->family;
	k.state = e->from;
	k.half_open = e->half_open;
	k.local = e->local;
	k.peer = e->peer;
	k.cookie = e->id;
	k.pid = e->pid;
	k.stack = e->stack;
	k.uid = k.age_ms = -1;
	each(s, &k);
}

static int read_rill(struct ends *n)
{
	struct rl_event e;
	int r = 1;

	for (int i = 0; i < BATCH && r == 1 && !out_closed(); i++) {
		r = rl_events_next(n->rill, &e);
		if (r == 1)
			rill_end(n->s, &e);
	}
	return r < 0 ? r : 0;
}

static int follow(struct ends *n)
{
	int r = 0;

	while (!interrupted && !out_closed() && r >= 0) {
		struct pollfd p[] = {
			{ n->kernel ? rl_ended_fd(n->kernel) : -1, POLLIN, 0 },
			{ n->rill ? rl_events_fd(n->rill) : -1, POLLIN, 0 },
			{ STDOUT_FILENO, 0, 0 },	/* its reader went away */
		};

		if (poll(p, 3, WAKE_MS) <= 0)
			continue;
		if (p[2].revents)
			break;
		if (p[0].revents)
			r = rl_ended_read(n->kernel, each, n->s);
		if (r > 0)
			complain("ss: -E: more sockets ended than could be read: some are missing");
		if (r >= 0 && p[1].revents)
			r = read_rill(n);
	}
	return r < 0 ? r : 0;
}

static int open_both(struct ends *n)
{
	struct rl_events_query q = { .want = RL_EV_RILL, .pid = n->s->q.pid,
				     .stack = n->s->q.stack };

	if (n->s->rill && n->s->q.want & RILL_WANT_TCP) {
		int r = rl_events_open(&n->rill, &q);

		if (r < 0)
			return r;
	}
	if (n->s->kernel) {
		n->kernel = rl_ended_open(n->s->q.want);
		if (!n->kernel)
			return -errno;
	}
	return 0;
}

int ss_events(struct ss *s)
{
	struct sigaction sa = { .sa_handler = on_signal };
	struct ends n = { .s = s };
	int r = open_both(&n);

	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	if (r == 0 && !s->json && !s->no_header) {
		ss_print(s);			/* the header, so that one sees it runs */
		s->no_header = true;
		fflush(stdout);
	}
	if (r == 0)
		r = follow(&n);
	if (r < 0)
		complain("ss: -E: %s%s", strerror(-r),
			 r == -EPERM ? "; be root (CAP_NET_ADMIN)" : "");
	if (n.kernel)
		rl_ended_close(n.kernel);
	if (n.rill)
		rl_events_close(n.rill);
	return r < 0 ? EXIT_FAILED : EXIT_DONE;
}
