/* SPDX-License-Identifier: MIT */
/*
 * Listeners: C1, who is open to everybody; C3, why handshakes stay half open; and
 * of C11 the full accept queue.
 *
 * C1 speaks only where there is a reason: an ordinary server that listens on all
 * addresses is what servers do.  Reasons are a port of a service that trusts its
 * network (exposed.def), or a program that was started from where anybody may
 * write.  A file that is deleted is none: so is every server's after its upgrade.
 *
 * C3 is told apart by the listener's queue and by the sources.  A full accept queue
 * keeps handshakes back, whoever makes them.  Else: forged sources are many, each
 * with one handshake and none that ever completed one; clients whose SYN+ACK gets
 * lost are few, each tries several, and each was sent the SYN+ACK several times.
 */
#include "look/rules.h"

#include <stdio.h>
#include <string.h>

#include "look/lang.h"

/* ---- C1 ---- */

static const char *exposed(unsigned port)
{
	static const struct {
		unsigned	port;
		const char	*service;
	} list[] = {
#define EXPOSED(port, service)	{ port, service },
#include "look/exposed.def"
#undef EXPOSED
	};

	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++)
		if (list[i].port == port)
			return list[i].service;
	return NULL;
}

static void advise_listen(struct rl_diag *d, struct rl_finding *f, unsigned port)
{
	rl_advise(f, _("bind it to the address that needs it, and restart the program"));
	rl_code(f, "addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK); bind(fd, ...)");
	if (f->pid) {
		rl_advise(f, _("not meant to be there: end the program"));
		rl_command(f, "kill -TERM %d", f->pid);
		rl_danger(f, _("its connections end as well"));
	}
	if (d->f->source == RILL_SRC_KERNEL) {
		rl_advise(f, _("let nobody in from outside until then"));
		rl_command(f, "iptables -I INPUT -p tcp --dport %u ! -i lo -j DROP", port);
		rl_danger(f, _("clients from outside lose it too; the rule is gone after a "
			       "reboot"));
	}
}

static void one_listener(struct rl_diag *d, const struct rl_tally_row *r)
{
	const struct rill_sock *s = r->first;
	const struct rl_program *p = rl_facts_program(d->f, rl_pid_of(s));
	const char *service = exposed(s->local.port);
	bool foreign = p && p->foreign;
	struct rl_finding *f;
	char who[RL_WHO], addr[RL_WHO];

	if (!service && !foreign)
		return;
	f = rl_found(d, RC_LISTEN_OPEN, foreign ? RL_CRITICAL : RL_WARNING, 0.9, s);
	f->count = r->n;
	f->port = s->local.port;
	rl_summary(f, _("%s listens on %s, open to everybody"), rl_who(s, who),
		   rl_addr_text(&s->local, addr));
	if (service)
		rl_evidence(f, _("port %u is %s's, which rarely means to be open to everybody"),
			    f->port, service);
	if (foreign)
		rl_evidence(f, _("it was started from a place where anybody may write"));
	rl_say_who(d, f, r);
	advise_listen(d, f, f->port);
}

/* The first of a port that is on all addresses speaks for it. */
void rl_rule_listen(struct rl_diag *d)
{
	struct rl_tally *t = rl_tally_new();
	struct rl_key key;

	for (size_t i = 0; t && i < d->f->n; i++) {
		const struct rill_sock *s = &d->f->sock[i];

		memset(&key, 0, sizeof(key));
		key.lport = s->local.port;
		if (s->state == RILL_LISTEN && rl_ip_any(&s->local.ip))
			rl_tally_add(t, d->f, &key, s);
	}
	for (size_t i = 0; t && i < rl_tally_count(t); i++)
		one_listener(d, rl_tally_row(t, i));
	rl_tally_free(t);
}

/* ---- the accept queue, C3 and C11 ---- */

/* Linux takes one more than the limit before it refuses. */
static bool queue_full(const struct rill_sock *s)
{
	return s->send_q > 0 && s->recv_q >= s->send_q;
}

static const struct rill_sock *listener_of(const struct rl_diag *d, unsigned port)
{
	struct rl_key key = { .lport = (uint16_t)port };
	struct rl_tally_row *r = rl_tally_find(d->listeners, &key);

	return r ? r->first : NULL;
}

/* Of several on one port the one whose queue is full is meant. */
static const struct rill_sock *full_listener(const struct rl_diag *d, unsigned port)
{
	const struct rill_sock *s = listener_of(d, port);

	if (!s || queue_full(s))
		return s;
	for (size_t i = 0; i < d->f->n; i++) {
		const struct rill_sock *o = &d->f->sock[i];

		if (o->state == RILL_LISTEN && o->local.port == port && queue_full(o))
			return o;
	}
	return s;
}

static void say_queue(struct rl_diag *d, struct rl_finding *f, const struct rill_sock *l)
{
	char span[RL_WHO];

	rl_evidence(f, _("accept queue of port %u: %u waiting, limit %u"), l->local.port,
		    l->recv_q, l->send_q);
	rl_say_program(f, l);
	if (l->nowners && l->owners[0].fd >= 0)
		rl_evidence(f, _("the listener is its descriptor %d"), l->owners[0].fd);
	if (d->f->ctr[FC_LISTEN_OVERFLOWS] > 0)
		rl_evidence(f, _("accept queue overflows: %lld since the start, %lld within the "
				 "%s watched"), (long long)d->f->ctr[FC_LISTEN_OVERFLOWS],
			    (long long)rl_grown(d, FC_LISTEN_OVERFLOWS),
			    rl_span(d->f->watched_ms, span));
}

static void advise_accept(struct rl_diag *d, struct rl_finding *f, const struct rill_sock *l)
{
	rl_advise(f, _("the program must accept until EAGAIN each time its listener is readable, "
		       "and do the slow work elsewhere"));
	rl_code(f, "while ((fd = accept4(lfd, NULL, NULL, SOCK_NONBLOCK)) >= 0) hand_over(fd);");
	if (f->pid && d->f->source == RILL_SRC_KERNEL) {
		rl_advise(f, _("see where it spends its time instead"));
		rl_command(f, "cat /proc/%d/wchan /proc/%d/stack", f->pid, f->pid);
	}
	if (d->f->sysctl[FS_SOMAXCONN] > l->send_q) {
		rl_advise(f, _("short bursts only: give listen() a larger backlog; its limit "
			       "net.core.somaxconn is %lld"),
			  (long long)d->f->sysctl[FS_SOMAXCONN]);
	} else {
		rl_advise(f, _("short bursts only: give listen() a larger backlog, and raise its "
			       "limit (%lld)"),
			  (long long)d->f->sysctl[FS_SOMAXCONN]);
		rl_set_command(d, f, "net.core.somaxconn", l->send_q < 4096 ? "4096" : "65535");
	}
	rl_danger(f, _("a longer queue hides a program that is too slow; listen() must be called "
		       "anew for it to count"));
}

/* The queue is full of those who wait; is the program accepting at all? */
static void backlog_full(struct rl_diag *d, const struct rill_sock *l, unsigned half_open)
{
	bool small = l->send_q < 128;
	struct rl_finding *f = rl_found(d, RC_BACKLOG_FULL, RL_CRITICAL,
					l->recv_q > l->send_q ? 0.95 : 0.8, l);

	f->count = l->recv_q;
	f->port = l->local.port;
	rl_summary(f, _("the accept queue of port %u is full: new clients cannot connect"),
		   f->port);
	say_queue(d, f, l);
	rl_evidence(f, _("half-open peers of it: %u"), half_open);
	if (small)
		rl_evidence(f, _("its backlog of %u is small"), l->send_q);
	advise_accept(d, f, l);
}

static void slow_accept(struct rl_diag *d, const struct rl_tally_row *r,
			const struct rill_sock *l)
{
	struct rl_finding *f = rl_found(d, RC_SLOW_ACCEPT, RL_CRITICAL, 0.95, l);

	f->count = r->n;
	f->port = l->local.port;
	rl_summary(f, _("%u handshakes of port %u wait for a program that accepts too slowly"),
		   r->n, f->port);
	say_queue(d, f, l);
	rl_evidence(f, _("half-open peers: %u, different addresses: %u"), r->n, r->peers);
	advise_accept(d, f, l);
}

/* ---- C3: flood or loss ---- */

static void say_half_open(struct rl_diag *d, struct rl_finding *f, const struct rl_tally_row *r,
			  const struct rill_sock *l)
{
	f->count = r->n;
	f->port = r->key.lport;
	rl_evidence(f, _("half-open peers: %u, different addresses: %u, of which completed "
			 "a handshake: %u"),
		    r->n, r->peers, r->extra);
	rl_evidence(f, _("SYN+ACKs sent again: %llu, for %u of them"),
		    (unsigned long long)r->tries, r->tried);
	rl_say_age(f, r);
	rl_say_growth(d, f, r);
	if (l)
		say_queue(d, f, l);
}

/* Without what is not known. */
static int64_t up(int64_t v)
{
	return v > 0 ? v : 0;
}

static void say_cookies(struct rl_diag *d, struct rl_finding *f)
{
	const int64_t *c = d->f->ctr;

	if (c[FC_COOKIES_SENT] > 0 || c[FC_REQ_Q_COOKIES] > 0 || c[FC_REQ_Q_FULL] > 0)
		rl_evidence(f, _("SYN cookies sent: %lld; SYN queue full: %lld times, of them "
				 "dropped: %lld"), (long long)up(c[FC_COOKIES_SENT]),
			    (long long)(up(c[FC_REQ_Q_COOKIES]) + up(c[FC_REQ_Q_FULL])),
			    (long long)up(c[FC_REQ_Q_FULL]));
}

static void advise_flood(struct rl_diag *d, struct rl_finding *f, unsigned port, bool cookies)
{
	if (d->f->source == RILL_SRC_KERNEL && !cookies) {
		rl_advise(f, _("answer with SYN cookies: real clients still get in"));
		rl_set_command(d, f, "net.ipv4.tcp_syncookies", "1");
		rl_danger(f, _("while they are in use, connections without timestamps do without "
			       "window scaling and SACK"));
	}
	rl_advise(f, _("a larger SYN queue, together with a larger backlog of listen(), gives "
		       "time"));
	rl_set_command(d, f, "net.ipv4.tcp_max_syn_backlog", "16384");
	rl_danger(f, _("each half-open peer takes some 300 bytes"));
	rl_advise(f, _("forget the half-open ones sooner"));
	rl_set_command(d, f, "net.ipv4.tcp_synack_retries", "1");
	rl_danger(f, _("clients on a bad line get in less often: put it back to 5 afterwards"));
	rl_advise(f, _("stop it before it gets here: the sources are forged, so ask the network's "
		       "operator, or limit SYNs to the port"));
	if (d->f->source == RILL_SRC_KERNEL)
		rl_command(f, "iptables -I INPUT -p tcp --dport %u --syn -m limit --limit 50/s "
			   "--limit-burst 100 -j ACCEPT && iptables -I INPUT 2 -p tcp --dport %u "
			   "--syn -j DROP", port, port);
	rl_danger(f, _("a limit drops SYNs of real clients too"));
}

static void flood(struct rl_diag *d, const struct rl_tally_row *r, const struct rill_sock *l)
{
	bool pressed = rl_grown(d, FC_COOKIES_SENT) || rl_grown(d, FC_REQ_Q_FULL);
	bool held = rl_grown(d, FC_COOKIES_SENT) && !rl_grown(d, FC_REQ_Q_FULL);
	double sure = r->peers * 4 >= r->n * 3 || pressed ? 0.95 : 0.8;
	struct rl_finding *f = rl_found(d, RC_SYN_FLOOD, held ? RL_WARNING : RL_CRITICAL, sure, l);

	rl_summary(f, _("SYN flood with forged sources on port %u: %u half-open peers"),
		   r->key.lport, r->n);
	say_half_open(d, f, r, l);
	say_cookies(d, f);
	if (held)
		rl_evidence(f, _("SYN cookies hold it off: nothing is dropped, clients get in"));
	advise_flood(d, f, r->key.lport, d->f->sysctl[FS_SYNCOOKIES] > 0);
}

static void synack_lost(struct rl_diag *d, const struct rl_tally_row *r,
			const struct rill_sock *l)
{
	double sure = r->tried * 2 >= r->n && r->peers * 2 <= r->n ? 0.9 : 0.65;
	struct rl_finding *f = rl_found(d, RC_SYNACK_LOST,
					rl_severity_of(d, RL_LIM_SYN_RECV, r->n), sure, l);
	char peer[RL_WHO];

	snprintf(f->peer, sizeof(f->peer), "%s", rl_ip_text(&r->first->peer.ip, peer));
	rl_summary(f, _("our SYN+ACKs of port %u do not reach %u clients: %u half-open peers"),
		   r->key.lport, r->peers, r->n);
	say_half_open(d, f, r, l);
	rl_advise(f, _("look on the way back: does the SYN+ACK leave, and by which device?"));
	rl_command(f, "ip route get %s", f->peer);
	rl_advise(f, _("a filter on the way out, or a path that differs from the way in "
		       "(asymmetric "
		       "routes, stateful firewalls), is the usual reason"));
	if (d->f->source == RILL_SRC_KERNEL)
		rl_command(f, "iptables -S OUTPUT; nft list ruleset");
}

/* Do they stay half open?  Then SYN+ACKs were sent again, or the queue overflowed. */
static bool lingering(const struct rl_diag *d, const struct rl_tally_row *r)
{
	return r->tried * 4 >= r->n || rl_grown(d, FC_COOKIES_SENT) || rl_grown(d, FC_REQ_Q_FULL);
}

static void half_open_port(struct rl_diag *d, const struct rl_tally_row *r)
{
	const struct rill_sock *l = full_listener(d, r->key.lport);

	if (rl_severity_of(d, RL_LIM_SYN_RECV, r->n) == RL_INFO)
		return;
	rl_watched(d);
	if (l && queue_full(l))
		slow_accept(d, r, l);
	else if (!lingering(d, r))
		return;			/* a busy server's: answered in a moment */
	else if (r->peers * 2 > r->n || r->peers >= 64)
		flood(d, r, l);
	else
		synack_lost(d, r, l);
}

/* Does a real host stand behind a half-open peer?  Then it has other connections. */
static void half_open_one(struct rl_diag *d, struct rl_tally *t, const struct rill_sock *s)
{
	struct rl_key key = { .lport = s->local.port }, peer = { .ip = s->peer.ip };
	struct rl_tally_row *r;
	unsigned before;

	r = rl_tally_find(t, &key);
	before = r ? r->peers : 0;
	r = rl_tally_add(t, d->f, &key, s);
	if (r && r->peers > before && rl_tally_find(d->alive, &peer))
		r->extra++;
}

/*
 * Backlogs without half-open peers enough for C3 are C11's; both look at the same
 * table, so one of them makes it.
 */
static void per_port(struct rl_diag *d, bool syn)
{
	struct rl_tally *t = rl_tally_new();

	for (size_t i = 0; t && i < d->f->n; i++)
		if (d->f->sock[i].half_open)
			half_open_one(d, t, &d->f->sock[i]);
	for (size_t i = 0; t && syn && i < rl_tally_count(t); i++)
		half_open_port(d, rl_tally_row(t, i));
	for (size_t i = 0; t && !syn && i < d->f->n; i++) {
		const struct rill_sock *s = &d->f->sock[i];
		struct rl_key key = { .lport = s->local.port };
		struct rl_tally_row *r;

		if (s->state != RILL_LISTEN || !queue_full(s))
			continue;
		r = rl_tally_find(t, &key);
		rl_watched(d);
		if (!r || rl_severity_of(d, RL_LIM_SYN_RECV, r->n) == RL_INFO)
			backlog_full(d, s, r ? r->n : 0);
	}
	rl_tally_free(t);
}

void rl_rule_half_open(struct rl_diag *d)
{
	per_port(d, true);
}

void rl_rule_backlog(struct rl_diag *d)
{
	per_port(d, false);
}
