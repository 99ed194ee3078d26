/* SPDX-License-Identifier: MIT */
/* Tests of look/dns.c: messages byte by byte.  [B9] */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "rl_test.h"
#include "look/dns.h"

static struct dns_answer a, b;

/* Header of a response to one question "x.t" of the type A, with @n answers. */
#define RESPONSE(flags, n) \
	"\x12\x34" "\x81" flags "\0\1" "\0" n "\0\0\0\0" "\1x\1t\0" "\0\1\0\1"
#define NAME	"\xc0\x0c"			/* points at the question's */
#define RR(type, len)	NAME "\0" type "\0\1" "\0\0\1\x2c" "\0" len

static const struct {
	const char *msg;
	size_t len;
	const char *type, *data;
} rows[] = {
#define ROW(msg, type, data)	{ msg, sizeof(msg) - 1, type, data }
	ROW(RESPONSE("\x80", "\1") RR("\1", "\4") "\x0a\0\0\1", "A", "10.0.0.1"),
	ROW(RESPONSE("\x80", "\1") RR("\x1c", "\x10") "\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1",
	    "AAAA", "fd00::1"),
	ROW(RESPONSE("\x80", "\1") RR("\5", "\4") "\1y\xc0\x0e", "CNAME", "y.t."),
	ROW(RESPONSE("\x80", "\1") RR("\x0f", "\6") "\0\x0a\1m\xc0\x0e", "MX", "10 m.t."),
	ROW(RESPONSE("\x80", "\1") RR("\x21", "\x0a") "\0\1\0\2\0\x50\1m\xc0\x0e", "SRV",
	    "1 2 80 m.t."),
	ROW(RESPONSE("\x80", "\1") RR("\x10", "\7") "\3a\"b\2\7c", "TXT",
	    "\"a\\\"b\" \"\\007c\""),
	ROW(RESPONSE("\x80", "\1") RR("\2", "\1") "\0", "NS", "."),
	ROW(RESPONSE("\x80", "\1") RR("\x0c", "\6") "\3a.b\xc0\x0e", "PTR", "a\\.b.t."),
	ROW(RESPONSE("\x80", "\1") RR("\xff", "\3") "\1\2\xab", NULL, "\\# 3 0102AB"),
};

TEST(dns_data)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *label = rows[i].data;

		CHECK_EQ(label, dns_parse(&a, (const uint8_t *)rows[i].msg, rows[i].len), 0);
		REQUIRE(label, a.n == 1);
		CHECK_STR(label, a.rr[0].name, "x.t.");
		CHECK_EQ(label, a.rr[0].ttl_s, 300);
		CHECK_STR(label, a.rr[0].data, rows[i].data);
		if (rows[i].type)
			CHECK_STR(label, dns_type_name(a.rr[0].type), rows[i].type);
		/* no shorter text is taken, and none is read beyond its end */
		for (size_t n = 0; n < rows[i].len; n++)
			CHECK_EQ(rl_label("%s, %zu bytes", label, n),
				 dns_parse(&a, (const uint8_t *)rows[i].msg, n), -EBADMSG);
	}
}

static const struct {
	const char *msg;
	size_t len;
	const char *label;
} bad_rows[] = {
#define BAD(label, msg)	{ msg, sizeof(msg) - 1, label }
	BAD("a question", "\x12\x34\1\0\0\0\0\0\0\0\0\0"),
	BAD("a name that points at itself",
	    "\x12\x34\x81\x80\0\0\0\1\0\0\0\0" "\xc0\x0c" "\0\1\0\1\0\0\0\0\0\0"),
	BAD("a name that points forward",
	    "\x12\x34\x81\x80\0\0\0\1\0\0\0\0" "\xc0\x0e" "\0\1\0\1\0\0\0\0\0\0"),
	BAD("a label of 64", RESPONSE("\x80", "\1") "\x40"),
	BAD("an address of 3 bytes", RESPONSE("\x80", "\1") RR("\1", "\3") "\1\2\3"),
	BAD("a string longer than its record", RESPONSE("\x80", "\1") RR("\x10", "\2") "\2a"),
	BAD("a name longer than its record", RESPONSE("\x80", "\1") RR("\5", "\1") "\1y\0"),
	BAD("a name shorter than its record", RESPONSE("\x80", "\1") RR("\5", "\4") "\1y\0x"),
};

TEST(dns_bad_messages)
{
	for (size_t i = 0; i < sizeof(bad_rows) / sizeof(bad_rows[0]); i++)
		CHECK_EQ(bad_rows[i].label, dns_parse(&a, (const uint8_t *)bad_rows[i].msg,
						      bad_rows[i].len), -EBADMSG);
}

TEST(dns_codes_and_types)
{
	static const char nx[] = RESPONSE("\x83", "\0");
	static const char cut[] = "\x12\x34\x83\x80\0\0\0\2\0\0\0\0";

	CHECK_EQ("parsed", dns_parse(&a, (const uint8_t *)nx, sizeof(nx) - 1), 0);
	CHECK_STR("code", dns_rcode_name(a.rcode), "NXDOMAIN");
	CHECK_EQ("cut short, as it says", dns_parse(&b, (const uint8_t *)cut, 12), 0);
	CHECK("it says so", b.truncated);
	CHECK("no name", !dns_rcode_name(15) && !dns_type_name(999));
	CHECK_EQ("case", dns_type_number("aaaa"), DNS_AAAA);
	CHECK_EQ("none", dns_type_number("any thing"), 0);
}

TEST(dns_agreement)
{
	CHECK_EQ("A", dns_parse(&a, (const uint8_t *)rows[0].msg, rows[0].len), 0);
	b = a;
	b.rr[0].ttl_s = 7;
	CHECK("times do not count", dns_agree(&a, &b));
	strcpy(b.rr[0].data, "10.0.0.2");
	CHECK("another address", !dns_agree(&a, &b));
	a.rr[1] = b.rr[0];
	b.rr[1] = a.rr[0];
	a.n = b.n = 2;
	CHECK("order does not count", dns_agree(&a, &b));
	b.rr[1] = b.rr[0];
	CHECK("twice the same is not both", !dns_agree(&a, &b));
	a.rr[2] = a.rr[0];
	b = a;
	b.rr[2] = a.rr[1];
	a.n = b.n = 3;
	CHECK("how often counts", !dns_agree(&a, &b));
	b = a;
	b.rcode = 3;
	CHECK("another code", !dns_agree(&a, &b));
}

TEST(dns_reverse_names)
{
	char buf[80];

	CHECK("IPv4", dns_reverse("192.0.2.1", buf, sizeof(buf)));
	CHECK_STR("name", buf, "1.2.0.192.in-addr.arpa");
	CHECK("IPv6", dns_reverse("fd77::1", buf, sizeof(buf)));
	CHECK_STR("name", buf, "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0."
		  "7.7.d.f.ip6.arpa");
	CHECK("no address", !dns_reverse("www.example.com", buf, sizeof(buf)));
}
