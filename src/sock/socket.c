// SPDX-License-Identifier: MIT
/*
 * Life of a descriptor: socket, bind, listen, accept, connect, shutdown, close,
 * names, fcntl and ioctl, with Linux's order of checks and errno values [A26].
 *
 * The stack's calls never block; waiting is here (rl_sock_again()).  Everything
 * between rl_sock_enter() and rl_host_leave() is under the engine's lock, except
 * that a wait releases it: afterwards the descriptor may be closed (-EBADF).
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <linux/sockios.h>

#include "base/types.h"
#include "sock/sock.h"

#define LINGER_STEP_NS	(10 * RL_MS)

/* @type without flags. */
static bool is_ping(int domain, int type, int protocol)
{
	return type == SOCK_DGRAM &&
	       protocol == (domain == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6);
}

static int check_type(int domain, int type, int protocol, enum rl_sock_kind *kind)
{
	if (domain != AF_INET && domain != AF_INET6)
		return -EAFNOSUPPORT;
	if (type & ~(0xf | SOCK_NONBLOCK | SOCK_CLOEXEC))
		return -EINVAL;
	type &= 0xf;
	if (type != SOCK_STREAM && type != SOCK_DGRAM)
		return type >= SOCK_RAW && type <= SOCK_DCCP ? -ESOCKTNOSUPPORT : -EINVAL;
	*kind = type == SOCK_STREAM ? RL_SOCK_TCP : RL_SOCK_UDP;
	if (is_ping(domain, type, protocol))
		return 0;
	if (protocol && protocol != (type == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP))
		return -EPROTONOSUPPORT;
	return 0;
}

/* @ping: 0, or the family, 4 or 6, of a ping socket. */
static int make(struct rill_engine *e, struct rill_stack *st, enum rl_sock_kind kind,
		int ping, struct rl_sock **out)
{
	struct rl_sock *s;
	int fd = rl_table_alloc(e, kind, &s), r;

	if (fd < 0)
		return fd;
	if (kind == RL_SOCK_TCP)
		r = rill_tcp_open(st, s->idx, &s->id);
	else if (ping)
		r = rill_ping_open(st, s->idx, ping, &s->id);
	else
		r = rill_udp_open(st, s->idx, &s->id);
	if (r < 0) {
		rl_table_free(s);
		return r;
	}
	*out = s;
	return fd;
}

int rill_socket(struct rill_engine *e, int domain, int type, int protocol)
{
	enum rl_sock_kind kind;
	struct rill_stack *st;
	struct rl_sock *s;
	int ping = 0, r;

	if (!e)
		return -EINVAL;
	r = check_type(domain, type, protocol, &kind);
	if (r < 0)
		return r;
	st = rl_host_enter(e);
	if (is_ping(domain, type & 0xf, protocol))
		ping = domain == AF_INET ? 4 : 6;
	r = make(e, st, kind, ping, &s);
	if (r >= 0) {
		s->flags = domain == AF_INET ? RL_SF_V4 : 0;
		if (ping)
			s->flags |= RL_SF_PING | (ping == 6 ? RL_SF_V6ONLY : 0);
		if (type & SOCK_NONBLOCK)
			s->flags |= RL_SF_NONBLOCK;
	}
	rl_host_leave(e);
	return r;
}

unsigned rl_sock_bind_flags(const struct rl_sock *s)
{
	return (s->flags & RL_SF_V4 ? RILL_BIND_V4 : 0u) |
	       (s->flags & RL_SF_V6ONLY ? RILL_BIND_V6ONLY : 0u);
}

static int bind_to(struct rill_stack *st, struct rl_sock *s, const struct rill_addr *a)
{
	int r;

	if (s->kind == RL_SOCK_TCP)
		r = rill_tcp_bind(st, s->id, a, rl_sock_bind_flags(s));
	else
		r = rill_udp_bind(st, s->id, a, rl_sock_bind_flags(s));
	if (r == 0)
		s->flags |= RL_SF_BOUND;
	return r;
}

int rl_sock_autobind(struct rill_stack *st, struct rl_sock *s)
{
	struct rill_addr any = { 0 };

	if (s->flags & RL_SF_BOUND)
		return 0;
	if (s->flags & RL_SF_V4)
		any.ip = rl_ip4(INADDR_ANY);
	return bind_to(st, s, &any);
}

int rill_bind(int fd, const struct sockaddr *sa, socklen_t len)
{
	struct rill_stack *st;
	struct rill_addr a;
	struct rl_sock *s;
	int r = rl_sock_enter_io(fd, &s, &st);

	if (r < 0)
		return r;
	r = rl_addr_in(s, RL_ADDR_BIND, sa, len, &a);
	if (r == 0)
		r = bind_to(st, s, &a);
	rl_host_leave(rl_sock_engine(s));
	return r;
}

int rill_listen(int fd, int backlog)
{
	struct rill_stack *st;
	struct rl_sock *s;
	int r = rl_sock_enter_io(fd, &s, &st);

	if (r < 0)
		return r;
	if (s->kind != RL_SOCK_TCP)
		r = -EOPNOTSUPP;
	else
		r = rl_sock_autobind(st, s);
	if (r == 0)
		r = rill_tcp_listen(st, s->id, backlog);
	rl_host_leave(rl_sock_engine(s));
	return r;
}

/* ---- accept ---- */

/* What an accepted socket takes over from its listener, as on Linux. */
static void inherit(struct rl_sock *c, const struct rl_sock *l)
{
	c->flags = l->flags & (RL_SF_V4 | RL_SF_V6ONLY | RL_SF_LINGER);
	c->flags |= RL_SF_BOUND;
	c->rcvtimeo_ns = l->rcvtimeo_ns;
	c->sndtimeo_ns = l->sndtimeo_ns;
	c->rcvlowat = l->rcvlowat;
}

static int accept_one(struct rill_stack *st, struct rl_sock *l, struct rl_sock **out,
		      struct rill_addr *peer)
{
	struct rl_sock *c;
	rill_id id;
	int fd = rl_table_alloc(rl_sock_engine(l), RL_SOCK_TCP, &c), r;

	if (fd < 0)
		return fd;
	r = rill_tcp_accept(st, l->id, c->idx, &id, peer);
	if (r < 0) {
		rl_table_free(c);
		return r;
	}
	inherit(c, l);
	c->id = id;
	*out = c;
	return fd;
}

static int accept_wait(struct rill_stack *st, struct rl_sock *l, struct rl_sock **c,
		       struct rill_addr *peer)
{
	int64_t until_ns = 0;
	int fd, r;

	for (;;) {
		fd = accept_one(st, l, c, peer);
		if (fd != -EAGAIN)
			return fd;
		r = rl_sock_again(l, l->flags & RL_SF_NONBLOCK, RILL_IN,
				  l->rcvtimeo_ns, &until_ns);
		if (r < 0)
			return r;
	}
}

int rill_accept4(int fd, struct sockaddr *sa, socklen_t *len, int flags)
{
	struct rill_stack *st;
	struct rill_engine *e;
	struct rill_addr peer;
	struct rl_sock *l, *c;
	int r;

	if (flags & ~(SOCK_NONBLOCK | SOCK_CLOEXEC))
		return -EINVAL;
	r = rl_sock_enter_io(fd, &l, &st);
	if (r < 0)
		return r;
	e = rl_sock_engine(l);
	fd = l->kind == RL_SOCK_TCP ? accept_wait(st, l, &c, &peer) : -EOPNOTSUPP;
	if (fd >= 0) {
		if (flags & SOCK_NONBLOCK)
			c->flags |= RL_SF_NONBLOCK;
		r = rl_addr_out(c, &peer, sa, len);
		if (r < 0) {
			rl_sock_release(st, c);
			fd = r;
		}
	}
	rl_host_leave(e);
	return fd;
}

int rill_accept(int fd, struct sockaddr *sa, socklen_t *len)
{
	return rill_accept4(fd, sa, len, 0);
}

/* ---- connect ---- */

/* The pending error, taken; 0 or a negative errno value. */
static int take_error(struct rill_stack *st, struct rl_sock *s)
{
	size_t len = sizeof(int);
	int err = 0;
	int r = rill_stack_getsockopt(st, s->id, SOL_SOCKET, SO_ERROR, &err, &len);

	return r < 0 ? r : -err;
}

/* How an earlier attempt went: -EALREADY while it runs. */
static int connect_result(struct rill_stack *st, struct rl_sock *s)
{
	uint32_t bits = rl_sock_poll(st, s);
	int r = take_error(st, s);

	if (r == 0 && !(bits & (RILL_OUT | RILL_HUP | RILL_ERR)))
		return -EALREADY;
	s->flags &= (uint16_t)~RL_SF_CONNECTING;
	if (r == 0 && bits & RILL_HUP && !(bits & RILL_RDHUP))
		return -ECONNABORTED;
	return r;
}

static int connect_wait(struct rill_stack *st, struct rl_sock *s)
{
	int64_t until_ns = rl_until(rl_sock_engine(s), s->sndtimeo_ns);
	int r;

	for (;;) {
		r = connect_result(st, s);
		if (r != -EALREADY)
			return r;
		r = rl_sock_wait(s, RILL_OUT, until_ns);
		if (r < 0)
			return r == -EAGAIN ? -EINPROGRESS : r;
	}
}

static int connect_tcp(struct rill_stack *st, struct rl_sock *s, const struct rill_addr *a)
{
	bool nonblock = s->flags & RL_SF_NONBLOCK;
	int r;

	if (s->flags & RL_SF_CONNECTING)
		return nonblock ? connect_result(st, s) : connect_wait(st, s);
	r = rill_tcp_connect(st, s->id, a, rl_sock_bind_flags(s));
	if (r == -EINPROGRESS)
		s->flags |= RL_SF_CONNECTING | RL_SF_BOUND;
	if (r == -EINPROGRESS && !nonblock) {
		rl_host_flush(rl_sock_engine(s));
		r = connect_wait(st, s);
	}
	return r;
}

static int connect_udp(struct rill_stack *st, struct rl_sock *s, const struct rill_addr *a)
{
	int r = rill_udp_connect(st, s->id, a, rl_sock_bind_flags(s));

	if (r == 0 && a)
		s->flags |= RL_SF_BOUND;
	return r;
}

int rill_connect(int fd, const struct sockaddr *sa, socklen_t len)
{
	struct rill_stack *st;
	struct rill_engine *e;
	struct rill_addr a;
	struct rl_sock *s;
	int r = rl_sock_enter_io(fd, &s, &st);

	if (r < 0)
		return r;
	e = rl_sock_engine(s);
	if (s->kind == RL_SOCK_UDP && sa && len >= sizeof(sa_family_t) &&
	    sa->sa_family == AF_UNSPEC) {
		r = connect_udp(st, s, NULL);
	} else {
		r = rl_addr_in(s, RL_ADDR_CONNECT, sa, len, &a);
		if (r == 0 && s->kind == RL_SOCK_TCP)
			r = connect_tcp(st, s, &a);
		else if (r == 0)
			r = connect_udp(st, s, &a);
	}
	rl_host_leave(e);
	return r;
}

/* ---- shutdown and close ---- */

int rill_shutdown(int fd, int how)
{
	struct rill_stack *st;
	struct rl_sock *s;
	int r = rl_sock_enter_io(fd, &s, &st);

	if (r < 0)
		return r;
	if (how < SHUT_RD || how > SHUT_RDWR)
		r = -EINVAL;
	else if (s->kind == RL_SOCK_TCP)
		r = rill_tcp_shutdown(st, s->id, (enum rill_shut)how);
	else
		r = rill_udp_shutdown(st, s->id, (enum rill_shut)how);
	if (r == 0)	/* a thread in recv() or accept() has its answer now */
		rl_sock_ready(s, rl_sock_poll(st, s));
	rl_host_leave(rl_sock_engine(s));
	return r;
}

static void let_go(struct rl_sock *s)
{
	struct rl_watch *wa = s->watches;

	s->flags |= RL_SF_CLOSING;
	s->watches = NULL;
	for (; wa; wa = wa->next) {
		wa->s = NULL;
		rl_host_signal(rl_sock_engine(s), wa->w);
	}
	rl_epoll_forget(s);
}

int rl_sock_release(struct rill_stack *st, struct rl_sock *s)
{
	int r = 0;

	let_go(s);
	switch ((enum rl_sock_kind)s->kind) {
	case RL_SOCK_TCP:
		r = rill_tcp_close(st, s->id);
		break;
	case RL_SOCK_UDP:
		r = rill_udp_close(st, s->id);
		break;
	case RL_SOCK_EPOLL:
		rl_epoll_free(s->ep);
		break;
	case RL_SOCK_FREE:
		break;
	}
	rl_table_free(s);
	return r;
}

/* FIN sent and not yet acknowledged, or data in front of it. */
static bool still_sending(struct rill_stack *st, struct rl_sock *s)
{
	struct rill_tcp_info info;
	size_t len = sizeof(info);

	if (rill_stack_getsockopt(st, s->id, IPPROTO_TCP, TCP_INFO, &info, &len) < 0)
		return false;
	return info.state == RILL_FIN_WAIT1 || info.state == RILL_CLOSING ||
	       info.state == RILL_LAST_ACK;
}

/*
 * SO_LINGER with a time: wait until everything is acknowledged.  Not with data
 * unread: then close() resets anyway.  Also for non-blocking sockets, as Linux.
 */
static void linger(struct rill_stack *st, struct rl_sock *s)
{
	struct linger l = { 0 };
	size_t len = sizeof(l);
	int unread = 0, r = 0;
	struct rill_engine *e = rl_sock_engine(s);
	int64_t until_ns;

	if (rill_stack_getsockopt(st, s->id, SOL_SOCKET, SO_LINGER, &l, &len) < 0 ||
	    !l.l_onoff || l.l_linger <= 0)
		return;
	rill_ioctl_int(st, s->id, SIOCINQ, &unread);
	if (unread > 0 || rill_tcp_shutdown(st, s->id, RILL_SHUT_WR) < 0)
		return;
	rl_host_flush(e);
	until_ns = rl_until(e, l.l_linger * RL_SEC);
	while (still_sending(st, s) && rl_host_now(e) < until_ns && r != -EINTR)
		r = rl_sock_wait(s, ~0u, RL_MIN(until_ns, rl_until(e, LINGER_STEP_NS)));
}

int rill_close(int fd)
{
	struct rill_stack *st;
	struct rill_engine *e;
	struct rl_sock *s;
	int r = rl_sock_enter(fd, &s, &st);

	if (r < 0)
		return r;
	e = rl_sock_engine(s);
	let_go(s);
	if (s->kind == RL_SOCK_TCP && s->flags & RL_SF_LINGER)
		linger(st, s);
	r = rl_sock_release(st, s);
	rl_host_leave(e);
	return r;
}

void rl_sock_close_all(struct rill_engine *e, struct rill_stack *st)
{
	int fd = RILL_FD_BASE;
	struct rl_sock *s;

	while ((s = rl_table_next(e, &fd)))
		rl_sock_release(st, s);
}

/* ---- names and the rest ---- */

static int name_of(int fd, struct sockaddr *sa, socklen_t *len, bool peer)
{
	struct rill_addr a = { 0 };
	struct rill_stack *st;
	struct rl_sock *s;
	int r;

	r = rl_sock_enter_io(fd, &s, &st);
	if (r < 0)
		return r;
	if (s->kind == RL_SOCK_TCP)
		r = peer ? rill_tcp_peer(st, s->id, &a) : rill_tcp_local(st, s->id, &a);
	else
		r = peer ? rill_udp_peer(st, s->id, &a) : rill_udp_local(st, s->id, &a);
	if (r == 0)
		r = sa && len ? rl_addr_out(s, &a, sa, len) : -EFAULT;
	rl_host_leave(rl_sock_engine(s));
	return r;
}

int rill_getsockname(int fd, struct sockaddr *sa, socklen_t *len)
{
	return name_of(fd, sa, len, false);
}

int rill_getpeername(int fd, struct sockaddr *sa, socklen_t *len)
{
	return name_of(fd, sa, len, true);
}

static void set_nonblock(struct rl_sock *s, bool on)
{
	if (on)
		s->flags |= RL_SF_NONBLOCK;
	else
		s->flags &= (uint16_t)~RL_SF_NONBLOCK;
}

int rill_fcntl(int fd, int cmd, long arg)
{
	struct rill_stack *st;
	struct rl_sock *s;
	int r = rl_sock_enter(fd, &s, &st);

	if (r < 0)
		return r;
	if (cmd == F_GETFL)
		r = O_RDWR | (s->flags & RL_SF_NONBLOCK ? O_NONBLOCK : 0);
	else if (cmd == F_SETFL)
		set_nonblock(s, arg & O_NONBLOCK);
	else
		r = -EINVAL;
	rl_host_leave(rl_sock_engine(s));
	return r;
}

int rill_ioctl(int fd, unsigned long req, void *arg)
{
	struct rill_stack *st;
	struct rl_sock *s;
	int v = 0, r;

	r = rl_sock_enter_io(fd, &s, &st);
	if (r < 0)
		return r;
	if (!arg) {
		r = -EFAULT;
	} else if (req == FIONBIO) {
		memcpy(&v, arg, sizeof(v));
		set_nonblock(s, v);
	} else {
		r = rill_ioctl_int(st, s->id, req, &v);
		if (r == -EINVAL && req != SIOCINQ && req != SIOCOUTQ &&
		    req != SIOCOUTQNSD && req != SIOCATMARK)
			r = -ENOTTY;
		if (r == 0)
			memcpy(arg, &v, sizeof(v));
	}
	rl_host_leave(rl_sock_engine(s));
	return r;
}

rill_id rill_socket_id(int fd)
{
	struct rill_stack *st;
	struct rl_sock *s;
	rill_id id;

	if (rl_sock_enter_io(fd, &s, &st) < 0)
		return 0;
	id = s->id;
	rl_host_leave(rl_sock_engine(s));
	return id;
}
