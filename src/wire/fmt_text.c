/* SPDX-License-Identifier: MIT */
/* A bounded string builder, so that the core prints without <stdio.h>. */
#include "wire/fmt.h"

void rl_text_init(struct rl_text *t, char *buf, size_t size)
{
	*t = (struct rl_text){ buf, size, 0 };
	if (size)
		buf[0] = '\0';
}

static void put(struct rl_text *t, char c)
{
	if (t->len + 1 >= t->size)
		return;
	t->buf[t->len++] = c;
	t->buf[t->len] = '\0';
}

void rl_text_str(struct rl_text *t, const char *s)
{
	while (*s)
		put(t, *s++);
}

void rl_text_dec(struct rl_text *t, uint32_t v)
{
	char digits[10];
	int n = 0;

	do {
		digits[n++] = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	while (n)
		put(t, digits[--n]);
}

static char hex_digit(unsigned v)
{
	return "0123456789abcdef"[v & 15];
}

void rl_text_hex(struct rl_text *t, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		put(t, hex_digit(p[i] >> 4));
		put(t, hex_digit(p[i]));
	}
}

void rl_text_mac(struct rl_text *t, const uint8_t *mac)
{
	for (int i = 0; i < 6; i++) {
		if (i)
			put(t, ':');
		rl_text_hex(t, mac + i, 1);
	}
}

void rl_text_ip4(struct rl_text *t, const uint8_t *ip)
{
	for (int i = 0; i < 4; i++) {
		if (i)
			put(t, '.');
		rl_text_dec(t, ip[i]);
	}
}

/* First of the longest run of two or more zero groups (RFC 5952, 4.2); 8: none. */
static unsigned zero_run(const uint8_t *ip, unsigned *len)
{
	unsigned best = 8, run = 0;

	*len = 1;
	for (unsigned i = 0; i < 8; i++) {
		run = get16(ip + 2 * i) ? 0 : run + 1;
		if (run > *len) {
			*len = run;
			best = i + 1 - run;
		}
	}
	return best;
}

static void put_group(struct rl_text *t, unsigned v)
{
	bool started = false;

	for (int shift = 12; shift >= 0; shift -= 4) {
		started = started || v >> shift || !shift;
		if (started)
			put(t, hex_digit(v >> shift));
	}
}

void rl_text_ip6(struct rl_text *t, const uint8_t *ip)
{
	unsigned len, run = zero_run(ip, &len);

	if (run == 0 && len == 5 && get16(ip + 10) == 0xffff) {	/* RFC 5952, 5 */
		rl_text_str(t, "::ffff:");
		rl_text_ip4(t, ip + 12);
		return;
	}
	for (unsigned i = 0; i < 8; i++) {
		if (i == run) {
			rl_text_str(t, "::");
			i += len - 1;
			continue;
		}
		if (i && i != run + len)
			put(t, ':');
		put_group(t, get16(ip + 2 * i));
	}
}
