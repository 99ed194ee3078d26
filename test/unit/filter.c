/* SPDX-License-Identifier: MIT */
/* Tests of look/filter.c: the filter language of `rill ss`. */
#include <stdio.h>
#include <string.h>

#include "rl_test.h"
#include "look/filter.h"
#include "rill/table.h"

#define WORDS	16

/* Cut @text at blanks, as a shell does. */
static int parse(struct filter *f, const char *text, char *why, size_t n)
{
	static char copy[512];
	char *words[WORDS], *save = NULL;
	int argc = 0;

	snprintf(copy, sizeof(copy), "%s", text);
	for (char *w = strtok_r(copy, " ", &save); w && argc < WORDS;
	     w = strtok_r(NULL, " ", &save))
		words[argc++] = w;
	return filter_parse(f, argc, words, why, n);
}

#define EST	(1u << 1)
#define TW	(1u << 6)
#define LISTENING (1u << 10)

static const struct {
	const char *text;
	uint32_t states;
} state_rows[] = {
	{ "state established", EST },
	{ "state ESTABLISHED", EST },
	{ "state established state time-wait", EST | TW },
	{ "exclude listening", FILTER_ALL & ~LISTENING },
	{ "state all exclude time-wait", FILTER_ALL & ~TW },
	{ "state connected", FILTER_ALL & ~FILTER_CLOSED },
	{ "state synchronized", FILTER_ALL & ~FILTER_CLOSED & ~(1u << 2) },
	{ "state bucket", TW | 1u << 3 },
	{ "state big", FILTER_ALL & ~(TW | 1u << 3) },
	{ "state closing", 1u << 11 },
	{ "state last-ack", 1u << 9 },
};

TEST(filter_states)
{
	static struct filter f;
	char why[256] = "";

	for (size_t i = 0; i < sizeof(state_rows) / sizeof(state_rows[0]); i++) {
		CHECK_EQ(state_rows[i].text, parse(&f, state_rows[i].text, why, sizeof(why)),
			 0);
		CHECK(state_rows[i].text, f.has_states);
		CHECK_UEQ(state_rows[i].text, f.states, state_rows[i].states);
	}
	CHECK_EQ("nothing", parse(&f, "", why, sizeof(why)), 0);
	CHECK("nothing says nothing of states", !f.has_states);
}

/* One connection: 10.77.0.2:80 to 192.168.3.4:40000. */
static const struct {
	const char *text;
	bool want;
} match_rows[] = {
	{ "", true },
	{ "sport = :80", true },
	{ "sport :80", true },
	{ "sport 80", true },
	{ "sport = :http", true },
	{ "sport = 81", false },
	{ "sport != 80", false },
	{ "sport ne 81", true },
	{ "dport > 39999", true },
	{ "dport >= 40000", true },
	{ "dport>40000", false },
	{ "dport lt 40001", true },
	{ "dport <= 39999", false },
	{ "src 10.77.0.2", true },
	{ "src = 10.77.0.3", false },
	{ "src != 10.77.0.3", true },
	{ "src 10.77.0.0/16", true },
	{ "src 10.77/16", true },
	{ "src 10.78/16", false },
	{ "src 10.64.0.0/12", true },
	{ "src 10.80.0.0/12", false },
	{ "dst 0.0.0.0/0", true },
	{ "dst ::/0", true },
	{ "dst fd77::/64", false },
	{ "src 10.77.0.2:80", true },
	{ "src 10.77.0.2:81", false },
	{ "src 10.77.0.0/24:80", true },
	{ "src :80", true },
	{ "src *:80", true },
	{ "dst *", true },
	{ "src inet:10.77.0.2", true },
	{ "dst [::ffff:192.168.3.4]:40000", true },
	{ "sport 80 and dport 40000", true },
	{ "sport 80 dport 40001", false },
	{ "sport 81 or dport 40000", true },
	{ "sport 81 || dport 40001", false },
	{ "not sport 81", true },
	{ "! sport 80", false },
	{ "not not sport 80", true },
	{ "not sport 80 or dport 40000", true },
	{ "not ( sport 80 or dport 40000 )", false },
	/* and binds tighter than or */
	{ "sport 80 or sport 81 and dport 1", true },
	{ "(sport 80 or sport 81) and dport 1", false },
	{ "dport 1 and sport 81 or sport 80", true },
	{ "state all (sport=:80|dport=:80)", true },
	{ "((((sport 80))))", true },
};

TEST(filter_matches)
{
	static struct filter f;
	struct filter_subject s = { .lport = 80, .pport = 40000 };
	char why[256];

	CHECK("local", filter_parse_ip("10.77.0.2", s.local));
	CHECK("peer", filter_parse_ip("192.168.3.4", s.peer));
	for (size_t i = 0; i < sizeof(match_rows) / sizeof(match_rows[0]); i++) {
		const char *t = match_rows[i].text;

		why[0] = '\0';
		if (CHECK_EQ(t, parse(&f, t, why, sizeof(why)), 0))
			CHECK_EQ(t, filter_match(&f, &s), match_rows[i].want);
	}
}

TEST(filter_matches_ipv6)
{
	static struct filter f;
	struct filter_subject s = { .lport = 443, .pport = 5 };
	char why[256];

	CHECK("local", filter_parse_ip("fd77::2", s.local));
	CHECK("peer", filter_parse_ip("fd77::1", s.peer));
	CHECK_EQ("brackets", parse(&f, "src [fd77::2]:443", why, sizeof(why)), 0);
	CHECK("brackets match", filter_match(&f, &s));
	CHECK_EQ("bare", parse(&f, "dst fd77::1", why, sizeof(why)), 0);
	CHECK("bare matches", filter_match(&f, &s));
	CHECK_EQ("prefix", parse(&f, "src [fd77::]/64:443", why, sizeof(why)), 0);
	CHECK("prefix matches", filter_match(&f, &s));
	CHECK_EQ("odd prefix", parse(&f, "dst fd76::/15", why, sizeof(why)), 0);
	CHECK("odd prefix matches", filter_match(&f, &s));
	CHECK_EQ("IPv4", parse(&f, "dst 0.0.0.0/0", why, sizeof(why)), 0);
	CHECK("IPv4 does not", !filter_match(&f, &s));
}

/* What only a record of the table says: device, mark, cgroup, family, state. */
static const struct {
	const char *text;
	bool v4, v6;		/* matches 10.77.0.2:40000, the same mapped in IPv6 */
} sock_rows[] = {
	{ "", true, true },
	{ "dev 3", true, false },
	{ "dev = 3", true, false },
	{ "dev != 3", false, true },
	{ "dev lo", false, true },
	{ "fwmark 0x11", true, false },
	{ "fwmark 17", true, false },
	{ "fwmark = 0x10/0xf0", true, false },
	{ "fwmark 0x11/0xf0", false, false },
	{ "fwmark != 0x11", false, true },
	{ "autobound", true, true },
	{ "not autobound", false, false },
	{ "src 10.77.0.2", true, true },
	{ "src 10.77.0.0/16", true, true },
	{ "src ::/0", false, true },
	{ "src [::ffff:10.77.0.2]", false, true },
	{ "src != [::ffff:10.77.0.2]", true, false },
	{ "src inet:10.77.0.2", true, false },
	{ "src inet6:[::ffff:10.77.0.2]", false, true },
	{ "state established", true, false },
	{ "state close-wait", false, true },
	{ "exclude established", false, true },
	{ "dev 3 or autobound and not fwmark 0x11", true, true },
};

TEST(filter_socks)
{
	struct rill_sock v4 = { .family = 4, .state = RILL_ESTABLISHED, .ifindex = 3,
				.mark = 0x11 };
	struct rill_sock v6 = { .family = 6, .state = RILL_CLOSE_WAIT, .ifindex = 1 };
	static struct filter f;
	char why[256];

	CHECK("address", filter_parse_ip("10.77.0.2", v4.local.ip.b));
	v4.local.port = 40000;
	v6.local = v4.local;
	for (size_t i = 0; i < sizeof(sock_rows) / sizeof(sock_rows[0]); i++) {
		const char *t = sock_rows[i].text;

		if (!CHECK_EQ(t, parse(&f, t, why, sizeof(why)), 0))
			continue;
		CHECK_EQ(t, filter_sock(&f, &v4), sock_rows[i].v4);
		CHECK_EQ(t, filter_sock(&f, &v6), sock_rows[i].v6);
	}
}

static unsigned two_addresses(const char *name, struct filter_addrs *a)
{
	a->n = strcmp(name, "two") ? 0 : 2;
	filter_parse_ip("192.168.3.4", a->ip[0]);
	filter_parse_ip("fd77::9", a->ip[1]);
	a->v6[1] = true;
	return a->n;
}

/* A name means each of its addresses; without a resolver it is refused. */
TEST(filter_names)
{
	struct rill_sock s = { .family = 4, .peer.port = 80 };
	static struct filter f;
	char why[256];

	filter_parse_ip("192.168.3.4", s.peer.ip.b);
	filter_lookup = two_addresses;
	CHECK_EQ("name", parse(&f, "dst two:80", why, sizeof(why)), 0);
	CHECK("its first address", filter_sock(&f, &s));
	CHECK_EQ("no such name", parse(&f, "dst three", why, sizeof(why)), -1);
	CHECK_EQ("not", parse(&f, "dst != two", why, sizeof(why)), 0);
	CHECK("neither of them", !filter_sock(&f, &s));
	s.family = 6;
	filter_parse_ip("fd77::9", s.peer.ip.b);
	CHECK("nor the second", !filter_sock(&f, &s));
	CHECK_EQ("name again", parse(&f, "dst two", why, sizeof(why)), 0);
	CHECK("its second address", filter_sock(&f, &s));
	filter_lookup = NULL;
}

static const char *const bad_rows[] = {
	"sport 80 state established", "state", "state foo", "exclude", "foo", "sport", "sport =", "sport = x-y-z",
	"sport 65536", "sport -1", "src", "src = ", "src 10.0.0.0/33", "src fd00::/129",
	"src < 10.0.0.1", "src nonsense", "( sport 80", "sport 80 )", "sport 80 or", "not",
	"and sport 80", "sport 80 and and dport 1", "()", "sport 80 & & dport 1", "sport = = 80",
	"dev", "dev nosuchdevice0", "dev < 1", "fwmark", "fwmark x", "fwmark 1/", "fwmark > 1",
	"fwmark 0x100000000", "cgroup", "cgroup /no/such/one", "autobound 1", "dev 0",
	"src localhost", "src 1.2.3.4.5", "src 300.1/16", "src [fd77::1", "&", "=", "|", "sport 80 = 80",
};

TEST(filter_refuses)
{
	static struct filter f;

	for (size_t i = 0; i < sizeof(bad_rows) / sizeof(bad_rows[0]); i++) {
		char why[256] = "";

		CHECK_EQ(bad_rows[i], parse(&f, bad_rows[i], why, sizeof(why)), -1);
		CHECK(bad_rows[i], strlen(why) > 10 && !strchr(why, '\n'));
	}
}

TEST(filter_limits)
{
	static struct filter f;
	static char text[4096], why[256];
	char *words[] = { text };
	size_t len = 0;

	for (int i = 0; i < 64; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "sport %d or ", i);
	strcpy(text + len, "sport 64");
	CHECK_EQ("129 nodes are too many", filter_parse(&f, 1, words, why, sizeof(why)), -1);
	text[len - 4] = '\0';
	CHECK_EQ("127 fit", filter_parse(&f, 1, words, why, sizeof(why)), 0);
	memset(text, '(', 2000);
	text[2000] = '\0';
	CHECK_EQ("deep parentheses", filter_parse(&f, 1, words, why, sizeof(why)), -1);
	memset(text, 'a', 2000);
	CHECK_EQ("long word", filter_parse(&f, 1, words, why, sizeof(why)), -1);
}
