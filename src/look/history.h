/* SPDX-License-Identifier: MIT */
/*
 * Connections that ended, as JSON: what a stack answers to "history" (one a line),
 * and what `rill monitor --history FILE` writes about the kernel's, one object a line.
 * `rill history` reads both; HIST_FILE in a directory of rl_ctl_dir() without being
 * told to.
 *
 *	{"source":"kernel","id":"1f","local":"10.0.0.1","lport":40000,
 *	 "peer":"10.0.0.2","pport":80,"pid":1234,"comm":"curl",
 *	 "n":7,"opened_us":1700000000000000,"ended_us":1700000001000000,
 *	 "opened":"local","closed_first":"peer","end":"fin","state":"LAST-ACK",
 *	 ...the rest of rill/history.def...,
 *	 "in_us":{"SYN-SENT":200,"ESTABLISHED":999000,"CLOSE-WAIT":500,"LAST-ACK":300}}
 *
 * "source" is "rill" or "kernel"; "id" the stack's id or the kernel's cookie, in hex.
 * A member that is missing is not known: a number is -1 then, a name "".  States in
 * which it never was are missing in "in_us".
 */
#ifndef RL_LOOK_HISTORY_H
#define RL_LOOK_HISTORY_H

#include <jansson.h>

#include "look/filter.h"
#include "rill/stack.h"

#define HIST_FILE	"history.jsonl"

#define HIST_WORD	20		/* longest name, with its end */

struct hist_rec {
	bool		kernel;
	uint64_t	id;
	char		stack[64], comm[32];
	int64_t		pid;		/* the stack's, or the program's; 0: not known */
	struct filter_subject at;	/* addresses, IPv4 mapped, and ports */
#define HIST(type, name, unit, help)	int64_t name;
#define HIST_NAME(name, names, help)	char name[HIST_WORD];
#include "rill/history.def"
#undef HIST
#undef HIST_NAME
	int64_t		in_us[RILL_TCP_STATES];	/* -1: never there, or not known */
};

/** A record in which nothing is known. */
void hist_init(struct hist_rec *r);

/** As JSON; members that are not known are left out.  NULL: no memory. */
json_t *hist_json(const struct hist_rec *r);

/** The other way.  Return: false when it has no addresses. */
bool hist_parse(const json_t *o, struct hist_rec *r);

/** How long it lasted, TIME-WAIT not included; -1: not known. */
int64_t hist_lasted_us(const struct hist_rec *r);

#endif
