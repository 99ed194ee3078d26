/* SPDX-License-Identifier: MIT */
/*
 * Whose packet it is: the four-tuple looked up in the table of connections
 * (rill/table.h).  The table is read again when a packet is unknown, and to keep the
 * state and window of Rill's sockets fresh, but never more often than each REFRESH_NS:
 * the socket of a very short connection may be gone by then.
 */
#include <stdlib.h>
#include <string.h>

#include "rill/table.h"
#include "tools/dump.h"

#define REFRESH_NS	(250 * 1000000LL)
#define BUCKETS		4096
#define SOCKS_MAX	65536

struct who {
	struct rill_addr local, peer;
	uint8_t		proto, state, source;
	bool		has_info;
	uint32_t	cwnd;
	int		pid;
	char		comm[64];	/* the program, or the stack */
	unsigned	next;		/* of the bucket, + 1 */
};

static struct who *socks;
static unsigned nsocks, bucket[BUCKETS];	/* index + 1 */
static int64_t read_ns;
static bool have_rill;

static unsigned bucket_of(uint16_t local, uint16_t peer)
{
	return (local * 31u + peer) % BUCKETS;
}

static bool each(void *ctx, const struct rill_sock *s)
{
	struct who *w;

	(void)ctx;
	if (nsocks == SOCKS_MAX)
		return false;
	w = &socks[nsocks++];
	*w = (struct who){
		.local = s->local, .peer = s->peer, .proto = s->proto, .state = s->state,
		.source = s->source, .has_info = s->has_info, .cwnd = s->info.snd_cwnd,
		.pid = s->source == RILL_SRC_RILL ? s->pid : s->nowners ? s->owners[0].pid : 0,
	};
	if (s->source == RILL_SRC_RILL)
		snprintf(w->comm, sizeof(w->comm), "%s", s->stack);
	else if (s->nowners)
		snprintf(w->comm, sizeof(w->comm), "%.16s", s->owners[0].comm);
	have_rill = have_rill || s->source == RILL_SRC_RILL;
	w->next = bucket[bucket_of(w->local.port, w->peer.port)];
	bucket[bucket_of(w->local.port, w->peer.port)] = nsocks;
	return true;
}

static void refresh(void)
{
	struct rill_table_query q = RILL_TABLE_QUERY_INIT;
	struct rill_table_notes notes;

	q.want = RILL_WANT_KERNEL | RILL_WANT_RILL | RILL_WANT_TCP | RILL_WANT_UDP |
		 RILL_WANT_INFO | RILL_WANT_OWNERS;
	if (!socks)
		socks = calloc(SOCKS_MAX, sizeof(*socks));
	if (!socks)
		return;
	nsocks = 0;
	have_rill = false;
	memset(bucket, 0, sizeof(bucket));
	rill_table_walk(&q, each, NULL, &notes);
	read_ns = capture_now_ns();
}

static bool is_addr(const struct rill_addr *a, const struct rill_ip *ip, uint16_t port)
{
	return a->port == port && (rl_ip_eq(&a->ip, ip) || rl_ip_is_any(&a->ip));
}

/* The connection with its end at @ip, else what listens there; @sure: it is that. */
static const struct who *lookup(const struct rill_ip *ip, uint16_t port,
				const struct rill_ip *peer, uint16_t pport, bool *sure)
{
	for (unsigned i = bucket[bucket_of(port, pport)]; i; i = socks[i - 1].next) {
		const struct who *w = &socks[i - 1];

		if (w->proto == 6 && is_addr(&w->local, ip, port) && w->peer.port == pport &&
		    rl_ip_eq(&w->peer.ip, peer)) {
			*sure = true;
			return w;
		}
	}
	for (unsigned i = bucket[bucket_of(port, 0)]; i; i = socks[i - 1].next) {
		const struct who *w = &socks[i - 1];

		if (w->proto == 6 && !w->peer.port && is_addr(&w->local, ip, port))
			return w;
	}
	return NULL;
}

static void say(char *buf, size_t n, const char *how, const struct who *w)
{
	size_t len = strlen(buf);

	if (!w || (!w->pid && w->source != RILL_SRC_RILL))
		return;
	snprintf(buf + len, n - len, "%s%s %s[%d]", len ? " " : "", how, w->comm, w->pid);
	len = strlen(buf);
	if (w->source == RILL_SRC_RILL && w->has_info && w->state != RILL_LISTEN)
		snprintf(buf + len, n - len, " %s cwnd:%u", rill_state_name(w->state), w->cwnd);
}

static bool find(const struct look_seg *s, const struct who **from, const struct who **to)
{
	bool sure = false;

	*from = lookup(&s->src, s->sport, &s->dst, s->dport, &sure);
	*to = lookup(&s->dst, s->dport, &s->src, s->sport, &sure);
	return sure;
}

void who_note(const struct look_seg *s, struct packet_note *note)
{
	const struct who *from, *to;
	bool old = capture_now_ns() - read_ns >= REFRESH_NS;

	if (!socks || (have_rill && old))
		refresh();
	if (!find(s, &from, &to) && capture_now_ns() - read_ns >= REFRESH_NS) {
		refresh();
		find(s, &from, &to);
	}
	say(note->text, sizeof(note->text), "from", from);
	say(note->text, sizeof(note->text), "to", to);
}

void who_free(void)
{
	free(socks);
	socks = NULL;
}
