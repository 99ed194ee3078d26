// SPDX-License-Identifier: MIT
/*
 * Calls that move bytes.  What is sent is zero, what is received is not looked
 * at: packets are compared, calls are counted.  Only recvmsg() has outputs of its
 * own that the script may name.  Called through call.c's table.
 */
#include <errno.h>
#include <netinet/in.h>

#include "base/types.h"
#include "drill/call.h"

#define READ_DEFAULT	65536
#define CONTROL_MAX	8		/* control messages in one call */

/* ---- plain ones ---- */

int rl_drill_do_read(struct drill_inv *in)
{
	size_t n = READ_DEFAULT;
	struct drill_fd *f;
	void *buf;
	int live;

	if (rl_drill_arg_fd(in, 0, &f, &live) || rl_drill_arg_buf(in, 1, &buf, &n))
		return -1;
	return rl_drill_returned(in, rill_read(live, buf, n));
}

int rl_drill_do_write(struct drill_inv *in)
{
	struct drill_fd *f;
	size_t n = 0;
	void *buf;
	int live;

	if (rl_drill_arg_fd(in, 0, &f, &live) || rl_drill_arg_buf(in, 1, &buf, &n))
		return -1;
	return rl_drill_returned(in, rill_write(live, buf, n));
}

int rl_drill_do_readv(struct drill_inv *in)
{
	struct drill_fd *f;
	struct iovec *iov;
	int live, n;

	if (rl_drill_arg_fd(in, 0, &f, &live) ||
	    rl_drill_iov(in, in->args[1], in->args[2], &iov, &n))
		return -1;
	return rl_drill_returned(in, rill_readv(live, iov, n));
}

int rl_drill_do_writev(struct drill_inv *in)
{
	struct drill_fd *f;
	struct iovec *iov;
	int live, n;

	if (rl_drill_arg_fd(in, 0, &f, &live) ||
	    rl_drill_iov(in, in->args[1], in->args[2], &iov, &n))
		return -1;
	return rl_drill_returned(in, rill_writev(live, iov, n));
}

/* ---- with flags ---- */

/*
 * A flag for something that Rill does not have, where the script wants it to
 * work; an error that it expects is compared as any other.
 */
static int check_flags(struct drill_inv *in, int flags, bool sending)
{
	if (sending && flags & MSG_FASTOPEN &&
	    !(in->c->err_name && rl_drill_errno(in->c->err_name) == EOPNOTSUPP))
		return rl_drill_skip(in->r, "MSG_FASTOPEN is not supported");
	if (!rl_drill_call_succeeds(in))
		return 0;
	if (sending && flags & MSG_ZEROCOPY)
		return rl_drill_skip(in->r, "MSG_ZEROCOPY is not supported");
	if (sending && flags & MSG_EOR)		/* Linux keeps segments apart there */
		return rl_drill_skip(in->r, "MSG_EOR is not supported");
	if (sending && flags & MSG_DONTROUTE)
		return rl_drill_skip(in->r, "MSG_DONTROUTE is not supported");
	if (!sending && flags & MSG_ERRQUEUE)
		return rl_drill_skip(in->r, "MSG_ERRQUEUE is not supported");
	return 0;
}

int rl_drill_do_recv(struct drill_inv *in)
{
	struct drill_fd *f;
	int live, flags;
	size_t n = 0;
	void *buf;

	if (rl_drill_arg_fd(in, 0, &f, &live) || rl_drill_arg_buf(in, 1, &buf, &n) ||
	    rl_drill_arg_int(in, 3, &flags) || check_flags(in, flags, false))
		return -1;
	return rl_drill_returned(in, rill_recv(live, buf, n, flags));
}

int rl_drill_do_send(struct drill_inv *in)
{
	struct drill_fd *f;
	int live, flags;
	size_t n = 0;
	void *buf;

	if (rl_drill_arg_fd(in, 0, &f, &live) || rl_drill_arg_buf(in, 1, &buf, &n) ||
	    rl_drill_arg_int(in, 3, &flags) || check_flags(in, flags, true))
		return -1;
	return rl_drill_returned(in, rill_send(live, buf, n, flags));
}

int rl_drill_do_recvfrom(struct drill_inv *in)
{
	bool named = rl_drill_is_ellipsis(in->args[4]);
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	struct drill_fd *f;
	int live, flags;
	size_t n = 0;
	void *buf;

	if (rl_drill_arg_fd(in, 0, &f, &live) || rl_drill_arg_buf(in, 1, &buf, &n) ||
	    rl_drill_arg_int(in, 3, &flags) || check_flags(in, flags, false) ||
	    rl_drill_out_arg(in, 4) || rl_drill_out_arg(in, 5))
		return -1;
	return rl_drill_returned(in, rill_recvfrom(live, buf, n, flags,
						   named ? (struct sockaddr *)&ss : NULL,
						   named ? &len : NULL));
}

/* Where to: sending by a new datagram socket is what connect() is for TCP. */
static int destination(struct drill_inv *in, const struct drill_expr *e,
		       const struct drill_fd *f, struct drill_sockaddr *sa)
{
	struct drill_run *r = in->r;

	if (rl_drill_address(in, e, f ? f->domain : AF_UNSPEC, &r->cfg.remote_ip,
			     r->cfg.connect_port, sa))
		return -1;
	if (!sa->null && !sa->unspec && rl_drill_fd_is_test(r, f))
		rl_drill_flow_connect(r, &sa->addr);
	return 0;
}

int rl_drill_do_sendto(struct drill_inv *in)
{
	struct drill_sockaddr sa;
	struct drill_fd *f;
	int live, flags;
	size_t n = 0;
	void *buf;

	if (rl_drill_arg_fd(in, 0, &f, &live) || rl_drill_arg_buf(in, 1, &buf, &n) ||
	    rl_drill_arg_int(in, 3, &flags) || check_flags(in, flags, true) ||
	    destination(in, in->args[4], f, &sa) || rl_drill_address_len(in, 5, &sa))
		return -1;
	return rl_drill_returned(in, rill_sendto(live, buf, n, flags,
						 sa.null ? NULL : (struct sockaddr *)&sa.ss,
						 sa.len));
}

/* ---- messages ---- */

static int msg_of(struct drill_inv *in, struct msghdr *m)
{
	const struct drill_expr *e = in->args[1];
	const struct drill_expr *iov = rl_drill_field(e, "msg_iov");
	int n;

	*m = (struct msghdr){ 0 };
	if (e->kind != DRILL_E_STRUCT)
		return rl_drill_call_fail(in, "%s(): a message is {msg_name(...)=..., "
					  "msg_iov(N)=[...], msg_flags=F}", in->c->name);
	if (rl_drill_only_fields(in, e, "msg_name msg_iov msg_flags msg_control"))
		return -1;
	if (!iov)
		return rl_drill_call_fail(in, "%s(): there is no msg_iov", in->c->name);
	if (rl_drill_iov(in, iov, iov->count, &m->msg_iov, &n))
		return -1;
	m->msg_iovlen = (size_t)n;
	return 0;
}

/* NULL when there are none. */
static const struct drill_expr *control_of(const struct drill_inv *in)
{
	const struct drill_expr *c = rl_drill_field(in->args[1], "msg_control");

	return c && c->kind == DRILL_E_LIST ? c->list : NULL;
}

int rl_drill_do_sendmsg(struct drill_inv *in)
{
	const struct drill_expr *name = rl_drill_field(in->args[1], "msg_name");
	struct drill_sockaddr sa = { .null = true };
	int64_t msg_flags = 0;
	struct drill_fd *f;
	struct msghdr m;
	int live, flags;

	if (rl_drill_arg_fd(in, 0, &f, &live) || msg_of(in, &m) ||
	    rl_drill_arg_int(in, 2, &flags) || check_flags(in, flags, true) ||
	    rl_drill_num_field(in, in->args[1], "msg_flags", &msg_flags))
		return -1;
	if (msg_flags)
		return rl_drill_call_fail(in, "sendmsg(): msg_flags must be 0");
	if (control_of(in))
		return rl_drill_skip(in->r, "sendmsg() with control messages is not "
				     "supported");
	/* on a stream a name means nothing, and `...` there is no address */
	if (name && f && f->proto == IPPROTO_UDP && destination(in, name, f, &sa))
		return -1;
	m.msg_name = sa.null ? NULL : &sa.ss;
	m.msg_namelen = sa.null ? 0 : sa.len;
	return rl_drill_returned(in, rill_sendmsg(live, &m, flags));
}

/* An expected control message: an integer of one byte or four. */
struct control {
	int64_t	level, type, value;
	size_t	len;
};

static int control_one(struct drill_inv *in, const struct drill_expr *e, struct control *c)
{
	const struct drill_expr *data = rl_drill_field(e, "cmsg_data");

	*c = (struct control){ .len = sizeof(int) };
	if (!data || !rl_drill_field(e, "cmsg_level") || !rl_drill_field(e, "cmsg_type"))
		return rl_drill_call_fail(in, "a control message is {cmsg_level=L, "
					  "cmsg_type=T, cmsg_data=D}");
	if (rl_drill_only_fields(in, e, "cmsg_level cmsg_type cmsg_data"))
		return -1;
	if (data->kind == DRILL_E_STRUCT || data->kind == DRILL_E_LIST)
		return rl_drill_skip(in->r, "time stamps and extended errors in "
				     "recvmsg() are not supported");
	if (rl_drill_num_field(in, e, "cmsg_level", &c->level) ||
	    rl_drill_num_field(in, e, "cmsg_type", &c->type) ||
	    rl_drill_num(in, data, &c->value))
		return -1;
	if (c->level == IPPROTO_IP && c->type == IP_TOS)	/* Linux: a single byte */
		c->len = 1;
	return 0;
}

static int control_all(struct drill_inv *in, struct control c[CONTROL_MAX], int *n)
{
	const struct drill_expr *e;

	*n = 0;
	for (e = control_of(in); e; e = e->next) {
		if (*n == CONTROL_MAX)
			return rl_drill_call_fail(in, "more than %d control messages",
						  CONTROL_MAX);
		if (control_one(in, e, &c[(*n)++]))
			return -1;
	}
	return 0;
}

static int check_control_one(struct drill_inv *in, const struct control *want, int i,
			     struct cmsghdr *got)
{
	int value = 0;

	if (got->cmsg_level != want->level || got->cmsg_type != want->type)
		return rl_drill_call_differs(in, "control message %d: level %d, type %d; "
					     "expected %lld, %lld", i + 1, got->cmsg_level,
					     got->cmsg_type, (long long)want->level,
					     (long long)want->type);
	if (got->cmsg_len != CMSG_LEN(want->len))
		return rl_drill_call_differs(in, "control message %d: length %zu, expected %zu",
					     i + 1, (size_t)(got->cmsg_len - CMSG_LEN(0)),
					     want->len);
	memcpy(&value, CMSG_DATA(got), want->len);	/* one byte: the low one */
	if (value != want->value)
		return rl_drill_call_differs(in, "control message %d: cmsg_data %d, expected "
					     "%lld", i + 1, value, (long long)want->value);
	return 0;
}

static int check_control(struct drill_inv *in, const struct control *want, int n,
			 struct msghdr *m)
{
	struct cmsghdr *got = CMSG_FIRSTHDR(m);
	int i;

	for (i = 0; i < n && got; i++, got = CMSG_NXTHDR(m, got))
		if (check_control_one(in, &want[i], i, got))
			return -1;
	if (i < n)
		return rl_drill_call_differs(in, "%d control messages, expected %d", i, n);
	if (got)
		return rl_drill_call_differs(in, "more control messages than the expected %d",
					     n);
	return 0;
}

/* Room for what is expected and no more: more sets MSG_CTRUNC, as on Linux. */
static void make_room(struct drill_inv *in, const struct control *c, int n,
		      struct msghdr *m)
{
	for (int i = 0; i < n; i++)
		m->msg_controllen += CMSG_SPACE(c[i].len);
	if (n)
		m->msg_control = rl_drill_alloc(&in->mem, m->msg_controllen);
}

int rl_drill_do_recvmsg(struct drill_inv *in)
{
	struct control want[CONTROL_MAX];
	int live, flags, n;
	int64_t msg_flags = 0;
	struct drill_fd *f;
	struct msghdr m;
	ssize_t ret;

	if (rl_drill_arg_fd(in, 0, &f, &live) || msg_of(in, &m) ||
	    rl_drill_arg_int(in, 2, &flags) || check_flags(in, flags, false) ||
	    rl_drill_num_field(in, in->args[1], "msg_flags", &msg_flags) ||
	    control_all(in, want, &n))
		return -1;
	make_room(in, want, n, &m);
	ret = rill_recvmsg(live, &m, flags);
	if (rl_drill_returned(in, ret))
		return -1;
	if (ret < 0)
		return 0;
	if (m.msg_flags != msg_flags)
		return rl_drill_call_differs(in, "recvmsg(): msg_flags 0x%x, expected 0x%x",
					     (unsigned)m.msg_flags, (unsigned)msg_flags);
	return check_control(in, want, n, &m);
}
