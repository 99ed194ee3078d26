/* SPDX-License-Identifier: MIT */
/*
 * One HTTP request and its response on a non-blocking Rill descriptor.  While
 * an upload is under way the other direction is watched, so that a refusal
 * ends it at once.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "run/ctl.h"
#include "tools/get.h"
#include "tools/net.h"
#include "tools/out.h"

int64_t get_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static int fail(const char *what, int err)
{
	complain("get: %s: %s", what, strerror(err));
	return EXIT_FAILED;
}

/* Bytes so far, on one line of the terminal. */
static void progress(struct get *g)
{
	int64_t now = get_now_ns();
	uint64_t n = g->received ? g->received : g->sent;
	char text[32];

	if (g->quiet || g->verbose || now - g->shown_ns < 200000000 || !isatty(2) ||
	    (isatty(1) && !g->output))
		return;
	g->shown_ns = now;
	fprintf(stderr, "\r%s, %.2f Gbit/s ", out_bytes(n, text, sizeof(text)),
		8 * (double)n / (double)(now - g->start_ns));
}

static void show_head(const struct get *g, char mark, const char *p, size_t n)
{
	while (g->verbose && n) {
		const char *nl = memchr(p, '\n', n);
		size_t line = nl ? (size_t)(nl - p) : n;

		fprintf(stderr, "%c ", mark);
		for (size_t i = 0; i < line; i++)
			if ((unsigned char)p[i] >= ' ' && p[i] != 0x7f)
				fputc(p[i], stderr);
		fputc('\n', stderr);
		n -= line + (nl != NULL);
		p += line + (nl != NULL);
	}
}

/* ---- sending ---- */

/* All of it.  Return: 0 or -errno. */
static int send_all(struct get *g, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t r = rill_send(g->fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (r == -EAGAIN) {
			r = net_wait(g->fd, POLLOUT, g->timeout_ms);
			if (r == 0)
				return -ETIMEDOUT;
			if (r > 0 || r == -EINTR)
				continue;
		}
		if (r < 0)
			return (int)r;
		p += r;
		n -= (size_t)r;
	}
	return 0;
}

static int send_head(struct get *g)
{
	char head[HTTP_TARGET_MAX + 1024], extra[160] = "";
	int n;

	if (g->range)
		snprintf(extra, sizeof(extra), "Range: bytes=%s\r\n", g->range);
	else if (g->upload && g->in_size == UINT64_MAX)
		snprintf(extra, sizeof(extra), "Transfer-Encoding: chunked\r\n");
	else if (g->upload)
		snprintf(extra, sizeof(extra), "Content-Length: %" PRIu64 "\r\n", g->in_size);
	n = snprintf(head, sizeof(head), "%s %s HTTP/1.1\r\nHost: %s\r\n"
		     "User-Agent: rill/" RILL_VERSION "\r\nAccept: */*\r\n"
		     "Connection: close\r\n%s\r\n", g->upload ? "PUT" : "GET", g->url.path,
		     g->url.authority, extra);
	show_head(g, '>', head, (size_t)n);
	return send_all(g, head, (size_t)n);
}

/* Something of the response is here.  Return: whether it is a final one. */
static bool answered(struct get *g)
{
	struct http_head h;
	ssize_t n;

	if (g->head_len == sizeof(g->head))
		return true;
	n = rill_recv(g->fd, g->head + g->head_len, sizeof(g->head) - g->head_len,
		      MSG_DONTWAIT);
	if (n == -EAGAIN || n == -EINTR)
		return false;
	if (n <= 0) {
		g->eof = true;
		return true;
	}
	g->head_len += (size_t)n;
	n = http_parse_response(g->head, g->head_len, &h);
	return n < 0 || (n > 0 && h.status >= 200);
}

/* One piece, with its chunk frame where there is one. */
static int send_piece(struct get *g, size_t n)
{
	char frame[32];
	int len, r;

	if (g->in_size != UINT64_MAX)
		return send_all(g, g->buf, n);
	len = snprintf(frame, sizeof(frame), "%zx\r\n", n);
	r = send_all(g, frame, (size_t)len);
	if (r == 0)
		r = send_all(g, g->buf, n);
	return r < 0 ? r : send_all(g, "\r\n", 2);
}

/* Return: 0 done or cut short by a response, -errno; -EIO said already. */
static int send_body(struct get *g)
{
	for (;;) {
		int r = net_wait(g->fd, POLLIN | POLLOUT, g->timeout_ms);
		ssize_t n;

		if (r == -EINTR)
			continue;
		if (r <= 0)
			return r ? r : -ETIMEDOUT;
		if ((r & POLLIN) && answered(g))
			return 0;
		if (!(r & POLLOUT))
			continue;
		n = read(g->in, g->buf, GET_BUF);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			fail(g->upload, errno);
			return -EIO;
		}
		if (n == 0)
			break;
		if (g->in_size != UINT64_MAX && g->sent + (uint64_t)n > g->in_size)
			n = (ssize_t)(g->in_size - g->sent);	/* it grew */
		if (n == 0)
			break;
		sha256_add(&g->sha, g->buf, g->want_sha ? (size_t)n : 0);
		r = send_piece(g, (size_t)n);
		if (r < 0)
			return r;
		g->sent += (uint64_t)n;
		progress(g);
	}
	if (g->in_size == UINT64_MAX)
		return send_all(g, "0\r\n\r\n", 5);
	if (g->sent == g->in_size)
		return 0;
	complain("get: %s became shorter while it was sent", g->upload);
	return -EIO;
}

/* ---- receiving ---- */

/* Return: bytes, 0 at the end, -errno. */
static ssize_t receive(struct get *g, char *p, size_t n)
{
	for (;;) {
		ssize_t r = rill_recv(g->fd, p, n, MSG_DONTWAIT);

		if (r == -EINTR)
			continue;
		if (r != -EAGAIN)
			return r;
		r = net_wait(g->fd, POLLIN, g->timeout_ms);
		if (r == 0)
			return -ETIMEDOUT;
		if (r < 0 && r != -EINTR)
			return r;
	}
}

/* The final head; what came behind it stays in @g->head.  Return: 0 or status. */
static int receive_head(struct get *g, struct http_head *h)
{
	for (;;) {
		int r = http_parse_response(g->head, g->head_len, h);
		ssize_t n;

		if (r < 0) {
			complain("get: the answer is not HTTP/1.x");
			return EXIT_FAILED;
		}
		if (r > 0) {
			show_head(g, '<', g->head, (size_t)r);
			g->head_len -= (size_t)r;
			if (h->status >= 200) {
				g->status = h->status;
				/* strings of @h are not used behind this */
				if (h->location.p)
					fprintf(stderr, "rill: moved to %.*s (not followed)\n",
						(int)h->location.n, h->location.p);
				memmove(g->head, g->head + r, g->head_len);
				return 0;
			}
			memmove(g->head, g->head + r, g->head_len);
			continue;			/* 1xx: the next one */
		}
		n = g->eof ? 0 : receive(g, g->head + g->head_len,
					 sizeof(g->head) - g->head_len);
		if (n < 0)
			return fail("no answer", (int)-n);
		if (n == 0) {
			complain("get: the server closed the connection without an answer");
			return EXIT_FAILED;
		}
		g->head_len += (size_t)n;
	}
}

/* The file is made when there is something to put into it. */
static int open_output(struct get *g)
{
	if (g->status >= 400)
		return 0;			/* an error page is not the file */
	g->out = g->output ? open(g->output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)
			   : STDOUT_FILENO;
	return g->out < 0 ? fail(g->output, errno) : 0;
}

static int put_data(struct get *g, const char *p, size_t n)
{
	g->received += n;
	if (g->out < 0)
		return 0;
	if (g->want_sha && !g->upload)
		sha256_add(&g->sha, p, n);
	while (n > 0) {
		ssize_t w = write(g->out, p, n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0 && errno == EPIPE)
			return EXIT_FAILED;	/* the reader has seen enough */
		if (w < 0)
			return fail(g->output ? g->output : "standard output", errno);
		p += w;
		n -= (size_t)w;
	}
	return 0;
}

struct body {
	bool			chunked, until_close;
	uint64_t		left;
	struct http_chunked	ck;
	bool			done;
};

static int chunks(struct get *g, struct body *b, const char *p, size_t n)
{
	struct http_str data;
	size_t used;
	int r;

	for (;;) {
		switch (http_chunk_next(&b->ck, p, n, &used, &data)) {
		case HTTP_CHUNK_BAD:
			complain("get: the server sent malformed chunks");
			return EXIT_FAILED;
		case HTTP_CHUNK_END:
			b->done = true;
			return 0;
		case HTTP_CHUNK_MORE:
			return 0;
		case HTTP_CHUNK_DATA:
			r = put_data(g, data.p, data.n);
			if (r)
				return r;
			break;
		}
		p += used;
		n -= used;
	}
}

static int body_data(struct get *g, struct body *b, const char *p, size_t n)
{
	int r;

	if (b->chunked)
		return chunks(g, b, p, n);
	if (!b->until_close && n > b->left)
		n = (size_t)b->left;
	r = put_data(g, p, n);
	if (!b->until_close) {
		b->left -= n;
		b->done = b->left == 0;
	}
	return r;
}

static int receive_body(struct get *g, const struct http_head *h)
{
	struct body b = { .chunked = h->chunked,
			  .until_close = !h->chunked && h->length < 0,
			  .left = h->length > 0 ? (uint64_t)h->length : 0 };
	int r = body_data(g, &b, g->head, g->head_len);

	b.done = b.done || (!b.chunked && !b.until_close && !b.left) ||
		 g->status == 204 || g->status == 304;
	while (r == 0 && !b.done) {
		ssize_t n = receive(g, g->buf, GET_BUF);

		if (n < 0)
			return fail("connection broken", (int)-n);
		if (n == 0) {
			if (b.until_close)
				return 0;
			complain("get: the connection was closed before the end: %" PRIu64
				 " bytes came", g->received);
			return EXIT_FAILED;
		}
		r = body_data(g, &b, g->buf, (size_t)n);
		progress(g);
	}
	return r;
}

int get_exchange(struct get *g)
{
	struct http_head h;
	int r = send_head(g);

	if (r == 0 && g->upload)
		r = send_body(g);
	if (r == -EIO)
		return EXIT_FAILED;
	/* after an error there may still be an answer that explains it */
	if (r < 0 && !answered(g) && !g->head_len)
		return fail("sending", -r);
	if (r < 0 && g->eof)
		return fail("sending", -r);
	r = receive_head(g, &h);
	if (r == 0)
		r = open_output(g);
	if (r == 0)
		r = receive_body(g, &h);
	return r;
}
