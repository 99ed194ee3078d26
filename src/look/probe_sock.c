/* SPDX-License-Identifier: MIT */
/*
 * Probes over sockets.  For each kind there is a right that makes it exact and a
 * way without it:
 *
 *	ICMP	a ping socket (net.ipv4.ping_group_range), or a raw one
 *	UDP	a raw socket, or a plain one (a quote of 8 bytes then names no probe)
 *	TCP	a raw socket that sends SYNs, or connect() for each probe
 *
 * Errors from routers come by IP_RECVERR in all of them.  One socket has one flow;
 * connections of one lane use one source port after the other's end.
 *
 * probe_tcp.c has the connections.
 */
#include "look/probe_sock.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <linux/errqueue.h>

#include "look/probe_sock_int.h"

#define ICMP4_FILTER	1		/* of SOL_RAW, linux/icmp.h */
#define ICMP6_FILTER_OPT 1		/* of IPPROTO_ICMPV6 */
#define SOL_RAW_LEVEL	255
#define RCVBUF		(1 << 20)

int64_t probe_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static bool is_v6(const struct probe_sock *ps)
{
	return ps->wire.v6;
}

void probe_to_ip(const struct sockaddr *sa, struct rill_ip *ip)
{
	const struct sockaddr_in6 *s6 = (const void *)sa;
	const struct sockaddr_in *s4 = (const void *)sa;

	memset(ip, 0, sizeof(*ip));
	if (sa->sa_family == AF_INET6) {
		memcpy(ip->b, &s6->sin6_addr, 16);
	} else {
		ip->b[10] = ip->b[11] = 0xff;
		memcpy(ip->b + 12, &s4->sin_addr, 4);
	}
}

void probe_set_port(struct sockaddr_storage *ss, uint16_t port)
{
	if (ss->ss_family == AF_INET6)
		((struct sockaddr_in6 *)ss)->sin6_port = htons(port);
	else
		((struct sockaddr_in *)ss)->sin_port = htons(port);
}

uint16_t probe_get_port(const struct sockaddr_storage *ss)
{
	if (ss->ss_family == AF_INET6)
		return ntohs(((const struct sockaddr_in6 *)ss)->sin6_port);
	return ntohs(((const struct sockaddr_in *)ss)->sin_port);
}

/* ---- opening ---- */

static int protocol(const struct probe_sock *ps)
{
	switch (ps->wire.kind) {
	case PROBE_ICMP:
		return is_v6(ps) ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
	case PROBE_UDP:
		return IPPROTO_UDP;
	case PROBE_TCP:
		return IPPROTO_TCP;
	}
	return 0;
}

static int open_type(struct probe_sock *ps, int type)
{
	return ps->call->socket(ps->conf.engine, is_v6(ps) ? AF_INET6 : AF_INET,
				type | SOCK_NONBLOCK, protocol(ps));
}

/* First what needs the lesser right; UDP and TCP are exact only when raw. */
static int open_best(struct probe_sock *ps)
{
	bool raw_first = ps->wire.kind != PROBE_ICMP;
	int fd = -EPERM;

	for (int i = 0; i < 2; i++) {
		ps->wire.raw = raw_first == (i == 0);
		if (ps->wire.raw && ps->conf.engine)
			continue;
		if (!ps->wire.raw && ps->wire.kind == PROBE_TCP)
			return -EPERM;
		fd = open_type(ps, ps->wire.raw ? SOCK_RAW : SOCK_DGRAM);
		if (fd >= 0)
			return fd;
	}
	return fd;
}

static void set_int(struct probe_sock *ps, int level, int name, int v)
{
	(void)ps->call->setsockopt(ps->fd, level, name, &v, sizeof(v));
}

/* Raw ICMP sockets would see all kinds of messages: replies are enough. */
static void set_filters(struct probe_sock *ps)
{
	uint32_t pass4 = ~(1u << 0), pass6[8];

	if (!ps->wire.raw || ps->wire.kind != PROBE_ICMP)
		return;
	memset(pass6, 0xff, sizeof(pass6));
	pass6[129 / 32] = ~(1u << 129 % 32);	/* a bit that is set blocks */
	if (is_v6(ps))
		(void)ps->call->setsockopt(ps->fd, IPPROTO_ICMPV6, ICMP6_FILTER_OPT, pass6,
					   sizeof(pass6));
	else
		(void)ps->call->setsockopt(ps->fd, SOL_RAW_LEVEL, ICMP4_FILTER, &pass4,
					   sizeof(pass4));
}

static void set_options(struct probe_sock *ps)
{
	set_int(ps, SOL_SOCKET, SO_RCVBUF, RCVBUF);
	if (is_v6(ps)) {
		set_int(ps, IPPROTO_IPV6, IPV6_RECVERR, 1);
		set_int(ps, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
		set_int(ps, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DONT);
	} else {
		set_int(ps, IPPROTO_IP, IP_RECVERR, 1);
		set_int(ps, IPPROTO_IP, IP_RECVTTL, 1);
		set_int(ps, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT);
	}
	set_filters(ps);
}

/*
 * A source port that nobody else gets while this runs, and for which the kernel
 * does not answer a UDP reply by port unreachable; raw sockets see replies too.
 */
static int hold_port(struct probe_sock *ps)
{
	struct sockaddr_storage ss = { .ss_family = ps->conf.dst.ss_family };
	socklen_t len = sizeof(ss);
	int fd = ps->call->socket(ps->conf.engine, ss.ss_family,
				  ps->wire.kind == PROBE_UDP ? SOCK_DGRAM : SOCK_STREAM, 0);

	if (fd < 0)
		return fd;
	(void)ps->call->bind(fd, (struct sockaddr *)&ss, ps->conf.dst_len);
	if (ps->call->getsockname(fd, (struct sockaddr *)&ss, &len) == 0)
		ps->wire.sport = probe_get_port(&ss);
	ps->holder = fd;
	return 0;
}

static int connect_it(struct probe_sock *ps)
{
	struct sockaddr_storage dst = ps->conf.dst, ss;
	socklen_t len = sizeof(ss);
	int r = 0;

	if (ps->conf.src)
		r = ps->call->bind(ps->fd, (const struct sockaddr *)ps->conf.src,
				   ps->conf.src_len);
	if (r)
		return r;
	probe_set_port(&dst, ps->wire.raw || ps->wire.kind == PROBE_ICMP ? 0 : ps->conf.port);
	r = ps->call->connect(ps->fd, (struct sockaddr *)&dst, ps->conf.dst_len);
	if (r)
		return r;
	r = ps->call->getsockname(ps->fd, (struct sockaddr *)&ss, &len);
	if (r)
		return r;
	probe_to_ip((struct sockaddr *)&ss, &ps->wire.src);
	probe_to_ip((struct sockaddr *)&dst, &ps->wire.dst);
	return ps->wire.raw && ps->wire.kind != PROBE_ICMP ? hold_port(ps) : 0;
}

static int say_rights(const struct probe_sock *ps, int err, char *why, size_t n)
{
	char range[64] = "";
	FILE *f = fopen("/proc/sys/net/ipv4/ping_group_range", "re");

	if (f) {
		if (!fgets(range, sizeof(range), f))
			range[0] = '\0';
		fclose(f);
	}
	for (char *p = range; *p; p++)
		*p = *p == '\t' ? ' ' : *p == '\n' ? '\0' : *p;
	if (err != -EPERM && err != -EACCES)
		snprintf(why, n, "no socket: %s", strerror(-err));
	else
		snprintf(why, n, "ICMP is not permitted: ping sockets are for groups \"%s\" and "
			 "raw ones need CAP_NET_RAW; as root: sysctl -w "
			 "net.ipv4.ping_group_range=\"0 2147483647\"; or use TCP, which needs no "
			 "right", range);
	(void)ps;
	return err;
}

static const char *way(const struct probe_sock *ps)
{
	switch (ps->wire.kind) {
	case PROBE_ICMP:
		return ps->wire.raw ? "ICMP, raw socket" : "ICMP, ping socket";
	case PROBE_UDP:
		return ps->wire.raw ? "UDP, raw socket" : "UDP";
	case PROBE_TCP:
		return ps->fd >= 0 ? "TCP SYN, raw socket" : "TCP connect()";
	}
	return "";
}

static void init(struct probe_sock *ps, const struct probe_conf *conf)
{
	memset(ps, 0, offsetof(struct probe_sock, buf));
	ps->conf = *conf;
	ps->call = conf->engine ? &probe_rill_calls : &probe_kernel_calls;
	ps->fd = ps->holder = -1;
	ps->wire = (struct probe_wire){
		.kind = conf->kind, .v6 = conf->dst.ss_family == AF_INET6,
		.id = (uint16_t)(getpid() ^ (int)(probe_now_ns() >> 10)),
		.dport = conf->port, .size = conf->size,
	};
	for (int i = 0; i < PROBE_CONNS; i++)
		ps->conn[i].fd = -1;
}

int probe_open(struct probe_sock *ps, const struct probe_conf *conf, char *why, size_t n)
{
	int r;

	init(ps, conf);
	if (conf->engine && conf->kind == PROBE_TCP && conf->lanes) {
		snprintf(why, n, "a stack's TCP does not tell who reports an error: trace with UDP "
			 "or ICMP, or by the kernel, without the stack's options");
		return -EOPNOTSUPP;
	}
	ps->fd = conf->kind == PROBE_TCP && conf->connect_only ? -EPERM : open_best(ps);
	if (ps->fd < 0 && conf->kind == PROBE_TCP) {
		ps->fd = -1;
		ps->wire.raw = false;
		ps->way = way(ps);
		return 0;
	}
	if (ps->fd < 0) {
		r = ps->fd;
		ps->fd = -1;
		return say_rights(ps, r, why, n);
	}
	ps->way = way(ps);
	set_options(ps);
	r = connect_it(ps);
	if (r) {
		snprintf(why, n, "cannot probe that address: %s", strerror(-r));
		probe_close(ps);
	}
	return r;
}

void probe_close(struct probe_sock *ps)
{
	for (int i = 0; i < PROBE_CONNS; i++)
		probe_conn_close(ps, &ps->conn[i], true);
	if (ps->holder >= 0)
		ps->call->close(ps->holder);
	if (ps->fd >= 0)
		ps->call->close(ps->fd);
	ps->fd = ps->holder = -1;
}

/* ---- sending ---- */

void probe_set_ttl(struct probe_sock *ps, int fd, unsigned ttl)
{
	int v = (int)ttl;

	if (!ttl)
		return;
	if (is_v6(ps))
		(void)ps->call->setsockopt(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &v, sizeof(v));
	else
		(void)ps->call->setsockopt(fd, IPPROTO_IP, IP_TTL, &v, sizeof(v));
}

/* An error of an earlier probe is reported by a later call: it is in the queue too. */
#define SEND_TRIES	16

int probe_send(struct probe_sock *ps, uint16_t seq, unsigned ttl, unsigned lane)
{
	ssize_t r = -EIO;
	size_t n;

	if (ps->fd < 0)
		return probe_conn_start(ps, seq, ttl, lane);
	if ((int)ttl != ps->ttl)
		probe_set_ttl(ps, ps->fd, ttl);
	ps->ttl = (int)ttl;
	n = probe_build(&ps->wire, seq, ps->buf);
	for (int i = 0; i < SEND_TRIES; i++) {
		r = ps->call->send(ps->fd, ps->buf, n, MSG_NOSIGNAL);
		if (r >= 0)
			return 0;
		if (r != -EHOSTUNREACH && r != -ECONNREFUSED && r != -ENETUNREACH &&
		    r != -EPROTO && r != -ENOPROTOOPT && r != -EOPNOTSUPP && r != -EACCES)
			break;
	}
	return (int)r;
}

/* ---- receiving ---- */

int probe_wait(struct probe_sock *ps, struct pollfd *also, int timeout_ms)
{
	struct pollfd p[PROBE_CONNS + 2];
	nfds_t n = 0;
	int r;

	if (also)
		p[n++] = *also;
	if (ps->fd >= 0)
		p[n++] = (struct pollfd){ .fd = ps->fd, .events = POLLIN };
	for (int i = 0; i < PROBE_CONNS; i++)
		if (ps->conn[i].fd >= 0)
			p[n++] = (struct pollfd){ .fd = ps->conn[i].fd, .events = POLLOUT };
	r = ps->call->poll(p, n, timeout_ms);
	if (also)
		also->revents = r > 0 ? p[0].revents : 0;
	return r;
}

/* What came with a message; the control data was filled by recvmsg(). */
static const struct sock_extended_err *read_cmsgs(struct msghdr *m, struct probe_answer *a)
{
	const struct sock_extended_err *ee = NULL;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TTL) ||
		    (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_HOPLIMIT))
			memcpy(&a->ttl, CMSG_DATA(c), sizeof(a->ttl));
		if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) ||
		    (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR))
			ee = (const void *)CMSG_DATA(c);
	}
	return ee;
}

/* What an error from the way means for a trace. */
static void classify(const struct probe_sock *ps, const struct sock_extended_err *ee,
		     struct probe_answer *a)
{
	bool icmp6 = ee->ee_origin == SO_EE_ORIGIN_ICMP6;
	uint8_t unreach = icmp6 ? 1 : 3, port = icmp6 ? 4 : 3, time = icmp6 ? 3 : 11;
	const struct sockaddr *who = SO_EE_OFFENDER(ee);

	a->v6 = icmp6;
	a->type = ee->ee_type;
	a->code = ee->ee_code;
	a->mtu = ee->ee_errno == EMSGSIZE ? ee->ee_info : 0;
	if (who->sa_family == AF_INET || who->sa_family == AF_INET6)
		probe_to_ip(who, &a->from);
	else
		a->from = ps->wire.src;
	a->local = !memcmp(a->from.b, ps->wire.src.b, sizeof(a->from.b)) &&
		   memcmp(a->from.b, ps->wire.dst.b, sizeof(a->from.b));
	if (a->type == time)
		a->what = PROBE_TRANSIT;
	else if (ps->wire.kind == PROBE_UDP && a->type == unreach && a->code == port)
		a->what = PROBE_REACHED;
	else
		a->what = PROBE_REFUSED;
}

ssize_t probe_read_error(struct probe_sock *ps, int fd, struct probe_answer *a)
{
	char control[512];
	struct sockaddr_storage name;
	struct iovec iov = { ps->buf, sizeof(ps->buf) };
	struct msghdr m = { .msg_name = &name, .msg_namelen = sizeof(name), .msg_iov = &iov,
			    .msg_iovlen = 1, .msg_control = control,
			    .msg_controllen = sizeof(control) };
	ssize_t r = ps->call->recvmsg(fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT);
	const struct sock_extended_err *ee;

	*a = (struct probe_answer){ .ttl = -1 };
	if (r < 0)
		return r;
	ee = read_cmsgs(&m, a);
	if (!ee || (ee->ee_origin != SO_EE_ORIGIN_ICMP && ee->ee_origin != SO_EE_ORIGIN_ICMP6))
		return -ENOMSG;		/* our own host's: the sender was told already */
	a->at_ns = probe_now_ns();
	classify(ps, ee, a);
	return r;
}

/* Return: 1: *@a is one; 0: look again; -errno: nothing there. */
static int next_error(struct probe_sock *ps, struct probe_answer *a)
{
	ssize_t r = probe_read_error(ps, ps->fd, a);

	if (r < 0)
		return r == -ENOMSG ? 0 : (int)r;
	return probe_read_quote(&ps->wire, ps->buf, (size_t)r, a);
}

static int next_reply(struct probe_sock *ps, struct probe_answer *a)
{
	char control[256];
	struct sockaddr_storage name;
	struct iovec iov = { ps->buf, sizeof(ps->buf) };
	struct msghdr m = { .msg_name = &name, .msg_namelen = sizeof(name), .msg_iov = &iov,
			    .msg_iovlen = 1, .msg_control = control,
			    .msg_controllen = sizeof(control) };
	ssize_t r = ps->call->recvmsg(ps->fd, &m, MSG_DONTWAIT);

	*a = (struct probe_answer){ .ttl = -1 };
	if (r < 0)		/* an error that the queue holds as well, or none */
		return r == -EAGAIN || r == -EBADF ? (int)r : 0;
	a->at_ns = probe_now_ns();
	read_cmsgs(&m, a);
	probe_to_ip((struct sockaddr *)&name, &a->from);
	return probe_read_reply(&ps->wire, ps->buf, (size_t)r, a);
}

#define LOOKS	1024		/* messages that are passed over in one call */

bool probe_receive(struct probe_sock *ps, struct probe_answer *a)
{
	int e = 0, r = 0;

	if (ps->fd < 0)
		return probe_conn_receive(ps, a);
	for (int i = 0; i < LOOKS && (e >= 0 || r >= 0); i++) {
		if (e >= 0 && (e = next_error(ps, a)) > 0)
			return true;
		if (r >= 0 && (r = next_reply(ps, a)) > 0)
			return true;
	}
	return false;
}

void probe_tidy(struct probe_sock *ps, const struct probe_run *r)
{
	for (int i = 0; i < PROBE_CONNS; i++)
		if (ps->conn[i].fd >= 0 && !probe_run_waits(r, ps->conn[i].seq))
			probe_conn_close(ps, &ps->conn[i], true);
}
