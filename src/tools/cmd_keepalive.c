/* SPDX-License-Identifier: MIT */
/*
 * rill keepalive - switch keepalive on in connections of other programs, so that
 * half-open peers end by themselves [C4] [C13].  The kernel's sockets are reached
 * through a duplicate of their program's descriptor, a stack's by its control socket.
 */
#include <stdio.h>
#include <string.h>

#include "look/act.h"
#include "look/sock_json.h"
#include "tools/out.h"
#include "tools/victims.h"

enum { A_IDLE = 1, A_INTERVAL, A_COUNT, A_TIMEOUT, A_OFF };

static const struct opt opts[] = {
	{ A_IDLE, 0, "idle", "SEC", "silence before the first probe, 1 to 32767" },
	{ A_INTERVAL, 0, "interval", "SEC", "between two probes, 1 to 32767" },
	{ A_COUNT, 0, "count", "N", "probes without an answer that end it, 1 to 127" },
	{ A_TIMEOUT, 0, "user-timeout", "SEC", "end it when data stays unanswered; 0: none" },
	{ A_OFF, 0, "off", NULL, "keepalive off" },
	VICTIM_OPTS,
	{ 0, 0, NULL, NULL, NULL },
};

static bool number(const char *name, const char *arg, uint64_t max, int *to)
{
	uint64_t n;

	if (!parse_u64(arg, 1, max, &n)) {
		complain("keepalive: --%s %s: give 1 to %u", name, arg, (unsigned)max);
		return false;
	}
	*to = (int)n;
	return true;
}

/* Return: false after a complaint. */
static bool option(struct victims *v, struct rl_keepalive *set, int id, char *arg)
{
	switch (id) {
	case A_IDLE:
		return number("idle", arg, 32767, &set->idle_s);
	case A_INTERVAL:
		return number("interval", arg, 32767, &set->interval_s);
	case A_COUNT:
		return number("count", arg, 127, &set->count);
	case A_TIMEOUT:
		if (parse_seconds(arg, &set->user_timeout_ms))
			return true;
		complain("keepalive: --user-timeout %s: give seconds", arg);
		return false;
	case A_OFF:
		set->on = 0;
		return true;
	}
	return victims_option(v, id, arg);
}

static void put_setting(const char *name, const struct rl_keepalive *k)
{
	if (k->on < 0) {
		printf("\"%s\":null,", name);
		return;
	}
	printf("\"%s\":{\"on\":%s,\"idle_s\":%d,\"interval_s\":%d,\"count\":%d,"
	       "\"user_timeout_ms\":%d},", name, k->on ? "true" : "false", k->idle_s,
	       k->interval_s, k->count, k->user_timeout_ms);
}

static void report(const struct rill_sock *s, int err, const struct rl_keepalive *before,
		   const struct rl_keepalive *now, bool first)
{
	printf("%s\n{\"done\":%s,\"why\":", first ? "" : ",", err ? "false" : "true");
	rl_json_str(stdout, rl_act_why(err, s));
	putchar(',');
	put_setting("before", before);
	put_setting("now", now);
	rl_sock_json(stdout, s);
	putchar('}');
}

static int set_all(struct victims *v, const struct rl_keepalive *set)
{
	struct rl_act *a = victims_begin(v);
	size_t done = 0;

	if (!a)
		return EXIT_FAILED;
	for (size_t i = 0; i < v->n; i++) {
		const struct rill_sock *s = &v->table.sock[i];
		struct rl_keepalive before, now;
		int r = rl_act_keepalive(a, s, set, &before, &now);

		done += r == 0;
		if (v->ss.json)
			report(s, r, &before, &now, i == 0);
	}
	victims_end(v, a);
	if (done == v->n)
		return EXIT_DONE;
	complain("keepalive: %zu of %zu could not be set", v->n - done, v->n);
	return EXIT_FAILED;
}

static int run(const struct cmd *cmd, int argc, char **argv)
{
	struct optwalk w = { .cmd = cmd, .argc = argc, .argv = argv, .at = 1 };
	static struct victims v = { .cmd = "keepalive", .ss.tcp = true };
	struct rl_keepalive set = RL_KEEPALIVE_INIT;
	int id, status;

	set.on = 1;
	while ((id = opt_next(&w)) != OPTW_END) {
		if (id == OPTW_BAD || id == OPTW_HELPED)
			return opt_status(id);
		if (!option(&v, &set, id, w.arg))
			return EXIT_MISUSE;
	}
	if (!set.on && (set.idle_s >= 0 || set.interval_s >= 0 || set.count >= 0)) {
		complain("keepalive: --off goes with neither --idle, --interval nor --count");
		return EXIT_MISUSE;
	}
	status = victims_read(&v, FILTER_ALL & ~FILTER_CLOSED & ~FILTER_BUCKET);
	if (status >= 0)
		return status;
	status = EXIT_DONE;
	if (v.dry)
		victims_show(&v);
	else
		status = set_all(&v, &set);
	victims_free(&v);
	return out_finish(status);
}

const struct cmd cmd_keepalive = {
	.name = "keepalive",
	.args = "FILTER",
	.help = "switch keepalive on in connections of other programs",
	.about = "Sets SO_KEEPALIVE and its numbers, and TCP_USER_TIMEOUT, in the connections\n"
		 "that FILTER (that of `rill ss`) matches, without the help of their programs.\n"
		 "Peers that went away without a word then end by themselves: after --idle plus\n"
		 "--count times --interval seconds the program gets ETIMEDOUT.  What is not given\n"
		 "stays as it is.  One line a socket says what was and what is, as\n"
		 "idle/interval/count.  The kernel's sockets need the rights of ptrace(2) over\n"
		 "their program.",
	.example = "  rill keepalive --idle 60 --interval 10 --count 3 sport = :5432",
	.opts = opts,
	.run = run,
};
