/* SPDX-License-Identifier: MIT */
/*
 * Runs the rules over one source, and what they have in common: the tables that
 * several of them look things up in, words for programs, addresses and times, the
 * commands that an advice gives.  The rules are in rules_*.c by what they look at.
 */
#include "look/rules.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "look/lang.h"

void rl_limits_default(struct rl_limits *l)
{
#define LIMIT(id, name, w, c, unit, help)		\
	l->warn[RL_LIM_##id] = (w);			\
	l->crit[RL_LIM_##id] = (c);
#include "look/limits.def"
#undef LIMIT
}

/* ---- running ---- */

/* An address from which something came: it is there. */
static bool answered(const struct rill_sock *s)
{
	return s->state != RILL_SYN_SENT && s->state != RILL_LISTEN && !s->half_open &&
	       s->state != RILL_CLOSE;
}

static bool index_one(struct rl_diag *d, const struct rill_sock *s)
{
	struct rl_key key;

	memset(&key, 0, sizeof(key));
	d->state[s->state < RILL_TCP_STATES ? s->state : 0]++;
	if (s->state == RILL_LISTEN) {
		key.lport = s->local.port;
		if (!rl_tally_add(d->listeners, d->f, &key, s))
			return false;
		key.lport = 0;
	}
	key.pid = (uint32_t)rl_pid_of(s);
	if (key.pid && !rl_tally_add(d->held, d->f, &key, s))
		return false;
	if (!answered(s))
		return true;
	key.pid = 0;
	key.ip = s->peer.ip;
	if (!rl_tally_add(d->alive, d->f, &key, s))
		return false;
	key.pport = s->peer.port;
	return rl_tally_add(d->alive, d->f, &key, s) != NULL;
}

static bool index_all(struct rl_diag *d)
{
	d->listeners = rl_tally_new();
	d->alive = rl_tally_new();
	d->held = rl_tally_new();
	if (!d->listeners || !d->alive || !d->held)
		return false;
	for (size_t i = 0; i < d->f->n; i++)
		if (!index_one(d, &d->f->sock[i]))
			return false;
	return true;
}

bool rl_rows_have(const char *rows, const char *row)
{
	size_t n = strlen(row);

	if (!rows)
		return true;
	for (const char *p = rows; (p = strstr(p, row)) != NULL; p += n)
		if ((p == rows || p[-1] == ' ') && (p[n] == '\0' || p[n] == ' '))
			return true;
	return false;
}

int rl_diagnose(const struct rl_facts *f, const struct rl_limits *lim, const char *rows,
		struct rl_findings *out)
{
	struct rl_diag d = { .f = f, .lim = lim, .out = out };
	int r = 0;

	if (!index_all(&d))
		r = -ENOMEM;
#define RULE(row, fn)				\
	if (r == 0 && rl_rows_have(rows, row))		\
		fn(&d);
#include "look/rules.def"
#undef RULE
	rl_tally_free(d.listeners);
	rl_tally_free(d.alive);
	rl_tally_free(d.held);
	return r;
}

/* ---- judging ---- */

enum rl_severity rl_severity_of(const struct rl_diag *d, enum rl_limit id, int64_t n)
{
	if (n >= d->lim->crit[id])
		return RL_CRITICAL;
	return n >= d->lim->warn[id] ? RL_WARNING : RL_INFO;
}

int64_t rl_grown(const struct rl_diag *d, enum rl_fact_ctr c)
{
	return d->f->watched_ms && d->f->grown[c] > 0 ? d->f->grown[c] : 0;
}

bool rl_watched(struct rl_diag *d)
{
	if (!d->f->watched_ms)
		d->out->wants_watch = true;
	return d->f->watched_ms > 0;
}

int rl_pid_of(const struct rill_sock *s)
{
	return s->source == RILL_SRC_RILL ? s->pid : s->nowners ? s->owners[0].pid : 0;
}

/* Its listener may be gone by now: then a service has the lower port, mostly. */
bool rl_serving(const struct rl_diag *d, const struct rill_sock *s)
{
	struct rl_key key = { .lport = s->local.port };

	return rl_tally_find(d->listeners, &key) || s->local.port < s->peer.port ||
	       s->state == RILL_LISTEN;
}

struct rl_finding *rl_found(struct rl_diag *d, enum rl_cause cause, enum rl_severity sev,
			    double confidence, const struct rill_sock *s)
{
	struct rl_finding *f = rl_finding_add(d->out, cause, sev, confidence);
	const struct rl_program *p;

	f->source = d->f->source;
	snprintf(f->stack, sizeof(f->stack), "%s", d->f->stack);
	f->pid = s ? rl_pid_of(s) : d->f->pid;
	if (s)
		f->port = rl_serving(d, s) ? s->local.port : s->peer.port;
	p = rl_facts_program(d->f, f->pid);
	if (s && s->nowners)
		snprintf(f->program, sizeof(f->program), "%s", s->owners[0].comm);
	else if (f->pid && p)
		snprintf(f->program, sizeof(f->program), "%s", p->comm);
	return f;
}

/* ---- words ---- */

const char *rl_who(const struct rill_sock *s, char buf[RL_WHO])
{
	if (s->source == RILL_SRC_RILL)
		snprintf(buf, RL_WHO, _("stack %s[%d]"), s->stack, s->pid);
	else if (s->nowners)
		snprintf(buf, RL_WHO, "%s[%d]", s->owners[0].comm, s->owners[0].pid);
	else if (s->orphan)
		snprintf(buf, RL_WHO, "%s", _("no program (the kernel alone)"));
	else
		snprintf(buf, RL_WHO, "%s", rl_unaccepted(s)
					    ? _("no program yet (waits to be accepted)")
					    : _("an unknown program"));
	return buf;
}

/* The kernel gives a connection its inode when accept() hands it over. */
bool rl_unaccepted(const struct rill_sock *s)
{
	return s->source == RILL_SRC_KERNEL && !s->nowners && !s->orphan && !s->inode &&
	       (s->state == RILL_ESTABLISHED || s->state == RILL_CLOSE_WAIT);
}

void rl_say_program(struct rl_finding *f, const struct rill_sock *s)
{
	char who[RL_WHO];

	rl_who(s, who);
	if (s->source == RILL_SRC_KERNEL && s->nowners)
		rl_evidence(f, _("program %s"), who);
	else
		rl_evidence(f, "%s", who);
}

static bool is_v4(const struct rill_ip *ip)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	return !memcmp(ip->b, mapped, sizeof(mapped));
}

bool rl_ip_any(const struct rill_ip *ip)
{
	static const uint8_t none[16];

	return !memcmp(ip->b, none, 16) || (is_v4(ip) && !memcmp(ip->b + 12, none, 4));
}

bool rl_ip_loopback(const struct rill_ip *ip)
{
	static const uint8_t one[16] = { [15] = 1 };

	return !memcmp(ip->b, one, 16) || (is_v4(ip) && ip->b[12] == 127);
}

const char *rl_ip_text(const struct rill_ip *ip, char buf[RL_WHO])
{
	bool v4 = is_v4(ip);

	if (!inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? ip->b + 12 : ip->b, buf, RL_WHO))
		snprintf(buf, RL_WHO, "?");
	return buf;
}

const char *rl_addr_text(const struct rill_addr *a, char buf[RL_WHO])
{
	char ip[RL_WHO];

	if (rl_ip_any(&a->ip))
		snprintf(buf, RL_WHO, "*:%u", a->port);
	else if (is_v4(&a->ip))
		snprintf(buf, RL_WHO, "%.46s:%u", rl_ip_text(&a->ip, ip), a->port);
	else
		snprintf(buf, RL_WHO, "[%.46s]:%u", rl_ip_text(&a->ip, ip), a->port);
	return buf;
}

const char *rl_span(int64_t ms, char buf[RL_WHO])
{
	if (ms < 1000)
		snprintf(buf, RL_WHO, _("%lld ms"), (long long)ms);
	else if (ms < 120000)
		snprintf(buf, RL_WHO, _("%.1f s"), (double)ms / 1000);
	else if (ms < 7200000)
		snprintf(buf, RL_WHO, _("%.1f min"), (double)ms / 60000);
	else
		snprintf(buf, RL_WHO, _("%.1f h"), (double)ms / 3600000);
	return buf;
}

const char *rl_age_text(int64_t age_ms, bool least, char buf[RL_WHO])
{
	char span[RL_WHO];

	if (age_ms < 0)
		snprintf(buf, RL_WHO, "%s", _("not known"));
	else
		snprintf(buf, RL_WHO, least ? _("at least %.40s") : "%.40s",
			 rl_span(age_ms, span));
	return buf;
}

static void sort_fds(int *fd, const struct rl_tally_row *r)
{
	for (unsigned i = 0, at; i < r->nfd; i++) {
		for (at = i; at && fd[at - 1] > r->fd[i]; at--)
			fd[at] = fd[at - 1];
		fd[at] = r->fd[i];
	}
}

const char *rl_fd_text(const struct rl_tally_row *r, char buf[RL_WHO])
{
	int fd[RL_TALLY_FDS], at = 0;
	unsigned i = 0;

	sort_fds(fd, r);
	buf[0] = '\0';
	while (i < r->nfd && at < RL_WHO - 32) {
		int first = fd[i], last = first;

		while (i < r->nfd && fd[i] <= last + 1)
			last = fd[i++];
		at += snprintf(buf + at, (size_t)(RL_WHO - at), "%s%d", at ? ", " : "", first);
		if (last > first)
			at += snprintf(buf + at, (size_t)(RL_WHO - at), "%s%d",
				       last == first + 1 ? ", " : "-", last);
	}
	if (at && (i < r->nfd || r->n > r->nfd))
		snprintf(buf + at, (size_t)(RL_WHO - at), ", ...");
	return buf;
}

void rl_count(struct rl_finding *f, const struct rl_tally_row *r)
{
	char ip[RL_WHO];

	f->count = r->n;
	if (r->peers == 1)
		snprintf(f->peer, sizeof(f->peer), "%s", rl_ip_text(&r->first->peer.ip, ip));
}

void rl_say_who(struct rl_diag *d, struct rl_finding *f, const struct rl_tally_row *r)
{
	char who[RL_WHO], fds[RL_WHO];
	const struct rl_program *p = rl_facts_program(d->f, f->pid);

	if (r->nfd)
		rl_evidence(f, _("program %s, descriptors %s"), rl_who(r->first, who),
			    rl_fd_text(r, fds));
	else
		rl_say_program(f, r->first);
	if (p && *p->exe)
		rl_evidence(f, p->deleted ? _("its file %s is deleted") : _("its file is %s"),
			    p->exe);
}

void rl_say_age(struct rl_finding *f, const struct rl_tally_row *r)
{
	char age[RL_WHO];

	rl_evidence(f, _("the oldest is in this state for: %s"),
		    rl_age_text(r->age_ms, r->age_least, age));
}

void rl_say_growth(struct rl_diag *d, struct rl_finding *f, const struct rl_tally_row *r)
{
	char span[RL_WHO];

	if (d->f->watched_ms)
		rl_evidence(f, _("%u of them came within the %s watched"), r->fresh,
			    rl_span(d->f->watched_ms, span));
}

/* ---- commands ---- */

void rl_set_command(struct rl_diag *d, struct rl_finding *f, const char *name, const char *value)
{
	if (d->f->source == RILL_SRC_KERNEL)
		rl_command(f, "sysctl -w %s=\"%s\"", name, value);
	else
		rl_command(f, "rill sysctl --pid %d -w %s=\"%s\"", d->f->pid, name, value);
}

void rl_kill_command(struct rl_diag *d, struct rl_finding *f, const char *state,
		     const struct rill_sock *s)
{
	bool local = rl_serving(d, s);

	const char *end = local ? "sport" : "dport";
	unsigned port = local ? s->local.port : s->peer.port;

	if (d->f->source == RILL_SRC_KERNEL)
		rl_command(f, "ss -t -K state %s '%s = :%u'", state, end, port);
	else
		rl_command(f, "rill kill --yes --pid %d state %s '%s = :%u'", d->f->pid, state, end,
			   port);
}
