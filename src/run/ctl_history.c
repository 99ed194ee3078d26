/* SPDX-License-Identifier: MIT */
/*
 * "history": connections that ended, the oldest first, those behind number "after",
 * at most "max".  One a line, in the form of look/history.h; made in steps, as conns is.
 */
#include <inttypes.h>
#include <unistd.h>

#include "run/ctl_int.h"
#include "run/engine.h"

#define BATCH		32
#define STEPS		8		/* batches in one step */

void rl_ctl_on_history(struct ctl_client *cl, struct rill_engine *e, const json_t *req)
{
	int64_t after = json_integer_value(json_object_get(req, "after"));
	int64_t max = json_integer_value(json_object_get(req, "max"));

	(void)e;
	cl->job = CTL_JOB_HISTORY;
	cl->cursor = (uint64_t)RL_MAX(after, 0);
	cl->left = max > 0 ? (uint64_t)max : UINT64_MAX;
	cl->some = false;
	rl_ctl_begin(&cl->out);
	rl_ctl_puts(&cl->out, ",\"history\":[");
}

static bool is_flag(const char *type)
{
	return type[0] == 'b';			/* bool */
}

static void put_all(struct ctl_buf *b, const struct rill_history *r)
{
#define HIST(type, name, unit, help)						\
	if (is_flag(#type))							\
		rl_ctl_putf(b, ",\"" #name "\":%s", rl_ctl_bool(r->name));	\
	else									\
		rl_ctl_putf(b, ",\"" #name "\":%" PRId64, (int64_t)r->name);
#define HIST_NAME(name, names, help)	rl_ctl_put_str(b, #name, names(r->name));
#include "rill/history.def"
#undef HIST
#undef HIST_NAME
}

static void put_states(struct ctl_buf *b, const struct rill_history *r)
{
	const char *sep = "";

	rl_ctl_puts(b, ",\"in_us\":{");
	for (int i = 1; i < RILL_TCP_STATES; i++) {
		if (!r->in_us[i])
			continue;
		rl_ctl_putf(b, "%s\"%s\":%" PRIu64, sep, rill_state_name(i), r->in_us[i]);
		sep = ",";
	}
	rl_ctl_puts(b, "}");
}

static void put_record(struct ctl_client *cl, struct rill_engine *e, struct rill_history *r)
{
	char la[INET6_ADDRSTRLEN], pa[INET6_ADDRSTRLEN];
	int64_t wall_us = rl_ctl_wall_ns() / RL_US;
	struct ctl_buf *b = &cl->out;

	r->opened_us += wall_us;
	r->ended_us += wall_us;
	rl_ctl_putf(b, "%s\n{\"source\":\"rill\",\"id\":\"%" PRIx64 "\",\"pid\":%ld",
		    cl->some ? "," : "", r->id, (long)getpid());
	rl_ctl_put_str(b, "stack", rl_engine_name(e));
	rl_ctl_putf(b, ",\"local\":\"%s\",\"lport\":%u,\"peer\":\"%s\",\"pport\":%u",
		    rl_ctl_addr(&r->local.ip, la), r->local.port,
		    rl_ctl_addr(&r->peer.ip, pa), r->peer.port);
	put_all(b, r);
	put_states(b, r);
	rl_ctl_puts(b, "}");
	cl->some = true;
}

void rl_ctl_step_history(struct ctl_client *cl, struct rill_engine *e)
{
	struct rill_history batch[BATCH];

	for (int step = 0; step < STEPS; step++) {
		int want = (int)RL_MIN(cl->left, (uint64_t)BATCH);
		int n = rill_stack_history(rl_engine_stack(e), &cl->cursor, batch, want);

		for (int i = 0; i < n; i++)
			put_record(cl, e, &batch[i]);
		cl->left -= (uint64_t)n;
		if (n < BATCH) {
			rl_ctl_puts(&cl->out, "\n]");
			rl_ctl_end(&cl->out);
			cl->job = CTL_JOB_NONE;
			return;
		}
	}
}
