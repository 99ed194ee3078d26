/* SPDX-License-Identifier: MIT */
/*
 * The sockets and the port range that ports.c counts with: of the kernel by the table
 * of connections and /proc/sys, of a stack by the same table and its own tunables.
 */
#include <errno.h>
#include <stdio.h>

#include "look/ctlc.h"
#include "look/ports.h"

struct filling {
	struct ports	*p;
	int		err;
};

static bool each(void *ctx, const struct rill_sock *s)
{
	struct filling *f = ctx;

	f->err = ports_add(f->p, s);
	return f->err == 0;
}

static bool tunable(struct ctl_stack *st, const char *name, char *buf, size_t n)
{
	json_t *r = ctlc_ask(st, json_pack("{s:s, s:s, s:s}", "cmd", "sysctl", "op", "get",
					   "name", name));

	snprintf(buf, n, "%s", ctlc_str(r, "value"));
	json_decref(r);
	return r != NULL;
}

static int init_stack(struct ports *p, struct ctl_stack *st)
{
	char range[64], reserved[1024];

	if (!tunable(st, "net.ipv4.ip_local_port_range", range, sizeof(range)) ||
	    !tunable(st, "net.ipv4.ip_local_reserved_ports", reserved, sizeof(reserved)))
		return -EIO;
	return ports_init(p, range, reserved);
}

int ports_read(struct ports *p, struct ctl_stack *st, bool owners,
	       struct rill_table_notes *notes)
{
	struct rill_table_query q = RILL_TABLE_QUERY_INIT;
	struct filling f = { p, 0 };
	int r = st ? init_stack(p, st) : ports_init_kernel(p);

	if (r < 0)
		return r;
	q.want = RILL_WANT_TCP | RILL_WANT_UDP | (owners ? RILL_WANT_OWNERS : 0);
	q.want |= st ? RILL_WANT_RILL : RILL_WANT_KERNEL;
	if (st) {
		q.pid = (int)st->pid;
		q.stack = st->name;
	}
	r = rill_table_walk(&q, each, &f, notes);
	if (!r)
		r = f.err;
	if (!r && !st && notes->kernel_error)
		r = notes->kernel_error;
	if (!r)
		r = ports_done(p);
	if (r < 0)
		ports_free(p);
	return r;
}
