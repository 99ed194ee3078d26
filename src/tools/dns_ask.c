/* SPDX-License-Identifier: MIT */
/*
 * The asking of `rill dns`: a channel of c-ares for each question to each server, so
 * that none stands in for another and an error is that of its own socket; all at once,
 * one loop.  With a
 * stack, c-ares gets its sockets from there.
 */
#include <ares.h>
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "rill/socket.h"
#include "tools/dns.h"
#include "tools/out.h"

#define CLASS_IN	1
#define QUERIES_MAX	(DNS_SERVERS * DNS_TYPES)
#define SOCKETS_MAX	4		/* of a channel: one server, by UDP or TCP */
#define STEP_MS		500		/* no sleep is longer: c-ares has its own clock */

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

/* ---- sockets of a stack ---- */

static ssize_t with_errno(ssize_t r)
{
	if (r >= 0)
		return r;
	errno = (int)-r;
	return -1;
}

static ares_socket_t on_socket(int family, int type, int proto, void *e)
{
	return (ares_socket_t)with_errno(rill_socket(e, family, type | SOCK_NONBLOCK, proto));
}

static int on_close(ares_socket_t fd, void *e)
{
	(void)e;
	return (int)with_errno(rill_close(fd));
}

static int on_connect(ares_socket_t fd, const struct sockaddr *sa, ares_socklen_t len, void *e)
{
	(void)e;
	return (int)with_errno(rill_connect(fd, sa, len));
}

static ares_ssize_t on_recv(ares_socket_t fd, void *buf, size_t n, int flags,
			    struct sockaddr *sa, ares_socklen_t *len, void *e)
{
	(void)e;
	return with_errno(rill_recvfrom(fd, buf, n, flags, sa, len));
}

static ares_ssize_t on_send(ares_socket_t fd, const struct iovec *iov, int n, void *e)
{
	(void)e;
	return with_errno(rill_writev(fd, iov, n));
}

static const struct ares_socket_functions rill_sockets = {
	on_socket, on_close, on_connect, on_recv, on_send,
};

/* ---- servers ---- */

int dns_configured(struct dns_job *j)
{
	struct ares_addr_port_node *list = NULL;
	ares_channel ch;
	int r = ares_init(&ch);

	if (r == ARES_SUCCESS) {
		r = ares_get_servers_ports(ch, &list);
		for (struct ares_addr_port_node *s = list; s && j->nservers < DNS_SERVERS;
		     s = s->next) {
			struct dns_server *to = &j->server[j->nservers++];

			inet_ntop(s->family, &s->addr, to->addr, sizeof(to->addr));
			to->port = s->udp_port ? (unsigned)s->udp_port : 53;
		}
		ares_free_data(list);
		ares_destroy(ch);
	}
	if (r != ARES_SUCCESS)
		complain("dns: cannot read the configured resolvers: %s", ares_strerror(r));
	return r == ARES_SUCCESS ? (int)j->nservers : -1;
}

static bool open_channel(const struct dns_job *j, const struct dns_server *s, ares_channel *ch)
{
	struct ares_options o = { .timeout = j->timeout_ms, .tries = j->tries };
	char csv[96];
	int r;

	/* what a server says is shown as it is: no search list, no second thoughts */
	o.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES | ARES_FLAG_NOCHECKRESP |
		  (j->tcp ? ARES_FLAG_USEVC : 0);
	r = ares_init_options(ch, &o, ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES);
	if (r == ARES_SUCCESS) {
		snprintf(csv, sizeof(csv), strchr(s->addr, ':') ? "[%s]:%u" : "%s:%u", s->addr,
			 s->port);
		r = ares_set_servers_ports_csv(*ch, csv);
		if (r != ARES_SUCCESS)
			ares_destroy(*ch);
	}
	if (r != ARES_SUCCESS) {
		complain("dns: %s: %s", s->addr, ares_strerror(r));
		return false;
	}
	if (j->engine)
		ares_set_socket_functions(*ch, &rill_sockets, j->engine);
	return true;
}

/* ---- questions ---- */

static void on_answer(void *ctx, int status, int timeouts, unsigned char *msg, int len)
{
	struct dns_query *q = ctx;

	(void)timeouts;
	q->took_ns = now_ns() - q->began_ns;
	q->done = true;
	q->status = status;
	if (msg && len > 0) {
		q->answered = dns_parse(&q->answer, msg, (size_t)len) == 0;
		if (!q->answered)
			q->status = ARES_EBADRESP;
	}
}

const char *dns_why(const struct dns_query *q)
{
	switch (q->status) {
	case ARES_ETIMEOUT:
		return "no answer";
	case ARES_ECONNREFUSED:
		return "refused: nobody listens there, or the way is closed";
	case ARES_EBADRESP:
		return "an answer that is no DNS message";
	}
	return ares_strerror(q->status);
}

/* Sockets of one channel.  Return: how many are in @fds. */
static nfds_t gather(ares_channel ch, struct pollfd *fds)
{
	ares_socket_t s[SOCKETS_MAX];
	int bits = ares_getsock(ch, s, SOCKETS_MAX);
	nfds_t n = 0;

	for (int i = 0; i < SOCKETS_MAX; i++) {
		short ev = (short)((ARES_GETSOCK_READABLE(bits, i) ? POLLIN : 0) |
				   (ARES_GETSOCK_WRITABLE(bits, i) ? POLLOUT : 0));

		if (ev)
			fds[n++] = (struct pollfd) { .fd = s[i], .events = ev };
	}
	return n;
}

static int wait_ms(ares_channel *ch, unsigned n)
{
	struct timeval tv, step = { 0, STEP_MS * 1000 };

	for (unsigned i = 0; i < n; i++)
		step = *ares_timeout(ch[i], &step, &tv);
	return (int)(step.tv_sec * 1000 + (step.tv_usec + 999) / 1000);
}

static bool all_done(const struct dns_job *j, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (!j->query[i].done)
			return false;
	return true;
}

static void process(ares_channel ch, const struct pollfd *fds, nfds_t n)
{
	for (nfds_t i = 0; i < n; i++) {
		bool in = fds[i].revents & (POLLIN | POLLERR | POLLHUP);
		bool out = fds[i].revents & POLLOUT;

		ares_process_fd(ch, in ? fds[i].fd : ARES_SOCKET_BAD,
				out ? fds[i].fd : ARES_SOCKET_BAD);
	}
	ares_process_fd(ch, ARES_SOCKET_BAD, ARES_SOCKET_BAD);	/* what timed out */
}

/* Bounded: c-ares gives each question up after its tries. */
static void loop(struct dns_job *j, ares_channel *ch, unsigned nch)
{
	static struct pollfd fds[QUERIES_MAX * SOCKETS_MAX];
	nfds_t from[QUERIES_MAX + 1];

	while (!all_done(j, nch)) {
		nfds_t n = 0;

		for (unsigned i = 0; i < nch; i++) {
			from[i] = n;
			n += gather(ch[i], fds + n);
		}
		from[nch] = n;
		if (j->engine)
			rill_poll(fds, n, wait_ms(ch, nch));
		else
			poll(fds, n, wait_ms(ch, nch));
		for (unsigned i = 0; i < nch; i++)
			process(ch[i], fds + from[i], from[i + 1] - from[i]);
	}
}

bool dns_ask(struct dns_job *j)
{
	unsigned all = j->nservers * j->ntypes, n = 0;
	ares_channel ch[QUERIES_MAX];

	while (n < all && open_channel(j, &j->server[n / j->ntypes], &ch[n]))
		n++;
	for (unsigned i = 0; n == all && i < all; i++) {
		struct dns_query *q = &j->query[i];

		q->server = &j->server[i / j->ntypes];
		q->type = j->type[i % j->ntypes];
		q->began_ns = now_ns();
		ares_query(ch[i], j->name, CLASS_IN, (int)q->type, on_answer, q);
	}
	if (n == all)
		loop(j, ch, n);
	for (unsigned i = 0; i < n; i++)
		ares_destroy(ch[i]);
	return n == all;
}
