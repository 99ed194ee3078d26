/* SPDX-License-Identifier: MIT */
/*
 * The programs of a scene: a server that listens, or a client that keeps a number of
 * connections.  What it does with them is a word of bits in memory shared with the
 * stager, looked at in every round; SIGUSR1 puts the word of the mended program there,
 * which stands for "fixed and reloaded".  Loops over poll() with a limit in time, so
 * that a changed word is noticed.  Called by lab_stage.c, in the actor's process.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tools/lab.h"

#define CONNS_MAX	8192
#define LISTENERS_MAX	64
#define ROUND_MS	20		/* until a new word is looked at */
#define BATCH		64		/* connections opened or accepted in one round */

struct end {
	int	fd;
	bool	up, eof;		/* connected; end of file read */
};

static struct actor {
	const struct lab_spec *spec;
	struct lab_shared *sh;
	unsigned	does;
	int		lfd[LISTENERS_MAX];
	unsigned	nlfd;
	struct end	*conn;
	struct pollfd	*poll;
	unsigned	n;
	unsigned	next;		/* destinations tried */
	int64_t		paused;		/* no connect() before */
	int64_t		chat;		/* next message is due */
	int64_t		since;		/* for the rate */
	uint64_t	opened;
} me;

static char bytes[65536];
static volatile sig_atomic_t mended;

void lab_actor_quit(struct lab_shared *sh, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(sh->why, sizeof(sh->why), fmt, ap);
	va_end(ap);
	_exit(1);
}

static void on_usr1(int sig)
{
	(void)sig;
	mended = 1;
}

static unsigned every_ms(void)
{
	return me.spec->every_ms ? me.spec->every_ms : 200;
}

/* ---- listening ---- */

static int listener(unsigned port)
{
	bool udp = me.does & DO_UDP;
	int fd = lab_socket(udp), r = fd;

	if (fd < 0)
		lab_actor_quit(me.sh, "socket: %s", strerror(-fd));
	lab_setopt(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (me.spec->rcvbuf)
		lab_setopt(fd, SOL_SOCKET, SO_RCVBUF, me.spec->rcvbuf);
	if (me.spec->sndbuf)
		lab_setopt(fd, SOL_SOCKET, SO_SNDBUF, me.spec->sndbuf);
	r = lab_bind(fd, me.spec->addr, port);
	if (r == 0 && !udp)
		r = lab_listen(fd, me.spec->backlog ? me.spec->backlog : 512);
	if (r < 0)
		lab_actor_quit(me.sh, "port %u: %s", port, strerror(-r));
	return fd;
}

static void open_listeners(void)
{
	unsigned n = me.spec->ports ? me.spec->ports : 1;

	for (me.nlfd = 0; me.spec->listens && me.nlfd < n && me.nlfd < LISTENERS_MAX; me.nlfd++)
		me.lfd[me.nlfd] = listener(me.spec->port + me.nlfd);
}

static void add(int fd, bool up)
{
	if (me.does & DO_KEEPALIVE) {
		lab_setopt(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
		lab_setopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, 60);
		lab_setopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, 10);
	}
	me.conn[me.n++] = (struct end){ .fd = fd, .up = up };
}

static void accept_all(int lfd)
{
	for (int i = 0; i < BATCH && me.n < CONNS_MAX; i++) {
		int fd = lab_accept(lfd);

		if (fd == -EMFILE || fd == -ENFILE) {
			me.sh->descriptors++;
			me.paused = lab_now_ms() + every_ms();	/* trying again is no use */
		}
		if (fd < 0)
			return;
		me.sh->accepted++;
		if (me.does & DO_SHORT)
			lab_close(fd);
		else
			add(fd, true);
	}
}

/* ---- connecting ---- */

static void failed(int err)
{
	me.sh->err = err;
	me.sh->failed++;
	me.paused = lab_now_ms() + every_ms();
}

static bool connect_one(void)
{
	unsigned spread = me.spec->spread ? me.spec->spread : 1;
	unsigned ports = me.spec->ports ? me.spec->ports : 1;
	uint32_t ip = ntohl(inet_addr(me.spec->addr)) + me.next % spread;
	unsigned port = me.spec->port + me.next++ % ports;
	int fd = lab_socket(me.does & DO_UDP), r;

	if (fd < 0) {
		failed(-fd);
		return false;
	}
	if (me.spec->from) {
		lab_setopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
		lab_bind(fd, me.spec->from, 0);
	}
	if (me.spec->rcvbuf)
		lab_setopt(fd, SOL_SOCKET, SO_RCVBUF, me.spec->rcvbuf);
	if (me.spec->sndbuf)
		lab_setopt(fd, SOL_SOCKET, SO_SNDBUF, me.spec->sndbuf);
	r = lab_connect(fd, ip, port);
	if (r < 0 && r != -EINPROGRESS) {
		lab_close(fd);
		failed(-r);
		return false;
	}
	add(fd, false);
	me.opened++;
	return true;
}

static bool rate_allows(void)
{
	return !me.spec->rate ||
	       me.opened * 1000 < (uint64_t)(lab_now_ms() - me.since + 10) * me.spec->rate;
}

static void connect_more(void)
{
	if (me.spec->listens || me.does & DO_DROP || lab_now_ms() < me.paused)
		return;
	if (me.does & DO_STAY && me.opened >= me.spec->want)
		return;
	for (int i = 0; i < BATCH && me.n < me.spec->want && me.n < CONNS_MAX; i++)
		if (!rate_allows() || !connect_one())
			return;
}

/* ---- one connection ---- */

static void end_it(struct end *c, int err)
{
	lab_close(c->fd);
	c->fd = -1;
	me.sh->closed++;
	if (err)
		failed(err);
}

static void came_up(struct end *c)
{
	int err = lab_error(c->fd);

	if (err) {
		end_it(c, err);
		return;
	}
	c->up = true;
	me.sh->connected++;
	if (me.does & DO_SHORT)
		end_it(c, 0);
}

static void read_it(struct end *c)
{
	ssize_t r = lab_read(c->fd, bytes, sizeof(bytes));

	if (r > 0) {
		me.sh->in += (uint64_t)r;
		if (me.does & DO_ECHO && (r = lab_write(c->fd, bytes, (size_t)r)) > 0)
			me.sh->out += (uint64_t)r;
		return;
	}
	if (r == 0)
		c->eof = true;
	else if (r != -EAGAIN && r != -EINTR)
		end_it(c, (int)-r);
}

static bool send_some(struct end *c, size_t n)
{
	ssize_t r = lab_write(c->fd, bytes, n);

	if (r > 0)
		me.sh->out += (uint64_t)r;
	else if (r != -EAGAIN && r != -EINTR)
		end_it(c, (int)-r);
	return r > 0;
}

static void fill(struct end *c)
{
	for (int i = 0; i < 16 && send_some(c, sizeof(bytes)); i++)
		;
}

static short events_of(const struct end *c)
{
	short e = 0;

	if (!c->up || me.does & DO_FILL)
		e |= POLLOUT;
	if (c->up && me.does & DO_READ && !c->eof)
		e |= POLLIN;
	return e;
}

static void serve(struct end *c, short got)
{
	if (!c->up && got) {
		came_up(c);
		return;
	}
	if (got & POLLIN && me.does & DO_READ)
		read_it(c);
	else if (got & (POLLERR | POLLHUP))
		end_it(c, lab_error(c->fd));
	if (c->fd >= 0 && got & POLLOUT && me.does & DO_FILL)
		fill(c);
}

/* What the word asks for without an event. */
static void obey(struct end *c, bool chat)
{
	if (me.does & DO_DROP || (c->eof && me.does & DO_CLOSE)) {
		end_it(c, 0);
		return;
	}
	if (chat && c->up)
		send_some(c, me.spec->chunk ? me.spec->chunk : 64);
}

/* ---- a round ---- */

static void look_at_word(void)
{
	if (mended) {
		mended = 0;
		me.sh->does = me.spec->cured;
	}
	me.does = me.sh->does;
	if (me.does & DO_REOPEN) {
		for (unsigned i = 0; i < me.nlfd; i++)
			lab_close(me.lfd[i]);
		open_listeners();
		me.does &= ~(unsigned)DO_REOPEN;
		me.sh->does = me.does;
	}
}

static void obey_all(void)
{
	bool chat = me.does & DO_CHAT && lab_now_ms() >= me.chat;
	unsigned kept = 0;

	if (chat)
		me.chat = lab_now_ms() + every_ms();
	for (unsigned i = 0; i < me.n; i++) {
		if (me.conn[i].fd >= 0)
			obey(&me.conn[i], chat);
		if (me.conn[i].fd >= 0)
			me.conn[kept++] = me.conn[i];
	}
	me.n = kept;
}

static void datagrams(int fd)
{
	ssize_t r;

	for (int i = 0; i < BATCH && (r = lab_answer(fd, bytes, sizeof(bytes))) > 0; i++)
		me.sh->in += (uint64_t)r;
}

static void wait_and_serve(void)
{
	bool listen = me.does & DO_ACCEPT && lab_now_ms() >= me.paused;
	unsigned nl = listen ? me.nlfd : 0;

	for (unsigned i = 0; i < nl; i++)
		me.poll[i] = (struct pollfd){ .fd = me.lfd[i], .events = POLLIN };
	for (unsigned i = 0; i < me.n; i++)
		me.poll[nl + i] = (struct pollfd){ .fd = me.conn[i].fd,
						   .events = events_of(&me.conn[i]) };
	if (lab_poll(me.poll, nl + me.n, ROUND_MS) <= 0)
		return;
	for (unsigned i = 0; i < me.n; i++)
		if (me.poll[nl + i].revents)
			serve(&me.conn[i], me.poll[nl + i].revents);
	for (unsigned i = 0; i < nl; i++) {
		if (!me.poll[i].revents)
			continue;
		if (me.does & DO_UDP)
			datagrams(me.lfd[i]);
		else
			accept_all(me.lfd[i]);
	}
}

static void limit_descriptors(void)
{
	struct rlimit lim;

	getrlimit(RLIMIT_NOFILE, &lim);
	lim.rlim_cur = me.spec->nofile ? me.spec->nofile : lim.rlim_max;
	setrlimit(RLIMIT_NOFILE, &lim);
}

void lab_actor_run(const struct lab_spec *spec, struct lab_shared *sh)
{
	signal(SIGUSR1, on_usr1);
	me.spec = spec;
	me.sh = sh;
	me.does = sh->does;
	me.since = lab_now_ms();
	me.conn = calloc(CONNS_MAX, sizeof(*me.conn));
	me.poll = calloc(CONNS_MAX + LISTENERS_MAX, sizeof(*me.poll));
	if (!me.conn || !me.poll)
		lab_actor_quit(sh, "no memory");
	limit_descriptors();
	open_listeners();
	sh->ready = 1;
	for (;;) {			/* until it is killed */
		look_at_word();
		obey_all();
		connect_more();
		wait_and_serve();
	}
}
