// SPDX-License-Identifier: MIT
/*
 * src/drill/call_io.c, call_opt.c, call_poll.c: calls on a socket that is there,
 * each also with an expectation that is wrong and must fail (section 9.5 of the
 * language).
 */
#include "drill_call_fixture.h"

/* ---- bytes ---- */

TEST(reading_and_writing)
{
	static const struct row rows[] = {
		{ "read all", PASSIVE DATA "+0 read(4, ..., 600) = 600\n"
		  "+0 read(4, ..., 600) = 400", DRILL_PASSED, NULL },
		{ "read wrong", PASSIVE DATA "+0 read(4, ..., 600) = 1000", DRILL_FAILED,
		  "read(4, ..., 600) returned 600, expected 1000" },
		{ "read with defaults", PASSIVE DATA "+0 read(4) = 1000", DRILL_PASSED, NULL },
		{ "read NULL", PASSIVE DATA "+0 read(4, NULL, 10) = EFAULT", DRILL_PASSED,
		  NULL },
		{ "end of file", PASSIVE "+0 < F. 1:1(0) ack 1 win 65535\n"
		  "+0 > . 1:1(0) ack 2\n+0 read(4) = 0", DRILL_PASSED, NULL },
		{ "write", PASSIVE "+0 write(4, ..., 500) = 500\n+0 > P. 1:501(500) ack 1",
		  DRILL_PASSED, NULL },
		{ "write NULL", PASSIVE "+0 write(4, NULL, 500) = EFAULT", DRILL_PASSED,
		  NULL },
		{ "buffer of another kind", PASSIVE "+0 write(4, 3, 500) = 500", DRILL_FAILED,
		  "a buffer is ... or NULL" },
		{ "length too long", PASSIVE "+0 write(4, ..., -1) = -1", DRILL_FAILED,
		  "a length of -1 is not supported" },
		{ "readv", PASSIVE DATA "+0 readv(4, [{..., 300}, {..., 500}], 2) = 800\n"
		  "+0 read(4) = 200", DRILL_PASSED, NULL },
		{ "writev", PASSIVE "+0 writev(4, [{..., 300}, {..., 500}], 2) = 800\n"
		  "+0 > P. 1:801(800) ack 1", DRILL_PASSED, NULL },
		{ "count of iovecs", PASSIVE "+0 writev(4, [{..., 300}], 2) = 300",
		  DRILL_FAILED, "1 iovecs where 2 are announced" },
		{ "recv, peek", PASSIVE DATA "+0 recv(4, ..., 300, MSG_PEEK) = 300\n"
		  "+0 recv(4, ..., 2000, 0) = 1000", DRILL_PASSED, NULL },
		{ "recv, dontwait", PASSIVE "+0 recv(4, ..., 10, MSG_DONTWAIT) = EAGAIN",
		  DRILL_PASSED, NULL },
		{ "recvfrom", PASSIVE DATA "+0 recvfrom(4, ..., 2000, 0, ..., ...) = 1000",
		  DRILL_PASSED, NULL },
		{ "send, more", PASSIVE "+0 send(4, ..., 10, MSG_MORE) = 10\n"
		  "+.01 send(4, ..., 10, 0) = 10\n+0 > P. 1:21(20) ack 1", DRILL_PASSED,
		  NULL },
		{ "error queue", PASSIVE "+0 recv(4, ..., 10, MSG_ERRQUEUE) = 0",
		  DRILL_SKIPPED, "MSG_ERRQUEUE is not supported" },
		{ "error queue, empty", PASSIVE "+0 recv(4, ..., 10, MSG_ERRQUEUE) = -1 EAGAIN",
		  DRILL_PASSED, NULL },
		{ "fast open", SOCKET "+0 sendto(3, ..., 10, MSG_FASTOPEN, ..., ...) = 10",
		  DRILL_SKIPPED, "MSG_FASTOPEN is not supported" },
		{ "fast open, nonblocking", SOCKET
		  "+0 sendto(3, ..., 10, MSG_FASTOPEN, ..., ...) = -1 EINPROGRESS",
		  DRILL_SKIPPED, "MSG_FASTOPEN is not supported" },
		{ "zero copy", PASSIVE "+0 send(4, ..., 10, MSG_ZEROCOPY) = 10",
		  DRILL_SKIPPED, "MSG_ZEROCOPY" },
		{ "iovec of one", PASSIVE "+0 writev(4, [{...}], 1) = 300", DRILL_FAILED,
		  "an iovec is {..., LENGTH}" },
		{ "iovec of three", PASSIVE "+0 writev(4, [{..., 1, 2}], 1) = 300",
		  DRILL_FAILED, "an iovec is {..., LENGTH}" },
		{ "iovec of none", PASSIVE "+0 writev(4, [5], 1) = 300", DRILL_FAILED,
		  "an iovec is {..., LENGTH}" },
		{ "no list", PASSIVE "+0 writev(4, 5, 1) = 300", DRILL_FAILED,
		  "a list of iovecs is needed" },
		{ "recvfrom nobody", PASSIVE DATA "+0 recvfrom(4, ..., 2000, 0, NULL, NULL) = "
		  "1000", DRILL_PASSED, NULL },
		{ "recvfrom a number", PASSIVE DATA "+0 recvfrom(4, ..., 2000, 0, 5, 5) = 1000",
		  DRILL_FAILED, "argument 5 is ..., NULL or [N]" },
		{ "recvfrom, error queue", PASSIVE "+0 recvfrom(4, ..., 20, MSG_ERRQUEUE, "
		  "..., ...) = 10", DRILL_SKIPPED, "MSG_ERRQUEUE" },
		{ "sendmsg, fast open", PASSIVE "+0 sendmsg(4, {msg_name(...)=..., "
		  "msg_iov(1)=[{..., 1}], msg_flags=0}, MSG_FASTOPEN) = 1", DRILL_SKIPPED,
		  "MSG_FASTOPEN" },
		{ "fast open, refused", SOCKET
		  "+0 sendto(3, ..., 10, MSG_FASTOPEN, ..., ...) = EOPNOTSUPP", DRILL_PASSED,
		  NULL },
		{ "not by the routes", PASSIVE "+0 send(4, ..., 10, MSG_DONTROUTE) = 10",
		  DRILL_SKIPPED, "MSG_DONTROUTE" },
		{ "end of record", PASSIVE "+0 send(4, ..., 10, MSG_EOR) = 10",
		  DRILL_SKIPPED, "MSG_EOR" },
		{ "empty iovec", PASSIVE "+0 writev(4, [{}], 1) = 300", DRILL_FAILED,
		  "an iovec is {..., LENGTH}" },
	};

	RUN(rows);
}

TEST(datagrams)
{
	static const struct row rows[] = {
		{ "sendto", UDP "+0 sendto(3, ..., 10, 0, ..., ...) = 10\n+0 > udp (10)",
		  DRILL_PASSED, NULL },
		{ "sendto, wrong", UDP "+0 sendto(3, ..., 10, 0, ..., ...) = 11", DRILL_FAILED,
		  "returned 10, expected 11" },
		{ "connect, write", UDP "+0 connect(3, ..., ...) = 0\n"
		  "+0 write(3, ..., 10) = 10\n+0 > udp (10)", DRILL_PASSED, NULL },
		{ "answer", UDP "+0 connect(3, ..., ...) = 0\n+0 write(3, ..., 10) = 10\n"
		  "+0 > udp (10)\n+0 < udp (100)\n"
		  "+0 recvfrom(3, ..., 60, 0, ..., ...) = 60", DRILL_PASSED, NULL },
		{ "no destination", UDP "+0 sendto(3, ..., 10, 0, NULL, 0) = EDESTADDRREQ",
		  DRILL_PASSED, NULL },
		{ "sendmsg", UDP "+0 sendmsg(3, {msg_name(...)=..., msg_iov(1)=[{..., 10}], "
		  "msg_flags=0}, 0) = 10\n+0 > udp (10)", DRILL_PASSED, NULL },
		{ "waiting", UDP "+0 bind(3) = 0\n+0 fcntl(3, F_SETFL, O_NONBLOCK) = 0\n"
		  "+0 read(3) = EAGAIN", DRILL_PASSED, NULL },
	};

	RUN(rows);
}

#define ANSWERED UDP "+0 setsockopt(3, SOL_IP, IP_RECVTTL, [1], 4) = 0\n"	\
	"+0 connect(3, ..., ...) = 0\n+0 write(3, ..., 10) = 10\n"		\
	"+0 > udp (10)\n+0 < [ttl 77] udp (100)\n"
#define MSG	"msg_name(...)=..., msg_iov(1)=[{..., 200}]"
#define TTL(n)	"msg_control=[{cmsg_level=SOL_IP, cmsg_type=IP_TTL, cmsg_data=" #n "}]"

TEST(messages)
{
	static const struct row rows[] = {
		{ "flags", UDP "+0 connect(3, ..., ...) = 0\n+0 write(3, ..., 10) = 10\n"
		  "+0 > udp (10)\n+0 < udp (300)\n"
		  "+0 recvmsg(3, {" MSG ", msg_flags=MSG_TRUNC}, 0) = 200", DRILL_PASSED,
		  NULL },
		{ "wrong flags", PASSIVE DATA "+0 recvmsg(4, {" MSG ", msg_flags=MSG_TRUNC}, 0)"
		  " = 200", DRILL_FAILED, "msg_flags 0x0, expected 0x20" },
		{ "control", ANSWERED "+0 recvmsg(3, {" MSG ", msg_flags=0, " TTL(77)
		  "}, 0) = 100", DRILL_PASSED, NULL },
		{ "another value", ANSWERED "+0 recvmsg(3, {" MSG ", msg_flags=0, " TTL(78)
		  "}, 0) = 100", DRILL_FAILED,
		  "control message 1: cmsg_data 77, expected 78" },
		{ "another type", ANSWERED "+0 recvmsg(3, {" MSG ", msg_flags=0, "
		  "msg_control=[{cmsg_level=SOL_IP, cmsg_type=IP_TOS, cmsg_data=0}]}, 0) = 100",
		  DRILL_FAILED, "level 0, type 2; expected 0, 1" },
		{ "none", PASSIVE DATA "+0 recvmsg(4, {" MSG ", msg_flags=0, " TTL(1)
		  "}, 0) = 200", DRILL_FAILED, "0 control messages, expected 1" },
		{ "no room", ANSWERED "+0 recvmsg(3, {" MSG ", msg_flags=MSG_CTRUNC}, 0) = 100",
		  DRILL_PASSED, NULL },
		{ "one byte", UDP "+0 setsockopt(3, SOL_IP, IP_RECVTOS, [1], 4) = 0\n"
		  "+0 connect(3, ..., ...) = 0\n+0 write(3, ..., 10) = 10\n"
		  "+0 > udp (10)\n+0 < [tos 0x28] udp (100)\n"
		  "+0 recvmsg(3, {" MSG ", msg_flags=0, msg_control=[{cmsg_level=SOL_IP, "
		  "cmsg_type=IP_TOS, cmsg_data=0x28}]}, 0) = 100", DRILL_PASSED, NULL },
		{ "two iovecs", PASSIVE DATA "+0 recvmsg(4, {msg_name(...)=..., "
		  "msg_iov(2)=[{..., 200}, {..., 100}], msg_flags=0}, 0) = 300",
		  DRILL_PASSED, NULL },
		{ "time stamps", PASSIVE "+0 recvmsg(4, {" MSG ", msg_flags=MSG_ERRQUEUE, "
		  "msg_control=[{cmsg_level=SOL_SOCKET, cmsg_type=SCM_TIMESTAMPING, "
		  "cmsg_data={scm_sec=0, scm_nsec=0}}]}, MSG_ERRQUEUE) = 0", DRILL_SKIPPED,
		  "MSG_ERRQUEUE" },
		{ "sendmsg", PASSIVE "+0 sendmsg(4, {msg_name(...)=..., "
		  "msg_iov(2)=[{..., 200}, {..., 100}], msg_flags=0}, 0) = 300\n"
		  "+0 > P. 1:301(300) ack 1", DRILL_PASSED, NULL },
		{ "sendmsg with flags inside", PASSIVE "+0 sendmsg(4, {msg_name(...)=..., "
		  "msg_iov(1)=[{..., 200}], msg_flags=MSG_OOB}, 0) = 200", DRILL_FAILED,
		  "msg_flags must be 0" },
		{ "no message", PASSIVE "+0 sendmsg(4, 5, 0) = 1", DRILL_FAILED,
		  "a message is {msg_name" },
		{ "no bytes", PASSIVE "+0 sendmsg(4, {msg_flags=0}, 0) = 1", DRILL_FAILED,
		  "there is no msg_iov" },
		{ "control without data", PASSIVE "+0 recvmsg(4, {" MSG ", msg_flags=0, "
		  "msg_control=[{cmsg_level=SOL_IP, cmsg_type=IP_TTL}]}, 0) = 1", DRILL_FAILED,
		  "a control message is" },
		{ "control without type", PASSIVE "+0 recvmsg(4, {" MSG ", msg_flags=0, "
		  "msg_control=[{cmsg_level=SOL_IP, cmsg_data=1}]}, 0) = 1", DRILL_FAILED,
		  "a control message is" },
		{ "control without level", PASSIVE "+0 recvmsg(4, {" MSG ", msg_flags=0, "
		  "msg_control=[{cmsg_type=IP_TTL, cmsg_data=1}]}, 0) = 1", DRILL_FAILED,
		  "a control message is" },
		{ "control of structs", PASSIVE "+0 recvmsg(4, {" MSG ", msg_flags=0, "
		  "msg_control=[{cmsg_level=SOL_IP, cmsg_type=IP_RECVERR, cmsg_data="
		  "{ee_errno=1}}]}, 0) = 1", DRILL_SKIPPED, "extended errors" },
		{ "control of lists", PASSIVE "+0 recvmsg(4, {" MSG ", msg_flags=0, "
		  "msg_control=[{cmsg_level=SOL_SOCKET, cmsg_type=SCM_TIMESTAMPING_OPT_STATS, "
		  "cmsg_data=[TCP_NLA_BUSY=1]}]}, 0) = 1", DRILL_SKIPPED, "extended errors" },
		{ "sending control", PASSIVE "+0 sendmsg(4, {" MSG ", msg_flags=0, " TTL(1)
		  "}, 0) = 200", DRILL_SKIPPED, "sendmsg() with control messages" },
		{ "to whom it is connected", UDP "+0 connect(3, ..., ...) = 0\n"
		  "+0 sendmsg(3, {msg_iov(1)=[{..., 10}], msg_flags=0}, 0) = 10\n"
		  "+0 > udp (10)", DRILL_PASSED, NULL },
		{ "to nobody", UDP "+0 sendmsg(3, {msg_iov(1)=[{..., 10}], msg_flags=0}, 0)"
		  " = EDESTADDRREQ", DRILL_PASSED, NULL },
		{ "error", PASSIVE "+0 recvmsg(4, {" MSG ", msg_flags=MSG_TRUNC}, MSG_DONTWAIT)"
		  " = EAGAIN", DRILL_PASSED, NULL },
	};

	RUN(rows);
}

/* ---- options ---- */

TEST(options)
{
	static const struct row rows[] = {
		{ "set and get", SOCKET "+0 setsockopt(3, SOL_TCP, TCP_NODELAY, [1], 4) = 0\n"
		  "+0 getsockopt(3, SOL_TCP, TCP_NODELAY, [1], [4]) = 0", DRILL_PASSED, NULL },
		{ "another value", SOCKET "+0 getsockopt(3, SOL_TCP, TCP_NODELAY, [1], [4]) = 0",
		  DRILL_FAILED, "getsockopt() gave 0, expected 1" },
		{ "another length", SOCKET "+0 getsockopt(3, SOL_TCP, TCP_NODELAY, [0], [8]) = 0",
		  DRILL_FAILED, "gave 4 bytes, expected 8" },
		{ "short value", SOCKET "+0 setsockopt(3, SOL_TCP, TCP_NODELAY, [1], 1) = EINVAL",
		  DRILL_PASSED, NULL },
		{ "NULL", SOCKET "+0 setsockopt(3, SOL_TCP, TCP_NODELAY, NULL, 4) = EFAULT",
		  DRILL_PASSED, NULL },
		{ "range", SOCKET "+0 setsockopt(3, SOL_TCP, TCP_KEEPCNT, [0], 4) = EINVAL",
		  DRILL_PASSED, NULL },
		{ "linger", SOCKET
		  "+0 setsockopt(3, SOL_SOCKET, SO_LINGER, {onoff=1, linger=7}, 8) = 0\n"
		  "+0 getsockopt(3, SOL_SOCKET, SO_LINGER, {onoff=1, linger=7}, [8]) = 0",
		  DRILL_PASSED, NULL },
		{ "another linger", SOCKET
		  "+0 setsockopt(3, SOL_SOCKET, SO_LINGER, {onoff=1, linger=7}, 8) = 0\n"
		  "+0 getsockopt(3, SOL_SOCKET, SO_LINGER, {onoff=1, linger=8}, [8]) = 0",
		  DRILL_FAILED, "gave another value" },
		{ "string", SOCKET
		  "+0 setsockopt(3, SOL_TCP, TCP_CONGESTION, \"reno\", 4) = 0\n"
		  "+0 getsockopt(3, SOL_TCP, TCP_CONGESTION, \"reno\", [16]) = 0",
		  DRILL_PASSED, NULL },
		{ "another string", SOCKET
		  "+0 getsockopt(3, SOL_TCP, TCP_CONGESTION, \"vegas\", [16]) = 0",
		  DRILL_FAILED, "gave \"reno\", expected \"vegas\"" },
		{ "congestion control", SOCKET
		  "+0 setsockopt(3, SOL_TCP, TCP_CONGESTION, \"banana\", 6) = 0",
		  DRILL_SKIPPED, "congestion control \"banana\" is not supported" },
		{ "pending error", CONNECTING "+0 < R. 0:0(0) ack 1 win 0\n"
		  "+0 getsockopt(3, SOL_SOCKET, SO_ERROR, [ECONNREFUSED], [4]) = 0\n"
		  "+0 getsockopt(3, SOL_SOCKET, SO_ERROR, [0], [4]) = 0", DRILL_PASSED, NULL },
		{ "another error", CONNECTING "+0 < R. 0:0(0) ack 1 win 0\n"
		  "+0 getsockopt(3, SOL_SOCKET, SO_ERROR, [ETIMEDOUT], [4]) = 0",
		  DRILL_FAILED, "gave 111, expected 110" },
		{ "not looked at", SOCKET "+0 getsockopt(3, SOL_TCP, TCP_MAXSEG, ..., [4]) = 0",
		  DRILL_PASSED, NULL },
		{ "Linux has it", SOCKET
		  "+0 setsockopt(3, SOL_TCP, TCP_REPAIR, [1], 4) = 0", DRILL_SKIPPED,
		  "socket option TCP_REPAIR is not supported" },
		{ "Linux refuses it too", SOCKET
		  "+0 setsockopt(3, SOL_TCP, TCP_REPAIR, [1], 4) = -1", DRILL_PASSED, NULL },
		{ "Rill has it, and refuses it", UDP
		  "+0 setsockopt(3, SOL_TCP, TCP_NODELAY, [1], 4) = 0", DRILL_FAILED,
		  "returned -1 ENOPROTOOPT, expected 0" },
		{ "two numbers", SOCKET "+0 setsockopt(3, SOL_TCP, TCP_NODELAY, [1, 2], 4) = 0",
		  DRILL_FAILED, "a value is [one number]" },
		{ "no value", SOCKET "+0 setsockopt(3, SOL_TCP, TCP_NODELAY, 1, 4) = 0",
		  DRILL_FAILED, "a value is [N]" },
		{ "seconds alone", SOCKET
		  "+0 setsockopt(3, SOL_SOCKET, SO_RCVTIMEO, {tv_sec=7}, 16) = 0\n"
		  "+0 getsockopt(3, SOL_SOCKET, SO_RCVTIMEO, {tv_sec=7, tv_usec=0}, [16]) = 0",
		  DRILL_PASSED, NULL },
		{ "microseconds alone", SOCKET
		  "+0 setsockopt(3, SOL_SOCKET, SO_RCVTIMEO, {tv_usec=7000}, 16) = 0\n"
		  "+0 getsockopt(3, SOL_SOCKET, SO_RCVTIMEO, {tv_sec=0, tv_usec=7000}, [16]) = 0",
		  DRILL_PASSED, NULL },
		{ "another struct", SOCKET
		  "+0 setsockopt(3, SOL_SOCKET, SO_RCVTIMEO, {banana=7}, 16) = 0", DRILL_SKIPPED,
		  "this struct" },
		{ "address", UDP "+0 setsockopt(3, SOL_IP, IP_ADD_MEMBERSHIP, "
		  "inet_addr(\"224.9.9.9\"), 4) = EINVAL", DRILL_PASSED, NULL },
		{ "no address", UDP "+0 setsockopt(3, SOL_IP, IP_ADD_MEMBERSHIP, "
		  "inet_addr(\"224.9.9\"), 4) = 0", DRILL_FAILED, "224.9.9 is no address" },
		{ "address by number", UDP "+0 setsockopt(3, SOL_IP, IP_ADD_MEMBERSHIP, "
		  "inet_addr(5), 4) = 0", DRILL_FAILED, "inet_addr() is no value" },
		{ "address of nothing", UDP "+0 setsockopt(3, SOL_IP, IP_ADD_MEMBERSHIP, "
		  "inet6_addr(), 4) = 0", DRILL_FAILED, "inet6_addr() is no value" },
		{ "another call", UDP "+0 setsockopt(3, SOL_IP, IP_ADD_MEMBERSHIP, "
		  "banana(\"224.9.9.9\"), 4) = 0", DRILL_FAILED, "banana() is no value" },
		{ "length below 0", SOCKET
		  "+0 setsockopt(3, SOL_TCP, TCP_NODELAY, [1], -1) = EINVAL\n"
		  "+0 getsockopt(3, SOL_TCP, TCP_NODELAY, [1], [-1]) = EINVAL", DRILL_PASSED,
		  NULL },
		{ "lengths", SOCKET "+0 getsockopt(3, SOL_TCP, TCP_NODELAY, [1], [4, 4]) = 0",
		  DRILL_FAILED, "a number is needed" },
		{ "length too long", SOCKET
		  "+0 setsockopt(3, SOL_TCP, TCP_NODELAY, [1], 100000) = 0", DRILL_FAILED,
		  "a length of 100000 is not supported" },
		{ "longer than the value", SOCKET
		  "+0 setsockopt(3, SOL_TCP, TCP_CONGESTION, \"reno\", 60000) = 0",
		  DRILL_PASSED, NULL },
		{ "nowhere to", SOCKET "+0 getsockopt(3, SOL_TCP, TCP_NODELAY, NULL, [4])"
		  " = EFAULT", DRILL_PASSED, NULL },
		{ "Linux gives it", SOCKET "+0 getsockopt(3, SOL_TCP, TCP_CC_INFO, ..., [20]) = 0",
		  DRILL_SKIPPED, "socket option TCP_CC_INFO is not supported" },
		{ "only to be set", UDP
		  "+0 getsockopt(3, SOL_IP, IP_ADD_MEMBERSHIP, ..., [8]) = 0", DRILL_SKIPPED,
		  "socket option IP_ADD_MEMBERSHIP" },
		{ "read only here", "--ip_version=ipv6\n" SOCKET
		  "+0 setsockopt(3, SOL_IPV6, IPV6_MTU, [1400], 4) = 0", DRILL_SKIPPED,
		  "socket option IPV6_MTU" },
		{ "a string with parentheses", SOCKET
		  "+0 getsockopt(3, SOL_TCP, TCP_CONGESTION, \"a)\\\")\", [16]) = 1",
		  DRILL_FAILED, "t:3: getsockopt(3, SOL_TCP, TCP_CONGESTION, \"a)\\\")\", [16]) "
		  "returned 0, expected 1" },
	};

	RUN(rows);
}

TEST(fcntl_and_ioctl)
{
	static const struct row rows[] = {
		{ "F_GETFL", SOCKET "+0 fcntl(3, F_GETFL) = 0x2 (flags O_RDWR)\n"
		  "+0 fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0\n"
		  "+0 fcntl(3, F_GETFL) = 0x802", DRILL_PASSED, NULL },
		{ "F_GETFL, wrong", SOCKET "+0 fcntl(3, F_GETFL) = 0x802", DRILL_FAILED,
		  "returned 2, expected 2050" },
		{ "SIOCINQ", PASSIVE DATA "+0 ioctl(4, SIOCINQ, [1000]) = 0", DRILL_PASSED,
		  NULL },
		{ "SIOCINQ, wrong", PASSIVE DATA "+0 ioctl(4, FIONREAD, [999]) = 0",
		  DRILL_FAILED, "ioctl() gave 1000, expected 999" },
		{ "SIOCOUTQ", PASSIVE "+0 write(4, ..., 500) = 500\n+0 > P. 1:501(500) ack 1\n"
		  "+0 ioctl(4, SIOCOUTQ, [500]) = 0\n+0 ioctl(4, SIOCOUTQNSD, [0]) = 0",
		  DRILL_PASSED, NULL },
		{ "unknown", SOCKET "+0 ioctl(3, 0x1234, [0]) = ENOTTY", DRILL_PASSED, NULL },
		{ "FIONBIO", LISTEN "+0 ioctl(3, FIONBIO, [1]) = 0\n+0 accept(3) = EAGAIN",
		  DRILL_PASSED, NULL },
	};

	RUN(rows);
}

/* ---- readiness ---- */

#define EPOLL	"+0 epoll_create(1) = 5\n"					\
	"+0 epoll_ctl(5, EPOLL_CTL_ADD, 4, {events=EPOLLIN, fd=4}) = 0\n"

TEST(poll)
{
	static const struct row rows[] = {
		{ "ready", PASSIVE DATA
		  "+0 poll([{fd=4, events=POLLIN|POLLOUT, revents=POLLIN|POLLOUT}], 1, 0) = 1",
		  DRILL_PASSED, NULL },
		{ "not ready", PASSIVE "+0 poll([{fd=4, events=POLLIN}], 1, 0) = 0",
		  DRILL_PASSED, NULL },
		{ "wrong", PASSIVE DATA
		  "+0 poll([{fd=4, events=POLLIN|POLLOUT, revents=POLLIN}], 1, 0) = 1",
		  DRILL_FAILED, "poll() gave revents 0x5 for descriptor 4, expected 0x1" },
		{ "second of two", PASSIVE "+0 poll([{fd=3, events=POLLIN, revents=0},"
		  " {fd=4, events=POLLOUT, revents=POLLIN}], 2, 0) = 1", DRILL_FAILED,
		  "revents 0x4 for descriptor 4" },
		{ "no such descriptor", SOCKET
		  "+0 poll([{fd=9, events=POLLIN, revents=POLLNVAL}], 1, 0) = 1",
		  DRILL_PASSED, NULL },
		{ "passed over", SOCKET "+0 poll([{fd=-1, events=POLLIN}], 1, 0) = 0",
		  DRILL_PASSED, NULL },
		{ "count", SOCKET "+0 poll([{fd=3, events=POLLIN}], 2, 0) = 0", DRILL_FAILED,
		  "1 elements where 2 are announced" },
		{ "waits", PASSIVE
		  "+0...0.2 poll([{fd=4, events=POLLIN, revents=POLLIN}], 1, 1000) = 1\n"
		  "+.2 < P. 1:1001(1000) ack 1 win 65535", DRILL_PASSED, NULL },
	};

	RUN(rows);
}

TEST(epoll)
{
	static const struct row rows[] = {
		{ "ready", PASSIVE EPOLL DATA
		  "+0 epoll_wait(5, {events=EPOLLIN, fd=4}, 1, 0) = 1", DRILL_PASSED, NULL },
		{ "not ready", PASSIVE EPOLL
		  "+0 epoll_wait(5, {events=EPOLLIN, fd=4}, 1, 0) = 0", DRILL_PASSED, NULL },
		{ "other events", PASSIVE EPOLL DATA
		  "+0 epoll_wait(5, {events=EPOLLIN|EPOLLOUT, fd=4}, 1, 0) = 1", DRILL_FAILED,
		  "gave events 0x1, expected 0x5" },
		{ "other descriptor", PASSIVE EPOLL DATA
		  "+0 epoll_wait(5, {events=EPOLLIN, fd=3}, 1, 0) = 1", DRILL_FAILED,
		  "the data of another descriptor" },
		{ "u32", PASSIVE "+0 epoll_create(1) = 5\n"
		  "+0 epoll_ctl(5, EPOLL_CTL_ADD, 4, {events=EPOLLOUT, u32=77}) = 0\n"
		  "+0 epoll_wait(5, {events=EPOLLOUT, u32=77}, 1, 0) = 1", DRILL_PASSED, NULL },
		{ "u64", PASSIVE "+0 epoll_create(1) = 5\n"
		  "+0 epoll_ctl(5, EPOLL_CTL_ADD, 4, {events=EPOLLOUT, u64=77}) = 0\n"
		  "+0 epoll_wait(5, {events=EPOLLOUT, u64=78}, 1, 0) = 1", DRILL_FAILED,
		  "the data" },
		{ "deleted", PASSIVE EPOLL "+0 epoll_ctl(5, EPOLL_CTL_DEL, 4, NULL) = 0\n"
		  "+0 epoll_wait(5, ..., 1, 0) = 0", DRILL_PASSED, NULL },
		{ "twice", PASSIVE EPOLL
		  "+0 epoll_ctl(5, EPOLL_CTL_ADD, 4, {events=EPOLLIN, fd=4}) = EEXIST",
		  DRILL_PASSED, NULL },
		{ "waits", PASSIVE EPOLL
		  "+0...0.3 epoll_wait(5, {events=EPOLLIN, fd=4}, 1, 1000) = 1\n"
		  "+.3 < P. 1:1001(1000) ack 1 win 65535", DRILL_PASSED, NULL },
		{ "waits in vain", PASSIVE EPOLL
		  "+0...0.3 epoll_wait(5, ..., 1, 300) = 0", DRILL_PASSED, NULL },
		{ "data not named", PASSIVE EPOLL DATA
		  "+0 epoll_wait(5, {events=EPOLLIN}, 1, 0) = 1", DRILL_PASSED, NULL },
		{ "size 0", "0 epoll_create(0) = EINVAL", DRILL_PASSED, NULL },
		{ "no event", PASSIVE EPOLL "+0 epoll_ctl(5, EPOLL_CTL_MOD, 4, 7) = 0",
		  DRILL_FAILED, "an event is {events=E, fd=F}" },
		{ "too many", PASSIVE EPOLL "+0 epoll_wait(5, ..., 5000, 0) = 0", DRILL_FAILED,
		  "at most 1024 events" },
	};

	RUN(rows);
}
