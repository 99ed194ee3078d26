/* SPDX-License-Identifier: MIT */
/*
 * Established connections: C4, load or peers that are gone; C12, connected and
 * nothing moves; C13, idle for long and no keepalive.
 *
 * Of an idle connection nothing says whether its peer is still there, unless it is
 * asked.  So where many are idle the rules want a probe (facts_probe.c): what comes
 * back, or does not, is their evidence.
 */
#include "look/rules.h"

#include <stdio.h>
#include <string.h>

#include "look/lang.h"

#define FIRST_IDLE_MS	2000		/* shorter is a pause */
#define GONE_TRIES	3		/* that many without an answer: 1.4 s at least */

static bool established(const struct rill_sock *s)
{
	return s->state == RILL_ESTABLISHED && !s->half_open;
}

/* Since anything was sent or received: the shortest of what TCP_INFO says. */
static int64_t idle_ms(const struct rill_sock *s)
{
	int64_t ms;

	if (!s->has_info)
		return -1;
	ms = s->info.last_ack_recv;
	/* never any: Rill says 0 then */
	if (s->info.data_segs_in && s->info.last_data_recv < ms)
		ms = s->info.last_data_recv;
	if (s->info.data_segs_out && s->info.last_data_sent < ms)
		ms = s->info.last_data_sent;
	return ms;
}

static bool moved(const struct rl_diag *d, const struct rill_sock *s)
{
	const struct rl_past *p = rl_facts_past(d->f, s);

	return s->has_info && (!p || p->bytes != rl_facts_bytes(s));
}

/* Asked, and no answer: by the program's own keepalive, or by our probe. */
static bool keep_silent(const struct rill_sock *s)
{
	return (s->timer == RILL_TMR_KEEP && s->tries >= 2) ||
	       (s->has_info && s->info.probes >= 2 && s->timer != RILL_TMR_PERSIST);
}

static const struct rl_probe *probe_of(const struct rl_diag *d, const struct rill_sock *s)
{
	for (size_t i = 0; i < d->f->nprobe; i++)
		if (d->f->probe[i].cookie == s->cookie)
			return &d->f->probe[i];
	return NULL;
}

/* ---- C4 ---- */

struct estab {
	unsigned n, moving, idle, asked, silent, answered, keepalive, unguarded;
	int64_t	 oldest_ms;
	const struct rill_sock *gone;	/* one that is silent */
	struct rl_tally *peers;		/* silent ones by address; `extra`: idle there */
	struct rl_tally *programs;
};

static void judge_one(struct rl_diag *d, struct estab *e, const struct rill_sock *s)
{
	const struct rl_probe *p = d->f->nprobe ? probe_of(d, s) : NULL;
	struct rl_key key = { .pid = (uint32_t)rl_pid_of(s) };
	bool silent = keep_silent(s) || (p && !p->answered);

	e->n++;
	e->keepalive += s->keepalive == 1 || s->timer == RILL_TMR_KEEP;
	rl_tally_add(e->programs, d->f, &key, s);
	if (d->f->watched_ms && moved(d, s)) {
		e->moving++;
		return;
	}
	e->idle += !s->send_q;
	e->unguarded += !s->send_q && s->keepalive != 1 && s->timer == RILL_TMR_NONE &&
			!rl_ip_loopback(&s->peer.ip);
	e->asked += p != NULL;
	e->answered += p && p->answered;
	if (!silent)
		return;
	e->silent++;
	e->gone = s;
	if (idle_ms(s) > e->oldest_ms)
		e->oldest_ms = idle_ms(s);
	key.pid = 0;
	key.ip = s->peer.ip;
	rl_tally_add(e->peers, d->f, &key, s);
}

static void kill_peer(struct rl_diag *d, struct rl_finding *f, const char *ip)
{
	if (d->f->source == RILL_SRC_KERNEL)
		rl_command(f, "ss -t -K state established dst %s", ip);
	else
		rl_command(f, "rill kill --yes --pid %d state established dst %s", d->f->pid, ip);
}

static void advise_keepalive(struct rl_diag *d, struct rl_finding *f, const struct rill_sock *s)
{
	bool local = rl_serving(d, s);

	rl_advise(f, _("switch keepalive on from outside, for the connections that are there now"));
	rl_command(f, "rill keepalive --%s --idle 60 --interval 10 --count 3 '%s = :%u'",
		   d->f->source == RILL_SRC_KERNEL ? "kernel" : "rill", local ? "sport" : "dport",
		   local ? s->local.port : s->peer.port);
	rl_danger(f, _("peers that are gone end with ETIMEDOUT after 90 s"));
	rl_advise(f, _("let the program switch keepalive on: 60 s idle, then 3 probes 10 s apart, "
		       "gone "
		       "after 90 s"));
	rl_code(f, "int on = 1, idle = 60, intvl = 10, cnt = 3; "
		   "setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)); "
		   "setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle)); "
		   "setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &intvl, sizeof(intvl)); "
		   "setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &cnt, sizeof(cnt));");
	rl_advise(f, _("better: a heartbeat in the application's protocol, which also notices a "
		       "program that hangs"));
	rl_advise(f, _("for programs that have SO_KEEPALIVE on and no times of their own"));
	rl_set_command(d, f, "net.ipv4.tcp_keepalive_time", "60");
	rl_danger(f, _("it changes nothing where SO_KEEPALIVE is off, which is the default"));
}

static void say_in_use(struct rl_finding *f, const struct estab *e)
{
	rl_evidence(f, _("ESTABLISHED: %u, moving data: %u, idle: %u, keepalive on: %u"), e->n,
		    e->moving, e->idle, e->keepalive);
	if (e->asked)
		rl_evidence(f, _("asked by a keepalive probe: %u, of them answered: %u, silent: "
				 "%u"),
			    e->asked, e->answered, e->asked - e->answered);
}

static void half_open(struct rl_diag *d, const struct estab *e)
{
	const struct rill_sock *s = e->gone;
	struct rl_finding *f;
	char peer[RL_WHO], span[RL_WHO];
	unsigned keep = e->silent - (e->asked - e->answered);

	f = rl_found(d, RC_HALF_OPEN, rl_severity_of(d, RL_LIM_DEAD, e->silent), 0.95, s);
	f->count = e->silent;
	snprintf(f->peer, sizeof(f->peer), "%s", rl_ip_text(&s->peer.ip, peer));
	rl_summary(f, _("%u ESTABLISHED connections are half open: their peers went away without a "
			"word"), e->silent);
	say_in_use(f, e);
	if (keep)
		rl_evidence(f, _("keepalive probes of the program itself without an answer: %u "
				 "connections"), keep);
	rl_evidence(f, _("addresses of silent peers: %u, for example %s"),
		    (unsigned)rl_tally_count(e->peers), peer);
	if (e->oldest_ms > 0)
		rl_evidence(f, _("nothing was heard on the oldest for at least %s"),
			    rl_span(e->oldest_ms, span));
	rl_say_program(f, s);
	rl_advise(f, _("end them now"));
	kill_peer(d, f, f->peer);
	rl_danger(f, _("all connections of that address end, those that are alive too"));
	advise_keepalive(d, f, s);
}

static void load(struct rl_diag *d, const struct estab *e)
{
	const struct rl_tally_row *top = rl_tally_largest(e->programs);
	bool busy = e->moving * 4 >= e->n;
	struct rl_finding *f = rl_found(d, RC_LOAD, rl_severity_of(d, RL_LIM_ESTABLISHED, e->n),
					busy || e->answered ? 0.9 : 0.5, top->first);
	char who[RL_WHO], span[RL_WHO];

	f->count = e->n;
	rl_summary(f, busy ? _("%u ESTABLISHED connections, and they are in use: real load")
			   : _("%u ESTABLISHED connections, most of them idle"), e->n);
	rl_evidence(f, _("limits: warning %lld, critical %lld"),
		    (long long)d->lim->warn[RL_LIM_ESTABLISHED],
		    (long long)d->lim->crit[RL_LIM_ESTABLISHED]);
	say_in_use(f, e);
	rl_evidence(f, _("%u of them belong to %s, different peers: %u"), top->n,
		    rl_who(top->first, who),
		    top->peers);
	if (d->f->watched_ms)
		rl_evidence(f, _("accepted in %s: %lld, opened: %lld"),
			    rl_span(d->f->watched_ms, span),
			    (long long)rl_grown(d, FC_PASSIVE_OPENS),
			    (long long)rl_grown(d, FC_ACTIVE_OPENS));
	rl_advise(f, _("nothing is broken: see whether the program, its descriptors and the "
		       "memory are "
		       "meant for so many"));
	if (f->pid)
		rl_command(f, "grep 'open files' /proc/%d/limits; rill doctor limits", f->pid);
	rl_advise(f, _("if so many are usual here, raise the limits"));
	rl_command(f, "rill doctor --limit established=%u,%u", e->n + e->n / 4, e->n + e->n / 2);
}

void rl_rule_established(struct rl_diag *d)
{
	struct estab e = { .peers = rl_tally_new(), .programs = rl_tally_new(), .oldest_ms = -1 };
	bool many = d->state[RILL_ESTABLISHED] >= d->lim->warn[RL_LIM_ESTABLISHED];

	for (size_t i = 0; e.peers && e.programs && i < d->f->n; i++)
		if (established(&d->f->sock[i]))
			judge_one(d, &e, &d->f->sock[i]);
	if (e.unguarded >= d->lim->warn[RL_LIM_IDLE_N] && rl_watched(d) && !d->f->nprobe)
		d->out->wants_probe = true;
	if (e.silent >= d->lim->warn[RL_LIM_DEAD])
		half_open(d, &e);
	else if (many && rl_watched(d) && rl_tally_count(e.programs))
		load(d, &e);
	rl_tally_free(e.peers);
	rl_tally_free(e.programs);
}

/* ---- C12 ---- */

enum stuck { MOVES, ZERO_WINDOW, GONE, LOSSY, UNREAD, STUCK_N };

static bool still(const struct rl_past *p, const struct rill_sock *s)
{
	return p && p->state == s->state && p->acked == s->info.bytes_acked;
}

static bool our_program_sleeps(struct rl_diag *d, const struct rill_sock *s,
			       const struct rl_past *p)
{
	bool shut = s->has_info && s->info.rcv_wnd < s->info.rcv_mss && s->info.rcv_wnd;
	uint32_t unread = rl_facts_unread(s);

	if (!unread || (unread < d->lim->warn[RL_LIM_UNREAD] && !shut))
		return false;
	return rl_watched(d) && p && s->has_info &&
	       p->taken == s->info.bytes_received - unread;
}

static bool lossy(struct rl_diag *d, const struct rill_sock *s, const struct rl_past *p)
{
	uint32_t again, sent;

	if (!s->has_info || s->info.total_retrans < 5 ||
	    s->info.total_retrans * 100ull <
	    s->info.data_segs_out * (uint64_t)d->lim->warn[RL_LIM_LOSS])
		return false;
	if (!rl_watched(d) || !p)
		return false;
	again = s->info.total_retrans - p->retrans;
	sent = s->info.data_segs_out - p->sent;
	return again && again * 100ull >= sent * (uint64_t)d->lim->warn[RL_LIM_LOSS];
}

static enum stuck judge_stuck(struct rl_diag *d, const struct rill_sock *s)
{
	const struct rl_past *p = rl_facts_past(d->f, s);

	if (our_program_sleeps(d, s, p))
		return UNREAD;
	if (!s->has_info)
		return MOVES;
	if (!s->send_q)
		return lossy(d, s, p) ? LOSSY : MOVES;
	if (s->timer == RILL_TMR_PERSIST && !s->info.unacked)
		return rl_watched(d) && still(p, s) ? ZERO_WINDOW : MOVES;
	if (s->timer == RILL_TMR_RTX && s->tries >= GONE_TRIES)
		return !d->f->watched_ms || still(p, s) || !p ? GONE : LOSSY;
	if (s->tries && !rl_watched(d))
		return MOVES;
	return lossy(d, s, p) ? LOSSY : MOVES;
}

static struct rl_finding *stuck_finding(struct rl_diag *d, const struct rl_tally_row *r,
					enum rl_cause cause, double sure)
{
	struct rl_finding *f = rl_found(d, cause, r->n >= 10 ? RL_CRITICAL : RL_WARNING, sure,
					r->first);
	char peer[RL_WHO], local[RL_WHO], who[RL_WHO];

	rl_count(f, r);
	rl_addr_text(&r->first->peer, peer);
	rl_evidence(f, _("connections: %u, for example %s to %s, held by %s"), r->n,
		    rl_addr_text(&r->first->local, local), peer, rl_who(r->first, who));
	return f;
}

static void say_zero_window(struct rl_diag *d, const struct rl_tally_row *r)
{
	struct rl_finding *f = stuck_finding(d, r, RC_ZERO_WINDOW, 0.95);
	char span[RL_WHO];

	rl_summary(f, _("%u connections stand still: the peer's window is closed, its program does "
			"not read"), r->n);
	rl_evidence(f, _("not sent: %llu bytes; the window that the peer offers: %u bytes"),
		    (unsigned long long)r->unsent, r->first->info.snd_wnd);
	rl_evidence(f, _("held back by the window for %s so far; window probes are sent instead"),
		    rl_span((int64_t)(r->first->info.rwnd_limited / 1000), span));
	rl_advise(f, _("look at the program at the other end: it hangs, or waits for something "
		       "else"));
	rl_command(f, "ss -tn state established '( dport = :%u or sport = :%u )'   # %s",
		   r->first->peer.port, r->first->local.port, _("there: Recv-Q is full"));
	rl_advise(f, _("let our program give up after a time"));
	rl_code(f, "setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &(unsigned){30000}, "
		   "sizeof(unsigned));");
}

static void say_gone(struct rl_diag *d, const struct rl_tally_row *r)
{
	bool dead = rl_facts_neigh(d->f, &r->first->peer.ip) == RL_NEIGH_DEAD;
	struct rl_finding *f = stuck_finding(d, r, RC_HALF_OPEN_ONE, dead ? 0.95 : 0.9);
	char span[RL_WHO], peer[RL_WHO];

	rl_summary(f, _("%u connections send to a peer that is gone"), r->n);
	rl_evidence(f, _("unacknowledged: %llu bytes, sent again %llu times, no answer for %s"),
		    (unsigned long long)r->unsent, (unsigned long long)r->tries,
		    rl_span(r->first->info.last_ack_recv, span));
	if (dead)
		rl_evidence(f, _("it does not even answer for its link address (ARP, neighbour "
				 "discovery)"));
	rl_advise(f, _("end them now"));
	kill_peer(d, f, rl_ip_text(&r->first->peer.ip, peer));
	rl_danger(f, _("what the peer has not acknowledged is lost"));
	rl_advise(f, _("let the program give up sooner than tcp_retries2 (%lld, about 15 min) "
		       "does"),
		  (long long)d->f->sysctl[FS_RETRIES2]);
	rl_code(f, "setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &(unsigned){30000}, "
		   "sizeof(unsigned));");
	rl_advise(f, _("for all programs"));
	rl_set_command(d, f, "net.ipv4.tcp_retries2", "8");
	rl_danger(f, _("outages above about 100 s end connections then"));
}

static void say_lossy(struct rl_diag *d, const struct rl_tally_row *r)
{
	const struct rill_tcp_info *i = &r->first->info;
	const struct rl_past *p = rl_facts_past(d->f, r->first);
	struct rl_finding *f = stuck_finding(d, r, RC_RETRANSMITTING, 0.9);
	char span[RL_WHO], ip[RL_WHO];

	rl_summary(f, _("%u connections are slow: segments get lost on the way"), r->n);
	rl_evidence(f, _("sent again since the start: %u of %u segments with data"),
		    i->total_retrans, i->data_segs_out);
	if (p)
		rl_evidence(f, _("within the %s watched: %u of %u, %llu bytes acknowledged"),
			    rl_span(d->f->watched_ms, span), i->total_retrans - p->retrans,
			    i->data_segs_out - p->sent,
			    (unsigned long long)(i->bytes_acked - p->acked));
	rl_evidence(f, _("the peer is there: its last ACK came %s ago; round trip %.1f ms"),
		    rl_span(i->last_ack_recv, span), (double)i->rtt / 1000);
	rl_advise(f, _("find the hop that loses"));
	rl_command(f, "mtr -n -r -c 20 %s", rl_ip_text(&r->first->peer.ip, ip));
	rl_advise(f, _("here: does the device drop, or have errors?"));
	if (d->f->source == RILL_SRC_KERNEL)
		rl_command(f, "ip -s link; tc -s qdisc");
	else
		rl_command(f, "rill stats 'drop.*'");
}

static void say_unread(struct rl_diag *d, const struct rl_tally_row *r)
{
	struct rl_finding *f = stuck_finding(d, r, RC_NOT_READING, 0.95);
	char span[RL_WHO], fds[RL_WHO];

	rl_summary(f, _("%u connections stand still: our program does not read"), r->n);
	rl_evidence(f, _("unread: %llu bytes, none taken within the %s watched"),
		    (unsigned long long)r->unread, rl_span(d->f->watched_ms, span));
	rl_evidence(f, _("the window that we offer: %u bytes"), r->first->info.rcv_wnd);
	if (r->nfd)
		rl_evidence(f, _("descriptors %s"), rl_fd_text(r, fds));
	rl_advise(f, _("see where the program hangs"));
	if (f->pid)
		rl_command(f, "cat /proc/%d/wchan; gdb -p %d -batch -ex 'thread apply all bt'",
			   f->pid, f->pid);
	rl_advise(f, _("mend it: read whenever the descriptor is readable, bound what you keep"));
	rl_code(f, "while ((n = read(fd, buf, sizeof(buf))) > 0) handle(buf, n);");
	if (f->pid) {
		rl_advise(f, _("until then: restart the program"));
		rl_command(f, "kill -TERM %d", f->pid);
		rl_danger(f, _("its other connections end as well"));
	}
	rl_advise(f, _("a larger receive buffer only delays it"));
}

void rl_rule_stuck(struct rl_diag *d)
{
	static void (*const say[])(struct rl_diag *d, const struct rl_tally_row *r) = {
		[ZERO_WINDOW] = say_zero_window, [GONE] = say_gone,
		[LOSSY] = say_lossy, [UNREAD] = say_unread,
	};
	struct rl_tally *t = rl_tally_new();
	struct rl_key key;

	for (size_t i = 0; t && i < d->f->n; i++) {
		const struct rill_sock *s = &d->f->sock[i];

		if (!established(s) && s->state != RILL_CLOSE_WAIT)
			continue;
		memset(&key, 0, sizeof(key));
		key.pport = (uint16_t)judge_stuck(d, s);
		if (key.pport && !(key.pport == UNREAD && s->state == RILL_CLOSE_WAIT))
			rl_tally_add(t, d->f, &key, s);
	}
	for (size_t i = 0; t && i < rl_tally_count(t); i++)
		say[rl_tally_row(t, i)->key.pport](d, rl_tally_row(t, i));
	rl_tally_free(t);
}

/* ---- C13 ---- */

static bool unguarded(const struct rl_diag *d, const struct rill_sock *s)
{
	return established(s) && s->timer == RILL_TMR_NONE && s->keepalive != 1 && s->has_info &&
	       !s->send_q && !rl_ip_loopback(&s->peer.ip) && !s->orphan &&
	       idle_ms(s) >= FIRST_IDLE_MS && d->f->watched_ms && !moved(d, s) &&
	       !rl_unaccepted(s);
}

/* Not yet long is worth a word, no more: it may be about to be used again. */
static void no_keepalive(struct rl_diag *d, const struct rl_tally_row *r)
{
	const struct rl_probe *p = probe_of(d, r->first);
	bool is_long = r->extra >= d->lim->warn[RL_LIM_IDLE_N];
	struct rl_finding *f;
	char who[RL_WHO], span[RL_WHO];

	f = rl_found(d, RC_NO_KEEPALIVE, is_long ? RL_WARNING : RL_INFO, is_long ? 0.95 : 0.75,
		     r->first);
	rl_count(f, r);
	rl_summary(f, _("%u connections of %s are idle, and keepalive is off"), r->n,
		   rl_who(r->first, who));
	rl_evidence(f, _("idle for at least %s: %u, of them long (%lld s): %u; different "
			 "peers: %u; no timer runs on them"), rl_span(FIRST_IDLE_MS, span), r->n,
		    (long long)d->lim->warn[RL_LIM_IDLE_S], r->extra, r->peers);
	rl_say_age(f, r);
	if (p)
		rl_evidence(f, p->answered ? _("a probe was answered: the peers are still there")
					   : _("a probe was not answered"));
	rl_evidence(f, _("if such a peer vanishes the program will never know; a NAT or firewall "
			 "on "
			 "the way forgets idle connections"));
	advise_keepalive(d, f, r->first);
}

static bool silent_peer(const struct rl_diag *d, const struct rill_sock *s)
{
	const struct rl_probe *p = d->f->nprobe ? probe_of(d, s) : NULL;

	return keep_silent(s) || (p && !p->answered);
}

void rl_rule_keepalive(struct rl_diag *d)
{
	struct rl_tally *t = rl_tally_new();

	for (size_t i = 0; t && i < d->f->n; i++) {
		const struct rill_sock *s = &d->f->sock[i];
		struct rl_key key = { .pid = (uint32_t)rl_pid_of(s) };
		struct rl_tally_row *r;

		if (!unguarded(d, s) || silent_peer(d, s))
			continue;
		r = rl_tally_add(t, d->f, &key, s);
		if (r)
			r->extra += idle_ms(s) >= d->lim->warn[RL_LIM_IDLE_S] * 1000;
	}
	for (size_t i = 0; t && i < rl_tally_count(t); i++)
		if (rl_tally_row(t, i)->n >= d->lim->warn[RL_LIM_IDLE_N])
			no_keepalive(d, rl_tally_row(t, i));
	rl_tally_free(t);
}
