/* SPDX-License-Identifier: MIT */
/*
 * Segments of one connection, from the control socket's "watch".  Nothing here waits:
 * `rill nc -i` asks its own process, whose stack answers only while it is driven.
 *
 * Used by `rill top` and `rill nc -i`.
 */
#include "tools/segs.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "look/ctlc.h"
#include "look/filter.h"
#include "run/ctl.h"

#define SOCKS	16
#define BUF	(32 * 1024)

struct segs {
	int		ep, fd[SOCKS], n;
	struct rill_addr local, peer;
	char		buf[SOCKS][BUF];
	size_t		len[SOCKS];
};

static int connect_path(const char *path)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd;

	if ((size_t)snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", path) >= sizeof(sa.sun_path))
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0)
		return fd;
	close(fd);
	return -1;
}

static void add(struct segs *s, const char *path)
{
	static const char ask[] = "{\"cmd\":\"watch\",\"segments\":true}\n";
	struct epoll_event ev = { .events = EPOLLIN };
	int fd = s->n < SOCKS ? connect_path(path) : -1;

	if (fd < 0)
		return;
	ev.data.u32 = (uint32_t)s->n;
	if (send(fd, ask, sizeof(ask) - 1, MSG_NOSIGNAL) == (ssize_t)sizeof(ask) - 1 &&
	    epoll_ctl(s->ep, EPOLL_CTL_ADD, fd, &ev) == 0)
		s->fd[s->n++] = fd;
	else
		close(fd);
}

static void find_in(struct segs *s, const char *dir, long pid)
{
	struct dirent *de;
	char path[512];
	DIR *d = opendir(dir);

	while (d && (de = readdir(d)) != NULL) {
		char *dot;

		if (strtol(de->d_name, &dot, 10) != pid || *dot != '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, de->d_name);
		add(s, path);
	}
	if (d)
		closedir(d);
}

struct segs *segs_open(long pid)
{
	struct segs *s = calloc(1, sizeof(*s));
	char dir[256];

	if (!s)
		return NULL;
	s->ep = epoll_create1(EPOLL_CLOEXEC);
	for (unsigned i = 0; s->ep >= 0; i++) {
		int r = rl_ctl_dir(i, dir, sizeof(dir));

		if (r == -ENOENT)
			break;
		if (r == 0 && rl_ctl_dir_ok(dir))
			find_in(s, dir, pid);
	}
	if (s->n)
		return s;
	segs_close(s);
	return NULL;
}

void segs_close(struct segs *s)
{
	if (!s)
		return;
	for (int i = 0; i < s->n; i++)
		if (s->fd[i] >= 0)
			close(s->fd[i]);
	if (s->ep >= 0)
		close(s->ep);
	free(s);
}

int segs_fd(const struct segs *s)
{
	return s->ep;
}

void segs_aim(struct segs *s, const struct rill_addr *local, const struct rill_addr *peer)
{
	s->local = *local;
	s->peer = *peer;
}

static bool is_addr(const json_t *o, const char *ip, const char *port, const struct rill_addr *a)
{
	uint8_t b[16];

	return ctlc_int(o, port) == a->port && filter_parse_ip(ctlc_str(o, ip), b) &&
	       !memcmp(b, a->ip.b, 16);
}

static void put(char text[SEG_TEXT], size_t *at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void put(char text[SEG_TEXT], size_t *at, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text + *at, SEG_TEXT - *at, fmt, ap);
	va_end(ap);
	if (n > 0)
		*at = *at + (size_t)n < SEG_TEXT ? *at + (size_t)n : SEG_TEXT - 1;
}

static void print(const json_t *o, char text[SEG_TEXT])
{
	long long us = (long long)ctlc_int(o, "at_us");
	time_t t = (time_t)(us / 1000000);
	size_t at = 0;
	struct tm tm;

	localtime_r(&t, &tm);
	put(text, &at, "%02d:%02d:%02d.%06lld %-3s [%s] seq %lu", tm.tm_hour, tm.tm_min, tm.tm_sec,
	    us % 1000000, ctlc_str(o, "dir"), ctlc_str(o, "flags"),
	    (unsigned long)ctlc_int(o, "seq"));
	put(text, &at, " ack %lu win %lu len %lu", (unsigned long)ctlc_int(o, "ack"),
	    (unsigned long)ctlc_int(o, "win"), (unsigned long)ctlc_int(o, "len"));
	if (*ctlc_str(o, "drop"))
		put(text, &at, " dropped: %s", ctlc_str(o, "drop"));
}

/* Return: whether the line is a segment of our connection. */
static bool take_line(struct segs *s, const char *line, size_t n, char text[SEG_TEXT])
{
	json_t *o = json_loadb(line, n, 0, NULL);
	bool ours = !strcmp(ctlc_str(o, "event"), "segment") &&
		    is_addr(o, "local", "lport", &s->local) &&
		    is_addr(o, "peer", "pport", &s->peer);

	if (ours)
		print(o, text);
	json_decref(o);
	return ours;
}

static bool from_buf(struct segs *s, int i, char text[SEG_TEXT])
{
	char *nl;

	while ((nl = memchr(s->buf[i], '\n', s->len[i])) != NULL) {
		size_t n = (size_t)(nl - s->buf[i]) + 1;
		bool ours = take_line(s, s->buf[i], n, text);

		s->len[i] -= n;
		memmove(s->buf[i], s->buf[i] + n, s->len[i]);
		if (ours)
			return true;
	}
	if (s->len[i] == BUF)
		s->len[i] = 0;
	return false;
}

bool segs_next(struct segs *s, char text[SEG_TEXT])
{
	for (int i = 0; i < s->n; i++) {
		ssize_t n = 1;

		while (s->fd[i] >= 0 && n > 0) {
			if (from_buf(s, i, text))
				return true;
			n = recv(s->fd[i], s->buf[i] + s->len[i], BUF - s->len[i], MSG_DONTWAIT);
			if (n > 0)
				s->len[i] += (size_t)n;
			if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
				close(s->fd[i]);
				s->fd[i] = -1;
			}
		}
	}
	return false;
}
