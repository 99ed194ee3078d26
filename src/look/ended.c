/* SPDX-License-Identifier: MIT */
/*
 * The kernel tells listeners of its sock_diag groups about each TCP and UDP socket
 * that is destroyed.  TIME_WAIT and half-open peers are no sockets of their own
 * there and are not told.  Called by `rill ss -E`.
 */
#include "look/ended.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "look/source.h"

#define RCVBUF		(4 << 20)

struct rl_ended {
	struct mnl_socket	*nl;
	bool			(*each)(void *ctx, const struct rill_sock *s);
	void			*ctx;
};

static unsigned groups(unsigned want)
{
	bool v4 = want & RILL_WANT_V4 || !(want & RILL_WANT_V6);
	bool v6 = want & RILL_WANT_V6 || !(want & RILL_WANT_V4);
	unsigned g = 0;

	if (want & RILL_WANT_TCP)
		g |= (v4 ? 1u << (SKNLGRP_INET_TCP_DESTROY - 1) : 0) |
		     (v6 ? 1u << (SKNLGRP_INET6_TCP_DESTROY - 1) : 0);
	if (want & RILL_WANT_UDP)
		g |= (v4 ? 1u << (SKNLGRP_INET_UDP_DESTROY - 1) : 0) |
		     (v6 ? 1u << (SKNLGRP_INET6_UDP_DESTROY - 1) : 0);
	return g;
}

struct rl_ended *rl_ended_open(unsigned want)
{
	struct rl_ended *e = calloc(1, sizeof(*e));
	int size = RCVBUF, err;

	if (!e)
		return NULL;
	e->nl = mnl_socket_open2(NETLINK_SOCK_DIAG, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (e->nl && mnl_socket_bind(e->nl, groups(want), MNL_SOCKET_AUTOPID) == 0) {
		setsockopt(mnl_socket_get_fd(e->nl), SOL_SOCKET, SO_RCVBUFFORCE, &size,
			   sizeof(size));
		return e;
	}
	err = errno;
	rl_ended_close(e);
	errno = err;
	return NULL;
}

void rl_ended_close(struct rl_ended *e)
{
	if (e && e->nl)
		mnl_socket_close(e->nl);
	free(e);
}

int rl_ended_fd(const struct rl_ended *e)
{
	return mnl_socket_get_fd(e->nl);
}

static int protocol(const struct nlattr *at, void *ctx)
{
	uint8_t *proto = ctx;

	if (mnl_attr_get_type(at) == INET_DIAG_PROTOCOL && mnl_attr_get_payload_len(at) >= 1)
		*proto = mnl_attr_get_u8(at);
	return MNL_CB_OK;
}

static int one(const struct nlmsghdr *nlh, void *ctx)
{
	struct rl_ended *e = ctx;
	uint8_t proto = IPPROTO_TCP;
	struct rill_sock s;

	if (!rl_diag_record(nlh, proto, &s))
		return MNL_CB_OK;
	mnl_attr_parse(nlh, sizeof(struct inet_diag_msg), protocol, &proto);
	s.proto = proto;
	s.age_ms = -1;
	s.orphan = false;
	return e->each(e->ctx, &s) ? MNL_CB_OK : MNL_CB_STOP;
}

int rl_ended_read(struct rl_ended *e, bool (*each)(void *ctx, const struct rill_sock *s),
		  void *ctx)
{
	static char buf[1 << 16];
	ssize_t n;

	e->each = each;
	e->ctx = ctx;
	for (int i = 0; i < 1024; i++) {	/* the caller wants to look at its signals */
		n = mnl_socket_recvfrom(e->nl, buf, sizeof(buf));
		if (n < 0 && errno == ENOBUFS)
			return 1;
		if (n < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : -errno;
		if (mnl_cb_run(buf, (size_t)n, 0, 0, one, e) == MNL_CB_STOP)
			break;
	}
	return 0;
}
