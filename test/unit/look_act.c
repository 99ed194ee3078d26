/* SPDX-License-Identifier: MIT */
/*
 * look/act.c on kernel sockets of this test's own: a socket is ended [D3], its
 * keepalive is set through the descriptor [C13], and the log says so.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "look/act.h"
#include "rl_test.h"

static int client, server;

static bool open_pair(void)
{
	struct sockaddr_in sa = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(sa);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	bool ok;

	client = socket(AF_INET, SOCK_STREAM, 0);
	ok = !bind(listener, (struct sockaddr *)&sa, sizeof(sa)) && !listen(listener, 1) &&
	     !getsockname(listener, (struct sockaddr *)&sa, &n) &&
	     !connect(client, (struct sockaddr *)&sa, sizeof(sa));
	server = accept(listener, NULL, NULL);
	close(listener);
	return ok && server >= 0;
}

static bool open_table(struct rill_table *t)
{
	struct rill_table_query q = RILL_TABLE_QUERY_INIT;

	q.want = RILL_WANT_KERNEL | RILL_WANT_TCP | RILL_WANT_OWNERS;
	return rill_table_read(&q, t) == 0;
}

/* The record of the descriptor @fd. */
static const struct rill_sock *record(const struct rill_table *t, int fd)
{
	uint64_t cookie = 0;
	socklen_t n = sizeof(cookie);

	getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &n);
	for (size_t i = 0; i < t->n; i++)
		if (t->sock[i].cookie == cookie && t->sock[i].nowners)
			return &t->sock[i];
	return NULL;
}

static int get(int fd, int level, int name)
{
	socklen_t n = sizeof(int);
	int v = -1;

	getsockopt(fd, level, name, &v, &n);
	return v;
}

/* Return: what is in @path, one file at a time. */
static const char *contents(const char *path)
{
	static char text[4096];
	FILE *f = fopen(path, "r");
	size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;

	text[n] = '\0';
	if (f)
		fclose(f);
	return text;
}

TEST(act_keepalive)
{
	struct rl_keepalive set = { .on = 1, .idle_s = 77, .interval_s = 7, .count = 3,
				    .user_timeout_ms = -1 };
	struct rl_keepalive before, now;
	char log[] = "/tmp/rill-act.XXXXXX";
	const struct rill_sock *s;
	struct rill_table t;
	struct rl_act *a;

	close(mkstemp(log));
	REQUIRE("sockets", open_pair());
	REQUIRE("table", open_table(&t));
	s = record(&t, client);
	if (!s)
		SKIP("no sock_diag here");
	a = rl_act_open(log, -1);
	REQUIRE("open", a);
	if (rl_act_keepalive(a, s, &set, &before, &now) == -EPERM)
		SKIP("pidfd_getfd is not permitted here");
	CHECK_EQ("was off", before.on, 0);
	CHECK_EQ("was idle", before.idle_s, get(server, SOL_TCP, TCP_KEEPIDLE));
	CHECK_EQ("is on", now.on, 1);
	CHECK_EQ("the socket's", get(client, SOL_SOCKET, SO_KEEPALIVE), 1);
	CHECK_EQ("idle", get(client, SOL_TCP, TCP_KEEPIDLE), 77);
	CHECK_EQ("interval", get(client, SOL_TCP, TCP_KEEPINTVL), 7);
	CHECK_EQ("count", get(client, SOL_TCP, TCP_KEEPCNT), 3);
	CHECK_EQ("left alone", get(client, SOL_TCP, TCP_USER_TIMEOUT), 0);
	CHECK_EQ("the other side", get(server, SOL_SOCKET, SO_KEEPALIVE), 0);
	CHECK("the log has was and is", strstr(contents(log), "keepalive was off") &&
	      strstr(contents(log), ", is on 77/7/3\n"));
	CHECK("and who", strstr(contents(log), "look_act,pid="));
	set = (struct rl_keepalive){ 0, -1, -1, -1, 9000 };
	CHECK_EQ("off again", rl_act_keepalive(a, s, &set, &before, &now), 0);
	CHECK_EQ("it was on", before.on, 1);
	CHECK_EQ("and is not", get(client, SOL_SOCKET, SO_KEEPALIVE), 0);
	CHECK_EQ("user timeout", get(client, SOL_TCP, TCP_USER_TIMEOUT), 9000);
	CHECK_EQ("idle stays", get(client, SOL_TCP, TCP_KEEPIDLE), 77);
	set = (struct rl_keepalive){ -1, 1 << 20, -1, -1, -1 };
	CHECK_EQ("out of range", rl_act_keepalive(a, s, &set, &before, &now), -EINVAL);
	rl_act_close(a);
	close(client);
	close(server);
	/* the descriptor is another socket now: not touched */
	client = socket(AF_INET, SOCK_STREAM, 0);
	a = rl_act_open(NULL, -1);
	set = (struct rl_keepalive){ 1, -1, -1, -1, -1 };
	CHECK_EQ("gone", rl_act_keepalive(a, s, &set, &before, &now), -ENOENT);
	CHECK_EQ("the new one is left alone", get(client, SOL_SOCKET, SO_KEEPALIVE), 0);
	rl_act_close(a);
	close(client);
	rill_table_free(&t);
	unlink(log);
}

TEST(act_kill)
{
	const struct rill_sock *s;
	struct rill_table t;
	struct rl_act *a;
	char byte;
	int r;

	REQUIRE("sockets", open_pair());
	REQUIRE("table", open_table(&t));
	s = record(&t, client);
	if (!s)
		SKIP("no sock_diag here");
	a = rl_act_open(NULL, -1);
	r = rl_act_kill(a, s);
	if (r == -EPERM || r == -EOPNOTSUPP)
		SKIP("SOCK_DESTROY is not permitted here");
	CHECK_EQ("ended", r, 0);
	CHECK("its line", strstr(rl_act_last(a), "kill tcp ESTAB 127.0.0.1:") &&
	      strstr(rl_act_last(a), ": done"));
	CHECK_EQ("its program", recv(client, &byte, 1, 0), -1);
	CHECK_EQ("is told", errno, ECONNABORTED);
	CHECK_EQ("its peer", recv(server, &byte, 1, 0), -1);
	CHECK_EQ("is reset", errno, ECONNRESET);
	CHECK_EQ("only once", rl_act_kill(a, s), -ENOENT);
	CHECK("and says so", strstr(rl_act_last(a), "failed, it is gone already"));
	rl_act_close(a);
	close(client);
	close(server);
	rill_table_free(&t);
}

TEST(act_without_a_stack)
{
	struct rl_keepalive set = { 1, -1, -1, -1, -1 }, before, now;
	struct rill_sock s = { .source = RILL_SRC_RILL, .proto = 6, .family = 4,
			       .state = RILL_ESTABLISHED, .stack = "nobody", .pid = 1 };
	struct rl_act *a;

	setenv("RILL_RUN_DIR", "/nonexistent", 1);
	a = rl_act_open(NULL, -1);
	CHECK_EQ("kill", rl_act_kill(a, &s), -EHOSTDOWN);
	CHECK_EQ("keepalive", rl_act_keepalive(a, &s, &set, &before, &now), -EHOSTDOWN);
	s.source = RILL_SRC_KERNEL;
	s.stack = "";
	s.state = RILL_TIME_WAIT;
	CHECK_EQ("nobody's", rl_act_keepalive(a, &s, &set, &before, &now), -EBADF);
	CHECK("is said to be the kernel's", strstr(rl_act_last(a), "only the kernel's own"));
	s.proto = 17;
	CHECK_EQ("UDP", rl_act_keepalive(a, &s, &set, &before, &now), -EPROTONOSUPPORT);
	rl_act_close(a);
	CHECK("no log", !rl_act_open("/nonexistent/log", -1));
}
