/* SPDX-License-Identifier: MIT */
/* look/history.c: records of ended connections to JSON and back. */
#include <jansson.h>

#include "look/history.h"
#include "rl_test.h"

static struct hist_rec sample(void)
{
	struct hist_rec r;

	hist_init(&r);
	filter_parse_ip("10.0.0.1", r.at.local);
	filter_parse_ip("fd77::2", r.at.peer);
	r.at.lport = 40000;
	r.at.pport = 80;
	r.id = 0xfedcba9876543210;
	strcpy(r.stack, "web");
	r.pid = 77;
	r.n = 1;
	r.opened_us = 1700000000000000;
	r.ended_us = r.opened_us + 5000000;
	strcpy(r.opened, "local");
	strcpy(r.closed_first, "peer");
	strcpy(r.end, "fin");
	strcpy(r.state, "LAST-ACK");
	r.time_wait = 0;
	r.err = 110;
	r.bytes_acked = INT64_MAX;
	r.in_us[RILL_SYN_SENT] = 0;
	r.in_us[RILL_ESTABLISHED] = 4000000;
	return r;
}

TEST(there_and_back)
{
	struct hist_rec a = sample(), b;
	json_t *o = hist_json(&a);

	REQUIRE("json", o);
	CHECK("parsed", hist_parse(o, &b));
	CHECK_MEM("the same", &b, &a, sizeof(a));
	CHECK("a flag is one", json_is_false(json_object_get(o, "time_wait")));
	CHECK("not known: not there", !json_object_get(o, "unread"));
	CHECK_EQ("lasted", hist_lasted_us(&b), 5000000);
	json_decref(o);
}

/* Any bytes are a program's name for the kernel. */
TEST(names_that_are_no_text)
{
	struct hist_rec a = sample(), b;
	json_t *o;

	strcpy(a.comm, "a\xff\033b");
	o = hist_json(&a);
	REQUIRE("json", o);
	CHECK("parsed", hist_parse(o, &b));
	CHECK_STR("harmless", b.comm, "a??b");
	json_decref(o);
}

TEST(what_is_wrong_or_missing)
{
	static const struct { const char *label, *text; bool ok; } rows[] = {
		{ "no object", "[1]", false },
		{ "empty", "{}", false },
		{ "no port", "{\"local\":\"::1\",\"lport\":1,\"peer\":\"::1\"}", false },
		{ "port too large",
		  "{\"local\":\"::1\",\"lport\":65536,\"peer\":\"::1\",\"pport\":1}", false },
		{ "no address",
		  "{\"local\":\"x\",\"lport\":1,\"peer\":\"::1\",\"pport\":1}", false },
		{ "the least", "{\"local\":\"::1\",\"lport\":1,\"peer\":\"::1\",\"pport\":2}", true },
		{ "wrong types", "{\"local\":\"::1\",\"lport\":1,\"peer\":\"::1\",\"pport\":2,"
		  "\"end\":7,\"err\":\"x\",\"n\":-5,\"in_us\":3,\"pid\":null}", true },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *o = json_loads(rows[i].text, 0, NULL);
		struct hist_rec r;

		CHECK_EQ(rows[i].label, hist_parse(o, &r), rows[i].ok);
		if (rows[i].ok) {
			CHECK_EQ(rl_label("%s: errno", rows[i].label), r.err, -1);
			CHECK_EQ(rl_label("%s: number", rows[i].label), r.n, -1);
			CHECK_STR(rl_label("%s: end", rows[i].label), r.end, "");
			CHECK_EQ(rl_label("%s: lasted", rows[i].label), hist_lasted_us(&r), -1);
			CHECK_EQ(rl_label("%s: state", rows[i].label),
				 r.in_us[RILL_ESTABLISHED], -1);
		}
		json_decref(o);
	}
}
