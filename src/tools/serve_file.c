/* SPDX-License-Identifier: MIT */
/*
 * Files of `rill serve`: opened below the served directory and nowhere else,
 * sent out of a mapping, directories as HTML.
 *
 * A mapped file that somebody cuts short raises SIGBUS in the middle of a send.
 * The handler puts zero pages under the rest of the mapping and leaves a mark;
 * the connection is then reset, so the zeros never pass for the file.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tools/serve.h"

#define LIST_MAX	10000		/* entries of one listing */

/* ---- opening ---- */

/* Before Linux 5.6, or where a sandbox forbids openat2: no links at all. */
static int open_by_steps(int root, const char *path, int flags)
{
	char part[256];
	int dir = dup(root), next;

	while (dir >= 0) {
		size_t n = strcspn(path, "/");
		bool last = path[n] == '\0' || path[n + 1] == '\0';

		if (n >= sizeof(part)) {
			close(dir);
			return -ENAMETOOLONG;
		}
		memcpy(part, path, n);
		part[n] = '\0';
		next = openat(dir, n ? part : ".", O_CLOEXEC | O_NOFOLLOW |
			      (last ? flags : O_PATH) |
			      (path[n] == '/' ? O_DIRECTORY : 0));
		if (next < 0)
			next = -errno;
		close(dir);
		if (next < 0 || last)
			return next;
		dir = next;
		path += n + 1;
	}
	return -errno;
}

int serve_open(struct server *s, const char *path, int flags)
{
	struct open_how how = {
		.flags = (uint64_t)(flags | O_CLOEXEC),
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};
	long fd = syscall(SYS_openat2, s->root, path, &how, sizeof(how));

	if (fd >= 0)
		return (int)fd;
	if (errno == ENOSYS || errno == EPERM)
		return open_by_steps(s->root, path, flags);
	return -errno;
}

/* ---- sending out of a mapping ---- */

static char *volatile guard_from;	/* the mapping in use, NULL: none */
static volatile size_t guard_len;
static volatile sig_atomic_t guard_hit;

static void on_sigbus(int sig, siginfo_t *info, void *ctx)
{
	char *at = info->si_addr, *from = guard_from;
	uintptr_t page = (uintptr_t)at & ~(uintptr_t)4095;

	(void)ctx;
	if (from && at >= from && at < from + guard_len &&
	    mmap((void *)page, guard_len - (page - (uintptr_t)from), PROT_READ,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED) {
		guard_hit = 1;
		return;
	}
	signal(sig, SIG_DFL);		/* a fault of our own: die of it */
}

void serve_guard_install(void)
{
	struct sigaction sa = { .sa_flags = SA_SIGINFO };

	sa.sa_sigaction = on_sigbus;
	sigaction(SIGBUS, &sa, NULL);
}

ssize_t serve_guarded_writev(struct hconn *c, const struct iovec *iov, int n)
{
	ssize_t r;

	guard_hit = 0;
	guard_len = c->map_len;
	guard_from = c->map;
	r = rill_writev(c->fd, iov, n);
	guard_from = NULL;
	return guard_hit ? -EIO : r;
}

/* ---- directories ---- */

struct entry {
	char		name[256];
	struct stat	st;
};

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

static void put_entry(FILE *f, const struct entry *e)
{
	char url[3 * 256 + 8], text[6 * 256 + 8], date[24] = "";
	const char *slash = S_ISDIR(e->st.st_mode) ? "/" : "";
	struct tm tm;

	http_escape_url(e->name, url, sizeof(url));
	http_escape_html(e->name, text, sizeof(text));
	if (gmtime_r(&e->st.st_mtime, &tm))
		strftime(date, sizeof(date), "%Y-%m-%d %H:%M", &tm);
	/* "./": a name like "a:b" is no scheme */
	fprintf(f, "<tr><td><a href=\"./%s%s\">%s%s</a></td><td>%s</td><td>", url, slash,
		text, slash, date);
	if (S_ISREG(e->st.st_mode))
		fprintf(f, "%lld", (long long)e->st.st_size);
	fputs("</td></tr>\n", f);
}

static size_t read_entries(DIR *d, struct entry *list, bool *more)
{
	struct dirent *de;
	size_t n = 0;

	*more = false;
	while ((de = readdir(d)) != NULL) {
		if (de->d_name[0] == '.')		/* hidden, as in ls */
			continue;
		if (n == LIST_MAX) {
			*more = true;
			break;
		}
		snprintf(list[n].name, sizeof(list[n].name), "%s", de->d_name);
		if (fstatat(dirfd(d), de->d_name, &list[n].st, 0) == 0)
			n++;
	}
	qsort(list, n, sizeof(*list), by_name);
	return n;
}

static void put_listing(FILE *f, DIR *d, struct entry *list, const char *path)
{
	char title[4096];
	bool more;
	size_t n = read_entries(d, list, &more);

	http_escape_html(strcmp(path, ".") ? path : "", title, sizeof(title));
	fprintf(f, "<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\">"
		"<title>/%s</title></head>\n<body><h1>/%s</h1>\n<table>\n", title, title);
	if (strcmp(path, "."))
		fputs("<tr><td><a href=\"../\">../</a></td></tr>\n", f);
	for (size_t i = 0; i < n; i++)
		put_entry(f, &list[i]);
	fprintf(f, "</table>\n%s</body></html>\n",
		more ? "<p>There are more; the list ends here.</p>\n" : "");
}

char *serve_listing(int fd, const char *path, size_t *len)
{
	struct entry *list = calloc(LIST_MAX, sizeof(*list));
	char *text = NULL;
	DIR *d = fdopendir(fd);
	FILE *f = open_memstream(&text, len);

	if (list && d && f)
		put_listing(f, d, list, path);
	if (f && fclose(f) != 0) {
		free(text);
		text = NULL;
	}
	if (!list || !d) {
		free(text);
		text = NULL;
	}
	if (d)
		closedir(d);
	else
		close(fd);
	free(list);
	return text;
}
