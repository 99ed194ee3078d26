/* SPDX-License-Identifier: MIT */
/* Counting sockets that have something in common, in time linear in their number. */
#ifndef RL_LOOK_TALLY_H
#define RL_LOOK_TALLY_H

#include "look/facts.h"

/* What they have in common; what a count does not care for is 0. */
struct rl_key {
	struct rill_ip	ip;
	uint32_t	pid;
	uint16_t	lport, pport;
};

#define RL_TALLY_FDS	64

struct rl_tally_row {
	struct rl_key	key;
	unsigned	n;
	unsigned	peers;		/* different addresses */
	unsigned	ends;		/* different addresses with their ports */
	unsigned	tried;		/* with a segment that was sent again */
	unsigned	fresh;		/* came while watched */
	unsigned	extra;		/* as the rule likes */
	uint64_t	tries;		/* such segments in all */
	uint64_t	unread, unsent;	/* bytes */
	int64_t		age_ms;		/* of the oldest; -1 */
	bool		age_least;
	const struct rill_sock *first;
	int		fd[RL_TALLY_FDS];
	unsigned	nfd;
};

struct rl_tally;

/** NULL without memory. */
struct rl_tally *rl_tally_new(void);
void rl_tally_free(struct rl_tally *t);

/** Count @s under @key.  Return: its row, until the next call; NULL without memory. */
struct rl_tally_row *rl_tally_add(struct rl_tally *t, const struct rl_facts *f,
				  const struct rl_key *key, const struct rill_sock *s);
struct rl_tally_row *rl_tally_find(const struct rl_tally *t, const struct rl_key *key);

size_t rl_tally_count(const struct rl_tally *t);
struct rl_tally_row *rl_tally_row(const struct rl_tally *t, size_t i);

/** The row with most sockets; NULL: none. */
struct rl_tally_row *rl_tally_largest(const struct rl_tally *t);

#endif
