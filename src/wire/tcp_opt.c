/* SPDX-License-Identifier: MIT */
/* TCP options, both ways [RFC9293:3.1] [RFC7323:2.2] [RFC2018:3]. */
#include <errno.h>

#include "wire/tcp_hdr.h"

static void parse_sack(struct tcp_opts *o, const uint8_t *p, uint8_t n)
{
	for (int at = 2; at + 8 <= n && o->nsack < ARRAY_LEN(o->sack); at += 8)
		o->sack[o->nsack++] = (struct tcp_sack){
			seq_make(get32(p + at)), seq_make(get32(p + at + 4))
		};
}

/* @p points at the kind byte; @n >= 2 bytes of it are readable. */
static void one_option(struct tcp_opts *o, const uint8_t *p, uint8_t n)
{
	switch (p[0]) {			/* wrong size for a known kind: as if absent */
	case OPT_MSS:
		if (n == 4)
			o->mss = get16(p + 2);
		break;
	case OPT_WSCALE:
		if (n == 3) {		/* [RFC7323-07] */
			o->has_wscale = true;
			o->wscale = RL_MIN(p[2], 14);
		}
		break;
	case OPT_SACK_OK:
		if (n == 2)
			o->sack_ok = true;
		break;
	case OPT_SACK:
		if (n >= 10 && (n - 2) % 8 == 0)
			parse_sack(o, p, n);
		break;
	case OPT_TS:
		if (n == 10) {
			o->has_ts = true;
			o->ts_val = get32(p + 2);
			o->ts_ecr = get32(p + 6);
		}
		break;
	}		/* unknown kinds pass [RFC9293:MUST-6] [RFC5482-07] [RFC6994-01] */
}

int rl_tcp_opts_parse(struct tcp_opts *o, const uint8_t *p, size_t len)
{
	const uint8_t *const end = p + len;

	*o = (struct tcp_opts){ 0 };
	while (p < end && *p != OPT_EOL) {	/* [RFC9293:MUST-4] [RFC9293:MUST-64] */
		if (*p == OPT_NOP) {
			p++;
			continue;
		}
		if (end - p < 2 || p[1] < 2 || p[1] > end - p)
			return -EBADMSG;	/* [RFC9293:MUST-7] */
		one_option(o, p, p[1]);
		p += p[1];
	}
	return 0;
}

static uint8_t *put_ts(const struct tcp_opts *o, uint8_t *p)
{
	*p++ = OPT_TS;
	*p++ = 10;
	put32(p, o->ts_val);
	put32(p + 4, o->ts_ecr);
	return p + 8;
}

static uint8_t *put_sack(const struct tcp_opts *o, uint8_t *p, size_t room)
{
	size_t n = RL_MIN(o->nsack, (room - 4) / 8);

	*p++ = OPT_NOP;
	*p++ = OPT_NOP;
	*p++ = OPT_SACK;
	*p++ = (uint8_t)(2 + 8 * n);
	for (size_t i = 0; i < n; i++, p += 8) {
		put32(p, o->sack[i].lo.v);
		put32(p + 4, o->sack[i].hi.v);
	}
	return p;
}

/*
 * Each option starts where its fields are aligned; padding is NOP
 * [RFC9293:MUST-68] [RFC9293:MUST-69].
 */
size_t rl_tcp_opts_write(const struct tcp_opts *o, uint8_t *start)
{
	uint8_t *p = start;

	if (o->mss) {
		*p++ = OPT_MSS;
		*p++ = 4;
		put16(p, o->mss);
		p += 2;
	}
	if (o->has_ts) {
		*p++ = o->sack_ok ? OPT_SACK_OK : OPT_NOP;
		*p++ = o->sack_ok ? 2 : OPT_NOP;
		p = put_ts(o, p);
	} else if (o->sack_ok) {
		*p++ = OPT_NOP;
		*p++ = OPT_NOP;
		*p++ = OPT_SACK_OK;
		*p++ = 2;
	}
	if (o->has_wscale) {
		*p++ = OPT_NOP;
		*p++ = OPT_WSCALE;
		*p++ = 3;
		*p++ = o->wscale;
	}
	if (o->nsack && TCP_MAX_OPT - (p - start) >= 12)
		p = put_sack(o, p, (size_t)(TCP_MAX_OPT - (p - start)));
	return (size_t)(p - start);
}
