/* SPDX-License-Identifier: MIT */
/* HTTP/1.1 as text: heads, ranges, dates, chunks, paths [RFC9110, RFC9112]. */
#ifndef RL_TOOLS_HTTP_H
#define RL_TOOLS_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define HTTP_HEAD_MAX	16384		/* request or status line and fields */
#define HTTP_TARGET_MAX	8000
#define HTTP_FIELDS_MAX	100

/* A piece of somebody's buffer. */
struct http_str {
	const char	*p;		/* NULL: absent */
	size_t		 n;
};

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_PUT, HTTP_OTHER_KNOWN, HTTP_UNKNOWN };

/* A request or response head; the strings point into the parsed buffer. */
struct http_head {
	enum http_method method;	/* requests */
	struct http_str	 method_name, target;
	int		 status;	/* responses */
	struct http_str	 reason;
	int		 minor;		/* of HTTP/1.x */
	int64_t		 length;	/* Content-Length; -1: none */
	bool		 chunked, other_coding;
	bool		 keep_alive;	/* version and Connection together */
	bool		 expect_continue, expect_other;
	bool		 has_host;
	bool		 has_content_range;
	struct http_str	 range, if_range, if_none_match, if_modified_since, location;
};

/**
 * Parse the head at the start of @buf.
 * Return: its length with the empty line; 0: not complete yet; or -STATUS of the
 * error to answer with (400, 414, 431, 501, 505).
 */
int http_parse_request(const char *buf, size_t n, struct http_head *h);
/** The same for a response; any negative value is an error. */
int http_parse_response(const char *buf, size_t n, struct http_head *h);

/** The digit's value, or -1. */
int http_hex(char ch);

bool http_str_is(struct http_str s, const char *text);	/* letter case counts not */

enum http_range { HTTP_RANGE_NONE, HTTP_RANGE_ONE, HTTP_RANGE_BAD };

/**
 * One byte range of something @size bytes long [RFC9110:14.1.2].  Several
 * ranges, other units and nonsense count as no range, which is allowed.
 */
enum http_range http_parse_range(struct http_str s, uint64_t size,
				 uint64_t *first, uint64_t *last);

/** "Sun, 06 Nov 1994 08:49:37 GMT", and back; -1: not a date. */
#define HTTP_DATE_LEN	32
const char *http_date(time_t t, char buf[HTTP_DATE_LEN]);
time_t http_parse_date(struct http_str s);

/** True when a list of entity tags (If-None-Match) has @etag or "*". */
bool http_etag_in(struct http_str list, const char *etag);

/**
 * A request target to a relative path: %XX decoded, query cut off, "." for the
 * root, a trailing '/' kept.
 * Return: 0, or -400: not a path, bad escape, NUL, a ".." part; -414: too long.
 */
int http_target_path(struct http_str target, char *out, size_t n);

/** @s as part of a URL or of HTML text; cut to @n. */
void http_escape_url(const char *s, char *out, size_t n);
void http_escape_html(const char *s, char *out, size_t n);

const char *http_reason(int status);
const char *http_content_type(const char *path);

/* ---- chunked bodies [RFC9112:7.1] ---- */

enum http_chunk_state { HTTP_CK_SIZE, HTTP_CK_EXT, HTTP_CK_DATA, HTTP_CK_CRLF,
			HTTP_CK_TRAILER, HTTP_CK_END };

struct http_chunked {			/* zeroed at first */
	enum http_chunk_state	state;
	uint64_t		left;		/* size so far, or data left */
	unsigned		digits, line, trailer;
	bool			cr;
};

enum http_chunk { HTTP_CHUNK_MORE, HTTP_CHUNK_DATA, HTTP_CHUNK_END, HTTP_CHUNK_BAD };

/**
 * Decode up to the next piece of data.  @used bytes of @in are done with
 * (@data, which points into @in, included).
 */
enum http_chunk http_chunk_next(struct http_chunked *c, const char *in, size_t n,
				size_t *used, struct http_str *data);

/* ---- http://HOST:PORT/PATH ---- */

struct http_url {
	char	host[256];		/* without brackets */
	char	port[6];
	char	path[HTTP_TARGET_MAX];	/* with query; "/" at least */
	char	authority[272];		/* as it goes into Host: */
};

/** Return: NULL, or what is wrong with it. */
const char *http_parse_url(const char *s, struct http_url *u);

#endif
