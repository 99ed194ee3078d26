/* SPDX-License-Identifier: MIT */
/*
 * Connections that do not come about: C2, where SYN_SENT pile up, and C11.
 *
 * C2 by destinations: one program that tries many different ones is scanning; else
 * the question is whether the host is there.  It is when it has answered on another
 * connection, or when its neighbour entry is alive; it is not when that has failed.
 * C11's refusals leave no socket behind, so the rule looks at counters that grow
 * while it watches.
 */
#include "look/rules.h"

#include <stdio.h>
#include <string.h>

#include "look/lang.h"

/* ---- C2 ---- */

static struct rl_tally *syn_sent_by(struct rl_diag *d, bool pid, bool ip)
{
	struct rl_tally *t = rl_tally_new();
	struct rl_key key;

	for (size_t i = 0; t && i < d->f->n; i++) {
		const struct rill_sock *s = &d->f->sock[i];

		if (s->state != RILL_SYN_SENT)
			continue;
		memset(&key, 0, sizeof(key));
		if (pid)
			key.pid = (uint32_t)rl_pid_of(s);
		if (ip)
			key.ip = s->peer.ip;
		rl_tally_add(t, d->f, &key, s);
	}
	return t;
}

static void say_syns(struct rl_diag *d, struct rl_finding *f, const struct rl_tally_row *r)
{
	f->count = r->n;
	f->port = r->first->peer.port;
	rl_evidence(f, _("SYN sent again: %llu times, for %u of %u; no answer to any"),
		    (unsigned long long)r->tries, r->tried, r->n);
	rl_say_age(f, r);
	rl_say_who(d, f, r);
}

static void scan(struct rl_diag *d, const struct rl_tally_row *r)
{
	struct rl_finding *f = rl_found(d, RC_SCAN, rl_severity_of(d, RL_LIM_SCAN, r->ends),
					r->ends * 10 >= r->n * 9 ? 0.95 : 0.8, r->first);
	char who[RL_WHO];

	rl_summary(f, _("%s is scanning: %u connections to %u different destinations at once"),
		   rl_who(r->first, who), r->n, r->ends);
	rl_evidence(f, _("%u addresses, %u pairs of address and port, about one connection each"),
		    r->peers, r->ends);
	say_syns(d, f, r);
	f->port = r->peers == r->ends ? r->first->peer.port : 0;
	if (f->pid && d->f->source == RILL_SRC_KERNEL) {
		rl_advise(f, _("find out what the program is and who started it"));
		rl_command(f, "ps -o pid,ppid,user,lstart,args -p %d; ls -l /proc/%d/exe", f->pid,
			   f->pid);
	}
	if (f->pid) {
		rl_advise(f, _("not meant to be there: end the program"));
		rl_command(f, "kill -KILL %d", f->pid);
		rl_danger(f, _("keep a copy of the file behind /proc/PID/exe first if you want to "
			       "examine it"));
	}
}

/*
 * What is sent again cannot leave: seen while watched, or true of most SYNs that were
 * ever sent again.
 */
static bool local_filter(struct rl_diag *d, const struct rl_tally_row *r)
{
	const int64_t *c = d->f->ctr;

	return rl_grown(d, FC_RETRANS_FAIL) > 0 ||
	       (r->tries && c[FC_RETRANS_FAIL] > 2 &&
		c[FC_RETRANS_FAIL] * 2 >= c[FC_SYN_RETRANS]);
}

/*
 * Somebody answers by ICMP: now, or to a good part of all SYNs that were ever sent.
 * Who answers so does it a few times a second only.
 */
static bool remote_filter(struct rl_diag *d, const struct rl_tally_row *r)
{
	const int64_t *c = d->f->ctr;

	return rl_grown(d, FC_UNREACHS) + rl_grown(d, FC_UNREACHS6) > 0 ||
	       (r && c[FC_UNREACHS] > 2 &&
		c[FC_UNREACHS] * 10 >= c[FC_ACTIVE_OPENS] + c[FC_SYN_RETRANS]);
}

static void advise_reach(struct rl_diag *d, struct rl_finding *f, const char *ip)
{
	rl_advise(f, _("which way would it go, and does the last router or neighbour answer?"));
	if (d->f->source == RILL_SRC_KERNEL)
		rl_command(f, "ip route get %s; ip neigh show to %s; traceroute -n %s", ip, ip, ip);
	rl_advise(f, _("until it is back let the program give up sooner: a limit on connect()"));
	rl_code(f, "setsockopt(fd, IPPROTO_TCP, TCP_SYNCNT, &(int){2}, sizeof(int));");
	rl_advise(f, _("for all programs: fewer SYNs, 3 give up after 15 s"));
	rl_set_command(d, f, "net.ipv4.tcp_syn_retries", "3");
	rl_danger(f, _("destinations behind a very bad line are given up as well"));
}

static void dest_dead(struct rl_diag *d, const struct rl_tally_row *r, bool failed)
{
	struct rl_finding *f = rl_found(d, RC_DEST_DEAD,
					rl_severity_of(d, RL_LIM_SYN_SENT, r->n),
					failed ? 0.95 : r->tried * 2 >= r->n ? 0.85 : 0.6,
						r->first);
	char ip[RL_WHO];

	snprintf(f->peer, sizeof(f->peer), "%s", rl_ip_text(&r->key.ip, ip));
	rl_summary(f, _("%u connections in SYN_SENT to %s, which does not answer at "
			"all"), r->n, ip);
	say_syns(d, f, r);
	if (failed)
		rl_evidence(f, _("it does not even answer for its link address (ARP, neighbour "
				 "discovery)"));
	rl_evidence(f, _("no connection to that address is or was answered"));
	advise_reach(d, f, ip);
}

static void service_dead(struct rl_diag *d, const struct rl_tally_row *r, unsigned answered)
{
	struct rl_key key = { .ip = r->key.ip, .pport = r->first->peer.port };
	struct rl_tally_row *same = rl_tally_find(d->alive, &key);
	struct rl_finding *f;
	char addr[RL_WHO], ip[RL_WHO];

	f = rl_found(d, RC_SERVICE_DEAD, rl_severity_of(d, RL_LIM_SYN_SENT, r->n),
		     answered ? 0.9 : 0.75, r->first);
	snprintf(f->peer, sizeof(f->peer), "%s", rl_ip_text(&r->key.ip, ip));
	rl_addr_text(&r->first->peer, addr);
	rl_summary(f, _("%u connections in SYN_SENT to %s: this service does not answer, its host "
			"does"), r->n, addr);
	say_syns(d, f, r);
	if (r->ends == 1)
		rl_evidence(f, _("all go to this one port"));
	else
		rl_evidence(f, _("they go to %u ports of the host"), r->ends);
	if (answered)
		rl_evidence(f, _("the same host answers on %u other connections, %u of them to "
				 "this "
				 "port"), answered, same ? same->n : 0);
	else
		rl_evidence(f, _("the host answers for its link address"));
	rl_advise(f, _("on that host: is the accept queue full, does the program hang?"));
	rl_command(f, "ssh %s ss -ltn 'sport = :%u'", rl_ip_text(&r->key.ip, ip), f->port);
	rl_advise(f, _("restart the service there; until then let the program give up sooner"));
	rl_code(f, "setsockopt(fd, IPPROTO_TCP, TCP_SYNCNT, &(int){2}, sizeof(int));");
}

static void filtered(struct rl_diag *d, const struct rl_tally_row *r)
{
	bool local = r && local_filter(d, r);
	struct rl_finding *f = rl_found(d, RC_FILTERED, RL_CRITICAL, local ? 0.95 : 0.85,
					r ? r->first : NULL);
	char addr[RL_WHO], span[RL_WHO];

	if (r) {
		snprintf(f->peer, sizeof(f->peer), "%s", rl_ip_text(&r->key.ip, addr));
		rl_addr_text(&r->first->peer, addr);
		rl_summary(f, _("%u connections to %s do not come about: a filter drops what we "
				"send"),
			   r->n, addr);
		say_syns(d, f, r);
	} else {
		rl_summary(f, _("connections do not come about: a filter refuses what we send"));
	}
	rl_span(d->f->watched_ms, span);
	if (local)
		rl_evidence(f, _("%lld of our segments could not be sent in %s: the filter is on "
				 "this host"), (long long)rl_grown(d, FC_RETRANS_FAIL), span);
	if (remote_filter(d, r))
		rl_evidence(f, _("ICMP \"destination unreachable\" received: %lld since the start, "
				 "%lld in %s"), (long long)d->f->ctr[FC_UNREACHS],
			    (long long)(rl_grown(d, FC_UNREACHS) + rl_grown(d, FC_UNREACHS6)),
			    	span);
	rl_advise(f, local ? _("find the rule on this host") : _("find the rule, here or on the "
								 "way"));
	rl_command(f, "iptables -S; nft list ruleset");
	if (!f->port)
		return;
	rl_advise(f, _("let it through"));
	rl_command(f, local ? "iptables -I OUTPUT -p tcp --dport %u -j ACCEPT"
			    : "iptables -I INPUT -p tcp --dport %u -j ACCEPT", f->port);
	rl_danger(f, local ? _("ask why the rule is there first")
			   : _("on the host that filters; ask why the rule is there first"));
}

static void silent_host(struct rl_diag *d, const struct rl_tally_row *r)
{
	struct rl_key key = { .ip = r->key.ip };
	struct rl_tally_row *alive = rl_tally_find(d->alive, &key);
	enum rl_neigh n = rl_facts_neigh(d->f, &r->key.ip);

	if (rl_severity_of(d, RL_LIM_SYN_SENT, r->n) == RL_INFO)
		return;
	rl_watched(d);
	if (local_filter(d, r) || (remote_filter(d, r) && n != RL_NEIGH_DEAD))
		filtered(d, r);
	else if (n != RL_NEIGH_DEAD && (alive || n == RL_NEIGH_ALIVE))
		service_dead(d, r, alive ? alive->n : 0);
	else
		dest_dead(d, r, n == RL_NEIGH_DEAD);
}

/* Return: one program's scan was found; then its destinations are no matter. */
static bool scanners(struct rl_diag *d)
{
	struct rl_tally *t = syn_sent_by(d, true, false);
	bool any = false;

	for (size_t i = 0; t && i < rl_tally_count(t); i++) {
		const struct rl_tally_row *r = rl_tally_row(t, i);

		if (rl_severity_of(d, RL_LIM_SCAN, r->ends) == RL_INFO || r->ends * 2 < r->n)
			continue;
		scan(d, r);
		any = true;
	}
	rl_tally_free(t);
	return any;
}

void rl_rule_syn_sent(struct rl_diag *d)
{
	struct rl_tally *t;

	if (!d->state[RILL_SYN_SENT] || scanners(d))
		return;
	t = syn_sent_by(d, false, true);
	for (size_t i = 0; t && i < rl_tally_count(t); i++)
		silent_host(d, rl_tally_row(t, i));
	rl_tally_free(t);
}

/* ---- C11 ---- */

static void no_route(struct rl_diag *d)
{
	int64_t grown = rl_grown(d, FC_NO_ROUTES) + rl_grown(d, FC_NO_ROUTES6);
	struct rl_finding *f;
	char span[RL_WHO];

	if (!grown)
		return;
	f = rl_found(d, RC_NO_ROUTE, RL_CRITICAL, 0.9, NULL);
	f->count = (unsigned)grown;
	rl_summary(f, _("no route to a destination (\"Network is unreachable\"): %lld times in %s"),
		   (long long)grown, rl_span(d->f->watched_ms, span));
	rl_evidence(f, _("OutNoRoutes: %lld more in %s, %lld since the "
			 "start"), (long long)grown, span,
		    (long long)(d->f->ctr[FC_NO_ROUTES] + d->f->ctr[FC_NO_ROUTES6]));
	rl_advise(f, _("look at the routes; is the default route missing, is its device down?"));
	rl_command(f, d->f->source == RILL_SRC_KERNEL ? "ip route; ip -6 route; ip -br link"
						      : "rill stats ip.out_no_routes");
	if (d->f->source == RILL_SRC_RILL) {
		rl_advise(f, _("start the stack with a gateway"));
		rl_command(f, "--gateway ADDRESS");
		return;
	}
	rl_advise(f, _("give it a route"));
	rl_command(f, "ip route add default via GATEWAY");
}

/* SYNs that ended at once and not by time: somebody answered, with a reset. */
static void refused(struct rl_diag *d)
{
	int64_t grown = rl_grown(d, FC_ATTEMPT_FAILS), opened = rl_grown(d, FC_ACTIVE_OPENS);
	struct rl_finding *f;
	char span[RL_WHO];

	if (grown < 2 || !opened || grown * 2 < opened || remote_filter(d, NULL) ||
	    d->state[RILL_SYN_RECV] ||
	    rl_grown(d, FC_ABORT_ON_TIMEOUT) * 2 > grown)
		return;
	f = rl_found(d, RC_REFUSED, RL_CRITICAL, 0.85, NULL);
	f->count = (unsigned)grown;
	rl_summary(f, _("connections are refused: nobody listens at the destination (%lld of %lld "
			"tries in %s)"), (long long)grown, (long long)opened,
		   rl_span(d->f->watched_ms, span));
	rl_evidence(f, _("failed tries: %lld in %s, begun: %lld; SYNs sent again: %lld"),
		    (long long)grown, span, (long long)opened, (long long)rl_grown(d,
		    	FC_SYN_RETRANS));
	rl_evidence(f, _("they end at once, with a reset: no SYN_SENT stays (%u), no ICMP error "
			 "came"),
		    d->state[RILL_SYN_SENT]);
	rl_advise(f, _("on the destination: does the service run, and on this address and port?"));
	rl_command(f, "ss -ltnp");
	rl_advise(f, _("which program tries, and where to"));
	rl_command(f, "strace -f -e trace=connect -p PID");
}

static void unreachable(struct rl_diag *d)
{
	if (remote_filter(d, NULL) && !d->state[RILL_SYN_SENT] && rl_grown(d, FC_ATTEMPT_FAILS) > 1)
		filtered(d, NULL);
}

static const struct rill_sock *socket_of(const struct rl_diag *d, int pid)
{
	struct rl_key key = { .pid = (uint32_t)pid };
	struct rl_tally_row *r = rl_tally_find(d->held, &key);

	return r ? r->first : NULL;
}

static void no_descriptors(struct rl_diag *d, const struct rl_program *p)
{
	const struct rill_sock *s = socket_of(d, p->pid);
	enum rl_severity sev;
	struct rl_finding *f;

	if (!s || p->nfd < 0 || p->fd_limit <= 0)
		return;
	sev = rl_severity_of(d, RL_LIM_FDS, p->nfd * 100 / p->fd_limit);
	if (sev == RL_INFO)
		return;
	/* a full queue is what follows from it */
	f = rl_found(d, RC_NO_DESCRIPTORS, sev, p->nfd >= p->fd_limit ? 0.99 : 0.8, s);
	f->pid = p->pid;
	snprintf(f->program, sizeof(f->program), "%s", p->comm);
	f->count = (unsigned)p->nfd;
	f->port = s->local.port;
	rl_summary(f, _("%s[%d] has used %lld of its %lld descriptors (\"Too many open files\")"),
		   p->comm, p->pid, (long long)p->nfd, (long long)p->fd_limit);
	rl_evidence(f, _("descriptors in use: %lld, limit: %lld"), (long long)p->nfd,
		    (long long)p->fd_limit);
	if (s->state == RILL_LISTEN)
		rl_evidence(f, _("accept queue of port %u: %u waiting, limit %u"), s->local.port,
			    s->recv_q, s->send_q);
	rl_advise(f, _("raise its limit, also while it runs"));
	rl_command(f, "prlimit --pid %d --nofile=%lld:%lld", p->pid, (long long)p->fd_limit * 4,
		   (long long)p->fd_limit * 4);
	rl_danger(f, _("a program that leaks uses up these too; select() fails above 1024"));
	rl_advise(f, _("for ever: LimitNOFILE= in its unit, or limits.conf"));
	rl_advise(f, _("what does it hold? If it leaks, the kinds that grow say what"));
	rl_command(f, "ls -l /proc/%d/fd | awk '{print $NF}' | sed 's/:.*//' | sort | uniq -c",
		   p->pid);
}

static void overload(struct rl_diag *d, const struct rl_device *v)
{
	struct rl_finding *f;
	char span[RL_WHO];

	if (v->grown < 10)
		return;
	f = rl_found(d, RC_DEVICE_OVERLOAD, v->grown > 1000 ? RL_CRITICAL : RL_WARNING, 0.9, NULL);
	f->count = (unsigned)v->grown;
	rl_summary(f, _("device %s cannot keep up: its queue dropped %lld packets in %s"), v->name,
		   (long long)v->grown, rl_span(d->f->watched_ms, span));
	rl_evidence(f, _("dropped by %s: %lld since the start, %lld in %s"), v->name,
		    (long long)v->dropped, (long long)v->grown, span);
	if (v->backlog >= 0)
		rl_evidence(f, _("bytes that wait in its queue now: %lld"), (long long)v->backlog);
	if (d->f->source == RILL_SRC_RILL) {
		rl_advise(f, _("let one batch of input hold more packets"));
		rl_set_command(d, f, "net.core.netdev_max_backlog", "10000");
		rl_advise(f, _("which other packets are dropped?"));
		rl_command(f, "rill stats --pid %d 'drop.*'", d->f->pid);
		return;
	}
	rl_advise(f, v->receiving ? _("which CPU is busy, and are interrupts spread?")
				  : _("what is the queue, and how is it limited?"));
	rl_command(f, v->receiving ? "cat /proc/net/softnet_stat; grep %s /proc/interrupts"
				   : "tc -s qdisc show dev %s", v->name);
	if (!v->receiving) {
		rl_advise(f, _("a longer queue, or remove the limit of its rate"));
		rl_command(f, "tc qdisc del dev %s root", v->name);
		rl_danger(f, _("a rate limit may be there on purpose; a long queue adds delay"));
		return;
	}
	rl_advise(f, _("a longer receive queue"));
	rl_set_command(d, f, "net.core.netdev_max_backlog", "10000");
}

/* What came in faster than a stack takes it. */
static void stack_overload(struct rl_diag *d)
{
	struct rl_device v = { .name = "", .backlog = -1, .receiving = true,
			       .dropped = d->f->ctr[FC_IF_BACKLOG],
			       .grown = rl_grown(d, FC_IF_BACKLOG) };

	snprintf(v.name, sizeof(v.name), "%s", d->f->stack);
	overload(d, &v);
}

/* Counters that never moved are no reason to watch. */
static bool anything_failed(const struct rl_diag *d)
{
	const int64_t *c = d->f->ctr;

	for (size_t i = 0; i < d->f->ndevice; i++)
		if (d->f->device[i].dropped > 0)
			return true;
	return c[FC_IF_BACKLOG] > 0 || c[FC_NO_ROUTES] > 0 || c[FC_NO_ROUTES6] > 0 ||
	       c[FC_ATTEMPT_FAILS] > 0 || c[FC_UNREACHS] > 0;
}

void rl_rule_connect(struct rl_diag *d)
{
	rl_rule_backlog(d);
	for (size_t i = 0; i < d->f->nprogram; i++)
		no_descriptors(d, &d->f->program[i]);
	if (!anything_failed(d) || !rl_watched(d))
		return;
	no_route(d);
	refused(d);
	unreachable(d);
	for (size_t i = 0; i < d->f->ndevice; i++)
		overload(d, &d->f->device[i]);
	stack_overload(d);
}
