/* SPDX-License-Identifier: MIT */
/*
 * Socket options of TCP endpoints, by Linux's numbers, with Linux's errors.  The
 * list for people is src/sock/sockopts.def.  IPv6's twins of IPv4's options share
 * one field.
 */
#include <errno.h>

#include "stack/sockopt_nums.h"
#include "tcp/conn.h"

#define KEY(level, name)	((level) << 16 | (name))

struct linger { int32_t onoff, seconds; };	/* as struct linger */

static int set_buffer(struct rill_stack *st, struct tcp_conn *c, int32_t v, bool rcv)
{
	int64_t max = rcv ? RL_CFG(st, rmem_max) : RL_CFG(st, wmem_max);
	int64_t min = rcv ? 2304 : 4608;
	/* doubled, as on Linux: half is for overhead */
	int64_t n = RL_MAX(2 * RL_MIN(RL_MAX((int64_t)v, 0), max), min);

	if (rcv) {
		c->rcvbuf = (uint32_t)n;
		c->rcvbuf_set = 1;
	} else {
		c->sndbuf = (uint32_t)n;
		c->sndbuf_set = 1;
		rl_event(st, &c->ep, RILL_OUT);
	}
	return 0;
}

static int set_socket(struct rill_stack *st, struct tcp_conn *c, int name, int32_t v)
{
	switch (name) {
	case RL_SO_REUSEADDR:
		c->reuseaddr = !!v;
		return 0;
	case RL_SO_REUSEPORT:
		c->reuseport = !!v;
		return 0;
	case RL_SO_KEEPALIVE:			/* [RFC9293:MUST-24] [RFC9293:MUST-25] */
		c->keepalive = !!v;
		rl_timers_on_keepalive_changed(st, c);
		return 0;
	case RL_SO_OOBINLINE:			/* [RFC6093-03] */
		c->oobinline = !!v;
		return 0;
	case RL_SO_RCVBUF:
		return set_buffer(st, c, v, true);
	case RL_SO_SNDBUF:
		return set_buffer(st, c, v, false);
	case RL_SO_BINDTOIFINDEX:
		if (v < 0 || (v && !rl_netif_get(st, (unsigned)v)))
			return v < 0 ? -EINVAL : -ENODEV;
		c->flow.bound_if = (uint16_t)v;
		c->flow.d.gen = 0;
		return 0;
	}
	return -ENOPROTOOPT;
}

/* Options that live in the cold part. */
static int set_cold(struct rill_stack *st, struct tcp_conn *c, int key, int32_t v)
{
	struct tcp_cold *k = rl_tcp_cold(st, c);

	if (!k)
		return -ENOMEM;
	switch (key) {
	case KEY(RL_SOL_SOCKET, RL_SO_RCVLOWAT):
		k->rcvlowat = v < 0 ? INT32_MAX : v ? (uint32_t)v : 1;
		rl_event(st, &c->ep, RILL_IN);
		return 0;
	case KEY(RL_SOL_TCP, RL_TCP_KEEPIDLE):
		if (v < 1 || v > 32767)
			return -EINVAL;
		k->keepidle_s = v;
		rl_timers_on_keepalive_changed(st, c);
		return 0;
	case KEY(RL_SOL_TCP, RL_TCP_KEEPINTVL):
		if (v < 1 || v > 32767)
			return -EINVAL;
		k->keepintvl_s = v;
		return 0;
	case KEY(RL_SOL_TCP, RL_TCP_KEEPCNT):
		if (v < 1 || v > 127)
			return -EINVAL;
		k->keepcnt = v;
		return 0;
	case KEY(RL_SOL_TCP, RL_TCP_SYNCNT):
		if (v < 1 || v > 127)
			return -EINVAL;
		k->syncnt = v;
		return 0;
	case KEY(RL_SOL_TCP, RL_TCP_LINGER2):
		k->linger2_s = v < 0 ? -1 : v > 120 ? 0 : v;
		return 0;
	case KEY(RL_SOL_TCP, RL_TCP_MAXSEG):	/* 0: no limit of the user's */
		if (v && (v < 88 || v > 32767))
			return -EINVAL;
		k->maxseg = (uint32_t)v;
		if (c->hashed)
			rl_tcp_set_mss(st, c);
		return 0;
	case KEY(RL_SOL_TCP, RL_TCP_WINDOW_CLAMP):
		if (!v && c->state != RILL_CLOSE)
			return -EINVAL;
		k->window_clamp = v && v < 1152 ? 1152 : (uint32_t)v;
		return 0;
	case KEY(RL_SOL_TCP, RL_TCP_USER_TIMEOUT):	/* [RFC9293:MUST-21] */
		if (v < 0)
			return -EINVAL;
		k->user_timeout_ms = (uint32_t)v;
		return 0;
	case KEY(RL_SOL_TCP, RL_TCP_NOTSENT_LOWAT):
		k->notsent_lowat = (uint32_t)v;
		rl_event(st, &c->ep, RILL_OUT);
		return 0;
	case KEY(RL_SOL_IP, RL_IP_MINTTL):
	case KEY(RL_SOL_IPV6, RL_IPV6_MINHOPCOUNT):
		if (v < 0 || v > 255)
			return -EINVAL;
		k->minttl = (uint8_t)v;
		return 0;
	}
	return -ENOPROTOOPT;
}

static int set_tcp(struct rill_stack *st, struct tcp_conn *c, int name, int32_t v)
{
	switch (name) {
	case RL_TCP_NODELAY:			/* [RFC9293:MUST-17] */
		c->nodelay = !!v;
		c->uncork = c->nodelay;		/* it flushes even what a cork holds: tcp(7) */
		rl_tcp_want_output(st, c);
		return 0;
	case RL_TCP_CORK:
		c->cork = !!v;
		rl_tcp_want_output(st, c);
		return 0;
	case RL_TCP_QUICKACK:			/* not sticky, as on Linux */
		c->pingpong = !v;
		if (v) {
			c->quickacks = 16;
			if (c->ack_delayed) {
				c->ack_now = 1;
				rl_tcp_want_output(st, c);
			}
		}
		return 0;
	}
	return set_cold(st, c, KEY(RL_SOL_TCP, name), v);
}

/* [RFC9293:MUST-48] [RFC9293:MUST-49] [RFC9293:SHLD-21]: also while connected. */
static int set_ip(struct rill_stack *st, struct tcp_conn *c, int key, int32_t v)
{
	switch (key) {
	case KEY(RL_SOL_IP, RL_IP_TOS):
	case KEY(RL_SOL_IPV6, RL_IPV6_TCLASS):
		if (key == KEY(RL_SOL_IPV6, RL_IPV6_TCLASS) && (v < -1 || v > 255))
			return -EINVAL;
		c->flow.tos = (uint8_t)((v < 0 ? 0 : v) & ~3);	/* ECN is TCP's [RFC9293:SHLD-22] */
		return 0;
	case KEY(RL_SOL_IP, RL_IP_TTL):
	case KEY(RL_SOL_IPV6, RL_IPV6_UNICAST_HOPS):
		if (v < -1 || v > 255 || (!v && key == KEY(RL_SOL_IP, RL_IP_TTL)))
			return -EINVAL;
		c->flow.ttl = v < 0 ? 0 : (uint8_t)v;
		return 0;
	case KEY(RL_SOL_IP, RL_IP_MTU_DISCOVER):
	case KEY(RL_SOL_IPV6, RL_IPV6_MTU_DISCOVER):
		if (v != RL_PMTUDISC_DONT && v != RL_PMTUDISC_WANT && v != RL_PMTUDISC_DO)
			return -EINVAL;
		c->flow.df = v != RL_PMTUDISC_DONT;
		c->pmtudisc = (uint8_t)v & 3;
		return 0;
	case KEY(RL_SOL_IPV6, RL_IPV6_V6ONLY):
		if (c->bound_port || c->hashed)
			return -EINVAL;
		c->v6only = !!v;
		return 0;
	}
	return set_cold(st, c, key, v);
}

static int set_linger(struct rill_stack *st, struct tcp_conn *c, const void *val, size_t len)
{
	struct tcp_cold *k = rl_tcp_cold(st, c);
	struct linger l;

	if (len < sizeof(l))
		return -EINVAL;
	if (!k)
		return -ENOMEM;
	memcpy(&l, val, sizeof(l));
	k->linger_s = l.onoff ? RL_MAX(l.seconds, 0) : -1;
	return 0;
}

static int set_device(struct rill_stack *st, struct tcp_conn *c, const char *name, size_t len)
{
	char want[16] = { 0 };		/* as the name of an interface is kept */

	for (size_t k = 0; k < len && k < sizeof(want) && name[k]; k++)
		want[k] = name[k];
	for (unsigned i = 1; want[0] && i <= RL_MAX_IFS; i++) {
		const struct rl_netif *nif = rl_netif_get(st, i);

		if (!nif || memcmp(nif->name, want, sizeof(want)))
			continue;
		c->flow.bound_if = (uint16_t)i;
		c->flow.d.gen = 0;
		return 0;
	}
	if (want[0])
		return -ENODEV;
	c->flow.bound_if = 0;
	return 0;
}

static int set_congestion(struct tcp_conn *c, const char *name, size_t len)
{
	char buf[16] = { 0 };
	const struct cc_ops *cc;

	memcpy(buf, name, RL_MIN(len, sizeof(buf) - 1));
	cc = rl_cc_find(buf);
	if (!cc)
		return -ENOENT;
	c->cc = cc;
	cc->init(c);
	return 0;
}

int rl_tcp_setsockopt(struct rill_stack *st, rill_id id, int level, int name,
		      const void *val, size_t len)
{
	struct tcp_conn *c = rl_tcp_find(st, id);
	int32_t v;
	int err;

	if (!c)
		return -EBADF;
	if (level == RL_SOL_TCP && name == RL_TCP_CONGESTION)
		return len ? set_congestion(c, val, len) : -EINVAL;
	if (level == RL_SOL_SOCKET && name == RL_SO_BINDTODEVICE)
		return set_device(st, c, val, len);
	if (len >= sizeof(v))
		memcpy(&v, val, sizeof(v));
	else if (level == RL_SOL_IP && len >= 1)
		v = *(const uint8_t *)val;	/* as Linux: a byte will do */
	else
		return -EINVAL;
	switch (level) {
	case RL_SOL_SOCKET:
		if (name == RL_SO_LINGER)
			return set_linger(st, c, val, len);
		err = set_socket(st, c, name, v);
		return err == -ENOPROTOOPT ? set_cold(st, c, KEY(level, name), v) : err;
	case RL_SOL_TCP:
		return set_tcp(st, c, name, v);
	case RL_SOL_IP:
	case RL_SOL_IPV6:
		return set_ip(st, c, KEY(level, name), v);
	}
	return -ENOPROTOOPT;
}

static int32_t take_so_error(struct tcp_conn *c)
{
	int32_t err = c->err ? c->err : c->soft_err;	/* [RFC9293:MUST-47] */

	if (c->err)
		c->err = 0;
	else
		c->soft_err = 0;
	return err;
}

static int get_socket(struct rill_stack *st, struct tcp_conn *c, int name, int32_t *v)
{
	switch (name) {
	case RL_SO_REUSEADDR:	*v = c->reuseaddr; return 0;
	case RL_SO_REUSEPORT:	*v = c->reuseport; return 0;
	case RL_SO_KEEPALIVE:	*v = c->keepalive; return 0; /* [RFC9293:MAY-5] */
	case RL_SO_OOBINLINE:	*v = c->oobinline; return 0;
	case RL_SO_RCVBUF:	*v = (int32_t)c->rcvbuf; return 0;
	case RL_SO_SNDBUF:	*v = (int32_t)rl_tcp_sndbuf(st, c); return 0;
	case RL_SO_BINDTOIFINDEX: *v = c->flow.bound_if; return 0;
	case RL_SO_ERROR:	*v = take_so_error(c); return 0;
	case RL_SO_ACCEPTCONN:	*v = c->state == RILL_LISTEN; return 0;
	case RL_SO_BROADCAST:	*v = 0; return 0;
	case RL_SO_SNDLOWAT:	*v = 1; return 0;
	case RL_SO_RCVLOWAT:
		*v = c->cold && c->cold->rcvlowat ? (int32_t)c->cold->rcvlowat : 1;
		return 0;
	}
	return -ENOPROTOOPT;
}

static int get_tcp(struct rill_stack *st, struct tcp_conn *c, int name, int32_t *v)
{
	const struct tcp_cold *k = c->cold;

	switch (name) {
	case RL_TCP_NODELAY:	*v = c->nodelay; return 0;
	case RL_TCP_CORK:	*v = c->cork; return 0;
	case RL_TCP_QUICKACK:	*v = !c->pingpong; return 0;
	case RL_TCP_KEEPIDLE:	*v = rl_tcp_keepidle(st, c); return 0;
	case RL_TCP_KEEPINTVL:	*v = rl_tcp_keepintvl(st, c); return 0;
	case RL_TCP_KEEPCNT:	*v = rl_tcp_keepcnt(st, c); return 0;
	case RL_TCP_MAXSEG:
		*v = c->mss ? (int32_t)c->mss : k && k->maxseg ? (int32_t)k->maxseg : 536;
		return 0;
	case RL_TCP_SYNCNT:
		*v = k && k->syncnt ? k->syncnt : RL_CFG(st, tcp_syn_retries);
		return 0;
	case RL_TCP_LINGER2:
		*v = k && k->linger2_s ? k->linger2_s : RL_CFG(st, tcp_fin_timeout);
		return 0;
	case RL_TCP_WINDOW_CLAMP: *v = k ? (int32_t)k->window_clamp : 0; return 0;
	case RL_TCP_USER_TIMEOUT: *v = k ? (int32_t)k->user_timeout_ms : 0; return 0;
	case RL_TCP_NOTSENT_LOWAT: *v = k ? (int32_t)k->notsent_lowat : 0; return 0;
	}
	return -ENOPROTOOPT;
}

static int get_ip(struct rill_stack *st, struct tcp_conn *c, int key, int32_t *v)
{
	switch (key) {
	case KEY(RL_SOL_IP, RL_IP_TOS):
	case KEY(RL_SOL_IPV6, RL_IPV6_TCLASS):
		*v = c->flow.tos;
		return 0;
	case KEY(RL_SOL_IP, RL_IP_TTL):
		*v = c->flow.ttl ? c->flow.ttl : RL_CFG(st, ip_default_ttl);
		return 0;
	case KEY(RL_SOL_IPV6, RL_IPV6_UNICAST_HOPS):
		*v = c->flow.ttl ? c->flow.ttl : RL_CFG(st, hop_limit);
		return 0;
	case KEY(RL_SOL_IP, RL_IP_MTU_DISCOVER):
	case KEY(RL_SOL_IPV6, RL_IPV6_MTU_DISCOVER):
		*v = c->pmtudisc;
		return 0;
	case KEY(RL_SOL_IP, RL_IP_MTU):
	case KEY(RL_SOL_IPV6, RL_IPV6_MTU):
		if (!c->hashed)
			return -ENOTCONN;
		if (c->flow.d.gen != st->route_gen)
			rl_ip_route(st, &c->flow);
		*v = (int32_t)c->flow.d.mtu;
		return 0;
	case KEY(RL_SOL_IP, RL_IP_MINTTL):
	case KEY(RL_SOL_IPV6, RL_IPV6_MINHOPCOUNT):
		*v = c->cold ? c->cold->minttl : 0;
		return 0;
	case KEY(RL_SOL_IPV6, RL_IPV6_V6ONLY):
		*v = c->v6only;
		return 0;
	}
	return -ENOPROTOOPT;
}

static int give(void *val, size_t *len, const void *from, size_t n)
{
	*len = RL_MIN(*len, n);
	memcpy(val, from, *len);
	return 0;
}

/* Options that are no int. */
static int get_struct(struct rill_stack *st, struct tcp_conn *c, int key, void *val,
		      size_t *len)
{
	const struct rl_netif *nif;
	struct rill_tcp_info info;
	struct linger l = { 0, 0 };
	char name[16] = { 0 };

	switch (key) {
	case KEY(RL_SOL_TCP, RL_TCP_INFO):
		rl_tcp_info(st, c, &info);
		return give(val, len, &info, sizeof(info));
	case KEY(RL_SOL_TCP, RL_TCP_CONGESTION):
		for (size_t i = 0; i < sizeof(name) - 1 && c->cc->name[i]; i++)
			name[i] = c->cc->name[i];
		return give(val, len, name, sizeof(name));
	case KEY(RL_SOL_SOCKET, RL_SO_LINGER):
		if (c->cold && c->cold->linger_s >= 0)
			l = (struct linger){ 1, c->cold->linger_s };
		return give(val, len, &l, sizeof(l));
	case KEY(RL_SOL_SOCKET, RL_SO_BINDTODEVICE):
		nif = rl_netif_get(st, c->flow.bound_if);
		return give(val, len, nif ? nif->name : "", nif ? sizeof(nif->name) : 0);
	}
	return -ENOPROTOOPT;
}

int rl_tcp_getsockopt(struct rill_stack *st, rill_id id, int level, int name, void *val,
		      size_t *len)
{
	struct tcp_conn *c = rl_tcp_find(st, id);
	int err = -ENOPROTOOPT;
	int32_t v = 0;

	if (!c)
		return -EBADF;
	switch (level) {
	case RL_SOL_SOCKET:
		err = get_socket(st, c, name, &v);
		break;
	case RL_SOL_TCP:
		err = get_tcp(st, c, name, &v);
		break;
	case RL_SOL_IP:
	case RL_SOL_IPV6:
		err = get_ip(st, c, KEY(level, name), &v);
		break;
	}
	if (err == -ENOPROTOOPT)
		return get_struct(st, c, KEY(level, name), val, len);
	return err ? err : give(val, len, &v, sizeof(v));
}

/* Bytes before the urgent mark count, as on Linux. */
static int inq(const struct tcp_conn *c)
{
	uint32_t n = c->rcvq.len;

	if (c->cold && c->cold->urg_pending && !c->oobinline) {
		int32_t to_mark = seq_diff(c->cold->urg_seq, rl_tcp_read_seq(c));

		if (to_mark >= 0)
			n = RL_MIN(n, (uint32_t)to_mark);
	}
	return (int)n;
}

int rl_tcp_ioctl(struct rill_stack *st, rill_id id, unsigned long req, int *val)
{
	struct tcp_conn *c = rl_tcp_find(st, id);
	uint32_t flight;

	if (!c)
		return -EBADF;
	if (c->state == RILL_LISTEN)
		return -EINVAL;
	flight = (uint32_t)seq_diff(c->snd_nxt, c->snd_una);
	switch (req) {
	case RL_SIOCINQ:
		*val = inq(c);
		return 0;
	case RL_SIOCOUTQ:
		*val = (int)c->sendq.len;
		return 0;
	case RL_SIOCOUTQNSD:
		*val = (int)(c->sendq.len > flight ? c->sendq.len - flight : 0);
		return 0;
	case RL_SIOCATMARK:
		*val = rl_tcp_at_mark(c);
		return 0;
	}
	return -EINVAL;
}
