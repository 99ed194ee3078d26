/* SPDX-License-Identifier: MIT */
/* rill_epoll: level- and edge-triggered, one-shot, and what it refuses [A26]. */
#include "sock_fixture.h"

static int add(int ep, int fd, uint32_t events, uint64_t tag)
{
	struct epoll_event ev = { .events = events, .data.u64 = tag };

	return rill_epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev);
}

static int mod(int ep, int fd, uint32_t events, uint64_t tag)
{
	struct epoll_event ev = { .events = events, .data.u64 = tag };

	return rill_epoll_ctl(ep, EPOLL_CTL_MOD, fd, &ev);
}

/* One event, or 0 for none. */
static uint32_t next(int ep, int timeout_ms)
{
	struct epoll_event ev = { 0 };

	return rill_epoll_wait(ep, &ev, 1, timeout_ms) == 1 ? ev.events : 0;
}

TEST(epoll_refuses)
{
	struct epoll_event ev = { .events = EPOLLIN };
	struct world w;
	int ep, ep2, fd, other;

	REQUIRE("world", world_open(&w, false));
	ep = rill_epoll_create(w.a);
	ep2 = rill_epoll_create(w.a);
	fd = rill_socket(w.a, AF_INET, SOCK_DGRAM, 0);
	other = rill_socket(w.b, AF_INET, SOCK_DGRAM, 0);
	CHECK_EQ("no engine", rill_epoll_create(NULL), -EINVAL);
	CHECK_EQ("operation", rill_epoll_ctl(ep, 99, fd, &ev), -EINVAL);
	CHECK_EQ("NULL", rill_epoll_ctl(ep, EPOLL_CTL_ADD, fd, NULL), -EFAULT);
	CHECK_EQ("kernel's", rill_epoll_ctl(ep, EPOLL_CTL_ADD, 0, &ev), -EPERM);
	CHECK_EQ("closed", rill_epoll_ctl(ep, EPOLL_CTL_ADD, fd + 100, &ev), -EBADF);
	CHECK_EQ("other engine", rill_epoll_ctl(ep, EPOLL_CTL_ADD, other, &ev), -EINVAL);
	CHECK_EQ("nested", rill_epoll_ctl(ep, EPOLL_CTL_ADD, ep2, &ev), -EINVAL);
	CHECK_EQ("itself", rill_epoll_ctl(ep, EPOLL_CTL_ADD, ep, &ev), -EINVAL);
	CHECK_EQ("no epoll", rill_epoll_ctl(fd, EPOLL_CTL_ADD, fd, &ev), -EINVAL);
	CHECK_EQ("exclusive", add(ep, fd, EPOLLIN | EPOLLEXCLUSIVE, 0), -EINVAL);
	CHECK_EQ("modify before add", mod(ep, fd, EPOLLIN, 0), -ENOENT);
	CHECK_EQ("delete before add", rill_epoll_ctl(ep, EPOLL_CTL_DEL, fd, NULL), -ENOENT);
	CHECK_EQ("add", add(ep, fd, EPOLLIN, 0), 0);
	CHECK_EQ("twice", add(ep, fd, EPOLLIN, 0), -EEXIST);
	CHECK_EQ("delete", rill_epoll_ctl(ep, EPOLL_CTL_DEL, fd, NULL), 0);
	CHECK_EQ("room", rill_epoll_wait(ep, &ev, 0, 0), -EINVAL);
	CHECK_EQ("NULL room", rill_epoll_wait(ep, NULL, 1, 0), -EFAULT);
	CHECK_EQ("wait on a socket", rill_epoll_wait(fd, &ev, 1, 0), -EINVAL);
	CHECK_EQ("wait on the kernel's", rill_epoll_wait(0, &ev, 1, 0), -EINVAL);
	CHECK_EQ("read an epoll", rill_read(ep, &ev, 1), -ENOTSOCK);
	CHECK_EQ("nothing there", rill_epoll_wait(ep, &ev, 1, 5), 0);
	world_close(&w);
}

TEST(level_triggered)
{
	struct world w;
	struct link k;
	char buf[8];
	int ep;

	REQUIRE("world", world_open(&w, true));
	REQUIRE("link", link_up(&w, 80, &k));
	ep = rill_epoll_create(w.a);
	CHECK_EQ("add", add(ep, k.s, EPOLLIN | EPOLLRDHUP, 7), 0);
	CHECK_EQ("quiet", next(ep, 0), 0);
	rill_write(k.c, "abcd", 4);
	CHECK_EQ("data", next(ep, PATIENCE_MS), EPOLLIN);
	CHECK_EQ("still", next(ep, 0), EPOLLIN);
	rill_read(k.s, buf, 2);
	CHECK_EQ("half of it left", next(ep, 0), EPOLLIN);
	rill_read(k.s, buf, 2);
	CHECK_EQ("none left", next(ep, 0), 0);
	rill_shutdown(k.c, SHUT_WR);
	CHECK_EQ("end", next(ep, PATIENCE_MS), EPOLLIN | EPOLLRDHUP);
	CHECK_EQ("that stays", next(ep, 0), EPOLLIN | EPOLLRDHUP);
	link_down(&k);
	CHECK_EQ("closed: gone", next(ep, 0), 0);
	world_close(&w);
}

TEST(edge_triggered)
{
	struct world w;
	struct link k;
	char buf[8];
	int ep;

	REQUIRE("world", world_open(&w, true));
	REQUIRE("link", link_up(&w, 80, &k));
	ep = rill_epoll_create(w.a);
	CHECK_EQ("add", add(ep, k.s, EPOLLIN | EPOLLOUT | EPOLLET, 7), 0);
	CHECK_EQ("true when added", next(ep, 0), EPOLLOUT);
	CHECK_EQ("once", next(ep, 0), 0);
	rill_write(k.c, "abcd", 4);
	CHECK_EQ("all that is true", next(ep, PATIENCE_MS), EPOLLIN | EPOLLOUT);
	CHECK_EQ("once", next(ep, 0), 0);
	rill_read(k.s, buf, 2);
	CHECK_EQ("no new data, no event", next(ep, 0), 0);
	rill_write(k.c, "ef", 2);
	CHECK_EQ("each arrival is one", next(ep, PATIENCE_MS), EPOLLIN | EPOLLOUT);
	CHECK_EQ("modify", mod(ep, k.s, EPOLLIN | EPOLLET, 8), 0);
	CHECK_EQ("looks afresh", next(ep, 0), EPOLLIN);
	CHECK_EQ("once", next(ep, 0), 0);
	link_down(&k);
	world_close(&w);
}

TEST(one_shot)
{
	struct world w;
	struct link k;
	int ep;

	REQUIRE("world", world_open(&w, true));
	REQUIRE("link", link_up(&w, 80, &k));
	ep = rill_epoll_create(w.a);
	CHECK_EQ("add", add(ep, k.s, EPOLLIN | EPOLLONESHOT, 7), 0);
	rill_write(k.c, "abcd", 4);
	CHECK_EQ("data", next(ep, PATIENCE_MS), EPOLLIN);
	CHECK_EQ("deaf", next(ep, 0), 0);
	rill_shutdown(k.c, SHUT_WR);
	CHECK_EQ("deaf to the end too", next(ep, 20), 0);
	CHECK_EQ("armed again", mod(ep, k.s, EPOLLIN | EPOLLONESHOT, 7), 0);
	CHECK_EQ("data", next(ep, 0), EPOLLIN);
	CHECK_EQ("deaf", next(ep, 0), 0);
	link_down(&k);
	world_close(&w);
}

TEST(errors_come_unasked)
{
	struct linger lg = { 1, 0 };
	struct world w;
	struct link k;
	uint32_t bits;
	int ep;

	REQUIRE("world", world_open(&w, true));
	REQUIRE("link", link_up(&w, 80, &k));
	ep = rill_epoll_create(w.a);
	CHECK_EQ("interest in nothing", add(ep, k.s, 0, 7), 0);
	rill_setsockopt(k.c, SOL_SOCKET, SO_LINGER, &lg, sizeof(lg));
	rill_close(k.c);
	bits = next(ep, PATIENCE_MS);
	CHECK("error", bits & EPOLLERR);
	CHECK("hung up", bits & EPOLLHUP);
	k.c = -1;
	link_down(&k);
	world_close(&w);
}

/* A listener, its connections, two epolls on one socket, and fewer places than events. */
TEST(many_sockets)
{
	enum { N = 20 };
	struct sockaddr_in to = addr4(A4, 80);
	struct epoll_event evs[N];
	int l, c[N], s[N], ep, ep2, n, seen = 0;
	uint32_t mask = 0;
	struct world w;

	REQUIRE("world", world_open(&w, true));
	l = serve(&w, 80, SOCK_NONBLOCK);
	ep = rill_epoll_create(w.a);
	ep2 = rill_epoll_create(w.a);
	CHECK_EQ("listener", add(ep, l, EPOLLIN, 99), 0);
	for (int i = 0; i < N; i++) {
		c[i] = rill_socket(w.b, AF_INET, SOCK_STREAM, 0);
		CHECK_EQ("connect", rill_connect(c[i], SA(to), sizeof(to)), 0);
		CHECK_EQ("ready", rill_epoll_wait(ep, evs, N, PATIENCE_MS), 1);
		CHECK_EQ("the listener", evs[0].data.u64, 99);
		s[i] = rill_accept4(l, NULL, NULL, SOCK_NONBLOCK);
		CHECK("accept", s[i] >= 0);
		CHECK_EQ("add", add(ep2, s[i], EPOLLIN | EPOLLET, (uint64_t)i), 0);
	}
	CHECK_EQ("second epoll", add(ep, s[0], EPOLLIN, 50), 0);
	for (int i = 0; i < N; i++)
		rill_write(c[i], "x", 1);
	while (seen < N && (n = rill_epoll_wait(ep2, evs, 7, PATIENCE_MS)) > 0) {
		for (int i = 0; i < n; i++)
			mask |= 1u << evs[i].data.u64;
		seen += n;
	}
	CHECK_EQ("each once", seen, N);
	CHECK_EQ("all of them", mask, (1u << N) - 1);
	CHECK_EQ("the other one too", rill_epoll_wait(ep, evs, N, PATIENCE_MS), 1);
	CHECK_EQ("with its own tag", evs[0].data.u64, 50);
	CHECK_EQ("an epoll goes", rill_close(ep2), 0);
	CHECK_EQ("the other stays", rill_epoll_wait(ep, evs, N, 0), 1);
	world_close(&w);
}

static void *write_later(void *arg)
{
	usleep(20000);
	rill_write(*(int *)arg, "x", 1);
	return NULL;
}

TEST(wait_wakes_and_poll_takes_an_epoll)
{
	struct pollfd p = { .events = POLLIN };
	struct world w;
	struct link k;
	pthread_t t;

	REQUIRE("world", world_open(&w, true));
	REQUIRE("link", link_up(&w, 80, &k));
	p.fd = rill_epoll_create(w.a);
	CHECK_EQ("add", add(p.fd, k.s, EPOLLIN, 0), 0);
	CHECK_EQ("quiet", rill_poll(&p, 1, 0), 0);
	pthread_create(&t, NULL, write_later, &k.c);
	CHECK_EQ("polled", rill_poll(&p, 1, PATIENCE_MS), 1);
	CHECK_EQ("readable", p.revents, POLLIN);
	CHECK_EQ("event", next(p.fd, PATIENCE_MS), EPOLLIN);
	pthread_join(t, NULL);
	link_down(&k);
	world_close(&w);
}
