/* SPDX-License-Identifier: MIT */
/*
 * rill sysctl --kernel: the tunables of the host's kernel with their defaults, what
 * they do and when to touch them.  Called by cmd_sysctl.c.
 */
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "look/knobs.h"
#include "tools/cmd.h"
#include "tools/out.h"
#include "tools/sysctl.h"

#define RECYCLE	"net.ipv4.tcp_tw_recycle"

struct shown {
	unsigned n, unreadable;
};

/* One that is not in knobs.def: the value alone. */
static const struct knob unknown = { "", KNOB_TEXT, "", "", "", "" };

static void put_text(const struct sysctl_kernel *s, const char *name, const struct knob *k,
		     const char *value)
{
	printf("%s = %s%s%s", name, value, *k->unit && *value ? " " : "", *value ? k->unit : "");
	if (knob_changed(k, value))
		printf("  [changed, default %s]", *k->dflt ? k->dflt : "empty");
	else if (s->verbose && *k->dflt)
		printf("  [default]");
	putchar('\n');
	if (s->verbose && *k->help)
		printf("    %s\n    when: %s\n", k->help, k->advice);
}

static bool whole_number(const char *s)
{
	size_t sign = *s == '-', n = strspn(s + sign, "0123456789");

	/* JSON knows no leading zeros */
	return n && n < 19 && !s[sign + n] && (s[sign] != '0' || n == 1);
}

static void put_json(const char *name, const struct knob *k, const char *value, bool first)
{
	printf("%s{\"name\":", first ? "\n" : ",\n");
	out_json_str(name);
	printf(",\"value\":");
	if (k->type != KNOB_TEXT && whole_number(value))
		printf("%s", value);
	else
		out_json_str(value);
	printf(",\"default\":");
	out_json_str(k->dflt);
	printf(",\"unit\":");
	out_json_str(k->unit);
	printf(",\"changed\":%s,\"help\":", knob_changed(k, value) ? "true" : "false");
	out_json_str(k->help);
	printf(",\"advice\":");
	out_json_str(k->advice);
	putchar('}');
}

/* Return: 0, or -errno when it can't be read. */
static int show(const struct sysctl_kernel *s, const char *name, const struct knob *k,
		struct shown *sh)
{
	char value[KNOB_VALUE];
	int r = knob_read(NULL, name, value);

	if (r < 0)
		return r;
	if (s->changed && !knob_changed(k, value))
		return 0;
	if (s->json)
		put_json(name, k, value, sh->n == 0);
	else
		put_text(s, name, k, value);
	sh->n++;
	return 0;
}

/* A plain word matches anywhere in the name; *, ? and [ make it a pattern. */
static bool matches(const char *pattern, const char *name)
{
	if (!pattern)
		return true;
	if (strpbrk(pattern, "*?["))
		return fnmatch(pattern, name, 0) == 0;
	return strstr(name, pattern) != NULL;
}

/* All of knobs.def that this kernel has.  Return: how many names matched. */
static unsigned show_all(const struct sysctl_kernel *s, const char *pattern, struct shown *sh)
{
	const struct knob *k;
	unsigned n = 0;
	int r;

	for (unsigned i = 0; (k = knob_at(i)) != NULL; i++) {
		if (!matches(pattern, k->name))
			continue;
		r = show(s, k->name, k, sh);
		n += r != -ENOENT;
		sh->unreadable += r < 0 && r != -ENOENT;
	}
	return n;
}

static bool complain_missing(const char *name)
{
	const struct knob *k = knob_find(name);

	if (k && !strcmp(name, RECYCLE))
		complain("sysctl: %s: %s", name, k->advice);
	else if (k)
		complain("sysctl: %s: this kernel, or this network namespace, does not have it",
			 name);
	else
		complain("sysctl: no tunable matches %s; `rill sysctl --kernel` lists those there "
			 "are", name);
	return false;
}

static bool one_word(const struct sysctl_kernel *s, const char *word, struct shown *sh)
{
	const struct knob *k = knob_find(word);
	int r;

	if (strpbrk(word, "*?[") || strncmp(word, "net.", 4) != 0)
		return show_all(s, word, sh) > 0 || complain_missing(word);
	r = show(s, word, k ? k : &unknown, sh);
	if (r == -ENOENT || r == -EINVAL || r == -EISDIR)
		return show_all(s, word, sh) > 0 || complain_missing(word);
	if (r < 0)
		complain("sysctl: cannot read %s: %s", word, strerror(-r));
	return r == 0;
}

static bool set(const struct sysctl_kernel *s, const char *word, struct shown *sh)
{
	size_t n = strcspn(word, "=");
	const struct knob *k;
	char name[256];
	int r;

	snprintf(name, sizeof(name), "%.*s", (int)n, word);
	k = knob_find(name);
	if (!strcmp(name, RECYCLE))
		return complain_missing(name);
	r = knob_write(NULL, name, word + n + 1);
	if (r == -ENOENT || r == -EISDIR)
		return complain_missing(name);
	if (r == -EACCES || r == -EPERM)
		complain("sysctl: setting %s needs root, and it may be read only", name);
	else if (r == -EROFS)
		complain("sysctl: cannot set %s: /proc/sys is mounted read only here", name);
	else if (r < 0)
		complain("sysctl: the kernel refuses %s: %s", word, strerror(-r));
	else
		r = show(s, name, k ? k : &unknown, sh);
	return r == 0;
}

int sysctl_kernel(const struct sysctl_kernel *s)
{
	struct shown sh = { 0 };
	bool ok = true;

	if (s->json)
		printf("{\"rill\":1,\"kernel\":[");
	if (!s->nwords)
		show_all(s, NULL, &sh);
	for (unsigned i = 0; i < s->nwords; i++)
		ok = (strchr(s->words[i], '=') ? set(s, s->words[i], &sh)
					      : one_word(s, s->words[i], &sh)) && ok;
	if (s->json)
		printf("\n]}\n");
	if (sh.unreadable)
		fprintf(stderr, "rill: %u more can only be read by root\n", sh.unreadable);
	return ok ? EXIT_DONE : EXIT_FAILED;
}
