// SPDX-License-Identifier: MIT
/*
 * The parser of packet scripts: what each construct of the language becomes.  A
 * script's tree is written down again in a plain form of our own, and the rows of the
 * tables say what that is.
 */
#include <stdio.h>

#include "drill_fixture.h"
#include "rl_test.h"

/* ---- running the tables ---- */

static const struct drill_define defines[] = {
	{ "COOKIE", "0102030405060708" }, { "SOME_INT", "0x10" }, { "A_STRING", "\"a\\n\"" },
	{ "A_COMMAND", "`true`" }, { "LEVEL", "SOL_IP" }, { "FreeBSD", "" },
	{ "mss", "nop" },		/* keywords: not replaced */
	{ "sa_family", "x" }, { "id", "x" }, { "sequence#", "x" },
	{ NULL, NULL },
};

static struct drill_script script;
static char why[512];

static bool parse(const char *text, bool ipv6)
{
	rl_drill_script_free(&script);
	return rl_drill_parse(&script, "t.pkt", text, strlen(text), defines, ipv6, why,
			      sizeof(why)) == 0;
}

static void dump(void)
{
	put_clear();
	for (const struct drill_event *ev = script.events; ev; ev = ev->next) {
		put_event(ev);
		if (ev->next)
			put("; ");
	}
}

struct row {
	const char	*text;
	const char	*want;		/* the second event: the first one sets the stage */
};

static void run_rows(const struct row *rows, size_t n, bool ipv6)
{
	char text[1024];

	for (size_t i = 0; i < n; i++) {
		snprintf(text, sizeof(text), "0 quiet\n%s", rows[i].text);
		if (!CHECK_STR(rows[i].text, parse(text, ipv6) ? "" : why, ""))
			continue;
		dump();
		CHECK_STR(rows[i].text, strstr(out, "; ") ? strstr(out, "; ") + 2 : out,
			  rows[i].want);
	}
	rl_drill_script_free(&script);
}

#define RUN(rows, ipv6)	run_rows(rows, sizeof(rows) / sizeof((rows)[0]), ipv6)

/* ---- sections 1 to 3, 10, 11 ---- */

TEST(times)
{
	static const struct row rows[] = {
		{ "1 `x`", "at 1000000 command x" },
		{ "1.5 `x`", "at 1500000 command x" },
		{ ".5 `x`", "at 500000 command x" },
		{ "0.000001 `x`", "at 1 command x" },
		{ "+0.1234567 `x`", "after 123456 command x" },
		{ "+ 3`x`", "after 3000000 command x" },
		{ "* > . 1:1(0)", "any > 010 1+0" },
		{ "1~2 > . 1:1(0)", "at 1000000..2000000 > 010 1+0" },
		{ "+.1~+.25 > . 1:1(0)", "after 100000..250000 > 010 1+0" },
		{ "+1~+1 > . 1:1(0)", "after 1000000..1000000 > 010 1+0" },
		/* only neighbours are compared */
		{ "2 `x` +0 `y` 1 `z`",
		  "at 2000000 command x; after 0 command y; at 1000000 command z" },
		{ "2 `x` 2 `y`", "at 2000000 command x; at 2000000 command y" },
	};

	RUN(rows, false);
}

TEST(words_and_comments)
{
	static const struct row rows[] = {
		{ "1 // 2 `y`\n`x`", "at 1000000 command x" },
		{ "1 /* 2 \n * `y` */ `x` // at the end", "at 1000000 command x" },
		{ "1 /**/ `x` /*/ `y` */", "at 1000000 command x" },
		{ "1 # 2\n`x # y`", "at 1000000 command x # y" },
		{ "1\n\n\t`x`2`y`", "at 1000000 command x; at 2000000 command y" },
		{ "1 `a \\`b\\` \\n\nc`", "at 1000000 command a `b` \\n\nc" },
		{ "1 %{ \t assert a %{ == 1 \n # c \t }%", "at 1000000 code assert a %{ == 1 \n # c" },
		{ "1 %{}%", "at 1000000 code " },
		{ "1 A_COMMAND", "at 1000000 command true" },
		{ "#ifdef FreeBSD\n1 `x`\n#endif // y\n+1 `y`",
		  "at 1000000 command x; after 1000000 command y" },
		{ "1 f(FreeBSD) = 0", "at 1000000 f/1(FreeBSD) = 0" },
		{ "#ifdef Linux\n1 `x` \"\n # c \n  #endif\n+1 `y`", "after 1000000 command y" },
		{ "1 `x` #ifdef in a comment\n", "at 1000000 command x" },
		{ "1 f(\"a\" A_STRING \"\\x41\\t\\\\\\\"\\v\\f\\r\") = 0",
		  "at 1000000 f/1('61610a41095c220b0c0d') = 0" },
		{ "1 f(SOME_INT, LEVEL, COOKIE, \"LEVEL\") = SOME_INT",
		  "at 1000000 f/4(16 SOL_IP 102030405060708 '4c4556454c') = 16" },
		{ "1 > . 1:1(0) <mss 3>", "at 1000000 > 010 1+0 <mss 3>" },
		{ "1 f({sa_family=3, id=4}) = 0", "at 1000000 f/1({sa_family=3,id=4}) = 0" },
		{ "1 f(0x0Ff, 0x1g, \"\\xFa\\x0F\\x50\") = 0",
		  "at 1000000 f/3(255 0x1g 'fa0f50') = 0" },
	};

	RUN(rows, false);
}

TEST(head_and_foot)
{
	REQUIRE("parses", parse("--tolerance_usecs=10000 // c\n--verbose --remote_ip = 1.2.3.4/24\n"
				"--so_flags=\"a b=\\c\"\n--so_fla=1 --e=\"\" --define=X=\"q\"\n--ip_version=ipv6 # c\n"
				"`init`\n0 f(X, Y) = 0 +0 g() = 0\n`clean\nup`", false));
	const struct drill_option *o = script.options;

	CHECK_STR("name", o->name, "tolerance_usecs");
	CHECK_STR("value", o->value, "10000");
	CHECK_EQ("line", o->line, 1);
	o = o->next;
	CHECK_STR("without a value", o->name, "verbose");
	CHECK("NULL", !o->value);
	o = o->next;
	CHECK_STR("blanks around =", o->value, "1.2.3.4/24");
	CHECK_EQ("line 2", o->line, 2);
	o = o->next;
	CHECK_STR("in quotes", o->value, "a b=\\c");
	o = o->next;
	CHECK_STR("as long as define", o->name, "so_fla");
	o = o->next;
	CHECK_STR("empty", o->value, "");
	o = o->next;
	CHECK_STR("--define is not kept", o->name, "ip_version");
	CHECK("the last", !o->next);
	CHECK_STR("init", script.init, "init");
	CHECK_EQ("its line", script.init_line, 6);
	CHECK_STR("cleanup", script.cleanup, "clean\nup");
	CHECK_EQ("its line", script.cleanup_line, 8);
	CHECK_EQ("events", script.nevents, 2);
	dump();
	CHECK_STR("defined by the script", out, "at 0 f/2('71' Y) = 0; after 0 g/0() = 0");
	rl_drill_script_free(&script);
}

/* The command line wins, and what the script defines holds from there on. */
TEST(definitions)
{
	REQUIRE("parses", parse("--define=A=B --define=COOKIE=1 --define=B=C 0 f(A, B, COOKIE) = 0",
				false));
	dump();
	CHECK_STR("no recursion", out, "at 0 f/3(B C 102030405060708) = 0");
	rl_drill_script_free(&script);
}

TEST(lines_and_text)
{
	REQUIRE("parses", parse("\n  0 f(1, // c\n    2)   =  0\n\n+.1  <  S 0:0(0)\n\twin 3 "
				"state\tESTABLISHED\n+0 %{ a\n b }%", false));
	const struct drill_event *ev = script.events;

	CHECK_EQ("line", ev->line, 2);
	CHECK_STR("on one line", ev->text, "0 f(1, 2) = 0");
	CHECK_STR("file", ev->file, "t.pkt");
	ev = ev->next;
	CHECK_EQ("line", ev->line, 5);
	CHECK_STR("on one line", ev->text, "+.1 < S 0:0(0) win 3");
	ev = ev->next;
	CHECK_EQ("line", ev->line, 6);
	CHECK_STR("without time", ev->text, "state ESTABLISHED");
	CHECK_STR("code", ev->next->text, "+0 %{ a b }%");
	rl_drill_script_free(&script);
}

TEST(own_lines)
{
	static const struct row rows[] = {
		{ "drop PAWS", "after 0 drop PAWS" },
		{ "+0.5 drop paws", "after 500000 drop paws" },
		{ "state FIN-WAIT-1 state LISTEN", "after 0 state FIN-WAIT-1; after 0 state LISTEN" },
		{ "state LEVEL", "after 0 state SOL_IP" },
		{ "hold RWND quiet", "after 0 hold RWND; after 0 quiet" },
		{ "use established", "after 0 use established" },
		{ "use established()", "after 0 use established" },
		{ "use established(mss 1000, sackOK, x -1)",
		  "after 0 use established mss=1000 sackOK x=-1" },
		/* a call of that name stays a call */
		{ "1 state(3) = 0", "at 1000000 state/1(3) = 0" },
		{ "1 < udp (9) badsum drop UDP_CSUM",
		  "at 1000000 < udp 9 badsum; after 0 drop UDP_CSUM" },
		{ "1 < icmp echo_reply badsum", "at 1000000 < icmp 0/0 badsum" },
		{ "1 < . 1:1(0) win 2 <nop,nop,sack 1:2> badsum quiet",
		  "at 1000000 < 010 1+0 win 2 <nop, nop, sack 1-2> badsum; after 0 quiet" },
		{ "1 < icmp echo_reply drop PAWS", "at 1000000 < icmp 0/0; after 0 drop PAWS" },
		{ "1 f() = -1 state LISTEN", "at 1000000 f/0() = -1; after 0 state LISTEN" },
	};

	RUN(rows, false);
	REQUIRE("first without a time", parse("use listen\n0 f() = 0", false));
	dump();
	CHECK_STR("at 0", out, "after 0 use listen; at 0 f/0() = 0");
	rl_drill_script_free(&script);
}

/* ---- sections 5 to 8 ---- */

TEST(tcp_packets)
{
	static const struct row rows[] = {
		{ "1 < S 0:0(0) win 32792", "at 1000000 < 002 0+0 win 32792" },
		{ "1 < S 0:0(0)", "at 1000000 < 002 0+0 win 65535" },
		{ "1 > S. 0:0(0) ack 1", "at 1000000 > 012 0+0 ack 1" },
		{ "1 > FP. 1:11(10) ack 4294967295 win 0 urg 5",
		  "at 1000000 > 019 1+10 ack 4294967295 win 0 urg 5" },
		{ "1 > - 0:0(0)", "at 1000000 > 000 0+0" },
		{ "1 > FSRPUEWA. 0:65535(65535)", "at 1000000 > 1ff 0+65535" },
		{ "1 > SEWA 0:0(0)", "at 1000000 > 1c2 0+0" },
		{ "1 > .5 1:1(0)", "at 1000000 > 010/5 1+0" },
		{ "1 > P.0 1:1(0)", "at 1000000 > 018 1+0" },
		{ "1 > .7 1:1(0)", "at 1000000 > 010/7 1+0" },
		{ "1 > P0. 1:1(0)", "at 1000000 > 018 1+0" },
		{ "1 > P5. 1:1(0)", "at 1000000 > 018/5 1+0" },
		{ "1 > 7. 1:1(0)", "at 1000000 > 010/7 1+0" },
		{ "1 > 80 > 81 . 1:1(0)", "at 1000000 > 80>81 010 1+0" },
		{ "1 > . 4294967290:4(10)", "at 1000000 > 010 4294967290+10" },
		{ "1 < . 5:5(0)! ack 3", "at 1000000 < 010 5abs+0 ack 3 win 65535" },
		{ "1 > . ...(9) ack 3", "at 1000000 > 010 0any+9 ack 3" },
		{ "1 > [ect0] . 1:1(0)", "at 1000000 > ect0 010 1+0" },
		{ "1 >[noecn]. 1:1(0)", "at 1000000 > noecn 010 1+0" },
		{ "1 > (ect01) . 1:1(0)", "at 1000000 > ect01 010 1+0" },
		{ "1 > (ttl 64) . 1:1(0)", "at 1000000 > ttl 64 010 1+0" },
		{ "1 > (tos 0xb8) . 1:1(0)", "at 1000000 > tos b8 010 1+0" },
		{ "1 > (dscp 10) . 1:1(0)", "at 1000000 > tos 28 010 1+0" },
		{ "1 > (dscp 10, ect0) . 1:1(0)", "at 1000000 > tos 2a 010 1+0" },
		{ "1 > (dscp 10, noecn) . 1:1(0)", "at 1000000 > tos 28 010 1+0" },
		{ "1 > (dscp 10, ect1) . 1:1(0)", "at 1000000 > tos 29 010 1+0" },
		{ "1 > (ce, dscp 10) . 1:1(0)", "at 1000000 > tos 2b 010 1+0" },
	};
	static const struct row rows6[] = {
		{ "1 < (ce, flowlabel 0x12) . 1:1(0)",
		  "at 1000000 < ce flow 00012 010 1+0 win 65535" },
		{ "1 > (class 0xb8, hlim 3) . 1:1(0)", "at 1000000 > tos b8 ttl 3 010 1+0" },
	};

	RUN(rows, false);
	RUN(rows6, true);
}

TEST(tcp_options)
{
	static const struct row rows[] = {
		{ "<mss 1460,nop,wscale 8>", "<mss 1460, nop, wscale 8>" },
		{ "<sackOK,eol,nop>", "<sackOK, eol, nop>" },
		{ "<nop,nop,sack 1:2 4294967295:5>", "<nop, nop, sack 1-2 4294967295-5>" },
		{ "<nop,nop,sack 1:2 3:4 5:6 7:8>", "<nop, nop, sack 1-2 3-4 5-6 7-8>" },
		{ "<TS val 1 ecr 4294967295,nop,nop>", "<ts 1 4294967295, nop, nop>" },
		{ "<TS val ... ecr ...,nop,nop>", "<ts 0any 0any, nop, nop>" },
		{ "<TS val 3 ecr 5!,nop,nop>", "<ts 3 5abs, nop, nop>" },
		{ "<md5 000102030405060708090a0b0c0d0e0f,nop,nop>",
		  "<md5 000102030405060708090a0b0c0d0e0f, nop, nop>" },
		{ "<md5 0001>", "<md5 0001>" },
		{ "<FO,nop,nop>", "<fo , nop, nop>" },
		{ "<nop,nop,FO>", "<nop, nop, fo >" },
		{ "<FO 3021b9d889017eeb,nop,nop>", "<fo 3021b9d889017eeb, nop, nop>" },
		{ "<FO COOKIE,nop,nop>", "<fo 0102030405060708, nop, nop>" },
		{ "<FOEXP 0A1bC2dF>", "<foexp 0a1bc2df>" },
		{ "<FOEXP 00112233>", "<foexp 00112233>" },
		{ "<FOEXP>", "<foexp >" },
		{ "<ECN e0b 1 ceb 2 e1b 16777215,nop>", "<ecn0 1 2 16777215, nop>" },
		{ "<ECN e1b 1 ceb 2>", "<ecn1 1 2>" },
		{ "<ECN e1b 1 ceb 2 e0b 3,nop>", "<ecn1 1 2 3, nop>" },
		{ "<ECN e0b 1,nop,nop,nop>", "<ecn0 1, nop, nop, nop>" },
		{ "<253 0a0b>", "<raw fd0a0b>" },
		{ "<0xfe 0x0a0b>", "<raw fe0a0b>" },
		{ "<2 05b4>", "<raw 0205b4>" },
		{ "<254,1,0>", "<raw fe, nop, eol>" },
		{ "<020405b4>", "<bytes 020405b4>" },
		{ "<0x02ff0000>", "<bytes 02ff0000>" },
		{ "<...>", "<any>" },
	};
	char text[256], want[256];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(text, sizeof(text), "0 > . 1:1(0) ack 1 %s", rows[i].text);
		CHECK_STR(rows[i].text, parse(text, false) ? "" : why, "");
		snprintf(want, sizeof(want), "at 0 > 010 1+0 ack 1 %s", rows[i].want);
		dump();
		CHECK_STR(rows[i].text, out, want);
	}
	rl_drill_script_free(&script);
}

TEST(udp_and_icmp)
{
	static const struct row rows[] = {
		{ "1 < udp (1000)", "at 1000000 < udp 1000" },
		{ "1 > [ect1] udp 53 > 54 (0)", "at 1000000 > ect1 udp 53>54 0" },
		{ "1 < icmp unreachable [1:1001(1000)]", "at 1000000 < icmp 3/0 tcp 1+1000" },
		{ "1 < icmp unreachable frag_needed mtu 1200 [1:1(0)]",
		  "at 1000000 < icmp 3/4 mtu 1200 tcp 1+0" },
		{ "1 < [1:1001(1000)] icmp unreachable frag_needed mtu 1200",
		  "at 1000000 < icmp 3/4 mtu 1200 tcp 1+1000" },
		{ "1 < [udp (9)] icmp unreachable port_unreachable",
		  "at 1000000 < icmp 3/3 udp 0+9" },
		{ "1 < icmp unreachable precedence_cutoff", "at 1000000 < icmp 3/15" },
		{ "1 < icmp unreachable code_255 [udp (9)]", "at 1000000 < icmp 3/255 udp 0+9" },
		{ "1 < icmp time_exceeded frag_reass_exceeded", "at 1000000 < icmp 11/1" },
		{ "1 < icmp time_exceeded ttl_exceeded_in_transit [raw (3)]",
		  "at 1000000 < icmp 11/0 raw 0+3" },
		{ "1 > icmp echo_request id 7", "at 1000000 > icmp 8/0 id 7" },
		{ "1 > icmp address_mask_reply", "at 1000000 > icmp 18/0" },
		{ "1 > icmp type_255 code_1", "at 1000000 > icmp 255/1" },
	};
	static const struct row rows6[] = {
		{ "1 < icmp unreachable admin_prohibited", "at 1000000 < icmp 1/1" },
		{ "1 < icmp packet_too_big mtu 70000 [1:1(0)]",
		  "at 1000000 < icmp 2/0 mtu 70000 tcp 1+0" },
		{ "1 < icmp parameter_problem unknown_option", "at 1000000 < icmp 4/2" },
		{ "1 < icmp time_exceeded exceeded_frag_time", "at 1000000 < icmp 3/1" },
		{ "1 < icmp echo_reply", "at 1000000 < icmp 129/0" },
	};

	RUN(rows, false);
	RUN(rows6, true);
	REQUIRE("the script's version wins",
		parse("--ip_version=ipv4-mapped-ipv6 0 < icmp echo_reply", true));
	CHECK_EQ("v4", script.events->packet->icmp.type, 0);
	REQUIRE("and says v6", parse("--ip_version=ipv6 0 < icmp echo_reply", false));
	CHECK_EQ("v6", script.events->packet->icmp.type, 129);
	rl_drill_script_free(&script);
}

/* Every name, in the order of the numbers that the language gives. */
static void icmp_names(const char *type, unsigned number, const char *const *codes, bool ipv6)
{
	char text[128];

	for (unsigned i = 0; codes[i]; i++) {
		snprintf(text, sizeof(text), "0 < icmp %s %s", type, codes[i]);
		if (!CHECK(text, parse(text, ipv6)))
			continue;
		CHECK_EQ(text, script.events->packet->icmp.type, number);
		CHECK_EQ(text, script.events->packet->icmp.code, i);
		CHECK_STR(text, rl_drill_icmp_code(ipv6, (uint8_t)number, (uint8_t)i), codes[i]);
	}
	rl_drill_script_free(&script);
}

TEST(icmp_codes)
{
	static const char *const unreachable[] = {
		"net_unreachable", "host_unreachable", "protocol_unreachable", "port_unreachable",
		"frag_needed", "source_route_failed", "net_unknown", "host_unknown",
		"source_host_isolated", "net_prohibited", "host_prohibited",
		"net_unreachable_for_tos", "host_unreachable_for_tos", "packet_filtered",
		"precedence_violation", "precedence_cutoff", NULL,
	};
	static const char *const exceeded[] = {
		"ttl_exceeded_in_transit", "frag_reass_exceeded", NULL,
	};
	static const char *const unreachable6[] = {
		"no_route", "admin_prohibited", "not_neighbour", "address_unreachable",
		"port_unreachable", NULL,
	};
	static const char *const exceeded6[] = {
		"exceeded_hop_limit", "exceeded_frag_time", NULL,
	};
	static const char *const problem6[] = {
		"header_field", "unknown_next_header", "unknown_option", NULL,
	};

	icmp_names("unreachable", 3, unreachable, false);
	icmp_names("time_exceeded", 11, exceeded, false);
	icmp_names("unreachable", 1, unreachable6, true);
	icmp_names("time_exceeded", 3, exceeded6, true);
	icmp_names("parameter_problem", 4, problem6, true);
}

TEST(icmp_types)
{
	static const struct {
		const char	*name;
		int		v4, v6;		/* -1: not there */
	} types[] = {
		{ "echo_reply", 0, 129 }, { "unreachable", 3, 1 }, { "source_quench", 4, -1 },
		{ "redirect", 5, -1 }, { "echo_request", 8, 128 }, { "time_exceeded", 11, 3 },
		{ "parameter_problem", 12, 4 }, { "timestamp_request", 13, -1 },
		{ "timestamp_reply", 14, -1 }, { "information_request", 15, -1 },
		{ "information_reply", 16, -1 }, { "address_mask_request", 17, -1 },
		{ "address_mask_reply", 18, -1 }, { "packet_too_big", -1, 2 },
		{ "type_7", 7, 7 }, { "type_255", 255, 255 }, { "type_0a", -1, -1 },
		{ "type_A0", -1, -1 }, { "type_0001", -1, -1 }, { "code_1", -1, -1 },
	};
	char text[64];

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		snprintf(text, sizeof(text), "0 < icmp %s", types[i].name);
		CHECK_EQ(text, parse(text, false) ? script.events->packet->icmp.type : -1,
			 types[i].v4);
		CHECK_EQ(text, parse(text, true) ? script.events->packet->icmp.type : -1,
			 types[i].v6);
		if (strncmp(types[i].name, "type_", 5) == 0)
			continue;
		if (types[i].v4 >= 0)
			CHECK_STR(text, rl_drill_icmp_type(false, (uint8_t)types[i].v4),
				  types[i].name);
		if (types[i].v6 >= 0)
			CHECK_STR(text, rl_drill_icmp_type(true, (uint8_t)types[i].v6),
				  types[i].name);
	}
	CHECK("no name", !rl_drill_icmp_type(false, 1) && !rl_drill_icmp_type(true, 0));
	CHECK("no code", !rl_drill_icmp_code(false, 3, 16) && !rl_drill_icmp_code(true, 3, 2));
	rl_drill_script_free(&script);
}

#define V4(hex)	"00000000000000000000ffff" hex

TEST(encapsulation)
{
	static const struct row rows[] = {
		{ "1 < ipv4 2.2.2.2 > 1.1.1.1: . 1:1(0)",
		  "at 1000000 < ip4 " V4("02020202") ">" V4("01010101") ": 010 1+0 win 65535" },
		{ "1 > ipv6 (ect0) 2::2222 > ::1: [ce] udp (1)",
		  "at 1000000 > ip6 ect0 00020000000000000000000000002222>"
		  "00000000000000000000000000000001: ce udp 1" },
		{ "1 > ipv6 2001:0db8:1:2:3:4:5:6 > ::ffff:1.2.3.4 : . 1:1(0)",
		  "at 1000000 > ip6 20010db8000100020003000400050006>" V4("01020304") ": 010 1+0" },
		{ "1 > ipv6 AbcD:EF::0 > ::f : . 1:1(0)",
		  "at 1000000 > ip6 abcd00ef000000000000000000000000>"
		  "0000000000000000000000000000000f: 010 1+0" },
		{ "1 > gre: . 1:1(0)", "at 1000000 > gre: 010 1+0" },
		{ "1 > gre flags 0xb000, sum 511, off 1023, key 0x80001234, seq 512: . 1:1(0)",
		  "at 1000000 > gre b000 511 1023 2147488308 512: 010 1+0" },
		{ "1 > GREv0, Flags [key present, sequence# present] sum 1 off 2 key=3 seq 4: . 1:1(0)",
		  "at 1000000 > gre 3000 1 2 3 4: 010 1+0" },
		{ "1 > gre flags [none], sum 0, off 0, key 0, seq 0: . 1:1(0)",
		  "at 1000000 > gre 0000 0 0 0 0: 010 1+0" },
		{ "1 > gre flags [checksum present], sum 0, off 0, key 0, seq 0: . 1:1(0)",
		  "at 1000000 > gre 8000 0 0 0 0: 010 1+0" },
		{ "1 > mpls (label 0, tc 0, ttl 0) (label 1048575, tc 7, [S], ttl 255): . 1:1(0)",
		  "at 1000000 > mpls 0/0/0 1048575/7/255S: 010 1+0" },
		{ "1 > ipv4 1.1.1.1 > 2.2.2.2: gre: ipv4 1.1.1.1 > 2.2.2.2: gre: . 1:1(0)",
		  "at 1000000 > ip4 " V4("01010101") ">" V4("02020202") ": gre: ip4 "
		  V4("01010101") ">" V4("02020202") ": gre: 010 1+0" },
	};

	RUN(rows, false);
}

/* ---- section 9 ---- */

TEST(calls)
{
	static const struct row rows[] = {
		{ "1 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3",
		  "at 1000000 socket/3(~ SOCK_STREAM IPPROTO_TCP) = 3" },
		{ "1 close(3) = -1 EBADF (Bad file descriptor)", "at 1000000 close/1(3) = -1 EBADF" },
		{ "1 close(3) = -1 EBADF", "at 1000000 close/1(3) = -1 EBADF" },
		{ "1 close(3) = E2BIG", "at 1000000 close/1(3) = -1 E2BIG" },
		{ "1 close(3) = EBADF", "at 1000000 close/1(3) = -1 EBADF" },
		{ "1 close(3) = -1 (Can't (really) do 5.5, `x`)", "at 1000000 close/1(3) = -1" },
		{ "1 close(3) = -1 EBADF (a) (b|c)", "at 1000000 close/1(3) = -1 EBADF" },
		{ "1 fcntl(3, F_GETFL) = 0x802 (flags O_RDWR|O_NONBLOCK)",
		  "at 1000000 fcntl/2(3 F_GETFL) = 2050" },
		{ "1...1.5 read(3, ..., 10) = 10", "at 1000000 until 1500000 read/3(3 ~ 10) = 10" },
		{ "+0...0.2 read(3, NULL, 10) = 10", "after 0 until 200000 read/3(3 NULL 10) = 10" },
		{ "1 f(A|B | 0x4, -1)=0", "at 1000000 f/2(A|B|4 -1) = 0" },
		{ "1 f([1], [], [A | B, {..., 10}], \"\") = 0",
		  "at 1000000 f/4([1] [] [A|B,{~,10}] '') = 0" },
		{ "1 poll([{fd=3, events=POLLIN|POLLOUT, revents=0}], 1, 0) = 0",
		  "at 1000000 poll/3([{fd=3,events=POLLIN|POLLOUT,revents=0}] 1 0) = 0" },
		{ "1 setsockopt(3, SOL_SOCKET, SO_LINGER, {onoff=1, linger=0}, 8) = 0",
		  "at 1000000 setsockopt/5(3 SOL_SOCKET SO_LINGER {onoff=1,linger=0} 8) = 0" },
		{ "1 epoll_ctl(5, EPOLL_CTL_ADD, 4, {events=EPOLLIN, u64=0xffffffffffffffff}) = 0",
		  "at 1000000 epoll_ctl/4(5 EPOLL_CTL_ADD 4 {events=EPOLLIN,u64=-1}) = 0" },
		{ "1 recvmsg(4, {msg_name(...)=..., msg_iov(2)=[{..., 1}, {..., 2}],\n"
		  "msg_flags=A|B, msg_control=[{cmsg_level=LEVEL, cmsg_type=3,\n"
		  "cmsg_data={scm_sec=0,scm_nsec=10}}]}, MSG_ERRQUEUE) = 0",
		  "at 1000000 recvmsg/3(4 {msg_name#~=~,msg_iov#2=[{~,1},{~,2}],msg_flags=A|B,"
		  "msg_control=[{cmsg_level=SOL_IP,cmsg_type=3,cmsg_data={scm_sec=0,scm_nsec=10}}]}"
		  " MSG_ERRQUEUE) = 0" },
		{ "1 connect(3, {sa_family = AF_INET, sin_port = htons(80), sin_addr = "
		  "inet_addr(\"1.2\")}, ...) = 0",
		  "at 1000000 connect/3(3 {sa_family=AF_INET,sin_port=htons(80),"
		  "sin_addr=inet_addr('312e32')} ~) = 0" },
		{ "1 f(TCP_NLA_BUSY=..., X = 1|2) = 0", "at 1000000 f/2(TCP_NLA_BUSY=~ X=1|2) = 0" },
		{ "1 f() = 9223372036854775807", "at 1000000 f/0() = 9223372036854775807" },
		{ "1 f(-9223372036854775808) = 0", "at 1000000 f/1(-9223372036854775808) = 0" },
	};

	RUN(rows, false);
	CHECK("an escape that isn't in the language", !parse("0 f(\"\\0\") = 0", false));
	CHECK("brackets up to the bound",
	      parse("0 f([[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]) = 0", false));
	CHECK("and not beyond",
	      !parse("0 f([[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]) = 0", false));
	rl_drill_script_free(&script);
}
