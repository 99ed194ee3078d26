/* SPDX-License-Identifier: MIT */
/*
 * Is the peer of an idle connection still there?  Only a segment can tell.  For a
 * moment keepalive is switched on from outside (pidfd_getfd for the kernel's sockets,
 * the control socket for a stack's), so that one or two empty probes go out, and then
 * it is put back as it was, also when the doctor is interrupted: signals that would end
 * it wait until then.  A connection is never ended by this: it is allowed more
 * probes than are sent, and those with TCP_USER_TIMEOUT are left alone.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "look/facts_read.h"

#define ASK_MAX		128
#define PATIENCE_MS	2200
#define STEP_MS		300

static const struct {
	int level, name, probing;
} knobs[] = {
	/* times first: with keepalive on, the idle time decides when the probe leaves */
	{ IPPROTO_TCP, TCP_KEEPCNT, 100 }, { IPPROTO_TCP, TCP_KEEPINTVL, 1 },
	{ SOL_SOCKET, SO_KEEPALIVE, 1 }, { IPPROTO_TCP, TCP_KEEPIDLE, 1 },
};

#define KNOBS	(sizeof(knobs) / sizeof(knobs[0]))

struct asked {
	const struct rill_sock *s;
	int	fd;			/* the kernel's; -1 */
	int	was[KNOBS];
	bool	on, answered;
};

struct asking {
	struct asked	who[ASK_MAX];
	unsigned	n;
	struct ctl_stacks stacks;
	int64_t		began;
	sigset_t	mask;		/* of signals, as it was */
};

/* ---- signals ---- */

static const int enders[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE };

static void hold_signals(struct asking *q)
{
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(enders) / sizeof(enders[0]); i++)
		sigaddset(&set, enders[i]);
	sigaddset(&set, SIGTSTP);		/* nor do probes go on while we sleep */
	sigprocmask(SIG_BLOCK, &set, &q->mask);
}

/* One waits that will end us: put everything back now. */
static bool called_off(void)
{
	sigset_t set;

	sigpending(&set);
	for (size_t i = 0; i < sizeof(enders) / sizeof(enders[0]); i++)
		if (sigismember(&set, enders[i]))
			return true;
	return false;
}

static bool loopback(const struct rill_ip *ip)
{
	static const uint8_t one[16] = { [15] = 1 }, v4[12] = { [10] = 0xff, [11] = 0xff };

	return !memcmp(ip->b, one, 16) || (!memcmp(ip->b, v4, 12) && ip->b[12] == 127);
}

static bool candidate(const struct rl_facts *f, const struct rill_sock *s)
{
	const struct rl_past *p = rl_facts_past(f, s);

	return s->state == RILL_ESTABLISHED && !s->half_open && !s->send_q && s->has_info &&
	       s->timer == RILL_TMR_NONE && s->keepalive != 1 && !loopback(&s->peer.ip) &&
	       p && p->bytes == rl_facts_bytes(s);
}

/* ---- the kernel's ---- */

/* Our copy of the descriptor; -1: no right to it, or it is another socket by now. */
static int borrow(const struct rill_sock *s)
{
	uint64_t cookie = 0;
	socklen_t n = sizeof(cookie);
	int pidfd, fd = -1;

	if (!s->nowners || s->owners[0].fd < 0)
		return -1;
	pidfd = (int)syscall(SYS_pidfd_open, s->owners[0].pid, 0);
	if (pidfd < 0)
		return -1;
	fd = (int)syscall(SYS_pidfd_getfd, pidfd, s->owners[0].fd, 0);
	close(pidfd);
	if (fd >= 0 && (getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &n) < 0 ||
			cookie != s->cookie)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static bool kernel_on(struct asked *a)
{
	unsigned timeout = 0;
	socklen_t n = sizeof(timeout);

	a->fd = borrow(a->s);
	if (a->fd < 0)
		return false;
	if (getsockopt(a->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout, &n) < 0 || timeout)
		return false;
	for (size_t i = 0; i < KNOBS; i++) {
		n = sizeof(a->was[i]);
		if (getsockopt(a->fd, knobs[i].level, knobs[i].name, &a->was[i], &n) < 0)
			return false;
	}
	for (size_t i = 0; i < KNOBS; i++)
		setsockopt(a->fd, knobs[i].level, knobs[i].name, &knobs[i].probing, sizeof(int));
	return true;
}

/* Off first, so that no further probe leaves. */
static void kernel_off(struct asked *a)
{
	if (a->fd < 0)
		return;
	for (size_t i = KNOBS; a->on && i-- > 0; )
		if (knobs[i].name == SO_KEEPALIVE && knobs[i].level == SOL_SOCKET)
			setsockopt(a->fd, knobs[i].level, knobs[i].name, &a->was[i], sizeof(int));
	for (size_t i = 0; a->on && i < KNOBS; i++)
		setsockopt(a->fd, knobs[i].level, knobs[i].name, &a->was[i], sizeof(int));
	close(a->fd);
}

static void kernel_look(struct asked *a, int64_t began)
{
	struct tcp_info ti;
	socklen_t n = sizeof(ti);

	memset(&ti, 0, sizeof(ti));
	if (getsockopt(a->fd, IPPROTO_TCP, TCP_INFO, &ti, &n) < 0)
		return;
	a->answered = ti.tcpi_last_ack_recv < rl_now_ms() - began ||
		      ti.tcpi_state != TCP_ESTABLISHED;
}

/* ---- a stack's ---- */

static struct ctl_stack *stack_of(struct asking *q, const struct rill_sock *s)
{
	for (unsigned i = 0; i < q->stacks.n; i++)
		if (q->stacks.list[i].pid == s->pid && !strcmp(q->stacks.list[i].name, s->stack))
			return &q->stacks.list[i];
	return NULL;
}

static bool stack_set(struct asking *q, const struct asked *a, int level, int name, int value)
{
	struct ctl_stack *st = stack_of(q, a->s);
	char id[24];
	json_t *reply;

	if (!st)
		return false;
	snprintf(id, sizeof(id), "%llx", (unsigned long long)a->s->cookie);
	reply = ctlc_ask(st, json_pack("{s:s,s:s,s:i,s:i,s:i}", "cmd", "setopt", "id", id,
				       "level", level, "name", name, "value", value));
	json_decref(reply);
	return reply != NULL;
}

/* A stack that does not answer the first is not asked for the others: each costs seconds. */
static void stack_off(struct asking *q, struct asked *a)
{
	bool heard = stack_set(q, a, SOL_SOCKET, SO_KEEPALIVE, 0);

	for (size_t i = 0; heard && i < KNOBS; i++)
		heard = stack_set(q, a, knobs[i].level, knobs[i].name, a->was[i]);
}

static bool stack_on(struct asking *q, struct asked *a)
{
	const struct rill_sock *s = a->s;
	const int64_t was[KNOBS] = { s->keepcnt, s->keepintvl_s, 0, s->keepidle_s };

	if (s->user_timeout_ms || s->keepcnt <= 0 || s->keepintvl_s <= 0 || s->keepidle_s <= 0)
		return false;
	for (size_t i = 0; i < KNOBS; i++)
		a->was[i] = (int)was[i];
	for (size_t i = 0; i < KNOBS; i++) {
		if (!stack_set(q, a, knobs[i].level, knobs[i].name, knobs[i].probing)) {
			if (i)
				stack_off(q, a);
			return false;
		}
	}
	return true;
}

static bool stack_heard(void *ctx, const struct rill_sock *s)
{
	struct asking *q = ctx;

	for (unsigned i = 0; i < q->n; i++)
		if (q->who[i].s->source == RILL_SRC_RILL && q->who[i].s->cookie == s->cookie &&
		    q->who[i].s->pid == s->pid)
			q->who[i].answered = s->has_info &&
				s->info.last_ack_recv < rl_now_ms() - q->began;
	return true;
}

/* ---- both ---- */

static bool look(struct asking *q)
{
	struct rill_table_query rq = RILL_TABLE_QUERY_INIT;
	struct rill_table_notes notes;
	unsigned silent = 0;

	rq.want = RILL_WANT_RILL | RILL_WANT_TCP | RILL_WANT_INFO;
	rq.states = 1u << RILL_ESTABLISHED;
	if (q->stacks.n)
		rill_table_walk(&rq, stack_heard, q, &notes);
	for (unsigned i = 0; i < q->n; i++) {
		if (q->who[i].fd >= 0)
			kernel_look(&q->who[i], q->began);
		silent += !q->who[i].answered;
	}
	return silent > 0;
}

static void begin(struct asking *q, struct rl_seen *s)
{
	for (unsigned v = 0; v < s->nviews; v++) {
		const struct rl_facts *f = &s->view[v];

		for (size_t i = 0; i < f->n && q->n < ASK_MAX && !called_off(); i++) {
			struct asked *a = &q->who[q->n];

			if (!candidate(f, &f->sock[i]))
				continue;
			*a = (struct asked){ .s = &f->sock[i], .fd = -1 };
			a->on = f->source == RILL_SRC_KERNEL ? kernel_on(a) : stack_on(q, a);
			if (a->on) {
				q->n++;
				continue;
			}
			s->unprobed++;
			if (a->fd >= 0)
				close(a->fd);
		}
	}
}

static void finish(struct asking *q, struct rl_seen *s)
{
	unsigned heard = called_off() ? 0 : q->n;	/* too little time says nothing */

	s->unprobed += q->n - heard;
	s->probe = calloc(q->n + 1, sizeof(*s->probe));
	for (unsigned i = 0; i < q->n; i++) {
		struct asked *a = &q->who[i];

		if (a->s->source == RILL_SRC_KERNEL)
			kernel_off(a);
		else
			stack_off(q, a);
		if (s->probe)
			s->probe[i] = (struct rl_probe){ a->s->cookie, a->answered };
	}
	for (unsigned v = 0; s->probe && v < s->nviews; v++) {
		s->view[v].probe = s->probe;
		s->view[v].nprobe = heard;
	}
}

void rl_ask_peers(struct rl_seen *s, const struct rl_scope *scope)
{
	struct asking *q = calloc(1, sizeof(*q));

	if (!q)
		return;
	if (!scope->no_rill)
		ctlc_open(&q->stacks, &scope->sel);
	q->began = rl_now_ms();
	hold_signals(q);
	begin(q, s);
	while (q->n && !called_off() && look(q) && rl_now_ms() - q->began < PATIENCE_MS)
		rl_nap_ms(STEP_MS);
	finish(q, s);
	sigprocmask(SIG_SETMASK, &q->mask, NULL);
	ctlc_close(&q->stacks);
	free(q);
}
