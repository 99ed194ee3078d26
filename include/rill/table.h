/* SPDX-License-Identifier: MIT */
/*
 * The table of connections: every TCP and UDP socket of the host's kernel and of
 * the Rill stacks that run, in one form, with the programs that hold them.  Links
 * with -lrill-table (pkg-config rill-table).  Needs no rights that the kernel does
 * not ask for; what could not be seen is said in struct rill_table_notes.
 */
#ifndef RILL_TABLE_H
#define RILL_TABLE_H

#include "rill/info.h"
#include "rill/stack.h"

#ifdef __cplusplus
extern "C" {
#endif

enum rill_source { RILL_SRC_KERNEL = 1, RILL_SRC_RILL = 2 };

/** Who has a descriptor of a socket. */
struct rill_owner {
	int		pid, fd;	/* fd -1: not known */
	char		comm[16];	/* program's name */
};

#define RILL_CC_NAME	16

struct rill_sock {
#define SOCK(type, name, unit, help)	type name;
#include "rill/sock.def"
#undef SOCK
	struct rill_addr	local, peer;
	char			cc[RILL_CC_NAME];	/* congestion control, "" unknown */
	char			hold[24];	/* Rill: why it sends nothing; "" it may */
	uint8_t			cc_kind;		/* of cc_info: INET_DIAG_BBRINFO...; 0: none */
	uint32_t		cc_info[5];		/* union tcp_cc_info of the kernel */
	const char		*stack;			/* Rill: its name; kernel: "" */
	int			pid;			/* Rill: of its stack; kernel: 0 */
	struct rill_tcp_info	info;			/* when has_info */
	const struct rill_owner *owners;
	unsigned		nowners;
};

/** What of it to read; each costs something. */
enum rill_table_want {
	RILL_WANT_KERNEL	= 1 << 0,
	RILL_WANT_RILL		= 1 << 1,
	RILL_WANT_TCP		= 1 << 2,
	RILL_WANT_UDP		= 1 << 3,
	RILL_WANT_INFO		= 1 << 4,	/* info, cc */
	RILL_WANT_MEM		= 1 << 5,	/* the fields about memory, shutdown, tos */
	RILL_WANT_OWNERS	= 1 << 6,	/* walks over /proc */
	RILL_WANT_V4		= 1 << 7,	/* both or neither: both */
	RILL_WANT_V6		= 1 << 8,
};

struct rill_table_query {
	unsigned	want;		/* enum rill_table_want */
	uint32_t	states;		/* bits by enum rill_tcp_state; 0: all */
	int		netns_fd;	/* read the kernel's in this network namespace; -1: ours */
	int		pid;		/* stacks of this process only; 0: all */
	const char	*stack;		/* stacks of this name only; NULL: all */
};

#define RILL_TABLE_QUERY_INIT	{ .netns_fd = -1 }

/** What could not be seen, and how it was read. */
struct rill_table_notes {
	unsigned	nkernel, nrill;		/* sockets read */
	unsigned	nstacks, silent;	/* stacks that answered, that did not */
	unsigned	unowned;		/* sockets whose program is hidden from us */
	bool		from_proc;		/* no sock_diag: /proc/net was read instead */
	int		kernel_error;		/* -errno: the kernel's were not read */
};

/**
 * Read once over all sockets; @each returns false to stop.  The record and what it
 * points to are valid during the call only.
 * Return: 0 (also when one source failed: see @notes), -ENOMEM, -EINVAL.
 */
RILL_API int rill_table_walk(const struct rill_table_query *q,
			     bool (*each)(void *ctx, const struct rill_sock *s), void *ctx,
			     struct rill_table_notes *notes);

/** The same, kept: an array that rill_table_free() gives back.  -ENOMEM, -EINVAL. */
struct rill_table {
	struct rill_sock	*sock;
	size_t			 n;
	struct rill_table_notes	 notes;
	struct rill_table_mem	*mem;		/* what the records point to */
};
RILL_API int rill_table_read(const struct rill_table_query *q, struct rill_table *t);
RILL_API void rill_table_free(struct rill_table *t);

#ifdef __cplusplus
}
#endif
#endif
