/* SPDX-License-Identifier: MIT */
/*
 * Rill's own lines in a script: what the stack thinks, beside what it sends.
 * `drop` and `hold` take the names of obs/drops.def and holds.def.
 */
#include <ctype.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/types.h"
#include "drill/flow.h"
#include "drill/run.h"
#include "obs/obs.h"

/* Names differ in case and in what separates words: FIN_WAIT_1, fin-wait1. */
static bool same_name(const char *a, const char *b)
{
	for (;; a++, b++) {
		while (*a == '-' || *a == '_')
			a++;
		while (*b == '-' || *b == '_')
			b++;
		if (toupper((unsigned char)*a) != toupper((unsigned char)*b))
			return false;
		if (!*a)
			return true;
	}
}

static void list(FILE *f, const char *title, const char *(*name)(int), int n)
{
	int col = 72;

	fprintf(f, "\n%s:", title);
	for (int i = 0; i < n; i++) {
		if (col + strlen(name(i)) + 1 > 72)
			col = fprintf(f, "\n ") - 1;
		col += fprintf(f, " %s", name(i));
	}
	fprintf(f, "\n");
}

void rl_drill_reason_list(FILE *f)
{
	list(f, "Reasons of `drop` (rill stats counts them)", rill_drop_name, RL_DROP_N);
	list(f, "Reasons of `hold`", rill_hold_name, RL_HOLD_N);
}

/* ---- drop ---- */

static int find_drop(const char *name)
{
	for (int i = 0; i < RL_DROP_N; i++)
		if (same_name(rill_drop_name(i), name))
			return i;
	return -1;
}

/* Behind the counters; NONE is no reason. */
static void count_drops(const struct drill_run *r, uint64_t n[RL_DROP_N])
{
	const struct rill_stack *st = rl_drill_world_stack(r->w);
	struct rill_named_u64 c;

	for (unsigned i = RL_DROP_NONE + 1; i < RL_DROP_N; i++)
		if (rill_stack_counter(st, CTR_N + i - 1, &c))
			n[i] = c.value;
}

void rl_drill_drops_seen(struct drill_run *r)
{
	count_drops(r, r->drops);
}

int rl_drill_drop(struct drill_run *r, const char *name)
{
	int want = find_drop(name);
	uint64_t now[RL_DROP_N] = { 0 };
	char had[256] = "";
	size_t len = 0;

	if (want < 0)
		return rl_drill_fail(r, "drop %s: there is no such reason; `rill drill "
				     "--fixtures` lists them", name);
	count_drops(r, now);
	if (now[want] > r->drops[want])
		return 0;
	for (int i = 0; i < RL_DROP_N && len < sizeof(had); i++)
		if (now[i] > r->drops[i])
			len += (size_t)snprintf(had + len, sizeof(had) - len, "%s%s",
						len ? ", " : "", rill_drop_name(i));
	return rl_drill_fail(r, "drop %s: since the last inbound packet the stack dropped %s%s",
			     rill_drop_name(want), had[0] ? "for another reason: " : "nothing",
			     had);
}

/* ---- the connection under test ---- */

/* Its endpoint, or only its listener. */
static bool find_conn(struct drill_run *r, struct rill_conn *out, bool *listener)
{
	struct rill_stack *st = rl_drill_world_stack(r->w);
	struct rill_conn c[16];
	uint64_t cursor = 0;
	int n;

	*listener = false;
	while ((n = rill_stack_conns(st, &cursor, c, (int)ARRAY_LEN(c))) > 0) {
		for (int i = 0; i < n; i++) {
			if (c[i].proto != IPPROTO_TCP || c[i].local.port != r->flow->local.port)
				continue;
			*listener |= c[i].state == RILL_LISTEN;
			if (rl_drill_same_end(&c[i].peer, &r->flow->remote) &&
			    rl_ip_eq(&c[i].local.ip, &r->flow->local.ip)) {
				*out = c[i];
				return true;
			}
		}
	}
	return false;
}

static const struct { const char *name; int state; } aliases[] = {
	{ "CLOSE", RILL_CLOSE }, { "UNCONN", RILL_CLOSE }, { "SYN_RECV", RILL_SYN_RECV },
	{ "ESTAB", RILL_ESTABLISHED }, { "SYN_RCVD", RILL_SYN_RECV },
};

static int find_state(const char *name)
{
	for (int i = 1; i < RILL_TCP_STATES; i++)
		if (same_name(rill_state_name(i), name))
			return i;
	for (size_t i = 0; i < ARRAY_LEN(aliases); i++)
		if (same_name(aliases[i].name, name))
			return aliases[i].state;
	return -1;
}

/* Nothing would be CLOSED for ever. */
static int need_tcp(struct drill_run *r, const char *line, const char *name)
{
	if (r->flow->state != DRILL_FLOW_NONE && r->flow->proto == IPPROTO_TCP)
		return 0;
	return rl_drill_fail(r, "%s %s: there has been no TCP socket or packet", line, name);
}

/*
 * A connection that is gone is CLOSED; where its listener is left, it may as
 * well be said to be back in LISTEN.
 */
int rl_drill_state(struct drill_run *r, const char *name)
{
	int want = find_state(name), is = RILL_CLOSE;
	struct rill_conn c;
	bool listener;

	if (want < 0)
		return rl_drill_fail(r, "state %s: there is no such state", name);
	if (need_tcp(r, "state", name) < 0)
		return -1;
	if (find_conn(r, &c, &listener))
		is = c.state;
	else if (listener && want == RILL_LISTEN)
		return 0;
	if (is == want)
		return 0;
	return rl_drill_fail(r, "state %s: it is %s", rill_state_name(want),
			     rill_state_name(is));
}

int rl_drill_hold(struct drill_run *r, const char *name)
{
	struct rill_conn c;
	bool listener;
	int want = -1;

	for (int i = 0; i < RL_HOLD_N; i++)
		if (same_name(rill_hold_name(i), name))
			want = i;
	if (want < 0)
		return rl_drill_fail(r, "hold %s: there is no such reason; `rill drill "
				     "--fixtures` lists them", name);
	if (!find_conn(r, &c, &listener))
		return rl_drill_fail(r, "hold %s: there is no connection", name);
	if (c.hold == want)
		return 0;
	return rl_drill_fail(r, "hold %s: it is %s", rill_hold_name(want),
			     rill_hold_name(c.hold));
}

/* ---- quiet ---- */

int rl_drill_unexpected(struct drill_run *r, const struct drill_live *l)
{
	char text[256];

	if (!rl_drill_is_ours(r, l))
		return 0;
	rl_drill_live_text(r, l, text, sizeof(text));
	return rl_drill_fail(r, "unexpected packet: %.6f %s",
			     (double)((l->at_ns - r->t0_ns) / 1000) / 1e6, text);
}

int rl_drill_quiet(struct drill_run *r)
{
	struct drill_live *l;
	int err = 0;

	while (err == 0 && (l = rl_drill_world_take(r->w))) {
		err = rl_drill_unexpected(r, l);
		free(l);
	}
	return err;
}
