/* SPDX-License-Identifier: MIT */
/* Answers of a name server, taken apart (RFC 1035, section 4); what `rill dns` shows. */
#ifndef RL_LOOK_DNS_H
#define RL_LOOK_DNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DNS_NAME	1025		/* 255 bytes, each escaped as \DDD at worst */
#define DNS_DATA	1200
#define DNS_ANSWERS	64

/* Types that can be asked for, by their numbers. */
enum dns_type {
	DNS_A = 1, DNS_NS = 2, DNS_CNAME = 5, DNS_SOA = 6, DNS_PTR = 12, DNS_MX = 15,
	DNS_TXT = 16, DNS_AAAA = 28, DNS_SRV = 33,
};

struct dns_rr {
	char		name[DNS_NAME];		/* "www.example.com." */
	unsigned	type;
	uint32_t	ttl_s;
	char		data[DNS_DATA];		/* as dig writes it: "10 mail.example.com." */
	bool		cut;			/* longer than there is room for */
};

struct dns_answer {
	unsigned	rcode;			/* 0 NOERROR, 3 NXDOMAIN, ... */
	bool		truncated;
	unsigned	n;
	unsigned	more;			/* answers that found no room */
	struct dns_rr	rr[DNS_ANSWERS];
};

/** Return: 0, or -EBADMSG: it is none. */
int dns_parse(struct dns_answer *a, const uint8_t *msg, size_t len);

/** "A"; NULL: a type without a name here.  And back: 0 for an unknown one. */
const char *dns_type_name(unsigned type);
unsigned dns_type_number(const char *name);

/** "NXDOMAIN"; NULL: without a name. */
const char *dns_rcode_name(unsigned rcode);

/** An address to the name that its PTR has; false: it is no address. */
bool dns_reverse(const char *addr, char *buf, size_t n);

/** Whether both say the same: code and data, in whatever order, without times. */
bool dns_agree(const struct dns_answer *a, const struct dns_answer *b);

#endif
