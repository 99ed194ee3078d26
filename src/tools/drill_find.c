/* SPDX-License-Identifier: MIT */
/*
 * Which scripts `rill drill` runs: files as they are named, of directories all
 * *.pkt below them in the order of their paths.  Links to directories are not
 * followed, so a walk ends.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tools/drill.h"
#include "tools/out.h"

void names_add(struct names *l, const char *s)
{
	if (l->n == l->cap) {
		l->cap = l->cap ? 2 * l->cap : 64;
		l->v = realloc(l->v, l->cap * sizeof(*l->v));
	}
	if (!l->v || !(l->v[l->n] = strdup(s))) {
		complain("out of memory");
		exit(1);
	}
	l->n++;
}

void names_free(struct names *l)
{
	for (unsigned i = 0; i < l->n; i++)
		free(l->v[i]);
	free(l->v);
	memset(l, 0, sizeof(*l));
}

static int by_path(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_script(const char *name)
{
	size_t n = strlen(name);

	return n > 4 && !strcmp(name + n - 4, ".pkt");
}

/* One entry of a directory: a script, or a directory to look at later. */
static void sort_in(const char *dir, const char *name, struct names *dirs, struct names *files)
{
	const char *slash = dir[strlen(dir) - 1] == '/' ? "" : "/";
	char path[4096];
	struct stat st;

	if (name[0] == '.')
		return;
	if (snprintf(path, sizeof(path), "%s%s%s", dir, slash, name) >= (int)sizeof(path)) {
		complain("drill: %s/%s: path too long, left out", dir, name);
		return;
	}
	if (lstat(path, &st) < 0)
		return;			/* went away meanwhile */
	if (S_ISDIR(st.st_mode))
		names_add(dirs, path);
	else if (is_script(name) && stat(path, &st) == 0 && !S_ISDIR(st.st_mode))
		names_add(files, path);
}

static bool look_in(const char *dir, struct names *dirs, struct names *files)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	if (!d) {
		complain("drill: cannot read %s: %s", dir, strerror(errno));
		return false;
	}
	while ((e = readdir(d)) != NULL)
		sort_in(dir, e->d_name, dirs, files);
	closedir(d);
	return true;
}

static bool find_below(struct drill *d, const char *dir)
{
	struct names dirs = { 0 }, files = { 0 };
	bool ok = true;

	names_add(&dirs, dir);
	for (unsigned i = 0; ok && i < dirs.n; i++)
		ok = look_in(dirs.v[i], &dirs, &files);
	if (ok && !files.n) {
		complain("drill: no script (*.pkt) in %s", dir);
		ok = false;
	}
	if (ok)
		qsort(files.v, files.n, sizeof(*files.v), by_path);
	for (unsigned i = 0; ok && i < files.n; i++)
		names_add(&d->files, files.v[i]);
	names_free(&files);
	names_free(&dirs);
	return ok;
}

/* It can be read once only, however many seeds run it. */
static bool read_input(struct drill *d)
{
	FILE *copy = open_memstream(&d->input, &d->input_len);
	char buf[4096];
	size_t n;

	while (copy && (n = fread(buf, 1, sizeof(buf), stdin)) > 0)
		fwrite(buf, 1, n, copy);
	if (!copy || ferror(stdin) || fclose(copy)) {
		complain("drill: cannot read standard input");
		return false;
	}
	return true;
}

bool drill_find(struct drill *d, const char *path)
{
	struct stat st;

	if (!strcmp(path, "-")) {
		if (!d->input && !read_input(d))
			return false;
		names_add(&d->files, path);
		return true;
	}
	if (!*path || stat(path, &st) < 0) {
		complain("drill: %s: %s", *path ? path : "''",
			 *path ? strerror(errno) : "an empty name");
		return false;
	}
	if (S_ISDIR(st.st_mode))
		return find_below(d, path);
	names_add(&d->files, path);
	return true;
}
