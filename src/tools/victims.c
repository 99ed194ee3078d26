/* SPDX-License-Identifier: MIT */
/*
 * Which sockets a command is about to change: a filter is required, owners are
 * looked up (the log names them), and what the filter left out is moved behind.
 */
#include "tools/victims.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "look/act.h"
#include "tools/out.h"
#include "tools/pick.h"

static bool set_pid(struct victims *v, const char *arg)
{
	uint64_t n;

	if (!parse_u64(arg, 1, INT32_MAX, &n)) {
		complain("%s: --pid %s: give a process number", v->cmd, arg);
		return false;
	}
	v->ss.q.pid = (int)n;
	return true;
}

static bool word(struct victims *v, char *arg)
{
	if (v->nwords == FILTER_NODES * 2) {
		complain("%s: the filter has too many words", v->cmd);
		return false;
	}
	v->words[v->nwords++] = arg;
	return true;
}

bool victims_option(struct victims *v, int id, char *arg)
{
	switch (id) {
	case OPTW_OPERAND:
		return word(v, arg);
	case V_PID:
		return set_pid(v, arg);
	case V_TCP:
		v->ss.tcp = true;
		break;
	case V_UDP:
		v->ss.udp = true;
		break;
	case V_V4:
		v->ss.v4 = true;
		break;
	case V_V6:
		v->ss.v6 = true;
		break;
	case V_KERNEL:
		v->ss.kernel = true;
		break;
	case V_RILL:
		v->ss.rill = true;
		break;
	case V_NETNS:
		v->ss.netns = arg;
		break;
	case V_STACK:
		v->ss.q.stack = arg;
		break;
	case V_DRY:
		v->dry = true;
		break;
	case V_LOG:
		v->log = arg;
		break;
	case V_JSON:
		v->ss.json = true;
		break;
	}
	return true;
}

static void plan(struct victims *v, uint32_t states)
{
	struct ss *s = &v->ss;

	if (!s->kernel && !s->rill) {		/* a stack that is named: no kernel's */
		s->rill = true;
		s->kernel = !s->q.pid && !s->q.stack;
	}
	s->procs = s->numeric = true;
	s->q.netns_fd = -1;
	s->q.want = RILL_WANT_OWNERS | RILL_WANT_INFO | (s->kernel ? RILL_WANT_KERNEL : 0) |
		    (s->rill ? RILL_WANT_RILL : 0) |
		    (s->tcp || !s->udp ? RILL_WANT_TCP : 0) | (s->udp ? RILL_WANT_UDP : 0) |
		    (s->v4 ? RILL_WANT_V4 : 0) | (s->v6 ? RILL_WANT_V6 : 0);
	s->q.states = s->filter.has_states ? s->filter.states : states;
}

static void choose(struct victims *v)
{
	struct rill_table *t = &v->table;

	for (size_t i = 0; i < t->n; i++) {
		struct rill_sock s = t->sock[i];

		if (!filter_sock(&v->ss.filter, &s))
			continue;
		t->sock[i] = t->sock[v->n];
		t->sock[v->n++] = s;
	}
}

int victims_read(struct victims *v, uint32_t states)
{
	int r, status;

	if (!v->nwords) {
		complain("%s: which sockets? give a filter, for example: dport = :80", v->cmd);
		return EXIT_MISUSE;
	}
	if (v->ss.netns && !pick_enter(v->cmd, v->ss.netns))
		return EXIT_FAILED;
	if (!pick_parse(v->cmd, &v->ss.filter, v->nwords, v->words))
		return EXIT_MISUSE;
	plan(v, states);
	r = rill_table_read(&v->ss.q, &v->table);
	if (r < 0) {
		complain("%s: %s", v->cmd, strerror(-r));
		return EXIT_FAILED;
	}
	status = pick_notes(v->cmd, &v->ss.q, &v->table.notes, 0);
	choose(v);
	if (v->n)
		return -1;
	if (status == EXIT_DONE)
		complain("%s: no socket matches", v->cmd);
	victims_free(v);
	return EXIT_FAILED;
}

void victims_show(struct victims *v)
{
	for (size_t i = 0; i < v->n; i++)
		ss_add_row(&v->ss, &v->table.sock[i]);
	ss_print(&v->ss);
	ss_free_rows(&v->ss.rows);
}

struct rl_act *victims_begin(struct victims *v)
{
	struct rl_act *a = rl_act_open(v->log, -1);

	if (!a)
		complain("%s: --log %s: %s", v->cmd, v->log, strerror(errno));
	else if (v->ss.json)
		printf("{\"rill\":1,\"sockets\":[");
	else
		rl_act_tell(a, stdout);
	return a;
}

void victims_end(struct victims *v, struct rl_act *a)
{
	if (v->ss.json)
		puts("\n]}");
	rl_act_close(a);
}

void victims_free(struct victims *v)
{
	rill_table_free(&v->table);
}
