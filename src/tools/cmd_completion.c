/* SPDX-License-Identifier: MIT */
/*
 * rill completion - what bash, zsh and fish need to complete commands, options and
 * states, made from the tables that the commands themselves are driven by.
 */
#include <stdio.h>
#include <string.h>

#include "tools/cmd.h"
#include "tools/out.h"

static const struct opt opts[] = {
	{ 0, 0, NULL, NULL, NULL },
};

static const char states[] =
	"all big bucket close-wait closed closing connected established fin-wait-1 fin-wait-2 "
	"last-ack listening syn-recv syn-sent synchronized time-wait";

/* What the word behind an option is: a file, or something only its user knows. */
static bool takes_file(const struct opt *o)
{
	return o->arg && (strstr(o->arg, "FILE") || strstr(o->arg, "DIR"));
}

/* @each with every option that is shown. */
static void walk(const struct cmd *cmd, void (*each)(const struct cmd *, const struct opt *))
{
	const struct opt *t;

	for (int i = 0; (t = cmd_opts(cmd, i)) != NULL; i++)
		for (; t->id; t++)
			if (t->help)
				each(cmd, t);
}

/* ---- bash ---- */

static void bash_word(const struct cmd *cmd, const struct opt *o)
{
	(void)cmd;
	if (o->letter)
		printf(" -%c", o->letter);
	if (o->name)
		printf(" --%s", o->name);
}

static void bash_file(const struct cmd *cmd, const struct opt *o)
{
	if (takes_file(o))
		bash_word(cmd, o);
}

static void bash_value(const struct cmd *cmd, const struct opt *o)
{
	if (o->arg && !takes_file(o))
		bash_word(cmd, o);
}

static void bash(void)
{
	printf("_rill()\n{\n\tlocal cur=${COMP_WORDS[COMP_CWORD]}\n"
	       "\tlocal prev=${COMP_WORDS[COMP_CWORD-1]}\n"
	       "\tlocal opts= files= values=\n\tCOMPREPLY=()\n"
	       "\tif [ \"$COMP_CWORD\" -eq 1 ]; then\n\t\tCOMPREPLY=($(compgen -W '");
	for (unsigned i = 0; cmd_at(i); i++)
		printf("%s ", cmd_at(i)->name);
	printf("--help --version' -- \"$cur\"))\n\t\treturn\n\tfi\n\tcase ${COMP_WORDS[1]} in\n");
	for (unsigned i = 0; cmd_at(i); i++) {
		printf("\t%s)\n\t\topts='", cmd_at(i)->name);
		walk(cmd_at(i), bash_word);
		printf("'\n\t\tfiles=' ");
		walk(cmd_at(i), bash_file);
		printf(" '\n\t\tvalues=' ");
		walk(cmd_at(i), bash_value);
		printf(" '\n\t\t;;\n");
	}
	printf("\tesac\n\tif [[ $files == *\" $prev \"* ]]; then\n"
	       "\t\tCOMPREPLY=($(compgen -f -- \"$cur\"))\n"
	       "\telif [[ $values == *\" $prev \"* ]]; then\n\t\t:\n"
	       "\telif [[ $prev == state || $prev == exclude ]]; then\n"
	       "\t\tCOMPREPLY=($(compgen -W '%s' -- \"$cur\"))\n"
	       "\telif [[ $cur == -* ]]; then\n"
	       "\t\tCOMPREPLY=($(compgen -W \"$opts\" -- \"$cur\"))\n"
	       "\telse\n\t\tCOMPREPLY=($(compgen -f -- \"$cur\"))\n\tfi\n}\n"
	       "complete -o filenames -F _rill rill\n", states);
}

/* ---- zsh ---- */

/* Within '...[...]': what ends the quotes or the description is escaped. */
static void zsh_text(const char *s)
{
	for (; *s; s++) {
		if (*s == '\'')
			printf("'\\''");
		else if (strchr("[]:\\", *s))
			printf("\\%c", *s);
		else
			putchar(*s);
	}
}

static void zsh_option(const struct cmd *cmd, const struct opt *o)
{
	(void)cmd;
	for (int i = 0; i < 2; i++) {
		if (i == 0 ? !o->letter : !o->name)
			continue;
		if (i == 0)
			printf(" \\\n\t\t\t'-%c", o->letter);
		else
			printf(" \\\n\t\t\t'--%s", o->name);
		putchar('[');
		zsh_text(o->help);
		putchar(']');
		if (o->arg) {
			putchar(':');
			zsh_text(o->arg);
			printf(takes_file(o) ? ":_files" : ": ");
		}
		putchar('\'');
	}
}

static void zsh(void)
{
	printf("#compdef rill\n_rill()\n{\n\tlocal -a commands\n\tcommands=(");
	for (unsigned i = 0; cmd_at(i); i++) {
		printf("\n\t\t'%s:", cmd_at(i)->name);
		zsh_text(cmd_at(i)->help);
		putchar('\'');
	}
	printf("\n\t)\n\tif (( CURRENT == 2 )); then\n\t\t_describe command commands\n\t\treturn\n"
	       "\tfi\n\tlocal command=$words[2]\n\tshift words\n\t(( CURRENT-- ))\n"
	       "\tcase $command in\n");
	for (unsigned i = 0; cmd_at(i); i++) {
		printf("\t%s)\n\t\t_arguments -s", cmd_at(i)->name);
		walk(cmd_at(i), zsh_option);
		printf(" \\\n\t\t\t'*: :_files'\n\t\t;;\n");
	}
	printf("\tesac\n}\n_rill \"$@\"\n");
}

/* ---- fish ---- */

static void fish_text(const char *s)
{
	for (; *s; s++)
		printf(strchr("'\\", *s) ? "\\%c" : "%c", *s);
}

static void fish_option(const struct cmd *cmd, const struct opt *o)
{
	printf("complete -c rill -n '__fish_seen_subcommand_from %s'", cmd->name);
	if (o->letter)
		printf(" -s %c", o->letter);
	if (o->name)
		printf(" -l %s", o->name);
	if (o->arg)
		printf(takes_file(o) ? " -r -F" : " -x");
	printf(" -d '");
	fish_text(o->help);
	printf("'\n");
}

static void fish(void)
{
	for (unsigned i = 0; cmd_at(i); i++) {
		printf("complete -c rill -n __fish_use_subcommand -f -a %s -d '", cmd_at(i)->name);
		fish_text(cmd_at(i)->help);
		printf("'\n");
		walk(cmd_at(i), fish_option);
	}
}

static const struct {
	const char *name;
	void (*print)(void);
} shells[] = {
	{ "bash", bash }, { "zsh", zsh }, { "fish", fish },
};

static int run(const struct cmd *cmd, int argc, char **argv)
{
	struct optwalk w = { .cmd = cmd, .argc = argc, .argv = argv, .at = 1 };
	const char *shell = NULL;
	int id;

	while ((id = opt_next(&w)) != OPTW_END) {
		if (id != OPTW_OPERAND)
			return opt_status(id);
		shell = w.arg;
	}
	for (size_t i = 0; shell && i < sizeof(shells) / sizeof(shells[0]); i++)
		if (!strcmp(shells[i].name, shell)) {
			shells[i].print();
			return out_finish(EXIT_DONE);
		}
	complain("completion: which shell? bash, zsh or fish%s%s", shell ? ", not " : "",
		 shell ? shell : "");
	return EXIT_MISUSE;
}

const struct cmd cmd_completion = {
	.name = "completion",
	.args = "bash|zsh|fish",
	.help = "completion of commands and options for a shell",
	.about = "Prints what the shell needs to complete rill's commands, options and states.\n"
		 "An installation puts it where the shell finds it by itself.",
	.example = "  source <(rill completion bash)",
	.opts = opts,
	.run = run,
};
