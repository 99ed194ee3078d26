/* SPDX-License-Identifier: MIT */
/*
 * Fuzzing of look/filter.c: any text either parses, and then matches without
 * touching anything but its stack, or gives one line that says why not.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "look/filter.h"
#include "rill/table.h"

#define MUST(cond)	do { if (!(cond)) abort(); } while (0)

/* Names are looked up as a resolver does that knows every one, twice. */
static unsigned lookup(const char *name, struct filter_addrs *a)
{
	a->n = *name % 3;
	a->v6[0] = true;
	return a->n;
}

/* The postfix list is well-formed: each operator finds its operands. */
static void check_nodes(const struct filter *f)
{
	unsigned depth = 0;

	for (unsigned i = 0; i < f->n; i++) {
		switch (f->node[i].kind) {
		case FLT_NOT:
			MUST(depth >= 1);
			break;
		case FLT_AND:
		case FLT_OR:
			MUST(depth >= 2);
			depth--;
			break;
		case FLT_PORT:
		case FLT_HOST:
		case FLT_DEV:
		case FLT_MARK:
		case FLT_CGROUP:
		case FLT_AUTO:
			depth++;
			break;
		case FLT_OPEN:
			abort();
		}
	}
	MUST(depth == (f->n ? 1 : 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct filter f;
	struct filter_subject s = { .lport = 80, .pport = 40000 };
	struct rill_sock sock = { .family = size % 2 ? 4 : 6, .ifindex = 1, .cgroup = 1 };
	char why[256] = "", *text = malloc(size + 1);
	char *words[8];
	int n = 0;

	filter_lookup = lookup;
	MUST(text);
	memcpy(text, data, size);
	text[size] = '\0';
	for (char *p = text; p && n < 8; n++) {	/* newlines separate arguments */
		words[n] = p;
		p = strchr(p, '\n');
		if (p)
			*p++ = '\0';
	}
	filter_parse_ip("10.0.0.1", s.local);
	filter_parse_ip("fd77::1", s.peer);
	if (filter_parse(&f, n, words, why, sizeof(why)) == 0) {
		check_nodes(&f);
		filter_match(&f, &s);
		sock.state = (uint8_t)(size % RILL_TCP_STATES);
		memcpy(sock.local.ip.b, s.local, 16);
		filter_sock(&f, &sock);
		MUST(!(f.states & ~FILTER_ALL));
	} else {
		MUST(*why);
	}
	free(text);
	return 0;
}
