// SPDX-License-Identifier: MIT
/*
 * Time and waiting in the plug-in.
 *
 * Virtual time moves only when the tool asks for it: each gettimeofday() is a
 * microsecond (the tool spins on it), usleep() lets its time pass, and
 * netdev_receive() goes from deadline to deadline until a packet leaves.
 *
 * A scripted call that blocks comes on a second thread, and the tool goes on once
 * the kernel shows that thread as sleeping: so it really sleeps, on a condition.
 * When it is due, whoever moved time wakes it and stands still until that thread
 * has read the clock, since the tool stamps the call's end in this way.  A call
 * that blocks on the tool's main thread, which moves time, moves time itself.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "base/types.h"
#include "drill/plugin.h"
#include "sock/host.h"

#define EPOCH_US	INT64_C(1000000000000000)	/* of virtual time 0 */
#define HOLD_REAL_S	1		/* then a thread that reads no clock is let go */

/* A thread that waits, on its stack. */
struct drill_plug_sleeper {
	struct drill_plug_sleeper *next;
	struct rl_waiter *w;
	int64_t		until_ns;
	pthread_t	thread;
	bool		woken;
};

static int64_t now_ns(const struct drill_plug *p)
{
	return p->w ? rl_drill_world_now(p->w) : p->lost_ns;
}

/* ---- threads ---- */

static bool holds(const struct drill_plug *p)
{
	return p->held && pthread_equal(p->holder, pthread_self());
}

static void let_time_go(struct drill_plug *p)
{
	if (!holds(p))
		return;
	p->held = false;
	pthread_cond_broadcast(&p->cond);
}

/* What a call waits for has come, on one of the kernel's descriptors too (a pipe). */
static bool is_ready(const struct rl_waiter *w)
{
	return w->ready || (w->nkfds && poll(w->kfds, w->nkfds, 0) > 0);
}

static bool due(const struct drill_plug *p, const struct drill_plug_sleeper *s)
{
	return now_ns(p) >= s->until_ns || p->closing || is_ready(s->w);
}

static struct drill_plug_sleeper *take_due(struct drill_plug *p)
{
	struct drill_plug_sleeper **q, *s;

	for (q = &p->sleepers; *q && !due(p, *q); q = &(*q)->next)
		;
	s = *q;
	if (s)
		*q = s->next;
	return s;
}

static void wait_for_holder(struct drill_plug *p)
{
	struct timespec ts;
	int r = 0;

	clock_gettime(CLOCK_REALTIME, &ts);
	ts.tv_sec += HOLD_REAL_S;
	while (p->held && r == 0)
		r = pthread_cond_timedwait(&p->cond, &p->lock, &ts);
	if (p->held)
		fprintf(stderr, "librill-packetdrill: a call has returned, but its "
			"thread does not read the clock\n");
	p->held = false;
}

/* Wake all that are due, one after another, each with the clock held. */
static void settle(struct drill_plug *p)
{
	struct drill_plug_sleeper *s;

	while ((s = take_due(p))) {
		p->held = true;
		p->holder = s->thread;
		s->woken = true;
		pthread_cond_broadcast(&p->cond);
		wait_for_holder(p);
	}
}

void rl_drill_plug_enter(struct drill_plug *p)
{
	pthread_mutex_lock(&p->lock);
	p->inside++;
}

int64_t rl_drill_plug_leave(struct drill_plug *p, int64_t r)
{
	settle(p);
	p->inside--;
	pthread_cond_broadcast(&p->cond);
	pthread_mutex_unlock(&p->lock);
	if (r >= 0)
		return r;
	errno = (int)-r;
	return -1;
}

bool rl_drill_plug_drain(struct drill_plug *p)
{
	struct timespec ts;
	bool left;
	int r = 0;

	pthread_mutex_lock(&p->lock);
	p->closing = true;
	settle(p);
	clock_gettime(CLOCK_REALTIME, &ts);
	ts.tv_sec += HOLD_REAL_S;
	while (p->inside && r == 0)
		r = pthread_cond_timedwait(&p->cond, &p->lock, &ts);
	left = p->inside == 0;
	pthread_mutex_unlock(&p->lock);
	return left;
}

/* ---- time ---- */

int64_t rl_drill_plug_deadline(void *plug)
{
	const struct drill_plug *p = plug;
	int64_t at_ns = RL_NEVER;

	for (const struct drill_plug_sleeper *s = p->sleepers; s; s = s->next)
		at_ns = RL_MIN(at_ns, s->until_ns);
	return at_ns;
}

/* The next thing that happens by itself, if it is not after @limit_ns. */
static bool next(struct drill_plug *p, int64_t limit_ns)
{
	if (!p->w || !rl_drill_world_step(p->w, limit_ns))
		return false;
	settle(p);
	return true;
}

/* As rl_drill_world_until(): what is due at @at_ns itself comes later. */
static void pass(struct drill_plug *p, int64_t at_ns)
{
	for (unsigned i = 0; i < DRILL_STEPS_MAX && next(p, at_ns - 1); i++)
		;
	if (p->w)
		rl_drill_world_until(p->w, at_ns);
	else
		p->lost_ns = at_ns;
	settle(p);
}

static int64_t patience_end(const struct drill_plug *p)
{
	return now_ns(p) + p->flags.patience_ns;
}

/* Nobody else moves time: do it, as far as patience goes. */
static int drive(struct drill_plug *p, struct rl_waiter *w, int64_t until_ns)
{
	int64_t limit_ns = patience_end(p);

	for (unsigned i = 0; i < DRILL_STEPS_MAX && !is_ready(w); i++) {
		if (now_ns(p) >= until_ns)
			return 0;
		if (next(p, RL_MIN(until_ns, limit_ns)))
			continue;
		if (until_ns > limit_ns)
			return -EINTR;	/* it would wait for ever */
		pass(p, until_ns);
	}
	return is_ready(w) ? 1 : -EINTR;
}

int rl_drill_plug_wait(void *plug, struct rl_waiter *w, int64_t until_ns)
{
	struct drill_plug *p = plug;
	struct drill_plug_sleeper s = {
		.next = p->sleepers, .w = w, .until_ns = until_ns, .thread = pthread_self(),
	};

	if (p->closing)
		return -EINTR;
	if (pthread_equal(p->main, s.thread))
		return drive(p, w, until_ns);
	p->sleepers = &s;
	let_time_go(p);		/* woken in vain */
	while (!s.woken)
		pthread_cond_wait(&p->cond, &p->lock);
	return is_ready(w) ? 1 : p->closing ? -EINTR : 0;
}

int rl_drill_plug_poll_kernel(struct drill_plug *p, struct pollfd *fds, nfds_t n,
			      int timeout_ms)
{
	struct rl_waiter w;
	int r = rill_poll(fds, n, 0);

	if (r != 0 || timeout_ms == 0)
		return r;
	rl_waiter_init(&w);
	w.kfds = fds;
	w.nkfds = (unsigned)n;
	r = rl_drill_plug_wait(p, &w, timeout_ms < 0 ? RL_NEVER :
			       now_ns(p) + timeout_ms * RL_MS);
	return r < 0 ? r : rill_poll(fds, n, 0);
}

int rl_drill_plug_gettimeofday(void *plug, struct timeval *tv, struct timezone *tz)
{
	struct drill_plug *p = plug;
	int64_t us;

	(void)tz;		/* always NULL; nobody has used it for decades */
	rl_drill_plug_enter(p);
	us = now_ns(p) / RL_US + 1;
	pass(p, us * RL_US);
	tv->tv_sec = (time_t)((us + EPOCH_US) / 1000000);
	tv->tv_usec = (suseconds_t)((us + EPOCH_US) % 1000000);
	let_time_go(p);
	return (int)rl_drill_plug_leave(p, 0);
}

int rl_drill_plug_usleep(void *plug, useconds_t us)
{
	struct drill_plug *p = plug;

	rl_drill_plug_enter(p);
	pass(p, now_ns(p) + us * RL_US);
	return (int)rl_drill_plug_leave(p, 0);
}

/* ---- packets ---- */

/* Bytes of payload if it is a TCP segment right behind the IP header, or 0. */
static size_t tcp_payload(const uint8_t *b, size_t len)
{
	bool v4 = len >= 20 && b[0] >> 4 == 4;
	size_t hdr = v4 ? (b[0] & 15) * 4u : 40;

	if (len < hdr + 20 || b[v4 ? 9 : 6] != IPPROTO_TCP)
		return 0;
	hdr += (b[hdr + 12] >> 4) * 4u;
	return len > hdr ? len - hdr : 0;
}

int rl_drill_plug_netdev_send(void *plug, const void *ip, size_t len)
{
	struct drill_plug *p = plug;
	unsigned mss = p->flags.mss;
	unsigned gso = mss && tcp_payload(ip, len) > mss ? mss : 0;
	int r = -ENETDOWN;

	rl_drill_plug_enter(p);
	if (p->w)
		r = rl_drill_world_input(p->w, ip, len, gso);
	return (int)rl_drill_plug_leave(p, r);
}

static struct drill_live *next_live(struct drill_plug *p)
{
	int64_t limit_ns = patience_end(p);
	struct drill_live *l;

	if (!p->w)
		return NULL;
	l = rl_drill_world_take(p->w);
	for (unsigned i = 0; i < DRILL_STEPS_MAX && !l && next(p, limit_ns); i++)
		l = rl_drill_world_take(p->w);
	return l;
}

/*
 * No packet: success with a length of 0.  A failure would make the tool ask again,
 * for ever; this ends the script, as a packet that can't be parsed.
 */
int rl_drill_plug_netdev_receive(void *plug, void *buf, size_t *len, long long *at_us)
{
	struct drill_plug *p = plug;
	struct drill_live *l;
	int r = 0;

	rl_drill_plug_enter(p);
	l = next_live(p);
	*at_us = EPOCH_US + (l ? l->at_ns : now_ns(p)) / RL_US;
	if (l && l->len > *len) {
		r = -EMSGSIZE;
	} else {
		*len = l ? l->len : 0;
		if (l)
			memcpy(buf, l->bytes, l->len);
	}
	free(l);
	return (int)rl_drill_plug_leave(p, r);
}
