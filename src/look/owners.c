/* SPDX-License-Identifier: MIT */
/*
 * Who holds a socket: a walk over /proc/PID/fd, whose links of sockets name the
 * inode that sock_diag reports too.  Programs of other users are left out by the
 * kernel; a socket of theirs then has no owner here.  One entry a descriptor,
 * sorted by inode.  Called by table.c once a walk.
 */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "look/source.h"

struct entry {
	uint64_t		inode;
	struct rill_owner	who;
};

struct rl_owners {
	struct entry		*e;
	struct rill_owner	*who;		/* of e[], in its order, for callers */
	size_t			 n, cap;
};

static bool add(struct rl_owners *o, const struct entry *e)
{
	if (o->n == o->cap) {
		size_t cap = o->cap ? 2 * o->cap : 256;
		struct entry *p = realloc(o->e, cap * sizeof(*p));

		if (!p)
			return false;
		o->e = p;
		o->cap = cap;
	}
	o->e[o->n++] = *e;
	return true;
}

/* A process names itself as it likes, and the name goes to terminals: no controls. */
static void read_comm(int dir, char comm[16])
{
	int fd = openat(dir, "comm", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, comm, 15);

	if (fd >= 0)
		close(fd);
	comm[n > 0 ? n : 0] = '\0';
	comm[strcspn(comm, "\n")] = '\0';
	for (char *p = comm; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
}

/* Return: the inode that @dir/@name stands for, 0 when it is no socket. */
static uint64_t socket_inode(int dir, const char *name)
{
	char link[64];
	ssize_t n = readlinkat(dir, name, link, sizeof(link) - 1);

	if (n <= 8 || memcmp(link, "socket:[", 8) != 0)
		return 0;
	link[n] = '\0';
	return strtoull(link + 8, NULL, 10);
}

/* Return: false without memory. */
static bool one_process(struct rl_owners *o, int proc, const char *pid)
{
	int dir = openat(proc, pid, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fds = dir < 0 ? -1 : openat(dir, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct entry e = { .who.pid = atoi(pid) };
	DIR *d = fds < 0 ? NULL : fdopendir(fds);
	struct dirent *de;
	bool ok = true;

	while (d && ok && (de = readdir(d)) != NULL) {
		if (!isdigit((unsigned char)de->d_name[0]))
			continue;
		e.inode = socket_inode(fds, de->d_name);
		if (!e.inode)
			continue;
		if (!e.who.comm[0])
			read_comm(dir, e.who.comm);
		e.who.fd = atoi(de->d_name);
		ok = add(o, &e);
	}
	if (d)
		closedir(d);
	else if (fds >= 0)
		close(fds);
	if (dir >= 0)
		close(dir);
	return ok;
}

static int by_inode(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->inode != y->inode)
		return x->inode < y->inode ? -1 : 1;
	if (x->who.pid != y->who.pid)
		return x->who.pid < y->who.pid ? -1 : 1;
	return (x->who.fd > y->who.fd) - (x->who.fd < y->who.fd);
}

struct rl_owners *rl_owners_read(void)
{
	struct rl_owners *o = calloc(1, sizeof(*o));
	DIR *d = o ? opendir("/proc") : NULL;
	struct dirent *de;
	bool ok = o != NULL;

	while (d && ok && (de = readdir(d)) != NULL)
		if (isdigit((unsigned char)de->d_name[0]))
			ok = one_process(o, dirfd(d), de->d_name);
	if (d)
		closedir(d);
	if (ok && o->n) {
		qsort(o->e, o->n, sizeof(*o->e), by_inode);
		o->who = malloc(o->n * sizeof(*o->who));
		ok = o->who != NULL;
	}
	if (!ok) {
		rl_owners_free(o);
		return NULL;
	}
	for (size_t i = 0; i < o->n; i++)
		o->who[i] = o->e[i].who;
	return o;
}

void rl_owners_free(struct rl_owners *o)
{
	if (!o)
		return;
	free(o->e);
	free(o->who);
	free(o);
}

const struct rill_owner *rl_owners_of(const struct rl_owners *o, uint64_t inode, unsigned *n)
{
	size_t lo = 0, hi = o->n, end;

	*n = 0;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (o->e[mid].inode < inode)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (end = lo; end < o->n && o->e[end].inode == inode; end++)
		(*n)++;
	return *n ? &o->who[lo] : NULL;
}
