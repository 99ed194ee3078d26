/* SPDX-License-Identifier: MIT */
/*
 * rill nc -i - a connection by hand for a person: type text or hexadecimal, see what
 * comes, the state as it changes and the segments beside it.  On a terminal a split
 * screen, else lines: "> sent", "< received", "* state", "# segment", "- note",
 * "! trouble".
 *
 * Rill's descriptors and the kernel's go through the same loop: rill_poll() takes
 * both, and the few other calls are chosen by `kernel`.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rill/stack.h"
#include "tools/nc_assist.h"
#include "tools/out.h"

#define OPT_TCP_INFO	11		/* Linux's number */
#define REFRESH_MS	100
#define ANSWER_MS	1000
#define CTRL(c)		((c) & 0x1f)

static struct grid grid;

/* ---- rows ---- */

static void add_row(struct assist *a, enum assist_kind kind, const char *text)
{
	static const char marks[] = { [AS_SENT] = '>', [AS_RECEIVED] = '<', [AS_STATE] = '*',
				      [AS_NOTE] = '-', [AS_BAD] = '!' };

	if (!a->tty) {
		printf("%c %s\n", marks[kind], text);
		fflush(stdout);
		return;
	}
	if (a->nrows == ASSIST_ROWS) {
		memmove(a->row, a->row + 1, sizeof(a->row) - sizeof(a->row[0]));
		a->nrows--;
	}
	a->row[a->nrows].kind = kind;
	snprintf(a->row[a->nrows++].text, ASSIST_TEXT, "%s", text);
}

static void add_data(struct assist *a, enum assist_kind kind, const unsigned char *p, size_t n)
{
	char row[ASSIST_TEXT];
	/* a screen that is too small to be drawn would take no character a row */
	size_t cap = a->tty && grid.w >= ASSIST_W ? (size_t)grid.w - 3 : sizeof(row);

	cap = cap < sizeof(row) ? cap : sizeof(row);
	for (size_t at = 0; at < n; ) {
		at += assist_row(p + at, n - at, a->hex, row, cap);
		add_row(a, kind, row);
	}
}

static void add_seg(struct assist *a, const char *text)
{
	if (!a->tty) {
		printf("# %s\n", text);
		fflush(stdout);
		return;
	}
	if (a->nsegs == ASSIST_ROWS) {
		memmove(a->seg, a->seg + 1, sizeof(a->seg) - sizeof(a->seg[0]));
		a->nsegs--;
	}
	snprintf(a->seg[a->nsegs++], SEG_TEXT, "%s", text);
}

/* ---- the socket ---- */

static ssize_t do_send(struct assist *a, const void *p, size_t n)
{
	ssize_t r;

	if (!a->kernel)
		return rill_send(a->fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	r = send(a->fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	return r < 0 ? -errno : r;
}

static ssize_t do_recv(struct assist *a, void *p, size_t n)
{
	ssize_t r;

	if (!a->kernel)
		return rill_recv(a->fd, p, n, MSG_DONTWAIT);
	r = recv(a->fd, p, n, MSG_DONTWAIT);
	return r < 0 ? -errno : r;
}

static void look_at_state(struct assist *a)
{
	struct rill_tcp_info ti = { 0 };
	socklen_t len = sizeof(ti);
	int r = a->kernel ? getsockopt(a->fd, IPPROTO_TCP, OPT_TCP_INFO, &ti, &len) :
			    rill_getsockopt(a->fd, IPPROTO_TCP, OPT_TCP_INFO, &ti, &len);

	if (r < 0)
		return;
	a->info = ti;
	a->has_info = true;
	if (ti.state == a->state || ti.state >= RILL_TCP_STATES)
		return;
	a->state = ti.state;
	add_row(a, AS_STATE, rill_state_name(ti.state));
}

static void take_segments(struct assist *a)
{
	char text[SEG_TEXT];

	for (int i = 0; i < 256 && a->segs && segs_next(a->segs, text); i++)
		add_seg(a, text);
}

static void receive(struct assist *a)
{
	unsigned char buf[4096];
	ssize_t r = do_recv(a, buf, sizeof(buf));
	char text[ASSIST_TEXT];

	if (r == -EAGAIN || r == -EINTR)
		return;
	if (r > 0) {
		a->received += (uint64_t)r;
		add_data(a, AS_RECEIVED, buf, (size_t)r);
		return;
	}
	a->eof = true;
	if (r == 0) {
		add_row(a, AS_NOTE, "the peer has closed its side (FIN)");
		return;
	}
	snprintf(text, sizeof(text), "receiving: %s", strerror((int)-r));
	add_row(a, AS_BAD, text);
	a->over = true;
}

/* ---- what is typed ---- */

static void send_bytes(struct assist *a, const unsigned char *p, size_t n)
{
	char text[ASSIST_TEXT];
	ssize_t r;

	if (a->fin_sent) {
		add_row(a, AS_BAD, "our side is closed: nothing can be sent any more");
		return;
	}
	r = do_send(a, p, n);
	if (r > 0) {
		a->sent += (uint64_t)r;
		add_data(a, AS_SENT, p, (size_t)r);
	}
	if (r == (ssize_t)n)
		return;
	if (r >= 0 || r == -EAGAIN)
		snprintf(text, sizeof(text), "the send buffer is full: %zu bytes were not taken",
			 n - (size_t)(r > 0 ? r : 0));
	else
		snprintf(text, sizeof(text), "sending: %s", strerror((int)-r));
	add_row(a, AS_BAD, text);
}

static void send_line(struct assist *a, const char *s)
{
	unsigned char out[ASSIST_LINE + 2];
	int n = a->hex ? assist_from_hex(s, out, ASSIST_LINE) :
			 assist_from_text(s, out, ASSIST_LINE);

	if (n < 0) {
		add_row(a, AS_BAD, "not hexadecimal: pairs of 0-9 a-f, such as 48 65 6c");
		return;
	}
	if (!a->hex) {
		if (a->n->crlf)
			out[n++] = '\r';
		out[n++] = '\n';
	}
	if (n)
		send_bytes(a, out, (size_t)n);
}

static void send_fin(struct assist *a)
{
	if (a->fin_sent)
		return;
	a->fin_sent = true;
	if (a->kernel)
		shutdown(a->fd, SHUT_WR);
	else
		rill_shutdown(a->fd, SHUT_WR);
	add_row(a, AS_NOTE, "our side is closed (FIN)");
}

static void show_info(struct assist *a)
{
	char text[ASSIST_TEXT];

	look_at_state(a);
	assist_info_text(a, text, sizeof(text));
	add_row(a, AS_NOTE, rill_state_name(a->state));
	add_row(a, AS_NOTE, text);
}

/* "//" at the beginning sends a line that begins with "/". */
static void take_line(struct assist *a, const char *s)
{
	if (s[0] != '/' || s[1] == '/')
		send_line(a, s[0] == '/' ? s + 1 : s);
	else if (!strcmp(s, "/hex") || !strcmp(s, "/text"))
		a->hex = s[1] == 'h';
	else if (!strcmp(s, "/fin"))
		send_fin(a);
	else if (!strcmp(s, "/state"))
		show_info(a);
	else if (!strcmp(s, "/quit"))
		a->over = true;
	else
		add_row(a, AS_BAD, "commands: /hex /text /fin /state /quit; //... sends /...");
}

static void take_key(struct assist *a, int key)
{
	if (key == CTRL('C')) {
		a->over = true;
	} else if (key == CTRL('D')) {
		send_fin(a);
	} else if (key == CTRL('X')) {
		a->hex = !a->hex;
	} else if (key == TERM_BACK) {
		if (a->len)
			a->line[--a->len] = '\0';
	} else if (key == TERM_ENTER) {
		take_line(a, a->line);
		a->line[a->len = 0] = '\0';
	} else if (key >= ' ' && key < 256 && a->len + 1 < sizeof(a->line)) {
		a->line[a->len++] = (char)key;
		a->line[a->len] = '\0';
	}
}

/* Lines of a pipe; its end is our FIN, as in nc. */
static bool read_lines(struct assist *a)
{
	ssize_t r = read(STDIN_FILENO, a->line + a->len, sizeof(a->line) - 1 - a->len);
	char *nl;

	if (r < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (r > 0)
		a->len += (size_t)r;
	a->line[a->len] = '\0';
	while ((nl = strchr(a->line, '\n')) != NULL || (a->len && r <= 0) ||
	       a->len == sizeof(a->line) - 1) {
		size_t n = nl ? (size_t)(nl - a->line) + 1 : a->len;

		if (nl)
			*nl = '\0';
		take_line(a, a->line);
		a->len -= n;
		memmove(a->line, a->line + n, a->len + 1);
	}
	if (r <= 0 && !a->n->keep_open)
		send_fin(a);
	return r > 0;
}

/* ---- the loop ---- */

static void show(struct assist *a)
{
	int w, h;

	if (!a->tty)
		return;
	term_size(&w, &h);
	assist_draw(a, &grid, w, h);
	term_show(&grid);
}

static void one_round(struct assist *a, bool *stdin_open)
{
	struct pollfd p[3] = {
		{ a->eof ? -1 : a->fd, POLLIN, 0 },
		{ *stdin_open ? STDIN_FILENO : -1, POLLIN, 0 },
		{ a->segs ? segs_fd(a->segs) : -1, POLLIN, 0 },
	};
	int r = rill_poll(p, 3, REFRESH_MS), key;

	if (r < 0 && r != -EINTR) {
		add_row(a, AS_BAD, strerror(-r));
		a->over = true;
	}
	take_segments(a);
	look_at_state(a);
	if (p[0].revents)
		receive(a);
	if (p[1].revents && !a->tty)
		*stdin_open = read_lines(a);
	while (a->tty && !a->over && (key = term_key()) != -1)
		take_key(a, key);
	if (p[1].revents & (POLLHUP | POLLERR) && a->tty)
		a->over = true;
	/* both sides are closed and nobody is there to read the screen */
	if (!a->tty && a->eof && (a->fin_sent || !*stdin_open))
		a->over = true;
}

static void name_ends(struct assist *a)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	struct sockaddr *sa = (struct sockaddr *)&ss;
	int r = a->kernel ? getsockname(a->fd, sa, &len) : rill_getsockname(a->fd, sa, &len);

	snprintf(a->local, sizeof(a->local), "?");
	snprintf(a->peer, sizeof(a->peer), "?");
	if (r >= 0)
		net_text(sa, a->local);
	len = sizeof(ss);
	r = a->kernel ? getpeername(a->fd, sa, &len) : rill_getpeername(a->fd, sa, &len);
	if (r >= 0)
		net_text(sa, a->peer);
}

static int assist(struct nc *n, int fd, struct segs *segs)
{
	static struct assist a;
	bool stdin_open = !n->no_stdin;
	char text[ASSIST_TEXT * 2];

	a = (struct assist){ .n = n, .fd = fd, .kernel = n->kernel, .hex = n->hex, .segs = segs,
			     .tty = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) };
	name_ends(&a);
	if (a.tty && term_open("nc") < 0)
		return EXIT_FAILED;
	snprintf(text, sizeof(text), "%s - %s", a.local, a.peer);
	add_row(&a, AS_NOTE, text);
	while (!a.over && !out_closed()) {
		show(&a);
		one_round(&a, &stdin_open);
	}
	if (a.tty)
		term_close();
	segs_close(a.segs);
	n->segs = NULL;
	return EXIT_DONE;
}

/* ---- Rill's ---- */

/*
 * Our own stack answers only while it is driven, and it is driven for sockets of its
 * own: an idle one stands in until the answer is there.
 */
struct segs *nc_assist_segs(struct nc *n)
{
	struct segs *s = segs_open(getpid());
	int fd = s ? rill_socket(n->e, AF_INET, SOCK_DGRAM, 0) : -1;
	struct pollfd p[2] = { { s ? segs_fd(s) : -1, POLLIN, 0 }, { fd, POLLIN, 0 } };

	if (fd < 0)
		return s;
	for (int i = 0; i < ANSWER_MS / 10 && !p[0].revents; i++)
		rill_poll(p, 2, 10);
	rill_close(fd);
	return s;
}

static struct rill_addr addr_of(const struct sockaddr_storage *ss)
{
	struct rill_addr a = { .port = 0 };

	if (ss->ss_family == AF_INET) {
		const struct sockaddr_in *s4 = (const struct sockaddr_in *)ss;

		a.ip.b[10] = a.ip.b[11] = 0xff;
		memcpy(a.ip.b + 12, &s4->sin_addr, 4);
		a.port = ntohs(s4->sin_port);
	} else {
		const struct sockaddr_in6 *s6 = (const struct sockaddr_in6 *)ss;

		memcpy(a.ip.b, &s6->sin6_addr, 16);
		a.port = ntohs(s6->sin6_port);
	}
	return a;
}

int nc_assist_rill(struct nc *n, int fd)
{
	struct sockaddr_storage local = { 0 }, peer = { 0 };
	socklen_t len = sizeof(local);
	struct rill_addr a, b;

	rill_getsockname(fd, (struct sockaddr *)&local, &len);
	len = sizeof(peer);
	rill_getpeername(fd, (struct sockaddr *)&peer, &len);
	a = addr_of(&local);
	b = addr_of(&peer);
	if (n->segs)
		segs_aim(n->segs, &a, &b);
	return assist(n, fd, n->segs);
}

/* ---- the kernel's sockets ---- */

static int kernel_fail(const char *what)
{
	complain("nc: %s: %s", what, strerror(errno));
	return EXIT_FAILED;
}

static int kernel_listen(struct nc *n, const struct addrinfo *ai)
{
	int one = 1, fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0), conn;
	struct pollfd p = { fd, POLLIN, 0 };

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, ai->ai_addr, ai->ai_addrlen) < 0 || listen(fd, 1) < 0) {
		close(fd);
		return -1;
	}
	errno = ETIMEDOUT;
	conn = poll(&p, 1, n->idle_ms) > 0 ? accept4(fd, NULL, NULL, SOCK_CLOEXEC) : -1;
	close(fd);
	return conn;
}

static int kernel_connect(struct nc *n, const struct addrinfo *ai)
{
	int err = 0;

	for (; ai; ai = ai->ai_next) {
		int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		struct pollfd p = { fd, POLLOUT, 0 };
		socklen_t len = sizeof(err);

		if (fd < 0)
			continue;
		err = connect(fd, ai->ai_addr, ai->ai_addrlen) < 0 ? errno : 0;
		if (err == EINPROGRESS) {
			err = ETIMEDOUT;
			if (poll(&p, 1, n->idle_ms) > 0)
				getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len);
		}
		if (!err)
			return fd;
		close(fd);
	}
	errno = err;
	return -1;
}

int nc_assist_kernel(struct nc *n, const struct addrinfo *ai)
{
	int fd = n->listen ? kernel_listen(n, ai) : kernel_connect(n, ai), status;

	if (fd < 0)
		return kernel_fail(n->listen ? "waiting for a connection" : "cannot connect");
	status = assist(n, fd, NULL);
	close(fd);
	return status;
}
