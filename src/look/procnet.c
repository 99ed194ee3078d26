/* SPDX-License-Identifier: MIT */
/*
 * The kernel's sockets from /proc/net/{tcp,tcp6,udp,udp6}: what is left where a
 * container allows no sock_diag.  It has addresses, states, queues, timers, users
 * and inodes; neither TCP_INFO nor memory.  The line's form is the kernel's
 * (Documentation/networking/proc_net_tcp); fuzzed by fuzz/procnet.c.
 */
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "look/source.h"

#define NEW_SYN_RECV	12

/* Words of 32 bits in the machine's order, eight digits each. */
static bool hex_words(const char *hex, unsigned n, uint8_t *out)
{
	for (unsigned i = 0; i < n; i++) {
		uint32_t v;

		if (sscanf(hex + 8 * i, "%8" SCNx32, &v) != 1)
			return false;
		memcpy(out + 4 * i, &v, sizeof(v));
	}
	return true;
}

static bool put_addr(struct rill_addr *a, uint8_t family, const char *hex, unsigned port)
{
	size_t n = strspn(hex, "0123456789ABCDEFabcdef");

	memset(a, 0, sizeof(*a));
	a->port = (uint16_t)port;
	if (n != (family == 4 ? 8 : 32) || hex[n])
		return false;
	if (family == 6)
		return hex_words(hex, 4, a->ip.b);
	a->ip.b[10] = a->ip.b[11] = 0xff;
	return hex_words(hex, 1, a->ip.b + 12);
}

static bool is_any(const struct rill_addr *a)
{
	return !(a->ip.q[0] | a->ip.q[1]);
}

bool rl_proc_line(const char *line, uint8_t proto, uint8_t family, struct rill_sock *s)
{
	static long hz;
	char la[40], pa[40];
	unsigned lp, pp, state, timer, tries, uid, txq, rxq;
	unsigned long left, inode;

	if (!hz)
		hz = sysconf(_SC_CLK_TCK);
	memset(s, 0, sizeof(*s));
	rl_sock_unknown(s);
	if (sscanf(line, " %*u: %39[^: ]:%4x %39[^: ]:%4x %2x %8x:%8x %2x:%16lx %8x %10u %*d %20lu",
		   la, &lp, pa, &pp, &state, &txq, &rxq, &timer, &left, &tries, &uid,
		   &inode) != 12)
		return false;
	if (!put_addr(&s->local, family, la, lp) || !put_addr(&s->peer, family, pa, pp))
		return false;
	if (state == NEW_SYN_RECV)
		state = RILL_SYN_RECV;
	if (!state || state >= RILL_TCP_STATES || timer > RILL_TMR_PERSIST)
		return false;
	s->source = RILL_SRC_KERNEL;
	s->stack = "";
	s->proto = proto;
	s->state = (uint8_t)state;
	s->half_open = state == RILL_SYN_RECV;
	s->family = family == 6 && is_any(&s->local) && is_any(&s->peer) ? 0 : family;
	s->recv_q = rxq;
	s->send_q = txq;
	s->timer = (uint8_t)timer;
	s->timer_ms = timer ? (int64_t)(left * 1000 / (unsigned long)hz) : 0;
	s->tries = tries;
	s->uid = uid;
	s->inode = inode;
	s->orphan = rl_sock_orphan(s);
	s->age_ms = state == RILL_TIME_WAIT ? 60000 - s->timer_ms : -1;
	return true;
}

static int read_file(struct rl_walk *w, const char *path, uint8_t proto, uint8_t family)
{
	FILE *f = fopen(path, "re");
	struct rill_sock s;
	char line[512];

	if (!f)
		return -errno;
	while (!w->stopped && fgets(line, sizeof(line), f))
		if (rl_proc_line(line, proto, family, &s))	/* the head is none */
			rl_walk_tell(w, &s);
	fclose(f);
	return 0;
}

int rl_source_proc(struct rl_walk *w, uint8_t proto)
{
	bool tcp = proto == IPPROTO_TCP;
	unsigned v4 = w->q->want & RILL_WANT_V4, v6 = w->q->want & RILL_WANT_V6;
	int r = 0;

	if (w->q->netns_fd >= 0)
		return -EOPNOTSUPP;
	if (v4 || !v6)
		r = read_file(w, tcp ? "/proc/net/tcp" : "/proc/net/udp", proto, 4);
	if (r == 0 && !w->stopped && (v6 || !v4)) {
		r = read_file(w, tcp ? "/proc/net/tcp6" : "/proc/net/udp6", proto, 6);
		if (r == -ENOENT)		/* a kernel without IPv6 */
			r = 0;
	}
	return r;
}
