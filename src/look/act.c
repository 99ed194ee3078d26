/* SPDX-License-Identifier: MIT */
/*
 * Actions on sockets of other programs, and the log of what was done.  The kernel's
 * sockets are ended by SOCK_DESTROY, found again by their cookie so that a new
 * socket with the same addresses is safe; their options are set on a duplicate of
 * the owner's descriptor (pidfd_getfd), which is checked to be the same socket.
 * Stacks do it themselves when their control socket is asked.  Called by `rill
 * kill`, `rill keepalive`, `rill ss -K` and the live view.
 */
#include "look/act.h"

#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "look/ctlc.h"
#include "look/source.h"

#define LINE_MAX_LEN	640

struct rl_act {
	FILE			*log, *out;
	int			 netns_fd;
	struct mnl_socket	*nl;		/* opened when first needed */
	uint32_t		 seq;
	struct ctl_stacks	*stacks;	/* the same */
	char			 last[LINE_MAX_LEN];
};

struct rl_act *rl_act_open(const char *log, int netns_fd)
{
	struct rl_act *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->netns_fd = netns_fd;
	if (log) {
		a->log = fopen(log, "ae");
		if (!a->log) {
			free(a);
			return NULL;
		}
	}
	return a;
}

void rl_act_close(struct rl_act *a)
{
	if (!a)
		return;
	if (a->log)
		fclose(a->log);
	if (a->nl)
		mnl_socket_close(a->nl);
	if (a->stacks)
		ctlc_close(a->stacks);
	free(a->stacks);
	free(a);
}

void rl_act_tell(struct rl_act *a, FILE *out)
{
	a->out = out;
}

const char *rl_act_last(const struct rl_act *a)
{
	return a->last;
}

/* ---- words ---- */

static size_t put_addr(char *buf, size_t n, const struct rill_addr *a, bool v4)
{
	char ip[INET6_ADDRSTRLEN];
	int r;

	inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? a->ip.b + 12 : a->ip.b, ip, sizeof(ip));
	r = snprintf(buf, n, v4 ? "%s:" : "[%s]:", ip);
	r += a->port ? snprintf(buf + r, n - (size_t)r, "%u", a->port)
		     : snprintf(buf + r, n - (size_t)r, "*");
	return (size_t)r;
}

const char *rl_act_name(const struct rill_sock *s, char buf[RL_ACT_NAME])
{
	size_t n = put_addr(buf, RL_ACT_NAME, &s->local, s->family == 4);

	n += (size_t)snprintf(buf + n, RL_ACT_NAME - n, " -> ");
	put_addr(buf + n, RL_ACT_NAME - n, &s->peer, s->family == 4);
	return buf;
}

const char *rl_act_why(int err, const struct rill_sock *s)
{
	bool kernel = s->source == RILL_SRC_KERNEL;

	switch (err < 0 ? -err : err) {
	case 0:
		return "done";
	case ENOENT:
		return "it is gone already";
	case EPERM:
	case EACCES:
		return kernel ? "not permitted: be root (CAP_NET_ADMIN, for options CAP_SYS_PTRACE)"
			      : "the stack does not permit it";
	case EOPNOTSUPP:
		return kernel ? "this kernel ends no socket in this state"
			      : "the stack ends no endpoint in this state";
	case EHOSTDOWN:
		return "its stack does not answer";
	case EBADF:
		if (!kernel)
			return s->half_open || s->state == RILL_TIME_WAIT
				? "no program has it: only its stack's own timers end it"
				: "it is no connection of a program (any more)";
		if (s->orphan || s->half_open || s->state == RILL_TIME_WAIT)
			return "no program holds it: only the kernel's own timers end it";
		return !s->inode
			? "it waits in a listener's queue: no program has accepted it yet"
			: "the program that holds it is hidden from us: be root";
	case EPROTONOSUPPORT:
		return "it is no TCP socket";
	case EINVAL:
		return "not in this state, or a value out of range";
	}
	return strerror(err < 0 ? -err : err);
}

/* ---- the log ---- */

static void put_who(char *buf, size_t n, const struct rill_sock *s)
{
	if (s->source == RILL_SRC_RILL)
		snprintf(buf, n, "%s,pid=%d", s->stack, s->pid);
	else if (s->nowners)
		snprintf(buf, n, "%s,pid=%d,fd=%d", s->owners[0].comm, s->owners[0].pid,
			 s->owners[0].fd);
	else
		snprintf(buf, n, "-");
}

/* What happened to @s: to @out as it is, to the log with the time in front. */
static void tell(struct rl_act *a, const char *verb, const struct rill_sock *s, int err,
		 const char *more)
{
	char name[RL_ACT_NAME], who[64], now[32];
	time_t t = time(NULL);
	struct tm tm;

	put_who(who, sizeof(who), s);
	snprintf(a->last, sizeof(a->last), "%s %s %s %s %s: %s%s%s", verb,
		 s->proto == IPPROTO_UDP ? "udp" : "tcp",
		 s->proto == IPPROTO_UDP ? "UNCONN" : rill_state_ss(s->state),
		 rl_act_name(s, name), who, err ? "failed, " : "",
		 err ? rl_act_why(err, s) : "done", err ? "" : more);
	if (a->out)
		fprintf(a->out, "%s\n", a->last);
	if (!a->log || !gmtime_r(&t, &tm))
		return;
	strftime(now, sizeof(now), "%Y-%m-%dT%H:%M:%SZ", &tm);
	fprintf(a->log, "%s rill[%ld]: %s\n", now, (long)getpid(), a->last);
	fflush(a->log);
}

/* ---- the kernel: ending ---- */

static void put_id(struct inet_diag_req_v2 *req, const struct rill_sock *s)
{
	bool v4 = s->family == 4;
	size_t skip = v4 ? 12 : 0;

	req->sdiag_family = v4 ? AF_INET : AF_INET6;
	req->sdiag_protocol = s->proto;
	req->idiag_states = ~0u;
	req->id.idiag_sport = htons(s->local.port);
	req->id.idiag_dport = htons(s->peer.port);
	memcpy(req->id.idiag_src, s->local.ip.b + skip, 16 - skip);
	memcpy(req->id.idiag_dst, s->peer.ip.b + skip, 16 - skip);
	req->id.idiag_if = s->ifindex;
	req->id.idiag_cookie[0] = (uint32_t)s->cookie;
	req->id.idiag_cookie[1] = (uint32_t)(s->cookie >> 32);
	if (!s->cookie)			/* read from /proc, which has none */
		req->id.idiag_cookie[0] = req->id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
}

static int kernel_kill(struct rl_act *a, const struct rill_sock *s)
{
	uint8_t buf[8192] = { 0 };
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	ssize_t n;

	if (!a->nl)
		a->nl = rl_diag_open(a->netns_fd);
	if (!a->nl)
		return -errno;
	nlh->nlmsg_type = SOCK_DESTROY;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	nlh->nlmsg_seq = ++a->seq;
	put_id(mnl_nlmsg_put_extra_header(nlh, sizeof(struct inet_diag_req_v2)), s);
	if (mnl_socket_sendto(a->nl, nlh, nlh->nlmsg_len) < 0)
		return -errno;
	do
		n = mnl_socket_recvfrom(a->nl, buf, sizeof(buf));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if (mnl_cb_run(buf, (size_t)n, a->seq, mnl_socket_get_portid(a->nl), NULL, NULL) < 0)
		return errno == ESTALE ? -ENOENT : -errno;
	return 0;
}

/* ---- the kernel: options ---- */

/* A duplicate of what @o holds, when that is @s still.  Return: descriptor, -errno. */
static int borrow(const struct rill_owner *o, const struct rill_sock *s)
{
	int pidfd = (int)syscall(SYS_pidfd_open, o->pid, 0), fd, err;
	uint64_t cookie = 0;
	socklen_t n = sizeof(cookie);

	if (pidfd < 0)
		return errno == ESRCH ? -ENOENT : -errno;
	fd = (int)syscall(SYS_pidfd_getfd, pidfd, o->fd, 0);
	err = errno;
	close(pidfd);
	if (fd < 0)
		return err == EBADF ? -ENOENT : -err;
	if (getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &n) < 0 ||
	    (s->cookie && cookie != s->cookie)) {
		close(fd);
		return -ENOENT;
	}
	return fd;
}

static int borrow_any(const struct rill_sock *s)
{
	int fd = -EBADF;

	for (unsigned i = 0; i < s->nowners && fd < 0; i++)
		fd = borrow(&s->owners[i], s);
	return fd;
}

/* The options in the order in which they are set: how, before whether. */
static const struct option {
	int	level, name;
	size_t	at;			/* in struct rl_keepalive */
} options[] = {
	{ SOL_TCP, TCP_KEEPIDLE, offsetof(struct rl_keepalive, idle_s) },
	{ SOL_TCP, TCP_KEEPINTVL, offsetof(struct rl_keepalive, interval_s) },
	{ SOL_TCP, TCP_KEEPCNT, offsetof(struct rl_keepalive, count) },
	{ SOL_TCP, TCP_USER_TIMEOUT, offsetof(struct rl_keepalive, user_timeout_ms) },
	{ SOL_SOCKET, SO_KEEPALIVE, offsetof(struct rl_keepalive, on) },
};

#define NOPTIONS	(sizeof(options) / sizeof(options[0]))

static int *field(struct rl_keepalive *k, const struct option *o)
{
	return (int *)(void *)((char *)k + o->at);
}

static int wanted(const struct rl_keepalive *k, const struct option *o)
{
	int v;

	memcpy(&v, (const char *)k + o->at, sizeof(v));
	return v;
}

static void read_options(int fd, struct rl_keepalive *k)
{
	for (size_t i = 0; i < NOPTIONS; i++) {
		socklen_t n = sizeof(int);

		if (getsockopt(fd, options[i].level, options[i].name, field(k, &options[i]),
			       &n) < 0)
			*field(k, &options[i]) = -1;
	}
}

static int kernel_keepalive(const struct rill_sock *s, const struct rl_keepalive *set,
			    struct rl_keepalive *before, struct rl_keepalive *now)
{
	int fd = borrow_any(s), r = 0;

	if (fd < 0)
		return fd;
	read_options(fd, before);
	for (size_t i = 0; i < NOPTIONS && r == 0; i++) {
		int v = wanted(set, &options[i]);

		if (v >= 0 && setsockopt(fd, options[i].level, options[i].name, &v, sizeof(v)))
			r = -errno;
	}
	read_options(fd, now);
	close(fd);
	return r;
}

/* ---- stacks ---- */

static struct ctl_stack *stack_of(struct rl_act *a, const struct rill_sock *s)
{
	struct ctl_select any = { 0 };

	if (!a->stacks) {
		a->stacks = malloc(sizeof(*a->stacks));
		if (!a->stacks)
			return NULL;
		ctlc_open(a->stacks, &any);
	}
	for (unsigned i = 0; i < a->stacks->n; i++)
		if (a->stacks->list[i].pid == s->pid && !strcmp(a->stacks->list[i].name, s->stack))
			return &a->stacks->list[i];
	return NULL;
}

/* @req is taken over.  Return: 0, -errno as the stack says it. */
static int ask(struct rl_act *a, const struct rill_sock *s, json_t *req)
{
	struct ctl_stack *st = stack_of(a, s);
	int err = EHOSTDOWN;
	json_t *reply;

	if (!st) {
		json_decref(req);
		return -EHOSTDOWN;
	}
	reply = ctlc_ask_errno(st, req, &err);
	json_decref(reply);
	return reply ? 0 : -err;
}

static int rill_kill(struct rl_act *a, const struct rill_sock *s)
{
	char id[24];

	snprintf(id, sizeof(id), "%llx", (unsigned long long)s->cookie);
	return ask(a, s, json_pack("{s:s, s:s}", "cmd", "close", "id", id));
}

static int rill_keepalive(struct rl_act *a, const struct rill_sock *s,
			  const struct rl_keepalive *set, struct rl_keepalive *before,
			  struct rl_keepalive *now)
{
	char id[24];
	int r = 0;

	*before = (struct rl_keepalive){ (int)s->keepalive, (int)s->keepidle_s,
					 (int)s->keepintvl_s, (int)s->keepcnt,
					 (int)s->user_timeout_ms };
	*now = *before;
	snprintf(id, sizeof(id), "%llx", (unsigned long long)s->cookie);
	for (size_t i = 0; i < NOPTIONS && r == 0; i++) {
		int v = wanted(set, &options[i]);

		if (v < 0)
			continue;
		r = ask(a, s, json_pack("{s:s, s:s, s:i, s:i, s:i}", "cmd", "setopt", "id", id,
					"level", options[i].level, "name", options[i].name,
					"value", v));
		if (r == 0)
			*field(now, &options[i]) = v;
	}
	return r;
}

/* ---- what callers see ---- */

int rl_act_kill(struct rl_act *a, const struct rill_sock *s)
{
	int r = s->source == RILL_SRC_KERNEL ? kernel_kill(a, s) : rill_kill(a, s);

	tell(a, "kill", s, -r, "");
	return r;
}

static void put_setting(char *buf, size_t n, const struct rl_keepalive *k)
{
	size_t len;

	if (k->on < 0)
		len = (size_t)snprintf(buf, n, "unknown");
	else
		len = (size_t)snprintf(buf, n, "%s %d/%d/%d", k->on ? "on" : "off", k->idle_s,
				       k->interval_s, k->count);
	if (k->user_timeout_ms > 0)
		snprintf(buf + len, n - len, " user-timeout %dms", k->user_timeout_ms);
}

int rl_act_keepalive(struct rl_act *a, const struct rill_sock *s,
		     const struct rl_keepalive *set, struct rl_keepalive *before,
		     struct rl_keepalive *now)
{
	char was[96], is[96], more[224];
	int r;

	*before = *now = (struct rl_keepalive)RL_KEEPALIVE_INIT;
	if (s->proto != IPPROTO_TCP)
		r = -EPROTONOSUPPORT;
	else if (s->source == RILL_SRC_KERNEL)
		r = kernel_keepalive(s, set, before, now);
	else
		r = rill_keepalive(a, s, set, before, now);
	put_setting(was, sizeof(was), before);
	put_setting(is, sizeof(is), now);
	snprintf(more, sizeof(more), ", keepalive was %s, is %s", was, is);
	tell(a, "keepalive", s, -r, more);
	return r;
}
