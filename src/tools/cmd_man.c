/* SPDX-License-Identifier: MIT */
/*
 * rill man - the man pages, made from the same tables that --help prints, so that
 * they can't disagree.  Written in the macros of man(7); the build installs them.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tools/cmd.h"
#include "tools/out.h"

enum { M_DIR = 1 };

static const struct opt opts[] = {
	{ M_DIR, 'd', "directory", "DIR", "write the pages of all commands into DIR" },
	{ 0, 0, NULL, NULL, NULL },
};

/* Text as it stands: what roff would take for its own is escaped. */
static void put(FILE *f, const char *s, size_t n)
{
	bool start = true;

	for (size_t i = 0; i < n; i++) {
		if (start && (s[i] == '.' || s[i] == '\''))
			fputs("\\&", f);
		start = s[i] == '\n';
		if (s[i] == '\\')
			fputs("\\e", f);
		else if (s[i] == '-')
			fputs("\\-", f);
		else
			fputc(s[i], f);
	}
}

static void puts_roff(FILE *f, const char *s)
{
	put(f, s, strlen(s));
}

/* Indented lines keep their form, an empty line ends a paragraph. */
static void paragraphs(FILE *f, const char *s)
{
	bool as_is = false;

	while (*s) {
		size_t n = strcspn(s, "\n");
		bool indented = n >= 2 && s[0] == ' ' && s[1] == ' ';

		if (indented != as_is)
			fputs(indented ? ".PP\n.nf\n" : ".fi\n.PP\n", f);
		as_is = indented;
		if (n) {
			put(f, s, n);
			fputc('\n', f);
		} else {
			fputs(as_is ? "\n" : ".PP\n", f);
		}
		s += n + (s[n] == '\n');
	}
	if (as_is)
		fputs(".fi\n", f);
}

static void option(FILE *f, const struct opt *o)
{
	fputs(".TP\n", f);
	if (o->letter)
		fprintf(f, "\\fB\\-%c\\fR%s", o->letter, o->name ? ", " : "");
	if (o->name) {
		fputs("\\fB\\-\\-", f);
		puts_roff(f, o->name);
		fputs("\\fR", f);
	}
	if (o->arg) {
		fputs(" \\fI", f);
		puts_roff(f, o->arg);
		fputs("\\fR", f);
	}
	fputc('\n', f);
	puts_roff(f, o->help);
	fputc('\n', f);
}

static void options(FILE *f, const struct cmd *cmd)
{
	const struct opt *t;

	fputs(".SH OPTIONS\n", f);
	for (int i = 0; (t = cmd_opts(cmd, i)) != NULL; i++)
		for (; t->id; t++)
			if (t->help)
				option(f, t);
}

static void see_also(FILE *f, const struct cmd *but)
{
	fputs(".SH SEE ALSO\n", f);
	if (but)
		fputs(".BR rill (1)", f);
	for (unsigned i = 0, n = but != NULL; cmd_at(i); i++) {
		if (cmd_at(i) == but)
			continue;
		fputs(n++ ? ",\n" : "", f);
		fprintf(f, ".BR rill\\-%s (1)", cmd_at(i)->name);
	}
	fputc('\n', f);
}

static void page(FILE *f, const struct cmd *cmd)
{
	fprintf(f, ".TH rill\\-%s 1 \"\" \"Rill %s\" \"Rill\"\n.SH NAME\nrill\\-%s \\- ", cmd->name,
		RILL_VERSION, cmd->name);
	puts_roff(f, cmd->help);
	fprintf(f, "\n.SH SYNOPSIS\n\\fBrill %s\\fR [\\fIOPTIONS\\fR] ", cmd->name);
	puts_roff(f, cmd->args);
	fputs("\n.SH DESCRIPTION\n", f);
	paragraphs(f, cmd->about);
	options(f, cmd);
	fputs(".SH EXAMPLES\n", f);
	paragraphs(f, cmd->example);
	see_also(f, cmd);
}

static void overview(FILE *f)
{
	fprintf(f, ".TH rill 1 \"\" \"Rill %s\" \"Rill\"\n.SH NAME\n"
		"rill \\- a TCP/IP stack in user space, and what connections do\n"
		".SH SYNOPSIS\n\\fBrill\\fR \\fICOMMAND\\fR [\\fIOPTIONS\\fR] [\\fIARGUMENTS\\fR]\n"
		".SH DESCRIPTION\n"
		"Runs programs on a TCP/IP stack of its own, and shows, explains and ends\n"
		"connections: those of the stacks that run, and those of the host's kernel.\n"
		".SH COMMANDS\n", RILL_VERSION);
	for (unsigned i = 0; cmd_at(i); i++) {
		if (cmd_group(i))
			fprintf(f, ".SS %s\n", cmd_group(i));
		fprintf(f, ".TP\n\\fB%s\\fR\n", cmd_at(i)->name);
		puts_roff(f, cmd_at(i)->help);
		fputc('\n', f);
	}
	fputs(".SH EXIT STATUS\n0: done; 1: failed; 2: misuse.  Commands that check say it as\n"
	      "monitoring systems expect: 0 in order, 1 warning, 2 critical, 3 not known.\n"
	      ".SH ENVIRONMENT\n", f);
	fputs(".TP\n\\fBRILL_RUN_DIR\\fR\nwhere the control sockets of running stacks lie; default "
	      "/run/rill\nfor root, else $XDG_RUNTIME_DIR/rill or /tmp/rill\\-UID\n", f);
	fputs(".TP\n\\fBRILL_THRESHOLDS\\fR\nfile of limits for doctor, check and monitor; default "
	      "/etc/rill/thresholds\n", f);
	fputs(".TP\n\\fBNO_COLOR\\fR\nno colours, also on a terminal\n", f);
	see_also(f, NULL);
}

/* A terminal shows the page as man does. */
static FILE *reader(void)
{
	FILE *f = isatty(STDOUT_FILENO) ? popen("man -l - 2>/dev/null || cat", "w") : NULL;

	return f ? f : stdout;
}

/* DIR/rill.1, or DIR/rill-COMMAND.1. */
static int write_page(const char *dir, const struct cmd *about)
{
	char path[512];
	FILE *f;
	int r;

	snprintf(path, sizeof(path), "%s/rill%s%s.1", dir, about ? "-" : "",
		 about ? about->name : "");
	f = fopen(path, "w");
	if (!f) {
		complain("man: cannot write %s: %s", path, strerror(errno));
		return EXIT_FAILED;
	}
	if (about)
		page(f, about);
	else
		overview(f);
	r = ferror(f);
	if (!fclose(f) && !r)
		return EXIT_DONE;
	complain("man: writing %s failed", path);
	return EXIT_FAILED;
}

static int write_all(const char *dir)
{
	int status = write_page(dir, NULL);

	for (unsigned i = 0; cmd_at(i) && status == EXIT_DONE; i++)
		status = write_page(dir, cmd_at(i));
	return status;
}

static int run(const struct cmd *cmd, int argc, char **argv)
{
	struct optwalk w = { .cmd = cmd, .argc = argc, .argv = argv, .at = 1 };
	const struct cmd *about = NULL;
	FILE *f;
	int id;

	while ((id = opt_next(&w)) != OPTW_END) {
		if (id == M_DIR)
			return write_all(w.arg);
		if (id != OPTW_OPERAND)
			return opt_status(id);
		if (about) {
			complain("man: one command only, not %s too", w.arg);
			return EXIT_MISUSE;
		}
		about = cmd_find(w.arg);
		if (!about) {
			complain("man: unknown command %s; see `rill --help`", w.arg);
			return EXIT_MISUSE;
		}
	}
	f = reader();
	if (about)
		page(f, about);
	else
		overview(f);
	if (f != stdout)
		pclose(f);
	return out_finish(EXIT_DONE);
}

const struct cmd cmd_man = {
	.name = "man",
	.args = "[COMMAND]",
	.help = "the man page of a command",
	.about = "Shows the man page of COMMAND, or of rill itself.  Where the output is no\n"
		 "terminal it is the page's source, for man(1) or an installation.",
	.example = "  rill man ss | man -l -",
	.opts = opts,
	.run = run,
};
