// SPDX-License-Identifier: MIT
/*
 * librill-packetdrill.so as the original tool uses it, loaded by dlopen() and
 * played through its table: connections, the clock, calls that block.  Times are
 * virtual, so they are exact; only a call that blocks has a real thread.
 */
#include <dlfcn.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "plug_steps.h"
#include "rill/info.h"

static uint8_t buf[65536];

/* ---- the table ---- */

TEST(exports_one_symbol_and_33_slots)
{
	void *const *slot;

	BEGIN(t, NULL);
	CHECK("rill_socket stays inside", !dlsym(t.so, "rill_socket"));
	CHECK_EQ("size of the table", sizeof(t.t), 33 * sizeof(void *));
	slot = (void *const *)&t.t;
	for (size_t i = 0; i < sizeof(t.t) / sizeof(*slot); i++)
		CHECK(rl_label("slot %zu", i), slot[i] != NULL);
	tool_end(&t);
}

TEST(passive_open_data_and_close)
{
	struct sockaddr_storage peer = { 0 }, want;
	struct sockaddr_in *got = (struct sockaddr_in *)&peer;
	socklen_t n = sizeof(peer);
	struct seg s = { 0 };
	uint32_t iss;
	int lfd, fd;

	BEGIN(t, "local=192.168.0.1/16");
	lfd = step_listener(&t, AF_INET);
	tool_until(&t, 100000);
	step_in_syn(&t);
	iss = step_synack(&t, &s);
	CHECK_EQ("at once", s.at_us, 100000);
	FAILS("no child yet", CALL(&t, accept, lfd, NULL, NULL), EAGAIN);
	tool_until(&t, 200000);
	step_in_data(&t, ISN + 1, iss + 1, 0);
	fd = CALL(&t, accept, lfd, (struct sockaddr *)&peer, &n);
	CHECK("accept", fd >= 0);
	CHECK_EQ("length of the peer's address", n, sizeof(struct sockaddr_in));
	tool_addr(&t, AF_INET, true, &want);
	CHECK_EQ("address", got->sin_addr.s_addr,
		 ((struct sockaddr_in *)&want)->sin_addr.s_addr);
	CHECK_EQ("port", ntohs(got->sin_port), t.rport);

	step_in_data(&t, ISN + 1, iss + 1, 500);
	step_seg(&t, "ACK", &s, ACK, iss + 1, ISN + 501, 0);
	CHECK_EQ("read", CALL(&t, read, fd, buf, sizeof(buf)), 500);
	CHECK_EQ("write", CALL(&t, write, fd, buf, 1500), 1500);
	step_seg(&t, "first segment", &s, ACK, iss + 1, ISN + 501, 1000);
	step_seg(&t, "second segment", &s, ACK | PSH, iss + 1001, ISN + 501, 500);
	step_in_data(&t, ISN + 501, iss + 1501, 0);
	CHECK_EQ("close", CALL(&t, close, fd), 0);
	step_seg(&t, "FIN", &s, ACK | FIN, iss + 1501, ISN + 501, 0);
	CHECK_EQ("close the listener", CALL(&t, close, lfd), 0);
	tool_end(&t);
}

TEST(active_open_and_reset)
{
	struct seg s = { 0 }, sa = { .flags = SYN | ACK, .seq = ISN, .win = 5000 };
	struct seg rst = { .flags = RST | ACK, .seq = ISN + 1, .win = 0 };
	struct sockaddr_storage a;
	socklen_t n, one = sizeof(int);
	uint32_t iss;
	int fd, err = -1;

	BEGIN(t, NULL);
	fd = CALL(&t, socket, AF_INET, SOCK_STREAM, IPPROTO_TCP);
	step_nonblock(&t, fd);
	n = tool_addr(&t, AF_INET, true, &a);
	tool_until(&t, 50000);
	FAILS("connect", CALL(&t, connect, fd, (struct sockaddr *)&a, n), EINPROGRESS);
	REQUIRE("a SYN leaves", tool_out(&t, &s));
	CHECK_EQ("flags", s.flags, SYN);
	CHECK_EQ("at once", s.at_us, 50000);
	CHECK_EQ("to the connect port", s.dport, TOOL_PORT);
	iss = s.seq;
	t.lport = s.sport;
	t.rport = TOOL_PORT;
	sa.ack = iss + 1;
	tool_in(&t, &sa);
	step_seg(&t, "ACK", &s, ACK, iss + 1, ISN + 1, 0);
	CHECK_EQ("SO_ERROR", CALL(&t, getsockopt, fd, SOL_SOCKET, SO_ERROR, &err, &one), 0);
	CHECK_EQ("none", err, 0);
	CHECK_EQ("length", one, sizeof(int));
	rst.ack = iss + 1;
	tool_in(&t, &rst);
	FAILS("read", CALL(&t, read, fd, buf, 1), ECONNRESET);
	CHECK_EQ("end of the stream", CALL(&t, read, fd, buf, 1), 0);
	tool_end(&t);
}

TEST(retransmissions_have_virtual_stamps)
{
	struct rill_tcp_info ti = { 0 };
	socklen_t n = sizeof(ti);
	struct seg s = { 0 };
	long long sent_us;
	uint32_t iss;
	int fd;

	BEGIN(t, NULL);
	fd = step_accepted(&t, step_listener(&t, AF_INET), &iss);
	tool_until(&t, 300000);
	CHECK_EQ("write", CALL(&t, write, fd, buf, 100), 100);
	step_seg(&t, "data", &s, ACK | PSH, iss + 1, ISN + 1, 100);
	sent_us = s.at_us;
	CHECK_EQ("sent at once", sent_us, 300000);
	CHECK_EQ("TCP_INFO", CALL(&t, getsockopt, fd, IPPROTO_TCP, TCP_INFO, &ti, &n), 0);
	CHECK("an RTO", ti.rto >= 200000);
	for (unsigned i = 0; i < 4; i++) {
		long long rto_us = (long long)ti.rto << i;

		step_seg(&t, "again", &s, ACK | PSH, iss + 1, ISN + 1, 100);
		CHECK_EQ(rl_label("retransmission %u", i), s.at_us, sent_us + rto_us);
		CHECK("the clock went along", tool_now(&t) >= s.at_us);
		sent_us = s.at_us;
	}
	tool_end(&t);
}

/* ---- the clock ---- */

TEST(clock_never_stands_still)
{
	long long before, now;

	BEGIN(t, NULL);
	before = tool_now(&t);
	for (int i = 0; i < 1000; i++) {
		now = tool_now(&t);
		CHECK_EQ("a microsecond a reading", now, before + 1);
		before = now;
	}
	CHECK_EQ("usleep", CALL(&t, usleep, 7000000), 0);
	CHECK_EQ("all of it has passed", tool_now(&t), before + 7000001);
	tool_end(&t);
}

TEST(timers_run_in_usleep)
{
	struct seg s = { 0 };
	uint32_t iss;
	int fd;

	BEGIN(t, NULL);
	fd = step_accepted(&t, step_listener(&t, AF_INET), &iss);
	tool_until(&t, 100000);
	CALL(&t, write, fd, buf, 100);
	tool_until(&t, 900000);
	step_seg(&t, "data", &s, ACK | PSH, iss + 1, ISN + 1, 100);
	CHECK_EQ("kept since it left", s.at_us, 100000);
	step_seg(&t, "again", &s, ACK | PSH, iss + 1, ISN + 1, 100);
	CHECK("while the tool slept", s.at_us > 100000 && s.at_us < 900000);
	tool_end(&t);
}

TEST(nothing_to_come_is_length_0)
{
	struct seg s = { 0 };
	uint32_t iss;
	int fd;

	BEGIN(t, "patience=5");
	step_silent(&t, "an idle stack");
	fd = step_accepted(&t, step_listener(&t, AF_INET), &iss);
	step_silent(&t, "an idle connection");
	CALL(&t, write, fd, buf, 100);
	for (int i = 0; i < 4; i++)
		step_seg(&t, "data", &s, ACK | PSH, iss + 1, ISN + 1, 100);
	for (int i = 0; i < 10 && tool_out(&t, &s); i++)
		;
	step_silent(&t, "the next one is farther than patience goes");
	tool_end(&t);
}

/* ---- calls that block ---- */

static ssize_t do_accept(struct tool_call *c)
{
	return CALL(c->t, accept, c->fd, NULL, NULL);
}

static ssize_t do_read(struct tool_call *c)
{
	return CALL(c->t, read, c->fd, c->buf, c->n);
}

static ssize_t do_connect(struct tool_call *c)
{
	struct sockaddr_storage a;
	socklen_t n = tool_addr(c->t, AF_INET, true, &a);

	return CALL(c->t, connect, c->fd, (struct sockaddr *)&a, n);
}

static ssize_t do_poll(struct tool_call *c)
{
	struct pollfd p = { .fd = c->fd, .events = POLLIN, .revents = POLLOUT };
	int r = CALL(c->t, poll, &p, 1, c->timeout_ms);

	*(short *)c->buf = p.revents;
	return r;
}

TEST(blocking_accept_ends_with_the_handshake)
{
	struct tool_call c = { .fn = do_accept };
	struct seg s = { 0 };
	long long at_us;

	BEGIN(t, NULL);
	c.fd = step_listener(&t, AF_INET);
	step_block(&t, c.fd);
	CHECK("it sleeps", tool_block(&t, &c));
	tool_until(&t, 100000);
	step_in_syn(&t);
	step_synack(&t, &s);
	tool_until(&t, 200000);
	CHECK("still", !atomic_load(&c.done));
	step_in_data(&t, ISN + 1, s.seq + 1, 0);
	at_us = tool_now(&t);
	tool_join(&c);
	CHECK("a descriptor", c.result >= 0);
	CHECK_EQ("its end is the ACK's time", c.end_us, 200001);
	CHECK_EQ("time stood still until then", at_us, 200002);
	tool_end(&t);
}

TEST(blocking_read_ends_inside_of_usleep)
{
	struct timeval tv = { .tv_sec = 3 };
	struct tool_call c = { .fn = do_read, .buf = buf, .n = 100 };
	uint32_t iss;

	BEGIN(t, NULL);
	c.fd = step_accepted(&t, step_listener(&t, AF_INET), &iss);
	CHECK_EQ("SO_RCVTIMEO", CALL(&t, setsockopt, c.fd, SOL_SOCKET, SO_RCVTIMEO, &tv,
				     sizeof(tv)), 0);
	tool_until(&t, 1000000);
	CHECK("it sleeps", tool_block(&t, &c));
	CALL(&t, usleep, 60000000);
	tool_join(&c);
	CHECK_EQ("nothing came", c.result, -1);
	CHECK_EQ("errno of the thread", c.err, EAGAIN);
	CHECK_EQ("at its time", c.end_us, 4000001);
	CHECK_EQ("and usleep went on", tool_now(&t), 61000001);
	tool_end(&t);
}

TEST(blocking_connect_times_out_in_receive)
{
	struct tool_call c = { .fn = do_connect };
	struct seg s = { 0 };
	int two = 2;
	unsigned syns = 0;

	BEGIN(t, NULL);
	c.fd = CALL(&t, socket, AF_INET, SOCK_STREAM, 0);
	CHECK_EQ("TCP_SYNCNT", CALL(&t, setsockopt, c.fd, IPPROTO_TCP, TCP_SYNCNT, &two,
				    sizeof(two)), 0);
	CHECK("it sleeps", tool_block(&t, &c));
	while (tool_out(&t, &s))
		syns++;
	tool_join(&c);
	CHECK_EQ("one and two more", syns, 3);
	CHECK_EQ("connect", c.result, -1);
	CHECK_EQ("errno", c.err, ETIMEDOUT);
	CHECK("after the last SYN", c.end_us > s.at_us);
	tool_end(&t);
}

TEST(blocking_poll)
{
	short revents = -1;
	struct tool_call c = { .fn = do_poll, .timeout_ms = 1500, .buf = &revents };
	struct tool_call d = { .fn = do_poll, .timeout_ms = -1, .buf = &revents };
	uint32_t iss;

	BEGIN(t, NULL);
	c.fd = d.fd = step_accepted(&t, step_listener(&t, AF_INET), &iss);
	tool_until(&t, 500000);
	CHECK("it sleeps", tool_block(&t, &c));
	tool_until(&t, 3000000);
	tool_join(&c);
	CHECK_EQ("it ran out of time", c.result, 0);
	CHECK_EQ("when it said", c.end_us, 2000001);
	CHECK_EQ("revents are overwritten", revents, 0);
	CHECK("without limit", tool_block(&t, &d));
	tool_until(&t, 4000000);
	step_in_data(&t, ISN + 1, iss + 1, 10);
	tool_join(&d);
	CHECK_EQ("one is ready", d.result, 1);
	CHECK_EQ("to read", revents, POLLIN);
	CHECK_EQ("at once", d.end_us, 4000001);
	tool_end(&t);
}

/* Nothing of Rill's among them, so no engine whose clock it would be. */
TEST(blocking_poll_of_a_pipe)
{
	short revents = -1;
	struct tool_call c = { .fn = do_poll, .timeout_ms = 1500, .buf = &revents };
	struct tool_call d = { .fn = do_poll, .timeout_ms = 1800, .buf = &revents };
	int fds[2];

	BEGIN(t, NULL);
	CALL(&t, pipe, fds);
	c.fd = d.fd = fds[0];
	tool_until(&t, 500000);
	CHECK("it sleeps", tool_block(&t, &c));
	tool_until(&t, 1000000);
	CHECK("still", !atomic_load(&c.done));
	tool_until(&t, 3000000);
	tool_join(&c);
	CHECK_EQ("it ran out of time", c.result, 0);
	CHECK_EQ("when it said", c.end_us, 2000001);
	CHECK_EQ("revents are overwritten", revents, 0);
	CHECK("again", tool_block(&t, &d));
	tool_until(&t, 4000000);
	CHECK_EQ("write", CALL(&t, write, fds[1], buf, 1), 1);
	tool_until(&t, 5000000);
	tool_join(&d);
	CHECK_EQ("one is ready", d.result, 1);
	CHECK_EQ("to read", revents, POLLIN);
	CHECK_EQ("as soon as time moved", d.end_us, 4000002);
	CALL(&t, close, fds[0]);
	CALL(&t, close, fds[1]);
	tool_end(&t);
}

static ssize_t do_poll_both(struct tool_call *c)
{
	struct pollfd p[2] = {
		{ .fd = c->fd, .events = POLLIN }, { .fd = (int)c->n, .events = POLLIN },
	};
	int r = CALL(c->t, poll, p, 2, c->timeout_ms);

	*(short *)c->buf = (short)(p[0].revents | p[1].revents << 8);
	return r;
}

TEST(blocking_poll_of_a_socket_and_a_pipe)
{
	short revents = -1;
	struct tool_call c = { .fn = do_poll_both, .timeout_ms = 1800, .buf = &revents };
	uint32_t iss;
	int fds[2];

	BEGIN(t, NULL);
	CALL(&t, pipe, fds);
	c.fd = step_accepted(&t, step_listener(&t, AF_INET), &iss);
	c.n = (size_t)fds[0];
	CHECK("it sleeps", tool_block(&t, &c));
	tool_until(&t, 1000000);
	CHECK_EQ("write", CALL(&t, write, fds[1], buf, 1), 1);
	tool_until(&t, 2000000);
	tool_join(&c);
	CHECK_EQ("one is ready", c.result, 1);
	CHECK_EQ("the pipe", revents, POLLIN << 8);
	CHECK_EQ("as soon as time moved", c.end_us, 1000002);
	CALL(&t, close, fds[0]);
	CALL(&t, close, fds[1]);
	tool_end(&t);
}

TEST(woken_in_vain_does_not_move)
{
	struct tool_call c = { .fn = do_read, .buf = buf, .n = 100 };
	struct seg s = { 0 };
	int lowat = 50;
	uint32_t iss;

	BEGIN(t, NULL);
	c.fd = step_accepted(&t, step_listener(&t, AF_INET), &iss);
	CALL(&t, setsockopt, c.fd, SOL_SOCKET, SO_RCVLOWAT, &lowat, sizeof(lowat));
	CHECK("it sleeps", tool_block(&t, &c));
	step_listen_to_stderr();
	for (unsigned i = 0; i < 5; i++) {
		tool_until(&t, 100000 * (i + 1));
		CHECK(rl_label("before piece %u", i), !atomic_load(&c.done));
		step_in_data(&t, ISN + 1 + 10 * i, iss + 1, 10);
	}
	tool_join(&c);
	CHECK_STR("nobody was waited for in vain", step_heard_from_stderr(), "");
	CHECK_EQ("all at once", c.result, 50);
	CHECK_EQ("with the last", c.end_us, 500001);
	step_seg(&t, "ACK", &s, ACK, iss + 1, ISN + 11, 0);
	tool_end(&t);
}

TEST(close_ends_a_call_that_waits)
{
	struct tool_call c = { .fn = do_read, .buf = buf, .n = 100 };
	uint32_t iss;

	BEGIN(t, NULL);
	c.fd = step_accepted(&t, step_listener(&t, AF_INET), &iss);
	CHECK("it sleeps", tool_block(&t, &c));
	CHECK_EQ("close", CALL(&t, close, c.fd), 0);
	tool_join(&c);
	CHECK_EQ("read", c.result, -1);
	CHECK_EQ("errno", c.err, EBADF);
	tool_end(&t);
}

TEST(free_ends_a_call_that_waits)
{
	struct tool_call c = { .fn = do_read, .buf = buf, .n = 100 };
	uint32_t iss;

	BEGIN(t, NULL);
	c.fd = step_accepted(&t, step_listener(&t, AF_INET), &iss);
	CHECK("it sleeps", tool_block(&t, &c));
	tool_end(&t);
	tool_join(&c);
	CHECK_EQ("read", c.result, -1);
	CHECK_EQ("errno", c.err, EINTR);
}

/* Not marked as blocking: the tool would hang; time moves instead. */
TEST(blocking_on_the_main_thread)
{
	struct pollfd p = { .events = POLLIN };
	long long at_us;
	uint32_t iss;
	int lfd;

	BEGIN(t, NULL);
	lfd = step_listener(&t, AF_INET);
	p.fd = step_accepted(&t, lfd, &iss);
	at_us = tool_now(&t);
	CHECK_EQ("poll", CALL(&t, poll, &p, 1, 2500), 0);
	CHECK_EQ("took its time", tool_now(&t), at_us + 2500001);
	step_block(&t, lfd);
	FAILS("accept that nothing will end", CALL(&t, accept, lfd, NULL, NULL), EINTR);
	tool_end(&t);
}

TEST(poll_without_a_socket_on_the_main_thread)
{
	struct pollfd p[2] = { { .fd = -1, .events = POLLIN }, { .events = POLLIN } };
	long long at_us;
	int fds[2];

	BEGIN(t, NULL);
	CALL(&t, pipe, fds);
	p[1].fd = fds[0];
	at_us = tool_now(&t);
	CHECK_EQ("none", CALL(&t, poll, NULL, 0, 1000), 0);
	CHECK_EQ("took its time", tool_now(&t), at_us + 1000001);
	CHECK_EQ("-1", CALL(&t, poll, p, 1, 1000), 0);
	CHECK_EQ("took its time", tool_now(&t), at_us + 2000002);
	CHECK_EQ("an empty pipe", CALL(&t, poll, p, 2, 1000), 0);
	CHECK_EQ("took its time", tool_now(&t), at_us + 3000003);
	CHECK_EQ("not to wait", CALL(&t, poll, p, 2, 0), 0);
	FAILS("what nothing will end", CALL(&t, poll, p, 2, -1), EINTR);
	at_us = tool_now(&t);
	CALL(&t, write, fds[1], buf, 1);
	CHECK_EQ("a full one", CALL(&t, poll, p, 2, 1000), 1);
	CHECK_EQ("to read", p[1].revents, POLLIN);
	CHECK_EQ("at once", tool_now(&t), at_us + 1);
	CALL(&t, close, fds[0]);
	CALL(&t, close, fds[1]);
	tool_end(&t);
}
