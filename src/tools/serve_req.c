/* SPDX-License-Identifier: MIT */
/*
 * From a request to its response [RFC9110]: GET and HEAD of files and
 * directories with conditions and ranges; PUT goes on in serve_put.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "run/ctl.h"
#include "tools/serve.h"

int serve_status(int err)
{
	switch (err) {
	case ENOENT:
	case ENOTDIR:
	case ENAMETOOLONG:
		return 404;
	case EACCES:
	case EPERM:
	case EXDEV:		/* leads out of the served directory */
	case ELOOP:
	case EROFS:
	case ENXIO:
		return 403;
	case EISDIR:
	case ENOTEMPTY:
		return 409;
	case EMFILE:
	case ENFILE:
	case ENOMEM:
		return 503;
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return 507;
	}
	return 500;
}

static const char *date(struct server *s)
{
	time_t t = time(NULL);

	if (t != s->date_of || !s->date[0]) {
		http_date(t, s->date);
		s->date_of = t;
	}
	return s->date;
}

/* Head of a response into @c->out, with @room behind it for a body. */
static bool put_head(struct server *s, struct hconn *c, int status, const char *extra,
		     uint64_t length, size_t room)
{
	char head[HTTP_TARGET_MAX * 3 + 1024], len[48] = "";
	int n;

	if (status >= 200 && status != 204 && status != 304)
		snprintf(len, sizeof(len), "Content-Length: %" PRIu64 "\r\n", length);
	n = snprintf(head, sizeof(head), "HTTP/1.1 %d %s\r\nDate: %s\r\n"
		     "Server: rill/" RILL_VERSION "\r\n%s%s%s\r\n", status,
		     http_reason(status), date(s), len, extra,
		     c->keep ? "" : "Connection: close\r\n");
	if (n < 0 || (size_t)n >= sizeof(head))
		return false;
	free(c->out);
	c->out = malloc((size_t)n + room);
	if (!c->out)
		return false;
	memcpy(c->out, head, (size_t)n);
	c->out_len = (size_t)n;
	c->out_off = 0;
	return true;
}

void serve_reply(struct server *s, struct hconn *c, int status, const char *extra,
		 const void *body, uint64_t body_len, bool send_body)
{
	size_t room = send_body ? (size_t)body_len : 0;

	c->status = status;
	c->state = HC_SEND;
	c->since_ms = s->now_ms;
	c->sent = 0;
	if (s->stopping)
		c->keep = false;
	if (!put_head(s, c, status, extra, body_len, room)) {
		c->keep = false;		/* nothing to send: only close */
		c->out_len = c->out_off = 0;
		return;
	}
	if (room) {
		memcpy(c->out + c->out_len, body, room);
		c->out_len += room;
		c->sent = room;
	}
}

void serve_error(struct server *s, struct hconn *c, int status)
{
	const char *allow = status != 405 ? "" : s->read_only ?
		"Allow: GET, HEAD\r\n" : "Allow: GET, HEAD, PUT\r\n";
	char body[128], extra[128];
	int n = snprintf(body, sizeof(body), "%d %s\n", status, http_reason(status));

	snprintf(extra, sizeof(extra), "Content-Type: text/plain\r\n%s", allow);
	/* after a request that we can't read to its end the stream means nothing */
	if (c->unread || (status >= 400 && status != 403 && status != 404 &&
			  status != 409 && status != 416))
		c->keep = false;
	serve_reply(s, c, status, extra, body, (uint64_t)n, true);
}

/* ---- GET and HEAD ---- */

struct file {
	int		fd;
	struct stat	st;
	char		etag[64], modified[HTTP_DATE_LEN];
	uint64_t	first, last, size;
};

static bool unchanged(const struct http_head *h, const struct file *f)
{
	if (h->if_none_match.p)
		return http_etag_in(h->if_none_match, f->etag);
	if (h->if_modified_since.p) {
		time_t t = http_parse_date(h->if_modified_since);

		return t != -1 && f->st.st_mtime <= t;
	}
	return false;
}

/* A range of another version of the file is no use [RFC9110:13.1.5]. */
static bool range_wanted(const struct http_head *h, const struct file *f)
{
	if (!h->range.p || h->method != HTTP_GET)
		return false;
	return !h->if_range.p || http_str_is(h->if_range, f->etag) ||
	       http_str_is(h->if_range, f->modified);
}

/* Body from @f->first to @f->last: small ones behind the head, large ones mapped. */
static bool attach_body(struct hconn *c, struct file *f, int status, struct server *s,
			const char *extra)
{
	uint64_t len = f->last - f->first + 1;
	bool small = len <= SERVE_SMALL;
	ssize_t n;

	if (!put_head(s, c, status, extra, len, small ? (size_t)len : 0))
		return false;
	c->sent = len;
	if (!small) {
		c->map = mmap(NULL, f->size, PROT_READ, MAP_SHARED, f->fd, 0);
		if (c->map == MAP_FAILED) {
			c->map = NULL;
			return false;
		}
		madvise(c->map, f->size, MADV_SEQUENTIAL);
		c->map_len = f->size;
		c->body_off = f->first;
		c->body_end = f->last + 1;
		return true;
	}
	n = pread(f->fd, c->out + c->out_len, (size_t)len, (off_t)f->first);
	if (n != (ssize_t)len)			/* cut short just now */
		return false;
	c->out_len += (size_t)len;
	return true;
}

static void reply_file(struct server *s, struct hconn *c, struct file *f, int status,
		       const char *extra, bool head_only)
{
	uint64_t len = f->size ? f->last - f->first + 1 : 0;

	if (head_only || !len) {
		serve_reply(s, c, status, extra, NULL, len, false);
		return;
	}
	c->status = status;
	c->state = HC_SEND;
	c->since_ms = s->now_ms;
	if (s->stopping)
		c->keep = false;
	if (!attach_body(c, f, status, s, extra))
		serve_error(s, c, 500);
}

static void get_file(struct server *s, struct hconn *c, const struct http_head *h,
		     struct file *f, const char *path)
{
	char extra[512], range[80] = "";
	int status = 200;

	f->size = (uint64_t)f->st.st_size;
	f->first = 0;
	f->last = f->size - 1;
	snprintf(f->etag, sizeof(f->etag), "\"%" PRIx64 "-%" PRIx64 "%09lx\"", f->size,
		 (uint64_t)f->st.st_mtim.tv_sec, (unsigned long)f->st.st_mtim.tv_nsec);
	http_date(f->st.st_mtime, f->modified);
	snprintf(extra, sizeof(extra), "ETag: %s\r\nLast-Modified: %s\r\n", f->etag,
		 f->modified);
	if (unchanged(h, f)) {
		serve_reply(s, c, 304, extra, NULL, 0, false);
		return;
	}
	if (range_wanted(h, f)) {
		switch (http_parse_range(h->range, f->size, &f->first, &f->last)) {
		case HTTP_RANGE_BAD:
			snprintf(extra, sizeof(extra), "Content-Range: bytes */%" PRIu64
				 "\r\n", f->size);
			serve_reply(s, c, 416, extra, NULL, 0, false);
			return;
		case HTTP_RANGE_ONE:
			status = 206;
			snprintf(range, sizeof(range), "Content-Range: bytes %" PRIu64 "-%"
				 PRIu64 "/%" PRIu64 "\r\n", f->first, f->last, f->size);
			break;
		case HTTP_RANGE_NONE:
			f->first = 0;
			f->last = f->size - 1;
			break;
		}
	}
	snprintf(extra, sizeof(extra), "ETag: %s\r\nLast-Modified: %s\r\n"
		 "Content-Type: %s\r\nAccept-Ranges: bytes\r\n%s", f->etag, f->modified,
		 http_content_type(path), range);
	reply_file(s, c, f, status, extra, h->method == HTTP_HEAD);
}

static void redirect_to_dir(struct server *s, struct hconn *c, const char *path)
{
	char url[HTTP_TARGET_MAX * 3 + 8], extra[HTTP_TARGET_MAX * 3 + 64];

	http_escape_url(path, url, sizeof(url));
	snprintf(extra, sizeof(extra), "Location: /%s/\r\n", url);
	serve_reply(s, c, 301, extra, NULL, 0, false);
}

/* Takes @fd. */
static void get_dir(struct server *s, struct hconn *c, const struct http_head *h,
		    int fd, const char *path)
{
	size_t len = 0;
	char *text;

	if (strcmp(path, ".") && path[strlen(path) - 1] != '/') {
		close(fd);
		redirect_to_dir(s, c, path);
		return;
	}
	text = serve_listing(fd, path, &len);
	if (text)
		serve_reply(s, c, 200, "Content-Type: text/html; charset=utf-8\r\n", text,
			    len, h->method == HTTP_GET);
	else
		serve_error(s, c, 503);
	free(text);
}

/* A directory shows its index.html, where it has one. */
static int open_index(int dir)
{
	return openat(dir, "index.html", O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
}

static void get(struct server *s, struct hconn *c, const struct http_head *h,
		const char *path)
{
	struct file f;
	int index;

	f.fd = serve_open(s, path, O_RDONLY | O_NONBLOCK);
	if (f.fd < 0 || fstat(f.fd, &f.st) < 0) {
		serve_error(s, c, serve_status(f.fd < 0 ? -f.fd : errno));
		if (f.fd >= 0)
			close(f.fd);
		return;
	}
	if (S_ISDIR(f.st.st_mode) && (!strcmp(path, ".") || path[strlen(path) - 1] == '/') &&
	    (index = open_index(f.fd)) >= 0) {
		close(f.fd);
		f.fd = index;
		path = "index.html";
		if (fstat(f.fd, &f.st) < 0)
			f.st.st_mode = 0;
	}
	if (S_ISDIR(f.st.st_mode)) {
		get_dir(s, c, h, f.fd, path);
		return;
	}
	if (S_ISREG(f.st.st_mode))
		get_file(s, c, h, &f, path);
	else
		serve_error(s, c, 403);
	close(f.fd);
}

/* ---- all methods ---- */

static void note_for_log(struct server *s, struct hconn *c, const struct http_head *h)
{
	size_t n = h->method_name.n + h->target.n + 2;

	if (!s->verbose)
		return;
	free(c->log);
	c->log = malloc(n);
	if (c->log)
		snprintf(c->log, n, "%.*s %.*s", (int)h->method_name.n, h->method_name.p,
			 (int)h->target.n, h->target.p);
}

void serve_request(struct server *s, struct hconn *c, struct http_head *h)
{
	char path[HTTP_TARGET_MAX];
	int r = http_target_path(h->target, path, sizeof(path));

	note_for_log(s, c, h);
	c->keep = h->keep_alive;
	c->unread = h->chunked || h->length > 0;
	if (r < 0) {
		serve_error(s, c, -r);
		return;
	}
	if (h->expect_other) {
		serve_error(s, c, 417);
		return;
	}
	switch (h->method) {
	case HTTP_GET:
	case HTTP_HEAD:
		if (c->unread)
			c->keep = false;
		get(s, c, h, path);
		return;
	case HTTP_PUT:
		c->unread = false;
		serve_put(s, c, h, path);
		return;
	case HTTP_OTHER_KNOWN:
		serve_error(s, c, 405);
		return;
	case HTTP_UNKNOWN:
		serve_error(s, c, 501);
		return;
	}
}
