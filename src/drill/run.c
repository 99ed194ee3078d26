/* SPDX-License-Identifier: MIT */
/*
 * A script's run: one event after another, each at its time.  Time only moves
 * here, and in the calls made from here (rl_drill_world_until, _step), so that a
 * run is a function of the script and the seed.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/types.h"
#include "drill/flow.h"
#include "drill/run.h"

#define US_NS		1000
#define RECEIVE_LIMIT_US 2000000	/* section 3.5 */
#define TS_TICK_US	1000		/* of the stack's timestamp clock */
#define FOREVER_US	1000000000000	/* `*`: until nothing is left to happen */

/* ---- time and failure ---- */

int64_t rl_drill_now_us(const struct drill_run *r)
{
	return (rl_drill_world_now(r->w) - r->t0_ns) / US_NS;
}

static int64_t to_ns(const struct drill_run *r, int64_t us)
{
	return r->t0_ns + us * US_NS;
}

static void say(struct drill_run *r, const char *fmt, va_list ap)
{
	struct drill_result *res = r->res;
	int n = 0;

	if (r->use)
		n = snprintf(res->why, sizeof(res->why), "%s:%d: in fixture ", r->use->file,
			     r->use->line);
	n = RL_MIN(n, (int)sizeof(res->why) - 1);	/* a path may be long */
	if (r->ev)
		n += snprintf(res->why + n, sizeof(res->why) - (size_t)n, "%s:%d: ",
			      r->ev->file, r->ev->line);
	n = RL_MIN(n, (int)sizeof(res->why) - 1);
	vsnprintf(res->why + n, sizeof(res->why) - (size_t)n, fmt, ap);
}

int rl_drill_fail(struct drill_run *r, const char *fmt, ...)
{
	va_list ap;

	if (r->failed || r->skipped)
		return -1;
	r->failed = true;
	va_start(ap, fmt);
	say(r, fmt, ap);
	va_end(ap);
	return -1;
}

int rl_drill_skip(struct drill_run *r, const char *fmt, ...)
{
	va_list ap;

	if (r->failed || r->skipped)
		return -1;
	r->skipped = true;
	va_start(ap, fmt);
	say(r, fmt, ap);
	va_end(ap);
	return -1;
}

int64_t rl_drill_tolerance_us(const struct drill_run *r, int64_t span_us)
{
	double part = (double)span_us * r->cfg.tolerance_percent / 100.0;

	return RL_MAX(r->cfg.tolerance_us, (int64_t)part);
}

/* The end of the time in which the event may happen. */
static int64_t until_us(const struct drill_run *r)
{
	const struct drill_time *t = &r->ev->time;

	if (t->kind == DRILL_AT_RANGE)
		return t->until_us;
	if (t->kind == DRILL_AFTER_RANGE)
		return r->base_us + t->until_us;
	return r->due_us;
}

int rl_drill_check_time(struct drill_run *r, int64_t actual_us, const char *what)
{
	int64_t tol = rl_drill_tolerance_us(r, r->due_us - r->prev_us);
	int64_t last = until_us(r);
	char range[64] = "";

	if (r->ev->time.kind == DRILL_ANY_TIME ||
	    (actual_us >= r->due_us - tol && actual_us <= last + tol))
		return 0;
	if (last != r->due_us)
		snprintf(range, sizeof(range), "~%.6f", (double)last / 1e6);
	return rl_drill_fail(r, "%s %s: at %.6f, expected %.6f%s (tolerance %.6f)", what,
			     actual_us < r->due_us ? "too early" : "too late",
			     (double)actual_us / 1e6, (double)r->due_us / 1e6, range,
			     (double)tol / 1e6);
}

/* ---- what the stack does meanwhile ---- */

static void progress(void *run)
{
	struct drill_run *r = run;

	rl_drill_fiber_poll(r);
}

bool rl_drill_step(struct drill_run *r, int64_t limit_ns)
{
	if (!rl_drill_world_step(r->w, limit_ns))
		return false;
	if (++r->steps < DRILL_STEPS_MAX)
		return true;
	rl_drill_fail(r, "a timer of the stack never rests: %u expired until %.6f, and nothing "
		      "came of it", r->steps, (double)rl_drill_now_us(r) / 1e6);
	return false;
}

struct drill_live *rl_drill_next_live(struct drill_run *r)
{
	struct drill_live *l = rl_drill_world_take(r->w);
	int64_t limit_us = until_us(r) + RECEIVE_LIMIT_US;

	if (r->ev->time.kind == DRILL_ANY_TIME)
		limit_us = rl_drill_now_us(r) + FOREVER_US;
	while (!l && rl_drill_step(r, to_ns(r, limit_us)))
		l = rl_drill_world_take(r->w);
	if (!l && !r->failed && r->ev->time.kind != DRILL_ANY_TIME)
		rl_drill_world_until(r->w, to_ns(r, limit_us));	/* it has been waited */
	return l;
}

void rl_drill_note_packet(struct drill_run *r, const char *text)
{
	char *slot = r->history[r->nhistory++ % DRILL_HISTORY];

	snprintf(slot, sizeof(r->history[0]), "%s", text);
	r->res->packets++;
	if (r->cfg.trace)
		fprintf(r->cfg.trace, "%s\n", text);
}

/* ---- events ---- */

static bool is_packet(const struct drill_event *ev, bool in)
{
	return ev && ev->kind == DRILL_PACKET && ev->packet->in == in;
}

/* Section 3.2: a burst of inbound packets accumulates no delay. */
static void schedule(struct drill_run *r, const struct drill_event *before)
{
	const struct drill_event *ev = r->ev;
	bool burst = is_packet(ev, true) && is_packet(before, true);

	r->base_us = burst ? r->due_us : rl_drill_now_us(r);
	r->prev_us = before ? r->due_us : 0;
	r->steps = 0;
	switch (ev->time.kind) {
	case DRILL_AT:
	case DRILL_AT_RANGE:
		r->due_us = ev->time.us;
		break;
	case DRILL_AFTER:
	case DRILL_AFTER_RANGE:
		r->due_us = r->base_us + ev->time.us;
		break;
	case DRILL_ANY_TIME:
		r->due_us = rl_drill_now_us(r);
		break;
	}
}

/* An assertion sees what was due at its very moment, an input comes before that. */
static bool looks(const struct drill_event *ev)
{
	return ev->kind == DRILL_CODE || ev->kind == DRILL_DROP ||
	       ev->kind == DRILL_STATE || ev->kind == DRILL_HOLD ||
	       ev->kind == DRILL_QUIET;
}

static int wait_for_time(struct drill_run *r)
{
	int64_t due_ns = to_ns(r, r->due_us);

	while (rl_drill_step(r, looks(r->ev) ? due_ns : due_ns - 1))
		;
	if (r->failed)
		return -1;
	rl_drill_world_until(r->w, due_ns);
	return rl_drill_check_time(r, rl_drill_now_us(r), "event");
}

/* Packets and calls are shown with what became of them; one that waits also here. */
static void show(struct drill_run *r)
{
	bool waits = r->ev->kind == DRILL_CALL && r->ev->call->blocks;

	if (r->cfg.trace && r->ev->kind != DRILL_PACKET &&
	    (r->ev->kind != DRILL_CALL || waits))
		fprintf(r->cfg.trace, "%.6f %s\n", (double)rl_drill_now_us(r) / 1e6,
			r->ev->text);
}

static int act(struct drill_run *r)
{
	const struct drill_event *ev = r->ev;

	switch (ev->kind) {
	case DRILL_PACKET:
		rl_drill_drops_seen(r);
		return rl_drill_packet_in(r, ev->packet);
	case DRILL_CALL:
		return rl_drill_call(r, ev->call);
	case DRILL_COMMAND:
		return rl_drill_command(r, ev->word);
	case DRILL_CODE:
		return rl_drill_code(r, ev->word);
	case DRILL_DROP:
		return rl_drill_drop(r, ev->word);
	case DRILL_STATE:
		return rl_drill_state(r, ev->word);
	case DRILL_HOLD:
		return rl_drill_hold(r, ev->word);
	case DRILL_QUIET:
		return rl_drill_quiet(r);
	case DRILL_USE:
		break;
	}
	return 0;
}

static int run_event(struct drill_run *r, const struct drill_event *before)
{
	schedule(r, before);
	r->res->events++;
	if (is_packet(r->ev, false))
		return rl_drill_packet_out(r, r->ev->packet);
	if (wait_for_time(r) < 0)
		return -1;
	show(r);
	return act(r);
}

/* A call that waited may have failed in the midst of an event that went well. */
static int run_one(struct drill_run *r, const struct drill_event *ev,
		   const struct drill_event **before)
{
	int err;

	r->ev = ev;
	err = run_event(r, *before);
	*before = ev;
	return err < 0 || r->failed || r->skipped ? -1 : 0;
}

/* The events of a fixture, in the place of `use`; none of them is one itself. */
static int run_fixture(struct drill_run *r, struct drill_script *s,
		       const struct drill_event *use, const struct drill_event **before)
{
	const struct drill_event *ev;
	char why[256];
	int err = 0;

	r->ev = use;
	ev = rl_drill_fixture(r, s, use, why, sizeof(why));
	if (!ev)
		return rl_drill_fail(r, "%s", why);
	r->use = use;
	for (; ev && !err; ev = ev->next)
		err = run_one(r, ev, before);
	r->use = NULL;
	return err;
}

static int run_list(struct drill_run *r, struct drill_script *s)
{
	const struct drill_event *before = NULL;
	int err = 0;

	for (const struct drill_event *ev = s->events; ev && !err; ev = ev->next)
		err = ev->kind == DRILL_USE ? run_fixture(r, s, ev, &before) :
		      run_one(r, ev, &before);
	return err;
}

/* ---- beginning and end ---- */

static bool given(const char *const *set, const char *name)
{
	for (; set && *set; set++)
		if (!strcmp(*set, name))
			return true;
	return false;
}

/* A script that says what only Rill's scripts say is held to more. */
static void judge_dialect(struct drill_config *c, const struct drill_script *s,
			  const char *const *set)
{
	bool tolerance = given(set, "tolerance_usecs") || given(set, "tolerance_percent");
	bool tick = given(set, "tcp_ts_tick_usecs");

	for (const struct drill_event *ev = s->events; ev; ev = ev->next)
		c->exact |= ev->kind >= DRILL_DROP;
	for (const struct drill_option *o = s->options; o; o = o->next) {
		tolerance |= !strncmp(o->name, "tolerance_", 10);
		tick |= !strcmp(o->name, "tcp_ts_tick_usecs");
	}
	if (c->exact && !tolerance) {
		c->tolerance_us = 1;
		c->tolerance_percent = 0;
	}
	if (c->exact && !tick)
		c->ts_tick_us = TS_TICK_US;
}

static int configure(struct drill_run *r, const char *const *set)
{
	char why[256];
	int err;

	for (const struct drill_option *o = r->script->options; o; o = o->next) {
		if (given(set, o->name) || !strcmp(o->name, "define"))
			continue;
		err = rl_drill_config_set(&r->cfg, o->name, o->value, why, sizeof(why));
		if (err == -EOPNOTSUPP)
			return rl_drill_skip(r, "%s:%d: %s", r->script->file, o->line, why);
		r->broken = err < 0;
		if (err < 0)
			return rl_drill_fail(r, "%s:%d: %s", r->script->file, o->line, why);
	}
	if (r->cfg.verbose && !r->cfg.trace)
		r->cfg.trace = r->cfg.talk;
	judge_dialect(&r->cfg, r->script, set);
	err = rl_drill_config_finish(&r->cfg, why, sizeof(why));
	if (err == -EOPNOTSUPP)
		return rl_drill_skip(r, "%s: %s", r->script->file, why);
	if (err < 0) {
		r->broken = true;
		return rl_drill_fail(r, "%s: %s", r->script->file, why);
	}
	return 0;
}

static int open_world(struct drill_run *r)
{
	struct drill_world_params par = {
		.mtu = r->cfg.mtu, .seed = r->cfg.seed, .pcap = r->cfg.pcap,
		.wait = rl_drill_fiber_wait, .deadline = rl_drill_fiber_deadline,
		.progress = progress, .ctx = r,
	};
	int slot = rl_ip_is4(&r->cfg.local_ip) ? 0 : 1;
	char why[256];

	par.local[slot] = r->cfg.local_ip;
	par.prefix[slot] = r->cfg.local_prefix;
	if (rl_drill_world_open(&par, &r->w, why, sizeof(why)) < 0)
		return rl_drill_fail(r, "%s: %s", r->script->file, why);
	if (rl_drill_fiber_open(r) < 0 || rl_drill_flow_open(r) < 0 ||
	    rl_drill_calls_open(r) < 0 || rl_drill_code_open(r) < 0)
		return rl_drill_fail(r, "%s: no memory", r->script->file);
	r->t0_ns = rl_drill_world_now(r->w);
	return 0;
}

static void close_world(struct drill_run *r)
{
	if (!r->w)
		return;
	rl_drill_code_close(r);
	rl_drill_calls_close(r);
	rl_drill_world_close(r->w);
	rl_drill_flow_close(r);
	rl_drill_fiber_close(r);
}

/* The init and cleanup commands are events of their own lines. */
static int run_command(struct drill_run *r, const char *text, int line)
{
	struct drill_event ev = {
		.file = r->script->file, .line = line, .kind = DRILL_COMMAND, .word = text,
		.text = text, .time.kind = DRILL_AFTER,
	};
	int err;

	if (!text)
		return 0;
	r->ev = &ev;
	err = rl_drill_command(r, text);
	r->ev = NULL;
	return err;
}

/* What no line took, in a script that is held to it. */
static int check_unread(struct drill_run *r)
{
	return r->cfg.exact ? rl_drill_quiet(r) : 0;
}

static void run_events(struct drill_run *r, struct drill_script *s)
{
	bool cleanup = s->init != NULL;
	int ok;

	ok = run_command(r, s->init, s->init_line) == 0;
	r->t0_ns = rl_drill_world_now(r->w);
	ok = ok && run_list(r, s) == 0 && rl_drill_calls_finish(r) == 0 &&
	     check_unread(r) == 0;
	if (!ok)
		rl_drill_fail(r, "the event did not work");	/* unless it said why */
	if (ok || cleanup)
		run_command(r, s->cleanup, s->cleanup_line);
	if (ok && !r->failed && rl_drill_code_finish(r) == 0)
		rl_drill_flow_reset(r);
}

static int64_t real_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000ll + ts.tv_nsec / 1000;
}

static void run_script(struct drill_run *r, struct drill_script *s, const char *const *set)
{
	r->script = s;
	if (configure(r, set) < 0 || r->cfg.dry_run)
		return;
	if (open_world(r) == 0) {
		run_events(r, s);
		r->res->virtual_us = rl_drill_now_us(r);
	}
	close_world(r);
}

void rl_drill_run_text(const char *name, const char *text, size_t len,
		       const struct drill_config *cfg, const char *const *set,
		       const struct drill_define *defines, struct drill_result *res)
{
	static const char unsupported[] = "unsupported: ";
	struct drill_script s = { 0 };
	struct drill_run r = { .cfg = *cfg, .res = res };
	unsigned flags = (cfg->ipver == DRILL_IPV6 ? DRILL_PARSE_IPV6 : 0u) |
			 (given(set, "ip_version") ? DRILL_PARSE_FIXED : 0u);
	int64_t begin_us = real_us();

	memset(res, 0, sizeof(*res));
	if (rl_drill_parse(&s, name, text, len, defines, flags, res->why,
			   sizeof(res->why)) < 0) {
		res->verdict = !strncmp(res->why, unsupported, strlen(unsupported)) ?
			       DRILL_SKIPPED : DRILL_BROKEN;
	} else {
		run_script(&r, &s, set);
		res->verdict = r.broken ? DRILL_BROKEN : r.failed ? DRILL_FAILED :
			       r.skipped ? DRILL_SKIPPED : DRILL_PASSED;
	}
	rl_drill_script_free(&s);
	res->real_us = real_us() - begin_us;
}

static char *read_all(FILE *f, size_t *len)
{
	size_t cap = 0, n;
	char *buf = NULL, *more;

	*len = 0;
	do {
		if (*len == cap) {
			cap = cap ? cap * 2 : 16384;
			more = realloc(buf, cap);
			if (!more) {
				free(buf);
				return NULL;
			}
			buf = more;
		}
		n = fread(buf + *len, 1, cap - *len, f);
		*len += n;
	} while (n);
	return buf;
}

void rl_drill_run_file(const char *path, const struct drill_config *cfg,
		       const char *const *set, const struct drill_define *defines,
		       struct drill_result *res)
{
	FILE *f = fopen(path, "re");
	char *text = NULL;
	size_t len = 0;
	int err = errno;

	if (f) {
		errno = 0;
		text = read_all(f, &len);
		err = ferror(f) ? errno : ENOMEM;
		if (text && ferror(f)) {
			free(text);
			text = NULL;
		}
		fclose(f);
	}
	if (text) {
		rl_drill_run_text(path, text, len, cfg, set, defines, res);
		free(text);
		return;
	}
	memset(res, 0, sizeof(*res));
	res->verdict = DRILL_BROKEN;
	snprintf(res->why, sizeof(res->why), "%s: %s", path, strerror(err));
}
