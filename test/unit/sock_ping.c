/* SPDX-License-Identifier: MIT */
/*
 * Ping sockets and the error queue through the calls of sock/, between two stacks:
 * what programs written for Linux's expect. [A26] [B5] [B6]
 */
#include "sock_fixture.h"

#include <linux/errqueue.h>
#include <time.h>

static bool wait_for(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };

	return CHECK("in time", rill_poll(&p, 1, PATIENCE_MS) == 1);
}

static void echo(struct world *w, int family)
{
	bool v4 = family == AF_INET;
	uint8_t msg[12] = { v4 ? 8 : 128, 0, 0, 0, 0, 0, 0, 5, 'r', 'i', 'l', 'l' }, b[64];
	struct sockaddr_in to4 = addr4(A4, 0);
	struct sockaddr_in6 to6 = addr6(A6, 0);
	struct sockaddr_storage name;
	socklen_t len = sizeof(name);
	int one = 1, v = 0, fd;
	char control[64];
	struct iovec iov = { b, sizeof(b) };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			    .msg_controllen = sizeof(control) };
	struct cmsghdr *c;

	fd = rill_socket(w->b, family, SOCK_DGRAM, v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
	REQUIRE("socket", fd >= RILL_FD_BASE);
	set_timeo(fd, PATIENCE_MS);
	CHECK_EQ("hops", rill_setsockopt(fd, v4 ? IPPROTO_IP : IPPROTO_IPV6,
		 v4 ? IP_RECVTTL : IPV6_RECVHOPLIMIT, &one, sizeof(one)), 0);
	CHECK_EQ("send", rill_sendto(fd, msg, sizeof(msg), 0, v4 ? SA(to4) : SA(to6),
		 v4 ? sizeof(to4) : sizeof(to6)), 12);
	CHECK_EQ("reply", rill_recvmsg(fd, &m, 0), 12);
	CHECK_UEQ("type", b[0], v4 ? 0 : 129);
	CHECK_UEQ("number", b[7], 5);
	CHECK_MEM("data", b + 8, "rill", 4);
	c = CMSG_FIRSTHDR(&m);
	REQUIRE("hop limit", c != NULL);
	memcpy(&v, CMSG_DATA(c), sizeof(v));
	CHECK_EQ("as sent", v, 64);
	CHECK_EQ("name", rill_getsockname(fd, SA(name), &len), 0);
	CHECK_UEQ("port is the identifier", ntohs(((struct sockaddr_in *)&name)->sin_port),
		  (unsigned)(b[4] << 8 | b[5]));
	len = sizeof(v);
	CHECK_EQ("protocol", rill_getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &v, &len), 0);
	CHECK_EQ("protocol", v, v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
	CHECK_EQ("it is no stream", rill_listen(fd, 1), -EOPNOTSUPP);
	rill_close(fd);
}

TEST(ping_between_stacks)
{
	struct world w;

	REQUIRE("world", world_open(&w, true));
	echo(&w, AF_INET);
	echo(&w, AF_INET6);
	world_close(&w);
}

TEST(ping_sockets_are_of_one_family)
{
	struct world w;

	REQUIRE("world", world_open(&w, true));
	CHECK_EQ("ICMP in IPv6", rill_socket(w.a, AF_INET6, SOCK_DGRAM, IPPROTO_ICMP),
		 -EPROTONOSUPPORT);
	CHECK_EQ("ICMPv6 in IPv4", rill_socket(w.a, AF_INET, SOCK_DGRAM, IPPROTO_ICMPV6),
		 -EPROTONOSUPPORT);
	CHECK_EQ("a stream", rill_socket(w.a, AF_INET, SOCK_STREAM, IPPROTO_ICMP),
		 -EPROTONOSUPPORT);
	world_close(&w);
}

/* ---- MSG_ERRQUEUE ---- */

struct taken {
	struct sock_extended_err ee;
	struct sockaddr_storage from, to;
	int64_t n;
	int flags;
	uint8_t data[64];
};

static void take_error(int fd, struct taken *t)
{
	char control[256];
	struct iovec iov = { t->data, sizeof(t->data) };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			    .msg_controllen = sizeof(control), .msg_name = &t->to,
			    .msg_namelen = sizeof(t->to) };
	struct cmsghdr *c;

	memset(t, 0, sizeof(*t));
	t->n = rill_recvmsg(fd, &m, MSG_ERRQUEUE);
	t->flags = m.msg_flags;
	c = t->n >= 0 ? CMSG_FIRSTHDR(&m) : NULL;
	if (!c)
		return;
	memcpy(&t->ee, CMSG_DATA(c), sizeof(t->ee));
	memcpy(&t->from, SO_EE_OFFENDER((struct sock_extended_err *)CMSG_DATA(c)),
	       c->cmsg_len - CMSG_LEN(sizeof(t->ee)));
}

static void refused4(struct world *w, int one)
{
	struct sockaddr_in to = addr4(A4, 9), from;
	int fd = rill_socket(w->b, AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	struct taken t;

	CHECK_EQ("IP_RECVERR", rill_setsockopt(fd, IPPROTO_IP, IP_RECVERR, &one, sizeof(one)), 0);
	take_error(fd, &t);
	CHECK_EQ("empty", t.n, -EAGAIN);
	CHECK_EQ("send", rill_sendto(fd, "probe", 5, 0, SA(to), sizeof(to)), 5);
	wait_for(fd, POLLIN);
	take_error(fd, &t);
	CHECK_EQ("our data", t.n, 5);
	CHECK_MEM("our data", t.data, "probe", 5);
	CHECK("flag", t.flags & MSG_ERRQUEUE);
	CHECK_UEQ("errno", t.ee.ee_errno, ECONNREFUSED);
	CHECK_UEQ("origin", t.ee.ee_origin, SO_EE_ORIGIN_ICMP);
	CHECK_UEQ("type", t.ee.ee_type, 3);
	CHECK_UEQ("code", t.ee.ee_code, 3);
	memcpy(&from, &t.from, sizeof(from));
	CHECK_UEQ("who", from.sin_addr.s_addr, to.sin_addr.s_addr);
	CHECK_MEM("where to", &t.to, &to, 8);
	rill_close(fd);
}

static void refused6(struct world *w, int one)
{
	struct sockaddr_in6 to = addr6(A6, 9), from;
	int fd = rill_socket(w->b, AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	struct taken t;

	CHECK_EQ("IPV6_RECVERR", rill_setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &one,
		 sizeof(one)), 0);
	CHECK_EQ("send", rill_sendto(fd, "probe", 5, 0, SA(to), sizeof(to)), 5);
	wait_for(fd, POLLIN);
	take_error(fd, &t);
	CHECK_EQ("our data", t.n, 5);
	CHECK_UEQ("origin", t.ee.ee_origin, SO_EE_ORIGIN_ICMP6);
	CHECK_UEQ("type", t.ee.ee_type, 1);
	CHECK_UEQ("code", t.ee.ee_code, 4);
	memcpy(&from, &t.from, sizeof(from));
	CHECK_MEM("who", &from.sin6_addr, &to.sin6_addr, 16);
	rill_close(fd);
}

TEST(error_queue_between_stacks)
{
	struct world w;

	REQUIRE("world", world_open(&w, true));
	refused4(&w, 1);
	refused6(&w, 1);
	world_close(&w);
}

TEST(error_queue_of_a_stream)
{
	struct world w;
	struct link k;
	struct taken t;

	REQUIRE("world", world_open(&w, true));
	REQUIRE("link", link_up(&w, 80, &k));
	take_error(k.c, &t);
	CHECK_EQ("there is none", t.n, -EAGAIN);
	link_down(&k);
	take_error(k.c, &t);
	CHECK_EQ("closed", t.n, -EBADF);
	world_close(&w);
}
