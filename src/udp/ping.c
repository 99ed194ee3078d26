/* SPDX-License-Identifier: MIT */
/*
 * Ping sockets: ICMP echo [RFC792] [RFC4443:4.1] for programs, as Linux has them
 * (socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP)).
 *
 * An endpoint is a UDP one whose port is the identifier: life, names, association,
 * queues and options are those of udp.c, udp_in.c and udp_opt.c.  Here is what
 * differs: a message begins with the ICMP header, whose identifier and checksum are
 * filled in; a reply goes to the endpoint of its identifier and family.  The two
 * kinds share the table of ports and never see each other.
 */
#include <errno.h>

#include "udp/udp_int.h"
#include "wire/cksum.h"
#include "wire/icmp.h"

static uint8_t echo_type(bool v4)
{
	return v4 ? (uint8_t)ICMP4_ECHO : (uint8_t)ICMP6_ECHO;
}

int rill_ping_open(struct rill_stack *st, uint64_t user, int family, rill_id *out)
{
	int r = family == 4 || family == 6 ? rill_udp_open(st, user, out) : -EAFNOSUPPORT;
	struct rl_udp *u;

	if (r)
		return r;
	u = rl_udp_find(st, *out);
	u->icmp = 1;
	u->v4only = family == 4;
	u->v6only = family == 6;
	return 0;
}

/* ---- out ---- */

/* The identifier is the endpoint's, whatever the program wrote. */
static void finish(struct rill_pkt *p, const struct rl_udp *u)
{
	uint64_t sum = 0;
	uint16_t folded;

	put16(p->data + 2, 0);
	put16(p->data + 4, u->lport);
	if (!rl_ip_is4(&u->flow.dst))
		sum = rl_sum_pseudo(&u->flow.src, &u->flow.dst, RL_PROTO_ICMP6, p->len);
	folded = rl_sum_finish(rl_sum(p->data, p->len, sum));
	memcpy(p->data + 2, &folded, sizeof(folded));
}

int rl_ping_build(struct rill_stack *st, const struct rl_udp *u, const struct rill_iov *iov,
		  int n, uint32_t len, struct rill_pkt **out)
{
	struct rill_pkt *p;

	if (len < ICMP_HDR_LEN)
		return -EINVAL;
	p = rl_pkt_new(&st->bufs, len);
	if (!p)
		return -ENOBUFS;
	for (int i = 0; i < n; i++) {
		if (iov[i].len)
			memcpy(p->data + p->len, iov[i].base, iov[i].len);
		p->len += (uint32_t)iov[i].len;
	}
	if (p->data[0] != echo_type(rl_ip_is4(&u->flow.dst)) || p->data[1] != 0) {
		rl_pkt_free(&st->bufs, p);
		return -EINVAL;
	}
	finish(p, u);
	*out = p;
	return 0;
}

/* ---- in ---- */

static bool takes(const struct rl_udp *u, const struct rill_pkt *p, uint16_t id)
{
	if (!u->icmp || u->lport != id || (u->bound_if && u->bound_if != p->ifindex))
		return false;
	if (u->connected && !rl_ip_eq(&u->peer, &p->src))
		return false;
	return rl_udp_covers(u, &p->dst);
}

/* An echo reply, checked by ip/icmp_in.c. */
static void reply_in(struct rill_stack *st, struct rill_pkt *p)
{
	uint16_t id = get16(p->data + 4);

	for (uint32_t i = *rl_udp_bucket(st, id); i; i = rl_udp_at(st, i - 1)->port_next) {
		struct rl_udp *u = rl_udp_at(st, i - 1);

		if (!takes(u, p, id))
			continue;
		p->csum_off = 0;		/* a sender without a port */
		rl_udp_deliver(st, u, p);
		return;
	}
	rl_drop_pkt(st, p, RL_DROP_ICMP_NO_MATCH);
}

static bool is_about(const struct rl_udp *u, const struct rl_icmp_err *e, uint16_t id)
{
	if (!u->icmp || u->lport != id)
		return false;
	if (!u->connected)
		return rl_udp_covers(u, &e->src);
	return rl_ip_eq(&u->peer, &e->dst) && rl_ip_eq(&u->local, &e->src);
}

/* Only an echo request that an endpoint here may have sent [RFC5927:4.1]. */
static bool error_in(struct rill_stack *st, const struct rl_icmp_err *e)
{
	uint16_t id = get16(e->quote + 4);

	if (e->quote[0] != echo_type(rl_ip_is4(&e->dst)))
		return false;
	for (uint32_t i = *rl_udp_bucket(st, id); i; i = rl_udp_at(st, i - 1)->port_next) {
		struct rl_udp *u = rl_udp_at(st, i - 1);

		if (!is_about(u, e, id))
			continue;
		rl_udp_note_error(st, u, e);
		return true;
	}
	return false;
}

void rl_ping_init(struct rill_stack *st)
{
	st->ping_proto = (struct rl_proto){ .input = reply_in, .icmp = error_in };
}
