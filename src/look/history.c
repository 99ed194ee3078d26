/* SPDX-License-Identifier: MIT */
/*
 * Records of connections that ended, to JSON and back.  What is read comes from
 * another process or from a file: anything may be missing or of a wrong type.
 */
#include "look/history.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void hist_init(struct hist_rec *r)
{
	memset(r, 0, sizeof(*r));
#define HIST(type, name, unit, help)	r->name = -1;
#define HIST_NAME(name, names, help)
#include "rill/history.def"
#undef HIST
#undef HIST_NAME
	for (int i = 0; i < RILL_TCP_STATES; i++)
		r->in_us[i] = -1;
}

/* ---- to JSON ---- */

static const char *ip_text(const uint8_t ip[16], char buf[INET6_ADDRSTRLEN])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	bool v4 = memcmp(ip, mapped, sizeof(mapped)) == 0;

	return inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? ip + 12 : ip, buf, INET6_ADDRSTRLEN);
}

static bool put_int(json_t *o, const char *key, int64_t v)
{
	return v < 0 || json_object_set_new(o, key, json_integer(v)) == 0;
}

static bool put_flag(json_t *o, const char *key, int64_t v)
{
	return v < 0 || json_object_set_new(o, key, json_boolean(v)) == 0;
}

/* A program's name may be any bytes; JSON takes text only. */
static bool put_word(json_t *o, const char *key, const char *v)
{
	char text[64];

	if (!*v)
		return true;
	snprintf(text, sizeof(text), "%s", v);
	for (char *p = text; *p; p++)
		if ((unsigned char)*p < 0x20 || (unsigned char)*p >= 0x7f)
			*p = '?';
	return json_object_set_new(o, key, json_string(text)) == 0;
}

static bool put_states(json_t *o, const struct hist_rec *r)
{
	json_t *in = json_object();
	bool ok = in != NULL;

	for (int i = 1; ok && i < RILL_TCP_STATES; i++)
		ok = put_int(in, rill_state_name(i), r->in_us[i]);
	if (ok)
		return json_object_set_new(o, "in_us", in) == 0;
	json_decref(in);
	return false;
}

static bool is_flag(const char *type)
{
	return !strcmp(type, "bool");
}

static bool put_all(json_t *o, const struct hist_rec *r)
{
	bool ok = true;

#define HIST(type, name, unit, help)						\
	ok = ok && (is_flag(#type) ? put_flag(o, #name, r->name) : put_int(o, #name, r->name));
#define HIST_NAME(name, names, help)	ok = ok && put_word(o, #name, r->name);
#include "rill/history.def"
#undef HIST
#undef HIST_NAME
	return ok && put_states(o, r);
}

json_t *hist_json(const struct hist_rec *r)
{
	char id[20], la[INET6_ADDRSTRLEN], pa[INET6_ADDRSTRLEN];
	json_t *o;

	snprintf(id, sizeof(id), "%" PRIx64, r->id);
	o = json_pack("{s:s, s:s, s:s, s:i, s:s, s:i, s:I}",
		      "source", r->kernel ? "kernel" : "rill", "id", id,
		      "local", ip_text(r->at.local, la), "lport", r->at.lport,
		      "peer", ip_text(r->at.peer, pa), "pport", r->at.pport,
		      "pid", (json_int_t)r->pid);
	if (o && put_word(o, "stack", r->stack) && put_word(o, "comm", r->comm) &&
	    put_all(o, r))
		return o;
	json_decref(o);
	return NULL;
}

/* ---- and back ---- */

static int64_t get_int(const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);

	if (json_is_boolean(v))
		return json_is_true(v);
	return json_is_integer(v) && json_integer_value(v) >= 0 ? json_integer_value(v) : -1;
}

static void get_word(const json_t *o, const char *key, char *to, size_t n)
{
	const char *s = json_string_value(json_object_get(o, key));

	snprintf(to, n, "%s", s ? s : "");
	for (; *to; to++)			/* printed as it is: to a terminal, too */
		if ((unsigned char)*to < 0x20 || *to == 0x7f)
			*to = '?';
}

static bool get_ip(const json_t *o, const char *key, uint8_t out[16])
{
	const char *s = json_string_value(json_object_get(o, key));

	return s && filter_parse_ip(s, out);
}

static bool get_port(const json_t *o, const char *key, uint16_t *out)
{
	int64_t v = get_int(o, key);

	*out = (uint16_t)v;
	return v >= 0 && v <= UINT16_MAX;
}

static void get_all(const json_t *o, struct hist_rec *r)
{
	const json_t *in = json_object_get(o, "in_us");

#define HIST(type, name, unit, help)	r->name = get_int(o, #name);
#define HIST_NAME(name, names, help)	get_word(o, #name, r->name, sizeof(r->name));
#include "rill/history.def"
#undef HIST
#undef HIST_NAME
	for (int i = 1; i < RILL_TCP_STATES; i++)
		r->in_us[i] = get_int(in, rill_state_name(i));
}

bool hist_parse(const json_t *o, struct hist_rec *r)
{
	char source[8], id[20];

	hist_init(r);
	if (!get_ip(o, "local", r->at.local) || !get_ip(o, "peer", r->at.peer) ||
	    !get_port(o, "lport", &r->at.lport) || !get_port(o, "pport", &r->at.pport))
		return false;
	get_word(o, "source", source, sizeof(source));
	get_word(o, "id", id, sizeof(id));
	get_word(o, "stack", r->stack, sizeof(r->stack));
	get_word(o, "comm", r->comm, sizeof(r->comm));
	r->kernel = !strcmp(source, "kernel");
	r->id = strtoull(id, NULL, 16);
	r->pid = get_int(o, "pid");
	if (r->pid < 0)
		r->pid = 0;
	get_all(o, r);
	return true;
}

int64_t hist_lasted_us(const struct hist_rec *r)
{
	if (r->opened_us < 0 || r->ended_us < r->opened_us)
		return -1;
	return r->ended_us - r->opened_us;
}
