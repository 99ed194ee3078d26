/* SPDX-License-Identifier: MIT */
/* The table of `rill history`: a heading, a row for each connection that ended. */
#include "tools/history.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define LEAST_WIDTH	21		/* of an address column: 255.255.255.255:65535 */

static int width[2] = { LEAST_WIDTH, LEAST_WIDTH };

const char *hist_span(int64_t us, char *buf, size_t n)
{
	int64_t s = us / 1000000;

	if (us < 0)
		snprintf(buf, n, "-");
	else if (us < 1000)
		snprintf(buf, n, "%" PRId64 "us", us);
	else if (us < 1000000)
		snprintf(buf, n, "%.4gms", (double)us / 1e3);
	else if (s < 60)
		snprintf(buf, n, "%.3gs", (double)us / 1e6);
	else if (s < 3600)
		snprintf(buf, n, "%" PRId64 "m%02ds", s / 60, (int)(s % 60));
	else if (s < 86400)
		snprintf(buf, n, "%" PRId64 "h%02dm", s / 3600, (int)(s / 60 % 60));
	else
		snprintf(buf, n, "%" PRId64 "d%02dh", s / 86400, (int)(s / 3600 % 24));
	return buf;
}

static void ends(const struct hist_rec *r, int side, char *buf, size_t n)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	const uint8_t *ip = side ? r->at.peer : r->at.local;
	bool v4 = memcmp(ip, mapped, sizeof(mapped)) == 0;
	char text[INET6_ADDRSTRLEN];

	inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? ip + 12 : ip, text, sizeof(text));
	snprintf(buf, n, v4 ? "%s:%u" : "[%s]:%u", text, side ? r->at.pport : r->at.lport);
}

static void when(int64_t us, char *buf, size_t n)
{
	time_t t = (time_t)(us / 1000000);
	struct tm tm;

	if (us < 0 || !localtime_r(&t, &tm) || !strftime(buf, n, "%m-%d %H:%M:%S", &tm))
		snprintf(buf, n, "-");
}

static const char *number(int64_t v, char *buf, size_t n)
{
	snprintf(buf, n, v < 0 ? "-" : "%" PRId64, v);
	return buf;
}

static const char *error_name(int64_t err)
{
	const char *name = err > 0 && err < 4096 ? strerrorname_np((int)err) : NULL;

	return err < 0 ? "?" : name ? name : "-";
}

static const char *word(const char *s)
{
	return *s ? s : "?";
}

static void program(const struct hist_rec *r, char *buf, size_t n)
{
	const char *name = *r->comm ? r->comm : r->stack;

	if (r->pid)
		snprintf(buf, n, "%s[%" PRId64 "]", word(name), r->pid);
	else
		snprintf(buf, n, "%s", name);
}

void hist_head(const struct hist_rec *r, size_t n)
{
	char text[80];

	width[0] = width[1] = LEAST_WIDTH;
	for (size_t i = 0; i < n; i++) {
		for (int side = 0; side < 2; side++) {
			ends(&r[i], side, text, sizeof(text));
			if ((int)strlen(text) > width[side])
				width[side] = (int)strlen(text);
		}
	}
	printf("%-14s %7s %-6s %-6s %-12s %-12s %-12s %9s %9s %5s %-*s %-*s %s\n", "Ended",
	       "Lasted", "Opened", "Closed", "How", "Error", "State", "Sent", "Received",
	       "Again", width[0], "Local", width[1], "Peer", "Program");
}

static void put_times(const struct hist_rec *r)
{
	static const int course[] = {	/* as a connection goes through them */
		RILL_SYN_SENT, RILL_SYN_RECV, RILL_ESTABLISHED, RILL_FIN_WAIT1, RILL_FIN_WAIT2,
		RILL_CLOSE_WAIT, RILL_CLOSING, RILL_LAST_ACK, RILL_TIME_WAIT,
	};
	char buf[32];

	printf("     ");
	for (size_t i = 0; i < sizeof(course) / sizeof(course[0]); i++)
		if (r->in_us[course[i]] > 0)
			printf(" %s %s", rill_state_name(course[i]),
			       hist_span(r->in_us[course[i]], buf, sizeof(buf)));
	if (r->time_wait > 0)
		printf(" TIME-WAIT still");
	if (r->min_rtt_us > 0)
		printf(" rtt %s", hist_span(r->min_rtt_us, buf, sizeof(buf)));
	if (r->segs_out >= 0)
		printf(" segments %s out", number(r->segs_out, buf, sizeof(buf)));
	if (r->segs_in >= 0)
		printf(" %s in", number(r->segs_in, buf, sizeof(buf)));
	if (r->unread > 0)
		printf(" unread %s", number(r->unread, buf, sizeof(buf)));
	if (r->unsent > 0)
		printf(" unsent %s", number(r->unsent, buf, sizeof(buf)));
	putchar('\n');
}

void hist_row(const struct hist_rec *r, bool verbose)
{
	char at[32], span[32], sent[32], got[32], again[32], la[80], pa[80], prog[128];

	when(r->ended_us, at, sizeof(at));
	ends(r, 0, la, sizeof(la));
	ends(r, 1, pa, sizeof(pa));
	program(r, prog, sizeof(prog));
	printf("%-14s %7s %-6s %-6s %-12s %-12s %-12s %9s %9s %5s %-*s %-*s %s\n", at,
	       hist_span(hist_lasted_us(r), span, sizeof(span)), word(r->opened),
	       word(r->closed_first), word(r->end), error_name(r->err), word(r->state),
	       number(r->bytes_acked, sent, sizeof(sent)),
	       number(r->bytes_received, got, sizeof(got)),
	       number(r->retrans, again, sizeof(again)), width[0], la, width[1], pa, prog);
	if (verbose)
		put_times(r);
}
