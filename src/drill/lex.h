/* SPDX-License-Identifier: MIT */
/*
 * The words of a packet script.  A token points into the script's text (or into
 * the value of a definition), which must stay while tokens are used.
 */
#ifndef RL_DRILL_LEX_H
#define RL_DRILL_LEX_H

#include "drill/ast.h"

enum drill_token_kind {
	DRILL_T_END,			/* of the script; always the last one */
	DRILL_T_OPTION,			/* --name[=value] */
	DRILL_T_INT,			/* decimal or 0x...: num, if it fits */
	DRILL_T_FLOAT,
	DRILL_T_WORD,			/* keywords too, and "sequence#" */
	DRILL_T_STRING,			/* between the quotes, escapes as written */
	DRILL_T_COMMAND,		/* between the back quotes, as written */
	DRILL_T_CODE,			/* trimmed */
	DRILL_T_ELLIPSIS,
	DRILL_T_IPV4, DRILL_T_IPV6,
	DRILL_T_CHAR,			/* any other character: *text */
};

struct drill_token {
	enum drill_token_kind kind;
	bool		spaced;		/* white space or a comment before it */
	bool		fits;		/* INT: num is its value */
	int		line;		/* where it begins */
	int64_t		num;
	const char	*text;		/* what the kind says; OPTION: the name */
	size_t		len;
	const char	*value;		/* OPTION: behind "="; NULL without */
	size_t		value_len;
	const char	*raw;		/* as it stands in the script */
	size_t		raw_len;
};

struct drill_tokens {
	struct drill_token *tok;
	size_t	n, room;
	int	error_line;		/* after a failure */
	char	error[160];
};

/**
 * rl_drill_lex() - cut a script into tokens
 * @a:		for the definitions that the script makes itself
 * @defines:	ended by a NULL name; or NULL
 *
 * Return: 0, or -EINVAL with a line in @t->error.  rl_drill_lex_free() either way.
 */
int rl_drill_lex(struct drill_tokens *t, struct drill_arena *a, const char *text,
		 size_t len, const struct drill_define *defines);
void rl_drill_lex_free(struct drill_tokens *t);

#endif
