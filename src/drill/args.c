// SPDX-License-Identifier: MIT
/*
 * Arguments of calls: expressions of the script to numbers, descriptors, buffers,
 * addresses (sections 9.3 to 9.5 of the language).  Memory is the call's own and
 * lives until it has been judged.  Called by call_*.c.
 */
#include <arpa/inet.h>
#include <netinet/in.h>

#include "base/types.h"
#include "drill/call.h"

#define DRILL_NESTING	8		/* of an expression of numbers */

bool rl_drill_is_ellipsis(const struct drill_expr *e)
{
	return e && e->kind == DRILL_E_ELLIPSIS;
}

bool rl_drill_is_null(const struct drill_expr *e)
{
	return e && e->kind == DRILL_E_SYMBOL && !strcmp(e->text, "NULL");
}

const struct drill_expr *rl_drill_field(const struct drill_expr *e, const char *name)
{
	const struct drill_expr *f = e && e->kind == DRILL_E_STRUCT ? e->list : NULL;

	while (f && !(f->name && !strcmp(f->name, name)))
		f = f->next;
	return f;
}

/* A member's place in "fd events revents"; -1: none of them. */
static int field_index(const char *names, const char *name)
{
	size_t n = strlen(name);

	for (int i = 0; *names; i++) {
		size_t len = strcspn(names, " ");

		if (len == n && !memcmp(names, name, n))
			return i;
		names += len + (names[len] == ' ');
	}
	return -1;
}

int rl_drill_only_fields(struct drill_inv *in, const struct drill_expr *e,
			 const char *names)
{
	uint32_t seen = 0;

	for (const struct drill_expr *f = e->list; f; f = f->next) {
		int i = f->name ? field_index(names, f->name) : -1;

		if (!f->name)
			return rl_drill_call_fail(in, "%s(): a member is NAME=VALUE, of: %s",
						  in->c->name, names);
		if (i < 0)
			return rl_drill_call_fail(in, "%s(): there is no member %s= here, "
						  "only: %s", in->c->name, f->name, names);
		if (seen >> i & 1)
			return rl_drill_call_fail(in, "%s(): %s= stands twice", in->c->name,
						  f->name);
		seen |= 1u << i;
	}
	return 0;
}

/* ---- numbers ---- */

static int num(struct drill_inv *in, const struct drill_expr *e, int64_t *v, int depth);

static int num_or(struct drill_inv *in, const struct drill_expr *e, int64_t *v, int depth)
{
	int64_t one;

	*v = 0;
	for (e = e->list; e; e = e->next) {
		if (num(in, e, &one, depth))
			return -1;
		*v |= one;
	}
	return 0;
}

/* htons(80): a port stays in host order here, as in struct rill_addr. */
static int num_call(struct drill_inv *in, const struct drill_expr *e, int64_t *v,
		    int depth)
{
	if (strcmp(e->text, "htons") || !e->list || e->list->next)
		return rl_drill_call_fail(in, "%s() is no number", e->text);
	if (num(in, e->list, v, depth))
		return -1;
	if (*v < 0 || *v > UINT16_MAX)
		return rl_drill_call_fail(in, "htons(%lld): 0 to 65535", (long long)*v);
	return 0;
}

/* FreeBSD's own: a script that has them is sound, and for another stack. */
static bool is_foreign(const char *name)
{
	static const char *const names[] = {
		"TCP_KEEPINIT", "TCP_NOOPT", "TCP_NOPUSH", "TCP_DELACK", "TCP_FUNCTION_BLK",
		"TCP_MAXUNACKTIME", "TCP_REUSPORT_LB_NUMA", "SO_NOSIGPIPE", "SO_REUSEPORT_LB",
		"SO_USELOOPBACK", "SO_SETFIB",
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

/* Depth is bounded by DRILL_NESTING. */
static int num(struct drill_inv *in, const struct drill_expr *e, int64_t *v, int depth)
{
	if (depth == 0)
		return rl_drill_call_fail(in, "an expression is nested too deeply");
	switch (e->kind) {
	case DRILL_E_INT:
		*v = e->num;
		return 0;
	case DRILL_E_SYMBOL:
		if (rl_drill_symbol(e->text, v))
			return 0;
		if (is_foreign(e->text))
			return rl_drill_skip(in->r, "%s is not supported: it is FreeBSD's",
					     e->text);
		return rl_drill_call_fail(in, "unknown constant %s", e->text);
	case DRILL_E_OR:
		return num_or(in, e, v, depth - 1);
	case DRILL_E_CALL:
		return num_call(in, e, v, depth - 1);
	case DRILL_E_STRING:
	case DRILL_E_ELLIPSIS:
	case DRILL_E_LIST:
	case DRILL_E_STRUCT:
		break;
	}
	return rl_drill_call_fail(in, "%s(): a number is needed", in->c->name);
}

int rl_drill_num(struct drill_inv *in, const struct drill_expr *e, int64_t *v)
{
	if (!e)
		return rl_drill_call_fail(in, "%s(): a number is missing", in->c->name);
	return num(in, e, v, DRILL_NESTING);
}

int rl_drill_num_field(struct drill_inv *in, const struct drill_expr *e,
		       const char *name, int64_t *v)
{
	const struct drill_expr *f = rl_drill_field(e, name);

	return f ? rl_drill_num(in, f, v) : 0;
}

/* Of int's 32 bits, signed or unsigned: 0xffffffff is a flag word too. */
int rl_drill_arg_int(struct drill_inv *in, unsigned i, int *v)
{
	int64_t n;

	if (rl_drill_num(in, in->args[i], &n))
		return -1;
	if (n < INT32_MIN || n > UINT32_MAX)
		return rl_drill_call_fail(in, "%s(): %lld is no int", in->c->name,
					  (long long)n);
	*v = (int)(uint32_t)n;
	return 0;
}

int rl_drill_arg_fd(struct drill_inv *in, unsigned i, struct drill_fd **f, int *live)
{
	int64_t n;

	if (rl_drill_num(in, in->args[i], &n))
		return -1;
	*f = rl_drill_fd_find(in->r, n);
	*live = *f ? (*f)->live : -1;
	return 0;
}

/* ---- buffers ---- */

static int length(struct drill_inv *in, const struct drill_expr *e, size_t *n)
{
	int64_t v;

	if (rl_drill_num(in, e, &v))
		return -1;
	if (v < 0 || v > DRILL_LENGTH_MAX)
		return rl_drill_call_fail(in, "%s(): a length of %lld is not supported",
					  in->c->name, (long long)v);
	*n = (size_t)v;
	return 0;
}

/* One byte more, so that there is an address also for a length of 0. */
static int buffer(struct drill_inv *in, const struct drill_expr *e, size_t n, void **buf)
{
	*buf = NULL;
	if (rl_drill_is_null(e))
		return 0;
	if (e && !rl_drill_is_ellipsis(e))
		return rl_drill_call_fail(in, "%s(): a buffer is ... or NULL", in->c->name);
	*buf = rl_drill_alloc(&in->mem, n + 1);
	return 0;
}

int rl_drill_arg_buf(struct drill_inv *in, unsigned i, void **buf, size_t *n)
{
	if (in->args[i + 1] && length(in, in->args[i + 1], n))
		return -1;
	return buffer(in, in->args[i], *n, buf);
}

static int iov_one(struct drill_inv *in, const struct drill_expr *e, struct iovec *v)
{
	if (e->kind != DRILL_E_STRUCT || !e->list || !e->list->next || e->list->next->next)
		return rl_drill_call_fail(in, "%s(): an iovec is {..., LENGTH}",
					  in->c->name);
	if (length(in, e->list->next, &v->iov_len))
		return -1;
	return buffer(in, e->list, v->iov_len, &v->iov_base);
}

int rl_drill_iov(struct drill_inv *in, const struct drill_expr *e,
		 const struct drill_expr *want, struct iovec **iov, int *n)
{
	const struct drill_expr *l;
	int64_t count;

	if (!e || e->kind != DRILL_E_LIST)
		return rl_drill_call_fail(in, "%s(): a list of iovecs is needed",
					  in->c->name);
	*n = 0;
	for (l = e->list; l; l = l->next)
		++*n;
	if (want && rl_drill_num(in, want, &count))
		return -1;
	if (want && count != *n)
		return rl_drill_call_fail(in, "%s(): %d iovecs where %lld are announced",
					  in->c->name, *n, (long long)count);
	*iov = rl_drill_alloc(&in->mem, (size_t)(*n + 1) * sizeof(**iov));
	*n = 0;
	for (l = e->list; l; l = l->next)
		if (iov_one(in, l, &(*iov)[(*n)++]))
			return -1;
	return 0;
}

/* ---- addresses ---- */

static void put4(struct drill_sockaddr *sa)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET,
		.sin_port = htons(sa->addr.port),
	};

	memcpy(&sin.sin_addr, sa->addr.ip.b + 12, sizeof(sin.sin_addr));
	memcpy(&sa->ss, &sin, sizeof(sin));
	sa->len = sizeof(sin);
}

static void put6(struct drill_sockaddr *sa)
{
	struct sockaddr_in6 sin6 = {
		.sin6_family = AF_INET6,
		.sin6_port = htons(sa->addr.port),
	};

	memcpy(&sin6.sin6_addr, sa->addr.ip.b, sizeof(sin6.sin6_addr));
	memcpy(&sa->ss, &sin6, sizeof(sin6));
	sa->len = sizeof(sin6);
}

/* inet_addr("1.2.3.4"), inet6_addr("2001:db8::1"), or a number as INADDR_ANY */
static int ip_value(struct drill_inv *in, const struct drill_expr *e, struct rill_ip *ip)
{
	bool v6 = e->kind == DRILL_E_CALL && !strcmp(e->text, "inet6_addr");
	bool v4 = e->kind == DRILL_E_CALL && !strcmp(e->text, "inet_addr");
	struct rill_ip a = { .b = { [10] = 0xff, [11] = 0xff } };
	uint32_t net;
	int64_t v;

	if ((v4 || v6) && e->list && e->list->kind == DRILL_E_STRING) {
		if (inet_pton(v6 ? AF_INET6 : AF_INET, e->list->text,
			      v6 ? a.b : a.b + 12) != 1)
			return rl_drill_call_fail(in, "%s is no address", e->list->text);
	} else {
		if (rl_drill_num(in, e, &v))
			return -1;
		net = htonl((uint32_t)v);
		memcpy(a.b + 12, &net, sizeof(net));
	}
	*ip = a;
	return 0;
}

static int explicit_address(struct drill_inv *in, const struct drill_expr *e,
			    struct drill_sockaddr *sa)
{
	const struct drill_expr *ip = rl_drill_field(e, "sin_addr");
	int64_t family = AF_INET, port = 0;

	if (rl_drill_only_fields(in, e, "sa_family sin_port sin_addr sin6_port sin6_addr"))
		return -1;
	if (!ip)
		ip = rl_drill_field(e, "sin6_addr");
	if (!ip)
		return rl_drill_call_fail(in, "%s(): the address has no sin_addr",
					  in->c->name);
	if (rl_drill_num_field(in, e, "sa_family", &family) ||
	    rl_drill_num_field(in, e, "sin_port", &port) ||
	    rl_drill_num_field(in, e, "sin6_port", &port) ||
	    ip_value(in, ip, &sa->addr.ip))
		return -1;
	if (family != AF_INET && family != AF_INET6)
		return rl_drill_call_fail(in, "%s(): sa_family is AF_INET or AF_INET6",
					  in->c->name);
	sa->addr.port = (uint16_t)port;
	if (family == AF_INET)
		put4(sa);
	else
		put6(sa);
	return 0;
}

int rl_drill_address(struct drill_inv *in, const struct drill_expr *e, int domain,
		     const struct rill_ip *ip, uint16_t port, struct drill_sockaddr *sa)
{
	int64_t family;

	*sa = (struct drill_sockaddr){ .len = sizeof(sa->ss) };
	if (!e || rl_drill_is_ellipsis(e)) {
		sa->addr = (struct rill_addr){ .ip = *ip, .port = port };
		if (domain != AF_INET6 && rl_ip_is4(ip))
			put4(sa);
		else
			put6(sa);
		return 0;
	}
	if (rl_drill_is_null(e)) {
		sa->null = true;
		sa->len = 0;
		return 0;
	}
	if (e->kind == DRILL_E_STRUCT)
		return explicit_address(in, e, sa);
	if (rl_drill_num(in, e, &family))
		return -1;
	if (family != AF_UNSPEC)
		return rl_drill_call_fail(in, "%s(): an address is ..., NULL, AF_UNSPEC "
					  "or {sa_family = ...}", in->c->name);
	sa->unspec = true;
	return 0;
}

int rl_drill_address_len(struct drill_inv *in, unsigned i, struct drill_sockaddr *sa)
{
	int len;

	if (!in->args[i] || rl_drill_is_ellipsis(in->args[i]))
		return 0;
	if (rl_drill_arg_int(in, i, &len))
		return -1;
	sa->len = (socklen_t)len;
	return 0;
}

int rl_drill_out_arg(struct drill_inv *in, unsigned i)
{
	const struct drill_expr *e = in->args[i];
	int64_t n;

	if (!e || rl_drill_is_ellipsis(e) || rl_drill_is_null(e))
		return 0;
	if (e->kind == DRILL_E_LIST && e->list && !e->list->next)
		return rl_drill_num(in, e->list, &n);
	return rl_drill_call_fail(in, "%s(): argument %u is ..., NULL or [N]", in->c->name,
				  i + 1);
}

bool rl_drill_from_sockaddr(const struct sockaddr_storage *ss, struct rill_addr *a)
{
	struct sockaddr_in6 sin6;
	struct sockaddr_in sin;

	*a = (struct rill_addr){ .ip.b = { [10] = 0xff, [11] = 0xff } };
	if (ss->ss_family == AF_INET) {
		memcpy(&sin, ss, sizeof(sin));
		memcpy(a->ip.b + 12, &sin.sin_addr, sizeof(sin.sin_addr));
		a->port = ntohs(sin.sin_port);
		return true;
	}
	if (ss->ss_family != AF_INET6)
		return false;
	memcpy(&sin6, ss, sizeof(sin6));
	memcpy(a->ip.b, &sin6.sin6_addr, sizeof(sin6.sin6_addr));
	a->port = ntohs(sin6.sin6_port);
	return true;
}
