// SPDX-License-Identifier: MIT
/*
 * System calls of a script (section 9 of the language): from the name to the
 * function that makes the call, and from what it returned to a judgement.
 *
 * A call marked with `...END` runs in a fiber.  When it returns, perhaps after
 * other events, the time is compared with END; one that is not marked may not
 * wait at all.  Script descriptors are names: the table here maps them to live
 * ones.  Called by run.c.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

#include "base/types.h"
#include "drill/call.h"

#define PATIENCE_NS	(1 * RL_SEC)	/* for a pending call, section 9.2 */
#define TEXT_MAX	200
#define MESSAGE_MAX	1024

struct drill_calls {
	struct drill_fd	*fds;
	struct drill_inv *pending;	/* in the fiber, or ended and not yet freed */
	int		test_fd;
};

/* ---- the list of calls ---- */

static const struct desc {
	const char	*name;
	unsigned	min, max;	/* arguments; fewer than the language has: defaults */
	int		(*fn)(struct drill_inv *in);
	bool		names_fd;
} descs[] = {
	{ "socket",	0, 3, rl_drill_do_socket, true },
	{ "bind",	1, 3, rl_drill_do_bind, false },
	{ "listen",	1, 2, rl_drill_do_listen, false },
	{ "accept",	1, 3, rl_drill_do_accept, true },
	{ "connect",	1, 3, rl_drill_do_connect, false },
	{ "read",	1, 3, rl_drill_do_read, false },
	{ "readv",	3, 3, rl_drill_do_readv, false },
	{ "recv",	4, 4, rl_drill_do_recv, false },
	{ "recvfrom",	6, 6, rl_drill_do_recvfrom, false },
	{ "recvmsg",	3, 3, rl_drill_do_recvmsg, false },
	{ "write",	3, 3, rl_drill_do_write, false },
	{ "writev",	3, 3, rl_drill_do_writev, false },
	{ "send",	4, 4, rl_drill_do_send, false },
	{ "sendto",	6, 6, rl_drill_do_sendto, false },
	{ "sendmsg",	3, 3, rl_drill_do_sendmsg, false },
	{ "fcntl",	2, 3, rl_drill_do_fcntl, false },
	{ "ioctl",	2, 3, rl_drill_do_ioctl, false },
	{ "close",	1, 1, rl_drill_do_close, false },
	{ "shutdown",	2, 2, rl_drill_do_shutdown, false },
	{ "getsockopt",	5, 5, rl_drill_do_getsockopt, false },
	{ "setsockopt",	5, 5, rl_drill_do_setsockopt, false },
	{ "poll",	3, 3, rl_drill_do_poll, false },
	{ "epoll_create", 1, 1, rl_drill_do_epoll_create, true },
	{ "epoll_ctl",	4, 4, rl_drill_do_epoll_ctl, false },
	{ "epoll_wait",	4, 4, rl_drill_do_epoll_wait, false },
};

/* Calls of the language that have no meaning on Rill's sockets. */
static const char *const absent[] = {
	"open", "pipe", "splice", "sendfile", "cap_set", "psp_rx_assoc", "psp_tx_assoc",
};

static const struct desc *find_desc(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(descs); i++)
		if (!strcmp(descs[i].name, name))
			return &descs[i];
	return NULL;
}

static int no_such_call(struct drill_run *r, const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(absent); i++)
		if (!strcmp(absent[i], name))
			return rl_drill_skip(r, "%s() is not supported", name);
	if (!strncmp(name, "sctp_", 5))
		return rl_drill_skip(r, "%s(): SCTP is not supported", name);
	return rl_drill_fail(r, "unknown system call %s()", name);
}

/* ---- descriptors ---- */

struct drill_fd *rl_drill_fd_find(const struct drill_run *r, int64_t script)
{
	struct drill_fd *f = r->calls->fds;

	while (f && f->script != script)
		f = f->next;
	return f;
}

void rl_drill_fd_forget(struct drill_run *r, struct drill_fd *f)
{
	struct drill_fd **p = &r->calls->fds;

	while (*p != f)
		p = &(*p)->next;
	*p = f->next;
	if (r->calls->test_fd == f->live)
		r->calls->test_fd = -1;
	free(f);
}

void rl_drill_fd_test(struct drill_run *r, const struct drill_fd *f)
{
	r->calls->test_fd = f->live;
}

bool rl_drill_fd_is_test(const struct drill_run *r, const struct drill_fd *f)
{
	return f && f->live == r->calls->test_fd;
}

int rl_drill_live_fd(const struct drill_run *r, int64_t fd)
{
	const struct drill_fd *f = rl_drill_fd_find(r, fd);

	return f ? f->live : -1;
}

int rl_drill_test_fd(const struct drill_run *r)
{
	return r->calls->test_fd;
}

/* ---- judgement ---- */

static int fail(struct drill_inv *in, const char *msg)
{
	const struct drill_event *ev = in->r->ev, *use = in->r->use;

	in->r->ev = in->ev;
	in->r->use = in->use;
	rl_drill_fail(in->r, "%s", msg);
	in->r->ev = ev;
	in->r->use = use;
	return -1;
}

int rl_drill_call_fail(struct drill_inv *in, const char *fmt, ...)
{
	char msg[MESSAGE_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	return fail(in, msg);
}

int rl_drill_call_differs(struct drill_inv *in, const char *fmt, ...)
{
	const struct drill_config *cfg = &in->r->cfg;
	char msg[MESSAGE_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	if (!cfg->non_fatal_syscall)
		return fail(in, msg);
	fprintf(cfg->trace ? cfg->trace : stderr, "%s:%d: warning: %s\n", in->ev->file,
		in->ev->line, msg);
	return 0;
}

bool rl_drill_call_succeeds(const struct drill_inv *in)
{
	return in->c->result >= 0;
}

/* The end of a call's text: behind the parenthesis that closes the first one. */
static size_t call_len(const char *s)
{
	bool quoted = false;
	size_t i, depth = 0;

	for (i = 0; s[i]; i++) {
		if (quoted && s[i] == '\\' && s[i + 1])
			i++;
		else if (s[i] == '"')
			quoted = !quoted;
		else if (!quoted && s[i] == '(')
			depth++;
		else if (!quoted && s[i] == ')' && --depth == 0)
			return i + 1;
	}
	return i;
}

/* "read(3, ..., 1000)" as it is written. */
static const char *call_text(const struct drill_inv *in, char buf[TEXT_MAX])
{
	const char *at = in->ev && in->ev->text ? strstr(in->ev->text, in->c->name) : NULL;
	size_t n;

	if (at && strchr(at, '(')) {
		n = RL_MIN(call_len(at), (size_t)TEXT_MAX - 1);
		memcpy(buf, at, n);
		buf[n] = '\0';
	} else {
		snprintf(buf, TEXT_MAX, "%s()", in->c->name);
	}
	return buf;
}

static void result_text(char *buf, size_t n, int64_t ret)
{
	const char *name = ret < 0 ? rl_drill_errno_name((int)-ret) : NULL;

	if (ret >= 0)
		snprintf(buf, n, "%lld", (long long)ret);
	else if (name)
		snprintf(buf, n, "-1 %s", name);
	else
		snprintf(buf, n, "-1 (errno %lld)", (long long)-ret);
}

static void expected_text(const struct drill_inv *in, char *buf, size_t n)
{
	if (in->c->err_name)
		snprintf(buf, n, "%lld %s", (long long)in->c->result, in->c->err_name);
	else if (in->names_fd && in->c->result >= 0)
		snprintf(buf, n, "a descriptor");
	else
		snprintf(buf, n, "%lld", (long long)in->c->result);
}

/* A descriptor's number is the script's own. */
static bool as_expected(const struct drill_inv *in)
{
	const struct drill_call *c = in->c;

	if (in->ret < 0)
		return c->result == -1 &&
		       (!c->err_name || rl_drill_errno(c->err_name) == -in->ret);
	if (c->err_name)
		return false;		/* what succeeds has no errno */
	if (in->names_fd && c->result >= 0)
		return true;
	return in->ret == c->result;
}

static int check_result(struct drill_inv *in)
{
	char text[TEXT_MAX], got[64], want[96];

	if (in->c->err_name && !rl_drill_errno(in->c->err_name))
		return rl_drill_call_fail(in, "there is no errno %s", in->c->err_name);
	if (as_expected(in))
		return 0;
	result_text(got, sizeof(got), in->ret);
	expected_text(in, want, sizeof(want));
	return rl_drill_call_differs(in, "%s returned %s, expected %s", call_text(in, text),
				     got, want);
}

/* Section 3.4: tolerance by the call's own length. */
static int check_end(struct drill_inv *in)
{
	int64_t now_us = rl_drill_now_us(in->r), tol_us;
	char text[TEXT_MAX];

	if (!in->c->blocks)
		return 0;
	tol_us = rl_drill_tolerance_us(in->r, in->end_us - in->start_us);
	if (now_us >= in->end_us - tol_us && now_us <= in->end_us + tol_us)
		return 0;
	return rl_drill_call_differs(in, "%s returned too %s: at %.6f, expected %.6f "
				     "(tolerance %.6f)", call_text(in, text),
				     now_us < in->end_us ? "early" : "late",
				     (double)now_us / 1e6, (double)in->end_us / 1e6,
				     (double)tol_us / 1e6);
}

static void show(const struct drill_inv *in)
{
	char text[TEXT_MAX], got[64];
	FILE *f = in->r->cfg.trace;

	if (!f)
		return;
	result_text(got, sizeof(got), in->names_fd && in->ret >= 0 ? in->c->result : in->ret);
	fprintf(f, "%.6f %s = %s\n", (double)rl_drill_now_us(in->r) / 1e6,
		call_text(in, text), got);
}

int rl_drill_returned(struct drill_inv *in, int64_t ret)
{
	char text[TEXT_MAX];

	in->ret = ret;
	if (!in->c->blocks && rl_drill_fiber_blocked(in->r))
		return rl_drill_call_fail(in, "%s would block: mark it with ...END "
					  "before the name", call_text(in, text));
	show(in);
	if (check_result(in))
		return -1;
	return check_end(in);
}

int rl_drill_returned_fd(struct drill_inv *in, int live, int domain, int proto,
			 struct drill_fd **made)
{
	struct drill_calls *calls = in->r->calls;
	struct drill_fd *f;

	*made = NULL;
	if (rl_drill_returned(in, live))
		return -1;
	if (live < 0 || in->c->result < 0)
		return 0;
	if (rl_drill_fd_find(in->r, in->c->result))
		return rl_drill_call_fail(in, "descriptor %lld is open already",
					  (long long)in->c->result);
	f = malloc(sizeof(*f));
	if (!f)
		return rl_drill_call_fail(in, "no memory");
	*f = (struct drill_fd){ .next = calls->fds, .script = in->c->result, .live = live,
				.domain = domain, .proto = proto };
	calls->fds = f;
	*made = f;
	return 0;
}

/* ---- one call ---- */

static void inv_free(struct drill_inv *in)
{
	rl_drill_free_all(&in->mem);
	free(in);
}

/* In the fiber. */
static void body(void *arg)
{
	struct drill_inv *in = arg;

	in->verdict = in->fn(in);
}

/* A call that blocks from the beginning of its event to END. */
static void set_times(struct drill_inv *in)
{
	const struct drill_run *r = in->r;
	bool absolute = in->ev->time.kind == DRILL_AT;

	in->start_us = r->due_us;
	in->end_us = in->c->end_us + (absolute ? 0 : r->base_us);
}

static struct drill_inv *inv_new(struct drill_run *r, const struct drill_call *c,
				 const struct desc *d)
{
	struct drill_inv *in = calloc(1, sizeof(*in));
	const struct drill_expr *e = c->args;

	if (!in)
		return NULL;
	in->r = r;
	in->c = c;
	in->ev = r->ev;
	in->use = r->use;
	in->fn = d->fn;
	in->names_fd = d->names_fd;
	for (unsigned i = 0; e; e = e->next)
		in->args[i++] = e;
	set_times(in);
	return in;
}

/* Let the pending call end, for at most a second. */
static int await_pending(struct drill_run *r)
{
	struct drill_inv *in = r->calls->pending;
	int64_t until_ns = rl_drill_world_now(r->w) + PATIENCE_NS;
	char text[TEXT_MAX];

	if (!in)
		return 0;
	while (rl_drill_fiber_pending(r) && rl_drill_step(r, until_ns))
		;
	if (rl_drill_fiber_pending(r))
		return rl_drill_call_fail(in, "%s still waits at %.6f; it was to return "
					  "at %.6f", call_text(in, text),
					  (double)rl_drill_now_us(r) / 1e6,
					  (double)in->end_us / 1e6);
	r->calls->pending = NULL;
	inv_free(in);
	return r->failed || r->skipped ? -1 : 0;
}

static int run_blocking(struct drill_run *r, struct drill_inv *in)
{
	int err;

	r->calls->pending = in;
	err = rl_drill_fiber_start(r, body, in);
	if (err < 0) {
		r->calls->pending = NULL;
		inv_free(in);
		return rl_drill_fail(r, "no memory for a call that waits");
	}
	return in->verdict;
}

static int run_at_once(struct drill_run *r, struct drill_inv *in)
{
	int verdict;

	rl_drill_fiber_blocked(r);
	verdict = in->fn(in);
	inv_free(in);
	return verdict;
}

static int wrong_count(struct drill_run *r, const struct drill_call *c,
		       const struct desc *d)
{
	if (d->min == d->max)
		return rl_drill_fail(r, "%s() takes %u arguments, not %u", c->name, d->max,
				     c->nargs);
	return rl_drill_fail(r, "%s() takes %u to %u arguments, not %u", c->name, d->min,
			     d->max, c->nargs);
}

int rl_drill_call(struct drill_run *r, const struct drill_call *c)
{
	const struct desc *d = find_desc(c->name);
	struct drill_inv *in;

	if (!d)
		return no_such_call(r, c->name);
	if (c->nargs < d->min || c->nargs > d->max)
		return wrong_count(r, c, d);
	for (const struct drill_expr *e = c->args; e; e = e->next)
		if (e->name)
			return rl_drill_fail(r, "%s(): an argument has no name, such as %s=",
					     c->name, e->name);
	if (await_pending(r) < 0)
		return -1;
	in = inv_new(r, c, d);
	if (!in)
		return rl_drill_fail(r, "no memory");
	return c->blocks ? run_blocking(r, in) : run_at_once(r, in);
}

/* ---- with the run ---- */

int rl_drill_calls_open(struct drill_run *r)
{
	r->calls = calloc(1, sizeof(*r->calls));
	if (!r->calls)
		return -ENOMEM;
	r->calls->test_fd = -1;
	return 0;
}

int rl_drill_calls_finish(struct drill_run *r)
{
	return await_pending(r);
}

void rl_drill_calls_close(struct drill_run *r)
{
	struct drill_fd *f;

	if (!r->calls)
		return;
	while ((f = r->calls->fds)) {
		r->calls->fds = f->next;
		free(f);
	}
	if (r->calls->pending)
		inv_free(r->calls->pending);
	free(r->calls);
	r->calls = NULL;
}
