/* SPDX-License-Identifier: MIT */
/*
 * look/sock_json.c: the object parses, has every field of sock.def and tcpinfo.def,
 * names where names are, null where nothing is known, and text that stays text.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "look/filter.h"
#include "look/sock_json.h"
#include "rl_test.h"

static json_t *object(const struct rill_sock *s)
{
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);
	json_t *o;

	putc('{', f);
	rl_sock_json(f, s);
	putc('}', f);
	fclose(f);
	o = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	if (!o)
		printf("not JSON: %s\n", text);
	free(text);
	return o;
}

static const char *str(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "(none)";
}

static json_int_t num(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

TEST(json_of_the_kernel)
{
	const struct rill_owner o[] = { { 12, 3, "a\"b\\\x01\xff" }, { 13, -1, "c" } };
	struct rill_sock s = {
		.source = RILL_SRC_KERNEL, .proto = 6, .family = 4, .state = RILL_CLOSE_WAIT,
		.local.port = 80, .peer.port = 40000, .timer = RILL_TMR_KEEP, .timer_ms = 7000,
		.uid = -1, .age_ms = -1, .keepalive = -1, .cookie = UINT64_MAX >> 1,
		.recv_q = UINT32_MAX, .has_info = true, .stack = "", .owners = o, .nowners = 2,
		.cc = "bbr",
	};
	json_t *j, *own;

	s.info.snd_mss = 1448;
	filter_parse_ip("10.0.0.1", s.local.ip.b);
	filter_parse_ip("10.0.0.2", s.peer.ip.b);
	j = object(&s);
	REQUIRE("parses", j);
	CHECK_STR("source", str(j, "source"), "kernel");
	CHECK_STR("netid", str(j, "netid"), "tcp");
	CHECK_STR("state", str(j, "state"), "CLOSE-WAIT");
	CHECK_STR("as the RFC has it", str(j, "state_rfc"), rill_state_name(RILL_CLOSE_WAIT));
	CHECK_STR("local", str(j, "local"), "10.0.0.1");
	CHECK_STR("timer", str(j, "timer"), "keepalive");
	CHECK_STR("cc", str(j, "cc"), "bbr");
	CHECK_EQ("lport", num(j, "lport"), 80);
	CHECK_EQ("pport", num(j, "pport"), 40000);
	CHECK_EQ("recv_q", num(j, "recv_q"), UINT32_MAX);
	CHECK("unknown", json_is_null(json_object_get(j, "uid")) &&
	      json_is_null(json_object_get(j, "age_ms")));
	CHECK_EQ("info", num(json_object_get(j, "info"), "snd_mss"), 1448);
	CHECK("no stack", !json_object_get(j, "stack") && !json_object_get(j, "id"));
#define SOCK(type, name, unit, help)	CHECK(#name, json_object_get(j, #name));
#include "rill/sock.def"
#undef SOCK
#define INFO(type, name, unit, help)					\
	CHECK(#name, json_object_get(json_object_get(j, "info"), #name));
#include "rill/tcpinfo.def"
#undef INFO
	own = json_object_get(j, "owners");
	CHECK_UEQ("owners", json_array_size(own), 2);
	CHECK_STR("hostile name", str(json_array_get(own, 0), "comm"), "a\"b\\\x01\xc3\xbf");
	CHECK("descriptor not known", json_is_null(json_object_get(json_array_get(own, 1), "fd")));
	json_decref(j);
}

TEST(json_of_a_stack)
{
	struct rill_sock s = {
		.source = RILL_SRC_RILL, .proto = 17, .family = 0, .state = RILL_CLOSE,
		.cookie = 0xabc, .pid = 7, .stack = "web", .hold = "CWND", .timer = 99,
	};
	json_t *j = object(&s);

	REQUIRE("parses", j);
	CHECK_STR("source", str(j, "source"), "rill");
	CHECK_STR("netid", str(j, "netid"), "udp");
	CHECK_STR("state", str(j, "state"), "UNCONN");
	CHECK_STR("both families", str(j, "local"), "::");
	CHECK_STR("id", str(j, "id"), "abc");
	CHECK_STR("stack", str(j, "stack"), "web");
	CHECK_STR("hold", str(j, "hold"), "CWND");
	CHECK_STR("no such timer", str(j, "timer"), "unknown");
	CHECK_EQ("pid", num(j, "pid"), 7);
	CHECK("no info", !json_object_get(j, "info"));
	json_decref(j);
}
