/* SPDX-License-Identifier: MIT */
/*
 * The harness of the unit tests: list of tests, checks, main().  One process, one
 * thread; the order is that of the file.
 */
#include "rl_test.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static struct rl_test *first, **last = &first;
static const struct rl_test *running;
static unsigned failed_checks;		/* of the running test */
static unsigned checks;			/* of the running test */
static const char *skipped;		/* why the running test was left */

void rl_test_register(struct rl_test *t)
{
	*last = t;
	last = &t->next;
}

static void say_where(const char *file, int line, const char *label)
{
	failed_checks++;
	printf("%s:%d: %s: %s: ", file, line, running->name, label);
}

bool rl_check(const char *file, int line, const char *label, bool ok,
	      const char *expr)
{
	checks++;
	if (ok)
		return true;
	say_where(file, line, label);
	printf("false: %s\n", expr);
	return false;
}

bool rl_check_eq(const char *file, int line, const char *label,
		 intmax_t got, intmax_t want)
{
	checks++;
	if (got == want)
		return true;
	say_where(file, line, label);
	printf("got %" PRIdMAX " (%#" PRIxMAX "), want %" PRIdMAX " (%#" PRIxMAX ")\n",
	       got, (uintmax_t)got, want, (uintmax_t)want);
	return false;
}

bool rl_check_ueq(const char *file, int line, const char *label,
		  uintmax_t got, uintmax_t want)
{
	checks++;
	if (got == want)
		return true;
	say_where(file, line, label);
	printf("got %" PRIuMAX " (%#" PRIxMAX "), want %" PRIuMAX " (%#" PRIxMAX ")\n",
	       got, got, want, want);
	return false;
}

bool rl_check_str(const char *file, int line, const char *label,
		  const char *got, const char *want)
{
	checks++;
	if (got == want || (got && want && !strcmp(got, want)))
		return true;
	say_where(file, line, label);
	printf("got \"%s\", want \"%s\"\n", got ? got : "(null)",
	       want ? want : "(null)");
	return false;
}

static void hex(const char *what, const uint8_t *p, size_t from, size_t n)
{
	size_t end = n < from + 16 ? n : from + 16;

	printf("\t%s at %zu:", what, from);
	for (size_t i = from; i < end; i++)
		printf(" %02x", p[i]);
	putchar('\n');
}

bool rl_check_mem(const char *file, int line, const char *label,
		  const void *got, const void *want, size_t n)
{
	const uint8_t *g = got, *w = want;
	size_t i;

	checks++;
	for (i = 0; i < n; i++)
		if (g[i] != w[i])
			break;
	if (i == n)
		return true;
	say_where(file, line, label);
	printf("differs from byte %zu of %zu\n", i, n);
	hex("got", g, i, n);
	hex("want", w, i, n);
	return false;
}

void rl_test_skip(const char *why)
{
	skipped = why;
}

const char *rl_label(const char *fmt, ...)
{
	static char buf[4][160];
	static unsigned turn;
	char *p = buf[turn++ % 4];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(p, sizeof(buf[0]), fmt, ap);
	va_end(ap);
	return p;
}

static bool wanted(const struct rl_test *t, int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strstr(t->name, argv[i]))
			return true;
	return argc < 2;
}

/* A test that checks nothing can't fail, so it counts as a failure. */
static bool run(const struct rl_test *t)
{
	running = t;
	failed_checks = 0;
	checks = 0;
	skipped = NULL;
	t->fn();
	if (!skipped && checks == 0)
		rl_check(t->file, t->line, "test", false, "it checks something");
	if (skipped)
		printf("SKIP %s: %s\n", t->name, skipped);
	else if (failed_checks)
		printf("FAIL %s\n", t->name);
	fflush(stdout);
	return failed_checks == 0;
}

int main(int argc, char **argv)
{
	unsigned pass = 0, fail = 0, skip = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 2 && !strcmp(argv[1], "--list")) {
		for (struct rl_test *t = first; t; t = t->next)
			printf("%s\n", t->name);
		return 0;
	}
	for (struct rl_test *t = first; t; t = t->next) {
		if (!wanted(t, argc, argv))
			continue;
		if (!run(t))
			fail++;
		else if (skipped)
			skip++;
		else
			pass++;
	}
	if (pass + fail + skip == 0) {
		fprintf(stderr, "no test matches; --list shows their names\n");
		return 2;
	}
	printf("%u passed, %u failed", pass, fail);
	if (skip)
		printf(", %u skipped", skip);
	putchar('\n');
	return fail > 0;
}
