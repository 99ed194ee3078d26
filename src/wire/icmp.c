/* SPDX-License-Identifier: MIT */
/* ICMP messages of both families, both ways; ip/icmp_in.c and nd.c act on them. */
#include <errno.h>

#include "wire/cksum.h"
#include "wire/icmp.h"

int rl_icmp_parse(struct icmp_hdr *h, const uint8_t *p, size_t n)
{
	if (n < ICMP_HDR_LEN)
		return -EBADMSG;
	h->type = p[0];
	h->code = p[1];
	h->rest = get32(p + 4);
	return 0;
}

void rl_icmp_write(const struct icmp_hdr *h, uint8_t *p)
{
	p[0] = h->type;
	p[1] = h->code;
	put16(p + 2, 0);
	put32(p + 4, h->rest);		/* unused parts are 0 [RFC792-02] */
}

enum { ND_OPT_SOURCE = 1, ND_OPT_TARGET = 2 };

int rl_nd_parse(struct nd_msg *m, const uint8_t *p, size_t n)
{
	uint8_t want;

	if (n < ND_HDR_LEN || p[1] != 0)
		return -EBADMSG;
	*m = (struct nd_msg){ .type = p[0], .flags = p[4] };
	memcpy(m->target.b, p + 8, 16);
	want = m->type == ICMP6_NS ? ND_OPT_SOURCE : ND_OPT_TARGET;
	for (size_t i = ND_HDR_LEN; i < n; i += p[i + 1] * 8u) {
		if (n - i < 2 || !p[i + 1] || p[i + 1] * 8u > n - i)
			return -EBADMSG;	/* [RFC4861-04] */
		if (p[i] != want)
			continue;
		m->has_mac = true;
		memcpy(m->mac, p + i + 2, ETH_ALEN);
	}
	return 0;
}

size_t rl_nd_write(const struct nd_msg *m, uint8_t *p)
{
	memset(p, 0, ND_HDR_LEN + ND_OPT_LLADDR);
	p[0] = m->type;
	p[4] = m->flags;
	memcpy(p + 8, m->target.b, 16);
	if (!m->has_mac)
		return ND_HDR_LEN;
	p[ND_HDR_LEN] = m->type == ICMP6_NS ? ND_OPT_SOURCE : ND_OPT_TARGET;
	p[ND_HDR_LEN + 1] = 1;
	memcpy(p + ND_HDR_LEN + 2, m->mac, ETH_ALEN);
	return ND_HDR_LEN + ND_OPT_LLADDR;
}

int rl_igmp_parse(struct igmp_msg *m, const uint8_t *p, size_t n)
{
	if (n < IGMP_LEN)
		return -EBADMSG;
	if (rl_sum_finish(rl_sum(p, n, 0)))
		return -EILSEQ;
	m->type = p[0];
	m->max_resp = p[1];
	m->group = rl_ip4(get32(p + 4));
	return 0;
}

void rl_igmp_write(const struct igmp_msg *m, uint8_t *p)
{
	uint16_t sum;

	p[0] = m->type;
	p[1] = m->max_resp;
	put16(p + 2, 0);
	memcpy(p + 4, m->group.b + 12, 4);
	sum = rl_sum_finish(rl_sum(p, IGMP_LEN, 0));
	memcpy(p + 2, &sum, sizeof(sum));
}

int rl_mld_parse(struct mld_msg *m, const uint8_t *p, size_t n)
{
	if (n < MLD_LEN)
		return -EBADMSG;
	m->type = p[0];
	m->max_resp_ms = get16(p + 4);
	memcpy(m->group.b, p + 8, 16);
	return 0;
}

void rl_mld_write(const struct mld_msg *m, uint8_t *p)
{
	memset(p, 0, MLD_LEN);
	p[0] = m->type;
	put16(p + 4, m->max_resp_ms);
	memcpy(p + 8, m->group.b, 16);
}
