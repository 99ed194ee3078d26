// SPDX-License-Identifier: MIT
/*
 * The structure of a script, sections 2, 3, 10 and 11 of the language: options, the
 * init command, events with their times, the cleanup command; and Rill's own lines.
 * Packets and calls are in the other parse_*.c.
 *
 * Recursive descent; what the parser lets through holds: the first event is at 0,
 * absolute times don't go back, only outbound packets have ranges or "*".
 */
#include "drill/parse.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* ---- time ---- */

/* Digits behind the point beyond the sixth are below what time can tell. */
static bool micros(const char *s, size_t len, int64_t *us)
{
	int64_t unit = 1000000, v = 0;
	bool point = false;

	for (size_t i = 0; i < len; i++) {
		if (s[i] == '.') {
			point = true;
			continue;
		}
		if (s[i] < '0' || s[i] > '9')
			return false;
		if (!point) {
			v = v * 10 + (s[i] - '0') * unit;
			if (v > (int64_t)1000000 * 1000000)	/* 11 days: no test */
				return false;
		} else {
			unit /= 10;
			v += (s[i] - '0') * unit;
		}
	}
	*us = v;
	return true;
}

int64_t rl_drill_parse_seconds(struct drill_parser *p)
{
	const struct drill_token *t = rl_drill_tok_peek(p, 0);
	int64_t us = 0;

	if ((t->kind != DRILL_T_INT && t->kind != DRILL_T_FLOAT) ||
	    !micros(t->text, t->len, &us))
		rl_drill_tok_expected(p, "seconds such as 0 or 0.1");
	rl_drill_tok_take(p);
	return us;
}

/* Is the next token how a time begins? */
static bool at_time(const struct drill_parser *p)
{
	const struct drill_token *t = rl_drill_tok_peek(p, 0);

	return t->kind == DRILL_T_INT || t->kind == DRILL_T_FLOAT ||
		rl_drill_tok_is_char(t, '+') || rl_drill_tok_is_char(t, '*');
}

static struct drill_time parse_time(struct drill_parser *p)
{
	struct drill_time t = { .kind = DRILL_AT };
	int line = rl_drill_tok_peek(p, 0)->line;

	if (rl_drill_tok_char(p, '*')) {
		t.kind = DRILL_ANY_TIME;
		return t;
	}
	if (rl_drill_tok_char(p, '+'))
		t.kind = DRILL_AFTER;
	t.us = rl_drill_parse_seconds(p);
	if (!rl_drill_tok_char(p, '~'))
		return t;
	if (t.kind == DRILL_AFTER)
		rl_drill_tok_need(p, '+', "behind '~', as in +0.1~+0.2");
	t.kind = t.kind == DRILL_AFTER ? DRILL_AFTER_RANGE : DRILL_AT_RANGE;
	t.until_us = rl_drill_parse_seconds(p);
	if (t.until_us < t.us)
		rl_drill_tok_wrong(p, line, "the range of time ends before it begins");
	return t;
}

static bool absolute(const struct drill_time *t)
{
	return t->kind == DRILL_AT || t->kind == DRILL_AT_RANGE;
}

/* What 3.1 asks of times, and of what they stand at. */
static void check_time(struct drill_parser *p, const struct drill_event *ev,
		       const struct drill_event *before)
{
	const struct drill_time *t = &ev->time;
	bool point = t->kind == DRILL_AT || t->kind == DRILL_AFTER;

	if (!point && (ev->kind != DRILL_PACKET || ev->packet->in))
		rl_drill_tok_wrong(p, ev->line, "only an outbound packet can have %s",
				   t->kind == DRILL_ANY_TIME ? "any time (*)" : "a range of time");
	else if (!before && (!point || t->us != 0))
		rl_drill_tok_wrong(p, ev->line, "the first event must be at time 0");
	else if (before && absolute(t) && absolute(&before->time) && t->us < before->time.us)
		rl_drill_tok_wrong(p, ev->line, "this time is before that of the event before, "
				   "%lld.%06lld", (long long)before->time.us / 1000000,
				   (long long)before->time.us % 1000000);
}

/* ---- commands and code ---- */

/* The shell's text: \` is a back quote, everything else is the shell's. */
static const char *parse_command(struct drill_parser *p)
{
	const struct drill_token *t = rl_drill_tok_take(p);
	char *s = rl_drill_tok_dup(p, t);
	size_t n = 0;

	for (size_t i = 0; i < t->len; i++) {
		if (s[i] == '\\' && i + 1 < t->len && s[i + 1] == '`')
			i++;
		s[n++] = s[i];
	}
	s[n] = '\0';
	return s;
}

/* ---- Rill's own lines ---- */

/* A name as in the RFC may have dashes: FIN-WAIT-1, which is several tokens. */
static const char *parse_name(struct drill_parser *p, const char *what)
{
	const struct drill_token *first = rl_drill_tok_peek(p, 0), *t = first;
	const char *end = first->raw + first->raw_len;

	if (first->kind != DRILL_T_WORD) {
		rl_drill_tok_expected(p, what);
		return "";
	}
	rl_drill_tok_take(p);
	for (t = rl_drill_tok_peek(p, 0); !t->spaced; t = rl_drill_tok_peek(p, 0)) {
		if (!rl_drill_tok_is_char(t, '-') && t->kind != DRILL_T_WORD &&
		    t->kind != DRILL_T_INT)
			break;
		end = t->raw + t->raw_len;
		rl_drill_tok_take(p);
	}
	if (end == first->raw + first->raw_len)
		return rl_drill_tok_dup(p, first);	/* perhaps defined */
	return rl_drill_strndup(&p->s->arena, first->raw, (size_t)(end - first->raw));
}

static struct drill_param *parse_param(struct drill_parser *p)
{
	struct drill_param *a = rl_drill_alloc(&p->s->arena, sizeof(*a));
	const struct drill_token *t = rl_drill_tok_peek(p, 0);

	if (t->kind != DRILL_T_WORD)
		rl_drill_tok_expected(p, "a parameter such as mss 1000");
	a->name = rl_drill_tok_dup(p, rl_drill_tok_take(p));
	t = rl_drill_tok_peek(p, 0);
	if (t->kind == DRILL_T_INT && t->fits) {
		a->has_value = true;
		a->value = t->num;
		rl_drill_tok_take(p);
	}
	return a;
}

/* use FIXTURE [ '(' NAME [VALUE] {',' NAME [VALUE]} ')' ] */
static void parse_use(struct drill_parser *p, struct drill_event *ev)
{
	struct drill_param **end = &ev->params;

	ev->word = parse_name(p, "a fixture such as established");
	if (!rl_drill_tok_char(p, '(') || rl_drill_tok_char(p, ')'))
		return;
	do {
		*end = parse_param(p);
		end = &(*end)->next;
	} while (rl_drill_tok_char(p, ','));
	rl_drill_tok_need(p, ')', "behind the fixture's parameters");
}

static const struct {
	const char	*word;
	enum drill_event_kind kind;
	const char	*what;
} own[] = {
	{ "drop", DRILL_DROP, "a drop reason such as PAWS" },
	{ "state", DRILL_STATE, "a state such as ESTABLISHED" },
	{ "hold", DRILL_HOLD, "a hold reason such as CWND" },
	{ "quiet", DRILL_QUIET, NULL },
	{ "use", DRILL_USE, NULL },
};

#define OWN	(sizeof(own) / sizeof(own[0]))

/* Which of them is next?  OWN: none; "state(...)" would be a call. */
static size_t own_line(const struct drill_parser *p)
{
	size_t i = 0;

	if (rl_drill_tok_is_char(rl_drill_tok_peek(p, 1), '('))
		return OWN;
	while (i < OWN && !rl_drill_tok_is(rl_drill_tok_peek(p, 0), own[i].word))
		i++;
	return i;
}

bool rl_drill_parse_at_own(const struct drill_parser *p)
{
	return own_line(p) != OWN;
}

static void parse_own(struct drill_parser *p, struct drill_event *ev, size_t i)
{
	rl_drill_tok_take(p);
	ev->kind = own[i].kind;
	if (ev->kind == DRILL_USE)
		parse_use(p, ev);
	else if (own[i].what)
		ev->word = parse_name(p, own[i].what);
}

/* ---- events ---- */

/* Copy with white space as single blanks; returns the new length. */
static size_t squeeze(char *out, const char *s, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		bool blank = s[i] == ' ' || s[i] == '\t' || s[i] == '\n';

		if (!blank)
			out[n++] = s[i];
		else if (n && out[n - 1] != ' ')
			out[n++] = ' ';
	}
	return n;
}

/* Tokens @from to before @to as they stand in the script, on one line. */
static const char *source(struct drill_parser *p, size_t from, size_t to)
{
	const struct drill_token *t = p->tokens.tok;
	size_t room = 1, n = 0;
	char *s;

	for (size_t i = from; i < to; i++)
		room += t[i].raw_len + 1;
	s = rl_drill_alloc(&p->s->arena, room);
	for (size_t i = from; i < to; i++) {
		if (i > from && t[i].spaced)
			s[n++] = ' ';
		n += squeeze(s + n, t[i].raw, t[i].raw_len);
	}
	return s;
}

static void parse_body(struct drill_parser *p, struct drill_event *ev)
{
	const struct drill_token *t = rl_drill_tok_peek(p, 0);
	size_t i = own_line(p);

	if (i < OWN) {
		parse_own(p, ev, i);
	} else if (rl_drill_tok_is_char(t, '<') || rl_drill_tok_is_char(t, '>')) {
		ev->kind = DRILL_PACKET;
		ev->packet = rl_drill_parse_packet(p);
	} else if (t->kind == DRILL_T_COMMAND) {
		ev->kind = DRILL_COMMAND;
		ev->word = parse_command(p);
	} else if (t->kind == DRILL_T_CODE) {
		ev->kind = DRILL_CODE;
		ev->word = rl_drill_tok_dup(p, rl_drill_tok_take(p));
	} else if (t->kind == DRILL_T_WORD || t->kind == DRILL_T_ELLIPSIS) {
		ev->kind = DRILL_CALL;
		ev->call = rl_drill_parse_call(p, &ev->time);
	} else {
		rl_drill_tok_expected(p, "a packet ('<' or '>'), a system call, a `command` or "
				      "%{ code }%");
	}
}

static struct drill_event *parse_event(struct drill_parser *p,
				       const struct drill_event *before)
{
	struct drill_event *ev = rl_drill_alloc(&p->s->arena, sizeof(*ev));
	size_t from = p->at;

	ev->file = p->file;
	ev->line = rl_drill_tok_peek(p, 0)->line;
	ev->time.kind = DRILL_AFTER;
	if (at_time(p))
		ev->time = parse_time(p);
	else if (own_line(p) == OWN)
		rl_drill_tok_expected(p, "the time of an event, such as 0, +0.1 or *");
	parse_body(p, ev);
	if (p->failed)
		return NULL;
	check_time(p, ev, before);
	ev->text = source(p, from, p->at);
	return ev;
}

static void parse_events(struct drill_parser *p)
{
	struct drill_event *ev, *before = NULL, **end = &p->s->events;

	while (rl_drill_tok_peek(p, 0)->kind != DRILL_T_END) {
		if (rl_drill_tok_peek(p, 0)->kind == DRILL_T_COMMAND)
			break;		/* without a time: the cleanup command */
		if (rl_drill_tok_peek(p, 0)->kind == DRILL_T_OPTION)
			rl_drill_tok_wrong(p, rl_drill_tok_peek(p, 0)->line,
					   "options stand before everything else");
		ev = parse_event(p, before);
		if (!ev)
			return;
		*end = before = ev;
		end = &ev->next;
		p->s->nevents++;
	}
}

/* ---- head and foot ---- */

static void parse_options(struct drill_parser *p)
{
	struct drill_option *o, **end = &p->s->options;
	const struct drill_token *t;

	while ((t = rl_drill_tok_peek(p, 0))->kind == DRILL_T_OPTION) {
		rl_drill_tok_take(p);
		if (t->len == 6 && memcmp(t->text, "define", 6) == 0)
			continue;	/* the lexer did it */
		o = rl_drill_alloc(&p->s->arena, sizeof(*o));
		o->name = rl_drill_tok_dup(p, t);
		if (t->value)
			o->value = rl_drill_strndup(&p->s->arena, t->value, t->value_len);
		o->line = t->line;
		*end = o;
		end = &o->next;
		if (strcmp(o->name, "ip_version") == 0 && o->value && !p->ip_fixed)
			p->ipv6 = strcmp(o->value, "ipv6") == 0;
	}
}

static void parse_cleanup(struct drill_parser *p)
{
	const struct drill_token *t = rl_drill_tok_peek(p, 0);

	if (t->kind != DRILL_T_COMMAND)
		return;
	p->s->cleanup_line = t->line;
	p->s->cleanup = parse_command(p);
	if (rl_drill_tok_peek(p, 0)->kind != DRILL_T_END)
		rl_drill_tok_wrong(p, t->line, "a command without a time stands only before "
				   "the first event or at the end");
}

static void parse_script(struct drill_parser *p)
{
	const struct drill_token *t;

	parse_options(p);
	t = rl_drill_tok_peek(p, 0);
	if (t->kind == DRILL_T_COMMAND) {
		p->s->init_line = t->line;
		p->s->init = parse_command(p);
	}
	parse_events(p);
	parse_cleanup(p);
	if (!p->s->nevents)
		rl_drill_tok_wrong(p, rl_drill_tok_peek(p, 0)->line,
				   "the script has no events");
}

int rl_drill_parse(struct drill_script *s, const char *file, const char *text, size_t len,
		   const struct drill_define *defines, unsigned flags,
		   char *why, size_t why_len)
{
	struct drill_parser p = {
		.s = s, .why = why, .why_len = why_len,
		.ipv6 = flags & DRILL_PARSE_IPV6, .ip_fixed = flags & DRILL_PARSE_FIXED,
	};

	memset(s, 0, sizeof(*s));
	s->file = p.file = rl_drill_strndup(&s->arena, file, strlen(file));
	if (why_len)
		*why = '\0';
	if (rl_drill_lex(&p.tokens, &s->arena, text, len, defines) != 0)
		rl_drill_tok_wrong(&p, p.tokens.error_line, "%s", p.tokens.error);
	else
		parse_script(&p);
	rl_drill_lex_free(&p.tokens);
	return p.failed ? -EINVAL : 0;
}
