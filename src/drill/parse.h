/* SPDX-License-Identifier: MIT */
/*
 * The parser's insides, shared by parse*.c.
 *
 * An error is kept once and moves the cursor to the end of the script, so that
 * every loop over tokens ends by itself and callers need not look at each step.
 */
#ifndef RL_DRILL_PARSE_H
#define RL_DRILL_PARSE_H

#include "drill/lex.h"

#define DRILL_DEPTH	32		/* of nested expressions */

struct drill_parser {
	struct drill_script *s;
	struct drill_tokens tokens;
	size_t		at;
	const char	*file;		/* in the arena */
	bool		ipv6;		/* what ICMP names mean, and plain packets are */
	bool		ip_fixed;	/* the script can't change that */
	bool		failed;
	unsigned	depth;
	char		*why;
	size_t		why_len;
};

/* ---- parse_tok.c: the cursor ---- */

/** The token @ahead of the cursor; behind the end it is the end. */
const struct drill_token *rl_drill_tok_peek(const struct drill_parser *p, size_t ahead);
const struct drill_token *rl_drill_tok_take(struct drill_parser *p);

bool rl_drill_tok_is(const struct drill_token *t, const char *word);
bool rl_drill_tok_is_char(const struct drill_token *t, char c);

/** Is it next?  Then it is taken. */
bool rl_drill_tok_word(struct drill_parser *p, const char *word);
bool rl_drill_tok_char(struct drill_parser *p, char c);

/** It must be next. */
void rl_drill_tok_need(struct drill_parser *p, char c, const char *where);

/** A decimal or hex number up to @max; @what is "the window" or so. */
uint32_t rl_drill_tok_number(struct drill_parser *p, const char *what, uint32_t max);

/**
 * Hex digits, in pairs, up to @max bytes into @out.  Return: how many bytes.
 * @what: "an MD5 digest".
 */
unsigned rl_drill_tok_hex(struct drill_parser *p, const char *what, uint8_t *out,
			  unsigned max);
/** Could the next token be that? */
bool rl_drill_tok_is_hex(const struct drill_token *t);

char *rl_drill_tok_dup(struct drill_parser *p, const struct drill_token *t);

/* ---- errors ---- */

/** "FILE:LINE: expected @what, found 'token'", at the cursor. */
void rl_drill_tok_expected(struct drill_parser *p, const char *what);
void rl_drill_tok_wrong(struct drill_parser *p, int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/** The script is sound, but needs this: it will be skipped. */
void rl_drill_tok_unsupported(struct drill_parser *p, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* ---- the parts ---- */

struct drill_packet *rl_drill_parse_packet(struct drill_parser *p);
void rl_drill_parse_tcp(struct drill_parser *p, struct drill_packet *k);
void rl_drill_parse_opts(struct drill_parser *p, struct drill_packet *k);
void rl_drill_parse_icmp(struct drill_parser *p, struct drill_packet *k);
/** "[S:E(L)] icmp ...", as old scripts and NPLab's write it: taken up to the word icmp. */
bool rl_drill_parse_echoed_first(struct drill_parser *p, struct drill_packet *k);
/** "(L)", 16 bits. */
uint32_t rl_drill_parse_len(struct drill_parser *p);
/** S:E(L), checked. */
void rl_drill_parse_range(struct drill_parser *p, uint32_t *seq, uint32_t *len);

/** @t: the event's time; a blocking call's end must not be before it. */
struct drill_call *rl_drill_parse_call(struct drill_parser *p, const struct drill_time *t);
/** Is the next token one of Rill's own lines, which need no time? */
bool rl_drill_parse_at_own(const struct drill_parser *p);
/** Seconds, to the microsecond: an integer or a float that isn't negative. */
int64_t rl_drill_parse_seconds(struct drill_parser *p);

#endif
