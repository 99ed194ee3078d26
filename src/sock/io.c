// SPDX-License-Identifier: MIT
/*
 * Moving data: read, write, send, recv and their relatives for TCP and UDP.
 *
 * A stream call repeats the stack's non-blocking call until Linux would return:
 * a blocking send when all is queued, a blocking recv at SO_RCVLOWAT or, with
 * MSG_WAITALL, at the whole length.  What was moved before an error is returned
 * first; the error stays for the next call.  No signal is ever raised: EPIPE
 * comes without SIGPIPE, whether MSG_NOSIGNAL is set or not.
 */
#include <errno.h>
#include <netinet/in.h>
#include <limits.h>
#include <linux/errqueue.h>
#include <time.h>

#include "base/types.h"
#include "sock/sock.h"

#define MAX_IOV		1024		/* UIO_MAXIOV */
#define SEND_STEP	(256u << 10)	/* bytes queued between two looks at the devices */

#define CORE_FLAGS	(RILL_MSG_OOB | RILL_MSG_PEEK | RILL_MSG_TRUNC | RILL_MSG_DONTWAIT | \
			 RILL_MSG_WAITALL | RILL_MSG_NOSIGNAL | RILL_MSG_MORE)

/* One call under way. */
struct io {
	struct rl_sock		*s;
	struct rill_stack	*st;
	struct rill_engine	*e;
	const struct iovec	*iov;
	int			 n;		/* of @iov */
	size_t			 total, done;	/* bytes */
	unsigned		 flags;
	bool			 nonblock;
	int64_t			 until_ns;	/* see rl_sock_again() */
};

/* Linux refuses more than INT_MAX bytes by cutting, a null pointer by EFAULT. */
static ssize_t sum_iov(const struct iovec *iov, int n, bool null_ok)
{
	size_t total = 0;

	if (n < 0 || n > MAX_IOV)
		return -EINVAL;
	if (n && !iov)
		return -EFAULT;
	for (int i = 0; i < n; i++) {
		if (iov[i].iov_len && !iov[i].iov_base && !null_ok)
			return -EFAULT;
		if (iov[i].iov_len > SSIZE_MAX - total)
			return -EINVAL;
		total += iov[i].iov_len;
	}
	return (ssize_t)total;
}

/* What is left behind @done bytes, at most @limit.  Return: pieces in @v. */
static int rest(const struct io *io, size_t limit, struct rill_iov *v)
{
	size_t skip = io->done;
	int k = 0;

	for (int i = 0; i < io->n && limit > 0; i++) {
		size_t len = io->iov[i].iov_len, take;

		if (skip >= len && len) {
			skip -= len;
			continue;
		}
		take = RL_MIN(len - skip, limit);
		v[k].base = io->iov[i].iov_base ?
			    (char *)io->iov[i].iov_base + skip : NULL;
		v[k++].len = take;
		limit -= take;
		skip = 0;
	}
	return k;
}

/* Checks that need no lock; then find the socket and take it. */
static int begin(struct io *io, int fd, const struct iovec *iov, int n, int flags,
		 bool null_ok)
{
	ssize_t total = sum_iov(iov, n, null_ok);
	int r;

	if (total < 0)
		return (int)total;
	r = rl_sock_enter_io(fd, &io->s, &io->st);
	if (r < 0)
		return r;
	io->e = rl_sock_engine(io->s);
	io->iov = iov;
	io->n = n;
	io->total = (size_t)total;
	io->done = 0;
	io->flags = (unsigned)flags & CORE_FLAGS;
	io->nonblock = flags & MSG_DONTWAIT || io->s->flags & RL_SF_NONBLOCK;
	io->until_ns = 0;
	return 0;
}

/* ---- streams ---- */

static int64_t send_once(struct io *io)
{
	struct rill_iov v[MAX_IOV];
	size_t left = io->total - io->done;
	unsigned flags = io->flags;
	int n = rest(io, SEND_STEP, v);

	if (left > SEND_STEP)
		flags |= RILL_MSG_MORE;
	return rill_tcp_send(io->st, io->s->id, v, n, flags);
}

/* Linux has EPIPE also for a stream that was never connected. */
static ssize_t send_result(const struct io *io, int64_t r)
{
	if (io->done)
		return (ssize_t)io->done;
	return r == -ENOTCONN ? -EPIPE : (ssize_t)r;
}

static ssize_t send_tcp(struct io *io)
{
	int64_t r;

	do {
		r = send_once(io);
		if (r > 0) {
			io->done += (size_t)r;
			rl_host_sent(io->e, (size_t)r);
		} else if (r == -EAGAIN) {
			r = rl_sock_again(io->s, io->nonblock, RILL_OUT,
					  io->s->sndtimeo_ns, &io->until_ns);
		} else if (r == 0) {
			break;
		}
	} while (r >= 0 && io->done < io->total);
	return send_result(io, r);
}

/* Bytes that a blocking call wants before it returns. */
static size_t recv_target(const struct io *io)
{
	if (io->nonblock || io->flags & RILL_MSG_OOB)
		return 0;
	if (io->flags & RILL_MSG_WAITALL)
		return io->total;
	return RL_MIN(io->total, (size_t)io->s->rcvlowat);
}

/*
 * A second helping must not take the pending error, which belongs to the next
 * call once this one has something to return.
 */
static bool error_waits(const struct io *io)
{
	return io->done && rl_sock_poll(io->st, io->s) & RILL_ERR;
}

static int64_t recv_once(struct io *io)
{
	struct rill_iov v[MAX_IOV];
	bool peek = io->flags & RILL_MSG_PEEK;
	size_t had = io->done;
	int64_t r;

	if (peek)
		io->done = 0;
	r = rill_tcp_recv(io->st, io->s->id, v, rest(io, io->total, v), io->flags);
	if (r > 0)
		io->done += (size_t)r;
	else
		io->done = had;
	return r;
}

static ssize_t recv_tcp(struct io *io)
{
	bool oob = io->flags & RILL_MSG_OOB;
	size_t target = recv_target(io);
	int64_t r;

	for (;;) {
		r = recv_once(io);
		if (r == 0 || (r < 0 && r != -EAGAIN))
			break;
		if (io->done && io->done >= target)
			break;
		if (error_waits(io))
			break;
		r = oob ? -EAGAIN :
		    rl_sock_again(io->s, io->nonblock, RILL_IN | RILL_RDHUP,
				  io->s->rcvtimeo_ns, &io->until_ns);
		if (r < 0 || error_waits(io))
			break;
	}
	return io->done ? (ssize_t)io->done : (ssize_t)r;
}

/* ---- datagrams ---- */

static ssize_t send_udp(struct io *io, const struct rill_addr *to)
{
	struct rill_iov v[MAX_IOV];
	int n = rest(io, io->total, v);
	int64_t r = rl_sock_autobind(io->st, io->s);

	while (r == 0) {
		r = rill_udp_send(io->st, io->s->id, v, n, to, io->flags);
		if (r != -EAGAIN)
			break;
		r = rl_sock_again(io->s, io->nonblock, RILL_OUT,
				  io->s->sndtimeo_ns, &io->until_ns);
	}
	return (ssize_t)r;
}

static ssize_t recv_udp(struct io *io, struct rill_udp_meta *meta)
{
	struct rill_iov v[MAX_IOV];
	int n = rest(io, io->total, v);
	int64_t r;

	if (io->flags & RILL_MSG_OOB)
		return -EOPNOTSUPP;
	do {
		r = rill_udp_recv(io->st, io->s->id, v, n, meta, io->flags);
		if (r != -EAGAIN)
			return (ssize_t)r;
		r = rl_sock_again(io->s, io->nonblock, RILL_IN,
				  io->s->rcvtimeo_ns, &io->until_ns);
	} while (r == 0);
	return (ssize_t)r;
}

/* ---- ancillary data ---- */

static void put_cmsg(struct msghdr *m, size_t *used, int level, int type,
		     const void *data, size_t len)
{
	size_t room = m->msg_controllen - *used;
	struct cmsghdr h = { .cmsg_level = level, .cmsg_type = type };
	uint8_t *at = (uint8_t *)m->msg_control + *used;

	if (!m->msg_control || room < sizeof(h)) {
		m->msg_flags |= MSG_CTRUNC;
		return;
	}
	h.cmsg_len = CMSG_LEN(len);
	if (h.cmsg_len > room) {
		m->msg_flags |= MSG_CTRUNC;
		h.cmsg_len = room;
		len = room > CMSG_LEN(0) ? room - CMSG_LEN(0) : 0;
	}
	memcpy(at, &h, sizeof(h));
	if (len)
		memcpy(at + CMSG_LEN(0), data, len);
	*used += RL_MIN(CMSG_SPACE(len), room);
}

static void put_cmsgs4(struct msghdr *m, size_t *used, unsigned on,
		       const struct rill_udp_meta *meta)
{
	struct in_addr to = { htonl(rl_ip_get4(&meta->to.ip)) };
	struct in_pktinfo pi = {
		.ipi_ifindex = meta->to.ifindex, .ipi_spec_dst = to, .ipi_addr = to,
	};
	int ttl = meta->ttl;

	if (on & RL_SF_PKTINFO)
		put_cmsg(m, used, IPPROTO_IP, IP_PKTINFO, &pi, sizeof(pi));
	if (on & RL_SF_RECVTTL)
		put_cmsg(m, used, IPPROTO_IP, IP_TTL, &ttl, sizeof(ttl));
	if (on & RL_SF_RECVTOS)
		put_cmsg(m, used, IPPROTO_IP, IP_TOS, &meta->tos, 1);
}

static void put_cmsgs6(struct msghdr *m, size_t *used, unsigned on,
		       const struct rill_udp_meta *meta)
{
	int hops = meta->ttl, tclass = meta->tos;

	if (on & RL_SF_HOPLIMIT6)
		put_cmsg(m, used, IPPROTO_IPV6, IPV6_HOPLIMIT, &hops, sizeof(hops));
	if (on & RL_SF_TCLASS6)
		put_cmsg(m, used, IPPROTO_IPV6, IPV6_TCLASS, &tclass, sizeof(tclass));
}

static void put_control(struct msghdr *m, const struct rl_sock *s,
			const struct rill_udp_meta *meta)
{
	struct in6_pktinfo pi6 = { .ipi6_ifindex = meta->to.ifindex };
	size_t used = 0;

	if (s->flags & RL_SF_PKTINFO6) {
		memcpy(pi6.ipi6_addr.s6_addr, meta->to.ip.b, sizeof(meta->to.ip.b));
		put_cmsg(m, &used, IPPROTO_IPV6, IPV6_PKTINFO, &pi6, sizeof(pi6));
	}
	if (rl_ip_is4(&meta->to.ip))
		put_cmsgs4(m, &used, s->flags, meta);
	else
		put_cmsgs6(m, &used, s->flags, meta);
	m->msg_controllen = used;
}

/* ---- the error queue ---- */

/* struct sock_extended_err, and who reports behind it: see ip(7), IP_RECVERR. */
static void put_error(struct msghdr *m, const struct rill_sock_err *err)
{
	struct {
		struct sock_extended_err ee;
		union {
			struct sockaddr_in	v4;
			struct sockaddr_in6	v6;
		} from;
	} c = { .ee = { .ee_errno = (uint32_t)err->err, .ee_type = err->type,
			.ee_code = err->code, .ee_info = err->mtu } };
	size_t used = 0;

	if (err->v6) {
		c.ee.ee_origin = SO_EE_ORIGIN_ICMP6;
		c.from.v6.sin6_family = AF_INET6;
		memcpy(&c.from.v6.sin6_addr, err->from.b, 16);
		put_cmsg(m, &used, IPPROTO_IPV6, IPV6_RECVERR, &c,
			 sizeof(c.ee) + sizeof(c.from.v6));
	} else {
		c.ee.ee_origin = SO_EE_ORIGIN_ICMP;
		c.from.v4.sin_family = AF_INET;
		c.from.v4.sin_addr.s_addr = htonl(rl_ip_get4(&err->from));
		put_cmsg(m, &used, IPPROTO_IP, IP_RECVERR, &c,
			 sizeof(c.ee) + sizeof(c.from.v4));
	}
	m->msg_controllen = used;
}

static int64_t recverr(struct io *io, struct msghdr *m, struct rill_sock_err *err)
{
	struct rill_iov v[MAX_IOV];
	int64_t r = rill_udp_recverr(io->st, io->s->id, v, rest(io, io->total, v), err);
	int bad;

	if (r < 0)
		return r;
	m->msg_flags = MSG_ERRQUEUE | (err->truncated ? MSG_TRUNC : 0);
	bad = rl_addr_out(io->s, &err->to, m->msg_name, &m->msg_namelen);
	put_error(m, err);
	return bad < 0 ? bad : r;
}

/* Never waits, as on Linux; a stream has no such queue. */
static ssize_t do_recverr(int fd, struct msghdr *m)
{
	struct rill_sock_err err;
	struct io io;
	ssize_t r = begin(&io, fd, m->msg_iov, (int)m->msg_iovlen, MSG_DONTWAIT, false);

	if (r < 0)
		return r;
	r = io.s->kind == RL_SOCK_UDP ? (ssize_t)recverr(&io, m, &err) : -EAGAIN;
	rl_host_leave(io.e);
	return r;
}

/* ---- the calls ---- */

static ssize_t do_recv(int fd, struct msghdr *m, int flags)
{
	struct rill_udp_meta meta;
	struct io io;
	ssize_t r;

	if (flags & MSG_ERRQUEUE)
		return do_recverr(fd, m);
	r = begin(&io, fd, m->msg_iov, (int)m->msg_iovlen, flags, flags & MSG_TRUNC);
	if (r < 0)
		return r;
	m->msg_flags = 0;
	if (io.s->kind == RL_SOCK_TCP) {
		r = recv_tcp(&io);
		m->msg_namelen = 0;
		m->msg_controllen = 0;
	} else {
		r = recv_udp(&io, &meta);
		if (r >= 0) {
			int bad = rl_addr_out(io.s, &meta.from, m->msg_name,
					      &m->msg_namelen);
			m->msg_flags |= meta.truncated ? MSG_TRUNC : 0;
			put_control(m, io.s, &meta);
			if (meta.truncated && flags & MSG_TRUNC)
				r = (ssize_t)meta.len;
			if (bad < 0)
				r = bad;
		}
	}
	rl_host_leave(io.e);
	return r;
}

static ssize_t do_send(int fd, const struct msghdr *m, int flags)
{
	struct rill_addr to;
	struct io io;
	ssize_t r;

	if (flags & (MSG_FASTOPEN | MSG_DONTROUTE))
		return -EOPNOTSUPP;
	r = begin(&io, fd, m->msg_iov, (int)m->msg_iovlen, flags, false);
	if (r < 0)
		return r;
	if (io.s->kind == RL_SOCK_TCP) {
		r = send_tcp(&io);
	} else if (m->msg_controllen) {
		r = -EINVAL;
	} else {
		r = m->msg_name ? rl_addr_in(io.s, RL_ADDR_SEND, m->msg_name,
					     m->msg_namelen, &to) : 0;
		if (r == 0)
			r = send_udp(&io, m->msg_name ? &to : NULL);
	}
	rl_host_leave(io.e);
	return r;
}

ssize_t rill_recvmsg(int fd, struct msghdr *msg, int flags)
{
	if (!msg)
		return -EFAULT;
	if (msg->msg_iovlen > MAX_IOV)
		return -EMSGSIZE;
	return do_recv(fd, msg, flags);
}

ssize_t rill_sendmsg(int fd, const struct msghdr *msg, int flags)
{
	if (!msg)
		return -EFAULT;
	if (msg->msg_iovlen > MAX_IOV)
		return -EMSGSIZE;
	return do_send(fd, msg, flags);
}

ssize_t rill_recvfrom(int fd, void *buf, size_t n, int flags, struct sockaddr *sa,
		      socklen_t *len)
{
	struct iovec iov = { buf, RL_MIN(n, (size_t)INT_MAX) };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_name = sa };
	ssize_t r;

	if (sa && !len)
		return -EFAULT;
	m.msg_namelen = sa ? *len : 0;
	r = do_recv(fd, &m, flags);
	if (r >= 0 && sa)
		*len = m.msg_namelen;
	return r;
}

ssize_t rill_sendto(int fd, const void *buf, size_t n, int flags,
		    const struct sockaddr *sa, socklen_t len)
{
	/* a union, because iovec has no const; nothing writes through it */
	union { const void *c; void *v; } u = { buf };
	union { const struct sockaddr *c; void *v; } name = { sa };
	struct iovec iov = { u.v, RL_MIN(n, (size_t)INT_MAX) };
	const struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_name = name.v, .msg_namelen = len,
	};

	return do_send(fd, &m, flags);
}

ssize_t rill_recv(int fd, void *buf, size_t n, int flags)
{
	return rill_recvfrom(fd, buf, n, flags, NULL, NULL);
}

ssize_t rill_send(int fd, const void *buf, size_t n, int flags)
{
	return rill_sendto(fd, buf, n, flags, NULL, 0);
}

ssize_t rill_read(int fd, void *buf, size_t n)
{
	return rill_recvfrom(fd, buf, n, 0, NULL, NULL);
}

ssize_t rill_write(int fd, const void *buf, size_t n)
{
	return rill_sendto(fd, buf, n, 0, NULL, 0);
}

ssize_t rill_readv(int fd, const struct iovec *iov, int n)
{
	union { const struct iovec *c; struct iovec *v; } u = { iov };
	struct msghdr m = { .msg_iov = u.v, .msg_iovlen = (size_t)n };

	return n < 0 || n > MAX_IOV ? -EINVAL : do_recv(fd, &m, 0);
}

ssize_t rill_writev(int fd, const struct iovec *iov, int n)
{
	union { const struct iovec *c; struct iovec *v; } u = { iov };
	const struct msghdr m = { .msg_iov = u.v, .msg_iovlen = (size_t)n };

	return n < 0 || n > MAX_IOV ? -EINVAL : do_send(fd, &m, 0);
}
