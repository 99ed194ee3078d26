// SPDX-License-Identifier: MIT
/*
 * Socket options.  Those of the descriptor (timeouts, type, ancillary data,
 * IPV6_V6ONLY until it is bound) are kept here; all others are the stack's.
 * The list of all of them is sockopts.def, which decides what is refused.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/time.h>

#include "base/types.h"
#include "sock/sock.h"

static const struct rill_sockopt_desc descs[] = {
#define SOCKOPT(level, name, type, set, help)	\
	{ #level, #name, #type, level, name, (set) != 2, (set) != 0, help },
#include "sock/sockopts.def"
#undef SOCKOPT
};

const struct rill_sockopt_desc *rill_sockopt_desc(unsigned i)
{
	return i < ARRAY_LEN(descs) ? &descs[i] : NULL;
}

static const struct rill_sockopt_desc *find(int level, int name)
{
	for (size_t i = 0; i < ARRAY_LEN(descs); i++)
		if (descs[i].level_num == level && descs[i].num == name)
			return &descs[i];
	return NULL;
}

/* Options that are a bit of the descriptor. */
static const struct {
	int level, name;
	uint16_t flag;
	bool v6;			/* of AF_INET6 sockets only */
} flag_opts[] = {
	{ IPPROTO_IP,	IP_PKTINFO,		RL_SF_PKTINFO,	false },
	{ IPPROTO_IP,	IP_RECVTTL,		RL_SF_RECVTTL,	false },
	{ IPPROTO_IP,	IP_RECVTOS,		RL_SF_RECVTOS,	false },
	{ IPPROTO_IPV6,	IPV6_RECVPKTINFO,	RL_SF_PKTINFO6,	true },
	{ IPPROTO_IPV6,	IPV6_RECVHOPLIMIT,	RL_SF_HOPLIMIT6, true },
	{ IPPROTO_IPV6,	IPV6_RECVTCLASS,	RL_SF_TCLASS6,	true },
	{ IPPROTO_IPV6,	IPV6_V6ONLY,		RL_SF_V6ONLY,	true },
};

static int flag_opt(int level, int name)
{
	for (size_t i = 0; i < ARRAY_LEN(flag_opts); i++)
		if (flag_opts[i].level == level && flag_opts[i].name == name)
			return (int)i;
	return -1;
}

static int get_int(const void *val, socklen_t len, int *v)
{
	if (len < sizeof(*v))
		return -EINVAL;
	memcpy(v, val, sizeof(*v));
	return 0;
}

/* As Linux: 0 means for ever, a negative time not at all. */
static int set_timeo(int64_t *to, const void *val, socklen_t len)
{
	struct timeval tv;

	if (len < sizeof(tv))
		return -EINVAL;
	memcpy(&tv, val, sizeof(tv));
	if (tv.tv_usec < 0 || tv.tv_usec >= 1000000)
		return -EDOM;
	if (tv.tv_sec < 0)
		*to = 0;
	else if ((tv.tv_sec == 0 && tv.tv_usec == 0) || tv.tv_sec >= RL_NEVER / RL_SEC)
		*to = RL_NEVER;
	else
		*to = tv.tv_sec * RL_SEC + tv.tv_usec * RL_US;
	return 0;
}

static int set_flag(struct rl_sock *s, int i, const void *val, socklen_t len)
{
	int v, r = get_int(val, len, &v);

	if (r < 0)
		return r;
	if (flag_opts[i].v6 && s->flags & RL_SF_V4)
		return -ENOPROTOOPT;
	if (flag_opts[i].flag == RL_SF_V6ONLY && s->flags & RL_SF_BOUND)
		return -EINVAL;
	if (v)
		s->flags |= flag_opts[i].flag;
	else
		s->flags &= (uint16_t)~flag_opts[i].flag;
	return 0;
}

/* What the descriptor must know of an option that the stack took. */
static void note(struct rill_stack *st, struct rl_sock *s, int name)
{
	struct linger l = { 0 };
	size_t len = sizeof(l);
	int v = 1;

	if (name == SO_LINGER) {
		s->flags &= (uint16_t)~RL_SF_LINGER;
		if (rill_stack_getsockopt(st, s->id, SOL_SOCKET, name, &l, &len) == 0 &&
		    l.l_onoff && l.l_linger > 0)
			s->flags |= RL_SF_LINGER;
	} else if (name == SO_RCVLOWAT) {
		len = sizeof(v);
		if (rill_stack_getsockopt(st, s->id, SOL_SOCKET, name, &v, &len) == 0)
			s->rcvlowat = v > 0 ? (uint32_t)v : 1;
	}
}

static int set(struct rill_stack *st, struct rl_sock *s, int level, int name,
	       const void *val, socklen_t len)
{
	const struct rill_sockopt_desc *d = find(level, name);
	int i = flag_opt(level, name), r;

	if (!d || !d->settable)
		return -ENOPROTOOPT;
	if (i >= 0)
		return set_flag(s, i, val, len);
	if (level == SOL_SOCKET && name == SO_RCVTIMEO)
		return set_timeo(&s->rcvtimeo_ns, val, len);
	if (level == SOL_SOCKET && name == SO_SNDTIMEO)
		return set_timeo(&s->sndtimeo_ns, val, len);
	r = rill_stack_setsockopt(st, s->id, level, name, val, len);
	if (r == 0 && level == SOL_SOCKET)
		note(st, s, name);
	return r;
}

int rill_setsockopt(int fd, int level, int name, const void *val, socklen_t len)
{
	struct rill_stack *st;
	struct rl_sock *s;
	int r = rl_sock_enter_io(fd, &s, &st);

	if (r < 0)
		return r;
	if (!val && len)
		r = -EFAULT;
	else if ((int)len < 0)
		r = -EINVAL;
	else
		r = set(st, s, level, name, val, len);
	rl_host_leave(rl_sock_engine(s));
	return r;
}

static int put(void *val, socklen_t *len, const void *from, size_t n)
{
	*len = (socklen_t)RL_MIN(*len, n);
	memcpy(val, from, *len);
	return 0;
}

static int put_timeo(void *val, socklen_t *len, int64_t ns)
{
	struct timeval tv = { 0 };

	if (ns != RL_NEVER) {
		tv.tv_sec = ns / RL_SEC;
		tv.tv_usec = ns % RL_SEC / RL_US;
	}
	return put(val, len, &tv, sizeof(tv));
}

static int ping_protocol(const struct rl_sock *s)
{
	return s->flags & RL_SF_V4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
}

static int get(struct rill_stack *st, struct rl_sock *s, int level, int name,
	       void *val, socklen_t *len)
{
	const struct rill_sockopt_desc *d = find(level, name);
	int i = flag_opt(level, name), v, r;
	bool tcp = s->kind == RL_SOCK_TCP;
	size_t n = *len;

	if (!d || !d->gettable)
		return -ENOPROTOOPT;
	if (level == SOL_SOCKET && name == SO_RCVTIMEO)
		return put_timeo(val, len, s->rcvtimeo_ns);
	if (level == SOL_SOCKET && name == SO_SNDTIMEO)
		return put_timeo(val, len, s->sndtimeo_ns);
	if (level == SOL_SOCKET && name == SO_TYPE)
		v = tcp ? SOCK_STREAM : SOCK_DGRAM;
	else if (level == SOL_SOCKET && name == SO_PROTOCOL)
		v = tcp ? IPPROTO_TCP : s->flags & RL_SF_PING ? ping_protocol(s) : IPPROTO_UDP;
	else if (level == SOL_SOCKET && name == SO_DOMAIN)
		v = s->flags & RL_SF_V4 ? AF_INET : AF_INET6;
	else if (i >= 0 && flag_opts[i].v6 && s->flags & RL_SF_V4)
		return -ENOPROTOOPT;
	else if (i >= 0)
		v = !!(s->flags & flag_opts[i].flag);
	else
		goto stack;
	return put(val, len, &v, sizeof(v));
stack:
	r = rill_stack_getsockopt(st, s->id, level, name, val, &n);
	if (r == 0)
		*len = (socklen_t)n;
	return r;
}

int rill_getsockopt(int fd, int level, int name, void *val, socklen_t *len)
{
	struct rill_stack *st;
	struct rl_sock *s;
	int r = rl_sock_enter_io(fd, &s, &st);

	if (r < 0)
		return r;
	if (!val || !len)
		r = -EFAULT;
	else if ((int)*len < 0)
		r = -EINVAL;
	else
		r = get(st, s, level, name, val, len);
	rl_host_leave(rl_sock_engine(s));
	return r;
}
