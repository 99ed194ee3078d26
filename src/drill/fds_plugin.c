// SPDX-License-Identifier: MIT
/*
 * Descriptors of the plug-in.  At a script's end the tool gives the numbers that
 * are left to the kernel's close(), so each of Rill's descriptors is shown as an
 * eventfd of the kernel's, which nothing reads or writes.  A number that stands
 * for none of ours is the kernel's own: a pipe, or a file that the tool opened.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/types.h"
#include "drill/plugin.h"

#define SPLICE_MAX	65536		/* what a pipe holds */

static int mapped(const struct drill_plug *p, int fd)
{
	return fd >= 0 && fd < DRILL_PLUG_FDS ? p->live[fd] : 0;
}

/* What rill/socket.h says of others: -ENOTSOCK when the kernel knows it. */
int rl_drill_plug_live(const struct drill_plug *p, int fd)
{
	int live = mapped(p, fd);

	if (live)
		return live;
	return fd >= 0 && fd < RILL_FD_BASE && fcntl(fd, F_GETFD) >= 0 ? fd : -1;
}

bool rl_drill_plug_kernels(struct drill_plug *p, int fd)
{
	bool r;

	pthread_mutex_lock(&p->lock);
	r = !mapped(p, fd);
	pthread_mutex_unlock(&p->lock);
	return r;
}

int rl_drill_plug_show(struct drill_plug *p, int live)
{
	int fd, err;

	if (live < 0)
		return live;
	fd = eventfd(0, EFD_CLOEXEC);
	err = errno;
	if (fd >= DRILL_PLUG_FDS) {
		close(fd);
		fd = -1;
		err = EMFILE;
	}
	if (fd < 0) {
		rill_close(live);
		return -err;
	}
	p->live[fd] = live;
	return fd;
}

int rl_drill_plug_hide(struct drill_plug *p, int fd)
{
	int live = mapped(p, fd);

	if (live)
		p->live[fd] = 0;
	return live;
}

int rl_drill_plug_pipe(void *plug, int fds[2])
{
	(void)plug;
	return pipe(fds);
}

/* ---- splice ---- */

struct splicing {
	int	in, out;
	size_t	len;
	int	msg;			/* flags for the socket's side */
	char	buf[SPLICE_MAX];
};

/* As much as the pipe takes at once: it must not block while the lock is held. */
static ssize_t fill_pipe(int fd, const void *buf, size_t n)
{
	int fl = fcntl(fd, F_GETFL);
	ssize_t r;

	if (fl < 0 || fcntl(fd, F_SETFL, fl | O_NONBLOCK) < 0)
		return -errno;
	r = write(fd, buf, n);
	if (r < 0)
		r = -errno;
	fcntl(fd, F_SETFL, fl);
	return r;
}

/* Look at what is there, give the pipe what it takes, and take that away. */
static ssize_t socket_to_pipe(struct splicing *s)
{
	ssize_t n = rill_recv(s->in, s->buf, s->len, s->msg | MSG_PEEK);

	if (n > 0)
		n = fill_pipe(s->out, s->buf, (size_t)n);
	return n > 0 ? rill_recv(s->in, s->buf, (size_t)n, MSG_DONTWAIT) : n;
}

/* A copy of the pipe's front in @s->buf, the pipe is as before. */
static ssize_t peek_pipe(struct splicing *s)
{
	int copy[2];
	ssize_t n;

	if (pipe2(copy, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	n = tee(s->in, copy[1], s->len, SPLICE_F_NONBLOCK);
	if (n > 0)
		n = read(copy[0], s->buf, s->len);
	if (n < 0)
		n = -errno;
	close(copy[0]);
	close(copy[1]);
	return n;
}

static ssize_t pipe_to_socket(struct splicing *s)
{
	ssize_t n = peek_pipe(s);

	if (n > 0)
		n = rill_send(s->out, s->buf, (size_t)n, s->msg);
	if (n > 0 && read(s->in, s->buf, (size_t)n) < 0)
		return -errno;
	return n;
}

/*
 * The tool always passes offsets; that they are given tells nothing.  Between a
 * socket and a pipe there are none.
 */
int rl_drill_plug_splice(void *plug, int in, loff_t *off_in, int out, loff_t *off_out,
			 size_t len, unsigned flags)
{
	struct drill_plug *p = plug;
	struct splicing s;
	ssize_t r = -EINVAL;

	(void)off_in;
	(void)off_out;
	if (rl_drill_plug_kernels(p, in) && rl_drill_plug_kernels(p, out))
		return (int)splice(in, NULL, out, NULL, len, flags);
	rl_drill_plug_enter(p);
	s.in = rl_drill_plug_live(p, in);
	s.out = rl_drill_plug_live(p, out);
	s.len = RL_MIN(len, sizeof(s.buf));
	s.msg = (flags & SPLICE_F_NONBLOCK ? MSG_DONTWAIT : 0) |
		(flags & SPLICE_F_MORE ? MSG_MORE : 0);
	if (s.in < 0 || s.out < 0)
		r = -EBADF;
	else if (s.len == 0)
		r = 0;
	else if (s.out < RILL_FD_BASE)
		r = socket_to_pipe(&s);
	else if (s.in < RILL_FD_BASE)
		r = pipe_to_socket(&s);
	return (int)rl_drill_plug_leave(p, r);
}
