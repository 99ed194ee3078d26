/* SPDX-License-Identifier: MIT */
/* Fuzzing of look/dns.c: any bytes are an answer of whole texts, or refused. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "look/dns.h"

#define MUST(cond)	do { if (!(cond)) abort(); } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct dns_answer a;
	uint8_t *exact = malloc(size ? size : 1);	/* so that reading on is noticed */
	int r;

	MUST(exact);
	memcpy(exact, data, size);
	r = dns_parse(&a, exact, size);
	MUST(a.n <= DNS_ANSWERS);
	for (unsigned i = 0; r == 0 && i < a.n; i++) {
		MUST(memchr(a.rr[i].name, '\0', DNS_NAME));
		MUST(memchr(a.rr[i].data, '\0', DNS_DATA));
		for (const char *p = a.rr[i].data; *p; p++)
			MUST(*p >= ' ' && *p < 0x7f);
	}
	MUST(r < 0 || dns_agree(&a, &a));
	free(exact);
	return 0;
}
