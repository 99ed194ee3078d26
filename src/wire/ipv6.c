/* SPDX-License-Identifier: MIT */
/* IPv6 headers [RFC8200:3] [RFC8200:4], both ways; ip/in.c walks the chain. */
#include <errno.h>

#include "wire/ipv6.h"

int rl_ipv6_parse(struct ipv6_hdr *h, const uint8_t *p, size_t n)
{
	uint32_t word;

	if (n < 1)
		return -EBADMSG;
	if (p[0] >> 4 != 6)
		return -EPROTONOSUPPORT;
	if (n < IPV6_HDR_LEN)
		return -EBADMSG;
	word = get32(p);
	h->tclass = (uint8_t)(word >> 20);
	h->flow_label = word & 0xfffff;
	h->payload_len = get16(p + 4);
	h->next = p[6];
	h->hop_limit = p[7];
	memcpy(h->src.b, p + 8, 16);
	memcpy(h->dst.b, p + 24, 16);
	return 0;
}

void rl_ipv6_write(const struct ipv6_hdr *h, uint8_t *p)
{
	put32(p, 6u << 28 | (uint32_t)h->tclass << 20 | (h->flow_label & 0xfffff));
	put16(p + 4, h->payload_len);
	p[6] = h->next;
	p[7] = h->hop_limit;
	memcpy(p + 8, h->src.b, 16);
	memcpy(p + 24, h->dst.b, 16);
}

void rl_ipv6_frag_parse(struct ipv6_frag *f, const uint8_t *p)
{
	uint16_t w = get16(p + 2);

	f->next = p[0];
	f->more = w & 1;
	f->off = w & 0xfff8;
	f->id = get32(p + 4);
}

void rl_ipv6_frag_write(const struct ipv6_frag *f, uint8_t *p)
{
	p[0] = f->next;
	p[1] = 0;
	put16(p + 2, (uint16_t)(f->off | (f->more ? 1 : 0)));
	put32(p + 4, f->id);
}

enum { OPT6_PAD1 = 0, OPT6_PADN = 1, OPT6_ROUTER_ALERT = 5 };

enum ipv6_opt_verdict rl_ipv6_opts_check(const uint8_t *p, uint32_t n, uint32_t *at)
{
	uint32_t i = 2;

	while (i < n) {
		uint8_t kind = p[i];

		*at = i;
		if (kind == OPT6_PAD1) {		/* [RFC8200-04] */
			i++;
			continue;
		}
		if (n - i < 2 || p[i + 1] > n - i - 2)
			return IPV6_OPT_MALFORMED;
		if (kind >> 6 && kind != OPT6_PADN && kind != OPT6_ROUTER_ALERT)
			return (enum ipv6_opt_verdict)(IPV6_OPT_MALFORMED + (kind >> 6));
		i += 2u + p[i + 1];
	}
	return IPV6_OPT_OK;
}
