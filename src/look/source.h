/* SPDX-License-Identifier: MIT */
/* Between table.c, which composes, and the sources of sockets. */
#ifndef RL_LOOK_SOURCE_H
#define RL_LOOK_SOURCE_H

#include "rill/table.h"

struct rl_owners;
struct mnl_socket;

/* One walk under way: the query, who is told, and what there is to note. */
struct rl_walk {
	const struct rill_table_query *q;
	bool		(*each)(void *ctx, const struct rill_sock *s);
	void		*ctx;
	struct rill_table_notes *notes;
	const struct rl_owners *owners;		/* NULL: not asked for */
	uint64_t	netns;			/* inode */
	bool		stopped;		/* @each has had enough */
};

/** What this source may not know, as not known. */
void rl_sock_unknown(struct rill_sock *s);

/** Of the kernel's: whether its program is gone; one that waits to be accepted never
 * had one. */
bool rl_sock_orphan(const struct rill_sock *s);

/** Complete @s (owners, namespace), count it, tell it.  Return: false to stop. */
bool rl_walk_tell(struct rl_walk *w, struct rill_sock *s);
bool rl_walk_wants(const struct rl_walk *w, const struct rill_sock *s);

/** The kernel's sockets by sock_diag.  Return: 0; -errno: it is not to be had. */
int rl_source_kernel(struct rl_walk *w, uint8_t proto);

/** A socket of sock_diag in a network namespace (-1: ours).  NULL with errno. */
struct mnl_socket *rl_diag_open(int netns_fd);

/** One of its messages as a record.  Return: false: it is none. */
struct nlmsghdr;
bool rl_diag_record(const struct nlmsghdr *nlh, uint8_t proto, struct rill_sock *s);

/** The same from /proc/net: less of each, but nearly everywhere. */
int rl_source_proc(struct rl_walk *w, uint8_t proto);

/** The sockets of the stacks that run. */
void rl_source_rill(struct rl_walk *w);

/** One line of /proc/net/{tcp,udp}{,6}.  Return: false: it is none. */
bool rl_proc_line(const char *line, uint8_t proto, uint8_t family, struct rill_sock *s);

/** Who holds which socket.  NULL without memory. */
struct rl_owners *rl_owners_read(void);
void rl_owners_free(struct rl_owners *o);
const struct rill_owner *rl_owners_of(const struct rl_owners *o, uint64_t inode, unsigned *n);

#endif
