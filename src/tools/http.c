/* SPDX-License-Identifier: MIT */
/*
 * HTTP/1.1 message heads [RFC9112:3-5].  Pure functions over the caller's
 * buffer: no allocation, no I/O; every length is limited, and what is ambiguous
 * between two readers (a length given twice, a length beside chunks, a blank
 * before the colon, folded lines) is refused rather than guessed.
 * Called by cmd_serve.c's and cmd_get.c's parts; fuzzed by fuzz/http.c.
 */
#include "tools/http.h"

#include <string.h>
#include <strings.h>

bool http_str_is(struct http_str s, const char *text)
{
	return s.p && strlen(text) == s.n && !strncasecmp(s.p, text, s.n);
}

static bool is_digit(char ch)
{
	return ch >= '0' && ch <= '9';
}

/* [RFC9110:5.6.2] */
static bool is_token(char ch)
{
	if (is_digit(ch) || ((ch | 32) >= 'a' && (ch | 32) <= 'z'))
		return true;
	return ch && strchr("!#$%&'*+-.^_`|~", ch);
}

static struct http_str trim(struct http_str s)
{
	while (s.n && (s.p[0] == ' ' || s.p[0] == '\t')) {
		s.p++;
		s.n--;
	}
	while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	return s;
}

/*
 * Cut one line off @s, which holds whole lines.  A bare LF ends a line too
 * [RFC9112:2.2]; a CR elsewhere, or a NUL, is refused by returning false.
 */
static bool next_line(struct http_str *s, struct http_str *line)
{
	const char *nl = memchr(s->p, '\n', s->n);

	if (!nl)
		return false;
	line->p = s->p;
	line->n = (size_t)(nl - s->p);
	if (line->n && nl[-1] == '\r')
		line->n--;
	s->n -= (size_t)(nl + 1 - s->p);
	s->p = nl + 1;
	return !memchr(line->p, '\r', line->n) && !memchr(line->p, '\0', line->n);
}

/* Length of the head with its empty line, 0 when that has not arrived. */
static size_t head_length(const char *buf, size_t n)
{
	const char *p = buf, *nl;

	while ((nl = memchr(p, '\n', n - (size_t)(p - buf))) != NULL) {
		bool empty = nl == p || (nl == p + 1 && *p == '\r');

		p = nl + 1;
		if (empty)
			return (size_t)(p - buf);
	}
	return 0;
}

/* ---- fields ---- */

static bool parse_length(struct http_str v, int64_t *out)
{
	int64_t len = 0;

	if (!v.n || v.n > 18)		/* fits 63 bits */
		return false;
	for (size_t i = 0; i < v.n; i++) {
		if (!is_digit(v.p[i]))
			return false;
		len = len * 10 + (v.p[i] - '0');
	}
	*out = len;
	return true;
}

/* Next member of a comma-separated list. */
static bool next_member(struct http_str *list, struct http_str *m)
{
	const char *comma;

	if (!list->n)
		return false;
	comma = memchr(list->p, ',', list->n);
	m->p = list->p;
	m->n = comma ? (size_t)(comma - list->p) : list->n;
	list->n -= m->n + (comma ? 1 : 0);
	list->p += m->n + (comma ? 1 : 0);
	*m = trim(*m);
	return true;
}

static void on_connection(struct http_head *h, struct http_str v)
{
	struct http_str m;

	while (next_member(&v, &m)) {
		if (http_str_is(m, "close"))
			h->keep_alive = false;
		else if (http_str_is(m, "keep-alive") && h->minor == 0)
			h->keep_alive = true;
	}
}

/* Nothing but "chunked", once, is understood. */
static void on_coding(struct http_head *h, struct http_str v)
{
	if (http_str_is(v, "chunked") && !h->chunked)
		h->chunked = true;
	else
		h->other_coding = true;
}

static int on_field(struct http_head *h, struct http_str name, struct http_str v)
{
	int64_t len;

	if (http_str_is(name, "content-length")) {
		if (!parse_length(v, &len) || (h->length >= 0 && h->length != len))
			return -400;
		h->length = len;
	} else if (http_str_is(name, "host")) {
		if (h->has_host)
			return -400;			/* [RFC9112:3.2] */
		h->has_host = true;
	} else if (http_str_is(name, "connection")) {
		on_connection(h, v);
	} else if (http_str_is(name, "transfer-encoding")) {
		on_coding(h, v);
	} else if (http_str_is(name, "expect")) {
		h->expect_continue = http_str_is(v, "100-continue");
		h->expect_other = !h->expect_continue;
	} else if (http_str_is(name, "range")) {
		h->range = v;
	} else if (http_str_is(name, "if-range")) {
		h->if_range = v;
	} else if (http_str_is(name, "if-none-match")) {
		h->if_none_match = v;
	} else if (http_str_is(name, "if-modified-since")) {
		h->if_modified_since = v;
	} else if (http_str_is(name, "location")) {
		h->location = v;
	} else if (http_str_is(name, "content-range")) {
		h->has_content_range = true;
	}
	return 0;
}

static int parse_field(struct http_head *h, struct http_str line)
{
	const char *colon = memchr(line.p, ':', line.n);
	struct http_str name, v;

	if (!colon || colon == line.p)
		return -400;
	name.p = line.p;
	name.n = (size_t)(colon - line.p);
	for (size_t i = 0; i < name.n; i++)
		if (!is_token(name.p[i]))	/* blank before ':', folded line */
			return -400;
	v.p = colon + 1;
	v.n = line.n - name.n - 1;
	return on_field(h, name, trim(v));
}

static int parse_fields(struct http_head *h, struct http_str rest)
{
	struct http_str line;
	int r;

	for (int i = 0; i <= HTTP_FIELDS_MAX; i++) {
		if (!next_line(&rest, &line))
			return -400;
		if (!line.n)
			return h->chunked && h->length >= 0 ? -400 : 0;
		r = parse_field(h, line);
		if (r < 0)
			return r;
	}
	return -431;
}

/* ---- start lines ---- */

static int parse_version(struct http_head *h, struct http_str v)
{
	if (v.n != 8 || memcmp(v.p, "HTTP/", 5) || !is_digit(v.p[5]) || v.p[6] != '.' ||
	    !is_digit(v.p[7]))
		return -400;
	if (v.p[5] != '1')
		return -505;
	h->minor = v.p[7] - '0';
	h->keep_alive = h->minor >= 1;
	return 0;
}

static enum http_method method_of(struct http_str s)
{
	static const char *const known[] = { "POST", "DELETE", "OPTIONS", "TRACE",
					     "CONNECT", "PATCH" };

	if (s.n == 3 && !memcmp(s.p, "GET", 3))
		return HTTP_GET;
	if (s.n == 4 && !memcmp(s.p, "HEAD", 4))
		return HTTP_HEAD;
	if (s.n == 3 && !memcmp(s.p, "PUT", 3))
		return HTTP_PUT;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (s.n == strlen(known[i]) && !memcmp(s.p, known[i], s.n))
			return HTTP_OTHER_KNOWN;
	return HTTP_UNKNOWN;
}

static int parse_request_line(struct http_head *h, struct http_str line)
{
	const char *sp1 = memchr(line.p, ' ', line.n);
	const char *end = line.p + line.n, *sp2;
	struct http_str v;

	if (!sp1)
		return -400;
	h->method_name = (struct http_str){ line.p, (size_t)(sp1 - line.p) };
	for (size_t i = 0; i < h->method_name.n; i++)
		if (!is_token(line.p[i]))
			return -400;
	sp2 = memchr(sp1 + 1, ' ', (size_t)(end - sp1 - 1));
	if (!sp2 || !h->method_name.n)
		return -400;
	h->target = (struct http_str){ sp1 + 1, (size_t)(sp2 - sp1 - 1) };
	v = (struct http_str){ sp2 + 1, (size_t)(end - sp2 - 1) };
	if (!h->target.n)
		return -400;
	if (h->target.n > HTTP_TARGET_MAX)
		return -414;
	h->method = method_of(h->method_name);
	return parse_version(h, v);
}

static void init_head(struct http_head *h)
{
	*h = (struct http_head){ .length = -1, .method = HTTP_UNKNOWN };
}

/* Empty lines before a request are skipped [RFC9112:2.2]; bounded by the head. */
static size_t skip_empty(const char *buf, size_t n)
{
	size_t i = 0;

	while (i < n && (buf[i] == '\r' || buf[i] == '\n'))
		i++;
	return i;
}

int http_parse_request(const char *buf, size_t n, struct http_head *h)
{
	size_t skip = skip_empty(buf, n);
	size_t head = head_length(buf + skip, n - skip);
	struct http_str rest = { buf + skip, head }, line;
	int r;

	init_head(h);
	if (!head || head + skip > HTTP_HEAD_MAX) {
		if (!head && n < HTTP_HEAD_MAX)
			return 0;
		return memchr(buf + skip, '\n', n - skip) ? -431 : -414;
	}
	if (!next_line(&rest, &line))
		return -400;
	r = parse_request_line(h, line);
	if (r == 0)
		r = parse_fields(h, rest);
	if (r < 0)
		return r;
	if (h->minor >= 1 && !h->has_host)
		return -400;
	if (h->other_coding)
		return -501;
	return (int)(skip + head);
}

static int parse_status_line(struct http_head *h, struct http_str line)
{
	int r;

	if (line.n < 12)
		return -400;
	r = parse_version(h, (struct http_str){ line.p, 8 });
	if (r < 0)
		return r;
	for (int i = 9; i < 12; i++) {
		if (!is_digit(line.p[i]))
			return -400;
		h->status = h->status * 10 + (line.p[i] - '0');
	}
	if (line.p[8] != ' ' || (line.n > 12 && line.p[12] != ' ') || h->status < 100)
		return -400;
	h->reason = trim((struct http_str){ line.p + 12, line.n - 12 });
	return 0;
}

int http_parse_response(const char *buf, size_t n, struct http_head *h)
{
	size_t head = head_length(buf, n);
	struct http_str rest = { buf, head }, line;
	int r;

	init_head(h);
	if (!head || head > HTTP_HEAD_MAX)
		return !head && n < HTTP_HEAD_MAX ? 0 : -431;
	if (!next_line(&rest, &line))
		return -400;
	r = parse_status_line(h, line);
	if (r == 0)
		r = parse_fields(h, rest);
	if (r < 0)
		return r;
	return h->other_coding ? -501 : (int)head;
}

/* ---- ranges ---- */

static bool cut_number(struct http_str *s, uint64_t *v)
{
	size_t i = 0;

	*v = 0;
	for (; i < s->n && is_digit(s->p[i]); i++) {
		if (*v > (UINT64_MAX - 9) / 10)
			return false;
		*v = *v * 10 + (uint64_t)(s->p[i] - '0');
	}
	s->p += i;
	s->n -= i;
	return i > 0;
}

static enum http_range suffix_range(struct http_str s, uint64_t size,
				    uint64_t *first, uint64_t *last)
{
	uint64_t n;

	if (!cut_number(&s, &n) || s.n)
		return HTTP_RANGE_NONE;
	if (!n || !size)
		return HTTP_RANGE_BAD;
	*first = n < size ? size - n : 0;
	*last = size - 1;
	return HTTP_RANGE_ONE;
}

enum http_range http_parse_range(struct http_str s, uint64_t size,
				 uint64_t *first, uint64_t *last)
{
	if (s.n < 6 || strncasecmp(s.p, "bytes=", 6))
		return HTTP_RANGE_NONE;
	s.p += 6;
	s.n -= 6;
	s = trim(s);
	if (s.n && *s.p == '-') {
		s.p++;
		s.n--;
		return suffix_range(s, size, first, last);
	}
	if (!cut_number(&s, first) || !s.n || *s.p != '-')
		return HTTP_RANGE_NONE;
	s.p++;
	s.n--;
	*last = UINT64_MAX;
	if (s.n && (!cut_number(&s, last) || s.n || *last < *first))
		return HTTP_RANGE_NONE;
	if (*first >= size)
		return HTTP_RANGE_BAD;
	if (*last >= size)
		*last = size - 1;
	return HTTP_RANGE_ONE;
}

/* ---- chunks ---- */

int http_hex(char ch)
{
	if (is_digit(ch))
		return ch - '0';
	ch |= 32;
	return ch >= 'a' && ch <= 'f' ? ch - 'a' + 10 : -1;
}

/* The size line is over: data follows, or trailer fields. */
static bool end_of_size(struct http_chunked *c)
{
	if (!c->digits)
		return false;
	c->state = c->left ? HTTP_CK_DATA : HTTP_CK_TRAILER;
	c->digits = c->line = 0;
	return true;
}

static bool size_byte(struct http_chunked *c, char ch)
{
	int d = http_hex(ch);

	if (++c->line > 4096)
		return false;
	if (ch == '\n')
		return end_of_size(c);
	if (c->state == HTTP_CK_EXT)
		return true;			/* extensions are ignored */
	if (d >= 0) {
		c->left = c->left << 4 | (uint64_t)d;
		return ++c->digits <= 15;
	}
	c->state = HTTP_CK_EXT;
	return ch == '\r' || ch == ';' || ch == ' ' || ch == '\t';
}

static bool crlf_byte(struct http_chunked *c, char ch)
{
	if (ch == '\r' && !c->cr) {
		c->cr = true;
		return true;
	}
	c->cr = false;
	c->state = HTTP_CK_SIZE;
	return ch == '\n';
}

/* Trailer fields are read over; an empty line ends them and the body. */
static bool trailer_byte(struct http_chunked *c, char ch)
{
	if (++c->trailer > HTTP_HEAD_MAX)
		return false;
	if (ch == '\n') {
		if (!c->line)
			c->state = HTTP_CK_END;
		c->line = 0;
	} else if (ch != '\r') {
		c->line++;
	}
	return true;
}

static bool one_byte(struct http_chunked *c, char ch)
{
	switch (c->state) {
	case HTTP_CK_SIZE:
	case HTTP_CK_EXT:
		return size_byte(c, ch);
	case HTTP_CK_CRLF:
		return crlf_byte(c, ch);
	case HTTP_CK_TRAILER:
		return trailer_byte(c, ch);
	case HTTP_CK_DATA:
	case HTTP_CK_END:
		break;
	}
	return false;
}

enum http_chunk http_chunk_next(struct http_chunked *c, const char *in, size_t n,
				size_t *used, struct http_str *data)
{
	size_t i = 0;

	*used = 0;
	while (c->state != HTTP_CK_END && c->state != HTTP_CK_DATA && i < n)
		if (!one_byte(c, in[i++]))
			return HTTP_CHUNK_BAD;
	*used = i;
	if (c->state == HTTP_CK_END)
		return HTTP_CHUNK_END;
	if (c->state != HTTP_CK_DATA || i == n)
		return HTTP_CHUNK_MORE;
	data->p = in + i;
	data->n = n - i < c->left ? n - i : (size_t)c->left;
	c->left -= data->n;
	*used += data->n;
	if (!c->left)
		c->state = HTTP_CK_CRLF;
	return HTTP_CHUNK_DATA;
}
