/* SPDX-License-Identifier: MIT */
/*
 * Thresholds: defaults from thresholds.def, overridden line by line from a file.  A
 * file is taken whole or not at all: half a configuration would alarm at random.
 * Called by `rill check` and the doctor.
 */
#include "look/thresholds.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX	65536
#define BLANK		" \t\r"

static const struct threshold defaults[THR_COUNT] = {
#define THRESHOLD(id, name, warn, crit, unit, help)	{ name, warn, crit, unit, help },
#include "look/thresholds.def"
#undef THRESHOLD
};

const char *thresholds_path(const char *given, bool *must)
{
	const char *path = given ? given : getenv("RILL_THRESHOLDS");

	*must = path && *path;
	return *must ? path : THRESHOLDS_FILE;
}

void thresholds_init(struct thresholds *t)
{
	memcpy(t->t, defaults, sizeof(t->t));
}

static int plain(int c)
{
	return c == '_' ? '-' : tolower((unsigned char)c);
}

int thresholds_find(const char *name)
{
	for (int i = 0; i < THR_COUNT; i++) {
		const char *a = defaults[i].name, *b = name;

		while (*a && plain(*a) == plain(*b)) {
			a++;
			b++;
		}
		if (!*a && !*b)
			return i;
	}
	return -1;
}

static bool number(const char *s, double *v)
{
	char *end;

	if (!s || !isdigit((unsigned char)*s))
		return false;
	*v = strtod(s, &end);
	return !*end && isfinite(*v);
}

/* One line without its comment.  Return: whether it is right. */
static bool take_line(struct thresholds *t, char *line, char *why, size_t n)
{
	char *save = NULL, *name = strtok_r(line, BLANK, &save);
	const char *warn = strtok_r(NULL, BLANK, &save), *crit = strtok_r(NULL, BLANK, &save);
	double w, c;
	int i;

	if (!name)
		return true;
	i = thresholds_find(name);
	if (i < 0) {
		snprintf(why, n, "no threshold is named %.40s", name);
		return false;
	}
	if (!number(warn, &w) || !number(crit, &c) || strtok_r(NULL, BLANK, &save)) {
		snprintf(why, n, "%s needs two numbers, WARN and CRIT", defaults[i].name);
		return false;
	}
	if ((w > c) != (defaults[i].warn > defaults[i].crit) && w != c) {
		snprintf(why, n, "%s: WARN must be %s CRIT", defaults[i].name,
			 w > c ? "below" : "above");
		return false;
	}
	t->t[i].warn = w;
	t->t[i].crit = c;
	return true;
}

int thresholds_parse(struct thresholds *t, char *text, char *why, size_t n)
{
	struct thresholds copy = *t;
	unsigned line = 1;
	char bad[160];

	for (char *p = text, *next; p; p = next, line++) {
		next = strchr(p, '\n');
		if (next)
			*next++ = '\0';
		p[strcspn(p, "#")] = '\0';
		if (!take_line(&copy, p, bad, sizeof(bad))) {
			snprintf(why, n, "line %u: %s", line, bad);
			return -EINVAL;
		}
	}
	*t = copy;
	return 0;
}

int thresholds_load(struct thresholds *t, const char *path, char *why, size_t n)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), r;
	ssize_t got, len = 0;
	char *text;

	if (fd < 0)
		return -errno;
	text = malloc(FILE_MAX);
	r = text ? 0 : -ENOMEM;
	while (!r && len < FILE_MAX - 1) {
		got = read(fd, text + len, (size_t)(FILE_MAX - 1 - len));
		if (got < 0)
			r = -errno;
		if (got <= 0)
			break;
		len += got;
	}
	close(fd);
	if (!r && len == FILE_MAX - 1) {
		snprintf(why, n, "it is longer than 64 KB");
		r = -EINVAL;
	}
	if (!r) {
		text[len] = '\0';
		r = thresholds_parse(t, text, why, n);
	}
	free(text);
	return r;
}

int threshold_level(const struct threshold *t, double value)
{
	if (t->warn > t->crit)
		return value <= t->crit ? 2 : value <= t->warn ? 1 : 0;
	return value >= t->crit ? 2 : value >= t->warn ? 1 : 0;
}
