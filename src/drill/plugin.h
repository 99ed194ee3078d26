/* SPDX-License-Identifier: MIT */
/*
 * The plug-in for the original packetdrill, as its files share it.
 *
 * plugin.c		the table of calls
 * clock_plugin.c	virtual time, calls that wait, packets in and out
 * fds_plugin.c		descriptors, pipes and splice
 * flags_plugin.c	the text of --so_flags
 * preload-plugin.c	a library of its own: getsockopt() for code blocks
 */
#ifndef RL_DRILL_PLUGIN_H
#define RL_DRILL_PLUGIN_H

#include <pthread.h>
#include <sys/time.h>

#include "drill/world.h"

#define DRILL_PLUG_FDS		4096	/* kernel descriptors that can stand for ours */
#define DRILL_PLUG_SYSCTLS	64

struct drill_plug_flags {
	struct drill_world_params par;
	unsigned	mss;		/* inbound packets above are super-segments */
	int64_t		patience_ns;	/* how far netdev_receive() looks ahead */
	char		*text;		/* cut up: the strings below point into it */
	struct { const char *name, *value; } sysctl[DRILL_PLUG_SYSCTLS];
	unsigned	nsysctls;
};

struct drill_plug_sleeper;

/* One script's run: from packetdrill_interface_init() to free(). */
struct drill_plug {
	pthread_mutex_t	lock;		/* all of this, and the world */
	pthread_cond_t	cond;
	pthread_t	main;		/* the thread that moves time */
	struct drill_plug_flags flags;
	struct drill_world *w;		/* NULL: the flags were wrong */
	int64_t		lost_ns;	/* time when there is no world */

	struct drill_plug_sleeper *sleepers;
	bool		held;		/* the clock stands until @holder has read it */
	pthread_t	holder;
	bool		closing;
	unsigned	inside;		/* calls under way */

	int		live[DRILL_PLUG_FDS];	/* kernel's number -> ours, 0: none */
};

/* ---- clock_plugin.c ---- */

/** Begin and end a call: everything between is under the lock. */
void rl_drill_plug_enter(struct drill_plug *p);
/** @r: result or -errno.  Return: the same as POSIX has it, with errno. */
int64_t rl_drill_plug_leave(struct drill_plug *p, int64_t r);

/** Let all calls that wait return, and wait until they did: false: one did not. */
bool rl_drill_plug_drain(struct drill_plug *p);

/** world.h's wait and deadline. */
int rl_drill_plug_wait(void *plug, struct rl_waiter *w, int64_t until_ns);
/** rill_poll() of none of ours: without an engine it would wait in real time. */
int rl_drill_plug_poll_kernel(struct drill_plug *p, struct pollfd *fds, nfds_t n,
			      int timeout_ms);
int64_t rl_drill_plug_deadline(void *plug);

/* Slots 24 to 27 of the table. */
int rl_drill_plug_netdev_send(void *plug, const void *ip, size_t len);
int rl_drill_plug_netdev_receive(void *plug, void *buf, size_t *len, long long *at_us);
int rl_drill_plug_usleep(void *plug, useconds_t us);
int rl_drill_plug_gettimeofday(void *plug, struct timeval *tv, struct timezone *tz);

/* ---- fds_plugin.c ---- */

/** Rill's descriptor behind @fd; another one of the kernel's is itself; -1: none. */
int rl_drill_plug_live(const struct drill_plug *p, int fd);

/** A call on @fd is the kernel's. */
bool rl_drill_plug_kernels(struct drill_plug *p, int fd);

/** A kernel descriptor that stands for @live, which is closed after a failure. */
int rl_drill_plug_show(struct drill_plug *p, int live);
/** @fd stands for nothing any more; what it stood for. */
int rl_drill_plug_hide(struct drill_plug *p, int fd);

/* Slots 31 and 32. */
int rl_drill_plug_pipe(void *plug, int fds[2]);
int rl_drill_plug_splice(void *plug, int in, loff_t *off_in, int out, loff_t *off_out,
			 size_t len, unsigned flags);

/* ---- flags_plugin.c ---- */

/** @text may be NULL.  0 or -errno with a line in @why; free @f->text either way. */
int rl_drill_plug_flags(const char *text, struct drill_plug_flags *f, char *why,
			size_t why_len);
/** The sysctls of the flags. */
int rl_drill_plug_apply(const struct drill_plug_flags *f, struct rill_stack *st, char *why,
			size_t why_len);

#endif
