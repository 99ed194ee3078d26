/* SPDX-License-Identifier: MIT */
/*
 * Tracked connections as text and as JSON lines.  The text has one line a connection
 * in columns and, where there was trouble, a line for each end that had it.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "rill/stack.h"
#include "tools/out.h"
#include "tools/track.h"

#define ADDR_LEN	56

const char *track_state(uint8_t state)
{
	return state == RILL_CLOSE ? "CLOSED" : rill_state_name(state);
}

static const char *ip_text(const struct rill_ip *ip, char *buf, size_t n)
{
	if (rl_ip_is4(ip))
		inet_ntop(AF_INET, ip->b + 12, buf, (socklen_t)n);
	else
		inet_ntop(AF_INET6, ip->b, buf, (socklen_t)n);
	return buf;
}

const char *track_addr(const struct track_end *e, char *buf, size_t n)
{
	char ip[INET6_ADDRSTRLEN];
	bool v4 = rl_ip_is4(&e->ip);

	snprintf(buf, n, "%s%s%s:%u", v4 ? "" : "[", ip_text(&e->ip, ip, sizeof(ip)),
		 v4 ? "" : "]", e->port);
	return buf;
}

const char *track_span(int64_t us, char *buf, size_t n)
{
	if (us < 0)
		snprintf(buf, n, "-");
	else if (us < 1000)
		snprintf(buf, n, "%" PRId64 " us", us);
	else if (us < 1000000)
		snprintf(buf, n, "%.3g ms", (double)us / 1e3);
	else if (us < INT64_C(600000000))
		snprintf(buf, n, "%.4g s", (double)us / 1e6);
	else
		snprintf(buf, n, "%" PRId64 " min", us / 60000000);
	return buf;
}

static int64_t span_us(int64_t from_ns, int64_t to_ns)
{
	return from_ns < 0 || to_ns < 0 ? -1 : (to_ns - from_ns) / 1000;
}

/* The way from an end through here to the other and back: both halves. */
static int64_t rtt_us(const struct track_conn *c)
{
	int64_t sum = 0;
	bool any = false;

	for (int i = 0; i < 2; i++)
		if (c->end[i].n.rtt_samples) {
			sum += (int64_t)c->end[i].n.rtt_min_us;
			any = true;
		}
	return any ? sum : -1;
}

/* ---- text ---- */

static const char *role(const struct track_conn *c, int i)
{
	if (!c->has_opener)
		return i ? "right end" : "left end";
	return i ? "acceptor" : "opener";
}

static void how_over(const struct track_conn *c, char *buf, size_t n)
{
	if (c->over == TRACK_OVER_RESET)
		snprintf(buf, n, "%s by %s%s%s",
			 c->reset == TRACK_RESET_REFUSED ? "refused" : "reset",
			 role(c, c->reset_by),
			 c->closer >= 0 && !c->closed_by_rst ? ", after FIN of " : "",
			 c->closer >= 0 && !c->closed_by_rst ? role(c, c->closer) : "");
	else if (c->closer >= 0)
		snprintf(buf, n, "%s: %s first, by FIN", track_over_name(c->over),
			 role(c, c->closer));
	else
		snprintf(buf, n, "%s", track_over_name(c->over));
}

static void put_heading(void)
{
	printf("%5s %-22s %-22s %-23s %9s %9s %9s %10s %10s %6s %6s  %s\n", "CONN", "OPENED BY",
	       "TO", "STATES", "LASTED", "HANDSHAKE", "RTT", "BYTES>", "BYTES<", "RETR>", "RETR<",
	       "END");
}

static void put_line(const struct track_conn *c)
{
	const struct track_end *a = &c->end[0], *b = &c->end[1];
	char left[ADDR_LEN], right[ADDR_LEN], states[40], lasted[24], hands[24], rtt[24];
	char out[24], in[24], over[80];

	snprintf(states, sizeof(states), "%s/%s", track_state(a->state), track_state(b->state));
	how_over(c, over, sizeof(over));
	track_addr(a, left, sizeof(left));
	if (!c->has_opener && strlen(left) + 1 < sizeof(left))
		strcat(left, "?");
	printf("%5" PRIu64 " %-22s %-22s %-23s %9s %9s %9s %10s %10s %6" PRIu64 " %6" PRIu64
	       "  %s\n",
	       c->id, left, track_addr(b, right, sizeof(right)), states,
	       track_span((c->last_ns - c->first_ns) / 1000, lasted, sizeof(lasted)),
	       track_span(span_us(c->syn_ns, c->open_ns), hands, sizeof(hands)),
	       track_span(rtt_us(c), rtt, sizeof(rtt)), out_bytes(a->n.bytes, out, sizeof(out)),
	       out_bytes(b->n.bytes, in, sizeof(in)), a->n.retrans_segs, b->n.retrans_segs, over);
}

/* "12 fast": only what there is; the first after a colon. */
struct phrase {
	char	buf[512];
	size_t	len;
};

static void say(struct phrase *p, uint64_t n, const char *what)
{
	int r;

	if (!n)
		return;
	r = snprintf(p->buf + p->len, sizeof(p->buf) - p->len, "%s%" PRIu64 " %s",
		     p->len ? ", " : "", n, what);
	if (r > 0)
		p->len = RL_MIN(p->len + (size_t)r, sizeof(p->buf) - 1);
}

static void put_trouble(const struct track_conn *c, int i)
{
	const struct track_side *n = &c->end[i].n;
	struct phrase p = { .len = 0 };
	char buf[24];

	say(&p, n->retrans_fast, "fast retransmissions");
	say(&p, n->retrans_timeout, "by timeout");
	say(&p, n->retrans_probe, "tail probes");
	say(&p, n->retrans_other, "sent again for no visible reason");
	say(&p, RL_MAX(n->retrans_late, c->end[!i].n.dsacks), "of them needless");
	say(&p, n->reordered, "overtaken");
	say(&p, n->gaps, "gaps");
	say(&p, n->dup_acks, "duplicate ACKs");
	say(&p, n->window_probes, "window probes");
	say(&p, n->keepalives, "keepalives");
	say(&p, n->unseen, "acknowledged bytes that did not pass here");
	say(&p, n->copies, "copies on other interfaces");
	say(&p, n->resets_ignored, "RSTs out of place");
	say(&p, n->zero_windows, "zero windows");
	if (p.len)
		printf("      %s: %s", role(c, i), p.buf);
	if (n->zero_windows)
		printf(" (closed for %s)",
		       track_span((int64_t)n->zero_window_us, buf, sizeof(buf)));
	if (p.len)
		putchar('\n');
}

static void put_details(const struct track_conn *c, int i)
{
	const struct track_side *n = &c->end[i].n;
	char min[24], avg[24], max[24];

	printf("      %s sent %" PRIu64 " segments in %" PRIu64 " frames, %" PRIu64
	       " bytes, %" PRIu64 " with repetitions", role(c, i), n->segs, n->frames, n->bytes,
	       n->bytes_sent);
	if (n->rtt_samples)
		printf("; round trip beyond here min %s avg %s max %s (%" PRIu64 ")",
		       track_span((int64_t)n->rtt_min_us, min, sizeof(min)),
		       track_span((int64_t)n->rtt_avg_us, avg, sizeof(avg)),
		       track_span((int64_t)n->rtt_max_us, max, sizeof(max)), n->rtt_samples);
	putchar('\n');
}

static void put_reset(const struct track_conn *c)
{
	const struct track_end *a;

	if (c->reset == TRACK_RESET_NONE)
		return;
	a = &c->end[c->reset_by];
	printf("      RST of %s, %s: %s", role(c, c->reset_by), track_reset_name(c->reset),
	       track_reset_help(c->reset));
	if (c->reset == TRACK_RESET_THIRD_PARTY)
		printf(" (TTL %u, else %u)", c->reset_ttl, a->ttl);
	putchar('\n');
}

static void put_text(struct track_print *p, const struct track_conn *c)
{
	if (!p->shown++)
		put_heading();
	put_line(c);
	put_reset(c);
	for (int i = 0; i < 2; i++) {
		if (p->details)
			put_details(c, i);
		put_trouble(c, i);
	}
}

/* ---- JSON ---- */

static void json_end(const struct track_conn *c, int i)
{
	const struct track_end *e = &c->end[i];
	struct track_side n = e->n;
	char ip[INET6_ADDRSTRLEN];

	if (!n.rtt_samples)
		n.rtt_min_us = 0;
	printf("{\"addr\":\"%s\",\"port\":%u,\"state\":\"%s\",\"mss\":%u,\"wscale\":%d,"
	       "\"timestamps\":%s,\"sack\":%s,\"fin\":%s", ip_text(&e->ip, ip, sizeof(ip)), e->port,
	       track_state(e->state), e->mss, e->has_isn && e->scales ? e->wscale : -1,
	       e->ts_ok ? "true" : "false", e->sack_ok ? "true" : "false",
	       e->has_fin ? "true" : "false");
#define SIDE(type, name, unit, help) printf(",\"" #name "\":%" PRIu64, (uint64_t)n.name);
#include "look/track_side.def"
#undef SIDE
	putchar('}');
}

static void json_span(const char *name, int64_t us)
{
	if (us < 0)
		printf(",\"%s\":null", name);
	else
		printf(",\"%s\":%" PRId64, name, us);
}

static void put_json(const struct track_conn *c)
{
	static const char *const ends[] = { "\"opener\"", "\"acceptor\"" };
	static const char *const sides[] = { "\"left\"", "\"right\"" };
	const char *const *name = c->has_opener ? ends : sides;

	printf("{\"rill\":1,\"conn\":%" PRIu64 ",\"first_ns\":%" PRId64 ",\"last_ns\":%" PRId64
	       ",\"opener_known\":%s,\"mutual_open\":%s", c->id, c->first_ns, c->last_ns,
	       c->has_opener ? "true" : "false", c->mutual ? "true" : "false");
	json_span("handshake_us", span_us(c->syn_ns, c->open_ns));
	json_span("synack_us", span_us(c->syn_ns, c->synack_ns));
	json_span("rtt_us", rtt_us(c));
	printf(",\"over\":\"%s\",\"closed_first\":%s,\"closed_by\":%s", track_over_name(c->over),
	       c->closer < 0 ? "null" : name[c->closer],
	       c->closer < 0 ? "null" : c->closed_by_rst ? "\"rst\"" : "\"fin\"");
	json_span("closed_after_us", c->close_ns < 0 ? -1 : (c->close_ns - c->first_ns) / 1000);
	printf(",\"reset\":\"%s\",\"reset_by\":%s,\"ends\":[", track_reset_name(c->reset),
	       c->reset_by < 0 ? "null" : name[c->reset_by]);
	json_end(c, 0);
	putchar(',');
	json_end(c, 1);
	puts("]}");
}

void track_put(struct track_print *p, const struct track_conn *c)
{
	if (p->json)
		put_json(c);
	else
		put_text(p, c);
}
