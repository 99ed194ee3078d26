/* SPDX-License-Identifier: MIT */
/* Tests of the commands' small parts: ss's times and timers, SHA-256, numbers. */
#include "rl_test.h"

/* the commands are no library: their sources are compiled in */
#include "tools/out.c"
#include "tools/sha256.c"
#include "tools/ss_fmt.c"

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
	const char *json, *text;
} timer_rows[] = {
	{ "{\"timer\":0,\"timer_us\":5}", "" },
	{ "{\"timer\":1,\"timer_us\":204000,\"tries\":2}", " timer:(on,204ms,2)" },
	{ "{\"timer\":2,\"timer_us\":7199000000,\"tries\":0}", " timer:(keepalive,119min,0)" },
	{ "{\"timer\":3,\"timer_us\":59000000}", " timer:(timewait,59sec,0)" },
	{ "{\"timer\":4,\"timer_us\":-5}", " timer:(persist,0,0)" },
	{ "{\"timer\":99,\"timer_us\":1000}", " timer:(unknown,001ms,0)" },
};

TEST(ss_timers)
{
	for (size_t i = 0; i < sizeof(timer_rows) / sizeof(timer_rows[0]); i++) {
		json_t *conn = json_loads(timer_rows[i].json, 0, NULL);
		char buf[64] = "";
		struct ss_text t = { buf, sizeof(buf), 0 };

		REQUIRE(timer_rows[i].json, conn);
		ss_timer(&t, conn);
		CHECK_STR(timer_rows[i].json, buf, timer_rows[i].text);
		json_decref(conn);
	}
}

static const struct {
	const char *json, *addr;
} addr_rows[] = {
	{ "{\"local\":\"10.0.0.1\",\"family\":4}", "10.0.0.1" },
	{ "{\"local\":\"fd77::1\",\"family\":6}", "[fd77::1]" },
	{ "{\"local\":\"0.0.0.0\",\"family\":4}", "0.0.0.0" },
	{ "{\"local\":\"::\",\"family\":6}", "[::]" },
	{ "{\"local\":\"::\",\"family\":0}", "*" },
	{ "{\"family\":0}", "" },
};

TEST(ss_addresses)
{
	char buf[64];

	for (size_t i = 0; i < sizeof(addr_rows) / sizeof(addr_rows[0]); i++) {
		json_t *conn = json_loads(addr_rows[i].json, 0, NULL);

		REQUIRE(addr_rows[i].json, conn);
		ss_addr(conn, "local", buf, sizeof(buf));
		CHECK_STR(addr_rows[i].json, buf, addr_rows[i].addr);
		json_decref(conn);
	}
	ss_port(0, false, false, buf, sizeof(buf));
	CHECK_STR("no port", buf, "*");
	ss_port(80, false, true, buf, sizeof(buf));
	CHECK_STR("a number", buf, "80");
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
