/* SPDX-License-Identifier: MIT */
/*
 * Where control sockets lie.  Writers take the first place that works, readers
 * look into all of them: root in a user namespace may not be able to use /run.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "run/ctl.h"

static int put(char *buf, size_t n, const char *dir, const char *tail)
{
	int len = snprintf(buf, n, "%s%s", dir, tail);

	return len < 0 || (size_t)len >= n ? -ENAMETOOLONG : 0;
}

int rl_ctl_dir(unsigned i, char *buf, size_t n)
{
	const char *own = getenv("RILL_RUN_DIR"), *xdg = getenv("XDG_RUNTIME_DIR");
	char tmp[32];

	if (own && *own)
		return i == 0 ? put(buf, n, own, "") : -ENOENT;
	if (geteuid() == 0 && i-- == 0)
		return put(buf, n, "/run/rill", "");
	if (geteuid() == 0 && xdg && !strcmp(xdg, "/run"))
		xdg = NULL;		/* the same place, asked for already */
	if (xdg && *xdg == '/' && i-- == 0)
		return put(buf, n, xdg, "/rill");
	if (i > 0)
		return -ENOENT;
	snprintf(tmp, sizeof(tmp), "%lu", (unsigned long)geteuid());
	return put(buf, n, "/tmp/rill-", tmp);
}

bool rl_ctl_dir_ok(const char *dir)
{
	struct stat st;

	return lstat(dir, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid() &&
	       (st.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}
