/* SPDX-License-Identifier: MIT */
/*
 * How ss(8) writes a connection's timer, details, memory and TCP_INFO: the same
 * words in the same order, so that what reads ss's output reads ours.
 */
#include "tools/ss_fmt.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "rill/stack.h"
#include "look/ctlc.h"

void ss_put(struct ss_text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(t->p + t->len, t->n - t->len, fmt, ap);
	va_end(ap);
	if (n > 0)
		t->len = t->len + (size_t)n < t->n ? t->len + (size_t)n : t->n - 1;
}

/* ---- addresses ---- */

void ss_addr(const json_t *conn, const char *what, char *buf, size_t n)
{
	const char *s = ctlc_str(conn, what);
	int64_t family = ctlc_int(conn, "family");
	bool any = !strcmp(s, "::") || !strcmp(s, "0.0.0.0");

	if (any && family == 0)
		s = "*";
	else if (any)
		s = family == 4 ? "0.0.0.0" : "[::]";
	snprintf(buf, n, strchr(s, ':') && *s != '[' ? "[%s]" : "%s", s);
}

void ss_port(unsigned port, bool udp, bool numeric, char *buf, size_t n)
{
	const struct servent *se = numeric ? NULL :
		getservbyport(htons((uint16_t)port), udp ? "udp" : "tcp");

	if (!port)
		snprintf(buf, n, "*");
	else if (se)
		snprintf(buf, n, "%s", se->s_name);
	else
		snprintf(buf, n, "%u", port);
}

/* ---- timers ---- */

const char *ss_timer_name(int kind)
{
	static const char *const names[] = {
		[RILL_TMR_NONE] = "off", [RILL_TMR_RTX] = "on",
		[RILL_TMR_KEEP] = "keepalive", [RILL_TMR_TIMEWAIT] = "timewait",
		[RILL_TMR_PERSIST] = "persist", [RILL_TMR_DELACK] = "delack",
	};

	return kind >= 0 && kind <= RILL_TMR_DELACK ? names[kind] : "unknown";
}

const char *ss_time(uint64_t ms, char *buf, size_t n)
{
	unsigned min = (unsigned)(ms / 60000), sec = (unsigned)(ms / 1000 % 60);
	struct ss_text t = { buf, n, 0 };
	unsigned rest = (unsigned)(ms % 1000);

	buf[0] = '\0';
	if (min) {
		rest = 0;
		ss_put(&t, "%umin", min);
		if (min > 9)
			sec = 0;
	}
	if (sec) {
		if (sec > 9)
			rest = 0;
		ss_put(&t, "%u%s", sec, rest ? "." : "sec");
	}
	if (rest)
		ss_put(&t, "%03ums", rest);
	if (!t.len)
		ss_put(&t, "0");
	return buf;
}

void ss_timer(struct ss_text *t, const json_t *conn)
{
	int64_t kind = ctlc_int(conn, "timer"), us = ctlc_int(conn, "timer_us");
	char text[40];

	if (kind == RILL_TMR_NONE)
		return;
	ss_put(t, " timer:(%s,%s,%" PRId64 ")", ss_timer_name((int)kind),
	       ss_time(us > 0 ? (uint64_t)us / 1000 : 0, text, sizeof(text)),
	       ctlc_int(conn, "tries"));
}

/* ---- details and memory ---- */

/* Which directions are still open, by what the state says. */
static const char *directions(int64_t state)
{
	switch (state) {
	case RILL_FIN_WAIT1:
	case RILL_FIN_WAIT2:
		return "<--";		/* we have finished sending */
	case RILL_CLOSE_WAIT:
		return "-->";
	case RILL_LAST_ACK:
	case RILL_CLOSING:
	case RILL_TIME_WAIT:
		return "---";
	}
	return "<->";
}

void ss_details(struct ss_text *t, const json_t *conn, const json_t *hello)
{
	int64_t uid = ctlc_int(hello, "uid"), age = ctlc_int(conn, "age_us");
	char text[40];

	if (uid)
		ss_put(t, " uid:%" PRId64, uid);
	ss_put(t, " sk:%s", ctlc_str(conn, "id"));
	if (ctlc_true(conn, "half_open"))
		ss_put(t, " half-open");
	if (ctlc_true(conn, "orphan"))
		ss_put(t, " orphan");
	ss_put(t, " age:%s %s", ss_time(age > 0 ? (uint64_t)age / 1000 : 0, text,
					sizeof(text)),
	       directions(ctlc_int(conn, "state")));
}

void ss_memory(struct ss_text *t, const json_t *conn)
{
	bool listening = ctlc_int(conn, "state") == RILL_LISTEN;
	int64_t r = listening ? 0 : ctlc_int(conn, "recv_q");
	int64_t w = listening ? 0 : ctlc_int(conn, "send_q");

	ss_put(t, " skmem:(r%" PRId64 ",rb%" PRId64 ",t0,tb%" PRId64 ",f0,w%" PRId64
	       ",o0,bl0,d0)", r, ctlc_int(conn, "rcvbuf"), ctlc_int(conn, "sndbuf"), w);
}

/* ---- TCP_INFO ---- */

struct info {
	struct ss_text	*t;
	const json_t	*o;		/* "info" of the reply */
	bool		 numeric;
	bool		 listening;	/* unacked and sacked mean the accept queue then */
};

static int64_t get(const struct info *i, const char *name)
{
	return ctlc_int(i->o, name);
}

/* " label:VALUE" unless it is 0. */
static void put_count(const struct info *i, const char *label, const char *name)
{
	if (get(i, name))
		ss_put(i->t, " %s:%" PRId64, label, get(i, name));
}

static void put_rate(const struct info *i, const char *label, double bps)
{
	static const char units[] = "\0kMGTPE";
	unsigned u = 0;

	if (i->numeric) {
		ss_put(i->t, " %s %.0fbps", label, bps);
		return;
	}
	while (bps >= 1000 && u < 6) {
		bps /= 1000;
		u++;
	}
	if (u)
		ss_put(i->t, " %s %.3g%cbps", label, bps, units[u]);
	else
		ss_put(i->t, " %s %.3gbps", label, bps);
}

/* Rates come in bytes; all ones (-1 here) means there is no limit. */
static void put_byte_rate(const struct info *i, const char *label, const char *name)
{
	if (get(i, name) > 0)
		put_rate(i, label, 8.0 * (double)get(i, name));
}

static void put_options(const struct info *i, const json_t *conn)
{
	int64_t opts = get(i, "options"), ws = get(i, "wscales");
	const char *cc = ctlc_str(conn, "cc");

	if (opts & 1)
		ss_put(i->t, " ts");
	if (opts & 2)
		ss_put(i->t, " sack");
	if (*cc)
		ss_put(i->t, " %s", cc);
	if (opts & 4)
		ss_put(i->t, " wscale:%d,%d", (int)(ws & 15), (int)(ws >> 4));
}

static void put_times(const struct info *i)
{
	if (get(i, "rto"))
		ss_put(i->t, " rto:%g", (double)get(i, "rto") / 1000);
	put_count(i, "backoff", "backoff");
	if (get(i, "rtt"))
		ss_put(i->t, " rtt:%g/%g", (double)get(i, "rtt") / 1000,
		       (double)get(i, "rttvar") / 1000);
	if (get(i, "ato"))
		ss_put(i->t, " ato:%g", (double)get(i, "ato") / 1000);
}

static void put_sizes(const struct info *i)
{
	put_count(i, "mss", "snd_mss");
	put_count(i, "pmtu", "pmtu");
	put_count(i, "rcvmss", "rcv_mss");
	put_count(i, "advmss", "advmss");
	put_count(i, "cwnd", "snd_cwnd");
	if (get(i, "snd_ssthresh") < 0xffff)
		put_count(i, "ssthresh", "snd_ssthresh");
	put_count(i, "bytes_sent", "bytes_sent");
	put_count(i, "bytes_retrans", "bytes_retrans");
	put_count(i, "bytes_acked", "bytes_acked");
	put_count(i, "bytes_received", "bytes_received");
	put_count(i, "segs_out", "segs_out");
	put_count(i, "segs_in", "segs_in");
	put_count(i, "data_segs_out", "data_segs_out");
	put_count(i, "data_segs_in", "data_segs_in");
}

static void put_rates(const struct info *i)
{
	double rtt = (double)get(i, "rtt");

	if (rtt > 0 && get(i, "snd_mss") && get(i, "snd_cwnd"))
		put_rate(i, "send", (double)get(i, "snd_cwnd") * (double)get(i, "snd_mss") *
			 8e6 / rtt);
	put_count(i, "lastsnd", "last_data_sent");
	put_count(i, "lastrcv", "last_data_recv");
	put_count(i, "lastack", "last_ack_recv");
	put_byte_rate(i, "pacing_rate", "pacing_rate");
	put_byte_rate(i, "delivery_rate", "delivery_rate");
	put_count(i, "delivered", "delivered");
	put_count(i, "delivered_ce", "delivered_ce");
	if (get(i, "flags") & 1)
		ss_put(i->t, " app_limited");
}

/* Time spent held back, and its share of the busy time. */
static void put_limited(const struct info *i, const char *name)
{
	int64_t us = get(i, name), busy = get(i, "busy_time");

	if (us && busy)
		ss_put(i->t, " %s:%" PRId64 "ms(%.1f%%)", name, us / 1000,
		       100.0 * (double)us / (double)busy);
}

static void put_losses(const struct info *i)
{
	if (get(i, "busy_time"))
		ss_put(i->t, " busy:%" PRId64 "ms", get(i, "busy_time") / 1000);
	put_limited(i, "rwnd_limited");
	put_limited(i, "sndbuf_limited");
	if (!i->listening)
		put_count(i, "unacked", "unacked");
	if (get(i, "retrans") || get(i, "total_retrans"))
		ss_put(i->t, " retrans:%" PRId64 "/%" PRId64, get(i, "retrans"),
		       get(i, "total_retrans"));
	put_count(i, "lost", "lost");
	if (!i->listening)
		put_count(i, "sacked", "sacked");
	put_count(i, "dsack_dups", "dsack_dups");
	if (get(i, "reordering") != 3)
		put_count(i, "reordering", "reordering");
	put_count(i, "reord_seen", "reord_seen");
}

static void put_receiver(const struct info *i)
{
	if (get(i, "rcv_rtt"))
		ss_put(i->t, " rcv_rtt:%g", (double)get(i, "rcv_rtt") / 1000);
	put_count(i, "rcv_space", "rcv_space");
	put_count(i, "rcv_ssthresh", "rcv_ssthresh");
	put_count(i, "notsent", "notsent_bytes");
	if (get(i, "min_rtt") && get(i, "min_rtt") != (int64_t)UINT32_MAX)
		ss_put(i->t, " minrtt:%g", (double)get(i, "min_rtt") / 1000);
	put_count(i, "rcv_ooopack", "rcv_ooopack");
	put_count(i, "snd_wnd", "snd_wnd");
	put_count(i, "rcv_wnd", "rcv_wnd");
}

void ss_info(struct ss_text *t, const json_t *conn, bool numeric)
{
	struct info i = { t, json_object_get(conn, "info"), numeric,
			  ctlc_int(conn, "state") == RILL_LISTEN };

	if (!i.o)
		return;
	put_options(&i, conn);
	put_times(&i);
	put_sizes(&i);
	put_rates(&i);
	put_losses(&i);
	put_receiver(&i);
}
