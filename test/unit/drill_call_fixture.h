/* SPDX-License-Identifier: MIT */
/*
 * Tables of scripts with the verdict that each must get: for the tests of the
 * interpreter's calls, drill_call.c and drill_call_io.c.
 */
#ifndef DRILL_CALL_FIXTURE_H
#define DRILL_CALL_FIXTURE_H

#include <stdio.h>

#include "drill/call.h"
#include "rl_test.h"

#define SOCKET	"0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n"
#define UDP	"0 socket(..., SOCK_DGRAM, IPPROTO_UDP) = 3\n"
#define LISTEN	SOCKET							\
	"+0 bind(3, ..., ...) = 0\n"					\
	"+0 listen(3, 1) = 0\n"
#define SYNS								\
	"+0 < S 0:0(0) win 65535 <mss 1000>\n"				\
	"+0 > S. 0:0(0) ack 1 <...>\n"					\
	"+0 < . 1:1(0) ack 1 win 65535\n"
#define PASSIVE	LISTEN SYNS "+0 accept(3, ..., ...) = 4\n"
#define CONNECTING SOCKET						\
	"+0 fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0\n"			\
	"+0 connect(3, ..., ...) = -1 EINPROGRESS (in progress)\n"	\
	"+0 > S 0:0(0) <...>\n"
#define ACTIVE	CONNECTING						\
	"+0 < S. 0:0(0) ack 1 win 65535 <mss 1000>\n"			\
	"+0 > . 1:1(0) ack 1\n"
#define DATA	"+0 < P. 1:1001(1000) ack 1 win 65535\n+0 > . 1:1(0) ack 1001\n"

struct row {
	const char	*name, *script;
	enum drill_verdict verdict;
	const char	*why;			/* part of the message; NULL: none */
};

static void run_text(const struct row *row, const char *option, const char *more,
		     enum drill_verdict verdict, const char *why)
{
	struct drill_result res;
	struct drill_config cfg;
	char text[4096];

	rl_drill_config_init(&cfg);
	snprintf(text, sizeof(text), "%s%s%s", option, row->script, more);
	rl_drill_run_text("t", text, strlen(text), &cfg, NULL, NULL, &res);
	if (!CHECK_EQ(rl_label("%s %s", row->name, option), res.verdict, verdict))
		fprintf(stderr, "%s\n", res.why);
	if (why && !CHECK(row->name, strstr(res.why, why)))
		fprintf(stderr, "\"%s\" does not contain \"%s\"\n", res.why, why);
}

/* A script that passes was run to its end: one wrong line more, and it fails. */
static void run_one(const struct row *row, const char *option)
{
	run_text(row, option, "", row->verdict, row->why);
	if (row->verdict == DRILL_PASSED)
		run_text(row, option, "\n+0 close(BANANA) = 0", DRILL_FAILED,
			 "unknown constant BANANA");
}

static void run_rows(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		run_one(&rows[i], "--ip_version=ipv4\n");
}

#define RUN(rows) run_rows(rows, sizeof(rows) / sizeof((rows)[0]))

#endif
