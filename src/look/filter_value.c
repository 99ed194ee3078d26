/* SPDX-License-Identifier: MIT */
/*
 * What stands behind the words of filter.c's predicates: addresses, ports, devices,
 * marks, cgroups.  Text of the command line, so each is checked to its end.  Names
 * of hosts are looked up only where a command has set filter_lookup.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <net/if.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "look/cgroup.h"
#include "look/filter_int.h"

unsigned (*filter_lookup)(const char *name, struct filter_addrs *a);

static bool parse_port(const char *s, uint16_t *port)
{
	const struct servent *se;
	char *end;
	long v;

	if (isdigit((unsigned char)*s)) {
		v = strtol(s, &end, 10);
		*port = (uint16_t)v;
		return !*end && v <= 65535;
	}
	se = getservbyname(s, "tcp");
	if (!se)
		se = getservbyname(s, "udp");
	if (se)
		*port = ntohs((uint16_t)se->s_port);
	return se != NULL;
}

static void map4(uint8_t out[16], const uint8_t v4[4])
{
	memset(out, 0, 10);
	out[10] = out[11] = 0xff;
	memcpy(out + 12, v4, 4);
}

bool filter_parse_ip(const char *s, uint8_t out[16])
{
	uint8_t v4[4];

	if (inet_pton(AF_INET6, s, out) == 1)
		return true;
	if (inet_pton(AF_INET, s, v4) != 1)
		return false;
	map4(out, v4);
	return true;
}

/* "193.233.7" in front of a prefix length: missing bytes are 0, as in ss. */
static bool parse_short4(const char *s, uint8_t out[16])
{
	uint8_t v4[4] = { 0 };
	char *end;

	for (int i = 0; i < 4; i++) {
		unsigned long v;

		if (!isdigit((unsigned char)*s))
			return false;
		v = strtoul(s, &end, 10);
		if (v > 255)
			return false;
		v4[i] = (uint8_t)v;
		if (!*end) {
			map4(out, v4);
			return true;
		}
		if (*end != '.')
			return false;
		s = end + 1;
	}
	return false;
}

/* ADDR or ADDR/BITS; brackets are gone. */
static bool parse_prefix(char *s, struct filter_node *n)
{
	char *slash = strchr(s, '/'), *end;
	bool v4 = !strchr(s, ':');
	unsigned max = v4 ? 32 : 128;
	unsigned long bits = max;

	if (slash) {
		*slash++ = '\0';
		if (!isdigit((unsigned char)*slash))
			return false;
		bits = strtoul(slash, &end, 10);
		if (*end || bits > max)
			return false;
	}
	if (!filter_parse_ip(s, n->addr) && !(slash && parse_short4(s, n->addr)))
		return false;
	n->prefix = (unsigned)bits + (v4 ? 96 : 0);
	n->v6 = !v4;
	n->has_addr = true;
	return true;
}

/* Cut ":PORT" off the end, and brackets off the address.  Return: the port. */
static char *split_host(char *s, char **addr)
{
	char *close = strchr(s, ']'), *colon;

	*addr = s;
	if (*s == '[' && close) {		/* [V6], [V6]/64, either with :PORT */
		colon = strchr(close, ':');
		*addr = s + 1;
		memmove(close, close + 1, strlen(close));
		if (!colon)
			return NULL;
		colon--;
		*colon = '\0';
		return colon + 1;
	}
	colon = strchr(s, ':');
	if (!colon || strchr(colon + 1, ':'))	/* none, or IPv6 without brackets */
		return NULL;
	*colon = '\0';
	return colon + 1;
}

static bool parse_host(char *s, struct filter_node *n, struct filter_addrs *addrs)
{
	char *addr, *port;

	if (!strncmp(s, "inet:", 5))
		n->only = 4;
	else if (!strncmp(s, "inet6:", 6))
		n->only = 6;
	if (n->only)
		s = strchr(s, ':') + 1;
	port = split_host(s, &addr);
	if (port && strcmp(port, "*")) {
		if (!parse_port(port, &n->port))
			return false;
		n->has_port = true;
	}
	if (!*addr || !strcmp(addr, "*") || parse_prefix(addr, n))
		return true;
	return isalpha((unsigned char)*addr) && filter_lookup && filter_lookup(addr, addrs) > 0;
}

static bool parse_service(const char *s, struct filter_node *n)
{
	n->has_port = true;
	return parse_port(*s == ':' ? s + 1 : s, &n->port);
}

/* Up to @stop, which must follow. */
static bool parse_u32(const char *s, char stop, uint32_t *v, const char **behind)
{
	unsigned long long n;
	char *end;

	if (!isdigit((unsigned char)*s))
		return false;
	errno = 0;
	n = strtoull(s, &end, 0);
	*v = (uint32_t)n;
	*behind = end;
	return !errno && n <= UINT32_MAX && (*end == stop || !*end);
}

static bool parse_mark(const char *s, struct filter_node *n)
{
	n->mask = UINT32_MAX;
	if (!parse_u32(s, '/', &n->number, &s))
		return false;
	return !*s || parse_u32(s + 1, '\0', &n->mask, &s);
}

static bool parse_device(const char *s, struct filter_node *n)
{
	if (!parse_u32(s, '\0', &n->number, &s))
		n->number = if_nametoindex(s);
	return n->number != 0;
}

bool filter_value(const char *word, struct filter_node *n, struct filter_addrs *addrs)
{
	char text[FILTER_WORD];

	snprintf(text, sizeof(text), "%s", word);
	switch (n->kind) {
	case FLT_HOST:
		return parse_host(text, n, addrs);
	case FLT_PORT:
		return parse_service(text, n);
	case FLT_DEV:
		return parse_device(text, n);
	case FLT_MARK:
		return parse_mark(text, n);
	case FLT_CGROUP:
		n->cgroup = rl_cgroup_id(text);
		return n->cgroup != 0;
	case FLT_AUTO:
	case FLT_AND:
	case FLT_OR:
	case FLT_NOT:
	case FLT_OPEN:
		break;
	}
	return false;
}

void filter_autobound(struct filter_node *n)
{
	FILE *f = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");
	unsigned lo, hi;

	n->port = 32768;
	n->number = 60999;
	if (f && fscanf(f, "%u %u", &lo, &hi) == 2) {
		n->port = (uint16_t)lo;
		n->number = hi;
	}
	if (f)
		fclose(f);
}
