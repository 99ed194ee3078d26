/* SPDX-License-Identifier: MIT */
/*
 * Neighbours and devices of this network namespace, over NETLINK_ROUTE: who answers
 * for its link address, and what queues dropped.  Without netlink nothing is known
 * of them, and no rule is the worse for it.
 */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/gen_stats.h>
#include <linux/neighbour.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "look/facts_read.h"

#define NEIGH_MAX	4096
#define DEVICES_MAX	256
#define ATTRS		32

static int attr(const struct nlattr *at, void *ctx)
{
	const struct nlattr **t = ctx;

	if (mnl_attr_get_type(at) < ATTRS)
		t[mnl_attr_get_type(at)] = at;
	return MNL_CB_OK;
}

/* A dump of @type; its request's header is @len bytes of zeros. */
static void dump(uint16_t type, size_t len, mnl_cb_t each, void *ctx)
{
	static char buf[1 << 16];
	char req[128] = { 0 };
	struct nlmsghdr *h = mnl_nlmsg_put_header(req);
	struct mnl_socket *nl = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	ssize_t n;

	if (!nl)
		return;
	h->nlmsg_type = type;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	h->nlmsg_seq = 1;
	mnl_nlmsg_put_extra_header(h, len);
	if (mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) == 0 &&
	    mnl_socket_sendto(nl, h, h->nlmsg_len) >= 0) {
		do
			n = mnl_socket_recvfrom(nl, buf, sizeof(buf));
		while (n > 0 && mnl_cb_run(buf, (size_t)n, 1, mnl_socket_get_portid(nl), each,
					   ctx) == MNL_CB_OK);
	}
	mnl_socket_close(nl);
}

/* ---- neighbours ---- */

static enum rl_neigh state_of(unsigned nud)
{
	if (nud & NUD_FAILED)
		return RL_NEIGH_DEAD;
	if (nud & (NUD_REACHABLE | NUD_DELAY | NUD_PROBE))
		return RL_NEIGH_ALIVE;
	return nud & NUD_INCOMPLETE ? RL_NEIGH_DEAD : RL_NEIGH_UNKNOWN;
}

static int one_neighbour(const struct nlmsghdr *h, void *ctx)
{
	const struct ndmsg *m = mnl_nlmsg_get_payload(h);
	const struct nlattr *t[ATTRS] = { 0 };
	struct rl_seen *s = ctx;
	struct rl_neighbour *n = &s->neigh[s->nneigh];

	mnl_attr_parse(h, sizeof(*m), attr, t);
	if (s->nneigh == NEIGH_MAX || !t[NDA_DST] || m->ndm_flags & NTF_PROXY)
		return MNL_CB_OK;
	memset(n, 0, sizeof(*n));
	n->state = state_of(m->ndm_state);
	if (m->ndm_family == AF_INET && mnl_attr_get_payload_len(t[NDA_DST]) == 4) {
		n->ip.b[10] = n->ip.b[11] = 0xff;
		memcpy(n->ip.b + 12, mnl_attr_get_payload(t[NDA_DST]), 4);
	} else if (m->ndm_family == AF_INET6 && mnl_attr_get_payload_len(t[NDA_DST]) == 16) {
		memcpy(n->ip.b, mnl_attr_get_payload(t[NDA_DST]), 16);
	} else {
		return MNL_CB_OK;
	}
	s->nneigh++;
	return MNL_CB_OK;
}

void rl_see_neighbours(struct rl_seen *s)
{
	s->neigh = calloc(NEIGH_MAX + 1, sizeof(*s->neigh));
	if (s->neigh)
		dump(RTM_GETNEIGH, sizeof(struct ndmsg), one_neighbour, s);
}

/* ---- devices ---- */

/* Drops of the root queue, which holds the sums of those below it. */
static int one_queue(const struct nlmsghdr *h, void *ctx)
{
	const struct tcmsg *m = mnl_nlmsg_get_payload(h);
	const struct nlattr *t[ATTRS] = { 0 }, *st[ATTRS] = { 0 };
	struct gnet_stats_queue q = { 0 };
	struct rl_seen *s = ctx;
	struct rl_device *d = &s->device[s->ndevice];
	char name[IF_NAMESIZE];
	size_t n;

	mnl_attr_parse(h, sizeof(*m), attr, t);
	if (s->ndevice == DEVICES_MAX || m->tcm_parent != TC_H_ROOT || !t[TCA_STATS2])
		return MNL_CB_OK;
	mnl_attr_parse_nested(t[TCA_STATS2], attr, st);
	if (!st[TCA_STATS_QUEUE] || !if_indextoname((unsigned)m->tcm_ifindex, name))
		return MNL_CB_OK;
	n = mnl_attr_get_payload_len(st[TCA_STATS_QUEUE]);
	memcpy(&q, mnl_attr_get_payload(st[TCA_STATS_QUEUE]), n < sizeof(q) ? n : sizeof(q));
	memset(d, 0, sizeof(*d));
	snprintf(d->name, sizeof(d->name), "%s", name);
	d->dropped = q.drops;
	d->backlog = q.backlog;
	s->ndevice++;
	return MNL_CB_OK;
}

/* What came in and was dropped before anybody looked at it: "dev.eth0.rx_drop". */
static void receivers(struct rl_seen *s)
{
	const struct netstat *net = &s->net[0];

	for (unsigned i = 0; i < net->n && s->ndevice < DEVICES_MAX; i++) {
		struct rl_device *d = &s->device[s->ndevice];
		const char *name = net->e[i].name, *end = strstr(name, ".rx_fifo");

		if (strncmp(name, "dev.", 4) || !end || end - name - 4 >= (int)sizeof(d->name))
			continue;
		memset(d, 0, sizeof(*d));
		memcpy(d->name, name + 4, (size_t)(end - name - 4));
		d->dropped = net->e[i].value;
		d->backlog = -1;
		d->receiving = true;
		s->ndevice++;
	}
}

static void growth(struct rl_seen *s, const struct rl_seen *before)
{
	for (size_t i = 0; i < s->ndevice; i++)
		for (size_t k = 0; k < before->ndevice; k++)
			if (s->device[i].receiving == before->device[k].receiving &&
			    !strcmp(s->device[i].name, before->device[k].name))
				s->device[i].grown = s->device[i].dropped -
						     before->device[k].dropped;
}

void rl_see_devices(struct rl_seen *s, const struct rl_seen *before)
{
	s->device = calloc(DEVICES_MAX + 1, sizeof(*s->device));
	if (!s->device)
		return;
	dump(RTM_GETQDISC, sizeof(struct tcmsg), one_queue, s);
	receivers(s);
	if (before)
		growth(s, before);
}
