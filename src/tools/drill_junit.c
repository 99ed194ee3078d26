/* SPDX-License-Identifier: MIT */
/*
 * The JUnit file of `rill drill --junit`: one test case a script, as the servers
 * of continuous integration read it.  Cases are kept until the end, since the
 * counts stand in front.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/drill.h"
#include "tools/out.h"

static FILE *file, *cases;
static char *text;
static size_t text_len;
static int64_t total_us;

bool drill_junit_open(const char *name)
{
	file = fopen(name, "w");
	cases = file ? open_memstream(&text, &text_len) : NULL;
	if (!cases)
		complain("drill: cannot write %s: %s", name, strerror(errno));
	return cases != NULL;
}

/* What is inside has been cleaned: no control characters, whole UTF-8. */
static void put_xml(FILE *f, const char *s, size_t len)
{
	for (; len; s++, len--) {
		switch (*s) {
		case '&':
			fputs("&amp;", f);
			break;
		case '<':
			fputs("&lt;", f);
			break;
		case '>':
			fputs("&gt;", f);
			break;
		case '"':
			fputs("&quot;", f);
			break;
		default:
			if ((unsigned char)*s < 0x20 && *s != '\n' && *s != '\t')
				putc('?', f);
			else
				putc(*s, f);
		}
	}
}

static void put_attr(const char *name, const char *s, size_t len)
{
	fprintf(cases, " %s=\"", name);
	put_xml(cases, s, len);
	putc('"', cases);
}

/* <failure> or <error> with the first line as its message, <skipped> likewise. */
static void put_reason(const char *element, const struct outcome *o)
{
	const char *why = o->why ? o->why : "no reason given";

	fprintf(cases, "    <%s", element);
	put_attr("message", why, strcspn(why, "\n"));
	if (o->verdict == DRILL_SKIPPED) {
		fputs("/>\n", cases);
		return;
	}
	putc('>', cases);
	put_xml(cases, why, strlen(why));
	fprintf(cases, "\nseed %" PRIu64 "</%s>\n", o->seed, element);
}

void drill_junit_case(const char *name, const struct outcome *o)
{
	const char *slash = strrchr(name, '/');
	size_t dir = slash ? (size_t)(slash - name) : 0;

	total_us += o->real_us;
	fputs("  <testcase", cases);
	put_attr("classname", dir ? name : ".", dir ? dir : 1);
	put_attr("name", slash ? slash + 1 : name, strlen(slash ? slash + 1 : name));
	fprintf(cases, " time=\"%" PRId64 ".%06" PRId64 "\">\n", o->real_us / 1000000,
		o->real_us % 1000000);
	switch (o->verdict) {
	case DRILL_PASSED:
		break;
	case DRILL_FAILED:
		put_reason("failure", o);
		break;
	case DRILL_BROKEN:
		put_reason("error", o);
		break;
	case DRILL_SKIPPED:
		put_reason("skipped", o);
		break;
	}
	fputs("  </testcase>\n", cases);
}

bool drill_junit_close(const char *name, const struct tally *t)
{
	bool ok = fclose(cases) == 0;

	fprintf(file, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<testsuites>\n<testsuite name=\"rill drill\" tests=\"%u\" failures=\"%u\" "
		"errors=\"%u\" skipped=\"%u\" time=\"%" PRId64 ".%06" PRId64 "\">\n",
		t->passed + t->failed + t->skipped, t->failed - t->broken, t->broken,
		t->skipped, total_us / 1000000, total_us % 1000000);
	if (ok)
		fwrite(text, 1, text_len, file);
	fputs("</testsuite>\n</testsuites>\n", file);
	ok = !ferror(file) && ok;
	ok = fclose(file) == 0 && ok;
	free(text);
	if (!ok)
		complain("drill: cannot write %s: %s", name, strerror(errno));
	return ok;
}
