/* SPDX-License-Identifier: MIT */
/*
 * The data of `rill nc`: stdin to the network, the network to stdout, each with
 * one buffer, in one loop over rill_poll().
 *
 * The ends: stdin's end shuts our side down once all of it is sent.  The peer's
 * end leaves our side open, for a peer that closed only its half still listens;
 * but a terminal as stdin is left then, as telnet does.
 *
 * A terminal or pipe as stdout is opened anew without blocking: a reader that
 * stops must not stop the stack's timers.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tools/nc.h"
#include "tools/out.h"

#define BUF	(128 * 1024)
#define UDP_MAX	65536

struct flow {
	char	buf[BUF];
	size_t	len, off;
	bool	in_over, out_over;	/* its source, its sink has ended */
};

static struct flow to_net, to_out;	/* one connection at a time */
static int out_fd = STDOUT_FILENO;
static size_t out_piece = BUF;

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void nc_open_stdout(void)
{
	struct stat st;
	int fd;

	if (fstat(STDOUT_FILENO, &st) < 0 || S_ISREG(st.st_mode))
		return;
	fd = open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (fd >= 0)
		out_fd = fd;
	else
		out_piece = 4096;	/* writable means that much for a pipe */
}

static bool has_data(const struct flow *f)
{
	return f->off < f->len;
}

static void consume(struct flow *f, size_t n)
{
	f->off += n;
	if (f->off == f->len)
		f->off = f->len = 0;
}

/* ---- the four moves; each returns 0 or an exit status above 0 ---- */

/* CR in front of each LF: from the back, so nothing is overwritten too early. */
static void add_crs(size_t n)
{
	size_t at = n;

	for (size_t i = 0; i < n; i++)
		at += to_net.buf[i] == '\n';
	to_net.len = at;
	while (n-- > 0) {
		to_net.buf[--at] = to_net.buf[n];
		if (to_net.buf[n] == '\n')
			to_net.buf[--at] = '\r';
	}
}

static void read_stdin(struct nc *n, bool crlf)
{
	/* with -C a line may grow: leave room */
	size_t room = crlf ? BUF / 2 : n->udp ? 16384 : BUF;
	ssize_t r = read(STDIN_FILENO, to_net.buf, room);

	if (r < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (r <= 0) {
		to_net.in_over = n->stdin_over = true;
		return;
	}
	to_net.off = 0;
	to_net.len = (size_t)r;
	if (crlf)
		add_crs((size_t)r);
}

static int send_net(struct nc *n, int fd)
{
	ssize_t r = rill_send(fd, to_net.buf + to_net.off, to_net.len - to_net.off,
			      MSG_DONTWAIT | MSG_NOSIGNAL);

	if (r == -EAGAIN || r == -EINTR)
		return 0;
	if (r >= 0) {
		consume(&to_net, (size_t)r);
		return 0;
	}
	if (n->udp && r == -ECONNREFUSED) {	/* nobody there yet, or any more */
		consume(&to_net, to_net.len - to_net.off);
		return 0;
	}
	to_net.out_over = true;
	to_net.off = to_net.len = 0;
	if (r == -EPIPE && !to_out.in_over)
		return 0;			/* the peer may still be sending */
	complain("nc: sending: %s", strerror((int)-r));
	return EXIT_FAILED;
}

static int receive_net(struct nc *n, int fd)
{
	ssize_t r = rill_recv(fd, to_out.buf, BUF, MSG_DONTWAIT);

	if (r == -EAGAIN || r == -EINTR)
		return 0;
	if (r > 0 || (r == 0 && n->udp)) {
		to_out.off = 0;
		to_out.len = (size_t)r;
		return 0;
	}
	if (n->udp && r == -ECONNREFUSED)
		return 0;
	to_out.in_over = true;
	if (r == 0)
		return 0;
	complain("nc: receiving: %s", strerror((int)-r));
	return EXIT_FAILED;
}

/* Return: false when nobody reads stdout any more. */
static bool write_stdout(void)
{
	size_t n = to_out.len - to_out.off;
	ssize_t r = write(out_fd, to_out.buf + to_out.off, n < out_piece ? n : out_piece);

	if (r >= 0)
		consume(&to_out, (size_t)r);
	else if (errno != EAGAIN && errno != EINTR)
		return false;
	return true;
}

/* ---- the loop ---- */

enum { P_NET, P_STDIN, P_STDOUT, P_N };

static void what_to_wait_for(const struct nc *n, int fd, struct pollfd p[P_N])
{
	short net = 0;

	if (!to_out.in_over && !has_data(&to_out))
		net |= POLLIN;
	if (!to_net.out_over && has_data(&to_net))
		net |= POLLOUT;
	p[P_NET] = (struct pollfd){ net ? fd : -1, net, 0 };
	p[P_STDIN] = (struct pollfd){ to_net.in_over || n->no_stdin || to_net.out_over ||
				      has_data(&to_net) ? -1 : STDIN_FILENO, POLLIN, 0 };
	p[P_STDOUT] = (struct pollfd){ has_data(&to_out) ? out_fd : -1, POLLOUT, 0 };
}

/* Our end of the stream, once everything before it is queued. */
static void half_close(struct nc *n, int fd)
{
	if (!to_net.in_over || has_data(&to_net) || to_net.out_over)
		return;
	to_net.out_over = true;
	if (!n->udp && !n->keep_open)
		rill_shutdown(fd, SHUT_WR);
}

static bool is_over(const struct nc *n)
{
	if (!to_out.in_over || has_data(&to_out))
		return false;
	return n->no_stdin || isatty(STDIN_FILENO) ||
	       (to_net.out_over && !has_data(&to_net));
}

static int min_timeout(int a, int b)
{
	return a < 0 ? b : b < 0 || a < b ? a : b;
}

/* Return: exit status, or -1 to go on. */
static int one_round(struct nc *n, int fd, int timeout_ms, bool *moved)
{
	struct pollfd p[P_N];
	int r, status = 0;

	what_to_wait_for(n, fd, p);
	r = rill_poll(p, P_N, timeout_ms);
	*moved = r > 0;
	if (r < 0 && r != -EINTR) {
		complain("nc: %s", strerror(-r));
		return EXIT_FAILED;
	}
	if (r <= 0)
		return -1;
	if (p[P_STDIN].revents)
		read_stdin(n, n->crlf);
	if (p[P_NET].revents & (POLLIN | POLLHUP | POLLERR) && p[P_NET].events & POLLIN)
		status = receive_net(n, fd);
	if (!status && has_data(&to_net) && !to_net.out_over)
		status = send_net(n, fd);
	/* what came before an error is shown all the same */
	if (has_data(&to_out) && !write_stdout())
		return EXIT_DONE;		/* nobody reads: end quietly */
	half_close(n, fd);
	return status ? status : -1;
}

static void reset_flows(const struct nc *n)
{
	to_net.len = to_net.off = to_out.len = to_out.off = 0;
	to_net.in_over = n->no_stdin || n->stdin_over;
	to_net.out_over = n->no_stdin;
	to_out.in_over = to_out.out_over = false;
}

int nc_pump(struct nc *n, int fd)
{
	int64_t quit_at = 0, idle_from = now_ms();
	bool moved;

	reset_flows(n);
	half_close(n, fd);
	while (!is_over(n)) {
		int quit = -1, idle = -1, r;

		if (n->quit_ms >= 0 && to_net.in_over && !n->no_stdin) {
			if (!quit_at)
				quit_at = now_ms() + n->quit_ms;
			quit = (int)(quit_at - now_ms());
			if (quit <= 0 && !has_data(&to_net))
				return EXIT_DONE;
			quit = quit < 0 ? 10 : quit;
		}
		if (n->idle_ms >= 0) {
			idle = (int)(idle_from + n->idle_ms - now_ms());
			if (idle <= 0)
				return EXIT_DONE;
		}
		r = one_round(n, fd, min_timeout(quit, idle), &moved);
		if (r >= 0)
			return r;
		if (moved)
			idle_from = now_ms();
	}
	return EXIT_DONE;
}

int nc_print_datagrams(struct nc *n, int fd)
{
	reset_flows(n);
	for (;;) {
		struct pollfd p = { fd, POLLIN, 0 };
		int r = rill_poll(&p, 1, n->idle_ms);
		ssize_t len;

		if (r == 0)
			return EXIT_DONE;
		if (r == -EINTR)
			continue;
		if (r < 0) {
			complain("nc: %s", strerror(-r));
			return EXIT_FAILED;
		}
		len = rill_recv(fd, to_out.buf, UDP_MAX, MSG_DONTWAIT);
		to_out.off = 0;
		to_out.len = len > 0 ? (size_t)len : 0;
		while (has_data(&to_out)) {
			struct pollfd o = { out_fd, POLLOUT, 0 };

			if (!write_stdout())
				return EXIT_DONE;
			if (has_data(&to_out))
				rill_poll(&o, 1, -1);
		}
	}
}
