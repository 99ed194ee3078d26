/* SPDX-License-Identifier: MIT */
/*
 * What is left of a connection when its socket is gone.  The kernel closes a socket
 * that enters TIME-WAIT and keeps something smaller, which no tracepoint tells of.
 * So, when a socket closes from a state before TIME-WAIT, sock_diag is asked for the
 * four-tuple once; what is found is asked for again when its timer must have run
 * out.
 *
 * Two queues, each in the order of time: TIME-WAIT, which lasts equally long for
 * all, and sockets without a program in FIN-WAIT-2, which are looked at every second.
 *
 * Called by events.c.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "look/events_int.h"

#define KEPT_MAX	(1u << 18)
#define RUN_MAX		4096		/* in one run: the rest waits for the next */
#define MS		INT64_C(1000000)
#define SLACK		(50 * MS)
#define AGAIN		(1000 * MS)

struct kept {
	struct rill_addr local, peer;
	uint64_t	id;
	uint32_t	ifindex, netns;
	uint8_t		family, state;
	int64_t		at;		/* look again then */
};

struct kept_queue {			/* a ring */
	struct kept	*k;
	size_t		first, n, cap;	/* power of two */
};

struct rl_after {
	int		fd;
	uint32_t	seq;
	uint64_t	lost;
	struct kept_queue tw, fw2;
};

struct rl_after *rl_after_open(void)
{
	struct rl_after *a = calloc(1, sizeof(*a));
	struct timeval limit = { .tv_sec = 1 };

	if (!a)
		return NULL;
	a->fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	if (a->fd < 0) {
		free(a);
		return NULL;
	}
	setsockopt(a->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	return a;
}

void rl_after_close(struct rl_after *a)
{
	if (!a)
		return;
	close(a->fd);
	free(a->tw.k);
	free(a->fw2.k);
	free(a);
}

uint64_t rl_after_lost(const struct rl_after *a)
{
	return a->lost;
}

/* ---- the queues ---- */

static bool grow(struct kept_queue *q)
{
	size_t cap = q->cap ? 2 * q->cap : 256;
	struct kept *k;

	if (cap > KEPT_MAX)
		return false;
	k = malloc(cap * sizeof(*k));
	if (!k)
		return false;
	for (size_t i = 0; i < q->n; i++)
		k[i] = q->k[(q->first + i) & (q->cap - 1)];
	free(q->k);
	q->k = k;
	q->first = 0;
	q->cap = cap;
	return true;
}

static void keep(struct rl_after *a, const struct kept *k)
{
	struct kept_queue *q = k->state == RILL_TIME_WAIT ? &a->tw : &a->fw2;

	if (q->n == q->cap && !grow(q)) {
		a->lost++;
		return;
	}
	q->k[(q->first + q->n++) & (q->cap - 1)] = *k;
}

/* ---- sock_diag ---- */

static void set_id(struct inet_diag_sockid *id, const struct kept *k)
{
	bool v4 = k->family == 4;

	memcpy(id->idiag_src, k->local.ip.b + (v4 ? 12 : 0), v4 ? 4 : 16);
	memcpy(id->idiag_dst, k->peer.ip.b + (v4 ? 12 : 0), v4 ? 4 : 16);
	id->idiag_sport = htons(k->local.port);
	id->idiag_dport = htons(k->peer.port);
	id->idiag_if = k->ifindex;
	id->idiag_cookie[0] = id->idiag_cookie[1] = INET_DIAG_NOCOOKIE;
}

static bool ask(struct rl_after *a, const struct kept *k)
{
	struct {
		struct nlmsghdr		h;
		struct inet_diag_req_v2	r;
	} m = {
		.h = { .nlmsg_len = sizeof(m), .nlmsg_type = SOCK_DIAG_BY_FAMILY,
		       .nlmsg_flags = NLM_F_REQUEST, .nlmsg_seq = ++a->seq },
		.r = { .sdiag_family = k->family == 4 ? AF_INET : AF_INET6,
		       .sdiag_protocol = IPPROTO_TCP, .idiag_states = ~0u },
	};

	set_id(&m.r.id, k);
	return send(a->fd, &m, sizeof(m), 0) == (ssize_t)sizeof(m);
}

/*
 * The state of the connection now: RILL_CLOSE when there is none.  A listener on
 * its port answers too, but has no peer.  @left_ns: until its timer fires.
 */
static int state_of(struct rl_after *a, const struct kept *k, int64_t *left_ns)
{
	union {
		struct nlmsghdr	h;
		char		b[4096];
	} m;
	const struct inet_diag_msg *d = NLMSG_DATA(&m.h);

	*left_ns = 0;
	if (!ask(a, k))
		return RILL_CLOSE;
	for (int i = 0; i < 8; i++) {		/* an answer to an earlier question may wait */
		ssize_t n = recv(a->fd, &m, sizeof(m), 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < (ssize_t)sizeof(m.h))
			return RILL_CLOSE;
		if (m.h.nlmsg_seq != a->seq)
			continue;
		if (m.h.nlmsg_type != SOCK_DIAG_BY_FAMILY ||
		    n < (ssize_t)NLMSG_LENGTH(sizeof(*d)) ||
		    d->id.idiag_dport != htons(k->peer.port))
			return RILL_CLOSE;
		*left_ns = d->idiag_expires * MS;
		return d->idiag_state;
	}
	return RILL_CLOSE;
}

static bool is_rest(int state)
{
	return state == RILL_TIME_WAIT || state == RILL_FIN_WAIT2;
}

static int64_t next_look(int state, int64_t now_ns, int64_t left_ns)
{
	return now_ns + (state == RILL_TIME_WAIT ? left_ns + SLACK : AGAIN);
}

bool rl_after_take(struct rl_after *a, struct rl_event *e, int64_t now_ns)
{
	struct kept k = {
		.local = e->local, .peer = e->peer, .id = e->id, .ifindex = e->ifindex,
		.netns = (uint32_t)e->netns, .family = e->family,
	};
	int64_t left_ns;
	int state = state_of(a, &k, &left_ns);

	if (!is_rest(state))
		return true;
	k.state = (uint8_t)state;
	k.at = next_look(state, now_ns, left_ns);
	keep(a, &k);
	if (state == e->from)
		return false;
	e->to = (uint8_t)state;
	return true;
}

static struct rl_event change(const struct kept *k, int to, int64_t now_ns)
{
	return (struct rl_event){
		.time_ns = now_ns, .source = RILL_SRC_KERNEL, .family = k->family,
		.from = k->state, .to = (uint8_t)to, .polled = true, .ifindex = k->ifindex,
		.local = k->local, .peer = k->peer, .id = k->id, .netns = k->netns,
	};
}

static void run_queue(struct rl_after *a, struct kept_queue *q, int64_t now_ns,
		      event_each *each, void *ctx)
{
	for (int i = 0; i < RUN_MAX && q->n && q->k[q->first].at <= now_ns; i++) {
		struct kept k = q->k[q->first];
		struct rl_event e;
		int64_t left_ns;
		int state = state_of(a, &k, &left_ns);

		q->first = (q->first + 1) & (q->cap - 1);
		q->n--;
		/* in any other state it is a new connection between the same ports */
		e = change(&k, is_rest(state) ? state : RILL_CLOSE, now_ns);
		if (e.to != e.from)
			each(ctx, &e);
		if (e.to == RILL_CLOSE)
			continue;
		k.state = e.to;
		k.at = next_look(state, now_ns, left_ns);
		keep(a, &k);
	}
}

void rl_after_run(struct rl_after *a, int64_t now_ns,
		  event_each *each, void *ctx)
{
	run_queue(a, &a->fw2, now_ns, each, ctx);
	run_queue(a, &a->tw, now_ns, each, ctx);
}
