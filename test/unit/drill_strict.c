// SPDX-License-Identifier: MIT
/*
 * Scripts with a mistake that a lenient interpreter would not see: each must fail,
 * beside the same script without the mistake, which passes.  A packet script that
 * can't fail is worse than none.
 */
#include "drill_call_fixture.h"

#define DGRAM	UDP "+0 sendto(3, ..., 10, 0, ..., ...) = 10\n+0 > udp (10)\n"
#define POLLED	PASSIVE "+0 poll([{fd=4, events=POLLOUT, "
#define EPOLL	PASSIVE "+0 epoll_create(1) = 5\n"				\
	"+0 epoll_ctl(5, EPOLL_CTL_ADD, 4, {events=EPOLLOUT, fd=4}) = 0\n"
#define RENO	SOCKET "+0 setsockopt(3, SOL_TCP, TCP_CONGESTION, \"reno\", 4) = 0\n" \
	"+0 getsockopt(3, SOL_TCP, TCP_CONGESTION, "

/* ---- calls ---- */

TEST(results)
{
	static const struct row rows[] = {
		{ "success", PASSIVE "+0 write(4, ..., 10) = 10", DRILL_PASSED, NULL },
		{ "an errno of a success", PASSIVE "+0 write(4, ..., 10) = 10 EPIPE (x)",
		  DRILL_FAILED, "returned 10, expected 10 EPIPE" },
		{ "and of a descriptor", "0 socket(..., SOCK_STREAM, 0) = 3 EMFILE",
		  DRILL_FAILED, "expected 3 EMFILE" },
		{ "all of the text", RENO "\"reno\", [4]) = 0", DRILL_PASSED, NULL },
		{ "text beyond the length", RENO "\"renown\", [4]) = 0", DRILL_FAILED,
		  "gave \"reno\", expected \"renown\"" },
		{ "one byte of a number", SOCKET "+0 getsockopt(3, SOL_IP, IP_TOS, [0], [1]) = 0",
		  DRILL_PASSED, NULL },
		{ "a number beyond one byte", SOCKET
		  "+0 getsockopt(3, SOL_IP, IP_TOS, [256], [1]) = 0", DRILL_FAILED,
		  "gave 0, expected 256" },
	};

	RUN(rows);
}

TEST(members)
{
	static const struct row rows[] = {
		{ "poll", POLLED "revents=POLLOUT}], 1, 0) = 1", DRILL_PASSED, NULL },
		{ "poll, another", POLLED "revents=POLLOUT, x=1}], 1, 0) = 1", DRILL_FAILED,
		  "no member x= here, only: fd events revents" },
		{ "poll, twice", POLLED "revents=POLLOUT, revents=0}], 1, 0) = 1",
		  DRILL_FAILED, "revents= stands twice" },
		{ "poll, part of a name", POLLED "revent=POLLOUT}], 1, 0) = 1", DRILL_FAILED,
		  "no member revent=" },
		{ "poll, without a name", POLLED "POLLOUT}], 1, 0) = 1", DRILL_FAILED,
		  "a member is NAME=VALUE, of: fd events revents" },
		{ "epoll", EPOLL "+0 epoll_wait(5, {events=EPOLLOUT, fd=4}, 1, 0) = 1",
		  DRILL_PASSED, NULL },
		{ "epoll, another", EPOLL "+0 epoll_wait(5, {events=EPOLLOUT, fb=4}, 1, 0) = 1",
		  DRILL_FAILED, "no member fb=" },
		{ "linger", PASSIVE "+0 setsockopt(4, SOL_SOCKET, SO_LINGER, {onoff=1, linger=0}, "
		  "8) = 0", DRILL_PASSED, NULL },
		{ "linger, another", PASSIVE "+0 setsockopt(4, SOL_SOCKET, SO_LINGER, {onoff=1, "
		  "lingr=5}, 8) = 0", DRILL_FAILED, "no member lingr=" },
		{ "timeval, another", PASSIVE "+0 setsockopt(4, SOL_SOCKET, SO_RCVTIMEO, "
		  "{tv_sec=1, tv_nsec=5}, 16) = 0", DRILL_FAILED, "no member tv_nsec=" },
		{ "address, another", SOCKET "+0 bind(3, {sa_family = AF_INET, sin_prt = 5, "
		  "sin_addr = 0}, ...) = 0", DRILL_FAILED, "no member sin_prt=" },
		{ "message", DGRAM "+0 < udp (9)\n+0 recvmsg(3, {msg_name(...)=..., "
		  "msg_iov(1)=[{..., 10}], msg_flags=0}, 0) = 9", DRILL_PASSED, NULL },
		{ "message, another", DGRAM "+0 < udp (9)\n+0 recvmsg(3, {msg_name(...)=..., "
		  "msg_iov(1)=[{..., 10}], msg_flgs=0}, 0) = 9", DRILL_FAILED,
		  "no member msg_flgs=" },
		{ "control message, another", DGRAM "+0 < udp (9)\n+0 recvmsg(3, {msg_iov(1)="
		  "[{..., 10}], msg_control=[{cmsg_level=SOL_IP, cmsg_type=IP_TTL, "
		  "cmsg_data=255, cmsg_x=1}]}, 0) = 9", DRILL_FAILED, "no member cmsg_x=" },
	};

	RUN(rows);
}

TEST(arguments)
{
	static const struct row rows[] = {
		{ "with a name", PASSIVE "+0 write(fd=4, ..., 10) = 10", DRILL_FAILED,
		  "an argument has no name, such as fd=" },
		{ "sendto", DGRAM, DRILL_PASSED, NULL },
		{ "sendto, a length too small", UDP "+0 sendto(3, ..., 10, 0, ..., 3) = EINVAL",
		  DRILL_PASSED, NULL },
		{ "sendto, no length", UDP "+0 sendto(3, ..., 10, 0, ..., FROB) = 10",
		  DRILL_FAILED, "unknown constant FROB" },
		{ "recvfrom, no length", DGRAM "+0 < udp (5)\n"
		  "+0 recvfrom(3, ..., 9, 0, ..., FROB) = 5", DRILL_FAILED,
		  "argument 6 is ..., NULL or [N]" },
		{ "poll of nothing", SOCKET "+0...1 poll([{fd=-1, events=POLLIN}], 1, 1000) = 0",
		  DRILL_PASSED, NULL },
		{ "for ever", SOCKET "+0 poll([], 0, -1) = 0", DRILL_FAILED, "would block" },
		{ "for ever, waiting", SOCKET "+0...1 poll([{fd=-1}], 1, -1) = 0",
		  DRILL_FAILED, "still waits" },
		{ "accept, no length", LISTEN SYNS "+0 accept(3, ..., [FROB]) = 4",
		  DRILL_FAILED, "unknown constant FROB" },
	};

	RUN(rows);
}

/* ---- packets ---- */

#define ACTIVE_TS SOCKET						\
	"+0 fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0\n"			\
	"+0 connect(3, ..., ...) = -1 EINPROGRESS (in progress)\n"	\
	"+0 > S 0:0(0) <mss 1460,sackOK,TS val 100 ecr 0,nop,wscale 10>\n" \
	"+0 < S. 0:0(0) ack 1 <mss 1000,sackOK,TS val 200 ecr 100>\n"	\
	"+0 > . 1:1(0) ack 1 <nop,nop,TS val 100 ecr 200>\n"
#define OTHER	"+0 < 5 > 8080 S 0:0(0) <mss 1000>\n"

TEST(ports)
{
	static const struct row rows[] = {
		{ "as injected", LISTEN OTHER "+0 > 8080 > 5 S. 0:0(0) ack 1 <...>",
		  DRILL_PASSED, NULL },
		{ "not named", LISTEN OTHER "+0 > S. 0:0(0) ack 1 <...>", DRILL_PASSED, NULL },
		{ "to another port", LISTEN OTHER "+0 > 8080 > 6 S. 0:0(0) ack 1 <...>",
		  DRILL_FAILED, "no packet came until 2.000000" },
		{ "from another port", LISTEN OTHER "+0 > 8081 > 5 S. 0:0(0) ack 1 <...>",
		  DRILL_FAILED, "no packet came until 2.000000" },
		{ "passed over in an original script", SOCKET
		  "+0 bind(3, ..., ...) = 0\n+0 listen(3, 9) = 0\n" OTHER
		  "+0 < 6 > 8080 S 0:0(0) <mss 1000>\n"
		  "+0 > 8080 > 6 S. ...(0) ack 1 <...>", DRILL_PASSED, NULL },
		{ "but not in ours", "use listen\n" OTHER
		  "+0 < 6 > 8080 S 0:0(0) <mss 1000>\n"
		  "+0 > 8080 > 6 S. ...(0) ack 1 <...>", DRILL_FAILED,
		  "t:5: unexpected packet: 0.000000 > S. " },
	};

	RUN(rows);
}

#define STAMPED	"+0 write(3, ..., 10) = 10\n+0 > P. 1:11(10) ack 1 <nop,nop,TS val 100 ecr "

/* The language compares no ecr; our dialect does. */
TEST(echoes)
{
	static const struct row rows[] = {
		{ "right", "use established(TS)\n" STAMPED "200>", DRILL_PASSED, NULL },
		{ "wrong", "use established(TS)\n" STAMPED "201>", DRILL_FAILED,
		  "expected TS val 100 ecr 201, got TS val 100 ecr 200" },
		{ "in an original script", ACTIVE_TS STAMPED "201>", DRILL_PASSED, NULL },
	};

	RUN(rows);
}

/* --non_fatal=packet forgives packets, nothing else. */
TEST(forgiven)
{
	static const struct row rows[] = {
		{ "a packet", "--non_fatal=packet\n" PASSIVE "+0 write(4, ..., 5) = 5\n"
		  "+0 > P. 1:6(5) ack 999", DRILL_PASSED, NULL },
		{ "a call that waited", "--non_fatal=packet\n" PASSIVE
		  "+0...0.1 read(4, ..., 100) = 7\n+.1 < P. 1:6(5) ack 1\n"
		  "+0 > . 1:1(0) ack 999", DRILL_FAILED, "returned 5, expected 7" },
		{ "one that returned while a packet was awaited", "--non_fatal=packet\n" PASSIVE
		  "+0 setsockopt(4, SOL_SOCKET, SO_RCVTIMEO, {tv_sec=0, tv_usec=100000}, 16) = 0\n"
		  "+0 write(4, ..., 5) = 5\n+0 > P. 1:6(5) ack 1\n"
		  "+0...0.1 read(4, ..., 100) = 7\n+.3 > P. 1:6(5) ack 999", DRILL_FAILED,
		  "returned -1 EAGAIN, expected 7" },
	};

	RUN(rows);
}

/* ---- our own lines ---- */

TEST(own_lines)
{
	static const struct row rows[] = {
		{ "state of nothing", "0 `true`\nstate CLOSED", DRILL_FAILED,
		  "there has been no TCP socket or packet" },
		{ "state of a UDP socket", UDP "state CLOSED", DRILL_FAILED,
		  "there has been no TCP socket or packet" },
		{ "of a packet to a closed port", "0 < . 1:1(0) ack 1\n+0 > R 1:1(0)\n"
		  "state CLOSED", DRILL_PASSED, NULL },
		{ "quiet, but for an ICMP message", "0 < udp 5 > 9 (10)\nquiet", DRILL_FAILED,
		  "unexpected packet: 0.000000 > icmp unreachable port_unreachable" },
		{ "which a line takes", "0 < udp 5 > 9 (10)\n"
		  "+0 > icmp unreachable port_unreachable\nquiet", DRILL_PASSED, NULL },
		{ "nor is one passed over", "use established\n+0 < udp 5 > 9 (10)\n"
		  "+0 write(3, ..., 10) = 10\n+0 > P. 1:11(10) ack 1", DRILL_FAILED,
		  "unexpected packet: 0.000000 > icmp unreachable port_unreachable" },
		{ "parameter out of range", "use established(wscale 256)", DRILL_FAILED,
		  "wscale is a number from 0 to 255" },
		{ "parameter without its value", "use established(mss)", DRILL_FAILED,
		  "mss is a number from 0 to 65535" },
		{ "flag with a value", "use established(TS 1)", DRILL_FAILED, "TS has no value" },
		{ "parameter twice", "use established(mss 1000, mss 500)", DRILL_FAILED,
		  "mss stands twice" },
		{ "our window scale, small buffers", "`sysctl net.ipv4.tcp_rmem='4096 4096 4096'`\n"
		  "use established(TS)", DRILL_PASSED, NULL },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		run_one(&rows[i], "");
}

/* ---- around the script ---- */

/* A path that leaves no room for the message. */
TEST(long_names)
{
	static const char text[] = "use established\n+0 close(9) = 0\nuse frob";
	static char name[8000];
	struct drill_config cfg;
	struct drill_result res;

	rl_drill_config_init(&cfg);
	for (size_t n = 4000; n < sizeof(name); n += n < 4200 ? 1 : 600) {
		memset(name, 'x', n);
		name[n] = '\0';
		rl_drill_run_text(name, text, strlen(text), &cfg, NULL, NULL, &res);
		CHECK_EQ("failed", res.verdict, DRILL_FAILED);
		CHECK("its end is inside", strnlen(res.why, sizeof(res.why)) < sizeof(res.why));
		rl_drill_run_text(name, text + 16, 15, &cfg, NULL, NULL, &res);
		CHECK_EQ("failed too", res.verdict, DRILL_FAILED);
	}
}

/* The command line's --ip_version also decides what ICMP names mean. */
TEST(version_wins)
{
	static const char text[] = "--ip_version=ipv4\n" SOCKET "+0 bind(3, ..., ...) = 0\n"
		"+0 < icmp echo_request id 5 [raw (8)]\n+0 > icmp echo_reply code_0\n"
		"+0 < icmp packet_too_big mtu 1280 [raw (48)]\n";
	static const char *const set[] = { "ip_version", NULL };
	struct drill_config cfg;
	struct drill_result res;

	rl_drill_config_init(&cfg);
	cfg.ipver = DRILL_IPV6;
	rl_drill_run_text("t", text, strlen(text), &cfg, set, NULL, &res);
	CHECK_EQ(res.why, res.verdict, DRILL_PASSED);
	rl_drill_run_text("t", text, strlen(text), &cfg, NULL, NULL, &res);
	CHECK_EQ("IPv4 has no such name", res.verdict, DRILL_BROKEN);
}
