/* SPDX-License-Identifier: MIT */
/*
 * The sockets calls over two engines: what each returns, errno by errno, and what
 * blocking calls do [A21] [A26].
 */
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <linux/sockios.h>

#include "sock_fixture.h"

static const struct {
	const char *name;
	int domain, type, proto, ret;		/* ret 1: a descriptor */
} socket_rows[] = {
	{ "tcp",		AF_INET,  SOCK_STREAM, 0,		1 },
	{ "tcp by number",	AF_INET6, SOCK_STREAM, IPPROTO_TCP,	1 },
	{ "udp",		AF_INET,  SOCK_DGRAM, 0,		1 },
	{ "udp non-blocking",	AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 17, 1 },
	{ "family",		AF_UNIX,  SOCK_STREAM, 0,		-EAFNOSUPPORT },
	{ "raw",		AF_INET,  SOCK_RAW, 0,			-ESOCKTNOSUPPORT },
	{ "no such type",	AF_INET,  15, 0,			-EINVAL },
	{ "type flags",		AF_INET,  SOCK_STREAM | 0x100, 0,	-EINVAL },
	{ "udp on a stream",	AF_INET,  SOCK_STREAM, IPPROTO_UDP,	-EPROTONOSUPPORT },
	{ "tcp on datagrams",	AF_INET6, SOCK_DGRAM, IPPROTO_TCP,	-EPROTONOSUPPORT },
};

TEST(socket_refuses)
{
	struct world w;

	REQUIRE("world", world_open(&w, false));
	for (size_t i = 0; i < ARRAY_LEN(socket_rows); i++) {
		int fd = rill_socket(w.a, socket_rows[i].domain, socket_rows[i].type,
				     socket_rows[i].proto);

		if (socket_rows[i].ret == 1)
			CHECK(socket_rows[i].name, fd >= RILL_FD_BASE);
		else
			CHECK_EQ(socket_rows[i].name, fd, socket_rows[i].ret);
		if (fd >= 0)
			CHECK_EQ("close", rill_close(fd), 0);
	}
	CHECK_EQ("no engine", rill_socket(NULL, AF_INET, SOCK_STREAM, 0), -EINVAL);
	world_close(&w);
}

TEST(lowest_descriptor_first)
{
	struct world w;
	int a, b, c;

	REQUIRE("world", world_open(&w, false));
	a = rill_socket(w.a, AF_INET, SOCK_STREAM, 0);
	b = rill_socket(w.b, AF_INET, SOCK_DGRAM, 0);
	CHECK_EQ("first", a, RILL_FD_BASE);
	CHECK_EQ("second, of another engine", b, RILL_FD_BASE + 1);
	rill_close(a);
	c = rill_socket(w.b, AF_INET, SOCK_STREAM, 0);
	CHECK_EQ("the free one again", c, RILL_FD_BASE);
	world_close(&w);
	CHECK_EQ("closed with its engine", rill_close(b), -EBADF);
	CHECK_EQ("this one too", rill_close(c), -EBADF);
}

/* Each call on what is no socket of Rill's. */
TEST(bad_descriptors)
{
	static const struct { const char *name; int fd, ret; } rows[] = {
		{ "kernel's",	0,			-ENOTSOCK },
		{ "negative",	-1,			-EBADF },
		{ "never made",	RILL_FD_BASE + 99999,	-EBADF },
		{ "too large",	INT32_MAX,		-EBADF },
	};
	struct sockaddr_in sa = addr4(A4, 1);
	socklen_t len = sizeof(sa);
	char c = 0;
	int v = 0;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int fd = rows[i].fd, ret = rows[i].ret;

		CHECK_EQ(rows[i].name, rill_bind(fd, SA(sa), len), ret);
		CHECK_EQ(rows[i].name, rill_listen(fd, 1), ret);
		CHECK_EQ(rows[i].name, rill_accept(fd, NULL, NULL), ret);
		CHECK_EQ(rows[i].name, rill_connect(fd, SA(sa), len), ret);
		CHECK_EQ(rows[i].name, rill_read(fd, &c, 1), ret);
		CHECK_EQ(rows[i].name, rill_write(fd, &c, 1), ret);
		CHECK_EQ(rows[i].name, rill_shutdown(fd, SHUT_WR), ret);
		CHECK_EQ(rows[i].name, rill_close(fd), ret);
		CHECK_EQ(rows[i].name, rill_getsockname(fd, SA(sa), &len), ret);
		CHECK_EQ(rows[i].name, rill_getpeername(fd, SA(sa), &len), ret);
		CHECK_EQ(rows[i].name, rill_fcntl(fd, F_GETFL, 0), ret);
		CHECK_EQ(rows[i].name, rill_ioctl(fd, FIONREAD, &v), ret);
		len = sizeof(v);
		CHECK_EQ(rows[i].name, rill_getsockopt(fd, SOL_SOCKET, SO_TYPE, &v, &len), ret);
		CHECK_EQ(rows[i].name, rill_setsockopt(fd, SOL_SOCKET, SO_LINGER, &v, len), ret);
		CHECK_EQ(rows[i].name, (int)rill_socket_id(fd), 0);
		len = sizeof(sa);
	}
}

TEST(bind_refuses)
{
	struct sockaddr_in ok = addr4(A4, 700), any = addr4("0.0.0.0", 701);
	struct sockaddr_in foreign = addr4("10.1.0.99", 702), unspec = any;
	struct sockaddr_in6 six = addr6(A6, 703), mapped = addr6("::ffff:" A4, 704);
	struct world w;
	int fd, fd6, two, one = 1;

	REQUIRE("world", world_open(&w, false));
	fd = rill_socket(w.a, AF_INET, SOCK_STREAM, 0);
	fd6 = rill_socket(w.a, AF_INET6, SOCK_STREAM, 0);
	two = rill_socket(w.a, AF_INET, SOCK_STREAM, 0);
	CHECK_EQ("NULL", rill_bind(fd, NULL, sizeof(ok)), -EFAULT);
	CHECK_EQ("short", rill_bind(fd, SA(ok), 8), -EINVAL);
	CHECK_EQ("empty", rill_bind(fd, SA(ok), 0), -EINVAL);
	CHECK_EQ("IPv6 address on IPv4", rill_bind(fd, SA(six), sizeof(six)), -EAFNOSUPPORT);
	CHECK_EQ("IPv4 address on IPv6", rill_bind(fd6, SA(ok), sizeof(ok)), -EINVAL);
	CHECK_EQ("not ours", rill_bind(fd, SA(foreign), sizeof(foreign)), -EADDRNOTAVAIL);
	CHECK_EQ("ours", rill_bind(fd, SA(ok), sizeof(ok)), 0);
	CHECK_EQ("twice", rill_bind(fd, SA(any), sizeof(any)), -EINVAL);
	CHECK_EQ("taken", rill_bind(two, SA(ok), sizeof(ok)), -EADDRINUSE);
	unspec.sin_family = AF_UNSPEC;
	CHECK_EQ("zeroed family", rill_bind(two, SA(unspec), sizeof(unspec)), 0);
	rill_setsockopt(fd6, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	CHECK_EQ("mapped, V6ONLY", rill_bind(fd6, SA(mapped), sizeof(mapped)), -EINVAL);
	CHECK_EQ("IPv6", rill_bind(fd6, SA(six), sizeof(six)), 0);
	CHECK_EQ("V6ONLY too late",
		 rill_setsockopt(fd6, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)), -EINVAL);
	world_close(&w);
}

TEST(listen_and_accept_refuse)
{
	struct world w;
	int fd, udp, c;

	REQUIRE("world", world_open(&w, false));
	fd = rill_socket(w.a, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	udp = rill_socket(w.a, AF_INET, SOCK_DGRAM, 0);
	CHECK_EQ("accept before listen", rill_accept(fd, NULL, NULL), -EINVAL);
	CHECK_EQ("accept on UDP", rill_accept(udp, NULL, NULL), -EOPNOTSUPP);
	CHECK_EQ("listen on UDP", rill_listen(udp, 1), -EOPNOTSUPP);
	CHECK_EQ("listen unbound", rill_listen(fd, 1), 0);
	CHECK_EQ("again, as Linux", rill_listen(fd, 5), 0);
	CHECK_EQ("nobody there", rill_accept(fd, NULL, NULL), -EAGAIN);
	CHECK_EQ("flags", rill_accept4(fd, NULL, NULL, 1), -EINVAL);
	CHECK_EQ("read a listener", rill_read(fd, &c, 1), -ENOTCONN);
	world_close(&w);
}

/* [RFC9293:3.10.1] a port without listener answers by RST */
TEST(connect_refuses)
{
	struct sockaddr_in closed = addr4(A4, 9), far = addr4("192.0.2.1", 9);
	struct sockaddr_in6 six = addr6(A6, 9);
	struct world w;
	int fd, fd6;

	REQUIRE("world", world_open(&w, true));
	fd = rill_socket(w.b, AF_INET, SOCK_STREAM, 0);
	fd6 = rill_socket(w.b, AF_INET6, SOCK_STREAM, 0);
	CHECK_EQ("NULL", rill_connect(fd, NULL, 16), -EFAULT);
	CHECK_EQ("short", rill_connect(fd, SA(closed), 4), -EINVAL);
	CHECK_EQ("family", rill_connect(fd, SA(six), sizeof(six)), -EAFNOSUPPORT);
	CHECK_EQ("no route", rill_connect(fd, SA(far), sizeof(far)), -ENETUNREACH);
	CHECK_EQ("refused", rill_connect(fd, SA(closed), sizeof(closed)), -ECONNREFUSED);
	CHECK_EQ("refused, IPv6", rill_connect(fd6, SA(six), sizeof(six)), -ECONNREFUSED);
	world_close(&w);
}

static int wait_for(int fd, short bits)
{
	struct pollfd p = { .fd = fd, .events = bits };

	CHECK_EQ("ready in time", rill_poll(&p, 1, PATIENCE_MS), 1);
	return p.revents;
}

TEST(connect_without_blocking)
{
	struct sockaddr_in to = addr4(A4, 80), dead = addr4(A4, 81);
	struct world w;
	int l, fd, bad, err = -1, r;
	socklen_t len = sizeof(err);

	REQUIRE("world", world_open(&w, true));
	l = serve(&w, 80, 0);
	fd = rill_socket(w.b, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	bad = rill_socket(w.b, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	CHECK_EQ("begun", rill_connect(fd, SA(to), sizeof(to)), -EINPROGRESS);
	wait_for(fd, POLLOUT);
	CHECK_EQ("SO_ERROR", rill_getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len), 0);
	CHECK_EQ("no error", err, 0);
	CHECK_EQ("told once, as Linux", rill_connect(fd, SA(to), sizeof(to)), 0);
	CHECK_EQ("then", rill_connect(fd, SA(to), sizeof(to)), -EISCONN);
	CHECK_EQ("to nobody", rill_connect(bad, SA(dead), sizeof(dead)), -EINPROGRESS);
	r = wait_for(bad, POLLOUT);
	CHECK("error shows", r & POLLERR);
	CHECK_EQ("SO_ERROR", rill_getsockopt(bad, SOL_SOCKET, SO_ERROR, &err, &len), 0);
	CHECK_EQ("refused", err, ECONNREFUSED);
	rill_close(l);
	world_close(&w);
}

/* Nobody answers for 10.1.0.77; SO_SNDTIMEO ends the wait, not the attempt. */
TEST(connect_times_out)
{
	struct sockaddr_in to = addr4("10.1.0.77", 80);
	struct world w;
	int fd;

	REQUIRE("world", world_open(&w, true));
	fd = rill_socket(w.b, AF_INET, SOCK_STREAM, 0);
	set_timeo(fd, 20);
	CHECK_EQ("time is up", rill_connect(fd, SA(to), sizeof(to)), -EINPROGRESS);
	set_nonblock(fd);
	CHECK_EQ("still trying", rill_connect(fd, SA(to), sizeof(to)), -EALREADY);
	world_close(&w);
}

TEST(names)
{
	struct sockaddr_in sa;
	struct sockaddr_in6 sa6;
	socklen_t len = sizeof(sa);
	struct world w;
	struct link k;
	int fresh;

	REQUIRE("world", world_open(&w, true));
	REQUIRE("link", link_up(&w, 80, &k));
	CHECK_EQ("peer", rill_getpeername(k.c, SA(sa), &len), 0);
	CHECK_EQ("port", ntohs(sa.sin_port), 80);
	CHECK_EQ("address", ntohl(sa.sin_addr.s_addr), 0x0a010001);
	len = sizeof(sa6);
	CHECK_EQ("mapped", rill_getpeername(k.s, SA(sa6), &len), 0);
	CHECK_EQ("length", len, sizeof(sa6));
	CHECK("v4-mapped", IN6_IS_ADDR_V4MAPPED(&sa6.sin6_addr));
	memset(&sa, 0x55, sizeof(sa));
	len = 4;
	CHECK_EQ("cut", rill_getsockname(k.c, SA(sa), &len), 0);
	CHECK_EQ("true length", len, sizeof(sa));
	CHECK_EQ("rest untouched", sa.sin_addr.s_addr, 0x55555555);
	CHECK_EQ("no room for a length", rill_getsockname(k.c, SA(sa), NULL), -EFAULT);
	fresh = rill_socket(w.a, AF_INET, SOCK_STREAM, 0);
	len = sizeof(sa);
	CHECK_EQ("unbound", rill_getsockname(fresh, SA(sa), &len), 0);
	CHECK_EQ("any", sa.sin_addr.s_addr, 0);
	CHECK_EQ("no peer", rill_getpeername(fresh, SA(sa), &len), -ENOTCONN);
	link_down(&k);
	world_close(&w);
}

TEST(send_and_receive_refuse)
{
	struct iovec bad = { NULL, 5 }, ok = { &bad, 1 };
	struct msghdr m = { .msg_iov = &ok, .msg_iovlen = 1025 };
	struct world w;
	struct link k;
	char c = 'x';
	int fresh;

	REQUIRE("world", world_open(&w, true));
	REQUIRE("link", link_up(&w, 80, &k));
	fresh = rill_socket(w.b, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	CHECK_EQ("read unconnected", rill_read(fresh, &c, 1), -ENOTCONN);
	CHECK_EQ("write unconnected", rill_write(fresh, &c, 1), -EPIPE);
	CHECK_EQ("NULL to read", rill_read(k.c, NULL, 1), -EFAULT);
	CHECK_EQ("NULL to write", rill_writev(k.c, &bad, 1), -EFAULT);
	CHECK_EQ("NULL vector", rill_readv(k.c, NULL, 1), -EFAULT);
	CHECK_EQ("negative count", rill_readv(k.c, &ok, -1), -EINVAL);
	CHECK_EQ("vector too long", rill_writev(k.c, &ok, 1025), -EINVAL);
	CHECK_EQ("message too long", rill_recvmsg(k.c, &m, 0), -EMSGSIZE);
	CHECK_EQ("NULL message", rill_sendmsg(k.c, NULL, 0), -EFAULT);
	CHECK_EQ("error queue", rill_recv(k.c, &c, 1, MSG_ERRQUEUE), -EAGAIN);
	CHECK_EQ("fast open", rill_send(k.c, &c, 1, MSG_FASTOPEN), -EOPNOTSUPP);
	CHECK_EQ("nothing there", rill_recv(k.c, &c, 1, MSG_DONTWAIT), -EAGAIN);
	CHECK_EQ("no urgent data", rill_recv(k.c, &c, 1, MSG_OOB), -EINVAL);
	CHECK_EQ("nothing to send", rill_send(k.c, &c, 0, 0), 0);
	link_down(&k);
	world_close(&w);
}

TEST(stream_flags)
{
	char buf[16] = "";
	struct iovec out[3] = { { "ab", 2 }, { "", 0 }, { "cdef", 4 } };
	struct iovec in[2] = { { buf, 3 }, { buf + 3, 3 } };
	struct world w;
	struct link k;

	REQUIRE("world", world_open(&w, true));
	REQUIRE("link", link_up(&w, 80, &k));
	CHECK_EQ("gather", rill_writev(k.c, out, 3), 6);
	CHECK_EQ("peek", rill_recv(k.s, buf, 6, MSG_PEEK | MSG_WAITALL), 6);
	CHECK_MEM("seen", buf, "abcdef", 6);
	memset(buf, 0, sizeof(buf));
	CHECK_EQ("scatter", rill_readv(k.s, in, 2), 6);
	CHECK_MEM("taken", buf, "abcdef", 6);
	CHECK_EQ("thrown away", rill_write(k.c, "12345", 5), 5);
	CHECK_EQ("MSG_TRUNC", rill_recv(k.s, NULL, 3, MSG_TRUNC | MSG_WAITALL), 3);
	CHECK_EQ("the rest", rill_recv(k.s, buf, 16, 0), 2);
	CHECK_MEM("behind it", buf, "45", 2);
	link_down(&k);
	world_close(&w);
}

/* ---- blocking, with a thread on the other side ---- */

struct job {
	pthread_t	t;
	int		fd;
	size_t		n;
	ssize_t		r;
	char		buf[64];
};

static void *reader(void *arg)
{
	struct job *j = arg;

	j->r = rill_recv(j->fd, j->buf, j->n, MSG_WAITALL);
	return NULL;
}

static void go(struct job *j, void *(*fn)(void *), int fd, size_t n)
{
	*j = (struct job){ .fd = fd, .n = n };
	pthread_create(&j->t, NULL, fn, j);
}

static void nap(void)
{
	usleep(20000);		/* so that the other thread likely sleeps; not needed */
}

TEST(blocking_receive_waits_for_all)
{
	struct world w;
	struct link k;
	struct job j;

	REQUIRE("world", world_open(&w, true));
	REQUIRE("link", link_up(&w, 80, &k));
	go(&j, reader, k.s, 10);
	for (int i = 0; i < 5; i++) {
		nap();
		CHECK_EQ("send", rill_write(k.c, "ab", 2), 2);
	}
	pthread_join(j.t, NULL);
	CHECK_EQ("all of it", j.r, 10);
	CHECK_MEM("in order", j.buf, "ababababab", 10);
	link_down(&k);
	world_close(&w);
}

TEST(end_of_stream_ends_the_wait)
{
	struct world w;
	struct link k;
	struct job j;

	REQUIRE("world", world_open(&w, true));
	REQUIRE("link", link_up(&w, 80, &k));
	go(&j, reader, k.s, 10);
	rill_write(k.c, "abc", 3);
	nap();
	CHECK_EQ("half close", rill_shutdown(k.c, SHUT_WR), 0);
	pthread_join(j.t, NULL);
	CHECK_EQ("what there was", j.r, 3);
	CHECK_EQ("then the end", rill_read(k.s, j.buf, 1), 0);
	CHECK_EQ("and again", rill_read(k.s, j.buf, 1), 0);
	link_down(&k);
	world_close(&w);
}

TEST(another_thread_closes)
{
	struct world w;
	struct link k;
	struct job j;

	REQUIRE("world", world_open(&w, true));
	REQUIRE("link", link_up(&w, 80, &k));
	go(&j, reader, k.s, 10);
	nap();
	CHECK_EQ("close", rill_close(k.s), 0);
	pthread_join(j.t, NULL);
	CHECK_EQ("told so", j.r, -EBADF);
	k.s = -1;
	link_down(&k);
	world_close(&w);
}

static void on_signal(int sig)
{
	(void)sig;
}

static void *interrupted(void *arg)
{
	struct job *j = arg;

	j->r = rill_recv(j->fd, j->buf, j->n, 0);
	__atomic_store_n(&j->n, 0, __ATOMIC_SEQ_CST);
	return NULL;
}

TEST(a_signal_interrupts)
{
	struct sigaction sa = { .sa_handler = on_signal };
	struct world w;
	struct link k;
	struct job j;

	REQUIRE("world", world_open(&w, true));
	REQUIRE("link", link_up(&w, 80, &k));
	sigaction(SIGUSR1, &sa, NULL);
	go(&j, interrupted, k.s, 10);
	for (int i = 0; i < 500 && __atomic_load_n(&j.n, __ATOMIC_SEQ_CST); i++) {
		nap();
		pthread_kill(j.t, SIGUSR1);
	}
	pthread_join(j.t, NULL);
	CHECK_EQ("EINTR", j.r, -EINTR);
	link_down(&k);
	world_close(&w);
}

TEST(time_limits)
{
	struct sockaddr_in6 sa = addr6("::", 81);
	static char block[1 << 16];
	struct world w;
	struct link k;
	ssize_t r = 1;
	char c;
	int l;

	REQUIRE("world", world_open(&w, true));
	REQUIRE("link", link_up(&w, 80, &k));
	l = rill_socket(w.a, AF_INET6, SOCK_STREAM, 0);
	rill_bind(l, SA(sa), sizeof(sa));
	rill_listen(l, 1);
	set_timeo(l, 10);
	set_timeo(k.c, 10);
	CHECK_EQ("recv", rill_recv(k.c, &c, 1, 0), -EAGAIN);
	CHECK_EQ("accept", rill_accept(l, NULL, NULL), -EAGAIN);
	/* nobody reads: sooner or later both ends' buffers are full */
	for (int i = 0; i < 4096 && r > 0; i++)
		r = rill_send(k.c, block, sizeof(block), 0);
	CHECK_EQ("send", r, -EAGAIN);
	link_down(&k);
	world_close(&w);
}

/* ---- closing ---- */

TEST(half_close_both_ways)
{
	struct world w;
	struct link k;
	char buf[8];

	REQUIRE("world", world_open(&w, true));
	REQUIRE("link", link_up(&w, 80, &k));
	CHECK_EQ("how", rill_shutdown(k.c, 3), -EINVAL);
	CHECK_EQ("client is done", rill_shutdown(k.c, SHUT_WR), 0);
	CHECK_EQ("server hears it", rill_read(k.s, buf, 8), 0);
	CHECK_EQ("no more from client", rill_write(k.c, "x", 1), -EPIPE);
	CHECK_EQ("server goes on", rill_write(k.s, "more", 4), 4);
	CHECK_EQ("client receives", rill_recv(k.c, buf, 4, MSG_WAITALL), 4);
	CHECK_EQ("server is done", rill_shutdown(k.s, SHUT_WR), 0);
	CHECK_EQ("client hears it", rill_read(k.c, buf, 8), 0);
	link_down(&k);
	world_close(&w);
}

TEST(shutdown_without_connection)
{
	struct world w;
	int fd;

	REQUIRE("world", world_open(&w, false));
	fd = rill_socket(w.a, AF_INET, SOCK_STREAM, 0);
	CHECK_EQ("fresh", rill_shutdown(fd, SHUT_WR), -ENOTCONN);
	world_close(&w);
}

TEST(linger_zero_resets)
{
	struct linger lg = { 1, 0 };
	struct world w;
	struct link k;
	char c;

	REQUIRE("world", world_open(&w, true));
	REQUIRE("link", link_up(&w, 80, &k));
	CHECK_EQ("option", rill_setsockopt(k.c, SOL_SOCKET, SO_LINGER, &lg, sizeof(lg)), 0);
	CHECK_EQ("close", rill_close(k.c), 0);
	CHECK_EQ("peer is told", rill_read(k.s, &c, 1), -ECONNRESET);
	CHECK_EQ("once", rill_read(k.s, &c, 1), 0);
	CHECK_EQ("no more sending", rill_write(k.s, "x", 1), -EPIPE);
	link_down(&k);
	world_close(&w);
}

/* close() comes back when the FIN is acknowledged: then nothing is in flight. */
TEST(linger_waits_for_delivery)
{
	struct linger lg = { 1, PATIENCE_MS / 1000 };
	struct rill_tcp_info info;
	socklen_t len = sizeof(info);
	struct world w;
	struct link k;
	char c;

	REQUIRE("world", world_open(&w, true));
	REQUIRE("link", link_up(&w, 80, &k));
	rill_setsockopt(k.c, SOL_SOCKET, SO_LINGER, &lg, sizeof(lg));
	rill_write(k.c, "x", 1);
	CHECK_EQ("close", rill_close(k.c), 0);
	CHECK_EQ("all arrived", rill_getsockopt(k.s, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
	CHECK_EQ("with the FIN", info.state, RILL_CLOSE_WAIT);
	CHECK_EQ("data", rill_read(k.s, &c, 1), 1);
	CHECK_EQ("end", rill_read(k.s, &c, 1), 0);
	link_down(&k);
	world_close(&w);
}

/* [RFC9293:SHLD-3] */
TEST(closing_with_unread_data_resets)
{
	struct world w;
	struct link k;
	char c;

	REQUIRE("world", world_open(&w, true));
	REQUIRE("link", link_up(&w, 80, &k));
	rill_write(k.c, "unread", 6);
	wait_for(k.s, POLLIN);
	CHECK_EQ("close", rill_close(k.s), 0);
	CHECK_EQ("reset", rill_read(k.c, &c, 1), -ECONNRESET);
	k.s = -1;
	link_down(&k);
	world_close(&w);
}

/* ---- datagrams [A24] ---- */

static int udp_at(struct rill_engine *e, int family, const char *ip, unsigned port)
{
	int fd = rill_socket(e, family, SOCK_DGRAM, 0);
	struct sockaddr_in6 six = addr6(family == AF_INET6 ? ip : "::", port);
	struct sockaddr_in four = addr4(family == AF_INET ? ip : "0.0.0.0", port);

	set_timeo(fd, PATIENCE_MS);
	if (family == AF_INET)
		CHECK_EQ("bind", rill_bind(fd, SA(four), sizeof(four)), 0);
	else
		CHECK_EQ("bind", rill_bind(fd, SA(six), sizeof(six)), 0);
	return fd;
}

TEST(datagrams)
{
	struct sockaddr_in to = addr4(A4, 53), from;
	struct sockaddr_in unspec = { .sin_family = AF_UNSPEC };
	socklen_t len = sizeof(from);
	struct world w;
	char buf[16];
	int s, c;

	REQUIRE("world", world_open(&w, true));
	s = udp_at(w.a, AF_INET, A4, 53);
	c = rill_socket(w.b, AF_INET, SOCK_DGRAM, 0);
	CHECK_EQ("to nobody", rill_send(c, "x", 1, 0), -EDESTADDRREQ);
	CHECK_EQ("no name, no room", rill_recvfrom(s, buf, 1, 0, SA(from), NULL), -EFAULT);
	CHECK_EQ("sendto", rill_sendto(c, "hello", 5, 0, SA(to), sizeof(to)), 5);
	CHECK_EQ("empty one", rill_sendto(c, "", 0, 0, SA(to), sizeof(to)), 0);
	CHECK_EQ("recvfrom", rill_recvfrom(s, buf, 16, 0, SA(from), &len), 5);
	CHECK_EQ("from", ntohl(from.sin_addr.s_addr), 0x0a010002);
	CHECK_EQ("empty one", rill_recv(s, buf, 16, 0), 0);
	CHECK_EQ("none left", rill_recv(s, buf, 16, MSG_DONTWAIT), -EAGAIN);
	CHECK_EQ("connect", rill_connect(s, SA(from), sizeof(from)), 0);
	CHECK_EQ("send", rill_send(s, "0123456789", 10, 0), 10);
	CHECK_EQ("cut, true length", rill_recv(c, buf, 4, MSG_TRUNC), 10);
	CHECK_MEM("its beginning", buf, "0123", 4);
	CHECK_EQ("dissolve", rill_connect(s, SA(unspec), sizeof(unspec)), 0);
	CHECK_EQ("no peer", rill_send(s, "x", 1, 0), -EDESTADDRREQ);
	world_close(&w);
}

/* [RFC1122:4.1.3.3] port unreachable reaches a connected socket */
TEST(datagram_to_a_closed_port)
{
	struct sockaddr_in to = addr4(A4, 54);
	struct world w;
	char c;
	int fd;

	REQUIRE("world", world_open(&w, true));
	fd = rill_socket(w.b, AF_INET, SOCK_DGRAM, 0);
	set_timeo(fd, PATIENCE_MS);
	rill_connect(fd, SA(to), sizeof(to));
	CHECK_EQ("send", rill_send(fd, "x", 1, 0), 1);
	CHECK_EQ("told", rill_recv(fd, &c, 1, 0), -ECONNREFUSED);
	world_close(&w);
}

static const struct cmsghdr *cmsg_of(struct msghdr *m, int level, int type)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c))
		if (c->cmsg_level == level && c->cmsg_type == type)
			return c;
	return NULL;
}

TEST(ancillary_data)
{
	struct sockaddr_in to4 = addr4(A4, 53);
	struct sockaddr_in6 to6 = addr6(A6, 54);
	_Alignas(struct cmsghdr) char ctl[256];
	char buf[4];
	struct iovec iov = { buf, 4 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = ctl };
	int s4, s6, c4, c6, on = 1, v = 0;
	struct in_pktinfo pi;
	struct world w;

	REQUIRE("world", world_open(&w, true));
	s4 = udp_at(w.a, AF_INET, "0.0.0.0", 53);
	s6 = udp_at(w.a, AF_INET6, "::", 54);
	c4 = rill_socket(w.b, AF_INET, SOCK_DGRAM, 0);
	c6 = rill_socket(w.b, AF_INET6, SOCK_DGRAM, 0);
	rill_setsockopt(s4, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on));
	rill_setsockopt(s4, IPPROTO_IP, IP_RECVTTL, &on, sizeof(on));
	rill_setsockopt(s4, IPPROTO_IP, IP_RECVTOS, &on, sizeof(on));
	rill_setsockopt(s6, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, &on, sizeof(on));
	rill_setsockopt(s6, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));
	rill_setsockopt(s6, IPPROTO_IPV6, IPV6_RECVTCLASS, &on, sizeof(on));
	v = 33;
	CHECK_EQ("TTL", rill_setsockopt(c4, IPPROTO_IP, IP_TTL, &v, sizeof(v)), 0);
	CHECK_EQ("hops", rill_setsockopt(c6, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &v, sizeof(v)), 0);
	rill_sendto(c4, "12345", 5, 0, SA(to4), sizeof(to4));
	m.msg_controllen = sizeof(ctl);
	CHECK_EQ("received", rill_recvmsg(s4, &m, 0), 4);
	CHECK("cut", m.msg_flags & MSG_TRUNC);
	REQUIRE("ttl", cmsg_of(&m, IPPROTO_IP, IP_TTL));
	memcpy(&v, CMSG_DATA(cmsg_of(&m, IPPROTO_IP, IP_TTL)), sizeof(v));
	CHECK_EQ("as sent", v, 33);
	CHECK("tos", cmsg_of(&m, IPPROTO_IP, IP_TOS) != NULL);
	REQUIRE("pktinfo", cmsg_of(&m, IPPROTO_IP, IP_PKTINFO));
	memcpy(&pi, CMSG_DATA(cmsg_of(&m, IPPROTO_IP, IP_PKTINFO)), sizeof(pi));
	CHECK_EQ("to", ntohl(pi.ipi_addr.s_addr), 0x0a010001);
	CHECK("by", pi.ipi_ifindex > 0);
	rill_sendto(c6, "1", 1, 0, SA(to6), sizeof(to6));
	m.msg_controllen = sizeof(ctl);
	CHECK_EQ("received", rill_recvmsg(s6, &m, 0), 1);
	REQUIRE("hop limit", cmsg_of(&m, IPPROTO_IPV6, IPV6_HOPLIMIT));
	memcpy(&v, CMSG_DATA(cmsg_of(&m, IPPROTO_IPV6, IPV6_HOPLIMIT)), sizeof(v));
	CHECK_EQ("as sent", v, 33);
	CHECK("class", cmsg_of(&m, IPPROTO_IPV6, IPV6_TCLASS) != NULL);
	CHECK("pktinfo", cmsg_of(&m, IPPROTO_IPV6, IPV6_PKTINFO) != NULL);
	rill_sendto(c4, "1", 1, 0, SA(to4), sizeof(to4));
	m.msg_controllen = CMSG_LEN(2);
	CHECK_EQ("little room", rill_recvmsg(s4, &m, 0), 1);
	CHECK("said so", m.msg_flags & MSG_CTRUNC);
	m.msg_controllen = 16;
	CHECK_EQ("not for sending", rill_sendmsg(c4, &m, 0), -EINVAL);
	world_close(&w);
}

/* ---- options, fcntl, ioctl ---- */

/* Everything in the list can be had; what is not in it is refused. */
TEST(options_listed_are_there)
{
	const struct rill_sockopt_desc *d;
	struct world w;
	struct link k;
	int udp, udp6, six, v = 0;
	socklen_t len;

	REQUIRE("world", world_open(&w, true));
	REQUIRE("link", link_up(&w, 80, &k));
	udp = udp_at(w.a, AF_INET, A4, 53);
	udp6 = udp_at(w.a, AF_INET6, A6, 53);
	six = k.l;
	for (unsigned i = 0; (d = rill_sockopt_desc(i)); i++) {
		char val[512];
		int fd = d->level_num == IPPROTO_IPV6 ? six : k.c, r;
		bool dgram = strstr(d->name, "MULTICAST") || strstr(d->name, "RECVERR");

		if (dgram || (d->level_num == SOL_SOCKET && d->num == SO_BROADCAST))
			fd = d->level_num == IPPROTO_IPV6 ? udp6 : udp;
		if (d->num == IPV6_MTU && d->level_num == IPPROTO_IPV6)
			continue;	/* needs an IPv6 connection: connected_mtu below */
		len = sizeof(val);
		r = rill_getsockopt(fd, d->level_num, d->num, val, &len);
		CHECK_EQ(d->name, r, d->gettable ? 0 : -ENOPROTOOPT);
		if (!d->settable)
			CHECK_EQ(d->name, rill_setsockopt(fd, d->level_num, d->num, val, 4),
				 -ENOPROTOOPT);
	}
	len = sizeof(v);
	CHECK_EQ("unknown", rill_getsockopt(k.c, SOL_SOCKET, 9999, &v, &len), -ENOPROTOOPT);
	CHECK_EQ("unknown level", rill_setsockopt(k.c, 4242, 1, &v, 4), -ENOPROTOOPT);
	CHECK_EQ("no value", rill_setsockopt(k.c, IPPROTO_TCP, TCP_NODELAY, NULL, 4), -EFAULT);
	CHECK_EQ("short", rill_setsockopt(k.c, IPPROTO_TCP, TCP_NODELAY, &v, 1), -EINVAL);
	CHECK_EQ("no room", rill_getsockopt(k.c, IPPROTO_TCP, TCP_NODELAY, &v, NULL), -EFAULT);
	link_down(&k);
	world_close(&w);
}

static const struct {
	const char *name;
	int level, opt, set, want;
	char on;			/* 4: TCP over IPv4, 6: AF_INET6, u, U: UDP */
} int_rows[] = {
	{ "SO_REUSEADDR",	SOL_SOCKET, SO_REUSEADDR, 1, 1, '4' },
	{ "SO_REUSEPORT",	SOL_SOCKET, SO_REUSEPORT, 1, 1, '4' },
	{ "SO_KEEPALIVE",	SOL_SOCKET, SO_KEEPALIVE, 7, 1, '4' },
	{ "SO_OOBINLINE",	SOL_SOCKET, SO_OOBINLINE, 1, 1, '4' },
	{ "SO_BROADCAST",	SOL_SOCKET, SO_BROADCAST, 1, 1, 'u' },
	{ "SO_RCVBUF doubled",	SOL_SOCKET, SO_RCVBUF, 50000, 100000, '4' },
	{ "SO_SNDBUF doubled",	SOL_SOCKET, SO_SNDBUF, 50000, 100000, '4' },
	{ "SO_RCVLOWAT",	SOL_SOCKET, SO_RCVLOWAT, 100, 100, '4' },
	{ "SO_RCVLOWAT 0 is 1",	SOL_SOCKET, SO_RCVLOWAT, 0, 1, '4' },
	{ "TCP_NODELAY",	IPPROTO_TCP, TCP_NODELAY, 1, 1, '4' },
	{ "TCP_CORK",		IPPROTO_TCP, TCP_CORK, 1, 1, '4' },
	{ "TCP_KEEPIDLE",	IPPROTO_TCP, TCP_KEEPIDLE, 11, 11, '4' },
	{ "TCP_KEEPINTVL",	IPPROTO_TCP, TCP_KEEPINTVL, 12, 12, '4' },
	{ "TCP_KEEPCNT",	IPPROTO_TCP, TCP_KEEPCNT, 13, 13, '4' },
	{ "TCP_SYNCNT",		IPPROTO_TCP, TCP_SYNCNT, 3, 3, '4' },
	{ "TCP_LINGER2",	IPPROTO_TCP, TCP_LINGER2, 9, 9, '4' },
	{ "TCP_USER_TIMEOUT",	IPPROTO_TCP, TCP_USER_TIMEOUT, 5000, 5000, '4' },
	{ "TCP_WINDOW_CLAMP",	IPPROTO_TCP, TCP_WINDOW_CLAMP, 20000, 20000, '4' },
	{ "IP_TOS",		IPPROTO_IP, IP_TOS, 0x10, 0x10, '4' },
	{ "IP_TTL",		IPPROTO_IP, IP_TTL, 9, 9, '4' },
	{ "IP_MINTTL",		IPPROTO_IP, IP_MINTTL, 3, 3, '4' },
	{ "IP_MTU_DISCOVER",	IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT, IP_PMTUDISC_DONT, '4' },
	{ "IP_MULTICAST_TTL",	IPPROTO_IP, IP_MULTICAST_TTL, 4, 4, 'u' },
	{ "IP_MULTICAST_LOOP",	IPPROTO_IP, IP_MULTICAST_LOOP, 0, 0, 'u' },
	{ "IP_PKTINFO",		IPPROTO_IP, IP_PKTINFO, 1, 1, 'u' },
	{ "IPV6_V6ONLY",	IPPROTO_IPV6, IPV6_V6ONLY, 1, 1, '6' },
	{ "IPV6_UNICAST_HOPS",	IPPROTO_IPV6, IPV6_UNICAST_HOPS, 5, 5, '6' },
	{ "IPV6_TCLASS",	IPPROTO_IPV6, IPV6_TCLASS, 0x20, 0x20, '6' },
	{ "IPV6_MULTICAST_HOPS", IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 6, 6, 'U' },
	{ "IPV6_MULTICAST_LOOP", IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0, 0, 'U' },
	{ "IPV6_RECVPKTINFO",	IPPROTO_IPV6, IPV6_RECVPKTINFO, 1, 1, 'U' },
};

TEST(options_keep_their_values)
{
	struct world w;

	REQUIRE("world", world_open(&w, false));
	for (size_t i = 0; i < ARRAY_LEN(int_rows); i++) {
		int v6 = int_rows[i].on == '6' || int_rows[i].on == 'U';
		int udp = int_rows[i].on == 'u' || int_rows[i].on == 'U';
		int fd = rill_socket(w.a, v6 ? AF_INET6 : AF_INET,
				     udp ? SOCK_DGRAM : SOCK_STREAM, 0);
		int v = int_rows[i].set;
		socklen_t len = sizeof(v);

		CHECK_EQ(int_rows[i].name, rill_setsockopt(fd, int_rows[i].level,
							   int_rows[i].opt, &v, len), 0);
		v = -77;
		CHECK_EQ(int_rows[i].name, rill_getsockopt(fd, int_rows[i].level,
							   int_rows[i].opt, &v, &len), 0);
		CHECK_EQ(int_rows[i].name, v, int_rows[i].want);
		CHECK_EQ(int_rows[i].name, len, sizeof(v));
		rill_close(fd);
	}
	world_close(&w);
}

TEST(options_of_the_descriptor)
{
	struct timeval tv = { 3, 250000 }, got, bad = { 0, 1000000 };
	struct world w;
	socklen_t len = sizeof(got);
	int fd, v;

	REQUIRE("world", world_open(&w, false));
	fd = rill_socket(w.a, AF_INET6, SOCK_DGRAM, 0);
	CHECK_EQ("set", rill_setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)), 0);
	CHECK_EQ("get", rill_getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &got, &len), 0);
	CHECK_EQ("seconds", got.tv_sec, 3);
	CHECK_EQ("microseconds", got.tv_usec, 250000);
	CHECK_EQ("too many", rill_setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &bad, sizeof(bad)), -EDOM);
	CHECK_EQ("short", rill_setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, 4), -EINVAL);
	len = sizeof(v);
	rill_getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &v, &len);
	CHECK_EQ("domain", v, AF_INET6);
	rill_getsockopt(fd, SOL_SOCKET, SO_TYPE, &v, &len);
	CHECK_EQ("type", v, SOCK_DGRAM);
	rill_getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &v, &len);
	CHECK_EQ("protocol", v, IPPROTO_UDP);
	len = 1;
	v = 0x01010101;
	rill_getsockopt(fd, SOL_SOCKET, SO_TYPE, &v, &len);
	CHECK_EQ("cut to the room", v, 0x01010102);
	world_close(&w);
}

TEST(options_of_a_connection)
{
	struct sockaddr_in to = addr4(A4, 81);
	struct rill_tcp_info info;
	socklen_t len = 16;
	struct world w;
	struct link k;
	char name[16] = "";
	int v = 500, l, c;

	REQUIRE("world", world_open(&w, true));
	REQUIRE("link", link_up(&w, 80, &k));
	CHECK_EQ("TCP_CONGESTION", rill_getsockopt(k.c, IPPROTO_TCP, TCP_CONGESTION, name, &len), 0);
	CHECK_STR("the default", name, "reno");
	CHECK_EQ("its own name", rill_setsockopt(k.c, IPPROTO_TCP, TCP_CONGESTION, "reno", 4), 0);
	CHECK_EQ("no such", rill_setsockopt(k.c, IPPROTO_TCP, TCP_CONGESTION, "pigeon", 6), -ENOENT);
	CHECK_EQ("SO_BINDTODEVICE", rill_setsockopt(k.c, SOL_SOCKET, SO_BINDTODEVICE, "pigeon", 6),
		 -ENODEV);
	CHECK_EQ("any device", rill_setsockopt(k.c, SOL_SOCKET, SO_BINDTODEVICE, "", 0), 0);
	len = sizeof(v);
	CHECK_EQ("IP_MTU", rill_getsockopt(k.c, IPPROTO_IP, IP_MTU, &v, &len), 0);
	CHECK_EQ("the link's", v, 1500);
	v = 0;
	CHECK_EQ("TCP_QUICKACK", rill_setsockopt(k.c, IPPROTO_TCP, TCP_QUICKACK, &v, len), 0);
	v = 1;
	CHECK_EQ("get", rill_getsockopt(k.c, IPPROTO_TCP, TCP_QUICKACK, &v, &len), 0);
	CHECK_EQ("off", v, 0);
	l = serve(&w, 81, 0);
	c = rill_socket(w.b, AF_INET, SOCK_STREAM, 0);
	v = 500;
	CHECK_EQ("TCP_MAXSEG", rill_setsockopt(c, IPPROTO_TCP, TCP_MAXSEG, &v, len), 0);
	CHECK_EQ("connect", rill_connect(c, SA(to), sizeof(to)), 0);
	len = sizeof(info);
	CHECK_EQ("TCP_INFO", rill_getsockopt(c, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
	CHECK("segments are small", info.snd_mss <= 500 && info.snd_mss > 400);
	rill_close(c);
	rill_close(l);
	link_down(&k);
	world_close(&w);
}

/* A receives what B sends to a group, while it is a member [A24]. */
static void group(const struct world *w, int family, struct sockaddr *to, socklen_t len,
		  int level, int join, int leave, const void *mreq, socklen_t mlen)
{
	struct sockaddr_in a4 = addr4(A4, 55);
	struct sockaddr_in6 a6 = addr6(A6, 55);
	bool v4 = family == AF_INET;
	int s = udp_at(w->a, family, v4 ? "0.0.0.0" : "::", 55);
	int c = rill_socket(w->b, family, SOCK_DGRAM, 0);
	char buf[16];

	CHECK_EQ("join", rill_setsockopt(s, level, join, mreq, mlen), 0);
	CHECK_EQ("once", rill_setsockopt(s, level, join, mreq, mlen), -EADDRINUSE);
	CHECK_EQ("send", rill_sendto(c, "member", 6, 0, to, len), 6);
	CHECK_EQ("received", rill_recv(s, buf, 16, 0), 6);
	CHECK_EQ("leave", rill_setsockopt(s, level, leave, mreq, mlen), 0);
	CHECK_EQ("left", rill_setsockopt(s, level, leave, mreq, mlen), -EADDRNOTAVAIL);
	CHECK_EQ("send", rill_sendto(c, "stranger", 8, 0, to, len), 8);
	if (v4)		/* what is sent after it arrives after it */
		CHECK_EQ("unicast", rill_sendto(c, "end", 3, 0, SA(a4), sizeof(a4)), 3);
	else
		CHECK_EQ("unicast", rill_sendto(c, "end", 3, 0, SA(a6), sizeof(a6)), 3);
	CHECK_EQ("only that", rill_recv(s, buf, 16, 0), 3);
	rill_close(s);
	rill_close(c);
}

TEST(groups)
{
	struct sockaddr_in to4 = addr4("239.1.1.1", 55), own = addr4(B4, 0);
	struct sockaddr_in6 to6 = addr6("ff15::55", 55);
	struct ip_mreq m4 = { .imr_multiaddr = to4.sin_addr };
	struct ipv6_mreq m6 = { .ipv6mr_multiaddr = to6.sin6_addr };
	struct in_addr got = { 0 };
	socklen_t len = sizeof(got);
	struct world w;
	int fd;

	REQUIRE("world", world_open(&w, true));
	m4.imr_interface = addr4(A4, 0).sin_addr;
	group(&w, AF_INET, SA(to4), sizeof(to4), IPPROTO_IP, IP_ADD_MEMBERSHIP,
	      IP_DROP_MEMBERSHIP, &m4, sizeof(m4));
	group(&w, AF_INET6, SA(to6), sizeof(to6), IPPROTO_IPV6, IPV6_JOIN_GROUP,
	      IPV6_LEAVE_GROUP, &m6, sizeof(m6));
	fd = rill_socket(w.b, AF_INET, SOCK_DGRAM, 0);
	CHECK_EQ("IP_MULTICAST_IF", rill_setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF,
						    &own.sin_addr, sizeof(own.sin_addr)), 0);
	CHECK_EQ("get", rill_getsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &got, &len), 0);
	CHECK_EQ("as set", got.s_addr, own.sin_addr.s_addr);
	world_close(&w);
}

TEST(fcntl_and_ioctl)
{
	struct world w;
	struct link k;
	int v = 1;
	char c;

	REQUIRE("world", world_open(&w, true));
	REQUIRE("link", link_up(&w, 80, &k));
	CHECK_EQ("F_GETFL", rill_fcntl(k.s, F_GETFL, 0), O_RDWR);
	CHECK_EQ("FIONBIO", rill_ioctl(k.s, FIONBIO, &v), 0);
	CHECK_EQ("now", rill_fcntl(k.s, F_GETFL, 0), O_RDWR | O_NONBLOCK);
	CHECK_EQ("does not wait", rill_read(k.s, &c, 1), -EAGAIN);
	CHECK_EQ("other commands", rill_fcntl(k.s, F_DUPFD, 0), -EINVAL);
	rill_write(k.c, "12345", 5);
	wait_for(k.s, POLLIN);
	CHECK_EQ("FIONREAD", rill_ioctl(k.s, FIONREAD, &v), 0);
	CHECK_EQ("bytes", v, 5);
	CHECK_EQ("SIOCATMARK", rill_ioctl(k.s, SIOCATMARK, &v), 0);
	CHECK_EQ("SIOCOUTQ", rill_ioctl(k.s, SIOCOUTQ, &v), 0);
	CHECK_EQ("nothing sent", v, 0);
	CHECK_EQ("another", rill_ioctl(k.s, 0x1234, &v), -ENOTTY);
	CHECK_EQ("NULL", rill_ioctl(k.s, FIONREAD, NULL), -EFAULT);
	CHECK("has an endpoint", rill_socket_id(k.s) != 0);
	link_down(&k);
	world_close(&w);
}

/* A listener hands timeouts on to what it accepts, but not O_NONBLOCK. */
TEST(accepted_sockets_inherit)
{
	struct timeval tv = { 0 };
	socklen_t len = sizeof(tv);
	struct world w;
	struct link k;

	REQUIRE("world", world_open(&w, true));
	REQUIRE("link", link_up(&w, 80, &k));
	CHECK_EQ("timeout", rill_getsockopt(k.s, SOL_SOCKET, SO_RCVTIMEO, &tv, &len), 0);
	CHECK_EQ("the listener's", tv.tv_sec * 1000, PATIENCE_MS);
	CHECK_EQ("blocking", rill_fcntl(k.s, F_GETFL, 0), O_RDWR);
	link_down(&k);
	world_close(&w);
}

/* More than fits any buffer, both ways at once, checked byte by byte [A3]. */
#define BULK	(8u << 20)

static void *sender(void *arg)
{
	struct job *j = arg;
	static const size_t sizes[] = { 1, 100, 1460, 65536, 300000 };
	uint8_t *buf = malloc(300000);
	size_t at = 0;

	for (unsigned i = 0; at < BULK && buf; i++) {
		size_t n = RL_MIN(sizes[i % ARRAY_LEN(sizes)], BULK - at);
		ssize_t r;

		for (size_t b = 0; b < n; b++)
			buf[b] = (uint8_t)((at + b) * 2654435761u >> 13);
		r = rill_send(j->fd, buf, n, 0);
		if (r != (ssize_t)n)
			break;
		at += n;
	}
	free(buf);
	j->r = (ssize_t)at;
	rill_shutdown(j->fd, SHUT_WR);
	return NULL;
}

static void *checker(void *arg)
{
	struct job *j = arg;
	uint8_t *buf = malloc(70000);
	size_t at = 0;
	ssize_t r = 0;

	while (buf && (r = rill_recv(j->fd, buf, 70000, 0)) > 0)
		for (ssize_t b = 0; b < r; b++, at++)
			if (buf[b] != (uint8_t)(at * 2654435761u >> 13))
				j->n++;
	j->r = r < 0 ? r : (ssize_t)at;
	free(buf);
	return NULL;
}

/* One engine talks to itself, without a thread of its own or a device in use. */
TEST(loopback)
{
	struct sockaddr_in to = addr4("127.0.0.1", 80);
	struct job out, in;
	struct world w;
	int l, c, s;

	REQUIRE("world", world_open(&w, false));
	l = serve(&w, 80, 0);
	c = rill_socket(w.a, AF_INET, SOCK_STREAM, 0);
	set_timeo(l, PATIENCE_MS);
	set_timeo(c, PATIENCE_MS);
	CHECK_EQ("connect", rill_connect(c, SA(to), sizeof(to)), 0);
	s = rill_accept(l, NULL, NULL);
	REQUIRE("accept", s >= 0);
	go(&out, sender, c, 0);
	go(&in, checker, s, 0);
	pthread_join(out.t, NULL);
	pthread_join(in.t, NULL);
	CHECK_EQ("sent", out.r, BULK);
	CHECK_EQ("received", in.r, BULK);
	CHECK_EQ("wrong bytes", in.n, 0);
	rill_close(c);
	rill_close(s);
	rill_close(l);
	world_close(&w);
}

TEST(bulk_both_ways)
{
	struct job out, in, back, forth;
	struct world w;
	struct link k;

	REQUIRE("world", world_open(&w, true));
	REQUIRE("link", link_up(&w, 80, &k));
	go(&out, sender, k.c, 0);
	go(&in, checker, k.s, 0);
	go(&back, sender, k.s, 0);
	go(&forth, checker, k.c, 0);
	pthread_join(out.t, NULL);
	pthread_join(in.t, NULL);
	pthread_join(back.t, NULL);
	pthread_join(forth.t, NULL);
	CHECK_EQ("sent", out.r, BULK);
	CHECK_EQ("received", in.r, BULK);
	CHECK_EQ("wrong bytes", in.n, 0);
	CHECK_EQ("sent back", back.r, BULK);
	CHECK_EQ("received back", forth.r, BULK);
	CHECK_EQ("wrong bytes back", forth.n, 0);
	link_down(&k);
	world_close(&w);
}
