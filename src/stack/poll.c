/* SPDX-License-Identifier: MIT */
/*
 * Time and packets in, packets and events out [doc/ARCHITECTURE.md].  Input and
 * timers only mark connections; output serves the marked ones, so that a batch
 * of segments is answered once.
 */
#include <errno.h>

#include "tcp/conn.h"
#include "udp/udp.h"

#define LOOP_ROUNDS	64		/* of output and loopback in one go */

static void expire(struct rill_stack *st, struct rl_timer *t)
{
	switch ((enum rl_timer_owner)t->kind) {
	case RL_TIMER_CONN:
		rl_timers_run(st, container_of(t, struct tcp_conn, timer));
		break;
	case RL_TIMER_REQ:
		rl_req_timer(st);
		break;
	case RL_TIMER_TW:
		rl_timewait_timer(st);
		break;
	case RL_TIMER_IP:
		rl_ip_timer(st);
		break;
	}
}

void rill_stack_advance(struct rill_stack *st, int64_t now_ns)
{
	struct rl_timer *t;

	st->now_ns = RL_MAX(st->now_ns, now_ns);
	/* ends: a handler arms for a later time only */
	while ((t = rl_timerq_pop(&st->timers, st->now_ns)))
		expire(st, t);
}

int64_t rill_stack_deadline(const struct rill_stack *st)
{
	return rl_timerq_next(&st->timers);
}

int rill_stack_input_pkts(struct rill_stack *st, int64_t now_ns, int ifindex,
			  struct rill_pkt **pkts, int n)
{
	struct rl_netif *nif = ifindex > 0 ? rl_netif_get(st, (unsigned)ifindex) : NULL;
	int max = RL_CFG(st, netdev_max_backlog);

	st->now_ns = RL_MAX(st->now_ns, now_ns);
	for (int i = 0; i < n; i++) {
		if (!nif) {
			rl_pkt_free(&st->bufs, pkts[i]);
		} else if (i >= max) {
			rl_drop_pkt(st, pkts[i], RL_DROP_IF_BACKLOG);
		} else {
			RL_CTR(st, link_in_frames);
			rl_ip_input(st, nif, pkts[i]);
		}
	}
	/* timers last: what arrived may have made them pointless */
	rill_stack_advance(st, now_ns);
	return nif ? 0 : -ENODEV;
}

int rill_stack_input(struct rill_stack *st, int64_t now_ns, int ifindex, const void *frame,
		     size_t len)
{
	struct rill_pkt *p;
	struct rill_iov iov[2];
	size_t n;

	if (len > rl_block_cap(RL_BLK_64K))
		return -EMSGSIZE;
	p = rl_pkt_new_rx(&st->bufs, len);
	if (!p)
		return -ENOBUFS;
	n = (size_t)rl_pkt_rx_iov(p, iov);
	for (size_t i = 0, done = 0; i < n && done < len; i++) {
		size_t k = RL_MIN(iov[i].len, len - done);

		memcpy(iov[i].base, (const uint8_t *)frame + done, k);
		done += k;
	}
	rl_pkt_rx_done(&st->bufs, p, (uint32_t)len);
	return rill_stack_input_pkts(st, now_ns, ifindex, &p, 1);
}

static struct rill_pkt *take(struct rl_netif *nif)
{
	struct rill_pkt *p = nif->txq_head;

	nif->txq_head = p->next;
	if (!nif->txq_head)
		nif->txq_tail = &nif->txq_head;
	nif->txq_len--;
	p->next = NULL;
	return p;
}

/* What goes to ourselves is answered at once, and the answer too. */
static void flush(struct rill_stack *st)
{
	for (int i = 0; i < LOOP_ROUNDS; i++) {
		rl_tcp_flush(st);
		if (!rl_ip_run_loopback(st))
			return;
	}
	rl_tcp_flush(st);
	rl_ip_loopback_later(st);
}

int rill_stack_output(struct rill_stack *st, int ifindex, struct rill_pkt **pkts, int n)
{
	int got = 0;

	flush(st);
	for (unsigned i = 1; i < RL_MAX_IFS; i++) {
		struct rl_netif *nif = rl_netif_get(st, i);

		if (!nif || nif->loopback || (ifindex && (unsigned)ifindex != i))
			continue;
		while (got < n && nif->txq_head) {
			pkts[got++] = take(nif);
			RL_CTR(st, link_out_frames);
		}
	}
	rl_udp_output_done(st);		/* room in send buffers */
	return got;
}

void rill_pkt_put(struct rill_stack *st, struct rill_pkt *p)
{
	rl_pkt_free(&st->bufs, p);
}

size_t rill_pkt_bytes(const struct rill_pkt *p, void *to, size_t n)
{
	if (n)
		rl_pkt_copy_out(p, 0, to, (uint32_t)RL_MIN(n, (size_t)rl_pkt_len(p)));
	return rl_pkt_len(p);
}

int rill_pkt_ifindex(const struct rill_pkt *p)
{
	return p->ifindex;
}

static rill_id endpoint_id(struct rl_endpoint *ep)
{
	struct tcp_conn *c;

	if (ep->proto == RL_PROTO_UDP)
		return rl_udp_endpoint_id(ep);
	c = container_of(ep, struct tcp_conn, ep);
	return c->orphan || c->embryo ? 0 : rl_tcp_id(c);
}

int rill_stack_event(struct rill_stack *st, struct rill_event *ev)
{
	while (!list_empty(&st->events)) {
		struct rl_endpoint *ep = list_first(&st->events, struct rl_endpoint,
						    event_link);

		list_del(&ep->event_link);
		*ev = (struct rill_event){ endpoint_id(ep), ep->user, ep->event_bits };
		ep->event_bits = 0;
		if (ev->id)		/* nobody listens for an orphan */
			return 1;
	}
	return 0;
}
