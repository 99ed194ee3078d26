// SPDX-License-Identifier: MIT
/*
 * Calls by which sockets come and go: socket, bind, listen, accept, connect,
 * shutdown, close.  They tell flow.c what becomes of the socket under test.
 * Called through call.c's table.
 */
#include <errno.h>
#include <netinet/in.h>

#include "base/types.h"
#include "drill/call.h"

/* `...` is the domain of the addresses in use. */
static int domain_arg(struct drill_inv *in, int *domain)
{
	*domain = in->r->cfg.ipver == DRILL_IPV4 ? AF_INET : AF_INET6;
	if (!in->args[0] || rl_drill_is_ellipsis(in->args[0]))
		return 0;
	return rl_drill_arg_int(in, 0, domain);
}

/* Of a kind that Rill has none of, where the script has one. */
static bool no_such_socket(const struct drill_inv *in, int live)
{
	return rl_drill_call_succeeds(in) &&
	       (live == -EAFNOSUPPORT || live == -EPROTONOSUPPORT ||
		live == -ESOCKTNOSUPPORT);
}

int rl_drill_do_socket(struct drill_inv *in)
{
	int domain, type = SOCK_STREAM, proto = 0, live;
	struct drill_run *r = in->r;
	struct drill_fd *made;

	if (domain_arg(in, &domain) ||
	    (in->args[1] && rl_drill_arg_int(in, 1, &type)) ||
	    (in->args[2] && rl_drill_arg_int(in, 2, &proto)))
		return -1;
	live = rill_socket(rl_drill_world_engine(r->w), domain, type, proto);
	if (no_such_socket(in, live))
		return rl_drill_skip(r, "socket(%d, %d, %d): Rill has no sockets of this "
				     "kind", domain, type, proto);
	proto = (type & 0xf) == SOCK_DGRAM ? IPPROTO_UDP : IPPROTO_TCP;
	if (rl_drill_returned_fd(in, live, domain, proto, &made))
		return -1;
	if (made) {
		rl_drill_fd_test(r, made);
		rl_drill_flow_socket(r, proto);
	}
	return 0;
}

/* The local end as it is now, whatever port was asked for. */
static void tell_local(struct drill_run *r, int live)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	struct rill_addr a;

	if (rill_getsockname(live, (struct sockaddr *)&ss, &len) == 0 &&
	    rl_drill_from_sockaddr(&ss, &a))
		rl_drill_flow_bind(r, &a);
}

int rl_drill_do_bind(struct drill_inv *in)
{
	struct drill_run *r = in->r;
	struct drill_sockaddr sa;
	struct drill_fd *f;
	int live, ret;

	if (rl_drill_arg_fd(in, 0, &f, &live) ||
	    rl_drill_address(in, in->args[1], f ? f->domain : AF_UNSPEC, &r->cfg.local_ip,
			     r->cfg.bind_port, &sa) ||
	    rl_drill_address_len(in, 2, &sa))
		return -1;
	ret = rill_bind(live, sa.null ? NULL : (struct sockaddr *)&sa.ss, sa.len);
	if (ret == 0 && rl_drill_fd_is_test(r, f))
		tell_local(r, live);
	return rl_drill_returned(in, ret);
}

int rl_drill_do_listen(struct drill_inv *in)
{
	int live, backlog = 1, ret;
	struct drill_fd *f;

	if (rl_drill_arg_fd(in, 0, &f, &live) ||
	    (in->args[1] && rl_drill_arg_int(in, 1, &backlog)))
		return -1;
	ret = rill_listen(live, backlog);
	if (ret == 0 && rl_drill_fd_is_test(in->r, f))
		rl_drill_flow_listen(in->r);
	return rl_drill_returned(in, ret);
}

/* ---- accept ---- */

/*
 * Who was accepted is whose packets were sent in, and is under test from now on.
 * A script that gives ports of its own may have more than one peer.
 */
static int check_peer(struct drill_inv *in, const struct sockaddr_storage *ss,
		      const struct drill_fd *child)
{
	const struct drill_flow *flow = in->r->flow;
	struct rill_addr peer;
	bool same;

	if (!rl_drill_from_sockaddr(ss, &peer))
		return rl_drill_call_fail(in, "accept() gave no address of the peer");
	same = !flow->has_remote || rl_drill_same_end(&peer, &flow->remote);
	if (!same && !flow->in_ports)
		return rl_drill_call_differs(in, "accept() gave a peer other than the one that "
					     "the packets are from: port %u, expected %u",
					     peer.port, flow->remote.port);
	if (same)
		rl_drill_fd_test(in->r, child);
	return 0;
}

int rl_drill_do_accept(struct drill_inv *in)
{
	struct sockaddr_storage ss = { 0 };
	socklen_t len = sizeof(ss);
	struct drill_fd *f, *made;
	int live, child;

	if (rl_drill_arg_fd(in, 0, &f, &live) || rl_drill_out_arg(in, 1) ||
	    rl_drill_out_arg(in, 2))
		return -1;
	child = rill_accept(live, (struct sockaddr *)&ss, &len);
	if (rl_drill_returned_fd(in, child, f ? f->domain : AF_UNSPEC, IPPROTO_TCP, &made))
		return -1;
	return made ? check_peer(in, &ss, made) : 0;
}

/* ---- connect ---- */

int rl_drill_do_connect(struct drill_inv *in)
{
	struct drill_run *r = in->r;
	struct drill_sockaddr sa;
	struct drill_fd *f;
	int live, ret;

	if (rl_drill_arg_fd(in, 0, &f, &live) ||
	    rl_drill_address(in, in->args[1], f ? f->domain : AF_UNSPEC, &r->cfg.remote_ip,
			     r->cfg.connect_port, &sa) ||
	    rl_drill_address_len(in, 2, &sa))
		return -1;
	if (rl_drill_fd_is_test(r, f) && !sa.null && !sa.unspec)
		rl_drill_flow_connect(r, &sa.addr);
	ret = rill_connect(live, sa.null ? NULL : (struct sockaddr *)&sa.ss, sa.len);
	if (sa.unspec && ret == -EAFNOSUPPORT && rl_drill_call_succeeds(in))
		return rl_drill_skip(r, "connect() with AF_UNSPEC on a TCP socket is not "
				     "supported");
	if (sa.unspec && ret == 0 && rl_drill_fd_is_test(r, f))
		rl_drill_flow_disconnect(r);
	return rl_drill_returned(in, ret);
}

/* ---- the end ---- */

int rl_drill_do_shutdown(struct drill_inv *in)
{
	struct drill_fd *f;
	int live, how;

	if (rl_drill_arg_fd(in, 0, &f, &live) || rl_drill_arg_int(in, 1, &how))
		return -1;
	return rl_drill_returned(in, rill_shutdown(live, how));
}

int rl_drill_do_close(struct drill_inv *in)
{
	struct drill_fd *f;
	int live, ret;

	if (rl_drill_arg_fd(in, 0, &f, &live))
		return -1;
	ret = rill_close(live);
	if (f)
		rl_drill_fd_forget(in->r, f);
	return rl_drill_returned(in, ret);
}
