/* SPDX-License-Identifier: MIT */
/*
 * State changes of Rill's stacks: a connection to each one's control socket that
 * asked to "watch", read line by line without waiting.  Stacks that start are found
 * by looking for them again; one that hangs up has ended.  A line that is no event is
 * passed over: it comes from another process.
 *
 * Called by events.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "look/ctlc.h"
#include "look/events_int.h"
#include "look/filter.h"
#include "rill/stack.h"

#define BUF		(64 * 1024)
#define READS_MAX	64		/* of one stack in one go */

struct watched {
	int	fd;
	long	pid;
	char	name[64];
	char	buf[BUF];
	size_t	len;
};

struct rl_watchers {
	int		ep;		/* of events.c */
	struct watched	*w[CTLC_STACKS_MAX];
	unsigned	n;
	uint64_t	lost;
	char		name[64];	/* "": any */
	long		pid;
	struct ctl_stacks found;
};

static int state_of(const char *name)
{
	for (int i = 1; i < RILL_TCP_STATES; i++)
		if (!strcmp(name, rill_state_name(i)))
			return i;
	return 0;
}

static void about(const struct watched *w, enum rl_event_kind kind, struct rl_event *e)
{
	memset(e, 0, sizeof(*e));
	e->kind = kind;
	e->source = RILL_SRC_RILL;
	e->pid = (int)w->pid;
	memcpy(e->stack, w->name, sizeof(e->stack));
}

static bool take_addr(const json_t *o, const char *addr, const char *port, struct rill_addr *a)
{
	a->port = (uint16_t)ctlc_int(o, port);
	return filter_parse_ip(ctlc_str(o, addr), a->ip.b);
}

static bool is_v4(const struct rill_addr *a)
{
	static const uint8_t head[12] = { [10] = 0xff, [11] = 0xff };

	return !memcmp(a->ip.b, head, 12);
}

/* Return: whether @o is a state change, or a number of events that got lost. */
static bool parse(struct rl_watchers *ws, const struct watched *w, const json_t *o,
		  struct rl_event *e)
{
	const char *what = ctlc_str(o, "event");

	if (!strcmp(what, "lost"))
		ws->lost += (uint64_t)ctlc_int(o, "n");
	if (strcmp(what, "state") != 0)
		return false;
	about(w, RL_EVENT_STATE, e);
	e->time_ns = ctlc_int(o, "at_us") * 1000;
	e->id = strtoull(ctlc_str(o, "id"), NULL, 16);
	e->from = (uint8_t)state_of(ctlc_str(o, "from"));
	e->to = (uint8_t)state_of(ctlc_str(o, "to"));
	if (!e->to || !take_addr(o, "local", "lport", &e->local) ||
	    !take_addr(o, "peer", "pport", &e->peer))
		return false;
	e->family = is_v4(&e->local) ? 4 : 6;
	return true;
}

static void take_lines(struct rl_watchers *ws, struct watched *w, event_each *each, void *ctx)
{
	char *p = w->buf, *nl;
	size_t left = w->len;

	while ((nl = memchr(p, '\n', left)) != NULL) {
		json_t *o = json_loadb(p, (size_t)(nl - p), 0, NULL);
		struct rl_event e;

		if (o && parse(ws, w, o, &e))
			each(ctx, &e);
		json_decref(o);
		left -= (size_t)(nl - p) + 1;
		p = nl + 1;
	}
	if (left == BUF)
		left = 0;			/* no line of ours is that long */
	memmove(w->buf, p, left);
	w->len = left;
}

/* Return: false when the stack has hung up. */
static bool read_some(struct rl_watchers *ws, struct watched *w, event_each *each, void *ctx)
{
	for (int i = 0; i < READS_MAX; i++) {
		ssize_t n = recv(w->fd, w->buf + w->len, BUF - w->len, MSG_DONTWAIT);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return true;
		if (n <= 0)
			return false;
		w->len += (size_t)n;
		take_lines(ws, w, each, ctx);
	}
	return true;
}

static void drop(struct rl_watchers *ws, unsigned i)
{
	close(ws->w[i]->fd);
	free(ws->w[i]);
	ws->w[i] = ws->w[--ws->n];
}

bool rl_watchers_read(struct rl_watchers *ws, int fd, event_each *each, void *ctx)
{
	for (unsigned i = 0; i < ws->n; i++) {
		struct rl_event e;

		if (ws->w[i]->fd != fd)
			continue;
		if (!read_some(ws, ws->w[i], each, ctx)) {
			about(ws->w[i], RL_EVENT_STACK_END, &e);
			drop(ws, i);
			each(ctx, &e);
		}
		return true;
	}
	return false;
}

static bool is_known(const struct rl_watchers *ws, const struct ctl_stack *st)
{
	for (unsigned i = 0; i < ws->n; i++)
		if (ws->w[i]->pid == st->pid && !strcmp(ws->w[i]->name, st->name))
			return true;
	return false;
}

static struct watched *watch(struct rl_watchers *ws, const struct ctl_stack *st)
{
	static const char ask[] = "{\"cmd\":\"watch\",\"states\":true}\n";
	struct watched *w = ws->n < CTLC_STACKS_MAX ? calloc(1, sizeof(*w)) : NULL;
	struct epoll_event ev = { .events = EPOLLIN };

	if (!w)
		return NULL;
	w->fd = fcntl(st->fd, F_DUPFD_CLOEXEC, 3);
	w->pid = st->pid;
	snprintf(w->name, sizeof(w->name), "%s", st->name);
	ev.data.fd = w->fd;
	if (w->fd >= 0 && send(w->fd, ask, sizeof(ask) - 1, MSG_NOSIGNAL) > 0 &&
	    epoll_ctl(ws->ep, EPOLL_CTL_ADD, w->fd, &ev) == 0) {
		ws->w[ws->n++] = w;
		return w;
	}
	if (w->fd >= 0)
		close(w->fd);
	free(w);
	return NULL;
}

void rl_watchers_scan(struct rl_watchers *ws, event_each *each, void *ctx)
{
	const struct ctl_select sel = { ws->pid, *ws->name ? ws->name : NULL };

	ctlc_open(&ws->found, &sel);
	for (unsigned i = 0; i < ws->found.n; i++) {
		const struct ctl_stack *st = &ws->found.list[i];
		struct watched *w = is_known(ws, st) ? NULL : watch(ws, st);
		struct rl_event e;

		if (!w)
			continue;
		about(w, RL_EVENT_STACK_NEW, &e);
		each(ctx, &e);
	}
	ctlc_close(&ws->found);
}

struct rl_watchers *rl_watchers_open(int ep, long pid, const char *name)
{
	struct rl_watchers *ws = calloc(1, sizeof(*ws));

	if (!ws)
		return NULL;
	ws->ep = ep;
	ws->pid = pid;
	snprintf(ws->name, sizeof(ws->name), "%s", name ? name : "");
	return ws;
}

unsigned rl_watchers_n(const struct rl_watchers *ws)
{
	return ws->n;
}

uint64_t rl_watchers_lost(const struct rl_watchers *ws)
{
	return ws->lost;
}

void rl_watchers_close(struct rl_watchers *ws)
{
	while (ws && ws->n)
		drop(ws, 0);
	free(ws);
}
