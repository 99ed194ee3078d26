// SPDX-License-Identifier: MIT
/*
 * Dialling, listening, and streams.  Every 4 KiB of a stream begin with their
 * offset; the receiver checks each of these words and the total, which it sends
 * back for the sender to compare.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

#define LOOK_EVERY	16		/* blocks between two looks at the clock */

static void set_int(const struct net *net, int fd, int level, int name, int v)
{
	bench_must("setsockopt", net->setsockopt(fd, level, name, &v, sizeof(v)));
}

/* As programs do: TCP_NODELAY for small messages, not for bulk. */
static void tune(const struct net *net, const struct opt *o, int fd)
{
	if (strcmp(o->test, "stream"))
		set_int(net, fd, IPPROTO_TCP, TCP_NODELAY, 1);
	if (!o->bufsize)
		return;
	set_int(net, fd, SOL_SOCKET, SO_SNDBUF, (int)o->bufsize);
	set_int(net, fd, SOL_SOCKET, SO_RCVBUF, (int)o->bufsize);
}

int bench_dial(const struct net *net, const struct opt *o, int port, bool wait)
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int fd = (int)bench_must("socket", net->socket()), r;

	if (inet_pton(AF_INET, o->host, &sa.sin_addr) != 1)
		bench_must(o->host, -EINVAL);
	tune(net, o, fd);
	if (!wait)
		bench_must("nonblock", net->nonblock(fd));
	r = net->connect(fd, (struct sockaddr *)&sa, sizeof(sa));
	if (wait || r != -EINPROGRESS)
		bench_must("connect", r);
	return fd;
}

int bench_listen(const struct net *net, const struct opt *o, int port)
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int fd = (int)bench_must("socket", net->socket());

	set_int(net, fd, SOL_SOCKET, SO_REUSEADDR, 1);
	tune(net, o, fd);
	bench_must("bind", net->bind(fd, (struct sockaddr *)&sa, sizeof(sa)));
	bench_must("listen", net->listen(fd, 4096));
	return fd;
}

bool bench_send_all(const struct net *net, int fd, const void *buf, size_t n)
{
	for (size_t done = 0; done < n;) {
		ssize_t v = net->write(fd, (const char *)buf + done, n - done);

		if (v == -EPIPE || v == -ECONNRESET)
			return false;
		done += (size_t)bench_must("write", v);
	}
	return true;
}

bool bench_recv_all(const struct net *net, int fd, void *buf, size_t n)
{
	for (size_t done = 0; done < n;) {
		ssize_t v = net->read(fd, (char *)buf + done, n - done);

		if (v == 0 || v == -ECONNRESET)
			return false;
		done += (size_t)bench_must("read", v);
	}
	return true;
}

static void *block_new(size_t n)
{
	void *p = aligned_alloc(4096, (n + 4095) & ~(size_t)4095);

	if (!p)
		bench_must("a block", -ENOMEM);
	memset(p, 'r', n);
	return p;
}

void bench_pour(const struct net *net, const struct opt *o, int fd)
{
	uint8_t *buf = block_new(o->block);
	double end = bench_now() + o->warm + o->seconds;
	uint64_t sent = 0, got;

	for (unsigned i = 1; i % LOOK_EVERY || bench_now() < end; i++) {
		bench_mark(buf, o->block, sent);
		if (!bench_send_all(net, fd, buf, o->block))
			bench_must("stream", -ECONNRESET);
		sent += o->block;
	}
	bench_must("shutdown", net->shutdown(fd, SHUT_WR));
	if (!bench_recv_all(net, fd, &got, sizeof(got)) || got != sent)
		bench_must("the receiver's count", -EIO);
	free(buf);
}

double bench_drink(const struct net *net, const struct opt *o, int fd, struct lap *l)
{
	uint8_t *buf = block_new(o->block);
	uint64_t total = 0, at_begin = 0;
	double begin = bench_now() + o->warm;
	bool warm = false;
	ssize_t v;

	bench_lap_begin(l);
	for (unsigned i = 1; (v = net->read(fd, buf, o->block)) > 0; i++) {
		bench_check_marks(buf, (size_t)v, total);
		total += (uint64_t)v;
		if (!warm && i % LOOK_EVERY == 0 && bench_now() >= begin) {
			warm = true;
			at_begin = total;
			bench_lap_begin(l);
		}
	}
	bench_lap_end(l);
	bench_must("read", v);
	bench_send_all(net, fd, &total, sizeof(total));
	free(buf);
	return (double)(total - at_begin);
}
