// SPDX-License-Identifier: MIT
/*
 * Calls that read and set options: getsockopt, setsockopt, fcntl, ioctl.  A value
 * is built in the form that the script writes it in, and what comes back is
 * compared byte by byte.  An option that Linux has and Rill hasn't makes the
 * script skipped, where the script wants it to work.  Called through call.c's
 * table.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <linux/tcp.h>

#include "base/types.h"
#include "drill/call.h"

#define VALUE_MAX	65536

/* ---- values ---- */

struct value {
	void	*p;		/* NULL: NULL */
	size_t	len;		/* bytes that the script gives */
	bool	any;		/* `...` */
};

static void put(struct drill_inv *in, struct value *v, const void *from, size_t n)
{
	v->p = rl_drill_alloc(&in->mem, n + 1);
	v->len = n;
	memcpy(v->p, from, n);
}

static int put_list(struct drill_inv *in, const struct drill_expr *e, struct value *v)
{
	int64_t n;
	int32_t i;

	if (!e->list || e->list->next)
		return rl_drill_call_fail(in, "%s(): a value is [one number]", in->c->name);
	if (rl_drill_num(in, e->list, &n))
		return -1;
	i = (int32_t)(uint32_t)n;
	put(in, v, &i, sizeof(i));
	return 0;
}

static int put_linger(struct drill_inv *in, const struct drill_expr *e, struct value *v)
{
	int64_t onoff = 0, linger = 0;
	struct linger l;

	if (rl_drill_only_fields(in, e, "onoff linger") ||
	    rl_drill_num_field(in, e, "onoff", &onoff) ||
	    rl_drill_num_field(in, e, "linger", &linger))
		return -1;
	l = (struct linger){ .l_onoff = (int)onoff, .l_linger = (int)linger };
	put(in, v, &l, sizeof(l));
	return 0;
}

static int put_timeval(struct drill_inv *in, const struct drill_expr *e, struct value *v)
{
	int64_t sec = 0, usec = 0;
	struct timeval tv;

	if (rl_drill_only_fields(in, e, "tv_sec tv_usec") ||
	    rl_drill_num_field(in, e, "tv_sec", &sec) ||
	    rl_drill_num_field(in, e, "tv_usec", &usec))
		return -1;
	memset(&tv, 0, sizeof(tv));
	tv.tv_sec = sec;
	tv.tv_usec = usec;
	put(in, v, &tv, sizeof(tv));
	return 0;
}

static int put_struct(struct drill_inv *in, const struct drill_expr *e, struct value *v)
{
	if (rl_drill_field(e, "onoff"))
		return put_linger(in, e, v);
	if (rl_drill_field(e, "tv_sec") || rl_drill_field(e, "tv_usec"))
		return put_timeval(in, e, v);
	return rl_drill_skip(in->r, "%s() of this struct is not supported", in->c->name);
}

static int put_address(struct drill_inv *in, const struct drill_expr *e, struct value *v)
{
	bool v6 = !strcmp(e->text, "inet6_addr");
	uint8_t b[16];

	if ((!v6 && strcmp(e->text, "inet_addr")) || !e->list ||
	    e->list->kind != DRILL_E_STRING)
		return rl_drill_call_fail(in, "%s() is no value", e->text);
	if (inet_pton(v6 ? AF_INET6 : AF_INET, e->list->text, b) != 1)
		return rl_drill_call_fail(in, "%s is no address", e->list->text);
	put(in, v, b, v6 ? 16 : 4);
	return 0;
}

static int value_arg(struct drill_inv *in, unsigned i, struct value *v)
{
	const struct drill_expr *e = in->args[i];

	*v = (struct value){ 0 };
	if (rl_drill_is_null(e))
		return 0;
	switch (e->kind) {
	case DRILL_E_ELLIPSIS:
		v->any = true;
		put(in, v, "", 0);
		return 0;
	case DRILL_E_LIST:
		return put_list(in, e, v);
	case DRILL_E_STRING:
		put(in, v, e->text, e->len);
		return 0;
	case DRILL_E_STRUCT:
		return put_struct(in, e, v);
	case DRILL_E_CALL:
		return put_address(in, e, v);
	case DRILL_E_INT:
	case DRILL_E_SYMBOL:
	case DRILL_E_OR:
		break;
	}
	return rl_drill_call_fail(in, "%s(): a value is [N], a string, an address or a "
				  "struct in braces", in->c->name);
}

/* The value in a buffer of @len bytes, with zeros behind it. */
static void *extend(struct drill_inv *in, const struct value *v, size_t len)
{
	uint8_t *p;

	if (!v->p)
		return NULL;
	p = rl_drill_alloc(&in->mem, RL_MAX(len, v->len) + 1);
	memcpy(p, v->p, v->len);
	return p;
}

/* A length or, for getsockopt(), a length in brackets. */
static int len_arg(struct drill_inv *in, const struct drill_expr *e, int64_t *len)
{
	if (e->kind == DRILL_E_LIST && e->list && !e->list->next)
		e = e->list;
	if (rl_drill_num(in, e, len))
		return -1;
	if (*len > VALUE_MAX)
		return rl_drill_call_fail(in, "%s(): a length of %lld is not supported",
					  in->c->name, (long long)*len);
	return 0;
}

/* ---- what Rill has ---- */

static bool has_option(int level, int name, bool set)
{
	const struct rill_sockopt_desc *d;

	for (unsigned i = 0; (d = rill_sockopt_desc(i)); i++)
		if (d->level_num == level && d->num == name)
			return set ? d->settable : d->gettable;
	return false;
}

static const char *option_name(const struct drill_inv *in)
{
	const struct drill_expr *e = in->args[2];

	return e->kind == DRILL_E_SYMBOL ? e->text : "of this number";
}

/* Whether the script is skipped, because it counts on what isn't there. */
static bool is_missing(struct drill_inv *in, int level, int name, bool set, int ret)
{
	if (!rl_drill_call_succeeds(in))
		return false;
	if (ret == -ENOPROTOOPT && !has_option(level, name, set)) {
		rl_drill_skip(in->r, "socket option %s is not supported", option_name(in));
		return true;
	}
	if (ret == -ENOENT && level == IPPROTO_TCP && name == TCP_CONGESTION &&
	    in->args[3]->kind == DRILL_E_STRING) {
		rl_drill_skip(in->r, "congestion control \"%s\" is not supported",
			      in->args[3]->text);
		return true;
	}
	return false;
}

/* ---- socket options ---- */

static int option_args(struct drill_inv *in, int *live, int *level, int *name,
		       struct value *v, int64_t *len)
{
	struct drill_fd *f;

	if (rl_drill_arg_fd(in, 0, &f, live) || rl_drill_arg_int(in, 1, level) ||
	    rl_drill_arg_int(in, 2, name) || value_arg(in, 3, v))
		return -1;
	return len_arg(in, in->args[4], len);
}

int rl_drill_do_setsockopt(struct drill_inv *in)
{
	int live, level, name, ret;
	struct value v;
	int64_t len;
	void *p;

	if (option_args(in, &live, &level, &name, &v, &len))
		return -1;
	p = extend(in, &v, len > 0 ? (size_t)len : 0);
	ret = rill_setsockopt(live, level, name, p, (socklen_t)len);
	if (is_missing(in, level, name, true, ret))
		return -1;
	return rl_drill_returned(in, ret);
}

/* Bytes as the script would write them: a number, or text. */
static int differs(struct drill_inv *in, const struct value *want, const uint8_t *got,
		   size_t len)
{
	bool text = in->args[3]->kind == DRILL_E_STRING;
	int32_t a = 0, b = 0;

	if (text)
		return rl_drill_call_differs(in, "getsockopt() gave \"%.*s\", expected \"%.*s\"",
					     (int)strnlen((const char *)got, len),
					     (const char *)got, (int)want->len,
					     (const char *)want->p);
	memcpy(&a, got, RL_MIN(len, sizeof(a)));
	memcpy(&b, want->p, RL_MIN(want->len, sizeof(b)));
	if (in->args[3]->kind == DRILL_E_LIST)
		return rl_drill_call_differs(in, "getsockopt() gave %d, expected %d", a, b);
	return rl_drill_call_differs(in, "getsockopt() gave another value of %zu bytes", len);
}

static int check_value(struct drill_inv *in, const struct value *want, const uint8_t *got,
		       int64_t want_len, size_t len)
{
	size_t longer = RL_MAX(want->len, len);
	const uint8_t *p;
	uint8_t *all;

	if ((int64_t)len != want_len)
		return rl_drill_call_differs(in, "getsockopt() gave %zu bytes, expected %lld",
					     len, (long long)want_len);
	if (want->any || !want->p)
		return 0;
	p = extend(in, want, len);
	all = rl_drill_alloc(&in->mem, longer + 1);
	memcpy(all, got, len);
	return memcmp(p, all, longer) ? differs(in, want, got, len) : 0;
}

int rl_drill_do_getsockopt(struct drill_inv *in)
{
	int live, level, name, ret;
	struct value want;
	int64_t want_len;
	socklen_t len;
	uint8_t *got;

	if (option_args(in, &live, &level, &name, &want, &want_len))
		return -1;
	len = (socklen_t)want_len;
	got = want.p ? rl_drill_alloc(&in->mem, want_len > 0 ? (size_t)want_len + 1 : 1) :
	      NULL;
	ret = rill_getsockopt(live, level, name, got, &len);
	if (is_missing(in, level, name, false, ret) || rl_drill_returned(in, ret))
		return -1;
	return ret < 0 ? 0 : check_value(in, &want, got, want_len, len);
}

/* ---- fcntl, ioctl ---- */

int rl_drill_do_fcntl(struct drill_inv *in)
{
	int live, cmd, arg = 0;
	struct drill_fd *f;

	if (rl_drill_arg_fd(in, 0, &f, &live) || rl_drill_arg_int(in, 1, &cmd) ||
	    (in->args[2] && rl_drill_arg_int(in, 2, &arg)))
		return -1;
	return rl_drill_returned(in, rill_fcntl(live, cmd, arg));
}

/* The number in brackets is what comes out; of FIONBIO, what goes in. */
int rl_drill_do_ioctl(struct drill_inv *in)
{
	struct value want = { 0 };
	int live, req, ret, v, expected;
	struct drill_fd *f;

	if (rl_drill_arg_fd(in, 0, &f, &live) || rl_drill_arg_int(in, 1, &req) ||
	    (in->args[2] && value_arg(in, 2, &want)))
		return -1;
	if (want.p && want.len != sizeof(v))
		return rl_drill_call_fail(in, "ioctl(): the third argument is [N]");
	if (want.p)
		memcpy(&expected, want.p, sizeof(expected));
	else
		expected = 0;
	v = req == FIONBIO ? expected : ~expected;
	ret = rill_ioctl(live, (unsigned long)req, want.p ? &v : NULL);
	if (rl_drill_returned(in, ret))
		return -1;
	if (ret >= 0 && want.p && v != expected)
		return rl_drill_call_differs(in, "ioctl() gave %d, expected %d", v, expected);
	return 0;
}
