/* SPDX-License-Identifier: MIT */
/*
 * Cgroups of version 2: a number is the file handle of its directory, so the kernel
 * finds the path itself (open_by_handle_at, which needs CAP_DAC_READ_SEARCH).  The
 * mount is looked up once; what was asked for last is kept, since sockets of one
 * cgroup come in rows.  Called by filters and `rill ss -e`.
 */
#include "look/cgroup.h"

#include <fcntl.h>
#include <inttypes.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HANDLE_KERNFS	0xfe		/* FILEID_KERNFS */

/* Where cgroup2 is mounted; "" when it isn't. */
static const char *mount_point(void)
{
	static char where[512];
	static int known;
	struct mntent *m;
	FILE *f;

	if (known++)
		return where;
	f = setmntent("/proc/self/mounts", "re");
	while (f && !*where && (m = getmntent(f)) != NULL)
		if (!strcmp(m->mnt_type, "cgroup2"))
			snprintf(where, sizeof(where), "%s", m->mnt_dir);
	if (f)
		endmntent(f);
	return where;
}

uint64_t rl_cgroup_id(const char *path)
{
	union {
		struct file_handle	head;
		char			room[sizeof(struct file_handle) + 64];
	} h = { .head.handle_bytes = sizeof(uint64_t) };
	char full[1024];
	uint64_t id;
	int mount;

	if (!*mount_point() ||
	    (size_t)snprintf(full, sizeof(full), "%s/%s", mount_point(), path) >= sizeof(full))
		return 0;
	if (name_to_handle_at(AT_FDCWD, full, &h.head, &mount, 0) < 0 ||
	    h.head.handle_bytes != sizeof(id))
		return 0;
	memcpy(&id, h.head.f_handle, sizeof(id));
	return id;
}

/* Return: length of the path behind @root, or -1. */
static ssize_t read_path(uint64_t id, const char *root, char *buf, size_t n)
{
	union {
		struct file_handle	head;
		char			room[sizeof(struct file_handle) + sizeof(uint64_t)];
	} h = { .head = { .handle_bytes = sizeof(id), .handle_type = HANDLE_KERNFS } };
	int mount = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd;
	size_t skip = strlen(root);
	char link[40];
	ssize_t len = -1;

	memcpy(h.head.f_handle, &id, sizeof(id));
	fd = mount < 0 ? -1 : open_by_handle_at(mount, &h.head, O_PATH | O_CLOEXEC);
	if (fd >= 0) {
		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		len = readlink(link, buf, n - 1);
		close(fd);
	}
	if (mount >= 0)
		close(mount);
	if (len < (ssize_t)skip || memcmp(buf, root, skip) != 0)
		return -1;
	buf[len] = '\0';
	memmove(buf, buf + skip, (size_t)len - skip + 1);
	return len - (ssize_t)skip;
}

const char *rl_cgroup_path(uint64_t id, char *buf, size_t n)
{
	static uint64_t last;
	static char text[1024];
	ssize_t len;

	if (id != last || !*text) {
		len = *mount_point() ? read_path(id, mount_point(), text, sizeof(text)) : -1;
		if (len < 0)
			snprintf(text, sizeof(text), "unreachable:%" PRIx64, id);
		else if (len == 0)
			snprintf(text, sizeof(text), "/");
		last = id;
	}
	snprintf(buf, n, "%s", text);
	return buf;
}
