/* SPDX-License-Identifier: MIT */
/*
 * What `rill doctor` judges by: one source of sockets (the kernel, or one stack)
 * as it was seen, and what changed while it was watched.  Plain data, so that a
 * test makes it up as well as facts_read.c reads it.
 */
#ifndef RL_LOOK_FACTS_H
#define RL_LOOK_FACTS_H

#include "rill/table.h"

enum rl_fact_ctr {
#define FACT_CTR(id, linux_name)	FC_##id,
#define FACT_SYSCTL(id, name, place)
#include "look/facts.def"
#undef FACT_CTR
#undef FACT_SYSCTL
	FC_N
};

enum rl_fact_sysctl {
#define FACT_CTR(id, linux_name)
#define FACT_SYSCTL(id, name, place)	FS_##id,
#include "look/facts.def"
#undef FACT_CTR
#undef FACT_SYSCTL
	FS_N
};

/* A program that holds sockets. */
struct rl_program {
	int	pid;
	char	comm[16];
	char	exe[160];		/* "": not known */
	bool	deleted;		/* its file is gone */
	bool	foreign;		/* its file lies where anybody may write, or nowhere */
	int64_t	nfd, fd_limit;		/* -1: not known */
};

/* A device, and what its queues dropped. */
struct rl_device {
	char	name[16];
	int64_t	dropped;		/* since it is there */
	int64_t	grown;			/* while watched */
	int64_t	backlog;		/* bytes in its queue; -1: not known */
	bool	receiving;		/* what came in, not what goes out */
};

/* Whether an address on our link answers for its link address. */
enum rl_neigh { RL_NEIGH_UNKNOWN, RL_NEIGH_ALIVE, RL_NEIGH_DEAD };

struct rl_neighbour {
	struct rill_ip	ip;
	enum rl_neigh	state;
};

/* A connection that was asked by a keepalive probe. */
struct rl_probe {
	uint64_t	cookie;
	bool		answered;
};

/* What a socket was like when the watch began. */
struct rl_past {
	uint64_t cookie;		/* 0: an empty place of the hash */
	uint64_t bytes;			/* received and acknowledged */
	uint64_t acked, taken;		/* by the peer; by the program */
	uint32_t retrans, sent;		/* segments */
	uint32_t recv_q, send_q;
	uint8_t	 state;
};

struct rl_facts {
	enum rill_source source;
	const char	*stack;		/* "": the kernel */
	int		 pid;		/* of the stack */
	const struct rill_sock *sock;	/* TCP only */
	size_t		 n;
	int64_t		 ctr[FC_N];	/* since the start; -1: not known */
	int64_t		 grown[FC_N];	/* while watched */
	int64_t		 sysctl[FS_N];	/* -1: not known */
	const struct rl_program *program;	/* by pid */
	size_t		 nprogram;
	const struct rl_neighbour *neigh;
	size_t		 nneigh;
	const struct rl_device *device;
	size_t		 ndevice;
	int		 watched_ms;	/* 0: seen once, nothing is known of growth */
	const struct rl_past *past;	/* hash of @npast places, a power of two */
	size_t		 npast;
	const struct rl_probe *probe;	/* few */
	size_t		 nprobe;
};

const struct rl_program *rl_facts_program(const struct rl_facts *f, int pid);
enum rl_neigh rl_facts_neigh(const struct rl_facts *f, const struct rill_ip *ip);

/** NULL: it was not there, or there was no watch. */
const struct rl_past *rl_facts_past(const struct rl_facts *f, const struct rill_sock *s);

/** What the watch remembers of @s; for rl_facts_past(). */
void rl_facts_remember(struct rl_past *past, size_t npast, const struct rill_sock *s);

/** Payload that the program has not read: without the FIN that Linux counts. */
uint32_t rl_facts_unread(const struct rill_sock *s);

/** Received and acknowledged since the start; 0 without TCP_INFO. */
uint64_t rl_facts_bytes(const struct rill_sock *s);

#endif
