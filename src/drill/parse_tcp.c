// SPDX-License-Identifier: MIT
/*
 * TCP packets, section 6 of the language without its options: ports, flags, sequence
 * numbers, acknowledgment, window, urgent pointer.
 */
#include "drill/parse.h"

#include <string.h>

#define DEFAULT_WIN	65535		/* Rill's own: an inbound packet without "win" */

static const struct {
	char		letter;
	uint16_t	flag;
} letters[] = {
	{ 'F', DRILL_FIN }, { 'S', DRILL_SYN }, { 'R', DRILL_RST }, { 'P', DRILL_PSH },
	{ 'U', DRILL_URG }, { 'E', DRILL_ECE }, { 'W', DRILL_CWR }, { 'A', DRILL_AE },
};

#define LETTERS		(sizeof(letters) / sizeof(letters[0]))
#define FLAGS_HELP	"TCP flags: letters of SFRPUEWA, then '.' for ACK, as in S, S., P. or .; " \
			"'-' for none"

/* ---- flags ---- */

/* A digit is the ACE counter: AE, CWR and ECE as one number. */
static bool set_ace(struct drill_parser *p, struct drill_tcp *tcp, bool *seen, char digit)
{
	const struct drill_token *t = rl_drill_tok_peek(p, 0);

	if (*seen || (tcp->flags & (DRILL_ECE | DRILL_CWR | DRILL_AE))) {
		rl_drill_tok_wrong(p, t->line, "an ACE counter stands alone, instead of E, W "
				   "and A");
		return false;
	}
	*seen = true;
	tcp->ace = (uint8_t)(digit - '0');
	tcp->has_ace = tcp->ace != 0;
	return true;
}

static bool set_letter(struct drill_parser *p, struct drill_tcp *tcp, bool ace, char letter)
{
	const struct drill_token *t = rl_drill_tok_peek(p, 0);
	size_t k = 0;

	while (k < LETTERS && letters[k].letter != letter)
		k++;
	if (k == LETTERS) {
		rl_drill_tok_expected(p, FLAGS_HELP);
		return false;
	}
	if (tcp->flags & letters[k].flag) {
		rl_drill_tok_wrong(p, t->line, "the flag %c stands twice", letter);
		return false;
	}
	if (ace && (letters[k].flag & (DRILL_ECE | DRILL_CWR | DRILL_AE))) {
		rl_drill_tok_wrong(p, t->line, "an ACE counter stands alone, instead of E, W "
				   "and A");
		return false;
	}
	tcp->flags |= letters[k].flag;
	return true;
}

/* "SEW", and with a counter in front of the dot, as NPLab writes, "P5" or "5" */
static void parse_letters(struct drill_parser *p, struct drill_tcp *tcp, bool *ace)
{
	const struct drill_token *t = rl_drill_tok_peek(p, 0);
	bool ok = true;

	for (size_t i = 0; ok && i < t->len; i++) {
		char c = t->text[i];

		ok = c >= '0' && c <= '7' ? set_ace(p, tcp, ace, c)
			: set_letter(p, tcp, *ace, c);
	}
	if (ok)
		rl_drill_tok_take(p);
}

/* ".5": ACK and the counter, which the lexer takes for a float */
static void parse_dot_ace(struct drill_parser *p, struct drill_tcp *tcp, bool *ace)
{
	const struct drill_token *t = rl_drill_tok_peek(p, 0);

	if (t->len != 2 || t->text[0] != '.' || t->text[1] > '7') {
		rl_drill_tok_expected(p, "'.' and an ACE counter, 0 to 7");
		return;
	}
	tcp->flags |= DRILL_ACK;
	if (set_ace(p, tcp, ace, t->text[1]))
		rl_drill_tok_take(p);
}

static void parse_flags(struct drill_parser *p, struct drill_tcp *tcp)
{
	const struct drill_token *t = rl_drill_tok_peek(p, 0);
	bool word = t->kind == DRILL_T_WORD, ace = false;

	if (rl_drill_tok_char(p, '-'))
		return;
	if (t->kind == DRILL_T_INT && rl_drill_tok_is_char(rl_drill_tok_peek(p, 1), '.'))
		word = true;
	if (word)
		parse_letters(p, tcp, &ace);
	if (rl_drill_tok_peek(p, 0)->kind == DRILL_T_FLOAT)
		parse_dot_ace(p, tcp, &ace);
	else if (rl_drill_tok_char(p, '.'))
		tcp->flags |= DRILL_ACK;
	else if (!word)
		rl_drill_tok_expected(p, FLAGS_HELP);
}

/* ---- numbers ---- */

static void parse_ports(struct drill_parser *p, struct drill_tcp *tcp)
{
	if (rl_drill_tok_peek(p, 0)->kind != DRILL_T_INT ||
	    !rl_drill_tok_is_char(rl_drill_tok_peek(p, 1), '>'))
		return;
	tcp->has_ports = true;
	tcp->sport = (uint16_t)rl_drill_tok_number(p, "the source port", 65535);
	rl_drill_tok_need(p, '>', "between the ports");
	tcp->dport = (uint16_t)rl_drill_tok_number(p, "the destination port", 65535);
}

/* S:E(L), S:E(L)! or ...(L) */
static void parse_seq(struct drill_parser *p, struct drill_packet *k)
{
	struct drill_tcp *tcp = &k->tcp;

	if (rl_drill_tok_peek(p, 0)->kind == DRILL_T_ELLIPSIS) {
		if (k->in)
			rl_drill_tok_wrong(p, rl_drill_tok_peek(p, 0)->line, "an inbound packet "
					   "needs a sequence number, not ...");
		rl_drill_tok_take(p);
		tcp->seq_kind = DRILL_SEQ_ANY;
		tcp->len = rl_drill_parse_len(p);
		return;
	}
	rl_drill_parse_range(p, &tcp->seq, &tcp->len);
	if (rl_drill_tok_char(p, '!'))
		tcp->seq_kind = DRILL_SEQ_ABSOLUTE;
}

/* ack A, win W, urg U */
static void parse_fields(struct drill_parser *p, struct drill_tcp *tcp)
{
	bool has_urg = false, more = true;

	while (more) {
		if (!tcp->has_ack && rl_drill_tok_word(p, "ack")) {
			tcp->has_ack = true;
			tcp->ack = rl_drill_tok_number(p, "the acknowledgment", UINT32_MAX);
		} else if (!tcp->has_win && rl_drill_tok_word(p, "win")) {
			tcp->has_win = true;
			tcp->win = (uint16_t)rl_drill_tok_number(p, "the window", 65535);
		} else if (!has_urg && rl_drill_tok_word(p, "urg")) {
			has_urg = true;
			tcp->urg = (uint16_t)rl_drill_tok_number(p, "the urgent pointer", 65535);
		} else {
			more = false;
		}
	}
}

void rl_drill_parse_tcp(struct drill_parser *p, struct drill_packet *k)
{
	struct drill_tcp *tcp = &k->tcp;

	k->proto = DRILL_TCP;
	parse_ports(p, tcp);
	parse_flags(p, tcp);
	parse_seq(p, k);
	parse_fields(p, tcp);
	if (k->in && !tcp->has_win) {
		tcp->has_win = true;
		tcp->win = DEFAULT_WIN;
	}
	rl_drill_parse_opts(p, k);
}
