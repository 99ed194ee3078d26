/* SPDX-License-Identifier: MIT */
/*
 * Connections that do not end: C5 to C8 and C10.
 *
 * All these states are passed in a moment when everything works.  A rule speaks of
 * what stays: it counts what was there already when the watch began, or is so old by
 * its age, so that a busy server's passing ones are no finding.
 */
#include "look/rules.h"

#include <stdio.h>
#include <string.h>

#include "look/lang.h"

#define STAYS_MS	900		/* older: it stays */

static bool stays(struct rl_diag *d, const struct rill_sock *s)
{
	const struct rl_past *p = rl_facts_past(d->f, s);

	return (p && p->state == s->state) || s->age_ms >= STAYS_MS;
}

/* Those in @state that stay, counted by what @key_of says.  NULL without memory. */
static struct rl_tally *gather(struct rl_diag *d, int state,
			       void (*key_of)(const struct rill_sock *s, struct rl_key *key))
{
	struct rl_tally *t = rl_tally_new();
	struct rl_key key;

	for (size_t i = 0; t && i < d->f->n; i++) {
		const struct rill_sock *s = &d->f->sock[i];

		if (s->state != state || !stays(d, s))
			continue;
		memset(&key, 0, sizeof(key));
		key_of(s, &key);
		rl_tally_add(t, d->f, &key, s);
	}
	return t;
}

static void by_nothing(const struct rill_sock *s, struct rl_key *key)
{
	(void)s;
	(void)key;
}

/* Too few in this state, whatever they are: not worth a watch. */
static bool few(struct rl_diag *d, int state, enum rl_limit limit)
{
	if (d->state[state] < d->lim->warn[limit])
		return true;
	rl_watched(d);
	return false;
}

/* ---- C5 ---- */

/*
 * A socket that waits in the accept queue has no program yet: its listener's has to
 * answer for it.
 */
static void by_program(const struct rill_sock *s, struct rl_key *key)
{
	key->pid = (uint32_t)rl_pid_of(s);
	if (!key->pid)
		key->lport = s->local.port;
}

static void say_eof(struct rl_finding *f, const struct rl_tally_row *r)
{
	if (r->unread)
		rl_evidence(f, _("unread in them: %llu bytes, so the program has not even come to "
				 "the end of file"), (unsigned long long)r->unread);
	else if (r->first->source == RILL_SRC_KERNEL && r->first->recv_q)
		rl_evidence(f, _("unread in them: the end of file alone"));
	else
		rl_evidence(f, _("unread in them: 0 bytes, the program has read everything"));
}

static void advise_close_wait(struct rl_diag *d, struct rl_finding *f,
			      const struct rl_tally_row *r)
{
	rl_advise(f, _("mend the program: when read() returns 0 the peer is done, close the "
		       "descriptor (also on the way out after an error)"));
	rl_code(f, "n = read(fd, buf, sizeof(buf)); if (n <= 0) { close(fd); return; }");
	if (f->pid) {
		rl_advise(f, _("until then: restart the program, all its sockets are closed then"));
		rl_command(f, "kill -TERM %d", f->pid);
		rl_danger(f, _("its other connections end as well"));
	}
	rl_advise(f, _("or end these connections alone, with a reset"));
	rl_kill_command(d, f, "close-wait", r->first);
	rl_danger(f, _("the program still holds the descriptors, and may get ECONNRESET"));
	rl_advise(f, _("no setting helps: keepalive finds nothing, since the peer is alive and "
		       "answers, and the state has no timer"));
}

static void close_wait_row(struct rl_diag *d, const struct rl_tally_row *r)
{
	enum rl_severity sev = rl_severity_of(d, RL_LIM_CLOSE_WAIT, r->n);
	const struct rl_program *p;
	struct rl_finding *f;
	char who[RL_WHO], port[RL_WHO];

	if (sev == RL_INFO)
		return;
	f = rl_found(d, RC_CLOSE_WAIT, sev, r->key.pid ? 0.95 : 0.85, r->first);
	rl_count(f, r);
	if (rl_unaccepted(r->first))
		rl_summary(f, _("%u connections in CLOSE_WAIT: their peers closed them before a "
				"program accepted them"), r->n);
	else
		rl_summary(f, _("%u connections in CLOSE_WAIT: %s does not close what its peers "
				"closed"), r->n, rl_who(r->first, who));
	rl_say_who(d, f, r);
	rl_evidence(f, _("local end %s, different peers: %u"),
		    rl_addr_text(&r->first->local, port), r->peers);
	rl_say_age(f, r);
	say_eof(f, r);
	rl_say_growth(d, f, r);
	p = rl_facts_program(d->f, f->pid);
	if (p && p->nfd >= 0 && p->fd_limit > 0)
		rl_evidence(f, _("%lld of its %lld descriptors are in use"), (long long)p->nfd,
			    (long long)p->fd_limit);
	advise_close_wait(d, f, r);
}

void rl_rule_close_wait(struct rl_diag *d)
{
	struct rl_tally *t;

	if (few(d, RILL_CLOSE_WAIT, RL_LIM_CLOSE_WAIT))
		return;
	t = gather(d, RILL_CLOSE_WAIT, by_program);
	for (size_t i = 0; t && i < rl_tally_count(t); i++)
		close_wait_row(d, rl_tally_row(t, i));
	rl_tally_free(t);
}

/* ---- C6 ---- */

/* The peer is there and its window is shut: probes, not retransmissions. */
static bool window_shut(const struct rill_sock *s)
{
	return s->timer == RILL_TMR_PERSIST || (s->has_info && s->timer != RILL_TMR_RTX &&
						!s->info.snd_wnd && s->send_q > 1);
}

static void by_window(const struct rill_sock *s, struct rl_key *key)
{
	key->pport = window_shut(s);
}

static void fw1_gone(struct rl_diag *d, const struct rl_tally_row *r)
{
	struct rl_finding *f = rl_found(d, RC_FW1_GONE, rl_severity_of(d, RL_LIM_FIN_WAIT1, r->n),
					r->tried * 2 >= r->n ? 0.95 : 0.6, r->first);

	rl_count(f, r);
	rl_summary(f, _("%u connections in FIN_WAIT_1: their peers were gone when we "
			"closed"), r->n);
	rl_evidence(f, _("no answer to the FIN: sent again %llu times, for %u of %u, different "
			 "peers: %u"),
		    (unsigned long long)r->tries, r->tried, r->n, r->peers);
	rl_say_who(d, f, r);
	rl_say_age(f, r);
	rl_evidence(f, _("unacknowledged in them: %llu bytes"), (unsigned long long)r->unsent);
	rl_advise(f, _("they end by themselves after tcp_orphan_retries (%lld, 0 means 8); sooner "
		       "so"),
		  (long long)d->f->sysctl[FS_ORPHAN_RETRIES]);
	rl_set_command(d, f, "net.ipv4.tcp_orphan_retries", "3");
	rl_danger(f, _("data that a slow peer has not acknowledged is given up sooner"));
	rl_advise(f, _("end them now"));
	rl_kill_command(d, f, "fin-wait-1", r->first);
	rl_danger(f, _("what these peers have not received is lost"));
	rl_advise(f, _("find peers that vanish while a connection is open, by keepalive in the "
		       "program"));
	rl_code(f, "setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &(int){1}, sizeof(int)); "
		   "setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &(int){60}, sizeof(int));");
}

static void fw1_window(struct rl_diag *d, const struct rl_tally_row *r)
{
	struct rl_finding *f = rl_found(d, RC_FW1_WINDOW,
					rl_severity_of(d, RL_LIM_FIN_WAIT1, r->n), 0.95, r->first);

	rl_count(f, r);
	rl_summary(f, _("%u connections in FIN_WAIT_1: their peers do not read, data before our "
			"FIN "
			"is stuck"), r->n);
	rl_evidence(f, _("the peers' windows are closed; %llu bytes wait; connections: %u, "
			 "different peers: %u"), (unsigned long long)r->unsent, r->n, r->peers);
	rl_evidence(f, _("window probes are being answered: the peers are alive"));
	rl_say_who(d, f, r);
	rl_say_age(f, r);
	rl_advise(f, _("look at the peer: its program has stopped reading"));
	rl_advise(f, _("end them now"));
	rl_kill_command(d, f, "fin-wait-1", r->first);
	rl_danger(f, _("what these peers have not received is lost"));
	rl_advise(f, _("let the program give such peers a limit before it closes"));
	rl_code(f, "setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &(unsigned){30000}, "
		   "sizeof(unsigned));");
}

void rl_rule_fin_wait_1(struct rl_diag *d)
{
	struct rl_tally *t;

	if (few(d, RILL_FIN_WAIT1, RL_LIM_FIN_WAIT1))
		return;
	t = gather(d, RILL_FIN_WAIT1, by_window);
	for (size_t i = 0; t && i < rl_tally_count(t); i++) {
		const struct rl_tally_row *r = rl_tally_row(t, i);

		if (rl_severity_of(d, RL_LIM_FIN_WAIT1, r->n) == RL_INFO)
			continue;
		if (r->key.pport)
			fw1_window(d, r);
		else
			fw1_gone(d, r);
	}
	rl_tally_free(t);
}

/* ---- C7 ---- */

static void by_orphan(const struct rill_sock *s, struct rl_key *key)
{
	by_program(s, key);
	key->lport = 0;
	key->pport = s->orphan;
}

static void fw2_row(struct rl_diag *d, const struct rl_tally_row *r)
{
	struct rl_finding *f = rl_found(d, RC_FW2, rl_severity_of(d, RL_LIM_FIN_WAIT2, r->n), 0.9,
					r->first);
	char who[RL_WHO], peer[RL_WHO];

	rl_count(f, r);
	rl_addr_text(&r->first->peer, peer);
	rl_summary(f, _("%u connections in FIN_WAIT_2: their peers acknowledged our FIN and never "
			"close"), r->n);
	rl_evidence(f, _("different peers: %u, for example %s"), r->peers, peer);
	rl_say_age(f, r);
	rl_say_growth(d, f, r);
	if (r->first->orphan) {
		rl_evidence(f, _("the program has closed them: tcp_fin_timeout (%lld s) ends each"),
			    (long long)d->f->sysctl[FS_FIN_TIMEOUT]);
		rl_advise(f, _("end them sooner"));
		rl_set_command(d, f, "net.ipv4.tcp_fin_timeout", "15");
		rl_danger(f, _("peers that close late are answered with a reset; TIME_WAIT is not "
			       "shortened by this"));
	} else {
		rl_evidence(f, _("%s has shut down sending only and still holds them: no timer "
				 "ends "
				 "them"), rl_who(r->first, who));
		rl_say_who(d, f, r);
		rl_advise(f, _("let the program wait for the peer's end with a limit in time, then "
			       "close"));
		rl_code(f, "shutdown(fd, SHUT_WR); if (poll(&(struct pollfd){ fd, POLLIN, 0 }, 1, "
			   "10000) == 0) close(fd);");
	}
	rl_advise(f, _("look at the peer: its connections are in CLOSE_WAIT, its program does not "
		       "close"));
	rl_advise(f, _("end them now"));
	rl_kill_command(d, f, "fin-wait-2", r->first);
}

void rl_rule_fin_wait_2(struct rl_diag *d)
{
	struct rl_tally *t;

	if (few(d, RILL_FIN_WAIT2, RL_LIM_FIN_WAIT2))
		return;
	t = gather(d, RILL_FIN_WAIT2, by_orphan);
	for (size_t i = 0; t && i < rl_tally_count(t); i++)
		if (rl_severity_of(d, RL_LIM_FIN_WAIT2, rl_tally_row(t, i)->n) != RL_INFO)
			fw2_row(d, rl_tally_row(t, i));
	rl_tally_free(t);
}

/* ---- C8 and C10 ---- */

static void last_ack(struct rl_diag *d, const struct rl_tally_row *r)
{
	struct rl_finding *f = rl_found(d, RC_LAST_ACK, rl_severity_of(d, RL_LIM_LAST_ACK, r->n),
					r->tried * 2 >= r->n ? 0.95 : 0.6, r->first);
	char peer[RL_WHO];

	rl_count(f, r);
	rl_ip_text(&r->first->peer.ip, peer);
	rl_summary(f, _("%u connections in LAST_ACK: their clients were cut off before the last "
			"ACK"),
		   r->n);
	rl_evidence(f, _("both sides have closed; our FIN was sent again %llu times, for %u of %u, "
			 "different peers: %u"),
		    (unsigned long long)r->tries, r->tried, r->n, r->peers);
	rl_say_age(f, r);
	rl_advise(f, _("they end by themselves after tcp_orphan_retries (%lld, 0 means 8); sooner "
		       "so"),
		  (long long)d->f->sysctl[FS_ORPHAN_RETRIES]);
	rl_set_command(d, f, "net.ipv4.tcp_orphan_retries", "3");
	rl_danger(f, _("data that a slow peer has not acknowledged is given up sooner"));
	rl_advise(f, _("end them now"));
	rl_kill_command(d, f, "last-ack", r->first);
	rl_advise(f, _("see whether the way to the clients still stands"));
	rl_command(f, "ip route get %s", peer);
}

static void closing(struct rl_diag *d, const struct rl_tally_row *r)
{
	struct rl_finding *f = rl_found(d, RC_CLOSING, rl_severity_of(d, RL_LIM_CLOSING, r->n),
					0.95, r->first);

	rl_count(f, r);
	rl_summary(f, _("%u connections in CLOSING: both sides closed at once and the last ACK is "
			"lost"), r->n);
	rl_evidence(f, _("the peer's FIN has come, the ACK of ours has not: sent again %llu times, "
			 "for %u of %u"), (unsigned long long)r->tries, r->tried, r->n);
	rl_say_age(f, r);
	rl_advise(f, _("nothing to mend here: they end by themselves when an ACK comes or after "
		       "tcp_orphan_retries (%lld, 0 means 8)"),
		  (long long)d->f->sysctl[FS_ORPHAN_RETRIES]);
	rl_advise(f, _("end them now"));
	rl_kill_command(d, f, "closing", r->first);
	rl_advise(f, _("often: let one side alone close first, in the protocol of the "
		       "application"));
}

static void rule_whole(struct rl_diag *d, int state, enum rl_limit limit,
		       void (*say)(struct rl_diag *d, const struct rl_tally_row *r))
{
	struct rl_tally *t;

	if (few(d, state, limit))
		return;
	t = gather(d, state, by_nothing);
	if (t && rl_tally_count(t) &&
	    rl_severity_of(d, limit, rl_tally_row(t, 0)->n) != RL_INFO)
		say(d, rl_tally_row(t, 0));
	rl_tally_free(t);
}

void rl_rule_last_ack(struct rl_diag *d)
{
	rule_whole(d, RILL_LAST_ACK, RL_LIM_LAST_ACK, last_ack);
}

void rl_rule_closing(struct rl_diag *d)
{
	rule_whole(d, RILL_CLOSING, RL_LIM_CLOSING, closing);
}
