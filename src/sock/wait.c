// SPDX-License-Identifier: MIT
/*
 * Readiness: what the stack's events mean for threads that wait and for epolls.
 *
 * A descriptor has a list of watches (threads) and a list of epoll items; both
 * are empty for an idle connection.  Everything here is under the engine's lock,
 * so that "try, then wait" loses no event.  Called by the engine with events, by
 * io.c, socket.c and poll.c to wait.
 */
#include <errno.h>

#include "base/types.h"
#include "sock/sock.h"

void rl_waiter_init(struct rl_waiter *w)
{
	*w = (struct rl_waiter){ .wake_fd = -1 };
	list_init(&w->link);
}

void rl_watch_add(struct rl_watch *wa, struct rl_sock *s, struct rl_waiter *w,
		  uint32_t bits)
{
	*wa = (struct rl_watch){ .next = s->watches, .s = s, .w = w, .bits = bits };
	s->watches = wa;
}

/* A closed descriptor has let go of its watches already. */
void rl_watch_del(struct rl_watch *wa)
{
	struct rl_watch **p;

	if (!wa->s)
		return;
	for (p = &wa->s->watches; *p; p = &(*p)->next) {
		if (*p == wa) {
			*p = wa->next;
			break;
		}
	}
	wa->s = NULL;
}

void rl_sock_ready(struct rl_sock *s, uint32_t bits)
{
	for (struct rl_watch *wa = s->watches; wa; wa = wa->next)
		if (wa->bits & bits)
			rl_host_signal(rl_sock_engine(s), wa->w);
	if (s->items)
		rl_epoll_event(s->items, bits);
}

/*
 * The event names the endpoint twice: @user is the descriptor's index, which
 * may be another socket's by now, @id tells.
 */
void rl_sock_event(struct rill_engine *e, const struct rill_event *ev)
{
	struct rl_sock *s = rl_table_at((int)ev->user + RILL_FD_BASE);

	if (s && rl_sock_engine(s) == e && s->id == ev->id &&
	    (s->kind == RL_SOCK_TCP || s->kind == RL_SOCK_UDP))
		rl_sock_ready(s, ev->bits);
}

uint32_t rl_sock_poll(struct rill_stack *st, struct rl_sock *s)
{
	int r = 0;

	switch ((enum rl_sock_kind)s->kind) {
	case RL_SOCK_TCP:
		r = rill_tcp_poll(st, s->id);
		break;
	case RL_SOCK_UDP:
		r = rill_udp_poll(st, s->id);
		break;
	case RL_SOCK_EPOLL:
		r = rl_epoll_ready(st, s->ep) ? RILL_IN : 0;
		break;
	case RL_SOCK_FREE:
		r = POLLNVAL;
		break;
	}
	return r < 0 ? RILL_ERR : (uint32_t)r;
}

int64_t rl_until(const struct rill_engine *e, int64_t timeo_ns)
{
	int64_t now_ns;

	if (timeo_ns == RL_NEVER)
		return RL_NEVER;
	now_ns = rl_host_now(e);
	return timeo_ns < RL_NEVER - now_ns ? now_ns + timeo_ns : RL_NEVER;
}

int rl_sock_wait(struct rl_sock *s, uint32_t bits, int64_t until_ns)
{
	struct rill_engine *e = rl_sock_engine(s);
	struct rl_watch wa;
	struct rl_waiter w;
	bool gone;
	int r;

	rl_waiter_init(&w);
	rl_watch_add(&wa, s, &w, bits | RILL_ERR | RILL_HUP);
	r = rl_host_wait(e, &w, until_ns);
	gone = !wa.s;
	rl_watch_del(&wa);
	if (gone)
		return -EBADF;
	if (r == 0)
		return -EAGAIN;
	return r < 0 ? r : 0;
}

/* A call that does not wait still reads the devices once. */
static int peek_once(struct rl_sock *s, int64_t *until_ns)
{
	if (*until_ns)
		return -EAGAIN;
	*until_ns = 1;
	return rl_host_poke(rl_sock_engine(s)) ? 0 : -EAGAIN;
}

int rl_sock_again(struct rl_sock *s, bool nonblock, uint32_t bits, int64_t timeo_ns,
		  int64_t *until_ns)
{
	if (nonblock)
		return peek_once(s, until_ns);
	if (!*until_ns)
		*until_ns = rl_until(rl_sock_engine(s), timeo_ns);
	return rl_sock_wait(s, bits, *until_ns);
}
