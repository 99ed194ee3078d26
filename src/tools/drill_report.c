/* SPDX-License-Identifier: MIT */
/*
 * What `rill drill` says about each script and at the end: lines of text or one
 * JSON document on stdout, beside them a JUnit file if one is asked for.
 *
 * A script may hold any bytes, and parts of it come back in messages: before a
 * message is shown, what is neither text nor UTF-8 becomes a question mark.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/cmd.h"
#include "tools/drill.h"
#include "tools/out.h"

static bool colours;
static bool first = true;		/* of the JSON document's scripts */

const char *drill_name(const char *path)
{
	return !strcmp(path, "-") ? "(stdin)" : path;
}

/* ---- clean text ---- */

/* Bytes of the UTF-8 character at @s; 0: none.  No overlong forms, no surrogates. */
static unsigned utf8(const unsigned char *s)
{
	static const uint32_t least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned n = s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : s[0] < 0xf5 ? 4 : 0;
	uint32_t c = n ? s[0] & (0xffu >> (n + 1)) : 0;

	for (unsigned i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (!n || c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ||
	    (c & 0xfffe) == 0xfffe || c < 0xa0)
		return 0;
	return n;
}

static void clean(char *text)
{
	unsigned char *s = (unsigned char *)text;
	unsigned n;

	while (s && *s) {
		n = *s >= 0x80 ? utf8(s) : 1;
		if (!n || (*s < 0x20 && *s != '\n' && *s != '\t') || *s == 0x7f)
			*s = '?';
		s += n ? n : 1;
	}
}

/* ---- text ---- */

static void tag(const char *word, const char *colour)
{
	if (colours)
		printf("\033[%sm%-4s\033[0m ", colour, word);
	else
		printf("%-4s ", word);
}

/*
 * The message begins with the file already, unless it comes from elsewhere; that
 * what is skipped is unsupported goes without saying.
 */
static void put_why(const char *name, const struct outcome *o)
{
	static const char unsupported[] = "unsupported: ";
	const char *why = o->why ? o->why : "no reason given";

	if (o->verdict == DRILL_SKIPPED && !strncmp(why, unsupported, strlen(unsupported)))
		why += strlen(unsupported);
	if (strncmp(why, name, strlen(name)) != 0)
		printf("%s: ", name);
	printf("%s%s", why, why[0] && why[strlen(why) - 1] == '\n' ? "" : "\n");
}

void drill_shell_word(FILE *f, const char *s)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_-+=./:,@%";

	if (*s && strspn(s, plain) == strlen(s)) {
		fputs(s, f);
		return;
	}
	putc('\'', f);
	for (; *s; s++)
		if (*s == '\'')
			fputs("'\\''", f);
		else
			putc(*s, f);
	putc('\'', f);
}

static void put_again(const struct drill *d, const char *path, const struct outcome *o)
{
	if (d->seeds == 1 && !d->seeded)
		return;
	printf("     seed %" PRIu64 "; again: rill drill%s --seed %" PRIu64 " ", o->seed,
	       d->again ? d->again : "", o->seed);
	drill_shell_word(stdout, path);
	putchar('\n');
}

static void put_passed(const struct drill *d, const char *name, const struct outcome *o)
{
	tag("ok", "32");
	printf("%s (", name);
	if (d->seeds > 1)
		printf("%" PRIu64 " seeds, ", o->runs);
	printf("%" PRIu64 " events, %" PRIu64 " packets, %" PRId64 ".%06" PRId64 " s)\n",
	       o->events, o->packets, o->virtual_us / 1000000, o->virtual_us % 1000000);
}

static void put_text(const struct drill *d, const char *path, const char *name,
		     const struct outcome *o)
{
	if (o->trace)
		fputs(o->trace, stdout);
	switch (o->verdict) {
	case DRILL_PASSED:
		if (d->trace)
			put_passed(d, name, o);
		return;
	case DRILL_SKIPPED:
		if (d->quiet)
			return;
		tag("SKIP", "33");
		put_why(name, o);
		return;
	case DRILL_FAILED:
	case DRILL_BROKEN:
		tag("FAIL", "31");
		put_why(name, o);
		if (o->verdict == DRILL_FAILED)
			put_again(d, path, o);
		return;
	}
}

/* ---- JSON ---- */

static const char *verdict_name(enum drill_verdict v)
{
	switch (v) {
	case DRILL_PASSED:
		return "passed";
	case DRILL_FAILED:
		return "failed";
	case DRILL_SKIPPED:
		return "skipped";
	case DRILL_BROKEN:
		return "broken";
	}
	return "?";
}

static void put_json(const char *name, const struct outcome *o)
{
	printf("%s\n{\"file\":", first ? "" : ",");
	first = false;
	out_json_str(name);
	printf(",\"verdict\":\"%s\",\"seed\":%" PRIu64 ",\"runs\":%" PRIu64
	       ",\"events\":%" PRIu64 ",\"packets\":%" PRIu64 ",\"virtual_us\":%" PRId64
	       ",\"real_us\":%" PRId64, verdict_name(o->verdict), o->seed, o->runs, o->events,
	       o->packets, o->virtual_us, o->real_us);
	if (o->why) {
		printf(",\"why\":");
		out_json_str(o->why);
	}
	if (o->trace) {
		printf(",\"trace\":");
		out_json_str(o->trace);
	}
	putchar('}');
}

/* ---- from the command ---- */

bool drill_report_open(const struct drill *d)
{
	const char *no = getenv("NO_COLOR");

	colours = isatty(STDOUT_FILENO) && !(no && *no);
	if (d->junit && !drill_junit_open(d->junit))
		return false;
	if (d->json)
		printf("{\"rill\":1,\"scripts\":[");
	return true;
}

void drill_report(const struct drill *d, const char *path, struct outcome *o, struct tally *t)
{
	char *name = strdup(drill_name(path));

	clean(name);
	clean(o->why);
	clean(o->trace);
	t->passed += o->verdict == DRILL_PASSED;
	t->skipped += o->verdict == DRILL_SKIPPED;
	t->failed += o->verdict == DRILL_FAILED || o->verdict == DRILL_BROKEN;
	t->broken += o->verdict == DRILL_BROKEN;
	if (d->json)
		put_json(name, o);
	else
		put_text(d, path, name, o);
	if (d->junit)
		drill_junit_case(name, o);
	free(name);
	free(o->why);
	free(o->trace);
	fflush(stdout);
}

int drill_report_close(const struct drill *d, const struct tally *t)
{
	int status = t->broken ? EXIT_MISUSE : t->failed ? EXIT_FAILED : EXIT_DONE;

	if (d->json)
		printf("\n],\"passed\":%u,\"failed\":%u,\"skipped\":%u}\n", t->passed,
		       t->failed, t->skipped);
	else if (t->skipped)
		printf("%u passed, %u failed, %u skipped\n", t->passed, t->failed, t->skipped);
	else
		printf("%u passed, %u failed\n", t->passed, t->failed);
	if (d->junit && !drill_junit_close(d->junit, t) && status == EXIT_DONE)
		status = EXIT_FAILED;
	return out_finish(status);
}
