// SPDX-License-Identifier: MIT
/*
 * A TCP echo server on Rill for any number of clients: one thread, one epoll.
 *
 * Try it as an ordinary user, in a network namespace with nothing set up:
 *
 *	unshare -rn sh -c '
 *		build/examples/echo_server tap:rill0 10.77.0.2/24 10.77.0.1/24 7 &
 *		sleep 1; echo hello | nc -N 10.77.0.2 7; kill $!'
 * 10.77.0.2 is Rill's end of the TAP interface rill0, 10.77.0.1 the kernel's.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rill/socket.h>

struct client {
	int fd;
	ssize_t len, sent;		/* in buf: received, and echoed so far */
	char buf[16384];
};

static int check(const char *what, int r)
{
	if (r >= 0)
		return r;
	fprintf(stderr, "echo_server: %s: %s\n", what, strerror(-r));
	exit(1);
}

/* Echo until there is nothing to read or no room to write.  False: it is over. */
static bool serve(struct client *c)
{
	ssize_t n;

	for (;;) {
		if (c->sent == c->len) {
			c->sent = c->len = 0;
			n = rill_read(c->fd, c->buf, sizeof(c->buf));
			if (n <= 0)	/* 0 is the end of the stream */
				return n == -EAGAIN;
			c->len = n;
		}
		n = rill_write(c->fd, c->buf + c->sent, (size_t)(c->len - c->sent));
		if (n < 0)
			return n == -EAGAIN;
		c->sent += n;
	}
}

static void accept_one(int listener, int ep)
{
	int fd = rill_accept4(listener, NULL, NULL, SOCK_NONBLOCK);
	struct client *c = fd < 0 ? NULL : calloc(1, sizeof(*c));
	struct epoll_event ev = { EPOLLIN | EPOLLOUT | EPOLLET, { .ptr = c } };

	if (c) {
		c->fd = fd;
		check("epoll", rill_epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev));
	}
}

int main(int argc, char **argv)
{
	struct rill_engine_params par = { 0 };
	struct sockaddr_in sa = { .sin_family = AF_INET };
	struct epoll_event ev = { EPOLLIN, { .ptr = NULL } }, evs[64];
	struct rill_engine *e;
	char why[256];

	if (argc != 5)
		check("usage: DEVICE ADDRESS/LEN PEER-ADDRESS/LEN PORT", -EINVAL);
	par.dev = argv[1];
	par.addrs = (const char *[]){ argv[2], NULL };
	par.peer_addrs = (const char *[]){ argv[3], NULL };
	check(why, rill_engine_open(&par, &e, why, sizeof(why)));
	sa.sin_port = htons((uint16_t)atoi(argv[4]));
	int listener = check("socket", rill_socket(e, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
	check("bind", rill_bind(listener, (struct sockaddr *)&sa, sizeof(sa)));
	check("listen", rill_listen(listener, 128));
	int ep = check("epoll", rill_epoll_create(e));
	check("epoll", rill_epoll_ctl(ep, EPOLL_CTL_ADD, listener, &ev));
	for (;;) {
		int n = check("wait", rill_epoll_wait(ep, evs, 64, -1));
		for (int i = 0; i < n; i++) {
			struct client *c = evs[i].data.ptr;

			if (!c) {
				accept_one(listener, ep);
			} else if (!serve(c)) {
				rill_close(c->fd);
				free(c);
			}
		}
	}
}
