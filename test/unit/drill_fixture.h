/* SPDX-License-Identifier: MIT */
/*
 * A packet script's tree as text, in a plain form of our own: nothing of the script's
 * own spelling is left, so that a test compares what was understood.
 */
#ifndef DRILL_FIXTURE_H
#define DRILL_FIXTURE_H

#include <stdarg.h>
#include <stdio.h>

#include "drill/ast.h"

static char out[4096];
static size_t out_len;

static void put_clear(void)
{
	out_len = 0;
	out[0] = '\0';
}

__attribute__((format(printf, 1, 2)))
static void put(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	out_len += (size_t)vsnprintf(out + out_len, sizeof(out) - out_len, fmt, ap);
	va_end(ap);
	if (out_len >= sizeof(out))
		out_len = sizeof(out) - 1;
}

static void put_hex(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		put("%02x", p[i]);
}

static void put_time(const struct drill_time *t)
{
	static const char *const kinds[] = { "at", "after", "any", "at", "after" };

	put("%s", kinds[t->kind]);
	if (t->kind != DRILL_ANY_TIME)
		put(" %lld", (long long)t->us);
	if (t->kind == DRILL_AT_RANGE || t->kind == DRILL_AFTER_RANGE)
		put("..%lld", (long long)t->until_us);
}

static void put_ip(const struct drill_ipinfo *ip)
{
	static const char *const ecn[] = { "", "noecn ", "ect0 ", "ect1 ", "ce ", "ect01 " };

	put("%s", ecn[ip->ecn]);
	if (ip->has_tos)
		put("tos %02x ", ip->tos);
	if (ip->has_ttl)
		put("ttl %u ", ip->ttl);
	if (ip->has_flow)
		put("flow %05x ", ip->flow);
}

static void put_opt(const struct drill_opt *o)
{
	switch (o->kind) {
	case DRILL_OPT_NOP:
		put("nop");
		break;
	case DRILL_OPT_EOL:
		put("eol");
		break;
	case DRILL_OPT_MSS:
		put("mss %u", o->value);
		break;
	case DRILL_OPT_WSCALE:
		put("wscale %u", o->value);
		break;
	case DRILL_OPT_SACKOK:
		put("sackOK");
		break;
	case DRILL_OPT_SACK:
		put("sack");
		for (unsigned i = 0; i < o->nsacks; i++)
			put(" %u-%u", o->sack[i].from, o->sack[i].to);
		break;
	case DRILL_OPT_TS:
		put("ts %u%s %u%s%s", o->value, o->any_val ? "any" : "", o->ecr,
		    o->any_ecr ? "any" : "", o->abs_ecr ? "abs" : "");
		break;
	case DRILL_OPT_MD5:
	case DRILL_OPT_FO:
	case DRILL_OPT_FOEXP:
	case DRILL_OPT_RAW:
	case DRILL_OPT_BYTES:
		put("%s ", o->kind == DRILL_OPT_MD5 ? "md5" : o->kind == DRILL_OPT_FO ? "fo" :
		    o->kind == DRILL_OPT_FOEXP ? "foexp" : o->kind == DRILL_OPT_RAW ? "raw" :
		    "bytes");
		put_hex(o->data, o->len);
		break;
	case DRILL_OPT_ECN0:
	case DRILL_OPT_ECN1:
		put("ecn%d", o->kind == DRILL_OPT_ECN1);
		for (unsigned i = 0; i < o->nctrs; i++)
			put(" %u", o->ctr[i]);
		break;
	}
}

static void put_tcp(const struct drill_tcp *t)
{
	if (t->has_ports)
		put("%u>%u ", t->sport, t->dport);
	put("%03x", t->flags);
	if (t->has_ace)
		put("/%u", t->ace);
	put(" %u%s+%u", t->seq, t->seq_kind == DRILL_SEQ_ANY ? "any" :
	    t->seq_kind == DRILL_SEQ_ABSOLUTE ? "abs" : "", t->len);
	if (t->has_ack)
		put(" ack %u", t->ack);
	if (t->has_win)
		put(" win %u", t->win);
	if (t->urg)
		put(" urg %u", t->urg);
	if (t->opts_kind == DRILL_OPTS_ANY)
		put(" <any>");
	if (t->opts_kind != DRILL_OPTS_LIST)
		return;
	for (const struct drill_opt *o = t->opts; o; o = o->next) {
		put(o == t->opts ? " <" : ", ");
		put_opt(o);
	}
	put(">");
}

static void put_icmp(const struct drill_icmp *i)
{
	static const char *const echoed[] = { "", " tcp", " udp", " raw" };

	put("icmp %u/%u", i->type, i->code);
	if (i->has_mtu)
		put(" mtu %u", i->mtu);
	if (i->has_id)
		put(" id %u", i->id);
	put("%s", echoed[i->echoed]);
	if (i->echoed)
		put(" %u+%u", i->seq, i->len);
}

static void put_encap(const struct drill_encap *e)
{
	switch (e->kind) {
	case DRILL_ENCAP_IPV4:
	case DRILL_ENCAP_IPV6:
		put("ip%d ", e->kind == DRILL_ENCAP_IPV4 ? 4 : 6);
		put_ip(&e->ip);
		put_hex(e->src.b, 16);
		put(">");
		put_hex(e->dst.b, 16);
		break;
	case DRILL_ENCAP_GRE:
		put("gre");
		if (e->has_gre_fields)
			put(" %04x %u %u %u %u", e->gre_flags, e->gre_sum, e->gre_off,
			    e->gre_key, e->gre_seq);
		break;
	case DRILL_ENCAP_MPLS:
		put("mpls");
		for (unsigned i = 0; i < e->nlabels; i++)
			put(" %u/%u/%u%s", e->labels[i].label, e->labels[i].tc,
			    e->labels[i].ttl, e->labels[i].bottom ? "S" : "");
		break;
	}
	put(": ");
}

static void put_packet(const struct drill_packet *p)
{
	put(p->in ? "< " : "> ");
	for (unsigned i = 0; i < p->nencap; i++)
		put_encap(&p->encap[i]);
	put_ip(&p->ip);
	switch (p->proto) {
	case DRILL_TCP:
		put_tcp(&p->tcp);
		break;
	case DRILL_UDP:
		put("udp ");
		if (p->udp.has_ports)
			put("%u>%u ", p->udp.sport, p->udp.dport);
		put("%u", p->udp.len);
		break;
	case DRILL_ICMP:
		put_icmp(&p->icmp);
		break;
	}
	if (p->bad_sum)
		put(" badsum");
}

static void put_list(const struct drill_expr *e, const char *between, unsigned depth);

static void put_expr(const struct drill_expr *e, unsigned depth)
{
	if (e->name)
		put("%s", e->name);
	if (e->count) {
		put("#");
		put_list(e->count, ",", depth + 1);
	}
	if (e->name)
		put("=");
	switch (e->kind) {
	case DRILL_E_INT:
		put("%lld", (long long)e->num);
		break;
	case DRILL_E_SYMBOL:
		put("%s", e->text);
		break;
	case DRILL_E_STRING:
		put("'");
		put_hex((const uint8_t *)e->text, e->len);
		put("'");
		break;
	case DRILL_E_ELLIPSIS:
		put("~");
		break;
	case DRILL_E_OR:
		put_list(e->list, "|", depth + 1);
		break;
	case DRILL_E_LIST:
		put("[");
		put_list(e->list, ",", depth + 1);
		put("]");
		break;
	case DRILL_E_STRUCT:
		put("{");
		put_list(e->list, ",", depth + 1);
		put("}");
		break;
	case DRILL_E_CALL:
		put("%s(", e->text);
		put_list(e->list, ",", depth + 1);
		put(")");
		break;
	}
}

static void put_list(const struct drill_expr *e, const char *between, unsigned depth)
{
	if (depth > 200)
		return;
	for (; e; e = e->next) {
		put_expr(e, depth);
		if (e->next)
			put("%s", between);
	}
}

static void put_call(const struct drill_call *c)
{
	if (c->blocks)
		put("until %lld ", (long long)c->end_us);
	put("%s/%u(", c->name, c->nargs);
	put_list(c->args, " ", 0);
	put(") = %lld", (long long)c->result);
	if (c->err_name)
		put(" %s", c->err_name);
}

static void put_event(const struct drill_event *ev)
{
	static const char *const kinds[] = {
		[DRILL_COMMAND] = "command", [DRILL_CODE] = "code", [DRILL_DROP] = "drop",
		[DRILL_STATE] = "state", [DRILL_HOLD] = "hold", [DRILL_QUIET] = "quiet",
		[DRILL_USE] = "use",
	};

	put_time(&ev->time);
	put(" ");
	if (ev->kind == DRILL_PACKET)
		put_packet(ev->packet);
	else if (ev->kind == DRILL_CALL)
		put_call(ev->call);
	else
		put("%s", kinds[ev->kind]);
	if (ev->word)
		put(" %s", ev->word);
	for (const struct drill_param *a = ev->params; a; a = a->next) {
		put(" %s", a->name);
		if (a->has_value)
			put("=%lld", (long long)a->value);
	}
}

#endif
