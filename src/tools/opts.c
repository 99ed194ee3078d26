/* SPDX-License-Identifier: MIT */
/*
 * Options of the command line, driven by the tables of cmd.h: -x, -xyz, -xARG,
 * -x ARG, --name, --name ARG, --name=ARG; "--" ends them.  Operands may stand
 * between options.  Every mistake is one line that says what to do.
 */
#include <stdio.h>
#include <string.h>

#include "tools/cmd.h"
#include "tools/out.h"
#include "tools/stackopts.h"

static const struct opt help_opt[] = {
	{ OPT_HELP, 'h', "help", NULL, "show this help" },
	{ 0, 0, NULL, NULL, NULL },
};

const struct opt *cmd_opts(const struct cmd *cmd, int i)
{
	switch (i) {
	case 0:
		return cmd->opts;
	case 1:
		return cmd->runs_stack ? stack_opts : help_opt;
	case 2:
		return cmd->runs_stack ? help_opt : NULL;
	}
	return NULL;
}

/* A command's own letter wins over a common one: its table comes first. */
static const struct opt *find(const struct cmd *cmd, char letter, const char *name, size_t n)
{
	const struct opt *t;

	for (int i = 0; (t = cmd_opts(cmd, i)) != NULL; i++)
		for (; t->id; t++)
			if (name ? t->name && strlen(t->name) == n && !memcmp(t->name, name, n)
				 : t->letter == letter)
				return t;
	return NULL;
}

static int bad(const struct optwalk *w, const char *what, const char *which, int n)
{
	complain("%s: %s %.*s; see `rill %s --help`", w->cmd->name, what, n, which,
		 w->cmd->name);
	return OPTW_BAD;
}

static int found(struct optwalk *w, const struct opt *o)
{
	if (o->id != OPT_HELP)
		return o->id;
	cmd_help(w->cmd);
	return OPTW_HELPED;
}

static int long_option(struct optwalk *w, char *s)
{
	char *eq = strchr(s, '=');
	size_t n = eq ? (size_t)(eq - s) : strlen(s);
	const struct opt *o = find(w->cmd, 0, s, n);

	if (!o)
		return bad(w, "unknown option", s - 2, (int)n + 2);
	if (!o->arg && eq)
		return bad(w, "no value belongs to option", s - 2, (int)n + 2);
	w->arg = eq ? eq + 1 : NULL;
	if (o->arg && !eq && o->arg[0] != '[') {
		if (w->at == w->argc)
			return bad(w, "missing value of option", s - 2, (int)n + 2);
		w->arg = w->argv[w->at++];
	}
	return found(w, o);
}

static int short_option(struct optwalk *w)
{
	char text[3] = { '-', *w->cluster++, '\0' };
	const struct opt *o = find(w->cmd, text[1], NULL, 0);

	if (!o)
		return bad(w, "unknown option", text, 2);
	w->arg = NULL;
	if (o->arg) {
		if (*w->cluster)
			w->arg = w->argv[w->at - 1] + (w->cluster - w->argv[w->at - 1]);
		else if (w->at < w->argc)
			w->arg = w->argv[w->at++];
		else
			return bad(w, "missing value of option", text, 2);
		w->cluster = NULL;
	}
	return found(w, o);
}

int opt_next(struct optwalk *w)
{
	char *s;

	if (w->cluster && *w->cluster)
		return short_option(w);
	if (w->at == w->argc)
		return OPTW_END;
	s = w->argv[w->at++];
	if (!w->opts_over && !strcmp(s, "--")) {
		w->opts_over = true;
		if (w->at == w->argc)
			return OPTW_END;
		s = w->argv[w->at++];
	}
	if (w->opts_over || s[0] != '-' || s[1] == '\0') {
		w->arg = s;
		return OPTW_OPERAND;
	}
	if (s[1] == '-')
		return long_option(w, s + 2);
	w->cluster = s + 1;
	return short_option(w);
}

int opt_status(int r)
{
	return r == OPTW_HELPED ? out_finish(EXIT_DONE) : EXIT_MISUSE;
}

static void print_opts(const struct opt *t)
{
	char left[64];

	for (; t->id; t++) {
		char letter[8] = "    ";

		if (!t->help)
			continue;
		if (t->letter)
			snprintf(letter, sizeof(letter), "-%c%s ", t->letter,
				 t->name ? "," : " ");
		snprintf(left, sizeof(left), "%s%s%s%s%s", letter, t->name ? "--" : "",
			 t->name ? t->name : "", t->arg ? " " : "", t->arg ? t->arg : "");
		if (strlen(left) > 24)
			printf("  %s\n  %-24s  %s\n", left, "", t->help);
		else
			printf("  %-24s  %s\n", left, t->help);
	}
}

void cmd_help(const struct cmd *cmd)
{
	printf("usage: rill %s [OPTIONS]%s%s\n\n%s\n\nOptions:\n", cmd->name,
	       *cmd->args ? " " : "", cmd->args, cmd->about);
	print_opts(cmd->opts);
	print_opts(help_opt);
	if (cmd->runs_stack) {
		puts("\nThe stack:");
		print_opts(stack_opts);
	}
	printf("\nExample:\n%s\n", cmd->example);
}
