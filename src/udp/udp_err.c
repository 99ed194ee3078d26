/* SPDX-License-Identifier: MIT */
/*
 * Errors that datagrams brought back: as Linux's, they become the endpoint's pending
 * error, and with IP_RECVERR or IPV6_RECVERR they wait in a queue, each with who
 * reported it and what was quoted, also for endpoints without a peer.
 *
 * The queue shares SO_RCVBUF with what was received; what does not fit is not noted.
 * An entry is a packet: struct rill_sock_err, then the quote from behind the UDP
 * header or, of a ping socket, from the ICMP header on.
 */
#include <errno.h>

#include "stack/sockopt_nums.h"
#include "udp/udp_int.h"
#include "wire/udp_hdr.h"

#define HEAD	((uint32_t)sizeof(struct rill_sock_err))

static void describe(const struct rl_udp *u, const struct rl_icmp_err *e,
		     struct rill_sock_err *m)
{
	*m = (struct rill_sock_err){
		.to = { e->dst, u->icmp ? (uint16_t)0 : get16(e->quote + 2), 0 },
		.from = rl_ip_is_any(&e->from) ? e->src : e->from,	/* our own finding */
		.err = e->err, .type = e->type, .code = e->code, .mtu = e->mtu,
		.v6 = !rl_ip_is4(&e->dst),
	};
}

static void enqueue(struct rill_stack *st, struct rl_udp *u, const struct rl_icmp_err *e)
{
	uint32_t skip = u->icmp ? 0 : UDP_HDR_LEN, n = e->quote_len - skip;
	struct rill_sock_err m;
	struct rill_pkt *p;

	p = rl_pkt_new(&st->bufs, HEAD + n);
	if (!p)
		return;
	if (u->rcv_cost + rl_pkt_cost(p) > u->rcvbuf && u->rcv_cost) {
		rl_pkt_free(&st->bufs, p);
		return;
	}
	describe(u, e, &m);
	m.len = n;
	memcpy(p->data, &m, HEAD);
	memcpy(p->data + HEAD, e->quote + skip, n);
	p->len = HEAD + n;
	p->next = NULL;
	*u->err_tail = p;
	u->err_tail = &p->next;
	u->rcv_cost += rl_pkt_cost(p);
}

static bool wants_queue(const struct rl_udp *u, const struct rl_icmp_err *e)
{
	return rl_ip_is4(&e->dst) ? u->recverr4 : u->recverr6;
}

/* [RFC1122-39]; an endpoint without a peer could not tell what it is about */
void rl_udp_note_error(struct rill_stack *st, struct rl_udp *u, const struct rl_icmp_err *e)
{
	uint8_t pmtud = rl_ip_is4(&e->dst) ? u->pmtud4 : u->pmtud6;
	bool queue = wants_queue(u, e);

	if (!u->connected && !queue)
		return;
	if (e->kind == RL_ICMP_SOFT && !queue) {
		u->soft_err = e->err;
		return;
	}
	if (e->kind == RL_ICMP_TOO_BIG &&
	    (queue ? pmtud == RL_PMTUDISC_DONT : pmtud != RL_PMTUDISC_DO))
		return;			/* the next one will be fragmented */
	if (queue)
		enqueue(st, u, e);
	u->err = e->err;
	rl_event(st, &u->ep, RILL_ERR | RILL_IN | RILL_OUT);
}

static struct rill_pkt *unqueue(struct rl_udp *u)
{
	struct rill_pkt *p = u->err_head;

	u->err_head = p->next;
	if (!u->err_head)
		u->err_tail = &u->err_head;
	u->rcv_cost -= rl_pkt_cost(p);
	return p;
}

void rl_udp_drop_errors(struct rill_stack *st, struct rl_udp *u)
{
	while (u->err_head)
		rl_pkt_free(&st->bufs, unqueue(u));
}

static int64_t copy_quote(const struct rill_pkt *p, const struct rill_iov *iov, int n)
{
	uint32_t off = HEAD;

	for (int i = 0; i < n && off < p->len; i++) {
		uint32_t k = (uint32_t)RL_MIN(iov[i].len, (size_t)(p->len - off));

		if (k)
			memcpy(iov[i].base, p->data + off, k);
		off += k;
	}
	return off - HEAD;
}

/* Taking an entry clears the pending error that came with it, or leaves the next. */
int64_t rill_udp_recverr(struct rill_stack *st, rill_id id, const struct rill_iov *iov, int n,
			 struct rill_sock_err *err)
{
	struct rl_udp *u = rl_udp_find(st, id);
	struct rill_sock_err next = { .err = 0 };
	struct rill_pkt *p;
	int64_t copied;

	if (!u)
		return -EBADF;
	if (!u->err_head)
		return -EAGAIN;
	p = unqueue(u);
	memcpy(err, p->data, HEAD);
	copied = copy_quote(p, iov, n);
	err->truncated = copied < err->len;
	rl_pkt_free(&st->bufs, p);
	if (u->err_head)
		memcpy(&next, u->err_head->data, HEAD);
	u->err = next.err;
	return copied;
}
