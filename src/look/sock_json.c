/* SPDX-License-Identifier: MIT */
/*
 * JSON of a socket's record, generated from sock.def and tcpinfo.def, so that a
 * field that is added there is there.  Written piece by piece: a host may have a
 * hundred thousand sockets.  Numbers stay numbers; state, source and timer have
 * their names instead, what is not known is null.
 */
#include "look/sock_json.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <string.h>

void rl_json_str(FILE *out, const char *s)
{
	putc('"', out);
	for (; *s; s++) {
		unsigned char ch = (unsigned char)*s;

		if (ch == '"' || ch == '\\')
			fprintf(out, "\\%c", ch);
		else if (ch < 0x20 || ch >= 0x7f)
			fprintf(out, "\\u%04x", ch);	/* of unknown charset: as Latin-1 */
		else
			putc(ch, out);
	}
	putc('"', out);
}

static void put_str(FILE *out, const char *key, const char *val)
{
	fprintf(out, ",\"%s\":", key);
	rl_json_str(out, val);
}

static void put_addr(FILE *out, const char *key, const char *port, const struct rill_addr *a,
		     uint8_t family)
{
	char text[INET6_ADDRSTRLEN];
	bool v4 = family == 4;

	inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? a->ip.b + 12 : a->ip.b, text, sizeof(text));
	fprintf(out, ",\"%s\":\"%s\",\"%s\":%u", key, text, port, a->port);
}

/* A field of sock.def by its type: bool, or a number of which -1 may say "unknown". */
static void put_bool(FILE *out, const char *key, bool v)
{
	fprintf(out, ",\"%s\":%s", key, v ? "true" : "false");
}

static void put_signed(FILE *out, const char *key, int64_t v)
{
	if (v == -1)
		fprintf(out, ",\"%s\":null", key);
	else
		fprintf(out, ",\"%s\":%" PRId64, key, v);
}

static void put_unsigned(FILE *out, const char *key, uint64_t v)
{
	fprintf(out, ",\"%s\":%" PRIu64, key, v);
}

static void put_u8(FILE *out, const char *key, uint8_t v)
{
	put_unsigned(out, key, v);
}

static void put_u32(FILE *out, const char *key, uint32_t v)
{
	put_unsigned(out, key, v);
}

/* Those that have names are written by name below. */
static bool has_name(const char *key)
{
	return !strcmp(key, "source") || !strcmp(key, "state") || !strcmp(key, "timer");
}

static const char *state_text(const struct rill_sock *s)
{
	if (s->proto == IPPROTO_UDP)
		return s->state == RILL_ESTABLISHED ? "ESTAB" : "UNCONN";
	return s->state && s->state < RILL_TCP_STATES ? rill_state_ss(s->state) : "UNKNOWN";
}

static const char *timer_text(uint8_t kind)
{
	static const char *const names[] = {
		[RILL_TMR_NONE] = "off", [RILL_TMR_RTX] = "on",
		[RILL_TMR_KEEP] = "keepalive", [RILL_TMR_TIMEWAIT] = "timewait",
		[RILL_TMR_PERSIST] = "persist", [RILL_TMR_DELACK] = "delack",
	};

	return kind <= RILL_TMR_DELACK ? names[kind] : "unknown";
}

static void put_names(FILE *out, const struct rill_sock *s)
{
	fprintf(out, "\"source\":\"%s\",\"netid\":\"%s\",\"state\":\"%s\"",
		s->source == RILL_SRC_RILL ? "rill" : "kernel",
		s->proto == IPPROTO_UDP ? "udp" : "tcp", state_text(s));
	if (s->proto == IPPROTO_TCP && s->state && s->state < RILL_TCP_STATES)
		put_str(out, "state_rfc", rill_state_name(s->state));
	put_addr(out, "local", "lport", &s->local, s->family);
	put_addr(out, "peer", "pport", &s->peer, s->family);
	put_str(out, "timer", timer_text(s->timer));
	if (s->source == RILL_SRC_RILL) {
		fprintf(out, ",\"id\":\"%" PRIx64 "\",\"pid\":%d", s->cookie, s->pid);
		put_str(out, "stack", s->stack);
		put_str(out, "hold", s->hold);
	}
	if (*s->cc)
		put_str(out, "cc", s->cc);
}

static void put_info(FILE *out, const struct rill_tcp_info *i)
{
	const char *sep = "";

	fputs(",\"info\":{", out);
#define INFO(type, name, unit, help)						\
	fprintf(out, "%s\"" #name "\":%" PRIu64, sep, (uint64_t)i->name);	\
	sep = ",";
#include "rill/tcpinfo.def"
#undef INFO
	putc('}', out);
}

static void put_owners(FILE *out, const struct rill_sock *s)
{
	fputs(",\"owners\":[", out);
	for (unsigned i = 0; i < s->nowners; i++) {
		fprintf(out, "%s{\"pid\":%d,\"fd\":", i ? "," : "", s->owners[i].pid);
		fprintf(out, s->owners[i].fd < 0 ? "null" : "%d", s->owners[i].fd);
		put_str(out, "comm", s->owners[i].comm);
		putc('}', out);
	}
	putc(']', out);
}

void rl_sock_json(FILE *out, const struct rill_sock *s)
{
	put_names(out, s);
#define SOCK(type, name, unit, help)						\
	if (!has_name(#name))							\
		_Generic(s->name, bool: put_bool, uint8_t: put_u8, uint32_t: put_u32,	\
			 uint64_t: put_unsigned, int64_t: put_signed)(out, #name, s->name);
#include "rill/sock.def"
#undef SOCK
	if (s->has_info)
		put_info(out, &s->info);
	put_owners(out, s);
}
