/* SPDX-License-Identifier: MIT */
/* TCP's fixed header [RFC9293:3.1]. */
#include <errno.h>

#include "wire/tcp_hdr.h"

int rl_tcp_hdr_parse(struct tcp_hdr *h, const uint8_t *p, size_t n)
{
	if (n < TCP_HDR_LEN)
		return -EBADMSG;
	h->sport = get16(p);
	h->dport = get16(p + 2);
	h->seq = seq_make(get32(p + 4));
	h->ack = seq_make(get32(p + 8));
	h->hdr_len = (uint8_t)((p[12] >> 4) * 4);
	h->flags = p[13];			/* reserved bits ignored [RFC9293:lc-1] */
	h->win = get16(p + 14);
	h->urg = get16(p + 18);
	if (h->hdr_len < TCP_HDR_LEN || h->hdr_len > n)
		return -EBADMSG;
	return 0;
}

void rl_tcp_hdr_write(const struct tcp_hdr *h, uint8_t *p)
{
	put16(p, h->sport);
	put16(p + 2, h->dport);
	put32(p + 4, h->seq.v);
	put32(p + 8, h->ack.v);
	p[12] = (uint8_t)(h->hdr_len / 4 << 4);	/* reserved bits zero [RFC9293:lc-1] */
	p[13] = h->flags;
	put16(p + 14, h->win);
	put16(p + 16, 0);
	put16(p + 18, h->urg);
}
