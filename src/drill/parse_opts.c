// SPDX-License-Identifier: MIT
/*
 * TCP options, section 6.5 of the language and NPLab's forms: names, numbers, or the
 * bytes themselves.  They are encoded as written, so their sum must suit the header.
 */
#include "drill/parse.h"

#include <string.h>

#define OPTS_MAX	40u		/* bytes that the header has room for */

static void parse_cookie(struct drill_parser *p, struct drill_opt *o, const char *what,
			 unsigned max)
{
	const struct drill_token *t = rl_drill_tok_peek(p, 0);

	if (!rl_drill_tok_is_char(t, ',') && !rl_drill_tok_is_char(t, '>'))
		o->len = rl_drill_tok_hex(p, what, o->data, max);
}

static void parse_sack(struct drill_parser *p, struct drill_opt *o)
{
	do {
		if (o->nsacks == DRILL_SACKS) {
			rl_drill_tok_wrong(p, rl_drill_tok_peek(p, 0)->line,
					   "more than %d SACK blocks", DRILL_SACKS);
			return;
		}
		o->sack[o->nsacks].from = rl_drill_tok_number(p, "a SACK block's start",
							      UINT32_MAX);
		rl_drill_tok_need(p, ':', "in the SACK block, as in 1001:2001");
		o->sack[o->nsacks].to = rl_drill_tok_number(p, "a SACK block's end", UINT32_MAX);
		o->nsacks++;
	} while (rl_drill_tok_peek(p, 0)->kind == DRILL_T_INT);
}

/* An ellipsis says that the number doesn't matter: of no use to who must send it. */
static bool take_any(struct drill_parser *p, bool in, const char *what)
{
	const struct drill_token *t = rl_drill_tok_peek(p, 0);

	if (t->kind != DRILL_T_ELLIPSIS)
		return false;
	if (in)
		rl_drill_tok_wrong(p, t->line, "an inbound packet needs %s, not ...", what);
	rl_drill_tok_take(p);
	return true;
}

static void parse_ts(struct drill_parser *p, struct drill_opt *o, bool in)
{
	if (!rl_drill_tok_word(p, "val"))
		rl_drill_tok_expected(p, "'val', as in TS val 100 ecr 200");
	o->any_val = take_any(p, in, "a TS val");
	if (!o->any_val)
		o->value = rl_drill_tok_number(p, "the TS val", UINT32_MAX);
	if (!rl_drill_tok_word(p, "ecr"))
		rl_drill_tok_expected(p, "'ecr', as in TS val 100 ecr 200");
	o->any_ecr = take_any(p, in, "a TS ecr");
	if (!o->any_ecr)
		o->ecr = rl_drill_tok_number(p, "the TS ecr", UINT32_MAX);
	o->abs_ecr = !o->any_ecr && rl_drill_tok_char(p, '!');
}

/* Counters in the order on the wire; the first one says which order it is. */
static void parse_accecn(struct drill_parser *p, struct drill_opt *o)
{
	static const char *const order[2][3] = {
		{ "e0b", "ceb", "e1b" }, { "e1b", "ceb", "e0b" },
	};
	bool one = rl_drill_tok_is(rl_drill_tok_peek(p, 0), "e1b");

	o->kind = one ? DRILL_OPT_ECN1 : DRILL_OPT_ECN0;
	while (o->nctrs < 3 && rl_drill_tok_word(p, order[one][o->nctrs]))
		o->ctr[o->nctrs++] = rl_drill_tok_number(p, "an AccECN counter", 0xffffff);
	if (!o->nctrs)
		rl_drill_tok_expected(p, "'e0b' or 'e1b' and a counter behind ECN");
}

static void parse_md5(struct drill_parser *p, struct drill_opt *o)
{
	const struct drill_token *t = rl_drill_tok_peek(p, 0);

	if (rl_drill_tok_is(t, "valid") || rl_drill_tok_is(t, "invalid"))
		rl_drill_tok_unsupported(p, "md5 valid and md5 invalid");
	else
		o->len = rl_drill_tok_hex(p, "an MD5 digest", o->data, 16);
}

/* KIND or KIND DATA; kinds 0 and 1 are single bytes. */
static void parse_numbered(struct drill_parser *p, struct drill_opt *o)
{
	o->kind = DRILL_OPT_RAW;
	o->data[0] = (uint8_t)rl_drill_tok_number(p, "the kind of an option", 255);
	o->len = 1;
	if (o->data[0] <= 1)
		o->kind = o->data[0] ? DRILL_OPT_NOP : DRILL_OPT_EOL;
	else if (rl_drill_tok_is_hex(rl_drill_tok_peek(p, 0)))
		o->len += rl_drill_tok_hex(p, "an option's data", o->data + 1, OPTS_MAX - 2);
}

static const struct {
	const char	*word;
	enum drill_opt_kind kind;
} words[] = {
	{ "nop", DRILL_OPT_NOP }, { "eol", DRILL_OPT_EOL }, { "mss", DRILL_OPT_MSS },
	{ "wscale", DRILL_OPT_WSCALE }, { "sackOK", DRILL_OPT_SACKOK },
	{ "sack", DRILL_OPT_SACK }, { "TS", DRILL_OPT_TS }, { "md5", DRILL_OPT_MD5 },
	{ "FO", DRILL_OPT_FO }, { "FOEXP", DRILL_OPT_FOEXP }, { "ECN", DRILL_OPT_ECN0 },
};

#define WORDS	(sizeof(words) / sizeof(words[0]))

/* What stands behind the option's word. */
static void parse_rest(struct drill_parser *p, struct drill_opt *o, bool in)
{
	switch (o->kind) {
	case DRILL_OPT_NOP:
	case DRILL_OPT_EOL:
	case DRILL_OPT_SACKOK:
	case DRILL_OPT_RAW:
	case DRILL_OPT_BYTES:
		break;
	case DRILL_OPT_MSS:
		o->value = rl_drill_tok_number(p, "the MSS", 65535);
		break;
	case DRILL_OPT_WSCALE:
		o->value = rl_drill_tok_number(p, "the window scale", 255);
		break;
	case DRILL_OPT_SACK:
		parse_sack(p, o);
		break;
	case DRILL_OPT_TS:
		parse_ts(p, o, in);
		break;
	case DRILL_OPT_MD5:
		parse_md5(p, o);
		break;
	case DRILL_OPT_FO:
		parse_cookie(p, o, "a Fast Open cookie", OPTS_MAX - 2);
		break;
	case DRILL_OPT_FOEXP:
		parse_cookie(p, o, "a Fast Open cookie", OPTS_MAX - 4);
		break;
	case DRILL_OPT_ECN0:
	case DRILL_OPT_ECN1:
		parse_accecn(p, o);
		break;
	}
}

/* Names of the original tool's MPTCP options. */
static bool is_mptcp(const struct drill_token *t)
{
	static const char *const names[] = {
		"mpcapable", "mpcapablev1", "mp_capable", "mp_capable_no_cs",
		"mp_join_syn", "mp_join_syn_ack", "mp_join_ack", "mp_join", "dss", "add_addr",
		"add_address", "remove_addr", "mp_prio", "mp_fail", "mp_fastclose", "mp_reset",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (rl_drill_tok_is(t, names[i]))
			return true;
	return false;
}

static struct drill_opt *parse_opt(struct drill_parser *p, bool in)
{
	struct drill_opt *o = rl_drill_alloc(&p->s->arena, sizeof(*o));

	for (size_t i = 0; i < WORDS; i++) {
		if (rl_drill_tok_word(p, words[i].word)) {
			o->kind = words[i].kind;
			parse_rest(p, o, in);
			return o;
		}
	}
	if (rl_drill_tok_peek(p, 0)->kind == DRILL_T_INT)
		parse_numbered(p, o);
	else if (is_mptcp(rl_drill_tok_peek(p, 0)))
		rl_drill_tok_unsupported(p, "MPTCP");
	else
		rl_drill_tok_expected(p, "an option such as mss 1460");
	return o;
}

/* Bytes that an option takes. */
static unsigned size(const struct drill_opt *o)
{
	switch (o->kind) {
	case DRILL_OPT_NOP:
	case DRILL_OPT_EOL:
		return 1;
	case DRILL_OPT_MSS:
		return 4;
	case DRILL_OPT_WSCALE:
		return 3;
	case DRILL_OPT_SACKOK:
		return 2;
	case DRILL_OPT_SACK:
		return 2 + 8 * o->nsacks;
	case DRILL_OPT_TS:
		return 10;
	case DRILL_OPT_MD5:
	case DRILL_OPT_FO:
		return 2 + o->len;
	case DRILL_OPT_FOEXP:
		return 4 + o->len;
	case DRILL_OPT_ECN0:
	case DRILL_OPT_ECN1:
		return 2 + 3 * o->nctrs;
	case DRILL_OPT_RAW:
		return 1 + o->len;	/* data begins with the kind */
	case DRILL_OPT_BYTES:
		return o->len;
	}
	return 0;
}

/* One word of hex digits is the whole list: at least four bytes, as any list. */
static bool at_bytes(const struct drill_parser *p)
{
	const struct drill_token *t = rl_drill_tok_peek(p, 0);

	return rl_drill_tok_is_hex(t) && t->len >= 8 &&
		rl_drill_tok_is_char(rl_drill_tok_peek(p, 1), '>');
}

static void parse_bytes(struct drill_parser *p, struct drill_tcp *tcp)
{
	struct drill_opt *o = rl_drill_alloc(&p->s->arena, sizeof(*o));

	o->kind = DRILL_OPT_BYTES;
	o->len = rl_drill_tok_hex(p, "the options as bytes", o->data, OPTS_MAX);
	tcp->opts = o;
}

static void parse_list(struct drill_parser *p, struct drill_tcp *tcp, bool in)
{
	struct drill_opt **end = &tcp->opts;

	do {
		*end = parse_opt(p, in);
		end = &(*end)->next;
	} while (rl_drill_tok_char(p, ','));
}

/* The header's length counts in fours and ends at 60. */
static void check_size(struct drill_parser *p, const struct drill_tcp *tcp, int line)
{
	unsigned n = 0;

	for (const struct drill_opt *o = tcp->opts; o; o = o->next)
		n += size(o);
	if (n > OPTS_MAX)
		rl_drill_tok_wrong(p, line, "the TCP options take %u bytes: more than %u", n,
				   OPTS_MAX);
	else if (n % 4)
		rl_drill_tok_wrong(p, line, "the TCP options take %u bytes: not a multiple of 4, "
				   "add nop", n);
}

void rl_drill_parse_opts(struct drill_parser *p, struct drill_packet *k)
{
	struct drill_tcp *tcp = &k->tcp;
	int line = rl_drill_tok_peek(p, 0)->line;

	if (!rl_drill_tok_char(p, '<'))
		return;
	tcp->opts_kind = DRILL_OPTS_LIST;
	if (take_any(p, k->in, "its options"))
		tcp->opts_kind = DRILL_OPTS_ANY;
	else if (at_bytes(p))
		parse_bytes(p, tcp);
	else
		parse_list(p, tcp, k->in);
	rl_drill_tok_need(p, '>', "behind the TCP options");
	check_size(p, tcp, line);
}
