/* SPDX-License-Identifier: MIT */
/*
 * What a topic of `rill doctor` shows besides findings: the answer to its question
 * for everything that the filter leaves, whether something is wrong or not.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "look/history.h"
#include "look/lang.h"
#include "tools/doctor.h"

#define CONNS_SHOWN	40

static const struct doctor_topic topics[] = {
#define TOPIC(name, rows, details, help)	{ name, rows, details, help },
#include "tools/doctor_topics.def"
#undef TOPIC
};

static const char *const state_names[RILL_TCP_STATES] = {
	"", "ESTABLISHED", "SYN_SENT", "SYN_RCVD", "FIN_WAIT_1", "FIN_WAIT_2", "TIME_WAIT",
	"CLOSED", "CLOSE_WAIT", "LAST_ACK", "LISTEN", "CLOSING",
};

const struct doctor_topic *doctor_topic_at(unsigned i)
{
	return i < sizeof(topics) / sizeof(topics[0]) ? &topics[i] : NULL;
}

void doctor_say(struct doctor *d, const char *fmt, ...)
{
	va_list ap;
	char line[2 * RL_TEXT];

	if (d->ndetails == DOCTOR_DETAILS) {
		d->lost++;
		return;
	}
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	d->detail[d->ndetails] = strdup(line);
	d->ndetails += d->detail[d->ndetails] != NULL;
}

static void states(const struct rl_facts *f, unsigned n[RILL_TCP_STATES])
{
	memset(n, 0, RILL_TCP_STATES * sizeof(*n));
	for (size_t i = 0; i < f->n; i++)
		if (f->sock[i].state < RILL_TCP_STATES)
			n[f->sock[i].state]++;
}

/* ---- listeners ---- */

void doctor_listeners(struct doctor *d, const struct rl_facts *f)
{
	char addr[RL_WHO], who[RL_WHO];

	for (size_t i = 0; i < f->n; i++) {
		const struct rill_sock *s = &f->sock[i];
		const struct rl_program *p = rl_facts_program(f, rl_pid_of(s));

		if (s->state != RILL_LISTEN)
			continue;
		doctor_say(d, _("%s: %s, %s%s%s"), rl_addr_text(&s->local, addr), rl_who(s, who),
			   rl_ip_any(&s->local.ip) ? _("open to all addresses")
			   : rl_ip_loopback(&s->local.ip) ? _("for this host only")
			   : _("open on this address"),
			   p && *p->exe ? ", " : "", p && *p->exe ? p->exe : "");
	}
}

void doctor_backlog(struct doctor *d, const struct rl_facts *f)
{
	char addr[RL_WHO], who[RL_WHO];

	for (size_t i = 0; i < f->n; i++) {
		const struct rill_sock *s = &f->sock[i];

		if (s->state != RILL_LISTEN)
			continue;
		doctor_say(d, _("%s: %s, accept queue %u of %u (%u%%)"),
			   rl_addr_text(&s->local, addr), rl_who(s, who), s->recv_q, s->send_q,
			   s->send_q ? (unsigned)(s->recv_q * 100ull / s->send_q) : 0);
		if (s->accept_overflows >= 0)
			doctor_say(d, _("  half-open peers %lld of %lld; the accept queue was "
					"full %lld "
					"times, SYNs refused %lld"), (long long)s->syn_q,
				   (long long)s->syn_q_max, (long long)s->accept_overflows,
				   (long long)s->syn_drops);
	}
	if (f->ctr[FC_LISTEN_OVERFLOWS] >= 0)
		doctor_say(d, _("all listeners since the start: accept queue full %lld times, "
				"dropped "
				"for any reason %lld"), (long long)f->ctr[FC_LISTEN_OVERFLOWS],
			   (long long)f->ctr[FC_LISTEN_DROPS]);
}

/* ---- ports ---- */

void doctor_ports(struct doctor *d, const struct rl_facts *f)
{
	int64_t first = f->sysctl[FS_PORT_FIRST], last = f->sysctl[FS_PORT_LAST];
	struct rl_tally *t = rl_tally_new();
	char addr[RL_WHO];

	if (first < 0 || !t) {
		rl_tally_free(t);
		return;
	}
	for (size_t i = 0; i < f->n; i++) {
		const struct rill_sock *s = &f->sock[i];
		struct rl_key key = { .ip = s->peer.ip, .pport = s->peer.port };
		struct rl_tally_row *r;

		if (s->local.port < first || s->local.port > last || s->state == RILL_LISTEN)
			continue;
		r = rl_tally_add(t, f, &key, s);
		if (r)
			r->extra += s->state == RILL_TIME_WAIT;
	}
	doctor_say(d, _("local ports %lld to %lld: %lld for each destination"), (long long)first,
		   (long long)last, (long long)(last - first + 1));
	for (size_t i = 0; i < rl_tally_count(t) && i < CONNS_SHOWN; i++) {
		const struct rl_tally_row *r = rl_tally_row(t, i);
		struct rill_addr to = { .ip = r->key.ip, .port = r->key.pport };

		doctor_say(d, _("to %s: %u taken, %u of them in TIME_WAIT, %lld free"),
			   rl_addr_text(&to, addr), r->n, r->extra,
			   (long long)(last - first + 1 - r->n));
	}
	rl_tally_free(t);
}

/* ---- one connection each ---- */

static bool live(const struct rill_sock *s)
{
	return !s->half_open && (s->state == RILL_ESTABLISHED || s->state == RILL_CLOSE_WAIT);
}

/* What TCP_INFO says of the time in which there was something to send. */
static const char *limiter(const struct rill_sock *s)
{
	const struct rill_tcp_info *i = &s->info;

	if (rl_facts_unread(s) > 65536)
		return _("our program: it does not read");
	if (s->send_q && !i->snd_wnd && !i->unacked)
		return _("the peer: its window is closed, its program does not read");
	if (s->send_q && s->tries >= 3)
		return _("the peer or the path: nothing is acknowledged");
	if (i->busy_time && i->rwnd_limited * 2 > i->busy_time)
		return _("the peer: its window is too small or it reads too slowly");
	if (i->busy_time && i->sndbuf_limited * 2 > i->busy_time)
		return _("our program: its send buffer is too small");
	if (i->total_retrans * 50ull > i->data_segs_out && i->total_retrans > 2)
		return _("the path: segments get lost");
	if (!s->send_q)
		return _("our program or the peer's: nothing is waiting to be sent");
	return _("the path: the congestion window");
}

void doctor_slow(struct doctor *d, const struct rl_facts *f)
{
	char local[RL_WHO], peer[RL_WHO], who[RL_WHO];
	unsigned shown = 0;

	for (size_t i = 0; i < f->n; i++) {
		const struct rill_sock *s = &f->sock[i];

		if (!live(s) || !s->has_info)
			continue;
		if (shown++ >= CONNS_SHOWN) {
			d->lost++;
			continue;
		}
		doctor_say(d, _("%s to %s, %s: the limit is %s"), rl_addr_text(&s->local, local),
			   rl_addr_text(&s->peer, peer), rl_who(s, who), limiter(s));
		doctor_say(d, _("  unread %u, unsent %u bytes; sent again %u of %u; round trip "
				"%.1f ms; "
				"held back by the peer's window %.1f s, by the send buffer %.1f "
				"s%s%s"),
			   rl_facts_unread(s), s->send_q, s->info.total_retrans,
			   s->info.data_segs_out, (double)s->info.rtt / 1000,
			   (double)s->info.rwnd_limited / 1e6, (double)s->info.sndbuf_limited / 1e6,
			   *s->hold ? "; " : "", s->hold);
	}
}

static int64_t known(int64_t v, int64_t otherwise)
{
	return v >= 0 ? v : otherwise;
}

void doctor_keepalive(struct doctor *d, const struct rl_facts *f)
{
	char local[RL_WHO], peer[RL_WHO], span[RL_WHO];
	unsigned on = 0, off = 0;

	for (size_t i = 0; i < f->n; i++) {
		const struct rill_sock *s = &f->sock[i];
		bool alive = s->keepalive == 1 || s->timer == RILL_TMR_KEEP;

		if (!live(s))
			continue;
		on += alive;
		off += !alive;
		if (on + off > CONNS_SHOWN)
			continue;
		rl_addr_text(&s->local, local);
		rl_addr_text(&s->peer, peer);
		if (!alive)
			doctor_say(d, s->timer == RILL_TMR_NONE || s->keepalive == 0
					   ? _("%s to %s: keepalive off, a peer that vanishes is "
					       "never "
					       "noticed while nothing is sent")
					   : _("%s to %s: not known, another timer "
					       "runs"), local, peer);
		else
			doctor_say(d, _("%s to %s: keepalive on, a peer that vanishes is noticed "
					"after "
					"%s (as far as the program has not set times of its own)"),
				   local, peer,
				   rl_span(1000 * (known(s->keepidle_s, f->sysctl[FS_KEEP_TIME]) +
						   known(s->keepintvl_s, f->sysctl[FS_KEEP_INTVL]) *
						   known(s->keepcnt, f->sysctl[FS_KEEP_PROBES])),
					   span));
	}
	doctor_say(d, _("keepalive on: %u, off or not known: %u"), on, off);
}

/* ---- limits and growth ---- */

static void limit(struct doctor *d, const char *what, int64_t have, int64_t max)
{
	if (have >= 0 && max > 0)
		doctor_say(d, _("%s: %lld of %lld (%lld%%)"), what, (long long)have,
			   (long long)max, (long long)(have * 100 / max));
}

void doctor_limits(struct doctor *d, const struct rl_facts *f)
{
	unsigned n[RILL_TCP_STATES], orphans = 0;
	char what[RL_WHO * 2];

	states(f, n);
	for (size_t i = 0; i < f->n; i++)
		orphans += f->sock[i].orphan && f->sock[i].state != RILL_TIME_WAIT;
	limit(d, _("ESTABLISHED, limit of this check"), n[RILL_ESTABLISHED],
	      d->limits.crit[RL_LIM_ESTABLISHED]);
	limit(d, "TIME_WAIT "
		 "(net.ipv4.tcp_max_tw_buckets)", n[RILL_TIME_WAIT], f->sysctl[FS_MAX_TW]);
	limit(d, _("sockets without a program (net.ipv4.tcp_max_orphans)"), orphans,
	      f->sysctl[FS_MAX_ORPHANS]);
	for (size_t i = 0; i < f->nprogram && i < CONNS_SHOWN; i++) {
		snprintf(what, sizeof(what), _("descriptors of %s[%d]"), f->program[i].comm,
			 f->program[i].pid);
		if (f->source == RILL_SRC_KERNEL || f->program[i].pid == f->pid)
			limit(d, what, f->program[i].nfd, f->program[i].fd_limit);
	}
	doctor_backlog(d, f);
	doctor_ports(d, f);
}

static const char *const counter_names[] = {
#define FACT_CTR(id, linux_name)	linux_name,
#define FACT_SYSCTL(id, name, place)
#include "look/facts.def"
#undef FACT_CTR
#undef FACT_SYSCTL
};

void doctor_growth(struct doctor *d, const struct rl_facts *f)
{
	unsigned n[RILL_TCP_STATES], was[RILL_TCP_STATES] = { 0 };
	double s = f->watched_ms / 1000.0;

	states(f, n);
	for (size_t i = 0; i < f->npast; i++)
		if (f->past[i].cookie && f->past[i].state < RILL_TCP_STATES)
			was[f->past[i].state]++;
	for (int i = 1; i < RILL_TCP_STATES && f->watched_ms; i++)
		if (n[i] || was[i])
			doctor_say(d, _("%-12s %u, was %u: %+.1f a second"), state_names[i], n[i],
				   was[i], ((double)n[i] - was[i]) / s);
	for (int i = 0; i < FC_N && f->watched_ms; i++)
		if (f->grown[i] > 0)
			doctor_say(d, _("%-28s %lld more: %.1f a second"), counter_names[i],
				   (long long)f->grown[i], (double)f->grown[i] / s);
}

/* ---- who closed, why reset, history ---- */

/* rill_side_name() in the reader's language. */
static const char *side(const char *name)
{
	static const char *const words[][2] = {
		{ "local", N_("us") }, { "peer", N_("the peer") }, { "both", N_("both") },
		{ "nobody", N_("nobody") },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (!strcmp(name, words[i][0]))
			return _(words[i][1]);
	return name;
}

static void old_ones(struct doctor *d, const struct rl_facts *f, bool orderly)
{
	static struct ctl_stacks stacks;
	char a[RL_WHO], p[RL_WHO], span[RL_WHO];

	if (f->source != RILL_SRC_RILL)
		return;
	ctlc_open(&stacks, &(struct ctl_select){ .pid = f->pid, .name = f->stack });
	for (unsigned i = 0; i < stacks.n; i++) {
		json_t *reply = ctlc_ask(&stacks.list[i], json_pack("{s:s}", "cmd", "history"));
		const json_t *list = json_object_get(reply, "history");

		if (!json_is_array(list))
			doctor_say(d, _("stack %s[%d] keeps no history"), f->stack, f->pid);
		for (size_t k = 0; k < json_array_size(list); k++) {
			struct hist_rec r;
			struct rill_addr l = { 0 }, o = { 0 };

			hist_init(&r);
			if (!hist_parse(json_array_get(list, k), &r) ||
			    (!orderly && !strcmp(r.end, "fin")) ||
			    (d->scope.filter && !filter_match(d->scope.filter, &r.at)))
				continue;
			memcpy(l.ip.b, r.at.local, 16);
			memcpy(o.ip.b, r.at.peer, 16);
			l.port = r.at.lport;
			o.port = r.at.pport;
			doctor_say(d, _("%s to %s: opened by %s, closed first by %s, end: %s in "
					"%s, "
					"after %s; %lld bytes sent, %lld received, %lld segments "
					"again"), rl_addr_text(&l, a), rl_addr_text(&o, p),
				   side(r.opened), side(r.closed_first), r.end, r.state,
				   rl_span(hist_lasted_us(&r) / 1000, span),
				   (long long)r.bytes_acked, (long long)r.bytes_received,
				   (long long)r.retrans);
		}
		json_decref(reply);
	}
	ctlc_close(&stacks);
}

static void past(struct doctor *d, const struct rl_facts *f, bool orderly)
{
	if (f->source == RILL_SRC_KERNEL)
		doctor_say(d, "%s", _("the kernel keeps no history: `rill monitor` writes one, "
				      "`rill history` reads it"));
	else
		old_ones(d, f, orderly);
}

void doctor_history(struct doctor *d, const struct rl_facts *f)
{
	past(d, f, true);
}

void doctor_who_closed(struct doctor *d, const struct rl_facts *f)
{
	unsigned n[RILL_TCP_STATES];

	states(f, n);
	doctor_say(d, _("we closed first: FIN_WAIT_1 %u, FIN_WAIT_2 %u, TIME_WAIT %u"),
		   n[RILL_FIN_WAIT1], n[RILL_FIN_WAIT2], n[RILL_TIME_WAIT]);
	doctor_say(d, _("the peer closed first: CLOSE_WAIT %u, LAST_ACK %u"), n[RILL_CLOSE_WAIT],
		   n[RILL_LAST_ACK]);
	doctor_say(d, _("both at once: CLOSING %u"), n[RILL_CLOSING]);
	doctor_history(d, f);
}

void doctor_why_reset(struct doctor *d, const struct rl_facts *f)
{
	const int64_t *c = f->ctr;

#define WHY(ctr, text)	if (c[ctr] > 0) doctor_say(d, "%s: %lld", text, (long long)c[ctr])
	WHY(FC_ESTAB_RESETS, _("open connections that a reset ended, sent or received"));
	WHY(FC_OUT_RSTS, _("resets that we sent"));
	WHY(FC_ABORT_ON_CLOSE, _("by us: the program closed with data unread"));
	WHY(FC_ABORT_ON_DATA, _("by us: data came after the program had closed"));
	WHY(FC_ABORT_ON_TIMEOUT, _("given up: no answer to retransmissions, keepalive or probes"));
	WHY(FC_ABORT_ON_MEMORY, _("by us: too many sockets without a program, or no memory"));
	WHY(FC_ABORT_ON_LINGER, _("by us: FIN_WAIT_2 ended by TCP_LINGER2"));
	WHY(FC_LISTEN_OVERFLOWS, _("accept queue full (tcp_abort_on_overflow=1 resets then)"));
#undef WHY
	past(d, f, false);
}
