/* SPDX-License-Identifier: MIT */
/*
 * Packets of scripts: right ones pass, and each single difference fails with the
 * message that names it.  Whole scripts are run, so that mapping, comparison and
 * text are seen together.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/types.h"
#include "drill/run.h"
#include "rl_test.h"

#define SERVER							\
	"0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n"		\
	"+0 bind(3, ..., ...) = 0\n"				\
	"+0 listen(3, 1) = 0\n"
#define SYN	"+0 < S 0:0(0) win 32792 <mss 1000>\n"
#define SYNACK	"+0 > S. 0:0(0) ack 1 win 65535 <mss 1460>\n"
#define ACCEPTED						\
	SERVER SYN "+0 > S. 0:0(0) ack 1 <...>\n"		\
	"+.1 < . 1:1(0) ack 1 win 32792\n"			\
	"+0 accept(3, ..., ...) = 4\n"

struct row {
	const char *name;
	const char *script;
	const char *why;	/* a part of the message; NULL: it passes */
};

static struct drill_result res;

static void run(const char *script, const char *options, uint64_t seed)
{
	static char text[16384];
	struct drill_config cfg;

	rl_drill_config_init(&cfg);
	cfg.seed = seed;
	snprintf(text, sizeof(text), "%s%s", options, script);
	rl_drill_run_text("t.pkt", text, strlen(text), &cfg, NULL, NULL, &res);
}

#define SEEDS	20	/* other ISNs and ports each */

static void check_rows(const struct row *rows, size_t n, const char *options)
{
	for (size_t i = 0; i < n * SEEDS; i++) {
		const struct row *row = &rows[i % n];

		run(row->script, options, i / n);
		CHECK_EQ(rl_label("%s, seed %zu: verdict [%s]", row->name, i / n, res.why),
			 res.verdict, row->why ? DRILL_FAILED : DRILL_PASSED);
		if (row->why)
			CHECK(rl_label("%s: says '%s' [%s]", row->name, row->why, res.why),
			      strstr(res.why, row->why));
	}
}

#define ROWS(rows, options) check_rows(rows, sizeof(rows) / sizeof((rows)[0]), options)

/* ---- right packets ---- */

TEST(what_is_right_passes)
{
	static const struct row rows[] = {
		{ "handshake", SERVER SYN SYNACK, NULL },
		{ "accepted", ACCEPTED, NULL },
		{ "ISN of the peer is not 0",
		  SERVER "+0 < S 123:123(0) win 32792 <mss 1000>\n"
		  "+0 > S. 0:0(0) ack 124 <...>\n"
		  "+.1 < . 1:1(0) ack 1 win 32792\n"
		  "+0 < P. 1:11(10) ack 1 win 32792\n"
		  "+0 > . 1:1(0) ack 11\n", NULL },
		{ "ISN of the script is not 0",
		  SERVER SYN "+0 > S. 777:777(0) ack 1 <...>\n"
		  "+.1 < . 1:1(0) ack 1 win 32792\n"
		  "+0 < P. 1:11(10) ack 1 win 32792\n"
		  "+0 > . 1:1(0) ack 11\n", NULL },
		{ "wildcards",
		  SERVER SYN "+0 > S. 0:0(0) ack 1 <...>\n"
		  "+.1 < . 1:1(0) ack 1 win 32792\n", NULL },
		{ "any time",
		  SERVER SYN "* > S. 0:0(0) ack 1 win 65535 <mss 1460>\n", NULL },
		{ "a range of times",
		  SERVER SYN "+0~+.2 > S. 0:0(0) ack 1 win 65535 <mss 1460>\n", NULL },
		{ "data out and in",
		  ACCEPTED "+0 write(4, ..., 1000) = 1000\n"
		  "+0 > P. 1:1001(1000) ack 1\n"
		  "+.1 < . 1:1(0) ack 1001 win 32792\n"
		  "+0 < P. 1:501(500) ack 1001 win 32792\n"
		  "+0 read(4, ..., 1000) = 500\n", NULL },
		{ "pieces are taken as one",
		  ACCEPTED "+0 write(4, ..., 5000) = 5000\n"
		  "+0 > P. 1:5001(5000) ack 1\n", NULL },
		{ "the last piece may be shorter",
		  ACCEPTED "+0 write(4, ..., 2500) = 2500\n"
		  "+0 > P. 1:2501(2500) ack 1\n", NULL },
		{ "a segment out of order is acknowledged by SACK",
		  SERVER "+0 < S 0:0(0) win 32792 <mss 1000,sackOK,nop,nop>\n"
		  "+0 > S. 0:0(0) ack 1 <mss 1460,nop,nop,sackOK>\n"
		  "+.1 < . 1:1(0) ack 1 win 32792\n"
		  "+0 < P. 101:201(100) ack 1 win 32792\n"
		  "+0 > . 1:1(0) ack 1 <nop,nop,sack 101:201>\n", NULL },
		{ "SACK where the peer's ISN is not 0",
		  SERVER "+0 < S 123:123(0) win 32792 <mss 1000,sackOK,nop,nop>\n"
		  "+0 > S. 0:0(0) ack 124 <mss 1460,nop,nop,sackOK>\n"
		  "+.1 < . 1:1(0) ack 1 win 32792\n"
		  "+0 < P. 101:201(100) ack 1 win 32792\n"
		  "+0 > . 1:1(0) ack 1 <nop,nop,sack 101:201>\n", NULL },
		{ "SACK of the peer",
		  SERVER "+0 < S 0:0(0) win 32792 <mss 1000,sackOK,nop,nop>\n"
		  "+0 > S. 0:0(0) ack 1 <mss 1460,nop,nop,sackOK>\n"
		  "+.1 < . 1:1(0) ack 1 win 32792\n"
		  "+0 accept(3, ..., ...) = 4\n"
		  "+0 write(4, ..., 5000) = 5000\n"
		  "+0 > P. 1:5001(5000) ack 1\n"
		  "+.1 < . 1:1(0) ack 1 win 32792 <nop,nop,sack 1001:5001>\n"
		  "+0 > . 1:1001(1000) ack 1\n", NULL },
		{ "the answer to a reset from a chosen port",
		  SERVER "+0 < 5000 > 81 S 0:0(0) win 1000\n"
		  "+0 > 81 > 5000 R. 0:0(0) ack 1 win 0\n", NULL },
		{ "nothing listens",
		  "0 < S 5:5(0) win 1000 <mss 1000>\n"
		  "+0 > R. 0:0(0) ack 1 win 0\n", NULL },
		{ "an absolute number",
		  "0 < . 5:5(0) ack 4000000000 win 1000\n"
		  "+0 > R 4000000000:4000000000(0)! win 0\n", NULL },
		{ "any number",
		  SERVER SYN "+0 > S. ...(0) ack 1 <...>\n", NULL },
	};

	ROWS(rows, "--ip_version=ipv4\n");
	ROWS(rows, "--ip_version=ipv4\n--mss=500\n");
}

TEST(the_other_versions)
{
	static const struct row v6[] = {
		{ "handshake", SERVER SYN "+0 > S. 0:0(0) ack 1 <mss 1440>\n", NULL },
		{ "it is IPv6", SERVER SYN "+0 > S. 0:0(0) ack 1 <mss 1460>\n",
		  "option 1: expected mss 1460, got mss 1440" },
		{ "hop limit", SERVER SYN "+0 > [ttl 7] S. 0:0(0) ack 1 <mss 1440>\n",
		  "hop limit: expected 7, got 64" },
		{ "echo", "0 < icmp echo_request [raw (8)]\n"
		  "+0 > icmp echo_reply [raw (8)]\n", NULL },
	};
	static const struct row mapped[] = {
		{ "handshake", SERVER SYN SYNACK, NULL },
	};

	ROWS(v6, "--ip_version=ipv6\n");
	ROWS(mapped, "--ip_version=ipv4-mapped-ipv6\n");
}

/* ---- one difference each ---- */

TEST(each_difference_fails)
{
	static const struct row rows[] = {
		{ "a flag too many", SERVER SYN "+0 > SP. 0:0(0) ack 1 <...>\n",
		  "t.pkt:6: packet: PSH flag: expected set, got clear" },
		{ "a flag too few", SERVER SYN "+0 > S 0:0(0) <...>\n",
		  "ACK flag: expected clear, got set" },
		{ "ack", SERVER SYN "+0 > S. 0:0(0) ack 2 <...>\n",
		  "acknowledgment number: expected 2, got 1" },
		{ "window", SERVER SYN "+0 > S. 0:0(0) ack 1 win 1000 <...>\n",
		  "window: expected 1000, got 65535" },
		{ "urgent pointer", SERVER SYN "+0 > S. 0:0(0) ack 1 urg 3 <...>\n",
		  "urgent pointer: expected 3, got 0" },
		{ "no options expected", SERVER SYN "+0 > S. 0:0(0) ack 1\n",
		  "data offset: expected 20 bytes, got 24" },
		{ "another option", SERVER SYN "+0 > S. 0:0(0) ack 1 <mss 1300>\n",
		  "option 1: expected mss 1300, got mss 1460" },
		{ "options more", SERVER SYN "+0 > S. 0:0(0) ack 1 <mss 1460,nop,nop,sackOK>\n",
		  "data offset: expected 28 bytes, got 24" },
		{ "an option of another kind", SERVER SYN
		  "+0 > S. 0:0(0) ack 1 <nop,wscale 1>\n",
		  "option 1: expected nop, got mss 1460" },
		{ "sequence number", ACCEPTED "+0 write(4, ..., 10) = 10\n"
		  "+0 > P. 2:12(10) ack 1\n", "sequence number: expected 2, got 1" },
		{ "payload", ACCEPTED "+0 write(4, ..., 10) = 10\n"
		  "+0 > P. 1:10(9) ack 1\n", "payload length: expected 9, got 10" },
		{ "more than there is", ACCEPTED "+0 write(4, ..., 10) = 10\n"
		  "+0 > P. 1:21(20) ack 1\n", "continue" },
		{ "sack block", SERVER "+0 < S 0:0(0) win 32792 <mss 1000,sackOK,nop,nop>\n"
		  "+0 > S. 0:0(0) ack 1 <mss 1460,nop,nop,sackOK>\n"
		  "+.1 < . 1:1(0) ack 1 win 32792\n"
		  "+0 < P. 101:201(100) ack 1 win 32792\n"
		  "+0 > . 1:1(0) ack 1 <nop,nop,sack 101:202>\n",
		  "option 3: expected sack 101:202, got sack 101:201" },
		{ "ECN", SERVER SYN "+0 > [ect0] S. 0:0(0) ack 1 <...>\n",
		  "ECN bits: expected ect0, got noecn" },
		{ "ECN, either", SERVER SYN "+0 > [ect01] S. 0:0(0) ack 1 <...>\n",
		  "ECN bits: expected ect0 or ect1, got noecn" },
		{ "ToS", SERVER SYN "+0 > [tos 0x10] S. 0:0(0) ack 1 <...>\n",
		  "ToS: expected 0x10, got 0x00" },
		{ "TTL", SERVER SYN "+0 > [ttl 7] S. 0:0(0) ack 1 <...>\n",
		  "TTL: expected 7, got 64" },
		{ "ACE", SERVER SYN "+0 > S.5 0:0(0) ack 1 <...>\n",
		  "ACE: expected 5, got 0" },
		{ "ECE", SERVER SYN "+0 > SE. 0:0(0) ack 1 <...>\n",
		  "ECE flag: expected set, got clear" },
		{ "absolute number", "0 < . 5:5(0) ack 77 win 1000\n"
		  "+0 > R 78:78(0)! win 0\n", "absolute sequence number: expected 78, got 77" },
		{ "headers", SERVER SYN "+0 > ipv4 1.1.1.1 > 2.2.2.2: S. 0:0(0) ack 1 <...>\n",
		  "header layers: expected 2, got 1" },
		{ "too early", ACCEPTED "+0 write(4, ..., 10) = 10\n"
		  "+.5 > P. 1:11(10) ack 1\n", "packet too early" },
		{ "too late", ACCEPTED "+0 write(4, ..., 10) = 10\n"
		  "+0 > P. 1:11(10) ack 1\n" "+0 > P. 1:11(10) ack 1\n", "packet too late" },
		{ "out of a range", SERVER SYN "+.1~+.2 > S. 0:0(0) ack 1 <...>\n",
		  "packet too early" },
		{ "no connection", "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n"
		  "+0 > S 0:0(0) <...>\n", "no TCP socket that could send" },
		{ "no connection to be quoted", SERVER
		  "+0 < icmp unreachable host_unreachable [1:1(0)]\n",
		  "no connection whose packet" },
		{ "unknown echo", SERVER
		  "+0 < S 0:0(0) win 1000 <mss 1000,TS val 1 ecr 0,nop,nop>\n"
		  "+0 > S. 0:0(0) ack 1 <...>\n"
		  "+0 < . 1:1(0) ack 1 win 1000 <nop,nop,TS val 2 ecr 9>\n",
		  "TS ecr 9: no packet that left had this TS val" },
	};

	ROWS(rows, "--ip_version=ipv4\n");
}

TEST(missing_and_unexpected)
{
	static const struct row rows[] = {
		{ "nothing comes", SERVER "+0 < . 1:1(0) ack 1 win 100\n"
		  "+0 > R 1:1(0) win 0\n" "+.1 > R 1:1(0) win 0\n",
		  "no packet came until" },
		{ "what was waited for", SERVER "+0 < . 1:1(0) ack 1 win 100\n"
		  "+0 > R 1:1(0) win 0\n" "+.1 > R 1:1(0) win 0\n",
		  "(waited for: > R 1:1(0) win 0)" },
		{ "a part only", ACCEPTED "+0 write(4, ..., 10) = 10\n"
		  "+.01 < . 1:1(0) ack 11 win 1000\n"
		  "+0 < . 1:1(0) ack 1 win 1000\n"
		  "* > P. 1:21(20) ack 1\n", "only 10 of 20 bytes came until" },
		{ "not taken", SERVER SYN "+.1 < . 1:1(0) ack 1 win 100\n"
		  "+0 < P. 1:11(10) ack 1 win 100\n" "+0 > . 1:1(0) ack 11\n",
		  "  actual:   Flags [S.], seq 0, ack 1, " },
		{ "quiet", SERVER SYN "+.1 quiet\n", "unexpected packet: 0.000000 > S. 0:0(0)" },
		{ "quiet passes", SERVER SYN SYNACK "+.1 quiet\n", NULL },
		{ "quiet: a socket that connects",
		  "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n"
		  "+0 fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0\n"
		  "+0 connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)\n"
		  "+.1 quiet\n", "unexpected packet: 0.000000 > S " },
	};

	ROWS(rows, "--ip_version=ipv4\n");
}

TEST(strict_segments)
{
	static const struct row rows[] = {
		{ "one by one", ACCEPTED "+0 write(4, ..., 2000) = 2000\n"
		  "+0 > . 1:1001(1000) ack 1\n" "+0 > P. 1001:2001(1000) ack 1\n", NULL },
		{ "not as one", ACCEPTED "+0 write(4, ..., 2000) = 2000\n"
		  "+0 > P. 1:2001(2000) ack 1\n", "payload length: expected 2000, got 1000" },
	};

	ROWS(rows, "--ip_version=ipv4\n--strict_segments\n");
}

TEST(super_segments)
{
	static const struct row rows[] = {
		{ "60000 bytes at once", ACCEPTED
		  "+0 < P. 1:60001(60000) ack 1 win 1000\n"
		  "+0 > . 1:1(0) ack 60001\n"
		  "+0 read(4, ..., 65535) = 60000\n", NULL },
	};

	ROWS(rows, "--ip_version=ipv4\n--mss=1000\n");
	ROWS(rows, "--ip_version=ipv6\n--mss=1000\n");
}

TEST(connecting)
{
#define CONNECT							\
	"0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n"		\
	"+0 fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0\n"		\
	"+0 connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)\n"
	static const struct row rows[] = {
		{ "handshake", CONNECT "+0 > S 0:0(0) <...>\n"
		  "+.1 < S. 0:0(0) ack 1 win 32792 <mss 1000>\n"
		  "+0 > . 1:1(0) ack 1\n", NULL },
		{ "other ISNs", CONNECT "+0 > S 50:50(0) <...>\n"
		  "+.1 < S. 900:900(0) ack 51 win 32792 <mss 1000>\n"
		  "+0 > . 1:1(0) ack 1\n"
		  "+0 write(3, ..., 10) = 10\n"
		  "+0 > P. 1:11(10) ack 1\n"
		  "+0 < P. 1:6(5) ack 11 win 1000\n"
		  "+0 > . 11:11(0) ack 6\n", NULL },
		{ "retransmitted SYN", CONNECT "+0 > S 0:0(0) <...>\n"
		  "+1 > S 0:0(0) <...>\n", NULL },
		{ "a wrong ACK", CONNECT "+0 > S 0:0(0) <...>\n"
		  "+.1 < S. 0:0(0) ack 1 win 32792 <mss 1000>\n"
		  "+0 > . 1:1(0) ack 2\n", "acknowledgment number: expected 2, got 1" },
		{ "quoted by ICMP", CONNECT "+0 > S 0:0(0) <...>\n"
		  "+.1 < icmp unreachable port_unreachable [0:0(0)]\n"
		  "+0 getsockopt(3, SOL_SOCKET, SO_ERROR, [ECONNREFUSED], [4]) = 0\n", NULL },
		{ "quoted by ICMP, not in flight", CONNECT "+0 > S 0:0(0) <...>\n"
		  "+.1 < icmp unreachable port_unreachable [5000:5000(0)]\n"
		  "+0 getsockopt(3, SOL_SOCKET, SO_ERROR, [0], [4]) = 0\n", NULL },
	};

	ROWS(rows, "--ip_version=ipv4\n");
}

TEST(timestamps)
{
#define TS_SERVER SERVER \
	"+0 < S 0:0(0) win 32792 <mss 1000,sackOK,TS val 700 ecr 0>\n" \
	"+0 > S. 0:0(0) ack 1 <mss 1460,sackOK,TS val 100 ecr 700>\n" \
	"+.1 < . 1:1(0) ack 1 win 32792 <nop,nop,TS val 800 ecr 100>\n" \
	"+0 accept(3, ..., ...) = 4\n"
	static const struct row plain[] = {
		{ "ecr is mapped", TS_SERVER "+0 write(4, ..., 10) = 10\n"
		  "+0 > P. 1:11(10) ack 1 <nop,nop,TS val 12345 ecr 4>\n", NULL },
		{ "ecr said absolutely", TS_SERVER "+0 write(4, ..., 10) = 10\n"
		  "+0 > P. 1:11(10) ack 1 <nop,nop,TS val 200 ecr 801!>\n",
		  "option 3: expected TS val 200 ecr 801" },
		{ "and right", TS_SERVER "+0 write(4, ..., 10) = 10\n"
		  "+0 > P. 1:11(10) ack 1 <nop,nop,TS val 200 ecr 800!>\n", NULL },
		{ "learned again", TS_SERVER "+0 write(4, ..., 10) = 10\n"
		  "+0 > P. 1:11(10) ack 1 <nop,nop,TS val 200 ecr 800>\n"
		  "+.1 < . 1:1(0) ack 11 win 32792 <nop,nop,TS val 900 ecr 200>\n"
		  "+0 < . 1:1(0) ack 11 win 32792 <nop,nop,TS val 900 ecr 201>\n",
		  "TS ecr 201" },
	};
	static const struct row ticks[] = {
		{ "val as time passes", TS_SERVER "+0 write(4, ..., 10) = 10\n"
		  "+0 > P. 1:11(10) ack 1 <nop,nop,TS val 200 ecr 800>\n", NULL },
		{ "val wrong", TS_SERVER "+0 write(4, ..., 10) = 10\n"
		  "+0 > P. 1:11(10) ack 1 <nop,nop,TS val 300 ecr 800>\n",
		  "option 3: expected TS val 300 ecr 800, got TS val 200" },
		{ "scaled ecr", TS_SERVER
		  "+0 < . 1:1(0) ack 1 win 32792 <nop,nop,TS val 800 ecr 150>\n", NULL },
	};

	ROWS(plain, "--ip_version=ipv4\n");
	ROWS(ticks, "--ip_version=ipv4\n--tcp_ts_tick_usecs=1000\n--tcp_ts_ecr_scaled\n");
}

TEST(udp_and_icmp)
{
#define UDP	"0 socket(..., SOCK_DGRAM, IPPROTO_UDP) = 3\n"
	static const struct row rows[] = {
		{ "sent", UDP "+0 connect(3, ..., ...) = 0\n"
		  "+0 write(3, ..., 100) = 100\n" "+0 > udp (100)\n"
		  "+.1 < udp (50)\n" "+0 read(3, ..., 100) = 50\n", NULL },
		{ "another length", UDP "+0 connect(3, ..., ...) = 0\n"
		  "+0 write(3, ..., 100) = 100\n" "+0 > udp (99)\n",
		  "UDP payload length: expected 99, got 100" },
		{ "received", UDP "+0 bind(3, ..., ...) = 0\n" "+0 < udp (50)\n"
		  "+0 read(3, ..., 100) = 50\n", NULL },
		{ "an error is quoted", UDP "+0 connect(3, ..., ...) = 0\n"
		  "+0 write(3, ..., 100) = 100\n" "+0 > udp (100)\n"
		  "+.1 < icmp unreachable port_unreachable [udp (100)]\n"
		  "+0 read(3, ..., 100) = -1 ECONNREFUSED (Connection refused)\n", NULL },
		{ "nobody is there", "0 < udp 5000 > 7777 (20)\n"
		  "+0 > icmp unreachable port_unreachable\n", NULL },
		{ "another code", "0 < udp 5000 > 7777 (20)\n"
		  "+0 > icmp unreachable host_unreachable\n",
		  "ICMP code: expected 1, got 3" },
		{ "nobody is there, beside a socket", UDP "+0 bind(3, ..., ...) = 0\n"
		  "+0 < udp 5000 > 7777 (20)\n" "+0 > icmp unreachable port_unreachable\n"
		  "+0 < udp (50)\n" "+0 read(3, ..., 100) = 50\n", NULL },
		{ "echo", "0 < icmp echo_request id 7 [raw (16)]\n"
		  "+0 > icmp echo_reply id 7 [raw (16)]\n", NULL },
		{ "another type", "0 < icmp echo_request id 7 [raw (16)]\n"
		  "+0 > icmp timestamp_reply [raw (16)]\n",
		  "ICMP type: expected 14, got 0" },
		{ "echo of another size", "0 < icmp echo_request id 7 [raw (16)]\n"
		  "+0 > icmp echo_reply [raw (17)]\n",
		  "ICMP payload length: expected 17, got 16" },
	};

	ROWS(rows, "--ip_version=ipv4\n");
}

/* ---- the end (12) ---- */

/*
 * The last packet of a pcapng file in the machine's order, from its IP header, and
 * the one before it.
 */
static size_t last_packet(FILE *f, uint8_t *out, uint8_t *before, size_t size)
{
	uint32_t head[2], body[5];
	size_t n = 0;

	rewind(f);
	while (fread(head, sizeof(head), 1, f) == 1) {
		if (head[0] == 6 && fread(body, sizeof(body), 1, f) == 1 &&
		    body[3] <= size) {
			memcpy(before, out, n);
			n = fread(out, 1, body[3], f);
			head[1] -= (uint32_t)(sizeof(body) + n);
		}
		fseek(f, (long)(head[1] - sizeof(head)), SEEK_CUR);
	}
	return n;
}

static void check_reset(const char *name, const char *script, uint32_t seq, uint32_t ack,
			uint16_t win)
{
	char path[] = "/tmp/drill-packet-XXXXXX";
	struct drill_config cfg;
	int fd = mkstemp(path);
	uint8_t p[200], before[200];
	FILE *f;

	REQUIRE("a file", fd >= 0);
	close(fd);
	rl_drill_config_init(&cfg);
	cfg.pcap = path;
	rl_drill_run_text("t.pkt", script, strlen(script), &cfg, NULL, NULL, &res);
	CHECK_EQ(rl_label("%s: %s", name, res.why), res.verdict, DRILL_PASSED);
	f = fopen(path, "rb");
	if (CHECK("packets", f && last_packet(f, p, before, sizeof(p)) == 40)) {
		CHECK_EQ("RST|ACK", p[33], 0x14);
		CHECK_EQ("to the stack's port", get16(p + 22), 8080);
		CHECK_UEQ(rl_label("%s: seq", name), get32(p + 24), seq);
		if (ack)
			CHECK_UEQ(rl_label("%s: ack", name), get32(p + 28), ack);
		else
			CHECK_UEQ("behind what left", get32(p + 28),
				  get32(before + 24) + (before[33] & 2 ? 1 : 0));
		CHECK_EQ(rl_label("%s: win", name), get16(p + 34), win);
	}
	if (f)
		fclose(f);
	unlink(path);
}

TEST(reset_at_the_end)
{
	check_reset("after what was injected", "--ip_version=ipv4\n" SERVER
		    "+0 < S 7:7(0) win 32792 <mss 1000>\n"
		    "+0 > S. 0:0(0) ack 8 <...>\n"
		    "+.1 < . 1:1(0) ack 1 win 32792\n"
		    "+0 < FP. 1:11(10) ack 1 win 1000\n"
		    "+0 > . 1:1(0) ack 12\n", 7 + 12, 0, 1000);
	check_reset("after what left", "--ip_version=ipv4\n" SERVER
		    "+0 < S 7:7(0) win 32792 <mss 1000>\n"
		    "+0 > S. 0:0(0) ack 8 <...>\n", 8, 0, 0);
	check_reset("to nobody", "--ip_version=ipv4\n"
		    "0 < . 7:7(0) ack 66 win 32792\n", 14, 66, 32792);
	check_reset("a SYN counts", "--ip_version=ipv4\n"
		    "0 < S. 7:7(0) ack 66 win 32792\n", 8, 66, 32792);
}

/* ---- the message ---- */

TEST(message_side_by_side)
{
	run(SERVER SYN "+0 > S. 0:0(0) ack 1 win 1000 <mss 1460>\n", "--ip_version=ipv4\n", 1);
	CHECK_STR("whole message", res.why,
		  "t.pkt:6: packet: window: expected 1000, got 65535\n"
		  "  expected: Flags [S.], seq 0, ack 1, win 1000, options [mss 1460], length 0\n"
		  "  actual:   Flags [S.], seq 0, ack 1, win 65535, options [mss 1460], length 0\n"
		  "                                      ^^^^^^^^^\n"
		  "the last packets:\n"
		  "  0.000000 < S 0:0(0) win 32792 <mss 1000>\n"
		  "  0.000000 > S. 0:0(0) ack 1 win 65535 <mss 1460>");
}

TEST(message_marks_all_that_differs)
{
	run(SERVER SYN "+0 > SP. 0:0(0) ack 7 urg 4 <mss 1300>\n", "--ip_version=ipv4\n", 1);
	CHECK_STR("whole message", res.why,
		  "t.pkt:6: packet: PSH flag: expected set, got clear\n"
		  "  expected: Flags [SP.], seq 0, ack 7, win ..., urg 4, options [mss 1300], "
		  "length 0\n"
		  "  actual:   Flags [S.], seq 0, ack 1, win 65535, urg 0, options [mss 1460], "
		  "length 0\n"
		  "            ^^^^^^^^^^         ^^^^^             ^^^^^           ^^^^^^^^\n"
		  "the last packets:\n"
		  "  0.000000 < S 0:0(0) win 32792 <mss 1000>\n"
		  "  0.000000 > S. 0:0(0) ack 1 win 65535 <mss 1460>");
}

TEST(message_of_a_wrong_time)
{
	run(SERVER SYN "+.1 > S. 0:0(0) ack 1 win 65535 <mss 1460>\n", "--ip_version=ipv4\n",
	    1);
	CHECK_STR("whole message", res.why,
		  "t.pkt:6: packet too early: at 0.000000, expected 0.100000 (tolerance "
		  "0.012500)\n"
		  "the last packets:\n"
		  "  0.000000 < S 0:0(0) win 32792 <mss 1000>\n"
		  "  0.000000 > S. 0:0(0) ack 1 win 65535 <mss 1460>");
}

TEST(non_fatal)
{
	FILE *f = tmpfile();
	struct drill_config cfg;
	static char text[2000];
	const char *script = "--non_fatal=packet\n" SERVER SYN
		"+0 > S. 0:0(0) ack 1 win 1000 <mss 1460>\n"
		"+0 < . 1:1(0) ack 77 win 1000\n"
		"+.5 > R 77:77(0)\n";
	size_t n;

	REQUIRE("a file", f);
	rl_drill_config_init(&cfg);
	cfg.trace = f;
	rl_drill_run_text("t.pkt", script, strlen(script), &cfg, NULL, NULL, &res);
	CHECK_EQ("it passes", res.verdict, DRILL_PASSED);
	rewind(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	CHECK("the warning", strstr(text, "warning: t.pkt:6: packet: window: expected 1000"));
	CHECK("of the time too", strstr(text, "warning: t.pkt:8: packet too early"));
	fclose(f);
}
