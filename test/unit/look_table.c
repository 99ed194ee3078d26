/* SPDX-License-Identifier: MIT */
/*
 * The table of connections (rill/table.h) against sockets that this test opens
 * itself, through sock_diag and through /proc/net, and lines of /proc/net/tcp by
 * text [B1] [B2] [D1].
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "look/source.h"
#include "rill/table.h"
#include "rl_test.h"

struct sockets {
	int		listener, client, server;
	uint16_t	lport, cport;
};

static uint16_t port_of(int fd)
{
	struct sockaddr_in sa;
	socklen_t n = sizeof(sa);

	getsockname(fd, (struct sockaddr *)&sa, &n);
	return ntohs(sa.sin_port);
}

/* A listener with one connection, over loopback, whose 5 bytes nobody reads. */
static bool open_sockets(struct sockets *s)
{
	struct sockaddr_in sa = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(sa);

	s->listener = socket(AF_INET, SOCK_STREAM, 0);
	s->client = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(s->listener, (struct sockaddr *)&sa, sizeof(sa)) || listen(s->listener, 7))
		return false;
	getsockname(s->listener, (struct sockaddr *)&sa, &n);
	if (connect(s->client, (struct sockaddr *)&sa, sizeof(sa)))
		return false;
	s->server = accept(s->listener, NULL, NULL);
	s->lport = ntohs(sa.sin_port);
	s->cport = port_of(s->client);
	return s->server >= 0 && send(s->client, "hello", 5, 0) == 5;
}

static void close_sockets(struct sockets *s)
{
	close(s->client);
	close(s->server);
	close(s->listener);
}

static const struct rill_sock *find(const struct rill_table *t, uint8_t state, uint16_t lport,
				    uint16_t pport)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->sock[i].proto == 6 && t->sock[i].state == state &&
		    t->sock[i].local.port == lport && t->sock[i].peer.port == pport)
			return &t->sock[i];
	return NULL;
}

static bool is_ours(const struct rill_sock *s, int fd)
{
	for (unsigned i = 0; i < s->nowners; i++)
		if (s->owners[i].pid == getpid() && s->owners[i].fd == fd)
			return true;
	return false;
}

/* [D1] [B2]: every field that the kernel shows of a socket of our own. */
TEST(table_of_the_kernel)
{
	struct rill_table_query q = RILL_TABLE_QUERY_INIT;
	const struct rill_sock *l, *c, *a;
	struct rill_table t;
	struct sockets s;

	CHECK("sockets", open_sockets(&s));
	q.want = RILL_WANT_KERNEL | RILL_WANT_TCP | RILL_WANT_INFO | RILL_WANT_MEM |
		 RILL_WANT_OWNERS;
	CHECK_EQ("read", rill_table_read(&q, &t), 0);
	CHECK_EQ("no error", t.notes.kernel_error, 0);
	l = find(&t, RILL_LISTEN, s.lport, 0);
	c = find(&t, RILL_ESTABLISHED, s.cport, s.lport);
	a = find(&t, RILL_ESTABLISHED, s.lport, s.cport);
	CHECK("all three are there", l && c && a);
	if (l && c && a) {
		CHECK_EQ("backlog", l->send_q, 7);
		CHECK_EQ("nobody waits", l->recv_q, 0);
		CHECK_EQ("5 bytes unread", a->recv_q, 5);
		CHECK_EQ("user", a->uid, getuid());
		CHECK("owner of the listener", is_ours(l, s.listener));
		CHECK("owner of the client", is_ours(c, s.client));
		CHECK("owner of the server", is_ours(a, s.server));
		CHECK("namespace", a->netns != 0);
		CHECK("family", a->family == 4 && a->local.ip.b[15] == 1);
		if (!t.notes.from_proc) {
			CHECK("TCP_INFO", a->has_info && a->info.bytes_received == 5);
			CHECK("congestion control", a->cc[0] != '\0');
			CHECK("memory", a->has_mem && a->rcvbuf > 0 && a->rmem_alloc > 0);
			CHECK("age is a bound", a->age_ms >= 0 && a->age_least);
		}
	}
	rill_table_free(&t);
	close_sockets(&s);
}

/* Only what the query asks for. */
TEST(table_by_states)
{
	struct rill_table_query q = RILL_TABLE_QUERY_INIT;
	struct rill_table t;
	struct sockets s;

	CHECK("sockets", open_sockets(&s));
	q.want = RILL_WANT_KERNEL | RILL_WANT_TCP | RILL_WANT_V4;
	q.states = 1u << RILL_LISTEN;
	CHECK_EQ("read", rill_table_read(&q, &t), 0);
	CHECK("the listener", find(&t, RILL_LISTEN, s.lport, 0) != NULL);
	for (size_t i = 0; i < t.n; i++)
		CHECK("state and family", t.sock[i].state == RILL_LISTEN &&
		      t.sock[i].family == 4 && !t.sock[i].nowners && !t.sock[i].has_info);
	CHECK_EQ("counted", t.notes.nkernel, t.n);
	rill_table_free(&t);
	q.want = RILL_WANT_KERNEL;
	CHECK_EQ("neither TCP nor UDP", rill_table_read(&q, &t), -22);
	close_sockets(&s);
}

struct seen {
	const struct sockets	*s;
	bool			 listener, server;
};

static bool look(void *ctx, const struct rill_sock *s)
{
	struct seen *seen = ctx;

	if (s->state == RILL_LISTEN && s->local.port == seen->s->lport)
		seen->listener = true;
	if (s->local.port == seen->s->lport && s->peer.port == seen->s->cport)
		seen->server = s->recv_q == 5 && s->inode && s->uid == getuid();
	return true;
}

/* Where sock_diag is not allowed the same sockets are found. */
TEST(table_by_proc)
{
	struct rill_table_query q = RILL_TABLE_QUERY_INIT;
	struct rill_table_notes notes = { 0 };
	struct rl_walk w = { .q = &q, .each = look, .notes = &notes };
	struct seen seen = { 0 };
	struct sockets s;

	CHECK("sockets", open_sockets(&s));
	q.want = RILL_WANT_KERNEL | RILL_WANT_TCP;
	seen.s = &s;
	w.ctx = &seen;
	CHECK_EQ("read", rl_source_proc(&w, 6), 0);
	CHECK("the listener", seen.listener);
	CHECK("the connection", seen.server);
	close_sockets(&s);
}

static const struct {
	const char *name, *line;
	uint8_t family;
	bool good;
	uint8_t state, timer;
	uint32_t recv_q, tries;
	uint16_t lport, pport;
} line_rows[] = {
	{ "head", "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   "
	  "uid  timeout inode", 4, false, 0, 0, 0, 0, 0, 0 },
	{ "listener", "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000003 00:00000000 00000000"
	  "  1000        0 12345 1 0000000000000000 100 0 0 10 0", 4, true, RILL_LISTEN,
	  RILL_TMR_NONE, 3, 0, 8080, 0 },
	{ "sending again", "   1: 0100007F:C350 0200007F:0050 01 00000010:00000000 01:00000014 "
	  "00000005  1000        0 12346 2 0000000000000000", 4, true, RILL_ESTABLISHED,
	  RILL_TMR_RTX, 0, 5, 50000, 80 },
	{ "half open", "   2: 0100007F:0050 0200007F:C350 0C 00000000:00000000 01:00000014 00000001"
	  "     0        0 0 1 0000000000000000", 4, true, RILL_SYN_RECV, RILL_TMR_RTX, 0, 1,
	  80, 50000 },
	{ "IPv6", "   0: 00000000000000000000000001000000:1F90 00000000000000000000000000000000:0000"
	  " 0A 00000000:00000000 00:00000000 00000000     0        0 7 1", 6, true, RILL_LISTEN,
	  RILL_TMR_NONE, 0, 0, 8080, 0 },
	{ "IPv4's length for IPv6", "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000003 "
	  "00:00000000 00000000  1000        0 12345", 6, false, 0, 0, 0, 0, 0, 0 },
	{ "no such state", "   0: 0100007F:1F90 00000000:0000 0F 00000000:00000003 "
	  "00:00000000 00000000  1000        0 12345", 4, false, 0, 0, 0, 0, 0, 0 },
	{ "breaks off", "   0: 0100007F:1F90 00000000:0000 0A 00000000:", 4, false,
	  0, 0, 0, 0, 0, 0 },
};

TEST(proc_lines)
{
	for (size_t i = 0; i < sizeof(line_rows) / sizeof(line_rows[0]); i++) {
		struct rill_sock s;
		bool good = rl_proc_line(line_rows[i].line, 6, line_rows[i].family, &s);

		CHECK_EQ(line_rows[i].name, good, line_rows[i].good);
		if (!good)
			continue;
		CHECK_EQ(line_rows[i].name, s.state, line_rows[i].state);
		CHECK_EQ(line_rows[i].name, s.timer, line_rows[i].timer);
		CHECK_EQ(line_rows[i].name, s.recv_q, line_rows[i].recv_q);
		CHECK_EQ(line_rows[i].name, s.tries, line_rows[i].tries);
		CHECK_EQ(line_rows[i].name, s.local.port, line_rows[i].lport);
		CHECK_EQ(line_rows[i].name, s.peer.port, line_rows[i].pport);
	}
}
