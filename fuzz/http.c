/* SPDX-License-Identifier: MIT */
/*
 * Fuzzing of tools/http.c and http_text.c.  The first byte chooses what the rest
 * is: a request, a response, a chunked body, a range, a target, a URL.  Judged
 * beside the sanitizers: what is returned lies within the input, a path never
 * leads upwards, a body decodes alike in one piece and byte by byte.
 */
#include <stdint.h>
#include <stdlib.h>

#include "tools/http.c"
#include "tools/http_text.c"

#define MUST(cond)	do { if (!(cond)) abort(); } while (0)

static void inside(struct http_str s, const char *p, size_t n)
{
	MUST(!s.p || (s.p >= p && s.n <= n && s.p + s.n <= p + n));
}

static void fuzz_path(struct http_str target)
{
	char path[512], text[512];

	if (http_target_path(target, path, sizeof(path)) == 0) {
		MUST(path[0] && path[0] != '/' && strlen(path) < sizeof(path));
		MUST(strcmp(path, "..") && strncmp(path, "../", 3) && !strstr(path, "/../"));
		http_escape_html(path, text, sizeof(text));
		MUST(!strpbrk(text, "<>\"'"));
		http_escape_url(path, text, sizeof(text));
		MUST(!strpbrk(text, "<>\"'? #"));
	}
}

static void fuzz_head(const char *p, size_t n, bool response)
{
	struct http_head h;
	uint64_t a, b;
	int r = response ? http_parse_response(p, n, &h) : http_parse_request(p, n, &h);

	MUST(r <= (int)n && r <= HTTP_HEAD_MAX);
	if (r <= 0)
		return;
	inside(h.target, p, (size_t)r);
	inside(h.range, p, (size_t)r);
	inside(h.location, p, (size_t)r);
	inside(h.reason, p, (size_t)r);
	MUST(h.length >= -1 && !(h.chunked && h.length >= 0));
	if (h.target.p)
		fuzz_path(h.target);
	if (h.range.p && http_parse_range(h.range, 1000, &a, &b) == HTTP_RANGE_ONE)
		MUST(a <= b && b < 1000);
	if (h.if_none_match.p)
		http_etag_in(h.if_none_match, "\"1-2\"");
	if (h.if_modified_since.p)
		http_parse_date(h.if_modified_since);
}

/* Return: bytes of data, or -1 for a bad body. */
static long unchunk(const char *p, size_t n, size_t step, size_t *used, uint32_t *sum)
{
	struct http_chunked c = { 0 };
	long total = 0;

	*used = 0;
	*sum = 0;
	while (*used < n) {
		size_t piece = n - *used < step ? n - *used : step, u;
		struct http_str data;

		switch (http_chunk_next(&c, p + *used, piece, &u, &data)) {
		case HTTP_CHUNK_BAD:
			return -1;
		case HTTP_CHUNK_END:
			*used += u;
			return total;
		case HTTP_CHUNK_DATA:
			inside(data, p + *used, u);
			for (size_t i = 0; i < data.n; i++)
				*sum = *sum * 31 + (uint8_t)data.p[i];
			total += (long)data.n;
			break;
		case HTTP_CHUNK_MORE:
			MUST(u == piece);
			break;
		}
		MUST(u > 0);
		*used += u;
	}
	return total;
}

static void fuzz_chunks(const char *p, size_t n)
{
	size_t used[2];
	uint32_t sum[2];
	long a = unchunk(p, n, n ? n : 1, &used[0], &sum[0]);
	long b = unchunk(p, n, 1, &used[1], &sum[1]);

	MUST(a == b);
	if (a >= 0)
		MUST(sum[0] == sum[1] && used[0] == used[1]);
}

static void fuzz_text(const char *p, size_t n)
{
	static struct http_url u;
	char *s = malloc(n + 1);

	MUST(s);
	memcpy(s, p, n);
	s[n] = '\0';
	if (!http_parse_url(s, &u))
		MUST(u.host[0] && u.path[0] == '/' && !strpbrk(u.path, "\r\n ") &&
		     !strpbrk(u.authority, "\r\n "));
	free(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data + 1;
	uint64_t a, b;

	if (!size--)
		return 0;
	switch (data[0] % 6) {
	case 0:
		fuzz_head(p, size, false);
		break;
	case 1:
		fuzz_head(p, size, true);
		break;
	case 2:
		fuzz_chunks(p, size);
		break;
	case 3:
		if (http_parse_range((struct http_str){ p, size }, 77, &a, &b) == HTTP_RANGE_ONE)
			MUST(a <= b && b < 77);
		break;
	case 4:
		fuzz_path((struct http_str){ p, size });
		break;
	case 5:
		fuzz_text(p, size);
		break;
	}
	return 0;
}
