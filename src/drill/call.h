/* SPDX-License-Identifier: MIT */
/*
 * A system call of a script, as the files call*.c and args.c share it.
 *
 * A call is evaluated, made and judged in one function of call_*.c.  That may run
 * in a fiber: between the call and its judgement the script may have gone on, so
 * failures go through rl_drill_call_fail(), which names the call's own line.
 */
#ifndef RL_DRILL_CALL_H
#define RL_DRILL_CALL_H

#include "drill/flow.h"

#define DRILL_ARGS	8
#define DRILL_LENGTH_MAX (64 << 20)	/* bytes in one call */

/* A descriptor: the script's number and the live one. */
struct drill_fd {
	struct drill_fd	*next;
	int64_t		script;
	int		live;
	int		domain, proto;	/* AF_INET, ...; IPPROTO_TCP, _UDP; 0: epoll */
};

/* One call under way. */
struct drill_inv {
	struct drill_run *r;
	const struct drill_call *c;
	const struct drill_event *ev, *use;
	const struct drill_expr *args[DRILL_ARGS];	/* NULL: left out */
	struct drill_arena mem;			/* of its buffers */
	int		(*fn)(struct drill_inv *in);
	int64_t		start_us, end_us;	/* as scheduled; end: blocking ones */
	int64_t		ret;			/* what it returned, or -errno */
	bool		names_fd;		/* the result names a descriptor */
	int		verdict;
};

/* ---- call.c ---- */

/** As rl_drill_fail(), but with the line of this call. */
int rl_drill_call_fail(struct drill_inv *in, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/** What came out is not what the script says: a failure, or with non_fatal a warning. */
int rl_drill_call_differs(struct drill_inv *in, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/** What the script says that it returns is no error. */
bool rl_drill_call_succeeds(const struct drill_inv *in);

/**
 * The call returned @ret: waiting, result, errno and the time of its end are
 * judged.  Return: 0 if all is as the script says, or -1 (failed, or skipped).
 */
int rl_drill_returned(struct drill_inv *in, int64_t ret);

/**
 * The same for a call that makes a descriptor, which gets the script's number.
 * @made: it, or NULL when there is none.
 */
int rl_drill_returned_fd(struct drill_inv *in, int live, int domain, int proto,
			 struct drill_fd **made);

struct drill_fd *rl_drill_fd_find(const struct drill_run *r, int64_t script);
void rl_drill_fd_forget(struct drill_run *r, struct drill_fd *f);
/** @f becomes the socket under test. */
void rl_drill_fd_test(struct drill_run *r, const struct drill_fd *f);
bool rl_drill_fd_is_test(const struct drill_run *r, const struct drill_fd *f);

/* ---- args.c: 0, or -1 after rl_drill_call_fail() ---- */

bool rl_drill_is_ellipsis(const struct drill_expr *e);
bool rl_drill_is_null(const struct drill_expr *e);
/** The member @name of a struct in braces, or NULL. */
const struct drill_expr *rl_drill_field(const struct drill_expr *e, const char *name);

/**
 * @e is a struct in braces with no other members than @names, which have blanks
 * between them, and none twice.
 */
int rl_drill_only_fields(struct drill_inv *in, const struct drill_expr *e,
			 const char *names);

int rl_drill_num(struct drill_inv *in, const struct drill_expr *e, int64_t *v);
/** Member @name of @e; @v stays as it is when it isn't there. */
int rl_drill_num_field(struct drill_inv *in, const struct drill_expr *e,
		       const char *name, int64_t *v);
int rl_drill_arg_int(struct drill_inv *in, unsigned i, int *v);
/** The descriptor of argument 0: @f NULL and @live -1 if the script has none. */
int rl_drill_arg_fd(struct drill_inv *in, unsigned i, struct drill_fd **f, int *live);
/** Arguments @i and @i + 1: `...` or NULL, and a length; a zero-filled buffer. */
int rl_drill_arg_buf(struct drill_inv *in, unsigned i, void **buf, size_t *n);
/** [{..., 10}, {..., 20}] and its count @want, or NULL where it stands alone. */
int rl_drill_iov(struct drill_inv *in, const struct drill_expr *e,
		 const struct drill_expr *want, struct iovec **iov, int *n);

/* An address argument. */
struct drill_sockaddr {
	struct sockaddr_storage ss;
	socklen_t	len;
	bool		null, unspec;
	struct rill_addr addr;		/* unless null or unspec */
};

/**
 * `...` (or left out): @ip and @port, in the form of @domain; NULL; AF_UNSPEC; or
 * {sa_family = AF_INET, sin_port = htons(80), sin_addr = inet_addr("1.2.3.4")}.
 */
int rl_drill_address(struct drill_inv *in, const struct drill_expr *e, int domain,
		     const struct rill_ip *ip, uint16_t port, struct drill_sockaddr *sa);
/** The length of an address that goes in: `...` (or left out) is the right one. */
int rl_drill_address_len(struct drill_inv *in, unsigned i, struct drill_sockaddr *sa);
/** Of an address that comes out, or its length: `...`, NULL or [N], which is not compared. */
int rl_drill_out_arg(struct drill_inv *in, unsigned i);
/** What the stack wrote; false: neither IPv4 nor IPv6. */
bool rl_drill_from_sockaddr(const struct sockaddr_storage *ss, struct rill_addr *a);

/* ---- symbols.c ---- */

bool rl_drill_symbol(const char *name, int64_t *value);
int rl_drill_errno(const char *name);		/* 0: no such name */
const char *rl_drill_errno_name(int err);	/* NULL: no such number */

/* ---- call_open.c, call_io.c, call_opt.c, call_poll.c ---- */

int rl_drill_do_socket(struct drill_inv *in);
int rl_drill_do_bind(struct drill_inv *in);
int rl_drill_do_listen(struct drill_inv *in);
int rl_drill_do_accept(struct drill_inv *in);
int rl_drill_do_connect(struct drill_inv *in);
int rl_drill_do_shutdown(struct drill_inv *in);
int rl_drill_do_close(struct drill_inv *in);

int rl_drill_do_read(struct drill_inv *in);
int rl_drill_do_readv(struct drill_inv *in);
int rl_drill_do_recv(struct drill_inv *in);
int rl_drill_do_recvfrom(struct drill_inv *in);
int rl_drill_do_recvmsg(struct drill_inv *in);
int rl_drill_do_write(struct drill_inv *in);
int rl_drill_do_writev(struct drill_inv *in);
int rl_drill_do_send(struct drill_inv *in);
int rl_drill_do_sendto(struct drill_inv *in);
int rl_drill_do_sendmsg(struct drill_inv *in);

int rl_drill_do_fcntl(struct drill_inv *in);
int rl_drill_do_ioctl(struct drill_inv *in);
int rl_drill_do_getsockopt(struct drill_inv *in);
int rl_drill_do_setsockopt(struct drill_inv *in);

int rl_drill_do_poll(struct drill_inv *in);
int rl_drill_do_epoll_create(struct drill_inv *in);
int rl_drill_do_epoll_ctl(struct drill_inv *in);
int rl_drill_do_epoll_wait(struct drill_inv *in);

#endif
