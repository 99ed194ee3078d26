/* SPDX-License-Identifier: MIT */
/*
 * IPv4 headers [RFC791:3.1], both ways.  Only what the bytes themselves tell is
 * checked here; whether addresses make sense is ip/in.c's business.
 */
#include <errno.h>

#include "wire/cksum.h"
#include "wire/ipv4.h"

enum { IPOPT_EOL = 0, IPOPT_NOP = 1, IPOPT_LSRR = 131, IPOPT_SSRR = 137 };

int rl_ipv4_parse(struct ipv4_hdr *h, const uint8_t *p, size_t n)
{
	uint16_t frag;

	if (n < 1)
		return -EBADMSG;
	if (p[0] >> 4 != 4)			/* [RFC1122-02] */
		return -EPROTONOSUPPORT;
	h->hdr_len = (uint8_t)((p[0] & 0xf) * 4);
	if (n < IPV4_HDR_LEN || h->hdr_len < IPV4_HDR_LEN)
		return -EBADMSG;		/* [RFC791-01] */
	h->tos = p[1];
	h->total_len = get16(p + 2);
	if (h->total_len && h->total_len < h->hdr_len)
		return -EBADMSG;		/* [RFC791-01] */
	h->id = get16(p + 4);
	frag = get16(p + 6);
	h->df = frag & IPV4_DF;
	h->mf = frag & IPV4_MF;
	h->frag_off = (uint16_t)((frag & IPV4_OFF_MASK) * 8);
	h->ttl = p[8];
	h->proto = p[9];
	h->src = rl_ip4(get32(p + 12));
	h->dst = rl_ip4(get32(p + 16));
	return 0;
}

void rl_ipv4_write(const struct ipv4_hdr *h, uint8_t *p)
{
	unsigned frag = h->frag_off / 8u;

	if (h->df)
		frag |= IPV4_DF;
	if (h->mf)
		frag |= IPV4_MF;
	p[0] = 0x45;
	p[1] = h->tos;
	put16(p + 2, h->total_len);
	put16(p + 4, h->id);
	put16(p + 6, (uint16_t)frag);
	p[8] = h->ttl;
	p[9] = h->proto;
	memcpy(p + 12, h->src.b + 12, 4);
	memcpy(p + 16, h->dst.b + 12, 4);
	rl_ipv4_cksum_set(p, IPV4_HDR_LEN);
}

bool rl_ipv4_cksum_ok(const uint8_t *p, size_t hdr_len)
{
	return rl_sum_finish(rl_sum(p, hdr_len, 0)) == 0;
}

void rl_ipv4_cksum_set(uint8_t *p, size_t hdr_len)
{
	uint16_t sum;

	put16(p + 10, 0);
	sum = rl_sum_finish(rl_sum(p, hdr_len, 0));
	memcpy(p + 10, &sum, sizeof(sum));
}

enum ipv4_opt_verdict rl_ipv4_opts_check(const uint8_t *p, size_t n, size_t *at)
{
	size_t i = 0;

	while (i < n && p[i] != IPOPT_EOL) {
		*at = i;
		if (p[i] == IPOPT_NOP) {
			i++;
			continue;
		}
		if (n - i < 2 || p[i + 1] < 2 || p[i + 1] > n - i)
			return IPV4_OPT_BAD;		/* [RFC791-06] */
		if (p[i] == IPOPT_LSRR || p[i] == IPOPT_SSRR)
			return IPV4_OPT_SRCROUTE;
		i += p[i + 1];
	}
	return IPV4_OPT_OK;
}
