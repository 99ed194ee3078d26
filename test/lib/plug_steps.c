// SPDX-License-Identifier: MIT
/* Steps that the tests of the plug-in share: see plug_steps.h. */
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "plug_steps.h"

void step_nonblock(struct tool *t, int fd)
{
	CHECK_EQ("F_SETFL", CALL(t, fcntl, fd, F_SETFL, O_RDWR | O_NONBLOCK), 0);
}

void step_block(struct tool *t, int fd)
{
	CHECK_EQ("F_SETFL", CALL(t, fcntl, fd, F_SETFL, O_RDWR), 0);
}

int step_listener(struct tool *t, int domain)
{
	struct sockaddr_storage a;
	socklen_t n = tool_addr(t, domain, false, &a);
	int fd = CALL(t, socket, domain, SOCK_STREAM, IPPROTO_TCP);

	CHECK("socket", fd >= 0);
	CHECK_EQ("bind", CALL(t, bind, fd, (struct sockaddr *)&a, n), 0);
	CHECK_EQ("listen", CALL(t, listen, fd, 5), 0);
	step_nonblock(t, fd);
	return fd;
}

void step_in_syn(struct tool *t)
{
	struct seg s = {
		.flags = SYN, .seq = ISN, .win = 65535, .nopts = 4,
		.opts = { 2, 4, 1000 >> 8, 1000 & 0xff },
	};

	CHECK_EQ("a SYN enters", tool_in(t, &s), 0);
}

void step_in_data(struct tool *t, uint32_t seq, uint32_t ack, size_t len)
{
	struct seg s = {
		.flags = ACK | (len ? PSH : 0), .seq = seq, .ack = ack, .win = 65535, .len = len,
	};

	CHECK_EQ("a segment enters", tool_in(t, &s), 0);
}

uint32_t step_synack(struct tool *t, struct seg *s)
{
	CHECK("a SYN-ACK leaves", tool_out(t, s));
	CHECK_EQ("its flags", s->flags, SYN | ACK);
	CHECK_UEQ("its ack", s->ack, ISN + 1);
	return s->seq;
}

int step_accepted(struct tool *t, int lfd, uint32_t *iss)
{
	struct seg s = { 0 };
	int fd;

	step_in_syn(t);
	*iss = step_synack(t, &s);
	step_in_data(t, ISN + 1, *iss + 1, 0);
	fd = CALL(t, accept, lfd, NULL, NULL);
	CHECK("accept", fd >= 0);
	return fd;
}

bool step_seg(struct tool *t, const char *label, struct seg *s, uint8_t flags,
	      uint32_t seq, uint32_t ack, size_t len)
{
	if (!CHECK(label, tool_out(t, s)))
		return false;
	CHECK_EQ(rl_label("%s: flags", label), s->flags, flags);
	CHECK_UEQ(rl_label("%s: seq", label), s->seq, seq);
	CHECK_UEQ(rl_label("%s: ack", label), s->ack, ack);
	CHECK_EQ(rl_label("%s: length", label), s->len, len);
	return true;
}

void step_silent(struct tool *t, const char *label)
{
	long long at_us;
	static uint8_t buf[65536];
	size_t n = sizeof(buf);

	CHECK_EQ(label, CALL(t, netdev_receive, buf, &n, &at_us), 0);
	CHECK_EQ(label, n, 0);
}

static FILE *said_file;
static int said_err;

void step_listen_to_stderr(void)
{
	said_file = tmpfile();
	if (!said_file)
		abort();
	fflush(stderr);
	said_err = dup(2);
	dup2(fileno(said_file), 2);
}

const char *step_heard_from_stderr(void)
{
	static char said[400];
	ssize_t r;

	dup2(said_err, 2);
	close(said_err);
	r = pread(fileno(said_file), said, sizeof(said) - 1, 0);
	said[r > 0 ? r : 0] = 0;
	fclose(said_file);
	return said;
}
