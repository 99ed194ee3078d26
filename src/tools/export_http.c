/* SPDX-License-Identifier: MIT */
/*
 * The HTTP server of `rill export`: one poll loop, nothing in it waits for a client.
 * Each has a buffer, a deadline and a limit; when all places are taken the one that is
 * there longest makes room.  A text is used again for a moment, so that a crowd of
 * requests costs one reading.
 */
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tools/cmd.h"
#include "tools/export.h"
#include "tools/out.h"

#define CLIENTS_MAX	64
#define REQUEST_MAX	4096
#define REQUEST_MS	10000		/* for the whole request */
#define ANSWER_MS	30000		/* and for the whole answer */
#define FRESH_MS	200

struct client {
	int		fd;		/* -1: a free place */
	int64_t		since_ms, until_ms;
	char		in[REQUEST_MAX];
	size_t		n;
	struct prom	out;
	size_t		sent;
	bool		answering, draining;
};

static struct client clients[CLIENTS_MAX];
static volatile sig_atomic_t stopped;

static void on_signal(int sig)
{
	(void)sig;
	stopped = 1;
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

/* ---- answers ---- */

static void put_header(struct prom *t, const char *status, const char *type, size_t n)
{
	prom_put(t, "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
		 "Connection: close\r\n%s\r\n", status, type, n,
		 !strncmp(status, "405", 3) ? "Allow: GET, HEAD\r\n" : "");
}

static void put_short(struct prom *t, const char *status, bool head)
{
	put_header(t, status, "text/plain", strlen(status) + 1);
	if (!head)
		prom_put(t, "%s\n", status);
}

static bool put_metrics(struct prom *t, bool head)
{
	static struct prom text;
	static int64_t made_ms = -FRESH_MS;

	if (now_ms() - made_ms >= FRESH_MS || text.bad) {
		if (!export_text(&text))
			return false;
		made_ms = now_ms();
	}
	put_header(t, "200 OK", "text/plain; version=0.0.4; charset=utf-8", text.n);
	if (!head)
		prom_put(t, "%s", text.p);
	return true;
}

static void put_index(struct prom *t, bool head)
{
	static const char page[] = "<!DOCTYPE html><title>rill export</title>"
				   "<p><a href=\"/metrics\">/metrics</a></p>\n";

	put_header(t, "200 OK", "text/html; charset=utf-8", sizeof(page) - 1);
	if (!head)
		prom_put(t, "%s", page);
}

/* "GET /metrics?x HTTP/1.1" */
bool export_answer(struct prom *t, const char *request, size_t n)
{
	char line[512], *save = NULL, *method, *path, *version;
	size_t len = 0;
	bool head;

	while (len < n && request[len] != '\r' && request[len] != '\n')
		len++;
	if (len >= sizeof(line) || memchr(request, '\0', len)) {
		put_short(t, "400 Bad Request", false);
		return !t->bad;
	}
	memcpy(line, request, len);
	line[len] = '\0';
	method = strtok_r(line, " ", &save);
	path = strtok_r(NULL, " ", &save);
	version = strtok_r(NULL, " ", &save);
	if (!version || strncmp(version, "HTTP/1.", 7) != 0 || strtok_r(NULL, " ", &save)) {
		put_short(t, "400 Bad Request", false);
		return !t->bad;
	}
	head = !strcmp(method, "HEAD");
	path[strcspn(path, "?")] = '\0';
	if (!head && strcmp(method, "GET") != 0)
		put_short(t, "405 Method Not Allowed", false);
	else if (!strcmp(path, "/metrics"))
		return put_metrics(t, head) && !t->bad;
	else if (!strcmp(path, "/"))
		put_index(t, head);
	else
		put_short(t, "404 Not Found", head);
	return !t->bad;
}

/* ---- clients ---- */

static void drop(struct client *c)
{
	close(c->fd);
	prom_free(&c->out);
	c->fd = -1;
}

static bool request_is_whole(const struct client *c)
{
	return memmem(c->in, c->n, "\r\n\r\n", 4) || memmem(c->in, c->n, "\n\n", 2);
}

static void begin_answer(struct client *c)
{
	c->answering = true;
	c->until_ms = now_ms() + ANSWER_MS;
	if (c->n == REQUEST_MAX && !request_is_whole(c))
		put_short(&c->out, "431 Request Header Fields Too Large", false);
	else if (!export_answer(&c->out, c->in, c->n))
		drop(c);
}

static void on_writable(struct client *c)
{
	ssize_t w = send(c->fd, c->out.p + c->sent, c->out.n - c->sent, MSG_NOSIGNAL);

	if (w < 0 && errno != EAGAIN && errno != EINTR) {
		drop(c);
		return;
	}
	c->sent += w > 0 ? (size_t)w : 0;
	if (c->sent < c->out.n)
		return;
	/* what is unread would make a RST of our end, and that takes the answer along */
	shutdown(c->fd, SHUT_WR);
	c->draining = true;
}

static void on_readable(struct client *c)
{
	char scrap[1024];
	char *to = c->answering ? scrap : c->in + c->n;
	size_t room = c->answering ? sizeof(scrap) : REQUEST_MAX - c->n;
	ssize_t r = recv(c->fd, to, room, 0);

	if (r < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (r <= 0) {
		drop(c);
		return;
	}
	if (c->answering)
		return;
	c->n += (size_t)r;
	if (request_is_whole(c) || c->n == REQUEST_MAX)
		begin_answer(c);
}

/* A free place; when there is none the oldest client goes. */
static struct client *place(void)
{
	struct client *oldest = &clients[0];

	for (int i = 0; i < CLIENTS_MAX; i++) {
		if (clients[i].fd < 0)
			return &clients[i];
		if (clients[i].since_ms < oldest->since_ms)
			oldest = &clients[i];
	}
	drop(oldest);
	return oldest;
}

static void on_connection(int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct client *c;

	if (fd < 0)
		return;
	c = place();
	memset(c, 0, sizeof(*c));
	c->fd = fd;
	c->since_ms = now_ms();
	c->until_ms = c->since_ms + REQUEST_MS;
}

/* ---- the loop ---- */

static void loop(int listener)
{
	struct pollfd fds[CLIENTS_MAX + 1];

	while (!stopped) {
		int64_t now = now_ms();

		fds[CLIENTS_MAX] = (struct pollfd) { .fd = listener, .events = POLLIN };
		for (int i = 0; i < CLIENTS_MAX; i++) {
			struct client *c = &clients[i];
			short ev = c->answering && !c->draining ? POLLOUT : POLLIN;

			if (c->fd >= 0 && now >= c->until_ms)
				drop(c);
			fds[i] = (struct pollfd) { .fd = c->fd, .events = ev };
		}
		if (poll(fds, CLIENTS_MAX + 1, 1000) < 0)
			continue;		/* a signal */
		for (int i = 0; i < CLIENTS_MAX; i++) {
			if (clients[i].fd < 0 || !fds[i].revents)
				continue;
			if (fds[i].events == POLLOUT)
				on_writable(&clients[i]);
			else
				on_readable(&clients[i]);
		}
		if (fds[CLIENTS_MAX].revents)
			on_connection(listener);
	}
}

static int listen_one(const struct addrinfo *ai)
{
	int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, ai->ai_addr, ai->ai_addrlen) == 0 && listen(fd, 128) == 0)
		return fd;
	one = errno;
	close(fd);
	return -one;
}

/* "127.0.0.1:9477", "[::1]:9477", ":9477".  Return: a listener or -1, complained of. */
static int open_listener(const char *text)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
				  .ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV };
	struct addrinfo *ai = NULL;
	const char *colon = strrchr(text, ':');
	size_t n = colon ? (size_t)(colon - text) : 0;
	char host[80];
	uint64_t port;
	int fd;

	if (n > 1 && text[0] == '[' && text[n - 1] == ']')
		snprintf(host, sizeof(host), "%.*s", (int)n - 2, text + 1);
	else
		snprintf(host, sizeof(host), "%.*s", (int)n, text);
	if (!colon || !parse_u64(colon + 1, 1, 65535, &port) ||
	    getaddrinfo(*host ? host : NULL, colon + 1, &hints, &ai) != 0) {
		complain("export: --listen %s: give ADDRESS:PORT, numbers", text);
		return -EXIT_MISUSE;
	}
	fd = listen_one(ai);
	freeaddrinfo(ai);
	if (fd >= 0)
		return fd;
	complain("export: cannot listen on %s: %s", text, strerror(-fd));
	return -EXIT_FAILED;
}

int export_serve(const char *listen_on)
{
	struct sigaction sa = { .sa_handler = on_signal };
	int fd = open_listener(listen_on);

	if (fd < 0)
		return -fd;
	for (int i = 0; i < CLIENTS_MAX; i++)
		clients[i].fd = -1;
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	printf("serving http://%s%s/metrics\n", *listen_on == ':' ? "localhost" : "", listen_on);
	fflush(stdout);
	loop(fd);
	close(fd);
	for (int i = 0; i < CLIENTS_MAX; i++)
		if (clients[i].fd >= 0)
			drop(&clients[i]);
	return EXIT_DONE;
}
