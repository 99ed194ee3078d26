// SPDX-License-Identifier: MIT
/*
 * The engine: a stack, its device and the clock under one lock.
 *
 * The pump is the only way in which packets and time reach the stack: device to
 * input, timers, output to device, events to sockets.  Whoever holds the lock may
 * pump; every call that touched the stack settles before it releases the lock, so
 * that nothing waits in the stack that could be on its way.  Who pumps while
 * threads wait is decided in drive.c; open.c makes engines.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "run/engine_int.h"
#include "sock/sock.h"

#define PUMP_ROUNDS	16		/* batches in one pump */
#define RX_BYTES	(512u << 10)	/* one batch, see adapt_want() */
#define CTL_EVERY_NS	(10 * RL_MS)	/* a busy engine still answers `rill` */
#define POKE_NS		(5 * RL_US)
#define SENT_MAX	(256u << 10)	/* see rl_host_sent() */
#define SENT_NS		(100 * RL_US)
#define LOCK_TRIES	200		/* before sleeping for the lock */

int64_t rl_host_now(const struct rill_engine *e)
{
	return rl_engine_clock(e);
}

struct rill_stack *rl_engine_stack(struct rill_engine *e)
{
	return e->st;
}

struct rl_dev *rl_engine_dev(struct rill_engine *e)
{
	return e->dev;
}

const char *rl_engine_name(const struct rill_engine *e)
{
	return e->name;
}

/* ---- the lock ---- */

/* Contenders are counted, so that a thread that spins on the devices steps back. */
void rl_engine_take(struct rill_engine *e)
{
	if (pthread_mutex_trylock(&e->lock) == 0)
		return;
	atomic_fetch_add(&e->contenders, 1);
	for (int i = 0; i < LOCK_TRIES; i++) {
		rl_relax();
		if (pthread_mutex_trylock(&e->lock) == 0)
			goto got;
	}
	pthread_mutex_lock(&e->lock);
got:
	atomic_fetch_sub(&e->contenders, 1);
}

void rl_engine_give(struct rill_engine *e)
{
	pthread_mutex_unlock(&e->lock);
}

/* ---- the pump ---- */

int64_t rl_engine_deadline(const struct rill_engine *e)
{
	int64_t at_ns = rill_stack_deadline(e->st);

	if (e->dev->ops->deadline) {
		int64_t dev_ns = e->dev->ops->deadline(e->dev);

		at_ns = RL_MIN(at_ns, dev_ns);
	}
	return at_ns;
}

/*
 * Ask for as many packets as came lately: a single one in a ping-pong, so that
 * the answer leaves before the device is asked in vain; up to 64 in a busy server,
 * so that ACKs aggregate; of super-segments only what stays in the cache until
 * the application copies it.
 */
static void adapt_want(struct rill_engine *e, struct rill_pkt **pkts, int got)
{
	size_t bytes = 0;

	for (int i = 0; i < got; i++)
		bytes += rl_pkt_len(pkts[i]);
	if (bytes > RX_BYTES && e->rx_want > 1)
		e->rx_want /= 2;
	else if (got == e->rx_want && bytes <= RX_BYTES / 2)
		e->rx_want = RL_MIN(e->rx_want * 2, RL_BATCH);
	else if (got <= e->rx_want / 2)
		e->rx_want = RL_MAX(e->rx_want / 2, 1);
}

/* Return: whether there may be more; *@did is set when packets came. */
static bool receive(struct rill_engine *e, bool *did)
{
	struct rill_pkt *pkts[RL_BATCH];
	int want = e->spied ? 1 : e->rx_want, got;

	e->rx_open = false;
	if (e->dev_gone)
		return false;
	got = e->dev->ops->rx(e->dev, e->st, pkts, want);
	if (got < 0) {
		e->dev_gone = true;
		return false;
	}
	if (e->trace && got)		/* the frame's line was written before this */
		e->now_ns = rl_engine_clock(e);
	adapt_want(e, pkts, got);
	if (got == 0)
		return false;
	*did = e->rx_open = true;
	if (RL_UNLIKELY(e->spied))
		rl_spy_before(e, pkts[0]);
	rill_stack_input_pkts(e->st, e->now_ns, e->ifindex, pkts, got);
	if (RL_UNLIKELY(e->spied))
		rl_spy_after(e);
	/* a device may make its descriptor readable only after it was found empty */
	return got == want || e->loop_fd >= 0;
}

static bool transmit(struct rill_engine *e)
{
	struct rill_pkt *pkts[RL_BATCH];
	bool did = false;
	int n;

	for (int i = 0; i < PUMP_ROUNDS; i++) {
		n = rill_stack_output(e->st, 0, pkts, RL_BATCH);
		if (n <= 0)
			break;
		if (RL_UNLIKELY(e->spied))
			rl_spy_out(e, pkts, n);
		did = true;
		if (e->dev->ops->tx(e->dev, e->st, pkts, n) < 0)
			e->dev_gone = true;
		if (n < RL_BATCH)
			break;
	}
	return did;
}

static bool pass_events(struct rill_engine *e)
{
	struct rill_event ev;
	bool did = false;

	while (rill_stack_event(e->st, &ev)) {
		rl_sock_event(e, &ev);
		did = true;
	}
	e->unseen |= did;
	return did;
}

/* Timers of the stack, and packets that a device wrapper held back. */
static void advance(struct rill_engine *e)
{
	int64_t dev_ns = e->dev->ops->deadline ? e->dev->ops->deadline(e->dev) : RL_NEVER;

	rill_stack_advance(e->st, e->now_ns);
	if (dev_ns <= e->now_ns && e->dev->ops->tx(e->dev, e->st, NULL, 0) < 0)
		e->dev_gone = true;
}

static void serve_ctl(struct rill_engine *e)
{
	if (e->ctl && e->now_ns >= e->ctl_at_ns) {
		e->ctl_at_ns = e->now_ns + CTL_EVERY_NS;
		rl_ctl_run(e->ctl, e);
	}
}

bool rl_engine_pump(struct rill_engine *e, const struct rl_waiter *w)
{
	bool did = false, more = true;

	e->now_ns = e->pumped_ns = rl_engine_clock(e);
	/* captures stamp what they receive with the stack's time */
	e->st->now_ns = RL_MAX(e->st->now_ns, e->now_ns);
	e->sent = 0;
	/* arrived packets come before timers: an ACK may be among them */
	for (int i = 0; i < PUMP_ROUNDS && more && !(w && w->ready); i++) {
		more = receive(e, &did);
		did |= pass_events(e);
	}
	advance(e);
	if (w && w->ready)	/* its reply may take the ACK along */
		return true;
	did |= transmit(e);
	did |= pass_events(e);
	if (RL_UNLIKELY(e->spied))
		rl_spy_run(e);
	serve_ctl(e);
	return did;
}

void rl_engine_settle(struct rill_engine *e)
{
	rl_host_flush(e);
	if (e->sleep_until_ns != RL_AWAKE && rl_engine_deadline(e) < e->sleep_until_ns)
		rl_engine_wake(e);
	if (e->loop_fd >= 0)
		rl_loop_settle(e);
}

/* ---- what sockets call ---- */

struct rill_stack *rl_host_enter(struct rill_engine *e)
{
	rl_engine_take(e);
	e->now_ns = rl_engine_clock(e);
	if (RL_UNLIKELY(rill_stack_deadline(e->st) <= e->now_ns))
		rl_engine_pump(e, NULL);
	else
		rill_stack_advance(e->st, e->now_ns);
	return e->st;
}

void rl_host_flush(struct rill_engine *e)
{
	transmit(e);
	pass_events(e);
	if (RL_UNLIKELY(e->spied))
		rl_spy_run(e);
}

void rl_host_leave(struct rill_engine *e)
{
	rl_engine_settle(e);
	rl_engine_give(e);
}

bool rl_host_poke(struct rill_engine *e)
{
	if (e->driver || e->now_ns - e->pumped_ns < POKE_NS)
		return false;
	return rl_engine_pump(e, NULL);
}

/* ACKs are read while a program sends and never waits. */
void rl_host_sent(struct rill_engine *e, size_t n)
{
	e->sent += n;
	if (e->sent >= SENT_MAX || e->now_ns - e->pumped_ns > SENT_NS)
		rl_engine_pump(e, NULL);
}

struct rill_stack *rill_engine_lock(struct rill_engine *e)
{
	return rl_host_enter(e);
}

void rill_engine_unlock(struct rill_engine *e)
{
	rl_host_leave(e);
}

void rl_engine_round(struct rill_engine *e)
{
	rl_engine_take(e);
	rl_engine_pump(e, NULL);
	rl_host_leave(e);
}

int64_t rl_engine_next_ns(struct rill_engine *e)
{
	int64_t at_ns;

	rl_engine_take(e);
	at_ns = rl_engine_deadline(e);
	rl_engine_give(e);
	return at_ns;
}

/* ---- run and drain ---- */

int rill_engine_run(struct rill_engine *e, int timeout_ms)
{
	struct rl_waiter w;
	int r;

	rl_waiter_init(&w);
	w.any = true;
	rl_engine_take(e);
	if (e->loop_fd >= 0)
		rl_loop_seen(e);
	r = rl_engine_pump(e, NULL);
	if (!r && timeout_ms != 0)
		r = rl_host_wait(e, &w, timeout_ms < 0 ? RL_NEVER :
				 e->now_ns + timeout_ms * RL_MS);
	e->unseen = false;		/* the caller looks at its sockets now */
	rl_host_leave(e);
	return r;
}

int rill_engine_timeout(struct rill_engine *e)
{
	int64_t at_ns, left_ns;

	rl_engine_take(e);
	at_ns = rl_engine_deadline(e);
	rl_engine_give(e);
	if (at_ns == RL_NEVER)
		return -1;
	left_ns = at_ns - rl_engine_clock(e);
	if (left_ns <= 0)
		return 0;
	return (int)RL_MIN((left_ns + RL_MS - 1) / RL_MS, INT_MAX);
}

/* Connections that still have something to send, or wait for their end. */
static bool unsent(struct rill_stack *st)
{
	struct rill_conn c[16];
	uint64_t cursor = 0;
	int n;

	while ((n = rill_stack_conns(st, &cursor, c, (int)ARRAY_LEN(c))) > 0)
		for (int i = 0; i < n; i++)
			if (c[i].proto == 6 && c[i].state != RILL_LISTEN && c[i].send_q)
				return true;
	return false;
}

static bool busy(struct rill_stack *st)
{
	uint32_t n[RILL_TCP_STATES] = { 0 };

	rill_stack_state_counts(st, n);
	return n[RILL_FIN_WAIT1] || n[RILL_FIN_WAIT2] || n[RILL_CLOSING] ||
	       n[RILL_LAST_ACK] || n[RILL_TIME_WAIT] || unsent(st);
}

int rill_engine_drain(struct rill_engine *e, int timeout_ms)
{
	int64_t until_ns = timeout_ms < 0 ? RL_NEVER : rl_engine_clock(e) + timeout_ms * RL_MS;
	struct rl_waiter w;
	int r = 0;

	rl_host_enter(e);
	rl_host_flush(e);
	while (r == 0 && busy(e->st)) {
		rl_waiter_init(&w);
		w.any = true;
		r = rl_host_wait(e, &w, RL_MIN(until_ns, rl_engine_clock(e) + 10 * RL_MS));
		r = r < 0 ? r : 0;
		if (r == 0 && rl_engine_clock(e) >= until_ns)
			r = busy(e->st) ? -ETIMEDOUT : 0;
		if (rl_engine_clock(e) >= until_ns)
			break;
	}
	rl_host_leave(e);
	return r;
}

/* ---- the end ---- */

/* RST to every peer that is left, descriptor or not. */
static void abort_all(struct rill_stack *st)
{
	struct rill_conn c[16];
	uint64_t cursor = 0;
	int n;

	while ((n = rill_stack_conns(st, &cursor, c, (int)ARRAY_LEN(c))) > 0)
		for (int i = 0; i < n; i++)
			if (c[i].proto == 6 && !c[i].half_open &&
			    c[i].state != RILL_TIME_WAIT)
				rill_tcp_abort(st, c[i].id);
}

void rill_engine_close(struct rill_engine *e)
{
	if (!e)
		return;
	rill_engine_stop(e);
	rl_engine_take(e);
	abort_all(e->st);
	rl_sock_close_all(e, e->st);
	rl_host_flush(e);
	rl_engine_give(e);
	if (e->ctl)
		rl_ctl_close(e->ctl);
	rl_loop_close(e);
	rl_dev_close(e->dev);
	rill_stack_destroy(e->st);
	if (e->trace)
		rl_trace_close(e->trace);
	rl_spy_free(e);
	close(e->wake_fd);
	pthread_mutex_destroy(&e->lock);
	free(e);
}
