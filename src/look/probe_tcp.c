/* SPDX-License-Identifier: MIT */
/*
 * TCP probes without any right: a connect() each.  The handshake's end tells open
 * from closed and how long it took; an ICMP error on the way ends the attempt and
 * tells by IP_RECVERR who sent it (the kernel's since Linux 5.9).  A refusal is
 * RST unless such an error says otherwise.  Called by probe_sock.c.
 */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "look/probe_sock_int.h"

void probe_conn_close(struct probe_sock *ps, struct probe_conn *c, bool abort)
{
	struct linger l = { .l_onoff = 1 };

	if (c->fd < 0)
		return;
	if (abort)
		(void)ps->call->setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
	ps->call->close(c->fd);
	c->fd = -1;
}

static bool lane_is_free(const struct probe_sock *ps, int fd, unsigned lane)
{
	for (int i = 0; i < PROBE_CONNS; i++)
		if (ps->conn[i].fd >= 0 && ps->conn[i].fd != fd && ps->conn[i].lane == lane)
			return false;
	return true;
}

/*
 * The first probe of a lane chooses its port, the others keep it.  Two of one port
 * can't run at the same time: one that is still open makes the next go without.
 */
static int take_lane(struct probe_sock *ps, int fd, unsigned lane)
{
	struct sockaddr_storage ss = { .ss_family = ps->conf.dst.ss_family };
	socklen_t len = ps->conf.dst_len;
	bool keep = ps->conf.lanes && lane_is_free(ps, fd, lane);
	int one = 1, r;

	if (ps->conf.src)
		ss = *ps->conf.src;
	else if (!keep)
		return 0;
	(void)ps->call->setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (keep)
		probe_set_port(&ss, ps->lane_port[lane]);
	r = ps->call->bind(fd, (struct sockaddr *)&ss, len);
	len = sizeof(ss);
	if (r == 0 && keep &&
	    ps->call->getsockname(fd, (struct sockaddr *)&ss, &len) == 0)
		ps->lane_port[lane] = probe_get_port(&ss);
	return r;
}

static int start(struct probe_sock *ps, int fd, unsigned ttl, unsigned lane)
{
	struct sockaddr_storage dst = ps->conf.dst;
	int one = 1, r;

	probe_set_ttl(ps, fd, ttl);
	if (ps->wire.v6)
		(void)ps->call->setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &one, sizeof(one));
	else
		(void)ps->call->setsockopt(fd, IPPROTO_IP, IP_RECVERR, &one, sizeof(one));
	r = take_lane(ps, fd, lane);
	if (r)
		return r;
	probe_set_port(&dst, ps->conf.port);
	r = ps->call->connect(fd, (struct sockaddr *)&dst, ps->conf.dst_len);
	/* a refusal at once, from our own host, is read like one that takes time */
	return r == -EINPROGRESS || r == -ECONNREFUSED || r == -EHOSTUNREACH ? 0 : r;
}

int probe_conn_start(struct probe_sock *ps, uint16_t seq, unsigned ttl, unsigned lane)
{
	struct probe_conn *c = NULL;
	int fd, r;

	for (int i = 0; i < PROBE_CONNS && !c; i++)
		if (ps->conn[i].fd < 0)
			c = &ps->conn[i];
	if (!c)
		return -ENOBUFS;
	fd = ps->call->socket(ps->conf.engine, ps->conf.dst.ss_family,
			      SOCK_STREAM | SOCK_NONBLOCK, IPPROTO_TCP);
	if (fd < 0)
		return fd;
	*c = (struct probe_conn){ fd, seq, (uint8_t)lane };
	probe_to_ip((struct sockaddr *)&ps->conf.dst, &ps->wire.dst);
	r = start(ps, fd, ttl, lane);
	if (r)
		probe_conn_close(ps, c, true);
	return r;
}

static void own_address(struct probe_sock *ps, int fd)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);

	if (ps->call->getsockname(fd, (struct sockaddr *)&ss, &len) == 0)
		probe_to_ip((struct sockaddr *)&ss, &ps->wire.src);
}

/* Return: did the attempt come to an end that says something? */
static bool outcome(struct probe_sock *ps, struct probe_conn *c, struct probe_answer *a)
{
	socklen_t len = sizeof(int);
	int err = 0;

	own_address(ps, c->fd);
	if (probe_read_error(ps, c->fd, a) < 0) {
		*a = (struct probe_answer){ .ttl = -1, .what = PROBE_REACHED };
		(void)ps->call->getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &err, &len);
		a->at_ns = probe_now_ns();
		a->from = ps->wire.dst;
		a->tcp_open = err == 0;
		a->tcp_closed = err == ECONNREFUSED;
		if (err && err != ECONNREFUSED) {	/* an error nobody signed: our own */
			a->what = PROBE_REFUSED;
			a->from = ps->wire.src;
			a->v6 = ps->wire.v6;
			a->type = a->v6 ? 1 : 3;
			a->code = err == ENETUNREACH ? 0 : a->v6 ? 3 : 1;
			a->local = true;
			if (err == ETIMEDOUT)
				return false;
		}
	}
	a->seq = c->seq;
	a->has_seq = true;
	return true;
}

bool probe_conn_receive(struct probe_sock *ps, struct probe_answer *a)
{
	for (int i = 0; i < PROBE_CONNS; i++) {
		struct probe_conn *c = &ps->conn[i];
		struct pollfd p = { .fd = c->fd, .events = POLLOUT };
		bool said;

		if (c->fd < 0 || ps->call->poll(&p, 1, 0) <= 0 || !p.revents)
			continue;
		said = outcome(ps, c, a);
		probe_conn_close(ps, c, ps->conf.lanes || !a->tcp_open);
		if (said)
			return true;
	}
	return false;
}
