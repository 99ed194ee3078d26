/* SPDX-License-Identifier: MIT */
/*
 * The laboratory's parts.  A scene is staged by one process, the stager, which is
 * number 1 of a pid namespace: when it ends, everything ends.  The "host" that is
 * looked at is one network namespace, its peers live in a second one; a veth, named
 * lab0 on both sides, joins them.  Programs of a scene are actors: forked children
 * that do what a word of bits says, which the stager may change at any time.
 */
#ifndef RL_TOOLS_LAB_H
#define RL_TOOLS_LAB_H

#include <jansson.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "rill/info.h"
#include "rill/stack.h"

#define LAB_HOST_IP	"10.88.0.1"
#define LAB_PEER_IP	"10.88.0.2"	/* 10.88.0.2 to .9 are the peers' */
#define LAB_GONE_IP	"10.88.0.3"	/* a peer that goes away in some scenes */
#define LAB_FAR_IP	"10.99.0.1"	/* behind the peer, which forwards nothing */
#define LAB_LIMIT_MS	30000		/* for every wait */
#define LAB_ACTORS	8
#define LAB_SYSCTLS	8

enum lab_side { LAB_HOST, LAB_PEER };
enum lab_on { LAB_ON_KERNEL = 1, LAB_ON_RILL = 2 };

/* What an actor does, until it is told otherwise. */
enum lab_does {
	DO_ACCEPT	= 1 << 0,
	DO_READ		= 1 << 1,
	DO_CLOSE	= 1 << 2,	/* at the end of file */
	DO_FILL		= 1 << 3,	/* send as much as goes */
	DO_CHAT		= 1 << 4,	/* a message every_ms */
	DO_ECHO		= 1 << 5,	/* send back what was read */
	DO_DROP		= 1 << 6,	/* close all connections, open no more */
	DO_SHORT	= 1 << 7,	/* close at once; a client connects anew */
	DO_KEEPALIVE	= 1 << 8,	/* SO_KEEPALIVE on new connections */
	DO_UDP		= 1 << 9,	/* datagrams: CHAT and ECHO only */
	DO_REOPEN	= 1 << 10,	/* close the listener and open it again */
	DO_STAY		= 1 << 11,	/* open no other for a connection that ended */
};

/* A program as it should be. */
#define DO_SERVE	(DO_ACCEPT | DO_READ | DO_CLOSE)
#define DO_ANSWER	(DO_SERVE | DO_ECHO)

struct lab_spec {
	const char	*name;		/* program's, 15 bytes at most */
	enum lab_side	 where;
	bool		 listens;
	const char	*addr;		/* to listen at (NULL: any) or to go to */
	uint16_t	 port;
	unsigned	 ports;		/* that many, from port; 0: 1 */
	unsigned	 does, cured;	/* enum lab_does; after SIGUSR1 */
	int		 backlog;	/* 0: 512 */
	unsigned	 nofile;	/* descriptors; 0: as many as allowed */
	unsigned	 want;		/* client: connections to keep */
	unsigned	 spread;	/* client: to addr, addr + 1 ..., that many; 0: 1 */
	unsigned	 rate;		/* client: connections a second at most; 0: any */
	const char	*from;		/* client: source address */
	unsigned	 chunk;		/* bytes a message; 0: 64 */
	unsigned	 every_ms;	/* between messages or tries; 0: 200 */
	int		 sndbuf, rcvbuf;
	bool		 no_gateway;	/* on Rill */
	void		(*run)(void);	/* instead of the sockets' loop */
};

/* What actor and stager share. */
struct lab_shared {
	_Atomic unsigned does, ready, accepted, connected, closed, failed;
	_Atomic int	 err;		/* errno of the last failure */
	_Atomic unsigned descriptors;	/* accept said EMFILE so often */
	_Atomic uint64_t in, out;	/* bytes */
	char		 why[160];	/* it can't go on */
};

struct lab_actor {
	const char	 *name;
	enum lab_side	  where;
	pid_t		  pid;		/* 0: was ended by us */
	struct lab_shared *sh;
};

struct lab {
	const struct lab_scene *scene;
	bool		 rill;		/* the programs on the host run on Rill */
	bool		 failed;	/* said already */
	int		 host_ns, peer_ns;	/* descriptors of network namespaces */
	struct lab_actor actor[LAB_ACTORS];
	unsigned	 nactors;
	char		 sysctl[LAB_SYSCTLS][80];	/* on Rill, of actors to come */
	unsigned	 nsysctls;
	json_t		*truth;
};

struct lab_scene {
	const char	*name, *cause, *row, *title;	/* cause "": healthy */
	unsigned	 on;				/* enum lab_on */
	const char	*other;				/* why not on both */
	const char	*text, *cure;
	void		(*stage)(struct lab *l);
};

/* lab_scenes.c */
const struct lab_scene *lab_scene_at(unsigned i);	/* NULL behind the last */
const struct lab_scene *lab_scene_named(const char *name);

/* lab_ns.c: namespaces.  Status as of the command behind it. */
struct lab_after {
	int	 hold_ms;		/* -1: not given */
	char	**argv;			/* NULL: none */
	bool	 json;
};
int lab_live(struct lab *l, const struct lab_after *after);

/* lab_stage.c: what scenes are made of.  After a failure all of these do nothing. */
void lab_fail(struct lab *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
struct lab_actor *lab_start(struct lab *l, const struct lab_spec *spec);
void lab_do(struct lab *l, struct lab_actor *a, unsigned does);
void lab_kill(struct lab *l, struct lab_actor *a);
/** Run a program with blanks between its arguments there. */
void lab_exec(struct lab *l, enum lab_side where, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/** Set a tunable; on Rill the host's hold for the actors started later. */
void lab_sysctl(struct lab *l, enum lab_side where, const char *name, const char *value);
/** Until a number of the actor's is @least or more. */
void lab_await(struct lab *l, _Atomic unsigned *number, unsigned least, const char *what);
/** "pid" and "program". */
void lab_truth_actor(struct lab *l, const struct lab_actor *a);
void lab_truth_int(struct lab *l, const char *key, int64_t v);
void lab_truth_str(struct lab *l, const char *key, const char *v);
void lab_enter(struct lab *l, enum lab_side where);
int64_t lab_now_ms(void);
void lab_nap(int ms);

/* lab_see.c: what the kernel or the stacks say. */
struct lab_match {
	enum lab_side	 where;
	int		 state;		/* enum rill_tcp_state; 0: any */
	unsigned	 lport, pport;	/* 0: any */
};
struct lab_seen {
	unsigned	 n;
	uint64_t	 recv_q, send_q;	/* sums */
	unsigned	 tried;		/* how many sent something 3 times or more in vain */
};
void lab_see(struct lab *l, const struct lab_match *m, struct lab_seen *seen);
/** Until at least @least match, and at most @most (0: @least); the truth gets the
 * state and the count. */
void lab_expect(struct lab *l, struct lab_match m, unsigned least, unsigned most);
/** Until the sum of their receive queues (a listener's: who waits) is that. */
void lab_expect_queue(struct lab *l, struct lab_match m, uint64_t least);
/** Until @least of them sent in vain. */
void lab_expect_tried(struct lab *l, struct lab_match m, unsigned least);
/** Until the counter has at least that: the kernel's name, and the stack's. */
void lab_expect_counter(struct lab *l, const char *kernel, const char *rill, int64_t least);
/** The sum of their queues, once it has stopped to grow. */
void lab_settle(struct lab *l, struct lab_match m, struct lab_seen *seen);

/* lab_actor.c: in the actor's process. */
void lab_actor_run(const struct lab_spec *spec, struct lab_shared *sh) __attribute__((noreturn));
/** It can't go on. */
void lab_actor_quit(struct lab_shared *sh, const char *fmt, ...)
	__attribute__((noreturn, format(printf, 2, 3)));

/* lab_sock.c: sockets of the kernel, or of this process's stack.  -errno. */
bool lab_sock_open(struct lab *l, const struct lab_spec *spec, char *why, size_t n);
int lab_socket(bool udp);
int lab_bind(int fd, const char *ip, unsigned port);
int lab_listen(int fd, int backlog);
int lab_connect(int fd, uint32_t ip, unsigned port);	/* ip: host's byte order */
int lab_accept(int fd);
ssize_t lab_read(int fd, void *buf, size_t n);
ssize_t lab_write(int fd, const void *buf, size_t n);
ssize_t lab_answer(int fd, void *buf, size_t n);	/* a datagram back to its sender */
int lab_close(int fd);
int lab_error(int fd);					/* SO_ERROR */
int lab_setopt(int fd, int level, int name, int value);
struct pollfd;
int lab_poll(struct pollfd *p, unsigned n, int ms);

/* lab_raw.c */
void lab_flood(void);				/* SYNs with forged sources, to port 9000 */

#define SCENE(id, name, cause, on, other, text, cure)	void lab_stage_##id(struct lab *l);
#include "tools/lab_scenes.def"
#undef SCENE

#endif
