// SPDX-License-Identifier: MIT
/*
 * struct sockaddr to and from the stack's address type, with the checks that
 * Linux makes per family and call.  An AF_INET6 descriptor sees IPv4 as
 * ::ffff:a.b.c.d (RFC 3493, 3.7), which is how the stack writes it anyway.
 * Called by socket.c and io.c.
 */
#include <errno.h>
#include <netinet/in.h>

#include "base/types.h"
#include "sock/sock.h"

#define SIN6_LEN_OLD	24		/* RFC 2133's, without the scope */

static int in4(const struct rl_sock *s, enum rl_addr_use use,
	       const struct sockaddr *sa, socklen_t len, struct rill_addr *a)
{
	struct sockaddr_in sin;

	if (len < sizeof(sin))
		return -EINVAL;
	memcpy(&sin, sa, sizeof(sin));
	a->ip = rl_ip4(ntohl(sin.sin_addr.s_addr));
	a->port = ntohs(sin.sin_port);
	a->ifindex = 0;
	if (sin.sin_family == AF_INET)
		return 0;
	/* bind() has always taken a zeroed address; sendto() likewise */
	if (sin.sin_family == AF_UNSPEC && s->flags & RL_SF_V4 &&
	    use != RL_ADDR_CONNECT && rl_ip_is_any(&a->ip))
		return 0;
	return -EAFNOSUPPORT;
}

static int in6(const struct rl_sock *s, enum rl_addr_use use,
	       const struct sockaddr *sa, socklen_t len, struct rill_addr *a)
{
	struct sockaddr_in6 sin6 = { 0 };

	if (len < SIN6_LEN_OLD)
		return -EINVAL;
	memcpy(&sin6, sa, RL_MIN(len, sizeof(sin6)));
	if (sin6.sin6_family != AF_INET6)
		return -EAFNOSUPPORT;
	memcpy(a->ip.b, sin6.sin6_addr.s6_addr, sizeof(a->ip.b));
	a->port = ntohs(sin6.sin6_port);
	a->ifindex = (uint16_t)sin6.sin6_scope_id;
	if (sin6.sin6_scope_id > UINT16_MAX)
		return -ENODEV;
	if (rl_ip_is4(&a->ip) && s->flags & RL_SF_V6ONLY)
		return use == RL_ADDR_BIND ? -EINVAL : -ENETUNREACH;
	return 0;
}

/* To the any-address means to this host, as on Linux. */
static void any_to_loopback(struct rill_addr *a)
{
	if (!rl_ip_is_any(&a->ip))
		return;
	if (rl_ip_is4(&a->ip))
		a->ip = rl_ip4(INADDR_LOOPBACK);
	else
		a->ip.b[15] = 1;
}

int rl_addr_in(const struct rl_sock *s, enum rl_addr_use use,
	       const struct sockaddr *sa, socklen_t len, struct rill_addr *a)
{
	bool v4 = s->flags & RL_SF_V4;
	sa_family_t family;
	int r;

	if (!sa)
		return -EFAULT;
	if (len < sizeof(family) || len > sizeof(struct sockaddr_storage))
		return -EINVAL;
	memcpy(&family, sa, sizeof(family));
	/* an IPv6 datagram socket takes plain IPv4 destinations too */
	if (!v4 && family == AF_INET && s->kind == RL_SOCK_UDP && use != RL_ADDR_BIND) {
		if (s->flags & RL_SF_V6ONLY)
			return use == RL_ADDR_SEND ? -ENETUNREACH : -EAFNOSUPPORT;
		v4 = true;
	}
	r = v4 ? in4(s, use, sa, len, a) : in6(s, use, sa, len, a);
	if (r == 0 && use != RL_ADDR_BIND)
		any_to_loopback(a);
	return r;
}

/* The last four bytes: 0.0.0.0 also for the :: of an endpoint not bound yet. */
static socklen_t out4(const struct rill_addr *a, struct sockaddr_storage *ss)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET,
		.sin_port = htons(a->port),
		.sin_addr.s_addr = htonl(rl_ip_get4(&a->ip)),
	};

	memcpy(ss, &sin, sizeof(sin));
	return sizeof(sin);
}

static socklen_t out6(const struct rill_addr *a, struct sockaddr_storage *ss)
{
	struct sockaddr_in6 sin6 = {
		.sin6_family = AF_INET6,
		.sin6_port = htons(a->port),
	};

	memcpy(sin6.sin6_addr.s6_addr, a->ip.b, sizeof(a->ip.b));
	if (rl_ip_is_linklocal(&a->ip))
		sin6.sin6_scope_id = a->ifindex;
	memcpy(ss, &sin6, sizeof(sin6));
	return sizeof(sin6);
}

int rl_addr_out(const struct rl_sock *s, const struct rill_addr *a,
		struct sockaddr *sa, socklen_t *len)
{
	struct sockaddr_storage ss;
	socklen_t full;

	if (!sa)
		return 0;
	if (!len)
		return -EFAULT;
	if ((int)*len < 0)
		return -EINVAL;
	full = s->flags & RL_SF_V4 ? out4(a, &ss) : out6(a, &ss);
	memcpy(sa, &ss, RL_MIN(*len, full));
	*len = full;
	return 0;
}
