/* SPDX-License-Identifier: MIT */
/*
 * C9: ports to one destination.  A connection of ours takes one local port for each
 * destination (address and port); ports come from ip_local_port_range, and one in
 * TIME_WAIT is taken for a minute.  A server's TIME_WAIT all have its one port, they
 * cost memory only and are no finding.
 */
#include "look/rules.h"

#include <stdio.h>
#include <string.h>

#include "look/lang.h"

#define REUSE_MS	1000		/* tcp_tw_reuse takes those that are older */

/* A port from the range to a destination that this host did not get from a listener. */
static bool outgoing(const struct rl_diag *d, const struct rill_sock *s)
{
	struct rl_key key = { .lport = s->local.port };

	return s->state != RILL_LISTEN && s->state != RILL_CLOSE && !s->half_open &&
	       s->local.port >= d->f->sysctl[FS_PORT_FIRST] &&
	       s->local.port <= d->f->sysctl[FS_PORT_LAST] &&
	       !rl_tally_find(d->listeners, &key);
}

/* Linux may take it again for a new connection. */
static bool reusable(const struct rl_diag *d, const struct rill_sock *s)
{
	int64_t reuse = d->f->sysctl[FS_TW_REUSE];

	return d->f->source == RILL_SRC_KERNEL && s->state == RILL_TIME_WAIT &&
	       (reuse == 1 || (reuse == 2 && rl_ip_loopback(&s->peer.ip))) &&
	       s->age_ms > REUSE_MS;
}

/* Per destination: all ports taken, in `extra` those that are in TIME_WAIT. */
static struct rl_tally *per_destination(struct rl_diag *d)
{
	struct rl_tally *t = rl_tally_new();
	struct rl_key key;

	for (size_t i = 0; t && i < d->f->n; i++) {
		const struct rill_sock *s = &d->f->sock[i];
		struct rl_tally_row *r;

		if (!outgoing(d, s) || reusable(d, s))
			continue;
		memset(&key, 0, sizeof(key));
		key.ip = s->peer.ip;
		key.pport = s->peer.port;
		r = rl_tally_add(t, d->f, &key, s);
		if (r && s->state == RILL_TIME_WAIT)
			r->extra++;
	}
	return t;
}

/* TIME_WAIT has no program any more: who else talks to that destination? */
static const struct rill_sock *holder(const struct rl_diag *d, const struct rl_tally_row *r)
{
	const struct rill_sock *best = r->first;

	for (size_t i = 0; i < d->f->n; i++) {
		const struct rill_sock *s = &d->f->sock[i];

		if (rl_pid_of(s) && s->peer.port == r->key.pport &&
		    !memcmp(&s->peer.ip, &r->key.ip, sizeof(s->peer.ip)))
			return s;
	}
	return best;
}

static void advise_kernel(struct rl_diag *d, struct rl_finding *f)
{
	rl_advise(f, _("let new connections take over ports in TIME_WAIT (safe: timestamps tell "
		       "old "
		       "segments apart)"));
	rl_set_command(d, f, "net.ipv4.tcp_tw_reuse", "1");
	rl_danger(f, _("for connections from here only; both ends need tcp_timestamps=1"));
}

static void advise(struct rl_diag *d, struct rl_finding *f, int64_t first, int64_t last)
{
	if (d->f->source == RILL_SRC_KERNEL && d->f->sysctl[FS_TW_REUSE] != 1)
		advise_kernel(d, f);
	rl_advise(f, _("the cure: keep connections open and use them again (a pool, HTTP "
		       "keep-alive), or let the other side close first"));
	rl_code(f, "Connection: keep-alive");
	if (first > 10240 || last < 65000) {
		rl_advise(f, _("more local ports give time"));
		rl_set_command(d, f, "net.ipv4.ip_local_port_range", "10240 65535");
		rl_danger(f, _("a server that starts later may find its port taken: reserve it "
			       "with "
			       "net.ipv4.ip_local_reserved_ports"));
	}
	rl_advise(f, _("rarely: raise net.ipv4.tcp_max_tw_buckets (%lld); it does not free a port"),
		  (long long)d->f->sysctl[FS_MAX_TW]);
	rl_danger(f, _("lowering it closes connections too early"));
	rl_advise(f, _("never: net.ipv4.tcp_tw_recycle"));
	rl_danger(f, _("it was removed in Linux 4.12, and it broke peers behind NAT"));
	rl_advise(f, _("no help: net.ipv4.tcp_fin_timeout does not shorten TIME_WAIT, which is "
		       "fixed "
		       "at 60 s in Linux"));
}

static void ports_used(struct rl_diag *d, const struct rl_tally_row *r, int64_t all)
{
	int64_t first = d->f->sysctl[FS_PORT_FIRST], last = d->f->sysctl[FS_PORT_LAST];
	int64_t left = all > r->n ? all - r->n : 0, percent = (int64_t)r->n * 100 / all;
	enum rl_severity sev = rl_severity_of(d, RL_LIM_PORTS, percent);
	struct rill_addr to = { .ip = r->key.ip, .port = r->key.pport };
	const struct rill_sock *who = holder(d, r);
	struct rl_finding *f;
	char buf[RL_WHO], peer[RL_WHO];

	f = rl_found(d, RC_TIME_WAIT_PORTS, sev, r->extra * 2 >= r->n ? 0.95 : 0.75, who);
	f->count = r->extra;
	f->port = r->key.pport;
	snprintf(f->peer, sizeof(f->peer), "%s", rl_ip_text(&to.ip, peer));
	rl_addr_text(&to, peer);
	rl_summary(f, left ? _("ports to %s run out: %lld of %lld are taken, %u of them by "
			       "TIME_WAIT")
			   : _("ports to %s are used up (\"Cannot assign requested address\"): "
			       "%lld "
			       "of %lld are taken, %u of them by TIME_WAIT"), peer,
		   (long long)r->n, (long long)all, r->extra);
	rl_evidence(f, _("local ports %lld to %lld: %lld, free for this destination: %lld"),
		    (long long)first, (long long)last, (long long)all, (long long)left);
	rl_evidence(f, _("TIME_WAIT stands on our side: we close first, and the connections are "
			 "short"));
	if (rl_pid_of(who))
		rl_evidence(f, _("who connects there: %s"), rl_who(who, buf));
	else
		rl_evidence(f, _("who connected there is not known: TIME_WAIT has no program"));
	rl_say_age(f, r);
	rl_say_growth(d, f, r);
	if (d->f->watched_ms && r->fresh && left)
		rl_evidence(f, _("at this rate none is left in %s"),
			    rl_span(left * d->f->watched_ms / r->fresh, buf));
	if (d->f->source == RILL_SRC_KERNEL)
		rl_evidence(f, _("net.ipv4.tcp_tw_reuse is %lld"),
			    (long long)d->f->sysctl[FS_TW_REUSE]);
	advise(d, f, first, last);
}

void rl_rule_time_wait(struct rl_diag *d)
{
	int64_t all = d->f->sysctl[FS_PORT_LAST] - d->f->sysctl[FS_PORT_FIRST] + 1;
	struct rl_tally *t;

	if (d->f->sysctl[FS_PORT_FIRST] < 0 || all <= 0)
		return;
	t = per_destination(d);
	for (size_t i = 0; t && i < rl_tally_count(t); i++) {
		const struct rl_tally_row *r = rl_tally_row(t, i);

		if (rl_severity_of(d, RL_LIM_PORTS, (int64_t)r->n * 100 / all) == RL_INFO)
			continue;
		rl_watched(d);
		ports_used(d, r, all);
	}
	rl_tally_free(t);
}
