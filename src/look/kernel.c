/* SPDX-License-Identifier: MIT */
/*
 * The kernel's sockets over NETLINK_SOCK_DIAG.  One dump a family and protocol;
 * the kernel is asked for no more than the query wants, since each extension
 * costs it time under the socket's lock.
 *
 * How long a socket has been in its state the kernel does not say.  Some of it
 * follows from timers and from TCP_INFO (age()); what follows is a lower bound,
 * and marked as one.
 */
#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "look/source.h"

#define TIME_WAIT_MS	60000		/* TCP_TIMEWAIT_LEN, not tunable */
#define RCVBUF		(1 << 20)
#define ATTR_MAX	32		/* attributes looked at; later kernels have more */

/* One dump under way. */
struct dump {
	struct rl_walk	*w;
	uint8_t		 proto;
	int64_t		 fin_timeout_ms;
	unsigned	 linear;	/* SYNs sent again after the same time */
};

static long sysctl_long(const char *path, long dflt)
{
	FILE *f = fopen(path, "re");
	long v = dflt;

	if (f) {
		if (fscanf(f, "%ld", &v) != 1)
			v = dflt;
		fclose(f);
	}
	return v;
}

/* ---- how long in this state ---- */

/*
 * Since the first (SYN or SYN+ACK) segment: those that were sent again mark the
 * time, the first @linear of them a second apart, each further one twice as long.
 */
static int64_t handshake_age(const struct rill_sock *s, unsigned linear)
{
	unsigned exp = s->tries > linear ? s->tries - linear : 0;
	int64_t due = 1000 * (int64_t)(s->tries < linear ? s->tries : linear);

	if (exp > 16 || s->timer != RILL_TMR_RTX)
		return -1;
	due += 1000 * ((2LL << exp) - 1);
	return due > s->timer_ms ? due - s->timer_ms : 0;
}

static void age(const struct dump *d, struct rill_sock *s)
{
	s->age_ms = -1;
	s->age_least = true;
	if (s->proto != IPPROTO_TCP)
		return;
	switch (s->state) {
	case RILL_TIME_WAIT:
		s->age_ms = TIME_WAIT_MS - s->timer_ms;
		s->age_least = false;
		break;
	case RILL_SYN_SENT:
		s->age_ms = handshake_age(s, d->linear);
		break;
	case RILL_SYN_RECV:
		s->age_ms = handshake_age(s, 0);
		break;
	case RILL_FIN_WAIT2:
		if (s->timer == RILL_TMR_TIMEWAIT) {
			s->age_ms = d->fin_timeout_ms - s->timer_ms;
			break;
		}
		/* fall through */
	case RILL_ESTABLISHED:
	case RILL_CLOSE_WAIT:
		/* nothing came in since, and only a segment leads here */
		if (s->has_info)
			s->age_ms = s->info.last_ack_recv;
		break;
	}
	if (s->age_ms < 0) {
		s->age_ms = -1;
		s->age_least = false;
	}
}

/* ---- one reply ---- */

static void put_ip(struct rill_addr *a, uint8_t family, const uint32_t word[4], uint16_t port)
{
	memset(a, 0, sizeof(*a));
	if (family == AF_INET) {
		a->ip.b[10] = a->ip.b[11] = 0xff;
		memcpy(a->ip.b + 12, word, 4);
	} else {
		memcpy(a->ip.b, word, 16);
	}
	a->port = ntohs(port);
}

static int one_attr(const struct nlattr *at, void *ctx)
{
	const struct nlattr **t = ctx;
	unsigned type = mnl_attr_get_type(at);

	if (type < ATTR_MAX)
		t[type] = at;
	return MNL_CB_OK;
}

/* Numbers of other kernels' longer or shorter forms: what both have. */
static void copy(void *to, size_t size, const struct nlattr *at)
{
	size_t n = mnl_attr_get_payload_len(at);

	memcpy(to, mnl_attr_get_payload(at), n < size ? n : size);
}

static void memory(struct rill_sock *s, const struct nlattr *at)
{
	uint32_t v[SK_MEMINFO_VARS] = { 0 };

	copy(v, sizeof(v), at);
	s->rmem_alloc = v[SK_MEMINFO_RMEM_ALLOC];
	s->rcvbuf = v[SK_MEMINFO_RCVBUF];
	s->wmem_alloc = v[SK_MEMINFO_WMEM_ALLOC];
	s->sndbuf = v[SK_MEMINFO_SNDBUF];
	s->fwd_alloc = v[SK_MEMINFO_FWD_ALLOC];
	s->wmem_queued = v[SK_MEMINFO_WMEM_QUEUED];
	s->optmem = v[SK_MEMINFO_OPTMEM];
	s->backlog = v[SK_MEMINFO_BACKLOG];
	s->drops = v[SK_MEMINFO_DROPS];
	s->has_mem = true;
}

static uint8_t byte(const struct nlattr *at)
{
	uint8_t v = 0;

	copy(&v, sizeof(v), at);
	return v;
}

/* What the congestion control itself has to say. */
static void congestion(struct rill_sock *s, const struct nlattr **t)
{
	static const uint8_t kinds[] = { INET_DIAG_VEGASINFO, INET_DIAG_DCTCPINFO,
					 INET_DIAG_BBRINFO };

	for (size_t i = 0; i < sizeof(kinds); i++) {
		if (!t[kinds[i]])
			continue;
		s->cc_kind = kinds[i];
		copy(s->cc_info, sizeof(s->cc_info), t[kinds[i]]);
	}
}

static void attributes(struct rill_sock *s, const struct nlmsghdr *nlh)
{
	const struct nlattr *t[ATTR_MAX] = { 0 };

	mnl_attr_parse(nlh, sizeof(struct inet_diag_msg), one_attr, t);
	if (t[INET_DIAG_SKMEMINFO])
		memory(s, t[INET_DIAG_SKMEMINFO]);
	if (t[INET_DIAG_INFO]) {
		copy(&s->info, sizeof(s->info), t[INET_DIAG_INFO]);
		s->has_info = true;
	}
	if (t[INET_DIAG_CONG])
		copy(s->cc, sizeof(s->cc) - 1, t[INET_DIAG_CONG]);
	congestion(s, t);
	if (t[INET_DIAG_SHUTDOWN])
		s->shutdown = byte(t[INET_DIAG_SHUTDOWN]);
	if (t[INET_DIAG_TOS])
		s->tos = byte(t[INET_DIAG_TOS]);
	if (t[INET_DIAG_TCLASS])
		s->tclass = byte(t[INET_DIAG_TCLASS]);
	if (t[INET_DIAG_SKV6ONLY])
		s->v6only = byte(t[INET_DIAG_SKV6ONLY]);
	if (t[INET_DIAG_MARK])
		copy(&s->mark, sizeof(s->mark), t[INET_DIAG_MARK]);
	if (t[INET_DIAG_CGROUP_ID])
		copy(&s->cgroup, sizeof(s->cgroup), t[INET_DIAG_CGROUP_ID]);
}

static bool is_any(const uint32_t word[4])
{
	return !(word[0] | word[1] | word[2] | word[3]);
}

/* As the kernel's own tools say it: a wildcard of IPv6 that also takes IPv4. */
static uint8_t family_of(const struct inet_diag_msg *m, const struct rill_sock *s)
{
	if (m->idiag_family == AF_INET)
		return 4;
	if (!s->v6only && is_any(m->id.idiag_src) && is_any(m->id.idiag_dst))
		return 0;
	return 6;
}

bool rl_diag_record(const struct nlmsghdr *nlh, uint8_t proto, struct rill_sock *s)
{
	const struct inet_diag_msg *m = mnl_nlmsg_get_payload(nlh);

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*m))
		return false;
	memset(s, 0, sizeof(*s));
	rl_sock_unknown(s);
	s->source = RILL_SRC_KERNEL;
	s->stack = "";
	s->proto = proto;
	/* 12 is the kernel's NEW_SYN_RECV: a request socket */
	s->half_open = m->idiag_state == 12 || m->idiag_state == RILL_SYN_RECV;
	s->state = m->idiag_state == 12 ? RILL_SYN_RECV : m->idiag_state;
	s->recv_q = m->idiag_rqueue;
	s->send_q = m->idiag_wqueue;
	s->timer = m->idiag_timer;
	s->timer_ms = m->idiag_timer ? (int64_t)m->idiag_expires : 0;
	s->tries = m->idiag_retrans;
	s->uid = m->idiag_uid;
	s->inode = m->idiag_inode;
	s->cookie = (uint64_t)m->id.idiag_cookie[1] << 32 | m->id.idiag_cookie[0];
	s->ifindex = m->id.idiag_if;
	put_ip(&s->local, m->idiag_family, m->id.idiag_src, m->id.idiag_sport);
	put_ip(&s->peer, m->idiag_family, m->id.idiag_dst, m->id.idiag_dport);
	attributes(s, nlh);
	s->family = family_of(m, s);
	s->orphan = rl_sock_orphan(s);
	return true;
}

static int one_socket(const struct nlmsghdr *nlh, void *ctx)
{
	struct dump *d = ctx;
	struct rill_sock s;

	if (!rl_diag_record(nlh, d->proto, &s))
		return MNL_CB_OK;
	age(d, &s);
	return rl_walk_tell(d->w, &s) ? MNL_CB_OK : MNL_CB_STOP;
}

/* ---- asking ---- */

static uint8_t extensions(const struct rill_table_query *q, uint8_t proto)
{
	unsigned ext = 0;

	if (q->want & RILL_WANT_MEM)
		ext |= 1u << (INET_DIAG_SKMEMINFO - 1) | 1u << (INET_DIAG_TOS - 1) |
		       1u << (INET_DIAG_TCLASS - 1) | 1u << (INET_DIAG_SHUTDOWN - 1);
	if (proto == IPPROTO_TCP && q->want & RILL_WANT_INFO)
		ext |= 1u << (INET_DIAG_INFO - 1) | 1u << (INET_DIAG_CONG - 1) |
		       1u << (INET_DIAG_VEGASINFO - 1);		/* any algorithm's */
	return (uint8_t)ext;
}

static bool send_request(struct mnl_socket *nl, const struct dump *d, int family)
{
	uint8_t buf[MNL_ALIGN(sizeof(struct nlmsghdr)) + sizeof(struct inet_diag_req_v2)] = { 0 };
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	const struct rill_table_query *q = d->w->q;
	struct inet_diag_req_v2 *req;

	nlh->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	nlh->nlmsg_seq = (uint32_t)family;
	req = mnl_nlmsg_put_extra_header(nlh, sizeof(*req));
	req->sdiag_family = (uint8_t)family;
	req->sdiag_protocol = d->proto;
	req->idiag_ext = extensions(q, d->proto);
	req->idiag_states = q->states ? q->states : ~0u;
	return mnl_socket_sendto(nl, nlh, nlh->nlmsg_len) >= 0;
}

static int dump_family(struct mnl_socket *nl, struct dump *d, int family)
{
	static char buf[1 << 16];
	int r = MNL_CB_OK;

	if (!send_request(nl, d, family))
		return -errno;
	while (r == MNL_CB_OK) {
		ssize_t n = mnl_socket_recvfrom(nl, buf, sizeof(buf));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		r = mnl_cb_run(buf, (size_t)n, (uint32_t)family, mnl_socket_get_portid(nl),
			       one_socket, d);
		if (r < 0 && errno == EINTR)	/* changed under way: good enough */
			r = MNL_CB_OK;
	}
	return r < 0 ? -errno : 0;
}

static struct mnl_socket *open_here(void)
{
	struct mnl_socket *nl = mnl_socket_open2(NETLINK_SOCK_DIAG, SOCK_CLOEXEC);
	int size = RCVBUF;

	if (!nl)
		return NULL;
	setsockopt(mnl_socket_get_fd(nl), SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) == 0)
		return nl;
	mnl_socket_close(nl);
	return NULL;
}

/* A netlink socket stays in the namespace in which it was made. */
struct mnl_socket *rl_diag_open(int netns)
{
	int back = netns < 0 ? -1 : open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	struct mnl_socket *nl;
	int err;

	if (netns < 0)
		return open_here();
	if (back < 0 || setns(netns, CLONE_NEWNET) < 0) {
		err = errno;
		if (back >= 0)
			close(back);
		errno = err;
		return NULL;
	}
	nl = open_here();
	err = errno;
	if (setns(back, CLONE_NEWNET) < 0) {	/* cannot go on where we do not belong */
		perror("rill: cannot go back to this network namespace");
		abort();
	}
	close(back);
	errno = err;
	return nl;
}

int rl_source_kernel(struct rl_walk *w, uint8_t proto)
{
	struct mnl_socket *nl = rl_diag_open(w->q->netns_fd);
	unsigned v4 = w->q->want & RILL_WANT_V4, v6 = w->q->want & RILL_WANT_V6;
	struct dump d = { .w = w, .proto = proto };
	int r = 0;

	if (!nl)
		return -errno;
	d.fin_timeout_ms = 1000 * sysctl_long("/proc/sys/net/ipv4/tcp_fin_timeout", 60);
	d.linear = (unsigned)sysctl_long("/proc/sys/net/ipv4/tcp_syn_linear_timeouts", 0);
	if (v4 || !v6)
		r = dump_family(nl, &d, AF_INET);
	if (r == 0 && !w->stopped && (v6 || !v4))
		r = dump_family(nl, &d, AF_INET6);
	mnl_socket_close(nl);
	return r;
}
