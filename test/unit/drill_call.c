// SPDX-License-Identifier: MIT
/*
 * src/drill/call.c, call_open.c, args.c, symbols.c: what holds for every call, and
 * how sockets come and go; each also with an expectation that is wrong and must
 * fail (section 9 of the language).
 */
#include <errno.h>

#include "drill_call_fixture.h"

/* ---- the frame of a call ---- */

TEST(results)
{
	static const struct row rows[] = {
		{ "right", SOCKET "+0 close(3) = 0", DRILL_PASSED, NULL },
		{ "number", SOCKET "+0 close(3) = 1", DRILL_FAILED,
		  "t:3: close(3) returned 0, expected 1" },
		{ "errno", PASSIVE "+0 fcntl(4, F_SETFL, O_NONBLOCK) = 0\n"
		  "+0 read(4, ..., 10) = -1 EAGAIN (Resource temporarily unavailable)",
		  DRILL_PASSED, NULL },
		{ "another errno", SOCKET "+0 read(3, ..., 10) = -1 ECONNRESET", DRILL_FAILED,
		  "read(3, ..., 10) returned -1 ENOTCONN, expected -1 ECONNRESET" },
		{ "any errno", SOCKET "+0 read(3, ..., 10) = -1", DRILL_PASSED, NULL },
		{ "errno alone", SOCKET "+0 read(3) = ENOTCONN", DRILL_PASSED, NULL },
		{ "same number", SOCKET "+0 fcntl(3, F_SETFL, O_NONBLOCK) = 0\n"
		  "+0 bind(3) = 0\n+0 listen(3) = 0\n+0 accept(3) = EWOULDBLOCK",
		  DRILL_PASSED, NULL },
		{ "no such errno", SOCKET "+0 read(3) = EBANANA", DRILL_FAILED,
		  "there is no errno EBANANA" },
		{ "success where an error is due", SOCKET "+0 close(3) = -1 EBADF",
		  DRILL_FAILED, "returned 0, expected -1 EBADF" },
		{ "error where a descriptor is due", SOCKET "+0 accept(3) = 4", DRILL_FAILED,
		  "returned -1 EINVAL, expected a descriptor" },
		{ "descriptor where an error is due", "0 socket(...) = -1 EMFILE",
		  DRILL_FAILED, "expected -1 EMFILE" },
		{ "bind", SOCKET "+0 bind(3) = 1", DRILL_FAILED, "expected 1" },
		{ "listen", SOCKET "+0 listen(3) = 1", DRILL_FAILED, "expected 1" },
		{ "connect", UDP "+0 connect(3) = 1", DRILL_FAILED, "expected 1" },
		{ "shutdown", PASSIVE "+0 shutdown(4, SHUT_WR) = 1", DRILL_FAILED,
		  "expected 1" },
		{ "readv", PASSIVE DATA "+0 readv(4, [{..., 9}], 1) = 1", DRILL_FAILED,
		  "expected 1" },
		{ "recv", PASSIVE DATA "+0 recv(4, ..., 9, 0) = 1", DRILL_FAILED, "expected 1" },
		{ "recvfrom", PASSIVE DATA "+0 recvfrom(4, ..., 9, 0, ..., ...) = 1",
		  DRILL_FAILED, "expected 1" },
		{ "recvmsg", PASSIVE DATA "+0 recvmsg(4, {msg_iov(1)=[{..., 9}], msg_flags=0}, 0)"
		  " = 1", DRILL_FAILED, "expected 1" },
		{ "write", PASSIVE "+0 write(4, ..., 9) = 1", DRILL_FAILED, "expected 1" },
		{ "writev", PASSIVE "+0 writev(4, [{..., 9}], 1) = 1", DRILL_FAILED,
		  "expected 1" },
		{ "send", PASSIVE "+0 send(4, ..., 9, 0) = 1", DRILL_FAILED, "expected 1" },
		{ "sendmsg", PASSIVE "+0 sendmsg(4, {msg_iov(1)=[{..., 9}], msg_flags=0}, 0) = 1",
		  DRILL_FAILED, "expected 1" },
		{ "ioctl", PASSIVE "+0 ioctl(4, SIOCINQ, [0]) = 1", DRILL_FAILED, "expected 1" },
		{ "setsockopt", SOCKET "+0 setsockopt(3, SOL_TCP, TCP_NODELAY, [1], 4) = 1",
		  DRILL_FAILED, "expected 1" },
		{ "getsockopt", SOCKET "+0 getsockopt(3, SOL_TCP, TCP_NODELAY, [0], [4]) = 1",
		  DRILL_FAILED, "expected 1" },
		{ "poll", SOCKET "+0 poll([{fd=3, events=0, revents=POLLHUP}], 1, 0) = 0",
		  DRILL_FAILED, "expected 0" },
		{ "epoll_ctl", SOCKET "+0 epoll_create(1) = 5\n"
		  "+0 epoll_ctl(5, EPOLL_CTL_ADD, 3, {events=0}) = 1", DRILL_FAILED,
		  "expected 1" },
		{ "epoll_wait", SOCKET "+0 epoll_create(1) = 5\n"
		  "+0 epoll_wait(5, ..., 1, 0) = 1", DRILL_FAILED, "expected 1" },
	};

	RUN(rows);
}

/* Wrong results are warnings; a call that would wait is none. */
TEST(non_fatal)
{
	static const struct row rows[] = {
		{ "result", "--non_fatal=syscall\n" SOCKET "+0 close(3) = 1", DRILL_PASSED,
		  NULL },
		{ "descriptor", "--non_fatal=syscall\n" SOCKET "+0 socket(...) = -1 EMFILE\n"
		  "+0 socket(...) = -1 EMFILE", DRILL_PASSED, NULL },
		{ "only packets", "--non_fatal=packet\n" SOCKET "+0 close(3) = 1",
		  DRILL_FAILED, "returned 0, expected 1" },
		{ "would block", "--non_fatal=syscall\n" LISTEN "+0 accept(3) = 4",
		  DRILL_FAILED, "would block" },
	};

	RUN(rows);
}

TEST(calls_that_do_not_exist)
{
	static const struct row rows[] = {
		{ "unknown", "0 frobnicate(3) = 0", DRILL_FAILED,
		  "unknown system call frobnicate()" },
		{ "splice", SOCKET "+0 splice(3, 0, 4, 0, 10, 0) = 10", DRILL_SKIPPED,
		  "splice() is not supported" },
		{ "open", "0 open(\"/dev/null\", O_RDWR) = 3", DRILL_SKIPPED,
		  "open() is not supported" },
		{ "sctp", SOCKET "+0 sctp_bindx(3, 0, 0) = 0", DRILL_SKIPPED, "SCTP" },
		{ "too few arguments", SOCKET "+0 write(3, ...) = 0", DRILL_FAILED,
		  "write() takes 3 arguments, not 2" },
		{ "too many arguments", SOCKET "+0 accept(3, ..., ..., 0) = 0", DRILL_FAILED,
		  "accept() takes 1 to 3 arguments, not 4" },
		{ "another's constant", "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n"
		  "+0 setsockopt(3, IPPROTO_TCP, TCP_NOOPT, [1], 4) = 0", DRILL_SKIPPED,
		  "TCP_NOOPT is not supported: it is FreeBSD's" },
		{ "unknown constant", "0 socket(..., SOCK_BANANA, 0) = 3", DRILL_FAILED,
		  "unknown constant SOCK_BANANA" },
		{ "no number", "0 socket(..., \"x\", 0) = 3", DRILL_FAILED,
		  "a number is needed" },
		{ "a port", "0 socket(htons(1, 2)) = 3", DRILL_FAILED, "htons() is no number" },
		{ "no port", "0 socket(htons()) = 3", DRILL_FAILED, "htons() is no number" },
		{ "another function", "0 socket(htonl(1)) = 3", DRILL_FAILED,
		  "htonl() is no number" },
		{ "port too large", "0 socket(htons(65536)) = 3", DRILL_FAILED,
		  "htons(65536): 0 to 65535" },
		{ "port below 0", "0 socket(htons(-1)) = 3", DRILL_FAILED,
		  "htons(-1): 0 to 65535" },
		{ "too large", "0 socket(4294967296) = 3", DRILL_FAILED,
		  "4294967296 is no int" },
		{ "too small", "0 socket(-2147483649) = 3", DRILL_FAILED, "is no int" },
		{ "an int's bits", "0 socket(0xffffffff) = EAFNOSUPPORT", DRILL_PASSED, NULL },
	};

	RUN(rows);
}

TEST(descriptors)
{
	static const struct row rows[] = {
		{ "numbers are names", "0 socket(...) = 77\n+0 bind(77) = 0\n+0 close(77) = 0",
		  DRILL_PASSED, NULL },
		{ "unknown", SOCKET "+0 close(5) = EBADF", DRILL_PASSED, NULL },
		{ "closed", SOCKET "+0 close(3) = 0\n+0 close(3) = EBADF", DRILL_PASSED, NULL },
		{ "used again", SOCKET "+0 close(3) = 0\n+0 socket(...) = 3", DRILL_PASSED,
		  NULL },
		{ "twice", SOCKET "+0 socket(...) = 3", DRILL_FAILED,
		  "descriptor 3 is open already" },
		{ "two sockets are two", SOCKET "+0 socket(...) = 4\n+0 bind(3) = 0\n"
		  "+0 listen(4) = 0\n+0 close(3) = 0", DRILL_PASSED, NULL },
		{ "not the one under test", PASSIVE "+0 close(3) = 0\n"
		  "+0 %{ assert tcpi_state == TCP_ESTABLISHED }%", DRILL_PASSED, NULL },
		{ "unknown ones do no harm", SOCKET "+0 bind(9) = EBADF\n"
		  "+0 listen(9) = EBADF\n+0 accept(9) = EBADF\n+0 connect(9) = EBADF\n"
		  "+0 sendto(9, ..., 1, 0, ..., ...) = EBADF\n+0 sendmsg(9, {msg_name(...)="
		  "..., msg_iov(1)=[{..., 1}], msg_flags=0}, 0) = EBADF", DRILL_PASSED, NULL },
		/* what the older socket does is not the newer one's */
		{ "the last socket() is under test", SOCKET "+0 socket() = 4\n+0 bind(3) = 0\n"
		  "+0 listen(3) = 0\n+0 fcntl(4, F_SETFL, O_NONBLOCK) = 0\n"
		  "+0 connect(4) = EINPROGRESS\n+0 > S 0:0(0) <...>", DRILL_PASSED, NULL },
	};

	RUN(rows);
}

/* ---- waiting ---- */

TEST(blocking)
{
	static const struct row rows[] = {
		{ "connect", SOCKET "+0...0.1 connect(3, ..., ...) = 0\n"
		  "+0 > S 0:0(0) <...>\n"
		  "+.1 < S. 0:0(0) ack 1 win 65535 <mss 1000>\n"
		  "+0 > . 1:1(0) ack 1", DRILL_PASSED, NULL },
		{ "absolute END", LISTEN "1...1.5 accept(3, ..., ...) = 4\n"
		  "1.5 < S 0:0(0) win 65535 <mss 1000>\n"
		  "1.5 > S. 0:0(0) ack 1 <...>\n"
		  "1.5 < . 1:1(0) ack 1 win 65535", DRILL_PASSED, NULL },
		{ "read", PASSIVE "+1...1.2 read(4, ..., 5000) = 1000\n"
		  "+.2 < P. 1:1001(1000) ack 1 win 65535", DRILL_PASSED, NULL },
		{ "too late", PASSIVE "+1...1.1 read(4, ..., 5000) = 1000\n"
		  "+.2 < P. 1:1001(1000) ack 1 win 65535", DRILL_FAILED,
		  "t:9: read(4, ..., 5000) returned too late: at 1.200000, "
		  "expected 1.100000 (tolerance 0.012500)" },
		{ "too early", PASSIVE "+1...1.9 read(4, ..., 5000) = 1000\n"
		  "+.2 < P. 1:1001(1000) ack 1 win 65535", DRILL_FAILED,
		  "t:9: read(4, ..., 5000) returned too early: at 1.200000, "
		  "expected 1.900000" },
		{ "at once", PASSIVE DATA "+1...1.2 read(4, ..., 5000) = 1000", DRILL_FAILED,
		  "t:11: read(4, ..., 5000) returned too early: at 1.000000" },
		{ "wrong result", PASSIVE "+1...1.2 read(4, ..., 5000) = 999\n"
		  "+.2 < P. 1:1001(1000) ack 1 win 65535", DRILL_FAILED,
		  "t:9: read(4, ..., 5000) returned 1000, expected 999" },
		{ "by its own timeout", PASSIVE
		  "+0 setsockopt(4, SOL_SOCKET, SO_RCVTIMEO, {tv_sec=0, tv_usec=300000}, 16)"
		  " = 0\n+0...0.3 read(4, ..., 10) = -1 EAGAIN\n+1 close(4) = 0",
		  DRILL_PASSED, NULL },
		{ "the next call waits for it", PASSIVE
		  "+0 setsockopt(4, SOL_SOCKET, SO_RCVTIMEO, {tv_sec=0, tv_usec=900000}, 16)"
		  " = 0\n+0...0.9 read(4, ..., 10) = -1 EAGAIN\n+0 close(4) = 0",
		  DRILL_PASSED, NULL },
		{ "the next call waits a second", PASSIVE
		  "+0...5 read(4, ..., 10) = 10\n+0 close(4) = 0", DRILL_FAILED,
		  "t:9: read(4, ..., 10) still waits at 1.000000; it was to return at "
		  "5.000000" },
		{ "the end waits a second", PASSIVE "+0...5 read(4, ..., 10) = 10",
		  DRILL_FAILED, "still waits at 1.000000" },
		{ "not marked: connect", SOCKET "+0 connect(3, ..., ...) = 0", DRILL_FAILED,
		  "connect(3, ..., ...) would block: mark it with ...END before the name" },
		{ "not marked: read", PASSIVE "+0 read(4, ..., 1) = -1 EINTR", DRILL_FAILED,
		  "read(4, ..., 1) would block" },
		{ "not marked: write", PASSIVE "+0 write(4, ..., 9000000) = 9000000",
		  DRILL_FAILED, "write(4, ..., 9000000) would block" },
		{ "not marked: poll", PASSIVE
		  "+0 poll([{fd=4, events=POLLIN}], 1, 100) = 0", DRILL_FAILED,
		  "would block" },
		{ "poll in time", PASSIVE
		  "+0...0.1 poll([{fd=4, events=POLLIN}], 1, 100) = 0", DRILL_PASSED, NULL },
		{ "absolute END, later", LISTEN "0.5 < S 0:0(0) win 65535 <mss 1000>\n"
		  "0.5 > S. 0:0(0) ack 1 <...>\n0.5 < . 1:1(0) ack 1 win 65535\n"
		  "0.5 accept(3) = 4\n1...1.2 read(4) = 10\n"
		  "1.2 < P. 1:11(10) ack 1 win 65535", DRILL_PASSED, NULL },
	};

	RUN(rows);
}

/* ---- opening and closing ---- */

TEST(sockets)
{
	static const struct row rows[] = {
		{ "named domain", "0 socket(AF_INET, SOCK_STREAM, IPPROTO_TCP) = 3",
		  DRILL_PASSED, NULL },
		{ "defaults", "0 socket() = 3\n+0 bind(3) = 0\n+0 listen(3) = 0", DRILL_PASSED,
		  NULL },
		{ "protocol 0, flags", "0 socket(..., SOCK_STREAM|SOCK_NONBLOCK, 0) = 3\n"
		  "+0 fcntl(3, F_GETFL) = 0x802", DRILL_PASSED, NULL },
		{ "SCTP", "0 socket(..., SOCK_DGRAM, 132) = 3", DRILL_SKIPPED,
		  "Rill has no sockets of this kind" },
		{ "raw", "0 socket(..., SOCK_RAW, IPPROTO_TCP) = 3", DRILL_SKIPPED,
		  "Rill has no sockets of this kind" },
		{ "raw, refused", "0 socket(..., SOCK_RAW, IPPROTO_TCP) = -1", DRILL_PASSED,
		  NULL },
		{ "bind twice", LISTEN "+0 bind(3) = EINVAL", DRILL_PASSED, NULL },
		{ "bind to NULL", SOCKET "+0 bind(3, NULL, 16) = EFAULT", DRILL_PASSED, NULL },
		{ "bind, short address", SOCKET "+0 bind(3, ..., 4) = EINVAL", DRILL_PASSED,
		  NULL },
		{ "bind elsewhere", SOCKET "+0 bind(3, {sa_family = AF_INET, "
		  "sin_port = htons(80), sin_addr = inet_addr(\"203.0.113.9\")}, ...)"
		  " = -1 EADDRNOTAVAIL", DRILL_PASSED, NULL },
		{ "bind to any", SOCKET "+0 bind(3, {sa_family = AF_INET, "
		  "sin_port = htons(80), sin_addr = inet_addr(\"0.0.0.0\")}, ...) = 0\n"
		  "+0 listen(3) = 0\n" SYNS "+0 accept(3) = 4", DRILL_PASSED, NULL },
		{ "no address", SOCKET "+0 bind(3, {sa_family = AF_INET, "
		  "sin_port = htons(80), sin_addr = inet_addr(\"300.0.0.0\")}, ...) = 0",
		  DRILL_FAILED, "300.0.0.0 is no address" },
		{ "accept", PASSIVE "+0 close(4) = 0\n+0 > F. 1:1(0) ack 1", DRILL_PASSED,
		  NULL },
		{ "accept too early", LISTEN "+0 fcntl(3, F_SETFL, O_NONBLOCK) = 0\n"
		  "+0 accept(3, ..., ...) = 4", DRILL_FAILED, "returned -1 EAGAIN" },
		{ "connect", ACTIVE "+0 connect(3, ..., ...) = 0", DRILL_PASSED, NULL },
		{ "connect refused", CONNECTING "+0 < R. 0:0(0) ack 1 win 0\n"
		  "+0 connect(3, ..., ...) = -1 ECONNREFUSED", DRILL_PASSED, NULL },
		{ "connect to NULL", SOCKET "+0 connect(3, NULL, 16) = EFAULT", DRILL_PASSED,
		  NULL },
		{ "dissolve TCP", ACTIVE "+0 connect(3, AF_UNSPEC, ...) = 0", DRILL_SKIPPED,
		  "AF_UNSPEC" },
		{ "dissolve UDP", UDP "+0 connect(3, ..., ...) = 0\n"
		  "+0 connect(3, AF_UNSPEC, ...) = 0\n"
		  "+0 write(3, ..., 1) = -1 EDESTADDRREQ", DRILL_PASSED, NULL },
		{ "shutdown", PASSIVE "+0 shutdown(4, SHUT_WR) = 0\n+0 > F. 1:1(0) ack 1\n"
		  "+0 write(4, ..., 1) = -1 EPIPE", DRILL_PASSED, NULL },
		{ "shutdown, wrong how", PASSIVE "+0 shutdown(4, 7) = EINVAL", DRILL_PASSED,
		  NULL },
		{ "family", SOCKET "+0 bind(3, {sa_family = AF_UNIX, sin_port = htons(80), "
		  "sin_addr = inet_addr(\"0.0.0.0\")}, ...) = 0", DRILL_FAILED,
		  "sa_family is AF_INET or AF_INET6" },
		{ "IPv6 to IPv4's socket", SOCKET "+0 bind(3, {sa_family = AF_INET6, "
		  "sin6_port = htons(80), sin6_addr = inet6_addr(\"::1\")}, ...) = -1 "
		  "EAFNOSUPPORT", DRILL_PASSED, NULL },
		{ "number as an address", SOCKET "+0 bind(3, {sa_family = AF_INET, sin_port = "
		  "htons(80), sin_addr = INADDR_ANY}, ...) = 0", DRILL_PASSED, NULL },
		{ "no sin_addr", SOCKET "+0 bind(3, {sa_family = AF_INET}, ...) = 0",
		  DRILL_FAILED, "the address has no sin_addr" },
		{ "another number", SOCKET "+0 bind(3, 7, ...) = 0", DRILL_FAILED,
		  "an address is ..., NULL, AF_UNSPEC or {sa_family = ...}" },
		{ "bound to any, no listener", SOCKET "+0 bind(3, {sa_family = AF_INET, "
		  "sin_port = htons(80), sin_addr = inet_addr(\"0.0.0.0\")}, ...) = 0\n"
		  "+0 < S 0:0(0) win 1000\n+0 > R. 0:0(0) ack 1", DRILL_PASSED, NULL },
		{ "length in brackets", LISTEN SYNS "+0 accept(3, ..., [16]) = 4", DRILL_PASSED,
		  NULL },
		{ "no place for a peer", LISTEN SYNS "+0 accept(3, 5, ...) = 4", DRILL_FAILED,
		  "argument 2 is ..., NULL or [N]" },
		{ "no length of a peer", LISTEN SYNS "+0 accept(3, ..., [1, 2]) = 4",
		  DRILL_FAILED, "argument 3 is ..., NULL or [N]" },
		{ "dissolve and send elsewhere", UDP "+0 connect(3, ..., ...) = 0\n"
		  "+0 connect(3, AF_UNSPEC, ...) = 0\n+0 sendto(3, ..., 10, 0, {sa_family = "
		  "AF_INET, sin_port = htons(99), sin_addr = inet_addr(\"192.0.2.7\")}, ...) "
		  "= 10\n+0 > udp (10)", DRILL_PASSED, NULL },
		{ "to nobody, then to somebody", UDP "+0 connect(3, NULL, 16) = EFAULT\n"
		  "+0 sendto(3, ..., 10, 0, NULL, 0) = EDESTADDRREQ\n"
		  "+0 sendto(3, ..., 10, 0, AF_UNSPEC, ...) = -1\n"
		  "+0 sendto(3, ..., 10, 0, ..., ...) = 10\n+0 > udp (10)", DRILL_PASSED,
		  NULL },
		{ "bound to any, sending", UDP "+0 bind(3, {sa_family = AF_INET, "
		  "sin_port = htons(80), sin_addr = inet_addr(\"0.0.0.0\")}, ...) = 0\n"
		  "+0 sendto(3, ..., 10, 0, ..., ...) = 10\n+0 > udp (10)", DRILL_PASSED, NULL },
		{ "bind failed, connect", SOCKET "+0 bind(3, {sa_family = AF_INET, "
		  "sin_port = htons(80), sin_addr = inet_addr(\"203.0.113.9\")}, ...)"
		  " = -1 EADDRNOTAVAIL\n+0 fcntl(3, F_SETFL, O_NONBLOCK) = 0\n"
		  "+0 connect(3) = EINPROGRESS\n+0 > S 0:0(0) <...>", DRILL_PASSED, NULL },
		{ "plain number as an address", SOCKET "+0 bind(3, {sa_family = AF_INET, "
		  "sin_port = htons(80), sin_addr = 0}, ...) = 0", DRILL_PASSED, NULL },
		{ "address of nothing", SOCKET "+0 bind(3, {sa_family = AF_INET, "
		  "sin_port = htons(80), sin_addr = inet_addr()}, ...) = 0", DRILL_FAILED,
		  "inet_addr() is no number" },
		{ "any port", SOCKET "+0 bind(3, {sa_family = AF_INET, sin_port = htons(0), "
		  "sin_addr = inet_addr(\"0.0.0.0\")}, ...) = 0\n+0 listen(3) = 0\n" SYNS
		  "+0 accept(3) = 4", DRILL_PASSED, NULL },
	};

	RUN(rows);
}

/* The peer must be the one whose packets the script sends. */
TEST(accepted_peer)
{
	static const struct row rows[] = {
		{ "explicit ports", LISTEN
		  "+0 < 5555 > 8080 S 0:0(0) win 65535 <mss 1000>\n"
		  "+0 > 8080 > 5555 S. 0:0(0) ack 1 <...>\n"
		  "+0 < 5555 > 8080 . 1:1(0) ack 1 win 65535\n"
		  "+0 accept(3) = 4", DRILL_PASSED, NULL },
		{ "the other one", LISTEN SYNS
		  "+0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 5\n"
		  "+0 bind(5, {sa_family = AF_INET, sin_port = htons(81), "
		  "sin_addr = inet_addr(\"0.0.0.0\")}, ...) = 0\n"
		  "+0 listen(5) = 0\n" SYNS "+0 accept(3) = 4", DRILL_FAILED,
		  "accept() gave a peer other than the one that the packets are from" },
	};

	RUN(rows);
}

/* ---- families ---- */

TEST(families)
{
	static const struct row bind6[] = {
		{ "elsewhere", SOCKET "+0 bind(3, {sa_family = AF_INET6, sin6_port = htons(80), "
		  "sin6_addr = inet6_addr(\"2001:db8::9\")}, ...) = EADDRNOTAVAIL",
		  DRILL_PASSED, NULL },
		{ "any", SOCKET "+0 bind(3, {sa_family = AF_INET6, sin6_port = htons(80), "
		  "sin6_addr = inet6_addr(\"::\")}, ...) = 0\n"
		  "+0 < S 0:0(0) win 1000\n+0 > R. 0:0(0) ack 1", DRILL_PASSED, NULL },
		{ "no address", SOCKET "+0 bind(3, {sa_family = AF_INET6, sin6_port = htons(80), "
		  "sin6_addr = inet6_addr(\"1.2.3.4\")}, ...) = 0", DRILL_FAILED,
		  "1.2.3.4 is no address" },
	};
	static const struct row rows[] = {
		{ "passive", PASSIVE "+0 close(4) = 0", DRILL_PASSED, NULL },
		{ "active", ACTIVE, DRILL_PASSED, NULL },
		{ "datagram", UDP "+0 sendto(3, ..., 10, 0, ..., ...) = 10\n+0 > udp (10)",
		  DRILL_PASSED, NULL },
	};
	static const char *const versions[] = {
		"--ip_version=ipv4\n", "--ip_version=ipv6\n",
		"--ip_version=ipv4-mapped-ipv6\n",
	};
	static const struct row domain = {
		"domain", SOCKET "+0 getsockopt(3, SOL_SOCKET, SO_DOMAIN, [AF_INET6], [4]) = 0",
		DRILL_PASSED, NULL,
	};

	for (size_t v = 0; v < 3; v++)
		for (size_t i = 0; i < 3; i++)
			run_one(&rows[i], versions[v]);
	for (size_t i = 0; i < 3; i++)
		run_one(&bind6[i], versions[1]);
	run_one(&domain, versions[1]);
	run_one(&domain, versions[2]);
}

/* ---- symbols ---- */

TEST(symbols)
{
	int64_t v = -1;

	CHECK("constant", rl_drill_symbol("POLLRDHUP", &v) && v == 0x2000);
	CHECK("unsigned", rl_drill_symbol("EPOLLET", &v) && v == 0x80000000);
	CHECK("null", rl_drill_symbol("NULL", &v) && v == 0);
	CHECK("errno", rl_drill_symbol("ETIMEDOUT", &v) && v == ETIMEDOUT);
	CHECK("case counts", !rl_drill_symbol("pollin", &v));
	CHECK_EQ("errno's number", rl_drill_errno("EPIPE"), EPIPE);
	CHECK_EQ("none", rl_drill_errno("EBANANA"), 0);
	CHECK_STR("errno's name", rl_drill_errno_name(EAGAIN), "EAGAIN");
	CHECK("no name", !rl_drill_errno_name(9999));
}

TEST(every_errno_has_a_name)
{
	for (int e = 1; e < 133; e++)
		if (strerrorname_np(e))
			CHECK_EQ(strerrorname_np(e), rl_drill_errno(strerrorname_np(e)), e);
}
