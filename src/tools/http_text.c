/* SPDX-License-Identifier: MIT */
/*
 * The vocabulary around HTTP heads: dates, entity tags, paths, escapes, reasons,
 * content types, URLs.  Pure functions, like http.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tools/http.h"

const char *http_date(time_t t, char buf[HTTP_DATE_LEN])
{
	struct tm tm;

	if (!gmtime_r(&t, &tm) ||
	    !strftime(buf, HTTP_DATE_LEN, "%a, %d %b %Y %H:%M:%S GMT", &tm))
		buf[0] = '\0';
	return buf;
}

time_t http_parse_date(struct http_str s)
{
	char buf[HTTP_DATE_LEN];
	struct tm tm = { 0 };
	const char *end;

	if (s.n >= sizeof(buf))
		return -1;
	memcpy(buf, s.p, s.n);
	buf[s.n] = '\0';
	end = strptime(buf, "%a, %d %b %Y %H:%M:%S GMT", &tm);
	return end && !*end ? timegm(&tm) : -1;
}

/* Weak comparison [RFC9110:8.8.3.2]. */
bool http_etag_in(struct http_str list, const char *etag)
{
	const char *p = list.p, *end = list.p + list.n;
	size_t n = strlen(etag);

	while (p < end) {
		const char *q;

		if (*p == '*')
			return true;
		if (*p != '"') {		/* W/, comma, blank */
			p++;
			continue;
		}
		q = memchr(p + 1, '"', (size_t)(end - p - 1));
		if (!q)
			return false;
		if ((size_t)(q + 1 - p) == n && !memcmp(p, etag, n))
			return true;
		p = q + 1;
	}
	return false;
}

/* ---- paths ---- */

/* Decode one character at @s[*i]. Return: it, or -1. */
static int decode(struct http_str s, size_t *i)
{
	int hi, lo;

	if (s.p[*i] != '%')
		return (unsigned char)s.p[(*i)++];
	if (s.n - *i < 3)
		return -1;
	hi = http_hex(s.p[*i + 1]);
	lo = http_hex(s.p[*i + 2]);
	*i += 3;
	return hi < 0 || lo < 0 ? -1 : hi << 4 | lo;
}

static bool ends_in_dotdot(const char *out, size_t len)
{
	return len >= 2 && out[len - 1] == '.' && out[len - 2] == '.' &&
	       (len == 2 || out[len - 3] == '/');
}

/* "http://host" in front of a path: allowed to servers too [RFC9112:3.2.2]. */
static struct http_str cut_authority(struct http_str t)
{
	const char *slash;

	if (t.n < 7 || strncasecmp(t.p, "http://", 7))
		return t;
	slash = memchr(t.p + 7, '/', t.n - 7);
	if (!slash)
		return (struct http_str){ "/", 1 };
	return (struct http_str){ slash, t.n - (size_t)(slash - t.p) };
}

int http_target_path(struct http_str target, char *out, size_t n)
{
	struct http_str t = cut_authority(target);
	size_t len = 0, i = 0;

	if (!t.n || t.p[0] != '/')
		return -400;
	while (i < t.n && t.p[i] != '?' && t.p[i] != '#') {
		int ch = decode(t, &i);

		if (ch <= 0)
			return -400;
		if (ch == '/' && (len == 0 || out[len - 1] == '/'))
			continue;		/* the path is relative; "//" is "/" */
		if (ch == '/' && ends_in_dotdot(out, len))
			return -400;
		if (len + 1 >= n)
			return -414;
		out[len++] = (char)ch;
	}
	if (ends_in_dotdot(out, len))
		return -400;
	if (!len)
		out[len++] = '.';
	out[len] = '\0';
	return 0;
}

void http_escape_url(const char *s, char *out, size_t n)
{
	static const char safe[] = "-._~/";
	size_t len = 0;

	for (; *s && len + 4 < n; s++) {
		unsigned char ch = (unsigned char)*s;

		if ((ch >= '0' && ch <= '9') || ((ch | 32) >= 'a' && (ch | 32) <= 'z') ||
		    strchr(safe, ch))
			out[len++] = (char)ch;
		else
			len += (size_t)snprintf(out + len, n - len, "%%%02X", ch);
	}
	out[len] = '\0';
}

void http_escape_html(const char *s, char *out, size_t n)
{
	size_t len = 0;

	for (; *s && len + 7 < n; s++) {
		const char *e = *s == '&' ? "&amp;" : *s == '<' ? "&lt;" :
				*s == '>' ? "&gt;" : *s == '"' ? "&quot;" :
				*s == '\'' ? "&#39;" : NULL;

		if (e)
			len += (size_t)snprintf(out + len, n - len, "%s", e);
		else
			out[len++] = *s;
	}
	out[len] = '\0';
}

/* ---- words ---- */

const char *http_reason(int status)
{
	static const struct {
		int		status;
		const char	*reason;
	} list[] = {
		{ 100, "Continue" }, { 200, "OK" }, { 201, "Created" },
		{ 204, "No Content" }, { 206, "Partial Content" },
		{ 301, "Moved Permanently" }, { 304, "Not Modified" },
		{ 400, "Bad Request" }, { 403, "Forbidden" }, { 404, "Not Found" },
		{ 405, "Method Not Allowed" }, { 408, "Request Timeout" },
		{ 409, "Conflict" }, { 411, "Length Required" },
		{ 413, "Content Too Large" }, { 414, "URI Too Long" },
		{ 416, "Range Not Satisfiable" }, { 417, "Expectation Failed" },
		{ 431, "Request Header Fields Too Large" },
		{ 500, "Internal Server Error" }, { 501, "Not Implemented" },
		{ 503, "Service Unavailable" },
		{ 505, "HTTP Version Not Supported" }, { 507, "Insufficient Storage" },
	};

	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++)
		if (list[i].status == status)
			return list[i].reason;
	return "Unknown";
}

const char *http_content_type(const char *path)
{
	static const char *const list[][2] = {
		{ "html", "text/html; charset=utf-8" },
		{ "htm", "text/html; charset=utf-8" },
		{ "txt", "text/plain; charset=utf-8" },
		{ "md", "text/plain; charset=utf-8" },
		{ "css", "text/css" }, { "js", "text/javascript" },
		{ "json", "application/json" }, { "svg", "image/svg+xml" },
		{ "png", "image/png" }, { "jpg", "image/jpeg" },
		{ "gif", "image/gif" }, { "pdf", "application/pdf" },
	};
	const char *dot = strrchr(path, '.');

	for (size_t i = 0; dot && i < sizeof(list) / sizeof(list[0]); i++)
		if (!strcasecmp(dot + 1, list[i][0]))
			return list[i][1];
	return "application/octet-stream";
}

/* ---- URLs ---- */

static const char *parse_port(const char *s, size_t n, struct http_url *u)
{
	unsigned long v;

	if (n == 0 || n > 5 || strspn(s, "0123456789") < n)
		return "the port is not a number from 1 to 65535";
	memcpy(u->port, s, n);
	u->port[n] = '\0';
	v = strtoul(u->port, NULL, 10);
	return v >= 1 && v <= 65535 ? NULL : "the port is not a number from 1 to 65535";
}

/* HOST, HOST:PORT, [V6] or [V6]:PORT in @s of @n bytes. */
static const char *parse_authority(const char *s, size_t n, struct http_url *u)
{
	const char *host = s, *end = s + n, *host_end, *port;

	if (n && *s == '[') {
		host = s + 1;
		host_end = memchr(host, ']', n - 1);
		if (!host_end)
			return "the address lacks its ]";
		port = host_end + 1;
	} else {
		host_end = memchr(s, ':', n);
		host_end = host_end ? host_end : end;
		port = host_end;
	}
	if (host == host_end || (size_t)(host_end - host) >= sizeof(u->host))
		return "the host is missing or too long";
	memcpy(u->host, host, (size_t)(host_end - host));
	u->host[host_end - host] = '\0';
	snprintf(u->port, sizeof(u->port), "80");
	if (port == end)
		return NULL;
	if (*port != ':')
		return "there is something behind the address's ]";
	return parse_port(port + 1, (size_t)(end - port - 1), u);
}

const char *http_parse_url(const char *s, struct http_url *u)
{
	size_t n;

	if (!strncasecmp(s, "https://", 8))
		return "https is not spoken here, only http://";
	if (strncasecmp(s, "http://", 7))
		return "give http://HOST[:PORT]/PATH";
	s += 7;
	n = strcspn(s, "/?#");
	if (memchr(s, '@', n))
		return "user names in URLs are not supported";
	if (n >= sizeof(u->authority))
		return "the host is missing or too long";
	memcpy(u->authority, s, n);
	u->authority[n] = '\0';
	for (const char *p = s; *p; p++)
		if ((unsigned char)*p <= ' ' || *p == 0x7f)
			return "blanks must be written as %20";
	snprintf(u->path, sizeof(u->path), "%s%s", s[n] == '/' ? "" : "/",
		 s[n] == '#' ? "" : s + n);
	u->path[strcspn(u->path, "#")] = '\0';
	if (strlen(s + n) + 1 >= sizeof(u->path))
		return "longer than 8000 bytes";
	return parse_authority(s, n, u);
}
