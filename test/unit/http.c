/* SPDX-License-Identifier: MIT */
/* Tests of tools/http.c and http_text.c: what a server and a client must get right. */
#include <stdio.h>

#include "rl_test.h"
#include "tools/http.h"

/* the commands are no library: their sources are compiled in */
#include "tools/http.c"
#include "tools/http_text.c"

static int request(const char *s, struct http_head *h)
{
	return http_parse_request(s, strlen(s), h);
}

#define HOST	"Host: h\r\n"

static const struct {
	const char *name, *text;
	int ret;		/* 0: the text's length */
} request_rows[] = {
	{ "plain", "GET / HTTP/1.1\r\n" HOST "\r\n", 0 },
	{ "bare LF", "GET / HTTP/1.1\nHost: h\n\n", 0 },
	{ "empty lines before", "\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n", 0 },
	{ "1.0 needs no Host", "GET / HTTP/1.0\r\n\r\n", 0 },
	{ "1.1 needs one", "GET / HTTP/1.1\r\n\r\n", -400 },
	{ "two Hosts", "GET / HTTP/1.1\r\n" HOST HOST "\r\n", -400 },
	{ "HTTP/2", "GET / HTTP/2.0\r\n" HOST "\r\n", -505 },
	{ "no version", "GET /\r\n\r\n", -400 },
	{ "nonsense version", "GET / HTTX/1.1\r\n" HOST "\r\n", -400 },
	{ "no method", " / HTTP/1.1\r\n" HOST "\r\n", -400 },
	{ "bad method", "G(T / HTTP/1.1\r\n" HOST "\r\n", -400 },
	{ "no target", "GET  HTTP/1.1\r\n" HOST "\r\n", -400 },
	{ "blank before colon", "GET / HTTP/1.1\r\nHost : h\r\n\r\n", -400 },
	{ "folded line", "GET / HTTP/1.1\r\n" HOST "A: b\r\n c\r\n\r\n", -400 },
	{ "no colon", "GET / HTTP/1.1\r\n" HOST "nonsense\r\n\r\n", -400 },
	{ "CR in a line", "GET / HTTP/1.1\r\n" HOST "A: b\rc\r\n\r\n", -400 },
	{ "length twice", "PUT / HTTP/1.1\r\n" HOST
	  "Content-Length: 1\r\nContent-Length: 2\r\n\r\n", -400 },
	{ "same length twice", "PUT / HTTP/1.1\r\n" HOST
	  "Content-Length: 1\r\nContent-Length: 1\r\n\r\n", 0 },
	{ "negative length", "PUT / HTTP/1.1\r\n" HOST "Content-Length: -1\r\n\r\n", -400 },
	{ "plus length", "PUT / HTTP/1.1\r\n" HOST "Content-Length: +1\r\n\r\n", -400 },
	{ "huge length", "PUT / HTTP/1.1\r\n" HOST
	  "Content-Length: 9999999999999999999\r\n\r\n", -400 },
	{ "length and chunks", "PUT / HTTP/1.1\r\n" HOST
	  "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", -400 },
	{ "unknown coding", "PUT / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip\r\n\r\n", -501 },
	{ "chunked twice", "PUT / HTTP/1.1\r\n" HOST
	  "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", -501 },
};

TEST(http_requests)
{
	for (size_t i = 0; i < sizeof(request_rows) / sizeof(request_rows[0]); i++) {
		const char *t = request_rows[i].text;
		int want = request_rows[i].ret ? request_rows[i].ret : (int)strlen(t);
		struct http_head h;

		CHECK_EQ(request_rows[i].name, request(t, &h), want);
		/* every true prefix of a good request is incomplete */
		for (size_t n = 0; want > 0 && n < strlen(t); n++)
			CHECK_EQ(request_rows[i].name, http_parse_request(t, n, &h), 0);
	}
}

TEST(http_request_fields)
{
	static const char text[] =
		"PUT /a%20b?c HTTP/1.1\r\nhost:h\r\nCONNECTION: keep-alive, Close\r\n"
		"Expect: 100-Continue\r\nRange:  bytes=1-2 \r\nTransfer-Encoding: Chunked\r\n\r\n";
	struct http_head h;

	CHECK_EQ("length", request(text, &h), sizeof(text) - 1);
	CHECK_EQ("method", h.method, HTTP_PUT);
	CHECK("target", http_str_is(h.target, "/a%20b?c"));
	CHECK("close wins", !h.keep_alive);
	CHECK("expect", h.expect_continue && !h.expect_other);
	CHECK("range", http_str_is(h.range, "bytes=1-2"));
	CHECK("chunked", h.chunked && h.length == -1);
	CHECK_EQ("1.0", request("GET / HTTP/1.0\r\n\r\n", &h), 18);
	CHECK("1.0 closes", !h.keep_alive);
	request("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", &h);
	CHECK("unless asked", h.keep_alive);
	request("POST / HTTP/1.0\r\n\r\n", &h);
	CHECK_EQ("known", h.method, HTTP_OTHER_KNOWN);
	request("get / HTTP/1.0\r\n\r\n", &h);
	CHECK_EQ("case counts", h.method, HTTP_UNKNOWN);
}

TEST(http_request_limits)
{
	static char text[HTTP_HEAD_MAX * 2];
	struct http_head h;
	size_t n;

	memset(text, 'a', sizeof(text));
	memcpy(text, "GET /", 5);
	CHECK_EQ("endless line", http_parse_request(text, HTTP_HEAD_MAX, &h), -414);
	n = (size_t)snprintf(text, sizeof(text), "GET /%08500d HTTP/1.1\r\n" HOST "\r\n", 0);
	CHECK_EQ("long target", http_parse_request(text, n, &h), -414);
	n = (size_t)snprintf(text, sizeof(text), "GET / HTTP/1.1\r\nA: %018000d", 0);
	CHECK_EQ("long field", http_parse_request(text, n, &h), -431);
	n = (size_t)snprintf(text, sizeof(text), "GET / HTTP/1.1\r\n" HOST);
	for (int i = 0; i < HTTP_FIELDS_MAX; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "A: b\r\n");
	n += (size_t)snprintf(text + n, sizeof(text) - n, "\r\n");
	CHECK_EQ("many fields", http_parse_request(text, n, &h), -431);
	CHECK_EQ("NUL", http_parse_request("GET / HTTP/1.0\r\nA: \0\r\n\r\n", 24, &h), -400);
}

TEST(http_responses)
{
	struct http_head h;
	const char *t = "HTTP/1.1 206 Partial Content\r\nContent-Length: 5\r\n\r\nhello";

	CHECK_EQ("length", http_parse_response(t, strlen(t), &h), (int)strlen(t) - 5);
	CHECK_EQ("status", h.status, 206);
	CHECK_EQ("body", h.length, 5);
	CHECK("keep", h.keep_alive);
	t = "HTTP/1.0 200\r\n\r\n";
	CHECK_EQ("no reason", http_parse_response(t, strlen(t), &h), (int)strlen(t));
	CHECK_EQ("no length", h.length, -1);
	CHECK_EQ("incomplete", http_parse_response("HTTP/1.1 200", 12, &h), 0);
	t = "SSH-2.0-OpenSSH\r\n\r\n";
	CHECK("not HTTP", http_parse_response(t, strlen(t), &h) < 0);
	t = "HTTP/1.1 2x0 OK\r\n\r\n";
	CHECK("bad status", http_parse_response(t, strlen(t), &h) < 0);
	t = "HTTP/1.1 20000 OK\r\n\r\n";
	CHECK("long status", http_parse_response(t, strlen(t), &h) < 0);
}

static const struct {
	const char *text;
	uint64_t size;
	enum http_range ret;
	uint64_t first, last;
} range_rows[] = {
	{ "bytes=0-0", 10, HTTP_RANGE_ONE, 0, 0 },
	{ "bytes=2-5", 10, HTTP_RANGE_ONE, 2, 5 },
	{ "Bytes=2-", 10, HTTP_RANGE_ONE, 2, 9 },
	{ "bytes=2-100", 10, HTTP_RANGE_ONE, 2, 9 },
	{ "bytes=-3", 10, HTTP_RANGE_ONE, 7, 9 },
	{ "bytes=-30", 10, HTTP_RANGE_ONE, 0, 9 },
	{ "bytes=-0", 10, HTTP_RANGE_BAD, 0, 0 },
	{ "bytes=10-", 10, HTTP_RANGE_BAD, 0, 0 },
	{ "bytes=0-", 0, HTTP_RANGE_BAD, 0, 0 },
	{ "bytes=-1", 0, HTTP_RANGE_BAD, 0, 0 },
	{ "bytes=5-2", 10, HTTP_RANGE_NONE, 0, 0 },
	{ "bytes=0-1,3-4", 10, HTTP_RANGE_NONE, 0, 0 },
	{ "lines=0-1", 10, HTTP_RANGE_NONE, 0, 0 },
	{ "bytes=", 10, HTTP_RANGE_NONE, 0, 0 },
	{ "bytes=-", 10, HTTP_RANGE_NONE, 0, 0 },
	{ "bytes=a-b", 10, HTTP_RANGE_NONE, 0, 0 },
	{ "bytes=99999999999999999999-", 10, HTTP_RANGE_NONE, 0, 0 },
};

TEST(http_ranges)
{
	for (size_t i = 0; i < sizeof(range_rows) / sizeof(range_rows[0]); i++) {
		const char *t = range_rows[i].text;
		uint64_t a = 0, b = 0;

		CHECK_EQ(t, http_parse_range((struct http_str){ t, strlen(t) },
					     range_rows[i].size, &a, &b), range_rows[i].ret);
		if (range_rows[i].ret == HTTP_RANGE_ONE) {
			CHECK_UEQ(t, a, range_rows[i].first);
			CHECK_UEQ(t, b, range_rows[i].last);
		}
	}
}

static const struct {
	const char *target, *path;	/* NULL: refused */
} path_rows[] = {
	{ "/", "." }, { "/a", "a" }, { "/a/", "a/" }, { "//a//b", "a/b" },
	{ "/a%20b", "a b" }, { "/a?q=../x", "a" }, { "/a#f", "a" }, { "/a%2fb", "a/b" },
	{ "http://h:80/x", "x" }, { "HTTP://h", "." }, { "/...", "..." }, { "/a..", "a.." },
	{ "/..a", "..a" }, { "/./a", "./a" },
	{ "/..", NULL }, { "/../a", NULL }, { "/a/../b", NULL }, { "/a/..", NULL },
	{ "/%2e%2e/a", NULL }, { "/a/%2e%2e", NULL }, { "/..%2fa", NULL }, { "/a%00b", NULL },
	{ "/%", NULL }, { "/%4", NULL }, { "/%zz", NULL }, { "a", NULL }, { "*", NULL },
	{ "", NULL }, { "/a//..", NULL }, { "/a/..?", NULL },
};

TEST(http_paths)
{
	for (size_t i = 0; i < sizeof(path_rows) / sizeof(path_rows[0]); i++) {
		const char *t = path_rows[i].target;
		struct http_str s = { t, strlen(t) };
		char out[64] = "";
		int r = http_target_path(s, out, sizeof(out));

		CHECK_EQ(t, r, path_rows[i].path ? 0 : -400);
		if (path_rows[i].path)
			CHECK_STR(t, out, path_rows[i].path);
	}
}

TEST(http_path_too_long)
{
	struct http_str s = { "/abcdefgh", 9 };
	char out[8];

	CHECK_EQ("8 and the end do not fit 8", http_target_path(s, out, sizeof(out)), -414);
	s.n = 8;
	CHECK_EQ("7 do", http_target_path(s, out, sizeof(out)), 0);
	CHECK_STR("and are there", out, "abcdefg");
}

TEST(http_escapes)
{
	char out[64];

	http_escape_html("<a href=\"x\">'&", out, sizeof(out));
	CHECK_STR("html", out, "&lt;a href=&quot;x&quot;&gt;&#39;&amp;");
	http_escape_url("a b/c%?#\"\xc3\xa4", out, sizeof(out));
	CHECK_STR("url", out, "a%20b/c%25%3F%23%22%C3%A4");
	http_escape_url("aaaaaaaa", out, 8);
	CHECK("cut", strlen(out) < 8);
}

TEST(http_dates)
{
	static const char text[] = "Sun, 06 Nov 1994 08:49:37 GMT";
	struct http_str s = { text, sizeof(text) - 1 }, bad = { "yesterday", 9 };
	char out[HTTP_DATE_LEN];

	CHECK_STR("write", http_date(784111777, out), text);
	CHECK_EQ("read", http_parse_date(s), 784111777);
	CHECK_EQ("nonsense", http_parse_date(bad), -1);
}

TEST(http_etags)
{
	static const struct {
		const char *list;
		bool in;
	} rows[] = {
		{ "\"a\"", true }, { "*", true }, { "W/\"a\"", true }, { "\"b\", \"a\"", true },
		{ "\"b\"", false }, { "a", false }, { "\"a", false }, { "\"aa\"", false },
		{ "", false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct http_str s = { rows[i].list, strlen(rows[i].list) };

		CHECK_EQ(rows[i].list, http_etag_in(s, "\"a\""), rows[i].in);
	}
}

static const struct {
	const char *name, *in, *out;	/* NULL: refused */
	const char *rest;
} chunk_rows[] = {
	{ "one", "5\r\nhello\r\n0\r\n\r\n", "hello", "" },
	{ "two", "1\r\na\r\n2\r\nbc\r\n0\r\n\r\n", "abc", "" },
	{ "upper, zeros", "0A\r\n0123456789\r\n00\r\n\r\n", "0123456789", "" },
	{ "extension", "1;x=y\r\na\r\n0;z\r\n\r\n", "a", "" },
	{ "trailer", "1\r\na\r\n0\r\nA: b\r\nC: d\r\n\r\n", "a", "" },
	{ "bare LF", "1\na\n0\n\n", "a", "" },
	{ "rest", "1\r\na\r\n0\r\n\r\nGET", "a", "GET" },
	{ "empty", "0\r\n\r\n", "", "" },
	{ "no size", "\r\na\r\n", NULL, "" },
	{ "not hex", "g\r\n", NULL, "" },
	{ "minus", "-1\r\na", NULL, "" },
	{ "no CRLF behind data", "1\r\nab0\r\n\r\n", NULL, "" },
	{ "size of 16 digits", "1111111111111111\r\n", NULL, "" },
};

/* Feed @step bytes at a time.  Return: the state at the end. */
static enum http_chunk decode_by(const char *in, size_t step, char *out, size_t *used)
{
	struct http_chunked c = { 0 };
	enum http_chunk r = HTTP_CHUNK_MORE;
	size_t len = strlen(in), at = 0;

	*out = '\0';
	while (at < len && (r == HTTP_CHUNK_MORE || r == HTTP_CHUNK_DATA)) {
		size_t n = len - at < step ? len - at : step, u;
		struct http_str data;

		r = http_chunk_next(&c, in + at, n, &u, &data);
		if (r == HTTP_CHUNK_DATA)
			strncat(out, data.p, data.n);
		at += u;
	}
	*used = at;
	return r;
}

TEST(http_chunks)
{
	for (size_t i = 0; i < sizeof(chunk_rows) / sizeof(chunk_rows[0]); i++) {
		const char *name = chunk_rows[i].name, *in = chunk_rows[i].in;

		for (size_t step = 1; step <= strlen(in); step++) {
			char out[64];
			size_t used;
			enum http_chunk r = decode_by(in, step, out, &used);

			if (!chunk_rows[i].out) {
				CHECK_EQ(name, r, HTTP_CHUNK_BAD);
				continue;
			}
			CHECK_EQ(name, r, HTTP_CHUNK_END);
			CHECK_STR(name, out, chunk_rows[i].out);
			CHECK_STR(name, in + used, chunk_rows[i].rest);
		}
	}
}

static const struct {
	const char *url, *host, *port, *path;	/* host NULL: refused */
} url_rows[] = {
	{ "http://h/", "h", "80", "/" }, { "http://h", "h", "80", "/" },
	{ "HTTP://h:8080/a/b?c", "h", "8080", "/a/b?c" },
	{ "http://[fd77::1]/x", "fd77::1", "80", "/x" },
	{ "http://[fd77::1]:81", "fd77::1", "81", "/" },
	{ "http://h?q", "h", "80", "/?q" }, { "http://h/a#f", "h", "80", "/a" },
	{ "https://h/", NULL, "", "" }, { "ftp://h/", NULL, "", "" }, { "h", NULL, "", "" },
	{ "http://", NULL, "", "" }, { "http:///x", NULL, "", "" },
	{ "http://h:0/", NULL, "", "" }, { "http://h:65536/", NULL, "", "" },
	{ "http://h:/", NULL, "", "" }, { "http://h:8x/", NULL, "", "" },
	{ "http://[fd77::1/", NULL, "", "" }, { "http://[fd77::1]x/", NULL, "", "" },
	{ "http://u@h/", NULL, "", "" }, { "http://h/a b", NULL, "", "" },
	{ "http://h/a\r\nX: y", NULL, "", "" },
};

TEST(http_urls)
{
	static struct http_url u;

	for (size_t i = 0; i < sizeof(url_rows) / sizeof(url_rows[0]); i++) {
		const char *why = http_parse_url(url_rows[i].url, &u);

		CHECK_EQ(url_rows[i].url, why == NULL, url_rows[i].host != NULL);
		if (why || !url_rows[i].host)
			continue;
		CHECK_STR(url_rows[i].url, u.host, url_rows[i].host);
		CHECK_STR(url_rows[i].url, u.port, url_rows[i].port);
		CHECK_STR(url_rows[i].url, u.path, url_rows[i].path);
	}
}
