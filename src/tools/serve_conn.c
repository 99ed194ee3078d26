/* SPDX-License-Identifier: MIT */
/*
 * The connections of `rill serve`: a small state machine each (enum hstate),
 * driven by rill_epoll.  An idle connection owns no buffer.  A connection that
 * sends is not read from, so a client that never reads holds one response.
 *
 * Invariant: a connection is freed only while its own event is handled, or by
 * serve_sweep() and serve_stop(), which run between batches of events.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "tools/serve.h"

#define IN_FIRST	4096
#define ROUNDS		8		/* receives for one event: others wait too */
#define ACCEPTS		64
#define HEAD_MS		30000		/* for a request's head, from its first byte */
#define LINGER_MS	5000

/* ---- list, birth and death ---- */

static void unlink_conn(struct hconn *c)
{
	c->prev->next = c->next;
	c->next->prev = c->prev;
}

static void touch(struct server *s, struct hconn *c)
{
	c->active_ms = s->now_ms;
	unlink_conn(c);
	c->prev = s->lru.prev;
	c->next = &s->lru;
	s->lru.prev->next = c;
	s->lru.prev = c;
}

bool serve_watch(struct server *s, struct hconn *c, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = c };

	if (c->events == events)
		return true;
	c->events = events;
	return rill_epoll_ctl(s->ep, EPOLL_CTL_MOD, c->fd, &ev) == 0;
}

static void free_response(struct hconn *c)
{
	free(c->out);
	c->out = NULL;
	c->out_len = c->out_off = 0;
	if (c->map)
		munmap(c->map, c->map_len);
	c->map = NULL;
	c->map_len = c->body_off = c->body_end = 0;
	free(c->log);
	c->log = NULL;
}

static void watch_listener(struct server *s, bool on)
{
	struct epoll_event ev = { .events = on ? EPOLLIN : 0, .data.ptr = s };

	if (s->listener >= 0 && s->listener_off == on &&
	    rill_epoll_ctl(s->ep, EPOLL_CTL_MOD, s->listener, &ev) == 0)
		s->listener_off = !on;
}

void serve_close(struct server *s, struct hconn *c)
{
	serve_put_abort(c);
	free_response(c);
	free(c->in);
	unlink_conn(c);
	rill_close(c->fd);
	free(c);
	s->nconns--;
	watch_listener(s, true);
}

static bool add_conn(struct server *s, int fd)
{
	struct hconn *c = calloc(1, sizeof(*c));
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = c };
	int one = 1;

	if (!c)
		return false;
	c->fd = fd;
	c->events = EPOLLIN;
	c->active_ms = c->since_ms = s->now_ms;
	if (rill_epoll_ctl(s->ep, EPOLL_CTL_ADD, fd, &ev) < 0) {
		free(c);
		return false;
	}
	/* every write is a whole response or a big piece of one */
	rill_setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	c->prev = c->next = c;
	s->nconns++;
	touch(s, c);
	return true;
}

void serve_accept(struct server *s)
{
	for (int i = 0; i < ACCEPTS && s->listener >= 0; i++) {
		int fd = rill_accept4(s->listener, NULL, NULL, SOCK_NONBLOCK);

		if (fd == -EMFILE || fd == -ENFILE || fd == -ENOMEM || fd == -ENOBUFS) {
			watch_listener(s, false);	/* until one is closed */
			return;
		}
		if (fd == -ECONNABORTED || fd == -EINTR)
			continue;
		if (fd < 0)
			return;
		if (!add_conn(s, fd)) {
			rill_close(fd);
			continue;
		}
		if (s->once && ++s->accepted >= s->once)
			serve_stop(s);
	}
}

/* ---- the access log ---- */

static void put_peer(int fd)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	char text[INET6_ADDRSTRLEN] = "?";
	const struct sockaddr_in6 *s6 = (const void *)&ss;
	const struct sockaddr_in *s4 = (const void *)&ss;

	if (rill_getpeername(fd, (struct sockaddr *)&ss, &len) < 0)
		printf("-");
	else if (ss.ss_family == AF_INET)
		printf("%s:%u", inet_ntop(AF_INET, &s4->sin_addr, text, sizeof(text)),
		       ntohs(s4->sin_port));
	else if (IN6_IS_ADDR_V4MAPPED(&s6->sin6_addr))
		printf("%s:%u", inet_ntop(AF_INET, &s6->sin6_addr.s6_addr[12], text,
					  sizeof(text)), ntohs(s6->sin6_port));
	else
		printf("[%s]:%u", inet_ntop(AF_INET6, &s6->sin6_addr, text, sizeof(text)),
		       ntohs(s6->sin6_port));
}

static void log_access(struct server *s, struct hconn *c)
{
	if (!s->verbose)
		return;
	put_peer(c->fd);
	printf(" \"");
	for (const char *p = c->log ? c->log : "-"; *p; p++) {
		unsigned char ch = (unsigned char)*p;

		if (isprint(ch) && ch != '"' && ch != '\\')
			putchar(ch);
		else
			printf("\\x%02x", ch);
	}
	printf("\" %d %llu\n", c->status, (unsigned long long)c->sent);
	fflush(stdout);
}

/* ---- sending ---- */

static void advance(struct hconn *c, size_t n)
{
	size_t head = c->out_len - c->out_off;

	if (n < head) {
		c->out_off += n;
		return;
	}
	c->out_off = c->out_len;
	c->body_off += n - head;
}

/* Return: 1 all is sent, 0 no room at the moment, -errno. */
static int push(struct hconn *c)
{
	while (c->out_off < c->out_len || c->body_off < c->body_end) {
		struct iovec iov[2];
		size_t left = c->body_end - c->body_off;
		int n = 0;
		ssize_t r;

		if (c->out_off < c->out_len)
			iov[n++] = (struct iovec){ c->out + c->out_off,
						   c->out_len - c->out_off };
		if (left)
			iov[n++] = (struct iovec){ c->map + c->body_off,
						   left < SERVE_PIECE ? left : SERVE_PIECE };
		r = serve_guarded_writev(c, iov, n);
		if (r == -EAGAIN || r == -EINTR)
			return 0;
		if (r < 0)
			return (int)r;
		advance(c, (size_t)r);
	}
	return 1;
}

/* RST instead of FIN: what was sent is not what was promised. */
static void reset(struct server *s, struct hconn *c)
{
	struct linger now = { .l_onoff = 1, .l_linger = 0 };

	rill_setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	serve_close(s, c);
}

/* The response is out.  Return: false when the connection is gone. */
static bool finish_response(struct server *s, struct hconn *c)
{
	bool linger = c->unread || c->in_len > 0;

	log_access(s, c);
	free_response(c);
	if (c->keep && !s->stopping) {
		c->state = HC_HEAD;
		c->since_ms = s->now_ms;
		return true;
	}
	if (!linger || c->eof || rill_shutdown(c->fd, SHUT_WR) < 0) {
		serve_close(s, c);
		return false;
	}
	c->state = HC_LINGER;		/* closing now would reset what we sent */
	c->since_ms = s->now_ms;
	c->in_len = 0;
	if (serve_watch(s, c, EPOLLIN))
		return true;
	serve_close(s, c);
	return false;
}

/* Return: 1 a next request can be looked at, 0 waiting, -1 connection gone. */
static int send_response(struct server *s, struct hconn *c)
{
	int r = push(c);

	if (r == 0) {
		if (serve_watch(s, c, EPOLLOUT))
			return 0;
		r = -ENOMEM;
	}
	if (r < 0) {
		if (r == -EIO)
			reset(s, c);
		else
			serve_close(s, c);
		return -1;
	}
	if (!finish_response(s, c))
		return -1;
	return c->state == HC_HEAD ? 1 : 0;
}

/* ---- requests out of the buffer ---- */

static void use_input(struct hconn *c, size_t n)
{
	c->in_len -= n;
	if (c->in_len) {
		memmove(c->in, c->in + n, c->in_len);
		return;
	}
	free(c->in);			/* an idle connection owns no buffer */
	c->in = NULL;
	c->in_cap = 0;
}

/* Body bytes that came with the head.  Return: as serve_put_data(). */
static int body_from_input(struct hconn *c)
{
	size_t used = 0;
	int r = serve_put_data(c, c->in, c->in_len, &used);

	if (c->in_len)
		use_input(c, used);
	return r;
}

/* After body data: answer when the body is over or bad.  Return: true then. */
static bool body_done(struct server *s, struct hconn *c, int r)
{
	if (r == 0)
		return false;
	if (r > 0) {
		serve_put_end(s, c);
		return true;
	}
	serve_put_abort(c);
	c->unread = true;
	serve_error(s, c, -r);
	return true;
}

static void say_continue(struct hconn *c)
{
	static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";

	/* a new response on an empty queue: it fits, and is only a courtesy */
	(void)!rill_send(c->fd, text, sizeof(text) - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* Take one request.  Return: false when more input is needed first. */
static bool take_request(struct server *s, struct hconn *c)
{
	struct http_head h;
	int r = c->in_len ? http_parse_request(c->in, c->in_len, &h) : 0;

	if (r == 0)
		return false;
	if (r < 0) {
		c->keep = false;
		c->unread = true;
		serve_error(s, c, -r);
		return true;
	}
	serve_request(s, c, &h);
	if (c->state == HC_BODY && h.expect_continue && h.minor >= 1 &&
	    c->in_len == (size_t)r)
		say_continue(c);
	use_input(c, (size_t)r);
	if (c->state == HC_BODY && !body_done(s, c, body_from_input(c)))
		return serve_watch(s, c, EPOLLIN) && false;
	return true;
}

/*
 * As far as the input goes: each round uses some of it up, or ends.
 * Return: false when the connection is gone.
 */
static bool go_on(struct server *s, struct hconn *c)
{
	for (;;) {
		int r;

		if (c->state == HC_HEAD && !take_request(s, c))
			break;
		if (c->state != HC_SEND)
			return true;
		r = send_response(s, c);
		if (r <= 0)
			return r == 0;
	}
	if (c->state != HC_HEAD)
		return true;
	if (c->eof) {				/* and nothing more to answer */
		serve_close(s, c);
		return false;
	}
	if (serve_watch(s, c, EPOLLIN))
		return true;
	serve_close(s, c);
	return false;
}

/* ---- receiving ---- */

static bool grow_input(struct hconn *c)
{
	size_t cap = c->in_cap ? c->in_cap * 2 : IN_FIRST;
	char *p;

	if (c->in_len < c->in_cap)
		return true;
	if (c->in_cap >= HTTP_HEAD_MAX)
		return false;
	p = realloc(c->in, cap);
	if (!p)
		return false;
	c->in = p;
	c->in_cap = cap;
	return true;
}

/* Return: true when there is something new, or the end. */
static bool receive(struct server *s, struct hconn *c)
{
	ssize_t n;

	if (!c->in_len)
		c->since_ms = s->now_ms;
	if (!grow_input(c))
		return false;
	n = rill_recv(c->fd, c->in + c->in_len, c->in_cap - c->in_len, MSG_DONTWAIT);
	if (n > 0)
		c->in_len += (size_t)n;
	else if (n == -EAGAIN || n == -EINTR)
		return false;
	else
		c->eof = true;
	return true;
}

static bool on_head(struct server *s, struct hconn *c)
{
	if (!receive(s, c)) {
		if (c->in_len)
			return true;
		use_input(c, 0);
		return true;
	}
	if (c->eof && !c->in_len) {
		serve_close(s, c);
		return false;
	}
	if (!go_on(s, c))
		return false;
	if (c->state == HC_HEAD && c->in_len && s->now_ms - c->since_ms > HEAD_MS) {
		c->keep = false;
		c->unread = true;
		serve_error(s, c, 408);
		return go_on(s, c);
	}
	return true;
}

/* What may be received at once: with chunks nobody knows where the body ends,
 * and what follows it must fit the connection's own buffer. */
static size_t body_piece(const struct hconn *c)
{
	if (c->up->chunked)
		return HTTP_HEAD_MAX;
	return c->up->left < SERVE_RECV ? (size_t)c->up->left : SERVE_RECV;
}

static bool keep_rest(struct hconn *c, const char *p, size_t n)
{
	if (!n)
		return true;
	c->in = malloc(HTTP_HEAD_MAX);
	if (!c->in)
		return false;
	c->in_cap = HTTP_HEAD_MAX;
	memcpy(c->in, p, n);
	c->in_len = n;
	return true;
}

static bool on_body(struct server *s, struct hconn *c)
{
	for (int i = 0; i < ROUNDS; i++) {
		ssize_t n = rill_recv(c->fd, s->buf, body_piece(c), MSG_DONTWAIT);
		size_t used;
		int r;

		if (n == -EAGAIN || n == -EINTR)
			return true;
		if (n <= 0) {			/* broken off */
			serve_close(s, c);
			return false;
		}
		r = serve_put_data(c, s->buf, (size_t)n, &used);
		if (r > 0 && !keep_rest(c, s->buf + used, (size_t)n - used))
			r = -503;
		if (body_done(s, c, r))
			return go_on(s, c);
	}
	return true;
}

static void on_linger(struct server *s, struct hconn *c)
{
	for (int i = 0; i < ROUNDS; i++) {
		ssize_t n = rill_recv(c->fd, s->buf, SERVE_RECV, MSG_DONTWAIT);

		if (n == -EAGAIN && s->now_ms - c->since_ms < LINGER_MS)
			return;
		if (n <= 0 || s->now_ms - c->since_ms >= LINGER_MS) {
			serve_close(s, c);
			return;
		}
	}
}

void serve_event(struct server *s, struct hconn *c, uint32_t events)
{
	touch(s, c);
	if (c->state == HC_SEND && (events & (EPOLLERR | EPOLLHUP))) {
		serve_close(s, c);
		return;
	}
	switch (c->state) {
	case HC_HEAD:
		on_head(s, c);
		return;
	case HC_BODY:
		on_body(s, c);
		return;
	case HC_SEND:
		go_on(s, c);
		return;
	case HC_LINGER:
		on_linger(s, c);
		return;
	}
}

/* ---- time and the end ---- */

void serve_sweep(struct server *s)
{
	while (s->lru.next != &s->lru) {
		struct hconn *c = s->lru.next;
		int limit = c->state == HC_LINGER ? LINGER_MS : s->idle_ms;

		if (s->now_ms - c->active_ms < limit)
			return;
		serve_close(s, c);
	}
}

void serve_stop(struct server *s)
{
	struct hconn *c, *next;

	if (s->listener >= 0)
		rill_close(s->listener);
	s->listener = -1;
	if (s->once && s->accepted >= s->once)
		return;			/* those there are may still ask */
	s->stopping = true;
	for (c = s->lru.next; c != &s->lru; c = next) {
		next = c->next;
		if (c->state == HC_HEAD && !c->in_len)
			serve_close(s, c);
		else
			c->keep = false;
	}
}
