/* SPDX-License-Identifier: MIT */
/*
 * rill ss - the connections of running stacks, as ss(8) shows the kernel's.
 * Connections come one by one; as text they are kept until the widths of the
 * columns are known, as JSON they go out at once.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rill/stack.h"
#include "tools/cmd.h"
#include "look/ctlc.h"
#include "look/filter.h"
#include "tools/out.h"
#include "tools/ss.h"
#include "tools/ss_fmt.h"

enum {
	S_TCP = 1, S_UDP, S_ALL, S_LISTEN, S_NUMERIC, S_SUMMARY, S_TIMERS, S_INFO,
	S_DETAILS, S_MEMORY, S_NOHEAD, S_ONELINE, S_V4, S_V6, S_JSON, S_PROC, S_KILL,
	S_PID, S_STACK,
};

static const struct opt opts[] = {
	{ S_TCP, 't', "tcp", NULL, "TCP only" },
	{ S_UDP, 'u', "udp", NULL, "UDP only" },
	{ S_ALL, 'a', "all", NULL, "all states; default: those of open connections" },
	{ S_LISTEN, 'l', "listening", NULL, "listeners and unconnected sockets only" },
	{ S_NUMERIC, 'n', "numeric", NULL, "ports and rates as plain numbers" },
	{ S_TIMERS, 'o', "options", NULL, "running timers" },
	{ S_INFO, 'i', "info", NULL, "what TCP knows of the connection" },
	{ S_DETAILS, 'e', "extended", NULL, "user, id, age in its state, open directions" },
	{ S_MEMORY, 'm', "memory", NULL, "queues and buffers" },
	{ S_PROC, 'p', "processes", NULL, "name and process (always shown)" },
	{ S_SUMMARY, 's', "summary", NULL, "counts, half-open peers, orphans, pools in use" },
	{ S_JSON, 'j', "json", NULL, "JSON, with everything" },
	{ S_NOHEAD, 'H', "no-header", NULL, "no header line" },
	{ S_ONELINE, 'O', "oneline", NULL, "one line a connection" },
	{ S_V4, '4', "ipv4", NULL, "IPv4 only" },
	{ S_V6, '6', "ipv6", NULL, "IPv6 only" },
	{ S_KILL, 'K', "kill", NULL, "reset those that the filter matches, and show them" },
	{ S_PID, 0, "pid", "PID", "the stacks of that process only" },
	{ S_STACK, 0, "stack", "NAME", "stacks of that name only" },
	{ 0, 0, NULL, NULL, NULL },
};

static void set_letter(struct ss *s, int id)
{
	switch (id) {
	case S_TCP:
		s->tcp = true;
		return;
	case S_UDP:
		s->udp = true;
		return;
	case S_ALL:
		s->all = true;
		return;
	case S_LISTEN:
		s->listening = true;
		return;
	case S_NUMERIC:
		s->numeric = true;
		return;
	case S_TIMERS:
		s->timers = true;
		return;
	case S_INFO:
		s->info = true;
		return;
	case S_DETAILS:
		s->details = true;
		return;
	case S_MEMORY:
		s->memory = true;
		return;
	case S_SUMMARY:
		s->summary = true;
		return;
	case S_JSON:
		s->json = true;
		return;
	case S_NOHEAD:
		s->no_header = true;
		return;
	case S_ONELINE:
		s->oneline = true;
		return;
	case S_V4:
		s->v4 = true;
		return;
	case S_V6:
		s->v6 = true;
		return;
	case S_KILL:
		s->kill = true;
		return;
	}
}

/* Return: -1 to go on, or the exit status. */
static int parse(const struct cmd *cmd, int argc, char **argv, struct ss *s)
{
	struct optwalk w = { .cmd = cmd, .argc = argc, .argv = argv, .at = 1 };
	char *words[FILTER_NODES * 2], why[256];
	int id, n = 0;
	uint64_t v;

	while ((id = opt_next(&w)) != OPTW_END) {
		if (id == OPTW_BAD || id == OPTW_HELPED)
			return opt_status(id);
		if (id == OPTW_OPERAND) {
			if (n == FILTER_NODES * 2) {
				complain("ss: the filter has too many words");
				return EXIT_MISUSE;
			}
			words[n++] = w.arg;
		} else if (id == S_PID) {
			if (!parse_u64(w.arg, 1, INT32_MAX, &v)) {
				complain("ss: --pid %s: give a process number", w.arg);
				return EXIT_MISUSE;
			}
			s->sel.pid = (long)v;
		} else if (id == S_STACK) {
			s->sel.name = w.arg;
		} else {
			set_letter(s, id);
		}
	}
	if (filter_parse(&s->filter, n, words, why, sizeof(why)) < 0) {
		complain("ss: %s", why);
		return EXIT_MISUSE;
	}
	if (s->kill && !n) {
		complain("ss: --kill needs a filter that says which connections, "
			 "for example: dport = :80");
		return EXIT_MISUSE;
	}
	return -1;
}

/* As ss: without -a and -l what is open, without a filter that says otherwise. */
static uint32_t states(const struct ss *s)
{
	if (s->filter.has_states)
		return s->filter.states;
	if (s->all)
		return FILTER_ALL;
	if (s->listening)
		return FILTER_CLOSED;
	return FILTER_ALL & ~FILTER_CLOSED & ~FILTER_BUCKET;
}

static bool wanted(const struct ss *s, const json_t *c)
{
	struct filter_subject sub = {
		.lport = (uint16_t)ctlc_int(c, "lport"),
		.pport = (uint16_t)ctlc_int(c, "pport"),
	};
	bool udp = ctlc_int(c, "proto") == 17;
	int64_t family = ctlc_int(c, "family");

	if ((s->tcp || s->udp) && !(udp ? s->udp : s->tcp))
		return false;
	if ((s->v4 || s->v6) && family && !(family == 4 ? s->v4 : s->v6))
		return false;
	if (!filter_parse_ip(ctlc_str(c, "local"), sub.local) ||
	    !filter_parse_ip(ctlc_str(c, "peer"), sub.peer))
		return false;
	return filter_match(&s->filter, &sub);
}

static const char *netid(const json_t *c)
{
	return ctlc_int(c, "proto") == 17 ? "udp" : "tcp";
}

static const char *state_text(const json_t *c)
{
	int state = (int)ctlc_int(c, "state");

	if (ctlc_int(c, "proto") == 17)
		return state == RILL_ESTABLISHED ? "ESTAB" : "UNCONN";
	return state > 0 && state < RILL_TCP_STATES ? rill_state_ss(state) : "UNKNOWN";
}

/* ---- JSON ---- */

static void json_conn(struct ss *s, const struct ctl_stack *st, json_t *c)
{
	int state = (int)ctlc_int(c, "state");

	json_object_set_new(c, "pid", json_integer(st->pid));
	json_object_set_new(c, "stack", json_string(st->name));
	json_object_set_new(c, "netid", json_string(netid(c)));
	json_object_set_new(c, "timer", json_string(ss_timer_name((int)ctlc_int(c, "timer"))));
	json_object_set_new(c, "state", json_string(state_text(c)));
	if (ctlc_int(c, "proto") == 6 && state > 0 && state < RILL_TCP_STATES)
		json_object_set_new(c, "state_rfc", json_string(rill_state_name(state)));
	printf(s->shown++ ? ",\n" : "\n");
	json_dumpf(c, stdout, JSON_COMPACT);
}

/* ---- rows ---- */

static struct ss_row *new_row(struct ss *s)
{
	if (s->nrows == s->cap) {
		size_t cap = s->cap ? s->cap * 2 : 64;
		struct ss_row *p = realloc(s->rows, cap * sizeof(*p));

		if (!p)
			return NULL;
		s->rows = p;
		s->cap = cap;
	}
	memset(&s->rows[s->nrows], 0, sizeof(s->rows[0]));
	return &s->rows[s->nrows++];
}

static char *extra_text(struct ss *s, const struct ctl_stack *st, const json_t *c)
{
	char text[4096] = "";
	struct ss_text t = { text, sizeof(text), 0 };
	const char *sep = s->oneline ? " " : "\n\t";

	ss_put(&t, "users:((\"%s\",pid=%ld))", st->name, st->pid);
	if (s->timers)
		ss_timer(&t, c);
	if (s->details)
		ss_details(&t, c, st->hello);
	if (s->memory || (s->info && json_object_get(c, "info"))) {
		size_t at;

		ss_put(&t, "%s", sep);
		at = t.len;
		if (s->memory)
			ss_memory(&t, c);
		if (s->info)
			ss_info(&t, c, s->numeric);
		if (s->oneline && text[at] == ' ')	/* each part brings its blank */
			memmove(text + at - 1, text + at, t.len - at + 1);
	}
	return strdup(text);
}

static void text_conn(struct ss *s, const struct ctl_stack *st, const json_t *c)
{
	struct ss_row *r = new_row(s);
	bool udp = ctlc_int(c, "proto") == 17;

	if (!r)
		return;
	r->netid = netid(c);
	r->state = state_text(c);
	r->recv_q = (uint32_t)ctlc_int(c, "recv_q");
	r->send_q = (uint32_t)ctlc_int(c, "send_q");
	ss_addr(c, "local", r->laddr, sizeof(r->laddr));
	ss_addr(c, "peer", r->paddr, sizeof(r->paddr));
	ss_port((unsigned)ctlc_int(c, "lport"), udp, s->numeric, r->lport, sizeof(r->lport));
	ss_port((unsigned)ctlc_int(c, "pport"), udp, s->numeric, r->pport, sizeof(r->pport));
	r->extra = extra_text(s, st, c);
}

/* Ids of what is to be reset; asked for when the list is complete. */
static void note_victim(struct ss *s, const json_t *c)
{
	if (!s->victims)
		s->victims = json_array();
	json_array_append_new(s->victims, json_string(ctlc_str(c, "id")));
}

static void each(void *ctx, struct ctl_stack *st, json_t *c)
{
	struct ss *s = ctx;

	if (!wanted(s, c))
		return;
	if (s->kill)
		note_victim(s, c);
	if (s->json)
		json_conn(s, st, c);
	else
		text_conn(s, st, c);
}

static bool kill_all(struct ss *s, struct ctl_stack *st)
{
	bool ok = true;

	for (size_t i = 0; i < json_array_size(s->victims); i++) {
		const char *id = json_string_value(json_array_get(s->victims, i));
		json_t *reply = ctlc_ask(st, json_pack("{s:s, s:s}", "cmd", "close",
						       "id", id));

		ok = reply && ok;
		json_decref(reply);
	}
	json_decref(s->victims);
	s->victims = NULL;
	return ok;
}

static int list(struct ss *s, struct ctl_stacks *stacks)
{
	bool ok = true;

	if (s->json)
		printf("{\"rill\":1,\"conns\":[");
	for (unsigned i = 0; i < stacks->n && !out_closed(); i++) {
		ok = ctlc_conns(&stacks->list[i], states(s), s->info || s->json, each, s) &&
		     ok;
		ok = kill_all(s, &stacks->list[i]) && ok;
	}
	if (s->json)
		printf("\n]}\n");
	else
		ss_print(s);
	return ok ? EXIT_DONE : EXIT_FAILED;
}

static int run(const struct cmd *cmd, int argc, char **argv)
{
	static struct ctl_stacks stacks;
	struct ss s = { 0 };
	int status = parse(cmd, argc, argv, &s);

	if (status >= 0)
		return status;
	ctlc_open(&stacks, &s.sel);
	if (!stacks.n) {
		ctlc_complain_none(&stacks, &s.sel);
		return EXIT_FAILED;
	}
	/* one wanted state needs no column for it, as in ss */
	s.one_state = s.filter.has_states && s.filter.states &&
		      !(s.filter.states & (s.filter.states - 1));
	status = s.summary ? ss_summary(&s, &stacks) : list(&s, &stacks);
	ctlc_close(&stacks);
	for (size_t i = 0; i < s.nrows; i++)
		free(s.rows[i].extra);
	free(s.rows);
	return out_finish(status);
}

const struct cmd cmd_ss = {
	.name = "ss",
	.args = "[FILTER]",
	.help = "connections of running stacks",
	.about = "Shows the sockets of all Rill stacks that run, in the form of ss(8).  Without\n"
		 "-a or -l only open connections are shown.  The columns Recv-Q and Send-Q of a\n"
		 "listener are its accept queue and that queue's limit.\n\n"
		 "FILTER: { state NAME | exclude NAME } [EXPRESSION]\n"
		 "  NAME: established syn-sent syn-recv fin-wait-1 fin-wait-2 time-wait closed\n"
		 "        close-wait last-ack listening closing, or a group: all connected\n"
		 "        synchronized bucket big\n"
		 "  EXPRESSION: src|dst [=|!=] ADDR[/BITS][:PORT], sport|dport [OP] :PORT,\n"
		 "        joined by and, or, not and parentheses",
	.example = "  rill ss -tano state established '( sport = :80 or dport = :80 )'",
	.opts = opts,
	.run = run,
};
