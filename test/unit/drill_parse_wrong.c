// SPDX-License-Identifier: MIT
/*
 * The parser of packet scripts: what it refuses, and what it says then.  A script that
 * isn't understood must never run as something else.
 */
#include <stdio.h>

#include "drill/ast.h"
#include "rl_test.h"

struct row {
	const char	*text;
	const char	*want;		/* behind "t.pkt:"; or the whole message */
};

static void refuse(const char *text, const char *want, bool ipv6)
{
	static const struct drill_define defines[] = { { "A", "B" }, { "CUT", "\"\\\"" },
							{ NULL, NULL } };
	struct drill_script s;
	char why[512];
	int err = rl_drill_parse(&s, "t.pkt", text, strlen(text), defines, ipv6, why,
				 sizeof(why));

	CHECK(text, err < 0);
	CHECK_STR(text, err < 0 && strncmp(why, "t.pkt:", 6) == 0 ? why + 6 : why, want);
	rl_drill_script_free(&s);
}

static void refuse_rows(const struct row *rows, size_t n, bool ipv6)
{
	for (size_t i = 0; i < n; i++)
		refuse(rows[i].text, rows[i].want, ipv6);
}

#define REFUSE(rows, ipv6)	refuse_rows(rows, sizeof(rows) / sizeof((rows)[0]), ipv6)

#define NO_TIME		"expected the time of an event, such as 0, +0.1 or *, found "
#define NO_BODY		"expected a packet ('<' or '>'), a system call, a `command` or " \
			"%{ code }%, found "
#define NO_OPTION	"expected an option such as mss 1460, found "
#define NO_FLAGS	"expected TCP flags: letters of SFRPUEWA, then '.' for ACK, as in S, S., " \
			"P. or .; '-' for none, found "
#define ALONE		"an ACE counter stands alone, instead of E, W and A"

#define ZEROS_40	"0000000000000000000000000000000000000000"
#define SHOWN_0		ZEROS_40 "..."
#define BYTES_37	ZEROS_40 "0000000000000000000000000000000000"

TEST(words)
{
	static const struct row rows[] = {
		{ "0 `a`\r\n", "1: a carriage return: lines end in a newline alone" },
		{ "0 f()\n/* a\n", "2: the comment has no end: expected */" },
		{ "\n0 `a", "2: the command has no end: expected `" },
		{ "0 f(\"a\\\") = 0", "1: the string has no end: expected \"" },
		{ "0 %{ a\n} %", "1: the code has no end: expected }%" },
		{ "--x=\"a\n0 `a`", "1: the value of --x has no end: expected \"" },
		{ "--define=X\n0 `a`", "1: expected --define=NAME=VALUE" },
		{ "--define==X\n0 `a`", "1: expected --define=NAME=VALUE" },
		{ "\n#ifdef X\n0 `a`", "2: #ifdef without #endif" },
		{ "#ifdef A\n0 `a`", "1: #ifdef without #endif" },
		{ "#ifdef A\n#ifdef A\n#endif\n", "2: #ifdef inside of #ifdef" },
		{ "#ifdef X\n #ifdef A\n#endif\n", "2: #ifdef inside of #ifdef" },
		{ "#endif\n", "1: #endif without #ifdef" },
		{ "#ifdef\n#endif\n", "1: expected a name behind #ifdef" },
		{ "0 \x01", "1: " NO_BODY "'\\x01'" },
		{ "0 \x7f", "1: " NO_BODY "'\\x7f'" },
		{ "0 \" ~\"", "1: " NO_BODY "'\" ~\"'" },
		{ "0 /x", "1: " NO_BODY "'/'" },
	};

	REFUSE(rows, false);
}

TEST(nul_byte)
{
	static const char text[] = "0 `a`\n0 `b\0c`\n";
	struct drill_script s;
	char why[100];

	CHECK("refused", rl_drill_parse(&s, "t", text, sizeof(text) - 1, NULL, false, why,
					sizeof(why)) < 0);
	CHECK_STR("at its line", why, "t:2: a NUL byte: this is not a text");
	rl_drill_script_free(&s);
}

TEST(structure)
{
	static const struct row rows[] = {
		{ "", "1: the script has no events" },
		{ "// nothing\n\n", "3: the script has no events" },
		{ "--x=1 `a`\n", "2: the script has no events" },
		{ "0 `a`\n--x=1\n", "2: options stand before everything else" },
		{ "`a` `b` 0 `c`",
		  "1: a command without a time stands only before the first event or at the end" },
		{ "0 `c`\n`a` 0 `d`",
		  "2: a command without a time stands only before the first event or at the end" },
		{ "close(3) = 0", "1: " NO_TIME "'close'" },
		{ "0 `a`\nstate(3) = 0", "2: " NO_TIME "'state'" },
		{ "0 `a`\n1", "2: " NO_BODY "the end of the script" },
		{ "0 `a`\n1 2", "2: " NO_BODY "'2'" },
		{ "0 drop", "1: expected a drop reason such as PAWS, found the end of the script" },
		{ "0 state 3", "1: expected a state such as ESTABLISHED, found '3'" },
		{ "use x(", "1: expected a parameter such as mss 1000, found the end of the script" },
		{ "use x(mss 1 2)", "1: expected ')' behind the fixture's parameters, found '2'" },
		{ "use x(mss 99999999999999999999)",
		  "1: expected ')' behind the fixture's parameters, found '99999999999999999999'" },
	};

	REFUSE(rows, false);
}

TEST(times)
{
	static const struct row rows[] = {
		{ "1 `a`", "1: the first event must be at time 0" },
		{ "+0.1 `a`", "1: the first event must be at time 0" },
		{ "* > . 1:1(0)", "1: the first event must be at time 0" },
		{ "0~1 > . 1:1(0)", "1: the first event must be at time 0" },
		{ "0 `a` -1 `a`", "1: expected seconds such as 0 or 0.1, found '-1'" },
		{ "0 `a` +-1 `a`", "1: expected seconds such as 0 or 0.1, found '-1'" },
		{ "0 `a` 0x1 `a`", "1: expected seconds such as 0 or 0.1, found '0x1'" },
		{ "0 `a` + `a`", "1: expected seconds such as 0 or 0.1, found '`a`'" },
		{ "0 `a` 99999999999999999999 `a`",
		  "1: expected seconds such as 0 or 0.1, found '99999999999999999999'" },
		{ "0 `a` 0.2 `a`\n0.1 `a`",
		  "2: this time is before that of the event before, 0.200000" },
		{ "0 `a` 0.2~3 > . 1:1(0)\n0.1~3 > . 1:1(0)",
		  "2: this time is before that of the event before, 0.200000" },
		{ "0 `a`\n0.2~0.1\n> . 1:1(0)", "2: the range of time ends before it begins" },
		{ "0 `a` +0.2~0.1 > . 1:1(0)",
		  "1: expected '+' behind '~', as in +0.1~+0.2, found '0.1'" },
		{ "0 `a` 0.2~+0.3 > . 1:1(0)",
		  "1: expected seconds such as 0 or 0.1, found '+'" },
		{ "0 `a` * < . 1:1(0)", "1: only an outbound packet can have any time (*)" },
		{ "0 `a` 1~2 < . 1:1(0)", "1: only an outbound packet can have a range of time" },
		{ "0 `a` +1~+2 close(3) = 0",
		  "1: only an outbound packet can have a range of time" },
		{ "0 `a` * `b`", "1: only an outbound packet can have any time (*)" },
		{ "0 `a` * quiet", "1: only an outbound packet can have any time (*)" },
		{ "0 `a` +0 > . 1:1(0) badsum", "1: only an inbound packet can be badsum" },
	};

	REFUSE(rows, false);
}

TEST(ip_headers)
{
	static const struct row rows[] = {
		{ "0 > [ect2] . 1:1(0)", "1: expected what is said of the IP header: noecn, ect0, "
		  "ect1, ect01, ce, tos, flowlabel, ttl, hlim, class or dscp, found 'ect2'" },
		{ "0 > [ect0) . 1:1(0)",
		  "1: expected ']' behind what is said of the IP header, found ')'" },
		{ "0 < [ect01] . 1:1(0)", "1: an inbound packet needs ect0 or ect1, not ect01" },
		{ "0 > . 1:1(0)\nbadsum", "2: only an inbound packet can be badsum" },
		{ "0 > (ttl 256) . 1:1(0)", "1: expected the TTL, 0 to 255, found '256'" },
		{ "0 > (ttl 1, hlim 2) . 1:1(0)", "1: 'hlim' says again what was said before" },
		{ "0 > (tos 1, ce) . 1:1(0)", "1: 'ce' says again what was said before" },
		{ "0 > (ect0, ect1) . 1:1(0)", "1: 'ect1' says again what was said before" },
		{ "0 > (ect0, tos 1) . 1:1(0)", "1: 'tos' says again what was said before" },
		{ "0 > (dscp 64) . 1:1(0)", "1: expected the DSCP, 0 to 63, found '64'" },
		{ "0 > (flowlabel 1) . 1:1(0)",
		  "1: only IPv6 has a flow label; --ip_version=ipv6?" },
		{ "0 > ipv4 1::1 > 2::2: . 1:1(0)", "1: expected an IPv4 address, found '1::1'" },
		{ "0 > ipv6 1::1 > 2.2.2.2: . 1:1(0)",
		  "1: expected an IPv6 address, found '2.2.2.2'" },
		{ "0 > ipv4 1.1.1.1 > 1.1.1.300: . 1:1(0)",
		  "1: expected an IPv4 address, found '1.1'" },
		{ "0 > gre: gre: gre: gre: gre: . 1:1(0)", "1: more than 6 layers of headers" },
		{ "0 > gre: gre: gre: gre: gre: gre: gre: . 1:1(0)",
		  "1: more than 6 layers of headers" },
		{ "0 > gre flags 65536, sum 0, off 0, key 0, seq 0: . 1:1(0)",
		  "1: expected the GRE flags, 0 to 65535, found '65536'" },
		{ "0 > gre flags 0, sum 65536, off 0, key 0, seq 0: . 1:1(0)",
		  "1: expected the GRE field 'sum', 0 to 65535, found '65536'" },
		{ "0 > gre flags 0, sum 0, off 65536, key 0, seq 0: . 1:1(0)",
		  "1: expected the GRE field 'off', 0 to 65535, found '65536'" },
		{ "0 > gre flags [nokey]: . 1:1(0)", "1: expected a GRE flag: none, checksum "
		  "present, key present or sequence# present, found 'nokey'" },
		{ "0 > mpls (label 1, tc 8, ttl 1): . 1:1(0)", "1: expected tc, 0 to 7, found '8'" },
		{ "0 > mpls (label 1, tc 7, ttl 256): . 1:1(0)",
		  "1: expected ttl, 0 to 255, found '256'" },
		{ "0 > mpls (label 1, tc 0, [T], ttl 1): . 1:1(0)",
		  "1: expected 'S', the bottom of the stack, found 'T'" },
		{ "0 > mpls (label 1, tc 0, ttl 1) (label 1, tc 0, ttl 1) (label 1, tc 0, ttl 1)"
		  "(label 1, tc 0, ttl 1) (label 1, tc 0, ttl 1) (label 1, tc 0, ttl 1)"
		  "(label 1, tc 0, ttl 1) (label 1, tc 0, ttl 1) (label 1, tc 0, ttl 1): . 1:1(0)",
		  "1: more than 8 MPLS labels" },
		{ "0 > (tos 256) . 1:1(0)", "1: expected the type of service, 0 to 255, found '256'" },
		{ "0 > (dscp 1, tos 1) . 1:1(0)", "1: 'tos' says again what was said before" },
		{ "0 > (tos 1, dscp 1) . 1:1(0)", "1: 'dscp' says again what was said before" },
		{ "0 > gre . 1:1(0)", "1: expected 'flags' or ':' behind gre, found '.'" },
		{ "0 > gre flags 1, off 1: . 1:1(0)",
		  "1: expected the GRE field 'sum', found 'off'" },
		{ "0 > gre flags [key]: . 1:1(0)", "1: expected 'present', found ']'" },
		{ "0 > mpls (label 1048576, tc 0, ttl 1): . 1:1(0)",
		  "1: expected label, 0 to 1048575, found '1048576'" },
		{ "0 > mpls (label 1, ttl 0, ttl 1): . 1:1(0)",
		  "1: expected an MPLS label such as (label 16, tc 0, [S], ttl 64), found 'ttl'" },
	};

	static const struct row rows6[] = {
		{ "0 > (flowlabel 0x100000) . 1:1(0)",
		  "1: expected the flow label, 0 to 1048575, found '0x100000'" },
		{ "0 > (flowlabel 1, flowlabel 1) . 1:1(0)",
		  "1: 'flowlabel' says again what was said before" },
	};

	REFUSE(rows, false);
	REFUSE(rows6, true);
}

TEST(tcp)
{
	static const struct row rows[] = {
		{ "0 < 1:1(0)", "1: " NO_FLAGS "'1'" },
		{ "0 < X 1:1(0)", "1: " NO_FLAGS "'X'" },
		{ "0 < SfX. 1:1(0)", "1: " NO_FLAGS "'SfX'" },
		{ "0 < SS 1:1(0)", "1: the flag S stands twice" },
		{ "0 < E.5 1:1(0)", "1: " ALONE },
		{ "0 < E5. 1:1(0)", "1: " ALONE },
		{ "0 < 5W. 1:1(0)", "1: " ALONE },
		{ "0 < P5.5 1:1(0)", "1: " ALONE },
		{ "0 < .8 1:1(0)", "1: expected '.' and an ACE counter, 0 to 7, found '.8'" },
		{ "0 < .1:1(0)", "1: expected the sequence number, a number, found ':'" },
		{ "0 < .\n1:1001(\n999)", "2: the sequence numbers 1:1001(999) don't add up: "
		  "1 and 999 are 1000" },
		{ "0 < . 1:65537(65536)", "1: expected the length, 0 to 65535, found '65536'" },
		{ "0 < . 4294967296:1(0)",
		  "1: expected the sequence number, 0 to 4294967295, found '4294967296'" },
		{ "0 < . -1:0(1)",
		  "1: expected the sequence number, 0 to 4294967295, found '-1'" },
		{ "0 < . 1(0)",
		  "1: expected ':' behind the sequence number, as in 1:1001(1000), found '('" },
		{ "0 < . 1:1", "1: expected '(' before the length, found the end of the script" },
		{ "0 < .\n...(0)", "2: an inbound packet needs a sequence number, not ..." },
		{ "0 < . 1:1(0) ack", "1: expected the acknowledgment, a number, found the end of "
		  "the script" },
		{ "0 < . 1:1(0) win 65536", "1: expected the window, 0 to 65535, found '65536'" },
		{ "0 < . 1:1(0) win 1 win 2", "1: " NO_TIME "'win'" },
		{ "0 < . 1:1(0) urg 70000",
		  "1: expected the urgent pointer, 0 to 65535, found '70000'" },
		{ "0 < . 1:1(0) urg 1 urg 2", "1: " NO_TIME "'urg'" },
		{ "0 > 1 > 65536 . 1:1(0)",
		  "1: expected the destination port, 0 to 65535, found '65536'" },
		{ "0 > udp 65536 > 1 (1)",
		  "1: expected the source port, 0 to 65535, found '65536'" },
		{ "0 > udp 1 > 65536 (1)",
		  "1: expected the destination port, 0 to 65535, found '65536'" },
		{ "0 > 65536 > 1 . 1:1(0)",
		  "1: expected the source port, 0 to 65535, found '65536'" },
		{ "0 > 70000 > 1 . 1:1(0)",
		  "1: expected the source port, 0 to 65535, found '70000'" },
	};

	REFUSE(rows, false);
}

TEST(tcp_options)
{
	static const struct row rows[] = {
		{ "0 > . 1:1(0) <mms 1000>", "1: " NO_OPTION "'mms'" },
		{ "0 > . 1:1(0) <>", "1: " NO_OPTION "'>'" },
		{ "0 > . 1:1(0) <nop,nop,nop,>", "1: " NO_OPTION "'>'" },
		{ "0 > . 1:1(0)\n<mss 65536>", "2: expected the MSS, 0 to 65535, found '65536'" },
		{ "0 > . 1:1(0) <wscale 256,nop>",
		  "1: expected the window scale, 0 to 255, found '256'" },
		{ "0 > . 1:1(0) <nop>",
		  "1: the TCP options take 1 bytes: not a multiple of 4, add nop" },
		{ "0 > . 1:1(0) <TS val 1 ecr 2>",
		  "1: the TCP options take 10 bytes: not a multiple of 4, add nop" },
		{ "0 > . 1:1(0) <sack 1:2 3:4 5:6 7:8,TS val 1 ecr 2>",
		  "1: the TCP options take 44 bytes: more than 40" },
		{ "0 > . 1:1(0) <sack 1:2 1:2 1:2 1:2 1:2,nop,nop>", "1: more than 4 SACK blocks" },
		{ "0 > . 1:1(0) <sack 1,nop,nop>",
		  "1: expected ':' in the SACK block, as in 1001:2001, found ','" },
		{ "0 > . 1:1(0) <sack,nop,nop>",
		  "1: expected a SACK block's start, a number, found ','" },
		{ "0 > . 1:1(0) <TS 1 ecr 2>",
		  "1: expected 'val', as in TS val 100 ecr 200, found '1'" },
		{ "0 > . 1:1(0) <TS val 1 2>",
		  "1: expected 'ecr', as in TS val 100 ecr 200, found '2'" },
		{ "0 < . 1:1(0) <TS val ... ecr 2>", "1: an inbound packet needs a TS val, not ..." },
		{ "0 < . 1:1(0) <TS val 1 ecr ...>", "1: an inbound packet needs a TS ecr, not ..." },
		{ "0 < . 1:1(0) <...>", "1: an inbound packet needs its options, not ..." },
		{ "0 > . 1:1(0) <FO 123,nop>", "1: expected a Fast Open cookie: pairs of hex "
		  "digits, at most 38, found '123'" },
		{ "0 > . 1:1(0) <FO abcx,nop,nop>", "1: expected a Fast Open cookie: pairs of hex "
		  "digits, at most 38, found 'abcx'" },
		{ "0 > . 1:1(0) <FOEXP " BYTES_37 ">", "1: expected a Fast Open cookie: pairs of hex "
		  "digits, at most 36, found '" SHOWN_0 "'" },
		{ "0 > . 1:1(0) <FO " BYTES_37 "0000>", "1: expected a Fast Open cookie: pairs of "
		  "hex digits, at most 38, found '" SHOWN_0 "'" },
		{ "0 > . 1:1(0) <254 " BYTES_37 "0000>", "1: expected an option's data: pairs of hex "
		  "digits, at most 38, found '" SHOWN_0 "'" },
		{ "0 > . 1:1(0) <" BYTES_37 "00000000>", "1: expected the options as bytes: pairs of "
		  "hex digits, at most 40, found '" SHOWN_0 "'" },
		{ "0 > . 1:1(0) <md5 000102030405060708090a0b0c0d0e0f10>", "1: expected an MD5 "
		  "digest: pairs of hex digits, at most 16, found "
		  "'000102030405060708090a0b0c0d0e0f10'" },
		{ "0 > . 1:1(0) <ECN e0b 1 e1b 2>", "1: expected '>' behind the TCP options, "
		  "found 'e1b'" },
		{ "0 > . 1:1(0) <ECN ceb 1>",
		  "1: expected 'e0b' or 'e1b' and a counter behind ECN, found 'ceb'" },
		{ "0 > . 1:1(0) <ECN e0b 16777216>",
		  "1: expected an AccECN counter, 0 to 16777215, found '16777216'" },
		{ "0 > . 1:1(0) <256 00>", "1: expected the kind of an option, 0 to 255, found '256'" },
		{ "0 > . 1:1(0) <0204ffff0101>",
		  "1: the TCP options take 6 bytes: not a multiple of 4, add nop" },
		{ "0 > . 1:1(0) <mss 1000",
		  "1: expected '>' behind the TCP options, found the end of the script" },
	};

	REFUSE(rows, false);
}

TEST(icmp)
{
	static const struct row rows[] = {
		{ "0 < icmp packet_too_big", "1: expected an ICMP type of IPv4 such as unreachable "
		  "or type_3, found 'packet_too_big'" },
		{ "0 < icmp type_256",
		  "1: expected an ICMP type of IPv4 such as unreachable or type_3, found 'type_256'" },
		{ "0 < icmp type_",
		  "1: expected an ICMP type of IPv4 such as unreachable or type_3, found 'type_'" },
		{ "0 < icmp redirect net_unreachable", "1: expected a code of ICMP type 5, such as "
		  "code_0, or an event's time, found 'net_unreachable'" },
		{ "0 < icmp unreachable no_route", "1: expected a code of ICMP type 3, such as "
		  "code_0, or an event's time, found 'no_route'" },
		{ "0 < icmp unreachable mtu\n1000",
		  "2: only unreachable frag_needed has an mtu" },
		{ "0 < icmp unreachable frag_needed mtu 65536",
		  "1: expected the MTU, 0 to 65535, found '65536'" },
		{ "0 < icmp echo_reply id 65536",
		  "1: expected the identifier, 0 to 65535, found '65536'" },
		{ "0 < icmp unreachable [1:2(0)]",
		  "1: the sequence numbers 1:2(0) don't add up: 1 and 0 are 1" },
		{ "0 < icmp unreachable [udp (1)",
		  "1: expected ']' behind the quoted packet, found the end of the script" },
	};
	static const struct row rows6[] = {
		{ "0 < icmp redirect", "1: expected an ICMP type of IPv6 such as unreachable or "
		  "type_1, found 'redirect'" },
		{ "0 < icmp unreachable frag_needed", "1: expected a code of ICMPv6 type 1, such as "
		  "code_0, or an event's time, found 'frag_needed'" },
		{ "0 < icmp unreachable mtu 1000", "1: only packet_too_big has an mtu" },
	};

	REFUSE(rows, false);
	REFUSE(rows6, true);
}

TEST(calls)
{
	static const struct row rows[] = {
		{ "0 close 3", "1: expected a system call such as read(3, ..., 1000) = 1000, "
		  "found 'close'" },
		{ "0 close(3)",
		  "1: expected '=' and the result behind a system call, found the end of the script" },
		{ "0 close(3) = ?", "1: expected the result, a number or an errno such as "
		  "ECONNRESET, found '?'" },
		{ "0 close(3) = x", "1: expected the result, a number or an errno such as "
		  "ECONNRESET, found 'x'" },
		{ "0 close(3) = EbADF", "1: expected the result, a number or an errno such as "
		  "ECONNRESET, found 'EbADF'" },
		{ "0 close(3) = E_AD", "1: expected the result, a number or an errno such as "
		  "ECONNRESET, found 'E_AD'" },
		{ "0 close(3) = EX", "1: expected the result, a number or an errno such as "
		  "ECONNRESET, found 'EX'" },
		{ "0 close(3) = 99999999999999999999", "1: expected the result, a number or an "
		  "errno such as ECONNRESET, found '99999999999999999999'" },
		{ "0 close(3) = -1 eBADF", "1: " NO_TIME "'eBADF'" },
		{ "0 close(3) = -1\n(a\n(b)",
		  "2: the words in parentheses have no end: expected ')'" },
		{ "0 f(1 2) = 0", "1: expected ',' or ')', found '2'" },
		{ "0 f([1 2]) = 0", "1: expected ',' or ']', found '2'" },
		{ "0 f({1 2}) = 0", "1: expected ',' or '}', found '2'" },
		{ "0 f(1,) = 0", "1: expected a value: a number, a name, \"a string\", ..., [a, b] "
		  "or {a, b}, found ')'" },
		{ "0 f(1|) = 0", "1: expected a value: a number, a name, \"a string\", ..., [a, b] "
		  "or {a, b}, found ')'" },
		{ "0 f(0.5) = 0", "1: expected a value: a number, a name, \"a string\", ..., [a, b] "
		  "or {a, b}, found '0.5'" },
		{ "0 f(99999999999999999999) = 0", "1: expected a number of at most 64 bits, found "
		  "'99999999999999999999'" },
		{ "0 f(9223372036854775808) = 0", "1: expected a number of at most 64 bits, found "
		  "'9223372036854775808'" },
		{ "0 f(-9223372036854775809) = 0", "1: expected a number of at most 64 bits, found "
		  "'-9223372036854775809'" },
		{ "0 f(1 = 2) = 0", "1: expected ',' or the list's end, found '='" },
		{ "0 f(a(1, 2) = 2) = 0", "1: expected ',' or the list's end, found '='" },
		{ "0 f(\"\\q\") = 0",
		  "1: expected one of \\n \\r \\t \\f \\v \\\\ \\\" \\xHH in a string" },
		{ "0 f(CUT) = 0",
		  "1: expected one of \\n \\r \\t \\f \\v \\\\ \\\" \\xHH in a string" },
		{ "0 f(\"\\x4g\") = 0",
		  "1: expected one of \\n \\r \\t \\f \\v \\\\ \\\" \\xHH in a string" },
		{ "0 f(\"\\x4\") = 0",
		  "1: expected one of \\n \\r \\t \\f \\v \\\\ \\\" \\xHH in a string" },
		{ "0 `a` 1\n...0.9 f() = 0", "2: the call ends before it begins" },
		{ "0...x f() = 0", "1: expected seconds such as 0 or 0.1, found 'x'" },
		{ "0 f([[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]) = 0",
		  "1: more than 32 brackets inside of each other" },
	};

	REFUSE(rows, false);
}

/* A script that is sound, but not for us: it is skipped and says why. */
TEST(unsupported)
{
	static const struct row rows[] = {
		{ "0 > sctp: INIT[flgs=0]", "unsupported: t.pkt:1: SCTP" },
		{ "0 `a`\n1 < icmp unreachable [sctp(4)]", "unsupported: t.pkt:2: SCTP" },
		{ "0 > . 1:1(0) ack 1 /udp(1 > 2)", "unsupported: t.pkt:1: UDP encapsulation" },
		{ "0 > encap psp spi 3 . 1:1(0)", "unsupported: t.pkt:1: PSP encapsulation" },
		{ "0 > . 1:1(0) <md5 valid>", "unsupported: t.pkt:1: md5 valid and md5 invalid" },
		{ "0 > (dscp 3, ect01) . 1:1(0)", "unsupported: t.pkt:1: dscp together with ect01" },
		{ "0 setsockopt(3, A, X, {flags [none], sum 0}, 3) = 0",
		  "unsupported: t.pkt:1: GRE and MPLS values of tunnel options" },
		{ "0 setsockopt(3, A, X, {(label 1, tc 2, ttl 3)}, 3) = 0",
		  "unsupported: t.pkt:1: GRE and MPLS values of tunnel options" },
	};

	REFUSE(rows, false);
}

/* Long tokens are cut, and so is a message that has no room. */
TEST(long_messages)
{
	struct drill_script s;
	char text[600] = "0 close(3) = ", why[600], small[24];

	memset(text + 13, 'x', 500);
	CHECK_EQ("refused", rl_drill_parse(&s, "t", text, 513, NULL, false, why, sizeof(why)), -22);
	rl_drill_script_free(&s);
	CHECK_STR("cut", strstr(why, "found"),
		  "found 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...'");
	CHECK_EQ("refused", rl_drill_parse(&s, "t", text, 513, NULL, false, small, sizeof(small)),
		 -22);
	rl_drill_script_free(&s);
	CHECK_STR("no room", small, "t:1: expected the resul");
	CHECK_EQ("none at all", rl_drill_parse(&s, "t", text, 513, NULL, false, NULL, 0), -22);
	rl_drill_script_free(&s);
}
