/* SPDX-License-Identifier: MIT */
/*
 * Text of the control socket's replies: a buffer that grows, JSON strings, the
 * frame of a reply.  Running out of memory leaves a buffer bad for good, and its
 * client is dropped.  Called by the other ctl_*.c files only.
 */
#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "run/ctl_int.h"

#define BUF_MAX		(1 << 22)	/* of one reply; far above the longest short one */

/* What was written already makes room: a reader that is never done is no endless buffer. */
static bool make_room(struct ctl_buf *b, size_t n)
{
	size_t cap = b->cap ? b->cap : 4096;
	char *p;

	if (b->bad)
		return false;
	if (b->len + n > b->cap && b->off > b->cap / 4) {
		memmove(b->p, b->p + b->off, b->len - b->off);
		b->len -= b->off;
		b->off = 0;
	}
	while (cap < b->len + n && cap < BUF_MAX)
		cap *= 2;
	if (cap == b->cap && b->len + n <= cap)
		return true;
	p = b->len + n <= cap ? realloc(b->p, cap) : NULL;
	if (!p) {
		b->bad = true;
		return false;
	}
	b->p = p;
	b->cap = cap;
	return true;
}

void rl_ctl_put(struct ctl_buf *b, const char *s, size_t n)
{
	if (!make_room(b, n))
		return;
	memcpy(b->p + b->len, s, n);
	b->len += n;
}

void rl_ctl_puts(struct ctl_buf *b, const char *s)
{
	rl_ctl_put(b, s, strlen(s));
}

void rl_ctl_putf(struct ctl_buf *b, const char *fmt, ...)
{
	char tmp[512];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(tmp, sizeof(tmp), fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(tmp))
		b->bad = true;		/* every caller's text is short */
	else
		rl_ctl_put(b, tmp, (size_t)n);
}

void rl_ctl_put_json(struct ctl_buf *b, const char *s)
{
	rl_ctl_put(b, "\"", 1);
	for (; *s; s++) {
		unsigned char ch = (unsigned char)*s;

		if (ch == '"' || ch == '\\')
			rl_ctl_putf(b, "\\%c", ch);
		else if (ch < 0x20 || ch >= 0x7f)
			rl_ctl_putf(b, "\\u%04x", ch);
		else
			rl_ctl_put(b, s, 1);
	}
	rl_ctl_put(b, "\"", 1);
}

void rl_ctl_put_str(struct ctl_buf *b, const char *key, const char *val)
{
	rl_ctl_putf(b, ",\"%s\":", key);
	rl_ctl_put_json(b, val);
}

void rl_ctl_begin(struct ctl_buf *b)
{
	rl_ctl_putf(b, "{\"rill\":%d,\"ok\":true", RL_CTL_SCHEMA);
}

void rl_ctl_end(struct ctl_buf *b)
{
	rl_ctl_puts(b, "}\n");
}

void rl_ctl_fail(struct ctl_buf *b, int err, const char *why)
{
	rl_ctl_putf(b, "{\"rill\":%d,\"ok\":false,\"errno\":%d", RL_CTL_SCHEMA, err);
	rl_ctl_put_str(b, "error", why);
	rl_ctl_end(b);
}

const char *rl_ctl_addr(const struct rill_ip *ip, char buf[INET6_ADDRSTRLEN])
{
	bool v4 = rl_ip_is4(ip);

	inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? ip->b + 12 : ip->b, buf, INET6_ADDRSTRLEN);
	return buf;
}

int64_t rl_ctl_wall_ns(void)
{
	struct timespec real, mono;

	clock_gettime(CLOCK_REALTIME, &real);
	clock_gettime(CLOCK_MONOTONIC, &mono);
	return (real.tv_sec - mono.tv_sec) * RL_SEC + real.tv_nsec - mono.tv_nsec;
}
