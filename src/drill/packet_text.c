/* SPDX-License-Identifier: MIT */
/*
 * A packet as text, its numbers as the script counts them: as a line of a script
 * (history, -v: it can be pasted into one), or as tcpdump would print it, with the
 * fields marked that differ from what was expected.
 *
 * What a script leaves open is shown as it would write it: "...".
 */
#include "drill/packet.h"
#include "wire/icmp.h"

/* ---- both notations ---- */

static void named(struct rl_text *t, const char *name, uint32_t v)
{
	rl_text_str(t, name);
	rl_text_dec(t, v);
}

static void hex(struct rl_text *t, const char *name, uint32_t v, unsigned bytes)
{
	uint8_t be[4];

	put32(be, v);
	rl_text_str(t, name);
	rl_text_hex(t, be + 4 - bytes, bytes);
}

static const char *ecn_word(enum drill_ecn ecn)
{
	static const char *const words[] = {
		[DRILL_NOECN] = "noecn", [DRILL_ECT0] = "ect0", [DRILL_ECT1] = "ect1",
		[DRILL_CE] = "ce", [DRILL_ECT01] = "ect01",
	};

	return words[ecn];
}

static void flag_letters(struct rl_text *t, unsigned flags, const char *order)
{
	static const struct {
		char name;
		uint16_t bit;
	} all[] = {
		{ 'F', DRILL_FIN }, { 'S', DRILL_SYN }, { 'R', DRILL_RST },
		{ 'P', DRILL_PSH }, { '.', DRILL_ACK }, { 'U', DRILL_URG },
		{ 'E', DRILL_ECE }, { 'W', DRILL_CWR }, { 'A', DRILL_AE },
		{ 'e', DRILL_AE },
	};
	char s[2] = "";

	for (; *order; order++)
		for (size_t i = 0; i < ARRAY_LEN(all); i++)
			if (all[i].name == *order && (flags & all[i].bit)) {
				s[0] = *order;
				rl_text_str(t, s);
			}
}

/* The ACE digit as the flags that it stands for. */
static unsigned all_flags(const struct drill_tcp *t)
{
	if (!t->has_ace)
		return t->flags;
	return t->flags | (t->ace & 1u ? DRILL_ECE : 0u) | (t->ace & 2u ? DRILL_CWR : 0u) |
	       (t->ace & 4u ? DRILL_AE : 0u);
}

static void data_hex(struct rl_text *t, const char *name, const uint8_t *p, size_t n)
{
	rl_text_str(t, name);
	if (n)
		rl_text_str(t, " ");
	rl_text_hex(t, p, n);
}

static void ts_text(struct rl_text *t, const struct drill_opt *o)
{
	if (o->any_val)
		rl_text_str(t, "TS val ...");
	else
		named(t, "TS val ", o->value);
	if (o->any_ecr)
		rl_text_str(t, " ecr ...");
	else
		named(t, " ecr ", o->ecr);
	if (o->abs_ecr)
		rl_text_str(t, "!");
}

static void counters_text(struct rl_text *t, const struct drill_opt *o)
{
	static const char *const names[2][3] = {
		{ " e0b ", " ceb ", " e1b " }, { " e1b ", " ceb ", " e0b " },
	};

	rl_text_str(t, "ECN");
	for (unsigned i = 0; i < o->nctrs; i++)
		named(t, names[o->kind == DRILL_OPT_ECN1][i], o->ctr[i]);
}

static void sack_text(struct rl_text *t, const struct drill_opt *o)
{
	rl_text_str(t, "sack");
	for (unsigned i = 0; i < o->nsacks; i++) {
		named(t, " ", o->sack[i].from);
		named(t, ":", o->sack[i].to);
	}
}

static void raw_text(struct rl_text *t, const struct drill_opt *o)
{
	named(t, "", o->data[0]);
	rl_text_str(t, o->len > 1 ? " " : "");
	rl_text_hex(t, o->data + 1, o->len - 1);
}

void rl_drill_text_opt(struct rl_text *t, const struct drill_opt *o)
{
	switch (o->kind) {
	case DRILL_OPT_NOP:
		rl_text_str(t, "nop");
		break;
	case DRILL_OPT_EOL:
		rl_text_str(t, "eol");
		break;
	case DRILL_OPT_MSS:
		named(t, "mss ", o->value);
		break;
	case DRILL_OPT_WSCALE:
		named(t, "wscale ", o->value);
		break;
	case DRILL_OPT_SACKOK:
		rl_text_str(t, "sackOK");
		break;
	case DRILL_OPT_SACK:
		sack_text(t, o);
		break;
	case DRILL_OPT_TS:
		ts_text(t, o);
		break;
	case DRILL_OPT_MD5:
		data_hex(t, "md5", o->data, o->len);
		break;
	case DRILL_OPT_FO:
		data_hex(t, "FO", o->data, o->len);
		break;
	case DRILL_OPT_FOEXP:
		data_hex(t, "FOEXP", o->data, o->len);
		break;
	case DRILL_OPT_ECN0:
	case DRILL_OPT_ECN1:
		counters_text(t, o);
		break;
	case DRILL_OPT_RAW:
		raw_text(t, o);
		break;
	case DRILL_OPT_BYTES:
		rl_text_hex(t, o->data, o->len);
		break;
	}
}

/* ---- ICMP ---- */

/* The type, and the code where it says more. */
static void icmp_kind(struct rl_text *t, const struct drill_icmp *i, bool v6)
{
	const char *name = rl_drill_icmp_type(v6, i->type);

	if (name)
		rl_text_str(t, name);
	else
		named(t, "type_", i->type);
	name = rl_drill_icmp_code(v6, i->type, i->code);
	rl_text_str(t, name || i->code ? " " : "");
	if (name)
		rl_text_str(t, name);
	else if (i->code)
		named(t, "code_", i->code);
	if (i->has_mtu)
		named(t, " mtu ", i->mtu);
	if (i->has_id)
		named(t, " id ", i->id);
}

/* ---- as in a script ---- */

static void script_ipinfo(struct rl_text *t, const struct drill_ipinfo *i)
{
	const char *sep = "[";

	if (i->has_tos) {
		hex(t, "[tos 0x", i->tos, 1);
		sep = ",";
	} else if (i->ecn != DRILL_ECN_UNSET) {
		rl_text_str(t, "[");
		rl_text_str(t, ecn_word(i->ecn));
		sep = ",";
	}
	if (i->has_flow) {
		rl_text_str(t, sep);
		hex(t, "flowlabel 0x", i->flow, 3);
		sep = ",";
	}
	if (i->has_ttl) {
		rl_text_str(t, sep);
		named(t, "ttl ", i->ttl);
		sep = ",";
	}
	if (sep[0] == ',')
		rl_text_str(t, "] ");
}

static void ip_text(struct rl_text *t, const struct rill_ip *ip)
{
	if (rl_ip_is4(ip))
		rl_text_ip4(t, ip->b + 12);
	else
		rl_text_ip6(t, ip->b);
}

static void gre_text(struct rl_text *t, const struct drill_encap *e)
{
	rl_text_str(t, "gre");
	if (e->has_gre_fields) {
		hex(t, " flags 0x", e->gre_flags, 2);
		hex(t, ", sum 0x", e->gre_sum, 2);
		hex(t, ", off 0x", e->gre_off, 2);
		hex(t, ", key 0x", e->gre_key, 4);
		named(t, ", seq ", e->gre_seq);
	}
	rl_text_str(t, ": ");
}

static void mpls_text(struct rl_text *t, const struct drill_encap *e)
{
	rl_text_str(t, "mpls");
	for (unsigned i = 0; i < e->nlabels; i++) {
		named(t, " (label ", e->labels[i].label);
		named(t, ", tc ", e->labels[i].tc);
		rl_text_str(t, e->labels[i].bottom ? ", [S]" : "");
		named(t, ", ttl ", e->labels[i].ttl);
		rl_text_str(t, ")");
	}
	rl_text_str(t, ": ");
}

static void encap_text(struct rl_text *t, const struct drill_encap *e)
{
	switch (e->kind) {
	case DRILL_ENCAP_IPV4:
	case DRILL_ENCAP_IPV6:
		rl_text_str(t, e->kind == DRILL_ENCAP_IPV4 ? "ipv4 " : "ipv6 ");
		script_ipinfo(t, &e->ip);
		ip_text(t, &e->src);
		rl_text_str(t, " > ");
		ip_text(t, &e->dst);
		rl_text_str(t, ": ");
		break;
	case DRILL_ENCAP_GRE:
		gre_text(t, e);
		break;
	case DRILL_ENCAP_MPLS:
		mpls_text(t, e);
		break;
	}
}

static void ports_text(struct rl_text *t, uint16_t sport, uint16_t dport)
{
	named(t, "", sport);
	named(t, " > ", dport);
	rl_text_str(t, " ");
}

static void script_opts(struct rl_text *t, const struct drill_tcp *tcp)
{
	const char *sep = " <";

	if (tcp->opts_kind == DRILL_OPTS_ANY)
		rl_text_str(t, " <...>");
	if (tcp->opts_kind != DRILL_OPTS_LIST)
		return;
	for (const struct drill_opt *o = tcp->opts; o; o = o->next) {
		rl_text_str(t, sep);
		rl_drill_text_opt(t, o);
		sep = ",";
	}
	rl_text_str(t, ">");
}

static void script_flags(struct rl_text *t, const struct drill_tcp *tcp)
{
	if (!tcp->flags && !tcp->has_ace)
		rl_text_str(t, "-");
	flag_letters(t, tcp->flags, "SFRPUEWA.");
	if (tcp->has_ace)
		named(t, "", tcp->ace);
	rl_text_str(t, " ");
}

static void script_tcp(struct rl_text *t, const struct drill_tcp *tcp)
{
	if (tcp->has_ports)
		ports_text(t, tcp->sport, tcp->dport);
	script_flags(t, tcp);
	if (tcp->seq_kind == DRILL_SEQ_ANY) {
		rl_text_str(t, "...");
	} else {
		named(t, "", tcp->seq);
		named(t, ":", tcp->seq + tcp->len);
	}
	named(t, "(", tcp->len);
	rl_text_str(t, tcp->seq_kind == DRILL_SEQ_ABSOLUTE ? ")!" : ")");
	if (tcp->has_ack)
		named(t, " ack ", tcp->ack);
	if (tcp->has_win)
		named(t, " win ", tcp->win);
	if (tcp->urg)
		named(t, " urg ", tcp->urg);
	script_opts(t, tcp);
}

static void script_icmp(struct rl_text *t, const struct drill_icmp *i, bool v6)
{
	rl_text_str(t, "icmp ");
	icmp_kind(t, i, v6);
	if (i->echoed == DRILL_ECHO_TCP) {
		named(t, " [", i->seq);
		named(t, ":", i->seq + i->len);
	} else if (i->echoed != DRILL_ECHO_NONE) {
		rl_text_str(t, i->echoed == DRILL_ECHO_UDP ? " [udp " : " [raw ");
	}
	if (i->echoed != DRILL_ECHO_NONE) {
		named(t, "(", i->len);
		rl_text_str(t, ")]");
	}
}

void rl_drill_text_script(char *buf, size_t size, const struct drill_packet *p, bool v6)
{
	struct rl_text t;

	rl_text_init(&t, buf, size);
	rl_text_str(&t, p->in ? "< " : "> ");
	for (unsigned i = 0; i < p->nencap; i++)
		encap_text(&t, &p->encap[i]);
	script_ipinfo(&t, &p->ip);
	switch (p->proto) {
	case DRILL_TCP:
		script_tcp(&t, &p->tcp);
		break;
	case DRILL_UDP:
		rl_text_str(&t, "udp ");
		if (p->udp.has_ports)
			ports_text(&t, p->udp.sport, p->udp.dport);
		named(&t, "(", p->udp.len);
		rl_text_str(&t, ")");
		break;
	case DRILL_ICMP:
		script_icmp(&t, &p->icmp, v6);
		break;
	}
	if (p->bad_sum)
		rl_text_str(&t, " badsum");
}

/* ---- as tcpdump ---- */

struct shown {
	struct rl_text	t;
	char		*marks;
	const struct drill_diff *d;
	const struct drill_packet *p, *ref;
	size_t		from;		/* where the field began */
};

static void begin(struct shown *s, const char *sep)
{
	if (s->t.len)
		rl_text_str(&s->t, sep);
	s->from = s->t.len;
}

static void mark(struct shown *s)
{
	memset(s->marks + s->from, '^', s->t.len - s->from);
}

static bool differs(const struct shown *s, enum drill_field f)
{
	return s->d->fields & 1u << f;
}

static void end(struct shown *s, enum drill_field f)
{
	if (differs(s, f))
		mark(s);
}

static void dump_headers(struct shown *s)
{
	begin(s, "");
	for (unsigned i = 0; i < s->p->nencap; i++)
		encap_text(&s->t, &s->p->encap[i]);
	if (differs(s, DRILL_F_HEADERS))
		rl_text_str(&s->t, s->d->v6 ? "IP6" : "IP");
	else if (s->t.len)
		s->t.buf[--s->t.len] = '\0';	/* what follows begins with a blank */
	end(s, DRILL_F_HEADERS);
}

/* "(tos 0x2,ECT(0), ttl 64)", as far as the script asks for it. */
static void dump_ip(struct shown *s)
{
	static const char *const ect[] = {
		[DRILL_NOECN] = "", [DRILL_ECT0] = ",ECT(0)", [DRILL_ECT1] = ",ECT(1)",
		[DRILL_CE] = ",CE", [DRILL_ECT01] = ",ECT(0) or ECT(1)",
	};
	const struct drill_ipinfo *i = &s->p->ip, *ref = &s->ref->ip;
	bool got = s->p != s->ref;
	const char *sep = "(";

	if (ref->ecn == DRILL_ECN_UNSET && !ref->has_tos && !ref->has_ttl && !ref->has_flow)
		return;
	begin(s, " ");
	if (ref->has_tos || ref->ecn != DRILL_ECN_UNSET) {
		rl_text_str(&s->t, sep);
		if (got || i->has_tos)
			hex(&s->t, "tos 0x", i->tos, 1);
		else
			rl_text_str(&s->t, "tos ...");
		rl_text_str(&s->t, ect[got || i->has_tos ? rl_drill_ecn_of(i->tos) : i->ecn]);
		sep = ", ";
	}
	if (ref->has_flow) {
		rl_text_str(&s->t, sep);
		hex(&s->t, "flowlabel 0x", i->flow, 3);
		sep = ", ";
	}
	if (ref->has_ttl) {
		rl_text_str(&s->t, sep);
		named(&s->t, s->d->v6 ? "hlim " : "ttl ", i->ttl);
	}
	rl_text_str(&s->t, ")");
	end(s, DRILL_F_IP);
}

static void dump_flags(struct shown *s)
{
	unsigned flags = all_flags(&s->p->tcp);

	begin(s, " ");
	rl_text_str(&s->t, "Flags [");
	flag_letters(&s->t, flags, "FSRP.UEWe");
	rl_text_str(&s->t, flags ? "]" : "none]");
	end(s, DRILL_F_FLAGS);
}

static void dump_seq(struct shown *s)
{
	const struct drill_tcp *t = &s->p->tcp;

	if (!t->len && !(t->flags & (DRILL_SYN | DRILL_FIN | DRILL_RST)) &&
	    !differs(s, DRILL_F_SEQ))
		return;
	begin(s, ", ");
	if (t->seq_kind == DRILL_SEQ_ANY) {
		rl_text_str(&s->t, "seq ...");
	} else {
		named(&s->t, "seq ", t->seq);
		if (t->len)
			named(&s->t, ":", t->seq + t->len);
	}
	end(s, DRILL_F_SEQ);
}

static void dump_number(struct shown *s, enum drill_field f, bool show, const char *name,
			uint32_t v)
{
	if (!show && !differs(s, f))
		return;
	begin(s, ", ");
	named(&s->t, name, v);
	end(s, f);
}

static void dump_opts(struct shown *s)
{
	const struct drill_tcp *t = &s->p->tcp;
	unsigned n = 0;
	size_t from;

	if (t->opts_kind == DRILL_OPTS_NONE && !differs(s, DRILL_F_OPTS))
		return;
	begin(s, ", ");
	from = s->from;
	rl_text_str(&s->t, t->opts_kind == DRILL_OPTS_ANY ? "options [..." : "options [");
	if (t->opts_kind == DRILL_OPTS_LIST) {
		for (const struct drill_opt *o = t->opts; o; o = o->next, n++) {
			if (n)
				rl_text_str(&s->t, ",");
			s->from = s->t.len;
			rl_drill_text_opt(&s->t, o);
			if (differs(s, DRILL_F_OPTS) && n < 64 && s->d->opts >> n & 1)
				mark(s);
		}
	}
	rl_text_str(&s->t, "]");
	s->from = from;
	if (!s->d->opts)
		end(s, DRILL_F_OPTS);
}

static void dump_length(struct shown *s, uint32_t len)
{
	begin(s, ", ");
	named(&s->t, "length ", len);
	end(s, DRILL_F_LEN);
}

static void dump_tcp(struct shown *s)
{
	const struct drill_tcp *t = &s->p->tcp;

	dump_flags(s);
	dump_seq(s);
	dump_number(s, DRILL_F_ACK, t->flags & DRILL_ACK, "ack ", t->ack);
	if (t->has_win)
		dump_number(s, DRILL_F_WIN, true, "win ", t->win);
	else
		rl_text_str(&s->t, ", win ...");
	dump_number(s, DRILL_F_URG, t->urg || (t->flags & DRILL_URG), "urg ", t->urg);
	dump_opts(s);
	dump_length(s, t->len);
}

static void dump_icmp(struct shown *s)
{
	const struct drill_icmp *i = &s->p->icmp;

	begin(s, " ");
	rl_text_str(&s->t, s->d->v6 ? "ICMP6, " : "ICMP ");
	icmp_kind(&s->t, i, s->d->v6);
	end(s, DRILL_F_FLAGS);
	if (i->echoed == DRILL_ECHO_RAW)
		dump_length(s, i->len + ICMP_HDR_LEN);
}

void rl_drill_text_tcpdump(char *buf, char *marks, size_t size,
			   const struct drill_packet *p, const struct drill_packet *ref,
			   const struct drill_diff *d)
{
	struct shown s = { .marks = marks, .d = d, .p = p, .ref = ref };

	rl_text_init(&s.t, buf, size);
	memset(marks, ' ', size);
	dump_headers(&s);
	dump_ip(&s);
	switch (p->proto) {
	case DRILL_TCP:
		dump_tcp(&s);
		break;
	case DRILL_UDP:
		begin(&s, " ");
		rl_text_str(&s.t, "UDP");
		end(&s, DRILL_F_FLAGS);
		dump_length(&s, p->udp.len);
		break;
	case DRILL_ICMP:
		dump_icmp(&s);
		break;
	}
	while (size > 1 && marks[size - 1] != '^')
		size--;
	marks[size == 1 && marks[0] != '^' ? 0 : size] = '\0';
}
