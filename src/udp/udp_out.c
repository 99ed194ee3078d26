/* SPDX-License-Identifier: MIT */
/*
 * Datagrams out [RFC768] [RFC1122:4.1.3]: one copy from the user into a packet,
 * the checksum left to the device where it can, fragmentation left to ip/.
 *
 * What waits in the device queue is charged to the endpoint until that queue has
 * been empty; above SO_SNDBUF it has to wait (-EAGAIN), and is told when it may
 * go on.
 */
#include <errno.h>

#include "stack/sockopt_nums.h"
#include "udp/udp_int.h"
#include "wire/cksum.h"
#include "wire/udp_hdr.h"

#define MAX_PAYLOAD4	(65535 - 20 - UDP_HDR_LEN)
#define MAX_PAYLOAD6	(65535 - UDP_HDR_LEN)

/* ---- room ---- */

static const struct rl_netif *way_out(const struct rill_stack *st, const struct rl_udp *u)
{
	return u->flow.d.ifindex ? &st->netif[u->flow.d.ifindex - 1] : NULL;
}

uint32_t rl_udp_unsent(const struct rill_stack *st, const struct rl_udp *u)
{
	const struct rl_netif *nif = way_out(st, u);

	return nif && nif->txq_len ? u->snd_cost : 0;
}

bool rl_udp_may_send(const struct rill_stack *st, const struct rl_udp *u)
{
	return rl_udp_unsent(st, u) < u->sndbuf;
}

static int64_t wait_for_room(struct rill_stack *st, struct rl_udp *u)
{
	if (!u->want_out) {
		u->want_out = 1;
		st->udp->waiting++;
	}
	return -EAGAIN;
}

void rl_udp_output_done(struct rill_stack *st)
{
	if (RL_LIKELY(!st->udp->waiting))
		return;
	for (uint32_t i = 0; i < rl_slab_end(&st->udp->eps); i++) {
		struct rl_udp *u = rl_slab_live(&st->udp->eps, i);

		if (!u || !u->want_out || !rl_udp_may_send(st, u))
			continue;
		u->want_out = 0;
		st->udp->waiting--;
		rl_event(st, &u->ep, RILL_OUT);
	}
}

/* ---- where to ---- */

static int pick_source(struct rill_stack *st, const struct rl_udp *u, struct rl_flow *f)
{
	const struct rill_ip *own = u->connected ? &u->local : &u->bound;

	if (rl_ip_is_any(own) || rl_ip_is_mcast(own) || rl_ip_is_broadcast(st, own) ||
	    (u->connected && !rl_ip_eq(&f->dst, &u->peer) && rl_ip_is_any(&u->bound)))
		return rl_ip_select_source(st, &f->dst, f->bound_if, &f->src);
	if (rl_ip_is4(own) != rl_ip_is4(&f->dst))
		return -ENETUNREACH;
	f->src = *own;				/* [RFC1122-33] */
	return 0;
}

static void set_hops(const struct rl_udp *u, struct rl_flow *f)
{
	bool v4 = rl_ip_is4(&f->dst);

	if (rl_ip_is_mcast(&f->dst)) {
		f->ttl = v4 ? u->mcast_ttl : u->mcast_hops;
		f->mcast_loop = v4 ? u->mcast_loop4 : u->mcast_loop6;
	} else {
		f->ttl = v4 ? u->ttl : u->hops;
	}
	f->tos = v4 ? u->tos : u->tclass;
}

static uint8_t protocol(const struct rl_udp *u, const struct rill_ip *dst)
{
	if (!u->icmp)
		return RL_PROTO_UDP;
	return rl_ip_is4(dst) ? RL_PROTO_ICMP : RL_PROTO_ICMP6;
}

/* The flow of the last datagram serves again when nothing changed. */
static int aim(struct rill_stack *st, struct rl_udp *u, const struct rill_ip *dst,
	       uint16_t ifindex)
{
	struct rl_flow *f = &u->flow;
	int r;

	if (u->bound_if)
		ifindex = u->bound_if;
	else if (!ifindex && rl_ip_is_mcast(dst))
		ifindex = u->mcast_if;
	if (f->d.gen != st->route_gen || !rl_ip_eq(&f->dst, dst) || f->bound_if != ifindex) {
		*f = (struct rl_flow){ .dst = *dst, .bound_if = ifindex,
				       .proto = protocol(u, dst) };
		r = pick_source(st, u, f);
		if (!r)
			r = rl_ip_route(st, f);
		if (r) {
			f->d.gen = 0;
			return r;
		}
	}
	if (f->d.cast == RL_PKT_IP_BCAST && !u->broadcast)
		return -EACCES;
	set_hops(u, f);
	return 0;
}

/* RFC 1191's discovery as far as UDP can: by Linux's IP_MTU_DISCOVER. */
static void set_df(const struct rill_stack *st, struct rl_udp *u, uint32_t len)
{
	bool v4 = rl_ip_is4(&u->flow.dst);
	struct rl_flow *f = &u->flow;
	uint32_t total = len + UDP_HDR_LEN + (v4 ? 20 : 40);

	switch ((enum rl_pmtudisc)(v4 ? u->pmtud4 : u->pmtud6)) {
	case RL_PMTUDISC_DO:
		f->df = true;
		break;
	case RL_PMTUDISC_WANT:
		f->df = v4 && total <= f->d.mtu;
		break;
	case RL_PMTUDISC_PROBE:
		f->df = true;
		f->d.mtu = rl_ip_if_mtu(st, &f->d);
		break;
	case RL_PMTUDISC_DONT:
	case RL_PMTUDISC_INTERFACE:
	case RL_PMTUDISC_OMIT:
		f->df = false;
		break;
	}
}

/* ---- what ---- */

static int64_t total_len(const struct rill_iov *iov, int n, uint32_t max)
{
	size_t len = 0;

	for (int i = 0; i < n; i++) {
		if (iov[i].len > max - len)
			return -EMSGSIZE;
		len += iov[i].len;
	}
	return (int64_t)len;
}

static int build(struct rill_stack *st, const struct rl_udp *u, uint16_t dport,
		 const struct rill_iov *iov, int n, uint32_t len, struct rill_pkt **out)
{
	struct rill_pkt *p = rl_pkt_new(&st->bufs, UDP_HDR_LEN + len);
	struct udp_hdr h = { .sport = u->lport, .dport = dport,
			     .len = (uint16_t)(UDP_HDR_LEN + len) };
	uint16_t sum;

	if (!p)
		return -ENOBUFS;
	rl_udp_hdr_write(&h, p->data);
	sum = rl_sum_fold(rl_sum_pseudo(&u->flow.src, &u->flow.dst, RL_PROTO_UDP, h.len));
	memcpy(p->data + UDP_CSUM_OFF, &sum, sizeof(sum));
	p->flags = RL_PKT_CSUM_PARTIAL;		/* [RFC1122-40] */
	p->csum_start = 0;
	p->csum_off = UDP_CSUM_OFF;
	p->len = UDP_HDR_LEN;
	for (int i = 0; i < n; i++) {
		if (iov[i].len)
			memcpy(p->data + p->len, iov[i].base, iov[i].len);
		p->len += (uint32_t)iov[i].len;
	}
	*out = p;
	return 0;
}

/* ---- the call ---- */

struct dest {
	struct rill_ip	ip;
	uint16_t	port, ifindex;
};

static int destination(const struct rl_udp *u, const struct rill_addr *to, struct dest *d)
{
	static const struct rill_ip lo6 = { .b = { [15] = 1 } };

	if (!to && !u->connected)
		return -EDESTADDRREQ;
	if (to)
		*d = (struct dest){ to->ip, to->port, to->ifindex };
	else
		*d = (struct dest){ u->peer, u->rport, u->flow.bound_if };
	if (!d->port && !u->icmp)
		return -EINVAL;			/* [RFC768-03] */
	if (rl_ip_is_any(&d->ip))		/* Linux's custom: this host */
		d->ip = rl_ip_is4(&d->ip) ? rl_ip4(0x7f000001) : lo6;
	if (rl_ip_is4(&d->ip) ? u->v6only : u->v4only && !u->auto_addr)
		return -ENETUNREACH;
	return 0;
}

static int64_t prepare(struct rill_stack *st, struct rl_udp *u, const struct rill_addr *to,
		       unsigned flags, struct dest *d)
{
	int r;

	if (u->err)
		return rl_udp_take_error(u);
	if (u->shut_wr)
		return -EPIPE;
	if (flags & (RILL_MSG_OOB | RILL_MSG_MORE))
		return -EOPNOTSUPP;
	r = destination(u, to, d);
	if (!r)
		r = rl_udp_autobind(st, u, &d->ip);
	if (!r)
		r = aim(st, u, &d->ip, d->ifindex);
	return r == -EADDRINUSE ? -EAGAIN : r;
}

int64_t rill_udp_send(struct rill_stack *st, rill_id id, const struct rill_iov *iov, int n,
		      const struct rill_addr *to, unsigned flags)
{
	struct rl_udp *u = rl_udp_find(st, id);
	struct rill_pkt *p;
	struct dest d;
	int64_t r, len;

	if (!u)
		return -EBADF;
	r = prepare(st, u, to, flags, &d);
	if (r)
		return r;
	len = total_len(iov, n, rl_ip_is4(&d.ip) ? MAX_PAYLOAD4 : MAX_PAYLOAD6);
	if (len < 0)
		return len;
	if (!rl_udp_may_send(st, u))
		return wait_for_room(st, u);
	r = u->icmp ? rl_ping_build(st, u, iov, n, (uint32_t)len, &p) :
		      build(st, u, d.port, iov, n, (uint32_t)len, &p);
	if (r)
		return r;
	set_df(st, u, (uint32_t)len);
	u->snd_cost = rl_udp_unsent(st, u) + (uint32_t)len + (uint32_t)sizeof(*p);
	r = rl_ip_output(st, p, &u->flow);
	if (r)
		return r;
	if (u->icmp)
		RL_CTR(st, icmp_out_msgs);
	else
		RL_CTR(st, udp_out_datagrams);
	rl_ip_run_loopback(st);
	return len;
}
