/* SPDX-License-Identifier: MIT */
/*
 * Fuzzing of the parser of packet scripts.  The first byte chooses the IP version and
 * whether something is defined, the rest is the script.  Any text either parses, and
 * then its tree keeps what the interpreter relies on, or gives one line that says where
 * and why not.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "drill/ast.h"

#define MUST(cond)	do { if (!(cond)) abort(); } while (0)
#define DEPTH		80u		/* brackets, and an "or" or a name in each */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_list(const struct drill_expr *e, unsigned depth)
{
	MUST(depth < DEPTH);
	for (; e; e = e->next) {
		check_list(e->list, depth + 1);
		check_list(e->count, depth + 1);
		MUST(!e->count || e->name);
		switch (e->kind) {
		case DRILL_E_INT:
		case DRILL_E_ELLIPSIS:
		case DRILL_E_LIST:
		case DRILL_E_STRUCT:
			break;
		case DRILL_E_SYMBOL:
		case DRILL_E_CALL:
			MUST(e->text && *e->text);
			break;
		case DRILL_E_STRING:
			MUST(e->text && !e->text[e->len]);
			break;
		case DRILL_E_OR:
			MUST(e->list && e->list->next);
			break;
		}
	}
}

static void check_call(const struct drill_event *ev)
{
	const struct drill_call *c = ev->call;
	unsigned n = 0;

	MUST(c->name && *c->name);
	MUST(!c->blocks || c->end_us >= ev->time.us);
	MUST(!c->err_name || c->err_name[0] == 'E');
	for (const struct drill_expr *e = c->args; e; e = e->next)
		n++;
	MUST(n == c->nargs);
	check_list(c->args, 0);
}

/* The lengths that packet_bytes.c copies without asking again. */
static unsigned opt_size(const struct drill_opt *o)
{
	MUST(o->len <= sizeof(o->data) && o->nsacks <= DRILL_SACKS && o->nctrs <= 3);
	switch (o->kind) {
	case DRILL_OPT_NOP:
	case DRILL_OPT_EOL:
		return 1;
	case DRILL_OPT_MSS:
		MUST(o->value <= UINT16_MAX);
		return 4;
	case DRILL_OPT_WSCALE:
		MUST(o->value <= UINT8_MAX);
		return 3;
	case DRILL_OPT_SACKOK:
		return 2;
	case DRILL_OPT_SACK:
		MUST(o->nsacks);
		return 2 + 8 * o->nsacks;
	case DRILL_OPT_TS:
		return 10;
	case DRILL_OPT_MD5:
		MUST(o->len <= 16);
		return 2 + o->len;
	case DRILL_OPT_FO:
		return 2 + o->len;
	case DRILL_OPT_FOEXP:
		return 4 + o->len;
	case DRILL_OPT_ECN0:
	case DRILL_OPT_ECN1:
		MUST(o->nctrs);
		return 2 + 3 * o->nctrs;
	case DRILL_OPT_RAW:
		MUST(o->len && o->data[0] > 1);
		return 1 + o->len;
	case DRILL_OPT_BYTES:
		MUST(o->len);
		return o->len;
	}
	abort();
}

static void check_tcp(const struct drill_packet *p)
{
	const struct drill_tcp *t = &p->tcp;
	unsigned n = 0;

	MUST(t->flags < 0x200 && t->ace < 8 && t->len <= UINT16_MAX);
	MUST(!t->has_ace || !(t->flags & (DRILL_ECE | DRILL_CWR | DRILL_AE)));
	MUST(!p->in || (t->seq_kind != DRILL_SEQ_ANY && t->has_win &&
			t->opts_kind != DRILL_OPTS_ANY));
	MUST(!t->opts == (t->opts_kind != DRILL_OPTS_LIST));
	for (const struct drill_opt *o = t->opts; o; o = o->next) {
		MUST(!p->in || (!o->any_val && !o->any_ecr));
		n += opt_size(o);
	}
	MUST(n <= 40 && n % 4 == 0);
}

static void check_packet(const struct drill_packet *p)
{
	MUST(p->nencap <= DRILL_LAYERS - 2);
	for (unsigned i = 0; i < p->nencap; i++)
		MUST(p->encap[i].nlabels <= DRILL_LABELS);
	MUST(!p->in || p->ip.ecn != DRILL_ECT01);
	MUST(p->in || !p->bad_sum);
	MUST(p->ip.flow <= 0xfffff && !(p->ip.has_tos && p->ip.ecn));
	switch (p->proto) {
	case DRILL_TCP:
		check_tcp(p);
		break;
	case DRILL_UDP:
		break;
	case DRILL_ICMP:
		MUST(p->icmp.len <= UINT16_MAX);
		break;
	}
}

static void check_event(const struct drill_event *ev, const struct drill_event *before)
{
	bool point = ev->time.kind == DRILL_AT || ev->time.kind == DRILL_AFTER;

	MUST(ev->time.us >= 0 && (point || ev->time.kind == DRILL_ANY_TIME ||
				  ev->time.until_us >= ev->time.us));
	MUST(point || (ev->kind == DRILL_PACKET && !ev->packet->in));
	MUST(before || (point && ev->time.us == 0));
	MUST(ev->line >= (before ? before->line : 1) && ev->text && *ev->text);
	MUST(!strchr(ev->text, '\n'));
	switch (ev->kind) {
	case DRILL_PACKET:
		check_packet(ev->packet);
		break;
	case DRILL_CALL:
		check_call(ev);
		break;
	case DRILL_COMMAND:
	case DRILL_CODE:
		MUST(ev->word);
		break;
	case DRILL_DROP:
	case DRILL_STATE:
	case DRILL_HOLD:
	case DRILL_USE:
		MUST(ev->word && *ev->word);
		break;
	case DRILL_QUIET:
		break;
	}
}

static void check_script(const struct drill_script *s)
{
	const struct drill_event *before = NULL;
	unsigned n = 0;

	for (const struct drill_option *o = s->options; o; o = o->next)
		MUST(o->name && *o->name && strcmp(o->name, "define") != 0);
	for (const struct drill_event *ev = s->events; ev; before = ev, ev = ev->next, n++)
		check_event(ev, before);
	MUST(n && n == s->nevents);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct drill_define defines[] = {
		{ "W", "word" }, { "I", "0102" }, { "T", "\"\\x00\"" }, { "C", "`c`" },
		{ NULL, NULL },
	};
	struct drill_script s;
	char why[300] = "";
	char *text;
	int err;

	if (!size)
		return 0;
	text = malloc(size - 1 ? size - 1 : 1);	/* nothing behind the script */
	MUST(text);
	memcpy(text, data + 1, size - 1);
	err = rl_drill_parse(&s, "fuzz.pkt", text, size - 1, data[0] & 2 ? defines : NULL,
			     data[0] & 1, why, sizeof(why));
	free(text);			/* nothing in the tree may point into it */
	if (err) {
		const char *p = strncmp(why, "unsupported: ", 13) == 0 ? why + 13 : why;

		MUST(strncmp(p, "fuzz.pkt:", 9) == 0 && !strchr(why, '\n'));
	} else {
		MUST(!*why);
		check_script(&s);
	}
	rl_drill_script_free(&s);
	return 0;
}
