/* SPDX-License-Identifier: MIT */
/*
 * A script's run, as the files of drill/ share it.
 *
 * run.c	the loop over the events, time and its tolerance, the end
 * setup.c	options of the script and the command line into struct drill_config
 * flow.c	the socket under test; script values <-> live values
 * packet_in.c	script packet -> bytes -> stack
 * packet_out.c	live packets -> compare with the script's; packet_text.c shows both
 * call.c	system calls; args.c their arguments, symbols.c the constants
 * fiber.c	a call that waits while the script goes on
 * command.c	`...`: commands; words.c their words, tunable.c the sysctls
 * code.c	%{ ... }%: TCP_INFO and the blocks; code_*.c the evaluator (code.h)
 * assert.c	drop, state, hold, quiet	fixture.c  use
 */
#ifndef RL_DRILL_RUN_H
#define RL_DRILL_RUN_H

#include <stdio.h>

#include "drill/ast.h"
#include "drill/world.h"
#include "obs/obs.h"

/* ---- configuration ---- */

enum drill_ipver { DRILL_IPV4, DRILL_IPV6, DRILL_MAPPED };

struct drill_config {			/* defaults in setup.c */
	enum drill_ipver ipver;
	struct rill_ip	local_ip, remote_ip;
	unsigned	local_prefix;	/* of the interface's network */
	uint16_t	bind_port, connect_port;
	unsigned	mtu, mss;
	int64_t		tolerance_us;
	double		tolerance_percent;
	int64_t		ts_tick_us;
	bool		ts_ecr_scaled, strict_segments, anyip, dry_run, verbose;
	bool		non_fatal_packet, non_fatal_syscall;
	bool		exact;		/* the script is in our dialect: unread packets fail */
	bool		allow_shell;
	const char	*init_scripts;	/* host commands, comma between them; or NULL */
	uint64_t	seed;
	const char	*pcap;		/* file to write, or NULL */
	FILE		*trace;		/* -v: where packets and calls are shown; or NULL */
	FILE		*talk;		/* where, if only the script says --verbose; or NULL */
};

/**
 * One option as in section 2.1 of the language, `--name=value` without the dashes.
 * Return: 0; -EINVAL with a line in @why; -EOPNOTSUPP: known and not supported
 * here (@why names it): the script is skipped.
 */
int rl_drill_config_set(struct drill_config *c, const char *name, const char *value,
			char *why, size_t why_len);
void rl_drill_config_init(struct drill_config *c);
/**
 * When all options are set, once a run: check them against each other, fill in
 * what is still unset (addresses, from the seed), run init_scripts.
 * Return: 0; -EINVAL or -EOPNOTSUPP, as rl_drill_config_set().
 */
int rl_drill_config_finish(struct drill_config *c, char *why, size_t why_len);

/** What is chosen by the seed: all bits of the result depend on all of @x's. */
uint64_t rl_drill_mixed(uint64_t x);

/* ---- one run ---- */

enum drill_verdict { DRILL_PASSED, DRILL_FAILED, DRILL_SKIPPED, DRILL_BROKEN /* not parsed */ };

struct drill_result {
	enum drill_verdict verdict;
	char		why[4096];	/* FILE:LINE: ..., several lines possible; "" when passed */
	int64_t		virtual_us, real_us;
	unsigned	events, packets;
};

/**
 * rl_drill_run_file() - parse and run one script
 * @cfg:	from the command line; the script's own options come under it
 * @set:	names of options that the command line gave, which win (NULL-ended)
 *
 * Never fails otherwise than by the verdict.
 */
void rl_drill_run_file(const char *path, const struct drill_config *cfg,
		       const char *const *set, const struct drill_define *defines,
		       struct drill_result *res);
void rl_drill_run_text(const char *name, const char *text, size_t len,
		       const struct drill_config *cfg, const char *const *set,
		       const struct drill_define *defines, struct drill_result *res);

/* ---- inside of a run ---- */

struct drill_flow;			/* flow.h */
struct drill_calls;			/* call.c */
struct drill_code;			/* code.c */
struct drill_fiber;			/* fiber.c */

#define DRILL_HISTORY	8

struct drill_run {
	struct drill_config cfg;
	const struct drill_script *script;
	struct drill_world *w;
	struct drill_flow  *flow;
	struct drill_calls *calls;
	struct drill_code  *code;
	struct drill_fiber *fiber;
	struct drill_result *res;
	const struct drill_event *ev;	/* the one that runs */
	const struct drill_event *use;	/* the line whose fixture it is from, or NULL */

	int64_t		t0_ns;		/* the script's time 0 */
	int64_t		base_us;	/* what the event's time is relative to */
	int64_t		prev_us;	/* time of the event before, for the tolerance */
	int64_t		due_us;		/* scheduled time of the event */
	unsigned	steps;		/* deadlines since it was scheduled */
	bool		failed, skipped;
	bool		broken;		/* failed, since it could not be understood */

	/* of each drop reason, counted before the last inbound packet */
	uint64_t	drops[RL_DROP_N];

	/* the last packets, as text, for messages */
	char		history[DRILL_HISTORY][200];
	unsigned	nhistory;
};

/** Script time now, in us. */
int64_t rl_drill_now_us(const struct drill_run *r);

/**
 * The first failure counts.  The message begins with the event's FILE:LINE, which
 * this adds.  Return: -1.
 */
int rl_drill_fail(struct drill_run *r, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/** The script needs something that is not supported: name it.  Return: -1. */
int rl_drill_skip(struct drill_run *r, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/**
 * Compare a time with the event's, with the tolerance of section 3.4.
 * @what: "packet", "call returned".  Return: 0 or -1 (failed).
 */
int rl_drill_check_time(struct drill_run *r, int64_t actual_us, const char *what);

/** The tolerance in us for something that took @span_us. */
int64_t rl_drill_tolerance_us(const struct drill_run *r, int64_t span_us);

/**
 * The next packet that left the stack, letting time pass until there is one or the
 * receive limit of the event (section 3.5) is reached: NULL, and nothing is failed.
 */
struct drill_live *rl_drill_next_live(struct drill_run *r);

/**
 * The next thing that happens by itself, if it is not after @limit_ns.  Return:
 * whether something did; a timer that never rests ends in a failure.
 */
bool rl_drill_step(struct drill_run *r, int64_t limit_ns);

/** Keep a line of text for "the last packets", and print it with -v. */
void rl_drill_note_packet(struct drill_run *r, const char *text);

/* Events, each 0 or -1 after rl_drill_fail() or rl_drill_skip(). */
int rl_drill_packet_in(struct drill_run *r, const struct drill_packet *p);	/* at due_us */
int rl_drill_packet_out(struct drill_run *r, const struct drill_packet *p);	/* time too */
int rl_drill_call(struct drill_run *r, const struct drill_call *c);
int rl_drill_command(struct drill_run *r, const char *text);
int rl_drill_code(struct drill_run *r, const char *text);
/** Parse a block without its values: 0, or -1 with "line N: ..." in @why. */
int rl_drill_code_check(const char *text, size_t len, char *why, size_t why_len);
/** What was dropped up to now is no longer new. */
void rl_drill_drops_seen(struct drill_run *r);
int rl_drill_drop(struct drill_run *r, const char *name);
int rl_drill_state(struct drill_run *r, const char *name);
int rl_drill_hold(struct drill_run *r, const char *name);
int rl_drill_quiet(struct drill_run *r);
/** A packet that no line took: -1 (failed) if it is the socket under test's. */
int rl_drill_unexpected(struct drill_run *r, const struct drill_live *l);

/**
 * Events of a fixture, in @s's arena; NULL with a line in @why.  The last one's
 * next is NULL.
 */
struct drill_event *rl_drill_fixture(const struct drill_run *r, struct drill_script *s,
				     const struct drill_event *use,
				     char *why, size_t why_len);
/** Names and help for --fixtures. */
void rl_drill_fixture_list(FILE *f);
void rl_drill_reason_list(FILE *f);	/* of drop and hold */

/** Whether a packet that left is the socket under test's (section 4.3). */
bool rl_drill_is_ours(struct drill_run *r, const struct drill_live *l);
/** The same packet as a script would write it. */
void rl_drill_live_text(const struct drill_run *r, const struct drill_live *l, char *buf,
			size_t n);

/* ---- calls and code: made and freed with the run ---- */

int rl_drill_calls_open(struct drill_run *r);
/** A call that is still pending at the end: 0, or -1 after rl_drill_fail(). */
int rl_drill_calls_finish(struct drill_run *r);
void rl_drill_calls_close(struct drill_run *r);

/** The live descriptor of script descriptor @fd, or -1. */
int rl_drill_live_fd(const struct drill_run *r, int64_t fd);

/** The live descriptor of the socket under test (the last socket() or accept()), or -1. */
int rl_drill_test_fd(const struct drill_run *r);

int rl_drill_code_open(struct drill_run *r);
/** The blocks are judged here, after the cleanup command: 0, or -1 (failed). */
int rl_drill_code_finish(struct drill_run *r);
void rl_drill_code_close(struct drill_run *r);

/* ---- fiber.c: one call that waits ---- */

/**
 * Run @fn(@arg) on a stack of its own until it returns or waits for the socket
 * layer; then go on here.  One at a time.
 */
int rl_drill_fiber_start(struct drill_run *r, void (*fn)(void *), void *arg);
/** True while it waits. */
bool rl_drill_fiber_pending(const struct drill_run *r);
/** Resume it if what it waits for came, or its time passed. */
void rl_drill_fiber_poll(struct drill_run *r);
/** The world's wait callback; -EINTR outside of a fiber: sets r->would_block. */
int rl_drill_fiber_wait(void *run, struct rl_waiter *w, int64_t until_ns);
/** When what it waits for gives up; INT64_MAX. */
int64_t rl_drill_fiber_deadline(void *run);
/** Whether a call outside of a fiber had to wait since this was last asked. */
bool rl_drill_fiber_blocked(struct drill_run *r);
int rl_drill_fiber_open(struct drill_run *r);
void rl_drill_fiber_close(struct drill_run *r);

#endif
