/* SPDX-License-Identifier: MIT */
/*
 * Uploads of `rill serve`: PUT writes into a hidden file beside its target and
 * renames it when the last byte is there, so a reader sees the old or the new
 * content and a broken upload leaves nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/serve.h"

/* Directory part and last name of @path.  Return: 0 or -STATUS. */
static int open_target(struct server *s, struct upload *up, const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	char dir[HTTP_TARGET_MAX];
	struct stat st;

	if (!*name || !strcmp(name, "."))
		return -409;
	if (strlen(name) >= sizeof(up->name))
		return -414;
	snprintf(up->name, sizeof(up->name), "%s", name);
	snprintf(dir, sizeof(dir), "%.*s", slash ? (int)(slash - path) : 1,
		 slash ? path : ".");
	up->dir = serve_open(s, dir, O_RDONLY | O_DIRECTORY);
	if (up->dir < 0)
		return -serve_status(-up->dir);
	if (fstatat(up->dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		if (!S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode))
			return -409;
		up->existed = true;
	}
	return 0;
}

static int open_temporary(struct upload *up)
{
	static unsigned turn;

	for (int i = 0; i < 100; i++) {
		snprintf(up->tmp, sizeof(up->tmp), ".rill-put.%ld.%u", (long)getpid(),
			 turn++);
		up->fd = openat(up->dir, up->tmp,
				O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
		if (up->fd >= 0)
			return 0;
		if (errno != EEXIST)
			break;
	}
	up->tmp[0] = '\0';
	return -serve_status(errno);
}

static int refusal(const struct server *s, const struct http_head *h)
{
	if (s->read_only)
		return 405;
	if (h->has_content_range)
		return 400;			/* [RFC9110:14.5] */
	if (!h->chunked && h->length < 0)
		return 411;
	if (h->length >= 0 && (uint64_t)h->length > s->max_upload)
		return 413;
	return 0;
}

static int begin(struct server *s, struct hconn *c, const struct http_head *h,
		 const char *path)
{
	struct upload *up = calloc(1, sizeof(*up));
	int r;

	if (!up)
		return -503;
	up->dir = up->fd = -1;
	c->up = up;
	up->chunked = h->chunked;
	up->left = h->chunked ? s->max_upload : (uint64_t)h->length;
	r = open_target(s, up, path);
	return r < 0 ? r : open_temporary(up);
}

void serve_put(struct server *s, struct hconn *c, const struct http_head *h,
	       const char *path)
{
	int status = refusal(s, h), r;

	if (!status) {
		r = begin(s, c, h, path);
		status = -r;
	}
	if (status) {
		serve_put_abort(c);
		c->unread = h->chunked || h->length > 0;
		serve_error(s, c, status);
		return;
	}
	c->state = HC_BODY;
	c->since_ms = s->now_ms;
}

static int write_all(struct upload *up, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t w = write(up->fd, p, n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			return -serve_status(errno);
		p += w;
		n -= (size_t)w;
		up->got += (uint64_t)w;
	}
	return 0;
}

static int chunked_data(struct upload *up, const char *p, size_t n, size_t *used)
{
	struct http_str data;
	size_t u;
	int r;

	while (*used < n || up->ck.state == HTTP_CK_END) {
		switch (http_chunk_next(&up->ck, p + *used, n - *used, &u, &data)) {
		case HTTP_CHUNK_BAD:
			return -400;
		case HTTP_CHUNK_END:
			*used += u;
			return 1;
		case HTTP_CHUNK_MORE:
			*used += u;
			return 0;
		case HTTP_CHUNK_DATA:
			*used += u;
			if (up->got + data.n > up->left)
				return -413;
			r = write_all(up, data.p, data.n);
			if (r < 0)
				return r;
			break;
		}
	}
	return 0;
}

int serve_put_data(struct hconn *c, const char *p, size_t n, size_t *used)
{
	struct upload *up = c->up;
	int r;

	*used = 0;
	if (up->chunked)
		return chunked_data(up, p, n, used);
	*used = n < up->left ? n : (size_t)up->left;
	r = write_all(up, p, *used);
	if (r < 0)
		return r;
	up->left -= *used;
	return up->left == 0;
}

static void free_upload(struct hconn *c)
{
	struct upload *up = c->up;

	if (!up)
		return;
	if (up->fd >= 0)
		close(up->fd);
	if (up->dir >= 0)
		close(up->dir);
	free(up);
	c->up = NULL;
}

void serve_put_abort(struct hconn *c)
{
	if (c->up && c->up->tmp[0])
		unlinkat(c->up->dir, c->up->tmp, 0);
	free_upload(c);
}

void serve_put_end(struct server *s, struct hconn *c)
{
	struct upload *up = c->up;
	bool existed = up->existed;

	/* close() reports what delayed writing lost */
	if (close(up->fd) < 0 || renameat(up->dir, up->tmp, up->dir, up->name) < 0) {
		int status = serve_status(errno);

		up->fd = -1;
		serve_put_abort(c);
		serve_error(s, c, status);
		return;
	}
	up->fd = -1;
	free_upload(c);
	serve_reply(s, c, existed ? 204 : 201, "", NULL, 0, false);
}
