/* SPDX-License-Identifier: MIT */
/*
 * src/drill/code*.c: expressions with the value that Python gives them, what is not
 * understood with the reason, and blocks in a script with TCP_INFO of its socket.
 */
#include <stdio.h>
#include <stdlib.h>

#include "drill/code.h"
#include "drill/run.h"
#include "rill/stack.h"
#include "rl_test.h"

/* A fixed snapshot: state 1, rtt 100000, wscales 7 and 9. */
static const struct rill_tcp_info seen_info = {
	.state = RILL_ESTABLISHED, .options = 7, .wscales = 0x97, .flags = 1,
	.rtt = 100000, .snd_cwnd = 10, .pacing_rate = UINT64_MAX, .total_rto = 3,
};

static struct drill_arena arena;
static struct code_env env;
static struct code_snapshot seen;

static void begin(FILE *out)
{
	seen = (struct code_snapshot){ .info = (struct rill_tcp_info *)&seen_info };
	memset(&env, 0, sizeof(env));
	env.a = &arena;
	env.lookup = rl_drill_code_lookup;
	env.ctx = &seen;
	env.out = out;
}

/* The message, or NULL when all of it held. */
static const char *run(const char *text, FILE *out)
{
	static char why[DRILL_CODE_WHY];
	struct code_stmt *s;

	begin(out);
	if (rl_drill_code_parse(&arena, text, strlen(text), &s, why, sizeof(why)) < 0)
		return why;
	if (rl_drill_code_exec(&env, s) < 0)
		return env.why;
	return NULL;
}

static void end(void)
{
	rl_drill_free_all(&arena);
}

/* ---- values ---- */

struct value_row {
	const char *text, *want;	/* as print() shows it */
};

static const struct value_row value_rows[] = {
	{ "1 + 2 * 3", "7" }, { "(1 + 2) * 3", "9" }, { "2 ** 3 ** 2", "512" },
	{ "-2 ** 2", "-4" }, { "2 ** -1", "0.5" }, { "10 - 2 - 3", "5" },
	{ "7 // 2", "3" }, { "-7 // 2", "-4" }, { "7 // -2", "-4" }, { "-7 % 3", "2" },
	{ "7 % -3", "-2" }, { "7 / 2", "3.5" }, { "6 / 2", "3.0" }, { "7.5 // 2", "3.0" },
	{ "-7.5 % 2", "0.5" }, { "1 << 10", "1024" }, { "-1024 >> 3", "-128" },
	{ "-1 >> 200", "-1" }, { "1 << 3 + 1", "16" }, { "6 & 3 | 8", "10" },
	{ "6 ^ 3", "5" }, { "1 | 2 ^ 2 & 3", "1" }, { "~5", "-6" }, { "- -3", "3" },
	{ "+4", "4" }, { "--~3", "-4" },
	{ "0x10 + 0b11 + 0o7", "26" }, { "1_000", "1000" }, { "0xFFFFFFFFFFFFFFFF",
	  "18446744073709551615" }, { "2 ** 64 * 2 ** 30", "19807040628566084398385987584" },
	{ "1e3", "1000.0" }, { ".5", "0.5" }, { "1.5e-3", "0.0015" }, { "0.1 + 0.2",
	  "0.30000000000000004" }, { "1e22", "1e+22" }, { "00", "0" },
	{ "True + True", "2" }, { "True ^ True", "False" }, { "True & 1", "1" },
	{ "5 % -2.5", "-0.0" }, { "not 0", "True" }, { "not 1 == 2", "True" },
	{ "None", "None" }, { "1 == 1.0", "True" }, { "'a' == 1", "False" },
	{ "None == None", "True" }, { "None != 0", "True" }, { "True == 1", "True" },
	{ "1 < 2 < 3", "True" }, { "1 < 2 > 5", "False" }, { "3 > 2 == 2", "True" },
	{ "'a' < 'ab'", "True" }, { "'b' > 'ab'", "True" }, { "'a' == 'a'", "True" },
	{ "'a' < 'a'", "False" }, { "'ab' <= 'a'", "False" }, { "1.5 == 1.5", "True" },
	{ "2.5 > 1.5", "True" }, { "1.5 < 2.5", "True" }, { "1.5 >= 2.5", "False" },
	{ "(1,) == 1", "False" }, { "(-1) ** 3", "-1" }, { "(-1) ** 4", "1" },
	{ "0 ** 0", "1" }, { "0 ** 5", "0" }, { "1 ** 5", "1" }, { "(-2) ** 3", "-8" },
	{ "2 <= 2 >= 3", "False" },
	{ "0 or 3", "3" }, { "2 and 3", "3" }, { "0 and 1 / 0", "0" }, { "1 or 1 / 0", "1" },
	{ "'' or 0 or 'x'", "x" }, { "not 1 or 1", "1" }, { "1e16", "1e+16" },
	{ "12345678.25", "12345678.25" },
	{ "0.0001", "0.0001" }, { "0.00001234", "1.234e-05" }, { "1 or 1 and 0", "1" },
	{ "1 if 2 > 1 else 1 / 0", "1" }, { "1 if 0 else 2 if 0 else 3", "3" },
	{ "2 in (1, 2)", "True" }, { "2 not in (1, 2)", "False" }, { "'b' in 'abc'", "True" },
	{ "'' in ''", "True" }, { "3 in ()", "False" }, { "(1,)", "(1,)" },
	{ "(1, 'a', 2.5)", "(1, 'a', 2.5)" }, { "()", "()" },
	{ "'a' 'b' \"c\"", "abc" }, { "'it\\'s'", "it's" }, { "'\\q'", "\\q" },
	{ "'a' + 'b'", "ab" }, { "len('abc')", "3" }, { "len((1, 2))", "2" },
	{ "abs(-3)", "3" }, { "abs(-2.5)", "2.5" }, { "min(3, 1, 2)", "1" },
	{ "max(1, 2.5)", "2.5" }, { "max('a', 'b')", "b" }, { "int(-2.7)", "-2" },
	{ "int(True)", "1" }, { "round(2.5)", "2" }, { "round(3.5)", "4" },
	{ "float(2)", "2.0" }, { "bool('')", "False" }, { "str(1.0) + 'x'", "1.0x" },
	/* text */
	{ "'%d' % 5", "5" }, { "'%5d|%-5d|%05d' % (1, 2, 3)", "    1|2    |00003" },
	{ "'%+d % d' % (1, 2)", "+1  2" }, { "'%x %X %#x %o' % (255, 255, 255, 8)",
	  "ff FF 0xff 10" }, { "'%x' % -255", "-ff" }, { "'%.3f' % 2", "2.000" },
	{ "'%08.2f' % -3.14159", "-0003.14" }, { "'%g %e' % (0.5, 1500.0)",
	  "0.5 1.500000e+03" }, { "'%s %r' % ('a', 'a')", "a 'a'" },
	{ "'%.2s|' % 'abc'", "ab|" }, { "'%5s|' % 'ab'", "   ab|" },
	{ "'100%% of %s' % None", "100% of None" }, { "'%d' % 2.9", "2" },
	{ "'%d' % True", "1" }, { "'%.5d' % 42", "00042" }, { "'%i %u' % (1, 2)", "1 2" },
	{ "len('%200d' % 1)", "200" }, { "'%.0f|%.1e' % (2.5, 15)", "2|1.5e+01" },
	{ "0x1e", "30" }, { "1.5 * 0", "0.0" }, { "0.0 + 0", "0.0" }, { "1.5 - 1.5", "0.0" },
	/* names */
	{ "tcpi_state == TCP_ESTABLISHED == TCPI_ESTABLISHED", "True" },
	{ "(TCP_SYN_SENT, TCP_SYN_RECV, TCP_FIN_WAIT1, TCP_FIN_WAIT2)", "(2, 3, 4, 5)" },
	{ "(TCP_TIME_WAIT, TCP_CLOSE, TCP_CLOSE_WAIT, TCP_LAST_ACK)", "(6, 7, 8, 9)" },
	{ "(TCP_LISTEN, TCP_CLOSING, TCPI_FIN_WAIT_2, TCPI_SYN_RECEIVED)", "(10, 11, 5, 3)" },
	{ "(TCP_CA_Open, TCP_CA_CWR, TCP_CA_Loss)", "(0, 2, 4)" },
	{ "tcpi_options & (TCPI_OPT_SACK | TCPI_OPT_ECN)", "2" },
	{ "(tcpi_snd_wscale, tcpi_rcv_wscale)", "(7, 9)" },
	{ "tcpi_delivery_rate_app_limited", "1" }, { "tcpi_rtt / 1000", "100.0" },
	{ "tcpi_pacing_rate", "18446744073709551615" }, { "tcpi_total_rto", "3" },
	/* lines */
	{ "(1 +\n 2)", "3" }, { "1 + \\\n2", "3" }, { "max(1, # first\n 2)", "2" },
};

TEST(values)
{
	for (size_t i = 0; i < sizeof(value_rows) / sizeof(value_rows[0]); i++) {
		const struct value_row *row = &value_rows[i];
		char text[300], *got = NULL;
		const char *why;
		size_t n = 0;
		FILE *f = open_memstream(&got, &n);

		REQUIRE("memory", f);
		snprintf(text, sizeof(text), "print(%s)", row->text);
		why = run(text, f);
		fclose(f);
		got[n ? n - 1 : 0] = 0;		/* the newline */
		CHECK_STR(row->text, why ? why : got, row->want);
		free(got);
		end();
	}
}

/* ---- statements ---- */

static const char *const good[] = {
	"", "\n;;\n # nothing\n", "x = 1; x += 2; assert x == 3", "x = 5\nx -= 2; x *= 4\n"
	"assert x == 12", "x = 7; x //= 2; x **= 2; x |= 16; x &= 24; x <<= 1; x >>= 2\n"
	"assert x == 12, x", "x = 9; x %= 4; x ^= 3; x /= 2\nassert x == 1.0",
	"assert 49000 <= tcpi_rtt <= 152000", "tcpi_rtt", "assert tcpi_rtt == 100000, 'rtt %d' "
	"% tcpi_rtt", "assert (tcpi_rtt == 100000)", "assert tcpi_snd_cwnd == 10, \\\n"
	"  tcpi_snd_cwnd", "b_2 = 1", "TCP_LISTEN = 99; assert TCP_LISTEN == 99",
	"assert not tcpi_rtt < 5 and (tcpi_snd_cwnd == 10 or 1 / 0)",
	"y = 'a;b # c'; assert len(y) == 7", "assert 1 # comment; with = things",
};

TEST(statements)
{
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		const char *why = run(good[i], NULL);

		CHECK_STR(good[i], why ? why : "held", "held");
		end();
	}
}

/* What fails, and how it says so. */
static const struct value_row wrong[] = {
	/* assertions, with their parts */
	{ "assert tcpi_snd_cwnd == 11", "assertion failed: tcpi_snd_cwnd == 11: 10 == 11" },
	{ "assert 20 <= tcpi_snd_cwnd <= 30",
	  "assertion failed: 20 <= tcpi_snd_cwnd <= 30: 20 <= 10 <= 30" },
	{ "assert tcpi_snd_cwnd == 11, 'cwnd %d' % tcpi_snd_cwnd",
	  "assertion failed: tcpi_snd_cwnd == 11: 10 == 11: cwnd 10" },
	{ "assert (tcpi_options & 8) != 0",
	  "assertion failed: (tcpi_options & 8) != 0: 0 != 0 (tcpi_options = 7)" },
	{ "assert tcpi_rtt == 100000 and tcpi_snd_cwnd == 3",
	  "assertion failed: tcpi_rtt == 100000 and tcpi_snd_cwnd == 3: "
	  "tcpi_snd_cwnd == 3: 10 == 3" },
	{ "assert tcpi_rtt == 1 or tcpi_snd_cwnd == 3",
	  "assertion failed: tcpi_rtt == 1 or tcpi_snd_cwnd == 3: 100000 == 1 or 10 == 3" },
	{ "assert 1 == 1 and 2 == 3 and 4 == 5",
	  "assertion failed: 1 == 1 and 2 == 3 and 4 == 5: 2 == 3: 2 == 3" },
	{ "assert 1 2", "line 1: \"2\" where the end of the statement should be" },
	{ "assert not tcpi_rtt", "assertion failed: not tcpi_rtt: False (tcpi_rtt = 100000)" },
	{ "assert tcpi_rtt + tcpi_options * tcpi_rtt == 5 + tcpi_rtt", "assertion failed: "
	  "tcpi_rtt + tcpi_options * tcpi_rtt == 5 + tcpi_rtt: 800000 == 100005 "
	  "(tcpi_rtt = 100000, tcpi_options = 7)" },
	{ "assert 0", "assertion failed: 0: 0" },
	{ "assert 'x' in 'abc'", "assertion failed: 'x' in 'abc': 'x' in 'abc'" },
	{ "assert ''", "assertion failed: '': ''" },
	{ "assert None", "assertion failed: None: None" },
	{ "assert (1, 2) ", "line 1: assert (A, B) always holds: write assert A, B" },
	/* evaluation */
	{ "assert nothing", "nothing is not defined" }, { "x += 1", "x is not defined" },
	{ "1 / 0", "division by zero" }, { "1 // 0", "division by zero" },
	{ "5 % 0", "division by zero" }, { "1 / 0.0", "division by zero" },
	{ "1 // 0.0", "division by zero" }, { "print(1 / 0)", "division by zero" },
	{ "1 / 0 or 1", "division by zero" }, { "1 < 1 / 0", "division by zero" },
	{ "1 / 0 < 1", "division by zero" }, { "1 if 1 / 0 else 2", "division by zero" },
	{ "-(1 / 0)", "division by zero" }, { "(1, 1 / 0)", "division by zero" },
	{ "1 + 1 / 0", "division by zero" }, { "1 / 0 + 1", "division by zero" },
	{ "abs(1 / 0)", "division by zero" }, { "assert 1 / 0", "division by zero" },
	{ "x = 1 / 0", "division by zero" }, { "x = 1; x /= 0", "division by zero" },
	{ "'%201d' % 1", "a width of 200 at most" }, { "1.0 % 0", "division by zero" },
	{ "1 << -1", "shift by a negative number" }, { "1 << 100", "the result is too large" },
	{ "3 << 99", "the result is too large" },
	{ "2 ** 99 + 2 ** 99", "the result is too large" },
	{ "2 ** 60 * 2 ** 60", "the result is too large" },
	{ "10 ** 40", "the result is too large" },
	{ "2.0 ** 5000", "the result is too large" }, { "int(1e300)", "the result is too large" },
	{ "'a' + 1", "str + int is not possible" },
	{ "None < None", "None < None is not possible" },
	{ "'a' < 1", "str < int is not possible" }, { "1 in 2", "int in int is not possible" },
	{ "-'a'", "- str is not possible" }, { "~1.5", "~ float is not possible" },
	{ "1.5 & 1", "float & int is not possible" }, { "(1,) == (1,)", "tuples are not compared" },
	{ "abs('a')", "abs(str) is not understood" }, { "len(3)", "len(int) is not understood" },
	{ "open('x')", "open() with 1 values is not understood" },
	{ "min(1)", "min() with 1 values is not understood" },
	{ "'%d' % 'a'", "%d of a str" }, { "'%x' % 1.5", "%x of a float" },
	{ "'%d %d' % 1", "not enough values for the text" },
	{ "'a' % 1", "the text doesn't take all values" }, { "'%y' % 1", "%y is not understood" },
	{ "'%999d' % 1", "a width of 200 at most" },
	{ "tcpi_ecn_mode", "tcpi_ecn_mode is not known to Rill" },
	{ "tcpi_wscales", "tcpi_wscales is not defined" },
	{ "tcpi_flags", "tcpi_flags is not defined" },
	{ "tcpi_nonsense", "tcpi_nonsense is not defined" },
	{ "bbr_bw_lo", "bbr_bw_lo needs congestion control bbr, which Rill doesn't have" },
	{ "dctcp_alpha", "dctcp_alpha needs congestion control dctcp, which Rill doesn't have" },
	{ "SK_MEMINFO_RCVBUF", "SK_MEMINFO_RCVBUF needs SO_MEMINFO, which Rill doesn't have" },
	{ "SK_MEMINFO_X", "SK_MEMINFO_X is not defined" },
	/* what would hold whatever it says */
	{ "1 == 1", "a comparison alone decides nothing: assert 1 == 1?" },
	{ "(1 < 2)", "a comparison alone decides nothing: assert (1 < 2)?" },
	{ "1 and 1 == 1", "a comparison alone decides nothing: assert 1 and 1 == 1?" },
	/* what can't be parsed */
	{ "assert", "line 1: a value is missing at the end" },
	{ "assert 1 ==", "line 1: a value is missing at the end" },
	{ "x = (1 + 2", "line 1: ) is missing at the end" },
	{ "x = 1 2", "line 1: \"2\" where the end of the statement should be" },
	{ "\n\nx = )", "line 3: \")\" where a value should be" },
	{ "x = 1\n\ny = (1,\n 2) 3", "line 4: \"3\" where the end of the statement should be" },
	{ "1 not 2", "line 1: \"2\" where in should be" },
	{ "1 if 2", "line 1: else is missing at the end" },
	{ "if x: pass", "line 1: if is not understood as a statement" },
	{ "def f(): pass", "line 1: def is not understood: only assert, NAME = EXPR, print() and "
	  "expressions" },
	{ "import os", "line 1: import is not understood: only assert, NAME = EXPR, print() and "
	  "expressions" },
	{ "for i in x: pass", "line 1: for is not understood: only assert, NAME = EXPR, print() "
	  "and expressions" },
	{ "3 = x", "line 1: only a name can be assigned to" },
	{ "f(x) = 1", "line 1: only a name can be assigned to" },
	{ "x = 'abc", "line 1: a string lacks its end" },
	{ "x = 'a\nb'", "line 1: a string lacks its end" },
	{ "'''a'''", "line 1: triple quotes are not understood" },
	{ "x = 12abc", "line 1: a number ends in \"abc\"" },
	{ "x = 010", "line 1: Python has no number 010" },
	{ "x = 1.2.3", "line 1: Python has no number 1.2.3" },
	{ "1e999", "line 1: Python has no number 1e999" },
	{ "0x", "line 1: Python has no number 0x" }, { "x[1]", "line 1: \"[\" is not understood" },
	{ "x = \x01", "line 1: byte 1 is not understood" },
	{ "x.y", "line 1: \".\" is not understood" },
	{ "99999999999999999999999999999999", "line 1: number too large" },
	{ "print 1", "line 1: \"1\" where the end of the statement should be" },
};

TEST(failures)
{
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		const char *why = run(wrong[i].text, NULL);

		CHECK_STR(wrong[i].text, why ? why : "held", wrong[i].want);
		end();
	}
}

/* Want of something in Rill is told from a mistake. */
TEST(what_rill_lacks)
{
	run("bbr_bw", NULL);
	CHECK("known name", env.lacks);
	run("tcpi_nonsense", NULL);
	CHECK("unknown name", !env.lacks);
	run("1 / 0; bbr_bw", NULL);
	CHECK("the first failure counts", !env.lacks);
	end();
}

static void check_deep(const char *what, const char *head, const char *unit, int n,
		       const char *tail, const char *want)
{
	char *text = NULL;
	const char *why;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	REQUIRE("memory", f);
	fputs(head, f);
	for (int i = 0; i < n; i++)
		fputs(unit, f);
	fputs(tail, f);
	fclose(f);
	why = run(text, NULL);
	CHECK_STR(what, why ? why : "held", want);
	free(text);
	end();
}

/* Depth has an end before the C stack has. */
TEST(depth)
{
	check_deep("some parentheses", "", "(", 40, "1))))))))))))))))))))))))))))))))))))))))",
		   "held");
	check_deep("parentheses", "", "(", 100000, "", "line 1: nested too deeply");
	check_deep("signs", "", "-", 100000, "1", "line 1: nested too deeply");
	check_deep("not", "", "not ", 100000, "1", "line 1: nested too deeply");
	check_deep("powers", "", "1**", 100000, "1", "line 1: nested too deeply");
	check_deep("choices", "", "1 if 1 else ", 100000, "1", "line 1: nested too deeply");
	check_deep("a sum", "x = 0", "+1", 300, "; assert x == 300", "held");
	check_deep("sums", "1", "+1", 100000, "", "line 1: expression too long");
	check_deep("and", "1", " and 1", 100000, "", "line 1: expression too long");
	check_deep("chain", "1", "<1", 100000, "", "line 1: expression too long");
	check_deep("items", "max(1", ",1", 100000, ")", "line 1: expression too long");
	check_deep("string", "'", "a", 100000, "'", "line 1: string too long");
	check_deep("doubling", "x='aaaaaaaa'\n", "x+=x\n", 20, "", "string too long");
	check_deep("statements", "x = 0", "\nx += 1", 10000, "\nassert x == 10000", "held");
}

TEST(arithmetic_alone)
{
	int64_t v = 0;

	CHECK_EQ("product", rl_drill_code_int("15*1024*1024", &v), 0);
	CHECK_EQ("its value", v, 15728640);
	CHECK_EQ("a name", rl_drill_code_int("x", &v), -1);
	CHECK_EQ("too large", rl_drill_code_int("2**63", &v), -1);
	CHECK_EQ("a float", rl_drill_code_int("1/2", &v), -1);
	CHECK_EQ("two", rl_drill_code_int("1;2", &v), -1);
	CHECK_EQ("nothing", rl_drill_code_int("", &v), -1);
	CHECK_EQ("a statement", rl_drill_code_int("x=1", &v), -1);
}

TEST(checks_without_values)
{
	char why[100];

	CHECK_EQ("good", rl_drill_code_check("assert no_such_name == 1", 24, why, sizeof(why)), 0);
	CHECK_EQ("length counts", rl_drill_code_check("1 +", 1, why, sizeof(why)), 0);
	CHECK_EQ("bad", rl_drill_code_check("1 +", 3, why, sizeof(why)), -1);
	CHECK_STR("reason", why, "line 1: a value is missing at the end");
	CHECK_EQ("short buffer", rl_drill_code_check("1 +", 3, why, 5), -1);
	CHECK_STR("cut", why, "line");
}

/* ---- blocks of a script ---- */

#define HEAD								\
	"0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n"			\
	"+0 bind(3, ..., ...) = 0\n"					\
	"+0 listen(3, 1) = 0\n"						\
	"+0 < S 0:0(0) win 65535 <mss 1000>\n"				\
	"+0 > S. 0:0(0) ack 1 <...>\n"					\
	"+.1 < . 1:1(0) ack 1 win 65535\n"				\
	"+0 accept(3, ..., ...) = 4\n"

struct script_row {
	const char	*name, *script;
	enum drill_verdict verdict;
	const char	*why;		/* the whole message */
};

static const struct script_row script_rows[] = {
	{ "measured", HEAD "+0 %{ assert tcpi_state == TCP_ESTABLISHED and tcpi_rtt == 100000\n"
	  "assert tcpi_snd_mss == 1000 }%\n", DRILL_PASSED, "" },
	{ "wrong", HEAD "+0 %{ assert tcpi_rtt == 100000\nassert tcpi_snd_mss == 999 }%\n",
	  DRILL_FAILED, "t:9: assertion failed: tcpi_snd_mss == 999: 1000 == 999" },
	/* its value at its time, judged at the end */
	{ "one name space", HEAD "+0 %{ first = tcpi_data_segs_in }%\n"
	  "+0 < P. 1:101(100) ack 1 win 65535\n+0 > . 1:1(0) ack 101\n"
	  "+0 %{ assert tcpi_data_segs_in == first + 1 == 1, first }%\n", DRILL_PASSED, "" },
	{ "measured anew", HEAD "+0 %{ tcpi_rtt = 5; assert tcpi_rtt == 5 }%\n"
	  "+0 %{ assert tcpi_rtt == 5 }%\n", DRILL_FAILED,
	  "t:9: assertion failed: tcpi_rtt == 5: 100000 == 5" },
	{ "judged at the end", HEAD "+0 %{ assert 0 }%\n+0 close(9) = 0\n", DRILL_FAILED,
	  "t:9: close(9) returned -1 EBADF, expected 0" },
	{ "parsed at its time", HEAD "+0 %{ \n\nassert ( }%\n+0 close(9) = 0\n",
	  DRILL_FAILED, "t:10: a value is missing at the end" },
	{ "no socket", "0 %{ x = 1 }%\n", DRILL_FAILED,
	  "t:1: no TCP_INFO: there is no socket under test" },
	{ "not built", HEAD "+0 %{ assert bbr_bw > 1 }%\n", DRILL_SKIPPED,
	  "t:8: bbr_bw needs congestion control bbr, which Rill doesn't have" },
};

TEST(blocks)
{
	for (size_t i = 0; i < sizeof(script_rows) / sizeof(script_rows[0]); i++) {
		const struct script_row *row = &script_rows[i];
		struct drill_result res;
		struct drill_config cfg;

		rl_drill_config_init(&cfg);
		rl_drill_run_text("t", row->script, strlen(row->script), &cfg, NULL, NULL, &res);
		CHECK_EQ(row->name, res.verdict, row->verdict);
		CHECK_STR(row->name, res.why, row->why);
	}
}

TEST(print_goes_to_the_trace)
{
	static const char script[] = HEAD "+0 %{ print('rtt', tcpi_rtt, 1.5); print() }%\n";
	struct drill_result res;
	struct drill_config cfg;
	char *text = NULL;
	size_t n = 0;

	rl_drill_config_init(&cfg);
	cfg.trace = open_memstream(&text, &n);
	REQUIRE("memory", cfg.trace);
	rl_drill_run_text("t", script, strlen(script), &cfg, NULL, NULL, &res);
	fclose(cfg.trace);
	CHECK_EQ("verdict", res.verdict, DRILL_PASSED);
	CHECK("line", strstr(text, "\nrtt 100000 1.5\n\n"));
	free(text);
}
