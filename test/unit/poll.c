/* SPDX-License-Identifier: MIT */
/* rill_poll() over Rill's and the kernel's descriptors, and rill_engine_fd() [A26]. */
#include "sock_fixture.h"

TEST(poll_states)
{
	struct pollfd p[2];
	struct world w;
	struct link k;
	int fresh;
	char c;

	REQUIRE("world", world_open(&w, true));
	REQUIRE("link", link_up(&w, 80, &k));
	p[0] = (struct pollfd){ .fd = k.c, .events = POLLIN | POLLOUT };
	CHECK_EQ("writable", rill_poll(p, 1, 0), 1);
	CHECK_EQ("only", p[0].revents, POLLOUT);
	p[0].events = POLLIN;
	CHECK_EQ("nothing to read", rill_poll(p, 1, 0), 0);
	CHECK_EQ("cleared", p[0].revents, 0);
	CHECK_EQ("time is up", rill_poll(p, 1, 5), 0);
	rill_write(k.s, "x", 1);
	CHECK_EQ("data", rill_poll(p, 1, PATIENCE_MS), 1);
	CHECK_EQ("says so", p[0].revents, POLLIN);
	CHECK_EQ("still", rill_poll(p, 1, 0), 1);
	rill_read(k.c, &c, 1);
	rill_shutdown(k.s, SHUT_WR);
	p[0].events = POLLIN | POLLRDHUP;
	CHECK_EQ("end", rill_poll(p, 1, PATIENCE_MS), 1);
	CHECK_EQ("readable, half closed", p[0].revents, POLLIN | POLLRDHUP);
	fresh = rill_socket(w.b, AF_INET, SOCK_STREAM, 0);
	p[0] = (struct pollfd){ .fd = fresh };
	CHECK_EQ("fresh", rill_poll(p, 1, 0), 1);
	CHECK_EQ("hung up, as Linux", p[0].revents, POLLHUP);
	rill_close(fresh);
	CHECK_EQ("closed", rill_poll(p, 1, PATIENCE_MS), 1);
	CHECK_EQ("not open", p[0].revents, POLLNVAL);
	link_down(&k);
	world_close(&w);
}

TEST(poll_mixes_kernel_and_rill)
{
	struct pollfd p[3];
	int pipefd[2];
	struct world w;
	struct link k;

	REQUIRE("world", world_open(&w, true));
	REQUIRE("link", link_up(&w, 80, &k));
	REQUIRE("pipe", pipe(pipefd) == 0);
	p[0] = (struct pollfd){ .fd = pipefd[0], .events = POLLIN };
	p[1] = (struct pollfd){ .fd = k.c, .events = POLLIN };
	p[2] = (struct pollfd){ .fd = -1, .events = POLLIN };
	CHECK_EQ("none", rill_poll(p, 3, 5), 0);
	CHECK_EQ("pipe", write(pipefd[1], "x", 1), 1);
	CHECK_EQ("one", rill_poll(p, 3, PATIENCE_MS), 1);
	CHECK_EQ("the pipe", p[0].revents, POLLIN);
	CHECK_EQ("not the socket", p[1].revents, 0);
	rill_write(k.s, "x", 1);
	p[0].events = 0;
	CHECK_EQ("one", rill_poll(p, 3, PATIENCE_MS), 1);
	CHECK_EQ("the socket", p[1].revents, POLLIN);
	p[0].events = POLLIN;
	CHECK_EQ("both", rill_poll(p, 3, PATIENCE_MS), 2);
	CHECK_EQ("kernel only", rill_poll(p, 1, PATIENCE_MS), 1);
	close(pipefd[0]);
	close(pipefd[1]);
	link_down(&k);
	world_close(&w);
}

TEST(poll_refuses)
{
	struct pollfd p[2];
	struct world w;
	int a, b;

	REQUIRE("world", world_open(&w, false));
	a = rill_socket(w.a, AF_INET, SOCK_DGRAM, 0);
	b = rill_socket(w.b, AF_INET, SOCK_DGRAM, 0);
	p[0] = (struct pollfd){ .fd = a };
	p[1] = (struct pollfd){ .fd = b };
	CHECK_EQ("two engines", rill_poll(p, 2, 0), -EINVAL);
	CHECK_EQ("NULL", rill_poll(NULL, 1, 0), -EFAULT);
	CHECK_EQ("nothing", rill_poll(NULL, 0, 0), 0);
	world_close(&w);
}

/* More descriptors than fit on the stack, and a thread that makes the last ready. */
struct later {
	int fd, pipe;
};

static void *write_later(void *arg)
{
	const struct later *l = arg;

	usleep(20000);
	if (l->fd >= 0)
		rill_write(l->fd, "x", 1);
	else if (write(l->pipe, "x", 1) != 1)
		return NULL;
	return NULL;
}

TEST(poll_wakes)
{
	struct pollfd p[40];
	int pipefd[2];
	struct later l;
	struct world w;
	struct link k;
	pthread_t t;

	REQUIRE("world", world_open(&w, true));
	REQUIRE("link", link_up(&w, 80, &k));
	REQUIRE("pipe", pipe(pipefd) == 0);
	for (int i = 0; i < 38; i++)
		p[i] = (struct pollfd){ .fd = i % 2 ? k.l : -1, .events = POLLIN };
	p[38] = (struct pollfd){ .fd = pipefd[0], .events = POLLIN };
	p[39] = (struct pollfd){ .fd = k.s, .events = POLLIN };
	l = (struct later){ .fd = k.c };
	pthread_create(&t, NULL, write_later, &l);
	CHECK_EQ("one", rill_poll(p, 40, PATIENCE_MS), 1);
	CHECK_EQ("the socket", p[39].revents, POLLIN);
	pthread_join(t, NULL);
	p[39].fd = -1;
	l = (struct later){ .fd = -1, .pipe = pipefd[1] };
	pthread_create(&t, NULL, write_later, &l);
	CHECK_EQ("one", rill_poll(p, 40, PATIENCE_MS), 1);
	CHECK_EQ("the pipe", p[38].revents, POLLIN);
	pthread_join(t, NULL);
	close(pipefd[0]);
	close(pipefd[1]);
	link_down(&k);
	world_close(&w);
}

/* Two threads poll one engine without a thread of its own: one drives for both. */
static void *poll_one(void *arg)
{
	struct pollfd *p = arg;

	return (void *)(intptr_t)rill_poll(p, 1, PATIENCE_MS);
}

TEST(two_threads_wait)
{
	struct pollfd p[2];
	pthread_t t[2];
	struct world w;
	struct link k;
	void *r;

	REQUIRE("world", world_open(&w, true));
	REQUIRE("link", link_up(&w, 80, &k));
	rill_engine_stop(w.a);
	p[0] = (struct pollfd){ .fd = k.s, .events = POLLIN };
	p[1] = (struct pollfd){ .fd = k.l, .events = POLLIN };
	for (int i = 0; i < 2; i++)
		pthread_create(&t[i], NULL, poll_one, &p[i]);
	usleep(20000);
	rill_write(k.c, "x", 1);
	pthread_join(t[0], &r);
	CHECK_EQ("data", (intptr_t)r, 1);
	{
		struct sockaddr_in to = addr4(A4, 80);
		int fd = rill_socket(w.b, AF_INET, SOCK_STREAM, 0);

		CHECK_EQ("connect", rill_connect(fd, SA(to), sizeof(to)), 0);
		rill_close(fd);
	}
	pthread_join(t[1], &r);
	CHECK_EQ("connection", (intptr_t)r, 1);
	CHECK_EQ("started again", rill_engine_start(w.a), 0);
	CHECK_EQ("once only", rill_engine_start(w.a), -EALREADY);
	link_down(&k);
	world_close(&w);
}

/* A program with a loop of its own: one descriptor, one call. */
static int loop_until(struct world *w, int fd, short bits)
{
	struct pollfd own = { .fd = rill_engine_fd(w->a), .events = POLLIN };
	struct pollfd p = { .fd = fd, .events = bits };

	for (int i = 0; i < 1000; i++) {
		if (poll(&own, 1, PATIENCE_MS) == 1)
			rill_engine_run(w->a, 0);
		if (rill_poll(&p, 1, 0) == 1)
			return p.revents;
	}
	return 0;
}

TEST(own_event_loop)
{
	struct sockaddr_in to = addr4(A4, 80);
	struct world w;
	int l, c, s;
	char buf[4];

	REQUIRE("world", world_open(&w, false));
	CHECK_EQ("thread of B", rill_engine_start(w.b), 0);
	l = serve(&w, 80, SOCK_NONBLOCK);
	c = rill_socket(w.b, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	CHECK_EQ("connect", rill_connect(c, SA(to), sizeof(to)), -EINPROGRESS);
	CHECK_EQ("listener", loop_until(&w, l, POLLIN), POLLIN);
	s = rill_accept4(l, NULL, NULL, SOCK_NONBLOCK);
	CHECK("accepted", s >= 0);
	CHECK("a timeout or none", rill_engine_timeout(w.a) >= -1);
	set_timeo(c, PATIENCE_MS);
	rill_fcntl(c, 4, 0);
	CHECK_EQ("send", rill_write(c, "abc", 3), 3);
	CHECK_EQ("data", loop_until(&w, s, POLLIN), POLLIN);
	CHECK_EQ("received", rill_read(s, buf, 4), 3);
	world_close(&w);
}

/* After both ends closed nothing is left once TIME-WAIT is over [A12]. */
TEST(drained)
{
	uint32_t n[RILL_TCP_STATES];
	struct world w;
	struct link k;
	char c;

	REQUIRE("world", world_open(&w, true));
	REQUIRE("link", link_up(&w, 80, &k));
	CHECK_EQ("an open one is no work", rill_engine_drain(w.b, 0), 0);
	rill_close(k.c);
	CHECK_EQ("end", rill_read(k.s, &c, 1), 0);
	rill_close(k.s);
	CHECK_EQ("client", rill_engine_drain(w.b, PATIENCE_MS), 0);
	CHECK_EQ("server", rill_engine_drain(w.a, PATIENCE_MS), 0);
	rill_stack_state_counts(rill_engine_lock(w.b), n);
	rill_engine_unlock(w.b);
	for (int i = 1; i < RILL_TCP_STATES; i++)
		CHECK_EQ(rl_label("none in %s", rill_state_name(i)), n[i], 0);
	rill_close(k.l);
	world_close(&w);
}

/* ---- what rill_engine_open() says ---- */

static const struct {
	const char *name, *addr, *gw, *sysctl, *dev, *says;
	int ret;
} open_rows[] = {
	{ "no length", "10.0.0.1", NULL, NULL, NULL, "bad address '10.0.0.1'", -EINVAL },
	{ "length", "10.0.0.1/33", NULL, NULL, NULL, "bad address", -EINVAL },
	{ "letters", "ten/8", NULL, NULL, NULL, "bad address 'ten/8'", -EINVAL },
	{ "multicast", "224.0.0.1/8", NULL, NULL, NULL, "choose another", -EINVAL },
	{ "gateway", "10.0.0.1/8", "x", NULL, NULL, "bad gateway 'x'", -EINVAL },
	{ "far gateway", "10.0.0.1/24", "10.1.0.1", NULL, NULL, "no network of ours", -ENETUNREACH },
	{ "tunable", "10.0.0.1/8", NULL, "net.ipv4.tcp_rubbish=1", NULL, "no tunable", -ENOENT },
	{ "refused", "10.0.0.1/8", NULL, "net.ipv4.tcp_tw_recycle=1", NULL, "NAT", -EOPNOTSUPP },
	{ "no value", "10.0.0.1/8", NULL, "net.ipv4.tcp_sack", NULL, "NAME=VALUE", -EINVAL },
	{ "not a number", "10.0.0.1/8", NULL, "net.ipv4.tcp_sack=x", NULL, "can't be 'x'", -EINVAL },
};

TEST(open_says_what_to_do)
{
	for (size_t i = 0; i < ARRAY_LEN(open_rows); i++) {
		const char *addrs[] = { open_rows[i].addr, NULL };
		const char *gws[] = { open_rows[i].gw, NULL };
		const char *ctls[] = { open_rows[i].sysctl, NULL };
		struct rill_engine_params a = {
			.addrs = addrs, .gateways = gws, .sysctls = ctls, .no_ctl = true,
		};
		struct rill_engine *ea, *eb;
		char why[256] = "";
		int r = rill_engine_open_pair(&a, &a, &ea, &eb, why, sizeof(why));

		CHECK_EQ(open_rows[i].name, r, open_rows[i].ret);
		CHECK(rl_label("%s: %s", open_rows[i].name, why),
		      strstr(why, open_rows[i].says) != NULL);
		CHECK("one line", strchr(why, '\n') == NULL);
	}
}

TEST(open_needs_a_device)
{
	struct rill_engine_params par = { .no_ctl = true };
	struct rill_engine *e;
	char why[256];

	CHECK_EQ("none", rill_engine_open(&par, &e, why, sizeof(why)), -EINVAL);
	CHECK(why, strstr(why, "tap:NAME") != NULL);
	par.dev = "carrier-pigeon";
	CHECK_EQ("unknown", rill_engine_open(&par, &e, why, sizeof(why)), -ENODEV);
	CHECK(why, strstr(why, "carrier-pigeon") != NULL);
	par.dev = "tap:x";
	par.mtu = 60;
	CHECK_EQ("MTU", rill_engine_open(&par, &e, why, sizeof(why)), -EINVAL);
	CHECK(why, strstr(why, "68") != NULL);
}
