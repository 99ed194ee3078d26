/* SPDX-License-Identifier: MIT */
/* Finding running stacks and asking them, over the sockets of run/ctl.h. */
#ifndef RL_LOOK_CTLC_H
#define RL_LOOK_CTLC_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define CTLC_STACKS_MAX	256

struct ctl_stack {
	FILE		*f;		/* replies */
	int		fd;		/* requests */
	long		pid;
	char		name[64];
	json_t		*hello;
};

/* Which ones: all, or those of one process, or of one name. */
struct ctl_select {
	long		pid;		/* 0: any */
	const char	*name;		/* NULL: any */
};

struct ctl_stacks {
	struct ctl_stack list[CTLC_STACKS_MAX];
	unsigned	n;
	unsigned	silent;		/* complained about already */
};

/**
 * Connect to all that match; sockets of dead processes are removed.  Stacks that
 * don't answer are complained about and left out.  @s->n is 0 when none runs.
 */
void ctlc_open(struct ctl_stacks *s, const struct ctl_select *sel);
void ctlc_close(struct ctl_stacks *s);

/** ctlc_open() found nothing: one line, unless there was one. */
void ctlc_complain_none(const struct ctl_stacks *s, const struct ctl_select *sel);

/** Whether there may be stacks of root's, which are root's alone to see. */
bool ctlc_hidden(void);

/** @req is taken over.  Return: the reply, or NULL after a complaint. */
json_t *ctlc_ask(struct ctl_stack *st, json_t *req);

/** The same without a complaint when the stack says no: its errno in @err, which
 * stays as it is when there was no reply. */
json_t *ctlc_ask_errno(struct ctl_stack *st, json_t *req, int *err);

/** Request "conns": @each is called with every connection.  Return: success. */
bool ctlc_conns(struct ctl_stack *st, uint32_t states, bool info,
		void (*each)(void *ctx, struct ctl_stack *st, json_t *conn), void *ctx);

/* Members of a JSON object; 0, false or "" when they are missing. */
int64_t ctlc_int(const json_t *o, const char *key);
const char *ctlc_str(const json_t *o, const char *key);
bool ctlc_true(const json_t *o, const char *key);

/** "name[pid]" */
const char *ctlc_label(const struct ctl_stack *st, char *buf, size_t n);

#endif
