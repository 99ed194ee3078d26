// SPDX-License-Identifier: MIT
/*
 * librill-packetdrill.so as the original tool uses it: the rest of the table,
 * --so_flags, several scripts in one process, code blocks.
 */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "plug_steps.h"
#include "rill/info.h"

static uint8_t buf[65536];

/* ---- the other calls ---- */

TEST(errno_values)
{
	struct sockaddr_storage a;
	socklen_t n, one = sizeof(int);
	int fd, val, fds[2];

	BEGIN(t, NULL);
	n = tool_addr(&t, AF_INET, true, &a);
	fd = step_listener(&t, AF_INET);
	FAILS("bind again", CALL(&t, bind, fd, (struct sockaddr *)&a, n), EINVAL);
	FAILS("read a listener", CALL(&t, read, fd, buf, 1), ENOTCONN);
	FAILS("nobody there", CALL(&t, accept, fd, NULL, NULL), EAGAIN);
	FAILS("unknown option", CALL(&t, getsockopt, fd, 99, 1, &val, &one), ENOPROTOOPT);
	FAILS("setsockopt", CALL(&t, setsockopt, fd, SOL_SOCKET, SO_SNDBUF, NULL, one), EFAULT);
	FAILS("family", CALL(&t, socket, AF_UNIX, SOCK_STREAM, 0), EAFNOSUPPORT);
	FAILS("protocol", CALL(&t, socket, AF_INET, SOCK_STREAM, 1), EPROTONOSUPPORT);
	FAILS("no descriptor", CALL(&t, read, -1, buf, 1), EBADF);
	FAILS("epoll_create", CALL(&t, epoll_create, 0), EINVAL);
	fd = CALL(&t, socket, AF_INET, SOCK_STREAM, 0);
	FAILS("not our address", CALL(&t, bind, fd, (struct sockaddr *)&a, n), EADDRNOTAVAIL);
	CHECK_EQ("close", CALL(&t, close, fd), 0);
	FAILS("closed", CALL(&t, listen, fd, 1), EBADF);
	FAILS("closed", CALL(&t, read, fd, buf, 1), EBADF);
	CHECK_EQ("pipe", CALL(&t, pipe, fds), 0);
	FAILS("a pipe is no socket", CALL(&t, listen, fds[0], 1), ENOTSOCK);
	CHECK_EQ("write into it", CALL(&t, write, fds[1], buf, 3), 3);
	CHECK_EQ("read from it", CALL(&t, read, fds[0], buf, 10), 3);
	CALL(&t, close, fds[0]);
	CALL(&t, close, fds[1]);
	tool_end(&t);
}

TEST(options_flags_and_queues)
{
	int fd, val = 7, nodelay = 1;
	socklen_t n = sizeof(val);
	struct seg s = { 0 };
	uint32_t iss;

	BEGIN(t, NULL);
	fd = step_accepted(&t, step_listener(&t, AF_INET), &iss);
	CHECK_EQ("set", CALL(&t, setsockopt, fd, IPPROTO_TCP, TCP_NODELAY, &nodelay,
			     sizeof(nodelay)), 0);
	CHECK_EQ("get", CALL(&t, getsockopt, fd, IPPROTO_TCP, TCP_NODELAY, &val, &n), 0);
	CHECK_EQ("value", val, 1);
	CHECK_EQ("F_GETFL", CALL(&t, fcntl, fd, F_GETFL) & O_NONBLOCK, 0);
	step_nonblock(&t, fd);
	CHECK_EQ("F_GETFL", CALL(&t, fcntl, fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
	step_in_data(&t, ISN + 1, iss + 1, 123);
	step_seg(&t, "ACK", &s, ACK, iss + 1, ISN + 124, 0);
	CHECK_EQ("SIOCINQ",
		 CALL(&t, ioctl, fd, (unsigned long)(int)SIOCINQ, &val), 0);
	CHECK_EQ("bytes", val, 123);
	CALL(&t, write, fd, buf, 77);
	CHECK_EQ("SIOCOUTQ", CALL(&t, ioctl, fd, (unsigned long)(int)SIOCOUTQ, &val), 0);
	CHECK_EQ("bytes", val, 77);
	CHECK_EQ("shutdown", CALL(&t, shutdown, fd, SHUT_WR), 0);
	step_seg(&t, "data", &s, ACK | PSH, iss + 1, ISN + 124, 77);
	step_seg(&t, "FIN", &s, ACK | FIN, iss + 78, ISN + 124, 0);
	tool_end(&t);
}

TEST(vectors_and_messages)
{
	struct iovec v[2] = { { buf, 30 }, { buf + 100, 40 } };
	char control[64];
	struct msghdr m = {
		.msg_iov = v, .msg_iovlen = 2, .msg_flags = MSG_OOB,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct msghdr out = { .msg_iov = v, .msg_iovlen = 2 };
	struct seg s = { 0 };
	uint32_t iss;
	int fd;

	BEGIN(t, NULL);
	fd = step_accepted(&t, step_listener(&t, AF_INET), &iss);
	step_in_data(&t, ISN + 1, iss + 1, 200);
	step_seg(&t, "ACK", &s, ACK, iss + 1, ISN + 201, 0);
	CHECK_EQ("readv", CALL(&t, readv, fd, v, 2), 70);
	CHECK_EQ("recvmsg", CALL(&t, recvmsg, fd, &m, 0), 70);
	CHECK_EQ("flags are overwritten", m.msg_flags, 0);
	CHECK_EQ("controllen too", m.msg_controllen, 0);
	CHECK_EQ("recv, looking only", CALL(&t, recv, fd, buf, 10, MSG_PEEK), 10);
	CHECK_EQ("recvfrom", CALL(&t, recvfrom, fd, buf, 100, 0, NULL, NULL), 60);
	CHECK_EQ("writev", CALL(&t, writev, fd, v, 2), 70);
	CHECK_EQ("sendmsg", CALL(&t, sendmsg, fd, &out, 0), 70);
	CHECK_EQ("send", CALL(&t, send, fd, buf, 5, 0), 5);
	CHECK_EQ("sendto", CALL(&t, sendto, fd, buf, 6, 0, NULL, 0), 6);
	step_seg(&t, "writev's", &s, ACK | PSH, iss + 1, ISN + 201, 70);
	tool_end(&t);
}

TEST(epoll_gives_the_data_back)
{
	struct epoll_event ev = { .events = EPOLLIN }, got = { 0 };
	struct pollfd p[2] = { { .events = POLLIN }, { .events = POLLOUT, .revents = 99 } };
	uint32_t iss;
	int ep, fd;

	BEGIN(t, NULL);
	fd = step_accepted(&t, step_listener(&t, AF_INET), &iss);
	ep = CALL(&t, epoll_create, 1);
	ev.data.fd = fd;
	CHECK_EQ("add", CALL(&t, epoll_ctl, ep, EPOLL_CTL_ADD, fd, &ev), 0);
	CHECK_EQ("nothing", CALL(&t, epoll_wait, ep, &got, 1, 0), 0);
	step_in_data(&t, ISN + 1, iss + 1, 1);
	CHECK_EQ("one", CALL(&t, epoll_wait, ep, &got, 1, 0), 1);
	CHECK_EQ("events", got.events, EPOLLIN);
	CHECK_EQ("the tool's number", got.data.fd, fd);
	p[0].fd = fd;
	p[1].fd = -1;
	CHECK_EQ("poll", CALL(&t, poll, p, 2, 0), 1);
	CHECK_EQ("the first", p[0].revents, POLLIN);
	CHECK_EQ("the second is passed over", p[1].revents, 0);
	p[1].fd = 4000;
	CHECK_EQ("poll", CALL(&t, poll, p, 2, 0), 2);
	CHECK_EQ("nobody's", p[1].revents, POLLNVAL);
	CHECK_EQ("close", CALL(&t, close, ep), 0);
	tool_end(&t);
}

TEST(splice_both_ways)
{
	loff_t a = 0, b = 0;
	struct seg s = { 0 };
	uint32_t iss;
	int fd, p[2];

	BEGIN(t, NULL);
	fd = step_accepted(&t, step_listener(&t, AF_INET), &iss);
	step_nonblock(&t, fd);
	CALL(&t, pipe, p);
	FAILS("nothing there", CALL(&t, splice, fd, &a, p[1], &b, 4096, 0), EAGAIN);
	step_in_data(&t, ISN + 1, iss + 1, 1000);
	step_seg(&t, "ACK", &s, ACK, iss + 1, ISN + 1001, 0);
	CHECK_EQ("into the pipe", CALL(&t, splice, fd, &a, p[1], &b, 600, 0), 600);
	CHECK_EQ("the rest stays", CALL(&t, read, fd, buf, 4096), 400);
	CHECK_EQ("out of the pipe", CALL(&t, splice, p[0], &a, fd, &b, 4096, 0), 600);
	step_seg(&t, "it is sent", &s, ACK | PSH, iss + 1, ISN + 1001, 600);
	FAILS("the pipe is empty", CALL(&t, splice, p[0], &a, fd, &b, 4096, 0), EAGAIN);
	FAILS("two sockets", CALL(&t, splice, fd, &a, fd, &b, 1, 0), EINVAL);
	CALL(&t, close, p[0]);
	CALL(&t, close, p[1]);
	tool_end(&t);
}

TEST(splice_takes_no_more_than_fits)
{
	loff_t a = 0, b = 0;
	uint32_t iss;
	int fd, p[2], size = 4096;

	BEGIN(t, NULL);
	fd = step_accepted(&t, step_listener(&t, AF_INET), &iss);
	step_nonblock(&t, fd);
	CALL(&t, pipe, p);
	CHECK_EQ("a small pipe", fcntl(p[1], F_SETPIPE_SZ, size), size);
	for (unsigned i = 0; i < 6; i++)
		step_in_data(&t, ISN + 1 + 1000 * i, iss + 1, 1000);
	CHECK_EQ("what fits", CALL(&t, splice, fd, &a, p[1], &b, 6000, 0), 4096);
	CHECK_EQ("nothing is lost", CALL(&t, read, fd, buf, sizeof(buf)), 1904);
	CALL(&t, close, p[0]);
	CALL(&t, close, p[1]);
	tool_end(&t);
}

TEST(udp)
{
	struct seg s = { 0 }, in = { .proto = IPPROTO_UDP, .len = 33 };
	struct sockaddr_storage a;
	socklen_t n;
	int fd;

	BEGIN(t, NULL);
	fd = CALL(&t, socket, AF_INET, SOCK_DGRAM, IPPROTO_UDP);
	n = tool_addr(&t, AF_INET, false, &a);
	CHECK_EQ("bind", CALL(&t, bind, fd, (struct sockaddr *)&a, n), 0);
	tool_in(&t, &in);
	CHECK_EQ("recvfrom", CALL(&t, recvfrom, fd, buf, 100, 0, NULL, NULL), 33);
	n = tool_addr(&t, AF_INET, true, &a);
	CHECK_EQ("sendto", CALL(&t, sendto, fd, buf, 44, 0, (struct sockaddr *)&a, n), 44);
	REQUIRE("it leaves", tool_out(&t, &s));
	CHECK_EQ("as UDP", s.proto, IPPROTO_UDP);
	CHECK_EQ("length", s.len, 44);
	CHECK_EQ("from", s.sport, TOOL_PORT);
	tool_end(&t);
}

/* ---- IPv6 ---- */

TEST(ipv6)
{
	struct seg s = { 0 };
	uint32_t iss;
	int fd;

	BEGIN(t, "local=fd3d::7/64");
	t.v6 = true;
	inet_pton(AF_INET6, "fd3d::7", t.local);
	inet_pton(AF_INET6, "2001:db8::1", t.remote);
	fd = step_accepted(&t, step_listener(&t, AF_INET6), &iss);
	CALL(&t, write, fd, buf, 10);
	step_seg(&t, "data", &s, ACK | PSH, iss + 1, ISN + 1, 10);
	tool_end(&t);
}

TEST(mapped_addresses)
{
	struct sockaddr_in6 peer = { 0 };
	socklen_t n = sizeof(peer);
	struct seg s = { 0 };
	int lfd;

	BEGIN(t, NULL);
	lfd = step_listener(&t, AF_INET6);
	step_in_syn(&t);
	step_synack(&t, &s);
	step_in_data(&t, ISN + 1, s.seq + 1, 0);
	CHECK("accept", CALL(&t, accept, lfd, (struct sockaddr *)&peer, &n) >= 0);
	CHECK("a mapped address", IN6_IS_ADDR_V4MAPPED(&peer.sin6_addr));
	CHECK_MEM("the peer's", peer.sin6_addr.s6_addr + 12, t.remote, 4);
	tool_end(&t);
}

/* ---- flags, and several scripts in one process ---- */

static const struct seg syn_with_all = {
	.flags = SYN, .seq = ISN, .win = 65535, .nopts = 20,
	.opts = { 2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 7 },
};

static bool has_opt(const struct seg *s, uint8_t kind)
{
	for (size_t i = 0; i < s->nopts && s->opts[i]; )
		if (s->opts[i] == kind)
			return true;
		else
			i += s->opts[i] == 1 ? 1 : s->opts[i + 1];
	return false;
}

TEST(flags_reach_the_stack)
{
	struct seg s = { 0 };

	BEGIN(t, "mtu=600,sysctl:net.ipv4.tcp_timestamps=0,sysctl:net.ipv4.tcp_sack=0");
	step_listener(&t, AF_INET);
	tool_in(&t, &syn_with_all);
	step_synack(&t, &s);
	CHECK_EQ("MSS of the MTU", s.opts[2] << 8 | s.opts[3], 560);
	CHECK("window scale", has_opt(&s, 3));
	CHECK("no SACK", !has_opt(&s, 4));
	CHECK("no timestamps", !has_opt(&s, 8));
	tool_end(&t);
}

TEST(more_than_the_mtu_comes_in)
{
	static const char *const flags[] = { NULL, "mss=1000" };

	for (int i = 0; i < 2; i++) {
		struct rill_tcp_info ti = { 0 };
		socklen_t n = sizeof(ti);
		struct seg s = { 0 };
		uint32_t iss;
		int fd;

		BEGIN(t, flags[i]);
		fd = step_accepted(&t, step_listener(&t, AF_INET), &iss);
		step_in_data(&t, ISN + 1, iss + 1, 20000);
		CHECK_EQ("read", CALL(&t, read, fd, buf, sizeof(buf)), 20000);
		step_seg(&t, "ACK", &s, ACK, iss + 1, ISN + 20001, 0);
		CALL(&t, getsockopt, fd, IPPROTO_TCP, TCP_INFO, &ti, &n);
		CHECK_EQ("segments with data", ti.data_segs_in, i ? 20 : 1);
		tool_end(&t);
	}
}

static uint32_t isn_with(const char *flags)
{
	struct seg s = { 0 };
	struct tool t;

	if (!CHECK("the plug-in loads", tool_begin(&t, flags)))
		return 0;
	step_listener(&t, AF_INET);
	step_in_syn(&t);
	CHECK("SYN-ACK", tool_out(&t, &s));
	tool_end(&t);
	return s.seq;
}

TEST(scripts_one_after_another)
{
	uint32_t isn = isn_with("seed=5");

	CHECK_UEQ("the same again", isn_with("seed=5"), isn);
	CHECK("another seed", isn_with("seed=6") != isn);
}

/* The tool gives what is open at the end to the kernel's close(). */
TEST(descriptors_are_the_kernels_too)
{
	for (int i = 0; i < 3; i++) {
		uint32_t iss;
		int lfd, fd;

		BEGIN(t, NULL);
		lfd = step_listener(&t, AF_INET);
		fd = step_accepted(&t, lfd, &iss);
		CHECK("two numbers", fd != lfd);
		CHECK_EQ("close(2)", close(fd), 0);
		CHECK_EQ("close(2)", close(lfd), 0);
		tool_end(&t);
	}
}

TEST(wrong_flags_fail_every_call)
{
	static const struct { const char *flags, *word; } rows[] = {
		{ "local", "NAME=VALUE" },
		{ "local=192.168.0.300/16", "ADDRESS/LENGTH" },
		{ "local=192.168.0.1/33", "ADDRESS/LENGTH" },
		{ "local=192.168.0.1/16,local=192.168.0.2/16", "one address" },
		{ "mtu=67", "68 to 65535" }, { "mtu=1500x", "68 to 65535" },
		{ "mss=70000", "0 to 65535" }, { "seed=-1", "not a number" },
		{ "patience=", "seconds" }, { "colour=red", "unknown" },
		{ "sysctl:net.ipv4.nonsense=1", "net.ipv4.nonsense" },
		{ "sysctl:net.ipv4.tcp_sack=7", "net.ipv4.tcp_sack" },
		{ "sysctl:net.ipv4.tcp_sack", "NAME=VALUE" },
		{ "pcap=/nonexistent/x", "/nonexistent/x" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *f = rows[i].flags;
		struct seg syn = { .flags = SYN };
		const char *said;
		struct tool t;
		long long a;
		bool loaded;

		step_listen_to_stderr();
		loaded = tool_begin(&t, f);
		said = step_heard_from_stderr();
		REQUIRE("the plug-in loads", loaded);
		CHECK(rl_label("%s: says '%s'", f, said), strstr(said, rows[i].word));
		FAILS(f, CALL(&t, socket, AF_INET, SOCK_STREAM, 0), ENETDOWN);
		FAILS(f, CALL(&t, epoll_create, 1), ENETDOWN);
		FAILS(f, tool_in(&t, &syn), ENETDOWN);
		FAILS(f, CALL(&t, listen, 100, 1), EBADF);
		step_silent(&t, f);
		a = tool_now(&t);
		CHECK(f, tool_now(&t) > a);
		CALL(&t, usleep, 1000);
		CHECK_EQ(f, tool_now(&t), a + 1002);
		tool_end(&t);
	}
}

/* ---- code blocks ---- */

TEST(getsockopt_of_the_preloaded_library)
{
	int (*get)(int, int, int, void *, socklen_t *);
	uint8_t info[280], cc[20];
	uint32_t mem[9] = { 1, 1, 1, 1, 1, 1, 1, 1, 1 };
	socklen_t n = sizeof(info), ncc = sizeof(cc), nmem = sizeof(mem), one = sizeof(int);
	int fd, kernel = socket(AF_INET, SOCK_STREAM, 0), type = 0;
	void *so = tool_load_preload();
	uint32_t iss;

	memset(info, 0xff, sizeof(info));
	REQUIRE("it loads", so);
	*(void **)&get = dlsym(so, "getsockopt");
	BEGIN(t, NULL);
	fd = step_accepted(&t, step_listener(&t, AF_INET), &iss);
	step_in_data(&t, ISN + 1, iss + 1, 321);
	CHECK_EQ("TCP_INFO", get(fd, IPPROTO_TCP, TCP_INFO, info, &n), 0);
	CHECK_EQ("its length", n, 280);
	CHECK_EQ("tcpi_state", info[0], TCP_ESTABLISHED);
	CHECK_EQ("what Rill has not is 0", info[279], 0);
	CHECK_EQ("TCP_CC_INFO", get(fd, IPPROTO_TCP, 26, cc, &ncc), 0);
	CHECK_EQ("nothing", ncc, 0);
	CHECK_EQ("SO_MEMINFO", get(fd, SOL_SOCKET, 55, mem, &nmem), 0);
	CHECK_EQ("its length", nmem, 36);
	CHECK_EQ("bytes to read", mem[0], 321);
	CHECK("a limit", mem[1] > 0 && mem[3] > 0);
	CHECK_EQ("nothing to send", mem[2], 0);
	CHECK_EQ("the kernel's own", get(kernel, SOL_SOCKET, SO_TYPE, &type, &one), 0);
	CHECK_EQ("type", type, SOCK_STREAM);
	tool_end(&t);
	CHECK_EQ("after the script", get(fd, SOL_SOCKET, SO_TYPE, &type, &one), -1);
	close(kernel);
}
