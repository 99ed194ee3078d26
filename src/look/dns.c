/* SPDX-License-Identifier: MIT */
/*
 * The answer section of a DNS message (RFC 1035, section 4) as text in the form of zone files.
 * The message is what a stranger sent: every length is checked against its end, and a
 * compressed name may jump backwards only, which bounds its length.
 * Called by `rill dns`.
 */
#include "look/dns.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define HEADER	12

struct msg {
	const uint8_t	*b;
	size_t		len, at;
};

/* Text under construction: too long sets @cut. */
struct text {
	char	*p;
	size_t	size, n;
	bool	cut;
};

static const struct {
	unsigned	number;
	const char	*name;
} types[] = {
	{ DNS_A, "A" }, { DNS_AAAA, "AAAA" }, { DNS_PTR, "PTR" }, { DNS_CNAME, "CNAME" },
	{ DNS_MX, "MX" }, { DNS_TXT, "TXT" }, { DNS_NS, "NS" }, { DNS_SRV, "SRV" },
	{ DNS_SOA, "SOA" },
};

static const char *const rcodes[] = {
	"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN",
	"YXRRSET", "NXRRSET", "NOTAUTH", "NOTZONE",
};

const char *dns_type_name(unsigned type)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (types[i].number == type)
			return types[i].name;
	return NULL;
}

unsigned dns_type_number(const char *name)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (!strcasecmp(types[i].name, name))
			return types[i].number;
	return 0;
}

const char *dns_rcode_name(unsigned rcode)
{
	return rcode < sizeof(rcodes) / sizeof(rcodes[0]) ? rcodes[rcode] : NULL;
}

/* ---- text ---- */

static void put(struct text *t, const char *s)
{
	size_t n = strlen(s);

	if (t->n + n >= t->size) {
		t->cut = true;
		return;
	}
	memcpy(t->p + t->n, s, n + 1);
	t->n += n;
}

/* @special: characters that need a backslash */
static void put_byte(struct text *t, uint8_t c, const char *special)
{
	char s[8];

	if (c < 0x20 || c >= 0x7f)
		snprintf(s, sizeof(s), "\\%03u", c);
	else if (strchr(special, c))
		snprintf(s, sizeof(s), "\\%c", c);
	else
		snprintf(s, sizeof(s), "%c", c);
	put(t, s);
}

/* ---- pieces of a message ---- */

static bool take16(struct msg *m, unsigned *v)
{
	if (m->len - m->at < 2)
		return false;
	*v = (unsigned)m->b[m->at] << 8 | m->b[m->at + 1];
	m->at += 2;
	return true;
}

static bool take32(struct msg *m, uint32_t *v)
{
	unsigned hi, lo;

	if (!take16(m, &hi) || !take16(m, &lo))
		return false;
	*v = (uint32_t)hi << 16 | lo;
	return true;
}

/* A name at @m->at; @t NULL: step over it. */
static bool take_name(struct msg *m, struct text *t)
{
	size_t at = m->at, lowest = m->at, total = 0;
	bool jumped = false;

	while (at < m->len && total < 256) {
		uint8_t n = m->b[at];

		if (n >= 0xc0) {		/* a pointer, to somewhere before */
			if (at + 1 >= m->len)
				return false;
			if (!jumped)
				m->at = at + 2;
			jumped = true;
			at = (size_t)(n & 0x3f) << 8 | m->b[at + 1];
			if (at >= lowest)
				return false;
			lowest = at;
			continue;
		}
		if (n > 63 || at + 1 + n > m->len)
			return false;
		if (n == 0) {
			if (!jumped)
				m->at = at + 1;
			if (t && !total)
				put(t, ".");
			return true;
		}
		for (unsigned i = 1; t && i <= n; i++)
			put_byte(t, m->b[at + i], ".\\\"();@$ ");
		if (t)
			put(t, ".");
		total += n + 1u;
		at += n + 1u;
	}
	return false;
}

/* ---- data by type ---- */

/* Strings, each in quotes. */
static bool put_txt(struct msg *m, size_t end, struct text *t)
{
	while (m->at < end) {
		size_t n = m->b[m->at++];

		if (n > end - m->at)
			return false;
		put(t, t->n ? " \"" : "\"");
		for (size_t i = 0; i < n; i++)
			put_byte(t, m->b[m->at + i], "\"\\");
		put(t, "\"");
		m->at += n;
	}
	return true;
}

/* @n numbers of 16 bits, then a name */
static bool put_numbers_and_name(struct msg *m, int n, struct text *t)
{
	char s[16];
	unsigned v;

	for (int i = 0; i < n; i++) {
		if (!take16(m, &v))
			return false;
		snprintf(s, sizeof(s), "%u ", v);
		put(t, s);
	}
	return take_name(m, t);
}

static bool put_soa(struct msg *m, struct text *t)
{
	char s[16];
	uint32_t v;

	if (!take_name(m, t))
		return false;
	put(t, " ");
	if (!take_name(m, t))
		return false;
	for (int i = 0; i < 5; i++) {
		if (!take32(m, &v))
			return false;
		snprintf(s, sizeof(s), " %u", v);
		put(t, s);
	}
	return true;
}

/* The form for types nobody knows (RFC 3597, section 5). */
static bool put_unknown(struct msg *m, size_t end, struct text *t)
{
	char s[32];

	snprintf(s, sizeof(s), "\\# %zu ", end - m->at);
	put(t, s);
	for (; m->at < end; m->at++) {
		snprintf(s, sizeof(s), "%02X", m->b[m->at]);
		put(t, s);
	}
	return true;
}

static bool put_addr(struct msg *m, size_t end, int family, struct text *t)
{
	char s[INET6_ADDRSTRLEN];

	if (end - m->at != (family == AF_INET ? 4 : 16))
		return false;
	put(t, inet_ntop(family, m->b + m->at, s, sizeof(s)));
	m->at = end;
	return true;
}

static bool put_data(struct msg *m, unsigned type, size_t end, struct text *t)
{
	switch (type) {
	case DNS_A:
		return put_addr(m, end, AF_INET, t);
	case DNS_AAAA:
		return put_addr(m, end, AF_INET6, t);
	case DNS_NS:
	case DNS_CNAME:
	case DNS_PTR:
		return put_numbers_and_name(m, 0, t);
	case DNS_MX:
		return put_numbers_and_name(m, 1, t);
	case DNS_SRV:
		return put_numbers_and_name(m, 3, t);
	case DNS_TXT:
		return put_txt(m, end, t);
	case DNS_SOA:
		return put_soa(m, t);
	}
	return put_unknown(m, end, t);
}

static bool take_rr(struct msg *m, struct dns_rr *rr)
{
	struct text name = { rr->name, sizeof(rr->name), 0, false };
	struct text data = { rr->data, sizeof(rr->data), 0, false };
	unsigned class, len;
	size_t end;

	rr->name[0] = rr->data[0] = '\0';
	if (!take_name(m, &name) || !take16(m, &rr->type) || !take16(m, &class) ||
	    !take32(m, &rr->ttl_s) || !take16(m, &len) || len > m->len - m->at)
		return false;
	end = m->at + len;
	if (!put_data(m, rr->type, end, &data) || m->at != end)
		return false;
	rr->cut = name.cut || data.cut;
	return true;
}

int dns_parse(struct dns_answer *a, const uint8_t *msg, size_t len)
{
	struct msg m = { msg, len, 4 };
	static struct dns_rr spare;
	unsigned questions, answers, rest;

	a->n = a->more = a->rcode = 0;
	a->truncated = false;
	if (len < HEADER || !(msg[2] & 0x80))		/* QR: a response */
		return -EBADMSG;
	a->truncated = msg[2] & 0x02;
	a->rcode = msg[3] & 0x0f;
	if (!take16(&m, &questions) || !take16(&m, &answers))
		return -EBADMSG;
	m.at = HEADER;
	for (unsigned i = 0; i < questions; i++)
		if (!take_name(&m, NULL) || !take16(&m, &rest) || !take16(&m, &rest))
			return -EBADMSG;
	for (unsigned i = 0; i < answers; i++) {
		bool fits = a->n < DNS_ANSWERS;

		if (!take_rr(&m, fits ? &a->rr[a->n] : &spare))
			return a->truncated ? 0 : -EBADMSG;
		a->n += fits;
		a->more += !fits;
	}
	return 0;
}

/* ---- questions ---- */

bool dns_reverse(const char *addr, char *buf, size_t n)
{
	uint8_t b[16];
	size_t len = 0;

	if (inet_pton(AF_INET, addr, b) == 1) {
		snprintf(buf, n, "%u.%u.%u.%u.in-addr.arpa", b[3], b[2], b[1], b[0]);
		return true;
	}
	if (inet_pton(AF_INET6, addr, b) != 1)
		return false;
	for (int i = 15; i >= 0; i--)
		len += (size_t)snprintf(buf + len, len < n ? n - len : 0, "%x.%x.", b[i] & 15,
					b[i] >> 4);
	snprintf(buf + len, len < n ? n - len : 0, "ip6.arpa");
	return true;
}

static unsigned how_many(const struct dns_answer *a, const struct dns_rr *like)
{
	unsigned n = 0;

	for (unsigned i = 0; i < a->n; i++)
		n += a->rr[i].type == like->type && !strcasecmp(a->rr[i].data, like->data);
	return n;
}

bool dns_agree(const struct dns_answer *a, const struct dns_answer *b)
{
	if (a->rcode != b->rcode || a->n + a->more != b->n + b->more)
		return false;
	for (unsigned i = 0; i < a->n; i++)
		if (how_many(a, &a->rr[i]) != how_many(b, &a->rr[i]))
			return false;
	return true;
}
