/* SPDX-License-Identifier: MIT */
/*
 * TCP_INFO as ss(8) -i writes it: its labels, its order, and its rules of what is
 * left out.  For the kernel's sockets exactly what iproute2 6.1 shows; those of
 * Rill have the offered window besides.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <linux/inet_diag.h>

#include "tools/ss_fmt.h"

enum { OPT_TS = 1, OPT_SACK = 2, OPT_WSCALE = 4, OPT_ECN = 8, OPT_ECN_SEEN = 16, OPT_DATA = 32 };

#define RTO_FIRST	3000000		/* us: nothing was measured yet */

struct info {
	struct ss_text	*t;
	const struct rill_sock *s;
	const struct rill_tcp_info *i;
	bool		 numeric;
	bool		 listening;	/* unacked and sacked mean the accept queue then */
};

/* " label:VALUE" unless it is 0. */
static void put_count(const struct info *n, const char *label, uint64_t v)
{
	if (v)
		ss_put(n->t, " %s:%" PRIu64, label, v);
}

static void put_ms(const struct info *n, const char *label, uint32_t us)
{
	if (us)
		ss_put(n->t, " %s:%g", label, (double)us / 1000);
}

static void put_bps(const struct info *n, double bps)
{
	static const struct { double unit; char letter; } units[] = {
		{ 1e12, 'T' }, { 1e9, 'G' }, { 1e6, 'M' }, { 1e3, 'k' },
	};

	if (n->numeric) {
		ss_put(n->t, "%.0fbps", bps);
		return;
	}
	for (size_t u = 0; u < sizeof(units) / sizeof(units[0]); u++) {
		if (bps <= units[u].unit)
			continue;
		ss_put(n->t, "%.3g%cbps", bps / units[u].unit, units[u].letter);
		return;
	}
	ss_put(n->t, "%gbps", bps);
}

static bool is_rate(uint64_t Bps)
{
	return Bps && Bps != UINT64_MAX;	/* all ones: no limit */
}

static void put_rate(const struct info *n, const char *label, double bps)
{
	ss_put(n->t, " %s ", label);
	put_bps(n, bps);
}

static void put_options(const struct info *n, bool options)
{
	static const struct { uint8_t bit; const char *name; } list[] = {
		{ OPT_TS, " ts" }, { OPT_SACK, " sack" }, { OPT_ECN, " ecn" },
		{ OPT_ECN_SEEN, " ecnseen" }, { OPT_DATA, " fastopen" },
	};

	for (size_t k = 0; options && k < sizeof(list) / sizeof(list[0]); k++)
		if (n->i->options & list[k].bit)
			ss_puts(n->t, list[k].name);
	if (*n->s->cc)
		ss_put(n->t, " %s", n->s->cc);
	if (n->i->options & OPT_WSCALE)
		ss_put(n->t, " wscale:%d,%d", n->i->wscales & 15, n->i->wscales >> 4);
}

static void put_times(const struct info *n)
{
	if (n->i->rto != RTO_FIRST)
		put_ms(n, "rto", n->i->rto);
	put_count(n, "backoff", n->i->backoff);
	if (n->i->rtt)
		ss_put(n->t, " rtt:%g/%g", (double)n->i->rtt / 1000,
		       (double)n->i->rttvar / 1000);
	put_ms(n, "ato", n->i->ato);
}

static void put_sizes(const struct info *n)
{
	const struct rill_tcp_info *i = n->i;

	put_count(n, "mss", i->snd_mss);
	put_count(n, "pmtu", i->pmtu);
	put_count(n, "rcvmss", i->rcv_mss);
	put_count(n, "advmss", i->advmss);
	put_count(n, "cwnd", i->snd_cwnd);
	if (i->snd_ssthresh < 0xffff)
		put_count(n, "ssthresh", i->snd_ssthresh);
	put_count(n, "bytes_sent", i->bytes_sent);
	put_count(n, "bytes_retrans", i->bytes_retrans);
	put_count(n, "bytes_acked", i->bytes_acked);
	put_count(n, "bytes_received", i->bytes_received);
	put_count(n, "segs_out", i->segs_out);
	put_count(n, "segs_in", i->segs_in);
	put_count(n, "data_segs_out", i->data_segs_out);
	put_count(n, "data_segs_in", i->data_segs_in);
}

static void put_bbr(const struct info *n)
{
	struct tcp_bbr_info b;

	memcpy(&b, n->s->cc_info, sizeof(b));
	ss_puts(n->t, " bbr:(bw:");
	put_bps(n, 8.0 * (double)((uint64_t)b.bbr_bw_hi << 32 | b.bbr_bw_lo));
	ss_put(n->t, ",mrtt:%g", (double)b.bbr_min_rtt / 1000);
	if (b.bbr_pacing_gain)
		ss_put(n->t, ",pacing_gain:%g", (double)b.bbr_pacing_gain / 256);
	if (b.bbr_cwnd_gain)
		ss_put(n->t, ",cwnd_gain:%g", (double)b.bbr_cwnd_gain / 256);
	ss_puts(n->t, ")");
}

static void put_dctcp(const struct info *n)
{
	struct tcp_dctcp_info d;

	memcpy(&d, n->s->cc_info, sizeof(d));
	if (d.dctcp_enabled)
		ss_put(n->t, " dctcp:(ce_state:%u,alpha:%u,ab_ecn:%u,ab_tot:%u)",
		       d.dctcp_ce_state, d.dctcp_alpha, d.dctcp_ab_ecn, d.dctcp_ab_tot);
	else
		ss_puts(n->t, " dctcp:fallback_mode");
}

/* The round-trip time that the sending rate is worked out from. */
static double rtt_us(const struct info *n)
{
	struct tcpvegas_info v;

	memcpy(&v, n->s->cc_info, sizeof(v));
	if (n->s->cc_kind == INET_DIAG_VEGASINFO && v.tcpv_enabled && v.tcpv_rtt &&
	    v.tcpv_rtt != 0x7fffffff)
		return v.tcpv_rtt;
	return n->i->rtt;
}

static void put_rates(const struct info *n)
{
	const struct rill_tcp_info *i = n->i;
	double rtt = rtt_us(n);

	if (rtt > 0 && i->snd_mss && i->snd_cwnd)
		put_rate(n, "send", (double)i->snd_cwnd * i->snd_mss * 8e6 / rtt);
	put_count(n, "lastsnd", i->last_data_sent);
	put_count(n, "lastrcv", i->last_data_recv);
	put_count(n, "lastack", i->last_ack_recv);
	if (is_rate(i->pacing_rate)) {
		put_rate(n, "pacing_rate", 8.0 * (double)i->pacing_rate);
		if (is_rate(i->max_pacing_rate)) {
			ss_puts(n->t, "/");
			put_bps(n, 8.0 * (double)i->max_pacing_rate);
		}
	}
	if (i->delivery_rate)
		put_rate(n, "delivery_rate", 8.0 * (double)i->delivery_rate);
	put_count(n, "delivered", i->delivered);
	put_count(n, "delivered_ce", i->delivered_ce);
	if (i->flags & 1)
		ss_puts(n->t, " app_limited");
}

/* Time spent held back, and its share of the busy time. */
static void put_limited(const struct info *n, const char *name, uint64_t us)
{
	if (us && n->i->busy_time)
		ss_put(n->t, " %s:%" PRIu64 "ms(%.1f%%)", name, us / 1000,
		       100.0 * (double)us / (double)n->i->busy_time);
}

static void put_losses(const struct info *n)
{
	const struct rill_tcp_info *i = n->i;

	if (i->busy_time)
		ss_put(n->t, " busy:%" PRIu64 "ms", i->busy_time / 1000);
	put_limited(n, "rwnd_limited", i->rwnd_limited);
	put_limited(n, "sndbuf_limited", i->sndbuf_limited);
	put_count(n, "unacked", i->unacked);
	if (i->retrans || i->total_retrans)
		ss_put(n->t, " retrans:%u/%u", i->retrans, i->total_retrans);
	put_count(n, "lost", i->lost);
	if (!n->listening)
		put_count(n, "sacked", i->sacked);
	put_count(n, "dsack_dups", i->dsack_dups);
	put_count(n, "fackets", i->fackets);
	if (i->reordering != 3)
		put_count(n, "reordering", i->reordering);
	put_count(n, "reord_seen", i->reord_seen);
}

static void put_receiver(const struct info *n)
{
	const struct rill_tcp_info *i = n->i;

	put_ms(n, "rcv_rtt", i->rcv_rtt);
	put_count(n, "rcv_space", i->rcv_space);
	put_count(n, "rcv_ssthresh", i->rcv_ssthresh);
	put_count(n, "notsent", i->notsent_bytes);
	if (i->min_rtt != UINT32_MAX)
		put_ms(n, "minrtt", i->min_rtt);
	put_count(n, "rcv_ooopack", i->rcv_ooopack);
	put_count(n, "snd_wnd", i->snd_wnd);
	if (n->s->source == RILL_SRC_RILL)
		put_count(n, "rcv_wnd", i->rcv_wnd);
}

void ss_info(struct ss_text *t, const struct rill_sock *s, bool numeric, bool options)
{
	struct info n = { t, s, &s->info, numeric, s->state == RILL_LISTEN };

	if (!s->has_info)
		return;
	put_options(&n, options);
	put_times(&n);
	put_sizes(&n);
	if (s->cc_kind == INET_DIAG_DCTCPINFO)
		put_dctcp(&n);
	if (s->cc_kind == INET_DIAG_BBRINFO)
		put_bbr(&n);
	put_rates(&n);
	put_losses(&n);
	put_receiver(&n);
}
