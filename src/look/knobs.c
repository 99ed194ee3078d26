/* SPDX-License-Identifier: MIT */
/*
 * The kernel's tunables under /proc/sys/net.  Names become paths by their dots, so
 * that no name leads out of there.  Called by `rill sysctl --kernel` and the doctor.
 */
#include "look/knobs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BLANK	" \t\n"

static const struct knob knobs[] = {
#define KNOB(name, type, unit, dflt, help, advice) \
	{ name, KNOB_##type, unit, dflt, help, advice },
#include "look/knobs.def"
#undef KNOB
};

#define NKNOBS	(sizeof(knobs) / sizeof(knobs[0]))

const struct knob *knob_at(unsigned i)
{
	return i < NKNOBS ? &knobs[i] : NULL;
}

const struct knob *knob_find(const char *name)
{
	for (size_t i = 0; i < NKNOBS; i++)
		if (!strcmp(knobs[i].name, name))
			return &knobs[i];
	return NULL;
}

static int open_knob(const char *root, const char *name, int flags)
{
	char path[512];
	int n, fd;

	if (strncmp(name, "net.", 4) != 0 || strpbrk(name, "/" BLANK))
		return -EINVAL;
	n = snprintf(path, sizeof(path), "%s/%s", root ? root : "/proc/sys", name);
	if (n < 0 || (size_t)n >= sizeof(path))
		return -EINVAL;
	for (char *p = path + n - strlen(name); *p; p++)
		if (*p == '.')
			*p = '/';
	fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Runs of blanks become one, none at the ends. */
static void tidy(char *s)
{
	char *to = s;

	for (const char *p = s + strspn(s, BLANK); *p; ) {
		size_t n = strcspn(p, BLANK);

		memmove(to, p, n);
		to += n;
		p += n;
		p += strspn(p, BLANK);
		if (*p)
			*to++ = ' ';
	}
	*to = '\0';
}

int knob_read(const char *root, const char *name, char buf[KNOB_VALUE])
{
	int fd = open_knob(root, name, O_RDONLY);
	ssize_t n;

	buf[0] = '\0';
	if (fd < 0)
		return fd;
	n = read(fd, buf, KNOB_VALUE - 1);
	if (n < 0)
		n = -errno;
	close(fd);
	buf[n > 0 ? n : 0] = '\0';
	if (n < 0)
		return (int)n;		/* a directory, or one that can only be written */
	tidy(buf);
	return 0;
}

int knob_write(const char *root, const char *name, const char *value)
{
	int fd = open_knob(root, name, O_WRONLY);
	size_t n = strlen(value);
	int r = 0;

	if (fd < 0)
		return fd;
	/* an empty list is written as a line without anything */
	if (write(fd, n ? value : "\n", n ? n : 1) < 0)
		r = -errno;
	close(fd);
	return r;
}

bool knob_changed(const struct knob *k, const char *value)
{
	size_t n = strlen(value);

	/* an empty default is the empty text for those that list something and hold none */
	if (!*k->dflt)
		return !strcmp(k->unit, "ports") && *value;
	for (const char *p = k->dflt; ; p++) {
		size_t len = strcspn(p, "|");

		if (len == n && !strncmp(p, value, n))
			return false;
		p += len;
		if (!*p)
			return true;
	}
}
