/* SPDX-License-Identifier: MIT */
/* Tests of the commands' small parts: ss's times and timers, SHA-256, numbers. */
#include "rl_test.h"

/* the commands are no library: their sources are compiled in */
#include "tools/out.c"
#include "tools/sha256.c"
#include "tools/ss_fmt.c"
#include "tools/ss_info.c"

#include "look/filter.h"

static const struct {
	uint64_t ms;
	const char *text;	/* as ss(8) writes it */
} time_rows[] = {
	{ 7199999, "119min" }, { 7200000, "120min" }, { 59999, "59sec" }, { 60000, "1min" },
	{ 119000, "1min59sec" }, { 600000, "10min" }, { 204, "204ms" }, { 4, "004ms" },
	{ 1020, "1.020ms" }, { 9000, "9sec" }, { 10500, "10sec" }, { 0, "0" },
};

TEST(ss_times)
{
	char buf[40];

	for (size_t i = 0; i < sizeof(time_rows) / sizeof(time_rows[0]); i++)
		CHECK_STR(time_rows[i].text, ss_time(time_rows[i].ms, buf, sizeof(buf)),
			  time_rows[i].text);
}

static const struct {
	uint8_t timer;
	int64_t ms;
	uint32_t tries;
	const char *text;
} timer_rows[] = {
	{ 0, 5, 0, "" },
	{ 1, 204, 2, " timer:(on,204ms,2)" },
	{ 2, 7199000, 0, " timer:(keepalive,119min,0)" },
	{ 3, 59000, 0, " timer:(timewait,59sec,0)" },
	{ 4, -5, 0, " timer:(persist,0,0)" },
	{ 1, 4294967295, 3, " timer:(on,0,3)" },	/* the kernel's -1 */
	{ 99, 1, 0, " timer:(unknown,001ms,0)" },
};

TEST(ss_timers)
{
	for (size_t i = 0; i < sizeof(timer_rows) / sizeof(timer_rows[0]); i++) {
		struct rill_sock s = { .timer = timer_rows[i].timer, .timer_ms = timer_rows[i].ms,
				       .tries = timer_rows[i].tries };
		char buf[64] = "";
		struct ss_text t = { buf, sizeof(buf), 0 };

		ss_timer(&t, &s);
		CHECK_STR(timer_rows[i].text, buf, timer_rows[i].text);
	}
}

static const struct {
	const char *ip;
	uint8_t family;
	uint32_t ifindex;
	const char *addr;
} addr_rows[] = {
	{ "10.0.0.1", 4, 0, "10.0.0.1" },
	{ "255.255.255.255", 4, 0, "255.255.255.255" },
	{ "fd77::1", 6, 0, "[fd77::1]" },
	{ "::ffff:10.0.0.1", 6, 0, "[::ffff:10.0.0.1]" },
	{ "0.0.0.0", 4, 1, "0.0.0.0%lo" },
	{ "::", 6, 0, "[::]" },
	{ "::", 0, 0, "*" },
	{ "::", 0, 1, "*%lo" },
};

TEST(ss_addresses)
{
	char buf[64];
	struct ss_text t = { buf, sizeof(buf), 0 };

	for (size_t i = 0; i < sizeof(addr_rows) / sizeof(addr_rows[0]); i++) {
		struct rill_sock s = { .source = RILL_SRC_KERNEL, .family = addr_rows[i].family,
				       .ifindex = addr_rows[i].ifindex };

		filter_parse_ip(addr_rows[i].ip, s.local.ip.b);
		t.len = 0;
		ss_addr(&t, &s, true, false);
		CHECK_STR(addr_rows[i].addr, buf, addr_rows[i].addr);
	}
	t.len = 0;
	ss_port(&t, 0, false, false);
	CHECK_STR("no port", buf, "*");
	t.len = 0;
	ss_port(&t, 80, false, true);
	CHECK_STR("a number", buf, "80");
}

static const struct {
	double bps;
	const char *text, *plain;
} rate_rows[] = {
	{ 999.5, "999.5bps", "1000bps" }, { 1000, "1000bps", "1000bps" },
	{ 1001, "1kbps", "1001bps" }, { 37449140624, "37.4Gbps", "37449140624bps" },
	{ 2.5e15, "2.5e+03Tbps", "2500000000000000bps" },
};

TEST(ss_rates)
{
	for (size_t i = 0; i < sizeof(rate_rows) / sizeof(rate_rows[0]); i++) {
		char buf[64] = "";
		struct ss_text t = { buf, sizeof(buf), 0 };
		struct info n = { .t = &t };

		put_bps(&n, rate_rows[i].bps);
		CHECK_STR(rate_rows[i].text, buf, rate_rows[i].text);
		n.numeric = true;
		t.len = 0;
		put_bps(&n, rate_rows[i].bps);
		CHECK_STR(rate_rows[i].plain, buf, rate_rows[i].plain);
	}
}

/* Two programs of one socket: the last first; a stack's are always named. */
TEST(ss_owners)
{
	const struct rill_owner o[] = { { 7, 3, "a" }, { 7, 4, "a" }, { 9, 3, "b" } };
	struct rill_sock s = { .source = RILL_SRC_KERNEL, .owners = o, .nowners = 3 };
	char buf[128] = "";
	struct ss_text t = { buf, sizeof(buf), 0 };

	ss_users(&t, &s, false);
	CHECK_STR("not asked for", buf, "");
	ss_users(&t, &s, true);
	CHECK_STR("all", buf,
		  " users:((\"b\",pid=9,fd=3),(\"a\",pid=7,fd=4),(\"a\",pid=7,fd=3))");
	s = (struct rill_sock){ .source = RILL_SRC_RILL, .stack = "web", .pid = 5 };
	t.len = 0;
	ss_users(&t, &s, false);
	CHECK_STR("a stack", buf, " users:((\"web\",pid=5))");
}

TEST(ss_text_is_cut)
{
	char buf[8];
	struct ss_text t = { buf, sizeof(buf), 0 };

	ss_put(&t, "%s", "abcde");
	ss_put(&t, "%s", "fghij");
	CHECK_STR("7 and the end", buf, "abcdefg");
	ss_put(&t, "%s", "x");
	CHECK_STR("no more", buf, "abcdefg");
}

/* FIPS 180-4's own examples, and lengths around a block. */
TEST(sha256_vectors)
{
	static const struct {
		const char *text, *hex;
	} rows[] = {
		{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
		{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
		{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
	};
	struct sha256 s;
	char hex[65];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		sha256_init(&s);
		sha256_add(&s, rows[i].text, strlen(rows[i].text));
		sha256_hex(&s, hex);
		CHECK_STR(rows[i].text, hex, rows[i].hex);
	}
	sha256_init(&s);		/* a million times "a", in odd pieces */
	for (size_t n = 0, step; n < 1000000; n += step) {
		char a[130];

		step = 1 + n % 129;
		step = step < 1000000 - n ? step : 1000000 - n;
		memset(a, 'a', step);
		sha256_add(&s, a, step);
	}
	sha256_hex(&s, hex);
	CHECK_STR("a million", hex,
		  "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(numbers)
{
	uint64_t v;
	int ms;

	CHECK("limit", parse_u64("65535", 1, 65535, &v) && v == 65535);
	CHECK("above", !parse_u64("65536", 1, 65535, &v));
	CHECK("below", !parse_u64("0", 1, 65535, &v));
	CHECK("minus", !parse_u64("-1", 0, UINT64_MAX, &v));
	CHECK("empty", !parse_u64("", 0, UINT64_MAX, &v));
	CHECK("tail", !parse_u64("1x", 0, UINT64_MAX, &v));
	CHECK("huge", !parse_u64("99999999999999999999", 0, UINT64_MAX, &v));
	CHECK("size", parse_size("10m", &v) && v == 10 << 20);
	CHECK("size above 64 bits", !parse_size("99999999999t", &v));
	CHECK("size of nothing", !parse_size("m", &v));
	CHECK("seconds", parse_seconds("0.25", &ms) && ms == 250);
	CHECK("no seconds", !parse_seconds("1s", &ms) && !parse_seconds("nan", &ms) &&
	      !parse_seconds("-1", &ms));
}
