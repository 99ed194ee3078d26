/* SPDX-License-Identifier: MIT */
/*
 * %{ ... }% blocks: section 11 of the language.  At its time a block is parsed and
 * what it may ask for is measured; judged are all of them at the end, in order and
 * with one name space, so that a block can use what an earlier one kept.
 *
 * print() goes to the trace of -v, otherwise to stderr: stdout is for results.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/types.h"
#include "drill/code.h"
#include "drill/run.h"

#define OPT_TCP_INFO	11
#define OPT_SO_MEMINFO	55

struct block {
	struct block	*next;
	const struct drill_event *ev, *use;
	struct code_stmt *stmts;
	struct code_snapshot seen;
};

struct drill_code {
	struct drill_arena a;
	struct block	*blocks, **tail;
};

int rl_drill_code_open(struct drill_run *r)
{
	r->code = calloc(1, sizeof(*r->code));
	if (!r->code)
		return -1;
	r->code->tail = &r->code->blocks;
	return 0;
}

void rl_drill_code_close(struct drill_run *r)
{
	if (!r->code)
		return;
	rl_drill_free_all(&r->code->a);
	free(r->code);
	r->code = NULL;
}

static int measure(struct drill_run *r, struct code_snapshot *s)
{
	int fd = rl_drill_test_fd(r), err;
	socklen_t len = sizeof(*s->info);

	if (fd < 0)
		return rl_drill_fail(r, "no TCP_INFO: there is no socket under test");
	s->info = rl_drill_alloc(&r->code->a, sizeof(*s->info));
	err = rill_getsockopt(fd, IPPROTO_TCP, OPT_TCP_INFO, s->info, &len);
	if (err < 0)
		return rl_drill_fail(r, "no TCP_INFO: %s", strerror(-err));
	len = sizeof(s->mem);
	s->has_mem = rill_getsockopt(fd, SOL_SOCKET, OPT_SO_MEMINFO, s->mem, &len) == 0 &&
		     len == sizeof(s->mem);
	return 0;
}

/* FILE:LINE of the message are the statement's own. */
static int fail_at(struct drill_run *r, int line, bool lacks, const char *why)
{
	struct drill_event ev = *r->ev;
	const struct drill_event *saved = r->ev;

	ev.line += line;
	r->ev = &ev;
	if (lacks)
		rl_drill_skip(r, "%s", why);
	else
		rl_drill_fail(r, "%s", why);
	r->ev = saved;
	return -1;
}

int rl_drill_code(struct drill_run *r, const char *text)
{
	struct block *b = rl_drill_alloc(&r->code->a, sizeof(*b));
	char why[DRILL_CODE_WHY], *rest;
	long line;

	b->ev = r->ev;
	b->use = r->use;
	if (rl_drill_code_parse(&r->code->a, text, strlen(text), &b->stmts, why,
				sizeof(why)) < 0) {
		line = strtol(why + strlen("line "), &rest, 10);
		return fail_at(r, (int)line - 1, false, rest + strlen(": "));
	}
	if (measure(r, &b->seen) < 0)
		return -1;
	*r->code->tail = b;
	r->code->tail = &b->next;
	return 0;
}

/* Each block begins by measuring anew: what the code put there is gone. */
static void forget_measured(struct code_env *e)
{
	struct code_var **at = &e->vars;

	while (*at)
		if (rl_drill_code_is_measured((*at)->name))
			*at = (*at)->next;
		else
			at = &(*at)->next;
}

static int judge(struct drill_run *r, struct code_env *e, struct block *b)
{
	const struct drill_event *ev = r->ev, *use = r->use;
	int err;

	r->ev = b->ev;
	r->use = b->use;
	e->ctx = &b->seen;
	forget_measured(e);
	err = rl_drill_code_exec(e, b->stmts);
	if (err < 0)
		fail_at(r, e->line, e->lacks, e->why);
	r->ev = ev;
	r->use = use;
	return err;
}

int rl_drill_code_finish(struct drill_run *r)
{
	struct code_env *e;

	if (!r->code || !r->code->blocks)
		return 0;
	e = rl_drill_alloc(&r->code->a, sizeof(*e));
	e->a = &r->code->a;
	e->lookup = rl_drill_code_lookup;
	e->out = r->cfg.trace ? r->cfg.trace : stderr;
	for (struct block *b = r->code->blocks; b; b = b->next)
		if (judge(r, e, b) < 0)
			return -1;
	return 0;
}

int rl_drill_code_check(const char *text, size_t len, char *why, size_t why_len)
{
	struct drill_arena a = { NULL };
	struct code_stmt *s;
	int r = rl_drill_code_parse(&a, text, len, &s, why, why_len);

	rl_drill_free_all(&a);
	return r;
}
